"""Nesterov's accelerated gradient for smooth convex functions.

Problem     min f(x) over R^d; f convex and L-smooth.
Algorithm   x_{-1} = x_0,  for k = 1, ..., K
                y_{k-1} = x_{k-1} + (k-2)/(k+1) (x_{k-1} - x_{k-2})
                x_k     = y_{k-1} - (1/L) grad f(y_{k-1})
            k is the number of the iterate that is computed: the momentum is -1/2, 0, 1/4, 2/5, 1/2, ... The first
            one does nothing, as x_0 - x_{-1} = 0; so x_1 and x_2 are two steps of gradient descent.
Guarantee   f(x_k) - f* <= 2 L ||x_0 - x*||^2 / (k+1)^2;  f(x_k) itself need not decrease in every step.
            E_k = (f(x_k) - f*) / (L theta_k^2) + 1/2 ||v_k - x*||^2 with theta_k = 2/(k+1) does not increase from
            k = 1 on, and is at most 1/2 ||x_0 - x*||^2 there; v_k as in nesterov_convex_three_sequences.py.
Cost        one gradient a step, three vectors.
References  Notes ch. 3, Theorem 3.1 and eq. (12); Lecture 3 part I, slide 22. Slides 24, 31 and 32 print L/sqrt(eps)
            for the number of steps to the accuracy eps; it is sqrt(L/eps). Nesterov (1983, 2003).
Catalogue   nag_convex
Witness     nesterov_convex_three_sequences.py; torch.optim.SGD under the schedule, its buffer as velocity

In the code L is `smoothness` and K is `num_steps`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.conditions import at_most, equal, require, require_convex
from reference.conditions import smoothness as smoothness_of
from reference.lecture03 import nesterov as two_lines
from reference.lecture03.nesterov import nesterov
from reference.lecture03.problems import worst_convex
from reference.lecture03.quantities import lyapunov_convex
from reference.problem import Matrix, Problem, Vector
from reference.quantities import distance, gap
from reference.variants import convention, equivalent, example, guarantee, mistake

Gradient = Callable[[Vector], Vector]


def nesterov_convex(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Matrix:
    """The iterates x_0, ..., x_K of Nesterov's method for convex f, (K+1, d) float64: row k is x_k.

    Args:
        gradient: grad f, (d,) -> (d,); called once a step, K times in all, at y_0, ..., y_{K-1}.
        x0: starting point, (d,); left as it is.
        smoothness: L, or any larger number; the step is 1/L.
        num_steps: K >= 0.
    """
    x = np.array(x0, dtype=np.float64)
    x_previous = x
    iterates = [x]
    for k in range(1, num_steps + 1):
        y = x + momentum_convex(k) * (x - x_previous)
        x, x_previous = y - gradient(y) / smoothness, x
        iterates.append(x)
    return np.array(iterates)


def momentum_convex(k: int) -> float:
    """beta_k = (k-2)/(k+1), the momentum that goes into x_k; k >= 1."""
    return (k - 2) / (k + 1)


# What the theorem says.


@guarantee(
    nesterov_convex,
    gap,
    "Notes ch. 3, Theorem 3.1: for convex, L-smooth f, f(x_k) - f* <= 2 L ||x_0 - x*||^2 / (k+1)^2.",
)
def bound_convex(problem: Problem, smoothness: float, num_steps: int) -> Vector:
    """2 L ||x_0 - x*||^2 / (k+1)^2, (K+1,).

    Raises:
        ValueError: unless f is convex and L-smooth with L <= `smoothness`, and x* is known.
    """
    require_convex(problem)
    require(at_most(smoothness_of(problem), smoothness), "a step 1/L with a smoothness constant L of f", problem)
    counts = np.arange(1.0, num_steps + 2)
    return 2 * smoothness * distance(problem.x0[None], problem) ** 2 / counts**2


@guarantee(
    nesterov_convex,
    lyapunov_convex,
    "By the proof of Theorem 3.1, notes ch. 3: for convex, L-smooth f, "
    "(f(x_k) - f*)/(L theta_k^2) + 1/2 ||v_k - x*||^2 <= 1/2 ||x_0 - x*||^2 for k >= 1, theta_k = 2/(k+1).",
)
def bound_lyapunov(problem: Problem, smoothness: float, num_steps: int) -> Vector:
    """1/2 ||x_0 - x*||^2 for k >= 1, (K+1,); entry 0 is E_0 = (f(x_0) - f*)/(4L) + 1/2 ||x_0 - x*||^2 itself.

    Raises:
        ValueError: unless f is convex and L-smooth, x* is known and `smoothness` is L.
    """
    require_convex(problem)
    require(equal(smoothness, smoothness_of(problem)), "the step 1/L with the smoothness constant L of f", problem)
    bound = np.full(num_steps + 1, distance(problem.x0[None], problem)[0] ** 2 / 2)
    bound[0] = lyapunov_convex(problem.x0[None], problem)[0]
    return bound


# Correct other forms. The first three are those of nesterov.py with this momentum and this step.


@equivalent(nesterov_convex)
def lookahead_velocity(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Matrix:
    """v_k = beta_k v_{k-1} - (1/L) grad f(x_{k-1} + beta_k v_{k-1}), x_k = x_{k-1} + v_k."""
    return two_lines.lookahead_velocity(gradient, x0, 1 / smoothness, momentum_convex, num_steps)


@equivalent(nesterov_convex)
def summed_gradients(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Matrix:
    """The form of torch.optim.SGD(nesterov=True), with x_k computed beside its parameters y_k."""
    return two_lines.summed_gradients(gradient, x0, 1 / smoothness, momentum_convex, num_steps)


@equivalent(nesterov_convex)
def extrapolation_after_the_step(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Matrix:
    """x_{j+1} = y_j - (1/L) grad f(y_j), y_{j+1} = x_{j+1} + j/(j+3) (x_{j+1} - x_j), y_0 = x_0."""
    x = np.array(x0, dtype=np.float64)
    y = x
    iterates = [x]
    for j in range(num_steps):
        x_next = y - gradient(y) / smoothness
        y = x_next + j / (j + 3) * (x_next - x)
        x = x_next
        iterates.append(x)
    return np.array(iterates)


@equivalent(nesterov_convex)
def three_sequences(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Matrix:
    """theta_k = 2/(k+1), v_0 = x_0; y_{k-1} is a convex combination of x_{k-1} and v_{k-1} (notes ch. 3, page 4)."""
    x = np.array(x0, dtype=np.float64)
    v = x
    iterates = [x]
    for k in range(1, num_steps + 1):
        theta = 2 / (k + 1)
        y = (1 - theta) * x + theta * v
        x, x_previous = y - gradient(y) / smoothness, x
        v = x_previous + (x - x_previous) / theta
        iterates.append(x)
    return np.array(iterates)


# Other sources.


@convention(
    nesterov_convex,
    "Your momentum runs one step ahead of the course's: its index belongs to the point before the one that you "
    "compute. The method is accelerated too, but the iterates are others.",
)
def schedule_one_ahead(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Matrix:
    """beta_k = (k-1)/(k+2), that is theta_k = 2/(k+2)."""
    return nesterov(gradient, x0, 1 / smoothness, lambda k: (k - 1) / (k + 2), num_steps)


@convention(
    nesterov_convex,
    "Your momentum is computed from a recursion with a square root, as in FISTA and in Nesterov's paper of 1983. "
    "The guarantee is the same, the iterates are others.",
)
def schedule_of_fista(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Matrix:
    """beta_{k+1} = (t_k - 1)/t_{k+1}, t_{k+1} = (1 + sqrt(1 + 4 t_k^2))/2, t_1 = 1; y_0 = x_0."""
    x = np.array(x0, dtype=np.float64)
    y = x
    t = 1.0
    iterates = [x]
    for _ in range(num_steps):
        x_next = y - gradient(y) / smoothness
        t_next = (1 + np.sqrt(1 + 4 * t**2)) / 2
        y = x_next + (t - 1) / t_next * (x_next - x)
        x, t = x_next, t_next
        iterates.append(x)
    return np.array(iterates)


@convention(
    nesterov_convex,
    "Your rows are the extrapolated points at which the gradient is taken, as the parameters of PyTorch's optimizer "
    "are. The course counts the points after the gradient step.",
)
def points_of_the_gradient(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Matrix:
    """y_0, ..., y_K, (K+1, d)."""
    return two_lines.points_of_the_gradient(gradient, x0, 1 / smoothness, momentum_convex, num_steps)


# What goes wrong in the schedule.


@mistake(
    nesterov_convex,
    "Your momentum runs ahead of the one asked for: it starts too early. Compute it by hand for the first three steps.",
)
def schedule_two_ahead(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Matrix:
    """beta_k = k/(k+3)."""
    return nesterov(gradient, x0, 1 / smoothness, lambda k: k / (k + 3), num_steps)


@mistake(
    nesterov_convex,
    "Your momentum runs one step behind the one asked for. What should it be in the second step?",
)
def schedule_one_behind(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Matrix:
    """beta_k = (k-3)/k."""
    return nesterov(gradient, x0, 1 / smoothness, lambda k: (k - 3) / k, num_steps)


@mistake(
    nesterov_convex,
    "Your momentum grows too fast: its numerator and its denominator are too close to each other.",
)
def schedule_too_steep(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Matrix:
    """beta_k = (k-1)/(k+1)."""
    return nesterov(gradient, x0, 1 / smoothness, lambda k: (k - 1) / (k + 1), num_steps)


@mistake(
    nesterov_convex,
    "Your momentum divides by zero in the second step. Is it smaller or larger than one?",
)
def inverted_schedule(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Matrix:
    """beta_k = (k+1)/(k-2). Raises ZeroDivisionError from K = 2 on."""
    return nesterov(gradient, x0, 1 / smoothness, lambda k: (k + 1) / (k - 2), num_steps)


@mistake(
    nesterov_convex,
    "Your path is the one of plain gradient descent: the momentum has no effect. Is its factor cut to a whole number, "
    "or the previous point overwritten before it is used?",
)
def integer_division(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Matrix:
    """beta_k = (k-2) // (k+1): zero from k = 2 on. An overwritten previous point gives the same path."""
    return nesterov(gradient, x0, 1 / smoothness, lambda k: (k - 2) // (k + 1), num_steps)


@mistake(
    nesterov_convex,
    "Your momentum is the same in all steps, the one that the last step should have. When is it computed?",
)
def frozen_schedule(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Matrix:
    """beta_K in every step."""
    return nesterov(gradient, x0, 1 / smoothness, momentum_convex(max(num_steps, 1)), num_steps)


@mistake(
    nesterov_convex,
    "Your momentum is a constant. For a function that is convex, and not strongly convex, it depends on the step.",
)
def constant_momentum(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Matrix:
    """beta = 0.9."""
    return nesterov(gradient, x0, 1 / smoothness, 0.9, num_steps)


# What goes wrong in the step: the mistakes of the same name in nesterov.py, with this momentum and this step.


@mistake(
    nesterov_convex,
    "Your gradient is taken at the last iterate, before the extrapolation: that is heavy ball. "
    "Where does Nesterov's method look before it steps?",
)
def gradient_at_iterate(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Matrix:
    """x_k = y_{k-1} - (1/L) grad f(x_{k-1})."""
    return two_lines.gradient_at_iterate(gradient, x0, 1 / smoothness, momentum_convex, num_steps)


@mistake(
    nesterov_convex,
    "Your gradient is taken at the right point, but the step does not start there. From which point does it go?",
)
def step_from_iterate(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Matrix:
    """x_k = x_{k-1} - (1/L) grad f(y_{k-1})."""
    return two_lines.step_from_iterate(gradient, x0, 1 / smoothness, momentum_convex, num_steps)


@mistake(
    nesterov_convex,
    "Your extrapolation follows the line from the last extrapolated point. Which two points span the line?",
)
def difference_to_extrapolated_point(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Matrix:
    """y_{k-1} = x_{k-1} + beta_k (x_{k-1} - y_{k-2})."""
    return two_lines.difference_to_extrapolated_point(gradient, x0, 1 / smoothness, momentum_convex, num_steps)


@mistake(
    nesterov_convex,
    "Your momentum comes one step late: it repeats the step before the last one. Which two points does it connect?",
)
def lagged_momentum(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Matrix:
    """y_{k-1} = x_{k-1} + beta_k (x_{k-2} - x_{k-3})."""
    return two_lines.lagged_momentum(gradient, x0, 1 / smoothness, momentum_convex, num_steps)


@mistake(
    nesterov_convex,
    "Your extrapolation points back to where the path comes from. In which direction should the method look ahead?",
)
def flipped_momentum(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Matrix:
    """y_{k-1} = x_{k-1} - beta_k (x_{k-1} - x_{k-2})."""
    return two_lines.flipped_momentum(gradient, x0, 1 / smoothness, momentum_convex, num_steps)


@mistake(
    nesterov_convex,
    "Your first step already has momentum, as if the path had come from the origin. "
    "What is the point before the first one?",
)
def history_at_zero(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Matrix:
    """x_{-1} = 0. Invisible where x_0 = 0."""
    return two_lines.history_at_zero(gradient, x0, 1 / smoothness, momentum_convex, num_steps)


@mistake(
    nesterov_convex,
    "Your path is right, but it costs two gradients a step where one is enough. "
    "Gradients are what such a method pays for.",
)
def two_gradients_per_step(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Matrix:
    """The right path; the gradient is computed at x_{k-1} too, for its norm."""
    return two_lines.two_gradients_per_step(gradient, x0, 1 / smoothness, momentum_convex, num_steps)


# What goes wrong in what is kept and returned.


@mistake(nesterov_convex, "Your steps are right, but the path starts one point too late. What is row 0 of the result?")
def missing_first_row(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Matrix:
    """x_1, ..., x_K, (K, d)."""
    return nesterov_convex(gradient, x0, smoothness, num_steps)[1:]


@mistake(
    nesterov_convex,
    "Your steps are right, but the path ends one point too early: "
    "the result of the last step is computed and not kept.",
)
def missing_last_row(gradient: Gradient, x0: Vector, smoothness: float, num_steps: int) -> Matrix:
    """x_0, ..., x_{K-1}, (K, d)."""
    return nesterov_convex(gradient, x0, smoothness, num_steps)[:-1]


example(
    nesterov_convex,
    lambda: worst_convex(smoothness=8.0, num_steps=25),
    gap,
    smoothness=lambda problem: problem.smoothness,
    num_steps=25,
)
