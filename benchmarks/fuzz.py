"""Random messages for everything that decodes bytes of a student's process.

Each input is a valid message, or one that was damaged: tokens of its JSON replaced, repeated or dropped, lengths and
offsets changed, bytes flipped, cut and inserted. What must hold for each is `PROPERTIES`: the decoder gives something
that later stages can rely on, or raises its one exception. Anything else is a crash.

Usage: python benchmarks/fuzz.py [--inputs N] [--seed S] [--corpus FOLDER]

With a folder, the smallest input is kept there for each way that the decoders were gone through.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import socket
import struct
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import deserialize

from grader.guest.encoding import (
    DTYPES,
    MAX_DEPTH,
    encode_value,
    pack,
    pack_arguments,
    pack_point,
    unpack_arguments,
    unpack_point,
)
from grader.guest.frames import HEADER, Kind
from grader.sandbox.archive import ArchiveError, archived, restored
from grader.sandbox.decoding import DecodeError, Ending, decode_ending, decode_report, decode_result
from grader.sandbox.link import BreachError, Link
from grader.sandbox.recording import BlockReport, Outcome, Recording, Run, StudentError, Value

ARGUMENTS = ("A", "b")
LIMIT = 1 << 16
"""Bytes of the value."""
OUTPUT = 1 << 10
"""Bytes of the printed text."""
CAPS = {Kind.NEXT: 0, Kind.ORACLE: 200, Kind.RESULT: 1000}
SIGNALS = range(1, 65)
CLAIMS = ("returned", "missing", "raised", "timed_out", "out_of_memory", "refused")
MOST = 200
"""Files of a corpus."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+|true|false|null|.')
_NUMBER = re.compile(r"\d+")
_CONTROL = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f]")
_LENGTH = struct.Struct("<Q")


def same(one: Value, other: Value) -> bool:
    """Whether two values are equal bit by bit."""
    if isinstance(one, tuple):
        return isinstance(other, tuple) and len(one) == len(other) and all(map(same, one, other))
    if one is None or other is None or isinstance(other, tuple):
        return one is other
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def leaves(value: Value) -> list[np.ndarray]:
    """The arrays of a value, each as often as it stands there."""
    if isinstance(value, tuple):
        return [leaf for part in value for leaf in leaves(part)]
    return [] if value is None else [value]


def depth(value: Value) -> int:
    """Tuples inside each other."""
    return 1 + max(map(depth, value), default=0) if isinstance(value, tuple) else 0


def sound_text(text: str, limit: int, sentence: bool = True) -> None:
    """Assert that a text can be stored, printed and shown."""
    assert type(text) is str
    assert len(text) <= limit
    assert "\0" not in text.encode("utf-8").decode()
    assert not sentence or not _CONTROL.search(text)


def sound_error(error: StudentError | None) -> None:
    """Assert that an error can be told."""
    if error is not None:
        sound_text(error.type, 200)
        sound_text(error.message, 2000)
        sound_text(error.block or "", 200)
        sound_text(error.source_line or "", 2000)
        assert error.line is None or type(error.line) is int


def sound(recording: Recording) -> None:
    """Assert that later stages can rely on a recording, however it came about."""
    assert recording.outcome.value in CLAIMS
    assert set(recording.changed_inputs) <= set(ARGUMENTS)
    sound_text(recording.printed, OUTPUT + 200, sentence=False)
    sound_text(recording.reason, 2000)
    sound_text(recording.returned_type, 200)
    sound_error(recording.error)
    assert recording.error is not None or recording.outcome is not Outcome.RAISED
    assert recording.value is None or recording.outcome is Outcome.RETURNED
    assert depth(recording.value) <= MAX_DEPTH
    parts = leaves(recording.value)
    assert sum(part.nbytes for part in parts) <= LIMIT
    for part in parts:
        assert type(part) is np.ndarray
        assert part.dtype.isnative
        assert part.flags.c_contiguous
        assert part.flags.aligned
        assert part.flags.writeable
        assert part.dtype != bool or part.tobytes().translate(None, b"\0\1") == b""
        with np.errstate(all="ignore"):  # of a NaN that signals
            assert np.asarray(part, dtype=np.float64).shape == part.shape
    json.dumps(asdict(replace(recording, value=None)), ensure_ascii=False).encode("utf-8")


def _result(data: bytes) -> object:
    recording = decode_result(data, "experiment", ARGUMENTS, LIMIT, OUTPUT)
    sound(recording)
    # Another reader of the same format sees the same numbers.
    read = dict(deserialize(data))
    for position, part in enumerate(leaves(recording.value)):
        assert read[str(position)]["data"] == part.tobytes()
        assert tuple(read[str(position)]["shape"]) == part.shape
    again = restored(archived(Run({"e": recording})))
    assert same(again.recordings["e"].value, recording.value)
    assert replace(again.recordings["e"], value=None) == replace(recording, value=None)
    kinds = {part.dtype.char for part in leaves(recording.value)}
    return recording.outcome, depth(recording.value), len(kinds), recording.error is None


def _report(data: bytes) -> object:
    report = decode_report(data, "cell 1", OUTPUT)
    sound_error(report.error)
    sound_text(report.printed, OUTPUT + 200, sentence=False)
    sound_text(report.remark, 2000)
    return report.error is None, bool(report.printed), bool(report.remark)


def _ending(data: bytes) -> object:
    ending = decode_ending(data)
    assert ending in [Ending(exit=code) for code in range(256)] or ending in [Ending(signal=n) for n in SIGNALS]
    return ending.exit is None


def _point(data: bytes) -> object:
    point = unpack_point(data)
    assert pack_point(point) == data
    return point.ndim


def _oracle(data: bytes) -> object:
    # The first byte is the number of arguments that the oracle takes.
    count = data[0] % 4 if data else 0
    given = unpack_arguments(data[1:], count)
    assert len(given) == count
    assert b"".join(kind.encode() + pack_point(array) for kind, array in given) == data[1:]
    return [array.ndim for _, array in given]


def _frames(data: bytes) -> object:
    """The bytes through a socket, in pieces whose sizes they name themselves; beside it, a plain reading of them."""
    ours, theirs = socket.socketpair()
    link = Link(ours, CAPS)
    came = []
    breach = None
    try:
        start = 0
        while start < len(data) and breach is None:
            size = 1 + data[start] * 5
            theirs.sendall(data[start : start + size])
            start += size
            link.fill()
            assert len(link._buffer) <= HEADER.size + max(CAPS.values()) + (1 << 18)
            try:
                while frame := link.frame():
                    came.append(frame)
            except BreachError as error:
                breach = error
        theirs.close()
        while link.fill():
            pass
        assert link.closed or breach
    finally:
        theirs.close()
        link.close()
    expected, breached = _plainly(data)
    assert came == expected
    assert (breach is not None) == breached
    if breach is not None:
        raise breach
    return len(came) > 1, sorted({kind for kind, _ in came})


def _plainly(data: bytes) -> tuple[list[tuple[Kind, bytes]], bool]:
    """The frames of a stream, and whether something else follows them."""
    frames = []
    while len(data) >= HEADER.size:
        kind, length = HEADER.unpack_from(data)
        if kind not in list(CAPS) or length > CAPS[Kind(kind)]:
            return frames, True
        if len(data) < HEADER.size + length:
            break
        frames.append((Kind(kind), data[HEADER.size : HEADER.size + length]))
        data = data[HEADER.size + length :]
    return frames, False


def _archive(data: bytes) -> object:
    run = restored(data)
    again = restored(archived(run))
    assert list(again.recordings) == list(run.recordings)
    assert (again.blocks, again.cpu_seconds) == (run.blocks, run.cpu_seconds)
    for key, recording in run.recordings.items():
        assert same(recording.value, again.recordings[key].value)
        assert replace(recording, value=None) == replace(again.recordings[key], value=None)
    return len(run.recordings), len(run.blocks)


PROPERTIES: dict[str, tuple[Callable[[bytes], object], type[Exception]]] = {
    "result": (_result, DecodeError),
    "report": (_report, DecodeError),
    "ending": (_ending, DecodeError),
    "point": (_point, ValueError),
    "oracle": (_oracle, ValueError),
    "frames": (_frames, BreachError),
    "archive": (_archive, ArchiveError),
}
"""Decoder -> what must hold for an input (else it raises anything), and the exception that refuses an input."""


def way(decoder: str, data: bytes) -> tuple[object, ...]:
    """How an input goes through a decoder: what it is decoded to, or the lines that refused it.

    Raises:
        Exception: the property does not hold.
    """
    hold, refusal = PROPERTIES[decoder]
    try:
        return (decoder, "read", repr(hold(data)))
    except refusal as error:
        causes = [error, error.__cause__] if error.__cause__ else [error]
        lines = [
            (frame.lineno, type(cause).__name__)
            for cause in causes
            for frame in traceback.extract_tb(cause.__traceback__)
            if "grader" in frame.filename
        ]
        return (decoder, "refused", str(error)[:40], tuple(dict.fromkeys(lines)))


class Messages:
    """Random messages, the same for the same seed.

    Args:
        seed: of the random numbers.
        pool: messages by decoder, some of which are damaged further; may grow meanwhile.
    """

    def __init__(self, seed: int, pool: dict[str, list[bytes]]) -> None:
        self._random = random.Random(seed)
        self._pool = pool
        self._makers = {
            "result": self._result,
            "report": self._report,
            "ending": self._ending,
            "point": self._point,
            "oracle": lambda: bytes([2]) + pack_arguments([self._array("F64"), self._array("I64")]),
            "frames": self._frames,
            "archive": self._archive,
        }
        self._decoders = random.Random(seed).choices(list(PROPERTIES), [6, 3, 1, 1, 1, 2, 3], k=1009)
        assert list(self._makers) == list(PROPERTIES)

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        while True:
            for decoder in self._decoders:
                known = self._pool.get(decoder)
                if known and self._chance(0.3):
                    data = self._damaged(self._random.choice(known))
                else:
                    data = self._makers[decoder]()
                    if self._chance(0.3):
                        data = self._damaged(data)
                yield decoder, data

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _array(self, name: str = "") -> np.ndarray:
        name = name or self._random.choice(list(DTYPES))
        shape = self._random.choice([(), (0,), (3,), (2, 3), (1, 1, 1), (0, 4), (2, 0, 3), (1,) * 32])
        dtype = np.dtype(DTYPES[name])
        raw = self._random.randbytes(int(np.prod(shape)) * dtype.itemsize)
        array = np.frombuffer(raw, np.uint8 if name == "BOOL" else dtype).reshape(shape)
        array = np.asarray(array % 2 == 1) if name == "BOOL" else array.copy()
        if name == "F64" and array.size and self._chance(0.5):
            array.flat[0] = self._random.choice([np.nan, np.inf, -np.inf, -0.0, 5e-324])
        return array

    def _value(self, room: int = MAX_DEPTH) -> Value:
        if room and self._chance(0.3):
            return tuple(self._value(room - 1) for _ in range(self._random.randrange(4)))
        return None if self._chance(0.1) else self._array()

    def _text(self) -> str:
        return "".join(self._random.choices(_PIECES, k=self._random.randrange(4)))

    def _error(self) -> dict[str, Any] | None:
        if self._chance(0.5):
            return None
        error: dict[str, Any] = {"type": "ValueError", "message": self._text()}
        if self._chance(0.7):
            error |= {"block": "cell 1", "line": self._random.choice([1, 0, -1, 10**7, 3]), "source_line": self._text()}
        return error

    def _json(self, content: object, damage: float) -> str:
        """As JSON, its tokens damaged with some probability."""
        text = json.dumps(content)
        if not self._chance(damage):
            return text
        tokens = _TOKEN.findall(text)
        for _ in range(self._random.choice([1, 1, 1, 2, 5])):
            place = self._random.randrange(len(tokens) + 1)
            end = place + self._random.choice([1, 1, 1, 3, 4])
            match self._random.randrange(5):
                case 0 | 1:
                    tokens[place:end] = [self._random.choice(_NASTY)]
                case 2:
                    tokens[place:place] = [*tokens[place : place + 4], ","]
                case 3:
                    del tokens[place:end]
                case 4 if place < len(tokens):
                    tokens[place] = _NUMBER.sub(lambda _: self._random.choice(_NUMBERS), tokens[place])
        return "".join(tokens)

    def _result(self) -> bytes:
        arrays, tree = encode_value(self._value(), LIMIT)
        outcome = "returned" if arrays or self._chance(0.3) else self._random.choice(CLAIMS)
        report = {
            "outcome": outcome,
            "tree": tree,
            "returned_type": self._text(),
            "reason": self._text(),
            "changed_inputs": self._random.choice([[], ["A"], ["b", "A"], ["c"]]),
            "printed": self._text(),
            "error": self._error(),
        }
        return self._packed(arrays, report)

    def _packed(self, arrays: list[np.ndarray], content: object) -> bytes:
        """As `pack` does, with damage at every level and lengths that fit all the same."""
        plain = pack(arrays, {})
        body = _LENGTH.unpack_from(plain)[0] + _LENGTH.size
        header = json.loads(plain[_LENGTH.size : body])
        header["__metadata__"] = {"json": self._json(content, 0.4)}
        text = self._json(header, 0.3).encode("utf-8", "surrogatepass")
        text += b" " * (-len(text) % 8)
        length = len(text) if self._chance(0.95) else self._random.choice([0, 1, 2**63, 2**64 - 1, len(text) + 8])
        return _LENGTH.pack(length) + text + plain[body:]

    def _report(self) -> bytes:
        report = {"error": self._error(), "printed": self._text(), "remark": self._text()}
        return self._json(report, 0.6).encode("utf-8", "surrogatepass")

    def _ending(self) -> bytes:
        code = self._random.choice([0, 1, 9, 64, 65, 200, 255, 256, -1, None])
        ending = {"exit": code, "signal": None} if self._chance(0.5) else {"exit": None, "signal": code}
        return self._json(ending, 0.5).encode("utf-8", "surrogatepass")

    def _point(self) -> bytes:
        point = pack_point(self._array("F64"))
        if self._chance(0.3):
            axes = self._random.randrange(34)
            sides = self._random.choices([0, 1, 2, 2**31, 2**62, 2**63, 2**64 - 1], k=axes)
            point = struct.pack(f"<B{axes}Q", axes, *sides) + self._random.choice([b"", bytes(8), bytes(16)])
        return point

    def _frames(self) -> bytes:
        frames = []
        for _ in range(self._random.randrange(6)):
            kind = self._random.choice([*CAPS, *CAPS, *CAPS, Kind.READY, 0, 255])
            size = self._random.choice([0, 0, 1, 7, 200, 201, 1000, 1001])
            length = size if self._chance(0.9) else self._random.choice([2**32 - 1, 2**31, size + 1])
            frames.append(HEADER.pack(kind, length) + self._random.randbytes(size))
        return b"".join(frames)

    def _archive(self) -> bytes:
        recordings = {}
        for number in range(self._random.randrange(3)):
            given = self._error()
            error = None if given is None else StudentError("E", "m", "cell 1", 1)
            value = self._value()
            recordings[f"e{number}"] = Recording(f"e{number}", Outcome.RETURNED, value, calls={"g": 3}, error=error)
        run = Run(recordings, (BlockReport("cell 1", printed="text"),) * self._random.randrange(2), 0.25)
        whole = archived(run)
        if self._chance(0.3):
            return whole
        body = _LENGTH.unpack_from(whole)[0] + _LENGTH.size
        content = json.loads(json.loads(whole[_LENGTH.size : body])["__metadata__"]["json"])
        return self._packed([leaf for each in recordings.values() for leaf in leaves(each.value)], content)

    def _damaged(self, data: bytes) -> bytes:
        blob = bytearray(data)
        for _ in range(self._random.choice([1, 1, 2, 4])):
            place = self._random.randrange(len(blob) + 1)
            size = self._random.choice([1, 1, 2, 8, 40])
            match self._random.randrange(5):
                case 0 if place < len(blob):
                    blob[place] ^= 1 << self._random.randrange(8)
                case 1:
                    del blob[place : place + size]
                case 2:
                    blob[place:place] = self._random.randbytes(size)
                case 3:
                    blob[place:place] = blob[max(0, place - size) : place]
                case 4:
                    blob[place : place + size] = self._random.choice(_NASTY).encode("utf-8", "surrogatepass")
        return bytes(blob)


_PIECES = [
    "text",
    "<script>",
    "\0",
    "\x1b[2J",
    "\r",
    "\n",
    "\ud800",
    "\udfff",
    "\u202e",
    "\ufeff",
    "\ufffe",
    "é",
    "漢",
    "😀",
    "x" * 2500,
]
_NUMBERS = ["0", "1", "8", "16", "-1", "00", "9223372036854775808", "18446744073709551616", "9" * 30, "4294967296"]
_NASTY = [
    *_NUMBERS,
    *("NaN", "-Infinity", "1e999999", "1.5", "-0", "true", "null", "[]", "{}", "9" * 5000),
    *('""', '"a"', '"\\ud800"', '"\\u0000"', '"\\u001b[2J"', '"é"', '"\ud800"', '"\\"', '"BF16"', '"BOOL"'),
    *("[" * 1500 + "]" * 1500, "[" * 3000, '{"a":' * 1500, '{"a":1,"a":2}', "[[[[[[0]]]]]]", "[0,0]", "[0,8]"),
    *("\ufeff", "\0", " ", ",", ":", '"', "{", "}", "//", '"' + "x" * 3000 + '"', '"__metadata__"', '"0"', '"1"'),
]


@dataclass
class Findings:
    """What came of many inputs."""

    seen: Counter[tuple[str, str]]
    """Decoder and "read" or "refused" -> inputs."""
    smallest: dict[tuple[object, ...], bytes]
    """Way through a decoder -> the smallest input that went it."""
    crashes: list[tuple[str, bytes, str]]
    """Decoder, input, and what was raised."""
    slowest: float
    """Seconds that the slowest input took."""


def fuzz(inputs: int, seed: int) -> Findings:
    """Try random messages on all decoders; the messages grow out of those that went a new way."""
    pool: dict[str, list[bytes]] = {}
    findings = Findings(Counter(), {}, [], 0.0)
    messages = iter(Messages(seed, pool))
    for _ in range(inputs):
        decoder, data = next(messages)
        start = time.perf_counter()
        try:
            gone = way(decoder, data)
        except Exception:
            findings.crashes.append((decoder, data, traceback.format_exc()))
            continue
        findings.slowest = max(findings.slowest, time.perf_counter() - start)
        findings.seen[decoder, str(gone[1])] += 1
        known = findings.smallest.get(gone)
        if known is None and len(data) < 4096:
            pool.setdefault(decoder, []).append(data)
        if known is None or len(data) < len(known):
            findings.smallest[gone] = data
    return findings


def keep(findings: Findings, folder: Path) -> None:
    """Write the corpus: one file a way, the decoders in turn and the shortest ones first where there are too many."""
    folder.mkdir(parents=True, exist_ok=True)
    by_decoder: dict[object, list[bytes]] = {}
    for gone, data in sorted(findings.smallest.items(), key=lambda item: (len(item[1]), repr(item[0]))):
        by_decoder.setdefault(gone[0], []).append(data)
    in_turn = [
        (decoder, data)
        for rank in zip_longest(*by_decoder.values())
        for decoder, data in zip(by_decoder, rank, strict=True)
        if data is not None
    ]
    for decoder, data in in_turn[:MOST]:
        (folder / f"{decoder}-{hashlib.sha256(data).hexdigest()[:12]}").write_bytes(data)


def main() -> int:
    """Print what came of it; 1 if anything crashed."""
    parser = argparse.ArgumentParser(description="Try random messages on everything that decodes a student's bytes.")
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--corpus", type=Path, help="folder for the smallest input of each way")
    options = parser.parse_args()
    start = time.perf_counter()
    findings = fuzz(options.inputs, options.seed)
    for decoder in PROPERTIES:
        read, refused = findings.seen[decoder, "read"], findings.seen[decoder, "refused"]
        print(f"{decoder:8} {read:9,} read {refused:9,} refused")
    for decoder, data, raised in findings.crashes[:10]:
        print(f"crash of {decoder}: {data[:2000]!r}\n{raised}")
    print(
        f"{options.inputs:,} inputs in {time.perf_counter() - start:.0f} s, {len(findings.smallest)} ways,"
        f" {len(findings.crashes)} crashes, slowest input {findings.slowest * 1000:.0f} ms"
    )
    if options.corpus is not None:
        keep(findings, options.corpus)
    return 1 if findings.crashes else 0


if __name__ == "__main__":
    raise SystemExit(main())
