"""Grades for other programs: a table for spreadsheets, a document for scripts."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from grader.judge.grade import Grade, QuestionGrade, Status, Verdict
from grader.report.text import visible

_FORMULA = ("=", "+", "-", "@", "\t", "\n", "＝", "＋", "－", "＠")


def scores_csv(grades: Sequence[Grade]) -> str:
    """One row a student, one column a question, in the order of the grades and of the assignment.

    What could not be graded by our fault is left empty: it is not a zero. A text that a spreadsheet would take for
    a formula gets an apostrophe in front.
    """
    questions = list(dict.fromkeys(question.id for grade in grades for question in grade.questions))
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    fixed = ["student", "file", "status", "score", "max_score", "pending", "late"]
    writer.writerow([*fixed, *map(_cell, questions)])
    for grade in grades:
        scores = {question.id: _score(question) for question in grade.questions}
        writer.writerow(
            [
                _cell(grade.student),
                _cell(grade.file),
                grade.status,
                "" if grade.status == "unavailable" else _plain(grade.score),
                _plain(grade.max_score),
                _plain(grade.pending),
                "yes" if grade.late else "no",
                *(scores.get(question, "") for question in questions),
            ]
        )
    return table.getvalue()


def results_json(assignment_id: str, grades: Sequence[Grade]) -> dict[str, Any]:
    """The grades as a document of plain values, ready for `json.dumps`."""
    return {"assignment": assignment_id, "results": [_result(grade) for grade in grades]}


def _result(grade: Grade) -> dict[str, Any]:
    reason = {} if grade.status == "graded" else {"reason": grade.reason}
    return {
        "student": grade.student,
        "file": grade.file,
        "status": grade.status,
        **reason,
        "score": _plain(grade.score),
        "max_score": _plain(grade.max_score),
        "questions": [_question(question) for question in grade.questions],
    }


def _question(question: QuestionGrade) -> dict[str, Any]:
    return {
        "id": question.id,
        "status": question.status.value,
        "score": _plain(question.score),
        "max_score": _plain(question.max_score),
        "checks": [_check(verdict) for verdict in question.verdicts],
    }


def _check(verdict: Verdict) -> dict[str, Any]:
    return {
        "id": verdict.id,
        "status": verdict.status.value,
        "score": _plain(verdict.score),
        "max_score": _plain(verdict.max_score),
        "message": verdict.message,
        "diagnosis": verdict.diagnosis.identifier if verdict.diagnosis else None,
        "first_difference": verdict.first_difference,
    }


def _score(question: QuestionGrade) -> int | float | str:
    return "" if question.status is Status.UNAVAILABLE else _plain(question.score)


def _plain(value: float) -> int | float:
    rounded = round(value, 6)
    return int(rounded) if rounded == int(rounded) else rounded


def _cell(text: str) -> str:
    text = visible(text)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
