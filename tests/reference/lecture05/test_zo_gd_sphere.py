"""Descent with the sphere estimate: golden paths, exact expectations, theorems, mistakes.

On quadratics the expectations in the theorems are computed exactly, by the recursion of E x_k x_k^T. Where runs are
averaged instead, the seed is fixed, and a right method fails for another seed with probability at most 1e-6.
"""

import inspect

import numpy as np
import pytest
import scipy.stats

from reference.lecture05 import zo_gd_sphere as constant_module
from reference.lecture05 import zo_gd_sphere_vanishing as vanishing_module
from reference.lecture05.black_box import BlackBox
from reference.lecture05.problems import cosines, ladder, round_bowl, saturating_wells, stretched_bowl
from reference.lecture05.quadratic_moments import expected_squared_gradients, expected_values, sphere_mean_squares
from reference.lecture05.quantities import expected_gap, expected_mean_gap, expected_mean_squared_gradient
from reference.lecture05.sphere_sampling import sample_sphere
from reference.lecture05.zo_gd_sphere import (
    bound_nonconvex,
    bound_nonconvex_any_dimension,
    bound_strongly_convex,
    bound_with_printed_floor,
    zo_gd_sphere,
)
from reference.lecture05.zo_gd_sphere_vanishing import (
    bound_convex,
    bound_with_printed_step,
    zo_gd_sphere_vanishing,
)
from reference.lecture05.zo_gd_vanishing_difference import inverse_taus
from reference.problems import random_logistic, random_quadratic
from reference.variants import Kind, example_of, guarantees, variants

FALSE_ALARM = 1e-6


def directions(num_steps, d, seed=0):
    return sample_sphere(num_steps, d, np.random.default_rng(seed))


def coordinates(num_steps, d):
    """e_1, e_2, ..., e_d, e_1, ...: unit vectors too."""
    return np.eye(d)[np.arange(num_steps) % d]


def step(problem, fraction=1.0):
    return fraction / (4 * len(problem.x0) * problem.smoothness)


def averages(values):
    return np.cumsum(values) / np.arange(1, len(values) + 1)


def exact(problem, gamma, taus, num_steps):
    """(E gap, E ||grad||^2) for each k on a quadratic."""
    A = problem.data["hessian"]
    S = sphere_mean_squares(A, problem.x0 - problem.minimizer, gamma, taus, num_steps)
    return expected_values(A, S), expected_squared_gradients(A, S)


# Golden numbers.


def test_ladder_along_the_coordinates():
    problem = ladder()
    path = zo_gd_sphere(problem.value, problem.x0, 1 / 256, 0.5, coordinates(16, 8), 16)
    expected = [0.9230957, 0.84863281, 0.77661133, 0.70703125, 0.63989258, 0.57519531, 0.51293945, 0.453125]
    np.testing.assert_allclose(path[16], expected, atol=5e-9)
    assert problem.value(path[16]) == pytest.approx(6.809072971343994, rel=1e-14)
    j = np.arange(1, 9)
    np.testing.assert_allclose(path[8], 1 - j / 32 * 1.25, rtol=1e-13)  # x_j -= (j/32) (x_j + tau/2), once each


def test_bounds_on_the_ladder():
    problem = ladder()
    gaps, squares = exact(problem, 1 / 256, np.full(500, 0.5), 500)
    assert squares.mean() == pytest.approx(10.766, abs=5e-4)
    assert bound_nonconvex(problem, 1 / 256, 0.5, 500)[500] == pytest.approx(100.79, abs=5e-3)
    assert gaps[500] == pytest.approx(0.1015, abs=5e-5)
    assert bound_strongly_convex(problem, 1 / 256, 0.5, 500)[500] == pytest.approx(38.77, abs=5e-3)


def test_round_bowl_with_vanishing_tau():
    problem, K = round_bowl(4, 1.0), 200
    taus = inverse_taus(0.5, K)
    gaps, _ = exact(problem, 1 / 16, taus, K)
    assert gaps.mean() == pytest.approx(0.0907, abs=5e-4)
    printed = 4 * 4 / (0.25 * (K + 1)) + 1.5 * 0.25 * np.pi**2 / 6 / (K + 1)
    assert printed == pytest.approx(0.3215, abs=5e-5)
    assert gaps.mean() <= bound_convex(problem, 1 / 16, taus, K)[K] <= printed


# Runs against the exact expectation.


def test_mean_over_runs_is_the_exact_curve():
    """300 runs of the ladder, z-tests of f(x_k) at four k."""
    problem, runs, K = ladder(), 300, 100
    gaps, _ = exact(problem, 1 / 256, np.full(K, 0.5), K)
    checked = [1, 10, 50, 100]
    values = np.empty((runs, len(checked)))
    for seed in range(runs):
        path = zo_gd_sphere(problem.value, problem.x0, 1 / 256, 0.5, directions(K, 8, seed), K)
        values[seed] = [problem.value(path[k]) for k in checked]
    z = (values.mean(axis=0) - gaps[checked]) / (values.std(axis=0, ddof=1) / np.sqrt(runs))
    assert np.abs(z).max() < scipy.stats.norm.isf(FALSE_ALARM / (2 * len(checked)))


# Theorems.

QUADRATICS = [ladder(), round_bowl(8, 3.0), *(random_quadratic(9, 3.0, 0.2, seed=seed) for seed in range(3))]


def test_bounds_are_registered():
    registered = {theorem.bound: theorem.quantity for theorem in guarantees(zo_gd_sphere)}
    assert registered == {
        bound_strongly_convex: expected_gap,
        bound_nonconvex: expected_mean_squared_gradient,
        bound_nonconvex_any_dimension: expected_mean_squared_gradient,
    }
    registered = {theorem.bound: theorem.quantity for theorem in guarantees(zo_gd_sphere_vanishing)}
    assert registered == {
        bound_convex: expected_mean_gap,
        vanishing_module.bound_nonconvex: expected_mean_squared_gradient,
    }


@pytest.mark.parametrize("problem", QUADRATICS, ids=lambda problem: problem.name)
@pytest.mark.parametrize("fraction", [0.3, 1.0])
@pytest.mark.parametrize("tau", [2.0, 0.1])
def test_exact_expectations_are_within_the_bounds(problem, fraction, tau):
    K, gamma = 400, step(problem, fraction)
    gaps, squares = exact(problem, gamma, np.full(K, tau), K)
    assert (gaps <= bound_strongly_convex(problem, gamma, tau, K) * (1 + 1e-12)).all()
    assert (averages(squares) <= bound_nonconvex(problem, gamma, tau, K) * (1 + 1e-12)).all()
    assert (averages(squares) <= bound_nonconvex_any_dimension(problem, gamma, tau, K) * (1 + 1e-12)).all()
    taus = inverse_taus(tau, K)
    gaps, squares = exact(problem, gamma, taus, K)
    assert (averages(squares) <= vanishing_module.bound_nonconvex(problem, gamma, taus, K) * (1 + 1e-12)).all()
    for c in (0.1, 0.5, 0.9):
        gamma = c / (2 * len(problem.x0) * problem.smoothness)
        gaps, _ = exact(problem, gamma, taus, K)
        assert (averages(gaps) <= bound_convex(problem, gamma, taus, K) * (1 + 1e-12)).all()


def test_bounds_in_few_dimensions():
    problem, tau, K = stretched_bowl(), 1.0, 400
    gamma = step(problem)
    _, squares = exact(problem, gamma, np.full(K, tau), K)
    assert (averages(squares) <= bound_nonconvex_any_dimension(problem, gamma, tau, K)).all()
    eight = ladder()
    np.testing.assert_allclose(  # for d = 8 the two bounds are the same
        bound_nonconvex_any_dimension(eight, step(eight), tau, 5), bound_nonconvex(eight, step(eight), tau, 5)
    )


@pytest.mark.parametrize(
    "problem", [saturating_wells(), random_logistic(60, 4, seed=1), cosines(np.array([0.3, -1.1, 2.0]))],
    ids=lambda problem: problem.name,
)  # fmt: skip
def test_means_over_runs_are_within_the_bounds_where_f_is_not_quadratic(problem):
    """40 runs; the bounds have so much room that the mean over the runs is below them by a factor of 2 at least."""
    K, d, gamma, tau = 100, len(problem.x0), step(problem), 0.3
    paths = np.array([zo_gd_sphere(problem.value, problem.x0, gamma, tau, directions(K, d, s), K) for s in range(40)])
    squares = expected_mean_squared_gradient(paths, problem)
    assert (2 * squares <= bound_nonconvex_any_dimension(problem, gamma, tau, K)).all()
    if problem.strong_convexity is not None:
        taus = inverse_taus(tau, K)
        paths = np.array(
            [zo_gd_sphere_vanishing(problem.value, problem.x0, gamma, taus, directions(K, d, s), K) for s in range(40)]
        )
        assert (2 * expected_mean_gap(paths, problem) <= bound_convex(problem, gamma, taus, K)).all()


def test_one_step_inequalities_are_exact_consequences():
    """E f(x_1) <= f(x_0) - gamma (1/2 - d L gamma) ||grad||^2 + gamma L^2 tau^2/2 (1 + gamma d^2 L/2), any gamma."""
    for problem in QUADRATICS:
        d, L, tau = len(problem.x0), problem.smoothness, 0.7
        for fraction in (0.5, 1.0, 1.9):
            gamma = step(problem, fraction)
            gaps, squares = exact(problem, gamma, np.array([tau]), 1)
            decrease = gamma * (0.5 - d * L * gamma) * squares[0]
            assert gaps[1] <= gaps[0] - decrease + gamma * L**2 * tau**2 / 2 * (1 + gamma * d**2 * L / 2) + 1e-12


def test_how_much_room_the_bounds_have_on_the_round_bowl():
    """gamma = 1/(4 d L), exactly: the factor is 1 - 7/(16 d) where the theorem has 1 - 1/(8 d); the floor is
    d L tau^2 / 56 where it has d L tau^2 / 4. Neither is attained."""
    problem, tau, K = round_bowl(8, 3.0), 0.5, 2000
    gaps, _ = exact(problem, step(problem), np.full(K, tau), K)
    assert gaps[-1] == pytest.approx(8 * 3 * tau**2 / 56)
    assert bound_strongly_convex(problem, step(problem), tau, K)[-1] == pytest.approx(8 * 3 * tau**2 / 4, rel=1e-6)
    assert (gaps[11] - gaps[-1]) / (gaps[10] - gaps[-1]) == pytest.approx(1 - 7 / 128)


def test_step_of_forward_differences_diverges():
    """gamma = 1/L is d/2 times beyond the threshold 2/(d L) in mean square, and single runs fly off too."""
    problem = round_bowl(8, 3.0)
    gaps, squares = exact(problem, 1 / 3, np.full(100, 0.1), 100)
    assert (gaps > 1e10 * bound_strongly_convex(problem, step(problem), 0.1, 100)).any()
    assert (averages(squares) > 1e10 * bound_nonconvex(problem, step(problem), 0.1, 100)).any()
    path = zo_gd_sphere(problem.value, problem.x0, 1 / 3, 0.1, directions(200, 8), 200)
    assert problem.value(path[-1]) > 1e3 * problem.value(problem.x0)
    taus = inverse_taus(0.1, 100)
    gaps, squares = exact(problem, 1 / 3, taus, 100)
    assert (averages(squares) > 1e10 * vanishing_module.bound_nonconvex(problem, step(problem), taus, 100)).any()
    assert (averages(gaps) > 1e10 * bound_convex(problem, step(problem), taus, 100)).any()


def test_printed_floor_is_half_and_not_violated_on_quadratics():
    for problem in QUADRATICS:
        gamma, tau, K = step(problem), 2.0, 3000
        right = bound_strongly_convex(problem, gamma, tau, K)
        printed = bound_with_printed_floor(problem, gamma, tau, K)
        floor = len(problem.x0) * problem.smoothness**2 * tau**2 / (4 * problem.strong_convexity)
        np.testing.assert_allclose(right - printed, floor / 2)
        gaps, _ = exact(problem, gamma, np.full(K, tau), K)
        assert (gaps <= printed * (1 + 1e-12)).all()


def test_printed_step_leaves_the_range_of_the_proof():
    problem, taus = ladder(), inverse_taus(0.5, 10)
    gamma = 0.6 / (8 * 8)  # c = 0.6 by the printed rule, 1.2 by the proof
    assert np.isfinite(bound_with_printed_step(problem, gamma, taus, 10)).all()
    with pytest.raises(ValueError, match=r"gamma < 1/\(2 d L\)"):
        bound_convex(problem, gamma, taus, 10)


def test_vanishing_tau_leaves_no_floor():
    """Forward differences and the sphere: constant tau has a floor, vanishing tau has none."""
    problem, K = ladder(), 3000
    constant, _ = exact(problem, step(problem), np.full(K, 0.5), K)
    vanishing, _ = exact(problem, step(problem), inverse_taus(0.5, K), K)
    assert constant[-1] > 0.08
    assert vanishing[-1] < 1e-5


@pytest.mark.parametrize(
    ("bound", "problem", "arguments", "sentence"),
    [
        (bound_nonconvex, ladder(), (1 / 250, 0.5, 5), r"gamma <= 1/\(4 d L\)"),
        (bound_nonconvex, ladder(), (0.0, 0.5, 5), r"gamma <= 1/\(4 d L\)"),
        (bound_nonconvex, ladder(), (1 / 256, 0.0, 5), "tau > 0"),
        (bound_nonconvex, ladder(7), (1e-3, 0.5, 5), "at least 8 dimensions"),
        (bound_nonconvex_any_dimension, ladder(7), (1.0, 0.5, 5), r"gamma <= 1/\(4 d L\)"),
        (bound_strongly_convex, ladder(7), (1e-3, 0.5, 5), "at least 8 dimensions"),
        (bound_strongly_convex, saturating_wells(), (1e-3, 0.5, 5), "a strongly convex f"),
        (bound_convex, saturating_wells(), (1e-3, np.ones(5), 5), "a convex f"),
        (bound_convex, ladder(), (1 / 128, np.ones(5), 5), r"gamma < 1/\(2 d L\)"),
        (bound_convex, ladder(), (1 / 256, np.zeros(5), 5), "tau_k > 0"),
        (vanishing_module.bound_nonconvex, ladder(7), (1e-3, np.ones(5), 5), "at least 8 dimensions"),
        (vanishing_module.bound_nonconvex, ladder(), (1 / 250, np.ones(5), 5), r"gamma <= 1/\(4 d L\)"),
    ],
)
def test_broken_condition_is_said(bound, problem, arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        bound(problem, *arguments)


# Form, queries, equivalents.

METHODS = {
    zo_gd_sphere: (constant_module, 0.6),
    zo_gd_sphere_vanishing: (vanishing_module, inverse_taus(0.3, 30)),
}


def run(function, tau, problem, num_steps=20, gamma=None, U=None):
    U = directions(num_steps, len(problem.x0)) if U is None else U
    with np.errstate(over="ignore", invalid="ignore"):
        return function(problem.value, problem.x0, gamma or 4 * step(problem), tau, U, num_steps)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("num_steps", [0, 1, 7])
def test_one_row_for_each_iterate(method, num_steps):
    x0, box = np.array([2, 4, -1]), BlackBox(saturating_wells().value)
    path = method(box, x0, 0.1, METHODS[method][1], directions(num_steps, 3), num_steps)
    assert path.shape == (num_steps + 1, 3)
    assert path.dtype == np.float64
    np.testing.assert_array_equal(path[0], x0)
    np.testing.assert_array_equal(x0, [2, 4, -1])
    assert box.queries == 2 * num_steps


def test_constant_taus_give_the_constant_method():
    problem = ladder()
    np.testing.assert_array_equal(
        run(zo_gd_sphere_vanishing, np.full(20, 0.3), problem), run(zo_gd_sphere, 0.3, problem)
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("problem", [ladder(), random_quadratic(5, 3.0, 0.2, seed=1), random_logistic(60, 4, seed=1)])
def test_equivalents_agree_to_rounding_with_the_same_queries(method, problem):
    tau = METHODS[method][1]
    right = run(method, tau, problem)
    for variant in variants(method, Kind.EQUIVALENT):
        np.testing.assert_allclose(run(variant.function, tau, problem), right, atol=1e-12)
        box = BlackBox(problem.value)
        variant.function(box, problem.x0, 0.01, tau, directions(9, len(problem.x0)), 9)
        assert box.queries == 18


@pytest.mark.parametrize("method", METHODS)
def test_variants_have_the_signature_of_the_method(method):
    for variant in variants(method):
        assert list(inspect.signature(variant.function).parameters) == list(inspect.signature(method).parameters)


@pytest.mark.parametrize("method", METHODS)
def test_example_stays_within_its_bounds(method):
    """One run is no expectation; this one has room to spare."""
    example = example_of(method)
    problem = example.problem()
    arguments = {name: value(problem) if callable(value) else value for name, value in example.arguments.items()}
    quantity = example.quantity(method(problem.value, problem.x0, **arguments), problem)
    arguments.pop("directions")
    for theorem in guarantees(method):
        if theorem.quantity is example.quantity:
            assert (quantity <= theorem.bound(problem, **arguments)).all()


# Mistakes.

OTHER_PATH = {
    zo_gd_sphere: {
        "without_dimension",
        "root_of_dimension",
        "dimension_twice",
        "single_point",
        "halved_difference",
        "undivided_difference",
        "stale_base",
        "frozen_base",
        "one_direction",
        "other_direction",
        "ascent",
        "steps_exchanged",
        "accepted_steps_only",
    },
    zo_gd_sphere_vanishing: {
        "next_tau",
        "divided_by_first_tau",
        "constant_tau",
        "root_of_taus",
        "decaying_step",
        "without_dimension",
        "doubled_step",
        "single_point",
        "one_direction",
        "ascent",
    },
}
OTHER_ROWS = {
    zo_gd_sphere: {"missing_first_row", "missing_last_row", "final_point_only", "aliased_rows"},
    zo_gd_sphere_vanishing: {"missing_first_row"},
}


@pytest.mark.parametrize("method", METHODS)
def test_the_known_mistakes(identifiers, method):
    assert identifiers(method, Kind.MISTAKE) == OTHER_PATH[method] | OTHER_ROWS[method]


@pytest.mark.parametrize(
    ("method", "identifier"), [(method, identifier) for method in METHODS for identifier in sorted(OTHER_PATH[method])]
)
def test_path_deviates_by_at_least_a_hundredth_of_its_extent(method, identifier):
    module, tau = METHODS[method]
    problem = random_quadratic(5, 3.0, 0.2, seed=1)
    right, wrong = run(method, tau, problem), run(getattr(module, identifier), tau, problem)
    deviation = np.nan_to_num(np.abs(wrong - right), nan=np.inf).max()
    assert deviation > 0.01 * np.ptp(right, axis=0).max(), deviation


def test_other_rows():
    problem = ladder()
    right = run(zo_gd_sphere, 0.3, problem)
    np.testing.assert_array_equal(run(constant_module.missing_first_row, 0.3, problem), right[1:])
    np.testing.assert_array_equal(run(constant_module.missing_last_row, 0.3, problem), right[:-1])
    np.testing.assert_array_equal(run(constant_module.final_point_only, 0.3, problem), right[-1])
    np.testing.assert_allclose(run(constant_module.aliased_rows, 0.3, problem), np.tile(right[-1], (21, 1)))
    taus = inverse_taus(0.3, 20)
    right = run(zo_gd_sphere_vanishing, taus, problem)
    np.testing.assert_array_equal(run(vanishing_module.missing_first_row, taus, problem), right[1:])


def test_single_point_is_seen_by_a_constant_added_to_f():
    problem = ladder()
    arguments = (problem.x0, 1 / 256, 0.5, directions(5, 8), 5)

    def lifted(x):
        return problem.value(x) + 100

    np.testing.assert_allclose(zo_gd_sphere(lifted, *arguments), zo_gd_sphere(problem.value, *arguments), atol=1e-12)
    change = constant_module.single_point(lifted, *arguments) - constant_module.single_point(problem.value, *arguments)
    assert np.abs(change).max() > 1


def test_accepted_steps_cost_four_queries():
    problem = ladder()
    box = BlackBox(problem.value)
    constant_module.accepted_steps_only(box, problem.x0, 1 / 256, 0.5, directions(5, 8), 5)
    assert box.queries == 20


def test_what_hides_the_mistakes():
    problem, one = ladder(), ladder(1)

    def hidden(function, method, tau, problem, **options):
        return np.abs(run(function, tau, problem, **options) - run(method, tau, problem, **options)).max() < 1e-12

    for identifier in ("without_dimension", "root_of_dimension", "dimension_twice"):
        assert hidden(getattr(constant_module, identifier), zo_gd_sphere, 0.3, one)
    assert hidden(constant_module.undivided_difference, zo_gd_sphere, 1.0, problem)
    assert hidden(constant_module.steps_exchanged, zo_gd_sphere, 0.01, problem, gamma=0.01)
    same = np.tile(directions(1, 8), (20, 1))
    assert hidden(constant_module.one_direction, zo_gd_sphere, 0.3, problem, U=same)
    assert hidden(constant_module.other_direction, zo_gd_sphere, 0.3, problem, U=same)
    assert hidden(constant_module.accepted_steps_only, zo_gd_sphere, 0.01, problem, U=coordinates(20, 8), gamma=1 / 256)
    for identifier in ("next_tau", "divided_by_first_tau", "constant_tau"):
        assert hidden(getattr(vanishing_module, identifier), zo_gd_sphere_vanishing, np.full(20, 0.3), problem)
    root = 0.3 / np.sqrt(np.arange(1.0, 21))
    assert hidden(vanishing_module.root_of_taus, zo_gd_sphere_vanishing, root, problem)


def test_both_sides_of_x_are_another_convention():
    (symmetric,) = variants(zo_gd_sphere, Kind.CONVENTION)
    problem = ladder()
    right, other = run(zo_gd_sphere, 0.3, problem), run(symmetric.function, 0.3, problem)
    assert np.abs(right - other).max() > 0.01
