"""For whoever runs the grader: what this machine offers."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.markup import escape

from grader.sandbox.layers import Layer, isolated_run, layers

_NEEDED = {
    "strong": "needed for the sandbox",
    "both": "needed for the sandbox",
    "weak": "needed for `--sandbox=weak`",
    "none": "not needed",
}


def doctor() -> None:
    """Show each layer of the sandbox: what it protects from, whether this machine has it, how to get it.

    Exit code 1 if the work of others cannot be graded with all that is needed.

    Example: `grader doctor`
    """
    console = Console()
    for layer in layers():
        _show(console, layer)
    console.print()
    strong = isolated_run("strong")
    if not strong:
        console.print("[green]✓[/] A program was run in the sandbox: the work of others can be graded here.")
        return
    console.print(f"[red]✗[/] {escape(strong)}")
    if isolated_run("weak"):
        console.print(
            "`grader grade` refuses to run here. `--sandbox=none` runs code that you trust, without any protection."
        )
    else:
        console.print(
            "`grader grade` refuses to run here, unless you say `--sandbox=weak`: without namespaces, with Landlock, "
            "the seccomp filter and limits. docs/sandbox.md tells what that does not protect from."
        )
    console.print("`grader check`, for your own work, needs no sandbox.")
    raise typer.Exit(1)


def _show(console: Console, layer: Layer) -> None:
    sign = "[green]✓[/]" if layer.active else "[yellow]-[/]" if layer.need == "none" else "[red]✗[/]"
    console.print(f"{sign} [bold]{escape(layer.name)}[/]: {escape(layer.protects_from)}")
    if not layer.active:
        console.print(f"    {_NEEDED[layer.need]}. {escape(layer.remedy)}")
