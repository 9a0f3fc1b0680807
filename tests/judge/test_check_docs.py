"""docs/checks.md has a section for each kind of check, and docs/authoring.md names it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import grader.assignment
from grader.assignment import Check
from grader.assignment.relations import Relation

DOCS = Path(__file__).parents[2] / "docs"
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", (DOCS / "checks.md").read_text("utf-8"), re.M | re.S))
KINDS = [kind.__name__ for kind in Check.__subclasses__()]
RELATIONS = [relation.__name__ for relation in Relation.__subclasses__()]


@pytest.mark.parametrize("kind", KINDS)
def test_a_check_has_a_section_that_says_what_it_catches_and_what_it_lets_pass(kind: str) -> None:
    assert "**Catches**" in SECTIONS[kind]
    assert "**Lets pass**" in SECTIONS[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_authors_find_a_check_in_the_table_and_import_it(kind: str) -> None:
    assert f"| `{kind}` |" in (DOCS / "authoring.md").read_text("utf-8")
    assert kind in grader.assignment.__all__


@pytest.mark.parametrize("relation", RELATIONS)
def test_authors_find_every_relation(relation: str) -> None:
    assert f"| `{relation}(" in SECTIONS["Property"]
    assert relation in grader.assignment.__all__


def test_no_section_is_about_a_check_that_is_not_there() -> None:
    assert set(SECTIONS) == {*KINDS, "Rubric"}
