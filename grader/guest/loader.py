"""The loop of a student's process: write the files, execute the blocks, start performers, which make the calls.

A performer is a fork of the loader, so a crash in a call never costs what the blocks have defined; the grader then
asks for a fresh one. Where the system cannot fork (Windows), or the blocks have started CUDA, which does not survive a
fork, the loader makes the calls itself.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import warnings
from dataclasses import dataclass
from typing import Any, NoReturn

from grader.guest.frames import TOKEN, Channel, ClosedError, Kind
from grader.guest.limits import limit_cpu
from grader.guest.performing import perform
from grader.guest.workspace import Workspace

# Bound before the student's code, which may patch the modules.
_os = {name: getattr(os, name, None) for name in ("fork", "waitpid", "kill")}
_exit, _getpid = os._exit, os.getpid
_monotonic, _sleep = time.monotonic, time.sleep
_loads, _dumps = json.loads, json.dumps

_PATIENCE = 3.0
"""Seconds in which the other programs of a user who may have no more processes let go of some."""


class Connections:
    """How the grader is reached; here: one channel for everything."""

    def __init__(self, control: Channel) -> None:
        self.control = control

    def for_performer(self) -> Channel:
        """The channel on which the next performer is asked and answers."""
        return self.control

    def in_performer(self) -> None:
        """Called in the performer: drop what only the loader needs."""

    def after_fork(self) -> None:
        """Called in the loader when the performer runs: drop what only the performer needs."""
        self.control.forget()


@dataclass(frozen=True)
class Ended:
    """How a performer ended."""

    exit: int | None
    signal: int | None


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
            elif kind is Kind.PERFORM:
                ended = _performer(connections, workspace, alone)
                control.send(Kind.ENDED, _dumps(ended.__dict__).encode())
    except ClosedError:
        _exit(0)


def _performer(connections: Connections, workspace: Workspace, alone: bool) -> Ended:
    """Start a performer and wait for its end."""
    channel = connections.for_performer()
    if _os["fork"] is None or _cuda_runs():
        _make_calls(channel, workspace)
        return Ended(0, None)
    process = _fork(alone)
    if process == 0:
        code = 1
        try:
            connections.in_performer()
            code = _make_calls(channel, workspace)
        finally:
            _exit(code)
    connections.after_fork()
    _, status = _posix("waitpid", process, 0)
    if alone:
        _clear()
    signaled = os.WIFSIGNALED(status)
    return Ended(exit=None if signaled else os.WEXITSTATUS(status), signal=os.WTERMSIG(status) if signaled else None)


def _cuda_runs() -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and bool(torch.cuda.is_initialized())


def _make_calls(channel: Channel, workspace: Workspace) -> int:
    """Make the calls that are asked for until there are no more; returns the exit code."""
    here = _getpid()
    while True:
        channel.send(Kind.NEXT)
        kind, payload = channel.receive()
        if kind is not Kind.CALL:
            return 0
        limit_cpu(workspace.allowance.cpu)
        token, request = payload[:TOKEN], payload[TOKEN:]
        result = perform(workspace, channel, request)
        # A process that the function forked and that came back has nothing to say.
        if _getpid() != here:
            return 1
        channel.send(Kind.RESULT, token + result)


def _fork(alone: bool) -> int:
    with warnings.catch_warnings():
        # Student code may have started threads; the fork takes only this one along.
        warnings.simplefilter("ignore")
        deadline = _monotonic() + _PATIENCE
        while True:
            try:
                return int(_posix("fork"))
            except OSError:
                if _monotonic() > deadline:
                    raise
            if alone:
                # The blocks left so many processes behind that no other one is allowed.
                _clear()
            _sleep(0.02)


def _clear() -> None:
    """End every other process of the namespace, and collect them."""
    try:
        _posix("kill", -1, signal.SIGKILL)
        while True:
            _posix("waitpid", -1, 0)
    except OSError:
        pass  # nobody is left


def _posix(name: str, *arguments: Any) -> Any:
    function = _os[name]
    assert function is not None
    return function(*arguments)
