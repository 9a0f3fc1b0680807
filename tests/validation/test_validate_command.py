"""`grader validate`: homework 2 is perfect under it, and a flawed assignment ends with exit code 1."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.cli import main

Answer = tuple[int, str, str]
Grader = Callable[..., Answer]


@pytest.fixture
def grader(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Grader:
    """Run a command in an empty folder: exit code, output, messages."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path) -> Answer:
        monkeypatch.setattr(sys, "argv", ["grader", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_homework_2_is_perfect(grader: Grader, tmp_path: Path) -> None:
    """Every mistake fails and is named, every equivalent passes, every sample gets what it should."""
    code, printed, _ = grader("validate", "hw2", "--out", "out")
    assert code == 0, printed
    lines = printed.splitlines()
    rows = [line.split() for line in lines if line.startswith(("reference ", "equivalents ", "mistakes "))]
    assert len(rows) == 12
    for role, number, passed, lost, itself, another, nothing in rows:
        wrong = role == "mistakes"
        assert (passed, lost, itself, another, nothing) == (
            ("0", number, number, "0", "0") if wrong else (number, *"0000")
        )
    assert sum(int(row[1]) for row in rows if row[0] == "mistakes") == 48
    assert sum("0 of" in line for line in lines if "flake rate" in line) == 4
    for absent in ("no experiment can see", "not diagnosed", "told apart", "than rounding explains"):
        assert absent not in printed
    assert "samples: 44, all as in what is expected" in printed
    assert "Every wrong form fails, every correct one passes." in printed
    assert "Ready." in (tmp_path / "out" / "hw2" / "validation.html").read_text(encoding="utf-8")


def test_a_flawed_assignment_ends_with_exit_code_1(grader: Grader, flawed_folder: Path, tmp_path: Path) -> None:
    code, printed, _ = grader("validate", flawed_folder)
    assert code == 1
    for words in (
        "✗ scale: absolute_factor is wrong and passes: no experiment can see it.",
        "✗ descend: mean_of_two_gradients is correct and loses calls",
        "✗ sample carol (carol.py): there is no such submission.",
        "scale: half and scale: divided_by_two",
        "samples: 5, 7 differences from what is expected",
    ):
        assert words in printed
    assert "Every wrong form fails" not in printed
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[ada]\nfile = 1\nstatus = 'graded'\n", "expected.toml"),
        ("[ada]\nfile = 'ada.py'\nstatus = 'graded'\nscoers = {}\n", "scoers"),
        ("[ada\n", "expected.toml"),
    ],
)
def test_a_broken_table_of_samples_is_told(
    grader: Grader, flawed_folder: Path, tmp_path: Path, text: str, sentence: str
) -> None:
    folder = tmp_path / "broken"
    (folder / "samples").mkdir(parents=True)
    for name in ("assignment.toml", "checks.py"):
        (folder / name).write_bytes((flawed_folder / name).read_bytes())
    (folder / "samples" / "expected.toml").write_text(text, encoding="utf-8")
    code, _, complained = grader("validate", folder)
    assert code == 2
    assert complained.startswith("grader: ")
    assert sentence in complained
    assert "Traceback" not in complained
