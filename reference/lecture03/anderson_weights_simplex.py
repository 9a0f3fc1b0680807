"""Weights that are not negative: the combination of gradients with the least norm over the simplex.

Problem     min 1/2 ||G alpha||^2 subject to alpha >= 0, alpha_0 + ... + alpha_m = 1; G in R^(d x (m+1)), one gradient
            a column. Another problem than that of anderson_weights.py: convex combinations cannot extrapolate.
Algorithm   projected gradient descent from alpha^0 = (1, ..., 1)/(m+1) with the step 1/lambda_max(G^T G):
                alpha^{j+1} = P[alpha^j - G^T G alpha^j / lambda_max(G^T G)],  P the projection onto the simplex
Guarantee   ||G alpha^j||^2 decreases to the optimal value. At a solution (G^T G alpha)_i is equal to its smallest
            entry wherever alpha_i > 0.
Cost        O(m^2) a step, once G^T G is formed; the projection sorts.
References  Lecture 4 part I, slide 10, eq. (1), as an application of projected gradient descent. Lecture 3 and the
            notes have the constraint on the sum only. The slide then combines the points themselves: see
            `without_the_map` in anderson_acceleration.py.
Catalogue   anderson_weights_simplex
Witness     scipy.optimize.nnls; the optimality conditions; enumeration of the supports

In the code the number of steps is `num_steps`.
"""

from __future__ import annotations

import numpy as np

from reference.lecture04.projections import project_simplex
from reference.problem import Matrix
from reference.variants import equivalent, mistake


def anderson_weights_simplex(gradients: Matrix, num_steps: int) -> Matrix:
    """The iterates alpha^0, ..., alpha^J, (J+1, m+1): each is feasible, row 0 has equal weights.

    Args:
        gradients: G, (d, m+1).
        num_steps: J >= 0.
    """
    gram = gradients.T @ gradients
    step = _inverse_of_largest_eigenvalue(gram)
    alpha = np.full(len(gram), 1 / len(gram))
    iterates = [alpha]
    for _ in range(num_steps):
        alpha = project_simplex(alpha - step * gram @ alpha)
        iterates.append(alpha)
    return np.array(iterates)


def _inverse_of_largest_eigenvalue(gram: Matrix) -> float:
    """1/lambda_max; 0 for a matrix of zeros, where all weights are optimal."""
    largest = float(np.linalg.eigvalsh(gram)[-1])
    return 1 / largest if largest > 0 else 0.0


@equivalent(anderson_weights_simplex)
def squared_norm_without_half(gradients: Matrix, num_steps: int) -> Matrix:
    """The objective ||G alpha||^2: twice the gradient, twice the smoothness constant, the same steps."""
    gram = 2 * gradients.T @ gradients
    step = _inverse_of_largest_eigenvalue(gram)
    alpha = np.full(len(gram), 1 / len(gram))
    iterates = [alpha]
    for _ in range(num_steps):
        alpha = project_simplex(alpha - step * gram @ alpha)
        iterates.append(alpha)
    return np.array(iterates)


@mistake(
    anderson_weights_simplex,
    "Your weights are feasible, but not the closest feasible ones to the gradient step: "
    "dividing by the sum is not a projection.",
)
def clipped_and_divided(gradients: Matrix, num_steps: int) -> Matrix:
    """max(alpha, 0) divided by its sum, in the place of the projection; nan where nothing is positive."""
    gram = gradients.T @ gradients
    step = _inverse_of_largest_eigenvalue(gram)
    alpha = np.full(len(gram), 1 / len(gram))
    iterates = [alpha]
    for _ in range(num_steps):
        alpha = np.maximum(alpha - step * gram @ alpha, 0)
        with np.errstate(invalid="ignore"):
            alpha = alpha / alpha.sum()
        iterates.append(alpha)
    return np.array(iterates)


@mistake(
    anderson_weights_simplex,
    "Your weights leave the simplex: the last thing that happens in a step is the gradient step. Which order is right?",
)
def projection_before_step(gradients: Matrix, num_steps: int) -> Matrix:
    """alpha^{j+1} = P[alpha^j] - step G^T G P[alpha^j]."""
    gram = gradients.T @ gradients
    step = _inverse_of_largest_eigenvalue(gram)
    alpha = np.full(len(gram), 1 / len(gram))
    iterates = [alpha]
    for _ in range(num_steps):
        projected = project_simplex(alpha)
        alpha = projected - step * gram @ projected
        iterates.append(alpha)
    return np.array(iterates)


@mistake(
    anderson_weights_simplex,
    "Your weights sum to one, and some are negative: one of the two constraints is missing.",
)
def sum_only(gradients: Matrix, num_steps: int) -> Matrix:
    """The projection onto {sum = 1}, without alpha >= 0: the problem of anderson_weights.py."""
    gram = gradients.T @ gradients
    step = _inverse_of_largest_eigenvalue(gram)
    alpha = np.full(len(gram), 1 / len(gram))
    iterates = [alpha]
    for _ in range(num_steps):
        alpha = alpha - step * gram @ alpha
        alpha = alpha + (1 - alpha.sum()) / len(gram)
        iterates.append(alpha)
    return np.array(iterates)
