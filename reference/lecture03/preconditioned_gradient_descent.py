"""Preconditioned gradient descent.

Problem     min f(x) over R^d; f differentiable; P (d, d) symmetric positive definite.
Algorithm   x_{k+1} = x_k - gamma P grad f(x_k),  k = 0, ..., K-1
            Gradient descent in the variables w = P^(-1/2) x; P = I is gradient descent.
Guarantee   quadratics, L_P and mu_P the largest and smallest eigenvalue of P H, 0 < gamma < 2/L_P; with
            s = max(|1 - gamma mu_P|, |1 - gamma L_P|), at gamma = 1/L_P that is s = 1 - mu_P/L_P:
                ||x_k - x*||_{P^{-1}} <= s^k ||x_0 - x*||_{P^{-1}},   f(x_k) - f* <= s^(2k) (f(x_0) - f*)
            P = H^{-1} and gamma = 1 give x_1 = x*. On the slides f = x^T Q x + c^T x, without 1/2: with P = Q^{-1} it
            is gamma = 1/2 that takes one step, and gamma = 1 oscillates for ever.
Cost        one gradient and one product with P a step, one vector.
References  Lecture 3 part II, slides 5-7; the guarantees are derived from those of gradient descent.
Catalogue   preconditioned_gd
Witness     gradient descent in the new variables; closed form (I - gamma P H)^k (x_0 - x*)

In the code P is `preconditioner`, gamma is `learning_rate` and K is `num_steps`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.conditions import require
from reference.lecture03.preconditioning import effective_constants, square_root
from reference.lecture03.problems import steep_walls
from reference.lecture03.quadratics import constant_hessian
from reference.lecture03.quantities import preconditioned_distance
from reference.problem import Matrix, Problem, Vector
from reference.quantities import gap
from reference.variants import equivalent, example, guarantee, mistake

Gradient = Callable[[Vector], Vector]


def preconditioned_gradient_descent(
    gradient: Gradient, x0: Vector, preconditioner: Matrix, learning_rate: float, num_steps: int
) -> Matrix:
    """The iterates x_0, ..., x_K of preconditioned gradient descent, (K+1, d) float64: row k is x_k.

    Args:
        gradient: grad f, (d,) -> (d,); called once a step, K times in all.
        x0: starting point, (d,); left as it is.
        preconditioner: P, (d, d) symmetric positive definite.
        learning_rate: gamma, the constant step.
        num_steps: K >= 0.
    """
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * preconditioner @ gradient(x)
        iterates.append(x)
    return np.array(iterates)


# What can be said on quadratics.


@guarantee(
    preconditioned_gradient_descent,
    preconditioned_distance,
    "Derived, not a theorem of the course: for a quadratic and 0 < gamma < 2/L_P, "
    "||x_k - x*|| <= max(|1 - gamma mu_P|, |1 - gamma L_P|)^k ||x_0 - x*|| in the norm of P^{-1}, "
    "L_P and mu_P the largest and smallest eigenvalue of P H.",
)
def bound_distance(problem: Problem, preconditioner: Matrix, learning_rate: float, num_steps: int) -> Vector:
    """s^k ||x_0 - x*||_{P^{-1}}, (K+1,). Attained where x_0 - x* is an eigenvector of P H for L_P or mu_P.

    Raises:
        ValueError: unless f is a quadratic, 0 < gamma < 2/L_P, and P is the problem's `data["preconditioner"]`, with
            which the distance is measured.
    """
    known = problem.data.get("preconditioner")
    require(
        known is not None and np.array_equal(known, preconditioner),
        "the preconditioner P among the problem's data",
        problem,
    )
    factor = _factor(problem, preconditioner, learning_rate)
    start = preconditioned_distance(problem.x0[None], problem)
    return np.asarray(factor ** np.arange(0.0, num_steps + 1) * start)


@guarantee(
    preconditioned_gradient_descent,
    gap,
    "Derived, not a theorem of the course: for a quadratic and 0 < gamma < 2/L_P, "
    "f(x_k) - f* <= max(|1 - gamma mu_P|, |1 - gamma L_P|)^(2k) (f(x_0) - f*), "
    "L_P and mu_P the largest and smallest eigenvalue of P H.",
)
def bound_gap(problem: Problem, preconditioner: Matrix, learning_rate: float, num_steps: int) -> Vector:
    """s^(2k) (f(x_0) - f*), (K+1,).

    Raises:
        ValueError: unless f is a quadratic and 0 < gamma < 2/L_P.
    """
    factor = _factor(problem, preconditioner, learning_rate)
    return np.asarray(factor ** (2 * np.arange(0.0, num_steps + 1)) * gap(problem.x0[None], problem))


def _factor(problem: Problem, preconditioner: Matrix, learning_rate: float) -> float:
    largest, smallest = effective_constants(constant_hessian(problem), preconditioner)
    require(0 < learning_rate < 2 / largest, "a step 0 < gamma < 2/L_P", problem)
    return max(abs(1 - learning_rate * smallest), abs(1 - learning_rate * largest))


# Correct other forms.


@equivalent(preconditioned_gradient_descent)
def gradient_descent_in_new_variables(
    gradient: Gradient, x0: Vector, preconditioner: Matrix, learning_rate: float, num_steps: int
) -> Matrix:
    """w_{k+1} = w_k - gamma P^(1/2) grad f(P^(1/2) w_k) from w_0 = P^(-1/2) x_0, and x_k = P^(1/2) w_k."""
    root = square_root(preconditioner)
    w = np.linalg.solve(root, x0)
    iterates = [np.array(x0, dtype=np.float64)]
    for _ in range(num_steps):
        w = w - learning_rate * root @ gradient(root @ w)
        iterates.append(root @ w)
    return np.array(iterates)


@equivalent(preconditioned_gradient_descent)
def linear_solve(
    gradient: Gradient, x0: Vector, preconditioner: Matrix, learning_rate: float, num_steps: int
) -> Matrix:
    """The direction solves P^{-1} p = grad f(x_k): what one does where P^{-1} is what is known."""
    inverse = np.linalg.inv(preconditioner)
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * np.linalg.solve(inverse, gradient(x))
        iterates.append(x)
    return np.array(iterates)


@equivalent(preconditioned_gradient_descent)
def triangular_factor(
    gradient: Gradient, x0: Vector, preconditioner: Matrix, learning_rate: float, num_steps: int
) -> Matrix:
    """P = C C^T: two products with a triangular matrix."""
    C = np.linalg.cholesky(preconditioner)
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * (C @ (C.T @ gradient(x)))
        iterates.append(x)
    return np.array(iterates)


# Mistakes.


@mistake(
    preconditioned_gradient_descent,
    "Your preconditioner works against you: steep directions get the longer steps. Is it applied the right way round?",
)
def inverse_preconditioner(
    gradient: Gradient, x0: Vector, preconditioner: Matrix, learning_rate: float, num_steps: int
) -> Matrix:
    """P^{-1} grad f(x_k). Invisible for P = I."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * np.linalg.solve(preconditioner, gradient(x))
        iterates.append(x)
    return np.array(iterates)


@mistake(
    preconditioned_gradient_descent,
    "Your preconditioner is applied half only. What does gradient descent in the new variables become in the old ones?",
)
def root_of_preconditioner(
    gradient: Gradient, x0: Vector, preconditioner: Matrix, learning_rate: float, num_steps: int
) -> Matrix:
    """P^(1/2) grad f(x_k). Invisible for P = I."""
    root = square_root(preconditioner)
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * root @ gradient(x)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    preconditioned_gradient_descent,
    "Your preconditioner multiplies the iterate as well, so the minimiser is no longer a fixed point.",
)
def preconditioned_iterate(
    gradient: Gradient, x0: Vector, preconditioner: Matrix, learning_rate: float, num_steps: int
) -> Matrix:
    """x_{k+1} = P (x_k - gamma grad f(x_k)). Invisible for P = I."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = preconditioner @ (x - learning_rate * gradient(x))
        iterates.append(x)
    return np.array(iterates)


@mistake(
    preconditioned_gradient_descent,
    "Your step has the shape of a matrix. What is the product of a matrix and a vector, and which operator is it?",
)
def elementwise_product(
    gradient: Gradient, x0: Vector, preconditioner: Matrix, learning_rate: float, num_steps: int
) -> Matrix:
    """`P * grad f(x_k)`, (d, d). Raises ValueError, as no row can hold it; invisible for d = 1."""
    iterates = np.empty((num_steps + 1, len(x0)))
    iterates[0] = x0
    for k in range(num_steps):
        iterates[k + 1] = iterates[k] - learning_rate * preconditioner * gradient(iterates[k])
    return iterates


@mistake(
    preconditioned_gradient_descent,
    "Your path starts at another point than the given one: the start was mapped in the wrong direction. "
    "Which w belongs to it?",
)
def start_mapped_forward(
    gradient: Gradient, x0: Vector, preconditioner: Matrix, learning_rate: float, num_steps: int
) -> Matrix:
    """Gradient descent in the new variables from w_0 = P^(1/2) x_0. Invisible for P = I, and for x_0 = 0."""
    root = square_root(preconditioner)
    w = root @ x0
    iterates = [root @ w]
    for _ in range(num_steps):
        w = w - learning_rate * root @ gradient(root @ w)
        iterates.append(root @ w)
    return np.array(iterates)


@mistake(
    preconditioned_gradient_descent,
    "Your path is in the new variables. In which ones is the question?",
)
def not_mapped_back(
    gradient: Gradient, x0: Vector, preconditioner: Matrix, learning_rate: float, num_steps: int
) -> Matrix:
    """w_0, ..., w_K."""
    root = square_root(preconditioner)
    w = np.linalg.solve(root, x0)
    iterates = [w]
    for _ in range(num_steps):
        w = w - learning_rate * root @ gradient(root @ w)
        iterates.append(w)
    return np.array(iterates)


example(
    preconditioned_gradient_descent,
    steep_walls,
    gap,
    preconditioner=lambda problem: np.diag([1 / 20, 1 / 2]),
    learning_rate=1.0,
    num_steps=20,
)
