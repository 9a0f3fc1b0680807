"""However a call or a block ends its process, the reason is told and the others are graded."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.sandbox.link import LostError
from grader.sandbox.recording import Call, Limits, Oracle, Outcome, Run
from grader.sandbox.warm import SandboxLevel, WarmSandbox
from grader.submission.program import Block, Program

Execute = Callable[..., Run]

ENDS = {
    "os._exit": ("import os", "os._exit(0)", "exit code 0"),
    "segmentation fault": ("import ctypes", "ctypes.string_at(0)", "Segmentation fault"),
    "abort": ("import os", "os.abort()", "crashed"),
    "exec": ("import os", "os.execv('/usr/bin/true', ['true'])", "exit code 0"),
    "kill": ("import os", "os.kill(os.getpid(), 9)", "killed"),
    "closed descriptors": ("import os", "os.closerange(0, 100)", "exit code 1"),
}


@pytest.mark.parametrize(("prelude", "statement", "sentence"), ENDS.values(), ids=ENDS.keys())
def test_a_call_that_ends_its_process_costs_that_call(
    execute: Execute, prelude: str, statement: str, sentence: str
) -> None:
    run = execute(f"{prelude}\ndef f():\n    {statement}\ndef g():\n    return 1", call=["f", "g"])
    recording = run.recordings["f"]
    assert recording.outcome is Outcome.DIED
    assert sentence in recording.reason
    assert run.recordings["g"].value == np.array(1)


@pytest.mark.parametrize(
    "statement",
    [
        "os._exit(0)",
        "ctypes.string_at(0)",
        "os.execv('/usr/bin/true', ['true'])",
        "os.closerange(0, 100)",
        "os.abort()",
    ],
)
def test_a_block_that_ends_the_process_is_reduced_to_its_definitions(execute: Execute, statement: str) -> None:
    run = execute(
        "import os, ctypes",
        f"RATE = 0.5\ndef f():\n    return RATE\n{statement}\ndef g():\n    return 2",
        "def h():\n    return f() + g()",
        call=["f", "g", "h"],
    )
    assert [float(np.asarray(run.recordings[name].value)) for name in "fgh"] == [0.5, 2, 2.5]
    (report,) = run.blocks
    assert (report.label, report.remark) == ("cell 2", "Only its definitions and imports were read.")
    assert report.error is not None
    assert report.error.type == "ProcessEnded"


def test_a_block_whose_definitions_end_the_process_is_left_out(execute: Execute) -> None:
    run = execute(
        "import os\nclass A:\n    os._exit(1)\ndef f():\n    return 1",
        "def g():\n    return 2",
        call=["f", "g"],
    )
    assert run.recordings["f"].outcome is Outcome.MISSING
    assert run.recordings["g"].value == np.array(2)
    assert [report.remark for report in run.blocks] == ["It was left out."]


def test_a_program_that_ends_again_and_again_is_given_up(execute: Execute) -> None:
    deadly = "import os\nclass A:\n    os._exit(1)"
    run = execute(deadly, deadly, deadly, "def f():\n    return 1", call=["f"])
    assert run.recordings["f"].outcome is Outcome.DIED
    assert run.recordings["f"].reason.startswith("The program ended again and again before the call.")


@pytest.mark.parametrize("survived", [0, 1])
def test_a_thread_that_ends_the_process_later_is_not_a_fault_of_ours(execute: Execute, survived: int) -> None:
    source = f"""
import os, threading, time
def wait_and_end():
    while not os.path.exists("go"):
        time.sleep(0.01)
    os._exit(0)
threading.Thread(target=wait_and_end).start()
calls = 0
def f():
    global calls
    calls += 1
    if calls > {survived}:
        open("go", "w").close()
        time.sleep(60)
    return 1
g = h = f
"""
    outcomes = {recording.outcome for recording in execute(source, call=["f", "g", "h"]).recordings.values()}
    # Where a fresh process lives long enough for one call, every call is made.
    assert outcomes == {Outcome.RETURNED if survived else Outcome.DIED}


@pytest.mark.parametrize("statement", ["exit()", "quit()", "sys.exit(0)", "raise SystemExit(3)"])
def test_exit_in_a_block_and_in_a_call(execute: Execute, statement: str) -> None:
    run = execute(f"import sys\ndef f():\n    {statement}\n{statement}\ndef g():\n    return 1", call=["f", "g"])
    assert run.recordings["g"].value == np.array(1)
    recording = run.recordings["f"]
    assert recording.outcome is Outcome.RAISED
    for error in (recording.error, run.blocks[0].error):
        assert error is not None
        assert error.type == "SystemExit"
        assert error.message.startswith("exit() was called; it ends the whole program.")
    assert run.blocks[0].error is not None
    assert run.blocks[0].error.line == 4


def test_input_raises_at_once(execute: Execute) -> None:
    run = execute("n = input('How many? ')", "def f():\n    return input()", call=["f"])
    for error in (run.recordings["f"].error, run.blocks[0].error):
        assert error is not None
        assert error.message.startswith("input() cannot be used here")


def test_a_changed_global_is_seen_by_later_calls_as_in_a_notebook(execute: Execute) -> None:
    source = "seen = []\ndef f():\n    seen.append(1)\n    return len(seen)\n"
    run = execute(source + "def g():\n    return f()", call=["f", "g"])
    assert [int(np.asarray(run.recordings[name].value)) for name in "fg"] == [1, 2]


def test_a_call_does_not_pay_for_an_earlier_one(execute: Execute) -> None:
    """The thread that `f` leaves behind ends the process while `g` works; `g` is made again, in a fresh one."""
    source = (
        "import os, threading, time\n"
        "def f():\n    threading.Timer(0.2, os._exit, [3]).start()\n    return 1\n"
        "def g():\n    time.sleep(0.5)\n    return 2\n"
    )
    run = execute(source, call=["f", "g"])
    assert run.recordings["f"].value == np.array(1)
    assert run.recordings["g"].value == np.array(2)


def test_memory_that_an_earlier_call_keeps_is_not_missed_by_the_next(execute: Execute) -> None:
    source = (
        "import numpy as np\nkept = []\n"
        "def f():\n    kept.append(np.ones(40_000_000))\n    return 1\n"
        "def g():\n    return float(np.ones(40_000_000)[0])\n"
    )
    run = execute(source, call=["f", "g"])
    assert run.recordings["g"].value == np.array(1.0)


def test_a_call_after_others_is_made_again_once(sandbox: WarmSandbox, limits: Limits) -> None:
    """Whatever ends `f`, the first time an earlier call may be to blame; after that it is `f` itself."""
    source = "import os\ndef g():\n    return 1\ndef f(count):\n    count()\n    {}"
    for end in ("raise MemoryError", "os._exit(1)"):
        counts: list[int] = []
        oracle = Oracle(lambda x, counts=counts: counts.append(1) or 0.0, ())
        calls = [Call("g", "g", {}), *(Call(f"f {n}", "f", {"count": oracle}) for n in range(3)), Call("h", "g", {})]
        program = Program((Block("cell 1", source.format(end).replace("count()", "count(0.0)")),))
        run = sandbox.run(program, calls, limits)
        assert {run.recordings[f"f {n}"].outcome for n in range(3)} <= {Outcome.OUT_OF_MEMORY, Outcome.DIED}
        assert [dict(run.recordings[f"f {n}"].calls) for n in range(3)] == [{"count": 1}] * 3
        assert len(counts) == 4  # the later calls of `f` have a performer of their own
        assert run.recordings["h"].value == np.array(1)


def test_after_a_function_ran_out_of_time_its_other_calls_are_not_made(execute: Execute) -> None:
    source = "def f():\n    while True:\n        pass\ndef g():\n    return 2\n"
    run = execute(source, call=["f", "g", "f"])
    assert run.recordings["f"].outcome is Outcome.TIMED_OUT
    assert run.recordings["g"].value == np.array(2)


def test_random_numbers_without_a_seed_are_the_same_each_time(sandbox: WarmSandbox, limits: Limits) -> None:
    source = """
import random, numpy as np
A = np.random.rand(3)
def f():
    return A, np.random.rand(3), random.random(), [int(name) for name in {"1", "2", "3", "4", "5", "6"}]
"""
    values = []
    for _ in range(2):
        with WarmSandbox() as fresh:
            run = fresh.run(Program((Block("cell 1", source),)), [Call("c", "f", {})], limits)
        values.append(repr(run.recordings["c"].value))
    assert values[0] == values[1]


def alive(mark: str) -> list[int]:
    """Processes of this machine whose command line contains a word."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if mark.encode() in (folder / "cmdline").read_bytes():
                    found.append(int(folder.name))
            except OSError:
                continue
    return found


def gone(mark: str) -> bool:
    deadline = time.monotonic() + 30
    while alive(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(mark)


MARK = 10**8 + os.getpid()
"""Seconds that the daemons of this process sleep, by which they are known: other tests may run at the same time."""
DAEMON = """
import os, time
def f():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv("/usr/bin/sleep", ["sleep", "{mark}"])
        os._exit(0)
    time.sleep({seconds})
    return sum(b"sleep" in open(f"/proc/{{p}}/cmdline", "rb").read() for p in os.listdir("/proc") if p.isdigit())
"""


def test_a_daemon_does_not_outlive_its_call(execute: Execute) -> None:
    run = execute(DAEMON.format(mark=f"{MARK}1", seconds=0.2), call=["f"])
    assert run.recordings["f"].value == np.array(1)
    assert gone(f"{MARK}1")


def test_a_daemon_of_a_block_does_not_outlive_its_run(execute: Execute) -> None:
    run = execute(DAEMON.format(mark=f"{MARK}2", seconds=0.2) + "print(f())")
    assert run.blocks[0].printed == "1\n"
    assert gone(f"{MARK}2")


def test_nothing_is_left_when_the_grader_is_killed(sandbox: WarmSandbox) -> None:
    script = f"""
from grader.sandbox.recording import Call, Limits
from grader.sandbox.warm import WarmSandbox
from grader.submission.program import Block, Program
program = Program((Block("cell", {DAEMON.format(mark=f"{MARK}3", seconds=20)!r}),))
with WarmSandbox() as sandbox:
    sandbox.run(program, [Call("c", "f", {{}})], Limits())
"""

    def daemons() -> list[int]:
        return [process for process in alive(f"{MARK}3") if process != grader.pid]

    grader = subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parents[2])
    deadline = time.monotonic() + 60
    while not daemons() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert daemons()
    grader.kill()
    grader.wait()
    deadline = time.monotonic() + 30
    while daemons() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not daemons()


def test_a_warm_parent_that_was_killed_is_started_again(healthy: Callable[[], bool], limits: Limits) -> None:
    with WarmSandbox() as sandbox:
        program = Program((Block("cell 1", "def f():\n    return 1"),))
        for _ in range(3):
            run = sandbox.run(program, [Call("c", "f", {})], limits)
            assert run.recordings["c"].value == np.array(1)
            # After a run with the process that was forked ahead there may be none.
            if sandbox._parent is not None:
                os.kill(sandbox._parent._process.pid, signal.SIGKILL)
                sandbox._parent._process.wait()


def test_a_closed_sandbox_leaves_no_process(limits: Limits, sandbox: WarmSandbox) -> None:
    with WarmSandbox() as own:
        own.run(Program(()), [], limits)
        assert own._parent is not None
        process = own._parent._process
        assert process.poll() is None
    assert process.poll() is not None


def test_a_process_that_is_lost_between_two_calls_is_not_a_fault_of_ours(
    monkeypatch: pytest.MonkeyPatch, execute: Execute
) -> None:
    # As when the watchdog ends it for what an earlier call has left behind.
    start, lost = WarmSandbox._start, []

    def start_and_lose(*arguments: Any) -> Any:
        process = start(*arguments)

        def lose(deadline: float) -> None:
            lost.append(deadline)
            raise LostError

        if not lost:
            process.open_performer = lose  # type: ignore[method-assign]
        return process

    monkeypatch.setattr(WarmSandbox, "_start", start_and_lose)
    run = execute("def f():\n    return 1\ndef g():\n    return 2", call=["f", "g"])
    assert len(lost) == 1
    assert (run.recordings["f"].value, run.recordings["g"].value) == (np.array(1), np.array(2))


@pytest.fixture
def opened() -> Iterator[list[int]]:
    """Descriptors that a test opens beside those of the sandbox; they are closed, and their limit restored."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    descriptors: list[int] = []
    yield descriptors
    for descriptor in descriptors:
        os.close(descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("level", ["strong", "none"])
def test_a_grader_with_very_many_open_files(opened: list[int], limits: Limits, level: SandboxLevel) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (2000, hard))
    except ValueError:
        pytest.skip(f"needs 2000 open files; at most {hard} are allowed here")
    opened += [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    program = Program((Block("cell 1", "def f(x):\n    return x"),))
    long = np.ones(400_000)  # longer than what a socket takes at once
    with WarmSandbox(level=level) as sandbox:
        for _ in range(2):  # the second time with the process that was forked ahead
            run = sandbox.run(program, [Call("c", "f", {"x": long})], limits)
            assert run.recordings["c"].outcome is Outcome.RETURNED, run


def test_a_grader_without_a_file_left_to_open_says_that_it_is_a_fault_of_ours(
    opened: list[int], sandbox: WarmSandbox, healthy: Callable[[], bool], limits: Limits
) -> None:
    assert healthy()
    descriptors = sorted(os.listdir("/proc/self/fd"))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    def open_all(x: np.ndarray) -> float:
        resource.setrlimit(resource.RLIMIT_NOFILE, (len(descriptors) + 100, hard))
        try:
            while True:
                opened.append(os.open(os.devnull, os.O_RDONLY))
        except OSError:
            return 0.0

    source = "import os\ndef f(value):\n    value(0.0)\n    os._exit(1)\ndef g():\n    return 1"
    calls = [Call("f", "f", {"value": Oracle(open_all, ())}), Call("g", "g", {})]
    run = sandbox.run(Program((Block("cell 1", source),)), calls, limits)
    assert run.recordings["g"].outcome is Outcome.UNAVAILABLE
    assert run.recordings["g"].reason.startswith("The sandbox failed: [Errno 24] Too many open files")
    with ExitStack() as stack:
        for descriptor in opened:
            stack.callback(os.close, descriptor)
        opened.clear()
    assert healthy()
    assert len(os.listdir("/proc/self/fd")) == len(descriptors)
