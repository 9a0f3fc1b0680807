"""Bounds, numbers of steps, and rates read off a run: golden numbers, counting, exact sequences, mistakes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.lecture02 import convergence_rates as module
from reference.lecture02.convergence_rates import (
    convex_bound,
    convex_iterations,
    fitted_factor,
    fitted_power,
    nonconvex_bound,
    nonconvex_iterations,
    strongly_convex_bound,
    strongly_convex_factor,
    strongly_convex_iterations,
)
from reference.lecture02.gradient_descent import (
    bound_convex,
    bound_nonconvex,
    bound_strongly_convex,
    gradient_descent,
)
from reference.problems import elongated_bowl, huber, quadratic, sine_plus_line, smooth_plateau
from reference.quantities import distance, gap
from reference.variants import Kind, variants

FUNCTIONS = {
    nonconvex_bound: {"bound_of_plain_norm"},
    convex_bound: {"distance_not_squared", "bound_for_longer_step"},
    strongly_convex_factor: {"printed_factor_upside_down", "factor_with_inverted_condition"},
    strongly_convex_bound: {"printed_exponent", "exponent_doubled", "squared_distance_with_plain_factor"},
    nonconvex_iterations: {"gradients_counted", "accuracy_of_plain_norm"},
    convex_iterations: {"convex_iterations_rounded_down"},
    strongly_convex_iterations: {"printed_iterations", "iterations_with_wrong_sign"},
    fitted_power: {"slope_on_half_logarithmic_paper"},
    fitted_factor: {"slope_as_factor", "root_of_wrong_order"},
}
CONVENTIONS = {
    nonconvex_bound: {"nonconvex_bound_of_the_table"},
    convex_bound: {"convex_bound_of_the_table"},
    strongly_convex_factor: {"factor_of_the_slides"},
    strongly_convex_iterations: {"iterations_by_condition"},
}
SIZE = st.floats(0.01, 100)


# Bounds.


def test_bounds_are_those_of_gradient_descent():
    sine, plateau, long_bowl = sine_plus_line(), smooth_plateau(), elongated_bowl()
    K = np.arange(8)
    start = sine.value(sine.x0) - sine.minimum
    R = np.linalg.norm(plateau.x0 - plateau.minimizer)
    theirs = bound_nonconvex(sine, 1 / sine.smoothness, 7)
    np.testing.assert_allclose([nonconvex_bound(sine.smoothness, start, k) for k in K], theirs)
    np.testing.assert_allclose([convex_bound(2.0, R, k) for k in K], bound_convex(plateau, 1 / 4, 7))
    theirs = bound_strongly_convex(long_bowl, 1 / 11, 7)
    np.testing.assert_allclose([strongly_convex_bound(20.0, 2.0, np.sqrt(20), k) for k in K], theirs)


def test_golden_numbers():
    assert convex_bound(1.0, 1.0, 10) == pytest.approx(0.181818, abs=5e-7)
    assert strongly_convex_factor(20.0, 2.0) == pytest.approx(9 / 11)
    assert strongly_convex_iterations(20.0, 2.0, math.sqrt(20), 1e-6) == 77


def test_printed_exponent_is_violated_by_the_catalogues_parabola():
    """f = 9/2 x^2, of which mu = 3 is a constant too: |x_k| = 2^-k, and the printed bound is half of that."""
    problem = quadratic(np.array([[9.0]]), np.zeros(1), np.ones(1))
    distances = distance(gradient_descent(problem.gradient, problem.x0, 1 / 6, 20), problem)
    for k, reached in enumerate(distances):
        assert reached == pytest.approx(2.0**-k)
        assert strongly_convex_bound(9.0, 3.0, 1.0, k) == pytest.approx(reached)
        assert module.printed_exponent(9.0, 3.0, 1.0, k) == pytest.approx(reached / 2)


# Numbers of steps.


@settings(max_examples=100, deadline=None)
@given(L=SIZE, size=SIZE, ratio=st.floats(0.001, 2), condition=st.floats(1, 50))
def test_number_of_steps_is_the_smallest_that_is_enough(L, size, ratio, condition):
    cases = [
        (nonconvex_iterations(L, size, ratio * L * size), lambda k: nonconvex_bound(L, size, k), ratio * L * size),
        (convex_iterations(L, size, ratio * L * size**2), lambda k: convex_bound(L, size, k), ratio * L * size**2),
        (
            strongly_convex_iterations(L, L / condition, size, ratio * size),
            lambda k: strongly_convex_bound(L, L / condition, size, k),
            ratio * size,
        ),
    ]
    for K, bound, accuracy in cases:
        assert bound(K) <= accuracy * (1 + 1e-9)
        assert K == 0 or bound(K - 1) > accuracy * (1 - 1e-9)


@settings(max_examples=50, deadline=None)
@given(L=SIZE, size=SIZE, ratio=st.floats(0.01, 2), condition=st.floats(1, 50))
def test_counting_gives_the_same(L, size, ratio, condition):
    (variant,) = variants(nonconvex_iterations, Kind.EQUIVALENT)
    accuracy = ratio * L * size
    assert variant.function(L, size, accuracy) == nonconvex_iterations(L, size, accuracy)
    (variant,) = variants(convex_iterations, Kind.EQUIVALENT)
    accuracy = ratio * L * size**2
    assert variant.function(L, size, accuracy) == convex_iterations(L, size, accuracy)
    (variant,) = variants(strongly_convex_iterations, Kind.EQUIVALENT)
    arguments = L, L / condition, size, ratio * size
    assert variant.function(*arguments) == strongly_convex_iterations(*arguments)


@pytest.mark.parametrize("tenths", range(1, 40))
def test_rounding_does_not_add_a_step_to_a_whole_number(tenths):
    """2 L gap/eps is the whole number 2 tenths; gap/eps is not, in floating point."""
    assert nonconvex_iterations(1.0, 0.1 * tenths, 0.1) == 2 * tenths - 1
    assert strongly_convex_iterations(3.0, 1.0, 1.0, 0.5**tenths) == tenths


def test_extreme_cases():
    assert nonconvex_iterations(1.0, 0.1, 10.0) == 0
    assert convex_iterations(1.0, 0.1, 10.0) == 0
    assert strongly_convex_iterations(5.0, 5.0, 1.0, 1e-9) == 1
    assert strongly_convex_iterations(5.0, 5.0, 1.0, 2.0) == 0
    assert strongly_convex_iterations(5.0, 1.0, 1.0, 1.0) == 0
    assert strongly_convex_bound(5.0, 5.0, 3.0, 0) == 3
    assert strongly_convex_bound(5.0, 5.0, 3.0, 1) == 0


@settings(max_examples=50, deadline=None)
@given(L=SIZE, size=SIZE, condition=st.floats(1, 50), num_steps=st.integers(0, 200))
def test_other_forms_of_the_strongly_convex_bound(L, size, condition, num_steps):
    (variant,) = variants(strongly_convex_factor, Kind.EQUIVALENT)
    assert variant.function(L, L / condition) == pytest.approx(strongly_convex_factor(L, L / condition), abs=1e-15)
    (variant,) = variants(strongly_convex_bound, Kind.EQUIVALENT)
    right = strongly_convex_bound(L, L / condition, size, num_steps)
    assert variant.function(L, L / condition, size, num_steps) == pytest.approx(right, rel=1e-10, abs=1e-300)


# Conventions are true, and weaker.


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_known_variants(identifiers, function):
    assert identifiers(function, Kind.MISTAKE) == FUNCTIONS[function]
    assert identifiers(function, Kind.CONVENTION) == CONVENTIONS.get(function, set())


@settings(max_examples=50, deadline=None)
@given(L=SIZE, size=SIZE, condition=st.floats(1.01, 50), num_steps=st.integers(0, 200), ratio=st.floats(0.001, 0.9))
def test_conventions_ask_for_at_least_as_much(L, size, condition, num_steps, ratio):
    mu = L / condition
    assert module.nonconvex_bound_of_the_table(L, size, num_steps) > nonconvex_bound(L, size, num_steps)
    assert module.convex_bound_of_the_table(L, size, num_steps) > convex_bound(L, size, num_steps)
    assert module.factor_of_the_slides(L, mu) > strongly_convex_factor(L, mu)
    needed = strongly_convex_iterations(L, mu, size, ratio * size)
    assert needed <= module.iterations_by_condition(L, mu, size, ratio * size)


def test_count_by_condition_is_close_for_large_condition_numbers():
    assert strongly_convex_iterations(1e4, 1.0, 1.0, 1e-6) == 69078
    assert module.iterations_by_condition(1e4, 1.0, 1.0, 1e-6) == 69078
    assert module.iterations_by_condition(20.0, 2.0, math.sqrt(20), 1e-6) == 77
    assert module.iterations_by_condition(1.0, 1.0, 1.0, 1e-6) == 7  # where one step is enough
    assert module.iterations_by_condition(1.0, 1.0, 1.0, 1.0) == 0


# Mistakes.


def test_mistakes_on_the_elongated_bowl():
    L, mu, R = 20.0, 2.0, math.sqrt(20)
    assert module.bound_of_plain_norm(L, 56.0, 9) == pytest.approx(math.sqrt(224))
    assert module.distance_not_squared(L, R, 9) == pytest.approx(convex_bound(L, R, 9) / R)
    assert module.bound_for_longer_step(L, R, 9) == pytest.approx(convex_bound(L, R, 9) * 10 / 36)
    assert module.bound_for_longer_step(L, R, 0) == math.inf
    assert module.printed_factor_upside_down(L, mu) == pytest.approx(11 / 9)
    assert module.printed_factor_upside_down(mu, mu) == math.inf
    assert module.factor_with_inverted_condition(L, mu) == pytest.approx(-9 / 11)
    assert module.exponent_doubled(L, mu, R, 9) == pytest.approx((9 / 11) ** 18 * R)
    assert module.squared_distance_with_plain_factor(L, mu, R, 9) == pytest.approx((9 / 11) ** 9 * 20)
    assert module.printed_iterations(L, mu, R, 1e-6) == 76
    assert module.iterations_with_wrong_sign(L, mu, R, 1e-6) == -76
    assert module.gradients_counted(L, 56.0, 0.3) == nonconvex_iterations(L, 56.0, 0.3) + 1
    assert module.accuracy_of_plain_norm(L, 56.0, 0.1) == 223999
    assert module.convex_iterations_rounded_down(L, R, 0.3) == convex_iterations(L, R, 0.3) - 1


def test_what_hides_them():
    assert module.bound_of_plain_norm(0.5, 10.0, 9) == nonconvex_bound(0.5, 10.0, 9) == 1
    assert module.distance_not_squared(2.0, 1.0, 9) == convex_bound(2.0, 1.0, 9)
    assert module.factor_with_inverted_condition(2.0, 2.0) == strongly_convex_factor(2.0, 2.0) == 0
    assert module.exponent_doubled(20.0, 2.0, 3.0, 0) == strongly_convex_bound(20.0, 2.0, 3.0, 0)
    assert module.squared_distance_with_plain_factor(20.0, 2.0, 1.0, 5) == strongly_convex_bound(20.0, 2.0, 1.0, 5)
    assert module.accuracy_of_plain_norm(2.0, 3.0, 1.0) == nonconvex_iterations(2.0, 3.0, 1.0)
    assert module.convex_iterations_rounded_down(1.0, 1.0, 0.5) == convex_iterations(1.0, 1.0, 0.5) == 3
    assert module.printed_iterations(20.0, 2.0, 1.0, 2.0) == strongly_convex_iterations(20.0, 2.0, 1.0, 2.0) == 0
    assert module.iterations_with_wrong_sign(20.0, 2.0, 1.0, 1.0) == strongly_convex_iterations(20.0, 2.0, 1.0, 1.0)
    assert module.iterations_with_wrong_sign(2.0, 2.0, 1.0, 1.0) == 0


# Rates of runs.


@pytest.mark.parametrize("function", [fitted_power, module.power_by_sums])
@pytest.mark.parametrize("power", [-0.5, -1.0, -2.0])
def test_power_of_an_exact_power_law(function, power):
    errors = np.append(1e9, 3 * np.arange(1.0, 50) ** power)
    assert function(errors) == pytest.approx(power, rel=1e-12)


@pytest.mark.parametrize("function", [fitted_factor, module.factor_by_sums])
@pytest.mark.parametrize("factor", [0.1, 9 / 11, 0.999])
def test_factor_of_an_exact_geometric_sequence(function, factor):
    assert function(7 * factor ** np.arange(30)) == pytest.approx(factor, rel=1e-12)


def test_rates_of_gradient_descent():
    long_bowl = elongated_bowl()
    distances = distance(gradient_descent(long_bowl.gradient, long_bowl.x0, 1 / 11, 60), long_bowl)
    assert fitted_factor(distances) == pytest.approx(9 / 11, rel=1e-12)
    worst = [gap(gradient_descent(huber(1 / (K + 1)).gradient, np.ones(1), 0.5, K), huber(1 / (K + 1)))[K] for K in K_S]
    assert fitted_power(np.append(1.0, worst)) == pytest.approx(-1, abs=0.15)


K_S = range(1, 40)


def test_equivalents_of_the_fits_agree_to_rounding():
    errors = np.exp(np.random.default_rng(0).standard_normal(30))
    for function in (fitted_power, fitted_factor):
        (variant,) = variants(function, Kind.EQUIVALENT)
        assert variant.function(errors) == pytest.approx(function(errors), rel=1e-12)


def test_mistakes_of_the_fits():
    geometric = 0.5 ** np.arange(11)
    assert module.slope_as_factor(geometric) == pytest.approx(math.log(0.5))
    assert module.root_of_wrong_order(geometric) == pytest.approx(0.5 ** (10 / 11))
    power_law = np.append(1.0, 1 / np.arange(1.0, 100))
    assert abs(module.slope_on_half_logarithmic_paper(power_law)) < 0.1
