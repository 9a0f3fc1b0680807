"""The convergence of a public experiment, as data for a plot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.answer_key.tolerance import rows
from grader.assignment.theorem import theorem
from grader.judge.grade import Picture
from grader.judge.observation import Observation
from reference.problem import Problem
from reference.quantities import distance, gap

Quantity = Callable[..., NDArray[np.float64]]


def picture(observation: Observation) -> Picture | None:
    """Student, reference and bound; None where there is nothing to draw.

    Only for public experiments: a curve is data.
    """
    experiment, path = observation.experiment, observation.path
    if not experiment.public or path is None or experiment.problem is None:
        return None
    holds = theorem(experiment)
    quantity = holds.quantity if holds is not None else _quantity(observation)
    if quantity is None:
        return None
    right = observation.answer.parts[0]
    # One row more than asked for shows that the run is too long; how much longer is told in words.
    student = _measured(quantity, path[: len(right) + 1], experiment.problem)
    reference = quantity(right, experiment.problem)
    first = observation.first_difference(0) if observation.parts is not None else None
    return Picture(
        experiment=experiment.name,
        quantity=_name(quantity),
        student=_curve(student),
        reference=_curve(reference),
        bound=None if holds is None else _curve(holds.bound),
        bound_name="" if holds is None else holds.sentence.rstrip("."),
        first_difference=first,
        sentence=_words(student, reference, len(path), first),
    )


def _quantity(observation: Observation) -> Quantity | None:
    problem = observation.experiment.problem
    assert problem is not None
    if problem.minimizer is not None:
        return distance
    return gap if problem.minimum is not None else None


def _measured(quantity: Quantity, path: NDArray[np.float64], problem: Problem) -> NDArray[np.float64]:
    """The quantity along a path, (rows,); nan from the first row on that is not finite and cannot be measured."""
    finite = np.isfinite(rows(path, iterative=True)).all(axis=1)
    count = len(path) if finite.all() else int(np.argmin(finite))
    values = np.full(len(path), np.nan)
    if count:
        with np.errstate(all="ignore"):
            values[:count] = quantity(path[:count], problem)
    return values


def _name(quantity: Quantity) -> str:
    return (quantity.__doc__ or quantity.__name__).strip().splitlines()[0].rstrip(".")


def _curve(values: NDArray[Any]) -> tuple[float | None, ...]:
    # Four digits are more than a plot shows, and keep the stored grade small.
    return tuple(float(f"{value:.4g}") if np.isfinite(value) else None for value in values.tolist())


def _words(student: NDArray[np.float64], reference: NDArray[np.float64], iterates: int, first: int | None) -> str:
    def ends(values: NDArray[np.float64]) -> str:
        return f"{values[0]:.2g} to {values[-1]:.2g}" if len(values) else "nothing"

    steps, asked = len(reference) - 1, student[: len(reference)]
    if first is not None:
        agreement = f"The two curves part at k = {first}."
    elif iterates == len(reference):
        agreement = "The two curves are the same."
    else:
        agreement = f"Your run has {iterates} iterates instead of {len(reference)}."
    return f"In {steps} steps your run goes from {ends(asked)}, the reference from {ends(reference)}. {agreement}"
