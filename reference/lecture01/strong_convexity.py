"""Strong convexity: the inequalities that are equivalent to it, and those that follow.

Problem     f: R^d -> R differentiable; is f - mu/2 ||.||^2 convex, for some mu > 0?
Algorithm   look for a pair of points at which an inequality fails; or take the smallest eigenvalue of the Hessian.
Guarantee   each of these is equivalent to mu-strong convexity
                f(t x + (1-t) y) <= t f(x) + (1-t) f(y) - mu/2 t (1-t) ||x-y||^2
                f(y) >= f(x) + <grad f(x), y-x> + mu/2 ||y-x||^2
                <grad f(y) - grad f(x), y-x> >= mu ||y-x||^2
            and over the whole space there follow
                f(y) <= f(x) + <grad f(x), y-x> + 1/(2 mu) ||grad f(y) - grad f(x)||^2
                <grad f(y) - grad f(x), y-x> <= 1/mu ||grad f(y) - grad f(x)||^2
            and, with x = x* in the first of these two, f(y) - f* <= 1/(2 mu) ||grad f(y)||^2
            (Polyak-Lojasiewicz; derived, the course does not state it).
References  Notes ch. 0, pages 8 and 9, Definition 3.6, Theorems 3.7 and 3.8; notes ch. 1, Assumption 3.9;
            Lecture 2, slide 8.
Catalogue   strong_convexity_checks, check_strongly_convex
Witness     convexity of f - mu/2 ||.||^2; equality on quadratics along the eigenvector of mu, violation for larger mu

A gap is the larger side of an inequality minus the smaller one: nowhere negative where f is mu-strongly convex.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.lecture01.convexity import first_order_gap, monotonicity_gap, segment_gap
from reference.problem import Matrix, Vector
from reference.variants import equivalent, mistake

Value = Callable[[Vector], float]
Gradient = Callable[[Vector], Vector]
Hessian = Callable[[Vector], Matrix]


def strong_segment_gap(value: Value, x: Vector, y: Vector, t: float, strong_convexity: float) -> float:
    """t f(x) + (1-t) f(y) - mu/2 t (1-t) ||x-y||^2 - f(t x + (1-t) y).

    Args:
        value: f, (d,) -> float.
        x: (d,).
        y: (d,).
        t: between 0 and 1; the weight of x.
        strong_convexity: mu.
    """
    step = x - y
    between = value(t * x + (1 - t) * y)
    return float(t * value(x) + (1 - t) * value(y) - strong_convexity / 2 * t * (1 - t) * step @ step - between)


def strong_first_order_gap(value: Value, gradient: Gradient, x: Vector, y: Vector, strong_convexity: float) -> float:
    """f(y) - f(x) - <grad f(x), y-x> - mu/2 ||y-x||^2.

    Args:
        value: f, (d,) -> float.
        gradient: grad f, (d,) -> (d,); called at x only.
        x: (d,).
        y: (d,).
        strong_convexity: mu.
    """
    step = y - x
    return float(value(y) - value(x) - gradient(x) @ step - strong_convexity / 2 * step @ step)


def strong_monotonicity_gap(gradient: Gradient, x: Vector, y: Vector, strong_convexity: float) -> float:
    """<grad f(y) - grad f(x), y-x> - mu ||y-x||^2.

    Args:
        gradient: grad f, (d,) -> (d,).
        x: (d,).
        y: (d,).
        strong_convexity: mu.
    """
    step = y - x
    return float((gradient(y) - gradient(x)) @ step - strong_convexity * step @ step)


def gradient_difference_gap(value: Value, gradient: Gradient, x: Vector, y: Vector, strong_convexity: float) -> float:
    """f(x) + <grad f(x), y-x> + 1/(2 mu) ||grad f(y) - grad f(x)||^2 - f(y), over the whole space (Theorem 3.8).

    Args:
        value: f, (d,) -> float.
        gradient: grad f, (d,) -> (d,).
        x: (d,).
        y: (d,).
        strong_convexity: mu > 0.
    """
    difference = gradient(y) - gradient(x)
    return float(value(x) + gradient(x) @ (y - x) + difference @ difference / (2 * strong_convexity) - value(y))


def inverse_monotonicity_gap(gradient: Gradient, x: Vector, y: Vector, strong_convexity: float) -> float:
    """1/mu ||grad f(y) - grad f(x)||^2 - <grad f(y) - grad f(x), y-x> (Theorem 3.8).

    Args:
        gradient: grad f, (d,) -> (d,).
        x: (d,).
        y: (d,).
        strong_convexity: mu > 0.
    """
    difference = gradient(y) - gradient(x)
    return float(difference @ difference / strong_convexity - difference @ (y - x))


def polyak_lojasiewicz_gap(
    value: Value, gradient: Gradient, x: Vector, minimum: float, strong_convexity: float
) -> float:
    """1/(2 mu) ||grad f(x)||^2 - (f(x) - f*); derived, the course does not state it.

    Args:
        value: f, (d,) -> float.
        gradient: grad f, (d,) -> (d,).
        x: (d,).
        minimum: f*.
        strong_convexity: mu > 0.
    """
    g = gradient(x)
    return float(g @ g / (2 * strong_convexity) - (value(x) - minimum))


def strong_convexity_from_hessian(hessian: Hessian, points: Matrix) -> float:
    """The smallest eigenvalue of the Hessian over the points: at least mu, and mu itself on a quadratic.

    Negative where f is not convex.

    Args:
        hessian: Hess f, (d,) -> (d, d).
        points: (m, d).
    """
    return float(min(np.linalg.eigvalsh(hessian(x))[0] for x in points))


# By convexity of f - mu/2 ||.||^2.


def _shifted(value: Value, strong_convexity: float) -> Value:
    return lambda x: float(value(x) - strong_convexity / 2 * x @ x)


def _shifted_gradient(gradient: Gradient, strong_convexity: float) -> Gradient:
    return lambda x: gradient(x) - strong_convexity * x


@equivalent(strong_segment_gap)
def segment_of_shifted(value: Value, x: Vector, y: Vector, t: float, strong_convexity: float) -> float:
    """The gap of convexity of f - mu/2 ||.||^2."""
    return segment_gap(_shifted(value, strong_convexity), x, y, t)


@equivalent(strong_first_order_gap)
def tangent_of_shifted(value: Value, gradient: Gradient, x: Vector, y: Vector, strong_convexity: float) -> float:
    """The gap of convexity of f - mu/2 ||.||^2."""
    return first_order_gap(_shifted(value, strong_convexity), _shifted_gradient(gradient, strong_convexity), x, y)


@equivalent(strong_monotonicity_gap)
def monotonicity_of_shifted(gradient: Gradient, x: Vector, y: Vector, strong_convexity: float) -> float:
    """The gap of convexity of f - mu/2 ||.||^2."""
    return monotonicity_gap(_shifted_gradient(gradient, strong_convexity), x, y)


@equivalent(strong_convexity_from_hessian)
def by_largest_eigenvalue_of_negative(hessian: Hessian, points: Matrix) -> float:
    """Minus the largest eigenvalue of -Hess f."""
    return float(-max(np.linalg.eigvalsh(-hessian(x))[-1] for x in points))


# What goes wrong.


@mistake(
    strong_segment_gap,
    "Your quadratic term does not vanish at the two ends of the segment. What does the inequality say for t = 1?",
)
def segment_without_weights(value: Value, x: Vector, y: Vector, t: float, strong_convexity: float) -> float:
    """t f(x) + (1-t) f(y) - mu/2 ||x-y||^2 - f(t x + (1-t) y). Invisible for x = y only."""
    step = x - y
    return float(t * value(x) + (1 - t) * value(y) - strong_convexity / 2 * step @ step - value(t * x + (1 - t) * y))


@mistake(
    strong_first_order_gap,
    "Your inequality is false for mu/2 ||x||^2, which is mu-strongly convex. Compare the constant there.",
)
def tangent_without_half(value: Value, gradient: Gradient, x: Vector, y: Vector, strong_convexity: float) -> float:
    """f(y) - f(x) - <grad f(x), y-x> - mu ||y-x||^2."""
    step = y - x
    return float(value(y) - value(x) - gradient(x) @ step - strong_convexity * step @ step)


@mistake(
    strong_monotonicity_gap,
    "Your inequality asks less of a more strongly convex function: is the constant in its right place?",
)
def monotonicity_with_inverse(gradient: Gradient, x: Vector, y: Vector, strong_convexity: float) -> float:
    """<grad f(y) - grad f(x), y-x> - 1/mu ||y-x||^2. Invisible for mu = 1."""
    step = y - x
    return float((gradient(y) - gradient(x)) @ step - step @ step / strong_convexity)


@mistake(
    gradient_difference_gap,
    "Your inequality is false for mu/2 ||x||^2 unless mu = 1. Which unit has a gradient, and which has mu?",
)
def difference_times_constant(value: Value, gradient: Gradient, x: Vector, y: Vector, strong_convexity: float) -> float:
    """f(x) + <grad f(x), y-x> + mu/2 ||grad f(y) - grad f(x)||^2 - f(y). Invisible for mu = 1."""
    difference = gradient(y) - gradient(x)
    return float(value(x) + gradient(x) @ (y - x) + strong_convexity / 2 * difference @ difference - value(y))


@mistake(
    inverse_monotonicity_gap,
    "Your gap has the opposite sign: you test the inequality that smooth functions satisfy, with mu in the place of L.",
)
def as_cocoercivity(gradient: Gradient, x: Vector, y: Vector, strong_convexity: float) -> float:
    """<grad f(y) - grad f(x), y-x> - 1/mu ||grad f(y) - grad f(x)||^2. Invisible where both sides are equal."""
    difference = gradient(y) - gradient(x)
    return float(difference @ (y - x) - difference @ difference / strong_convexity)


@mistake(
    polyak_lojasiewicz_gap,
    "Your inequality is false for mu/2 ||x||^2 unless mu = 1: a small mu must allow a small gradient far from x*.",
)
def polyak_lojasiewicz_not_inverted(
    value: Value, gradient: Gradient, x: Vector, minimum: float, strong_convexity: float
) -> float:
    """mu/2 ||grad f(x)||^2 - (f(x) - f*). Invisible for mu = 1."""
    g = gradient(x)
    return float(strong_convexity / 2 * g @ g - (value(x) - minimum))


@mistake(
    strong_convexity_from_hessian,
    "Your mu is positive for a saddle. Which sign of curvature does strong convexity allow?",
)
def smallest_absolute_eigenvalue(hessian: Hessian, points: Matrix) -> float:
    """The smallest |eigenvalue| over the points. Invisible for convex f."""
    return float(min(np.abs(np.linalg.eigvalsh(hessian(x))).min() for x in points))
