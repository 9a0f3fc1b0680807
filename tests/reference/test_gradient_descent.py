"""The iterates of gradient descent: golden numbers, closed forms, an independent implementation, other forms."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from reference.lecture02.gradient_descent import gradient_descent
from reference.problems import (
    bowl,
    elongated_bowl,
    least_squares,
    parabola,
    random_least_squares,
    random_logistic,
    random_quadratic,
    sine_plus_line,
    two_sided_parabola,
)
from reference.quantities import distance, gap, mean_squared_gradient
from reference.variants import Kind, variants

EQUIVALENTS = {v.identifier: v.function for v in variants(gradient_descent, Kind.EQUIVALENT)}
PROBLEMS = {
    "well conditioned": random_least_squares(rows=30, columns=6, condition=10, seed=1),
    "badly conditioned": random_least_squares(rows=30, columns=6, condition=1e4, seed=2),
    "dense quadratic": random_quadratic(dimension=5, smoothness=3.0, strong_convexity=0.2, seed=3),
    "logistic": random_logistic(rows=60, columns=4, seed=4),
    "non-convex": sine_plus_line(),
}


def run(problem, learning_rate, num_steps):
    return gradient_descent(problem.gradient, problem.x0, learning_rate, num_steps)


# The form of the result.


@pytest.mark.parametrize("num_steps", [0, 1, 7])
def test_one_row_for_each_iterate(num_steps):
    iterates = run(bowl(), 0.25, num_steps)
    assert iterates.shape == (num_steps + 1, 2)
    assert iterates.dtype == np.float64
    np.testing.assert_array_equal(iterates[0], [2.0, 4.0])


def test_one_gradient_a_step():
    calls = []
    problem = bowl()
    gradient_descent(lambda x: calls.append(x) or problem.gradient(x), problem.x0, 0.25, 9)
    assert len(calls) == 9


def test_start_is_left_as_it_is_and_may_be_integer():
    x0 = np.array([2, 4])
    iterates = gradient_descent(elongated_bowl().gradient, x0, 1 / 11, 1)
    np.testing.assert_array_equal(x0, [2, 4])
    np.testing.assert_allclose(iterates[1], [-18 / 11, 36 / 11], rtol=1e-15)


# Golden numbers of the course's examples.


def test_least_squares_line():
    problem = least_squares(np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]), np.array([1.0, 2.0, 2.0]), np.zeros(2))
    golden = [(0, 0), (0.5, 0.6), (0.67, 0.75), (0.744, 0.774)]
    np.testing.assert_allclose(run(problem, 0.1, 3), golden, atol=1e-15)


def test_sine_plus_line():
    problem = sine_plus_line()
    iterates = run(problem, 1 / 40, 30)
    values = [problem.value(x) for x in iterates]
    golden = [1.7510565163, 1.5052956981, 1.1423490935, 0.6411620171, 0.0222820581, -0.6287542170]
    np.testing.assert_allclose(values[:6], golden, atol=5e-11)
    assert iterates[30, 0] == pytest.approx(-0.7176832532, abs=5e-11)
    assert values[30] == pytest.approx(-2.2104986469, abs=5e-11)


def test_sine_plus_line_mean_squared_gradient():
    problem = sine_plus_line()
    mean = mean_squared_gradient(run(problem, 1 / 40, 30), problem)
    assert mean[30] == pytest.approx(5.18900, abs=5e-6)


def test_parabola():
    problem = parabola()
    iterates = run(problem, 8 / 9, 30)
    np.testing.assert_allclose(iterates[:4, 0], [1.8, -2.2888889, 0.8913580, -1.5821674], atol=5e-8)
    np.testing.assert_allclose(np.log(distance(iterates, problem))[[0, 30]], [0.8329, -6.7065], atol=5e-5)


@pytest.mark.parametrize(("start", "factor", "last"), [(2.8, 0.55, -16.9055), (-2.8, 0.85, -3.8459)])
def test_two_sided_parabola(start, factor, last):
    problem = replace(two_sided_parabola(), x0=np.array([start]))
    iterates = run(problem, 1 / 20, 30)
    np.testing.assert_allclose(iterates[:, 0], start * factor ** np.arange(31), rtol=1e-13)
    assert np.log(np.abs(iterates[30, 0])) == pytest.approx(last, abs=5e-5)


def test_bowls():
    round_bowl, long_bowl = bowl(), elongated_bowl()
    round_run, long_run = run(round_bowl, 1 / 4, 100), run(long_bowl, 1 / 11, 100)
    np.testing.assert_allclose(long_run[1], [-1.6363636364, 3.2727272727], atol=5e-11)
    np.testing.assert_allclose(np.log(gap(round_run, round_bowl))[[0, 100]], [2.9957, -135.6337], atol=5e-5)
    np.testing.assert_allclose(np.log(gap(long_run, long_bowl))[[0, 100]], [4.0254, -36.1088], atol=5e-5)


# Closed form and independent implementation.


@pytest.mark.parametrize("condition", [10, 1e4])
@pytest.mark.parametrize("fraction", [0.5, 1.0, 1.9])
def test_error_on_least_squares_is_a_matrix_power(condition, fraction):
    problem = random_least_squares(rows=30, columns=6, condition=condition, seed=7)
    step = fraction / problem.smoothness
    iterates = run(problem, step, 40)
    A = problem.data["A"]
    propagator = np.eye(6) - step * A.T @ A
    for k in (1, 2, 10, 40):
        error = np.linalg.matrix_power(propagator, k) @ (problem.x0 - problem.minimizer)
        np.testing.assert_allclose(iterates[k] - problem.minimizer, error, atol=1e-12)


@pytest.mark.parametrize("name", PROBLEMS)
def test_agrees_with_torch(name):
    problem = PROBLEMS[name]
    step = 0.9 / problem.smoothness
    x = torch.tensor(problem.x0)
    optimizer = torch.optim.SGD([x], lr=step)
    theirs = [x.numpy().copy()]
    for _ in range(50):
        x.grad = torch.tensor(problem.gradient(x.numpy()))
        optimizer.step()
        theirs.append(x.numpy().copy())
    np.testing.assert_allclose(run(problem, step, 50), theirs, rtol=0, atol=1e-13)


# Stability on quadratics: convergent exactly for 0 < gamma < 2/L.


@pytest.mark.parametrize(("fraction", "converges"), [(1.99, True), (2.01, False)])
def test_step_limit(fraction, converges):
    problem = random_quadratic(dimension=4, smoothness=5.0, strong_convexity=1.0, seed=8)
    distances = distance(run(problem, fraction / problem.smoothness, 2000), problem)
    assert (distances[-1] < 1e-6) == converges
    assert (distances[-1] > 1e6) == (not converges)


def test_step_of_two_over_L_oscillates_with_period_two():
    iterates = run(elongated_bowl(), 2 / 20, 6)
    np.testing.assert_allclose(iterates[:, 0], [2, -2, 2, -2, 2, -2, 2], rtol=1e-14)


# Equivalents.


@pytest.mark.parametrize("identifier", EQUIVALENTS)
@pytest.mark.parametrize("name", PROBLEMS)
def test_equivalents_agree_to_rounding_with_one_gradient_a_step(identifier, name):
    problem = PROBLEMS[name]
    step = 1 / problem.smoothness
    calls = []
    x0 = problem.x0.copy()
    iterates = EQUIVALENTS[identifier](lambda x: calls.append(0) or problem.gradient(x), x0, step, 100)
    np.testing.assert_allclose(iterates, run(problem, step, 100), rtol=0, atol=1e-12)
    assert len(calls) == 100
    np.testing.assert_array_equal(x0, problem.x0)


@pytest.mark.parametrize("identifier", EQUIVALENTS)
def test_equivalents_accept_an_integer_start(identifier):
    iterates = EQUIVALENTS[identifier](elongated_bowl().gradient, np.array([2, 4]), 1 / 11, 5)
    assert iterates.dtype == np.float64
    np.testing.assert_allclose(iterates, run(elongated_bowl(), 1 / 11, 5), rtol=1e-13)


def test_the_known_equivalents():
    assert set(EQUIVALENTS) == {"preallocated", "in_place_with_copies", "summed_gradients", "quadratic_model"}
