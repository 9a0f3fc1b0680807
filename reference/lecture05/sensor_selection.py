"""Which sensors to read: the log-determinant of the information that the selected ones carry.

Problem     min f(x) = (1/T) sum_{t=1}^T -log det( sum_{i=1}^d x_i a_{i,t} a_{i,t}^T )
            subject to x_1 + ... + x_d = m_0 and 0 <= x_i <= 1; a_{i,t} (p,) is the observation vector of sensor i at
            time t, x_i how much of sensor i is used, and m_0 how many sensors are selected.
Algorithm   with M_t(x) = sum_i x_i a_{i,t} a_{i,t}^T
                f(x)              = -(1/T) sum_t log det M_t(x)
                d f(x) / d x_i    = -(1/T) sum_t a_{i,t}^T M_t(x)^{-1} a_{i,t}
Guarantee   f is convex where every M_t(x) is positive definite, and infinite elsewhere. It is not L-smooth: its
            gradient has no bound near the points where some M_t(x) is singular.
Cost        value: O(T (d p^2 + p^3)).
References  Notes ch. 5, sec. 1-2; Lecture 5, slides 3-7; Liu et al., A primer on zeroth-order optimization. The
            gradient is derived here; the course gives none, as the problem stands for one without.
Catalogue   zo_problem_sensor
Witness     numpy.linalg.det, torch.autograd, a diagonal case worked by hand

In the code a_{i,t} is `observations[t, i]`, (T, d, p).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reference.problem import Vector
from reference.variants import equivalent, mistake

Observations = NDArray[np.float64]


def sensor_objective(x: Vector, observations: Observations) -> float:
    """f(x) = -(1/T) sum_t log det M_t(x); inf where some M_t(x) is not positive definite.

    The logarithm of the determinant is taken without the determinant, which may be too large or too small for a float.

    Args:
        x: weights of the sensors, (d,).
        observations: (T, d, p).
    """
    signs, logarithms = np.linalg.slogdet(_information(x, observations))
    return float(-np.mean(logarithms)) if (signs > 0).all() else np.inf


def sensor_gradient(x: Vector, observations: Observations) -> Vector:
    """grad f(x), (d,): minus the mean over t of a_{i,t}^T M_t(x)^{-1} a_{i,t}.

    Args:
        x: weights of the sensors, (d,), with every M_t(x) positive definite.
        observations: (T, d, p).

    Raises:
        numpy.linalg.LinAlgError: where some M_t(x) is singular.
    """
    inverses = np.linalg.inv(_information(x, observations))
    return np.asarray(-np.einsum("tip,tpq,tiq->i", observations, inverses, observations) / len(observations))


def _information(x: Vector, observations: Observations) -> Observations:
    """M_1(x), ..., M_T(x), (T, p, p)."""
    return np.asarray(np.einsum("i,tip,tiq->tpq", x, observations, observations))


# Other forms of the value.


@equivalent(sensor_objective)
def loop_over_times(x: Vector, observations: Observations) -> float:
    """One time after the other, M_t = A_t^T diag(x) A_t."""
    total = 0.0
    for A_t in observations:
        sign, logarithm = np.linalg.slogdet(A_t.T @ np.diag(x) @ A_t)
        total += logarithm if sign > 0 else -np.inf
    return float(-total / len(observations))


@equivalent(sensor_objective)
def sum_of_log_eigenvalues(x: Vector, observations: Observations) -> float:
    """log det M = the sum of the logarithms of the eigenvalues."""
    eigenvalues = np.linalg.eigvalsh(_information(x, observations))
    if (eigenvalues <= 0).any():
        return np.inf
    return float(-np.mean(np.sum(np.log(eigenvalues), axis=1)))


@mistake(
    sensor_objective,
    "Your value is right for few small observations and infinite for many or large ones: "
    "a number on the way does not fit into a float, although the result would.",
)
def determinant_first(x: Vector, observations: Observations) -> float:
    """-(1/T) sum_t log(det M_t): det overflows, or underflows to 0. Invisible where it does neither."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        return float(-np.mean(np.log(np.linalg.det(_information(x, observations)))))


@mistake(
    sensor_objective,
    "Your value grows with the information that the sensors carry, and the problem is to be minimised.",
)
def sign_dropped(x: Vector, observations: Observations) -> float:
    """(1/T) sum_t log det M_t."""
    return -sensor_objective(x, observations)


@mistake(
    sensor_objective,
    "Your value is the right one times a number that depends on the numbers of sensors and of times. "
    "Over which index does f take the mean?",
)
def averaged_over_sensors(x: Vector, observations: Observations) -> float:
    """The sum over t divided by d. Invisible for T = d."""
    return sensor_objective(x, observations) * len(observations) / len(x)


@mistake(
    sensor_objective,
    "Your value does not depend on which sensors are selected. Where do the weights enter?",
)
def weights_ignored(x: Vector, observations: Observations) -> float:
    """All sensors with weight 1. Invisible at x = (1, ..., 1)."""
    return sensor_objective(np.ones(len(x)), observations)


@mistake(
    sensor_objective,
    "Your value agrees with the right one where all weights are 0 or 1 and not between: each weight counts twice.",
)
def weights_squared(x: Vector, observations: Observations) -> float:
    """sum_i (x_i a_i)(x_i a_i)^T: the observations are weighted before the product. Invisible for weights 0 and 1."""
    return sensor_objective(x**2, observations)


# Mistakes in the gradient.


@mistake(
    sensor_gradient,
    "Your gradient points towards larger values of f: more of any sensor would make f larger. Can that be?",
)
def gradient_sign_dropped(x: Vector, observations: Observations) -> Vector:
    """+(1/T) sum_t a_{i,t}^T M_t^{-1} a_{i,t}."""
    return -sensor_gradient(x, observations)


@mistake(
    sensor_gradient,
    "Your gradient is too long by the number of times: it is a sum where f has a mean.",
)
def gradient_summed_over_times(x: Vector, observations: Observations) -> Vector:
    """-sum_t a_{i,t}^T M_t^{-1} a_{i,t}. Invisible for T = 1."""
    return sensor_gradient(x, observations) * len(observations)
