"""What the guarantees of zeroth-order optimisation bound.

A guarantee about an estimator speaks about the point x0 of the problem: `quantity(result, problem) <= bound(...)`
with the estimate itself, or a stack of estimates, in the place of the iterates.

A guarantee in expectation bounds the mean over the directions. Its quantity takes the iterates of one run,
(K+1, d), or of several, (runs, K+1, d), and averages over the runs: with one run it is one sample of what is bounded.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.conditions import known
from reference.problem import Matrix, Problem, Vector
from reference.quantities import gap, mean_squared_gradient


def gradient_error(estimates: Matrix, problem: Problem) -> Vector:
    """error of the gradient ||g - grad f(x_0)||

    One number for an estimate (d,), N numbers for N estimates (N, d).
    """
    return np.asarray(np.linalg.norm(estimates - problem.gradient(problem.x0), axis=-1))


def mean_squared_norm(estimates: Matrix, problem: Problem) -> Vector:
    """mean squared norm of the estimate E ||g||^2

    Of one estimate (d,) or the mean over N estimates (N, d).
    """
    return np.asarray(np.mean(np.sum(estimates**2, axis=-1)))


def smoothing_error(smoothed_value: float, problem: Problem) -> Vector:
    """what smoothing adds to the value |fhat(x_0) - f(x_0)|"""
    return np.asarray(abs(smoothed_value - problem.value(problem.x0)))


def mean_gap(iterates: Matrix, problem: Problem) -> Vector:
    """mean of the gaps f(x_0) - f*, ..., f(x_k) - f*

    Of a convex f, the gap at the average of x_0, ..., x_k is at most this.
    """
    gaps = gap(iterates, problem)
    return np.cumsum(gaps) / np.arange(1, len(gaps) + 1)


def expected_gap(iterates: Matrix, problem: Problem) -> Vector:
    """expected gap to the minimum E f(x_k) - f*"""
    return _average_over_runs(gap, iterates, problem)


def expected_mean_gap(iterates: Matrix, problem: Problem) -> Vector:
    """expected mean of the gaps f(x_0) - f*, ..., f(x_k) - f*"""
    return _average_over_runs(mean_gap, iterates, problem)


def expected_mean_squared_gradient(iterates: Matrix, problem: Problem) -> Vector:
    """expected mean of ||grad f(x_0)||^2, ..., ||grad f(x_k)||^2"""
    return _average_over_runs(mean_squared_gradient, iterates, problem)


def initial_gap(problem: Problem) -> float:
    """f(x_0) - f*; ValueError where the problem has no f*."""
    return problem.value(problem.x0) - known(problem.minimum, "minimum f*", problem)


def hessian_lipschitz(problem: Problem) -> float:
    """M with ||Hess f(x) - Hess f(y)|| <= M ||x - y||; ValueError where the problem does not state it."""
    M = known(problem.data.get("hessian_lipschitz"), "Lipschitz constant M of the Hessian", problem)
    return float(np.asarray(M))


def _average_over_runs(quantity: Callable[[Matrix, Problem], Vector], iterates: Matrix, problem: Problem) -> Vector:
    runs = iterates if iterates.ndim == 3 else iterates[np.newaxis]
    return np.asarray(np.mean([quantity(run, problem) for run in runs], axis=0))
