"""SAGA: stochastic gradients whose variance vanishes, by a table of the last gradient of each sample.

Problem     min f(x) = 1/N sum_i F_i(x) over R^d; each F_i differentiable, for the guarantee L-smooth.
Algorithm   alpha_j = x_0 for all j,  u = 1/N sum_j grad F_j(x_0),  for k = 0, ..., K-1, with a sample i = i_k
                x_{k+1} = x_k - gamma (grad F_i(x_k) - grad F_i(alpha_i) + u)
                u       = u + 1/N (grad F_i(x_k) - grad F_i(alpha_i)),  then  alpha_i = x_k
            So u = 1/N sum_j grad F_j(alpha_j) at all times. The table holds grad F_j(alpha_j) in the place of alpha_j.
Guarantee   non-convex, gamma = 1/(3 L N^{2/3}), in expectation over uniform samples
                1/(k+1) sum_{t<=k} E ||grad f(x_t)||^2 <= 10 L N^{2/3} (f(x_0) - f*) / (k+1)
Cost        N gradients of samples at the start, then one a step; N+3 vectors.
References  Notes ch. 9, Algorithm 1 and Theorem 5.5; Lecture 9 part I, slides 10-17. Slide 13 starts u with the mean of
            the points alpha_j in the place of that of their gradients. Defazio, Bach, Lacoste-Julien (2014), SAGA: A
            Fast Incremental Gradient Method.
Catalogue   saga
Witness     stored points alpha_j in exact fractions; expectation over all index streams

In the code gamma is `learning_rate`, N is `num_components`, K is `num_steps`, i_k is `indices[k]`, u is `average`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from reference.conditions import equal, known, require
from reference.lecture05.quantities import expected_mean_squared_gradient
from reference.lecture08.problems import random_finite_sum
from reference.problem import Matrix, Problem, Vector
from reference.quantities import distance
from reference.variants import convention, equivalent, example, guarantee, mistake

ComponentGradient = Callable[[Vector, int], Vector]
Indices = NDArray[np.int64]


def saga(
    component_gradient: ComponentGradient,
    x0: Vector,
    num_components: int,
    learning_rate: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """The iterates x_0, ..., x_K of SAGA, (K+1, d) float64: row k is x_k.

    Args:
        component_gradient: (x, i) -> gradient of F_i at x, (d,); i from 0; called N + K times in all.
        x0: starting point, (d,); left as it is.
        num_components: N.
        learning_rate: gamma, the constant step.
        indices: i_0, ..., i_{K-1}, (K,), drawn by the caller, each from 0, ..., N-1.
        num_steps: K >= 0.
    """
    x = np.array(x0, dtype=np.float64)
    table = np.array([component_gradient(x, i) for i in range(num_components)])
    average = np.mean(table, axis=0)
    iterates = [x]
    for k in range(num_steps):
        i = int(indices[k])
        g = component_gradient(x, i)
        x = x - learning_rate * (g - table[i] + average)
        average = average + (g - table[i]) / num_components
        table[i] = g
        iterates.append(x)
    return np.array(iterates)


@guarantee(
    saga,
    expected_mean_squared_gradient,
    "Lecture 9, Theorem 1; notes ch. 9, Theorem 5.5, in expectation: where each F_i is L-smooth and "
    "gamma = 1/(3 L N^{2/3}), the mean of ||grad f(x_0)||^2, ..., ||grad f(x_k)||^2 is at most "
    "10 L N^{2/3} (f(x_0) - f*) / (k+1).",
)
def bound_nonconvex(problem: Problem, learning_rate: float, num_steps: int) -> Vector:
    """10 L N^{2/3} (f(x_0) - f*) / (k+1), (K+1,), with L that of the samples, not that of f.

    Raises:
        ValueError: unless f is a finite sum, L and f* are known and gamma = 1/(3 L N^{2/3}).
    """
    require(problem.num_components is not None, "a finite sum", problem)
    N = known(problem.num_components, "number of samples N", problem)
    L = known(problem.component_smoothness, "smoothness constant L of its samples", problem)
    scale = L * N ** (2 / 3)
    require(equal(learning_rate, 1 / (3 * scale)), "the step gamma = 1/(3 L N^{2/3})", problem)
    initial_gap = problem.value(problem.x0) - known(problem.minimum, "minimum f*", problem)
    return np.asarray(10 * scale * initial_gap / np.arange(1.0, num_steps + 2))


# Correct other forms.


@equivalent(saga)
def recomputed_average(
    component_gradient: ComponentGradient,
    x0: Vector,
    num_components: int,
    learning_rate: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """u is the mean of the table, computed anew in each step."""
    x = np.array(x0, dtype=np.float64)
    table = np.array([component_gradient(x, i) for i in range(num_components)])
    iterates = [x]
    for k in range(num_steps):
        i = int(indices[k])
        g = component_gradient(x, i)
        x = x - learning_rate * (g - table[i] + table.mean(axis=0))
        table[i] = g
        iterates.append(x)
    return np.array(iterates)


@equivalent(saga)
def table_first(
    component_gradient: ComponentGradient,
    x0: Vector,
    num_components: int,
    learning_rate: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """The direction is formed first, then table and u are updated, and the step comes last."""
    x = np.array(x0, dtype=np.float64)
    table = np.array([component_gradient(x, i) for i in range(num_components)])
    average = np.mean(table, axis=0)
    iterates = [x]
    for k in range(num_steps):
        i = int(indices[k])
        g = component_gradient(x, i)
        change = g - table[i]
        direction = change + average
        average = average + change / num_components
        table[i] = g
        x = x - learning_rate * direction
        iterates.append(x)
    return np.array(iterates)


@equivalent(saga)
def average_of_change(
    component_gradient: ComponentGradient,
    x0: Vector,
    num_components: int,
    learning_rate: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """With u already updated, the direction is u + (1 - 1/N) (grad F_i(x_k) - grad F_i(alpha_i))."""
    x = np.array(x0, dtype=np.float64)
    table = np.array([component_gradient(x, i) for i in range(num_components)])
    average = np.mean(table, axis=0)
    iterates = [x]
    for k in range(num_steps):
        i = int(indices[k])
        g = component_gradient(x, i)
        change = g - table[i]
        average = average + change / num_components
        x = x - learning_rate * (average + (1 - 1 / num_components) * change)
        table[i] = g
        iterates.append(x)
    return np.array(iterates)


@equivalent(saga)
def preallocated(
    component_gradient: ComponentGradient,
    x0: Vector,
    num_components: int,
    learning_rate: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """The iterates are written into an array that exists from the start; u is kept as the sum N u."""
    iterates = np.empty((num_steps + 1, len(x0)))
    iterates[0] = x0
    table = np.stack([component_gradient(iterates[0], i) for i in range(num_components)])
    total = table.sum(axis=0)
    for k in range(num_steps):
        i = int(indices[k])
        g = component_gradient(iterates[k], i)
        iterates[k + 1] = iterates[k] - learning_rate * (g - table[i]) - learning_rate / num_components * total
        total = total + g - table[i]
        table[i] = g
    return iterates


# Correct under another source's convention.


@convention(
    saga,
    "Your table starts with zeros instead of the gradients at the starting point, as library code often does. "
    "It converges to the same point on another path.",
)
def zero_table(
    component_gradient: ComponentGradient,
    x0: Vector,
    num_components: int,
    learning_rate: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """The table and u are 0 at the start, which saves the first N gradients."""
    x = np.array(x0, dtype=np.float64)
    table = np.zeros((num_components, len(x0)))
    average = np.zeros(len(x0))
    iterates = [x]
    for k in range(num_steps):
        i = int(indices[k])
        g = component_gradient(x, i)
        x = x - learning_rate * (g - table[i] + average)
        average = average + (g - table[i]) / num_components
        table[i] = g
        iterates.append(x)
    return np.array(iterates)


# What goes wrong in the step.


@mistake(
    saga,
    "Your average already knows the new gradient when the step is made. In which order are the two updated?",
)
def average_updated_first(
    component_gradient: ComponentGradient,
    x0: Vector,
    num_components: int,
    learning_rate: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """u is updated before the direction is formed with it; the mean of the direction is no longer grad f(x_k)."""
    x = np.array(x0, dtype=np.float64)
    table = np.array([component_gradient(x, i) for i in range(num_components)])
    average = np.mean(table, axis=0)
    iterates = [x]
    for k in range(num_steps):
        i = int(indices[k])
        g = component_gradient(x, i)
        average = average + (g - table[i]) / num_components
        x = x - learning_rate * (g - table[i] + average)
        table[i] = g
        iterates.append(x)
    return np.array(iterates)


@mistake(
    saga,
    "Your step follows the updated average alone, which is not unbiased: that is another method, SAG.",
)
def average_as_direction(
    component_gradient: ComponentGradient,
    x0: Vector,
    num_components: int,
    learning_rate: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """x_{k+1} = x_k - gamma u with the updated u."""
    x = np.array(x0, dtype=np.float64)
    table = np.array([component_gradient(x, i) for i in range(num_components)])
    average = np.mean(table, axis=0)
    iterates = [x]
    for k in range(num_steps):
        i = int(indices[k])
        g = component_gradient(x, i)
        average = average + (g - table[i]) / num_components
        x = x - learning_rate * average
        table[i] = g
        iterates.append(x)
    return np.array(iterates)


@mistake(
    saga,
    "Your path does not move: the two gradients of the sample are the same at the start, and nothing else is left in "
    "your direction. What should its mean over the samples be?",
)
def no_average(
    component_gradient: ComponentGradient,
    x0: Vector,
    num_components: int,
    learning_rate: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """grad F_i(x_k) - grad F_i(alpha_i): it never leaves x_0, where the two are equal.

    The same path where u is there, but starts at 0.
    """
    x = np.array(x0, dtype=np.float64)
    table = np.array([component_gradient(x, i) for i in range(num_components)])
    iterates = [x]
    for k in range(num_steps):
        i = int(indices[k])
        g = component_gradient(x, i)
        x = x - learning_rate * (g - table[i])
        table[i] = g
        iterates.append(x)
    return np.array(iterates)


@mistake(
    saga,
    "Your step takes the change of the sample's gradient with the wrong sign. "
    "Which mean over the samples should the direction have?",
)
def flipped_change(
    component_gradient: ComponentGradient,
    x0: Vector,
    num_components: int,
    learning_rate: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """grad F_i(alpha_i) - grad F_i(x_k) + u."""
    x = np.array(x0, dtype=np.float64)
    table = np.array([component_gradient(x, i) for i in range(num_components)])
    average = np.mean(table, axis=0)
    iterates = [x]
    for k in range(num_steps):
        i = int(indices[k])
        g = component_gradient(x, i)
        x = x - learning_rate * (table[i] - g + average)
        average = average + (g - table[i]) / num_components
        table[i] = g
        iterates.append(x)
    return np.array(iterates)


@mistake(
    saga,
    "Your two gradients in one step belong to different samples, so that they do not cancel and the noise stays. "
    "How many samples does a step draw?",
)
def two_samples(
    component_gradient: ComponentGradient,
    x0: Vector,
    num_components: int,
    learning_rate: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """The old gradient is that of the sample i_{k+1 mod K}; still unbiased."""
    x = np.array(x0, dtype=np.float64)
    table = np.array([component_gradient(x, i) for i in range(num_components)])
    average = np.mean(table, axis=0)
    iterates = [x]
    for k in range(num_steps):
        i = int(indices[k])
        g = component_gradient(x, i)
        other = int(indices[(k + 1) % num_steps])
        x = x - learning_rate * (g - table[other] + average)
        average = average + (g - table[i]) / num_components
        table[i] = g
        iterates.append(x)
    return np.array(iterates)


# What goes wrong in the table and its average.


@mistake(saga, "Your average grows far beyond the gradients that it is made of: what share has one sample in it?")
def change_not_divided(
    component_gradient: ComponentGradient,
    x0: Vector,
    num_components: int,
    learning_rate: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """u = u + (grad F_i(x_k) - grad F_i(alpha_i)), without 1/N; right in the first step. Invisible for N = 1."""
    x = np.array(x0, dtype=np.float64)
    table = np.array([component_gradient(x, i) for i in range(num_components)])
    average = np.mean(table, axis=0)
    iterates = [x]
    for k in range(num_steps):
        i = int(indices[k])
        g = component_gradient(x, i)
        x = x - learning_rate * (g - table[i] + average)
        average = average + (g - table[i])
        table[i] = g
        iterates.append(x)
    return np.array(iterates)


@mistake(saga, "Your average is a sum: it is longer than the gradient of f by the number of samples.")
def sum_as_average(
    component_gradient: ComponentGradient,
    x0: Vector,
    num_components: int,
    learning_rate: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """u is the sum of the table. Invisible for N = 1."""
    x = np.array(x0, dtype=np.float64)
    table = np.array([component_gradient(x, i) for i in range(num_components)])
    average = np.sum(table, axis=0)
    iterates = [x]
    for k in range(num_steps):
        i = int(indices[k])
        g = component_gradient(x, i)
        x = x - learning_rate * (g - table[i] + average)
        average = average + (g - table[i])
        table[i] = g
        iterates.append(x)
    return np.array(iterates)


@mistake(saga, "Your average is the one of the start all along. When does it change?")
def frozen_average(
    component_gradient: ComponentGradient,
    x0: Vector,
    num_components: int,
    learning_rate: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """u is never updated."""
    x = np.array(x0, dtype=np.float64)
    table = np.array([component_gradient(x, i) for i in range(num_components)])
    average = np.mean(table, axis=0)
    iterates = [x]
    for k in range(num_steps):
        i = int(indices[k])
        g = component_gradient(x, i)
        x = x - learning_rate * (g - table[i] + average)
        table[i] = g
        iterates.append(x)
    return np.array(iterates)


@mistake(saga, "Your table is the one of the start all along, while its average moves on. When does it change?")
def frozen_table(
    component_gradient: ComponentGradient,
    x0: Vector,
    num_components: int,
    learning_rate: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """grad F_i(alpha_i) is never updated, u is."""
    x = np.array(x0, dtype=np.float64)
    table = np.array([component_gradient(x, i) for i in range(num_components)])
    average = np.mean(table, axis=0)
    iterates = [x]
    for k in range(num_steps):
        i = int(indices[k])
        g = component_gradient(x, i)
        x = x - learning_rate * (g - table[i] + average)
        average = average + (g - table[i]) / num_components
        iterates.append(x)
    return np.array(iterates)


@mistake(
    saga,
    "Your table remembers the point after the step. At which point was the gradient taken that the step used?",
)
def table_at_new_point(
    component_gradient: ComponentGradient,
    x0: Vector,
    num_components: int,
    learning_rate: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """alpha_i = x_{k+1}, which costs a second gradient a step; u is the mean of that table."""
    x = np.array(x0, dtype=np.float64)
    table = np.array([component_gradient(x, i) for i in range(num_components)])
    average = np.mean(table, axis=0)
    iterates = [x]
    for k in range(num_steps):
        i = int(indices[k])
        x = x - learning_rate * (component_gradient(x, i) - table[i] + average)
        g = component_gradient(x, i)
        average = average + (g - table[i]) / num_components
        table[i] = g
        iterates.append(x)
    return np.array(iterates)


@mistake(
    saga,
    "Your average starts as one of points, not of gradients. What is it subtracted from and added to later?",
)
def average_of_points(
    component_gradient: ComponentGradient,
    x0: Vector,
    num_components: int,
    learning_rate: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """u = x_0 at the start, the mean of all alpha_j, as Lecture 9 part I, slide 13 prints it.

    The error of u is never made up for: the path ends where grad f is not zero. From x_0 = 0 it is the path of
    `no_average`.
    """
    x = np.array(x0, dtype=np.float64)
    table = np.array([component_gradient(x, i) for i in range(num_components)])
    average = x
    iterates = [x]
    for k in range(num_steps):
        i = int(indices[k])
        g = component_gradient(x, i)
        x = x - learning_rate * (g - table[i] + average)
        average = average + (g - table[i]) / num_components
        table[i] = g
        iterates.append(x)
    return np.array(iterates)


example(
    saga,
    lambda: random_finite_sum(samples=10, dimension=3, seed=5),
    distance,
    num_components=lambda problem: problem.num_components,
    learning_rate=lambda problem: 1 / (3 * problem.component_smoothness),
    indices=np.random.default_rng(0).integers(10, size=400),
    num_steps=400,
)
