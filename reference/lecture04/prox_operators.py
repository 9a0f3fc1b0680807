"""Proximity operators with a closed form: l1 norm, l2 norm, indicator of a set, nuclear norm.

Problem     prox_{t h}(v) = the minimiser u of h(u) + ||u - v||^2 / (2t); h convex, closed, proper, t > 0.
Algorithm   h = ||.||_1    soft threshold         sign(v_i) max(|v_i| - t, 0)
            h = ||.||_2    block soft threshold   (1 - t/||v||) v  where ||v|| >= t,  else 0
            h = I_C        projection             P_C[v], whatever t is
            h = ||.||_*    singular values        U diag(max(s_i - t, 0)) V^T  for v = U diag(s) V^T
Guarantee   The minimiser exists and is unique; u = prox_{t h}(v) if and only if (v - u)/t is a subgradient of h at u.
            The map is non-expansive.
Cost        O(d); nuclear norm: one singular value decomposition.
References  Lecture 4, part II, slides 10-14; notes ch. 4 (Proximal GD), Definition 3.1 and sec. 3.2; homework 4,
            problem 2. Slide 12 prints ||x|| >= R for the l2 norm; it is ||x|| >= t, as in the notes. The nuclear norm
            is standard literature (the course names it for robust PCA only, slide 4).
Catalogue   prox_l1, prox_l2, prox_indicator, prox_nuclear
Witness     torch.nn.functional.softshrink; scipy.optimize on the defining problem; the subgradient condition

t is what multiplies h: for lam ||.||_1 and a step gamma it is t = gamma lam. t = 0 is the identity. The definition
itself is in `prox_definition`, rules for sums and scalings of h in `prox_rules`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.lecture04.projections import project_l2_ball
from reference.problem import Matrix, Vector
from reference.variants import equivalent, mistake

Project = Callable[[Vector], Vector]


def prox_l1(v: Vector, t: float) -> Vector:
    """prox_{t ||.||_1}(v), the soft threshold: sign(v_i) max(|v_i| - t, 0).

    Args:
        v: any shape; a matrix is treated entry by entry.
        t: t >= 0.

    Raises:
        ValueError: where t < 0.
    """
    _require_nonnegative(t)
    return np.sign(v) * np.maximum(np.abs(v) - t, 0.0)


def prox_l2(v: Vector, t: float) -> Vector:
    """prox_{t ||.||_2}(v), the block soft threshold: (1 - t/||v||) v where ||v|| >= t, else 0. The norm is not squared.

    Args:
        v: (d,).
        t: t >= 0.

    Raises:
        ValueError: where t < 0.
    """
    _require_nonnegative(t)
    length = float(np.linalg.norm(v))
    if length <= t:
        return np.zeros(np.shape(v))
    return (1 - t / length) * v


def prox_indicator(v: Vector, t: float, project: Project) -> Vector:
    """prox_{t I_C}(v) = P_C[v], since t I_C = I_C: 0 in C and infinite outside.

    Args:
        v: (d,).
        t: t > 0, without effect.
        project: P_C, (d,) -> (d,).

    Raises:
        ValueError: where t < 0.
    """
    _require_nonnegative(t)
    return project(v)


def prox_nuclear(M: Matrix, t: float) -> Matrix:
    """prox_{t ||.||_*}(M), singular value thresholding: U diag(max(s_i - t, 0)) V^T for M = U diag(s) V^T.

    Args:
        M: (n, d); ||M||_* is the sum of its singular values s_i.
        t: t >= 0.

    Raises:
        ValueError: where t < 0.
    """
    _require_nonnegative(t)
    U, s, Vt = np.linalg.svd(M, full_matrices=False)
    return _recombined(U, np.maximum(s - t, 0.0), Vt)


def _require_nonnegative(t: float) -> None:
    """ValueError where t < 0."""
    if not t >= 0:
        raise ValueError(f"The parameter t of a proximity operator is not negative, and {t:g} is.")


def _recombined(U: Matrix, s: Vector, Vt: Matrix) -> Matrix:
    """U diag(s) V^T."""
    product: Matrix = (U * s) @ Vt
    return product


# The l1 norm.


@equivalent(prox_l1)
def l1_positive_parts(v: Vector, t: float) -> Vector:
    """max(v - t, 0) - max(-v - t, 0)."""
    return np.maximum(v - np.float64(t), 0.0) - np.maximum(-v - np.float64(t), 0.0)


@equivalent(prox_l1)
def l1_minus_clipped(v: Vector, t: float) -> Vector:
    """v minus its projection onto the linf ball of radius t (Moreau)."""
    return v - np.clip(v, -t, t)


@equivalent(prox_l1)
def l1_by_cases(v: Vector, t: float) -> Vector:
    """v - t above t, v + t below -t, 0 between."""
    return np.where(v > t, v - np.float64(t), np.where(v < -t, v + np.float64(t), 0.0))


@equivalent(prox_l1)
def l1_shrinkage_factor(v: Vector, t: float) -> Vector:
    """v_i max(1 - t/|v_i|, 0), the block soft threshold of each entry for itself."""
    magnitudes = np.abs(np.array(v, dtype=np.float64))
    ratio = np.divide(t, magnitudes, out=np.ones_like(magnitudes), where=magnitudes > 0)
    shrunk: Vector = v * np.maximum(1 - ratio, 0.0)
    return shrunk


@mistake(
    prox_l1,
    "Your large entries stay as they are. The soft threshold moves them too: what does the penalty still pull on?",
)
def l1_hard_threshold(v: Vector, t: float) -> Vector:
    """v_i where |v_i| > t, else 0. Invisible where all |v_i| <= t."""
    return np.where(np.abs(v) > t, np.array(v, dtype=np.float64), 0.0)


@mistake(
    prox_l1,
    "Your result has no negative entries. The penalty treats both signs alike.",
)
def l1_negative_side_lost(v: Vector, t: float) -> Vector:
    """max(v - t, 0). Invisible where v >= -t."""
    return np.maximum(v - np.float64(t), 0.0)


@mistake(
    prox_l1,
    "Your small entries come out with the other sign. What is the minimiser when |v| is below the threshold?",
)
def l1_without_max(v: Vector, t: float) -> Vector:
    """v - t sign(v). Invisible where all |v_i| >= t."""
    return v - t * np.sign(np.array(v, dtype=np.float64))


@mistake(
    prox_l1,
    "Your positive entries shrink and your negative ones grow. Put a negative number into your formula.",
)
def l1_threshold_outside_sign(v: Vector, t: float) -> Vector:
    """sign(v) |v| - t, that is v - t. Invisible where v >= t."""
    return np.sign(v) * np.abs(np.array(v, dtype=np.float64)) - t


@mistake(
    prox_l1,
    "Your threshold is half of what it should be. Write down the derivative of the quadratic term.",
)
def l1_half_threshold(v: Vector, t: float) -> Vector:
    """The minimiser of t ||u||_1 + ||u - v||^2, the factor 1/2 forgotten."""
    return prox_l1(v, t / 2)


@mistake(
    prox_l1,
    "Your threshold is twice what it should be. Write down the derivative of the quadratic term.",
)
def l1_double_threshold(v: Vector, t: float) -> Vector:
    """Threshold 2t."""
    return prox_l1(v, 2 * t)


@mistake(
    prox_l1,
    "Your threshold gets smaller when the penalty gets larger. Which of the two terms does t multiply?",
)
def l1_inverse_threshold(v: Vector, t: float) -> Vector:
    """Threshold 1/t, t > 0. Invisible where t = 1."""
    return prox_l1(v, 1 / t)


@mistake(
    prox_l1,
    "Your entries shrink together, by a factor that depends on the length of the vector: that is the operator of "
    "another norm. In the l1 norm each entry stands for itself.",
)
def l1_threshold_on_the_length(v: Vector, t: float) -> Vector:
    """The block soft threshold. Invisible for d = 1."""
    return prox_l2(v, t)


# The l2 norm.


@equivalent(prox_l2)
def l2_positive_part(v: Vector, t: float) -> Vector:
    """max(1 - t/||v||, 0) v, and 0 at 0."""
    length = float(np.linalg.norm(v))
    return v * max(1 - t / length, 0.0) if length > 0 else np.zeros(np.shape(v))


@equivalent(prox_l2)
def l2_minus_projection(v: Vector, t: float) -> Vector:
    """v minus its projection onto the l2 ball of radius t > 0 (Moreau)."""
    return v - project_l2_ball(v, t)


@mistake(
    prox_l2,
    "Your entries are thresholded one by one: that is the operator of another norm. Here the direction is kept.",
)
def l2_elementwise(v: Vector, t: float) -> Vector:
    """The soft threshold of each entry. Invisible for d = 1."""
    return prox_l1(v, t)


@mistake(
    prox_l2,
    "Your vector does not get shorter by t. By how much does its length change in your formula?",
)
def l2_norm_squared(v: Vector, t: float) -> Vector:
    """max(1 - t/||v||^2, 0) v. Invisible where ||v|| = 1."""
    squared = float(np.sum(np.asarray(v) ** 2))
    return v * max(1 - t / squared, 0.0) if squared > 0 else np.zeros(np.shape(v))


@mistake(
    prox_l2,
    "Your short vectors come out pointing the other way. What is the minimiser when the length is below the threshold?",
)
def l2_without_zero_branch(v: Vector, t: float) -> Vector:
    """(1 - t/||v||) v always; nan at 0. Invisible where ||v|| >= t."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return (1 - t / np.float64(np.linalg.norm(v))) * v


@mistake(
    prox_l2,
    "Your vector is never 0: your formula belongs to the square of the norm.",
)
def l2_of_the_squared_norm(v: Vector, t: float) -> Vector:
    """v / (1 + t), the operator of ||.||^2/2. Invisible where ||v|| = 1 + t."""
    return np.array(v, dtype=np.float64) / (1 + t)


@mistake(
    prox_l2,
    "Your formula is right for long vectors, but it switches to 0 at a length that has nothing to do with t. "
    "At which length does the first case reach 0?",
)
def l2_printed_condition(v: Vector, t: float) -> Vector:
    """Slide 12 as printed: the first case where ||v|| >= R, with R = 1. Invisible where t = 1."""
    length = float(np.linalg.norm(v))
    return (1 - t / length) * v if length >= 1 else np.zeros(np.shape(v))


# The indicator of a set.


@equivalent(prox_indicator)
def indicator_with_half_t(v: Vector, t: float, project: Project) -> Vector:
    """prox_{(t/2) I_C}: any other t > 0 gives the same."""
    return prox_indicator(v, t / 2, project)


@mistake(
    prox_indicator,
    "Your result depends on t. What is t times 0, and t times infinity?",
)
def indicator_of_the_scaled_set(v: Vector, t: float, project: Project) -> Vector:
    """t P_C[v/t], the projection onto t C. Invisible where t = 1, and where C is a cone."""
    return t * project(v / t)


@mistake(
    prox_indicator,
    "Your result leaves the set: it is scaled after the projection. What is t times 0, and t times infinity?",
)
def indicator_scaled_result(v: Vector, t: float, project: Project) -> Vector:
    """t P_C[v]. Invisible where t = 1."""
    return t * project(v)


# The nuclear norm.


@equivalent(prox_nuclear)
def nuclear_minus_clipped(M: Matrix, t: float) -> Matrix:
    """M minus its projection onto the ball of radius t of the spectral norm (Moreau)."""
    U, s, Vt = np.linalg.svd(M, full_matrices=False)
    return M - _recombined(U, np.minimum(s, t), Vt)


@equivalent(prox_nuclear)
def nuclear_rank_one_terms(M: Matrix, t: float) -> Matrix:
    """The sum of (s_i - t) u_i v_i^T over the singular values above t."""
    U, s, Vt = np.linalg.svd(M)
    total = np.zeros(M.shape)
    for i in range(len(s)):
        if s[i] > t:
            total += (s[i] - t) * np.outer(U[:, i], Vt[i])
    return total


@mistake(
    prox_nuclear,
    "Your threshold acts on the entries of the matrix. Which numbers does the nuclear norm add up?",
)
def nuclear_entrywise(M: Matrix, t: float) -> Matrix:
    """The soft threshold of the entries. Invisible where M is diagonal."""
    return prox_l1(M, t)


@mistake(
    prox_nuclear,
    "Your large singular values stay as they are. The penalty pulls on them too.",
)
def nuclear_hard_threshold(M: Matrix, t: float) -> Matrix:
    """The singular values above t kept unchanged. Invisible where none is."""
    U, s, Vt = np.linalg.svd(M, full_matrices=False)
    return _recombined(U, np.where(s > t, s, 0.0), Vt)


@mistake(
    prox_nuclear,
    "Your result is right for positive semidefinite matrices only: you use eigenvalues. "
    "What takes their place for a general matrix?",
)
def nuclear_by_eigenvalues(M: Matrix, t: float) -> Matrix:
    """W diag(max(Re w - t, 0)) W^{-1}, real part; M must be square. Invisible where M is positive semidefinite."""
    w, W = np.linalg.eig(M)
    result: Matrix = np.real(W * np.maximum(np.real(w) - t, 0.0) @ np.linalg.inv(W))
    return result


@mistake(
    prox_nuclear,
    "Your factors do not multiply to the matrix even for t = 0. Which of its factors does the decomposition return "
    "transposed?",
)
def nuclear_factor_not_transposed(M: Matrix, t: float) -> Matrix:
    """U diag(max(s - t, 0)) V; M must be square. Invisible where V is symmetric."""
    U, s, Vt = np.linalg.svd(M, full_matrices=False)
    return _recombined(U, np.maximum(s - t, 0.0), Vt.T)


@mistake(
    prox_nuclear,
    "Your threshold acts on the squares of the singular values. How are they related to eigenvalues of M^T M?",
)
def nuclear_threshold_on_squares(M: Matrix, t: float) -> Matrix:
    """U diag(sqrt(max(s^2 - t, 0))) V^T. Invisible where t = 0."""
    U, s, Vt = np.linalg.svd(M, full_matrices=False)
    return _recombined(U, np.sqrt(np.maximum(s**2 - t, 0.0)), Vt)
