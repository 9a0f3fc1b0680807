"""Proximal gradient descent with a constant step; for the l1 norm, iterative soft thresholding (ISTA).

Problem     min psi(x) = f(x) + h(x) over R^d; f L-smooth, h convex, closed, proper, with a cheap proximity operator.
Algorithm   for k = 0, ..., K-1
                y_{k+1} = x_k - gamma grad f(x_k)
                x_{k+1} = prox_{gamma h}(y_{k+1})
            ISTA is the case h = lam ||.||_1: prox_{gamma h} is the soft threshold at gamma lam.
Guarantee   with gamma = 1/L
            strongly convex f   ||x_k - x*|| <= (1 - mu/L)^k ||x_0 - x*||
            convex f            psi(x_k) - psi* <= L ||x_0 - x*||^2 / (2k),  k >= 1
                                psi(x_{k+1}) <= psi(x_k) - gamma/2 ||G_gamma(x_k)||^2
Cost        one gradient and one proximity operator a step.
References  Lecture 4, part II, slides 9-18; notes ch. 4 (Proximal GD), eqs. 2a and 2b, sec. 5. Slides 16-18 say
            "Projected GD" and "projection step" for it, and their Theorem 3 needs a convex f. Bauschke, Combettes 2011.
Catalogue   proximal_gd
Witness     sklearn.linear_model.Lasso; projected gradient descent with the indicator, gradient descent with h = 0

In the code gamma is `learning_rate` and K is `num_steps`. Also called forward-backward splitting.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.conditions import at_most, equal, known, require, require_convex, smoothness, strong_convexity
from reference.lecture04 import problems
from reference.lecture04.gradient_mapping import gradient_mapping, mean_squared_gradient_mapping, prox_of
from reference.lecture04.prox_operators import (
    l1_hard_threshold,
    l1_negative_side_lost,
    l1_without_max,
    prox_l1,
    prox_l2,
)
from reference.problem import Matrix, Problem, Vector
from reference.quantities import distance, gap
from reference.variants import equivalent, example, guarantee, guarantees, mistake

Gradient = Callable[[Vector], Vector]
Prox = Callable[[Vector, float], Vector]


def proximal_gradient_descent(
    gradient: Gradient, prox: Prox, x0: Vector, learning_rate: float, num_steps: int
) -> Matrix:
    """The iterates x_0, ..., x_K of proximal gradient descent, (K+1, d) float64: row k is x_k.

    Args:
        gradient: grad f, (d,) -> (d,); called once a step, K times in all.
        prox: (v, t) -> prox_{t h}(v), (d,); called once a step, with t = gamma.
        x0: starting point, (d,); left as it is. Any shape, such as a matrix, does as well.
        learning_rate: gamma, the constant step.
        num_steps: K >= 0.
    """
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        y = x - learning_rate * gradient(x)
        x = prox(y, learning_rate)
        iterates.append(x)
    return np.array(iterates)


def ista(gradient: Gradient, lam: float, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """The iterates x_0, ..., x_K of proximal gradient descent for f + lam ||.||_1, (K+1, d) float64.

    Args:
        gradient: grad f, (d,) -> (d,); called once a step, K times in all.
        lam: weight of the l1 norm, lam >= 0.
        x0: starting point, (d,); left as it is.
        learning_rate: gamma, the constant step.
        num_steps: K >= 0.
    """
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = prox_l1(x - learning_rate * gradient(x), learning_rate * lam)
        iterates.append(x)
    return np.array(iterates)


# What the theorems say. Each bound has the problem, gamma and K as arguments, and a number for each k = 0, ..., K.


@guarantee(
    proximal_gradient_descent,
    distance,
    "Lecture 4, part II, slide 16: for mu-strongly convex, L-smooth f and gamma = 1/L, "
    "||x_k - x*|| <= (1 - mu/L)^k ||x_0 - x*||.",
)
def bound_strongly_convex(problem: Problem, learning_rate: float, num_steps: int) -> Vector:
    """(1 - mu/L)^k ||x_0 - x*||, (K+1,).

    Raises:
        ValueError: unless f is L-smooth and mu-strongly convex, x* is known and gamma = 1/L.
    """
    L, mu = smoothness(problem), strong_convexity(problem)
    require(equal(learning_rate, 1 / L), "the step gamma = 1/L", problem)
    return _powers(1 - mu / L, num_steps) * _initial_distance(problem)


@guarantee(
    proximal_gradient_descent,
    distance,
    "Derived: proximity operators are non-expansive, so gradient descent's contraction stays. For mu-strongly convex, "
    "L-smooth f and 0 < gamma < 2/L, ||x_k - x*|| <= max(|1 - gamma mu|, |1 - gamma L|)^k ||x_0 - x*||.",
)
def bound_contraction(problem: Problem, learning_rate: float, num_steps: int) -> Vector:
    """max(|1 - gamma mu|, |1 - gamma L|)^k ||x_0 - x*||, (K+1,). The course's theorem is its case gamma = 1/L.

    Raises:
        ValueError: unless f is L-smooth and mu-strongly convex, x* is known and 0 < gamma < 2/L.
    """
    L, mu = smoothness(problem), strong_convexity(problem)
    require(0 < learning_rate < 2 / L, "a step 0 < gamma < 2/L", problem)
    factor = max(abs(1 - learning_rate * mu), abs(1 - learning_rate * L))
    return _powers(factor, num_steps) * _initial_distance(problem)


@guarantee(
    proximal_gradient_descent,
    gap,
    "Lecture 4, part II: for convex, L-smooth f and gamma = 1/L, psi(x_k) - psi* <= L ||x_0 - x*||^2 / (2k).",
)
def bound_convex(problem: Problem, learning_rate: float, num_steps: int) -> Vector:
    """L ||x_0 - x*||^2 / (2k), (K+1,); infinite for k = 0, where the theorem says nothing.

    Raises:
        ValueError: unless f is convex and L-smooth, x* is known and gamma = 1/L.
    """
    L = smoothness(problem)
    require_convex(problem)
    require(equal(learning_rate, 1 / L), "the step gamma = 1/L", problem)
    return L / 2 * _initial_distance(problem) ** 2 * _reciprocals(num_steps)


@guarantee(
    proximal_gradient_descent,
    gap,
    "Derived, by the same proof for other steps: for convex, L-smooth f and 0 < gamma <= 1/L, "
    "psi(x_k) - psi* <= ||x_0 - x*||^2 / (2 gamma k).",
)
def bound_convex_any_step(problem: Problem, learning_rate: float, num_steps: int) -> Vector:
    """||x_0 - x*||^2 / (2 gamma k), (K+1,); infinite for k = 0. The course's theorem is its case gamma = 1/L.

    Raises:
        ValueError: unless f is convex and L-smooth, x* is known and 0 < gamma <= 1/L.
    """
    L = smoothness(problem)
    require_convex(problem)
    require(learning_rate > 0 and at_most(learning_rate, 1 / L), "a step 0 < gamma <= 1/L", problem)
    return _initial_distance(problem) ** 2 / (2 * learning_rate) * _reciprocals(num_steps)


@guarantee(
    proximal_gradient_descent,
    mean_squared_gradient_mapping,
    "Derived, without convexity of f: for L-smooth f and gamma = 1/L, the mean of ||G(x_0)||^2, ..., ||G(x_k)||^2 "
    "is at most 2 L (psi(x_0) - psi*) / (k+1).",
)
def bound_nonconvex(problem: Problem, learning_rate: float, num_steps: int) -> Vector:
    """2 L (psi(x_0) - psi*) / (k+1), (K+1,).

    Raises:
        ValueError: unless f is L-smooth, psi* is known and gamma = 1/L.
    """
    L = smoothness(problem)
    minimum = known(problem.minimum, "minimum psi*", problem)
    require(equal(learning_rate, 1 / L), "the step gamma = 1/L", problem)
    return 2 * L * (problem.objective(problem.x0) - minimum) / np.arange(1.0, num_steps + 2)


# ISTA is a case of the method, with the same theorems.
for _theorem in guarantees(proximal_gradient_descent):
    guarantee(ista, _theorem.quantity, _theorem.sentence)(_theorem.bound)


def decrease_slack(iterates: Matrix, problem: Problem, learning_rate: float) -> Vector:
    """psi(x_k) - gamma/2 ||G_gamma(x_k)||^2 - psi(x_{k+1}), (K,): not negative for gamma <= 1/L (notes sec. 5)."""
    values = np.array([problem.objective(x) for x in iterates])
    squared_steps = np.array([float(np.sum(step**2)) for step in np.diff(iterates, axis=0)])
    slack: Vector = values[:-1] - squared_steps / (2 * learning_rate) - values[1:]
    return slack


def comparison_slack(problem: Problem, x: Vector, z: Vector, learning_rate: float) -> float:
    """psi(z) + <G, x - z> - (t/2) ||G||^2 - psi(x - t G) for G = G_t(x): not negative for every z (notes ch. 4, eq. 6).

    For convex f and t = `learning_rate` <= 1/L. z = x gives the decrease, z = x* both rates.
    """
    mapping = gradient_mapping(problem.gradient, prox_of(problem), x, learning_rate)
    model = problem.objective(z) + float(np.sum(mapping * (x - z))) - learning_rate / 2 * float(np.sum(mapping**2))
    return model - problem.objective(x - learning_rate * mapping)


def _initial_distance(problem: Problem) -> float:
    """||x_0 - x*||; ValueError where the problem has no minimiser."""
    minimizer = known(problem.minimizer, "minimiser x*", problem)
    return float(np.linalg.norm(problem.x0 - minimizer))


def _reciprocals(num_steps: int) -> Vector:
    """1/k for k = 0, ..., K; infinite for k = 0."""
    return np.append(np.inf, 1 / np.arange(1.0, num_steps + 1))


def _powers(factor: float, num_steps: int) -> Vector:
    """factor^k for k = 0, ..., K; 0^0 = 1."""
    return factor ** np.arange(0.0, num_steps + 1)


# Correct other forms.


@equivalent(proximal_gradient_descent)
def one_line(gradient: Gradient, prox: Prox, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x_{k+1} = prox_{gamma h}(x_k - gamma grad f(x_k)), written into an array that exists from the start."""
    iterates = np.empty((num_steps + 1, *np.shape(x0)))
    iterates[0] = x0
    for k in range(num_steps):
        iterates[k + 1] = prox(iterates[k] - learning_rate * gradient(iterates[k]), learning_rate)
    return iterates


@equivalent(proximal_gradient_descent)
def by_gradient_mapping(gradient: Gradient, prox: Prox, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x_{k+1} = x_k - gamma G_gamma(x_k)."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * gradient_mapping(gradient, prox, x, learning_rate)
        iterates.append(x)
    return np.array(iterates)


@equivalent(proximal_gradient_descent)
def quadratic_model(gradient: Gradient, prox: Prox, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x_{k+1} = argmin_u h(u) + <grad f(x_k), u - x_k> + ||u - x_k||^2/(2 gamma), by completing the square."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        center = learning_rate * (x / learning_rate - gradient(x))
        x = prox(center, learning_rate)
        iterates.append(x)
    return np.array(iterates)


# What goes wrong in the step.


@mistake(
    proximal_gradient_descent,
    "Your proximity operator has the same weight for every step size. Which multiple of h belongs to a step?",
)
def prox_without_step(gradient: Gradient, prox: Prox, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x_{k+1} = prox_h(y_{k+1}), for the l1 norm the threshold lam. Invisible where gamma = 1, and for projections."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = prox(x - learning_rate * gradient(x), 1.0)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    proximal_gradient_descent,
    "Your proximity operator gets heavier when the step gets shorter. A short step should change little.",
)
def prox_with_inverse_step(gradient: Gradient, prox: Prox, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x_{k+1} = prox_{h/gamma}(y_{k+1}). Invisible where gamma = 1, and for projections."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = prox(x - learning_rate * gradient(x), 1 / learning_rate)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    proximal_gradient_descent,
    "Your proximity operator has half the weight that it should have. Is there a factor of your own in it?",
)
def prox_with_half_step(gradient: Gradient, prox: Prox, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x_{k+1} = prox_{gamma h/2}(y_{k+1}). Invisible for projections."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = prox(x - learning_rate * gradient(x), learning_rate / 2)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    proximal_gradient_descent,
    "Your iterates are points before the proximity operator: they are not sparse, not feasible. "
    "What is the last thing in a step?",
)
def backward_forward(gradient: Gradient, prox: Prox, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """z = prox_{gamma h}(x_k), x_{k+1} = z - gamma grad f(z): the two halves of the step in the other order."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        z = prox(x, learning_rate)
        x = z - learning_rate * gradient(z)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    proximal_gradient_descent,
    "Your gradient and your proximity operator are both taken at the old point, so neither sees what the other does.",
)
def both_at_the_old_point(gradient: Gradient, prox: Prox, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x_{k+1} = prox_{gamma h}(x_k) - gamma grad f(x_k)."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = prox(x, learning_rate) - learning_rate * gradient(x)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    proximal_gradient_descent,
    "Your step applies the proximity operator twice, before the gradient and after it.",
)
def prox_twice(gradient: Gradient, prox: Prox, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """z = prox_{gamma h}(x_k), x_{k+1} = prox_{gamma h}(z - gamma grad f(z)). Invisible for projections."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        z = prox(x, learning_rate)
        x = prox(z - learning_rate * gradient(z), learning_rate)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    proximal_gradient_descent,
    "Your step minimises f alone: the penalty never enters.",
)
def penalty_forgotten(gradient: Gradient, prox: Prox, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """Gradient descent on f."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * gradient(x)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    proximal_gradient_descent,
    "Your path is that of twice the step size, in the gradient and in the proximity operator. "
    "Is there a factor of your own in the step?",
)
def doubled_step(gradient: Gradient, prox: Prox, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """gamma replaced by 2 gamma: 2/L where 1/L is asked for, which need not converge."""
    return proximal_gradient_descent(gradient, prox, x0, 2 * learning_rate, num_steps)


@mistake(
    proximal_gradient_descent,
    "Your rows are the points before the proximity operator. Which of the two sequences is asked for?",
)
def points_before_prox_returned(
    gradient: Gradient, prox: Prox, x0: Vector, learning_rate: float, num_steps: int
) -> Matrix:
    """x_0, y_1, ..., y_K."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        y = x - learning_rate * gradient(x)
        x = prox(y, learning_rate)
        iterates.append(y)
    return np.array(iterates)


@mistake(
    proximal_gradient_descent,
    "Your steps are right, but the path starts one point too late. What is row 0 of the result?",
)
def missing_first_row(gradient: Gradient, prox: Prox, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x_1, ..., x_K, (K, d)."""
    return proximal_gradient_descent(gradient, prox, x0, learning_rate, num_steps)[1:]


# ISTA: correct other forms.


@equivalent(ista)
def ista_with_general_prox(gradient: Gradient, lam: float, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """Proximal gradient descent with prox_{t h}(v) = soft(v, t lam)."""
    return proximal_gradient_descent(gradient, lambda v, t: prox_l1(v, t * lam), x0, learning_rate, num_steps)


@equivalent(ista)
def ista_with_clipping(gradient: Gradient, lam: float, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x_{k+1} = y - clip(y, -gamma lam, gamma lam)."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        y = x - learning_rate * gradient(x)
        x = y - np.clip(y, -learning_rate * lam, learning_rate * lam)
        iterates.append(x)
    return np.array(iterates)


# ISTA: what goes wrong.


@mistake(
    ista,
    "Your threshold is the same for every step size: with a short step it undoes the whole gradient step. "
    "Which multiple of the penalty belongs to a step?",
)
def ista_threshold_lam(gradient: Gradient, lam: float, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """Threshold lam. Invisible where gamma = 1."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = prox_l1(x - learning_rate * gradient(x), lam)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    ista,
    "Your threshold gets larger when the step gets shorter. A short step should change little.",
)
def ista_threshold_divided(gradient: Gradient, lam: float, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """Threshold lam/gamma. Invisible where gamma = 1."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = prox_l1(x - learning_rate * gradient(x), lam / learning_rate)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    ista,
    "Your threshold is half of what it should be. Is there a factor of your own in it?",
)
def ista_half_threshold(gradient: Gradient, lam: float, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """Threshold gamma lam / 2."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = prox_l1(x - learning_rate * gradient(x), learning_rate * lam / 2)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    ista,
    "Your iterates are never exactly 0 where they should be: that is the subgradient method. "
    "The penalty is treated at the old point; where does a proximity operator treat it?",
)
def ista_subgradient_step(gradient: Gradient, lam: float, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """x_{k+1} = x_k - gamma (grad f(x_k) + lam sign(x_k)). Only its first step from 0 misses lam altogether."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * (gradient(x) + lam * np.sign(x))
        iterates.append(x)
    return np.array(iterates)


@mistake(
    ista,
    "Your penalty acts twice in each step: once through its sign in the gradient and once through the threshold.",
)
def ista_sign_and_threshold(gradient: Gradient, lam: float, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """The subgradient step, and the threshold gamma lam after it. Invisible as long as the iterates are 0."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = prox_l1(x - learning_rate * (gradient(x) + lam * np.sign(x)), learning_rate * lam)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    ista,
    "Your threshold removes small entries and leaves the large ones as they are. The penalty pulls on those too.",
)
def ista_hard_threshold(gradient: Gradient, lam: float, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """Hard thresholding at gamma lam."""
    return proximal_gradient_descent(gradient, lambda v, t: l1_hard_threshold(v, t * lam), x0, learning_rate, num_steps)


@mistake(
    ista,
    "Your entries shrink together: that is the operator of the l2 norm, and it makes no single entry 0.",
)
def ista_block_threshold(gradient: Gradient, lam: float, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """The block soft threshold at gamma lam. Invisible for d = 1."""
    return proximal_gradient_descent(gradient, lambda v, t: prox_l2(v, t * lam), x0, learning_rate, num_steps)


@mistake(
    ista,
    "Your iterates have no negative entries. The penalty treats both signs alike.",
)
def ista_negative_side_lost(gradient: Gradient, lam: float, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """max(y - gamma lam, 0). Invisible as long as no y_i is below -gamma lam."""
    return proximal_gradient_descent(
        gradient, lambda v, t: l1_negative_side_lost(v, t * lam), x0, learning_rate, num_steps
    )


@mistake(
    ista,
    "Your small entries change their sign in each step and never settle at 0. "
    "What is the minimiser when an entry is below the threshold?",
)
def ista_without_max(gradient: Gradient, lam: float, x0: Vector, learning_rate: float, num_steps: int) -> Matrix:
    """y - gamma lam sign(y). Invisible as long as all |y_i| >= gamma lam."""
    return proximal_gradient_descent(gradient, lambda v, t: l1_without_max(v, t * lam), x0, learning_rate, num_steps)


example(
    proximal_gradient_descent,
    problems.dense_lasso,
    gap,
    learning_rate=lambda problem: 1 / problem.smoothness,
    num_steps=60,
)
example(
    ista,
    problems.dense_lasso,
    gap,
    lam=lambda problem: problem.data["lam"],
    learning_rate=lambda problem: 1 / problem.smoothness,
    num_steps=60,
)
