"""FedAvg, the server/client form: clients make local steps from the server's point, the server averages the changes.

Problem     min f(x) = (1/n) sum_i f_i(x) over R^d;  f_i(x) = E F(x; xi_i) is known to client i alone.
Algorithm   for r = 0, ..., R-1: a set S of clients, all n or a sample of them, gets x^r. Each client i in S:
                y_i <- x^r;  K times  y_i <- y_i - gamma_l grad F(y_i; xi_i)  with fresh xi_i;  Delta_i = y_i - x^r
            x^(r+1) = x^r + (gamma_g/|S|) sum_{i in S} Delta_i
Guarantee   Lecture 14, Theorem 1 (Karimireddy et al. 2020): for proper learning rates, heterogeneity at most zeta^2,
                (1/R) sum_r E ||grad f(x^r)||^2 = O(sigma/sqrt(n K R) + zeta^(2/3)/R^(2/3) + 1/R)
            Theorem 3, m of n clients a round:
                O(sqrt(sigma^2 + K zeta^2 (1 - m/n))/sqrt(m K R) + zeta^(2/3)/R^(2/3) + 1/R)
            Both without constants. On quadratics, all clients and exact gradients, the fixed point is `local_sgd_limit`
            for K local steps, whatever gamma_g is; it is not x* unless K = 1 or zeta = 0.
            Exact gradients, f strongly convex, gamma_l <= 2/(L+mu): the distance to x* is bounded with `drift_bound`
            (derived).
Cost        a round: K stochastic gradients on each client of S, one vector down and one up for each.
References  Lecture 14, slide 14 (Algorithm 1), slides 15-16, 28-29. Slide 16 prints x^R in the sum, where x^r is meant.
Catalogue   fedavg
Witness     `local_sgd_std` for gamma_g = 1 and tau = K; PSGD with step gamma_g gamma_l for K = 1; fixed points

In the code gamma_l is `learning_rate`, gamma_g is `server_learning_rate`, K is `num_local_steps`, R is `num_rounds`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from reference.conditions import require
from reference.lecture01.distributed.drift import drift_bound, require_exact, start_distance
from reference.lecture01.distributed.nodes import Gradient, Samples, draws, local_gradient
from reference.lecture01.distributed.problems import DistributedProblem, random_quadratic_nodes
from reference.problem import Matrix, Vector
from reference.quantities import distance
from reference.variants import equivalent, example, guarantee, mistake

Participants = Sequence[Sequence[int]] | None


def fedavg(
    gradients: Sequence[Gradient],
    x0: Vector,
    learning_rate: float,
    server_learning_rate: float,
    num_local_steps: int,
    num_rounds: int,
    samples: Samples = None,
    participants: Participants = None,
) -> Matrix:
    """The points of the server x^0, ..., x^R, (R+1, d) float64: row r is x^r.

    Args:
        gradients: grad f_i of each client, n functions (d,) -> (d,); called K times in each round that the client
            takes part in. With samples, gradients[i](y, xi) = grad F(y; xi).
        x0: starting point of the server, (d,); left as it is.
        learning_rate: gamma_l, the step of the clients.
        server_learning_rate: gamma_g; 1 makes x^(r+1) the average of the clients' points.
        num_local_steps: K >= 1.
        num_rounds: R >= 0.
        samples: samples[r][k][i] is the sample of client i in local step k of round r; None where gradients are exact.
        participants: participants[r] lists the clients of round r, each once; None where all take part.

    Raises:
        ValueError: where there are samples or participants, but not for R rounds.
    """
    everybody = range(len(gradients))
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for xi, chosen in zip(draws(samples, num_rounds), draws(participants, num_rounds), strict=True):
        S = everybody if chosen is None else chosen
        changes = [_local_run(gradients[i], x, learning_rate, num_local_steps, xi, i) - x for i in S]
        x = x + server_learning_rate * np.mean(changes, axis=0)
        iterates.append(x)
    return np.array(iterates)


def _local_run(
    gradient: Gradient, x: Vector, learning_rate: float, num_steps: int, round_samples: Samples, i: int
) -> Vector:
    """y_i after K local steps of client i from x; (d,) -> (d,)."""
    y = x
    for xi in draws(round_samples, num_steps):
        y = y - learning_rate * local_gradient(gradient, y, None if xi is None else xi[i])
    return y


# What theory says.


@guarantee(
    fedavg,
    distance,
    "Derived, not a theorem of the course: for mu-strongly convex, L-smooth f, L_i-smooth f_i, exact gradients, all "
    "clients and gamma_l <= 2/(L+mu), the server stays as close to x* as the recursion for the clients' drift says.",
)
def bound_strongly_convex(
    problem: DistributedProblem,
    learning_rate: float,
    server_learning_rate: float,
    num_local_steps: int,
    num_rounds: int,
    samples: Samples = None,
    participants: Participants = None,
) -> Vector:
    """b_{r+1} = |1 - gamma_g| b_r + gamma_g a_K, (R+1,); a_K of `drift_bound` without communication from a_0 = b_r.

    Attained for K = 1 and gamma_g <= 1 on quadratics from x* plus an eigenvector of mu.

    Raises:
        ValueError: unless f is L-smooth and mu-strongly convex, x* is known, 0 < gamma_l <= 2/(L+mu), gamma_g > 0,
            all clients take part and gradients are exact.
    """
    require_exact(samples, problem)
    require(participants is None, "all clients in every round", problem)
    require(server_learning_rate > 0, "a server step gamma_g > 0", problem)
    bound = [start_distance(problem)]
    for _ in range(num_rounds):
        a, _ = drift_bound(problem, learning_rate, [1.0] * num_local_steps, bound[-1])
        bound.append(abs(1 - server_learning_rate) * bound[-1] + server_learning_rate * a[-1])
    return np.array(bound)


# Correct other forms.


@equivalent(fedavg, "The server mixes its point with the average of the clients' points.")
def averaged_points(
    gradients: Sequence[Gradient],
    x0: Vector,
    learning_rate: float,
    server_learning_rate: float,
    num_local_steps: int,
    num_rounds: int,
    samples: Samples = None,
    participants: Participants = None,
) -> Matrix:
    """x^(r+1) = (1 - gamma_g) x^r + gamma_g mean_{i in S} y_i."""
    everybody = range(len(gradients))
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for xi, chosen in zip(draws(samples, num_rounds), draws(participants, num_rounds), strict=True):
        S = everybody if chosen is None else chosen
        points = [_local_run(gradients[i], x, learning_rate, num_local_steps, xi, i) for i in S]
        x = (1 - server_learning_rate) * x + server_learning_rate * np.mean(points, axis=0)
        iterates.append(x)
    return np.array(iterates)


@equivalent(fedavg, "The clients send the sum of their gradients; the server makes a gradient step with it.")
def summed_gradients(
    gradients: Sequence[Gradient],
    x0: Vector,
    learning_rate: float,
    server_learning_rate: float,
    num_local_steps: int,
    num_rounds: int,
    samples: Samples = None,
    participants: Participants = None,
) -> Matrix:
    """x^(r+1) = x^r - gamma_g gamma_l mean_{i in S} sum_k grad F(y_i^k; xi_i^k)."""
    everybody = range(len(gradients))
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for xi, chosen in zip(draws(samples, num_rounds), draws(participants, num_rounds), strict=True):
        S = everybody if chosen is None else chosen
        total = np.zeros(len(x))
        for i in S:
            y = x
            for xi_k in draws(xi, num_local_steps):
                g = local_gradient(gradients[i], y, None if xi_k is None else xi_k[i])
                y = y - learning_rate * g
                total += g
        x = x - server_learning_rate * learning_rate / len(S) * total
        iterates.append(x)
    return np.array(iterates)


# What goes wrong.


@mistake(
    fedavg,
    "Your first round is right and later ones are not: your clients go on from where they were. "
    "From which point does a client start a round?",
)
def stale_clients(
    gradients: Sequence[Gradient],
    x0: Vector,
    learning_rate: float,
    server_learning_rate: float,
    num_local_steps: int,
    num_rounds: int,
    samples: Samples = None,
    participants: Participants = None,
) -> Matrix:
    """y_i is not set to x^r; Delta_i = y_i - x^r."""
    everybody = range(len(gradients))
    x = np.array(x0, dtype=np.float64)
    Y = np.tile(x, (len(gradients), 1))
    iterates = [x]
    for xi, chosen in zip(draws(samples, num_rounds), draws(participants, num_rounds), strict=True):
        S = list(everybody if chosen is None else chosen)
        for i in S:
            Y[i] = _local_run(gradients[i], Y[i].copy(), learning_rate, num_local_steps, xi, i)
        x = x + server_learning_rate * np.mean(Y[S] - x, axis=0)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    fedavg, "Your server moves away from where the clients went. From where to where does a client's change point?"
)
def reversed_change(
    gradients: Sequence[Gradient],
    x0: Vector,
    learning_rate: float,
    server_learning_rate: float,
    num_local_steps: int,
    num_rounds: int,
    samples: Samples = None,
    participants: Participants = None,
) -> Matrix:
    """Delta_i = x^r - y_i."""
    return fedavg(
        gradients, x0, learning_rate, -server_learning_rate, num_local_steps, num_rounds, samples, participants
    )


@mistake(
    fedavg,
    "Your steps are too short when only some of the clients take part. Over whom does the server average?",
)
def divided_by_all_clients(
    gradients: Sequence[Gradient],
    x0: Vector,
    learning_rate: float,
    server_learning_rate: float,
    num_local_steps: int,
    num_rounds: int,
    samples: Samples = None,
    participants: Participants = None,
) -> Matrix:
    """(gamma_g/n) for (gamma_g/|S|). Invisible where all clients take part."""
    everybody = range(len(gradients))
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for xi, chosen in zip(draws(samples, num_rounds), draws(participants, num_rounds), strict=True):
        S = everybody if chosen is None else chosen
        changes = [_local_run(gradients[i], x, learning_rate, num_local_steps, xi, i) - x for i in S]
        x = x + server_learning_rate / len(gradients) * np.sum(changes, axis=0)
        iterates.append(x)
    return np.array(iterates)


@mistake(fedavg, "Your steps get longer with the number of clients: their changes are added up, and not averaged.")
def sum_of_changes(
    gradients: Sequence[Gradient],
    x0: Vector,
    learning_rate: float,
    server_learning_rate: float,
    num_local_steps: int,
    num_rounds: int,
    samples: Samples = None,
    participants: Participants = None,
) -> Matrix:
    """gamma_g sum_{i in S} Delta_i. Invisible for one client."""
    everybody = range(len(gradients))
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for xi, chosen in zip(draws(samples, num_rounds), draws(participants, num_rounds), strict=True):
        S = everybody if chosen is None else chosen
        changes = [_local_run(gradients[i], x, learning_rate, num_local_steps, xi, i) - x for i in S]
        x = x + server_learning_rate * np.sum(changes, axis=0)
        iterates.append(x)
    return np.array(iterates)


@mistake(fedavg, "Your clients make one local step more than they are asked for.")
def one_local_step_too_many(
    gradients: Sequence[Gradient],
    x0: Vector,
    learning_rate: float,
    server_learning_rate: float,
    num_local_steps: int,
    num_rounds: int,
    samples: Samples = None,
    participants: Participants = None,
) -> Matrix:
    """K+1 local steps, the last one with the sample of the K-th."""
    longer = None if samples is None else [[*xi, xi[-1]] for xi in samples]
    return fedavg(
        gradients, x0, learning_rate, server_learning_rate, num_local_steps + 1, num_rounds, longer, participants
    )


@mistake(
    fedavg,
    "Your server scales the changes with the clients' learning rate once more. They have it in them already.",
)
def local_rate_twice(
    gradients: Sequence[Gradient],
    x0: Vector,
    learning_rate: float,
    server_learning_rate: float,
    num_local_steps: int,
    num_rounds: int,
    samples: Samples = None,
    participants: Participants = None,
) -> Matrix:
    """x^(r+1) = x^r + gamma_l gamma_g mean Delta_i. Invisible for gamma_l = 1."""
    product = learning_rate * server_learning_rate
    return fedavg(gradients, x0, learning_rate, product, num_local_steps, num_rounds, samples, participants)


@mistake(fedavg, "Your path does not depend on the server's learning rate. What does the server do with the changes?")
def server_rate_ignored(
    gradients: Sequence[Gradient],
    x0: Vector,
    learning_rate: float,
    server_learning_rate: float,
    num_local_steps: int,
    num_rounds: int,
    samples: Samples = None,
    participants: Participants = None,
) -> Matrix:
    """x^(r+1) = mean y_i. Invisible for gamma_g = 1."""
    return fedavg(gradients, x0, learning_rate, 1.0, num_local_steps, num_rounds, samples, participants)


@mistake(
    fedavg,
    "Your clients all use the samples of one of them, so many clients are no better than one.",
)
def same_samples_on_all_clients(
    gradients: Sequence[Gradient],
    x0: Vector,
    learning_rate: float,
    server_learning_rate: float,
    num_local_steps: int,
    num_rounds: int,
    samples: Samples = None,
    participants: Participants = None,
) -> Matrix:
    """The samples of client 0 on every client. Invisible where gradients are exact."""
    n = len(gradients)
    shared = None if samples is None else [[[xi_k[0]] * n for xi_k in xi] for xi in samples]
    return fedavg(gradients, x0, learning_rate, server_learning_rate, num_local_steps, num_rounds, shared, participants)


@mistake(
    fedavg,
    "You choose the clients once, and the same ones take part in all rounds. The others are never heard.",
)
def same_clients_every_round(
    gradients: Sequence[Gradient],
    x0: Vector,
    learning_rate: float,
    server_learning_rate: float,
    num_local_steps: int,
    num_rounds: int,
    samples: Samples = None,
    participants: Participants = None,
) -> Matrix:
    """participants[0] in every round. Invisible where all clients take part."""
    frozen = None if participants is None else list(participants[:1]) * num_rounds
    return fedavg(gradients, x0, learning_rate, server_learning_rate, num_local_steps, num_rounds, samples, frozen)


example(
    fedavg,
    partial(random_quadratic_nodes, nodes=5, dimension=4, smoothness=2.0, strong_convexity=0.5, spread=0.3, seed=1),
    distance,
    gradients=lambda problem: problem.gradients,
    learning_rate=0.05,
    server_learning_rate=0.7,
    num_local_steps=4,
    num_rounds=50,
    samples=None,
    participants=None,
)
