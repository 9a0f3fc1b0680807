"""Sphere smoothing: an estimate of the gradient from two values along a random unit vector.

Problem     grad fhat(x) for f: R^d -> R of which only values are known, fhat(x) = E f(x + tau v), v uniform in the
            unit ball.
Algorithm   two points      g = d/tau (f(x + tau u) - f(x)) u,      u uniform on the unit sphere
            mini-batch      g = d/N sum_i (f(x + tau u_i) - f(x)) / tau u_i
            The direction lies on the sphere; what is smoothed over is the ball.
Guarantee   E g = grad fhat(x), by the divergence theorem: unbiased for grad fhat, and not for grad f
            two points      E ||g||^2 <= 2 d ||grad f(x)||^2 + tau^2 L^2 d^2 / 2                 for L-smooth f
            mini-batch      ||g - grad f(x)|| <= L tau + r with probability at least 1 - delta, where
                            N >= (6 d^2/r^2 (||grad f(x)||^2/d + L^2 tau^2/4) + 2 d/(3 r) (2 ||grad f(x)|| + L tau))
                                 log((d+1)/delta)
Cost        two queries; N+1, as f(x) is needed once.
References  Lecture 5, slides 18-20, Lemmas 3-5; notes ch. 5, sec. 6.1 and 6.2, (39)-(47), Lemma 6.1, Theorem 6.2;
            notes ch. 5-1, Lemmas 2.1 and 2.2; Flaxman, Kalai and McMahan 2005. (45) prints u in place of u_i.
Catalogue   sphere_estimator, sphere_estimator_batch, sphere_sample_bound
Witness     averages by quadrature, exact on polynomials; exact moments on quadratics; Bessel functions on cosines

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


def sphere_estimator(value: Value, x: Vector, tau: float, direction: Vector) -> Vector:
    """g = d/tau (f(x + tau u) - f(x)) u, (d,).

    Args:
        value: f, (d,) -> float; called twice.
        x: (d,); left as it is.
        tau: radius of the smoothing, > 0.
        direction: u, (d,), drawn from the unit sphere by the caller.
    """
    x = np.array(x, dtype=np.float64)
    return np.asarray(len(x) / tau * (value(x + tau * direction) - value(x)) * direction)


def sphere_estimator_batch(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """g = d/N sum_i (f(x + tau u_i) - f(x)) / tau u_i, (d,).

    Args:
        value: f, (d,) -> float; called N+1 times.
        x: (d,); left as it is.
        tau: radius of the smoothing, > 0.
        directions: u_1, ..., u_N in rows, (N, d), drawn from the unit sphere by the caller.
    """
    x = np.array(x, dtype=np.float64)
    base = value(x)
    return np.asarray(np.mean([len(x) / tau * (value(x + tau * u) - base) * u for u in directions], axis=0))


def sphere_sample_bound(
    dimension: int, smoothness: float, tau: float, gradient_norm: float, failure_probability: float, radius: float
) -> int:
    """The smallest N of the theorem for the mini-batch, as written above.

    With N directions, ||g - grad f(x)|| <= L tau + r with probability at least 1 - delta (notes ch. 5, Theorem 6.2, by
    the matrix Bernstein inequality: the logarithm of 1/delta, where the Gaussian bound has 1/delta).

    Args:
        dimension: d >= 1.
        smoothness: L.
        tau: radius of the smoothing.
        gradient_norm: ||grad f(x)||.
        failure_probability: delta, in (0, 1).
        radius: r > 0, the error that the sampling may have.
    """
    d, delta, r = dimension, failure_probability, radius
    spread, largest = _spread(d, smoothness, tau, gradient_norm), _largest(d, smoothness, tau, gradient_norm)
    bound = (6 * spread / r**2 + 2 * largest / (3 * r)) * math.log((d + 1) / delta)
    return math.ceil(bound * (1 - 1e-12))  # a whole number is not to be rounded up because of rounding errors


def _spread(d: int, L: float, tau: float, gradient_norm: float) -> float:
    """d^2 (||grad f(x)||^2/d + L^2 tau^2/4)."""
    return d**2 * (gradient_norm**2 / d + (L * tau) ** 2 / 4)


def _largest(d: int, L: float, tau: float, gradient_norm: float) -> float:
    """d (2 ||grad f(x)|| + L tau)."""
    return d * (2 * gradient_norm + L * tau)


# What the theorems say, at the point x0 of the problem.


@guarantee(
    sphere_estimator,
    mean_squared_norm,
    "Lecture 5, Lemmas 3-5; notes ch. 5-1, Lemmas 2.1 and 2.2, in expectation: for L-smooth f, "
    "E ||g||^2 <= 2 d ||grad f(x)||^2 + tau^2 L^2 d^2 / 2.",
)
def bound_sphere_second_moment(problem: Problem, tau: float) -> float:
    """2 d ||grad f(x)||^2 + tau^2 L^2 d^2 / 2.

    Raises:
        ValueError: unless f is L-smooth and tau > 0.
    """
    require(tau > 0, "tau > 0", problem)
    d, L = len(problem.x0), smoothness(problem)
    return 2 * d * float(np.sum(problem.gradient(problem.x0) ** 2)) + tau**2 * L**2 * d**2 / 2


@guarantee(
    sphere_estimator_batch,
    gradient_error,
    "Notes ch. 5, Theorem 6.2, solved for the error, with probability at least 1 - delta: for L-smooth f, "
    "||g - grad f(x)|| <= L tau + r with the r for which N directions are just enough.",
)
def bound_sphere_batch(problem: Problem, tau: float, directions: Matrix, failure_probability: float) -> float:
    """L tau + r, where r > 0 solves N r^2 = (6 spread + 2/3 r largest) log((d+1)/delta).

    Raises:
        ValueError: unless f is L-smooth, tau > 0 and 0 < delta < 1.
    """
    require(tau > 0, "tau > 0", problem)
    require(0 < failure_probability < 1, "0 < delta < 1", problem)
    d, L = len(problem.x0), smoothness(problem)
    gradient_norm = float(np.linalg.norm(problem.gradient(problem.x0)))
    per_direction = math.log((d + 1) / failure_probability) / len(directions)
    constant = 6 * _spread(d, L, tau, gradient_norm) * per_direction
    linear = 2 / 3 * _largest(d, L, tau, gradient_norm) * per_direction
    radius = (linear + math.sqrt(linear**2 + 4 * constant)) / 2
    return L * tau + radius


# Correct other forms.


@equivalent(sphere_estimator)
def sphere_of_longer_direction(value: Value, x: Vector, tau: float, direction: Vector) -> Vector:
    """With u' = sqrt(d) u and tau' = tau / sqrt(d) there is no factor d: g = (f(x + tau' u') - f(x)) / tau' u'."""
    x = np.array(x, dtype=np.float64)
    longer, shorter = np.sqrt(len(x)) * direction, tau / np.sqrt(len(x))
    return np.asarray((value(x + shorter * longer) - value(x)) / shorter * longer)


@equivalent(sphere_estimator)
def sphere_of_step(value: Value, x: Vector, tau: float, direction: Vector) -> Vector:
    """With the step s = tau u: g = d (f(x + s) - f(x)) s / tau^2."""
    x = np.array(x, dtype=np.float64)
    s = tau * direction
    return np.asarray(len(x) * (value(x + s) - value(x)) * s / tau**2)


@convention(
    sphere_estimator,
    "Your estimate takes its two points on both sides of x. It has the same mean and is smaller in variance; "
    "here the second point is x itself.",
)
def sphere_symmetric(value: Value, x: Vector, tau: float, direction: Vector) -> Vector:
    """d/(2 tau) (f(x + tau u) - f(x - tau u)) u. The same where f is affine."""
    return np.asarray(len(x) / (2 * tau) * (value(x + tau * direction) - value(x - tau * direction)) * direction)


@equivalent(sphere_estimator_batch)
def sphere_batch_as_product(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """d/(N tau) U^T F with F_i = f(x + tau u_i) - f(x)."""
    x = np.array(x, dtype=np.float64)
    differences = np.array([value(row) for row in x + tau * directions]) - value(x)
    return np.asarray(len(x) / (len(directions) * tau) * directions.T @ differences)


@equivalent(sphere_estimator_batch)
def sphere_batch_running_mean(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """The mean of the first i estimates, updated with each direction."""
    x = np.array(x, dtype=np.float64)
    base = value(x)
    g = np.zeros(len(x))
    for i, u in enumerate(directions, start=1):
        g = g + (len(x) / tau * (value(x + tau * u) - base) * u - g) / i
    return g


# What goes wrong with one direction.


@mistake(
    sphere_estimator,
    "The mean of your estimates points along the gradient and is too short, the more so the more dimensions there are. "
    "What is E u u^T for a unit vector?",
)
def sphere_without_dimension(value: Value, x: Vector, tau: float, direction: Vector) -> Vector:
    """(f(x + tau u) - f(x)) / tau u. Invisible for d = 1."""
    return sphere_estimator(value, x, tau, direction) / len(x)


@mistake(
    sphere_estimator,
    "Your factor is the one that belongs to a length, and the direction enters twice. What is E u u^T?",
)
def sphere_root_of_dimension(value: Value, x: Vector, tau: float, direction: Vector) -> Vector:
    """sqrt(d)/tau (f(x + tau u) - f(x)) u. Invisible for d = 1."""
    return np.asarray(sphere_estimator(value, x, tau, direction) / np.sqrt(len(x)))


@mistake(
    sphere_estimator,
    "Your estimate has the dimension as a factor twice.",
)
def sphere_dimension_twice(value: Value, x: Vector, tau: float, direction: Vector) -> Vector:
    """d^2/tau (f(x + tau u) - f(x)) u. Invisible for d = 1."""
    return len(x) * sphere_estimator(value, x, tau, direction)


@mistake(
    sphere_estimator,
    "The direction that you go back along is not the one along which f was queried: your estimate has mean zero.",
)
def sphere_other_direction(value: Value, x: Vector, tau: float, direction: Vector) -> Vector:
    """The difference along u, times another draw."""
    other = np.random.default_rng(0).standard_normal(len(direction))
    other /= np.linalg.norm(other)
    x = np.array(x, dtype=np.float64)
    return np.asarray(len(x) / tau * (value(x + tau * direction) - value(x)) * other)


@mistake(
    sphere_estimator,
    "Your estimate changes when a constant is added to f, and it explodes as tau shrinks. "
    "Its mean is right; which second value keeps it small?",
)
def sphere_single_point(value: Value, x: Vector, tau: float, direction: Vector) -> Vector:
    """d/tau f(x + tau u) u, the estimate of Flaxman, Kalai and McMahan. Invisible where f(x) = 0."""
    return np.asarray(len(x) / tau * value(x + tau * direction) * direction)


@mistake(
    sphere_estimator,
    "Your estimate has half the length that it should have. How far apart are the two points?",
)
def sphere_halved(value: Value, x: Vector, tau: float, direction: Vector) -> Vector:
    """d/(2 tau) (f(x + tau u) - f(x)) u."""
    return sphere_estimator(value, x, tau, direction) / 2


@mistake(
    sphere_estimator,
    "Your estimate shrinks with tau: it holds a difference of values, and a slope is a ratio.",
)
def sphere_undivided(value: Value, x: Vector, tau: float, direction: Vector) -> Vector:
    """d (f(x + tau u) - f(x)) u. Invisible for tau = 1."""
    return tau * sphere_estimator(value, x, tau, direction)


@mistake(
    sphere_estimator,
    "Your estimate is made of absolute values: it points along u even where f falls along u.",
)
def sphere_absolute(value: Value, x: Vector, tau: float, direction: Vector) -> Vector:
    """d/tau |f(x + tau u) - f(x)| u. Invisible where f rises along u."""
    x = np.array(x, dtype=np.float64)
    return np.asarray(len(x) / tau * abs(value(x + tau * direction) - value(x)) * direction)


# What goes wrong with a batch of them.


@mistake(
    sphere_estimator_batch,
    "Your estimate grows with the number of directions: more of them should make it more certain, not longer.",
)
def sphere_batch_sum(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """The sum in place of the mean. Invisible for N = 1."""
    return len(directions) * sphere_estimator_batch(value, x, tau, directions)


@mistake(sphere_estimator_batch, "Your estimate has the dimension as a factor twice.")
def sphere_batch_dimension_twice(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """d in each estimate and once more in front of the sum. Invisible for d = 1."""
    return len(x) * sphere_estimator_batch(value, x, tau, directions)


@mistake(
    sphere_estimator_batch,
    "The mean of your estimates is too short, the more so the more dimensions there are. "
    "What is E u u^T for a unit vector?",
)
def sphere_batch_without_dimension(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """1/N sum_i (f(x + tau u_i) - f(x)) / tau u_i. Invisible for d = 1."""
    return sphere_estimator_batch(value, x, tau, directions) / len(x)


@mistake(
    sphere_estimator_batch,
    "Your estimate does not become better with more directions. How many different ones enter it?",
)
def sphere_batch_one_direction(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """The first direction, N times. Invisible for N = 1."""
    return sphere_estimator(value, x, tau, directions[0])


@mistake(
    sphere_estimator_batch,
    "Your estimate is right, and f(x) is computed anew for each direction. Queries are what such a method pays for.",
)
def sphere_batch_base_repeated(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """The mean of N two-point estimates: 2N queries in place of N+1."""
    return np.asarray(np.mean([sphere_estimator(value, x, tau, u) for u in directions], axis=0))


# What goes wrong in the number of samples.


@mistake(
    sphere_sample_bound,
    "Your number is right up to a factor of about 2.3. Which logarithm is meant?",
)
def sphere_samples_decimal_logarithm(
    dimension: int, smoothness: float, tau: float, gradient_norm: float, failure_probability: float, radius: float
) -> int:
    """The decimal logarithm."""
    d, delta, r = dimension, failure_probability, radius
    spread, largest = _spread(d, smoothness, tau, gradient_norm), _largest(d, smoothness, tau, gradient_norm)
    return math.ceil((6 * spread / r**2 + 2 * largest / (3 * r)) * math.log10((d + 1) / delta))


@mistake(
    sphere_sample_bound,
    "Your number grows with the dimension by one factor too many. What stands inside the logarithm?",
)
def sphere_samples_dimension_outside_logarithm(
    dimension: int, smoothness: float, tau: float, gradient_norm: float, failure_probability: float, radius: float
) -> int:
    """(d+1) log(1/delta) in place of log((d+1)/delta)."""
    d, delta, r = dimension, failure_probability, radius
    spread, largest = _spread(d, smoothness, tau, gradient_norm), _largest(d, smoothness, tau, gradient_norm)
    return math.ceil((6 * spread / r**2 + 2 * largest / (3 * r)) * (d + 1) * math.log(1 / delta))


@mistake(
    sphere_sample_bound,
    "Your number weighs the gradient too much: in a random direction, the slope is shorter than the gradient.",
)
def sphere_samples_gradient_not_divided(
    dimension: int, smoothness: float, tau: float, gradient_norm: float, failure_probability: float, radius: float
) -> int:
    """||grad f(x)||^2 in place of ||grad f(x)||^2 / d. Invisible for d = 1."""
    d, delta, r = dimension, failure_probability, radius
    spread = d**2 * (gradient_norm**2 + (smoothness * tau) ** 2 / 4)
    largest = _largest(d, smoothness, tau, gradient_norm)
    return math.ceil((6 * spread / r**2 + 2 * largest / (3 * r)) * math.log((d + 1) / delta))


@mistake(
    sphere_sample_bound,
    "Your number has the part that comes from the variance, and not the one that comes from the largest estimate.",
)
def sphere_samples_variance_only(
    dimension: int, smoothness: float, tau: float, gradient_norm: float, failure_probability: float, radius: float
) -> int:
    """Without the term in 1/r."""
    d, delta, r = dimension, failure_probability, radius
    return math.ceil(6 * _spread(d, smoothness, tau, gradient_norm) / r**2 * math.log((d + 1) / delta))


@mistake(
    sphere_sample_bound,
    "Your number grows in proportion to 1/delta. Which inequality is behind this theorem?",
)
def sphere_samples_of_chebyshev(
    dimension: int, smoothness: float, tau: float, gradient_norm: float, failure_probability: float, radius: float
) -> int:
    """(d+1)/delta in place of its logarithm."""
    d, delta, r = dimension, failure_probability, radius
    spread, largest = _spread(d, smoothness, tau, gradient_norm), _largest(d, smoothness, tau, gradient_norm)
    return math.ceil((6 * spread / r**2 + 2 * largest / (3 * r)) * (d + 1) / delta)
