"""Compressors against the enumeration of all their outcomes; compressed SGD, and how a biased compressor breaks it."""

import itertools
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reference.lecture01.distributed.compressed_sgd import compressed_sgd
from reference.lecture01.distributed.compressors import (
    dense_bits,
    draw_coordinates,
    qsgd,
    qsgd_bits,
    qsgd_variance,
    qsgd_variance_bound,
    rand_k,
    rand_k_variance,
    scaled_sign,
    scaled_sign_error,
    sign_bits,
    sparse_bits,
    top_k,
    top_k_error_bound,
)
from reference.lecture01.distributed.problems import four_parabolas, opposed_valleys, random_quadratic_nodes
from reference.lecture01.distributed.psgd import psgd
from reference.variants import Kind, variants

V = np.array([1.0, -2.0, 2.0, 4.0])  # norm 5

entries = st.floats(-1e3, 1e3).filter(lambda x: x == 0 or abs(x) > 1e-3)
vectors = st.integers(1, 5).flatmap(lambda d: arrays(np.float64, d, elements=entries))


def mistakes(function):
    return {v.identifier: v.function for v in variants(function, Kind.MISTAKE)}


def conventions(function):
    return {v.identifier: v.function for v in variants(function, Kind.CONVENTION)}


def outcomes_of_qsgd(v, levels):
    """All outcomes with their probabilities: each entry down (u = 1 - 1e-16) or up (u = 0, where p > 0)."""
    norm = np.linalg.norm(v)
    p = np.modf(levels * np.abs(v) / norm)[0] if norm > 0 else np.zeros(len(v))
    for up in itertools.product([False, True], repeat=len(v)):
        probability = np.prod(np.where(up, p, 1 - p))
        yield probability, qsgd(v, np.where(up, 0.0, 1.0 - 1e-16), levels)


def outcomes_of_rand_k(v, k):
    subsets = list(itertools.combinations(range(len(v)), k))
    for subset in subsets:
        yield 1 / len(subsets), rand_k(v, np.array(subset))


def mean_and_variance(outcomes, v):
    pairs = list(outcomes)
    mean = sum(probability * outcome for probability, outcome in pairs)
    return mean, sum(probability * np.sum((outcome - v) ** 2) for probability, outcome in pairs)


# QSGD.


@pytest.mark.parametrize(("levels", "variance", "bound"), [(1, 20, 50), (2, 5, 25), (4, 1.25, 6.25)])
def test_qsgd_golden_numbers(levels, variance, bound):
    assert qsgd_variance(V, levels) == pytest.approx(variance, rel=1e-14)
    assert qsgd_variance_bound(V, levels) == pytest.approx(bound, rel=1e-14)


def test_qsgd_outcomes_by_hand():
    """s = 1: p = (.2, .4, .4, .8), and entries become 0 or +-5."""
    np.testing.assert_array_equal(qsgd(V, np.array([0.1, 0.3, 0.5, 0.79]), 1), [5, -5, 0, 5])
    np.testing.assert_array_equal(qsgd(V, np.array([0.2, 0.4, 0.4, 0.8]), 1), np.zeros(4))


@settings(deadline=None)
@given(vectors, st.integers(1, 5))
def test_qsgd_is_unbiased_with_the_exact_variance_below_the_bound(v, levels):
    mean, variance = mean_and_variance(outcomes_of_qsgd(v, levels), v)
    size = np.linalg.norm(v)
    np.testing.assert_allclose(mean, v, rtol=0, atol=1e-13 * size)
    assert variance == pytest.approx(qsgd_variance(v, levels), abs=1e-12 * size**2)
    assert variance <= qsgd_variance_bound(v, levels) + 1e-12 * size**2


def test_qsgd_variance_bound_is_nearly_attained():
    """s = 1, d equal entries: variance ||v||^2 (sqrt(d) - 1), bound ||v||^2 sqrt(d)."""
    v = np.ones(400)
    assert qsgd_variance(v, 1) / qsgd_variance_bound(v, 1) == pytest.approx(19 / 20)


@settings(deadline=None)
@given(vectors, st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_qsgd_values_are_levels_and_never_change_sign(v, levels, seed):
    q = qsgd(v, np.random.default_rng(seed).random(len(v)), levels)
    norm = np.linalg.norm(v)
    if norm == 0:
        np.testing.assert_array_equal(q, 0)
        return
    integers = q * levels / norm
    np.testing.assert_allclose(integers, np.round(integers), atol=1e-12)
    assert (np.abs(integers) <= levels + 1e-12).all()
    assert (q * v >= 0).all()


@settings(deadline=None)
@given(vectors, st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_qsgd_by_entry(v, levels, seed):
    other = next(variant.function for variant in variants(qsgd, Kind.EQUIVALENT))
    u = np.random.default_rng(seed).random(len(v))
    np.testing.assert_allclose(other(v, u, levels), qsgd(v, u, levels), rtol=1e-13)


def test_qsgd_mistakes_differ():
    u = np.array([0.15, 0.3, 0.5, 0.3])
    assert set(mistakes(qsgd)) == {
        "deterministic_rounding",
        "max_norm",
        "root_of_levels",
        "swapped_probability",
        "not_decoded",
        "lost_sign",
    }
    for wrong in mistakes(qsgd).values():
        assert np.abs(wrong(V, u, 2) - qsgd(V, u, 2)).max() > 0.5
        np.testing.assert_array_equal(wrong(np.zeros(4), u, 2), 0)


def test_qsgd_mistakes_and_their_bias():
    """s = 2: the exact mean over outcomes, by a grid of uniform numbers that has the probabilities exactly."""
    grid = (np.arange(10) + 0.5) / 10  # p = (.4, .8, .8, .6)
    means = {
        name: np.mean([wrong(V, np.full(4, u), 2) for u in grid], axis=0) for name, wrong in mistakes(qsgd).items()
    }
    np.testing.assert_allclose(np.mean([qsgd(V, np.full(4, u), 2) for u in grid], axis=0), V, atol=1e-14)
    np.testing.assert_allclose(means["max_norm"], V, atol=1e-14)  # unbiased: seen in single outcomes and the variance
    for name in set(means) - {"max_norm"}:
        assert np.abs(means[name] - V).max() > 0.4


def test_what_hides_qsgd_mistakes():
    u = np.array([0.15, 0.3, 0.5, 0.3])
    wrong = mistakes(qsgd)
    np.testing.assert_array_equal(wrong["root_of_levels"](V, u, 1), qsgd(V, u, 1))
    np.testing.assert_allclose(wrong["lost_sign"](np.abs(V), u, 2), qsgd(np.abs(V), u, 2), rtol=1e-14)
    np.testing.assert_array_equal(wrong["max_norm"](V[:1], u[:1], 3), qsgd(V[:1], u[:1], 3))


# Scaled sign.


def test_scaled_sign_golden_numbers():
    np.testing.assert_array_equal(scaled_sign(V), [2.25, -2.25, 2.25, 2.25])
    assert scaled_sign_error(V) == 4.75


@settings(deadline=None)
@given(vectors)
def test_scaled_sign_error_is_exact(v):
    error = np.sum((scaled_sign(v) - v) ** 2)
    assert scaled_sign_error(v) == pytest.approx(error, abs=1e-12 * np.sum(v**2))
    assert error <= np.sum(v**2) * (1 + 1e-12)


def test_scaled_sign_mistakes():
    v = np.array([3.0, 0.0, -1.0])
    for name, wrong in mistakes(scaled_sign).items():
        assert np.abs(wrong(v) - scaled_sign(v)).max() > 0.4, name
    np.testing.assert_array_equal(conventions(scaled_sign)["plain_sign"](v), [1, 0, -1])
    assert set(mistakes(scaled_sign)) == {"positive_zero", "sum_as_scale", "two_norm_as_scale"}
    np.testing.assert_array_equal(mistakes(scaled_sign)["positive_zero"](V), scaled_sign(V))
    equal = np.array([2.0, -2.0])
    np.testing.assert_allclose(mistakes(scaled_sign)["two_norm_as_scale"](equal), scaled_sign(equal), rtol=1e-15)
    np.testing.assert_array_equal(mistakes(scaled_sign)["sum_as_scale"](V[1:2]), scaled_sign(V[1:2]))


# Rand-k.


@settings(deadline=None)
@given(vectors, st.data())
def test_rand_k_is_unbiased_with_the_exact_variance(v, data):
    k = data.draw(st.integers(1, len(v)))
    mean, variance = mean_and_variance(outcomes_of_rand_k(v, k), v)
    size = np.linalg.norm(v)
    np.testing.assert_allclose(mean, v, atol=1e-13 * size)
    assert variance == pytest.approx(rand_k_variance(v, k), abs=1e-12 * size**2)


def test_rand_k_equivalent_and_mistakes():
    chosen = np.array([3, 1])
    np.testing.assert_array_equal(rand_k(V, chosen), [0, -4, 0, 8])
    other = next(variant.function for variant in variants(rand_k, Kind.EQUIVALENT))
    np.testing.assert_array_equal(other(V, chosen), rand_k(V, chosen))
    np.testing.assert_array_equal(mistakes(rand_k)["unscaled"](V, chosen), [0, -2, 0, 4])
    np.testing.assert_array_equal(mistakes(rand_k)["inverse_scale"](V, chosen), [0, -1, 0, 2])
    for wrong in mistakes(rand_k).values():
        np.testing.assert_array_equal(wrong(V, np.arange(4)), V)


def test_drawn_coordinates_are_different_and_uniform():
    """20000 draws of 2 of 4: each of the 6 sets within 6 standard deviations of 1/6."""
    rng = np.random.default_rng(1)
    draws = [tuple(sorted(draw_coordinates(rng, 4, 2).tolist())) for _ in range(20000)]
    for pair in itertools.combinations(range(4), 2):
        assert draws.count(pair) / 20000 == pytest.approx(1 / 6, abs=6 * np.sqrt(5 / 36 / 20000))
    wrong = mistakes(draw_coordinates)
    assert any(len(set(wrong["with_replacement"](rng, 4, 2).tolist())) == 1 for _ in range(200))
    blocks = [tuple(wrong["contiguous_block"](rng, 4, 2).tolist()) for _ in range(200)]
    assert set(blocks) == {(0, 1), (1, 2), (2, 3)}
    np.testing.assert_array_equal(np.sort(draw_coordinates(rng, 5, 5)), np.arange(5))


# Top-k.


def test_top_k_golden_numbers():
    np.testing.assert_array_equal(top_k(V, 2), [0, -2, 0, 4])
    np.testing.assert_array_equal(conventions(top_k)["highest_index_first"](V, 2), [0, 0, 2, 4])


@settings(deadline=None)
@given(vectors, st.data())
def test_top_k_contracts_and_is_the_best_with_k_entries(v, data):
    k = data.draw(st.integers(1, len(v)))
    error = np.sum((top_k(v, k) - v) ** 2)
    rounding = 1e-12 * np.sum(v**2)
    assert np.count_nonzero(top_k(v, k)) <= k
    assert error <= top_k_error_bound(v, k) + rounding
    best = min(np.sum(np.delete(v, subset) ** 2) for subset in itertools.combinations(range(len(v)), k))
    assert error == pytest.approx(best, abs=rounding)
    other = conventions(top_k)["highest_index_first"](v, k)
    assert np.sum((other - v) ** 2) == pytest.approx(error, abs=rounding)


def test_top_k_bound_is_attained_where_all_entries_are_equal():
    v = np.array([3.0, -3.0, 3.0, 3.0, -3.0])
    assert np.sum((top_k(v, 2) - v) ** 2) == pytest.approx(top_k_error_bound(v, 2))


def test_top_k_mistakes():
    wrong = mistakes(top_k)
    np.testing.assert_array_equal(wrong["signed_top_k"](V, 2), [0, 0, 2, 4])
    np.testing.assert_array_equal(wrong["all_ties"](V, 2), [0, -2, 2, 4])
    np.testing.assert_array_equal(wrong["bottom_k"](V, 2), [1, -2, 0, 0])
    np.testing.assert_array_equal(wrong["scaled_top_k"](V, 2), [0, -4, 0, 8])
    assert set(wrong) == {"signed_top_k", "all_ties", "bottom_k", "scaled_top_k"}
    np.testing.assert_array_equal(wrong["all_ties"](V, 3), top_k(V, 3))
    np.testing.assert_array_equal(wrong["signed_top_k"](np.abs(V), 2), top_k(np.abs(V), 2))


# Bits.


def test_bits():
    assert dense_bits(1000) == 32000
    assert sign_bits(1000) == 1032
    assert sparse_bits(1000, 10) == 10 * 42
    assert sparse_bits(1024, 1) == sparse_bits(513, 1) == 42
    assert [qsgd_bits(10, s) for s in (1, 2, 3, 4, 7)] == [32 + 10 * bits for bits in (2, 3, 3, 4, 4)]


# Compressed SGD.


def identity(v):
    return v


def test_identity_is_psgd():
    problem = random_quadratic_nodes(4, 3, 3.0, 0.3, spread=1.0, seed=1)
    ours = compressed_sgd(problem.gradients, identity, problem.starts, 0.2, 30)
    theirs = psgd(problem.gradients, problem.x0, 0.2, 30)
    np.testing.assert_allclose(ours, np.repeat(theirs[:, None], 4, axis=1), atol=1e-14)
    golden = compressed_sgd(four_parabolas().gradients, identity, np.zeros((4, 1)), 0.1, 2)
    np.testing.assert_allclose(golden[:, :, 0], [[0] * 4, [0.175] * 4, [0.30625] * 4], atol=1e-15)


def test_differences_of_the_nodes_never_change():
    problem = random_quadratic_nodes(4, 3, 3.0, 0.3, spread=1.0, seed=2)
    starts = np.random.default_rng(3).standard_normal((4, 3))
    X = compressed_sgd(problem.gradients, partial(top_k, k=1), starts, 0.1, 40)
    np.testing.assert_allclose(X - X[:, :1], np.tile(starts - starts[0], (41, 1, 1)), atol=1e-14)


def test_mean_of_a_step_over_all_choices_is_the_uncompressed_step():
    problem = random_quadratic_nodes(2, 3, 3.0, 0.3, spread=1.0, seed=4)
    choices = [np.array([i]) for i in range(3)]
    ends = [
        compressed_sgd(problem.gradients, rand_k, problem.starts, 0.1, 1, randomness=[pair])[-1]
        for pair in itertools.product(choices, repeat=2)
    ]
    exact = compressed_sgd(problem.gradients, identity, problem.starts, 0.1, 1)[-1]
    np.testing.assert_allclose(np.mean(ends, axis=0), exact, atol=1e-15)


@pytest.mark.parametrize("scale", [1.0, 1e-8])
@pytest.mark.parametrize(("learning_rate", "num_steps"), [(1e-3, 100), (0.05, 50), (0.5, 8)])
def test_top_1_diverges_exactly_on_a_strongly_convex_function(learning_rate, num_steps, scale):
    """For large steps rounding errors, which leave the diagonal, grow still faster; so these runs are short."""
    problem = opposed_valleys(scale)
    X = compressed_sgd(problem.gradients, partial(top_k, k=1), problem.starts, learning_rate, num_steps)
    growth = (1 + 11 * learning_rate / 6) ** np.arange(num_steps + 1)
    np.testing.assert_allclose(X / scale, np.broadcast_to(growth[:, None, None], X.shape), rtol=1e-12)


def test_unbiased_compression_converges_where_top_1_diverges():
    problem = opposed_valleys()
    rng = np.random.default_rng(5)
    choices = [[draw_coordinates(rng, 3, 1) for _ in range(3)] for _ in range(2000)]
    X = compressed_sgd(problem.gradients, rand_k, problem.starts, 0.01, 2000, randomness=choices)
    assert np.abs(X[-1]).max() < 1e-6
    assert np.abs(compressed_sgd(problem.gradients, identity, problem.starts, 0.1, 300)[-1]).max() < 1e-13


def test_top_k_without_heterogeneity_converges():
    problem = random_quadratic_nodes(5, 10, 4.0, 0.5, spread=0.0, seed=1)
    X = compressed_sgd(problem.gradients, partial(top_k, k=3), problem.starts, 0.2, 400)
    assert np.abs(X[-1] - problem.minimizer).max() < 1e-10


def test_what_hides_the_mistakes():
    problem = random_quadratic_nodes(4, 3, 3.0, 0.3, spread=1.0, seed=6)
    right = compressed_sgd(problem.gradients, identity, problem.starts, 0.2, 20)
    wrong = mistakes(compressed_sgd)
    for name in ("compressed_average", "compressed_models", "compressed_new_point", "same_randomness_every_step"):
        path = wrong[name](problem.gradients, identity, problem.starts, 0.2, 20)
        np.testing.assert_allclose(path, right, atol=1e-13)
    equal_starts = conventions(compressed_sgd)["one_shared_model"](problem.gradients, identity, problem.starts, 0.2, 20)
    np.testing.assert_allclose(equal_starts, right, atol=1e-13)


def test_top_1_shows_the_mistakes():
    problem = random_quadratic_nodes(4, 3, 3.0, 0.3, spread=1.0, seed=6)
    compressor = partial(top_k, k=1)
    right = compressed_sgd(problem.gradients, compressor, problem.starts, 0.2, 20)
    for name in set(mistakes(compressed_sgd)) - {"same_randomness_every_step"}:
        path = mistakes(compressed_sgd)[name](problem.gradients, compressor, problem.starts, 0.2, 20)
        assert np.abs(path - right).max() > 0.05, name


def test_the_known_mistakes():
    assert set(mistakes(compressed_sgd)) == {
        "compressed_average",
        "compressed_models",
        "compressed_new_point",
        "same_randomness_every_step",
        "sum_of_gradients",
        "own_gradient_only",
    }
