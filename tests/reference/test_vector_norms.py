"""Norms of vectors: golden numbers, the axioms, other forms, and what students make of them."""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reference.lecture01 import vector_norms as module
from reference.lecture01.vector_norms import a_norm, cauchy_gap, lp_norm, norm_chain
from reference.variants import Kind, variants

X = np.array([1.0, -2.0, 2.0, 4.0])
POWERS = [1, 1.5, 2, 3, 7.25, np.inf]
VECTORS = arrays(np.float64, st.integers(1, 6), elements=st.floats(-100, 100))
# Entries whose powers neither overflow nor vanish: numpy.linalg.norm does not scale.
MODERATE = arrays(np.float64, st.integers(1, 6), elements=st.integers(-800, 800).map(lambda i: i / 8))

MISTAKES = {
    lp_norm: {"lp_without_root", "lp_without_absolute_value", "lp_of_mean", "lp_overflow"},
    a_norm: {"a_without_root", "norm_of_product"},
    cauchy_gap: {"cauchy_without_absolute_value"},
}


def random_positive_definite(n, seed):
    rng = np.random.default_rng(seed)
    factor = rng.standard_normal((n, n))
    product = factor @ factor.T + 0.1 * np.eye(n)
    return (product + product.T) / 2, rng.standard_normal(n)


# Golden numbers and independent witnesses.


def test_golden_numbers():
    assert (lp_norm(X, 1), lp_norm(X, 2), lp_norm(X, np.inf)) == pytest.approx((9, 5, 4), rel=1e-15)
    assert a_norm(np.ones(2), np.diag([20.0, 1.0])) == pytest.approx(np.sqrt(21), rel=1e-15)


@settings(max_examples=50, deadline=None)
@given(x=MODERATE, p=st.sampled_from(POWERS))
def test_agrees_with_numpy(x, p):
    assert lp_norm(x, p) == pytest.approx(np.linalg.norm(x, p), rel=1e-13, abs=1e-300)


@pytest.mark.parametrize("n", [1, 3, 8])
def test_a_norm_is_the_length_of_the_root_of_A_times_x(n):
    A, x = random_positive_definite(n, seed=n)
    assert a_norm(x, A) == pytest.approx(np.linalg.norm(scipy.linalg.sqrtm(A) @ x), rel=1e-12)


def test_large_powers_and_extreme_entries_neither_overflow_nor_vanish():
    assert lp_norm(np.array([10.0, 0.1]), 1000) == pytest.approx(10, rel=1e-15)
    assert lp_norm(np.array([0.1, 0.1]), 1000) == pytest.approx(0.1 * 2**0.001, rel=1e-13)
    assert lp_norm(np.array([3e200, 4e200]), 2) == pytest.approx(5e200, rel=1e-15)
    assert lp_norm(np.array([3e-200, -4e-200]), 2) == pytest.approx(5e-200, rel=1e-15)


def test_zero_infinity_nan_and_integers():
    assert lp_norm(np.zeros(3), 2) == 0
    assert lp_norm(np.array([]), 2) == 0
    assert lp_norm(np.array([1.0, -np.inf]), 3) == np.inf
    assert np.isnan(lp_norm(np.array([1.0, np.nan]), 3))
    assert lp_norm(np.array([3, -4]), 2) == 5
    assert type(lp_norm(X, 3)) is type(a_norm(np.ones(1), np.eye(1))) is float


# The axioms, Cauchy's inequality, the chain.


@settings(max_examples=100, deadline=None)
@given(x=VECTORS, p=st.sampled_from(POWERS), scale=st.floats(-10, 10), data=st.data())
def test_axioms(x, p, scale, data):
    y = data.draw(arrays(np.float64, len(x), elements=st.floats(-100, 100)))
    size = lp_norm(x, p)
    assert size >= np.abs(x).max()
    assert lp_norm(scale * x, p) == pytest.approx(abs(scale) * size, rel=1e-13, abs=1e-300)
    assert lp_norm(x + y, p) <= (size + lp_norm(y, p)) * (1 + 1e-13)


@settings(max_examples=50, deadline=None)
@given(n=st.integers(1, 6), seed=st.integers(0, 10**6), scale=st.floats(-10, 10))
def test_axioms_of_the_a_norm(n, seed, scale):
    A, x = random_positive_definite(n, seed)
    y = np.random.default_rng(seed + 1).standard_normal(n)
    assert a_norm(x, A) > 0
    assert a_norm(scale * x, A) == pytest.approx(abs(scale) * a_norm(x, A), rel=1e-10, abs=1e-12)
    assert a_norm(x + y, A) <= a_norm(x, A) + a_norm(y, A) + 1e-12


def test_no_norm_below_one():
    with pytest.raises(ValueError, match="p >= 1"):
        lp_norm(X, 0.5)
    with pytest.raises(ValueError, match="p >= 1"):
        lp_norm(X, np.nan)
    x, y = np.eye(2)
    half = [np.sum(np.sqrt(np.abs(v))) ** 2 for v in (x, y, x + y)]
    assert half[2] == 4 > half[0] + half[1]  # the triangle inequality fails


@pytest.mark.parametrize(
    "A", [np.diag([1.0, 0.0]), np.diag([1.0, -1.0]), np.array([[2.0, 1.0], [0.0, 2.0]])], ids=["0", "-1", "unsymmetric"]
)
def test_no_norm_unless_positive_definite(A):
    with pytest.raises(ValueError, match="symmetric positive definite"):
        a_norm(np.ones(2), A)


@settings(max_examples=50, deadline=None)
@given(x=VECTORS, data=st.data())
def test_cauchy(x, data):
    y = data.draw(arrays(np.float64, len(x), elements=st.floats(-100, 100)))
    assert cauchy_gap(x, y) >= -1e-14 * lp_norm(x, 2) * lp_norm(y, 2)


@pytest.mark.parametrize("scale", [3.0, -0.5, 0.0])
def test_cauchy_is_an_equality_for_dependent_vectors_only(scale):
    assert cauchy_gap(X, scale * X) == pytest.approx(0, abs=1e-13)
    assert cauchy_gap(X, X + np.eye(4)[0]) > 0.1


@settings(max_examples=50, deadline=None)
@given(x=VECTORS)
def test_chain_never_decreases(x):
    chain = norm_chain(x)
    assert (np.diff(chain) >= -1e-13 * chain[-1]).all()


def test_chain_is_attained():
    np.testing.assert_allclose(norm_chain(np.eye(4)[1]), [1, 1, 1, 2, 4])
    np.testing.assert_allclose(norm_chain(np.ones(4)), [1, 2, 4, 4, 4])


# Equivalents.


@settings(max_examples=100, deadline=None)
@given(x=VECTORS, p=st.sampled_from([*POWERS, 1000]))
def test_equivalents_of_the_lp_norm_agree_to_rounding(x, p):
    for variant in variants(lp_norm, Kind.EQUIVALENT):
        assert variant.function(x, p) == pytest.approx(lp_norm(x, p), rel=1e-12, abs=1e-300), variant.identifier


@settings(max_examples=50, deadline=None)
@given(n=st.integers(1, 8), seed=st.integers(0, 10**6))
def test_equivalents_of_the_a_norm_agree_to_rounding(n, seed):
    A, x = random_positive_definite(n, seed)
    for variant in variants(a_norm, Kind.EQUIVALENT):
        assert variant.function(x, A) == pytest.approx(a_norm(x, A), rel=1e-11), variant.identifier


# Mistakes.


@pytest.mark.parametrize("function", MISTAKES)
def test_the_known_mistakes(identifiers, function):
    assert identifiers(function, Kind.MISTAKE) == MISTAKES[function]


@pytest.mark.parametrize(
    ("mistake", "p", "wrong"),
    [
        (module.lp_without_root, 2, 25),
        (module.lp_without_absolute_value, 1, 5),
        (module.lp_without_absolute_value, 3, 65 ** (1 / 3)),  # right: 81^(1/3)
        (module.lp_of_mean, 2, 2.5),
        (module.lp_overflow, 2000, np.inf),
    ],
)
def test_mistakes_of_the_lp_norm_on_the_catalogues_vector(mistake, p, wrong):
    assert mistake(X, p) == pytest.approx(wrong, rel=1e-14)
    assert abs(wrong - lp_norm(X, p)) > 0.3


def test_signs_are_invisible_for_even_p_and_make_nan_of_negative_sums():
    assert module.lp_without_absolute_value(X, 4) == pytest.approx(lp_norm(X, 4), rel=1e-14)
    assert np.isnan(module.lp_without_absolute_value(-X, 3))
    assert module.lp_without_absolute_value(-X, np.inf) == 2


def test_missing_root_mean_and_overflow_have_cases_that_hide_them():
    assert module.lp_without_root(X, 1) == lp_norm(X, 1)
    assert module.lp_without_root(X, np.inf) == module.lp_of_mean(X, np.inf) == lp_norm(X, np.inf)
    assert module.lp_of_mean(X[:1], 2) == lp_norm(X[:1], 2)
    assert module.lp_overflow(X, 3) == pytest.approx(lp_norm(X, 3), rel=1e-14)
    assert module.lp_overflow(X, np.inf) == lp_norm(X, np.inf)
    assert module.lp_overflow(X / 100, 1000) == 0  # vanishes in place of 0.04


def test_mistakes_of_the_a_norm():
    x, A = np.ones(2), np.diag([20.0, 1.0])
    assert module.a_without_root(x, A) == 21
    assert module.norm_of_product(x, A) == pytest.approx(np.sqrt(401))
    assert module.norm_of_product(x, np.eye(2)) == pytest.approx(a_norm(x, np.eye(2)))


def test_acute_angles_hide_the_missing_absolute_value():
    assert module.cauchy_without_absolute_value(X, 2 * X) == cauchy_gap(X, 2 * X)
    assert module.cauchy_without_absolute_value(X, -X) == pytest.approx(50)
