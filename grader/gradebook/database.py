"""Where a gradebook lives: from a path or a URL to an SQLAlchemy engine."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util import asbool

from grader.gradebook.errors import MISSING, GradebookError

BUSY_SECONDS = 30.0
"""How long a process waits for another one that is writing. A URL may say otherwise: `sqlite:///FILE?timeout=5`."""


def connect(address: str | Path, make: bool = True) -> tuple[Engine, str]:
    """The engine for `address`, and how messages name the place (without a password).

    Nothing is opened yet.

    Args:
        address: path of an SQLite file, or any URL of SQLAlchemy; `postgresql://` means the psycopg driver.
        make: make the folder of an SQLite file; otherwise the file has to be there.

    Raises:
        GradebookError: not a URL, an unknown kind of database, its driver is not installed, the folder cannot be made,
            or there is no such file.
    """
    url = _url(address)
    is_sqlite = url.get_backend_name() == "sqlite"
    place = url.database if is_sqlite and url.database else url.render_as_string(hide_password=True)
    arguments = {}
    if is_sqlite:
        file = _sqlite_file(url)
        if make:
            _make_folder(file.parent)
        elif not file.exists():
            raise GradebookError(MISSING.format(place=place))
        if "timeout" not in url.query:
            arguments["timeout"] = BUSY_SECONDS
    try:
        engine = create_engine(url, connect_args=arguments)
    except (ArgumentError, NoSuchModuleError) as error:
        raise GradebookError(
            f"{place} names a kind of database that is not known here. "
            "Give the path of a file, or a URL such as postgresql://user@host/database."
        ) from error
    except ImportError as error:
        raise GradebookError(
            f"The database {place} needs the Python package {error.name}, which is not installed. "
            "Install it, or give the path of a file to use SQLite."
        ) from error
    if is_sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine, place


def writing(engine: Engine) -> Engine:
    """The same engine for transactions that write: on SQLite they take the write lock when they begin.

    Otherwise two transactions that read first and write later could each wait for the other, and SQLite ends one.
    """
    return engine.execution_options(writes=True)


def _url(address: str | Path) -> URL:
    if isinstance(address, Path) or "://" not in address:
        return URL.create("sqlite", database=str(Path(address).expanduser()))
    try:
        url = make_url(address)
    except (ArgumentError, ValueError) as error:
        raise GradebookError(
            "The address of the gradebook is neither a path nor a URL. "
            "A URL looks like postgresql://user@host/database."
        ) from error
    # SQLAlchemy 2.0 and 2.1 mean different drivers by the bare name.
    return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url


def _sqlite_file(url: URL) -> Path:
    """The file of an SQLite address. One in memory is never there."""
    name = url.database or ":memory:"
    if asbool(url.query.get("uri", False)):  # sqlite:///file:/folder/gradebook.db?mode=ro&uri=true
        name = unquote(urlsplit(name).path)
    return Path(name)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GradebookError(
            f"The folder {folder} for the gradebook cannot be made: {error.strerror}. Give another path."
        ) from error


def _prepare_sqlite(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    # The sqlite3 module would begin transactions late and by its own rules; `_begin_sqlite` does it instead.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    # FULL: a committed grade survives a power failure, not only a killed process.
    connection.execute("PRAGMA synchronous = FULL")
    _use_wal(connection)


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log: a killed process loses nothing committed, readers do not wait for a writer.

    SQLite does not wait where two processes switch a new file at once, so the waiting is done here.
    """
    (patience_ms,) = connection.execute("PRAGMA busy_timeout").fetchone()
    deadline = time.monotonic() + patience_ms / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() >= deadline:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
