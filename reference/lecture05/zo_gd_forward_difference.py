"""Gradient descent with forward differences in the place of the gradient.

Problem     min f(x) over R^d; only values of f are known; for the guarantees f is L-smooth.
Algorithm   g_k     = sum_i (f(x_k + tau e_i) - f(x_k)) / tau e_i
            x_{k+1} = x_k - gamma g_k,  k = 0, ..., K-1
Guarantee   non-convex, gamma <= 1/L
                1/(k+1) sum_{i<=k} ||grad f(x_i)||^2 <= 2 (f(x_0) - f*) / (gamma (k+1)) + d L^2 tau^2 / 4
            strongly convex, gamma <= 1/L
                f(x_k) - f* <= (1 - gamma mu)^k (f(x_0) - f*) + d L^2 tau^2 / (8 mu)
            Both floors are attained by L/2 ||x||^2 with gamma = 1/L: x_k = -tau/2 (1, ..., 1) from k = 1 on.
            On f = 1/2 x^T A x - b^T x it is gradient descent towards A^{-1} (b - tau/2 diag A) in place of A^{-1} b.
Cost        d+1 queries a step.
References  Lecture 5, slides 11-12, Theorems 1 and 2; notes ch. 5, sec. 3.3, (7)-(16), Theorems 3.3 and 3.4, stated for
            gamma = 1/L and proved for gamma <= 1/L. Slide 11 prints the floor d L^2 tau^2, which is four times as high.
Catalogue   zo_gd_fd
Witness     gradient descent on the shifted quadratic; tight floor on L/2 ||x||^2

In the code gamma is `learning_rate` and K is `num_steps`. All d differences of a step are taken at the same x_k.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.conditions import at_most, require, smoothness, strong_convexity
from reference.lecture05 import problems
from reference.lecture05.finite_differences import central_difference, forward_difference
from reference.lecture05.linear_interpolation import linear_interpolation
from reference.lecture05.quantities import initial_gap
from reference.problem import Matrix, Problem, Vector
from reference.quantities import gap, mean_squared_gradient
from reference.variants import equivalent, example, guarantee, mistake

Value = Callable[[Vector], float]


def zo_gd_forward_difference(value: Value, x0: Vector, learning_rate: float, tau: float, num_steps: int) -> Matrix:
    """The iterates x_0, ..., x_K, (K+1, d) float64: row k is x_k.

    Args:
        value: f, (d,) -> float; called d+1 times a step.
        x0: starting point, (d,); left as it is.
        learning_rate: gamma, the constant step of the descent.
        tau: the constant step of the differences, > 0.
        num_steps: K >= 0.
    """
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * forward_difference(value, x, tau)
        iterates.append(x)
    return np.array(iterates)


def fixed_point_on_quadratic(A: Matrix, b: Vector, tau: float) -> Vector:
    """A^{-1} (b - tau/2 diag A), (d,): where the method ends on f = 1/2 x^T A x - b^T x, for gamma < 2/L. Derived.

    The differences are exactly A x - b + tau/2 diag A: the gradient of a quadratic whose minimiser is this point.
    """
    return np.asarray(np.linalg.solve(A, b - tau / 2 * np.diag(A)))


# What the theorems say. Each bound has a number for each k = 0, ..., K.


@guarantee(
    zo_gd_forward_difference,
    gap,
    "Lecture 5, Theorem 2: for mu-strongly convex, L-smooth f and gamma <= 1/L, "
    "f(x_k) - f* <= (1 - gamma mu)^k (f(x_0) - f*) + d L^2 tau^2 / (8 mu).",
)
def bound_strongly_convex(problem: Problem, learning_rate: float, tau: float, num_steps: int) -> Vector:
    """(1 - gamma mu)^k (f(x_0) - f*) + d L^2 tau^2 / (8 mu), (K+1,). The floor is attained by L/2 ||x||^2.

    Raises:
        ValueError: unless f is L-smooth and mu-strongly convex, f* is known, 0 < gamma <= 1/L and tau > 0.
    """
    L, mu = smoothness(problem), strong_convexity(problem)
    _require_steps(learning_rate, tau, L, problem)
    decay = (1 - learning_rate * mu) ** np.arange(0.0, num_steps + 1)
    return np.asarray(decay * initial_gap(problem) + len(problem.x0) * L**2 * tau**2 / (8 * mu))


@guarantee(
    zo_gd_forward_difference,
    mean_squared_gradient,
    "Lecture 5, Theorem 1: for L-smooth f and gamma <= 1/L, the mean of ||grad f(x_0)||^2, ..., ||grad f(x_k)||^2 "
    "is at most 2 (f(x_0) - f*) / (gamma (k+1)) + d L^2 tau^2 / 4.",
)
def bound_nonconvex(problem: Problem, learning_rate: float, tau: float, num_steps: int) -> Vector:
    """2 (f(x_0) - f*) / (gamma (k+1)) + d L^2 tau^2 / 4, (K+1,). The floor is attained by L/2 ||x||^2.

    Raises:
        ValueError: unless f is L-smooth, f* is known, 0 < gamma <= 1/L and tau > 0.
    """
    L = smoothness(problem)
    _require_steps(learning_rate, tau, L, problem)
    counts = np.arange(1.0, num_steps + 2)
    return np.asarray(2 * initial_gap(problem) / (learning_rate * counts) + len(problem.x0) * L**2 * tau**2 / 4)


def _require_steps(learning_rate: float, tau: float, L: float, problem: Problem) -> None:
    require(tau > 0, "tau > 0", problem)
    require(learning_rate > 0 and at_most(learning_rate * L, 1.0), "a step 0 < gamma <= 1/L", problem)


# Correct other forms.


@equivalent(zo_gd_forward_difference)
def points_as_rows(value: Value, x0: Vector, learning_rate: float, tau: float, num_steps: int) -> Matrix:
    """The iterates in an array that exists from the start, the points of the differences as rows of x + tau I."""
    iterates = np.empty((num_steps + 1, len(x0)))
    iterates[0] = x0
    for k in range(num_steps):
        x = iterates[k]
        values = np.array([value(row) for row in x + tau * np.eye(len(x))])
        iterates[k + 1] = x - learning_rate * (values - value(x)) / tau
    return iterates


@equivalent(zo_gd_forward_difference)
def by_interpolation(value: Value, x0: Vector, learning_rate: float, tau: float, num_steps: int) -> Matrix:
    """Linear interpolation along e_1, ..., e_d."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * linear_interpolation(value, x, tau, np.eye(len(x)))
        iterates.append(x)
    return np.array(iterates)


@equivalent(zo_gd_forward_difference)
def next_point_filled_in(value: Value, x0: Vector, learning_rate: float, tau: float, num_steps: int) -> Matrix:
    """Coordinate after coordinate of the next point, with all differences at the present one."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        base = value(x)
        following = x.copy()
        for i in range(len(x)):
            shifted = x.copy()
            shifted[i] += tau
            following[i] -= learning_rate * (value(shifted) - base) / tau
        x = following
        iterates.append(x)
    return np.array(iterates)


# What goes wrong in the step.


@mistake(
    zo_gd_forward_difference,
    "Your iterates climb: each step goes towards larger values of f. In which direction does f decrease?",
)
def ascent(value: Value, x0: Vector, learning_rate: float, tau: float, num_steps: int) -> Matrix:
    """x_{k+1} = x_k + gamma g_k."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x + learning_rate * forward_difference(value, x, tau)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    zo_gd_forward_difference,
    "Your coordinates are updated one after the other, each with a difference that already sees new values. "
    "At which point are all differences of a step taken?",
)
def coordinate_after_coordinate(value: Value, x0: Vector, learning_rate: float, tau: float, num_steps: int) -> Matrix:
    """x_i moves before the difference for x_{i+1} is taken. Invisible where f is a sum of functions of one x_i each."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x.copy()]
    for _ in range(num_steps):
        for i in range(len(x)):
            shifted = x.copy()
            shifted[i] += tau
            x[i] -= learning_rate * (value(shifted) - value(x)) / tau
        iterates.append(x.copy())
    return np.array(iterates)


@mistake(
    zo_gd_forward_difference,
    "Your first step is right. In the later ones, one of the two values of each difference belongs to another point.",
)
def frozen_base(value: Value, x0: Vector, learning_rate: float, tau: float, num_steps: int) -> Matrix:
    """(f(x_k + tau e_i) - f(x_0)) / tau: the base value is computed once, before the loop."""
    x = np.array(x0, dtype=np.float64)
    base = value(x)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * np.array([(value(x + tau * e) - base) / tau for e in np.eye(len(x))])
        iterates.append(x)
    return np.array(iterates)


@mistake(
    zo_gd_forward_difference,
    "Your first step is right, and all later ones repeat it: the path is a straight line. "
    "Where are the differences taken, and when?",
)
def frozen_differences(value: Value, x0: Vector, learning_rate: float, tau: float, num_steps: int) -> Matrix:
    """x_{k+1} = x_k - gamma g_0."""
    x = np.array(x0, dtype=np.float64)
    g = forward_difference(value, x, tau)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * g
        iterates.append(x)
    return np.array(iterates)


@mistake(
    zo_gd_forward_difference,
    "Your path is the one that belongs to tau and gamma in exchanged roles. "
    "Which of the two steps goes with the differences?",
)
def steps_exchanged(value: Value, x0: Vector, learning_rate: float, tau: float, num_steps: int) -> Matrix:
    """gamma in the differences and tau in the descent. Invisible for tau = gamma."""
    return zo_gd_forward_difference(value, x0, tau, learning_rate, num_steps)


@mistake(
    zo_gd_forward_difference,
    "Your steps go the right way, and each has twice the length that it should have.",
)
def doubled_step(value: Value, x0: Vector, learning_rate: float, tau: float, num_steps: int) -> Matrix:
    """x_{k+1} = x_k - 2 gamma g_k."""
    return zo_gd_forward_difference(value, x0, 2 * learning_rate, tau, num_steps)


# What goes wrong in the differences.


@mistake(
    zo_gd_forward_difference,
    "Your steps go the right way, and each has half the length that it should have. "
    "How far apart are the two points of each difference?",
)
def halved_differences(value: Value, x0: Vector, learning_rate: float, tau: float, num_steps: int) -> Matrix:
    """(f(x + tau e_i) - f(x)) / (2 tau)."""
    return zo_gd_forward_difference(value, x0, learning_rate / 2, tau, num_steps)


@mistake(
    zo_gd_forward_difference,
    "Your steps shrink with tau: you descend along differences of values, and a derivative is a ratio.",
)
def undivided_differences(value: Value, x0: Vector, learning_rate: float, tau: float, num_steps: int) -> Matrix:
    """f(x + tau e_i) - f(x). Invisible for tau = 1."""
    return zo_gd_forward_difference(value, x0, learning_rate * tau, tau, num_steps)


@mistake(
    zo_gd_forward_difference,
    "Your path ends on the other side of the minimiser: the second point of each difference lies on the wrong side.",
)
def backward_differences(value: Value, x0: Vector, learning_rate: float, tau: float, num_steps: int) -> Matrix:
    """(f(x) - f(x - tau e_i)) / tau. Invisible where f is affine."""
    return zo_gd_forward_difference(value, x0, learning_rate, -tau, num_steps)


@mistake(
    zo_gd_forward_difference,
    "Your path is better than the one that was asked for, and it costs nearly twice the queries: "
    "the differences take a point on both sides.",
)
def central_differences(value: Value, x0: Vector, learning_rate: float, tau: float, num_steps: int) -> Matrix:
    """(f(x + tau e_i) - f(x - tau e_i)) / (2 tau). Invisible where f is affine."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * central_difference(value, x, tau)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    zo_gd_forward_difference,
    "Your first coordinate moves as it should at first, and the later ones see the shifts of those before them: "
    "is each shift taken back?",
)
def cumulative_shifts(value: Value, x0: Vector, learning_rate: float, tau: float, num_steps: int) -> Matrix:
    """x + tau e_1, x + tau e_1 + tau e_2, ... The same for d = 1."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        shifted, base = x.copy(), value(x)
        g = np.zeros(len(x))
        for i in range(len(x)):
            shifted[i] += tau
            g[i] = (value(shifted) - base) / tau
        x = x - learning_rate * g
        iterates.append(x)
    return np.array(iterates)


@mistake(
    zo_gd_forward_difference,
    "Your path is right, and f(x_k) is computed anew for each coordinate. Queries are what such a method pays for.",
)
def base_repeated(value: Value, x0: Vector, learning_rate: float, tau: float, num_steps: int) -> Matrix:
    """The right path with 2d queries a step in place of d+1."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * np.array([(value(x + tau * e) - value(x)) / tau for e in np.eye(len(x))])
        iterates.append(x)
    return np.array(iterates)


# What goes wrong in what is kept and returned.


@mistake(
    zo_gd_forward_difference,
    "Your steps are right, but the path starts one point too late. What is row 0 of the result?",
)
def missing_first_row(value: Value, x0: Vector, learning_rate: float, tau: float, num_steps: int) -> Matrix:
    """x_1, ..., x_K, (K, d)."""
    return zo_gd_forward_difference(value, x0, learning_rate, tau, num_steps)[1:]


@mistake(
    zo_gd_forward_difference,
    "Your steps are right, but the path ends one point too early: "
    "the result of the last step is computed and not kept.",
)
def missing_last_row(value: Value, x0: Vector, learning_rate: float, tau: float, num_steps: int) -> Matrix:
    """x_0, ..., x_{K-1}, (K, d)."""
    return zo_gd_forward_difference(value, x0, learning_rate, tau, num_steps)[:-1]


@mistake(
    zo_gd_forward_difference,
    "You return the last point alone. The question asks for the whole path, one row for each iterate.",
)
def final_point_only(value: Value, x0: Vector, learning_rate: float, tau: float, num_steps: int) -> Vector:
    """x_K, (d,)."""
    last: Vector = zo_gd_forward_difference(value, x0, learning_rate, tau, num_steps)[-1]
    return last


@mistake(
    zo_gd_forward_difference,
    "All your rows are equal, to the last point: the list holds the same array many times, and each step changes it. "
    "What does append store?",
)
def aliased_rows(value: Value, x0: Vector, learning_rate: float, tau: float, num_steps: int) -> Matrix:
    """One array, changed in place and appended K+1 times: every row is x_K."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x -= learning_rate * forward_difference(value, x, tau)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    zo_gd_forward_difference,
    "Your path is right, but the starting point that you were given has changed after the call. "
    "Whoever calls your function twice starts at another point the second time.",
)
def mutated_start(value: Value, x0: Vector, learning_rate: float, tau: float, num_steps: int) -> Matrix:
    """The right path; x0 is x_K afterwards. Raises TypeError where x0 is integer."""
    x = x0
    iterates = [x.copy()]
    for _ in range(num_steps):
        x -= learning_rate * forward_difference(value, x, tau)
        iterates.append(x.copy())
    return np.array(iterates)


example(
    zo_gd_forward_difference,
    problems.stretched_bowl,
    gap,
    learning_rate=lambda problem: 1 / problem.smoothness,
    tau=0.1,
    num_steps=60,
)
