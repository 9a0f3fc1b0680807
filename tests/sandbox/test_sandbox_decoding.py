"""Whatever bytes come out of a student's process: a recording, or `DecodeError`, and nothing else."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from grader.guest.encoding import DTYPES, MAX_PARTS, encode_value, pack, pack_point, unpack, unpack_point, weight
from grader.guest.frames import HEADER, Kind
from grader.sandbox.archive import ArchiveError, archived, restored
from grader.sandbox.decoding import DecodeError, Ending, decode_ending, decode_report, decode_result, result_cap
from grader.sandbox.link import BreachError, LateError, Link, Watch
from grader.sandbox.recording import BlockReport, Outcome, Recording, Run, StudentError

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
    with contextlib.suppress(DecodeError):
        decode_ending(json.dumps({"exit": tree, "signal": text, "cpu": error, "late": changed}).encode())


def check(recording: Recording) -> None:
    """A recording that later stages can rely on."""
    assert recording.outcome not in (Outcome.UNAVAILABLE, Outcome.DIED)
    assert set(recording.changed_inputs) <= {"A", "b"}
    assert len(recording.printed) <= OUTPUT + 200
    for text in (recording.printed, recording.reason, recording.returned_type):
        assert "\0" not in text.encode("utf-8").decode()


RETURNED = '{"outcome": "returned", "tree": 0}'


def entry(dtype: str, shape: list[int], start: int, end: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def forged(arrays: dict[str, Any], report: str = RETURNED, content: bytes = bytes(8)) -> bytes:
    return framed(json.dumps({"__metadata__": {"json": report}, **arrays}).encode(), content)


def framed(text: bytes, content: bytes = bytes(8)) -> bytes:
    return struct.pack("<Q", len(text)) + text + content


def tensor(dtype: str, shape: list[int], content: bytes, tree: Any = 0) -> bytes:
    report = json.dumps({"outcome": "returned", "tree": tree})
    return forged({"0": entry(dtype, shape, 0, len(content))}, report, content)


ONE = {"0": entry("F64", [], 0, 8)}
TWO = {"0": entry("F64", [], 0, 8), "1": entry("F64", [], 8, 16)}
PLAIN = json.dumps({"__metadata__": {"json": RETURNED}, **ONE})


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
    "one array in two places": tensor("F64", [1], bytes(8), tree=[0, 0]),
    "an array that stands nowhere": forged(TWO, content=bytes(16)),
    "arrays in another order": forged(TWO, '{"outcome": "returned", "tree": [1, 0]}', bytes(16)),
    "a gap between arrays": forged({**ONE, "1": entry("F64", [], 16, 24)}, content=bytes(24)),
    "arrays that overlap": forged({**ONE, "1": entry("F64", [], 0, 8)}, '{"outcome": "returned", "tree": [0, 1]}'),
    "bytes left over": forged(ONE, content=bytes(9)),
    "a name that is no position": forged({"x": entry("F64", [], 0, 8)}),
    "more about an array than there is": forged({"0": {**entry("F64", [], 0, 8), "order": "F"}}),
    "a shape of truth values": forged({"0": {"dtype": "F64", "shape": [True], "data_offsets": [0, 8]}}),
    "a shape of a million numbers": tensor("F64", [2**62] * 100_000, bytes(8)),
    "empty, but larger than any memory": tensor("BOOL", [0, 2**41], b""),
    "a key twice": forged(ONE, '{"outcome": "missing", "outcome": "returned", "tree": 0}'),
    "an array twice": framed(PLAIN.replace("{", '{"0": {}, ', 1).encode()),
    "NaN in the report": forged(ONE, '{"outcome": "returned", "tree": 0, "more": NaN}'),
    "a fraction": forged(ONE, '{"outcome": "returned", "tree": 0.0}'),
    "minus zero": framed(PLAIN.replace("[0, 8]", "[-0, 8]").encode()),
    "a fraction where nobody looks": forged(ONE, RETURNED[:-1] + ', "more": 1.5}'),
    "an endless exponent": forged(ONE, '{"outcome": "returned", "tree": 1e999999999}'),
    "an endless integer": forged(ONE, '{"outcome": "returned", "tree": ' + "9" * 100_000 + "}"),
    "a long integer where nobody looks": forged(ONE, RETURNED[:-1] + ', "more": ' + "9" * 1000 + "}"),
    "a byte order mark": framed(b"\xef\xbb\xbf" + PLAIN.encode()),
    "UTF-16": framed(PLAIN.encode("utf-16")),
    "bytes that are no UTF-8": framed(PLAIN.replace("F64", "F\ud864").encode("utf-8", "surrogatepass")),
    "text that is not escaped": forged(ONE, '{"outcome": "returned", "tree": 0, "printed": "é"}'),
    "deep where nobody looks": forged(ONE, RETURNED[:-1] + ', "more": ' + "[" * 100_000 + "]" * 100_000 + "}"),
    "a value of a call that raised": forged(
        ONE, '{"outcome": "raised", "tree": 0, "error": {"type": "E", "message": ""}}'
    ),
    "an exception without a name": pack([], {"outcome": "raised", "tree": None}),
    "refused without a reason": pack([], {"outcome": "refused", "tree": None}),
    "a changed input that is none": pack([], {"outcome": "returned", "tree": None, "changed_inputs": ["c"]}),
}


@pytest.mark.parametrize("blob", FORGED.values(), ids=FORGED.keys())
def test_forged_results_are_a_decode_error(blob: bytes) -> None:
    with pytest.raises(DecodeError):
        decode(blob)


def test_the_reason_of_a_refusal_is_a_sentence() -> None:
    with pytest.raises(DecodeError, match="an array is not where the one before it ends"):
        decode(FORGED["a gap between arrays"])


def test_a_header_beyond_its_cap_is_not_parsed() -> None:
    header = b"[" * (result_cap(LIMIT, OUTPUT) - LIMIT)
    with pytest.raises(DecodeError, match="header is longer"):
        decode(framed(header, b""))


def test_the_largest_honest_header_is_read() -> None:
    parts = tuple(np.float64(number) for number in range(MAX_PARTS - 1))
    limit = weight(parts)
    plain, tree = encode_value(parts, limit)
    blob = pack(plain, {"outcome": "returned", "tree": tree, "returned_type": "tuple"})
    value = decode_result(blob, "experiment", (), limit, OUTPUT).value
    assert value is not None
    assert len(value) == MAX_PARTS - 1


def test_texts_are_cut_and_fit_to_be_stored_and_shown() -> None:
    hostile = "\x1b]0;title\x07\r\0\ud800\x9b" + "x" * 5000
    error = {"type": hostile, "message": hostile, "block": hostile, "line": 10**9, "source_line": hostile}
    recording = decode(pack([], {"outcome": "raised", "tree": None, "error": error, "printed": hostile}))
    told = recording.error
    assert told is not None
    assert told.line is None
    assert told.message.startswith("\ufffd]0;title\ufffd\ufffd\ufffd?\ufffdx")
    assert (len(told.type), len(told.message), len(told.block or "")) == (200, 2000, 200)
    # Colours and progress bars are left in what was printed.
    assert recording.printed.startswith("\x1b]0;title\x07\r\ufffd?")


@pytest.mark.parametrize("name", ["F16", "F32", "F64"])
def test_every_kind_of_number_survives_bit_by_bit(name: str) -> None:
    dtype = np.dtype(DTYPES[name])
    whole = np.dtype(f"<u{dtype.itemsize}")
    small, infinite = np.finfo(dtype).smallest_subnormal, np.inf
    special = np.array([np.nan, infinite, -infinite, -0.0, 0.0, small, -small], dtype)
    signals = (np.array([infinite], dtype).view(whole) + np.array([1], whole)).view(dtype)
    assert same(np.concatenate([special, signals]), decode(result(np.concatenate([special, signals]))).value)


def test_arrays_are_aligned_writable_and_alone() -> None:
    content = np.arange(3.0).tobytes()
    text = json.dumps({"__metadata__": {"json": RETURNED}, "0": entry("F64", [3], 0, 24)}).encode()
    text += b" " * (5 - len(text) % 8)
    value = decode(framed(text, content)).value
    assert isinstance(value, np.ndarray)
    assert same(np.arange(3.0), value)
    assert value.flags.aligned
    assert value.flags.writeable
    assert value.base is None or value.base.base is None


ENDS = ["exit 0", '{"exit": 0, "signal": 9}', '{"exit": null, "signal": null}', '{"exit": null, "signal": 0}']
ENDS += ['{"exit": null, "signal": 200}', '{"exit": true, "signal": null}', '{"exit": 256, "signal": null}', "[]", "9"]


@pytest.mark.parametrize("told", ENDS)
def test_an_end_is_an_exit_code_or_a_signal(told: str) -> None:
    with pytest.raises(DecodeError):
        decode_ending(told.encode())


def test_each_exit_code_and_signal_is_read() -> None:
    assert decode_ending(b'{"exit": 255, "signal": null}') == Ending(exit=255)
    assert decode_ending(b'{"exit": null, "signal": 9}') == Ending(signal=9)


def test_the_guest_sends_what_the_format_library_reads() -> None:
    safetensors = pytest.importorskip("safetensors.numpy")
    loaded = safetensors.load(pack([np.arange(6.0).reshape(2, 3), np.array(True)], {"a": 1}))
    assert same(loaded["0"], np.arange(6.0).reshape(2, 3))
    assert same(loaded["1"], np.array(True))


@pytest.fixture
def wire() -> Iterator[tuple[Link, socket.socket]]:
    """A link that takes short frames, and the other end of its socket."""
    ours, theirs = socket.socketpair()
    link = Link(ours, {Kind.NEXT: 0, Kind.RESULT: 1000})
    with theirs:
        yield link, theirs
    link.close()


def test_frames_come_whole_however_they_are_cut(wire: tuple[Link, socket.socket]) -> None:
    link, theirs = wire
    for byte in HEADER.pack(Kind.RESULT, 3) + b"abc" + HEADER.pack(Kind.NEXT, 0):
        assert link.frame() is None
        theirs.sendall(bytes([byte]))
        assert link.fill()
        if link._buffer.endswith(b"abc"):
            assert link.frame() == (Kind.RESULT, b"abc")
    assert link.frame() == (Kind.NEXT, b"")
    assert link.is_silent


@pytest.mark.parametrize("header", [(Kind.RESULT, 1001), (Kind.NEXT, 1), (Kind.ENDED, 0), (0, 0), (255, 2**32 - 1)])
def test_a_frame_that_may_not_come_is_a_breach(wire: tuple[Link, socket.socket], header: tuple[int, int]) -> None:
    link, theirs = wire
    theirs.sendall(HEADER.pack(*header))
    link.fill()
    with pytest.raises(BreachError):
        link.frame()


def test_a_flood_is_not_taken_in(wire: tuple[Link, socket.socket]) -> None:
    link, theirs = wire
    theirs.setblocking(False)
    frame = HEADER.pack(Kind.RESULT, 1000) + bytes(1000)
    for _ in range(100):
        with contextlib.suppress(BlockingIOError):
            theirs.sendall(frame)
        while link.fill():
            pass
    assert len(link._buffer) < (1 << 18) + 2000
    assert link.frame() == (Kind.RESULT, bytes(1000))


def test_who_never_stops_sending_is_late_all_the_same(wire: tuple[Link, socket.socket]) -> None:
    link, theirs = wire
    theirs.sendall(HEADER.pack(Kind.NEXT, 0))
    with pytest.raises(LateError):
        Watch(link).wait(time.monotonic() - 1)
    assert link.fill()


def test_an_archived_run_comes_back() -> None:
    error = StudentError("ValueError", "no", "cell 1", 3, "raise")
    value = (np.arange(3.0), (np.array(True), None), np.zeros((2, 0), np.int8), ())
    run = Run(
        {
            "one": Recording("one", Outcome.RETURNED, value, "tuple", calls={"g": 2}, changed_inputs=("A",)),
            "two": Recording("two", Outcome.RAISED, printed="text", error=error),
            "three": Recording("three", Outcome.RETURNED, np.array(2.0)),
        },
        (BlockReport("cell 1", error, "text", "remark"),),
        1.5,
    )
    again = restored(archived(run))
    assert again.blocks == run.blocks
    assert again.cpu_seconds == run.cpu_seconds
    for key, recording in run.recordings.items():
        assert same(recording.value, again.recordings[key].value)
        assert replace(recording, value=None) == replace(again.recordings[key], value=None)
    assert archived(again) == archived(run)


NOT_ARCHIVES = {
    "nothing": b"",
    "a result": pack([np.ones(2)], {"outcome": "returned", "tree": 0}),
    "a list": pack([], {"recordings": [], "blocks": [], "cpu_seconds": 0.0}),
    "an array that is not there": pack([], {"recordings": {}, "blocks": [], "cpu_seconds": 0.0})[:-1],
    "an array too many": pack([np.ones(1)], {"recordings": {}, "blocks": [], "cpu_seconds": 0.0}),
    "a label that is a number": pack([], {"recordings": {}, "blocks": [{"label": 5}], "cpu_seconds": 0.0}),
    "endless time": pack([], {"recordings": {}, "blocks": [], "cpu_seconds": float("inf")}),
    "far too deep": framed(b"[" * 100_000, b""),
    "deep inside": forged({}, '{"recordings": ' + "[" * 100_000 + "]" * 100_000 + "}", b""),
}


@pytest.mark.parametrize("content", NOT_ARCHIVES.values(), ids=NOT_ARCHIVES.keys())
def test_what_is_no_archive_is_an_archive_error(content: bytes) -> None:
    with pytest.raises(ArchiveError):
        restored(content)


def test_a_header_has_five_bytes() -> None:
    assert HEADER.pack(Kind.RESULT, 258) == b"\x14\x02\x01\x00\x00"
