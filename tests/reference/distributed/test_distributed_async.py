"""Asynchronous SGD: the slide's timeline, golden numbers, stability under a delay, theorem; the model of speed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.lecture01.distributed.async_sgd import (
    async_sgd,
    asynchronous_schedule,
    bound_convex_nodes,
    delayed_gradient_descent,
    delayed_step_limit,
    slide_agents,
    slide_durations,
    synchronous_times,
    versions_read,
)
from reference.lecture01.distributed.problems import (
    noisy_gradients,
    one_delayed_agent,
    quadratic_nodes,
    random_least_squares_nodes,
    random_quadratic_nodes,
    three_agents,
)
from reference.lecture01.distributed.speedup_model import (
    efficiency,
    neighbors_time,
    ring_time,
    server_time,
    speedup,
    step_time,
    throughput,
)
from reference.lecture02.gradient_descent import gradient_descent
from reference.quantities import distance
from reference.variants import Kind, guarantees, variants

AGENTS = slide_agents()
READS = versions_read(AGENTS)
ASYNC_MISTAKES = {v.identifier: v.function for v in variants(async_sgd, Kind.MISTAKE)}
DELAY_MISTAKES = {v.identifier: v.function for v in variants(delayed_gradient_descent, Kind.MISTAKE)}
RANDOM = [random_quadratic_nodes(3, 3, 3.0, 0.3, spread, seed) for spread in (0.0, 0.3, 3.0) for seed in (1, 2)]


# The timeline.


def test_versions_and_delays_of_the_timeline():
    np.testing.assert_array_equal(READS, [0, 0, 0, 2, 1, 3, 4, 6, 7, 5])
    np.testing.assert_array_equal(np.arange(10) - READS, [0, 1, 2, 1, 3, 2, 2, 1, 1, 4])


def test_the_timeline_follows_from_the_durations():
    schedule = asynchronous_schedule(slide_durations(), 10)
    np.testing.assert_array_equal(schedule.agents, AGENTS)
    np.testing.assert_array_equal(schedule.reads, READS)
    np.testing.assert_array_equal(schedule.times, [4, 8, 15, 16, 18, 20, 22, 24, 27, 28])


def test_nine_gradients_take_27_ticks_and_39_where_all_wait():
    assert asynchronous_schedule(slide_durations(), 9).times[-1] == 27
    np.testing.assert_array_equal(synchronous_times([needed[:3] for needed in slide_durations()]), [15, 29, 39])


def test_equal_agents_take_turns_with_a_delay_of_n_minus_1():
    schedule = asynchronous_schedule([[1.0] * 5] * 4, 20)
    np.testing.assert_array_equal(schedule.agents, np.tile(np.arange(4), 5))
    np.testing.assert_array_equal((np.arange(20) - schedule.reads)[4:], 3)
    with pytest.raises(ValueError, match="20 gradients in all, and 21"):
        asynchronous_schedule([[1.0] * 5] * 4, 21)


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), max_size=30))
def test_a_version_is_read_right_after_the_agents_last_step(agents):
    reads = versions_read(agents)
    for k, agent in enumerate(agents):
        earlier = [j for j in range(k) if agents[j] == agent]
        assert reads[k] == (earlier[-1] + 1 if earlier else 0)


# Iterates.


def test_golden_numbers():
    problem = three_agents()
    golden = [0, -0.2, -0.1, 0.5, 0.61, 0.45, 0.9, 0.939, 1.269, 1.2751, 0.9851]
    ours = async_sgd(problem.gradients, problem.x0, 0.1, AGENTS, READS)
    np.testing.assert_allclose(ours[:, 0], golden, atol=1e-15)


def test_one_agent_without_delay_is_gradient_descent():
    problem = random_quadratic_nodes(1, 3, 3.0, 0.3, spread=1.0, seed=1)
    ours = async_sgd(problem.gradients, problem.x0, 0.3, [0] * 30, range(30))
    np.testing.assert_allclose(ours, gradient_descent(problem.gradient, problem.x0, 0.3, 30), atol=1e-13)
    np.testing.assert_allclose(delayed_gradient_descent(problem.gradient, problem.x0, 0.3, 0, 30), ours, atol=1e-13)


def test_a_gradient_cannot_be_taken_in_the_future():
    problem = three_agents()
    with pytest.raises(ValueError, match="step 1 cannot be taken"):
        async_sgd(problem.gradients, problem.x0, 0.1, [0, 1], [0, 2])
    with pytest.raises(ValueError, match="step 0 cannot be taken"):
        async_sgd(problem.gradients, problem.x0, 0.1, [0, 1], [-1, 0])
    with pytest.raises(ValueError, match="2 agents"):
        async_sgd(problem.gradients, problem.x0, 0.1, [0, 1], [0])


def test_samples_belong_to_the_step_that_uses_them():
    problem = three_agents()
    noise = np.random.default_rng(1).standard_normal((10, 1))
    ours = async_sgd(noisy_gradients(problem), problem.x0, 0.1, AGENTS, READS, noise)
    x = [0.0]
    a, c = problem.data["hessians"].ravel(), problem.data["minimizers"].ravel()
    for k in range(10):
        i = AGENTS[k]
        x.append(x[k] - 0.1 * (a[i] * (x[READS[k]] - c[i]) + noise[k, 0]))
    np.testing.assert_allclose(ours[:, 0], x, atol=1e-14)


# Stability with a fixed delay.


def test_golden_step_limits():
    limits = [delayed_step_limit(1.0, delay) for delay in range(5)]
    np.testing.assert_allclose(limits, [2, 1, 0.618034, 0.445042, 0.347296], atol=5e-7)
    assert delayed_step_limit(4.0, 2) == pytest.approx(limits[2] / 4)


@pytest.mark.parametrize("delay", range(8))
def test_at_the_limit_the_companion_matrix_has_spectral_radius_one(delay):
    """x_{k+1} = x_k - g x_{k-tau}."""

    def radius(g):
        companion = np.diag(np.ones(delay), -1)
        companion[0, 0] += 1
        companion[0, delay] -= g
        return np.abs(np.linalg.eigvals(companion)).max()

    limit = delayed_step_limit(1.0, delay)
    assert radius(limit) == pytest.approx(1, abs=1e-12)
    assert radius(0.99 * limit) < 1 < radius(1.01 * limit)


@pytest.mark.parametrize("delay", [0, 1, 2, 4])
def test_runs_shrink_below_the_limit_and_grow_above_it(delay):
    problem = one_delayed_agent()
    for fraction, shrinks in ((0.95, True), (1.05, False)):
        rate = fraction * delayed_step_limit(1.0, delay)
        last = distance(delayed_gradient_descent(problem.gradient, problem.x0, rate, delay, 1000), problem)[-20:]
        assert (last.max() < 1e-3) == shrinks
        assert (last.max() > 1e3) == (not shrinks)


# Theorem.


def test_the_registered_theorem():
    assert [(t.bound, t.quantity) for t in guarantees(async_sgd)] == [(bound_convex_nodes, distance)]


@pytest.mark.parametrize("problem", [*RANDOM, three_agents()])
@pytest.mark.parametrize("fraction", [0.02, 0.3, 1.0])
def test_bound_holds(problem, fraction):
    rate = fraction * (2 / (problem.node_smoothness + problem.node_strong_convexity)).min()
    agents = np.tile(AGENTS, 4)
    x = async_sgd(problem.gradients, problem.x0, rate, agents, versions_read(agents))
    bound = bound_convex_nodes(problem, rate, agents, versions_read(agents))
    assert (distance(x, problem) <= bound * (1 + 1e-12) + 1e-13).all()


def test_bound_holds_where_the_nodes_are_not_strongly_convex():
    problem = random_least_squares_nodes(nodes=3, rows=2, dimension=4, seed=1)
    assert problem.node_strong_convexity.max() < 1e-14
    rate = 0.5 / problem.node_smoothness.max()
    x = async_sgd(problem.gradients, problem.x0, rate, AGENTS, READS)
    assert (distance(x, problem) <= bound_convex_nodes(problem, rate, AGENTS, READS) + 1e-13).all()


def test_bound_is_attained_without_delay_and_shrinks_with_short_ones():
    problem = one_delayed_agent()
    nodes = quadratic_nodes(np.ones((1, 1, 1)), np.ones((1, 1)), problem.x0, "one agent")
    x = async_sgd(nodes.gradients, nodes.x0, 0.3, [0] * 40, range(40))
    np.testing.assert_allclose(distance(x, nodes), bound_convex_nodes(nodes, 0.3, [0] * 40, range(40)), atol=1e-14)
    late = np.maximum(np.arange(200) - 2, 0)
    assert bound_convex_nodes(nodes, 0.3, [0] * 200, late)[-1] < 1e-3 * bound_convex_nodes(nodes, 0.3, [0], [0])[0]


def test_bound_fails_with_noise_and_conditions_are_checked():
    problem = RANDOM[0]
    noise = 3 * np.random.default_rng(2).standard_normal((10, 3))
    x = async_sgd(noisy_gradients(problem), problem.x0, 0.1, AGENTS, READS, noise)
    assert (distance(x, problem) > bound_convex_nodes(problem, 0.1, AGENTS, READS)).any()
    with pytest.raises(ValueError, match="exact gradients"):
        bound_convex_nodes(problem, 0.1, AGENTS, READS, noise)
    with pytest.raises(ValueError, match="for all i"):
        bound_convex_nodes(problem, 0.7, AGENTS, READS)
    with pytest.raises(ValueError, match="cannot be taken"):
        bound_convex_nodes(problem, 0.1, [0, 1], [0, 2])


# Mistakes.


@pytest.mark.parametrize("identifier", sorted(ASYNC_MISTAKES))
def test_three_agents_show_it(identifier):
    problem = three_agents()
    right = async_sgd(problem.gradients, problem.x0, 0.1, AGENTS, READS)
    assert np.abs(ASYNC_MISTAKES[identifier](problem.gradients, problem.x0, 0.1, AGENTS, READS) - right).max() > 0.1


def test_one_agent_without_delay_hides_three_of_the_four():
    problem = random_quadratic_nodes(1, 3, 3.0, 0.3, spread=1.0, seed=1)
    right = async_sgd(problem.gradients, problem.x0, 0.3, [0] * 20, range(20))
    for identifier in ("current_point", "learning_rate_divided_by_agents", "waiting_for_all"):
        wrong = ASYNC_MISTAKES[identifier](problem.gradients, problem.x0, 0.3, [0] * 20, range(20))
        np.testing.assert_allclose(wrong, right, atol=1e-14)
    older = ASYNC_MISTAKES["one_version_too_old"](problem.gradients, problem.x0, 0.3, [0] * 20, range(20))
    assert np.abs(older - right).max() > 0.1


@pytest.mark.parametrize("identifier", sorted(DELAY_MISTAKES))
def test_one_delayed_agent_shows_it(identifier):
    problem = one_delayed_agent()
    right = delayed_gradient_descent(problem.gradient, problem.x0, 0.3, 2, 20)
    assert np.abs(DELAY_MISTAKES[identifier](problem.gradient, problem.x0, 0.3, 2, 20) - right).max() > 0.2


def test_what_hides_mistakes_in_the_delay():
    problem = one_delayed_agent()
    without = delayed_gradient_descent(problem.gradient, problem.x0, 0.3, 0, 20)
    for identifier in ("no_delay", "zeros_before_the_start", "idle_start"):
        np.testing.assert_array_equal(DELAY_MISTAKES[identifier](problem.gradient, problem.x0, 0.3, 0, 20), without)
    from_zero = DELAY_MISTAKES["zeros_before_the_start"](problem.gradient, np.zeros(1), 0.3, 2, 20)
    np.testing.assert_array_equal(from_zero, delayed_gradient_descent(problem.gradient, np.zeros(1), 0.3, 2, 20))


def test_the_known_mistakes():
    assert set(ASYNC_MISTAKES) == {
        "current_point",
        "one_version_too_old",
        "learning_rate_divided_by_agents",
        "waiting_for_all",
    }
    assert set(DELAY_MISTAKES) == {"no_delay", "delay_too_long", "zeros_before_the_start", "idle_start"}


# The model of speed.


def test_times_of_imagenet():
    assert speedup(11.6, 2.2) == pytest.approx(5.27, abs=5e-3)
    assert efficiency(11.6, 2.2, 4, 32) == pytest.approx(5.27 / 8, abs=1e-3)
    other = next(v.function for v in variants(efficiency, Kind.EQUIVALENT))
    assert other(11.6, 2.2, 4, 32) == pytest.approx(efficiency(11.6, 2.2, 4, 32), rel=1e-14)


def test_communication_grows_with_the_nodes_on_a_server_and_not_among_neighbours():
    assert [server_time(0.5, n) for n in (1, 4, 128)] == [0.5, 2, 64]
    assert [ring_time(0.5, n) for n in (1, 2, 4)] == [0, 0.5, 0.75]
    assert ring_time(0.5, 10**6) < 1
    assert neighbors_time(0.5, 3) == 1.0


def test_step_time_and_throughput_by_hand():
    assert step_time(2.0, 1.0) == 3.0
    assert step_time(2.0, 1.0, period=4) == 2.25
    assert step_time(2.0, 1.0, period=4, compression=0.5) == 2.125
    assert throughput(64, 8, 2.0) == 256


def test_parallel_sgd_falls_below_the_ideal_and_decentralised_sgd_less():
    nodes = np.array([4, 16, 128])
    server = [throughput(64, n, step_time(1.0, server_time(0.01, n))) / n for n in nodes]
    gossip = [throughput(64, n, step_time(1.0, neighbors_time(0.01, 3))) / n for n in nodes]
    assert server == sorted(server, reverse=True)
    assert len(set(gossip)) == 1
    assert 64 > gossip[-1] > 1.5 * server[-1]


def test_mistakes_of_the_model():
    wrong = {v.identifier: v.function for f in (throughput, efficiency, step_time) for v in variants(f, Kind.MISTAKE)}
    assert wrong["one_batch_a_step"](64, 8, 2.0) == 32
    assert wrong["speedup_alone"](11.6, 2.2, 4, 32) > 1
    assert wrong["everything_by_period"](2.0, 1.0, 4) == 0.75
    assert wrong["everything_by_period"](2.0, 1.0) == step_time(2.0, 1.0)
    assert wrong["one_batch_a_step"](64, 1, 2.0) == throughput(64, 1, 2.0)
