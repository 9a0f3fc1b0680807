"""For whoever runs the grader: what this machine offers."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.markup import escape

from grader.sandbox.layers import layers


def doctor() -> None:
    """Show each layer of the sandbox: what it protects from, whether this machine has it, how to get it.

    Exit code 1 if the work of others cannot be graded safely here.

    Example: `grader doctor`
    """
    console = Console()
    found = layers()
    for layer in found:
        sign = "[green]✓[/]" if layer.active else "[red]✗[/]"
        console.print(f"{sign} [bold]{escape(layer.name)}[/]: {escape(layer.protects_from)}")
        if not layer.active:
            console.print(f"    {escape(layer.remedy)}")
    if all(layer.active for layer in found):
        console.print("\nThe sandbox is complete: the work of others can be graded here.")
        return
    console.print(
        "\nThe sandbox is not complete. `grader grade` refuses to run here; with `--sandbox=weak` it runs code that "
        "you trust. `grader check`, for your own work, needs no sandbox."
    )
    raise typer.Exit(1)
