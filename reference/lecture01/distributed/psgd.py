"""Parallel stochastic gradient descent: one shared point, gradients averaged over all nodes.

Problem     min f(x) = (1/n) sum_i f_i(x) over R^d;  f_i(x) = E F(x; xi_i) is known to node i alone.
Algorithm   g_i^(k)  = grad F(x^(k); xi_i^(k))  on node i, samples independent over nodes and steps
            x^(k+1)  = x^(k) - (gamma/n) sum_i g_i^(k),  k = 0, ..., K-1
Guarantee   exact gradients: gradient descent on f, so
            f strongly convex, gamma < 2/L      ||x_k - x*|| <= max(|1 - gamma mu|, |1 - gamma L|)^k ||x_0 - x*||
            f L-smooth, gamma <= 1/L            1/(k+1) sum_{j<=k} ||grad f(x_j)||^2 <= 2 (f(x_0) - f*) / (gamma (k+1))
            variance sigma^2 on each node: the mean squared gradient is O(sqrt(L sigma^2 / (n K)) + L/K) in expectation,
            n nodes need n times fewer steps; with constants in `expected_mean_squared_gradient`.
Cost        a step: one stochastic gradient on each node, one average of n vectors of length d over all nodes.
References  Lecture 1, part 4, slides 5-7; Lecture 13-1, slides 6-9; Lecture 14, slide 8 (averages of models).
Catalogue   psgd, byzantine
Witness     mini-batch SGD; gradient descent on f; torch.optim.SGD; exact second moments on quadratics

The average trusts every node. Slides 20-21 state the problem of Byzantine nodes, which send what they like and are not
known (`byzantine` in the catalogue), and give no algorithm; there is none here.

In the code gamma is `learning_rate` and K is `num_steps`. For a weighted average, sum_i p_i f_i, node i's function is
n p_i f_i.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reference.conditions import at_most, known, require, smoothness, strong_convexity
from reference.lecture01.distributed.allreduce import ring_allreduce
from reference.lecture01.distributed.drift import require_exact, start_distance
from reference.lecture01.distributed.nodes import Gradient, Samples, average_gradient, draws, local_gradients
from reference.lecture01.distributed.problems import DistributedProblem, four_parabolas
from reference.problem import Matrix, Vector
from reference.quantities import distance, mean_squared_gradient
from reference.variants import equivalent, example, guarantee, mistake


def psgd(
    gradients: Sequence[Gradient], x0: Vector, learning_rate: float, num_steps: int, samples: Samples = None
) -> Matrix:
    """The shared iterates x^(0), ..., x^(K), (K+1, d) float64: row k is x^(k).

    Args:
        gradients: grad f_i of each node, n functions (d,) -> (d,); each called once a step. With samples,
            gradients[i](x, xi) = grad F(x; xi).
        x0: starting point, (d,); left as it is.
        learning_rate: gamma, the constant step.
        num_steps: K >= 0.
        samples: samples[k][i] = xi_i^(k), or None where the gradients are exact.

    Raises:
        ValueError: where there are samples, but not for K steps and n nodes.
    """
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for xi in draws(samples, num_steps):
        x = x - learning_rate * average_gradient(gradients, x, xi)
        iterates.append(x)
    return np.array(iterates)


# What theory says. For exact gradients the bounds hold for each run; with samples only an expectation is bounded.


@guarantee(
    psgd,
    distance,
    "Standard literature, not a theorem of the course: for mu-strongly convex, L-smooth f, exact gradients and "
    "0 < gamma < 2/L, ||x_k - x*|| <= max(|1 - gamma mu|, |1 - gamma L|)^k ||x_0 - x*||.",
)
def bound_strongly_convex(
    problem: DistributedProblem, learning_rate: float, num_steps: int, samples: Samples = None
) -> Vector:
    """max(|1 - gamma mu|, |1 - gamma L|)^k ||x_0 - x*||, (K+1,). L and mu are those of f, the average.

    Raises:
        ValueError: unless f is L-smooth and mu-strongly convex, x* is known, 0 < gamma < 2/L and gradients are exact.
    """
    L, mu = smoothness(problem), strong_convexity(problem)
    require(0 < learning_rate < 2 / L, "a step 0 < gamma < 2/L", problem)
    require_exact(samples, problem)
    factor = max(abs(1 - learning_rate * mu), abs(1 - learning_rate * L))
    return factor ** np.arange(0.0, num_steps + 1) * start_distance(problem)


@guarantee(
    psgd,
    mean_squared_gradient,
    "Lecture 2, Theorem 1 for gradient descent on f: for L-smooth f, exact gradients and gamma <= 1/L, "
    "the mean of ||grad f(x_0)||^2, ..., ||grad f(x_k)||^2 is at most 2 (f(x_0) - f*) / (gamma (k+1)).",
)
def bound_nonconvex(
    problem: DistributedProblem, learning_rate: float, num_steps: int, samples: Samples = None
) -> Vector:
    """2 (f(x_0) - f*) / (gamma (k+1)), (K+1,).

    Raises:
        ValueError: unless f is L-smooth, f* is known, 0 < gamma <= 1/L and gradients are exact.
    """
    require_exact(samples, problem)
    return expected_mean_squared_gradient(problem, learning_rate, num_steps, variance=0.0)


def expected_mean_squared_gradient(
    problem: DistributedProblem, learning_rate: float, num_steps: int, variance: float
) -> Vector:
    """2 (f(x_0) - f*) / (gamma (k+1)) + gamma L sigma^2 / n, (K+1,).

    Bounds 1/(k+1) sum_{j<=k} E ||grad f(x_j)||^2: an expectation, so a single run may be above. The independent errors
    of n nodes average out, which is the n in the last term. Derived; Lecture 13-1, slide 9, states the
    order of it for the best gamma, O(sqrt(L sigma^2 / (n K)) + L/K), without constants.

    Args:
        problem: with L and f*.
        learning_rate: gamma <= 1/L.
        num_steps: K.
        variance: sigma^2 >= E ||grad F(x; xi_i) - grad f_i(x)||^2 on each node; the samples unbiased and independent.

    Raises:
        ValueError: unless f is L-smooth, f* is known and 0 < gamma <= 1/L.
    """
    L = smoothness(problem)
    minimum = known(problem.minimum, "minimum f*", problem)
    require(learning_rate > 0 and at_most(learning_rate, 1 / L), "a step 0 < gamma <= 1/L", problem)
    start = 2 * (problem.value(problem.x0) - minimum) / (learning_rate * np.arange(1.0, num_steps + 2))
    return np.asarray(start + learning_rate * L * variance / len(problem.gradients))


# Correct other forms.


@equivalent(psgd, "A mini-batch of n samples: one loop over them, a running sum.")
def minibatch(
    gradients: Sequence[Gradient], x0: Vector, learning_rate: float, num_steps: int, samples: Samples = None
) -> Matrix:
    """x_{k+1} = x_k - (gamma/n) (g_1 + ... + g_n), the sum gathered one by one."""
    n = len(gradients)
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for xi in draws(samples, num_steps):
        total = np.zeros(len(x))
        for i in range(n):
            total += gradients[i](x) if xi is None else gradients[i](x, xi[i])
        x = x - learning_rate / n * total
        iterates.append(x)
    return np.array(iterates)


@equivalent(psgd, "Lecture 14, slide 8: each node makes its own step, and the results are averaged.")
def averaged_models(
    gradients: Sequence[Gradient], x0: Vector, learning_rate: float, num_steps: int, samples: Samples = None
) -> Matrix:
    """phi_i = x_k - gamma g_i,  x_{k+1} = (1/n) sum_i phi_i."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for xi in draws(samples, num_steps):
        copies = np.tile(x, (len(gradients), 1))
        phi = copies - learning_rate * local_gradients(gradients, copies, xi)
        x = phi.mean(axis=0)
        iterates.append(x)
    return np.array(iterates)


@equivalent(psgd, "Each node has a copy of x; the gradients are averaged by a ring all-reduce. Node 0 is reported.")
def allreduced_gradients(
    gradients: Sequence[Gradient], x0: Vector, learning_rate: float, num_steps: int, samples: Samples = None
) -> Matrix:
    """X_{k+1} = X_k - gamma allreduce(G(X_k)); the rows of X stay equal."""
    X = np.tile(np.array(x0, dtype=np.float64), (len(gradients), 1))
    iterates = [X[0]]
    for xi in draws(samples, num_steps):
        averages, _ = ring_allreduce(local_gradients(gradients, X, xi))
        X = X - learning_rate * averages
        iterates.append(X[0])
    return np.array(iterates)


# What goes wrong.


@mistake(psgd, "Your steps get longer with the number of nodes. How are the gradients of the nodes put together?")
def sum_of_gradients(
    gradients: Sequence[Gradient], x0: Vector, learning_rate: float, num_steps: int, samples: Samples = None
) -> Matrix:
    """x_{k+1} = x_k - gamma sum_i g_i. Invisible for one node."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for xi in draws(samples, num_steps):
        x = x - learning_rate * len(gradients) * average_gradient(gradients, x, xi)
        iterates.append(x)
    return np.array(iterates)


@mistake(psgd, "Your steps get shorter with the number of nodes: the gradients are averaged twice.")
def divided_twice(
    gradients: Sequence[Gradient], x0: Vector, learning_rate: float, num_steps: int, samples: Samples = None
) -> Matrix:
    """x_{k+1} = x_k - (gamma/n) mean_i g_i. Invisible for one node."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for xi in draws(samples, num_steps):
        x = x - learning_rate / len(gradients) * average_gradient(gradients, x, xi)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    psgd,
    "All your nodes use the sample of one of them, so n nodes are no better than one. "
    "What did each node draw for itself?",
)
def same_sample_on_all_nodes(
    gradients: Sequence[Gradient], x0: Vector, learning_rate: float, num_steps: int, samples: Samples = None
) -> Matrix:
    """xi_0^(k) on every node. Invisible where the gradients are exact."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for xi in draws(samples, num_steps):
        shared = None if xi is None else [xi[0]] * len(gradients)
        x = x - learning_rate * average_gradient(gradients, x, shared)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    psgd,
    "Your first step is right and later ones are not: your nodes have drifted apart. "
    "At which point does each node take its gradient?",
)
def drifting_models(
    gradients: Sequence[Gradient], x0: Vector, learning_rate: float, num_steps: int, samples: Samples = None
) -> Matrix:
    """Each node descends on its own, and the mean of the nodes is reported. Invisible where all f_i are equal."""
    X = np.tile(np.array(x0, dtype=np.float64), (len(gradients), 1))
    iterates = [X.mean(axis=0)]
    for xi in draws(samples, num_steps):
        X = X - learning_rate * local_gradients(gradients, X, xi)
        iterates.append(X.mean(axis=0))
    return np.array(iterates)


@mistake(psgd, "Your path does not change when the function of another node does. Whose gradients are in your step?")
def one_node_only(
    gradients: Sequence[Gradient], x0: Vector, learning_rate: float, num_steps: int, samples: Samples = None
) -> Matrix:
    """x_{k+1} = x_k - gamma g_0, node 0 alone. Invisible where all f_i are equal and the gradients exact."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for xi in draws(samples, num_steps):
        x = x - learning_rate * (gradients[0](x) if xi is None else gradients[0](x, xi[0]))
        iterates.append(x)
    return np.array(iterates)


example(
    psgd,
    four_parabolas,
    distance,
    gradients=lambda problem: problem.gradients,
    learning_rate=0.1,
    num_steps=60,
    samples=None,
)
