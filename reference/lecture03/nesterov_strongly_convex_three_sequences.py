"""Nesterov's method for strongly convex functions in three sequences: the form in which its theorem is proved.

Problem     min f(x) over R^d; f L-smooth and mu-strongly convex, 0 < mu <= L.
Algorithm   v_0 = x_0,  q = sqrt(mu/L),  for k = 1, ..., K
                y_{k-1} = (sqrt L x_{k-1} + sqrt mu v_{k-1}) / (sqrt L + sqrt mu)
                x_k     = y_{k-1} - (1/L) grad f(y_{k-1})
                v_k     = (1 - q) v_{k-1} + (1/q) x_k + (q - 1/q) y_{k-1}
Guarantee   x_k is that of nesterov_strongly_convex.py (homework 3, problem 1), and so is its theorem. Also
                v_k = (1 - q) v_{k-1} + q y_{k-1} - 1/sqrt(mu L) grad f(y_{k-1}) = x_{k-1} + (1/q) (x_k - x_{k-1})
Cost        one gradient a step, three vectors.
References  Notes ch. 3, eqs. (14)-(16) and exercise 2; homework 3, problem 1. The other forms of v_k are derived.
Catalogue   nag_sc_three_seq
Witness     nesterov_strongly_convex.py

In the code L is `smoothness`, mu is `strong_convexity` and K is `num_steps`.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np

from reference.problem import Matrix, Vector
from reference.variants import equivalent, mistake

Gradient = Callable[[Vector], Vector]
Sequences = tuple[Matrix, Matrix, Matrix]


def nesterov_strongly_convex_three_sequences(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Sequences:
    """x_0, ..., x_K, (K+1, d); y_0, ..., y_{K-1}, (K, d); v_0, ..., v_K, (K+1, d).

    Args:
        gradient: grad f, (d,) -> (d,); called once a step, K times in all, at y_0, ..., y_{K-1}.
        x0: starting point, (d,); left as it is.
        smoothness: L, or any larger number; the step is 1/L.
        strong_convexity: mu, or any smaller positive number.
        num_steps: K >= 0.
    """
    q = sqrt(strong_convexity / smoothness)
    x = np.array(x0, dtype=np.float64)
    v = x
    xs, ys, vs = [x], [], [v]
    for _ in range(num_steps):
        y = (sqrt(smoothness) * x + sqrt(strong_convexity) * v) / (sqrt(smoothness) + sqrt(strong_convexity))
        x = y - gradient(y) / smoothness
        v = (1 - q) * v + x / q + (q - 1 / q) * y
        xs.append(x)
        ys.append(y)
        vs.append(v)
    return np.array(xs), np.reshape(ys, (num_steps, len(x0))), np.array(vs)


@equivalent(nesterov_strongly_convex_three_sequences)
def gradient_step_of_v(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Sequences:
    """v_k = (1-q) v_{k-1} + q y_{k-1} - 1/sqrt(mu L) grad f(y_{k-1}), and y_{k-1} = (x_{k-1} + q v_{k-1})/(1+q)."""
    q = sqrt(strong_convexity / smoothness)
    x = np.array(x0, dtype=np.float64)
    v = x
    xs, ys, vs = [x], [], [v]
    for _ in range(num_steps):
        y = (x + q * v) / (1 + q)
        g = gradient(y)
        x = y - g / smoothness
        v = (1 - q) * v + q * y - g / sqrt(strong_convexity * smoothness)
        xs.append(x)
        ys.append(y)
        vs.append(v)
    return np.array(xs), np.reshape(ys, (num_steps, len(x0))), np.array(vs)


@equivalent(nesterov_strongly_convex_three_sequences)
def prolonged_step(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Sequences:
    """v_k = x_{k-1} + (1/q) (x_k - x_{k-1})."""
    q = sqrt(strong_convexity / smoothness)
    x = np.array(x0, dtype=np.float64)
    v = x
    xs, ys, vs = [x], [], [v]
    for _ in range(num_steps):
        y = (x + q * v) / (1 + q)
        x, x_previous = y - gradient(y) / smoothness, x
        v = x_previous + (x - x_previous) / q
        xs.append(x)
        ys.append(y)
        vs.append(v)
    return np.array(xs), np.reshape(ys, (num_steps, len(x0))), np.array(vs)


@mistake(
    nesterov_strongly_convex_three_sequences,
    "Your average has its two weights the wrong way round. Which of the two points should count more?",
)
def swapped_weights(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Sequences:
    """y_{k-1} = (sqrt mu x_{k-1} + sqrt L v_{k-1}) / (sqrt L + sqrt mu). Invisible for L = mu."""
    q = sqrt(strong_convexity / smoothness)
    x = np.array(x0, dtype=np.float64)
    v = x
    xs, ys, vs = [x], [], [v]
    for _ in range(num_steps):
        y = (q * x + v) / (1 + q)
        x = y - gradient(y) / smoothness
        v = (1 - q) * v + x / q + (q - 1 / q) * y
        xs.append(x)
        ys.append(y)
        vs.append(v)
    return np.array(xs), np.reshape(ys, (num_steps, len(x0))), np.array(vs)


@mistake(
    nesterov_strongly_convex_three_sequences,
    "Your three coefficients of the third sequence do not add up to one, so it would not stay at the minimiser. "
    "Check their signs.",
)
def flipped_coefficient(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Sequences:
    """v_k = (1-q) v_{k-1} + (1/q) x_k + (1/q - q) y_{k-1}. Invisible for L = mu."""
    q = sqrt(strong_convexity / smoothness)
    x = np.array(x0, dtype=np.float64)
    v = x
    xs, ys, vs = [x], [], [v]
    for _ in range(num_steps):
        y = (x + q * v) / (1 + q)
        x = y - gradient(y) / smoothness
        v = (1 - q) * v + x / q + (1 / q - q) * y
        xs.append(x)
        ys.append(y)
        vs.append(v)
    return np.array(xs), np.reshape(ys, (num_steps, len(x0))), np.array(vs)


@mistake(
    nesterov_strongly_convex_three_sequences,
    "Your gradient is taken at the iterate. At which of the three points should it be?",
)
def gradient_at_iterate(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Sequences:
    """x_k = y_{k-1} - (1/L) grad f(x_{k-1})."""
    q = sqrt(strong_convexity / smoothness)
    x = np.array(x0, dtype=np.float64)
    v = x
    xs, ys, vs = [x], [], [v]
    for _ in range(num_steps):
        y = (x + q * v) / (1 + q)
        x = y - gradient(x) / smoothness
        v = (1 - q) * v + x / q + (q - 1 / q) * y
        xs.append(x)
        ys.append(y)
        vs.append(v)
    return np.array(xs), np.reshape(ys, (num_steps, len(x0))), np.array(vs)


@mistake(
    nesterov_strongly_convex_three_sequences,
    "Your third sequence moves with the step of gradient descent. Its step is a longer one: which?",
)
def plain_step_of_v(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Sequences:
    """v_k = (1-q) v_{k-1} + q y_{k-1} - (1/L) grad f(y_{k-1}). Invisible for L = mu."""
    q = sqrt(strong_convexity / smoothness)
    x = np.array(x0, dtype=np.float64)
    v = x
    xs, ys, vs = [x], [], [v]
    for _ in range(num_steps):
        y = (x + q * v) / (1 + q)
        g = gradient(y)
        x = y - g / smoothness
        v = (1 - q) * v + q * y - g / smoothness
        xs.append(x)
        ys.append(y)
        vs.append(v)
    return np.array(xs), np.reshape(ys, (num_steps, len(x0))), np.array(vs)


@mistake(
    nesterov_strongly_convex_three_sequences,
    "Your third sequence starts at the origin. Where do all three sequences start?",
)
def v_starts_at_zero(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Sequences:
    """v_0 = 0. Invisible where x_0 = 0."""
    q = sqrt(strong_convexity / smoothness)
    x = np.array(x0, dtype=np.float64)
    v = np.zeros(len(x0))
    xs, ys, vs = [x], [], [v]
    for _ in range(num_steps):
        y = (x + q * v) / (1 + q)
        x = y - gradient(y) / smoothness
        v = (1 - q) * v + x / q + (q - 1 / q) * y
        xs.append(x)
        ys.append(y)
        vs.append(v)
    return np.array(xs), np.reshape(ys, (num_steps, len(x0))), np.array(vs)
