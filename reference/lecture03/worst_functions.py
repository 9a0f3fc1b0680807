"""Nesterov's worst functions: the quadratics on which no first-order method is fast.

Problem     f(x) = 1/2 x^T H x - c^T x from x_0 = 0, with T = tridiag(-1, 2, -1) and c a multiple of e_1.
            convex            H = L/4 T in R^n, n = 2K+1, c = L/4 e_1
            strongly convex   H = (L-mu)/4 T + mu I in R^n, the last diagonal entry of T being 2 - rho instead of 2,
                              c = (L-mu)/4 e_1, rho = (sqrt L - sqrt mu)/(sqrt L + sqrt mu)
Guarantee   Zero chain: where x is zero from coordinate k+1 on, grad f(x) is zero from coordinate k+2 on. So a method
            whose steps stay in the span of its gradients has x_k supported on the first k coordinates.
            convex            x*_i = 1 - i/(n+1),  f* = L/8 (-1 + 1/(n+1)),  ||x*||^2 <= (n+1)/3,  0 < H < L I
                              f(x_k) - f* >= L/8 (1/(k+1) - 1/(n+1)), which at k = K is L/(16 (K+1))
            strongly convex   x*_i = rho^i,  mu I <= H <= L I
                              ||x_k - x*||^2 >= (rho^(2k) - rho^(2n))/(1 - rho^(2n)) ||x_0 - x*||^2
References  Standard literature, which the course only cites: Nesterov, Introductory Lectures on Convex Optimization
            (2003), sections 2.1.2 and 2.1.4. The strongly convex function is there in infinitely many dimensions;
            the last entry 2 - rho is derived: with it x*_i = rho^i holds in R^n without truncation error.
Catalogue   worst_function_convex, worst_function_strongly_convex
Witness     numpy.linalg.solve, eigvalsh; least value over the first k coordinates by numpy.linalg.solve

Both as problems with all their constants: `worst_convex` and `worst_strongly_convex` in problems.py.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from reference.problem import Matrix, Vector
from reference.variants import mistake


def worst_function_convex(smoothness: float, num_steps: int) -> tuple[Matrix, Vector]:
    """H, (2K+1, 2K+1), and c, (2K+1,), of the function that is hard for K steps.

    Args:
        smoothness: L > 0.
        num_steps: K >= 0.
    """
    n = 2 * num_steps + 1
    return smoothness / 4 * _second_difference(n), smoothness / 4 * _first_unit_vector(n)


def worst_function_strongly_convex(smoothness: float, strong_convexity: float, dimension: int) -> tuple[Matrix, Vector]:
    """H, (n, n), and c, (n,), of the strongly convex function in n dimensions.

    Args:
        smoothness: L.
        strong_convexity: mu, 0 < mu <= L.
        dimension: n >= 1.
    """
    L, mu = smoothness, strong_convexity
    T = _second_difference(dimension)
    T[-1, -1] = 2 - (sqrt(L) - sqrt(mu)) / (sqrt(L) + sqrt(mu))
    return (L - mu) / 4 * T + mu * np.eye(dimension), (L - mu) / 4 * _first_unit_vector(dimension)


def _second_difference(n: int) -> Matrix:
    """tridiag(-1, 2, -1), (n, n): x^T T x = x_1^2 + (x_1 - x_2)^2 + ... + (x_{n-1} - x_n)^2 + x_n^2."""
    return np.asarray(2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1))


def _first_unit_vector(n: int) -> Vector:
    return np.asarray(np.eye(n)[0])


@mistake(
    worst_function_convex, "Your quadratic part is twice as large as it should be. Which factor belongs before it?"
)
def missing_half(smoothness: float, num_steps: int) -> tuple[Matrix, Vector]:
    """L/4 (x^T T x - x_1): the Hessian is L/2 T, and f is not L-smooth."""
    n = 2 * num_steps + 1
    return smoothness / 2 * _second_difference(n), smoothness / 4 * _first_unit_vector(n)


@mistake(
    worst_function_convex,
    "Your function forgets a term at one end of the chain, so its minimiser is another one. "
    "Which coordinates enter alone, and not as a difference?",
)
def missing_end_term(smoothness: float, num_steps: int) -> tuple[Matrix, Vector]:
    """x_n^2 is left out: the minimiser is (1, ..., 1)."""
    n = 2 * num_steps + 1
    T = _second_difference(n)
    T[-1, -1] = 1
    return smoothness / 4 * T, smoothness / 4 * _first_unit_vector(n)


@mistake(
    worst_function_convex,
    "Your function has too few dimensions: a method reaches the minimiser within the steps that should be hard. "
    "How does the dimension depend on the number of steps?",
)
def too_few_dimensions(smoothness: float, num_steps: int) -> tuple[Matrix, Vector]:
    """n = K; one dimension at K = 0."""
    n = max(num_steps, 1)
    return smoothness / 4 * _second_difference(n), smoothness / 4 * _first_unit_vector(n)


@mistake(
    worst_function_convex,
    "Your function has a larger smoothness constant than the one asked for. How large do the eigenvalues of the "
    "second difference get?",
)
def unscaled_smoothness(smoothness: float, num_steps: int) -> tuple[Matrix, Vector]:
    """L instead of L/4: the same minimiser, and the smoothness constant is nearly 4 L."""
    n = 2 * num_steps + 1
    return smoothness * _second_difference(n), smoothness * _first_unit_vector(n)


@mistake(
    worst_function_strongly_convex,
    "Your chain is cut off as it stands, so the minimiser is only nearly a geometric sequence. "
    "What does the last row need so that it is one exactly?",
)
def plain_truncation(smoothness: float, strong_convexity: float, dimension: int) -> tuple[Matrix, Vector]:
    """The last diagonal entry is 2. Off by rho^(n+1) at most: invisible in high dimensions."""
    L, mu = smoothness, strong_convexity
    T = _second_difference(dimension)
    return (L - mu) / 4 * T + mu * np.eye(dimension), (L - mu) / 4 * _first_unit_vector(dimension)


@mistake(
    worst_function_strongly_convex,
    "Your Hessian has too small an eigenvalue for a strongly convex function with this mu. "
    "What has to be added to the chain?",
)
def missing_strong_convexity(smoothness: float, strong_convexity: float, dimension: int) -> tuple[Matrix, Vector]:
    """mu I is left out."""
    L, mu = smoothness, strong_convexity
    T = _second_difference(dimension)
    T[-1, -1] = 2 - (sqrt(L) - sqrt(mu)) / (sqrt(L) + sqrt(mu))
    return (L - mu) / 4 * T, (L - mu) / 4 * _first_unit_vector(dimension)
