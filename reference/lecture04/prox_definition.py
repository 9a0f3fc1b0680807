"""The proximity operator by its definition, by brute force, and through the conjugate.

Problem     prox_{t h}(v) = argmin over u of h(u) + ||u - v||^2 / (2t); h convex, closed, proper, t > 0.
Algorithm   by search   golden section over each coordinate, one inside the other; for d <= 2, any finite h
            conjugate   prox_{t h*}(v) = v - t prox_{h/t}(v/t),  h*(y) = sup over u of <y, u> - h(u)
Guarantee   The minimiser exists and is unique; u = prox_{t h}(v) if and only if (v - u)/t is a subgradient of h at u.
            Non-expansive (slide 14), and firmly: ||p - q||^2 <= <p - q, v - w> (derived). v = prox_h(v) + prox_{h*}(v)
            (Moreau; standard literature).
Cost        by search: 60^d values of h.
References  Lecture 4, part II, slides 10 and 14; notes ch. 4 (Proximal GD), Definition 3.1, Theorems 3.2-3.4; the slide
            prints h(x) under the minimum over u. Moreau 1965; Bauschke, Combettes 2011.
Catalogue   prox_definition
Witness     the closed forms of `prox_operators`; scipy.optimize

The course writes prox_h(v) = argmin h(u) + 1/2 ||u - v||^2, without t. A step multiplies h: prox_{t h} has t h in place
of h, which is the same as h + ||u - v||^2 / (2t).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.problem import Matrix, Vector
from reference.variants import equivalent, mistake

Function = Callable[[Vector], float]
Prox = Callable[[Vector, float], Vector]


def prox_objective(penalty: Function, v: Vector, t: float, u: Vector) -> float:
    """h(u) + ||u - v||^2 / (2t): what prox_{t h}(v) minimises over u.

    Args:
        penalty: h, (d,) -> float.
        v: (d,).
        t: t > 0.
        u: (d,).
    """
    return penalty(u) + float(np.sum((u - v) ** 2)) / (2 * t)


def prox_by_search(penalty: Function, v: Vector, t: float, radius: float = 10.0) -> Vector:
    """prox_{t h}(v) from values of h alone, accurate to about 1e-7; for d = 1 or 2.

    The minimum over the second coordinate is a convex function of the first, so one search inside the other finds it.

    Args:
        penalty: h, finite and convex, (d,) -> float.
        v: (d,), d <= 2.
        t: t > 0.
        radius: the minimiser is looked for within this distance of v in each coordinate.

    Raises:
        ValueError: where d > 2, for which this is no method.
    """
    if len(v) > 2:
        raise ValueError(f"A search in {len(v)} dimensions takes too long; it is for one or two.")

    def best(fixed: Vector) -> Vector:
        """The minimiser whose first coordinates are given."""
        if len(fixed) == len(v):
            return fixed
        center = float(v[len(fixed)])

        def completed(coordinate: float) -> Vector:
            return best(np.append(fixed, coordinate))

        return completed(
            _golden_section(
                lambda coordinate: prox_objective(penalty, v, t, completed(coordinate)),
                center - radius,
                center + radius,
            )
        )

    return best(np.zeros(0))


def prox_conjugate(prox: Prox, v: Vector, t: float) -> Vector:
    """prox_{t h*}(v) = v - t prox_{h/t}(v/t), from the proximity operator of h (Moreau).

    Args:
        prox: (v, t) -> prox_{t h}(v).
        v: (d,).
        t: t > 0.
    """
    return v - t * prox(v / t, 1 / t)


def prox_violations(prox: Prox, penalty: Function, t: float, points: Matrix, others: Matrix) -> dict[str, float]:
    """The largest violation of each property of u = prox_{t h}(v); rounding at most where `prox` is right.

    minimal                 objective at u - objective at u', for all other points u'
    subgradient             h(u) + <(v - u)/t, u' - u> - h(u'): (v - u)/t is a subgradient at u
    non-expansive           ||p - q|| - ||v - w||
    firmly non-expansive    ||p - q||^2 - <p - q, v - w>

    Args:
        prox: the map to be judged, (v, t) -> (d,).
        penalty: h, (d,) -> float.
        t: t > 0.
        points: v and w, (n, d).
        others: u', (m, d); some of them close to the results.
    """
    images = [prox(v, t) for v in points]
    pairs = list(zip(points, images, strict=True))
    return {
        "minimal": max(
            prox_objective(penalty, v, t, p) - prox_objective(penalty, v, t, other)
            for v, p in pairs
            for other in others
        ),
        "subgradient": max(
            penalty(p) + float((v - p) @ (other - p)) / t - penalty(other) for v, p in pairs for other in others
        ),
        "non-expansive": max(float(np.linalg.norm(p - q) - np.linalg.norm(v - w)) for v, p in pairs for w, q in pairs),
        "firmly non-expansive": max(
            float(np.sum((p - q) ** 2) - (p - q) @ (v - w)) for v, p in pairs for w, q in pairs
        ),
    }


def _golden_section(value: Callable[[float], float], low: float, high: float) -> float:
    """The minimiser of a convex function between low and high, by golden section: one value a step."""
    ratio = (np.sqrt(5) - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = value(left), value(right)
    for _ in range(60):
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = value(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = value(right)
    return float((low + high) / 2)


# The objective.


@equivalent(prox_objective)
def penalty_times_t(penalty: Function, v: Vector, t: float, u: Vector) -> float:
    """(t h(u) + ||u - v||^2/2) / t: the course's definition for the function t h, over t."""
    return (t * penalty(u) + 0.5 * float(np.sum((u - v) ** 2))) / t


@mistake(
    prox_objective,
    "Your quadratic term gets heavier when t grows. A long step should trust the old point less.",
)
def quadratic_times_t(penalty: Function, v: Vector, t: float, u: Vector) -> float:
    """h(u) + (t/2) ||u - v||^2. Invisible where t = 1."""
    return penalty(u) + t / 2 * float(np.sum((u - v) ** 2))


@mistake(
    prox_objective,
    "Your quadratic term is twice as heavy as in the definition. Which factor does its derivative need to be clean?",
)
def without_one_half(penalty: Function, v: Vector, t: float, u: Vector) -> float:
    """h(u) + ||u - v||^2 / t."""
    return penalty(u) + float(np.sum((u - v) ** 2)) / t


@mistake(
    prox_objective,
    "Your result does not depend on t. Which function does the step multiply?",
)
def t_forgotten(penalty: Function, v: Vector, t: float, u: Vector) -> float:
    """h(u) + ||u - v||^2/2. Invisible where t = 1."""
    return penalty(u) + 0.5 * float(np.sum((u - v) ** 2))


@mistake(
    prox_objective,
    "Your objective is to be made large: it has no minimiser. Being far from the old point should cost something.",
)
def quadratic_subtracted(penalty: Function, v: Vector, t: float, u: Vector) -> float:
    """h(u) - ||u - v||^2 / (2t), not bounded below where h grows at most linearly."""
    return penalty(u) - float(np.sum((u - v) ** 2)) / (2 * t)


# The conjugate.


@mistake(
    prox_conjugate,
    "Your identity holds for t = 1. For another t, both the point and the parameter inside change.",
)
def conjugate_without_scaling(prox: Prox, v: Vector, t: float) -> Vector:
    """v - prox_{t h}(v), which is t times what it should be, at another point. Invisible where t = 1."""
    return v - prox(v, t)


@mistake(
    prox_conjugate,
    "Your point is scaled as it should be, and the parameter inside is not: which multiple of h belongs to it?",
)
def conjugate_parameter_not_inverted(prox: Prox, v: Vector, t: float) -> Vector:
    """v - t prox_{t h}(v/t). Invisible where t = 1."""
    return v - t * prox(v / t, t)
