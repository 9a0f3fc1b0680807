"""How marks enter a grade, without a gradebook."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.gradebook.marks import Mark, with_marks
from grader.judge.grade import RubricItem, Status


def mark(item: str, points: float, question: str = "proofs") -> Mark:
    return Mark(question, item, points, "Why.", "emmy", datetime.now(UTC), "hash")


@pytest.mark.parametrize(
    ("marks", "status", "score"),
    [
        ([], Status.PENDING, 0),
        ([mark("statement", 2)], Status.PENDING, 2),
        ([mark("statement", 2), mark("argument", 3)], Status.PASSED, 5),
        ([mark("statement", 2), mark("argument", 0)], Status.PARTIAL, 2),
        ([mark("statement", 0), mark("argument", 0)], Status.FAILED, 0),
        ([mark("statement", 2), mark("argument", 3), mark("argument", 1)], Status.PARTIAL, 3),
    ],
)
def test_status_and_score_follow_the_marks(make_grade, marks, status, score):
    grade = with_marks(make_grade(score=6), marks)
    assert (grade.questions[1].status, grade.questions[1].score) == (status, score)
    assert grade.score == 6 + score
    assert grade.questions[0] == make_grade(score=6).questions[0]


def test_marks_of_other_questions_and_items_change_nothing(make_grade):
    strangers = [mark("gone", 1), mark("statement", 1, question="gone"), mark("iterates", 1, "gradient_descent")]
    assert with_marks(make_grade(), strangers) == make_grade()


def test_a_mark_above_the_maximum_of_a_changed_rubric_waits_to_be_given_again(make_grade):
    grade = with_marks(make_grade(), [mark("statement", 2.5), mark("argument", 3)])
    assert grade.questions[1].status is Status.PENDING
    assert grade.pending == 2


@pytest.mark.parametrize(
    ("check", "status"), [(Status.PARTIAL, Status.PARTIAL), (Status.UNAVAILABLE, Status.UNAVAILABLE)]
)
def test_a_question_with_checks_and_a_rubric_adds_both(make_grade, check, status):
    judged = make_grade(score=4, check=check).questions[0]
    both = judged.model_copy(update={"rubric": (RubricItem(id="style", text="Readable.", max_score=1),)})
    grade = make_grade().model_copy(update={"questions": (both,)})
    marked = with_marks(grade, [mark("style", 1, question="gradient_descent")]).questions[0]
    assert (marked.score, marked.status) == (5, status)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(
    points=st.lists(
        st.tuples(st.sampled_from(["statement", "argument", "gone"]), st.floats(0, 5, allow_nan=False)), max_size=8
    )
)
def test_points_stay_within_the_maximum_and_merging_twice_is_merging_once(make_grade, points):
    marks = [mark(item, value) for item, value in points]
    grade = with_marks(make_grade(), marks)
    assert 0 <= grade.questions[1].score <= grade.questions[1].max_score
    assert with_marks(grade, marks) == grade
