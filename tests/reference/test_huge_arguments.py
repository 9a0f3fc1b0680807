"""Iterates that diverge reach any size: every problem of the library has an answer there."""

import importlib
import inspect
import pkgutil

import numpy as np
import pytest

import reference
from reference import problems as basic
from reference.lecture01.distributed import problems as distributed
from reference.lecture03 import problems as acceleration
from reference.lecture04 import problems as constrained
from reference.lecture05 import problems as zeroth_order
from reference.lecture08 import problems as adaptive
from reference.problem import Problem

ROWS = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]])
ONES = np.ones(2)
OF_PARAMETERS = {
    distributed.quadratic_nodes: lambda: distributed.quadratic_nodes(np.eye(2)[None], ONES[None], ONES, "one node"),
    distributed.random_quadratic_nodes: lambda: distributed.random_quadratic_nodes(2, 3, 2.0, 1.0, 1.0, seed=1),
    distributed.least_squares_nodes: lambda: distributed.least_squares_nodes(ROWS[None], np.ones((1, 3)), ONES),
    distributed.random_least_squares_nodes: lambda: distributed.random_least_squares_nodes(2, 3, 2, seed=1),
    basic.least_squares: lambda: basic.least_squares(ROWS, np.ones(3), ONES),
    basic.random_least_squares: lambda: basic.random_least_squares(rows=5, columns=3, condition=10, seed=1),
    basic.quadratic: lambda: basic.quadratic(np.diag(ONES), ONES, ONES),
    basic.random_quadratic: lambda: basic.random_quadratic(3, smoothness=2.0, strong_convexity=1.0, seed=1),
    basic.logistic: lambda: basic.logistic(ROWS, np.array([1.0, -1.0, 1.0]), ONES),
    basic.random_logistic: lambda: basic.random_logistic(rows=20, columns=2, seed=1),
    basic.huber: lambda: basic.huber(0.3),
    basic.saddle: lambda: basic.saddle(ONES),
    acceleration.worst_convex: lambda: acceleration.worst_convex(8.0, 5),
    acceleration.worst_strongly_convex: lambda: acceleration.worst_strongly_convex(30.0, 2.0, 12),
    acceleration.random_regularized_logistic: lambda: acceleration.random_regularized_logistic(9, 2, 0.1, seed=1),
    constrained.constrained: lambda: constrained.constrained(basic.bowl(), np.abs, np.zeros(2), "positive"),
    constrained.l1_penalized: lambda: constrained.l1_penalized(basic.bowl(), 1.0, np.zeros(2), "penalized"),
    constrained.random_box_quadratic: lambda: constrained.random_box_quadratic(3, 2.0, 1.0, seed=1),
    constrained.random_simplex_quadratic: lambda: constrained.random_simplex_quadratic(3, 2.0, 1.0, seed=1),
    constrained.random_lasso: lambda: constrained.random_lasso(5, 3, 10.0, 0.5, seed=1),
    constrained.robust_pca: lambda: constrained.robust_pca(ROWS, 0.5, 0.2),
    zeroth_order.adversarial_attack: lambda: zeroth_order.adversarial_attack(ONES, np.zeros(2), 1.0, 0.8, 0.01),
    zeroth_order.sensor_selection: lambda: zeroth_order.sensor_selection(ROWS[None], 2.0),
    zeroth_order.random_sensors: lambda: zeroth_order.random_sensors(3, 4, 2, 2.0, seed=1),
    zeroth_order.round_bowl: lambda: zeroth_order.round_bowl(3, 2.0),
    zeroth_order.affine: lambda: zeroth_order.affine(ONES),
    zeroth_order.half_ramps: lambda: zeroth_order.half_ramps(2),
    zeroth_order.sines: lambda: zeroth_order.sines(ONES),
    zeroth_order.cosines: lambda: zeroth_order.cosines(ONES),
    adaptive.linear_regression: lambda: adaptive.linear_regression(ROWS, np.ones(3), ONES, "regression"),
    adaptive.random_finite_sum: lambda: adaptive.random_finite_sum(samples=5, dimension=2, seed=1),
}


def makers():
    """Every function of a module `problems` that makes a problem, by its name."""
    names = [module.name for module in pkgutil.walk_packages(reference.__path__, "reference.")]
    modules = [importlib.import_module(name) for name in names if name.endswith(".problems")]
    return {
        f"{module.__name__}.{name}": function
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and str(function.__annotations__.get("return")).endswith("Problem")
    }


@pytest.mark.parametrize("name", makers())
@pytest.mark.parametrize("size", [1e100, -1e100, 1e154, 1e200, -1e200, 1e308, 1e-200])
def test_every_oracle_answers(name, size):
    maker = makers()[name]
    problem = OF_PARAMETERS.get(maker, maker)()
    assert isinstance(problem, Problem)
    points = [np.full(problem.x0.shape, size)]
    points += [size * np.random.default_rng(seed).uniform(-1, 1, problem.x0.shape) for seed in range(3)]
    one_argument = (problem.value, problem.gradient, problem.hessian, problem.project, problem.penalty)
    with np.errstate(all="ignore"):
        for x in points:
            for oracle in filter(None, one_argument):
                oracle(x)
            if problem.prox is not None:
                problem.prox(x, 0.1)
                problem.prox(x, 1e300)
            if problem.component_gradient is not None:
                problem.component_gradient(x, 0)
