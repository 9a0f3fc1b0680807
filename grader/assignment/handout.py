"""The handout of an assignment: released to students without its solutions, kept with them for the samples.

A handout is a script in Jupytext percent format. What stands between the lines `### BEGIN SOLUTION` and
`### END SOLUTION` is the solution: of a function, or (in a Markdown cell, behind the `# ` of its lines) of a
written question.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat

from grader.assignment.errors import AssignmentError
from grader.submission.script import percent_cells
from grader.submission.written import PLACEHOLDER, written_answers

_MARKER = re.compile(r"(?P<indent>[ \t]*)(?P<comment># )?### (?P<name>BEGIN|END) SOLUTION[ \t]*")
_CELL = re.compile(r"# ?%%")
_STUB = 'raise NotImplementedError("write your solution here")'
_KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


class HandoutError(AssignmentError):
    """A handout is missing, or its markers are wrong. Its text names the file and the line."""


@dataclass(frozen=True)
class _Region:
    """A solution: the lines from the BEGIN marker to the END marker, both included, counted from 0."""

    begin: int
    end: int
    stub: str


def release(handout: Path, out: Path, stem: str) -> tuple[Path, Path]:
    """Write `<stem>.ipynb` and `<stem>.py`, the handout without its solutions, into the folder `out`.

    The same handout gives the same bytes.

    Raises:
        HandoutError: there is no such file, or the markers are not balanced.
    """
    lines = _lines(handout)
    released: list[str] = []
    position = 0
    for region in _regions(handout, lines):
        released += [*lines[position : region.begin], region.stub]
        position = region.end + 1
    text = _text([*released, *lines[position:]])
    out.mkdir(parents=True, exist_ok=True)
    notebook_path, script_path = out / f"{stem}.ipynb", out / f"{stem}.py"
    script_path.write_text(text, encoding="utf-8", newline="\n")
    notebook_path.write_text(notebook(text), encoding="utf-8", newline="\n")
    return notebook_path, script_path


def solution(handout: Path) -> str:
    """The handout with its solutions and without the markers: a script in percent format.

    Raises:
        HandoutError: there is no such file, or the markers are not balanced.
    """
    lines = _lines(handout)
    markers = {line for region in _regions(handout, lines) for line in (region.begin, region.end)}
    return _text([line for number, line in enumerate(lines) if number not in markers])


def notebook(script: str) -> str:
    """The content of an .ipynb file (format 4.5, no outputs) with the cells of a script in percent format."""
    cells = jupytext.reads(script, fmt="py:percent").cells  # type: ignore[no-untyped-call]
    for number, cell in enumerate(cells, start=1):
        cell.id = f"cell-{number}"
        cell.metadata.clear()
    made = nbformat.v4.new_notebook(  # type: ignore[no-untyped-call]
        cells=cells, metadata=_KERNEL, nbformat_minor=5
    )
    return str(nbformat.writes(made)) + "\n"  # type: ignore[no-untyped-call]


def check_answers(handout: Path, required: Collection[str], allowed: Collection[str]) -> None:
    """See that what students write will be found: by the marker cells of the handout.

    Args:
        handout: the handout.
        required: questions that need a marker cell: they are marked by hand and by nothing else.
        allowed: questions that may have one: they are marked by hand.

    Raises:
        HandoutError: a marker names no question that is marked by hand, or such a question has no marker cell.
    """
    asked = written_answers(percent_cells(solution(handout), handout.name))
    for question in asked:
        if question not in allowed:
            raise HandoutError(
                f"{handout}, line {_line_of(handout, question)}: this cell answers the question {question!r}, which is "
                f"not one that is marked by hand ({', '.join(allowed) or 'there is none'}), so nobody would read it"
            )
    for question in required:
        if question not in asked:
            raise HandoutError(
                f"{handout}: question {question!r} is marked by hand, but no Markdown cell begins with the line "
                f"`<!-- answer: {question} -->`, so no answer to it would be found"
            )


def _line_of(handout: Path, question: str) -> int:
    marker = re.compile(rf"<!--\s*answer:\s*{re.escape(question)}\s*-->")
    return next(number for number, line in enumerate(_lines(handout), start=1) if marker.search(line))


def _lines(handout: Path) -> list[str]:
    try:
        return handout.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise HandoutError(f"{handout}: there is no such file; an assignment folder needs it") from None


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def _regions(handout: Path, lines: list[str]) -> list[_Region]:
    regions: list[_Region] = []
    begin: int | None = None
    stub = ""
    for number, line in enumerate(lines):
        where = f"{handout}, line {number + 1}"
        marker = _MARKER.fullmatch(line)
        if begin is not None and _CELL.match(line):
            raise HandoutError(f"{where}: the solution that begins in line {begin + 1} has no END SOLUTION in its cell")
        if marker is None:
            if "### BEGIN SOLUTION" in line or "### END SOLUTION" in line:
                raise HandoutError(f"{where}: a solution marker must stand alone in its line")
        elif marker["name"] == "BEGIN":
            if begin is not None:
                raise HandoutError(f"{where}: BEGIN SOLUTION inside the solution that begins in line {begin + 1}")
            begin = number
            stub = f"# {PLACEHOLDER}" if marker["comment"] else marker["indent"] + _STUB
        elif begin is None:
            raise HandoutError(f"{where}: END SOLUTION without a BEGIN SOLUTION before it in its cell")
        else:
            regions.append(_Region(begin, number, stub))
            begin = None
    if begin is not None:
        raise HandoutError(f"{handout}, line {begin + 1}: BEGIN SOLUTION without an END SOLUTION")
    return regions
