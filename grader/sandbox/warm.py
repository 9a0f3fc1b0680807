"""`WarmSandbox`: runs programs of strangers, each isolated, from one warm parent process."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from types import TracebackType
from typing import IO, Any, Literal

from grader.guest.frames import Kind
from grader.guest.gpu import gpu_memory
from grader.guest.packages import PRELOADED
from grader.sandbox.allotment import OWN_PROCESSES, Allotment
from grader.sandbox.cgroup import ControlGroup
from grader.sandbox.decoding import Ending
from grader.sandbox.driver import UnavailableError, allowance, control_caps, drive, performer_caps
from grader.sandbox.gpu import find_gpu
from grader.sandbox.interpreter import command, environment
from grader.sandbox.link import Link
from grader.sandbox.local import LocalProcess
from grader.sandbox.recording import Call, Limits, Run
from grader.sandbox.restriction import make_folder, remove_folder
from grader.sandbox.view import code_root, search_path, student_view
from grader.submission.program import Program

_START_SECONDS = 120.0
"""For the imports; a cold disk may need long for torch."""
_END_SECONDS = 10.0
_OWN_MEMORY = 256 << 20
"""Bytes that the kernel charges to a run beside its student's: page tables, the touched pages of what was imported."""
SandboxLevel = Literal["strong", "weak", "none"]
"""Namespaces and all; Landlock and limits, where there are no namespaces; nothing, for code that is trusted."""
_BOOT = """
import json, socket, sys
grader = socket.socket(fileno=0)
settings = json.loads(grader.recv(1 << 16))
sys.path[:] = [settings["code_root"], *settings["search_path"]]
from grader.sandbox.zygote import main
main(grader, settings)
"""
_IMPORT = re.compile(rf"^[ \t]*(?:import|from)[ \t][^#\n]*?\b({'|'.join(PRELOADED)})\b", re.MULTILINE)
_OPTIMIZER = re.compile(r"\btorch\.optim\b|\bOptimizer\b")


class SandboxUnavailableError(Exception):
    """This machine does not let us isolate student code. Its text says what to do."""


class WarmSandbox:
    """Runs programs, one after the other, in processes that see and reach nothing.

    The parent process is started when it is first needed and again when it dies. Use as a context, or call `close`.

    Args:
        environment: what is imported ahead: "numpy", "torch", or what `grader.guest.gpu.gpu_environment` returns. The
            GPU is passed on by the level "strong" only.
        level: what stands between student code and the machine.
        cpu: the core to stay on. Messages are fastest if the grader's process is pinned to the same one.
    """

    def __init__(self, environment: str = "numpy", level: SandboxLevel = "strong", cpu: int | None = None) -> None:
        self._environment = environment
        self._level = level
        self._cpu = cpu
        self._parent: _WarmParent | None = None
        self._local = LocalProcess(environment) if level == "none" else None

    def __enter__(self) -> WarmSandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the warm parent."""
        if self._parent is not None:
            self._parent.close()
            self._parent = None

    def run(self, program: Program, calls: Sequence[Call], limits: Limits) -> Run:
        """Execute the blocks of the program, then make the calls.

        Nothing that student code does raises an exception here. A fault of ours gives recordings that are unavailable.

        Raises:
            SandboxUnavailableError: the machine does not offer the level.
        """
        if self._local is not None:
            return self._local.run(program, calls, limits)
        run = drive(lambda: self._start(program, calls, limits), program, calls, limits)
        if self._parent is not None:
            try:
                self._parent.prepare(limits)
            except (OSError, _DeadError):
                self.close()  # the next run starts another one
        return run

    def _start(self, program: Program, calls: Sequence[Call], limits: Limits) -> _WarmProcess:
        for last in (False, True):
            try:
                if self._parent is None:
                    self._parent = _WarmParent(self._environment, self._level, self._cpu)
                self._parent.preload(mentioned(program))
                return self._parent.start(calls, limits)
            except (OSError, _DeadError) as error:
                self.close()
                if last:
                    raise UnavailableError(f"The sandbox's warm process does not start: {error}") from error
        raise AssertionError("the second try returns or raises")


def mentioned(program: Program) -> set[str]:
    """The packages of `PRELOADED` that a program imports, and `torch.optim` where it uses that of torch."""
    helpers = [content.decode("utf-8", "replace") for name, content in program.files.items() if name.endswith(".py")]
    texts = [*(block.source for block in program.blocks), *helpers]
    names = {name for text in texts for name in _IMPORT.findall(text)}
    return names | {"torch.optim"} if "torch" in names and any(map(_OPTIMIZER.search, texts)) else names


class _DeadError(Exception):
    """The warm parent is gone or does not answer."""


class _WarmParent:
    """The process that runs `grader.sandbox.zygote`."""

    def __init__(self, packages: str, level: SandboxLevel, cpu: int | None) -> None:
        if sys.platform != "linux":
            raise SandboxUnavailableError(
                "Student code can be isolated on Linux only (on Windows, inside WSL 2). For code that you trust,"
                " `--sandbox=none` goes without."
            )
        view = student_view()
        if gpu_memory(packages) and level == "strong":
            view = view.with_gpu(find_gpu())
        self._preloaded: set[str] = set()
        self._group: ControlGroup | None = None
        self._spare: _WarmProcess | None = None
        with contextlib.ExitStack() as stack:
            self._socket, theirs = map(stack.enter_context, socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET))
            # Not a pipe, which would block the process when nobody reads.
            self._complaints: IO[bytes] = stack.enter_context(tempfile.TemporaryFile())
            self._folder = make_folder() if level == "weak" else None
            if self._folder is not None:
                stack.callback(remove_folder, self._folder)
            self._process = subprocess.Popen(
                command(_BOOT),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=self._complaints,
                env=environment(),
                cwd="/",
                start_new_session=True,
            )
            theirs.close()
            stack.pop_all()
        settings = {
            "environment": packages,
            "cpu": cpu,
            "code_root": code_root(),
            "search_path": search_path(),
            "shown": view.shown,
            "hidden": view.hidden,
            "devices": view.devices,
            "folder": self._folder,
        }
        try:
            self._send(settings)
            answer = self._hear()
            if "missing" in answer:
                raise SandboxUnavailableError(
                    f"This machine does not let the grader isolate student code at the level {level}"
                    f" ({answer['missing']}). Run `grader doctor` to see what is missing, how to get it, and which"
                    " other levels there are."
                )
            if "failed" in answer:
                raise UnavailableError(answer["failed"])
            self._group = _control_group(self._process.pid)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._drop_spare()
        self._socket.close()
        # It ends when the grader hangs up, if it is not busy; then the files of its runs have to be removed for it.
        try:
            self._process.wait(_END_SECONDS if self._folder else 0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._folder is not None:
            remove_folder(self._folder)
        if self._group is not None:
            self._group.close()
        self._complaints.close()

    def preload(self, names: set[str]) -> None:
        if new := names - self._preloaded:
            self._drop_spare()
            self._send({"preload": sorted(new)})
            self._hear()
            self._preloaded |= new

    def start(self, calls: Sequence[Call], limits: Limits) -> _WarmProcess:
        """A process for a run: the one that was forked ahead, where it fits."""
        if self._spare is not None and not self._spare.fits(limits):
            self._drop_spare()
        process, self._spare = self._spare or self._fork(limits), None
        process.performer_caps = performer_caps(limits, calls)
        return process

    def prepare(self, limits: Limits) -> None:
        """Fork a process ahead of need: the next run will most likely have the same limits."""
        self._spare = self._spare or self._fork(limits)

    def _fork(self, limits: Limits) -> _WarmProcess:
        allotment = Allotment(limits.memory_mb << 20, limits.processes, limits.disk_mb << 20, allowance(limits))
        if self._group is not None:
            self._group.limit(allotment.memory + allotment.disk + _OWN_MEMORY, limits.processes + OWN_PROCESSES)
        with contextlib.ExitStack() as stack:
            ours, theirs = map(stack.enter_context, socket.socketpair())
            lifeline, their_lifeline = map(stack.enter_context, socket.socketpair())
            self._send({"run": asdict(allotment)}, theirs, their_lifeline)
            process = _WarmProcess(Link(ours, control_caps(limits)), lifeline, limits, self._group)
            theirs.close()
            their_lifeline.close()
            stack.pop_all()
        return process

    def _drop_spare(self) -> None:
        if self._spare is not None:
            self._spare.end()
            self._spare = None

    def _send(self, message: dict[str, Any], *passed: socket.socket) -> None:
        self._socket.settimeout(_START_SECONDS)
        try:
            socket.send_fds(self._socket, [json.dumps(message).encode()], [each.fileno() for each in passed])
        except OSError as error:
            raise self._dead() from error

    def _hear(self) -> dict[str, Any]:
        try:
            data = self._socket.recv(1 << 16)
        except OSError as error:
            raise self._dead() from error
        if not data:
            raise self._dead()
        answer = json.loads(data)
        assert isinstance(answer, dict)
        return answer

    def _dead(self) -> _DeadError:
        """The end of what the process complained about; it is ended if it hangs."""
        self._process.kill()
        self._process.wait()
        self._complaints.seek(0)
        told = self._complaints.read()[-1000:].decode("utf-8", "replace").strip()
        return _DeadError(told or "it ended without a word")


class _WarmProcess:
    """A run: the guest's channel, and the lifeline of its supervisor."""

    performer_caps: dict[Kind, int]
    """What a performer may send; known when the calls are."""

    def __init__(self, control: Link, lifeline: socket.socket, limits: Limits, group: ControlGroup | None) -> None:
        self.control = control
        self._lifeline = lifeline
        self._limits = limits
        self._group = group
        self._killed_before = group.killed() if group else 0
        self._exhausted_before = group.exhausted() if group else 0
        self._used_up = ""

    def used_up(self) -> str:
        if self._group is not None:
            before, self._killed_before = self._killed_before, self._group.killed()
            if self._killed_before > before:
                # Who has once reached the own limit does not get the machine to blame.
                return "memory" if self._group.exhausted() > self._exhausted_before else "machine"
        return self._used_up

    def fits(self, limits: Limits) -> bool:
        """Whether it was made for these limits and is still there."""
        poll = select.poll()
        poll.register(self._lifeline, select.POLLIN)
        return self._limits == limits and not poll.poll(0)

    def open_performer(self, deadline: float) -> Link:
        ours, theirs = socket.socketpair()
        link = Link(ours, self.performer_caps)
        with theirs:
            try:
                self.control.send(Kind.PERFORM, b"", deadline, passed=theirs)
            except BaseException:
                link.close()
                raise
        return link

    def end(self) -> Ending | None:
        data = b""
        with self._lifeline, contextlib.suppress(OSError):
            self._lifeline.settimeout(_END_SECONDS)
            # Where the guest has ended already, its supervisor has told so and is gone.
            with contextlib.suppress(OSError):
                self._lifeline.sendall(b".")
            data = self._lifeline.recv(1 << 12)
        self.control.close()
        if not data:
            return None
        report = json.loads(data)
        self._used_up = report["used_up"]
        return _ending(report["status"], report["cpu"])


def _control_group(process: int) -> ControlGroup | None:
    """A control group with the process in it, where this machine lets us make one."""
    try:
        group = ControlGroup()
    except OSError:
        return None
    try:
        group.add(process)
    except OSError:
        group.close()
        return None
    return group


def _ending(status: int, cpu: float) -> Ending:
    if os.WIFSIGNALED(status):
        return Ending(signal=os.WTERMSIG(status), cpu=cpu)
    return Ending(exit=os.WEXITSTATUS(status), cpu=cpu)
