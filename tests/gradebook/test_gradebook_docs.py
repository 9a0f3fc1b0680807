"""The examples of docs/gradebook.md do what they say."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from grader.gradebook.gradebook import Gradebook
from grader.judge.grade import Diagnosis

PAGE = (Path(__file__).parents[2] / "docs" / "gradebook.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
BACK_UP, GET_BACK, DELETE = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)

needs_shell = pytest.mark.skipif(not shutil.which("sqlite3"), reason="the command sqlite3 is not installed")


@pytest.fixture
def gradebook(tmp_path, make_submission, make_grade, make_receipt):
    """Folder of a gradebook in which ada was regraded, marked, and then handed in again."""
    grade = make_grade()
    first = grade.questions[0]
    diagnosis = Diagnosis(identifier="gradient_ascent", kind="mistake", sentence="The step goes uphill.")
    verdict = first.verdicts[0].model_copy(update={"diagnosis": diagnosis})
    wrong = first.model_copy(update={"verdicts": (verdict,)})
    grade = grade.model_copy(update={"questions": (wrong, grade.questions[1])})
    submission = make_submission(content=b"old")
    with Gradebook.open(tmp_path / "gradebook.db") as book:
        number = book.store_submission("hw2", submission, late=False)
        book.save_grade(number, grade, make_receipt(submission), ("e", b"run"))
        book.save_grade(number, grade, make_receipt(submission, answer_key_hash="k2"), None)
        book.mark("hw2", "ada", "proofs", "statement", 2, marker="emmy")
        book.store_submission("hw2", make_submission(content=b"new"), late=True)
    return tmp_path


def run(command: str, folder: Path) -> None:
    subprocess.run(["bash", "-ec", command], cwd=folder, check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize(
    ("number", "rows"),
    [
        (0, [("ada", "graded", 4.0, 11.0, 0)]),
        (1, [("ada", "ada.py")]),
        (2, [("ada.py", 4.0, "k", "0.1.0"), ("ada.py", 4.0, "k2", "0.1.0")]),
        (3, [("gradient_descent", "gradient_ascent", 2)]),
        (4, [("ada", "proofs", "statement", 2.0, "emmy")]),
    ],
)
def test_queries(gradebook, number, rows):
    connection = sqlite3.connect(gradebook / "gradebook.db")
    found = connection.execute(QUERIES[number]).fetchall()
    connection.close()
    is_moment = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d").match
    assert [tuple(value for value in row if not is_moment(str(value))) for row in found] == rows


def test_no_query_is_left_out():
    assert len(QUERIES) == 5


@needs_shell
def test_a_backup_is_a_gradebook_even_while_it_is_in_use(gradebook, make_submission):
    with Gradebook.open(gradebook / "gradebook.db") as book:
        book.store_submission("hw2", make_submission("bob"), late=False)
        run(BACK_UP, gradebook)
        with Gradebook.open(gradebook / "backup.db") as backup:
            assert backup.ungraded("hw2") == book.ungraded("hw2")
            assert backup.grades("hw2") == book.grades("hw2")


@needs_shell
def test_a_submission_is_got_back(gradebook):
    run(GET_BACK, gradebook)
    assert (gradebook / "ada.py").read_bytes() == b"new"


@needs_shell
def test_deleting_a_student_leaves_nothing(gradebook):
    run(DELETE, gradebook)
    connection = sqlite3.connect(gradebook / "gradebook.db")
    for table in ["students", "submissions", "files", "recordings", "grades", "marks"]:
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    connection.close()
