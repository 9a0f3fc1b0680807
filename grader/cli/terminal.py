"""Grades on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from grader.judge.grade import Grade, QuestionGrade, Status, Verdict
from grader.report.text import visible

SIGNS = {
    Status.PASSED: "[green]✓[/]",
    Status.PARTIAL: "[yellow]◐[/]",
    Status.FAILED: "[red]✗[/]",
    Status.ERROR: "[red]![/]",
    Status.PENDING: "[blue]…[/]",
    Status.UNAVAILABLE: "[magenta]?[/]",
}
LEGEND = "✓ passed  ◐ partial  ✗ failed  ! error in the student's code  … waits for the marker  ? our fault"


def print_class(console: Console, grades: Sequence[Grade]) -> None:
    """One row a student, one column a question."""
    questions = {question.id: question for grade in grades for question in grade.questions}
    most = max((grade.max_score for grade in grades), default=0.0)
    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    table.add_column("student", overflow="fold")
    table.add_column(f"of {most:g}", justify="right", no_wrap=True)
    for number in range(1, len(questions) + 1):
        table.add_column(f"Q{number}", justify="right", no_wrap=True)
    table.add_column("found", overflow="ellipsis", no_wrap=True, ratio=1)
    for grade in grades:
        cells = {question.id: _cell(question) for question in _judged(grade)}
        table.add_row(
            _line(grade.student),
            f"{grade.score:g}",
            *(cells.get(name, "") for name in questions),
            _line(finding(grade)),
        )
    console.print(table)
    for number, question in enumerate(questions.values(), start=1):
        console.print(f"Q{number} {escape(question.title)} ({question.max_score:g})", style="dim", highlight=False)
    console.print(LEGEND, style="dim")


def finding(grade: Grade) -> str:
    """The one thing to know about a submission, in a few words."""
    if grade.status != "graded":
        return f"{grade.status}: {grade.reason}"
    verdicts = [verdict for question in grade.questions for verdict in question.verdicts]
    named = [verdict.diagnosis.identifier for verdict in verdicts if verdict.diagnosis]
    if named:
        return ", ".join(dict.fromkeys(named))
    failed = (outcome for verdict in verdicts for outcome in verdict.outcomes if not outcome.passed)
    return next((outcome.sentence for outcome in failed), "")


def _judged(grade: Grade) -> Sequence[QuestionGrade]:
    """The questions to show: of a refused file none was looked at."""
    return () if grade.status == "refused" else grade.questions


def _line(text: str) -> str:
    """A text of anybody on one line: nothing invisible, and nothing that moves the cursor or is taken for markup."""
    return escape(" ".join(visible(text).split()))


def _cell(question: QuestionGrade) -> str:
    return f"{question.score:g} {SIGNS[question.status]}"


def print_grade(console: Console, grade: Grade) -> None:
    """Everything about one submission that a terminal can show."""
    pending = f", {grade.pending:g} more wait for the marker" if grade.pending else ""
    console.print(
        f"[bold]{_line(grade.student)}[/] · {_line(grade.assignment_title)} · {_line(grade.file)}: "
        f"[bold]{grade.score:g} of {grade.max_score:g} points[/]{pending}" + (" · late" if grade.late else "")
    )
    if grade.status != "graded":
        console.print(f"[red]{grade.status}[/]: {_line(grade.reason)}")
    for remark in grade.remarks:
        line = f"\n      {_line(remark.source_line)}" if remark.source_line else ""
        console.print(f"  [yellow]note[/] {_line(remark.label)}: {_line(remark.sentence)}{line}")
    for question in _judged(grade):
        print_question(console, question)


def print_question(console: Console, question: QuestionGrade) -> None:
    """One question: its checks, and what is wrong."""
    console.print(
        f"\n{SIGNS[question.status]} [bold]{escape(question.title)}[/] {question.score:g}/{question.max_score:g}"
    )
    for convention in question.conventions:
        console.print(f"  Follows the convention {convention}, which is accepted here.", highlight=False)
    told: set[str] = set()
    for verdict in question.verdicts:
        console.print(f"  {SIGNS[verdict.status]} {escape(verdict.title)} {verdict.score:g}/{verdict.max_score:g}")
        _explain(console, verdict, told)
    for item in question.rubric:
        score = "…" if item.score is None else f"{item.score:g}"
        comment = f" — {item.comment}" if item.comment else ""
        console.print(
            f"  {escape(item.id)} {score}/{item.max_score:g}: {_line(item.text + comment)}", highlight=False
        )


def _explain(console: Console, verdict: Verdict, told: set[str]) -> None:
    """The diagnosis, and the first experiment that failed; what was said before is not said again."""
    if verdict.status is Status.PASSED:
        return
    if verdict.diagnosis and verdict.diagnosis.sentence not in told:
        told.add(verdict.diagnosis.sentence)
        console.print(f"      [bold]{_line(verdict.diagnosis.sentence)}[/] [dim]({verdict.diagnosis.identifier})[/]")
    if verdict.message not in told:
        told.add(verdict.message)
        console.print(f"      {_line(verdict.message)}", highlight=False)
    failed = [outcome.experiment for outcome in verdict.outcomes if not outcome.passed]
    if len(failed) > 1:
        console.print(f"      ({len(failed)} of {len(verdict.outcomes)} experiments failed)", style="dim")
