"""How much the gradients of the nodes differ at a point.

Problem     f(x) = (1/n) sum_i f_i(x)
Algorithm   zeta^2(x) = (1/n) sum_i ||grad f_i(x) - grad f(x)||^2,  grad f(x) = (1/n) sum_i grad f_i(x)
Guarantee   zeta^2(x) >= 0, and 0 exactly where all local gradients agree. That zeta^2(x) <= zeta^2 for all x is an
            assumption of the theorems. It fails for quadratics, unless all Hessians are equal: there zeta^2 grows
            like ||x||^2, and a number for it belongs to a point or to a bounded set.
Cost        n gradients.
References  Lecture 1, part 4, slide 4; Lecture 14, slides 15 and 18 (slide 18 prints F for grad F).
Catalogue   heterogeneity
Witness     numpy.var over the nodes; closed form on quadratics
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reference.lecture01.distributed.nodes import Gradient
from reference.problem import Vector
from reference.variants import equivalent, mistake


def heterogeneity(gradients: Sequence[Gradient], x: Vector) -> float:
    """zeta^2(x) = (1/n) sum_i ||grad f_i(x) - grad f(x)||^2.

    Args:
        gradients: grad f_i of each node, n functions (d,) -> (d,); each is called once.
        x: point, (d,).
    """
    G = np.array([gradient(x) for gradient in gradients])
    return float(np.mean(np.sum((G - G.mean(axis=0)) ** 2, axis=1)))


@equivalent(heterogeneity, "Mean of the squares minus square of the mean; loses digits where the nodes nearly agree.")
def squares_minus_square(gradients: Sequence[Gradient], x: Vector) -> float:
    """(1/n) sum_i ||grad f_i(x)||^2 - ||grad f(x)||^2."""
    G = np.array([gradient(x) for gradient in gradients])
    return float(np.mean(np.sum(G**2, axis=1)) - np.sum(G.mean(axis=0) ** 2))


@equivalent(heterogeneity, "Over all pairs of nodes, without the mean.")
def over_pairs(gradients: Sequence[Gradient], x: Vector) -> float:
    """1/(2 n^2) sum_i sum_j ||grad f_i(x) - grad f_j(x)||^2."""
    G = np.array([gradient(x) for gradient in gradients])
    return float(np.sum((G[:, None] - G[None, :]) ** 2) / (2 * len(G) ** 2))


@mistake(
    heterogeneity,
    "Your number doubles when each node is counted twice, although the nodes then differ as much as before.",
)
def not_averaged(gradients: Sequence[Gradient], x: Vector) -> float:
    """sum_i ||grad f_i(x) - grad f(x)||^2."""
    G = np.array([gradient(x) for gradient in gradients])
    return float(np.sum((G - G.mean(axis=0)) ** 2))


@mistake(
    heterogeneity,
    "You divide as for a variance that is estimated from a random sample. Here the nodes are all there are.",
)
def sample_variance(gradients: Sequence[Gradient], x: Vector) -> float:
    """1/(n-1) sum_i ||grad f_i(x) - grad f(x)||^2; nan for one node."""
    G = np.array([gradient(x) for gradient in gradients])
    with np.errstate(invalid="ignore"):
        return float(np.sum((G - G.mean(axis=0)) ** 2) / np.float64(len(G) - 1))


@mistake(heterogeneity, "You average the distances of the gradients, where their squares are asked for.")
def mean_norm_squared(gradients: Sequence[Gradient], x: Vector) -> float:
    """((1/n) sum_i ||grad f_i(x) - grad f(x)||)^2. Invisible where all distances are equal, as for two nodes."""
    G = np.array([gradient(x) for gradient in gradients])
    return float(np.mean(np.linalg.norm(G - G.mean(axis=0), axis=1)) ** 2)


@mistake(
    heterogeneity,
    "Your number does not vanish where all nodes have the same gradient. What are the gradients compared with?",
)
def mean_squared_norm(gradients: Sequence[Gradient], x: Vector) -> float:
    """(1/n) sum_i ||grad f_i(x)||^2. Invisible at x*, where grad f is 0."""
    G = np.array([gradient(x) for gradient in gradients])
    return float(np.mean(np.sum(G**2, axis=1)))


@mistake(heterogeneity, "You average over the coordinates too. The norm of a gradient is a sum over them.")
def averaged_over_coordinates(gradients: Sequence[Gradient], x: Vector) -> float:
    """1/(n d) sum_i ||grad f_i(x) - grad f(x)||^2. Invisible for d = 1."""
    G = np.array([gradient(x) for gradient in gradients])
    return float(np.var(G, axis=0).mean())
