"""Gradient descent with forward differences whose step vanishes: no floor is left.

Problem     min f(x) over R^d; only values of f are known; for the guarantee f is L-smooth.
Algorithm   g_k     = sum_i (f(x_k + tau_k e_i) - f(x_k)) / tau_k e_i
            x_{k+1} = x_k - gamma g_k,  k = 0, ..., K-1
Guarantee   gamma <= 1/L and sum_k tau_k^2 <= R^2
                1/(k+1) sum_{i<=k} ||grad f(x_i)||^2 <= 2 (f(x_0) - f*) / (gamma (k+1)) + d L^2 R^2 / (4 (k+1))
Cost        d+1 queries a step.
References  Homework 5 (its sheet is titled Homework 4), (1)-(2), Theorem 1.1, for gamma = 1/L; Lecture 5, slide 24,
            which prints d L^2 R^2 / (k+1), four times as much. The course names no sequence tau_k.
Catalogue   zo_gd_fd_decay
Witness     closed form -tau_{k-1}/2 of the second coordinate on the stretched bowl; constant tau_k

In the code gamma is `learning_rate`, K is `num_steps` and tau_0, ..., tau_{K-1} are `taus`: tau_k belongs to x_k.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.conditions import at_most, require, smoothness
from reference.lecture05 import problems
from reference.lecture05.finite_differences import central_difference, forward_difference
from reference.lecture05.quantities import initial_gap
from reference.lecture05.zo_gd_forward_difference import zo_gd_forward_difference
from reference.problem import Matrix, Problem, Vector
from reference.quantities import mean_squared_gradient
from reference.variants import equivalent, example, guarantee, mistake

Value = Callable[[Vector], float]


def zo_gd_vanishing_difference(value: Value, x0: Vector, learning_rate: float, taus: Vector, num_steps: int) -> Matrix:
    """The iterates x_0, ..., x_K, (K+1, d) float64: row k is x_k.

    Args:
        value: f, (d,) -> float; called d+1 times a step.
        x0: starting point, (d,); left as it is.
        learning_rate: gamma, the constant step of the descent.
        taus: tau_0, ..., tau_{K-1}, the steps of the differences, all > 0; more of them are not used.
        num_steps: K >= 0.
    """
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for k in range(num_steps):
        x = x - learning_rate * forward_difference(value, x, taus[k])
        iterates.append(x)
    return np.array(iterates)


# Sequences tau_k for which the sum of the squares is finite.


def inverse_taus(first: float, num_steps: int) -> Vector:
    """tau_k = tau_0 / (k+1), (K,): R^2 = tau_0^2 pi^2 / 6."""
    return np.asarray(first / np.arange(1.0, num_steps + 1))


def geometric_taus(first: float, ratio: float, num_steps: int) -> Vector:
    """tau_k = tau_0 q^k, (K,), 0 < q < 1: R^2 = tau_0^2 / (1 - q^2)."""
    return np.asarray(first * ratio ** np.arange(0.0, num_steps))


@mistake(
    inverse_taus,
    "The squares of your steps add up to a sum without bound, so that the theorem says nothing. How fast do they fall?",
)
def inverse_root_taus(first: float, num_steps: int) -> Vector:
    """tau_k = tau_0 / sqrt(k+1)."""
    return np.asarray(first / np.sqrt(np.arange(1.0, num_steps + 1)))


# What the theorem says, for each k = 0, ..., K.


@guarantee(
    zo_gd_vanishing_difference,
    mean_squared_gradient,
    "Homework 5, Theorem 1.1: for L-smooth f, gamma <= 1/L and tau_0^2 + tau_1^2 + ... <= R^2, the mean of "
    "||grad f(x_0)||^2, ..., ||grad f(x_k)||^2 is at most (2 (f(x_0) - f*) / gamma + d L^2 R^2 / 4) / (k+1).",
)
def bound_nonconvex(problem: Problem, learning_rate: float, taus: Vector, num_steps: int) -> Vector:
    """(2 (f(x_0) - f*) / gamma + d L^2 R^2 / 4) / (k+1), (K+1,), with R^2 = tau_0^2 + ... + tau_{K-1}^2.

    The theorem has tau_K in R^2 too, for a step from x_K that is not taken; it may be as small as one likes.

    Raises:
        ValueError: unless f is L-smooth, f* is known, 0 < gamma <= 1/L and all tau_k > 0.
    """
    return _bound(problem, learning_rate, taus, num_steps, float(np.sum(np.square(taus[:num_steps]))))


def _bound(problem: Problem, learning_rate: float, taus: Vector, num_steps: int, squared_sum: float) -> Vector:
    L = smoothness(problem)
    require(bool(np.all(np.asarray(taus) > 0)), "tau_k > 0", problem)
    require(learning_rate > 0 and at_most(learning_rate * L, 1.0), "a step 0 < gamma <= 1/L", problem)
    constant = 2 * initial_gap(problem) / learning_rate + len(problem.x0) * L**2 * squared_sum / 4
    return np.asarray(constant / np.arange(1.0, num_steps + 2))


@mistake(
    bound_nonconvex, "Your R^2 is the sum of the tau_k themselves. What does the error of a difference enter with?"
)
def bound_with_sum_of_taus(problem: Problem, learning_rate: float, taus: Vector, num_steps: int) -> Vector:
    """R^2 = tau_0 + ... + tau_{K-1}. Still a bound where all tau_k <= 1, and not a sharp one."""
    return _bound(problem, learning_rate, taus, num_steps, float(np.sum(taus[:num_steps])))


@mistake(
    bound_nonconvex, "Your second term does not fall with k. Over how many steps is the sum of the tau_k^2 spread?"
)
def bound_with_constant_floor(problem: Problem, learning_rate: float, taus: Vector, num_steps: int) -> Vector:
    """2 (f(x_0) - f*) / (gamma (k+1)) + d L^2 R^2 / 4. A bound too, and one that does not go to 0."""
    squared_sum = float(np.sum(np.square(taus[:num_steps])))
    without = _bound(problem, learning_rate, taus, num_steps, 0.0)
    return np.asarray(without + len(problem.x0) * smoothness(problem) ** 2 * squared_sum / 4)


# Correct other forms.


@equivalent(zo_gd_vanishing_difference)
def one_run_for_each_step(value: Value, x0: Vector, learning_rate: float, taus: Vector, num_steps: int) -> Matrix:
    """K runs of one step with constant tau, each from the end of the one before."""
    iterates = [np.array(x0, dtype=np.float64)]
    for tau in taus[:num_steps]:
        iterates.append(zo_gd_forward_difference(value, iterates[-1], learning_rate, tau, 1)[1])
    return np.array(iterates)


@equivalent(zo_gd_vanishing_difference)
def points_as_rows(value: Value, x0: Vector, learning_rate: float, taus: Vector, num_steps: int) -> Matrix:
    """The iterates in an array that exists from the start, the points of the differences as rows of x + tau_k I."""
    iterates = np.empty((num_steps + 1, len(x0)))
    iterates[0] = x0
    for k in range(num_steps):
        x = iterates[k]
        values = np.array([value(row) for row in x + taus[k] * np.eye(len(x))])
        iterates[k + 1] = x - learning_rate * (values - value(x)) / taus[k]
    return iterates


# What goes wrong with tau_k.


@mistake(
    zo_gd_vanishing_difference,
    "Your first step already uses the second tau, and every later one is ahead by one too. "
    "Which tau belongs to the starting point?",
)
def next_tau(value: Value, x0: Vector, learning_rate: float, taus: Vector, num_steps: int) -> Matrix:
    """tau_{k+1} at x_k (and the last one again in the last step). Invisible for constant tau_k."""
    return zo_gd_vanishing_difference(value, x0, learning_rate, np.append(taus[1:], taus[-1]), num_steps)


@mistake(
    zo_gd_vanishing_difference,
    "Your steps become shorter and shorter: the difference is divided by another tau than the one it was taken with.",
)
def divided_by_first_tau(value: Value, x0: Vector, learning_rate: float, taus: Vector, num_steps: int) -> Matrix:
    """(f(x_k + tau_k e_i) - f(x_k)) / tau_0. Invisible for constant tau_k."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for k in range(num_steps):
        x = x - learning_rate * forward_difference(value, x, taus[k]) * taus[k] / taus[0]
        iterates.append(x)
    return np.array(iterates)


@mistake(
    zo_gd_vanishing_difference,
    "Your steps become longer and longer: the difference is divided by another tau than the one it was taken with.",
)
def shifted_by_first_tau(value: Value, x0: Vector, learning_rate: float, taus: Vector, num_steps: int) -> Matrix:
    """(f(x_k + tau_0 e_i) - f(x_k)) / tau_k. Invisible for constant tau_k."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for k in range(num_steps):
        x = x - learning_rate * forward_difference(value, x, taus[0]) * taus[0] / taus[k]
        iterates.append(x)
    return np.array(iterates)


@mistake(
    zo_gd_vanishing_difference,
    "Your path ends beside the minimiser, as with one tau for all steps. Does yours change?",
)
def constant_tau(value: Value, x0: Vector, learning_rate: float, taus: Vector, num_steps: int) -> Matrix:
    """tau_0 in every step. Invisible for constant tau_k."""
    return zo_gd_forward_difference(value, x0, learning_rate, taus[0], num_steps)


@mistake(
    zo_gd_vanishing_difference,
    "Your first step is right and the later ones are too short: the step of the descent shrinks along with tau. "
    "Which of the two vanishes in the question?",
)
def decaying_step(value: Value, x0: Vector, learning_rate: float, taus: Vector, num_steps: int) -> Matrix:
    """gamma/(k+1) in place of gamma."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for k in range(num_steps):
        x = x - learning_rate / (k + 1) * forward_difference(value, x, taus[k])
        iterates.append(x)
    return np.array(iterates)


@mistake(
    zo_gd_vanishing_difference,
    "Your steps shrink with tau: you descend along differences of values, and a derivative is a ratio.",
)
def undivided_differences(value: Value, x0: Vector, learning_rate: float, taus: Vector, num_steps: int) -> Matrix:
    """f(x_k + tau_k e_i) - f(x_k). Invisible for tau_k = 1."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for k in range(num_steps):
        x = x - learning_rate * taus[k] * forward_difference(value, x, taus[k])
        iterates.append(x)
    return np.array(iterates)


# What goes wrong in the rest of the step.


@mistake(
    zo_gd_vanishing_difference,
    "Your iterates climb: each step goes towards larger values of f. In which direction does f decrease?",
)
def ascent(value: Value, x0: Vector, learning_rate: float, taus: Vector, num_steps: int) -> Matrix:
    """x_{k+1} = x_k + gamma g_k."""
    return zo_gd_vanishing_difference(value, x0, -learning_rate, taus, num_steps)


@mistake(
    zo_gd_vanishing_difference,
    "Your steps go the right way, and each has half the length that it should have. "
    "How far apart are the two points of each difference?",
)
def halved_differences(value: Value, x0: Vector, learning_rate: float, taus: Vector, num_steps: int) -> Matrix:
    """(f(x_k + tau_k e_i) - f(x_k)) / (2 tau_k)."""
    return zo_gd_vanishing_difference(value, x0, learning_rate / 2, taus, num_steps)


@mistake(
    zo_gd_vanishing_difference,
    "Your path approaches the minimiser from the other side: "
    "the second point of each difference lies on the wrong side of x_k.",
)
def backward_differences(value: Value, x0: Vector, learning_rate: float, taus: Vector, num_steps: int) -> Matrix:
    """(f(x_k) - f(x_k - tau_k e_i)) / tau_k. Invisible where f is affine."""
    return zo_gd_vanishing_difference(value, x0, learning_rate, -np.asarray(taus), num_steps)


@mistake(
    zo_gd_vanishing_difference,
    "Your path is better than the one that was asked for, and it costs nearly twice the queries: "
    "the differences take a point on both sides.",
)
def central_differences(value: Value, x0: Vector, learning_rate: float, taus: Vector, num_steps: int) -> Matrix:
    """(f(x_k + tau_k e_i) - f(x_k - tau_k e_i)) / (2 tau_k). Invisible where f is affine."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for k in range(num_steps):
        x = x - learning_rate * central_difference(value, x, taus[k])
        iterates.append(x)
    return np.array(iterates)


@mistake(
    zo_gd_vanishing_difference,
    "Your first step is right. In the later ones, one of the two values of each difference belongs to another point.",
)
def frozen_base(value: Value, x0: Vector, learning_rate: float, taus: Vector, num_steps: int) -> Matrix:
    """(f(x_k + tau_k e_i) - f(x_0)) / tau_k: the base value is computed once, before the loop."""
    x = np.array(x0, dtype=np.float64)
    base = value(x)
    iterates = [x]
    for k in range(num_steps):
        x = x - learning_rate * np.array([(value(x + taus[k] * e) - base) / taus[k] for e in np.eye(len(x))])
        iterates.append(x)
    return np.array(iterates)


@mistake(
    zo_gd_vanishing_difference,
    "Your coordinates are updated one after the other, each with a difference that already sees new values. "
    "At which point are all differences of a step taken?",
)
def coordinate_after_coordinate(value: Value, x0: Vector, learning_rate: float, taus: Vector, num_steps: int) -> Matrix:
    """x_i moves before the difference for x_{i+1} is taken. Invisible where f is a sum of functions of one x_i each."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x.copy()]
    for k in range(num_steps):
        for i in range(len(x)):
            shifted = x.copy()
            shifted[i] += taus[k]
            x[i] -= learning_rate * (value(shifted) - value(x)) / taus[k]
        iterates.append(x.copy())
    return np.array(iterates)


@mistake(
    zo_gd_vanishing_difference,
    "Your first coordinate moves as it should at first, and the later ones see the shifts of those before them: "
    "is each shift taken back?",
)
def cumulative_shifts(value: Value, x0: Vector, learning_rate: float, taus: Vector, num_steps: int) -> Matrix:
    """x + tau_k e_1, x + tau_k e_1 + tau_k e_2, ... The same for d = 1."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for k in range(num_steps):
        shifted, base = x.copy(), value(x)
        g = np.zeros(len(x))
        for i in range(len(x)):
            shifted[i] += taus[k]
            g[i] = (value(shifted) - base) / taus[k]
        x = x - learning_rate * g
        iterates.append(x)
    return np.array(iterates)


@mistake(
    zo_gd_vanishing_difference,
    "Your path is right, and f(x_k) is computed anew for each coordinate. Queries are what such a method pays for.",
)
def base_repeated(value: Value, x0: Vector, learning_rate: float, taus: Vector, num_steps: int) -> Matrix:
    """The right path with 2d queries a step in place of d+1."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for k in range(num_steps):
        x = x - learning_rate * np.array([(value(x + taus[k] * e) - value(x)) / taus[k] for e in np.eye(len(x))])
        iterates.append(x)
    return np.array(iterates)


# What goes wrong in what is kept and returned.


@mistake(
    zo_gd_vanishing_difference,
    "Your steps are right, but the path starts one point too late. What is row 0 of the result?",
)
def missing_first_row(value: Value, x0: Vector, learning_rate: float, taus: Vector, num_steps: int) -> Matrix:
    """x_1, ..., x_K, (K, d)."""
    return zo_gd_vanishing_difference(value, x0, learning_rate, taus, num_steps)[1:]


@mistake(
    zo_gd_vanishing_difference,
    "Your steps are right, but the path ends one point too early: "
    "the result of the last step is computed and not kept.",
)
def missing_last_row(value: Value, x0: Vector, learning_rate: float, taus: Vector, num_steps: int) -> Matrix:
    """x_0, ..., x_{K-1}, (K, d)."""
    return zo_gd_vanishing_difference(value, x0, learning_rate, taus, num_steps)[:-1]


@mistake(
    zo_gd_vanishing_difference,
    "You return the last point alone. The question asks for the whole path, one row for each iterate.",
)
def final_point_only(value: Value, x0: Vector, learning_rate: float, taus: Vector, num_steps: int) -> Vector:
    """x_K, (d,)."""
    last: Vector = zo_gd_vanishing_difference(value, x0, learning_rate, taus, num_steps)[-1]
    return last


@mistake(
    zo_gd_vanishing_difference,
    "All your rows are equal, to the last point: the list holds the same array many times, and each step changes it. "
    "What does append store?",
)
def aliased_rows(value: Value, x0: Vector, learning_rate: float, taus: Vector, num_steps: int) -> Matrix:
    """One array, changed in place and appended K+1 times: every row is x_K."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for k in range(num_steps):
        x -= learning_rate * forward_difference(value, x, taus[k])
        iterates.append(x)
    return np.array(iterates)


@mistake(
    zo_gd_vanishing_difference,
    "Your path is right, but the starting point that you were given has changed after the call. "
    "Whoever calls your function twice starts at another point the second time.",
)
def mutated_start(value: Value, x0: Vector, learning_rate: float, taus: Vector, num_steps: int) -> Matrix:
    """The right path; x0 is x_K afterwards. Raises TypeError where x0 is integer."""
    x = x0
    iterates = [x.copy()]
    for k in range(num_steps):
        x -= learning_rate * forward_difference(value, x, taus[k])
        iterates.append(x.copy())
    return np.array(iterates)


example(
    zo_gd_vanishing_difference,
    problems.stretched_bowl,
    mean_squared_gradient,
    learning_rate=lambda problem: 1 / problem.smoothness,
    taus=inverse_taus(0.1, 100),
    num_steps=100,
)
