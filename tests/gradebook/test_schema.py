"""The tables and the migrations that make them."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import grader
from grader.gradebook import schema
from grader.gradebook.database import connect
from grader.gradebook.errors import GradebookError
from grader.gradebook.gradebook import Gradebook
from grader.gradebook.tables import Base

LATER = """
import sqlalchemy as sa
from alembic import op

revision = "gradebook_later"
down_revision = "gradebook_0001"


def upgrade():
    with op.batch_alter_table("students") as table:
        table.add_column(sa.Column("email", sa.String, nullable=True))
"""


def differences(address: str) -> list[object]:
    engine, _ = connect(address)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = compare_metadata(context, Base.metadata)
    engine.dispose()
    return found


def test_the_migrations_make_exactly_the_tables_of_the_program(address):
    Gradebook.open(address).close()
    assert differences(address) == []


def test_a_column_that_no_migration_makes_would_be_noticed(tmp_path):
    address = tmp_path / "gradebook.sqlite"
    Gradebook.open(address).close()
    connection = sqlite3.connect(address)
    connection.execute("ALTER TABLE marks DROP COLUMN comment")
    connection.close()
    assert [(kind, column.name) for kind, _, _, column in differences(str(address))] == [("add_column", "comment")]


@pytest.fixture
def later_migrations(tmp_path):
    """The migrations of a later version of this program."""
    folder = tmp_path / "with 100% more" / "migrations"
    shutil.copytree(schema.MIGRATIONS, folder)
    (folder / "versions" / "later.py").write_text(LATER)
    return folder


def test_an_older_gradebook_is_migrated_and_keeps_what_it_holds(
    address, later_migrations, monkeypatch, make_submission, make_grade, make_receipt
):
    submission = make_submission()
    with Gradebook.open(address) as book:
        number = book.store_submission("hw2", submission, late=False)
        book.save_grade(number, make_grade(), make_receipt(submission), ("e", b"run"))
    monkeypatch.setattr(schema, "MIGRATIONS", later_migrations)
    with Gradebook.open(address) as book:
        assert book.latest("hw2", "ada") == make_grade()
        assert book.recording(number, "e") == b"run"
    assert [(kind, column.name) for kind, _, _, column in differences(address)] == [("remove_column", "email")]


def test_a_newer_gradebook_is_refused_with_a_sentence(address, later_migrations, monkeypatch):
    with monkeypatch.context() as later:
        later.setattr(schema, "MIGRATIONS", later_migrations)
        Gradebook.open(address).close()
    with pytest.raises(GradebookError, match=r"newer version of this program .*'gradebook_later'.* Install that"):
        Gradebook.open(address)


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path):
    address = tmp_path / "photos.db"
    connection = sqlite3.connect(address)
    connection.execute("CREATE TABLE photos (id INTEGER)")
    connection.close()
    with pytest.raises(GradebookError, match=r"not a gradebook \(it holds the tables photos\)"):
        Gradebook.open(address)
    connection = sqlite3.connect(address)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("photos",)]
    connection.close()


def test_the_first_opening_works_from_an_installation_that_cannot_be_written(tmp_path, start_python):
    installation = tmp_path / "installation"
    shutil.copytree(Path(grader.__file__).parent, installation / "grader", ignore=shutil.ignore_patterns("__pycache__"))
    for path in [*installation.rglob("*"), installation]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    program = (
        f"import grader; assert grader.__file__.startswith({str(installation)!r})\n"
        "from grader.gradebook.gradebook import Gradebook\n"
        "with Gradebook.open('new.sqlite') as book: print(book.grades('hw2'))"
    )
    process = start_python("-c", program, path=installation, cwd=tmp_path)
    output, errors = process.communicate()
    for path in [installation, *installation.rglob("*")]:
        path.chmod(0o755)
    assert (output, errors) == ("[]\n", "")
