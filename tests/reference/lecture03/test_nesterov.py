"""Nesterov's method in all its forms: golden numbers, torch, companion matrix, three sequences, schedules."""

import inspect

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.lecture02.gradient_descent import gradient_descent
from reference.lecture03.heavy_ball import heavy_ball
from reference.lecture03.heavy_ball_tuning import heavy_ball_tuning_notes
from reference.lecture03.nesterov import extrapolated_points, nesterov
from reference.lecture03.nesterov_convex import momentum_convex, nesterov_convex
from reference.lecture03.nesterov_convex_three_sequences import nesterov_convex_three_sequences
from reference.lecture03.nesterov_matrix import nesterov_matrix, nesterov_rate
from reference.lecture03.nesterov_strongly_convex import momentum_strongly_convex, nesterov_strongly_convex
from reference.lecture03.nesterov_strongly_convex_three_sequences import nesterov_strongly_convex_three_sequences
from reference.lecture03.problems import flat_bowl, random_regularized_logistic, softplus_bowl, valley, worst_convex
from reference.problems import random_least_squares, random_quadratic
from reference.quantities import distance
from reference.variants import Kind, variants

PROBLEMS = {
    "valley": valley(),
    "least squares": random_least_squares(rows=20, columns=5, condition=50, seed=1),
    "dense quadratic": random_quadratic(dimension=5, smoothness=3.0, strong_convexity=0.2, seed=2),
    "softplus": softplus_bowl(),
    "logistic": random_regularized_logistic(rows=40, columns=4, regularization=0.02, seed=3),
}
SCHEDULES = {"constant": 0.7, "convex": momentum_convex, "own": lambda k: 0.5 + 0.4 / k}


def arguments(algorithm, problem):
    """Everything between x0 and num_steps, by the names of the arguments."""
    L, mu = problem.smoothness, problem.strong_convexity
    values = {"learning_rate": 0.9 / L, "momentum": 0.6, "smoothness": L, "strong_convexity": mu}
    return tuple(values[name] for name in inspect.signature(algorithm).parameters if name in values)


ALGORITHMS = [nesterov, nesterov_convex, nesterov_strongly_convex]
THREE_SEQUENCES = [nesterov_convex_three_sequences, nesterov_strongly_convex_three_sequences]


def run(algorithm, problem, num_steps):
    return algorithm(problem.gradient, problem.x0, *arguments(algorithm, problem), num_steps)


# The form of the result.


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("num_steps", [0, 1, 7])
def test_one_row_for_each_iterate_and_one_gradient_a_step(algorithm, num_steps):
    calls = []
    problem = valley()
    extra = arguments(algorithm, problem)
    iterates = algorithm(lambda x: calls.append(0) or problem.gradient(x), problem.x0, *extra, num_steps)
    assert iterates.shape == (num_steps + 1, 2)
    assert iterates.dtype == np.float64
    np.testing.assert_array_equal(iterates[0], problem.x0)
    assert len(calls) == num_steps


@pytest.mark.parametrize("algorithm", THREE_SEQUENCES)
@pytest.mark.parametrize("num_steps", [0, 1, 7])
def test_rows_of_the_three_sequences(algorithm, num_steps):
    x, y, v = run(algorithm, valley(), num_steps)
    assert x.shape == v.shape == (num_steps + 1, 2)
    assert y.shape == (num_steps, 2)
    np.testing.assert_array_equal(v[0], x[0])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_integer_start_is_accepted_and_left_as_it_is(algorithm):
    x0 = np.array([10, 1])
    iterates = algorithm(valley().gradient, x0, *arguments(algorithm, valley()), 3)
    np.testing.assert_array_equal(x0, [10, 1])
    np.testing.assert_array_equal(iterates, run(algorithm, valley(), 3))


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_gradients_are_taken_at_the_extrapolated_points(schedule):
    asked = []
    problem = PROBLEMS["dense quadratic"]
    momentum = SCHEDULES[schedule]
    iterates = nesterov(lambda x: asked.append(x.copy()) or problem.gradient(x), problem.x0, 0.2, momentum, 9)
    np.testing.assert_allclose(extrapolated_points(iterates, momentum), asked, rtol=0, atol=1e-14)


def test_without_momentum_it_is_gradient_descent():
    problem = PROBLEMS["dense quadratic"]
    np.testing.assert_array_equal(
        nesterov(problem.gradient, problem.x0, 0.2, 0.0, 20), gradient_descent(problem.gradient, problem.x0, 0.2, 20)
    )


# Golden numbers on the valley.


def test_convex_golden():
    problem = valley()
    iterates = run(nesterov_convex, problem, 40)
    golden = [(9.5, 0), (9.025, 0), (8.4609375, 0), (7.823546875, 0), (7.1296089844, 0)]
    np.testing.assert_allclose(iterates[1:6], golden, atol=6e-11)
    values = [problem.value(iterates[k]) for k in (1, 2, 5, 10, 20, 40)]
    np.testing.assert_allclose(values, [45.125, 40.7253125, 25.4156621, 5.8030168, 0.2240035, 0.0155788], atol=6e-8)


def test_strongly_convex_golden():
    problem = valley()
    assert momentum_strongly_convex(20, 1) == pytest.approx(0.634512004737, abs=5e-13)
    iterates = run(nesterov_strongly_convex, problem, 200)
    golden = [(9.5, 0), (8.7236067977, 0), (7.8194271910, 0), (6.8834286573, 0), (5.9750500336, 0)]
    np.testing.assert_allclose(iterates[1:6], golden, atol=6e-11)
    values = [problem.value(iterates[k]) for k in (10, 20, 40, 100, 200)]
    np.testing.assert_allclose(values, [3.32, 6.01e-2, 7.96e-6, 2.83e-18, 1.13e-39], rtol=3e-3)


def test_figure_of_the_notes_has_the_momentum_of_heavy_ball():
    problem = valley()
    iterates = nesterov(problem.gradient, problem.x0, 1 / 20, heavy_ball_tuning_notes(20, 1)[1], 200)
    assert problem.value(iterates[-1]) == pytest.approx(2.97e-38, rel=2e-3)


def test_momentum_of_the_convex_method():
    assert [momentum_convex(k) for k in range(1, 6)] == [-1 / 2, 0, 1 / 4, 2 / 5, 1 / 2]


def test_first_two_steps_of_the_convex_method_are_gradient_descent():
    problem = PROBLEMS["softplus"]
    plain = gradient_descent(problem.gradient, problem.x0, 1 / problem.smoothness, 2)
    np.testing.assert_allclose(run(nesterov_convex, problem, 2), plain, rtol=0, atol=1e-15)


def test_values_of_the_convex_method_are_not_monotone():
    values = [valley().value(x) for x in run(nesterov_convex, valley(), 60)]
    assert (np.diff(values) > 1e-4).any()


# Independent implementation.


@pytest.mark.parametrize("name", PROBLEMS)
def test_agrees_with_torch(name):
    """PyTorch's parameters are y_k; x_k = p_k + lr beta buffer_k."""
    problem = PROBLEMS[name]
    gamma, beta = 1 / problem.smoothness, momentum_strongly_convex(problem.smoothness, problem.strong_convexity)
    x = torch.tensor(problem.x0)
    optimizer = torch.optim.SGD([x], lr=gamma, momentum=beta, nesterov=True)
    parameters, iterates = [x.numpy().copy()], [x.numpy().copy()]
    for _ in range(60):
        x.grad = torch.tensor(problem.gradient(x.numpy()))
        optimizer.step()
        parameters.append(x.numpy().copy())
        iterates.append(x.numpy() + gamma * beta * optimizer.state[x]["momentum_buffer"].numpy())
    ours = run(nesterov_strongly_convex, problem, 61)
    np.testing.assert_allclose(ours[:61], iterates, rtol=0, atol=1e-12)
    np.testing.assert_allclose(extrapolated_points(ours, beta), parameters, rtol=0, atol=1e-12)
    (convention,) = variants(nesterov_strongly_convex, Kind.CONVENTION)
    assert convention.identifier == "points_of_the_gradient"
    np.testing.assert_allclose(run(convention.function, problem, 60), parameters, rtol=0, atol=1e-12)


def test_convex_method_agrees_with_torch_under_a_schedule():
    """PyTorch's buffer, fed with gradients at the point ahead, is the velocity of the look-ahead form."""
    problem = PROBLEMS["softplus"]
    L = problem.smoothness
    x = torch.tensor(problem.x0)
    optimizer = torch.optim.SGD([x], lr=1 / L, momentum=0.9)
    iterates = [problem.x0]
    for k in range(1, 31):
        velocity = torch.zeros(2, dtype=torch.float64) if k == 1 else -optimizer.state[x]["momentum_buffer"] / L
        beta = momentum_convex(k)
        x.grad = torch.tensor(problem.gradient((x + beta * velocity).numpy()))
        optimizer.param_groups[0]["momentum"] = beta or 1e-300  # with 0 it would not keep its buffer
        optimizer.step()
        iterates.append(x.numpy().copy())
    np.testing.assert_allclose(run(nesterov_convex, problem, 30), iterates, rtol=0, atol=1e-13)


# Equivalents.


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("name", PROBLEMS)
def test_equivalents_agree_to_rounding_with_one_gradient_a_step(algorithm, name):
    problem = PROBLEMS[name]
    expected = run(algorithm, problem, 100)
    for variant in variants(algorithm, Kind.EQUIVALENT):
        calls = []
        x0 = problem.x0.copy()
        extra = arguments(algorithm, problem)
        iterates = variant.function(lambda x, calls=calls: calls.append(0) or problem.gradient(x), x0, *extra, 100)
        np.testing.assert_allclose(iterates, expected, rtol=0, atol=1e-12, err_msg=variant.identifier)
        assert len(calls) == 100
        np.testing.assert_array_equal(x0, problem.x0)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("name", PROBLEMS)
def test_equivalents_of_the_two_lines_agree_under_every_schedule(schedule, name):
    problem = PROBLEMS[name]
    args = (problem.gradient, problem.x0, 0.9 / problem.smoothness, SCHEDULES[schedule], 60)
    for variant in variants(nesterov, Kind.EQUIVALENT):
        np.testing.assert_allclose(
            variant.function(*args), nesterov(*args), rtol=0, atol=1e-12, err_msg=variant.identifier
        )


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_equivalents_accept_an_integer_start(algorithm):
    for variant in variants(algorithm, Kind.EQUIVALENT):
        iterates = variant.function(valley().gradient, np.array([10, 1]), *arguments(algorithm, valley()), 5)
        assert iterates.dtype == np.float64
        np.testing.assert_allclose(iterates, run(algorithm, valley(), 5), rtol=0, atol=1e-13)


@pytest.mark.parametrize("algorithm", THREE_SEQUENCES)
@pytest.mark.parametrize("name", PROBLEMS)
def test_equivalents_of_the_three_sequences(algorithm, name):
    problem = PROBLEMS[name]
    expected = run(algorithm, problem, 100)
    for variant in variants(algorithm, Kind.EQUIVALENT):
        found = variant.function(problem.gradient, problem.x0, *arguments(algorithm, problem), 100)
        for ours, theirs in zip(expected, found, strict=True):
            np.testing.assert_allclose(theirs, ours, rtol=0, atol=3e-11, err_msg=variant.identifier)


@pytest.mark.parametrize("name", PROBLEMS)
def test_three_sequences_are_the_two_lines(name):
    """Homework 3, problem 1, and its counterpart for convex f: x, y and v."""
    problem = PROBLEMS[name]
    L, mu = problem.smoothness, problem.strong_convexity
    for two_lines, three, momentum, prolongation in [
        (nesterov_convex, nesterov_convex_three_sequences, momentum_convex, np.arange(2, 102) / 2),
        (
            nesterov_strongly_convex,
            nesterov_strongly_convex_three_sequences,
            momentum_strongly_convex(L, mu),
            np.full(100, np.sqrt(L / mu)),
        ),
    ]:
        iterates = run(two_lines, problem, 100)
        x, y, v = run(three, problem, 100)
        np.testing.assert_allclose(x, iterates, rtol=0, atol=1e-12)
        np.testing.assert_allclose(y, extrapolated_points(iterates, momentum), rtol=0, atol=1e-12)
        prolonged = iterates[:-1] + prolongation[:, None] * np.diff(iterates, axis=0)
        np.testing.assert_allclose(v[1:], prolonged, rtol=0, atol=1e-10)


def test_the_two_schedules_of_theta_are_the_two_of_beta():
    k = np.arange(2.0, 50)
    for theta, beta in [(lambda k: 2 / (k + 1), (k - 2) / (k + 1)), (lambda k: 2 / (k + 2), (k - 1) / (k + 2))]:
        np.testing.assert_allclose(theta(k) * (1 - theta(k - 1)) / theta(k - 1), beta, atol=1e-15)
        assert ((1 - theta(k)) / theta(k) ** 2 <= 1 / theta(k - 1) ** 2).all()  # the key inequality of the proof


def test_theta_one_ahead_is_the_schedule_one_ahead():
    problem = PROBLEMS["logistic"]
    extra = arguments(nesterov_convex, problem)
    ahead = {v.identifier: v.function for v in variants(nesterov_convex, Kind.CONVENTION)}["schedule_one_ahead"]
    theta = {v.identifier: v.function for v in variants(nesterov_convex_three_sequences)}["theta_one_ahead"]
    x, _, _ = theta(problem.gradient, problem.x0, *extra, 60)
    np.testing.assert_allclose(x, ahead(problem.gradient, problem.x0, *extra, 60), rtol=0, atol=1e-12)


# Conventions are other paths with guarantees of their own.


@pytest.mark.parametrize("problem", [valley(), flat_bowl(), worst_convex(8.0, 25), PROBLEMS["logistic"]])
def test_fista_meets_the_bound_of_the_theorem_too(problem):
    fista = {v.identifier: v.function for v in variants(nesterov_convex)}["schedule_of_fista"]
    iterates = fista(problem.gradient, problem.x0, problem.smoothness, 100)
    gaps = np.array([problem.value(x) for x in iterates]) - problem.minimum
    radius = np.linalg.norm(problem.x0 - problem.minimizer)
    assert (gaps <= 2 * problem.smoothness * radius**2 / np.arange(1, 102) ** 2 + 1e-13).all()
    assert np.abs(iterates - run(nesterov_convex, problem, 100)).max() > 1e-3 * radius


@pytest.mark.parametrize("problem", [valley(), flat_bowl(), worst_convex(8.0, 25), PROBLEMS["logistic"]])
def test_schedule_one_ahead_is_accelerated_with_another_constant(problem):
    """By the same proof: f(x_k) - f* <= (2 L R^2 + 3 (f(x_0) - f*)) / (k+2)^2."""
    ahead = {v.identifier: v.function for v in variants(nesterov_convex)}["schedule_one_ahead"]
    iterates = ahead(problem.gradient, problem.x0, problem.smoothness, 100)
    gaps = np.array([problem.value(x) for x in iterates]) - problem.minimum
    radius = np.linalg.norm(problem.x0 - problem.minimizer)
    bound = (2 * problem.smoothness * radius**2 + 3 * gaps[0]) / np.arange(2, 103) ** 2
    assert (gaps <= bound + 1e-13).all()
    assert np.abs(iterates - run(nesterov_convex, problem, 100)).max() > 1e-3 * radius


# The companion matrix.


@pytest.mark.parametrize("name", ["valley", "least squares", "dense quadratic"])
def test_matrix_moves_the_stacked_errors(name):
    problem = PROBLEMS[name]
    gamma, beta = 0.9 / problem.smoothness, 0.6
    errors = nesterov(problem.gradient, problem.x0, gamma, beta, 10) - problem.minimizer
    A = nesterov_matrix(problem.hessian(problem.x0), gamma, beta)
    for k in range(10):
        before = np.concatenate([errors[k], errors[max(k - 1, 0)]])
        np.testing.assert_allclose(A @ before, np.concatenate([errors[k + 1], errors[k]]), atol=1e-13)
    z = np.concatenate([errors[0], errors[0]])
    np.testing.assert_allclose((np.linalg.matrix_power(A, 10) @ z)[: len(errors[0])], errors[10], atol=1e-12)


@pytest.mark.parametrize("algorithm", [nesterov_matrix, nesterov_rate])
def test_equivalents_of_matrix_and_rate(algorithm):
    H = random_quadratic(4, 5.0, 0.5, seed=1).data["hessian"]
    for variant in variants(algorithm, Kind.EQUIVALENT):
        for gamma, beta in [(0.1, 0.3), (0.19, 0.8), (0.3, 0.5), (0.25, 0.0)]:
            np.testing.assert_allclose(variant.function(H, gamma, beta), algorithm(H, gamma, beta), atol=1e-12)


def test_norm_and_spectral_radius_of_the_valley():
    A = nesterov_matrix(np.diag([1.0, 20.0]), 1 / 20, momentum_strongly_convex(20, 1))
    assert np.linalg.norm(A, 2) == pytest.approx(1.917196710, abs=1e-9)
    rate = nesterov_rate(np.diag([1.0, 20.0]), 1 / 20, momentum_strongly_convex(20, 1))
    assert rate == pytest.approx(0.776393202250, abs=5e-9)  # a double root: rounding moves it by 1e-8


def test_modulus_for_the_eigenvalues_between_mu_and_L():
    L, mu = 20.0, 1.0
    beta = momentum_strongly_convex(L, mu)
    for eigenvalue in (1.5, 3.0, 10.0, 19.0):
        rate = nesterov_rate(np.array([[eigenvalue]]), 1 / L, beta)
        assert rate == pytest.approx(np.sqrt(beta * (1 - eigenvalue / L)))
        assert rate < 1 - np.sqrt(mu / L)


@given(st.floats(0.001, 1.0), st.floats(0.0, 0.99))
@settings(max_examples=50, deadline=None)
def test_norm_is_at_least_one_whatever_the_parameters(gamma, beta):
    assert np.linalg.norm(nesterov_matrix(np.diag([1.0, 20.0]), gamma, beta), 2) >= 1 - 1e-14


@pytest.mark.parametrize("beta", [0.0, 0.4, 0.9])
@pytest.mark.parametrize(("fraction", "converges"), [(0.98, True), (1.02, False)])
def test_stable_interval_on_quadratics(beta, fraction, converges):
    problem = random_quadratic(dimension=4, smoothness=5.0, strong_convexity=1.0, seed=3)
    gamma = fraction * 2 * (1 + beta) / ((1 + 2 * beta) * 5.0)
    distances = distance(nesterov(problem.gradient, problem.x0, gamma, beta, 1000), problem)
    assert (distances[-1] < 1e-3) == converges
    assert (distances[-1] > 1e3) == (not converges)
    assert (nesterov_rate(problem.data["hessian"], gamma, beta) < 1) == converges


# Heavy ball and Nesterov differ by where the gradient is taken, and by nothing else.


def test_gradient_at_the_iterate_is_heavy_ball():
    problem = PROBLEMS["logistic"]
    wrong = {v.identifier: v.function for v in variants(nesterov, Kind.MISTAKE)}["gradient_at_iterate"]
    args = (problem.gradient, problem.x0, 0.9 / problem.smoothness, 0.6, 50)
    np.testing.assert_allclose(wrong(*args), heavy_ball(*args), rtol=0, atol=1e-14)


def test_first_hits_on_the_valley():
    problem = valley()

    def first(iterates):
        return int(np.argmax([problem.value(x) <= 1e-10 for x in iterates]))

    assert first(run(nesterov_strongly_convex, problem, 300)) == 64
    assert first(run(nesterov_convex, problem, 300)) == 184
    assert first(gradient_descent(problem.gradient, problem.x0, 1 / 20, 300)) == 263
    assert first(gradient_descent(problem.gradient, problem.x0, 2 / 21, 300)) == 136
    assert first(heavy_ball(problem.gradient, problem.x0, *heavy_ball_tuning_notes(20, 1), 300)) == 61
