"""Correct forms stay inside the derived tolerance, whatever rounds differently; mistakes are outside, or named here.

The witnesses are in no key: keys are built without the aid of the equivalents, and what the equivalents, other orders
of summation, other numbers of threads and single precision give is held against them.
"""

from __future__ import annotations

import importlib.util
import math
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from grader.answer_key.answer import UNIT_ROUNDOFF, Answer
from grader.answer_key.build import build_answer
from grader.answer_key.tolerance import FACTOR, FLOOR, RUNS, distances, tolerance
from grader.assignment.experiment import Experiment
from reference import problems
from reference.lecture02.gradient_descent import gradient_descent
from reference.lecture03.anderson_acceleration import anderson_acceleration
from reference.lecture03.heavy_ball import heavy_ball
from reference.lecture03.nesterov_strongly_convex import nesterov_strongly_convex
from reference.problem import Problem
from reference.variants import Kind

ROOT = Path(__file__).parents[2]

# Mistakes whose numbers differ from the reference's by rounding only, and why.
ONLY_ROUNDING = {
    ("anderson_acceleration", "pseudo_inverse"): "right while the residuals of a window are linearly independent",
    ("anderson_acceleration", "recomputed_images"): "the numbers are right: seen by the number of calls",
    ("nesterov_strongly_convex", "two_gradients_per_step"): "the numbers are right: seen by the number of calls",
    ("projected_gradient_descent", "lazy_projection"): "right where a projection leaves points of the set as they are",
}


def _benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tolerances_of_the_page", ROOT / "benchmarks" / "tolerances.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


page = _benchmark()
EXAMPLES = page.examples()


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    """Name of the algorithm -> its standard example, measured."""
    return {name: page.measure(experiment) for name, experiment in EXAMPLES.items()}


@pytest.fixture(scope="module")
def chaos() -> Any:
    return page.measure(page.shown()["chaos"])


@pytest.fixture(scope="module")
def anderson() -> Any:
    return page.measure(page.shown()["anderson"])


def allowed(answer: Answer, precision: str = "float64") -> np.ndarray:
    return tolerance(answer.parts[0], answer.envelope[precision][0], True, precision)


def inverse_of_smoothness(problem: Problem) -> float:
    assert problem.smoothness is not None
    return 1 / problem.smoothness


def descent(problem: Problem, num_steps: int = 60) -> Experiment:
    return Experiment("e", gradient_descent, problem, learning_rate=inverse_of_smoothness, num_steps=num_steps)


# --- the same everywhere ------------------------------------------------------------------------------------------

KEY = """
import sys
from pathlib import Path
from grader.answer_key.build import build_answer_key
from grader.answer_key.cache import write_answer_key
from grader.assignment.assignment import find_assignment, load_assignment
write_answer_key(build_answer_key(load_assignment(find_assignment("hw2"))), Path(sys.argv[1]))
"""

PATHS = """
import sys
import numpy as np
from reference.lecture02.gradient_descent import gradient_descent
from reference.lecture03.anderson_acceleration import anderson_acceleration
A, b, x0, step = (np.load(sys.argv[1])[name] for name in ("A", "b", "x0", "step"))
gram, moment = A.T @ A, A.T @ b  # sums over the rows, which threads share out among each other
gradient = lambda x: gram @ x - moment
np.savez(
    sys.argv[2],
    gradient_descent=gradient_descent(gradient, x0, float(step), 20),
    anderson_acceleration=anderson_acceleration(gradient, x0, float(step), 3, 8),
)
"""


def in_another_process(program: str, *arguments: Path, **environment: str) -> None:
    subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)], cwd=ROOT, env={**os.environ, **environment}, check=True
    )


def test_two_processes_make_the_same_key_to_the_last_bit(tmp_path: Path) -> None:
    for name, hash_seed in (("a", "1"), ("b", "2")):
        in_another_process(KEY, tmp_path / name, PYTHONHASHSEED=hash_seed, OPENBLAS_NUM_THREADS="1")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.fixture(scope="module")
def large() -> dict[str, Experiment]:
    """Matrices that BLAS shares out among its threads."""
    generator = np.random.default_rng(0)
    A, b = generator.standard_normal((900, 300)), generator.standard_normal(900)
    problem = problems.least_squares(A, b, generator.standard_normal(300))
    step = inverse_of_smoothness(problem)
    return {
        "gradient_descent": Experiment("large", gradient_descent, problem, learning_rate=step, num_steps=20),
        "anderson_acceleration": Experiment(
            "large", anderson_acceleration, problem, learning_rate=step, memory=3, num_steps=8
        ),
    }


@pytest.fixture(scope="module")
def large_answers(large: dict[str, Experiment]) -> dict[str, Answer]:
    return {name: build_answer(experiment, aided=False) for name, experiment in large.items()}


@pytest.mark.parametrize("threads", ["1", "2"])
def test_another_number_of_threads_stays_inside(
    large: dict[str, Experiment], large_answers: dict[str, Answer], threads: str, tmp_path: Path
) -> None:
    experiment = large["gradient_descent"]
    assert experiment.problem is not None
    arrays: dict[str, Any] = {**experiment.problem.data, "x0": experiment.problem.x0}
    np.savez(tmp_path / "data.npz", step=inverse_of_smoothness(experiment.problem), **arrays)
    in_another_process(PATHS, tmp_path / "data.npz", tmp_path / "paths.npz", OPENBLAS_NUM_THREADS=threads)
    paths = np.load(tmp_path / "paths.npz")
    for name, answer in large_answers.items():
        ratio = distances(paths[name], answer.parts[0], True) / allowed(answer)
        assert ratio.max() < 0.5, name


def reversed_sum(terms: np.ndarray) -> float:
    return float(sum(terms[::-1].tolist()))


def pairwise_sum(terms: np.ndarray) -> float:
    if len(terms) == 1:
        return float(terms[0])
    middle = len(terms) // 2
    return pairwise_sum(terms[:middle]) + pairwise_sum(terms[middle:])


@pytest.mark.parametrize("order", [reversed_sum, pairwise_sum, math.fsum])
@pytest.mark.parametrize(
    ("reference", "parameters"),
    [
        (gradient_descent, {}),
        (heavy_ball, {"momentum": 0.8}),
        (nesterov_strongly_convex, {}),
        (anderson_acceleration, {"memory": 2}),
    ],
)
def test_another_order_of_the_sums_stays_inside(
    reference: Callable[..., Any], parameters: dict[str, Any], order: Callable[[np.ndarray], float]
) -> None:
    problem = problems.random_least_squares(rows=40, columns=8, condition=100.0, seed=3)
    A, b = problem.data["A"], problem.data["b"]
    assert isinstance(A, np.ndarray)
    assert isinstance(b, np.ndarray)
    if reference is not nesterov_strongly_convex:
        parameters = {**parameters, "learning_rate": inverse_of_smoothness}
    else:
        parameters = {"smoothness": lambda p: p.smoothness, "strong_convexity": lambda p: p.strong_convexity}
    experiment = Experiment("e", reference, problem, num_steps=25, **parameters)

    def gradient(x: np.ndarray) -> np.ndarray:
        residual = np.array([order(row * x) for row in A]) - b
        return np.array([order(column * residual) for column in A.T])

    answer = build_answer(experiment, aided=False)
    path = reference(**{**experiment.arguments, "gradient": gradient})
    off = distances(path, answer.parts[0], True)
    assert off.any(), "the witness rounds like the reference and shows nothing"
    assert (off / allowed(answer)).max() < 0.5


def test_the_tolerance_hangs_little_on_the_seed_of_the_perturbations() -> None:
    experiment = descent(problems.random_least_squares(rows=40, columns=8, condition=1e4, seed=3))
    drawn = np.array([allowed(build_answer(experiment, seed, aided=False)) for seed in range(6)])
    assert len(np.unique(drawn, axis=0)) == 6
    assert (drawn.max(axis=0) / drawn.min(axis=0)).max() < 10


# --- correct forms and mistakes -----------------------------------------------------------------------------------


def test_every_algorithm_of_lectures_2_to_4_that_is_given_oracles_is_measured() -> None:
    assert EXAMPLES.keys() == {
        "gradient_descent",
        "anderson_acceleration",
        "heavy_ball",
        "nesterov",
        "nesterov_convex",
        "nesterov_strongly_convex",
        "newton",
        "preconditioned_gradient_descent",
        "projected_gradient_descent",
        "proximal_gradient_descent",
        "ista",
    }


@pytest.mark.parametrize("name", EXAMPLES)
def test_equivalents_stay_inside_a_tolerance_that_does_not_know_them(name: str, measured: dict[str, Any]) -> None:
    forms = measured[name].of(Kind.EQUIVALENT)
    scores = {form: measured[name].score(path, measured[name].answer) for form, path in forms.items()}
    assert len(scores) >= 2
    assert not {form for form, score in scores.items() if score > 0.5}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_tolerance_of_grades_knows_every_equivalent(name: str, measured: dict[str, Any]) -> None:
    forms = measured[name].of(Kind.EQUIVALENT)
    assert max(measured[name].score(path, measured[name].aided) for path in forms.values()) <= 1 / FACTOR


@pytest.mark.parametrize("name", EXAMPLES)
def test_mistakes_that_differ_at_all_are_outside_by_orders_of_magnitude(name: str, measured: dict[str, Any]) -> None:
    differing = {
        wrong: measured[name].score(path, measured[name].aided)
        for wrong, path in measured[name].of(Kind.MISTAKE).items()
        if measured[name].distance(path).any()
    }
    near = {(name, wrong) for wrong, score in differing.items() if score < 1e9}
    assert near <= ONLY_ROUNDING.keys()
    assert len(differing) > len(near)


@pytest.mark.parametrize(("name", "wrong"), ONLY_ROUNDING)
def test_the_named_mistakes_are_inside(name: str, wrong: str, measured: dict[str, Any]) -> None:
    assert measured[name].score(measured[name].paths[wrong], measured[name].aided) <= 1


def test_near_singularity_a_closed_form_needs_the_aid(anderson: Any) -> None:
    """Weights by normal equations square the condition number, which no perturbed run of the reference does."""
    path = anderson.paths["weights_in_closed_form"]
    assert anderson.score(path, anderson.answer) > 10
    assert anderson.score(path, anderson.aided) <= 1 / FACTOR


# --- single precision ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_run_in_single_precision_is_inside_its_own_tolerance(name: str, measured: dict[str, Any]) -> None:
    assert measured[name].score(measured[name].single, measured[name].aided, "float32") < 0.5


def test_a_run_in_single_precision_is_outside_the_tolerance_of_double(measured: dict[str, Any]) -> None:
    inexact = {name: one for name, one in measured.items() if one.distance(one.single).any()}
    assert len(inexact) >= len(EXAMPLES) - 1, "whole numbers throughout are exact in both precisions"
    for name, one in inexact.items():
        assert one.score(one.single, one.aided) > 1e3, name


# --- horizon ------------------------------------------------------------------------------------------------------


def test_the_horizon_is_where_the_tolerance_passes_the_nearest_mistake(chaos: Any) -> None:
    answer, reach = chaos.aided, FACTOR * chaos.aided.envelope["float64"][0]
    farthest = [chaos.distance(chaos.paths[name]).max() for name in chaos.visible_mistakes()]
    assert len(farthest) >= 5
    assert (reach[: answer.horizon] < min(farthest)).all()
    assert reach[answer.horizon] >= min(farthest)


def test_beyond_the_horizon_a_correct_form_is_as_far_away_as_a_mistake(chaos: Any) -> None:
    """So a comparison there would say nothing; before it, right and wrong are told apart."""
    correct = chaos.paths["quadratic_model"]
    separation = min(chaos.distance(chaos.paths[name]).max() for name in chaos.visible_mistakes())
    assert 20 < chaos.aided.horizon < len(correct)
    assert chaos.distance(correct)[chaos.aided.horizon :].max() > 0.5 * separation
    assert chaos.score(correct, chaos.answer) < 0.5
    assert chaos.score(chaos.paths[page.SLIGHTLY_OFF], chaos.aided) > 1e6


def test_where_rounding_stays_small_every_row_is_compared(measured: dict[str, Any]) -> None:
    assert all(one.aided.horizon == len(one.aided.parts[0]) for one in measured.values())


# --- the page -----------------------------------------------------------------------------------------------------


def test_the_page_states_the_constants_and_shows_every_picture() -> None:
    text = (ROOT / "docs" / "tolerances.md").read_text()
    stated = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", text, re.MULTILINE))
    assert {name: float(value) for name, value in stated.items()} == {"RUNS": RUNS, "FACTOR": FACTOR, "FLOOR": FLOOR}
    assert set(re.findall(r"\(images/(\w+)\.png\)", text)) == {f"tolerance_{name}" for name in page.shown()}
    assert all((ROOT / "docs" / "images" / f"tolerance_{name}.png").is_file() for name in page.shown())
    assert f"{UNIT_ROUNDOFF['float64']:.1e}" in text
