"""For authors: make what students get."""

from __future__ import annotations

from rich.console import Console

from grader.assignment.assignment import HANDOUT
from grader.assignment.handout import check_answers
from grader.assignment.handout import release as release_handout
from grader.cli.options import OUT, AssignmentName, OutFolder, assignment_named


def release(assignment: AssignmentName, out: OutFolder = OUT) -> None:
    """Write the handout without solutions, as notebook and as script.

    Example: `grader release hw2 --out handouts`
    """
    asked = assignment_named(assignment)
    handout = asked.folder / HANDOUT
    by_hand = [question for question in asked.questions if question.rubric]
    check_answers(
        handout,
        required=[question.id for question in by_hand if not question.checks],
        allowed=[question.id for question in by_hand],
    )
    for file in release_handout(handout, out, asked.id):
        Console().print(f"wrote {file}", soft_wrap=True)
