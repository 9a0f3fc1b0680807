"""What the theorems of lecture 2 bound beside the distance, the gap and the mean squared gradient."""

from __future__ import annotations

import numpy as np

from reference.problem import Matrix, Problem, Vector
from reference.quantities import gap


def mean_gap(iterates: Matrix, problem: Problem) -> Vector:
    """mean of f(x_0) - f*, ..., f(x_k) - f*

    ValueError where the problem has no minimum.
    """
    gaps = gap(iterates, problem)
    return np.cumsum(gaps) / np.arange(1, len(gaps) + 1)


def smallest_squared_gradient(iterates: Matrix, problem: Problem) -> Vector:
    """smallest of ||grad f(x_0)||^2, ..., ||grad f(x_k)||^2"""
    squared_norms = [float(np.sum(problem.gradient(x) ** 2)) for x in iterates]
    return np.minimum.accumulate(np.array(squared_norms))
