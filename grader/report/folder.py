"""The folder that people open: a feedback page for every student, the class page, the table of scores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from grader.judge.grade import Grade
from grader.report.class_page import class_page
from grader.report.exports import scores_csv
from grader.report.feedback import feedback_page
from grader.report.pages import page_name


class ReportFolder:
    """Where the pages of one assignment are written: `<out>/<assignment>/`."""

    def __init__(self, out: Path, assignment: str) -> None:
        self.class_page = out / assignment / "class.html"
        self.scores = out / assignment / "scores.csv"
        self.feedback = out / assignment / "feedback"

    def write_feedback(self, grade: Grade) -> None:
        """Write the feedback page of one student."""
        _write(self.feedback / page_name(grade.student), feedback_page(grade))

    def write_class(self, title: str, grades: Sequence[Grade]) -> None:
        """Write the class page, with links to the feedback pages, and the table of scores."""
        pages = {grade.student: f"feedback/{page_name(grade.student)}" for grade in grades}
        _write(self.class_page, class_page(title, grades, pages))
        _write(self.scores, scores_csv(grades))


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", errors="backslashreplace")
