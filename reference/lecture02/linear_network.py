"""Gradients of a three-layer linear network by backpropagation.

Problem     f(W1, W2, W3) = 1/2 ||W3 W2 W1 a - b||^2 for one sample;
            a (d,), b (m,), W1 (q, d), W2 (p, q), W3 (m, p).
Algorithm   forward    h1 = W1 a,  h2 = W2 h1,  r = W3 h2 - b,  f = 1/2 ||r||^2
            backward   G3 = r h2^T,  d2 = W3^T r,  G2 = d2 h1^T,  d1 = W2^T d2,  G1 = d1 a^T
Guarantee   exact; in exact arithmetic W3^T G3 = G2 W2^T and W2^T G2 = G1 W1^T for all weights.
Cost        three products forward, two transposed products and three outer products backward; h1 and h2 are kept.
References  Homework 2, problem 3; Lecture 2, slide 2.
Catalogue   linear_net3_backprop
Witness     torch.autograd; invariant W3^T G3 = G2 W2^T
"""

from __future__ import annotations

import numpy as np

from reference.problem import Matrix, Vector
from reference.variants import equivalent, mistake

Gradients = tuple[Matrix, Matrix, Matrix]


def linear_network_gradients(W1: Matrix, W2: Matrix, W3: Matrix, a: Vector, b: Vector) -> Gradients:
    """(G1, G2, G3), the gradients of f with respect to W1, W2, W3, each of the shape of its weight.

    Args:
        W1: (q, d).
        W2: (p, q).
        W3: (m, p).
        a: input, (d,).
        b: target, (m,).
    """
    h1 = W1 @ a
    h2 = W2 @ h1
    r = W3 @ h2 - b

    d2 = W3.T @ r
    d1 = W2.T @ d2
    return np.outer(d1, a), np.outer(d2, h1), np.outer(r, h2)


def linear_network_value(W1: Matrix, W2: Matrix, W3: Matrix, a: Vector, b: Vector) -> float:
    """f = 1/2 ||W3 W2 W1 a - b||^2, from right to left: three products of a matrix with a vector.

    Args:
        W1: (q, d).
        W2: (p, q).
        W3: (m, p).
        a: input, (d,).
        b: target, (m,).
    """
    r = W3 @ (W2 @ (W1 @ a)) - b
    return float(0.5 * r @ r)


@equivalent(linear_network_value)
def value_by_product_matrix(W1: Matrix, W2: Matrix, W3: Matrix, a: Vector, b: Vector) -> float:
    """The three layers multiplied into one matrix first."""
    return float(0.5 * np.linalg.norm((W3 @ W2 @ W1) @ a - b) ** 2)


@mistake(
    linear_network_value,
    "Your value is a fixed multiple of the right one. Compare the constant in front of the norm.",
)
def value_without_half(W1: Matrix, W2: Matrix, W3: Matrix, a: Vector, b: Vector) -> float:
    """||W3 W2 W1 a - b||^2."""
    r = W3 @ W2 @ W1 @ a - b
    return float(r @ r)


@mistake(
    linear_network_value,
    "Your value looks at the network's output alone: it is the same for every target.",
)
def value_without_target(W1: Matrix, W2: Matrix, W3: Matrix, a: Vector, b: Vector) -> float:
    """1/2 ||W3 W2 W1 a||^2. Invisible for b = 0."""
    o = W3 @ W2 @ W1 @ a
    return float(0.5 * o @ o)


@mistake(
    linear_network_value,
    "Your value depends on the number of outputs as an average does. Is f a mean over them, or a sum?",
)
def value_averaged_over_outputs(W1: Matrix, W2: Matrix, W3: Matrix, a: Vector, b: Vector) -> float:
    """1/(2m) ||W3 W2 W1 a - b||^2. Invisible for m = 1."""
    r = W3 @ W2 @ W1 @ a - b
    return float(0.5 * np.mean(r**2))


@equivalent(linear_network_gradients)
def product_matrices(W1: Matrix, W2: Matrix, W3: Matrix, a: Vector, b: Vector) -> Gradients:
    """Each gradient from the product of all matrices before and of all after its layer."""
    r = W3 @ W2 @ W1 @ a - b
    return (
        np.outer((W3 @ W2).T @ r, a),
        np.outer(W3.T @ r, W1 @ a),
        np.outer(r, (W2 @ W1) @ a),
    )


@equivalent(linear_network_gradients)
def column_vectors(W1: Matrix, W2: Matrix, W3: Matrix, a: Vector, b: Vector) -> Gradients:
    """Vectors as (n, 1) matrices, so that the outer products are matrix products as on paper."""
    a, b = a[:, None], b[:, None]
    r = W3 @ W2 @ W1 @ a - b
    return W2.T @ W3.T @ r @ a.T, W3.T @ r @ (W1 @ a).T, r @ (W2 @ W1 @ a).T


@equivalent(linear_network_gradients)
def row_vectors(W1: Matrix, W2: Matrix, W3: Matrix, a: Vector, b: Vector) -> Gradients:
    """The backward pass with row vectors: r^T W3 and (r^T W3) W2 need no transposes."""
    h1 = W1 @ a
    h2 = W2 @ h1
    r = W3 @ h2 - b
    d2 = r @ W3
    d1 = d2 @ W2
    return d1[:, None] * a, d2[:, None] * h1, r[:, None] * h2


@mistake(
    linear_network_gradients,
    "On the way back you multiply by the weight matrices as on the way forward. "
    "Choose layers of different widths: then the shapes tell which matrix is needed.",
)
def missing_transposes(W1: Matrix, W2: Matrix, W3: Matrix, a: Vector, b: Vector) -> Gradients:
    """d2 = W3 r and d1 = W2 d2. Raises ValueError unless W2 and W3 are square; invisible for symmetric ones."""
    h1 = W1 @ a
    h2 = W2 @ h1
    r = W3 @ h2 - b
    d2 = W3 @ r
    d1 = W2 @ d2
    return np.outer(d1, a), np.outer(d2, h1), np.outer(r, h2)


@mistake(
    linear_network_gradients,
    "Your gradients contain the right numbers in transposed places. "
    "A gradient has the shape of the weight that it belongs to.",
)
def transposed_outer_products(W1: Matrix, W2: Matrix, W3: Matrix, a: Vector, b: Vector) -> Gradients:
    """(G1^T, G2^T, G3^T): the factors of the outer products in the wrong order."""
    h1 = W1 @ a
    h2 = W2 @ h1
    r = W3 @ h2 - b
    d2 = W3.T @ r
    d1 = W2.T @ d2
    return np.outer(a, d1), np.outer(h1, d2), np.outer(h2, r)


@mistake(
    linear_network_gradients,
    "All three gradients have the wrong sign: a small step along them lowers f. Look at how you form the residual.",
)
def wrong_sign(W1: Matrix, W2: Matrix, W3: Matrix, a: Vector, b: Vector) -> Gradients:
    """The residual as b - W3 W2 W1 a."""
    h1 = W1 @ a
    h2 = W2 @ h1
    r = b - W3 @ h2
    d2 = W3.T @ r
    d1 = W2.T @ d2
    return np.outer(d1, a), np.outer(d2, h1), np.outer(r, h2)


@mistake(
    linear_network_gradients,
    "All three gradients have the right direction and twice the length. "
    "Keep track of the constant in front of the norm.",
)
def doubled_gradients(W1: Matrix, W2: Matrix, W3: Matrix, a: Vector, b: Vector) -> Gradients:
    """The gradients of ||W3 W2 W1 a - b||^2."""
    h1 = W1 @ a
    h2 = W2 @ h1
    r = 2 * (W3 @ h2 - b)
    d2 = W3.T @ r
    d1 = W2.T @ d2
    return np.outer(d1, a), np.outer(d2, h1), np.outer(r, h2)


@mistake(
    linear_network_gradients,
    "Your last layer is right and the earlier ones are not: "
    "a weight was changed before the backward pass went through it. "
    "At which point do all three gradients have to be taken?",
)
def updated_weights(W1: Matrix, W2: Matrix, W3: Matrix, a: Vector, b: Vector) -> Gradients:
    """Each layer takes a step of size 0.1 as soon as its gradient is known, and is then passed through."""
    h1 = W1 @ a
    h2 = W2 @ h1
    r = W3 @ h2 - b
    G3 = np.outer(r, h2)
    W3 = W3 - 0.1 * G3
    d2 = W3.T @ r
    G2 = np.outer(d2, h1)
    W2 = W2 - 0.1 * G2
    d1 = W2.T @ d2
    return np.outer(d1, a), G2, G3


@mistake(
    linear_network_gradients,
    "The gradient of the last layer uses the output of the wrong hidden layer. What is the input of W3?",
)
def first_layer_in_third_gradient(W1: Matrix, W2: Matrix, W3: Matrix, a: Vector, b: Vector) -> Gradients:
    """G3 = r h1^T, of shape (m, q) in place of (m, p)."""
    h1 = W1 @ a
    h2 = W2 @ h1
    r = W3 @ h2 - b
    d2 = W3.T @ r
    d1 = W2.T @ d2
    return np.outer(d1, a), np.outer(d2, h1), np.outer(r, h1)
