"""f(x) = 1/2 ||A x - b||^2: value, gradient, constants, and what students make of them."""

import numpy as np
import pytest
import scipy.linalg
import sklearn.linear_model
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.lecture01 import least_squares as module
from reference.lecture01.least_squares import (
    least_squares_condition,
    least_squares_constants,
    least_squares_gradient,
    least_squares_hessian,
    least_squares_iterates,
    least_squares_solution,
    least_squares_value,
)
from reference.lecture02.gradient_descent import gradient_descent
from reference.problems import line_by_three_points, random_least_squares
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
    least_squares_hessian: {"hessian_of_samples", "hessian_doubled", "hessian_divided_by_rows"},
    least_squares_condition: {"condition_of_matrix", "condition_inverted"},
    least_squares_solution: {"columns_one_by_one", "first_samples_only"},
    least_squares_iterates: {"powers_of_the_point", "gradient_flow"},
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


@pytest.mark.parametrize("function", [*FUNCTIONS, least_squares_constants])
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


# Hessian, condition number, solution.


def test_hessian_condition_and_solution_of_the_three_points():
    np.testing.assert_array_equal(least_squares_hessian(A), [[3, 3], [3, 5]])
    np.testing.assert_array_equal(A.T @ B, [5, 6])
    assert least_squares_condition(A) == pytest.approx((4 + np.sqrt(10)) / (4 - np.sqrt(10)), rel=1e-13)
    assert least_squares_constants(A) == pytest.approx((7.1622776602, 0.8377223398), abs=5e-11)
    np.testing.assert_allclose(least_squares_solution(A, B), SOLUTION, rtol=1e-14)


@pytest.mark.parametrize(("rows", "columns"), [(9, 4), (4, 4), (5, 1)])
def test_solution_agrees_with_scikit_learn_and_every_form(rows, columns):
    A, b, _ = random_data(rows, columns, seed=rows)
    solution = least_squares_solution(A, b)
    theirs = sklearn.linear_model.LinearRegression(fit_intercept=False).fit(A, b).coef_
    np.testing.assert_allclose(solution, theirs, rtol=1e-10)
    np.testing.assert_allclose(least_squares_gradient(A, b, solution), 0, atol=1e-12)
    for variant in variants(least_squares_solution, Kind.EQUIVALENT):
        np.testing.assert_allclose(variant.function(A, b), solution, rtol=1e-10)


@pytest.mark.parametrize(
    "function", [least_squares_solution, *(v.function for v in variants(least_squares_solution, Kind.EQUIVALENT))]
)
@pytest.mark.parametrize("A", [np.ones((3, 2)), np.ones((1, 2))], ids=["dependent columns", "wide"])
def test_solution_is_refused_where_there_are_many(function, A):
    with pytest.raises(ValueError, match="more than one minimiser"):
        function(A, np.ones(len(A)))


@settings(max_examples=30, deadline=None)
@given(rows=st.integers(1, 10), columns=st.integers(1, 6), seed=st.integers(0, 10**6))
def test_other_forms_of_hessian_and_condition(rows, columns, seed):
    A, _, _ = random_data(rows, columns, seed)
    for variant in variants(least_squares_hessian, Kind.EQUIVALENT):
        np.testing.assert_allclose(variant.function(A), least_squares_hessian(A), atol=1e-13 * rows * columns)
    for variant in variants(least_squares_condition, Kind.EQUIVALENT):
        assert variant.function(A) == pytest.approx(least_squares_condition(A), rel=1e-8)
    assert (least_squares_condition(A) == np.inf) == (rows < columns)


def test_hessian_is_the_derivative_of_the_gradient():
    A, b, x = random_data(7, 4, seed=1)
    for i, e in enumerate(np.eye(4)):
        difference = least_squares_gradient(A, b, x + e) - least_squares_gradient(A, b, x)
        np.testing.assert_allclose(least_squares_hessian(A)[:, i], difference, atol=1e-13)


def test_mistakes_of_hessian_condition_and_solution():
    tall, b, _ = random_data(8, 3, seed=5)
    square, rhs, _ = random_data(3, 3, seed=6)
    assert module.hessian_of_samples(tall).shape == (8, 8)
    found = differences(least_squares_hessian, square)
    assert min(found.values()) > 0.1
    assert module.condition_of_matrix(tall) == pytest.approx(np.linalg.cond(tall))
    assert min(differences(least_squares_condition, tall).values()) > 0.1
    assert min(differences(least_squares_solution, tall, b).values()) > 0.1
    assert differences(least_squares_solution, square, rhs)["first_samples_only"] < 1e-14


def test_what_hides_them():
    symmetric = np.array([[2.0, 1.0], [1.0, 3.0]])
    np.testing.assert_array_equal(module.hessian_of_samples(symmetric), least_squares_hessian(symmetric))
    np.testing.assert_array_equal(module.hessian_divided_by_rows(A[:1]), least_squares_hessian(A[:1]))
    orthogonal = np.linalg.qr(random_data(5, 3, seed=3)[0]).Q
    b = np.arange(5.0)
    assert max(differences(least_squares_condition, orthogonal).values()) < 1e-14
    np.testing.assert_allclose(
        module.columns_one_by_one(orthogonal, b), least_squares_solution(orthogonal, b), atol=1e-14
    )
    in_range = A @ np.array([2.0, -1.0])
    np.testing.assert_allclose(module.first_samples_only(A, in_range), [2.0, -1.0], atol=1e-14)


# Gradient descent in closed form.


def test_iterates_of_the_three_points():
    golden = [(0, 0), (0.5, 0.6), (0.67, 0.75), (0.744, 0.774)]
    np.testing.assert_allclose(least_squares_iterates(A, B, np.zeros(2), 0.1, 3), golden, atol=1e-15)


@pytest.mark.parametrize("fraction", [0.3, 1.0, 1.9, 2.1])
@pytest.mark.parametrize("condition", [10, 1e4])
def test_iterates_are_those_of_gradient_descent(fraction, condition):
    problem = random_least_squares(rows=12, columns=5, condition=condition, seed=1)
    step = fraction / problem.smoothness
    path = gradient_descent(problem.gradient, problem.x0, step, 60)
    arguments = problem.data["A"], problem.data["b"], problem.x0, step, 60
    np.testing.assert_allclose(least_squares_iterates(*arguments), path, atol=1e-10)
    for variant in variants(least_squares_iterates, Kind.EQUIVALENT):
        np.testing.assert_allclose(variant.function(*arguments), path, atol=1e-10)


def test_iterates_without_full_rank_and_from_whole_numbers():
    wide, b, _ = random_data(2, 4, seed=1)
    x0 = np.array([1, 2, 3, 4])
    path = gradient_descent(lambda x: least_squares_gradient(wide, b, x), x0, 0.05, 30)
    np.testing.assert_allclose(least_squares_iterates(wide, b, x0, 0.05, 30), path, atol=1e-13)
    np.testing.assert_array_equal(x0, [1, 2, 3, 4])


def test_mistakes_of_the_closed_form():
    problem = line_by_three_points()
    x0 = np.array([1.0, -1.0])
    right = least_squares_iterates(A, B, x0, 0.25, 20)
    for variant in variants(least_squares_iterates, Kind.MISTAKE):
        assert np.abs(variant.function(A, B, x0, 0.25, 20) - right).max() > 0.3, variant.identifier
    small = 1e-4 / problem.smoothness
    flow = module.gradient_flow(A, B, x0, small, 20)
    assert np.abs(flow - least_squares_iterates(A, B, x0, small, 20)).max() < 1e-6
    orthogonal_b = np.array([1.0, -2.0, 1.0])
    np.testing.assert_allclose(A.T @ orthogonal_b, 0)
    powers = module.powers_of_the_point(A, orthogonal_b, x0, 0.1, 9)
    np.testing.assert_allclose(powers, least_squares_iterates(A, orthogonal_b, x0, 0.1, 9), atol=1e-14)
