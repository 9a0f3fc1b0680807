"""Reads a Python script: plain, or in percent format (`# %%` begins a cell, as in VS Code, Spyder and Jupytext).

Jupytext itself is not used to read what students hand in: it passes parts of the text to `ast` and to a YAML reader,
and needs a minute for a hostile file of one megabyte. A test holds that this reader agrees with it.
"""

from __future__ import annotations

import codecs
import re

from grader.submission.cell import Cell, Kind, check_count, clean
from grader.submission.program import RefusedError

_DECLARATION = re.compile(rb"[ \t\f]*#[^\n\r]*?coding[:=][ \t]*([-\w.]+)")  # PEP 263
_ASCII = bytes(range(128)) + b".xn--bcher-kva"  # the end: of the codec "idna", which needs hours for a long line
_BEGIN = re.compile(r"^#[ \t]?%%(?![^\s\[])([^\n]*)\n?", re.MULTILINE)
_KIND = re.compile(r"\[(markdown|md|raw)\]")
_HEADER = re.compile(r"# ---[ \t]*\n")
_HEADER_END = re.compile(r"^(?:(# ---[ \t]*)(?:\n|\Z)|(?!#))", re.MULTILINE)
_BESIDE_PREAMBLE = re.compile(r"^(?!#!|#.*coding[:=])[^\S\n]*\S", re.MULTILINE)
_QUOTED = re.compile(r'\s*[rR]?("""|\'\'\')\n?(.*?)\n?\1\s*\Z', re.DOTALL)
_COMMENT = re.compile(r"^# ?", re.MULTILINE)


def decode(content: bytes, file_name: str) -> str:
    """The script's text, by the rules of Python (UTF-8, byte order mark, PEP 263), and UTF-16 as Windows saves it.

    Raises:
        RefusedError: it is not text in the encoding that it declares.
    """
    encoding = _encoding(content, file_name)
    try:
        return clean(content.decode(encoding))
    except UnicodeError as error:
        where = ""
        if isinstance(error, UnicodeDecodeError):
            line = content.count(b"\n", 0, error.start) + 1
            where = f" (line {line})"
        raise RefusedError(
            f"{file_name} is not text in the encoding {encoding}{where}. Save it as UTF-8 and hand it in again."
        ) from None


def _encoding(content: bytes, file_name: str) -> str:
    if content.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if content[:1] and content[1:2] == b"\0":
        return "utf-16-le"
    if content[:1] == b"\0" and content[1:2]:
        return "utf-16-be"
    for line in content[:1000].splitlines()[:2]:
        if declaration := _DECLARATION.match(line):
            declared = declaration[1].decode("ascii", "replace")
            if _holds_ascii(declared):
                return declared
            raise RefusedError(
                f'{file_name} declares the encoding "{declared}", which Python source cannot have. '
                "Save it as UTF-8, remove the declaration, and hand it in again."
            )
        if line.strip() and not line.lstrip().startswith(b"#"):
            break
    return "utf-8"


def _holds_ascii(encoding: str) -> bool:
    """Whether ASCII text is itself in this encoding. Python requires it, and it bars codecs that are no charset."""
    try:
        return _ASCII.decode(encoding) == _ASCII.decode("ascii")
    except (LookupError, ValueError):
        return False


def is_percent(text: str) -> bool:
    """Whether the script is in percent format."""
    return _BEGIN.search(text) is not None


def percent_cells(text: str, file_name: str) -> tuple[Cell, ...]:
    """The cells of a script in percent format; what stands before the first marker is a cell too, if it is anything.

    Raises:
        RefusedError: there are too many cells.
    """
    text = _without_header(text)
    check_count(sum(1 for _ in _BEGIN.finditer(text)), file_name)
    begins = list(_BEGIN.finditer(text))
    first = begins[0].start() if begins else len(text)
    pieces: list[tuple[Kind, str]] = []
    if _BESIDE_PREAMBLE.search(text, 0, first):
        pieces.append(("code", text[:first].rstrip("\n")))
    for begin, end in zip(begins, [*(begin.start() for begin in begins[1:]), len(text)], strict=True):
        kind = _kind(begin[1])
        body = text[begin.end() : end].rstrip("\n")
        pieces.append((kind, body if kind == "code" else _uncommented(body)))
    return tuple(Cell(number, kind, body) for number, (kind, body) in enumerate(pieces, start=1))


def _without_header(text: str) -> str:
    """The text after the header in YAML that Jupytext writes, if it has one."""
    begin = _HEADER.match(text)
    end = _HEADER_END.search(text, begin.end()) if begin else None
    return text[end.end() :] if end and end[1] else text


def _kind(title: str) -> Kind:
    name = _KIND.search(title)
    if name is None:
        return "code"
    return "raw" if name[1] == "raw" else "markdown"


def _uncommented(body: str) -> str:
    if quoted := _QUOTED.match(body):
        return quoted[2]
    return _COMMENT.sub("", body)
