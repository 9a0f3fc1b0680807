"""Points given by hand, and how they enter a grade. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from grader.judge.grade import Grade, QuestionGrade, RubricItem, Status


@dataclass(frozen=True)
class Mark:
    """The points for one rubric item, given by a person."""

    question: str
    item: str
    points: float
    comment: str
    marker: str
    made_at: datetime
    submission_hash: str
    """The submission that the marker read. The mark stays when the student hands in another one."""


_Latest = Mapping[tuple[str, str], Mark]


def with_marks(grade: Grade, marks: Iterable[Mark]) -> Grade:
    """The grade with the marks filled in; score and status of the marked questions follow.

    Args:
        grade: as the judge made it.
        marks: of this student and assignment, oldest first: of two marks for the same item the later one counts.
            One whose item is gone from the rubric, or is worth less by now than the mark gives, is left out.
    """
    latest = {(mark.question, mark.item): mark for mark in marks}
    questions = tuple(_marked_question(question, latest) for question in grade.questions)
    return grade.model_copy(update={"questions": questions})


def _marked_question(question: QuestionGrade, latest: _Latest) -> QuestionGrade:
    rubric = tuple(_marked_item(item, latest.get((question.id, item.id))) for item in question.rubric)
    if rubric == question.rubric:
        return question
    score = sum(verdict.score for verdict in question.verdicts) + sum(item.score or 0.0 for item in rubric)
    marked = question.model_copy(update={"rubric": rubric, "score": round(score, 6)})
    return marked.model_copy(update={"status": _status(marked)})


def _marked_item(item: RubricItem, mark: Mark | None) -> RubricItem:
    if mark is None or mark.points > item.max_score:
        return item
    return item.model_copy(update={"score": mark.points, "comment": mark.comment, "marker": mark.marker})


def _status(question: QuestionGrade) -> Status:
    if any(item.score is None for item in question.rubric):
        return Status.PENDING
    if any(verdict.status is Status.UNAVAILABLE for verdict in question.verdicts):
        return Status.UNAVAILABLE
    if question.score >= question.max_score:
        return Status.PASSED
    return Status.PARTIAL if question.score > 0 else Status.FAILED
