"""What is measured along the iterates of n nodes, (K+1, n, d): one number per iterate, (K+1,).

Of iterates (K+1, d), which the nodes share, `reference.quantities` has the same. The first line of a docstring is the
name under which a student sees the quantity.
"""

from __future__ import annotations

import numpy as np

from reference.conditions import known
from reference.lecture01.distributed.nodes import Path
from reference.problem import Problem, Vector


def rms_distance(iterates: Path, problem: Problem) -> Vector:
    """distance of the nodes to the minimiser, root mean square ((1/n) sum_i ||x_i - x*||^2)^(1/2)

    ValueError where the problem has no minimiser.
    """
    minimizer = known(problem.minimizer, "minimiser x*", problem)
    return _root_mean_square(iterates - minimizer)


def mean_distance(iterates: Path, problem: Problem) -> Vector:
    """distance of the nodes' mean to the minimiser ||(1/n) sum_i x_i - x*||

    ValueError where the problem has no minimiser.
    """
    minimizer = known(problem.minimizer, "minimiser x*", problem)
    return np.asarray(np.linalg.norm(iterates.mean(axis=1) - minimizer, axis=1))


def disagreement(iterates: Path, problem: Problem) -> Vector:
    """disagreement of the nodes, root mean square distance to their mean"""
    return _root_mean_square(iterates - iterates.mean(axis=1, keepdims=True))


def _root_mean_square(differences: Path) -> Vector:
    return np.asarray(np.sqrt(np.mean(np.sum(differences**2, axis=2), axis=1)))
