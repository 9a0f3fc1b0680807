"""Opens a zip archive in memory. Nothing is written to disk, so no path in it can lead anywhere.

Everything that an archive says about itself may be a lie. So members are counted before the directory is read, what
they may become is bounded before and while they are decompressed, and members that share bytes are refused: they are
how a small archive becomes a huge one. With these bounds a ratio of compression needs no limit of its own. Only the
methods that every zip program uses are read; the others of `zipfile` decompress without a bound.
"""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Sequence
from itertools import pairwise

from grader.submission.names import is_litter, normal, printable, shown
from grader.submission.program import MAX_FILE_BYTES, MAX_FILES_BESIDE, RefusedError

MAX_MEMBERS = 2_000
"""Members of any kind, what is passed over included."""

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENTRY = b"PK\x01\x02"
_LOCAL_HEADER = 30
_IS_ENCRYPTED, _IS_UTF8 = 0x1, 0x800
_MAX_NAME_BYTES = 1000
_REMARKS_SHOWN = 10
_DRIVE = re.compile(r"[A-Za-z]:")
# What `zipfile` raises for bytes that are no archive; it documents the first two.
_BROKEN = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    OSError,
    EOFError,
    ValueError,
    OverflowError,
    struct.error,
    zlib.error,
)


def unpacked(content: bytes, file_name: str) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """The files in an archive, by their path in it, and a sentence for the student about each that was left out.

    Paths have "/" between their parts and are normalised as `normal` does. Of two files with the same path the last
    one counts, as it does for programs that unpack. Folders and litter are passed over; archives in it are files.

    Args:
        content: the archive's bytes.
        file_name: its name, for the sentences.

    Raises:
        RefusedError: it is no archive, damaged, or larger than can be read.
    """
    _check_count(content, file_name)
    files: dict[str, bytes] = {}
    remarks: list[str] = []
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_overlap(archive.infolist(), file_name)
            wanted = _wanted(archive.infolist(), file_name, remarks)
            _check_size([info for _, info in wanted], file_name)
            for path, info in wanted:
                try:
                    data = _read(archive, info)
                except _BROKEN:
                    remarks.append(_left_out(path, file_name, "its bytes are damaged; make the archive again"))
                    continue
                if path in files:
                    remarks.append(f"{shown(path)} is in {file_name} more than once; the last one counts.")
                files[path] = data
    except _BROKEN:
        raise RefusedError(
            f"{file_name} is not a zip archive, or only a part of one. Make it again, open it once yourself, "
            "and hand in that file."
        ) from None
    if len(remarks) > _REMARKS_SHOWN:
        remarks[_REMARKS_SHOWN:] = [f"{len(remarks) - _REMARKS_SHOWN} more things in {file_name} were as odd."]
    return files, tuple(remarks)


def _check_count(content: bytes, file_name: str) -> None:
    """Refuse too many members before `zipfile` makes an object of each."""
    # Every entry of the directory begins with these bytes. Those of archives inside are counted too, which is as well.
    if content.count(_ENTRY) > MAX_MEMBERS:
        raise RefusedError(
            f"{file_name} has more than {MAX_MEMBERS} members; hand in only what your work needs, "
            "without environments, caches and repositories."
        )


def _check_overlap(members: Sequence[zipfile.ZipInfo], file_name: str) -> None:
    ordered = sorted(members, key=lambda info: info.header_offset)
    for one, following in pairwise(ordered):
        if one.header_offset + _LOCAL_HEADER + one.compress_size > following.header_offset:
            raise RefusedError(
                f"{file_name} has members that share their bytes ({shown(one.filename)}, {shown(following.filename)}), "
                "which no zip program writes. Make it again with an ordinary one."
            )


def _check_size(members: Sequence[zipfile.ZipInfo], file_name: str) -> None:
    if len(members) > MAX_FILES_BESIDE + 1:
        raise RefusedError(
            f"{file_name} holds {len(members)} files; at most {MAX_FILES_BESIDE} beside the notebook or script are "
            "read. Hand in only what your work needs."
        )
    size = sum(info.file_size for info in members)
    if size > MAX_FILE_BYTES:
        raise RefusedError(
            f"The files in {file_name} have {size / 1e6:.1f} MB in all; at most {MAX_FILE_BYTES // 1_000_000} MB are "
            "read. Clear the outputs of the notebook, and hand in no data that your work does not need."
        )


def _wanted(
    members: Sequence[zipfile.ZipInfo], file_name: str, remarks: list[str]
) -> list[tuple[str, zipfile.ZipInfo]]:
    """The members to read, with their paths; a remark for each file that cannot be."""
    wanted = []
    for info in members:
        name, is_certain = _name(info)
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if name.endswith("/") or any(is_litter(part) for part in parts if part != ".."):
            continue
        if problem := _problem(info, name, parts):
            remarks.append(_left_out(name, file_name, problem))
            continue
        path = "/".join(parts)
        if not is_certain:
            remarks.append(
                f"The name of {shown(path)} in {file_name} is not stored as UTF-8 and may have read otherwise on your "
                "machine. If your code opens this file, give it a name of plain letters and digits."
            )
        wanted.append((path, info))
    return wanted


def _name(info: zipfile.ZipInfo) -> tuple[str, bool]:
    """The member's name, and whether it is certainly what the student saw."""
    name = info.orig_filename  # `filename` ends at the first NUL
    is_certain = True
    if not info.flag_bits & _IS_UTF8:
        try:
            # macOS writes UTF-8 without saying so, and no other encoding looks like UTF-8.
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            is_certain = False
    name = name.replace("\\", "/")  # old programs of Windows write backslashes
    # One that is too long is left out as it is: to put its accents in order takes the square of their number.
    return (name if len(name) > _MAX_NAME_BYTES else normal(name)), is_certain


def _problem(info: zipfile.ZipInfo, name: str, parts: Sequence[str]) -> str:
    """Why a member is not read, or ""."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if not parts or printable(name) != name:
        return "its name is empty, or has characters that cannot be shown; rename it"
    if name.startswith("/") or _DRIVE.match(name) or ".." in parts:
        return "its path leads out of the archive; put the files into one folder and pack that"
    if len(name.encode("utf-8", "replace")) > _MAX_NAME_BYTES:
        return "its name is too long"
    if stat.S_ISLNK(kind):
        return "it is a link; put the file itself into the archive"
    if kind and not stat.S_ISREG(kind):
        return "it is not a regular file"
    if info.flag_bits & _IS_ENCRYPTED:
        return "it is protected by a password; make the archive without one"
    if info.compress_type not in _METHODS:
        return "it is compressed by a rare method; make the archive with the zip program of your system"
    return ""


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The member's bytes: never more than the declared size, whatever it decompresses to."""
    with archive.open(info) as member:
        return member.read(info.file_size + 1)


def _left_out(name: str, file_name: str, problem: str) -> str:
    return f"{shown(name)} in {file_name} was left out: {problem}."
