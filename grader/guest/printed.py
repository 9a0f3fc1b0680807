"""What student code prints: kept up to a limit, counted beyond it."""

from __future__ import annotations

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


class Printed:
    """Takes the place of `sys.stdout` and `sys.stderr`."""

    def __init__(self) -> None:
        self._kept = _Kept()
        self._stream = self._open()

    def start(self, limit: int) -> None:
        """Keep what is printed from now on, at most `limit` bytes; forget what was printed before."""
        self.take()
        self._kept.limit = limit
        if self._stream.closed:
            # The student's code closed it; what comes next shall not suffer.
            self._kept = _Kept()
            self._stream = self._open()
        sys.stdout = sys.__stdout__ = self._stream  # type: ignore[misc]
        sys.stderr = sys.__stderr__ = self._stream  # type: ignore[misc]

    def take(self) -> str:
        """Everything printed since the last time, with a line about what was cut."""
        if not self._stream.closed:
            self._stream.flush()
        text = self._kept.kept.decode("utf-8", "replace")
        if self._kept.dropped:
            text += f"\n... ({self._kept.dropped} more bytes were cut)"
        self._kept.kept = bytearray()
        self._kept.dropped = 0
        return text

    def _open(self) -> io.TextIOWrapper:
        return io.TextIOWrapper(io.BufferedWriter(self._kept, 1024), encoding="utf-8", errors="replace")
