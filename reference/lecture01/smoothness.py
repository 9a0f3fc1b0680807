"""L-smoothness: what it is, what follows from it, and how to measure it.

Problem     f: R^d -> R differentiable, convex or not; is ||grad f(x) - grad f(y)|| <= L ||x - y|| for all x, y?
Algorithm   the ratio ||grad f(x) - grad f(y)|| / ||x - y|| at pairs of points, or the largest |eigenvalue| of the
            Hessian at points, is at most L; L is the supremum.
Guarantee   for L-smooth f (no convexity is needed)
                f(y) <= f(x) + <grad f(x), y-x> + L/2 ||y-x||^2              (descent lemma)
                |f(y) - f(x) - <grad f(x), y-x>| <= L/2 ||y-x||^2            (both sides; equivalent to L-smoothness)
                ||grad f(x)||^2 <= 2 L (f(x) - f*)                           (where f* > -inf)
            The upper bound alone is not equivalent to L-smoothness unless f is convex: -x^4 has it for every L.
Cost        two gradients a pair.
References  Notes ch. 0, pages 4 and 5, Definition 2.4 and Theorem 2.5; notes ch. 1, Assumption 3.1 and Lemma 3.4;
            Lecture 2, slides 9 and 10. Slide 9 calls the upper bound equivalent, and Assumption 3.1 of the non-convex
            section prints 0 in place of -L/2 ||y-x||^2 as the lower bound, which is convexity.
Catalogue   l_smoothness, descent_lemma_gap, gradient_gap_lemma, check_smooth
Witness     numpy.linalg.eigvalsh of the Hessian; equality on quadratics; the counterexample -x^4

A gap is the right side of an inequality minus the left side: nowhere negative where the inequality holds.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.problem import Matrix, Vector
from reference.variants import equivalent, mistake

Value = Callable[[Vector], float]
Gradient = Callable[[Vector], Vector]
Hessian = Callable[[Vector], Matrix]


def smoothness_ratio(gradient: Gradient, points: Matrix, others: Matrix) -> float:
    """The largest ||grad f(x) - grad f(y)|| / ||x - y|| over the pairs: at most L, and close to L for good pairs.

    Args:
        gradient: grad f, (d,) -> (d,).
        points: the x, (m, d).
        others: the y, (m, d); y != x in each pair.
    """
    ratios = [
        np.linalg.norm(gradient(x) - gradient(y)) / np.linalg.norm(x - y) for x, y in zip(points, others, strict=True)
    ]
    return float(max(ratios))


def smoothness_from_hessian(hessian: Hessian, points: Matrix) -> float:
    """The largest ||Hess f(x)||_2 = max |eigenvalue| over the points: at most L, and L itself on a quadratic.

    Args:
        hessian: Hess f, (d,) -> (d, d).
        points: (m, d).
    """
    return float(max(np.abs(np.linalg.eigvalsh(hessian(x))).max() for x in points))


def descent_lemma_gap(value: Value, gradient: Gradient, x: Vector, y: Vector, smoothness: float) -> float:
    """f(x) + <grad f(x), y-x> + L/2 ||y-x||^2 - f(y).

    Args:
        value: f, (d,) -> float.
        gradient: grad f, (d,) -> (d,); called once, at x.
        x: where f is expanded, (d,).
        y: where the expansion is compared with f, (d,).
        smoothness: L.
    """
    step = y - x
    return float(value(x) + gradient(x) @ step + smoothness / 2 * step @ step - value(y))


def quadratic_bounds_gap(value: Value, gradient: Gradient, x: Vector, y: Vector, smoothness: float) -> float:
    """L/2 ||y-x||^2 - |f(y) - f(x) - <grad f(x), y-x>|: the descent lemma for f and for -f at once.

    Args:
        value: f, (d,) -> float.
        gradient: grad f, (d,) -> (d,).
        x: (d,).
        y: (d,).
        smoothness: L.
    """
    step = y - x
    remainder = value(y) - value(x) - gradient(x) @ step
    return float(smoothness / 2 * step @ step - abs(remainder))


def gradient_gap_lemma(value: Value, gradient: Gradient, x: Vector, smoothness: float, minimum: float) -> float:
    """2 L (f(x) - f*) - ||grad f(x)||^2; 0 everywhere for f(x) = L/2 ||x||^2.

    The descent lemma at y = x - grad f(x)/L says it: f* <= f(y) <= f(x) - ||grad f(x)||^2 / (2L).

    Args:
        value: f, (d,) -> float.
        gradient: grad f, (d,) -> (d,).
        x: (d,).
        smoothness: L.
        minimum: f*, the infimum of f over R^d.

    Raises:
        ValueError: where f* is not finite; then the lemma says nothing.
    """
    if not np.isfinite(minimum):
        raise ValueError("The lemma needs a function that is bounded below, f* > -inf.")
    g = gradient(x)
    return float(2 * smoothness * (value(x) - minimum) - g @ g)


# The constant L.


@equivalent(smoothness_from_hessian)
def by_spectral_norm(hessian: Hessian, points: Matrix) -> float:
    """The spectral norm of each Hessian, from its singular values."""
    return float(max(np.linalg.norm(hessian(x), 2) for x in points))


@mistake(
    smoothness_from_hessian,
    "Your L can be negative, and is too small where f curves downwards more than upwards. "
    "Try f = -x^2: how fast does its gradient change?",
)
def largest_signed_eigenvalue(hessian: Hessian, points: Matrix) -> float:
    """The largest eigenvalue with its sign. Invisible for convex f."""
    return float(max(np.linalg.eigvalsh(hessian(x)).max() for x in points))


@mistake(
    smoothness_ratio,
    "Your number bounds how fast f changes. The smoothness constant bounds how fast something else does.",
)
def lipschitz_constant_of_value(gradient: Gradient, points: Matrix, others: Matrix) -> float:
    """The largest ||grad f|| over the points; grows without limit on a quadratic."""
    return float(max(np.linalg.norm(gradient(x)) for x in (*points, *others)))


@mistake(
    smoothness_ratio,
    "Your number is a typical ratio of the pairs. A Lipschitz constant has to hold for every pair.",
)
def average_ratio(gradient: Gradient, points: Matrix, others: Matrix) -> float:
    """The mean of the ratios. Invisible where all Hessians are the same multiple of I."""
    ratios = [
        np.linalg.norm(gradient(x) - gradient(y)) / np.linalg.norm(x - y) for x, y in zip(points, others, strict=True)
    ]
    return float(np.mean(ratios))


# The descent lemma.


@equivalent(descent_lemma_gap)
def convexity_of_the_difference(value: Value, gradient: Gradient, x: Vector, y: Vector, smoothness: float) -> float:
    """q(y) - q(x) - <grad q(x), y-x> for q = L/2 ||.||^2 - f: the lemma says that q is convex."""

    def q(z: Vector) -> float:
        return float(smoothness / 2 * z @ z) - value(z)

    return float(q(y) - q(x) - (smoothness * x - gradient(x)) @ (y - x))


@mistake(
    descent_lemma_gap,
    "Your quadratic is too steep by a constant, so that the gap does not vanish on L/2 ||x||^2, where it should. "
    "Integrate the bound on the gradient once more.",
)
def descent_without_half(value: Value, gradient: Gradient, x: Vector, y: Vector, smoothness: float) -> float:
    """f(x) + <grad f(x), y-x> + L ||y-x||^2 - f(y). Invisible only for y = x: as an inequality it holds too."""
    step = y - x
    return float(value(x) + gradient(x) @ step + smoothness * step @ step - value(y))


@mistake(
    descent_lemma_gap,
    "You expand f at one point and take the gradient at another. Which point does the tangent touch?",
)
def descent_from_other_point(value: Value, gradient: Gradient, x: Vector, y: Vector, smoothness: float) -> float:
    """f(x) + <grad f(y), y-x> + L/2 ||y-x||^2 - f(y). Invisible for linear f."""
    step = y - x
    return float(value(x) + gradient(y) @ step + smoothness / 2 * step @ step - value(y))


@mistake(
    descent_lemma_gap,
    "Your gap changes its sign when y moves away from x: the last term does not grow fast enough.",
)
def descent_with_plain_norm(value: Value, gradient: Gradient, x: Vector, y: Vector, smoothness: float) -> float:
    """f(x) + <grad f(x), y-x> + L/2 ||y-x|| - f(y). Invisible for ||y-x|| = 1."""
    step = y - x
    return float(value(x) + gradient(x) @ step + smoothness / 2 * np.linalg.norm(step) - value(y))


@mistake(
    quadratic_bounds_gap,
    "Your lower bound holds for convex functions only, and the inequality is about all smooth ones. "
    "How far below its tangent may f lie?",
)
def printed_lower_bound_zero(value: Value, gradient: Gradient, x: Vector, y: Vector, smoothness: float) -> float:
    """min(D, L/2 ||y-x||^2 - D) with D = f(y) - f(x) - <grad f(x), y-x>, as notes ch. 1, Assumption 3.1 prints it.

    Negative somewhere for every f that is not convex; smaller than the right gap also for convex f, where
    2 D < L/2 ||y-x||^2.
    """
    step = y - x
    remainder = value(y) - value(x) - gradient(x) @ step
    return float(min(remainder, smoothness / 2 * step @ step - remainder))


@mistake(
    quadratic_bounds_gap,
    "Your gap is positive for -x^4 with any L, and that function is not smooth. "
    "You bound f from one side; does that bound the gradient?",
)
def upper_bound_only(value: Value, gradient: Gradient, x: Vector, y: Vector, smoothness: float) -> float:
    """L/2 ||y-x||^2 - (f(y) - f(x) - <grad f(x), y-x>), as Lecture 2, slide 9 has it. Invisible for convex f."""
    step = y - x
    remainder = value(y) - value(x) - gradient(x) @ step
    return float(smoothness / 2 * step @ step - remainder)


# The gradient and the gap to the minimum.


@equivalent(gradient_gap_lemma)
def from_best_decrease(value: Value, gradient: Gradient, x: Vector, smoothness: float, minimum: float) -> float:
    """2 L times what the bound f(x) - ||grad f(x)||^2/(2L) of one step of length 1/L leaves above f*."""
    if not np.isfinite(minimum):
        raise ValueError("The lemma needs a function that is bounded below, f* > -inf.")
    return float(2 * smoothness * (value(x) - np.sum(gradient(x) ** 2) / (2 * smoothness) - minimum))


@mistake(
    gradient_gap_lemma,
    "Your inequality is false for L/2 ||x||^2. Compare both sides there: which factor is missing?",
)
def gap_lemma_without_two(value: Value, gradient: Gradient, x: Vector, smoothness: float, minimum: float) -> float:
    """L (f(x) - f*) - ||grad f(x)||^2. Invisible at a minimiser."""
    g = gradient(x)
    return float(smoothness * (value(x) - minimum) - g @ g)


@mistake(
    gradient_gap_lemma,
    "You compare the gradient with an infinite gap. What does the lemma assume about f?",
)
def gap_lemma_with_infinite_minimum(
    value: Value, gradient: Gradient, x: Vector, smoothness: float, minimum: float
) -> float:
    """No check of f*: inf for f* = -inf. Invisible for f that is bounded below."""
    g = gradient(x)
    return float(2 * smoothness * (value(x) - minimum) - g @ g)
