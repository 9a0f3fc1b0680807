"""The messages between the grader and a student's process.

A frame is a header (kind: 1 byte, length of the payload: 4 bytes, little-endian) and the payload.
The grader's end of the channel treats every byte as hostile; this end trusts the grader.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import IntEnum

HEADER = struct.Struct("<BI")
TOKEN = 8
"""Bytes that a result repeats from its call: what is sent ahead, or by another process, answers nothing."""


class Kind(IntEnum):
    """What a frame carries, and which way it goes."""

    FILE = 1
    """To the loader: relative path, NUL, content."""
    BLOCK = 2
    """To the loader: JSON, a block to execute."""
    CALL = 3
    """To the performer: a token (`TOKEN` bytes), then arrays and JSON: the function and its arguments."""
    ANSWER = 4
    """To the performer: an array, the answer of an oracle."""
    DENIED = 5
    """To the performer: a sentence; the oracle was not asked."""
    PERFORM = 6
    """To the loader: start a performer, a process that makes calls."""
    END = 7
    """To the performer: no more calls."""
    READY = 16
    """From the loader: isolated, and no student code executed yet."""
    FAILED = 17
    """From the guest, instead of READY: a sentence; a fault of ours."""
    BLOCK_DONE = 18
    """From the loader: JSON, how a block went."""
    ORACLE = 19
    """From the performer: position of the argument (1 byte), then an array, the point."""
    RESULT = 20
    """From the performer: the token of the call, then arrays and JSON, how it went."""
    NEXT = 22
    """From the performer: it waits for a call."""
    ENDED = 21
    """From the loader: JSON, how the performer ended."""


class ClosedError(Exception):
    """The other side is gone."""


class Channel:
    """One end of a connection that sends and receives whole frames, blocking."""

    def __init__(self, read: Callable[[int], bytes], write: Callable[[bytes], int]) -> None:
        self._read = read
        self._write = write
        self._buffer = bytearray()

    def send(self, kind: Kind, payload: bytes = b"") -> None:
        """Send one frame.

        Raises:
            ClosedError: nobody is there to read it.
        """
        rest = HEADER.pack(kind, len(payload)) + payload
        try:
            while rest:
                rest = rest[self._write(rest) :]
        except OSError as error:
            raise ClosedError from error

    def receive(self) -> tuple[Kind, bytes]:
        """Wait for one frame.

        Raises:
            ClosedError: the other side is gone.
        """
        self._fill(HEADER.size)
        kind, length = HEADER.unpack_from(self._buffer)
        self._fill(HEADER.size + length)
        payload = bytes(self._buffer[HEADER.size : HEADER.size + length])
        del self._buffer[: HEADER.size + length]
        return Kind(kind), payload

    def forget(self) -> None:
        """Drop what was read ahead: it belongs to another process that reads from the same connection."""
        self._buffer.clear()

    def _fill(self, size: int) -> None:
        while len(self._buffer) < size:
            try:
                data = self._read(1 << 18)
            except OSError as error:
                raise ClosedError from error
            if not data:
                raise ClosedError
            self._buffer += data
