"""The inequalities of smooth (strongly) convex functions: with L, with L/2, at equality, off the whole space."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.lecture01 import cocoercivity as module
from reference.lecture01.cocoercivity import (
    above_tangent_gap,
    cocoercivity_gap,
    monotonicity_interval_gap,
    smooth_strongly_convex_gap,
    tangent_interval_gap,
)
from reference.problems import (
    elongated_bowl,
    huber,
    quadratic,
    random_least_squares,
    random_logistic,
    random_quadratic,
    sine_wave,
    smooth_plateau,
    steep_left_parabola,
    two_sided_parabola,
)
from reference.variants import Kind, variants

STRONGLY_CONVEX = [
    elongated_bowl(),
    two_sided_parabola(),
    steep_left_parabola(),
    random_least_squares(rows=12, columns=4, condition=10, seed=1),
    random_quadratic(dimension=3, smoothness=5.0, strong_convexity=0.5, seed=2),
]
CONVEX = [*STRONGLY_CONVEX, smooth_plateau(), huber(0.3), random_logistic(rows=40, columns=3, seed=3)]
ROUNDING = 1e-10

MISTAKES = {
    tangent_interval_gap: {"tangent_lower_side_only"},
    above_tangent_gap: {"above_tangent_without_half", "above_tangent_points_exchanged"},
    cocoercivity_gap: {"cocoercivity_halved"},
    monotonicity_interval_gap: {"monotonicity_with_half"},
    smooth_strongly_convex_gap: {"coefficients_exchanged", "first_coefficient_doubled", "second_coefficient_halved"},
}


def gaps(problem, x, y, L):
    """(5) to (8)."""
    return {
        5: tangent_interval_gap(problem.value, problem.gradient, x, y, L),
        6: above_tangent_gap(problem.value, problem.gradient, x, y, L),
        7: cocoercivity_gap(problem.gradient, x, y, L),
        8: monotonicity_interval_gap(problem.gradient, x, y, L),
    }


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), factor=st.floats(1, 3))
def test_all_four_hold_with_L_and_with_more(seed, factor):
    rng = np.random.default_rng(seed)
    for problem in CONVEX:
        x, y = 3 * rng.standard_normal((2, len(problem.x0)))
        for number, gap in gaps(problem, x, y, factor * problem.smoothness).items():
            assert gap >= -ROUNDING, (problem.name, number)


@pytest.mark.parametrize("problem", [p for p in CONVEX if p.hessian is not None], ids=lambda p: p.name)
def test_all_four_fail_with_half_of_L(problem):
    """Near 0, where the logistic loss bends most, along the top eigenvector."""
    top = np.linalg.eigh(problem.hessian(np.zeros(len(problem.x0))))[1][:, -1]
    for number, gap in gaps(problem, -0.05 * top, 0.05 * top, problem.smoothness / 2).items():
        assert gap < 0, number


def test_equality_on_the_steepest_parabola():
    problem = quadratic(3 * np.eye(2), np.ones(2), np.zeros(2))
    for gap in gaps(problem, np.array([1.0, -2.0]), np.array([0.5, 4.0]), 3.0).values():
        assert gap == pytest.approx(0, abs=ROUNDING)


def test_a_function_that_is_not_convex_violates_all_four():
    problem = sine_wave()
    top = np.array([np.pi / 4])
    for number, gap in gaps(problem, top, top + 0.5, 4.0).items():
        assert gap < -0.1, number


def test_sum_over_both_orders_of_the_sixth_is_the_seventh():
    problem = random_logistic(rows=40, columns=3, seed=3)
    x, y = np.random.default_rng(0).standard_normal((2, 3))
    L = problem.smoothness
    both = above_tangent_gap(problem.value, problem.gradient, x, y, L)
    both += above_tangent_gap(problem.value, problem.gradient, y, x, L)
    assert cocoercivity_gap(problem.gradient, x, y, L) == pytest.approx(both, abs=1e-14)


def test_on_a_line_only_the_sixth_and_seventh_do_not_follow():
    """x_1 x_2 on the line x_2 = 0: convex there (it is 0), with a 1-Lipschitz gradient that leaves the line."""

    def value(x):
        return float(x[0] * x[1])

    def gradient(x):
        return x[::-1].copy()

    x, y = np.array([0.0, 0.0]), np.array([2.0, 0.0])
    assert tangent_interval_gap(value, gradient, x, y, 1.0) == 0
    assert monotonicity_interval_gap(gradient, x, y, 1.0) == 0
    assert above_tangent_gap(value, gradient, x, y, 1.0) == -2
    assert cocoercivity_gap(gradient, x, y, 1.0) == -4


# With mu.


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), fraction=st.floats(0, 1))
def test_smooth_strongly_convex_holds_with_mu_and_with_less(seed, fraction):
    rng = np.random.default_rng(seed)
    for problem in STRONGLY_CONVEX:
        x, y = 3 * rng.standard_normal((2, len(problem.x0)))
        mu = fraction * problem.strong_convexity
        assert smooth_strongly_convex_gap(problem.gradient, x, y, problem.smoothness, mu) >= -ROUNDING


def test_smooth_strongly_convex_is_an_equality_for_eigenvalues_L_and_mu_only():
    problem = quadratic(np.diag([20.0, 2.0, 7.0]), np.zeros(3), np.ones(3))
    x = np.zeros(3)
    assert smooth_strongly_convex_gap(problem.gradient, x, np.array([3.0, -4.0, 0.0]), 20.0, 2.0) == pytest.approx(0)
    middle = smooth_strongly_convex_gap(problem.gradient, x, np.array([0.0, 0.0, 1.0]), 20.0, 2.0)
    assert middle == pytest.approx((7 - 2) * (20 - 7) / 22)


def test_smooth_strongly_convex_fails_with_other_constants():
    gradient = elongated_bowl().gradient
    x, first, second = np.zeros(2), np.array([1.0, 0.0]), np.array([0.0, 1.0])
    assert smooth_strongly_convex_gap(gradient, x, first, 19.0, 2.0) < -0.5
    assert smooth_strongly_convex_gap(gradient, x, second, 20.0, 2.1) < -0.05


def test_without_mu_it_is_cocoercivity():
    problem = random_logistic(rows=40, columns=3, seed=3)
    x, y = np.random.default_rng(0).standard_normal((2, 3))
    L = problem.smoothness
    seventh = cocoercivity_gap(problem.gradient, x, y, L)
    assert smooth_strongly_convex_gap(problem.gradient, x, y, L, 0.0) == pytest.approx(seventh, abs=1e-15)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), L=st.floats(1, 10), mu=st.floats(0, 1))
def test_equivalents_agree_to_rounding(seed, L, mu):
    rng = np.random.default_rng(seed)
    for problem in CONVEX:
        x, y = rng.standard_normal((2, len(problem.x0)))
        calls = {
            above_tangent_gap: (problem.value, problem.gradient, x, y, L),
            cocoercivity_gap: (problem.gradient, x, y, L),
            smooth_strongly_convex_gap: (problem.gradient, x, y, L, mu),
        }
        for function, arguments in calls.items():
            for variant in variants(function, Kind.EQUIVALENT):
                right = function(*arguments)
                assert variant.function(*arguments) == pytest.approx(right, abs=1e-9), variant.identifier


# Mistakes.


@pytest.mark.parametrize("function", MISTAKES)
def test_the_known_mistakes(identifiers, function):
    assert identifiers(function, Kind.MISTAKE) == MISTAKES[function]


def test_every_mistake_is_seen_on_the_two_sided_parabola():
    problem, L, mu = two_sided_parabola(), 9.0, 3.0
    x, y = np.array([-1.0]), np.array([3.0])
    for function in (tangent_interval_gap, above_tangent_gap):
        for variant in variants(function, Kind.MISTAKE):
            arguments = problem.value, problem.gradient, x, y, L
            assert abs(variant.function(*arguments) - function(*arguments)) > 1, variant.identifier
    for function in (cocoercivity_gap, monotonicity_interval_gap):
        for variant in variants(function, Kind.MISTAKE):
            assert abs(variant.function(problem.gradient, x, y, L) - function(problem.gradient, x, y, L)) > 1
    for variant in variants(smooth_strongly_convex_gap, Kind.MISTAKE):
        arguments = problem.gradient, x, y, L, mu
        assert abs(variant.function(*arguments) - smooth_strongly_convex_gap(*arguments)) > 1, variant.identifier


def test_mistakes_that_claim_too_much_are_false_on_a_quadratic_and_the_others_true():
    gradient = elongated_bowl().gradient
    x, y = np.zeros(2), np.array([1.0, 1.0])
    value = elongated_bowl().value
    assert module.above_tangent_without_half(value, gradient, x, y, 20.0) < -1
    assert module.monotonicity_with_half(gradient, x, y, 20.0) < -1
    assert module.coefficients_exchanged(gradient, x, y, 20.0, 2.0) < -1
    assert module.first_coefficient_doubled(gradient, x, y, 20.0, 2.0) < -1
    assert module.cocoercivity_halved(gradient, x, y, 20.0) > 1
    assert module.second_coefficient_halved(gradient, x, y, 20.0, 2.0) > 1


def test_what_hides_them():
    bowl = elongated_bowl()
    x, y = np.array([1.0, -1.0]), np.array([0.5, 2.0])
    arguments = bowl.value, bowl.gradient, x, y, 20.0
    assert module.above_tangent_points_exchanged(*arguments) == pytest.approx(above_tangent_gap(*arguments))
    flat = quadratic(np.diag([1.0, 1.0]), np.zeros(2), np.zeros(2))
    arguments = flat.value, flat.gradient, x, y, 9.0  # far below its parabola with L = 9
    assert module.tangent_lower_side_only(*arguments) == tangent_interval_gap(*arguments)
    assert module.monotonicity_with_half(flat.gradient, x, y, 9.0) == monotonicity_interval_gap(
        flat.gradient, x, y, 9.0
    )
    plateau = smooth_plateau()
    a, b = np.array([-0.2]), np.array([0.2])
    assert module.cocoercivity_halved(plateau.gradient, a, b, 2.0) == cocoercivity_gap(plateau.gradient, a, b, 2.0) == 0
    same_unit = bowl.gradient, x, y, 4.0, 0.25  # mu L = 1
    assert module.coefficients_exchanged(*same_unit) == pytest.approx(smooth_strongly_convex_gap(*same_unit))
    without_mu = bowl.gradient, x, y, 20.0, 0.0
    assert module.first_coefficient_doubled(*without_mu) == smooth_strongly_convex_gap(*without_mu)
