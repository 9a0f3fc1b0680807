"""Linear interpolation: the gradient of the affine function that agrees with f at d+1 points.

Problem     grad f(x) for f: R^d -> R of which only values are known, along d linearly independent directions
            u_1, ..., u_d; they are the rows of Q (d, d). f is L-smooth for the guarantees.
Algorithm   m(x + s) = f(x) + <g, s> with m(x + tau u_i) = f(x + tau u_i) for i = 1, ..., d, that is
                Q g = b,  b_i = (f(x + tau u_i) - f(x)) / tau,   and so   g = Q^{-1} b = sum_i b_i v_i
            with the dual basis v_1, ..., v_d, the columns of Q^{-1}: <u_i, v_j> = 1 for i = j and 0 else.
            central     b_i = (f(x + tau u_i) - f(x - tau u_i)) / (2 tau)
Guarantee   forward     ||g - grad f(x)|| <= ||Q^{-1}||_2 sqrt(d) L tau / 2              where all ||u_i|| <= 1
            forward     ||g - grad f(x)|| <= ||Q^{-1}||_2 L tau / 2 sqrt(sum_i ||u_i||^4)
            central     ||g - grad f(x)|| <= ||Q^{-1}||_2 sqrt(d) M tau^2 / 6            where all ||u_i|| <= 1
            Only the first is a theorem of the course; the others are derived. M: Lipschitz constant of the Hessian.
Cost        d+1 queries (central 2d) and one linear system, O(d^3).
References  Lecture 5, slides 13-15, Lemma 2; notes ch. 5, sec. 4, (17)-(23) and Theorem 4.1; Berahas, Cao, Choromanski
            and Scheinberg 2022. Slide 15 leaves out ||u_i|| <= 1.
Catalogue   linear_interp_gradient, linear_interp_central
Witness     finite differences for Q = I; closed form Q^{-1} [u_i^T A u_i] tau/2 of the error on quadratics

In the code Q is `directions`, one direction a row.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.conditions import at_most, require, smoothness
from reference.lecture05.quantities import gradient_error, hessian_lipschitz
from reference.problem import Matrix, Problem, Vector
from reference.variants import equivalent, guarantee, mistake

Value = Callable[[Vector], float]


def linear_interpolation(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """g with Q g = b, b_i = (f(x + tau u_i) - f(x)) / tau, (d,) float64.

    Args:
        value: f, (d,) -> float; called d+1 times.
        x: where the gradient is wanted, (d,); left as it is.
        tau: step along the directions, > 0.
        directions: Q, (d, d): row i is u_i.

    Raises:
        numpy.linalg.LinAlgError: where the directions are linearly dependent.
    """
    return np.asarray(np.linalg.solve(directions, _forward_slopes(value, x, tau, directions)))


def linear_interpolation_central(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """g with Q g = b, b_i = (f(x + tau u_i) - f(x - tau u_i)) / (2 tau), (d,) float64.

    Args:
        value: f, (d,) -> float; called 2d times.
        x: where the gradient is wanted, (d,); left as it is.
        tau: step to either side, > 0.
        directions: Q, (d, d): row i is u_i.

    Raises:
        numpy.linalg.LinAlgError: where the directions are linearly dependent.
    """
    return np.asarray(np.linalg.solve(directions, _central_slopes(value, x, tau, directions)))


def _forward_slopes(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """b, with f(x) queried once."""
    x = np.array(x, dtype=np.float64)
    base = value(x)
    return np.array([(value(x + tau * u) - base) / tau for u in directions])


def _central_slopes(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    return np.array([(value(x + tau * u) - value(x - tau * u)) / (2 * tau) for u in directions])


# What the theorems say, at the point x0 of the problem.


@guarantee(
    linear_interpolation,
    gradient_error,
    "Lecture 5, Lemma 2: for L-smooth f and directions of length at most 1, "
    "||g - grad f(x)|| <= ||Q^{-1}||_2 sqrt(d) L tau / 2.",
)
def bound_interpolation(problem: Problem, tau: float, directions: Matrix) -> float:
    """||Q^{-1}||_2 sqrt(d) L tau / 2. Attained by L/2 ||x||^2 with orthonormal directions.

    Raises:
        ValueError: unless f is L-smooth, tau > 0 and all ||u_i|| <= 1.
    """
    require(tau > 0, "tau > 0", problem)
    _require_short(directions, problem)
    return float(_inverse_norm(directions) * np.sqrt(len(directions)) * smoothness(problem) * tau / 2)


@guarantee(
    linear_interpolation,
    gradient_error,
    "Derived, not a theorem of the course: for L-smooth f and directions of any length, "
    "||g - grad f(x)|| <= ||Q^{-1}||_2 L tau / 2 sqrt(||u_1||^4 + ... + ||u_d||^4).",
)
def bound_interpolation_any_length(problem: Problem, tau: float, directions: Matrix) -> float:
    """||Q^{-1}||_2 L tau / 2 sqrt(sum_i ||u_i||^4). Lemma 2 is its consequence for ||u_i|| <= 1.

    Raises:
        ValueError: unless f is L-smooth and tau > 0.
    """
    require(tau > 0, "tau > 0", problem)
    lengths = np.linalg.norm(directions, axis=1)
    return float(_inverse_norm(directions) * smoothness(problem) * tau / 2 * np.sqrt(np.sum(lengths**4)))


@guarantee(
    linear_interpolation_central,
    gradient_error,
    "Derived, not a theorem of the course: for f with an M-Lipschitz Hessian and directions of length at most 1, "
    "||g - grad f(x)|| <= ||Q^{-1}||_2 sqrt(d) M tau^2 / 6.",
)
def bound_interpolation_central(problem: Problem, tau: float, directions: Matrix) -> float:
    """||Q^{-1}||_2 sqrt(d) M tau^2 / 6, M = data["hessian_lipschitz"]; 0 on quadratics.

    Raises:
        ValueError: unless the problem states M, tau > 0 and all ||u_i|| <= 1.
    """
    require(tau > 0, "tau > 0", problem)
    _require_short(directions, problem)
    return float(_inverse_norm(directions) * np.sqrt(len(directions)) * hessian_lipschitz(problem) * tau**2 / 6)


def _inverse_norm(directions: Matrix) -> float:
    """||Q^{-1}||_2 = 1 / (smallest singular value of Q)."""
    return float(1 / np.linalg.norm(directions, -2))


def _require_short(directions: Matrix, problem: Problem) -> None:
    longest = float(np.linalg.norm(directions, axis=1).max())
    require(at_most(longest, 1.0), "directions of length at most 1", problem)


@mistake(
    bound_interpolation,
    "Your bound becomes smaller as the directions come closer to linear dependence. Should it?",
)
def bound_with_norm_of_directions(problem: Problem, tau: float, directions: Matrix) -> float:
    """||Q||_2 in place of ||Q^{-1}||_2. Invisible for orthonormal directions."""
    return bound_interpolation(problem, tau, directions) * float(
        np.linalg.norm(directions, 2) * np.linalg.norm(directions, -2)
    )


@mistake(
    bound_interpolation,
    "Your bound does not change when all directions are made shorter, but the equations do. "
    "Which norm does the error go through?",
)
def bound_with_condition_number(problem: Problem, tau: float, directions: Matrix) -> float:
    """cond(Q) = ||Q||_2 ||Q^{-1}||_2 in place of ||Q^{-1}||_2. Invisible where ||Q||_2 = 1."""
    return bound_interpolation(problem, tau, directions) * float(np.linalg.norm(directions, 2))


# Correct other forms.


@equivalent(linear_interpolation)
def interpolation_by_dual_basis(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """sum_i b_i v_i with the columns v_i of Q^{-1}."""
    dual_basis = np.linalg.inv(directions).T
    slopes = _forward_slopes(value, x, tau, directions)
    g = np.zeros(len(slopes))
    for b_i, v_i in zip(slopes, dual_basis, strict=True):
        g = g + b_i * v_i
    return g


@equivalent(linear_interpolation)
def interpolation_by_least_squares(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """The g with the smallest ||Q g - b||, which is 0; the same code takes more than d directions."""
    return np.asarray(np.linalg.lstsq(directions, _forward_slopes(value, x, tau, directions))[0])


@equivalent(linear_interpolation)
def interpolation_of_steps(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """The steps s_i = tau u_i as rows: S g = (f(x + s_i) - f(x))_i."""
    x = np.array(x, dtype=np.float64)
    steps = tau * directions
    return np.asarray(np.linalg.solve(steps, np.array([value(x + s) for s in steps]) - value(x)))


@equivalent(linear_interpolation_central)
def central_interpolation_as_mean(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """The mean of the gradients that interpolate along u_1, ..., u_d and along -u_1, ..., -u_d."""
    forward = linear_interpolation(value, x, tau, directions)
    backward = linear_interpolation(value, x, tau, -directions)
    return np.asarray((forward + backward) / 2)


@equivalent(linear_interpolation_central)
def central_interpolation_by_dual_basis(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """sum_i b_i v_i with the columns v_i of Q^{-1}."""
    return np.linalg.inv(directions) @ _central_slopes(value, x, tau, directions)


# What goes wrong.


@mistake(
    linear_interpolation,
    "Your system has the directions in its columns. What does each equation say about one direction?",
)
def interpolation_directions_as_columns(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """Q^T g = b. Invisible for symmetric Q."""
    return np.asarray(np.linalg.solve(directions.T, _forward_slopes(value, x, tau, directions)))


@mistake(
    linear_interpolation,
    "Your gradient is right for orthonormal directions only: each slope is multiplied by its own direction. "
    "Which vectors give the coordinates of g when the directions are not orthonormal?",
)
def interpolation_directions_as_dual_basis(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """sum_i b_i u_i = Q^T b. Invisible for orthonormal directions."""
    return directions.T @ _forward_slopes(value, x, tau, directions)


@mistake(
    linear_interpolation,
    "Your gradient shrinks with tau: the right side holds differences of values, not slopes.",
)
def interpolation_undivided(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """Q g = (f(x + tau u_i) - f(x))_i. Invisible for tau = 1."""
    return linear_interpolation(value, x, tau, directions) * tau


@mistake(
    linear_interpolation,
    "The lengths of the directions enter your points, and not your equations. Do the two belong together?",
)
def interpolation_normalized_equations(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """The rows of Q are normalised after f was queried along them. Invisible for directions of length 1."""
    normalized = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    return np.asarray(np.linalg.solve(normalized, _forward_slopes(value, x, tau, directions)))


@mistake(
    linear_interpolation,
    "Your gradient is right, and f(x) is computed anew for each direction. Queries are what such a method pays for.",
)
def interpolation_base_repeated(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """The right gradient with 2d queries in place of d+1."""
    x = np.array(x, dtype=np.float64)
    return np.asarray(
        np.linalg.solve(directions, np.array([(value(x + tau * u) - value(x)) / tau for u in directions]))
    )


@mistake(
    linear_interpolation_central,
    "Your gradient has twice the length that it should have. How far apart are the two points of each difference?",
)
def central_interpolation_denominator(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """(f(x + tau u_i) - f(x - tau u_i)) / tau."""
    return linear_interpolation_central(value, x, tau, directions) * 2


@mistake(
    linear_interpolation_central,
    "Your system has the directions in its columns. What does each equation say about one direction?",
)
def central_interpolation_directions_as_columns(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """Q^T g = b. Invisible for symmetric Q."""
    return np.asarray(np.linalg.solve(directions.T, _central_slopes(value, x, tau, directions)))


@mistake(
    linear_interpolation_central,
    "Your gradient is right for orthonormal directions only: each slope is multiplied by its own direction. "
    "Which vectors give the coordinates of g when the directions are not orthonormal?",
)
def central_interpolation_directions_as_dual_basis(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """sum_i b_i u_i = Q^T b. Invisible for orthonormal directions."""
    return directions.T @ _central_slopes(value, x, tau, directions)


@mistake(
    linear_interpolation_central,
    "Your gradient is right, and it costs a query that does not enter. Which values do the differences need?",
)
def central_interpolation_base_queried(value: Value, x: Vector, tau: float, directions: Matrix) -> Vector:
    """The right gradient with 2d+1 queries in place of 2d."""
    value(np.array(x, dtype=np.float64))
    return linear_interpolation_central(value, x, tau, directions)
