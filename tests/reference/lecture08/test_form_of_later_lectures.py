"""What momentum SGD, adaptive methods, SAGA and clipped gradient descent share: form, variants, examples."""

import inspect
import itertools

import numpy as np
import pytest

from reference.lecture08.adam import adam
from reference.lecture08.adamw import adamw
from reference.lecture08.momentum_sgd import momentum_sgd
from reference.lecture08.rmsprop import rmsprop
from reference.lecture09.saga import saga
from reference.lecture10.gradient_clipping import clip, clipped_gd
from reference.variants import Kind, example_of, guarantees, variants

ALGORITHMS = [momentum_sgd, rmsprop, adam, adamw, saga, clipped_gd]
ALL = [variant for algorithm in ALGORITHMS for variant in variants(algorithm)]
NOT_FINITE = {"unsquared_gradients", "step_counter_from_zero"}
# Relative to the path's extent; all others deviate by more than a hundredth of it.
SMALL_DEVIATIONS = {"padded_gradient_norm": 2e-8, "decay_after_step": 1e-3, "average_updated_first": 5e-3}


class Counted:
    """An oracle that counts its calls and refuses to be handed something else than a point and a sample's number."""

    def __init__(self, oracle):
        self.oracle = oracle
        self.calls = 0

    def __call__(self, x, *sample):
        self.calls += 1
        assert x.dtype == np.float64
        assert all(type(i) is int for i in sample)
        return self.oracle(x, *sample)


def arguments_of(algorithm, **changes):
    """(arguments of the algorithm's example, its oracle)."""
    shown = example_of(algorithm)
    problem = shown.problem()
    given = {name: value(problem) if callable(value) else value for name, value in shown.arguments.items()}
    oracle, *_ = inspect.signature(algorithm).parameters
    counted = Counted(getattr(problem, oracle))
    return {oracle: counted, "x0": problem.x0.copy(), **given, **changes}, counted


def run(function, algorithm, **changes):
    return function(**arguments_of(algorithm, **changes)[0])


def label(value):
    return value.__name__ if callable(value) else f"{value.algorithm.__name__}-{value.identifier}"


def of_kind(kind):
    return [variant for variant in ALL if variant.kind is kind]


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=label)
@pytest.mark.parametrize("num_steps", [0, 1, 7])
def test_one_row_for_each_iterate_and_one_gradient_a_step(algorithm, num_steps):
    arguments, oracle = arguments_of(algorithm, num_steps=num_steps)
    iterates = algorithm(**arguments)
    assert iterates.shape == (num_steps + 1, len(arguments["x0"]))
    assert iterates.dtype == np.float64
    np.testing.assert_array_equal(iterates[0], example_of(algorithm).problem().x0)
    assert oracle.calls == num_steps + arguments.get("num_components", 0)


@pytest.mark.parametrize("function", [*ALGORITHMS, *(v.function for v in ALL)], ids=lambda f: f.__name__)
def test_integer_start_is_accepted_and_left_as_it_is(function):
    algorithm = next(a for a in ALGORITHMS if function is a or any(v.function is function for v in variants(a)))
    size = len(example_of(algorithm).problem().x0)
    start, other = np.arange(1, size + 1), np.arange(1.0, size + 1)
    iterates = run(function, algorithm, x0=start, num_steps=3)
    np.testing.assert_array_equal(start, np.arange(1, size + 1))
    assert iterates.dtype == np.float64
    np.testing.assert_array_equal(iterates, run(function, algorithm, x0=other, num_steps=3))
    np.testing.assert_array_equal(other, start)


@pytest.mark.parametrize("algorithm", [clip, *ALGORITHMS], ids=label)
def test_signatures(algorithm):
    own = list(inspect.signature(algorithm).parameters)
    for variant in variants(algorithm):
        assert list(inspect.signature(variant.function).parameters) == own, variant.identifier
    for theorem in guarantees(algorithm):
        first, *others = inspect.signature(theorem.bound).parameters
        assert first == "problem"
        assert set(others) <= set(own)


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=label)
def test_the_example_gets_nearer(algorithm):
    shown = example_of(algorithm)
    quantity = shown.quantity(run(algorithm, algorithm), shown.problem())
    assert quantity[0] > 0.2
    assert quantity[-1] < 0.2 * quantity[0]


@pytest.mark.parametrize("variant", of_kind(Kind.EQUIVALENT), ids=label)
def test_equivalents_agree_to_rounding_at_the_same_cost(variant):
    path = run(variant.algorithm, variant.algorithm)
    arguments, oracle = arguments_of(variant.algorithm)
    np.testing.assert_allclose(variant.function(**arguments), path, rtol=0, atol=1e-12)
    assert oracle.calls == len(path) - 1 + arguments.get("num_components", 0)


@pytest.mark.parametrize("variant", [*of_kind(Kind.CONVENTION), *of_kind(Kind.MISTAKE)], ids=label)
def test_the_example_shows_every_mistake_and_convention(variant):
    path = run(variant.algorithm, variant.algorithm)
    wrong = run(variant.function, variant.algorithm)
    assert wrong.shape == path.shape
    np.testing.assert_array_equal(wrong[0], path[0])
    if variant.identifier in NOT_FINITE:
        assert np.isnan(wrong[-1]).any()
        return
    assert np.isfinite(wrong).all()
    deviation = np.abs(wrong - path).max() / np.ptp(path, axis=0).max()
    assert deviation > SMALL_DEVIATIONS.get(variant.identifier, 0.01)


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=label)
def test_the_example_tells_all_mistakes_and_conventions_apart(algorithm):
    paths = {v.identifier: run(v.function, algorithm) for v in variants(algorithm) if v.kind is not Kind.EQUIVALENT}
    for one, other in itertools.combinations(paths, 2):
        difference = np.abs(paths[one] - paths[other])
        assert np.isnan(difference).any() or difference.max() > 1e-4, (one, other)


@pytest.mark.parametrize("variant", [*of_kind(Kind.CONVENTION), *of_kind(Kind.MISTAKE), *variants(clip)], ids=label)
def test_sentence_is_for_the_student(variant):
    if variant.kind is Kind.EQUIVALENT:
        return
    assert variant.sentence.startswith(("You", "All your"))
    assert variant.sentence.endswith((".", "?"))
    assert " - " not in variant.sentence  # no formula that could be copied
