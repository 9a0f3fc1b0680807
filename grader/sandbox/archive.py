"""A `Run` as bytes, to keep in the gradebook: numbers in safetensors, everything else as JSON beside them."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
from safetensors import SafetensorError, deserialize
from safetensors.numpy import load, save

from grader.sandbox.recording import Array, BlockReport, Outcome, Recording, Run, StudentError, Value


class ArchiveError(Exception):
    """The bytes are not an archived run."""


def archived(run: Run) -> bytes:
    """The run as bytes; equal runs give equal bytes."""
    arrays: dict[str, Array] = {}
    recordings = {}
    for key, recording in run.recordings.items():
        entry = asdict(recording)
        entry["value"] = _described(recording.value, arrays)
        recordings[key] = entry
    description = {
        "recordings": recordings,
        "blocks": [asdict(block) for block in run.blocks],
        "cpu_seconds": run.cpu_seconds,
    }
    return save(arrays, {"run": json.dumps(description)})


def restored(content: bytes) -> Run:
    """What `archived` was given.

    Raises:
        ArchiveError: the bytes were not made by `archived`.
    """
    try:
        arrays = load(content)
        description = json.loads(_metadata(content)["run"])
        return Run(
            recordings={key: _recording(entry, arrays) for key, entry in description["recordings"].items()},
            blocks=tuple(BlockReport(**{**block, "error": _error(block["error"])}) for block in description["blocks"]),
            cpu_seconds=description["cpu_seconds"],
        )
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ArchiveError(f"not an archived run: {error}") from None


def _metadata(content: bytes) -> dict[str, str]:
    # The library gives the metadata of files only; in the format they stand in the JSON header, after its length.
    deserialize(content)  # type: ignore[no-untyped-call]
    length = int.from_bytes(content[:8], "little")
    metadata: dict[str, str] = json.loads(content[8 : 8 + length])["__metadata__"]
    return metadata


def _described(value: Value, arrays: dict[str, Array]) -> Any:
    if isinstance(value, np.ndarray):
        name = str(len(arrays))
        arrays[name] = np.ascontiguousarray(value)
        return {"array": name, "shape": list(value.shape)}
    if value is None:
        return None
    return {"parts": [_described(part, arrays) for part in value]}


def _value(entry: Any, arrays: dict[str, Array]) -> Value:
    if entry is None:
        return None
    if "array" in entry:
        return arrays[entry["array"]].reshape(entry["shape"])
    return tuple(_value(part, arrays) for part in entry["parts"])


def _recording(entry: dict[str, Any], arrays: dict[str, Array]) -> Recording:
    known = {
        **entry,
        "outcome": Outcome(entry["outcome"]),
        "value": _value(entry["value"], arrays),
        "changed_inputs": tuple(entry["changed_inputs"]),
        "error": _error(entry["error"]),
    }
    return Recording(**known)


def _error(entry: dict[str, Any] | None) -> StudentError | None:
    return None if entry is None else StudentError(**entry)
