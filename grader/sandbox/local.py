"""`LocalProcess`: runs the own program in a process of its own, without isolation, on any system.

The process speaks over its standard input and output. Two sockets on our side, one for the loader and one for the
performer, let the rest of the sandbox treat it like an isolated one; threads carry the bytes between them.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import IO, Any

from grader.guest.frames import HEADER, Kind
from grader.sandbox.decoding import Ending
from grader.sandbox.driver import UnavailableError, allowance, control_caps, drive, performer_caps
from grader.sandbox.interpreter import command, environment
from grader.sandbox.link import Link
from grader.sandbox.recording import Call, Limits, Run
from grader.sandbox.view import code_root
from grader.submission.program import Program

_INHERITED = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SYSTEMROOT",
    "USERPROFILE",
    "APPDATA",
)
_BOOT = """
import json, sys
settings = json.loads(sys.argv[1])
sys.path[:] = settings.pop("search_path")
from grader.guest.__main__ import main
main(settings)
"""
_OF_PERFORMERS = (Kind.ORACLE, Kind.RESULT, Kind.NEXT)
_PIECE = 1 << 16


class LocalProcess:
    """Runs programs like `WarmSandbox`, but protects from nothing: for students who check their own code.

    Args:
        environment: "numpy" or "torch".
    """

    def __init__(self, environment: str = "numpy") -> None:
        self._environment = environment

    def run(self, program: Program, calls: Sequence[Call], limits: Limits) -> Run:
        """Execute the blocks, then make the calls; nothing that the code does raises an exception here."""
        return drive(lambda: self._start(calls, limits), program, calls, limits)

    def _start(self, calls: Sequence[Call], limits: Limits) -> _LocalRun:
        try:
            return _LocalRun(self._environment, calls, limits)
        except OSError as error:
            raise UnavailableError(f"A process for the code cannot be started: {error}") from error


class _LocalRun:
    """One process, its folder, and the threads that carry its frames."""

    def __init__(self, packages: str, calls: Sequence[Call], limits: Limits) -> None:
        with contextlib.ExitStack() as stack:
            self._folder = tempfile.TemporaryDirectory(prefix="grader-", ignore_cleanup_errors=True)
            stack.callback(self._folder.cleanup)
            ours, self._loader = map(stack.enter_context, socket.socketpair())
            self._process = self._started(packages, limits)
            stack.pop_all()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin: IO[bytes] = self._process.stdin
        self._threads: list[threading.Thread] = []
        self.control = Link(ours, control_caps(limits))
        self._performer: socket.socket | None = None
        self._performer_caps = performer_caps(limits, calls)
        self._carry(self._deliver, self._process.stdout)
        self._carry(self._collect, self._loader)

    def _started(self, packages: str, limits: Limits) -> subprocess.Popen[bytes]:
        settings = {
            "search_path": [code_root(), *(entry for entry in sys.path if os.path.isabs(entry))],
            "home": os.path.realpath(self._folder.name),
            "environment": packages,
            "memory": limits.memory_mb << 20,
            "disk": limits.disk_mb << 20,
            "allowance": asdict(allowance(limits)),
        }
        return subprocess.Popen(
            command(_BOOT, json.dumps(settings)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=environment(_INHERITED),
            cwd=self._folder.name,
            start_new_session=True,
        )

    def open_performer(self, deadline: float) -> Link:
        if self._performer is not None:
            self._performer.close()
        ours, self._performer = socket.socketpair()
        self._carry(self._collect, self._performer)
        self.control.send(Kind.PERFORM, b"", deadline)
        return Link(ours, self._performer_caps)

    def used_up(self) -> str:
        """Nobody watches."""
        return ""

    def end(self) -> Ending:
        self._kill()
        cpu = 0.0
        if hasattr(os, "wait4"):
            _, status, usage = os.wait4(self._process.pid, 0)
            self._process.returncode = os.waitstatus_to_exitcode(status)
            cpu = usage.ru_utime + usage.ru_stime
        code = self._process.wait()
        self.control.close()
        for connected in (self._loader, self._performer):
            if connected is not None:
                # Wakes the thread that waits for it.
                with contextlib.suppress(OSError):
                    connected.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=10)
        for stream in (self._loader, self._performer, self._stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._folder.cleanup()
        return Ending(signal=-code, cpu=cpu) if code < 0 else Ending(exit=code, cpu=cpu)

    def _kill(self) -> None:
        # With all that it started, where the system has groups of processes.
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()

    def _carry(self, carrier: Callable[[Any], None], source: object) -> None:
        thread = threading.Thread(target=carrier, args=(source,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _deliver(self, source: IO[bytes]) -> None:
        """Carry each frame of the process to the socket where it is waited for."""
        with contextlib.suppress(OSError):
            while header := _exactly(source, HEADER.size):
                kind, length = HEADER.unpack(header)
                target = self._performer if kind in _OF_PERFORMERS and self._performer is not None else self._loader
                target.sendall(header)
                while length and (data := source.read(min(length, _PIECE))):
                    target.sendall(data)
                    length -= len(data)
        for connected in (self._loader, self._performer):
            if connected is not None:
                with contextlib.suppress(OSError):
                    connected.shutdown(socket.SHUT_RDWR)

    def _collect(self, source: socket.socket) -> None:
        """Carry what is sent over one of the sockets to the process."""
        with contextlib.suppress(OSError):
            while data := memoryview(source.recv(_PIECE)):
                while data:
                    data = data[self._stdin.write(data) :]


def _exactly(source: IO[bytes], size: int) -> bytes:
    """The next `size` bytes; nothing where the stream ends before."""
    data = b""
    while len(data) < size:
        piece = source.read(size - len(data))
        if not piece:
            return b""
        data += piece
    return data
