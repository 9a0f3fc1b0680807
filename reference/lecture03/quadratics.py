"""The condition of the theorems that hold on quadratics only."""

from __future__ import annotations

import numpy as np

from reference.conditions import known, require
from reference.problem import Matrix, Problem


def constant_hessian(problem: Problem) -> Matrix:
    """H of a quadratic f(x) = f* + 1/2 (x - x*)^T H (x - x*).

    A problem says that it is one by `data["hessian"]`, or by A and b of least squares; grad f(x_0) = H (x_0 - x*)
    is checked, so that logistic regression, which has an A and a b too, is not taken for least squares.

    Raises:
        ValueError: where f is not known to be a quadratic, or has no minimiser.
    """
    minimizer = known(problem.minimizer, "minimiser x*", problem)
    data = problem.data
    require("hessian" in data or ("A" in data and "b" in data), "a quadratic f", problem)
    A = np.asarray(data["A"]) if "A" in data else np.empty((0, len(minimizer)))
    hessian = np.asarray(data["hessian"]) if "hessian" in data else A.T @ A
    slope, predicted = problem.gradient(problem.x0), hessian @ (problem.x0 - minimizer)
    require(bool(np.allclose(slope, predicted, rtol=1e-6, atol=1e-9)), "a quadratic f", problem)
    return hessian
