"""The one-step residual: the reference's update applied to the student's own previous iterates.

It tells a path that is wrong in every step from one that went wrong once and followed the method from there on. It
exists for methods without memory, where x_{k+1} follows from x_k alone. Nothing declares that: a method has no memory
in an experiment if the reference, started afresh at each of its own iterates, makes its own next step.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.answer_key.answer import UNIT_ROUNDOFF, Parts
from grader.answer_key.tolerance import FACTOR, FLOOR, envelope, lengths, perturbed, rows
from grader.assignment.experiment import Argument, Experiment

STEPS = "num_steps"
"""The argument of an iterative method that says how many steps are made."""
START = "x0"
"""Its argument that says where the first one starts."""

RUNS = 4
"""Perturbed runs behind the tolerance of one result."""
STEP_RUNS = 4
STEP_PLACES = 8
"""Perturbed runs of one step, and at how many places of a path they are made."""
TELLING = 100.0
"""A step is telling if it is so many times as long as its tolerance: only then can a wrong one be seen."""


@dataclass(frozen=True)
class Residual:
    """What is known about each step of a path of K+1 rows; entry k is about the step from x_k to x_{k+1}."""

    right: NDArray[np.bool_]
    """(K,): the step is the reference's."""
    telling: NDArray[np.bool_]
    """(K,): the reference's step is much longer than its tolerance."""


def rerun(experiment: Experiment, changed: Mapping[str, Argument]) -> Parts | None:
    """What the reference returns with some arguments changed; None where it raises."""
    with _quiet():
        return _call(experiment.reference, {**experiment.arguments, **changed})


def rerun_with_tolerance(
    experiment: Experiment, changed: Mapping[str, Argument], runs: int = RUNS, precision: str = "float64"
) -> tuple[Parts, Parts] | None:
    """The same, and the envelope of each part from perturbed runs."""
    exact, unit = rerun(experiment, changed), UNIT_ROUNDOFF[precision]
    if exact is None:
        return None
    with _quiet():
        near = [
            # The arguments are new ones for each run: a generator is used up by the one before.
            _call(experiment.reference, perturbed({**experiment.arguments, **changed}, unit, seed))
            for seed in range(runs)
        ]
    return exact, envelope(exact, [run for run in near if run is not None], experiment.iterative)


def one_step_residual(experiment: Experiment, path: NDArray[np.float64], precision: str) -> Residual | None:
    """Which steps of the path, (K+1, ...), are the reference's; None for a method with memory."""
    return _residual(experiment, path, precision) if _memoryless(experiment) else None


@cache
def _memoryless(experiment: Experiment) -> bool:
    if not {STEPS, START} <= set(experiment.arguments):
        return False
    own = rerun(experiment, {})
    if own is None or len(own) != 1 or own[0].shape[1:] != np.shape(experiment.arguments[START]):  # type: ignore[arg-type]
        return False
    # Most methods with memory give themselves away in the first steps.
    for path in (own[0][:4], own[0]):
        residual = _residual(experiment, path, "float64")
        if not (residual.right.all() and residual.telling.any()):
            return False
    return True


def _residual(experiment: Experiment, path: NDArray[np.float64], precision: str) -> Residual:
    made = _steps(experiment, path[:-1])
    allowed = np.maximum(
        FACTOR * _roughness(experiment, path, precision),
        FLOOR * UNIT_ROUNDOFF[precision] * (_lengths(made) + _lengths(path[:-1])),
    )
    with np.errstate(all="ignore"):
        right = _lengths(path[1:] - made) <= allowed  # nan is not right
        telling = _lengths(made - path[:-1]) > TELLING * allowed
    return Residual(right, telling)


def _steps(experiment: Experiment, path: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where one step of the reference leads from each row, (K, ...); nan where it leads nowhere."""
    made = np.full(path.shape, np.nan)
    finite = np.isfinite(rows(path, True)).all(axis=1)
    with _quiet():
        for k in np.flatnonzero(finite):
            parts = _call(experiment.reference, {**experiment.arguments, START: path[k], STEPS: 1})
            if parts is not None and parts[0].shape == (2, *path.shape[1:]):
                made[k] = parts[0][-1]
    return made


def _roughness(experiment: Experiment, path: NDArray[np.float64], precision: str) -> NDArray[np.float64]:
    """(K,): how far rounding carries a single step; from perturbed steps at a few places, the larger neighbour counts.

    Where perturbed steps lead nowhere, nothing is known: infinite.
    """
    places = np.unique(np.linspace(0, max(len(path) - 2, 0), STEP_PLACES).astype(int))
    found = np.full(len(places), np.inf)
    for index, place in enumerate(places):
        if np.isfinite(path[place]).all():
            made = rerun_with_tolerance(experiment, {START: path[place], STEPS: 1}, STEP_RUNS, precision)
            found[index] = np.inf if made is None else made[1][0][-1]
    steps = np.arange(len(path) - 1)
    before = np.searchsorted(places, steps, side="right") - 1
    after = np.searchsorted(places, steps, side="left")
    result: NDArray[np.float64] = np.maximum(found[before], found[after])
    return result


def _lengths(points: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(all="ignore"):
        return lengths(rows(points, True))


@contextmanager
def _quiet() -> Iterator[None]:
    """Nothing is told about overflow and the like; entered once for many calls, since it takes as long as a step."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _call(function: Callable[..., Any], arguments: dict[str, Argument]) -> Parts | None:
    fresh = {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in arguments.items()}
    try:
        value = function(**fresh)
    except Exception:  # an argument that the reference refuses is no explanation
        return None
    parts = value if isinstance(value, tuple) else (value,)
    return tuple(np.asarray(part, dtype=np.float64) for part in parts)
