"""Asynchronous SGD: nobody waits; each step uses one agent's gradient, taken at the point which that agent had read.

Problem     min f(x) = (1/n) sum_i f_i(x) over R^d;  f_i(x) = E F(x; xi_i) is known to agent i alone.
Algorithm   x^(k+1) = x^(k) - gamma grad F(x^(k - tau_k); xi^(k - tau_k)),  k = 0, ..., K-1
            The gradient of step k comes from one agent i_k, which took it at the version r_k = k - tau_k of x. That
            agent then reads x^(k+1) and goes on. The step is gamma, not gamma/n.
Guarantee   none in Lecture 1. Exact gradients, f_i smooth and convex, the distance to x* is bounded by a recursion in
            the delays (derived). Standard literature: on f = (lambda/2) x^2 with a fixed delay tau the method is
            stable exactly for 0 < gamma lambda < 2 sin(pi / (2 (2 tau + 1))), which is 2, 1, 0.618, 0.445, ...
Cost        a step: one stochastic gradient in all. n agents make about n steps in the time of one gradient, while
            synchronous SGD waits in each round for the slowest.
References  Lecture 1, part 4, slides 17-19 (timeline on slide 18; slide 19 is titled as if it were about compression).
Catalogue   async_sgd
Witness     gradient descent without delay; eigenvalues of the companion matrix; a simulation of the agents

In the code gamma is `learning_rate`; `agents` holds i_0, ..., i_{K-1} and `reads` r_0, ..., r_{K-1}. The agents decide
both: see `versions_read` and `asynchronous_schedule`. `delayed_gradient_descent` has one function and a fixed delay.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reference.conditions import at_most, known, require
from reference.lecture01.distributed.drift import require_exact, start_distance
from reference.lecture01.distributed.nodes import Gradient, Samples, draws, local_gradient
from reference.lecture01.distributed.problems import DistributedProblem, one_delayed_agent, random_quadratic_nodes
from reference.lecture01.distributed.psgd import psgd
from reference.problem import Matrix, Vector
from reference.quantities import distance
from reference.variants import equivalent, example, guarantee, mistake

Integers = Sequence[int] | NDArray[np.int64]


def async_sgd(
    gradients: Sequence[Gradient],
    x0: Vector,
    learning_rate: float,
    agents: Integers,
    reads: Integers,
    samples: Samples = None,
) -> Matrix:
    """The iterates x^(0), ..., x^(K), (K+1, d) float64: row k is x^(k); K is the number of agents listed.

    Args:
        gradients: grad f_i of each agent, n functions (d,) -> (d,); in all K calls. With samples,
            gradients[i](x, xi) = grad F(x; xi).
        x0: starting point, (d,); left as it is.
        learning_rate: gamma, the constant step.
        agents: i_k, the agent whose gradient is used at step k, (K,), in 0, ..., n-1.
        reads: r_k = k - tau_k, the version of x at which that gradient was taken, (K,), 0 <= r_k <= k.
        samples: samples[k] is the sample in the gradient of step k, or None where the gradients are exact.

    Raises:
        ValueError: unless 0 <= r_k <= k for all k, and agents, reads and samples are of equal number.
    """
    _check(agents, reads)
    iterates = [np.array(x0, dtype=np.float64)]
    for k, xi in enumerate(draws(samples, len(agents))):
        g = local_gradient(gradients[agents[k]], iterates[reads[k]], xi)
        iterates.append(iterates[k] - learning_rate * g)
    return np.array(iterates)


def delayed_gradient_descent(
    gradient: Callable[[Vector], Vector], x0: Vector, learning_rate: float, delay: int, num_steps: int
) -> Matrix:
    """One function and a fixed delay: x^(k+1) = x^(k) - gamma grad f(x^(max(k - tau, 0))), (K+1, d) float64.

    Args:
        gradient: grad f, (d,) -> (d,); K calls.
        x0: starting point, (d,), also all points before it; left as it is.
        learning_rate: gamma, the constant step.
        delay: tau >= 0; 0 is gradient descent.
        num_steps: K >= 0.
    """
    iterates = [np.array(x0, dtype=np.float64)]
    for k in range(num_steps):
        iterates.append(iterates[k] - learning_rate * gradient(iterates[max(k - delay, 0)]))
    return np.array(iterates)


def _check(agents: Integers, reads: Integers) -> None:
    if len(agents) != len(reads):
        raise ValueError(f"There are {len(agents)} agents in the order of the steps, and {len(reads)} versions read.")
    for k, version in enumerate(reads):
        if not 0 <= version <= k:
            raise ValueError(
                f"The gradient of step {k} cannot be taken at x^({version}): it is not there at that time."
            )


# Who reads what, and when.


class Schedule(NamedTuple):
    """The order in which agents finish their gradients."""

    agents: NDArray[np.int64]
    """i_k, (K,)."""
    reads: NDArray[np.int64]
    """r_k, (K,)."""
    times: Vector
    """When step k is made, (K,)."""


def versions_read(agents: Integers) -> NDArray[np.int64]:
    """r_k where each agent reads x as soon as its last gradient has been used, and x^(0) at the beginning; (K,)."""
    reading = dict.fromkeys((int(agent) for agent in agents), 0)
    reads = []
    for k, agent in enumerate(agents):
        reads.append(reading[int(agent)])
        reading[int(agent)] = k + 1
    return np.array(reads, dtype=np.int64)


def asynchronous_schedule(durations: Sequence[Sequence[float]], num_steps: int) -> Schedule:
    """The first K steps where nobody waits and messages take no time; of two at the same time the lower goes first.

    Args:
        durations: durations[i] are the times that agent i needs for its gradients, one after the other; after the last
            it stops.
        num_steps: K.

    Raises:
        ValueError: where the agents have fewer than K gradients to make in all.
    """
    finished = [(time, i) for i, needed in enumerate(durations) for time in np.cumsum(needed)]
    if len(finished) < num_steps:
        raise ValueError(f"The agents make {len(finished)} gradients in all, and {num_steps} steps are asked for.")
    first = sorted(finished)[:num_steps]
    agents = np.array([i for _, i in first], dtype=np.int64)
    return Schedule(agents, versions_read(agents), np.array([time for time, _ in first], dtype=np.float64))


def synchronous_times(durations: Sequence[Sequence[float]]) -> Vector:
    """When each round of synchronous SGD ends, (rounds,): a round takes as long as its slowest agent.

    Args:
        durations: durations[i][r] is the time that agent i needs in round r, (n, rounds).
    """
    return np.asarray(np.cumsum(np.max(np.array(durations, dtype=np.float64), axis=0)))


def delayed_step_limit(curvature: float, delay: int) -> float:
    """2 sin(pi / (2 (2 tau + 1))) / lambda: below it, and above 0, the fixed delay is stable on (lambda/2) x^2."""
    return 2 * math.sin(math.pi / (2 * (2 * delay + 1))) / curvature


# What theory says.


@guarantee(
    async_sgd,
    distance,
    "Derived, not a theorem of the course: for L_i-smooth, mu_i-strongly convex f_i, exact gradients and "
    "gamma <= 2/(L_i+mu_i), a delay costs no more than the way that x has gone since the gradient was taken.",
)
def bound_convex_nodes(
    problem: DistributedProblem, learning_rate: float, agents: Integers, reads: Integers, samples: Samples = None
) -> Vector:
    """d_{k+1} = (1 - gamma mu_i) d_k + gamma e_i + gamma L_i s_k with i = i_k, d_0 = ||x_0 - x*||, (K+1,).

    e_i = ||grad f_i(x*)||, and s_k = gamma sum_{j=r_k}^{k-1} (e_{i_j} + L_{i_j} d_{r_j}) is a bound of the way from
    x^(r_k) to x^(k). Attained without delay for one agent, on quadratics from x* plus an eigenvector of mu.

    Raises:
        ValueError: unless x* is known, 0 < gamma <= 2/(L_i+mu_i) for all i, 0 <= r_k <= k and gradients are exact.
    """
    _check(agents, reads)
    require_exact(samples, problem)
    minimizer = known(problem.minimizer, "minimiser x*", problem)
    L, mu = problem.node_smoothness, problem.node_strong_convexity
    shortest = float((2 / (L + mu)).min())
    require(
        learning_rate > 0 and at_most(learning_rate, shortest), "a step 0 < gamma <= 2/(L_i+mu_i) for all i", problem
    )
    e = np.array([np.linalg.norm(gradient(minimizer)) for gradient in problem.gradients])
    d = [start_distance(problem)]
    lengths: list[float] = []  # of the steps, at most
    for k, (i, r) in enumerate(zip(agents, reads, strict=True)):
        way = sum(lengths[r:k])
        lengths.append(learning_rate * (e[i] + L[i] * d[r]))
        d.append((1 - learning_rate * mu[i]) * d[k] + learning_rate * (e[i] + L[i] * way))
    return np.array(d)


# Correct other forms.


@equivalent(async_sgd, "As it happens: a gradient is computed when x is read, and lies waiting until its step.")
def computed_when_read(
    gradients: Sequence[Gradient],
    x0: Vector,
    learning_rate: float,
    agents: Integers,
    reads: Integers,
    samples: Samples = None,
) -> Matrix:
    """When version v of x is there, all gradients with r_k = v are taken."""
    num_steps = len(agents)
    drawn = list(draws(samples, num_steps))
    waiting: dict[int, Vector] = {}
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for version in range(num_steps):
        for k in range(version, num_steps):
            if reads[k] == version:
                waiting[k] = local_gradient(gradients[agents[k]], x, drawn[k])
        x = x - learning_rate * waiting.pop(version)
        iterates.append(x)
    return np.array(iterates)


@equivalent(delayed_gradient_descent, "With a queue of the points that wait.")
def with_a_queue(
    gradient: Callable[[Vector], Vector], x0: Vector, learning_rate: float, delay: int, num_steps: int
) -> Matrix:
    """The queue holds x^(k-tau), ..., x^(k) and begins as tau + 1 times x^(0)."""
    x = np.array(x0, dtype=np.float64)
    queue = [x] * (delay + 1)
    iterates = [x]
    for _ in range(num_steps):
        x = x - learning_rate * gradient(queue[0])
        queue = [*queue[1:], x]
        iterates.append(x)
    return np.array(iterates)


@equivalent(
    delayed_gradient_descent, "Asynchronous SGD with one agent that is always late by the same number of steps."
)
def one_late_agent(
    gradient: Callable[[Vector], Vector], x0: Vector, learning_rate: float, delay: int, num_steps: int
) -> Matrix:
    """reads r_k = max(k - tau, 0)."""
    reads = np.maximum(np.arange(num_steps) - delay, 0)
    return async_sgd([gradient], x0, learning_rate, np.zeros(num_steps, dtype=np.int64), reads)


# What goes wrong.


@mistake(async_sgd, "Your gradients are taken at the current point. The agent had read x long before it was done.")
def current_point(
    gradients: Sequence[Gradient],
    x0: Vector,
    learning_rate: float,
    agents: Integers,
    reads: Integers,
    samples: Samples = None,
) -> Matrix:
    """grad f_{i_k}(x^(k)). Invisible without delay."""
    return async_sgd(gradients, x0, learning_rate, agents, range(len(agents)), samples)


@mistake(async_sgd, "Your gradients are taken one version too early. What has an agent read right after its own step?")
def one_version_too_old(
    gradients: Sequence[Gradient],
    x0: Vector,
    learning_rate: float,
    agents: Integers,
    reads: Integers,
    samples: Samples = None,
) -> Matrix:
    """x^(r_k - 1), or x^(0) where there is none before. Invisible where all gradients are taken at x^(0)."""
    older = [max(version - 1, 0) for version in reads]
    return async_sgd(gradients, x0, learning_rate, agents, older, samples)


@mistake(
    async_sgd,
    "Your steps get shorter with the number of agents. One gradient makes a step: there is nothing to average.",
)
def learning_rate_divided_by_agents(
    gradients: Sequence[Gradient],
    x0: Vector,
    learning_rate: float,
    agents: Integers,
    reads: Integers,
    samples: Samples = None,
) -> Matrix:
    """gamma/n for gamma. Invisible for one agent."""
    return async_sgd(gradients, x0, learning_rate / len(gradients), agents, reads, samples)


@mistake(async_sgd, "Your agents wait for each other: every step uses the gradients of all. That is synchronous SGD.")
def waiting_for_all(
    gradients: Sequence[Gradient],
    x0: Vector,
    learning_rate: float,
    agents: Integers,
    reads: Integers,
    samples: Samples = None,
) -> Matrix:
    """PSGD, all agents with the sample of the step. Invisible for one agent without delay."""
    everybody = None if samples is None else [[xi] * len(gradients) for xi in samples]
    return psgd(gradients, x0, learning_rate, len(agents), everybody)


@mistake(
    delayed_gradient_descent,
    "Your path does not depend on the delay: the gradient is taken at the current point.",
)
def no_delay(
    gradient: Callable[[Vector], Vector], x0: Vector, learning_rate: float, delay: int, num_steps: int
) -> Matrix:
    """Gradient descent. Invisible for tau = 0."""
    return delayed_gradient_descent(gradient, x0, learning_rate, 0, num_steps)


@mistake(delayed_gradient_descent, "Your delay is longer by one than what was asked for. Try it with no delay at all.")
def delay_too_long(
    gradient: Callable[[Vector], Vector], x0: Vector, learning_rate: float, delay: int, num_steps: int
) -> Matrix:
    """tau + 1 for tau."""
    return delayed_gradient_descent(gradient, x0, learning_rate, delay + 1, num_steps)


@mistake(
    delayed_gradient_descent,
    "Your first steps use a gradient at zero, where nobody has ever been. Which points are known at the beginning?",
)
def zeros_before_the_start(
    gradient: Callable[[Vector], Vector], x0: Vector, learning_rate: float, delay: int, num_steps: int
) -> Matrix:
    """x^(k) = 0 for k < 0. Invisible for tau = 0, and from x0 = 0."""
    iterates = [np.array(x0, dtype=np.float64)]
    for k in range(num_steps):
        read = iterates[k - delay] if k >= delay else np.zeros(len(x0))
        iterates.append(iterates[k] - learning_rate * gradient(read))
    return np.array(iterates)


@mistake(delayed_gradient_descent, "You stand still until the first late gradient is there: your path starts too late.")
def idle_start(
    gradient: Callable[[Vector], Vector], x0: Vector, learning_rate: float, delay: int, num_steps: int
) -> Matrix:
    """No step for k < tau. Invisible for tau = 0."""
    iterates = [np.array(x0, dtype=np.float64)]
    for k in range(num_steps):
        iterates.append(iterates[k] - learning_rate * gradient(iterates[k - delay]) if k >= delay else iterates[k])
    return np.array(iterates)


def slide_agents() -> NDArray[np.int64]:
    """The timeline of slide 18: agents 2, 1, 3, 1, 2, 3, 1, 3, 1, 2 finish in this order; counted from 0 here."""
    return np.array([2, 1, 3, 1, 2, 3, 1, 3, 1, 2], dtype=np.int64) - 1


def slide_durations() -> list[list[float]]:
    """How long each gradient of the timeline of slide 18 takes, read off the picture, in its arbitrary units."""
    return [[8.0, 8.0, 6.0, 5.0], [4.0, 14.0, 10.0], [15.0, 5.0, 4.0]]


example(
    async_sgd,
    partial(random_quadratic_nodes, nodes=3, dimension=4, smoothness=1.0, strong_convexity=0.5, spread=0.0, seed=1),
    distance,
    gradients=lambda problem: problem.gradients,
    learning_rate=0.1,
    agents=np.tile(slide_agents(), 10),
    reads=versions_read(np.tile(slide_agents(), 10)),
    samples=None,
)
example(
    delayed_gradient_descent,
    one_delayed_agent,
    distance,
    learning_rate=0.3,
    delay=2,
    num_steps=60,
)
