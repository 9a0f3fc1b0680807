"""What can go wrong with a gradebook through no fault of this program, as sentences."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError


class GradebookError(Exception):
    """The user can set it right. The text is a sentence: what is wrong, where, what to do."""


MISSING = "There is no gradebook {place}. `grader grade` makes one; name another with --gradebook FILE."
_LOCKED = (
    "The gradebook {place} is locked by another process. "
    "Wait until that process has finished, or end it, and try again."
)
_READ_ONLY = (
    "The gradebook {place} cannot be written: the file, its folder or the database account is read-only. "
    "Change the permissions, or work on a copy in a place where you may write."
)
_FULL = (
    "No room is left on the disk of the gradebook {place}. "
    "Make room and try again: everything that was stored before is safe."
)
_NOT_A_DATABASE = "{place} is not a gradebook: the file is not an SQLite database. Give the path of another file."
_DAMAGED = (
    "The gradebook {place} is damaged. Restore it from a backup, or save what is readable with "
    "`sqlite3 OLD .recover | sqlite3 NEW`."
)
_CANNOT_OPEN = (
    "The gradebook {place} cannot be opened or made. "
    "Check that its folder exists, that the path is not a folder itself, and that you may write there."
)
_DISK = "The disk reports an error at the gradebook {place}. Check the disk, then try again."
_NOT_TEXT = (
    "A name or a comment for the gradebook {place} holds characters that are not valid Unicode. "
    "Rename the file, or type the text again."
)
_SERVER = "The database {place} does not answer or refuses the connection: {detail}"

# By the primary result code of SQLite (https://sqlite.org/rescode.html) and by the SQLSTATE of PostgreSQL.
_SQLITE = {
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_NOTADB: _NOT_A_DATABASE,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_CANTOPEN: _CANNOT_OPEN,
    sqlite3.SQLITE_IOERR: _DISK,
}
_POSTGRESQL = {"53100": _FULL, "25006": _READ_ONLY, "42501": _READ_ONLY, "55P03": _LOCKED}


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Turn what the database reports about its surroundings into a GradebookError; pass our own faults on.

    Args:
        place: how messages name the gradebook.
    """
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        sentence = _sentence(error)
        if sentence is None:
            raise
        cause = error.orig if isinstance(error, DBAPIError) else error
        detail = (str(cause).strip().splitlines() or ["no reason given"])[0]
        raise GradebookError(sentence.format(place=place, detail=detail)) from error
    except UnicodeEncodeError as error:
        raise GradebookError(_NOT_TEXT.format(place=place)) from error


def _sentence(error: DBAPIError | sqlite3.Error) -> str | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        # The low byte is the primary code; errors raised by the sqlite3 module itself have none.
        return _SQLITE.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF)
    known = _POSTGRESQL.get(getattr(cause, "sqlstate", None) or "")
    if known is None and isinstance(error, DBAPIError) and (error.connection_invalidated or _is_connecting(error)):
        return _SERVER
    return known


def _is_connecting(error: DBAPIError) -> bool:
    """An error without a statement happened before there was a connection to run one on."""
    return error.statement is None
