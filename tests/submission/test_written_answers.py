"""A marked Markdown cell begins the answer of a written question."""

from __future__ import annotations

import pytest

MARKER = "<!-- answer: proofs -->"


def test_the_answer_is_the_rest_of_the_marked_cell(read_cells):
    assert read_cells([("markdown", f"{MARKER}\n**Proof.** $x$\n\nDone.")]).written == {
        "proofs": "**Proof.** $x$\n\nDone."
    }


def test_it_goes_on_to_the_next_code_cell(read_cells):
    program = read_cells(
        [
            ("markdown", MARKER),
            ("markdown", "one"),
            ("raw", "no"),
            ("markdown", "two"),
            ("code", "x"),
            ("markdown", "three"),
        ]
    )
    assert program.written == {"proofs": "one\n\ntwo"}


def test_it_goes_on_to_the_next_marker(read_cells):
    program = read_cells([("markdown", f"{MARKER}\none"), ("markdown", "<!-- answer: rates_2 -->\ntwo")])
    assert program.written == {"proofs": "one", "rates_2": "two"}


def test_an_answer_in_two_places_keeps_both(read_cells):
    cells = [("markdown", f"{MARKER}\none"), ("code", "x"), ("markdown", f"{MARKER}\ntwo")]
    assert read_cells(cells).written == {"proofs": "one\n\ntwo"}


@pytest.mark.parametrize("text", ["", "\n\n", "\n*Write your proof here.*\n"])
def test_the_placeholder_of_the_handout_is_an_empty_answer(read_cells, text):
    assert read_cells([("markdown", MARKER + text)]).written == {"proofs": ""}


def test_text_below_a_placeholder_that_was_left_is_the_answer(read_cells):
    cells = [("markdown", f"{MARKER}\n*Write your proof here.*"), ("markdown", "Proof.")]
    assert read_cells(cells).written == {"proofs": "Proof."}


@pytest.mark.parametrize(
    "marker", ["<!--answer:proofs-->", "  <!--  answer:  proofs  -->  ", "\n<!-- answer: proofs -->"]
)
def test_spaces_in_the_marker_do_not_matter(read_cells, marker):
    assert read_cells([("markdown", f"{marker}\ntext")]).written == {"proofs": "text"}


@pytest.mark.parametrize(
    "text", ["text", f"text\n{MARKER}", f"{MARKER} text", "<!-- answer -->\ntext", "<!-- answer: a b -->"]
)
def test_other_markdown_is_no_answer(read_cells, text):
    assert read_cells([("markdown", text)]).written == {}


def test_a_marker_in_a_code_cell_is_no_answer(read_cells):
    assert read_cells([("code", f'"""\n{MARKER}\n"""')]).written == {}
