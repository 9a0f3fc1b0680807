"""Notebooks to test with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.submission.program import Program, Submission

Cells = list[tuple[str, str]]


def notebook_bytes(cells: Cells) -> bytes:
    """A notebook of format 4.5 with cells of (type, text)."""
    code = {"execution_count": None, "outputs": []}
    made = [
        {"cell_type": kind, "id": f"c{number}", "metadata": {}, "source": text} | (code if kind == "code" else {})
        for number, (kind, text) in enumerate(cells)
    ]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


@pytest.fixture(scope="session")
def notebook() -> Callable[[Cells], bytes]:
    return notebook_bytes


@pytest.fixture(scope="session")
def read() -> Callable[[str, bytes], Program]:
    """Parse the content of a file of the given name."""
    from grader.submission.parsing import parse

    return lambda name, content: parse(Submission("ada", name, content))


@pytest.fixture(scope="session")
def read_cells(read: Callable[[str, bytes], Program]) -> Callable[[Cells], Program]:
    """Parse a notebook with cells of (type, text)."""
    return lambda cells: read("ada.ipynb", notebook_bytes(cells))


@pytest.fixture(scope="session")
def hw2_folder() -> Path:
    return Path(__file__).parents[2] / "assignments" / "hw2_gradient_descent"
