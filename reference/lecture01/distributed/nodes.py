"""What the distributed algorithms share: the gradients of the nodes and the samples that the caller drew for them.

Problem     min f(x) = (1/n) sum_i f_i(x) over R^d;  f_i(x) = E F(x; xi_i) is known to node i alone.
References  Lecture 1, part 4, slide 4.

Everywhere in this folder
    gradients   is a list of n functions, one a node: gradients[i](x) = grad f_i(x), (d,) -> (d,);
    samples     is None where the gradients are exact. Else samples[k][i] is xi_i^(k), drawn by the caller, and it is
                handed over: gradients[i](x, xi) = grad F(x; xi). A sample is what the gradient makes of it: a vector
                of noise, the index of a row of data;
    x0          is (d,) where the nodes share one point, and (n, d), row i the start of node i, where each has its own.
                The iterates are (K+1, d) or (K+1, n, d).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference.problem import Matrix, Vector

Gradient = Callable[..., Vector]
Samples = Sequence[Any] | NDArray[Any] | None
Path = NDArray[np.float64]
"""Iterates of n nodes, (K+1, n, d)."""


def local_gradient(gradient: Gradient, x: Vector, sample: Any = None) -> Vector:
    """grad f_i(x), or grad F(x; xi) where there is a sample; (d,)."""
    return gradient(x) if sample is None else gradient(x, sample)


def local_gradients(gradients: Sequence[Gradient], X: Matrix, samples: Any = None) -> Matrix:
    """Row i is the gradient of node i at its own point, row i of X; (n, d) -> (n, d).

    Raises:
        ValueError: unless there are n gradients, n points and, where there are samples, n samples.
    """
    drawn = [None] * len(gradients) if samples is None else samples
    return np.array([local_gradient(g, x, xi) for g, x, xi in zip(gradients, X, drawn, strict=True)])


def average_gradient(gradients: Sequence[Gradient], x: Vector, samples: Any = None) -> Vector:
    """(1/n) sum_i grad f_i(x), all at the same point; (d,) -> (d,)."""
    copies = np.tile(x, (len(gradients), 1))
    return np.asarray(local_gradients(gradients, copies, samples).mean(axis=0))


def draws(samples: Samples, num_steps: int) -> Iterator[Any]:
    """What was drawn for step 0, ..., K-1, one after the other; None at each step where the gradients are exact.

    Raises:
        ValueError: where there are samples, but not for exactly K steps.
    """
    if samples is None:
        return iter([None] * num_steps)
    if len(samples) != num_steps:
        raise ValueError(f"There are samples for {len(samples)} steps, and {num_steps} steps to make.")
    return iter(samples)
