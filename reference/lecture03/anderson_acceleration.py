"""Anderson acceleration of gradient descent.

Problem     min f(x) over R^d; f differentiable. A zero of grad f is a fixed point of g(x) = x - gamma grad f(x).
Algorithm   for k = 0, ..., K-1, with m_k = min(m, k) and the residuals r_i = g(x_i) - x_i = -gamma grad f(x_i)
                alpha   = argmin ||alpha_0 r_k + alpha_1 r_{k-1} + ... + alpha_{m_k} r_{k-m_k}||, sum of alpha_i = 1
                x_{k+1} = alpha_0 g(x_k) + alpha_1 g(x_{k-1}) + ... + alpha_{m_k} g(x_{k-m_k})
            So x_1 = g(x_0); m = 0 is gradient descent.
Guarantee   f L-smooth and mu-strongly convex, gamma <= 1/L, bounded weights: the iterates converge to x*, on average
            as fast as those of gradient descent (quoted in the course: Mai, Johansson 2020, Theorem 1).
            Quadratics with mu > 0 (derived): x_{k+1} = x* as soon as m_k = k reaches the number of eigenvalues of the
            Hessian that x_0 - x* has a part in, so x_{d+1} = x* at the latest where m >= d; and for 0 < gamma < 2/L
                ||grad f(x_k)|| <= max(|1 - gamma mu|, |1 - gamma L|)^k ||grad f(x_0)||
Cost        one gradient a step, 2 (m+1) vectors, O(d m^2) for the weights.
References  Notes ch. 3, eqs. (21)-(24); Lecture 3 part I, slides 26-29. Slides 26-27, and slide 10 of Lecture 4 part I,
            print x_{k+1} = sum of alpha_i x_{k-i}, without g. Eq. (24) sums over m and has the index i.
Catalogue   anderson
Witness     GMRES (scipy.sparse.linalg.gmres) on quadratics; closed form of the first steps

In the code gamma is `learning_rate`, m is `memory` and K is `num_steps`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.conditions import require, smoothness, strong_convexity
from reference.lecture03.anderson_weights import anderson_weights
from reference.lecture03.anderson_weights_simplex import anderson_weights_simplex
from reference.lecture03.problems import five_curvatures
from reference.lecture03.quadratics import constant_hessian
from reference.lecture03.quantities import gradient_norm
from reference.problem import Matrix, Problem, Vector
from reference.quantities import gap
from reference.variants import equivalent, example, guarantee, mistake

Gradient = Callable[[Vector], Vector]


def anderson_acceleration(gradient: Gradient, x0: Vector, learning_rate: float, memory: int, num_steps: int) -> Matrix:
    """The iterates x_0, ..., x_K of Anderson acceleration, (K+1, d) float64: row k is x_k.

    Close to the solution the residuals of a window become nearly parallel, and the weights are determined by
    rounding errors; two correct programs then agree in how small f is, not in the iterates.

    Args:
        gradient: grad f, (d,) -> (d,); called once a step, K times in all.
        x0: starting point, (d,); left as it is.
        learning_rate: gamma > 0, the step of gradient descent.
        memory: m >= 0, the number of earlier points that are used beside the latest.
        num_steps: K >= 0.
    """
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    residuals: list[Vector] = []  # newest first, at most m+1
    images: list[Vector] = []
    for _ in range(num_steps):
        residual = -learning_rate * gradient(x)
        residuals = [residual, *residuals[:memory]]
        images = [x + residual, *images[:memory]]
        alpha = anderson_weights(np.stack(residuals, axis=1))
        x = np.stack(images, axis=1) @ alpha
        iterates.append(x)
    return np.array(iterates)


def anderson_step(points: Matrix, images: Matrix) -> tuple[Vector, Vector]:
    """The next iterate, (d,), and its weights, (p,), from the last p points.

    Args:
        points: x_k, x_{k-1}, ..., newest first, (p, d).
        images: g(x_k), g(x_{k-1}), ..., (p, d).
    """
    alpha = anderson_weights((images - points).T)
    return images.T @ alpha, alpha


# What can be said on quadratics.


@guarantee(
    anderson_acceleration,
    gradient_norm,
    "Derived, not a theorem of the course: for a quadratic with eigenvalues in [mu, L], mu > 0, and 0 < gamma < 2/L, "
    "||grad f(x_k)|| <= max(|1 - gamma mu|, |1 - gamma L|)^k ||grad f(x_0)||.",
)
def bound_quadratic(problem: Problem, learning_rate: float, memory: int, num_steps: int) -> Vector:
    """max(|1 - gamma mu|, |1 - gamma L|)^k ||grad f(x_0)||, (K+1,), whatever m is. Attained for m = 0.

    The residual of the combination is the combination of the residuals, no longer than r_k, times I - gamma H.

    Raises:
        ValueError: unless f is a quadratic, mu > 0 and 0 < gamma < 2/L.
    """
    L, mu = smoothness(problem), strong_convexity(problem)
    constant_hessian(problem)
    require(0 < learning_rate < 2 / L, "a step 0 < gamma < 2/L", problem)
    factor = max(abs(1 - learning_rate * mu), abs(1 - learning_rate * L))
    return factor ** np.arange(0.0, num_steps + 1) * gradient_norm(problem.x0[None], problem)


# Correct other forms.


@equivalent(anderson_acceleration)
def successive_differences(gradient: Gradient, x0: Vector, learning_rate: float, memory: int, num_steps: int) -> Matrix:
    """x_{k+1} = g(x_k) - sum of c_i (g_i - g_{i-1}), c = argmin ||r_k - sum of c_i (r_i - r_{i-1})||, oldest first."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    residuals: list[Vector] = []
    images: list[Vector] = []
    for _ in range(num_steps):
        residual = -learning_rate * gradient(x)
        residuals = [*residuals, residual][-memory - 1 :]
        images = [*images, x + residual][-memory - 1 :]
        x = images[-1]
        if len(residuals) > 1:
            c = np.linalg.lstsq(np.diff(residuals, axis=0).T, residual)[0]
            x = x - np.diff(images, axis=0).T @ c
        iterates.append(x)
    return np.array(iterates)


@equivalent(anderson_acceleration)
def weights_from_gradients(gradient: Gradient, x0: Vector, learning_rate: float, memory: int, num_steps: int) -> Matrix:
    """The gradients in the place of the residuals: a factor -gamma does not change the weights."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    points: list[Vector] = []
    gradients: list[Vector] = []
    for _ in range(num_steps):
        gradients = [gradient(x), *gradients[:memory]]
        points = [x, *points[:memory]]
        G, X = np.stack(gradients, axis=1), np.stack(points, axis=1)
        x = (X - learning_rate * G) @ anderson_weights(G)
        iterates.append(x)
    return np.array(iterates)


@equivalent(anderson_acceleration)
def weights_in_closed_form(gradient: Gradient, x0: Vector, learning_rate: float, memory: int, num_steps: int) -> Matrix:
    """(R^T R)^{-1} 1 divided by its sum; LinAlgError where R^T R is singular, so from k = d on at the latest."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    residuals: list[Vector] = []
    images: list[Vector] = []
    for _ in range(num_steps):
        residual = -learning_rate * gradient(x)
        residuals = [residual, *residuals[:memory]]
        images = [x + residual, *images[:memory]]
        R = np.stack(residuals, axis=1)
        u = np.linalg.solve(R.T @ R, np.ones(len(residuals)))
        x = np.stack(images, axis=1) @ (u / u.sum())
        iterates.append(x)
    return np.array(iterates)


# What goes wrong in the combination.


@mistake(
    anderson_acceleration,
    "Your iterates never leave the line, plane, ... through the first points: you combine points that you already "
    "have. The slides print it so; the notes do not. What should be combined?",
)
def without_the_map(gradient: Gradient, x0: Vector, learning_rate: float, memory: int, num_steps: int) -> Matrix:
    """x_{k+1} = sum of alpha_i x_{k-i} for k >= 1, and x_1 = g(x_0), as the slides print it."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    residuals: list[Vector] = []
    points: list[Vector] = []
    for k in range(num_steps):
        residual = -learning_rate * gradient(x)
        residuals = [residual, *residuals[:memory]]
        points = [x, *points[:memory]]
        alpha = anderson_weights(np.stack(residuals, axis=1))
        x = x + residual if k == 0 else np.stack(points, axis=1) @ alpha
        iterates.append(x)
    return np.array(iterates)


@mistake(
    anderson_acceleration,
    "Your weights do not sum to one, so the iterates are drawn to the origin. Which constraint do they have?",
)
def weights_without_constraint(
    gradient: Gradient, x0: Vector, learning_rate: float, memory: int, num_steps: int
) -> Matrix:
    """alpha = argmin ||R alpha|| = 0: every iterate after x_0 is 0, by chance x* in the examples of the course."""
    iterates = np.zeros((num_steps + 1, len(x0)))
    iterates[0] = x0
    for k in range(num_steps):
        gradient(iterates[k])
    return iterates


@mistake(
    anderson_acceleration,
    "Your weights do not sum to one: the last step of their formula is missing.",
)
def unnormalized_weights(gradient: Gradient, x0: Vector, learning_rate: float, memory: int, num_steps: int) -> Matrix:
    """alpha = (R^T R)^{-1} 1, not divided by its sum."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    residuals: list[Vector] = []
    images: list[Vector] = []
    for _ in range(num_steps):
        residual = -learning_rate * gradient(x)
        residuals = [residual, *residuals[:memory]]
        images = [x + residual, *images[:memory]]
        R = np.stack(residuals, axis=1)
        u = np.linalg.lstsq(R.T @ R, np.ones(len(residuals)))[0]
        x = np.stack(images, axis=1) @ u
        iterates.append(x)
    return np.array(iterates)


@mistake(
    anderson_acceleration,
    "Your weights are never negative, so your method can only average and not extrapolate. "
    "The one constraint here is on their sum.",
)
def nonnegative_weights(gradient: Gradient, x0: Vector, learning_rate: float, memory: int, num_steps: int) -> Matrix:
    """The weights of anderson_weights_simplex.py, 200 steps of it: slide 10 of Lecture 4 part I has alpha >= 0."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    residuals: list[Vector] = []
    images: list[Vector] = []
    for _ in range(num_steps):
        residual = -learning_rate * gradient(x)
        residuals = [residual, *residuals[:memory]]
        images = [x + residual, *images[:memory]]
        alpha = anderson_weights_simplex(np.stack(residuals, axis=1), 200)[-1]
        x = np.stack(images, axis=1) @ alpha
        iterates.append(x)
    return np.array(iterates)


@mistake(
    anderson_acceleration,
    "Your weights go to the wrong points: the largest should belong to the latest. In which order are the two lists?",
)
def reversed_weights(gradient: Gradient, x0: Vector, learning_rate: float, memory: int, num_steps: int) -> Matrix:
    """Residuals oldest first, images newest first."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    residuals: list[Vector] = []
    images: list[Vector] = []
    for _ in range(num_steps):
        residual = -learning_rate * gradient(x)
        residuals = [residual, *residuals[:memory]]
        images = [x + residual, *images[:memory]]
        alpha = anderson_weights(np.stack(residuals, axis=1))
        x = np.stack(images, axis=1) @ alpha[::-1]
        iterates.append(x)
    return np.array(iterates)


@mistake(
    anderson_acceleration,
    "Your weights ignore part of the residuals' space where these are linearly dependent. "
    "What does a pseudo-inverse do with the directions of eigenvalue zero?",
)
def pseudo_inverse(gradient: Gradient, x0: Vector, learning_rate: float, memory: int, num_steps: int) -> Matrix:
    """(R^T R)^+ 1 divided by its sum. Right as long as R has full column rank."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    residuals: list[Vector] = []
    images: list[Vector] = []
    for _ in range(num_steps):
        residual = -learning_rate * gradient(x)
        residuals = [residual, *residuals[:memory]]
        images = [x + residual, *images[:memory]]
        R = np.stack(residuals, axis=1)
        u = np.linalg.pinv(R.T @ R, hermitian=True) @ np.ones(len(residuals))
        x = np.stack(images, axis=1) @ (u / u.sum())
        iterates.append(x)
    return np.array(iterates)


# What goes wrong in the window.


@mistake(
    anderson_acceleration,
    "Your window is one point too short. How many points does the sum have when the memory is full?",
)
def window_too_short(gradient: Gradient, x0: Vector, learning_rate: float, memory: int, num_steps: int) -> Matrix:
    """m points instead of m+1. Invisible for m = 0, where there is no shorter window."""
    return anderson_acceleration(gradient, x0, learning_rate, max(memory - 1, 0), num_steps)


@mistake(
    anderson_acceleration,
    "Your window never forgets: all points since the start are in it. How many does the method keep?",
)
def window_never_cut(gradient: Gradient, x0: Vector, learning_rate: float, memory: int, num_steps: int) -> Matrix:
    """m_k = k. Invisible up to x_{m+1}."""
    return anderson_acceleration(gradient, x0, learning_rate, num_steps, num_steps)


@mistake(
    anderson_acceleration,
    "Your residuals compare a point with the image of the one before, and that is what the point was made from. "
    "Which image belongs to which point?",
)
def stale_residual(gradient: Gradient, x0: Vector, learning_rate: float, memory: int, num_steps: int) -> Matrix:
    """r_k = x_k - g(x_{k-1}), r_0 = g(x_0) - x_0: all later residuals are 0, and the path is gradient descent's."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    residuals: list[Vector] = []
    images: list[Vector] = []
    for k in range(num_steps):
        image = x - learning_rate * gradient(x)
        residual = image - x if k == 0 else x - images[0]
        residuals = [residual, *residuals[:memory]]
        images = [image, *images[:memory]]
        alpha = anderson_weights(np.stack(residuals, axis=1))
        x = np.stack(images, axis=1) @ alpha
        iterates.append(x)
    return np.array(iterates)


@mistake(
    anderson_acceleration,
    "Your path is right, but it costs as many gradients a step as there are points in the window. "
    "Which of them have been computed before?",
)
def recomputed_images(gradient: Gradient, x0: Vector, learning_rate: float, memory: int, num_steps: int) -> Matrix:
    """The right path; g is computed for all points of the window in every step."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for k in range(num_steps):
        window = iterates[::-1][: min(memory, k) + 1]
        images = np.stack([x - learning_rate * gradient(x) for x in window], axis=1)
        alpha = anderson_weights(images - np.stack(window, axis=1))
        iterates.append(images @ alpha)
    return np.array(iterates)


# What goes wrong in what is kept and returned.


@mistake(
    anderson_acceleration,
    "Your steps are right, but the path starts one point too late. What is row 0 of the result?",
)
def missing_first_row(gradient: Gradient, x0: Vector, learning_rate: float, memory: int, num_steps: int) -> Matrix:
    """x_1, ..., x_K, (K, d)."""
    return anderson_acceleration(gradient, x0, learning_rate, memory, num_steps)[1:]


@mistake(
    anderson_acceleration,
    "Your steps are right, but the path ends one point too early: "
    "the result of the last step is computed and not kept.",
)
def missing_last_row(gradient: Gradient, x0: Vector, learning_rate: float, memory: int, num_steps: int) -> Matrix:
    """x_0, ..., x_{K-1}, (K, d)."""
    return anderson_acceleration(gradient, x0, learning_rate, memory, num_steps)[:-1]


example(
    anderson_acceleration,
    five_curvatures,
    gap,
    learning_rate=lambda problem: 1 / problem.smoothness,
    memory=2,
    num_steps=20,
)
