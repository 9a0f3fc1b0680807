"""For students: check your own work before you hand it in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from grader.answer_key.cache import answer_key
from grader.batch.workplace import calls, limits, warm_sandbox
from grader.cli.options import AssignmentName, assignment_named
from grader.cli.terminal import LEGEND, print_grade
from grader.judge.grade import BlockRemark, Grade
from grader.judge.judge import block_remarks, judge
from grader.submission.intake import collect
from grader.submission.parsing import parse


def check(
    assignment: AssignmentName,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Your notebook (.ipynb), script (.py), or zip archive (.zip) of these."),
    ],
) -> None:
    """Run your own work on the public experiments. Nothing is stored.

    Your code runs as you, without a sandbox. The grade is made later from public and hidden experiments, so full
    points here are a good sign and no promise.

    Example: `grader check hw2 hw2.ipynb`
    """
    asked = assignment_named(assignment)
    collection = collect([file])
    console = Console()
    if not collection.submissions:
        for refused in collection.refused:
            print(f"grader: {refused.file_name}: {refused.reason}", file=sys.stderr)
        raise typer.Exit(2)
    submission = collection.submissions[0]
    program = parse(submission, {e.function for e in asked.experiments})
    public = [experiment for experiment in asked.experiments if experiment.public]
    with warm_sandbox(asked, "none") as sandbox:
        run = sandbox.run(program, calls(public), limits(asked))
    remarks = tuple(BlockRemark(label=submission.file_name, sentence=text) for text in program.remarks)
    grade = Grade(
        assignment=asked.id,
        assignment_title=asked.title,
        student=submission.student,
        file=submission.file_name,
        status="graded",
        questions=judge(asked, answer_key(asked), run, program.written, public_only=True),
        remarks=remarks + block_remarks(run.blocks),
    )
    print_grade(console, grade)
    for question in grade.questions:
        if question.rubric:
            found = "found" if question.written else "not found: keep the first line of its cell as it was"
            console.print(f"      your answer was {found}")
    console.print(f"\n{LEGEND}", style="dim")
    console.print("These are the public experiments; the grade also uses hidden ones.", style="dim")
