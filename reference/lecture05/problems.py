"""The problems of zeroth-order optimisation, with their constants; the theorems need gradients, the methods do not.

Catalogue   zo_problem_adversarial
Witness     finite differences of the value, scipy.optimize.minimize

A constant that only this lecture needs is in `data`: "hessian_lipschitz" is M with
||Hess f(x) - Hess f(y)|| <= M ||x - y||.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from reference.lecture05.sensor_selection import Observations, sensor_gradient, sensor_objective
from reference.problem import Matrix, Problem, Vector
from reference.problems import quadratic


def adversarial_attack(
    weights: Vector, sample: Vector, label: float, radius: float, regularization: float, norm: str = "euclidean"
) -> Problem:
    """The smallest change of a sample that makes a linear classifier err, as a black box (notes ch. 5, sec. 1).

    In the notes: min_x f(z + x; theta) + lambda g(x) subject to ||x|| <= eps, for a clean sample z, a perturbation x,
    an attack loss f and a regulariser g; Lecture 5 maximises the loss of the classifier instead. Neither says
    which norm. Here the classifier is the sign of <theta, z>, the attack loss is small where it errs,
    f(w) = ln(1 + exp(y <theta, w>)), and g(x) = ||x||^2. x0 = 0, L = ||theta||^2 / 4 + 2 lambda, mu = 2 lambda.

    Zeroth-order descent alone leaves the ball; `project` brings it back after each step.

    Args:
        weights: theta, (d,), not 0.
        sample: z, (d,).
        label: y, +1 or -1.
        radius: eps > 0.
        regularization: lambda >= 0.
        norm: "euclidean" or "maximum", of the ball. x* and f* are known for the first, and for lambda = 0.

    Raises:
        ValueError: for another norm.
    """
    if norm not in ("euclidean", "maximum"):
        raise ValueError(f'The norm of the ball is "euclidean" or "maximum", not "{norm}".')

    def value(x: Vector) -> float:
        return float(np.logaddexp(0.0, label * weights @ (sample + x)) + regularization * x @ x)

    def gradient(x: Vector) -> Vector:
        # 1 / (1 + exp(-m)) without overflow
        probability = np.exp(-np.logaddexp(0.0, -label * weights @ (sample + x)))
        return np.asarray(label * probability * weights + 2 * regularization * x)

    def project(x: Vector) -> Vector:
        if norm == "maximum":
            return np.clip(x, -radius, radius)
        return x / max(1.0, float(np.linalg.norm(x)) / radius)

    minimizer = None
    length = float(np.linalg.norm(weights))
    if norm == "maximum" and regularization == 0:
        minimizer = -radius * label * np.sign(weights)
    if norm == "euclidean":
        # x* = -s y theta / ||theta|| with the s in [0, eps] where the derivative along this ray vanishes, or s = eps
        ray = -label * weights / length

        def slope(s: float) -> float:
            return float(gradient(s * ray) @ ray)

        minimizer = _increasing_root(slope, 0.0, radius) * ray
    return Problem(
        name="adversarial attack",
        value=value,
        gradient=gradient,
        x0=np.zeros(len(weights)),
        smoothness=length**2 / 4 + 2 * regularization,
        strong_convexity=2 * regularization,
        minimizer=minimizer,
        minimum=None if minimizer is None else value(minimizer),
        data={"weights": weights, "sample": sample, "label": label, "radius": radius},
        project=project,
    )


def small_attack() -> Problem:
    """A sample that is classified rightly, with a margin of 1, and a ball that reaches over the boundary."""
    return adversarial_attack(np.array([1.0, -2.0, 0.5]), np.array([0.5, 0.0, 1.0]), 1.0, 0.8, 0.01)


def sensor_selection(observations: Observations, num_selected: float, minimum: float | None = None) -> Problem:
    """The sensors of `sensor_selection.py`; x0 = (m_0/d, ..., m_0/d), which is feasible.

    Convex where it is finite; not L-smooth.

    Args:
        observations: a_{i,t} at [t, i], (T, d, p).
        num_selected: m_0, 0 < m_0 <= d.
        minimum: f*, where it is known.
    """
    dimension = observations.shape[1]

    def project(x: Vector) -> Vector:
        # sum_i clip(x_i - s, 0, 1) is piecewise linear and falling in s, with kinks where an entry meets 0 or 1.
        kinks = np.sort(np.concatenate([x, x - 1]))
        sums = [float(np.clip(x - s, 0, 1).sum()) for s in kinks]
        return np.asarray(np.clip(x - np.interp(-num_selected, -np.array(sums), kinks), 0, 1))

    return Problem(
        name="sensor selection",
        value=partial(sensor_objective, observations=observations),
        gradient=partial(sensor_gradient, observations=observations),
        x0=np.full(dimension, num_selected / dimension),
        strong_convexity=0.0,
        minimum=minimum,
        data={"observations": observations},
        project=project,
    )


def random_sensors(times: int, sensors: int, dimension: int, num_selected: float, seed: int) -> Problem:
    """Standard normal observations, (times, sensors, dimension)."""
    rng = np.random.default_rng(seed)
    return sensor_selection(rng.standard_normal((times, sensors, dimension)), num_selected)


def paired_sensors() -> Problem:
    """Four sensors, two along each axis of the plane, two to be selected: f = -ln(x_1+x_2) - ln(x_3+x_4), f* = 0."""
    return sensor_selection(np.array([[[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]]), 2.0, minimum=0.0)


def stretched_bowl() -> Problem:
    """f(x) = 1/2 (x_1^2 + 10 x_2^2) from (1, 1): L = 10, mu = 1."""
    return _diagonal([1.0, 10.0], "stretched bowl")


def round_bowl(dimension: int, smoothness: float) -> Problem:
    """f(x) = L/2 ||x||^2 from (1, ..., 1): forward differences err by exactly L tau/2 in every coordinate."""
    return _diagonal([smoothness] * dimension, "round bowl")


def ladder(dimension: int = 8) -> Problem:
    """f(x) = 1/2 sum_j j x_j^2 from (1, ..., 1): L = d, mu = 1."""
    return _diagonal(list(range(1, dimension + 1)), "ladder")


def affine(slope: Vector, offset: float = 0.0) -> Problem:
    """f(x) = <c, x> + offset from 0: L = 0, not bounded below."""
    return Problem(
        name="affine",
        value=lambda x: float(slope @ x + offset),
        gradient=lambda x: np.array(slope, dtype=np.float64),
        x0=np.zeros(len(slope)),
        smoothness=0.0,
        strong_convexity=0.0,
        data={"hessian_lipschitz": 0.0},
    )


def half_ramps(dimension: int) -> Problem:
    """f(x) = 1/2 sum_i max(x_i, 0)^2 at 0: convex, L = 1, and no Hessian where a coordinate is 0."""
    return Problem(
        name="half ramps",
        value=lambda x: float(0.5 * np.sum(np.maximum(x, 0) ** 2)),
        gradient=lambda x: np.maximum(x, 0),
        x0=np.zeros(dimension),
        smoothness=1.0,
        strong_convexity=0.0,
        minimizer=np.zeros(dimension),
        minimum=0.0,
    )


def sines(x0: Vector) -> Problem:
    """f(x) = sum_i sin x_i: L = 1, M = 1, non-convex, f* = -d."""
    return Problem(
        name="sines",
        value=lambda x: float(np.sum(np.sin(x))),
        gradient=np.cos,
        x0=np.array(x0, dtype=np.float64),
        smoothness=1.0,
        minimum=-float(len(x0)),
        data={"hessian_lipschitz": 1.0},
    )


def cosines(x0: Vector) -> Problem:
    """f(x) = sum_i cos x_i: L = 1, M = 1, non-convex, f* = -d. Smoothing multiplies it by a number."""
    return Problem(
        name="cosines",
        value=lambda x: float(np.sum(np.cos(x))),
        gradient=lambda x: -np.sin(x),
        x0=np.array(x0, dtype=np.float64),
        smoothness=1.0,
        minimum=-float(len(x0)),
        data={"hessian_lipschitz": 1.0},
    )


def saturating_wells() -> Problem:
    """f(x) = sum_i x_i^2 / (1 + x_i^2) from (2, -1, 1/2): non-convex, L = 2, x* = 0, f* = 0."""
    return Problem(
        name="saturating wells",
        value=lambda x: float(np.sum(x**2 / (1 + x**2))),
        gradient=lambda x: 2 * x / (1 + x**2) ** 2,
        x0=np.array([2.0, -1.0, 0.5]),
        smoothness=2.0,
        minimizer=np.zeros(3),
        minimum=0.0,
    )


def few_coordinates(dimension: int = 100, relevant: int = 3) -> Problem:
    """f(x) = 1/2 sum_{i <= s} (x_i - 1)^2 from 0: the gradient has at most s entries that are not 0. L = 1, mu = 0."""

    def gradient(x: Vector) -> Vector:
        return np.where(np.arange(dimension) < relevant, x - 1, 0.0)

    return Problem(
        name="few coordinates",
        value=lambda x: float(0.5 * np.sum((x[:relevant] - 1) ** 2)),
        gradient=gradient,
        x0=np.zeros(dimension),
        smoothness=1.0,
        strong_convexity=0.0,
        minimizer=np.where(np.arange(dimension) < relevant, 1.0, 0.0),
        minimum=0.0,
        data={"hessian_lipschitz": 0.0},
    )


def rademacher_directions(shape: tuple[int, ...], seed: int) -> Matrix:
    """Entries +1 and -1 with equal probability, divided by the root of the number of rows: the last two axes (m, d)."""
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=shape)
    return np.asarray(signs / np.sqrt(shape[-2]))


def _diagonal(eigenvalues: list[float] | list[int], name: str) -> Problem:
    dimension = len(eigenvalues)
    return quadratic(np.diag(np.array(eigenvalues, dtype=float)), np.zeros(dimension), np.ones(dimension), name)


def _increasing_root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where an increasing function changes its sign, by bisection; the end of the interval where it does not."""
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (low, middle) if function(middle) >= 0 else (middle, high)
    return (low + high) / 2
