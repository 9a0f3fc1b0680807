"""A `Run` as bytes, to keep in the gradebook: numbers in safetensors, everything else as JSON beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, FiniteFloat, NonNegativeInt

from grader.guest.encoding import pack
from grader.sandbox.decoding import assembled, unpacked
from grader.sandbox.recording import Array, BlockReport, Outcome, Recording, Run, StudentError, Value


class ArchiveError(Exception):
    """The bytes are not an archived run."""


class _Entry(BaseModel):
    """A `Recording`; its value is a tree of positions among the arrays of the run."""

    model_config = ConfigDict(strict=True, extra="forbid")

    experiment: str
    outcome: Outcome
    value: Any
    returned_type: str
    reason: str
    calls: dict[str, NonNegativeInt]
    changed_inputs: tuple[str, ...]
    printed: str
    error: StudentError | None


class _Description(BaseModel):
    """A `Run` without its arrays."""

    model_config = ConfigDict(strict=True, extra="forbid")

    recordings: dict[str, _Entry]
    blocks: tuple[BlockReport, ...]
    cpu_seconds: FiniteFloat


def archived(run: Run) -> bytes:
    """The run as bytes; equal runs give equal bytes."""
    arrays: list[Array] = []
    recordings = {
        # Without the value, whose arrays `asdict` would copy.
        key: {**asdict(replace(recording, value=None)), "value": _tree(recording.value, arrays)}
        for key, recording in run.recordings.items()
    }
    blocks = [asdict(block) for block in run.blocks]
    return pack(arrays, {"recordings": recordings, "blocks": blocks, "cpu_seconds": run.cpu_seconds})


def restored(content: bytes) -> Run:
    """What `archived` was given.

    Raises:
        ArchiveError: the bytes were not made by `archived`; nothing else is ever raised.
    """
    try:
        arrays, text = unpacked(content, header_cap=len(content))
        description = _Description.model_validate_json(text)
        numbered = enumerate(arrays)
        recordings = {key: _recording(entry, numbered) for key, entry in description.recordings.items()}
        if next(numbered, None) is not None:
            raise ArchiveError("arrays are left over")
        return Run(recordings, description.blocks, description.cpu_seconds)
    except Exception as error:
        raise ArchiveError(f"not an archived run: {error}") from None


def _tree(value: Value, arrays: list[Array]) -> Any:
    """The value as `assembled` reads it; its arrays are added to the others."""
    if value is None:
        return None
    if isinstance(value, tuple):
        return [_tree(part, arrays) for part in value]
    arrays.append(np.asarray(value))
    return len(arrays) - 1


def _recording(entry: _Entry, arrays: Iterator[tuple[int, Array]]) -> Recording:
    known = {name: getattr(entry, name) for name in _Entry.model_fields}
    return Recording(**known | {"value": assembled(entry.value, arrays)})
