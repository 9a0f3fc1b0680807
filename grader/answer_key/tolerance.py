"""Derived tolerances: how far rounding can carry a correct implementation away from the reference.

The reference is run `RUNS` times. In each run everything that a float holds (the starting point, the data, the step
size) and every answer of an oracle is off by a relative error of the size of the unit roundoff u; an oracle is also
asked at a point that is off by as much, since an implementation that orders its operations differently asks it
there. The envelope of row k is the largest distance of x_k from the unperturbed run, over these runs and over all
equivalents. The tolerance is

    max(FACTOR * envelope_k, FLOOR * u * max_{j <= k} ||x_j||),

where FACTOR covers correct forms that are in no library and FLOOR the rounding of the last operation itself.
No other constant enters: the problem decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.answer_key.answer import UNIT_ROUNDOFF, Parts
from grader.assignment.experiment import Argument

RUNS = 8
FACTOR = 100.0
FLOOR = 16.0


def perturbed(arguments: Mapping[str, Argument], unit: float, seed: int) -> dict[str, Argument]:
    """The same arguments, each number off by a relative error of at most `unit`; whole numbers stay."""
    generator = np.random.default_rng(seed)

    def near(values: NDArray[np.float64] | float) -> NDArray[np.float64]:
        exact = np.asarray(values, dtype=np.float64)
        off: NDArray[np.float64] = exact * (1.0 + unit * generator.uniform(-1.0, 1.0, exact.shape))
        return off

    def perturb(argument: Argument) -> Argument:
        if callable(argument):
            return _perturbed_oracle(argument, near)
        if isinstance(argument, np.ndarray) and argument.dtype.kind == "f":
            return near(argument)
        if isinstance(argument, float):
            return float(near(argument))
        return argument

    return {name: perturb(argument) for name, argument in arguments.items()}


def _perturbed_oracle(oracle: Callable[..., Any], near: Callable[..., NDArray[np.float64]]) -> Callable[..., Any]:
    def answer(point: NDArray[np.float64], *rest: Any) -> NDArray[np.float64]:
        # What follows the point (the number of a sample, the parameter of a prox) is one of the student's arguments.
        return near(oracle(near(point), *rest))

    return answer


def rows(part: NDArray[np.float64], iterative: bool) -> NDArray[np.float64]:
    """The part as a matrix of rows that are compared: an iterate each, or the whole value as one row."""
    # Not -1: where there are no rows, nothing would tell how long they are.
    return part.reshape(len(part), prod(part.shape[1:])) if iterative and part.ndim >= 1 else part.reshape(1, -1)


def lengths(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Euclidean norm of each row: `numpy.linalg.norm` makes several passes, and this is most of what a judge does."""
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", matrix, matrix)))


def distances(part: NDArray[np.float64], other: NDArray[np.float64], iterative: bool) -> NDArray[np.float64]:
    """Euclidean distance of each row; infinite where a number is not finite. Shapes must agree."""
    # Equal infinities have no difference (inf - inf is nan), but are no agreement of numbers either.
    with np.errstate(all="ignore"):
        result = lengths(rows(part, iterative) - rows(other, iterative))
    return np.where(np.isfinite(result), result, np.inf)


def envelope(exact: Parts, runs: list[Parts], iterative: bool) -> tuple[NDArray[np.float64], ...]:
    """Largest distance of each row of each part from `exact`, over the runs."""
    result = []
    for index, part in enumerate(exact):
        worst = np.zeros(len(rows(part, iterative)))
        for run in runs:
            if run[index].shape == part.shape:
                worst = np.maximum(worst, distances(part, run[index], iterative))
        result.append(_widened(worst))
    return tuple(result)


def _widened(worst: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each row takes the largest of its neighbours: a few runs may by chance all be close in one row."""
    padded = np.concatenate([worst[:1], worst, worst[-1:]])
    widest: NDArray[np.float64] = np.maximum(np.maximum(padded[:-2], padded[1:-1]), padded[2:])
    return widest


def tolerance(
    part: NDArray[np.float64], envelope_of_part: NDArray[np.float64], iterative: bool, precision: str
) -> NDArray[np.float64]:
    """Allowed distance of each row."""
    with np.errstate(all="ignore"):
        # A correct form may carry the rounding of larger, earlier iterates, for example in a sum of all steps.
        size = np.maximum.accumulate(lengths(rows(part, iterative)))
    floor = FLOOR * UNIT_ROUNDOFF[precision] * size
    return np.maximum(FACTOR * envelope_of_part, np.where(np.isfinite(floor), floor, 0.0))
