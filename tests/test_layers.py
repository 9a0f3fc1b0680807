"""Imports run downwards only: who may import whom is decided here, once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import grader
import reference

PACKAGE = Path(grader.__file__).parent
# From the top to the ground. A package imports only packages that stand below it.
ORDER = [
    "cli",
    "validation",
    "batch",
    "report",
    "gradebook",
    "judge",
    "answer_key",
    "sandbox",
    "assignment",
    "submission",
    "guest",
    "reference",
]


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def areas_imported_by(folder: Path) -> set[str]:
    names = {name for file in folder.rglob("*.py") for name in imported(file)}
    areas = {name.split(".")[1] for name in names if name.startswith("grader.")}
    return (areas | {name.split(".")[0] for name in names if name.split(".")[0] == "reference"}) & set(ORDER)


def test_every_package_has_its_place() -> None:
    assert {folder.name for folder in PACKAGE.iterdir() if (folder / "__init__.py").is_file()} == set(ORDER[:-1])


@pytest.mark.parametrize("area", ORDER[:-1])
def test_a_package_imports_only_those_below_it(area: str) -> None:
    below = set(ORDER[ORDER.index(area) :])
    assert areas_imported_by(PACKAGE / area) <= below


@pytest.mark.parametrize("folder", [PACKAGE / "guest", Path(reference.__file__).parent], ids=["guest", "reference"])
def test_guest_and_reference_stand_on_the_ground(folder: Path) -> None:
    names = {name for file in folder.rglob("*.py") for name in imported(file)}
    own = "grader.guest" if folder.name == "guest" else "reference"
    ours = {name for name in names if name.split(".")[0] in ("grader", "reference")}
    assert not {name for name in ours if not (name + ".").startswith(own + ".")}


def test_the_sandbox_holds_no_answers() -> None:
    """What runs beside student code, or starts it, must not even be able to import the reference."""
    assert not areas_imported_by(PACKAGE / "sandbox") & {"reference", "answer_key", "judge", "gradebook"}
