"""What is told about a hidden experiment cannot carry its data."""

from __future__ import annotations

import numpy as np
import pytest

from grader.judge.discretion import discreet
from grader.sandbox.recording import Outcome, Recording, StudentError


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        ("list of 101 numpy.ndarray", "a list of numpy.ndarray"),
        ("numpy.float64", "numpy.float64"),
        ("empty list", "empty list"),
        ("dict", "dict"),
        ("torch.Tensor", "torch.Tensor"),
        ("y73165029", "something of another type"),
        ("list of 3 y73165029", "something of another type"),
        ("list of 73165029 float", "a list of float"),
        ("numpy.linalg", "something of another type"),
        ("numpy.y73165029", "something of another type"),
    ],
)
def test_types_that_everybody_knows_are_named(returned: str, told: str) -> None:
    assert discreet(Recording("e", Outcome.RETURNED, returned_type=returned)).returned_type == told


@pytest.mark.parametrize(("raised", "told"), [("ValueError", "ValueError"), ("LinAlgError", "LinAlgError")])
def test_an_exception_is_named_without_its_message(raised: str, told: str) -> None:
    error = StudentError(raised, "0.73165029", "cell 3", 4, "x = 0.73165029")
    assert discreet(Recording("e", Outcome.RAISED, error=error)).error == StudentError(told, "", "cell 3", 4)


@pytest.mark.parametrize(
    "error",
    [
        StudentError("Y73165029", "", "cell 3", 4),
        StudentError("ValueError", "", "cell 73165029", 4),
        StudentError("ValueError", "", "the number is 73165029", 4),
        StudentError("ValueError", "", "cell 3", 73165029),
    ],
)
def test_what_an_exception_says_of_itself_carries_no_number(error: StudentError) -> None:
    assert "73165029" not in repr(discreet(Recording("e", Outcome.RAISED, error=error)))


@pytest.mark.parametrize(
    ("outcome", "reason", "told"),
    [
        (Outcome.REFUSED, "The result is of type dict. Return numbers: 73165029", "The result is of type dict."),
        (
            Outcome.REFUSED,
            "The result is of type y73165029. Return numbers.",
            "The result is not made of plain numbers, or too large.",
        ),
        (Outcome.REFUSED, "73165029", "The result is not made of plain numbers, or too large."),
        (Outcome.TIMED_OUT, "Stopped after 73165029 s", "Its time was up."),
        (Outcome.DIED, "It ended itself, with exit code 73 (os._exit).", "It ended itself (os._exit)."),
        (Outcome.UNAVAILABLE, "The oracle prox failed: ValueError: 0.73165029", "The oracle prox failed."),
        (Outcome.UNAVAILABLE, "the experiment has no recording", "the experiment has no recording"),
    ],
)
def test_reasons_are_ours(outcome: Outcome, reason: str, told: str) -> None:
    assert discreet(Recording("e", outcome, reason=reason)).reason == told


def test_what_is_judged_stays() -> None:
    recording = Recording("e", Outcome.RETURNED, np.ones(3), "numpy.ndarray", calls={"gradient": 3})
    assert discreet(recording) == recording
