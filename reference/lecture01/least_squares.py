"""Least squares: value, derivatives, constants, solution, and gradient descent in closed form.

Problem     min f(x) = 1/2 ||A x - b||^2 over R^d; A (n, d) with rows a_i, b (n,).
Algorithm   grad f(x) = A^T (A x - b), the Hessian is A^T A everywhere, and so
                L  = largest eigenvalue of A^T A  = (largest singular value of A)^2
                mu = smallest eigenvalue of A^T A = (smallest singular value of A)^2; 0 where rank A < d
                x* = (A^T A)^{-1} A^T b where A has full column rank
Guarantee   f is convex and L-smooth; it is mu-strongly convex with mu > 0 exactly where A has full column rank.
            L/mu is the squared condition number of A. Gradient descent has the closed form
                x_k - x* = (I - gamma A^T A)^k (x_0 - x*),  which converges for all x_0 exactly for 0 < gamma < 2/L.
Cost        value: one product with A. Gradient: one with A and one with A^T. Constants, solution: O(n d min(n, d)).
References  Notes ch. 0, page 4, example 1; homework 2, problem 1. Lecture 2, slide 5 has ||A x - b||^2 without the 1/2.
Catalogue   least_squares_loss
Witness     numpy.linalg.lstsq, eigvalsh; sklearn LinearRegression; finite differences; torch.autograd
"""

from __future__ import annotations

import numpy as np

from reference.problem import Matrix, Vector
from reference.variants import equivalent, mistake


def least_squares_value(A: Matrix, b: Vector, x: Vector) -> float:
    """f(x) = 1/2 ||A x - b||^2.

    Args:
        A: (n, d).
        b: (n,).
        x: (d,).
    """
    residual = A @ x - b
    return float(0.5 * residual @ residual)


def least_squares_gradient(A: Matrix, b: Vector, x: Vector) -> Vector:
    """grad f(x) = A^T (A x - b), (d,).

    Args:
        A: (n, d).
        b: (n,).
        x: (d,).
    """
    return A.T @ (A @ x - b)


def least_squares_constants(A: Matrix) -> tuple[float, float]:
    """(L, mu): the best smoothness and strong convexity constants of f.

    The singular values of A give mu to about sqrt(L/mu) units of round-off, the eigenvalues of A^T A to L/mu.

    Args:
        A: (n, d). With fewer rows than columns it has no full column rank, and mu is 0.
    """
    rows, columns = A.shape
    singular_values = np.linalg.svd(A, compute_uv=False)
    smallest = singular_values[-1] if rows >= columns else 0.0
    return float(singular_values[0] ** 2), float(smallest**2)


def least_squares_hessian(A: Matrix) -> Matrix:
    """Hess f = A^T A, (d, d): the same at every x.

    Args:
        A: (n, d).
    """
    return A.T @ A


def least_squares_condition(A: Matrix) -> float:
    """kappa = L/mu, the squared condition number of A; infinite where A has no full column rank.

    Args:
        A: (n, d).
    """
    if int(np.linalg.matrix_rank(A)) < A.shape[1]:
        return float("inf")
    L, mu = least_squares_constants(A)
    return L / mu


def least_squares_solution(A: Matrix, b: Vector) -> Vector:
    """x*, (d,), the only point with A^T (A x - b) = 0.

    Args:
        A: (n, d), of full column rank.
        b: (n,).

    Raises:
        ValueError: where A has no full column rank; then there are many minimisers.
    """
    if int(np.linalg.matrix_rank(A)) < A.shape[1]:
        raise ValueError("A has no full column rank, so that there is more than one minimiser.")
    return np.asarray(np.linalg.lstsq(A, b)[0], dtype=np.float64)


def least_squares_iterates(A: Matrix, b: Vector, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """The iterates of gradient descent without running it, (K+1, d): x_k = x* + (I - gamma A^T A)^k (x_0 - x*).

    In the eigenvectors of A^T A each coordinate of the error has its own factor 1 - gamma lambda_j. Row 0 is x_0 up
    to rounding.

    Args:
        A: (n, d); without full column rank any of the minimisers serves as x*.
        b: (n,).
        x0: (d,).
        learning_rate: gamma.
        num_steps: K >= 0.
    """
    minimizer = np.linalg.lstsq(A, b)[0]
    eigenvalues, vectors = np.linalg.eigh(A.T @ A)
    error = vectors.T @ (x0 - minimizer)
    powers: Matrix = (1 - learning_rate * eigenvalues) ** np.arange(num_steps + 1)[:, None]
    iterates: Matrix = minimizer + powers * error @ vectors.T
    return iterates


# Other forms of the value.


@equivalent(least_squares_value)
def value_by_norm(A: Matrix, b: Vector, x: Vector) -> float:
    """Half the square of `numpy.linalg.norm`, which takes a root that is squared away again."""
    return float(0.5 * np.linalg.norm(A @ x - b) ** 2)


@equivalent(least_squares_value)
def value_row_by_row(A: Matrix, b: Vector, x: Vector) -> float:
    """One sample after the other: f(x) = sum_i 1/2 (<a_i, x> - b_i)^2."""
    return sum(0.5 * (float(a_i @ x) - float(b_i)) ** 2 for a_i, b_i in zip(A, b, strict=True))


@equivalent(least_squares_value)
def value_expanded(A: Matrix, b: Vector, x: Vector) -> float:
    """1/2 x^T A^T A x - b^T A x + 1/2 b^T b; its rounding is relative to ||b||^2, also where f is small."""
    return float(0.5 * x @ (A.T @ A) @ x - b @ (A @ x) + 0.5 * b @ b)


@mistake(
    least_squares_value,
    "Your value is a fixed multiple of the right one. "
    "Compare the constant in front of the norm with the definition of f.",
)
def value_missing_half(A: Matrix, b: Vector, x: Vector) -> float:
    """||A x - b||^2."""
    residual = A @ x - b
    return float(residual @ residual)


@mistake(
    least_squares_value,
    "Your value depends on the number of samples as an average does. Is f a mean over the rows of A, or a sum?",
)
def value_divided_by_rows(A: Matrix, b: Vector, x: Vector) -> float:
    """1/(2n) ||A x - b||^2, the normalisation of statistics packages."""
    residual = A @ x - b
    return float(0.5 * residual @ residual / len(b))


@mistake(
    least_squares_value,
    "Your value grows in proportion to the residual: twice the residual gives only twice the value. "
    "Look at the power of the norm in f.",
)
def value_norm_not_squared(A: Matrix, b: Vector, x: Vector) -> float:
    """1/2 ||A x - b||."""
    return float(0.5 * np.linalg.norm(A @ x - b))


# Other forms of the gradient.


@equivalent(least_squares_gradient)
def gradient_normal_equations(A: Matrix, b: Vector, x: Vector) -> Vector:
    """(A^T A) x - A^T b, from the two products that can be computed once and kept."""
    return (A.T @ A) @ x - A.T @ b


@equivalent(least_squares_gradient)
def gradient_as_row_vector(A: Matrix, b: Vector, x: Vector) -> Vector:
    """(A x - b)^T A."""
    return (A @ x - b) @ A


@equivalent(least_squares_gradient)
def gradient_row_by_row(A: Matrix, b: Vector, x: Vector) -> Vector:
    """The sum over the samples of (<a_i, x> - b_i) a_i."""
    total = np.zeros(A.shape[1])
    for a_i, b_i in zip(A, b, strict=True):
        total = total + (a_i @ x - b_i) * a_i
    return total


@mistake(
    least_squares_gradient,
    "Your gradient points the right way but has twice the length. "
    "Differentiate f once more and keep track of its constant.",
)
def gradient_doubled(A: Matrix, b: Vector, x: Vector) -> Vector:
    """2 A^T (A x - b), the gradient of ||A x - b||^2."""
    return 2 * A.T @ (A @ x - b)


@mistake(
    least_squares_gradient,
    "Your gradient points the right way but is too short, by the number of samples: "
    "it belongs to an average over the rows of A.",
)
def gradient_divided_by_rows(A: Matrix, b: Vector, x: Vector) -> Vector:
    """A^T (A x - b) / n."""
    return A.T @ (A @ x - b) / len(b)


@mistake(
    least_squares_gradient,
    "The residual is multiplied by the wrong matrix. Check with shapes: from n residuals to d partial derivatives.",
)
def gradient_missing_transpose(A: Matrix, b: Vector, x: Vector) -> Vector:
    """A (A x - b); defined for square A only, and right for symmetric A. Raises ValueError for n != d."""
    return A @ (A @ x - b)


@mistake(
    least_squares_gradient,
    "Your vector points exactly against the gradient: along it, f decreases. "
    "Check the order of the terms in the residual.",
)
def gradient_wrong_sign(A: Matrix, b: Vector, x: Vector) -> Vector:
    """A^T (b - A x)."""
    return A.T @ (b - A @ x)


# Other forms of the constants.


@equivalent(least_squares_constants)
def constants_from_eigenvalues(A: Matrix) -> tuple[float, float]:
    """Largest and smallest eigenvalue of the symmetric matrix A^T A."""
    eigenvalues = np.linalg.eigvalsh(A.T @ A)
    return float(eigenvalues[-1]), float(eigenvalues[0])


@equivalent(least_squares_constants)
def constants_from_unsymmetric_eigenvalues(A: Matrix) -> tuple[float, float]:
    """The same from `numpy.linalg.eigvals`, which sorts nothing and may leave imaginary parts of rounding size."""
    eigenvalues = np.linalg.eigvals(A.T @ A).real
    return float(eigenvalues.max()), float(eigenvalues.min())


@equivalent(least_squares_constants)
def constants_from_norms(A: Matrix) -> tuple[float, float]:
    """Largest and smallest singular value of A^T A, which for this matrix are its eigenvalues."""
    hessian = A.T @ A
    return float(np.linalg.norm(hessian, 2)), float(np.linalg.norm(hessian, -2))


@mistake(
    least_squares_constants,
    "Your two numbers are the singular values of A. The constants belong to the Hessian: "
    "how are its eigenvalues related to them?",
)
def constants_unsquared(A: Matrix) -> tuple[float, float]:
    """Largest and smallest singular value of A. Invisible where both are 1."""
    L, mu = least_squares_constants(A)
    return float(np.sqrt(L)), float(np.sqrt(mu))


@mistake(
    least_squares_constants,
    "Your L is the squared Frobenius norm of A: f is smooth with it, but it is not the smallest such constant. "
    "Which matrix norm bounds ||A^T A v|| / ||v|| exactly?",
)
def smoothness_from_frobenius_norm(A: Matrix) -> tuple[float, float]:
    """(||A||_F^2, mu); ||A||_F^2 is the trace of A^T A. Invisible where A has rank one."""
    _, mu = least_squares_constants(A)
    return float(np.sum(A**2)), mu


@mistake(
    least_squares_constants,
    "Your mu is an eigenvalue of an n by n matrix, but the Hessian is d by d. "
    "With more samples than unknowns yours is always 0.",
)
def strong_convexity_from_wrong_gram(A: Matrix) -> tuple[float, float]:
    """(L, smallest eigenvalue of A A^T): 0 up to rounding for n > d. Invisible for square A."""
    L, _ = least_squares_constants(A)
    return L, float(np.linalg.eigvalsh(A @ A.T)[0])


@mistake(least_squares_constants, "Your two constants are right, but not in the order that was asked for.")
def constants_swapped(A: Matrix) -> tuple[float, float]:
    """(mu, L)."""
    L, mu = least_squares_constants(A)
    return mu, L


@mistake(
    least_squares_constants,
    "Both of your constants have one and the same factor too much. Which constant stands in front of the norm in f, "
    "and what is left of it in the Hessian?",
)
def constants_doubled(A: Matrix) -> tuple[float, float]:
    """The eigenvalues of 2 A^T A, the Hessian of ||A x - b||^2."""
    L, mu = least_squares_constants(A)
    return 2 * L, 2 * mu


@mistake(
    least_squares_constants,
    "Both of your constants are too small by the number of samples: they belong to an average over the rows of A.",
)
def constants_divided_by_rows(A: Matrix) -> tuple[float, float]:
    """The eigenvalues of A^T A / n."""
    L, mu = least_squares_constants(A)
    return L / len(A), mu / len(A)


# Other forms of the Hessian.


@equivalent(least_squares_hessian)
def hessian_row_by_row(A: Matrix) -> Matrix:
    """The sum over the samples of a_i a_i^T."""
    total = np.zeros((A.shape[1], A.shape[1]))
    for a_i in A:
        total = total + np.outer(a_i, a_i)
    return total


@mistake(
    least_squares_hessian,
    "Your matrix has the shape of the samples. How many second derivatives does a function of d variables have?",
)
def hessian_of_samples(A: Matrix) -> Matrix:
    """A A^T, (n, n). Invisible for symmetric A."""
    return A @ A.T


@mistake(
    least_squares_hessian,
    "Your Hessian is a fixed multiple of the right one. What is left of the constant in f after two derivatives?",
)
def hessian_doubled(A: Matrix) -> Matrix:
    """2 A^T A, the Hessian of ||A x - b||^2."""
    return 2 * A.T @ A


@mistake(
    least_squares_hessian,
    "Your Hessian is too small by the number of samples: it belongs to an average over the rows of A.",
)
def hessian_divided_by_rows(A: Matrix) -> Matrix:
    """A^T A / n. Invisible for n = 1."""
    return A.T @ A / len(A)


# Other forms of the condition number.


@equivalent(least_squares_condition)
def condition_of_matrix_squared(A: Matrix) -> float:
    """`numpy.linalg.cond` of A, squared."""
    if int(np.linalg.matrix_rank(A)) < A.shape[1]:
        return float("inf")
    return float(np.linalg.cond(A) ** 2)


@mistake(
    least_squares_condition,
    "Your number is the condition number of A. That of f belongs to its Hessian: how are the two related?",
)
def condition_of_matrix(A: Matrix) -> float:
    """The largest singular value of A over the smallest. Invisible where it is 1."""
    return float(np.sqrt(least_squares_condition(A)))


@mistake(least_squares_condition, "A condition number is at least 1. Which of your two constants is the larger one?")
def condition_inverted(A: Matrix) -> float:
    """mu/L. Invisible where L = mu."""
    return 1 / least_squares_condition(A)


# Other forms of the solution.


@equivalent(least_squares_solution)
def solution_normal_equations(A: Matrix, b: Vector) -> Vector:
    """(A^T A) x = A^T b; the rounding is larger than the reference's by up to the condition number of A."""
    if int(np.linalg.matrix_rank(A)) < A.shape[1]:
        raise ValueError("A has no full column rank, so that there is more than one minimiser.")
    return np.asarray(np.linalg.solve(A.T @ A, A.T @ b), dtype=np.float64)


@equivalent(least_squares_solution)
def solution_by_orthogonal_factor(A: Matrix, b: Vector) -> Vector:
    """R x = Q^T b with A = Q R."""
    if int(np.linalg.matrix_rank(A)) < A.shape[1]:
        raise ValueError("A has no full column rank, so that there is more than one minimiser.")
    Q, R = np.linalg.qr(A)
    return np.linalg.solve(R, Q.T @ b)


@mistake(
    least_squares_solution,
    "Each of your coefficients is the best one for its column alone. All columns share one residual.",
)
def columns_one_by_one(A: Matrix, b: Vector) -> Vector:
    """<A_j, b> / ||A_j||^2 for each column A_j. Invisible for orthogonal columns."""
    coefficients: Vector = A.T @ b / np.sum(A**2, axis=0)
    return coefficients


@mistake(
    least_squares_solution,
    "You solve the equations of the first d samples and leave the others out.",
)
def first_samples_only(A: Matrix, b: Vector) -> Vector:
    """The first d rows of A x = b, solved. Invisible for n = d, and where b is in the range of A."""
    d = A.shape[1]
    return np.asarray(np.linalg.solve(A[:d], b[:d]), dtype=np.float64)


# Other forms of the iterates.


@equivalent(least_squares_iterates)
def iterates_by_matrix_powers(A: Matrix, b: Vector, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """The matrix I - gamma A^T A, to the power k each time."""
    minimizer = np.linalg.lstsq(A, b)[0]
    propagator = np.eye(A.shape[1]) - learning_rate * A.T @ A
    powers = [np.linalg.matrix_power(propagator, k) for k in range(num_steps + 1)]
    return np.array([minimizer + power @ (x0 - minimizer) for power in powers])


@mistake(
    least_squares_iterates,
    "Your path goes to zero whatever b is. What is multiplied by the same matrix in each step, the point or its error?",
)
def powers_of_the_point(A: Matrix, b: Vector, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """(I - gamma A^T A)^k x_0. Invisible for b orthogonal to the range of A."""
    propagator = np.eye(A.shape[1]) - learning_rate * A.T @ A
    return np.array([np.linalg.matrix_power(propagator, k) @ x0 for k in range(num_steps + 1)])


@mistake(
    least_squares_iterates,
    "Your path is that of infinitely many infinitely small steps: near the step limit the iterates do something else.",
)
def gradient_flow(A: Matrix, b: Vector, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x* + exp(-gamma k A^T A) (x_0 - x*). Nearly invisible for gamma much smaller than 1/L."""
    minimizer = np.linalg.lstsq(A, b)[0]
    eigenvalues, vectors = np.linalg.eigh(A.T @ A)
    error = vectors.T @ (x0 - minimizer)
    powers: Matrix = np.exp(-learning_rate * eigenvalues * np.arange(num_steps + 1)[:, None])
    iterates: Matrix = minimizer + powers * error @ vectors.T
    return iterates
