"""Gradient descent with the sphere estimate: two queries a step, in every dimension.

Problem     min f(x) over R^d; only values of f are known; for the guarantees f is L-smooth.
Algorithm   g_k     = d/tau (f(x_k + tau u_k) - f(x_k)) u_k,  u_k uniform on the unit sphere, fresh for each k
            x_{k+1} = x_k - gamma g_k,  k = 0, ..., K-1
Guarantee   in expectation over the directions, for gamma <= 1/(4 d L)
                non-convex          1/(k+1) sum_{i<=k} E ||grad f(x_i)||^2
                                        <= 4 (f(x_0) - f*) / (gamma (k+1)) + d L^2 tau^2 / 2             d >= 8
                                        <= 4 (f(x_0) - f*) / (gamma (k+1)) + 2 L^2 tau^2 (1 + d/8)       any d
                strongly convex     E f(x_k) - f*
                                        <= (1 - gamma mu/2)^k (f(x_0) - f*) + d L^2 tau^2 / (4 mu)       d >= 8
Cost        two queries a step, where forward differences take d+1; but the step gamma is d times as short.
References  Notes ch. 5-1, (2), Theorems 3.1 and 3.2, for gamma = 1/(4 d L), which makes the first term
            16 d L (f(x_0) - f*) / (k+1); Lecture 5, slides 21-25, Theorems 3 and 5. Slide 22 prints the floor
            d L^2 tau^2, twice as high, and no expectation; slide 25 prints 8 mu in place of 4 mu, which the proof does
            not give.
Catalogue   zo_gd_sphere
Witness     exact recursion of E x_k x_k^T on quadratics; closed form along coordinate directions

In the code gamma is `learning_rate`, K is `num_steps` and u_k is `directions[k]`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.conditions import at_most, require, smoothness, strong_convexity
from reference.lecture05 import problems
from reference.lecture05.quantities import expected_gap, expected_mean_squared_gradient, initial_gap
from reference.lecture05.sphere_estimator import sphere_estimator
from reference.lecture05.sphere_sampling import sample_sphere
from reference.problem import Matrix, Problem, Vector
from reference.variants import convention, equivalent, example, guarantee, mistake

Value = Callable[[Vector], float]


def zo_gd_sphere(
    value: Value, x0: Vector, learning_rate: float, tau: float, directions: Matrix, num_steps: int
) -> Matrix:
    """The iterates x_0, ..., x_K, (K+1, d) float64: row k is x_k.

    Args:
        value: f, (d,) -> float; called twice a step.
        x0: starting point, (d,); left as it is.
        learning_rate: gamma, the constant step of the descent.
        tau: radius of the smoothing, > 0.
        directions: u_0, ..., u_{K-1} in rows, (K, d), drawn from the unit sphere by the caller.
        num_steps: K >= 0.
    """
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for k in range(num_steps):
        x = x - learning_rate * sphere_estimator(value, x, tau, directions[k])
        iterates.append(x)
    return np.array(iterates)


# What the theorems say, in expectation over the directions. Each bound has a number for each k = 0, ..., K.


@guarantee(
    zo_gd_sphere,
    expected_gap,
    "Lecture 5, Theorem 5, with the constant of its proof: for mu-strongly convex, L-smooth f, d >= 8 and "
    "gamma <= 1/(4 d L), E f(x_k) - f* <= (1 - gamma mu/2)^k (f(x_0) - f*) + d L^2 tau^2 / (4 mu).",
)
def bound_strongly_convex(problem: Problem, learning_rate: float, tau: float, num_steps: int) -> Vector:
    """(1 - gamma mu/2)^k (f(x_0) - f*) + d L^2 tau^2 / (4 mu), (K+1,).

    Raises:
        ValueError: unless f is L-smooth and mu-strongly convex, f* is known, d >= 8, 0 < gamma <= 1/(4 d L), tau > 0.
    """
    L, mu = smoothness(problem), strong_convexity(problem)
    d = _require_steps(learning_rate, tau, problem)
    _require_many_dimensions(problem)
    decay = (1 - learning_rate * mu / 2) ** np.arange(0.0, num_steps + 1)
    return np.asarray(decay * initial_gap(problem) + d * L**2 * tau**2 / (4 * mu))


@guarantee(
    zo_gd_sphere,
    expected_mean_squared_gradient,
    "Notes ch. 5-1, Theorem 3.1; Lecture 5, Theorem 3, in expectation: for L-smooth f, d >= 8 and gamma <= 1/(4 d L), "
    "the mean of ||grad f(x_0)||^2, ..., ||grad f(x_k)||^2 is at most "
    "4 (f(x_0) - f*) / (gamma (k+1)) + d L^2 tau^2 / 2.",
)
def bound_nonconvex(problem: Problem, learning_rate: float, tau: float, num_steps: int) -> Vector:
    """4 (f(x_0) - f*) / (gamma (k+1)) + d L^2 tau^2 / 2, (K+1,).

    Raises:
        ValueError: unless f is L-smooth, f* is known, d >= 8, 0 < gamma <= 1/(4 d L) and tau > 0.
    """
    L, d = smoothness(problem), _require_steps(learning_rate, tau, problem)
    _require_many_dimensions(problem)
    return _first_term(problem, learning_rate, num_steps) + d * L**2 * tau**2 / 2


@guarantee(
    zo_gd_sphere,
    expected_mean_squared_gradient,
    "By the proof of notes ch. 5-1, Theorem 3.1, in every dimension and in expectation: for L-smooth f and "
    "gamma <= 1/(4 d L), the mean of ||grad f(x_0)||^2, ..., ||grad f(x_k)||^2 is at most "
    "4 (f(x_0) - f*) / (gamma (k+1)) + 2 L^2 tau^2 (1 + d/8).",
)
def bound_nonconvex_any_dimension(problem: Problem, learning_rate: float, tau: float, num_steps: int) -> Vector:
    """4 (f(x_0) - f*) / (gamma (k+1)) + 2 L^2 tau^2 (1 + d/8), (K+1,).

    Raises:
        ValueError: unless f is L-smooth, f* is known, 0 < gamma <= 1/(4 d L) and tau > 0.
    """
    L, d = smoothness(problem), _require_steps(learning_rate, tau, problem)
    return _first_term(problem, learning_rate, num_steps) + 2 * L**2 * tau**2 * (1 + d / 8)


def _first_term(problem: Problem, learning_rate: float, num_steps: int) -> Vector:
    return np.asarray(4 * initial_gap(problem) / (learning_rate * np.arange(1.0, num_steps + 2)))


def _require_steps(learning_rate: float, tau: float, problem: Problem) -> int:
    """d; ValueError where one of the two steps does not fit."""
    d = len(problem.x0)
    require(tau > 0, "tau > 0", problem)
    in_range = learning_rate > 0 and at_most(4 * d * smoothness(problem) * learning_rate, 1.0)
    require(in_range, "a step 0 < gamma <= 1/(4 d L)", problem)
    return d


def _require_many_dimensions(problem: Problem) -> None:
    require(len(problem.x0) >= 8, "at least 8 dimensions", problem)


@mistake(
    bound_strongly_convex,
    "Your floor is half of what the proof gives. Sum the geometric series with the factor that you really have.",
)
def bound_with_printed_floor(problem: Problem, learning_rate: float, tau: float, num_steps: int) -> Vector:
    """d L^2 tau^2 / (8 mu), as slide 25 prints it. Not proved, and on no problem of this library violated."""
    L, mu = smoothness(problem), strong_convexity(problem)
    floor = len(problem.x0) * L**2 * tau**2 / (8 * mu)
    return bound_strongly_convex(problem, learning_rate, tau, num_steps) - floor


# Correct other forms.


@equivalent(zo_gd_sphere)
def written_out(
    value: Value, x0: Vector, learning_rate: float, tau: float, directions: Matrix, num_steps: int
) -> Matrix:
    """The slope along u_k first, and then the step gamma d slope along -u_k."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for u in directions[:num_steps]:
        slope = (value(x + tau * u) - value(x)) / tau
        x = x - learning_rate * len(x) * slope * u
        iterates.append(x)
    return np.array(iterates)


@equivalent(zo_gd_sphere)
def longer_directions(
    value: Value, x0: Vector, learning_rate: float, tau: float, directions: Matrix, num_steps: int
) -> Matrix:
    """u' = sqrt(d) u_k and tau' = tau / sqrt(d), without a factor d, into an array that exists from the start."""
    root = np.sqrt(len(x0))
    iterates = np.empty((num_steps + 1, len(x0)))
    iterates[0] = x0
    for k in range(num_steps):
        x, longer = iterates[k], root * directions[k]
        iterates[k + 1] = x - learning_rate * (value(x + tau / root * longer) - value(x)) / (tau / root) * longer
    return iterates


@convention(
    zo_gd_sphere,
    "Your estimate takes its two points on both sides of x_k. It has the same mean and is smaller in variance; "
    "here the second point is x_k itself.",
)
def symmetric_points(
    value: Value, x0: Vector, learning_rate: float, tau: float, directions: Matrix, num_steps: int
) -> Matrix:
    """d/(2 tau) (f(x_k + tau u_k) - f(x_k - tau u_k)) u_k. The same where f is affine."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for u in directions[:num_steps]:
        x = x - learning_rate * len(x) / (2 * tau) * (value(x + tau * u) - value(x - tau * u)) * u
        iterates.append(x)
    return np.array(iterates)


# What goes wrong in the estimate.


@mistake(
    zo_gd_sphere,
    "Your steps point the right way and are too short, the more so the more dimensions there are. "
    "What is E u u^T for a unit vector?",
)
def without_dimension(
    value: Value, x0: Vector, learning_rate: float, tau: float, directions: Matrix, num_steps: int
) -> Matrix:
    """No factor d. Invisible for d = 1."""
    return zo_gd_sphere(value, x0, learning_rate / len(x0), tau, directions, num_steps)


@mistake(
    zo_gd_sphere,
    "Your factor is the one that belongs to a length, and the direction enters twice. What is E u u^T?",
)
def root_of_dimension(
    value: Value, x0: Vector, learning_rate: float, tau: float, directions: Matrix, num_steps: int
) -> Matrix:
    """sqrt(d) in place of d. Invisible for d = 1."""
    return zo_gd_sphere(value, x0, float(learning_rate / np.sqrt(len(x0))), tau, directions, num_steps)


@mistake(
    zo_gd_sphere,
    "Your steps are too long by the dimension, and the path may fly away. Does a factor enter twice?",
)
def dimension_twice(
    value: Value, x0: Vector, learning_rate: float, tau: float, directions: Matrix, num_steps: int
) -> Matrix:
    """d^2 in place of d: for gamma = 1/(4 d L), about the step of forward differences. Invisible for d = 1."""
    return zo_gd_sphere(value, x0, learning_rate * len(x0), tau, directions, num_steps)


@mistake(
    zo_gd_sphere,
    "Your path changes when a constant is added to f. Which second value belongs to each query?",
)
def single_point(
    value: Value, x0: Vector, learning_rate: float, tau: float, directions: Matrix, num_steps: int
) -> Matrix:
    """d/tau f(x_k + tau u_k) u_k: right in the mean, and useless for small tau."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for u in directions[:num_steps]:
        x = x - learning_rate * len(x) / tau * value(x + tau * u) * u
        iterates.append(x)
    return np.array(iterates)


@mistake(
    zo_gd_sphere,
    "Your steps have half the length that they should have. How far apart are the two points?",
)
def halved_difference(
    value: Value, x0: Vector, learning_rate: float, tau: float, directions: Matrix, num_steps: int
) -> Matrix:
    """d/(2 tau) (f(x_k + tau u_k) - f(x_k)) u_k."""
    return zo_gd_sphere(value, x0, learning_rate / 2, tau, directions, num_steps)


@mistake(
    zo_gd_sphere,
    "Your steps shrink with tau: you descend along a difference of values, and a slope is a ratio.",
)
def undivided_difference(
    value: Value, x0: Vector, learning_rate: float, tau: float, directions: Matrix, num_steps: int
) -> Matrix:
    """d (f(x_k + tau u_k) - f(x_k)) u_k. Invisible for tau = 1."""
    return zo_gd_sphere(value, x0, learning_rate * tau, tau, directions, num_steps)


@mistake(
    zo_gd_sphere,
    "Your first step is right. In the later ones, one of the two values belongs to an earlier point.",
)
def stale_base(
    value: Value, x0: Vector, learning_rate: float, tau: float, directions: Matrix, num_steps: int
) -> Matrix:
    """f(x_k + tau u_k) - f(x_{k-1}) from k = 1 on."""
    x = previous = np.array(x0, dtype=np.float64)
    iterates = [x]
    for u in directions[:num_steps]:
        difference = value(x + tau * u) - value(previous)
        previous, x = x, x - learning_rate * len(x) / tau * difference * u
        iterates.append(x)
    return np.array(iterates)


@mistake(
    zo_gd_sphere,
    "Your first step is right. In the later ones, one of the two values belongs to the starting point.",
)
def frozen_base(
    value: Value, x0: Vector, learning_rate: float, tau: float, directions: Matrix, num_steps: int
) -> Matrix:
    """f(x_k + tau u_k) - f(x_0): the base value is computed once, before the loop."""
    x = np.array(x0, dtype=np.float64)
    base = value(x)
    iterates = [x]
    for u in directions[:num_steps]:
        x = x - learning_rate * len(x) / tau * (value(x + tau * u) - base) * u
        iterates.append(x)
    return np.array(iterates)


# What goes wrong in the rest of the step.


@mistake(
    zo_gd_sphere,
    "Your iterates stay on one line through the starting point: all your steps go along the same direction.",
)
def one_direction(
    value: Value, x0: Vector, learning_rate: float, tau: float, directions: Matrix, num_steps: int
) -> Matrix:
    """u_0 in every step: drawn once, before the loop. Invisible where all u_k are the same."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * sphere_estimator(value, x, tau, directions[0])
        iterates.append(x)
    return np.array(iterates)


@mistake(
    zo_gd_sphere,
    "The direction of your step is not the one along which f was queried: on average you do not move at all.",
)
def other_direction(
    value: Value, x0: Vector, learning_rate: float, tau: float, directions: Matrix, num_steps: int
) -> Matrix:
    """Queried along u_k and moved along u_{k+1} (u_0 in the last step). Invisible for one and the same direction."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for k in range(num_steps):
        slope = (value(x + tau * directions[k]) - value(x)) / tau
        x = x - learning_rate * len(x) * slope * directions[(k + 1) % len(directions)]
        iterates.append(x)
    return np.array(iterates)


@mistake(
    zo_gd_sphere,
    "Your iterates climb: on average each step goes towards larger values of f. In which direction does f decrease?",
)
def ascent(value: Value, x0: Vector, learning_rate: float, tau: float, directions: Matrix, num_steps: int) -> Matrix:
    """x_{k+1} = x_k + gamma g_k."""
    return zo_gd_sphere(value, x0, -learning_rate, tau, directions, num_steps)


@mistake(
    zo_gd_sphere,
    "Your path is the one that belongs to tau and gamma in exchanged roles.",
)
def steps_exchanged(
    value: Value, x0: Vector, learning_rate: float, tau: float, directions: Matrix, num_steps: int
) -> Matrix:
    """gamma in the estimate and tau in the descent. Invisible for tau = gamma."""
    return zo_gd_sphere(value, x0, tau, learning_rate, directions, num_steps)


@mistake(
    zo_gd_sphere,
    "You move only where f falls, and so you follow another method: "
    "the descent of the question takes every step, also one that goes up.",
)
def accepted_steps_only(
    value: Value, x0: Vector, learning_rate: float, tau: float, directions: Matrix, num_steps: int
) -> Matrix:
    """A step that does not make f smaller is not taken. Invisible where every step does."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for u in directions[:num_steps]:
        candidate = x - learning_rate * sphere_estimator(value, x, tau, u)
        x = candidate if value(candidate) < value(x) else x
        iterates.append(x)
    return np.array(iterates)


# What goes wrong in what is kept and returned.


@mistake(
    zo_gd_sphere,
    "Your steps are right, but the path starts one point too late. What is row 0 of the result?",
)
def missing_first_row(
    value: Value, x0: Vector, learning_rate: float, tau: float, directions: Matrix, num_steps: int
) -> Matrix:
    """x_1, ..., x_K, (K, d)."""
    return zo_gd_sphere(value, x0, learning_rate, tau, directions, num_steps)[1:]


@mistake(
    zo_gd_sphere,
    "Your steps are right, but the path ends one point too early: "
    "the result of the last step is computed and not kept.",
)
def missing_last_row(
    value: Value, x0: Vector, learning_rate: float, tau: float, directions: Matrix, num_steps: int
) -> Matrix:
    """x_0, ..., x_{K-1}, (K, d)."""
    return zo_gd_sphere(value, x0, learning_rate, tau, directions, num_steps)[:-1]


@mistake(
    zo_gd_sphere,
    "You return the last point alone. The question asks for the whole path, one row for each iterate.",
)
def final_point_only(
    value: Value, x0: Vector, learning_rate: float, tau: float, directions: Matrix, num_steps: int
) -> Vector:
    """x_K, (d,)."""
    last: Vector = zo_gd_sphere(value, x0, learning_rate, tau, directions, num_steps)[-1]
    return last


@mistake(
    zo_gd_sphere,
    "All your rows are equal, to the last point: the list holds the same array many times, and each step changes it. "
    "What does append store?",
)
def aliased_rows(
    value: Value, x0: Vector, learning_rate: float, tau: float, directions: Matrix, num_steps: int
) -> Matrix:
    """One array, changed in place and appended K+1 times: every row is x_K."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for u in directions[:num_steps]:
        x -= learning_rate * sphere_estimator(value, x, tau, u)
        iterates.append(x)
    return np.array(iterates)


example(
    zo_gd_sphere,
    problems.ladder,
    expected_gap,
    learning_rate=lambda problem: 1 / (4 * len(problem.x0) * problem.smoothness),
    tau=0.5,
    directions=lambda problem: sample_sphere(1000, len(problem.x0), np.random.default_rng(1)),
    num_steps=1000,
)
