"""Gradient descent with a constant step.

Problem     min f(x) over R^d; f differentiable, for the guarantees L-smooth.
Algorithm   x_{k+1} = x_k - gamma grad f(x_k),  k = 0, ..., K-1
Guarantee   non-convex, gamma <= 1/L            1/(k+1) sum_{i<=k} ||grad f(x_i)||^2 <= 2 (f(x_0) - f*) / (gamma (k+1))
            convex, gamma = 1/(2L)              f(x_k) - f* <= 2 L ||x_0 - x*||^2 / (k+1)
            strongly convex, gamma = 2/(L+mu)   ||x_k - x*|| <= ((L-mu)/(L+mu))^k ||x_0 - x*||
Cost        one gradient a step, one vector (and the iterates that are kept).
References  Lecture 2, slides 11-26, Theorems 1-3; notes ch. 1, Theorems 3.2, 3.7 and 3.11. Slide 21 and Theorem 3.11
            print the exponent K+1; it is K, as their proof and the table of the notes have it.
Catalogue   gradient_descent, gd_bound_nonconvex, gd_bound_convex, gd_bound_strongly_convex
Witness     torch.optim.SGD; closed form (I - gamma A^T A)^k (x_0 - x*) on least squares

In the code gamma is `learning_rate` and K is `num_steps`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference import problems
from reference.conditions import at_most, equal, known, require, require_convex, smoothness, strong_convexity
from reference.lecture02.quantities import mean_gap, smallest_squared_gradient
from reference.problem import Matrix, Problem, Vector
from reference.quantities import distance, gap, mean_squared_gradient
from reference.variants import equivalent, example, guarantee, mistake

Gradient = Callable[[Vector], Vector]


def gradient_descent(gradient: Gradient, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """The iterates x_0, ..., x_K of gradient descent, (K+1, d) float64: row k is x_k.

    Args:
        gradient: grad f, (d,) -> (d,); called once a step, K times in all.
        x0: starting point, (d,); left as it is.
        learning_rate: gamma, the constant step.
        num_steps: K >= 0.
    """
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * gradient(x)
        iterates.append(x)
    return np.array(iterates)


# What the theorems say. Each bound has the problem, gamma and K as arguments, and a number for each k = 0, ..., K.


@guarantee(
    gradient_descent,
    distance,
    "Lecture 2, Theorem 3: for mu-strongly convex, L-smooth f and gamma = 2/(L+mu), "
    "||x_k - x*|| <= ((L-mu)/(L+mu))^k ||x_0 - x*||.",
)
def bound_strongly_convex(problem: Problem, learning_rate: float, num_steps: int) -> Vector:
    """((L-mu)/(L+mu))^k ||x_0 - x*||, (K+1,). Attained on quadratics with the eigenvalues L and mu only.

    Raises:
        ValueError: unless f is L-smooth and mu-strongly convex, x* is known and gamma = 2/(L+mu).
    """
    L, mu = smoothness(problem), strong_convexity(problem)
    require(equal(learning_rate, 2 / (L + mu)), "the step gamma = 2/(L+mu)", problem)
    return _powers((L - mu) / (L + mu), num_steps) * _initial_distance(problem)


@guarantee(
    gradient_descent,
    distance,
    "Standard literature, not a theorem of the course: for mu-strongly convex, L-smooth f and 0 < gamma < 2/L, "
    "||x_k - x*|| <= max(|1 - gamma mu|, |1 - gamma L|)^k ||x_0 - x*||.",
)
def bound_contraction(problem: Problem, learning_rate: float, num_steps: int) -> Vector:
    """max(|1 - gamma mu|, |1 - gamma L|)^k ||x_0 - x*||, (K+1,). Theorem 3 is its case gamma = 2/(L+mu).

    Raises:
        ValueError: unless f is L-smooth and mu-strongly convex, x* is known and 0 < gamma < 2/L.
    """
    L, mu = smoothness(problem), strong_convexity(problem)
    require(0 < learning_rate < 2 / L, "a step 0 < gamma < 2/L", problem)
    factor = max(abs(1 - learning_rate * mu), abs(1 - learning_rate * L))
    return _powers(factor, num_steps) * _initial_distance(problem)


@guarantee(
    gradient_descent,
    gap,
    "Lecture 2, Theorem 2: for convex, L-smooth f and gamma = 1/(2L), f(x_k) - f* <= 2 L ||x_0 - x*||^2 / (k+1).",
)
def bound_convex(problem: Problem, learning_rate: float, num_steps: int) -> Vector:
    """2 L ||x_0 - x*||^2 / (k+1), (K+1,).

    Raises:
        ValueError: unless f is convex and L-smooth, x* is known and gamma = 1/(2L).
    """
    L = smoothness(problem)
    require_convex(problem)
    require(equal(learning_rate, 1 / (2 * L)), "the step gamma = 1/(2L)", problem)
    return 2 * L * _initial_distance(problem) ** 2 / _counts(num_steps)


@guarantee(
    gradient_descent,
    gap,
    "By the proof of Lecture 2, Theorem 2, for other steps: for convex, L-smooth f and 0 < gamma < 1/L, "
    "f(x_k) - f* <= ||x_0 - x*||^2 / (2 gamma (1 - gamma L) (k+1)).",
)
def bound_convex_any_step(problem: Problem, learning_rate: float, num_steps: int) -> Vector:
    """||x_0 - x*||^2 / (2 gamma (1 - gamma L) (k+1)), (K+1,). Theorem 2 is its case gamma = 1/(2L), the best one.

    Raises:
        ValueError: unless f is convex and L-smooth, x* is known and 0 < gamma < 1/L.
    """
    L = smoothness(problem)
    require_convex(problem)
    require(0 < learning_rate < 1 / L, "a step 0 < gamma < 1/L", problem)
    scale = 2 * learning_rate * (1 - learning_rate * L)
    return _initial_distance(problem) ** 2 / (scale * _counts(num_steps))


@guarantee(
    gradient_descent,
    gap,
    "Standard literature (Drori and Teboulle), not a theorem of the course: for convex, L-smooth f and "
    "0 < gamma <= 1/L, f(x_k) - f* <= L ||x_0 - x*||^2 / (4 gamma L k + 2).",
)
def bound_convex_tight(problem: Problem, learning_rate: float, num_steps: int) -> Vector:
    """L ||x_0 - x*||^2 / (4 gamma L k + 2), (K+1,). The best possible: `problems.huber` attains it at k = K.

    Raises:
        ValueError: unless f is convex and L-smooth, x* is known and 0 < gamma <= 1/L.
    """
    L = smoothness(problem)
    require_convex(problem)
    require(learning_rate > 0 and at_most(learning_rate, 1 / L), "a step 0 < gamma <= 1/L", problem)
    steps = np.arange(0.0, num_steps + 1)
    return L * _initial_distance(problem) ** 2 / (4 * learning_rate * L * steps + 2)


@guarantee(
    gradient_descent,
    mean_squared_gradient,
    "Lecture 2, Theorem 1: for L-smooth f and gamma <= 1/L, "
    "the mean of ||grad f(x_0)||^2, ..., ||grad f(x_k)||^2 is at most 2 (f(x_0) - f*) / (gamma (k+1)).",
)
def bound_nonconvex(problem: Problem, learning_rate: float, num_steps: int) -> Vector:
    """2 (f(x_0) - f*) / (gamma (k+1)), (K+1,).

    Raises:
        ValueError: unless f is L-smooth, f* is known and 0 < gamma <= 1/L.
    """
    L = smoothness(problem)
    minimum = known(problem.minimum, "minimum f*", problem)
    require(learning_rate > 0 and at_most(learning_rate, 1 / L), "a step 0 < gamma <= 1/L", problem)
    return 2 * (problem.value(problem.x0) - minimum) / (learning_rate * _counts(num_steps))


@guarantee(
    gradient_descent,
    mean_squared_gradient,
    "By the proof of Lecture 2, Theorem 1, for other steps: for L-smooth f and 0 < gamma < 2/L, the mean of "
    "||grad f(x_0)||^2, ..., ||grad f(x_k)||^2 is at most (f(x_0) - f*) / (gamma (1 - gamma L/2) (k+1)).",
)
def bound_nonconvex_any_step(problem: Problem, learning_rate: float, num_steps: int) -> Vector:
    """(f(x_0) - f*) / (gamma (1 - gamma L/2) (k+1)), (K+1,). Theorem 1 is its case gamma = 1/L, the best one.

    Raises:
        ValueError: unless f is L-smooth, f* is known and 0 < gamma < 2/L.
    """
    L = smoothness(problem)
    minimum = known(problem.minimum, "minimum f*", problem)
    require(0 < learning_rate < 2 / L, "a step 0 < gamma < 2/L", problem)
    scale = learning_rate * (1 - learning_rate * L / 2)
    return (problem.value(problem.x0) - minimum) / (scale * _counts(num_steps))


@guarantee(
    gradient_descent,
    distance,
    "By the proof of Lecture 2, Theorem 3, for shorter steps: for mu-strongly convex, L-smooth f and "
    "0 < gamma <= 2/(L+mu), ||x_k - x*||^2 <= (1 - 2 gamma mu L/(mu+L))^k ||x_0 - x*||^2.",
)
def bound_strongly_convex_short_step(problem: Problem, learning_rate: float, num_steps: int) -> Vector:
    """(1 - 2 gamma mu L/(mu+L))^{k/2} ||x_0 - x*||, (K+1,). Theorem 3 is its case gamma = 2/(L+mu).

    Never smaller than `bound_contraction`.

    Raises:
        ValueError: unless f is L-smooth and mu-strongly convex, x* is known and 0 < gamma <= 2/(L+mu).
    """
    L, mu = smoothness(problem), strong_convexity(problem)
    require(learning_rate > 0 and at_most(learning_rate, 2 / (L + mu)), "a step 0 < gamma <= 2/(L+mu)", problem)
    # At gamma = 2/(L+mu) and L = mu the factor is 0, which rounding may turn into less.
    squared_factor = max(0.0, 1 - 2 * learning_rate * mu * L / (mu + L))
    return _powers(np.sqrt(squared_factor), num_steps) * _initial_distance(problem)


@guarantee(
    gradient_descent,
    mean_gap,
    "Lecture 2, Theorem 2, by its proof also for the mean: for convex, L-smooth f and gamma = 1/(2L), "
    "the mean of f(x_0) - f*, ..., f(x_k) - f* is at most 2 L ||x_0 - x*||^2 / (k+1).",
)
def bound_convex_mean(problem: Problem, learning_rate: float, num_steps: int) -> Vector:
    """2 L ||x_0 - x*||^2 / (k+1), (K+1,).

    Raises:
        ValueError: as `bound_convex`.
    """
    return bound_convex(problem, learning_rate, num_steps)


@guarantee(
    gradient_descent,
    smallest_squared_gradient,
    "Lecture 2, Theorem 1, which bounds the smallest as it bounds the mean: for L-smooth f and gamma <= 1/L, "
    "the smallest of ||grad f(x_0)||^2, ..., ||grad f(x_k)||^2 is at most 2 (f(x_0) - f*) / (gamma (k+1)).",
)
def bound_nonconvex_smallest(problem: Problem, learning_rate: float, num_steps: int) -> Vector:
    """2 (f(x_0) - f*) / (gamma (k+1)), (K+1,).

    Raises:
        ValueError: as `bound_nonconvex`.
    """
    return bound_nonconvex(problem, learning_rate, num_steps)


def _initial_distance(problem: Problem) -> float:
    """||x_0 - x*||; ValueError where the problem has no minimiser."""
    minimizer = known(problem.minimizer, "minimiser x*", problem)
    return float(np.linalg.norm(problem.x0 - minimizer))


def _counts(num_steps: int) -> Vector:
    """k+1 for k = 0, ..., K: the number of gradients up to x_k, its own included."""
    return np.arange(1.0, num_steps + 2)


def _powers(factor: float, num_steps: int) -> Vector:
    """factor^k for k = 0, ..., K; 0^0 = 1."""
    return factor ** np.arange(0.0, num_steps + 1)


# Correct other forms.


@equivalent(gradient_descent)
def preallocated(gradient: Gradient, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """The iterates are written into an array that exists from the start."""
    iterates = np.empty((num_steps + 1, len(x0)))
    iterates[0] = x0
    for k in range(num_steps):
        iterates[k + 1] = iterates[k] - learning_rate * gradient(iterates[k])
    return iterates


@equivalent(gradient_descent)
def in_place_with_copies(gradient: Gradient, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """One vector is changed in place, and a copy of it is kept at each step."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x.copy()]
    for _ in range(num_steps):
        x -= learning_rate * gradient(x)
        iterates.append(x.copy())
    return np.array(iterates)


@equivalent(gradient_descent)
def summed_gradients(gradient: Gradient, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x_k = x_0 - gamma (grad f(x_0) + ... + grad f(x_{k-1}))."""
    total = np.zeros(len(x0))
    iterates = [np.array(x0, dtype=np.float64)]
    for _ in range(num_steps):
        total = total + gradient(iterates[-1])
        iterates.append(x0 - learning_rate * total)
    return np.array(iterates)


@equivalent(gradient_descent)
def quadratic_model(gradient: Gradient, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x_{k+1} = argmin_u f(x_k) + <grad f(x_k), u - x_k> + 1/(2 gamma) ||u - x_k||^2, where its gradient is 0."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = learning_rate * (x / learning_rate - gradient(x))
        iterates.append(x)
    return np.array(iterates)


# What goes wrong in the step.


@mistake(
    gradient_descent,
    "Your iterates climb: each step goes towards larger values of f. In which direction does f decrease?",
)
def gradient_ascent(gradient: Gradient, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x_{k+1} = x_k + gamma grad f(x_k)."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x + learning_rate * gradient(x)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    gradient_descent,
    "Your first step is right, and all later ones repeat it: the path is a straight line. "
    "Where is the gradient evaluated, and when?",
)
def frozen_gradient(gradient: Gradient, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x_{k+1} = x_k - gamma grad f(x_0); one gradient in all."""
    x = np.array(x0, dtype=np.float64)
    g = gradient(x)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * g
        iterates.append(x)
    return np.array(iterates)


@mistake(
    gradient_descent,
    "Your coordinates are updated one after the other, each with a gradient that already sees new values. "
    "That is a coordinate method. At which point does gradient descent take all partial derivatives?",
)
def gauss_seidel(gradient: Gradient, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """Coordinate after coordinate, d gradients a step. The same path where the Hessian is diagonal, as for d = 1."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x.copy()]
    for _ in range(num_steps):
        for j in range(len(x)):
            x[j] -= learning_rate * gradient(x)[j]
        iterates.append(x.copy())
    return np.array(iterates)


@mistake(
    gradient_descent,
    "All your steps have the same length, so the path cannot settle at the minimiser. "
    "The length of the gradient has been lost.",
)
def normalized_gradient(gradient: Gradient, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x_{k+1} = x_k - gamma g / ||g||, g = grad f(x_k); nan from the first point with g = 0 on."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        g = gradient(x)
        with np.errstate(invalid="ignore"):
            x = x - learning_rate * g / np.linalg.norm(g)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    gradient_descent,
    "Your first step is right and later ones get shorter and shorter, like 1/k: "
    "the step that was asked for is constant.",
)
def decaying_step(gradient: Gradient, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x_{k+1} = x_k - gamma/(k+1) grad f(x_k)."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for k in range(num_steps):
        x = x - learning_rate / (k + 1) * gradient(x)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    gradient_descent,
    "Your first step is right and later ones get slowly shorter, like 1/sqrt(k): "
    "the step that was asked for is constant.",
)
def decaying_step_sqrt(gradient: Gradient, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x_{k+1} = x_k - gamma/sqrt(k+1) grad f(x_k)."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for k in range(num_steps):
        x = x - learning_rate / np.sqrt(k + 1) * gradient(x)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    gradient_descent,
    "Your steps go the right way, but each has half the length that it should have. "
    "Is there a factor of your own in the update?",
)
def halved_gradient(gradient: Gradient, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x_{k+1} = x_k - gamma/2 grad f(x_k)."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * gradient(x) / 2
        iterates.append(x)
    return np.array(iterates)


@mistake(
    gradient_descent,
    "Your steps go the right way, but each has twice the length that it should have. "
    "Is there a factor of your own in the update?",
)
def doubled_gradient(gradient: Gradient, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x_{k+1} = x_k - 2 gamma grad f(x_k)."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * 2 * gradient(x)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    gradient_descent,
    "Your steps go the right way, but they are too short by the number of coordinates. "
    "The gradient that you are given is complete as it is.",
)
def gradient_divided_by_dimension(gradient: Gradient, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x_{k+1} = x_k - gamma grad f(x_k) / d. The same path for d = 1."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * gradient(x) / len(x)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    gradient_descent,
    "Your path is that of another step size, the same one whatever learning rate is asked for. "
    "Is there a number in your code that hides the argument?",
)
def own_learning_rate(gradient: Gradient, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """The step 0.01, whatever was asked for. Invisible where 0.01 is asked for."""
    learning_rate = 0.01
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * gradient(x)
        iterates.append(x)
    return np.array(iterates)


# What goes wrong in what is kept and returned.


@mistake(
    gradient_descent,
    "Your steps are right, but the path starts one point too late. What is row 0 of the result?",
)
def missing_first_row(gradient: Gradient, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x_1, ..., x_K, (K, d)."""
    x = np.array(x0, dtype=np.float64)
    iterates = []
    for _ in range(num_steps):
        x = x - learning_rate * gradient(x)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    gradient_descent,
    "Your steps are right, but the path ends one point too early: "
    "the result of the last step is computed and not kept.",
)
def missing_last_row(gradient: Gradient, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x_0, ..., x_{K-1}, (K, d)."""
    x = np.array(x0, dtype=np.float64)
    iterates = []
    for _ in range(num_steps):
        iterates.append(x)
        x = x - learning_rate * gradient(x)
    return np.array(iterates)


@mistake(
    gradient_descent,
    "Your steps are right, and there is one too many of them: how many updates lead from x_0 to x_K?",
)
def one_step_too_many(gradient: Gradient, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x_0, ..., x_{K+1}, (K+2, d)."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps + 1):
        x = x - learning_rate * gradient(x)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    gradient_descent,
    "You return the last point alone. The question asks for the whole path, one row for each iterate.",
)
def final_point_only(gradient: Gradient, x0: Vector, learning_rate: float, num_steps: int) -> Vector:
    """x_K, (d,)."""
    x = np.array(x0, dtype=np.float64)
    for _ in range(num_steps):
        x = x - learning_rate * gradient(x)
    return x


@mistake(
    gradient_descent,
    "All your rows are equal, to the last point: the list holds the same array many times, and each step changes it. "
    "What does append store?",
)
def aliased_rows(gradient: Gradient, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """One array, changed in place and appended K+1 times: every row is x_K."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x -= learning_rate * gradient(x)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    gradient_descent,
    "Your iterates are whole numbers: everything after the decimal point is cut off when they are stored. "
    "Which type has the array that you store them in when the starting point is made of integers?",
)
def integer_truncation(gradient: Gradient, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """Iterates of the dtype of x0: cut to integers where x0 is integer. Invisible where x0 is float."""
    iterates = np.zeros((num_steps + 1, len(x0)), dtype=x0.dtype)
    iterates[0] = x0
    for k in range(num_steps):
        iterates[k + 1] = iterates[k] - learning_rate * gradient(iterates[k])
    return iterates


@mistake(
    gradient_descent,
    "Your path is right, but the starting point that you were given has changed after the call. "
    "Whoever calls your function twice starts at another point the second time.",
)
def mutated_start(gradient: Gradient, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """The right path; x0 is x_K afterwards. An x0 of whole numbers is copied by the conversion, and stays."""
    x = np.asarray(x0, dtype=float)
    iterates = [x.copy()]
    for _ in range(num_steps):
        x -= learning_rate * gradient(x)
        iterates.append(x.copy())
    return np.array(iterates)


@mistake(
    gradient_descent,
    "Your path stops before the number of steps that was asked for: "
    "there is a stopping rule in your code that the question does not have.",
)
def early_stopping(gradient: Gradient, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """Ends at the first x_k with ||grad f(x_k)|| < 1e-6, (k+1, d). Invisible on runs that do not get there."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        g = gradient(x)
        if np.linalg.norm(g) < 1e-6:
            break
        x = x - learning_rate * g
        iterates.append(x)
    return np.array(iterates)


@mistake(
    gradient_descent,
    "Your path is right, but it costs two gradients a step where one is enough. "
    "Gradients are what such a method pays for.",
)
def two_gradients_per_step(gradient: Gradient, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """The right path; the gradient is computed once for the step and once more for its norm."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    norms = []
    for _ in range(num_steps):
        norms.append(np.linalg.norm(gradient(x)))
        x = x - learning_rate * gradient(x)
        iterates.append(x)
    return np.array(iterates)


example(
    gradient_descent,
    problems.elongated_bowl,
    distance,
    learning_rate=lambda problem: 2 / (problem.smoothness + problem.strong_convexity),
    num_steps=60,
)
