"""Brings the tables of a gradebook to the form that this version of the program knows."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from grader.gradebook.database import writing
from grader.gradebook.errors import MISSING, GradebookError

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x6772616465  # any number, the same for all: processes that open a new gradebook at once take turns


def bring_up_to_date(engine: Engine, place: str, make: bool) -> None:
    """Make the tables in an empty database, or migrate those of an older version, in one transaction.

    Raises:
        GradebookError: the database belongs to another program, or to a newer version of this one; or it is empty and
            no tables may be made.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    newest = scripts.get_current_head()
    with engine.begin() as connection:
        revision = _revision(connection, place)
    if revision == newest:
        return
    if revision is None and not make:
        raise GradebookError(MISSING.format(place=place))
    with writing(engine).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        revision = _revision(connection, place)
        if revision not in {None, *(script.revision for script in scripts.walk_revisions())}:
            raise GradebookError(
                f"The gradebook {place} was made by a newer version of this program (its format is {revision!r}). "
                "Install that version, or give another gradebook."
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _revision(connection: Connection, place: str) -> str | None:
    """The format of the gradebook; None for an empty database."""
    tables = inspect(connection).get_table_names()
    if "alembic_version" in tables:
        revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return revision
    if tables:
        raise GradebookError(
            f"{place} is a database, but not a gradebook (it holds the tables {', '.join(sorted(tables)[:5])}). "
            "Give another path, or an empty database."
        )
    return None
