"""What the library covers, as a page: `python -m grader.report.coverage > docs/coverage.md` renews it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from reference.index import Entry, entries
from reference.variants import Variant, variants


def coverage_page() -> str:
    """Markdown: for each file of each lecture its identifiers, witness and functions, and what belongs to them."""
    everything = entries()
    parts = [
        "# Coverage of the reference library",
        "Generated from the code by `python -m grader.report.coverage > docs/coverage.md`; not to be edited by hand. "
        "*Catalogue* gives the identifiers of the course catalogue that a file implements, *witness* what it is "
        "checked against. [How to read and extend the library](reference.md).",
        _totals(everything),
        "## Where an identifier of the catalogue is",
        _identifiers(everything),
    ]
    for lecture, of_lecture in groupby(everything, key=lambda entry: entry.lecture):
        parts.append(f"## {lecture}")
        parts += [_file(list(of_file)) for _, of_file in groupby(of_lecture, key=lambda entry: entry.path)]
    return "\n\n".join(parts) + "\n"


def _totals(everything: Sequence[Entry]) -> str:
    counts = {
        "functions": len(everything),
        "guarantees": sum(len(entry.guarantees) for entry in everything),
        "equivalents": sum(len(entry.equivalents) for entry in everything),
        "conventions": sum(len(entry.conventions) for entry in everything),
        "mistakes": sum(len(entry.mistakes) for entry in everything),
        "identifiers of the catalogue": len({name for entry in everything for name in entry.catalogue}),
        "standard problems": sum(entry.example is not None for entry in everything),
    }
    return _table(list(counts), [[str(count) for count in counts.values()]])


def _identifiers(everything: Iterable[Entry]) -> str:
    files = {name: entry.path for entry in everything for name in entry.catalogue}
    return _table(["identifier", "file"], [[f"`{name}`", f"`{files[name]}`"] for name in sorted(files)])


def _file(functions: Sequence[Entry]) -> str:
    first = functions[0]
    catalogue = ", ".join(f"`{name}`" for name in first.catalogue) or "none"
    heads = ["function", "guarantees", "equivalents", "conventions", "mistakes"]
    rows = [
        [
            f"`{entry.name}`",
            _listed(_named(guarantee.bound.__name__, variants(guarantee.bound)) for guarantee in entry.guarantees),
            *(_listed(v.identifier for v in kind) for kind in (entry.equivalents, entry.conventions, entry.mistakes)),
        ]
        for entry in functions
    ]
    about = f"Catalogue: {catalogue}. Witness: {first.witness or 'none'}."
    return f"### `{first.path}`\n\n{about}\n\n{_table(heads, rows)}"


def _named(bound: str, wrong: Sequence[Variant]) -> str:
    return f"{bound} (wrong: {', '.join(variant.identifier for variant in wrong)})" if wrong else bound


def _listed(names: Iterable[str]) -> str:
    listed = list(names)
    return f"{len(listed)}: {', '.join(listed)}" if listed else ""


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    print(coverage_page(), end="")
