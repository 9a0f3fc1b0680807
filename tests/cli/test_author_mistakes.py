"""What an author of an assignment can get wrong is told by the command that meets it first, with the place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.assignment.assignment import load_assignment

Grader = Callable[..., tuple[int, str, str]]

SPECIFICATION = """
id = "small"
title = "Small"
lecture = 1

[[questions]]
id = "double"
title = "Twice x"
points = 2

[[questions]]
id = "words"
title = "In words"
points = 1
rubric = [{ id = "why", text = "The reason", points = 1 }]
"""
CHECKS = """
from grader.assignment import Experiment, Question, Values

def double(x):
    return 2 * x

questions = [Question("double", experiments=[Experiment("one", double, x=1.0, public=True)], checks=[Values(points=2)])]
"""
HANDOUT = """\
# %%
def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% [markdown]
# <!-- answer: words -->
# ### BEGIN SOLUTION
# Because.
# ### END SOLUTION
"""
STYLE = 'points = 3\nrubric = [{ id = "style", text = "Readable", points = 1 }]'


@pytest.fixture
def small(tmp_path: Path) -> Callable[..., Path]:
    """Write the assignment into `small/`, with replacements (old, new) in its files."""

    def write(*changes: tuple[str, str], handout: bool = True) -> Path:
        folder = tmp_path / "small"
        folder.mkdir()
        files = {"assignment.toml": SPECIFICATION, "checks.py": CHECKS, "handout.py": HANDOUT}
        for old, _ in changes:
            assert any(old in text for text in files.values())
        for name, text in files.items():
            for old, new in changes:
                text = text.replace(old, new)
            if handout or name != "handout.py":
                (folder / name).write_text(text, encoding="utf-8")
        return folder

    return write


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "answer: words",
            "answer: word",
            "small/handout.py, line 8: this cell answers the question 'word', which is not one that is marked by hand "
            "(words), so nobody would read it",
        ),
        (
            "# <!-- answer: words -->\n",
            "# A title\n# <!-- answer: words -->\n",
            "small/handout.py: question 'words' is marked by hand, but no Markdown cell begins with the line "
            "`<!-- answer: words -->`, so no answer to it would be found",
        ),
        ("answer: words", "answer: double", "line 8: this cell answers the question 'double', which is not one"),
    ],
)
def test_a_handout_whose_answers_would_be_lost_is_not_released(
    grader: Grader, small: Callable[..., Path], tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    small((old, new))
    code, _, said = grader("release", "small", "--out", "out")
    assert code == 2
    assert sentence in said
    assert not (tmp_path / "out").exists()


def test_a_handout_without_a_fault_is_released(grader: Grader, small: Callable[..., Path], tmp_path: Path) -> None:
    small()
    assert grader("release", "small", "--out", "out")[0] == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"small.ipynb", "small.py"}


def test_a_missing_handout_is_told(grader: Grader, small: Callable[..., Path]) -> None:
    small(handout=False)
    code, _, said = grader("release", "small")
    assert code == 2
    assert "small/handout.py: there is no such file; an assignment folder needs it" in said


def test_code_with_a_rubric_needs_no_answer_cell(grader: Grader, small: Callable[..., Path]) -> None:
    """A point for style is given for the code."""
    small(("points = 2\n", STYLE))
    assert grader("release", "small", "--out", "out")[0] == 0


def test_checks_and_rubric_of_one_question_add_up(grader: Grader, small: Callable[..., Path], tmp_path: Path) -> None:
    question = load_assignment(small(("points = 2\n", STYLE))).questions[0]
    assert (question.points, len(question.checks), len(question.rubric)) == (3, 1, 1)
    (tmp_path / "ada.py").write_text("def double(x):\n    return 2 * x\n", encoding="utf-8")
    assert grader("grade", "small", "ada.py")[0] == 0
    _, printed, _ = grader("mark", "small", "ada", "double", "style", "0.5")
    assert "Now 2.5 of 4; 1 wait for the marker" in " ".join(printed.split())
    grader("report", "small")
    page = (tmp_path / "out/small/feedback/ada.html").read_text(encoding="utf-8")
    assert page.count("No written answer was found") == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            ("points = 2\n", STYLE.replace("3", "2", 1)),
            "small/checks.py: question 'double': its checks and rubric items are worth 3 points together, "
            "but assignment.toml says 2",
        ),
        (
            ("Values(points=2)", "Values(points=1)"),
            "small/checks.py: question 'double': its checks are worth 1 points together, but assignment.toml says 2",
        ),
        (
            ("points = 1\n", "points = 4\n"),
            "small/assignment.toml: question 'words': its rubric items are worth 1 points together, "
            "but assignment.toml says 4",
        ),
        (
            ('points = 1 }]', 'points = 1 }, { id = "why", text = "Again", points = 1 }]'),
            "small/assignment.toml: question 'words': two rubric items have the id 'why'",
        ),
        (("2 * x\n\n", "2 * x\n\n1 / 0\n"), "small/checks.py, line 7: ZeroDivisionError"),
        (("    return 2 * x\n\nq", "    return 2 * (x\n\nq"), "small/checks.py, line 5: SyntaxError"),
        (("x=1.0", "y=1.0"), "small/checks.py, line 7: "),
    ],
)
def test_a_slip_is_told_with_file_and_line_also_where_the_folder_is_given_as_a_relative_path(
    grader: Grader, small: Callable[..., Path], change: tuple[str, str], sentence: str
) -> None:
    small(change)
    (code, _, said) = grader("release", "small")
    assert code == 2
    assert f"grader: {sentence}" in said


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("return x / 0", "the reference raises ZeroDivisionError: float division by zero ("),
        ("return float('nan')", "the reference returns numbers that are not finite\n"),
        ("return None", "the reference returns nothing\n"),
    ],
)
def test_a_reference_that_fails_is_told_with_what_it_does(
    grader: Grader, small: Callable[..., Path], tmp_path: Path, body: str, sentence: str
) -> None:
    small(("def double(x):\n    return 2 * x", f"def double(x):\n    {body}"))
    (tmp_path / "ada.py").write_text("x = 1\n", encoding="utf-8")
    code, _, said = grader("check", "small", "ada.py")
    assert code == 2
    assert f"experiment 'double: one': {sentence}" in said
    assert ("checks.py, line 5)" in said) == ("raises" in sentence)
