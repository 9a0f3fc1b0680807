"""A function of which only values can be had, and each costs a query.

Problem     min f(x) over R^d, where the closed form of f is unknown, or its gradient too costly, or its values noisy.
Algorithm   none: an oracle that answers f(x), or f(x) + noise with |noise| <= eps_f, and counts how often it was asked.
Cost        of a zeroth-order method: the number of queries.
References  Notes ch. 5, sec. 1-2; Lecture 5, slides 3-7. The bounded noise is the usual model for "observed values are
            noisy"; the course states no bound.
Catalogue   zo_problem_generic
Witness     the count of queries of every estimator and method of this lecture
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.problem import Vector


class BlackBox:
    """f, value by value; `queries` says how many there were.

    Args:
        value: f, (d,) -> float.
        noise_level: eps_f >= 0; each answer is off by a number uniform in [-eps_f, eps_f].
        generator: where the noise comes from; needed where eps_f > 0.

    Raises:
        ValueError: where eps_f is negative, or positive without a generator.
    """

    def __init__(
        self,
        value: Callable[[Vector], float],
        noise_level: float = 0.0,
        generator: np.random.Generator | None = None,
    ) -> None:
        if noise_level < 0:
            raise ValueError(f"The level of the noise is at least 0, not {noise_level:g}.")
        if noise_level > 0 and generator is None:
            raise ValueError("Noisy values need a generator for the noise.")
        self.queries = 0
        self._value = value
        self._noise_level = noise_level
        self._generator = generator

    def __call__(self, x: Vector) -> float:
        """f(x), or f(x) + noise; one query."""
        self.queries += 1
        noise = self._generator.uniform(-1, 1) * self._noise_level if self._generator is not None else 0.0
        return self._value(x) + noise
