"""Sparse gradients: optimality, scikit-learn, closed forms, recovery, and descent with them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Lasso

from reference.lecture05 import sparse_gradient as module
from reference.lecture05 import zo_gd_sparse as descent_module
from reference.lecture05.black_box import BlackBox
from reference.lecture05.problems import affine, few_coordinates, rademacher_directions
from reference.lecture05.sparse_gradient import lasso, lasso_objective, lasso_residual, sparse_gradient
from reference.lecture05.zo_gd_forward_difference import zo_gd_forward_difference
from reference.lecture05.zo_gd_sparse import zo_gd_sparse
from reference.problems import random_quadratic
from reference.quantities import gap
from reference.variants import Kind, example_of, variants


def sparse_slope(seed, d=200, s=5):
    rng = np.random.default_rng(seed)
    c = np.zeros(d)
    c[rng.choice(d, s, replace=False)] = rng.uniform(1, 3, s) * rng.choice([-1, 1], s)
    return c


def small_system(seed=0, m=8, d=20):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((m, d)) / np.sqrt(m), rng.standard_normal(m)


# The minimisation.


def test_identity_gives_the_soft_threshold():
    np.testing.assert_allclose(lasso(np.eye(3), np.array([3, -0.5, 1]), 1.0), [2, 0, 0], atol=1e-15)


@settings(max_examples=20, deadline=None)
@given(m=st.integers(2, 12), d=st.integers(2, 25), seed=st.integers(0, 10**6), fraction=st.floats(0.02, 0.9))
def test_result_is_optimal_and_none_of_its_neighbours_is_better(m, d, seed, fraction):
    Q, b = small_system(seed, m, d)
    weight = fraction * np.abs(Q.T @ b).max()
    g = lasso(Q, b, weight)
    assert lasso_residual(Q, b, weight, g) <= 1e-13 * np.linalg.norm(Q, 2) * np.linalg.norm(b)
    rng = np.random.default_rng(seed)
    for _ in range(10):
        other = lasso_objective(Q, b, weight, g + 0.1 * rng.standard_normal(d))
        assert other >= lasso_objective(Q, b, weight, g) - 1e-12


@pytest.mark.parametrize("seed", range(3))
def test_against_scikit_learn_with_alpha_lambda_over_m(seed):
    Q, b = small_system(seed)
    weight = 0.1 * np.abs(Q.T @ b).max()
    model = Lasso(alpha=weight / len(b), fit_intercept=False, tol=1e-14, max_iter=10**6).fit(Q, b)
    np.testing.assert_allclose(lasso(Q, b, weight), model.coef_, atol=1e-6)
    assert lasso_objective(Q, b, weight, lasso(Q, b, weight)) <= lasso_objective(Q, b, weight, model.coef_) + 1e-12


def test_large_weight_gives_zero_exactly_from_the_largest_correlation_on():
    Q, b = small_system()
    largest = np.abs(Q.T @ b).max()
    np.testing.assert_array_equal(lasso(Q, b, largest), 0)
    assert np.count_nonzero(lasso(Q, b, 0.999 * largest)) == 1


def test_without_weight_it_is_the_shortest_solution():
    Q, b = small_system()
    np.testing.assert_allclose(lasso(Q, b, 0.0), np.linalg.pinv(Q) @ b, atol=1e-11)


@pytest.mark.parametrize("solver", [lasso, *(v.function for v in variants(lasso, Kind.EQUIVALENT))])
def test_nearly_singular_system_is_reported(solver, monkeypatch):
    monkeypatch.setattr(module, "_MAX_STEPS", 50)
    Q = np.array([[1.0, 1.0], [1.0, 1.0 + 1e-6]])
    with pytest.raises(RuntimeError, match="nearly singular"):
        solver(Q, np.array([1.0, 2.0]), 1e-9)


def test_a_negative_weight_is_refused_at_once():
    Q, b = small_system()
    with pytest.raises(ValueError, match=r"l1_weight is -0[.]1; it must be at least 0"):
        lasso(Q, b, -0.1)


@settings(max_examples=15, deadline=None)
@given(m=st.integers(2, 12), d=st.integers(2, 25), seed=st.integers(0, 10**6), fraction=st.floats(0.05, 0.9))
def test_equivalents_find_the_same_gradient(m, d, seed, fraction):
    """With standard normal Q the minimiser is unique (with probability 1)."""
    Q, b = small_system(seed, m, d)
    weight = fraction * np.abs(Q.T @ b).max()
    g = lasso(Q, b, weight)
    for variant in variants(lasso, Kind.EQUIVALENT):
        other = variant.function(Q, b, weight)
        assert lasso_residual(Q, b, weight, other) <= 1e-13 * np.linalg.norm(Q, 2) * np.linalg.norm(b)
        assert lasso_objective(Q, b, weight, other) == pytest.approx(lasso_objective(Q, b, weight, g), rel=1e-11)
        np.testing.assert_allclose(Q @ other, Q @ g, atol=1e-6)


def test_mistakes_in_the_minimisation(identifiers):
    assert identifiers(lasso, Kind.MISTAKE) == {
        "lasso_weight_of_mean",
        "lasso_without_half",
        "lasso_threshold_without_step",
        "lasso_with_intercept",
        "lasso_ten_steps",
    }
    Q, b = small_system(m=8, d=20)
    weight = 0.05 * np.abs(Q.T @ b).max()
    for variant in variants(lasso, Kind.MISTAKE):
        wrong = variant.function(Q, b, weight)
        assert lasso_residual(Q, b, weight, wrong) > 0.3 * weight, variant.identifier


def test_what_hides_the_mistakes_in_the_minimisation():
    b = np.array([3.0, -0.5, 1.0])
    for identifier in ("lasso_threshold_without_step", "lasso_ten_steps"):
        np.testing.assert_allclose(getattr(module, identifier)(np.eye(3), b, 1.0), [2, 0, 0], atol=1e-15)
    row = np.array([[1.0, 2.0]])
    np.testing.assert_allclose(module.lasso_weight_of_mean(row, b[:1], 1.0), lasso(row, b[:1], 1.0))


# The gradient.


@pytest.mark.parametrize("seed", range(3))
def test_sparse_slope_in_200_dimensions_from_60_directions(seed):
    """f(x) = <c, x> with 5 entries that are not 0: recovered up to the shrinking by lambda."""
    c = sparse_slope(seed)
    directions = rademacher_directions((60, 200), seed=seed)
    box = BlackBox(affine(c).value)
    g = sparse_gradient(box, np.zeros(200), 0.3, directions, 0.05)
    assert box.queries == 61
    assert lasso_residual(directions, directions @ c, 0.05, g) < 1e-11
    assert 0.015 < np.linalg.norm(g - c) / np.linalg.norm(c) < 0.05
    assert (np.abs(g[c != 0]) > 0.5).all()


def test_mistakes_in_the_gradient(identifiers):
    c = sparse_slope(0, d=20, s=2)
    problem, x, directions = affine(c), np.zeros(20), rademacher_directions((12, 20), seed=1)
    right = sparse_gradient(problem.value, x, 0.1, directions, 0.05)
    for variant in variants(sparse_gradient, Kind.MISTAKE):
        if variant.identifier == "sparse_directions_as_columns":
            with pytest.raises(ValueError, match="broadcast"):
                variant.function(problem.value, x, 0.1, directions, 0.05)
            continue
        difference = np.linalg.norm(variant.function(problem.value, x, 0.1, directions, 0.05) - right)
        expected = difference < 1e-12 if variant.identifier == "sparse_base_repeated" else difference > 0.1
        assert expected, variant.identifier
    assert identifiers(sparse_gradient, Kind.MISTAKE) == {
        "sparse_undivided",
        "sparse_directions_as_columns",
        "sparse_shortest_solution",
        "sparse_base_repeated",
    }
    box = BlackBox(problem.value)
    module.sparse_base_repeated(box, x, 0.1, directions, 0.05)
    assert box.queries == 24


def test_square_system_shows_exchanged_rows_and_columns():
    c = sparse_slope(0, d=6, s=2)
    Q = np.random.default_rng(0).standard_normal((6, 6))
    right = sparse_gradient(affine(c).value, np.zeros(6), 1.0, Q, 0.1)
    wrong = module.sparse_directions_as_columns(affine(c).value, np.zeros(6), 1.0, Q, 0.1)
    assert np.linalg.norm(wrong - right) > 0.1
    symmetric = Q + Q.T
    np.testing.assert_allclose(
        module.sparse_directions_as_columns(affine(c).value, np.zeros(6), 1.0, symmetric, 0.1),
        sparse_gradient(affine(c).value, np.zeros(6), 1.0, symmetric, 0.1),
        atol=1e-10,
    )


# Descent.


def descend(seed, num_steps, function=zo_gd_sparse, value=None):
    problem = few_coordinates()
    directions = rademacher_directions((num_steps, 30, 100), seed)
    return function(value or problem.value, problem.x0, 0.5, 0.01, 0.01, directions, num_steps)


@pytest.mark.parametrize("seed", range(3))
def test_few_coordinates_are_found_with_few_queries(seed):
    problem = few_coordinates()
    box = BlackBox(problem.value)
    gaps = gap(descend(seed, 10, value=box), problem)
    assert box.queries == 10 * 31
    assert gaps[0] == 1.5
    assert gaps[4] < 1e-2
    assert 1.2e-4 < gaps[10] < 3e-4


def test_floor_of_the_weight_remains():
    gaps = gap(descend(0, 60), few_coordinates())
    assert 4e-5 < gaps[60] < 9e-5


def test_forward_differences_need_three_times_the_queries():
    problem = few_coordinates()
    box = BlackBox(problem.value)
    iterates = zo_gd_forward_difference(box, problem.x0, 0.5, 0.01, 4)
    assert box.queries == 404
    assert gap(iterates, problem)[4] == pytest.approx(0.00677, abs=5e-6)


def test_all_coordinates_and_no_weight_give_forward_differences():
    problem = random_quadratic(5, 3.0, 0.2, seed=1)
    directions = np.array([np.eye(5)] * 20)
    sparse = zo_gd_sparse(problem.value, problem.x0, 0.3, 0.1, 0.0, directions, 20)
    forward = zo_gd_forward_difference(problem.value, problem.x0, 0.3, 0.1, 20)
    np.testing.assert_allclose(sparse, forward, atol=1e-11)


def test_form_of_the_path():
    problem = few_coordinates(6, 2)
    x0 = np.arange(6)
    directions = rademacher_directions((3, 4, 6), seed=0)
    iterates = zo_gd_sparse(problem.value, x0, 0.5, 0.01, 0.01, directions, 3)
    assert iterates.shape == (4, 6)
    assert iterates.dtype == np.float64
    np.testing.assert_array_equal(iterates[0], x0)
    np.testing.assert_array_equal(x0, np.arange(6))
    assert len(zo_gd_sparse(problem.value, x0, 0.5, 0.01, 0.01, directions, 0)) == 1


def test_variants_of_the_descent(identifiers):
    right = descend(0, 6)
    for variant in variants(zo_gd_sparse, Kind.EQUIVALENT):
        np.testing.assert_allclose(descend(0, 6, variant.function), right, atol=1e-10)
    other_path = {"stale_slopes", "frozen_matrix", "directions_drawn_once", "undivided_slopes", "shortest_gradient"}
    for identifier in other_path | {"ascent"}:
        margin = 0.005 if identifier == "directions_drawn_once" else 0.05  # 30 directions see the first 3 coordinates
        assert np.abs(descend(0, 6, getattr(descent_module, identifier)) - right).max() > margin, identifier
    assert identifiers(zo_gd_sparse, Kind.MISTAKE) == other_path | {"ascent", "base_repeated"}
    box = BlackBox(few_coordinates().value)
    np.testing.assert_allclose(descend(0, 6, descent_module.base_repeated, box), right, atol=1e-12)
    assert box.queries == 6 * 60


def test_same_directions_in_every_step_hide_two_mistakes():
    problem = few_coordinates(20, 2)
    directions = np.array([rademacher_directions((10, 20), seed=0)] * 5)
    arguments = (problem.value, problem.x0, 0.5, 0.01, 0.01, directions, 5)
    right = zo_gd_sparse(*arguments)
    for mistake in (descent_module.frozen_matrix, descent_module.directions_drawn_once):
        np.testing.assert_allclose(mistake(*arguments), right, atol=1e-11)
    arguments = (problem.value, problem.x0, 0.5, 0.01, 0.0, directions, 5)  # no weight
    np.testing.assert_allclose(descent_module.shortest_gradient(*arguments), zo_gd_sparse(*arguments), atol=1e-9)


def test_example_runs():
    example = example_of(zo_gd_sparse)
    problem = example.problem()
    arguments = {name: value(problem) if callable(value) else value for name, value in example.arguments.items()}
    iterates = zo_gd_sparse(problem.value, problem.x0, **arguments)
    assert example.quantity(iterates, problem)[-1] < 1e-3
