"""docs/authoring.md is followed to the letter: files are written, commands are run, and what it promises is there."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent / "docs" / "authoring.md"
FILE = re.compile(r"^`([\w/.]+)`\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ grader (.*)$", re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("author")
    page = PAGE.read_text(encoding="utf-8")
    for name, content in FILE.findall(page):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    for command in COMMAND.findall(page):
        arguments = shlex.split(command)
        if arguments[0] == "grade":
            arguments += ["--json", "results.json"]
        grader = [sys.executable, "-c", "from grader.cli import main; main()", *arguments]
        done = subprocess.run(grader, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"grader {command}: {done.stdout}{done.stderr}"
    return folder


def test_the_page_makes_every_file_and_runs_every_command(folder: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert len(FILE.findall(page)) == 4
    assert [command.split()[0] for command in COMMAND.findall(page)] == [
        *("release", "grade", "mark", "show", "report", "validate"),
    ]
    for made in ("handouts/soft.ipynb", "handouts/soft.py", "pages/soft/class.html", "pages/soft/feedback/ada.html"):
        assert (folder / made).is_file(), made


def test_the_submission_gets_what_the_page_says(folder: Path) -> None:
    (result,) = json.loads((folder / "results.json").read_text(encoding="utf-8"))["results"]
    questions = {question["id"]: question for question in result["questions"]}
    assert (questions["descent"]["status"], questions["descent"]["score"]) == ("passed", 3)
    assert questions["threshold"]["checks"][0]["diagnosis"] == "hard_threshold"
    assert questions["words"]["status"] == "pending"


def test_the_mark_is_on_the_page_of_the_student(folder: Path) -> None:
    page = (folder / "pages/soft/feedback/ada.html").read_text(encoding="utf-8")
    assert "Exactly." in page
    assert "4 of 6" in re.sub(r"<[^>]+>", "", page).replace("\u00a0", " ")
