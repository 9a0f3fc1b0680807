"""Odd files on the whole way: a class in which nearly everybody hands in something odd, graded once by the command."""

from __future__ import annotations

import codecs
import html
import io
import json
import os
import re
import socket
import sqlite3
import stat
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from grader.assignment.assignment import find_assignment
from grader.assignment.handout import solution
from grader.report.pages import page_name

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs the files that only Unix has, and the sandbox")

HOMEWORK = find_assignment("hw2")
SOLUTION = solution(HOMEWORK / "handout.py")
CODE_POINTS = 15
SECRET = Path("/etc/passwd")


def notebook(*sources: str) -> bytes:
    return json.dumps({"cells": [{"cell_type": "code", "source": source} for source in sources]}).encode()


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return memory.getvalue()


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


WORK = SOLUTION.encode()
READS = f"""
import numpy as np
points = np.loadtxt("数据/points 1.csv", delimiter=",")
from helpers import halved
{SOLUTION}
gradient_descent = halved(gradient_descent) if points.sum() == 3 else None
"""
HELPERS = b"def halved(function):\n    return function\n"
PEEKS = f"{SOLUTION}\n# %%\nprint(open('data').read())"
TABS = "def least_squares_value(A, b, x):\n\tr = A @ x - b\n        return 0.5 * float(r @ r)\n"
SPOILS = b"def least_squares_value(A, b, x):\n    return 0.0\n"

FILES: dict[str, bytes] = {
    # honest
    "plain.py": WORK,
    "packed.zip": zipped(
        ("hw2/hw2.ipynb", notebook(*READS.split("# %%"))),
        ("hw2/helpers.py", HELPERS),
        ("hw2/数据/points 1.csv", b"1,2"),
        ("__MACOSX/hw2/._hw2.ipynb", b"\0"),
        ("hw2/.DS_Store", b"\0"),
        ("hw2/.ipynb_checkpoints/hw2-checkpoint.ipynb", b"{}"),
    ),
    "moodle/hw2.zip": zipped(("hw2.py", WORK)),
    "loose files/最小二乘 2.ipynb": notebook(*READS.split("# %%")),
    "loose files/数据/points 1.csv": b"1,2",
    "loose files/helpers.py": HELPERS,
    "x.py/hw2.py": WORK,
    "partly.zip": zipped(("hw2.py", WORK), (link("data"), b"/etc/passwd"), ("../evil.py", b"x"), ("/etc/evil", b"x")),
    "peeks/hw2.py": PEEKS.encode(),
    "mark.py": codecs.BOM_UTF8 + WORK,
    "utf16.py": SOLUTION.encode("utf-16"),
    "utf16 without mark.py": SOLUTION.encode("utf-16-le"),
    "windows.py": WORK.replace(b"\n", b"\r\n"),
    "old mac.py": WORK.replace(b"\n", b"\r"),
    "form feed.py": WORK.replace(b"\n\n\n", b"\n\x0c\n\n"),
    # not readable, or not work
    "tabs.py": TABS.encode(),
    "nul.py": SPOILS + b"\0",
    "latin.py": b"# \xe4\n" + WORK,
    "empty.py": b"",
    "hollow.zip": zipped(),
    "no archive.zip": b"Rar!",
    "deep.ipynb": b'{"cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "cells.ipynb": notebook(*["x = 1"] * 10_000),
    "two.zip": zipped(("one.ipynb", b"{}"), ("other.ipynb", b"{}")),
    "none stands out/a.py": WORK,
    "none stands out/b.py": WORK,
    # hostile
    "bomb.zip": zipped(("hw2.py", WORK), ("zeros", bytes(30_000_000))),
    "many.zip": zipped(("hw2.py", WORK), *((f"{number}", b"") for number in range(10_000))),
    "escape.zip": zipped(("../../hw2.py", WORK)),
    "link.zip": zipped((link("hw2.py"), b"/etc/passwd")),
}
LINKS = {"spy.py": SECRET, "lost.py": Path("nowhere"), "peeks/data": SECRET}

HONEST = [
    "plain",
    "packed",
    "moodle",
    "loose files",
    "x.py",
    "partly",
    "peeks",
    "mark",
    "utf16",
    "utf16 without mark",
    "windows",
    "old mac",
    "form feed",
]
TOLD = {
    "tabs": "inconsistent use of tabs and spaces",
    "nul": "null bytes",
    "latin": "latin.py is not text in the encoding utf-8 (line 1). Save it as UTF-8",
    "empty": "is empty",
    "hollow": "There is no notebook (.ipynb) and no Python script (.py) that can be read in hollow.zip",
    "none stands out": 'Several files in the folder "none stands out" could be the submission (a.py, b.py)',
    "no archive": "no archive.zip is not a zip archive, or only a part of one",
    "deep": "its JSON is nested too deeply",
    "cells": "cells.ipynb has 10000 cells; at most 2000 are read",
    "huge": "It has 100.0 MB; at most 20 MB are read",
    "two": "Several files in two.zip could be the submission (one.ipynb, other.ipynb)",
    "bomb": "The files in bomb.zip have 30.0 MB in all; at most 20 MB are read",
    "many": "many.zip has more than 2000 members",
    "escape": "../../hw2.py in escape.zip was left out: its path leads out of the archive",
    "link": "hw2.py in link.zip was left out: it is a link",
    "spy": "It is a link; hand in the file itself",
    "lost": "It is a link; hand in the file itself",
    "pipe": "It is not a regular file",
    "socket": "It is not a regular file",
}
REMARKS = {
    "partly": [
        "data in partly.zip was left out: it is a link",
        "../evil.py in partly.zip was left out: its path leads out",
        "/etc/evil in partly.zip was left out: its path leads out",
    ],
    "peeks": ["data was left out. It is a link", "FileNotFoundError"],
    "packed": ["hw2.ipynb is the file in packed.zip that was graded"],
}


@dataclass(frozen=True)
class Graded:
    """The class after it was graded."""

    results: dict[str, list[dict[str, Any]]]
    folder: Path

    def page(self, student: str) -> str:
        """The text of the student's feedback page."""
        text = (self.folder / "out/hw2/feedback" / page_name(student)).read_text(encoding="utf-8")
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


def snapshot(folder: Path) -> dict[str, bytes | None]:
    """Everything below a folder: content of regular files, None for all else."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() and not path.is_symlink() else None
        for path in folder.rglob("*")
    }


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    folder = tmp_path_factory.mktemp("term")
    handed_in = folder / "class"
    for name, content in FILES.items():
        path = handed_in / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for name, target in LINKS.items():
        (handed_in / name).symlink_to(target)
    with (handed_in / "huge.ipynb").open("wb") as file:
        file.truncate(100_000_000)
    os.mkfifo(handed_in / "pipe.py")
    before_binding = Path.cwd()
    with socket.socket(socket.AF_UNIX) as listening:
        os.chdir(handed_in)  # the path of a socket must be short
        try:
            listening.bind("socket.py")
        finally:
            os.chdir(before_binding)
    (folder / "temporary").mkdir()
    before = snapshot(folder)
    done = subprocess.run(
        [sys.executable, "-c", "from grader.cli import main; main()", "grade", "hw2", "class", "--json", "-"],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder / "temporary")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    after = snapshot(folder)
    made = {name for name in after if name.split("/")[0] in ("gradebook.db", "out")}
    assert {name: content for name, content in after.items() if name not in made} == before
    results: dict[str, list[dict[str, Any]]] = {}
    for result in json.loads(done.stdout)["results"]:
        results.setdefault(result["student"], []).append(result)
    return Graded(results, folder)


def test_everybody_has_a_result_and_no_fault_is_ours(graded: Graded) -> None:
    assert set(graded.results) == {*HONEST, *TOLD}
    assert {result["status"] for results in graded.results.values() for result in results} == {"graded", "refused"}


@pytest.mark.parametrize("student", HONEST)
def test_honest_work_gets_its_points_however_it_is_packed(graded: Graded, student: str) -> None:
    (result,) = graded.results[student]
    assert (result["status"], result["score"]) == ("graded", CODE_POINTS)


@pytest.mark.parametrize("student", TOLD)
def test_what_cannot_be_read_gains_nothing_and_is_told(graded: Graded, student: str) -> None:
    assert {result["score"] for result in graded.results[student]} == {0}
    assert TOLD[student] in graded.page(student)


@pytest.mark.parametrize("student", REMARKS)
def test_what_was_left_out_is_told_beside_the_grade(graded: Graded, student: str) -> None:
    page = graded.page(student)
    for remark in REMARKS[student]:
        assert remark in page


@pytest.mark.parametrize("student", TOLD)
def test_the_page_says_that_the_file_is_kept_only_where_it_is(graded: Graded, student: str) -> None:
    (result,) = graded.results[student]
    if result["status"] == "refused":
        kept = student not in ("huge", "spy", "lost", "pipe", "socket")
        assert ("Your file is kept as you handed it in." in graded.page(student)) == kept
        assert ("No copy of it is kept here, because it was not read." in graded.page(student)) != kept


def test_the_page_of_a_refused_file_shows_no_questions(graded: Graded) -> None:
    assert "linear network" in graded.page("plain")
    assert "linear network" not in graded.page("empty")


def test_nothing_of_the_machine_leaks(graded: Graded) -> None:
    secret = SECRET.read_bytes().splitlines()[0]
    for path in [graded.folder / "gradebook.db", *(graded.folder / "out").rglob("*.*")]:
        assert secret not in path.read_bytes()


def test_what_was_handed_in_is_kept_byte_for_byte(graded: Graded) -> None:
    query = "SELECT file_name, content FROM submissions"
    with sqlite3.connect(graded.folder / "gradebook.db") as connection:
        kept = set(connection.execute(query))
    for name, content in FILES.items():
        if "/" not in name:
            assert (name, content) in kept


def test_a_student_can_check_an_archive(graded: Graded) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from grader.cli import main; main()", "check", "hw2", "class/packed.zip"],
        cwd=graded.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "hw2.ipynb is the file in packed.zip that was graded" in " ".join(done.stdout.split())
