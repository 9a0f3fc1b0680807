"""A control group for a warm parent and its runs: the kernel then limits their memory and processes all together.

Version 1 and version 2, where this user may make a group: as root, or in a group that was delegated to the user
(`systemd-run --user --scope -p Delegate=yes`). Elsewhere the supervisor's watchdog does the work.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

CONTROLLERS = ("memory", "pids")
_NAME = "grader-{process}-{count}"
_OURS = re.compile(r"grader-(\d+)-\d+")
_LEAF = "grader-main"
_END_SECONDS = 5.0
_count = itertools.count()


@dataclass(frozen=True)
class _Files:
    """Names and settings that differ between the versions."""

    memory: str
    swap: str
    events: str


_VERSION_1 = _Files("memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.oom_control")
_VERSION_2 = _Files("memory.max", "memory.swap.max", "memory.events")
_PEAK, _PEAK_WITH_SWAP = "memory.max_usage_in_bytes", "memory.memsw.max_usage_in_bytes"
"""Of version 1, which does not count how often the limit was reached."""
_CLOSE = 1 << 20
"""Bytes below the limit: the kernel grants memory in pieces."""


class ControlGroup:
    """A new group below the one of this process. Needs to be closed.

    Raises:
        OSError: there are no control groups here, or this user may not make one.
    """

    def __init__(self) -> None:
        above = own_groups()
        if set(above) != set(CONTROLLERS):
            raise OSError("this machine does not offer the control groups memory and pids")
        self._unified = above["memory"] == above["pids"]
        self._files = _VERSION_2 if self._unified else _VERSION_1
        self._limit = self._exhausted = 0
        if self._unified:
            _delegate(above["memory"])
        name = _NAME.format(process=os.getpid(), count=next(_count))
        self._folders = {controller: folder / name for controller, folder in above.items()}
        for folder in set(above.values()):
            _sweep(folder)
        try:
            for folder in set(self._folders.values()):
                folder.mkdir()
            self.limit(1 << 40, 1 << 15)
        except OSError:
            self.close()
            raise

    def add(self, process: int) -> None:
        """Put a process, and all that it starts from now on, into the group."""
        for folder in set(self._folders.values()):
            _write(folder / "cgroup.procs", process)

    def limit(self, memory: int, processes: int) -> None:
        """What all processes of the group may use together, in bytes and in number of processes and threads."""
        self._limit = memory
        group = self._folders["memory"]
        swap = group / self._files.swap
        if self._unified:
            _write(group / self._files.memory, memory)
            with contextlib.suppress(OSError):  # a kernel without swap accounting
                _write(swap, 0)
        else:
            # The limit with swap must never be below the one without.
            with contextlib.suppress(OSError):
                _write(swap, 1 << 62)
            _write(group / self._files.memory, memory)
            with contextlib.suppress(OSError):
                _write(swap, memory)
        _write(self._folders["pids"] / "pids.max", processes)

    def killed(self) -> int:
        """How many processes the kernel has ended because memory was used up: the group's, or the whole machine's."""
        return self._event("oom_kill")

    def exhausted(self) -> int:
        """A number that has grown since this was last asked if the group itself reached its limit of memory."""
        if self._unified:
            return self._event("oom")
        peak = self._folders["memory"] / _PEAK_WITH_SWAP
        if not peak.exists():  # a kernel without swap accounting
            peak = self._folders["memory"] / _PEAK
        self._exhausted += int(peak.read_text()) >= self._limit - _CLOSE
        _write(peak, 0)
        return self._exhausted

    def _event(self, name: str) -> int:
        for line in (self._folders["memory"] / self._files.events).read_text().splitlines():
            key, _, value = line.partition(" ")
            if key == name:
                return int(value)
        return 0

    def close(self) -> None:
        """Remove the group; its last processes may need a moment to end."""
        deadline = time.monotonic() + _END_SECONDS
        for folder in set(self._folders.values()):
            while folder.exists() and time.monotonic() < deadline:
                try:
                    folder.rmdir()
                except OSError:
                    time.sleep(0.01)


def own_groups() -> dict[str, Path]:
    """The folder of this process's own group for each of the controllers that the machine offers."""
    mounts = _mounts()
    found: dict[str, Path] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        for controller in CONTROLLERS:
            if controller in names.split(",") and controller in mounts:
                found[controller] = _inside(*mounts[controller], path)
        if not names and "" in mounts:
            group = _inside(*mounts[""], path)
            if group.name == _LEAF:
                group = group.parent
            with contextlib.suppress(OSError):
                offered = (group / "cgroup.controllers").read_text().split()
                found |= {name: group for name in CONTROLLERS if name in offered and name not in mounts}
    return found


def _mounts() -> dict[str, tuple[str, str]]:
    """Controller ("" for version 2) -> the part of the hierarchy that is mounted, and where."""
    found = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, kind = line.partition(" - ")
        root, place = fields.split()[3:5]
        name, _, options = kind.split(" ", 2)
        if name == "cgroup2":
            found[""] = (root, place)
        elif name == "cgroup":
            offered = re.split(r"[ ,]", options)
            found |= {controller: (root, place) for controller in CONTROLLERS if controller in offered}
    return found


def _inside(root: str, place: str, path: str) -> Path:
    relative = os.path.relpath(path, root)
    return Path(place) if relative.startswith("..") else Path(place) / relative


def _delegate(group: Path) -> None:
    """Let the groups below `group` have the controllers: version 2 wants `group` itself empty for that.

    Raises:
        OSError: not allowed.
    """
    control = group / "cgroup.subtree_control"
    if set(CONTROLLERS) <= set(control.read_text().split()):
        return
    wanted = " ".join(f"+{controller}" for controller in CONTROLLERS)
    try:
        _write(control, wanted)
    except OSError:
        if not _is_delegated(group):
            raise
        leaf = group / _LEAF
        leaf.mkdir(exist_ok=True)
        for process in (group / "cgroup.procs").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                _write(leaf / "cgroup.procs", process)
        _write(control, wanted)


def _is_delegated(group: Path) -> bool:
    """Whether the group is ours to arrange: it belongs to an ordinary user, or is the root of what a container sees."""
    return group.stat().st_uid == os.geteuid() != 0 or group.is_mount()


def _sweep(folder: Path) -> None:
    """Remove the groups of graders that were killed."""
    for group in folder.glob("grader-*"):
        named = _OURS.fullmatch(group.name)
        if named and not os.path.exists(f"/proc/{named[1]}"):
            with contextlib.suppress(OSError):
                group.rmdir()


def _write(file: Path, value: object) -> None:
    # Not `write_text`, which would create a file where the kernel offers none.
    descriptor = os.open(file, os.O_WRONLY)
    try:
        os.write(descriptor, str(value).encode())
    finally:
        os.close(descriptor)
