"""Arguments and options that several commands share, so that they are the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grader.assignment.assignment import Assignment, find_assignment, load_assignment
from grader.sandbox.warm import SandboxLevel

AssignmentName = Annotated[
    str,
    typer.Argument(
        metavar="ASSIGNMENT", help="Id of a shipped assignment (see `grader list`), or the path of its folder."
    ),
]
StudentName = Annotated[str, typer.Argument(metavar="STUDENT", help="Name of the student: the stem of the file.")]
GradebookAddress = Annotated[
    str,
    typer.Option("--gradebook", metavar="FILE", help="SQLite file (made if missing), or any SQLAlchemy URL."),
]
OutFolder = Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where pages and tables are written.")]
Sandbox = Annotated[
    SandboxLevel,
    typer.Option(
        help="`strong`; `weak`, where the machine has no namespaces; `none`, for code that you trust. See "
        "`grader doctor`."
    ),
]

GRADEBOOK = "gradebook.db"
OUT = Path("out")


def assignment_named(name: str) -> Assignment:
    """The assignment of that id or folder."""
    return load_assignment(find_assignment(name))
