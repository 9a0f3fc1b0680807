"""Without isolation, for the own code: the same answers through pipes, on any system."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from grader.sandbox import warm
from grader.sandbox.local import LocalProcess
from grader.sandbox.recording import Call, Limits, Oracle, Outcome, Run
from grader.sandbox.warm import SandboxUnavailableError, WarmSandbox
from grader.submission.program import Block, Program

SOURCE = """
import os, time
import numpy as np
def f(gradient, x, n):
    path = [x]
    for _ in range(n):
        x = x - 0.1 * gradient(x)
        path.append(x)
    print("done")
    return path
def die():
    os._exit(3)
def loop():
    n = 0
    while True:
        n += 1
def stubborn():
    n = 0
    while True:
        try:
            while True:
                n += 1
        except:
            n = 0
def noisy():
    os.write(1, b"x" * 1000)
    os.write(2, b"x" * 1000)
    return 1
def spoil():
    for number in range(3, 20):
        try:
            os.write(number, b"\\xff" * 100)
        except OSError:
            pass
    return 1
def big():
    return np.zeros(4 * 2 ** 17)
def memory():
    return np.ones(30 * 2 ** 27)
def read():
    return float(open("data.txt").read())
def one():
    return 1
"""


@pytest.fixture(scope="module")
def local(request: pytest.FixtureRequest) -> Callable[..., Run]:
    sandbox = LocalProcess()

    def run(*functions: str, source: str = SOURCE, **limits: float) -> Run:
        program = Program((Block("the script", source),), files={"data.txt": b"2.5"})
        used = replace(Limits(cpu_seconds=1, wall_seconds=1.5, memory_mb=512, result_mb=4), **limits)  # type: ignore[arg-type]
        return sandbox.run(program, [Call(name, name, {}) for name in functions], used)

    return run


def test_oracles_and_results() -> None:
    gradient = Oracle(lambda x: 2 * x, (3,))
    call = Call("c", "f", {"gradient": gradient, "x": np.ones(3), "n": 4})
    recording = LocalProcess().run(Program((Block("the script", SOURCE),)), [call], Limits()).recordings["c"]
    assert (recording.calls, recording.printed, recording.returned_type) == (
        *({"gradient": 4}, "done\n"),
        "list of 5 numpy.ndarray",
    )
    np.testing.assert_allclose(np.asarray(recording.value)[:, 0], 0.8 ** np.arange(5))


def test_each_call_has_its_own_end(local: Callable[..., Run]) -> None:
    recordings = local("die", "one", "loop", "memory", "noisy", "big", "read", "missing").recordings
    assert {name: recording.outcome for name, recording in recordings.items()} == {
        "die": Outcome.DIED,
        "one": Outcome.RETURNED,
        "loop": Outcome.TIMED_OUT,
        "memory": Outcome.OUT_OF_MEMORY,
        "noisy": Outcome.RETURNED,
        "big": Outcome.RETURNED,
        "read": Outcome.RETURNED,
        "missing": Outcome.MISSING,
    }
    assert recordings["read"].value == np.array(2.5)


def test_code_that_swallows_the_interruption_is_killed(local: Callable[..., Run]) -> None:
    recordings = local("stubborn", "one").recordings
    assert recordings["stubborn"].outcome is Outcome.TIMED_OUT
    assert recordings["one"].value == np.array(1)


def test_garbage_on_the_pipe_costs_one_call(local: Callable[..., Run]) -> None:
    recordings = local("spoil", "one").recordings
    assert recordings["spoil"].outcome is Outcome.DIED
    assert recordings["one"].value == np.array(1)


def test_a_script_that_ends_the_process_keeps_its_definitions(local: Callable[..., Run]) -> None:
    run = local("one", source=SOURCE + "\nos._exit(0)")
    assert run.recordings["one"].value == np.array(1)
    assert run.blocks[0].remark == "Only its definitions and imports were read."


def test_where_the_system_cannot_fork_the_calls_share_a_process(local: Callable[..., Run]) -> None:
    # As on Windows: the loader finds no `fork`.
    source = "import grader.guest.loader as loader\nloader._os['fork'] = None\nseen = []\n" + SOURCE
    source += "def count():\n    seen.append(1)\n    return len(seen)\ndef again():\n    return count()\n"
    recordings = local("count", "again", "die", "one", source=source).recordings
    assert [int(np.asarray(recordings[name].value)) for name in ("count", "again", "one")] == [1, 2, 1]
    assert recordings["die"].outcome is Outcome.DIED


def test_nothing_is_left_open(local: Callable[..., Run]) -> None:
    local("one")
    before = sorted(os.listdir("/proc/self/fd"))
    local("one", "die")
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_without_isolation_strangers_code_is_not_run_unless_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(packages: str, level: str, cpu: int | None) -> None:
        raise SandboxUnavailableError("Not here.")

    monkeypatch.setattr(warm, "_WarmParent", refuse)
    program, calls = Program((Block("cell 1", "def f():\n    return 1"),)), [Call("c", "f", {})]
    with WarmSandbox() as sandbox, pytest.raises(SandboxUnavailableError, match="Not here"):
        sandbox.run(program, calls, Limits())
    with WarmSandbox(level="none") as sandbox:
        assert sandbox.run(program, calls, Limits()).recordings["c"].value == np.array(1)


def test_a_warm_parent_that_does_not_start_is_a_fault_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "_BOOT", "raise SystemExit('no memory')")
    run = WarmSandbox().run(Program(()), [Call("c", "f", {})], Limits())
    assert run.recordings["c"].outcome is Outcome.UNAVAILABLE
    assert run.recordings["c"].reason == "The sandbox's warm process does not start: no memory"


def test_a_package_that_is_missing_is_named() -> None:
    program, calls = Program(()), [Call("c", "f", {})]
    blocked = "import sys; sys.modules['torch'] = None\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(warm, "_BOOT", blocked + warm._BOOT)
        run = WarmSandbox("torch").run(program, calls, Limits())
    assert run.recordings["c"].outcome is Outcome.UNAVAILABLE
    assert "pip install torch" in run.recordings["c"].reason


def test_an_argument_that_cannot_cross_is_a_fault_of_ours(local: Callable[..., Run]) -> None:
    calls = [Call("c", "one", {"z": np.ones(2, complex)}), Call("d", "one", {})]
    run = LocalProcess().run(Program((Block("the script", SOURCE),)), calls, Limits())
    assert run.recordings["c"].outcome is Outcome.UNAVAILABLE
    assert run.recordings["d"].value == np.array(1)
