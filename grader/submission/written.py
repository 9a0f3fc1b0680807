"""Written answers: which of a student's Markdown cells answer which question.

A Markdown cell whose first line is the HTML comment `<!-- answer: proofs -->`, which Jupyter does not show, begins
the answer of the question "proofs". The answer is the rest of that cell and the Markdown cells after it, up to the
next code cell or the next such comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from grader.submission.cell import Cell

PLACEHOLDER = "*Write your proof here.*"
"""What a handout shows where the answer goes; an answer that is still this text counts as empty."""

_MARKER = re.compile(r"\s*<!--[ \t]*answer:[ \t]*([\w-]+)[ \t]*-->[ \t]*(?:\n|\Z)")


def written_answers(cells: Iterable[Cell]) -> dict[str, str]:
    """Question id -> the student's Markdown; "" where the marker stands but nothing was written.

    A question that is answered in two places keeps both, in the order of the file.
    """
    parts: dict[str, list[str]] = {}
    current: list[str] | None = None
    for cell in cells:
        if cell.kind == "code":
            current = None
        elif cell.kind == "markdown":
            marker = _MARKER.match(cell.text)
            if marker:
                current = parts.setdefault(marker[1], [])
            if current is not None:
                current.append(cell.text[marker.end() :] if marker else cell.text)
    return {question: _joined(texts) for question, texts in parts.items()}


def _joined(texts: list[str]) -> str:
    stripped = [text.strip() for text in texts]
    return "\n\n".join(text for text in stripped if text and text != PLACEHOLDER)
