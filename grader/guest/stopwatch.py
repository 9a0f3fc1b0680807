"""The soft time limit: an exception in the student's code, so that the student learns the line at which it was stopped.

Student code can swallow it; the hard limits are the kernel's (processor time) and the grader's (time on the clock).
"""

from __future__ import annotations

import signal
from types import FrameType, TracebackType

_AGAIN = 1.0
"""Seconds after which the exception is raised again, for code that swallowed the first."""

_signal = signal.signal
_setitimer = getattr(signal, "setitimer", None)


class TimeLimitError(BaseException):
    """Raised in student code whose time is up. Not an Exception, so that `except Exception` lets it through."""


class Stopwatch:
    """A context in which student code may run for `cpu` seconds of processor time and `wall` seconds on the clock.

    Where the system has no interval timers (Windows) only the grader's hard limit works.
    """

    def __init__(self, cpu: float, wall: float) -> None:
        self._cpu = cpu
        self._wall = wall
        self._running = False

    def __enter__(self) -> Stopwatch:
        self._running = True
        if _setitimer:
            _signal(signal.SIGPROF, self._cpu_is_up)
            _signal(signal.SIGALRM, self._wall_is_up)
            _setitimer(signal.ITIMER_PROF, self._cpu, _AGAIN)
            _setitimer(signal.ITIMER_REAL, self._wall, _AGAIN)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running = False
        if _setitimer:
            _setitimer(signal.ITIMER_PROF, 0)
            _setitimer(signal.ITIMER_REAL, 0)

    def _cpu_is_up(self, number: int, frame: FrameType | None) -> None:
        if self._running:
            raise TimeLimitError(f"Stopped after {self._cpu:g} s of processor time.")

    def _wall_is_up(self, number: int, frame: FrameType | None) -> None:
        if self._running:
            raise TimeLimitError(f"Stopped after {self._wall:g} s on the clock.")
