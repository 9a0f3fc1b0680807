"""All-reduce: every node has the exact mean; how many messages, of which size, from whom to whom."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.lecture01.distributed.allreduce import ring_allreduce, server_allreduce, tree_allreduce
from reference.variants import Kind, variants

MISTAKES = {v.identifier: v.function for v in variants(ring_allreduce, Kind.MISTAKE)}
ALGORITHMS = [ring_allreduce, tree_allreduce, server_allreduce]

sizes = st.tuples(st.integers(1, 9), st.integers(1, 20), st.integers(0, 2**32 - 1))


def vectors(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


def sent_by(messages):
    sent = Counter()
    for message in messages:
        sent[message.sender] += message.size
    return sent


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@settings(deadline=None)
@given(sizes)
def test_every_node_has_the_mean_and_all_the_same_numbers(algorithm, size):
    V = vectors(*size)
    before = V.copy()
    results, _ = algorithm(V)
    assert results.dtype == np.float64
    np.testing.assert_allclose(results, np.tile(V.mean(axis=0), (len(V), 1)), rtol=0, atol=1e-14)
    np.testing.assert_array_equal(results, np.tile(results[0], (len(V), 1)))
    np.testing.assert_array_equal(V, before)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_mean_of_whole_numbers_is_exact(algorithm):
    V = np.arange(24).reshape(4, 6)
    np.testing.assert_array_equal(algorithm(V).results, np.tile([9.0, 10, 11, 12, 13, 14], (4, 1)))


@settings(deadline=None)
@given(sizes)
def test_ring_counts(size):
    n, d, _ = size
    _, messages = ring_allreduce(vectors(*size))
    assert len(messages) == 2 * n * (n - 1)
    assert sum(message.size for message in messages) == 2 * (n - 1) * d
    assert {message.round for message in messages} == set(range(2 * (n - 1)))
    assert all(message.receiver == (message.sender + 1) % n for message in messages)
    assert all(total <= 2 * d for total in sent_by(messages).values())


def test_on_a_ring_each_node_sends_the_same_where_n_divides_d():
    _, messages = ring_allreduce(vectors(5, 20))
    assert sent_by(messages) == dict.fromkeys(range(5), 2 * 4 * 20 // 5)


@settings(deadline=None)
@given(sizes)
def test_tree_counts(size):
    n, d, _ = size
    _, messages = tree_allreduce(vectors(*size))
    assert len(messages) == 2 * (n - 1)
    assert {message.size for message in messages} <= {d}
    assert {message.round for message in messages} == set(range(2 * int(np.ceil(np.log2(n)))))


@settings(deadline=None)
@given(sizes)
def test_in_each_round_of_a_tree_or_ring_a_node_sends_once_and_receives_once_at_most(size):
    for algorithm in (ring_allreduce, tree_allreduce):
        messages = algorithm(vectors(*size)).messages
        assert max(Counter((m.round, m.sender) for m in messages).values(), default=0) <= 1
        assert max(Counter((m.round, m.receiver) for m in messages).values(), default=0) <= 1


def test_server_counts():
    _, messages = server_allreduce(vectors(6, 7))
    assert sent_by(messages) == {**dict.fromkeys(range(6), 7), 6: 42}


@settings(deadline=None)
@given(sizes)
def test_other_way_round(size):
    other = next(v.function for v in variants(ring_allreduce, Kind.EQUIVALENT))
    V = vectors(*size)
    results, messages = other(V)
    np.testing.assert_allclose(results, ring_allreduce(V).results, atol=1e-14)
    assert all(message.receiver == (message.sender - 1) % len(V) for message in messages)
    sizes_of = [sorted(m.size for m in log) for log in (messages, ring_allreduce(V).messages)]
    assert sizes_of[0] == sizes_of[1]


def test_convention_of_the_sum():
    convention = next(v.function for v in variants(ring_allreduce, Kind.CONVENTION))
    V = vectors(4, 6)
    np.testing.assert_allclose(convention(V).results, np.tile(V.sum(axis=0), (4, 1)), atol=1e-14)


# Mistakes.


@pytest.mark.parametrize(
    "identifier", ["divided_twice", "ring_without_wrap", "one_round_too_many", "reduce_scatter_only"]
)
@pytest.mark.parametrize("n", [2, 3, 5])
def test_mistakes_in_the_result(identifier, n):
    V = vectors(n, 10) + 3
    assert np.abs(MISTAKES[identifier](V).results - ring_allreduce(V).results).max() > 0.5


def test_whole_vectors_have_the_result_right_and_send_too_much():
    V = vectors(5, 10)
    results, messages = MISTAKES["whole_vectors"](V)
    np.testing.assert_allclose(results, ring_allreduce(V).results, atol=1e-14)
    assert sent_by(messages) == dict.fromkeys(range(5), 4 * 10)
    assert sent_by(ring_allreduce(V).messages) == dict.fromkeys(range(5), 2 * 4 * 2)


def test_two_nodes_hide_whole_vectors():
    V = vectors(2, 10)
    assert sent_by(MISTAKES["whole_vectors"](V).messages) == sent_by(ring_allreduce(V).messages)


def test_one_round_too_many_shows_in_the_messages_as_well():
    assert len(MISTAKES["one_round_too_many"](vectors(4, 8)).messages) == 2 * 4 * 4


def test_line_leaves_the_nodes_with_different_results():
    results = MISTAKES["ring_without_wrap"](vectors(4, 8)).results
    assert len({tuple(row) for row in results}) > 1


@pytest.mark.parametrize("identifier", sorted(set(MISTAKES) - {"one_round_too_many"}))
def test_one_node_hides_it(identifier):
    V = vectors(1, 5)
    np.testing.assert_array_equal(MISTAKES[identifier](V).results, V)


def test_the_known_mistakes():
    assert set(MISTAKES) == {
        "divided_twice",
        "ring_without_wrap",
        "one_round_too_many",
        "reduce_scatter_only",
        "whole_vectors",
    }
