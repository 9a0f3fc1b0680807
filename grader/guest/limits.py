"""The hard limits of a process, set through the kernel where the system has them (not on Windows)."""

from __future__ import annotations

import ctypes
import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path

if sys.platform != "win32":
    import resource
    import signal


@dataclass(frozen=True)
class Allowance:
    """What each block and each call may use."""

    cpu: float
    """Seconds of processor time."""
    wall: float
    """Seconds on the clock."""
    result: int
    """Largest `grader.guest.encoding.weight` of a returned value."""


OUT_OF_TIME = 24
"""Exit code of a process that reached its hard limit of processor time: the number of the signal SIGXCPU."""

OPEN_FILES = 256

_MARGIN = 0.25
"""Seconds between the soft limit of processor time and the hard one, which the kernel counts in whole seconds."""


def address_space() -> int | None:
    """Bytes of address space that this process has now; None where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def limit_memory(memory: int, used: int | None) -> None:
    """Allow `memory` more bytes than the `used` ones; without `used`, leave it."""
    if sys.platform != "win32" and used is not None:
        _set(resource.RLIMIT_AS, used + memory)


def limit_files(size: int) -> None:
    """No file larger than `size` bytes, few open files, no core dump."""
    if sys.platform != "win32":
        _set(resource.RLIMIT_FSIZE, size)
        _set(resource.RLIMIT_NOFILE, OPEN_FILES)
        _set(resource.RLIMIT_CORE, 0)


def limit_processes(count: int) -> None:
    """No more processes and threads of this user (of this user namespace) than `count`."""
    if sys.platform != "win32":
        _set(resource.RLIMIT_NPROC, count)


def limit_cpu(seconds: float) -> None:
    """End this process when it has used `seconds` (and a margin) more processor time, whatever its code does."""
    if sys.platform != "win32":
        usage = resource.getrusage(resource.RUSAGE_SELF)
        soft = math.ceil(usage.ru_utime + usage.ru_stime + seconds + _MARGIN)
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def end_when_out_of_time() -> None:
    """Make SIGXCPU end the process with exit code `OUT_OF_TIME`.

    The first process of a pid namespace ignores signals that have no handler, and a handler in Python would wait for
    the end of a loop in C. So the handler is the C library's `_exit` itself.
    """
    if sys.platform != "win32":
        libc = ctypes.CDLL(None)
        libc.signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
        libc.signal.restype = ctypes.c_void_p
        libc.signal(signal.SIGXCPU, ctypes.cast(libc._exit, ctypes.c_void_p))


def _set(limit: int, value: int) -> None:
    if sys.platform != "win32":
        _, hard = resource.getrlimit(limit)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (value, value))
