"""Functions that are given oracles at a point, and no x0: what they return is no sequence of iterates."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from grader.answer_key.answer import Answer
from grader.answer_key.build import build_answer
from grader.assignment.check import Bound, LinearRate, Monotone, SublinearRate, Values
from grader.assignment.errors import AssignmentError
from grader.assignment.experiment import ORACLES, Experiment
from grader.judge.checks import judge_experiment
from grader.judge.diagnosis import diagnose
from grader.judge.observation import Observation
from grader.sandbox.recording import Outcome, Recording
from reference import problems
from reference.index import entries
from reference.lecture01.distributed.dsgd import decentralized_least_squares
from reference.lecture04.gradient_mapping import gradient_mapping, penalty_subgradient
from reference.lecture04.optimality import prox_residual
from reference.lecture04.problems import dense_lasso
from reference.lecture04.robust_pca import robust_pca_alternating, robust_pca_proximal_gradient
from reference.lecture05.finite_differences import forward_difference
from reference.lecture05.smoothing import gaussian_smooth, gaussian_smooth_gradient
from reference.variants import Kind, example_of, variants

Function = Callable[..., Any]

LASSO = dense_lasso()
TALL = problems.random_least_squares(rows=20, columns=3, condition=10.0, seed=1)
POINT = np.array([1.0, -0.5, 2.0])

EXPERIMENTS = [
    Experiment("e", gradient_mapping, LASSO, x=POINT, learning_rate=0.1, public=True),
    Experiment("e", penalty_subgradient, LASSO, x=POINT, learning_rate=0.1, public=True),
    Experiment("e", prox_residual, LASSO, x=POINT, learning_rate=0.1, public=True),
    Experiment("e", forward_difference, TALL, x=POINT, tau=1e-2, public=True),
    Experiment("e", gaussian_smooth, TALL, x=POINT, tau=0.1, order=3, public=True),
    Experiment("e", gaussian_smooth_gradient, TALL, x=POINT, tau=0.1, order=3, public=True),
]
each = pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.function)


def observed(experiment: Experiment, answer: Answer, parts: tuple[np.ndarray, ...]) -> Observation:
    value = parts if answer.returns_tuple else parts[0]
    return Observation(experiment, Recording(experiment.key, Outcome.RETURNED, value, calls=answer.calls), answer)


@each
def test_they_are_judged_as_numbers(experiment: Experiment) -> None:
    answer = build_answer(experiment)
    assert not answer.iterative
    right = observed(experiment, answer, answer.parts)
    assert judge_experiment(Values(points=1), right).passed
    assert diagnose([right]) is None
    last_entry_wrong = answer.parts[0].copy()
    last_entry_wrong[... if last_entry_wrong.ndim == 0 else -1] += 1.0
    wrong = observed(experiment, answer, (last_entry_wrong, *answer.parts[1:]))
    outcome = judge_experiment(Values(points=1), wrong)
    assert not outcome.passed
    assert outcome.first_difference is None
    assert "x_" not in outcome.sentence
    assert diagnose([wrong]) is None


@each
def test_their_mistakes_are_named(experiment: Experiment) -> None:
    answer = build_answer(experiment)
    for variant in variants(experiment.reference, Kind.MISTAKE):
        made = answer.variants[variant.identifier]
        if made.parts is None:
            continue
        wrong = Observation(
            experiment,
            Recording(
                experiment.key,
                Outcome.RETURNED,
                made.parts if answer.returns_tuple else made.parts[0],
                calls=made.calls,
                changed_inputs=made.changed_inputs,
            ),
            answer,
        )
        found = diagnose([wrong])
        if found is not None:  # what gives the same numbers here has no name
            assert found.kind == "mistake"
            assert variant.identifier in (found.identifier, *found.alternatives)


@each
def test_no_check_of_a_run_selects_them(experiment: Experiment) -> None:
    for check in (LinearRate, SublinearRate, Monotone, Bound):
        assert not check(points=1).selects(experiment)


@pytest.mark.parametrize("check", [LinearRate, SublinearRate, Monotone, Bound])
@pytest.mark.parametrize("method", [robust_pca_alternating, robust_pca_proximal_gradient, decentralized_least_squares])
def test_neither_do_they_select_methods_that_are_given_no_oracles(check: type, method: Function) -> None:
    example = example_of(method)
    assert example is not None
    assert not check(points=1).selects(Experiment("e", method, example.problem(), **example.arguments))


def test_every_example_of_the_reference_that_is_given_oracles_returns_one_row_for_each_iterate() -> None:
    seen = 0
    for entry in entries():
        if entry.example is None:
            continue
        try:
            made = Experiment("e", entry.function, entry.example.problem(), **entry.example.arguments)
        except AssignmentError:  # an argument that no problem offers
            continue
        if made.oracles:
            assert made.iterative, entry.name
            path = made.reference(**made.arguments)
            first = path[0] if isinstance(path, tuple) else path
            np.testing.assert_array_equal(first[0], made.arguments["x0"])  # type: ignore[arg-type]
            seen += 1
    assert seen > 20


def test_every_function_of_the_reference_that_returns_a_number_has_no_starting_point() -> None:
    """What `Experiment.iterative` rests on, and authors can rely on."""
    for entry in entries():
        signature = inspect.signature(entry.function)
        if signature.return_annotation in (float, "float", bool, "bool", "Vector"):
            assert not ("x0" in signature.parameters and ORACLES.keys() & signature.parameters.keys()), entry.name


def test_a_reference_with_a_start_that_returns_a_single_number_is_an_error_of_the_author() -> None:
    def final_value(gradient: Function, x0: np.ndarray, num_steps: int) -> float:
        return float(np.sum(gradient(x0)))

    with pytest.raises(AssignmentError, match=r"given oracles and x0, so it must return iterates"):
        build_answer(Experiment("e", final_value, problems.bowl(), num_steps=3))
