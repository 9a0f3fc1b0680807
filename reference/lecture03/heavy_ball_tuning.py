"""The step and the momentum of heavy ball for a quadratic: the two choices of the course.

Problem     f quadratic with eigenvalues in [mu, L], 0 < mu <= L. Heavy ball converges like sqrt(beta)^k where
                (1 - sqrt beta)^2 / mu <= gamma <= (1 + sqrt beta)^2 / L
Algorithm   notes    gamma = 1/L,                        beta = L / (sqrt L + sqrt mu)^2
            slides   gamma = 4 / (sqrt L + sqrt mu)^2,   beta = ((sqrt L - sqrt mu) / (sqrt L + sqrt mu))^2
Guarantee   notes    sqrt beta = 1 - sqrt mu / (sqrt L + sqrt mu), gamma inside the interval
            slides   sqrt beta = (sqrt L - sqrt mu) / (sqrt L + sqrt mu), the smallest for which the interval is not
                     empty: it is then the single point gamma = (1 - sqrt beta)^2 / mu = (1 + sqrt beta)^2 / L
References  Notes ch. 3, Theorem 2.1; Lecture 3 part I, slides 15-16.
Catalogue   heavy_ball_tuning_notes, heavy_ball_tuning_slides
Witness     smallest spectral radius of the companion matrix over a grid of (gamma, beta)

L is `smoothness`, mu is `strong_convexity`; the result is (gamma, beta), the step and the momentum.
"""

from __future__ import annotations

from math import sqrt

from reference.variants import equivalent, mistake


def heavy_ball_tuning_notes(smoothness: float, strong_convexity: float) -> tuple[float, float]:
    """(gamma, beta) of the notes: the step of gradient descent, 1/L, and a large momentum."""
    L, mu = smoothness, strong_convexity
    return 1 / L, L / (sqrt(L) + sqrt(mu)) ** 2


def heavy_ball_tuning_slides(smoothness: float, strong_convexity: float) -> tuple[float, float]:
    """(gamma, beta) of the slides: the smallest possible momentum, and the only step that it allows."""
    L, mu = smoothness, strong_convexity
    return 4 / (sqrt(L) + sqrt(mu)) ** 2, ((sqrt(L) - sqrt(mu)) / (sqrt(L) + sqrt(mu))) ** 2


@equivalent(heavy_ball_tuning_notes)
def from_condition_number(smoothness: float, strong_convexity: float) -> tuple[float, float]:
    """beta = kappa / (sqrt kappa + 1)^2 with kappa = L/mu."""
    kappa = smoothness / strong_convexity
    return 1 / smoothness, kappa / (sqrt(kappa) + 1) ** 2


@equivalent(heavy_ball_tuning_slides)
def from_lower_end_of_interval(smoothness: float, strong_convexity: float) -> tuple[float, float]:
    """gamma = (1 - sqrt beta)^2 / mu."""
    L, mu = smoothness, strong_convexity
    root = (sqrt(L) - sqrt(mu)) / (sqrt(L) + sqrt(mu))
    return (1 - root) ** 2 / mu, root**2


@equivalent(heavy_ball_tuning_slides)
def from_upper_end_of_interval(smoothness: float, strong_convexity: float) -> tuple[float, float]:
    """gamma = (1 + sqrt beta)^2 / L."""
    L, mu = smoothness, strong_convexity
    root = (sqrt(L) - sqrt(mu)) / (sqrt(L) + sqrt(mu))
    return (1 + root) ** 2 / L, root**2


@mistake(
    heavy_ball_tuning_notes,
    "Your momentum is the rate of convergence. How are the rate and the momentum related?",
)
def momentum_is_the_rate(smoothness: float, strong_convexity: float) -> tuple[float, float]:
    """beta = sqrt L / (sqrt L + sqrt mu)."""
    L, mu = smoothness, strong_convexity
    return 1 / L, sqrt(L) / (sqrt(L) + sqrt(mu))


@mistake(
    heavy_ball_tuning_notes,
    "Your momentum belongs to Nesterov's method. What does Theorem 2.1 of the notes ask of heavy ball?",
)
def nesterov_momentum(smoothness: float, strong_convexity: float) -> tuple[float, float]:
    """beta = (sqrt L - sqrt mu) / (sqrt L + sqrt mu)."""
    L, mu = smoothness, strong_convexity
    return 1 / L, (sqrt(L) - sqrt(mu)) / (sqrt(L) + sqrt(mu))


@mistake(
    heavy_ball_tuning_notes,
    "Your momentum is right for a larger step. The step and the momentum belong together: "
    "which pair do the notes give?",
)
def momentum_of_the_slides(smoothness: float, strong_convexity: float) -> tuple[float, float]:
    """gamma = 1/L with beta = ((sqrt L - sqrt mu) / (sqrt L + sqrt mu))^2: too small for that step."""
    L, mu = smoothness, strong_convexity
    return 1 / L, ((sqrt(L) - sqrt(mu)) / (sqrt(L) + sqrt(mu))) ** 2


@mistake(heavy_ball_tuning_notes, "Your step is twice the one of the theorem. Your momentum is right.")
def doubled_step(smoothness: float, strong_convexity: float) -> tuple[float, float]:
    """gamma = 2/L."""
    L, mu = smoothness, strong_convexity
    return 2 / L, L / (sqrt(L) + sqrt(mu)) ** 2


@mistake(
    heavy_ball_tuning_slides,
    "Your momentum is the rate of convergence. How are the rate and the momentum related?",
)
def momentum_without_square(smoothness: float, strong_convexity: float) -> tuple[float, float]:
    """beta = (sqrt L - sqrt mu) / (sqrt L + sqrt mu)."""
    L, mu = smoothness, strong_convexity
    return 4 / (sqrt(L) + sqrt(mu)) ** 2, (sqrt(L) - sqrt(mu)) / (sqrt(L) + sqrt(mu))


@mistake(
    heavy_ball_tuning_slides,
    "Your step is too large: it grows without bound as mu approaches L. Check a sign.",
)
def difference_of_roots(smoothness: float, strong_convexity: float) -> tuple[float, float]:
    """gamma = 4 / (sqrt L - sqrt mu)^2. Raises ZeroDivisionError for L = mu."""
    L, mu = smoothness, strong_convexity
    return 4 / (sqrt(L) - sqrt(mu)) ** 2, ((sqrt(L) - sqrt(mu)) / (sqrt(L) + sqrt(mu))) ** 2


@mistake(
    heavy_ball_tuning_slides,
    "Your step is too large: the square in the denominator is of a sum of roots, and that is not the sum itself.",
)
def step_without_roots(smoothness: float, strong_convexity: float) -> tuple[float, float]:
    """gamma = 4 / (L + mu)."""
    L, mu = smoothness, strong_convexity
    return 4 / (L + mu), ((sqrt(L) - sqrt(mu)) / (sqrt(L) + sqrt(mu))) ** 2


@mistake(
    heavy_ball_tuning_slides,
    "Your step is the best one of gradient descent. With momentum another step is the best.",
)
def step_of_gradient_descent(smoothness: float, strong_convexity: float) -> tuple[float, float]:
    """gamma = 2 / (L + mu). The right step where L = mu."""
    L, mu = smoothness, strong_convexity
    return 2 / (L + mu), ((sqrt(L) - sqrt(mu)) / (sqrt(L) + sqrt(mu))) ** 2
