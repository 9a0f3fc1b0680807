"""Adam: momentum, with a step size of its own for each coordinate.

Problem     min f(x) over R^d; f differentiable.
Algorithm   m_0 = v_0 = 0,  for t = 1, ..., K, with g_t = grad f(x_{t-1}), all elementwise
                m_t = beta_1 m_{t-1} + (1 - beta_1) g_t         mean of gradients
                v_t = beta_2 v_{t-1} + (1 - beta_2) g_t^2       mean of their squares
                x_t = x_{t-1} - gamma (m_t / (1 - beta_1^t)) / (sqrt(v_t / (1 - beta_2^t)) + epsilon)
            The two divisions correct the bias of averages that start at 0. Without epsilon the first step is
            gamma sign(g_1), whatever the size of the gradient.
Cost        one gradient a step, three vectors.
References  Lecture 8 part II, slide 18, without the bias correction; notes ch. 8-2, (15)-(20), with it, but with the
            exponent k of recursions that start at k = 0, where it is k+1; Kingma and Ba (2015), Adam: A Method for
            Stochastic Optimization, Algorithm 1.
Catalogue   adam, adam_notes, adam_slides
Witness     torch.optim.Adam; closed form for a constant gradient

In the code gamma is `learning_rate` and K is `num_steps`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.lecture08.problems import tiny_gradients
from reference.problem import Matrix, Vector
from reference.quantities import gap
from reference.variants import convention, equivalent, example, mistake

Gradient = Callable[[Vector], Vector]


def adam(
    gradient: Gradient, x0: Vector, learning_rate: float, beta1: float, beta2: float, epsilon: float, num_steps: int
) -> Matrix:
    """The iterates x_0, ..., x_K of Adam, (K+1, d) float64: row t is x_t.

    Args:
        gradient: grad f, (d,) -> (d,); called once a step, K times in all.
        x0: starting point, (d,); left as it is.
        learning_rate: gamma, about the length of a step in each coordinate.
        beta1: decay of the mean of gradients, in [0, 1).
        beta2: decay of the mean of squares, in [0, 1).
        epsilon: > 0; added to the root. It counts where gradients are as small.
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
        x = x - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
        iterates.append(x)
    return np.array(iterates)


# Correct other forms.


@equivalent(adam)
def corrected_step_size(
    gradient: Gradient, x0: Vector, learning_rate: float, beta1: float, beta2: float, epsilon: float, num_steps: int
) -> Matrix:
    """The corrections as factors of the step size and of epsilon: the paper's efficient form, with epsilon kept."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for t in range(1, num_steps + 1):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        root = np.sqrt(1 - beta2**t)
        x = x - learning_rate * root / (1 - beta1**t) * m / (np.sqrt(v) + epsilon * root)
        iterates.append(x)
    return np.array(iterates)


@equivalent(adam)
def interpolated_moments(
    gradient: Gradient, x0: Vector, learning_rate: float, beta1: float, beta2: float, epsilon: float, num_steps: int
) -> Matrix:
    """m moves towards g by the fraction 1 - beta_1, v towards g^2 by 1 - beta_2: the form of torch.optim.Adam."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for t in range(1, num_steps + 1):
        g = gradient(x)
        m = m + (1 - beta1) * (g - m)
        v = v + (1 - beta2) * (g * g - v)
        denominator = np.sqrt(v) / np.sqrt(1 - beta2**t) + epsilon
        x = x - learning_rate / (1 - beta1**t) * (m / denominator)
        iterates.append(x)
    return np.array(iterates)


@equivalent(adam)
def weighted_sums(
    gradient: Gradient, x0: Vector, learning_rate: float, beta1: float, beta2: float, epsilon: float, num_steps: int
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
        x = x - learning_rate * (m / first_weight) / (np.sqrt(v / second_weight) + epsilon)
        iterates.append(x)
    return np.array(iterates)


@equivalent(adam)
def preallocated(
    gradient: Gradient, x0: Vector, learning_rate: float, beta1: float, beta2: float, epsilon: float, num_steps: int
) -> Matrix:
    """The iterates are written into an array that exists from the start; k counts from 0."""
    iterates = np.empty((num_steps + 1, len(x0)))
    iterates[0] = x0
    m, v = np.zeros(len(x0)), np.zeros(len(x0))
    for k in range(num_steps):
        g = gradient(iterates[k])
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        direction = m / (1 - beta1 ** (k + 1)) / (np.sqrt(v / (1 - beta2 ** (k + 1))) + epsilon)
        iterates[k + 1] = iterates[k] - learning_rate * direction
    return iterates


# Correct under another source's convention.


@convention(
    adam,
    "Your epsilon stands beside the root of the uncorrected average, as in the efficient form of the paper, where it "
    "is called epsilon-hat.",
)
def epsilon_hat(
    gradient: Gradient, x0: Vector, learning_rate: float, beta1: float, beta2: float, epsilon: float, num_steps: int
) -> Matrix:
    """gamma sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon): at first, epsilon weighs more."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for t in range(1, num_steps + 1):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        step_size = learning_rate * np.sqrt(1 - beta2**t) / (1 - beta1**t)
        x = x - step_size * m / (np.sqrt(v) + epsilon)
        iterates.append(x)
    return np.array(iterates)


@convention(
    adam,
    "Your averages are not corrected for their start at zero, as on the slides; the notes and the paper correct them.",
)
def no_bias_correction(
    gradient: Gradient, x0: Vector, learning_rate: float, beta1: float, beta2: float, epsilon: float, num_steps: int
) -> Matrix:
    """m / (sqrt(v) + epsilon), as Lecture 8 part II, slide 18 prints it; invisible for beta_1 = beta_2 = 0."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for _ in range(num_steps):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        x = x - learning_rate * m / (np.sqrt(v) + epsilon)
        iterates.append(x)
    return np.array(iterates)


# What goes wrong in the correction of the bias.


@mistake(
    adam,
    "Your average of gradients is corrected for its start at zero, and that of the squares is not. "
    "Which of the two is biased?",
)
def first_moment_corrected_only(
    gradient: Gradient, x0: Vector, learning_rate: float, beta1: float, beta2: float, epsilon: float, num_steps: int
) -> Matrix:
    """m_hat / (sqrt(v) + epsilon)."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for t in range(1, num_steps + 1):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        x = x - learning_rate * m_hat / (np.sqrt(v) + epsilon)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    adam,
    "Your average of squares is corrected for its start at zero, and that of the gradients is not. "
    "Which of the two is biased?",
)
def second_moment_corrected_only(
    gradient: Gradient, x0: Vector, learning_rate: float, beta1: float, beta2: float, epsilon: float, num_steps: int
) -> Matrix:
    """m / (sqrt(v_hat) + epsilon)."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for t in range(1, num_steps + 1):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        v_hat = v / (1 - beta2**t)
        x = x - learning_rate * m / (np.sqrt(v_hat) + epsilon)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    adam,
    "Your first step already divides zero by zero. Which number has the step counter when it is first used?",
)
def step_counter_from_zero(
    gradient: Gradient, x0: Vector, learning_rate: float, beta1: float, beta2: float, epsilon: float, num_steps: int
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
            x = x - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    adam,
    "Your step counter is one ahead: it has been raised once before the first use without a step being made. "
    "Which exponent belongs to the first step?",
)
def step_counter_one_ahead(
    gradient: Gradient, x0: Vector, learning_rate: float, beta1: float, beta2: float, epsilon: float, num_steps: int
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
        x = x - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    adam,
    "Your first step is right, and later ones correct too little: your step counter runs too fast. "
    "In how many places is it raised?",
)
def step_counter_raised_twice(
    gradient: Gradient, x0: Vector, learning_rate: float, beta1: float, beta2: float, epsilon: float, num_steps: int
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
        x = x - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    adam,
    "Your first step is right, and all later ones are corrected as if they were the first. "
    "What happens to the step counter from one step to the next?",
)
def step_counter_never_raised(
    gradient: Gradient, x0: Vector, learning_rate: float, beta1: float, beta2: float, epsilon: float, num_steps: int
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
        x = x - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    adam,
    "Your correction of the bias is the same in every step. How does the bias depend on the number of steps made?",
)
def squared_betas(
    gradient: Gradient, x0: Vector, learning_rate: float, beta1: float, beta2: float, epsilon: float, num_steps: int
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
        x = x - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    adam,
    "Your first step is right, and then the corrections pile up: each step starts from averages that have been "
    "corrected before. What is kept for the next step?",
)
def corrected_in_place(
    gradient: Gradient, x0: Vector, learning_rate: float, beta1: float, beta2: float, epsilon: float, num_steps: int
) -> Matrix:
    """m and v are overwritten by m_hat and v_hat."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for t in range(1, num_steps + 1):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m = m / (1 - beta1**t)
        v = v / (1 - beta2**t)
        x = x - learning_rate * m / (np.sqrt(v) + epsilon)
        iterates.append(x)
    return np.array(iterates)


# What goes wrong in the averages.


@mistake(adam, "Your two averages have changed their memories: which of the two is meant to forget faster?")
def swapped_betas(
    gradient: Gradient, x0: Vector, learning_rate: float, beta1: float, beta2: float, epsilon: float, num_steps: int
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
        x = x - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    adam,
    "Your steps are too long: your average of gradients is a sum whose weights do not add up to one.",
)
def first_factor_missing(
    gradient: Gradient, x0: Vector, learning_rate: float, beta1: float, beta2: float, epsilon: float, num_steps: int
) -> Matrix:
    """m = beta_1 m + g: every step 1/(1 - beta_1) times as long."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for t in range(1, num_steps + 1):
        g = gradient(x)
        m = beta1 * m + g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        x = x - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    adam,
    "Your steps are too short: your average of squares is a sum whose weights do not add up to one.",
)
def second_factor_missing(
    gradient: Gradient, x0: Vector, learning_rate: float, beta1: float, beta2: float, epsilon: float, num_steps: int
) -> Matrix:
    """v = beta_2 v + g^2: every step sqrt(1 - beta_2) times as long, where epsilon does not count."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for t in range(1, num_steps + 1):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        x = x - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
        iterates.append(x)
    return np.array(iterates)


@mistake(adam, "Your two averages are sums whose weights do not add up to one. What does a new gradient weigh?")
def both_factors_missing(
    gradient: Gradient, x0: Vector, learning_rate: float, beta1: float, beta2: float, epsilon: float, num_steps: int
) -> Matrix:
    """m = beta_1 m + g, v = beta_2 v + g^2."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for t in range(1, num_steps + 1):
        g = gradient(x)
        m = beta1 * m + g
        v = beta2 * v + g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        x = x - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    adam,
    "Your second average is one of squared averages. Of which squares should it be the mean?",
)
def squares_of_average(
    gradient: Gradient, x0: Vector, learning_rate: float, beta1: float, beta2: float, epsilon: float, num_steps: int
) -> Matrix:
    """v = beta_2 v + (1 - beta_2) m^2."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for t in range(1, num_steps + 1):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * m**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        x = x - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    adam,
    "Your coordinates share one step size, made from the length of the whole gradient. What is adaptive about Adam?",
)
def shared_step_size(
    gradient: Gradient, x0: Vector, learning_rate: float, beta1: float, beta2: float, epsilon: float, num_steps: int
) -> Matrix:
    """v = beta_2 v + (1 - beta_2) ||g||^2; the same path for d = 1."""
    x = np.array(x0, dtype=np.float64)
    m = np.zeros(len(x0))
    v = np.zeros(len(x0))
    iterates = [x]
    for t in range(1, num_steps + 1):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * np.sum(g**2)
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        x = x - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
        iterates.append(x)
    return np.array(iterates)


# What goes wrong in the step.


@mistake(
    adam,
    "Your steps depend on the size of the gradient the wrong way round: where it is large they are short. "
    "Of which order is what you divide by?",
)
def missing_root(
    gradient: Gradient, x0: Vector, learning_rate: float, beta1: float, beta2: float, epsilon: float, num_steps: int
) -> Matrix:
    """m_hat / (v_hat + epsilon)."""
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
        x = x - learning_rate * m_hat / (v_hat + epsilon)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    adam,
    "Your path is nearly right where gradients are large, and stands still where they are small: "
    "your epsilon acts as if it were much larger. What is the root taken of?",
)
def epsilon_inside_root(
    gradient: Gradient, x0: Vector, learning_rate: float, beta1: float, beta2: float, epsilon: float, num_steps: int
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
        x = x - learning_rate * m_hat / np.sqrt(v_hat + epsilon)
        iterates.append(x)
    return np.array(iterates)


example(
    adam,
    tiny_gradients,
    gap,
    learning_rate=0.05,
    beta1=0.9,
    beta2=0.999,
    epsilon=1e-8,
    num_steps=100,
)
