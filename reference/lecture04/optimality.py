"""Is x optimal? Conditions for constrained problems, for f + h, and for the lasso, each as a number that is 0 there.

Problem     min f(x) over X, or min f(x) + h(x); f differentiable, X and h closed and convex.
Algorithm   constrained      ||x - P_X[x - gamma grad f(x)]|| / gamma, any gamma > 0;
                             <grad f(x), z - x> >= 0 for all z in X (at the vertices, where X is a polytope)
            composite        ||x - prox_{gamma h}(x - gamma grad f(x))|| / gamma
            lasso            h = lam ||.||_1, the same without gamma:
                             x_i != 0: |grad_i f(x) + lam sign(x_i)|;  x_i = 0: max(|grad_i f(x)| - lam, 0)
Guarantee   For convex f each is 0 if and only if x is a minimiser; without convexity, if x is stationary.
Cost        one gradient, and one projection or proximity operator.
References  Lecture 4, part I: notes ch. 3 (Projected GD), Lemma 2.2 and eqs. 6-8 (the residual is derived from them).
            Part II, slides 8, 11, 15; notes ch. 4 (Proximal GD), Theorem 2.2: x* minimises psi exactly if 0 is a
            subgradient of psi there.
Catalogue   constrained_optimality, subgradient_optimality
Witness     known minimisers; sklearn.linear_model.Lasso
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.problem import Matrix, Vector
from reference.variants import equivalent, mistake

Gradient = Callable[[Vector], Vector]
Project = Callable[[Vector], Vector]
Prox = Callable[[Vector, float], Vector]


def projected_residual(gradient: Gradient, project: Project, x: Vector, learning_rate: float) -> float:
    """||x - P_X[x - gamma grad f(x)]|| / gamma: 0 exactly at the minimisers of a convex f over X.

    Args:
        gradient: grad f, (d,) -> (d,).
        project: P_X, (d,) -> (d,).
        x: (d,).
        learning_rate: gamma > 0; whether the residual is 0 does not depend on it.
    """
    return float(np.linalg.norm(x - project(x - learning_rate * gradient(x)))) / learning_rate


def variational_optimality(gradient: Gradient, x: Vector, members: Matrix) -> float:
    """min over the given z of <grad f(x), z - x>. Not negative for all z in X exactly if x in X minimises a convex f.

    Args:
        gradient: grad f, (d,) -> (d,).
        x: (d,), in X.
        members: points z of X, (n, d); its vertices where X is a polytope.
    """
    return float(np.min((members - x) @ gradient(x)))


def prox_residual(gradient: Gradient, prox: Prox, x: Vector, learning_rate: float) -> float:
    """||x - prox_{gamma h}(x - gamma grad f(x))|| / gamma, the length of the gradient mapping.

    Args:
        gradient: grad f, (d,) -> (d,).
        prox: (v, t) -> prox_{t h}(v).
        x: (d,).
        learning_rate: gamma > 0.
    """
    return float(np.linalg.norm(x - prox(x - learning_rate * gradient(x), learning_rate))) / learning_rate


def lasso_violation(gradient: Gradient, lam: float, x: Vector) -> float:
    """The distance of -grad f(x) from lam d||x||_1, in the largest entry. 0 exactly at minimisers of f + lam ||.||_1.

    Args:
        gradient: grad f, (d,) -> (d,).
        lam: lam > 0.
        x: (d,); an entry counts as 0 where it is exactly 0.
    """
    g = gradient(x)
    violations = np.where(x == 0, np.maximum(np.abs(g) - lam, 0.0), np.abs(g + lam * np.sign(x)))
    return float(np.max(violations))


# The constrained problem.


@equivalent(projected_residual)
def residual_by_steps(gradient: Gradient, project: Project, x: Vector, learning_rate: float) -> float:
    """||(x - P_X[y])/gamma|| with y = x - gamma grad f(x)."""
    y = x - learning_rate * gradient(x)
    return float(np.sqrt(np.sum(((x - project(y)) / learning_rate) ** 2)))


@mistake(
    projected_residual,
    "Your residual is the length of the gradient, which is not 0 at a solution on the boundary.",
)
def residual_of_the_gradient(gradient: Gradient, project: Project, x: Vector, learning_rate: float) -> float:
    """||grad f(x)||. Invisible inside X, for small gamma."""
    return float(np.linalg.norm(gradient(x)))


@mistake(
    projected_residual,
    "Your residual is small whenever the step is small. In which unit is a gradient measured?",
)
def residual_not_divided(gradient: Gradient, project: Project, x: Vector, learning_rate: float) -> float:
    """||x - P_X[x - gamma grad f(x)]||. Invisible where gamma = 1."""
    return float(np.linalg.norm(x - project(x - learning_rate * gradient(x))))


@mistake(
    variational_optimality,
    "Your sign is that of a maximiser: at a minimiser, which way does f change towards other points of the set?",
)
def variational_sign(gradient: Gradient, x: Vector, members: Matrix) -> float:
    """min of <grad f(x), x - z>."""
    return float(np.min((x - members) @ gradient(x)))


# The lasso.


@equivalent(lasso_violation)
def lasso_by_signs(gradient: Gradient, lam: float, x: Vector) -> float:
    """A loop over the entries, one case for each sign."""
    worst = 0.0
    for g_i, x_i in zip(gradient(x), x, strict=True):
        slope = float(g_i)
        if x_i > 0:
            worst = max(worst, abs(slope + lam))
        elif x_i < 0:
            worst = max(worst, abs(slope - lam))
        else:
            worst = max(worst, slope - lam, -slope - lam)
    return worst


@mistake(
    lasso_violation,
    "Your condition is violated at the solution: the gradient of f and the slope of the penalty have to balance.",
)
def lasso_sign(gradient: Gradient, lam: float, x: Vector) -> float:
    """|grad_i f - lam sign(x_i)| where x_i != 0. Invisible at x = 0."""
    g = gradient(x)
    return float(np.max(np.where(x == 0, np.maximum(np.abs(g) - lam, 0.0), np.abs(g - lam * np.sign(x)))))


@mistake(
    lasso_violation,
    "Your condition looks at the non-zero entries only. An entry that is 0 can be wrong too.",
)
def lasso_zeros_ignored(gradient: Gradient, lam: float, x: Vector) -> float:
    """0 wherever x_i = 0: x = 0 passes for every f. Invisible where no x_i is 0."""
    return float(np.max(np.where(x == 0, 0.0, np.abs(gradient(x) + lam * np.sign(x)))))


@mistake(
    lasso_violation,
    "Your condition asks for a gradient 0 where the entry of x is 0. How far can the penalty hold against a slope?",
)
def lasso_zero_gradient_at_zeros(gradient: Gradient, lam: float, x: Vector) -> float:
    """|grad_i f + lam sign(x_i)| with sign(0) = 0. Invisible where no x_i is 0."""
    return float(np.max(np.abs(gradient(x) + lam * np.sign(x))))


@mistake(
    lasso_violation,
    "Your condition has the weight of the penalty in one step in it. The solution does not know the step.",
)
def lasso_with_step(gradient: Gradient, lam: float, x: Vector, learning_rate: float = 0.1) -> float:
    """gamma lam in place of lam, here with gamma = 0.1."""
    return lasso_violation(gradient, learning_rate * lam, x)
