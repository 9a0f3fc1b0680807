"""Takes a submission apart into code blocks and written answers. Nothing of it is executed or compiled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from grader.submission.cell import Cell, check_count
from grader.submission.ipython_syntax import Translator
from grader.submission.notebook import read_notebook
from grader.submission.program import Block, Program, RefusedError, Submission
from grader.submission.script import decode, is_percent, percent_cells
from grader.submission.written import written_answers

MAX_CODE = 2_000_000
"""Characters of code, and of written answers, that a submission may have."""


def parse(submission: Submission) -> Program:
    """The submission as a program: code to execute in order, and text for the marker.

    Raises:
        RefusedError: the file cannot be graded at all; the message is a sentence for the student.
    """
    name = submission.file_name
    if not submission.content.strip():
        raise RefusedError(_empty(name))
    suffix = PurePath(name).suffix.lower()
    remarks: tuple[str, ...] = ()
    if suffix == ".ipynb":
        cells, remarks = read_notebook(submission.content, name)
    elif suffix == ".py":
        text = decode(submission.content, name)
        if not text.strip():
            raise RefusedError(_empty(name))
        if not is_percent(text):
            _check_size(text, name, "code")
            return Program((Block("the script", text),), files=submission.files)
        cells = percent_cells(text)
        check_count(len(cells), name)
    else:
        raise RefusedError(f"{name} is neither a notebook (.ipynb) nor a Python script (.py). Hand in one of these.")
    blocks, translation_remarks = _blocks(cells, name)
    written = written_answers(cells)
    _check_size("".join(written.values()), name, "written answers")
    return Program(blocks, written, submission.files, (*remarks, *translation_remarks))


def _blocks(cells: Sequence[Cell], name: str) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    code = [cell for cell in cells if cell.kind == "code" and cell.text.strip()]
    _check_size("".join(cell.text for cell in code), name, "code")
    translator = Translator()
    blocks: list[Block] = []
    remarks: list[str] = []
    for cell in code:
        source = translator.translate(cell.text)
        if source is None:
            remarks.append(
                f"The magics of {cell.label} were left as they are, because {name} has too much text in cells with "
                "magics. Move the magics to a cell of their own."
            )
        blocks.append(Block(cell.label, cell.text if source is None else source))
    return tuple(blocks), tuple(remarks)


def _empty(name: str) -> str:
    return f"{name} is empty. Hand in the file that holds your work."


def _check_size(text: str, name: str, what: str) -> None:
    if len(text) > MAX_CODE:
        raise RefusedError(
            f"{name} has {len(text) / 1e6:.1f} million characters of {what}; at most {MAX_CODE // 1_000_000} million "
            "are read. Load data from a file instead of writing it into the code."
        )
