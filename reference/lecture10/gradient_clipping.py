"""Gradient clipping, and gradient descent with clipped gradients.

Problem     min f(x) over R^d; f differentiable, steep in places; for the guarantee (L0, L1)-smooth:
            ||Hessian f(x)|| <= L0 + L1 ||grad f(x)||.
Algorithm   clip(u, c) = min(1, c / ||u||) u, the Euclidean norm of the whole vector; clip(0, c) = 0
            x_{k+1} = x_k - gamma clip(grad f(x_k), c),  k = 0, ..., K-1
            The gradient is clipped before it is multiplied by gamma: no step is longer than gamma c.
Guarantee   gamma <= 1/(9 (L0 + c L1)), D = 1.07 (f(x_0) - f*) / gamma
                1/(k+1) sum_{i<=k} ||grad f(x_i)|| <= sqrt(D / (k+1)) + D / (c (k+1))
            The lecture states the order; the constants are derived.
Cost        one gradient a step, one vector.
References  Lecture 10 part II, slides 12-21, Theorem 1. Slide 12 prints x_t on both sides, slide 13 ||u|| <= c where
            ||clip(u, c)|| <= c is meant. Zhang, He, Sra, Jadbabaie (2020), Why Gradient Clipping Accelerates Training;
            Koloskova, Hendrikx, Stich (2023), Revisiting Gradient Clipping.
Catalogue   clip_by_norm, clipped_gd, clipped_gd_theory
Witness     torch.nn.utils.clip_grad_norm_; projection onto the ball of radius c

In the code gamma is `learning_rate`, c is `threshold` and K is `num_steps`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.conditions import at_most, known, require
from reference.lecture10.problems import steep_quadratic
from reference.problem import Matrix, Problem, Vector
from reference.quantities import distance
from reference.variants import convention, equivalent, example, guarantee, mistake

Gradient = Callable[[Vector], Vector]


def clip(u: Vector, threshold: float) -> Vector:
    """min(1, c / ||u||) u, (d,): u itself where ||u|| <= c, else the vector of length c in its direction.

    Args:
        u: (d,); left as it is. A vector of zeros stays one.
        threshold: c > 0.
    """
    norm = float(np.linalg.norm(u))
    return u * (threshold / norm) if norm > threshold else np.array(u, dtype=np.float64)


@equivalent(clip)
def divided(u: Vector, threshold: float) -> Vector:
    """u / max(1, ||u|| / c): nothing to guard at 0."""
    return np.asarray(u / max(1.0, float(np.linalg.norm(u)) / threshold))


@equivalent(clip)
def projected(u: Vector, threshold: float) -> Vector:
    """The point of the ball of radius c that is closest to u."""
    return np.asarray(u * (threshold / np.maximum(np.linalg.norm(u), threshold)))


@convention(
    clip,
    "You divide by the norm plus 1e-6, as a well-known library does: the result is shorter than it should be by about "
    "that share.",
)
def padded_norm(u: Vector, threshold: float) -> Vector:
    """min(1, c / (||u|| + 1e-6)) u: torch.nn.utils.clip_grad_norm_. Invisible for ||u|| <= c - 1e-6."""
    return np.asarray(u * min(1.0, threshold / (float(np.linalg.norm(u)) + 1e-6)))


@mistake(clip, "You clip each entry on its own, which changes the direction. Of what should the length be bounded?")
def elementwise(u: Vector, threshold: float) -> Vector:
    """Each entry cut to [-c, c]. Invisible where no entry is larger, and for d = 1."""
    return np.asarray(np.clip(u, -threshold, threshold), dtype=np.float64)


@mistake(clip, "You lengthen short vectors and leave long ones as they are. Which of them should change?")
def larger_factor(u: Vector, threshold: float) -> Vector:
    """max(1, c / ||u||) u; 0 stays 0."""
    norm = float(np.linalg.norm(u))
    return np.asarray(u * max(1.0, threshold / norm)) if norm > 0 else np.zeros(len(u))


@mistake(clip, "All your results have the same length. What should happen to a vector that is short already?")
def always_normalized(u: Vector, threshold: float) -> Vector:
    """c u / ||u||; 0 stays 0. Invisible where ||u|| >= c."""
    norm = float(np.linalg.norm(u))
    return np.asarray(u * (threshold / norm)) if norm > 0 else np.zeros(len(u))


@mistake(clip, "Your results are too long: you measure a vector by its largest entry. Which norm was asked for?")
def largest_entry_norm(u: Vector, threshold: float) -> Vector:
    """min(1, c / ||u||_inf) u. The same for d = 1."""
    return np.asarray(u / max(1.0, float(np.max(np.abs(u))) / threshold))


@mistake(clip, "Your results are too short: you measure a vector by the sum of its entries. Which norm was asked for?")
def sum_norm(u: Vector, threshold: float) -> Vector:
    """min(1, c / ||u||_1) u. The same for d = 1."""
    return np.asarray(u / max(1.0, float(np.sum(np.abs(u))) / threshold))


@mistake(clip, "Your long vectors become shorter the longer they were: is what you divide by a length?")
def squared_norm(u: Vector, threshold: float) -> Vector:
    """min(1, c / ||u||^2) u."""
    return np.asarray(u / max(1.0, float(np.sum(u**2)) / threshold))


@mistake(clip, "Your results have at most the length one, whatever threshold is asked for.")
def threshold_ignored(u: Vector, threshold: float) -> Vector:
    """c = 1. Invisible for c = 1 and where both leave u as it is."""
    return np.asarray(u / max(1.0, float(np.linalg.norm(u))))


@mistake(clip, "Your result is not a number where the vector is zero. What is its length there?")
def zero_over_zero(u: Vector, threshold: float) -> Vector:
    """nan for u = 0, as of code that forms min(c, ||u||) / ||u||; right elsewhere."""
    norm = np.linalg.norm(u)
    with np.errstate(invalid="ignore"):
        return np.asarray(u * (np.minimum(threshold, norm) / norm))


def clipped_gd(gradient: Gradient, x0: Vector, learning_rate: float, threshold: float, num_steps: int) -> Matrix:
    """The iterates x_0, ..., x_K of clipped gradient descent, (K+1, d) float64: row k is x_k.

    Args:
        gradient: grad f, (d,) -> (d,); called once a step, K times in all.
        x0: starting point, (d,); left as it is.
        learning_rate: gamma, the constant step.
        threshold: c > 0; the longest gradient that is left as it is.
        num_steps: K >= 0.
    """
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * clip(gradient(x), threshold)
        iterates.append(x)
    return np.array(iterates)


def mean_gradient_norm(iterates: Matrix, problem: Problem) -> Vector:
    """mean of ||grad f(x_0)||, ..., ||grad f(x_k)||"""
    norms = [float(np.linalg.norm(problem.gradient(x))) for x in iterates]
    return np.cumsum(norms) / np.arange(1, len(norms) + 1)


@guarantee(
    clipped_gd,
    mean_gradient_norm,
    "Lecture 10, Theorem 1, with derived constants: for (L0, L1)-smooth f, gamma <= 1/(9 (L0 + c L1)) and "
    "D = 1.07 (f(x_0) - f*) / gamma, the mean of ||grad f(x_0)||, ..., ||grad f(x_k)|| is at most "
    "sqrt(D / (k+1)) + D / (c (k+1)).",
)
def bound_nonconvex(problem: Problem, learning_rate: float, threshold: float, num_steps: int) -> Vector:
    """sqrt(D / (k+1)) + D / (c (k+1)), (K+1,), with D = 1.07 (f(x_0) - f*) / gamma.

    A step lowers f by at least gamma/1.07 min(||g||^2, c ||g||). Summed up, the short gradients make the first term
    (by Cauchy and Schwarz) and the long ones the second.

    Raises:
        ValueError: unless L0, L1 and f* are known, 0 < gamma <= 1/(9 (L0 + c L1)) and c > 0.
    """
    L0, L1 = _constant("L0", problem), _constant("L1", problem)
    require(threshold > 0, "c > 0", problem)
    largest = 1 / (9 * (L0 + threshold * L1))
    require(learning_rate > 0 and at_most(learning_rate, largest), "a step 0 < gamma <= 1/(9 (L0 + c L1))", problem)
    D = 1.07 * (problem.value(problem.x0) - known(problem.minimum, "minimum f*", problem)) / learning_rate
    counts = np.arange(1.0, num_steps + 2)
    return np.asarray(np.sqrt(D / counts) + D / (threshold * counts))


def _constant(name: str, problem: Problem) -> float:
    """The constant among the problem's data; ValueError where it is not there."""
    return float(np.asarray(known(problem.data.get(name), f"constant {name}", problem)))


# Correct other forms.


@equivalent(clipped_gd)
def adaptive_step_size(
    gradient: Gradient, x0: Vector, learning_rate: float, threshold: float, num_steps: int
) -> Matrix:
    """Gradient descent with the step min(gamma, gamma c / ||grad f(x_k)||), and gamma where the gradient is 0."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        g = gradient(x)
        norm = float(np.linalg.norm(g))
        step_size = learning_rate if norm <= threshold else learning_rate * threshold / norm
        x = x - step_size * g
        iterates.append(x)
    return np.array(iterates)


@equivalent(clipped_gd)
def divided_gradient(gradient: Gradient, x0: Vector, learning_rate: float, threshold: float, num_steps: int) -> Matrix:
    """g / max(1, ||g|| / c)."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        g = gradient(x)
        x = x - learning_rate * g / max(1.0, float(np.sqrt(g @ g)) / threshold)
        iterates.append(x)
    return np.array(iterates)


@equivalent(clipped_gd)
def preallocated(gradient: Gradient, x0: Vector, learning_rate: float, threshold: float, num_steps: int) -> Matrix:
    """The iterates are written into an array that exists from the start, and read from it."""
    iterates = np.empty((num_steps + 1, len(x0)))
    iterates[0] = x0
    for k in range(num_steps):
        g = gradient(iterates[k])
        iterates[k + 1] = iterates[k] - learning_rate * g * (threshold / max(threshold, float(np.linalg.norm(g))))
    return iterates


# Correct under another source's convention.


@convention(
    clipped_gd,
    "You divide by the norm plus 1e-6, as a well-known library does: clipped steps are shorter by about that share.",
)
def padded_gradient_norm(
    gradient: Gradient, x0: Vector, learning_rate: float, threshold: float, num_steps: int
) -> Matrix:
    """min(1, c / (||g|| + 1e-6)) g: torch.nn.utils.clip_grad_norm_. Invisible where nothing is clipped."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * padded_norm(gradient(x), threshold)
        iterates.append(x)
    return np.array(iterates)


# What goes wrong. Where no gradient is longer than c, these are invisible: elementwise_clipping,
# largest_entry_clipping, no_clipping and, for gamma <= 1, clipped_step. The same holds for sum_clipping where
# ||g||_1 <= c, for squared_norm_clipping where ||g||^2 <= c, and for clipped_iterate where no point is longer than c.


@mistake(
    clipped_gd,
    "Your gradients are clipped entry by entry, which changes their direction. Of what should the length be bounded?",
)
def elementwise_clipping(
    gradient: Gradient, x0: Vector, learning_rate: float, threshold: float, num_steps: int
) -> Matrix:
    """Each entry of the gradient cut to [-c, c]. The same for d = 1."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * elementwise(gradient(x), threshold)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    clipped_gd,
    "Your path is the one of gradients that are never clipped, and short ones are even lengthened. "
    "Which of them should change?",
)
def larger_clipping_factor(
    gradient: Gradient, x0: Vector, learning_rate: float, threshold: float, num_steps: int
) -> Matrix:
    """max(1, c / ||g||) g."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * larger_factor(gradient(x), threshold)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    clipped_gd,
    "All your steps have the same length, also where the gradient is short, so that the path cannot settle.",
)
def always_normalized_gradient(
    gradient: Gradient, x0: Vector, learning_rate: float, threshold: float, num_steps: int
) -> Matrix:
    """c g / ||g||. Invisible while ||g|| >= c."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * always_normalized(gradient(x), threshold)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    clipped_gd,
    "Your clipped steps are too long: you measure the gradient by its largest entry. Which norm was asked for?",
)
def largest_entry_clipping(
    gradient: Gradient, x0: Vector, learning_rate: float, threshold: float, num_steps: int
) -> Matrix:
    """min(1, c / ||g||_inf) g. The same for d = 1."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * largest_entry_norm(gradient(x), threshold)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    clipped_gd,
    "Your clipped steps are too short: you measure the gradient by the sum of its entries. Which norm was asked for?",
)
def sum_clipping(gradient: Gradient, x0: Vector, learning_rate: float, threshold: float, num_steps: int) -> Matrix:
    """min(1, c / ||g||_1) g. The same for d = 1."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * sum_norm(gradient(x), threshold)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    clipped_gd,
    "Your clipped steps are shorter the longer the gradient is: is what you divide by a length?",
)
def squared_norm_clipping(
    gradient: Gradient, x0: Vector, learning_rate: float, threshold: float, num_steps: int
) -> Matrix:
    """min(1, c / ||g||^2) g."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * squared_norm(gradient(x), threshold)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    clipped_gd,
    "Your gradients are clipped at the length one, whatever threshold is asked for.",
)
def threshold_of_one(gradient: Gradient, x0: Vector, learning_rate: float, threshold: float, num_steps: int) -> Matrix:
    """c = 1. Invisible where that is asked for."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * threshold_ignored(gradient(x), threshold)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    clipped_gd,
    "Your threshold is compared with a vector that has the learning rate in it already, so that you clip too rarely. "
    "What should be clipped, and when?",
)
def clipped_step(gradient: Gradient, x0: Vector, learning_rate: float, threshold: float, num_steps: int) -> Matrix:
    """clip(gamma g, c). The same for gamma = 1, and where neither is clipped."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - clip(learning_rate * gradient(x), threshold)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    clipped_gd,
    "Your points stay in a ball around the origin: what you clip is the point that a full step leads to. "
    "What should be clipped?",
)
def clipped_iterate(gradient: Gradient, x0: Vector, learning_rate: float, threshold: float, num_steps: int) -> Matrix:
    """clip(x - gamma g, c): projected gradient descent on the ball of radius c."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = clip(x - learning_rate * gradient(x), threshold)
        iterates.append(x)
    return np.array(iterates)


@mistake(clipped_gd, "Your gradients are never clipped: your path is that of gradient descent.")
def no_clipping(gradient: Gradient, x0: Vector, learning_rate: float, threshold: float, num_steps: int) -> Matrix:
    """x - gamma g."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * gradient(x)
        iterates.append(x)
    return np.array(iterates)


example(clipped_gd, steep_quadratic, distance, learning_rate=0.15, threshold=4.0, num_steps=80)
