"""Quadrature over Gaussian, ball and sphere; smoothed functions and how far they are from f."""

from itertools import product
from math import prod

import numpy as np
import pytest
import scipy.integrate
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.lecture05 import smoothing as module
from reference.lecture05.problems import affine, cosines, half_ramps, round_bowl, sines, stretched_bowl
from reference.lecture05.quantities import gradient_error, smoothing_error
from reference.lecture05.smoothing import (
    ball_rule,
    ball_smooth,
    ball_smooth_gradient,
    bound_ball_bias,
    bound_ball_value,
    bound_ball_value_convex,
    bound_gaussian_bias,
    bound_gaussian_value,
    gaussian_rule,
    gaussian_smooth,
    gaussian_smooth_gradient,
    sphere_rule,
)
from reference.problems import random_logistic, random_quadratic
from reference.variants import Kind, guarantees, variants

X = np.array([0.3, -1.1, 2.0])


def gaussian_moment(exponents):
    """E v_1^a_1 ... v_d^a_d = prod (a_i - 1)!! for even exponents."""
    if any(a % 2 for a in exponents):
        return 0.0
    return float(prod(int(scipy.special.factorial2(a - 1)) if a else 1 for a in exponents))


def sphere_moment(exponents):
    """Folland's formula: Gamma(d/2) prod Gamma((a_i+1)/2) / (pi^(d/2) Gamma((d + sum a_i)/2))."""
    if any(a % 2 for a in exponents):
        return 0.0
    d, total = len(exponents), sum(exponents)
    gamma = scipy.special.gamma
    return float(gamma(d / 2) / np.pi ** (d / 2) * prod(gamma((a + 1) / 2) for a in exponents) / gamma((d + total) / 2))


def ball_moment(exponents):
    """A radius with density d r^(d-1), and a point on the sphere."""
    d = len(exponents)
    return d / (d + sum(exponents)) * sphere_moment(exponents)


RULES = {gaussian_rule: gaussian_moment, sphere_rule: sphere_moment, ball_rule: ball_moment}


# Quadrature.


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("dimension", "order"), [(1, 1), (1, 4), (2, 3), (2, 5), (3, 4), (4, 3)])
def test_rules_are_exact_up_to_degree_two_n_minus_one(rule, dimension, order):
    points, weights = rule(dimension, order)
    assert points.shape == (len(weights), dimension)
    assert weights.min() > 0
    for exponents in product(range(2 * order), repeat=dimension):
        if sum(exponents) <= 2 * order - 1:
            found = weights @ np.prod(points**exponents, axis=1)
            assert found == pytest.approx(RULES[rule](exponents), rel=1e-11, abs=1e-12), exponents


def test_points_lie_where_they_should():
    np.testing.assert_allclose(np.linalg.norm(sphere_rule(4, 5)[0], axis=1), 1)
    assert np.linalg.norm(ball_rule(4, 5)[0], axis=1).max() < 1
    assert len(gaussian_rule(3, 5)[0]) == len(ball_rule(3, 5)[0]) == 125
    assert len(sphere_rule(3, 5)[0]) == 50


# Closed forms.


@pytest.mark.parametrize("tau", [0.3, 1.7])
def test_quadratics_are_lifted_and_keep_their_gradient(tau):
    problem = random_quadratic(3, 3.0, 0.2, seed=1)
    trace, value = np.trace(problem.data["hessian"]), problem.value(X)
    assert gaussian_smooth(problem.value, X, tau, 3) == pytest.approx(value + tau**2 * trace / 2)
    assert ball_smooth(problem.value, X, tau, 3) == pytest.approx(value + tau**2 * trace / 10)
    for smoothed in (gaussian_smooth_gradient, ball_smooth_gradient):
        np.testing.assert_allclose(smoothed(problem.gradient, X, tau, 3), problem.gradient(X))


def test_gaussian_smoothing_damps_cosines():
    problem, tau = cosines(X), 0.8
    assert gaussian_smooth(problem.value, X, tau, 12) == pytest.approx(np.exp(-0.32) * problem.value(X), rel=1e-12)
    gradient = gaussian_smooth_gradient(problem.gradient, X, tau, 12)
    np.testing.assert_allclose(gradient, -np.exp(-0.32) * np.sin(X), rtol=1e-12)
    np.testing.assert_allclose(gradient, [-0.21459, 0.64715, -0.66029], atol=5e-6)


def bessel_factor(d, tau):
    return scipy.special.gamma(d / 2 + 1) * (2 / tau) ** (d / 2) * scipy.special.jv(d / 2, tau)


@pytest.mark.parametrize(("d", "golden"), [(1, 0.8966951136), (3, 0.9374456450), (5, 0.9550905803), (8, 0.9684234321)])
def test_factor_of_the_ball_on_cosines(d, golden):
    tau = 0.8
    assert bessel_factor(d, tau) == pytest.approx(golden, abs=5e-11)
    k = np.arange(20)
    gamma = scipy.special.gamma
    series = (-1.0) ** k * (tau / 2) ** (2 * k) * gamma(d / 2 + 1) / (gamma(k + 1) * gamma(k + d / 2 + 1))
    assert series.sum() == pytest.approx(golden, abs=5e-11)
    if d <= 3:
        closed = {1: np.sin(tau) / tau, 3: 3 * (np.sin(tau) - tau * np.cos(tau)) / tau**3}[d]
        assert closed == pytest.approx(golden, abs=5e-11)


@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_ball_smoothing_damps_cosines(d):
    x = np.array([0.3, -1.1, 2.0, 0.5, -0.2])[:d]
    problem, tau, order = cosines(x), 0.8, 6
    factor = bessel_factor(d, tau)
    assert ball_smooth(problem.value, x, tau, order) == pytest.approx(factor * problem.value(x), rel=1e-10)
    gradient = ball_smooth_gradient(problem.gradient, x, tau, order)
    np.testing.assert_allclose(gradient, -factor * np.sin(x), rtol=1e-10)
    if d == 3:
        np.testing.assert_allclose(gradient, [-0.27703, 0.83546, -0.85242], atol=5e-6)


def ramp_bias(d):
    """Norm of grad fhat at 0 over tau, for half ramps smoothed over the ball: sqrt(d) E max(v_1, 0), by quad."""
    density = scipy.special.gamma(d / 2 + 1) / (np.sqrt(np.pi) * scipy.special.gamma((d + 1) / 2))
    return np.sqrt(d) * scipy.integrate.quad(lambda s: s * density * (1 - s**2) ** ((d - 1) / 2), 0, 1)[0]


@pytest.mark.parametrize(("d", "golden"), [(1, 0.250), (2, 0.300), (5, 0.349), (20, 0.385)])
def test_bias_of_the_ball_on_half_ramps_does_not_grow_with_the_root_of_d(d, golden):
    gamma = scipy.special.gamma
    closed = np.sqrt(d) * 0.5 * d / (d + 1) * gamma(d / 2) / (np.sqrt(np.pi) * gamma((d + 1) / 2))
    assert closed == pytest.approx(golden, abs=5e-4)
    assert ramp_bias(d) == pytest.approx(closed, rel=1e-10)
    assert closed < 1 / np.sqrt(2 * np.pi)
    if d <= 2:  # quadrature of a kink converges slowly
        gradient = ball_smooth_gradient(half_ramps(d).gradient, np.zeros(d), 0.7, 200)
        assert np.linalg.norm(gradient) / 0.7 == pytest.approx(closed, abs=1e-3)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_bias_of_the_gaussian_on_half_ramps_grows_with_the_root_of_d(d):
    problem, tau = half_ramps(d), 0.7
    by_quad = scipy.integrate.quad(lambda s: s * np.exp(-(s**2) / 2) / np.sqrt(2 * np.pi), 0, np.inf)[0]
    assert by_quad == pytest.approx(1 / np.sqrt(2 * np.pi))
    error = gradient_error(gaussian_smooth_gradient(problem.gradient, problem.x0, tau, 40), problem)
    assert error == pytest.approx(tau * np.sqrt(d) * by_quad, rel=0.02)
    assert 0.38 * bound_gaussian_bias(problem, tau) < error < bound_gaussian_bias(problem, tau)


@pytest.mark.parametrize(
    ("smooth", "smooth_gradient"), [(gaussian_smooth, gaussian_smooth_gradient), (ball_smooth, ball_smooth_gradient)]
)
def test_gradient_of_the_smoothed_function(numerical_gradient, smooth, smooth_gradient):
    problem = cosines(X)
    numerical = numerical_gradient(lambda x: smooth(problem.value, x, 0.6, 10), X)
    np.testing.assert_allclose(smooth_gradient(problem.gradient, X, 0.6, 10), numerical, atol=1e-9)


# Guarantees.

SMOOTH = [
    stretched_bowl(),
    round_bowl(3, 3.0),
    random_quadratic(3, 3.0, 0.2, seed=1),
    random_logistic(60, 2, seed=2),
    cosines(X),
    sines(X),
]


def test_bounds_are_registered():
    registered = {
        gaussian_smooth: {bound_gaussian_value},
        ball_smooth: {bound_ball_value, bound_ball_value_convex},
        gaussian_smooth_gradient: {bound_gaussian_bias},
        ball_smooth_gradient: {bound_ball_bias},
    }
    for function, bounds in registered.items():
        assert {theorem.bound for theorem in guarantees(function)} == bounds


@pytest.mark.parametrize("problem", SMOOTH, ids=lambda problem: problem.name)
@pytest.mark.parametrize("tau", [0.1, 1.0, 3.0])
def test_smoothed_function_is_within_the_bounds(problem, tau):
    order, slack = 16, 1e-6
    x = problem.x0
    gaussian, ball = gaussian_smooth(problem.value, x, tau, order), ball_smooth(problem.value, x, tau, order)
    assert smoothing_error(gaussian, problem) <= bound_gaussian_value(problem, tau) + slack
    assert smoothing_error(ball, problem) <= bound_ball_value(problem, tau) + slack
    gradient = gaussian_smooth_gradient(problem.gradient, x, tau, order)
    assert gradient_error(gradient, problem) <= bound_gaussian_bias(problem, tau) + slack
    gradient = ball_smooth_gradient(problem.gradient, x, tau, order)
    assert gradient_error(gradient, problem) <= bound_ball_bias(problem, tau) + slack
    if problem.strong_convexity is not None:
        assert smoothing_error(ball, problem) <= bound_ball_value_convex(problem, tau) + slack
        assert gaussian >= problem.value(x) - slack
        assert ball >= problem.value(x) - slack


def test_value_bounds_are_attained():
    problem, tau = round_bowl(3, 3.0), 0.7
    gaussian, ball = gaussian_smooth(problem.value, X, tau, 2), ball_smooth(problem.value, X, tau, 2)
    assert gaussian - problem.value(X) == pytest.approx(bound_gaussian_value(problem, tau))
    assert ball - problem.value(X) == pytest.approx(bound_ball_value(problem, tau))


def test_bound_of_the_ball_does_not_hold_for_a_gaussian():
    """Lemma 6.4 prints v ~ N(0, I): on L/2 ||x||^2 in 3 dimensions that would be wrong by a factor of 3."""
    problem, tau = round_bowl(3, 3.0), 0.7
    gaussian = gaussian_smooth(problem.value, X, tau, 2)
    assert gaussian - problem.value(X) == pytest.approx(3 * bound_ball_value_convex(problem, tau))


@settings(max_examples=20, deadline=None)
@given(tau=st.floats(0.05, 2), t=st.floats(0, 1), seed=st.integers(0, 10**6))
def test_smoothing_keeps_convexity_and_smoothness(tau, t, seed):
    problem = random_logistic(30, 2, seed=2)
    x, y = 2 * np.random.default_rng(seed).standard_normal((2, 2))
    for smooth, smooth_gradient in (
        (gaussian_smooth, gaussian_smooth_gradient),
        (ball_smooth, ball_smooth_gradient),
    ):
        between = smooth(problem.value, t * x + (1 - t) * y, tau, 5)
        ends = t * smooth(problem.value, x, tau, 5) + (1 - t) * smooth(problem.value, y, tau, 5)
        assert between <= ends + 1e-12
        difference = smooth_gradient(problem.gradient, x, tau, 5) - smooth_gradient(problem.gradient, y, tau, 5)
        assert np.linalg.norm(difference) <= problem.smoothness * np.linalg.norm(x - y) + 1e-12


@pytest.mark.parametrize(
    "bound", [bound_gaussian_value, bound_ball_value, bound_ball_value_convex, bound_gaussian_bias, bound_ball_bias]
)
def test_broken_condition_is_said(bound):
    with pytest.raises(ValueError, match="tau > 0"):
        bound(round_bowl(2, 1.0), 0.0)
    if bound is bound_ball_value_convex:
        with pytest.raises(ValueError, match="a convex f"):
            bound(cosines(X), 0.1)


# Mistakes.


@pytest.mark.parametrize("function", [gaussian_smooth, ball_smooth])
def test_every_mistake_is_off_by_at_least_a_tenth_of_what_smoothing_does(function):
    problem, tau = random_quadratic(3, 3.0, 0.2, seed=1), 0.5
    right = function(problem.value, X, tau, 3)
    for variant in variants(function, Kind.MISTAKE):
        wrong = variant.function(problem.value, X, tau, 3)
        assert abs(wrong - right) > 0.1 * abs(right - problem.value(X)), variant.identifier
        straight = affine(np.array([1.0, -2.0, 0.5]))
        assert variant.function(straight.value, X, tau, 3) == pytest.approx(straight.value(X), abs=1e-13)


def test_the_known_mistakes(identifiers):
    assert identifiers(gaussian_smooth, Kind.MISTAKE) == {"smoothed_with_variance_tau", "smoothed_over_ball_instead"}
    assert identifiers(ball_smooth, Kind.MISTAKE) == {
        "smoothed_over_sphere",
        "smoothed_over_gaussian_instead",
        "smoothed_with_uniform_radius",
    }


def test_what_hides_the_mistakes():
    value = cosines(X).value
    assert module.smoothed_with_variance_tau(value, X, 1.0, 5) == gaussian_smooth(value, X, 1.0, 5)
    one = X[:1]
    value = cosines(one).value
    assert module.smoothed_with_uniform_radius(value, one, 0.5, 8) == pytest.approx(ball_smooth(value, one, 0.5, 8))
