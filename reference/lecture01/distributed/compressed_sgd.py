"""Compressed distributed SGD: each node compresses its gradient, and compressed gradients are averaged.

Problem     min f(x) = (1/n) sum_i f_i(x) over R^d;  f_i(x) = E F(x; xi_i) is known to node i alone.
Algorithm   g_i^(k)    = grad F(x_i^(k); xi_i^(k))
            x_i^(k+1)  = x_i^(k) - (gamma/n) sum_j C(g_j^(k)),  k = 0, ..., K-1
            All nodes take the same step: equal starts stay equal, and other starts keep their differences.
Guarantee   none in Lecture 1. Standard literature: for an unbiased C with E ||C(v) - v||^2 <= omega ||v||^2 the rate of
            SGD, the variance larger by a factor of up to 1 + omega. A biased C, used like this, has no guarantee:
            with top-1 the method diverges on a strongly convex quadratic for every gamma > 0 (see the witness).
Cost        a step: one stochastic gradient on each node; each sends one compressed vector (bits: `compressors`).
References  Lecture 1, part 4, slides 9-11; Alistarh et al. 2017 (QSGD). Divergence: Beznosikov et al. 2020.
Catalogue   compressed_sgd
Witness     identity for C is PSGD; expectation of the step by enumeration; exact divergence on `opposed_valleys`,
            x^(k) = (1 + 11 gamma/6)^k x^(0)

In the code gamma is `learning_rate` and K is `num_steps`; C is `compressor`, see `compressors`: for example
partial(top_k, k=1) or partial(qsgd, levels=4).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from reference.lecture01.distributed.compressors import top_k
from reference.lecture01.distributed.nodes import Gradient, Path, Samples, draws, local_gradient, local_gradients
from reference.lecture01.distributed.problems import random_quadratic_nodes
from reference.lecture01.distributed.quantities import rms_distance
from reference.problem import Matrix, Vector
from reference.variants import convention, equivalent, example, mistake

Compressor = Callable[..., Vector]


def compressed_sgd(
    gradients: Sequence[Gradient],
    compressor: Compressor,
    x0: Matrix,
    learning_rate: float,
    num_steps: int,
    samples: Samples = None,
    randomness: Samples = None,
) -> Path:
    """The iterates of all nodes, (K+1, n, d) float64: row k, i is x_i^(k).

    Args:
        gradients: grad f_i of each node, n functions (d,) -> (d,); each called once a step. With samples,
            gradients[i](x, xi) = grad F(x; xi).
        compressor: C, (d,) -> (d,); called once a step for each node. With randomness, C(v, randomness[k][i]).
        x0: starting points, (n, d), row i of node i; left as they are.
        learning_rate: gamma, the constant step.
        num_steps: K >= 0.
        samples: samples[k][i] = xi_i^(k), or None where the gradients are exact.
        randomness: randomness[k][i] is what node i uses for C at step k (uniform numbers, chosen coordinates); None
            for a C that is not random.

    Raises:
        ValueError: where there are samples or randomness, but not for K steps and n nodes.
    """
    X = np.array(x0, dtype=np.float64)
    iterates = [X]
    for xi, omega in zip(draws(samples, num_steps), draws(randomness, num_steps), strict=True):
        G = local_gradients(gradients, X, xi)
        X = X - learning_rate * _compressed(compressor, G, omega).mean(axis=0)
        iterates.append(X)
    return np.array(iterates)


def _compressed(compressor: Compressor, V: Matrix, omega: object) -> Matrix:
    """C of each row, (n, d) -> (n, d); a compressor is called like a gradient, with what was drawn for it."""
    return local_gradients([compressor] * len(V), V, omega)


@equivalent(compressed_sgd, "All compressed gradients up to now, subtracted from the starts: the differences stay.")
def summed_updates(
    gradients: Sequence[Gradient],
    compressor: Compressor,
    x0: Matrix,
    learning_rate: float,
    num_steps: int,
    samples: Samples = None,
    randomness: Samples = None,
) -> Path:
    """x_i^(k) = x_i^(0) - u^(k),  u^(k+1) = u^(k) + (gamma/n) sum_j C(g_j^(k)),  u^(0) = 0."""
    starts = np.array(x0, dtype=np.float64)
    n, d = starts.shape
    u = np.zeros(d)
    iterates = [starts]
    for xi, omega in zip(draws(samples, num_steps), draws(randomness, num_steps), strict=True):
        for j, x in enumerate(starts - u):
            g = local_gradient(gradients[j], x, None if xi is None else xi[j])
            u = u + learning_rate / n * local_gradient(compressor, g, None if omega is None else omega[j])
        iterates.append(starts - u)
    return np.array(iterates)


@convention(compressed_sgd, "A server that holds one model: all nodes are at the point of node 0, wherever they start.")
def one_shared_model(
    gradients: Sequence[Gradient],
    compressor: Compressor,
    x0: Matrix,
    learning_rate: float,
    num_steps: int,
    samples: Samples = None,
    randomness: Samples = None,
) -> Path:
    """x^(k+1) = x^(k) - (gamma/n) sum_j C(g_j(x^(k))). The same where all starts are equal."""
    n = len(gradients)
    x = np.array(x0[0], dtype=np.float64)
    iterates = [x]
    for xi, omega in zip(draws(samples, num_steps), draws(randomness, num_steps), strict=True):
        G = local_gradients(gradients, np.tile(x, (n, 1)), xi)
        x = x - learning_rate * _compressed(compressor, G, omega).mean(axis=0)
        iterates.append(x)
    return np.repeat(np.array(iterates)[:, None, :], n, axis=1)


# What goes wrong.


@mistake(
    compressed_sgd,
    "You compress once, after the gradients have been averaged. By then they have been sent, uncompressed.",
)
def compressed_average(
    gradients: Sequence[Gradient],
    compressor: Compressor,
    x0: Matrix,
    learning_rate: float,
    num_steps: int,
    samples: Samples = None,
    randomness: Samples = None,
) -> Path:
    """x_i^(k+1) = x_i^(k) - gamma C((1/n) sum_j g_j), C with the draw of node 0. Invisible for the identity."""
    X = np.array(x0, dtype=np.float64)
    iterates = [X]
    for xi, omega in zip(draws(samples, num_steps), draws(randomness, num_steps), strict=True):
        average = local_gradients(gradients, X, xi).mean(axis=0)
        X = X - learning_rate * local_gradient(compressor, average, None if omega is None else omega[0])
        iterates.append(X)
    return np.array(iterates)


@mistake(
    compressed_sgd,
    "Your nodes send compressed models. A model does not get small near the minimiser, so its compression error stays.",
)
def compressed_models(
    gradients: Sequence[Gradient],
    compressor: Compressor,
    x0: Matrix,
    learning_rate: float,
    num_steps: int,
    samples: Samples = None,
    randomness: Samples = None,
) -> Path:
    """x_i^(k+1) = (1/n) sum_j C(x_j^(k) - gamma g_j). Invisible for the identity from equal starts."""
    X = np.array(x0, dtype=np.float64)
    iterates = [X]
    for xi, omega in zip(draws(samples, num_steps), draws(randomness, num_steps), strict=True):
        stepped = X - learning_rate * local_gradients(gradients, X, xi)
        X = np.tile(_compressed(compressor, stepped, omega).mean(axis=0), (len(X), 1))
        iterates.append(X)
    return np.array(iterates)


@mistake(
    compressed_sgd,
    "Your gradients are averaged uncompressed, and the new point is compressed. What is sent between the nodes?",
)
def compressed_new_point(
    gradients: Sequence[Gradient],
    compressor: Compressor,
    x0: Matrix,
    learning_rate: float,
    num_steps: int,
    samples: Samples = None,
    randomness: Samples = None,
) -> Path:
    """x_i^(k+1) = C(x_i^(k) - (gamma/n) sum_j g_j). Invisible for the identity."""
    X = np.array(x0, dtype=np.float64)
    iterates = [X]
    for xi, omega in zip(draws(samples, num_steps), draws(randomness, num_steps), strict=True):
        stepped = X - learning_rate * local_gradients(gradients, X, xi).mean(axis=0)
        X = _compressed(compressor, stepped, omega)
        iterates.append(X)
    return np.array(iterates)


@mistake(
    compressed_sgd,
    "Your compression makes the same random choice at every step, so its errors never average out. "
    "When is the randomness drawn?",
)
def same_randomness_every_step(
    gradients: Sequence[Gradient],
    compressor: Compressor,
    x0: Matrix,
    learning_rate: float,
    num_steps: int,
    samples: Samples = None,
    randomness: Samples = None,
) -> Path:
    """randomness[0] at all steps: the same mask for rand-k. Invisible for a C that is not random."""
    frozen = None if randomness is None else list(randomness[:1]) * num_steps
    return compressed_sgd(gradients, compressor, x0, learning_rate, num_steps, samples, frozen)


@mistake(
    compressed_sgd, "Your steps get longer with the number of nodes. How are the compressed gradients put together?"
)
def sum_of_gradients(
    gradients: Sequence[Gradient],
    compressor: Compressor,
    x0: Matrix,
    learning_rate: float,
    num_steps: int,
    samples: Samples = None,
    randomness: Samples = None,
) -> Path:
    """x_i^(k+1) = x_i^(k) - gamma sum_j C(g_j). Invisible for one node."""
    n = len(gradients)
    return compressed_sgd(gradients, compressor, x0, n * learning_rate, num_steps, samples, randomness)


@mistake(compressed_sgd, "Each of your nodes uses its own compressed gradient alone: nothing is averaged.")
def own_gradient_only(
    gradients: Sequence[Gradient],
    compressor: Compressor,
    x0: Matrix,
    learning_rate: float,
    num_steps: int,
    samples: Samples = None,
    randomness: Samples = None,
) -> Path:
    """x_i^(k+1) = x_i^(k) - gamma C(g_i). Invisible where all f_i, all starts and all draws are equal."""
    X = np.array(x0, dtype=np.float64)
    iterates = [X]
    for xi, omega in zip(draws(samples, num_steps), draws(randomness, num_steps), strict=True):
        X = X - learning_rate * _compressed(compressor, local_gradients(gradients, X, xi), omega)
        iterates.append(X)
    return np.array(iterates)


example(
    compressed_sgd,
    partial(random_quadratic_nodes, nodes=5, dimension=10, smoothness=4.0, strong_convexity=0.5, spread=0.0, seed=1),
    rms_distance,
    gradients=lambda problem: problem.gradients,
    compressor=lambda problem: partial(top_k, k=3),
    x0=lambda problem: problem.starts,
    learning_rate=lambda problem: 1 / problem.smoothness,
    num_steps=80,
    samples=None,
    randomness=None,
)
