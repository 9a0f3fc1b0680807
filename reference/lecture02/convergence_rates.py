"""The rates of gradient descent: the bound after K steps, the number of steps for an accuracy, a rate read off a run.

Problem     how many steps does gradient descent need, and how fast was a given run?
Algorithm   class             step       bound after K steps                            steps for accuracy eps
            non-convex        1/L        mean ||grad f||^2 <= 2 L (f(x_0) - f*)/(K+1)   2 L (f(x_0) - f*)/eps - 1
            convex            1/(2L)     f(x_K) - f* <= 2 L R^2/(K+1)                   2 L R^2/eps - 1
            strongly convex   2/(L+mu)   ||x_K - x*|| <= ((L-mu)/(L+mu))^K R            ln(R/eps) / ln((L+mu)/(L-mu))
            with R = ||x_0 - x*||, eps in the unit of what is bounded, and the number of steps rounded up.
Guarantee   the theorems of `gradient_descent`; a number of steps K is the smallest whose bound is at most eps.
            The orders are L/eps, L/eps and (L/mu) ln(1/eps).
References  Lecture 2, slides 17 to 26, Theorems 1 to 3; notes ch. 1, Theorems 3.2, 3.7 and 3.11 with Corollaries 3.3,
            3.8 and 3.12, and the table on page 6, which has K in place of K+1. Theorem 3.11, slide 21 and Corollary
            3.12 print the exponent K+1; it is K. The proof of Corollary 3.12 prints the factor upside down.
Catalogue   gd_rate_table
Witness     the bounds of `gradient_descent`; counting; exact sequences

In the code L is `smoothness`, mu is `strong_convexity`, R is `initial_distance`, f(x_0) - f* is `initial_gap`,
eps is `accuracy` and K is `num_steps`.
"""

from __future__ import annotations

import math
from itertools import count

import numpy as np

from reference.problem import Vector
from reference.variants import convention, equivalent, mistake

# The bounds.


def nonconvex_bound(smoothness: float, initial_gap: float, num_steps: int) -> float:
    """2 L (f(x_0) - f*)/(K+1): of the mean of ||grad f(x_0)||^2, ..., ||grad f(x_K)||^2, for gamma = 1/L."""
    return 2 * smoothness * initial_gap / (num_steps + 1)


def convex_bound(smoothness: float, initial_distance: float, num_steps: int) -> float:
    """2 L R^2/(K+1): of f(x_K) - f*, for gamma = 1/(2L)."""
    return 2 * smoothness * initial_distance**2 / (num_steps + 1)


def strongly_convex_factor(smoothness: float, strong_convexity: float) -> float:
    """(L-mu)/(L+mu): by which a step of length 2/(L+mu) reduces the distance at least."""
    return (smoothness - strong_convexity) / (smoothness + strong_convexity)


def strongly_convex_bound(smoothness: float, strong_convexity: float, initial_distance: float, num_steps: int) -> float:
    """((L-mu)/(L+mu))^K R: of ||x_K - x*||, for gamma = 2/(L+mu)."""
    return strongly_convex_factor(smoothness, strong_convexity) ** num_steps * initial_distance


# The number of steps.


def nonconvex_iterations(smoothness: float, initial_gap: float, accuracy: float) -> int:
    """The smallest K >= 0 with 2 L (f(x_0) - f*)/(K+1) <= eps."""
    return max(0, _rounded_up(2 * smoothness * initial_gap / accuracy - 1))


def convex_iterations(smoothness: float, initial_distance: float, accuracy: float) -> int:
    """The smallest K >= 0 with 2 L R^2/(K+1) <= eps."""
    return max(0, _rounded_up(2 * smoothness * initial_distance**2 / accuracy - 1))


def strongly_convex_iterations(
    smoothness: float, strong_convexity: float, initial_distance: float, accuracy: float
) -> int:
    """The smallest K >= 0 with ((L-mu)/(L+mu))^K R <= eps; 1 where L = mu and R > eps."""
    if initial_distance <= accuracy:
        return 0
    if smoothness == strong_convexity:
        return 1
    factor = strongly_convex_factor(smoothness, strong_convexity)
    return _rounded_up(math.log(initial_distance / accuracy) / -math.log(factor))


def _rounded_up(number: float) -> int:
    """The smallest integer that is not smaller, where a number that misses an integer by rounding counts as it."""
    nearest = round(number)
    return nearest if math.isclose(number, nearest, rel_tol=1e-12, abs_tol=1e-12) else math.ceil(number)


# The rate of a run.


def fitted_power(errors: Vector) -> float:
    """The r of errors that behave like k^r: slope of ln(error) against ln(k) by least squares. -1 for a rate 1/k.

    Args:
        errors: the errors e_0, e_1, ..., e_K, positive from e_1 on, K >= 2; e_0 is left out, as ln(0) is no number.
    """
    k = np.arange(1, len(errors))
    return float(np.polyfit(np.log(k), np.log(errors[1:]), 1)[0])


def fitted_factor(errors: Vector) -> float:
    """The q of errors that behave like q^k: exp of the slope of ln(error) against k by least squares.

    Args:
        errors: the errors e_0, e_1, ..., e_K, positive, K >= 1. Stop before rounding makes them constant.
    """
    return float(np.exp(np.polyfit(np.arange(len(errors)), np.log(errors), 1)[0]))


# Other forms of the bounds.


@convention(
    nonconvex_bound,
    "The denominator K of the table in the notes: true, a little weaker than the theorem, and infinite for K = 0.",
)
def nonconvex_bound_of_the_table(smoothness: float, initial_gap: float, num_steps: int) -> float:
    """2 L (f(x_0) - f*)/K."""
    return 2 * smoothness * initial_gap / num_steps if num_steps else math.inf


@mistake(
    nonconvex_bound,
    "Your number bounds the norm of the smallest gradient. The theorem is about the mean of something else.",
)
def bound_of_plain_norm(smoothness: float, initial_gap: float, num_steps: int) -> float:
    """The root of the bound. Invisible where it is 1."""
    return math.sqrt(2 * smoothness * initial_gap / (num_steps + 1))


@convention(
    convex_bound,
    "The denominator K of the table in the notes: true, a little weaker than the theorem, and infinite for K = 0.",
)
def convex_bound_of_the_table(smoothness: float, initial_distance: float, num_steps: int) -> float:
    """2 L R^2/K."""
    return 2 * smoothness * initial_distance**2 / num_steps if num_steps else math.inf


@mistake(
    convex_bound,
    "Your bound is in the wrong unit: if all distances double, f - f* of a parabola grows by four.",
)
def distance_not_squared(smoothness: float, initial_distance: float, num_steps: int) -> float:
    """2 L R/(K+1). Invisible for R = 1."""
    return 2 * smoothness * initial_distance / (num_steps + 1)


@mistake(
    convex_bound,
    "Your bound is a true one from a textbook, for another step. Which one does the theorem of the course state?",
)
def bound_for_longer_step(smoothness: float, initial_distance: float, num_steps: int) -> float:
    """L R^2/(2K), the standard bound for gamma = 1/L; infinite for K = 0."""
    return smoothness * initial_distance**2 / (2 * num_steps) if num_steps else math.inf


@convention(
    strongly_convex_factor,
    "The factor of a step of length 1/L, which the slides use in their table; it is the larger one.",
)
def factor_of_the_slides(smoothness: float, strong_convexity: float) -> float:
    """1 - mu/L (Lecture 2, slide 25)."""
    return 1 - strong_convexity / smoothness


@equivalent(strongly_convex_factor)
def factor_by_condition(smoothness: float, strong_convexity: float) -> float:
    """(kappa - 1)/(kappa + 1) with kappa = L/mu."""
    condition = smoothness / strong_convexity
    return (condition - 1) / (condition + 1)


@mistake(strongly_convex_factor, "Your factor is larger than 1: with it the bound grows.")
def printed_factor_upside_down(smoothness: float, strong_convexity: float) -> float:
    """(L+mu)/(L-mu), as the proof of notes ch. 1, Corollary 3.12 prints it; infinite for L = mu."""
    if smoothness == strong_convexity:
        return math.inf
    return (smoothness + strong_convexity) / (smoothness - strong_convexity)


@mistake(strongly_convex_factor, "Your factor is negative. Is a condition number larger or smaller than 1?")
def factor_with_inverted_condition(smoothness: float, strong_convexity: float) -> float:
    """(kappa - 1)/(kappa + 1) with kappa = mu/L. Invisible for L = mu."""
    condition = strong_convexity / smoothness
    return (condition - 1) / (condition + 1)


@equivalent(strongly_convex_bound)
def bound_by_logarithm(smoothness: float, strong_convexity: float, initial_distance: float, num_steps: int) -> float:
    """exp(-K ln((L+mu)/(L-mu))) R; the rounding grows with K."""
    if smoothness == strong_convexity:
        return initial_distance if num_steps == 0 else 0.0
    rate = math.log((smoothness + strong_convexity) / (smoothness - strong_convexity))
    return math.exp(-num_steps * rate) * initial_distance


@mistake(
    strongly_convex_bound,
    "Your bound is violated before the first step: what does it say about x_0?",
)
def printed_exponent(smoothness: float, strong_convexity: float, initial_distance: float, num_steps: int) -> float:
    """((L-mu)/(L+mu))^{K+1} R, as Lecture 2, slide 21, and notes ch. 1, Theorem 3.11 print it."""
    return strongly_convex_factor(smoothness, strong_convexity) ** (num_steps + 1) * initial_distance


@mistake(
    strongly_convex_bound,
    "Your factor belongs to the squared distance, and the bound is about the distance.",
)
def exponent_doubled(smoothness: float, strong_convexity: float, initial_distance: float, num_steps: int) -> float:
    """((L-mu)/(L+mu))^{2K} R. Invisible for K = 0."""
    return strongly_convex_factor(smoothness, strong_convexity) ** (2 * num_steps) * initial_distance


@mistake(
    strongly_convex_bound,
    "One of your two factors is squared and the other is not. Which quantity do you bound?",
)
def squared_distance_with_plain_factor(
    smoothness: float, strong_convexity: float, initial_distance: float, num_steps: int
) -> float:
    """((L-mu)/(L+mu))^K R^2. Invisible for R = 1."""
    return strongly_convex_factor(smoothness, strong_convexity) ** num_steps * initial_distance**2


# Other forms of the number of steps.


@equivalent(nonconvex_iterations)
def nonconvex_iterations_by_counting(smoothness: float, initial_gap: float, accuracy: float) -> int:
    """The first K whose bound is small enough; as long as the answer is."""
    limit = accuracy * (1 + 1e-12)
    return next(K for K in count() if nonconvex_bound(smoothness, initial_gap, K) <= limit)


@mistake(
    nonconvex_iterations,
    "You count the gradients in the mean. How many steps lead to the last of them?",
)
def gradients_counted(smoothness: float, initial_gap: float, accuracy: float) -> int:
    """2 L (f(x_0) - f*)/eps, rounded up: one too many."""
    return _rounded_up(2 * smoothness * initial_gap / accuracy)


@mistake(
    nonconvex_iterations,
    "Your accuracy is one of the norm of the gradient. In which unit does the theorem measure?",
)
def accuracy_of_plain_norm(smoothness: float, initial_gap: float, accuracy: float) -> int:
    """2 L (f(x_0) - f*)/eps^2 - 1, rounded up. Invisible for eps = 1."""
    return max(0, _rounded_up(2 * smoothness * initial_gap / accuracy**2 - 1))


@equivalent(convex_iterations)
def convex_iterations_by_counting(smoothness: float, initial_distance: float, accuracy: float) -> int:
    """The first K whose bound is small enough; as long as the answer is."""
    limit = accuracy * (1 + 1e-12)
    return next(K for K in count() if convex_bound(smoothness, initial_distance, K) <= limit)


@mistake(
    convex_iterations,
    "Your K misses the accuracy by a little: it was rounded the wrong way.",
)
def convex_iterations_rounded_down(smoothness: float, initial_distance: float, accuracy: float) -> int:
    """2 L R^2/eps - 1, rounded down. Invisible where it is an integer."""
    return max(0, -_rounded_up(1 - 2 * smoothness * initial_distance**2 / accuracy))


@equivalent(strongly_convex_iterations)
def strongly_convex_iterations_by_counting(
    smoothness: float, strong_convexity: float, initial_distance: float, accuracy: float
) -> int:
    """The first K whose bound is small enough; as long as the answer is."""
    limit = accuracy * (1 + 1e-12)
    return next(K for K in count() if strongly_convex_bound(smoothness, strong_convexity, initial_distance, K) <= limit)


@convention(
    strongly_convex_iterations,
    "The simplified count with the condition number: enough steps, and at least as many as are needed.",
)
def iterations_by_condition(
    smoothness: float, strong_convexity: float, initial_distance: float, accuracy: float
) -> int:
    """(kappa/2) ln(R/eps), rounded up; ln((L+mu)/(L-mu)) >= 2 mu/L = 2/kappa makes it enough."""
    if initial_distance <= accuracy:
        return 0
    return _rounded_up(smoothness / (2 * strong_convexity) * math.log(initial_distance / accuracy))


@mistake(
    strongly_convex_iterations,
    "Your K is one too small: its bound is still above the accuracy. Which power does the first step reach?",
)
def printed_iterations(smoothness: float, strong_convexity: float, initial_distance: float, accuracy: float) -> int:
    """The count with the exponent K+1, as notes ch. 1, Corollary 3.12 prints it. Invisible where R <= eps."""
    return max(0, strongly_convex_iterations(smoothness, strong_convexity, initial_distance, accuracy) - 1)


@mistake(
    strongly_convex_iterations,
    "Your K is negative: the logarithm of a factor smaller than 1 is.",
)
def iterations_with_wrong_sign(
    smoothness: float, strong_convexity: float, initial_distance: float, accuracy: float
) -> int:
    """ln(R/eps) / ln((L-mu)/(L+mu)), rounded up. Invisible where R = eps."""
    if smoothness == strong_convexity:
        return 0
    factor = strongly_convex_factor(smoothness, strong_convexity)
    return _rounded_up(math.log(initial_distance / accuracy) / math.log(factor))


# Other forms of the rate of a run.


@equivalent(fitted_power)
def power_by_sums(errors: Vector) -> float:
    """The slope as covariance over variance."""
    s, t = np.log(np.arange(1, len(errors))), np.log(errors[1:])
    return float(np.sum((s - s.mean()) * (t - t.mean())) / np.sum((s - s.mean()) ** 2))


@mistake(
    fitted_power,
    "Your slope depends on the length of the run: one of the two axes is not logarithmic.",
)
def slope_on_half_logarithmic_paper(errors: Vector) -> float:
    """The slope of ln(error) against k."""
    return float(np.polyfit(np.arange(1, len(errors)), np.log(errors[1:]), 1)[0])


@equivalent(fitted_factor)
def factor_by_sums(errors: Vector) -> float:
    """The slope as covariance over variance."""
    s, t = np.arange(len(errors)), np.log(errors)
    return float(np.exp(np.sum((s - s.mean()) * (t - t.mean())) / np.sum((s - s.mean()) ** 2)))


@mistake(
    fitted_factor,
    "Your number is negative: it is the slope of a line on a logarithmic axis, and not yet the factor.",
)
def slope_as_factor(errors: Vector) -> float:
    """The slope itself."""
    return float(np.polyfit(np.arange(len(errors)), np.log(errors), 1)[0])


@mistake(
    fitted_factor,
    "Your factor is a little too close to 1. How many steps lie between the first and the last of n errors?",
)
def root_of_wrong_order(errors: Vector) -> float:
    """(e_K/e_0)^{1/(K+1)}."""
    return float((errors[-1] / errors[0]) ** (1 / len(errors)))
