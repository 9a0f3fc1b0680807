"""Closed forms of proximity operators: golden numbers, torch, brute force, properties, other forms, mistakes."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import reference.lecture04.prox_operators as module
from reference.lecture04.projections import project_box, project_l1_ball, project_l2_ball, project_nonneg
from reference.lecture04.prox_definition import prox_by_search, prox_violations
from reference.lecture04.prox_operators import prox_indicator, prox_l1, prox_l2, prox_nuclear
from reference.lecture04.subdifferentials import in_subdifferential_l1, in_subdifferential_l2
from reference.variants import Kind, variants

NUMBER = st.one_of(st.integers(-3, 3).map(float), st.floats(-50, 50).map(lambda x: round(x, 6)))
PARAMETER = st.one_of(st.sampled_from([0.5, 1.0, 2.0, 5.0]), st.floats(0.01, 20).map(lambda x: round(x, 6)))


def l1(u):
    return float(np.sum(np.abs(u)))


def l2(u):
    return float(np.linalg.norm(u))


def nuclear(M):
    return float(np.linalg.norm(M, "nuc"))


def arrays(*shape):
    count = int(np.prod(shape))
    return st.lists(NUMBER, min_size=count, max_size=count).map(lambda entries: np.array(entries).reshape(shape))


VECTORS = st.integers(1, 5).flatmap(lambda d: arrays(4, d))


# Golden numbers.


def test_golden_numbers():
    np.testing.assert_array_equal(prox_l1(np.array([3, -0.5, -2, 0.2]), 1), [2, 0, -1, 0])
    np.testing.assert_allclose(prox_l2(np.array([3.0, 4.0]), 1), [2.4, 3.2], rtol=1e-15)
    np.testing.assert_array_equal(prox_l2(np.array([0.3, 0.4]), 1), [0, 0])
    np.testing.assert_allclose(prox_nuclear(np.array([[2.0, 1.0], [1.0, 2.0]]), 1.5), np.full((2, 2), 0.75), atol=1e-14)
    np.testing.assert_array_equal(prox_indicator(np.array([2.0, -1.0]), 3.0, project_nonneg), [2, 0])


# The boundary and zero.


def test_at_zero_and_on_the_threshold():
    zero = np.zeros(3)
    np.testing.assert_array_equal(prox_l1(zero, 1.0), zero)
    np.testing.assert_array_equal(prox_l2(zero, 1.0), zero)
    np.testing.assert_array_equal(prox_l2(zero, 0.0), zero)
    np.testing.assert_array_equal(prox_nuclear(np.zeros((2, 3)), 1.0), np.zeros((2, 3)))
    np.testing.assert_array_equal(prox_l1(np.array([1.0, -1.0]), 1.0), [0, 0])
    np.testing.assert_array_equal(prox_l2(np.array([3.0, 4.0]), 5.0), [0, 0])
    np.testing.assert_allclose(prox_l2(np.array([3.0, 4.0]), 5.0 - 1e-9), 0, atol=1e-8)  # continuous


def test_parameter_zero_is_the_identity_and_negative_ones_are_refused():
    v, M = np.array([3.0, -4.0]), np.array([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(prox_l1(v, 0.0), v)
    np.testing.assert_array_equal(prox_l2(v, 0.0), v)
    np.testing.assert_allclose(prox_nuclear(M, 0.0), M, atol=1e-14)
    for call in (
        lambda: prox_l1(v, -1.0),
        lambda: prox_l2(v, -1.0),
        lambda: prox_nuclear(M, -1.0),
        lambda: prox_indicator(v, -1.0, project_nonneg),
    ):
        with pytest.raises(ValueError, match="not negative"):
            call()


def test_arguments_are_left_alone_and_integers_accepted():
    v = np.array([3, -4])
    for prox in (prox_l1, prox_l2):
        projected = prox(v, 1)
        assert projected.dtype == np.float64
        np.testing.assert_array_equal(v, [3, -4])


# Defining properties.


@settings(max_examples=60, deadline=None)
@given(VECTORS, PARAMETER)
def test_l1_and_l2_minimise_and_are_firmly_non_expansive(points, t):
    for prox, norm in ((prox_l1, l1), (prox_l2, l2)):
        images = np.array([prox(v, t) for v in points])
        others = np.vstack([images, points, 0 * points, images + 1e-3, images - 1e-3, 0.9 * images])
        found = prox_violations(prox, norm, t, points, others)
        assert max(found.values()) <= 1e-9, found


@settings(max_examples=60, deadline=None)
@given(VECTORS, PARAMETER)
def test_residual_is_a_subgradient_and_oddness(points, t):
    for v in points:
        for prox, contains in ((prox_l1, in_subdifferential_l1), (prox_l2, in_subdifferential_l2)):
            u = prox(v, t)
            assert contains((v - u) / t, u, tolerance=1e-7 / t)
            np.testing.assert_array_equal(prox(-v, t), -u)


@settings(max_examples=60, deadline=None)
@given(VECTORS, PARAMETER)
def test_moreau_identity(points, t):
    """v = prox_{t h}(v) + t P[v/t], with the projection onto the unit ball of the dual norm; both ways round."""
    for v in points:
        np.testing.assert_allclose(prox_l1(v, t) + np.clip(v, -t, t), v, atol=1e-12)
        np.testing.assert_allclose(prox_l2(v, t) + project_l2_ball(v, t), v, atol=1e-11)
        # The dual of linf is l1: v - P_{l1 ball of radius t}[v] is the proximity operator of t ||.||_inf.
        u = v - project_l1_ball(v, t)
        others = np.vstack([points, u + 1e-3, 0.99 * u, 0 * u])
        objective = t * np.max(np.abs(u)) + 0.5 * np.sum((u - v) ** 2)
        for other in others:
            assert objective <= t * np.max(np.abs(other)) + 0.5 * np.sum((other - v) ** 2) + 1e-9


@settings(max_examples=40, deadline=None)
@given(arrays(3, 2, 3), PARAMETER)
def test_nuclear_minimises_and_is_firmly_non_expansive(matrices, t):
    def flat_prox(v, s):
        return prox_nuclear(v.reshape(2, 3), s).ravel()

    points = matrices.reshape(3, 6)
    images = np.array([flat_prox(v, t) for v in points])
    others = np.vstack([images, points, 0 * points, images + 1e-3, 0.9 * images])
    found = prox_violations(flat_prox, lambda u: nuclear(u.reshape(2, 3)), t, points, others)
    assert max(found.values()) <= 1e-8, found


@settings(max_examples=40, deadline=None)
@given(arrays(3, 2), PARAMETER)
def test_nuclear_shrinks_singular_values_and_turns_with_the_matrix(M, t):
    s = np.linalg.svd(M, compute_uv=False)
    u = prox_nuclear(M, t)
    np.testing.assert_allclose(np.linalg.svd(u, compute_uv=False), np.maximum(s - t, 0), atol=1e-11)
    np.testing.assert_allclose(prox_nuclear(M.T, t), u.T, atol=1e-11)
    rotation = np.array([[0.6, -0.8], [0.8, 0.6]])
    np.testing.assert_allclose(prox_nuclear(M @ rotation, t), u @ rotation, atol=1e-11)


@settings(max_examples=40, deadline=None)
@given(VECTORS, PARAMETER, PARAMETER)
def test_indicator_does_not_depend_on_t_and_minimises_over_the_set(points, t, other_t):
    project = partial(project_l2_ball, radius=1.5)
    for v in points:
        u = prox_indicator(v, t, project)
        np.testing.assert_array_equal(u, project(v))
        np.testing.assert_array_equal(u, prox_indicator(v, other_t, project))
        for w in points:
            assert np.sum((u - v) ** 2) <= np.sum((project(w) - v) ** 2) + 1e-9


# Independent implementations.


@pytest.mark.parametrize("t", [0.3, 1.0, 2.5])
def test_soft_threshold_agrees_with_torch(t):
    v = 3 * np.random.default_rng(0).standard_normal((4, 5))
    np.testing.assert_allclose(prox_l1(v, t), torch.nn.functional.softshrink(torch.tensor(v), t).numpy(), atol=1e-15)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("prox", "norm"), [(prox_l1, l1), (prox_l2, l2)])
def test_agrees_with_a_search_for_the_minimum(prox, norm, seed):
    rng = np.random.default_rng(seed)
    v, t = 2 * rng.standard_normal(2), rng.uniform(0.3, 2)
    np.testing.assert_allclose(prox(v, t), prox_by_search(norm, v, t), atol=1e-6)


# Equivalents.


EXTRA = {prox_l1: (), prox_l2: (), prox_indicator: (partial(project_box, lower=-1.0, upper=2.0),)}


@pytest.mark.parametrize("prox", EXTRA)
@settings(max_examples=60, deadline=None)
@given(VECTORS, PARAMETER)
def test_equivalents_agree(prox, points, t):
    for variant in variants(prox, Kind.EQUIVALENT):
        for v in points:
            np.testing.assert_allclose(variant.function(v, t, *EXTRA[prox]), prox(v, t, *EXTRA[prox]), atol=1e-11)


@settings(max_examples=40, deadline=None)
@given(arrays(2, 3), PARAMETER)
def test_equivalents_of_the_nuclear_norm_agree(M, t):
    for variant in variants(prox_nuclear, Kind.EQUIVALENT):
        np.testing.assert_allclose(variant.function(M, t), prox_nuclear(M, t), atol=1e-11)


def test_equivalents_accept_integers():
    for prox in (prox_l1, prox_l2):
        for variant in variants(prox, Kind.EQUIVALENT):
            np.testing.assert_allclose(variant.function(np.array([3, 0, -2]), 1), prox(np.array([3.0, 0, -2]), 1))


def test_number_of_equivalents():
    counts = [len(variants(p, Kind.EQUIVALENT)) for p in (prox_l1, prox_l2, prox_indicator, prox_nuclear)]
    assert counts == [4, 2, 1, 2]


# Mistakes.


def a(*entries):
    return np.array(entries, dtype=np.float64)


V = (a(3, -0.5, -2, 0.2), 1.0)
BOX = partial(project_box, lower=-1.0, upper=1.0)
M = np.array([[1.0, 3.0], [-1.0, 2.0]])
MISTAKES = {
    v.identifier: v for p in (prox_l1, prox_l2, prox_indicator, prox_nuclear) for v in variants(p, Kind.MISTAKE)
}
SEEN = {
    "l1_hard_threshold": V,
    "l1_negative_side_lost": V,
    "l1_without_max": V,
    "l1_threshold_outside_sign": V,
    "l1_half_threshold": V,
    "l1_double_threshold": V,
    "l1_inverse_threshold": (V[0], 0.5),
    "l1_threshold_on_the_length": V,
    "l2_elementwise": (a(3, 4), 1.0),
    "l2_norm_squared": (a(3, 4), 1.0),
    "l2_without_zero_branch": (a(0.3, 0.4), 1.0),
    "l2_of_the_squared_norm": (a(3, 4), 1.0),
    "l2_printed_condition": (a(0.6, 0.3), 0.2),
    "indicator_of_the_scaled_set": (a(2, -3), 0.5, BOX),
    "indicator_scaled_result": (a(2, -3), 0.5, BOX),
    "nuclear_entrywise": (M, 1.0),
    "nuclear_hard_threshold": (M, 1.0),
    "nuclear_by_eigenvalues": (M, 1.0),
    "nuclear_factor_not_transposed": (np.array([[1.0, 3.0, 0.0], [-1.0, 2.0, 1.0], [0.5, 0.0, 2.0]]), 1.0),
    "nuclear_threshold_on_squares": (M, 1.0),
}
HIDDEN = {
    "l1_hard_threshold": (a(0.3, -0.5), 1.0),
    "l1_negative_side_lost": (a(3, -0.5), 1.0),
    "l1_without_max": (a(3, -2, 0), 1.0),
    "l1_threshold_outside_sign": (a(3, 2), 1.0),
    "l1_inverse_threshold": V,
    "l1_threshold_on_the_length": (a(-3), 1.0),
    "l2_elementwise": (a(-3), 1.0),
    "l2_norm_squared": (a(0.6, 0.8), 0.5),
    "l2_without_zero_branch": (a(3, 4), 1.0),
    "l2_of_the_squared_norm": (a(1.2, 1.6), 1.0),
    "l2_printed_condition": (a(3, 4), 1.0),
    "indicator_of_the_scaled_set": (a(2, -3), 0.5, project_nonneg),
    "indicator_scaled_result": (a(2, -3), 1.0, BOX),
    "nuclear_entrywise": (np.diag([3.0, -2.0]), 1.0),
    "nuclear_hard_threshold": (0.2 * M, 1.0),
    "nuclear_by_eigenvalues": (np.array([[2.0, 1.0], [1.0, 2.0]]), 1.5),
    "nuclear_factor_not_transposed": (np.diag([3.0, 2.0]), 1.0),
    "nuclear_threshold_on_squares": (M, 0.0),
}


def difference(identifier, arguments):
    variant = MISTAKES[identifier]
    return np.abs(variant.function(*arguments) - variant.algorithm(*arguments)).max()


def test_every_mistake_is_here():
    assert set(MISTAKES) == set(SEEN)


@pytest.mark.parametrize("identifier", SEEN)
def test_mistake_is_seen_by_a_twentieth(identifier):
    assert difference(identifier, SEEN[identifier]) > 0.05
    assert MISTAKES[identifier].sentence.startswith("You")
    assert MISTAKES[identifier].sentence.endswith((".", "?"))


@pytest.mark.parametrize("identifier", HIDDEN)
def test_mistake_is_invisible(identifier):
    assert difference(identifier, HIDDEN[identifier]) < 1e-14


def test_printed_condition_of_the_l2_norm_is_wrong_on_both_sides():
    """Slide 12 with R = 1: a short vector becomes 0 although t is small, a long one turns round where t is large."""
    np.testing.assert_array_equal(module.l2_printed_condition(a(0.6, 0.3), 0.2), [0, 0])
    np.testing.assert_allclose(module.l2_printed_condition(a(0.0, 1.5), 3.0), [0, -1.5], rtol=1e-15)


def test_no_zero_branch_is_nan_at_zero():
    assert np.isnan(module.l2_without_zero_branch(np.zeros(2), 1.0)).all()


def test_half_threshold_is_the_minimiser_without_one_half():
    v = a(1.3, -0.4)
    np.testing.assert_allclose(
        module.l1_half_threshold(v, 0.6), prox_by_search(lambda u: 0.6 * l1(u) / 2, v, 1.0), atol=1e-6
    )


def test_eigenvalues_need_a_square_matrix():
    with pytest.raises(np.linalg.LinAlgError):
        module.nuclear_by_eigenvalues(np.ones((2, 3)), 1.0)
