"""A wheel works like a checkout: templates, assignments and migrations are inside, and answers stay hidden."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PEEK = """
def least_squares_value(A, b, x):
    from reference import problems
    return problems


def least_squares_gradient(A, b, x):
    import glob, sys
    found = [name for entry in sys.path for name in glob.glob(entry + "/**/hw2_gradient_descent", recursive=True)]
    raise ValueError(found)


def least_squares_constants(A):
    import numpy as np
    values = np.linalg.svd(A, compute_uv=False) ** 2
    return values[0], values[-1]
"""


def run(*command: str | Path, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run([*map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `grader` command of a fresh environment into which only the wheel and what it needs were installed."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=True)
    run(folder / "venv/bin/python", "-m", "pip", "install", "--quiet", wheel, cwd=folder)
    return folder / "venv" / "bin" / "grader"


def test_the_shipped_assignment_is_listed_and_released(installed: Path, tmp_path: Path) -> None:
    assert "hw2" in run(installed, "list", cwd=tmp_path)
    run(installed, "release", "hw2", "--out", tmp_path, cwd=tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"hw2.ipynb", "hw2.py"}


def test_a_submission_is_graded_and_cannot_see_the_answers(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "eve.py").write_text(PEEK, encoding="utf-8")
    printed = run(installed, "grade", "hw2", "eve.py", "--json", "-", cwd=tmp_path)
    (result,) = json.loads(printed)["results"]
    value, gradient, constants = result["questions"][0]["checks"]
    assert "ImportError" in value["message"]
    assert "ValueError: []" in gradient["message"]
    assert constants["status"] == "passed"
    assert (tmp_path / "out" / "hw2" / "feedback" / "eve.html").is_file()
    run(installed, "report", "hw2", cwd=tmp_path)
    assert (tmp_path / "out" / "hw2" / "class.html").is_file()
