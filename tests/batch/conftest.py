"""A small class, and the command that grades it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.assignment.assignment import find_assignment

SOLUTION = find_assignment("hw2") / "samples" / "submissions" / "ada.ipynb"
CLASS = 16


@pytest.fixture
def submissions(tmp_path: Path) -> Path:
    """A folder with the solution under sixteen names."""
    folder = tmp_path / "class"
    folder.mkdir()
    for number in range(CLASS):
        shutil.copy(SOLUTION, folder / f"student{number:02}.ipynb")
    return folder


@pytest.fixture
def command(tmp_path: Path, submissions: Path) -> Callable[..., list[str]]:
    """Makes the command line that grades the class; later options win over earlier ones."""

    def make(*options: str) -> list[str]:
        grade = [sys.executable, "-c", "from grader.cli import main; main()", "grade", "hw2", str(submissions)]
        return [*grade, "--gradebook", str(tmp_path / "g.db"), "--out", str(tmp_path / "out"), *options]

    return make
