"""Source code to statements: all of them, or where that fails or is not wanted, the definitions."""

from __future__ import annotations
import __future__

import ast
import re
import warnings

_CONTINUES = re.compile(r"(?:else|elif|except|finally)\b|[)\]}]")
_JOINED = 10
"""Pieces that are tried together, at most."""
_FAILURES = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)


def read(source: str, file_name: str, flags: int = 0) -> list[ast.stmt]:
    """The statements of a block.

    Raises:
        SyntaxError: not Python.
    """
    try:
        tree = compile(source, file_name, "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
        with warnings.catch_warnings():
            # Warnings about the syntax are given once, when the statements are compiled to be executed.
            warnings.simplefilter("ignore")
            compile(tree, file_name, "exec", flags, dont_inherit=True)
    except SyntaxError:
        raise
    except _FAILURES as error:
        # NUL characters, lone surrogates, thousands of nested brackets.
        raise SyntaxError(f"The text cannot be read as Python: {error}", (file_name, 1, 1, "")) from None
    assert isinstance(tree, ast.Module)
    return tree.body


def salvage(source: str, file_name: str, flags: int = 0) -> list[ast.stmt]:
    """The statements of those pieces of a broken block that are Python by themselves.

    A piece starts at each line that begins in column 0 and does not continue the line before. A text over several lines
    may do so too: a piece that is not Python alone is tried together with those after it.
    """
    pieces = _pieces(source)
    statements: list[ast.stmt] = []
    position = 0
    while position < len(pieces):
        taken = 1
        for end in range(position + 1, min(position + _JOINED, len(pieces)) + 1):
            text = "\n".join(piece for _, piece in pieces[position:end])
            try:
                healthy = read(text, file_name, flags)
            except SyntaxError:
                continue
            first = pieces[position][0]
            statements += [ast.increment_lineno(statement, first) for statement in healthy]
            taken = end - position
            break
        position += taken
    return statements


def _pieces(source: str) -> list[tuple[int, str]]:
    pieces: list[tuple[int, list[str]]] = []
    decorated = False
    for number, line in enumerate(source.splitlines()):
        starts = bool(line) and not line[0].isspace() and line[0] != "#" and not _CONTINUES.match(line)
        if (starts and not decorated) or not pieces:
            pieces.append((number, []))
        if starts:
            decorated = line[0] == "@"
        pieces[-1][1].append(line)
    return [(first, "\n".join(lines)) for first, lines in pieces]


def is_definition(node: ast.stmt) -> bool:
    """Whether a statement only defines something: a function, a class, an import, a name for a literal.

    An import that is tried (`try: import torch ...`) counts.
    """
    if isinstance(node, ast.Assign | ast.AnnAssign):
        try:
            ast.literal_eval(node.value or ast.Constant(None))
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return False
        return True
    if isinstance(node, ast.Try):
        handlers = [inner for handler in node.handlers for inner in handler.body]
        return all(is_definition(inner) for inner in [*node.body, *handlers, *node.orelse, *node.finalbody])
    return isinstance(
        node, ast.Pass | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom
    )


def future_flags(statements: list[ast.stmt]) -> int:
    """Compiler flags of the `from __future__` imports; in a notebook they hold for the cells after it too."""
    names = [
        alias.name
        for node in statements
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
        for alias in node.names
    ]
    flags = 0
    for name in names:
        flags |= getattr(getattr(__future__, name, None), "compiler_flag", 0)
    return flags
