"""NaN and infinity pass no check that looks at the numbers, not in rows either that are not compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from grader.answer_key.answer import Answer
from grader.answer_key.build import build_answer
from grader.assignment import (
    AssignmentError,
    Bound,
    Check,
    Deterministic,
    Experiment,
    InformationFlow,
    Iterates,
    LinearRate,
    Monotone,
    Property,
    SublinearRate,
    Training,
    Values,
)
from grader.judge.checks import judge_check
from grader.judge.grade import Outcome as Judged
from grader.judge.observation import Observation
from grader.judge.picture import picture
from grader.sandbox.recording import Outcome, Recording
from reference import problems
from reference.lecture02.gradient_descent import gradient_descent
from reference.lecture03.nesterov_convex import nesterov_convex
from reference.lecture04.problems import robust_pca_example
from reference.lecture04.proximal_gradient_descent import proximal_gradient_descent
from reference.problem import Problem

NOT_FINITE = "the result contains nan or inf."
CHAOS = Problem(
    name="sines",
    value=lambda x: float(np.sum(np.sin(2 * x))),
    gradient=lambda x: 2 * np.cos(2 * x),
    x0=np.array([0.3, 0.4]),
    smoothness=4.0,
)
SOFTPLUS = Problem(
    name="softplus",
    value=lambda x: float(np.sum(np.logaddexp(0, -x))),
    gradient=lambda x: -1 / (1 + np.exp(x)),
    x0=np.zeros(2),
    smoothness=0.25,
    strong_convexity=0.0,
    minimum=0.0,
)
ROWS = problems.random_least_squares(rows=20, columns=2, condition=10.0, seed=1)
CHAOTIC = Experiment("chaos", gradient_descent, CHAOS, public=True, learning_rate=1.1, num_steps=60)
DESCENT = Experiment("rows", gradient_descent, ROWS, learning_rate=lambda p: 1 / p.smoothness, num_steps=50)
TO_INFINITY = Experiment("softplus", nesterov_convex, SOFTPLUS, smoothness=0.25, num_steps=60)
MATRICES = Experiment(
    "matrices", proximal_gradient_descent, robust_pca_example(), public=True, learning_rate=0.9, num_steps=30
)


def share(values: np.ndarray) -> np.ndarray:
    return values / 2


def observed(experiment: Experiment, answer: Answer, value: Any) -> Observation:
    return Observation(experiment, Recording(experiment.key, Outcome.RETURNED, value, calls=answer.calls), answer)


def judged(check: Check, experiment: Experiment, spoil: Callable[[np.ndarray], np.ndarray]) -> Judged:
    """The outcome for the reference's numbers, spoiled."""
    assert check.selects(experiment)
    answer = build_answer(experiment)
    (only,) = judge_check(check, [observed(experiment, answer, spoil(answer.parts[0].copy()))])
    return only


def from_row(first: int, number: float) -> Callable[[np.ndarray], np.ndarray]:
    def spoil(path: np.ndarray) -> np.ndarray:
        path[first:] = number
        return path

    return spoil


@pytest.mark.parametrize("check", [Iterates(points=1), Values(points=1)])
@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_rows_beyond_the_horizon_are_numbers_too(check: Check, number: float) -> None:
    horizon = build_answer(CHAOTIC).horizon
    assert horizon < 60
    assert judged(check, CHAOTIC, from_row(horizon, 0.0)).passed
    spoiled = judged(check, CHAOTIC, from_row(horizon, number))
    assert (spoiled.passed, spoiled.sentence) == (False, NOT_FINITE)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_what_is_not_finite_in_the_answer_need_not_be_in_the_result(number: float) -> None:
    answer = build_answer(CHAOTIC)
    (path,) = answer.parts
    diverging = replace(answer, parts=(np.where(np.arange(len(path))[:, None] > 50, np.inf, path),))

    def passes(first: int) -> bool:
        value = from_row(first, number)(path.copy())
        return judge_check(Iterates(points=1), [observed(CHAOTIC, diverging, value)])[0].passed

    assert [passes(first) for first in (50, 51, 61)] == [False, True, True]


def test_numbers_at_infinity_are_no_descent_and_within_no_bound() -> None:
    descent = Experiment("softplus", gradient_descent, SOFTPLUS, learning_rate=1.0, num_steps=50)
    for check in (Bound(points=1), Monotone(points=1)):
        assert judged(check, descent, from_row(51, 0.0)).passed
        assert judged(check, descent, from_row(1, np.inf)).sentence == NOT_FINITE


def test_a_rate_is_that_of_a_run_whose_first_row_is_finite_too() -> None:
    def without_start(path: np.ndarray) -> np.ndarray:
        path[0] = np.nan
        return path

    assert judged(LinearRate(points=1), DESCENT, from_row(51, 0.0)).passed
    assert judged(LinearRate(points=1), DESCENT, without_start).sentence == NOT_FINITE
    assert judged(SublinearRate(points=1), TO_INFINITY, without_start).sentence == NOT_FINITE


def test_nan_reaches_no_goal_whatever_is_measured() -> None:
    def share_of_errors(x: np.ndarray) -> float:
        return float(np.mean(ROWS.data["A"] @ x < 0))

    check = Training(points=1, measure=share_of_errors, at_most=1.0)
    assert judged(check, DESCENT, from_row(51, 0.0)).passed
    assert judged(check, DESCENT, from_row(0, np.nan)).sentence == NOT_FINITE


@pytest.mark.parametrize("check", [Monotone(points=1), SublinearRate(points=1)])
def test_an_objective_that_fails_at_nan_is_not_asked(check: Check) -> None:
    """The nuclear norm has a singular value decomposition in it, which raises."""
    assert judged(check, MATRICES, from_row(5, np.nan)).sentence == NOT_FINITE
    answer = build_answer(MATRICES)
    drawn = picture(observed(MATRICES, answer, from_row(5, np.nan)(answer.parts[0].copy())))
    assert drawn is not None
    assert [k for k, number in enumerate(drawn.student) if number is None] == list(range(5, 31))


def test_of_two_results_what_may_differ_must_be_a_number() -> None:
    before, after = (Experiment(n, share, values=np.array([1.0, v])) for n, v in (("before", 2.0), ("after", 3.0)))
    answers = [build_answer(experiment) for experiment in (before, after)]
    check = Property(points=1, relation=InformationFlow(), on=["before", "after"])

    def passes(number: float) -> list[bool]:
        results = [observed(e, a, np.array([0.5, number])) for e, a in zip((before, after), answers, strict=True)]
        return [outcome.passed for outcome in judge_check(check, results)]

    assert passes(5.0) == [True, True]
    assert passes(np.nan) == [False, False]


def test_infinities_that_are_the_same_each_time_are_no_result() -> None:
    first, again = (Experiment(n, share, values=np.ones(2)) for n in ("first", "again"))
    pair = [observed(e, build_answer(e), np.full(2, -np.inf)) for e in (first, again)]
    check = Property(points=1, relation=Deterministic(), on=["first", "again"])
    assert not any(outcome.passed for outcome in judge_check(check, pair))


@pytest.mark.parametrize(
    ("check", "experiment"),
    [
        (LinearRate(points=1), Experiment("short", gradient_descent, ROWS, learning_rate=0.1, num_steps=3)),
        (SublinearRate(points=1), Experiment("short", nesterov_convex, SOFTPLUS, smoothness=0.25, num_steps=9)),
    ],
)
def test_a_rate_that_cannot_be_seen_is_an_error_of_the_author(check: Check, experiment: Experiment) -> None:
    """It would be a point for everybody."""
    with pytest.raises(AssignmentError, match=r"short: the check '\w+' sees no rate.*make more steps"):
        judged(check, experiment, from_row(99, 0.0))


def test_a_rate_that_only_double_precision_shows_is_given_to_right_numbers_alone() -> None:
    fast = Experiment("fast", gradient_descent, ROWS, learning_rate=lambda p: 1.8 / p.smoothness, num_steps=50)
    answer = replace(build_answer(fast), single=True)
    # So wide an envelope in single precision that no step is above it.
    answer = replace(answer, envelope={**answer.envelope, "float32": (np.full(51, 1e-3),)})

    def passes(path: np.ndarray) -> bool:
        return judge_check(LinearRate(points=1), [observed(fast, answer, path.astype(np.float32))])[0].passed

    assert passes(answer.parts[0])
    assert not passes(answer.parts[0] + 100)
