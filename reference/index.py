"""What is in the library: every function of every lecture, with all that belongs to it, found by name.

The library describes itself. The title of a lecture is the first sentence of its package's docstring; catalogue
identifiers and witnesses are sections of a module's docstring; variants, guarantees and examples are registered beside
the algorithm (`reference.variants`).
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType

import reference
from reference.variants import Algorithm, Example, Guarantee, Kind, Variant, example_of, guarantees, variants

HEADINGS = ("Problem", "Algorithm", "Guarantee", "Cost", "References", "Catalogue", "Witness")
"""The sections of a module's docstring, in their order."""


@dataclass(frozen=True)
class Entry:
    """One function of the library, or a class whose objects are called like one."""

    function: Algorithm
    name: str
    lecture: str
    """Title of the lecture in words: "Lecture 2: gradient descent, ..."."""
    module: str
    """Dotted name of the module, such as "reference.lecture02.gradient_descent"."""
    summary: str
    """First line of the function's docstring."""
    catalogue: tuple[str, ...]
    """Identifiers that the course catalogue has for what is in the function's module."""
    witness: str
    """Against what the module is checked; empty where its docstring has no such section."""
    equivalents: tuple[Variant, ...]
    conventions: tuple[Variant, ...]
    mistakes: tuple[Variant, ...]
    guarantees: tuple[Guarantee, ...]
    example: Example | None

    @property
    def path(self) -> str:
        """The module's file below the folder `reference`: "lecture02/gradient_descent.py"."""
        return self.module.removeprefix("reference.").replace(".", "/") + ".py"

    @property
    def belongings(self) -> tuple[str, ...]:
        """Names of the variants and guarantees, and of the variants of the guarantees."""
        bounds = [guarantee.bound for guarantee in self.guarantees]
        own = [variant.identifier for function in (self.function, *bounds) for variant in variants(function)]
        return (*own, *(bound.__name__ for bound in bounds))


def entries() -> list[Entry]:
    """Every public function of every lecture, by lecture, file and place in the file.

    Variants and the bounds of guarantees are not listed on their own: they belong to their algorithm.
    """
    return list(_entries())


def find(name: str) -> list[Entry]:
    """What `name` stands for, in the order of `entries`.

    A name is, whichever is found first: that of a function, with as much of its module in front as is wanted
    ("quantities.mean_gap"); an identifier of the course catalogue, or a module, which stand for all functions of the
    module; the name of a variant or a guarantee, which stands for all algorithms that have one of that name.

    Raises:
        LookupError: where there is nothing of that name; a sentence with near names.
    """
    all_entries = _entries()
    meanings = (
        [e for e in all_entries if f"{e.module}.{e.name}".endswith(f".{name}")],
        [e for e in all_entries if name in e.catalogue],
        [e for e in all_entries if e.module.endswith(f".{name}")],
        [e for e in all_entries if name in e.belongings],
    )
    for found in meanings:
        if found:
            return found
    near = difflib.get_close_matches(name, sorted(_names(all_entries)), n=4, cutoff=0.6)
    hint = f"Near names: {', '.join(near)}." if near else "No name comes near it."
    raise LookupError(f"There is no {name!r} in the reference. {hint}")


def lecture_modules() -> list[ModuleType]:
    """The modules of all lectures, by lecture and name, each part of a lecture after what is not in a part."""
    walk = pkgutil.walk_packages(reference.__path__, "reference.")
    names = [info.name for info in walk if not info.ispkg and info.name.startswith("reference.lecture")]
    return [importlib.import_module(name) for name in sorted(names, key=lambda name: name.rpartition("."))]


def sections(docstring: str) -> dict[str, str]:
    """The sections of a module's docstring, heading -> text.

    A section starts with its heading (one of `HEADINGS`) at the margin, and goes on as long as lines are indented. The
    text keeps the order of its lines; what all of them are indented by is taken away.
    """
    found: dict[str, list[str]] = {}
    heading = ""
    for line in inspect.cleandoc(docstring).splitlines():
        start = re.match(rf"({'|'.join(HEADINGS)})(?:\s+|$)", line)
        if start:
            heading = start[1]
            # Blanks in the place of the heading: so all lines of the section are indented alike.
            found[heading] = [" " * len(heading) + line[len(heading) :]]
        elif heading and line.startswith(" "):
            found[heading].append(line)
        elif line:
            heading = ""
    return {name: inspect.cleandoc("\n" + "\n".join(lines)) for name, lines in found.items()}


@cache
def _entries() -> tuple[Entry, ...]:
    modules = lecture_modules()
    functions = [function for module in modules for function in _public_functions(module)]
    belonging = {variant.function for function in functions for variant in variants(function)}
    belonging |= {guarantee.bound for function in functions for guarantee in guarantees(function)}
    return tuple(
        _entry(function, module)
        for module in modules
        for function in _public_functions(module)
        if function not in belonging
    )


def _entry(function: Algorithm, module: ModuleType) -> Entry:
    parts = sections(module.__doc__ or "")
    catalogue = parts.get("Catalogue", "none")
    return Entry(
        function=function,
        name=function.__name__,
        lecture=_lecture(module),
        module=module.__name__,
        summary=(inspect.getdoc(function) or "").partition("\n")[0],
        catalogue=tuple(re.findall(r"\w+", catalogue)) if catalogue != "none" else (),
        witness=" ".join(parts.get("Witness", "").split()),
        equivalents=variants(function, Kind.EQUIVALENT),
        conventions=variants(function, Kind.CONVENTION),
        mistakes=variants(function, Kind.MISTAKE),
        guarantees=guarantees(function),
        example=example_of(function),
    )


def _public_functions(module: ModuleType) -> Iterator[Algorithm]:
    for name, value in vars(module).items():
        is_function = inspect.isfunction(value) or (inspect.isclass(value) and "__call__" in vars(value))
        if is_function and not name.startswith("_") and value.__module__ == module.__name__:
            yield value


def _lecture(module: ModuleType) -> str:
    package = importlib.import_module(module.__name__.rpartition(".")[0])
    return (package.__doc__ or "").partition(".")[0]


def _names(all_entries: Iterable[Entry]) -> set[str]:
    names: set[str] = set()
    for entry in all_entries:
        names |= {entry.name, entry.module.rpartition(".")[2], *entry.catalogue, *entry.belongings}
    return names
