"""docs/reference.md is followed to the letter: its template is written to a file, checked, imported, run and drawn."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from grader.report.convergence_plot import convergence, figure
from reference import problems
from reference.index import HEADINGS, find, sections
from reference.problem import Problem
from reference.problems import quadratic, random_quadratic
from reference.quantities import gap
from reference.variants import Kind, example_of, guarantees, variants

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
((NAME, TEMPLATE),) = re.findall(r"^`(\w+\.py)`\n\n```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^\$ grader (.*?)\s*(?:#.*)?$", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory):
    """The template as a module."""
    file = tmp_path_factory.mktemp("reference") / NAME
    file.write_text(TEMPLATE, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("steepest_descent", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def run(function, problem: Problem, num_steps: int):
    return function(problem.gradient, problem.hessian, problem.x0, num_steps)


def variant(template, kind: Kind):
    (found,) = variants(template.steepest_descent, kind)
    return found.function


def test_the_commands_on_the_page_work(grader, tmp_path):
    assert [command.split()[0] for command in COMMANDS] == ["reference"] * 5
    for command in COMMANDS:
        code, printed, said = grader(*shlex.split(command))
        assert (code, said) == (0, ""), command
        assert printed
    assert (tmp_path / "nesterov.png").is_file()


def test_links_and_pictures_of_the_page_exist():
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        assert (ROOT / "docs" / target).is_file(), target


def test_the_template_passes_the_linter(template):
    command = [sys.executable, "-m", "ruff", "check", "--config", str(ROOT / "pyproject.toml"), template.__file__]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_its_docstring_has_every_section_in_order(template):
    assert list(sections(template.__doc__)) == list(HEADINGS)


def test_its_step_is_the_best_of_a_grid(template):
    problem = random_quadratic(4, 5.0, 0.5, seed=1)
    for x, following in pairwise(run(template.steepest_descent, problem, 5)):
        grid = min(problem.value(x - step * problem.gradient(x)) for step in np.linspace(0, 2, 2001))
        assert problem.value(following) <= grid + 1e-14


def test_its_guarantee_holds_and_is_attained(template):
    (theorem,) = guarantees(template.steepest_descent)
    for seed in range(5):
        problem = random_quadratic(6, 7.0, 0.3, seed=seed)
        gaps = gap(run(template.steepest_descent, problem, 40), problem)
        assert (gaps <= theorem.bound(problem, 40) * (1 + 1e-9) + 1e-15).all()
    tight = quadratic(np.diag([10.0, 1.0]), np.zeros(2), np.array([0.1, 1.0]))
    gaps = gap(run(template.steepest_descent, tight, 20), tight)
    np.testing.assert_allclose(gaps, theorem.bound(tight, 20), rtol=1e-10)
    with pytest.raises(ValueError, match="a quadratic f"):
        theorem.bound(find("softplus_bowl")[0].function(), 3)


def test_its_equivalent_agrees_and_its_mistake_differs(template):
    problem = problems.elongated_bowl()
    right = run(template.steepest_descent, problem, 10)
    np.testing.assert_allclose(run(variant(template, Kind.EQUIVALENT), problem, 10), right, atol=1e-14)
    wrong = run(variant(template, Kind.MISTAKE), problem, 10)
    np.testing.assert_array_equal(wrong[:2], right[:2])
    assert np.abs(wrong - right).max() > 0.1


def test_an_eigenvector_hides_the_mistake(template):
    problem = quadratic(np.diag([10.0, 1.0]), np.zeros(2), np.array([3.0, 0.0]))
    right = run(template.steepest_descent, problem, 3)
    np.testing.assert_array_equal(run(variant(template, Kind.MISTAKE), problem, 3), right)


def test_its_picture_can_be_drawn(template, tmp_path):
    assert example_of(template.steepest_descent) is not None
    picture = convergence(template.steepest_descent)
    assert picture.title.startswith("Steepest descent")
    assert [curve.name for curve in picture.mistakes] == ["frozen_step"]
    figure(picture).savefig(tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 10_000
