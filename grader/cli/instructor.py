"""For instructors: which assignments there are, and how the class did."""

from __future__ import annotations

import sys

import typer
from rich.console import Console
from rich.table import Table

from grader.assignment.assignment import load_assignment, shipped_assignments
from grader.cli.options import (
    GRADEBOOK,
    OUT,
    AssignmentName,
    GradebookAddress,
    OutFolder,
    assignment_named,
)
from grader.gradebook.gradebook import Gradebook
from grader.report.folder import ReportFolder


def report(assignment: AssignmentName, gradebook: GradebookAddress = GRADEBOOK, out: OutFolder = OUT) -> None:
    """Write the class page, the table of scores (CSV), and every feedback page anew, marks included.

    Example: `grader report hw2 --gradebook hw2.db --out pages`
    """
    asked = assignment_named(assignment)
    with Gradebook.open(gradebook, make=False) as book:
        grades = book.grades(asked.id)
    if not grades:
        print(f"grader: there are no grades for {asked.id} in {gradebook}; run `grader grade` first.", file=sys.stderr)
        raise typer.Exit(2)
    folder = ReportFolder(out, asked.id)
    for grade in grades:
        folder.write_feedback(grade)
    folder.write_class(asked.title, grades)
    console = Console()
    console.print(f"table of scores: {folder.scores}", soft_wrap=True)
    console.print(
        f"Open {folder.class_page} in a browser; it links the feedback page of every student.", soft_wrap=True
    )


def list_assignments() -> None:
    """List the assignments that come with the grader.

    Example: `grader list`
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("id", "lecture", "points", "title", "functions to hand in"):
        table.add_column(column, overflow="fold")
    for folder in shipped_assignments():
        assignment = load_assignment(folder)
        functions = [name for question in assignment.questions for name in question.functions]
        table.add_row(
            assignment.id,
            str(assignment.specification.lecture),
            f"{assignment.max_score:g}",
            assignment.title,
            ", ".join(functions),
        )
    Console().print(table)
