"""The conditions of a theorem, checked; a broken one is a sentence that names the problem and what is missing."""

from __future__ import annotations

import math
from typing import TypeVar

from reference.problem import Problem

Constant = TypeVar("Constant")

# 1/L computed in two ways differs by a few units of round-off (1e-16). A step size that somebody really
# chose differently is off by far more than this.
_ROUNDING = 1e-12


def known(constant: Constant | None, name: str, problem: Problem) -> Constant:
    """The constant itself; ValueError where the problem does not have it."""
    if constant is None:
        raise ValueError(f'The problem "{problem.name}" has no {name}, and one is needed here.')
    return constant


def require(holds: bool, condition: str, problem: Problem) -> None:
    """ValueError where `condition`, written as in the theorem, does not hold on the problem."""
    if not holds:
        raise ValueError(f'On the problem "{problem.name}" this guarantee does not apply: it needs {condition}.')


def smoothness(problem: Problem) -> float:
    """L; ValueError where f is not smooth."""
    return known(problem.smoothness, "smoothness constant L", problem)


def strong_convexity(problem: Problem) -> float:
    """mu > 0; ValueError where f is not strongly convex."""
    mu = problem.strong_convexity or 0.0
    require(mu > 0, "a strongly convex f, mu > 0", problem)
    return mu


def require_convex(problem: Problem) -> None:
    """ValueError where f is not convex."""
    require(problem.strong_convexity is not None, "a convex f", problem)


def equal(a: float, b: float) -> bool:
    """Equal up to rounding."""
    return math.isclose(a, b, rel_tol=_ROUNDING)


def at_most(a: float, b: float) -> bool:
    """Less than or equal, up to rounding."""
    return a <= b or equal(a, b)
