"""RMSProp: each partial derivative is divided by the root of the mean of its squares.

Problem     min f(x) over R^d; f differentiable.
Algorithm   v_{-1} = 0,  for k = 0, ..., K-1, with g_k = grad f(x_k), all elementwise
                v_k     = rho v_{k-1} + (1 - rho) g_k^2
                x_{k+1} = x_k - gamma g_k / (sqrt(v_k) + epsilon)
            No coordinate moves by more than gamma / sqrt(1 - rho) in a step. Without epsilon the first step has that
            length in each: the average starts at 0, and its bias is not corrected.
Cost        one gradient a step, two vectors.
References  Lecture 8 part II, slides 14-17; notes ch. 8-2, (12)-(14), with epsilon inside the root; Hinton (2012),
            Neural Networks for Machine Learning, lecture 6.
Catalogue   rmsprop, rmsprop_notes, rmsprop_slides
Witness     torch.optim.RMSprop; closed form for a constant gradient

In the code gamma is `learning_rate`, rho is `decay` and K is `num_steps`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.lecture08.problems import tiny_gradients
from reference.problem import Matrix, Vector
from reference.quantities import gap
from reference.variants import convention, equivalent, example, mistake

Gradient = Callable[[Vector], Vector]


def rmsprop(
    gradient: Gradient, x0: Vector, learning_rate: float, decay: float, epsilon: float, num_steps: int
) -> Matrix:
    """The iterates x_0, ..., x_K of RMSProp, (K+1, d) float64: row k is x_k.

    Args:
        gradient: grad f, (d,) -> (d,); called once a step, K times in all.
        x0: starting point, (d,); left as it is.
        learning_rate: gamma.
        decay: rho, in [0, 1).
        epsilon: > 0; added to the root. It counts where gradients are as small.
        num_steps: K >= 0.
    """
    x = np.array(x0, dtype=np.float64)
    v = np.zeros(len(x0))
    iterates = [x]
    for _ in range(num_steps):
        g = gradient(x)
        v = decay * v + (1 - decay) * g**2
        x = x - learning_rate * g / (np.sqrt(v) + epsilon)
        iterates.append(x)
    return np.array(iterates)


# Correct other forms.


@equivalent(rmsprop)
def interpolated_average(
    gradient: Gradient, x0: Vector, learning_rate: float, decay: float, epsilon: float, num_steps: int
) -> Matrix:
    """v moves towards g^2 by the fraction 1 - rho."""
    x = np.array(x0, dtype=np.float64)
    v = np.zeros(len(x0))
    iterates = [x]
    for _ in range(num_steps):
        g = gradient(x)
        v = v + (1 - decay) * (g * g - v)
        x = x - learning_rate * g / (np.sqrt(v) + epsilon)
        iterates.append(x)
    return np.array(iterates)


@equivalent(rmsprop)
def preconditioned(
    gradient: Gradient, x0: Vector, learning_rate: float, decay: float, epsilon: float, num_steps: int
) -> Matrix:
    """x_{k+1} = x_k - gamma P_k g_k with the diagonal preconditioner P_k = diag(1 / (sqrt(v_k) + epsilon))."""
    x = np.array(x0, dtype=np.float64)
    v = np.zeros(len(x0))
    iterates = [x]
    for _ in range(num_steps):
        g = gradient(x)
        v = decay * v + (1 - decay) * g**2
        x = x - learning_rate * np.diag(1 / (np.sqrt(v) + epsilon)) @ g
        iterates.append(x)
    return np.array(iterates)


@equivalent(rmsprop)
def weighted_sum(
    gradient: Gradient, x0: Vector, learning_rate: float, decay: float, epsilon: float, num_steps: int
) -> Matrix:
    """v / (1 - rho) is what is summed; its root is scaled."""
    x = np.array(x0, dtype=np.float64)
    v = np.zeros(len(x0))
    iterates = [x]
    for _ in range(num_steps):
        g = gradient(x)
        v = decay * v + g**2
        x = x - learning_rate * g / (np.sqrt(1 - decay) * np.sqrt(v) + epsilon)
        iterates.append(x)
    return np.array(iterates)


@equivalent(rmsprop)
def preallocated(
    gradient: Gradient, x0: Vector, learning_rate: float, decay: float, epsilon: float, num_steps: int
) -> Matrix:
    """The iterates are written into an array that exists from the start, and read from it."""
    iterates = np.empty((num_steps + 1, len(x0)))
    iterates[0] = x0
    v = np.zeros(len(x0))
    for k in range(num_steps):
        g = gradient(iterates[k])
        v = decay * v + (1 - decay) * g**2
        iterates[k + 1] = iterates[k] - learning_rate / (np.sqrt(v) + epsilon) * g
    return iterates


# Correct under another source's convention.


@convention(
    rmsprop,
    "Your epsilon stands inside the root, as in the notes. There it acts like one of the size of its own root.",
)
def epsilon_inside_root(
    gradient: Gradient, x0: Vector, learning_rate: float, decay: float, epsilon: float, num_steps: int
) -> Matrix:
    """g / sqrt(v + epsilon): notes ch. 8-2, (14)."""
    x = np.array(x0, dtype=np.float64)
    v = np.zeros(len(x0))
    iterates = [x]
    for _ in range(num_steps):
        g = gradient(x)
        v = decay * v + (1 - decay) * g**2
        x = x - learning_rate * g / np.sqrt(v + epsilon)
        iterates.append(x)
    return np.array(iterates)


# What goes wrong in the average.


@mistake(rmsprop, "Your average forgets what it should keep: what is rho multiplied with, the old or the new?")
def swapped_decay(
    gradient: Gradient, x0: Vector, learning_rate: float, decay: float, epsilon: float, num_steps: int
) -> Matrix:
    """v = (1 - rho) v + rho g^2; invisible for rho = 1/2."""
    x = np.array(x0, dtype=np.float64)
    v = np.zeros(len(x0))
    iterates = [x]
    for _ in range(num_steps):
        g = gradient(x)
        v = (1 - decay) * v + decay * g**2
        x = x - learning_rate * g / (np.sqrt(v) + epsilon)
        iterates.append(x)
    return np.array(iterates)


@mistake(rmsprop, "Your steps are too short: your average is a sum whose weights do not add up to one.")
def factor_missing(
    gradient: Gradient, x0: Vector, learning_rate: float, decay: float, epsilon: float, num_steps: int
) -> Matrix:
    """v = rho v + g^2: every step sqrt(1 - rho) times as long, where epsilon does not count."""
    x = np.array(x0, dtype=np.float64)
    v = np.zeros(len(x0))
    iterates = [x]
    for _ in range(num_steps):
        g = gradient(x)
        v = decay * v + g**2
        x = x - learning_rate * g / (np.sqrt(v) + epsilon)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    rmsprop,
    "Your steps get shorter and shorter: all squares since the start are summed, and nothing is forgotten. "
    "That is another method.",
)
def accumulated_squares(
    gradient: Gradient, x0: Vector, learning_rate: float, decay: float, epsilon: float, num_steps: int
) -> Matrix:
    """v = v + g^2: AdaGrad."""
    x = np.array(x0, dtype=np.float64)
    v = np.zeros(len(x0))
    iterates = [x]
    for _ in range(num_steps):
        g = gradient(x)
        v = v + g**2
        x = x - learning_rate * g / (np.sqrt(v) + epsilon)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    rmsprop,
    "Your average has lost the squares: it is one of the gradients themselves, whose signs cancel. "
    "Of what is the root taken?",
)
def unsquared_gradients(
    gradient: Gradient, x0: Vector, learning_rate: float, decay: float, epsilon: float, num_steps: int
) -> Matrix:
    """v = rho v + (1 - rho) g: nan where a derivative is negative."""
    x = np.array(x0, dtype=np.float64)
    v = np.zeros(len(x0))
    iterates = [x]
    for _ in range(num_steps):
        g = gradient(x)
        v = decay * v + (1 - decay) * g
        with np.errstate(invalid="ignore"):
            x = x - learning_rate * g / (np.sqrt(v) + epsilon)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    rmsprop,
    "Your coordinates share one step size, made from the length of the whole gradient. What is adaptive about RMSProp?",
)
def shared_step_size(
    gradient: Gradient, x0: Vector, learning_rate: float, decay: float, epsilon: float, num_steps: int
) -> Matrix:
    """v = rho v + (1 - rho) ||g||^2; the same path for d = 1."""
    x = np.array(x0, dtype=np.float64)
    v = np.zeros(len(x0))
    iterates = [x]
    for _ in range(num_steps):
        g = gradient(x)
        v = decay * v + (1 - decay) * np.sum(g**2)
        x = x - learning_rate * g / (np.sqrt(v) + epsilon)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    rmsprop,
    "Your second moment is taken around the mean of the gradients: that is the centred variant. "
    "What was asked for divides by the mean of the squares.",
)
def centred(
    gradient: Gradient, x0: Vector, learning_rate: float, decay: float, epsilon: float, num_steps: int
) -> Matrix:
    """sqrt(v - m^2) with the mean m of the gradients, as torch.optim.RMSprop(centered=True)."""
    x = np.array(x0, dtype=np.float64)
    v = np.zeros(len(x0))
    iterates = [x]
    m = np.zeros(len(x0))
    for _ in range(num_steps):
        g = gradient(x)
        v = decay * v + (1 - decay) * g**2
        m = decay * m + (1 - decay) * g
        x = x - learning_rate * g / (np.sqrt(np.maximum(v - m**2, 0)) + epsilon)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    rmsprop,
    "Your average is corrected for its start at zero, which makes your first steps shorter. "
    "Does this method have such a correction?",
)
def bias_corrected(
    gradient: Gradient, x0: Vector, learning_rate: float, decay: float, epsilon: float, num_steps: int
) -> Matrix:
    """v / (1 - rho^(k+1)): Adam with beta_1 = 0."""
    x = np.array(x0, dtype=np.float64)
    v = np.zeros(len(x0))
    iterates = [x]
    for k in range(num_steps):
        g = gradient(x)
        v = decay * v + (1 - decay) * g**2
        x = x - learning_rate * g / (np.sqrt(v / (1 - decay ** (k + 1))) + epsilon)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    rmsprop,
    "Your first step divides by epsilon alone and leaps away: the average does not know the gradient yet "
    "by which you step. In which order do the two lines stand?",
)
def stale_average(
    gradient: Gradient, x0: Vector, learning_rate: float, decay: float, epsilon: float, num_steps: int
) -> Matrix:
    """x is updated before v: the first step is gamma g / epsilon."""
    x = np.array(x0, dtype=np.float64)
    v = np.zeros(len(x0))
    iterates = [x]
    for _ in range(num_steps):
        g = gradient(x)
        x = x - learning_rate * g / (np.sqrt(v) + epsilon)
        v = decay * v + (1 - decay) * g**2
        iterates.append(x)
    return np.array(iterates)


# What goes wrong in the step.


@mistake(
    rmsprop,
    "Your steps depend on the size of the gradient the wrong way round: where it is large they are short. "
    "Of which order is what you divide by?",
)
def missing_root(
    gradient: Gradient, x0: Vector, learning_rate: float, decay: float, epsilon: float, num_steps: int
) -> Matrix:
    """g / (v + epsilon)."""
    x = np.array(x0, dtype=np.float64)
    v = np.zeros(len(x0))
    iterates = [x]
    for _ in range(num_steps):
        g = gradient(x)
        v = decay * v + (1 - decay) * g**2
        x = x - learning_rate * g / (v + epsilon)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    rmsprop,
    "Your first step is right, and later ones carry a part of the steps before: there is a momentum in your method "
    "that was not asked for.",
)
def added_momentum(
    gradient: Gradient, x0: Vector, learning_rate: float, decay: float, epsilon: float, num_steps: int
) -> Matrix:
    """b = 0.9 b + g / (sqrt(v) + epsilon), x = x - gamma b: torch.optim.RMSprop(momentum=0.9)."""
    x = np.array(x0, dtype=np.float64)
    v = np.zeros(len(x0))
    iterates = [x]
    b = np.zeros(len(x0))
    for _ in range(num_steps):
        g = gradient(x)
        v = decay * v + (1 - decay) * g**2
        b = 0.9 * b + g / (np.sqrt(v) + epsilon)
        x = x - learning_rate * b
        iterates.append(x)
    return np.array(iterates)


example(rmsprop, tiny_gradients, gap, learning_rate=0.01, decay=0.9, epsilon=1e-8, num_steps=100)
