"""The folder that people open: a feedback page for every student, the class page, the table of scores."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from grader.judge.grade import Grade
from grader.report.class_page import class_page
from grader.report.exports import scores_csv
from grader.report.feedback import feedback_page
from grader.report.pages import page_name

_UNFINISHED = ".part"


class FolderError(OSError):
    """A page cannot be written; it names the file, as every OSError does that a file is to blame for."""


class ReportFolder:
    """Where the pages of one assignment are written: `<out>/<assignment>/`.

    A page appears whole or not at all.

    Raises:
        FolderError: from any method, where a file or folder cannot be written.
    """

    def __init__(self, out: Path, assignment: str) -> None:
        self.class_page = out / assignment / "class.html"
        self.scores = out / assignment / "scores.csv"
        self.feedback = out / assignment / "feedback"

    def prepare(self) -> None:
        """Make the folder, see that it can be written, and remove what a killed process left unfinished there."""
        with _named(self.feedback):
            self.feedback.mkdir(parents=True, exist_ok=True)
            (self.feedback / f".trial{_UNFINISHED}").write_bytes(b"")
            for folder in (self.feedback, self.feedback.parent):
                for left in folder.glob(f".*{_UNFINISHED}"):
                    left.unlink(missing_ok=True)

    def write_feedback(self, grade: Grade) -> None:
        """Write the feedback page of one student."""
        _write(self.feedback / page_name(grade.student), feedback_page(grade))

    def write_class(self, title: str, grades: Sequence[Grade]) -> None:
        """Write the class page, with links to the feedback pages, and the table of scores."""
        pages = {grade.student: f"feedback/{page_name(grade.student)}" for grade in grades}
        _write(self.class_page, class_page(title, grades, pages))
        _write(self.scores, scores_csv(grades))


def _write(file: Path, text: str) -> None:
    """Write the whole file or leave it as it was, also where the process is killed or the power fails."""
    content = text.encode("utf-8", "backslashreplace")
    with _named(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            _replace(file, content)
        except FileNotFoundError:  # another process took our unfinished page for one that was left
            _replace(file, content)


def _replace(file: Path, content: bytes) -> None:
    # A name that no other process uses; one that is killed here leaves it to `prepare`.
    unfinished = file.with_name(f".{secrets.token_hex(8)}{_UNFINISHED}")
    try:
        with unfinished.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(file)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


@contextmanager
def _named(file: Path) -> Iterator[None]:
    """Errors with the name of the page: those of writing to an open file have none."""
    try:
        yield
    except OSError as error:
        raise FolderError(error.errno, error.strerror, str(file)) from error
