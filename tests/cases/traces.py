"""What a run could leave on the machine, looked for from outside."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Any

from grader.sandbox.warm import WarmSandbox
from tests.cases.case import KEY, TRACE

_PLACES = ("/tmp", "/dev/shm", "/var/tmp", "/dev/mqueue", os.path.expanduser("~"), "/")
_SECONDS = 20.0
"""For the last processes to end and the last files to be removed, on a busy machine."""


def lasting(sandbox: WarmSandbox) -> dict[str, Any]:
    """What no run may change: mounts, objects of System V, the warm parent and what it may use."""
    parent = _parent(sandbox)
    return {
        "mounts": Path("/proc/self/mountinfo").read_text(),
        "objects": [line for kind in ("shm", "sem", "msg") for line in _objects(kind)],
        "parent": parent,
        "limits": Path(f"/proc/{parent}/limits").read_text(),
        "priority": os.getpriority(os.PRIO_PROCESS, parent),
        "scheduler": os.sched_getscheduler(parent),
        "cores": os.sched_getaffinity(parent),
    }


def left_behind(sandbox: WarmSandbox) -> list[str]:
    """Processes and files of runs that are over; they get a while to go away."""
    assert sandbox._parent is not None
    sandbox._parent._drop_spare()  # the one that was forked ahead for the next run
    deadline = time.monotonic() + _SECONDS
    while (found := _processes(sandbox) + _files(sandbox)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def _parent(sandbox: WarmSandbox) -> int:
    assert sandbox._parent is not None
    return sandbox._parent._process.pid


def _processes(sandbox: WarmSandbox) -> list[str]:
    """Whatever descends from the warm parent, is in its control group, or in its user namespace."""
    parent = _parent(sandbox)
    above: dict[int, int] = {}
    found: set[int] = set()
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            above[int(name) if name.isdigit() else 0] = int(_stat(name)[1])
            if os.readlink(f"/proc/{name}/ns/user") == os.readlink(f"/proc/{parent}/ns/user") != _own_users():
                found.add(int(name))
    below = {parent}
    while more := {process for process, over in above.items() if over in below} - below:
        below |= more
    found |= below
    assert sandbox._parent is not None
    if (group := sandbox._parent._group) is not None:
        for folder in group._folders.values():
            found |= set(map(int, (folder / "cgroup.procs").read_text().split()))
    return [f"process {process}" for process in found - {parent}]


def _own_users() -> str:
    return os.readlink("/proc/self/ns/user")


def _stat(process: str) -> list[str]:
    if not process.isdigit():
        raise OSError
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()


def _files(sandbox: WarmSandbox) -> list[str]:
    found = []
    for place in _PLACES:
        with contextlib.suppress(OSError):
            found += [f"{place}/{name}" for name in os.listdir(place) if name.startswith(TRACE)]
    assert sandbox._parent is not None
    if (folder := sandbox._parent._folder) is not None:
        found += [f"{folder}/{name}" for name in os.listdir(folder)]
    return found


def _objects(kind: str) -> list[str]:
    lines = Path(f"/proc/sysvipc/{kind}").read_text().splitlines()[1:]
    return [f"{kind} {line}" for line in lines if int(line.split()[0]) == KEY]
