"""Gradient descent with sparse gradients from few random directions.

Problem     min f(x) over R^d with d large; only values of f are known, and its gradient has few entries that are not 0.
Algorithm   with fresh directions u_1^k, ..., u_m^k, the rows of Q^k, m << d:
                b_i^k   = (f(x_k + tau u_i^k) - f(x_k)) / tau
                g_k     = argmin_g 1/2 ||b^k - Q^k g||^2 + lambda ||g||_1
                x_{k+1} = x_k - gamma g_k,  k = 0, ..., K-1
Guarantee   none in the course; it refers to Wang et al. 2018 and Cai et al. 2022.
Cost        m+1 queries a step.
References  Lecture 5, slide 17, which leaves out the index k of the directions in Q^k.
Catalogue   zo_gd_sparse
Witness     descent with forward differences for Q^k = I and lambda = 0

In the code gamma is `learning_rate`, K is `num_steps`, lambda is `l1_weight` and Q^k is `directions[k]`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from reference.lecture05 import problems
from reference.lecture05.sparse_gradient import lasso, sparse_gradient
from reference.problem import Matrix, Vector
from reference.quantities import gap
from reference.variants import equivalent, example, mistake

Value = Callable[[Vector], float]
Directions = NDArray[np.float64]


def zo_gd_sparse(
    value: Value, x0: Vector, learning_rate: float, tau: float, l1_weight: float, directions: Directions, num_steps: int
) -> Matrix:
    """The iterates x_0, ..., x_K, (K+1, d) float64: row k is x_k.

    Args:
        value: f, (d,) -> float; called m+1 times a step.
        x0: starting point, (d,); left as it is.
        learning_rate: gamma, the constant step of the descent.
        tau: step along the directions, > 0.
        l1_weight: lambda >= 0.
        directions: Q^0, ..., Q^{K-1}, (K, m, d): u_i^k is row i of directions[k], drawn by the caller.
        num_steps: K >= 0.
    """
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for k in range(num_steps):
        x = x - learning_rate * sparse_gradient(value, x, tau, directions[k], l1_weight)
        iterates.append(x)
    return np.array(iterates)


# Correct other forms.


@equivalent(zo_gd_sparse)
def slopes_as_rows(
    value: Value, x0: Vector, learning_rate: float, tau: float, l1_weight: float, directions: Directions, num_steps: int
) -> Matrix:
    """The iterates in an array that exists from the start, the points of the slopes as rows of x + tau Q^k."""
    iterates = np.empty((num_steps + 1, len(x0)))
    iterates[0] = x0
    for k in range(num_steps):
        values = np.array([value(row) for row in iterates[k] + tau * directions[k]])
        slopes = (values - value(iterates[k])) / tau
        iterates[k + 1] = iterates[k] - learning_rate * lasso(directions[k], slopes, l1_weight)
    return iterates


# What goes wrong.


@mistake(
    zo_gd_sparse,
    "Your first step is right, and the later ones explain slopes that were measured at an earlier point.",
)
def stale_slopes(
    value: Value, x0: Vector, learning_rate: float, tau: float, l1_weight: float, directions: Directions, num_steps: int
) -> Matrix:
    """b^{k-1} with Q^{k-1} at x_k: the step before is used once more, from k = 1 on."""
    x = np.array(x0, dtype=np.float64)
    g = np.zeros(len(x))
    iterates = [x]
    for k in range(num_steps):
        fresh = sparse_gradient(value, x, tau, directions[k], l1_weight)
        x = x - learning_rate * (fresh if k == 0 else g)
        g = fresh
        iterates.append(x)
    return np.array(iterates)


@mistake(
    zo_gd_sparse,
    "Your slopes belong to this step's directions and your matrix to those of the first one.",
)
def frozen_matrix(
    value: Value, x0: Vector, learning_rate: float, tau: float, l1_weight: float, directions: Directions, num_steps: int
) -> Matrix:
    """b^k with Q^0: the printed Q has no index k. Invisible where all Q^k are the same."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for k in range(num_steps):
        slopes = np.array([(value(x + tau * u) - value(x)) / tau for u in directions[k]])
        x = x - learning_rate * lasso(directions[0], slopes, l1_weight)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    zo_gd_sparse,
    "You query along the same directions in every step. What they do not see is never seen.",
)
def directions_drawn_once(
    value: Value, x0: Vector, learning_rate: float, tau: float, l1_weight: float, directions: Directions, num_steps: int
) -> Matrix:
    """Q^0 in every step. Invisible where all Q^k are the same."""
    return zo_gd_sparse(value, x0, learning_rate, tau, l1_weight, np.array([directions[0]] * num_steps), num_steps)


@mistake(
    zo_gd_sparse,
    "Your slopes shrink with tau, so that nearly nothing of the gradient is above the threshold.",
)
def undivided_slopes(
    value: Value, x0: Vector, learning_rate: float, tau: float, l1_weight: float, directions: Directions, num_steps: int
) -> Matrix:
    """b_i^k = f(x_k + tau u_i^k) - f(x_k). Invisible for tau = 1."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for k in range(num_steps):
        slopes = np.array([value(x + tau * u) - value(x) for u in directions[k]])
        x = x - learning_rate * lasso(directions[k], slopes, l1_weight)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    zo_gd_sparse,
    "Your steps move all coordinates: the gradient that explains the slopes is not sparse.",
)
def shortest_gradient(
    value: Value, x0: Vector, learning_rate: float, tau: float, l1_weight: float, directions: Directions, num_steps: int
) -> Matrix:
    """The shortest g with Q^k g = b^k: lambda is not used. Invisible for lambda = 0."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for k in range(num_steps):
        slopes = np.array([(value(x + tau * u) - value(x)) / tau for u in directions[k]])
        x = x - learning_rate * np.linalg.lstsq(directions[k], slopes)[0]
        iterates.append(x)
    return np.array(iterates)


@mistake(
    zo_gd_sparse,
    "Your iterates climb: each step goes towards larger values of f. In which direction does f decrease?",
)
def ascent(
    value: Value, x0: Vector, learning_rate: float, tau: float, l1_weight: float, directions: Directions, num_steps: int
) -> Matrix:
    """x_{k+1} = x_k + gamma g_k."""
    return zo_gd_sparse(value, x0, -learning_rate, tau, l1_weight, directions, num_steps)


@mistake(
    zo_gd_sparse,
    "Your path is right, and f(x_k) is computed anew for each direction. Queries are what such a method pays for.",
)
def base_repeated(
    value: Value, x0: Vector, learning_rate: float, tau: float, l1_weight: float, directions: Directions, num_steps: int
) -> Matrix:
    """The right path with 2m queries a step in place of m+1."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for k in range(num_steps):
        slopes = np.array([(value(x + tau * u) - value(x)) / tau for u in directions[k]])
        x = x - learning_rate * lasso(directions[k], slopes, l1_weight)
        iterates.append(x)
    return np.array(iterates)


example(
    zo_gd_sparse,
    problems.few_coordinates,
    gap,
    learning_rate=0.5,
    tau=0.01,
    l1_weight=0.01,
    directions=lambda problem: problems.rademacher_directions((20, 30, len(problem.x0)), seed=1),
    num_steps=20,
)
