"""SAGA: golden numbers, exact fractions, expectation over all index streams, convergence, and its mistakes."""

import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from reference.lecture05.quantities import expected_mean_squared_gradient
from reference.lecture08.momentum_sgd import momentum_sgd
from reference.lecture08.problems import linear_regression, random_finite_sum, small_least_squares
from reference.lecture09.saga import bound_nonconvex, saga
from reference.problem import Problem
from reference.problems import random_least_squares
from reference.quantities import distance
from reference.variants import Kind, variants

VARIANTS = {v.identifier: v.function for v in variants(saga)}
SAMPLES = small_least_squares()
STREAM = np.array([0, 3, 1, 2, 3, 0])
LAST = {
    "zero_table": (0.5290035, 1.0682375),
    "average_updated_first": (0.377206298828125, 0.687966796875),
    "average_as_direction": (0.511751056640625, 0.859525078125),
    "change_not_divided": (0.241272, 0.34512),
    "table_at_new_point": (0.409139835937, 0.709399683594),
    "frozen_average": (0.459802, 0.856885),
    "average_of_points": (0.0, 0.0),
    "no_average": (0.0, 0.0),
}


def run(function, problem=SAMPLES, learning_rate=0.1, indices=STREAM):
    return function(
        problem.component_gradient, problem.x0, problem.num_components, learning_rate, indices, len(indices)
    )


def theorem_step(problem):
    return 1 / (3 * problem.component_smoothness * problem.num_components ** (2 / 3))


def test_golden_numbers():
    golden = [
        (0.1, 0.175),
        (0.195, 0.3525),
        (0.29375, 0.387125),
        (0.3244125, 0.4594125),
        (0.373258125, 0.599206875),
        (0.4094398125, 0.7266703125),
    ]
    np.testing.assert_allclose(run(saga)[1:], golden, rtol=1e-12)


@pytest.mark.parametrize("identifier", LAST)
def test_golden_numbers_of_the_variants(identifier):
    np.testing.assert_allclose(run(VARIANTS[identifier])[-1], LAST[identifier], rtol=1e-9)


def test_agrees_with_the_stored_points_in_exact_fractions():
    """Another implementation: it keeps the points alpha_j, and forms the average of their gradients anew each time."""
    rows, values = [(1, 0), (0, 2), (1, 1), (2, -1)], [1, 2, 3, 0]

    def gradient(x, i):
        residual = sum(a * t for a, t in zip(rows[i], x, strict=True)) - values[i]
        return [residual * a for a in rows[i]]

    x = [Fraction(0), Fraction(0)]
    points = [x] * 4
    for k, i in enumerate(STREAM):
        average = [sum(column) / 4 for column in zip(*(gradient(points[j], j) for j in range(4)), strict=True)]
        new, old = gradient(x, i), gradient(points[i], i)
        points[i] = x
        x = [t - (n - o + u) / 10 for t, n, o, u in zip(x, new, old, average, strict=True)]
        np.testing.assert_allclose(run(saga)[k + 1], [float(t) for t in x], rtol=1e-14)


def test_first_step_is_gradient_descent_and_one_sample_makes_all_of_them_so():
    one = linear_regression(np.array([[2.0]]), np.array([3.0]), np.ones(1), "one sample")
    path = run(saga, one, 0.1, np.zeros(5, dtype=np.int64))
    np.testing.assert_allclose(path[:, 0], 1.5 - 0.5 * 0.6 ** np.arange(6.0), rtol=1e-13)
    x = run(saga)
    np.testing.assert_allclose(x[1], x[0] - 0.1 * SAMPLES.gradient(x[0]), rtol=1e-14)


# The guarantee.


def test_expectation_over_all_index_streams_is_below_the_bound():
    gamma = theorem_step(SAMPLES)
    assert gamma == pytest.approx(0.026456684199469994, rel=1e-14)
    streams = [np.array(stream) for stream in itertools.product(range(4), repeat=5)]
    runs = np.array([run(saga, SAMPLES, gamma, stream) for stream in streams])
    expected = expected_mean_squared_gradient(runs, SAMPLES)
    assert expected[5] == pytest.approx(3.442017827220916, rel=1e-12)
    bound = bound_nonconvex(SAMPLES, gamma, 5)
    assert bound[5] == pytest.approx(33.4479, abs=5e-5)
    assert np.all(expected <= bound)


def test_bound_needs_a_finite_sum_and_its_step():
    with pytest.raises(ValueError, match=r"gamma = 1/\(3 L N\^\{2/3\}\)"):
        bound_nonconvex(SAMPLES, 0.1, 5)
    with pytest.raises(ValueError, match="a finite sum"):
        bound_nonconvex(random_least_squares(5, 2, 3, seed=1), 0.1, 5)
    with pytest.raises(ValueError, match="smoothness constant L of its samples"):
        bound_nonconvex(replace(SAMPLES, component_smoothness=None), theorem_step(SAMPLES), 5)
    with pytest.raises(ValueError, match=r"minimum f\*"):
        bound_nonconvex(replace(SAMPLES, minimum=None), theorem_step(SAMPLES), 5)


def test_bound_is_for_every_problem_that_is_a_finite_sum():
    """One that an author writes: half the mean of the squared distances to two points, each F_i 1-smooth."""
    points = np.array([[1.0, 0.0], [0.0, 1.0]])
    problem = Problem(
        name="two points",
        value=lambda x: float(np.sum((x - points) ** 2) / 4),
        gradient=lambda x: x - points.mean(axis=0),
        x0=np.zeros(2),
        minimum=0.25,
        component_gradient=lambda x, i: x - points[i],
        num_components=2,
        component_smoothness=1.0,
    )
    scale = 2 ** (2 / 3)
    np.testing.assert_allclose(bound_nonconvex(problem, 1 / (3 * scale), 1), [2.5 * scale, 1.25 * scale], rtol=1e-14)


# Convergence.


def test_converges_where_sgd_does_not():
    indices = np.random.default_rng(0).integers(4, size=400)
    assert distance(run(saga, SAMPLES, 1 / 15, indices), SAMPLES)[-1] < 1e-12
    sgd = momentum_sgd(SAMPLES.component_gradient, SAMPLES.x0, 1 / 15, 0.0, indices, 400)
    assert distance(sgd, SAMPLES)[-50:].min() > 1e-3


@pytest.mark.parametrize(("identifier", "converges"), [
    ("zero_table", True),
    ("average_as_direction", True),
    ("table_at_new_point", True),
    ("frozen_average", False),
    ("frozen_table", False),
    ("two_samples", False),
    ("change_not_divided", False),
    ("average_of_points", False),
])  # fmt: skip
def test_which_variants_still_converge(identifier, converges):
    problem = random_finite_sum(samples=10, dimension=3, seed=5)
    indices = np.random.default_rng(0).integers(10, size=800)
    path = run(VARIANTS[identifier], problem, 1 / (3 * problem.component_smoothness), indices)
    assert (distance(path, problem)[-1] < 1e-4) == converges


def test_average_of_points_ends_where_the_offset_is_the_gradient():
    problem = replace(SAMPLES, x0=np.ones(2))
    offset = problem.x0 - problem.gradient(problem.x0)
    end = run(VARIANTS["average_of_points"], problem, 1 / 15, np.random.default_rng(1).integers(4, size=1000))[-1]
    np.testing.assert_allclose(end, [0.2, 0.2], atol=1e-12)
    np.testing.assert_allclose(problem.gradient(end), -offset, atol=1e-12)


# What hides the mistakes.


@pytest.mark.parametrize("identifier", ["frozen_table", "frozen_average", "change_not_divided", "table_at_new_point"])
def test_first_step_hides_it(identifier):
    wrong, path = run(VARIANTS[identifier]), run(saga)
    np.testing.assert_allclose(wrong[1], path[1], rtol=1e-14)
    assert np.abs(wrong - path).max() > 1e-3


def test_samples_that_never_come_back_hide_the_frozen_table():
    np.testing.assert_allclose(run(VARIANTS["frozen_table"], indices=np.arange(4)), run(saga, indices=np.arange(4)))


@pytest.mark.parametrize("identifier", ["change_not_divided", "sum_as_average"])
def test_one_sample_hides_the_missing_division(identifier):
    one = linear_regression(np.array([[2.0]]), np.array([3.0]), np.ones(1), "one sample")
    indices = np.zeros(5, dtype=np.int64)
    np.testing.assert_array_equal(run(VARIANTS[identifier], one, 0.1, indices), run(saga, one, 0.1, indices))


def test_table_at_the_new_point_costs_another_gradient_a_step():
    calls = []

    def counted(x, i):
        calls.append(i)
        return SAMPLES.component_gradient(x, i)

    VARIANTS["table_at_new_point"](counted, SAMPLES.x0, 4, 0.1, STREAM, 6)
    assert len(calls) == 4 + 12


def test_known_variants():
    assert {v.identifier for v in variants(saga, Kind.CONVENTION)} == {"zero_table"}
    assert len(variants(saga, Kind.MISTAKE)) == 11
