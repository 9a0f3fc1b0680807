"""What a student reads about one experiment.

Of a hidden one no number is told that the student's code had a hand in, but two: the index of the first wrong iterate,
and where an exception was raised (`discretion`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from grader.answer_key.answer import Parts
from grader.answer_key.tolerance import distances
from grader.assignment.experiment import Experiment
from grader.judge.discretion import discreet
from grader.judge.observation import Observation
from grader.sandbox.recording import Outcome, Recording, StudentError

SHOWN_STEPS = 3
"""So many wrong steps are named one by one."""

_PARTS_SHOWN = 10


def placed(experiment: Experiment, sentence: str) -> str:
    """The sentence with the name of its experiment before it."""
    return f"On {'' if experiment.public else 'the hidden experiment '}{experiment.name!r}: {sentence}"


def not_judged(observation: Observation) -> str:
    """Why there are no numbers to judge."""
    recording, function = told(observation), observation.experiment.function
    line = where(recording.error) if recording.error else ""
    match recording.outcome:
        case Outcome.MISSING:
            return f"the function {function} was not found. Is it defined, under exactly this name?"
        case Outcome.RAISED if recording.error is not None:
            return _raised(function, recording.error)
        case Outcome.OUT_OF_MEMORY:
            return f"{function} needed more memory than it may use{line}."
        case Outcome.UNAVAILABLE:
            return f"not graded, because of a fault of the grader, not of yours: {recording.reason}"
        case Outcome.RETURNED:
            return _wrong_form(observation)
        case Outcome.TIMED_OUT | Outcome.DIED:
            return f"{function} did not return: {_lowered(recording.reason).rstrip('.')}{line}."
        case _:
            return f"{_lowered(recording.reason).rstrip('.')}{line}."


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def told(observation: Observation) -> Recording:
    """The recording, as far as its student may be told about it."""
    return observation.recording if observation.experiment.public else discreet(observation.recording)


def _raised(function: str, error: StudentError) -> str:
    if error.type == "NotImplementedError":
        return f"{function} is not written yet: it raises NotImplementedError."
    message = f": {error.message.rstrip('.')}" if error.message else ""
    return f"{function} raised {error.type}{message}{where(error)}."


def where(error: StudentError) -> str:
    """Place of an exception: ", in cell 3, line 4"."""
    line = f", line {error.line}" if error.line is not None else ""
    return f", in {error.block}{line}" if error.block else ""


def _wrong_form(observation: Observation) -> str:
    function, answer = observation.experiment.function, observation.answer
    if observation.numbers is None:
        returned = told(observation).returned_type or "None"
        forgotten = " Is a return statement missing?" if observation.recording.value is None else ""
        return f"{function} returned {returned}; numbers are expected, as {_form(answer.parts)}.{forgotten}"
    public = observation.experiment.public
    returned = _form(observation.numbers) if public else "numbers of another form"
    sentence = f"{function} returned {returned}; expected is {_form(answer.parts)}."
    got, asked = observation.numbers[0], answer.parts[0]
    if len(observation.numbers) != len(answer.parts) or not answer.iterative:
        return sentence
    if got.shape == asked.T.shape:
        return sentence + " The array is transposed: row k must be x_k."
    if public and got.ndim == asked.ndim and got.shape[1:] == asked.shape[1:]:
        return sentence + f" There are {len(got)} iterates; x_0, ..., x_{len(asked) - 1} are {len(asked)}."
    return sentence


def _form(parts: Parts) -> str:
    def one(part: NDArray[np.float64]) -> str:
        return "a number" if part.shape == () else f"an array of shape {part.shape}"

    if len(parts) == 1:
        return one(parts[0])
    more = ", ..." if len(parts) > _PARTS_SHOWN else ""
    return f"{len(parts)} values: " + ", ".join(one(part) for part in parts[:_PARTS_SHOWN]) + more


def differs(observation: Observation, part: int) -> str:
    """Where and by how much the numbers of one part first differ from the reference's."""
    assert observation.parts is not None
    first = observation.first_difference(part)
    got, asked = observation.parts[part], observation.answer.parts[part]
    if not observation.answer.iterative:
        which = f"value {part + 1} of {len(observation.parts)}" if len(observation.parts) > 1 else "the returned value"
        if not np.isfinite(got).all():
            return f"{which} is not finite (nan or inf)."
        return f"{which} is wrong{_size(observation, part, 0)}."
    assert first is not None
    if not np.isfinite(got[first]).all():
        return f"x_{first} is not finite (nan or inf){_before(first)}."
    if first == 0:
        return f"row 0 is not the starting point x0{_size(observation, part, 0)}.{_steps(observation, first)}"
    assert asked.shape == got.shape
    size = _size(observation, part, first)
    return f"x_{first} is the first wrong iterate{_before(first)}{size}.{_steps(observation, first)}"


def _steps(observation: Observation, first: int) -> str:
    """What the one-step residual says about the steps after the first wrong iterate, in a sentence; or nothing."""
    residual = observation.residual
    if residual is None or not residual.telling[first:].any():
        return ""
    wrong = first + 1 + np.flatnonzero(~residual.right[first:])
    if not wrong.size:
        return f" From x_{first + 1} on each step is right, starting from your x_{first}."
    # A step too short to tell may count as right: it is no witness.
    if not (residual.right & residual.telling)[first:].any():
        return " No later step is right either, even starting from your own iterates."
    # Each of them is the student's to choose, and together they tell more than the first one does.
    if wrong.size <= SHOWN_STEPS and observation.experiment.public:
        named = " and ".join(f"x_{k}" for k in wrong)
        which = f"those to {named} are" if wrong.size > 1 else f"the one to {named} is"
        return f" Of the later steps only {which} wrong, starting from your own iterates."
    return ""


def _before(first: int) -> str:
    return f"; x_0 to x_{first - 1} are right" if first > 1 else "; only x_0 is right" if first == 1 else ""


def _size(observation: Observation, part: int, row: int) -> str:
    """How far off, relative to the size of the right numbers; for public experiments only."""
    assert observation.parts is not None
    if not observation.experiment.public:
        return ""
    off = distances(observation.parts[part], observation.answer.parts[part], observation.answer.iterative)[row]
    allowed = observation.allowed(part)[row]
    return f" (off by {off:.2g}; rounding explains {allowed:.1g})"


def agrees(observation: Observation) -> str:
    """All numbers are right."""
    precision = " in single precision" if observation.precision == "float32" else ""
    what = "every iterate is right" if observation.answer.iterative else "right"
    stopped = ""
    if observation.answer.iterative and observation.answer.horizon < len(observation.answer.parts[0]):
        stopped = f" (compared up to k = {observation.answer.horizon - 1}; beyond, rounding alone changes the path)"
    return f"{what}{precision}{stopped}."
