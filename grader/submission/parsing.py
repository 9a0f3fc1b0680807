"""Takes a submission apart into code blocks and written answers. Nothing of it is executed or compiled."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from grader.submission.archive import unpacked
from grader.submission.cell import Cell
from grader.submission.choice import ARCHIVE, candidates, chosen, rooted, stem, suffix
from grader.submission.ipython_syntax import Translator
from grader.submission.names import shown
from grader.submission.notebook import read_notebook
from grader.submission.program import Block, Program, RefusedError, Submission
from grader.submission.script import decode, is_percent, percent_cells
from grader.submission.written import written_answers

MAX_CODE = 2_000_000
"""Characters of code, and of written answers, that a submission may have."""


def parse(submission: Submission, functions: Collection[str] = ()) -> Program:
    """The submission as a program: code to execute in order, and text for the marker.

    Args:
        submission: what was handed in. A zip archive is opened here.
        functions: names of the functions that the assignment asks for: they tell which of several notebooks in an
            archive or folder is the program.

    Raises:
        RefusedError: it cannot be graded at all; the message is a sentence for the student.
    """
    name = submission.file_name
    if submission.is_folder:
        like = name.removesuffix("/")
        return _one_of(submission.files, f'the folder "{like}"', like, functions, {}, submission.remarks)
    if suffix(name) == ARCHIVE:
        _check_content(submission.content, name)
        packed, left_out = unpacked(submission.content, name)
        return _one_of(packed, name, stem(name), functions, submission.files, submission.remarks + left_out)
    program = _program(name, name, submission.content, submission.files)
    return replace(program, remarks=submission.remarks + program.remarks)


def _one_of(
    packed: Mapping[str, bytes],
    holder: str,
    like: str,
    functions: Collection[str],
    beside: Mapping[str, bytes],
    remarks: tuple[str, ...],
) -> Program:
    """The program among the files of an archive or folder; the others, and those beside the archive, go with it."""
    packed = rooted(packed)
    try:
        name = chosen(packed, holder, like, functions)
    except RefusedError as refusal:
        # A file that was left out may be the one that is missed.
        raise RefusedError(" ".join([str(refusal), *remarks])) from None
    if len(candidates(packed)) > 1:
        remarks = (f"{shown(name)} is the file in {holder} that was graded; the others lie beside it.", *remarks)
    files = {**beside, **packed}
    program = _program(name, f"{shown(name)} in {holder}", files.pop(name), files)
    return replace(program, remarks=remarks + program.remarks)


def _program(file_name: str, name: str, content: bytes, files: Mapping[str, bytes]) -> Program:
    """One notebook or script as a program; messages call it `name`."""
    _check_content(content, name)
    remarks: tuple[str, ...] = ()
    if suffix(file_name) == ".ipynb":
        cells, remarks = read_notebook(content, name)
    elif suffix(file_name) == ".py":
        text = decode(content, name)
        _check_content(text, name)
        if not is_percent(text):
            _check_size(text, name, "code")
            return Program((Block("the script", text),), files=files)
        cells = percent_cells(text, name)
    else:
        raise RefusedError(
            f"{name} is neither a notebook (.ipynb), nor a Python script (.py), nor a zip archive (.zip) of such "
            "files. Hand in one of these."
        )
    blocks, translation_remarks = _blocks(cells, name)
    written = written_answers(cells)
    _check_size("".join(written.values()), name, "written answers")
    return Program(blocks, written, files, (*remarks, *translation_remarks))


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


def _check_content(content: bytes | str, name: str) -> None:
    if not content.strip():
        raise RefusedError(f"{name} is empty. Hand in the file that holds your work.")


def _check_size(text: str, name: str, what: str) -> None:
    if len(text) > MAX_CODE:
        raise RefusedError(
            f"{name} has {len(text) / 1e6:.1f} million characters of {what}; at most {MAX_CODE // 1_000_000} million "
            "are read. Load data from a file instead of writing it into the code."
        )
