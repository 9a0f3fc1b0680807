"""Several processes at one gradebook, and what is left of it when one is killed."""

from __future__ import annotations

import signal
import sqlite3

import pytest

from grader.gradebook.gradebook import Gradebook


@pytest.mark.parametrize("kill_after", [1, 200])
def test_a_killed_writer_loses_no_kept_grade_and_the_next_one_finishes(
    address, start_writer, make_submission, kill_after
):
    writer = start_writer(address, "student", 5000)
    kept = [writer.stdout.readline().strip() for _ in range(kill_after)]
    writer.kill()
    kept += writer.communicate()[0].split()
    assert writer.returncode == -signal.SIGKILL

    with Gradebook.open(address) as book:
        graded = [grade.student for grade in book.grades("hw2")]
        # One more may have been kept in the moment between keeping and printing.
        assert graded[: len(kept)] == kept
        assert len(graded) <= len(kept) + 1
        for student in graded:
            number = book.store_submission("hw2", make_submission(student, b"x" * 20_000), late=False)
            assert book.recording(number, "e") == b"r" * 20_000
        assert all(book.recording(number, "e") is None for number, _ in book.ungraded("hw2"))
    if "://" not in address:
        connection = sqlite3.connect(address)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()

    total = len(graded) + 20
    output, errors = start_writer(address, "student", total).communicate()
    assert errors == ""
    assert output.split() == [f"student{number:04d}" for number in range(len(graded), total)]


def test_processes_that_open_and_write_at_once_lose_nothing(address, start_writer):
    # Two of the three grade the same students, so they meet at the same rows too.
    writers = [start_writer(address, prefix, 40) for prefix in ("a", "a", "b")]
    outputs = [writer.communicate() for writer in writers]
    assert [errors for _, errors in outputs] == ["", "", ""]
    with Gradebook.open(address) as book:
        assert [grade.student for grade in book.grades("hw2")] == [
            f"{prefix}{number:04d}" for prefix in "ab" for number in range(40)
        ]
        assert all(len(book.history("hw2", f"a{number:04d}")) == 1 for number in range(40))
        assert book.ungraded("hw2") == []
