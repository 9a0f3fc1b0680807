"""Reads the cells of a Jupyter notebook.

nbformat's own reader validates the whole file, repairs it and fails on what it cannot repair. A grader wants the
opposite: whatever text a cell has, from as broken a notebook as possible. So this reader takes from the JSON only
what it needs, for format 4 (`cells`, `source`) and for the older ones (`worksheets`, `input`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from grader.submission.cell import Cell, Kind, check_count, clean
from grader.submission.program import RefusedError

_KINDS: dict[str, Kind] = {"code": "code", "markdown": "markdown", "raw": "raw", "html": "raw", "heading": "markdown"}
_REMARKS_SHOWN = 10


def read_notebook(content: bytes, file_name: str) -> tuple[tuple[Cell, ...], tuple[str, ...]]:
    """The notebook's cells, and sentences about those that could not be read.

    Raises:
        RefusedError: the content is not a notebook, or one of too many cells.
    """
    cells: list[Cell] = []
    remarks: list[str] = []
    found = _raw_cells(_json(content, file_name), file_name)
    check_count(len(found), file_name)
    for number, raw in enumerate(found, start=1):
        try:
            cells.append(_cell(number, raw))
        except ValueError as error:
            remarks.append(f"Cell {number} was left out: {error}.")
    if len(remarks) > _REMARKS_SHOWN:
        remarks[_REMARKS_SHOWN:] = [f"{len(remarks) - _REMARKS_SHOWN} more cells were left out."]
    return tuple(cells), tuple(remarks)


def _json(content: bytes, file_name: str) -> Any:
    try:
        # No number in the file is of interest, and `int` refuses those of more than 4300 digits.
        return json.loads(content, parse_int=lambda _: None, parse_float=lambda _: None)
    except RecursionError:
        reason = "its JSON is nested too deeply"
    except json.JSONDecodeError as error:
        reason = f"it is not JSON from line {error.lineno}, column {error.colno} on"
    except UnicodeDecodeError:
        reason = "it is neither UTF-8 nor UTF-16 text"
    raise RefusedError(
        f"{file_name} is not a notebook: {reason}. Open it in Jupyter, save it there, and hand in that file."
    )


def _raw_cells(notebook: Any, file_name: str) -> Sequence[Any]:
    if isinstance(notebook, dict):
        if isinstance(notebook.get("cells"), list):
            return list(notebook["cells"])
        worksheets = notebook.get("worksheets")
        if isinstance(worksheets, list):
            lists = [sheet.get("cells") for sheet in worksheets if isinstance(sheet, dict)]
            return [cell for cells in lists if isinstance(cells, list) for cell in cells]
    raise RefusedError(
        f"{file_name} is JSON but not a notebook: it has no list of cells. Open it in Jupyter, save it there, "
        "and hand in that file."
    )


def _cell(number: int, raw: Any) -> Cell:
    if not isinstance(raw, dict):
        raise ValueError("it is not a cell")
    name = raw.get("cell_type")
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ValueError(f"its type is {_shown(name)}, not code or markdown")
    source = raw.get("source", raw.get("input"))
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise ValueError("it has no text")
    return Cell(number, kind, clean(source))


def _shown(value: Any) -> str:
    if not isinstance(value, str):
        return "missing" if value is None else "no text"
    return f'"{clean(value[:30])}"'
