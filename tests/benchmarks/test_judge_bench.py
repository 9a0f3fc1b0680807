"""A part of the judge bench as a test: no wrong form accepted, no right one rejected, no mistake misnamed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from benchmarks.judge import Judged, bench, checks, experiments, forms, record, timed_experiments, timed_forms
from benchmarks.rewritten import RIGHT, WRONG
from grader.answer_key.build import build_answer
from grader.assignment import Experiment
from grader.judge.checks import judge_check
from grader.judge.diagnosis import diagnose
from grader.judge.observation import Observation
from reference.lecture03.heavy_ball import heavy_ball
from reference.lecture04.projections import project_simplex
from reference.lecture04.proximal_gradient_descent import proximal_gradient_descent
from reference.lecture08.adam import adam
from reference.lecture09.saga import saga
from reference.variants import variants

ALGORITHMS = [heavy_ball, proximal_gradient_descent, project_simplex, adam, saga]

Chosen = dict[Callable[..., Any], list[Experiment]]


@pytest.fixture(scope="module")
def chosen() -> Chosen:
    return experiments()


@pytest.fixture(scope="module", params=ALGORITHMS, ids=lambda algorithm: algorithm.__name__)
def judged(request: pytest.FixtureRequest, chosen: Chosen) -> list[Judged]:
    return bench({request.param: chosen[request.param]})[0]


def test_every_right_form_is_accepted_and_told_nothing(judged: list[Judged]) -> None:
    right = [each for each in judged if each.form.mistake is None]
    assert {each.form.family for each in right} == {
        "reference",
        "equivalents",
        "single precision",
        "other order of sums",
        "rewritten",
    }
    assert [each.form.name for each in right if not each.accepted or each.diagnosis is not None] == []


def test_every_wrong_form_is_rejected_and_named(judged: list[Judged]) -> None:
    wrong = [each for each in judged if each.form.mistake is not None]
    assert len(wrong) > 10
    assert [each.form.name for each in wrong if each.accepted or not each.named] == []


def test_each_mistake_is_tried_and_each_rewritten_one_is_in_the_library(chosen: Chosen) -> None:
    for algorithm, group in chosen.items():
        known = {variant.identifier for variant in variants(algorithm)}
        tried = {form.mistake for form in forms(group[0]) if form.mistake is not None}
        assert {identifier for identifier, _ in WRONG.get(algorithm, [])} <= tried <= known
    assert set(RIGHT) | set(WRONG) <= set(chosen)


@pytest.mark.parametrize(("precision", "is_right"), [(np.float32, True), (np.float64, False)])
def test_the_weights_by_a_pseudo_inverse_are_right_in_single_precision(precision: type, is_right: bool) -> None:
    """Three residuals in the plane: some combination of them, with weights of sum 1, is zero."""
    residuals = np.random.default_rng(0).standard_normal((2, 3)).astype(precision)
    u = np.linalg.pinv(residuals.T @ residuals, hermitian=True) @ np.ones(3, precision)
    assert bool(np.linalg.norm(residuals @ (u / u.sum())) < 1e-3) is is_right


def bits(function: Callable[..., Any], experiment: Experiment) -> np.ndarray:
    value = record(function, experiment).value
    assert isinstance(value, np.ndarray)
    return value


def test_rewritten_forms_are_other_code_and_not_the_same_bits(chosen: Chosen) -> None:
    """A rewritten form that returned the reference's very bits everywhere would test nothing about rounding."""
    different = [
        function
        for algorithm, functions in RIGHT.items()
        for function in functions
        if any(not np.array_equal(bits(function, e), bits(algorithm, e)) for e in chosen[algorithm])
    ]
    assert len({algorithm for algorithm, functions in RIGHT.items() if set(functions) & set(different)}) >= 10


def test_what_is_timed_is_what_its_name_says() -> None:
    """One form is right, one is named, one is named and more, and nothing explains the others."""
    (experiment, _) = timed_experiments()
    answer = build_answer(experiment)
    assert len(answer.variants) == 11
    assert answer.parts[0].shape == (500, 50)
    named: dict[str, str | None] = {}
    for name, function in timed_forms().items():
        observation = Observation(experiment, record(function, experiment), answer)
        passed = [judge_check(check, [observation])[0].passed for check in checks(observation)]
        found = diagnose([observation])
        named[name] = found and found.identifier
        assert all(passed) is (name == "right"), name
    assert named.pop("right") is None
    assert named.pop("a named mistake") == "stale_average"
    assert named.pop("a named mistake, its rows one late") == "stale_average+one_row_late"
    seen_along_the_run = {"wrong_start", "diverging", "not_finite", "right_until_step", "wrong_fixed_point"}
    assert set(named.values()) <= {None, *seen_along_the_run}
