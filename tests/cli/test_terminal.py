"""Grades on a terminal: nothing of a student moves the cursor, hides, or looks like more than one line."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from grader.cli.terminal import print_class, print_grade
from grader.judge.grade import BlockRemark, Grade, Outcome, QuestionGrade, RubricItem, Status, Verdict

HOSTILE = "oops\nzoe   20  3 ✓\x1b[2J\x1b[H\x1b]0;title\x07\x9b2J\u202egnp.exe [bold]x[/] \\"


def hostile_grade() -> Grade:
    verdict = Verdict(
        id="values",
        title="The values are right",
        status=Status.ERROR,
        score=0,
        max_score=1,
        message=HOSTILE,
        outcomes=(Outcome(experiment="four numbers", public=True, passed=False, sentence=HOSTILE),),
    )
    item = RubricItem(id="words", text="In words", max_score=1, score=1, comment=HOSTILE, marker="m")
    question = QuestionGrade(
        id="q", title="Q", status=Status.ERROR, score=0, max_score=2, verdicts=(verdict,), rubric=(item,)
    )
    return Grade(
        assignment="a",
        assignment_title="A",
        student="ada",
        file="ada.py",
        status="graded",
        questions=(question,),
        remarks=(BlockRemark(label="cell 1", sentence=HOSTILE, source_line=HOSTILE),),
    )


def shown(print_it: Callable[[Console], None]) -> str:
    file = io.StringIO()
    print_it(Console(file=file, width=400, color_system=None))
    return file.getvalue()


@pytest.mark.parametrize("whole", [True, False], ids=["one grade", "class"])
def test_what_a_student_wrote_stays_on_its_line_and_is_visible(whole: bool) -> None:
    grade = hostile_grade()
    text = shown(lambda console: print_grade(console, grade) if whole else print_class(console, [grade]))
    assert not any(character in text for character in "\x1b\x07\x9b\u202e")
    assert not any(line.startswith("zoe") for line in text.splitlines())
    assert "oops zoe 20 3 ✓" in text
    assert "[bold]x[/] \\" in text


def test_a_comment_of_the_marker_follows_the_item() -> None:
    assert "words 1/1: In words — oops" in shown(lambda console: print_grade(console, hostile_grade()))
