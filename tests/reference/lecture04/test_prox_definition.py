"""The definition of the proximity operator: search, conjugate, properties, and the definition misread."""

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given, settings
from hypothesis import strategies as st

import reference.lecture04.prox_definition as module
from reference.lecture04.prox_definition import (
    penalty_times_t,
    prox_by_search,
    prox_conjugate,
    prox_objective,
    prox_violations,
)
from reference.lecture04.prox_operators import l1_half_threshold, l1_hard_threshold, prox_l1, prox_l2
from reference.variants import Kind, variants

PARAMETER = st.floats(0.1, 5).map(lambda t: round(t, 4))
VECTOR = st.lists(st.floats(-10, 10).map(lambda x: round(x, 4)), min_size=2, max_size=2).map(np.array)


def l1(u):
    return float(np.sum(np.abs(u)))


def huber(u):
    sizes = np.abs(u)
    return float(np.sum(np.where(sizes <= 1, sizes**2 / 2, sizes - 0.5)))


# Search.


@pytest.mark.parametrize("t", [0.3, 1.0, 2.0])
def test_search_finds_the_minimum_of_a_smooth_function(t):
    v = np.array([1.7, -0.6])

    def penalty(u):
        return float(np.logaddexp(0, u[0] - 2 * u[1]) + 0.3 * u[1] ** 2)

    found = scipy.optimize.minimize(lambda u: prox_objective(penalty, v, t, u), v, method="BFGS", tol=1e-10)
    np.testing.assert_allclose(prox_by_search(penalty, v, t), found.x, atol=1e-6)


def test_search_in_one_dimension_and_refusal_in_three():
    np.testing.assert_allclose(prox_by_search(l1, np.array([2.5]), 0.7), [1.8], atol=1e-6)
    np.testing.assert_allclose(prox_by_search(huber, np.array([0.9]), 0.5), [0.6], atol=1e-6)
    with pytest.raises(ValueError, match="one or two"):
        prox_by_search(l1, np.zeros(3), 1.0)


def test_a_minimiser_of_the_penalty_stays():
    np.testing.assert_array_equal(prox_l1(np.zeros(2), 3.0), [0, 0])
    np.testing.assert_allclose(prox_by_search(lambda u: huber(u - 1.0), np.ones(2), 2.0), [1, 1], atol=1e-6)


# Conjugate.


@settings(max_examples=60, deadline=None)
@given(VECTOR, PARAMETER)
def test_conjugates_of_norms_are_indicators_of_dual_balls(v, t):
    np.testing.assert_allclose(prox_conjugate(prox_l1, v, t), np.clip(v, -1, 1), atol=1e-12)
    np.testing.assert_allclose(prox_conjugate(prox_l2, v, t), v / max(1.0, float(np.linalg.norm(v))), atol=1e-11)


@settings(max_examples=60, deadline=None)
@given(VECTOR, PARAMETER)
def test_the_conjugate_of_the_conjugate_is_the_function(v, t):
    twice = prox_conjugate(lambda w, s: prox_conjugate(prox_l1, w, s), v, t)
    np.testing.assert_allclose(twice, prox_l1(v, t), atol=1e-11)


@settings(max_examples=60, deadline=None)
@given(VECTOR, PARAMETER)
def test_moreau_identity_with_a_quadratic(v, t):
    """h = (a/2)||.||^2 has h* = ||.||^2/(2a)."""
    a = 1.7
    conjugate = prox_conjugate(lambda w, s: w / (1 + s * a), v, t)
    np.testing.assert_allclose(conjugate, v / (1 + t / a), atol=1e-12)


# Properties.


def test_properties_hold_for_the_right_operator_and_not_for_others():
    rng = np.random.default_rng(0)
    points = 2 * rng.standard_normal((6, 2))
    others = np.vstack([points, 0 * points, *(prox_l1(points, 0.7) + step for step in (-1e-2, 0, 1e-2))])
    assert max(prox_violations(prox_l1, l1, 0.7, points, others).values()) <= 1e-12
    half = prox_violations(l1_half_threshold, l1, 0.7, points, others)
    assert half["minimal"] > 0.01
    assert half["subgradient"] > 0.01
    assert half["firmly non-expansive"] <= 1e-12  # it is the operator of another function
    hard = prox_violations(l1_hard_threshold, l1, 0.7, points, others)
    assert hard["non-expansive"] > 0.01  # it jumps


# The definition misread.


def test_equivalent_objective_agrees():
    v, u = np.array([1.0, -2.0]), np.array([0.5, 0.3])
    assert penalty_times_t(l1, v, 0.4, u) == pytest.approx(prox_objective(l1, v, 0.4, u), rel=1e-14)


@pytest.mark.parametrize("identifier", [v.identifier for v in variants(prox_objective, Kind.MISTAKE)])
def test_objectives_differ_by_a_tenth_and_have_other_minimisers(identifier):
    v, u, t = np.array([1.0, -2.0]), np.array([0.5, 0.3]), 0.4
    wrong = getattr(module, identifier)
    assert abs(wrong(l1, v, t, u) - prox_objective(l1, v, t, u)) > 0.1
    if identifier == "quadratic_subtracted":
        assert wrong(l1, v, t, 1000 * u) < -1000
        return
    found = scipy.optimize.minimize_scalar(lambda x: wrong(l1, v[:1], t, np.array([x])), bounds=(-5, 5))
    threshold = {"quadratic_times_t": 1 / t, "without_one_half": t / 2, "t_forgotten": 1.0}[identifier]
    assert found.x == pytest.approx(float(prox_l1(v[:1], threshold)[0]), abs=1e-4)


def test_t_of_one_hides_where_t_stands():
    v, u = np.array([1.0, -2.0]), np.array([0.5, 0.3])
    right = prox_objective(l1, v, 1.0, u)
    assert module.quadratic_times_t(l1, v, 1.0, u) == pytest.approx(right)
    assert module.t_forgotten(l1, v, 1.0, u) == pytest.approx(right)


@pytest.mark.parametrize("identifier", [v.identifier for v in variants(prox_conjugate, Kind.MISTAKE)])
def test_conjugates_without_scaling(identifier):
    wrong = getattr(module, identifier)
    v = np.array([3.0, -0.4])
    assert np.abs(wrong(prox_l1, v, 2.0) - prox_conjugate(prox_l1, v, 2.0)).max() > 0.1
    np.testing.assert_allclose(wrong(prox_l1, v, 1.0), prox_conjugate(prox_l1, v, 1.0), atol=1e-15)


@pytest.mark.parametrize("algorithm", [prox_objective, prox_conjugate])
def test_sentences(algorithm):
    for variant in variants(algorithm, Kind.MISTAKE):
        assert variant.sentence.startswith("You")
        assert variant.sentence.endswith((".", "?"))
