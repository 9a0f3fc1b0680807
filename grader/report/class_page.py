"""The class report: how the class did, which question was hard, which mistakes were frequent."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote

from grader.judge.grade import Diagnosis, Grade, QuestionGrade, Status
from grader.report.chart import histogram
from grader.report.templates import render

_OPEN = (Status.PENDING, Status.UNAVAILABLE)


def class_page(title: str, grades: Sequence[Grade], pages: Mapping[str, str] = MappingProxyType({})) -> str:
    """One self-contained HTML page about a class.

    Args:
        title: heading of the page.
        grades: one a student.
        pages: student -> path of the feedback page, relative to this page; a student without one gets no link.
    """
    graded = [grade for grade in grades if grade.status == "graded"]
    scores = [grade.score for grade in graded]
    max_score = max((grade.max_score for grade in grades), default=0.0)
    return render(
        "class_page.html",
        title=title,
        grades=sorted(grades, key=lambda grade: grade.student.casefold()),
        graded=graded,
        refused=[grade for grade in grades if grade.status == "refused"],
        unavailable=[grade for grade in grades if grade.status == "unavailable"],
        late=[grade for grade in grades if grade.late],
        not_checked=_not_checked(graded),
        pending=sum(grade.pending > 0 for grade in graded),
        max_score=max_score,
        mean=statistics.fmean(scores) if scores else None,
        median=statistics.median(scores) if scores else None,
        scores=scores,
        histogram=histogram(scores, max_score),
        questions=question_summaries(graded),
        mistakes=mistake_counts(graded),
        links={student: "./" + quote(page) for student, page in pages.items()},
    )


@dataclass(frozen=True)
class QuestionSummary:
    """How a class did on one question, over the submissions where it is neither pending nor unavailable."""

    title: str
    max_score: float
    number: int
    """Submissions counted."""
    mean: float | None
    """Points; None where nothing is counted."""
    full: float | None
    """Share of full marks, 0 to 1."""
    failed: int
    """Submissions with status failed or error."""
    discrimination: float | None
    """Correlation of the points with the share reached in the other questions, -1 to 1; None where it is not defined:
    fewer than three submissions, or all equal."""


@dataclass(frozen=True)
class MistakeCount:
    """How many students a diagnosis fits, in one question."""

    question: str
    diagnosis: Diagnosis
    students: int


def question_summaries(grades: Sequence[Grade]) -> list[QuestionSummary]:
    """One summary a question, in the order of the assignment."""
    ids = dict.fromkeys(question.id for grade in grades for question in grade.questions)
    return [_summary(identifier, grades) for identifier in ids]


def mistake_counts(grades: Sequence[Grade]) -> list[MistakeCount]:
    """The diagnoses of a class, most frequent first; a student counts once for each question and diagnosis."""
    found: dict[tuple[str, str], tuple[str, Diagnosis]] = {}
    students: dict[tuple[str, str], int] = {}
    for grade in grades:
        own = {
            (question.id, verdict.diagnosis.identifier): (question.title, verdict.diagnosis)
            for question in grade.questions
            for verdict in question.verdicts
            if verdict.diagnosis
        }
        found.update(own)
        for key in own:
            students[key] = students.get(key, 0) + 1
    counts = [MistakeCount(title, diagnosis, students[key]) for key, (title, diagnosis) in found.items()]
    return sorted(counts, key=lambda count: (-count.students, count.diagnosis.identifier))


def _summary(identifier: str, grades: Sequence[Grade]) -> QuestionSummary:
    all_of_it = [(grade, q) for grade in grades for q in grade.questions if q.id == identifier]
    settled = [(grade, question) for grade, question in all_of_it if question.status not in _OPEN]
    points = [question.score for _, question in settled]
    question = all_of_it[0][1]
    return QuestionSummary(
        title=question.title,
        max_score=question.max_score,
        number=len(settled),
        mean=statistics.fmean(points) if points else None,
        full=statistics.fmean(q.score >= q.max_score for _, q in settled) if settled else None,
        failed=sum(q.status in (Status.FAILED, Status.ERROR) for _, q in settled),
        discrimination=_correlation([(q.score, rest) for g, q in settled if (rest := _rest(g, q)) is not None]),
    )


def _rest(grade: Grade, question: QuestionGrade) -> float | None:
    """Share of the points reached in the other questions, as far as they are settled."""
    others = [other for other in grade.questions if other.id != question.id and other.status not in _OPEN]
    reachable = sum(other.max_score for other in others)
    return sum(other.score for other in others) / reachable if reachable else None


def _correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    if len(pairs) < 3 or any(len(set(column)) == 1 for column in zip(*pairs, strict=True)):
        return None
    try:
        return statistics.correlation(*zip(*pairs, strict=True))
    except statistics.StatisticsError:  # the values differ by less than rounding
        return None


def _not_checked(grades: Sequence[Grade]) -> list[tuple[Grade, QuestionGrade]]:
    return [(grade, q) for grade in grades for q in grade.questions if q.status is Status.UNAVAILABLE]
