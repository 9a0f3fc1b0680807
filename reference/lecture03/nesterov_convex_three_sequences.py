"""Nesterov's method for convex functions in three sequences: the form in which its theorem is proved.

Problem     min f(x) over R^d; f convex and L-smooth.
Algorithm   v_0 = x_0,  theta_k = 2/(k+1),  for k = 1, ..., K
                y_{k-1} = (1 - theta_k) x_{k-1} + theta_k v_{k-1}
                x_k     = y_{k-1} - (1/L) grad f(y_{k-1})
                v_k     = x_{k-1} + (x_k - x_{k-1}) / theta_k
Guarantee   x_k is that of nesterov_convex.py, as theta_k (1 - theta_{k-1}) / theta_{k-1} = (k-2)/(k+1); so are its
            theorems. Their proof needs (1 - theta_k)/theta_k^2 <= 1/theta_{k-1}^2. v_k is a sum of gradients with
            growing weights, v_k = v_{k-1} - 1/(L theta_k) grad f(y_{k-1}), and x_k = (1-theta_k) x_{k-1} + theta_k v_k.
Cost        one gradient a step, three vectors.
References  Notes ch. 3, page 4, proof of Theorem 3.1. The other forms of v_k and x_k are derived.
Catalogue   nag_convex_theta
Witness     nesterov_convex.py

In the code L is `smoothness` and K is `num_steps`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.problem import Matrix, Vector
from reference.variants import convention, equivalent, mistake

Gradient = Callable[[Vector], Vector]
Sequences = tuple[Matrix, Matrix, Matrix]


def nesterov_convex_three_sequences(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Sequences:
    """x_0, ..., x_K, (K+1, d); y_0, ..., y_{K-1}, (K, d); v_0, ..., v_K, (K+1, d).

    Args:
        gradient: grad f, (d,) -> (d,); called once a step, K times in all, at y_0, ..., y_{K-1}.
        x0: starting point, (d,); left as it is.
        smoothness: L, or any larger number; the step is 1/L.
        num_steps: K >= 0.
    """
    x = np.array(x0, dtype=np.float64)
    v = x
    xs, ys, vs = [x], [], [v]
    for k in range(1, num_steps + 1):
        theta = 2 / (k + 1)
        y = (1 - theta) * x + theta * v
        x, x_previous = y - gradient(y) / smoothness, x
        v = x_previous + (x - x_previous) / theta
        xs.append(x)
        ys.append(y)
        vs.append(v)
    return np.array(xs), np.reshape(ys, (num_steps, len(x0))), np.array(vs)


@equivalent(nesterov_convex_three_sequences)
def summed_gradients(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Sequences:
    """v_k = v_{k-1} - 1/(L theta_k) grad f(y_{k-1})."""
    x = np.array(x0, dtype=np.float64)
    v = x
    xs, ys, vs = [x], [], [v]
    for k in range(1, num_steps + 1):
        theta = 2 / (k + 1)
        y = (1 - theta) * x + theta * v
        g = gradient(y)
        x = y - g / smoothness
        v = v - g / (smoothness * theta)
        xs.append(x)
        ys.append(y)
        vs.append(v)
    return np.array(xs), np.reshape(ys, (num_steps, len(x0))), np.array(vs)


@equivalent(nesterov_convex_three_sequences)
def averaged_iterate(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Sequences:
    """v_k from the gradient first, then x_k = (1-theta_k) x_{k-1} + theta_k v_k, an average as y_{k-1} is."""
    x = np.array(x0, dtype=np.float64)
    v = x
    xs, ys, vs = [x], [], [v]
    for k in range(1, num_steps + 1):
        theta = 2 / (k + 1)
        y = (1 - theta) * x + theta * v
        v = v - gradient(y) / (smoothness * theta)
        x = (1 - theta) * x + theta * v
        xs.append(x)
        ys.append(y)
        vs.append(v)
    return np.array(xs), np.reshape(ys, (num_steps, len(x0))), np.array(vs)


@convention(
    nesterov_convex_three_sequences,
    "Your theta runs one step ahead of the course's. The method is accelerated too, but the sequences are others.",
)
def theta_one_ahead(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Sequences:
    """theta_k = 2/(k+2), that is the momentum (k-1)/(k+2): `schedule_one_ahead` in nesterov_convex.py."""
    x = np.array(x0, dtype=np.float64)
    v = x
    xs, ys, vs = [x], [], [v]
    for k in range(1, num_steps + 1):
        theta = 2 / (k + 2)
        y = (1 - theta) * x + theta * v
        x, x_previous = y - gradient(y) / smoothness, x
        v = x_previous + (x - x_previous) / theta
        xs.append(x)
        ys.append(y)
        vs.append(v)
    return np.array(xs), np.reshape(ys, (num_steps, len(x0))), np.array(vs)


@mistake(
    nesterov_convex_three_sequences,
    "Your third sequence goes too far: it starts from the new iterate. From which point is the step prolonged?",
)
def prolonged_from_new_iterate(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Sequences:
    """v_k = x_k + (x_k - x_{k-1}) / theta_k."""
    x = np.array(x0, dtype=np.float64)
    v = x
    xs, ys, vs = [x], [], [v]
    for k in range(1, num_steps + 1):
        theta = 2 / (k + 1)
        y = (1 - theta) * x + theta * v
        x, x_previous = y - gradient(y) / smoothness, x
        v = x + (x - x_previous) / theta
        xs.append(x)
        ys.append(y)
        vs.append(v)
    return np.array(xs), np.reshape(ys, (num_steps, len(x0))), np.array(vs)


@mistake(
    nesterov_convex_three_sequences,
    "Your third sequence moves with the step of gradient descent, so nothing is accelerated. "
    "How does its step depend on k?",
)
def plain_step_of_v(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Sequences:
    """v_k = v_{k-1} - (1/L) grad f(y_{k-1})."""
    x = np.array(x0, dtype=np.float64)
    v = x
    xs, ys, vs = [x], [], [v]
    for k in range(1, num_steps + 1):
        theta = 2 / (k + 1)
        y = (1 - theta) * x + theta * v
        g = gradient(y)
        x = y - g / smoothness
        v = v - g / smoothness
        xs.append(x)
        ys.append(y)
        vs.append(v)
    return np.array(xs), np.reshape(ys, (num_steps, len(x0))), np.array(vs)


@mistake(
    nesterov_convex_three_sequences,
    "Your average has its two weights the wrong way round. Which of the two points should count more as k grows?",
)
def swapped_weights(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Sequences:
    """y_{k-1} = theta_k x_{k-1} + (1 - theta_k) v_{k-1}."""
    x = np.array(x0, dtype=np.float64)
    v = x
    xs, ys, vs = [x], [], [v]
    for k in range(1, num_steps + 1):
        theta = 2 / (k + 1)
        y = theta * x + (1 - theta) * v
        x, x_previous = y - gradient(y) / smoothness, x
        v = x_previous + (x - x_previous) / theta
        xs.append(x)
        ys.append(y)
        vs.append(v)
    return np.array(xs), np.reshape(ys, (num_steps, len(x0))), np.array(vs)


@mistake(
    nesterov_convex_three_sequences,
    "Your gradient is taken at the iterate. At which of the three points should it be?",
)
def gradient_at_iterate(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Sequences:
    """x_k = y_{k-1} - (1/L) grad f(x_{k-1})."""
    x = np.array(x0, dtype=np.float64)
    v = x
    xs, ys, vs = [x], [], [v]
    for k in range(1, num_steps + 1):
        theta = 2 / (k + 1)
        y = (1 - theta) * x + theta * v
        x, x_previous = y - gradient(x) / smoothness, x
        v = x_previous + (x - x_previous) / theta
        xs.append(x)
        ys.append(y)
        vs.append(v)
    return np.array(xs), np.reshape(ys, (num_steps, len(x0))), np.array(vs)
