"""Problems of the stochastic and adaptive methods: finite sums, and gradients of very different sizes.

small_least_squares     four samples in two dimensions, with the golden numbers of the course catalogue
random_finite_sum       linear regression on random data, f* > 0: the samples do not agree on a minimiser
two_curvatures          a quadratic in two dimensions, with the golden numbers of the course catalogue
tiny_gradients          a quadratic whose partial derivatives span nine orders of magnitude
"""

from __future__ import annotations

import numpy as np

from reference import problems
from reference.problem import Matrix, Problem, Vector


def linear_regression(A: Matrix, b: Vector, x0: Vector, name: str) -> Problem:
    """f = 1/N sum_i F_i, F_i(x) = 1/2 (<a_i, x> - b_i)^2 with the rows a_i of A (N, d), b (N,); A has full column rank.

    L_i = ||a_i||^2; the Hessian of f is A^T A / N.
    """
    N = len(b)
    hessian = A.T @ A / N
    eigenvalues = np.linalg.eigvalsh(hessian)
    minimizer = np.asarray(np.linalg.solve(hessian, A.T @ b / N), dtype=np.float64)

    def value(x: Vector) -> float:
        return float(np.sum((A @ x - b) ** 2) / (2 * N))

    def gradient(x: Vector) -> Vector:
        return np.asarray(A.T @ (A @ x - b) / N)

    def component_gradient(x: Vector, i: int) -> Vector:
        return np.asarray((A[i] @ x - b[i]) * A[i])

    return Problem(
        name=name,
        value=value,
        gradient=gradient,
        x0=x0,
        smoothness=float(eigenvalues[-1]),
        strong_convexity=float(eigenvalues[0]),
        minimizer=minimizer,
        minimum=value(minimizer),
        data={"A": A, "b": b},
        hessian=lambda x: hessian,
        component_gradient=component_gradient,
        num_components=N,
        component_smoothness=float(np.max(np.sum(A**2, axis=1))),
    )


def small_least_squares() -> Problem:
    """A = (1 0; 0 2; 1 1; 2 -1), b = (1, 2, 3, 0), from 0: x* = (31/35, 46/35), f* = 11/70, L = 5, mu = 1.25."""
    A = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0], [2.0, -1.0]])
    return linear_regression(A, np.array([1.0, 2.0, 3.0, 0.0]), np.zeros(2), name="four samples")


def random_finite_sum(samples: int, dimension: int, seed: int) -> Problem:
    """Standard normal rows a_i; b = A w plus standard normal noise, for a standard normal w; x0 = (1, ..., 1)."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((samples, dimension))
    b = A @ rng.standard_normal(dimension) + rng.standard_normal(samples)
    return linear_regression(A, b, np.ones(dimension), name="linear regression, sample by sample")


def two_curvatures() -> Problem:
    """f(x) = 1/2 (20 x_1^2 + x_2^2) from (1, 1/2): L = 20, mu = 1."""
    return problems.quadratic(np.diag([20.0, 1.0]), np.zeros(2), np.array([1.0, 0.5]), name="two curvatures")


def tiny_gradients() -> Problem:
    """f(x) = 1/2 (20 x_1^2 + x_2^2 + 1e-2 x_3^2 + 1e-8 x_4^2) from (1, 1/2, -1, 2): L = 20, mu = 1e-8.

    An adaptive method moves all coordinates alike, whatever the size of their derivatives, until these are as small as
    epsilon. The last coordinate shows where an epsilon of 1e-8 stands.
    """
    curvatures = np.array([20.0, 1.0, 1e-2, 1e-8])
    return problems.quadratic(np.diag(curvatures), np.zeros(4), np.array([1.0, 0.5, -1.0, 2.0]), name="tiny gradients")
