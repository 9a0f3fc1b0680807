"""Where student code lives: one module in which the blocks are executed, in order."""

from __future__ import annotations

import ast
import builtins
import io
import os
import random
import site
import sys
from types import ModuleType
from typing import Any, NoReturn

import numpy as np

from grader.guest.limits import Allowance
from grader.guest.mishap import Sources
from grader.guest.notebook import Shell, install
from grader.guest.printed import Printed
from grader.guest.reading import future_flags, is_definition, read, salvage
from grader.guest.stopwatch import Stopwatch, TimeLimitError

_DEFINITIONS_SECONDS = 1.0
"""For reading what a block defines after it was stopped."""

_compile, _exec, _eval = compile, exec, eval


class Workspace:
    """The module `__main__` of a program, and what is known about its text.

    Args:
        home: the working folder, where the files beside the submission are.
        allowance: what each block and each call may use.
    """

    def __init__(self, home: str, allowance: Allowance) -> None:
        self.home = home
        self.allowance = allowance
        self.printed = Printed()
        self.sources = Sources()
        self._flags = 0
        self._label = ""
        self._remarks: list[str] = []
        self._nested = 0
        self._prepare()

    def _prepare(self) -> None:
        module = ModuleType("__main__")
        module.__file__ = os.path.join(self.home, "submission.py")
        sys.modules["__main__"] = module
        self.namespace: dict[str, Any] = module.__dict__
        self.namespace["__builtins__"] = builtins
        self.namespace.update(install(Shell(self._execute_nested, self._remarks.append)))
        # The interpreter of the sandbox starts without the module `site`, which gives these.
        site.setquit()
        site.sethelper()
        builtins.input = _no_input
        sys.stdin = io.StringIO()
        sys.argv = [""]
        sys.path.insert(0, self.home)
        seed()

    def write(self, name: str, content: bytes) -> None:
        """Put a file beside the submission. `name` is relative and was checked by the grader."""
        path = os.path.join(self.home, *name.split("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        if name.endswith(".py"):
            self.sources.add(path, name, content.decode("utf-8", "replace"))

    def run_block(self, label: str, source: str, definitions_only: bool, printed: int) -> dict[str, Any]:
        """Execute one block; whatever its code does, what it defines is read.

        Args:
            label: its name.
            source: its text.
            definitions_only: leave the other statements out.
            printed: bytes of printed text that are kept.

        Returns:
            The report as JSON: "error" (null or an object), "printed", "remark".
        """
        file_name = f"<{label}>"
        self._label = label
        self._remarks.clear()
        self.sources.add(file_name, label, source)
        self.printed.start(printed)
        error: BaseException | None = None
        try:
            rest = read(source, file_name, self._flags)
        except SyntaxError as broken:
            error = broken
            rest = salvage(source, file_name, self._flags)
            definitions_only = True
        self._flags |= future_flags(rest)
        if not definitions_only:
            done = 0
            try:
                with Stopwatch(self.allowance.cpu, self.allowance.wall):
                    for statement in rest:
                        done += 1
                        self._execute(statement, file_name)
            except BaseException as raised:
                error = raised
            rest = rest[done:]
        self._define(rest, file_name)
        return {
            "error": None if error is None else self.sources.describe(error),
            "printed": self.printed.take(),
            "remark": " ".join(dict.fromkeys(self._remarks)),
        }

    def _execute(self, statement: ast.stmt, file_name: str) -> None:
        code = _compile(ast.Module([statement], type_ignores=[]), file_name, "exec", self._flags, dont_inherit=True)
        _exec(code, self.namespace)

    def _define(self, statements: list[ast.stmt], file_name: str) -> None:
        """Read the definitions among the statements; one that fails does not hinder the next."""
        try:
            with Stopwatch(_DEFINITIONS_SECONDS, _DEFINITIONS_SECONDS):
                for statement in statements:
                    if is_definition(statement):
                        try:
                            self._execute(statement, file_name)
                        except TimeLimitError:
                            raise
                        except BaseException:
                            continue
        except TimeLimitError:
            pass

    def _execute_nested(self, first_line: str, source: str) -> Any:
        """Run the text under a magic such as `%%time`; its errors are the block's."""
        self._nested += 1
        file_name = f"<{self._label}: {first_line.strip()} ({self._nested})>"
        # Line 1 of the cell is the magic itself.
        text = f"\n{source}" if first_line.startswith("%%") else source
        self.sources.add(file_name, self._label, text)
        statements = read(text, file_name, self._flags)
        self._flags |= future_flags(statements)
        last = statements.pop() if statements and isinstance(statements[-1], ast.Expr) else None
        for statement in statements:
            self._execute(statement, file_name)
        if last is None:
            return None
        assert isinstance(last, ast.Expr)
        code = _compile(ast.Expression(last.value), file_name, "eval", self._flags, dont_inherit=True)
        return _eval(code, self.namespace)


def seed() -> None:
    """Code that draws random numbers without a seed gets the same ones each time, so that its grade is the same."""
    random.seed(0)
    np.random.seed(0)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(0)


def _no_input(prompt: object = "") -> NoReturn:
    raise EOFError("input() cannot be used here: nobody is there to answer. Write the value into the code.")
