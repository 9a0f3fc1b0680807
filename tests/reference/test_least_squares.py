"""f(x) = 1/2 ||A x - b||^2: value, gradient, constants, and what students make of them."""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.lecture01 import least_squares as module
from reference.lecture01.least_squares import (
    least_squares_constants,
    least_squares_gradient,
    least_squares_value,
)
from reference.variants import Kind, variants

A = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
B = np.array([1.0, 2.0, 2.0])
SOLUTION = np.array([7 / 6, 1 / 2])
X = np.array([2.0, -1.0])

FUNCTIONS = [least_squares_value, least_squares_gradient]
MISTAKES = {
    least_squares_value: {"value_missing_half", "value_divided_by_rows", "value_norm_not_squared"},
    least_squares_gradient: {
        "gradient_doubled",
        "gradient_divided_by_rows",
        "gradient_missing_transpose",
        "gradient_wrong_sign",
    },
    least_squares_constants: {
        "constants_unsquared",
        "smoothness_from_frobenius_norm",
        "strong_convexity_from_wrong_gram",
        "constants_swapped",
        "constants_doubled",
        "constants_divided_by_rows",
    },
}


def random_data(rows, columns, seed):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((rows, columns)), rng.standard_normal(rows), rng.standard_normal(columns)


# Golden numbers, worked by hand: A^T A = [[3, 3], [3, 5]], A^T b = (5, 6).


def test_value_at_zero_is_half_the_squared_norm_of_b():
    assert least_squares_value(A, B, np.zeros(2)) == 4.5


def test_value_at_the_solution():
    assert least_squares_value(A, B, SOLUTION) == pytest.approx(1 / 12, abs=1e-15)


def test_value_is_a_python_float():
    assert type(least_squares_value(A, B, X)) is float


def test_gradient():
    np.testing.assert_array_equal(least_squares_gradient(A, B, np.zeros(2)), [-5.0, -6.0])
    np.testing.assert_array_equal(least_squares_gradient(A, B, X), [-2.0, -5.0])


def test_gradient_vanishes_at_the_solution():
    np.testing.assert_allclose(least_squares_gradient(A, B, SOLUTION), 0, atol=1e-14)


def test_constants():
    assert least_squares_constants(A) == pytest.approx((4 + np.sqrt(10), 4 - np.sqrt(10)), rel=1e-14)


# Independent witnesses.


@pytest.mark.parametrize("seed", range(3))
def test_gradient_is_the_gradient_of_value(numerical_gradient, seed):
    A, b, x = random_data(7, 4, seed)
    np.testing.assert_allclose(
        least_squares_gradient(A, b, x), numerical_gradient(lambda x: least_squares_value(A, b, x), x), atol=1e-7
    )


@pytest.mark.parametrize(("rows", "columns"), [(9, 4), (4, 4), (3, 6), (5, 1)])
def test_constants_are_the_extreme_eigenvalues_of_the_hessian(rows, columns):
    A, _, _ = random_data(rows, columns, seed=rows)
    eigenvalues = scipy.linalg.eigh(A.T @ A, eigvals_only=True)
    expected = (eigenvalues[-1], eigenvalues[0])
    assert least_squares_constants(A) == pytest.approx(expected, rel=0, abs=1e-13 * eigenvalues[-1])


def test_strong_convexity_of_a_wide_matrix_is_zero():
    A, _, _ = random_data(3, 6, seed=0)
    assert least_squares_constants(A)[1] == 0.0


def test_small_strong_convexity_keeps_its_digits_where_the_eigenvalues_lose_them():
    A = scipy.linalg.hilbert(7)
    exact = 1 / np.linalg.norm(scipy.linalg.invhilbert(7), 2) ** 2
    assert least_squares_constants(A)[1] == pytest.approx(exact, rel=1e-5, abs=0)
    assert module.constants_from_eigenvalues(A)[1] != pytest.approx(exact, rel=1e-2, abs=0)


# Equivalents.


@settings(max_examples=30, deadline=None)
@given(rows=st.integers(1, 12), columns=st.integers(1, 8), seed=st.integers(0, 10**6))
def test_equivalents_agree_to_rounding(rows, columns, seed):
    A, b, x = random_data(rows, columns, seed)
    # Rounding is relative to the size of what is added up, not of what is left after cancellation.
    size = (np.linalg.norm(A) * np.linalg.norm(x) + np.linalg.norm(b)) ** 2
    scale = {least_squares_value: size, least_squares_gradient: np.linalg.norm(A) * np.sqrt(size)}
    for function in FUNCTIONS:
        for variant in variants(function, Kind.EQUIVALENT):
            np.testing.assert_allclose(
                variant.function(A, b, x), function(A, b, x), rtol=0, atol=1e-14 * scale[function]
            )
    L, mu = least_squares_constants(A)
    for variant in variants(least_squares_constants, Kind.EQUIVALENT):
        np.testing.assert_allclose(variant.function(A), (L, mu), rtol=0, atol=1e-13 * L)


@pytest.mark.parametrize("function", MISTAKES)
def test_each_function_has_at_least_three_equivalents(function):
    assert len(variants(function, Kind.EQUIVALENT)) >= 3


# Mistakes.


@pytest.mark.parametrize("function", MISTAKES)
def test_the_known_mistakes(identifiers, function):
    assert identifiers(function, Kind.MISTAKE) == MISTAKES[function]


def differences(function, *arguments):
    """Identifier -> distance of each mistake relative to the size of the right answer; inf where it raises."""
    right = np.asarray(function(*arguments))
    result = {}
    for variant in variants(function, Kind.MISTAKE):
        try:
            wrong = np.asarray(variant.function(*arguments))
        except ValueError:
            wrong = np.full_like(right, np.inf)
        result[variant.identifier] = np.linalg.norm(wrong - right) / np.linalg.norm(right)
    return result


def test_every_mistake_is_off_by_at_least_a_tenth_on_random_data():
    A, b, x = random_data(8, 3, seed=5)
    for function in FUNCTIONS:
        assert min(differences(function, A, b, x).values()) > 0.1
    constants = differences(least_squares_constants, A)
    assert constants.pop("strong_convexity_from_wrong_gram") > 0.01  # only mu is off, and mu is 2 % of L here
    assert min(constants.values()) > 0.1


def test_missing_transpose_raises_unless_A_is_square():
    with pytest.raises(ValueError, match="mismatch"):
        module.gradient_missing_transpose(A, B, X)
    square, b, x = random_data(4, 4, seed=1)
    assert differences(least_squares_gradient, square, b, x)["gradient_missing_transpose"] > 0.1


def test_missing_transpose_is_invisible_for_symmetric_A():
    square, b, x = random_data(4, 4, seed=1)
    symmetric = square + square.T
    assert differences(least_squares_gradient, symmetric, b, x)["gradient_missing_transpose"] < 1e-14


def test_division_by_rows_is_invisible_for_one_row():
    A, b, x = random_data(1, 3, seed=2)
    assert differences(least_squares_value, A, b, x)["value_divided_by_rows"] == 0
    assert differences(least_squares_gradient, A, b, x)["gradient_divided_by_rows"] == 0
    assert differences(least_squares_constants, A)["constants_divided_by_rows"] == 0


def test_missing_square_is_invisible_for_a_residual_of_norm_one():
    A, b, x = random_data(5, 3, seed=2)
    b = A @ x + np.eye(5)[0]
    assert differences(least_squares_value, A, b, x)["value_norm_not_squared"] < 1e-14


def test_wrong_gram_matrix_is_invisible_for_square_A():
    A, _, _ = random_data(4, 4, seed=3)
    assert differences(least_squares_constants, A)["strong_convexity_from_wrong_gram"] < 1e-13


def test_frobenius_norm_is_invisible_for_rank_one():
    A, _, _ = random_data(6, 1, seed=3)
    assert differences(least_squares_constants, A)["smoothness_from_frobenius_norm"] < 1e-14


def test_singular_values_and_order_are_invisible_for_orthogonal_A():
    A = np.linalg.qr(random_data(5, 3, seed=3)[0]).Q
    found = differences(least_squares_constants, A)
    assert found["constants_unsquared"] < 1e-14
    assert found["constants_swapped"] < 1e-14
