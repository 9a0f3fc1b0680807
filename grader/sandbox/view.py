"""What student code can see of the machine: the interpreter, its packages, the system's libraries; nothing else.

Decided in the grader's process, where it is known what is installed where; built by `grader.sandbox.isolation`.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from grader.sandbox.gpu import Gpu

_SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64"),
    *("/etc/ld.so.cache", "/etc/localtime", "/etc/fonts", "/etc/alternatives"),
)
_OURS = ("grader", "reference")
_DISTRIBUTION = "trajectory_grader"


@dataclass(frozen=True)
class View:
    """Absolute paths. Where one lies inside another, the deeper one counts."""

    shown: tuple[str, ...]
    """Read-only for student code. A path that is a symbolic link is shown as that link."""
    hidden: tuple[str, ...]
    """Empty for student code."""
    devices: tuple[str, ...] = ()
    """Device files of a GPU, for reading, writing and their own commands."""

    def with_gpu(self, gpu: Gpu) -> View:
        """The same, and what CUDA needs."""
        return replace(self, shown=tuple(dict.fromkeys((*self.shown, *gpu.shown))), devices=gpu.devices)


def code_root() -> str:
    """The folder from which `grader` is imported."""
    return str(Path(__file__).resolve().parents[2])


def package_folders() -> list[str]:
    """The folders with installed packages, in the order of the search path."""
    return [
        os.path.realpath(entry)
        for entry in sys.path
        if os.path.basename(entry) in ("site-packages", "dist-packages") and os.path.isdir(entry)
    ]


def search_path() -> list[str]:
    """The module search path for student code: the standard library and the installed packages."""
    library = Path(sysconfig.get_path("stdlib")).resolve()
    extensions = [os.path.realpath(entry) for entry in sys.path if os.path.basename(entry) == "lib-dynload"]
    return [str(library), *extensions, *package_folders()]


def student_view() -> View:
    """What a student's process shall see on this machine."""
    interpreter = [sys.prefix, sys.base_prefix, sysconfig.get_path("stdlib"), *package_folders()]
    shown = [path for path in _SYSTEM if os.path.lexists(path)]
    shown += [os.path.realpath(path) for path in interpreter]
    return View(tuple(dict.fromkeys(shown)), tuple(dict.fromkeys(_secrets())))


def _secrets() -> list[str]:
    """Our own packages and their metadata, and the checkout of an editable install."""
    hidden: list[str] = []
    for name in _OURS:
        spec = find_spec(name)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            place = Path(folder).resolve()
            hidden.append(str(place))
            if (place.parent / "pyproject.toml").exists():
                hidden.append(str(place.parent))
    for folder in package_folders():
        hidden += [str(path) for path in Path(folder).glob(f"*{_DISTRIBUTION}*")]
    return hidden
