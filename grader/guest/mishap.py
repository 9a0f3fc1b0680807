"""What went wrong in student code, in the student's own terms: type, message, block, line."""

from __future__ import annotations

import linecache
from types import TracebackType
from typing import Any

_MESSAGE = 2000
_LINE = 300


class Sources:
    """The texts that student code was compiled from, by the file name that appears in tracebacks."""

    def __init__(self) -> None:
        self._labels: dict[str, str] = {}
        self._lines: dict[str, list[str]] = {}

    def add(self, file_name: str, label: str, source: str) -> None:
        """Remember a text; `traceback` and `inspect` find it too."""
        lines = source.splitlines(keepends=True)
        self._labels[file_name] = label
        self._lines[file_name] = lines
        linecache.cache[file_name] = (len(source), None, lines, file_name)

    def describe(self, error: BaseException) -> dict[str, Any]:
        """An exception as JSON: the innermost line of the student's own code that it passed through."""
        place = self._innermost(error.__traceback__)
        if place is None and isinstance(error, SyntaxError) and error.filename in self._labels:
            place = (error.filename, error.lineno or 1)
        description: dict[str, Any] = {"type": _type(error), "message": _message(error)}
        if place is not None:
            name, line = place
            lines = self._lines[name]
            description |= {"block": self._labels[name], "line": line}
            if 0 < line <= len(lines):
                description["source_line"] = lines[line - 1].strip()[:_LINE]
        return description

    def _innermost(self, trace: TracebackType | None) -> tuple[str, int] | None:
        place = None
        while trace is not None:
            name = trace.tb_frame.f_code.co_filename
            if name in self._labels:
                place = (name, trace.tb_lineno)
            trace = trace.tb_next
        return place


def _type(error: BaseException) -> str:
    # Numpy raises a private subclass, whose name would only puzzle.
    return "MemoryError" if isinstance(error, MemoryError) else str(type(error).__name__)[:80]


def _message(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return "exit() was called; it ends the whole program. Return from the function, or leave it out."
    try:
        # `str` runs the student's `__str__` where the student defined the exception.
        return str(error.msg if isinstance(error, SyntaxError) else error)[:_MESSAGE]
    except BaseException:
        return ""
