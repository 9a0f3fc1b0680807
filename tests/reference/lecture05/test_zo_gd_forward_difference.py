"""Descent with forward differences, constant and vanishing tau: golden paths, closed forms, theorems, mistakes."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.lecture02.gradient_descent import gradient_descent
from reference.lecture05 import zo_gd_forward_difference as constant_module
from reference.lecture05 import zo_gd_vanishing_difference as vanishing_module
from reference.lecture05.black_box import BlackBox
from reference.lecture05.problems import half_ramps, round_bowl, saturating_wells, sines, stretched_bowl
from reference.lecture05.quantities import initial_gap
from reference.lecture05.zo_gd_forward_difference import (
    bound_nonconvex,
    bound_strongly_convex,
    fixed_point_on_quadratic,
    zo_gd_forward_difference,
)
from reference.lecture05.zo_gd_vanishing_difference import (
    geometric_taus,
    inverse_root_taus,
    inverse_taus,
    zo_gd_vanishing_difference,
)
from reference.problems import random_least_squares, random_logistic, random_quadratic, two_sided_parabola
from reference.quantities import gap, mean_squared_gradient
from reference.variants import Kind, example_of, guarantees, variants

ROUNDING = 1e-11
"""Absolute: the differences divide rounding errors by tau."""
STRONGLY_CONVEX = [
    stretched_bowl(),
    round_bowl(4, 3.0),
    two_sided_parabola(),
    *(random_quadratic(5, 3.0, 0.2, seed=seed) for seed in range(3)),
    random_least_squares(rows=20, columns=4, condition=100, seed=3),
]
SMOOTH = [
    *STRONGLY_CONVEX,
    half_ramps(3),
    random_logistic(60, 4, seed=4),
    saturating_wells(),
    sines(np.array([0.3, -1.1, 2.0])),
]


def run(problem, learning_rate, tau, num_steps, function=zo_gd_forward_difference):
    """With a number tau the constant method, with an array the vanishing one."""
    return function(problem.value, problem.x0, learning_rate, tau, num_steps)


def run_vanishing(problem, learning_rate, taus, num_steps, function=zo_gd_vanishing_difference):
    return function(problem.value, problem.x0, learning_rate, taus, num_steps)


# Golden numbers.


def test_stretched_bowl_with_constant_tau():
    problem = stretched_bowl()
    path = run(problem, 0.1, 0.1, 100)
    np.testing.assert_allclose(path[[1, 2, 5]], [[0.895, -0.05], [0.8005, -0.05], [0.5700145, -0.05]], rtol=1e-11)
    averages = mean_squared_gradient(path, problem)
    assert averages[10] == pytest.approx(9.73074603921, abs=1e-9)
    assert averages[100] == pytest.approx(1.28717976907, abs=1e-9)
    bound = bound_nonconvex(problem, 0.1, 0.1, 100)
    np.testing.assert_allclose(bound[[10, 100]], [10.5, 1.58910891], rtol=1e-8)
    end = run(problem, 0.1, 0.1, 400)[-1]
    np.testing.assert_allclose(end, [-0.05, -0.05], atol=1e-12)
    assert problem.value(end) == pytest.approx(0.01375, abs=1e-12)
    assert bound_strongly_convex(problem, 0.1, 0.1, 400)[-1] == pytest.approx(0.25, abs=1e-12)


def test_saturating_wells():
    problem = saturating_wells()
    path = run(problem, 0.5, 0.1, 1000)
    np.testing.assert_allclose(path[1], [1.92421442, -0.73756906, 0.17647059], atol=5e-9)
    np.testing.assert_allclose(path[5], [1.53936073, -0.05000816, -0.05], atol=5e-9)
    np.testing.assert_allclose(path[-1], -0.05, atol=1e-12)
    averages = mean_squared_gradient(path, problem)
    assert averages[100] == pytest.approx(0.06020901661651373, rel=1e-10)
    assert bound_nonconvex(problem, 0.5, 0.1, 100)[100] == pytest.approx(0.0894, abs=5e-5)


def test_stretched_bowl_with_vanishing_tau():
    problem = stretched_bowl()
    path = run_vanishing(problem, 0.1, inverse_taus(0.1, 100), 100)
    expected = [[0.895, -0.05], [0.803, -0.025], [0.3410395, -0.005], [-0.00053175, -0.0005]]
    np.testing.assert_allclose(path[[1, 2, 10, 100]], expected, atol=5e-8)
    np.testing.assert_allclose(path[1:, 1], -inverse_taus(0.1, 100) / 2, atol=1e-12)
    averages = mean_squared_gradient(path, problem)
    assert averages[10] == pytest.approx(9.549464615678875, rel=1e-10)
    assert averages[100] == pytest.approx(1.0450687518, rel=1e-9)
    infinite_sum = 0.01 * np.pi**2 / 6
    for k, printed in [(10, 10.0748), (100, 1.0972521488)]:
        bound = (2 * 10 * 5.5 + 2 * 100 * infinite_sum / 4) / (k + 1)
        assert bound == pytest.approx(printed, rel=5e-6)
        assert averages[k] <= vanishing_module.bound_nonconvex(problem, 0.1, inverse_taus(0.1, k), k)[k] <= bound


# An independent implementation: gradient descent on the shifted quadratic.


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("fraction", [0.5, 1.0, 1.9])
def test_on_quadratics_it_is_gradient_descent_to_another_point(seed, fraction):
    problem, tau = random_quadratic(5, 3.0, 0.2, seed), 0.3
    A = problem.data["hessian"]
    b = A @ problem.minimizer
    shifted = gradient_descent(lambda x: A @ x - b + tau / 2 * np.diag(A), problem.x0, fraction / 3.0, 300)
    path = run(problem, fraction / 3.0, tau, 300)
    np.testing.assert_allclose(path, shifted, atol=ROUNDING)
    limit = fixed_point_on_quadratic(A, b, tau)
    factor = max(abs(1 - fraction / 3.0 * 0.2), abs(1 - fraction))
    distances = np.linalg.norm(path - limit, axis=1)
    assert (distances <= factor ** np.arange(301) * distances[0] + ROUNDING).all()


def test_it_diverges_beyond_two_over_l():
    problem = stretched_bowl()
    assert np.abs(run(problem, 2.1 / 10, 0.1, 100)[-1]).max() > 1e3
    assert np.abs(run(problem, 1.9 / 10, 0.1, 100)[-1]).max() < 1


def test_constant_taus_give_the_constant_method():
    for problem in SMOOTH:
        gamma = 0.5 / problem.smoothness
        np.testing.assert_array_equal(run_vanishing(problem, gamma, np.full(20, 0.1), 20), run(problem, gamma, 0.1, 20))


# Theorems.


def test_bounds_are_registered():
    registered = {theorem.bound: theorem.quantity for theorem in guarantees(zo_gd_forward_difference)}
    assert registered == {bound_strongly_convex: gap, bound_nonconvex: mean_squared_gradient}
    registered = {theorem.bound: theorem.quantity for theorem in guarantees(zo_gd_vanishing_difference)}
    assert registered == {vanishing_module.bound_nonconvex: mean_squared_gradient}


@pytest.mark.parametrize("problem", SMOOTH, ids=lambda problem: problem.name)
@pytest.mark.parametrize("fraction", [0.3, 1.0])
@pytest.mark.parametrize("tau", [0.5, 0.01])
def test_bounds_hold_along_the_run(problem, fraction, tau):
    gamma = fraction / problem.smoothness
    path = run(problem, gamma, tau, 100)
    averages = mean_squared_gradient(path, problem)
    assert (averages <= bound_nonconvex(problem, gamma, tau, 100) + ROUNDING).all()
    if problem.strong_convexity:
        assert (gap(path, problem) <= bound_strongly_convex(problem, gamma, tau, 100) + ROUNDING).all()
    for taus in (inverse_taus(tau, 100), geometric_taus(tau, 0.9, 100)):
        averages = mean_squared_gradient(run_vanishing(problem, gamma, taus, 100), problem)
        assert (averages <= vanishing_module.bound_nonconvex(problem, gamma, taus, 100) + ROUNDING).all()


@pytest.mark.parametrize("problem", SMOOTH, ids=lambda problem: problem.name)
def test_descent_lemma(problem):
    """f(x_{k+1}) <= f(x_k) - gamma/2 ||grad f(x_k)||^2 + gamma d L^2 tau^2 / 8."""
    L, tau = problem.smoothness, 0.3
    path = run(problem, 1 / L, tau, 50)
    values = np.array([problem.value(x) for x in path])
    squares = np.array([np.sum(problem.gradient(x) ** 2) for x in path[:-1]])
    assert (values[1:] <= values[:-1] - squares / (2 * L) + len(problem.x0) * L * tau**2 / 8 + ROUNDING).all()


def test_floors_are_attained_by_the_round_bowl():
    problem, tau = round_bowl(4, 3.0), 0.2
    path = run(problem, 1 / 3, tau, 5000)
    np.testing.assert_allclose(path[1:], -tau / 2, atol=1e-12)
    assert gap(path, problem)[-1] == pytest.approx(4 * 3 * tau**2 / 8)
    assert bound_strongly_convex(problem, 1 / 3, tau, 5000)[-1] == pytest.approx(4 * 3 * tau**2 / 8)
    averages, bound = mean_squared_gradient(path, problem), bound_nonconvex(problem, 1 / 3, tau, 5000)
    assert averages[-1] == pytest.approx(bound[-1], rel=0.02)


def test_bounds_fail_beyond_their_steps():
    problem = stretched_bowl()
    path = run(problem, 2.1 / 10, 0.1, 100)
    assert (mean_squared_gradient(path, problem) > 2 * bound_nonconvex(problem, 1 / 10, 0.1, 100)).any()
    assert (gap(path, problem) > 2 * bound_strongly_convex(problem, 1 / 10, 0.1, 100)).any()
    taus = inverse_taus(0.1, 100)
    averages = mean_squared_gradient(run_vanishing(problem, 2.1 / 10, taus, 100), problem)
    assert (averages > 2 * vanishing_module.bound_nonconvex(problem, 1 / 10, taus, 100)).any()


def test_vanishing_tau_leaves_no_floor_and_constant_tau_does():
    problem = stretched_bowl()
    constant = mean_squared_gradient(run(problem, 0.1, 0.1, 3000), problem)
    vanishing = mean_squared_gradient(run_vanishing(problem, 0.1, inverse_taus(0.1, 3000), 3000), problem)
    assert constant[-1] > 0.25
    assert vanishing[-1] < 0.04
    gradient = problem.gradient(run_vanishing(problem, 0.1, geometric_taus(0.1, 0.9, 600), 600)[-1])
    assert np.linalg.norm(gradient) < 1e-6


def test_constant_tau_of_the_horizon_gives_one_over_k():
    """tau = 1/sqrt(K): the floor d L^2 / (4 K) falls as fast as the first term."""
    problem = stretched_bowl()
    for K in (100, 400):
        averages = mean_squared_gradient(run(problem, 0.1, 1 / np.sqrt(K), K), problem)
        assert averages[-1] <= (2 * 10 * initial_gap(problem) + 2 * 100 / 4) / K


def test_sums_of_squares_of_the_sequences():
    assert np.sum(inverse_taus(0.3, 100_000) ** 2) == pytest.approx(0.09 * np.pi**2 / 6, rel=1e-4)
    assert np.sum(geometric_taus(0.3, 0.9, 500) ** 2) == pytest.approx(0.09 / (1 - 0.81))
    sums = [np.sum(inverse_root_taus(0.3, n) ** 2) for n in (10**3, 10**4, 10**5)]
    assert sums[2] - sums[1] == pytest.approx(0.09 * np.log(10), rel=1e-3)  # one more for each factor 10, for ever
    assert sums[1] - sums[0] == pytest.approx(0.09 * np.log(10), rel=1e-3)


def test_mistaken_bounds():
    problem, taus = stretched_bowl(), inverse_taus(0.1, 100)
    right = vanishing_module.bound_nonconvex(problem, 0.1, taus, 100)
    by_sum = vanishing_module.bound_with_sum_of_taus(problem, 0.1, taus, 100)
    assert by_sum[100] > 1.1 * right[100]
    floor = vanishing_module.bound_with_constant_floor(problem, 0.1, taus, 100)
    assert floor[0] == pytest.approx(right[0])
    assert floor[100] > 1.5 * right[100]
    ones = np.ones(100)  # hides the missing square
    np.testing.assert_allclose(
        vanishing_module.bound_with_sum_of_taus(problem, 0.1, ones, 100),
        vanishing_module.bound_nonconvex(problem, 0.1, ones, 100),
    )


@pytest.mark.parametrize(
    ("bound", "problem", "arguments", "sentence"),
    [
        (bound_nonconvex, stretched_bowl(), (0.11, 0.1, 5), "gamma <= 1/L"),
        (bound_nonconvex, stretched_bowl(), (0.0, 0.1, 5), "gamma <= 1/L"),
        (bound_nonconvex, stretched_bowl(), (0.1, 0.0, 5), "tau > 0"),
        (bound_strongly_convex, stretched_bowl(), (0.11, 0.1, 5), "gamma <= 1/L"),
        (bound_strongly_convex, half_ramps(2), (0.1, 0.1, 5), "a strongly convex f"),
        (bound_strongly_convex, saturating_wells(), (0.1, 0.1, 5), "a strongly convex f"),
        (vanishing_module.bound_nonconvex, stretched_bowl(), (0.11, np.ones(5), 5), "gamma <= 1/L"),
        (vanishing_module.bound_nonconvex, stretched_bowl(), (0.1, np.zeros(5), 5), "tau_k > 0"),
    ],
)
def test_broken_condition_is_said(bound, problem, arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        bound(problem, *arguments)


# Form, queries, equivalents.

METHODS = {
    zo_gd_forward_difference: (constant_module, 0.2),
    zo_gd_vanishing_difference: (vanishing_module, inverse_taus(0.2, 30)),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("num_steps", [0, 1, 7])
def test_one_row_for_each_iterate(method, num_steps):
    x0 = np.array([2, 4, -1])
    box = BlackBox(saturating_wells().value)
    path = method(box, x0, 0.3, METHODS[method][1], num_steps)
    assert path.shape == (num_steps + 1, 3)
    assert path.dtype == np.float64
    np.testing.assert_array_equal(path[0], x0)
    np.testing.assert_array_equal(x0, [2, 4, -1])
    assert box.queries == 4 * num_steps


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), tau=st.floats(0.05, 1), d=st.integers(2, 5))
def test_equivalents_agree_to_rounding(seed, tau, d):
    problem = random_quadratic(d, 3.0, 0.2, seed)
    taus = inverse_taus(tau, 20)
    size = 1e-12 * (1 + problem.value(problem.x0)) / taus[-1]
    for method, argument in [(zo_gd_forward_difference, tau), (zo_gd_vanishing_difference, taus)]:
        right = run(problem, 0.3, argument, 20, method)
        for variant in variants(method, Kind.EQUIVALENT):
            other = run(problem, 0.3, argument, 20, variant.function)
            np.testing.assert_allclose(other, right, rtol=0, atol=size)


@pytest.mark.parametrize("method", METHODS)
def test_equivalents_have_the_same_queries_and_leave_the_start(method):
    for variant in variants(method, Kind.EQUIVALENT):
        box, x0 = BlackBox(saturating_wells().value), np.array([2, 4, -1])
        path = variant.function(box, x0, 0.3, METHODS[method][1], 7)
        assert box.queries == 28, variant.identifier
        np.testing.assert_allclose(path, method(saturating_wells().value, x0, 0.3, METHODS[method][1], 7), atol=1e-12)
        np.testing.assert_array_equal(x0, [2, 4, -1])


# Mistakes.

OTHER_PATH = {
    zo_gd_forward_difference: {
        "ascent",
        "coordinate_after_coordinate",
        "frozen_base",
        "frozen_differences",
        "steps_exchanged",
        "doubled_step",
        "halved_differences",
        "undivided_differences",
        "backward_differences",
        "central_differences",
        "cumulative_shifts",
    },
    zo_gd_vanishing_difference: {
        "next_tau",
        "divided_by_first_tau",
        "shifted_by_first_tau",
        "constant_tau",
        "decaying_step",
        "undivided_differences",
        "ascent",
        "halved_differences",
        "backward_differences",
        "central_differences",
        "frozen_base",
        "coordinate_after_coordinate",
        "cumulative_shifts",
    },
}
OTHER_ROWS = {"missing_first_row", "missing_last_row", "final_point_only", "aliased_rows"}
OTHER_EFFECTS = {"base_repeated", "mutated_start"}
ALL = [(method, identifier) for method in METHODS for identifier in sorted(OTHER_PATH[method])]


def wrong_path(method, identifier, problem, gamma, tau, num_steps=20):
    """Divergence to infinity is a deviation too."""
    with np.errstate(over="ignore", invalid="ignore"):
        return run(problem, gamma, tau, num_steps, getattr(METHODS[method][0], identifier))


@pytest.mark.parametrize("method", METHODS)
def test_the_known_mistakes(identifiers, method):
    assert identifiers(method, Kind.MISTAKE) == OTHER_PATH[method] | OTHER_ROWS | OTHER_EFFECTS


@pytest.mark.parametrize(("method", "identifier"), ALL)
@pytest.mark.parametrize("problem", [random_quadratic(4, 3.0, 0.2, seed=1)], ids=["quadratic"])
def test_path_deviates_by_at_least_a_hundredth_of_its_extent(method, identifier, problem):
    tau = METHODS[method][1]
    right, wrong = run(problem, 0.25, tau, 20, method), wrong_path(method, identifier, problem, 0.25, tau)
    deviation = np.nan_to_num(np.abs(wrong - right), nan=np.inf).max()
    assert deviation > 0.01 * np.ptp(right, axis=0).max(), deviation


@pytest.mark.parametrize("method", METHODS)
def test_other_rows(method):
    module, tau = METHODS[method]
    problem = saturating_wells()
    right = run(problem, 0.25, tau, 10, method)
    np.testing.assert_array_equal(run(problem, 0.25, tau, 10, module.missing_first_row), right[1:])
    np.testing.assert_array_equal(run(problem, 0.25, tau, 10, module.missing_last_row), right[:-1])
    np.testing.assert_array_equal(run(problem, 0.25, tau, 10, module.final_point_only), right[-1])
    np.testing.assert_allclose(run(problem, 0.25, tau, 10, module.aliased_rows), np.tile(right[-1], (11, 1)))


@pytest.mark.parametrize("method", METHODS)
def test_other_effects_beside_the_right_path(method):
    module, tau = METHODS[method]
    problem = saturating_wells()
    right = run(problem, 0.25, tau, 10, method)
    box = BlackBox(problem.value)
    np.testing.assert_allclose(module.base_repeated(box, problem.x0, 0.25, tau, 10), right, atol=1e-13)
    assert box.queries == 10 * 6
    start = problem.x0.copy()
    np.testing.assert_allclose(module.mutated_start(problem.value, start, 0.25, tau, 10), right, atol=1e-13)
    np.testing.assert_allclose(start, right[-1], atol=1e-13)
    with pytest.raises(TypeError):
        module.mutated_start(problem.value, np.array([2, 4, -1]), 0.25, tau, 1)


def test_what_hides_the_mistakes():
    separable, quadratic = saturating_wells(), random_quadratic(4, 3.0, 0.2, seed=1)

    def hidden(method, identifier, problem, tau, gamma=0.25):
        right = run(problem, gamma, tau, 20, method)
        return np.abs(wrong_path(method, identifier, problem, gamma, tau) - right).max() < 1e-12

    constant, vanishing = zo_gd_forward_difference, zo_gd_vanishing_difference
    assert hidden(constant, "coordinate_after_coordinate", separable, 0.2)
    assert hidden(vanishing, "coordinate_after_coordinate", separable, inverse_taus(0.2, 20))
    assert hidden(constant, "steps_exchanged", quadratic, 0.25)
    assert hidden(constant, "undivided_differences", quadratic, 1.0)
    for identifier in ("next_tau", "divided_by_first_tau", "shifted_by_first_tau", "constant_tau"):
        assert hidden(vanishing, identifier, quadratic, np.full(20, 0.2))
    one = two_sided_parabola()
    assert hidden(constant, "cumulative_shifts", one, 0.2, gamma=0.1)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("identifier", ["frozen_base", "frozen_differences", "decaying_step", "constant_tau"])
def test_first_step_is_right_and_the_second_is_not(method, identifier):
    module, tau = METHODS[method]
    if identifier not in OTHER_PATH[method]:
        return
    problem = saturating_wells()
    right, wrong = run(problem, 0.25, tau, 2, method), run(problem, 0.25, tau, 2, getattr(module, identifier))
    np.testing.assert_allclose(wrong[1], right[1], atol=1e-15)
    assert np.abs(wrong[2] - right[2]).max() > 1e-3


@pytest.mark.parametrize("method", METHODS)
def test_variants_have_the_signature_of_the_method(method):
    for variant in variants(method):
        assert list(inspect.signature(variant.function).parameters) == list(inspect.signature(method).parameters)


@pytest.mark.parametrize("method", METHODS)
def test_example_runs_within_its_bounds(method):
    example = example_of(method)
    problem = example.problem()
    arguments = {name: value(problem) if callable(value) else value for name, value in example.arguments.items()}
    quantity = example.quantity(method(problem.value, problem.x0, **arguments), problem)
    for theorem in guarantees(method):
        if theorem.quantity is example.quantity:
            assert (quantity <= theorem.bound(problem, **arguments) + ROUNDING).all()
