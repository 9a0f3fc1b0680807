"""For students: check your own work before you hand it in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from grader.answer_key.cache import answer_key
from grader.batch.workplace import calls, limits, warm_sandbox
from grader.cli.options import AssignmentName, assignment_named
from grader.cli.terminal import LEGEND, print_grade
from grader.judge.grade import BlockRemark, Grade
from grader.judge.judge import block_remarks, judge
from grader.submission.intake import collect_one
from grader.submission.parsing import parse


def check(
    assignment: AssignmentName,
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH", help="Your notebook (.ipynb), script (.py), zip archive (.zip) of these, or the folder."
        ),
    ],
) -> None:
    """Run your own work on the public experiments. Nothing is stored.

    Your code runs as you, without a sandbox. The grade is made later from public and hidden experiments, so full
    points here are a good sign and no promise.

    Example: `grader check hw2 hw2.ipynb`
    """
    asked = assignment_named(assignment)
    submission, beside = collect_one(path)
    program = parse(submission, {e.function for e in asked.experiments})
    public = [experiment for experiment in asked.experiments if experiment.public]
    with warm_sandbox(asked, "none") as sandbox:
        run = sandbox.run(program, calls(public), limits(asked))
    remarks = tuple(BlockRemark(label=other.file_name, sentence=other.reason) for other in beside)
    remarks += tuple(BlockRemark(label=submission.file_name, sentence=text) for text in program.remarks)
    grade = Grade(
        assignment=asked.id,
        assignment_title=asked.title,
        student=submission.student,
        file=submission.file_name,
        status="graded",
        questions=judge(asked, answer_key(asked), run, program.written, public_only=True),
        remarks=remarks + block_remarks(run.blocks),
    )
    console = Console()
    print_grade(console, grade)
    for question in asked.questions:
        if question.rubric and (question.id in program.written or not question.checks):
            told = _found(program.written.get(question.id))
            console.print(f"      {escape(question.title)}: your answer {told}", highlight=False)
    console.print(f"\n{LEGEND}", style="dim")
    console.print("These are the public experiments; the grade also uses hidden ones.", style="dim")


def _found(answer: str | None) -> str:
    if answer is None:
        return "was not found: keep the first line of its cell as it was"
    return "was found" if answer else "is still empty"
