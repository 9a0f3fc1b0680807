"""Smooth convex functions: the inequalities that are equivalent to being one, and the one with mu.

Problem     f: R^d -> R differentiable; is it convex and L-smooth?
Algorithm   with D = f(y) - f(x) - <grad f(x), y-x>, s = y - x and g = grad f(y) - grad f(x), look for a pair of points
            at which an inequality fails.
Guarantee   each of these, for all x and y of the whole space, is equivalent to f being convex and L-smooth
                (5)  0 <= D <= L/2 ||s||^2
                (6)  D >= 1/(2L) ||g||^2
                (7)  <g, s> >= 1/L ||g||^2                                              (cocoercivity)
                (8)  0 <= <g, s> <= L ||s||^2
            On a subset only, (6) and (7) do not follow from the others: x_1 x_2 on the line x_2 = 0 has D = 0, g != 0.
            If f is mu-strongly convex as well, then mu <= L and
                <g, s> >= mu L/(mu+L) ||s||^2 + 1/(mu+L) ||g||^2
            with equality on quadratics where s lies in the span of the eigenvectors of mu and L.
References  Notes ch. 0, pages 10 to 12, Theorems 3.9 and 3.10; notes ch. 1, Lemma 3.10.
Catalogue   cocoercivity_checks, smooth_sc_ineq
Witness     least squares and logistic regression with their L, and with L/2; equality on quadratics

A gap is the larger side of an inequality minus the smaller one; of the two-sided ones the smaller of both gaps.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.problem import Vector
from reference.variants import equivalent, mistake

Value = Callable[[Vector], float]
Gradient = Callable[[Vector], Vector]


def tangent_interval_gap(value: Value, gradient: Gradient, x: Vector, y: Vector, smoothness: float) -> float:
    """(5): the smaller of D and L/2 ||y-x||^2 - D, with D = f(y) - f(x) - <grad f(x), y-x>.

    Args:
        value: f, (d,) -> float.
        gradient: grad f, (d,) -> (d,).
        x: (d,).
        y: (d,).
        smoothness: L.
    """
    step = y - x
    above_tangent = value(y) - value(x) - gradient(x) @ step
    return float(min(above_tangent, smoothness / 2 * step @ step - above_tangent))


def above_tangent_gap(value: Value, gradient: Gradient, x: Vector, y: Vector, smoothness: float) -> float:
    """(6): f(y) - f(x) - <grad f(x), y-x> - 1/(2L) ||grad f(y) - grad f(x)||^2; not symmetric in x and y.

    Args:
        value: f, (d,) -> float.
        gradient: grad f, (d,) -> (d,).
        x: (d,).
        y: (d,).
        smoothness: L > 0.
    """
    difference = gradient(y) - gradient(x)
    return float(value(y) - value(x) - gradient(x) @ (y - x) - difference @ difference / (2 * smoothness))


def cocoercivity_gap(gradient: Gradient, x: Vector, y: Vector, smoothness: float) -> float:
    """(7): <grad f(y) - grad f(x), y-x> - 1/L ||grad f(y) - grad f(x)||^2.

    Args:
        gradient: grad f, (d,) -> (d,).
        x: (d,).
        y: (d,).
        smoothness: L > 0.
    """
    difference = gradient(y) - gradient(x)
    return float(difference @ (y - x) - difference @ difference / smoothness)


def monotonicity_interval_gap(gradient: Gradient, x: Vector, y: Vector, smoothness: float) -> float:
    """(8): the smaller of <g, y-x> and L ||y-x||^2 - <g, y-x>, with g = grad f(y) - grad f(x).

    Args:
        gradient: grad f, (d,) -> (d,).
        x: (d,).
        y: (d,).
        smoothness: L.
    """
    step = y - x
    product = (gradient(y) - gradient(x)) @ step
    return float(min(product, smoothness * step @ step - product))


def smooth_strongly_convex_gap(
    gradient: Gradient, x: Vector, y: Vector, smoothness: float, strong_convexity: float
) -> float:
    """<g, y-x> - mu L/(mu+L) ||y-x||^2 - 1/(mu+L) ||g||^2, with g = grad f(y) - grad f(x) (smooth_sc_ineq).

    Args:
        gradient: grad f, (d,) -> (d,).
        x: (d,).
        y: (d,).
        smoothness: L > 0.
        strong_convexity: mu, from 0 to L.
    """
    L, mu = smoothness, strong_convexity
    step, difference = y - x, gradient(y) - gradient(x)
    return float(difference @ step - mu * L / (mu + L) * step @ step - difference @ difference / (mu + L))


# Other forms.


@equivalent(above_tangent_gap)
def lower_bound_by_one_step(value: Value, gradient: Gradient, x: Vector, y: Vector, smoothness: float) -> float:
    """What q(y) - ||grad q(y)||^2/(2L) leaves above q(x), with q = f - <grad f(x), .>, which is smallest at x."""
    slope = gradient(x)

    def q(z: Vector) -> float:
        return float(value(z) - slope @ z)

    return float(q(y) - np.sum((gradient(y) - slope) ** 2) / (2 * smoothness) - q(x))


@equivalent(cocoercivity_gap)
def as_reflection(gradient: Gradient, x: Vector, y: Vector, smoothness: float) -> float:
    """L/4 (||s||^2 - ||s - 2 g/L||^2): a gradient step of length 2/L brings no two points farther apart."""
    step = y - x
    moved = step - 2 / smoothness * (gradient(y) - gradient(x))
    return float(smoothness / 4 * (step @ step - moved @ moved))


@equivalent(cocoercivity_gap)
def as_product_with_remainder(gradient: Gradient, x: Vector, y: Vector, smoothness: float) -> float:
    """<g, s - g/L>."""
    difference = gradient(y) - gradient(x)
    return float(difference @ (y - x - difference / smoothness))


@equivalent(smooth_strongly_convex_gap)
def as_product_of_differences(
    gradient: Gradient, x: Vector, y: Vector, smoothness: float, strong_convexity: float
) -> float:
    """<g - mu s, L s - g> / (mu + L): an eigenvalue between mu and L makes both factors point the same way."""
    step, difference = y - x, gradient(y) - gradient(x)
    product = (difference - strong_convexity * step) @ (smoothness * step - difference)
    return float(product / (strong_convexity + smoothness))


@equivalent(smooth_strongly_convex_gap)
def by_cocoercivity_of_shifted(
    gradient: Gradient, x: Vector, y: Vector, smoothness: float, strong_convexity: float
) -> float:
    """((L-mu) <h, s> - ||h||^2) / (L+mu), h = g - mu s: (7) for f - mu/2 ||.||^2, which is (L-mu)-smooth."""
    L, mu = smoothness, strong_convexity
    step = y - x
    shifted = gradient(y) - gradient(x) - mu * step
    return float(((L - mu) * shifted @ step - shifted @ shifted) / (L + mu))


# What goes wrong.


@mistake(
    tangent_interval_gap,
    "Your inequality has no upper side: it holds for convex functions that are not smooth at all.",
)
def tangent_lower_side_only(value: Value, gradient: Gradient, x: Vector, y: Vector, smoothness: float) -> float:
    """D. Invisible where D is the smaller of the two."""
    return float(value(y) - value(x) - gradient(x) @ (y - x))


@mistake(
    above_tangent_gap,
    "Your inequality is false for L/2 ||x||^2: the constant in front of the gradients belongs to another inequality.",
)
def above_tangent_without_half(value: Value, gradient: Gradient, x: Vector, y: Vector, smoothness: float) -> float:
    """D - 1/L ||g||^2. Invisible where the gradients are equal."""
    difference = gradient(y) - gradient(x)
    return float(value(y) - value(x) - gradient(x) @ (y - x) - difference @ difference / smoothness)


@mistake(
    above_tangent_gap,
    "Your number belongs to the two points in the other order, and the inequality is not symmetric. "
    "At which point does the tangent touch?",
)
def above_tangent_points_exchanged(value: Value, gradient: Gradient, x: Vector, y: Vector, smoothness: float) -> float:
    """f(x) - f(y) - <grad f(y), x-y> - 1/(2L) ||g||^2. Invisible on quadratics."""
    difference = gradient(y) - gradient(x)
    return float(value(x) - value(y) - gradient(y) @ (x - y) - difference @ difference / (2 * smoothness))


@mistake(
    cocoercivity_gap,
    "Your gap does not vanish for L/2 ||x||^2, where the inequality is an equality: "
    "the constant in front of the gradients belongs to another inequality.",
)
def cocoercivity_halved(gradient: Gradient, x: Vector, y: Vector, smoothness: float) -> float:
    """<g, s> - 1/(2L) ||g||^2. Invisible where the gradients are equal: as an inequality it holds too."""
    difference = gradient(y) - gradient(x)
    return float(difference @ (y - x) - difference @ difference / (2 * smoothness))


@mistake(
    monotonicity_interval_gap,
    "Your upper side is too small: the inequality is false for L/2 ||x||^2. Is there a half too many?",
)
def monotonicity_with_half(gradient: Gradient, x: Vector, y: Vector, smoothness: float) -> float:
    """min(<g, s>, L/2 ||s||^2 - <g, s>). Invisible where <g, s> is the smaller of both."""
    step = y - x
    product = (gradient(y) - gradient(x)) @ step
    return float(min(product, smoothness / 2 * step @ step - product))


@mistake(
    smooth_strongly_convex_gap,
    "Compare units: one of your two coefficients multiplies squared gradients, the other squared distances. "
    "Is each where it belongs?",
)
def coefficients_exchanged(
    gradient: Gradient, x: Vector, y: Vector, smoothness: float, strong_convexity: float
) -> float:
    """<g, s> - 1/(mu+L) ||s||^2 - mu L/(mu+L) ||g||^2. Invisible for mu L = 1."""
    L, mu = smoothness, strong_convexity
    step, difference = y - x, gradient(y) - gradient(x)
    return float(difference @ step - step @ step / (mu + L) - mu * L / (mu + L) * difference @ difference)


@mistake(
    smooth_strongly_convex_gap,
    "Your inequality is false along the eigenvector of the largest eigenvalue. "
    "For f = L/2 ||x||^2 with mu = L, how do the two terms share the left side?",
)
def first_coefficient_doubled(
    gradient: Gradient, x: Vector, y: Vector, smoothness: float, strong_convexity: float
) -> float:
    """<g, s> - 2 mu L/(mu+L) ||s||^2 - 1/(mu+L) ||g||^2. Invisible for mu = 0."""
    L, mu = smoothness, strong_convexity
    step, difference = y - x, gradient(y) - gradient(x)
    return float(difference @ step - 2 * mu * L / (mu + L) * step @ step - difference @ difference / (mu + L))


@mistake(
    smooth_strongly_convex_gap,
    "Your inequality holds, but it is never an equality, not even for L/2 ||x||^2: "
    "the term with the gradients is too small.",
)
def second_coefficient_halved(
    gradient: Gradient, x: Vector, y: Vector, smoothness: float, strong_convexity: float
) -> float:
    """<g, s> - mu L/(mu+L) ||s||^2 - 1/(2 (mu+L)) ||g||^2. Invisible where the gradients are equal."""
    L, mu = smoothness, strong_convexity
    step, difference = y - x, gradient(y) - gradient(x)
    return float(difference @ step - mu * L / (mu + L) * step @ step - difference @ difference / (2 * (mu + L)))
