"""Nesterov's accelerated gradient: the two-line form with any momentum.

Problem     min f(x) over R^d; f differentiable, for the guarantees convex and L-smooth.
Algorithm   x_{-1} = x_0,  for k = 1, ..., K
                y_{k-1} = x_{k-1} + beta_k (x_{k-1} - x_{k-2})
                x_k     = y_{k-1} - gamma grad f(y_{k-1})
            The gradient is taken at the extrapolated point y, and the step starts there too. Iterate k is x_k.
Guarantee   with gamma = 1/L and the momentum that belongs to the class of f:
                convex            beta_k = (k-2)/(k+1)    nesterov_convex.py
                strongly convex   beta constant           nesterov_strongly_convex.py
            Constant beta in [0, 1) on a quadratic: convergence exactly for 0 < gamma < 2 (1+beta) / ((1+2 beta) L),
            an interval that is shorter than that of gradient descent.
Cost        one gradient a step, three vectors.
References  Notes ch. 3, eqs. (5)-(6); Lecture 3 part I, slide 19; homework 3, problem 1.
            The interval of gamma is derived.
Catalogue   nag
Witness     torch.optim.SGD(nesterov=True); powers of the companion matrix

In the code gamma is `learning_rate`, beta_k is `momentum` and K is `num_steps`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.lecture03.problems import valley
from reference.problem import Matrix, Vector
from reference.quantities import distance
from reference.variants import convention, equivalent, example, mistake

Gradient = Callable[[Vector], Vector]
Momentum = float | Callable[[int], float]


def nesterov(gradient: Gradient, x0: Vector, learning_rate: float, momentum: Momentum, num_steps: int) -> Matrix:
    """The iterates x_0, ..., x_K of Nesterov's method, (K+1, d) float64: row k is x_k.

    Args:
        gradient: grad f, (d,) -> (d,); called once a step, K times in all, at y_0, ..., y_{K-1}.
        x0: starting point, (d,); left as it is.
        learning_rate: gamma, the constant step.
        momentum: beta, or a function from k = 1, 2, ... to beta_k, the momentum that goes into x_k.
        num_steps: K >= 0.
    """
    x = np.array(x0, dtype=np.float64)
    x_previous = x
    iterates = [x]
    for k in range(1, num_steps + 1):
        y = x + momentum_at(momentum, k) * (x - x_previous)
        x, x_previous = y - learning_rate * gradient(y), x
        iterates.append(x)
    return np.array(iterates)


def momentum_at(momentum: Momentum, k: int) -> float:
    """beta_k."""
    return momentum(k) if callable(momentum) else momentum


def extrapolated_points(iterates: Matrix, momentum: Momentum) -> Matrix:
    """y_0, ..., y_{K-1} that belong to the iterates, (K, d): where the gradients were taken.

    Args:
        iterates: x_0, ..., x_K, (K+1, d).
        momentum: as for `nesterov`.
    """
    num_steps = len(iterates) - 1
    betas = np.array([momentum_at(momentum, k) for k in range(1, num_steps + 1)])
    steps = np.diff(iterates[:-1], axis=0, prepend=iterates[:1])
    return iterates[:-1] + betas[:, None] * steps


# Correct other forms.


@equivalent(nesterov)
def lookahead_velocity(
    gradient: Gradient, x0: Vector, learning_rate: float, momentum: Momentum, num_steps: int
) -> Matrix:
    """v_k = beta_k v_{k-1} - gamma grad f(x_{k-1} + beta_k v_{k-1}), x_k = x_{k-1} + v_k, v_0 = 0."""
    x = np.array(x0, dtype=np.float64)
    v = np.zeros(len(x0))
    iterates = [x]
    for k in range(1, num_steps + 1):
        v = momentum_at(momentum, k) * v
        v = v - learning_rate * gradient(x + v)
        x = x + v
        iterates.append(x)
    return np.array(iterates)


@equivalent(nesterov)
def extrapolation_after_the_step(
    gradient: Gradient, x0: Vector, learning_rate: float, momentum: Momentum, num_steps: int
) -> Matrix:
    """x_{j+1} = y_j - gamma grad f(y_j), y_{j+1} = x_{j+1} + beta_{j+2} (x_{j+1} - x_j), y_0 = x_0."""
    x = np.array(x0, dtype=np.float64)
    y = x
    iterates = [x]
    for j in range(num_steps):
        x_next = y - learning_rate * gradient(y)
        y = x_next + momentum_at(momentum, j + 2) * (x_next - x)
        x = x_next
        iterates.append(x)
    return np.array(iterates)


@equivalent(nesterov)
def summed_gradients(
    gradient: Gradient, x0: Vector, learning_rate: float, momentum: Momentum, num_steps: int
) -> Matrix:
    """The form of torch.optim.SGD(nesterov=True), whose parameters are the points y_k; x_k is computed beside them.

    m_k = beta_k m_{k-1} + grad f(y_{k-1}), y_k = y_{k-1} - gamma (grad f(y_{k-1}) + beta_{k+1} m_k), and
    x_k = y_k + gamma beta_{k+1} m_k.
    """
    y = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    iterates = [y]
    for k in range(1, num_steps + 1):
        g = gradient(y)
        m = momentum_at(momentum, k) * m + g
        beta_next = momentum_at(momentum, k + 1)
        y = y - learning_rate * (g + beta_next * m)
        iterates.append(y + learning_rate * beta_next * m)
    return np.array(iterates)


# Other sources.


@convention(
    nesterov,
    "Your rows are the extrapolated points at which the gradient is taken, as the parameters of PyTorch's optimizer "
    "are. The course counts the points after the gradient step.",
)
def points_of_the_gradient(
    gradient: Gradient, x0: Vector, learning_rate: float, momentum: Momentum, num_steps: int
) -> Matrix:
    """y_0, ..., y_K, (K+1, d)."""
    x = np.array(x0, dtype=np.float64)
    y = x
    points = [y]
    for k in range(1, num_steps + 1):
        x_next = y - learning_rate * gradient(y)
        y = x_next + momentum_at(momentum, k + 1) * (x_next - x)
        x = x_next
        points.append(y)
    return np.array(points)


# What goes wrong in the step.


@mistake(
    nesterov,
    "Your gradient is taken at the last iterate, before the extrapolation: that is heavy ball. "
    "Where does Nesterov's method look before it steps?",
)
def gradient_at_iterate(
    gradient: Gradient, x0: Vector, learning_rate: float, momentum: Momentum, num_steps: int
) -> Matrix:
    """x_k = y_{k-1} - gamma grad f(x_{k-1}): heavy ball, exactly."""
    x = np.array(x0, dtype=np.float64)
    x_previous = x
    iterates = [x]
    for k in range(1, num_steps + 1):
        y = x + momentum_at(momentum, k) * (x - x_previous)
        x, x_previous = y - learning_rate * gradient(x), x
        iterates.append(x)
    return np.array(iterates)


@mistake(
    nesterov,
    "Your gradient is taken at the right point, but the step does not start there. From which point does it go?",
)
def step_from_iterate(
    gradient: Gradient, x0: Vector, learning_rate: float, momentum: Momentum, num_steps: int
) -> Matrix:
    """x_k = x_{k-1} - gamma grad f(y_{k-1}): the momentum never gets into the iterates."""
    x = np.array(x0, dtype=np.float64)
    x_previous = x
    iterates = [x]
    for k in range(1, num_steps + 1):
        y = x + momentum_at(momentum, k) * (x - x_previous)
        x, x_previous = x - learning_rate * gradient(y), x
        iterates.append(x)
    return np.array(iterates)


@mistake(
    nesterov,
    "Your extrapolation follows the line from the last extrapolated point. Which two points span the line?",
)
def difference_to_extrapolated_point(
    gradient: Gradient, x0: Vector, learning_rate: float, momentum: Momentum, num_steps: int
) -> Matrix:
    """y_{k-1} = x_{k-1} + beta_k (x_{k-1} - y_{k-2}), y_{-1} = x_0. The first two steps are right where beta_2 = 0."""
    x = np.array(x0, dtype=np.float64)
    y = x
    iterates = [x]
    for k in range(1, num_steps + 1):
        y = x + momentum_at(momentum, k) * (x - y)
        x = y - learning_rate * gradient(y)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    nesterov,
    "Your momentum comes one step late: it repeats the step before the last one. Which two points does it connect?",
)
def lagged_momentum(gradient: Gradient, x0: Vector, learning_rate: float, momentum: Momentum, num_steps: int) -> Matrix:
    """y_{k-1} = x_{k-1} + beta_k (x_{k-2} - x_{k-3})."""
    x = np.array(x0, dtype=np.float64)
    step = step_before = np.zeros(len(x0))
    iterates = [x]
    for k in range(1, num_steps + 1):
        y = x + momentum_at(momentum, k) * step_before
        x_next = y - learning_rate * gradient(y)
        step, step_before = x_next - x, step
        x = x_next
        iterates.append(x)
    return np.array(iterates)


@mistake(
    nesterov,
    "Your extrapolation points back to where the path comes from. In which direction should the method look ahead?",
)
def flipped_momentum(
    gradient: Gradient, x0: Vector, learning_rate: float, momentum: Momentum, num_steps: int
) -> Matrix:
    """y_{k-1} = x_{k-1} - beta_k (x_{k-1} - x_{k-2})."""
    x = np.array(x0, dtype=np.float64)
    x_previous = x
    iterates = [x]
    for k in range(1, num_steps + 1):
        y = x - momentum_at(momentum, k) * (x - x_previous)
        x, x_previous = y - learning_rate * gradient(y), x
        iterates.append(x)
    return np.array(iterates)


@mistake(
    nesterov,
    "Your first step already has momentum, as if the path had come from the origin. "
    "What is the point before the first one?",
)
def history_at_zero(gradient: Gradient, x0: Vector, learning_rate: float, momentum: Momentum, num_steps: int) -> Matrix:
    """x_{-1} = 0. Invisible where x_0 = 0."""
    x = np.array(x0, dtype=np.float64)
    x_previous = np.zeros(len(x0))
    iterates = [x]
    for k in range(1, num_steps + 1):
        y = x + momentum_at(momentum, k) * (x - x_previous)
        x, x_previous = y - learning_rate * gradient(y), x
        iterates.append(x)
    return np.array(iterates)


@mistake(
    nesterov,
    "Your path is the one of plain gradient descent: the momentum is always zero. "
    "When do you remember the previous point, before or after you move?",
)
def overwritten_previous(
    gradient: Gradient, x0: Vector, learning_rate: float, momentum: Momentum, num_steps: int
) -> Matrix:
    """x_{k-2} is replaced by x_{k-1} before the difference is taken."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for k in range(1, num_steps + 1):
        x_previous = x
        y = x + momentum_at(momentum, k) * (x - x_previous)
        x = y - learning_rate * gradient(y)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    nesterov,
    "Your momentum is always the same number, whatever is asked for. "
    "Is there a number in your code that hides the argument?",
)
def own_momentum(gradient: Gradient, x0: Vector, learning_rate: float, momentum: Momentum, num_steps: int) -> Matrix:
    """beta = 0.9. Invisible where 0.9 is asked for."""
    return nesterov(gradient, x0, learning_rate, 0.9, num_steps)


@mistake(
    nesterov,
    "Your path is right, but it costs two gradients a step where one is enough. "
    "Gradients are what such a method pays for.",
)
def two_gradients_per_step(
    gradient: Gradient, x0: Vector, learning_rate: float, momentum: Momentum, num_steps: int
) -> Matrix:
    """The right path; the gradient is computed at x_{k-1} too, for its norm."""
    x = np.array(x0, dtype=np.float64)
    x_previous = x
    iterates = [x]
    norms = []
    for k in range(1, num_steps + 1):
        norms.append(np.linalg.norm(gradient(x)))
        y = x + momentum_at(momentum, k) * (x - x_previous)
        x, x_previous = y - learning_rate * gradient(y), x
        iterates.append(x)
    return np.array(iterates)


# What goes wrong in what is kept and returned.


@mistake(nesterov, "Your steps are right, but the path starts one point too late. What is row 0 of the result?")
def missing_first_row(
    gradient: Gradient, x0: Vector, learning_rate: float, momentum: Momentum, num_steps: int
) -> Matrix:
    """x_1, ..., x_K, (K, d)."""
    return nesterov(gradient, x0, learning_rate, momentum, num_steps)[1:]


@mistake(
    nesterov,
    "Your steps are right, but the path ends one point too early: "
    "the result of the last step is computed and not kept.",
)
def missing_last_row(
    gradient: Gradient, x0: Vector, learning_rate: float, momentum: Momentum, num_steps: int
) -> Matrix:
    """x_0, ..., x_{K-1}, (K, d)."""
    return nesterov(gradient, x0, learning_rate, momentum, num_steps)[:-1]


example(nesterov, valley, distance, learning_rate=lambda problem: 1 / problem.smoothness, momentum=0.6, num_steps=60)
