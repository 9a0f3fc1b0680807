"""The level `weak`, for machines without namespaces: Landlock, a filter for system calls, limits, no capabilities.

Student code shares the machine's users, processes and network, but may open only what it is shown, has no sockets, and
sends no signals to others. As root it runs as the user `nobody` where that one can reach the interpreter. Weaker than
`grader.sandbox.isolation`: sizes and dates of the machine's files can be seen, and nothing limits all files together.
"""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from grader.guest.limits import end_when_out_of_time, limit_files, limit_memory, limit_processes
from grader.sandbox import kernel, landlock
from grader.sandbox.allotment import OWN_PROCESSES, Allotment
from grader.sandbox.cgroup import own_groups
from grader.sandbox.isolation import NOBODY, become_nobody, nobody_exists
from grader.sandbox.system_calls import bare_filter
from grader.sandbox.view import View
from grader.sandbox.watchdog import all_processes, count_threads, processes_of_session

_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_MACHINE = ("/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu", "/sys/devices/system/node")
"""What numeric libraries read to choose their code."""
_PREFIX = "grader-weak-"
_OF_OTHERS = 1000
"""Processes and threads that the user's other programs may start while a run is there, and not be in its way."""


def make_folder() -> str:
    """A folder for the files of runs, one after the other."""
    return tempfile.mkdtemp(prefix=_PREFIX)


def remove_folder(folder: str) -> None:
    """Remove a folder with all that is in it, whatever student code did to modes and depth. It may be gone already."""
    waiting = [folder]
    with contextlib.suppress(OSError):
        while waiting:
            place = waiting.pop()
            os.chmod(place, stat.S_IRWXU)
            with os.scandir(place) as listing:
                entries = list(listing)
            for entry in entries:
                if not entry.is_dir(follow_symlinks=False):
                    os.unlink(entry.path)
                    continue
                # Moved to the top first: so no path gets too long, and nothing is called in itself too often.
                os.chmod(entry.path, stat.S_IRWXU)
                top = f"{folder}/{uuid.uuid4()}"
                os.rename(entry.path, top)
                waiting.append(top)
            if place != folder:
                os.rmdir(place)
        os.rmdir(folder)


class Restriction:
    """What a process can give up by itself."""

    alone = False

    def __init__(self, view: View, folder: str) -> None:
        self._view = view
        self._folder = folder
        self._home = ""
        version = landlock.version()
        if not version:
            raise OSError("this kernel has no Landlock, or has it switched off")
        self._filter = bare_filter(scoped=version >= landlock.SIGNALS_SINCE)

    def enter(self) -> None:
        """Give up all privileges. Files are given up by each run, since the supervisor has to see processes.

        Raises:
            OSError: not allowed here.
        """
        if os.geteuid() == 0 and nobody_exists() and all(map(_open_to_all, self._view.shown)):
            os.chown(self._folder, NOBODY, NOBODY)
            become_nobody()
        kernel.forbid_capabilities()
        kernel.drop_capabilities()
        kernel.control(kernel.PR_SET_NO_NEW_PRIVS, 1)

    def begin_run(self) -> None:
        """In the supervisor: make a home, and collect what the run leaves behind."""
        kernel.control(kernel.PR_SET_CHILD_SUBREAPER, 1)
        self._home = tempfile.mkdtemp(dir=self._folder)

    def enter_run(self, allotment: Allotment, used: int | None) -> str:
        """Make the process ready for student code; see `Isolation.enter_run`."""
        os.setsid()
        Path("/proc/self/oom_score_adj").write_text("1000")
        os.chdir(self._home)
        os.environ["HOME"] = os.environ["TMPDIR"] = self._home
        tempfile.tempdir = None
        limit_memory(allotment.memory, used)
        limit_files(allotment.disk)
        most = allotment.processes + OWN_PROCESSES
        if not _group_allows_at_most(most):
            # The kernel counts all processes of the user; the watchdog holds the run to its own number.
            limit_processes(most + _threads_of_user() + _OF_OTHERS)
        end_when_out_of_time()
        shown = {os.path.realpath(path) for path in (*self._view.shown, *_MACHINE) if os.path.exists(path)}
        readable = [path for place in shown for path in _without(place, self._view.hidden)]
        landlock.confine(readable, [self._home], _DEVICES, listable=shown)
        self._filter.install()
        return self._home

    def processes(self, guest: int) -> list[int]:
        """The processes of the run, for the supervisor; none of them can leave the session."""
        return processes_of_session(guest)

    def end_run(self, guest: int) -> None:
        """Kill every process of the run: none of them can leave the group of the guest."""
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError):
                kill(guest, signal.SIGKILL)

    def collect(self) -> None:
        """Wait until all of them are dead."""
        with contextlib.suppress(ChildProcessError):
            while True:
                os.wait()

    def clear(self) -> None:
        """Remove their files."""
        remove_folder(self._home)

    def leave(self) -> None:
        """In the warm parent, when the grader has hung up, or was killed: remove the folder after the last run."""
        with contextlib.suppress(ChildProcessError):
            os.wait()
        remove_folder(self._folder)


def _open_to_all(path: str) -> bool:
    """Whether everybody may reach and read a path."""
    place = Path(path)
    above = all(folder.stat().st_mode & stat.S_IXOTH for folder in place.parents)
    return above and bool(place.stat().st_mode & stat.S_IROTH)


def _without(path: str, hidden: tuple[str, ...]) -> Iterator[str]:
    """The path, or the parts of it, that hold nothing hidden. What a link leads to has its own path."""
    if path in hidden or os.path.islink(path):
        return
    if not any(each.startswith(f"{path}/") for each in hidden):
        yield path
        return
    for name in os.listdir(path):
        yield from _without(f"{path}/{name}", hidden)


def _group_allows_at_most(count: int) -> bool:
    """Whether this process is in a control group, which counts nobody else's processes, with a limit of `count`."""
    group = own_groups().get("pids")
    with contextlib.suppress(OSError, ValueError):  # without a limit of its own it says "max"
        return group is not None and int((group / "pids.max").read_text()) <= count
    return False


def _threads_of_user() -> int:
    """How many processes and threads the kernel counts for this user now."""
    return count_threads(process for process in all_processes() if _is_own(process))


def _is_own(process: int) -> bool:
    with contextlib.suppress(OSError):  # it has ended
        return os.stat(f"/proc/{process}").st_uid == os.getuid()
    return False
