"""How many steps: the table of rates, and the numbers that the theorems give.

Problem     the number of steps k after which the theorem for a method says that its measure is at most eps:
            non-convex               mean of ||grad f(x_0)||^2, ..., ||grad f(x_k)||^2
            convex, strongly convex  f(x_k) - f*
Algorithm   the smallest k with bound(k) <= eps
Guarantee                     non-convex          convex                     strongly convex
            gradient descent  L/k       L/eps     L/k     L/eps              (1-mu/L)^k        (L/mu) log(1/eps)
            Nesterov          L/k       L/eps     L/k^2   sqrt(L/eps)        (1-sqrt(mu/L))^k  sqrt(L/mu) log(1/eps)
            heavy ball        -                   -                          (1-sqrt(mu/L))^k  sqrt(L/mu) log(1/eps)
            lower bound       L/k       L/eps     L/k^2   sqrt(L/eps)        rho^(2k)          sqrt(L/mu) log(1/eps)
            up to constants; rho = (sqrt L - sqrt mu)/(sqrt L + sqrt mu). Heavy ball: quadratics only. Projected and
            proximal gradient descent have the rates of gradient descent, with the norm of the gradient mapping for
            that of the gradient.
References  Notes ch. 3, page 8; Lecture 3 part I, slides 17, 24, 31, 32; Lecture 4. The slides print L/sqrt(eps) for
            sqrt(L/eps). Non-convex lower bound: Carmon, Duchi, Hinder, Sidford (2020).
Catalogue   complexity_table
Witness     the formulas solved for k; number of steps on the valley
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, sqrt

from reference.lecture03.heavy_ball import heavy_ball_constant
from reference.lecture03.heavy_ball_tuning import heavy_ball_tuning_notes
from reference.variants import mistake


@dataclass(frozen=True)
class Rate:
    """One cell of the table, up to constants."""

    rate: str
    """How the measure falls with k."""
    steps: str
    """How many steps the accuracy eps takes."""


TABLE: dict[tuple[str, str], Rate] = {
    ("gradient descent", "non-convex"): Rate("L/k", "L/eps"),
    ("gradient descent", "convex"): Rate("L/k", "L/eps"),
    ("gradient descent", "strongly convex"): Rate("(1-mu/L)^k", "(L/mu) log(1/eps)"),
    ("Nesterov", "non-convex"): Rate("L/k", "L/eps"),
    ("Nesterov", "convex"): Rate("L/k^2", "sqrt(L/eps)"),
    ("Nesterov", "strongly convex"): Rate("(1-sqrt(mu/L))^k", "sqrt(L/mu) log(1/eps)"),
    ("heavy ball", "strongly convex"): Rate("(1-sqrt(mu/L))^k", "sqrt(L/mu) log(1/eps)"),
    ("lower bound", "non-convex"): Rate("L/k", "L/eps"),
    ("lower bound", "convex"): Rate("L/k^2", "sqrt(L/eps)"),
    ("lower bound", "strongly convex"): Rate("rho^(2k)", "sqrt(L/mu) log(1/eps)"),
}


def steps_needed(
    method: str,
    setting: str,
    accuracy: float,
    smoothness: float,
    strong_convexity: float,
    initial_distance: float,
    initial_gap: float,
) -> int:
    """The smallest k for which the theorem says that the measure is at most eps.

    For the lower bound: no first-order method is sure to be there after fewer steps.

    Args:
        method: "gradient descent", "Nesterov", "heavy ball" (tuning of the notes, quadratics) or "lower bound".
        setting: "non-convex", "convex" or "strongly convex".
        accuracy: eps > 0.
        smoothness: L.
        strong_convexity: mu; used where the setting is strongly convex.
        initial_distance: ||x_0 - x*||; not used where the setting is non-convex.
        initial_gap: f(x_0) - f*; used for non-convex f and for Nesterov on strongly convex f.

    Raises:
        ValueError: where eps is not positive, or no theorem with explicit constants is known here.
    """
    if not accuracy > 0:
        raise ValueError(f"An accuracy is positive, not {accuracy:g}.")
    bound = _bound(method, setting, smoothness, strong_convexity, initial_distance, initial_gap)
    if bound(0) <= accuracy:
        return 0
    too_few, enough = 0, 1
    while bound(enough) > accuracy:
        too_few, enough = enough, 2 * enough
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if bound(middle) <= accuracy:
            enough = middle
        else:
            too_few = middle
    return enough


def _bound(method: str, setting: str, L: float, mu: float, distance: float, gap: float) -> Callable[[int], float]:
    """The bound of the theorem as a function of k, which falls to 0."""
    match method, setting:
        case "gradient descent", "non-convex":  # Lecture 2, Theorem 1, gamma = 1/L
            return lambda k: 2 * L * gap / (k + 1)
        case "gradient descent", "convex":  # Lecture 2, Theorem 2, gamma = 1/(2L)
            return lambda k: 2 * L * distance**2 / (k + 1)
        case "gradient descent", "strongly convex":  # Lecture 2, Theorem 3, gamma = 2/(L+mu); f - f* <= L/2 distance^2
            return lambda k: L / 2 * (((L - mu) / (L + mu)) ** k * distance) ** 2
        case "Nesterov", "convex":  # notes ch. 3, Theorem 3.1
            return lambda k: 2 * L * distance**2 / (k + 1) ** 2
        case "Nesterov", "strongly convex":  # notes ch. 3, Theorem 3.2
            return lambda k: (1 - sqrt(mu / L)) ** k * (gap + mu / 2 * distance**2)
        case "heavy ball", "strongly convex" if mu < L:  # notes ch. 3, Theorem 2.1; f - f* <= L/2 distance^2
            gamma, beta = heavy_ball_tuning_notes(L, mu)
            constant = heavy_ball_constant(L, mu, gamma, beta)
            return lambda k: L / 2 * (constant * sqrt(beta) ** k * distance) ** 2
        case "lower bound", "convex":  # notes ch. 3, Theorem 5.1
            return lambda k: 3 * L * distance**2 / (32 * (k + 1) ** 2)
        case "lower bound", "strongly convex":  # notes ch. 3, Theorem 5.2, its exponent corrected
            rho = (sqrt(L) - sqrt(mu)) / (sqrt(L) + sqrt(mu))
            return lambda k: mu / 2 * rho ** (2 * k) * distance**2
        case _:
            raise ValueError(f"There is no theorem with explicit constants here for {method} on {setting} functions.")


@mistake(
    steps_needed,
    "Your number of steps grows like L and not like its root. The slides print it so; solve the bound for k yourself.",
)
def printed_on_the_slides(
    method: str,
    setting: str,
    accuracy: float,
    smoothness: float,
    strong_convexity: float,
    initial_distance: float,
    initial_gap: float,
) -> int:
    """L/sqrt(eps) for Nesterov and the lower bound on convex functions; the rest is right. Invisible for L = 1."""
    if setting == "convex" and method in ("Nesterov", "lower bound"):
        constant = 2.0 if method == "Nesterov" else 3 / 32
        return max(ceil(sqrt(constant / accuracy) * smoothness * initial_distance - 1), 0)
    return steps_needed(method, setting, accuracy, smoothness, strong_convexity, initial_distance, initial_gap)
