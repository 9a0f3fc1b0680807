"""A cell: what notebooks and scripts in percent format are made of, before anything is done with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from grader.submission.program import RefusedError

Kind = Literal["code", "markdown", "raw"]

MAX_CELLS = 2_000

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Cell:
    """One cell.

    Args:
        number: its place in the file as the student counts: all cells, from 1.
        kind: "code", "markdown" or "raw".
        text: lines separated by "\\n", and always encodable as UTF-8.
    """

    number: int
    kind: Kind
    text: str

    @property
    def label(self) -> str:
        """How a message names the cell to the student: "cell 3"."""
        return f"cell {self.number}"


def check_count(count: int, file_name: str) -> None:
    """Refuse a file of too many cells, before any of them is looked at.

    Raises:
        RefusedError: there are more than `MAX_CELLS`.
    """
    if count > MAX_CELLS:
        raise RefusedError(f"{file_name} has {count} cells; at most {MAX_CELLS} are read. Hand in only your work.")


def clean(text: str) -> str:
    """`text` with "\\n" as the only line end and U+FFFD in place of half characters (lone surrogates)."""
    return _SURROGATE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
