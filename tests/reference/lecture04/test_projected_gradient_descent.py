"""Projected gradient descent: golden numbers, closed form, limits, other forms, theorems, mistakes."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import reference.lecture04.projected_gradient_descent as module
from reference.lecture02.gradient_descent import gradient_descent
from reference.lecture04 import problems
from reference.lecture04.gradient_mapping import mean_squared_gradient_mapping
from reference.lecture04.projected_gradient_descent import (
    bound_contraction,
    bound_convex,
    bound_convex_any_step,
    bound_nonconvex,
    bound_strongly_convex,
    bound_strongly_convex_on_set,
    projected_gradient_descent,
    projection_decrease_slack,
    step_decrease_slack,
)
from reference.lecture04.projections import project_box
from reference.lecture04.prox_operators import prox_indicator
from reference.lecture04.proximal_gradient_descent import proximal_gradient_descent
from reference.problem import Problem
from reference.problems import quadratic, random_quadratic
from reference.quantities import distance, gap
from reference.variants import Kind, example_of, guarantees, variants

TP7, TP8 = problems.box_quadratic(), problems.hyperplane_quadratic()
TP9, TP14 = problems.l1_ball_least_squares(), problems.face_changing_quadratic()
RANDOM = [
    *(problems.random_box_quadratic(6, 5.0, 0.5, seed) for seed in range(3)),
    *(problems.random_simplex_quadratic(6, 5.0, 0.5, seed) for seed in range(3)),
    problems.random_box_quadratic(4, 3.0, 0.01, seed=4),
]
PROBLEMS = [TP7, TP8, TP9, TP14, *RANDOM]
ROUNDING = 1e-13


def run(problem, learning_rate, num_steps, function=projected_gradient_descent):
    return function(problem.gradient, problem.project, problem.x0, learning_rate, num_steps)


def full_step(problem, num_steps):
    return run(problem, 1 / problem.smoothness, num_steps)


class Counted:
    def __init__(self, function):
        self.function = function
        self.calls = 0

    def __call__(self, *arguments):
        self.calls += 1
        return self.function(*arguments)


# The form of the result.


@pytest.mark.parametrize("num_steps", [0, 1, 7])
def test_one_row_for_each_iterate_one_gradient_and_one_projection_a_step(num_steps):
    gradient, project = Counted(TP9.gradient), Counted(TP9.project)
    iterates = projected_gradient_descent(gradient, project, TP9.x0, 0.25, num_steps)
    assert iterates.shape == (num_steps + 1, 3)
    assert iterates.dtype == np.float64
    np.testing.assert_array_equal(iterates[0], TP9.x0)
    assert gradient.calls == project.calls == num_steps


def test_start_is_left_as_it_is_and_may_be_integer():
    x0 = np.array([3, -2])
    iterates = projected_gradient_descent(TP8.gradient, TP8.project, x0, 1 / 20, 1)
    np.testing.assert_array_equal(x0, [3, -2])
    np.testing.assert_allclose(iterates[1], [1.925, -0.925], rtol=1e-14)


# Golden numbers and closed forms.


@pytest.mark.parametrize(
    ("problem", "golden"),
    [
        (TP7, [(0, 0), (1, 0.8), (1, 11 / 15), (1, 32 / 45), (1, 19 / 27)]),
        (TP8, [(3, -2), (1.925, -0.925), (1.414375, -0.414375), (1.171828125, -0.171828125)]),
        (TP9, [(0, 0, 0), (1.8125, 0.1875, 0), (1.7421875, 0.2578125, 0), (1.7158203125, 0.2841796875, 0)]),
        (TP14, [(1, 0), (1, 0.3), (0.971428571429, 0.428571428571), (0.90408163, 0.49591837)]),
    ],
)
def test_golden_numbers(problem, golden):
    tolerance = 5e-9 if problem is TP14 else 1e-13
    np.testing.assert_allclose(full_step(problem, len(golden) - 1), golden, atol=tolerance)


def test_linear_factors():
    errors = distance(full_step(TP7, 12), TP7)
    np.testing.assert_allclose(errors[2:] / errors[1:-1], 1 / 3, rtol=1e-8)
    errors = distance(full_step(TP8, 12), TP8)
    np.testing.assert_allclose(errors[1:] / errors[:-1], 0.475, rtol=1e-9)


@pytest.mark.parametrize("fraction", [0.3, 1.0, 1.6])
def test_on_a_hyperplane_the_error_is_a_matrix_power(fraction):
    """The error stays in the tangent space, where the step is I - gamma P H P, P = I - u u^T/||u||^2."""
    step = fraction / TP8.smoothness
    tangent = np.eye(2) - np.ones((2, 2)) / 2
    propagator = tangent @ (np.eye(2) - step * TP8.data["hessian"])
    iterates = run(TP8, step, 30)
    for k in (1, 2, 10, 30):
        error = np.linalg.matrix_power(propagator, k) @ (TP8.x0 - TP8.minimizer)
        np.testing.assert_allclose(iterates[k] - TP8.minimizer, error, atol=1e-13)


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: p.name)
def test_feasible_monotone_and_convergent(problem):
    iterates = full_step(problem, 300 if problem.strong_convexity > 0.1 else 20_000)
    projected = np.array([problem.project(x) for x in iterates[:300]])
    np.testing.assert_allclose(projected, iterates[:300], atol=1e-13)
    np.testing.assert_allclose(iterates[-1], problem.minimizer, atol=1e-10)
    fixed = problem.project(problem.minimizer - problem.gradient(problem.minimizer) / problem.smoothness)
    np.testing.assert_allclose(fixed, problem.minimizer, atol=1e-14)


def test_without_a_constraint_it_is_gradient_descent():
    problem = random_quadratic(5, 3.0, 0.2, seed=1)
    ours = projected_gradient_descent(problem.gradient, lambda x: x, problem.x0, 0.3, 50)
    np.testing.assert_array_equal(ours, gradient_descent(problem.gradient, problem.x0, 0.3, 50))


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: p.name)
def test_it_is_proximal_gradient_descent_with_the_indicator(problem):
    prox = partial(prox_indicator, project=problem.project)
    theirs = proximal_gradient_descent(problem.gradient, prox, problem.x0, 0.2, 50)
    np.testing.assert_array_equal(run(problem, 0.2, 50), theirs)


# Equivalents and the convention.


@pytest.mark.parametrize("variant", variants(projected_gradient_descent, Kind.EQUIVALENT), ids=lambda v: v.identifier)
@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: p.name)
def test_equivalents_agree_to_rounding(variant, problem):
    step = 0.8 / problem.smoothness
    gradient, project = Counted(problem.gradient), Counted(problem.project)
    x0 = problem.x0.copy()
    theirs = variant.function(gradient, project, x0, step, 60)
    np.testing.assert_allclose(theirs, run(problem, step, 60), rtol=0, atol=1e-12)
    assert gradient.calls == project.calls == 60
    np.testing.assert_array_equal(x0, problem.x0)
    integer = variant.function(TP8.gradient, TP8.project, np.array([3, -2]), 1 / 20, 3)
    np.testing.assert_allclose(integer, run(TP8, 1 / 20, 3), rtol=1e-13)


def test_projected_start_is_the_same_where_the_start_is_feasible():
    (convention,) = variants(projected_gradient_descent, Kind.CONVENTION)
    np.testing.assert_allclose(run(TP9, 0.25, 10, convention.function), run(TP9, 0.25, 10), atol=1e-15)
    outside = replace(TP9, x0=np.array([3.0, 0.0, 0.0]))
    project = Counted(outside.project)
    moved = convention.function(outside.gradient, project, outside.x0, 0.25, 10)
    np.testing.assert_array_equal(moved[0], [2, 0, 0])
    assert project.calls == 11
    np.testing.assert_array_equal(run(outside, 0.25, 10)[0], outside.x0)


# Theorems.


def half_line(slope):
    """f(x) = slope x over x >= 0 from x0 = 1, with L = 1: the worst case of the convex rate."""
    return Problem(
        name="half line",
        value=lambda x: slope * float(x[0]),
        gradient=lambda x: np.array([slope]),
        x0=np.ones(1),
        smoothness=1.0,
        strong_convexity=0.0,
        minimizer=np.zeros(1),
        minimum=0.0,
        project=lambda x: np.maximum(x, 0.0),
    )


def saddle(x0):
    """f(x) = x_1^2 - x_2^2/2 over [-1, 1]^2, not convex; f* = -1/2 at (0, 1) and (0, -1)."""
    return Problem(
        name="saddle",
        value=lambda x: float(x[0] ** 2 - x[1] ** 2 / 2),
        gradient=lambda x: np.array([2 * x[0], -x[1]]),
        x0=np.array(x0),
        smoothness=2.0,
        strong_convexity=None,
        minimizer=np.array([0.0, 1.0]),
        minimum=-0.5,
        project=lambda x: np.clip(x, -1.0, 1.0),
    )


CONVEX = [*PROBLEMS, half_line(0.1), half_line(3.0)]
NON_CONVEX = [*CONVEX, saddle([1.0, 0.3]), saddle([0.7, -1e-3])]
QUANTITIES = {theorem.bound: theorem.quantity for theorem in guarantees(projected_gradient_descent)}
SETTINGS = {
    bound_strongly_convex: (PROBLEMS, [1.0]),
    bound_contraction: (PROBLEMS, [0.1, 1.0, 1.9]),
    bound_strongly_convex_on_set: (PROBLEMS, [1.0]),
    bound_convex: (CONVEX, [1.0]),
    bound_convex_any_step: (CONVEX, [0.1, 0.6, 1.0]),
    bound_nonconvex: (NON_CONVEX, [1.0]),
}


def slack(bound, problem, learning_rate, num_steps=100):
    iterates = run(problem, learning_rate, num_steps)
    return bound(problem, learning_rate, num_steps) - QUANTITIES[bound](iterates, problem)


def test_what_each_bounds():
    assert {
        bound_strongly_convex: distance,
        bound_contraction: distance,
        bound_strongly_convex_on_set: distance,
        bound_convex: gap,
        bound_convex_any_step: gap,
        bound_nonconvex: mean_squared_gradient_mapping,
    } == QUANTITIES
    assert set(SETTINGS) == set(QUANTITIES)


@pytest.mark.parametrize("bound", SETTINGS)
def test_holds_along_the_run(bound):
    on, fractions = SETTINGS[bound]
    for problem in on:
        for fraction in fractions:
            assert slack(bound, problem, fraction / problem.smoothness).min() >= -ROUNDING, problem.name
    assert bound(on[0], fractions[0] / on[0].smoothness, 0).shape == (1,)


@pytest.mark.parametrize("problem", NON_CONVEX, ids=lambda p: p.name)
def test_lemmas_hold_in_each_step(problem):
    iterates = full_step(problem, 200)
    rounding = ROUNDING * (1 + abs(problem.value(problem.x0)))
    assert step_decrease_slack(iterates, problem).min() >= -rounding
    assert projection_decrease_slack(iterates, problem).min() >= -rounding
    assert step_decrease_slack(iterates, problem).shape == projection_decrease_slack(iterates, problem).shape == (200,)


def test_lemmas_fail_for_a_longer_step_and_for_iterates_of_another_method():
    problem = problems.random_box_quadratic(6, 5.0, 0.5, seed=0)
    assert step_decrease_slack(run(problem, 1.9 / problem.smoothness, 20), problem).min() < -0.1
    unprojected = run(problem, 1 / problem.smoothness, 20, module.unprojected_points_returned)
    assert step_decrease_slack(unprojected, problem).min() < -0.01


def big_box(hessian, x0):
    smooth = quadratic(hessian, np.zeros(2), np.array(x0))
    return problems.constrained(smooth, partial(project_box, lower=-9.0, upper=9.0), np.zeros(2), "big box")


@pytest.mark.parametrize(("x0", "fraction"), [((0.0, 3.0), 0.4), ((0.0, 3.0), 1.0), ((3.0, 0.0), 1.9)])
def test_linear_rates_are_attained_along_the_slowest_eigenvector(x0, fraction):
    problem = big_box(np.diag([20.0, 2.0]), x0)
    np.testing.assert_allclose(slack(bound_contraction, problem, fraction / 20), 0, atol=ROUNDING)
    if fraction == 1:
        np.testing.assert_allclose(slack(bound_strongly_convex, problem, 1 / 20), 0, atol=ROUNDING)


def test_bound_on_the_set_is_the_square_root_of_the_other():
    ours, weaker = bound_strongly_convex(TP7, 1 / 3, 8), bound_strongly_convex_on_set(TP7, 1 / 3, 8)
    start = np.linalg.norm(TP7.x0 - TP7.minimizer)
    np.testing.assert_allclose((weaker / start) ** 2, ours / start, rtol=1e-14)


@pytest.mark.parametrize("K", [1, 5, 40])
def test_worst_case_of_the_convex_rate_stays_a_factor_two_below_it(K):
    """A slope of L R/(2K): after K steps the gap is L R^2/(4K)."""
    problem = half_line(1 / (2 * K))
    assert gap(full_step(problem, K), problem)[K] == pytest.approx(1 / (4 * K), rel=1e-12)
    assert bound_convex(problem, 1.0, K)[K] == pytest.approx(1 / (2 * K), rel=1e-15)


def test_nonconvex_bound_is_attained_on_a_scalar_quadratic():
    smooth = quadratic(np.array([[3.0]]), np.array([1.0]), np.array([2.5]))
    problem = problems.constrained(smooth, lambda x: np.clip(x, -9.0, 9.0), np.array([1.0]), "interval")
    np.testing.assert_allclose(slack(bound_nonconvex, problem, 1 / 3), 0, atol=ROUNDING)


def test_convex_bound_is_the_case_of_the_longest_step():
    np.testing.assert_allclose(bound_convex_any_step(TP9, 0.25, 9), bound_convex(TP9, 0.25, 9), rtol=1e-15)
    assert (bound_convex_any_step(TP9, 0.1, 9)[1:] > bound_convex(TP9, 0.25, 9)[1:]).all()


def test_the_convex_rate_needs_a_convex_function():
    """Theorem 5.3 as printed, for L-smooth f, is false: this start is stationary, and the gap stays 1/2."""
    problem = saddle([0.0, 0.0])
    gaps = gap(full_step(problem, 10), problem)
    np.testing.assert_array_equal(gaps, 0.5)
    printed = bound_convex(replace(problem, strong_convexity=0.0), 0.5, 10)  # convexity claimed, not true
    assert printed[10] == pytest.approx(0.1)
    with pytest.raises(ValueError, match="a convex f"):
        bound_convex(problem, 0.5, 10)


def test_rates_need_their_steps():
    slow = big_box(np.diag([20.0, 2.0]), (0.0, 3.0))
    errors = distance(run(slow, 0.5 / 20, 20), slow)
    assert errors[20] > 1.5 * bound_strongly_convex(slow, 1 / 20, 20)[20]
    fast = big_box(np.diag([20.0, 2.0]), (3.0, 0.0))
    assert gap(run(fast, 2 / 20, 20), fast)[20] == pytest.approx(90.0)  # jumps from side to side for ever
    assert bound_convex(fast, 1 / 20, 20)[20] == pytest.approx(4.5)


CONDITIONS = [
    (bound_strongly_convex, TP7, 0.5, "gamma = 1/L"),
    (bound_strongly_convex, half_line(1.0), 1.0, "strongly convex f"),
    (bound_strongly_convex_on_set, TP7, 0.5, "gamma = 1/L"),
    (bound_contraction, TP7, 2 / 3, "0 < gamma < 2/L"),
    (bound_contraction, TP7, 0.0, "0 < gamma < 2/L"),
    (bound_convex, TP7, 0.3, "gamma = 1/L"),
    (bound_convex, saddle([1.0, 0.3]), 0.5, "a convex f"),
    (bound_convex_any_step, TP7, 0.34, "0 < gamma <= 1/L"),
    (bound_nonconvex, TP7, 0.3, "gamma = 1/L"),
    (bound_nonconvex, replace(TP7, minimum=None), 1 / 3, "minimum"),
    (bound_convex, replace(TP7, minimizer=None), 1 / 3, "minimiser"),
    (bound_convex, replace(TP7, smoothness=None), 1 / 3, "smoothness"),
    (bound_convex, replace(TP7, project=None), 1 / 3, "projection"),
    (bound_convex, replace(TP7, x0=np.array([2.0, 0.0])), 1 / 3, "x_0 in X"),
    (bound_nonconvex, replace(TP7, x0=np.array([2.0, 0.0])), 1 / 3, "x_0 in X"),
]


@pytest.mark.parametrize(("bound", "problem", "learning_rate", "sentence"), CONDITIONS)
def test_a_broken_condition_is_named(bound, problem, learning_rate, sentence):
    with pytest.raises(ValueError, match=sentence):
        bound(problem, learning_rate, 5)


def test_convex_bounds_say_nothing_about_the_start():
    assert bound_convex(TP9, 0.25, 3)[0] == bound_convex_any_step(TP9, 0.1, 3)[0] == np.inf


# Mistakes.


MISTAKES = {v.identifier: v for v in variants(projected_gradient_descent, Kind.MISTAKE)}
# The first step that shows it with gamma = 1/L.
FIRST_STEP = {
    "gradient_at_unprojected_point": 2,
    "projected_gradient": 1,
    "project_then_step": 1,
    "no_projection": 1,
    "projected_at_the_end": 1,
    "projected_for_the_record": 2,
    "projected_ascent": 1,
    "doubled_step": 1,
    "unprojected_points_returned": 1,
}


def deviations(identifier, problem, learning_rate, num_steps):
    wrong = run(problem, learning_rate, num_steps, MISTAKES[identifier].function)
    return np.abs(wrong - run(problem, learning_rate, num_steps)).max(axis=1)


def test_every_mistake_is_here():
    others = {"lazy_projection", "stops_at_small_gradient", "missing_first_row"}
    assert set(MISTAKES) == set(FIRST_STEP) | others


@pytest.mark.parametrize("identifier", MISTAKES)
def test_sentence_is_for_the_student(identifier):
    assert MISTAKES[identifier].sentence.startswith("You")
    assert MISTAKES[identifier].sentence.endswith((".", "?"))


@pytest.mark.parametrize("identifier", FIRST_STEP)
@pytest.mark.parametrize("problem", [TP7, TP8, TP9, TP14], ids=["TP7", "TP8", "TP9", "TP14"])
def test_mistake_is_seen_by_a_25th_and_from_this_step_on(identifier, problem):
    deviation = deviations(identifier, problem, 1 / problem.smoothness, 10)
    assert deviation.max() > 0.04
    assert deviation[: FIRST_STEP[identifier]].max() < 1e-14
    assert deviation[FIRST_STEP[identifier]] > 1e-3


@pytest.mark.parametrize("problem", [TP7, TP8, TP9], ids=["TP7", "TP8", "TP9"])
def test_lazy_projection_is_invisible_on_three_standard_problems(problem):
    for fraction in (0.5, 1.0):
        assert deviations("lazy_projection", problem, fraction / problem.smoothness, 50).max() < 1e-13


def test_lazy_projection_is_seen_where_the_active_set_changes():
    deviation = deviations("lazy_projection", TP14, 2 / 7, 10)
    assert deviation[:2].max() == 0
    assert deviation[2] > 0.028
    lazy = run(TP14, 2 / 7, 2, MISTAKES["lazy_projection"].function)
    np.testing.assert_allclose(lazy[2], [1, 0.42857143], atol=5e-9)


def test_projecting_at_the_end_gives_the_projection_of_the_unconstrained_minimizer():
    wrong = run(TP7, 1 / 3, 200, MISTAKES["projected_at_the_end"].function)
    np.testing.assert_allclose(wrong[-1], [1, 0.2], atol=1e-12)


def test_small_gradients_end_the_run_at_an_interior_solution_only():
    wrong = run(TP14, 2 / 7, 400, MISTAKES["stops_at_small_gradient"].function)
    assert len(wrong) < 200
    for problem, num_steps in ((TP7, 400), (TP14, 20)):  # a solution on the boundary; a short run
        assert deviations("stops_at_small_gradient", problem, 1 / problem.smoothness, num_steps).max() == 0


def test_nothing_is_seen_while_no_point_leaves_the_set():
    problem = big_box(np.diag([20.0, 2.0]), (3.0, 2.0))
    for identifier in (
        "gradient_at_unprojected_point",
        "project_then_step",
        "no_projection",
        "projected_at_the_end",
        "projected_for_the_record",
        "lazy_projection",
        "unprojected_points_returned",
    ):
        assert deviations(identifier, problem, 1 / 20, 20).max() < 1e-14, identifier


def test_missing_first_row():
    np.testing.assert_array_equal(run(TP7, 1 / 3, 5, MISTAKES["missing_first_row"].function), full_step(TP7, 5)[1:])


def test_example():
    shown = example_of(projected_gradient_descent)
    assert shown.problem().name == TP9.name
    assert shown.quantity is gap
