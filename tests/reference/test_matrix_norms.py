"""Norms of matrices: golden numbers, inequalities and their equality cases, other forms, mistakes."""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.lecture01 import matrix_norms as module
from reference.lecture01.matrix_norms import (
    frobenius_cauchy_gap,
    frobenius_norm,
    matrix_inner_product,
    nuclear_duality_gap,
    nuclear_norm,
    product_bound_gap,
    spectral_bound_gap,
    spectral_norm,
)
from reference.variants import Kind, variants

NILPOTENT = np.array([[0.0, 1.0], [0.0, 0.0]])
DIAGONAL = np.diag([3.0, -4.0])
NORMS = [frobenius_norm, spectral_norm, nuclear_norm]
SHAPE = {"rows": st.integers(1, 6), "columns": st.integers(1, 6), "seed": st.integers(0, 10**6)}

MISTAKES = {
    frobenius_norm: {"frobenius_without_root"},
    spectral_norm: {"frobenius_as_spectral", "spectral_radius", "spectral_without_root"},
    nuclear_norm: {"trace_as_nuclear", "sum_of_absolute_eigenvalues"},
    matrix_inner_product: {"trace_of_plain_product"},
    nuclear_duality_gap: {"duality_with_spectral_norms"},
}


def random_pair(rows, columns, seed):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((rows, columns)), rng.standard_normal((rows, columns))


def test_golden_numbers():
    assert [norm(NILPOTENT) for norm in NORMS] == pytest.approx([1, 1, 1], rel=1e-15)
    assert [norm(DIAGONAL) for norm in NORMS] == pytest.approx([5, 4, 7], rel=1e-15)


@settings(max_examples=40, deadline=None)
@given(**SHAPE)
def test_agree_with_numpy_and_scipy(rows, columns, seed):
    A, B = random_pair(rows, columns, seed)
    singular_values = scipy.linalg.svdvals(A)
    assert frobenius_norm(A) == pytest.approx(np.linalg.norm(A, "fro"), rel=1e-13)
    assert spectral_norm(A) == pytest.approx(singular_values.max(), rel=1e-13)
    assert nuclear_norm(A) == pytest.approx(singular_values.sum(), rel=1e-13)
    assert matrix_inner_product(A, B) == pytest.approx(np.vdot(A, B), abs=1e-13)
    assert matrix_inner_product(A, A) == pytest.approx(frobenius_norm(A) ** 2, rel=1e-13)


def test_spectral_norm_is_the_largest_stretch_of_a_unit_vector():
    A, _ = random_pair(3, 2, seed=0)
    angles = np.linspace(0, np.pi, 10001)
    stretches = np.linalg.norm(A @ np.array([np.cos(angles), np.sin(angles)]), axis=0)
    assert spectral_norm(A) == pytest.approx(stretches.max(), rel=1e-7)
    assert (stretches <= spectral_norm(A) * (1 + 1e-14)).all()


# Inequalities.


@settings(max_examples=60, deadline=None)
@given(**SHAPE)
def test_inequalities_hold(rows, columns, seed):
    A, B = random_pair(rows, columns, seed)
    x = np.random.default_rng(seed + 1).standard_normal(columns)
    slack = [frobenius_cauchy_gap(A, B), nuclear_duality_gap(A, B), spectral_bound_gap(A, x), product_bound_gap(A, B.T)]
    assert min(slack) >= -1e-12


def test_equality_cases():
    A, B = random_pair(5, 3, seed=1)
    U, S, Vt = np.linalg.svd(B, full_matrices=False)
    orthogonal = np.linalg.qr(random_pair(5, 5, seed=2)[0]).Q
    assert frobenius_cauchy_gap(A, -2 * A) == pytest.approx(0, abs=1e-12)
    assert nuclear_duality_gap(U @ Vt, U * S @ Vt) == pytest.approx(0, abs=1e-12)
    assert spectral_bound_gap(B, Vt[0]) == pytest.approx(0, abs=1e-12)
    assert product_bound_gap(3 * orthogonal, B) == pytest.approx(0, abs=1e-12)


# Equivalents.


@settings(max_examples=60, deadline=None)
@given(**SHAPE, scale=st.sampled_from([1e-3, 1.0, 1e3]))
def test_equivalents_agree_to_rounding(rows, columns, seed, scale):
    A, B = random_pair(rows, columns, seed)
    A = scale * A
    for norm in NORMS:
        for variant in variants(norm, Kind.EQUIVALENT):
            assert variant.function(A) == pytest.approx(norm(A), rel=1e-12), variant.identifier
    for variant in variants(matrix_inner_product, Kind.EQUIVALENT):
        assert variant.function(A, B) == pytest.approx(matrix_inner_product(A, B), abs=1e-12 * scale)


@pytest.mark.parametrize("second", [1.0, 1 - 1e-12, 1 - 1e-6, 0.5, 0.0])
def test_power_iteration_is_exact_also_where_singular_values_are_close(second):
    U, V = np.linalg.qr(random_pair(4, 4, seed=3)[0]).Q, np.linalg.qr(random_pair(4, 4, seed=4)[0]).Q
    A = U * np.array([1.0, second, 0.25, 0.0]) @ V.T
    assert module.power_iteration(A) == pytest.approx(1, rel=1e-14)


def test_zero_matrix():
    zero = np.zeros((2, 3))
    for norm in NORMS:
        assert norm(zero) == 0
        assert all(variant.function(zero) == 0 for variant in variants(norm, Kind.EQUIVALENT))


def test_rank_deficient_matrices():
    A = np.outer([1.0, 2.0, 2.0], [3.0, 4.0])
    for norm in NORMS:
        assert norm(A) == pytest.approx(15, rel=1e-14)
        for variant in variants(norm, Kind.EQUIVALENT):
            assert variant.function(A) == pytest.approx(15, rel=1e-13)


# Mistakes.


@pytest.mark.parametrize("function", MISTAKES)
def test_the_known_mistakes(identifiers, function):
    assert identifiers(function, Kind.MISTAKE) == MISTAKES[function]


@pytest.mark.parametrize("function", [frobenius_norm, spectral_norm, nuclear_norm])
def test_every_mistake_of_a_norm_is_off_by_at_least_a_tenth_on_a_square_matrix(function):
    A, _ = random_pair(4, 4, seed=5)
    for variant in variants(function, Kind.MISTAKE):
        assert abs(variant.function(A) - function(A)) > 0.1 * function(A), variant.identifier


def test_mistakes_of_the_golden_matrices():
    assert module.spectral_radius(NILPOTENT) == module.sum_of_absolute_eigenvalues(NILPOTENT) == 0
    assert module.trace_as_nuclear(DIAGONAL) == -1
    assert module.frobenius_as_spectral(DIAGONAL) == 5
    assert module.spectral_without_root(DIAGONAL) == 16
    assert module.trace_of_plain_product(NILPOTENT, NILPOTENT) == 0 != matrix_inner_product(NILPOTENT, NILPOTENT)


def test_symmetric_matrices_hide_the_eigenvalues():
    A = random_pair(4, 4, seed=6)[0]
    A = A + A.T
    assert module.spectral_radius(A) == pytest.approx(spectral_norm(A), rel=1e-13)
    assert module.sum_of_absolute_eigenvalues(A) == pytest.approx(nuclear_norm(A), rel=1e-13)
    assert module.trace_as_nuclear(A @ A) == pytest.approx(nuclear_norm(A @ A), rel=1e-12)
    B = np.triu(A)
    assert module.trace_of_plain_product(A, B) == pytest.approx(matrix_inner_product(A, B))


def test_rank_one_hides_frobenius_and_duality():
    A = np.outer([1.0, 2.0], [3.0, 4.0, 0.0])
    assert module.frobenius_as_spectral(A) == pytest.approx(spectral_norm(A), rel=1e-14)
    assert module.duality_with_spectral_norms(np.ones((2, 3)), A) == pytest.approx(
        nuclear_duality_gap(np.ones((2, 3)), A), abs=1e-12
    )


def test_duality_with_two_spectral_norms_fails_for_the_identity():
    assert module.duality_with_spectral_norms(np.eye(3), np.eye(3)) == pytest.approx(-2)
    assert nuclear_duality_gap(np.eye(3), np.eye(3)) == pytest.approx(0)


@pytest.mark.parametrize("mistake", [module.spectral_radius, module.sum_of_absolute_eigenvalues])
def test_eigenvalues_need_a_square_matrix(mistake):
    with pytest.raises(ValueError, match="square"):
        mistake(np.ones((2, 3)))


def test_plain_product_needs_matching_shapes():
    with pytest.raises(ValueError, match="mismatch"):
        module.trace_of_plain_product(np.ones((2, 3)), np.ones((2, 3)))
