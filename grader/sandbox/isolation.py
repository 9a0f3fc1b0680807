"""The level `strong`: how a process gives up the machine, once as a warm parent and again for each run.

Entered once, because they are slow and hold nothing of a run: user, mount, network and uts namespace, the read-only
root. Entered for each run: pid, ipc and mount namespace, private memory file systems, limits, no capabilities, and,
in case that a namespace can be left, Landlock and a filter for system calls.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
from pathlib import Path

from grader.guest.limits import end_when_out_of_time, limit_files, limit_memory, limit_processes
from grader.sandbox import kernel, landlock
from grader.sandbox.allotment import OWN_PROCESSES, Allotment
from grader.sandbox.system_calls import namespaced_filter
from grader.sandbox.view import View
from grader.sandbox.watchdog import all_processes

HOME = "/home/student"
STUDENT = 1000
"""User and group id inside."""
NOBODY = 65534
"""User and group id outside, when the grader runs as root."""

_BASE = "/tmp"
_PRIVATE = "/private"
_OWN = {"home": HOME, "tmp": "/tmp", "shm": "/dev/shm"}
"""The folders that each run has for itself. What the view shows inside them is kept below `_ASIDE` and bound back."""
_ASIDE = "/shown"
_DEVICES = ("null", "zero", "full", "random", "urandom")
_SCRATCH = 64 << 20
"""Bytes that the warm parent's own packages may write, for example a font cache."""


class Isolation:
    """Namespaces, with nothing of the machine inside."""

    alone = True

    def __init__(self, view: View) -> None:
        self._view = view
        self._filter = namespaced_filter()
        self._outer = -1

    def enter(self) -> None:
        """Leave the machine's users, files and network. Must be called while the process has one thread.

        Raises:
            OSError: the kernel, or the container around us, does not allow it; says which step.
        """
        outside = os.geteuid()
        if outside == 0 and nobody_exists():
            kernel.unshare(kernel.CLONE_NEWNS)
            _build_root(self._view)
            become_nobody()
            enter_user_namespace(NOBODY, NOBODY)
            kernel.unshare(kernel.CLONE_NEWNS)
        else:
            enter_user_namespace(outside, os.getegid())
            kernel.unshare(kernel.CLONE_NEWNS)
            _build_root(self._view)
        kernel.unshare(kernel.CLONE_NEWNET | kernel.CLONE_NEWUTS)
        socket.sethostname("sandbox")
        _forbid_user_namespaces()
        # Last, because the steps before write to /proc.
        kernel.restrict("/", kernel.MOUNT_ATTR_RDONLY | kernel.MOUNT_ATTR_NOSUID)
        kernel.mount("tmpfs", "/tmp", kernel.MS_NOSUID | kernel.MS_NODEV, f"mode=1777,size={_SCRATCH}")
        _bind_back(self._view)
        for path in self._view.hidden:
            if any(os.path.lexists(f"{path}/{name}") for name in ("__init__.py", "pyproject.toml")):
                raise OSError(f"{path} is still visible")
        kernel.forbid_capabilities()
        kernel.control(kernel.PR_SET_NO_NEW_PRIVS, 1)

    def begin_run(self) -> None:
        """In the supervisor: the next process that it starts is the first of a new pid namespace."""
        kernel.unshare(kernel.CLONE_NEWPID | kernel.CLONE_NEWNS | kernel.CLONE_NEWIPC)
        self._outer = os.stat("/proc").st_dev

    def enter_run(self, allotment: Allotment, used: int | None) -> str:
        """Make the first process of the new pid namespace ready for student code.

        Args:
            allotment: what the run may use.
            used: bytes of address space that the process has before.

        Returns:
            The home folder.

        Raises:
            OSError: says which step failed.
        """
        os.setsid()
        options = f"mode=755,size={allotment.disk},nr_inodes=10000"
        kernel.mount("tmpfs", _PRIVATE, kernel.MS_NOSUID | kernel.MS_NODEV, options)
        for name, place in _OWN.items():
            os.mkdir(f"{_PRIVATE}/{name}")
            kernel.bind(f"{_PRIVATE}/{name}", place)
        _bind_back(self._view)
        kernel.restrict(_PRIVATE, kernel.MOUNT_ATTR_RDONLY, recursive=False)
        _mount_processes()
        os.chdir(HOME)
        # CUDA reserves more address space than there is memory: the control group or the watchdog has to do.
        limit_memory(allotment.memory, None if self._view.devices else used)
        limit_files(allotment.disk)
        limit_processes(allotment.processes + OWN_PROCESSES)
        end_when_out_of_time()
        kernel.drop_capabilities()
        if landlock.version():
            devices = (*(f"/dev/{name}" for name in _DEVICES), *self._view.devices)
            landlock.confine(["/"], _OWN.values(), devices)
        self._filter.install()
        return HOME

    def processes(self, guest: int) -> list[int]:
        """The processes of the run, for the supervisor."""
        # On a busy machine the guest may not have come to mount its own /proc yet.
        return [] if os.stat("/proc").st_dev == self._outer else all_processes()

    def end_run(self, guest: int) -> None:
        """Kill the guest, and with it, by the kernel, every process in its pid namespace."""
        os.kill(guest, signal.SIGKILL)

    def collect(self) -> None:
        """Nothing is left: the kernel ends the first process of a namespace after all others."""

    def clear(self) -> None:
        """Nothing is left: the private folders were memory."""

    def leave(self) -> None:
        """Nothing is left."""


def nobody_exists() -> bool:
    """Whether root can become `nobody` here; not so in a container that maps a single user."""
    mapped = all(
        any(int(first) <= NOBODY < int(first) + int(count) for first, _, count in map(str.split, lines))
        for name in ("uid_map", "gid_map")
        for lines in [Path(f"/proc/self/{name}").read_text().splitlines()]
    )
    return mapped and Path("/proc/self/setgroups").read_text().strip() == "allow"


def become_nobody() -> None:
    """From root to a user who owns nothing.

    Raises:
        OSError: not root.
    """
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    kernel.control(kernel.PR_SET_DUMPABLE, 1)  # else /proc/self/uid_map belongs to root


def enter_user_namespace(uid: int, gid: int) -> None:
    """A new user namespace, in which the given ids of the outside are the student's.

    Raises:
        OSError: not allowed here.
    """
    kernel.unshare(kernel.CLONE_NEWUSER)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{STUDENT} {uid} 1"),
        ("gid_map", f"{STUDENT} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _forbid_user_namespaces() -> None:
    """A further user namespace would give student code capabilities in it, and more of the kernel to attack."""
    # A container may show /proc/sys read-only; then the locked mounts have to do.
    with contextlib.suppress(OSError), open("/proc/sys/user/max_user_namespaces", "w") as file:
        file.write("0")


def _build_root(view: View) -> None:
    """A root folder in memory with nothing in it but the view; the old one is let go."""
    kernel.make_private("/")
    copies = {path: kernel.detach_copy(path) for path in _mounts(view)}
    copies |= {f"/dev/{name}": kernel.detach_copy(f"/dev/{name}") for name in _DEVICES}
    copies |= {path: kernel.detach_copy(path) for path in view.devices}
    links = {path: os.readlink(path) for path in view.shown if os.path.islink(path)}
    folders = {path for path, descriptor in copies.items() if stat.S_ISDIR(os.fstat(descriptor).st_mode)}
    # Looked up now: the next mount may cover them.
    hidden = _inside(view)
    hidden_folders = {path for path in hidden if os.path.isdir(path)}
    nothing = kernel.detach_copy("/dev/null")

    kernel.mount("tmpfs", _BASE, kernel.MS_NOSUID, "mode=755,size=1m")
    for path in ("/etc", "/dev/shm", "/proc", "/tmp", HOME, _PRIVATE):
        os.makedirs(_BASE + path, exist_ok=True)
    for path in copies:
        if _place(path) != path:
            _mountpoint(_BASE + path, path in folders)
    for path in sorted([*copies, *links, *hidden], key=lambda path: path.count("/")):
        place = _BASE + _place(path)
        if path in links:
            _mountpoint(os.path.dirname(place), folder=True)
            os.symlink(links[path], place)
        elif path in copies:
            _mountpoint(place, path in folders)
            kernel.attach(copies[path], place)
        elif path in hidden_folders:
            kernel.mount("tmpfs", place, kernel.MS_NOSUID, "mode=755,size=64k")
        else:
            kernel.attach(nothing, place)
            nothing = kernel.detach_copy(place)
    for descriptor in (*copies.values(), nothing):
        os.close(descriptor)
    os.symlink("/proc/self/fd", f"{_BASE}/dev/fd")
    for name, text in (
        ("passwd", f"student:x:{STUDENT}:{STUDENT}::{HOME}:/bin/sh\n"),
        ("group", f"student:x:{STUDENT}:\n"),
    ):
        with open(f"{_BASE}/etc/{name}", "w") as file:
            file.write(text)
    kernel.change_root(_BASE)


def _mounts(view: View) -> list[str]:
    """The shown paths that need a mount of their own, and /proc, without which the kernel refuses a new one."""
    return ["/proc", *(path for path in view.shown if not os.path.islink(path) and not _is_shown(path, view))]


def _inside(view: View) -> list[str]:
    """The hidden paths that would be seen otherwise."""
    return [path for path in view.hidden if _is_shown(path, view) and os.path.exists(path)]


def _place(path: str) -> str:
    """Where a path of the view is attached."""
    return _ASIDE + path if any(path.startswith(f"{folder}/") for folder in _OWN.values()) else path


def _bind_back(view: View) -> None:
    """Make what is shown inside the own folders appear there, for an interpreter that is installed below /tmp."""
    for path in _mounts(view):
        if _place(path) != path:
            _mountpoint(path, os.path.isdir(_place(path)))
            kernel.bind(_place(path), path)


def _is_shown(path: str, view: View) -> bool:
    """Whether the closest folder above the path that the view names is a shown one."""
    above = os.path.dirname(path)
    while above != "/":
        if above in view.hidden:
            return False
        if above in view.shown:
            return True
        above = os.path.dirname(above)
    return False


def _mountpoint(place: str, folder: bool) -> None:
    os.makedirs(place if folder else os.path.dirname(place), exist_ok=True)
    if not folder and not os.path.exists(place):
        os.close(os.open(place, os.O_CREAT | os.O_WRONLY, 0o644))


def _mount_processes() -> None:
    """Show the processes of the run in /proc, and offer them to the kernel first where it has no memory left."""
    flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    try:
        kernel.mount("proc", "/proc", flags)
    except OSError:
        # Inside some containers the kernel refuses; better none than the one of the grader's processes.
        kernel.mount("tmpfs", "/proc", flags | kernel.MS_RDONLY, "size=4k")
        return
    Path("/proc/self/oom_score_adj").write_text("1000")
    kernel.restrict("/proc", kernel.MOUNT_ATTR_RDONLY, recursive=False)
