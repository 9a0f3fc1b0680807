"""The gradient mapping: what takes the place of the gradient where there is a penalty or a constraint.

Problem     min f(x) + h(x), f differentiable, h convex, closed, proper; or min f(x) over X, with h = I_X.
Algorithm   G_t(x) = (x - prox_{t h}(x - t grad f(x))) / t
Guarantee   The proximal gradient step is x - t G_t(x).  G_t = grad f where h = 0.
            G_t(x) - grad f(x) is a subgradient of h at the new point x - t G_t(x) (not at x).
            G_t(x) = 0 if and only if 0 is in grad f(x) + dh(x): x is optimal where f is convex, stationary otherwise.
Cost        one gradient and one proximity operator.
References  Lecture 4, part II; notes ch. 4 (Proximal GD), Definition 5.2 and Lemma 5.3. Eq. (4) of the notes prints the
            subgradient at x - G_t(x); the point is x - t G_t(x).
Catalogue   gradient_mapping
Witness     the subdifferential of the l1 norm; scipy.optimize

In the code t is `learning_rate`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.conditions import known, smoothness
from reference.problem import Matrix, Problem, Vector
from reference.variants import equivalent, mistake

Gradient = Callable[[Vector], Vector]
Prox = Callable[[Vector, float], Vector]


def gradient_mapping(gradient: Gradient, prox: Prox, x: Vector, learning_rate: float) -> Vector:
    """G_t(x) = (x - prox_{t h}(x - t grad f(x))) / t, (d,).

    Args:
        gradient: grad f, (d,) -> (d,).
        prox: (v, t) -> prox_{t h}(v).
        x: (d,).
        learning_rate: t > 0.
    """
    return (x - prox(x - learning_rate * gradient(x), learning_rate)) / learning_rate


def penalty_subgradient(gradient: Gradient, prox: Prox, x: Vector, learning_rate: float) -> tuple[Vector, Vector]:
    """The new point x - t G_t(x), and the subgradient of h there, G_t(x) - grad f(x).

    Args:
        gradient: grad f, (d,) -> (d,).
        prox: (v, t) -> prox_{t h}(v).
        x: (d,).
        learning_rate: t > 0.
    """
    g = gradient(x)
    mapping = (x - prox(x - learning_rate * g, learning_rate)) / learning_rate
    return x - learning_rate * mapping, mapping - g


def mean_squared_gradient_mapping(iterates: Matrix, problem: Problem) -> Vector:
    """mean squared gradient mapping (||G(x_0)||^2 + ... + ||G(x_k)||^2) / (k+1), G = G_{1/L}

    ValueError where the problem has neither a proximity operator nor a projection, or no L.
    """
    step = 1 / smoothness(problem)
    prox = prox_of(problem)
    squared_norms = [float(np.sum(gradient_mapping(problem.gradient, prox, x, step) ** 2)) for x in iterates]
    return np.cumsum(squared_norms) / np.arange(1, len(squared_norms) + 1)


def prox_of(problem: Problem) -> Prox:
    """The proximity operator of the problem: that of its penalty, or the projection onto its feasible set."""
    if problem.prox is not None:
        return problem.prox
    project = known(problem.project, "proximity operator and no projection", problem)
    return lambda v, t: project(v)


@equivalent(gradient_mapping)
def gradient_plus_residual(gradient: Gradient, prox: Prox, x: Vector, learning_rate: float) -> Vector:
    """grad f(x) + (y - prox_{t h}(y))/t with y = x - t grad f(x)."""
    g = gradient(x)
    y = x - learning_rate * g
    return g + (y - prox(y, learning_rate)) / learning_rate


@mistake(
    gradient_mapping,
    "Your result is the step, not the mapping: for a vanishing penalty it should be the gradient itself.",
)
def mapping_not_divided(gradient: Gradient, prox: Prox, x: Vector, learning_rate: float) -> Vector:
    """x - prox_{t h}(x - t grad f(x)). Invisible where t = 1."""
    return x - prox(x - learning_rate * gradient(x), learning_rate)


@mistake(
    gradient_mapping,
    "Your vector points exactly against the gradient mapping. Which of the two points comes first?",
)
def mapping_wrong_sign(gradient: Gradient, prox: Prox, x: Vector, learning_rate: float) -> Vector:
    """-G_t(x)."""
    return (prox(x - learning_rate * gradient(x), learning_rate) - x) / learning_rate


@mistake(
    gradient_mapping,
    "Your proximity operator does not know the step: the penalty has the wrong weight in it.",
)
def mapping_prox_without_step(gradient: Gradient, prox: Prox, x: Vector, learning_rate: float) -> Vector:
    """prox_h in place of prox_{t h}. Invisible where t = 1, and for projections."""
    return (x - prox(x - learning_rate * gradient(x), 1.0)) / learning_rate


@mistake(
    penalty_subgradient,
    "Your vector is a subgradient of the penalty, but at another point than the one you name.",
)
def subgradient_at_the_old_point(
    gradient: Gradient, prox: Prox, x: Vector, learning_rate: float
) -> tuple[Vector, Vector]:
    """x in place of x - t G_t(x). Invisible at a fixed point."""
    return np.array(x, dtype=np.float64), penalty_subgradient(gradient, prox, x, learning_rate)[1]


@mistake(
    penalty_subgradient,
    "Your point is not the next iterate unless the step is 1. How long is the step that the mapping stands for?",
)
def subgradient_at_the_printed_point(
    gradient: Gradient, prox: Prox, x: Vector, learning_rate: float
) -> tuple[Vector, Vector]:
    """x - G_t(x), as eq. (4) of the notes prints it. Invisible where t = 1."""
    mapping = gradient_mapping(gradient, prox, x, learning_rate)
    return x - mapping, penalty_subgradient(gradient, prox, x, learning_rate)[1]
