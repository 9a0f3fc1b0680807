"""What the surroundings can do to a gradebook, and the sentence that the user gets."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from grader.gradebook.errors import GradebookError
from grader.gradebook.gradebook import Gradebook


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of a user for whom permissions mean something: root becomes `nobody` for the test."""
    is_root = os.geteuid() == 0
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    if is_root:
        shutil.chown(folder, "nobody")
        os.seteuid(folder.stat().st_uid)
    yield folder
    folder.chmod(0o700)
    if is_root:
        os.seteuid(0)
    shutil.rmtree(folder)


def test_garbage_is_not_a_gradebook(tmp_path):
    address = tmp_path / "notes.txt"
    address.write_bytes(b"My notes on gradient descent.\n" * 100)
    with pytest.raises(GradebookError, match=r"notes\.txt is not a gradebook: .* not an SQLite database"):
        Gradebook.open(address)
    assert address.read_bytes().startswith(b"My notes")


def test_a_damaged_file_says_so(tmp_path, make_submission):
    address = tmp_path / "gradebook.sqlite"
    with Gradebook.open(address) as book:
        for number in range(50):
            book.store_submission("hw2", make_submission(f"student{number}", b"x" * 3000), late=False)
    content = bytearray(address.read_bytes())
    content[4096 * 2 :] = b"\xa5" * (len(content) - 4096 * 2)
    address.write_bytes(content)
    with pytest.raises(GradebookError, match=r"is damaged\. Restore it from a backup"), Gradebook.open(address) as book:
        book.ungraded("hw2")


def test_a_folder_is_not_a_gradebook(tmp_path):
    with pytest.raises(GradebookError, match="cannot be opened or made"):
        Gradebook.open(tmp_path)


def test_the_folder_of_a_new_gradebook_is_made(tmp_path):
    Gradebook.open(tmp_path / "out" / "2026" / "gradebook.sqlite").close()
    assert (tmp_path / "out" / "2026" / "gradebook.sqlite").is_file()


ADDRESSES = [
    "{folder}/2026/g.db",
    "sqlite:///{folder}/2026/g.db",
    "sqlite:///file:{folder}/2026/g.db?uri=true",
    "sqlite:///file://{folder}/2026/g.db?mode=rwc&uri=true",
    "sqlite:///file:2026/g.db?uri=true",
]


@pytest.mark.parametrize("address", [*ADDRESSES, "sqlite://"])
def test_where_there_is_no_gradebook_none_is_made_unless_it_is_asked_for(tmp_path, monkeypatch, address):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GradebookError, match=r"There is no gradebook .*`grader grade` makes one"):
        Gradebook.open(address.format(folder=tmp_path), make=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_gradebook_is_made_where_the_address_says_and_found_there(tmp_path, monkeypatch, make_submission, address):
    monkeypatch.chdir(tmp_path)
    with Gradebook.open(address.format(folder=tmp_path)) as book:
        book.store_submission("hw2", make_submission(), late=False)
    assert [path.name for path in tmp_path.iterdir()] == ["2026"]
    assert (tmp_path / "2026" / "g.db").is_file()
    with Gradebook.open(address.format(folder=tmp_path), make=False) as book:
        assert len(book.ungraded("hw2")) == 1


def test_an_empty_file_is_no_gradebook_yet(tmp_path):
    (tmp_path / "g.db").touch()
    with pytest.raises(GradebookError, match="There is no gradebook"):
        Gradebook.open(tmp_path / "g.db", make=False)
    Gradebook.open(tmp_path / "g.db").close()
    Gradebook.open(tmp_path / "g.db", make=False).close()


def test_a_file_in_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(GradebookError, match=r"The folder .*out for the gradebook cannot be made"):
        Gradebook.open(tmp_path / "out" / "gradebook.sqlite")


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_a_writer_that_does_not_end_is_reported_after_a_while(tmp_path, make_submission, mode):
    address = tmp_path / "gradebook.sqlite"
    Gradebook.open(address).close()
    other = sqlite3.connect(address, isolation_level=None)
    other.execute(f"PRAGMA journal_mode = {mode}")
    other.execute("BEGIN EXCLUSIVE")
    with (
        pytest.raises(GradebookError, match=r"gradebook\.sqlite is locked by another process. Wait"),
        Gradebook.open(f"sqlite:///{address}?timeout=0.1") as book,
    ):
        book.store_submission("hw2", make_submission(), late=False)
    other.execute("ROLLBACK")
    other.close()


def test_a_reader_does_not_wait_for_a_writer(tmp_path, make_submission):
    address = tmp_path / "gradebook.sqlite"
    with Gradebook.open(f"sqlite:///{address}?timeout=0.1") as book:
        book.store_submission("hw2", make_submission(), late=False)
        other = sqlite3.connect(address, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        assert len(book.ungraded("hw2")) == 1
        other.close()


def test_a_read_only_file_can_be_read_but_not_written(folder, make_submission, make_grade, make_receipt):
    address = folder / "gradebook.sqlite"
    submission = make_submission()
    with Gradebook.open(address) as book:
        number = book.store_submission("hw2", submission, late=False)
        book.save_grade(number, make_grade(), make_receipt(submission), None)
    address.chmod(0o444)
    with Gradebook.open(address) as book:
        assert book.latest("hw2", "ada") == make_grade()
        with pytest.raises(GradebookError, match=r"cannot be written: .* is read-only"):
            book.mark("hw2", "ada", "proofs", "statement", 1)


def test_a_read_only_folder_takes_no_new_gradebook(folder):
    folder.chmod(0o555)
    with pytest.raises(GradebookError, match=r"cannot be opened or made. .* you may write there"):
        Gradebook.open(folder / "gradebook.sqlite")


def test_a_full_disk_is_reported_and_loses_nothing(tmp_path, start_python):
    namespace = ["unshare", "--user", "--map-root-user", "--mount"]
    trial = [*namespace, "true"]
    if not shutil.which("unshare") or subprocess.run(trial, check=False, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("a small disk cannot be mounted here (no unprivileged namespaces)")
    program = tmp_path / "fill.py"
    program.write_text(
        "import os, subprocess\n"
        "from grader.gradebook.errors import GradebookError\n"
        "from grader.gradebook.gradebook import Gradebook\n"
        "from grader.submission.program import Submission\n"
        "subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=1m', 'none', 'disk'], check=True)\n"
        "stored = 0\n"
        "with Gradebook.open('disk/gradebook.sqlite') as book:\n"
        "    try:\n"
        "        for stored in range(1000):\n"
        "            book.store_submission('hw2', Submission(f's{stored}', 'a.py', os.urandom(20_000)), late=False)\n"
        "    except GradebookError as error:\n"
        "        print(error)\n"
        "with Gradebook.open('disk/gradebook.sqlite') as book:\n"
        "    print(stored, len(book.ungraded('hw2')))\n"
    )
    (tmp_path / "disk").mkdir()
    process = start_python(
        "-c", f"import os, sys; os.execvp('unshare', {namespace} + [sys.executable, 'fill.py'])", cwd=tmp_path
    )
    output, errors = process.communicate()
    assert errors == ""
    sentence, counts = output.splitlines()
    assert sentence.startswith("No room is left on the disk of the gradebook disk/gradebook.sqlite. Make room")
    stored, found = map(int, counts.split())
    assert stored == found > 5


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("oracel://host/name", "kind of database that is not known here"),
        ("://", "neither a path nor a URL"),
        ("postgresql://user:secret@host:port/name", "neither a path nor a URL"),
    ],
)
def test_an_address_that_means_nothing_is_explained(address, sentence):
    with pytest.raises(GradebookError, match=sentence) as error:
        Gradebook.open(address)
    assert "secret" not in str(error.value)


@pytest.mark.skipif(find_spec("pymysql") is not None, reason="the driver that this test lacks on purpose is installed")
def test_a_missing_driver_is_named():
    with pytest.raises(GradebookError, match="needs the Python package pymysql, which is not installed"):
        Gradebook.open("mysql+pymysql://host/name")


def test_a_server_that_does_not_answer_is_named_without_the_password(tmp_path):
    pytest.importorskip("psycopg", reason="the Python package psycopg is not installed")
    with pytest.raises(GradebookError, match="does not answer or refuses the connection: ") as error:
        Gradebook.open(f"postgresql://emmy:secret@/book?host={tmp_path}")
    assert "secret" not in str(error.value)


def test_a_grade_of_another_version_is_explained(tmp_path, make_submission, make_grade, make_receipt):
    address = tmp_path / "gradebook.sqlite"
    submission = make_submission()
    with Gradebook.open(address) as book:
        number = book.store_submission("hw2", submission, late=False)
        book.save_grade(number, make_grade(), make_receipt(submission), None)
        other = sqlite3.connect(address)
        other.execute("UPDATE grades SET grade = json_set(grade, '$.mood', 'sunny')")
        other.commit()
        other.close()
        with pytest.raises(GradebookError, match=r"written by another version .* Grade the submission again"):
            book.latest("hw2", "ada")
