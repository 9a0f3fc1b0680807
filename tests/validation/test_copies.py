"""Copies of the library's functions: they need no library, and are the same functions."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

import reference
from grader.assignment.drive import driven
from grader.assignment.errors import AssignmentError
from grader.submission.program import Program
from grader.validation.copies import handed_in
from reference.lecture01.logistic_regression import logistic_gradient
from reference.lecture02.gradient_descent import decaying_step, gradient_descent
from reference.lecture03.heavy_ball import heavy_ball
from reference.variants import Kind, variants


def write(program: Program, folder: Path) -> Path:
    for name, content in program.files.items():
        (folder / name).write_bytes(content)
    script = folder / "script.py"
    script.write_text("".join(block.source for block in program.blocks), encoding="utf-8")
    return script


def module(text: str, folder: Path) -> ModuleType:
    """A module of an author, as `checks.py` is."""
    file = folder / "checks.py"
    file.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("checks_of_someone", file)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_every_function_of_the_library_can_be_handed_in(tmp_path: Path) -> None:
    """All variants of all algorithms at once, defined where there is no library."""
    functions: list[Callable[..., Any]] = []
    for info in pkgutil.walk_packages(reference.__path__, "reference."):
        for algorithm in vars(importlib.import_module(info.name)).values():
            found = variants(algorithm) if callable(algorithm) and algorithm.__hash__ else ()
            if found and algorithm.__module__ == info.name:
                functions += [algorithm, *(variant.function for variant in found)]
    assert len(functions) > 500
    script = write(handed_in({f"f{number}": function for number, function in enumerate(functions)}), tmp_path)
    without = (
        f"import sys; sys.modules['reference'] = sys.modules['grader'] = None; sys.path.insert(0, {str(tmp_path)!r})"
    )
    code = f"{without}\nexec(open({str(script)!r}).read())\nprint(*(f{len(functions) - 1}.__module__, f0.__module__))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(name.startswith("copy_of_reference_") for name in done.stdout.split())


def test_the_script_gives_the_name_that_is_asked_for() -> None:
    (block,) = handed_in({"gradient_descent": decaying_step}).blocks
    assert (
        block.source == "from copy_of_reference_lecture02_gradient_descent import decaying_step as gradient_descent\n"
    )


def test_a_copy_holds_what_is_needed_and_nothing_else() -> None:
    ((name, content),) = handed_in({"logistic_gradient": logistic_gradient}).files.items()
    assert name == "copy_of_reference_lecture01_logistic_regression.py"
    text = content.decode()
    assert "def logistic_gradient(" in text
    assert "def _sigmoid(" in text
    for absent in ("logistic_value", "@equivalent", "variants", "import math"):
        assert absent not in text


def test_equal_private_names_of_two_modules_stay_apart(tmp_path: Path) -> None:
    author = module(
        "def _sigmoid(z):\n    return 'mine'\n\ndef mine(z):\n    return _sigmoid(z)\n",
        tmp_path,
    )
    program = handed_in({"logistic_gradient": logistic_gradient, "mine": author.mine})
    assert sorted(program.files) == [
        "copy_of_checks_of_someone.py",
        "copy_of_reference_lecture01_logistic_regression.py",
    ]
    assert all(b"def _sigmoid" in content for content in program.files.values())


def test_functions_of_an_author_bring_constants_and_functions_of_the_library(tmp_path: Path) -> None:
    author = module(
        """from __future__ import annotations
from reference import problems
from reference.lecture02.gradient_descent import gradient_descent as descend, frozen_gradient
from reference.variants import mistake
STEP = 2 * (BASE := 0.5)
unused = frozen_gradient
def right(gradient, x0): ...
@mistake(right, "No.")
def mine(gradient, x0: Unknown, step=STEP):
    return descend(gradient, x0, step, 1), problems.bowl().x0
""",
        tmp_path,
    )
    program = handed_in({"mine": author.mine})
    copy = program.files["copy_of_checks_of_someone.py"].decode()
    assert "import copy_of_reference_problems as problems" in copy
    assert "from copy_of_reference_lecture02_gradient_descent import gradient_descent as descend" in copy
    assert "STEP = 2 * (BASE := 0.5)" in copy
    for absent in ("unused", "right", "mistake"):
        assert absent not in copy
    assert "frozen_gradient" not in program.files["copy_of_reference_lecture02_gradient_descent.py"].decode()


TABLES = """
FILLED, LISTED, LOOPED, UPDATED = {}, [], {}, {}
OTHER = {}
class Settings: ...
FILLED["limit"] = [0.0]
FILLED["limit"][0] = 1.0
LISTED.append(2.0)
for key in ("a", "b"):
    LOOPED[key] = 3.0
if UPDATED == {}:
    UPDATED.update(limit=4.0)
Settings.limit = 5.0
OTHER["absent"] = 6.0
OTHER.update(absent=6.0)
print("absent")
def mine(x):
    return [x, FILLED["limit"][0], LISTED[0], LOOPED["b"], UPDATED["limit"], Settings.limit]
"""


def test_what_a_module_does_to_a_table_goes_with_the_table(tmp_path: Path) -> None:
    """And what it does to others does not."""
    author = module(TABLES, tmp_path)
    program = handed_in({"mine": author.mine})
    (content,) = program.files.values()
    assert b"absent" not in content
    space: dict[str, Any] = {}
    exec(content.decode(), space)
    assert space["mine"](0.0) == author.mine(0.0) == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def made_by_another() -> Callable[..., Any]:
    def inner(x: float) -> float:
        return x

    return inner


CLASSES = """from __future__ import annotations
import torch
from reference.lecture02.gradient_descent import gradient_descent
from reference.variants import mistake
START = 1
def helper(x):
    return START * x
def unused(): ...
class Base(torch.optim.Optimizer):
    @torch.no_grad()
    def step(self):
        return helper(2), gradient_descent
@mistake(Base, "No.")
class Derived(Base):
    weight: Unknown = 3
class Unrelated: ...
"""


def test_a_class_brings_its_bases_and_what_its_methods_need(tmp_path: Path) -> None:
    """`Derived` has no code of its own that could say where it stands."""
    author = module(CLASSES, tmp_path)
    parameters = [torch.nn.Parameter(torch.zeros(1))]
    author.Derived(parameters, {}).step()  # torch now has its own function around `step`
    program = handed_in({"Asked": driven(author.Derived)})
    assert program.blocks[0].source == "from copy_of_checks_of_someone import Derived as Asked\n"
    copy = program.files["copy_of_checks_of_someone.py"].decode()
    for present in ("class Base(", "class Derived(", "def helper(", "START = 1", "@torch.no_grad()"):
        assert present in copy
    for absent in ("unused", "Unrelated", "mistake"):
        assert absent not in copy
    assert "copy_of_reference_lecture02_gradient_descent.py" in program.files


def test_a_class_without_any_code_is_found_by_its_module() -> None:
    (content,) = handed_in({"Kind": Kind}).files.values()
    assert "class Kind(StrEnum)" in content.decode()


def test_torchs_own_class_is_refused_with_what_to_do() -> None:
    with pytest.raises(AssignmentError, match=r"Adam: torch\.optim\.adam\.Adam is torch's own.*make a class"):
        handed_in({"Adam": torch.optim.Adam})


@pytest.mark.parametrize(
    "function",
    [lambda x: x, made_by_another(), len, type("Made", (), {}), dict],
    ids=["lambda", "inner", "builtin", "class without a source", "builtin class"],
)
def test_what_has_no_source_of_its_own_is_refused(function: Callable[..., Any]) -> None:
    with pytest.raises(AssignmentError, match=r"f: .* cannot be handed in"):
        handed_in({"f": function})


@pytest.mark.parametrize(
    "line",
    ["from grader.assignment import Values as used", "import reference.problems as used", "import grader as used"],
)
def test_what_a_student_does_not_have_is_refused(line: str, tmp_path: Path) -> None:
    author = module(f"{line}\ndef mine(x):\n    return used\n", tmp_path)
    with pytest.raises(AssignmentError, match="cannot be handed in"):
        handed_in({"mine": author.mine})


@pytest.mark.parametrize("function", [gradient_descent, heavy_ball])
def test_a_copy_gives_the_same_numbers(
    function: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ([1.0, -2.0], 0.1, 0.5, 7) if function is heavy_ball else ([1.0, -2.0], 0.1, 7)
    space: dict[str, Any] = {}
    monkeypatch.syspath_prepend(tmp_path)
    exec(write(handed_in({"f": function}), tmp_path).read_text(encoding="utf-8"), space)
    assert space["f"].__module__.startswith("copy_of_")
    assert (space["f"](lambda x: 2 * x, *arguments) == function(lambda x: 2 * x, *arguments)).all()
