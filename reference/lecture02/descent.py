"""What one step of gradient descent gains.

Problem     min f(x) over R^d; f L-smooth.
Algorithm   x_{k+1} = x_k - gamma grad f(x_k)
Guarantee   gamma <= 1/L               f(x_{k+1}) <= f(x_k) - gamma/2 ||grad f(x_k)||^2
            any gamma > 0              f(x_{k+1}) <= f(x_k) - gamma (1 - L gamma/2) ||grad f(x_k)||^2
            convex, gamma = 1/(2L)     f(x_k) - f* <= 2 L (||x_k - x*||^2 - ||x_{k+1} - x*||^2)
            The first says that f decreases strictly until the gradient is 0; by the second it does for gamma < 2/L.
            By the third no step leads away from any minimiser.
References  Lecture 2, slide 14, Lemma 1 (which needs grad f(x_k) != 0 for a strict decrease); notes ch. 1, equations
            (5) and (14). The form for any gamma is derived from the same proof: slide 16 runs with gamma > 1/L.
Catalogue   gd_descent_lemma
Witness     gradient descent on random problems; equality on L/2 ||x||^2

A gap is the right side minus the left side, one for each step: nowhere negative where the inequality holds.
"""

from __future__ import annotations

import math

import numpy as np

from reference.problem import Matrix, Vector
from reference.variants import equivalent, mistake


def decrease_gap(values: Vector, gradients: Matrix, learning_rate: float, smoothness: float) -> Vector:
    """f(x_k) - gamma/2 ||grad f(x_k)||^2 - f(x_{k+1}) for k = 0, ..., K-1, (K,).

    Args:
        values: f(x_0), ..., f(x_K), (K+1,).
        gradients: grad f(x_0), ..., grad f(x_{K-1}), (K, d).
        learning_rate: gamma.
        smoothness: L.

    Raises:
        ValueError: unless 0 < gamma <= 1/L; for longer steps the constant 1/2 is wrong.
    """
    _require_short(learning_rate, smoothness)
    squared_norms = np.sum(gradients**2, axis=1)
    gaps: Vector = values[:-1] - learning_rate / 2 * squared_norms - values[1:]
    return gaps


def decrease_gap_any_step(values: Vector, gradients: Matrix, learning_rate: float, smoothness: float) -> Vector:
    """f(x_k) - gamma (1 - L gamma/2) ||grad f(x_k)||^2 - f(x_{k+1}) for k = 0, ..., K-1, (K,); derived.

    Args:
        values: f(x_0), ..., f(x_K), (K+1,).
        gradients: grad f(x_0), ..., grad f(x_{K-1}), (K, d).
        learning_rate: gamma > 0.
        smoothness: L.
    """
    factor = learning_rate * (1 - smoothness * learning_rate / 2)
    gaps: Vector = values[:-1] - factor * np.sum(gradients**2, axis=1) - values[1:]
    return gaps


def approach_gap(gaps: Vector, distances: Vector, smoothness: float) -> Vector:
    """2 L (||x_k - x*||^2 - ||x_{k+1} - x*||^2) - (f(x_k) - f*) for k = 0, ..., K-1, (K,); for gamma = 1/(2L).

    Summed over k = 0, ..., K it is Lecture 2, Theorem 2.

    Args:
        gaps: f(x_k) - f*, (K+1,).
        distances: ||x_k - x*||, (K+1,).
        smoothness: L.
    """
    squared: Vector = distances**2
    approach: Vector = 2 * smoothness * (squared[:-1] - squared[1:]) - gaps[:-1]
    return approach


def _require_short(learning_rate: float, smoothness: float) -> None:
    limit = 1 / smoothness
    if not 0 < learning_rate <= limit and not math.isclose(learning_rate, limit, rel_tol=1e-12):
        raise ValueError("The decrease by gamma/2 ||grad f||^2 needs a step 0 < gamma <= 1/L.")


@equivalent(decrease_gap)
def decrease_gap_step_by_step(values: Vector, gradients: Matrix, learning_rate: float, smoothness: float) -> Vector:
    """A loop over the steps."""
    _require_short(learning_rate, smoothness)
    return np.array([values[k] - values[k + 1] - learning_rate / 2 * float(g @ g) for k, g in enumerate(gradients)])


@mistake(
    decrease_gap,
    "You claim twice the decrease that the lemma gives: on L/2 ||x||^2 with gamma = 1/L your inequality is false.",
)
def decrease_by_full_step(values: Vector, gradients: Matrix, learning_rate: float, smoothness: float) -> Vector:
    """f(x_k) - gamma ||grad f(x_k)||^2 - f(x_{k+1}): what the tangent alone promises."""
    _require_short(learning_rate, smoothness)
    gaps: Vector = values[:-1] - learning_rate * np.sum(gradients**2, axis=1) - values[1:]
    return gaps


@mistake(
    decrease_gap,
    "You use the constant of short steps for a step longer than 1/L. Does it hold there? "
    "Try a parabola and gamma = 3/(2L).",
)
def decrease_for_long_steps(values: Vector, gradients: Matrix, learning_rate: float, smoothness: float) -> Vector:
    """No check of gamma. Invisible for gamma <= 1/L."""
    gaps: Vector = values[:-1] - learning_rate / 2 * np.sum(gradients**2, axis=1) - values[1:]
    return gaps


@mistake(
    decrease_gap,
    "Your inequality fails near a minimiser, where the gradient is small: one side shrinks faster than the other. "
    "Look at the power of the norm.",
)
def decrease_by_plain_norm(values: Vector, gradients: Matrix, learning_rate: float, smoothness: float) -> Vector:
    """f(x_k) - gamma/2 ||grad f(x_k)|| - f(x_{k+1}). Invisible for gradients of norm 1."""
    _require_short(learning_rate, smoothness)
    gaps: Vector = values[:-1] - learning_rate / 2 * np.linalg.norm(gradients, axis=1) - values[1:]
    return gaps


@mistake(
    approach_gap,
    "Your distances are not squared: units show that the two sides cannot be compared. What telescopes in the proof?",
)
def approach_by_plain_distance(gaps: Vector, distances: Vector, smoothness: float) -> Vector:
    """2 L (||x_k - x*|| - ||x_{k+1} - x*||) - (f(x_k) - f*)."""
    approach: Vector = 2 * smoothness * (distances[:-1] - distances[1:]) - gaps[:-1]
    return approach
