"""The two processes of a run: the supervisor, outside the run's pid namespace, and the guest, its first process.

The supervisor holds a lifeline to the grader. When the grader hangs up, asks for the end, or dies, it kills the guest,
and the kernel kills with it every process in the namespace. So nothing that student code started outlives its run.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
from collections import deque
from typing import Any, NoReturn

from grader.guest.frames import Channel, Kind
from grader.guest.limits import Allowance, address_space
from grader.guest.loader import Connections, serve
from grader.guest.workspace import Workspace
from grader.sandbox import kernel
from grader.sandbox.isolation import HOME, enter_run
from grader.sandbox.view import View

_CONTROL = 3
"""The file descriptor of the guest's channel."""


def supervise(lifeline: socket.socket, control: socket.socket, view: View, request: dict[str, Any]) -> NoReturn:
    """Start the guest, see to its end, tell how it ended."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        used = address_space()
        kernel.unshare(kernel.CLONE_NEWPID | kernel.CLONE_NEWNS | kernel.CLONE_NEWIPC)
        guest = os.fork()
    except OSError as error:
        _fail(control, error)
    if guest == 0:
        lifeline.close()
        _be_guest(control, view, request, used)
    control.close()
    poll = select.poll()
    poll.register(lifeline, select.POLLIN)
    poll.register(os.pidfd_open(guest), select.POLLIN)
    poll.poll()
    os.kill(guest, signal.SIGKILL)
    _, status, usage = os.wait4(guest, 0)
    report = {"status": status, "cpu": usage.ru_utime + usage.ru_stime}
    with contextlib.suppress(OSError):  # the grader may be gone
        lifeline.sendall(json.dumps(report).encode())
    os._exit(0)


def _be_guest(control: socket.socket, view: View, request: dict[str, Any], used: int | None) -> NoReturn:
    try:
        kernel.control(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        enter_run(view, request["memory"], used, request["processes"], request["disk"])
        _keep_only(control)
        sockets = SocketConnections(socket.socket(fileno=_CONTROL))
        workspace = Workspace(HOME, Allowance(**request["allowance"]))
    except Exception as error:
        _fail(control, error)
    serve(sockets, workspace, alone=True)


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
