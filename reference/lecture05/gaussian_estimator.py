"""Gaussian smoothing: an estimate of the gradient from two values along a random direction.

Problem     grad fhat(x) for f: R^d -> R of which only values are known, fhat(x) = E f(x + tau v), v ~ N(0, I).
Algorithm   two points      g = (f(x + tau u) - f(x)) / tau u,      u ~ N(0, I)
            one point       g = f(x + tau u) / tau u
            mini-batch      g = 1/N sum_i (f(x + tau u_i) - f(x)) / tau u_i
            No factor d, and u is not normalised.
Guarantee   E g = grad fhat(x), for all three: unbiased for grad fhat, and not for grad f
            two points      E ||g||^2 <= 2 (d+2) ||grad f(x)||^2 + tau^2 L^2 d (d+2) (d+4) / 2    for L-smooth f
            mini-batch      ||g - grad f(x)|| <= sqrt(d) L tau + r with probability at least 1 - delta, where
                            N >= 3 d / (delta r^2) (3 ||grad f(x)||^2 + L^2 tau^2 (d+2) (d+4) / 4)
            one point       E ||g||^2 is about d f(x)^2 / tau^2 for small tau: it explodes (the notes say so in words)
Cost        two queries; one; N+1, as f(x) is needed once.
References  Notes ch. 5, sec. 5.1-5.5, (24)-(33), Lemmas 5.1, 5.2 and 5.4, Theorem 5.3. Not on the slides. Page 11 of
            the notes prints 1/t in place of 1/t^2 in E ||g||^2.
Catalogue   gaussian_estimator, gaussian_one_point, gaussian_estimator_batch, gaussian_sample_bound
Witness     averages by quadrature, exact on polynomials; exact moments on quadratics; closed form on cosines

In the code u is `direction`, or `directions` with u_i in row i; delta is `failure_probability` and r `radius`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from reference.conditions import require, smoothness
from reference.lecture05.quantities import gradient_error, mean_squared_norm
from reference.problem import Matrix, Problem, Vector
from reference.variants import convention, equivalent, guarantee, mistake

Value = Callable[[Vector], float]


def gaussian_estimator(value: Value, x: Vector, tau: float, direction: Vector) -> Vector:
    """g = (f(x + tau u) - f(x)) / tau u, (d,).

    Args:
        value: f, (d,) -> float; called twice.
        x: (d,); left as it is.
        tau: radius of the smoothing, > 0.
        direction: u, (d,), drawn from N(0, I) by the caller.
    """
    x = np.array(x, dtype=np.float64)
    return np.asarray((value(x + tau * direction) - value(x)) / tau * direction)


def gaussian_one_point(value: Value, x: Vector, tau: float, direction: Vector) -> Vector:
    """g = f(x + tau u) / tau u, (d,). Its variance grows like 1/tau^2: tau must not be small.

    Args:
        value: f, (d,) -> float; called once.
        x: (d,); left as it is.
        tau: radius of the smoothing, > 0.
        direction: u, (d,), drawn from N(0, I) by the caller.
    """
    return np.asarray(value(x + tau * direction) / tau * direction)


def gaussian_estimator_batch(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """g = 1/N sum_i (f(x + tau u_i) - f(x)) / tau u_i, (d,).

    Args:
        value: f, (d,) -> float; called N+1 times.
        x: (d,); left as it is.
        tau: radius of the smoothing, > 0.
        directions: u_1, ..., u_N in rows, (N, d), drawn from N(0, I) by the caller.
    """
    x = np.array(x, dtype=np.float64)
    base = value(x)
    return np.asarray(np.mean([(value(x + tau * u) - base) / tau * u for u in directions], axis=0))


def gaussian_sample_bound(
    dimension: int, smoothness: float, tau: float, gradient_norm: float, failure_probability: float, radius: float
) -> int:
    """The smallest N >= 3 d / (delta r^2) (3 ||grad f(x)||^2 + L^2 tau^2 (d+2) (d+4) / 4).

    With N directions, ||g - grad f(x)|| <= sqrt(d) L tau + r with probability at least 1 - delta (notes ch. 5,
    Theorem 5.3, by Chebyshev's inequality).

    Args:
        dimension: d >= 1.
        smoothness: L.
        tau: radius of the smoothing.
        gradient_norm: ||grad f(x)||.
        failure_probability: delta, in (0, 1).
        radius: r > 0, the error that the sampling may have.
    """
    bound = _sample_bound(dimension, smoothness, tau, gradient_norm, failure_probability, radius)
    return math.ceil(bound * (1 - 1e-12))  # a whole number is not to be rounded up because of rounding errors


def _sample_bound(d: int, L: float, tau: float, gradient_norm: float, delta: float, r: float) -> float:
    """The bound itself, which need not be a whole number."""
    return 3 * d / (delta * r**2) * (3 * gradient_norm**2 + (L * tau) ** 2 / 4 * (d + 2) * (d + 4))


# What the theorems say, at the point x0 of the problem.


@guarantee(
    gaussian_estimator,
    mean_squared_norm,
    "Notes ch. 5, Lemma 5.4, in expectation: for L-smooth f, "
    "E ||g||^2 <= 2 (d+2) ||grad f(x)||^2 + tau^2 L^2 d (d+2) (d+4) / 2.",
)
def bound_gaussian_second_moment(problem: Problem, tau: float) -> float:
    """2 (d+2) ||grad f(x)||^2 + tau^2 L^2 d (d+2) (d+4) / 2.

    Raises:
        ValueError: unless f is L-smooth and tau > 0.
    """
    require(tau > 0, "tau > 0", problem)
    d, L = len(problem.x0), smoothness(problem)
    squared_gradient = float(np.sum(problem.gradient(problem.x0) ** 2))
    return 2 * (d + 2) * squared_gradient + tau**2 * L**2 / 2 * d * (d + 2) * (d + 4)


@guarantee(
    gaussian_estimator_batch,
    gradient_error,
    "Notes ch. 5, Theorem 5.3, solved for the error, with probability at least 1 - delta: for L-smooth f, "
    "||g - grad f(x)|| <= sqrt(d) L tau + r, r^2 = 3 d (3 ||grad f(x)||^2 + L^2 tau^2 (d+2) (d+4) / 4) / (delta N).",
)
def bound_gaussian_batch(problem: Problem, tau: float, directions: Matrix, failure_probability: float) -> float:
    """sqrt(d) L tau + r with the r for which the N of the theorem is the number of directions.

    Raises:
        ValueError: unless f is L-smooth, tau > 0 and 0 < delta < 1.
    """
    require(tau > 0, "tau > 0", problem)
    require(0 < failure_probability < 1, "0 < delta < 1", problem)
    d, L = len(problem.x0), smoothness(problem)
    squared_gradient = float(np.sum(problem.gradient(problem.x0) ** 2))
    spread = 3 * squared_gradient + (L * tau) ** 2 / 4 * (d + 2) * (d + 4)
    radius = np.sqrt(3 * d * spread / (failure_probability * len(directions)))
    return float(np.sqrt(d) * L * tau + radius)


# Correct other forms.


@equivalent(gaussian_estimator)
def gaussian_of_step(value: Value, x: Vector, tau: float, direction: Vector) -> Vector:
    """With the step s = tau u: g = (f(x + s) - f(x)) s / tau^2."""
    x = np.array(x, dtype=np.float64)
    s = tau * direction
    return np.asarray((value(x + s) - value(x)) * s / tau**2)


@equivalent(gaussian_estimator)
def gaussian_of_one_point(value: Value, x: Vector, tau: float, direction: Vector) -> Vector:
    """The one-point estimate less (f(x) / tau) u, whose mean is 0."""
    x = np.array(x, dtype=np.float64)
    return np.asarray(gaussian_one_point(value, x, tau, direction) - value(x) / tau * direction)


@convention(
    gaussian_estimator,
    "Your estimate takes its two points on both sides of x. It has the same mean and is smaller in variance; "
    "here the second point is x itself.",
)
def gaussian_symmetric(value: Value, x: Vector, tau: float, direction: Vector) -> Vector:
    """(f(x + tau u) - f(x - tau u)) / (2 tau) u. The same where f is affine."""
    return np.asarray((value(x + tau * direction) - value(x - tau * direction)) / (2 * tau) * direction)


@equivalent(gaussian_one_point)
def one_point_of_two(value: Value, x: Vector, tau: float, direction: Vector) -> Vector:
    """The two-point estimate and (f(x) / tau) u."""
    return np.asarray(gaussian_estimator(value, x, tau, direction) + value(x) / tau * direction)


@equivalent(gaussian_estimator_batch)
def gaussian_batch_as_product(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """U^T F / (N tau) with F_i = f(x + tau u_i) - f(x)."""
    x = np.array(x, dtype=np.float64)
    differences = np.array([value(row) for row in x + tau * directions]) - value(x)
    return np.asarray(directions.T @ differences / (len(directions) * tau))


@equivalent(gaussian_estimator_batch)
def gaussian_batch_running_mean(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """The mean of the first i estimates, updated with each direction."""
    x = np.array(x, dtype=np.float64)
    base = value(x)
    g = np.zeros(len(x))
    for i, u in enumerate(directions, start=1):
        g = g + ((value(x + tau * u) - base) / tau * u - g) / i
    return g


# What goes wrong with one direction.


@mistake(
    gaussian_estimator,
    "Your estimate is too long by the dimension. For which directions does the factor d belong to it?",
)
def gaussian_times_dimension(value: Value, x: Vector, tau: float, direction: Vector) -> Vector:
    """d (f(x + tau u) - f(x)) / tau u. Invisible for d = 1."""
    return len(x) * gaussian_estimator(value, x, tau, direction)


@mistake(
    gaussian_estimator,
    "All your directions have length one, and yet nothing makes up for what is lost: "
    "the mean of your estimates is a fraction of the gradient.",
)
def gaussian_normalized(value: Value, x: Vector, tau: float, direction: Vector) -> Vector:
    """u / ||u|| in place of u. Invisible for ||u|| = 1."""
    return gaussian_estimator(value, x, tau, direction / np.linalg.norm(direction))


@mistake(
    gaussian_estimator,
    "You divide by the squared length of the direction, as a projection does. What is E u u^T?",
)
def gaussian_divided_by_square(value: Value, x: Vector, tau: float, direction: Vector) -> Vector:
    """(f(x + tau u) - f(x)) / tau u / ||u||^2. Invisible for ||u|| = 1."""
    return np.asarray(gaussian_estimator(value, x, tau, direction) / np.sum(direction**2))


@mistake(
    gaussian_estimator,
    "The direction that you go back along is not the one along which f was queried: your estimate has mean zero.",
)
def gaussian_other_direction(value: Value, x: Vector, tau: float, direction: Vector) -> Vector:
    """The difference along u, times another draw."""
    other = np.random.default_rng(0).standard_normal(len(direction))
    x = np.array(x, dtype=np.float64)
    return np.asarray((value(x + tau * direction) - value(x)) / tau * other)


@mistake(
    gaussian_estimator,
    "Your direction is scaled by tau, and then again. Which covariance has u?",
)
def gaussian_scaled_twice(value: Value, x: Vector, tau: float, direction: Vector) -> Vector:
    """tau u in place of u everywhere. Invisible for tau = 1."""
    return gaussian_estimator(value, x, tau, tau * direction)


@mistake(
    gaussian_estimator,
    "Your estimate has half the length that it should have. How far apart are the two points?",
)
def gaussian_halved(value: Value, x: Vector, tau: float, direction: Vector) -> Vector:
    """(f(x + tau u) - f(x)) / (2 tau) u."""
    return gaussian_estimator(value, x, tau, direction) / 2


@mistake(
    gaussian_estimator,
    "Your estimate changes when a constant is added to f, and it explodes as tau shrinks. "
    "Its mean is right; which second value keeps it small?",
)
def gaussian_single_point(value: Value, x: Vector, tau: float, direction: Vector) -> Vector:
    """f(x + tau u) / tau u. Invisible where f(x) = 0."""
    return gaussian_one_point(value, x, tau, direction)


@mistake(
    gaussian_estimator,
    "Your estimate shrinks with tau: it holds a difference of values, and a slope is a ratio.",
)
def gaussian_undivided(value: Value, x: Vector, tau: float, direction: Vector) -> Vector:
    """(f(x + tau u) - f(x)) u. Invisible for tau = 1."""
    return tau * gaussian_estimator(value, x, tau, direction)


@mistake(
    gaussian_one_point,
    "Your estimate does not change when a constant is added to f: it uses a second value. "
    "The question asks for one query.",
)
def one_point_with_difference(value: Value, x: Vector, tau: float, direction: Vector) -> Vector:
    """(f(x + tau u) - f(x)) / tau u, two queries. Invisible where f(x) = 0."""
    return gaussian_estimator(value, x, tau, direction)


@mistake(
    gaussian_one_point,
    "Your estimate is too long by the dimension. For which directions does the factor d belong to it?",
)
def one_point_times_dimension(value: Value, x: Vector, tau: float, direction: Vector) -> Vector:
    """d f(x + tau u) / tau u. Invisible for d = 1."""
    return len(x) * gaussian_one_point(value, x, tau, direction)


# What goes wrong with a batch of them.


@mistake(
    gaussian_estimator_batch,
    "Your estimate grows with the number of directions: more of them should make it more certain, not longer.",
)
def gaussian_batch_sum(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """The sum in place of the mean. Invisible for N = 1."""
    return len(directions) * gaussian_estimator_batch(value, x, tau, directions)


@mistake(
    gaussian_estimator_batch,
    "Your estimate does not become better with more directions. How many different ones enter it?",
)
def gaussian_batch_one_direction(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """The first direction, N times. Invisible for N = 1."""
    return gaussian_estimator(value, x, tau, directions[0])


@mistake(
    gaussian_estimator_batch,
    "Your estimate is too long by the dimension. For which directions does the factor d belong to it?",
)
def gaussian_batch_times_dimension(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """d/N sum_i. Invisible for d = 1."""
    return len(x) * gaussian_estimator_batch(value, x, tau, directions)


@mistake(
    gaussian_estimator_batch,
    "Your estimate is right, and f(x) is computed anew for each direction. Queries are what such a method pays for.",
)
def gaussian_batch_base_repeated(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """The mean of N two-point estimates: 2N queries in place of N+1."""
    return np.asarray(np.mean([gaussian_estimator(value, x, tau, u) for u in directions], axis=0))


# What goes wrong in the number of samples.


@mistake(
    gaussian_sample_bound,
    "Your number grows too slowly with the gradient: twice as long a gradient has four times the variance.",
)
def gaussian_samples_norm_not_squared(
    dimension: int, smoothness: float, tau: float, gradient_norm: float, failure_probability: float, radius: float
) -> int:
    """||grad f(x)|| in place of its square. Invisible for ||grad f(x)|| = 1, and for 0."""
    root = math.sqrt(gradient_norm)
    return gaussian_sample_bound(dimension, smoothness, tau, root, failure_probability, radius)


@mistake(
    gaussian_sample_bound,
    "Your number grows too slowly with tau: the remainder is quadratic in the step, and its square enters.",
)
def gaussian_samples_smoothing_not_squared(
    dimension: int, smoothness: float, tau: float, gradient_norm: float, failure_probability: float, radius: float
) -> int:
    """L tau in place of (L tau)^2. Invisible for L tau = 1."""
    root = math.sqrt(smoothness * tau)
    return gaussian_sample_bound(dimension, 1.0, root, gradient_norm, failure_probability, radius)


@mistake(
    gaussian_sample_bound,
    "Your number hardly grows when the failure is to be rarer. Which inequality is behind the theorem?",
)
def gaussian_samples_logarithm(
    dimension: int, smoothness: float, tau: float, gradient_norm: float, failure_probability: float, radius: float
) -> int:
    """log(1/delta) in place of 1/delta."""
    inverse = 1 / math.log(1 / failure_probability)
    return gaussian_sample_bound(dimension, smoothness, tau, gradient_norm, inverse, radius)


@mistake(
    gaussian_sample_bound,
    "Your number grows too slowly as the error is to be smaller: "
    "a tenth of the error takes a hundred times the samples.",
)
def gaussian_samples_radius_not_squared(
    dimension: int, smoothness: float, tau: float, gradient_norm: float, failure_probability: float, radius: float
) -> int:
    """r in place of r^2. Invisible for r = 1."""
    root = math.sqrt(radius)
    return gaussian_sample_bound(dimension, smoothness, tau, gradient_norm, failure_probability, root)


@mistake(
    gaussian_sample_bound,
    "Your number is just below the bound: samples come in whole numbers, and the theorem needs at least as many.",
)
def gaussian_samples_rounded_down(
    dimension: int, smoothness: float, tau: float, gradient_norm: float, failure_probability: float, radius: float
) -> int:
    """Rounded down. Invisible where the bound is a whole number."""
    return math.floor(_sample_bound(dimension, smoothness, tau, gradient_norm, failure_probability, radius))
