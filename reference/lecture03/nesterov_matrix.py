"""Nesterov's method on a quadratic: companion matrix and rate.

Problem     f(x) = 1/2 (x - x*)^T H (x - x*), H (d, d) symmetric; e_k = x_k - x*.
Algorithm   z_k = (e_k, e_{k-1}) in R^(2d) with z_0 = (e_0, e_0) follows z_{k+1} = A z_k with
                A = [ (1+beta) (I - gamma H),  -beta (I - gamma H) ]
                    [ I,                        0                  ]
            For an eigenvalue lambda of H, and s = 1 - gamma lambda, A has the eigenvalues
                ((1+beta) s +- sqrt((1+beta)^2 s^2 - 4 beta s)) / 2
Guarantee   ||e_k|| falls like the spectral radius of A to the power k. With gamma = 1/L and beta = (1-q)/(1+q),
            q = sqrt(mu/L), that is 1 - q: a double eigenvalue for lambda = mu, where ||e_k|| falls like k (1-q)^k; for
            the other lambda the modulus is sqrt(beta (1 - lambda/L)) < 1 - q. The spectral norm of A is at least 1, for
            all gamma and beta, as A has the rows (I, 0): the norm is not the rate.
References  Notes ch. 3, exercise 1, where the transpose of the first x - x* is missing. The eigenvalues are derived.
Catalogue   nag_companion
Witness     the iterates of nesterov; numpy.linalg.eigvals

In the code gamma is `learning_rate` and beta is `momentum`.
"""

from __future__ import annotations

import numpy as np

from reference.problem import Matrix
from reference.variants import equivalent, mistake


def nesterov_matrix(hessian: Matrix, learning_rate: float, momentum: float) -> Matrix:
    """A, (2d, 2d): (x_k - x*, x_{k-1} - x*) to (x_{k+1} - x*, x_k - x*).

    Args:
        hessian: H, (d, d) symmetric.
        learning_rate: gamma.
        momentum: beta.
    """
    identity = np.eye(len(hessian))
    gradient_step = identity - learning_rate * hessian
    return np.block(
        [
            [(1 + momentum) * gradient_step, -momentum * gradient_step],
            [identity, np.zeros_like(identity)],
        ]
    )


def nesterov_rate(hessian: Matrix, learning_rate: float, momentum: float) -> float:
    """The spectral radius of A: ||x_k - x*|| falls like its k-th power. Above 1 the method diverges.

    Args:
        hessian: H, (d, d) symmetric.
        learning_rate: gamma.
        momentum: beta >= 0.
    """
    s = 1 - learning_rate * np.linalg.eigvalsh(hessian)
    trace, determinant = (1 + momentum) * s, momentum * s
    discriminant = trace**2 - 4 * determinant
    moduli = np.where(
        discriminant <= 0,
        np.sqrt(np.maximum(determinant, 0)),
        (np.abs(trace) + np.sqrt(np.maximum(discriminant, 0))) / 2,
    )
    return float(moduli.max())


@equivalent(nesterov_matrix)
def step_after_extrapolation(hessian: Matrix, learning_rate: float, momentum: float) -> Matrix:
    """The product of the gradient step with the extrapolation: y first, then the step from it."""
    identity = np.eye(len(hessian))
    zero = np.zeros_like(identity)
    extrapolation = np.block([[(1 + momentum) * identity, -momentum * identity], [identity, zero]])
    step = np.block([[identity - learning_rate * hessian, zero], [zero, identity]])
    return np.asarray(step @ extrapolation)


@equivalent(nesterov_rate)
def largest_eigenvalue(hessian: Matrix, learning_rate: float, momentum: float) -> float:
    """max |eigenvalue| of A. At a double eigenvalue rounding moves it by 1e-8."""
    A = nesterov_matrix(hessian, learning_rate, momentum)
    return float(np.abs(np.linalg.eigvals(A)).max())


@mistake(
    nesterov_matrix,
    "Your matrix is the one of heavy ball: the previous error does not go through the gradient. "
    "At which point is the gradient taken?",
)
def heavy_ball_history(hessian: Matrix, learning_rate: float, momentum: float) -> Matrix:
    """-beta I in the upper right block."""
    identity = np.eye(len(hessian))
    gradient_step = identity - learning_rate * hessian
    zero = np.zeros_like(identity)
    return np.block([[(1 + momentum) * gradient_step, -momentum * identity], [identity, zero]])


@mistake(
    nesterov_matrix,
    "Your matrix adds the previous error. Write y in terms of x_k - x* and x_{k-1} - x*: "
    "which sign has the second one?",
)
def flipped_history(hessian: Matrix, learning_rate: float, momentum: float) -> Matrix:
    """+ beta (I - gamma H) in the upper right block."""
    identity = np.eye(len(hessian))
    gradient_step = identity - learning_rate * hessian
    zero = np.zeros_like(identity)
    return np.block([[(1 + momentum) * gradient_step, momentum * gradient_step], [identity, zero]])


@mistake(
    nesterov_rate,
    "Your number is at least 1 whatever the step and the momentum: it is how much one step can grow, "
    "not how fast many steps shrink.",
)
def spectral_norm(hessian: Matrix, learning_rate: float, momentum: float) -> float:
    """||A||_2."""
    return float(np.linalg.norm(nesterov_matrix(hessian, learning_rate, momentum), 2))
