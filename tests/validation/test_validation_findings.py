"""A validation names every flaw of an assignment that has them all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from grader.judge.grade import Diagnosis, Status, Verdict
from grader.report.validation_page import QuestionFindings, Validation
from grader.sandbox.recording import Run
from grader.validation.findings import confusion, faults, flake, misnamed
from grader.validation.trial import Form, Role, Trial
from grader.validation.validate import validate
from tests.validation.conftest import SPECIFICATION


def row(question: QuestionFindings, role: str) -> tuple[int, ...]:
    (found,) = [row for row in question.matrix if row.role == role]
    return found.number, found.passed, found.lost, found.itself, found.another, found.nothing


def test_the_confusion_matrix_counts_each_form_once(scale: QuestionFindings, descent: QuestionFindings) -> None:
    assert row(scale, "reference") == (1, 1, 0, 0, 0, 0)
    assert row(scale, "equivalents") == (2, 2, 0, 0, 0, 0)
    assert row(scale, "conventions") == (1, 0, 1, 1, 0, 0)
    number, passed, lost, itself, another, nothing = row(scale, "mistakes")
    assert (number, passed, lost) == (6, 2, 4)
    assert itself + another + nothing == lost
    assert row(descent, "reference") == (1, 1, 0, 0, 0, 0)
    assert row(descent, "mistakes")[:4] == (1, 0, 1, 1)
    assert row(descent, "equivalents")[:3] == (1, 0, 1)


def test_a_question_that_is_marked_by_hand_is_not_validated(flawed: Validation) -> None:
    assert [question.id for question in flawed.questions] == ["scale", "descent"]


def test_a_mistake_that_no_experiment_can_see_is_named(scale: QuestionFindings) -> None:
    assert scale.unseen == ("scale: absolute_factor",)
    assert "scale: absolute_factor is wrong and passes: no experiment can see it." in scale.faults


def test_a_mistake_that_is_seen_but_fails_no_check_is_a_fault_too(scale: QuestionFindings) -> None:
    assert "scale: positive_part is wrong and passes: no check fails for it." in scale.faults
    assert len(scale.faults) == 2


def test_a_correct_form_that_fails_is_a_fault_with_the_reason(descent: QuestionFindings) -> None:
    (fault,) = descent.faults
    assert fault.startswith("descend: mean_of_two_gradients is correct and loses calls: ")
    assert "10 times" in fault


ASTRAY = """
import sys

import numpy as np

from grader.assignment import Experiment, Question, Values
from reference.variants import convention, mistake


def scale(x, c):
    return c * x


TABLE = {}
vars()["TABLE"]["limit"] = 100.0


@mistake(scale, "Large entries are cut.")
def clipped(x, c):
    return c * np.minimum(x, TABLE["limit"])


@convention(scale, "Large entries are cut in halves.")
def folded(x, c):
    return c * np.where(x > TABLE["limit"], x / 2, x)


@mistake(scale, "The wrong sign.")
def careful(x, c):
    if "grader.assignment" in sys.modules:
        raise ValueError("not here")
    return -c * x


@mistake(scale, "No sum was asked for.")
def impossible(x, c):
    return c * (x + np.ones(7))


questions = [
    Question(
        "scale",
        experiments=[Experiment("small", scale, x=np.array([1.0, 2.5]), c=3.0, public=True)],
        checks=[Values(points=2)],
    )
]
"""


def test_a_form_that_fails_in_its_copy_alone_does_not_count_as_seen(tmp_path: Path) -> None:
    """A mistake that raises in the library, too, is one that raises."""
    specification = SPECIFICATION[: SPECIFICATION.index("[[questions]]", SPECIFICATION.index("scale"))]
    (tmp_path / "assignment.toml").write_text(specification, encoding="utf-8")
    (tmp_path / "checks.py").write_text(ASTRAY, encoding="utf-8")
    words = "could not be handed in as it is in the library: on 'small' it"
    assert sorted(validate(tmp_path).faults) == [
        f"scale: careful {words} returned numbers, and the library's own does not.",
        f"scale: clipped {words} ended with KeyError: 'limit'.",
        f"scale: folded {words} ended with KeyError: 'limit'.",
    ]


def test_pairs_that_give_the_same_numbers_are_named(scale: QuestionFindings, descent: QuestionFindings) -> None:
    assert scale.pairs == (("scale: half", "scale: divided_by_two"),)
    assert descent.pairs == ()


def test_a_check_that_no_mistake_needs_is_named(scale: QuestionFindings, descent: QuestionFindings) -> None:
    (sentence,) = scale.unneeded
    assert sentence.startswith("small (")
    assert "3 mistakes fail it, none of them it alone" in sentence
    (sentence,) = descent.unneeded
    assert sentence.startswith("calls (")
    assert "no mistake fails it" in sentence


def test_an_equivalent_that_rounding_does_not_explain_is_named(scale: QuestionFindings) -> None:
    """It widens the tolerance for itself: its verdict alone would not tell."""
    assert scale.beyond_rounding == ("scale: nearly",)
    assert scale.farthest_equivalent is not None
    assert scale.farthest_equivalent.identifier == "nearly"
    assert 1e4 < scale.farthest_equivalent.ratio < 1e8


def test_the_margin_of_a_mistake_is_its_largest_ratio(scale: QuestionFindings) -> None:
    assert scale.nearest_mistake is not None
    ratios = {mark.identifier: mark.ratio for mark in scale.marks if mark.role == "mistake"}
    assert ratios["absolute_factor"] == 0
    assert scale.nearest_mistake.ratio == min(ratio for ratio in ratios.values() if ratio > 1)
    (clipped,) = [mark for mark in scale.marks if mark.identifier == "clipped"]
    assert clipped.ratios["scale: small"] == 0
    assert clipped.ratio == clipped.ratios["scale: large"] > 1e6


def test_no_verdict_hangs_on_the_seed(flawed: Validation) -> None:
    for question in flawed.questions:
        assert question.flake.seeds == 5
        assert question.flake.changed == 0
    assert flawed.questions[0].flake.verdicts == 5 * 9 * 2


def test_samples_are_compared_with_what_is_expected(flawed: Validation) -> None:
    assert flawed.samples is not None
    assert flawed.samples.number == 5
    assert sorted(flawed.samples.differences) == [
        "sample bob (adds): scale gets 0 points in place of 2.",
        "sample bob (adds): scale is diagnosed as addition in place of nothing.",
        'sample bob (adds): the feedback page does not mention "no such words".',
        "sample carol (carol.py): there is no such submission.",
        "sample dan is not in expected.toml.",
        "sample eve (eve.py): it is refused in place of graded"
        " (eve.py is empty. Hand in the file that holds your work.).",
        "sample fay (old.py): it is the file fay.py in place of old.py.",
    ]
    assert set(flawed.faults) > set(flawed.samples.differences)


# What homework and the flawed assignment do not show, from trials made by hand.


def verdict(status: Status, diagnosis: Diagnosis | None = None) -> Verdict:
    return Verdict(
        id="values", title="", status=status, score=0, max_score=1, message="Look here.", diagnosis=diagnosis
    )


def named(identifier: str, *alternatives: str) -> Diagnosis:
    return Diagnosis(identifier=identifier, kind="mistake", sentence="", alternatives=alternatives)


def trial(role: Role, *verdicts: Verdict, ratio: float = 0.0) -> Trial:
    return Trial(Form(role, "f", "wrong_sign"), Run({}), verdicts, {"f: one": ratio}, other_manner=False)


@pytest.mark.parametrize(
    ("diagnosis", "counts", "sentences"),
    [
        (named("wrong_sign"), (1, 0, 0), ()),
        (named("other", "wrong_sign"), (1, 0, 0), ()),
        (named("other"), (0, 1, 0), ("f: wrong_sign is diagnosed as other.",)),
        (None, (0, 0, 1), ("f: wrong_sign is diagnosed as nothing.",)),
    ],
)
def test_a_wrong_diagnosis_is_counted_and_told(
    diagnosis: Diagnosis | None, counts: tuple[int, ...], sentences: tuple[str, ...]
) -> None:
    trials = [trial(Role.MISTAKE, verdict(Status.FAILED, diagnosis), ratio=9.0)]
    (counted,) = confusion(trials)
    assert (counted.itself, counted.another, counted.nothing) == counts
    assert misnamed(trials) == sentences
    assert faults(trials) == ()


def test_two_diagnoses_of_one_form_are_a_wrong_one() -> None:
    verdicts = verdict(Status.FAILED, named("wrong_sign")), verdict(Status.FAILED, named("other"))
    assert misnamed([trial(Role.MISTAKE, *verdicts)]) == ("f: wrong_sign is diagnosed as other, wrong_sign.",)


@pytest.mark.parametrize("role", Role)
def test_what_could_not_be_judged_is_a_fault_whatever_it_is(role: Role) -> None:
    (sentence,) = faults([trial(role, verdict(Status.UNAVAILABLE))])
    assert sentence.endswith("could not be judged: Look here.")


@pytest.mark.parametrize(
    ("role", "status", "ratio", "sentences"),
    [
        (Role.ACCEPTED, Status.PASSED, 9.0, ()),
        (Role.ACCEPTED, Status.FAILED, 9.0, ("f: wrong_sign is correct and loses values: Look here.",)),
        (Role.CONVENTION, Status.FAILED, 9.0, ()),
        (
            Role.CONVENTION,
            Status.PASSED,
            9.0,
            ("f: wrong_sign is a convention that is not accepted and passes: no check fails for it.",),
        ),
        (
            Role.CONVENTION,
            Status.PASSED,
            0.5,
            ("f: wrong_sign is a convention that is not accepted and passes: no experiment can see it.",),
        ),
    ],
)
def test_an_accepted_convention_has_to_pass_and_any_other_has_to_fail(
    role: Role, status: Status, ratio: float, sentences: tuple[str, ...]
) -> None:
    assert faults([trial(role, verdict(status), ratio=ratio)]) == sentences


def test_verdicts_that_change_with_the_seed_are_counted() -> None:
    mistake = trial(Role.MISTAKE, verdict(Status.FAILED, named("wrong_sign")), ratio=9.0)
    right = replace(mistake, form=Form(Role.EQUIVALENT, "f", "right"), verdicts=(verdict(Status.PASSED),))
    same = {trial.form.name: trial.verdicts for trial in (mistake, right)}
    others = [
        same,
        {**same, "f: wrong_sign": (verdict(Status.FAILED),)},
        {**same, "f: wrong_sign": (verdict(Status.PASSED),), "f: right": (verdict(Status.FAILED),)},
    ]
    found = flake([mistake, right], others)
    assert (found.seeds, found.verdicts, found.changed) == (3, 6, 3)
    assert found.forms == ("f: wrong_sign", "f: right")
