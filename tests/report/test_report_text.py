"""Strings from anywhere, made fit to be shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.report.text import counted, mathematics, passage, points, shortened, visible


@pytest.mark.parametrize(
    ("value", "shown"), [(2.0, "2"), (7.5, "7.5"), (1 / 3, "0.33"), (0.0, "0"), (-0.0, "0"), (100, "100"), (20, "20")]
)
def test_points(value, shown):
    assert points(value) == shown


def test_counted():
    assert (counted(1, "check"), counted(2, "check"), counted(0, "check")) == ("1 check", "2 checks", "0 checks")


@given(st.text(st.characters()))
def test_what_is_visible_stays_and_can_be_written(text):
    shown = visible(text)
    shown.encode("utf-8")
    assert visible(shown) == shown
    if text.isprintable():
        assert shown == text.replace("\ufffe", "")


def test_terminal_colours_go_and_control_characters_are_pictured():
    assert visible("\x1b[1;31mred\x1b[0m\x07 a\rb\tc\n") == "red␇ a\nb\tc\n"
    assert visible("abc\u202ecba") == "abc\ufffdcba"


@given(st.text(max_size=300), st.integers(20, 200))
def test_a_long_text_keeps_both_ends(text, limit):
    short = shortened(text, limit)
    assert len(short) <= limit + 60
    assert short[: limit // 2] == text[: limit // 2]
    assert short.endswith(text[-(limit // 4) :])
    assert (short == text) == (len(text) <= limit)


def test_a_passage_is_escaped():
    assert passage("<b>&\x00", 100) == "&lt;b&gt;&amp;␀"


def test_plain_mathematics_gets_the_signs_of_print():
    assert mathematics("||x_k - x*|| <= (1 - mu/L)^k, gamma = 2/(L+mu)") == "‖xₖ − x*‖ ≤ (1 − μ/L)^k, γ = 2/(L+μ)"
    assert mathematics("mean of ||grad f(x_0)||^2") == "mean of ‖∇f(x₀)‖²"
    assert mathematics("a well-known sum-of-squares problem") == "a well-known sum-of-squares problem"
