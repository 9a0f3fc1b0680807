"""What was handed in, first as bytes (`Submission`), then as code blocks that nobody has executed yet (`Program`)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

MAX_FILE_BYTES = 20_000_000
"""How large a file may be that is handed in; in all, the files beside it, and the files in an archive."""
MAX_FILES_BESIDE = 200
"""How many files may be beside the notebook or script."""


@dataclass(frozen=True)
class Submission:
    """The bytes that a student handed in. `hash` names them: equal bytes, equal hash."""

    student: str
    file_name: str
    """Of a notebook, a script, or a zip archive with one of these. Where no file of a folder stands out it is the
    folder's, with "/" at its end."""
    content: bytes
    """Of that file; a folder has none."""
    modified_at: datetime | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Helper modules and data beside the handed-in file, or in the folder: relative path -> content."""
    remarks: tuple[str, ...] = ()
    """Sentences for the student about files beside it that could not be taken. They are no part of the hash."""

    @property
    def is_folder(self) -> bool:
        """Whether a folder as a whole was handed in, and `files` is all there is."""
        return self.file_name.endswith("/")

    @property
    def hash(self) -> str:
        """SHA-256 over the file's name and bytes and those of the files beside it."""
        digest = hashlib.sha256()
        for name, content in [(self.file_name, self.content), *sorted(self.files.items())]:
            digest.update(f"{name}\0{len(content)}\0".encode("utf-8", "surrogateescape"))
            digest.update(content)
        return digest.hexdigest()


@dataclass(frozen=True)
class Block:
    """One piece of Python that is executed as a unit: a notebook's code cell, or a script."""

    label: str
    """How a message names the block to the student: "cell 3", "the script"."""
    source: str
    """Plain Python: magics and shell escapes are already translated to calls of `get_ipython()`."""


@dataclass(frozen=True)
class Program:
    """A submission taken apart: code to execute in order, and text for the marker."""

    blocks: tuple[Block, ...]
    written: Mapping[str, str] = field(default_factory=dict)
    """Question id -> the student's Markdown."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    """Sentences for the student about the file itself (a cell that could not be read, ...)."""


class RefusedError(Exception):
    """A file that cannot be graded at all. Its text is a sentence for the student: what is wrong, what to do."""
