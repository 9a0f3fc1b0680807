"""The command line: what it prints, its exit codes, and a sentence for every error that a user can cause."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.assignment.assignment import find_assignment
from grader.cli import main
from grader.cli.app import app

SUBMISSIONS = find_assignment("hw2") / "samples" / "submissions"

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


@pytest.fixture
def graded(grader: Grader) -> Grader:
    """The same, after one submission was graded."""
    assert grader("grade", "hw2", SUBMISSIONS / "joseph.ipynb", "--jobs", "1")[0] == 0
    return grader


@pytest.mark.parametrize("command", [command.name or "" for command in app.registered_commands])
def test_every_command_has_a_help_text_with_an_example(grader: Grader, command: str) -> None:
    code, printed, _ = grader(command, "--help")
    assert code == 0
    assert f"Example: grader {command}" in " ".join(printed.replace("│", " ").split())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["grade", "hw99", "."], "There is no assignment 'hw99'. Shipped ones: hw2"),
        (["grade", "hw2", "nowhere"], 'There is no file or folder "nowhere"'),
        (["grade", "hw2", "."], ""),
        (["show", "hw2", "ada"], "There is no gradebook gradebook.db"),
        (["report", "hw2"], "There is no gradebook gradebook.db"),
        (["mark", "hw2", "ada", "proofs", "convexity", "1"], "There is no gradebook gradebook.db"),
        (["check", "hw2", "nobody.py"], 'There is no file or folder "nobody.py"'),
        (["release", "nothing"], "There is no assignment 'nothing'"),
        (["grade", "hw2", ".", "--gradebook", "mysql://there"], "needs the Python package"),
        (["grade", "hw2", ".", "--sandbox", "soft"], "'soft' is not one of 'strong', 'weak', 'none'"),
        (["grade", "hw2", ".", "--jobs", "0"], "--jobs"),
        (["grade", "hw2", ".", "--json", "nowhere/results.json"], "nowhere/results.json: No such file or directory"),
        (["unknown"], "unknown"),
    ],
)
def test_wrong_usage_is_answered_with_a_sentence(grader: Grader, arguments: list[str], sentence: str) -> None:
    code, printed, said = grader(*arguments)
    assert "Traceback" not in printed + said
    assert sentence in " ".join(said.replace("│", " ").split())
    assert code == (2 if sentence else 0)


def test_a_gradebook_that_is_something_else_is_told(grader: Grader, tmp_path: Path) -> None:
    (tmp_path / "gradebook.db").write_text("a poem")
    code, _, said = grader("grade", "hw2", SUBMISSIONS / "ada.ipynb")
    assert code == 2
    assert "gradebook.db" in said
    assert (tmp_path / "gradebook.db").read_text() == "a poem"


def test_grading_prints_the_table_and_says_where_the_pages_are(graded: Grader, tmp_path: Path) -> None:
    code, printed, _ = graded("grade", "hw2", SUBMISSIONS / "joseph.ipynb")
    assert code == 0
    assert "decaying_step" in printed
    assert "feedback pages: out/hw2/feedback" in printed
    assert (tmp_path / "out/hw2/feedback/joseph.html").is_file()


def test_json_on_the_terminal_is_nothing_but_json(grader: Grader) -> None:
    code, printed, _ = grader("grade", "hw2", SUBMISSIONS / "joseph.ipynb", SUBMISSIONS / "thales.py", "--json", "-")
    assert code == 0
    results = {result["student"]: result for result in json.loads(printed)["results"]}
    assert (results["joseph"]["status"], results["thales"]["status"]) == ("graded", "refused")
    assert "empty" in results["thales"]["reason"]


def test_a_file_that_is_no_work_is_kept_and_reported(grader: Grader, tmp_path: Path) -> None:
    folder = tmp_path / "class"
    folder.mkdir()
    (folder / "ada.docx").write_bytes(b"PK")
    code, printed, _ = grader("grade", "hw2", folder, "--json", "-")
    assert code == 0
    (result,) = json.loads(printed)["results"]
    assert (result["student"], result["file"], result["status"], result["max_score"]) == (
        "ada",
        "ada.docx",
        "refused",
        20,
    )
    assert "neither a notebook" in result["reason"]
    grader("report", "hw2")
    assert "ada.docx" in (tmp_path / "out/hw2/scores.csv").read_text(encoding="utf-8")


def test_show_tells_checks_diagnosis_and_the_first_wrong_iterate(graded: Grader) -> None:
    _, printed, _ = graded("show", "hw2", "joseph")
    text = " ".join(printed.split())
    assert "decaying_step" in text
    assert "x_2 is the first wrong iterate" in text
    assert "10 of 20 points, 5 more wait for the marker" in text


def test_an_unknown_student_is_told(graded: Grader) -> None:
    code, _, said = graded("show", "hw2", "nobody")
    assert code == 2
    assert "'nobody' has no grade for hw2" in said


def test_marking_without_points_shows_the_answer_and_the_rubric(graded: Grader) -> None:
    code, printed, _ = graded("mark", "hw2", "joseph")
    assert code == 0
    for item in ("convexity (0 to 1; pending)", "smoothness (0 to 2; pending)", "strong_convexity (0 to 2; pending)"):
        assert item in " ".join(printed.split())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["proofs", "convexity", "1.5"], "from 0 to 1"),
        (["proofs", "elegance", "1"], "no rubric item 'elegance'. It has: convexity"),
        (["least_squares", "convexity", "1"], "is not marked by hand"),
    ],
)
def test_a_wrong_mark_is_refused_with_what_exists(graded: Grader, arguments: list[str], sentence: str) -> None:
    code, _, said = graded("mark", "hw2", "joseph", *arguments)
    assert code == 2
    assert sentence in " ".join(said.split())


def test_marks_count_and_reach_the_page(graded: Grader, tmp_path: Path) -> None:
    _, printed, _ = graded("mark", "hw2", "joseph", "proofs", "convexity", "1", "--comment", "Short and right.")
    assert "11 of 20; 4 wait for the marker" in " ".join(printed.split())
    code, printed, _ = graded("report", "hw2")
    assert code == 0
    assert "out/hw2/class.html" in printed
    assert "Short and right." in (tmp_path / "out/hw2/feedback/joseph.html").read_text(encoding="utf-8")


def test_check_runs_public_experiments_only_and_stores_nothing(grader: Grader, tmp_path: Path) -> None:
    code, printed, _ = grader("check", "hw2", SUBMISSIONS / "joseph.ipynb")
    assert code == 0
    assert "decaying_step" in printed
    assert "hidden experiment '" not in printed
    assert not list(tmp_path.glob("*.db"))


def test_check_works_where_nothing_is_isolated(grader: Grader) -> None:
    _, printed, _ = grader("check", "hw2", SUBMISSIONS / "ada.ipynb")
    assert "15 of 20 points" in " ".join(printed.split())


def test_the_list_names_the_functions_to_hand_in(grader: Grader) -> None:
    code, printed, _ = grader("list")
    assert code == 0
    assert "hw2" in printed
    assert "linear_network_gradients" in printed


def test_the_doctor_names_every_layer(grader: Grader) -> None:
    code, printed, _ = grader("doctor")
    assert code in (0, 1)
    for layer in ("user namespace", "mount namespace", "pid namespace", "network namespace", "resource limits"):
        assert layer in printed


def test_ctrl_c_while_the_command_is_imported_ends_it_without_a_traceback() -> None:
    program = """
import sys
class Interrupted:
    def find_spec(self, name, *_):
        if name == "grader.cli.app":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupted())
from grader.cli import main
main()
"""
    ended = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")
