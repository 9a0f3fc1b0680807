"""The two processes of a run: the supervisor, which runs no student code, and the guest, which does.

The supervisor holds a lifeline to the grader. When the grader hangs up, asks for the end, or dies, it ends the guest
and every process that the guest started. So nothing of student code outlives its run. Meanwhile it watches what they
use.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import socket
from collections import deque
from typing import NoReturn, Protocol

from grader.guest.frames import Channel, Kind
from grader.guest.limits import address_space
from grader.guest.loader import Connections, serve
from grader.guest.workspace import Workspace
from grader.sandbox import kernel
from grader.sandbox.allotment import OWN_PROCESSES, Allotment
from grader.sandbox.watchdog import count_threads, uses_more_memory

_CONTROL = 3
"""The file descriptor of the guest's channel."""
_WATCH_MILLISECONDS = 100
_OWN_MEMORY = 256 << 20
"""Bytes that the processes of a run may use before student code asks for any."""


class Level(Protocol):
    """What stands between student code and the machine: `Isolation` or `Restriction`, which see."""

    alone: bool
    """Whether the guest sees no processes but those of its run."""

    def begin_run(self) -> None:
        """In the supervisor, before it starts the guest."""

    def enter_run(self, allotment: Allotment, used: int | None) -> str:
        """In the guest; returns the home folder."""

    def processes(self, guest: int) -> list[int]:
        """In the supervisor: the processes of the run."""

    def end_run(self, guest: int) -> None:
        """In the supervisor: kill all that is there."""

    def collect(self) -> None:
        """In the supervisor, when the guest is dead: wait until the others are."""

    def clear(self) -> None:
        """In the supervisor, when all are dead and the grader knows: remove what was written."""

    def leave(self) -> None:
        """In the warm parent, before it ends."""


def supervise(lifeline: socket.socket, control: socket.socket, level: Level, allotment: Allotment) -> NoReturn:
    """Start the guest, see to its end, tell how it ended."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        used = address_space()
        level.begin_run()
        guest = os.fork()
    except OSError as error:
        _fail(control, error)
    if guest == 0:
        lifeline.close()
        _be_guest(control, level, allotment, used)
    control.close()
    used_up = _watch(lifeline, level, guest, allotment)
    level.end_run(guest)
    _, status = os.waitpid(guest, 0)
    level.collect()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    report = {"used_up": used_up, "status": status, "cpu": usage.ru_utime + usage.ru_stime}
    with contextlib.suppress(OSError):  # the grader may be gone
        lifeline.sendall(json.dumps(report).encode())
    # After the report: a student who wrote a million files shall not make the grader wait.
    level.clear()
    os._exit(0)


def _watch(lifeline: socket.socket, level: Level, guest: int, allotment: Allotment) -> str:
    """Wait for the end of the guest or a word of the grader; what was used up ("memory", "processes"), if anything."""
    poll = select.poll()
    poll.register(lifeline, select.POLLIN)
    poll.register(os.pidfd_open(guest), select.POLLIN)
    most_processes = allotment.processes + OWN_PROCESSES
    most_memory = allotment.memory + _OWN_MEMORY
    while not poll.poll(_WATCH_MILLISECONDS):
        processes = level.processes(guest)
        if count_threads(processes) > most_processes:
            return "processes"
        if uses_more_memory(processes, most_memory):
            return "memory"
    return ""


def _be_guest(control: socket.socket, level: Level, allotment: Allotment, used: int | None) -> NoReturn:
    try:
        kernel.control(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        home = level.enter_run(allotment, used)
        _keep_only(control)
        sockets = SocketConnections(socket.socket(fileno=_CONTROL))
        workspace = Workspace(home, allotment.allowance)
    except Exception as error:
        _fail(control, error)
    serve(sockets, workspace, alone=level.alone)


def _keep_only(control: socket.socket) -> None:
    """Close every file descriptor but the channel; standard input and output lead nowhere, for C code too."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(control.fileno(), _CONTROL)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    kernel.close_from(_CONTROL + 1)


def _fail(control: socket.socket, error: Exception) -> NoReturn:
    Channel(control.recv, control.send).send(Kind.FAILED, f"{type(error).__name__}: {error}".encode())
    os._exit(1)


class SocketConnections(Connections):
    """A socket for the loader, over which the grader passes a new socket for each performer.

    A performer holds its own socket only: what it writes there can spoil no other one.
    """

    def __init__(self, socket_: socket.socket) -> None:
        super().__init__(Channel(self._receive, socket_.send))
        self._socket = socket_
        self._passed: deque[int] = deque()
        self._performer: socket.socket | None = None

    def _receive(self, size: int) -> bytes:
        data, descriptors, _, _ = socket.recv_fds(self._socket, size, 4)
        self._passed.extend(descriptors)
        return data

    def for_performer(self) -> Channel:
        """The socket that came with the request."""
        self._performer = socket.socket(fileno=self._passed.popleft())
        return Channel(self._performer.recv, self._performer.send)

    def in_performer(self) -> None:
        """Keep the performer's socket only."""
        self._socket.close()

    def after_fork(self) -> None:
        """Keep the loader's socket only."""
        if self._performer is not None:
            self._performer.close()
            self._performer = None
