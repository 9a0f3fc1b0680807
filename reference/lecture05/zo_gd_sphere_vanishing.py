"""Gradient descent with the sphere estimate whose radius vanishes: no floor is left.

Problem     min f(x) over R^d; only values of f are known; for the guarantees f is L-smooth.
Algorithm   g_k     = d/tau_k (f(x_k + tau_k u_k) - f(x_k)) u_k,  u_k uniform on the unit sphere, fresh for each k
            x_{k+1} = x_k - gamma g_k,  k = 0, ..., K-1
Guarantee   in expectation over the directions, for sum_k tau_k^2 <= R^2
                non-convex, gamma <= 1/(4 d L), d >= 8
                    1/(k+1) sum_{i<=k} E ||grad f(x_i)||^2 <= (4 (f(x_0) - f*) / gamma + d L^2 R^2 / 2) / (k+1)
                convex, gamma = c/(2 d L), 0 < c < 1
                    1/(k+1) sum_{i<=k} E f(x_i) - f*
                        <= (d L ||x_0 - x*||^2 / (c (1-c)) + L (1 + c d/4) R^2 / (2 (1-c))) / (k+1)
                    and so, by convexity, for the gap at the average of x_0, ..., x_k
Cost        two queries a step.
References  Non-convex: notes ch. 5-1, remark and (12), for gamma = 1/(4 d L); Lecture 5, slide 23, Theorem 4, which
            prints d L^2 R^2 / (k+1), twice as much. Convex: notes ch. 5, sec. 6.4, (54)-(67), Theorem 6.5, whose
            statement prints gamma = c/(d L); its proof is for c/(2 d L).
Catalogue   zo_gd_sphere_decay
Witness     exact recursion of E x_k x_k^T on quadratics; constant tau_k

In the code gamma is `learning_rate`, K is `num_steps`, u_k is `directions[k]`, and tau_0, ..., tau_{K-1} are `taus`:
tau_k belongs to x_k.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.conditions import at_most, known, require, require_convex, smoothness
from reference.lecture05 import problems
from reference.lecture05.quantities import expected_mean_gap, expected_mean_squared_gradient, initial_gap
from reference.lecture05.sphere_estimator import sphere_estimator
from reference.lecture05.sphere_sampling import sample_sphere
from reference.lecture05.zo_gd_sphere import zo_gd_sphere
from reference.lecture05.zo_gd_vanishing_difference import inverse_taus
from reference.problem import Matrix, Problem, Vector
from reference.variants import equivalent, example, guarantee, mistake

Value = Callable[[Vector], float]


def zo_gd_sphere_vanishing(
    value: Value, x0: Vector, learning_rate: float, taus: Vector, directions: Matrix, num_steps: int
) -> Matrix:
    """The iterates x_0, ..., x_K, (K+1, d) float64: row k is x_k.

    Args:
        value: f, (d,) -> float; called twice a step.
        x0: starting point, (d,); left as it is.
        learning_rate: gamma, the constant step of the descent.
        taus: tau_0, ..., tau_{K-1}, the radii of the smoothing, all > 0; more of them are not used.
        directions: u_0, ..., u_{K-1} in rows, (K, d), drawn from the unit sphere by the caller.
        num_steps: K >= 0.
    """
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for k in range(num_steps):
        x = x - learning_rate * sphere_estimator(value, x, taus[k], directions[k])
        iterates.append(x)
    return np.array(iterates)


# What the theorems say, in expectation over the directions. Each bound has a number for each k = 0, ..., K, and
# R^2 = tau_0^2 + ... + tau_{K-1}^2; the theorems have tau_K in it too, for a step from x_K that is not taken.


@guarantee(
    zo_gd_sphere_vanishing,
    expected_mean_gap,
    "Notes ch. 5, Theorem 6.5, with the step of its proof, in expectation: for convex, L-smooth f and "
    "gamma = c/(2 d L), 0 < c < 1, the mean of f(x_0) - f*, ..., f(x_k) - f* is at most "
    "(d L ||x_0 - x*||^2 / (c (1-c)) + L (1 + c d/4) R^2 / (2 (1-c))) / (k+1).",
)
def bound_convex(problem: Problem, learning_rate: float, taus: Vector, num_steps: int) -> Vector:
    """(d L ||x_0 - x*||^2 / (c (1-c)) + L (1 + c d/4) R^2 / (2 (1-c))) / (k+1) with c = 2 d L gamma, (K+1,).

    Raises:
        ValueError: unless f is convex and L-smooth, x* is known, 0 < gamma < 1/(2 d L) and all tau_k > 0.
    """
    L, d = smoothness(problem), len(problem.x0)
    require_convex(problem)
    minimizer = known(problem.minimizer, "minimiser x*", problem)
    c = 2 * d * L * learning_rate
    require(0 < c < 1, "a step 0 < gamma < 1/(2 d L)", problem)
    squared_distance = float(np.sum((problem.x0 - minimizer) ** 2))
    constant = d * L * squared_distance / (c * (1 - c))
    constant += L * (1 + c * d / 4) * _squared_sum(taus, num_steps, problem) / (2 * (1 - c))
    return np.asarray(constant / np.arange(1.0, num_steps + 2))


@guarantee(
    zo_gd_sphere_vanishing,
    expected_mean_squared_gradient,
    "Notes ch. 5-1, (12); Lecture 5, Theorem 4, in expectation: for L-smooth f, d >= 8 and gamma <= 1/(4 d L), the "
    "mean of ||grad f(x_0)||^2, ..., ||grad f(x_k)||^2 is at most (4 (f(x_0) - f*) / gamma + d L^2 R^2 / 2) / (k+1).",
)
def bound_nonconvex(problem: Problem, learning_rate: float, taus: Vector, num_steps: int) -> Vector:
    """(4 (f(x_0) - f*) / gamma + d L^2 R^2 / 2) / (k+1), (K+1,).

    Raises:
        ValueError: unless f is L-smooth, f* is known, d >= 8, 0 < gamma <= 1/(4 d L) and all tau_k > 0.
    """
    L, d = smoothness(problem), len(problem.x0)
    require(d >= 8, "at least 8 dimensions", problem)
    in_range = learning_rate > 0 and at_most(4 * d * L * learning_rate, 1.0)
    require(in_range, "a step 0 < gamma <= 1/(4 d L)", problem)
    constant = 4 * initial_gap(problem) / learning_rate + d * L**2 * _squared_sum(taus, num_steps, problem) / 2
    return np.asarray(constant / np.arange(1.0, num_steps + 2))


def _squared_sum(taus: Vector, num_steps: int, problem: Problem) -> float:
    """R^2; ValueError where a tau_k is not positive."""
    require(bool(np.all(np.asarray(taus) > 0)), "tau_k > 0", problem)
    return float(np.sum(np.square(taus[:num_steps])))


@mistake(
    bound_convex,
    "Your step is twice as long as the one for which the bound is proved. For which c is the factor in front of "
    "f(x_k) - f* positive?",
)
def bound_with_printed_step(problem: Problem, learning_rate: float, taus: Vector, num_steps: int) -> Vector:
    """c = d L gamma, as the statement prints it. The proof needs 2 d L gamma < 1, that is c < 1/2 here.

    Raises:
        ValueError: unless f is convex and L-smooth, x* is known, 0 < gamma < 1/(d L) and all tau_k > 0.
    """
    return bound_convex(problem, learning_rate / 2, taus, num_steps)


# Correct other forms.


@equivalent(zo_gd_sphere_vanishing)
def one_run_for_each_step(
    value: Value, x0: Vector, learning_rate: float, taus: Vector, directions: Matrix, num_steps: int
) -> Matrix:
    """K runs of one step with constant tau, each from the end of the one before."""
    iterates = [np.array(x0, dtype=np.float64)]
    for k in range(num_steps):
        iterates.append(zo_gd_sphere(value, iterates[k], learning_rate, taus[k], directions[k : k + 1], 1)[1])
    return np.array(iterates)


@equivalent(zo_gd_sphere_vanishing)
def of_steps(
    value: Value, x0: Vector, learning_rate: float, taus: Vector, directions: Matrix, num_steps: int
) -> Matrix:
    """With the steps s_k = tau_k u_k: x_{k+1} = x_k - gamma d (f(x_k + s_k) - f(x_k)) s_k / ||s_k||^2."""
    iterates = np.empty((num_steps + 1, len(x0)))
    iterates[0] = x0
    for k in range(num_steps):
        x, s = iterates[k], taus[k] * directions[k]
        iterates[k + 1] = x - learning_rate * len(x) * (value(x + s) - value(x)) * s / (s @ s)
    return iterates


# What goes wrong with tau_k.


@mistake(
    zo_gd_sphere_vanishing,
    "Your first step already uses the second tau, and every later one is ahead by one too. "
    "Which tau belongs to the starting point?",
)
def next_tau(
    value: Value, x0: Vector, learning_rate: float, taus: Vector, directions: Matrix, num_steps: int
) -> Matrix:
    """tau_{k+1} at x_k (and the last one again in the last step). Invisible for constant tau_k."""
    shifted = np.append(taus[1:], taus[-1])
    return zo_gd_sphere_vanishing(value, x0, learning_rate, shifted, directions, num_steps)


@mistake(
    zo_gd_sphere_vanishing,
    "Your steps become shorter and shorter: the difference is divided by another tau than the one it was taken with.",
)
def divided_by_first_tau(
    value: Value, x0: Vector, learning_rate: float, taus: Vector, directions: Matrix, num_steps: int
) -> Matrix:
    """d/tau_0 (f(x_k + tau_k u_k) - f(x_k)) u_k. Invisible for constant tau_k."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for k in range(num_steps):
        x = x - learning_rate * sphere_estimator(value, x, taus[k], directions[k]) * taus[k] / taus[0]
        iterates.append(x)
    return np.array(iterates)


@mistake(
    zo_gd_sphere_vanishing,
    "Your path keeps a floor, as with one tau for all steps. Does yours change?",
)
def constant_tau(
    value: Value, x0: Vector, learning_rate: float, taus: Vector, directions: Matrix, num_steps: int
) -> Matrix:
    """tau_0 in every step. Invisible for constant tau_k."""
    return zo_gd_sphere(value, x0, learning_rate, taus[0], directions, num_steps)


@mistake(
    zo_gd_sphere_vanishing,
    "Your radii fall more slowly than those of the question: the sum of their squares has no bound.",
)
def root_of_taus(
    value: Value, x0: Vector, learning_rate: float, taus: Vector, directions: Matrix, num_steps: int
) -> Matrix:
    """tau_0 / sqrt(k+1), whatever was asked for."""
    slow = taus[0] / np.sqrt(np.arange(1.0, num_steps + 1))
    return zo_gd_sphere_vanishing(value, x0, learning_rate, slow, directions, num_steps)


@mistake(
    zo_gd_sphere_vanishing,
    "Your first step is right and the later ones are too short: the step of the descent shrinks along with tau. "
    "Which of the two vanishes in the question?",
)
def decaying_step(
    value: Value, x0: Vector, learning_rate: float, taus: Vector, directions: Matrix, num_steps: int
) -> Matrix:
    """gamma/(k+1) in place of gamma."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for k in range(num_steps):
        x = x - learning_rate / (k + 1) * sphere_estimator(value, x, taus[k], directions[k])
        iterates.append(x)
    return np.array(iterates)


# What goes wrong in the rest of the step.


@mistake(
    zo_gd_sphere_vanishing,
    "Your steps point the right way and are too short, the more so the more dimensions there are. "
    "What is E u u^T for a unit vector?",
)
def without_dimension(
    value: Value, x0: Vector, learning_rate: float, taus: Vector, directions: Matrix, num_steps: int
) -> Matrix:
    """No factor d. Invisible for d = 1."""
    return zo_gd_sphere_vanishing(value, x0, learning_rate / len(x0), taus, directions, num_steps)


@mistake(
    zo_gd_sphere_vanishing,
    "Your steps are twice as long as they should be. In which range must the step be for the theorem?",
)
def doubled_step(
    value: Value, x0: Vector, learning_rate: float, taus: Vector, directions: Matrix, num_steps: int
) -> Matrix:
    """2 gamma in place of gamma: the printed c/(d L) where c/(2 d L) is asked for."""
    return zo_gd_sphere_vanishing(value, x0, 2 * learning_rate, taus, directions, num_steps)


@mistake(
    zo_gd_sphere_vanishing,
    "Your path flies off as tau shrinks, and it changes when a constant is added to f. "
    "Which second value belongs to each query?",
)
def single_point(
    value: Value, x0: Vector, learning_rate: float, taus: Vector, directions: Matrix, num_steps: int
) -> Matrix:
    """d/tau_k f(x_k + tau_k u_k) u_k."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for k in range(num_steps):
        x = x - learning_rate * len(x) / taus[k] * value(x + taus[k] * directions[k]) * directions[k]
        iterates.append(x)
    return np.array(iterates)


@mistake(
    zo_gd_sphere_vanishing,
    "Your iterates stay on one line through the starting point: all your steps go along the same direction.",
)
def one_direction(
    value: Value, x0: Vector, learning_rate: float, taus: Vector, directions: Matrix, num_steps: int
) -> Matrix:
    """u_0 in every step: drawn once, before the loop."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for k in range(num_steps):
        x = x - learning_rate * sphere_estimator(value, x, taus[k], directions[0])
        iterates.append(x)
    return np.array(iterates)


@mistake(
    zo_gd_sphere_vanishing,
    "Your iterates climb: on average each step goes towards larger values of f. In which direction does f decrease?",
)
def ascent(value: Value, x0: Vector, learning_rate: float, taus: Vector, directions: Matrix, num_steps: int) -> Matrix:
    """x_{k+1} = x_k + gamma g_k."""
    return zo_gd_sphere_vanishing(value, x0, -learning_rate, taus, directions, num_steps)


@mistake(
    zo_gd_sphere_vanishing,
    "Your steps are right, but the path starts one point too late. What is row 0 of the result?",
)
def missing_first_row(
    value: Value, x0: Vector, learning_rate: float, taus: Vector, directions: Matrix, num_steps: int
) -> Matrix:
    """x_1, ..., x_K, (K, d)."""
    return zo_gd_sphere_vanishing(value, x0, learning_rate, taus, directions, num_steps)[1:]


example(
    zo_gd_sphere_vanishing,
    problems.ladder,
    expected_mean_gap,
    learning_rate=lambda problem: 1 / (4 * len(problem.x0) * problem.smoothness),
    taus=inverse_taus(0.5, 1000),
    directions=lambda problem: sample_sphere(1000, len(problem.x0), np.random.default_rng(1)),
    num_steps=1000,
)
