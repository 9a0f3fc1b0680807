"""`moved_problem`: every oracle of the moved problem is that of the problem, moved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from grader.assignment.experiment import Experiment
from grader.assignment.relations import moved_problem
from reference import problems
from reference.lecture09.saga import saga
from reference.problem import Problem

MATRIX = np.linalg.qr(np.random.default_rng(2).standard_normal((3, 3))).Q
SHIFT = np.array([1.0, -2.0, 0.5])
POINT = np.array([0.3, 1.2, -0.7])
N = 12


def finite_sum() -> Problem:
    """f is the mean of (a_i^T x - b_i)^2 / 2."""
    generator = np.random.default_rng(1)
    A, b = generator.standard_normal((N, 3)), generator.standard_normal(N)
    whole = problems.least_squares(A / np.sqrt(N), b / np.sqrt(N), generator.standard_normal(3))
    return replace(whole, component_gradient=lambda x, i: A[i] * (A[i] @ x - b[i]), num_components=N)


def test_the_gradients_of_a_moved_finite_sum_have_its_gradient_as_their_mean() -> None:
    problem = moved_problem(finite_sum(), MATRIX, SHIFT)
    assert problem.component_gradient is not None
    components = [problem.component_gradient(POINT, i) for i in range(N)]
    np.testing.assert_allclose(np.mean(components, axis=0), problem.gradient(POINT), rtol=1e-12)


def test_a_method_for_finite_sums_moves_with_its_problem() -> None:
    indices = np.random.default_rng(3).integers(0, N, 30)
    still, moved = (
        Experiment("e", saga, problem, learning_rate=0.05, indices=indices, num_steps=30)
        for problem in (finite_sum(), moved_problem(finite_sum(), MATRIX, SHIFT))
    )
    path = saga(**still.arguments)  # type: ignore[arg-type]
    np.testing.assert_allclose(saga(**moved.arguments), path @ MATRIX.T + SHIFT, rtol=1e-10)  # type: ignore[arg-type]


def test_without_components_there_are_none_when_moved() -> None:
    assert moved_problem(problems.random_quadratic(3, 10.0, 1.0, seed=1), MATRIX, SHIFT).component_gradient is None
