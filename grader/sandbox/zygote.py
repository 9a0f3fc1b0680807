"""The warm parent: imports the packages once, gives up the machine once, then forks a supervisor for every run.

It is started by `grader.sandbox.warm` as a fresh interpreter, holds nothing secret and executes no student code.
It talks to the grader over a socket that keeps messages apart; requests are JSON objects:

{"preload": names}       imports packages that the next program mentions; answer {}
{"run": an `Allotment`}  starts a run, no answer; with two sockets: guest's channel, lifeline
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
from typing import Any, NoReturn

from grader.guest.limits import Allowance
from grader.guest.packages import load, preload
from grader.sandbox.allotment import Allotment
from grader.sandbox.isolation import HOME, Isolation
from grader.sandbox.restriction import Restriction
from grader.sandbox.supervisor import Level, supervise
from grader.sandbox.view import View

MESSAGE = 1 << 16
"""Bytes of the longest message."""


def main(grader: socket.socket, settings: dict[str, Any]) -> NoReturn:
    """Prepare, say so, serve until the grader hangs up.

    Args:
        grader: the socket.
        settings: "environment", "cpu" (core to stay on, or null), "search_path", "shown", "hidden", "devices", "folder"
            (for files of runs, where they cannot be in memory of their own; else null).
    """
    try:
        if settings["cpu"] is not None:
            os.sched_setaffinity(0, {settings["cpu"]})
        load(settings["environment"])
    except (ImportError, OSError) as error:
        _say(grader, failed=str(error))
        os._exit(1)
    view = View(tuple(settings["shown"]), tuple(settings["hidden"]), tuple(settings["devices"]))
    folder = settings["folder"]
    try:
        level = Isolation(view) if folder is None else Restriction(view, folder)
        level.enter()
    except OSError as error:
        _say(grader, missing=error.strerror or str(error))
        os._exit(1)
    sys.path[:] = settings["search_path"]
    unreadable = [path for path in sys.path if not os.access(path, os.R_OK | os.X_OK)]
    if unreadable:
        _say(grader, failed=f"The sandbox's user may not read {unreadable[0]}; run `chmod -R go+rX` on it.")
        os._exit(1)
    os.environ["HOME"] = HOME
    # Supervisors are not waited for.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    _settle()
    _say(grader)
    _serve(grader, level)


def _serve(grader: socket.socket, level: Level) -> NoReturn:
    while True:
        data, descriptors, _, _ = socket.recv_fds(grader, MESSAGE, 2)
        if not data:
            level.leave()
            os._exit(0)
        request = json.loads(data)
        if "preload" in request:
            preload(request["preload"])
            _settle()
            _say(grader)
            continue
        run = request["run"]
        allotment = Allotment(**run | {"allowance": Allowance(**run["allowance"])})
        control, lifeline = (socket.socket(fileno=descriptor) for descriptor in descriptors)
        if os.fork() == 0:
            grader.close()
            supervise(lifeline, control, level, allotment)
        control.close()
        lifeline.close()


def _settle() -> None:
    """Keep the collector away from what is there now, so that children share its memory with us."""
    gc.collect()
    gc.freeze()


def _say(grader: socket.socket, **answer: str) -> None:
    grader.send(json.dumps(answer).encode())
