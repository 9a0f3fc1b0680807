"""Heavy ball: golden numbers, closed form, companion matrix, torch, other forms, tunings, stability."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.lecture02.gradient_descent import gradient_descent
from reference.lecture03.heavy_ball import heavy_ball, heavy_ball_constant
from reference.lecture03.heavy_ball_matrix import heavy_ball_closed_form, heavy_ball_matrix, heavy_ball_rate
from reference.lecture03.heavy_ball_tuning import heavy_ball_tuning_notes, heavy_ball_tuning_slides
from reference.lecture03.nesterov_strongly_convex import nesterov_strongly_convex
from reference.lecture03.problems import cycle_of_heavy_ball, softplus_bowl, valley
from reference.problems import random_least_squares, random_quadratic
from reference.quantities import distance
from reference.variants import Kind, variants

EQUIVALENTS = {v.identifier: v.function for v in variants(heavy_ball, Kind.EQUIVALENT)}
PROBLEMS = {
    "valley": valley(),
    "least squares": random_least_squares(rows=20, columns=5, condition=50, seed=1),
    "dense quadratic": random_quadratic(dimension=5, smoothness=3.0, strong_convexity=0.2, seed=2),
    "softplus": softplus_bowl(),
}


def run(problem, gamma, beta, num_steps):
    return heavy_ball(problem.gradient, problem.x0, gamma, beta, num_steps)


# The form of the result.


@pytest.mark.parametrize("num_steps", [0, 1, 7])
def test_one_row_for_each_iterate_and_one_gradient_a_step(num_steps):
    calls = []
    problem = valley()
    iterates = heavy_ball(lambda x: calls.append(0) or problem.gradient(x), problem.x0, 0.05, 0.6, num_steps)
    assert iterates.shape == (num_steps + 1, 2)
    assert iterates.dtype == np.float64
    np.testing.assert_array_equal(iterates[0], problem.x0)
    assert len(calls) == num_steps


def test_integer_start_is_accepted_and_left_as_it_is():
    x0 = np.array([10, 1])
    iterates = heavy_ball(valley().gradient, x0, 0.05, 0.6, 3)
    np.testing.assert_array_equal(x0, [10, 1])
    np.testing.assert_array_equal(iterates, run(valley(), 0.05, 0.6, 3))


def test_without_momentum_it_is_gradient_descent():
    problem = PROBLEMS["dense quadratic"]
    np.testing.assert_array_equal(run(problem, 0.2, 0.0, 20), gradient_descent(problem.gradient, problem.x0, 0.2, 20))


# Golden numbers.


def test_valley_with_the_tuning_of_the_notes():
    gamma, beta = heavy_ball_tuning_notes(20, 1)
    assert beta == pytest.approx(0.667907373407, abs=5e-13)
    assert np.sqrt(beta) == pytest.approx(0.817256002368, abs=5e-13)
    assert heavy_ball_constant(20, 1, gamma, beta) == pytest.approx(20.2011356813, abs=5e-11)
    iterates = run(valley(), gamma, beta, 200)
    golden = [
        (10, 1),
        (9.5, 0),
        (8.6910463133, -0.6679073734),
        (7.7161878655, -0.4461002595),
        (6.6792633270, 0.1481466069),
        (5.6527306157, 0.3969018637),
    ]
    np.testing.assert_allclose(iterates[:6], golden, atol=6e-11)
    values = [valley().value(iterates[k]) for k in (10, 20, 40, 100, 200)]
    np.testing.assert_allclose(values, [1.73, 5.95e-3, 8.25e-7, 1.87e-16, 7.41e-34], rtol=2e-3)


def test_valley_with_the_tuning_of_the_slides():
    gamma, beta = heavy_ball_tuning_slides(20, 1)
    np.testing.assert_allclose(
        [gamma, beta, np.sqrt(beta)], [0.133581474681, 0.402605484155, 0.634512004737], atol=5e-13
    )
    iterates = run(valley(), gamma, beta, 100)
    golden = [
        (8.664185253186, -1.671629493629),
        (6.969004267269, 1.718732478204),
        (5.35558523862, -1.508105579093),
    ]
    np.testing.assert_allclose(iterates[1:4], golden, atol=6e-12)
    values = [valley().value(iterates[k]) for k in (10, 20, 40, 100)]
    np.testing.assert_allclose(values, [0.458, 1.85e-4, 8.82e-12, 1.05e-34], rtol=2e-3)


def test_ratio_to_the_rate_grows_linearly_at_the_tuning_of_the_slides():
    gamma, beta = heavy_ball_tuning_slides(20, 1)
    swapped = replace(valley(), gradient=lambda x: np.array([20.0, 1.0]) * x, x0=np.array([1.0, 10.0]))
    iterates = run(swapped, gamma, beta, 40)
    ratios = [np.linalg.norm(iterates[k]) / beta ** (k / 2) for k in (10, 20, 40)]
    np.testing.assert_allclose(ratios, [49.7, 89.7, 169.7], atol=0.05)


def test_no_convergence_beyond_quadratics():
    problem = cycle_of_heavy_ball()
    iterates = run(problem, 1 / 9, 4 / 9, 3000)
    cycle = np.sort(iterates[-3:, 0])
    np.testing.assert_allclose(cycle, [-1.8024489796, 0.6465306122, 2.1159183673], atol=5e-11)
    np.testing.assert_allclose(iterates[-3:], iterates[-6:-3], atol=1e-12)
    gamma, beta = heavy_ball_tuning_slides(25, 1)
    np.testing.assert_allclose([gamma, beta], [1 / 9, 4 / 9])
    assert abs(nesterov_strongly_convex(problem.gradient, problem.x0, 25, 1, 300)[-1, 0]) < 1e-12


# Independent implementation and closed form.


@pytest.mark.parametrize("name", PROBLEMS)
def test_agrees_with_torch(name):
    problem = PROBLEMS[name]
    gamma, beta = heavy_ball_tuning_notes(problem.smoothness, problem.strong_convexity)
    x = torch.tensor(problem.x0)
    optimizer = torch.optim.SGD([x], lr=gamma, momentum=beta)
    theirs = [x.numpy().copy()]
    for _ in range(60):
        x.grad = torch.tensor(problem.gradient(x.numpy()))
        optimizer.step()
        theirs.append(x.numpy().copy())
    np.testing.assert_allclose(run(problem, gamma, beta, 60), theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["valley", "least squares", "dense quadratic"])
@pytest.mark.parametrize("tuning", [heavy_ball_tuning_notes, heavy_ball_tuning_slides, lambda L, mu: (0.2 / L, 0.3)])
def test_closed_form_powers_and_iterates_agree(name, tuning):
    problem = PROBLEMS[name]
    gamma, beta = tuning(problem.smoothness, problem.strong_convexity)
    H, error = problem.hessian(problem.x0), problem.x0 - problem.minimizer
    iterates = run(problem, gamma, beta, 60)
    closed = heavy_ball_closed_form(H, error, gamma, beta, 60)
    np.testing.assert_allclose(closed, iterates - problem.minimizer, rtol=0, atol=1e-11)
    powers = {v.identifier: v.function for v in variants(heavy_ball_closed_form, Kind.EQUIVALENT)}["matrix_powers"]
    np.testing.assert_allclose(powers(H, error, gamma, beta, 60), closed, rtol=0, atol=1e-11)


def test_double_root_is_the_formula_of_the_tuning_of_the_slides():
    gamma, beta = heavy_ball_tuning_slides(20, 1)
    rho, k = np.sqrt(beta), np.arange(41)
    closed = heavy_ball_closed_form(np.diag([1.0, 20.0]), np.array([10.0, 1.0]), gamma, beta, 40)
    expected = np.stack([10 * (1 + (1 - rho) * k) * rho**k, (1 + (1 + rho) * k) * (-rho) ** k], axis=1)
    np.testing.assert_allclose(closed, expected, rtol=0, atol=1e-13)


def test_oscillating_formula():
    w, beta, k = 0.9, 0.7, np.arange(31)
    phi = np.arccos(w / (2 * np.sqrt(beta)))
    expected = beta ** (k / 2) * (np.cos(k * phi) + (np.cos(phi) - np.sqrt(beta)) / np.sin(phi) * np.sin(k * phi))
    gamma = 0.1
    closed = heavy_ball_closed_form(np.array([[(1 + beta - w) / gamma]]), np.ones(1), gamma, beta, 30)
    np.testing.assert_allclose(closed[:, 0], expected, atol=1e-14)


@given(gamma=st.floats(0.001, 0.15), beta=st.floats(0.01, 0.99), eigenvalue=st.floats(0.5, 20.0))
@settings(max_examples=100, deadline=None)
def test_closed_form_in_one_dimension_for_any_parameters(gamma, beta, eigenvalue):
    error = np.array([1.0])
    iterates = heavy_ball(lambda x: eigenvalue * x, error, gamma, beta, 30)
    closed = heavy_ball_closed_form(np.array([[eigenvalue]]), error, gamma, beta, 30)
    np.testing.assert_allclose(closed, iterates, rtol=1e-7, atol=1e-9)


# The companion matrix.


@pytest.mark.parametrize("name", ["least squares", "dense quadratic"])
def test_matrix_moves_the_stacked_errors(name):
    problem = PROBLEMS[name]
    gamma, beta = 0.9 / problem.smoothness, 0.6
    errors = run(problem, gamma, beta, 10) - problem.minimizer
    B = heavy_ball_matrix(problem.hessian(problem.x0), gamma, beta)
    for k in range(10):
        before = np.concatenate([errors[k], errors[max(k - 1, 0)]])
        np.testing.assert_allclose(B @ before, np.concatenate([errors[k + 1], errors[k]]), atol=1e-13)


@pytest.mark.parametrize("algorithm", [heavy_ball_matrix, heavy_ball_rate])
def test_equivalents_of_matrix_and_rate(algorithm):
    H = random_quadratic(4, 5.0, 0.5, seed=1).data["hessian"]
    for variant in variants(algorithm, Kind.EQUIVALENT):
        for gamma, beta in [(0.1, 0.3), (0.2, 0.8), (0.5, 0.1), (0.9, 0.0)]:
            np.testing.assert_allclose(variant.function(H, gamma, beta), algorithm(H, gamma, beta), atol=1e-12)


def test_rate_is_the_root_of_beta_inside_the_interval_and_larger_outside():
    H, beta = np.diag([1.0, 20.0]), 0.6
    lower, upper = (1 - np.sqrt(beta)) ** 2 / 1, (1 + np.sqrt(beta)) ** 2 / 20
    assert lower < upper
    for gamma in np.linspace(lower, upper, 9):
        assert heavy_ball_rate(H, gamma, beta) == pytest.approx(np.sqrt(beta), rel=1e-7)
    for gamma in (0.9 * lower, 1.1 * upper):
        assert heavy_ball_rate(H, gamma, beta) > np.sqrt(beta) + 0.01


def test_tuning_of_the_slides_has_the_smallest_rate_on_a_grid():
    H = np.diag([1.0, 20.0])
    best = heavy_ball_rate(H, *heavy_ball_tuning_slides(20, 1))
    assert best == pytest.approx(0.634512004737, abs=1e-7)
    grid = [heavy_ball_rate(H, g, b) for g in np.linspace(0.01, 0.2, 60) for b in np.linspace(0.01, 0.99, 60)]
    assert best <= min(grid) < best + 0.03


def test_spectral_norm_is_at_least_one():
    for gamma, beta in [(0.05, 0.67), (0.13, 0.4), (0.01, 0.01)]:
        assert np.linalg.norm(heavy_ball_matrix(np.diag([1.0, 20.0]), gamma, beta), 2) >= 1


@pytest.mark.parametrize("beta", [0.0, 0.4, 0.9])
@pytest.mark.parametrize(("fraction", "converges"), [(0.99, True), (1.01, False)])
def test_convergent_below_two_times_one_plus_beta_over_L(beta, fraction, converges):
    problem = random_quadratic(dimension=4, smoothness=5.0, strong_convexity=1.0, seed=3)
    gamma = fraction * 2 * (1 + beta) / 5.0
    distances = distance(run(problem, gamma, beta, 1500), problem)
    assert (distances[-1] < 1e-3) == converges
    assert (distances[-1] > 1e3) == (not converges)
    assert (heavy_ball_rate(problem.data["hessian"], gamma, beta) < 1) == converges


# Tunings.


@given(st.floats(0.01, 10.0), st.floats(1.001, 1e4))
@settings(max_examples=50, deadline=None)
def test_where_the_two_tunings_lie_in_the_interval(mu, kappa):
    L = mu * kappa
    gamma, beta = heavy_ball_tuning_notes(L, mu)
    assert (1 - np.sqrt(beta)) ** 2 / mu < gamma < (1 + np.sqrt(beta)) ** 2 / L
    gamma, beta = heavy_ball_tuning_slides(L, mu)
    np.testing.assert_allclose([(1 - np.sqrt(beta)) ** 2 / mu, (1 + np.sqrt(beta)) ** 2 / L], gamma, rtol=1e-12)


@pytest.mark.parametrize("tuning", [heavy_ball_tuning_notes, heavy_ball_tuning_slides])
def test_equivalents_of_the_tunings(tuning):
    for variant in variants(tuning, Kind.EQUIVALENT):
        np.testing.assert_allclose(variant.function(20.0, 1.3), tuning(20.0, 1.3), rtol=1e-13)


# Other forms.


@pytest.mark.parametrize("identifier", EQUIVALENTS)
@pytest.mark.parametrize("name", PROBLEMS)
def test_equivalents_agree_to_rounding_with_one_gradient_a_step(identifier, name):
    problem = PROBLEMS[name]
    gamma = 0.9 / problem.smoothness
    calls = []
    x0 = problem.x0.copy()
    iterates = EQUIVALENTS[identifier](lambda x: calls.append(0) or problem.gradient(x), x0, gamma, 0.7, 100)
    np.testing.assert_allclose(iterates, run(problem, gamma, 0.7, 100), rtol=0, atol=1e-12)
    assert len(calls) == 100
    np.testing.assert_array_equal(x0, problem.x0)


@pytest.mark.parametrize("identifier", EQUIVALENTS)
def test_equivalents_accept_an_integer_start(identifier):
    iterates = EQUIVALENTS[identifier](valley().gradient, np.array([10, 1]), 0.05, 0.6, 5)
    assert iterates.dtype == np.float64
    np.testing.assert_allclose(iterates, run(valley(), 0.05, 0.6, 5), rtol=0, atol=1e-14)


def test_the_known_equivalents():
    assert set(EQUIVALENTS) == {"velocity", "summed_gradients", "averaged_gradients", "preallocated"}
