"""The feedback page: what a student gets back for one submission."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from grader.judge.grade import Diagnosis, Grade, Outcome, Picture, QuestionGrade, Status, Verdict
from grader.report.chart import convergence_chart, score_bar
from grader.report.templates import render
from grader.report.text import mathematics

_LOST = (Status.FAILED, Status.PARTIAL, Status.ERROR)


def feedback_page(grade: Grade) -> str:
    """One self-contained HTML page about `grade`: no script, no network, nothing of a student unescaped."""
    # Of a refused file no question was looked at.
    questions = () if grade.status == "refused" else grade.questions
    return render(
        "feedback.html",
        grade=grade,
        questions=[_question(question) for question in questions],
        not_checked=sum(q.max_score for q in grade.questions if q.status is Status.UNAVAILABLE),
        praise=_praise(grade),
        bar=score_bar(grade.score, grade.pending, grade.max_score),
    )


def _praise(grade: Grade) -> str:
    statuses = {question.status for question in grade.questions}
    if statuses == {Status.PASSED}:
        return "Full marks: everything is right. Well done!"
    if statuses == {Status.PASSED, Status.PENDING}:
        return "Everything that was checked so far is right. Well done!"
    return ""


@dataclass(frozen=True)
class _Trial:
    """What the student may know about one check on one experiment."""

    name: str
    outcome: Outcome


@dataclass(frozen=True)
class _Check:
    verdict: Verdict
    message: str
    trials: tuple[_Trial, ...]
    passed: int
    opened: bool
    """Whether its experiments are unfolded: those of the first check that lost points, which usually tell it all."""


@dataclass(frozen=True)
class _Question:
    grade: QuestionGrade
    diagnoses: tuple[Diagnosis, ...]
    checks: tuple[_Check, ...]
    charts: tuple[tuple[Picture, Markup], ...]


def _question(question: QuestionGrade) -> _Question:
    # The same mistake fails several checks; it is told once.
    diagnoses = {verdict.diagnosis.identifier: verdict.diagnosis for verdict in question.verdicts if verdict.diagnosis}
    told = {diagnosis.sentence for diagnosis in diagnoses.values()}
    first_lost = next((verdict.id for verdict in question.verdicts if verdict.status in _LOST), None)
    return _Question(
        question,
        tuple(diagnoses.values()),
        tuple(_check(verdict, told, verdict.id == first_lost) for verdict in question.verdicts),
        tuple((picture, convergence_chart(picture)) for picture in map(_typeset, question.pictures)),
    )


def _typeset(picture: Picture) -> Picture:
    names = {"quantity": mathematics(picture.quantity), "bound_name": mathematics(picture.bound_name)}
    return picture.model_copy(update=names)


def _check(verdict: Verdict, told: set[str], opened: bool) -> _Check:
    trials = tuple(_Trial(_name(outcome), outcome) for outcome in verdict.outcomes)
    message = "" if verdict.message in told else verdict.message
    return _Check(verdict, message, trials, sum(outcome.passed for outcome in verdict.outcomes), opened)


def _name(outcome: Outcome) -> str:
    return outcome.experiment if outcome.public else f"{outcome.experiment} (hidden)"
