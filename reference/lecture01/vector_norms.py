"""Norms of vectors: l_p norms, the norm of a positive definite matrix, Cauchy's inequality.

Problem     how long is x in R^n? A norm is positive for x != 0, ||a x|| = |a| ||x||, ||x + y|| <= ||x|| + ||y||.
Algorithm   ||x||_p = (sum_i |x_i|^p)^(1/p) for 1 <= p < inf,  ||x||_inf = max_i |x_i|
            ||x||_A = sqrt(x^T A x) for symmetric positive definite A
Guarantee   Cauchy: |<x, y>| <= ||x||_2 ||y||_2, with equality exactly where x and y are linearly dependent.
            Standard literature: ||x||_inf <= ||x||_2 <= ||x||_1 <= sqrt(n) ||x||_2 <= n ||x||_inf.
Cost        n powers and one root; ||x||_A: one product with A, and here a check of A in n^3 operations.
References  Notes ch. 0, pages 1 and 2, Definitions 1.1 to 1.5, Proposition 1.3.
Catalogue   vector_norms
Witness     numpy.linalg.norm; scipy.linalg.sqrtm; the axioms on random vectors

For p < 1 the formula is no norm: the triangle inequality fails. For a singular A there are x != 0 of length 0.
"""

from __future__ import annotations

import numpy as np

from reference.problem import Matrix, Vector
from reference.variants import equivalent, mistake


def lp_norm(x: Vector, p: float) -> float:
    """||x||_p; the entries are divided by the largest one first, so that no power overflows.

    Args:
        x: (n,).
        p: at least 1; `numpy.inf` for the largest absolute value.

    Raises:
        ValueError: for p < 1.
    """
    if not p >= 1:
        raise ValueError(f"The l_p norm needs p >= 1, not p = {p:g}.")
    sizes = np.abs(np.asarray(x, dtype=np.float64))
    largest = float(sizes.max(initial=0.0))
    if largest == 0 or not np.isfinite(largest) or np.isinf(p):
        return largest
    return largest * float(np.sum((sizes / largest) ** p) ** (1 / p))


def a_norm(x: Vector, A: Matrix) -> float:
    """||x||_A = sqrt(x^T A x).

    Args:
        x: (n,).
        A: (n, n), symmetric positive definite.

    Raises:
        ValueError: where A is not symmetric positive definite.
    """
    if not np.array_equal(A, A.T) or np.linalg.eigvalsh(A)[0] <= 0:
        raise ValueError("||x||_A needs a symmetric positive definite matrix A.")
    return float(np.sqrt(x @ A @ x))


def cauchy_gap(x: Vector, y: Vector) -> float:
    """||x||_2 ||y||_2 - |<x, y>|: never negative, and 0 exactly where x and y are linearly dependent.

    Args:
        x: (n,).
        y: (n,).
    """
    return lp_norm(x, 2) * lp_norm(y, 2) - abs(float(np.dot(x, y)))


def norm_chain(x: Vector) -> Vector:
    """(||x||_inf, ||x||_2, ||x||_1, sqrt(n) ||x||_2, n ||x||_inf), (5,): never decreasing from left to right.

    Args:
        x: (n,).
    """
    largest, euclidean, total = lp_norm(x, np.inf), lp_norm(x, 2), lp_norm(x, 1)
    n = len(x)
    return np.array([largest, euclidean, total, np.sqrt(n) * euclidean, n * largest])


# Other forms of the l_p norm.


@equivalent(lp_norm)
def one_entry_at_a_time(x: Vector, p: float) -> float:
    """A single pass that keeps the largest entry so far and the sum of powers relative to it."""
    largest, total = 0.0, 0.0
    for entry in x:
        size = abs(float(entry))
        if size > largest:
            total = 1.0 if np.isinf(p) else 1.0 + total * (largest / size) ** p
            largest = size
        elif size > 0 and not np.isinf(p):
            total += (size / largest) ** p
    return float(largest * total ** (1 / p))


@equivalent(lp_norm)
def by_logarithms(x: Vector, p: float) -> float:
    """exp(1/p ln sum_i exp(p ln |x_i|)), the exponents relative to the largest; entries 0 are left out."""
    logarithms = np.log(np.abs(x[x != 0]))
    if logarithms.size == 0:
        return 0.0
    largest = logarithms.max()
    if np.isinf(p):
        return float(np.exp(largest))
    return float(np.exp(largest + np.log(np.sum(np.exp(p * (logarithms - largest)))) / p))


@mistake(
    lp_norm,
    "Your result is a power of the norm: twice the vector does not have twice your length.",
)
def lp_without_root(x: Vector, p: float) -> float:
    """sum_i |x_i|^p. Invisible for p = 1 and for norm 1."""
    if np.isinf(p):
        return float(np.max(np.abs(x)))
    return float(np.sum(np.abs(x) ** p))


@mistake(
    lp_norm,
    "Your entries cancel each other: a vector with entries of both signs comes out too short. "
    "For which p does the sign of an entry disappear by itself?",
)
def lp_without_absolute_value(x: Vector, p: float) -> float:
    """(sum_i x_i^p)^(1/p); nan where the root of a negative sum is taken. Invisible for even p, and for x >= 0."""
    if np.isinf(p):
        return float(np.max(x))
    with np.errstate(invalid="ignore"):
        return float(np.sum(x**p) ** (1 / p))


@mistake(
    lp_norm,
    "Your result does not grow when more entries of the same size are added: it is an average, not a length.",
)
def lp_of_mean(x: Vector, p: float) -> float:
    """((1/n) sum_i |x_i|^p)^(1/p). Invisible for n = 1 and for p = inf."""
    if np.isinf(p):
        return float(np.max(np.abs(x)))
    return float(np.mean(np.abs(x) ** p) ** (1 / p))


@mistake(
    lp_norm,
    "Your formula is right on paper, but a large power leaves the range of floating point. "
    "Try p = 1000 on a vector with entries of size 10 and of size 1/10.",
)
def lp_overflow(x: Vector, p: float) -> float:
    """The definition as it stands: infinite or 0 where the powers overflow or vanish. Invisible for moderate p."""
    if np.isinf(p):
        return float(np.max(np.abs(x)))
    with np.errstate(over="ignore"):
        return float(np.sum(np.abs(x) ** p) ** (1 / p))


# Other forms of the norm of a matrix A.


@equivalent(a_norm)
def through_cholesky(x: Vector, A: Matrix) -> float:
    """||C^T x||_2 with A = C C^T, C lower triangular."""
    return float(np.linalg.norm(np.linalg.cholesky(A).T @ x))


@equivalent(a_norm)
def through_square_root(x: Vector, A: Matrix) -> float:
    """||A^{1/2} x||_2 with the symmetric root from the eigenvalues of A."""
    eigenvalues, vectors = np.linalg.eigh(A)
    root = vectors * np.sqrt(eigenvalues) @ vectors.T
    return float(np.linalg.norm(root @ x))


@equivalent(a_norm)
def as_double_sum(x: Vector, A: Matrix) -> float:
    """The root of sum_ij A_ij x_i x_j."""
    return float(np.sqrt(np.sum(A * np.outer(x, x))))


@mistake(a_norm, "Your result is the square of the norm: twice the vector has four times your length.")
def a_without_root(x: Vector, A: Matrix) -> float:
    """x^T A x. Invisible for norm 1."""
    return float(x @ A @ x)


@mistake(
    a_norm,
    "Your result has the wrong power of A: with 4 A in place of A the norm of x should double. Does yours?",
)
def norm_of_product(x: Vector, A: Matrix) -> float:
    """||A x||_2, which is the norm of the matrix A^2. Invisible for A = I."""
    return float(np.linalg.norm(A @ x))


# Cauchy's inequality.


@mistake(
    cauchy_gap,
    "Your gap is too large where the angle between x and y is obtuse: "
    "for y = -x the inequality is an equality, and yours is not.",
)
def cauchy_without_absolute_value(x: Vector, y: Vector) -> float:
    """||x|| ||y|| - <x, y>. Invisible where <x, y> >= 0."""
    return lp_norm(x, 2) * lp_norm(y, 2) - float(np.dot(x, y))
