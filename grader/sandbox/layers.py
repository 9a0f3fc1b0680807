"""Which layers of the sandbox this machine offers, found out by trying each of them in a process of its own."""

from __future__ import annotations

import mmap
import os
import socket
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from grader.guest.limits import limit_files, limit_memory
from grader.sandbox.gpu import NoGpuError, find_gpu
from grader.sandbox.recording import Call, Limits, Outcome
from grader.sandbox.warm import SandboxLevel, SandboxUnavailableError, WarmSandbox
from grader.submission.program import Block, Program

if sys.platform == "linux":
    from grader.sandbox import isolation, kernel, landlock
    from grader.sandbox.cgroup import ControlGroup
    from grader.sandbox.system_calls import namespaced_filter


Need = Literal["strong", "both", "weak", "none"]
"""Which levels of the sandbox are not there without a layer."""


@dataclass(frozen=True)
class Layer:
    """One thing that stands between student code and the machine."""

    name: str
    protects_from: str
    active: bool
    remedy: str
    """How to get it; empty where it is active."""
    need: Need


def layers() -> list[Layer]:
    """Every layer, tried on this machine."""
    return [
        Layer(name, protects_from, active, "" if active else remedy, need)
        for name, need, protects_from, remedy, attempt in _LAYERS
        for active in [_works(attempt)]
    ] + [_gpu()]


def isolated_run(level: SandboxLevel) -> str:
    """Run a small program with all layers of a level together: empty where it comes through; else the reason."""
    program = Program((Block("the probe", "def answer():\n    return 42\n"),))
    try:
        with WarmSandbox(level=level) as sandbox:
            recording = sandbox.run(program, [Call("probe", "answer", {})], Limits()).recordings["probe"]
    except SandboxUnavailableError as error:
        return str(error)
    return "" if recording.outcome is Outcome.RETURNED else recording.reason


def _gpu() -> Layer:
    """Not tried, only looked for: starting CUDA takes seconds, and needs PyTorch."""
    remedy = ""
    try:
        find_gpu()
    except NoGpuError as error:
        remedy = f'Assignments with `device = "cuda"` need it. {error}'
    return Layer("GPU", "nothing; only seen here, and tried when an assignment asks for it", not remedy, remedy, "none")


def _works(attempt: Callable[[], None]) -> bool:
    """Whether the attempt succeeds in a forked process, which then is gone with all that it changed."""
    if sys.platform != "linux":
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about threads of this process, which the fork does not take along
        process = os.fork()
    if process == 0:
        code = 1
        try:
            attempt()
            code = 0
        finally:
            # Also after an exception: nothing of the parent may run on here.
            os._exit(code)
    return os.waitpid(process, 0)[1] == 0


def _as_stranger() -> None:
    """Into a new user namespace, as the warm parent does."""
    outside = (os.geteuid(), os.getegid())
    if os.geteuid() == 0 and isolation.nobody_exists():
        isolation.become_nobody()
        outside = (isolation.NOBODY, isolation.NOBODY)
    isolation.enter_user_namespace(*outside)


def _unshare(*names: str) -> Callable[[], None]:
    def attempt() -> None:
        _as_stranger()
        for name in names:
            kernel.unshare(getattr(kernel, name))

    return attempt


def _change_user() -> None:
    if not isolation.nobody_exists():
        raise OSError("no such user here")
    isolation.become_nobody()


def _mounts() -> None:
    _unshare("CLONE_NEWNS")()
    kernel.mount("tmpfs", "/tmp", kernel.MS_NOSUID)
    kernel.attach(kernel.detach_copy("/usr"), "/tmp")
    kernel.restrict("/tmp", kernel.MOUNT_ATTR_RDONLY | kernel.MOUNT_ATTR_NOSUID)
    if os.statvfs("/tmp").f_flag & os.ST_RDONLY == 0:
        raise OSError("the mount is not read-only")


def _first_process(then: Callable[[], None]) -> Callable[[], None]:
    """`then` in the first process of a new pid namespace."""

    def attempt() -> None:
        _unshare("CLONE_NEWNS", "CLONE_NEWPID")()

        def first() -> None:
            if os.getpid() != 1:
                raise OSError("not the first process")
            then()

        if not _works(first):
            raise OSError("no pid namespace")

    return attempt


def _mount_proc() -> None:
    kernel.mount("proc", "/proc", kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)


def _limits() -> None:
    limit_files(1 << 20)
    limit_memory(1 << 20, 0)
    try:
        # A mapping of its own: memory that this process has freed and kept would be given without asking the kernel.
        mmap.mmap(-1, 1 << 26)
    except OSError:
        return
    raise OSError("the limit has no effect")


def _no_new_privileges() -> None:
    kernel.control(kernel.PR_SET_NO_NEW_PRIVS, 1)
    kernel.drop_capabilities()


def _seccomp() -> None:
    kernel.control(kernel.PR_SET_NO_NEW_PRIVS, 1)
    namespaced_filter().install()
    try:
        socket.socket(socket.AF_INET)
    except OSError:
        return
    raise OSError("the filter has no effect")


def _landlock() -> None:
    kernel.control(kernel.PR_SET_NO_NEW_PRIVS, 1)
    landlock.confine([], [], [])
    try:
        os.listdir("/")
    except OSError:
        return
    raise OSError("the restriction has no effect")


def _control_group() -> None:
    ControlGroup().close()


_LINUX = "Linux 5.12 or newer."
_NAMESPACES = (
    f"{_LINUX[:-1]} with user namespaces. Set `sysctl user.max_user_namespaces=10000`; on Debian also"
    " `kernel.unprivileged_userns_clone=1`, on Ubuntu `kernel.apparmor_restrict_unprivileged_userns=0`. In Docker"
    " start the container with `--security-opt seccomp=unconfined --security-opt apparmor=unconfined`."
)
_LAYERS: list[tuple[str, Need, str, str, Callable[[], None]]] = [
    ("user namespace", "strong", "using privileges of the grader's user", _NAMESPACES, _as_stranger),
    (
        "mount namespace",
        "strong",
        "reading answers, other submissions, home folders; writing anywhere",
        _NAMESPACES,
        _mounts,
    ),
    (
        "pid namespace",
        "strong",
        "seeing and stopping other processes; leaving processes behind",
        _NAMESPACES,
        _first_process(lambda: None),
    ),
    (
        "network namespace",
        "strong",
        "sending the assignment away, fetching solutions",
        _NAMESPACES,
        _unshare("CLONE_NEWNET"),
    ),
    ("ipc namespace", "strong", "messages between runs through shared memory", _NAMESPACES, _unshare("CLONE_NEWIPC")),
    ("uts namespace", "strong", "learning the machine's name", _NAMESPACES, _unshare("CLONE_NEWUTS")),
    (
        "seccomp filter",
        "both",
        "attacking the kernel through system calls that numeric code does not need",
        "A kernel with seccomp, and the library: `apt install libseccomp2` (on Fedora `dnf install libseccomp`).",
        _seccomp,
    ),
    ("resource limits", "both", "filling memory, disk, process table; running for ever", _LINUX, _limits),
    ("no new privileges", "both", "gaining rights through setuid programs", _LINUX, _no_new_privileges),
    (
        "Landlock",
        "weak",
        "opening files, where a namespace is missing or was left",
        "Linux 5.13 or newer, started with `lsm=landlock,...` where its list of security modules leaves it out.",
        _landlock,
    ),
    (
        "other user",
        "none",
        "files and processes of the grader's user",
        "Run the grader as root; otherwise student code runs as you, with nothing of yours in its view.",
        _change_user,
    ),
    (
        "control group",
        "none",
        "many processes that use too much memory together; without it they are measured ten times a second",
        "Run the grader as root, or start it with `systemd-run --user --scope -p Delegate=yes`.",
        _control_group,
    ),
    (
        "own /proc",
        "none",
        "nothing; without it, code that reads /proc fails, and nobody measures what many processes use together",
        "In Docker start the container with `--security-opt systempaths=unconfined`.",
        _first_process(_mount_proc),
    ),
]
