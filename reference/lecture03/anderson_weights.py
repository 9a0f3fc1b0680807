"""The weights of Anderson acceleration: the affine combination of residuals with the least norm.

Problem     min 1/2 ||R alpha||^2 subject to alpha_0 + ... + alpha_m = 1; R = (r_0, ..., r_m) in R^(d x (m+1)).
            The weights may be negative: that is how the combination can extrapolate.
Algorithm   c = argmin ||r_0 - c_1 (r_0 - r_1) - ... - c_m (r_0 - r_m)||, a least-squares problem without constraint;
            alpha_0 = 1 - (c_1 + ... + c_m), alpha_i = c_i.
Guarantee   Where R has full column rank, alpha = (R^T R)^{-1} 1 / (1^T (R^T R)^{-1} 1), the only solution. With the
            multiplier lambda of the constraint: R^T R alpha + lambda 1 = 0 and ||R alpha||^2 = -lambda.
            Otherwise there are many solutions alpha with one R alpha, and R^T R has no inverse. That happens already
            in the example of the notes: three residuals in R^2.
Cost        O(d m^2).
References  Notes ch. 3, Proposition 4.1 and exercise 3, which has alpha in R^m for R^(m+1); homework 3, problem 2;
            Lecture 3 part I, slide 27. The form in differences is standard literature: Walker, Ni (2011).
Catalogue   anderson_weights
Witness     scipy.optimize.minimize with the constraint; the optimality conditions
"""

from __future__ import annotations

import numpy as np

from reference.problem import Matrix, Vector
from reference.variants import equivalent, mistake


def anderson_weights(residuals: Matrix) -> Vector:
    """alpha, (m+1,): sums to 1 and makes ||R alpha|| as small as possible.

    Args:
        residuals: R, (d, m+1), one residual a column; any rank.
    """
    differences = residuals[:, :1] - residuals[:, 1:]
    c = np.linalg.lstsq(differences, residuals[:, 0])[0]
    return np.concatenate([[1 - c.sum()], c])


# Correct other forms. The first three need a full column rank.


@equivalent(anderson_weights)
def closed_form(residuals: Matrix) -> Vector:
    """(R^T R)^{-1} 1, divided by its sum. Loses twice the digits; LinAlgError or nonsense without full column rank."""
    u = np.linalg.solve(residuals.T @ residuals, np.ones(residuals.shape[1]))
    return np.asarray(u / u.sum())


@equivalent(anderson_weights)
def optimality_system(residuals: Matrix) -> Vector:
    """R^T R alpha + lambda 1 = 0 and 1^T alpha = 1, as one linear system."""
    count = residuals.shape[1]
    system = np.ones((count + 1, count + 1))
    system[:count, :count] = residuals.T @ residuals
    system[count, count] = 0
    solution = np.linalg.solve(system, np.eye(count + 1)[count])
    return np.asarray(solution[:count], dtype=np.float64)


@equivalent(anderson_weights)
def triangular_factor(residuals: Matrix) -> Vector:
    """R = Q S with S triangular: S^T s = 1, S u = s, alpha = u / sum(u). R^T R is never formed."""
    S = np.linalg.qr(residuals).R
    u = np.linalg.solve(S, np.linalg.solve(S.T, np.ones(residuals.shape[1])))
    return np.asarray(u / u.sum())


@equivalent(anderson_weights)
def successive_differences(residuals: Matrix) -> Vector:
    """r_0 - g_1 (r_0 - r_1) - g_2 (r_1 - r_2) - ...: the same affine set, in other coordinates."""
    differences = residuals[:, :-1] - residuals[:, 1:]
    g = np.linalg.lstsq(differences, residuals[:, 0])[0]
    return np.asarray(np.append(1.0, g) - np.append(g, 0.0))


# Mistakes.


@mistake(anderson_weights, "Your weights do not sum to one. Which constraint is still to be met?")
def unnormalized(residuals: Matrix) -> Vector:
    """(R^T R)^{-1} 1 as it is."""
    u = np.linalg.lstsq(residuals.T @ residuals, np.ones(residuals.shape[1]))[0]
    return np.asarray(u, dtype=np.float64)


@mistake(anderson_weights, "Your weights have length one as a vector. What should be one: their norm, or their sum?")
def unit_norm(residuals: Matrix) -> Vector:
    """(R^T R)^{-1} 1 divided by its norm."""
    u = np.linalg.lstsq(residuals.T @ residuals, np.ones(residuals.shape[1]))[0]
    return np.asarray(u / np.linalg.norm(u))


@mistake(
    anderson_weights,
    "You have as many weights as coordinates, and it should be as many as residuals: which of the two products of the "
    "matrix with its transpose is it?",
)
def product_of_rows(residuals: Matrix) -> Vector:
    """(R R^T)^{-1} 1 divided by its sum, (d,): also what a transposed R gives."""
    u = np.linalg.lstsq(residuals @ residuals.T, np.ones(len(residuals)))[0]
    return np.asarray(u / u.sum())


@mistake(
    anderson_weights,
    "Your weights try to make all entries of the combination equal. Set the derivative of the squared norm to "
    "zero once more, with the constraint.",
)
def inverse_of_residuals(residuals: Matrix) -> Vector:
    """R^+ 1 divided by its sum."""
    u = np.linalg.pinv(residuals) @ np.ones(len(residuals))
    return np.asarray(u / u.sum())


@mistake(
    anderson_weights,
    "Your weights are never negative. The only constraint is on their sum, and negative weights are what lets the "
    "combination extrapolate.",
)
def absolute_values(residuals: Matrix) -> Vector:
    """|u| / sum |u| with u = (R^T R)^{-1} 1. Invisible where no weight is negative."""
    u = np.abs(np.linalg.lstsq(residuals.T @ residuals, np.ones(residuals.shape[1]))[0])
    return np.asarray(u / u.sum())


@mistake(
    anderson_weights,
    "Your weights miss the best combination where the residuals are linearly dependent. "
    "What does a pseudo-inverse do with the directions of eigenvalue zero?",
)
def pseudo_inverse(residuals: Matrix) -> Vector:
    """(R^T R)^+ 1 divided by its sum: without the null space of R, where the best weights are. Right for full rank."""
    u = np.linalg.pinv(residuals.T @ residuals, hermitian=True) @ np.ones(residuals.shape[1])
    return np.asarray(u / u.sum())
