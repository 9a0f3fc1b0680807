"""Robust principal component analysis: a matrix as low-rank part plus sparse part, by two methods.

Problem     min 1/2 ||M - (X + S)||_F^2 + lam1 ||X||_* + lam2 ||S||_1 over X and S, M (n, d);
            ||X||_* is the sum of the singular values, ||S||_1 the sum of the absolute entries. Jointly convex.
Algorithm   from X_0 = S_0 = 0
            alternating minimisation   X_{k+1} = prox_{lam1 ||.||_*}(M - S_k)
                                       S_{k+1} = prox_{lam2 ||.||_1}(M - X_{k+1})
            proximal gradient          with D = X_k + S_k - M and gamma = 1/2, both at once:
                                       X_{k+1} = prox_{gamma lam1 ||.||_*}(X_k - gamma D)
                                       S_{k+1} = prox_{gamma lam2 ||.||_1}(S_k - gamma D)
Guarantee   alternating minimisation   psi(X_k, S_k) - psi* <= ||S*||^2 / (2k),  k >= 1
            proximal gradient          psi(X_k, S_k) - psi* <= (||X*||^2 + ||S*||^2) / k,  k >= 1
Cost        one singular value decomposition a step.
References  Lecture 4, part II, slides 4-5: the problem, and that alternating minimisation has subproblems of the form
            f + h. Both algorithms and their guarantees are derived. Candes, Li, Ma, Wright 2011 (with an
            equality constraint).
Catalogue   rpca_objective, rpca_altmin, rpca_proximal_gd
Witness     each method has the other's limit; proximal gradient descent on the pair (X, S)

The course's letter for the low-rank part is L, which here stays the smoothness constant. For the pair (X, S) that is 2,
since both have the same gradient D, and a step in both moves X + S twice.
"""

from __future__ import annotations

import numpy as np

from reference.conditions import known, require
from reference.lecture04 import problems
from reference.lecture04.prox_operators import prox_l1, prox_nuclear
from reference.problem import Matrix, Problem, Vector
from reference.quantities import gap
from reference.variants import convention, equivalent, example, guarantee, mistake


def robust_pca_objective(
    M: Matrix, low_rank: Matrix, sparse: Matrix, low_rank_weight: float, sparse_weight: float
) -> float:
    """1/2 ||M - (X + S)||_F^2 + lam1 ||X||_* + lam2 ||S||_1.

    Args:
        M: (n, d).
        low_rank: X, (n, d).
        sparse: S, (n, d).
        low_rank_weight: lam1 >= 0.
        sparse_weight: lam2 >= 0.
    """
    misfit = 0.5 * float(np.sum((M - low_rank - sparse) ** 2))
    nuclear_norm = float(np.sum(np.linalg.svd(low_rank, compute_uv=False)))
    return misfit + low_rank_weight * nuclear_norm + sparse_weight * float(np.sum(np.abs(sparse)))


def robust_pca_alternating(M: Matrix, low_rank_weight: float, sparse_weight: float, num_steps: int) -> Matrix:
    """The iterates of alternating minimisation, (K+1, 2, n, d): row k is the pair (X_k, S_k).

    Args:
        M: (n, d).
        low_rank_weight: lam1 >= 0.
        sparse_weight: lam2 >= 0.
        num_steps: K >= 0, rounds of both minimisations.
    """
    low_rank, sparse = np.zeros(M.shape), np.zeros(M.shape)
    iterates = [(low_rank, sparse)]
    for _ in range(num_steps):
        low_rank = prox_nuclear(M - sparse, low_rank_weight)
        sparse = prox_l1(M - low_rank, sparse_weight)
        iterates.append((low_rank, sparse))
    return np.array(iterates)


def robust_pca_proximal_gradient(
    M: Matrix, low_rank_weight: float, sparse_weight: float, num_steps: int, learning_rate: float = 0.5
) -> Matrix:
    """The iterates of proximal gradient descent on the pair, (K+1, 2, n, d): row k is (X_k, S_k).

    Args:
        M: (n, d).
        low_rank_weight: lam1 >= 0.
        sparse_weight: lam2 >= 0.
        num_steps: K >= 0.
        learning_rate: gamma; 1/2 is one over the smoothness constant.
    """
    low_rank, sparse = np.zeros(M.shape), np.zeros(M.shape)
    iterates = [(low_rank, sparse)]
    for _ in range(num_steps):
        gradient = low_rank + sparse - M
        low_rank = prox_nuclear(low_rank - learning_rate * gradient, learning_rate * low_rank_weight)
        sparse = prox_l1(sparse - learning_rate * gradient, learning_rate * sparse_weight)
        iterates.append((low_rank, sparse))
    return np.array(iterates)


# What the theorems say, for problems made by `problems.robust_pca`.


@guarantee(
    robust_pca_alternating,
    gap,
    "Derived: with X minimised out, a round is a proximal gradient step with gamma = 1/L = 1 in S alone, "
    "so psi(X_k, S_k) - psi* <= ||S*||^2 / (2k).",
)
def bound_alternating(problem: Problem, low_rank_weight: float, sparse_weight: float, num_steps: int) -> Vector:
    """||S*||^2 / (2k), (K+1,); infinite for k = 0.

    The minimum over X of psi without lam2 ||S||_1 is the Moreau envelope of lam1 ||.||_* at M - S: convex and 1-smooth
    in S, with gradient S + X - M for the minimising X = X_{k+1}.

    Raises:
        ValueError: unless the weights are those of the problem and (X*, S*) is known.
    """
    sparse = known(problem.minimizer, "minimiser", problem)[1]
    _require_weights(problem, low_rank_weight, sparse_weight)
    return float(np.sum(sparse**2)) / 2 * _reciprocals(num_steps)


@guarantee(
    robust_pca_proximal_gradient,
    gap,
    "Lecture 4, part II, the convex rate of proximal gradient descent with L = 2 and gamma = 1/2: "
    "psi(X_k, S_k) - psi* <= (||X*||^2 + ||S*||^2) / k.",
)
def bound_joint(
    problem: Problem, low_rank_weight: float, sparse_weight: float, num_steps: int, learning_rate: float = 0.5
) -> Vector:
    """(||X*||^2 + ||S*||^2) / (2 gamma k), (K+1,), for gamma <= 1/2; infinite for k = 0.

    Raises:
        ValueError: unless the weights are those of the problem, (X*, S*) is known and 0 < gamma <= 1/2.
    """
    minimizer = known(problem.minimizer, "minimiser", problem)
    _require_weights(problem, low_rank_weight, sparse_weight)
    require(0 < learning_rate <= 0.5, "a step 0 < gamma <= 1/2", problem)
    return float(np.sum(minimizer**2)) / (2 * learning_rate) * _reciprocals(num_steps)


def _require_weights(problem: Problem, low_rank_weight: float, sparse_weight: float) -> None:
    """ValueError unless lam1 and lam2 are those of the problem."""
    own = problem.data.get("low_rank_weight"), problem.data.get("sparse_weight")
    require(own == (low_rank_weight, sparse_weight), "the problem's own weights lam1 and lam2", problem)


def _reciprocals(num_steps: int) -> Vector:
    """1/k for k = 0, ..., K; infinite for k = 0."""
    return np.append(np.inf, 1 / np.arange(1.0, num_steps + 1))


# The objective.


@equivalent(robust_pca_objective)
def objective_entry_by_entry(
    M: Matrix, low_rank: Matrix, sparse: Matrix, low_rank_weight: float, sparse_weight: float
) -> float:
    """The nuclear norm from np.linalg.norm, the others summed over flat arrays."""
    residual = (M - low_rank - sparse).ravel()
    nuclear_norm = float(np.linalg.norm(low_rank, "nuc"))
    l1_norm = float(np.linalg.norm(sparse.ravel(), 1))
    return 0.5 * float(residual @ residual) + low_rank_weight * nuclear_norm + sparse_weight * l1_norm


@mistake(
    robust_pca_objective,
    "Your norm of S is the largest column sum. The sparse part is penalised entry by entry.",
)
def objective_with_operator_norm(
    M: Matrix, low_rank: Matrix, sparse: Matrix, low_rank_weight: float, sparse_weight: float
) -> float:
    """||S||_1 as np.linalg.norm(S, 1). Invisible where S has one column at most that is not 0."""
    entrywise = float(np.sum(np.abs(sparse)))
    difference = float(np.linalg.norm(sparse, 1)) - entrywise
    return robust_pca_objective(M, low_rank, sparse, low_rank_weight, sparse_weight) + sparse_weight * difference


@mistake(
    robust_pca_objective,
    "Your misfit counts twice. Which factor stands in front of the squared norm?",
)
def objective_without_one_half(
    M: Matrix, low_rank: Matrix, sparse: Matrix, low_rank_weight: float, sparse_weight: float
) -> float:
    """||M - X - S||^2 in place of half of it. Invisible where X + S = M."""
    misfit = 0.5 * float(np.sum((M - low_rank - sparse) ** 2))
    return robust_pca_objective(M, low_rank, sparse, low_rank_weight, sparse_weight) + misfit


@mistake(
    robust_pca_objective,
    "Your two weights have changed places. Which belongs to the low-rank part?",
)
def objective_with_swapped_weights(
    M: Matrix, low_rank: Matrix, sparse: Matrix, low_rank_weight: float, sparse_weight: float
) -> float:
    """lam2 ||X||_* + lam1 ||S||_1. Invisible where lam1 = lam2."""
    return robust_pca_objective(M, low_rank, sparse, sparse_weight, low_rank_weight)


# Alternating minimisation.


@equivalent(robust_pca_alternating)
def reduced_proximal_gradient(M: Matrix, low_rank_weight: float, sparse_weight: float, num_steps: int) -> Matrix:
    """Proximal gradient descent with step 1 in S alone: the gradient of the reduced function is S + X(S) - M."""
    low_rank, sparse = np.zeros(M.shape), np.zeros(M.shape)
    iterates = [(low_rank, sparse)]
    for _ in range(num_steps):
        low_rank = prox_nuclear(M - sparse, low_rank_weight)
        gradient = sparse + low_rank - M
        sparse = prox_l1(sparse - gradient, sparse_weight)
        iterates.append((low_rank, sparse))
    return np.array(iterates)


@convention(
    robust_pca_alternating,
    "The sparse part is minimised first. Another path to the same solution; the course does not say which comes first.",
)
def sparse_part_first(M: Matrix, low_rank_weight: float, sparse_weight: float, num_steps: int) -> Matrix:
    """S_{k+1} = prox(M - X_k), X_{k+1} = prox(M - S_{k+1})."""
    low_rank, sparse = np.zeros(M.shape), np.zeros(M.shape)
    iterates = [(low_rank, sparse)]
    for _ in range(num_steps):
        sparse = prox_l1(M - low_rank, sparse_weight)
        low_rank = prox_nuclear(M - sparse, low_rank_weight)
        iterates.append((low_rank, sparse))
    return np.array(iterates)


@mistake(
    robust_pca_alternating,
    "Your two thresholds have changed places. Which weight belongs to the low-rank part?",
)
def alternating_with_swapped_weights(M: Matrix, low_rank_weight: float, sparse_weight: float, num_steps: int) -> Matrix:
    """lam2 for the singular values, lam1 for the entries. Invisible where lam1 = lam2."""
    return robust_pca_alternating(M, sparse_weight, low_rank_weight, num_steps)


@mistake(
    robust_pca_alternating,
    "Your two updates both start from the old pair, so both take away the same misfit. "
    "Which low-rank part does the second minimisation know?",
)
def jacobi(M: Matrix, low_rank_weight: float, sparse_weight: float, num_steps: int) -> Matrix:
    """S_{k+1} = prox(M - X_k), with the old X: proximal gradient with gamma = 1, slower or without end."""
    low_rank, sparse = np.zeros(M.shape), np.zeros(M.shape)
    iterates = [(low_rank, sparse)]
    for _ in range(num_steps):
        low_rank, sparse = prox_nuclear(M - sparse, low_rank_weight), prox_l1(M - low_rank, sparse_weight)
        iterates.append((low_rank, sparse))
    return np.array(iterates)


@mistake(
    robust_pca_alternating,
    "Your low-rank part is thresholded entry by entry, which makes it sparse and not of low rank.",
)
def alternating_entrywise(M: Matrix, low_rank_weight: float, sparse_weight: float, num_steps: int) -> Matrix:
    """The soft threshold of the entries for both parts."""
    low_rank, sparse = np.zeros(M.shape), np.zeros(M.shape)
    iterates = [(low_rank, sparse)]
    for _ in range(num_steps):
        low_rank = prox_l1(M - sparse, low_rank_weight)
        sparse = prox_l1(M - low_rank, sparse_weight)
        iterates.append((low_rank, sparse))
    return np.array(iterates)


# Proximal gradient.


@mistake(
    robust_pca_proximal_gradient,
    "Your step is twice as long as the theory allows: the misfit moves with both parts at once. "
    "What is the largest eigenvalue of its Hessian in the pair?",
)
def joint_with_step_one(
    M: Matrix, low_rank_weight: float, sparse_weight: float, num_steps: int, learning_rate: float = 0.5
) -> Matrix:
    """gamma = 1, one over the smoothness constant of each part alone, whatever was asked for."""
    return robust_pca_proximal_gradient(M, low_rank_weight, sparse_weight, num_steps, learning_rate=1.0)


@mistake(
    robust_pca_proximal_gradient,
    "Your thresholds are the full weights, though the step is not 1. Which multiple of a penalty belongs to a step?",
)
def joint_thresholds_without_step(
    M: Matrix, low_rank_weight: float, sparse_weight: float, num_steps: int, learning_rate: float = 0.5
) -> Matrix:
    """The thresholds lam1 and lam2. Invisible where gamma = 1."""
    return robust_pca_proximal_gradient(
        M, low_rank_weight / learning_rate, sparse_weight / learning_rate, num_steps, learning_rate
    )


@mistake(
    robust_pca_proximal_gradient,
    "Your second part moves with a gradient that has already seen the first. "
    "At which pair does the method take its gradient?",
)
def joint_one_after_the_other(
    M: Matrix, low_rank_weight: float, sparse_weight: float, num_steps: int, learning_rate: float = 0.5
) -> Matrix:
    """D computed again between the two updates: a correct coordinate method, and another path."""
    low_rank, sparse = np.zeros(M.shape), np.zeros(M.shape)
    iterates = [(low_rank, sparse)]
    for _ in range(num_steps):
        gradient = low_rank + sparse - M
        low_rank = prox_nuclear(low_rank - learning_rate * gradient, learning_rate * low_rank_weight)
        gradient = low_rank + sparse - M
        sparse = prox_l1(sparse - learning_rate * gradient, learning_rate * sparse_weight)
        iterates.append((low_rank, sparse))
    return np.array(iterates)


@mistake(
    robust_pca_proximal_gradient,
    "Your two thresholds have changed places. Which weight belongs to the low-rank part?",
)
def joint_with_swapped_weights(
    M: Matrix, low_rank_weight: float, sparse_weight: float, num_steps: int, learning_rate: float = 0.5
) -> Matrix:
    """lam2 for the singular values, lam1 for the entries. Invisible where lam1 = lam2."""
    return robust_pca_proximal_gradient(M, sparse_weight, low_rank_weight, num_steps, learning_rate)


example(
    robust_pca_alternating,
    problems.robust_pca_example,
    gap,
    M=lambda problem: problem.data["M"],
    low_rank_weight=lambda problem: problem.data["low_rank_weight"],
    sparse_weight=lambda problem: problem.data["sparse_weight"],
    num_steps=200,
)
example(
    robust_pca_proximal_gradient,
    problems.robust_pca_example,
    gap,
    M=lambda problem: problem.data["M"],
    low_rank_weight=lambda problem: problem.data["low_rank_weight"],
    sparse_weight=lambda problem: problem.data["sparse_weight"],
    num_steps=200,
)
