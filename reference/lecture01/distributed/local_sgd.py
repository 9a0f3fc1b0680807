"""Local SGD: each node descends on its own, and every tau steps all points are replaced by their average.

Problem     min f(x) = (1/n) sum_i f_i(x) over R^d;  f_i(x) = E F(x; xi_i) is known to node i alone.
Algorithm   x_i^(k+1/2)  = x_i^(k) - gamma grad F(x_i^(k); xi_i^(k))
            x_i^(k+1)    = (1/n) sum_j x_j^(k+1/2)  if tau divides k,  else x_i^(k+1/2);  k = 0, ..., K-1
            The first average comes right after step k = 0, so there are 1, tau, tau, ... steps between averages.
Guarantee   none in Lecture 1. tau = 1 is PSGD. For tau > 1 and f_i that differ, x* is not a fixed point: on quadratics
            f_i = 1/2 (x - c_i)^T H_i (x - c_i) the averages tend to the solution of
                sum_i (I - (I - gamma H_i)^tau) (x - c_i) = 0     (`local_sgd_limit`; derived),
            which is x* for tau = 1 and tends to the mean of the c_i as tau grows, for gamma < 2 / max_i L_i.
            Exact gradients, f strongly convex, gamma <= 2/(L+mu): the distance to x* is bounded by `drift_bound`,
            in the limit by a number that is O(gamma) (derived).
Cost        a step: one stochastic gradient on each node. Every tau steps an average of n vectors over all nodes.
References  Lecture 1, part 4, slides 12-13 (Konecny et al. 2015, 2016). Lecture 14, slide 12, has another form.
Catalogue   local_sgd_lec1, local_sgd_std, local_sgd_lec14, lazy_comm
Witness     PSGD for tau = 1; fixed points in closed form; products of matrices on quadratics

Three forms are in use, and they differ in their iterates. This one is that of Lecture 1 (local_sgd_lec1 in the
catalogue). `local_sgd_std` averages when tau divides k+1, after tau steps; a loop that counts k = 1, ..., K does the
same. In `local_sgd_lec14` the averaging iteration makes no gradient step.

Slide 12 also names communication "when necessary" (LAG, Chen et al. 2018; `lazy_comm` in the catalogue): a node sends
when a trigger of its own says so. The course gives no trigger, so there is none here.

In the code gamma is `learning_rate`, tau is `period` and K is `num_steps`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from reference.lecture01.distributed.drift import drift_bound, require_common_start, require_exact, start_distance
from reference.lecture01.distributed.nodes import Gradient, Path, Samples, draws, local_gradients
from reference.lecture01.distributed.problems import DistributedProblem, random_quadratic_nodes
from reference.lecture01.distributed.quantities import rms_distance
from reference.problem import Matrix, Vector
from reference.variants import convention, equivalent, example, guarantee, mistake


def local_sgd(
    gradients: Sequence[Gradient],
    x0: Matrix,
    learning_rate: float,
    period: int,
    num_steps: int,
    samples: Samples = None,
) -> Path:
    """The iterates of all nodes, (K+1, n, d) float64: row k, i is x_i^(k).

    Args:
        gradients: grad f_i of each node, n functions (d,) -> (d,); each called once a step. With samples,
            gradients[i](x, xi) = grad F(x; xi).
        x0: starting points, (n, d), row i of node i; left as they are.
        learning_rate: gamma, the constant step.
        period: tau >= 1.
        num_steps: K >= 0.
        samples: samples[k][i] = xi_i^(k), or None where the gradients are exact.

    Raises:
        ValueError: where there are samples, but not for K steps and n nodes.
    """
    X = np.array(x0, dtype=np.float64)
    iterates = [X]
    for k, xi in enumerate(draws(samples, num_steps)):
        X = X - learning_rate * local_gradients(gradients, X, xi)
        if k % period == 0:
            X = np.tile(X.mean(axis=0), (len(X), 1))
        iterates.append(X)
    return np.array(iterates)


# What theory says.


@guarantee(
    local_sgd,
    rms_distance,
    "Derived, not a theorem of the course: for mu-strongly convex, L-smooth f, L_i-smooth f_i, exact gradients and "
    "gamma <= 2/(L+mu), the nodes stay as close to x* as the recursion for their mean and their disagreement says.",
)
def bound_strongly_convex(
    problem: DistributedProblem,
    x0: Matrix,
    learning_rate: float,
    period: int,
    num_steps: int,
    samples: Samples = None,
) -> Vector:
    """(a_k^2 + c_k^2)^(1/2) of `drift_bound`, (K+1,), with rho_k = 0 where tau divides k, else 1.

    Attained for tau = 1 on quadratics from x* plus an eigenvector of mu.

    Raises:
        ValueError: unless f is L-smooth and mu-strongly convex, x* is known, 0 < gamma <= 2/(L+mu), all nodes start
            at the problem's x0 and gradients are exact.
    """
    require_exact(samples, problem)
    require_common_start(x0, problem)
    contractions = [0.0 if k % period == 0 else 1.0 for k in range(num_steps)]
    a, c = drift_bound(problem, learning_rate, contractions, start_distance(problem))
    return np.hypot(a, c)


def local_sgd_limit(
    hessians: NDArray[np.float64], minimizers: Matrix, learning_rate: float, local_steps: int
) -> Vector:
    """Where the averages tend to on quadratics: x with sum_i (I - (I - gamma H_i)^s) (x - c_i) = 0, (d,).

    Args:
        hessians: H_i, (n, d, d).
        minimizers: c_i, row i, (n, d).
        learning_rate: gamma, 0 < gamma < 2 / max_i L_i.
        local_steps: s >= 1, gradient steps from one average to the next: tau for `local_sgd` and `local_sgd_std`,
            tau - 1 for `local_sgd_lec14`.
    """
    identity = np.eye(hessians.shape[1])
    weights = np.array([identity - np.linalg.matrix_power(identity - learning_rate * H, local_steps) for H in hessians])
    return np.asarray(np.linalg.solve(weights.sum(axis=0), np.einsum("nij,nj->i", weights, minimizers)))


# Correct other forms.


@equivalent(local_sgd, "As a product: X <- W X after the step, W the identity or the matrix of the average.")
def matrix_form(
    gradients: Sequence[Gradient],
    x0: Matrix,
    learning_rate: float,
    period: int,
    num_steps: int,
    samples: Samples = None,
) -> Path:
    """X_{k+1} = W_k (X_k - gamma G(X_k)), W_k = 1 1^T / n where tau divides k, else I."""
    X = np.array(x0, dtype=np.float64)
    n = len(X)
    iterates = [X]
    for k, xi in enumerate(draws(samples, num_steps)):
        W = np.full((n, n), 1 / n) if k % period == 0 else np.eye(n)
        X = W @ (X - learning_rate * local_gradients(gradients, X, xi))
        iterates.append(X)
    return np.array(iterates)


@equivalent(local_sgd, "Node after node: each runs alone up to the next average.")
def node_after_node(
    gradients: Sequence[Gradient],
    x0: Matrix,
    learning_rate: float,
    period: int,
    num_steps: int,
    samples: Samples = None,
) -> Path:
    """The runs between two averages need no communication, so each node can make its own in one go."""
    iterates = np.empty((num_steps + 1, *np.shape(x0)))
    iterates[0] = x0
    drawn = list(draws(samples, num_steps))
    start = 0
    while start < num_steps:
        last = min(-(-start // period) * period, num_steps - 1)  # the next step k >= start that tau divides
        for i, gradient in enumerate(gradients):
            for k in range(start, last + 1):
                x = iterates[k, i]
                g = gradient(x) if drawn[k] is None else gradient(x, drawn[k][i])
                iterates[k + 1, i] = x - learning_rate * g
        if last % period == 0:
            iterates[last + 1] = iterates[last + 1].mean(axis=0)
        start = last + 1
    return iterates


# Other sources' forms.


@convention(local_sgd, "Averages after tau steps, when tau divides k+1: the usual form in the literature.")
def local_sgd_std(
    gradients: Sequence[Gradient],
    x0: Matrix,
    learning_rate: float,
    period: int,
    num_steps: int,
    samples: Samples = None,
) -> Path:
    """tau local steps, an average, tau local steps, an average, ... Invisible for tau = 1."""
    X = np.array(x0, dtype=np.float64)
    iterates = [X]
    for k, xi in enumerate(draws(samples, num_steps)):
        X = X - learning_rate * local_gradients(gradients, X, xi)
        if (k + 1) % period == 0:
            X = np.tile(X.mean(axis=0), (len(X), 1))
        iterates.append(X)
    return np.array(iterates)


@convention(local_sgd, "Lecture 14, slide 12: the averaging iteration takes the place of a gradient step.")
def local_sgd_lec14(
    gradients: Sequence[Gradient],
    x0: Matrix,
    learning_rate: float,
    period: int,
    num_steps: int,
    samples: Samples = None,
) -> Path:
    """x_i^(k+1) = (1/n) sum_j x_j^(k) if tau divides k, else x_i^(k) - gamma g_i: tau - 1 gradient steps a period.

    With tau = 1 it never leaves the average of the starts. The samples of averaging steps are not used.
    """
    X = np.array(x0, dtype=np.float64)
    iterates = [X]
    for k, xi in enumerate(draws(samples, num_steps)):
        if k % period == 0:
            X = np.tile(X.mean(axis=0), (len(X), 1))
        else:
            X = X - learning_rate * local_gradients(gradients, X, xi)
        iterates.append(X)
    return np.array(iterates)


# What goes wrong.


@mistake(
    local_sgd,
    "You average the gradients and not the points: nodes that have drifted apart stay apart. "
    "What do all nodes have in common after an average?",
)
def averaged_gradients(
    gradients: Sequence[Gradient],
    x0: Matrix,
    learning_rate: float,
    period: int,
    num_steps: int,
    samples: Samples = None,
) -> Path:
    """x_i^(k+1) = x_i^(k) - gamma mean_j g_j if tau divides k. Invisible for tau = 1 from equal starts."""
    X = np.array(x0, dtype=np.float64)
    iterates = [X]
    for k, xi in enumerate(draws(samples, num_steps)):
        G = local_gradients(gradients, X, xi)
        X = X - learning_rate * (G.mean(axis=0) if k % period == 0 else G)
        iterates.append(X)
    return np.array(iterates)


@mistake(local_sgd, "Your average reaches one node, and the others go on from their own points.")
def average_not_sent_back(
    gradients: Sequence[Gradient],
    x0: Matrix,
    learning_rate: float,
    period: int,
    num_steps: int,
    samples: Samples = None,
) -> Path:
    """Node 0 alone gets the average. Invisible where all f_i and starts are equal."""
    X = np.array(x0, dtype=np.float64)
    iterates = [X]
    for k, xi in enumerate(draws(samples, num_steps)):
        X = X - learning_rate * local_gradients(gradients, X, xi)
        if k % period == 0:
            X[0] = X.mean(axis=0)
        iterates.append(X)
    return np.array(iterates)


@mistake(local_sgd, "Your steps get shorter when the period gets longer. The learning rate is that of a local step.")
def learning_rate_divided_by_period(
    gradients: Sequence[Gradient],
    x0: Matrix,
    learning_rate: float,
    period: int,
    num_steps: int,
    samples: Samples = None,
) -> Path:
    """gamma/tau for gamma. Invisible for tau = 1."""
    return local_sgd(gradients, x0, learning_rate / period, period, num_steps, samples)


@mistake(
    local_sgd,
    "Your nodes do not agree right after an average. What is averaged, the points before or after the local step?",
)
def average_before_the_step(
    gradients: Sequence[Gradient],
    x0: Matrix,
    learning_rate: float,
    period: int,
    num_steps: int,
    samples: Samples = None,
) -> Path:
    """First the average where tau divides k, then the local step from it. Differs even for tau = 1."""
    X = np.array(x0, dtype=np.float64)
    iterates = [X]
    for k, xi in enumerate(draws(samples, num_steps)):
        if k % period == 0:
            X = np.tile(X.mean(axis=0), (len(X), 1))
        X = X - learning_rate * local_gradients(gradients, X, xi)
        iterates.append(X)
    return np.array(iterates)


@mistake(local_sgd, "Your points jump away at each communication: they are added up there, and not averaged.")
def sum_instead_of_average(
    gradients: Sequence[Gradient],
    x0: Matrix,
    learning_rate: float,
    period: int,
    num_steps: int,
    samples: Samples = None,
) -> Path:
    """x_i^(k+1) = sum_j x_j^(k+1/2) if tau divides k. Invisible for one node."""
    X = np.array(x0, dtype=np.float64)
    iterates = [X]
    for k, xi in enumerate(draws(samples, num_steps)):
        X = X - learning_rate * local_gradients(gradients, X, xi)
        if k % period == 0:
            X = np.tile(X.sum(axis=0), (len(X), 1))
        iterates.append(X)
    return np.array(iterates)


@mistake(local_sgd, "Your nodes agree after every step: the period has no effect. When do they communicate?")
def average_at_every_step(
    gradients: Sequence[Gradient],
    x0: Matrix,
    learning_rate: float,
    period: int,
    num_steps: int,
    samples: Samples = None,
) -> Path:
    """tau = 1, whatever was asked for: PSGD. Invisible for tau = 1."""
    return local_sgd(gradients, x0, learning_rate, 1, num_steps, samples)


@mistake(local_sgd, "Your nodes never communicate: each ends at the minimiser of its own function.")
def no_average(
    gradients: Sequence[Gradient],
    x0: Matrix,
    learning_rate: float,
    period: int,
    num_steps: int,
    samples: Samples = None,
) -> Path:
    """x_i^(k+1) = x_i^(k+1/2) at all k. Invisible where all f_i and starts are equal and gradients exact."""
    X = np.array(x0, dtype=np.float64)
    iterates = [X]
    for xi in draws(samples, num_steps):
        X = X - learning_rate * local_gradients(gradients, X, xi)
        iterates.append(X)
    return np.array(iterates)


example(
    local_sgd,
    partial(random_quadratic_nodes, nodes=5, dimension=4, smoothness=2.0, strong_convexity=0.5, spread=0.3, seed=1),
    rms_distance,
    gradients=lambda problem: problem.gradients,
    x0=lambda problem: problem.starts,
    learning_rate=0.05,
    period=5,
    num_steps=120,
    samples=None,
)
