"""A gradebook on every kind of database that is here, and the smallest real things to put into it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

import grader
from grader.gradebook.gradebook import Gradebook
from grader.gradebook.receipt import Environment, Receipt
from grader.judge.grade import Grade, QuestionGrade, RubricItem, Status, Verdict
from grader.submission.program import Submission

WRITER = Path(__file__).parent / "writer.py"
PATH_OF_PACKAGE = Path(grader.__file__).parents[1]


def _postgresql_programs() -> Path | None:
    here = shutil.which("pg_ctl")
    folders = [Path(here).parent] if here else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """Folder of the socket of a temporary PostgreSQL server."""
    programs = _postgresql_programs()
    if programs is None:
        pytest.skip("PostgreSQL's server programs (initdb, pg_ctl) are not installed")
    if find_spec("psycopg") is None:
        pytest.skip("the Python package psycopg is not installed")
    # A short path, since that of a socket may have about 100 characters. The server refuses to run as root.
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    user = "nobody" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [programs / program, "-D", folder / "data", *arguments],
            check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    try:
        run("initdb", "-U", "grader", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        run("pg_ctl", "start", "-w", "-l", str(folder / "log"), "-o", options)
        yield str(folder)
        run("pg_ctl", "stop", "-w", "-m", "immediate")
    finally:
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of a gradebook that does not exist yet."""
    if request.param == "sqlite":
        return str(tmp_path / "gradebook.sqlite")
    socket = request.getfixturevalue("postgresql_server")
    name = f"book_{os.urandom(6).hex()}"
    server = create_engine(f"postgresql+psycopg://grader@/postgres?host={socket}", isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    server.dispose()
    return f"postgresql://grader@/{name}?host={socket}"


@pytest.fixture
def book(address: str) -> Iterator[Gradebook]:
    with Gradebook.open(address) as book:
        yield book


@pytest.fixture
def make_submission() -> Callable[..., Submission]:
    def make(student: str = "ada", content: bytes = b"x = 1", **more: Any) -> Submission:
        return Submission(student, f"{student}.py", content, **more)

    return make


@pytest.fixture
def make_grade() -> Callable[..., Grade]:
    """Six points judged by the machine, and a proof of three and two points to be marked by hand."""

    def make(
        student: str = "ada", score: float = 4.0, status: str = "graded", check: Status | None = None, **more: Any
    ) -> Grade:
        if status != "graded":
            return Grade(
                assignment="hw2", assignment_title="Gradient descent", student=student, file=f"{student}.py",
                status=status, reason="A reason.",
            )  # fmt: skip
        outcome = check or (Status.PASSED if score == 6 else Status.PARTIAL)
        verdict = Verdict(
            id="iterates", title="Iterates", status=outcome, score=score, max_score=6, message="A sentence."
        )
        rubric = (
            RubricItem(id="statement", text="States what is to be shown.", max_score=2),
            RubricItem(id="argument", text="The argument is complete.", max_score=3),
        )
        return Grade(
            assignment="hw2", assignment_title="Gradient descent", student=student, file=f"{student}.py",
            status="graded",
            questions=(
                QuestionGrade(
                    id="gradient_descent", title="Gradient descent", status=outcome, score=score, max_score=6,
                    verdicts=(verdict,), **more,
                ),
                QuestionGrade(
                    id="proofs", title="Proofs", status=Status.PENDING, score=0, max_score=5, rubric=rubric,
                    written="It is convex.",
                ),
            ),
        )  # fmt: skip

    return make


@pytest.fixture
def make_receipt() -> Callable[..., Receipt]:
    def make(submission: Submission, **more: Any) -> Receipt:
        fields: dict[str, Any] = {
            "submission_hash": submission.hash, "assignment_hash": "a", "answer_key_hash": "k",
            "experiments_hash": "e", "grader_version": "0.1.0",
            "environment": Environment(python="3.12.1", numpy="2.4.0"), "machine": "here",
        }  # fmt: skip
        return Receipt(**(fields | more))

    return make


@pytest.fixture
def start_python() -> Callable[..., subprocess.Popen[str]]:
    """Starts another Python process that can import the project; its output is read as text."""

    def start(*arguments: str, path: Path = PATH_OF_PACKAGE, **more: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(path)}, **more,
        )  # fmt: skip

    return start


@pytest.fixture
def start_writer(start_python: Callable[..., subprocess.Popen[str]]) -> Callable[..., subprocess.Popen[str]]:
    """Starts a process that stores and grades students (see writer.py)."""

    def start(address: str, prefix: str, count: int) -> subprocess.Popen[str]:
        return start_python(str(WRITER), address, prefix, str(count))

    return start
