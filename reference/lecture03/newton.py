"""Newton's method: preconditioning by the Hessian at every point.

Problem     min f(x) over R^d; f twice differentiable, its Hessian positive definite along the path.
Algorithm   x_{k+1} = x_k - gamma (Hess f(x_k))^{-1} grad f(x_k),  k = 0, ..., K-1
            gamma = 1 is Newton's method, gamma < 1 the damped one. The Hessian is that at x_k, in every step.
Guarantee   quadratics, 0 < gamma < 2       x_k - x* = (1-gamma)^k (x_0 - x*); one step for gamma = 1
            gamma = 1, f mu-strongly convex with an M-Lipschitz Hessian and M/(2 mu) ||x_0 - x*|| < 1
                                            M/(2 mu) ||x_k - x*|| <= (M/(2 mu) ||x_0 - x*||)^(2^k)
            The path does not depend on the coordinates: x = B z gives x_k = B z_k.
Cost        one gradient, one Hessian and one linear system, O(d^3), a step.
References  Lecture 3 part II, slides 7-8, which have no convergence theorem. The first guarantee is derived, the
            second standard literature: Nesterov (2003), section 1.2.4.
Catalogue   newton
Witness     scipy.optimize.root on grad f; affine invariance

In the code gamma is `learning_rate` and K is `num_steps`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.conditions import equal, known, require, strong_convexity
from reference.lecture03.problems import softplus_bowl
from reference.lecture03.quadratics import constant_hessian
from reference.problem import Matrix, Problem, Vector
from reference.quantities import distance
from reference.variants import equivalent, example, guarantee, mistake

Gradient = Callable[[Vector], Vector]
Hessian = Callable[[Vector], Matrix]


def newton(gradient: Gradient, hessian: Hessian, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """The iterates x_0, ..., x_K of Newton's method, (K+1, d) float64: row k is x_k.

    Args:
        gradient: grad f, (d,) -> (d,); called once a step, K times in all.
        hessian: Hess f, (d,) -> (d, d); called once a step, K times in all.
        x0: starting point, (d,); left as it is.
        learning_rate: gamma, 1 for Newton's method.
        num_steps: K >= 0.

    Raises:
        numpy.linalg.LinAlgError: where the Hessian at an iterate is singular.
    """
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * np.linalg.solve(hessian(x), gradient(x))
        iterates.append(x)
    return np.array(iterates)


# What can be said.


@guarantee(
    newton,
    distance,
    "Derived, not a theorem of the course: for a quadratic and 0 < gamma < 2, "
    "||x_k - x*|| = |1 - gamma|^k ||x_0 - x*||.",
)
def bound_quadratic(problem: Problem, learning_rate: float, num_steps: int) -> Vector:
    """|1 - gamma|^k ||x_0 - x*||, (K+1,). Attained always.

    Raises:
        ValueError: unless f is a quadratic, mu > 0 and 0 < gamma < 2.
    """
    strong_convexity(problem)
    constant_hessian(problem)
    require(0 < learning_rate < 2, "a step 0 < gamma < 2", problem)
    return abs(1 - learning_rate) ** np.arange(0.0, num_steps + 1) * distance(problem.x0[None], problem)


@guarantee(
    newton,
    distance,
    "Standard literature, not a theorem of the course: for mu-strongly convex f with an M-Lipschitz Hessian, "
    "gamma = 1 and M/(2 mu) ||x_0 - x*|| < 1, M/(2 mu) ||x_k - x*|| <= (M/(2 mu) ||x_0 - x*||)^(2^k).",
)
def bound_local(problem: Problem, learning_rate: float, num_steps: int) -> Vector:
    """2 mu/M (M/(2 mu) ||x_0 - x*||)^(2^k), (K+1,).

    Raises:
        ValueError: unless f is mu-strongly convex, its Hessian is M-Lipschitz with M = `data["hessian_lipschitz"]`,
            gamma = 1, and x_0 is close enough.
    """
    mu = strong_convexity(problem)
    M = known(problem.data.get("hessian_lipschitz"), "Lipschitz constant of the Hessian among its data", problem)
    M = float(np.asarray(M))
    require(equal(learning_rate, 1.0), "the step gamma = 1", problem)
    start = M / (2 * mu) * distance(problem.x0[None], problem)
    require(bool(start[0] < 1), "a start with M/(2 mu) ||x_0 - x*|| < 1", problem)
    return np.asarray(2 * mu / M * start ** (2 ** np.arange(0.0, num_steps + 1)))


# Correct other forms.


@equivalent(newton)
def inverse_hessian(gradient: Gradient, hessian: Hessian, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """The inverse is formed, as in the formula. Slower, and less accurate where the Hessian is badly conditioned."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * np.linalg.inv(hessian(x)) @ gradient(x)
        iterates.append(x)
    return np.array(iterates)


@equivalent(newton)
def cholesky(gradient: Gradient, hessian: Hessian, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """Hess = C C^T: two triangular systems. LinAlgError where the Hessian is not positive definite."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        C = np.linalg.cholesky(hessian(x))
        x = x - learning_rate * np.linalg.solve(C.T, np.linalg.solve(C, gradient(x)))
        iterates.append(x)
    return np.array(iterates)


@equivalent(newton)
def direction_first(gradient: Gradient, hessian: Hessian, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """Hess f(x_k) d_k = -grad f(x_k), x_{k+1} = x_k + gamma d_k."""
    iterates = np.empty((num_steps + 1, len(x0)))
    iterates[0] = x0
    for k in range(num_steps):
        direction = np.linalg.solve(hessian(iterates[k]), -gradient(iterates[k]))
        iterates[k + 1] = iterates[k] + learning_rate * direction
    return iterates


# Mistakes.


@mistake(
    newton,
    "Your first step is right, and the later ones use what was true at the start only. When is the Hessian evaluated?",
)
def frozen_hessian(gradient: Gradient, hessian: Hessian, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """Hess f(x_0) in every step: the chord method. Invisible on quadratics."""
    x = np.array(x0, dtype=np.float64)
    H = hessian(x)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * np.linalg.solve(H, gradient(x))
        iterates.append(x)
    return np.array(iterates)


@mistake(newton, "Your iterates move away from the minimiser. In which direction does f decrease?")
def ascent(gradient: Gradient, hessian: Hessian, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """+ gamma (Hess f(x_k))^{-1} grad f(x_k)."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x + learning_rate * np.linalg.solve(hessian(x), gradient(x))
        iterates.append(x)
    return np.array(iterates)


@mistake(
    newton,
    "Your steps are long where the curvature is large. Should a steep valley make the step longer or shorter?",
)
def hessian_not_inverted(
    gradient: Gradient, hessian: Hessian, x0: Vector, learning_rate: float, num_steps: int
) -> Matrix:
    """- gamma Hess f(x_k) grad f(x_k)."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * hessian(x) @ gradient(x)
        iterates.append(x)
    return np.array(iterates)


@mistake(newton, "Your steps are full steps, whatever learning rate is asked for.")
def undamped(gradient: Gradient, hessian: Hessian, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """gamma = 1. Invisible where 1 is asked for."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - np.linalg.solve(hessian(x), gradient(x))
        iterates.append(x)
    return np.array(iterates)


@mistake(
    newton,
    "You divide each partial derivative by its own second derivative. What of the mixed second derivatives?",
)
def diagonal_only(gradient: Gradient, hessian: Hessian, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """The diagonal of the Hessian. Invisible where the Hessian is diagonal."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * gradient(x) / np.diag(hessian(x))
        iterates.append(x)
    return np.array(iterates)


@mistake(
    newton,
    "You invert each entry of the Hessian. What is the inverse of a matrix?",
)
def entrywise_inverse(gradient: Gradient, hessian: Hessian, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """`(1 / H) @ g`; entries of zero give inf or nan. Invisible for d = 1."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        with np.errstate(divide="ignore", invalid="ignore"):
            x = x - learning_rate * (1 / hessian(x)) @ gradient(x)
        iterates.append(x)
    return np.array(iterates)


example(newton, softplus_bowl, distance, learning_rate=1.0, num_steps=5)
