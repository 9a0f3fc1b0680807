"""A handout is released without its solutions; the solution is the handout without its markers."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import nbformat
import pytest

from grader.assignment.handout import HandoutError, release, solution
from grader.submission.intake import collect
from grader.submission.parsing import parse

HANDOUT = '''\
# %% [markdown]
# # Title

# %%
def twice(x):
    """Twice x."""
    ### BEGIN SOLUTION
    secret = 2 * x
    return secret
    ### END SOLUTION


# %%
### BEGIN SOLUTION
secret = twice(3)
### END SOLUTION

# %% [markdown]
# <!-- answer: proofs -->
# ### BEGIN SOLUTION
# The secret proof.
# ### END SOLUTION
'''


@pytest.fixture
def handout(tmp_path) -> Path:
    path = tmp_path / "handout.py"
    path.write_text(HANDOUT, encoding="utf-8")
    return path


def test_the_released_script_has_stubs_in_place_of_solutions(handout, tmp_path):
    _, script = release(handout, tmp_path / "out", "hw2")
    assert script == tmp_path / "out" / "hw2.py"
    assert (
        script.read_text(encoding="utf-8")
        == '''\
# %% [markdown]
# # Title

# %%
def twice(x):
    """Twice x."""
    raise NotImplementedError("write your solution here")


# %%
raise NotImplementedError("write your solution here")

# %% [markdown]
# <!-- answer: proofs -->
# *Write your proof here.*
'''
    )


def test_the_released_notebook_is_valid_and_has_no_outputs(handout, tmp_path):
    path, _ = release(handout, tmp_path / "out", "hw2")
    made = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(made)
    assert (made.nbformat, made.nbformat_minor) == (4, 5)
    assert [cell.id for cell in made.cells] == ["cell-1", "cell-2", "cell-3", "cell-4"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in made.cells if cell.cell_type == "code")
    assert made.metadata.kernelspec.name == "python3"


def test_the_same_handout_gives_the_same_bytes(handout, tmp_path):
    first = [path.read_bytes() for path in release(handout, tmp_path / "one", "hw2")]
    second = [path.read_bytes() for path in release(handout, tmp_path / "two", "hw2")]
    assert first == second


def test_the_solution_is_the_handout_without_its_markers(handout):
    markers = ("### BEGIN SOLUTION", "### END SOLUTION")
    kept = [line for line in HANDOUT.splitlines() if not line.strip("# ").startswith(("BEGIN", "END"))]
    assert solution(handout).splitlines() == kept
    assert not any(marker in solution(handout) for marker in markers)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n### BEGIN SOLUTION\nx = 2\n", "line 2: BEGIN SOLUTION without an END SOLUTION"),
        ("x = 1\n### END SOLUTION\n", "line 2: END SOLUTION without a BEGIN SOLUTION"),
        ("### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION\n", "line 2: BEGIN SOLUTION inside the solution"),
        ("### BEGIN SOLUTION\n# %%\n### END SOLUTION\n", "line 2: the solution that begins in line 1 has no END"),
        ("x = 1  ### BEGIN SOLUTION\n### END SOLUTION\n", "line 1: a solution marker must stand alone"),
    ],
)
def test_markers_that_are_not_balanced_are_an_error_with_its_line(tmp_path, text, message):
    path = tmp_path / "handout.py"
    path.write_text(text, encoding="utf-8")
    for read in (solution, lambda path: release(path, tmp_path, "hw2")):
        with pytest.raises(HandoutError, match=message):
            read(path)
    assert list(tmp_path.iterdir()) == [path]


# Homework 2

FUNCTIONS = {
    "least_squares_value",
    "least_squares_gradient",
    "least_squares_constants",
    "gradient_descent",
    "logistic_value",
    "logistic_gradient",
    "linear_network_gradients",
}


def test_homework_2_is_released_without_a_line_of_its_solutions(hw2_folder, tmp_path):
    lines = (hw2_folder / "handout.py").read_text(encoding="utf-8").splitlines()
    inside, secret, shown = False, set(), set()
    for line in lines:
        if "### BEGIN SOLUTION" in line or "### END SOLUTION" in line:
            inside = "BEGIN" in line
        else:
            (secret if inside else shown).add(line.strip("# "))
    secret -= shown
    assert len(secret) > 30
    for path in release(hw2_folder / "handout.py", tmp_path, "hw2"):
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".ipynb":
            text = "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
        assert "SOLUTION" not in text
        assert not {line.strip("# ") for line in text.splitlines()} & secret


def test_homework_2_can_be_handed_in_as_it_was_released(hw2_folder, tmp_path):
    programs = [parse(collect([path]).submissions[0]) for path in release(hw2_folder / "handout.py", tmp_path, "hw2")]
    assert programs[0] == programs[1]
    (program, _) = programs
    assert program.written == {"proofs": ""}
    assert program.remarks == ()
    stubs = {
        node.name
        for block in program.blocks
        for node in ast.parse(block.source).body
        if isinstance(node, ast.FunctionDef) and isinstance(node.body[-1], ast.Raise)
    }
    assert stubs == FUNCTIONS


def test_the_handout_and_the_rubric_give_the_same_points(hw2_folder):
    import tomllib

    specification = tomllib.loads((hw2_folder / "assignment.toml").read_text(encoding="utf-8"))
    text = (hw2_folder / "handout.py").read_text(encoding="utf-8")
    titles = [line for line in text.splitlines() if line.startswith("# ## ")]
    assert len(titles) == len(specification["questions"])
    for title, question in zip(titles, specification["questions"], strict=True):
        assert title.endswith(f"({question['points']} points)")
    for item in specification["questions"][-1]["rubric"]:
        unit = "point" if item["points"] == 1 else "points"
        assert f"**{item['id'].replace('_', ' ').capitalize()} ({item['points']} {unit}).**" in text
