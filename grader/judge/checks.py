"""How each kind of check judges its experiments: one at a time, or (a property) beside each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, singledispatch

import numpy as np
from numpy.typing import NDArray

from grader.answer_key.answer import Answer, Parts
from grader.answer_key.tolerance import rows
from grader.assignment.check import (
    Bound,
    Calls,
    Check,
    Cost,
    ForbiddenOracle,
    Iterates,
    LinearRate,
    Monotone,
    OptimizerSteps,
    Property,
    Statistics,
    SublinearRate,
    Training,
    UnchangedInputs,
    Values,
)
from grader.assignment.drive import Drive
from grader.assignment.errors import AssignmentError
from grader.assignment.experiment import Experiment
from grader.assignment.theorem import theorem
from grader.judge import sentences
from grader.judge.grade import Outcome
from grader.judge.observation import Observation
from grader.judge.properties import first_growth, violation
from grader.judge.rate import RateWindow, fitted_exponent, fitted_slope, linear_rate, sublinear_rate
from grader.judge.statistics import departure
from reference.quantities import distance, gap

COMPARING = (Values, Iterates, OptimizerSteps, Property)
"""They compare the returned numbers with others, and say themselves where one of these is nan or inf."""
MEASURING = (LinearRate, SublinearRate, Monotone, Bound, Training)
"""They measure the returned numbers by functions of a problem, which may give anything for nan and inf, or fail."""


def judge_check(check: Check, observations: Sequence[Observation]) -> tuple[Outcome, ...]:
    """One outcome for each experiment that the check selects, in this order."""
    if isinstance(check, Property):
        related = (_related(check, observation, observations) for observation in observations)
        return tuple(_finite(check, o, outcome) for o, outcome in zip(observations, related, strict=True))
    return tuple(judge_experiment(check, observation) for observation in observations)


def judge_experiment(check: Check, observation: Observation) -> Outcome:
    """Whether the check passes on this experiment, in a sentence."""
    if not observation.returned:
        return _not_judged(observation)
    if isinstance(check, MEASURING) and not _only_finite(observation):
        return _not_finite(observation)
    return _finite(check, observation, _judge(check, observation))


def _finite(check: Check, observation: Observation, outcome: Outcome) -> Outcome:
    """The outcome; failed where it was passed with nan or inf in numbers that were not compared."""
    part = check.part if isinstance(check, Values) else None
    if not outcome.passed or not isinstance(check, COMPARING) or _only_finite(observation, part):
        return outcome
    return _not_finite(observation)


def _not_finite(observation: Observation) -> Outcome:
    return _failed(observation, "the result contains nan or inf.")


def _only_finite(observation: Observation, part: int | None = None) -> bool:
    """Whether the returned numbers (or one part of them) are finite, except in rows where the answer's are not."""
    returned = observation.numbers if observation.parts is None else observation.parts
    pairs = list(zip(returned or (), observation.answer.parts, strict=False))
    return all(_finite_beside(got, asked) for got, asked in (pairs if part is None else [pairs[part]]))


def _finite_beside(got: NDArray[np.float64], asked: NDArray[np.float64]) -> bool:
    finite, right = (np.asarray(np.isfinite(rows(part, iterative=True)).all(axis=1)) for part in (got, asked))
    shared = min(len(finite), len(right)) if got.shape[1:] == asked.shape[1:] else 0
    return bool((finite[:shared] | ~right[:shared]).all() and finite[shared:].all())


def _rows(observation: Observation) -> NDArray[np.float64] | None:
    """The iterates, (rows, ...); None where there are none. One row more than asked for shows that there are more."""
    return None if observation.path is None else observation.path[: len(observation.answer.parts[0]) + 1]


def _passed(observation: Observation, sentence: str) -> Outcome:
    experiment = observation.experiment
    return Outcome(experiment=experiment.name, public=experiment.public, passed=True, sentence=sentence)


def _failed(observation: Observation, sentence: str, first: int | None = None) -> Outcome:
    experiment = observation.experiment
    return Outcome(
        experiment=experiment.name, public=experiment.public, passed=False, sentence=sentence, first_difference=first
    )


def _told(observation: Observation, number: str, instead: str) -> str:
    """A number that the student's code had a hand in; other words of a hidden experiment, whose data could be in it."""
    return number if observation.experiment.public else instead


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
    path, problem = _rows(observation), observation.experiment.problem
    if path is None or problem is None:
        return _not_judged(observation)
    window = linear_rate(observation.experiment, observation.answer, observation.precision)
    if window is None:
        return _without_rate(check, observation, linear_rate)
    with np.errstate(all="ignore"):
        errors = distance(path, problem)
    if len(errors) < window.stop - 1:
        return _failed(observation, "there are too few iterates to see the rate.")
    slope = fitted_slope(errors, window.start, min(window.stop, len(errors)))
    if not np.isfinite(slope):
        return _failed(observation, "no rate can be fitted to the error: it is zero, or not finite.")
    if abs(slope - window.slope) <= window.band:
        return _passed(observation, "the error shrinks by the right factor in each step.")
    factor, right = np.exp(slope), np.exp(window.slope)
    rate = _told(observation, f"by a factor {factor:.4g} in each step, where {right:.4g} is right", "at a wrong rate")
    return _failed(observation, f"the error {'grows' if slope > 0 else 'shrinks'} {rate}.")


@_judge.register
def _(check: SublinearRate, observation: Observation) -> Outcome:
    path, problem = _rows(observation), observation.experiment.problem
    if path is None or problem is None:
        return _not_judged(observation)
    window = sublinear_rate(observation.experiment, observation.answer, observation.precision)
    if window is None:
        return _without_rate(check, observation, sublinear_rate)
    with np.errstate(all="ignore"):
        gaps = gap(path, problem)
    if len(gaps) < window.stop - 1:
        return _failed(observation, "there are too few iterates to see the rate.")
    exponent = fitted_exponent(gaps, window.start, min(window.stop, len(gaps)))
    if not np.isfinite(exponent):
        return _failed(observation, "no rate can be fitted to the gap: it is not positive, or not finite.")
    if abs(exponent - window.slope) <= window.band:
        return _passed(observation, "the gap shrinks with the right power of k.")
    got = f"shrinks like k^{exponent:.2f}" if exponent < -0.005 else "does not shrink"
    rate = f"{got}, where k^{window.slope:.2f} is right"
    rate = _told(observation, rate, "shrinks at a wrong rate, or not at all")
    return _failed(observation, f"the gap {rate}.")


def _without_rate(
    check: LinearRate | SublinearRate,
    observation: Observation,
    rate: Callable[[Experiment, Answer, str], RateWindow | None],
) -> Outcome:
    """The outcome where the precision that the numbers show leaves too few steps above rounding to see a rate.

    Raises:
        AssignmentError: double precision leaves too few of them, too. Then the check would be passed by everybody.
    """
    experiment = observation.experiment
    if rate(experiment, observation.answer, "float64") is None:
        raise AssignmentError(
            f"{experiment.key}: the check {check.id!r} sees no rate, since too few steps of the reference are above "
            "rounding; make more steps (num_steps), or take a problem on which it arrives later, or leave this "
            "experiment out (on=[...] names those that are judged)"
        )
    if observation.agrees():
        return _passed(observation, "too few steps to see a rate in single precision; every iterate is right.")
    return _failed(observation, "too few steps to see a rate in single precision; use double precision.")


@_judge.register
def _(check: Monotone, observation: Observation) -> Outcome:
    experiment, answer, path = observation.experiment, observation.answer, _rows(observation)
    if path is None or experiment.problem is None or len(path) < len(answer.parts[0]) - 1:
        return _not_judged(observation)
    own = _own_growth(experiment, answer)
    if own is not None:
        raise AssignmentError(
            f"{experiment.key}: the reference itself does not fulfil {check.id!r}, since its objective is larger at "
            f"x_{own} than at x_{own - 1}; name in on=[...] the experiments in which it never grows, if there are any"
        )
    if len(path) > 1 and (path == path[0]).all():
        return _failed(observation, "all rows are the same, so there is no run to judge.")
    first = first_growth(path, experiment, answer, observation.precision)
    if first is not None:
        return _failed(observation, f"the objective is larger at x_{first} than at x_{first - 1}.", first)
    return _passed(observation, "the objective never grows.")


@lru_cache(maxsize=256)
def _own_growth(experiment: Experiment, answer: Answer) -> int | None:
    """First k at which the objective grows in the answer itself; found once for each answer."""
    return first_growth(answer.parts[0], experiment, answer, "float64")


@_judge.register
def _(check: Bound, observation: Observation) -> Outcome:
    experiment, answer, path = observation.experiment, observation.answer, _rows(observation)
    holds = theorem(experiment)
    if path is None or holds is None or answer.theorem is None:
        return _not_judged(observation)
    own = _own_violation(experiment, answer)
    if own is not None:
        raise AssignmentError(
            f"{experiment.key}: the reference itself does not fulfil {check.id!r}: {holds.name} is violated at "
            f"k = {own}; correct the theorem, or name in on=[...] the experiments in which it holds"
        )
    if len(path) > 1 and (path == path[0]).all():
        return _failed(observation, "all rows are the same, so there is no run to judge.")
    first = _violation(path, experiment, answer, observation.precision)
    if first is not None:
        theorem_in_words = holds.sentence.rstrip(".")
        return _failed(observation, f"the bound is violated from k = {first} on ({theorem_in_words}).", first)
    if len(path) < len(answer.theorem.bound) - 1:
        return _failed(observation, "there are too few iterates to judge the bound.")
    return _passed(observation, "the bound holds for every k.")


@lru_cache(maxsize=256)
def _own_violation(experiment: Experiment, answer: Answer) -> int | None:
    """First k at which the answer itself violates the bound; found once for each answer."""
    return _violation(answer.parts[0], experiment, answer, "float64")


def _violation(path: NDArray[np.float64], experiment: Experiment, answer: Answer, precision: str) -> int | None:
    """First k at which the bound does not hold for the path, (rows, ...); None where it holds. Needs a theorem."""
    holds = theorem(experiment)
    assert holds is not None
    assert answer.theorem is not None
    with np.errstate(all="ignore"):
        quantity = holds.quantity(path, experiment.problem)
    shared = min(len(quantity), len(answer.theorem.bound))
    limit = answer.theorem.bound[:shared] + answer.theorem.slack[precision][:shared]
    above = np.flatnonzero(~(quantity[:shared] <= limit))  # nan is above
    return int(above[0]) if above.size else None


@_judge.register
def _(check: Calls, observation: Observation) -> Outcome:
    made, needed = observation.recording.calls.get(check.oracle, 0), observation.answer.calls[check.oracle]
    if not needed <= made <= needed + 1:
        wrong = "too often" if made > needed else "too seldom"
        often = _told(observation, f"{made} times; {needed} calls are needed", wrong)
        return _failed(observation, f"{check.oracle} was called {often}.")
    if observation.parts is None and observation.path is None:
        return _not_judged(observation)
    return _passed(observation, f"{check.oracle} was called {made} times.")  # hidden or not: it is the right count


@_judge.register
def _(check: ForbiddenOracle, observation: Observation) -> Outcome:
    made = observation.recording.calls.get(check.oracle, 0)
    if made:
        often = _told(observation, f"called {made} times", "called")
        return _failed(observation, f"{check.oracle} was {often}; it must not be called here.")
    if observation.parts is None and observation.path is None:
        return _not_judged(observation)
    return _passed(observation, f"{check.oracle} was not called.")


@_judge.register
def _(check: Cost, observation: Observation) -> Outcome:
    made, needed = check.total(observation.recording.calls), check.total(observation.answer.calls)
    # One call more is no matter, and may be one of the dearest oracle that there is.
    spare = max(price for oracle, price in check.prices.items() if oracle in observation.experiment.oracles)
    if made > needed + spare:
        cost = _told(observation, f"{made:g}; {needed:g} is needed", "too much")
        return _failed(observation, f"the oracle calls cost {cost}.")
    # Less is a better method where the numbers are right, and otherwise no method at all.
    if made < needed and not observation.agrees():
        cost = _told(observation, f"{made:g}, and the method needs {needed:g}", "less than the method needs")
        return _failed(observation, f"the oracle calls cost {cost}: it was not run.")
    if observation.parts is None and observation.path is None:
        return _not_judged(observation)
    cost = _told(observation, f"{made:g}", "no more than they should")
    return _passed(observation, f"the oracle calls cost {cost}.")


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
    if not _ran(observation):
        return _failed(observation, "the function did not run the method, so this is not judged.")
    return _passed(observation, "the inputs are as they were.")


def _ran(observation: Observation) -> bool:
    """Whether there is a path and the method was run for it: oracles were called, or a driven optimizer has moved.

    A function that is given no oracle, or needs none, has run where it returned numbers of the right form.
    """
    path = observation.path
    if not observation.answer.iterative and not isinstance(observation.experiment, Drive):
        return observation.parts is not None
    if path is None or isinstance(observation.experiment, Drive):
        return path is not None and not (path == path[0]).all()
    return sum(observation.recording.calls.values()) > 0 or not any(observation.answer.calls.values())


@_judge.register
def _(check: OptimizerSteps, observation: Observation) -> Outcome:
    experiment = observation.experiment
    if observation.parts is None or not isinstance(experiment, Drive):
        return _not_judged(observation)
    first = observation.first_difference(0)
    if first is None:
        return _passed(observation, sentences.agrees(observation))
    if first == 0:
        return _failed(observation, "the parameters change before the first step.", first)
    wrong = np.abs(observation.parts[0][first] - observation.answer.parts[0][first])
    beyond = ~(wrong <= observation.allowed(0)[first] / np.sqrt(wrong.size))
    sizes = experiment.parameter_sizes()
    ends = np.cumsum([size for _, _, size in sizes])
    places = [
        f"parameter {place} of group {group}" if len(experiment.shapes) > 1 else f"parameter {place}"
        for (group, place, size), end in zip(sizes, ends, strict=True)
        if beyond[end - size : end].any()
    ]
    # Which parameters are wrong is the student's to choose: in a hidden experiment it could tell what is in it.
    some = _told(observation, " and ".join(places), "some of the parameters")
    which = "all parameters" if len(places) == len(sizes) > 1 else some
    special = " and ".join(experiment.events(first))
    place = f"step {first}{f' ({special})' if special else ''}"
    right = "; the steps before it are right" if first > 1 else ""
    return _failed(observation, f"{place} is the first wrong one{right}. It is wrong in {which}.", first)


@_judge.register
def _(check: Training, observation: Observation) -> Outcome:
    experiment = observation.experiment
    problem, start = experiment.problem, np.shape(experiment.arguments["x0"])  # type: ignore[arg-type]
    measure = check.measure or (problem.objective if problem is not None else None)
    right, got = _last(observation.answer.parts, start), _last(observation.numbers, start)
    if measure is None or right is None or not check.reached(float(measure(right))):
        raise AssignmentError(f"{experiment.key}: the reference itself does not reach the goal of {check.id!r}")
    if got is None:
        return _not_judged(observation)
    steps = len(observation.numbers[0]) - 1 if observation.numbers and observation.numbers[0].shape != start else 0
    if check.steps is not None and steps > check.steps:
        made = _told(observation, f"{steps}", "too many")
        return _failed(observation, f"{made} steps were made; {check.steps} are allowed.")
    for oracle, allowed in check.calls.items():
        calls = observation.recording.calls.get(oracle, 0)
        if calls > allowed:
            often = _told(observation, f"{calls} times", "too often")
            return _failed(observation, f"{oracle} was called {often}; {allowed} calls are allowed.")
    with np.errstate(all="ignore"):
        number = float(measure(got))
    reached = check.reached(number)
    asked = f"at most {check.at_most:g}" if check.at_most is not None else f"at least {check.at_least:g}"
    goal = "reaches its goal" if reached else "does not reach its goal"
    shown = _told(observation, f"reaches {number:.4g}", goal)
    sentence = f"the training {shown}, where {asked} is asked."
    return _passed(observation, sentence) if reached else _failed(observation, sentence)


def _last(parts: Parts | None, shape: tuple[int, ...]) -> NDArray[np.float64] | None:
    """The final parameters in a result that is these alone, or all iterates; None where it is neither."""
    if parts is None or len(parts) != 1:
        return None
    (result,) = parts
    if result.shape == shape:
        return result
    final: NDArray[np.float64] | None = result[-1] if result.shape[1:] == shape and len(result) else None
    return final


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
    if not observation.answer.iterative or len(observation.parts) > 1:
        return _failed(observation, f"compared with {base.experiment.name!r}, {check.relation.violated}.")
    place = f"(from row {first} on)"
    return _failed(observation, f"compared with {base.experiment.name!r}, {check.relation.violated} {place}.", first)


def _base(check: Property, observation: Observation, observations: Sequence[Observation]) -> Observation | None:
    wanted = (observation.experiment.function, check.on[0])
    return next((o for o in observations if (o.experiment.function, o.experiment.name) == wanted), None)
