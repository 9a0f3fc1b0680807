"""AdamW: Adam with a decay of the weights that stays out of the averages.

Problem     min f(x) over R^d with weights x that are to stay small; f differentiable.
Algorithm   m_0 = v_0 = 0,  for t = 1, ..., K, with g_t = grad f(x_{t-1}), all elementwise
                m_t = beta_1 m_{t-1} + (1 - beta_1) g_t
                v_t = beta_2 v_{t-1} + (1 - beta_2) g_t^2
                x_t = x_{t-1} - gamma ( (m_t / (1 - beta_1^t)) / (sqrt(v_t / (1 - beta_2^t)) + epsilon)
                                        + lambda x_{t-1} )
            Where the gradient is zero, x_t = (1 - gamma lambda)^t x_0; with lambda = 0 it is Adam.
Cost        one gradient a step, three vectors.
References  Lecture 8 part II, slide 27, without the bias correction; notes ch. 8-2, (21)-(26), with it, with lambda not
            multiplied by gamma and, in print, without epsilon; Loshchilov and Hutter (2019), Decoupled Weight Decay
            Regularization.
Catalogue   adamw, adamw_notes, adamw_slides, adam_l2
Witness     torch.optim.AdamW; Adam for lambda = 0; closed form for a gradient of zero

In the code gamma is `learning_rate`, lambda is `weight_decay` and K is `num_steps`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.lecture08.problems import tiny_gradients
from reference.problem import Matrix, Vector
from reference.quantities import gap
from reference.variants import convention, equivalent, example, mistake

Gradient = Callable[[Vector], Vector]


def adamw(
    gradient: Gradient,
    x0: Vector,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
    num_steps: int,
) -> Matrix:
    """The iterates x_0, ..., x_K of AdamW, (K+1, d) float64: row t is x_t.

    Args:
        gradient: grad f, (d,) -> (d,); of the loss alone; called once a step, K times in all.
        x0: starting point, (d,); left as it is.
        learning_rate: gamma, about the length of a step in each coordinate.
        beta1: decay of the mean of gradients, in [0, 1).
        beta2: decay of the mean of squares, in [0, 1).
        epsilon: > 0; added to the root. It counts where gradients are as small.
        weight_decay: lambda >= 0.
        num_steps: K >= 0.
    """
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for t in range(1, num_steps + 1):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        x = x - learning_rate * (m_hat / (np.sqrt(v_hat) + epsilon) + weight_decay * x)
        iterates.append(x)
    return np.array(iterates)


# Correct other forms.


@equivalent(adamw)
def decayed_first(
    gradient: Gradient,
    x0: Vector,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
    num_steps: int,
) -> Matrix:
    """x is multiplied by 1 - gamma lambda, and then moved; the gradient is from before: torch.optim.AdamW."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for t in range(1, num_steps + 1):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        x = x * (1 - learning_rate * weight_decay)
        x = x - learning_rate / (1 - beta1**t) * (m / (np.sqrt(v) / np.sqrt(1 - beta2**t) + epsilon))
        iterates.append(x)
    return np.array(iterates)


@equivalent(adamw)
def corrected_step_size(
    gradient: Gradient,
    x0: Vector,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
    num_steps: int,
) -> Matrix:
    """The corrections as factors of the step size and of epsilon."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for t in range(1, num_steps + 1):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        root = np.sqrt(1 - beta2**t)
        step = learning_rate * root / (1 - beta1**t) * m / (np.sqrt(v) + epsilon * root)
        x = x - step - learning_rate * weight_decay * x
        iterates.append(x)
    return np.array(iterates)


@equivalent(adamw)
def weighted_sums(
    gradient: Gradient,
    x0: Vector,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
    num_steps: int,
) -> Matrix:
    """Sums of beta^(t-s) g_s over the sum of their weights: the weighted means that the corrections amount to."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    first_weight = second_weight = 0.0
    for _ in range(num_steps):
        g = gradient(x)
        m, first_weight = beta1 * m + g, beta1 * first_weight + 1
        v, second_weight = beta2 * v + g**2, beta2 * second_weight + 1
        step = (m / first_weight) / (np.sqrt(v / second_weight) + epsilon)
        x = x - learning_rate * (step + weight_decay * x)
        iterates.append(x)
    return np.array(iterates)


@equivalent(adamw)
def preallocated(
    gradient: Gradient,
    x0: Vector,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
    num_steps: int,
) -> Matrix:
    """The iterates are written into an array that exists from the start; k counts from 0."""
    iterates = np.empty((num_steps + 1, len(x0)))
    iterates[0] = x0
    m, v = np.zeros(len(x0)), np.zeros(len(x0))
    for k in range(num_steps):
        g = gradient(iterates[k])
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        step = m / (1 - beta1 ** (k + 1)) / (np.sqrt(v / (1 - beta2 ** (k + 1))) + epsilon)
        iterates[k + 1] = (1 - learning_rate * weight_decay) * iterates[k] - learning_rate * step
    return iterates


# Correct under another source's convention.


@convention(
    adamw,
    "Your decay is not multiplied by the learning rate, as in the notes and in the paper. "
    "There lambda is smaller by that factor.",
)
def decay_apart_from_learning_rate(
    gradient: Gradient,
    x0: Vector,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
    num_steps: int,
) -> Matrix:
    """x - gamma m_hat / (sqrt(v_hat) + epsilon) - lambda x: notes ch. 8-2, (26), with epsilon and a schedule of 1."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for t in range(1, num_steps + 1):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        x = x - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon) - weight_decay * x
        iterates.append(x)
    return np.array(iterates)


@convention(
    adamw,
    "Your epsilon stands beside the root of the uncorrected average, as in the efficient form of Adam in its paper, "
    "where it is called epsilon-hat.",
)
def epsilon_hat(
    gradient: Gradient,
    x0: Vector,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
    num_steps: int,
) -> Matrix:
    """gamma sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon)."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for t in range(1, num_steps + 1):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        step_size = learning_rate * np.sqrt(1 - beta2**t) / (1 - beta1**t)
        x = x - step_size * m / (np.sqrt(v) + epsilon) - learning_rate * weight_decay * x
        iterates.append(x)
    return np.array(iterates)


@convention(
    adamw,
    "Your averages are not corrected for their start at zero, as on the slides; the notes and the paper correct them.",
)
def no_bias_correction(
    gradient: Gradient,
    x0: Vector,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
    num_steps: int,
) -> Matrix:
    """m / (sqrt(v) + epsilon), as Lecture 8 part II, slide 27 prints it."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for _ in range(num_steps):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        x = x - learning_rate * (m / (np.sqrt(v) + epsilon) + weight_decay * x)
        iterates.append(x)
    return np.array(iterates)


# What goes wrong in the decay.


@mistake(
    adamw,
    "Your decay is part of the gradient, so that it is averaged and divided by the root like everything else: "
    "large gradients switch it off. What does the W in the name stand for?",
)
def l2_in_gradient(
    gradient: Gradient,
    x0: Vector,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
    num_steps: int,
) -> Matrix:
    """g + lambda x enters m and v: Adam with an L2 penalty. Invisible for lambda = 0."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for t in range(1, num_steps + 1):
        g = gradient(x) + weight_decay * x
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        x = x - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    adamw,
    "Your decay is divided by the root of the average of squares, so that it depends on the size of the gradients.",
)
def decay_divided_by_root(
    gradient: Gradient,
    x0: Vector,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
    num_steps: int,
) -> Matrix:
    """(m_hat + lambda x) / (sqrt(v_hat) + epsilon). Invisible for lambda = 0."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for t in range(1, num_steps + 1):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        x = x - learning_rate * (m_hat + weight_decay * x) / (np.sqrt(v_hat) + epsilon)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    adamw,
    "Your decay shrinks the point after the step, and with it the step itself. Which point should it act on?",
)
def decay_after_step(
    gradient: Gradient,
    x0: Vector,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
    num_steps: int,
) -> Matrix:
    """(1 - gamma lambda) times the point that Adam's step leads to. Invisible for lambda = 0."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for t in range(1, num_steps + 1):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        x = x - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
        x = x - learning_rate * weight_decay * x
        iterates.append(x)
    return np.array(iterates)


@mistake(adamw, "Your decay lets the weights grow. Towards which point should it pull?")
def growing_weights(
    gradient: Gradient,
    x0: Vector,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
    num_steps: int,
) -> Matrix:
    """+ gamma lambda x. Invisible for lambda = 0."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for t in range(1, num_steps + 1):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        x = x - learning_rate * (m_hat / (np.sqrt(v_hat) + epsilon) - weight_decay * x)
        iterates.append(x)
    return np.array(iterates)


@mistake(adamw, "Your weights do not decay: what you have is Adam. Where does lambda enter?")
def no_decay(
    gradient: Gradient,
    x0: Vector,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
    num_steps: int,
) -> Matrix:
    """Adam. Invisible for lambda = 0."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for t in range(1, num_steps + 1):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        x = x - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
        iterates.append(x)
    return np.array(iterates)


# What goes wrong in Adam itself.


@mistake(
    adamw,
    "Your first step already divides zero by zero. Which number has the step counter when it is first used?",
)
def step_counter_from_zero(
    gradient: Gradient,
    x0: Vector,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
    num_steps: int,
) -> Matrix:
    """The exponents 0, 1, 2, ..., as notes ch. 8-2 print them: nan from x_1 on."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for t in range(num_steps):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        with np.errstate(divide="ignore", invalid="ignore"):
            m_hat = m / np.float64(1 - beta1**t)
            v_hat = v / np.float64(1 - beta2**t)
            x = x - learning_rate * (m_hat / (np.sqrt(v_hat) + epsilon) + weight_decay * x)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    adamw,
    "Your step counter is one ahead: it has been raised once before the first use without a step being made. "
    "Which exponent belongs to the first step?",
)
def step_counter_one_ahead(
    gradient: Gradient,
    x0: Vector,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
    num_steps: int,
) -> Matrix:
    """The exponents 2, 3, 4, ...: a counter that starts at 1 and is raised before use."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for t in range(2, num_steps + 2):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        x = x - learning_rate * (m_hat / (np.sqrt(v_hat) + epsilon) + weight_decay * x)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    adamw,
    "Your first step is right, and later ones correct too little: your step counter runs too fast. "
    "In how many places is it raised?",
)
def step_counter_raised_twice(
    gradient: Gradient,
    x0: Vector,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
    num_steps: int,
) -> Matrix:
    """The exponents 1, 3, 5, ...: a counter that is raised at the start of a step and at its end."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for t in range(1, 2 * num_steps, 2):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        x = x - learning_rate * (m_hat / (np.sqrt(v_hat) + epsilon) + weight_decay * x)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    adamw,
    "Your first step is right, and all later ones are corrected as if they were the first. "
    "What happens to the step counter from one step to the next?",
)
def step_counter_never_raised(
    gradient: Gradient,
    x0: Vector,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
    num_steps: int,
) -> Matrix:
    """The exponent 1 in every step."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for _ in range(num_steps):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1)
        v_hat = v / (1 - beta2)
        x = x - learning_rate * (m_hat / (np.sqrt(v_hat) + epsilon) + weight_decay * x)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    adamw,
    "Your correction of the bias is the same in every step. How does the bias depend on the number of steps made?",
)
def squared_betas(
    gradient: Gradient,
    x0: Vector,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
    num_steps: int,
) -> Matrix:
    """1 - beta^2 in the place of 1 - beta^t: right in the second step alone."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for _ in range(num_steps):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**2)
        v_hat = v / (1 - beta2**2)
        x = x - learning_rate * (m_hat / (np.sqrt(v_hat) + epsilon) + weight_decay * x)
        iterates.append(x)
    return np.array(iterates)


@mistake(adamw, "Your two averages have changed their memories: which of the two is meant to forget faster?")
def swapped_betas(
    gradient: Gradient,
    x0: Vector,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
    num_steps: int,
) -> Matrix:
    """beta_2 for the gradients, beta_1 for the squares; invisible where the two are equal."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for t in range(1, num_steps + 1):
        g = gradient(x)
        m = beta2 * m + (1 - beta2) * g
        v = beta1 * v + (1 - beta1) * g**2
        m_hat = m / (1 - beta2**t)
        v_hat = v / (1 - beta1**t)
        x = x - learning_rate * (m_hat / (np.sqrt(v_hat) + epsilon) + weight_decay * x)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    adamw,
    "Your path is nearly right where gradients are large, and stands still where they are small: "
    "your epsilon acts as if it were much larger. What is the root taken of?",
)
def epsilon_inside_root(
    gradient: Gradient,
    x0: Vector,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
    num_steps: int,
) -> Matrix:
    """m_hat / sqrt(v_hat + epsilon). Visible where a gradient is not much larger than sqrt(epsilon)."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for t in range(1, num_steps + 1):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        x = x - learning_rate * (m_hat / np.sqrt(v_hat + epsilon) + weight_decay * x)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    adamw,
    "Your step is too long where gradients are tiny, and not a number where they vanish: "
    "nothing keeps you from dividing by zero.",
)
def no_epsilon(
    gradient: Gradient,
    x0: Vector,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
    num_steps: int,
) -> Matrix:
    """m_hat / sqrt(v_hat), as notes ch. 8-2, (26) print it; visible where a gradient is as small as epsilon."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for t in range(1, num_steps + 1):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        with np.errstate(invalid="ignore"):
            x = x - learning_rate * (m_hat / np.sqrt(v_hat) + weight_decay * x)
        iterates.append(x)
    return np.array(iterates)


example(
    adamw,
    tiny_gradients,
    gap,
    learning_rate=0.05,
    beta1=0.9,
    beta2=0.999,
    epsilon=1e-8,
    weight_decay=0.1,
    num_steps=100,
)
