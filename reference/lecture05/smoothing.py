"""Smoothed functions: the average of f over a Gaussian, or over a ball, around x.

Problem     f: R^d -> R of which only values are known; a smooth function near f whose gradient values can estimate.
Algorithm   Gaussian    fhat(x) = E f(x + tau v),  v ~ N(0, I)
            ball        fhat(x) = E f(x + tau v),  v uniform in the unit ball B^d
            The averages are taken by quadrature: exact for polynomials of degree up to 2 n - 1, n points a dimension.
            Gaussian: products of Gauss-Hermite points. Ball and sphere: one coordinate s after the other, by Gauss
            points for its density, (1 - s^2)^((d-1)/2) in the ball and (1 - s^2)^((d-3)/2) on the sphere; the other
            coordinates fill a ball, or a sphere, of radius sqrt(1 - s^2) in one dimension less.
Guarantee   Gaussian    ||grad fhat(x) - grad f(x)|| <= sqrt(d) L tau                for L-smooth f
            ball        ||grad fhat(x) - grad f(x)|| <= L tau                        for L-smooth f, in every dimension
            ball        f(x) <= fhat(x) <= f(x) + L tau^2 / 2                        for convex, L-smooth f
            Gaussian    |fhat(x) - f(x)| <= L tau^2 d / 2                            for L-smooth f
            ball        |fhat(x) - f(x)| <= L tau^2 d / (2 (d+2))                    for L-smooth f
            The first three are theorems of the course; the last two are derived. fhat is as smooth and convex as f.
Cost        n^d queries: for demonstration and for tests, in few dimensions.
References  Notes ch. 5, (24)-(28), Lemmas 5.2, 6.3 and 6.4; Lecture 5, slides 18-20. The statement and the proof of
            Lemma 6.4 print v ~ N(0, I); they are right for v uniform in the ball. Quadrature: standard literature.
Catalogue   gaussian_smooth, ball_smooth
Witness     scipy.special (moments, Bessel functions), scipy.integrate.quad; closed forms on quadratics and cosines

In the code n is `order`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.conditions import require, require_convex, smoothness
from reference.lecture05.quantities import gradient_error, smoothing_error
from reference.problem import Matrix, Problem, Vector
from reference.variants import guarantee, mistake

Value = Callable[[Vector], float]
Gradient = Callable[[Vector], Vector]


def gaussian_smooth(value: Value, x: Vector, tau: float, order: int) -> float:
    """fhat(x) = E f(x + tau v), v ~ N(0, I).

    Args:
        value: f, (d,) -> float; called n^d times.
        x: (d,).
        tau: radius of the smoothing, > 0.
        order: n >= 1, points a dimension.
    """
    return _average(value, x, tau, *gaussian_rule(len(x), order))


def ball_smooth(value: Value, x: Vector, tau: float, order: int) -> float:
    """fhat(x) = E f(x + tau v), v uniform in the unit ball.

    Args:
        value: f, (d,) -> float; called n^d times.
        x: (d,).
        tau: radius of the smoothing, > 0.
        order: n >= 1, points a dimension.
    """
    return _average(value, x, tau, *ball_rule(len(x), order))


def gaussian_smooth_gradient(gradient: Gradient, x: Vector, tau: float, order: int) -> Vector:
    """grad fhat(x) = E grad f(x + tau v), v ~ N(0, I), (d,).

    Args:
        gradient: grad f, (d,) -> (d,); called n^d times.
        x: (d,).
        tau: radius of the smoothing, > 0.
        order: n >= 1, points a dimension.
    """
    points, weights = gaussian_rule(len(x), order)
    return np.asarray(weights @ np.array([gradient(x + tau * v) for v in points]))


def ball_smooth_gradient(gradient: Gradient, x: Vector, tau: float, order: int) -> Vector:
    """grad fhat(x) = E grad f(x + tau v), v uniform in the unit ball, (d,).

    Args:
        gradient: grad f, (d,) -> (d,); called n^d times.
        x: (d,).
        tau: radius of the smoothing, > 0.
        order: n >= 1, points a dimension.
    """
    points, weights = ball_rule(len(x), order)
    return np.asarray(weights @ np.array([gradient(x + tau * v) for v in points]))


def _average(value: Value, x: Vector, tau: float, points: Matrix, weights: Vector) -> float:
    return float(weights @ np.array([value(x + tau * v) for v in points]))


# The points at which f is averaged, and their weights; the weights are positive and sum to 1.


def gaussian_rule(dimension: int, order: int) -> tuple[Matrix, Vector]:
    """Points (n^d, d) and weights (n^d,) for the average over N(0, I)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(order)
    points, total = np.zeros((1, 0)), np.ones(1)
    for _ in range(dimension):
        points = np.column_stack([np.repeat(nodes, len(points)), np.tile(points, (order, 1))])
        total = np.outer(weights / np.sqrt(2 * np.pi), total).ravel()
    return points, total


def ball_rule(dimension: int, order: int) -> tuple[Matrix, Vector]:
    """Points (n^d, d) and weights (n^d,) for the average over the unit ball."""
    if dimension == 0:
        return np.zeros((1, 0)), np.ones(1)
    return _one_coordinate_more(*_symmetric_gauss(order, (dimension - 1) / 2), *ball_rule(dimension - 1, order))


def sphere_rule(dimension: int, order: int) -> tuple[Matrix, Vector]:
    """Points (2 n^(d-1), d) and weights (2 n^(d-1),) for the average over the unit sphere; for d = 1 it is {-1, 1}."""
    if dimension == 1:
        return np.array([[-1.0], [1.0]]), np.array([0.5, 0.5])
    return _one_coordinate_more(*_symmetric_gauss(order, (dimension - 3) / 2), *sphere_rule(dimension - 1, order))


def _one_coordinate_more(nodes: Vector, weights: Vector, points: Matrix, total: Vector) -> tuple[Matrix, Vector]:
    """(s, sqrt(1 - s^2) p) for all nodes s and points p."""
    first = np.repeat(nodes, len(points))
    others = np.tile(points, (len(nodes), 1)) * np.sqrt(1 - first**2)[:, np.newaxis]
    return np.column_stack([first, others]), np.outer(weights, total).ravel()


def _symmetric_gauss(order: int, alpha: float) -> tuple[Vector, Vector]:
    """Gauss points and weights, (n,) each, for the probability density on [-1, 1] in proportion to (1 - s^2)^alpha.

    The points are the eigenvalues of the matrix of the three-term recurrence of the orthogonal polynomials, and the
    weights are the squared first entries of its eigenvectors (Golub and Welsch 1969). alpha > -1.
    """
    n = np.arange(2.0, order)
    squares = n * (n + 2 * alpha) / ((2 * n + 2 * alpha - 1) * (2 * n + 2 * alpha + 1))
    coefficients = np.sqrt(np.concatenate([[1 / (2 * alpha + 3)], squares]))[: order - 1]
    nodes, vectors = np.linalg.eigh(np.diag(coefficients, 1) + np.diag(coefficients, -1))
    return nodes, vectors[0] ** 2


# What the theorems say, at the point x0 of the problem.


@guarantee(
    gaussian_smooth,
    smoothing_error,
    "Derived, not a theorem of the course: for L-smooth f and Gaussian smoothing, |fhat(x) - f(x)| <= L tau^2 d / 2.",
)
def bound_gaussian_value(problem: Problem, tau: float) -> float:
    """L tau^2 d / 2. Attained by L/2 ||x||^2.

    Raises:
        ValueError: unless f is L-smooth and tau > 0.
    """
    require(tau > 0, "tau > 0", problem)
    return float(smoothness(problem) * tau**2 * len(problem.x0) / 2)


@guarantee(
    ball_smooth,
    smoothing_error,
    "Derived, not a theorem of the course: for L-smooth f and smoothing over the ball, "
    "|fhat(x) - f(x)| <= L tau^2 d / (2 (d+2)).",
)
def bound_ball_value(problem: Problem, tau: float) -> float:
    """L tau^2 d / (2 (d+2)). Attained by L/2 ||x||^2.

    Raises:
        ValueError: unless f is L-smooth and tau > 0.
    """
    require(tau > 0, "tau > 0", problem)
    dimension = len(problem.x0)
    return float(smoothness(problem) * tau**2 * dimension / (2 * (dimension + 2)))


@guarantee(
    ball_smooth,
    smoothing_error,
    "Notes ch. 5, Lemma 6.4: for convex, L-smooth f and smoothing over the ball, "
    "f(x) <= fhat(x) <= f(x) + L tau^2 / 2.",
)
def bound_ball_value_convex(problem: Problem, tau: float) -> float:
    """L tau^2 / 2.

    Raises:
        ValueError: unless f is convex and L-smooth and tau > 0.
    """
    require_convex(problem)
    require(tau > 0, "tau > 0", problem)
    return smoothness(problem) * tau**2 / 2


@guarantee(
    gaussian_smooth_gradient,
    gradient_error,
    "Notes ch. 5, Lemma 5.2: for L-smooth f and Gaussian smoothing, ||grad fhat(x) - grad f(x)|| <= sqrt(d) L tau.",
)
def bound_gaussian_bias(problem: Problem, tau: float) -> float:
    """sqrt(d) L tau. Half ramps at 0 reach sqrt(d) L tau / sqrt(2 pi): the factor sqrt(d) is real.

    Raises:
        ValueError: unless f is L-smooth and tau > 0.
    """
    require(tau > 0, "tau > 0", problem)
    return float(np.sqrt(len(problem.x0)) * smoothness(problem) * tau)


@guarantee(
    ball_smooth_gradient,
    gradient_error,
    "Lecture 5, Lemmas 3-5; notes ch. 5-1, Lemmas 2.1 and 2.2: for L-smooth f and smoothing over the ball, "
    "||grad fhat(x) - grad f(x)|| <= L tau.",
)
def bound_ball_bias(problem: Problem, tau: float) -> float:
    """L tau, in every dimension.

    Raises:
        ValueError: unless f is L-smooth and tau > 0.
    """
    require(tau > 0, "tau > 0", problem)
    return smoothness(problem) * tau


# What goes wrong.


@mistake(
    gaussian_smooth,
    "Your function is smoothed with another width than tau, unless tau is 1. "
    "If v has variance 1, which standard deviation has tau v?",
)
def smoothed_with_variance_tau(value: Value, x: Vector, tau: float, order: int) -> float:
    """E f(x + sqrt(tau) v). Invisible for tau = 1, and where f is affine."""
    return gaussian_smooth(value, x, float(np.sqrt(tau)), order)


@mistake(
    gaussian_smooth,
    "Your average is over a ball, whose points are never further than tau away. Where do Gaussian points lie?",
)
def smoothed_over_ball_instead(value: Value, x: Vector, tau: float, order: int) -> float:
    """E f(x + tau v), v uniform in the unit ball. Invisible where f is affine."""
    return ball_smooth(value, x, tau, order)


@mistake(
    ball_smooth,
    "Your average is over the surface of the ball. The direction lies on the sphere; over what is f smoothed?",
)
def smoothed_over_sphere(value: Value, x: Vector, tau: float, order: int) -> float:
    """E f(x + tau u), u uniform on the unit sphere. Invisible where f is affine."""
    return _average(value, x, tau, *sphere_rule(len(x), order))


@mistake(
    ball_smooth,
    "Your average reaches far outside the ball of radius tau, the further the more dimensions there are.",
)
def smoothed_over_gaussian_instead(value: Value, x: Vector, tau: float, order: int) -> float:
    """E f(x + tau v), v ~ N(0, I). Invisible where f is affine."""
    return gaussian_smooth(value, x, tau, order)


@mistake(
    ball_smooth,
    "Your average gives too much weight to the points near the centre. "
    "Which part of the volume of the ball lies within half its radius?",
)
def smoothed_with_uniform_radius(value: Value, x: Vector, tau: float, order: int) -> float:
    """The radius of v is uniform in [0, 1]. Invisible for d = 1, and where f is affine."""
    nodes, weights = np.polynomial.legendre.leggauss(order)
    directions, total = sphere_rule(len(x), order)
    radii = (nodes + 1) / 2
    points = np.concatenate([r * directions for r in radii])
    return _average(value, x, tau, points, np.outer(weights / 2, total).ravel())
