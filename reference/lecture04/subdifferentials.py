"""Subgradients and the subdifferentials of the l1 norm and the l2 norm.

Problem     Is g a subgradient of the convex function h at x, that is h(y) >= h(x) + <g, y - x> for all y?
Algorithm   l1 norm   g_i = sign(x_i) where x_i != 0, and |g_i| <= 1 where x_i = 0
            l2 norm   g = x/||x|| where x != 0, and ||g|| <= 1 at x = 0
            any norm  ||g||_* <= 1 and <g, x> = ||x||, with the dual norm (linf for l1, l2 for l2)
Guarantee   The set dh(x) of subgradients is {grad h(x)} where h is differentiable; x* minimises h exactly if
            0 is in dh(x*).
Cost        O(d)
References  Lecture 4, part II, slides 6-7; notes ch. 4 (Proximal GD), Definition 2.1 and sec. 2.2, for x = 0. The sets
            at other points are derived, the form with the dual norm is standard literature.
Catalogue   subdifferential_l1, subdifferential_l2
Witness     the subgradient inequality on sampled points
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.problem import Matrix, Vector
from reference.variants import equivalent, mistake


def in_subdifferential_l1(g: Vector, x: Vector, tolerance: float = 1e-9) -> bool:
    """Whether g is a subgradient of ||.||_1 at x.

    Args:
        g: (d,).
        x: (d,); an entry counts as 0 where it is exactly 0.
        tolerance: by how much each entry of g may be off.
    """
    distances = np.where(x == 0, np.maximum(np.abs(g) - 1, 0.0), np.abs(g - np.sign(x)))
    return bool(np.all(distances <= tolerance))


def in_subdifferential_l2(g: Vector, x: Vector, tolerance: float = 1e-9) -> bool:
    """Whether g is a subgradient of ||.||_2 at x.

    Args:
        g: (d,).
        x: (d,).
        tolerance: by how much g may be off, in the l2 norm.
    """
    length = np.linalg.norm(x)
    if length == 0:
        return bool(np.linalg.norm(g) <= 1 + tolerance)
    return bool(np.linalg.norm(g - x / length) <= tolerance)


def subgradient_slack(function: Callable[[Vector], float], g: Vector, x: Vector, others: Matrix) -> float:
    """min over the given y of h(y) - h(x) - <g, y - x>: not negative for all y if and only if g is a subgradient at x.

    Args:
        function: h, (d,) -> float.
        g: (d,).
        x: (d,).
        others: the points y, (n, d).
    """
    return min(function(y) - function(x) - float(g @ (y - x)) for y in others)


# The l1 norm.


@equivalent(in_subdifferential_l1)
def l1_by_dual_norm(g: Vector, x: Vector, tolerance: float = 1e-9) -> bool:
    """||g||_inf <= 1 and <g, x> = ||x||_1, the equation up to the tolerance times ||x||_1."""
    norm = np.sum(np.abs(x))
    return bool(np.max(np.abs(g)) <= 1 + tolerance and abs(g @ x - norm) <= tolerance * norm)


@mistake(
    in_subdifferential_l1,
    "Your test wants 0 where the entry of x is 0. There the absolute value has a kink: which slopes stay below it?",
)
def l1_zero_where_zero(g: Vector, x: Vector, tolerance: float = 1e-9) -> bool:
    """g = sign(x). Invisible where no x_i is 0."""
    return bool(np.all(np.abs(g - np.sign(x)) <= tolerance))


@mistake(
    in_subdifferential_l1,
    "Your test accepts every slope between -1 and 1 everywhere. Where the entry of x is not 0, how many are left?",
)
def l1_interval_everywhere(g: Vector, x: Vector, tolerance: float = 1e-9) -> bool:
    """|g_i| <= 1 for all i. Invisible at x = 0."""
    return bool(np.all(np.abs(g) <= 1 + tolerance))


@mistake(
    in_subdifferential_l1,
    "Your ball at 0 belongs to the norm itself. Each entry of x has its own kink: does one entry of g limit another?",
)
def l1_ball_of_the_same_norm(g: Vector, x: Vector, tolerance: float = 1e-9) -> bool:
    """At zeros of x the entries of g together have l1 norm at most 1. Invisible where at most one x_i is 0."""
    zero = x == 0
    return bool(np.sum(np.abs(g[zero])) <= 1 + tolerance and np.all(np.abs(g[~zero] - np.sign(x[~zero])) <= tolerance))


# The l2 norm.


@equivalent(in_subdifferential_l2)
def l2_by_dual_norm(g: Vector, x: Vector, tolerance: float = 1e-9) -> bool:
    """||g||_2 <= 1 and <g, x> = ||x||_2; near x != 0 this is wide: an error e in the equation leaves sqrt(2e) in g."""
    norm = np.linalg.norm(x)
    return bool(np.linalg.norm(g) <= 1 + tolerance and abs(g @ x - norm) <= tolerance**2 / 2 * norm)


@mistake(
    in_subdifferential_l2,
    "Your test wants a vector of length 1 at 0. Is 0 itself a subgradient at the minimum?",
)
def l2_sphere_at_zero(g: Vector, x: Vector, tolerance: float = 1e-9) -> bool:
    """||g|| = 1 at x = 0. Invisible for x != 0."""
    if not np.any(x):
        return bool(abs(np.linalg.norm(g) - 1) <= tolerance)
    return in_subdifferential_l2(g, x, tolerance)


@mistake(
    in_subdifferential_l2,
    "Your test accepts the whole ball everywhere. Away from 0 the norm is differentiable: how many are left?",
)
def l2_ball_everywhere(g: Vector, x: Vector, tolerance: float = 1e-9) -> bool:
    """||g|| <= 1 for every x. Invisible at x = 0."""
    return bool(np.linalg.norm(g) <= 1 + tolerance)


@mistake(
    in_subdifferential_l2,
    "Your test treats the entries one by one: those are the subgradients of another norm.",
)
def l2_entry_by_entry(g: Vector, x: Vector, tolerance: float = 1e-9) -> bool:
    """The subdifferential of the l1 norm. Invisible for d = 1."""
    return in_subdifferential_l1(g, x, tolerance)


# The inequality.


@mistake(
    subgradient_slack,
    "Your inequality points the other way: the line of a subgradient lies below the function.",
)
def slack_reversed(function: Callable[[Vector], float], g: Vector, x: Vector, others: Matrix) -> float:
    """min of h(x) + <g, y - x> - h(y)."""
    return min(function(x) + float(g @ (y - x)) - function(y) for y in others)
