"""Whatever bytes come out of a student's process: a recording, or `DecodeError`, and nothing else."""

from __future__ import annotations

import contextlib
import json
import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from grader.guest.encoding import DTYPES, encode_value, pack, pack_point, unpack, unpack_point
from grader.guest.frames import HEADER, Kind
from grader.sandbox.decoding import DecodeError, decode_ending, decode_report, decode_result
from grader.sandbox.recording import Outcome, Recording

LIMIT = 1 << 16
OUTPUT = 1 << 10


def decode(blob: bytes) -> Recording:
    return decode_result(blob, "experiment", ("A", "b"), LIMIT, OUTPUT)


def result(value: Any, **more: Any) -> bytes:
    plain, tree = encode_value(value, LIMIT)
    return pack(plain, {"outcome": "returned", "tree": tree, **more})


def same(one: Any, other: Any) -> bool:
    if isinstance(one, tuple):
        return isinstance(other, tuple) and len(one) == len(other) and all(map(same, one, other))
    if one is None:
        return other is None
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


leaves = st.none() | arrays.arrays(
    st.sampled_from([np.dtype(code) for code in DTYPES.values()]),
    arrays.array_shapes(min_dims=0, max_dims=3, max_side=4),
)
values = st.recursive(leaves, lambda inner: st.tuples(inner) | st.tuples(inner, inner), max_leaves=4).filter(
    lambda value: depth(value) <= 4
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def depth(value: Any) -> int:
    return 1 + max(map(depth, value), default=0) if isinstance(value, tuple) else 0


@given(values)
@settings(max_examples=150, deadline=None)
def test_plain_values_come_through_bit_by_bit(value: Any) -> None:
    assert same(value, decode(result(value)).value)


@given(arrays.arrays(np.float64, arrays.array_shapes(min_dims=0, max_dims=4, max_side=4)))
@settings(max_examples=60, deadline=None)
def test_points_come_through_bit_by_bit(point: np.ndarray) -> None:
    assert same(point, unpack_point(pack_point(point)))


@given(st.lists(leaves.filter(lambda leaf: leaf is not None), max_size=4), json_values)
@settings(max_examples=60, deadline=None)
def test_arguments_come_through_bit_by_bit(given_arrays: list[Any], metadata: Any) -> None:
    received, told = unpack(pack(given_arrays, {"m": metadata}))
    assert all(map(same, given_arrays, received))
    assert json.dumps(told["m"]) == json.dumps(metadata)
    assert all(array.flags.writeable and array.flags.owndata for array in received if array.ndim)


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_arbitrary_bytes_are_a_decode_error(blob: bytes) -> None:
    for decoder in (decode, decode_ending, lambda data: decode_report(data, "cell 1", OUTPUT)):
        with pytest.raises(DecodeError):
            decoder(blob)
    with contextlib.suppress(ValueError):
        unpack_point(blob)


@given(
    st.data(),
    values,
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from(["flip", "cut", "insert", "repeat"]), st.binary(max_size=9))),
)
@settings(max_examples=300, deadline=None)
def test_damaged_results_are_read_or_a_decode_error(
    data: st.DataObject, value: Any, damages: list[tuple[float, str, bytes]]
) -> None:
    blob = bytearray(result(value, printed="text", changed_inputs=["A"], error=None))
    for where, damage, content in damages:
        place = int(where * len(blob))
        if damage == "flip" and place < len(blob):
            blob[place] ^= 1 << data.draw(st.integers(0, 7))
        elif damage == "cut":
            del blob[place : place + len(content)]
        elif damage == "insert":
            blob[place:place] = content
        elif damage == "repeat":
            blob[place:place] = blob[max(0, place - 8) : place]
    try:
        recording = decode(bytes(blob))
    except DecodeError:
        return
    check(recording)


@given(json_values, json_values, json_values, json_values, json_values)
@settings(max_examples=300, deadline=None)
def test_any_report_is_read_or_a_decode_error(tree: Any, outcome: Any, text: Any, changed: Any, error: Any) -> None:
    outcome = outcome if isinstance(outcome, str) and len(outcome) % 2 else "returned"
    report = {
        "tree": tree,
        "outcome": outcome,
        "printed": text,
        "changed_inputs": changed,
        "error": error,
        "reason": text,
    }
    with contextlib.suppress(DecodeError):
        check(decode(pack([np.ones(2), np.array(1)], report)))
    with contextlib.suppress(DecodeError):
        decode_report(json.dumps({"error": error, "printed": text, "remark": ""}).encode(), "cell 1", OUTPUT)
    try:
        ending = decode_ending(json.dumps({"exit": tree, "signal": text, "cpu": error, "late": changed}).encode())
        assert math.isfinite(ending.cpu)
    except DecodeError:
        pass


def check(recording: Recording) -> None:
    """A recording that later stages can rely on."""
    assert recording.outcome not in (Outcome.UNAVAILABLE, Outcome.DIED)
    assert set(recording.changed_inputs) <= {"A", "b"}
    assert len(recording.printed) <= OUTPUT + 200
    for text in (recording.printed, recording.reason, recording.returned_type):
        assert "\0" not in text.encode("utf-8").decode()


def tensor(dtype: str, shape: list[int], content: bytes, tree: Any = 0) -> bytes:
    header = {
        "__metadata__": {"json": json.dumps({"outcome": "returned", "tree": tree})},
        "0": {"dtype": dtype, "shape": shape, "data_offsets": [0, len(content)]},
    }
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content


def test_a_hand_made_result_is_read() -> None:
    assert same(np.array([1.0, 2.0]), decode(tensor("F64", [2], np.array([1.0, 2.0]).tobytes())).value)


FORGED = {
    "dtype that is not allowed": tensor("BF16", [1], bytes(2)),
    "unknown dtype": tensor("F65", [1], bytes(8)),
    "shape larger than the data": tensor("F64", [3], bytes(16)),
    "overflow of the shape": tensor("F64", [2**62, 4], bytes(16)),
    "empty, but huge": tensor("F64", [0, 2**63, 2**63], b""),
    "negative axis": tensor("F64", [-1], bytes(8)),
    "too many axes": tensor("F64", [1] * 64, bytes(8)),
    "a truth value of 2": tensor("BOOL", [1], b"\2"),
    "position that does not exist": tensor("F64", [1], bytes(8), tree=1),
    "negative position": tensor("F64", [1], bytes(8), tree=-1),
    "true as a position": tensor("F64", [1], bytes(8), tree=True),
    "too deep": tensor("F64", [1], bytes(8), tree=[[[[[[0]]]]]]),
    "far too deep": struct.pack("<Q", 100_000) + b"[" * 100_000,
    "bomb": tensor("F64", [1], bytes(8), tree=[[0] * 1000] * 1000),
    "a header longer than all": struct.pack("<Q", 2**63) + b"{}",
    "nothing": b"",
    "more than the limit": tensor("F64", [LIMIT // 8 + 1], bytes(LIMIT + 8)),
    "a fault of ours": pack([], {"outcome": "unavailable", "tree": None}),
    "no outcome": pack([], {"tree": None}),
    "numbers as text": pack([], {"outcome": "raised", "tree": None, "printed": 5}),
}


@pytest.mark.parametrize("blob", FORGED.values(), ids=FORGED.keys())
def test_forged_results_are_a_decode_error(blob: bytes) -> None:
    with pytest.raises(DecodeError):
        decode(blob)


def test_the_guest_sends_what_the_format_library_reads() -> None:
    safetensors = pytest.importorskip("safetensors.numpy")
    loaded = safetensors.load(pack([np.arange(6.0).reshape(2, 3), np.array(True)], {"a": 1}))
    assert same(loaded["0"], np.arange(6.0).reshape(2, 3))
    assert same(loaded["1"], np.array(True))


def test_a_header_has_five_bytes() -> None:
    assert HEADER.pack(Kind.RESULT, 258) == b"\x14\x02\x01\x00\x00"
