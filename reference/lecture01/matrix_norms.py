"""Norms of matrices: Frobenius, spectral and nuclear, and the inequalities between them.

Problem     how large is A (m, n), and how much can it stretch a vector?
Algorithm   ||A||_F = sqrt(sum_ij A_ij^2) = sqrt(tr(A^T A)),  <A, B> = sum_ij A_ij B_ij = tr(A^T B)
            ||A||_2 = max over ||x|| = 1 of ||A x|| = the largest singular value of A
            ||A||_* = the sum of the singular values of A
Guarantee   |<A, B>| <= ||A||_F ||B||_F              ||A x||_2 <= ||A||_2 ||x||_2
            ||A B||_F <= ||A||_2 ||B||_F             |<A, B>| <= ||A||_2 ||B||_*
Cost        Frobenius: m n operations. The others: the singular values, m n min(m, n) operations.
References  Notes ch. 0, pages 2 and 3, Definitions 1.6, 1.8 and 1.9, Proposition 1.7.
Catalogue   matrix_norms
Witness     numpy.linalg.norm and scipy.linalg.svdvals; each inequality on random matrices and where it is an equality
"""

from __future__ import annotations

import numpy as np

from reference.problem import Matrix, Vector
from reference.variants import equivalent, mistake


def frobenius_norm(A: Matrix) -> float:
    """||A||_F = sqrt(sum_ij A_ij^2); A (m, n)."""
    return float(np.sqrt(np.sum(A**2)))


def spectral_norm(A: Matrix) -> float:
    """||A||_2, the largest singular value of A (m, n)."""
    return float(np.linalg.svd(A, compute_uv=False)[0])


def nuclear_norm(A: Matrix) -> float:
    """||A||_*, the sum of the singular values of A (m, n)."""
    return float(np.sum(np.linalg.svd(A, compute_uv=False)))


def matrix_inner_product(A: Matrix, B: Matrix) -> float:
    """<A, B> = sum_ij A_ij B_ij = tr(A^T B); A and B (m, n)."""
    return float(np.sum(A * B))


# The inequalities of the notes, right side minus left side: never negative.


def frobenius_cauchy_gap(A: Matrix, B: Matrix) -> float:
    """||A||_F ||B||_F - |<A, B>|; 0 exactly where A and B are linearly dependent. A and B (m, n)."""
    return frobenius_norm(A) * frobenius_norm(B) - abs(matrix_inner_product(A, B))


def spectral_bound_gap(A: Matrix, x: Vector) -> float:
    """||A||_2 ||x||_2 - ||A x||_2; 0 for the leading right singular vector. A (m, n), x (n,)."""
    return spectral_norm(A) * float(np.linalg.norm(x)) - float(np.linalg.norm(A @ x))


def product_bound_gap(A: Matrix, B: Matrix) -> float:
    """||A||_2 ||B||_F - ||A B||_F; 0 where A is a multiple of an orthogonal matrix. A (m, n), B (n, q)."""
    return spectral_norm(A) * frobenius_norm(B) - frobenius_norm(A @ B)


def nuclear_duality_gap(A: Matrix, B: Matrix) -> float:
    """||A||_2 ||B||_* - |<A, B>|; 0 for B = U S V^T and A = U V^T. A and B (m, n)."""
    return spectral_norm(A) * nuclear_norm(B) - abs(matrix_inner_product(A, B))


# Frobenius norm.


@equivalent(frobenius_norm)
def frobenius_by_trace(A: Matrix) -> float:
    """sqrt(tr(A^T A))."""
    return float(np.sqrt(np.trace(A.T @ A)))


@equivalent(frobenius_norm)
def frobenius_by_singular_values(A: Matrix) -> float:
    """The Euclidean norm of the singular values."""
    return float(np.linalg.norm(np.linalg.svd(A, compute_uv=False)))


@equivalent(frobenius_norm)
def frobenius_row_by_row(A: Matrix) -> float:
    """The squared lengths of the rows, one after the other."""
    return float(np.sqrt(sum(float(row @ row) for row in A)))


@mistake(frobenius_norm, "Your result is the square of the norm: twice the matrix has four times your norm.")
def frobenius_without_root(A: Matrix) -> float:
    """sum_ij A_ij^2. Invisible for norm 1."""
    return float(np.sum(A**2))


# Spectral norm.


@equivalent(spectral_norm)
def root_of_largest_eigenvalue(A: Matrix) -> float:
    """sqrt(lambda_max(A^T A))."""
    return float(np.sqrt(np.linalg.eigvalsh(A.T @ A)[-1]))


@equivalent(spectral_norm)
def root_of_largest_eigenvalue_of_other_gram(A: Matrix) -> float:
    """sqrt(lambda_max(A A^T))."""
    return float(np.sqrt(np.linalg.eigvalsh(A @ A.T)[-1]))


@equivalent(spectral_norm)
def power_iteration(A: Matrix) -> float:
    """||A v|| / ||v|| after 2^60 steps v <- A^T A v of the power method, by squaring the matrix 60 times.

    Each square is divided by its Frobenius norm. The longest column is a start that no direction is missing from.
    """
    power = A.T @ A
    if not power.any():
        return 0.0
    for _ in range(60):
        power = power / np.linalg.norm(power)
        power = power @ power
    v = power[:, np.argmax(np.linalg.norm(power, axis=0))]
    return float(np.linalg.norm(A @ v) / np.linalg.norm(v))


@mistake(
    spectral_norm,
    "Your result adds up all directions in which A stretches, and the norm asks for the strongest one. "
    "What should the norm of the identity be?",
)
def frobenius_as_spectral(A: Matrix) -> float:
    """||A||_F. Invisible for rank one."""
    return float(np.linalg.norm(A))


@mistake(
    spectral_norm,
    "Your result can be 0 for a matrix that is not 0. Which matrix has the eigenvalues that say how much A stretches?",
)
def spectral_radius(A: Matrix) -> float:
    """max |lambda(A)|; raises LinAlgError, a ValueError, unless A is square. Invisible for symmetric A."""
    return float(np.max(np.abs(np.linalg.eigvals(A))))


@mistake(spectral_norm, "Your result is the square of the norm: twice the matrix has four times your norm.")
def spectral_without_root(A: Matrix) -> float:
    """lambda_max(A^T A). Invisible for norm 1."""
    return float(np.linalg.eigvalsh(A.T @ A)[-1])


# Nuclear norm.


@equivalent(nuclear_norm)
def nuclear_up_to_rank(A: Matrix) -> float:
    """The first rank(A) singular values only, as in the definition; the others are 0 up to rounding."""
    return float(np.sum(np.linalg.svd(A, compute_uv=False)[: np.linalg.matrix_rank(A)]))


@equivalent(nuclear_norm)
def nuclear_by_polar_factor(A: Matrix) -> float:
    """<A, U V^T> with A = U S V^T: the largest inner product with a matrix of spectral norm 1."""
    U, _, Vt = np.linalg.svd(A, full_matrices=False)
    return float(np.sum(A * (U @ Vt)))


@mistake(
    nuclear_norm,
    "Your result can be negative, or 0 for a matrix that is not 0: what you add up may have either sign.",
)
def trace_as_nuclear(A: Matrix) -> float:
    """tr(A). Invisible for symmetric positive semidefinite A."""
    return float(np.trace(A))


@mistake(
    nuclear_norm,
    "Your result is right for symmetric matrices and 0 for some matrices that are not 0. "
    "Which numbers does the norm add up?",
)
def sum_of_absolute_eigenvalues(A: Matrix) -> float:
    """sum |lambda_i(A)|; raises LinAlgError, a ValueError, unless A is square. Invisible for symmetric A."""
    return float(np.sum(np.abs(np.linalg.eigvals(A))))


# Inner product.


@equivalent(matrix_inner_product)
def inner_product_by_trace(A: Matrix, B: Matrix) -> float:
    """tr(A^T B)."""
    return float(np.trace(A.T @ B))


@equivalent(matrix_inner_product)
def inner_product_by_other_trace(A: Matrix, B: Matrix) -> float:
    """tr(A B^T)."""
    return float(np.trace(A @ B.T))


@equivalent(matrix_inner_product)
def inner_product_of_vectors(A: Matrix, B: Matrix) -> float:
    """The entries as one long vector each."""
    return float(A.ravel() @ B.ravel())


@mistake(
    matrix_inner_product,
    "Your result pairs entry (i, j) with entry (j, i). Try a matrix with itself: what should come out?",
)
def trace_of_plain_product(A: Matrix, B: Matrix) -> float:
    """tr(A B); raises ValueError unless A and B are square. Invisible where one of them is symmetric."""
    return float(np.trace(A @ B))


# Inequalities.


@mistake(
    nuclear_duality_gap,
    "Your gap is negative for A = B = I: the norm that you take of B is too small.",
)
def duality_with_spectral_norms(A: Matrix, B: Matrix) -> float:
    """||A||_2 ||B||_2 - |<A, B>|. Invisible for B of rank one."""
    return spectral_norm(A) * spectral_norm(B) - abs(matrix_inner_product(A, B))
