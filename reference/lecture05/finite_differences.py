"""Forward and central differences: a gradient from function values, one coordinate at a time.

Problem     grad f(x) for f: R^d -> R of which only values are known; f L-smooth for the guarantees.
Algorithm   forward    g(x) = sum_i (f(x + tau e_i) - f(x)) / tau e_i
            central    g(x) = sum_i (f(x + tau e_i) - f(x - tau e_i)) / (2 tau) e_i
Guarantee   forward    ||g(x) - grad f(x)|| <= sqrt(d) L tau / 2; attained by L/2 ||x||^2
            forward    ||g(x) - grad f(x)|| <= sqrt(d) (L tau / 2 + 2 eps / tau)   where values are off by at most eps
            central    ||g(x) - grad f(x)|| <= sqrt(d) M tau^2 / 6                 where the Hessian is M-Lipschitz
            central    ||g(x) - grad f(x)|| <= sqrt(d) L tau / 2                   where it is not
            The first is a theorem of the course. It says of the others that a small tau suffers from rounding, and
            that central differences are usually more accurate; the inequalities are derived.
Cost        forward d+1 queries, as f(x) is needed once; central 2d queries.
References  Lecture 5, slides 8-10, Lemma 1; notes ch. 5, (3), (4), (7) and Theorem 3.2; homework 5, (1a). Slide 9
            prints tau in place of 2 tau under the central difference, which doubles the gradient.
Catalogue   fd_forward, fd_central
Witness     scipy.optimize.approx_fprime; closed forms on quadratics, sines and half ramps

In the code tau keeps its name; it is t in the notes. It is the same for all coordinates.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.conditions import require, smoothness
from reference.lecture05.quantities import gradient_error, hessian_lipschitz
from reference.problem import Problem, Vector
from reference.variants import convention, equivalent, guarantee, mistake

Value = Callable[[Vector], float]


def forward_difference(value: Value, x: Vector, tau: float) -> Vector:
    """g(x) = sum_i (f(x + tau e_i) - f(x)) / tau e_i, (d,) float64.

    Args:
        value: f, (d,) -> float; called d+1 times.
        x: where the gradient is wanted, (d,); left as it is.
        tau: step of the difference, > 0.
    """
    x = np.array(x, dtype=np.float64)
    base = value(x)
    return np.array([(value(x + tau * e) - base) / tau for e in np.eye(len(x))])


def central_difference(value: Value, x: Vector, tau: float) -> Vector:
    """g(x) = sum_i (f(x + tau e_i) - f(x - tau e_i)) / (2 tau) e_i, (d,) float64.

    Args:
        value: f, (d,) -> float; called 2d times.
        x: where the gradient is wanted, (d,); left as it is.
        tau: step to either side, > 0.
    """
    x = np.array(x, dtype=np.float64)
    return np.array([(value(x + tau * e) - value(x - tau * e)) / (2 * tau) for e in np.eye(len(x))])


# What the theorems say, at the point x0 of the problem.


@guarantee(
    forward_difference,
    gradient_error,
    "Lecture 5, Lemma 1: for L-smooth f, ||g(x) - grad f(x)|| <= sqrt(d) L tau / 2.",
)
def bound_forward(problem: Problem, tau: float) -> float:
    """sqrt(d) L tau / 2. Attained by L/2 ||x||^2 at every x.

    Raises:
        ValueError: unless f is L-smooth and tau > 0.
    """
    require(tau > 0, "tau > 0", problem)
    return float(np.sqrt(len(problem.x0)) * smoothness(problem) * tau / 2)


@guarantee(
    forward_difference,
    gradient_error,
    "Derived, not a theorem of the course: for L-smooth f and values that are off by at most eps, "
    "||g(x) - grad f(x)|| <= sqrt(d) (L tau / 2 + 2 eps / tau).",
)
def bound_forward_noisy(problem: Problem, tau: float, noise_level: float) -> float:
    """sqrt(d) (L tau / 2 + 2 eps / tau), eps = `noise_level`. Lemma 1 is its case eps = 0.

    Raises:
        ValueError: unless f is L-smooth and tau > 0, eps >= 0.
    """
    require(tau > 0 and noise_level >= 0, "tau > 0 and eps >= 0", problem)
    return float(np.sqrt(len(problem.x0)) * (smoothness(problem) * tau / 2 + 2 * noise_level / tau))


def best_forward_step(problem: Problem, noise_level: float) -> float:
    """tau = 2 sqrt(eps / L), which makes the noisy bound smallest: about 1e-8 for rounding, eps = 1e-16. Derived.

    Raises:
        ValueError: unless f is L-smooth, L > 0.
    """
    L = smoothness(problem)
    require(L > 0, "L > 0", problem)
    return float(2 * np.sqrt(noise_level / L))


@guarantee(
    central_difference,
    gradient_error,
    "Derived, not a theorem of the course: for f with an M-Lipschitz Hessian, "
    "||g(x) - grad f(x)|| <= sqrt(d) M tau^2 / 6.",
)
def bound_central(problem: Problem, tau: float) -> float:
    """sqrt(d) M tau^2 / 6, M = data["hessian_lipschitz"]; 0 on quadratics.

    Raises:
        ValueError: unless the problem states M, and tau > 0.
    """
    require(tau > 0, "tau > 0", problem)
    return float(np.sqrt(len(problem.x0)) * hessian_lipschitz(problem) * tau**2 / 6)


@guarantee(
    central_difference,
    gradient_error,
    "Derived, not a theorem of the course: for L-smooth f, ||g(x) - grad f(x)|| <= sqrt(d) L tau / 2.",
)
def bound_central_smooth(problem: Problem, tau: float) -> float:
    """sqrt(d) L tau / 2: without a Hessian, nothing better than for forward differences.

    Raises:
        ValueError: unless f is L-smooth and tau > 0.
    """
    return bound_forward(problem, tau)


# Correct other forms of the forward difference.


@equivalent(forward_difference)
def forward_by_rows(value: Value, x: Vector, tau: float) -> Vector:
    """All shifted points as the rows of x + tau I, then all values."""
    shifted = x + tau * np.eye(len(x))
    return (np.array([value(row) for row in shifted]) - value(np.array(x, dtype=np.float64))) / tau


@equivalent(forward_difference)
def forward_in_place(value: Value, x: Vector, tau: float) -> Vector:
    """A copy of x whose coordinates are shifted and put back, one after the other."""
    point = np.array(x, dtype=np.float64)
    base = value(point)
    g = np.zeros(len(point))
    for i in range(len(point)):
        kept = point[i]
        point[i] = kept + tau
        g[i] = (value(point) - base) / tau
        point[i] = kept
    return g


@equivalent(forward_difference)
def forward_as_sum(value: Value, x: Vector, tau: float) -> Vector:
    """The sum over i of multiples of e_i, as in the formula."""
    x = np.array(x, dtype=np.float64)
    base = value(x)
    g = np.zeros(len(x))
    for e in np.eye(len(x)):
        g = g + (value(x + tau * e) - base) / tau * e
    return g


# What goes wrong in the forward difference.


@mistake(
    forward_difference,
    "Your gradient has half the length that it should have. How far apart are the two points of each difference?",
)
def forward_halved(value: Value, x: Vector, tau: float) -> Vector:
    """(f(x + tau e_i) - f(x)) / (2 tau)."""
    return forward_difference(value, x, tau) / 2


@mistake(
    forward_difference,
    "Your vector shrinks with tau: it holds differences of values, and a derivative is a ratio.",
)
def forward_undivided(value: Value, x: Vector, tau: float) -> Vector:
    """f(x + tau e_i) - f(x). Invisible for tau = 1."""
    return forward_difference(value, x, tau) * tau


@mistake(
    forward_difference,
    "Your gradient has the opposite sign: along it, f decreases. Check the order of the two values.",
)
def forward_reversed(value: Value, x: Vector, tau: float) -> Vector:
    """(f(x) - f(x + tau e_i)) / tau."""
    return -forward_difference(value, x, tau)


@mistake(
    forward_difference,
    "Your first partial derivative is right, and each later one contains the ones before it: "
    "the point moves on from coordinate to coordinate.",
)
def forward_cumulative(value: Value, x: Vector, tau: float) -> Vector:
    """x + tau e_1, x + tau e_1 + tau e_2, ...: a shift is not taken back. The same for d = 1."""
    point = np.array(x, dtype=np.float64)
    base = value(point)
    g = np.zeros(len(point))
    for i in range(len(point)):
        point[i] += tau
        g[i] = (value(point) - base) / tau
    return g


@mistake(
    forward_difference,
    "Your error has the right size and the opposite sign: the second point lies on the other side of x.",
)
def forward_backward(value: Value, x: Vector, tau: float) -> Vector:
    """(f(x) - f(x - tau e_i)) / tau, the backward difference. Invisible where f is affine."""
    x = np.array(x, dtype=np.float64)
    base = value(x)
    return np.array([(base - value(x - tau * e)) / tau for e in np.eye(len(x))])


@mistake(
    forward_difference,
    "Your gradient is more accurate than the one that was asked for, and it costs nearly twice the queries.",
)
def forward_central(value: Value, x: Vector, tau: float) -> Vector:
    """The central difference. Invisible where f is affine."""
    return central_difference(value, x, tau)


@mistake(
    forward_difference,
    "Your gradient is right, and f(x) is computed anew for each coordinate. Queries are what such a method pays for.",
)
def forward_base_repeated(value: Value, x: Vector, tau: float) -> Vector:
    """The right gradient with 2d queries in place of d+1."""
    x = np.array(x, dtype=np.float64)
    return np.array([(value(x + tau * e) - value(x)) / tau for e in np.eye(len(x))])


@mistake(
    forward_difference,
    "Your gradient is zero at points made of integers: the shift is cut off when it is stored. "
    "Which type has your copy of x?",
)
def forward_integer(value: Value, x: Vector, tau: float) -> Vector:
    """The shifted point has the dtype of x: for integer x and tau < 1, f is compared with itself."""
    base = value(x)
    g = np.zeros(len(x))
    for i in range(len(x)):
        point = x.copy()
        point[i] += tau
        g[i] = (value(point) - base) / tau
    return g


@mistake(
    forward_difference,
    "Your step is longer in coordinates that are large. The question asks for the same tau everywhere.",
)
def forward_relative(value: Value, x: Vector, tau: float) -> Vector:
    """Step tau max(1, |x_i|). Invisible where no |x_i| is above 1."""
    x = np.array(x, dtype=np.float64)
    base = value(x)
    steps = tau * np.maximum(1.0, np.abs(x))
    return np.array([(value(x + step * e) - base) / step for step, e in zip(steps, np.eye(len(x)), strict=True)])


# Correct other forms of the central difference.


@equivalent(central_difference)
def central_as_mean(value: Value, x: Vector, tau: float) -> Vector:
    """The mean of the forward and the backward difference, 2d+1 queries."""
    x = np.array(x, dtype=np.float64)
    base = value(x)
    forward = np.array([(value(x + tau * e) - base) / tau for e in np.eye(len(x))])
    backward = np.array([(base - value(x - tau * e)) / tau for e in np.eye(len(x))])
    return np.asarray((forward + backward) / 2)


@equivalent(central_difference)
def central_by_rows(value: Value, x: Vector, tau: float) -> Vector:
    """All points as the rows of x + tau I and x - tau I."""
    right = np.array([value(row) for row in x + tau * np.eye(len(x))])
    left = np.array([value(row) for row in x - tau * np.eye(len(x))])
    return np.asarray((right - left) / (2 * tau))


@convention(
    central_difference,
    "Your central difference spreads its two points over a width of tau in all, as some texts do; "
    "here tau is the step to either side.",
)
def central_total_width(value: Value, x: Vector, tau: float) -> Vector:
    """(f(x + tau/2 e_i) - f(x - tau/2 e_i)) / tau."""
    return central_difference(value, x, tau / 2)


# What goes wrong in the central difference.


@mistake(
    central_difference,
    "Your gradient has twice the length that it should have. How far apart are the two points of each difference?",
)
def central_printed_denominator(value: Value, x: Vector, tau: float) -> Vector:
    """(f(x + tau e_i) - f(x - tau e_i)) / tau, as slide 9 prints it."""
    x = np.array(x, dtype=np.float64)
    return np.array([(value(x + tau * e) - value(x - tau * e)) / tau for e in np.eye(len(x))])


@mistake(
    central_difference,
    "Your gradient has half the length that it should have: your points are closer than your denominator says.",
)
def central_half_steps(value: Value, x: Vector, tau: float) -> Vector:
    """(f(x + tau/2 e_i) - f(x - tau/2 e_i)) / (2 tau)."""
    x = np.array(x, dtype=np.float64)
    return np.array([(value(x + tau / 2 * e) - value(x - tau / 2 * e)) / (2 * tau) for e in np.eye(len(x))])


@mistake(
    central_difference,
    "Your gradient has the opposite sign: along it, f decreases. Check the order of the two values.",
)
def central_reversed(value: Value, x: Vector, tau: float) -> Vector:
    """(f(x - tau e_i) - f(x + tau e_i)) / (2 tau)."""
    return -central_difference(value, x, tau)


@mistake(
    central_difference,
    "Your error is of first order in tau, not of second: there is no point on the other side of x.",
)
def central_forward(value: Value, x: Vector, tau: float) -> Vector:
    """The forward difference. Invisible where f is affine."""
    return forward_difference(value, x, tau)


@mistake(
    central_difference,
    "Your gradient is right, and it costs a query that does not enter. Which values does the difference need?",
)
def central_base_queried(value: Value, x: Vector, tau: float) -> Vector:
    """The right gradient with 2d+1 queries in place of 2d: f(x) is computed and not used."""
    x = np.array(x, dtype=np.float64)
    value(x)
    return central_difference(value, x, tau)
