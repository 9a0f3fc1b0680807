"""How each kind of check judges one experiment."""

from __future__ import annotations

from functools import singledispatch

import numpy as np

from grader.assignment.check import Bound, Calls, Check, Iterates, LinearRate, UnchangedInputs, Values
from grader.assignment.theorem import theorem
from grader.judge import sentences
from grader.judge.grade import Outcome
from grader.judge.observation import Observation
from grader.judge.rate import fitted_slope, rate_window
from reference.quantities import distance


def judge_experiment(check: Check, observation: Observation) -> Outcome:
    """Whether the check passes on this experiment, in a sentence."""
    if not observation.returned:
        return _outcome(observation, False, sentences.not_judged(observation))
    return _judge(check, observation)


def _outcome(observation: Observation, passed: bool, sentence: str, first: int | None = None) -> Outcome:
    experiment = observation.experiment
    return Outcome(
        experiment=experiment.name, public=experiment.public, passed=passed, sentence=sentence, first_difference=first
    )


@singledispatch
def _judge(check: Check, observation: Observation) -> Outcome:
    raise TypeError(f"there is no way to judge a check of the kind {type(check).__name__}")


@_judge.register
def _(check: Values, observation: Observation) -> Outcome:
    if observation.parts is None:
        return _outcome(observation, False, sentences.not_judged(observation))
    chosen = range(len(observation.parts)) if check.part is None else [check.part]
    for part in chosen:
        if observation.first_difference(part) is not None:
            return _outcome(observation, False, sentences.differs(observation, part))
    return _outcome(observation, True, sentences.agrees(observation))


@_judge.register
def _(check: Iterates, observation: Observation) -> Outcome:
    if observation.parts is None:
        return _outcome(observation, False, sentences.not_judged(observation))
    first = observation.first_difference(0)
    if first is not None:
        return _outcome(observation, False, sentences.differs(observation, 0), first)
    return _outcome(observation, True, sentences.agrees(observation))


def _no_path(observation: Observation) -> Outcome:
    return _outcome(observation, False, sentences.not_judged(observation))


@_judge.register
def _(check: LinearRate, observation: Observation) -> Outcome:
    path, problem = observation.path, observation.experiment.problem
    if path is None or problem is None:
        return _no_path(observation)
    name = sentences.place(observation.experiment)
    window = rate_window(distance(observation.answer.parts[0], problem), observation.allowed(0))
    if window is None:
        return _outcome(observation, True, f"{name}: too few steps to see a rate; not judged.")
    with np.errstate(all="ignore"):
        errors = distance(path, problem)
    slope = fitted_slope(errors, window.start, min(window.stop, len(errors)))
    expected = float(np.exp(window.slope))
    if len(errors) < window.stop - 1:
        return _outcome(observation, False, f"{name}: {len(errors)} iterates are too few to see the rate.")
    if not np.isfinite(slope):
        return _outcome(observation, False, f"{name}: no rate can be fitted to the error, it is zero or not finite.")
    factor = float(np.exp(slope))
    if abs(slope - window.slope) <= window.band:
        return _outcome(observation, True, f"{name}: the error shrinks by the right factor in each step.")
    trend = "grows" if slope > 0 else "shrinks"
    shown = f" by a factor {factor:.4g} in each step, where {expected:.4g} is right"
    return _outcome(
        observation,
        False,
        f"{name}: the error {trend}{shown if observation.experiment.public else ' at a wrong rate'}.",
    )


@_judge.register
def _(check: Bound, observation: Observation) -> Outcome:
    path, answer = observation.path, observation.answer
    holds = theorem(observation.experiment)
    if path is None or holds is None or answer.theorem is None:
        return _no_path(observation)
    with np.errstate(all="ignore"):
        quantity = holds.quantity(path, observation.experiment.problem)
    shared = min(len(quantity), len(answer.theorem.bound))
    limit = answer.theorem.bound[:shared] + answer.theorem.slack[observation.precision][:shared]
    above = np.flatnonzero(~(quantity[:shared] <= limit))  # nan is above
    name = sentences.place(observation.experiment)
    if above.size:
        first = int(above[0])
        sentence = f"{name}: the bound of the theorem is violated from k = {first} on ({holds.sentence})."
        return _outcome(observation, False, sentence, first)
    if shared < len(answer.theorem.bound) - 1:
        return _outcome(observation, False, f"{name}: {shared} iterates are too few to judge the bound.")
    return _outcome(observation, True, f"{name}: the bound holds for every k.")


@_judge.register
def _(check: Calls, observation: Observation) -> Outcome:
    made, needed = observation.recording.calls.get(check.oracle, 0), observation.answer.calls[check.oracle]
    right = needed <= made <= needed + 1 and observation.path is not None
    sentence = f"{sentences.place(observation.experiment)}: {check.oracle} was called {made} times"
    if needed <= made <= needed + 1 and observation.path is None:
        return _no_path(observation)
    return _outcome(observation, right, sentence + ("." if right else f"; {needed} calls are needed."))


@_judge.register
def _(check: UnchangedInputs, observation: Observation) -> Outcome:
    changed, name = observation.recording.changed_inputs, sentences.place(observation.experiment)
    if changed:
        listed = " and ".join(changed)
        return _outcome(
            observation, False, f"{name}: {listed} changed during the call; whoever called the function still needs it."
        )
    if observation.path is None or not sum(observation.recording.calls.values()):
        return _outcome(observation, False, f"{name}: the function did not run the method, so this is not judged.")
    return _outcome(observation, True, f"{name}: the inputs are as they were.")
