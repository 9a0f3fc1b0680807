"""Problems whose function is spread over n nodes, f = (1/n) sum_i f_i, with the constants of f and of each f_i."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference.lecture01.distributed.nodes import Gradient, average_gradient
from reference.problem import Matrix, Problem, Vector
from reference.problems import quadratic


@dataclass(frozen=True)
class DistributedProblem(Problem):
    """min f(x) = (1/n) sum_i f_i(x), where node i knows f_i alone.

    `value`, `gradient`, L, mu, x* and f* of `Problem` are those of the average f.

    Args:
        gradients: grad f_i of each node, n functions (d,) -> (d,).
        node_smoothness: L_i of each f_i, (n,).
        node_strong_convexity: mu_i of each f_i, (n,).
    """

    gradients: Sequence[Gradient] = ()
    node_smoothness: Vector = field(default_factory=lambda: np.empty(0))
    node_strong_convexity: Vector = field(default_factory=lambda: np.empty(0))

    @property
    def starts(self) -> Matrix:
        """All nodes at x0, (n, d)."""
        return np.tile(self.x0, (len(self.gradients), 1))


def quadratic_nodes(hessians: NDArray[np.float64], minimizers: Matrix, x0: Vector, name: str) -> DistributedProblem:
    """f_i(x) = 1/2 (x - c_i)^T H_i (x - c_i); `hessians` (n, d, d) symmetric, `minimizers` (n, d) with row i = c_i.

    x* solves (sum_i H_i) x = sum_i H_i c_i.

    Raises:
        ValueError: where an H_i is not symmetric positive semi-definite, or their mean not positive definite.
    """
    mean_hessian = hessians.mean(axis=0)
    node_spectra = _spectra(hessians)
    spectrum = np.linalg.eigvalsh(mean_hessian)
    rounding = 1e-12 * node_spectra.max()
    if not np.array_equal(hessians, hessians.transpose(0, 2, 1)) or node_spectra.min() < -rounding:
        raise ValueError(f'A Hessian of a node of "{name}" is not symmetric positive semi-definite.')
    if spectrum[0] <= rounding:
        raise ValueError(f'The mean of the Hessians of "{name}" is not positive definite, so x* is not unique.')

    def value(x: Vector) -> float:
        return float(np.mean([(x - c) @ H @ (x - c) / 2 for H, c in zip(hessians, minimizers, strict=True)]))

    gradients = tuple(partial(_quadratic_gradient, H, c) for H, c in zip(hessians, minimizers, strict=True))
    minimizer = np.linalg.solve(mean_hessian, np.einsum("nij,nj->i", hessians, minimizers) / len(hessians))
    return DistributedProblem(
        name=name,
        value=value,
        gradient=partial(average_gradient, gradients),
        x0=x0,
        smoothness=float(spectrum[-1]),
        strong_convexity=float(spectrum[0]),
        minimizer=minimizer,
        minimum=value(minimizer),
        data={"hessians": hessians, "minimizers": minimizers},
        gradients=gradients,
        node_smoothness=node_spectra[:, -1],
        node_strong_convexity=np.maximum(node_spectra[:, 0], 0.0),
    )


def four_parabolas() -> DistributedProblem:
    """f_i(x) = (a_i/2) (x - c_i)^2 on n = 4 nodes, a = (1, 2, 3, 4), c = (3, -1, 2, 0), from x0 = 0.

    x* = 0.7, f* = 2.2625, L = mu = 2.5, max_i L_i = 4. The mean of the c_i is 1 and not x*: nodes that make many
    steps on their own end there.
    """
    return _parabolas((1.0, 2.0, 3.0, 4.0), (3.0, -1.0, 2.0, 0.0), "four parabolas")


def three_agents() -> DistributedProblem:
    """f_i(x) = (a_i/2) (x - c_i)^2 on n = 3 nodes, a = (1, 2, 3), c = (1, -1, 2), from x0 = 0; x* = 5/6, L = mu = 2."""
    return _parabolas((1.0, 2.0, 3.0), (1.0, -1.0, 2.0), "three agents")


def one_delayed_agent() -> Problem:
    """f(x) = 1/2 (x - 1)^2 from x0 = 3: delays up to 2 are stable for gamma < 0.618."""
    return quadratic(np.eye(1), np.ones(1), np.array([3.0]), name="one delayed agent")


def opposed_valleys(scale: float = 1.0) -> DistributedProblem:
    """f_i(x) = <a_i, x>^2 + 1/4 ||x||^2, a = (-3,2,2), (2,-3,2), (2,2,-3), from x0 = scale (1, 1, 1); x* = 0, f* = 0.

    f is strongly convex, mu = 7/6, L = 103/6. Each node's gradient at a multiple of (1, 1, 1) has its largest entry
    where it points the wrong way, so top-1 compression climbs for every step (Beznosikov et al. 2020).
    """
    a = np.full((3, 3), 2.0) - 5 * np.eye(3)
    hessians = 2 * a[:, :, None] * a[:, None, :] + np.eye(3) / 2
    return quadratic_nodes(hessians, np.zeros((3, 3)), np.full(3, scale), "opposed valleys")


def random_quadratic_nodes(
    nodes: int, dimension: int, smoothness: float, strong_convexity: float, spread: float, seed: int
) -> DistributedProblem:
    """Quadratic f_i, each H_i with eigenvalues geometrically spaced from L_i = L to mu_i = mu and its own eigenvectors.

    The minimiser of f_i is a common standard normal point plus `spread` times one of its own; with spread 0 the nodes
    agree on x*. x0 = (1, ..., 1). The average f has constants within [mu, L].

    Raises:
        ValueError: unless nodes >= 1, dimension >= 2 and L >= mu > 0.
    """
    if not (nodes >= 1 and dimension >= 2 and smoothness >= strong_convexity > 0):
        raise ValueError("Needs a node or more, two dimensions or more, and L >= mu > 0.")
    rng = np.random.default_rng(seed)
    Q = np.linalg.qr(rng.standard_normal((nodes, dimension, dimension))).Q
    H = Q * np.geomspace(smoothness, strong_convexity, dimension) @ Q.transpose(0, 2, 1)
    minimizers = rng.standard_normal(dimension) + spread * rng.standard_normal((nodes, dimension))
    name = f"{nodes} random quadratics, spread {spread:g}"
    return quadratic_nodes((H + H.transpose(0, 2, 1)) / 2, minimizers, np.ones(dimension), name)


def least_squares_nodes(
    A: NDArray[np.float64], b: Matrix, x0: Vector, name: str = "decentralised least squares"
) -> DistributedProblem:
    """f_i(x) = 1/2 ||A_i x - b_i||^2 with A (n, m, d), b (n, m): m rows on each node (Lecture 13-6, slide 5).

    Raises:
        ValueError: where all rows together do not have full column rank, so that x* is not unique.
    """
    nodes, rows, dimension = A.shape
    pooled_A, pooled_b = A.reshape(nodes * rows, dimension), b.reshape(nodes * rows)
    if int(np.linalg.matrix_rank(pooled_A)) < dimension:
        raise ValueError(f'The rows of "{name}" do not have full column rank, so x* is not unique.')

    def value(x: Vector) -> float:
        return float(np.sum((pooled_A @ x - pooled_b) ** 2) / (2 * nodes))

    gradients = tuple(partial(_least_squares_gradient, A_i, b_i) for A_i, b_i in zip(A, b, strict=True))
    minimizer = np.asarray(np.linalg.lstsq(pooled_A, pooled_b)[0], dtype=np.float64)
    node_spectra = _spectra(A.transpose(0, 2, 1) @ A)
    singular_values = np.linalg.svd(pooled_A, compute_uv=False)
    return DistributedProblem(
        name=name,
        value=value,
        gradient=partial(average_gradient, gradients),
        x0=x0,
        smoothness=float(singular_values[0] ** 2 / nodes),
        strong_convexity=float(singular_values[-1] ** 2 / nodes),
        minimizer=minimizer,
        minimum=value(minimizer),
        data={"A": A, "b": b},
        gradients=gradients,
        node_smoothness=node_spectra[:, -1],
        node_strong_convexity=np.maximum(node_spectra[:, 0], 0.0),
    )


def random_least_squares_nodes(nodes: int, rows: int, dimension: int, seed: int) -> DistributedProblem:
    """Standard normal A and b, x0 = (1, ..., 1).

    Raises:
        ValueError: where the nodes together have fewer rows than there are columns.
    """
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((nodes, rows, dimension))
    return least_squares_nodes(A, rng.standard_normal((nodes, rows)), np.ones(dimension))


# Stochastic gradients: functions (x, sample) -> (d,), for runs with samples.


def noisy_gradients(problem: DistributedProblem) -> list[Gradient]:
    """grad F(x; xi) = grad f_i(x) + xi, where a sample is a vector (d,): F(x; xi) = f_i(x) + <xi, x>, E xi = 0."""

    def noisy(gradient: Gradient, x: Vector, sample: Vector) -> Vector:
        return gradient(x) + sample

    return [partial(noisy, gradient) for gradient in problem.gradients]


def row_gradients(problem: DistributedProblem) -> list[Gradient]:
    """Of least squares on nodes: grad F(x; r) = m a_r (<a_r, x> - b_r), where a sample is one of the node's m rows.

    Unbiased where r is uniform on 0, ..., m-1.
    """
    A, b = np.asarray(problem.data["A"]), np.asarray(problem.data["b"])

    def of_row(A_i: Matrix, b_i: Vector, x: Vector, row: Any) -> Vector:
        return np.asarray(len(b_i) * A_i[row] * (A_i[row] @ x - b_i[row]))

    return [partial(of_row, A_i, b_i) for A_i, b_i in zip(A, b, strict=True)]


def _parabolas(curvatures: Sequence[float], minimizers: Sequence[float], name: str) -> DistributedProblem:
    return quadratic_nodes(np.array(curvatures)[:, None, None], np.array(minimizers)[:, None], np.zeros(1), name)


def _spectra(hessians: NDArray[np.float64]) -> Matrix:
    """Eigenvalues of each Hessian, smallest first, (n, d, d) -> (n, d)."""
    return np.asarray(np.linalg.eigvalsh(hessians), dtype=np.float64)


def _quadratic_gradient(hessian: Matrix, minimizer: Vector, x: Vector) -> Vector:
    return np.asarray(hessian @ (x - minimizer))


def _least_squares_gradient(A: Matrix, b: Vector, x: Vector) -> Vector:
    return np.asarray(A.T @ (A @ x - b))
