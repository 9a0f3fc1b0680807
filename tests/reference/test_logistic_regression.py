"""f(x) = (1/N) sum ln(1 + exp(-b_i <a_i, x>)): value, gradient, and what students make of them."""

import numpy as np
import pytest
import scipy.special
import sklearn.linear_model
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.lecture01 import logistic_regression as module
from reference.lecture01.logistic_regression import (
    logistic_gradient,
    logistic_hessian,
    logistic_smoothness,
    logistic_value,
)
from reference.lecture02.gradient_descent import gradient_descent
from reference.problems import logistic, random_logistic
from reference.variants import Kind, variants

# Two tiny data sets with numbers that can be worked by hand.
THREE_OF_FOUR = np.ones((4, 1)), np.array([1.0, 1.0, 1.0, -1.0])
TRIANGLE = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), np.array([1.0, -1.0, 1.0])

MISTAKES = {
    logistic_value: {
        "value_sum_instead_of_mean",
        "value_overflow",
        "value_wrong_margin_sign",
        "value_zero_one_labels",
    },
    logistic_gradient: {
        "gradient_sum_instead_of_mean",
        "gradient_wrong_sign",
        "gradient_wrong_sigmoid_argument",
        "gradient_missing_label",
        "gradient_overflow",
        "gradient_zero_one_labels",
    },
    logistic_hessian: {
        "hessian_without_weights",
        "hessian_with_weights_of_gradient",
        "hessian_with_label",
        "hessian_sum_instead_of_mean",
        "hessian_overflow",
    },
    logistic_smoothness: {"smoothness_without_quarter", "smoothness_of_sum", "smoothness_from_plain_norm"},
}
POINTWISE = [logistic_value, logistic_gradient, logistic_hessian]
OVERFLOWS = {"value_overflow", "gradient_overflow", "hessian_overflow"}


def random_data(rows, columns, seed):
    rng = np.random.default_rng(seed)
    return (
        rng.standard_normal((rows, columns)),
        rng.choice([-1.0, 1.0], size=rows),
        rng.standard_normal(columns),
    )


# Golden numbers.


def test_value_and_gradient_at_zero():
    assert logistic_value(*TRIANGLE, np.zeros(2)) == pytest.approx(np.log(2), rel=1e-15)
    np.testing.assert_allclose(logistic_gradient(*TRIANGLE, np.zeros(2)), [-1 / 3, 0], atol=1e-16)


def test_value_and_gradient_after_one_step():
    x = np.array([1 / 3, 0.0])
    assert logistic_value(*TRIANGLE, x) == pytest.approx(0.591252776646, abs=1e-12)
    np.testing.assert_allclose(logistic_gradient(*TRIANGLE, x), [-0.278286529025, 0.027523402154], atol=1e-12)


def test_minimum_where_three_of_four_labels_are_positive():
    minimizer = np.array([np.log(3)])
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    assert logistic_value(*THREE_OF_FOUR, minimizer) == pytest.approx(entropy, rel=1e-15)
    assert entropy == pytest.approx(0.5623351446188, abs=1e-13)
    np.testing.assert_allclose(logistic_gradient(*THREE_OF_FOUR, minimizer), 0, atol=1e-16)


def test_gradient_descent_on_it():
    problem = logistic(*THREE_OF_FOUR, x0=np.zeros(1))
    iterates = gradient_descent(problem.gradient, problem.x0, learning_rate=4.0, num_steps=4)
    golden = [0, 1, 1.0757656854800, 1.0929983150677, 1.0972147018652]
    np.testing.assert_allclose(iterates[:, 0], golden, atol=1e-13)


def test_value_is_a_python_float():
    assert type(logistic_value(*TRIANGLE, np.zeros(2))) is float


# Independent witnesses.


@pytest.mark.parametrize("seed", range(3))
def test_value_and_gradient_agree_with_torch(seed):
    A, b, x = random_data(20, 5, seed)
    point = torch.tensor(x, requires_grad=True)
    loss = torch.nn.functional.soft_margin_loss(torch.tensor(A) @ point, torch.tensor(b))
    loss.backward()
    assert logistic_value(A, b, x) == pytest.approx(loss.item(), rel=1e-14)
    np.testing.assert_allclose(logistic_gradient(A, b, x), point.grad.numpy(), atol=1e-15)


def test_gradient_is_the_gradient_of_value(numerical_gradient):
    A, b, x = random_data(20, 5, seed=4)
    np.testing.assert_allclose(
        logistic_gradient(A, b, x), numerical_gradient(lambda x: logistic_value(A, b, x), x), atol=1e-9
    )


def test_sigmoid_keeps_its_relative_precision_far_out():
    z = np.array([-700.0, -40.0, -1.0, 0.0, 1.0, 40.0, 700.0])
    np.testing.assert_allclose(module._sigmoid(z), scipy.special.expit(z), rtol=1e-12)


# Margins of +-1000.


@pytest.mark.parametrize("function", [logistic_value, *(v.function for v in variants(logistic_value, Kind.EQUIVALENT))])
def test_value_is_stable(function):
    A = np.array([[1000.0]])
    assert function(A, np.array([1.0]), np.ones(1)) == 0.0
    assert function(A, np.array([-1.0]), np.ones(1)) == 1000.0


@pytest.mark.parametrize(
    "function", [logistic_gradient, *(v.function for v in variants(logistic_gradient, Kind.EQUIVALENT))]
)
def test_gradient_is_stable(function):
    A = np.array([[1000.0]])
    assert function(A, np.array([1.0]), np.ones(1))[0] == pytest.approx(0.0, abs=1e-200)
    assert function(A, np.array([-1.0]), np.ones(1))[0] == 1000.0


# Equivalents.


@settings(max_examples=30, deadline=None)
@given(
    rows=st.integers(1, 12),
    columns=st.integers(1, 6),
    scale=st.sampled_from([0, 1, 30, 1000]),
    seed=st.integers(0, 10**6),
)
def test_equivalents_agree_to_rounding(rows, columns, scale, seed):
    A, b, x = random_data(rows, columns, seed)
    x = scale * x
    # A margin is known up to rounding of its terms, and so is everything that is computed from it.
    rounding = 1e-15 * (1 + np.linalg.norm(A) * np.linalg.norm(x))
    for function, size in [(logistic_value, 1.0), (logistic_gradient, np.linalg.norm(A))]:
        for variant in variants(function, Kind.EQUIVALENT):
            np.testing.assert_allclose(variant.function(A, b, x), function(A, b, x), rtol=0, atol=rounding * size)


# Mistakes.


@pytest.mark.parametrize("function", MISTAKES)
def test_the_known_mistakes(identifiers, function):
    assert identifiers(function, Kind.MISTAKE) == MISTAKES[function]


def differences(function, A, b, x):
    """Identifier -> distance of each mistake relative to the size of the right answer."""
    right = np.asarray(function(A, b, x))
    return {
        variant.identifier: np.linalg.norm(np.asarray(variant.function(A, b, x)) - right) / np.linalg.norm(right)
        for variant in variants(function, Kind.MISTAKE)
    }


@pytest.mark.parametrize("function", POINTWISE)
def test_every_mistake_but_overflow_is_off_by_at_least_a_tenth_on_moderate_margins(function):
    found = differences(function, *random_data(20, 5, seed=8))
    assert min(size for identifier, size in found.items() if identifier not in OVERFLOWS) > 0.1


def test_overflow_is_invisible_on_moderate_margins():
    data = random_data(20, 5, seed=7)
    assert differences(logistic_value, *data)["value_overflow"] < 1e-14
    assert differences(logistic_gradient, *data)["gradient_overflow"] < 1e-14


def test_overflow_gives_infinity_and_nan_at_a_margin_of_minus_1000():
    A, b, x = np.array([[1000.0]]), np.array([-1.0]), np.ones(1)
    assert module.value_overflow(A, b, x) == np.inf
    assert np.isnan(module.gradient_overflow(A, b, x)[0])


def test_signs_and_arguments_are_invisible_at_zero():
    A, b, _ = random_data(20, 5, seed=7)
    value = differences(logistic_value, A, b, np.zeros(5))
    gradient = differences(logistic_gradient, A, b, np.zeros(5))
    assert value["value_wrong_margin_sign"] == 0
    assert gradient["gradient_wrong_sigmoid_argument"] == 0


def test_label_mistakes_are_invisible_where_every_label_is_positive():
    A, _, x = random_data(20, 5, seed=7)
    b = np.ones(20)
    assert differences(logistic_value, A, b, x)["value_zero_one_labels"] < 1e-14
    gradient = differences(logistic_gradient, A, b, x)
    assert gradient["gradient_missing_label"] < 1e-14
    assert gradient["gradient_zero_one_labels"] < 1e-14


def test_sum_and_mean_are_the_same_for_one_sample():
    A, b, x = random_data(1, 3, seed=7)
    assert differences(logistic_value, A, b, x)["value_sum_instead_of_mean"] == 0
    assert differences(logistic_gradient, A, b, x)["gradient_sum_instead_of_mean"] == 0


def test_gradients_of_the_wrong_values(numerical_gradient):
    """The gradient for labels in {0, 1} is the gradient of the value for labels in {0, 1}."""
    A, b, x = random_data(20, 5, seed=8)
    np.testing.assert_allclose(
        module.gradient_zero_one_labels(A, b, x),
        numerical_gradient(lambda x: module.value_zero_one_labels(A, b, x), x),
        atol=1e-9,
    )


# Hessian.


@pytest.mark.parametrize("seed", range(3))
def test_hessian_agrees_with_torch_and_with_differences(seed, numerical_gradient):
    A, b, x = random_data(20, 5, seed)

    def loss(point):
        return torch.nn.functional.soft_margin_loss(torch.tensor(A) @ point, torch.tensor(b))

    theirs = torch.autograd.functional.hessian(loss, torch.tensor(x)).numpy()
    np.testing.assert_allclose(logistic_hessian(A, b, x), theirs, atol=1e-14)
    for row, e in zip(logistic_hessian(A, b, x), np.eye(5), strict=True):
        along = numerical_gradient(lambda z, e=e: float(logistic_gradient(A, b, z) @ e), x)
        np.testing.assert_allclose(row, along, atol=1e-9)


def test_hessian_of_the_three_of_four_labels_at_the_minimiser():
    """p (1 - p) = 3/4 * 1/4."""
    assert logistic_hessian(*THREE_OF_FOUR, np.array([np.log(3)]))[0, 0] == pytest.approx(3 / 16, rel=1e-14)


@settings(max_examples=30, deadline=None)
@given(
    rows=st.integers(1, 12),
    columns=st.integers(1, 6),
    scale=st.sampled_from([0, 1, 30, 1000]),
    seed=st.integers(0, 10**6),
)
def test_hessian_is_positive_semidefinite_and_bounded_by_L_and_all_forms_agree(rows, columns, scale, seed):
    A, b, x = random_data(rows, columns, seed)
    H = logistic_hessian(A, b, scale * x)
    eigenvalues = np.linalg.eigvalsh(H)
    assert eigenvalues[0] >= -1e-14 * (1 + eigenvalues[-1])
    assert eigenvalues[-1] <= logistic_smoothness(A) * (1 + 1e-12)
    rounding = 1e-14 * (1 + scale) * np.linalg.norm(A) ** 2
    for variant in variants(logistic_hessian, Kind.EQUIVALENT):
        np.testing.assert_allclose(variant.function(A, b, scale * x), H, rtol=0, atol=rounding)


@pytest.mark.parametrize("margin", [1000.0, -1000.0])
def test_hessian_is_stable(margin):
    for function in [logistic_hessian, *(v.function for v in variants(logistic_hessian, Kind.EQUIVALENT))]:
        H = function(np.array([[1000.0]]), np.array([np.sign(margin)]), np.ones(1))
        assert H[0, 0] == pytest.approx(0, abs=1e-200)
    overflowed = module.hessian_overflow(np.array([[1000.0]]), np.array([np.sign(margin)]), np.ones(1))
    assert np.isnan(overflowed[0, 0]) == (margin < 0)


def test_what_hides_the_mistakes_of_the_hessian():
    A, b, x = random_data(20, 5, seed=7)
    assert differences(logistic_hessian, A, b, x)["hessian_overflow"] < 1e-14
    assert differences(logistic_hessian, A, np.ones(20), x)["hessian_with_label"] == 0
    assert differences(logistic_hessian, A[:1], b[:1], x)["hessian_sum_instead_of_mean"] == 0
    assert differences(logistic_hessian, A, b, np.zeros(5))["hessian_with_weights_of_gradient"] == pytest.approx(1)


# Smoothness.


def test_smoothness_of_the_golden_data():
    assert logistic_smoothness(THREE_OF_FOUR[0]) == pytest.approx(0.25, rel=1e-15)
    assert logistic_smoothness(TRIANGLE[0]) == pytest.approx(0.25, rel=1e-14)


@settings(max_examples=30, deadline=None)
@given(rows=st.integers(1, 12), columns=st.integers(1, 6), seed=st.integers(0, 10**6))
def test_smoothness_is_attained_at_zero_and_below_that_of_the_worst_sample(rows, columns, seed):
    A, b, _ = random_data(rows, columns, seed)
    L = logistic_smoothness(A)
    assert np.linalg.eigvalsh(logistic_hessian(A, b, np.zeros(columns)))[-1] == pytest.approx(L, rel=1e-12)
    assert module.smoothness_of_worst_sample(A) >= L * (1 - 1e-14)
    for variant in variants(logistic_smoothness, Kind.EQUIVALENT):
        assert variant.function(A) == pytest.approx(L, rel=1e-12)


def test_convention_of_the_smoothness_is_the_same_for_rows_that_are_equal_up_to_sign():
    A = np.array([[1.0, 2.0], [-1.0, -2.0]])
    assert module.smoothness_of_worst_sample(A) == pytest.approx(logistic_smoothness(A)) == pytest.approx(1.25)
    assert module.smoothness_of_worst_sample(TRIANGLE[0]) == 0.5


def test_mistakes_of_the_smoothness():
    A, _, _ = random_data(20, 5, seed=7)
    L, norm = logistic_smoothness(A), np.linalg.norm(A, 2)
    assert module.smoothness_without_quarter(A) == pytest.approx(4 * L)
    assert module.smoothness_of_sum(A) == pytest.approx(20 * L)
    assert module.smoothness_from_plain_norm(A) == pytest.approx(L / norm)
    assert module.smoothness_of_sum(A[:1]) == logistic_smoothness(A[:1])
    assert module.smoothness_from_plain_norm(A / norm) == pytest.approx(logistic_smoothness(A / norm))


def test_minimiser_agrees_with_scikit_learn():
    problem = random_logistic(rows=60, columns=4, seed=4)
    model = sklearn.linear_model.LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10, solver="newton-cholesky")
    model.fit(problem.data["A"], problem.data["b"])
    np.testing.assert_allclose(problem.minimizer, model.coef_[0], rtol=1e-6)
