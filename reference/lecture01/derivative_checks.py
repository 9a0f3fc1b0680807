"""Are these the derivatives of f? Difference quotients and the order of Taylor's remainder.

Problem     f: R^n -> R, and a gradient (n,) and a Hessian (n, n) that somebody wrote.
Algorithm   difference quotients, in each coordinate i
                (f(x + h e_i) - f(x - h e_i)) / (2 h)            for the gradient
                (grad f(x + h e_i) - grad f(x - h e_i)) / (2 h)  for column i of the Hessian
            remainders along a direction y
                |f(x + h y) - f(x) - h <grad f(x), y>|                               = O(h^2)
                |f(x + h y) - f(x) - h <grad f(x), y> - h^2/2 <y, Hess f(x) y>|      = O(h^3)
            integral    grad f(x + y) - grad f(x) = int_0^1 Hess f(x + t y) y dt
Guarantee   with a wrong gradient the first remainder is O(h) only; with a wrong Hessian the second is O(h^2) only.
            The quotients are off by O(h^2), plus rounding of about 1e-16 |f| / h: h = 1e-5 balances the two.
Cost        2n values for a gradient, 2n gradients for a Hessian.
References  Notes ch. 0, pages 3 and 4, Definitions 2.1 and 2.2, Proposition 2.3.
Catalogue   taylor_check
Witness     closed forms of polynomials; torch.autograd; scipy.optimize.approx_fprime
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.problem import Matrix, Vector
from reference.variants import convention, equivalent, mistake

Value = Callable[[Vector], float]
Gradient = Callable[[Vector], Vector]
Hessian = Callable[[Vector], Matrix]


def numerical_gradient(value: Value, x: Vector, step: float = 1e-5) -> Vector:
    """Central difference quotients (f(x + h e_i) - f(x - h e_i)) / (2 h), (n,).

    Args:
        value: f, (n,) -> float; called 2n times.
        x: (n,).
        step: h > 0.
    """
    directions = np.eye(len(x))
    return np.array([(value(x + step * e) - value(x - step * e)) / (2 * step) for e in directions])


def numerical_hessian(gradient: Gradient, x: Vector, step: float = 1e-5) -> Matrix:
    """Central difference quotients of the gradient, made symmetric: (H + H^T)/2, (n, n).

    Args:
        gradient: grad f, (n,) -> (n,); called 2n times.
        x: (n,).
        step: h > 0.
    """
    directions = np.eye(len(x))
    columns = [(gradient(x + step * e) - gradient(x - step * e)) / (2 * step) for e in directions]
    H = np.column_stack(columns)
    return (H + H.T) / 2


def first_order_remainders(value: Value, gradient: Gradient, x: Vector, direction: Vector, steps: Vector) -> Vector:
    """|f(x + h y) - f(x) - h <grad f(x), y>| for each h, (len(steps),).

    Args:
        value: f, (n,) -> float.
        gradient: grad f, (n,) -> (n,).
        x: (n,).
        direction: y, (n,).
        steps: the h, (m,).
    """
    slope = gradient(x) @ direction
    return np.array([abs(value(x + h * direction) - value(x) - h * slope) for h in steps])


def second_order_remainders(
    value: Value, gradient: Gradient, hessian: Hessian, x: Vector, direction: Vector, steps: Vector
) -> Vector:
    """|f(x + h y) - f(x) - h <grad f(x), y> - h^2/2 <y, Hess f(x) y>| for each h, (len(steps),).

    Args:
        value: f, (n,) -> float.
        gradient: grad f, (n,) -> (n,).
        hessian: Hess f, (n,) -> (n, n).
        x: (n,).
        direction: y, (n,).
        steps: the h, (m,).
    """
    slope = gradient(x) @ direction
    curvature = direction @ hessian(x) @ direction
    return np.array([abs(value(x + h * direction) - value(x) - h * slope - h**2 / 2 * curvature) for h in steps])


def decay_order(steps: Vector, remainders: Vector) -> float:
    """The r of a remainder that behaves like h^r: slope of ln(remainder) against ln(h) by least squares.

    Args:
        steps: the h > 0, (m,), m >= 2.
        remainders: (m,), positive.

    Raises:
        ValueError: where a remainder is 0, as that of a quadratic beyond its second order: it has no order.
    """
    if not np.all(remainders > 0):
        raise ValueError("A remainder is exactly 0, so that its order cannot be read off.")
    return float(np.polyfit(np.log(steps), np.log(remainders), 1)[0])


def hessian_integral(hessian: Hessian, x: Vector, direction: Vector, num_nodes: int) -> Vector:
    """int_0^1 Hess f(x + t y) y dt by Gauss-Legendre quadrature, (n,): what grad f(x + y) - grad f(x) is equal to.

    Exact where the entries of the Hessian are polynomials of degree up to 2 num_nodes - 1 along the segment.

    Args:
        hessian: Hess f, (n,) -> (n, n); called num_nodes times.
        x: (n,).
        direction: y, (n,).
        num_nodes: at least 1.
    """
    nodes, weights = np.polynomial.legendre.leggauss(num_nodes)  # for the interval from -1 to 1, of length 2
    integral = np.zeros(len(x))
    for s, w in zip(nodes, weights, strict=True):
        integral = integral + w / 2 * hessian(x + (1 + s) / 2 * direction) @ direction
    return integral


# The gradient by difference quotients.


@equivalent(numerical_gradient)
def gradient_coordinate_by_coordinate(value: Value, x: Vector, step: float = 1e-5) -> Vector:
    """A loop that changes one entry of a copy and puts it back."""
    point = np.array(x, dtype=np.float64)
    quotients = np.zeros(len(point))
    for i, entry in enumerate(point.copy()):
        point[i] = entry + step
        above = value(point)
        point[i] = entry - step
        below = value(point)
        point[i] = entry
        quotients[i] = (above - below) / (2 * step)
    return quotients


@convention(
    numerical_gradient, "One-sided quotients: n + 1 values in place of 2n, and an error of O(h) in place of O(h^2)."
)
def forward_differences(value: Value, x: Vector, step: float = 1e-5) -> Vector:
    """(f(x + h e_i) - f(x)) / h."""
    start = value(x)
    return np.array([(value(x + step * e) - start) / step for e in np.eye(len(x))])


@mistake(
    numerical_gradient,
    "Your quotients are twice what they should be. How far apart are the two points at which f is evaluated?",
)
def quotient_by_single_step(value: Value, x: Vector, step: float = 1e-5) -> Vector:
    """(f(x + h e_i) - f(x - h e_i)) / h."""
    return np.array([(value(x + step * e) - value(x - step * e)) / step for e in np.eye(len(x))])


@mistake(
    numerical_gradient,
    "Your quotients are noise of several digits: so small a step is lost in the rounding of f. "
    "Is there a number in your code that hides the step that was asked for?",
)
def step_below_rounding(value: Value, x: Vector, step: float = 1e-5) -> Vector:
    """The step 1e-12, whatever was asked for."""
    step = 1e-12
    return np.array([(value(x + step * e) - value(x - step * e)) / (2 * step) for e in np.eye(len(x))])


@mistake(
    numerical_gradient,
    "Your numbers are right, but in a matrix with one column. A gradient has the shape of x.",
)
def gradient_as_column(value: Value, x: Vector, step: float = 1e-5) -> Matrix:
    """The right numbers, (n, 1)."""
    return np.array([[(value(x + step * e) - value(x - step * e)) / (2 * step)] for e in np.eye(len(x))])


# The Hessian by difference quotients.


@equivalent(numerical_hessian)
def hessian_row_by_row(gradient: Gradient, x: Vector, step: float = 1e-5) -> Matrix:
    """The quotient of each coordinate is added once as a row and once as a column, half of it each time."""
    H = np.zeros((len(x), len(x)))
    for i, e in enumerate(np.eye(len(x))):
        quotient = (gradient(x + step * e) - gradient(x - step * e)) / (2 * step)
        H[i, :] += quotient / 2
        H[:, i] += quotient / 2
    return H


@convention(
    numerical_hessian,
    "The quotients as they are, not made symmetric: the two halves differ by the error of the quotients.",
)
def hessian_as_it_comes(gradient: Gradient, x: Vector, step: float = 1e-5) -> Matrix:
    """Column i is the quotient in coordinate i."""
    columns = [(gradient(x + step * e) - gradient(x - step * e)) / (2 * step) for e in np.eye(len(x))]
    return np.column_stack(columns)


@mistake(
    numerical_hessian,
    "Only one half of your matrix is filled. Which value has the Hessian in the place (j, k) if it is known in (k, j)?",
)
def upper_triangle_only(gradient: Gradient, x: Vector, step: float = 1e-5) -> Matrix:
    """The entries below the diagonal are 0. Invisible for a diagonal Hessian."""
    columns = [(gradient(x + step * e) - gradient(x - step * e)) / (2 * step) for e in np.eye(len(x))]
    return np.triu(np.column_stack(columns))


# Remainders.


@mistake(
    first_order_remainders,
    "Your remainder does not shrink with the step: one of the terms that you subtract belongs to a full step.",
)
def slope_not_scaled(value: Value, gradient: Gradient, x: Vector, direction: Vector, steps: Vector) -> Vector:
    """|f(x + h y) - f(x) - <grad f(x), y>|. Invisible where the gradient is orthogonal to y."""
    slope = gradient(x) @ direction
    return np.array([abs(value(x + h * direction) - value(x) - slope) for h in steps])


@mistake(
    second_order_remainders,
    "Your remainder shrinks only as fast as one without any Hessian. "
    "Try f = x^2 by hand: which factor stands in front of the second derivative?",
)
def curvature_not_halved(
    value: Value, gradient: Gradient, hessian: Hessian, x: Vector, direction: Vector, steps: Vector
) -> Vector:
    """|f(x + h y) - f(x) - h <grad f(x), y> - h^2 <y, Hess f(x) y>|; invisible where the curvature along y is 0."""
    slope = gradient(x) @ direction
    curvature = direction @ hessian(x) @ direction
    return np.array([abs(value(x + h * direction) - value(x) - h * slope - h**2 * curvature) for h in steps])


@mistake(
    hessian_integral,
    "Your integral is twice what it should be: the weights belong to an interval of another length.",
)
def weights_of_longer_interval(hessian: Hessian, x: Vector, direction: Vector, num_nodes: int) -> Vector:
    """The nodes are moved to the interval from 0 to 1, and the weights are those from -1 to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(num_nodes)
    integral = np.zeros(len(x))
    for s, w in zip(nodes, weights, strict=True):
        integral = integral + w * hessian(x + (1 + s) / 2 * direction) @ direction
    return integral
