"""The convergence of a public experiment, as data for a plot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.assignment.theorem import theorem
from grader.judge.grade import Picture
from grader.judge.observation import Observation
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
    with np.errstate(all="ignore"):
        student = quantity(path, experiment.problem)
    reference = quantity(observation.answer.parts[0], experiment.problem)
    first = observation.first_difference(0) if observation.parts is not None else None
    return Picture(
        experiment=experiment.name,
        quantity=_name(quantity),
        student=_curve(student),
        reference=_curve(reference),
        bound=None if holds is None else _curve(holds.bound),
        bound_name="" if holds is None else holds.sentence.rstrip("."),
        first_difference=first,
        sentence=_words(student, reference, first),
    )


def _quantity(observation: Observation) -> Quantity | None:
    problem = observation.experiment.problem
    assert problem is not None
    if problem.minimizer is not None:
        return distance
    return gap if problem.minimum is not None else None


def _name(quantity: Quantity) -> str:
    return (quantity.__doc__ or quantity.__name__).strip().splitlines()[0].rstrip(".")


def _curve(values: NDArray[Any]) -> tuple[float | None, ...]:
    # Four digits are more than a plot shows, and keep the stored grade small.
    return tuple(float(f"{value:.4g}") if np.isfinite(value) else None for value in values.tolist())


def _words(student: NDArray[np.float64], reference: NDArray[np.float64], first: int | None) -> str:
    def ends(values: NDArray[np.float64]) -> str:
        return f"{values[0]:.2g} to {values[-1]:.2g}" if len(values) else "nothing"

    steps = len(reference) - 1
    if first is not None:
        agreement = f"The two curves part at k = {first}."
    elif len(student) == len(reference):
        agreement = "The two curves are the same."
    else:
        agreement = f"Your run has {len(student)} iterates instead of {len(reference)}."
    return f"In {steps} steps your run goes from {ends(student)}, the reference from {ends(reference)}. {agreement}"
