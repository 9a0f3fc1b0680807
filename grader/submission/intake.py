"""Collects what was handed in: from files, and from folders with one file or one folder a student."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from grader.submission.choice import ARCHIVE, SUFFIXES, candidates, obvious, stem, suffix
from grader.submission.names import is_litter, listed, normal, printable, shown
from grader.submission.program import MAX_FILE_BYTES, MAX_FILES_BESIDE, Submission


class PathError(Exception):
    """A path that the user gave cannot be read. Its text is a sentence for the user."""


@dataclass(frozen=True)
class RefusedFile:
    """A file that is not graded, and why: it cannot be, or by a fault of ours it cannot be read."""

    student: str
    file_name: str
    """Relative to the student's folder where there is one."""
    reason: str
    """A sentence for the student."""
    content: bytes = field(default=b"", compare=False)
    """Its bytes, where they can be read: what was handed in is kept all the same."""
    ours: bool = False
    """Whether the student has no part in it: the system does not let us read it, or it is still being written."""


@dataclass(frozen=True)
class Collection:
    """What was found, sorted by student.

    A student may have both: a submission, and files that were refused beside it.
    """

    submissions: tuple[Submission, ...]
    refused: tuple[RefusedFile, ...]


class _UnreadableError(Exception):
    """Why something is not read: a sentence."""


class _OursError(_UnreadableError):
    """It is not read by a fault of ours."""


def collect(paths: Sequence[Path]) -> Collection:
    """Everything that was handed in under `paths`.

    A path is a notebook, a script, or a zip archive, whose stem is the student's name; or a folder of such files and
    of one folder for each further student. In a student's folder the notebook or script is chosen by its name, or
    the archive where there is neither, and the other files go with it; where no name stands out, the folder as a whole
    is the submission, and `parse` chooses. Where one student has handed in two, the one that was modified last is
    graded, and the notebook if both have the same time. Hidden files and the litter of editors are passed over.
    Archives are not opened here.

    Raises:
        PathError: a path does not exist or cannot be read, or there is nothing in any of them.
    """
    refused: list[RefusedFile] = []
    found: dict[str, list[Submission]] = {}
    for entry in _entries(paths):
        try:
            submission, beside = _submission(entry)
        except _OursError as error:
            refused.append(RefusedFile(_student(entry), printable(entry.name), str(error), ours=True))
        except _UnreadableError as error:
            refused.append(RefusedFile(_student(entry), printable(entry.name), str(error), _kept(entry)))
        else:
            found.setdefault(submission.student, []).append(submission)
            refused += beside
    if not found and not refused:
        places = ", ".join(f'"{path}"' for path in paths)
        raise PathError(
            f"There is nothing to grade in {places}: no file and no folder of a student. Hidden files are passed over."
        )
    submissions: list[Submission] = []
    for group in found.values():
        best, others = _preferred(group)
        submissions.append(best)
        refused += others
    return Collection(
        tuple(sorted(submissions, key=lambda submission: submission.student)),
        tuple(sorted(refused, key=lambda file: (file.student, file.file_name))),
    )


def collect_one(path: Path) -> tuple[Submission, list[RefusedFile]]:
    """The one submission in a file, or in a folder as a whole, and what is refused beside it.

    Raises:
        PathError: it does not exist, or cannot be taken as a submission.
    """
    path = _resolved(path)
    try:
        return _submission(path)
    except _UnreadableError as error:
        raise PathError(f'"{path}" cannot be graded. {error}') from None


def _entries(paths: Iterable[Path]) -> Iterator[Path]:
    """The files and folders of single students, each once."""
    seen: set[Path] = set()
    for path in map(_resolved, paths):
        try:
            entries = _inside(path) if path.is_dir() else [path]
        except OSError as error:
            raise PathError(f'"{path}" cannot be read. {_said(error)}') from None
        for entry in entries:
            if entry not in seen:
                seen.add(entry)
                yield entry


def _resolved(path: Path) -> Path:
    """What the user names may be a link; a link inside a folder was put there by a student."""
    try:
        return path.resolve(strict=True)
    except FileNotFoundError:
        raise PathError(
            f'There is no file or folder "{path}". Check the spelling and the folder that you are in.'
        ) from None
    except OSError as error:
        raise PathError(f'"{path}" cannot be read. {_said(error)}') from None
    except RuntimeError as error:  # links that lead in a circle, for Python 3.12 and older
        raise PathError(f'"{path}" cannot be read. {error}') from None


def _submission(entry: Path) -> tuple[Submission, list[RefusedFile]]:
    """The submission in a student's file or folder, and what is refused beside it."""
    try:
        return _read_submission(entry)
    except OSError as error:
        raise _OursError(_said(error)) from None


def _read_submission(entry: Path) -> tuple[Submission, list[RefusedFile]]:
    _check_name(entry.name)
    _check_no_link(entry)
    if entry.is_dir():
        return _from_folder(entry)
    if suffix(entry.name) not in (*SUFFIXES, ARCHIVE):
        raise _UnreadableError(
            "It is neither a notebook (.ipynb), nor a Python script (.py), nor a zip archive (.zip) of such files; "
            "hand in one of these."
        )
    return _from_file(entry), []


def _from_file(path: Path) -> Submission:
    content, modified_at = _read(path)
    return Submission(_student(path), path.name, content, modified_at)


def _from_folder(folder: Path) -> tuple[Submission, list[RefusedFile]]:
    student = _student(folder)
    chosen = _chosen(folder)
    try:
        group = [replace(_from_file(path), student=student) for path in chosen]
    except _UnreadableError as error:
        raise type(error)(f"{listed([path.name for path in chosen])} cannot be read. {error}") from None
    best, refused = _preferred(group or [Submission(student, f"{folder.name}/", b"")])
    files: dict[str, bytes] = {}
    times: list[datetime] = []
    remarks: list[str] = []
    size = 0
    for number, path in enumerate((path for path in _walk(folder) if path not in chosen), start=1):
        if number > MAX_FILES_BESIDE:
            raise _UnreadableError(
                f"The folder holds more than {MAX_FILES_BESIDE} files; hand in only what your work needs."
            )
        name = path.relative_to(folder).as_posix()
        try:
            _check_name(name)
            content, modified_at = _read(path)
        except _OursError as error:  # without it less would be judged than was handed in
            raise _OursError(f"{shown(name)} cannot be read. {error}") from None
        except _UnreadableError as error:
            remarks.append(f"{shown(name)} was left out. {error}")
            continue
        files[normal(name)] = content
        times.append(modified_at)
        size += len(content)
        if size > MAX_FILE_BYTES:
            raise _UnreadableError(
                f"The files beside {best.file_name} have more than {MAX_FILE_BYTES // 1_000_000} MB in all; "
                "hand in only what your work needs."
            )
    if not chosen and not files:
        raise _UnreadableError(" ".join(["The folder holds no file that can be read.", *remarks]))
    # The latest of all: work is late also where only a helper module was written late.
    latest = max(filter(None, [best.modified_at, *times]))
    return replace(best, modified_at=latest, files=files, remarks=tuple(remarks)), refused


def _chosen(folder: Path) -> list[Path]:
    """The obvious submission of a student's folder: files that differ in the suffix only; none where none stands out.

    A notebook or script comes before an archive.
    """
    files = [path for path in _inside(folder) if _is_file(path)]
    found = candidates(path.name for path in files)
    if not found:
        archives = [path for path in files if suffix(path.name) == ARCHIVE]
        named = [path for path in archives if path.stem == folder.name]
        return named or (archives if len(archives) == 1 else [])
    name = obvious(found, folder.name)
    return [path for path in files if path.name in found and stem(path.name) == name]


def _preferred(group: list[Submission]) -> tuple[Submission, list[RefusedFile]]:
    """Of several submissions of one student the one to grade, and the others with the reason."""
    *others, best = sorted(group, key=lambda one: (one.modified_at, _is_notebook(one), one.file_name, one.content))
    return best, [RefusedFile(best.student, other.file_name, _why(best, other), other.content) for other in others]


def _why(graded: Submission, other: Submission) -> str:
    start = f"{graded.file_name} of the same student is graded instead"
    if graded.modified_at != other.modified_at:
        return f"{start}: it was modified later."
    if _is_notebook(graded) and not _is_notebook(other):
        return f"{start}: both were modified at the same time, and it is the notebook."
    return f"{start}: both were modified at the same time."


def _is_notebook(submission: Submission) -> bool:
    return suffix(submission.file_name) == ".ipynb"


def _walk(folder: Path) -> Iterator[Path]:
    """All below `folder` that is not a folder; a link to a folder is not one."""
    waiting = [folder]
    while waiting:
        for path in _inside(waiting.pop()):
            if path.is_dir() and not path.is_symlink():
                waiting.append(path)
            else:
                yield path


def _inside(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not is_litter(path.name))


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _student(path: Path) -> str:
    name = path.stem if path.is_symlink() or not path.is_dir() else path.name
    return printable(normal(name))


def _read(path: Path) -> tuple[bytes, datetime]:
    """Content and time of modification of a regular file that is not a link, not too large, and complete."""
    try:
        return _read_regular(path)
    except OSError as error:
        raise _OursError(_said(error)) from None


def _read_regular(path: Path) -> tuple[bytes, datetime]:
    _check_no_link(path)
    # A device may do something when it is opened, and a pipe would wait for its writer.
    _check_regular(path.lstat())
    # What was checked may have become something else by now.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags), "rb") as file:
        before = os.fstat(file.fileno())
        _check_regular(before)
        if before.st_size > MAX_FILE_BYTES:
            raise _UnreadableError(
                f"It has {before.st_size / 1e6:.1f} MB; at most {MAX_FILE_BYTES // 1_000_000} MB are read. "
                "Clear the outputs of the notebook, and hand in no data that your work does not need."
            )
        content = file.read(before.st_size + 1)
        after = os.fstat(file.fileno())
    if len(content) != before.st_size or (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise _OursError("It was being written while it was read; grade it again when it is complete.")
    return content, _moment(after.st_mtime)


def _check_regular(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _UnreadableError("It is not a regular file.")


def _moment(seconds: float) -> datetime:
    """When a file was modified; some file systems keep dates beyond the calendar, and these are at its end."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError):
        return datetime(9999 if seconds > 0 else 1, 1, 2, tzinfo=UTC)


def _kept(path: Path) -> bytes:
    """The bytes of a file that is refused; nothing where they cannot be read."""
    try:
        return _read(path)[0]
    except _UnreadableError:
        return b""


def _check_no_link(path: Path) -> None:
    if path.is_symlink():
        raise _UnreadableError("It is a link; hand in the file itself.")


def _check_name(name: str) -> None:
    if printable(name) != name:
        raise _UnreadableError(
            "Its name has control characters, characters that turn the text's direction, or bytes that are no text; "
            "rename it."
        )


def _said(error: OSError) -> str:
    return f"The system says: {error.strerror or 'unknown error'}."
