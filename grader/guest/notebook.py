"""What a notebook expects around it: `get_ipython()`, `display` and the module IPython, without anything behind them.

Magics that only affect the display are ignored; those that time or capture code run it; commands of the shell are not
executed, and a remark says so.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

_SILENT = {
    *(
        "matplotlib",
        "config",
        "precision",
        "colors",
        "xmode",
        "load_ext",
        "reload_ext",
        "unload_ext",
        "autoreload",
    ),
    *("aimport", "pinfo", "pinfo2", "pdoc", "psource", "psearch", "who", "whos", "who_ls"),
    *("html", "javascript", "js", "svg", "latex", "markdown"),
}
_RUNNING = {"time", "timeit", "capture", "prun", "memit", "mprun", "lprun"}
_TIMEIT_OPTIONS = re.compile(r"(?:-[a-zA-Z]\s*\d*\s+)*")
_SHOWN = 80


class Shell:
    """What `get_ipython()` returns.

    Args:
        execute: runs source code in the student's namespace and returns the value of its last expression.
        remark: takes a sentence for the student.
    """

    def __init__(self, execute: Callable[[str, str], Any], remark: Callable[[str], None]) -> None:
        self._execute = execute
        self._remark = remark
        self.config: dict[str, Any] = {}

    def run_line_magic(self, magic: str, line: str, *_: Any) -> Any:
        """`%magic line`."""
        if magic in _SILENT:
            return None
        if magic in _RUNNING:
            return self._execute(f"%{magic}", _TIMEIT_OPTIONS.sub("", line, count=1))
        return self._not_executed(f"%{magic} {line}")

    def run_cell_magic(self, magic: str, line: str, cell: str) -> Any:
        """`%%magic line` with the rest of the cell."""
        if magic in _SILENT:
            return None
        if magic in _RUNNING:
            return self._execute(f"%%{magic} {line}", cell)
        if magic == "writefile":
            Path(line.split()[-1]).write_text(cell, encoding="utf-8")
            return None
        return self._not_executed(f"%%{magic} {line}")

    def system(self, command: str) -> None:
        """`!command`."""
        self._not_executed(f"!{command}")

    def getoutput(self, command: str, *_: Any) -> list[str]:
        """`x = !command`."""
        self._not_executed(f"!{command}")
        return []

    def _not_executed(self, text: str) -> None:
        text = text.strip()
        shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
        self._remark(f"`{shown}` was not executed: only Python code is run here.")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Inert()


class Inert:
    """Stands for widgets, HTML, pictures: takes everything, does nothing."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __call__(self, *_: Any, **__: Any) -> Inert:
        """Whatever is asked for: itself."""
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __contains__(self, _: object) -> bool:
        return False

    def __enter__(self) -> Inert:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def display(*_: Any, **__: Any) -> None:
    """Shows nothing."""


def install(shell: Shell) -> dict[str, Any]:
    """Put stand-ins for IPython's modules into `sys.modules`, and return the names that a notebook finds defined."""

    def get_ipython() -> Shell:
        return shell

    def inert(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Inert

    for name in ("IPython", "IPython.display", "IPython.core", "IPython.core.display"):
        module = ModuleType(name, "Does nothing.")
        module.__dict__.update(
            __path__=[], __getattr__=inert, get_ipython=get_ipython, display=display, version_info=(9, 0, 0)
        )
        sys.modules[name] = module
    top, core = sys.modules["IPython"], sys.modules["IPython.core"]
    top.__dict__.update(display=sys.modules["IPython.display"], core=core)
    core.__dict__.update(display=sys.modules["IPython.core.display"])
    return {"get_ipython": get_ipython, "display": display}
