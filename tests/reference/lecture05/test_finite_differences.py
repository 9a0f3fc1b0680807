"""Forward and central differences: closed forms, SciPy, their bounds, and what students make of them."""

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.lecture05 import finite_differences as module
from reference.lecture05.black_box import BlackBox
from reference.lecture05.finite_differences import (
    best_forward_step,
    bound_central,
    bound_central_smooth,
    bound_forward,
    bound_forward_noisy,
    central_difference,
    forward_difference,
)
from reference.lecture05.problems import (
    affine,
    cosines,
    half_ramps,
    round_bowl,
    saturating_wells,
    sines,
    stretched_bowl,
)
from reference.lecture05.quantities import gradient_error
from reference.problems import random_logistic, random_quadratic
from reference.variants import Kind, guarantees, variants

X = np.array([0.3, -1.1, 2.0])
FUNCTIONS = [forward_difference, central_difference]
SMOOTH = [
    stretched_bowl(),
    round_bowl(4, 3.0),
    half_ramps(5),
    sines(X),
    cosines(X),
    saturating_wells(),
    random_quadratic(5, 3.0, 0.2, seed=1),
    random_logistic(60, 4, seed=2),
]


# Golden numbers and closed forms.


def test_forward_difference_on_the_stretched_bowl():
    problem = stretched_bowl()
    g = forward_difference(problem.value, problem.x0, 0.1)
    np.testing.assert_allclose(g, [1.05, 10.5], rtol=1e-13)
    assert gradient_error(g, problem) == pytest.approx(0.5025, abs=5e-5)
    assert bound_forward(problem, 0.1) == pytest.approx(0.7071, abs=5e-5)


@pytest.mark.parametrize("tau", [1.0, 0.1, 1e-3])
def test_forward_difference_is_exact_on_quadratics_up_to_half_the_diagonal(tau):
    problem = random_quadratic(6, 3.0, 0.2, seed=3)
    x = np.random.default_rng(0).standard_normal(6)
    expected = problem.gradient(x) + tau / 2 * np.diag(problem.data["hessian"])
    np.testing.assert_allclose(forward_difference(problem.value, x, tau), expected, atol=1e-14 / tau * 100)


def test_forward_difference_of_sines_and_half_ramps():
    tau = 0.2
    np.testing.assert_allclose(
        forward_difference(sines(X).value, X, tau), (np.sin(X + tau) - np.sin(X)) / tau, rtol=1e-13
    )
    np.testing.assert_allclose(forward_difference(half_ramps(3).value, np.zeros(3), tau), tau / 2, rtol=1e-13)


@pytest.mark.parametrize("problem", SMOOTH, ids=lambda problem: problem.name)
def test_forward_difference_against_scipy(problem):
    x = problem.x0 + 0.1
    np.testing.assert_allclose(
        forward_difference(problem.value, x, 1e-4),
        scipy.optimize.approx_fprime(x, problem.value, 1e-4),
        rtol=1e-10,
        atol=1e-10,
    )


def test_central_difference_is_exact_on_quadratics_and_known_on_sines():
    problem = random_quadratic(6, 3.0, 0.2, seed=3)
    np.testing.assert_allclose(central_difference(problem.value, problem.x0, 0.5), problem.gradient(problem.x0))
    tau = 0.3
    expected = np.cos(X) * np.sin(tau) / tau
    np.testing.assert_allclose(central_difference(sines(X).value, X, tau), expected, rtol=1e-13)


def test_printed_central_difference_doubles_the_gradient():
    problem = stretched_bowl()
    np.testing.assert_allclose(module.central_printed_denominator(problem.value, problem.x0, 0.1), [2, 20], rtol=1e-13)


def test_orders_of_the_errors():
    """Halving tau halves the error of the forward difference and quarters that of the central one."""
    problem = sines(X)
    for function, ratio in [(forward_difference, 2), (central_difference, 4)]:
        errors = [gradient_error(function(problem.value, X, tau), problem) for tau in (0.02, 0.01, 0.005)]
        assert errors[0] / errors[1] == pytest.approx(ratio, rel=0.02)
        assert errors[1] / errors[2] == pytest.approx(ratio, rel=0.02)


def test_rounding_spoils_a_tau_that_is_too_small():
    problem = cosines(X)
    errors = {tau: gradient_error(forward_difference(problem.value, X, tau), problem) for tau in (1e-4, 1e-8, 1e-14)}
    assert errors[1e-8] < errors[1e-4] / 100
    assert errors[1e-8] < errors[1e-14] / 100


# Guarantees.


def test_bounds_are_registered():
    assert {theorem.bound for theorem in guarantees(forward_difference)} == {bound_forward, bound_forward_noisy}
    assert {theorem.bound for theorem in guarantees(central_difference)} == {bound_central, bound_central_smooth}


@settings(max_examples=50, deadline=None)
@given(index=st.integers(0, len(SMOOTH) - 1), tau=st.floats(1e-3, 3), seed=st.integers(0, 10**6))
def test_error_is_within_the_bound_at_any_point(index, tau, seed):
    problem = SMOOTH[index]
    x = problem.x0 + 2 * np.random.default_rng(seed).standard_normal(len(problem.x0))
    for function, bound in [(forward_difference, bound_forward), (central_difference, bound_central_smooth)]:
        error = function(problem.value, x, tau) - problem.gradient(x)
        assert np.linalg.norm(error) <= bound(problem, tau) + 1e-11
        assert np.abs(error).max() <= problem.smoothness * tau / 2 + 1e-11
    if "hessian_lipschitz" in problem.data:
        error = central_difference(problem.value, x, tau) - problem.gradient(x)
        assert np.linalg.norm(error) <= bound_central(problem, tau) + 1e-11


@pytest.mark.parametrize("problem", [round_bowl(4, 3.0), half_ramps(5)], ids=lambda problem: problem.name)
def test_forward_bound_is_attained(problem):
    error = gradient_error(forward_difference(problem.value, problem.x0, 0.25), problem)
    assert error == pytest.approx(bound_forward(problem, 0.25), rel=1e-13)


def test_central_bound_is_nearly_attained():
    problem = sines(np.zeros(3))
    error = gradient_error(central_difference(problem.value, problem.x0, 0.1), problem)
    assert 0.99 * bound_central(problem, 0.1) < error < bound_central(problem, 0.1)


def test_central_bound_without_hessian_is_of_first_order_for_a_reason():
    """At a kink of the derivative, the central difference of max(x, 0)^2 / 2 errs by tau/4."""
    problem = half_ramps(1)
    assert gradient_error(central_difference(problem.value, problem.x0, 0.1), problem) == pytest.approx(0.025)


def test_noise_costs_two_eps_over_tau():
    problem, tau, noise = round_bowl(4, 3.0), 0.05, 1e-3
    rng = np.random.default_rng(0)
    for _ in range(200):
        g = forward_difference(BlackBox(problem.value, noise, rng), problem.x0, tau)
        assert gradient_error(g, problem) <= bound_forward_noisy(problem, tau, noise)
    x0 = problem.x0

    def worst(x):
        return problem.value(x) + (noise if (x > x0).any() else -noise)

    assert gradient_error(forward_difference(worst, x0, tau), problem) == pytest.approx(
        bound_forward_noisy(problem, tau, noise), rel=1e-10
    )


def test_best_step_is_where_the_noisy_bound_is_smallest():
    problem = round_bowl(4, 3.0)
    best = best_forward_step(problem, 1e-3)
    assert best == pytest.approx(2 * np.sqrt(1e-3 / 3))
    for factor in (0.9, 1.1):
        assert bound_forward_noisy(problem, best, 1e-3) < bound_forward_noisy(problem, factor * best, 1e-3)
    assert bound_forward_noisy(problem, 0.1, 0.0) == bound_forward(problem, 0.1)


@pytest.mark.parametrize(
    ("bound", "arguments", "sentence"),
    [
        (bound_forward, (round_bowl(2, 1.0), 0.0), "tau > 0"),
        (bound_forward_noisy, (round_bowl(2, 1.0), 0.1, -1.0), "eps >= 0"),
        (bound_central, (round_bowl(2, 1.0), -0.1), "tau > 0"),
        (bound_central, (half_ramps(2), 0.1), "Lipschitz constant M"),
        (best_forward_step, (affine(np.ones(2)), 0.1), "L > 0"),
    ],
)
def test_broken_condition_is_said(bound, arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        bound(*arguments)


# Queries, equivalents, form.


@pytest.mark.parametrize(
    ("function", "queries"),
    [
        (forward_difference, 4),
        (central_difference, 6),
        (module.forward_by_rows, 4),
        (module.forward_in_place, 4),
        (module.forward_as_sum, 4),
        (module.forward_base_repeated, 6),
        (module.central_as_mean, 7),
        (module.central_base_queried, 7),
    ],
)
def test_queries(function, queries):
    box = BlackBox(cosines(X).value)
    function(box, X, 0.1)
    assert box.queries == queries


@settings(max_examples=30, deadline=None)
@given(d=st.integers(1, 6), tau=st.floats(0.01, 2), seed=st.integers(0, 10**6))
def test_equivalents_agree_to_rounding(d, tau, seed):
    problem = random_quadratic(d, 3.0, 3.0 if d == 1 else 0.2, seed)
    x = np.random.default_rng(seed).standard_normal(d)
    size = 1e-14 * (1 + problem.value(x)) / tau
    for function in FUNCTIONS:
        for variant in variants(function, Kind.EQUIVALENT):
            np.testing.assert_allclose(
                variant.function(problem.value, x, tau), function(problem.value, x, tau), rtol=0, atol=10 * size
            )


@settings(max_examples=30, deadline=None)
@given(shift=st.floats(-10, 10), tau=st.floats(0.1, 2))
def test_constant_added_to_f_changes_nothing(shift, tau):
    problem = cosines(X)
    for function in FUNCTIONS:
        np.testing.assert_allclose(
            function(lambda x: problem.value(x) + shift, X, tau), function(problem.value, X, tau), atol=1e-12
        )


@pytest.mark.parametrize("function", FUNCTIONS)
def test_point_is_left_as_it_is_and_may_be_integer(function):
    x = np.array([2, -1, 3])
    g = function(cosines(X).value, x, 0.1)
    assert g.dtype == np.float64
    np.testing.assert_array_equal(x, [2, -1, 3])
    np.testing.assert_array_equal(g, function(cosines(X).value, x.astype(float), 0.1))
    for variant in variants(function, Kind.EQUIVALENT):
        np.testing.assert_allclose(variant.function(cosines(X).value, x, 0.1), g, atol=1e-13)


# Mistakes.

VALUE_RIGHT = {"forward_base_repeated", "central_base_queried"}


def differences(function, value, x, tau):
    right = function(value, x, tau)
    return {
        v.identifier: np.linalg.norm(v.function(value, x, tau) - right) / np.linalg.norm(right)
        for v in variants(function, Kind.MISTAKE)
    }


def test_the_known_mistakes(identifiers):
    assert identifiers(forward_difference, Kind.MISTAKE) == {
        "forward_halved",
        "forward_undivided",
        "forward_reversed",
        "forward_cumulative",
        "forward_backward",
        "forward_central",
        "forward_base_repeated",
        "forward_integer",
        "forward_relative",
    }
    assert identifiers(central_difference, Kind.MISTAKE) == {
        "central_printed_denominator",
        "central_half_steps",
        "central_reversed",
        "central_forward",
        "central_base_queried",
    }


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_mistake_is_off_by_at_least_a_hundredth(function):
    found = differences(function, cosines(X).value, X, 0.1)
    hidden = {"forward_integer"} | VALUE_RIGHT
    assert min(size for identifier, size in found.items() if identifier not in hidden) > 0.01
    assert max(size for identifier, size in found.items() if identifier in hidden) < 1e-13


def test_integer_point_shows_the_integer_copy():
    problem = stretched_bowl()
    np.testing.assert_array_equal(module.forward_integer(problem.value, np.array([1, 1]), 0.1), [0, 0])


def test_what_hides_the_mistakes():
    slope = affine(np.array([3.0, -2.0, 1.0]))
    assert differences(forward_difference, slope.value, X, 0.1)["forward_backward"] < 1e-13
    assert differences(forward_difference, slope.value, X, 0.1)["forward_central"] < 1e-13
    assert differences(central_difference, slope.value, X, 0.1)["central_forward"] < 1e-13
    assert differences(forward_difference, cosines(X).value, X, 1.0)["forward_undivided"] == 0
    assert differences(forward_difference, cosines(X).value, X / 3, 0.1)["forward_relative"] == 0
    assert differences(forward_difference, cosines(X[:1]).value, X[:1], 0.1)["forward_cumulative"] < 1e-13


def test_total_width_is_the_central_difference_with_half_the_step():
    value = cosines(X).value
    width = module.central_total_width(value, X, 0.2)
    np.testing.assert_allclose(width, central_difference(value, X, 0.1))
    assert np.abs(width - central_difference(value, X, 0.2)).max() > 1e-3


@pytest.mark.parametrize("function", FUNCTIONS)
def test_sentences_are_for_the_student(function):
    for variant in variants(function, Kind.MISTAKE):
        assert "you" in variant.sentence.lower()
        assert variant.sentence.endswith((".", "?"))
