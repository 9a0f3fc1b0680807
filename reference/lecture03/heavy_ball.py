"""Heavy ball: gradient descent with Polyak's momentum.

Problem     min f(x) over R^d; f differentiable, for the guarantees a quadratic with eigenvalues in [mu, L], mu > 0.
Algorithm   x_{-1} = x_0,  for k = 1, ..., K
                x_k = x_{k-1} - gamma grad f(x_{k-1}) + beta (x_{k-1} - x_{k-2})
            The gradient is taken at the iterate, not at a point further on; the first step is one of gradient descent.
Guarantee   quadratics only; c and the two choices of gamma and beta: heavy_ball_tuning.py
            tuning of the notes     ||x_k - x*|| <= c (1 - sqrt mu / (sqrt L + sqrt mu))^k ||x_0 - x*||
            tuning of the slides    ||x_k - x*|| <= (1 + (1+rho) k) rho^k ||x_0 - x*||,
                                    rho = (sqrt L - sqrt mu) / (sqrt L + sqrt mu)
            It converges on every quadratic with these constants where 0 <= beta < 1 and 0 < gamma < 2 (1+beta)/L.
            Beyond quadratics there is no such rate, and there need not be convergence: `cycle_of_heavy_ball`.
Cost        one gradient a step, two vectors.
References  Notes ch. 3, eq. (2) and Theorem 2.1; Lecture 3 part I, slides 5-18. Slides 12-16 diagonalise the companion
            matrix at the tuning of the slides, where it has Jordan blocks; hence the factor k above.
Catalogue   heavy_ball
Witness     torch.optim.SGD; powers of the companion matrix; closed form per eigenvector

In the code gamma is `learning_rate`, beta is `momentum` and K is `num_steps`.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np

from reference.conditions import equal, require, smoothness, strong_convexity
from reference.lecture03.heavy_ball_tuning import heavy_ball_tuning_notes, heavy_ball_tuning_slides
from reference.lecture03.problems import valley
from reference.lecture03.quadratics import constant_hessian
from reference.problem import Matrix, Problem, Vector
from reference.quantities import distance
from reference.variants import equivalent, example, guarantee, mistake

Gradient = Callable[[Vector], Vector]


def heavy_ball(gradient: Gradient, x0: Vector, learning_rate: float, momentum: float, num_steps: int) -> Matrix:
    """The iterates x_0, ..., x_K of heavy ball, (K+1, d) float64: row k is x_k.

    Args:
        gradient: grad f, (d,) -> (d,); called once a step, K times in all.
        x0: starting point, (d,); left as it is.
        learning_rate: gamma, the constant step.
        momentum: beta, usually in [0, 1); 0 gives gradient descent.
        num_steps: K >= 0.
    """
    x = np.array(x0, dtype=np.float64)
    x_previous = x
    iterates = [x]
    for _ in range(num_steps):
        x, x_previous = x - learning_rate * gradient(x) + momentum * (x - x_previous), x
        iterates.append(x)
    return np.array(iterates)


# What the theorems say, on quadratics.


@guarantee(
    heavy_ball,
    distance,
    "Notes ch. 3, Theorem 2.1, for two dimensions; its proof extends to any: for a quadratic with eigenvalues in "
    "[mu, L], L > mu > 0, gamma = 1/L and beta = L/(sqrt L + sqrt mu)^2, "
    "||x_k - x*|| <= c (1 - sqrt mu/(sqrt L + sqrt mu))^k ||x_0 - x*|| with the constant c of the proof.",
)
def bound_tuning_notes(problem: Problem, learning_rate: float, momentum: float, num_steps: int) -> Vector:
    """c sqrt(beta)^k ||x_0 - x*||, (K+1,); on the valley a factor of ten and more above the run.

    Raises:
        ValueError: unless f is a quadratic, L > mu > 0, and gamma and beta are those of the notes.
    """
    L, mu = smoothness(problem), strong_convexity(problem)
    gamma, beta = heavy_ball_tuning_notes(L, mu)
    require(mu < L, "mu < L", problem)
    require(
        equal(learning_rate, gamma) and equal(momentum, beta),
        "the step gamma = 1/L and the momentum beta = L/(sqrt L + sqrt mu)^2",
        problem,
    )
    return bound_interval(problem, learning_rate, momentum, num_steps)


@guarantee(
    heavy_ball,
    distance,
    "Derived; Lecture 3 part I, slides 15-16 state it without the factor that grows with k: for a quadratic with "
    "eigenvalues in [mu, L], mu > 0, gamma = 4/(sqrt L + sqrt mu)^2 and beta = rho^2, "
    "||x_k - x*|| <= (1 + (1 + rho) k) rho^k ||x_0 - x*||, rho = (sqrt L - sqrt mu)/(sqrt L + sqrt mu).",
)
def bound_tuning_slides(problem: Problem, learning_rate: float, momentum: float, num_steps: int) -> Vector:
    """(1 + (1 + rho) k) rho^k ||x_0 - x*||, (K+1,). Attained along the eigenvector of L.

    Raises:
        ValueError: unless f is a quadratic, mu > 0, and gamma and beta are those of the slides.
    """
    L, mu = smoothness(problem), strong_convexity(problem)
    gamma, beta = heavy_ball_tuning_slides(L, mu)
    constant_hessian(problem)
    require(
        equal(learning_rate, gamma) and equal(momentum, beta),
        "the step gamma = 4/(sqrt L + sqrt mu)^2 and the momentum beta = ((sqrt L - sqrt mu)/(sqrt L + sqrt mu))^2",
        problem,
    )
    rho = sqrt(beta)
    k = np.arange(0.0, num_steps + 1)
    return (1 + (1 + rho) * k) * rho**k * distance(problem.x0[None], problem)


@guarantee(
    heavy_ball,
    distance,
    "By the proof of Theorem 2.1 in the notes, ch. 3: for a quadratic with eigenvalues in [mu, L] and "
    "(1 - sqrt beta)^2/mu < gamma < (1 + sqrt beta)^2/L, ||x_k - x*|| <= c sqrt(beta)^k ||x_0 - x*|| "
    "with the constant c of the proof.",
)
def bound_interval(problem: Problem, learning_rate: float, momentum: float, num_steps: int) -> Vector:
    """c sqrt(beta)^k ||x_0 - x*||, (K+1,). c grows without bound as gamma approaches an end of the interval.

    Raises:
        ValueError: unless f is a quadratic, mu > 0 and gamma lies strictly inside the interval.
    """
    L, mu = smoothness(problem), strong_convexity(problem)
    constant_hessian(problem)
    root = sqrt(max(momentum, 0.0))
    require(
        0 < momentum < 1 and (1 - root) ** 2 / mu < learning_rate < (1 + root) ** 2 / L,
        "(1 - sqrt beta)^2/mu < gamma < (1 + sqrt beta)^2/L with 0 < beta < 1",
        problem,
    )
    c = heavy_ball_constant(L, mu, learning_rate, momentum)
    return c * root ** np.arange(0.0, num_steps + 1) * distance(problem.x0[None], problem)


def heavy_ball_constant(smoothness: float, strong_convexity: float, learning_rate: float, momentum: float) -> float:
    """c = sqrt 2 ||P|| ||P^{-1}|| in the bound c sqrt(beta)^k ||x_0 - x*||, from the proof of Theorem 2.1.

    P holds the eigenvectors (lam, 1) of the blocks of the companion matrix, see heavy_ball_matrix.py. A block has the
    trace w = 1 + beta - gamma lambda, and both norms grow with |w|, which is largest for lambda = L or lambda = mu.
    """
    beta = momentum
    w = max(abs(1 + beta - learning_rate * smoothness), abs(1 + beta - learning_rate * strong_convexity))
    norm_squared = 1 + beta + sqrt((1 - beta) ** 2 + w**2)
    inverse_norm_squared = norm_squared / (4 * beta - w**2)
    return sqrt(2 * norm_squared * inverse_norm_squared)


# Correct other forms.


@equivalent(heavy_ball)
def velocity(gradient: Gradient, x0: Vector, learning_rate: float, momentum: float, num_steps: int) -> Matrix:
    """v_k = beta v_{k-1} - gamma grad f(x_{k-1}), x_k = x_{k-1} + v_k, v_0 = 0."""
    x = np.array(x0, dtype=np.float64)
    v = np.zeros(len(x0))
    iterates = [x]
    for _ in range(num_steps):
        v = momentum * v - learning_rate * gradient(x)
        x = x + v
        iterates.append(x)
    return np.array(iterates)


@equivalent(heavy_ball)
def summed_gradients(gradient: Gradient, x0: Vector, learning_rate: float, momentum: float, num_steps: int) -> Matrix:
    """m_k = beta m_{k-1} + grad f(x_{k-1}), x_k = x_{k-1} - gamma m_k, m_0 = 0: the form of torch.optim.SGD.

    The same for a constant step only.
    """
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    iterates = [x]
    for _ in range(num_steps):
        m = momentum * m + gradient(x)
        x = x - learning_rate * m
        iterates.append(x)
    return np.array(iterates)


@equivalent(heavy_ball)
def averaged_gradients(gradient: Gradient, x0: Vector, learning_rate: float, momentum: float, num_steps: int) -> Matrix:
    """m_k = beta m_{k-1} + (1-beta) grad f(x_{k-1}), x_k = x_{k-1} - gamma/(1-beta) m_k, m_0 = 0; beta is not 1."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    iterates = [x]
    for _ in range(num_steps):
        m = momentum * m + (1 - momentum) * gradient(x)
        x = x - learning_rate / (1 - momentum) * m
        iterates.append(x)
    return np.array(iterates)


@equivalent(heavy_ball)
def preallocated(gradient: Gradient, x0: Vector, learning_rate: float, momentum: float, num_steps: int) -> Matrix:
    """The iterates are written into an array that exists from the start, and read from it."""
    iterates = np.empty((num_steps + 1, len(x0)))
    iterates[0] = x0
    for k in range(1, num_steps + 1):
        x, x_previous = iterates[k - 1], iterates[max(k - 2, 0)]
        iterates[k] = x - learning_rate * gradient(x) + momentum * (x - x_previous)
    return iterates


# What goes wrong in the step.


@mistake(
    heavy_ball,
    "Your gradient is taken at the extrapolated point: that is Nesterov's method. "
    "Where does heavy ball look before it steps?",
)
def gradient_at_extrapolated_point(
    gradient: Gradient, x0: Vector, learning_rate: float, momentum: float, num_steps: int
) -> Matrix:
    """grad f(x_{k-1} + beta (x_{k-1} - x_{k-2}))."""
    x = np.array(x0, dtype=np.float64)
    x_previous = x
    iterates = [x]
    for _ in range(num_steps):
        y = x + momentum * (x - x_previous)
        x, x_previous = y - learning_rate * gradient(y), x
        iterates.append(x)
    return np.array(iterates)


@mistake(heavy_ball, "Your momentum brakes: it points back to where the path comes from. Which way should it push?")
def flipped_momentum(gradient: Gradient, x0: Vector, learning_rate: float, momentum: float, num_steps: int) -> Matrix:
    """- beta (x_{k-1} - x_{k-2})."""
    x = np.array(x0, dtype=np.float64)
    x_previous = x
    iterates = [x]
    for _ in range(num_steps):
        x, x_previous = x - learning_rate * gradient(x) - momentum * (x - x_previous), x
        iterates.append(x)
    return np.array(iterates)


@mistake(
    heavy_ball,
    "Your momentum comes one step late: it repeats the step before the last one. Which two points does it connect?",
)
def lagged_momentum(gradient: Gradient, x0: Vector, learning_rate: float, momentum: float, num_steps: int) -> Matrix:
    """+ beta (x_{k-2} - x_{k-3})."""
    x = np.array(x0, dtype=np.float64)
    step = step_before = np.zeros(len(x0))
    iterates = [x]
    for _ in range(num_steps):
        step, step_before = momentum * step_before - learning_rate * gradient(x), step
        x = x + step
        iterates.append(x)
    return np.array(iterates)


@mistake(
    heavy_ball,
    "Your method takes a large momentum for a small one, and the other way round. What is beta multiplied with?",
)
def complementary_momentum(
    gradient: Gradient, x0: Vector, learning_rate: float, momentum: float, num_steps: int
) -> Matrix:
    """1 - beta in the place of beta. Invisible for beta = 1/2."""
    x = np.array(x0, dtype=np.float64)
    x_previous = x
    iterates = [x]
    for _ in range(num_steps):
        x, x_previous = x - learning_rate * gradient(x) + (1 - momentum) * (x - x_previous), x
        iterates.append(x)
    return np.array(iterates)


@mistake(
    heavy_ball,
    "All your steps are too short by the same factor, the first one too: you average the gradients where they "
    "should be added up.",
)
def average_without_rescaling(
    gradient: Gradient, x0: Vector, learning_rate: float, momentum: float, num_steps: int
) -> Matrix:
    """m_k = beta m_{k-1} + (1-beta) grad f(x_{k-1}), x_k = x_{k-1} - gamma m_k: heavy ball with step gamma (1-beta)."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    iterates = [x]
    for _ in range(num_steps):
        m = momentum * m + (1 - momentum) * gradient(x)
        x = x - learning_rate * m
        iterates.append(x)
    return np.array(iterates)


@mistake(
    heavy_ball,
    "Your first step already has momentum, as if the path had come from the origin. "
    "What is the point before the first one?",
)
def history_at_zero(gradient: Gradient, x0: Vector, learning_rate: float, momentum: float, num_steps: int) -> Matrix:
    """x_{-1} = 0. Invisible where x_0 = 0."""
    x = np.array(x0, dtype=np.float64)
    x_previous = np.zeros(len(x0))
    iterates = [x]
    for _ in range(num_steps):
        x, x_previous = x - learning_rate * gradient(x) + momentum * (x - x_previous), x
        iterates.append(x)
    return np.array(iterates)


@mistake(
    heavy_ball,
    "Your path is the one of plain gradient descent: the momentum is always zero. "
    "When do you remember the previous point, before or after you move?",
)
def overwritten_previous(
    gradient: Gradient, x0: Vector, learning_rate: float, momentum: float, num_steps: int
) -> Matrix:
    """x_{k-2} is replaced by x_{k-1} before the difference is taken."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x_previous = x
        x = x - learning_rate * gradient(x) + momentum * (x - x_previous)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    heavy_ball,
    "Your momentum is too weak, the more so the smaller the learning rate. What does the learning rate multiply?",
)
def momentum_times_learning_rate(
    gradient: Gradient, x0: Vector, learning_rate: float, momentum: float, num_steps: int
) -> Matrix:
    """x_k = x_{k-1} - gamma (grad f(x_{k-1}) - beta (x_{k-1} - x_{k-2})). Invisible for gamma = 1."""
    x = np.array(x0, dtype=np.float64)
    x_previous = x
    iterates = [x]
    for _ in range(num_steps):
        x, x_previous = x - learning_rate * (gradient(x) - momentum * (x - x_previous)), x
        iterates.append(x)
    return np.array(iterates)


@mistake(
    heavy_ball,
    "Your path stands still in the first step, and each later step comes one too late. "
    "Is the velocity used before it is updated?",
)
def stale_velocity(gradient: Gradient, x0: Vector, learning_rate: float, momentum: float, num_steps: int) -> Matrix:
    """x_k = x_{k-1} + v_{k-1} and then v_k = beta v_{k-1} - gamma grad f(x_{k-1}), v_0 = 0."""
    x = np.array(x0, dtype=np.float64)
    v = np.zeros(len(x0))
    iterates = [x]
    for _ in range(num_steps):
        x, v = x + v, momentum * v - learning_rate * gradient(x)
        iterates.append(x)
    return np.array(iterates)


# What goes wrong in what is kept and returned.


@mistake(heavy_ball, "Your steps are right, but the path starts one point too late. What is row 0 of the result?")
def missing_first_row(gradient: Gradient, x0: Vector, learning_rate: float, momentum: float, num_steps: int) -> Matrix:
    """x_1, ..., x_K, (K, d)."""
    return heavy_ball(gradient, x0, learning_rate, momentum, num_steps)[1:]


@mistake(
    heavy_ball,
    "Your steps are right, but the path ends one point too early: "
    "the result of the last step is computed and not kept.",
)
def missing_last_row(gradient: Gradient, x0: Vector, learning_rate: float, momentum: float, num_steps: int) -> Matrix:
    """x_0, ..., x_{K-1}, (K, d)."""
    return heavy_ball(gradient, x0, learning_rate, momentum, num_steps)[:-1]


example(
    heavy_ball,
    valley,
    distance,
    learning_rate=lambda problem: heavy_ball_tuning_notes(problem.smoothness, problem.strong_convexity)[0],
    momentum=lambda problem: heavy_ball_tuning_notes(problem.smoothness, problem.strong_convexity)[1],
    num_steps=60,
)
