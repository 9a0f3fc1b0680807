"""How each kind of check judges its experiments: one at a time, or (a property) beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch

import numpy as np

from grader.assignment.check import (
    Bound,
    Calls,
    Check,
    Cost,
    ForbiddenOracle,
    Iterates,
    LinearRate,
    Monotone,
    Property,
    Statistics,
    SublinearRate,
    UnchangedInputs,
    Values,
)
from grader.assignment.theorem import theorem
from grader.judge import sentences
from grader.judge.grade import Outcome
from grader.judge.observation import Observation
from grader.judge.properties import first_growth, violation
from grader.judge.rate import fitted_exponent, fitted_slope, objective_slack, power_window, rate_window
from grader.judge.statistics import departure
from reference.quantities import distance, gap


def judge_check(check: Check, observations: Sequence[Observation]) -> tuple[Outcome, ...]:
    """One outcome for each experiment that the check selects, in this order."""
    if isinstance(check, Property):
        return tuple(_related(check, observation, observations) for observation in observations)
    return tuple(judge_experiment(check, observation) for observation in observations)


def judge_experiment(check: Check, observation: Observation) -> Outcome:
    """Whether the check passes on this experiment, in a sentence."""
    return _judge(check, observation) if observation.returned else _not_judged(observation)


def _passed(observation: Observation, sentence: str) -> Outcome:
    experiment = observation.experiment
    return Outcome(experiment=experiment.name, public=experiment.public, passed=True, sentence=sentence)


def _failed(observation: Observation, sentence: str, first: int | None = None) -> Outcome:
    experiment = observation.experiment
    return Outcome(
        experiment=experiment.name, public=experiment.public, passed=False, sentence=sentence, first_difference=first
    )


def _not_judged(observation: Observation) -> Outcome:
    return _failed(observation, sentences.not_judged(observation))


@singledispatch
def _judge(check: Check, observation: Observation) -> Outcome:
    raise TypeError(f"there is no way to judge a check of the kind {type(check).__name__}")


@_judge.register
def _(check: Values, observation: Observation) -> Outcome:
    if observation.parts is None:
        return _not_judged(observation)
    for part in range(len(observation.parts)) if check.part is None else [check.part]:
        if observation.first_difference(part) is not None:
            return _failed(observation, sentences.differs(observation, part))
    return _passed(observation, sentences.agrees(observation))


@_judge.register
def _(check: Iterates, observation: Observation) -> Outcome:
    if observation.parts is None:
        return _not_judged(observation)
    first = observation.first_difference(0)
    if first is not None:
        return _failed(observation, sentences.differs(observation, 0), first)
    return _passed(observation, sentences.agrees(observation))


@_judge.register
def _(check: LinearRate, observation: Observation) -> Outcome:
    path, problem = observation.path, observation.experiment.problem
    if path is None or problem is None:
        return _not_judged(observation)
    window = rate_window(distance(observation.answer.parts[0], problem), observation.allowed(0))
    if window is None:
        return _passed(observation, "too few steps to see a rate; not judged.")
    with np.errstate(all="ignore"):
        errors = distance(path, problem)
    if len(errors) < window.stop - 1:
        return _failed(observation, f"{len(errors)} iterates are too few to see the rate.")
    slope = fitted_slope(errors, window.start, min(window.stop, len(errors)))
    if not np.isfinite(slope):
        return _failed(observation, "no rate can be fitted to the error: it is zero, or not finite.")
    if abs(slope - window.slope) <= window.band:
        return _passed(observation, "the error shrinks by the right factor in each step.")
    factor, right = np.exp(slope), np.exp(window.slope)
    shown = f"by a factor {factor:.4g} in each step, where {right:.4g} is right"
    trend = "grows" if slope > 0 else "shrinks"
    return _failed(observation, f"the error {trend} {shown if observation.experiment.public else 'at a wrong rate'}.")


@_judge.register
def _(check: SublinearRate, observation: Observation) -> Outcome:
    path, problem, asked = observation.path, observation.experiment.problem, observation.answer.parts[0]
    if path is None or problem is None:
        return _not_judged(observation)
    window = power_window(gap(asked, problem), objective_slack(asked, observation.allowed(0), problem))
    if window is None:
        return _passed(observation, "too few steps to see a rate; not judged.")
    with np.errstate(all="ignore"):
        gaps = gap(path, problem)
    if len(gaps) < window.stop - 1:
        return _failed(observation, f"{len(gaps)} iterates are too few to see the rate.")
    exponent = fitted_exponent(gaps, window.start, min(window.stop, len(gaps)))
    if not np.isfinite(exponent):
        return _failed(observation, "no rate can be fitted to the gap: it is not positive, or not finite.")
    if abs(exponent - window.slope) <= window.band:
        return _passed(observation, "the gap shrinks with the right power of k.")
    if not observation.experiment.public:
        return _failed(observation, "the gap shrinks at a wrong rate, or not at all.")
    got = f"shrinks like k^{exponent:.2f}" if exponent < -0.005 else "does not shrink"
    return _failed(observation, f"the gap {got}, where k^{window.slope:.2f} is right.")


@_judge.register
def _(check: Monotone, observation: Observation) -> Outcome:
    path, problem = observation.path, observation.experiment.problem
    if path is None or problem is None or len(path) < len(observation.answer.parts[0]) - 1:
        return _not_judged(observation)
    if len(path) > 1 and (path == path[0]).all():
        return _failed(observation, "all rows are the same, so there is no run to judge.")
    first = first_growth(observation, problem)
    if first is not None:
        return _failed(observation, f"the objective is larger at x_{first} than at x_{first - 1}.", first)
    return _passed(observation, "the objective never grows.")


@_judge.register
def _(check: Bound, observation: Observation) -> Outcome:
    path, answer = observation.path, observation.answer
    holds = theorem(observation.experiment)
    if path is None or holds is None or answer.theorem is None:
        return _not_judged(observation)
    if len(path) > 1 and (path == path[0]).all():
        return _failed(observation, "all rows are the same, so there is no run to judge.")
    with np.errstate(all="ignore"):
        quantity = holds.quantity(path, observation.experiment.problem)
    shared = min(len(quantity), len(answer.theorem.bound))
    limit = answer.theorem.bound[:shared] + answer.theorem.slack[observation.precision][:shared]
    above = np.flatnonzero(~(quantity[:shared] <= limit))  # nan is above
    if above.size:
        first, theorem_in_words = int(above[0]), holds.sentence.rstrip(".")
        return _failed(observation, f"the bound is violated from k = {first} on ({theorem_in_words}).", first)
    if shared < len(answer.theorem.bound) - 1:
        return _failed(observation, f"{shared} iterates are too few to judge the bound.")
    return _passed(observation, "the bound holds for every k.")


@_judge.register
def _(check: Calls, observation: Observation) -> Outcome:
    made, needed = observation.recording.calls.get(check.oracle, 0), observation.answer.calls[check.oracle]
    if not needed <= made <= needed + 1:
        return _failed(observation, f"{check.oracle} was called {made} times; {needed} calls are needed.")
    if observation.path is None:
        return _not_judged(observation)
    return _passed(observation, f"{check.oracle} was called {made} times.")


@_judge.register
def _(check: ForbiddenOracle, observation: Observation) -> Outcome:
    made = observation.recording.calls.get(check.oracle, 0)
    if made:
        return _failed(observation, f"{check.oracle} was called {made} times; it must not be called here.")
    if observation.parts is None and observation.path is None:
        return _not_judged(observation)
    return _passed(observation, f"{check.oracle} was not called.")


@_judge.register
def _(check: Cost, observation: Observation) -> Outcome:
    made, needed = check.total(observation.recording.calls), check.total(observation.answer.calls)
    if made > needed + max(check.prices.values()):
        return _failed(observation, f"the oracle calls cost {made:g}; {needed:g} is needed.")
    # Less is a better method where the numbers are right, and otherwise no method at all.
    if made < needed and not observation.agrees():
        return _failed(observation, f"the oracle calls cost {made:g}, and the method needs {needed:g}: it was not run.")
    if observation.parts is None and observation.path is None:
        return _not_judged(observation)
    return _passed(observation, f"the oracle calls cost {made:g}.")


@_judge.register
def _(check: Statistics, observation: Observation) -> Outcome:
    if observation.parts is None:
        return _not_judged(observation)
    found = departure(check, observation.parts[0])
    if found is None:
        return _passed(observation, "the random numbers follow the law.")
    return _failed(observation, found.sentence(with_numbers=observation.experiment.public))


@_judge.register
def _(check: UnchangedInputs, observation: Observation) -> Outcome:
    changed = " and ".join(observation.recording.changed_inputs)
    if changed:
        return _failed(observation, f"{changed} changed during the call; whoever called the function still needs it.")
    if observation.path is None or not sum(observation.recording.calls.values()):
        return _failed(observation, "the function did not run the method, so this is not judged.")
    return _passed(observation, "the inputs are as they were.")


def _related(check: Property, observation: Observation, observations: Sequence[Observation]) -> Outcome:
    """The outcome of one experiment of a property: the base is compared with nothing, the others with the base."""
    if observation.parts is None:
        return _not_judged(observation)
    base = _base(check, observation, observations)
    if base is observation:
        return _passed(observation, "this is what the others are compared with.")
    if base is None:
        return _passed(observation, "not judged here, without the experiment that it is compared with.")
    if base.parts is None:
        return _failed(observation, f"not judged, as there is no result of {base.experiment.name!r} to compare with.")
    first = violation(check.relation, base, observation)
    if first is None:
        return _passed(observation, f"beside {base.experiment.name!r}, the property holds.")
    place = f" (from row {first} on)" if observation.answer.iterative else ""
    sentence = f"compared with {base.experiment.name!r}, {check.relation.violated}{place}."
    return _failed(observation, sentence, first if observation.answer.iterative else None)


def _base(check: Property, observation: Observation, observations: Sequence[Observation]) -> Observation | None:
    wanted = (observation.experiment.function, check.on[0])
    return next((o for o in observations if (o.experiment.function, o.experiment.name) == wanted), None)
