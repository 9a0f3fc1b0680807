"""What the guarantees of Lecture 3 bound, beside the distance and the gap: one number per iterate.

As in reference/quantities.py: from the iterates, (K+1, d), and the problem to (K+1,), and the first line of each
docstring is the name under which a student sees it. The Lyapunov functions need the third sequence v_k of Nesterov's
method; it can be recovered from the iterates.
"""

from __future__ import annotations

import numpy as np

from reference.conditions import known, smoothness, strong_convexity
from reference.problem import Matrix, Problem, Vector
from reference.quantities import gap


def gradient_norm(iterates: Matrix, problem: Problem) -> Vector:
    """gradient norm ||grad f(x_k)||"""
    return np.array([float(np.linalg.norm(problem.gradient(x))) for x in iterates])


def preconditioned_distance(iterates: Matrix, problem: Problem) -> Vector:
    """distance to the minimiser in the norm of the preconditioner, ((x_k - x*)^T P^{-1} (x_k - x*))^(1/2)

    P is the problem's `data["preconditioner"]`; ValueError where there is none, or no minimiser.
    """
    minimizer = known(problem.minimizer, "minimiser x*", problem)
    P = np.asarray(known(problem.data.get("preconditioner"), "preconditioner P among its data", problem))
    errors = iterates - minimizer
    return np.asarray(np.sqrt(np.sum(errors.T * np.linalg.solve(P, errors.T), axis=0)))


def lyapunov_convex(iterates: Matrix, problem: Problem) -> Vector:
    """Lyapunov function E_k = (f(x_k) - f*) / (L theta_k^2) + 1/2 ||v_k - x*||^2

    theta_k = 2/(k+1), v_0 = x_0 and v_k = x_{k-1} + (x_k - x_{k-1}) / theta_k (notes ch. 3, eq. 12).
    """
    minimizer = known(problem.minimizer, "minimiser x*", problem)
    theta = 2 / np.arange(1.0, len(iterates) + 1)
    v = iterates.copy()
    v[1:] = iterates[:-1] + np.diff(iterates, axis=0) / theta[1:, None]
    squared_distances = np.sum((v - minimizer) ** 2, axis=1)
    return np.asarray(gap(iterates, problem) / (smoothness(problem) * theta**2) + squared_distances / 2)


def lyapunov_strongly_convex(iterates: Matrix, problem: Problem) -> Vector:
    """Lyapunov function Phi_k = f(x_k) - f* + mu/2 ||v_k - x*||^2

    v_0 = x_0 and v_k = x_{k-1} + sqrt(L/mu) (x_k - x_{k-1}) (notes ch. 3, proof of Theorem 3.2).
    """
    minimizer = known(problem.minimizer, "minimiser x*", problem)
    mu = strong_convexity(problem)
    v = iterates.copy()
    v[1:] = iterates[:-1] + np.sqrt(smoothness(problem) / mu) * np.diff(iterates, axis=0)
    squared_distances = np.sum((v - minimizer) ** 2, axis=1)
    return np.asarray(gap(iterates, problem) + mu / 2 * squared_distances)
