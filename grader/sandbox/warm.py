"""`WarmSandbox`: runs programs of strangers, each isolated, from one warm parent process."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from types import TracebackType
from typing import IO, Any

from grader.guest.frames import Kind
from grader.guest.packages import PRELOADED
from grader.sandbox.decoding import Ending
from grader.sandbox.driver import UnavailableError, allowance, control_caps, drive, performer_caps
from grader.sandbox.interpreter import command, environment
from grader.sandbox.link import Link
from grader.sandbox.local import LocalProcess
from grader.sandbox.recording import Call, Limits, Run
from grader.sandbox.view import code_root, search_path, student_view
from grader.submission.program import Program

_START_SECONDS = 120.0
"""For the imports; a cold disk may need long for torch."""
_END_SECONDS = 10.0
_BOOT = """
import json, socket, sys
grader = socket.socket(fileno=0)
settings = json.loads(grader.recv(1 << 16))
sys.path[:] = [settings["code_root"], *settings["search_path"]]
from grader.sandbox.zygote import main
main(grader, settings)
"""
_IMPORT = re.compile(rf"^\s*(?:import|from)\s[^#\n]*?\b({'|'.join(PRELOADED)})\b", re.MULTILINE)


class SandboxUnavailableError(Exception):
    """This machine does not let us isolate student code. Its text says what to do."""


class WarmSandbox:
    """Runs programs, one after the other, in processes that see and reach nothing.

    The parent process is started when it is first needed and again when it dies. Use as a context, or call `close`.

    Args:
        environment: "numpy" or "torch", what is imported ahead.
        weak: where the machine offers no isolation, run all the same, without any. For the own code only.
        cpu: the core to stay on. Messages are fastest if the grader's process is pinned to the same one.
    """

    def __init__(self, environment: str = "numpy", weak: bool = False, cpu: int | None = None) -> None:
        self._environment = environment
        self._weak = weak
        self._cpu = cpu
        self._parent: _WarmParent | None = None
        self._local: LocalProcess | None = None

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
            SandboxUnavailableError: the machine offers no isolation, and `weak` was not asked for.
        """
        if self._local is None:
            try:
                return drive(lambda: self._start(program, calls, limits), program, calls, limits)
            except SandboxUnavailableError:
                if not self._weak:
                    raise
                self._local = LocalProcess(self._environment)
        return self._local.run(program, calls, limits)

    def _start(self, program: Program, calls: Sequence[Call], limits: Limits) -> _WarmProcess:
        for last in (False, True):
            try:
                if self._parent is None:
                    self._parent = _WarmParent(self._environment, self._cpu)
                self._parent.preload(mentioned(program))
                return self._parent.start(calls, limits)
            except (OSError, _DeadError) as error:
                self.close()
                if last:
                    raise UnavailableError(f"The sandbox's warm process does not start: {error}") from error
        raise AssertionError("the second try returns or raises")


def mentioned(program: Program) -> set[str]:
    """The packages of `PRELOADED` that a program imports."""
    helpers = [content.decode("utf-8", "replace") for name, content in program.files.items() if name.endswith(".py")]
    return {name for text in (*(block.source for block in program.blocks), *helpers) for name in _IMPORT.findall(text)}


class _DeadError(Exception):
    """The warm parent is gone or does not answer."""


class _WarmParent:
    """The process that runs `grader.sandbox.zygote`."""

    def __init__(self, packages: str, cpu: int | None) -> None:
        if sys.platform != "linux":
            raise SandboxUnavailableError(
                "Student code can be isolated on Linux only (on Windows, inside WSL 2). For code that you trust,"
                " `--sandbox=weak` goes without."
            )
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket = ours
        self._preloaded: set[str] = set()
        # Not a pipe, which would block the process when nobody reads.
        self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        with theirs:
            self._process = subprocess.Popen(
                command(_BOOT),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=self._complaints,
                env=environment(),
                cwd="/",
                start_new_session=True,
            )
        view = student_view()
        settings = {
            "environment": packages,
            "cpu": cpu,
            "code_root": code_root(),
            "search_path": search_path(),
            "shown": view.shown,
            "hidden": view.hidden,
        }
        try:
            self._send(settings)
            answer = self._hear()
            if "missing" in answer:
                raise SandboxUnavailableError(
                    f"This machine does not let the grader isolate student code ({answer['missing']}). Run"
                    " `grader doctor` to see what is missing and how to get it. For code that you trust,"
                    " `--sandbox=weak` goes without."
                )
            if "failed" in answer:
                raise UnavailableError(answer["failed"])
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._socket.close()
        self._process.kill()
        self._process.wait()
        self._complaints.close()

    def preload(self, names: set[str]) -> None:
        if new := names - self._preloaded:
            self._send({"preload": sorted(new)})
            self._hear()
            self._preloaded |= new

    def start(self, calls: Sequence[Call], limits: Limits) -> _WarmProcess:
        ours, theirs = socket.socketpair()
        lifeline, their_lifeline = socket.socketpair()
        request = {
            "memory": limits.memory_mb << 20,
            "processes": limits.processes,
            "disk": limits.disk_mb << 20,
            "allowance": asdict(allowance(limits)),
        }
        with theirs, their_lifeline:
            try:
                self._send(request, theirs, their_lifeline)
            except BaseException:
                ours.close()
                lifeline.close()
                raise
        return _WarmProcess(Link(ours, control_caps(limits)), lifeline, performer_caps(limits, calls))

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

    def __init__(self, control: Link, lifeline: socket.socket, performer_caps: dict[Kind, int]) -> None:
        self.control = control
        self._lifeline = lifeline
        self._performer_caps = performer_caps

    def open_performer(self, deadline: float) -> Link:
        ours, theirs = socket.socketpair()
        link = Link(ours, self._performer_caps)
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
        return _ending(report["status"], report["cpu"])


def _ending(status: int, cpu: float) -> Ending:
    if os.WIFSIGNALED(status):
        return Ending(signal=os.WTERMSIG(status), cpu=cpu)
    return Ending(exit=os.WEXITSTATUS(status), cpu=cpu)
