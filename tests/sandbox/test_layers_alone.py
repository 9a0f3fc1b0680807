"""Each layer holds alone: what it is to stop is stopped with no other layer in the way."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grader.sandbox import cgroup, landlock, warm
from grader.sandbox.cgroup import ControlGroup
from grader.sandbox.recording import Call, Limits, Outcome
from grader.sandbox.warm import SandboxLevel, WarmSandbox
from grader.sandbox.watchdog import processes_of_session, uses_more_memory
from grader.submission.program import Block, Program

ROOT = Path(__file__).parents[2]
NEEDS_LANDLOCK = pytest.mark.skipif(not landlock.version(), reason="this kernel has no Landlock")
BEGIN = """
import ctypes, errno, os, signal, socket, sys
from grader.sandbox import kernel, landlock, system_calls
kernel.control(kernel.PR_SET_NO_NEW_PRIVS, 1)
libc = ctypes.CDLL(None, use_errno=True)
def failure(action, *arguments):
    try:
        action(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"
"""


def run(source: str) -> subprocess.CompletedProcess[str]:
    """Execute a text in an interpreter of its own, as the user of the tests."""
    code = BEGIN + textwrap.dedent(source)
    return subprocess.run(
        [sys.executable, "-c", code], check=False, cwd=ROOT, capture_output=True, text=True, timeout=120
    )


def printed(source: str) -> list[str]:
    done = run(source)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


FAMILIES = ("AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET", "AF_TIPC", "AF_VSOCK")
DANGEROUS = """
mount umount2 pivot_root chroot move_mount open_tree fsopen fsmount mount_setattr
unshare setns clone3 ptrace process_vm_readv process_vm_writev pidfd_getfd kcmp
bpf perf_event_open userfaultfd io_uring_setup io_uring_enter keyctl add_key request_key
init_module finit_module delete_module kexec_load reboot swapon open_by_handle_at fanotify_init
shmget semget msgget mq_open setuid setgid capset seccomp landlock_restrict_self personality
"""


@pytest.mark.parametrize("name", ["namespaced_filter()", "bare_filter(True)", "bare_filter(False)"])
def test_the_filter_alone_knows_no_dangerous_system_call(name: str) -> None:
    # Also for root, with all its capabilities.
    found = printed(
        f"""
        library = system_calls._libseccomp()
        numbers = {{name: library.seccomp_syscall_resolve_name(name.encode()) for name in {DANGEROUS!r}.split()}}
        system_calls.{name}.install()
        for name, number in numbers.items():
            if number >= 0 and (libc.syscall(number, 0, 0, 0, 0, 0, 0) != -1 or ctypes.get_errno() != errno.ENOSYS):
                print(name)
        if libc.syscall(library.seccomp_syscall_resolve_name(b"clone"), {0x10000000 | signal.SIGCHLD}, 0, 0, 0, 0) >= 0:
            print("clone into a user namespace")
        """
    )
    assert found == []


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the other numbering of system calls is that of x86")
def test_the_filter_alone_ends_a_process_that_uses_another_numbering() -> None:
    done = run("system_calls.namespaced_filter().install()\nlibc.syscall(0x40000000 | 39)\nprint('went on')")
    assert (done.returncode, done.stdout) == (-signal.SIGSYS, "")


def test_the_filter_alone_leaves_what_numeric_code_needs() -> None:
    assert printed(
        """
        system_calls.namespaced_filter().install()
        import asyncio, mmap, numpy, subprocess, tempfile, threading, time
        a, b = socket.socketpair()
        a.send(b"x")
        thread = threading.Thread(target=time.sleep, args=(0,))
        thread.start(), thread.join()
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"x" * 10)
            file.flush()
            os.chmod(file.name, 0o600)
            mmap.mmap(file.fileno(), 0)
        asyncio.run(asyncio.sleep(0))
        process = os.fork()
        if process == 0:
            os._exit(3)
        print(b.recv(1), os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
        print(subprocess.run([sys.executable, "-c", "print(5)"], capture_output=True, text=True).stdout)
        print(numpy.linalg.svd(numpy.eye(3))[1].sum())
        """
    ) == ["b'x'", "3", "5", "3.0"]


def test_the_filter_alone_leaves_no_network() -> None:
    answers = printed(
        f"""
        system_calls.namespaced_filter().install()
        for family in {FAMILIES!r}:
            print(failure(socket.socket, getattr(socket, family), socket.SOCK_DGRAM))
        print(failure(socket.socket, socket.AF_UNIX))
        """
    )
    assert answers == ["ENETUNREACH"] * len(FAMILIES) + ["done"]


@pytest.mark.parametrize("name", ["namespaced_filter()", "bare_filter(True)", "bare_filter(False)"])
def test_the_filter_alone_lets_no_pair_of_another_family_reach_the_kernel(name: str) -> None:
    # It answers that there are none, after it has looked for the family, and perhaps loaded a module for it.
    answers = printed(
        f"""
        system_calls.{name}.install()
        for family in {FAMILIES!r}:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
                print(failure(socket.socketpair, getattr(socket, family), kind))
        print(failure(socket.socketpair, socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC))
        """
    )
    assert answers == ["ENETUNREACH"] * 3 * len(FAMILIES) + ["done"]


def test_the_filter_without_namespaces_keeps_a_run_in_its_group_and_to_itself(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    file.chmod(0o644)
    before = file.stat()
    answers = printed(
        f"""
        system_calls.bare_filter(False).install()
        print(failure(os.setsid), failure(os.setpgid, 0, 0), failure(os.kill, os.getppid(), 0))
        print(failure(socket.socket, socket.AF_UNIX), failure(socket.socketpair))
        print(failure(socket.socketpair, socket.AF_UNIX, socket.SOCK_DGRAM))
        print(failure(os.chmod, {str(file)!r}, 0o777), failure(os.utime, {str(file)!r}, (1, 1)))
        """
    )
    assert answers == ["EPERM", "EPERM", "ENOSYS", "ENETUNREACH", "done", "ENOSYS", "done", "done"]
    assert (file.stat().st_mode, file.stat().st_mtime_ns) == (before.st_mode, before.st_mtime_ns)


@NEEDS_LANDLOCK
def test_landlock_alone_opens_what_is_named_and_nothing_else(tmp_path: Path) -> None:
    for folder in ("readable", "writable", "other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").write_text("x")
    answers = printed(
        f"""
        os.chdir({str(tmp_path)!r})
        landlock.confine(["readable"], ["writable"], ["/dev/null"])
        for folder in ("readable", "writable", "other"):
            print(*(failure(open, f"{{folder}}/{{name}}", mode) for name, mode in (("file", "r"), ("new", "w"))))
            print(failure(os.listdir, folder), failure(os.rename, f"{{folder}}/file", "writable/moved"))
        print(failure(open, "/dev/null", "w"), failure(os.symlink, "/etc", "writable/link"))
        print(failure(os.listdir, "writable/link"), failure(open, "/etc/passwd"))
        """
    )
    denied = errno.errorcode[errno.EACCES]
    assert answers[:8] == ["done", denied, "done", denied, "done", "done", "done", "done"]
    assert set(answers[8:12]) <= {denied, "EXDEV", "ENOENT"}
    assert answers[12:] == ["done", "done", denied, denied]


@NEEDS_LANDLOCK
def test_landlock_alone_keeps_signals_and_connections_in() -> None:
    answers = printed(
        """
        server = socket.create_server(("127.0.0.1", 0))
        named = socket.socket(socket.AF_UNIX)
        named.bind("\\0grader-test")
        named.listen()
        landlock.confine(["/"], [], [])
        print(failure(os.kill, os.getppid(), 0))
        print(failure(socket.create_connection, server.getsockname()))
        child = os.fork()
        if child == 0:
            signal.pause()
        print(failure(os.kill, child, signal.SIGKILL))
        """
    )
    version = landlock.version()
    assert answers[0] == ("EPERM" if version >= landlock.SIGNALS_SINCE else "done")
    assert answers[1] == ("EACCES" if version >= 4 else "done")
    assert answers[2] == "done"


@pytest.fixture
def group() -> Iterator[ControlGroup]:
    try:
        made = ControlGroup()
    except OSError as error:
        pytest.skip(f"needs a control group: {error}")
    yield made
    made.close()


EATER = "import sys, time; sys.stdin.read(1); a = b'x' * (200 << 20); time.sleep(60)"


def test_a_control_group_alone_ends_what_uses_too_much_memory(group: ControlGroup) -> None:
    with subprocess.Popen([sys.executable, "-c", EATER], stdin=subprocess.PIPE) as process:
        group.add(process.pid)
        group.limit(100 << 20, 10)
        assert group.killed() == 0
        before = group.exhausted()
        process.communicate(b"x")
        assert process.returncode == -signal.SIGKILL
    assert group.killed() == 1
    assert group.exhausted() > before


def test_a_control_group_alone_stops_a_fork_bomb(group: ControlGroup) -> None:
    bomb = (
        "import os, sys, time\nsys.stdin.read(1)\nborn = 0\ntry:\n  while os.fork():\n    born += 1\n  time.sleep(60)"
    )
    bomb += "\nexcept BlockingIOError:\n  print(born, flush=True)\n  os.killpg(0, 9)"
    with subprocess.Popen(
        [sys.executable, "-c", bomb], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        group.add(process.pid)
        group.limit(1 << 30, 10)
        out, _ = process.communicate(b"x")
    assert out == b"9\n"


def test_groups_of_graders_that_were_killed_are_removed(group: ControlGroup) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    left = [folder / f"grader-{ended.pid}-0" for folder in set(cgroup.own_groups().values())]
    for folder in left:
        folder.mkdir()
    ControlGroup().close()
    assert not any(folder.exists() for folder in left)


def test_the_watchdog_counts_shared_memory_once() -> None:
    source = (
        "import os, time\na = bytearray(b'x') * (100 << 20)\nos.fork(), os.fork()\nprint(flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        for _ in range(4):
            process.stdout.readline()
        together = processes_of_session(process.pid)
        assert len(together) == 4
        assert uses_more_memory(together, 90 << 20)
        assert not uses_more_memory(together, 200 << 20)
        os.killpg(process.pid, signal.SIGKILL)


TOGETHER = """
import os, time
def many():
    for _ in range(6):
        if os.fork() == 0:
            kept = bytearray(b"x") * (150 << 20)
            time.sleep(60)
            os._exit(0)
    time.sleep(60)
def one():
    return len(bytearray(b"x") * (100 << 20))
"""
LIMITS = Limits(cpu_seconds=10, wall_seconds=20, memory_mb=256)


@pytest.mark.parametrize("level", ["strong", pytest.param("weak", marks=NEEDS_LANDLOCK)])
@pytest.mark.parametrize("grouped", [True, False], ids=["control group", "watchdog"])
def test_memory_is_limited_for_all_processes_of_a_run_together(
    monkeypatch: pytest.MonkeyPatch, level: SandboxLevel, grouped: bool, request: pytest.FixtureRequest
) -> None:
    if grouped:
        request.getfixturevalue("group")
    else:
        monkeypatch.setattr(warm, "_control_group", lambda process: None)
    program = Program((Block("cell 1", TOGETHER),))
    with WarmSandbox(level=level) as sandbox:
        run = sandbox.run(program, [Call(name, name, {}) for name in ("one", "many")], LIMITS)
    assert run.recordings["one"].value == np.array(100 << 20)
    assert run.recordings["many"].outcome is Outcome.OUT_OF_MEMORY
    assert run.recordings["many"].reason == "Its processes used more than 256 MB of memory together."


@NEEDS_LANDLOCK
def test_the_watchdog_alone_ends_a_run_with_too_many_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    # As root, whose processes the kernel does not count, without a control group.
    monkeypatch.setattr(warm, "_control_group", lambda process: None)
    bomb = "import os, time\ndef f():\n    while True:\n        if os.fork() == 0:\n            time.sleep(60)\n"
    bomb += "        time.sleep(0.01)\ndef g():\n    return 1"
    program, calls = Program((Block("cell 1", bomb),)), [Call("f", "f", {}), Call("g", "g", {})]
    with WarmSandbox(level="weak") as sandbox:
        run = sandbox.run(program, calls, replace(LIMITS, processes=8))
    assert run.recordings["f"].outcome in (Outcome.DIED, Outcome.RAISED)
    if run.recordings["f"].outcome is Outcome.DIED:
        assert run.recordings["f"].reason == "Stopped: it ran more than 8 processes and threads at a time."
    assert run.recordings["g"].value == np.array(1)


@NEEDS_LANDLOCK
def test_the_watchdog_alone_ends_a_run_with_too_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "_control_group", lambda process: None)
    bomb = "import threading, time\nthreading.stack_size(1 << 18)\ndef f():\n    for _ in range(100):\n"
    bomb += "        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n    time.sleep(60)\n"
    program, calls = Program((Block("cell 1", bomb),)), [Call("f", "f", {})]
    with WarmSandbox(level="weak") as sandbox:
        run = sandbox.run(program, calls, replace(LIMITS, processes=8, memory_mb=4096))
    assert run.recordings["f"].outcome is Outcome.DIED
    assert run.recordings["f"].reason == "Stopped: it ran more than 8 processes and threads at a time."


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a user of its own, whose processes the kernel counts")
def test_a_performer_is_started_as_soon_as_other_programs_of_the_user_let_it() -> None:
    assert printed(
        """
        import resource, time
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
        from grader.guest.loader import _fork
        try:
            os.setresuid(*[54321] * 3)  # nobody else's
        except OSError:
            print("no such user")
            os._exit(0)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
        resource.setrlimit(resource.RLIMIT_NPROC, (2, 2))
        if os.fork() == 0:
            time.sleep(0.5)
            os._exit(0)
        print(failure(os.fork), flush=True)
        if _fork(alone=False) == 0:
            print("started", flush=True)
            os._exit(0)
        """
    ) in (["EAGAIN", "started"], ["no", "such", "user"])


FORKS = """
import os, resource
def born():
    for _ in range(4):
        if os.fork() == 0:
            os._exit(0)
        os.wait()
    return 4
def allowed():
    return resource.getrlimit(resource.RLIMIT_NPROC)[0]
"""
THREADS = """
import threading, time
for _ in range(200):
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
print(flush=True)
time.sleep(600)
"""


@NEEDS_LANDLOCK
def test_at_the_level_weak_other_programs_of_the_user_take_no_processes_from_a_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(warm, "_control_group", lambda process: None)
    program, calls = Program((Block("cell 1", FORKS),)), [Call("born", "born", {})]
    with WarmSandbox(level="weak") as sandbox:
        who = sandbox.run(Program((Block("cell 1", "import os\nf = os.getuid"),)), [Call("f", "f", {})], LIMITS)
        user = int(who.recordings["f"].value)  # type: ignore[arg-type]
        # The process of the next run has been forked.
        with subprocess.Popen([sys.executable, "-c", THREADS], stdout=subprocess.PIPE, user=user) as other:
            assert other.stdout is not None
            other.stdout.readline()
            run = sandbox.run(program, calls, LIMITS)
            other.kill()
    assert run.recordings["born"].value == np.array(4), run.recordings["born"]


@NEEDS_LANDLOCK
def test_at_the_level_weak_a_control_group_alone_counts_the_processes(group: ControlGroup) -> None:
    program, calls = Program((Block("cell 1", FORKS),)), [Call("allowed", "allowed", {})]
    with WarmSandbox(level="weak") as sandbox:
        run = sandbox.run(program, calls, LIMITS)
    assert run.recordings["allowed"].value == np.array(resource.getrlimit(resource.RLIMIT_NPROC)[0])


CONTAINER = """
import ctypes, errno, os, sys
from grader.sandbox import kernel, system_calls
kernel.control(kernel.PR_SET_NO_NEW_PRIVS, 1)
library = system_calls._libseccomp()
context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(system_calls._ALLOW)))
for name in ("unshare", "setns", "mount", "umount2", "pivot_root", "open_tree", "move_mount", "mount_setattr"):
    number = library.seccomp_syscall_resolve_name(name.encode())
    denied = ctypes.c_uint32(system_calls._ERRNO | errno.EPERM)
    assert library.seccomp_rule_add_array(context, denied, number, 0, None) == 0
assert library.seccomp_load(context) == 0
os.execv(sys.executable, [sys.executable, "-c", sys.argv[1], *sys.argv[2:]])
"""
PROBE = """
from grader.sandbox.layers import isolated_run
print(isolated_run("strong"))
print(isolated_run("weak"))
"""


def in_container(code: str) -> subprocess.CompletedProcess[str]:
    """Run a text where the system calls of namespaces are refused, as container engines do."""
    return subprocess.run(
        [sys.executable, "-c", CONTAINER, code], check=False, cwd=ROOT, capture_output=True, text=True, timeout=120
    )


@NEEDS_LANDLOCK
def test_in_a_container_without_namespaces_there_is_the_weak_level() -> None:
    strong, weak = in_container(PROBE).stdout.splitlines()
    assert "isolate student code at the level strong (unshare: Operation not permitted)" in strong
    assert weak == ""


@NEEDS_LANDLOCK
def test_in_a_container_the_doctor_names_the_weak_level() -> None:
    doctor = in_container("from grader.cli.app import app; app(['doctor'])")
    told = " ".join(doctor.stdout.split())
    assert doctor.returncode == 1
    assert "✗ network namespace: sending the assignment away, fetching solutions needed for the sandbox." in told
    assert "unless you say `--sandbox=weak`" in told


@pytest.mark.parametrize("level", ["strong", pytest.param("weak", marks=NEEDS_LANDLOCK)])
def test_nothing_of_a_sandbox_is_left(level: SandboxLevel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(warm.tempfile, "tempdir", None)
    source = "import os\nos.mkdir('closed', 0)\nopen('file', 'w').write('x')\nos.chmod('.', 0)\ndef f():\n    return 1"
    groups = control_groups()
    with WarmSandbox(level=level) as sandbox:
        run = sandbox.run(Program((Block("cell 1", source),)), [Call("f", "f", {})], LIMITS)
        assert run.recordings["f"].value == np.array(1), run
        deadline = time.monotonic() + 30
        # `os.walk`, since it passes over a folder that goes away under its feet; `rglob` does not.
        while any("closed" in folders for _, folders, _ in os.walk(tmp_path)):
            assert time.monotonic() < deadline, "the files of a run are removed when it has ended"
    assert list(tmp_path.iterdir()) == []
    assert control_groups() <= groups


def control_groups() -> set[Path]:
    """Those of this process: other graders may be at work on this machine."""
    own = f"grader-{os.getpid()}-*"
    return {path for folder in cgroup.own_groups().values() for path in folder.glob(own)}


CROWDED = """
import os, sys
import numpy as np
from grader.sandbox.recording import Call, Limits
from grader.sandbox.warm import WarmSandbox
from grader.submission.program import Block, Program
open(sys.argv[1], "w").write(str(os.getpid()))
source = "import numpy as np\\ndef f():\\n    return np.ones(600 << 17).sum()\\ndef g():\\n    return 1"
calls = [Call(name, name, {}) for name in "fg"]
with WarmSandbox() as sandbox:
    for memory in (2048, 256):
        limits = Limits(memory_mb=memory)
        run = sandbox.run(Program((Block("cell", source),)), calls, limits)
        for recording in run.recordings.values():
            print(recording.outcome, recording.reason)
"""


@pytest.fixture
def crowded() -> Iterator[Path]:
    """A group with less memory than a run may use, as a container may have."""
    above = cgroup.own_groups().get("memory")
    if above is None or not (above / "memory.limit_in_bytes").exists():
        pytest.skip("needs control groups of version 1")
    folder = above / f"crowded-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"needs a control group: {error}")
    try:
        yield folder
    finally:
        _remove(folder)


def _remove(group: Path) -> None:
    """Remove a control group with the groups in it, and what still runs in them."""
    deadline = time.monotonic() + 30
    while group.exists() and time.monotonic() < deadline:
        for each in (*group.glob("grader-*"), group):
            with contextlib.suppress(OSError):  # it is gone, or its last processes are still ending
                for process in (each / "cgroup.procs").read_text().split():
                    os.kill(int(process), signal.SIGKILL)
                each.rmdir()
        time.sleep(0.02)
    assert not group.exists()


def test_memory_that_the_machine_lacks_is_no_fault_of_the_students(crowded: Path) -> None:
    (crowded / "memory.limit_in_bytes").write_text(str(400 << 20))
    done = subprocess.run(
        [sys.executable, "-c", CROWDED, str(crowded / "cgroup.procs")],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "unavailable The machine ran out of memory before a run had used its 2048 MB. Grade fewer submissions at a time"
        " (`--jobs`), or where the machine has more memory.",
        "returned ",
        "out_of_memory ",
        "returned ",
    ]
