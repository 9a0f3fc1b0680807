"""File names of feedback pages."""

from __future__ import annotations

import hashlib
import re
import unicodedata

_PLAIN = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,58}[a-z0-9])?")
# Names that Windows keeps for devices, and the one that web servers show for a folder.
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9]|index)(?:\..*)?")


def page_name(student: str) -> str:
    """File name of a student's feedback page: safe on every system, and different for different students.

    A plain name is kept: `ada` gives `ada.html`. Any other keeps what is readable of it and gets ten digits of its
    hash, so `Ada` and `ada` also differ where file names ignore case. Two hyphens mark the hash; a plain name
    has none.
    """
    if _PLAIN.fullmatch(student) and "--" not in student and not _RESERVED.fullmatch(student):
        return f"{student}.html"
    digest = hashlib.sha256(student.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    readable = re.sub(r"[^\w.]+", "-", unicodedata.normalize("NFC", student)).strip("-._")[:40]
    return f"{readable or 'student'}--{digest}.html"
