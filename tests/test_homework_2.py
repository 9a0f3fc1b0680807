"""The whole path on the sample class of homework 2: every submission gets exactly what its table says.

One batch in two processes, as a teaching assistant would run it; then the questions that need a second look.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from grader.assignment.assignment import find_assignment
from grader.report.pages import page_name

SAMPLES = find_assignment("hw2") / "samples"
EXPECTED: dict[str, dict[str, Any]] = tomllib.loads((SAMPLES / "expected.toml").read_text(encoding="utf-8"))


def grader(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-c", "from grader.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@dataclass(frozen=True)
class Batch:
    """What one run of `grader grade` left behind."""

    folder: Path
    printed: str
    results: dict[str, dict[str, Any]]

    def page(self, student: str) -> str:
        """The feedback page as text."""
        page = (self.folder / "hw2" / "feedback" / page_name(student)).read_text(encoding="utf-8")
        body = page[page.index("<body") :]
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    folder = tmp_path_factory.mktemp("batch")
    paths = ["--gradebook", folder / "gradebook.db", "--out", folder, "--json", folder / "results.json"]
    done = grader("grade", "hw2", SAMPLES / "submissions", "--jobs", "2", *paths)
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert document["assignment"] == "hw2"
    return Batch(folder, done.stdout + done.stderr, {result["student"]: result for result in document["results"]})


def test_every_submission_gets_a_row_and_a_page(batch: Batch) -> None:
    assert batch.results.keys() == EXPECTED.keys()
    for student in EXPECTED:
        assert batch.page(student)


@pytest.mark.parametrize("student", EXPECTED)
def test_a_submission_gets_the_points_it_should(batch: Batch, student: str) -> None:
    expected, result = EXPECTED[student], batch.results[student]
    assert result["status"] == expected["status"]
    assert result["max_score"] == 20
    got = {question["id"]: question["score"] for question in result["questions"] if question["id"] != "proofs"}
    assert got == {question: expected.get("scores", {}).get(question, 0) for question in got}
    assert result["score"] == sum(got.values())


@pytest.mark.parametrize("student", EXPECTED)
def test_a_mistake_is_named_and_nothing_else_is(batch: Batch, student: str) -> None:
    named = {
        question["id"]: {check["diagnosis"] for check in question["checks"]} - {None}
        for question in batch.results[student]["questions"]
    }
    diagnoses = EXPECTED[student].get("diagnoses", {})
    assert {question: names for question, names in named.items() if names} == {
        question: {name} for question, name in diagnoses.items()
    }


@pytest.mark.parametrize("student", [name for name, sample in EXPECTED.items() if sample.get("mentions")])
def test_the_feedback_page_says_why(batch: Batch, student: str) -> None:
    page = batch.page(student)
    for words in EXPECTED[student]["mentions"]:
        assert words in page


def test_the_json_has_the_shape_of_the_contract(batch: Batch) -> None:
    statuses = {"passed", "partial", "failed", "error", "pending", "unavailable"}
    for result in batch.results.values():
        assert result.keys() - {"reason"} == {"student", "file", "status", "score", "max_score", "questions"}
        assert ("reason" in result) == (result["status"] != "graded")
        for question in result["questions"]:
            assert question.keys() == {"id", "status", "score", "max_score", "checks"}
            assert question["status"] in statuses
            for check in question["checks"]:
                assert check.keys() == {
                    "id",
                    "status",
                    "score",
                    "max_score",
                    "message",
                    "diagnosis",
                    "first_difference",
                }
                assert check["status"] in statuses


def test_nothing_that_is_printed_is_a_traceback_of_ours(batch: Batch) -> None:
    assert "Traceback" not in batch.printed
    for student in EXPECTED:
        assert "Traceback" not in batch.page(student)


def test_a_second_run_grades_nothing_again_and_changes_nothing(batch: Batch) -> None:
    paths = ["--gradebook", batch.folder / "gradebook.db", "--out", batch.folder, "--json", "-"]
    again = grader("grade", "hw2", SAMPLES / "submissions", *paths)
    assert {result["student"]: result for result in json.loads(again.stdout)["results"]} == batch.results
    assert (
        len(grader("show", "hw2", "kurt", "--gradebook", batch.folder / "gradebook.db").stdout.split("All grades")) == 1
    )


def test_alone_in_one_process_and_in_another_order_the_results_are_the_same(batch: Batch, tmp_path: Path) -> None:
    chosen = ["srinivasa", "henri", "blaise", "daniel", "ada"]
    files = [SAMPLES / "submissions" / EXPECTED[student]["file"] for student in chosen]
    done = grader(
        "grade", "hw2", *files, "--jobs", "1", "--gradebook", tmp_path / "g.db", "--out", tmp_path, "--json", "-"
    )
    results = {result["student"]: result for result in json.loads(done.stdout)["results"]}
    assert results == {student: batch.results[student] for student in chosen}


def test_the_class_report_names_the_mistakes(batch: Batch, tmp_path: Path) -> None:
    done = grader("report", "hw2", "--gradebook", batch.folder / "gradebook.db", "--out", tmp_path)
    assert done.returncode == 0
    page = (tmp_path / "hw2" / "class.html").read_text(encoding="utf-8")
    for sample in EXPECTED.values():
        for name in sample.get("diagnoses", {}).values():
            assert name in page
    table = (tmp_path / "hw2" / "scores.csv").read_text(encoding="utf-8").splitlines()
    assert len(table) == 1 + len(EXPECTED)


def test_marks_by_hand_count_and_survive_a_regrade(tmp_path: Path) -> None:
    """Also: after a change of points no student code runs again, and the earlier grade is still there."""
    folder, book = tmp_path / "hw2", tmp_path / "g.db"
    folder.mkdir()
    for name in ("assignment.toml", "checks.py", "handout.py"):
        shutil.copy(SAMPLES.parent / name, folder)
    shutil.copy(SAMPLES / "submissions" / EXPECTED["ada"]["file"], tmp_path)
    file = tmp_path / EXPECTED["ada"]["file"]
    options = ["--gradebook", book, "--out", tmp_path / "out"]
    assert grader("grade", folder, file, *options).returncode == 0
    for item, points in (("convexity", "1"), ("smoothness", "1.5"), ("strong_convexity", "2")):
        done = grader("mark", folder, "ada", "proofs", item, points, "--comment", "Good.", "--gradebook", book)
        assert done.returncode == 0, done.stderr
    assert "19.5 of 20" in done.stdout
    checks = (folder / "checks.py").read_text(encoding="utf-8")
    (folder / "checks.py").write_text(
        checks.replace("points=2.5", "points=2").replace(
            "LinearRate(\n                points=1", "LinearRate(\n                points=1.5"
        ),
        encoding="utf-8",
    )
    again = grader("grade", folder, file, *options, "--json", "-")
    (result,) = json.loads(again.stdout)["results"]
    assert result["score"] == 19.5
    checks_after = {check["id"]: check["max_score"] for q in result["questions"] for check in q["checks"]}
    assert checks_after["rate"] == 1.5
    assert "All grades" in grader("show", folder, "ada", "--gradebook", book).stdout
