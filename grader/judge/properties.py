"""Relations between the results of two experiments, and what holds along one run.

A recording that agrees with the reference in both experiments fulfils every relation that the reference fulfils: the
allowed deviation is what the two derived tolerances, and the reference's own rounding, add up to. No other constant
enters.
"""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.answer_key.answer import Answer, Parts
from grader.answer_key.tolerance import distances, rows
from grader.assignment.errors import AssignmentError
from grader.assignment.experiment import Experiment
from grader.assignment.relations import (
    Deterministic,
    Equivariant,
    Idempotent,
    InformationFlow,
    InvariantToConstant,
    NonExpansive,
    Relation,
)
from grader.judge.observation import Observation
from grader.judge.rate import objectives, slack


def violation(relation: Relation, base: Observation, other: Observation) -> int | None:
    """First row in which the relation does not hold between two results that have the right shape; None where it holds.

    A result that is not a sequence of iterates is one row. Of several returned values the first is related, except that
    `Deterministic` compares all of them.

    Raises:
        AssignmentError: the reference does not fulfil the relation, or the results cannot be related.
    """
    assert base.parts is not None
    assert other.parts is not None
    shared = min(base.answer.horizon, other.answer.horizon)
    try:
        got = _deviation(relation, base.parts, other.parts, base, other)[:shared]
        right = _deviation(relation, base.answer.parts, other.answer.parts, base, other)[:shared]
        allowed = _allowed(relation, base, other)[:shared]
    except (ValueError, KeyError) as error:
        raise AssignmentError(f"{_named(relation, base, other)}: {error}") from None
    if not (right <= allowed).all():
        raise AssignmentError(f"{_named(relation, base, other)}: the reference itself does not fulfil it")
    beyond = np.flatnonzero(~(got <= allowed + right))
    return int(beyond[0]) if beyond.size else None


def first_growth(path: NDArray[np.float64], experiment: Experiment, answer: Answer, precision: str) -> int | None:
    """First k > 0 at which the objective is larger than at k - 1 by more than rounding; None where it never is.

    Args:
        path: iterates, (rows, ...).
        experiment: one with a problem.
        answer: says how far rounding may carry each iterate.
        precision: of the path.
    """
    assert experiment.problem is not None
    shared = min(len(path), len(answer.parts[0]), answer.horizon)
    rounding = slack(experiment, answer, precision)[:shared]
    values = objectives(path[:shared], experiment.problem)
    growing = np.flatnonzero(~(values[1:] <= values[:-1] + rounding[1:] + rounding[:-1]))  # nan grows
    return int(growing[0]) + 1 if growing.size else None


def _named(relation: Relation, base: Observation, other: Observation) -> str:
    return f"property {relation.name!r} of {base.experiment.key!r} and {other.experiment.name!r}"


def _allowed(relation: Relation, base: Observation, other: Observation) -> NDArray[np.float64]:
    """The tolerances of both results together, for each row."""
    stretch = 1.0
    if isinstance(relation, Deterministic):
        stretch = 0.0
    elif isinstance(relation, Equivariant):
        matrix = np.asarray(relation.matrix)
        stretch = float(np.linalg.norm(matrix, 2)) if matrix.ndim else float(abs(matrix))
    tolerances = stretch * base.allowed(0) + (stretch > 0) * other.allowed(0)
    return np.asarray(tolerances)


@singledispatch
def _deviation(
    relation: Relation, first: Parts, second: Parts, base: Observation, other: Observation
) -> NDArray[np.float64]:
    """By how much the relation is violated between two results, for each row; infinite where a number is not finite."""
    raise TypeError(f"there is no way to judge the relation {type(relation).__name__}")


@_deviation.register
def _(relation: Equivariant, first: Parts, second: Parts, base: Observation, other: Observation) -> Any:
    matrix = np.asarray(relation.matrix)
    with np.errstate(all="ignore"):
        image = (first[0] @ matrix.T if matrix.ndim else matrix * first[0]) + relation.shift
    if image.shape != second[0].shape:
        raise ValueError(f"results of the shapes {first[0].shape} and {second[0].shape} cannot be related")
    return distances(image, second[0], base.answer.iterative)


@_deviation.register(Idempotent)
@_deviation.register(InvariantToConstant)
def _(relation: Relation, first: Parts, second: Parts, base: Observation, other: Observation) -> Any:
    return _deviation(Equivariant(), first, second, base, other)


@_deviation.register
def _(relation: NonExpansive, first: Parts, second: Parts, base: Observation, other: Observation) -> Any:
    points = [np.asarray(o.experiment.arguments[relation.argument], dtype=np.float64) for o in (base, other)]
    if first[0].shape != second[0].shape or points[0].shape != points[1].shape:
        raise ValueError("two points, or their results, are not of one shape")
    apart = float(np.linalg.norm(points[0] - points[1]))
    return np.maximum(distances(first[0], second[0], base.answer.iterative) - apart, 0.0)


@_deviation.register
def _(relation: Deterministic, first: Parts, second: Parts, base: Observation, other: Observation) -> Any:
    if base.answer.iterative and len(first) == 1 and first[0].shape == second[0].shape:
        same = (rows(first[0], True) == rows(second[0], True)).all(axis=1)
        return np.where(same, 0.0, np.inf)
    same_bits = all(a.shape == b.shape and np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    return np.array([0.0 if same_bits else np.inf])


@_deviation.register
def _(relation: InformationFlow, first: Parts, second: Parts, base: Observation, other: Observation) -> Any:
    asked, changed = base.answer.parts[0], other.answer.parts[0]
    if asked.shape != changed.shape:
        raise ValueError("the two results are not of one shape")
    unaware = asked == changed
    if unaware.all() or not unaware.any():
        raise ValueError("in the reference's results, some entries must change and some must not")
    with np.errstate(all="ignore"):
        moved = np.where(unaware, first[0] - second[0], 0.0)
    return distances(moved, np.zeros_like(moved), base.answer.iterative)
