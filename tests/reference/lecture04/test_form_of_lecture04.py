"""Every variant can be called like its algorithm, every bound like the algorithm's run, every example runs."""

import importlib
import inspect
import pkgutil

import numpy as np
import pytest

import reference.lecture04
from reference.variants import example_of, guarantees, variants

MODULES = [
    importlib.import_module(f"reference.lecture04.{module.name}")
    for module in pkgutil.iter_modules(reference.lecture04.__path__)
]
ALGORITHMS = {
    function
    for module in MODULES
    for function in vars(module).values()
    if inspect.isfunction(function) and (variants(function) or guarantees(function))
}


def parameters(function):
    return list(inspect.signature(function).parameters)


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS, key=lambda a: a.__name__), ids=lambda a: a.__name__)
def test_signatures(algorithm):
    own = parameters(algorithm)
    for variant in variants(algorithm):
        assert parameters(variant.function)[: len(own)] == own, variant.identifier
    for theorem in guarantees(algorithm):
        first, *others = parameters(theorem.bound)
        assert first == "problem"
        assert set(others) <= set(own)


@pytest.mark.parametrize(
    "algorithm", sorted(filter(example_of, ALGORITHMS), key=lambda a: a.__name__), ids=lambda a: a.__name__
)
def test_examples_run_within_their_guarantees(algorithm):
    shown = example_of(algorithm)
    problem = shown.problem()
    arguments = {name: value(problem) if callable(value) else value for name, value in shown.arguments.items()}
    oracles = {name: getattr(problem, name) for name in parameters(algorithm) if hasattr(problem, name)}
    iterates = algorithm(**(oracles | arguments))
    quantity = shown.quantity(iterates, problem)
    assert quantity[0] > 0.2
    assert quantity[-1] < 0.02 * quantity[0]
    for theorem in guarantees(algorithm):
        bound = theorem.bound(problem, **{k: v for k, v in arguments.items() if k in parameters(theorem.bound)})
        assert np.all(theorem.quantity(iterates, problem) <= bound + 1e-12)


def test_every_iterative_algorithm_has_an_example():
    assert {algorithm.__name__ for algorithm in ALGORITHMS if example_of(algorithm)} == {
        "projected_gradient_descent",
        "proximal_gradient_descent",
        "ista",
        "project_intersection",
        "projected_gradient_ascent",
        "robust_pca_alternating",
        "robust_pca_proximal_gradient",
    }
