"""Test problems of Lecture 3, with L, mu, x*, f* and the Hessian.

valley                 1/2 (x^2 + 20 y^2), the example of the notes and slides             catalogue TP1
flat_bowl              1/2 (x^2 + 0.01 y^2), constant in z: convex, not strongly           catalogue TP2
worst_convex           Nesterov's function that is hard for K steps                        catalogue TP3
worst_strongly_convex  Nesterov's function with minimiser rho^i                            catalogue TP4
softplus_bowl          a quadratic plus a softplus: strongly convex, not quadratic         catalogue TP5
five_curvatures        a quadratic with curvatures 1, 2, 5, 10, 20                         catalogue TP6
shifted_valley         1/2 (10 x^2 + y^2) - 5 x - 5 y, whose paths Lecture 3 part II draws catalogue TP13
steep_walls            1/2 (20 x^2 + y^2), preconditioned on the slides
cycle_of_heavy_ball    strongly convex, smooth, and heavy ball does not converge
random_regularized_logistic   logistic regression with a squared norm
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from reference import problems
from reference.lecture01.logistic_regression import logistic_gradient, logistic_hessian, logistic_value
from reference.lecture03.worst_functions import worst_function_convex, worst_function_strongly_convex
from reference.problem import Matrix, Problem, Vector


def valley() -> Problem:
    """f(x) = 1/2 (x_1^2 + 20 x_2^2) from (10, 1): L = 20, mu = 1 (notes ch. 3, page 8; Lecture 3 part I, slide 8)."""
    return problems.quadratic(np.diag([1.0, 20.0]), np.zeros(2), np.array([10.0, 1.0]), name="valley")


def flat_bowl() -> Problem:
    """f(x) = 1/2 (x_1^2 + 0.01 x_2^2) in R^3 from (1, 1, 1): L = 1, mu = 0; the closest minimiser is (0, 0, 1)."""
    return _quadratic_form(
        np.diag([1.0, 0.01, 0.0]), np.zeros(3), np.ones(3), 1.0, 0.0, np.array([0.0, 0.0, 1.0]), name="flat bowl"
    )


def worst_convex(smoothness: float, num_steps: int) -> Problem:
    """Nesterov's function in 2K+1 dimensions that is hard for K steps, from 0. Standard literature.

    mu > 0 of this f depends on the dimension and is of no use; 0 is what stands in the problem.
    """
    H, c = worst_function_convex(smoothness, num_steps)
    n = len(c)
    minimizer = 1 - np.arange(1.0, n + 1) / (n + 1)
    return _quadratic_form(
        H, c, np.zeros(n), smoothness, 0.0, minimizer, minimum=smoothness / 8 * (1 / (n + 1) - 1), name="worst convex"
    )


def worst_strongly_convex(smoothness: float, strong_convexity: float, dimension: int) -> Problem:
    """Nesterov's strongly convex function, truncated so that x*_i = rho^i exactly, from 0. Standard literature."""
    L, mu = smoothness, strong_convexity
    H, c = worst_function_strongly_convex(L, mu, dimension)
    rho = (sqrt(L) - sqrt(mu)) / (sqrt(L) + sqrt(mu))
    minimizer = rho ** np.arange(1.0, dimension + 1)
    return _quadratic_form(H, c, np.zeros(dimension), L, mu, minimizer, name="worst strongly convex")


def softplus_bowl() -> Problem:
    """f(x) = 1/2 (10 x_1^2 + x_2^2) + 5 ln(1 + exp(-x_1 - x_2)) from (1, 1).

    The Hessian is diag(10, 1) + 5 p (1-p) [1 1; 1 1] with p = 1/(1 + exp(-x_1 - x_2)). So
    L = 6.75 + sqrt(21.8125), attained where x_1 + x_2 = 0, and mu = 1, which no point attains. The Hessian is
    Lipschitz with the constant 5 sqrt(8) / (6 sqrt(3)), `data["hessian_lipschitz"]`.
    """
    curvatures = np.array([10.0, 1.0])

    def value(x: Vector) -> float:
        return float(0.5 * curvatures @ x**2 + 5 * np.logaddexp(0.0, -x.sum()))

    def gradient(x: Vector) -> Vector:
        return np.asarray(curvatures * x - 5 * np.exp(-np.logaddexp(0.0, x.sum())))

    def hessian(x: Vector) -> Matrix:
        weight = np.exp(-np.logaddexp(0.0, x.sum()) - np.logaddexp(0.0, -x.sum()))
        return np.asarray(np.diag(curvatures) + 5 * weight * np.ones((2, 2)))

    minimizer = np.ones(2)
    for _ in range(20):  # Newton's method; six steps suffice
        minimizer = minimizer - np.linalg.solve(hessian(minimizer), gradient(minimizer))
    return Problem(
        name="softplus bowl",
        value=value,
        gradient=gradient,
        x0=np.ones(2),
        smoothness=float(6.75 + np.sqrt(21.8125)),
        strong_convexity=1.0,
        minimizer=minimizer,
        minimum=value(minimizer),
        data={"hessian_lipschitz": float(5 * np.sqrt(8) / (6 * np.sqrt(3)))},
        hessian=hessian,
    )


def five_curvatures() -> Problem:
    """f(x) = 1/2 (x_1^2 + 2 x_2^2 + 5 x_3^2 + 10 x_4^2 + 20 x_5^2) from (1, ..., 1): L = 20, mu = 1."""
    curvatures = np.array([1.0, 2.0, 5.0, 10.0, 20.0])
    return problems.quadratic(np.diag(curvatures), np.zeros(5), np.ones(5), name="five curvatures")


def shifted_valley() -> Problem:
    """f(x) = 1/2 (10 x_1^2 + x_2^2) - 5 x_1 - 5 x_2 from (20, 20): L = 10, mu = 1, x* = (0.5, 5), f* = -13.75.

    The paths of gradient descent and of Newton's method on it are those of Lecture 3 part II, slide 8. The slide does
    not say which function it shows, and its contour lines are of another one.
    """
    return _quadratic_form(
        np.diag([10.0, 1.0]),
        np.array([5.0, 5.0]),
        np.array([20.0, 20.0]),
        10.0,
        1.0,
        np.array([0.5, 5.0]),
        minimum=-13.75,
        name="shifted valley",
    )


def steep_walls() -> Problem:
    """f(x) = 1/2 (20 x_1^2 + x_2^2) from (1, 2): L = 20, mu = 1 (Lecture 3 part II, slides 2 and 5)."""
    return problems.quadratic(np.diag([20.0, 1.0]), np.zeros(2), np.array([1.0, 2.0]), name="steep walls")


def cycle_of_heavy_ball() -> Problem:
    """f' = 25 x for x < 1, x + 24 for 1 <= x < 2, 25 x - 24 for x >= 2, from 3.3: L = 25, mu = 1, x* = 0, f* = 0.

    Strongly convex and smooth, but not a quadratic. With the tuning of the slides heavy ball ends up in a cycle of
    three points. Standard literature: Lessard, Recht, Packard (2016), Analysis and Design of Optimization Algorithms
    via Integral Quadratic Constraints.
    """

    def value(x: Vector) -> float:
        t = x[0]  # one of numpy's numbers: too large a square is inf, not an exception
        if t < 1:
            return float(25 * t**2 / 2)
        if t < 2:
            return float(t**2 / 2 + 24 * t - 12)
        return float(25 * t**2 / 2 - 24 * t + 36)

    def gradient(x: Vector) -> Vector:
        return np.where(x < 1, 25 * x, np.where(x < 2, x + 24, 25 * x - 24))

    return Problem(
        name="cycle of heavy ball",
        value=value,
        gradient=gradient,
        x0=np.array([3.3]),
        smoothness=25.0,
        strong_convexity=1.0,
        minimizer=np.zeros(1),
        minimum=0.0,
    )


def random_regularized_logistic(rows: int, columns: int, regularization: float, seed: int) -> Problem:
    """f(x) = (1/N) sum_i ln(1 + exp(-b_i <a_i, x>)) + lambda/2 ||x||^2 on random data, from (1, ..., 1).

    L = ||A||_2^2 / (4 N) + lambda and mu = lambda; A is standard normal, each label +1 or -1 with equal probability.
    """
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((rows, columns))
    b = rng.choice([-1.0, 1.0], size=rows)

    def value(x: Vector) -> float:
        return logistic_value(A, b, x) + regularization / 2 * float(x @ x)

    def gradient(x: Vector) -> Vector:
        return np.asarray(logistic_gradient(A, b, x) + regularization * x)

    def hessian(x: Vector) -> Matrix:
        return np.asarray(logistic_hessian(A, b, x) + regularization * np.eye(columns))

    minimizer = np.zeros(columns)
    for _ in range(30):  # Newton's method; close to 0 the logistic loss is nearly a quadratic
        minimizer = minimizer - np.linalg.solve(hessian(minimizer), gradient(minimizer))
    return Problem(
        name="regularised logistic regression",
        value=value,
        gradient=gradient,
        x0=np.ones(columns),
        smoothness=float(np.linalg.norm(A, 2) ** 2 / (4 * rows) + regularization),
        strong_convexity=regularization,
        minimizer=minimizer,
        minimum=value(minimizer),
        data={"A": A, "b": b},
        hessian=hessian,
    )


def _quadratic_form(
    hessian: Matrix,
    linear: Vector,
    x0: Vector,
    smoothness: float,
    strong_convexity: float,
    minimizer: Vector,
    name: str,
    minimum: float | None = None,
) -> Problem:
    """f(x) = 1/2 x^T H x - c^T x, its constants as given; without a minimum f(x*) is computed."""

    def value(x: Vector) -> float:
        return float(0.5 * x @ hessian @ x - linear @ x)

    def gradient(x: Vector) -> Vector:
        return hessian @ x - linear

    return Problem(
        name=name,
        value=value,
        gradient=gradient,
        x0=x0,
        smoothness=smoothness,
        strong_convexity=strong_convexity,
        minimizer=minimizer,
        minimum=value(minimizer) if minimum is None else minimum,
        data={"hessian": hessian},
        hessian=lambda x: hessian,
    )
