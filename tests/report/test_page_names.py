"""File names of feedback pages: safe, different, readable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.report.pages import page_name


@pytest.mark.parametrize("student", ["ada", "s1234567", "ada.lovelace", "ada-lovelace_2"])
def test_a_plain_name_is_kept(student):
    assert page_name(student) == f"{student}.html"


@pytest.mark.parametrize(
    ("student", "beginning"),
    [
        ("王小明", "王小明--"),
        ("Ada Lovelace", "Ada-Lovelace--"),
        ("../../etc/passwd", "etc-passwd--"),
        ("..", "student--"),
        ("", "student--"),
        ("con", "con--"),
        ("nul.txt", "nul.txt--"),
        ("index", "index--"),
        ("a\\b:c*?", "a-b-c--"),
        ("x" * 500, "x" * 40 + "--"),
    ],
)
def test_any_other_name_stays_readable(student, beginning):
    assert page_name(student).startswith(beginning)


@given(st.text(st.characters()))
def test_a_name_is_one_safe_component_of_a_path(student):
    name = page_name(student)
    assert name.endswith(".html")
    assert len(name.encode("utf-8")) <= 255
    assert not name.startswith((".", "-"))
    assert all(character.isalnum() or character in "._-" for character in name)


@given(st.lists(st.text("aA-.b/ é0", max_size=4), unique=True))
def test_different_students_differ_where_case_is_ignored(students):
    names = [page_name(student).casefold() for student in students]
    assert len(set(names)) == len(names)


def test_nobody_can_take_the_page_of_another():
    assert page_name(page_name("Ada").removesuffix(".html")) != page_name("Ada")
    assert page_name(page_name("Ada").removesuffix(".html").lower()).lower() != page_name("Ada").lower()
