"""Constrained and composite problems: random ones with a prescribed solution, and the standard examples of Lecture 4.

A constrained problem has `project`, a composite one f + h has `penalty` h and `prox`; x* and f* are those of the whole
problem. The random ones start at x0 = (1, ..., 1), unless the constraint forbids it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from reference import problems
from reference.lecture04.projections import (
    project_box,
    project_hyperplane,
    project_l1_ball,
    project_l2_ball,
    project_simplex,
)
from reference.lecture04.prox_operators import prox_l1, prox_nuclear
from reference.problem import Matrix, Problem, Vector


def constrained(smooth: Problem, project: Callable[[Vector], Vector], minimizer: Vector, name: str) -> Problem:
    """min f(x) over a closed convex set, from a smooth f, the projection onto the set, and the known solution."""
    return replace(smooth, name=name, project=project, minimizer=minimizer, minimum=smooth.value(minimizer))


def l1_penalized(smooth: Problem, lam: float, minimizer: Vector, name: str) -> Problem:
    """min f(x) + lam ||x||_1, from a smooth f and the known solution; `data` has "lam" too."""

    def penalty(x: Vector) -> float:
        return lam * float(np.sum(np.abs(x)))

    return replace(
        smooth,
        name=name,
        penalty=penalty,
        prox=lambda v, t: prox_l1(v, t * lam),
        minimizer=minimizer,
        minimum=smooth.value(minimizer) + penalty(minimizer),
        data={**smooth.data, "lam": lam},
    )


# Random problems. The solution is chosen first, and f such that it satisfies the optimality condition there.


def random_box_quadratic(dimension: int, smoothness: float, strong_convexity: float, seed: int) -> Problem:
    """Quadratic over the box [-1, 1]^d. Every second coordinate of x* is at a bound, with a positive multiplier."""
    rng = np.random.default_rng(seed)
    hessian = problems.random_quadratic(dimension, smoothness, strong_convexity, seed).data["hessian"]
    minimizer = rng.uniform(-0.8, 0.8, dimension)
    minimizer[::2] = rng.choice([-1.0, 1.0], len(minimizer[::2]))
    outward_normal = np.zeros(dimension)
    outward_normal[::2] = minimizer[::2] * rng.uniform(0.5, 1.5, len(minimizer[::2]))
    unconstrained = minimizer + np.linalg.solve(hessian, outward_normal)
    smooth = problems.quadratic(np.asarray(hessian), unconstrained, np.ones(dimension))
    return constrained(smooth, partial(project_box, lower=-1.0, upper=1.0), minimizer, "quadratic over a box")


def random_simplex_quadratic(dimension: int, smoothness: float, strong_convexity: float, seed: int) -> Problem:
    """Quadratic over the probability simplex, from its vertex (1, 0, ..., 0). Every second coordinate of x* is 0."""
    rng = np.random.default_rng(seed)
    hessian = problems.random_quadratic(dimension, smoothness, strong_convexity, seed).data["hessian"]
    weights = rng.uniform(0.5, 1.5, dimension)
    weights[::2] = 0.0
    minimizer = weights / np.sum(weights)
    outward_normal = np.where(weights > 0, 0.3, 0.3 - rng.uniform(0.5, 1.5, dimension))
    unconstrained = minimizer + np.linalg.solve(hessian, outward_normal)
    smooth = problems.quadratic(np.asarray(hessian), unconstrained, np.eye(dimension)[0])
    return constrained(smooth, project_simplex, minimizer, "quadratic over the simplex")


def random_lasso(rows: int, columns: int, condition: float, lam: float, seed: int) -> Problem:
    """f(x) = 1/2 ||A x - b||^2 with L = 4, mu = 4/condition, h = lam ||x||_1. Every second coordinate of x* is 0."""
    rng = np.random.default_rng(seed)
    A = np.asarray(problems.random_least_squares(rows, columns, condition, seed).data["A"])
    minimizer = rng.choice([-1.0, 1.0], columns) * rng.uniform(0.5, 1.5, columns)
    minimizer[::2] = 0.0
    subgradient = np.where(minimizer == 0, rng.uniform(-0.9, 0.9, columns), np.sign(minimizer))
    b = A @ (minimizer + np.linalg.solve(A.T @ A, lam * subgradient))
    smooth = problems.least_squares(A, b, np.ones(columns))
    return l1_penalized(smooth, lam, minimizer, f"lasso, condition {condition:g}")


# Standard examples. The names TP7, ... are those of the course's catalogue.


def box_quadratic() -> Problem:
    """TP7: f(x) = 1/2 (x - b)^T [[2, 1], [1, 2]] (x - b) over [0, 1]^2, b = (2, 0.2), from (0, 0).

    L = 3, mu = 1, x* = (1, 0.7), f* = 0.75. The projection of the unconstrained minimiser b is (1, 0.2), not x*.
    """
    smooth = problems.quadratic(np.array([[2.0, 1.0], [1.0, 2.0]]), np.array([2.0, 0.2]), np.zeros(2))
    return constrained(smooth, partial(project_box, lower=0.0, upper=1.0), np.array([1.0, 0.7]), "box quadratic")


def hyperplane_quadratic() -> Problem:
    """TP8: f(x) = 1/2 (x_1^2 + 20 x_2^2) over x_1 + x_2 = 1, from (3, -2).

    L = 20, mu = 1, x* = (20/21, 1/21), f* = 10/21.
    """
    smooth = problems.quadratic(np.diag([1.0, 20.0]), np.zeros(2), np.array([3.0, -2.0]))
    project = partial(project_hyperplane, normal=np.ones(2), offset=1.0)
    return constrained(smooth, project, np.array([20 / 21, 1 / 21]), "hyperplane quadratic")


def l1_ball_least_squares() -> Problem:
    """TP9: f(x) = 1/2 ||A x - b||^2 over ||x||_1 <= 2, A = diag(2, 1, 0.5), b = (4, 1.5, 1), from 0.

    L = 4, mu = 0.25, x* = (1.7, 0.3, 0), f* = 1.4, grad f(x*) = (-1.2, -1.2, -0.5).
    """
    smooth = problems.least_squares(np.diag([2.0, 1.0, 0.5]), np.array([4.0, 1.5, 1.0]), np.zeros(3))
    project = partial(project_l1_ball, radius=2.0)
    return constrained(smooth, project, np.array([1.7, 0.3, 0.0]), "least squares over the l1 ball")


def face_changing_quadratic() -> Problem:
    """TP14: f(x) = 1/2 (x - b)^T [[2, 1.5], [1.5, 2]] (x - b) over [0, 1]^2, b = (0.5, 0.9), from (1, 0).

    L = 3.5, mu = 0.5, x* = b inside the box, f* = 0. The run leaves the side x_1 = 1, which shows who remembers
    unprojected points.
    """
    smooth = problems.quadratic(np.array([[2.0, 1.5], [1.5, 2.0]]), np.array([0.5, 0.9]), np.array([1.0, 0.0]))
    project = partial(project_box, lower=0.0, upper=1.0)
    return constrained(smooth, project, np.array([0.5, 0.9]), "box quadratic with a change of face")


def diagonal_lasso() -> Problem:
    """TP10: f(x) = 1/2 ((x_1 - 2)^2 + 20 (x_2 - 0.04)^2), h = ||x||_1, from 0.

    L = 20, mu = 1, x*_i is the soft threshold of b_i at 1/q_i, x* = (1, 0), psi* = 1.516.
    """
    smooth = problems.quadratic(np.diag([1.0, 20.0]), np.array([2.0, 0.04]), np.zeros(2))
    return l1_penalized(smooth, 1.0, np.array([1.0, 0.0]), "diagonal lasso")


def dense_lasso() -> Problem:
    """TP11: f(x) = 1/2 ||A x - b||^2 with A (4, 3), h = 0.7 ||x||_1, from 0.

    L = 5.25, mu = 0.75, x* = (71/75, -64/75, 0), psi* = 6163/3000, grad f(x*) = (-0.7, 0.7, 0.34).
    """
    A = np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 0.5], [0.5, 0.0, 1.0], [1.0, 1.0, 1.0]])
    smooth = problems.least_squares(A, np.array([1.0, -2.0, 0.5, 0.3]), np.zeros(3))
    return l1_penalized(smooth, 0.7, np.array([71 / 75, -64 / 75, 0.0]), "dense lasso")


def robust_pca_example() -> Problem:
    """TP12: robust PCA of a (3, 4) matrix of rank one with two entries corrupted, lam1 = 0.5, lam2 = 0.2.

    psi* = 4.774589227064, where the low-rank part has rank 1 and the sparse part 9 non-zeros.
    """
    M = np.outer([1.0, 2.0, 3.0], np.ones(4))
    M[0, 3] += 5
    M[2, 0] -= 4
    return robust_pca(M, low_rank_weight=0.5, sparse_weight=0.2)


def robust_pca(M: Matrix, low_rank_weight: float, sparse_weight: float) -> Problem:
    """f = 1/2 ||M - (X + S)||_F^2, h = lam1 ||X||_* + lam2 ||S||_1 over x = (X, S), an array (2, n, d), from 0.

    The smoothness constant is 2 (f sees X and S through their sum only), mu = 0. x* is the limit of the alternating
    minimisation, which is exact up to rounding where that has converged after 3000 rounds.
    """

    def value(x: Matrix) -> float:
        return 0.5 * float(np.sum((M - x[0] - x[1]) ** 2))

    def gradient(x: Matrix) -> Matrix:
        return np.array([x[0] + x[1] - M, x[0] + x[1] - M])

    def penalty(x: Matrix) -> float:
        singular_values = np.linalg.svd(x[0], compute_uv=False)
        return low_rank_weight * float(np.sum(singular_values)) + sparse_weight * float(np.sum(np.abs(x[1])))

    def prox(v: Matrix, t: float) -> Matrix:
        return np.array([prox_nuclear(v[0], t * low_rank_weight), prox_l1(v[1], t * sparse_weight)])

    low_rank = sparse = np.zeros(M.shape)
    for _ in range(3000):
        low_rank = prox_nuclear(M - sparse, low_rank_weight)
        sparse = prox_l1(M - low_rank, sparse_weight)
    minimizer = np.array([low_rank, sparse])
    return Problem(
        name="robust PCA",
        value=value,
        gradient=gradient,
        x0=np.zeros((2, *M.shape)),
        smoothness=2.0,
        strong_convexity=0.0,
        minimizer=minimizer,
        minimum=value(minimizer) + penalty(minimizer),
        data={"M": M, "low_rank_weight": low_rank_weight, "sparse_weight": sparse_weight},
        penalty=penalty,
        prox=prox,
    )


def nearest_point_of_a_wedge() -> Problem:
    """f(x) = 1/2 ||x - v||^2 over {x: x_2 <= 1, x_1 + x_2 <= 2} = {x: A x <= b}, v = x0 = (1.5, 3).

    x* = (1, 1), the corner of the wedge, is the projection of v; f* = 2.125. There is no `project`: it is what is
    asked for.
    """
    v, minimizer = np.array([1.5, 3.0]), np.array([1.0, 1.0])
    smooth = problems.quadratic(np.eye(2), v, v)
    data = {"A": np.array([[0.0, 1.0], [1.0, 1.0]]), "b": np.array([1.0, 2.0])}
    name = "nearest point of a wedge"
    return replace(smooth, name=name, minimizer=minimizer, minimum=smooth.value(minimizer), data=data)


def logistic_attack() -> Problem:
    """The attack on a linear classifier: the logistic loss ln(1 + exp(-<w, z>)) at z = xi + eta, to be made large.

    w = (3, -4), xi = (1, 0.5), ||eta||_2 <= 0.5, from eta = (0.3, 0.3). In terms of a minimisation f is minus the loss,
    not convex; x* = -0.5 w/||w|| = (-0.3, 0.4). L = ||w||^2 / 4.
    """
    w, clean_input, radius = np.array([3.0, -4.0]), np.array([1.0, 0.5]), 0.5

    def value(eta: Vector) -> float:
        return -float(np.logaddexp(0.0, -w @ (clean_input + eta)))

    def gradient(eta: Vector) -> Vector:
        return w * float(np.exp(-np.logaddexp(0.0, w @ (clean_input + eta))))

    minimizer = -radius * w / np.linalg.norm(w)
    return Problem(
        name="attack on a linear classifier",
        value=value,
        gradient=gradient,
        x0=np.array([0.3, 0.3]),
        smoothness=float(w @ w) / 4,
        strong_convexity=None,
        minimizer=minimizer,
        minimum=value(minimizer),
        data={"w": w, "clean_input": clean_input, "radius": radius},
        project=partial(project_l2_ball, radius=radius),
    )
