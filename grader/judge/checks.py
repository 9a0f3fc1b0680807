"""How each kind of check judges its experiments: one at a time, or (a property) beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch

import numpy as np
from numpy.typing import NDArray

from grader.answer_key.answer import Parts
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
from grader.assignment.theorem import theorem
from grader.judge import sentences
from grader.judge.grade import Outcome
from grader.judge.observation import Observation
from grader.judge.properties import first_growth, violation
from grader.judge.rate import fitted_exponent, fitted_slope, linear_rate, sublinear_rate
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
    window = linear_rate(observation.experiment, observation.answer, observation.precision)
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
    path, problem = observation.path, observation.experiment.problem
    if path is None or problem is None:
        return _not_judged(observation)
    window = sublinear_rate(observation.experiment, observation.answer, observation.precision)
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
    if not _ran(observation):
        return _failed(observation, "the function did not run the method, so this is not judged.")
    return _passed(observation, "the inputs are as they were.")


def _ran(observation: Observation) -> bool:
    """Whether there is a path and the method was run for it: oracles were called, or a driven optimizer has moved.

    A function that is given no oracle has run where it returned numbers of the right form.
    """
    path = observation.path
    if not observation.answer.iterative and not isinstance(observation.experiment, Drive):
        return observation.parts is not None
    if path is None or isinstance(observation.experiment, Drive):
        return path is not None and not (path == path[0]).all()
    return sum(observation.recording.calls.values()) > 0


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
    which = "all parameters" if len(places) == len(sizes) > 1 else " and ".join(places)
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
        return _failed(observation, f"{steps} steps were made; {check.steps} are allowed.")
    for oracle, allowed in check.calls.items():
        made = observation.recording.calls.get(oracle, 0)
        if made > allowed:
            return _failed(observation, f"{oracle} was called {made} times; {allowed} calls are allowed.")
    with np.errstate(all="ignore"):
        number = float(measure(got))
    asked = f"at most {check.at_most:g}" if check.at_most is not None else f"at least {check.at_least:g}"
    reached = f"the training reaches {number:.4g}, where {asked} is asked."
    return _passed(observation, reached) if check.reached(number) else _failed(observation, reached)


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
    place = f" (from row {first} on)" if observation.answer.iterative else ""
    sentence = f"compared with {base.experiment.name!r}, {check.relation.violated}{place}."
    return _failed(observation, sentence, first if observation.answer.iterative else None)


def _base(check: Property, observation: Observation, observations: Sequence[Observation]) -> Observation | None:
    wanted = (observation.experiment.function, check.on[0])
    return next((o for o in observations if (o.experiment.function, o.experiment.name) == wanted), None)
