"""The loop of a student's process: write the files, execute the blocks, make the calls that the grader asks for.

Each call runs in a process of its own, so that a crash, a leak or a changed global in one never costs another.
Where the system cannot fork (Windows) the calls share the process.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time
import warnings
from dataclasses import dataclass
from typing import Any, NoReturn

from grader.guest.frames import Channel, ClosedError, Kind
from grader.guest.limits import limit_cpu
from grader.guest.performing import perform
from grader.guest.workspace import Workspace

_GRACE = 1.0
"""Seconds on the clock after the soft limit until the process of a call is killed."""

# Bound before the student's code, which may patch the modules.
_os = {name: getattr(os, name, None) for name in ("fork", "wait4", "kill", "pidfd_open")}
_exit, _close, _getpid = os._exit, os.close, os.getpid
_sleep, _now = time.sleep, time.monotonic
_loads, _dumps = json.loads, json.dumps


class Connections:
    """How the grader is reached; here: one channel for everything."""

    def __init__(self, control: Channel) -> None:
        self.control = control

    def for_call(self) -> Channel:
        """The channel on which the next call asks its oracles and sends its result."""
        return self.control

    def in_call(self) -> None:
        """Called in the process of a call: drop what only the loader needs."""

    def after_call(self) -> None:
        """Called in the loader when the call's process runs: drop what only the call needs."""


@dataclass(frozen=True)
class Ended:
    """How the process of a call ended."""

    exit: int | None
    signal: int | None
    cpu: float
    late: bool
    """It did not end by itself in time and was killed."""


def serve(connections: Connections, workspace: Workspace, alone: bool) -> NoReturn:
    """Do what the grader asks for until it hangs up; then end the process.

    Args:
        connections: the way to the grader.
        workspace: where the program lives.
        alone: this process is the first of its own pid namespace, so that "all other processes" are the student's.
    """
    control = connections.control
    try:
        control.send(Kind.READY)
        while True:
            kind, payload = control.receive()
            if kind is Kind.FILE:
                name, _, content = payload.partition(b"\0")
                workspace.write(name.decode(), content)
            elif kind is Kind.BLOCK:
                block = _loads(payload)
                limit_cpu(workspace.allowance.cpu)
                control.send(Kind.BLOCK_DONE, _dumps(workspace.run_block(**block)).encode())
            elif kind is Kind.CALL:
                ended = _call(connections, workspace, payload, alone)
                control.send(Kind.ENDED, _dumps(ended.__dict__).encode())
    except ClosedError:
        _exit(0)


def _call(connections: Connections, workspace: Workspace, request: bytes, alone: bool) -> Ended:
    channel = connections.for_call()
    if _os["fork"] is None:
        channel.send(Kind.RESULT, perform(workspace, channel, request))
        return Ended(0, None, 0.0, late=False)
    process = _fork(alone)
    if process == 0:
        _in_child(connections, workspace, channel, request)
    connections.after_call()
    ended = _wait(process, workspace.allowance.wall + _GRACE)
    if alone:
        _clear()
    return ended


def _in_child(connections: Connections, workspace: Workspace, channel: Channel, request: bytes) -> NoReturn:
    code = 1
    try:
        connections.in_call()
        limit_cpu(workspace.allowance.cpu)
        here = _getpid()
        result = perform(workspace, channel, request)
        # A process that the function forked and that came back has nothing to say.
        if _getpid() == here:
            channel.send(Kind.RESULT, result)
            code = 0
    finally:
        _exit(code)


def _fork(alone: bool) -> int:
    with warnings.catch_warnings():
        # Student code may have started threads; the fork takes only this one along.
        warnings.simplefilter("ignore")
        try:
            return int(_posix("fork"))
        except OSError:
            if not alone:
                raise
            # The blocks left so many processes behind that no other one is allowed.
            _clear()
            return int(_posix("fork"))


def _wait(process: int, seconds: float) -> Ended:
    """Wait for the end of a child, and make it end when the time is up."""
    late = not _ends(process, seconds)
    if late:
        _posix("kill", process, signal.SIGKILL)
    _, status, usage = _posix("wait4", process, 0)
    signaled = os.WIFSIGNALED(status)
    return Ended(
        exit=None if signaled else os.WEXITSTATUS(status),
        signal=os.WTERMSIG(status) if signaled else None,
        cpu=usage.ru_utime + usage.ru_stime,
        late=late,
    )


def _ends(process: int, seconds: float) -> bool:
    if _os["pidfd_open"] is not None:
        descriptor = _posix("pidfd_open", process)
        try:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            return bool(poll.poll(seconds * 1000))
        finally:
            _close(descriptor)
    deadline = _now() + seconds
    while _now() < deadline:
        if os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return True
        _sleep(0.002)
    return False


def _clear() -> None:
    """End every other process of the namespace, and collect them."""
    try:
        _posix("kill", -1, signal.SIGKILL)
        while True:
            _posix("wait4", -1, 0)
    except OSError:
        pass  # nobody is left


def _posix(name: str, *arguments: Any) -> Any:
    function = _os[name]
    assert function is not None
    return function(*arguments)
