"""Sparse gradients from few directions: the slopes along m << d directions, explained with few coordinates.

Problem     grad f(x) for f: R^d -> R of which only values are known, and whose gradient has few entries that are not 0.
Algorithm   along u_1, ..., u_m, the rows of Q (m, d): b_i = (f(x + tau u_i) - f(x)) / tau, and
                g = argmin_g 1/2 ||b - Q g||^2 + lambda ||g||_1
            by proximal gradient steps, g <- soft(y - eta Q^T (Q y - b), eta lambda), eta = 1 / ||Q||_2^2,
            soft(v, s) = sign(v) max(|v| - s, 0), from points y that are extrapolated from the last two g, until g is
            optimal up to rounding. The momentum starts anew whenever a step goes against it.
Guarantee   none in the course; it refers to Wang et al. 2018 and Cai et al. 2022. g is optimal exactly where
            |Q^T (b - Q g)|_j <= lambda for all j, with equality and the sign of g_j where g_j != 0.
            lambda >= ||Q^T b||_inf gives g = 0. Where m < d there may be several g; all have the same Q g and ||g||_1.
Cost        m+1 queries, and an optimisation without queries.
References  Lecture 5, slides 16-17. The slides fix neither the solver nor the law of the directions; the papers take
            entries +1 and -1 with equal probability. Proximal gradient steps: notes ch. 4-2. Momentum: Beck and
            Teboulle 2009; its new start: O'Donoghue and Candes 2015.
Catalogue   sparse_gradient_lasso
Witness     sklearn.linear_model.Lasso with alpha = lambda/m; the optimality conditions; soft(b, lambda) for Q = I

In the code Q is `directions`, one direction a row, and lambda is `l1_weight`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.problem import Matrix, Vector
from reference.variants import equivalent, mistake

Value = Callable[[Vector], float]

_TOLERANCE = 1e-13
"""Of the optimality conditions, relative to ||Q||_2 ||b||, the size of what is rounded in them."""
_MAX_STEPS = 100_000


def sparse_gradient(value: Value, x: Vector, tau: float, directions: Matrix, l1_weight: float) -> Vector:
    """g = argmin_g 1/2 ||b - Q g||^2 + lambda ||g||_1 with b_i = (f(x + tau u_i) - f(x)) / tau, (d,) float64.

    Args:
        value: f, (d,) -> float; called m+1 times.
        x: where the gradient is wanted, (d,); left as it is.
        tau: step along the directions, > 0.
        directions: Q, (m, d): row i is u_i.
        l1_weight: lambda >= 0.
    """
    return lasso(directions, _slopes(value, x, tau, directions), l1_weight)


def lasso(Q: Matrix, b: Vector, l1_weight: float) -> Vector:
    """argmin_g 1/2 ||b - Q g||^2 + lambda ||g||_1, (d,), from g = 0.

    For lambda = 0 it is the shortest least-squares solution.

    Args:
        Q: (m, d), not 0.
        b: (m,).
        l1_weight: lambda >= 0.

    Raises:
        ValueError: lambda < 0, where nothing is found.
        RuntimeError: where g is not optimal after 100 000 steps, which takes a nearly singular Q.
    """
    if l1_weight < 0:
        raise ValueError(f"l1_weight is {l1_weight}; it must be at least 0.")
    eta = _largest_step(Q)
    tolerance = _TOLERANCE * float(np.linalg.norm(Q, 2) * np.linalg.norm(b))
    g = previous = np.zeros(Q.shape[1])
    t = 1.0
    for _ in range(_MAX_STEPS):
        if lasso_residual(Q, b, l1_weight, g) <= tolerance:
            return g
        t_next = (1 + np.sqrt(1 + 4 * t**2)) / 2
        y = g + (t - 1) / t_next * (g - previous)
        previous, g, t = g, _soft(y - eta * (Q.T @ (Q @ y - b)), eta * l1_weight), t_next
        if (y - g) @ (g - previous) > 0:  # the step goes against the momentum
            previous, t = g, 1.0
    raise RuntimeError(f"The sparse gradient is not found to rounding within {_MAX_STEPS} steps; Q is nearly singular.")


def lasso_residual(Q: Matrix, b: Vector, l1_weight: float, g: Vector) -> float:
    """How far g is from the optimality conditions: the largest violation over the coordinates, 0 where g is optimal."""
    correlation = Q.T @ (b - Q @ g)
    off_support = np.maximum(np.abs(correlation) - l1_weight, 0)
    on_support = np.abs(correlation - l1_weight * np.sign(g))
    return float(np.where(g == 0, off_support, on_support).max())


def lasso_objective(Q: Matrix, b: Vector, l1_weight: float, g: Vector) -> float:
    """1/2 ||b - Q g||^2 + lambda ||g||_1."""
    residual = b - Q @ g
    return float(0.5 * residual @ residual + l1_weight * np.abs(g).sum())


def _slopes(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """b, with f(x) queried once."""
    x = np.array(x, dtype=np.float64)
    base = value(x)
    return np.array([(value(x + tau * u) - base) / tau for u in directions])


def _largest_step(Q: Matrix) -> float:
    """1 / ||Q||_2^2."""
    return float(1 / np.linalg.norm(Q, 2) ** 2)


def _soft(v: Vector, threshold: float) -> Vector:
    return np.asarray(np.sign(v) * np.maximum(np.abs(v) - threshold, 0))


# Correct other ways to the same g.


@equivalent(lasso)
def lasso_without_momentum(Q: Matrix, b: Vector, l1_weight: float) -> Vector:
    """Plain proximal gradient steps: right, and slow where many coordinates of g are not 0."""
    eta = _largest_step(Q)
    tolerance = _TOLERANCE * float(np.linalg.norm(Q, 2) * np.linalg.norm(b))
    g = np.zeros(Q.shape[1])
    for _ in range(_MAX_STEPS):
        if lasso_residual(Q, b, l1_weight, g) <= tolerance:
            return g
        g = _soft(g - eta * (Q.T @ (Q @ g - b)), eta * l1_weight)
    raise RuntimeError(f"The sparse gradient is not found to rounding within {_MAX_STEPS} steps; Q is nearly singular.")


@equivalent(lasso)
def lasso_by_coordinates(Q: Matrix, b: Vector, l1_weight: float) -> Vector:
    """Coordinate descent: the exact minimum in one g_j after the other. For lambda > 0, or m >= d."""
    tolerance = _TOLERANCE * float(np.linalg.norm(Q, 2) * np.linalg.norm(b))
    squared_norms = np.sum(Q**2, axis=0)
    g = np.zeros(Q.shape[1])
    residual = np.array(b, dtype=np.float64)
    for _ in range(_MAX_STEPS):
        for j in range(len(g)):
            correlation = Q[:, j] @ residual + squared_norms[j] * g[j]
            updated = np.sign(correlation) * max(abs(correlation) - l1_weight, 0.0) / squared_norms[j]
            residual += Q[:, j] * (g[j] - updated)
            g[j] = updated
        if lasso_residual(Q, b, l1_weight, g) <= tolerance:
            return g
    raise RuntimeError(f"The sparse gradient is not found to rounding within {_MAX_STEPS} steps; Q is nearly singular.")


# What goes wrong in the minimisation.


@mistake(
    lasso,
    "Your gradient is too small, and the more directions, the smaller. "
    "Has your solver the same constant in front of the squared norm as the question?",
)
def lasso_weight_of_mean(Q: Matrix, b: Vector, l1_weight: float) -> Vector:
    """1/(2m) ||b - Q g||^2 + lambda ||g||_1, as a solver with a mean in its objective has it. Invisible for m = 1."""
    return lasso(Q, b, len(b) * l1_weight)


@mistake(
    lasso,
    "Your gradient is shrunk too little. Is there a constant in front of the squared norm in the question?",
)
def lasso_without_half(Q: Matrix, b: Vector, l1_weight: float) -> Vector:
    """||b - Q g||^2 + lambda ||g||_1: lambda counts for half."""
    return lasso(Q, b, l1_weight / 2)


@mistake(
    lasso,
    "Your gradient is not optimal for the lambda that was asked for, but for another one that changes with Q. "
    "By how much does one step shrink a coordinate?",
)
def lasso_threshold_without_step(Q: Matrix, b: Vector, l1_weight: float) -> Vector:
    """soft(g - eta Q^T (Q g - b), lambda), which minimises with lambda / eta. Invisible for ||Q||_2 = 1."""
    return lasso(Q, b, l1_weight * float(np.linalg.norm(Q, 2) ** 2))


@mistake(
    lasso,
    "Your model has a constant beside Q g. At s = 0, how large is the change of f that the slopes describe?",
)
def lasso_with_intercept(Q: Matrix, b: Vector, l1_weight: float) -> Vector:
    """min over g and c of 1/2 ||b - Q g - c||^2 + lambda ||g||_1: the columns and b are centred."""
    return lasso(Q - Q.mean(axis=0), b - b.mean(), l1_weight)


@mistake(
    lasso,
    "Your gradient is on its way and not there: the conditions of optimality are far from met. "
    "When does your iteration stop?",
)
def lasso_ten_steps(Q: Matrix, b: Vector, l1_weight: float) -> Vector:
    """Ten proximal gradient steps. Invisible where ten are enough, as for orthonormal directions."""
    eta = _largest_step(Q)
    g = np.zeros(Q.shape[1])
    for _ in range(10):
        g = _soft(g - eta * (Q.T @ (Q @ g - b)), eta * l1_weight)
    return g


# What goes wrong before it.


@mistake(
    sparse_gradient,
    "Your slopes shrink with tau, so that nearly nothing of the gradient is above the threshold.",
)
def sparse_undivided(value: Value, x: Vector, tau: float, directions: Matrix, l1_weight: float) -> Vector:
    """b_i = f(x + tau u_i) - f(x). Invisible for tau = 1."""
    return lasso(directions, tau * _slopes(value, x, tau, directions), l1_weight)


@mistake(
    sparse_gradient,
    "Your system has the directions in its columns. What does each equation say about one direction?",
)
def sparse_directions_as_columns(value: Value, x: Vector, tau: float, directions: Matrix, l1_weight: float) -> Vector:
    """Q^T in place of Q; raises ValueError for m != d, and is invisible for symmetric Q."""
    return lasso(directions.T, _slopes(value, x, tau, directions), l1_weight)


@mistake(
    sparse_gradient,
    "Your g is not sparse: it explains the slopes with all coordinates. "
    "What makes the solution of the question sparse?",
)
def sparse_shortest_solution(value: Value, x: Vector, tau: float, directions: Matrix, l1_weight: float) -> Vector:
    """The shortest g with Q g = b: lambda is not used. Invisible for lambda = 0."""
    return np.asarray(np.linalg.lstsq(directions, _slopes(value, x, tau, directions))[0])


@mistake(
    sparse_gradient,
    "Your gradient is right, and f(x) is computed anew for each direction. Queries are what such a method pays for.",
)
def sparse_base_repeated(value: Value, x: Vector, tau: float, directions: Matrix, l1_weight: float) -> Vector:
    """The right gradient with 2m queries in place of m+1."""
    x = np.array(x, dtype=np.float64)
    slopes = np.array([(value(x + tau * u) - value(x)) / tau for u in directions])
    return lasso(directions, slopes, l1_weight)
