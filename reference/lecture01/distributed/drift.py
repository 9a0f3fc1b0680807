"""How far the nodes drift apart and from x*, bounded step by step; what local SGD, FedAvg and DSGD have in common.

Problem     min f(x) = (1/n) sum_i f_i(x); f L-smooth and mu-strongly convex, each f_i L_i-smooth.
Algorithm   X_{k+1} = W_k (X_k - gamma G(X_k)), rows of X the points of the nodes, rows of G(X) their gradients;
            W_k doubly stochastic, rho_k = ||W_k - J||_2 with J = 1 1^T / n:
            no communication rho = 1, an average over all nodes rho = 0, an average over neighbours in between.
Guarantee   Let a_k = ||mean_i x_i - x*||, c_k = ((1/n) sum_i ||x_i - mean||^2)^(1/2), zeta = zeta(x*), L^ = max_i L_i,
            gamma <= 2/(L+mu). Then
                a_{k+1} <= (1 - gamma mu) a_k + gamma L^ c_k
                c_{k+1} <= rho_k (c_k + gamma (zeta + L^ (a_k^2 + c_k^2)^(1/2)))
References  Derived here, not a theorem of the course. First line: a doubly stochastic W_k keeps the mean, which makes a
            gradient step on f with an error of at most gamma L^ c_k. Second line: W_k - J sees the differences alone,
            and those of the gradients are zeta where all nodes are at x*, and change by at most L^ times the distance
            from there, (a_k^2 + c_k^2)^(1/2).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reference.conditions import at_most, known, require, smoothness, strong_convexity
from reference.lecture01.distributed.heterogeneity import heterogeneity
from reference.lecture01.distributed.nodes import Samples
from reference.lecture01.distributed.problems import DistributedProblem
from reference.problem import Vector


def drift_bound(
    problem: DistributedProblem, learning_rate: float, contractions: Sequence[float], start_distance: float
) -> tuple[Vector, Vector]:
    """Bounds of a_k and c_k for k = 0, ..., K, each (K+1,), where all nodes start at one point: c_0 = 0.

    Args:
        problem: with x*, L, mu and the L_i.
        learning_rate: gamma.
        contractions: rho_0, ..., rho_{K-1}.
        start_distance: a_0.

    Raises:
        ValueError: unless f is smooth and strongly convex, x* is known and 0 < gamma <= 2/(L+mu).
    """
    L, mu = smoothness(problem), strong_convexity(problem)
    require(learning_rate > 0 and at_most(learning_rate, 2 / (L + mu)), "a step 0 < gamma <= 2/(L+mu)", problem)
    minimizer = known(problem.minimizer, "minimiser x*", problem)
    zeta = np.sqrt(heterogeneity(problem.gradients, minimizer))
    L_max = float(problem.node_smoothness.max())
    a, c = [start_distance], [0.0]
    for rho in contractions:
        a_k, c_k = a[-1], c[-1]
        a.append((1 - learning_rate * mu) * a_k + learning_rate * L_max * c_k)
        c.append(rho * (c_k + learning_rate * (zeta + L_max * np.hypot(a_k, c_k))))
    return np.array(a), np.array(c)


def start_distance(problem: DistributedProblem) -> float:
    """||x_0 - x*||; ValueError where the problem has no minimiser."""
    return float(np.linalg.norm(problem.x0 - known(problem.minimizer, "minimiser x*", problem)))


def require_exact(samples: Samples, problem: DistributedProblem) -> None:
    """ValueError where there are samples: a bound for each run holds with exact gradients."""
    require(samples is None, "exact gradients, no samples", problem)


def require_common_start(x0: object, problem: DistributedProblem) -> None:
    """ValueError unless all nodes start at the problem's x0."""
    require(np.array_equal(np.asarray(x0), problem.starts), "all nodes to start at the x0 of the problem", problem)
