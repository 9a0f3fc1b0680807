"""Projected gradient descent with a constant step.

Problem     min f(x) over x in X; X closed and convex, f differentiable, for the guarantees L-smooth.
Algorithm   x_0 in X, for k = 0, ..., K-1
                y_{k+1} = x_k - gamma grad f(x_k)
                x_{k+1} = P_X[y_{k+1}]
Guarantee   with gamma = 1/L
            strongly convex on R^d   ||x_k - x*|| <= (1 - mu/L)^k ||x_0 - x*||
            strongly convex on X     ||x_k - x*||^2 <= (1 - mu/L)^k ||x_0 - x*||^2
            convex                   f(x_k) - f* <= L ||x_0 - x*||^2 / (2k),  k >= 1
            any f                    f(x_{k+1}) <= f(x_k) - L/2 ||x_{k+1} - x_k||^2
Cost        one gradient and one projection a step.
References  Lecture 4, part I, slides 13-18; notes ch. 3 (Projected GD), Lemmas 5.1 and 5.2, Theorems 5.3 and 5.4;
            homework 4, problem 1. Theorem 5.3 is printed for L-smooth f; it needs a convex f.
Catalogue   projected_gd
Witness     scipy.optimize (constrained minimiser); closed form on a hyperplane; proximal gradient descent with the
            indicator of X

In the code gamma is `learning_rate` and K is `num_steps`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.conditions import at_most, equal, known, require, require_convex, smoothness, strong_convexity
from reference.lecture04 import problems
from reference.lecture04.gradient_mapping import mean_squared_gradient_mapping
from reference.problem import Matrix, Problem, Vector
from reference.quantities import distance, gap
from reference.variants import convention, equivalent, example, guarantee, mistake

Gradient = Callable[[Vector], Vector]
Project = Callable[[Vector], Vector]


def projected_gradient_descent(
    gradient: Gradient, project: Project, x0: Vector, learning_rate: float, num_steps: int
) -> Matrix:
    """The iterates x_0, ..., x_K of projected gradient descent, (K+1, d) float64: row k is x_k, in X.

    Args:
        gradient: grad f, (d,) -> (d,); called once a step, K times in all, at points of X.
        project: P_X, (d,) -> (d,); called once a step, K times in all.
        x0: starting point in X, (d,); left as it is, and not projected.
        learning_rate: gamma, the constant step.
        num_steps: K >= 0.
    """
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        y = x - learning_rate * gradient(x)
        x = project(y)
        iterates.append(x)
    return np.array(iterates)


# What the theorems say. Each bound has the problem, gamma and K as arguments, and a number for each k = 0, ..., K.


@guarantee(
    projected_gradient_descent,
    distance,
    "Lecture 4, part I, slide 17, and homework 4: for f L-smooth and mu-strongly convex on R^d and gamma = 1/L, "
    "||x_k - x*|| <= (1 - mu/L)^k ||x_0 - x*||.",
)
def bound_strongly_convex(problem: Problem, learning_rate: float, num_steps: int) -> Vector:
    """(1 - mu/L)^k ||x_0 - x*||, (K+1,). Attained along an eigenvector for mu, inside X.

    Raises:
        ValueError: unless f is L-smooth and mu-strongly convex, x* is known, x_0 is in X and gamma = 1/L.
    """
    L, mu = smoothness(problem), strong_convexity(problem)
    require(equal(learning_rate, 1 / L), "the step gamma = 1/L", problem)
    return _powers(1 - mu / L, num_steps) * _initial_distance(problem)


@guarantee(
    projected_gradient_descent,
    distance,
    "Derived: the projection is non-expansive, so gradient descent's contraction stays. For f L-smooth and mu-strongly "
    "convex on R^d and 0 < gamma < 2/L, ||x_k - x*|| <= max(|1 - gamma mu|, |1 - gamma L|)^k ||x_0 - x*||.",
)
def bound_contraction(problem: Problem, learning_rate: float, num_steps: int) -> Vector:
    """max(|1 - gamma mu|, |1 - gamma L|)^k ||x_0 - x*||, (K+1,). The course's theorem is its case gamma = 1/L.

    Raises:
        ValueError: unless f is L-smooth and mu-strongly convex, x* is known, x_0 is in X and 0 < gamma < 2/L.
    """
    L, mu = smoothness(problem), strong_convexity(problem)
    require(0 < learning_rate < 2 / L, "a step 0 < gamma < 2/L", problem)
    factor = max(abs(1 - learning_rate * mu), abs(1 - learning_rate * L))
    return _powers(factor, num_steps) * _initial_distance(problem)


@guarantee(
    projected_gradient_descent,
    distance,
    "Notes ch. 3, Theorem 5.4: for f L-smooth and mu-strongly convex on X and gamma = 1/L, "
    "||x_k - x*||^2 <= (1 - mu/L)^k ||x_0 - x*||^2. Weaker than the bound for f on R^d.",
)
def bound_strongly_convex_on_set(problem: Problem, learning_rate: float, num_steps: int) -> Vector:
    """(1 - mu/L)^(k/2) ||x_0 - x*||, (K+1,): the root of the theorem's bound on the square.

    Raises:
        ValueError: unless f is L-smooth and mu-strongly convex, x* is known, x_0 is in X and gamma = 1/L.
    """
    L, mu = smoothness(problem), strong_convexity(problem)
    require(equal(learning_rate, 1 / L), "the step gamma = 1/L", problem)
    return np.sqrt(_powers(1 - mu / L, num_steps)) * _initial_distance(problem)


@guarantee(
    projected_gradient_descent,
    gap,
    "Notes ch. 3, Theorem 5.3: for convex, L-smooth f and gamma = 1/L, f(x_k) - f* <= L ||x_0 - x*||^2 / (2k).",
)
def bound_convex(problem: Problem, learning_rate: float, num_steps: int) -> Vector:
    """L ||x_0 - x*||^2 / (2k), (K+1,); infinite for k = 0, where the theorem says nothing.

    Raises:
        ValueError: unless f is convex and L-smooth, x* is known, x_0 is in X and gamma = 1/L.
    """
    L = smoothness(problem)
    require_convex(problem)
    require(equal(learning_rate, 1 / L), "the step gamma = 1/L", problem)
    return L / 2 * _initial_distance(problem) ** 2 * _reciprocals(num_steps)


@guarantee(
    projected_gradient_descent,
    gap,
    "Derived, by the proof of Theorem 5.3 for other steps: for convex, L-smooth f and 0 < gamma <= 1/L, "
    "f(x_k) - f* <= ||x_0 - x*||^2 / (2 gamma k).",
)
def bound_convex_any_step(problem: Problem, learning_rate: float, num_steps: int) -> Vector:
    """||x_0 - x*||^2 / (2 gamma k), (K+1,); infinite for k = 0. Theorem 5.3 is its case gamma = 1/L, the best one.

    Raises:
        ValueError: unless f is convex and L-smooth, x* is known, x_0 is in X and 0 < gamma <= 1/L.
    """
    L = smoothness(problem)
    require_convex(problem)
    require(learning_rate > 0 and at_most(learning_rate, 1 / L), "a step 0 < gamma <= 1/L", problem)
    return _initial_distance(problem) ** 2 / (2 * learning_rate) * _reciprocals(num_steps)


@guarantee(
    projected_gradient_descent,
    mean_squared_gradient_mapping,
    "Derived from notes ch. 3, Lemma 5.2, without convexity of f: for L-smooth f and gamma = 1/L, "
    "the mean of ||G(x_0)||^2, ..., ||G(x_k)||^2 is at most 2 L (f(x_0) - f*) / (k+1), G = (x_k - x_{k+1})/gamma.",
)
def bound_nonconvex(problem: Problem, learning_rate: float, num_steps: int) -> Vector:
    """2 L (f(x_0) - f*) / (k+1), (K+1,).

    Raises:
        ValueError: unless f is L-smooth, f* is known, x_0 is in X and gamma = 1/L.
    """
    L = smoothness(problem)
    _require_feasible_start(problem)
    minimum = known(problem.minimum, "minimum f*", problem)
    require(equal(learning_rate, 1 / L), "the step gamma = 1/L", problem)
    return 2 * L * (problem.value(problem.x0) - minimum) / np.arange(1.0, num_steps + 2)


def step_decrease_slack(iterates: Matrix, problem: Problem) -> Vector:
    """f(x_k) - L/2 ||x_{k+1} - x_k||^2 - f(x_{k+1}), (K,): not negative for gamma = 1/L (notes ch. 3, Lemma 5.2).

    The lemma needs no convexity of f. It says in particular that f(x_k) never grows.
    """
    values = np.array([problem.value(x) for x in iterates])
    squared_steps = np.sum(np.diff(iterates, axis=0) ** 2, axis=1)
    slack: Vector = values[:-1] - smoothness(problem) / 2 * squared_steps - values[1:]
    return slack


def projection_decrease_slack(iterates: Matrix, problem: Problem) -> Vector:
    """f(x_k) - ||grad f(x_k)||^2/(2L) + L/2 ||y_{k+1} - x_{k+1}||^2 - f(x_{k+1}), (K,), for gamma = 1/L.

    Not negative (notes ch. 3, Lemma 5.1); y_{k+1} = x_k - grad f(x_k)/L is the point before the projection.
    """
    L = smoothness(problem)
    values = np.array([problem.value(x) for x in iterates])
    gradients = np.array([problem.gradient(x) for x in iterates[:-1]])
    squared_gradients = np.sum(gradients**2, axis=1)
    squared_moves = np.sum((iterates[:-1] - gradients / L - iterates[1:]) ** 2, axis=1)
    slack: Vector = values[:-1] - squared_gradients / (2 * L) + L / 2 * squared_moves - values[1:]
    return slack


def _initial_distance(problem: Problem) -> float:
    """||x_0 - x*||; ValueError where the problem has no minimiser, or x_0 is not in X."""
    _require_feasible_start(problem)
    minimizer = known(problem.minimizer, "minimiser x*", problem)
    return float(np.linalg.norm(problem.x0 - minimizer))


def _require_feasible_start(problem: Problem) -> None:
    """ValueError where there is no projection, or it moves x_0 by more than rounding."""
    project = known(problem.project, "projection onto a feasible set", problem)
    moved = float(np.linalg.norm(project(problem.x0) - problem.x0))
    require(moved <= 1e-12 * (1 + float(np.linalg.norm(problem.x0))), "a starting point x_0 in X", problem)


def _reciprocals(num_steps: int) -> Vector:
    """1/k for k = 0, ..., K; infinite for k = 0."""
    return np.append(np.inf, 1 / np.arange(1.0, num_steps + 1))


def _powers(factor: float, num_steps: int) -> Vector:
    """factor^k for k = 0, ..., K; 0^0 = 1."""
    return factor ** np.arange(0.0, num_steps + 1)


# Correct other forms.


@equivalent(projected_gradient_descent)
def one_line(gradient: Gradient, project: Project, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x_{k+1} = P_X[x_k - gamma grad f(x_k)], written into an array that exists from the start."""
    iterates = np.empty((num_steps + 1, len(x0)))
    iterates[0] = x0
    for k in range(num_steps):
        iterates[k + 1] = project(iterates[k] - learning_rate * gradient(iterates[k]))
    return iterates


@equivalent(projected_gradient_descent)
def by_gradient_mapping(
    gradient: Gradient, project: Project, x0: Vector, learning_rate: float, num_steps: int
) -> Matrix:
    """x_{k+1} = x_k - gamma G_gamma(x_k), G_gamma(x) = (x - P_X[x - gamma grad f(x)]) / gamma."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        mapping = (x - project(x - learning_rate * gradient(x))) / learning_rate
        x = x - learning_rate * mapping
        iterates.append(x)
    return np.array(iterates)


@equivalent(projected_gradient_descent)
def constrained_quadratic_model(
    gradient: Gradient, project: Project, x0: Vector, learning_rate: float, num_steps: int
) -> Matrix:
    """x_{k+1} = argmin over X of <grad f(x_k), u> + ||u - x_k||^2/(2 gamma): P_X of its minimiser over R^d."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        unconstrained = learning_rate * (x / learning_rate - gradient(x))
        x = project(unconstrained)
        iterates.append(x)
    return np.array(iterates)


@convention(
    projected_gradient_descent,
    "The starting point is projected first. The same path where it is feasible, for one projection more.",
)
def projected_start(gradient: Gradient, project: Project, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """Row 0 is P_X[x_0]."""
    x = project(np.array(x0, dtype=np.float64))
    iterates = [x]
    for _ in range(num_steps):
        x = project(x - learning_rate * gradient(x))
        iterates.append(x)
    return np.array(iterates)


# What goes wrong in the step.


@mistake(
    projected_gradient_descent,
    "Your iterates are feasible, but from the second step on the gradient is taken at points outside the set. "
    "Where does the method stand when it asks for a gradient?",
)
def gradient_at_unprojected_point(
    gradient: Gradient, project: Project, x0: Vector, learning_rate: float, num_steps: int
) -> Matrix:
    """x_{k+1} = P_X[x_k - gamma grad f(y_k)], y_0 = x_0. Invisible as long as no point leaves X."""
    x = y = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        y = x - learning_rate * gradient(y)
        x = project(y)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    projected_gradient_descent,
    "You project the gradient. It is a direction, not a point: what has to stay in the set?",
)
def projected_gradient(
    gradient: Gradient, project: Project, x0: Vector, learning_rate: float, num_steps: int
) -> Matrix:
    """x_{k+1} = x_k - gamma P_X[grad f(x_k)]."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * project(gradient(x))
        iterates.append(x)
    return np.array(iterates)


@mistake(
    projected_gradient_descent,
    "Your iterates are outside the set: the last thing you do in a step is not the projection.",
)
def project_then_step(gradient: Gradient, project: Project, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x_{k+1} = P_X[x_k] - gamma grad f(x_k). Invisible as long as no point leaves X."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = project(x) - learning_rate * gradient(x)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    projected_gradient_descent,
    "Your iterates leave the set at once: nothing in your step keeps them inside.",
)
def no_projection(gradient: Gradient, project: Project, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """Gradient descent. Invisible as long as no point leaves X."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * gradient(x)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    projected_gradient_descent,
    "Your last point is feasible and those before it are not. The projection of the unconstrained minimiser is in "
    "general not the constrained one.",
)
def projected_at_the_end(
    gradient: Gradient, project: Project, x0: Vector, learning_rate: float, num_steps: int
) -> Matrix:
    """Gradient descent, and P_X of its last point."""
    iterates = no_projection(gradient, project, x0, learning_rate, num_steps)
    iterates[-1] = project(iterates[-1])
    return iterates


@mistake(
    projected_gradient_descent,
    "Your rows are feasible, but underneath runs a path that never feels the constraint. "
    "From which point does the next step start?",
)
def projected_for_the_record(
    gradient: Gradient, project: Project, x0: Vector, learning_rate: float, num_steps: int
) -> Matrix:
    """P_X of every iterate of gradient descent. Invisible as long as no point leaves X."""
    return np.array([project(x) for x in no_projection(gradient, project, x0, learning_rate, num_steps)])


@mistake(
    projected_gradient_descent,
    "Your gradients are taken at feasible points, but the step starts from the point before the projection. "
    "That is another method, dual averaging; it takes longer to leave a face of the set.",
)
def lazy_projection(gradient: Gradient, project: Project, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """y_{k+1} = y_k - gamma grad f(x_k), x_{k+1} = P_X[y_{k+1}]. Invisible on affine X, and until a face is left."""
    x = y = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        y = y - learning_rate * gradient(x)
        x = project(y)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    projected_gradient_descent,
    "Your iterates climb: each step goes towards larger values of f. In which direction does f decrease?",
)
def projected_ascent(gradient: Gradient, project: Project, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x_{k+1} = P_X[x_k + gamma grad f(x_k)]."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = project(x + learning_rate * gradient(x))
        iterates.append(x)
    return np.array(iterates)


@mistake(
    projected_gradient_descent,
    "Your steps go the right way, but before the projection each has twice the length that it should have.",
)
def doubled_step(gradient: Gradient, project: Project, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x_{k+1} = P_X[x_k - 2 gamma grad f(x_k)]."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = project(x - 2 * learning_rate * gradient(x))
        iterates.append(x)
    return np.array(iterates)


# What goes wrong in what is kept and returned.


@mistake(
    projected_gradient_descent,
    "Your rows are the points before the projection. Which of the two sequences is asked for?",
)
def unprojected_points_returned(
    gradient: Gradient, project: Project, x0: Vector, learning_rate: float, num_steps: int
) -> Matrix:
    """x_0, y_1, ..., y_K. Invisible as long as no point leaves X."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        y = x - learning_rate * gradient(x)
        x = project(y)
        iterates.append(y)
    return np.array(iterates)


@mistake(
    projected_gradient_descent,
    "Your path stops when the gradient is small. That is no sign of a solution here: at a solution on the boundary the "
    "gradient is not 0.",
)
def stops_at_small_gradient(
    gradient: Gradient, project: Project, x0: Vector, learning_rate: float, num_steps: int
) -> Matrix:
    """Ends at the first ||grad f(x_k)|| < 1e-6, (k+1, d). Invisible where grad f(x*) != 0, and on short runs."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        g = gradient(x)
        if np.linalg.norm(g) < 1e-6:
            break
        x = project(x - learning_rate * g)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    projected_gradient_descent,
    "Your steps are right, but the path starts one point too late. What is row 0 of the result?",
)
def missing_first_row(gradient: Gradient, project: Project, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x_1, ..., x_K, (K, d)."""
    return projected_gradient_descent(gradient, project, x0, learning_rate, num_steps)[1:]


example(
    projected_gradient_descent,
    problems.l1_ball_least_squares,
    gap,
    learning_rate=lambda problem: 1 / problem.smoothness,
    num_steps=20,
)
