"""For authors: test the checks of an assignment before students meet them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from grader.assignment.assignment import find_assignment
from grader.cli.options import AssignmentName, Sandbox
from grader.report.text import counted
from grader.report.validation_page import Mark, QuestionFindings, Validation, shown_ratio, validation_page
from grader.validation.validate import validate as validated

PAGE = "validation.html"


def validate(
    assignment: AssignmentName,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="Write a page with pictures into this folder.")
    ] = None,
    sandbox: Sandbox = "strong",
) -> None:
    """Test the checks: hand in every known form of every function, right and wrong, and the samples.

    Exit code 1 if a wrong form passes, a correct one fails, or a sample does not get what is expected.

    Example: `grader validate hw2`
    """
    folder = find_assignment(assignment)
    with Console(stderr=True).status(f"validating {assignment}"):
        validation = validated(folder, sandbox)
    console = Console(highlight=False)
    for question in validation.questions:
        _print_question(console, question)
    _print_conclusion(console, validation)
    if out is not None:
        page = out / validation.assignment / PAGE
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(validation_page(validation), encoding="utf-8")
        console.print(f"page with pictures: {page}", soft_wrap=True)
    if validation.faults:
        raise typer.Exit(1)


def _print_question(console: Console, question: QuestionFindings) -> None:
    console.print(f"\n[bold]{escape(question.title)}[/]")
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("")
    for heading in ("number", "passed", "lost points", "as itself", "as another", "as nothing"):
        table.add_column(heading, justify="right")
    for row in question.matrix:
        counts = (row.number, row.passed, row.lost, row.itself, row.another, row.nothing)
        table.add_row(row.role, *map(str, counts))
    console.print(table)
    _print_margin(console, "nearest mistake", question.nearest_mistake)
    _print_margin(console, "farthest equivalent", question.farthest_equivalent)
    flake = question.flake
    whose = f" ({escape(', '.join(flake.forms))})" if flake.forms else ""
    changes = f"{flake.changed} of {counted(flake.verdicts, 'verdict')} change over {counted(flake.seeds, 'seed')}"
    console.print(f"  {'flake rate':<20} {changes}{whose}", soft_wrap=True)
    _print_list(console, "mistakes and conventions that no experiment can see", question.unseen)
    _print_list(console, "equivalents farther off than rounding explains", question.beyond_rounding)
    _print_list(console, "not diagnosed as itself", question.misnamed)
    _print_list(console, "cannot be told apart", [f"{one} and {other}" for one, other in question.pairs])
    _print_list(console, "checks that no mistake needs", question.unneeded)


def _print_margin(console: Console, heading: str, mark: Mark | None) -> None:
    if mark is not None:
        console.print(f"  {heading:<20} {shown_ratio(mark.ratio)} tolerances ({escape(mark.name)})", soft_wrap=True)


def _print_list(console: Console, heading: str, lines: Sequence[str]) -> None:
    if lines:
        console.print(f"  {heading}")
    for line in lines:
        console.print(f"    {escape(line)}", soft_wrap=True)


def _print_conclusion(console: Console, validation: Validation) -> None:
    samples = validation.samples
    console.print()
    if samples is not None:
        right = f"{len(samples.differences)} differences from" if samples.differences else "all as in"
        console.print(f"samples: {samples.number}, {right} what is expected")
    if not validation.faults:
        console.print("[green]✓[/] Every wrong form fails, every correct one passes.")
    for fault in validation.faults:
        console.print(f"[red]✗[/] {escape(fault)}", soft_wrap=True)
