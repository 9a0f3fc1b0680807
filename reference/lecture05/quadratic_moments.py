"""Exact moments of the smoothing estimates on a quadratic, and of the iterates that descend with them.

Problem     f(x) = 1/2 (x - x*)^T A (x - x*), A (d, d) symmetric, g = grad f(x) = A (x - x*). Mean and second moments
            of the estimate G of g, which is random?
Algorithm   with t = tr A and s = tr A^2,  C = (t^2 + 2 s) I + 4 t A + 8 A^2  (so that E_{N(0,I)} (u^T A u)^2 u u^T = C)
            sphere      E G = g,  E G G^T = d/(d+2) (||g||^2 I + 2 g g^T) + tau^2 d / (4 (d+2) (d+4)) C
                        E ||G||^2 = d ||g||^2 + tau^2 d (t^2 + 2 s) / (4 (d+2))
            Gaussian    E G = g,  E G G^T = ||g||^2 I + 2 g g^T + tau^2/4 C
                        E ||G||^2 = (d+2) ||g||^2 + tau^2/4 (d+4) (t^2 + 2 s)
            With S_k = E (x_k - x*) (x_k - x*)^T, descent with the sphere estimate and step gamma has
                S_{k+1} = S_k - gamma (A S_k + S_k A)
                          + gamma^2 (d/(d+2) (tr(A S_k A) I + 2 A S_k A) + tau_k^2 d / (4 (d+2) (d+4)) C)
                E f(x_k) = 1/2 tr(A S_k),  E ||grad f(x_k)||^2 = tr(A S_k A)
Guarantee   these are equalities. For A = L I, E ||x_k - x*||^2 stays bounded for every x_0 exactly if gamma < 2/(d L);
            it falls fastest for gamma = 1/(d L). Forward differences allow d times that: gamma < 2/L.
Cost        O(d^3) a step.
References  Derived, not in the course; it turns the statements of notes ch. 5 and 5-1 on expectations into equalities.
Catalogue   zo_quadratic_moments
Witness     averages over sphere and Gaussian by quadrature, which are exact here; simulation
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reference.problem import Matrix, Vector


def sphere_second_moments(A: Matrix, gradient: Vector, tau: float) -> Matrix:
    """E G G^T of the sphere estimate, (d, d); its trace is E ||G||^2, and less g g^T it is the covariance.

    Args:
        A: Hessian, (d, d), symmetric; it may be indefinite.
        gradient: g at the point of the estimate, (d,).
        tau: radius of the smoothing.
    """
    d = len(A)
    of_slopes = gradient @ gradient * np.eye(d) + 2 * np.outer(gradient, gradient)
    return np.asarray(d / (d + 2) * of_slopes + tau**2 * d / (4 * (d + 2) * (d + 4)) * _fourth_order(A))


def gaussian_second_moments(A: Matrix, gradient: Vector, tau: float) -> Matrix:
    """E G G^T of the Gaussian estimate, (d, d); its trace is E ||G||^2, and less g g^T it is the covariance.

    Args:
        A: Hessian, (d, d), symmetric; it may be indefinite.
        gradient: g at the point of the estimate, (d,).
        tau: radius of the smoothing.
    """
    of_slopes = gradient @ gradient * np.eye(len(A)) + 2 * np.outer(gradient, gradient)
    return np.asarray(of_slopes + tau**2 / 4 * _fourth_order(A))


def sphere_mean_squares(
    A: Matrix, x0: Vector, learning_rate: float, taus: Vector, num_steps: int
) -> NDArray[np.float64]:
    """S_0, ..., S_K, (K+1, d, d): S_k = E (x_k - x*) (x_k - x*)^T of descent with the sphere estimate, for x* = 0.

    E f(x_k) is `expected_values(A, S)[k]` and E ||grad f(x_k)||^2 is `expected_squared_gradients(A, S)[k]`.

    Args:
        A: Hessian, (d, d), symmetric.
        x0: x_0 - x*, (d,).
        learning_rate: gamma.
        taus: tau_0, ..., tau_{K-1}, (K,).
        num_steps: K >= 0.
    """
    d = len(A)
    S = np.outer(x0, x0).astype(np.float64)
    moments = [S]
    for tau in taus[:num_steps]:
        product = A @ S @ A
        of_slopes = np.trace(product) * np.eye(d) + 2 * product
        second_moments = d / (d + 2) * of_slopes + tau**2 * d / (4 * (d + 2) * (d + 4)) * _fourth_order(A)
        S = S - learning_rate * (A @ S + S @ A) + learning_rate**2 * second_moments
        moments.append(S)
    return np.array(moments)


def expected_values(A: Matrix, mean_squares: NDArray[np.float64]) -> Vector:
    """E f(x_k) = 1/2 tr(A S_k), (K+1,)."""
    return np.asarray(np.einsum("ij,kji->k", A, mean_squares) / 2)


def expected_squared_gradients(A: Matrix, mean_squares: NDArray[np.float64]) -> Vector:
    """E ||grad f(x_k)||^2 = tr(A S_k A), (K+1,)."""
    return np.asarray(np.einsum("ij,kjl,li->k", A, mean_squares, A))


def _fourth_order(A: Matrix) -> Matrix:
    """C = E (u^T A u)^2 u u^T over u ~ N(0, I)."""
    trace, squares = np.trace(A), np.trace(A @ A)
    return np.asarray((trace**2 + 2 * squares) * np.eye(len(A)) + 4 * trace * A + 8 * A @ A)
