"""The judge on homework 2: every mistake fails, every correct form passes, and the mistake is named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from grader.answer_key.answer import AnswerKey
from grader.assignment.assignment import Assignment
from grader.judge.grade import QuestionGrade, Status, Verdict
from grader.judge.judge import block_remarks, judge
from grader.sandbox.recording import BlockReport, Outcome, Recording, Run, StudentError
from reference.lecture01.least_squares import (
    least_squares_constants,
    least_squares_gradient,
    least_squares_value,
)
from reference.lecture01.logistic_regression import logistic_gradient, logistic_value
from reference.lecture02.gradient_descent import gradient_descent
from reference.lecture02.linear_network import linear_network_gradients
from reference.variants import Kind, Variant, variants

FUNCTIONS = [
    least_squares_value,
    least_squares_gradient,
    least_squares_constants,
    gradient_descent,
    logistic_value,
    logistic_gradient,
    linear_network_gradients,
]
MISTAKES = [variant for function in FUNCTIONS for variant in variants(function, Kind.MISTAKE)]
EQUIVALENTS = [variant for function in FUNCTIONS for variant in variants(function, Kind.EQUIVALENT)]

Make = Callable[[Mapping[str, Callable[..., Any]]], Run]
Judged = Callable[[Mapping[str, Callable[..., Any]]], dict[str, QuestionGrade]]


def label(variant: Variant) -> str:
    return f"{variant.algorithm.__name__}-{variant.identifier}"


@pytest.fixture(scope="module")
def judged(hw2: Assignment, hw2_key: AnswerKey, run_of: Make) -> Judged:
    def by_id(functions: Mapping[str, Callable[..., Any]]) -> dict[str, QuestionGrade]:
        return {question.id: question for question in judge(hw2, hw2_key, run_of(functions), {})}

    return by_id


def question_of(judged: Judged, function: Callable[..., Any], hw2: Assignment, name: str) -> QuestionGrade:
    (question,) = [question.id for question in hw2.questions if name in question.functions]
    return judged({name: function})[question]


def check(question: QuestionGrade, id: str) -> Verdict:
    (verdict,) = [verdict for verdict in question.verdicts if verdict.id == id]
    return verdict


def test_the_reference_gets_full_marks_and_proofs_wait(judged: Judged) -> None:
    questions = judged({})
    assert {name: (q.status, q.score) for name, q in questions.items()} == {
        "least_squares": (Status.PASSED, 3),
        "gradient_descent": (Status.PASSED, 6),
        "logistic_regression": (Status.PASSED, 3),
        "linear_network": (Status.PASSED, 3),
        "proofs": (Status.PENDING, 0),
    }
    assert not any(verdict.message for question in questions.values() for verdict in question.verdicts)


@pytest.mark.parametrize("variant", EQUIVALENTS, ids=label)
def test_every_equivalent_gets_full_marks(judged: Judged, hw2: Assignment, variant: Variant) -> None:
    question = question_of(judged, variant.function, hw2, variant.algorithm.__name__)
    assert question.status is Status.PASSED, [verdict.message for verdict in question.verdicts]


@pytest.mark.parametrize("variant", MISTAKES, ids=label)
def test_every_mistake_loses_points_and_is_named(judged: Judged, hw2: Assignment, variant: Variant) -> None:
    question = question_of(judged, variant.function, hw2, variant.algorithm.__name__)
    assert question.score < question.max_score
    failing = [verdict for verdict in question.verdicts if verdict.status is not Status.PASSED]
    named = {verdict.diagnosis.identifier for verdict in failing if verdict.diagnosis}
    assert named == {variant.identifier}
    assert all(verdict.message for verdict in failing)


def test_two_gradients_a_step_lose_only_the_calls(judged: Judged) -> None:
    (variant,) = [v for v in variants(gradient_descent) if v.identifier == "two_gradients_per_step"]
    question = judged({"gradient_descent": variant.function})["gradient_descent"]
    assert [verdict.id for verdict in question.verdicts if verdict.score == 0] == ["calls"]
    assert "40 calls are needed" in " ".join(o.sentence for o in check(question, "calls").outcomes)


def test_the_first_wrong_iterate_is_told_in_the_verdict(judged: Judged) -> None:
    def wrong_from_5(gradient: Any, x0: Any, learning_rate: float, num_steps: int) -> Any:
        rows = gradient_descent(gradient, x0, learning_rate, num_steps)
        rows[5:] += 1e-6
        return rows

    verdict = check(judged({"gradient_descent": wrong_from_5})["gradient_descent"], "iterates")
    assert verdict.first_difference == 5
    assert "x_5 is the first wrong iterate; x_0 to x_4 are right" in verdict.message


def test_nan_never_passes(judged: Judged) -> None:
    def nan(*_: Any) -> float:
        return float("nan")

    verdict = check(judged({"least_squares_value": nan})["least_squares"], "value")
    assert verdict.status is Status.FAILED
    assert verdict.diagnosis is not None
    assert verdict.diagnosis.identifier == "not_finite"


def test_hidden_experiments_show_no_numbers(judged: Judged) -> None:
    def off(A: Any, b: Any, x: Any) -> Any:
        return 1.0001 * least_squares_value(A, b, x)

    outcomes = check(judged({"least_squares_value": off})["least_squares"], "value").outcomes
    assert {outcome.public for outcome in outcomes} == {True, False}
    for outcome in outcomes:
        assert ("off by" in outcome.sentence) is outcome.public


def test_messages_of_exceptions_in_hidden_experiments_stay_hidden(judged: Judged) -> None:
    def raises(A: Any, b: Any, x: Any) -> Any:
        raise ValueError(f"secret {A}")

    outcomes = check(judged({"least_squares_value": raises})["least_squares"], "value").outcomes
    for outcome in outcomes:
        assert ("secret" in outcome.sentence) is outcome.public
        assert "ValueError" in outcome.sentence


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_single_precision_is_right_and_half_is_not(judged: Judged, dtype: type) -> None:
    def low(gradient: Any, x0: Any, learning_rate: float, num_steps: int) -> Any:
        x, rows = np.asarray(x0, dtype=dtype), [np.asarray(x0, dtype=dtype)]
        for _ in range(num_steps):
            x = (x - dtype(learning_rate) * gradient(x.astype(np.float64)).astype(dtype)).astype(dtype)
            rows.append(x)
        return np.array(rows)

    question = judged({"gradient_descent": low})["gradient_descent"]
    assert (check(question, "iterates").status is Status.PASSED) is (dtype is np.float32)
    if dtype is np.float32:
        assert question.score == 6


def test_single_precision_hidden_in_a_double_array_is_named(judged: Judged) -> None:
    def mixed(A: Any, b: Any, x: Any) -> Any:
        return float(least_squares_value(A.astype(np.float32), b, x))

    verdict = check(judged({"least_squares_value": mixed})["least_squares"], "value")
    assert verdict.diagnosis is not None
    assert verdict.diagnosis.identifier == "single_precision"


@pytest.mark.parametrize(
    ("wrong", "identifier"),
    [
        (lambda A, b, x: 3.0 * least_squares_value(A, b, x), "constant_factor"),
        (lambda A, b, x: -least_squares_value(A, b, x), "opposite_sign"),
    ],
)
def test_a_constant_factor_is_found_without_a_library(judged: Judged, wrong: Any, identifier: str) -> None:
    diagnosis = check(judged({"least_squares_value": wrong})["least_squares"], "value").diagnosis
    assert diagnosis is not None
    assert (diagnosis.identifier, diagnosis.kind) == (identifier, "structural")


def test_a_transposed_path_is_named(judged: Judged) -> None:
    question = judged({"gradient_descent": lambda *a: gradient_descent(*a).T})["gradient_descent"]
    verdict = check(question, "iterates")
    assert verdict.diagnosis is not None
    assert verdict.diagnosis.identifier == "transposed"


def test_nothing_is_claimed_where_nothing_matches(judged: Judged) -> None:
    generator = np.random.default_rng(0)

    def noise(gradient: Any, x0: Any, learning_rate: float, num_steps: int) -> Any:
        rows = gradient_descent(gradient, x0, learning_rate, num_steps)
        rows[1:] += 0.01 * generator.standard_normal(rows[1:].shape)
        return rows

    verdict = check(judged({"gradient_descent": noise})["gradient_descent"], "iterates")
    assert verdict.status is Status.FAILED
    assert verdict.diagnosis is None


def test_a_mistake_in_one_of_three_gradients_costs_one_point_and_is_named(judged: Judged) -> None:
    def third_wrong(*arguments: Any) -> Any:
        first, second, third = linear_network_gradients(*arguments)
        return first, second, -third

    question = judged({"linear_network_gradients": third_wrong})["linear_network"]
    assert [verdict.score for verdict in question.verdicts] == [1, 1, 0]
    diagnosis = check(question, "third_layer").diagnosis
    assert diagnosis is not None
    assert diagnosis.identifier == "wrong_sign"


def test_a_function_that_does_nothing_gets_nothing(judged: Judged) -> None:
    assert judged({"gradient_descent": lambda *_: None})["gradient_descent"].score == 0
    still = judged({"gradient_descent": lambda g, x0, lr, n: np.tile(x0, (n + 1, 1))})["gradient_descent"]
    assert still.score == 0


@pytest.mark.parametrize(
    ("outcome", "status", "words"),
    [
        (Outcome.MISSING, Status.ERROR, "was not found"),
        (Outcome.TIMED_OUT, Status.ERROR, "stopped after 5 s"),
        (Outcome.DIED, Status.ERROR, "stopped after 5 s"),
        (Outcome.REFUSED, Status.ERROR, "stopped after 5 s"),
        (Outcome.UNAVAILABLE, Status.UNAVAILABLE, "fault of the grader"),
    ],
)
def test_what_did_not_return_is_an_error_of_the_student_or_a_fault_of_ours(
    hw2: Assignment, hw2_key: AnswerKey, run_of: Make, outcome: Outcome, status: Status, words: str
) -> None:
    run = run_of({})
    recordings = {
        key: Recording(key, outcome, reason="stopped after 5 s") if key.startswith("gradient_descent") else recording
        for key, recording in run.recordings.items()
    }
    questions = {question.id: question for question in judge(hw2, hw2_key, Run(recordings), {})}
    assert questions["gradient_descent"].status is status
    assert questions["gradient_descent"].score == 0
    assert words in questions["gradient_descent"].verdicts[0].message
    assert questions["least_squares"].status is Status.PASSED


def test_a_recording_that_is_missing_is_our_fault(hw2: Assignment, hw2_key: AnswerKey) -> None:
    assert {question.status for question in judge(hw2, hw2_key, Run({}), {})} == {Status.UNAVAILABLE, Status.PENDING}


def test_pictures_are_of_public_experiments_only(judged: Judged, hw2: Assignment) -> None:
    pictures = judged({})["gradient_descent"].pictures
    assert {picture.experiment for picture in pictures} == {
        experiment.name for experiment in hw2.experiments if experiment.public and experiment.iterative
    }
    for picture in pictures:
        assert picture.bound is not None
        assert len(picture.student) == len(picture.reference) == len(picture.bound)


def test_judging_twice_gives_the_same_grade(hw2: Assignment, hw2_key: AnswerKey, run_of: Make) -> None:
    run = run_of({"gradient_descent": variants(gradient_descent, Kind.MISTAKE)[3].function})
    assert judge(hw2, hw2_key, run, {}) == judge(hw2, hw2_key, run, {})


def test_a_students_own_check_leaves_out_what_has_only_hidden_experiments(
    hw2: Assignment, hw2_key: AnswerKey, run_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *others = hw2.questions
    for experiment in first.experiments:
        monkeypatch.setattr(experiment, "public", False)
    own = judge(hw2, hw2_key, run_of({}), {}, public_only=True)
    assert [question.id for question in own] == [question.id for question in others]


def test_of_many_remarks_the_first_are_told() -> None:
    reports = [BlockReport(f"cell {number}", StudentError("ValueError", "no")) for number in range(2000)]
    remarks = block_remarks(reports)
    assert [remark.label for remark in remarks[:20]] == [f"cell {number}" for number in range(20)]
    assert [remark.sentence for remark in remarks[20:]] == [
        "There are 1980 more remarks like these; mend the first ones first."
    ]
