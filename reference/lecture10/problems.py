"""Problems of gradient clipping: steep far away, with a curvature that grows with the gradient.

steep_quadratic     a quadratic in two dimensions, with the golden numbers of the course catalogue
quartic             x^4: not smooth, but (L0, L1)-smooth
steep_cosh          cosh(2x): not smooth, but (L0, L1)-smooth

L0 and L1 are `data["L0"]` and `data["L1"]`: ||Hessian f(x)|| <= L0 + L1 ||grad f(x)|| for all x.
"""

from __future__ import annotations

import numpy as np

from reference import problems
from reference.problem import Problem, Vector


def steep_quadratic() -> Problem:
    """f(x) = 1/2 (x_1^2 + 10 x_2^2) from (5, 5): L = 10, mu = 1, the first gradient has the length 50.2."""
    return problems.quadratic(np.diag([1.0, 10.0]), np.zeros(2), np.array([5.0, 5.0]), name="steep quadratic")


def quartic() -> Problem:
    """f(x) = x^4 from x0 = 3: L0 = 4 for L1 = 2. Gradient descent from x0 converges for gamma < 1/18.

    For gamma = 1/18 it goes back and forth between 3 and -3, and for larger steps it diverges.
    """
    return Problem(
        name="quartic",
        value=lambda x: float(x[0] ** 4),
        gradient=lambda x: np.asarray(4 * x**3),
        x0=np.array([3.0]),
        strong_convexity=0.0,
        minimizer=np.zeros(1),
        minimum=0.0,
        data={"L0": 4.0, "L1": 2.0},
        hessian=lambda x: np.array([[12 * x[0] ** 2]]),
    )


def steep_cosh() -> Problem:
    """f(x) = cosh(2x) from x0 = 3: L0 = 4 for L1 = 2; f* = 1."""

    def gradient(x: Vector) -> Vector:
        return np.asarray(2 * np.sinh(2 * x))

    return Problem(
        name="steep cosh",
        value=lambda x: float(np.cosh(2 * x[0])),
        gradient=gradient,
        x0=np.array([3.0]),
        strong_convexity=4.0,
        minimizer=np.zeros(1),
        minimum=1.0,
        data={"L0": 4.0, "L1": 2.0},
        hessian=lambda x: np.array([[4 * np.cosh(2 * x[0])]]),
    )
