"""Parallel SGD: golden numbers, mini-batch and PyTorch, the variance that n nodes save, theorems, hidden mistakes."""

import numpy as np
import pytest
import torch

from reference.lecture01.distributed.problems import (
    four_parabolas,
    noisy_gradients,
    quadratic_nodes,
    random_least_squares_nodes,
    random_quadratic_nodes,
    row_gradients,
)
from reference.lecture01.distributed.psgd import (
    bound_nonconvex,
    bound_strongly_convex,
    expected_mean_squared_gradient,
    psgd,
)
from reference.lecture02.gradient_descent import gradient_descent
from reference.quantities import distance, mean_squared_gradient
from reference.variants import Kind, guarantees, variants

MISTAKES = {v.identifier: v.function for v in variants(psgd, Kind.MISTAKE)}
RANDOM = [random_quadratic_nodes(4, 3, 3.0, 0.3, spread, seed) for spread in (0.0, 1.0, 5.0) for seed in (1, 2)]


def run(problem, learning_rate, num_steps):
    return psgd(problem.gradients, problem.x0, learning_rate, num_steps)


def test_golden_numbers():
    golden = [0, 0.175, 0.30625, 0.4046875, 0.478515625, 0.53388671875]
    np.testing.assert_allclose(run(four_parabolas(), 0.1, 5)[:, 0], golden, atol=1e-15)


@pytest.mark.parametrize("problem", RANDOM)
def test_exact_gradients_make_gradient_descent_on_the_average(problem):
    ours = run(problem, 0.4, 50)
    np.testing.assert_allclose(ours, gradient_descent(problem.gradient, problem.x0, 0.4, 50), atol=1e-13)


def test_samples_make_minibatch_sgd_as_in_torch():
    """A mini-batch of one row of each node, loss 1/2 mean m (<a, x> - b)^2, with the gradient by autograd."""
    problem = random_least_squares_nodes(nodes=4, rows=6, dimension=3, seed=1)
    rows = np.random.default_rng(2).integers(6, size=(40, 4))
    ours = psgd(row_gradients(problem), problem.x0, 0.02, 40, rows)
    A, b = torch.tensor(problem.data["A"]), torch.tensor(problem.data["b"])
    x = torch.tensor(problem.x0, requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=0.02)
    for k in range(40):
        optimizer.zero_grad()
        batch = torch.arange(4), torch.tensor(rows[k])
        loss = 0.5 * (6 * (A[batch] @ x - b[batch]) ** 2).mean()
        loss.backward()
        optimizer.step()
        np.testing.assert_allclose(ours[k + 1], x.detach().numpy(), atol=1e-13)


def test_weighted_average_by_scaling_the_functions():
    problem, p = four_parabolas(), np.array([0.1, 0.2, 0.3, 0.4])
    scaled = [lambda x, g=g, w=w: 4 * w * g(x) for g, w in zip(problem.gradients, p, strict=True)]
    last = psgd(scaled, problem.x0, 0.1, 300)[-1]
    a, c = problem.data["hessians"].ravel(), problem.data["minimizers"].ravel()
    assert last == pytest.approx((p * a * c).sum() / (p * a).sum(), abs=1e-13)


# The variance of the average is sigma^2 / n.


def second_moments(problem, learning_rate, variance, num_steps):
    """E ||grad f(x_k)||^2 exactly, for noise of covariance (variance/d) I on each node; (K+1,)."""
    H = problem.data["hessians"].mean(axis=0)
    n, d = len(problem.gradients), len(problem.x0)
    error, covariance = problem.x0 - problem.minimizer, np.zeros((d, d))
    propagator = np.eye(d) - learning_rate * H
    moments = []
    for _ in range(num_steps + 1):
        moments.append(np.sum((H @ error) ** 2) + np.trace(H @ covariance @ H))
        error = propagator @ error
        covariance = propagator @ covariance @ propagator + learning_rate**2 * variance / (n * d) * np.eye(d)
    return np.array(moments)


@pytest.mark.parametrize("problem", RANDOM)
@pytest.mark.parametrize("fraction", [0.1, 0.5, 1.0])
def test_bound_of_the_expectation_holds_exactly(problem, fraction):
    learning_rate = fraction / problem.smoothness
    moments = second_moments(problem, learning_rate, variance=2.0, num_steps=200)
    means = np.cumsum(moments) / np.arange(1, 202)
    assert (means <= expected_mean_squared_gradient(problem, learning_rate, 200, variance=2.0) + 1e-13).all()


def test_bound_of_the_expectation_is_attained_in_the_limit():
    """f = (L/2) x^2 and gamma = 1/L: E f'(x_k)^2 = sigma^2/n for all k >= 1."""
    problem = quadratic_nodes(np.full((5, 1, 1), 3.0), np.zeros((5, 1)), np.ones(1), "equal")
    moments = second_moments(problem, 1 / 3, variance=2.0, num_steps=10**4)
    bound = expected_mean_squared_gradient(problem, 1 / 3, 10**4, variance=2.0)
    assert moments.mean() == pytest.approx(bound[-1], rel=0.01)
    assert moments[1] == pytest.approx(2.0 / 5)


@pytest.mark.parametrize("nodes", [1, 4, 16])
def test_noise_of_one_step_has_a_variance_n_times_smaller(nodes):
    """5000 runs of one step; the empirical variance is within 6 standard deviations, sqrt(2/5000) each, of 1/n."""
    problem = quadratic_nodes(np.ones((nodes, 1, 1)), np.zeros((nodes, 1)), np.zeros(1), "equal")
    noise = np.random.default_rng(nodes).standard_normal((5000, nodes, 1))
    gradients = noisy_gradients(problem)
    ends = np.array([psgd(gradients, problem.x0, 1.0, 1, xi[None])[-1, 0] for xi in noise])
    assert np.mean(ends**2) * nodes == pytest.approx(1, abs=6 * np.sqrt(2 / 5000))
    same = np.array([MISTAKES["same_sample_on_all_nodes"](gradients, problem.x0, 1.0, 1, xi[None])[-1] for xi in noise])
    assert np.mean(same**2) == pytest.approx(1, abs=6 * np.sqrt(2 / 5000))


# Theorems.


def test_the_registered_theorems():
    registered = {theorem.bound: theorem.quantity for theorem in guarantees(psgd)}
    assert registered == {bound_strongly_convex: distance, bound_nonconvex: mean_squared_gradient}


@pytest.mark.parametrize("problem", [*RANDOM, four_parabolas()])
def test_theorems_hold_along_runs(problem):
    L = problem.smoothness
    for learning_rate in (0.1 / L, 1 / L, 1.9 / L):
        bound = bound_strongly_convex(problem, learning_rate, 60)
        assert (distance(run(problem, learning_rate, 60), problem) <= bound + 1e-13).all()
    for learning_rate in (0.1 / L, 1 / L):
        bound = bound_nonconvex(problem, learning_rate, 60)
        assert (mean_squared_gradient(run(problem, learning_rate, 60), problem) <= bound + 1e-13).all()


def test_theorems_are_attained_in_one_dimension():
    problem = four_parabolas()
    np.testing.assert_allclose(
        bound_strongly_convex(problem, 0.1, 40), distance(run(problem, 0.1, 40), problem), atol=1e-14
    )
    at_once = mean_squared_gradient(run(problem, 0.4, 40), problem)  # gamma = 1/L
    np.testing.assert_allclose(bound_nonconvex(problem, 0.4, 40), at_once, atol=1e-13)


def test_theorems_fail_with_the_noise_that_they_exclude():
    problem = four_parabolas()
    noise = np.random.default_rng(3).standard_normal((60, 4, 1))
    noisy = psgd(noisy_gradients(problem), problem.x0, 0.1, 60, noise)
    assert (distance(noisy, problem) > bound_strongly_convex(problem, 0.1, 60)).any()
    with pytest.raises(ValueError, match="exact gradients"):
        bound_strongly_convex(problem, 0.1, 60, noise)
    with pytest.raises(ValueError, match="exact gradients"):
        bound_nonconvex(problem, 0.1, 60, noise)


def test_theorems_ask_for_a_small_step():
    problem = four_parabolas()
    with pytest.raises(ValueError, match="2/L"):
        bound_strongly_convex(problem, 0.8, 5)
    with pytest.raises(ValueError, match="1/L"):
        bound_nonconvex(problem, 0.41, 5)
    assert distance(run(problem, 0.81, 50), problem)[-1] > distance(run(problem, 0.81, 50), problem)[0]


# What hides the mistakes.


@pytest.mark.parametrize("identifier", ["sum_of_gradients", "divided_twice", "drifting_models", "one_node_only"])
def test_one_node_hides_it(identifier):
    problem = quadratic_nodes(np.diag([2.0, 1.0])[None], np.ones((1, 2)), np.zeros(2), "one node")
    wrong = MISTAKES[identifier](problem.gradients, problem.x0, 0.3, 20)
    np.testing.assert_allclose(wrong, run(problem, 0.3, 20), atol=1e-14)


def test_exact_gradients_hide_shared_samples():
    problem = four_parabolas()
    wrong = MISTAKES["same_sample_on_all_nodes"](problem.gradients, problem.x0, 0.1, 20)
    np.testing.assert_array_equal(wrong, run(problem, 0.1, 20))


@pytest.mark.parametrize("identifier", ["sum_of_gradients", "divided_twice", "drifting_models", "one_node_only"])
def test_four_parabolas_show_it(identifier):
    problem = four_parabolas()
    wrong = MISTAKES[identifier](problem.gradients, problem.x0, 0.1, 20)
    assert np.abs(wrong - run(problem, 0.1, 20)).max() > 0.1


def test_drifting_models_have_the_first_step_right_and_end_at_the_mean_of_the_minimisers():
    problem = four_parabolas()
    wrong = MISTAKES["drifting_models"](problem.gradients, problem.x0, 0.1, 300)
    np.testing.assert_allclose(wrong[:2], run(problem, 0.1, 1), atol=1e-15)
    assert wrong[-1] == pytest.approx(1.0, abs=1e-12)
