"""assignment.toml: what it says, and what is said about a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.assignment.errors import AssignmentError
from grader.assignment.specification import read_specification

GOOD = """
id = "demo"
title = "A demonstration"
lecture = 1

[[questions]]
id = "proof"
title = "A proof"
points = 2
rubric = [{ id = "idea", text = "The idea", points = 1 }, { id = "detail", text = "The detail", points = 1 }]
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "assignment.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_what_is_not_said_has_a_default(tmp_path: Path) -> None:
    specification = read_specification(written(tmp_path, GOOD))
    assert (specification.environment, specification.due) == ("numpy", None)
    assert specification.limits.cpu_seconds == 10


@pytest.mark.parametrize(
    ("wrong", "key", "reason"),
    [
        (GOOD.replace("points = 2", "points = -2"), "questions[1].points", "greater than 0"),
        (GOOD.replace("lecture = 1", 'lecture = "one"'), "lecture", "valid integer"),
        (GOOD.replace('title = "A demonstration"', ""), "title", "required"),
        (GOOD + "\n[limit]\ncpu_seconds = 1\n", "limit", "not a known key"),
        (GOOD.replace("lecture = 1", "lecture = 1\ndue = 2026-10-08T23:59:00"), "due", "timezone"),
        (GOOD.replace('"detail"', '"idea"'), "'proof'", "two rubric items have the id 'idea'"),
        (GOOD + GOOD[GOOD.index("[[") :], "questions", "two questions have the id 'proof'"),
        ("id =\ntitle = 1", "not valid TOML", "line 1"),
    ],
)
def test_a_wrong_file_is_named_with_key_and_reason(tmp_path: Path, wrong: str, key: str, reason: str) -> None:
    file = written(tmp_path, wrong)
    with pytest.raises(AssignmentError) as caught:
        read_specification(file)
    assert str(file) in str(caught.value)
    assert key in str(caught.value)
    assert reason in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AssignmentError, match="there is no such file"):
        read_specification(tmp_path / "assignment.toml")
