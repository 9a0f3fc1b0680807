"""Convexity: the inequalities that are equivalent to it, and what a test with them can show.

Problem     f: R^d -> R; is f(t x + (1-t) y) <= t f(x) + (1-t) f(y) for all x, y and all 0 <= t <= 1?
Algorithm   take pairs of points, and look for one at which an inequality fails.
Guarantee   for differentiable f each of these is equivalent to convexity
                f(t x + (1-t) y) <= t f(x) + (1-t) f(y)
                f(y) >= f(x) + <grad f(x), y-x>
                <grad f(y) - grad f(x), y-x> >= 0
            and from the first follows, for weights w_i >= 0 with sum 1,
                f(sum_i w_i x_i) <= sum_i w_i f(x_i)                                    (Jensen)
            One pair at which one of them fails proves that f is not convex. No number of pairs proves that it is.
References  Notes ch. 0, pages 6 to 8, Definition 3.3, Theorem 3.4, Proposition 3.5; Lecture 2, slides 5 to 7.
            Page 7 prints f(t x + (1-t) f(y)) in step 2 of the proof; it is f(t x + (1-t) y).
Catalogue   convexity_checks
Witness     the Hessian's smallest eigenvalue; convex and non-convex functions with known answers

A gap is the larger side of an inequality minus the smaller one: nowhere negative where f is convex.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import numpy as np

from reference.problem import Matrix, Vector
from reference.variants import equivalent, mistake

Value = Callable[[Vector], float]
Gradient = Callable[[Vector], Vector]

# Rounding of a gap, relative to the terms that it is the difference of.
_ROUNDING = 1e-12


def segment_gap(value: Value, x: Vector, y: Vector, t: float) -> float:
    """t f(x) + (1-t) f(y) - f(t x + (1-t) y).

    Args:
        value: f, (d,) -> float.
        x: (d,).
        y: (d,).
        t: between 0 and 1; the weight of x.
    """
    return t * value(x) + (1 - t) * value(y) - value(t * x + (1 - t) * y)


def first_order_gap(value: Value, gradient: Gradient, x: Vector, y: Vector) -> float:
    """f(y) - f(x) - <grad f(x), y-x>: how far f lies above its tangent at x.

    Args:
        value: f, (d,) -> float.
        gradient: grad f, (d,) -> (d,); called at x only.
        x: where the tangent touches, (d,).
        y: (d,).
    """
    return float(value(y) - value(x) - gradient(x) @ (y - x))


def monotonicity_gap(gradient: Gradient, x: Vector, y: Vector) -> float:
    """<grad f(y) - grad f(x), y-x>.

    Args:
        gradient: grad f, (d,) -> (d,).
        x: (d,).
        y: (d,).
    """
    return float((gradient(y) - gradient(x)) @ (y - x))


def jensen_gap(value: Value, points: Matrix, weights: Vector) -> float:
    """sum_i w_i f(x_i) - f(sum_i w_i x_i).

    Args:
        value: f, (d,) -> float.
        points: the x_i, (m, d).
        weights: the w_i, (m,); not negative, of sum 1.

    Raises:
        ValueError: where a weight is negative or the sum is not 1.
    """
    if np.any(weights < 0) or not np.isclose(np.sum(weights), 1, rtol=0, atol=_ROUNDING):
        raise ValueError("Jensen's inequality needs weights that are not negative and add up to 1.")
    average = sum(float(w) * value(x) for w, x in zip(weights, points, strict=True))
    return float(average - value(weights @ points))


def is_proved_not_convex(value: Value, gradient: Gradient, points: Matrix) -> bool:
    """Whether f lies below its tangent for some ordered pair of the points, by more than rounding.

    True proves that f is not convex. False proves nothing.

    Args:
        value: f, (d,) -> float.
        gradient: grad f, (d,) -> (d,).
        points: (m, d).
    """
    for x, y in permutations(points, 2):
        size = abs(value(x)) + abs(value(y)) + abs(float(gradient(x) @ (y - x)))
        if first_order_gap(value, gradient, x, y) < -_ROUNDING * size:
            return True
    return False


# Segments.


@mistake(
    segment_gap,
    "Your gap is right for t = 1/2 and not for other t: the two weights are exchanged on one side.",
)
def segment_weights_exchanged(value: Value, x: Vector, y: Vector, t: float) -> float:
    """t f(x) + (1-t) f(y) - f((1-t) x + t y). Invisible for t = 1/2."""
    return t * value(x) + (1 - t) * value(y) - value((1 - t) * x + t * y)


@mistake(
    segment_gap,
    "Your gap does not depend on t: it looks at the midpoint only.",
)
def midpoint_only(value: Value, x: Vector, y: Vector, t: float) -> float:
    """(f(x) + f(y))/2 - f((x + y)/2). Invisible for t = 1/2."""
    return (value(x) + value(y)) / 2 - value((x + y) / 2)


@mistake(
    segment_gap,
    "You mix a point and a value of f inside the argument of f. Which point lies between x and y?",
)
def printed_value_inside_argument(value: Value, x: Vector, y: Vector, t: float) -> float:
    """t f(x) + (1-t) f(y) - f(t x + (1-t) f(y)), as notes ch. 0, page 7 prints it. Invisible where f(y) = y."""
    return t * value(x) + (1 - t) * value(y) - value(t * x + (1 - t) * value(y))


# Tangents.


@mistake(
    first_order_gap,
    "Your tangent touches at one point and has the slope of another. Try a parabola: your gap is negative there.",
)
def tangent_with_slope_at_y(value: Value, gradient: Gradient, x: Vector, y: Vector) -> float:
    """f(y) - f(x) - <grad f(y), y-x>: minus the gap with x and y exchanged. Invisible for linear f."""
    return float(value(y) - value(x) - gradient(y) @ (y - x))


@equivalent(monotonicity_gap)
def as_two_products(gradient: Gradient, x: Vector, y: Vector) -> float:
    """<grad f(y), y-x> + <grad f(x), x-y>."""
    return float(gradient(y) @ (y - x) + gradient(x) @ (x - y))


@mistake(
    monotonicity_gap,
    "Your number is negative for a parabola: one of the two differences is taken the other way round.",
)
def reversed_monotonicity(gradient: Gradient, x: Vector, y: Vector) -> float:
    """<grad f(x) - grad f(y), y-x>. Invisible for linear f."""
    return float((gradient(x) - gradient(y)) @ (y - x))


# Jensen.


@equivalent(jensen_gap)
def mean_by_induction(value: Value, points: Matrix, weights: Vector) -> float:
    """The weighted mean point by point, as in the proof by induction: each step is a segment."""
    if np.any(weights < 0) or not np.isclose(np.sum(weights), 1, rtol=0, atol=_ROUNDING):
        raise ValueError("Jensen's inequality needs weights that are not negative and add up to 1.")
    mean, average, total = np.zeros(points.shape[1]), 0.0, 0.0
    for w, x in zip(weights, points, strict=True):
        total += w
        if w > 0:
            mean = mean + w / total * (x - mean)
            average = average + w / total * (value(x) - average)
    return float(average - value(mean))


@mistake(
    jensen_gap,
    "Your function accepts weights that do not add up to 1, and then the inequality may fail for a convex f.",
)
def weights_not_checked(value: Value, points: Matrix, weights: Vector) -> float:
    """No check of the weights. Invisible for weights that Jensen's inequality allows."""
    average = sum(float(w) * value(x) for w, x in zip(weights, points, strict=True))
    return float(average - value(weights @ points))


@mistake(
    jensen_gap,
    "Your mean of the points ignores the weights, and your mean of the values does not.",
)
def unweighted_mean_of_points(value: Value, points: Matrix, weights: Vector) -> float:
    """sum_i w_i f(x_i) - f((1/m) sum_i x_i). Invisible for equal weights."""
    average = sum(float(w) * value(x) for w, x in zip(weights, points, strict=True))
    return float(average - value(np.mean(points, axis=0)))


# Verdicts.


@mistake(
    is_proved_not_convex,
    "You look at a single pair of points. A function may violate the inequality elsewhere.",
)
def first_pair_only(value: Value, gradient: Gradient, points: Matrix) -> bool:
    """The midpoint between the first two points. Invisible where that pair happens to show it."""
    return segment_gap(value, points[0], points[1], 0.5) < 0


@mistake(
    is_proved_not_convex,
    "You call f convex because most pairs satisfy the inequality. How many violations does a proof need?",
)
def majority_of_pairs(value: Value, gradient: Gradient, points: Matrix) -> bool:
    """Whether more than half of the pairs violate the inequality. Invisible for convex and for concave f."""
    violations = [first_order_gap(value, gradient, x, y) < 0 for x, y in permutations(points, 2)]
    return sum(violations) > len(violations) / 2
