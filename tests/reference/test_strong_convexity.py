"""Strong convexity: with mu, with a larger mu, at equality; other forms; mistakes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.lecture01 import strong_convexity as module
from reference.lecture01.strong_convexity import (
    gradient_difference_gap,
    inverse_monotonicity_gap,
    polyak_lojasiewicz_gap,
    strong_convexity_from_hessian,
    strong_first_order_gap,
    strong_monotonicity_gap,
    strong_segment_gap,
)
from reference.problems import (
    elongated_bowl,
    parabola,
    random_least_squares,
    random_quadratic,
    saddle,
    steep_left_parabola,
    two_sided_parabola,
)
from reference.variants import Kind, variants

PROBLEMS = [
    elongated_bowl(),
    parabola(),
    two_sided_parabola(),
    steep_left_parabola(),
    random_least_squares(rows=12, columns=4, condition=10, seed=1),
    random_quadratic(dimension=3, smoothness=5.0, strong_convexity=0.5, seed=2),
]
ROUNDING = 1e-11

MISTAKES = {
    strong_segment_gap: {"segment_without_weights"},
    strong_first_order_gap: {"tangent_without_half"},
    strong_monotonicity_gap: {"monotonicity_with_inverse"},
    gradient_difference_gap: {"difference_times_constant"},
    inverse_monotonicity_gap: {"as_cocoercivity"},
    polyak_lojasiewicz_gap: {"polyak_lojasiewicz_not_inverted"},
    strong_convexity_from_hessian: {"smallest_absolute_eigenvalue"},
}


def gaps(problem, x, y, mu, t=0.3):
    """All six, by name."""
    return {
        "segment": strong_segment_gap(problem.value, x, y, t, mu),
        "first order": strong_first_order_gap(problem.value, problem.gradient, x, y, mu),
        "monotonicity": strong_monotonicity_gap(problem.gradient, x, y, mu),
        "gradient difference": gradient_difference_gap(problem.value, problem.gradient, x, y, mu),
        "inverse monotonicity": inverse_monotonicity_gap(problem.gradient, x, y, mu),
        "Polyak-Lojasiewicz": polyak_lojasiewicz_gap(problem.value, problem.gradient, x, problem.minimum, mu),
    }


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), t=st.floats(0, 1), fraction=st.floats(0.1, 1))
def test_all_hold_with_mu_and_with_less(seed, t, fraction):
    rng = np.random.default_rng(seed)
    for problem in PROBLEMS:
        x, y = problem.minimizer + 3 * rng.standard_normal((2, len(problem.x0)))
        for name, gap in gaps(problem, x, y, fraction * problem.strong_convexity, t).items():
            assert gap >= -1e-10, (problem.name, name)


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: p.name)
def test_equality_along_the_flattest_direction_and_violation_with_more(problem):
    H = problem.hessian(problem.x0) if problem.hessian else None
    direction = np.linalg.eigh(H)[1][:, 0] if H is not None else _flat_side(problem)
    x, y = problem.minimizer + 0.5 * direction, problem.minimizer + 1.5 * direction
    mu = problem.strong_convexity
    for name, gap in gaps(problem, x, y, mu).items():
        assert gap == pytest.approx(0, abs=ROUNDING), name
    for name, gap in gaps(problem, x, y, 1.1 * mu).items():
        assert gap < -1e-3, name


def _flat_side(problem):
    return np.ones(1) if problem.name == "steep left parabola" else -np.ones(1)


def test_figure_of_the_notes():
    """y^2 and y^2/2 on two sides, from -0.5: above the parabola with mu = 1, below the one with L = 2."""
    problem = steep_left_parabola()
    for y in np.linspace(-2, 2, 41):
        gap = strong_first_order_gap(problem.value, problem.gradient, problem.x0, np.array([y]), 1.0)
        assert gap >= 0
        assert gap <= 0.5 * (2 - 1) * (y + 0.5) ** 2 + 1e-15


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), t=st.floats(0, 1), mu=st.floats(0.1, 5))
def test_equivalents_agree_to_rounding(seed, t, mu):
    rng = np.random.default_rng(seed)
    for problem in PROBLEMS:
        x, y = rng.standard_normal((2, len(problem.x0)))
        calls = {
            strong_segment_gap: (problem.value, x, y, t, mu),
            strong_first_order_gap: (problem.value, problem.gradient, x, y, mu),
            strong_monotonicity_gap: (problem.gradient, x, y, mu),
        }
        for function, arguments in calls.items():
            (variant,) = variants(function, Kind.EQUIVALENT)
            assert variant.function(*arguments) == pytest.approx(function(*arguments), abs=1e-10)


# The constant.


@pytest.mark.parametrize("problem", [p for p in PROBLEMS if p.hessian is not None], ids=lambda p: p.name)
def test_hessian_gives_the_constant(problem):
    points = problem.x0[None]
    found = strong_convexity_from_hessian(problem.hessian, points)
    assert found == pytest.approx(problem.strong_convexity, rel=1e-12)
    (variant,) = variants(strong_convexity_from_hessian, Kind.EQUIVALENT)
    assert variant.function(problem.hessian, points) == pytest.approx(found, rel=1e-13)
    assert module.smallest_absolute_eigenvalue(problem.hessian, points) == pytest.approx(found, rel=1e-13)


def test_constant_is_negative_at_a_saddle():
    hessian = saddle(np.zeros(2)).hessian
    assert strong_convexity_from_hessian(hessian, np.zeros((1, 2))) == -1
    assert module.smallest_absolute_eigenvalue(hessian, np.zeros((1, 2))) == 1


# Mistakes.


@pytest.mark.parametrize("function", MISTAKES)
def test_the_known_mistakes(identifiers, function):
    assert identifiers(function, Kind.MISTAKE) == MISTAKES[function]


def test_every_mistake_is_seen_on_the_elongated_bowl_and_most_claim_too_much_of_it():
    problem, mu = elongated_bowl(), 2.0
    x, y = np.array([0.1, 1.0]), np.array([-0.2, 3.0])
    value, gradient = problem.value, problem.gradient
    pairs = {
        "segment": module.segment_without_weights(value, x, y, 0.3, mu),
        "first order": module.tangent_without_half(value, gradient, x, y, mu),
        "monotonicity": module.monotonicity_with_inverse(gradient, x, y, mu),
        "gradient difference": module.difference_times_constant(value, gradient, x, y, mu),
        "inverse monotonicity": module.as_cocoercivity(gradient, x, y, mu),
        "Polyak-Lojasiewicz": module.polyak_lojasiewicz_not_inverted(value, gradient, x, 0.0, mu),
    }
    right = gaps(problem, x, y, mu)
    assert min(abs(wrong - right[name]) for name, wrong in pairs.items()) > 1
    assert {name for name, wrong in pairs.items() if wrong < 0} == {"segment", "first order", "inverse monotonicity"}


def test_small_mu_exposes_the_constants_that_are_not_inverted():
    """f = mu/2 x^2 with mu = 1/2."""

    def value(x):
        return float(x[0] ** 2 / 4)

    def gradient(x):
        return x / 2

    x, y = np.zeros(1), np.ones(1)
    assert module.monotonicity_with_inverse(gradient, x, y, 0.5) == -1.5
    assert module.difference_times_constant(value, gradient, x, y, 0.5) == -0.1875
    assert module.polyak_lojasiewicz_not_inverted(value, gradient, y, 0.0, 0.5) == -0.1875


def test_mu_of_one_hides_them():
    problem = steep_left_parabola()
    x, y = np.array([-0.5]), np.array([1.0])
    value, gradient = problem.value, problem.gradient
    assert module.monotonicity_with_inverse(gradient, x, y, 1.0) == strong_monotonicity_gap(gradient, x, y, 1.0)
    wrong, right = module.difference_times_constant, gradient_difference_gap
    assert wrong(value, gradient, x, y, 1.0) == right(value, gradient, x, y, 1.0)
    wrong, right = module.polyak_lojasiewicz_not_inverted, polyak_lojasiewicz_gap
    assert wrong(value, gradient, x, 0.0, 1.0) == right(value, gradient, x, 0.0, 1.0)
