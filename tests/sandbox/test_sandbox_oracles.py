"""Oracles are answered and counted outside the sandbox."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from grader.sandbox.oracle_arguments import Indices, Number
from grader.sandbox.recording import Call, Limits, Oracle, Outcome, Recording
from grader.sandbox.warm import WarmSandbox
from grader.submission.program import Block, Program

CallOnce = Callable[..., Recording]

GRADIENT = Oracle(lambda x: 2 * x, (3,))
PROX = Oracle(lambda v, t: v / (1 + t), (3,), "v", {"t": Number(0.0)})
ROWS = np.arange(30.0).reshape(10, 3)
SAMPLE = Oracle(lambda x, i: ROWS[i] * x, (3,), "x", {"i": Indices(10)})


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


@pytest.mark.parametrize("end", ["raise MemoryError", "os._exit(1)"])
def test_calls_of_a_discarded_attempt_are_not_free(sandbox: WarmSandbox, limits: Limits, end: str) -> None:
    """`f` is called after another, so it is made again, by a process that has nothing of what the first one asked."""
    source = f"""
import os
def g():
    return 1
def f(gradient):
    for folder in (".", "/tmp", "/dev/shm"):
        if os.path.exists(folder + "/answers"):
            return gradient([0, 0, 0])
    for _ in range(100):
        gradient([1, 1, 1])
    for folder in (".", "/tmp", "/dev/shm"):
        open(folder + "/answers", "w").close()
    {end}
"""
    asked = []
    oracle = Oracle(lambda x: [asked.append(1), 2 * x][1], (3,))
    calls = [Call("g", "g", {}), Call("f", "f", {"gradient": oracle})]
    recording = sandbox.run(Program((Block("cell 1", source),)), calls, limits).recordings["f"]
    assert recording.outcome in (Outcome.OUT_OF_MEMORY, Outcome.DIED)
    assert recording.calls == {"gradient": 100}
    assert len(asked) == 200  # it is made again once


def test_an_oracle_takes_several_arguments_by_position_or_by_name(call: CallOnce) -> None:
    source = """
import inspect
import numpy as np
def f(prox, x):
    assert str(inspect.signature(prox)) == "(v, t)"
    return [prox(x, 1), prox(x, t=np.float32(1)), prox(t=np.array(1.0), v=x)]
"""
    recording = call(source, prox=PROX, x=np.ones(3))
    np.testing.assert_array_equal(np.asarray(recording.value), np.full((3, 3), 0.5))
    assert recording.calls == {"prox": 3}


def test_samples_are_asked_for_by_number_or_many_at_once_and_each_counts(call: CallOnce) -> None:
    source = """
import numpy as np
def f(sample, x):
    batch = sample(x, np.array([2, 0, 2], dtype=np.int32))
    return [*batch, sample(x, 9), sample(x, np.uint8(1)), *sample(x, [4])]
"""
    recording = call(source, sample=SAMPLE, x=np.ones(3))
    np.testing.assert_array_equal(np.asarray(recording.value), ROWS[[2, 0, 2, 9, 1, 4]])
    assert recording.calls == {"sample": 6}


WHOLE = "sample expects a whole number from 0 to 9, or an array of such numbers for i, got "


@pytest.mark.parametrize(
    ("question", "kind", "sentence"),
    [
        ("prox(x)", "TypeError", "prox(v, t): missing a required argument: 't'"),
        ("prox(x, 1, 2)", "TypeError", "prox(v, t): too many positional arguments"),
        ("prox(x, s=1)", "TypeError", "prox(v, t): missing a required argument: 't'"),
        ("prox(1.0, x)", "ValueError", "prox expects an array of shape (3,) for v, got ()"),
        ("prox(x, x)", "ValueError", "prox expects a number of at least 0 for t, got an array of shape (3,)"),
        ("prox(x, -0.5)", "ValueError", "prox expects a number of at least 0 for t, got -0.5"),
        ("prox(x, None)", "ValueError", "prox expects an array of numbers for t, got None"),
        ("sample(x, 10)", "ValueError", WHOLE + "10"),
        ("sample(x, [0, -1])", "ValueError", WHOLE + "-1"),
        ("sample(x, 0.5)", "ValueError", WHOLE + "0.5"),
        ("sample(x, float('nan'))", "ValueError", WHOLE + "nan"),
        ("sample(x, 2**63)", "ValueError", WHOLE + "9.22337203685478e+18"),
        ("sample(x, x > 0)", "ValueError", WHOLE + "truth values"),
        ("sample(x, [])", "ValueError", WHOLE + "an array of shape (0,)"),
        ("sample(x, [[1], [2]])", "ValueError", WHOLE + "an array of shape (2, 1)"),
        ("sample(x, [1] * 1001)", "ValueError", "sample expects at most 1000 whole numbers for i, got 1001"),
        ("sample(x, slice(3))", "ValueError", "sample expects an array of numbers for i, got slice"),
    ],
)
def test_a_wrong_argument_among_several_is_named(call: CallOnce, question: str, kind: str, sentence: str) -> None:
    recording = call(f"def f(prox, sample, x):\n    return {question}", prox=PROX, sample=SAMPLE, x=np.ones(3))
    assert recording.outcome is Outcome.RAISED
    assert recording.error is not None
    assert (recording.error.type, recording.error.message) == (kind, sentence)
    assert recording.error.source_line == f"return {question}"
    assert recording.calls == {"prox": 0, "sample": 0}


def test_infinite_points_are_passed_on(call: CallOnce) -> None:
    recording = call(
        "import numpy as np\ndef f(prox):\n    return prox([np.nan, np.inf, -np.inf], t=1)",
        prox=PROX,
    )
    np.testing.assert_array_equal(np.asarray(recording.value), [np.nan, np.inf, -np.inf])


def test_where_an_oracle_fails_on_nan_the_student_is_told(call: CallOnce) -> None:
    def singular_values(x: np.ndarray) -> np.ndarray:
        return np.linalg.svd(x, compute_uv=False)

    oracle = Oracle(singular_values, (2, 2))
    recording = call("def f(g):\n    return g([[float('nan'), 1], [1, 1]])", g=oracle)
    assert recording.outcome is Outcome.RAISED
    assert recording.error is not None
    assert recording.error.message == "g has no answer where an argument is not finite (nan or inf)"


@pytest.mark.parametrize(
    ("answer", "point"),
    [(lambda x: float(x) ** 2, "1e200"), (lambda x: 1 / float(x) ** 2, "-1e-200")],
    ids=["overflow", "underflow"],
)
def test_where_the_numbers_of_an_oracle_overflow_the_student_is_told(
    call: CallOnce, answer: Callable[[np.ndarray], float], point: str
) -> None:
    recording = call(f"def f(value):\n    return value({point})", value=Oracle(answer, ()))
    assert recording.outcome is Outcome.RAISED
    assert recording.error is not None
    assert recording.error.message == (
        "value has no answer there: its numbers get too large or too small for double precision"
        f" (the largest argument is {abs(float(point)):g})"
    )


@pytest.mark.parametrize(
    "forged",
    [
        "pack_arguments([np.ones(3)])",
        "pack_arguments([np.ones(3), np.ones(()), np.ones(())])",
        "pack_arguments([np.ones(3), np.ones(())])[:-1]",
        "b'O' + pack_arguments([np.ones(3), np.ones(())])[1:]",
        "b'f' + b'\\x02' + bytes(8) + b'\\xff' * 8 + pack_arguments([np.ones(())])",
        "b''",
    ],
)
def test_a_forged_question_ends_the_call(call: CallOnce, healthy: Callable[[], bool], forged: str) -> None:
    source = f"""
from grader.guest.frames import Channel, Kind
from grader.guest.encoding import pack_arguments
import numpy as np
def f(prox):
    channel = next(cell.cell_contents for cell in prox.__closure__ if isinstance(cell.cell_contents, Channel))
    channel.send(Kind.ORACLE, b"\\0" + {forged})
    channel.receive()
"""
    recording = call(source, prox=PROX)
    assert (recording.outcome, recording.reason) == (Outcome.DIED, "The code wrote to the grader's channel.")
    assert recording.calls == {"prox": 0}
    assert healthy()
