"""All-reduce: n nodes have a vector each, and all of them get the mean. On a ring, on a tree, with a server.

Problem     node i has v_i in R^d; each node is to have (v_1 + ... + v_n) / n.
Algorithm   ring    The vector is cut into n chunks. In n-1 rounds each node sends one chunk to the next node on the
                    ring, which adds it to its own (reduce-scatter); then each node has one chunk of the sum. In
                    n-1 more rounds these go round the ring once (all-gather). At the end all divide by n.
            tree    Sums go up a binary tree in ceil(log2 n) rounds, and the mean comes down in as many.
            server  All send to a server, which sends the mean to all.
Cost        numbers sent    each node               in all          rounds
            ring            2 (n-1)/n d             2 (n-1) d       2 (n-1)
            tree            up to d log2 n          2 (n-1) d       2 ceil(log2 n)
            server          d, and n d from it      2 n d           2
            On the ring no node sends more than 2 d, however many there are. For n that does not divide d, chunks differ
            by one number.
References  Lecture 1, part 4, slide 6 (server); Lecture 13-1, slide 7 (names tree and ring). The schemes themselves are
            standard literature (Patarasuk and Yuan 2009), not in the course.
Catalogue   allreduce
Witness     the mean by NumPy; counts of messages and of numbers

The sum is formed in another order by each scheme, so results agree up to rounding. Within one call all nodes get
exactly the same numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from reference.problem import Matrix
from reference.variants import convention, equivalent, mistake


class Message(NamedTuple):
    """One message; those of the same round are sent at the same time."""

    round: int
    sender: int
    receiver: int
    size: int
    """How many numbers."""


class AllReduce(NamedTuple):
    """What an all-reduce leaves behind."""

    results: Matrix
    """Row i is what node i has at the end, (n, d)."""
    messages: list[Message]
    """In the order of the rounds. A server is node n."""


def ring_allreduce(vectors: Matrix) -> AllReduce:
    """The mean on every node, by a ring i -> i+1 mod n.

    Args:
        vectors: row i is the vector of node i, (n, d), n >= 1; left as they are.
    """
    n = len(vectors)
    chunks = [np.array_split(np.array(v, dtype=np.float64), n) for v in vectors]  # chunks[i][c]: chunk c on node i
    messages = []
    for step in range(n - 1):  # reduce-scatter
        sent = [chunks[i][(i - step) % n] for i in range(n)]
        for i in range(n):
            after, c = (i + 1) % n, (i - step) % n
            chunks[after][c] = chunks[after][c] + sent[i]
            messages.append(Message(step, i, after, len(sent[i])))
    for step in range(n - 1):  # all-gather: node i has the whole sum of chunk i+1
        sent = [chunks[i][(i + 1 - step) % n] for i in range(n)]
        for i in range(n):
            after, c = (i + 1) % n, (i + 1 - step) % n
            chunks[after][c] = sent[i]
            messages.append(Message(n - 1 + step, i, after, len(sent[i])))
    return AllReduce(np.array([np.concatenate(own) / n for own in chunks]), messages)


def tree_allreduce(vectors: Matrix) -> AllReduce:
    """The mean on every node, by a binary tree with root 0; n need not be a power of two.

    Args:
        vectors: row i is the vector of node i, (n, d), n >= 1; left as they are.
    """
    results = np.array(vectors, dtype=np.float64)
    n, d = results.shape
    depth = (n - 1).bit_length()  # ceil(log2 n)
    messages = []
    for level in range(depth):  # up: i + 2^level sends its sum to i, for i = 0, 2 * 2^level, 4 * 2^level, ...
        reach = 2**level
        for i in range(0, n - reach, 2 * reach):
            results[i] += results[i + reach]
            messages.append(Message(level, i + reach, i, d))
    results[0] /= n
    for level in reversed(range(depth)):  # down: the same edges, the other way
        reach = 2**level
        for i in range(0, n - reach, 2 * reach):
            results[i + reach] = results[i]
            messages.append(Message(2 * depth - 1 - level, i, i + reach, d))
    return AllReduce(results, messages)


def server_allreduce(vectors: Matrix) -> AllReduce:
    """The mean on every node, by a parameter server, which is node n.

    Args:
        vectors: row i is the vector of node i, (n, d), n >= 1; left as they are.
    """
    V = np.array(vectors, dtype=np.float64)
    n, d = V.shape
    up = [Message(0, i, n, d) for i in range(n)]
    down = [Message(1, n, i, d) for i in range(n)]
    return AllReduce(np.tile(V.mean(axis=0), (n, 1)), up + down)


@equivalent(ring_allreduce, "The ring turns the other way: other messages, as many and as long.")
def other_way_round(vectors: Matrix) -> AllReduce:
    """Node i sends to i-1 mod n: the ring of the nodes in reverse order."""
    n = len(vectors)
    results, messages = ring_allreduce(np.asarray(vectors)[::-1])
    named = [Message(m.round, n - 1 - m.sender, n - 1 - m.receiver, m.size) for m in messages]
    return AllReduce(results[::-1], named)


@convention(ring_allreduce, "The sum on every node, as message-passing libraries have it by default.")
def sum_on_every_node(vectors: Matrix) -> AllReduce:
    """n times the mean; the same messages."""
    results, messages = ring_allreduce(vectors)
    return AllReduce(len(vectors) * results, messages)


@mistake(ring_allreduce, "Your result is too small by the number of nodes: it is divided by it twice.")
def divided_twice(vectors: Matrix) -> AllReduce:
    """The mean of v_i / n. Invisible for one node."""
    results, messages = ring_allreduce(vectors)
    return AllReduce(results / len(vectors), messages)


@mistake(
    ring_allreduce, "Your nodes do not all have the same result: your ring is a line. Who comes after the last node?"
)
def ring_without_wrap(vectors: Matrix) -> AllReduce:
    """The last node sends to nobody. Invisible for one node."""
    n = len(vectors)
    chunks = [np.array_split(np.array(v, dtype=np.float64), n) for v in vectors]
    messages = []
    for step in range(n - 1):
        sent = [chunks[i][(i - step) % n] for i in range(n)]
        for i in range(n - 1):
            c = (i - step) % n
            chunks[i + 1][c] = chunks[i + 1][c] + sent[i]
            messages.append(Message(step, i, i + 1, len(sent[i])))
    for step in range(n - 1):
        sent = [chunks[i][(i + 1 - step) % n] for i in range(n)]
        for i in range(n - 1):
            chunks[i + 1][(i + 1 - step) % n] = sent[i]
            messages.append(Message(n - 1 + step, i, i + 1, len(sent[i])))
    return AllReduce(np.array([np.concatenate(own) / n for own in chunks]), messages)


@mistake(
    ring_allreduce,
    "Some contributions are in your sum twice, and you send more than is needed. "
    "How many rounds does a chunk take to have seen all other nodes?",
)
def one_round_too_many(vectors: Matrix) -> AllReduce:
    """n rounds of reduce-scatter, n of all-gather: in each chunk one of the v_i is counted twice.

    An all-gather that begins with the right owners would repair it, and only the messages would show the mistake.
    """
    n = len(vectors)
    chunks = [np.array_split(np.array(v, dtype=np.float64), n) for v in vectors]
    messages = []
    for step in range(n):
        sent = [chunks[i][(i - step) % n] for i in range(n)]
        for i in range(n):
            after, c = (i + 1) % n, (i - step) % n
            chunks[after][c] = chunks[after][c] + sent[i]
            messages.append(Message(step, i, after, len(sent[i])))
    for step in range(n):
        sent = [chunks[i][(i - step) % n] for i in range(n)]
        for i in range(n):
            after, c = (i + 1) % n, (i - step) % n
            chunks[after][c] = sent[i]
            messages.append(Message(n + step, i, after, len(sent[i])))
    return AllReduce(np.array([np.concatenate(own) / n for own in chunks]), messages)


@mistake(
    ring_allreduce,
    "Your nodes have one finished chunk each, and the rest unfinished. The sums are there, but not yet everywhere.",
)
def reduce_scatter_only(vectors: Matrix) -> AllReduce:
    """The first n-1 rounds alone. Invisible for one node."""
    n = len(vectors)
    chunks = [np.array_split(np.array(v, dtype=np.float64), n) for v in vectors]
    messages = []
    for step in range(n - 1):
        sent = [chunks[i][(i - step) % n] for i in range(n)]
        for i in range(n):
            after, c = (i + 1) % n, (i - step) % n
            chunks[after][c] = chunks[after][c] + sent[i]
            messages.append(Message(step, i, after, len(sent[i])))
    return AllReduce(np.array([np.concatenate(own) / n for own in chunks]), messages)


@mistake(
    ring_allreduce,
    "You send whole vectors round the ring. The result is right, and each node sends far more than it has to.",
)
def whole_vectors(vectors: Matrix) -> AllReduce:
    """n-1 rounds in which each node passes a vector on and adds the one it gets: (n-1) d numbers from each node.

    Invisible for two nodes, where it is 1 d as well.
    """
    V = np.array(vectors, dtype=np.float64)
    n, d = V.shape
    total, passing = V.copy(), V
    messages = []
    for step in range(n - 1):
        passing = np.roll(passing, 1, axis=0)
        total += passing
        messages += [Message(step, i, (i + 1) % n, d) for i in range(n)]
    return AllReduce(total / n, messages)
