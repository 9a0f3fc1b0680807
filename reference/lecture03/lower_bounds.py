"""Lower bounds: what no first-order method can beat.

Problem     any method with x_k in x_0 + span{grad f(x_0), ..., grad f(x_{k-1})}, see first_order_span.py
Guarantee   For every k there is a convex, L-smooth f in d >= 2k+1 dimensions with
                f(x_k) - f* >= 3 L ||x_0 - x*||^2 / (32 (k+1)^2)
            and in infinitely many dimensions a mu-strongly convex, L-smooth f with
                f(x_k) - f* >= mu/2 rho^(2k) ||x_0 - x*||^2,   rho = (sqrt L - sqrt mu)/(sqrt L + sqrt mu)
            for all k. These are the functions of worst_functions.py. Nesterov's method is within a constant factor of
            the first, and has the rate 1 - sqrt(mu/L) where the second has rho^2, about 1 - 4 sqrt(mu/L).
References  Notes ch. 3, Theorems 5.1 and 5.2; Lecture 3 part I, slides 30-32. Theorem 5.1 is printed without the
            condition on the dimension, Theorem 5.2 with the exponent k for 2k, which its own function violates.
            Nesterov (2003), Theorems 2.1.7 and 2.1.13.
Catalogue   lower_bound_convex, lower_bound_strongly_convex
Witness     the least value over the span on Nesterov's functions, by numpy.linalg.solve

Each bound has a number for every k = 0, ..., K.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from reference.problem import Vector
from reference.variants import mistake


def lower_bound_convex(smoothness: float, initial_distance: float, num_steps: int) -> Vector:
    """3 L ||x_0 - x*||^2 / (32 (k+1)^2), (K+1,).

    Args:
        smoothness: L.
        initial_distance: ||x_0 - x*||.
        num_steps: K >= 0; the theorem needs 2K+1 dimensions at least.
    """
    return 3 * smoothness * initial_distance**2 / (32 * np.arange(1.0, num_steps + 2) ** 2)


def lower_bound_strongly_convex(
    smoothness: float, strong_convexity: float, initial_distance: float, num_steps: int
) -> Vector:
    """mu/2 rho^(2k) ||x_0 - x*||^2, (K+1,), rho = (sqrt L - sqrt mu)/(sqrt L + sqrt mu).

    Args:
        smoothness: L.
        strong_convexity: mu, 0 < mu <= L.
        initial_distance: ||x_0 - x*||.
        num_steps: K >= 0.
    """
    L, mu = smoothness, strong_convexity
    rho = (sqrt(L) - sqrt(mu)) / (sqrt(L) + sqrt(mu))
    return mu / 2 * rho ** (2 * np.arange(0.0, num_steps + 1)) * initial_distance**2


@mistake(lower_bound_convex, "Your bound is infinite at the start. By how much is its count off?")
def one_step_off(smoothness: float, initial_distance: float, num_steps: int) -> Vector:
    """k for k+1; inf at k = 0."""
    with np.errstate(divide="ignore"):
        return 3 * smoothness * initial_distance**2 / (32 * np.arange(0.0, num_steps + 1) ** 2)


@mistake(lower_bound_convex, "Your bound does not scale right: a start twice as far away is how much worse?")
def distance_not_squared(smoothness: float, initial_distance: float, num_steps: int) -> Vector:
    """||x_0 - x*||. Invisible for the distance 1."""
    return 3 * smoothness * initial_distance / (32 * np.arange(1.0, num_steps + 2) ** 2)


@mistake(
    lower_bound_convex, "Your bound is larger than what gradient descent reaches. Is its constant the right way up?"
)
def inverted_constant(smoothness: float, initial_distance: float, num_steps: int) -> Vector:
    """32/3."""
    return 32 * smoothness * initial_distance**2 / (3 * np.arange(1.0, num_steps + 2) ** 2)


@mistake(
    lower_bound_strongly_convex,
    "Your bound falls too slowly: there is a method that does better on the worst function itself. "
    "The theorem is misprinted in the notes; distances and values do not have the same exponent.",
)
def printed_exponent(smoothness: float, strong_convexity: float, initial_distance: float, num_steps: int) -> Vector:
    """rho^k, as in Theorem 5.2 of the notes."""
    L, mu = smoothness, strong_convexity
    rho = (sqrt(L) - sqrt(mu)) / (sqrt(L) + sqrt(mu))
    return mu / 2 * rho ** np.arange(0.0, num_steps + 1) * initial_distance**2


@mistake(lower_bound_strongly_convex, "Your bound does not scale right: a start twice as far away is how much worse?")
def strongly_convex_distance_not_squared(
    smoothness: float, strong_convexity: float, initial_distance: float, num_steps: int
) -> Vector:
    """||x_0 - x*||. Invisible for the distance 1."""
    L, mu = smoothness, strong_convexity
    rho = (sqrt(L) - sqrt(mu)) / (sqrt(L) + sqrt(mu))
    return mu / 2 * rho ** (2 * np.arange(0.0, num_steps + 1)) * initial_distance
