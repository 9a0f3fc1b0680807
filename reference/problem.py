"""What an optimisation algorithm is run on: a function, its oracles and its constants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """min f(x) over R^d, with everything that a theorem about f needs.

    Args:
        name: short name, shown to students.
        value: f, (d,) -> float.
        gradient: gradient of f, (d,) -> (d,).
        x0: starting point, (d,).
        smoothness: L, or None where f is not smooth.
        strong_convexity: mu > 0; 0 for a convex f that is not strongly convex; None for a non-convex f.
        minimizer: x*, (d,); the one closest to x0 where there are several; None where there is none.
        minimum: f*, or a lower bound of f along the run where f is not bounded below; None where unknown.
        data: named arrays and numbers that define f (for least squares "A" and "b").
        hessian: Hessian of f, (d,) -> (d, d).
        project: Euclidean projection onto the feasible set, (d,) -> (d,); x* and f* are then constrained.
        penalty: h of a composite problem min f(x) + h(x), (d,) -> float; then x* and f* are of f + h.
        prox: (v, t) -> prox_{t h}(v), (d,), float >= 0 -> (d,).
        component_gradient: (x, i) -> gradient of F_i at x, (d,), of a finite sum f = 1/N sum_i F_i; i = 0, ..., N-1.
        num_components: N of a finite sum.
        component_smoothness: max_i L_i of a finite sum, each F_i L_i-smooth; never less than `smoothness`, L of f.
    """

    name: str
    value: Callable[[Vector], float]
    gradient: Callable[[Vector], Vector]
    x0: Vector
    smoothness: float | None = None
    strong_convexity: float | None = None
    minimizer: Vector | None = None
    minimum: float | None = None
    data: Mapping[str, NDArray[np.float64] | float] = field(default_factory=dict)
    hessian: Callable[[Vector], Matrix] | None = None
    project: Callable[[Vector], Vector] | None = None
    penalty: Callable[[Vector], float] | None = None
    prox: Callable[[Vector, float], Vector] | None = None
    component_gradient: Callable[[Vector, int], Vector] | None = None
    num_components: int | None = None
    component_smoothness: float | None = None

    def __post_init__(self) -> None:
        if (self.component_gradient is None) != (self.num_components is None):
            raise ValueError(f'The finite sum "{self.name}" needs both component_gradient and num_components.')

    def objective(self, x: Vector) -> float:
        """What is minimised: f(x), or f(x) + h(x) of a composite problem."""
        return self.value(x) if self.penalty is None else self.value(x) + self.penalty(x)
