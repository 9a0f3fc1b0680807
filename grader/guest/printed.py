"""What student code prints: kept up to a limit, counted beyond it."""

from __future__ import annotations

import contextlib
import io
import sys
from typing import Any


class _Kept(io.RawIOBase):
    """Bytes up to a limit; what is beyond is counted and dropped."""

    def __init__(self) -> None:
        super().__init__()
        self.limit = 1 << 16
        self.kept = bytearray()
        self.dropped = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        size = len(data)
        room = max(0, self.limit - len(self.kept))
        self.kept += data[:room]
        self.dropped += max(0, size - room)
        return size

    def close(self) -> None:
        """It stays open; see `_Buffer`."""


class _Buffer(io.BufferedWriter):
    """Stays open: a student's own stream around it, `io.TextIOWrapper(sys.stdout.buffer)`, closes it when let go."""

    def close(self) -> None:
        self.flush()


_Text = io.TextIOWrapper


class Printed:
    """Takes the place of `sys.stdout` and `sys.stderr`."""

    def __init__(self) -> None:
        self._kept = _Kept()
        self._open()

    def start(self, limit: int) -> None:
        """Keep what is printed from now on, at most `limit` bytes; forget what was printed before."""
        self.take()
        try:
            self._flush()
        except ValueError:
            # The student's code has taken one of them apart (`sys.stdout.detach()`).
            self._open()
        self._kept.limit = limit
        sys.stdout = sys.__stdout__ = self._output  # type: ignore[misc]
        sys.stderr = sys.__stderr__ = self._errors  # type: ignore[misc]

    def take(self) -> str:
        """Everything printed since the last time, with a line about what was cut."""
        for stream in (getattr(sys, "stdout", None), getattr(sys, "stderr", None)):
            # One that the student's code has put around the buffer; nobody knows what `flush` of another class does.
            if type(stream) is _Text:
                with contextlib.suppress(Exception):
                    stream.flush()
        with contextlib.suppress(ValueError):
            self._flush()
        text = self._kept.kept.decode("utf-8", "replace")
        if self._kept.dropped:
            text += f"\n... ({self._kept.dropped} more bytes were cut)"
        self._kept.kept = bytearray()
        self._kept.dropped = 0
        return text

    def _open(self) -> None:
        self._buffer = _Buffer(self._kept, 1024)
        # Nothing waits in one of the two, so the order is that of the program.
        self._output, self._errors = (
            _Text(self._buffer, encoding="utf-8", errors="replace", write_through=True) for _ in range(2)
        )

    def _flush(self) -> None:
        """Raises ValueError where one of them has been taken apart."""
        for stream in (self._buffer, self._output, self._errors):
            stream.flush()
