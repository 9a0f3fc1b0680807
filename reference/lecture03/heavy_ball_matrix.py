"""Heavy ball on a quadratic: companion matrix, rate, closed form.

Problem     f(x) = 1/2 (x - x*)^T H (x - x*), H (d, d) symmetric; e_k = x_k - x*.
Algorithm   z_k = (e_k, e_{k-1}) in R^(2d) with z_0 = (e_0, e_0) follows z_{k+1} = B z_k with
                B = [ (1+beta) I - gamma H,  -beta I ]
                    [ I,                      0      ]
            For an eigenvalue lambda of H, and w = 1 + beta - gamma lambda, B has the eigenvalues
                (w +- sqrt(w^2 - 4 beta)) / 2
            a conjugate pair of modulus sqrt(beta) where w^2 < 4 beta.
Guarantee   ||e_k|| falls like the spectral radius of B to the power k; where w^2 = 4 beta for some lambda, as at the
            tuning of the slides, like k times that. The spectral norm of B is at least 1 and says nothing about it.
            The rate is below 1 for every eigenvalue in (0, L] exactly where 0 <= beta < 1, 0 < gamma < 2 (1+beta)/L.
Cost        the closed form needs the eigenvectors of H once, O(d^3).
References  Notes ch. 3, proof of Theorem 2.1; Lecture 3 part I, slides 11-16. Slide 15 prints (1 + beta - mu L)^2 for
            (1 + beta - gamma mu)^2. The closed form is derived.
Catalogue   heavy_ball_companion
Witness     numpy.linalg.eigvals, powers of B; the iterates of heavy_ball

In the code gamma is `learning_rate` and beta is `momentum`.
"""

from __future__ import annotations

from math import acos, sqrt

import numpy as np

from reference.problem import Matrix, Vector
from reference.variants import equivalent, mistake


def heavy_ball_matrix(hessian: Matrix, learning_rate: float, momentum: float) -> Matrix:
    """B, (2d, 2d): (x_k - x*, x_{k-1} - x*) to (x_{k+1} - x*, x_k - x*).

    Args:
        hessian: H, (d, d) symmetric.
        learning_rate: gamma.
        momentum: beta.
    """
    identity = np.eye(len(hessian))
    return np.block(
        [
            [(1 + momentum) * identity - learning_rate * hessian, -momentum * identity],
            [identity, np.zeros_like(identity)],
        ]
    )


def heavy_ball_rate(hessian: Matrix, learning_rate: float, momentum: float) -> float:
    """The spectral radius of B: ||x_k - x*|| falls like its k-th power. Above 1 the method diverges.

    Args:
        hessian: H, (d, d) symmetric.
        learning_rate: gamma.
        momentum: beta >= 0.
    """
    w = 1 + momentum - learning_rate * np.linalg.eigvalsh(hessian)
    # Below zero the two eigenvalues are conjugate, with modulus sqrt(beta); w enters through the discriminant only.
    discriminant = w**2 - 4 * momentum
    moduli = np.where(discriminant <= 0, np.sqrt(momentum), (np.abs(w) + np.sqrt(np.maximum(discriminant, 0))) / 2)
    return float(moduli.max())


def heavy_ball_closed_form(
    hessian: Matrix, error: Vector, learning_rate: float, momentum: float, num_steps: int
) -> Matrix:
    """The errors x_k - x* of heavy ball without iterating, (K+1, d): row k is x_k - x*. Derived.

    Along an eigenvector of H, e_k = (S_{k+1} - beta S_k) e_0, where S_k = (r^k - s^k)/(r - s) with the eigenvalues
    r, s of B. For a conjugate pair S_k = sqrt(beta)^(k-1) sin(k phi)/sin(phi) with cos(phi) = w/(2 sqrt beta); for a
    double one S_k = k r^(k-1).

    Args:
        hessian: H, (d, d) symmetric.
        error: e_0 = x_0 - x*, (d,).
        learning_rate: gamma.
        momentum: beta > 0.
        num_steps: K >= 0.
    """
    eigenvalues, eigenvectors = np.linalg.eigh(hessian)
    k = np.arange(0.0, num_steps + 2)
    columns = []
    for w, start in zip(1 + momentum - learning_rate * eigenvalues, eigenvectors.T @ error, strict=True):
        S = _geometric_differences(float(w), momentum, k)
        columns.append((S[1:] - momentum * S[:-1]) * start)
    return np.asarray(np.stack(columns, axis=1) @ eigenvectors.T)


def _geometric_differences(w: float, beta: float, k: Vector) -> Vector:
    """S_k = (r^k - s^k)/(r - s) for the roots r, s of t^2 - w t + beta; S_0 = 0, S_1 = 1."""
    discriminant = w**2 - 4 * beta
    if abs(discriminant) <= 1e-13 * beta:  # zero up to rounding
        return k * (w / 2) ** (k - 1)
    if discriminant < 0:
        phi = acos(w / (2 * sqrt(beta)))
        return np.asarray(sqrt(beta) ** (k - 1) * np.sin(k * phi) / np.sin(phi))
    r, s = (w + sqrt(discriminant)) / 2, (w - sqrt(discriminant)) / 2
    return np.asarray((r**k - s**k) / (r - s))


# Correct other forms.


@equivalent(heavy_ball_matrix)
def kronecker(hessian: Matrix, learning_rate: float, momentum: float) -> Matrix:
    """The same matrix from 2 x 2 patterns and Kronecker products."""
    history = np.array([[1 + momentum, -momentum], [1.0, 0.0]])
    step = np.array([[learning_rate, 0.0], [0.0, 0.0]])
    return np.asarray(np.kron(history, np.eye(len(hessian))) - np.kron(step, hessian))


@equivalent(heavy_ball_rate)
def largest_eigenvalue(hessian: Matrix, learning_rate: float, momentum: float) -> float:
    """max |eigenvalue| of B. At a double eigenvalue rounding moves it by 1e-8."""
    B = heavy_ball_matrix(hessian, learning_rate, momentum)
    return float(np.abs(np.linalg.eigvals(B)).max())


@equivalent(heavy_ball_closed_form)
def matrix_powers(hessian: Matrix, error: Vector, learning_rate: float, momentum: float, num_steps: int) -> Matrix:
    """The upper half of B^k (e_0, e_0)."""
    B = heavy_ball_matrix(hessian, learning_rate, momentum)
    z = np.concatenate([error, error])
    rows = [np.linalg.matrix_power(B, k) @ z for k in range(num_steps + 1)]
    return np.array(rows)[:, : len(error)]


# Mistakes.


@mistake(
    heavy_ball_matrix,
    "Your matrix adds the previous error. Write the step in terms of x_k - x* and x_{k-1} - x*: which sign has the "
    "second one?",
)
def flipped_history(hessian: Matrix, learning_rate: float, momentum: float) -> Matrix:
    """+ beta I in the upper right block."""
    identity = np.eye(len(hessian))
    zero = np.zeros_like(identity)
    return np.block([[(1 + momentum) * identity - learning_rate * hessian, momentum * identity], [identity, zero]])


@mistake(
    heavy_ball_matrix,
    "Your matrix does not leave a point at rest where the gradient is zero. "
    "How many times does x_k enter the step with the momentum?",
)
def complementary_momentum(hessian: Matrix, learning_rate: float, momentum: float) -> Matrix:
    """(1 - beta) I in the upper left block."""
    identity = np.eye(len(hessian))
    zero = np.zeros_like(identity)
    return np.block([[(1 - momentum) * identity - learning_rate * hessian, -momentum * identity], [identity, zero]])


@mistake(
    heavy_ball_matrix,
    "Your matrix keeps the oldest error in its lower half for ever. Which of the two errors moves there?",
)
def frozen_history(hessian: Matrix, learning_rate: float, momentum: float) -> Matrix:
    """[0, I] in the lower row."""
    identity = np.eye(len(hessian))
    zero = np.zeros_like(identity)
    return np.block([[(1 + momentum) * identity - learning_rate * hessian, -momentum * identity], [zero, identity]])


@mistake(
    heavy_ball_rate,
    "Your number is at least 1 whatever the step and the momentum: it is how much one step can grow, "
    "not how fast many steps shrink.",
)
def spectral_norm(hessian: Matrix, learning_rate: float, momentum: float) -> float:
    """||B||_2."""
    return float(np.linalg.norm(heavy_ball_matrix(hessian, learning_rate, momentum), 2))


@mistake(
    heavy_ball_rate,
    "Your number is too small where the eigenvalues are complex. What is the size of a complex number?",
)
def real_part(hessian: Matrix, learning_rate: float, momentum: float) -> float:
    """max |Re eigenvalue|. Invisible where the eigenvalue that decides is real."""
    B = heavy_ball_matrix(hessian, learning_rate, momentum)
    return float(np.abs(np.linalg.eigvals(B).real).max())


@mistake(
    heavy_ball_rate,
    "You looked at the largest curvature only. Which directions does the error have?",
)
def largest_curvature_only(hessian: Matrix, learning_rate: float, momentum: float) -> float:
    """The spectral radius of the block of L. Invisible where that block decides, or all have modulus sqrt(beta)."""
    L = np.linalg.eigvalsh(hessian)[-1:]
    return heavy_ball_rate(np.diag(L), learning_rate, momentum)
