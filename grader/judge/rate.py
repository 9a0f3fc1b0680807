"""The rate of a run, fitted where it is visible: a factor in each step, or a power of the number of steps.

What is asked of a run follows from the answer alone. It is found once for each answer of a key, and not for each
recording that is judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from grader.answer_key.answer import UNIT_ROUNDOFF, Answer
from grader.answer_key.tolerance import FLOOR, rows, tolerance
from grader.assignment.experiment import Experiment
from reference.problem import Problem
from reference.quantities import distance, gap

ABOVE_FLOOR = 1000.0
"""The fit uses errors that are at least this many times the tolerance of their iterate."""
BAND = 3.0
"""The band is this many times the largest change of the fit when its window is moved by one step."""
FEWEST = 4
FEWEST_FOR_A_POWER = 20
"""A power shows over a range of k, not over a few steps."""
BAND_OF_A_POWER = 2.0
"""The band is this many times the largest change of the fitted exponent when its window is moved."""


@dataclass(frozen=True)
class RateWindow:
    """Where to fit, what the reference gives there, and how far a correct run may be from it."""

    start: int
    stop: int
    slope: float
    """Slope of log(error): over k, the logarithm of the factor; over log(k), the exponent."""
    band: float


@lru_cache(maxsize=256)
def linear_rate(experiment: Experiment, answer: Answer, precision: str) -> RateWindow | None:
    """The factor with which the answer's distance to the minimiser shrinks; None where too few steps show one.

    Raises:
        ValueError: the experiment's problem has no minimiser.
    """
    assert experiment.problem is not None
    return rate_window(distance(answer.parts[0], experiment.problem), _allowed(answer, precision))


@lru_cache(maxsize=256)
def sublinear_rate(experiment: Experiment, answer: Answer, precision: str) -> RateWindow | None:
    """The power of k with which the answer's gap shrinks; None where too few steps show one.

    Raises:
        ValueError: the experiment's problem has no minimum.
    """
    assert experiment.problem is not None
    return power_window(gap(answer.parts[0], experiment.problem), slack(experiment, answer, precision))


@lru_cache(maxsize=256)
def slack(experiment: Experiment, answer: Answer, precision: str) -> NDArray[np.float64]:
    """By how much rounding may change the objective at each iterate of the answer, (K+1,)."""
    assert experiment.problem is not None
    return objective_slack(answer.parts[0], _allowed(answer, precision), experiment.problem)


def _allowed(answer: Answer, precision: str) -> NDArray[np.float64]:
    return tolerance(answer.parts[0], answer.envelope[precision][0], answer.iterative, precision)


def rate_window(errors: NDArray[np.float64], allowed: NDArray[np.float64]) -> RateWindow | None:
    """The window for the reference's errors (K+1,), given the tolerance of each iterate (K+1,).

    The second half of the steps before the error reaches the rounding floor: there the slowest mode dominates.
    None where fewer than `FEWEST` steps are left.
    """
    below = np.flatnonzero(errors <= ABOVE_FLOOR * allowed)
    stop = int(below[0]) if below.size else len(errors)
    start = max(1, stop // 2)
    if stop - start < FEWEST:
        return None
    slope = fitted_slope(errors, start, stop)
    moved = [(start - 1, stop - 1), (start - 1, stop), (start + 1, stop), (start, stop - 1)]
    change = max(abs(fitted_slope(errors, *window) - slope) for window in moved)
    # An error that may be off by `allowed` has a logarithm that may be off by allowed / error.
    rounding = 2 * float(np.max(allowed[start:stop] / errors[start:stop])) / (stop - start)
    return RateWindow(start, stop, slope, BAND * change + rounding)


def fitted_slope(errors: NDArray[np.float64], start: int, stop: int) -> float:
    """Least-squares slope of log(error) over k in start, ..., stop - 1; nan where an error is zero or not finite."""
    with np.errstate(all="ignore"):
        logs = np.log(errors[start:stop])
    if len(logs) < 2 or not np.isfinite(logs).all():
        return float("nan")
    k = np.arange(len(logs)) - (len(logs) - 1) / 2
    return float(k @ logs / (k @ k))


def upper_envelope(errors: NDArray[np.float64], stop: int) -> NDArray[np.float64]:
    """max(error_k, ..., error_{stop-1}) for k < stop: the smallest non-increasing sequence above the errors."""
    return np.asarray(np.maximum.accumulate(errors[:stop][::-1])[::-1])


def power_window(errors: NDArray[np.float64], allowed: NDArray[np.float64]) -> RateWindow | None:
    """The window for a sublinear rate; `slope` is the exponent p of error ~ k^p on the upper envelope.

    Three quarters of the steps before the error reaches the rounding floor. Within a run the exponent still moves
    towards that of the theorem, and a step half as long lags behind by a factor of two in k. So the band comes from
    windows that are moved by a tenth, and from the one at half of all k.
    None where fewer than `FEWEST_FOR_A_POWER` steps are left.
    """
    below = np.flatnonzero(errors <= ABOVE_FLOOR * allowed)
    stop = int(below[0]) if below.size else len(errors)
    start = max(1, stop // 4)
    if stop - start < FEWEST_FOR_A_POWER:
        return None
    exponent = fitted_exponent(errors, start, stop)
    tenth = stop // 10
    moved = [(start, stop - tenth), (start + tenth, stop), (max(1, start // 2), stop // 2)]
    change = max(abs(fitted_exponent(errors, *window) - exponent) for window in moved)
    rounding = 2 * float(np.max(allowed[start:stop] / errors[start:stop])) / float(np.log(stop / start))
    return RateWindow(start, stop, exponent, BAND_OF_A_POWER * change + rounding)


def fitted_exponent(errors: NDArray[np.float64], start: int, stop: int) -> float:
    """Least-squares slope of log(upper envelope) over log(k), k = start, ..., stop - 1; nan where there is none."""
    with np.errstate(all="ignore"):
        logs = np.log(upper_envelope(errors, stop)[start:])
    if len(logs) < 2 or not np.isfinite(logs).all():
        return float("nan")
    k = np.log(np.arange(start, start + len(logs)))
    k -= k.mean()
    return float(k @ logs / (k @ k))


def objectives(path: NDArray[np.float64], problem: Problem) -> NDArray[np.float64]:
    """What is minimised, at each iterate, (K+1,)."""
    with np.errstate(all="ignore"):
        return np.array([problem.objective(x) for x in path], dtype=np.float64)


def objective_slack(path: NDArray[np.float64], allowed: NDArray[np.float64], problem: Problem) -> NDArray[np.float64]:
    """By how much rounding may change the objective at each iterate, (K+1,).

    As far as steps of the allowed length change it, along the gradient and in a random direction, which shows what
    rounding does inside f too; and the rounding of the number itself.
    """
    exact = objectives(path, problem)
    gradients = np.array([problem.gradient(x) for x in path], dtype=np.float64)
    worst = np.zeros(len(path))
    for directions in (gradients, np.random.default_rng(0).standard_normal(path.shape)):
        flat = rows(directions, True)
        length = np.linalg.norm(flat, axis=1, keepdims=True)
        unit = np.divide(flat, length, out=np.zeros_like(flat), where=length > 0)
        moved = path + (allowed[:, None] * unit).reshape(path.shape)
        worst = np.maximum(worst, np.abs(objectives(moved, problem) - exact))
    return np.asarray(FLOOR * (worst + UNIT_ROUNDOFF["float64"] * np.abs(exact)))
