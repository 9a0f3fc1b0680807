"""Stationary points: minimum, maximum, saddle, or not to be told from the Hessian.

Problem     grad f(x) = 0 for f: R^d -> R twice differentiable; what is x?
Algorithm   by the eigenvalues of Hess f(x):
                all positive                           local minimum
                all negative                           local maximum
                positive ones and negative ones        saddle
                otherwise, some 0 and the others of one sign   degenerate: x^3, x^4 and -x^4 look alike at 0
Guarantee   where f is convex, every stationary point is a global minimiser.
            Lecture 2, slide 27, says that gradient descent from a random x_0 converges to a local minimum with
            probability 1. Standard literature (Lee et al. 2016): true where gamma < 1/L, every saddle has a negative
            eigenvalue and the iterates converge; false without: on x^3 every x_0 > 0 leads to the stationary point 0.
Cost        one eigenvalue decomposition, d^3.
References  Lecture 2, slides 13 and 27.
Catalogue   stationary_point
Witness     Hessians with prescribed eigenvalues; gradient descent on `problems.saddle` from random points
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from reference.problem import Matrix, Vector
from reference.variants import equivalent, mistake


class Stationary(StrEnum):
    """What a stationary point is, as far as the Hessian tells."""

    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    SADDLE = "saddle"
    DEGENERATE = "degenerate"


def is_stationary(gradient_at_x: Vector, tolerance: float) -> bool:
    """Whether ||grad f(x)|| <= tolerance. It says nothing about the kind of the point.

    Args:
        gradient_at_x: grad f(x), (d,).
        tolerance: at least 0, in units of the gradient.
    """
    return float(np.linalg.norm(gradient_at_x)) <= tolerance


def classify_stationary(hessian_at_x: Matrix, tolerance: float) -> Stationary:
    """The kind of a stationary point x, by the signs of the eigenvalues of Hess f(x).

    Args:
        hessian_at_x: Hess f(x), (d, d), symmetric.
        tolerance: an eigenvalue of at most this size counts as 0.
    """
    eigenvalues = np.linalg.eigvalsh(hessian_at_x)
    smallest, largest = eigenvalues[0], eigenvalues[-1]
    if smallest > tolerance:
        return Stationary.MINIMUM
    if largest < -tolerance:
        return Stationary.MAXIMUM
    if smallest < -tolerance and largest > tolerance:
        return Stationary.SADDLE
    return Stationary.DEGENERATE


@equivalent(classify_stationary)
def by_counting_signs(hessian_at_x: Matrix, tolerance: float) -> Stationary:
    """How many eigenvalues are positive and how many are negative."""
    eigenvalues = np.linalg.eigvals(hessian_at_x).real
    positive, negative = np.sum(eigenvalues > tolerance), np.sum(eigenvalues < -tolerance)
    if positive and negative:
        return Stationary.SADDLE
    if positive == len(eigenvalues):
        return Stationary.MINIMUM
    return Stationary.MAXIMUM if negative == len(eigenvalues) else Stationary.DEGENERATE


@equivalent(classify_stationary)
def by_cholesky(hessian_at_x: Matrix, tolerance: float) -> Stationary:
    """A matrix is positive definite exactly where it has a Cholesky factor."""
    shift = tolerance * np.eye(len(hessian_at_x))
    if _has_cholesky_factor(hessian_at_x - shift):
        return Stationary.MINIMUM
    if _has_cholesky_factor(-hessian_at_x - shift):
        return Stationary.MAXIMUM
    eigenvalues = np.linalg.eigvalsh(hessian_at_x)
    indefinite = eigenvalues[0] < -tolerance and eigenvalues[-1] > tolerance
    return Stationary.SADDLE if indefinite else Stationary.DEGENERATE


def _has_cholesky_factor(matrix: Matrix) -> bool:
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True


@mistake(
    classify_stationary,
    "You call every point with a small gradient a minimum. At the top of a hill the gradient vanishes too.",
)
def minimum_without_looking(hessian_at_x: Matrix, tolerance: float) -> Stationary:
    """A minimum, whatever the Hessian is."""
    return Stationary.MINIMUM


@mistake(
    classify_stationary,
    "You call a point with a flat direction a minimum. Compare x^4, -x^4 and x^3 at 0: "
    "what does the Hessian say there?",
)
def semidefinite_is_minimum(hessian_at_x: Matrix, tolerance: float) -> Stationary:
    """A minimum where no eigenvalue is negative, a maximum where none is positive. Invisible without eigenvalues 0."""
    eigenvalues = np.linalg.eigvalsh(hessian_at_x)
    if eigenvalues[0] >= -tolerance:
        return Stationary.MINIMUM
    return Stationary.MAXIMUM if eigenvalues[-1] <= tolerance else Stationary.SADDLE


@mistake(
    classify_stationary,
    "You look along the coordinate axes only. A function may rise along every axis and fall between them.",
)
def by_diagonal_entries(hessian_at_x: Matrix, tolerance: float) -> Stationary:
    """The signs of the second derivatives in each coordinate. Invisible for a diagonal Hessian."""
    diagonal = np.diag(hessian_at_x)
    if np.all(diagonal > tolerance):
        return Stationary.MINIMUM
    if np.all(diagonal < -tolerance):
        return Stationary.MAXIMUM
    if np.any(diagonal < -tolerance) and np.any(diagonal > tolerance):
        return Stationary.SADDLE
    return Stationary.DEGENERATE


@mistake(
    classify_stationary,
    "Your test with the determinant is for two variables. With four, two directions of descent leave it positive.",
)
def by_determinant(hessian_at_x: Matrix, tolerance: float) -> Stationary:
    """The second derivative test of two variables. Invisible for d = 2 and eigenvalues well beyond the tolerance."""
    determinant = float(np.linalg.det(hessian_at_x))
    if abs(determinant) <= tolerance:
        return Stationary.DEGENERATE
    if determinant < 0:
        return Stationary.SADDLE
    return Stationary.MINIMUM if hessian_at_x[0, 0] > 0 else Stationary.MAXIMUM
