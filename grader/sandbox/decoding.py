"""What comes out of a student's process, read as hostile bytes: a `Recording`, a `BlockReport`, or `DecodeError`.

Caps stand before parsing, types and ranges are checked after it, and every text is bounded and valid Unicode. Only
what the guest itself would write is read: one form of JSON, one order of the arrays, each array used once.
"""

from __future__ import annotations

import json
import math
import re
import signal
import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.guest.encoding import DTYPES, MAX_DEPTH, MAX_PARTS, weight
from grader.sandbox.recording import Array, BlockReport, Outcome, Recording, StudentError, Value

_MAX_AXES = 32
_MAX_SIDES = 2**40
"""Product of the axes that are not 0. An empty array may have any others, and no bytes to pay for them."""
_MAX_LINE = 10**7
_SENTENCE = 2000
_LABEL = 200
_HEADER = 128 * MAX_PARTS + (1 << 18)
"""Bytes for the names, shapes and texts beside the arrays and the printed text."""
_ESCAPED = 16
"""Bytes that one byte of printed text may take in JSON within JSON."""

_LENGTH = struct.Struct("<Q")
_ENTRY = {"dtype", "shape", "data_offsets"}
_CONTROL = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters beside tab and newline: in a sentence they could steer a terminal."""
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
_GIVES_A_REASON = (Outcome.MISSING, Outcome.TIMED_OUT, Outcome.REFUSED)


class DecodeError(Exception):
    """Bytes that the guest would not have sent by itself. Its text is a sentence."""


@dataclass(frozen=True)
class Ending:
    """How a process ended: its exit code or the signal that ended it, the other is None."""

    exit: int | None = None
    signal: int | None = None
    cpu: float = 0.0
    """Seconds of processor time, where it is known."""


def result_cap(result: int, output: int) -> int:
    """Bytes of the longest result that is read, for a limit of the value and one of the printed text."""
    return _LENGTH.size + _header_cap(output) + result


def _header_cap(output: int) -> int:
    return _HEADER + _ESCAPED * output


def report_cap(output: int) -> int:
    """Bytes of the longest report of a block that is read."""
    return (1 << 16) + _ESCAPED * output


def decode_result(blob: bytes, experiment: str, arguments: Collection[str], result: int, output: int) -> Recording:
    """The recording of a call, without what the grader itself knows (calls of oracles, time).

    Args:
        blob: what the student's process sent.
        experiment: of the call.
        arguments: names of the call's arguments.
        result: largest `weight` of the value.
        output: largest number of bytes of printed text.

    Raises:
        DecodeError: anything else than what the guest sends; nothing else is ever raised.
    """
    if len(blob) > result_cap(result, output):
        raise DecodeError("it is too large")
    try:
        arrays, text = unpacked(blob, _header_cap(output))
        report = _parsed(text)
        outcome = _CLAIMED[report["outcome"]]
        value = _whole_value(report["tree"], arrays)
        if weight(value) > result:
            raise DecodeError("it is too large")
        recording = Recording(
            experiment,
            outcome,
            value=value,
            returned_type=_sentence(report.get("returned_type", ""), _LABEL),
            reason=_sentence(report.get("reason", ""), _SENTENCE),
            changed_inputs=_chosen(report.get("changed_inputs", []), arguments),
            printed=_text(report.get("printed", ""), output + _LABEL),
            error=_error(report.get("error")),
        )
    except DecodeError:
        raise
    except Exception as error:
        raise DecodeError(f"it is malformed ({type(error).__name__})") from error
    if outcome is not Outcome.RETURNED and recording.value is not None:
        raise DecodeError("it has a value and says that nothing was returned")
    if outcome is Outcome.RAISED and recording.error is None:
        raise DecodeError("it names no exception")
    if outcome in _GIVES_A_REASON and not recording.reason:
        raise DecodeError("it gives no reason")
    return recording


def decode_report(payload: bytes, label: str, output: int) -> BlockReport:
    """The report of a block.

    Raises:
        DecodeError: as `decode_result`.
    """
    try:
        report = _parsed(payload)
        return BlockReport(
            label,
            error=_error(report["error"]),
            printed=_text(report["printed"], output + _LABEL),
            remark=_sentence(report["remark"], _SENTENCE),
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
        match _parsed(payload):
            case {"exit": code, "signal": None} if type(code) is int and 0 <= code < 256:
                return Ending(exit=code)
            case {"exit": None, "signal": number} if type(number) is int and 0 < number < signal.NSIG:
                return Ending(signal=number)
    except DecodeError:
        raise
    except Exception as error:
        raise DecodeError(f"the end is malformed ({type(error).__name__})") from error
    raise DecodeError("the end is neither an exit nor a signal")


def unpacked(blob: bytes, header_cap: int) -> tuple[list[Array], str]:
    """The arrays and the JSON text of bytes that `grader.guest.encoding.pack` made. The arrays own their memory.

    Stricter than the safetensors format: the arrays are named by their position and follow each other without a gap.

    Args:
        blob: hostile.
        header_cap: largest number of bytes of the header.

    Raises:
        Exception: anything else; `DecodeError` where there is a sentence for it.
    """
    (length,) = _LENGTH.unpack_from(blob)
    body = _LENGTH.size + length
    if length > header_cap or body > len(blob):
        raise DecodeError("its header is longer than it may be")
    header = _parsed(blob[_LENGTH.size : body])
    text = header.pop("__metadata__")["json"]
    arrays: list[Array] = []
    end = body
    for position in range(len(header)):
        entry = header[str(position)]
        array = _array(entry, blob, end)
        start, end = end, end + array.nbytes
        if entry["data_offsets"] != [start - body, end - body]:
            raise DecodeError("an array is not where the one before it ends")
        arrays.append(array)
    if end != len(blob):
        raise DecodeError("bytes are left over")
    return arrays, text


def _array(entry: dict[str, Any], blob: bytes, start: int) -> Array:
    shape = entry["shape"]
    if entry.keys() != _ENTRY or type(shape) is not list or any(type(side) is not int or side < 0 for side in shape):
        raise DecodeError("the description of an array is malformed")
    if len(shape) > _MAX_AXES:
        raise DecodeError("an array has too many axes")
    if math.prod(side or 1 for side in shape) > _MAX_SIDES:
        raise DecodeError("an array is larger than any memory")
    if entry["dtype"] not in DTYPES:
        raise DecodeError("an array has a dtype that is not allowed")
    dtype = np.dtype(DTYPES[entry["dtype"]])
    count = math.prod(shape)
    if start + count * dtype.itemsize > len(blob):
        raise DecodeError("it is truncated")
    if entry["dtype"] == "BOOL" and blob[start : start + count].translate(None, b"\0\1"):
        raise DecodeError("a truth value is neither true nor false")
    # A copy is aligned wherever the bytes are, writable, and does not keep the others alive.
    return np.frombuffer(blob, dtype, count, start).reshape(shape).copy()


def assembled(tree: Any, arrays: Iterator[tuple[int, Array]]) -> Value:
    """A value from its tree, as `grader.guest.encoding.encode_value` describes it.

    Each array stands in one place, in order: a tree that names one a thousand times would be a thousand arrays to all
    who come later.

    Args:
        tree: hostile.
        arrays: with their positions; as many are taken as the tree has.

    Raises:
        DecodeError: not a tree of these arrays, too deep, or too many parts.
    """
    room = MAX_PARTS

    def build(node: Any, depth: int) -> Value:
        nonlocal room
        room -= 1
        if room < 0 or depth > MAX_DEPTH:
            raise DecodeError("it is nested too deep or has too many parts")
        if node is None:
            return None
        if type(node) is list:
            return tuple([build(part, depth + 1) for part in node])
        position, array = next(arrays, (None, None))
        if type(node) is not int or node != position:
            raise DecodeError("its structure is malformed")
        return array

    return build(tree, 0)


def _whole_value(tree: Any, arrays: list[Array]) -> Value:
    rest = enumerate(arrays)
    value = assembled(tree, rest)
    if next(rest, None) is not None:
        raise DecodeError("it has arrays that stand nowhere")
    return value


def _error(error: Any) -> StudentError | None:
    if error is None:
        return None
    line = error.get("line")
    source_line = error.get("source_line")
    block = error.get("block")
    return StudentError(
        type=_sentence(error["type"], _LABEL),
        message=_sentence(error["message"], _SENTENCE),
        block=None if block is None else _sentence(block, _LABEL),
        line=line if type(line) is int and 0 < line < _MAX_LINE else None,
        source_line=None if source_line is None else _sentence(source_line, _SENTENCE),
    )


def _text(text: Any, limit: int) -> str:
    if type(text) is not str:
        raise DecodeError("a text is not a text")
    # Lone surrogates and NUL would break files, pages and databases further on.
    return text[:limit].encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _sentence(text: Any, limit: int) -> str:
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", _text(text, limit))


def _chosen(names: Any, arguments: Collection[str]) -> tuple[str, ...]:
    """The arguments that are named, in their order."""
    if type(names) is not list or len(names) > len(arguments) or not all(name in arguments for name in names):
        raise DecodeError("an input that was changed is none")
    return tuple(name for name in arguments if name in names)


def _parsed(text: bytes | str) -> Any:
    """JSON as the guest writes it: ASCII, no number but integers of 64 bits, no key twice.

    Raises:
        Exception: anything else, and JSON that is nested so deep that it cannot be read.
    """
    if not text.isascii():
        raise DecodeError("its text is not ASCII")
    return _JSON.decode(text if isinstance(text, str) else text.decode("ascii"))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) < len(pairs):
        raise DecodeError("a key stands there twice")
    return unique


def _integer(digits: str) -> int:
    # Before it is parsed: the time that takes grows with the square of the length. To other readers -0 is a fraction.
    if len(digits) > 20 or digits == "-0":
        raise DecodeError("a number is too long or has no plain form")
    return int(digits)


def _no_number(text: str) -> None:
    raise DecodeError("a number is not an integer")


_JSON = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_no_number, parse_constant=_no_number
)
