"""Problems spread over nodes: their constants, their gradients, the quantities along a run, the heterogeneity."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from reference.lecture01.distributed.heterogeneity import heterogeneity
from reference.lecture01.distributed.nodes import average_gradient, draws, local_gradients
from reference.lecture01.distributed.problems import (
    four_parabolas,
    least_squares_nodes,
    noisy_gradients,
    opposed_valleys,
    quadratic_nodes,
    random_least_squares_nodes,
    random_quadratic_nodes,
    row_gradients,
    three_agents,
)
from reference.lecture01.distributed.quantities import disagreement, mean_distance, rms_distance
from reference.variants import Kind, variants

PROBLEMS = {
    "four parabolas": four_parabolas(),
    "three agents": three_agents(),
    "opposed valleys": opposed_valleys(0.5),
    "random quadratics": random_quadratic_nodes(5, 4, 3.0, 0.2, spread=1.0, seed=1),
    "least squares": random_least_squares_nodes(nodes=4, rows=2, dimension=5, seed=2),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_gradients_belong_to_the_value(name, numerical_gradient):
    problem = PROBLEMS[name]
    x = np.linspace(-1, 2, len(problem.x0))
    np.testing.assert_allclose(problem.gradient(x), numerical_gradient(problem.value, x), atol=1e-8)
    mean = np.mean([gradient(x) for gradient in problem.gradients], axis=0)
    np.testing.assert_allclose(problem.gradient(x), mean, atol=1e-14)


@pytest.mark.parametrize("name", PROBLEMS)
def test_minimum_agrees_with_scipy(name):
    problem = PROBLEMS[name]
    theirs = minimize(problem.value, problem.x0, jac=problem.gradient, method="BFGS", options={"gtol": 1e-10})
    np.testing.assert_allclose(problem.minimizer, theirs.x, atol=1e-6)
    assert problem.minimum == pytest.approx(theirs.fun, abs=1e-10)
    assert np.linalg.norm(problem.gradient(problem.minimizer)) < 1e-13


@pytest.mark.parametrize("name", PROBLEMS)
def test_constants_are_those_of_the_hessians(name, numerical_hessian):
    problem = PROBLEMS[name]
    hessian = numerical_hessian(problem, problem.x0)
    spectrum = np.linalg.eigvalsh((hessian + hessian.T) / 2)
    np.testing.assert_allclose([problem.smoothness, problem.strong_convexity], spectrum[[-1, 0]], atol=1e-8)
    for gradient, L, mu in zip(problem.gradients, problem.node_smoothness, problem.node_strong_convexity, strict=True):
        columns = np.array([gradient(e) - gradient(0 * e) for e in np.eye(len(problem.x0))])
        spectrum = np.linalg.eigvalsh((columns + columns.T) / 2)
        np.testing.assert_allclose([L, mu], [spectrum[-1], spectrum[0]], atol=1e-12)


def test_four_parabolas_have_the_constants_of_the_catalogue():
    problem = four_parabolas()
    assert problem.minimizer == pytest.approx(0.7, abs=1e-15)
    assert problem.minimum == pytest.approx(2.2625, abs=1e-15)
    assert (problem.smoothness, problem.strong_convexity, problem.node_smoothness.max()) == (2.5, 2.5, 4.0)
    assert problem.data["minimizers"].mean() == 1


def test_opposed_valleys_have_the_constants_of_the_catalogue():
    problem = opposed_valleys()
    assert problem.strong_convexity == pytest.approx(7 / 6, rel=1e-14)
    assert problem.smoothness == pytest.approx(103 / 6, rel=1e-15)
    assert problem.smoothness == pytest.approx(17.1667, abs=5e-5)


def test_random_quadratics_agree_on_the_minimiser_where_nothing_is_spread():
    problem = random_quadratic_nodes(6, 3, 4.0, 0.5, spread=0.0, seed=3)
    assert heterogeneity(problem.gradients, problem.minimizer) < 1e-27
    assert heterogeneity(problem.gradients, problem.x0) > 0.1
    assert 0.5 <= problem.strong_convexity <= problem.smoothness <= 4.0


def test_starts_are_the_start_on_every_node():
    np.testing.assert_array_equal(opposed_valleys(2.0).starts, np.full((3, 3), 2.0))


def test_least_squares_nodes_are_the_pooled_least_squares():
    problem = random_least_squares_nodes(nodes=3, rows=4, dimension=2, seed=5)
    A, b = problem.data["A"].reshape(12, 2), problem.data["b"].reshape(12)
    np.testing.assert_allclose(problem.minimizer, np.linalg.solve(A.T @ A, A.T @ b), atol=1e-14)
    assert problem.value(problem.x0) == pytest.approx(np.sum((A @ problem.x0 - b) ** 2) / 6)


def test_what_is_refused():
    with pytest.raises(ValueError, match="full column rank"):
        least_squares_nodes(np.ones((2, 3, 2)), np.ones((2, 3)), np.zeros(2))
    with pytest.raises(ValueError, match="semi-definite"):
        quadratic_nodes(np.array([[[1.0, 1], [0, 1]]]), np.zeros((1, 2)), np.zeros(2), "skew")
    with pytest.raises(ValueError, match="semi-definite"):
        quadratic_nodes(np.array([[[3.0]], [[-1.0]]]), np.zeros((2, 1)), np.zeros(1), "concave node")
    with pytest.raises(ValueError, match="not unique"):
        quadratic_nodes(np.zeros((2, 1, 1)), np.zeros((2, 1)), np.zeros(1), "flat")
    with pytest.raises(ValueError, match="two dimensions"):
        random_quadratic_nodes(2, 1, 2.0, 1.0, 0.0, 0)


# Stochastic gradients.


def test_row_gradients_are_unbiased():
    problem = PROBLEMS["least squares"]
    rows = problem.data["A"].shape[1]
    for exact, stochastic in zip(problem.gradients, row_gradients(problem), strict=True):
        mean = np.mean([stochastic(problem.x0, row) for row in range(rows)], axis=0)
        np.testing.assert_allclose(mean, exact(problem.x0), atol=1e-14)


def test_noisy_gradients_add_their_sample():
    problem = four_parabolas()
    noisy = noisy_gradients(problem)[1]
    assert noisy(np.array([2.0]), np.array([0.5])) == problem.gradients[1](np.array([2.0])) + 0.5


def test_local_gradients_are_each_at_the_own_point():
    problem = four_parabolas()
    X = np.array([[1.0], [2.0], [3.0], [4.0]])
    np.testing.assert_array_equal(local_gradients(problem.gradients, X), [[-2.0], [6.0], [3.0], [16.0]])
    with pytest.raises(ValueError, match="zip"):
        local_gradients(problem.gradients, X[:3])
    assert average_gradient(problem.gradients, np.zeros(1)) == -1.75


def test_draws():
    assert list(draws(None, 3)) == [None] * 3
    assert list(draws([5, 6], 2)) == [5, 6]
    with pytest.raises(ValueError, match="samples for 2 steps, and 3 steps"):
        draws([5, 6], 3)


# Quantities.


def test_quantities_by_hand():
    problem = four_parabolas()
    iterates = np.array([[[0.7]] * 4, [[0.7], [0.7], [0.7], [2.7]]])
    np.testing.assert_allclose(rms_distance(iterates, problem), [0, 1], atol=1e-15)
    np.testing.assert_allclose(mean_distance(iterates, problem), [0, 0.5], atol=1e-15)
    np.testing.assert_allclose(disagreement(iterates, problem), [0, np.sqrt(0.75)], atol=1e-15)


def test_quantities_obey_pythagoras():
    problem = PROBLEMS["random quadratics"]
    iterates = np.random.default_rng(6).standard_normal((7, 5, 4))
    parts = mean_distance(iterates, problem) ** 2 + disagreement(iterates, problem) ** 2
    np.testing.assert_allclose(rms_distance(iterates, problem) ** 2, parts, rtol=1e-14)


# Heterogeneity.


def test_heterogeneity_of_the_four_parabolas():
    problem = four_parabolas()
    assert heterogeneity(problem.gradients, problem.minimizer) == pytest.approx(9.975, rel=1e-14)


@settings(deadline=None)
@given(st.integers(1, 6), st.integers(2, 4), st.integers(0, 2**32 - 1))
def test_heterogeneity_agrees_with_numpy_and_its_equivalents(nodes, dimension, seed):
    problem = random_quadratic_nodes(nodes, dimension, 3.0, 0.3, spread=1.0, seed=seed)
    G = np.array([gradient(problem.x0) for gradient in problem.gradients])
    theirs = np.trace(np.atleast_2d(np.cov(G.T, bias=True)))
    ours = heterogeneity(problem.gradients, problem.x0)
    assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-13)
    for variant in variants(heterogeneity, Kind.EQUIVALENT):
        rounding = 1e-14 * (G**2).sum()
        assert variant.function(problem.gradients, problem.x0) == pytest.approx(ours, rel=1e-12, abs=rounding)


def test_heterogeneity_of_quadratics_grows_with_the_distance_unless_hessians_are_equal():
    different = PROBLEMS["random quadratics"]
    equal = quadratic_nodes(np.tile(np.eye(2), (3, 1, 1)), np.arange(6.0).reshape(3, 2), np.zeros(2), "equal Hessians")
    far = 1e6 * np.ones(2)
    assert heterogeneity(equal.gradients, far) == pytest.approx(heterogeneity(equal.gradients, 0 * far), rel=1e-6)
    at = [heterogeneity(different.gradients, scale * np.ones(4)) for scale in (1e3, 1e4)]
    assert at[1] / at[0] == pytest.approx(100, rel=0.05)


@pytest.mark.parametrize("variant", variants(heterogeneity, Kind.MISTAKE), ids=lambda v: v.identifier)
def test_mistakes_in_the_heterogeneity_are_off_by_a_tenth(variant):
    problem = PROBLEMS["random quadratics"]
    right = heterogeneity(problem.gradients, problem.x0)
    assert abs(variant.function(problem.gradients, problem.x0) / right - 1) > 0.1


def test_what_hides_mistakes_in_the_heterogeneity():
    mistakes = {v.identifier: v.function for v in variants(heterogeneity, Kind.MISTAKE)}
    problem = PROBLEMS["random quadratics"]
    at_minimizer = heterogeneity(problem.gradients, problem.minimizer)
    assert mistakes["mean_squared_norm"](problem.gradients, problem.minimizer) == pytest.approx(at_minimizer, rel=1e-12)
    line = four_parabolas()
    ours = heterogeneity(line.gradients, line.x0)
    assert mistakes["averaged_over_coordinates"](line.gradients, line.x0) == pytest.approx(ours)
    two = [partial(np.multiply, 2.0), partial(np.multiply, 5.0)]
    assert mistakes["mean_norm_squared"](two, np.ones(3)) == pytest.approx(heterogeneity(two, np.ones(3)))
    assert np.isnan(mistakes["sample_variance"](two[:1], np.ones(3)))
