"""First-order methods in the sense of the lower bounds: every step stays in the span of the gradients seen so far.

Problem     Is x_k in x_0 + span{g_0, ..., g_{k-1}} for every k? g_j is the gradient of step j+1: at x_j for gradient
            descent, heavy ball and Anderson acceleration, at y_j for Nesterov's method.
Algorithm   distance of x_k - x_0 to the span, a least-squares problem, relative to ||x_k - x_0||
Guarantee   Gradient descent, heavy ball, Nesterov and Anderson are such methods. Newton's method, preconditioning and
            coordinate methods are not, in general; the lower bounds do not hold for them.
Cost        O(d k^2) for x_k.
References  Notes ch. 3, Theorems 5.1 and 5.2; Lecture 3 part I, slide 30.
Catalogue   first_order_span
Witness     zero chain of Nesterov's worst function
"""

from __future__ import annotations

import numpy as np

from reference.problem import Matrix, Vector
from reference.variants import equivalent, mistake


def distance_to_span(iterates: Matrix, gradients: Matrix) -> Vector:
    """Relative distance of x_k - x_0 to span{g_0, ..., g_{k-1}}, (K+1,); 0 where x_k = x_0.

    Args:
        iterates: x_0, ..., x_K, (K+1, d).
        gradients: g_0, ..., g_{K-1}, (K, d) or more rows, in the order in which the method asked for them.
    """
    distances = np.zeros(len(iterates))
    lengths = np.linalg.norm(gradients, axis=1, keepdims=True)
    directions = gradients / np.where(lengths > 0, lengths, 1)
    for k, step in enumerate(iterates - iterates[0]):
        seen = directions[:k].T
        rest = step - seen @ np.linalg.lstsq(seen, step)[0]
        length = np.linalg.norm(step)
        distances[k] = np.linalg.norm(rest) / length if length > 0 else 0
    return distances


def is_first_order(iterates: Matrix, gradients: Matrix, tolerance: float) -> bool:
    """Whether every x_k is in x_0 + span{g_0, ..., g_{k-1}}, up to `tolerance` relative to ||x_k - x_0||."""
    return bool((distance_to_span(iterates, gradients) <= tolerance).all())


@equivalent(distance_to_span)
def orthonormal_basis(iterates: Matrix, gradients: Matrix) -> Vector:
    """An orthonormal basis of the span grows by one vector a step; the rest is what is orthogonal to it."""
    basis = np.zeros((iterates.shape[1], 0))
    distances = np.zeros(len(iterates))
    for k in range(1, len(iterates)):
        new = gradients[k - 1]
        for _ in range(2):  # once more for rounding
            new = new - basis @ (basis.T @ new)
        if np.linalg.norm(new) > 1e-12 * np.linalg.norm(gradients[k - 1]):
            basis = np.column_stack([basis, new / np.linalg.norm(new)])
        step = iterates[k] - iterates[0]
        length = np.linalg.norm(step)
        distances[k] = np.linalg.norm(step - basis @ (basis.T @ step)) / length if length > 0 else 0
    return distances


@mistake(
    distance_to_span,
    "Your span has one gradient too many: the one at the point itself is not known when the point is computed.",
)
def own_gradient_included(iterates: Matrix, gradients: Matrix) -> Vector:
    """span{g_0, ..., g_k}: also lets pass what uses a gradient before it has it."""
    one_later = np.concatenate([iterates[:1], iterates])
    return distance_to_span(one_later, gradients)[1:]


@mistake(
    distance_to_span,
    "You test the points themselves. Where does the method start from?",
)
def start_not_subtracted(iterates: Matrix, gradients: Matrix) -> Vector:
    """x_k in the place of x_k - x_0. Invisible where x_0 = 0."""
    distances = np.zeros(len(iterates))
    for k in range(1, len(iterates)):
        x, seen = iterates[k], gradients[:k].T
        rest = x - seen @ np.linalg.lstsq(seen, x)[0]
        distances[k] = np.linalg.norm(rest) / np.linalg.norm(x)
    return distances
