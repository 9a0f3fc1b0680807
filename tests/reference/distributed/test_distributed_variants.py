"""What holds for all distributed algorithms alike: form of the result, equivalents, visible mistakes, examples."""

import inspect
import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import reference.lecture01.distributed as package
from reference.lecture01.distributed.async_sgd import async_sgd, delayed_gradient_descent, slide_agents, versions_read
from reference.lecture01.distributed.compressed_sgd import compressed_sgd
from reference.lecture01.distributed.compressors import qsgd
from reference.lecture01.distributed.dsgd import decentralized_least_squares, dsgd
from reference.lecture01.distributed.fedavg import fedavg
from reference.lecture01.distributed.local_sgd import local_sgd
from reference.lecture01.distributed.problems import (
    noisy_gradients,
    random_least_squares_nodes,
    random_quadratic_nodes,
)
from reference.lecture01.distributed.psgd import psgd
from reference.problem import Problem
from reference.variants import Kind, example_of, guarantees, variants

NODES, DIMENSION, STEPS = 5, 3, 24
PROBLEM = random_quadratic_nodes(NODES, DIMENSION, smoothness=4.0, strong_convexity=0.5, spread=1.0, seed=1)
ROWS = random_least_squares_nodes(NODES, rows=4, dimension=DIMENSION, seed=2)
RNG = np.random.default_rng(3)
SAMPLES = 0.3 * RNG.standard_normal((STEPS, NODES, DIMENSION))
FEDERATED_SAMPLES = 0.3 * RNG.standard_normal((STEPS, 3, NODES, DIMENSION))
UNIFORMS = RNG.random((STEPS, NODES, DIMENSION))
SOME_CLIENTS = [sorted(RNG.permutation(NODES)[:3].tolist()) for _ in range(STEPS)]
# Doubly stochastic, not symmetric, no zero on the diagonal.
WEIGHTS = 0.5 * np.eye(NODES) + 0.3 * np.roll(np.eye(NODES), 1, axis=0) + 0.2 * np.roll(np.eye(NODES), 2, axis=0)
AGENTS = RNG.integers(NODES, size=STEPS)

NODE_STARTS = PROBLEM.starts + np.arange(NODES)[:, None]
SETTINGS = {
    psgd: {"x0": PROBLEM.x0, "learning_rate": 0.15, "num_steps": STEPS, "samples": SAMPLES},
    compressed_sgd: {
        "compressor": partial(qsgd, levels=3),
        "x0": NODE_STARTS,
        "learning_rate": 0.1,
        "num_steps": STEPS,
        "samples": SAMPLES,
        "randomness": UNIFORMS,
    },
    local_sgd: {"x0": NODE_STARTS, "learning_rate": 0.15, "period": 4, "num_steps": STEPS, "samples": SAMPLES},
    fedavg: {
        "x0": PROBLEM.x0,
        "learning_rate": 0.1,
        "server_learning_rate": 0.7,
        "num_local_steps": 3,
        "num_rounds": STEPS,
        "samples": FEDERATED_SAMPLES,
        "participants": SOME_CLIENTS,
    },
    dsgd: {"weights": WEIGHTS, "x0": NODE_STARTS, "learning_rate": 0.15, "num_steps": STEPS, "samples": SAMPLES},
    async_sgd: {
        "x0": PROBLEM.x0,
        "learning_rate": 0.1,
        "agents": AGENTS,
        "reads": versions_read(AGENTS),
        "samples": SAMPLES[:, 0],
    },
    decentralized_least_squares: {
        "A": ROWS.data["A"],
        "b": ROWS.data["b"],
        "weights": WEIGHTS,
        "x0": ROWS.starts,
        "learning_rate": 0.05,
        "num_steps": STEPS,
    },
    delayed_gradient_descent: {
        "gradient": PROBLEM.gradient,
        "x0": PROBLEM.x0,
        "learning_rate": 0.1,
        "delay": 2,
        "num_steps": STEPS,
    },
}
for algorithm, arguments in SETTINGS.items():
    if "gradients" in inspect.signature(algorithm).parameters:
        arguments["gradients"] = noisy_gradients(PROBLEM)

ALGORITHMS = list(SETTINGS)
PAIRS = [(a, v) for a in ALGORITHMS for v in variants(a)]
NAMES = [f"{v.algorithm.__name__}-{v.identifier}" for _, v in PAIRS]
EQUIVALENTS = [v for _, v in PAIRS if v.kind is Kind.EQUIVALENT]
OTHERS = [v for _, v in PAIRS if v.kind is not Kind.EQUIVALENT]


def name(variant):
    return f"{variant.algorithm.__name__}-{variant.identifier}"


def run(algorithm, **changes):
    return algorithm(**{**SETTINGS[algorithm], **changes})


def steps_of(algorithm):
    parameters = inspect.signature(algorithm).parameters
    return next((n for n in ("num_steps", "num_rounds") if n in parameters), None)


# The form of the result.


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_row_0_is_the_start_and_there_are_K_plus_1_rows(algorithm):
    iterates = run(algorithm)
    start = SETTINGS[algorithm]["x0"]
    assert iterates.shape == (STEPS + 1, *start.shape)
    assert iterates.dtype == np.float64
    np.testing.assert_array_equal(iterates[0], start)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_no_steps_give_the_start_alone(algorithm):
    none = {"samples": None, "randomness": None, "participants": None, "agents": [], "reads": []}
    parameters = inspect.signature(algorithm).parameters
    changes = {key: value for key, value in none.items() if key in parameters}
    if steps_of(algorithm):
        changes[steps_of(algorithm)] = 0
    assert run(algorithm, **changes).shape == (1, *SETTINGS[algorithm]["x0"].shape)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_integer_start_is_accepted_and_left_as_it_is(algorithm):
    start = np.ones(SETTINGS[algorithm]["x0"].shape, dtype=np.int64)
    for function in (algorithm, *(v.function for v in variants(algorithm, Kind.EQUIVALENT))):
        iterates = function(**{**SETTINGS[algorithm], "x0": start})
        assert iterates.dtype == np.float64
        np.testing.assert_array_equal(start, 1)
        np.testing.assert_allclose(iterates, run(algorithm, x0=start.astype(np.float64)), atol=1e-12)


@pytest.mark.parametrize("variant", [v for _, v in PAIRS], ids=NAMES)
def test_no_variant_changes_the_start(variant):
    start = SETTINGS[variant.algorithm]["x0"].copy()
    variant.function(**{**SETTINGS[variant.algorithm], "x0": start})
    np.testing.assert_array_equal(start, SETTINGS[variant.algorithm]["x0"])


@pytest.mark.parametrize("algorithm", [psgd, compressed_sgd, local_sgd, dsgd])
def test_each_node_is_asked_once_a_step_at_its_own_point(algorithm):
    calls = [[] for _ in range(NODES)]

    def counting(i, x, xi):
        calls[i].append((x.copy(), xi))
        return PROBLEM.gradients[i](x) + xi

    iterates = run(algorithm, gradients=[partial(counting, i) for i in range(NODES)])
    for i, asked in enumerate(calls):
        assert len(asked) == STEPS
        for k, (x, xi) in enumerate(asked):
            np.testing.assert_array_equal(x, iterates[k] if algorithm is psgd else iterates[k, i])
            np.testing.assert_array_equal(xi, SAMPLES[k, i])


@pytest.mark.parametrize("algorithm", [psgd, compressed_sgd, local_sgd, fedavg, dsgd, async_sgd])
def test_samples_must_be_there_for_each_step(algorithm):
    with pytest.raises(ValueError, match="samples for"):
        run(algorithm, samples=SETTINGS[algorithm]["samples"][:-1])


@pytest.mark.parametrize("algorithm", [psgd, compressed_sgd, local_sgd, dsgd])
def test_samples_must_be_there_for_each_node(algorithm):
    with pytest.raises(ValueError, match="zip"):
        run(algorithm, samples=SAMPLES[:, :-1])


@pytest.mark.parametrize("algorithm", [psgd, compressed_sgd, local_sgd, fedavg, dsgd, async_sgd])
def test_samples_of_zero_noise_are_exact_gradients(algorithm):
    quiet = run(algorithm, samples=0 * SETTINGS[algorithm]["samples"])
    np.testing.assert_allclose(run(algorithm, gradients=PROBLEM.gradients, samples=None), quiet, atol=1e-13)


# Variants.


@pytest.mark.parametrize("variant", EQUIVALENTS, ids=name)
def test_equivalents_agree_to_rounding(variant):
    right = run(variant.algorithm)
    np.testing.assert_allclose(variant.function(**SETTINGS[variant.algorithm]), right, rtol=0, atol=1e-12)


@pytest.mark.parametrize("variant", EQUIVALENTS, ids=name)
def test_equivalents_agree_without_samples_and_with_other_numbers_of_steps(variant):
    arguments = dict(SETTINGS[variant.algorithm])
    if "samples" in arguments:
        arguments |= {"samples": None, "gradients": PROBLEM.gradients}
    for num_steps in (0, 1, 7):
        if steps_of(variant.algorithm):
            arguments[steps_of(variant.algorithm)] = num_steps
        for key in ("randomness", "participants", "agents", "reads"):
            if key in arguments:
                arguments[key] = SETTINGS[variant.algorithm][key][:num_steps]
        right = variant.algorithm(**arguments)
        np.testing.assert_allclose(variant.function(**arguments), right, rtol=0, atol=1e-12)


@pytest.mark.parametrize("variant", OTHERS, ids=name)
def test_others_deviate_by_at_least_a_fiftieth_of_the_extent(variant):
    right = run(variant.algorithm)
    wrong = variant.function(**SETTINGS[variant.algorithm])
    assert np.abs(wrong - right).max() > 0.02 * np.ptp(right, axis=0).max()


@pytest.mark.parametrize("variant", [v for _, v in PAIRS], ids=NAMES)
def test_signature_is_that_of_the_algorithm(variant):
    own, theirs = inspect.signature(variant.function), inspect.signature(variant.algorithm)
    assert list(own.parameters) == list(theirs.parameters)


def all_algorithms():
    for path in sorted(Path(package.__file__).parent.glob("*.py")):
        module = __import__(f"{package.__name__}.{path.stem}", fromlist=["_"])
        for value in vars(module).values():
            if inspect.isfunction(value) and value.__module__ == module.__name__ and variants(value):
                yield value


@pytest.mark.parametrize("algorithm", list(dict.fromkeys(all_algorithms())))
def test_sentences_are_for_the_student(algorithm):
    for variant in variants(algorithm, Kind.MISTAKE):
        assert re.search(r"\b(you|your)\b", variant.sentence, flags=re.IGNORECASE)
        assert variant.sentence.endswith((".", "?"))
        assert " - " not in variant.sentence  # no formula that could be copied
    for variant in variants(algorithm):
        assert variant.sentence
        assert inspect.getdoc(variant.function)


# Examples and guarantees.


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_example_converges_and_its_mistakes_can_be_drawn(algorithm):
    example = example_of(algorithm)
    problem = example.problem()
    arguments = {
        key: value(problem) if callable(value) and len(inspect.signature(value).parameters) == 1 else value
        for key, value in example.arguments.items()
    }
    for key in ("gradient", "x0"):
        if key in inspect.signature(algorithm).parameters:
            arguments.setdefault(key, getattr(problem, key))
    right = example.quantity(algorithm(**arguments), problem)
    assert right[-1] < 0.7 * right[0]
    for variant in variants(algorithm):
        assert np.isfinite(example.quantity(variant.function(**arguments), problem)).all()
    for theorem in guarantees(algorithm):
        known = {**arguments, "problem": problem}
        bound = theorem.bound(**{key: known[key] for key in inspect.signature(theorem.bound).parameters})
        assert (theorem.quantity(algorithm(**arguments), problem) <= bound + 1e-13).all()


def test_every_example_is_on_a_problem_with_a_minimiser():
    for algorithm in ALGORITHMS:
        problem = example_of(algorithm).problem()
        assert isinstance(problem, Problem)
        assert np.linalg.norm(problem.gradient(problem.minimizer)) < 1e-12


IDENTIFIERS = {
    "psgd",
    "allreduce",
    "compressed_sgd",
    "compressors",
    "local_sgd_lec1",
    "local_sgd_std",
    "local_sgd_lec14",
    "fedavg",
    "lazy_comm",
    "heterogeneity",
    "dsgd",
    "async_sgd",
    "byzantine",
    "speedup_model",
}


def test_each_identifier_of_the_catalogue_is_in_one_file():
    found = []
    for path in sorted(Path(package.__file__).parent.glob("*.py")):
        line = re.search(r"^Catalogue +(.+)$", path.read_text(), flags=re.MULTILINE)
        found += line[1].split(", ") if line else []
    assert sorted(found) == sorted(IDENTIFIERS)


def test_slide_agents_and_their_versions_fit_together():
    assert len(versions_read(slide_agents())) == len(slide_agents()) == 10
