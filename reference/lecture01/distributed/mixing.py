"""Weights with which neighbours average: mixing matrices of a graph, and how fast they average.

Problem     n nodes with edges between some of them. W (n, n) with w_ij the weight that node i gives to what comes from
            node j (row = receiver), w_ij = 0 unless i = j or there is an edge: X <- W X is one round of messages.
Algorithm   Metropolis weights: w_ij = 1 / (1 + max(d_i, d_j)) on an edge, d_i the number of neighbours of i without i
            itself; w_ii = 1 - sum_{j != i} w_ij, which is positive.
Guarantee   For a doubly stochastic W (rows and columns sum to 1, no negative weight) the mean over the nodes stays, and
            differences shrink: ||W X - mean|| <= rho ||X - mean||, rho = ||W - 1 1^T / n||_2.
            Metropolis weights are symmetric and doubly stochastic, and rho < 1 where the graph is connected.
Cost        one vector to and one from each neighbour.
References  Lecture 1, part 4, slides 14-15 (the graph of slide 14; W without conditions). Conditions and weights are
            standard literature (Xiao and Boyd 2004), not in the course.
Witness     eigenvalues by NumPy
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reference.problem import Matrix
from reference.variants import equivalent, mistake

Edges = Sequence[tuple[int, int]]


def metropolis_weights(num_nodes: int, edges: Edges) -> Matrix:
    """Metropolis weights of an undirected graph, (n, n) symmetric and doubly stochastic.

    Args:
        num_nodes: n; the nodes are 0, ..., n-1.
        edges: each edge once, as (i, j) with i != j.
    """
    degrees = np.bincount(np.ravel(np.array(edges, dtype=np.int64)), minlength=num_nodes)
    W = np.zeros((num_nodes, num_nodes))
    for i, j in edges:
        W[i, j] = W[j, i] = 1 / (1 + max(degrees[i], degrees[j]))
    np.fill_diagonal(W, 1 - W.sum(axis=1))
    return W


def mixing_rate(W: Matrix) -> float:
    """rho = ||W - 1 1^T / n||_2: 0 for the average over all, 1 where some difference never shrinks."""
    return float(np.linalg.norm(W - 1 / len(W), 2))


def is_doubly_stochastic(W: Matrix) -> bool:
    """No negative weight, rows and columns with the sum 1 up to rounding."""
    return bool((W >= -1e-12).all() and np.allclose(W.sum(axis=0), 1) and np.allclose(W.sum(axis=1), 1))


def ring_edges(num_nodes: int) -> list[tuple[int, int]]:
    """0 - 1 - ... - n-1 - 0; n >= 3."""
    return [(i, (i + 1) % num_nodes) for i in range(num_nodes)]


def ring_of_four() -> Matrix:
    """w_ii = 1/2, w_ij = 1/4 for the two neighbours on a ring of four nodes; eigenvalues 1, 1/2, 1/2, 0."""
    return np.array([[0.5, 0.25, 0, 0.25], [0.25, 0.5, 0.25, 0], [0, 0.25, 0.5, 0.25], [0.25, 0, 0.25, 0.5]])


def directed_ring(num_nodes: int) -> Matrix:
    """w_ii = w_{i,i-1} = 1/2: each node hears the one before it. Doubly stochastic, not symmetric."""
    return np.asarray((np.eye(num_nodes) + np.roll(np.eye(num_nodes), 1, axis=0)) / 2)


def slide_edges() -> list[tuple[int, int]]:
    """The 15 edges of the graph on slide 14. Its nodes 1, ..., 10 are 0, ..., 9 here, its i is 10 and its n is 11."""
    i, n = 11, 12
    drawn = [(1, 2), (2, 3), (3, 4), (3, 5), (5, 9), (9, 6), (4, 6), (6, 7), (1, 8), (1, i), (4, i), (7, i)]
    drawn += [(8, n), (7, n), (10, n)]
    return [(a - 1, b - 1) for a, b in drawn]


@equivalent(metropolis_weights, "From the adjacency matrix, without a loop over edges.")
def by_adjacency(num_nodes: int, edges: Edges) -> Matrix:
    """W = A / (1 + max(d_i, d_j)) entry by entry, and the diagonal that is left."""
    A = np.zeros((num_nodes, num_nodes))
    for i, j in edges:
        A[i, j] = A[j, i] = 1
    degrees = A.sum(axis=1)
    W = A / (1 + np.maximum(degrees[:, None], degrees[None, :]))
    return np.asarray(W + np.diag(1 - W.sum(axis=1)))


@mistake(
    metropolis_weights,
    "Your rows sum to one and your columns do not: nodes with many neighbours count more in the end. "
    "The weight of an edge has to suit both ends.",
)
def own_degree(num_nodes: int, edges: Edges) -> Matrix:
    """w_ij = 1/(1 + d_i) on an edge and for j = i. Invisible where all degrees are equal, as on a ring."""
    W = np.eye(num_nodes)
    for i, j in edges:
        W[i, j] = W[j, i] = 1
    return np.asarray(W / W.sum(axis=1, keepdims=True))


@mistake(metropolis_weights, "Your nodes forget their own value where a node gives all its weight to its neighbours.")
def without_the_one(num_nodes: int, edges: Edges) -> Matrix:
    """w_ij = 1/max(d_i, d_j), w_ii what is left: 0 on a ring, where with an even n differences never shrink."""
    degrees = np.bincount(np.ravel(np.array(edges, dtype=np.int64)), minlength=num_nodes)
    W = np.zeros((num_nodes, num_nodes))
    for i, j in edges:
        W[i, j] = W[j, i] = 1 / max(degrees[i], degrees[j])
    np.fill_diagonal(W, 1 - W.sum(axis=1))
    return W


@mistake(metropolis_weights, "Your rows do not sum to one: what weight does a node give to itself?")
def no_self_weight(num_nodes: int, edges: Edges) -> Matrix:
    """w_ii = 0."""
    W = metropolis_weights(num_nodes, edges)
    np.fill_diagonal(W, 0.0)
    return W
