"""Rules for proximity operators: the operator of h from that of g, where h is g scaled, shifted or with a simple term.

Problem     Given prox_{s g} for every s > 0, find prox_{t h}.
Algorithm   h(x) = g(lam x + a), lam != 0        prox_{t h}(v) = (prox_{t lam^2 g}(lam v + a) - a) / lam
            h(x) = lam g(x/lam), lam > 0         prox_{t h}(v) = lam prox_{(t/lam) g}(v/lam)
            h(x) = g(x) + <a, x>                 prox_{t h}(v) = prox_{t g}(v - t a)
            h(x) = g(x) + (u/2) ||x - a||^2      prox_{t h}(v) = prox_{t theta g}(theta v + (1 - theta) a),
                                                 theta = 1/(1 + t u)
Guarantee   Exact: substitute in h(x) + ||x - v||^2/(2t) and complete the square.
Cost        one proximity operator of g.
References  Lecture 4, part II; notes ch. 4 (Proximal GD), sec. 3.3, four rules, stated for t = 1; for general t they
            follow by putting t h for h. The elastic net and the others at the end are consequences.
Catalogue   prox_rules
Witness     `prox_by_search` on h itself

A rule takes an operator (v, t) -> prox_{t g}(v) and returns one, (v, t) -> prox_{t h}(v), so that rules can be chained.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.lecture04.prox_operators import prox_l1
from reference.problem import Vector
from reference.variants import equivalent, mistake

Prox = Callable[[Vector, float], Vector]


def prox_affine_argument(prox: Prox, scale: float, shift: Vector | float) -> Prox:
    """The operator of h(x) = g(lam x + a).

    Args:
        prox: (v, t) -> prox_{t g}(v).
        scale: lam, a number of either sign, not 0.
        shift: a, (d,).

    Raises:
        ValueError: where lam = 0.
    """
    if scale == 0:
        raise ValueError("h(x) = g(lam x + a) is constant where lam = 0: the rule needs lam != 0.")
    return lambda v, t: (prox(scale * v + shift, t * scale**2) - shift) / scale


def prox_perspective(prox: Prox, scale: float) -> Prox:
    """The operator of h(x) = lam g(x/lam).

    Args:
        prox: (v, t) -> prox_{t g}(v).
        scale: lam > 0.

    Raises:
        ValueError: unless lam > 0.
    """
    if not scale > 0:
        raise ValueError(f"lam g(x/lam) is convex for lam > 0, not for {scale:g}.")
    return lambda v, t: scale * prox(v / scale, t / scale)


def prox_linear_term(prox: Prox, slope: Vector) -> Prox:
    """The operator of h(x) = g(x) + <a, x>.

    Args:
        prox: (v, t) -> prox_{t g}(v).
        slope: a, (d,).
    """
    return lambda v, t: prox(v - t * slope, t)


def prox_quadratic_term(prox: Prox, weight: float, center: Vector | float) -> Prox:
    """The operator of h(x) = g(x) + (u/2) ||x - a||^2.

    Args:
        prox: (v, t) -> prox_{t g}(v).
        weight: u >= 0.
        center: a, (d,).

    Raises:
        ValueError: where u < 0.
    """
    if not weight >= 0:
        raise ValueError(f"The weight of the quadratic term is not negative, and {weight:g} is.")

    def prox_h(v: Vector, t: float) -> Vector:
        theta = 1 / (1 + t * weight)
        return prox(theta * v + (1 - theta) * np.asarray(center), t * theta)

    return prox_h


# Consequences.


def prox_squared_distance(v: Vector, t: float, weight: float, center: Vector | float) -> Vector:
    """prox_{t h}(v) for h(x) = (u/2) ||x - a||^2: (v + t u a) / (1 + t u). The quadratic rule with g = 0."""
    return (v + t * weight * np.asarray(center)) / (1 + t * weight)


def prox_elastic_net(v: Vector, t: float, l1_weight: float, l2_weight: float) -> Vector:
    """prox_{t h}(v) for h(x) = lam ||x||_1 + (u/2) ||x||^2: the soft threshold at t lam, divided by 1 + t u."""
    return prox_l1(v, t * l1_weight) / (1 + t * l2_weight)


def prox_shifted_l1(v: Vector, t: float, center: Vector) -> Vector:
    """prox_{t h}(v) for h(x) = ||x - c||_1: c + soft(v - c, t). The affine rule with lam = 1, a = -c."""
    return center + prox_l1(v - center, t)


@equivalent(prox_elastic_net)
def elastic_net_by_rule(v: Vector, t: float, l1_weight: float, l2_weight: float) -> Vector:
    """The quadratic rule with g = lam ||.||_1 and a = 0."""
    return prox_quadratic_term(lambda w, s: prox_l1(w, s * l1_weight), l2_weight, 0.0)(v, t)


@equivalent(prox_elastic_net)
def elastic_net_shrunk_first(v: Vector, t: float, l1_weight: float, l2_weight: float) -> Vector:
    """v divided by 1 + t u first, and then a threshold that is smaller by the same factor."""
    return prox_l1(v / (1 + t * l2_weight), t * l1_weight / (1 + t * l2_weight))


@mistake(
    prox_elastic_net,
    "Your threshold is too large: the vector is divided first, and the threshold is still that of the undivided one.",
)
def elastic_net_threshold_after_shrinking(v: Vector, t: float, l1_weight: float, l2_weight: float) -> Vector:
    """soft(v/(1 + t u), t lam). Invisible where u = 0 or lam = 0."""
    return prox_l1(v / (1 + t * l2_weight), t * l1_weight)


# h(x) = g(lam x + a).


@mistake(
    prox_affine_argument,
    "Your parameter of g grows with the scale like a length; it has to grow like the square of one.",
)
def affine_scale_not_squared(prox: Prox, scale: float, shift: Vector | float) -> Prox:
    """(prox_{t |lam| g}(lam v + a) - a) / lam. Invisible where lam = 1 or -1."""
    return lambda v, t: (prox(scale * v + shift, t * abs(scale)) - shift) / scale


@mistake(
    prox_affine_argument,
    "Your result is that of g(lam x). Where does the shift go, before and after the operator of g?",
)
def affine_shift_forgotten(prox: Prox, scale: float, shift: Vector | float) -> Prox:
    """prox_{t lam^2 g}(lam v) / lam. Invisible where a = 0."""
    return lambda v, t: prox(scale * v, t * scale**2) / scale


@mistake(
    prox_affine_argument,
    "Your shift has the wrong sign, before and after the operator of g.",
)
def affine_shift_sign(prox: Prox, scale: float, shift: Vector | float) -> Prox:
    """(prox_{t lam^2 g}(lam v - a) + a) / lam. Invisible where a = 0."""
    return lambda v, t: (prox(scale * v - shift, t * scale**2) + shift) / scale


@mistake(
    prox_affine_argument,
    "Your shift is added and never taken away again: the variable is not changed back.",
)
def affine_shift_not_undone(prox: Prox, scale: float, shift: Vector | float) -> Prox:
    """prox_{t lam^2 g}(lam v + a) / lam. Invisible where a = 0."""
    return lambda v, t: prox(scale * v + shift, t * scale**2) / scale


# h(x) = lam g(x/lam).


@mistake(
    prox_perspective,
    "Your parameter of g moves the wrong way when the scale grows.",
)
def perspective_scale_not_inverted(prox: Prox, scale: float) -> Prox:
    """lam prox_{t lam g}(v/lam). Invisible where lam = 1."""
    return lambda v, t: scale * prox(v / scale, t * scale)


@mistake(
    prox_perspective,
    "Your parameter of g does not see the scale in front of g.",
)
def perspective_scale_forgotten(prox: Prox, scale: float) -> Prox:
    """lam prox_{t g}(v/lam). Invisible where lam = 1."""
    return lambda v, t: scale * prox(v / scale, t)


# h(x) = g(x) + <a, x>.


@mistake(
    prox_linear_term,
    "Your point moves up the slope of the linear term. Which way does a minimiser go?",
)
def linear_term_added(prox: Prox, slope: Vector) -> Prox:
    """prox_{t g}(v + t a). Invisible where a = 0."""
    return lambda v, t: prox(v + t * slope, t)


@mistake(
    prox_linear_term,
    "Your rule holds for the step 1. Another step multiplies the linear term too.",
)
def linear_term_without_step(prox: Prox, slope: Vector) -> Prox:
    """prox_{t g}(v - a), the rule as printed for t = 1. Invisible where t = 1."""
    return lambda v, t: prox(v - slope, t)


# h(x) = g(x) + (u/2) ||x - a||^2.


@mistake(
    prox_quadratic_term,
    "Your point is the right average, but g still has its full weight. What does the quadratic term do to that?",
)
def quadratic_term_full_weight(prox: Prox, weight: float, center: Vector | float) -> Prox:
    """prox_{t g}(theta v + (1 - theta) a). Invisible where u = 0."""

    def prox_h(v: Vector, t: float) -> Vector:
        theta = 1 / (1 + t * weight)
        return prox(theta * v + (1 - theta) * np.asarray(center), t)

    return prox_h


@mistake(
    prox_quadratic_term,
    "Your average has its weights the wrong way round. Which point should win when the quadratic term is light?",
)
def quadratic_term_swapped_weights(prox: Prox, weight: float, center: Vector | float) -> Prox:
    """prox_{t theta g}((1 - theta) v + theta a). Invisible where t u = 1."""

    def prox_h(v: Vector, t: float) -> Vector:
        theta = 1 / (1 + t * weight)
        return prox((1 - theta) * v + theta * np.asarray(center), t * theta)

    return prox_h
