"""How much the processes of a run use together, measured from outside; the kernel's own limits hold for each alone."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_SHARE = re.compile(rb"^Pss:\s+(\d+) kB", re.MULTILINE)


def all_processes() -> list[int]:
    """Every process that /proc shows."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def processes_of_session(leader: int) -> list[int]:
    """The processes of a session, by what /proc says."""
    return [process for process in all_processes() if _session(process) == leader]


def count_threads(processes: Iterable[int]) -> int:
    """How many threads the processes have together; each of them has at least one."""
    count = 0
    for process in processes:
        with contextlib.suppress(OSError):  # it has ended
            count += len(os.listdir(f"/proc/{process}/task"))
    return count


def uses_more_memory(processes: Iterable[int], limit: int) -> bool:
    """Whether the processes have more than `limit` bytes of memory in use together.

    Memory that several share is counted once, in parts. That is slow to find out, so it is only asked for where the
    sum with all shared memory in it is above the limit.
    """
    processes = list(processes)
    if sum(map(_resident, processes)) <= limit:
        return False
    return sum(map(_share, processes)) > limit


def _session(process: int) -> int:
    # The name of the program, which may hold anything, stands in parentheses before.
    fields = _read(process, "stat").rpartition(b")")[2].split()
    return int(fields[3]) if len(fields) > 3 else -1


def _resident(process: int) -> int:
    fields = _read(process, "statm").split()
    return int(fields[1]) * _PAGE if len(fields) > 1 else 0


def _share(process: int) -> int:
    found = _SHARE.search(_read(process, "smaps_rollup"))
    return int(found[1]) << 10 if found else _resident(process)


def _read(process: int, name: str) -> bytes:
    """Nothing where the process has ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/{name}").read_bytes()
    return b""
