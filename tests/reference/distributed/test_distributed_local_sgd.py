"""Local SGD in its three forms and FedAvg: golden numbers, fixed points, their relations, theorems, hidden mistakes."""

from dataclasses import replace

import numpy as np
import pytest

from reference.lecture01.distributed import fedavg as fedavg_module
from reference.lecture01.distributed import local_sgd as local_sgd_module
from reference.lecture01.distributed.drift import drift_bound
from reference.lecture01.distributed.fedavg import fedavg
from reference.lecture01.distributed.local_sgd import local_sgd, local_sgd_lec14, local_sgd_limit, local_sgd_std
from reference.lecture01.distributed.problems import (
    four_parabolas,
    noisy_gradients,
    quadratic_nodes,
    random_quadratic_nodes,
)
from reference.lecture01.distributed.psgd import psgd
from reference.lecture01.distributed.quantities import disagreement, mean_distance, rms_distance
from reference.quantities import distance
from reference.variants import Kind, guarantees, variants

D4 = four_parabolas()
LOCAL_MISTAKES = {v.identifier: v.function for v in variants(local_sgd, Kind.MISTAKE)}
FEDAVG_MISTAKES = {v.identifier: v.function for v in variants(fedavg, Kind.MISTAKE)}
RANDOM = [random_quadratic_nodes(4, 3, 3.0, 0.3, spread, seed) for spread in (0.0, 0.3, 3.0) for seed in (1, 2)]


def run(function, problem, learning_rate, period, num_steps):
    return function(problem.gradients, problem.starts, learning_rate, period, num_steps)


def limit(problem, learning_rate, local_steps):
    return local_sgd_limit(problem.data["hessians"], problem.data["minimizers"], learning_rate, local_steps)


# Golden numbers.


@pytest.mark.parametrize(
    ("function", "steps", "golden"),
    [
        (local_sgd, [1, 3, 5], [0.175, 0.408125, 0.542171875]),
        (local_sgd_std, [2, 4, 6], [0.3075, 0.4843125, 0.5859796875]),
        (local_sgd_lec14, [1, 3, 5], [0, 0.175, 0.30625]),
    ],
)
def test_golden_numbers_after_averaging(function, steps, golden):
    X = run(function, D4, 0.1, 2, 6)
    np.testing.assert_allclose(X[steps, :, 0], np.tile(golden, (4, 1)).T, atol=1e-15)
    others = sorted(set(range(1, 7)) - set(steps))
    assert (np.ptp(X[others], axis=1) > (0.05 if function is not local_sgd_lec14 else 0.01)).all()


def test_golden_limits():
    for local_steps, golden in [
        (1, 0.7),
        (2, 0.7235294118),
        (4, 0.7646806520),
        (5, 0.7828173484),
        (10, 0.8561654417),
        (100, 0.9999867193),
    ]:
        assert limit(D4, 0.1, local_steps) == pytest.approx(golden, abs=5e-11)
    assert limit(D4, 0.1, 2) == pytest.approx(0.723529411765, abs=5e-13)


@pytest.mark.parametrize("period", [2, 5, 10])
@pytest.mark.parametrize("problem", [D4, RANDOM[4]])
def test_averages_tend_to_the_limit(problem, period):
    num_steps = 400 * period + 1
    rate = 0.2
    averaged = run(local_sgd, problem, rate, period, num_steps)[-1]
    np.testing.assert_allclose(averaged, np.tile(limit(problem, rate, period), (4, 1)), atol=1e-11)
    averaged = run(local_sgd_std, problem, rate, period, num_steps - 1)[-1]
    np.testing.assert_allclose(averaged, np.tile(limit(problem, rate, period), (4, 1)), atol=1e-11)
    slow = run(local_sgd_lec14, problem, rate, period, num_steps)[-1]
    np.testing.assert_allclose(slow, np.tile(limit(problem, rate, period - 1), (4, 1)), atol=1e-11)


def test_bias_grows_with_the_period_and_with_the_step():
    biases = [abs(limit(D4, 0.1, s)[0] - 0.7) for s in (1, 2, 5, 10)]
    assert biases == sorted(biases)
    assert biases[0] < 1e-15
    by_step = [abs(limit(D4, rate, 5)[0] - 0.7) for rate in (0.02, 0.01, 0.005)]
    np.testing.assert_allclose([by_step[0] / by_step[1], by_step[1] / by_step[2]], 2, rtol=0.06)


def test_many_local_steps_tend_to_the_mean_of_the_minimisers():
    problem = RANDOM[4]
    np.testing.assert_allclose(limit(problem, 0.1, 10**4), problem.data["minimizers"].mean(axis=0), atol=1e-12)


def test_homogeneous_nodes_have_no_bias():
    problem = RANDOM[0]
    X = run(local_sgd, problem, 0.3, 5, 3000)
    np.testing.assert_allclose(X[-1], np.tile(problem.minimizer, (4, 1)), atol=1e-12)


# Relations.


@pytest.mark.parametrize("function", [local_sgd, local_sgd_std])
def test_period_one_is_psgd(function):
    problem = RANDOM[2]
    noise = np.random.default_rng(1).standard_normal((20, 4, 3))
    X = function(noisy_gradients(problem), problem.starts, 0.2, 1, 20, noise)
    theirs = psgd(noisy_gradients(problem), problem.x0, 0.2, 20, noise)
    np.testing.assert_allclose(X, np.repeat(theirs[:, None], 4, axis=1), atol=1e-14)


def test_period_one_of_lecture_14_never_leaves_the_average_of_the_starts():
    starts = np.arange(4.0)[:, None]
    X = local_sgd_lec14(D4.gradients, starts, 0.1, 1, 5)
    np.testing.assert_array_equal(X[1:], np.full((5, 4, 1), 1.5))


def test_standard_form_is_the_slide_s_form_one_block_later():
    """From equal starts: after tau steps of the slide's form with its first average left out, both go on alike."""
    problem, period = RANDOM[3], 4
    standard = run(local_sgd_std, problem, 0.1, period, 21)
    later = local_sgd(problem.gradients, standard[3], 0.1, period, 18)
    np.testing.assert_allclose(standard[3:], later, atol=1e-14)


def test_error_is_a_product_of_matrices():
    """On quadratics each step is affine: X <- W_k (X - gamma H (X - C))."""
    problem = RANDOM[5]
    H, C = problem.data["hessians"], problem.data["minimizers"]
    X = problem.starts
    for k in range(9):
        X = X - 0.1 * np.einsum("nij,nj->ni", H, X - C)
        if k % 4 == 0:
            X = np.ones((4, 4)) @ X / 4
    np.testing.assert_allclose(run(local_sgd, problem, 0.1, 4, 9)[-1], X, atol=1e-13)


# FedAvg.


def test_fedavg_golden_numbers():
    x = fedavg(D4.gradients, D4.x0, 0.1, 1.0, 2, 3)
    np.testing.assert_allclose(x[:, 0], [0, 0.3075, 0.4843125, 0.5859796875], atol=1e-15)


@pytest.mark.parametrize("problem", RANDOM)
def test_fedavg_with_server_rate_one_is_standard_local_sgd(problem):
    noise = np.random.default_rng(2).standard_normal((6, 3, 4, 3))
    gradients = noisy_gradients(problem)
    x = fedavg(gradients, problem.x0, 0.1, 1.0, 3, 6, noise)
    X = local_sgd_std(gradients, problem.starts, 0.1, 3, 18, noise.reshape(18, 4, 3))
    np.testing.assert_allclose(x, X[::3].mean(axis=1), atol=1e-13)


def test_fedavg_with_one_local_step_is_psgd_with_the_product_of_the_rates():
    problem = RANDOM[3]
    noise = np.random.default_rng(3).standard_normal((20, 1, 4, 3))
    x = fedavg(noisy_gradients(problem), problem.x0, 0.3, 0.5, 1, 20, noise)
    np.testing.assert_allclose(x, psgd(noisy_gradients(problem), problem.x0, 0.15, 20, noise[:, 0]), atol=1e-13)


@pytest.mark.parametrize("server_learning_rate", [0.4, 1.0, 1.3])
def test_fedavg_has_the_limit_of_local_sgd_whatever_the_server_does(server_learning_rate):
    problem = RANDOM[5]
    x = fedavg(problem.gradients, problem.x0, 0.1, server_learning_rate, 5, 400)
    np.testing.assert_allclose(x[-1], limit(problem, 0.1, 5), atol=1e-12)
    assert np.abs(x[-1] - problem.minimizer).max() > 0.1


def test_clients_that_do_not_take_part_are_not_asked():
    asked = []
    gradients = [lambda x, i=i: asked.append(i) or D4.gradients[i](x) for i in range(4)]
    fedavg(gradients, D4.x0, 0.1, 1.0, 3, 2, participants=[[0, 2], [3]])
    assert asked == [0, 0, 0, 2, 2, 2, 3, 3, 3]


def test_one_client_alone_descends_on_its_own_function():
    x = fedavg(D4.gradients, D4.x0, 0.1, 1.0, 3, 2, participants=[[1], [1]])
    own = quadratic_nodes(D4.data["hessians"][1:2], D4.data["minimizers"][1:2], D4.x0, "node 1")
    np.testing.assert_allclose(x, psgd(own.gradients, D4.x0, 0.1, 6)[::3], atol=1e-15)


def test_mean_over_all_choices_of_clients_is_full_participation():
    problem = RANDOM[3]
    pairs = [(i, j) for i in range(4) for j in range(i)]
    ends = [fedavg(problem.gradients, problem.x0, 0.1, 0.7, 3, 1, participants=[pair])[-1] for pair in pairs]
    full = fedavg(problem.gradients, problem.x0, 0.1, 0.7, 3, 1)[-1]
    np.testing.assert_allclose(np.mean(ends, axis=0), full, atol=1e-14)


# Theorems.


def test_the_registered_theorems():
    local, federated = guarantees(local_sgd), guarantees(fedavg)
    assert [(t.bound, t.quantity) for t in local] == [(local_sgd_module.bound_strongly_convex, rms_distance)]
    assert [(t.bound, t.quantity) for t in federated] == [(fedavg_module.bound_strongly_convex, distance)]


@pytest.mark.parametrize("problem", [*RANDOM, D4])
@pytest.mark.parametrize("period", [1, 2, 5])
@pytest.mark.parametrize("fraction", [0.02, 0.2, 1.0])
def test_local_sgd_bound_holds_in_both_parts(problem, period, fraction):
    rate = fraction * 2 / (problem.smoothness + problem.strong_convexity)
    X = run(local_sgd, problem, rate, period, 40)
    bound = local_sgd_module.bound_strongly_convex(problem, problem.starts, rate, period, 40)
    rounding = 1e-12 * (1 + np.abs(X).max())
    assert (rms_distance(X, problem) <= bound + rounding).all()
    contractions = [0.0 if k % period == 0 else 1.0 for k in range(40)]
    a, c = drift_bound(problem, rate, contractions, distance(problem.x0[None], problem)[0])
    assert (mean_distance(X, problem) <= a + rounding).all()
    assert (disagreement(X, problem) <= c + rounding).all()


def test_local_sgd_bound_is_attained_for_period_one_and_nearly_for_small_steps():
    bound = local_sgd_module.bound_strongly_convex(D4, D4.starts, 0.1, 1, 30)
    np.testing.assert_allclose(rms_distance(run(local_sgd, D4, 0.1, 1, 30), D4), bound, atol=1e-14)
    at_the_solution = replace(D4, x0=D4.minimizer)
    X = run(local_sgd, at_the_solution, 1e-4, 2, 2)  # one average, one step alone: all of it drift
    bound = local_sgd_module.bound_strongly_convex(at_the_solution, at_the_solution.starts, 1e-4, 2, 2)
    assert rms_distance(X, at_the_solution)[2] / bound[2] == pytest.approx(1, rel=1e-3)


def test_local_sgd_bound_is_proportional_to_the_step_in_the_limit():
    problem = RANDOM[2]
    ends = [local_sgd_module.bound_strongly_convex(problem, problem.starts, g, 2, 10**5)[-1] for g in (0.002, 0.001)]
    assert ends[0] / ends[1] == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize("problem", [*RANDOM, D4])
@pytest.mark.parametrize("server_learning_rate", [0.5, 1.0, 1.5])
@pytest.mark.parametrize("num_local_steps", [1, 3])
def test_fedavg_bound_holds(problem, server_learning_rate, num_local_steps):
    for fraction in (0.02, 0.2, 0.9):
        rate = fraction * 2 / (problem.smoothness + problem.strong_convexity)
        x = fedavg(problem.gradients, problem.x0, rate, server_learning_rate, num_local_steps, 15)
        bound = fedavg_module.bound_strongly_convex(problem, rate, server_learning_rate, num_local_steps, 15)
        assert (distance(x, problem) <= bound * (1 + 1e-12) + 1e-13).all()


def test_fedavg_bound_is_attained_for_one_local_step():
    x = fedavg(D4.gradients, D4.x0, 0.1, 0.5, 1, 30)
    np.testing.assert_allclose(distance(x, D4), fedavg_module.bound_strongly_convex(D4, 0.1, 0.5, 1, 30), atol=1e-14)


def test_bounds_fail_without_their_conditions():
    noise = 5 * np.random.default_rng(4).standard_normal((60, 4, 1))
    noisy = local_sgd(noisy_gradients(D4), D4.starts, 0.01, 2, 60, noise)
    exact = local_sgd_module.bound_strongly_convex(D4, D4.starts, 0.01, 2, 60)
    assert (rms_distance(noisy, D4) > exact).any()
    half = fedavg(D4.gradients, D4.x0, 0.01, 1.0, 2, 60, participants=[[0, 1]] * 60)
    assert (distance(half, D4) > fedavg_module.bound_strongly_convex(D4, 0.01, 1.0, 2, 60)).any()


def test_conditions_are_checked():
    with pytest.raises(ValueError, match=r"2/\(L\+mu\)"):
        local_sgd_module.bound_strongly_convex(D4, D4.starts, 0.41, 2, 5)
    with pytest.raises(ValueError, match="start at the x0"):
        local_sgd_module.bound_strongly_convex(D4, D4.starts + 1, 0.1, 2, 5)
    with pytest.raises(ValueError, match="exact gradients"):
        local_sgd_module.bound_strongly_convex(D4, D4.starts, 0.1, 2, 5, np.zeros((5, 4, 1)))
    with pytest.raises(ValueError, match="all clients"):
        fedavg_module.bound_strongly_convex(D4, 0.1, 1.0, 2, 5, participants=[[0]] * 5)
    with pytest.raises(ValueError, match="gamma_g > 0"):
        fedavg_module.bound_strongly_convex(D4, 0.1, 0.0, 2, 5)


# Mistakes on the four parabolas, and what hides them.


@pytest.mark.parametrize("identifier", sorted(LOCAL_MISTAKES))
def test_four_parabolas_show_mistakes_of_local_sgd(identifier):
    wrong = run(LOCAL_MISTAKES[identifier], D4, 0.1, 3, 12)
    assert np.abs(wrong - run(local_sgd, D4, 0.1, 3, 12)).max() > 0.1


@pytest.mark.parametrize(
    "identifier", ["averaged_gradients", "learning_rate_divided_by_period", "average_at_every_step"]
)
def test_period_one_hides_it(identifier):
    wrong = run(LOCAL_MISTAKES[identifier], D4, 0.1, 1, 12)
    np.testing.assert_allclose(wrong, run(local_sgd, D4, 0.1, 1, 12), atol=1e-14)


@pytest.mark.parametrize("identifier", ["average_not_sent_back", "no_average", "averaged_gradients"])
def test_equal_nodes_hide_it(identifier):
    problem = quadratic_nodes(np.tile(np.diag([2.0, 1.0]), (3, 1, 1)), np.ones((3, 2)), np.zeros(2), "equal nodes")
    wrong = run(LOCAL_MISTAKES[identifier], problem, 0.1, 3, 12)
    np.testing.assert_allclose(wrong, run(local_sgd, problem, 0.1, 3, 12), atol=1e-14)


def federated(function, participants=None, server_learning_rate=0.5, samples=None):
    gradients = D4.gradients if samples is None else noisy_gradients(D4)
    return function(gradients, np.ones(1), 0.1, server_learning_rate, 3, 8, samples, participants)


@pytest.mark.parametrize(
    "identifier", sorted(set(FEDAVG_MISTAKES) - {"divided_by_all_clients", "same_samples_on_all_clients"})
)
def test_four_parabolas_show_mistakes_of_fedavg(identifier):
    chosen = [[0, 1], [2, 3]] * 4
    assert np.abs(federated(FEDAVG_MISTAKES[identifier], chosen) - federated(fedavg, chosen)).max() > 0.015


def test_partial_participation_shows_the_division_by_all():
    chosen = [[0, 1], [2, 3]] * 4
    wrong = FEDAVG_MISTAKES["divided_by_all_clients"]
    assert np.abs(federated(wrong, chosen) - federated(fedavg, chosen)).max() > 0.03
    np.testing.assert_allclose(federated(wrong), federated(fedavg), atol=1e-15)


def test_what_hides_the_others():
    full = federated(fedavg)
    np.testing.assert_array_equal(federated(FEDAVG_MISTAKES["same_clients_every_round"]), full)
    np.testing.assert_array_equal(federated(FEDAVG_MISTAKES["same_samples_on_all_clients"]), full)
    at_one = federated(fedavg, server_learning_rate=1.0)
    np.testing.assert_array_equal(federated(FEDAVG_MISTAKES["server_rate_ignored"], server_learning_rate=1.0), at_one)
    samples = np.random.default_rng(5).standard_normal((8, 3, 4, 1))
    shared = federated(FEDAVG_MISTAKES["same_samples_on_all_clients"], samples=samples)
    assert np.abs(shared - federated(fedavg, samples=samples)).max() > 0.05


def test_the_known_mistakes():
    assert set(LOCAL_MISTAKES) == {
        "averaged_gradients",
        "average_not_sent_back",
        "learning_rate_divided_by_period",
        "average_before_the_step",
        "sum_instead_of_average",
        "average_at_every_step",
        "no_average",
    }
    assert set(FEDAVG_MISTAKES) == {
        "stale_clients",
        "reversed_change",
        "divided_by_all_clients",
        "sum_of_changes",
        "one_local_step_too_many",
        "local_rate_twice",
        "server_rate_ignored",
        "same_samples_on_all_clients",
        "same_clients_every_round",
    }
