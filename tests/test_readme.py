"""The README is true: its commands exist, its links lead somewhere, and what `make demo` runs works."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from grader.cli.app import app

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_first_commands_are_the_two_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^\$ make (\w+)", README, re.MULTILINE)
    assert targets == ["demo", "test"]
    for target in targets:
        assert f"\n{target}:" in makefile


def test_the_readme_activates_the_environment_that_make_installs_into() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (folder,) = re.findall(r"^VENV\s*:= (.+)$", makefile, re.MULTILINE)
    before_students, _ = README.split("## For students")
    assert f"`source {folder}/bin/activate` makes the command `grader` known" in before_students


def test_every_command_of_the_readme_exists() -> None:
    named = set(re.findall(r"^\$ grader (\w+)", README, re.MULTILINE))
    assert named <= {command.name for command in app.registered_commands}
    assert {"check", "grade", "show", "mark", "report", "release"} <= named


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_that_exist(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_demo_grades_the_class_and_says_which_file_to_open(tmp_path: Path) -> None:
    """The recipe of `make demo` after the installation, with `out` in another place."""
    listed = subprocess.run(["make", "-n", "demo"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    commands = [shlex.split(line) for line in listed.splitlines() if "bin/grader " in line]
    assert [command[1] for command in commands] == ["grade", "report"]
    printed = ""
    for _, *arguments in commands:
        placed = [str(tmp_path / word) if word == "out" or word.startswith("out/") else word for word in arguments]
        run = [sys.executable, "-c", "from grader.cli import main; main()", *placed]
        printed += subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "42 graded, 2 refused" in printed
    page = tmp_path / "out" / "hw2" / "class.html"
    assert page.is_file()
    assert f"Open {page}" in printed
