"""The right algorithm with a wrong constant: the reference, run with another value of one of its scalar arguments.

For each experiment the value is found on the first rows that the argument changes, by a search over its scale and
Gauss-Newton steps. It is believed only if one rule (the given value times a constant, one value for all, ...) then
gives the whole path of every experiment, within the tolerance of perturbed runs at the new value.

Each run of the reference costs what a student's costs, so as few as possible are made: none where row 0 is wrong
already, which no constant changes; the experiment that needs the shortest runs comes first, and the first one that no
value explains ends the search for this argument.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite, log

import numpy as np

from grader.assignment.experiment import Argument, Experiment
from grader.judge.observation import Observation
from grader.judge.residual import START, STEPS, rerun
from grader.judge.structure.case import HEAD, Array, Finding, inner, rerun_fits, stands_still

FEWEST_EXPERIMENTS = 2
"""In a single one, a wrong constant is the same as a mistake in what is computed from it."""
FEWEST_NUMBERS = 6
"""Fewer wrong numbers than this can be fitted by chance, or by too many values."""
SCALE = np.concatenate([[-1.0, 0.0], np.logspace(-3, 3, 13)])
"""Multiples of the given value at which the search looks first."""
REFINED = 2
"""So many of the best of them are refined."""
STEPS_OF_GAUSS_NEWTON = 12
HALVINGS = 4


@dataclass(frozen=True)
class Rule:
    """How a wrong value follows from the given one and a constant c that all experiments share."""

    constant: Callable[[float, float], float]
    """(wrong, given) -> c."""
    value: Callable[[float, float], float]
    """(c, given) -> wrong."""
    words: str


RULES = (
    Rule(lambda wrong, given: wrong / given, lambda c, given: c * given, "{c:.6g} times the given one"),
    Rule(lambda wrong, given: wrong, lambda c, given: c, "the same one in every experiment"),
    Rule(lambda wrong, given: wrong + given, lambda c, given: c - given, "{c:.6g} minus the given one"),
    Rule(lambda wrong, given: log(wrong) / log(given), lambda c, given: given**c, "the given one to the power {c:.6g}"),
)


def refit_findings(observations: Sequence[Observation], differing: Sequence[Observation]) -> list[Finding]:
    """One finding for each argument that explains all experiments."""
    if len(differing) < FEWEST_EXPERIMENTS or any(o.parts is None or _stands_still(o) for o in observations):
        return []
    if sum(map(_wrong_numbers, differing)) < FEWEST_NUMBERS or any(map(_starts_elsewhere, differing)):
        return []
    cheapest_first = sorted(differing, key=lambda observation: _steps_to_fit(observation) or 0)
    found = (_refitted(name, observations, cheapest_first) for name in _scalars(observations))
    return [finding for finding in found if finding is not None]


def _stands_still(observation: Observation) -> bool:
    """Whether all iterates are one point: a step size of zero would explain that, and so would much else."""
    path = observation.path
    return path is not None and len(path) > 1 and stands_still(path)


def _starts_elsewhere(observation: Observation) -> bool:
    """Whether row 0 is wrong, where it is the starting point whatever the constants are."""
    start, answer = observation.experiment.arguments.get(START), observation.answer
    if not answer.iterative or not np.array_equal(answer.parts[0][0], start):  # type: ignore[arg-type]
        return False
    return observation.first_difference(0) == 0


def _wrong_numbers(observation: Observation) -> int:
    """How many numbers the fit has to explain."""
    assert observation.parts is not None
    if not observation.answer.iterative:
        return sum(part.size for part in observation.parts)
    return int(observation.parts[0][observation.first_difference(0) or 0 :].size)


def _scalars(observations: Sequence[Observation]) -> list[str]:
    """Names of the arguments that are numbers of their own in every experiment."""
    return [
        name
        for name in observations[0].experiment.arguments
        if all(type(o.experiment.arguments.get(name)) is float for o in observations)
    ]


def _refitted(name: str, observations: Sequence[Observation], differing: Sequence[Observation]) -> Finding | None:
    pairs = []
    for observation in differing:
        given = _given(observation, name)
        wrong = _fitted(observation, name, given)
        if wrong is None:
            return None
        pairs.append((wrong, given))
    givens = [_given(o, name) for o in observations]
    for rule in RULES:
        for constant in _constants(rule, pairs, givens):
            if all(rerun_fits(o, {name: rule.value(constant, _given(o, name))}) for o in observations):
                how = rule.words.format(c=constant)
                return Finding(f"wrong_{name}", _sentence(name, how, observations))
    return None


def _sentence(name: str, how: str, observations: Sequence[Observation]) -> str:
    if how == RULES[0].words.format(c=0.0):
        return f"{name} has no effect: the numbers are those for {name} = 0."
    # Where one value is given everywhere, nothing tells one rule from another; of hidden experiments no number is told.
    several = len({_given(o, name) for o in observations}) > 1
    rule = f", {how}" if several and any(o.experiment.public for o in observations) else ""
    return f"The method is right, but runs with another {name}{rule}."


def _given(observation: Observation, name: str) -> float:
    value = observation.experiment.arguments[name]
    assert isinstance(value, float)
    return value


def _constants(rule: Rule, pairs: Sequence[tuple[float, float]], givens: Sequence[float]) -> Iterator[float]:
    """The constant that all experiments agree on, as a round number and as it was fitted."""
    try:
        constants = [rule.constant(wrong, given) for wrong, given in pairs]
    except (ValueError, ZeroDivisionError, OverflowError):
        return
    middle = float(np.median(constants))
    if not isfinite(middle) or not np.allclose(constants, middle, rtol=1e-5, atol=1e-9):
        return
    for constant in dict.fromkeys([float(f"{middle:.6g}"), middle]):
        try:
            values = [rule.value(constant, given) for given in givens]
        except (ZeroDivisionError, OverflowError):
            continue
        if all(isinstance(value, float) and isfinite(value) for value in values):
            yield constant


def _fitted(observation: Observation, name: str, given: float) -> float | None:
    """The value with which the reference comes closest to the first wrong rows; None where it does not come close."""
    target, last = _first_rows(observation)
    if not np.isfinite(target).all():
        return None

    def off(value: float) -> Array | None:
        made = _short_run(observation.experiment, name, value, last)
        return made - target if made is not None and made.shape == target.shape else None

    at_given = off(given)
    if at_given is None:
        return None
    refined = [_refined(off, value, here) for value, here in _nearest(observation, name, given, at_given)]
    distance, value = min(refined, default=(np.inf, given))
    # Whether it is close enough is for the tolerances to say; here only what cannot be is left out.
    return value if distance <= 1e-3 * _length(at_given) else None


def _nearest(observation: Observation, name: str, given: float, at_given: Array) -> list[tuple[float, Array]]:
    """The values of the scale whose rows are nearest to those to fit, and what is left between them, flat."""
    target, last = _first_rows(observation)
    if last is not None and last > HEAD and _acts_at_once(observation.experiment, name):
        return [(given, at_given)]  # the first rows are right, so nothing far from the given value can be meant
    runs = _coarse_runs(observation.experiment, name, last)
    off = [(value, made - target) for value, made in runs if made.shape == target.shape]
    return sorted(off, key=lambda pair: (_length(pair[1]), pair[0]))[:REFINED]


@lru_cache(maxsize=256)
def _acts_at_once(experiment: Experiment, name: str) -> bool:
    """Whether all other values of the scale change the first rows."""
    given = experiment.arguments[name]
    assert isinstance(given, float)
    at_given = _short_run(experiment, name, given, HEAD - 1)
    others = [made for value, made in _coarse_runs(experiment, name, HEAD - 1) if value != given]
    return at_given is not None and all(
        made.shape == at_given.shape and not np.allclose(made, at_given, rtol=1e-6, atol=0.0) for made in others
    )


@lru_cache(maxsize=256)
def _coarse_runs(experiment: Experiment, name: str, steps: int | None) -> tuple[tuple[float, Array], ...]:
    """(value, numbers) over the whole scale: the same for all students whose runs go wrong at the same step."""
    given = experiment.arguments[name]
    assert isinstance(given, float)
    values = (*((given or 1.0) * SCALE), 1.0 - given)
    runs = ((float(value), _short_run(experiment, name, float(value), steps)) for value in values)
    return tuple((value, made) for value, made in runs if made is not None)


def _short_run(experiment: Experiment, name: str, value: float, steps: int | None) -> Array | None:
    """The first rows of the reference with that value, flat; None where they are not finite."""
    shorter: dict[str, Argument] = {} if steps is None else {STEPS: steps}
    parts = rerun(experiment, {name: value, **shorter})
    made = None if parts is None else np.concatenate([part.ravel() for part in parts])
    return made if made is not None and np.isfinite(made).all() else None


def _first_rows(observation: Observation) -> tuple[Array, int | None]:
    """The numbers to fit, flat, and the number of steps that gives them; None for a function without steps."""
    assert observation.parts is not None
    last = _steps_to_fit(observation)
    if last is None:
        return np.concatenate([part.ravel() for part in observation.parts]), None
    return observation.parts[0][: last + 1].ravel(), last


def _steps_to_fit(observation: Observation) -> int | None:
    assert observation.parts is not None
    if not observation.answer.iterative or STEPS not in observation.experiment.arguments:
        return None
    # One row more than the first wrong one: that one alone may fit where the method has a memory.
    return min((observation.first_difference(0) or 0) + 1, len(observation.parts[0]) - 1)


def _length(off: Array) -> float:
    with np.errstate(all="ignore"):
        return float(np.sqrt(inner(off, off)))


def _refined(off: Callable[[float], Array | None], value: float, here: Array) -> tuple[float, float]:
    """(distance, value) after Gauss-Newton steps, halved where they do not help."""
    distance = _length(here)
    for _ in range(STEPS_OF_GAUSS_NEWTON):
        small = 1e-6 * (abs(value) or 1.0)
        beside = off(value + small)
        if beside is None:
            break
        slope = (beside - here) / small
        square = inner(slope, slope)
        step = -inner(slope, here) / square if square > 0 else 0.0
        for _ in range(HALVINGS):
            there = off(value + step)
            if there is not None and _length(there) < distance:
                break
            step /= 2
        else:
            break
        before, distance = distance, _length(there)
        value, here = value + step, there
        if distance > 0.8 * before:  # steps that lead to a solution gain more
            break
    return distance, value
