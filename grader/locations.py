"""Where the files are that ship beside the code: in a checkout at its top, in an installed wheel inside the package."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

_PACKAGE = Path(__file__).resolve().parent


def shipped(name: Literal["assignments", "templates"]) -> Path:
    """Folder of the shipped assignments or templates.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    for folder in (_PACKAGE / "shipped" / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"The installation lacks the folder {name!r}; install the grader again.")
