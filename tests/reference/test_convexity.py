"""Convexity: inequalities on convex functions, violations on others, other forms, mistakes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.lecture01 import convexity as module
from reference.lecture01.convexity import (
    first_order_gap,
    is_proved_not_convex,
    jensen_gap,
    monotonicity_gap,
    segment_gap,
)
from reference.problems import (
    huber,
    kinked_plateau,
    random_least_squares,
    random_logistic,
    saddle,
    sine_plus_line,
    sine_wave,
    smooth_plateau,
    two_sided_parabola,
)
from reference.variants import Kind, variants

CONVEX = [
    smooth_plateau(),
    kinked_plateau(),
    two_sided_parabola(),
    huber(0.3),
    random_least_squares(rows=12, columns=4, condition=10, seed=1),
    random_logistic(rows=40, columns=3, seed=3),
]
NOT_CONVEX = [sine_wave(), sine_plus_line(), saddle(np.array([1.0, 0.5]))]
ROUNDING = 1e-11

MISTAKES = {
    segment_gap: {"segment_weights_exchanged", "midpoint_only", "printed_value_inside_argument"},
    first_order_gap: {"tangent_with_slope_at_y"},
    monotonicity_gap: {"reversed_monotonicity"},
    jensen_gap: {"weights_not_checked", "unweighted_mean_of_points"},
    is_proved_not_convex: {"first_pair_only", "majority_of_pairs"},
}


def points_of(problem, count=12, seed=0):
    return problem.x0 + 2 * np.random.default_rng(seed).standard_normal((count, len(problem.x0)))


def reciprocal(x):
    return float(1 / x[0])


def slope_of_reciprocal(x):
    return -1 / x**2


# Convex functions.


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), t=st.floats(0, 1))
def test_inequalities_hold_on_convex_functions(seed, t):
    rng = np.random.default_rng(seed)
    for problem in CONVEX:
        points = 3 * rng.standard_normal((4, len(problem.x0)))
        weights = rng.dirichlet(np.ones(4))
        x, y = points[:2]
        assert segment_gap(problem.value, x, y, t) >= -ROUNDING
        assert first_order_gap(problem.value, problem.gradient, x, y) >= -ROUNDING
        assert monotonicity_gap(problem.gradient, x, y) >= -ROUNDING
        assert jensen_gap(problem.value, points, weights) >= -ROUNDING


@pytest.mark.parametrize("problem", CONVEX, ids=lambda p: p.name)
def test_convex_functions_are_never_proved_not_convex(problem):
    assert not any(
        is_proved_not_convex(problem.value, problem.gradient, points_of(problem, seed=seed)) for seed in range(5)
    )


@pytest.mark.parametrize("problem", NOT_CONVEX, ids=lambda p: p.name)
def test_other_functions_are_found_out(problem):
    points = points_of(problem)
    assert is_proved_not_convex(problem.value, problem.gradient, points)
    pairs = [(x, y) for x in points for y in points]
    assert min(monotonicity_gap(problem.gradient, x, y) for x, y in pairs) < -0.1
    assert min(segment_gap(problem.value, x, y, 0.5) for x, y in pairs) < -0.01


def test_linear_functions_have_no_gap_and_rounding_is_no_proof():
    c = np.array([1e8, -3.0, 0.1])
    points = np.random.default_rng(0).standard_normal((10, 3))
    assert not is_proved_not_convex(lambda x: float(c @ x), lambda x: c, points)
    assert not is_proved_not_convex(lambda x: float(-c @ x), lambda x: -c, points)


def test_monotonicity_is_the_sum_of_both_tangent_gaps():
    for problem in CONVEX + NOT_CONVEX:
        x, y = points_of(problem, count=2)
        both = first_order_gap(problem.value, problem.gradient, x, y)
        both += first_order_gap(problem.value, problem.gradient, y, x)
        assert monotonicity_gap(problem.gradient, x, y) == pytest.approx(both, abs=1e-10)


def test_figure_of_the_notes():
    """1/x for x > 0 lies above its tangent 2 - y at 1."""
    for y in (0.1, 0.5, 1.0, 2.0, 4.0):
        gap = first_order_gap(reciprocal, slope_of_reciprocal, np.ones(1), np.array([y]))
        assert gap == pytest.approx(1 / y - (2 - y), abs=1e-15)
        assert gap >= 0


# Jensen.


def test_jensen_of_two_points_is_a_segment():
    problem = CONVEX[-1]
    x, y = points_of(problem, count=2)
    jensen = jensen_gap(problem.value, np.array([x, y]), np.array([0.3, 0.7]))
    assert jensen == pytest.approx(segment_gap(problem.value, x, y, 0.3), abs=1e-15)


def test_jensen_of_the_square_is_the_variance():
    points, weights = np.array([[1.0], [2.0], [6.0]]), np.array([0.5, 0.25, 0.25])
    assert jensen_gap(lambda x: float(x[0] ** 2), points, weights) == pytest.approx(10.5 - 2.5**2)


@pytest.mark.parametrize("weights", [[0.5, 0.6], [1.5, -0.5]])
@pytest.mark.parametrize("function", [jensen_gap, module.mean_by_induction])
def test_weights_are_checked(function, weights):
    with pytest.raises(ValueError, match="add up to 1"):
        function(lambda x: float(x @ x), np.eye(2), np.array(weights))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), zero=st.booleans())
def test_equivalents_agree_to_rounding(seed, zero):
    rng = np.random.default_rng(seed)
    for problem in CONVEX + NOT_CONVEX:
        points = rng.standard_normal((4, len(problem.x0)))
        weights = np.append(0.0, rng.dirichlet(np.ones(3))) if zero else rng.dirichlet(np.ones(4))
        jensen, monotone = jensen_gap(problem.value, points, weights), monotonicity_gap(problem.gradient, *points[:2])
        for variant in variants(jensen_gap, Kind.EQUIVALENT):
            assert variant.function(problem.value, points, weights) == pytest.approx(jensen, abs=ROUNDING)
        for variant in variants(monotonicity_gap, Kind.EQUIVALENT):
            assert variant.function(problem.gradient, *points[:2]) == pytest.approx(monotone, abs=ROUNDING)


# Mistakes.


@pytest.mark.parametrize("function", MISTAKES)
def test_the_known_mistakes(identifiers, function):
    assert identifiers(function, Kind.MISTAKE) == MISTAKES[function]


@pytest.mark.parametrize("identifier", sorted(MISTAKES[segment_gap]))
def test_mistakes_of_the_segment_on_a_parabola(identifier):
    def square(x):
        return float(x[0] ** 2)

    x, y = np.array([2.0]), np.array([-1.0])
    assert segment_gap(square, x, y, 0.25) == pytest.approx(0.25 * 0.75 * 9)
    assert abs(getattr(module, identifier)(square, x, y, 0.25) - segment_gap(square, x, y, 0.25)) > 0.1


def test_what_hides_the_mistakes_of_the_segment():
    def square(x):
        return float(x[0] ** 2)

    x, y = np.array([2.0]), np.array([-1.0])
    right = segment_gap(square, x, y, 0.5)
    assert module.segment_weights_exchanged(square, x, y, 0.5) == module.midpoint_only(square, x, y, 0.5) == right
    one = np.ones(1)  # f(1) = 1
    assert module.printed_value_inside_argument(square, x, one, 0.25) == segment_gap(square, x, one, 0.25)


def test_mistakes_of_the_tangent_and_of_monotonicity_are_negative_on_a_parabola():
    problem = two_sided_parabola()
    x, y = np.array([1.0]), np.array([2.0])
    assert module.tangent_with_slope_at_y(problem.value, problem.gradient, x, y) == -4.5
    assert module.reversed_monotonicity(problem.gradient, x, y) == -9
    assert (first_order_gap(problem.value, problem.gradient, x, y), monotonicity_gap(problem.gradient, x, y)) == (
        4.5,
        9,
    )
    line = (lambda z: float(z[0])), (lambda z: np.ones(1))
    assert module.tangent_with_slope_at_y(*line, x, y) == first_order_gap(*line, x, y) == 0
    assert module.reversed_monotonicity(line[1], x, y) == monotonicity_gap(line[1], x, y) == 0


def test_mistakes_of_jensen():
    def square(x):
        return float(x @ x)

    points, weights = np.array([[1.0], [3.0]]), np.array([0.9, 0.1])
    assert module.unweighted_mean_of_points(square, points, weights) < -2
    assert jensen_gap(square, points, weights) == pytest.approx(0.36)
    assert module.weights_not_checked(square, points, weights) == jensen_gap(square, points, weights)
    assert module.weights_not_checked(square, points, 2 * weights) < -1  # as if x^2 were not convex
    half = np.array([0.5, 0.5])
    assert module.unweighted_mean_of_points(square, points, half) == jensen_gap(square, points, half)


def test_single_pairs_and_majorities_miss_what_is_there():
    problem = sine_plus_line()
    points = np.array([[-0.9], [-0.5], [-0.7], [-0.3], [0.6]])  # one point outside the valley
    assert is_proved_not_convex(problem.value, problem.gradient, points)
    assert not module.first_pair_only(problem.value, problem.gradient, points)
    assert not module.majority_of_pairs(problem.value, problem.gradient, points)
    assert module.first_pair_only(problem.value, problem.gradient, np.array([[0.2], [0.8]]))

    def hill(x):
        return -float(x @ x)

    assert module.majority_of_pairs(hill, lambda x: -2 * x, points)
