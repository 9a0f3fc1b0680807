"""The library's functions and classes as a student would hand them in: copies of their source that need no library.

The sandbox hides the reference. So each module that a function comes from becomes a helper file beside the script,
which holds the definitions that the function needs and nothing else, and imports from other copies. The script says
which copy has the name that is asked for:

    from copy_of_reference_lecture02_gradient_descent import decaying_step as gradient_descent
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.assignment.errors import AssignmentError
from grader.submission.program import Block, Program

LIBRARY = "reference"
REGISTRATION = "reference.variants"
"""Its decorators tell the grader what a function is. A student's function has none."""
EVERYTHING = "*"


def handed_in(functions: Mapping[str, Callable[..., Any]]) -> Program:
    """A program that defines each name of `functions` by the source of its function or class.

    Raises:
        AssignmentError: a function or class has no source of its own (a lambda, one made inside another function), is
            torch's own, or needs something that a student does not have.
    """
    modules: dict[str, _Module] = {}
    lines = []
    for name, function in functions.items():
        function = inspect.unwrap(function)
        origin, own_name = function.__module__, function.__name__
        if isinstance(function, type) and origin.partition(".")[0] == "torch":
            raise AssignmentError(
                f"{name}: {origin}.{own_name} is torch's own, and students write theirs; "
                f"make a class that extends torch.optim.Optimizer the reference"
            )
        file = _home(function)
        refused = AssignmentError(f"{name}: {function!r} cannot be handed in; write it at the top level of a module")
        if file is None or function.__qualname__ != own_name:
            raise refused
        if origin not in modules:
            modules[origin] = _Module.read(file)
        if not modules[origin].binding(own_name):
            raise refused
        _keep(modules, origin, own_name)
        lines.append(f"from {_copy(origin)} import {own_name} as {name}\n")
    files = {f"{_copy(origin)}.py": module.source().encode() for origin, module in modules.items() if module.kept}
    return Program((Block("the script", "".join(lines)),), files=files)


def _home(function: Callable[..., Any]) -> Path | None:
    """The file that defines a function or a class; None where there is none.

    A `checks.py` is no module that Python could find again by its name, and a class does not say where it stands. Its
    methods do, or those of a base in the same module.
    """
    origin = function.__module__
    members: list[Any] = [function]
    if isinstance(function, type):
        own = [base for base in function.__mro__ if base.__module__ == origin]
        members = [inspect.unwrap(member) for base in own for member in vars(base).values()]
    codes = [member.__code__ for member in members if inspect.isfunction(member) and member.__module__ == origin]
    names = [code.co_filename for code in codes]
    if isinstance(function, type) and origin in sys.modules:
        names.append(getattr(sys.modules[origin], "__file__", None) or "")
    return next((Path(name) for name in names if Path(name).is_file()), None)


@dataclass
class _Module:
    """The top-level statements of a module, and which of them are kept."""

    statements: list[ast.stmt]
    kept: set[int]

    @classmethod
    def read(cls, file: Path) -> _Module:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        registrations = {
            alias.asname or alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == REGISTRATION
            for alias in node.names
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                node.decorator_list = [d for d in node.decorator_list if not _names(d) & registrations]
        return cls([part for statement in tree.body for part in _single_imports(statement)], set())

    def binding(self, name: str) -> list[int]:
        """The statements that give `name` its value; for `EVERYTHING`, those that give any name a value."""
        bound = [_bound(statement) for statement in self.statements]
        return [index for index, names in enumerate(bound) if name in names or (name == EVERYTHING and names)]

    def source(self) -> str:
        """The copy, with the imports of other modules of the library turned into imports of their copies."""
        kept = [ast.unparse(_Rewriting().visit(self.statements[index])) for index in sorted(self.kept)]
        return "\n".join(["from __future__ import annotations", *kept, ""])


def _keep(modules: dict[str, _Module], origin: str, name: str) -> None:
    """Keep the definition of `name` in the module `origin`, and all that it needs, in whatever module."""
    wanted = [(origin, name)]
    while wanted:
        origin, name = wanted.pop()
        if origin not in modules:
            modules[origin] = _Module.read(_file(origin))
        module = modules[origin]
        for index in set(module.binding(name)) - module.kept:
            module.kept.add(index)
            wanted += [(origin, used) for used in _names(module.statements[index])]
            wanted += _imported(module.statements[index])


def _single_imports(statement: ast.stmt) -> list[ast.stmt]:
    """An import of several names as several imports: each is needed for itself. Future imports are not kept."""
    if isinstance(statement, ast.ImportFrom):
        if statement.module == "__future__":
            return []
        return [ast.ImportFrom(statement.module, [alias], statement.level) for alias in statement.names]
    if isinstance(statement, ast.Import):
        return [ast.Import([alias]) for alias in statement.names]
    return [statement]


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement at the top level of a module gives a value, or whose value it changes.

    `TABLE["limit"] = 10.0`, `settings.limit = 10.0` and `TABLE.update(limit=10.0)` belong to what they change.
    """
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).partition(".")[0] for alias in statement.names}
    changed = [node for node in ast.walk(statement) if isinstance(getattr(node, "ctx", None), ast.Store)]
    match statement:
        case ast.Expr(ast.Call(ast.Attribute() as method)):
            changed.append(method)
    own = {node.id for node in map(_root, changed) if isinstance(node, ast.Name)}
    inner = [node for node in ast.iter_child_nodes(statement) if isinstance(node, ast.stmt)]
    return own.union(*(_bound(node) for node in inner))


def _root(node: ast.AST) -> ast.AST:
    """What is indexed or has attributes: `x` of `x.a[0]`; other code itself."""
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node


def _names(node: ast.AST) -> set[str]:
    """The names that occur in a piece of code; annotations do not count, since nobody evaluates them."""
    if isinstance(node, ast.Name):
        return {node.id}
    unevaluated = ("annotation", "returns")
    parts = [value for field, value in ast.iter_fields(node) if field not in unevaluated]
    children = [child for part in parts for child in (part if isinstance(part, list) else [part])]
    return set().union(*(_names(child) for child in children if isinstance(child, ast.AST)))


def _imported(statement: ast.stmt) -> Iterator[tuple[str, str]]:
    """What a statement takes from modules of the library: (module, name).

    Raises:
        AssignmentError: it takes something from the grader, or in a form that cannot be copied.
    """
    for node in ast.walk(statement):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                module = node.module or ""
                if node.level or module.partition(".")[0] == "grader":
                    raise AssignmentError(f"`{ast.unparse(node)}` cannot be handed in: students do not have it")
                if module.partition(".")[0] == LIBRARY:
                    inner = f"{module}.{alias.name}"
                    yield (inner, EVERYTHING) if _is_module(inner) else (module, alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] in (LIBRARY, "grader"):
                    raise AssignmentError(f"`{ast.unparse(node)}` cannot be handed in; write `from ... import ...`")


class _Rewriting(ast.NodeTransformer):
    """Imports from the library become imports from the copies."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> list[ast.stmt]:
        return [self._one(node, alias) for alias in node.names]

    @staticmethod
    def _one(node: ast.ImportFrom, alias: ast.alias) -> ast.stmt:
        module = node.module or ""
        if module.partition(".")[0] != LIBRARY:
            return ast.ImportFrom(module, [alias], node.level)
        inner = f"{module}.{alias.name}"
        if _is_module(inner):
            return ast.Import([ast.alias(_copy(inner), alias.asname or alias.name)])
        return ast.ImportFrom(_copy(module), [alias], 0)


def _copy(module: str) -> str:
    return "copy_of_" + module.replace(".", "_")


def _file(module: str) -> Path:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise AssignmentError(f"the source of {module} is not found")
    return Path(spec.origin)


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is a module, not a package
        return False
