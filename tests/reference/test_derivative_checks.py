"""Difference quotients and Taylor remainders: accuracy, orders, and what students make of them."""

import numpy as np
import pytest
import scipy.optimize
import torch

from reference.lecture01 import derivative_checks as module
from reference.lecture01.derivative_checks import (
    decay_order,
    first_order_remainders,
    hessian_integral,
    numerical_gradient,
    numerical_hessian,
    second_order_remainders,
)
from reference.problems import random_least_squares, random_logistic, sine_wave
from reference.variants import Kind, variants

PROBLEMS = {
    "sine": sine_wave(),
    "least squares": random_least_squares(rows=12, columns=4, condition=10, seed=1),
    "logistic": random_logistic(rows=40, columns=3, seed=2),
}
STEPS = np.array([1e-2, 3e-3, 1e-3, 3e-4])

MISTAKES = {
    numerical_gradient: {"quotient_by_single_step", "step_below_rounding", "gradient_as_column"},
    numerical_hessian: {"upper_triangle_only"},
    first_order_remainders: {"slope_not_scaled"},
    second_order_remainders: {"curvature_not_halved"},
    hessian_integral: {"weights_of_longer_interval"},
}


@pytest.fixture(params=PROBLEMS)
def problem(request):
    return PROBLEMS[request.param]


def direction_of(problem, seed=0):
    y = np.random.default_rng(seed).standard_normal(len(problem.x0))
    return y / np.linalg.norm(y)


# Difference quotients.


def test_quotients_are_the_derivatives(problem):
    np.testing.assert_allclose(numerical_gradient(problem.value, problem.x0), problem.gradient(problem.x0), atol=1e-8)
    np.testing.assert_allclose(numerical_hessian(problem.gradient, problem.x0), problem.hessian(problem.x0), atol=1e-8)


def test_quotients_agree_with_scipy(problem):
    theirs = scipy.optimize.approx_fprime(problem.x0, problem.value, 1e-8)
    np.testing.assert_allclose(numerical_gradient(problem.value, problem.x0), theirs, atol=1e-6)


def test_quotients_agree_with_automatic_differentiation():
    point = torch.tensor([0.3, -0.7], dtype=torch.float64)

    def value(x):
        return torch.sin(2 * x[0]) * torch.exp(x[1])

    def gradient(x):
        return torch.autograd.functional.jacobian(value, x)

    found = numerical_gradient(lambda x: float(value(torch.tensor(x))), point.numpy())
    np.testing.assert_allclose(found, gradient(point).numpy(), atol=1e-9)
    found = numerical_hessian(lambda x: gradient(torch.tensor(x)).numpy(), point.numpy())
    np.testing.assert_allclose(found, torch.autograd.functional.hessian(value, point).numpy(), atol=1e-9)


def test_central_quotients_are_exact_on_quadratics_and_off_by_the_third_derivative_on_cubics():
    assert numerical_gradient(lambda x: float(x[0] ** 2), np.array([3.0]), 0.5)[0] == 6
    assert numerical_gradient(lambda x: float(x[0] ** 3), np.array([3.0]), 0.5)[0] == 27 + 0.25
    assert module.forward_differences(lambda x: float(x[0] ** 2), np.array([3.0]), 0.5)[0] == 6.5


def test_number_of_calls_and_x_left_as_it_is(problem):
    x, calls = problem.x0.copy(), []
    numerical_gradient(lambda z: calls.append(0) or problem.value(z), x)
    numerical_hessian(lambda z: calls.append(0) or problem.gradient(z), x)
    assert len(calls) == 4 * len(x)
    np.testing.assert_array_equal(x, problem.x0)


def test_errors_of_central_and_forward_quotients_shrink_in_their_orders():
    problem = PROBLEMS["logistic"]
    exact = problem.gradient(problem.x0)
    for quotient, order in [(numerical_gradient, 2), (module.forward_differences, 1)]:
        errors = np.array([np.linalg.norm(quotient(problem.value, problem.x0, h) - exact) for h in STEPS])
        assert decay_order(STEPS, errors) == pytest.approx(order, abs=0.1)


def test_equivalents_agree_to_rounding(problem):
    gradient, hessian = numerical_gradient(problem.value, problem.x0), numerical_hessian(problem.gradient, problem.x0)
    for variant in variants(numerical_gradient, Kind.EQUIVALENT):
        np.testing.assert_allclose(variant.function(problem.value, problem.x0), gradient, atol=1e-9)
    for variant in variants(numerical_hessian, Kind.EQUIVALENT):
        np.testing.assert_allclose(variant.function(problem.gradient, problem.x0), hessian, atol=1e-14)


def test_convention_of_the_hessian_is_symmetric_up_to_the_error_of_the_quotients(problem):
    as_it_comes = module.hessian_as_it_comes(problem.gradient, problem.x0)
    np.testing.assert_allclose(as_it_comes, numerical_hessian(problem.gradient, problem.x0), atol=1e-9)


# Remainders.


@pytest.mark.parametrize("name", ["sine", "logistic"])
def test_orders_of_the_remainders(name):
    problem = PROBLEMS[name]
    y = direction_of(problem)
    first = first_order_remainders(problem.value, problem.gradient, problem.x0, y, STEPS)
    second = second_order_remainders(problem.value, problem.gradient, problem.hessian, problem.x0, y, STEPS)
    assert decay_order(STEPS, first) == pytest.approx(2, abs=0.1)
    assert decay_order(STEPS, second) == pytest.approx(3, abs=0.1)


@pytest.mark.parametrize("name", PROBLEMS)
def test_wrong_derivatives_lose_an_order(name):
    problem = PROBLEMS[name]
    y = direction_of(problem)
    first = first_order_remainders(problem.value, lambda x: 2 * problem.gradient(x), problem.x0, y, STEPS)
    second = second_order_remainders(
        problem.value, problem.gradient, lambda x: 3 * problem.hessian(x), problem.x0, y, STEPS
    )
    assert decay_order(STEPS, first) == pytest.approx(1, abs=0.2)
    assert decay_order(STEPS, second) == pytest.approx(2, abs=0.2)


def test_second_remainder_of_a_quadratic_is_rounding():
    problem = PROBLEMS["least squares"]
    y = direction_of(problem)
    rest = second_order_remainders(problem.value, problem.gradient, problem.hessian, problem.x0, y, STEPS)
    assert rest.max() < 1e-13
    with pytest.raises(ValueError, match="exactly 0"):
        decay_order(STEPS, np.zeros(4))


@pytest.mark.parametrize(("name", "nodes"), [("least squares", 1), ("sine", 12), ("logistic", 12)])
def test_difference_of_gradients_is_the_integral_of_the_hessian(name, nodes):
    problem = PROBLEMS[name]
    y = direction_of(problem)
    difference = problem.gradient(problem.x0 + y) - problem.gradient(problem.x0)
    np.testing.assert_allclose(hessian_integral(problem.hessian, problem.x0, y, nodes), difference, atol=1e-12)


def test_quadrature_is_exact_up_to_its_degree():
    def hessian(x):
        return np.array([[20 * x[0] ** 3]])  # of x^5

    x, y = np.array([1.0]), np.array([2.0])
    assert hessian_integral(hessian, x, y, 2)[0] == pytest.approx(5 * (81 - 1), rel=1e-14)
    assert abs(hessian_integral(hessian, x, y, 1)[0] - 5 * 80) > 10


# Mistakes.


@pytest.mark.parametrize("function", MISTAKES)
def test_the_known_mistakes(identifiers, function):
    assert identifiers(function, Kind.MISTAKE) == MISTAKES[function]


def test_mistakes_of_the_quotients():
    problem = PROBLEMS["least squares"]
    x, gradient = problem.x0, numerical_gradient(problem.value, problem.x0)
    np.testing.assert_allclose(module.quotient_by_single_step(problem.value, x), 2 * gradient, rtol=1e-12)
    noise = np.abs(module.step_below_rounding(problem.value, x) - gradient).max()
    assert 1e-5 < noise < 0.1
    assert module.gradient_as_column(problem.value, x).shape == (4, 1)
    np.testing.assert_array_equal(module.gradient_as_column(problem.value, x)[:, 0], gradient)
    half = module.upper_triangle_only(problem.gradient, x)
    assert np.abs(half - numerical_hessian(problem.gradient, x)).max() > 0.1


def test_diagonal_hessian_hides_the_missing_triangle():
    def gradient(x):
        return x**2

    half = module.upper_triangle_only(gradient, np.array([1.0, 2.0]))
    np.testing.assert_allclose(half, numerical_hessian(gradient, np.array([1.0, 2.0])), atol=1e-14)


def test_mistakes_of_the_remainders_lose_orders():
    problem = PROBLEMS["sine"]
    y = np.ones(1)
    first = module.slope_not_scaled(problem.value, problem.gradient, problem.x0, y, STEPS)
    second = module.curvature_not_halved(problem.value, problem.gradient, problem.hessian, problem.x0, y, STEPS)
    assert decay_order(STEPS, first) == pytest.approx(0, abs=0.1)
    assert decay_order(STEPS, second) == pytest.approx(2, abs=0.1)


def test_flat_direction_hides_the_mistakes_of_the_remainders():
    def gradient(x):
        return np.array([x[0], 0.0])

    def hessian(x):
        return np.diag([1.0, 0.0])

    def value(x):
        return float(x[0] ** 2 / 2)

    x, y = np.array([1.0, 1.0]), np.array([0.0, 1.0])
    assert module.slope_not_scaled(value, gradient, x, y, STEPS).max() == 0
    assert module.curvature_not_halved(value, gradient, hessian, x, y, STEPS).max() == 0


def test_weights_of_the_longer_interval_double_the_integral():
    problem = PROBLEMS["logistic"]
    y = direction_of(problem)
    np.testing.assert_allclose(
        module.weights_of_longer_interval(problem.hessian, problem.x0, y, 5),
        2 * hessian_integral(problem.hessian, problem.x0, y, 5),
        rtol=1e-14,
    )
