from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from reference.problem import Problem, Vector
from reference.variants import Kind, variants


@pytest.fixture
def numerical_gradient() -> Callable[[Callable[[Vector], float], Vector], Vector]:
    """Central differences; error about h^2 |f'''| + u |f| / h, near 1e-9 for functions and points of size 1."""

    def of(value: Callable[[Vector], float], x: Vector) -> Vector:
        h = 1e-5
        return np.array([(value(x + h * e) - value(x - h * e)) / (2 * h) for e in np.eye(len(x))])

    return of


@pytest.fixture
def numerical_hessian() -> Callable[[Problem, Vector], Any]:
    """Central differences of the gradient."""

    def of(problem: Problem, x: Vector) -> Any:
        h = 1e-5
        return np.array([(problem.gradient(x + h * e) - problem.gradient(x - h * e)) / (2 * h) for e in np.eye(len(x))])

    return of


@pytest.fixture
def identifiers() -> Callable[[Callable[..., Any], Kind], set[str]]:
    """Names of the variants of one kind."""

    def of(algorithm: Callable[..., Any], kind: Kind) -> set[str]:
        return {variant.identifier for variant in variants(algorithm, kind)}

    return of
