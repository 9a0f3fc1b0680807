"""Oracles are answered and counted outside the sandbox."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from grader.sandbox.recording import Call, Limits, Oracle, Outcome, Recording
from grader.sandbox.warm import WarmSandbox
from grader.submission.program import Block, Program

CallOnce = Callable[..., Recording]

GRADIENT = Oracle(lambda x: 2 * x, (3,))


def test_the_answers_are_used_and_the_calls_counted(call: CallOnce) -> None:
    value = Oracle(lambda x: float(x @ x), (3,))
    recording = call(
        "def f(gradient, value, x):\n    for _ in range(5):\n        x = x - 0.1 * gradient(x)\n    return value(x)",
        gradient=GRADIENT,
        value=value,
        x=np.ones(3),
    )
    assert recording.calls == {"gradient": 5, "value": 1}
    np.testing.assert_allclose(np.asarray(recording.value), 3 * 0.8**10)


def test_an_oracle_that_is_not_called_counts_nothing(call: CallOnce) -> None:
    assert call("def f(gradient):\n    return 0", gradient=GRADIENT).calls == {"gradient": 0}


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("np.ones((3, 1))", "gradient expects an array of shape (3,), got (3, 1)"),
        ("1.0", "gradient expects an array of shape (3,), got ()"),
        ("'abc'", "gradient expects an array of numbers, got str"),
        ("None", "gradient expects an array of numbers, got None"),
        ("np.ones(3, complex)", "gradient expects an array of numbers, got numpy.ndarray"),
        ("[[1], [2, 3]]", "gradient expects an array of numbers, got list of 2 list"),
    ],
)
def test_a_wrong_argument_is_an_error_of_the_students(call: CallOnce, argument: str, sentence: str) -> None:
    recording = call(f"import numpy as np\ndef f(gradient):\n    return gradient({argument})", gradient=GRADIENT)
    assert recording.outcome is Outcome.RAISED
    assert recording.error is not None
    assert (recording.error.type, recording.error.message) == ("ValueError", sentence)
    assert recording.error.source_line == f"return gradient({argument})"
    assert recording.calls == {"gradient": 0}


def test_lists_integers_and_float32_are_points_too(call: CallOnce) -> None:
    recording = call(
        "import numpy as np\ndef f(g):\n    return [g([1, 2, 3]), g(np.arange(3)), g(np.ones(3, np.float32))]",
        g=GRADIENT,
    )
    np.testing.assert_array_equal(recording.value, [[2.0, 4, 6], [0, 2, 4], [2, 2, 2]])  # type: ignore[arg-type]


def test_the_student_holds_neither_data_nor_counter(call: CallOnce) -> None:
    secret = 123456.789
    recording = call(
        f"""
import gc
def f(gradient):
    cells = [cell.cell_contents for cell in gradient.__closure__]
    return any(isinstance(thing, float) and thing == {secret} for thing in gc.get_objects() + cells)
""",
        gradient=Oracle(lambda x: secret * x, (3,)),
    )
    assert recording.value == np.array(False)


def test_a_failing_oracle_is_a_fault_of_ours(call: CallOnce, healthy: Callable[[], bool]) -> None:
    def broken(x: np.ndarray) -> float:
        raise RuntimeError("no data")

    recording = call("def f(value):\n    return value(3.0)", value=Oracle(broken, ()))
    assert recording.outcome is Outcome.UNAVAILABLE
    assert recording.reason == "The oracle value failed: RuntimeError: no data"
    assert healthy()


def test_overflow_in_an_oracle_is_no_fault(call: CallOnce) -> None:
    recording = call("def f(value):\n    return value(1e300)", value=Oracle(lambda x: x**3, ()))
    assert recording.value == np.array(np.inf)


def test_calls_are_counted_for_each_call_alone(sandbox: WarmSandbox, limits: Limits) -> None:
    program = Program((Block("cell 1", "def f(g, n):\n    for _ in range(n): g([0, 0, 0])"),))
    calls = [Call(f"{n} calls", "f", {"g": GRADIENT, "n": n}) for n in (3, 0, 2)]
    run = sandbox.run(program, calls, limits)
    assert [recording.calls["g"] for recording in run.recordings.values()] == [3, 0, 2]


def test_calls_before_a_crash_are_counted(call: CallOnce) -> None:
    recording = call("import os\ndef f(g):\n    g([1, 1, 1])\n    os._exit(1)", g=GRADIENT)
    assert (recording.outcome, recording.calls) == (Outcome.DIED, {"g": 1})
