"""Nesterov's accelerated gradient for smooth, strongly convex functions.

Problem     min f(x) over R^d; f L-smooth and mu-strongly convex, 0 < mu <= L.
Algorithm   x_{-1} = x_0,  beta = (sqrt L - sqrt mu) / (sqrt L + sqrt mu),  for k = 1, ..., K
                y_{k-1} = x_{k-1} + beta (x_{k-1} - x_{k-2})
                x_k     = y_{k-1} - (1/L) grad f(y_{k-1})
Guarantee   f(x_k) - f* <= (1 - sqrt(mu/L))^k (f(x_0) - f* + mu/2 ||x_0 - x*||^2)
            Phi_k = f(x_k) - f* + mu/2 ||v_k - x*||^2 shrinks by the factor 1 - sqrt(mu/L) at least in every step; v_k
            as in nesterov_strongly_convex_three_sequences.py.
Cost        one gradient a step, three vectors.
References  Notes ch. 3, Theorem 3.2; Lecture 3 part I, slide 23; homework 3, problem 1. The figures of the notes, page
            9, run this method with the momentum of heavy ball, L/(sqrt L + sqrt mu)^2, which is not the theorem's.
Catalogue   nag_strongly_convex
Witness     nesterov_strongly_convex_three_sequences.py; torch.optim.SGD(nesterov=True); powers of nesterov_matrix

In the code L is `smoothness`, mu is `strong_convexity` and K is `num_steps`.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np

from reference.conditions import at_most, equal, require
from reference.conditions import smoothness as smoothness_of
from reference.conditions import strong_convexity as strong_convexity_of
from reference.lecture03 import nesterov as two_lines
from reference.lecture03.nesterov import nesterov
from reference.lecture03.problems import valley
from reference.lecture03.quantities import lyapunov_strongly_convex
from reference.problem import Matrix, Problem, Vector
from reference.quantities import distance, gap
from reference.variants import convention, equivalent, example, guarantee, mistake

Gradient = Callable[[Vector], Vector]


def nesterov_strongly_convex(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Matrix:
    """The iterates x_0, ..., x_K of Nesterov's method for strongly convex f, (K+1, d) float64: row k is x_k.

    Args:
        gradient: grad f, (d,) -> (d,); called once a step, K times in all, at y_0, ..., y_{K-1}.
        x0: starting point, (d,); left as it is.
        smoothness: L, or any larger number; the step is 1/L.
        strong_convexity: mu, or any smaller positive number.
        num_steps: K >= 0.
    """
    beta = momentum_strongly_convex(smoothness, strong_convexity)
    x = np.array(x0, dtype=np.float64)
    x_previous = x
    iterates = [x]
    for _ in range(num_steps):
        y = x + beta * (x - x_previous)
        x, x_previous = y - gradient(y) / smoothness, x
        iterates.append(x)
    return np.array(iterates)


def momentum_strongly_convex(smoothness: float, strong_convexity: float) -> float:
    """beta = (sqrt L - sqrt mu) / (sqrt L + sqrt mu)."""
    return (sqrt(smoothness) - sqrt(strong_convexity)) / (sqrt(smoothness) + sqrt(strong_convexity))


# What the theorem says.


@guarantee(
    nesterov_strongly_convex,
    gap,
    "Notes ch. 3, Theorem 3.2: for mu-strongly convex, L-smooth f, "
    "f(x_k) - f* <= (1 - sqrt(mu/L))^k (f(x_0) - f* + mu/2 ||x_0 - x*||^2).",
)
def bound_strongly_convex(problem: Problem, smoothness: float, strong_convexity: float, num_steps: int) -> Vector:
    """(1 - sqrt(mu/L))^k (f(x_0) - f* + mu/2 ||x_0 - x*||^2), (K+1,).

    Raises:
        ValueError: unless f is smooth with a constant <= `smoothness`, strongly convex with a constant >=
            `strong_convexity` > 0, and x* and f* are known.
    """
    require(at_most(smoothness_of(problem), smoothness), "a step 1/L with a smoothness constant L of f", problem)
    require(
        strong_convexity > 0 and at_most(strong_convexity, strong_convexity_of(problem)),
        "a strong convexity constant mu > 0 of f",
        problem,
    )
    start = problem.x0[None]
    potential = gap(start, problem) + strong_convexity / 2 * distance(start, problem) ** 2
    return _rate(smoothness, strong_convexity) ** np.arange(0.0, num_steps + 1) * potential


@guarantee(
    nesterov_strongly_convex,
    lyapunov_strongly_convex,
    "By the proof of Theorem 3.2, notes ch. 3: for mu-strongly convex, L-smooth f, "
    "f(x_k) - f* + mu/2 ||v_k - x*||^2 <= (1 - sqrt(mu/L))^k (f(x_0) - f* + mu/2 ||x_0 - x*||^2).",
)
def bound_lyapunov(problem: Problem, smoothness: float, strong_convexity: float, num_steps: int) -> Vector:
    """(1 - sqrt(mu/L))^k Phi_0, (K+1,).

    Raises:
        ValueError: unless `smoothness` is L and `strong_convexity` is mu > 0 of f, and x* and f* are known.
    """
    require(equal(smoothness, smoothness_of(problem)), "the step 1/L with the smoothness constant L of f", problem)
    require(equal(strong_convexity, strong_convexity_of(problem)), "the strong convexity constant mu of f", problem)
    potential = lyapunov_strongly_convex(problem.x0[None], problem)
    return _rate(smoothness, strong_convexity) ** np.arange(0.0, num_steps + 1) * potential


def _rate(smoothness: float, strong_convexity: float) -> float:
    return 1 - sqrt(strong_convexity / smoothness)


# Correct other forms. The first two are those of nesterov.py with this momentum and this step.


@equivalent(nesterov_strongly_convex)
def lookahead_velocity(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Matrix:
    """v_k = beta v_{k-1} - (1/L) grad f(x_{k-1} + beta v_{k-1}), x_k = x_{k-1} + v_k."""
    beta = momentum_strongly_convex(smoothness, strong_convexity)
    return two_lines.lookahead_velocity(gradient, x0, 1 / smoothness, beta, num_steps)


@equivalent(nesterov_strongly_convex)
def summed_gradients(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Matrix:
    """The form of torch.optim.SGD(nesterov=True), with x_k computed beside its parameters y_k."""
    beta = momentum_strongly_convex(smoothness, strong_convexity)
    return two_lines.summed_gradients(gradient, x0, 1 / smoothness, beta, num_steps)


@equivalent(nesterov_strongly_convex)
def extrapolation_after_the_step(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Matrix:
    """x_{j+1} = y_j - (1/L) grad f(y_j), y_{j+1} = x_{j+1} + beta (x_{j+1} - x_j), y_0 = x_0, by kappa = L/mu."""
    kappa = smoothness / strong_convexity
    beta = (sqrt(kappa) - 1) / (sqrt(kappa) + 1)
    x = np.array(x0, dtype=np.float64)
    y = x
    iterates = [x]
    for _ in range(num_steps):
        x_next = y - gradient(y) / smoothness
        y = x_next + beta * (x_next - x)
        x = x_next
        iterates.append(x)
    return np.array(iterates)


@equivalent(nesterov_strongly_convex)
def three_sequences(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Matrix:
    """q = sqrt(mu/L), v_0 = x_0; y_{k-1} lies between x_{k-1} and v_{k-1} (notes ch. 3, eqs. 14-16)."""
    q = sqrt(strong_convexity / smoothness)
    x = np.array(x0, dtype=np.float64)
    v = x
    iterates = [x]
    for _ in range(num_steps):
        y = (x + q * v) / (1 + q)
        x = y - gradient(y) / smoothness
        v = (1 - q) * v + x / q + (q - 1 / q) * y
        iterates.append(x)
    return np.array(iterates)


# Other sources.


@convention(
    nesterov_strongly_convex,
    "Your rows are the extrapolated points at which the gradient is taken, as the parameters of PyTorch's optimizer "
    "are. The course counts the points after the gradient step.",
)
def points_of_the_gradient(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Matrix:
    """y_0, ..., y_K, (K+1, d)."""
    beta = momentum_strongly_convex(smoothness, strong_convexity)
    return two_lines.points_of_the_gradient(gradient, x0, 1 / smoothness, beta, num_steps)


# What goes wrong in the momentum.


@mistake(
    nesterov_strongly_convex,
    "Your momentum is the one of heavy ball in the notes, as in the figures on page 9. "
    "Which one does the theorem on Nesterov's method ask for?",
)
def momentum_of_heavy_ball(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Matrix:
    """beta = L / (sqrt L + sqrt mu)^2, printed with the figures of the notes."""
    beta = smoothness / (sqrt(smoothness) + sqrt(strong_convexity)) ** 2
    return nesterov(gradient, x0, 1 / smoothness, beta, num_steps)


@mistake(
    nesterov_strongly_convex,
    "Your momentum is squared, as heavy ball's is on the slides. Nesterov's method needs a larger one.",
)
def squared_momentum(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Matrix:
    """beta = ((sqrt L - sqrt mu) / (sqrt L + sqrt mu))^2."""
    beta = momentum_strongly_convex(smoothness, strong_convexity) ** 2
    return nesterov(gradient, x0, 1 / smoothness, beta, num_steps)


@mistake(
    nesterov_strongly_convex,
    "Your momentum is the rate of convergence of the theorem. Momentum and rate are two numbers.",
)
def momentum_is_the_rate(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Matrix:
    """beta = 1 - sqrt(mu/L)."""
    beta = 1 - sqrt(strong_convexity / smoothness)
    return nesterov(gradient, x0, 1 / smoothness, beta, num_steps)


@mistake(
    nesterov_strongly_convex,
    "Your momentum is too close to one: it is computed from L and mu themselves. What does acceleration do to the "
    "condition number?",
)
def momentum_without_roots(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Matrix:
    """beta = (L - mu) / (L + mu)."""
    beta = (smoothness - strong_convexity) / (smoothness + strong_convexity)
    return nesterov(gradient, x0, 1 / smoothness, beta, num_steps)


@mistake(
    nesterov_strongly_convex,
    "Your momentum is larger than one, and your iterates run away. Is its numerator really larger than its "
    "denominator?",
)
def inverted_momentum(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Matrix:
    """beta = (sqrt kappa + 1) / (sqrt kappa - 1), kappa = L/mu. Raises ZeroDivisionError for L = mu."""
    beta = 1 / momentum_strongly_convex(smoothness, strong_convexity)
    return nesterov(gradient, x0, 1 / smoothness, beta, num_steps)


@mistake(
    nesterov_strongly_convex,
    "Your momentum is negative. Which of the two constants is the larger one?",
)
def swapped_constants(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Matrix:
    """beta = (sqrt mu - sqrt L) / (sqrt mu + sqrt L)."""
    beta = momentum_strongly_convex(strong_convexity, smoothness)
    return nesterov(gradient, x0, 1 / smoothness, beta, num_steps)


@mistake(
    nesterov_strongly_convex,
    "Your momentum grows with the step. Where f is strongly convex there is a constant one that makes use of mu.",
)
def schedule_of_convex(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Matrix:
    """beta_k = (k-2)/(k+1): the method for convex f, which converges, and slower."""
    return nesterov(gradient, x0, 1 / smoothness, lambda k: (k - 2) / (k + 1), num_steps)


@mistake(
    nesterov_strongly_convex,
    "Your momentum is always the same number, whatever L and mu are. "
    "Is there a number in your code that should be computed?",
)
def own_momentum(gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int) -> Matrix:
    """beta = 0.9. Invisible for L/mu = 361, where the theorem's momentum is 0.9 too."""
    return nesterov(gradient, x0, 1 / smoothness, 0.9, num_steps)


# What goes wrong in the step: the mistakes of the same name in nesterov.py, with this momentum and this step.


@mistake(
    nesterov_strongly_convex,
    "Your gradient is taken at the last iterate, before the extrapolation: that is heavy ball. "
    "Where does Nesterov's method look before it steps?",
)
def gradient_at_iterate(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Matrix:
    """x_k = y_{k-1} - (1/L) grad f(x_{k-1})."""
    beta = momentum_strongly_convex(smoothness, strong_convexity)
    return two_lines.gradient_at_iterate(gradient, x0, 1 / smoothness, beta, num_steps)


@mistake(
    nesterov_strongly_convex,
    "Your gradient is taken at the right point, but the step does not start there. From which point does it go?",
)
def step_from_iterate(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Matrix:
    """x_k = x_{k-1} - (1/L) grad f(y_{k-1})."""
    beta = momentum_strongly_convex(smoothness, strong_convexity)
    return two_lines.step_from_iterate(gradient, x0, 1 / smoothness, beta, num_steps)


@mistake(
    nesterov_strongly_convex,
    "Your extrapolation follows the line from the last extrapolated point. Which two points span the line?",
)
def difference_to_extrapolated_point(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Matrix:
    """y_{k-1} = x_{k-1} + beta (x_{k-1} - y_{k-2})."""
    beta = momentum_strongly_convex(smoothness, strong_convexity)
    return two_lines.difference_to_extrapolated_point(gradient, x0, 1 / smoothness, beta, num_steps)


@mistake(
    nesterov_strongly_convex,
    "Your momentum comes one step late: it repeats the step before the last one. Which two points does it connect?",
)
def lagged_momentum(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Matrix:
    """y_{k-1} = x_{k-1} + beta (x_{k-2} - x_{k-3})."""
    beta = momentum_strongly_convex(smoothness, strong_convexity)
    return two_lines.lagged_momentum(gradient, x0, 1 / smoothness, beta, num_steps)


@mistake(
    nesterov_strongly_convex,
    "Your extrapolation points back to where the path comes from. In which direction should the method look ahead?",
)
def flipped_momentum(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Matrix:
    """y_{k-1} = x_{k-1} - beta (x_{k-1} - x_{k-2}): the same path as with the constants swapped in beta."""
    beta = momentum_strongly_convex(smoothness, strong_convexity)
    return two_lines.flipped_momentum(gradient, x0, 1 / smoothness, beta, num_steps)


@mistake(
    nesterov_strongly_convex,
    "Your first step already has momentum, as if the path had come from the origin. "
    "What is the point before the first one?",
)
def history_at_zero(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Matrix:
    """x_{-1} = 0. Invisible where x_0 = 0."""
    beta = momentum_strongly_convex(smoothness, strong_convexity)
    return two_lines.history_at_zero(gradient, x0, 1 / smoothness, beta, num_steps)


@mistake(
    nesterov_strongly_convex,
    "Your path is the one of plain gradient descent: the momentum is always zero. "
    "When do you remember the previous point, before or after you move?",
)
def overwritten_previous(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Matrix:
    """x_{k-2} is replaced by x_{k-1} before the difference is taken."""
    beta = momentum_strongly_convex(smoothness, strong_convexity)
    return two_lines.overwritten_previous(gradient, x0, 1 / smoothness, beta, num_steps)


@mistake(
    nesterov_strongly_convex,
    "Your path is right, but it costs two gradients a step where one is enough. "
    "Gradients are what such a method pays for.",
)
def two_gradients_per_step(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Matrix:
    """The right path; the gradient is computed at x_{k-1} too, for its norm."""
    beta = momentum_strongly_convex(smoothness, strong_convexity)
    return two_lines.two_gradients_per_step(gradient, x0, 1 / smoothness, beta, num_steps)


# What goes wrong in what is kept and returned.


@mistake(
    nesterov_strongly_convex,
    "Your steps are right, but the path starts one point too late. What is row 0 of the result?",
)
def missing_first_row(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Matrix:
    """x_1, ..., x_K, (K, d)."""
    return nesterov_strongly_convex(gradient, x0, smoothness, strong_convexity, num_steps)[1:]


@mistake(
    nesterov_strongly_convex,
    "Your steps are right, but the path ends one point too early: "
    "the result of the last step is computed and not kept.",
)
def missing_last_row(
    gradient: Gradient, x0: Vector, smoothness: float, strong_convexity: float, num_steps: int
) -> Matrix:
    """x_0, ..., x_{K-1}, (K, d)."""
    return nesterov_strongly_convex(gradient, x0, smoothness, strong_convexity, num_steps)[:-1]


example(
    nesterov_strongly_convex,
    valley,
    gap,
    smoothness=lambda problem: problem.smoothness,
    strong_convexity=lambda problem: problem.strong_convexity,
    num_steps=60,
)
