"""A limit that is reached ends a call or a block, says so, and costs nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from grader.sandbox.recording import Call, Limits, Outcome, Recording, Run
from grader.sandbox.warm import WarmSandbox
from grader.submission.program import Block, Program

CallOnce = Callable[..., Recording]
Execute = Callable[..., Run]

STUBBORN = """
def f():
    n = 0
    while True:
        try:
            while True:
                n += 1
        except:
            n = 0
def g():
    return 1
"""


def test_an_endless_loop_is_stopped_at_its_line(call: CallOnce) -> None:
    recording = call("def f():\n    n = 0\n    while True:\n        n += 1")
    assert recording.outcome is Outcome.TIMED_OUT
    assert recording.reason == "Stopped after 1 s of processor time."
    assert recording.error is not None
    assert recording.error.line in (3, 4)


def test_sleeping_counts_on_the_clock(call: CallOnce, limits: Limits) -> None:
    recording = call("import time\ndef f():\n    time.sleep(60)", limits=replace(limits, wall_seconds=1.5))
    assert recording.outcome is Outcome.TIMED_OUT
    assert recording.reason == "Stopped after 1.5 s on the clock."
    assert recording.error is not None
    assert recording.error.source_line == "time.sleep(60)"


def test_code_that_swallows_the_interruption_is_killed(execute: Execute) -> None:
    run = execute(STUBBORN, call=["f", "g"])
    assert run.recordings["f"].outcome is Outcome.TIMED_OUT
    assert run.recordings["g"].value == np.array(1)


def test_signals_cannot_be_blocked_for_good(execute: Execute, limits: Limits) -> None:
    source = """
import signal, time
def f():
    signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
    time.sleep(60)
def g():
    return 1
"""
    began = time.monotonic()
    run = execute(source, call=["f", "g"], limits=replace(limits, wall_seconds=1.5))
    assert run.recordings["f"].outcome is Outcome.TIMED_OUT
    assert run.recordings["g"].value == np.array(1)
    assert time.monotonic() - began < 30


def test_a_block_that_never_ends_keeps_its_definitions(execute: Execute) -> None:
    run = execute("A = 3\nwhile True:\n    pass\ndef f():\n    return A", call=["f"])
    assert run.recordings["f"].value == np.array(3)
    (report,) = run.blocks
    assert report.error is not None
    assert (report.label, report.error.type, report.error.line) == ("cell 1", "TimeLimitError", 2)


def test_a_block_that_swallows_the_interruption_keeps_its_definitions(execute: Execute) -> None:
    run = execute(STUBBORN + "f()", "def h():\n    return 2", call=["g", "h"])
    assert (run.recordings["g"].value, run.recordings["h"].value) == (np.array(1), np.array(2))
    (report,) = run.blocks
    assert report.error is not None
    assert report.error.message == "Stopped after 1 s of processor time."
    assert report.remark == "Only its definitions and imports were read."


def test_a_loop_in_c_ends_at_the_hard_limit(call: CallOnce) -> None:
    # Python cannot interrupt it: no bytecode is executed in between.
    recording = call("def f():\n    return sum(range(10 ** 12))")
    assert recording.outcome is Outcome.TIMED_OUT


@pytest.mark.parametrize("where", ["call", "block"])
def test_thirty_gigabytes_are_not_there(execute: Execute, where: str) -> None:
    source = "import numpy as np\ndef f():\n    return np.ones(30 * 2 ** 27).sum()\ndef g():\n    return 1\n"
    run = execute(source if where == "call" else source + "f()", call=["f", "g"])
    assert run.recordings["f"].outcome is Outcome.OUT_OF_MEMORY
    assert run.recordings["f"].error is not None
    assert run.recordings["f"].error.type == "MemoryError"
    assert run.recordings["g"].value == np.array(1)


def test_memory_that_grows_step_by_step_ends_too(call: CallOnce, limits: Limits) -> None:
    source = "def f():\n    kept = []\n    while True:\n        kept.append(bytearray(10 ** 7))"
    recording = call(source, limits=replace(limits, memory_mb=100))
    assert recording.outcome is Outcome.OUT_OF_MEMORY


def test_the_memory_of_the_limit_is_there(call: CallOnce) -> None:
    assert call("import numpy as np\ndef f():\n    return np.empty(50 * 2 ** 20).size").value == np.array(50 * 2**20)


def test_a_fork_bomb_is_bounded(execute: Execute, healthy: Callable[[], bool], limits: Limits) -> None:
    source = """
import os, time
def f():
    born = 0
    try:
        while True:
            if os.fork() == 0:
                time.sleep(60)
                os._exit(0)
            born += 1
    except BlockingIOError:
        return born
def bomb():
    while True:
        try:
            os.fork()
        except OSError:
            pass
def g():
    return 1
"""
    run = execute(source, call=["f", "g", "bomb"], limits=replace(limits, wall_seconds=1.5))
    assert 8 <= int(np.asarray(run.recordings["f"].value)) <= 20
    assert run.recordings["g"].value == np.array(1)
    assert run.recordings["bomb"].outcome in (Outcome.TIMED_OUT, Outcome.DIED)
    assert healthy()


def test_files_may_fill_the_disk_limit_only(call: CallOnce) -> None:
    recording = call(
        """
def f():
    for number in range(100):
        with open(f"/tmp/{number}", "wb") as file:
            file.write(bytes(10 ** 6))
"""
    )
    assert recording.outcome is Outcome.RAISED
    assert recording.error is not None
    assert "No space left" in recording.error.message


def test_when_the_whole_time_is_used_the_rest_is_not_called(execute: Execute, limits: Limits) -> None:
    source = "import time\ndef f():\n    time.sleep(60)\ndef g():\n    return 1\n"
    run = execute(source, call=["f", "g"], limits=replace(limits, total_seconds=1.0))
    assert run.recordings["g"].outcome is Outcome.TIMED_OUT
    assert run.recordings["g"].reason == "Not called: the submission had used all of its 1 s on the clock."


def test_when_blocks_use_half_the_time_the_others_are_read_for_definitions(execute: Execute, limits: Limits) -> None:
    slow = "import time\ntime.sleep(1.2)"
    run = execute(
        slow,
        "raise RuntimeError\ndef f():\n    return 1",
        call=["f"],
        limits=replace(limits, total_seconds=2.0),
    )
    assert run.recordings["f"].value == np.array(1)
    assert [(report.label, report.error) for report in run.blocks] == [("cell 2", None)]
    assert run.blocks[0].remark.startswith("The blocks before it used the time.")


def test_the_start_of_the_process_costs_no_time_of_the_students(
    monkeypatch: pytest.MonkeyPatch, execute: Execute, limits: Limits
) -> None:
    # As where torch is imported from a slow disk.
    start = WarmSandbox._start

    def start_slowly(*arguments: Any) -> Any:
        time.sleep(6)
        return start(*arguments)

    monkeypatch.setattr(WarmSandbox, "_start", start_slowly)
    # Not a definition: it is executed where the blocks have time left.
    source = "f = [lambda: 1][0]"
    run = execute(source, call=["f"], limits=replace(limits, total_seconds=5.0))
    assert run.recordings["f"].value == np.array(1)
    assert run.blocks == ()


def test_a_call_that_is_made_again_finds_what_the_blocks_made_also_late(execute: Execute, limits: Limits) -> None:
    source = """
import time
table = [number for number in range(3)]
left = []
def g():
    time.sleep(4.2)
    left.append(1)
    return 1
def f():
    if left:
        raise MemoryError
    return len(table)
"""
    run = execute(source, call=["g", "f"], limits=replace(limits, total_seconds=8.0))
    assert run.recordings["f"].value == np.array(3)
    assert run.blocks == ()


def test_a_call_that_cannot_be_made_again_in_time_keeps_its_outcome(execute: Execute, limits: Limits) -> None:
    source = "import time\ndef g():\n    return 1\ndef f():\n    time.sleep(4.5)\n    raise MemoryError\n"
    run = execute(source, call=["g", "f", "g", "h"], limits=replace(limits, total_seconds=4.0))
    assert run.recordings["f"].outcome is Outcome.OUT_OF_MEMORY
    assert run.recordings["h"].reason == "Not called: the submission had used all of its 4 s on the clock."


def test_a_program_is_executed_once_more_at_most_however_many_calls_run_out_of_memory(
    sandbox: WarmSandbox, limits: Limits
) -> None:
    source = "import time\ntime.sleep(1)\ndef f(n):\n    if n:\n        raise MemoryError\n    return 1"
    calls = [Call(f"{place}", "f", {"n": place % 2}) for place in range(40)]
    program = Program((Block("cell 1", source),))
    run = sandbox.run(program, calls, replace(limits, wall_seconds=15, total_seconds=15))
    assert {run.recordings[f"{place}"].outcome for place in range(0, 40, 2)} == {Outcome.RETURNED}
    assert {run.recordings[f"{place}"].outcome for place in range(1, 40, 2)} == {Outcome.OUT_OF_MEMORY}
