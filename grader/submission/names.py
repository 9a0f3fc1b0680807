"""The names that students give to files: what is litter, what can be shown, and which spellings are one name."""

from __future__ import annotations

import unicodedata

_LITTER = {"__pycache__", "__macosx", "thumbs.db", "desktop.ini"}
_SHOWN = 100
# They make a name look like another one (`ada\u202eyp.ipynb`), so neither a table nor a page should show them.
_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_litter(name: str) -> bool:
    """Whether a file or folder of this name is hidden, a backup, or left behind by a system or an editor."""
    return name.startswith(".") or name.endswith("~") or name.lower() in _LITTER


def normal(name: str) -> str:
    """`name` with accents stored in one way: macOS stores them in another than everybody else (Unicode NFC)."""
    return unicodedata.normalize("NFC", name)


def printable(name: str) -> str:
    """`name` without control characters, changes of the text's direction, and undecodable bytes."""
    return "".join("\ufffd" if _is_unprintable(character) else character for character in name)


def shown(name: str) -> str:
    """`name` as a sentence can hold it: printable, and cut where it is long."""
    return printable(name if len(name) <= _SHOWN else name[:_SHOWN] + "...")


def listed(names: list[str]) -> str:
    """The first ten names, for a sentence."""
    return ", ".join(map(shown, names[:10])) + (", ..." if len(names) > 10 else "")


def _is_unprintable(character: str) -> bool:
    return character in _DIRECTIONS or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
