"""What the machine can do to a batch: it is told, nothing is lost, and the same command finishes afterwards."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.gradebook.gradebook import Gradebook

CLASS = 3
Command = Callable[..., list[str]]


@pytest.fixture
def submissions(submissions: Path) -> Path:
    """A small class."""
    for path in sorted(submissions.iterdir())[CLASS:]:
        path.unlink()
    return submissions


def run(command: list[str], before: str = "") -> tuple[int, str]:
    """Exit code, and what the command said on one line; `before` is done by Python in the same process."""
    if before:
        command = [*command[:2], f"{before}; {command[2]}", *command[3:]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, " ".join(done.stderr.split())


def assert_finishes(command: list[str]) -> None:
    done = subprocess.run([*command, "--json", "-"], capture_output=True, text=True, check=False)
    assert scores(done.stdout) == [15] * CLASS, done.stdout
    assert done.returncode == 0


@pytest.fixture
def on_a_disk(tmp_path: Path, command: Command) -> Callable[..., list[tuple[int, str, str]]]:
    """Does steps with a real file system of 64 MB: options of a remount, or "grade" for the command.

    Pages are written there; the gradebook is too, unless `book` says otherwise. Gives exit code, output and what was
    said for each "grade".
    """
    namespace = ["unshare", "--user", "--map-root-user", "--mount"]
    if not shutil.which("unshare") or subprocess.run([*namespace, "true"], check=False, capture_output=True).returncode:
        pytest.skip("a disk cannot be mounted here (no unprivileged namespaces)")
    disk, script = tmp_path / "disk", tmp_path / "steps.py"
    disk.mkdir()
    script.write_text(
        "import json, subprocess, sys\n"
        "disk, steps, *command = sys.argv[1:]\n"
        "subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=64m', 'none', disk], check=True)\n"
        "told = []\n"
        "for step in steps.split():\n"
        "    if step == 'grade':\n"
        "        done = subprocess.run(command, capture_output=True, text=True)\n"
        "        told.append((done.returncode, done.stdout, done.stderr))\n"
        "    else:\n"
        "        subprocess.run(['mount', '-o', step, disk], check=True)\n"
        "print(json.dumps(told))\n"
    )
    # No sandbox inside a namespace in which its user `nobody` does not exist.
    options = ["--out", f"{disk}/out", "--sandbox", "weak", "--json", "-", "--gradebook"]

    def do(*steps: str, book: Path = disk / "g.db") -> list[tuple[int, str, str]]:
        arguments = [*namespace, sys.executable, str(script), str(disk), " ".join(steps), *command(*options, str(book))]
        done = subprocess.run(arguments, capture_output=True, text=True, check=True)
        return [(code, printed, " ".join(said.split())) for code, printed, said in json.loads(done.stdout)]

    return do


def scores(printed: str) -> list[float]:
    return [result["score"] for result in json.loads(printed)["results"]]


@pytest.mark.parametrize("size", ["200k", "400k"])
def test_a_full_disk_in_the_middle_of_a_batch(on_a_disk: Callable[..., list[tuple[int, str, str]]], size: str) -> None:
    (code, printed, said), (later, finished, _) = on_a_disk(
        f"remount,size={size}", "grade", "remount,size=64m", "grade"
    )
    assert (code, printed) == (2, "")
    assert "No room is left on the disk of the gradebook" in said or (
        "cannot be written: No space left on device. Make room" in said
    )
    assert later == 0
    assert scores(finished) == [15] * CLASS


def test_a_disk_that_becomes_read_only(on_a_disk: Callable[..., list[tuple[int, str, str]]]) -> None:
    (first, _, _), (code, printed, said), (later, finished, _) = on_a_disk(
        "grade", "remount,ro", "grade", "remount,rw", "grade"
    )
    assert (first, code, printed, later) == (0, 2, "", 0)
    assert "cannot be written: Read-only file system. Make room or change the permissions" in said
    assert scores(finished) == [15] * CLASS


def test_a_read_only_gradebook(tmp_path: Path, command: Command) -> None:
    """Root may write every file, so the file is opened read-only by its address."""
    Gradebook.open(tmp_path / "g.db").close()
    code, said = run(command("--gradebook", f"sqlite:///file:{tmp_path}/g.db?mode=ro&uri=true"))
    assert code == 2
    assert not Path("file:").exists()
    assert "g.db" in said
    assert (
        "cannot be written: the file, its folder or the database account is read-only. Change the permissions" in said
    )
    assert_finishes(command())


def test_a_page_that_breaks_off(tmp_path: Path, on_a_disk: Callable[..., list[tuple[int, str, str]]]) -> None:
    """No room for the second page: its grade is kept all the same, and no half page is left."""
    (code, _, said), (later, finished, _) = on_a_disk(
        "remount,size=60k", "grade", "remount,size=64m", "grade", book=tmp_path / "g.db"
    )
    assert code == 2
    assert ".html cannot be written: No space left on device. Make room" in said
    assert "What is graded is safe in the gradebook. The same command goes on with the rest." in said
    assert later == 0
    assert scores(finished) == [15] * CLASS


def test_a_folder_for_pages_that_cannot_be_written_is_told_before_anything_is_done(
    tmp_path: Path, command: Command
) -> None:
    (tmp_path / "out").write_text("a file")
    code, said = run(command())
    assert code == 2
    assert f"{tmp_path}/out/hw2/feedback cannot be written: " in said
    assert "another folder with --out" in said
    assert not (tmp_path / "g.db").exists()
    (tmp_path / "out").unlink()
    assert_finishes(command())


def test_what_a_killed_process_left_of_a_page_is_removed(tmp_path: Path, command: Command) -> None:
    feedback = tmp_path / "out/hw2/feedback"
    feedback.mkdir(parents=True)
    (feedback / ".0123456789abcdef.part").write_text("<html>half a pa")
    assert_finishes(command())
    assert sorted(path.name for path in feedback.iterdir()) == [f"student{number:02}.html" for number in range(CLASS)]


def test_a_gradebook_that_another_process_locks(tmp_path: Path, command: Command) -> None:
    Gradebook.open(tmp_path / "g.db").close()
    hold = (
        "import sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.execute('BEGIN EXCLUSIVE')\n"
        "print('locked', flush=True)\n"
        "sys.stdin.read()\n"
    )
    address = f"sqlite:///{tmp_path}/g.db?timeout=0.2"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path / "g.db")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        code, said = run(command("--gradebook", address))
        assert code == 2
        assert "g.db is locked by another process. Wait until that process has finished" in said
        other.communicate()
    assert_finishes(command("--gradebook", address))


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lambda content: content[: len(content) // 2], "is damaged. Restore it from a backup"),
        (lambda content: b"PK" + content[2:], "is not a gradebook: the file is not an SQLite database"),
    ],
    ids=["truncated", "not a database"],
)
def test_a_harmed_gradebook_is_told_and_left_alone(
    tmp_path: Path, command: Command, harm: Callable[[bytes], bytes], sentence: str
) -> None:
    assert_finishes(command())
    whole = (tmp_path / "g.db").read_bytes()
    harmed = harm(whole)
    (tmp_path / "g.db").write_bytes(harmed)
    code, said = run(command())
    assert code == 2
    assert f"g.db {sentence}" in said
    assert (tmp_path / "g.db").read_bytes() == harmed
    (tmp_path / "g.db").write_bytes(whole)
    assert_finishes(command())


def test_a_gradebook_of_a_newer_version_is_left_alone(tmp_path: Path, command: Command) -> None:
    Gradebook.open(tmp_path / "g.db").close()
    connection = sqlite3.connect(tmp_path / "g.db")
    connection.execute("UPDATE alembic_version SET version_num = 'of the year 2099'")
    connection.commit()
    connection.close()
    code, said = run(command())
    assert code == 2
    assert (
        "was made by a newer version of this program (its format is 'of the year 2099'). Install that version" in said
    )
