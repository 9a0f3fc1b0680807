"""Decentralised SGD and mixing matrices: golden numbers, limits, PSGD, theorems, orders of the two steps, mistakes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.lecture01.distributed.dsgd import (
    bound_strongly_convex,
    combine_then_adapt,
    decentralized_least_squares,
    dsgd,
    dsgd_limit,
    gradient_beside_average,
)
from reference.lecture01.distributed.mixing import (
    directed_ring,
    is_doubly_stochastic,
    metropolis_weights,
    mixing_rate,
    ring_edges,
    ring_of_four,
    slide_edges,
)
from reference.lecture01.distributed.problems import (
    four_parabolas,
    noisy_gradients,
    quadratic_nodes,
    random_least_squares_nodes,
    random_quadratic_nodes,
)
from reference.lecture01.distributed.psgd import psgd
from reference.lecture01.distributed.quantities import rms_distance
from reference.variants import Kind, guarantees, variants

D4 = four_parabolas()
RING = ring_of_four()
AVERAGE = np.full((4, 4), 1 / 4)
MISTAKES = {v.identifier: v.function for v in variants(dsgd, Kind.MISTAKE)}
RANDOM = [random_quadratic_nodes(4, 3, 3.0, 0.3, spread, seed) for spread in (0.0, 0.3, 3.0) for seed in (1, 2)]


def run(function, problem, weights, learning_rate, num_steps):
    return function(problem.gradients, weights, problem.starts, learning_rate, num_steps)


def limit(problem, weights, learning_rate):
    return dsgd_limit(problem.data["hessians"], problem.data["minimizers"], weights, learning_rate)


# Golden numbers.


def test_golden_numbers_on_the_ring():
    X = run(dsgd, D4, RING, 0.1, 400)[:, :, 0]
    golden = [[0.1, 0.125, 0.25, 0.225], [0.20375, 0.24125, 0.39625, 0.35875], [0.29375, 0.3366875, 0.49075, 0.4478125]]
    np.testing.assert_allclose(X[1:4], golden, atol=1e-15)
    np.testing.assert_allclose(X[-1], [0.613245033113, 0.656953642384, 0.749668874172, 0.705960264901], atol=6e-13)
    assert X[-1].mean() == pytest.approx(0.681456953642, abs=5e-13)


def test_golden_numbers_of_the_other_order():
    X = run(gradient_beside_average, D4, RING, 0.1, 400)[:, :, 0]
    np.testing.assert_allclose(X[1], [0.3, -0.2, 0.6, 0], atol=1e-15)
    np.testing.assert_allclose(X[-1], [0.894088669951, 0.407019704433, 1.045566502463, 0.538793103448], atol=6e-13)


def test_golden_bias_is_proportional_to_the_step():
    golden = [0.189263, 0.109004, 0.058990, 0.030764, 0.015720]
    biases = [np.linalg.norm(limit(D4, RING, rate) - 0.7) for rate in (0.2, 0.1, 0.05, 0.025, 0.0125)]
    np.testing.assert_allclose(biases, golden, atol=5e-7)
    tiny = [np.linalg.norm(limit(D4, RING, rate) - 0.7) for rate in (2e-4, 1e-4)]
    assert tiny[0] / tiny[1] == pytest.approx(2, rel=1e-3)


def test_golden_numbers_on_the_directed_ring():
    W = directed_ring(4)
    np.testing.assert_array_equal(W[1], [0.5, 0.5, 0, 0])
    X = run(dsgd, D4, W, 0.1, 2)[:, :, 0]
    np.testing.assert_allclose(X[1:], [[0.15, 0.05, 0.2, 0.3], [0.3075, 0.1375, 0.29, 0.46]], atol=1e-15)
    X = run(MISTAKES["transposed_weights"], D4, W, 0.1, 2)[:, :, 0]
    np.testing.assert_allclose(X[1:], [[0.05, 0.2, 0.3, 0.15], [0.1525, 0.385, 0.45, 0.2175]], atol=1e-15)


# Limits and relations.


@pytest.mark.parametrize("problem", [D4, *RANDOM])
@pytest.mark.parametrize("weights", [RING, directed_ring(4), AVERAGE], ids=["ring", "directed ring", "average"])
def test_limit_is_a_fixed_point_and_is_reached(problem, weights):
    X = limit(problem, weights, 0.2)
    stays = dsgd(problem.gradients, weights, X, 0.2, 1)[-1]
    np.testing.assert_allclose(stays, X, atol=1e-12)
    np.testing.assert_allclose(run(dsgd, problem, weights, 0.2, 1000)[-1], X, atol=1e-10)


def test_average_over_all_has_the_minimiser_as_its_limit():
    np.testing.assert_allclose(limit(RANDOM[4], AVERAGE, 0.2), np.tile(RANDOM[4].minimizer, (4, 1)), atol=1e-13)
    assert np.abs(limit(RANDOM[4], RING, 0.2) - RANDOM[4].minimizer).max() > 0.05


def test_average_over_all_is_psgd():
    problem = RANDOM[2]
    noise = np.random.default_rng(1).standard_normal((25, 4, 3))
    X = dsgd(noisy_gradients(problem), AVERAGE, problem.starts, 0.2, 25, noise)
    theirs = psgd(noisy_gradients(problem), problem.x0, 0.2, 25, noise)
    np.testing.assert_allclose(X, np.repeat(theirs[:, None], 4, axis=1), atol=1e-13)


def test_without_gradients_the_mean_stays_and_differences_shrink_by_rho():
    starts = np.random.default_rng(2).standard_normal((12, 3))
    W = metropolis_weights(12, slide_edges())
    X = dsgd([lambda x: np.zeros(3)] * 12, W, starts, 0.1, 300)
    np.testing.assert_allclose(X.mean(axis=1), np.tile(starts.mean(axis=0), (301, 1)), atol=1e-14)
    spread = np.linalg.norm(X - X.mean(axis=1, keepdims=True), axis=(1, 2))
    assert (spread[1:] <= mixing_rate(W) * spread[:-1] + 1e-14).all()
    assert spread[200] / spread[199] == pytest.approx(mixing_rate(W), rel=1e-6)


def test_without_gradients_a_row_stochastic_matrix_moves_the_mean():
    star = np.array([[0.25, 0.25, 0.25, 0.25], [0.5, 0.5, 0, 0], [0.5, 0, 0.5, 0], [0.5, 0, 0, 0.5]])
    X = dsgd([lambda x: np.zeros(1)] * 4, star, np.array([[4.0], [0], [0], [0]]), 0.1, 200)
    np.testing.assert_allclose(X[-1], 1.6, atol=1e-12)  # node 0 counts 2/5, the others 1/5 each


def test_combine_then_adapt_is_dsgd_half_a_step_earlier():
    problem = RANDOM[3]
    X = combine_then_adapt(problem.gradients, RING, problem.starts, 0.1, 20)
    Y = dsgd(problem.gradients, RING, RING @ problem.starts, 0.1, 20)
    np.testing.assert_allclose(RING @ X, Y, atol=1e-13)


@pytest.mark.parametrize("weights", [RING, directed_ring(4)])
def test_decentralised_least_squares(weights):
    problem = random_least_squares_nodes(nodes=4, rows=5, dimension=3, seed=1)
    A, b = problem.data["A"], problem.data["b"]
    X = decentralized_least_squares(A, b, weights, problem.starts, 0.02, 50)
    np.testing.assert_allclose(X, run(dsgd, problem, weights, 0.02, 50), atol=1e-13)
    hessians = A.transpose(0, 2, 1) @ A
    own = np.array([np.linalg.lstsq(A_i, b_i)[0] for A_i, b_i in zip(A, b, strict=True)])
    last = decentralized_least_squares(A, b, weights, problem.starts, 0.05, 3000)[-1]
    np.testing.assert_allclose(last, dsgd_limit(hessians, own, weights, 0.05), atol=1e-9)


# Theorem.


def test_the_registered_theorem():
    assert [(t.bound, t.quantity) for t in guarantees(dsgd)] == [(bound_strongly_convex, rms_distance)]


@pytest.mark.parametrize("problem", [*RANDOM, D4])
@pytest.mark.parametrize("weights", [RING, directed_ring(4), AVERAGE, np.eye(4)])
def test_bound_holds(problem, weights):
    for fraction in (0.01, 0.1, 1.0):
        rate = fraction * 2 / (problem.smoothness + problem.strong_convexity)
        X = run(dsgd, problem, weights, rate, 60)
        bound = bound_strongly_convex(problem, weights, problem.starts, rate, 60)
        assert (rms_distance(X, problem) <= bound * (1 + 1e-12) + 1e-13).all()


def test_bound_is_attained_for_the_average_and_nearly_for_small_steps():
    bound = bound_strongly_convex(D4, AVERAGE, D4.starts, 0.1, 40)
    np.testing.assert_allclose(rms_distance(run(dsgd, D4, AVERAGE, 0.1, 40), D4), bound, atol=1e-14)
    # At x* the nodes are pulled apart by gradients (1, -1, 1, -1) zeta; W = [[1-p, p], [p, 1-p]] has rho = 1 - 2 p.
    problem = quadratic_nodes(np.ones((2, 1, 1)), np.array([[1.0], [-1.0]]), np.zeros(1), "two nodes")
    W = np.array([[0.9, 0.1], [0.1, 0.9]])
    ours = rms_distance(run(dsgd, problem, W, 1e-4, 30), problem)[1:]
    np.testing.assert_allclose(ours / bound_strongly_convex(problem, W, problem.starts, 1e-4, 30)[1:], 1, atol=2e-3)


def test_bound_is_proportional_to_the_step_in_the_limit():
    ends = [bound_strongly_convex(D4, RING, D4.starts, rate, 30000)[-1] for rate in (0.002, 0.001)]
    assert ends[0] / ends[1] == pytest.approx(2, rel=0.02)


def test_bound_fails_for_weights_that_are_not_doubly_stochastic():
    """With rows of sum 1 only, the nodes minimise a weighted average: no step is small enough."""
    star = np.array([[0.25, 0.25, 0.25, 0.25], [0.5, 0.5, 0, 0], [0.5, 0, 0.5, 0], [0.5, 0, 0, 0.5]])
    X = run(dsgd, D4, star, 0.001, 20000)
    # What the bound would say, for doubly stochastic weights with the same rho.
    rho = mixing_rate(star)
    same_rate = rho * np.eye(4) + (1 - rho) * AVERAGE
    assert mixing_rate(same_rate) == pytest.approx(rho)
    would_be = bound_strongly_convex(D4, same_rate, D4.starts, 0.001, 20000)
    assert rms_distance(X, D4)[-1] > 5 * would_be[-1]
    with pytest.raises(ValueError, match="doubly stochastic"):
        bound_strongly_convex(D4, star, D4.starts, 0.001, 5)


def test_bound_fails_with_noise_and_other_conditions_are_checked():
    noise = 10 * np.random.default_rng(3).standard_normal((100, 4, 1))
    X = dsgd(noisy_gradients(D4), RING, D4.starts, 0.01, 100, noise)
    assert (rms_distance(X, D4) > bound_strongly_convex(D4, RING, D4.starts, 0.01, 100)).any()
    with pytest.raises(ValueError, match="exact gradients"):
        bound_strongly_convex(D4, RING, D4.starts, 0.01, 100, noise)
    with pytest.raises(ValueError, match=r"2/\(L\+mu\)"):
        bound_strongly_convex(D4, RING, D4.starts, 0.5, 5)
    with pytest.raises(ValueError, match="start at the x0"):
        bound_strongly_convex(D4, RING, D4.starts + 1, 0.1, 5)
    with pytest.raises(ValueError, match="minimiser"):
        bound_strongly_convex(replace(D4, minimizer=None), RING, D4.starts, 0.1, 5)


# Mistakes.


@pytest.mark.parametrize("identifier", sorted(set(MISTAKES) - {"transposed_weights"}))
def test_four_parabolas_on_the_ring_show_it(identifier):
    wrong = run(MISTAKES[identifier], D4, RING, 0.1, 20)
    assert np.abs(wrong - run(dsgd, D4, RING, 0.1, 20)).max() > 0.05


def test_symmetric_weights_hide_the_transpose_and_the_directed_ring_shows_it():
    wrong = MISTAKES["transposed_weights"]
    np.testing.assert_allclose(run(wrong, D4, RING, 0.1, 20), run(dsgd, D4, RING, 0.1, 20), atol=1e-14)
    W = directed_ring(4)
    assert np.abs(run(wrong, D4, W, 0.1, 20) - run(dsgd, D4, W, 0.1, 20)).max() > 0.1


def test_what_hides_the_others():
    right = run(dsgd, D4, AVERAGE, 0.1, 20)
    for identifier in ("global_mean_reported", "global_average"):
        np.testing.assert_allclose(run(MISTAKES[identifier], D4, AVERAGE, 0.1, 20), right, atol=1e-15)
    swap = np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]], dtype=float)
    np.testing.assert_allclose(run(MISTAKES["no_self_loop"], D4, swap, 0.1, 9), run(dsgd, D4, swap, 0.1, 9), atol=1e-14)
    equal = quadratic_nodes(np.tile(np.eye(2), (4, 1, 1)), np.ones((4, 2)), np.zeros(2), "equal nodes")
    wrong = run(MISTAKES["no_communication"], equal, RING, 0.1, 20)
    np.testing.assert_allclose(wrong, run(dsgd, equal, RING, 0.1, 20), atol=1e-15)


def test_a_missing_self_loop_shrinks_everything():
    last = run(MISTAKES["no_self_loop"], D4, RING, 0.01, 2000)[-1]
    assert np.abs(last).max() < 0.05


def test_the_known_mistakes():
    assert set(MISTAKES) == {
        "transposed_weights",
        "no_self_loop",
        "unweighted_sum",
        "gauss_seidel",
        "global_mean_reported",
        "global_average",
        "no_communication",
    }


# Mixing matrices.


def test_ring_of_four():
    np.testing.assert_allclose(np.linalg.eigvalsh(RING), [0, 0.5, 0.5, 1], atol=1e-15)
    assert mixing_rate(RING) == pytest.approx(0.5, rel=1e-14)
    assert is_doubly_stochastic(RING)
    assert is_doubly_stochastic(directed_ring(5))
    assert not is_doubly_stochastic(np.array([[0.5, 0.5], [1.0, 0.0]]))
    assert not is_doubly_stochastic(np.array([[1.5, -0.5], [-0.5, 1.5]]))


def test_graph_of_the_slide():
    edges = slide_edges()
    assert len(set(edges)) == 15
    assert np.bincount(np.ravel(edges)).max() == 3
    assert mixing_rate(metropolis_weights(12, edges)) == pytest.approx(0.898771547709, abs=5e-13)


graphs = st.integers(2, 8).flatmap(
    lambda n: st.tuples(
        st.just(n),
        st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda e: e[0] < e[1]), unique=True),
    )
)


@settings(deadline=None)
@given(graphs)
def test_metropolis_weights_are_symmetric_doubly_stochastic_and_on_the_graph(graph):
    n, edges = graph
    connected = [*edges, *((i, i + 1) for i in range(n - 1) if (i, i + 1) not in edges)]
    W = metropolis_weights(n, connected)
    assert is_doubly_stochastic(W)
    np.testing.assert_array_equal(W, W.T)
    assert (np.diag(W) > 0).all()
    on_graph = {(i, j) for i, j in zip(*np.nonzero(W), strict=True) if i < j}
    assert on_graph == set(connected)
    assert mixing_rate(W) < 1
    by_adjacency = next(v.function for v in variants(metropolis_weights, Kind.EQUIVALENT))
    np.testing.assert_allclose(by_adjacency(n, connected), W, atol=1e-15)


def test_a_graph_in_two_parts_does_not_average():
    assert mixing_rate(metropolis_weights(4, [(0, 1), (2, 3)])) == pytest.approx(1)


def test_mistakes_in_the_weights():
    wrong = {v.identifier: v.function for v in variants(metropolis_weights, Kind.MISTAKE)}
    assert set(wrong) == {"own_degree", "without_the_one", "no_self_weight"}
    edges = slide_edges()
    for function in wrong.values():
        assert np.abs(function(12, edges) - metropolis_weights(12, edges)).max() > 0.05
    own = wrong["own_degree"](12, edges)
    np.testing.assert_allclose(own.sum(axis=1), 1)
    assert np.abs(own.sum(axis=0) - 1).max() > 0.1
    np.testing.assert_allclose(wrong["own_degree"](5, ring_edges(5)), metropolis_weights(5, ring_edges(5)), atol=1e-15)
    assert mixing_rate(wrong["without_the_one"](6, ring_edges(6))) == pytest.approx(1)
    assert mixing_rate(metropolis_weights(6, ring_edges(6))) < 0.7
