"""What a guarantee bounds: one number per iterate.

Each function takes the iterates, (K+1, d) with row k = x_k, and the problem, and returns (K+1,). Where x is a matrix
or has more axes still, so have the rows. The first line of its docstring is the name under which a student sees it.
"""

from __future__ import annotations

import numpy as np

from reference.conditions import known
from reference.problem import Matrix, Problem, Vector


def distance(iterates: Matrix, problem: Problem) -> Vector:
    """distance to the minimiser ||x_k - x*||

    ValueError where the problem has no minimiser.
    """
    minimizer = known(problem.minimizer, "minimiser x*", problem)
    return np.asarray(np.linalg.norm((iterates - minimizer).reshape(len(iterates), minimizer.size), axis=1))


def gap(iterates: Matrix, problem: Problem) -> Vector:
    """gap to the minimum f(x_k) - f*

    f is the whole objective: of a composite problem f + h.
    Where f is not bounded below, f* is the level that the problem states. ValueError where there is none. Where x_k is
    not finite, nan: there is no f(x_k), and a norm of singular values would raise.
    """
    minimum = known(problem.minimum, "minimum f*", problem)
    return np.array([problem.objective(x) - minimum if np.isfinite(x).all() else np.nan for x in iterates])


def mean_squared_gradient(iterates: Matrix, problem: Problem) -> Vector:
    """mean of ||grad f(x_0)||^2, ..., ||grad f(x_k)||^2"""
    squared_norms = [float(np.sum(problem.gradient(x) ** 2)) for x in iterates]
    return np.cumsum(squared_norms) / np.arange(1, len(squared_norms) + 1)
