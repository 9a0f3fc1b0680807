"""The problems that algorithms are run on: random ones with prescribed constants, and the examples of the course.

Random problems start at x0 = (1, ..., 1) and have L != 1, so that neither a start at zero nor a forgotten step 1/L
goes unnoticed. The same seed gives the same problem.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from reference.lecture01.least_squares import (
    least_squares_constants,
    least_squares_gradient,
    least_squares_hessian,
    least_squares_value,
)
from reference.lecture01.logistic_regression import (
    logistic_gradient,
    logistic_hessian,
    logistic_smoothness,
    logistic_value,
)
from reference.problem import Matrix, Problem, Vector


def least_squares(A: Matrix, b: Vector, x0: Vector, name: str = "least squares") -> Problem:
    """f(x) = 1/2 ||A x - b||^2 with A (n, d), b (n,).

    The minimiser is the one closest to x0, that is x0 plus the shortest solution of min ||A s - (b - A x0)||.
    """
    L, mu = least_squares_constants(A)
    full_rank = int(np.linalg.matrix_rank(A)) == A.shape[1]
    minimizer = x0 + np.linalg.lstsq(A, b - A @ x0)[0]
    return Problem(
        name=name,
        value=partial(least_squares_value, A, b),
        gradient=partial(least_squares_gradient, A, b),
        x0=x0,
        smoothness=L,
        strong_convexity=mu if full_rank else 0.0,
        minimizer=minimizer,
        minimum=least_squares_value(A, b, minimizer),
        data={"A": A, "b": b},
        hessian=lambda x: least_squares_hessian(A),
    )


def random_least_squares(rows: int, columns: int, condition: float, seed: int) -> Problem:
    """Least squares with L = 4 and mu = 4/condition, x0 = (1, ..., 1), f* > 0 where there are more rows than columns.

    A = U diag(sigma) V^T with random orthonormal U (n, d) and V (d, d) and sigma_j^2 geometrically spaced from L to mu.
    b is A x* for a standard normal x*, plus a residual of norm 1 orthogonal to the range of A.

    Raises:
        ValueError: unless rows >= columns >= 1, condition >= 1, and condition = 1 where there is one column.
    """
    if not rows >= columns >= 1:
        raise ValueError(f"Full column rank needs rows >= columns >= 1, not {rows} rows and {columns} columns.")
    if not condition >= 1:
        raise ValueError(f"A condition number L/mu is at least 1, not {condition:g}.")
    rng = np.random.default_rng(seed)
    U, V = _orthonormal_columns(rows, columns, rng), _orthonormal_columns(columns, columns, rng)
    A = U * np.sqrt(_spectrum(4.0, 4.0 / condition, columns)) @ V.T
    b = A @ rng.standard_normal(columns)
    if rows > columns:
        noise = rng.standard_normal(rows)
        residual = noise - U @ (U.T @ noise)
        b = b + residual / np.linalg.norm(residual)
    return least_squares(A, b, np.ones(columns), name=f"least squares, condition {condition:g}")


def quadratic(hessian: Matrix, minimizer: Vector, x0: Vector, name: str = "quadratic") -> Problem:
    """f(x) = 1/2 (x - x*)^T H (x - x*), f* = 0; H (d, d) symmetric positive definite.

    Raises:
        ValueError: where H is not symmetric positive definite.
    """
    eigenvalues = np.linalg.eigvalsh(hessian)
    if not np.array_equal(hessian, hessian.T) or eigenvalues[0] <= 0:
        raise ValueError(f'The Hessian of "{name}" is not symmetric positive definite.')

    def value(x: Vector) -> float:
        return float(0.5 * (x - minimizer) @ hessian @ (x - minimizer))

    def gradient(x: Vector) -> Vector:
        return hessian @ (x - minimizer)

    return Problem(
        name=name,
        value=value,
        gradient=gradient,
        x0=x0,
        smoothness=float(eigenvalues[-1]),
        strong_convexity=float(eigenvalues[0]),
        minimizer=minimizer,
        minimum=0.0,
        data={"hessian": hessian},
        hessian=lambda x: hessian,
    )


def random_quadratic(dimension: int, smoothness: float, strong_convexity: float, seed: int) -> Problem:
    """Quadratic with a dense Hessian, its eigenvalues geometrically spaced from L to mu.

    x* is standard normal, x0 = (1, ..., 1).

    Raises:
        ValueError: unless dimension >= 1, L >= mu > 0, and L = mu where the dimension is 1.
    """
    rng = np.random.default_rng(seed)
    Q = _orthonormal_columns(dimension, dimension, rng)
    hessian = Q * _spectrum(smoothness, strong_convexity, dimension) @ Q.T
    minimizer = rng.standard_normal(dimension)
    name = f"quadratic, condition {smoothness / strong_convexity:g}"
    return quadratic((hessian + hessian.T) / 2, minimizer, np.ones(dimension), name)


def logistic(A: Matrix, b: Vector, x0: Vector, name: str = "logistic regression") -> Problem:
    """f(x) = (1/N) sum_i ln(1 + exp(-b_i <a_i, x>)) with A (N, d), b (N,) of +1 and -1.

    L = ||A||_2^2 / (4 N), the largest eigenvalue of the Hessian at 0. mu = 0: f is convex, and not strongly convex
    over R^d. There are x* and f* where the labels cannot be separated and A has full column rank, else None.
    """
    minimizer = _logistic_minimizer(A, b)
    return Problem(
        name=name,
        value=partial(logistic_value, A, b),
        gradient=partial(logistic_gradient, A, b),
        x0=x0,
        smoothness=logistic_smoothness(A),
        strong_convexity=0.0,
        minimizer=minimizer,
        minimum=None if minimizer is None else logistic_value(A, b, minimizer),
        data={"A": A, "b": b},
        hessian=partial(logistic_hessian, A, b),
    )


def random_logistic(rows: int, columns: int, seed: int) -> Problem:
    """Logistic regression on data that no hyperplane separates; standard normal A, x0 = (1, ..., 1).

    The labels are drawn from the logistic model itself: b_i = +1 with probability 1/(1 + exp(-<a_i, w>)), ||w|| = 2.

    Raises:
        ValueError: where the labels happen to be separable; more rows a column make that unlikely.
    """
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((rows, columns))
    w = rng.standard_normal(columns)
    b = np.where(A @ (2 * w / np.linalg.norm(w)) + rng.logistic(size=rows) > 0, 1.0, -1.0)
    problem = logistic(A, b, np.ones(columns))
    if problem.minimizer is None:
        raise ValueError(
            f"Seed {seed} gives {rows} samples in {columns} dimensions that a hyperplane separates, "
            "so there is no minimiser. Take more rows or another seed."
        )
    return problem


def sine_plus_line() -> Problem:
    """f(x) = sin(pi x) + 2 x from x0 = 0.4, non-convex, L = pi^2 (notes ch. 1, sec. 5.1).

    f is not bounded below, so there is no x*. `minimum` is the level of the local minimum -0.7197 to the left of x0,
    which is all that the non-convex theorem needs: for gamma <= 1/L the map x - gamma f'(x) is monotone and
    fixes that point, so the run from x0 never passes it, and f is at least that level all along.
    """
    local_minimizer = -(np.pi - np.arccos(2 / np.pi)) / np.pi

    def value(x: Vector) -> float:
        return float(np.sin(np.pi * x[0]) + 2 * x[0])

    def gradient(x: Vector) -> Vector:
        return np.pi * np.cos(np.pi * x) + 2

    return Problem(
        name="sine plus a line",
        value=value,
        gradient=gradient,
        x0=np.array([0.4]),
        smoothness=float(np.pi**2),
        strong_convexity=None,
        minimizer=None,
        minimum=value(np.array([local_minimizer])),
        hessian=lambda x: np.array([[-(np.pi**2) * np.sin(np.pi * x[0])]]),
    )


def sine_wave() -> Problem:
    """f(x) = sin(2 x) from x0 = -1.5, non-convex, L = 4, f* = -1; the closest x* is -pi/4 (notes ch. 0, figure 1).

    The figure shows f and its upper bound of the descent lemma at -1.5; the formula is read off the figure.
    """
    return Problem(
        name="sine wave",
        value=lambda x: float(np.sin(2 * x[0])),
        gradient=lambda x: 2 * np.cos(2 * x),
        x0=np.array([-1.5]),
        smoothness=4.0,
        strong_convexity=None,
        minimizer=np.array([-np.pi / 4]),
        minimum=-1.0,
        hessian=lambda x: np.array([[-4 * np.sin(2 * x[0])]]),
    )


def smooth_plateau() -> Problem:
    """The squared distance to [-1/2, 1/3] from x0 = -2.8: convex, L = 2, many minimisers; the closest is -1/2.

    The course's own example (notes ch. 1, sec. 5.2) is x^2 + x/2 on the left and x^2 - x/3 on the right of the
    plateau, `kinked_plateau`. That one is not 2-smooth, as the notes say it is; this is the variant that is.
    """

    def overhang(x: Vector) -> Vector:
        return x - np.clip(x, -1 / 2, 1 / 3)

    def value(x: Vector) -> float:
        return float(overhang(x)[0] ** 2)

    def gradient(x: Vector) -> Vector:
        return 2 * overhang(x)

    return Problem(
        name="smooth plateau",
        value=value,
        gradient=gradient,
        x0=np.array([-2.8]),
        smoothness=2.0,
        strong_convexity=0.0,
        minimizer=np.array([-1 / 2]),
        minimum=0.0,
    )


def kinked_plateau() -> Problem:
    """f(x) = x^2 + x/2 for x <= -1/2, x^2 - x/3 for x >= 1/3 and 0 between, from -2.8 (notes ch. 1, sec. 5.2).

    Convex, and not smooth: the derivative jumps from -1/2 to 0 at -1/2 and from 0 to 1/3 at 1/3, whatever the notes
    say. `gradient` is the derivative of the piece to which the definition counts a point. The closest x* is -1/2.
    """

    def value(x: Vector) -> float:
        if x[0] <= -1 / 2:
            return float(x[0] ** 2 + x[0] / 2)
        return float(x[0] ** 2 - x[0] / 3) if x[0] >= 1 / 3 else 0.0

    def gradient(x: Vector) -> Vector:
        return np.where(x <= -1 / 2, 2 * x + 1 / 2, np.where(x >= 1 / 3, 2 * x - 1 / 3, 0.0))

    return Problem(
        name="kinked plateau",
        value=value,
        gradient=gradient,
        x0=np.array([-2.8]),
        smoothness=None,
        strong_convexity=0.0,
        minimizer=np.array([-1 / 2]),
        minimum=0.0,
    )


def huber(threshold: float) -> Problem:
    """f(x) = 1/2 x^2 for |x| <= t and t |x| - t^2/2 beyond, from x0 = 1: convex, L = 1, x* = 0.

    With t = 1/(2 K gamma + 1) no convex function with L = 1 and |x0 - x*| = 1 is farther from its minimum after K
    steps of gradient descent with gamma <= 1 (Drori and Teboulle; not in the course).
    """

    def value(x: Vector) -> float:
        size = abs(float(x[0]))
        return size**2 / 2 if size <= threshold else threshold * size - threshold**2 / 2

    return Problem(
        name="Huber function",
        value=value,
        gradient=lambda x: np.clip(x, -threshold, threshold),
        x0=np.ones(1),
        smoothness=1.0,
        strong_convexity=0.0,
        minimizer=np.zeros(1),
        minimum=0.0,
    )


def parabola() -> Problem:
    """f(x) = x^2 + x from x0 = 1.8: L = mu = 2, x* = -1/2, f* = -1/4 (notes ch. 1, sec. 5.3; Lecture 2, slide 16)."""

    def value(x: Vector) -> float:
        return float(x[0] ** 2 + x[0])

    def gradient(x: Vector) -> Vector:
        return 2 * x + 1

    return Problem(
        name="parabola",
        value=value,
        gradient=gradient,
        x0=np.array([1.8]),
        smoothness=2.0,
        strong_convexity=2.0,
        minimizer=np.array([-1 / 2]),
        minimum=-1 / 4,
        hessian=lambda x: np.array([[2.0]]),
    )


def two_sided_parabola() -> Problem:
    """f(x) = 3/2 x^2 for x <= 0 and 9/2 x^2 for x > 0, from x0 = 2.8: L = 9, mu = 3, x* = 0 (notes ch. 1, sec. 5.3).

    The notes start a second run at -2.8.
    """

    def curvature(x: Vector) -> Vector:
        return np.where(x > 0, 9.0, 3.0)

    def value(x: Vector) -> float:
        return float(0.5 * curvature(x)[0] * x[0] ** 2)

    def gradient(x: Vector) -> Vector:
        return curvature(x) * x

    return Problem(
        name="two-sided parabola",
        value=value,
        gradient=gradient,
        x0=np.array([2.8]),
        smoothness=9.0,
        strong_convexity=3.0,
        minimizer=np.zeros(1),
        minimum=0.0,
    )


def steep_left_parabola() -> Problem:
    """f(x) = x^2 for x <= 0 and x^2/2 for x > 0, from x0 = -0.5: L = 2, mu = 1, x* = 0 (notes ch. 0, figure 3).

    The figure shows f between its bounds at -0.5; the formula is read off the figure.
    """

    def curvature(x: Vector) -> Vector:
        return np.where(x > 0, 1.0, 2.0)

    return Problem(
        name="steep left parabola",
        value=lambda x: float(0.5 * curvature(x)[0] * x[0] ** 2),
        gradient=lambda x: curvature(x) * x,
        x0=np.array([-0.5]),
        smoothness=2.0,
        strong_convexity=1.0,
        minimizer=np.zeros(1),
        minimum=0.0,
    )


def saddle(x0: Vector) -> Problem:
    """f(x, y) = (x^2 - y^2)/2 + y^4/4: a saddle at 0 and minima at (0, 1) and (0, -1) with f* = -1/4.

    The curvature grows with y, so there is no L over the whole plane; 3 is enough for |y| <= 2/sqrt(3), and a run that
    starts there with gamma <= 1/3 stays there. x* is the minimum on the side of x0, and (0, 1) for y = 0,
    where gradient descent ends at the saddle.
    """

    def value(x: Vector) -> float:
        return float((x[0] ** 2 - x[1] ** 2) / 2 + x[1] ** 4 / 4)

    def gradient(x: Vector) -> Vector:
        return np.array([x[0], x[1] ** 3 - x[1]])

    return Problem(
        name="saddle",
        value=value,
        gradient=gradient,
        x0=x0,
        smoothness=None,
        strong_convexity=None,
        minimizer=np.array([0.0, -1.0 if x0[1] < 0 else 1.0]),
        minimum=-1 / 4,
        hessian=lambda x: np.diag([1.0, 3 * x[1] ** 2 - 1]),
    )


def line_by_three_points() -> Problem:
    """The line closest to (0, 1), (1, 2), (2, 2), from 0: x* = (7/6, 1/2), f* = 1/12, L and mu = 4 +- sqrt(10)."""
    A = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    return least_squares(A, np.array([1.0, 2.0, 2.0]), np.zeros(2), name="line by three points")


def three_of_four_labels() -> Problem:
    """Logistic regression of the labels +1, +1, +1, -1 on a = 1, from 0: x* = ln 3, L = 1/4."""
    return logistic(np.ones((4, 1)), np.array([1.0, 1.0, 1.0, -1.0]), np.zeros(1), name="three of four labels")


def separable_labels() -> Problem:
    """Logistic regression on (1, 0), (0, 1), (1, 1) with +1, -1, +1, from 0: a hyperplane separates them.

    L = 1/4. The infimum 0 is not attained: no x*, and `minimum` is None.
    """
    A = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    return logistic(A, np.array([1.0, -1.0, 1.0]), np.zeros(2), name="separable labels")


def bowl() -> Problem:
    """f(x, y) = x^2 + y^2 from (2, 4): L = mu = 2 (notes ch. 1, sec. 5.4)."""
    return quadratic(np.diag([2.0, 2.0]), np.zeros(2), np.array([2.0, 4.0]), name="bowl")


def elongated_bowl() -> Problem:
    """f(x, y) = 10 x^2 + y^2 from (2, 4): L = 20, mu = 2 (notes ch. 1, sec. 5.4)."""
    return quadratic(np.diag([20.0, 2.0]), np.zeros(2), np.array([2.0, 4.0]), name="elongated bowl")


def _orthonormal_columns(rows: int, columns: int, rng: np.random.Generator) -> Matrix:
    return np.linalg.qr(rng.standard_normal((rows, columns))).Q


def _spectrum(largest: float, smallest: float, count: int) -> Vector:
    """`count` eigenvalues, geometrically spaced, both ends included."""
    if not largest >= smallest > 0:
        raise ValueError(f"A spectrum from {largest:g} down to {smallest:g} needs L >= mu > 0.")
    if count < 1 or (count == 1 and largest != smallest):
        raise ValueError(f"{count} dimensions cannot have both the eigenvalue {largest:g} and {smallest:g}.")
    return np.geomspace(largest, smallest, count)


def _logistic_minimizer(A: Matrix, b: Vector) -> Vector | None:
    """x* by Newton's method, exact up to rounding; None where there is none, or more than one.

    Where there is a minimiser, Newton's steps shrink quadratically. On separable data they do not shrink: each
    adds about 1 to the margins for ever, or the margins run away until the Hessian vanishes in floating point.
    The size of a step is judged by what it does to the margins, which have no unit.
    """
    columns = A.shape[1]
    if int(np.linalg.matrix_rank(A)) < columns:
        return None
    x = np.zeros(columns)
    for _ in range(30):
        try:
            step = np.linalg.solve(logistic_hessian(A, b, x), logistic_gradient(A, b, x))
        except np.linalg.LinAlgError:
            return None
        # The slack lets the last step through, where f no longer changes by more than rounding.
        while logistic_value(A, b, x - step) > (1 + 1e-12) * logistic_value(A, b, x):
            step = step / 2
        x = x - step
        if np.abs(A @ step).max() <= 1e-10:
            return x
    return None
