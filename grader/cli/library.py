"""For everybody: the algorithms of the course, with their theorems and the mistakes that people make."""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.text import Text

# The library and Matplotlib are imported where they are used: the other commands start without them.
if TYPE_CHECKING:
    from reference.index import Entry
    from reference.variants import Guarantee, Variant

Name = Annotated[
    str | None,
    typer.Argument(
        metavar="NAME",
        help="A function, a file, an identifier of the course catalogue, or a mistake or guarantee by its name.",
    ),
]
Plot = Annotated[
    Path | None,
    typer.Option(
        "--plot",
        metavar="FILE",
        help="Draw the convergence of NAME, its guarantees and its mistakes on its standard problem (.png or .svg).",
    ),
]

_NAMES = 28  # columns of a name in the list
_WRITTEN = 116  # columns that are left to a docstring in a function


def reference(name: Name = None, plot: Plot = None) -> None:
    """List the algorithms of the course, or show one: its mathematics, guarantees, correct forms and mistakes.

    Example: `grader reference nesterov_strongly_convex`
    """
    from reference.index import entries, find

    console = Console(highlight=False, markup=False, emoji=False)
    if name is None:
        if plot is not None:
            _refuse("--plot needs the name of an algorithm: `grader reference gradient_descent --plot gd.png`.")
        _print_all(console, entries())
        return
    try:
        found = find(name)
    except LookupError as error:
        _refuse(f"{error} `grader reference` lists everything.")
    if plot is not None:
        _draw(console, name, found, plot)
    elif len({entry.module for entry in found}) > 1:
        _print_choice(console, name, found)
    else:
        _print_file(console, found)


def _draw(console: Console, name: str, found: Sequence[Entry], file: Path) -> None:
    drawable = [entry for entry in found if entry.example is not None]
    if not drawable:
        from reference.index import entries

        others = ", ".join(entry.name for entry in entries() if entry.example is not None)
        _refuse(f"{name!r} has no standard problem, so there is no convergence to draw. These have one: {others}.")
    if len(drawable) > 1:
        _refuse(f"{name!r} stands for several algorithms; draw one of {', '.join(e.name for e in drawable)}.")
    if file.suffix.lower() not in (".png", ".svg"):
        _refuse(f'"{file}" is neither .png nor .svg; a picture is written as one of the two.')
    from grader.report.convergence_plot import convergence, figure

    picture = figure(convergence(drawable[0].function))
    try:
        picture.savefig(file)
    except OSError as error:
        _refuse(f'"{file}" cannot be written: {error.strerror}.')
    console.print(f"wrote {file}", soft_wrap=True)


def _print_all(console: Console, entries: Sequence[Entry]) -> None:
    for lecture, of_lecture in groupby(entries, key=lambda entry: entry.lecture):
        console.print(lecture, style="bold")
        for path, of_file in groupby(of_lecture, key=lambda entry: entry.path):
            functions = list(of_file)
            name, title = Path(path).stem, _title(functions[0])
            # A function that its file is named after is what the file is about.
            alone = [entry.name for entry in functions] == [name]
            _print_cut(console, f"  {name if alone else Path(path).name:<{_NAMES + 2}} {title}", "bold" * (not alone))
            for entry in functions if not alone else ():
                _print_cut(console, f"    {entry.name:<{_NAMES}} {entry.summary}")
        console.print()
    console.print("`grader reference NAME` shows one of them, `--plot FILE` draws it.")


def _print_cut(console: Console, line: str, style: str = "") -> None:
    console.print(Text(line, style), no_wrap=True, overflow="ellipsis")


def _print_choice(console: Console, name: str, found: Sequence[Entry]) -> None:
    console.print(f"{name} is found in several files. One of them:")
    for entry in found:
        module = entry.module.removeprefix("reference.")
        console.print(f"  grader reference {module}.{entry.name}", soft_wrap=True)


def _print_file(console: Console, found: Sequence[Entry]) -> None:
    first = found[0]
    module = sys.modules[first.module]
    _print_block(console, first.lecture, style="dim")
    _print_block(console, f"reference/{first.path}", style="dim")
    console.print()
    _print_docstring(console, module.__doc__ or "")
    for entry in found:
        console.print()
        _print_entry(console, entry)


def _print_entry(console: Console, entry: Entry) -> None:
    kind = "class " if inspect.isclass(entry.function) else ""
    _print_block(console, f"{kind}{entry.name}{_signature(entry.function)}", style="bold")
    _print_docstring(console, inspect.getdoc(entry.function) or "", indent="  ")
    _print_guarantees(console, entry.guarantees)
    _print_variants(console, "Equivalent: other correct forms", entry.equivalents)
    _print_variants(console, "Conventions: correct in another source", entry.conventions)
    _print_variants(console, "Mistakes", entry.mistakes)
    if entry.example is not None:
        problem = entry.example.problem().name
        console.print()
        _print_block(console, f'Standard problem: "{problem}". `grader reference {entry.name} --plot FILE` draws it.')


def _print_guarantees(console: Console, guarantees: Sequence[Guarantee]) -> None:
    from reference.variants import variants

    if guarantees:
        console.print("\nGuarantees", style="bold")
    for guarantee in guarantees:
        quantity = (inspect.getdoc(guarantee.quantity) or "").partition("\n")[0]
        _print_block(console, f"  {guarantee.bound.__name__}: {quantity}", style="green")
        _print_block(console, f"      {guarantee.sentence}")
        _print_variants(
            console, f"Wrong forms of {guarantee.bound.__name__}", variants(guarantee.bound), indent="      "
        )


def _print_variants(console: Console, heading: str, variants: Sequence[Variant], indent: str = "") -> None:
    if variants:
        console.print()
        console.print(indent + heading, style="bold")
    for variant in variants:
        console.print(f"{indent}  {variant.identifier}", style="cyan", soft_wrap=True)
        _print_docstring(console, inspect.getdoc(variant.function) or "", indent=f"{indent}      ")
        if variant.sentence:
            _print_block(console, f'{indent}      "{variant.sentence}"', style="italic")


def _title(entry: Entry) -> str:
    return (sys.modules[entry.module].__doc__ or "").partition("\n")[0]


def _signature(function: Callable[..., Any]) -> str:
    # The annotations are the source's own words ("Matrix"), which say more than what they stand for.
    signature = inspect.signature(function)
    parameters = [
        f"{parameter.name}: {parameter.annotation}"
        + ("" if parameter.default is inspect.Parameter.empty else f" = {parameter.default}")
        for parameter in signature.parameters.values()
    ]
    returned = "" if inspect.isclass(function) else f" -> {signature.return_annotation}"
    return f"({', '.join(parameters)}){returned}"


def _print_docstring(console: Console, docstring: str, indent: str = "") -> None:
    lines: list[str] = []
    above = ""
    for line in inspect.cleandoc(docstring).splitlines():
        if _goes_on(above, line):
            lines[-1] += " " + line.strip()
        else:
            lines.append(line)
        above = line
    for line in lines:
        _print_block(console, (indent + line).rstrip())


def _print_block(console: Console, line: str, style: str = "") -> None:
    """One line; where it is too long for the terminal, it goes on below, a little further in."""
    further = " " * (_text_column(line) + 2)
    wrapped = textwrap.wrap(
        line, console.width, subsequent_indent=further, break_long_words=False, break_on_hyphens=False
    )
    for part in wrapped or [""]:
        console.print(part, style=style, soft_wrap=True)


def _goes_on(above: str, line: str) -> bool:
    """Whether the text was broken after `above` only because the first word of `line` did not fit there."""
    if not (above.strip() and line.strip()):
        return False
    start, start_above = _text_column(line), _text_column(above)
    if line[:start].strip():  # a section of its own
        return False
    is_full = len(above) + 1 + len(line.split()[0]) > _WRITTEN
    is_table = "  " in above[start_above:] or "  " in line[start:]
    return is_full and not is_table and start - start_above in (0, 4)


def _text_column(line: str) -> int:
    """Where the text of a line begins: behind the heading of a section, if there is one."""
    start = re.match(r"(?:[A-Z][a-z]+ {2,}| *)", line)
    return start.end() if start else 0


def _refuse(sentence: str) -> NoReturn:
    print(f"grader: {sentence}", file=sys.stderr)
    raise typer.Exit(2)
