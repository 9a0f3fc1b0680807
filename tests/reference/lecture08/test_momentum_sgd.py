"""Momentum SGD: golden numbers, torch, exact second moments, and where its mistakes are invisible."""

import numpy as np
import pytest
import torch

from reference.lecture03.heavy_ball import heavy_ball
from reference.lecture08.momentum_sgd import momentum_sgd
from reference.lecture08.problems import random_finite_sum, small_least_squares, two_curvatures
from reference.variants import Kind, variants

VARIANTS = {v.identifier: v.function for v in variants(momentum_sgd)}
MISTAKES = {v.identifier for v in variants(momentum_sgd, Kind.MISTAKE)}
REGRESSION = random_finite_sum(samples=20, dimension=3, seed=1)
INDICES = np.random.default_rng(3).integers(20, size=60)


def run(function, learning_rate=0.01, momentum=0.8, num_steps=60):
    return function(REGRESSION.component_gradient, REGRESSION.x0, learning_rate, momentum, INDICES, num_steps)


def one_sample(function, num_steps=10):
    """The run of the golden numbers: gradients without noise."""
    problem = two_curvatures()
    indices = np.zeros(num_steps, dtype=np.int64)
    return function(lambda x, i: problem.gradient(x), problem.x0, 0.04, 0.8, indices, num_steps)


def with_torch(nesterov):
    x = torch.tensor(REGRESSION.x0)
    optimizer = torch.optim.SGD([x], lr=0.01, momentum=0.8, nesterov=nesterov)
    rows = [x.numpy().copy()]
    for i in INDICES:
        x.grad = torch.tensor(REGRESSION.component_gradient(x.numpy(), int(i)))
        optimizer.step()
        rows.append(x.numpy().copy())
    return np.array(rows)


def test_golden_numbers():
    iterates = one_sample(momentum_sgd)
    np.testing.assert_allclose(
        iterates[[1, 2, 10]], [(0.2, 0.48), (-0.6, 0.4448), (-0.26208, 0.0428137769)], atol=6e-11
    )


def test_golden_numbers_of_the_nesterov_mistake():
    iterates = one_sample(VARIANTS["gradient_at_extrapolated_point"])
    golden = [(0.2, 0.48), (-0.088, 0.44544), (-1.1757227082e-6, 0.0722000842)]
    np.testing.assert_allclose(iterates[[1, 2, 10]], golden, atol=6e-11)


def test_agrees_with_torch():
    np.testing.assert_allclose(run(momentum_sgd), with_torch(nesterov=False), rtol=0, atol=1e-13)


def test_nesterov_step_is_that_of_torch():
    np.testing.assert_allclose(run(VARIANTS["nesterov_step"]), with_torch(nesterov=True), rtol=0, atol=1e-13)


def test_points_of_the_nesterov_step_are_the_extrapolated_ones():
    looking, stepping = run(VARIANTS["nesterov_step"]), run(VARIANTS["gradient_at_extrapolated_point"])
    np.testing.assert_allclose(looking[1:], stepping[1:] + 0.8 * np.diff(stepping, axis=0), rtol=0, atol=1e-13)


def test_with_full_gradients_it_is_heavy_ball():
    theirs = heavy_ball(REGRESSION.gradient, REGRESSION.x0, 0.05, 0.7, 40)
    mine = momentum_sgd(lambda x, i: REGRESSION.gradient(x), REGRESSION.x0, 0.05, 0.7, INDICES, 40)
    np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize(("gamma", "beta", "h"), [(0.01, 0.8, 1.0), (0.05, 0.0, 1.0), (0.1, 0.9, 3.0), (0.3, 0.5, 2.0)])
def test_second_moment_in_the_long_run(gamma, beta, h):
    """The method is linear here: the variance is the sum of the squared responses to one unit of noise."""

    def impulse(x, i):
        return h * x + (i == 0)

    response = momentum_sgd(impulse, np.zeros(1), gamma, beta, np.arange(3000), 3000)
    theory = (1 + beta) * gamma / ((1 - beta) * h * (2 * (1 + beta) - gamma * h))
    assert np.sum(response**2) == pytest.approx(theory, rel=1e-9)


def test_second_moments_of_the_course_experiment():
    def moment(gamma, beta):
        response = momentum_sgd(lambda x, i: x + (i == 0), np.zeros(1), gamma, beta, np.arange(3000), 3000)
        return np.sum(response**2)

    assert moment(0.01, 0.8) == pytest.approx(0.0250696, abs=5e-8)
    assert moment(0.05, 0.0) == pytest.approx(0.0256410, abs=5e-8)


# Where the mistakes are, and where they are invisible.


@pytest.mark.parametrize("identifier", sorted(MISTAKES - {"swapped_average", "complementary_momentum"}))
def test_without_momentum_only_what_spoils_a_step_of_sgd_is_seen(identifier):
    same = np.allclose(run(VARIANTS[identifier], momentum=0.0), run(momentum_sgd, momentum=0.0), rtol=0, atol=1e-13)
    assert same is (identifier not in {"stale_momentum", "skipped_first_step", "learning_rate_twice"})


def test_momentum_of_one_half_hides_its_complement():
    np.testing.assert_array_equal(
        run(VARIANTS["complementary_momentum"], momentum=0.5), run(VARIANTS["summed_gradients"], momentum=0.5)
    )


def test_average_that_is_not_rescaled_is_a_smaller_step():
    np.testing.assert_allclose(
        run(VARIANTS["average_not_rescaled"], learning_rate=0.05), run(momentum_sgd, learning_rate=0.01), atol=1e-13
    )


def test_learning_rate_twice_is_the_squared_learning_rate():
    np.testing.assert_allclose(
        run(VARIANTS["learning_rate_twice"], learning_rate=0.1), run(momentum_sgd, learning_rate=0.01), atol=1e-13
    )


@pytest.mark.parametrize("identifier", ["stale_momentum", "skipped_first_step"])
def test_first_step_that_does_not_move(identifier):
    wrong = run(VARIANTS[identifier])
    np.testing.assert_array_equal(wrong[1], wrong[0])
    assert np.abs(wrong[2] - wrong[1]).max() > 1e-3


def test_first_epoch_hides_the_reset():
    first_epoch = int(INDICES.max()) + 1
    wrong, path = run(VARIANTS["reset_each_epoch"]), run(momentum_sgd)
    np.testing.assert_allclose(wrong[: first_epoch + 1], path[: first_epoch + 1], rtol=0, atol=1e-13)
    assert np.abs(wrong[first_epoch + 1] - path[first_epoch + 1]).max() > 1e-3


# The finite sums.


@pytest.mark.parametrize("problem", [REGRESSION, small_least_squares()], ids=lambda p: p.name)
def test_gradient_is_the_mean_of_the_samples(problem, numerical_gradient):
    x = np.random.default_rng(0).standard_normal(len(problem.x0))
    samples = [problem.component_gradient(x, i) for i in range(problem.num_components)]
    np.testing.assert_allclose(np.mean(samples, axis=0), problem.gradient(x), rtol=0, atol=1e-13)
    np.testing.assert_allclose(numerical_gradient(problem.value, x), problem.gradient(x), atol=1e-8)


@pytest.mark.parametrize("problem", [REGRESSION, small_least_squares()], ids=lambda p: p.name)
def test_constants_of_the_finite_sums(problem):
    np.testing.assert_allclose(problem.gradient(problem.minimizer), 0, atol=1e-13)
    eigenvalues = np.linalg.eigvalsh(problem.hessian(problem.x0))
    np.testing.assert_allclose([problem.strong_convexity, problem.smoothness], eigenvalues[[0, -1]])
    assert problem.component_smoothness == pytest.approx(max(np.linalg.norm(a) ** 2 for a in problem.data["A"]))


def test_constants_of_the_four_samples():
    problem = small_least_squares()
    np.testing.assert_allclose(problem.minimizer, [31 / 35, 46 / 35], rtol=1e-14)
    assert problem.minimum == pytest.approx(11 / 70, rel=1e-14)
    assert problem.value(problem.x0) == pytest.approx(1.75)
    np.testing.assert_allclose([problem.strong_convexity, problem.smoothness], [1.25, 1.75])
    assert problem.component_smoothness == 5
