"""The problems of zeroth-order optimisation are what they say: gradients, constants, projections, counted queries."""

import itertools

import numpy as np
import pytest
import scipy.optimize
import torch

from reference.lecture05 import sensor_selection as sensors
from reference.lecture05.black_box import BlackBox
from reference.lecture05.finite_differences import forward_difference
from reference.lecture05.problems import (
    adversarial_attack,
    affine,
    cosines,
    few_coordinates,
    half_ramps,
    ladder,
    paired_sensors,
    rademacher_directions,
    random_sensors,
    round_bowl,
    saturating_wells,
    sines,
    small_attack,
    stretched_bowl,
)
from reference.lecture05.quantities import expected_gap, hessian_lipschitz, mean_gap
from reference.lecture05.sensor_selection import sensor_gradient, sensor_objective
from reference.problems import bowl
from reference.quantities import gap
from reference.variants import Kind, variants

PROBLEMS = {
    problem.name: problem
    for problem in [
        small_attack(),
        random_sensors(times=5, sensors=6, dimension=3, num_selected=2.5, seed=1),
        stretched_bowl(),
        round_bowl(4, 3.0),
        ladder(),
        affine(np.array([3.0, -2.0]), 5.0),
        half_ramps(3),
        sines(np.array([0.3, -1.1, 2.0])),
        cosines(np.array([0.3, -1.1, 2.0])),
        saturating_wells(),
        few_coordinates(10, 3),
    ]
}
POINTS = 20


@pytest.fixture(params=PROBLEMS)
def problem(request):
    return PROBLEMS[request.param]


def points_around(problem):
    spread = 0.1 if problem.name == "sensor selection" else 1.0  # f is finite near x0 only
    return problem.x0 + spread * np.random.default_rng(0).standard_normal((POINTS, len(problem.x0)))


def test_gradient_is_the_gradient_of_value(problem, numerical_gradient):
    for x in points_around(problem):
        np.testing.assert_allclose(problem.gradient(x), numerical_gradient(problem.value, x), rtol=1e-5, atol=1e-6)


def test_types(problem):
    assert type(problem.value(problem.x0)) is float
    assert problem.gradient(problem.x0).shape == problem.x0.shape
    assert problem.x0.dtype == problem.gradient(problem.x0).dtype == np.float64


def test_constants_hold_on_pairs_of_points(problem):
    points = points_around(problem)
    for x, y in itertools.pairwise(points):
        difference, step = problem.gradient(y) - problem.gradient(x), y - x
        if problem.smoothness is not None:
            assert np.linalg.norm(difference) <= problem.smoothness * np.linalg.norm(step) * (1 + 1e-12)
        if problem.strong_convexity is not None:
            assert difference @ step >= problem.strong_convexity * step @ step * (1 - 1e-12) - 1e-12


def test_minimizer_and_minimum(problem):
    if problem.minimizer is not None:
        assert problem.value(problem.minimizer) == pytest.approx(problem.minimum, abs=1e-14)
    if problem.minimum is not None and problem.project is None:
        assert all(problem.value(x) >= problem.minimum for x in points_around(problem))
    if problem.minimizer is not None and problem.project is None:
        np.testing.assert_allclose(problem.gradient(problem.minimizer), 0, atol=1e-14)


def test_smoothness_constants_are_the_best_where_they_are_attained():
    for problem, point in [
        (sines(np.zeros(1)), np.array([np.pi / 2])),
        (cosines(np.zeros(1)), np.zeros(1)),
        (half_ramps(1), np.ones(1)),
    ]:
        curvature = (problem.gradient(point + 1e-5) - problem.gradient(point - 1e-5)) / 2e-5
        assert abs(curvature[0]) == pytest.approx(problem.smoothness, rel=1e-6)
    wells = saturating_wells()
    assert wells.gradient(np.full(3, 1e-5))[0] / 1e-5 == pytest.approx(wells.smoothness, rel=1e-6)


def test_lipschitz_constant_of_the_hessian():
    assert hessian_lipschitz(sines(np.zeros(2))) == 1.0
    with pytest.raises(ValueError, match="Lipschitz constant M"):
        hessian_lipschitz(half_ramps(2))


# The attack.


def test_attack_is_active_in_the_small_example():
    problem = small_attack()
    weights, sample = problem.data["weights"], problem.data["sample"]
    assert weights @ sample == 1.0
    assert weights @ (sample + problem.minimizer) < 0
    assert np.linalg.norm(problem.minimizer) == pytest.approx(0.8)


@pytest.mark.parametrize(("regularization", "norm"), [(0.0, "euclidean"), (0.01, "euclidean"), (2.0, "euclidean")])
def test_attack_against_a_general_solver(regularization, norm):
    problem = adversarial_attack(np.array([1.0, -2.0, 0.5]), np.array([0.5, 0.3, 1.0]), -1.0, 0.7, regularization, norm)
    solved = scipy.optimize.minimize(
        problem.value,
        problem.x0,
        jac=problem.gradient,
        method="SLSQP",
        constraints={"type": "ineq", "fun": lambda x: 0.7**2 - x @ x, "jac": lambda x: -2 * x},
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert problem.minimum == pytest.approx(solved.fun, abs=1e-10)
    np.testing.assert_allclose(problem.minimizer, solved.x, atol=1e-5)


def test_attack_in_the_maximum_norm_goes_to_a_corner():
    weights = np.array([1.0, -2.0, 0.5])
    problem = adversarial_attack(weights, np.array([0.5, 0.0, 1.0]), 1.0, 0.1, 0.0, "maximum")
    np.testing.assert_array_equal(problem.minimizer, -0.1 * np.sign(weights))
    np.testing.assert_array_equal(problem.project(np.array([1.0, -0.05, -3.0])), [0.1, -0.05, -0.1])
    assert adversarial_attack(weights, np.zeros(3), 1.0, 0.1, 0.5, "maximum").minimizer is None


def test_attack_with_another_norm_is_refused():
    with pytest.raises(ValueError, match='"euclidean" or "maximum"'):
        adversarial_attack(np.ones(2), np.ones(2), 1.0, 0.1, 0.0, "taxicab")


def test_descent_with_values_and_projection_finds_the_attack():
    """ZO-GD alone leaves the ball; with the projection it ends at x* up to the bias of the differences."""
    problem = small_attack()
    x, tau = problem.x0, 1e-6
    for _ in range(200):
        x = problem.project(x - forward_difference(problem.value, x, tau) / problem.smoothness)
    np.testing.assert_allclose(x, problem.minimizer, atol=1e-5)


# The sensors.


def test_sensor_value_against_the_determinant_and_torch():
    problem = random_sensors(times=4, sensors=7, dimension=3, num_selected=3, seed=2)
    A = problem.data["observations"]
    x = np.random.default_rng(0).uniform(0.1, 1, 7)
    expected = -np.mean([np.log(np.linalg.det(sum(x[i] * np.outer(a, a) for i, a in enumerate(A_t)))) for A_t in A])
    assert sensor_objective(x, A) == pytest.approx(expected, rel=1e-13)
    weights = torch.tensor(x, requires_grad=True)
    value = -torch.logdet(torch.einsum("i,tip,tiq->tpq", weights, torch.tensor(A), torch.tensor(A))).mean()
    value.backward()
    np.testing.assert_allclose(sensor_gradient(x, A), weights.grad.numpy(), rtol=1e-12)


def test_sensors_worked_by_hand():
    """M = diag(x_1+x_2, x_3+x_4), so f = -ln((x_1+x_2)(x_3+x_4)), smallest where both sums are 1."""
    problem = paired_sensors()
    assert problem.value(np.array([0.2, 0.3, 1.0, 0.6])) == pytest.approx(-np.log(0.5 * 1.6))
    np.testing.assert_allclose(problem.gradient(np.array([0.2, 0.3, 1.0, 0.6])), [-2, -2, -1 / 1.6, -1 / 1.6])
    assert problem.value(np.array([1.0, 0.0, 0.5, 0.5])) == pytest.approx(problem.minimum, abs=1e-15)
    x = np.array([1.0, 1.0, 0.1, 0.0])
    for _ in range(100):
        x = problem.project(x - 0.1 * problem.gradient(np.maximum(x, 1e-3)))
    assert problem.value(x) == pytest.approx(0, abs=1e-9)


def test_value_is_infinite_where_sensors_do_not_span():
    A = paired_sensors().data["observations"]
    assert sensor_objective(np.array([1.0, 1.0, 0.0, 0.0]), A) == np.inf
    assert sensors.loop_over_times(np.array([1.0, 1.0, 0.0, 0.0]), A) == np.inf
    assert sensors.sum_of_log_eigenvalues(np.array([1.0, 1.0, 0.0, 0.0]), A) == np.inf


@pytest.mark.parametrize("num_selected", [0.5, 2.0, 3.7, 6.0])
def test_sensor_projection_is_the_closest_feasible_point(num_selected):
    problem = random_sensors(times=1, sensors=6, dimension=2, num_selected=num_selected, seed=0)
    rng = np.random.default_rng(1)
    for _ in range(10):
        v = 2 * rng.standard_normal(6)
        p = problem.project(v)
        assert p.min() >= 0
        assert p.max() <= 1
        assert p.sum() == pytest.approx(num_selected, abs=1e-12)
        for _ in range(20):  # the variational inequality, at feasible points
            y = problem.project(rng.standard_normal(6))
            assert (v - p) @ (y - p) <= 1e-12
    np.testing.assert_allclose(problem.project(problem.x0), problem.x0, atol=1e-14)


def test_variants_of_the_sensor_objective():
    problem = random_sensors(times=4, sensors=7, dimension=3, num_selected=3, seed=2)
    A, x = problem.data["observations"], np.random.default_rng(0).uniform(0.1, 1, 7)
    right = sensor_objective(x, A)
    for variant in variants(sensor_objective, Kind.EQUIVALENT):
        assert variant.function(x, A) == pytest.approx(right, rel=1e-13)
    found = {v.identifier: abs(v.function(x, A) - right) for v in variants(sensor_objective, Kind.MISTAKE)}
    assert found.pop("determinant_first") < 1e-13  # nothing overflows here
    assert set(found) == {"sign_dropped", "averaged_over_sensors", "weights_ignored", "weights_squared"}
    assert min(found.values()) > 0.3
    for variant in variants(sensor_gradient, Kind.MISTAKE):
        assert np.abs(variant.function(x, A) - sensor_gradient(x, A)).max() > 0.3


def test_what_hides_the_mistakes_of_the_sensors():
    A = random_sensors(times=4, sensors=4, dimension=3, num_selected=3, seed=2).data["observations"]
    for x, identifier in [
        (np.array([0.5, 0.2, 1.0, 0.9]), "averaged_over_sensors"),
        (np.ones(4), "weights_ignored"),
        (np.array([1.0, 0.0, 1.0, 1.0]), "weights_squared"),
    ]:
        assert getattr(sensors, identifier)(x, A) == pytest.approx(sensor_objective(x, A), rel=1e-13)
    one_time = A[:1]
    x = np.array([0.5, 0.2, 1.0, 0.9])
    np.testing.assert_allclose(sensors.gradient_summed_over_times(x, one_time), sensor_gradient(x, one_time))


@pytest.mark.parametrize("scale", [1e3, 1e-4])
def test_determinant_does_not_fit_where_its_logarithm_does(scale):
    A = scale * np.random.default_rng(0).standard_normal((2, 80, 60))
    assert np.isfinite(sensor_objective(np.ones(80), A))
    assert not np.isfinite(sensors.determinant_first(np.ones(80), A))


# The black box.


def test_black_box_counts_its_queries():
    box = BlackBox(bowl().value)
    assert box.queries == 0
    assert box(np.array([1.0, 2.0])) == 5.0
    assert box(np.array([2.0, 4.0])) == 20.0
    assert box.queries == 2


def test_noise_stays_within_its_level_and_comes_from_the_generator():
    box = BlackBox(bowl().value, 0.5, np.random.default_rng(0))
    answers = np.array([box(np.zeros(2)) for _ in range(1000)])
    assert np.abs(answers).max() <= 0.5
    assert answers.min() < -0.45
    assert answers.max() > 0.45
    again = BlackBox(bowl().value, 0.5, np.random.default_rng(0))
    assert again(np.zeros(2)) == answers[0]


def test_black_box_refuses_noise_that_makes_no_sense():
    with pytest.raises(ValueError, match="at least 0"):
        BlackBox(bowl().value, -1.0)
    with pytest.raises(ValueError, match="generator"):
        BlackBox(bowl().value, 1.0)


# Quantities and directions.


def test_quantities_of_several_runs():
    problem = bowl()
    runs = np.array([[[2.0, 4.0], [1.0, 2.0]], [[2.0, 4.0], [0.0, 0.0]]])
    np.testing.assert_allclose(expected_gap(runs, problem), [20, 2.5])
    np.testing.assert_allclose(expected_gap(runs[0], problem), gap(runs[0], problem))
    np.testing.assert_allclose(mean_gap(runs[0], problem), [20, 12.5])


def test_rademacher_directions_have_entries_of_one_size():
    directions = rademacher_directions((3, 16, 5), seed=0)
    assert directions.shape == (3, 16, 5)
    np.testing.assert_array_equal(np.abs(directions), 0.25)
    assert 0.3 < np.mean(directions > 0) < 0.7
