"""A batch: nothing is lost and nothing is done twice, whatever happens to it."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from grader.assignment.assignment import Assignment, find_assignment
from grader.batch import workplace
from grader.batch.batch import grade_batch, keep_refused
from grader.batch.bench import pinned
from grader.gradebook.gradebook import Gradebook
from grader.submission.intake import RefusedFile, collect
from grader.submission.program import Submission

SOLUTION = find_assignment("hw2") / "samples" / "submissions" / "ada.ipynb"
CLASS = 16
Command = Callable[..., list[str]]


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with Gradebook.open(tmp_path / "g.db") as book:
        yield book


@pytest.fixture
def solution() -> Submission:
    (submission,) = collect([SOLUTION]).submissions
    return submission


def graded_so_far(book: Path) -> int:
    try:
        with sqlite3.connect(f"file:{book}?mode=ro", uri=True) as connection:
            return int(connection.execute("select count(*) from grades").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def processes_of(group: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == group and fields[0] != "Z":
                found.append(int(entry.name))
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_killed_batch_goes_on_where_it_stopped(tmp_path: Path, command: Command, jobs: str) -> None:
    first = subprocess.Popen(
        command("--jobs", jobs),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while graded_so_far(tmp_path / "g.db") < 3:
        assert first.poll() is None
        time.sleep(0.002)
    first.send_signal(signal.SIGKILL)
    first.wait()
    survived = graded_so_far(tmp_path / "g.db")
    assert 3 <= survived < CLASS
    done = subprocess.run(command("--jobs", jobs, "--json", "-"), capture_output=True, text=True, check=True)
    results = json.loads(done.stdout)["results"]
    assert [(result["status"], result["score"]) for result in results] == [("graded", 15)] * CLASS
    assert graded_so_far(tmp_path / "g.db") == CLASS
    deadline = time.monotonic() + 60
    while processes_of(first.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not processes_of(first.pid)


def test_a_second_batch_runs_no_student_code(
    hw2: Assignment, book: Gradebook, solution: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = grade_batch(hw2, [solution], book)

    def never(*_: object) -> None:
        raise AssertionError("student code was run again")

    monkeypatch.setattr(workplace.WarmSandbox, "run", never)
    (again,) = grade_batch(hw2, [solution], book)
    assert again == first


def test_a_fault_of_ours_is_tried_again_and_then_unavailable(
    hw2: Assignment, book: Gradebook, solution: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = []

    def broken(self: object, *arguments: object) -> None:
        attempts.append(arguments)
        raise OSError("no more processes")

    with monkeypatch.context() as patched:
        patched.setattr(workplace.WarmSandbox, "run", broken)
        (grade,) = grade_batch(hw2, [solution], book)
    assert len(attempts) == 2
    assert (grade.status, grade.score, grade.max_score) == ("unavailable", 0, 20)
    assert "no more processes" in grade.reason
    (later,) = grade_batch(hw2, [solution], book)
    assert (later.status, later.score) == ("graded", 15)


def test_a_worker_that_is_killed_costs_nobody_a_grade(hw2: Assignment, book: Gradebook, solution: Submission) -> None:
    """The worker is killed from outside after the first grade; the batch starts new ones for the rest."""
    students = [replace(solution, student=f"student{number}") for number in range(8)]
    grades = []
    for grade in grade_batch(hw2, students, book, jobs=2):
        if not grades:
            multiprocessing.active_children()[0].kill()
        grades.append(grade)
    assert {grade.student for grade in grades} == {submission.student for submission in students}
    assert {(grade.status, grade.score) for grade in grades} == {("graded", 15)}


def test_late_work_is_flagged_and_graded(hw2: Assignment, book: Gradebook, solution: Submission) -> None:
    assert solution.modified_at is not None
    due = hw2.specification.model_copy(update={"due": solution.modified_at.replace(year=2000)})
    late = replace(hw2, specification=due)
    unreadable = replace(solution, student="thales", content=b"")
    grades = {grade.student: grade for grade in grade_batch(late, [solution, unreadable], book)}
    assert {name: (grade.status, grade.late) for name, grade in grades.items()} == {
        "ada": ("graded", True),
        "thales": ("refused", True),
    }


def test_the_core_is_given_back() -> None:
    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("this system has no affinity of processes")
    before = os.sched_getaffinity(0)
    for position in range(3):
        with pinned(position) as core:
            assert os.sched_getaffinity(0) == {core}
    assert os.sched_getaffinity(0) == before


@pytest.mark.parametrize("shuffled", [False, True])
def test_the_order_of_the_batch_does_not_matter(hw2: Assignment, book: Gradebook, shuffled: bool) -> None:
    names = ["henri.py", "daniel.py", "ada.ipynb"]
    paths = [SOLUTION.parent / name for name in (reversed(names) if shuffled else names)]
    submissions = [submission for path in paths for submission in collect([path]).submissions]
    scores = {grade.student: grade.score for grade in grade_batch(hw2, submissions, book)}
    assert scores == {"henri": 10, "daniel": 13, "ada": 15}


def test_a_file_refused_beside_another_never_counts(hw2: Assignment, book: Gradebook, tmp_path: Path) -> None:
    """Not even between the moment in which it is kept and the grade of the other."""
    script = tmp_path / "ada.py"
    shutil.copy(SOLUTION.parent / "henri.py", script)
    os.utime(script, (0, 0))
    alone = collect([script])
    (graded,) = grade_batch(hw2, alone.submissions, book)
    both = collect([script, SOLUTION])
    assert [file.file_name for file in both.refused] == ["ada.py"]
    assert keep_refused(hw2, both.refused, book, beside={"ada"}) == []
    assert [one for _, one in book.ungraded(hw2.id)] == []
    (better,) = grade_batch(hw2, both.submissions, book)
    keep_refused(hw2, both.refused, book, beside={"ada"})
    assert book.latest(hw2.id, "ada") == better
    assert (graded.score, better.score) == (10, 15)


def test_a_file_that_was_refused_beside_another_is_graded_when_it_is_alone(
    hw2: Assignment, book: Gradebook, tmp_path: Path
) -> None:
    script = tmp_path / "ada.py"
    shutil.copy(SOLUTION.parent / "henri.py", script)
    os.utime(script, (0, 0))
    keep_refused(hw2, collect([script, SOLUTION]).refused, book, beside={"ada"})
    (grade,) = grade_batch(hw2, collect([script]).submissions, book)
    assert (grade.status, grade.score) == ("graded", 10)
    assert book.latest(hw2.id, "ada") == grade


UNREAD = RefusedFile("ada", "ada.ipynb", "The system says: Permission denied.", ours=True)


def test_a_file_that_we_cannot_read_takes_no_grade_away(
    hw2: Assignment, book: Gradebook, solution: Submission
) -> None:
    (graded,) = grade_batch(hw2, [solution], book)
    (unread,) = keep_refused(hw2, [UNREAD], book)
    assert (unread.status, unread.reason) == ("unavailable", UNREAD.reason)
    assert book.latest(hw2.id, "ada") == graded


def test_a_file_that_we_cannot_read_is_unavailable_until_it_is_graded(
    hw2: Assignment, book: Gradebook, solution: Submission
) -> None:
    """Nor does what else the student has handed in become a zero, whatever stands first."""
    beside = RefusedFile("ada", "ada.docx", "It is neither a notebook nor a script.", b"PK")
    (unread,) = keep_refused(hw2, [beside, UNREAD], book)
    assert unread.status == "unavailable"
    assert book.latest(hw2.id, "ada") == unread
    (graded,) = grade_batch(hw2, [solution], book)
    assert book.latest(hw2.id, "ada") == graded


def test_of_several_refused_files_of_a_student_one_counts(hw2: Assignment, book: Gradebook) -> None:
    files = [RefusedFile("ada", name, "It is neither a notebook nor a script.", b"PK") for name in ("a.pdf", "b.pdf")]
    (grade,) = keep_refused(hw2, files, book)
    assert book.latest(hw2.id, "ada") == grade


def test_a_copy_of_the_file_with_a_later_time_is_not_late(
    hw2: Assignment, book: Gradebook, solution: Submission
) -> None:
    assert solution.modified_at is not None
    due = solution.modified_at + timedelta(hours=1)
    dated = replace(hw2, specification=hw2.specification.model_copy(update={"due": due}))
    (first,) = grade_batch(dated, [solution], book)
    copy = replace(solution, modified_at=due + timedelta(days=9))
    changed = replace(dated, hash="another")
    (again,) = grade_batch(changed, [copy], book)
    assert not first.late
    assert not again.late
    assert len(book.history(hw2.id, "ada")) == 2
