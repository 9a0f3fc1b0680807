"""For teaching assistants: grade a class, look at one student, mark the written questions."""

from __future__ import annotations

import getpass
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from grader.batch.batch import grade_batch, keep_refused
from grader.batch.workplace import lacking
from grader.cli import INTERRUPTED
from grader.cli.options import (
    GRADEBOOK,
    OUT,
    AssignmentName,
    GradebookAddress,
    OutFolder,
    Sandbox,
    StudentName,
    assignment_named,
)
from grader.cli.terminal import print_class, print_grade
from grader.gradebook.gradebook import Gradebook
from grader.judge.grade import Grade
from grader.report.exports import results_json
from grader.report.folder import FolderError, ReportFolder
from grader.report.text import visible
from grader.submission.intake import RefusedFile, collect

TERMINATED = 128 + signal.SIGTERM
_GO_ON = "The same command goes on with the rest."
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def grade(
    assignment: AssignmentName,
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...", help="Files, or folders that hold one file or one folder a student.", show_default=False
        ),
    ],
    gradebook: GradebookAddress = GRADEBOOK,
    out: OutFolder = OUT,
    jobs: Annotated[
        int, typer.Option("--jobs", min=1, max=256, help="How many submissions at once. [default: the cores]")
    ] = CORES,
    sandbox: Sandbox = "strong",
    json_file: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write the results as JSON too; `-` is the terminal.")
    ] = None,
) -> None:
    """Grade submissions: scores into the gradebook, a feedback page for every student.

    What is graded already is not graded again, so after an interruption the same command goes on.
    Exit code 1 if some could not be graded by a fault of ours, 130 or 143 if it was stopped (Ctrl-C, SIGTERM).

    Example: `grader grade hw2 submissions/ --gradebook hw2.db --out pages`
    """
    asked = assignment_named(assignment)
    if missing := lacking(asked):
        _say(missing)
    collection = collect(paths)
    messages = Console(stderr=True)
    folder = ReportFolder(out, asked.id)
    total = len(collection.submissions)
    submitted = {submission.student for submission in collection.submissions}
    grades: list[Grade] = []
    try:
        with _terminable():
            folder.prepare()
            with (
                Gradebook.open(gradebook) as book,
                _progress(messages) as progress,
                closing(grade_batch(asked, collection.submissions, book, jobs, sandbox)) as batch,
            ):
                refused = keep_refused(asked, collection.refused, book, submitted)
                for one in refused:
                    # Where a file could not be read by a fault of ours, an earlier grade counts.
                    folder.write_feedback(book.latest(asked.id, one.student) or one)
                bar = progress.add_task(asked.id, total=total)
                for one in batch:
                    grades.append(one)
                    folder.write_feedback(one)
                    progress.advance(bar)
    except KeyboardInterrupt as stop:
        _say(f"Stopped: {len(grades)} of {total} submissions are graded and safe in the gradebook. {_GO_ON}")
        raise typer.Exit(TERMINATED if isinstance(stop, _Terminated) else INTERRUPTED) from None
    except FolderError as error:
        _say(
            f"{error.filename} cannot be written: {error.strerror}. Make room or change the permissions, or give "
            f"another folder with --out. What is graded is safe in the gradebook. {_GO_ON}"
        )
        raise typer.Exit(2) from None
    grades = sorted(refused + grades, key=lambda one: one.student)
    _print_results(asked.id, grades, book.place, folder, json_file)
    _tell_passed_over(collection.refused, grades)
    if any(one.status == "unavailable" for one in grades) or any(file.ours for file in collection.refused):
        raise typer.Exit(1)


class _Terminated(KeyboardInterrupt):
    """The system asks this process to end, as it does before it shuts down."""


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM stop what is inside as Ctrl-C does, in good order."""

    def stop(number: int, frame: object) -> None:
        raise _Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _say(sentence: str) -> None:
    print(f"grader: {sentence}", file=sys.stderr)


def _progress(console: Console) -> Progress:
    columns = (TextColumn("grading {task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=not console.is_terminal)


def _print_results(
    assignment: str, grades: Sequence[Grade], place: str, folder: ReportFolder, json_file: str | None
) -> None:
    console = Console(stderr=json_file == "-")
    print_class(console, grades)
    counts = {status: sum(one.status == status for one in grades) for status in ("graded", "refused", "unavailable")}
    console.print(", ".join(f"{count} {status}" for status, count in counts.items() if count) or "nothing to grade")
    console.print(f"gradebook: {place}", soft_wrap=True)
    console.print(f"feedback pages: {folder.feedback}", soft_wrap=True)
    if json_file is not None:
        _write_json(results_json(assignment, grades), json_file)


def _tell_passed_over(files: Sequence[RefusedFile], grades: Sequence[Grade]) -> None:
    """Say what is not among the results, and which files wait for the assistant."""
    shown = {(grade.student, grade.file) for grade in grades}
    for file in files:
        if file.ours:
            _say(
                f"{file.file_name} of {file.student} is not graded, by no fault of the student. {file.reason} "
                "See that it can be read, and give the same command again; until then an earlier grade counts."
            )
        elif (file.student, file.file_name) not in shown:
            _say(f"{file.file_name} of {file.student} is kept and does not count. {file.reason}")


def _write_json(document: dict[str, Any], file: str) -> None:
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    if file == "-":
        sys.stdout.write(text)
    else:
        Path(file).write_text(text, encoding="utf-8", errors="backslashreplace")


def show(assignment: AssignmentName, student: StudentName, gradebook: GradebookAddress = GRADEBOOK) -> None:
    """Show the grade of one student, and the earlier ones.

    Example: `grader show hw2 ada`
    """
    asked = assignment_named(assignment)
    console = Console()
    with Gradebook.open(gradebook, make=False) as book:
        found = book.latest(asked.id, student)
        if found is None:
            print(f"grader: {student!r} has no grade for {asked.id} in {book.place}.", file=sys.stderr)
            raise typer.Exit(2)
        print_grade(console, found)
        history = book.history(asked.id, student)
    if len(history) > 1:
        console.print("\nAll grades, the one that counts last:", style="bold")
        for made_at, receipt, earlier in history:
            console.print(
                f"  {made_at:%Y-%m-%d %H:%M} UTC  {earlier.score:g} of {earlier.max_score:g}"
                f"  submission {receipt.submission_hash[:12]}  answer key {receipt.answer_key_hash[:12]}"
            )


def mark(
    assignment: AssignmentName,
    student: StudentName,
    question: Annotated[str | None, typer.Argument(help="Id of the question.")] = None,
    item: Annotated[str | None, typer.Argument(help="Id of the rubric item.")] = None,
    points: Annotated[float | None, typer.Argument(help="Points to give.")] = None,
    comment: Annotated[str, typer.Option(help="A sentence for the student.")] = "",
    marker: Annotated[str, typer.Option(help="Who marks. [default: the name you are logged in with]")] = "",
    gradebook: GradebookAddress = GRADEBOOK,
) -> None:
    """Give points by hand for one rubric item. Without points: show what is to be marked.

    Marks survive a regrade; a later mark for the same item counts instead of an earlier one.

    Example: `grader mark hw2 ada proofs smoothness 1.5 --comment "Why is the norm of A'A equal to L?"`
    """
    asked = assignment_named(assignment)
    with Gradebook.open(gradebook, make=False) as book:
        if question is None or item is None or points is None:
            _show_written(book.latest(asked.id, student), student, asked.id, book.place)
            return
        book.mark(asked.id, student, question, item, points, comment, marker or getpass.getuser())
        updated = book.latest(asked.id, student)
    assert updated is not None
    Console().print(
        f"{student}: {question}/{item} {points:g} points. Now {updated.score:g} of {updated.max_score:g}"
        + (f"; {updated.pending:g} wait for the marker." if updated.pending else ".")
        + f" `grader report {asked.id}` writes the pages anew.",
        highlight=False,
    )


def _show_written(found: Grade | None, student: str, assignment: str, place: str) -> None:
    if found is None:
        print(f"grader: {student!r} has no grade for {assignment} in {place}.", file=sys.stderr)
        raise typer.Exit(2)
    console = Console()
    for question in found.questions:
        if not question.rubric:
            continue
        console.rule(f"{question.id}: {question.title}")
        console.print(visible(question.written) or "(no answer)", markup=False, highlight=False)
        for rubric in question.rubric:
            state = "pending" if rubric.score is None else f"{rubric.score:g} by {rubric.marker}"
            console.print(
                f"  {question.id} {rubric.id} (0 to {rubric.max_score:g}; {state}): {rubric.text}",
                markup=False,
                highlight=False,
            )
