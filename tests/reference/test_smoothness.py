"""L-smoothness and what follows from it: on problems with known L, at equality, and where a condition is broken."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.lecture01 import smoothness as module
from reference.lecture01.smoothness import (
    descent_lemma_gap,
    gradient_gap_lemma,
    quadratic_bounds_gap,
    smoothness_from_hessian,
    smoothness_ratio,
)
from reference.problems import (
    huber,
    quadratic,
    random_least_squares,
    random_logistic,
    random_quadratic,
    sine_plus_line,
    sine_wave,
    smooth_plateau,
    steep_left_parabola,
    two_sided_parabola,
)
from reference.variants import Kind, variants

PROBLEMS = [
    sine_wave(),
    sine_plus_line(),
    smooth_plateau(),
    two_sided_parabola(),
    steep_left_parabola(),
    huber(0.3),
    random_least_squares(rows=12, columns=4, condition=10, seed=1),
    random_quadratic(dimension=3, smoothness=5.0, strong_convexity=0.5, seed=2),
    random_logistic(rows=40, columns=3, seed=3),
]
BOUNDED_BELOW = [problem for problem in PROBLEMS if problem.name != "sine plus a line"]
ROUNDING = 1e-11
# Where the curvature is largest; for the other problems that is 0.
STEEPEST = {
    "sine wave": np.array([-np.pi / 4]),
    "sine plus a line": np.array([-0.5]),
    "smooth plateau": np.array([1.0]),
    "steep left parabola": np.array([-1.0]),
}

MISTAKES = {
    smoothness_ratio: {"lipschitz_constant_of_value", "average_ratio"},
    smoothness_from_hessian: {"largest_signed_eigenvalue"},
    descent_lemma_gap: {"descent_without_half", "descent_from_other_point", "descent_with_plain_norm"},
    quadratic_bounds_gap: {"printed_lower_bound_zero", "upper_bound_only"},
    gradient_gap_lemma: {"gap_lemma_without_two", "gap_lemma_with_infinite_minimum"},
}


def indefinite():
    """x^2/2 - y^2: f = 1/2 <x, H x> with H = diag(1, -2), so L = 2."""
    return np.diag([1.0, -2.0])


def pairs(problem, count=40, seed=0, spread=2.0):
    rng = np.random.default_rng(seed)
    shape = (count, len(problem.x0))
    return problem.x0 + spread * rng.standard_normal(shape), problem.x0 + spread * rng.standard_normal(shape)


# The constant.


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: p.name)
def test_no_ratio_exceeds_the_constant_and_some_come_close(problem):
    L = problem.smoothness
    assert smoothness_ratio(problem.gradient, *pairs(problem)) <= L * (1 + 1e-12)
    points, _ = pairs(problem, count=2000, seed=1)
    if problem.name == "logistic regression":
        points = 0.1 * points  # its curvature is largest at 0
    assert smoothness_ratio(problem.gradient, points, points + 1e-4 * _top(problem)) >= 0.9 * L


def _top(problem):
    """The direction of the largest curvature."""
    if problem.hessian is None:
        return np.ones(1)
    return np.linalg.eigh(problem.hessian(np.zeros(len(problem.x0))))[1][:, -1]


@pytest.mark.parametrize("problem", [p for p in PROBLEMS if p.hessian is not None], ids=lambda p: p.name)
def test_hessian_gives_the_same_constant(problem):
    points = np.vstack([pairs(problem, count=300)[0], np.zeros(len(problem.x0))])
    found = smoothness_from_hessian(problem.hessian, points)
    assert 0.99 * problem.smoothness <= found <= problem.smoothness * (1 + 1e-12)
    for variant in variants(smoothness_from_hessian, Kind.EQUIVALENT):
        assert variant.function(problem.hessian, points) == pytest.approx(found, rel=1e-13)


def test_downward_curvature_counts():
    H = indefinite()
    points = np.zeros((1, 2))
    assert smoothness_from_hessian(lambda x: H, points) == 2
    assert module.largest_signed_eigenvalue(lambda x: H, points) == 1
    assert module.largest_signed_eigenvalue(lambda x: -np.eye(2), points) == -1
    assert smoothness_ratio(lambda x: H @ x, np.array([[0.0, 1.0]]), np.array([[0.0, 3.0]])) == 2


# The inequalities hold with L, also without convexity.


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: p.name)
def test_descent_lemma_and_both_bounds_hold_with_L_and_fail_with_less(problem):
    L = problem.smoothness
    both = list(zip(*pairs(problem), strict=True))
    for gap in (descent_lemma_gap, quadratic_bounds_gap):
        assert min(gap(problem.value, problem.gradient, x, y, L) for x, y in both) >= -ROUNDING
    x = STEEPEST.get(problem.name, np.zeros(len(problem.x0)))
    y = x + 1e-2 * _top(problem)
    assert quadratic_bounds_gap(problem.value, problem.gradient, x, y, L / 2) < 0


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_equivalent_of_the_descent_lemma_agrees_to_rounding(seed):
    rng = np.random.default_rng(seed)
    for problem in PROBLEMS:
        x, y = rng.standard_normal((2, len(problem.x0)))
        L = problem.smoothness
        gap = descent_lemma_gap(problem.value, problem.gradient, x, y, L)
        (variant,) = variants(descent_lemma_gap, Kind.EQUIVALENT)
        assert variant.function(problem.value, problem.gradient, x, y, L) == pytest.approx(gap, abs=ROUNDING)


def test_figure_of_the_notes():
    """f(y) = sin(2y) and its parabola at -1.5 with L = 4."""
    problem = sine_wave()
    gaps = [
        descent_lemma_gap(problem.value, problem.gradient, problem.x0, np.array([y]), 4.0)
        for y in np.arange(-4, 2, 0.1)
    ]
    assert min(gaps) >= 0
    assert descent_lemma_gap(problem.value, problem.gradient, problem.x0, problem.x0, 4.0) == 0


def test_equality_on_the_steepest_parabola():
    problem = quadratic(3 * np.eye(2), np.array([1.0, -1.0]), np.zeros(2))
    for x, y in zip(*pairs(problem), strict=True):
        assert descent_lemma_gap(problem.value, problem.gradient, x, y, 3.0) == pytest.approx(0, abs=ROUNDING)
        assert gradient_gap_lemma(problem.value, problem.gradient, x, 3.0, 0.0) == pytest.approx(0, abs=ROUNDING)


def test_upper_bound_alone_is_not_smoothness():
    """-x^4 lies below every tangent, so it has the upper bound for each L, and its gradient is not Lipschitz."""

    def value(x):
        return -float(x[0] ** 4)

    def gradient(x):
        return -4 * x**3

    points = [np.array([x]) for x in np.linspace(-3, 3, 25)]
    for L in (0.0, 0.1, 10.0):
        assert min(descent_lemma_gap(value, gradient, x, y, L) for x in points for y in points) >= -ROUNDING
        assert min(module.upper_bound_only(value, gradient, x, y, L) for x in points for y in points) >= -ROUNDING
        assert min(quadratic_bounds_gap(value, gradient, x, y, L) for x in points for y in points) < -10
    assert smoothness_ratio(gradient, np.array([[10.0]]), np.array([[10.1]])) > 1000


# The gradient and the gap to the minimum.


@pytest.mark.parametrize("problem", BOUNDED_BELOW, ids=lambda p: p.name)
def test_gradient_gap_lemma_holds(problem):
    for x in pairs(problem)[0]:
        gap = gradient_gap_lemma(problem.value, problem.gradient, x, problem.smoothness, problem.minimum)
        assert gap >= -ROUNDING
        (variant,) = variants(gradient_gap_lemma, Kind.EQUIVALENT)
        same = variant.function(problem.value, problem.gradient, x, problem.smoothness, problem.minimum)
        assert same == pytest.approx(gap, rel=1e-12, abs=ROUNDING)


@pytest.mark.parametrize("function", [gradient_gap_lemma, module.from_best_decrease])
def test_gradient_gap_lemma_needs_a_minimum(function):
    problem = sine_plus_line()
    with pytest.raises(ValueError, match="bounded below"):
        function(problem.value, problem.gradient, problem.x0, problem.smoothness, -np.inf)


# Mistakes.


@pytest.mark.parametrize("function", MISTAKES)
def test_the_known_mistakes(identifiers, function):
    assert identifiers(function, Kind.MISTAKE) == MISTAKES[function]


def test_mistakes_of_the_ratio():
    problem = random_quadratic(dimension=3, smoothness=5.0, strong_convexity=0.5, seed=2)
    x, y = pairs(problem)
    assert module.average_ratio(problem.gradient, x, y) < 0.9 * smoothness_ratio(problem.gradient, x, y)
    near, far = (module.lipschitz_constant_of_value(problem.gradient, s * x, s * y) for s in (1, 10))
    assert far > 5 * near
    round_one = quadratic(3 * np.eye(2), np.zeros(2), np.zeros(2))
    x, y = pairs(round_one)
    assert module.average_ratio(round_one.gradient, x, y) == pytest.approx(3)


@pytest.mark.parametrize("identifier", sorted(MISTAKES[descent_lemma_gap]))
def test_mistakes_of_the_descent_lemma_are_seen_on_the_sine(identifier):
    problem = sine_wave()
    arguments = problem.value, problem.gradient, problem.x0, np.array([0.5]), 4.0
    assert abs(getattr(module, identifier)(*arguments) - descent_lemma_gap(*arguments)) > 1


def test_unit_distance_hides_the_plain_norm_and_a_line_the_other_point():
    problem = sine_wave()
    arguments = problem.value, problem.gradient, problem.x0, problem.x0 + 1, 4.0
    assert module.descent_with_plain_norm(*arguments) == pytest.approx(descent_lemma_gap(*arguments))
    line = (lambda x: float(3 * x[0])), (lambda x: np.array([3.0])), np.zeros(1), np.ones(1), 1.0
    assert module.descent_from_other_point(*line) == descent_lemma_gap(*line)


def test_printed_lower_bound_fails_for_the_sine_and_holds_for_convex_functions():
    problem = sine_wave()
    top = np.array([np.pi / 4])
    arguments = problem.value, problem.gradient, top, top + 0.5, 4.0
    assert quadratic_bounds_gap(*arguments) > 0
    assert module.printed_lower_bound_zero(*arguments) < -0.4
    convex = random_logistic(rows=40, columns=3, seed=3)
    for x, y in zip(*pairs(convex), strict=True):
        assert module.printed_lower_bound_zero(convex.value, convex.gradient, x, y, convex.smoothness) >= -ROUNDING
        arguments = convex.value, convex.gradient, x, y, convex.smoothness
        assert module.upper_bound_only(*arguments) == pytest.approx(quadratic_bounds_gap(*arguments), abs=ROUNDING)


def test_mistakes_of_the_gradient_gap():
    problem = quadratic(3 * np.eye(1), np.zeros(1), np.ones(1))
    assert module.gap_lemma_without_two(problem.value, problem.gradient, problem.x0, 3.0, 0.0) == -4.5
    assert module.gap_lemma_without_two(problem.value, problem.gradient, problem.minimizer, 3.0, 0.0) == 0
    assert module.gap_lemma_with_infinite_minimum(problem.value, problem.gradient, problem.x0, 3.0, -np.inf) == np.inf
    assert module.gap_lemma_with_infinite_minimum(problem.value, problem.gradient, problem.x0, 3.0, 0.0) == 0
