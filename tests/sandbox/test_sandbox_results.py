"""What a function returns comes back as plain numbers, or is refused with a sentence."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from grader.sandbox.archive import archived
from grader.sandbox.recording import Call, Limits, Outcome, Recording
from grader.sandbox.warm import WarmSandbox
from grader.submission.program import Block, Program

CallOnce = Callable[..., Recording]

RETURNED = {
    "float": ("1.5", np.array(1.5), "float"),
    "int": ("7", np.array(7), "int"),
    "bool": ("True", np.array(True), "bool"),
    "numpy number": ("np.float32(2)", np.array(2, np.float32), "numpy.float32"),
    "matrix": ("np.ones((2, 3))", np.ones((2, 3)), "numpy.ndarray"),
    "float32 stays float32": ("np.ones(2, np.float32)", np.ones(2, np.float32), "numpy.ndarray"),
    "other byte order": ("np.array([1.0, 2.0], '>f8')", np.array([1.0, 2.0]), "numpy.ndarray"),
    "strided view": (
        "np.arange(6.0).reshape(2, 3).T[::-1]",
        np.arange(6.0).reshape(2, 3).T[::-1],
        "numpy.ndarray",
    ),
    "list of numbers": ("[1, 2.5]", np.array([1, 2.5]), "list of int, float"),
    "list of rows": ("[np.zeros(2), np.ones(2)]", np.array([[0.0, 0], [1, 1]]), "list of 2 numpy.ndarray"),
    "list of lists": ("[[1.0, 2.0], [3.0, 4.0]]", np.array([[1.0, 2], [3, 4]]), "list of 2 list"),
    "empty list": ("[]", np.zeros(0), "empty list"),
    "not finite": (
        "np.array([np.nan, np.inf, -np.inf])",
        np.array([np.nan, np.inf, -np.inf]),
        "numpy.ndarray",
    ),
    "denormal": ("5e-324", np.array(5e-324), "float"),
}


@pytest.mark.parametrize(("expression", "value", "name"), RETURNED.values(), ids=RETURNED.keys())
def test_numbers_come_back_exactly(call: CallOnce, expression: str, value: Any, name: str) -> None:
    recording = call(f"import numpy as np\ndef f():\n    return {expression}")
    assert recording.outcome is Outcome.RETURNED
    assert isinstance(recording.value, np.ndarray)
    assert recording.value.dtype == value.dtype
    np.testing.assert_array_equal(recording.value, value, strict=True)
    assert recording.returned_type == name


def test_a_tuple_stays_a_tuple(call: CallOnce) -> None:
    recording = call("import numpy as np\ndef f():\n    return np.ones(2), 3.0, (None, [1, 2])")
    assert isinstance(recording.value, tuple)
    array, number, (nothing, pair) = recording.value  # type: ignore[misc]
    np.testing.assert_array_equal(array, np.ones(2))  # type: ignore[arg-type]
    assert number == 3.0
    assert nothing is None
    np.testing.assert_array_equal(pair, [1, 2])  # type: ignore[arg-type]


def test_rows_of_different_length_stay_apart(call: CallOnce) -> None:
    value = call("import numpy as np\ndef f():\n    return [np.zeros(2), np.zeros(3)]").value
    assert isinstance(value, tuple)
    assert [part.shape for part in value if isinstance(part, np.ndarray)] == [(2,), (3,)]


def test_none_is_a_value_of_its_own(call: CallOnce) -> None:
    recording = call("def f():\n    pass")
    assert (recording.outcome, recording.value, recording.returned_type) == (Outcome.RETURNED, None, "None")


@pytest.mark.skipif(not find_spec("torch"), reason="torch is not installed")
def test_a_torch_tensor_becomes_an_array(call: CallOnce) -> None:
    recording = call("import torch\ndef f():\n    return torch.ones(2, requires_grad=True), torch.ones(1).bfloat16()")
    assert recording.returned_type == "tuple of 2 torch.Tensor"
    assert isinstance(recording.value, tuple)
    assert [part.dtype.name for part in recording.value if isinstance(part, np.ndarray)] == [
        "float32",
        "float32",
    ]


REFUSED = {
    "subclass": ("class A(np.ndarray): pass", "np.ones(3).view(A)", "subclass of numpy.ndarray"),
    "masked array": ("", "np.ma.array([1.0])", "subclass of numpy.ndarray"),
    "objects": ("", "np.array([1.0, None])", "dtype object"),
    "complex": ("", "np.ones(2, complex)", "complex"),
    "text": ("", "'7.0'", "of type str"),
    "structured": ("", "np.zeros(2, [('a', 'f8')])", "dtype"),
    "class with __array__": ("class A:\n    def __array__(self): return np.ones(3)", "A()", "of type A"),
    "generator": ("", "(k for k in range(3))", "of type generator"),
    "large integer": ("", "10 ** 30", "64 bits"),
    "deep": ("", "((((((1,),),),),),)", "nested"),
    "many parts": ("", "tuple(range(200_000))", "100,000 parts"),
    "too large": ("", "np.zeros(10 ** 6)", "MB"),
    "too large by strides": ("", "np.broadcast_to(0.0, (10 ** 6, 10 ** 6))", "MB"),
}


@pytest.mark.parametrize(("prelude", "expression", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_everything_else_is_refused_with_a_sentence(
    call: CallOnce, prelude: str, expression: str, sentence: str
) -> None:
    recording = call(f"import numpy as np\n{prelude}\ndef f():\n    return {expression}")
    assert recording.outcome is Outcome.REFUSED
    assert sentence in recording.reason
    assert recording.value is None


@pytest.mark.parametrize("expression", ["np.zeros(600_000, bool)", "np.zeros(600_000, 'f4')"])
def test_each_number_counts_as_what_the_judge_makes_of_it(call: CallOnce, expression: str) -> None:
    recording = call(f"import numpy as np\ndef f():\n    return {expression}")
    assert recording.outcome is Outcome.REFUSED
    assert recording.reason.startswith("The result takes more than 4 MB (8 bytes for each number).")


LARGE = "import numpy as np\ndef f(number):\n    return np.full(500_000, float(number))\ndef g():\n    return 1.0\n"
TAMPERED = """
import grader.guest.encoding as encoding
encoding.weight = lambda value: 0
encoding._Encoder._fitting = lambda self, array: array
"""


@pytest.mark.parametrize(
    ("tampered", "sentence"),
    [
        ("", "This result and those of the calls before it together take more than 16 MB. Return only what"),
        (TAMPERED, "The result could not be read: it is too large."),
    ],
    ids=["honest", "only the grader counts"],
)
def test_all_results_together_may_take_four_times_what_one_may(
    sandbox: WarmSandbox, limits: Limits, tampered: str, sentence: str
) -> None:
    calls = [Call(f"f {number}", "f", {"number": number}) for number in range(6)] + [Call("g", "g", {})]
    run = sandbox.run(Program((Block("cell 1", tampered + LARGE),)), calls, limits)
    outcomes = [run.recordings[call.experiment].outcome for call in calls]
    assert outcomes == [Outcome.RETURNED] * 4 + [Outcome.REFUSED] * 2 + [Outcome.RETURNED]
    assert run.recordings["f 5"].reason.startswith(sentence)
    assert len(archived(run)) < 4 * limits.result_mb << 20


def test_a_greedy_function_leaves_every_other_its_share(sandbox: WarmSandbox, limits: Limits) -> None:
    source = LARGE + "def h():\n    return np.ones(200_000)\n"
    calls = [Call(f"f {number}", "f", {"number": number}) for number in range(9)] + [Call("h", "h", {})]
    run = sandbox.run(Program((Block("cell 1", source),)), calls, limits)
    assert run.recordings["f 8"].outcome is Outcome.REFUSED
    assert run.recordings["h"].outcome is Outcome.RETURNED


@pytest.mark.parametrize("tampered", ["", TAMPERED], ids=["honest", "only the grader counts"])
def test_many_small_parts_count_too(sandbox: WarmSandbox, limits: Limits, tampered: str) -> None:
    source = "def f():\n    return tuple(float(number) for number in range(25_000))"
    calls = [Call(f"f {number}", "f", {}) for number in range(6)]
    run = sandbox.run(Program((Block("cell 1", tampered + source),)), calls, limits)
    outcomes = [run.recordings[call.experiment].outcome for call in calls]
    assert outcomes == [Outcome.RETURNED] * 4 + [Outcome.REFUSED] * 2


def test_arguments_are_passed_by_position(call: CallOnce) -> None:
    recording = call(
        "def f(A, n, rate, name, flag):\n    assert (n, rate, name, flag) == (3, 0.1, 'adam', True)\n    return A",
        **{"matrix": np.arange(4, dtype=np.float32), "steps": 3, "x": 0.1, "y": "adam", "z": True},
    )
    assert recording.outcome is Outcome.RETURNED
    np.testing.assert_array_equal(recording.value, np.arange(4, dtype=np.float32), strict=True)  # type: ignore[arg-type]


def test_a_change_of_an_input_is_noticed(call: CallOnce) -> None:
    recording = call("def f(a, b):\n    a -= 1\n    return a", a=np.ones(3), b=np.ones(3))
    assert recording.changed_inputs == ("a",)
    assert recording.outcome is Outcome.RETURNED


def test_a_missing_function_is_named(call: CallOnce) -> None:
    assert call("def g(): pass").outcome is Outcome.MISSING
    recording = call("f = 3")
    assert recording.outcome is Outcome.MISSING
    assert recording.reason == "`f` is not a function but a value of type int."


def test_an_exception_tells_the_line(call: CallOnce) -> None:
    recording = call("import numpy as np\ndef f(A):\n    y = A @ np.ones(7)\n    return y", A=np.ones((2, 3)))
    assert recording.outcome is Outcome.RAISED
    assert recording.error is not None
    assert (recording.error.type, recording.error.block, recording.error.line) == ("ValueError", "cell 1", 3)
    assert recording.error.source_line == "y = A @ np.ones(7)"


def test_what_is_printed_is_kept_up_to_the_limit(call: CallOnce, limits: Limits) -> None:
    assert call("def f():\n    print('Grüße', 1)").printed == "Grüße 1\n"
    printed = call("def f():\n    for _ in range(100):\n        print('x' * 10 ** 6)").printed
    assert printed.startswith("xxx")
    assert printed.endswith("more bytes were cut)")
    assert len(printed) < limits.output_kb * 1024 + 100


@pytest.mark.skipif(not find_spec("torch"), reason="torch is not installed")
def test_torch_is_there_from_the_start_in_its_environment(limits: Limits, sandbox: WarmSandbox) -> None:
    source = """
import sys
here = "torch" in sys.modules
import torch
def f():
    return here, torch.get_num_threads()
"""
    with WarmSandbox("torch") as own:
        run = own.run(Program((Block("cell 1", source),)), [Call("c", "f", {})], limits)
    assert run.recordings["c"].value == (np.array(True), np.array(1))
