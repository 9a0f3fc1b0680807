"""Correct and wrong forms that are not in the reference's library: what the judge has never seen.

Each function has the signature of its algorithm and is written as somebody else would write it: with torch instead of
numpy, in place, in other variables, with sums in another order, or with a library's own routine. `RIGHT` must be
accepted. `WRONG` makes a mistake that the library has under another form: it must be rejected, and named.
"""

from __future__ import annotations

from collections.abc import Callable
from math import fsum, sqrt
from typing import Any

import numpy as np
import torch

from reference.lecture02.gradient_descent import gradient_descent
from reference.lecture03.anderson_acceleration import anderson_acceleration
from reference.lecture03.heavy_ball import heavy_ball
from reference.lecture03.nesterov import nesterov
from reference.lecture03.nesterov_convex import nesterov_convex
from reference.lecture03.nesterov_strongly_convex import nesterov_strongly_convex
from reference.lecture03.newton import newton
from reference.lecture03.preconditioned_gradient_descent import preconditioned_gradient_descent
from reference.lecture04.projected_gradient_descent import projected_gradient_descent
from reference.lecture04.projections import project_box, project_l1_ball, project_l2_ball, project_simplex
from reference.lecture04.prox_operators import prox_l1, prox_nuclear
from reference.lecture04.proximal_gradient_descent import ista, proximal_gradient_descent
from reference.lecture05.zo_gd_forward_difference import zo_gd_forward_difference
from reference.lecture05.zo_gd_sphere import zo_gd_sphere
from reference.lecture08.adam import adam
from reference.lecture08.adamw import adamw
from reference.lecture08.momentum_sgd import momentum_sgd
from reference.lecture08.rmsprop import rmsprop
from reference.lecture09.saga import saga
from reference.lecture10.gradient_clipping import clipped_gd

Function = Callable[..., Any]
RIGHT: dict[Function, list[Function]] = {}
WRONG: dict[Function, list[tuple[str, Function]]] = {}


def right(algorithm: Function) -> Callable[[Function], Function]:
    """The decorated function is a correct form of `algorithm`."""

    def decorate(function: Function) -> Function:
        RIGHT.setdefault(algorithm, []).append(function)
        return function

    return decorate


def wrong(algorithm: Function, identifier: str) -> Callable[[Function], Function]:
    """The decorated function makes the library's mistake `identifier`, in another form."""

    def decorate(function: Function) -> Function:
        WRONG.setdefault(algorithm, []).append((identifier, function))
        return function

    return decorate


def asked(gradient: Function, x: torch.Tensor) -> torch.Tensor:
    """The oracle's answer at a tensor, in the tensor's precision."""
    return torch.as_tensor(np.asarray(gradient(x.detach().numpy())), dtype=x.dtype)


def optimized(optimizer: Callable[..., Any], gradients: Function, x0: Any, num_steps: int, **options: Any) -> Any:
    """The path of an optimizer of torch; `gradients(x, k)` is what it gets in step k."""
    x = torch.nn.Parameter(torch.tensor(x0, dtype=torch.float64))
    stepper = optimizer([x], **options)
    rows = [x.detach().clone()]
    for k in range(num_steps):
        x.grad = torch.as_tensor(np.asarray(gradients(x.detach().numpy(), k)))
        stepper.step()
        rows.append(x.detach().clone())
    return torch.stack(rows)


# Gradient descent.


@right(gradient_descent)
def descent_in_torch(gradient: Any, x0: Any, learning_rate: Any, num_steps: Any) -> Any:
    return optimized(torch.optim.SGD, lambda x, k: gradient(x), x0, num_steps, lr=learning_rate)


@right(gradient_descent)
def descent_in_torch_single(gradient: Any, x0: Any, learning_rate: Any, num_steps: Any) -> Any:
    path = torch.empty((num_steps + 1, len(x0)))
    path[0] = torch.tensor(x0)
    for k in range(num_steps):
        path[k + 1] = torch.sub(path[k], asked(gradient, path[k]), alpha=learning_rate)
    return path


@right(gradient_descent)
def descent_in_place(gradient: Any, x0: Any, learning_rate: Any, num_steps: Any) -> Any:
    point = x0.astype(float)
    path = np.tile(point, (num_steps + 1, 1))
    for row in path[1:]:
        point -= np.multiply(gradient(point), learning_rate)
        row[...] = point
    return path


@right(gradient_descent)
def descent_with_exact_sums(gradient: Any, x0: Any, learning_rate: Any, num_steps: Any) -> Any:
    terms = [[value] for value in x0]
    path = [[float(value) for value in x0]]
    for _ in range(num_steps):
        for parts, slope in zip(terms, gradient(np.array(path[-1])), strict=True):
            parts.append(-learning_rate * float(slope))
        path.append([fsum(parts) for parts in terms])
    return path


@wrong(gradient_descent, "decaying_step")
def decaying_in_torch(gradient: Any, x0: Any, learning_rate: Any, num_steps: Any) -> Any:
    x = torch.tensor(x0, dtype=torch.float64)
    path = [x]
    for k in range(1, num_steps + 1):
        x = x - (learning_rate / k) * asked(gradient, x)
        path.append(x)
    return torch.stack(path)


@wrong(gradient_descent, "frozen_gradient")
def straight_line(gradient: Any, x0: Any, learning_rate: Any, num_steps: Any) -> Any:
    step = learning_rate * gradient(x0)
    return x0 - np.arange(num_steps + 1)[:, None] * step


# Momentum.


@right(heavy_ball)
def ball_in_torch(gradient: Any, x0: Any, learning_rate: Any, momentum: Any, num_steps: Any) -> Any:
    return optimized(torch.optim.SGD, lambda x, k: gradient(x), x0, num_steps, lr=learning_rate, momentum=momentum)


@right(heavy_ball)
def ball_in_place(gradient: Any, x0: Any, learning_rate: Any, momentum: Any, num_steps: Any) -> Any:
    speed, place = np.zeros_like(x0), x0.copy()
    path = [place.copy()]
    for _ in range(num_steps):
        speed *= momentum
        speed -= learning_rate * gradient(place)
        place += speed
        path.append(place.copy())
    return path


@wrong(heavy_ball, "average_without_rescaling")
def ball_of_averages(gradient: Any, x0: Any, learning_rate: Any, momentum: Any, num_steps: Any) -> Any:
    mean, place = torch.zeros(len(x0), dtype=torch.float64), torch.tensor(x0)
    path = [place]
    for _ in range(num_steps):
        mean = torch.lerp(asked(gradient, place), mean, momentum)
        place = place - learning_rate * mean
        path.append(place)
    return torch.stack(path)


@right(nesterov)
def nesterov_in_torch(gradient: Any, x0: Any, learning_rate: Any, momentum: Any, num_steps: Any) -> Any:
    now = before = torch.tensor(x0)
    path = [now]
    for _ in range(num_steps):
        ahead = torch.lerp(before, now, 1 + momentum)
        before, now = now, torch.sub(ahead, asked(gradient, ahead), alpha=learning_rate)
        path.append(now)
    return torch.stack(path)


@right(nesterov)
def nesterov_from_rows(gradient: Any, x0: Any, learning_rate: Any, momentum: Any, num_steps: Any) -> Any:
    path = np.zeros((num_steps + 2, x0.size))
    path[:2] = x0
    for k in range(2, num_steps + 2):
        ahead = (1 + momentum) * path[k - 1] - momentum * path[k - 2]
        path[k] = -learning_rate * gradient(ahead)
        path[k] += ahead
    return path[1:]


@wrong(nesterov, "gradient_at_iterate")
def nesterov_that_looks_back(gradient: Any, x0: Any, learning_rate: Any, momentum: Any, num_steps: Any) -> Any:
    path = np.zeros((num_steps + 2, x0.size))
    path[:2] = x0
    for k in range(2, num_steps + 2):
        path[k] = (1 + momentum) * path[k - 1] - momentum * path[k - 2] - learning_rate * gradient(path[k - 1])
    return path[1:]


@right(nesterov_convex)
def convex_in_torch(gradient: Any, x0: Any, smoothness: Any, num_steps: Any) -> Any:
    now, move = torch.tensor(x0), torch.zeros(len(x0), dtype=torch.float64)
    path = [now]
    for k in range(num_steps):
        ahead = now + move * (k - 1) / (k + 2)
        after = ahead - asked(gradient, ahead) / smoothness
        now, move = after, after - now
        path.append(now)
    return torch.stack(path)


@right(nesterov_strongly_convex)
def strongly_convex_in_place(gradient: Any, x0: Any, smoothness: Any, strong_convexity: Any, num_steps: Any) -> Any:
    root = sqrt(smoothness / strong_convexity)
    weight = 1 - 2 / (root + 1)
    now, move = x0.copy(), np.zeros_like(x0)
    path = [now.copy()]
    for _ in range(num_steps):
        move *= weight
        now += move
        slope = gradient(now) * (1 / smoothness)
        now -= slope
        move -= slope
        path.append(now.copy())
    return path


@right(nesterov_strongly_convex)
def strongly_convex_single(gradient: Any, x0: Any, smoothness: Any, strong_convexity: Any, num_steps: Any) -> Any:
    weight = (sqrt(smoothness) - sqrt(strong_convexity)) / (sqrt(smoothness) + sqrt(strong_convexity))
    now = before = torch.tensor(x0, dtype=torch.float32)
    path = [now]
    for _ in range(num_steps):
        ahead = now + weight * (now - before)
        before, now = now, ahead - asked(gradient, ahead) / smoothness
        path.append(now)
    return torch.stack(path)


# Anderson, Newton, preconditioning.


@right(anderson_acceleration)
def anderson_by_elimination(gradient: Any, x0: Any, learning_rate: Any, memory: Any, num_steps: Any) -> Any:
    """Oldest first; the weight of the oldest is eliminated, the others solve a least-squares problem by QR."""
    path, maps = [x0], []
    for k in range(num_steps):
        maps.append(path[k] - learning_rate * gradient(path[k]))
        first = max(0, k - memory)
        residuals = np.array([maps[i] - path[i] for i in range(first, k + 1)])
        images = np.array(maps[first:])
        if len(images) == 1:
            path.append(images[0])
            continue
        q, r = np.linalg.qr((residuals[1:] - residuals[0]).T)
        rest = np.linalg.solve(r, -q.T @ residuals[0])
        path.append(images[0] + rest @ (images[1:] - images[0]))
    return path


@right(preconditioned_gradient_descent)
def preconditioned_in_torch(gradient: Any, x0: Any, preconditioner: Any, learning_rate: Any, num_steps: Any) -> Any:
    matrix = torch.tensor(learning_rate * preconditioner)
    x = torch.tensor(x0)
    path = [x.clone()]
    for _ in range(num_steps):
        x -= torch.mv(matrix, asked(gradient, x))
        path.append(x.clone())
    return torch.stack(path)


@right(newton)
def newton_in_torch(gradient: Any, hessian: Any, x0: Any, learning_rate: Any, num_steps: Any) -> Any:
    x = torch.tensor(x0)
    path = [x]
    for _ in range(num_steps):
        x = torch.add(x, torch.linalg.solve(asked(hessian, x), -asked(gradient, x)), alpha=learning_rate)
        path.append(x)
    return torch.stack(path)


@right(newton)
def newton_by_eigenvectors(gradient: Any, hessian: Any, x0: Any, learning_rate: Any, num_steps: Any) -> Any:
    path = [x0]
    for _ in range(num_steps):
        values, vectors = np.linalg.eigh(hessian(path[-1]))
        path.append(path[-1] - learning_rate * vectors @ ((vectors.T @ gradient(path[-1])) / values))
    return np.stack(path)


# Projections and prox operators.


@right(projected_gradient_descent)
def projected_in_place(gradient: Any, project: Any, x0: Any, learning_rate: Any, num_steps: Any) -> Any:
    path = np.zeros((1 + num_steps, *x0.shape))
    path[0] += x0
    for k in range(num_steps):
        path[k + 1] -= learning_rate * gradient(path[k])
        path[k + 1] += path[k]
        path[k + 1] = project(path[k + 1])
    return path


@right(proximal_gradient_descent)
def proximal_in_torch(gradient: Any, prox: Any, x0: Any, learning_rate: Any, num_steps: Any) -> Any:
    x = torch.tensor(x0)
    path = [x]
    for _ in range(num_steps):
        x = torch.as_tensor(prox((x - learning_rate * asked(gradient, x)).numpy(), learning_rate))
        path.append(x)
    return torch.stack(path)


@right(ista)
def ista_in_torch(gradient: Any, lam: Any, x0: Any, learning_rate: Any, num_steps: Any) -> Any:
    x = torch.tensor(x0)
    path = [x]
    for _ in range(num_steps):
        x = torch.nn.functional.softshrink(x - learning_rate * asked(gradient, x), lam * learning_rate)
        path.append(x)
    return torch.stack(path)


@wrong(ista, "ista_threshold_lam")
def ista_shrinks_by_lam(gradient: Any, lam: Any, x0: Any, learning_rate: Any, num_steps: Any) -> Any:
    x = torch.tensor(x0)
    path = [x]
    for _ in range(num_steps):
        x = torch.nn.functional.softshrink(x - learning_rate * asked(gradient, x), lam)
        path.append(x)
    return torch.stack(path)


@right(prox_l1)
def soft_in_torch(v: Any, t: Any) -> Any:
    return torch.nn.functional.softshrink(torch.tensor(v), t)


@wrong(prox_l1, "l1_hard_threshold")
def hard_in_torch(v: Any, t: Any) -> Any:
    return torch.nn.functional.hardshrink(torch.tensor(v), t)


@right(prox_nuclear)
def nuclear_in_torch(M: Any, t: Any) -> Any:
    left, values, right_transposed = torch.linalg.svd(torch.tensor(M), full_matrices=False)
    return torch.einsum("ik,k,kj->ij", left, torch.relu(values - t), right_transposed)


@right(project_box)
def box_in_torch(v: Any, lower: Any, upper: Any) -> Any:
    return torch.clamp(torch.tensor(v), torch.as_tensor(lower), torch.as_tensor(upper))


@right(project_l2_ball)
def ball_by_hypot(v: Any, radius: Any = 1.0, center: Any = 0.0) -> Any:
    arrow = np.asarray(v) - center
    length = np.hypot.reduce(arrow, axis=-1, keepdims=True)
    return center + arrow / np.maximum(length / radius, 1.0)


@right(project_simplex)
def simplex_in_torch(v: Any, radius: Any = 1.0) -> Any:
    point = torch.tensor(v)
    falling = torch.sort(point, descending=True).values
    shifts = (torch.cumsum(falling, 0) - radius) / torch.arange(1, len(v) + 1)
    return torch.relu(point - shifts.max())


@right(project_simplex)
def simplex_by_root(v: Any, radius: Any = 1.0) -> Any:
    """Newton's method on the convex function s -> sum_i max(v_i - s, 0) - radius, from the left."""
    shift = (fsum(v) - radius) / len(v)
    for _ in range(len(v)):
        above = v[v > shift]
        shift = (fsum(above) - radius) / len(above)
    return np.where(v > shift, v - shift, 0.0)


@wrong(project_simplex, "simplex_clip_and_normalize")
def simplex_by_share(v: Any, radius: Any = 1.0) -> Any:
    kept = torch.relu(torch.tensor(v))
    return kept * (radius / kept.sum())


@right(project_l1_ball)
def l1_ball_in_torch(v: Any, radius: Any = 1.0) -> Any:
    point = torch.tensor(v)
    sizes = point.abs()
    if sizes.sum() <= radius:
        return point
    return torch.copysign(simplex_in_torch(sizes.numpy(), radius), point)


# Without derivatives.


@right(zo_gd_forward_difference)
def differences_in_place(value: Any, x0: Any, learning_rate: Any, tau: Any, num_steps: Any) -> Any:
    x = x0.copy()
    path = [x0]
    for _ in range(num_steps):
        here, slopes = value(x), np.empty_like(x)
        for i in range(len(x)):
            kept = x[i]
            x[i] += tau
            slopes[i] = value(x) - here
            x[i] = kept
        x -= (learning_rate / tau) * slopes
        path.append(x.copy())
    return path


@right(zo_gd_sphere)
def sphere_with_one_factor(value: Any, x0: Any, learning_rate: Any, tau: Any, directions: Any, num_steps: Any) -> Any:
    scale = x0.size * learning_rate / tau
    path = [x0]
    for direction in directions[:num_steps]:
        here = path[-1]
        path.append(here + scale * (value(here) - value(here + tau * direction)) * direction)
    return path


# Stochastic and adaptive methods.


@right(momentum_sgd)
def momentum_in_torch(
    component_gradient: Any, x0: Any, learning_rate: Any, momentum: Any, indices: Any, num_steps: Any
) -> Any:
    def sampled(x: Any, k: int) -> Any:
        return component_gradient(x, int(indices[k]))

    return optimized(torch.optim.SGD, sampled, x0, num_steps, lr=learning_rate, momentum=momentum)


@wrong(momentum_sgd, "nesterov_step")
def nesterov_in_sgd(
    component_gradient: Any, x0: Any, learning_rate: Any, momentum: Any, indices: Any, num_steps: Any
) -> Any:
    def sampled(x: Any, k: int) -> Any:
        return component_gradient(x, int(indices[k]))

    return optimized(torch.optim.SGD, sampled, x0, num_steps, lr=learning_rate, momentum=momentum, nesterov=True)


@right(rmsprop)
def rmsprop_in_torch(gradient: Any, x0: Any, learning_rate: Any, decay: Any, epsilon: Any, num_steps: Any) -> Any:
    options = {"lr": learning_rate, "alpha": decay, "eps": epsilon}
    return optimized(torch.optim.RMSprop, lambda x, k: gradient(x), x0, num_steps, **options)


@wrong(rmsprop, "centred")
def rmsprop_centred_in_torch(
    gradient: Any, x0: Any, learning_rate: Any, decay: Any, epsilon: Any, num_steps: Any
) -> Any:
    options = {"lr": learning_rate, "alpha": decay, "eps": epsilon, "centered": True}
    return optimized(torch.optim.RMSprop, lambda x, k: gradient(x), x0, num_steps, **options)


@right(adam)
def adam_in_torch(
    gradient: Any, x0: Any, learning_rate: Any, beta1: Any, beta2: Any, epsilon: Any, num_steps: Any
) -> Any:
    options = {"lr": learning_rate, "betas": (beta1, beta2), "eps": epsilon}
    return optimized(torch.optim.Adam, lambda x, k: gradient(x), x0, num_steps, **options)


@right(adam)
def adam_from_all_gradients(
    gradient: Any, x0: Any, learning_rate: Any, beta1: Any, beta2: Any, epsilon: Any, num_steps: Any
) -> Any:
    """No running averages: in each step the weighted means of all gradients so far."""
    path, slopes = [x0], np.empty((num_steps, len(x0)))
    for k in range(num_steps):
        slopes[k] = gradient(path[k])
        ages = np.arange(k, -1, -1)
        mean = np.average(slopes[: k + 1], axis=0, weights=beta1**ages)
        square = np.average(np.square(slopes[: k + 1]), axis=0, weights=beta2**ages)
        path.append(path[k] - learning_rate * mean / (np.sqrt(square) + epsilon))
    return path


@wrong(adam, "no_bias_correction")
def adam_uncorrected_in_place(
    gradient: Any, x0: Any, learning_rate: Any, beta1: Any, beta2: Any, epsilon: Any, num_steps: Any
) -> Any:
    x, mean, square = x0.copy(), np.zeros_like(x0), np.zeros_like(x0)
    path = [x.copy()]
    for _ in range(num_steps):
        slope = gradient(x)
        mean += (1 - beta1) * (slope - mean)
        square += (1 - beta2) * (np.square(slope) - square)
        x -= np.divide(mean * learning_rate, epsilon + np.sqrt(square))
        path.append(x.copy())
    return path


@wrong(adam, "epsilon_inside_root")
def adam_root_in_torch(
    gradient: Any, x0: Any, learning_rate: Any, beta1: Any, beta2: Any, epsilon: Any, num_steps: Any
) -> Any:
    x = torch.tensor(x0)
    mean, square = torch.zeros_like(x), torch.zeros_like(x)
    path = [x]
    for t in range(1, num_steps + 1):
        slope = asked(gradient, x)
        mean = torch.lerp(mean, slope, 1 - beta1)
        square = torch.lerp(square, slope.square(), 1 - beta2)
        x = x - learning_rate / (1 - beta1**t) * mean * torch.rsqrt(square / (1 - beta2**t) + epsilon)
        path.append(x)
    return torch.stack(path)


@right(adamw)
def adamw_in_torch(
    gradient: Any,
    x0: Any,
    learning_rate: Any,
    beta1: Any,
    beta2: Any,
    epsilon: Any,
    weight_decay: Any,
    num_steps: Any,
) -> Any:
    options = {"lr": learning_rate, "betas": (beta1, beta2), "eps": epsilon, "weight_decay": weight_decay}
    return optimized(torch.optim.AdamW, lambda x, k: gradient(x), x0, num_steps, **options)


@wrong(adamw, "l2_in_gradient")
def adam_with_l2_in_torch(
    gradient: Any,
    x0: Any,
    learning_rate: Any,
    beta1: Any,
    beta2: Any,
    epsilon: Any,
    weight_decay: Any,
    num_steps: Any,
) -> Any:
    options = {"lr": learning_rate, "betas": (beta1, beta2), "eps": epsilon, "weight_decay": weight_decay}
    return optimized(torch.optim.Adam, lambda x, k: gradient(x), x0, num_steps, **options)


@right(saga)
def saga_with_lists(
    component_gradient: Any, x0: Any, num_components: Any, learning_rate: Any, indices: Any, num_steps: Any
) -> Any:
    stored = {i: component_gradient(x0, i) for i in range(num_components)}
    path = [x0]
    for i in map(int, indices[:num_steps]):
        fresh = component_gradient(path[-1], i)
        mean = np.array([fsum(entries) for entries in zip(*stored.values(), strict=True)]) / num_components
        path.append(path[-1] - learning_rate * mean - learning_rate * (fresh - stored[i]))
        stored[i] = fresh
    return path


@wrong(saga, "average_updated_first")
def saga_in_torch_too_early(
    component_gradient: Any, x0: Any, num_components: Any, learning_rate: Any, indices: Any, num_steps: Any
) -> Any:
    x = torch.tensor(x0)
    table = torch.stack([torch.as_tensor(component_gradient(x0, i)) for i in range(num_components)])
    path = [x]
    for i in map(int, indices[:num_steps]):
        old = table[i].clone()
        table[i] = torch.as_tensor(component_gradient(x.numpy(), i))
        x = x - learning_rate * (table[i] - old + table.mean(dim=0))
        path.append(x)
    return torch.stack(path)


@right(clipped_gd)
def clipped_in_torch(gradient: Any, x0: Any, learning_rate: Any, threshold: Any, num_steps: Any) -> Any:
    x = torch.tensor(x0)
    path = [x]
    for _ in range(num_steps):
        slope = asked(gradient, x)
        x = x - learning_rate * slope * torch.clamp(threshold / torch.linalg.vector_norm(slope), max=1.0)
        path.append(x)
    return torch.stack(path)


@wrong(clipped_gd, "elementwise_clipping")
def clamped_in_torch(gradient: Any, x0: Any, learning_rate: Any, threshold: Any, num_steps: Any) -> Any:
    x = torch.tensor(x0)
    path = [x]
    for _ in range(num_steps):
        x = x - learning_rate * asked(gradient, x).clamp(-threshold, threshold)
        path.append(x)
    return torch.stack(path)
