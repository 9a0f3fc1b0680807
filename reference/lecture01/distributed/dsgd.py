"""Decentralised SGD: each node makes a gradient step and then averages with its neighbours alone.

Problem     min f(x) = (1/n) sum_i f_i(x) over R^d;  f_i(x) = E F(x; xi_i) is known to node i alone.
Algorithm   x_i^(k+1/2)  = x_i^(k) - gamma grad F(x_i^(k); xi_i^(k))            adapt
            x_i^(k+1)    = sum_{j in N_i} w_ij x_j^(k+1/2),  k = 0, ..., K-1    combine
            N_i are the neighbours of i and i itself; w_ij scales what comes from j to i (row = receiver).
            With one row a node: X^(k+1) = W (X^(k) - gamma G(X^(k))).
Guarantee   none in Lecture 1. Standard conditions on W: doubly stochastic, w_ij = 0 off the graph, and
            rho = ||W - J||_2 < 1 with J = 1 1^T / n. W = J from equal starts is PSGD. A constant gamma leaves a bias
            of O(gamma): on quadratics f_i = 1/2 (x - c_i)^T H_i (x - c_i) the limit, which is not x*, solves
            (I - W (I - gamma H)) X = gamma W H C (`dsgd_limit`; derived).
            Exact gradients, f strongly convex, gamma <= 2/(L+mu): the distance to x* is bounded by `drift_bound` with
            rho_k = rho, in the limit by a number that is O(gamma) (derived).
Cost        a step: one stochastic gradient on each node, and one vector to and from each neighbour: O(max_i |N_i|)
            instead of O(n) for a server.
References  Lecture 1, part 4, slides 14-16 (Lopes and Sayed 2008); Lecture 13-6, slide 5 (least squares). Slide 16 is
            titled as if it were about compression.
Catalogue   dsgd
Witness     PSGD for W = J; limits by linear algebra; mean preserved for gamma = 0

Adapt then combine is the course's order. Other orders are other methods, with other iterates and another limit:
see the conventions below. Mixing matrices are in `mixing`.

In the code gamma is `learning_rate`, W is `weights` and K is `num_steps`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from reference.conditions import require
from reference.lecture01.distributed.drift import drift_bound, require_common_start, require_exact, start_distance
from reference.lecture01.distributed.mixing import directed_ring, is_doubly_stochastic, mixing_rate, ring_of_four
from reference.lecture01.distributed.nodes import Gradient, Path, Samples, draws, local_gradient, local_gradients
from reference.lecture01.distributed.problems import (
    DistributedProblem,
    least_squares_nodes,
    random_least_squares_nodes,
    random_quadratic_nodes,
)
from reference.lecture01.distributed.quantities import rms_distance
from reference.problem import Matrix, Vector
from reference.variants import convention, equivalent, example, guarantee, mistake


def dsgd(
    gradients: Sequence[Gradient],
    weights: Matrix,
    x0: Matrix,
    learning_rate: float,
    num_steps: int,
    samples: Samples = None,
) -> Path:
    """The iterates of all nodes, (K+1, n, d) float64: row k, i is x_i^(k).

    Args:
        gradients: grad f_i of each node, n functions (d,) -> (d,); each called once a step. With samples,
            gradients[i](x, xi) = grad F(x; xi).
        weights: W, (n, n); weights[i, j] is what node i gives to the point of node j.
        x0: starting points, (n, d), row i of node i; left as they are.
        learning_rate: gamma, the constant step.
        num_steps: K >= 0.
        samples: samples[k][i] = xi_i^(k), or None where the gradients are exact.

    Raises:
        ValueError: where there are samples, but not for K steps and n nodes.
    """
    X = np.array(x0, dtype=np.float64)
    iterates = [X]
    for xi in draws(samples, num_steps):
        adapted = X - learning_rate * local_gradients(gradients, X, xi)
        X = weights @ adapted
        iterates.append(X)
    return np.array(iterates)


def decentralized_least_squares(
    A: NDArray[np.float64], b: Matrix, weights: Matrix, x0: Matrix, learning_rate: float, num_steps: int
) -> Path:
    """DSGD with exact gradients for f_i(x) = 1/2 ||A_i x - b_i||^2 (Lecture 13-6, slide 5); (K+1, n, d).

    y_i = x_i - gamma A_i^T (A_i x_i - b_i),  x_i <- sum_{j in N_i} w_ij y_j

    Args:
        A: A_i, the rows of each node, (n, m, d).
        b: b_i, row i, (n, m).
        weights: W, (n, n), row = receiver.
        x0: starting points, (n, d); left as they are.
        learning_rate: gamma.
        num_steps: K >= 0.
    """
    X = np.array(x0, dtype=np.float64)
    iterates = [X]
    for _ in range(num_steps):
        Y = np.array([x - learning_rate * A_i.T @ (A_i @ x - b_i) for x, A_i, b_i in zip(X, A, b, strict=True)])
        X = weights @ Y
        iterates.append(X)
    return np.array(iterates)


# What theory says.


@guarantee(
    dsgd,
    rms_distance,
    "Derived, not a theorem of the course: for mu-strongly convex, L-smooth f, L_i-smooth f_i, a doubly stochastic W, "
    "exact gradients and gamma <= 2/(L+mu), the nodes stay as close to x* as the recursion for their mean and their "
    "disagreement says.",
)
def bound_strongly_convex(
    problem: DistributedProblem,
    weights: Matrix,
    x0: Matrix,
    learning_rate: float,
    num_steps: int,
    samples: Samples = None,
) -> Vector:
    """(a_k^2 + c_k^2)^(1/2) of `drift_bound`, (K+1,), with rho_k = ||W - J||_2.

    Attained for W = J on quadratics from x* plus an eigenvector of mu.

    Raises:
        ValueError: unless f is L-smooth and mu-strongly convex, x* is known, 0 < gamma <= 2/(L+mu), W is doubly
            stochastic, all nodes start at the problem's x0 and gradients are exact.
    """
    require_exact(samples, problem)
    require_common_start(x0, problem)
    require(is_doubly_stochastic(weights), "doubly stochastic weights W", problem)
    contractions = [mixing_rate(weights)] * num_steps
    a, c = drift_bound(problem, learning_rate, contractions, start_distance(problem))
    return np.hypot(a, c)


def dsgd_limit(hessians: NDArray[np.float64], minimizers: Matrix, weights: Matrix, learning_rate: float) -> Matrix:
    """Where the nodes tend to on quadratics: X with (I - W (I - gamma H)) X = gamma W H C, (n, d).

    H X has the rows H_i x_i. W acts on the nodes and H on the coordinates of each node: one linear system in n d
    unknowns.

    Args:
        hessians: H_i, (n, d, d).
        minimizers: c_i, row i, (n, d).
        weights: W, (n, n).
        learning_rate: gamma, so small that the method converges.
    """
    n, d = minimizers.shape
    W = np.kron(weights, np.eye(d))
    H = np.zeros((n * d, n * d))
    for i in range(n):
        H[i * d : (i + 1) * d, i * d : (i + 1) * d] = hessians[i]
    system = np.eye(n * d) - W @ (np.eye(n * d) - learning_rate * H)
    return np.asarray(np.linalg.solve(system, learning_rate * W @ H @ minimizers.ravel()).reshape(n, d))


# Correct other forms.


@equivalent(dsgd, "Node by node, over the neighbours that it hears.")
def node_by_node(
    gradients: Sequence[Gradient],
    weights: Matrix,
    x0: Matrix,
    learning_rate: float,
    num_steps: int,
    samples: Samples = None,
) -> Path:
    """Two loops over nodes: one for the gradient steps, one for the averages."""
    n = len(gradients)
    X = np.array(x0, dtype=np.float64)
    iterates = [X]
    for xi in draws(samples, num_steps):
        adapted = np.empty_like(X)
        for i in range(n):
            g = local_gradient(gradients[i], X[i], None if xi is None else xi[i])
            adapted[i] = X[i] - learning_rate * g
        X = np.zeros_like(X)
        for i in range(n):
            for j in np.flatnonzero(weights[i]):
                X[i] += weights[i, j] * adapted[j]
        iterates.append(X)
    return np.array(iterates)


@equivalent(dsgd, "As one vector of length n d, with the Kronecker product of W and the identity.")
def stacked_vector(
    gradients: Sequence[Gradient],
    weights: Matrix,
    x0: Matrix,
    learning_rate: float,
    num_steps: int,
    samples: Samples = None,
) -> Path:
    """vec <- (W kron I_d) (vec - gamma g)."""
    n, d = np.shape(x0)
    mixing = np.kron(weights, np.eye(d))
    stacked = np.array(x0, dtype=np.float64).ravel()
    iterates = [stacked]
    for xi in draws(samples, num_steps):
        g = local_gradients(gradients, stacked.reshape(n, d), xi).ravel()
        stacked = mixing @ (stacked - learning_rate * g)
        iterates.append(stacked)
    return np.array(iterates).reshape(-1, n, d)


@equivalent(decentralized_least_squares, "DSGD with the gradients of the nodes.")
def by_dsgd(
    A: NDArray[np.float64], b: Matrix, weights: Matrix, x0: Matrix, learning_rate: float, num_steps: int
) -> Path:
    """The general method on the special problem."""
    gradients = least_squares_nodes(A, b, np.asarray(x0[0], dtype=np.float64)).gradients
    return dsgd(gradients, weights, x0, learning_rate, num_steps)


# Other sources' forms.


@convention(
    dsgd, "Decentralised gradient descent (Nedic and Ozdaglar 2009): average and gradient, both at the old points."
)
def gradient_beside_average(
    gradients: Sequence[Gradient],
    weights: Matrix,
    x0: Matrix,
    learning_rate: float,
    num_steps: int,
    samples: Samples = None,
) -> Path:
    """X^(k+1) = W X^(k) - gamma G(X^(k)). Invisible for one node."""
    X = np.array(x0, dtype=np.float64)
    iterates = [X]
    for xi in draws(samples, num_steps):
        X = weights @ X - learning_rate * local_gradients(gradients, X, xi)
        iterates.append(X)
    return np.array(iterates)


@convention(dsgd, "Combine then adapt (Lopes and Sayed 2008): the gradient is taken at the averaged point.")
def combine_then_adapt(
    gradients: Sequence[Gradient],
    weights: Matrix,
    x0: Matrix,
    learning_rate: float,
    num_steps: int,
    samples: Samples = None,
) -> Path:
    """Z = W X^(k),  X^(k+1) = Z - gamma G(Z): the points half a step earlier; W times them is DSGD from W x0."""
    X = np.array(x0, dtype=np.float64)
    iterates = [X]
    for xi in draws(samples, num_steps):
        combined = weights @ X
        X = combined - learning_rate * local_gradients(gradients, combined, xi)
        iterates.append(X)
    return np.array(iterates)


# What goes wrong.


@mistake(dsgd, "Your nodes weigh what they send and not what they get. Which index of a weight is the receiver?")
def transposed_weights(
    gradients: Sequence[Gradient],
    weights: Matrix,
    x0: Matrix,
    learning_rate: float,
    num_steps: int,
    samples: Samples = None,
) -> Path:
    """X^(k+1) = W^T (X^(k) - gamma G). Invisible for a symmetric W."""
    return dsgd(gradients, np.transpose(weights), x0, learning_rate, num_steps, samples)


@mistake(dsgd, "Your points shrink towards zero: the nodes leave themselves out of their averages.")
def no_self_loop(
    gradients: Sequence[Gradient],
    weights: Matrix,
    x0: Matrix,
    learning_rate: float,
    num_steps: int,
    samples: Samples = None,
) -> Path:
    """The diagonal of W is left out, and the rows do not sum to 1. Invisible for a W with a zero diagonal."""
    W = np.array(weights, dtype=np.float64)
    np.fill_diagonal(W, 0.0)
    return dsgd(gradients, W, x0, learning_rate, num_steps, samples)


@mistake(dsgd, "Your points grow at each communication: they are added up, and not averaged.")
def unweighted_sum(
    gradients: Sequence[Gradient],
    weights: Matrix,
    x0: Matrix,
    learning_rate: float,
    num_steps: int,
    samples: Samples = None,
) -> Path:
    """x_i^(k+1) = sum_{j in N_i} x_j^(k+1/2): W is read as a list of neighbours."""
    return dsgd(gradients, (np.asarray(weights) != 0).astype(np.float64), x0, learning_rate, num_steps, samples)


@mistake(
    dsgd,
    "Your nodes are updated one after the other, and the later ones already see the new points of the earlier ones. "
    "Communication happens at the same time for all.",
)
def gauss_seidel(
    gradients: Sequence[Gradient],
    weights: Matrix,
    x0: Matrix,
    learning_rate: float,
    num_steps: int,
    samples: Samples = None,
) -> Path:
    """The averages overwrite the points in place, node after node."""
    X = np.array(x0, dtype=np.float64)
    iterates = [X]
    for xi in draws(samples, num_steps):
        X = X - learning_rate * local_gradients(gradients, X, xi)
        for i in range(len(X)):
            X[i] = weights[i] @ X
        iterates.append(X)
    return np.array(iterates)


@mistake(dsgd, "You report the mean of all nodes in every row, which no node knows. Where is each node itself?")
def global_mean_reported(
    gradients: Sequence[Gradient],
    weights: Matrix,
    x0: Matrix,
    learning_rate: float,
    num_steps: int,
    samples: Samples = None,
) -> Path:
    """Rows are (1/n) sum_j x_j^(k). Invisible where all nodes agree, as for W = J from equal starts."""
    iterates = dsgd(gradients, weights, x0, learning_rate, num_steps, samples)
    return np.repeat(iterates.mean(axis=1, keepdims=True), iterates.shape[1], axis=1)


@mistake(dsgd, "All your nodes agree after each step: they average over everybody, also those who are no neighbours.")
def global_average(
    gradients: Sequence[Gradient],
    weights: Matrix,
    x0: Matrix,
    learning_rate: float,
    num_steps: int,
    samples: Samples = None,
) -> Path:
    """W = J, whatever was asked for."""
    n = len(weights)
    return dsgd(gradients, np.full((n, n), 1 / n), x0, learning_rate, num_steps, samples)


@mistake(dsgd, "Your nodes never communicate: each ends at the minimiser of its own function.")
def no_communication(
    gradients: Sequence[Gradient],
    weights: Matrix,
    x0: Matrix,
    learning_rate: float,
    num_steps: int,
    samples: Samples = None,
) -> Path:
    """W = I, whatever was asked for. Invisible where all f_i and starts are equal and gradients exact."""
    return dsgd(gradients, np.eye(len(weights)), x0, learning_rate, num_steps, samples)


@mistake(
    decentralized_least_squares,
    "Your steps are too short by the number of rows that a node has. The function is a sum of squares, not a mean.",
)
def divided_by_rows(
    A: NDArray[np.float64], b: Matrix, weights: Matrix, x0: Matrix, learning_rate: float, num_steps: int
) -> Path:
    """gamma/m for gamma. Invisible for one row a node."""
    return decentralized_least_squares(A, b, weights, x0, learning_rate / A.shape[1], num_steps)


@mistake(
    decentralized_least_squares,
    "Your steps are twice as long as they should be. Which factor has the function in front of the square?",
)
def doubled_gradient(
    A: NDArray[np.float64], b: Matrix, weights: Matrix, x0: Matrix, learning_rate: float, num_steps: int
) -> Path:
    """2 A_i^T (A_i x - b_i) for A_i^T (A_i x - b_i)."""
    return decentralized_least_squares(A, b, weights, x0, 2 * learning_rate, num_steps)


example(
    dsgd,
    partial(random_quadratic_nodes, nodes=4, dimension=4, smoothness=2.0, strong_convexity=0.5, spread=0.3, seed=1),
    rms_distance,
    gradients=lambda problem: problem.gradients,
    weights=directed_ring(4),
    x0=lambda problem: problem.starts,
    learning_rate=0.05,
    num_steps=150,
    samples=None,
)
example(
    decentralized_least_squares,
    partial(random_least_squares_nodes, nodes=4, rows=5, dimension=3, seed=1),
    rms_distance,
    A=lambda problem: problem.data["A"],
    b=lambda problem: problem.data["b"],
    weights=ring_of_four(),
    x0=lambda problem: problem.starts,
    learning_rate=lambda problem: 0.2 / problem.node_smoothness.max(),
    num_steps=200,
)
