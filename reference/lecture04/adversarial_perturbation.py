"""Adversarial perturbation by projected gradient ascent on the input.

Problem     max over ||eta|| <= eps of the loss L(h(x*, xi + eta), y): the parameters x* of the model, the clean input
            xi and its label y are fixed; the variable is the perturbation eta of the input.
Algorithm   eta_{k+1} = P[eta_k + gamma g(xi + eta_k)], g the gradient of the loss with respect to the INPUT,
            P the projection onto the ball ||eta|| <= eps around 0 (linf: clipping, l2: scaling).
Guarantee   It is projected gradient descent on minus the loss, which in general is not convex: the gradient mapping
            gets small, nothing more. The maximiser of a linear loss <c, xi + eta> is eps c/||c|| in the l2 norm and
            eps sign(c) in the linf norm.
Cost        one gradient with respect to the input and one projection a step.
References  Lecture 4, part I, slides 11-12 (the problem; the norm is left open, the picture is of FGSM with
            eps = 0.007). The recursion is derived; Lecture 10, part I, treats attacks in detail.
Catalogue   adversarial_pga
Witness     projected gradient descent on minus the loss; closed form for linear classifiers

In the code gamma is `learning_rate` and K is `num_steps`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.lecture04 import problems
from reference.lecture04.projected_gradient_descent import projected_gradient_descent
from reference.problem import Matrix, Problem, Vector
from reference.quantities import gap
from reference.variants import equivalent, example, mistake

Gradient = Callable[[Vector], Vector]
Project = Callable[[Vector], Vector]


def projected_gradient_ascent(
    input_gradient: Gradient, project: Project, clean_input: Vector, x0: Vector, learning_rate: float, num_steps: int
) -> Matrix:
    """The perturbations eta_0, ..., eta_K, (K+1, d) float64: row k is eta_k.

    Args:
        input_gradient: gradient of the loss with respect to the input, at a perturbed input, (d,) -> (d,).
        project: projection onto {eta: ||eta|| <= eps}, (d,) -> (d,).
        clean_input: xi, (d,).
        x0: eta_0, (d,), in the ball; often 0. Left as it is.
        learning_rate: gamma, the constant step.
        num_steps: K >= 0.
    """
    eta = np.array(x0, dtype=np.float64)
    iterates = [eta]
    for _ in range(num_steps):
        eta = project(eta + learning_rate * input_gradient(clean_input + eta))
        iterates.append(eta)
    return np.array(iterates)


@equivalent(projected_gradient_ascent)
def descent_on_minus_the_loss(
    input_gradient: Gradient, project: Project, clean_input: Vector, x0: Vector, learning_rate: float, num_steps: int
) -> Matrix:
    """Projected gradient descent on f(eta) = -loss(xi + eta)."""
    return projected_gradient_descent(
        lambda eta: -input_gradient(clean_input + eta), project, x0, learning_rate, num_steps
    )


@equivalent(projected_gradient_ascent)
def perturbed_inputs(
    input_gradient: Gradient, project: Project, clean_input: Vector, x0: Vector, learning_rate: float, num_steps: int
) -> Matrix:
    """The same in terms of z = xi + eta, which is projected onto the ball around xi; eta = z - xi at the end."""
    z = clean_input + np.array(x0, dtype=np.float64)
    iterates = [z]
    for _ in range(num_steps):
        z = clean_input + project(z + learning_rate * input_gradient(z) - clean_input)
        iterates.append(z)
    return np.array(iterates) - clean_input


@mistake(
    projected_gradient_ascent,
    "Your perturbation helps the model: the loss gets smaller. Who is to be fooled?",
)
def attack_descends(
    input_gradient: Gradient, project: Project, clean_input: Vector, x0: Vector, learning_rate: float, num_steps: int
) -> Matrix:
    """eta_{k+1} = P[eta_k - gamma g]."""
    eta = np.array(x0, dtype=np.float64)
    iterates = [eta]
    for _ in range(num_steps):
        eta = project(eta - learning_rate * input_gradient(clean_input + eta))
        iterates.append(eta)
    return np.array(iterates)


@mistake(
    projected_gradient_ascent,
    "You bound the size of the whole input: a clean input outside the ball is moved however small the attack. "
    "What is to be small?",
)
def perturbed_input_projected(
    input_gradient: Gradient, project: Project, clean_input: Vector, x0: Vector, learning_rate: float, num_steps: int
) -> Matrix:
    """eta_{k+1} = P[xi + eta_k + gamma g] - xi: the ball is around 0, not around xi. Invisible where xi = 0."""
    eta = np.array(x0, dtype=np.float64)
    iterates = [eta]
    for _ in range(num_steps):
        z = clean_input + eta
        eta = project(z + learning_rate * input_gradient(z)) - clean_input
        iterates.append(eta)
    return np.array(iterates)


@mistake(
    projected_gradient_ascent,
    "Your perturbation grows beyond its bound: nothing brings it back.",
)
def attack_without_projection(
    input_gradient: Gradient, project: Project, clean_input: Vector, x0: Vector, learning_rate: float, num_steps: int
) -> Matrix:
    """eta_{k+1} = eta_k + gamma g. Invisible as long as the ball is not left."""
    eta = np.array(x0, dtype=np.float64)
    iterates = [eta]
    for _ in range(num_steps):
        eta = eta + learning_rate * input_gradient(clean_input + eta)
        iterates.append(eta)
    return np.array(iterates)


@mistake(
    projected_gradient_ascent,
    "Your gradient is that of the clean input in every step. Which input does the model see?",
)
def gradient_at_the_clean_input(
    input_gradient: Gradient, project: Project, clean_input: Vector, x0: Vector, learning_rate: float, num_steps: int
) -> Matrix:
    """eta_{k+1} = P[eta_k + gamma g(xi)]. Invisible for a linear loss, and in the first step from eta_0 = 0."""
    eta = np.array(x0, dtype=np.float64)
    iterates = [eta]
    for _ in range(num_steps):
        eta = project(eta + learning_rate * input_gradient(clean_input))
        iterates.append(eta)
    return np.array(iterates)


@mistake(
    projected_gradient_ascent,
    "Your gradient is that of the perturbation alone: the clean input is missing from what the model sees.",
)
def gradient_at_the_perturbation(
    input_gradient: Gradient, project: Project, clean_input: Vector, x0: Vector, learning_rate: float, num_steps: int
) -> Matrix:
    """eta_{k+1} = P[eta_k + gamma g(eta_k)]. Invisible for a linear loss, and where xi = 0."""
    eta = np.array(x0, dtype=np.float64)
    iterates = [eta]
    for _ in range(num_steps):
        eta = project(eta + learning_rate * input_gradient(eta))
        iterates.append(eta)
    return np.array(iterates)


def _input_gradient(problem: Problem) -> Gradient:
    """Of the loss, from the gradient of f(eta) = -loss(xi + eta)."""
    return lambda z: -problem.gradient(z - problem.data["clean_input"])


example(
    projected_gradient_ascent,
    problems.logistic_attack,
    gap,
    input_gradient=_input_gradient,
    clean_input=lambda problem: problem.data["clean_input"],
    learning_rate=0.1,
    num_steps=30,
)
