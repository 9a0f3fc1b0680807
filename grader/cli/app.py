"""Puts the commands together, and turns every error of the user into a sentence."""

from __future__ import annotations

import sys
import traceback

import typer

from grader.assignment.errors import AssignmentError
from grader.assignment.handout import HandoutError
from grader.cli import assistant, author, instructor, library, machine, student, validation
from grader.gradebook.errors import GradebookError
from grader.sandbox.warm import SandboxUnavailableError
from grader.submission.intake import PathError
from grader.submission.program import RefusedError

WRONG_USAGE = 2
OUR_FAULT = 1

app = typer.Typer(
    name="grader",
    help="Grades numerical and machine-learning homework by trajectories, rates, theorem bounds and oracle calls.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.command("check", rich_help_panel="Students")(student.check)
app.command("grade", rich_help_panel="Teaching assistants")(assistant.grade)
app.command("show", rich_help_panel="Teaching assistants")(assistant.show)
app.command("mark", rich_help_panel="Teaching assistants")(assistant.mark)
app.command("report", rich_help_panel="Instructors")(instructor.report)
app.command("list", rich_help_panel="Instructors")(instructor.list_assignments)
app.command("release", rich_help_panel="Authors")(author.release)
app.command("validate", rich_help_panel="Authors")(validation.validate)
app.command("reference", rich_help_panel="Everybody")(library.reference)
app.command("doctor", rich_help_panel="This machine")(machine.doctor)


def main() -> None:
    """Run the command line."""
    try:
        app()
    except (AssignmentError, HandoutError, GradebookError, PathError, RefusedError, SandboxUnavailableError) as error:
        _say(str(error))
        sys.exit(WRONG_USAGE)
    except BrokenPipeError:
        sys.exit(OUR_FAULT)
    except Exception as error:
        if isinstance(error, OSError) and error.filename is not None:
            _say(f"{error.filename}: {error.strerror}. Choose another place, or make this one accessible.")
            sys.exit(WRONG_USAGE)
        frame = traceback.extract_tb(error.__traceback__)[-1]
        _say(
            f"A fault in the grader: {type(error).__name__}: {error} ({frame.filename}, line {frame.lineno}). "
            "Nothing that was graded is lost. Please report this sentence."
        )
        sys.exit(OUR_FAULT)


def _say(sentence: str) -> None:
    print(f"grader: {sentence}", file=sys.stderr)
