"""Proximal gradient descent and ISTA: golden numbers, scikit-learn, limits, other forms, theorems, mistakes."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Lasso

from reference.lecture02.gradient_descent import gradient_descent
from reference.lecture04 import problems
from reference.lecture04.gradient_mapping import mean_squared_gradient_mapping
from reference.lecture04.optimality import lasso_violation
from reference.lecture04.prox_operators import prox_l1
from reference.lecture04.prox_rules import prox_elastic_net
from reference.lecture04.proximal_gradient_descent import (
    bound_contraction,
    bound_convex,
    bound_convex_any_step,
    bound_nonconvex,
    bound_strongly_convex,
    comparison_slack,
    decrease_slack,
    ista,
    proximal_gradient_descent,
)
from reference.problem import Problem
from reference.problems import quadratic, random_logistic, random_quadratic
from reference.quantities import distance, gap
from reference.variants import Kind, example_of, guarantees, variants

TP10, TP11 = problems.diagonal_lasso(), problems.dense_lasso()
RANDOM = [*(problems.random_lasso(20, 6, 20, 0.7, seed) for seed in range(3)), problems.random_lasso(9, 4, 500, 0.2, 3)]
PROBLEMS = [TP10, TP11, *RANDOM]
ROUNDING = 1e-13


def run(problem, learning_rate, num_steps, function=proximal_gradient_descent):
    return function(problem.gradient, problem.prox, problem.x0, learning_rate, num_steps)


def run_ista(problem, learning_rate, num_steps, function=ista):
    return function(problem.gradient, problem.data["lam"], problem.x0, learning_rate, num_steps)


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
def test_one_row_for_each_iterate_one_gradient_and_one_prox_a_step(num_steps):
    gradient, prox = Counted(TP11.gradient), Counted(TP11.prox)
    iterates = proximal_gradient_descent(gradient, prox, TP11.x0, 0.1, num_steps)
    assert iterates.shape == (num_steps + 1, 3)
    assert iterates.dtype == np.float64
    assert gradient.calls == prox.calls == num_steps
    counted = Counted(TP11.gradient)
    assert ista(counted, 0.7, TP11.x0, 0.1, num_steps).shape == iterates.shape
    assert counted.calls == num_steps


def test_start_is_left_as_it_is_and_may_be_integer():
    x0 = np.array([2, -1])
    for iterates in (
        proximal_gradient_descent(TP10.gradient, TP10.prox, x0, 1 / 20, 1),
        ista(TP10.gradient, 1.0, x0, 1 / 20, 1),
    ):
        assert iterates.dtype == np.float64
        np.testing.assert_allclose(iterates[1], [1.95, 0.0], atol=1e-15)
    np.testing.assert_array_equal(x0, [2, -1])


# Golden numbers.


def test_diagonal_lasso():
    iterates = full_step(TP10, 60)
    np.testing.assert_allclose(iterates[:4], [(0, 0), (0.05, 0), (0.0975, 0), (0.142625, 0)], atol=1e-15)
    np.testing.assert_allclose(iterates[:, 0], 1 - 0.95 ** np.arange(61), atol=1e-14)
    np.testing.assert_array_equal(iterates[:, 1], 0)


def test_dense_lasso():
    golden = [
        (0, 0, 0),
        (0.161904761905, -0.095238095238, 0),
        (0.281632653061, -0.195918367347, 0),
        (0.378814382896, -0.287657920311, 0),
    ]
    np.testing.assert_allclose(full_step(TP11, 3), golden, atol=5e-13)


# Where it ends, and independent implementations.


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: p.name)
def test_converges_with_the_right_zeros(problem):
    iterates = full_step(problem, 2000)
    np.testing.assert_allclose(iterates[-1], problem.minimizer, atol=1e-10 if problem is not RANDOM[-1] else 0.05)
    np.testing.assert_array_equal(iterates[-1] == 0, problem.minimizer == 0)
    if problem is not RANDOM[-1]:
        assert lasso_violation(problem.gradient, problem.data["lam"], iterates[-1]) < 1e-9
    assert np.diff(gap(iterates, problem)).max() <= ROUNDING  # monotone


def test_agrees_with_scikit_learn():
    rng = np.random.default_rng(5)
    A, b, lam = rng.standard_normal((30, 8)), rng.standard_normal(30), 4.0
    L = np.linalg.norm(A, 2) ** 2
    last = ista(lambda x: A.T @ (A @ x - b), lam, np.ones(8), 1 / L, 3000)[-1]
    theirs = Lasso(alpha=lam / 30, fit_intercept=False, tol=1e-14, max_iter=100_000).fit(A, b).coef_
    np.testing.assert_allclose(last, theirs, atol=1e-8)
    assert 0 < np.count_nonzero(last) < 8


def test_without_a_penalty_it_is_gradient_descent():
    problem = random_quadratic(5, 3.0, 0.2, seed=1)
    plain = gradient_descent(problem.gradient, problem.x0, 0.3, 50)
    none = proximal_gradient_descent(problem.gradient, lambda v, t: v, problem.x0, 0.3, 50)
    np.testing.assert_array_equal(none, plain)
    np.testing.assert_array_equal(ista(problem.gradient, 0.0, problem.x0, 0.3, 50), plain)


def test_with_f_zero_it_is_the_proximal_point_method():
    iterates = proximal_gradient_descent(np.zeros_like, prox_l1, np.array([1.0, -0.5]), 0.2, 4)
    np.testing.assert_allclose(iterates[:, 0], [1, 0.8, 0.6, 0.4, 0.2], rtol=1e-14)


def test_a_quadratic_may_be_in_f_or_in_h():
    """The elastic net: its square in h with the step t is its square in f with the step t/(1 + t u)."""
    u = 0.8
    in_h = proximal_gradient_descent(
        TP11.gradient, lambda v, t: prox_elastic_net(v, t, 0.7, u), TP11.x0, 1 / TP11.smoothness, 50
    )
    in_f = ista(lambda x: TP11.gradient(x) + u * x, 0.7, TP11.x0, 1 / (TP11.smoothness + u), 50)
    np.testing.assert_allclose(in_h, in_f, atol=1e-13)


def test_matrices_are_points_too():
    problem = problems.robust_pca_example()
    iterates = run(problem, 0.5, 3)
    assert iterates.shape == (4, 2, 3, 4)
    flat = proximal_gradient_descent(
        lambda v: problem.gradient(v.reshape(2, 3, 4)).ravel(),
        lambda v, t: problem.prox(v.reshape(2, 3, 4), t).ravel(),
        problem.x0.ravel(),
        0.5,
        3,
    )
    np.testing.assert_allclose(flat.reshape(4, 2, 3, 4), iterates, atol=1e-14)


# Equivalents.


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: p.name)
def test_equivalents_agree_to_rounding(problem):
    step = 0.8 / problem.smoothness
    right = run(problem, step, 60)
    np.testing.assert_allclose(run_ista(problem, step, 60), right, rtol=0, atol=1e-12)
    for algorithm, oracle in ((proximal_gradient_descent, problem.prox), (ista, problem.data["lam"])):
        for variant in variants(algorithm, Kind.EQUIVALENT):
            gradient, x0 = Counted(problem.gradient), problem.x0.copy()
            theirs = variant.function(gradient, oracle, x0, step, 60)
            np.testing.assert_allclose(theirs, right, rtol=0, atol=1e-12, err_msg=variant.identifier)
            assert gradient.calls == 60
            np.testing.assert_array_equal(x0, problem.x0)


def test_equivalents_accept_an_integer_start():
    for algorithm, oracle in ((proximal_gradient_descent, TP10.prox), (ista, 1.0)):
        for variant in variants(algorithm, Kind.EQUIVALENT):
            theirs = variant.function(TP10.gradient, oracle, np.array([2, -1]), 1 / 20, 2)
            right = algorithm(TP10.gradient, oracle, np.array([2.0, -1.0]), 1 / 20, 2)
            np.testing.assert_allclose(theirs, right, rtol=1e-13)


# Theorems.


def slope_and_wall(slope):
    """f(x) = slope x, h the indicator of x >= 0, from x0 = 1, with L = 1: the worst case of the convex rate."""
    return Problem(
        name="slope and wall",
        value=lambda x: slope * float(x[0]),
        gradient=lambda x: np.array([slope]),
        x0=np.ones(1),
        smoothness=1.0,
        strong_convexity=0.0,
        minimizer=np.zeros(1),
        minimum=0.0,
        penalty=lambda x: 0.0 if x[0] >= 0 else np.inf,
        prox=lambda v, t: np.maximum(v, 0.0),
    )


def penalized_sine(x0):
    """f(x) = cos x, not convex, L = 1; h = |x|/4. psi is at least -1 + pi/4 - 0.1."""
    return Problem(
        name="cosine and absolute value",
        value=lambda x: float(np.cos(x[0])),
        gradient=lambda x: -np.sin(x),
        x0=np.array([x0]),
        smoothness=1.0,
        strong_convexity=None,
        minimum=-1 + np.pi / 4 - 0.1,
        penalty=lambda x: 0.25 * abs(float(x[0])),
        prox=lambda v, t: prox_l1(v, t / 4),
    )


def penalized_logistic(seed):
    """Logistic regression with an l1 penalty; the solution is that of a long run."""
    smooth = random_logistic(60, 4, seed)
    L = smooth.smoothness
    last = ista(smooth.gradient, 0.1, smooth.x0, 1 / L, 3000)[-1]
    return problems.l1_penalized(smooth, 0.1, last, "logistic regression with l1 penalty")


CONVEX = [*PROBLEMS, slope_and_wall(0.1), slope_and_wall(3.0), penalized_logistic(0), problems.robust_pca_example()]
NON_CONVEX = [*CONVEX, penalized_sine(0.4), penalized_sine(5.0)]
QUANTITIES = {theorem.bound: theorem.quantity for theorem in guarantees(proximal_gradient_descent)}
SETTINGS = {
    bound_strongly_convex: (PROBLEMS, [1.0]),
    bound_contraction: (PROBLEMS, [0.1, 1.0, 1.9]),
    bound_convex: (CONVEX, [1.0]),
    bound_convex_any_step: (CONVEX, [0.1, 0.6, 1.0]),
    bound_nonconvex: (NON_CONVEX, [1.0]),
}


def slack(bound, problem, learning_rate, num_steps=100):
    iterates = run(problem, learning_rate, num_steps)
    return bound(problem, learning_rate, num_steps) - QUANTITIES[bound](iterates, problem)


def test_what_each_bounds():
    expected = {
        bound_strongly_convex: distance,
        bound_contraction: distance,
        bound_convex: gap,
        bound_convex_any_step: gap,
        bound_nonconvex: mean_squared_gradient_mapping,
    }
    assert expected == QUANTITIES
    assert {theorem.bound: theorem.quantity for theorem in guarantees(ista)} == expected
    assert set(SETTINGS) == set(expected)


@pytest.mark.parametrize("bound", SETTINGS)
def test_holds_along_the_run(bound):
    on, fractions = SETTINGS[bound]
    for problem in on:
        for fraction in fractions:
            assert slack(bound, problem, fraction / problem.smoothness).min() >= -ROUNDING, problem.name
    assert bound(on[0], fractions[0] / on[0].smoothness, 0).shape == (1,)


@pytest.mark.parametrize("problem", NON_CONVEX, ids=lambda p: p.name)
@pytest.mark.parametrize("fraction", [0.3, 1.0])
def test_objective_decreases_in_each_step_by_the_mapping(problem, fraction):
    step = fraction / problem.smoothness
    slack_of_steps = decrease_slack(run(problem, step, 100), problem, step)
    assert slack_of_steps.shape == (100,)
    assert slack_of_steps.min() >= -ROUNDING * (1 + abs(problem.objective(problem.x0)))


def steep_lasso():
    """f(x) = 2 (x - 3)^2 with L = mu = 4, h = |x|, from x0 = 1: x* = 2.75, where f has its full curvature."""
    smooth = quadratic(np.array([[4.0]]), np.array([3.0]), np.ones(1))
    return problems.l1_penalized(smooth, 1.0, np.array([2.75]), "steep lasso")


def test_objective_may_increase_for_a_step_above_two_over_L():
    problem, step = steep_lasso(), 2.1 / 4
    iterates = run(problem, step, 20)
    assert decrease_slack(iterates, problem, step).min() < -1
    assert np.diff(gap(iterates, problem)).max() > 1


def test_a_step_above_two_over_L_may_pass_where_zeros_lower_the_curvature():
    """On the three entries of TP11 the largest curvature is 5.25, on the two that are not 0 in the solution less."""
    A = TP11.data["A"]
    assert np.linalg.norm(A[:, :2], 2) ** 2 * 2.1 / 5.25 < 2
    np.testing.assert_allclose(run(TP11, 2.1 / 5.25, 200)[-1], TP11.minimizer, atol=1e-12)


@pytest.mark.parametrize("problem", [TP10, TP11, *RANDOM], ids=lambda p: p.name)
def test_comparison_with_any_point(problem):
    rng = np.random.default_rng(0)
    for fraction in (0.3, 1.0):
        for _ in range(20):
            x, z = problem.x0 + 2 * rng.standard_normal((2, len(problem.x0)))
            for other in (x, z, problem.minimizer):
                assert comparison_slack(problem, x, other, fraction / problem.smoothness) >= -1e-11
    assert min(comparison_slack(problem, x, x, 3 / problem.smoothness) for x in rng.standard_normal((20, len(x)))) < 0


def test_linear_rate_is_attained_on_the_diagonal_lasso():
    np.testing.assert_allclose(slack(bound_strongly_convex, TP10, 1 / 20), 0, atol=ROUNDING)
    np.testing.assert_allclose(slack(bound_contraction, TP10, 0.6 / 20), 0, atol=ROUNDING)


@pytest.mark.parametrize("K", [1, 5, 40])
def test_worst_case_of_the_convex_rate_stays_a_factor_two_below_it(K):
    problem = slope_and_wall(1 / (2 * K))
    assert gap(full_step(problem, K), problem)[K] == pytest.approx(1 / (4 * K), rel=1e-12)
    assert bound_convex(problem, 1.0, K)[K] == pytest.approx(1 / (2 * K), rel=1e-15)


def test_the_convex_rate_needs_a_convex_function():
    """x = 0 is stationary for cos x + |x|/4, where psi = 1 is far above psi*: the gap does not decrease."""
    problem = replace(penalized_sine(0.0), minimizer=np.array([np.pi - 0.25]))
    gaps = gap(full_step(problem, 50), problem)
    np.testing.assert_allclose(gaps, gaps[0])
    claimed = bound_convex(replace(problem, strong_convexity=0.0), 1.0, 50)
    assert gaps[50] > 10 * claimed[50]
    with pytest.raises(ValueError, match="a convex f"):
        bound_convex(problem, 1.0, 50)


def test_rates_need_their_steps():
    errors = distance(run(TP10, 0.5 / 20, 40), TP10)
    assert errors[40] > 2 * bound_strongly_convex(TP10, 1 / 20, 40)[40]
    problem = steep_lasso()
    path = run(problem, 2 / 4, 10)
    np.testing.assert_allclose(distance(path, problem)[2:], 1.75)  # from side to side for ever
    assert bound_convex(problem, 1 / 4, 10)[10] < gap(path, problem)[10] / 5


CONDITIONS = [
    (bound_strongly_convex, TP11, 0.1, "gamma = 1/L"),
    (bound_strongly_convex, slope_and_wall(1.0), 1.0, "strongly convex f"),
    (bound_contraction, TP10, 0.1, "0 < gamma < 2/L"),
    (bound_convex, TP11, 0.1, "gamma = 1/L"),
    (bound_convex_any_step, TP10, 0.051, "0 < gamma <= 1/L"),
    (bound_convex_any_step, penalized_sine(0.4), 0.5, "a convex f"),
    (bound_nonconvex, TP11, 0.1, "gamma = 1/L"),
    (bound_nonconvex, replace(TP10, minimum=None), 1 / 20, "minimum psi"),
    (bound_convex, replace(TP10, minimizer=None), 1 / 20, "minimiser"),
    (bound_convex, replace(TP10, smoothness=None), 1 / 20, "smoothness"),
]


@pytest.mark.parametrize(("bound", "problem", "learning_rate", "sentence"), CONDITIONS)
def test_a_broken_condition_is_named(bound, problem, learning_rate, sentence):
    with pytest.raises(ValueError, match=sentence):
        bound(problem, learning_rate, 5)


# Mistakes.


MISTAKES = {v.identifier: v for v in variants(proximal_gradient_descent, Kind.MISTAKE)}
ISTA_MISTAKES = {v.identifier: v for v in variants(ista, Kind.MISTAKE)}
FIRST_STEP = {
    "prox_without_step": 1,
    "prox_with_inverse_step": 1,
    "prox_with_half_step": 1,
    "backward_forward": 1,
    "both_at_the_old_point": 1,
    "prox_twice": 2,
    "penalty_forgotten": 1,
    "doubled_step": 1,
    "points_before_prox_returned": 1,
}
ISTA_FIRST_STEP = {
    "ista_threshold_lam": 1,
    "ista_threshold_divided": 1,
    "ista_half_threshold": 1,
    "ista_subgradient_step": 1,
    "ista_sign_and_threshold": 2,
    "ista_hard_threshold": 1,
    "ista_block_threshold": 1,
    "ista_negative_side_lost": 1,
    "ista_without_max": 1,
}


def deviations(wrong, right):
    return np.abs(wrong - right).max(axis=1)


def test_every_mistake_is_here():
    assert set(MISTAKES) == set(FIRST_STEP) | {"missing_first_row"}
    assert set(ISTA_MISTAKES) == set(ISTA_FIRST_STEP)


@pytest.mark.parametrize("identifier", [*MISTAKES, *ISTA_MISTAKES])
def test_sentence_is_for_the_student(identifier):
    sentence = (MISTAKES | ISTA_MISTAKES)[identifier].sentence
    assert sentence.startswith("You")
    assert sentence.endswith((".", "?"))


@pytest.mark.parametrize("identifier", FIRST_STEP)
def test_mistake_is_seen_by_a_tenth_on_the_dense_lasso_and_from_this_step_on(identifier):
    step = 1 / TP11.smoothness
    deviation = deviations(run(TP11, step, 10, MISTAKES[identifier].function), full_step(TP11, 10))
    assert deviation.max() > 0.1
    assert deviation[: FIRST_STEP[identifier]].max() < 1e-14
    assert deviation[FIRST_STEP[identifier]] > 0.02


@pytest.mark.parametrize("identifier", ISTA_FIRST_STEP)
def test_ista_mistake_is_seen_by_a_tenth_on_the_dense_lasso_and_from_this_step_on(identifier):
    step = 1 / TP11.smoothness
    deviation = deviations(run_ista(TP11, step, 10, ISTA_MISTAKES[identifier].function), full_step(TP11, 10))
    assert deviation.max() > 0.1
    assert deviation[: ISTA_FIRST_STEP[identifier]].max() < 1e-14
    assert deviation[ISTA_FIRST_STEP[identifier]] > 0.02


def test_negative_side_lost_is_invisible_on_the_diagonal_lasso():
    wrong = run_ista(TP10, 1 / 20, 50, ISTA_MISTAKES["ista_negative_side_lost"].function)
    np.testing.assert_allclose(wrong, full_step(TP10, 50), atol=1e-14)


def test_threshold_lam_stays_at_zero_on_the_diagonal_lasso():
    wrong = run_ista(TP10, 1 / 20, 50, ISTA_MISTAKES["ista_threshold_lam"].function)
    np.testing.assert_array_equal(wrong, 0)


def unit_lasso():
    """L = 1/2, so that gamma = 1 is allowed."""
    smooth = random_quadratic(4, 0.5, 0.1, seed=2)
    return problems.l1_penalized(smooth, 0.2, np.zeros(4), "lasso with a unit step")


@pytest.mark.parametrize(
    "identifier", ["prox_without_step", "prox_with_inverse_step", "ista_threshold_lam", "ista_threshold_divided"]
)
def test_a_unit_step_hides_the_step_in_the_threshold(identifier):
    problem = unit_lasso()
    right = run(problem, 1.0, 20)
    if identifier in MISTAKES:
        wrong = run(problem, 1.0, 20, MISTAKES[identifier].function)
    else:
        wrong = run_ista(problem, 1.0, 20, ISTA_MISTAKES[identifier].function)
    np.testing.assert_array_equal(wrong, right)


@pytest.mark.parametrize(
    "identifier", ["prox_without_step", "prox_with_inverse_step", "prox_with_half_step", "prox_twice"]
)
def test_projections_hide_what_scales_the_penalty(identifier):
    problem = problems.box_quadratic()
    arguments = (problem.gradient, lambda v, t: problem.project(v), problem.x0, 0.3, 20)
    np.testing.assert_array_equal(MISTAKES[identifier].function(*arguments), proximal_gradient_descent(*arguments))


def test_one_dimension_hides_the_block_threshold():
    arguments = (lambda x: 2 * (x - 3.0), 1.5, np.zeros(1), 0.2, 20)
    wrong = ISTA_MISTAKES["ista_block_threshold"].function(*arguments)
    np.testing.assert_allclose(wrong, ista(*arguments), atol=1e-14)


def test_subgradient_step_is_not_sparse():
    wrong = run_ista(TP11, 1 / TP11.smoothness, 200, ISTA_MISTAKES["ista_subgradient_step"].function)
    assert np.count_nonzero(wrong[1:] == 0) == 0
    assert np.abs(wrong[200, 2]) > 1e-3


def test_missing_first_row():
    np.testing.assert_array_equal(run(TP11, 0.1, 5, MISTAKES["missing_first_row"].function), run(TP11, 0.1, 5)[1:])


def test_examples():
    for algorithm in (proximal_gradient_descent, ista):
        shown = example_of(algorithm)
        assert shown.problem().name == TP11.name
    assert example_of(ista).arguments["lam"](TP11) == 0.7
