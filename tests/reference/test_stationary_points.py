"""Stationary points: prescribed eigenvalues, the course's claim about saddles and where it fails, mistakes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.lecture02 import stationary_points as module
from reference.lecture02.gradient_descent import gradient_descent
from reference.lecture02.stationary_points import Stationary, classify_stationary, is_stationary
from reference.problems import bowl, saddle, sine_plus_line
from reference.variants import Kind, variants

TOLERANCE = 1e-9
MISTAKES = {"minimum_without_looking", "semidefinite_is_minimum", "by_diagonal_entries", "by_determinant"}


def with_eigenvalues(eigenvalues, seed):
    Q = np.linalg.qr(np.random.default_rng(seed).standard_normal((len(eigenvalues), len(eigenvalues)))).Q
    H = Q * np.array(eigenvalues, dtype=float) @ Q.T
    return (H + H.T) / 2


def expected(eigenvalues):
    signs = set(np.sign(eigenvalues))
    if {1, -1} <= signs:
        return Stationary.SADDLE
    if signs == {1}:
        return Stationary.MINIMUM
    return Stationary.MAXIMUM if signs == {-1} else Stationary.DEGENERATE


@settings(max_examples=100, deadline=None)
@given(eigenvalues=st.lists(st.sampled_from([-3, -1, 0, 1, 2]), min_size=1, max_size=5), seed=st.integers(0, 10**6))
def test_kind_follows_from_the_signs_of_the_eigenvalues(eigenvalues, seed):
    H = with_eigenvalues(eigenvalues, seed)
    for function in [classify_stationary, *(v.function for v in variants(classify_stationary, Kind.EQUIVALENT))]:
        assert function(H, TOLERANCE) == expected(eigenvalues)


def test_tolerance_decides_what_counts_as_zero():
    H = np.diag([1.0, 1e-6])
    assert classify_stationary(H, 1e-7) == "minimum"
    assert classify_stationary(H, 1e-6) == "degenerate"
    assert classify_stationary(-H, 1e-7) == "maximum"
    assert classify_stationary(np.diag([1.0, -1e-6]), 1e-7) == "saddle"


def test_a_vanishing_gradient():
    assert is_stationary(np.zeros(2), 0.0)
    assert is_stationary(np.array([3e-7, 4e-7]), 5.1e-7)
    assert not is_stationary(np.array([3e-7, 4e-7]), 4.9e-7)


# Points of the course's problems.


def test_points_of_the_saddle():
    problem = saddle(np.zeros(2))
    kinds = {(0.0, 0.0): "saddle", (0.0, 1.0): "minimum", (0.0, -1.0): "minimum"}
    for point, kind in kinds.items():
        assert is_stationary(problem.gradient(np.array(point)), 0.0)
        assert classify_stationary(problem.hessian(np.array(point)), TOLERANCE) == kind
    assert problem.value(np.array([0.0, 1.0])) == problem.minimum


def test_stationary_points_of_the_sine_plus_a_line():
    problem = sine_plus_line()
    x = (np.pi - np.arccos(2 / np.pi)) / np.pi
    for point, kind in [(-x, "minimum"), (x, "maximum")]:
        assert is_stationary(problem.gradient(np.array([point])), 1e-14)
        assert classify_stationary(problem.hessian(np.array([point])), TOLERANCE) == kind


def test_the_stationary_point_of_a_convex_function_is_its_minimum():
    assert classify_stationary(bowl().hessian(np.zeros(2)), TOLERANCE) == "minimum"


# Gradient descent and saddles.


@pytest.mark.parametrize("seed", range(10))
def test_random_starts_end_at_a_minimum(seed):
    start = np.random.default_rng(seed).uniform(-1, 1, size=2)
    problem = saddle(start)
    iterates = gradient_descent(problem.gradient, start, 0.1, 1000)
    assert np.abs(iterates).max() <= 2 / np.sqrt(3)
    np.testing.assert_allclose(iterates[-1], problem.minimizer, atol=1e-12)


def test_start_on_the_ridge_ends_at_the_saddle():
    problem = saddle(np.array([0.8, 0.0]))
    iterates = gradient_descent(problem.gradient, problem.x0, 0.1, 1000)
    np.testing.assert_allclose(iterates[-1], 0, atol=1e-12)
    assert iterates[-1, 1] == 0


def test_start_beside_the_ridge_is_slow_to_leave():
    problem = replace(saddle(np.zeros(2)), x0=np.array([0.8, 1e-8]))
    iterates = gradient_descent(problem.gradient, problem.x0, 0.1, 1000)
    assert np.linalg.norm(iterates[100]) < 1e-3
    np.testing.assert_allclose(iterates[-1], [0, 1], atol=1e-12)


@pytest.mark.parametrize("start", [0.1, 0.5, 1.0])
def test_cubic_shows_that_the_claim_of_the_slide_needs_its_conditions(start):
    """x^3 has no local minimum, and gradient descent from a whole interval converges to the degenerate point 0."""
    iterates = gradient_descent(lambda x: 3 * x**2, np.array([start]), 0.1, 20000)
    assert (np.diff(iterates[:, 0]) < 0).all()
    assert 0 < iterates[-1, 0] < 1e-3
    assert classify_stationary(np.zeros((1, 1)), TOLERANCE) == "degenerate"


# Mistakes.


def test_the_known_mistakes(identifiers):
    assert identifiers(classify_stationary, Kind.MISTAKE) == MISTAKES


@pytest.mark.parametrize(
    ("mistake", "hessian", "wrong"),
    [
        (module.minimum_without_looking, np.diag([1.0, -1.0]), "minimum"),
        (module.minimum_without_looking, -np.eye(2), "minimum"),
        (module.semidefinite_is_minimum, np.diag([1.0, 0.0]), "minimum"),
        (module.semidefinite_is_minimum, np.diag([-1.0, 0.0]), "maximum"),
        (module.by_diagonal_entries, np.array([[1.0, 2.0], [2.0, 1.0]]), "minimum"),
        (module.by_diagonal_entries, -np.array([[1.0, 2.0], [2.0, 1.0]]), "maximum"),
        (module.by_diagonal_entries, np.array([[0.0, 1.0], [1.0, 0.0]]), "degenerate"),
        (module.by_determinant, np.diag([1.0, 1.0, -1.0, -1.0]), "minimum"),
        (module.by_determinant, -np.eye(3), "saddle"),
        (module.by_determinant, np.diag([1.0, -1.0, 0.0]), "degenerate"),
    ],
)
def test_mistakes(mistake, hessian, wrong):
    assert mistake(hessian, TOLERANCE) == wrong != classify_stationary(hessian, TOLERANCE)


@pytest.mark.parametrize("eigenvalues", [(1, 2), (-1, -2), (1, -1)])
def test_two_variables_without_zeros_hide_most_of_them(eigenvalues):
    H = np.diag(np.array(eigenvalues, dtype=float))
    for mistake in (module.semidefinite_is_minimum, module.by_diagonal_entries, module.by_determinant):
        assert mistake(H, TOLERANCE) == classify_stationary(H, TOLERANCE)
    assert module.by_determinant(np.diag([1.0, 0.0]), TOLERANCE) == "degenerate"
