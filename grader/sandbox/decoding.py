"""What comes out of a student's process, read as hostile bytes: a `Recording`, a `BlockReport`, or `DecodeError`.

Caps stand before parsing, types and ranges are checked after it, and every text is bounded and valid Unicode.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from safetensors import deserialize

from grader.guest.encoding import DTYPES, MAX_DEPTH, MAX_PARTS
from grader.sandbox.recording import Array, BlockReport, Outcome, Recording, StudentError, Value

_MAX_AXES = 32
_MAX_LINE = 10**7
_SENTENCE = 2000
_LABEL = 200
_HEADER = 16 << 20
"""Bytes for the names, shapes and texts beside the arrays."""
_ESCAPED = 16
"""Bytes that one byte of printed text may take in JSON within JSON."""

_LENGTH = struct.Struct("<Q")
_CLAIMED = {
    outcome.value: outcome
    for outcome in (
        Outcome.RETURNED,
        Outcome.MISSING,
        Outcome.RAISED,
        Outcome.TIMED_OUT,
        Outcome.OUT_OF_MEMORY,
        Outcome.REFUSED,
    )
}
"""What a student's process may say about itself. That a fault is ours is not for it to say."""


class DecodeError(Exception):
    """Bytes that the guest would not have sent by itself. Its text is a sentence."""


@dataclass(frozen=True)
class Ending:
    """How a process ended."""

    exit: int | None = None
    signal: int | None = None
    cpu: float = 0.0
    """Seconds of processor time, where it is known."""


def result_cap(result: int, output: int) -> int:
    """Bytes of the longest result that is read, for a limit of the value and one of the printed text."""
    return result + _HEADER + _ESCAPED * output


def report_cap(output: int) -> int:
    """Bytes of the longest report of a block that is read."""
    return (1 << 16) + _ESCAPED * output


def decode_result(blob: bytes, experiment: str, arguments: Collection[str], result: int, output: int) -> Recording:
    """The recording of a call, without what the grader itself knows (calls of oracles, time).

    Args:
        blob: what the student's process sent.
        experiment: of the call.
        arguments: names of the call's arguments.
        result: largest number of bytes of the value.
        output: largest number of bytes of printed text.

    Raises:
        DecodeError: anything else than what the guest sends; nothing else is ever raised.
    """
    if len(blob) > result_cap(result, output):
        raise DecodeError("it is too large")
    try:
        arrays, report = _unpacked(blob, result)
        outcome = _CLAIMED[report["outcome"]]
        value = _value(report["tree"], arrays) if outcome is Outcome.RETURNED else None
        changed = _list(report.get("changed_inputs", []))
        return Recording(
            experiment,
            outcome,
            value=value,
            returned_type=_text(report.get("returned_type", ""), _LABEL),
            reason=_text(report.get("reason", ""), _SENTENCE),
            changed_inputs=tuple(name for name in arguments if name in changed),
            printed=_text(report.get("printed", ""), output + _LABEL),
            error=_error(report.get("error")),
        )
    except DecodeError:
        raise
    except Exception as error:
        raise DecodeError(f"it is malformed ({type(error).__name__})") from error


def decode_report(payload: bytes, label: str, output: int) -> BlockReport:
    """The report of a block.

    Raises:
        DecodeError: as `decode_result`.
    """
    try:
        report = json.loads(payload)
        return BlockReport(
            label,
            error=_error(report["error"]),
            printed=_text(report["printed"], output + _LABEL),
            remark=_text(report["remark"], _SENTENCE),
        )
    except DecodeError:
        raise
    except Exception as error:
        raise DecodeError(f"the report is malformed ({type(error).__name__})") from error


def decode_ending(payload: bytes) -> Ending:
    """How a performer ended, as the loader tells.

    Raises:
        DecodeError: as `decode_result`.
    """
    try:
        told = json.loads(payload)
        return Ending(_code(told["exit"]), _code(told["signal"]))
    except Exception as error:
        raise DecodeError(f"the end is malformed ({type(error).__name__})") from error


def _unpacked(blob: bytes, limit: int) -> tuple[list[Array], dict[str, Any]]:
    (length,) = _LENGTH.unpack_from(blob)
    if length > len(blob) - _LENGTH.size:
        raise DecodeError("it is truncated")
    report = json.loads(json.loads(blob[_LENGTH.size : _LENGTH.size + length])["__metadata__"]["json"])
    if type(report) is not dict:
        raise DecodeError("it has no report")
    tensors = dict(deserialize(blob))  # type: ignore[no-untyped-call]
    if len(tensors) > MAX_PARTS:
        raise DecodeError("it has too many arrays")
    if sum(len(tensor["data"]) for tensor in tensors.values()) > limit:
        raise DecodeError("it is too large")
    return [_array(tensors[str(position)]) for position in range(len(tensors))], report


def _array(tensor: dict[str, Any]) -> Array:
    if len(tensor["shape"]) > _MAX_AXES:
        raise DecodeError("an array has too many axes")
    if tensor["dtype"] not in DTYPES:
        raise DecodeError("an array has a dtype that is not allowed")
    if tensor["dtype"] == "BOOL" and any(tensor["data"].translate(None, b"\0\1")):
        raise DecodeError("a truth value is neither true nor false")
    flat = np.frombuffer(tensor["data"], np.dtype(DTYPES[tensor["dtype"]]))
    return flat.reshape(tensor["shape"])


def _value(tree: Any, arrays: list[Array]) -> Value:
    room = MAX_PARTS

    def build(node: Any, depth: int) -> Value:
        nonlocal room
        room -= 1
        if room < 0 or depth > MAX_DEPTH:
            raise DecodeError("it is nested too deep or has too many parts")
        if node is None:
            return None
        if type(node) is int and 0 <= node < len(arrays):
            return arrays[node]
        if type(node) is list:
            return tuple([build(part, depth + 1) for part in node])
        raise DecodeError("its structure is malformed")

    return build(tree, 0)


def _error(error: Any) -> StudentError | None:
    if error is None:
        return None
    line = error.get("line")
    source_line = error.get("source_line")
    block = error.get("block")
    return StudentError(
        type=_text(error["type"], _LABEL),
        message=_text(error["message"], _SENTENCE),
        block=None if block is None else _text(block, _LABEL),
        line=line if type(line) is int and 0 < line < _MAX_LINE else None,
        source_line=None if source_line is None else _text(source_line, _SENTENCE),
    )


def _text(text: Any, limit: int) -> str:
    if type(text) is not str:
        raise DecodeError("a text is not a text")
    # Lone surrogates and NUL would break files, pages and databases further on.
    return text[:limit].encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _list(items: Any) -> list[Any]:
    if type(items) is not list:
        raise DecodeError("a list is not a list")
    return items


def _code(code: Any) -> int | None:
    return code if type(code) is int and 0 <= code < 256 else None
