"""SGD with Polyak's momentum.

Problem     min f(x) = 1/N sum_i F_i(x) over R^d; each F_i differentiable.
Algorithm   x_{-1} = x_0,  for k = 0, ..., K-1, with a sample i_k
                x_{k+1} = x_k - gamma grad F_{i_k}(x_k) + beta (x_k - x_{k-1})
            or, which is the same for a constant step, m_{-1} = 0,
                m_k = beta m_{k-1} + grad F_{i_k}(x_k),  x_{k+1} = x_k - gamma m_k
            The first step is one of SGD.
Guarantee   informal, for smooth, strongly convex f and small steps: it behaves like SGD with the step
            gamma / (1 - beta), and has no advantage over it. Exactly, for f = h/2 x^2 and additive noise of variance
            s^2, in the long run E x_k^2 = (1+beta) gamma s^2 / ((1-beta) h (2 (1+beta) - gamma h)). The latter is
            derived.
Cost        one gradient of a sample a step, two vectors.
References  Lecture 8 part I, slides 8-11; slide 9 starts with m_0 = 0 and counts from 1. Yuan, Ying, Sayed (2016), On
            the Influence of Momentum Acceleration on Online Learning.
Catalogue   momentum_sgd
Witness     torch.optim.SGD; exact second moments of the linear recursion

In the code gamma is `learning_rate`, beta is `momentum`, K is `num_steps` and i_k is `indices[k]`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from reference.lecture08.problems import random_finite_sum
from reference.problem import Matrix, Vector
from reference.quantities import distance
from reference.variants import equivalent, example, mistake

ComponentGradient = Callable[[Vector, int], Vector]
Indices = NDArray[np.int64]


def momentum_sgd(
    component_gradient: ComponentGradient,
    x0: Vector,
    learning_rate: float,
    momentum: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """The iterates x_0, ..., x_K of momentum SGD, (K+1, d) float64: row k is x_k.

    Args:
        component_gradient: (x, i) -> gradient of F_i at x, (d,); i from 0; called once a step, K times in all.
        x0: starting point, (d,); left as it is.
        learning_rate: gamma, the constant step.
        momentum: beta, in [0, 1); 0 gives SGD.
        indices: i_0, ..., i_{K-1}, (K,), drawn by the caller, each from 0, ..., N-1.
        num_steps: K >= 0.
    """
    x = np.array(x0, dtype=np.float64)
    x_previous = x
    iterates = [x]
    for k in range(num_steps):
        g = component_gradient(x, int(indices[k]))
        x, x_previous = x - learning_rate * g + momentum * (x - x_previous), x
        iterates.append(x)
    return np.array(iterates)


# Correct other forms.


@equivalent(momentum_sgd)
def summed_gradients(
    component_gradient: ComponentGradient,
    x0: Vector,
    learning_rate: float,
    momentum: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """m_k = beta m_{k-1} + g_k, x_{k+1} = x_k - gamma m_k: the form of torch.optim.SGD."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    iterates = [x]
    for k in range(num_steps):
        m = momentum * m + component_gradient(x, int(indices[k]))
        x = x - learning_rate * m
        iterates.append(x)
    return np.array(iterates)


@equivalent(momentum_sgd)
def velocity(
    component_gradient: ComponentGradient,
    x0: Vector,
    learning_rate: float,
    momentum: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """v_k = beta v_{k-1} - gamma g_k, x_{k+1} = x_k + v_k."""
    x = np.array(x0, dtype=np.float64)
    v = np.zeros(len(x0))
    iterates = [x]
    for k in range(num_steps):
        v = momentum * v - learning_rate * component_gradient(x, int(indices[k]))
        x = x + v
        iterates.append(x)
    return np.array(iterates)


@equivalent(momentum_sgd)
def averaged_gradients(
    component_gradient: ComponentGradient,
    x0: Vector,
    learning_rate: float,
    momentum: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """m_k = beta m_{k-1} + (1-beta) g_k, x_{k+1} = x_k - gamma/(1-beta) m_k; beta is not 1."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    iterates = [x]
    for k in range(num_steps):
        m = momentum * m + (1 - momentum) * component_gradient(x, int(indices[k]))
        x = x - learning_rate / (1 - momentum) * m
        iterates.append(x)
    return np.array(iterates)


@equivalent(momentum_sgd)
def preallocated(
    component_gradient: ComponentGradient,
    x0: Vector,
    learning_rate: float,
    momentum: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """The iterates are written into an array that exists from the start, and read from it."""
    iterates = np.empty((num_steps + 1, len(x0)))
    iterates[0] = x0
    for k in range(num_steps):
        x, x_previous = iterates[k], iterates[max(k - 1, 0)]
        g = component_gradient(x, int(indices[k]))
        iterates[k + 1] = x - learning_rate * g + momentum * (x - x_previous)
    return iterates


# What goes wrong in the momentum. For beta = 0 only what also spoils a step of SGD is visible: a first step that does
# not move, the learning rate twice, and 1 - beta in the place of beta.


@mistake(
    momentum_sgd,
    "Your gradients are averaged, and the step does not make up for what the averaging takes away: "
    "your first step is shorter than one of SGD. How long should it be?",
)
def average_not_rescaled(
    component_gradient: ComponentGradient,
    x0: Vector,
    learning_rate: float,
    momentum: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """m_k = beta m_{k-1} + (1-beta) g_k with the step gamma: everything is 1 - beta times as fast."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    iterates = [x]
    for k in range(num_steps):
        m = momentum * m + (1 - momentum) * component_gradient(x, int(indices[k]))
        x = x - learning_rate * m
        iterates.append(x)
    return np.array(iterates)


@mistake(
    momentum_sgd,
    "Your method takes a large momentum for a small one, and the other way round. What is beta multiplied with?",
)
def complementary_momentum(
    component_gradient: ComponentGradient,
    x0: Vector,
    learning_rate: float,
    momentum: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """m_k = (1-beta) m_{k-1} + g_k; invisible for beta = 1/2."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    iterates = [x]
    for k in range(num_steps):
        m = (1 - momentum) * m + component_gradient(x, int(indices[k]))
        x = x - learning_rate * m
        iterates.append(x)
    return np.array(iterates)


@mistake(
    momentum_sgd,
    "Your average of gradients weighs the old and the new the wrong way round, and your steps have another length.",
)
def swapped_average(
    component_gradient: ComponentGradient,
    x0: Vector,
    learning_rate: float,
    momentum: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """m_k = (1-beta) m_{k-1} + beta g_k with the step gamma: for beta = 0 it never moves."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    iterates = [x]
    for k in range(num_steps):
        m = (1 - momentum) * m + momentum * component_gradient(x, int(indices[k]))
        x = x - learning_rate * m
        iterates.append(x)
    return np.array(iterates)


@mistake(momentum_sgd, "Your momentum brakes: it points back to where the path comes from. Which way should it push?")
def flipped_momentum(
    component_gradient: ComponentGradient,
    x0: Vector,
    learning_rate: float,
    momentum: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """m_k = - beta m_{k-1} + g_k."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    iterates = [x]
    for k in range(num_steps):
        m = -momentum * m + component_gradient(x, int(indices[k]))
        x = x - learning_rate * m
        iterates.append(x)
    return np.array(iterates)


@mistake(
    momentum_sgd,
    "Your first step does not move, and every later one repeats what should have been done one step before. "
    "In which order do the two lines stand?",
)
def stale_momentum(
    component_gradient: ComponentGradient,
    x0: Vector,
    learning_rate: float,
    momentum: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """x is updated before m: x_{k+1} = x_k - gamma m_{k-1}."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    iterates = [x]
    for k in range(num_steps):
        g = component_gradient(x, int(indices[k]))
        x = x - learning_rate * m
        m = momentum * m + g
        iterates.append(x)
    return np.array(iterates)


@mistake(
    momentum_sgd,
    "Your first step does not move: it uses the momentum before it has seen a gradient. "
    "What does the start at zero belong to?",
)
def skipped_first_step(
    component_gradient: ComponentGradient,
    x0: Vector,
    learning_rate: float,
    momentum: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """Lecture 8 part I, slide 9 read with m_0 = 0 for k = 0: x_1 = x_0, and right from there. i_0 is not used."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    iterates = [x]
    for k in range(num_steps):
        if k > 0:
            m = momentum * m + component_gradient(x, int(indices[k]))
        x = x - learning_rate * m
        iterates.append(x)
    return np.array(iterates)


@mistake(
    momentum_sgd,
    "Your steps are too short by a factor that is the learning rate itself. How often do you multiply by it?",
)
def learning_rate_twice(
    component_gradient: ComponentGradient,
    x0: Vector,
    learning_rate: float,
    momentum: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """m_k = beta m_{k-1} + gamma g_k, x_{k+1} = x_k - gamma m_k; invisible for gamma = 1."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    iterates = [x]
    for k in range(num_steps):
        m = momentum * m + learning_rate * component_gradient(x, int(indices[k]))
        x = x - learning_rate * m
        iterates.append(x)
    return np.array(iterates)


@mistake(
    momentum_sgd,
    "Your momentum is lost again and again, at the same distance of steps. Where in your loops is it created?",
)
def reset_each_epoch(
    component_gradient: ComponentGradient,
    x0: Vector,
    learning_rate: float,
    momentum: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """m = 0 at every N-th step, N = max(indices) + 1; invisible on runs of at most N steps."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    iterates = [x]
    epoch = int(np.max(indices, initial=0)) + 1
    for k in range(num_steps):
        if k % epoch == 0:
            m = np.zeros(len(x0))
        m = momentum * m + component_gradient(x, int(indices[k]))
        x = x - learning_rate * m
        iterates.append(x)
    return np.array(iterates)


@mistake(
    momentum_sgd,
    "Your gradient is taken at the extrapolated point: that is Nesterov's method. "
    "Where does Polyak's momentum look before it steps?",
)
def gradient_at_extrapolated_point(
    component_gradient: ComponentGradient,
    x0: Vector,
    learning_rate: float,
    momentum: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """grad F_{i_k}(x_k + beta (x_k - x_{k-1}))."""
    x = np.array(x0, dtype=np.float64)
    x_previous = x
    iterates = [x]
    for k in range(num_steps):
        y = x + momentum * (x - x_previous)
        x, x_previous = y - learning_rate * component_gradient(y, int(indices[k])), x
        iterates.append(x)
    return np.array(iterates)


@mistake(
    momentum_sgd,
    "Your step adds the gradient to the momentum a second time: that is Nesterov's form. "
    "Of what does a step of Polyak's method consist?",
)
def nesterov_step(
    component_gradient: ComponentGradient,
    x0: Vector,
    learning_rate: float,
    momentum: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """x_{k+1} = x_k - gamma (g_k + beta m_k): the form of torch.optim.SGD(nesterov=True)."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    iterates = [x]
    for k in range(num_steps):
        g = component_gradient(x, int(indices[k]))
        m = momentum * m + g
        x = x - learning_rate * (g + momentum * m)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    momentum_sgd,
    "Your first step is right, and later ones are too short: your momentum is an average that is corrected for its "
    "start at zero, as in another method.",
)
def bias_corrected(
    component_gradient: ComponentGradient,
    x0: Vector,
    learning_rate: float,
    momentum: float,
    indices: Indices,
    num_steps: int,
) -> Matrix:
    """m_k = beta m_{k-1} + (1-beta) g_k, x_{k+1} = x_k - gamma m_k / (1 - beta^{k+1})."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    iterates = [x]
    for k in range(num_steps):
        m = momentum * m + (1 - momentum) * component_gradient(x, int(indices[k]))
        x = x - learning_rate * m / (1 - momentum ** (k + 1))
        iterates.append(x)
    return np.array(iterates)


example(
    momentum_sgd,
    lambda: random_finite_sum(samples=20, dimension=3, seed=1),
    distance,
    learning_rate=0.01,
    momentum=0.8,
    indices=np.random.default_rng(0).integers(20, size=200),
    num_steps=200,
)
