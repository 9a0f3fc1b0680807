"""Which of several files is the program: the notebook or script that is executed, with the others beside it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import PurePosixPath

from grader.submission.names import listed, shown
from grader.submission.notebook import read_notebook
from grader.submission.program import RefusedError
from grader.submission.script import decode

SUFFIXES = (".ipynb", ".py")
ARCHIVE = ".zip"

_DEFINED = re.compile(r"^(?:(?:async[ \t]+)?def|class)[ \t]+(\w+)|^(\w+)[ \t]*=", re.MULTILINE)


def suffix(name: str) -> str:
    """The suffix of a file's name in small letters."""
    return PurePosixPath(name).suffix.lower()


def stem(name: str) -> str:
    """A file's name without its suffix."""
    return PurePosixPath(name).stem


def candidates(names: Iterable[str]) -> list[str]:
    """Those of the paths that can be the program: notebooks and scripts that are in no folder, sorted."""
    return sorted(name for name in names if "/" not in name and suffix(name) in SUFFIXES)


def obvious(found: Collection[str], like: str) -> str | None:
    """The stem of the program among the candidates: `like`, or the only one, or that of the only notebook."""
    stems = {stem(name) for name in found}
    notebooks = _notebooks(found)
    if like in stems:
        return like
    if len(stems) == 1:
        return next(iter(stems))
    return stem(notebooks[0]) if len(notebooks) == 1 else None


def chosen(files: Mapping[str, bytes], holder: str, like: str, functions: Collection[str]) -> str:
    """The name of the program among the files of an archive or a folder.

    Where no name is obvious, it is the notebook that defines most of the functions that are asked for; without
    notebooks, the script.

    Args:
        files: relative path -> content.
        holder: how a message names the archive or folder.
        like: the stem that is taken before all others.
        functions: names of the functions that the assignment asks for.

    Raises:
        RefusedError: there is none, or it cannot be told which one it is.
    """
    found = candidates(files)
    if not found:
        archives = sorted(name for name in files if suffix(name) == ARCHIVE)
        inside = f"; archives in it ({listed(archives)}) are not opened" if archives else ""
        raise RefusedError(
            f"There is no notebook (.ipynb) and no Python script (.py) that can be read in {holder}{inside}. "
            "Put your notebook or script there and hand it in again."
        )
    name = obvious(found, like)
    if name is not None:
        named = [one for one in found if stem(one) == name]
        return (_notebooks(named) or named)[0]
    counts = {one: _count(one, files[one], functions) for one in _notebooks(found) or found}
    most = max(counts.values())
    best = [one for one, count in counts.items() if count == most]
    if most == 0 or len(best) > 1:
        raise RefusedError(
            f"Several files in {holder} could be the submission ({listed(found)}). "
            f'Hand in one of them, or call it "{shown(like + suffix(next(iter(counts))))}".'
        )
    return best[0]


def rooted(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """The files as the program sees them: paths relative to the only folder that can hold it.

    Programs that pack a folder, and students who keep the code in one of several folders, put it deeper. What lies
    outside of that folder is out of the program's reach.
    """
    while not candidates(files):
        folders = {name.split("/", 1)[0] for name in files if "/" in name and suffix(name) in SUFFIXES}
        if len(folders) != 1:
            break
        start = f"{folders.pop()}/"
        files = {name.removeprefix(start): content for name, content in files.items() if name.startswith(start)}
    return files


def _notebooks(names: Iterable[str]) -> list[str]:
    return [name for name in names if suffix(name) == ".ipynb"]


def _count(name: str, content: bytes, functions: Collection[str]) -> int:
    """How many of the functions the file seems to define; its code is searched, not executed."""
    try:
        if suffix(name) == ".ipynb":
            cells, _ = read_notebook(content, name)
            text = "\n".join(cell.text for cell in cells if cell.kind == "code")
        else:
            text = decode(content, name)
    except RefusedError:
        return 0
    names = (found[1] or found[2] for found in _DEFINED.finditer(text))
    return len({name for name in names if name in functions})
