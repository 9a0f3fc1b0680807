"""Preconditioning as a change of variables.

Problem     min f(x) over R^d; P (d, d) symmetric positive definite, x = P^(1/2) w.
Algorithm   g(w) = f(P^(1/2) w),  grad g(w) = P^(1/2) grad f(P^(1/2) w),  Hess g(w) = P^(1/2) Hess f(x) P^(1/2)
            Gradient descent on g, mapped back by x_k = P^(1/2) w_k, is preconditioned gradient descent on f:
            preconditioned_gradient_descent.py. It starts from w_0 = P^(-1/2) x_0.
Guarantee   For gradient descent on g the smallest and largest eigenvalue of P^(1/2) Hess f P^(1/2) count, which are
            those of P Hess f, and not mu and L of f. P = (Hess f)^{-1} makes both 1.
Cost        O(d^3) for the root.
References  Lecture 3 part II, slides 3-6. Slide 3 prints Q^(-1/2) Q Q^(1/2) for Q^(-1/2) Q Q^(-1/2); slides 2-4 have
            x^T Q x on one side and 1/2 ||w||^2 on the other. The Hessian of g is derived.
Catalogue   precondition_change_of_variables
Witness     scipy.linalg.sqrtm, eigh with two matrices; finite differences
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from reference.problem import Matrix, Problem, Vector
from reference.variants import equivalent, mistake


def square_root(matrix: Matrix) -> Matrix:
    """P^(1/2), the symmetric positive definite root, (d, d).

    Raises:
        ValueError: where P is not symmetric positive definite.
    """
    if not np.allclose(matrix, matrix.T, rtol=1e-12, atol=0):
        raise ValueError("A preconditioner is symmetric; this matrix is not.")
    eigenvalues, eigenvectors = np.linalg.eigh(matrix)
    if eigenvalues[0] <= 0:
        raise ValueError(f"A preconditioner is positive definite; this matrix has the eigenvalue {eigenvalues[0]:g}.")
    return np.asarray((eigenvectors * np.sqrt(eigenvalues)) @ eigenvectors.T)


def preconditioned_hessian(hessian: Matrix, preconditioner: Matrix) -> Matrix:
    """P^(1/2) H P^(1/2), (d, d): the Hessian of g.

    Args:
        hessian: H, (d, d) symmetric.
        preconditioner: P, (d, d) symmetric positive definite.
    """
    root = square_root(preconditioner)
    return np.asarray(root @ hessian @ root)


def effective_constants(hessian: Matrix, preconditioner: Matrix) -> tuple[float, float]:
    """(L_P, mu_P): largest and smallest eigenvalue of P^(1/2) H P^(1/2), the constants of g for a quadratic f."""
    product = preconditioned_hessian(hessian, preconditioner)
    eigenvalues = np.linalg.eigvalsh((product + product.T) / 2)
    return float(eigenvalues[-1]), float(eigenvalues[0])


def effective_condition_number(hessian: Matrix, preconditioner: Matrix) -> float:
    """L_P / mu_P."""
    largest, smallest = effective_constants(hessian, preconditioner)
    return largest / smallest


def change_of_variables(problem: Problem, preconditioner: Matrix) -> Problem:
    """g(w) = f(P^(1/2) w), with the gradient, the Hessian, the start and the minimiser in the new variables.

    L and mu of g are known where f is a quadratic with its Hessian in the data, else they are left out.

    Raises:
        ValueError: where P is not symmetric positive definite, or the problem has a constraint or a penalty.
    """
    if problem.project is not None or problem.penalty is not None:
        raise ValueError(f'The problem "{problem.name}" has a constraint or a penalty, which is another one in w.')
    root = square_root(preconditioner)
    inverse = np.asarray(np.linalg.inv(root))
    changed = replace(
        problem,
        name=f"{problem.name}, preconditioned",
        value=lambda w: problem.value(root @ w),
        gradient=lambda w: root @ problem.gradient(root @ w),
        x0=inverse @ problem.x0,
        minimizer=None if problem.minimizer is None else inverse @ problem.minimizer,
        hessian=None,
        smoothness=None,
        strong_convexity=None if problem.strong_convexity is None else 0.0,
        data={},
    )
    hessian = problem.hessian
    if hessian is not None:
        changed = replace(changed, hessian=lambda w: root @ hessian(root @ w) @ root)
    if "hessian" in problem.data:
        H = np.asarray(problem.data["hessian"])
        L, mu = effective_constants(H, preconditioner)
        mu = mu if problem.strong_convexity else 0.0  # zero is known better than by its eigenvalues
        changed = replace(changed, smoothness=L, strong_convexity=mu, data={"hessian": root @ H @ root})
    return changed


@equivalent(effective_constants)
def eigenvalues_of_product(hessian: Matrix, preconditioner: Matrix) -> tuple[float, float]:
    """The eigenvalues of P H, which is not symmetric, but similar to P^(1/2) H P^(1/2)."""
    eigenvalues = np.sort(np.linalg.eigvals(preconditioner @ hessian).real)
    return float(eigenvalues[-1]), float(eigenvalues[0])


@equivalent(effective_constants)
def triangular_factor(hessian: Matrix, preconditioner: Matrix) -> tuple[float, float]:
    """P = C C^T with C triangular: C^T H C has the same eigenvalues, and no root is needed."""
    C = np.linalg.cholesky(preconditioner)
    eigenvalues = np.linalg.eigvalsh(C.T @ hessian @ C)
    return float(eigenvalues[-1]), float(eigenvalues[0])


@mistake(
    preconditioned_hessian,
    "Your product has the eigenvalues of the Hessian itself, so nothing is preconditioned. The slide prints it so; "
    "differentiate g twice yourself.",
)
def printed_product(hessian: Matrix, preconditioner: Matrix) -> Matrix:
    """P^(1/2) H P^(-1/2): for P = Q^{-1} the product Q^(-1/2) Q Q^(1/2) of the slide."""
    root = square_root(preconditioner)
    return np.asarray(root @ hessian @ np.linalg.inv(root))


@mistake(
    preconditioned_hessian,
    "Your preconditioner makes the condition number worse: it is applied the wrong way round. "
    "Which of x and w is the product?",
)
def inverse_root(hessian: Matrix, preconditioner: Matrix) -> Matrix:
    """P^(-1/2) H P^(-1/2): the Hessian of f(P^(-1/2) w)."""
    inverse = np.linalg.inv(square_root(preconditioner))
    return np.asarray(inverse @ hessian @ inverse)


@mistake(
    effective_constants,
    "Your constants are those of f, as if there were no preconditioner. Whose Hessian counts?",
)
def constants_of_f(hessian: Matrix, preconditioner: Matrix) -> tuple[float, float]:
    """The eigenvalues of H."""
    eigenvalues = np.linalg.eigvalsh(hessian)
    return float(eigenvalues[-1]), float(eigenvalues[0])


@mistake(
    effective_constants,
    "Your constants are singular values of a product that is not symmetric. Which of its numbers does the rate need?",
)
def singular_values_of_product(hessian: Matrix, preconditioner: Matrix) -> tuple[float, float]:
    """The singular values of P H. Invisible where P and H commute, as two diagonal matrices do."""
    values = np.linalg.svd(preconditioner @ hessian, compute_uv=False)
    return float(values[0]), float(values[-1])


@mistake(
    change_of_variables,
    "Your problem starts at another point than the given one. Which w belongs to the x where the method starts?",
)
def start_mapped_forward(problem: Problem, preconditioner: Matrix) -> Problem:
    """w_0 = P^(1/2) x_0."""
    changed = change_of_variables(problem, preconditioner)
    return replace(changed, x0=square_root(preconditioner) @ problem.x0)


@mistake(
    change_of_variables,
    "Your gradient is the one of f, at the right point. What does the chain rule add?",
)
def chain_rule_missing(problem: Problem, preconditioner: Matrix) -> Problem:
    """grad f(P^(1/2) w) for the gradient of g."""
    root = square_root(preconditioner)

    def gradient(w: Vector) -> Vector:
        return problem.gradient(root @ w)

    return replace(change_of_variables(problem, preconditioner), gradient=gradient)
