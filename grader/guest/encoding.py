"""Plain numbers to bytes and back: what crosses between the grader and a student's process.

The bytes are in the safetensors format: 8 bytes with the length of the header (little-endian), the header in
JSON, the raw arrays. Everything that is not an array is JSON text in the header's metadata. Never pickle.

The names that `encode_value` needs are bound here before any student code runs, and it only asks for exact types:
so neither a patched numpy nor a class that claims to be an array gets a word in.
"""

from __future__ import annotations

import json
import math
import struct
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.generic]

DTYPES = {
    "BOOL": "|b1",
    "U8": "|u1",
    "I8": "|i1",
    "U16": "<u2",
    "I16": "<i2",
    "U32": "<u4",
    "I32": "<i4",
    "U64": "<u8",
    "I64": "<i8",
    "F16": "<f2",
    "F32": "<f4",
    "F64": "<f8",
}
"""Name in the safetensors format -> numpy's name. Nothing else crosses."""

MAX_DEPTH = 4
"""Tuples and lists inside each other."""
MAX_PARTS = 100_000
"""Arrays, numbers, tuples and lists in one result."""
TOGETHER = 4
"""All results of a run together may cost this many times what a single one may."""
_NUMBER = 8
_PART = 128
"""Bytes that a number, and a part of a tuple, cost whatever their types."""

_LENGTH = struct.Struct("<Q")
_NAMES = {(np.dtype(code).kind, np.dtype(code).itemsize): name for name, code in DTYPES.items()}
_SCALARS = frozenset(np.sctypeDict.values())
_ndarray, _float64 = np.ndarray, np.dtype(np.float64)
_array, _stack, _dtype, _frombuffer = np.array, np.stack, np.dtype, np.frombuffer
_tobytes, _astype, _reshape = np.ndarray.tobytes, np.ndarray.astype, np.ndarray.reshape
_dumps, _loads = json.dumps, json.loads


class RefusedError(Exception):
    """A value that does not cross. Its text is a sentence for the student."""


def pack(arrays: Sequence[Array], metadata: Mapping[str, Any]) -> bytes:
    """Arrays (named by their position) and JSON as one safetensors file.

    Raises:
        KeyError: a dtype that is not in `DTYPES`.
    """
    header: dict[str, Any] = {"__metadata__": {"json": _dumps(metadata)}}
    bodies: list[bytes] = []
    end = 0
    for position, array in enumerate(arrays):
        start, end = end, end + array.nbytes
        dtype = array.dtype.newbyteorder("<")
        name = _NAMES[dtype.kind, dtype.itemsize]
        header[str(position)] = {"dtype": name, "shape": array.shape, "data_offsets": (start, end)}
        bodies.append(_tobytes(array if dtype == array.dtype else _astype(array, dtype)))
    text = _dumps(header).encode()
    # The format wants the arrays aligned to 8 bytes.
    text += b" " * (-len(text) % 8)
    return b"".join([_LENGTH.pack(len(text)), text, *bodies])


def unpack(blob: bytes) -> tuple[list[Array], dict[str, Any]]:
    """The reverse of `pack`, for bytes that come from the grader. The arrays own their memory."""
    (length,) = _LENGTH.unpack_from(blob)
    body = _LENGTH.size + length
    header = _loads(blob[_LENGTH.size : body])
    metadata = _loads(header.pop("__metadata__")["json"])
    arrays: list[Array] = []
    for position in range(len(header)):
        entry = header[str(position)]
        start, end = entry["data_offsets"]
        flat = _frombuffer(blob[body + start : body + end], _dtype(DTYPES[entry["dtype"]]))
        arrays.append(_array(_reshape(flat, entry["shape"])))
    return arrays, metadata


_KINDS = {kind.encode(): kind for kind in "bifu"}
_CODES = {kind: code for code, kind in _KINDS.items()}
_SHAPES = [struct.Struct(f"<B{axes}Q") for axes in range(33)]
"""Number of axes and shape, by the number of axes."""


def pack_point(array: Array) -> bytes:
    """One float64 array: number of axes (1 byte), shape (8 bytes an axis), raw numbers."""
    shape = array.shape
    return _SHAPES[len(shape)].pack(len(shape), *shape) + _tobytes(array)


def unpack_point(data: bytes) -> NDArray[np.float64]:
    """The reverse of `pack_point`.

    Raises:
        ValueError: malformed.
    """
    array, end = _point(data, 0)
    if end != len(data):
        raise ValueError("the length does not fit the shape")
    return array


def pack_arguments(arguments: Sequence[Array]) -> bytes:
    """The arguments of an oracle: for each the kind of its numbers (numpy's `dtype.kind`, 1 byte) and it as a point."""
    return b"".join([_CODES[argument.dtype.kind] + pack_point(_astype(argument, _float64)) for argument in arguments])


def unpack_arguments(data: bytes, count: int) -> list[tuple[str, NDArray[np.float64]]]:
    """The reverse of `pack_arguments`, for bytes that may come from a student: a kind and an array for each.

    Raises:
        ValueError: malformed, or not `count` arguments.
    """
    arguments = []
    end = 0
    for _ in range(count):
        kind = data[end : end + 1]
        if kind not in _KINDS:
            raise ValueError("not a kind of numbers")
        array, end = _point(data, end + 1)
        arguments.append((_KINDS[kind], array))
    if end != len(data):
        raise ValueError("the length does not fit the number of arguments")
    return arguments


def _point(data: bytes, start: int) -> tuple[NDArray[np.float64], int]:
    """The array that begins at `start`, and where it ends.

    Raises:
        ValueError: malformed.
    """
    try:
        _, *shape = _SHAPES[data[start]].unpack_from(data, start)
        begin = start + 1 + 8 * len(shape)
        size = math.prod(shape)
        if len(data) < begin + 8 * size:
            raise ValueError("the length does not fit the shape")
        array = _array(_frombuffer(data[begin : begin + 8 * size], _float64))
        return _reshape(array, shape), begin + 8 * size
    except (struct.error, IndexError, OverflowError):
        raise ValueError("truncated") from None


def type_name(value: Any) -> str:
    """The type of a value in words for a student: "float", "numpy.ndarray", "list of 5 numpy.ndarray"."""
    kind = type(value)
    if value is None:
        return "None"
    if kind is list or kind is tuple:
        inner = [_type(part) for part in value[:MAX_PARTS]]
        if not inner:
            return f"empty {kind.__name__}"
        if all(name == inner[0] for name in inner):
            return f"{kind.__name__} of {len(value)} {inner[0]}"
        if len(inner) <= 5:
            return f"{kind.__name__} of {', '.join(inner)}"
        return f"{kind.__name__} of {len(value)} parts of several types"
    return _type(value)


def _type(value: Any) -> str:
    kind = type(value)
    module = str(kind.__module__)
    name = str(kind.__qualname__)[:80]
    return name if module in ("builtins", "__main__") else f"{module.split('.')[0][:40]}.{name}"


def encode_value(value: Any, limit: int, left: int | None = None) -> tuple[list[Array], Any]:
    """A returned value as plain arrays and the tree that says how they hang together.

    In the tree a number is the position of an array, a list is a tuple of values, null is None.

    Args:
        value: what the student's function returned.
        limit: largest `weight` of a result.
        left: what the earlier results of the run have left of the weight of all together; None where nobody counts.

    Raises:
        RefusedError: not made of plain numbers, or too large.
    """
    return _Encoder(limit, left).encode(value)


def weight(value: Any) -> int:
    """Bytes that a value of arrays, tuples and None costs who judges and keeps it.

    Each number counts as float64 (or more, if it is wider), which is what the judge makes of it.
    """
    if value is None:
        return 0
    if type(value) is tuple:
        return sum([_PART + weight(part) for part in value])
    return max(_NUMBER, int(value.itemsize)) * int(value.size)


class _Encoder:
    def __init__(self, limit: int, left: int | None) -> None:
        self._limit = limit
        self._left = left
        self._room = limit
        self._parts = MAX_PARTS
        self._arrays: list[Array] = []

    def encode(self, value: Any) -> tuple[list[Array], Any]:
        plain = self._plain(value, MAX_DEPTH)
        cost = weight(plain)
        if cost > self._limit:
            raise self._too_large()
        if self._left is not None and cost > self._left:
            together = TOGETHER * self._limit >> 20
            raise RefusedError(
                f"This result and those of the calls before it together take more than {together} MB."
                " Return only what the question asks for, here and in the other functions."
            )
        return self._arrays, self._tree(plain)

    def _too_large(self) -> RefusedError:
        return RefusedError(
            f"The result takes more than {self._limit >> 20} MB (8 bytes for each number)."
            " Return only what the question asks for."
        )

    def _plain(self, value: Any, depth: int) -> Any:
        """The value as None, an exact array, or a tuple of such; lists of equal parts become one array."""
        self._parts -= 1
        if self._parts < 0:
            raise RefusedError(
                f"The result has more than {MAX_PARTS:,} parts. Return a numpy.ndarray, not nested lists of numbers."
            )
        kind = type(value)
        if value is None:
            return None
        if kind is list or kind is tuple:
            if depth == 0:
                raise RefusedError(
                    f"The result has lists or tuples nested more than {MAX_DEPTH} deep. Return a numpy.ndarray."
                )
            parts = tuple([self._plain(part, depth - 1) for part in value])
            return _stacked(parts) if kind is list else parts
        return self._fitting(_number_or_array(value))

    def _fitting(self, array: Array) -> Array:
        self._room -= max(_NUMBER, array.itemsize) * array.size
        if self._room < 0:
            raise self._too_large()
        # A private copy: the same array returned twice, or changed by a thread, stays one value.
        return _array(array, order="C")

    def _tree(self, plain: Any) -> Any:
        if plain is None:
            return None
        if type(plain) is tuple:
            return [self._tree(part) for part in plain]
        self._arrays.append(plain)
        return len(self._arrays) - 1


def _stacked(parts: tuple[Any, ...]) -> Any:
    """One array where all parts are arrays of one shape; else the parts as they are."""
    if not parts:
        return _array([], dtype=_float64)
    if all(type(part) is _ndarray and part.shape == parts[0].shape for part in parts):
        return _stack(parts)
    return parts


def _number_or_array(value: Any) -> Array:
    kind = type(value)
    if kind is bool or kind is float:
        return _array(value)
    if kind is int:
        if not -(2**63) <= value < 2**64:
            raise RefusedError("The result is an integer that does not fit into 64 bits. Return a float.")
        return _array(value)
    torch = sys.modules.get("torch")
    if torch is not None and kind in (torch.Tensor, torch.nn.Parameter):
        value = _from_torch(value, torch)
        kind = type(value)
    if kind is _ndarray or kind in _SCALARS:
        array: Array = _array(value, copy=None)
        if (array.dtype.kind, array.dtype.itemsize) not in _NAMES:
            raise RefusedError(_wrong_dtype(array.dtype))
        return array if array.dtype.isnative else _astype(array, array.dtype.newbyteorder("="))
    if issubclass(kind, _ndarray):
        raise RefusedError(
            f"The result is a {_type(value)}, a subclass of numpy.ndarray. "
            "Return a plain numpy.ndarray: numpy.array(result)."
        )
    raise RefusedError(
        f"The result is of type {_type(value)}. Return numbers: a numpy.ndarray, a float or a tuple of these."
    )


def _wrong_dtype(dtype: np.dtype[Any]) -> str:
    if dtype.kind == "O":
        return (
            "The result is an array of Python objects (dtype object), often made of rows of different lengths. "
            "Return an array of numbers."
        )
    if dtype.kind == "c":
        return f"The result is an array of complex numbers ({dtype.name}). Return real numbers."
    return f"The result is an array of dtype {str(dtype)[:80]}. Return numbers, for example of dtype float64."


def _from_torch(tensor: Any, torch: Any) -> object:
    try:
        plain = tensor.detach().cpu()
        # Numpy has no bfloat16; float32 holds each of its numbers exactly.
        return plain.float().numpy() if plain.dtype is torch.bfloat16 else plain.resolve_conj().resolve_neg().numpy()
    except (TypeError, RuntimeError, ValueError) as error:
        raise RefusedError(f"The result is a tensor that numpy cannot hold: {str(error)[:200]}") from error
