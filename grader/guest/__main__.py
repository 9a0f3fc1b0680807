"""A student's process without isolation: reads frames from standard input, writes frames to standard output.

Started by `grader.sandbox.local` with one argument, JSON: "home", "environment", "memory" and
"disk" (bytes), "allowance".
"""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from typing import Any, NoReturn

from grader.guest.frames import Channel, Kind
from grader.guest.gpu import gpu_memory
from grader.guest.limits import Allowance, address_space, end_when_out_of_time, limit_files, limit_memory
from grader.guest.loader import Connections, serve
from grader.guest.packages import load
from grader.guest.workspace import Workspace


def main(settings: dict[str, Any]) -> NoReturn:
    """Serve the grader until it hangs up."""
    channel = _take_standard_streams()
    os.chdir(settings["home"])
    try:
        load(settings["environment"])
    except ImportError as error:
        channel.send(Kind.FAILED, str(error).encode())
        os._exit(1)
    # CUDA reserves more address space than there is memory.
    limit_memory(settings["memory"], None if gpu_memory(settings["environment"]) else address_space())
    limit_files(settings["disk"])
    end_when_out_of_time()
    workspace = Workspace(settings["home"], Allowance(**settings["allowance"]))
    serve(Connections(channel), workspace, alone=False)


def _take_standard_streams() -> Channel:
    """Keep standard input and output for the frames; student code gets nothing there, even through C."""
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)
    if sys.platform == "win32":
        import msvcrt

        for descriptor in (source, sink):
            msvcrt.setmode(descriptor, os.O_BINARY)
    return Channel(partial(os.read, source), partial(os.write, sink))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
