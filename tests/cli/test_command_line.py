"""The command line: what it prints, its exit codes, and a sentence for every error that a user can cause."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader.assignment.assignment import find_assignment
from grader.cli.app import app
from grader.submission.written import PLACEHOLDER

HOMEWORK = find_assignment("hw2")
SUBMISSIONS = HOMEWORK / "samples" / "submissions"
EMPTY = str(SUBMISSIONS / "thales.py")

Answer = tuple[int, str, str]
Grader = Callable[..., Answer]


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
        (["grade", "hw2", "."], 'There is nothing to grade in ".": no file and no folder of a student.'),
        (["show", "hw2", "ada"], "There is no gradebook gradebook.db"),
        (["report", "hw2"], "There is no gradebook gradebook.db"),
        (["mark", "hw2", "ada", "proofs", "convexity", "1"], "There is no gradebook gradebook.db"),
        (["check", "hw2", "nobody.py"], 'There is no file or folder "nobody.py"'),
        (["release", "nothing"], "There is no assignment 'nothing'"),
        (["report", "hw2", "--gradebook", "sqlite:///nope.db"], "There is no gradebook nope.db"),
        (["grade", "hw2", EMPTY, "--gradebook", "mysql://there"], "needs the Python package"),
        (["grade", "hw2", ".", "--sandbox", "soft"], "'soft' is not one of 'strong', 'weak', 'none'"),
        (["grade", "hw2", ".", "--jobs", "0"], "--jobs"),
        (["grade", "hw2", EMPTY, "--json", "nowhere/results.json"], "nowhere/results.json: No such file or directory"),
        (["unknown"], "unknown"),
    ],
)
def test_wrong_usage_is_answered_with_a_sentence(grader: Grader, arguments: list[str], sentence: str) -> None:
    code, printed, said = grader(*arguments)
    assert "Traceback" not in printed + said
    assert sentence in " ".join(said.replace("│", " ").split())
    assert code == 2


@pytest.mark.parametrize("arguments", [["grade", "hw2", "."], ["report", "hw2", "--gradebook", "sqlite:///nope.db"]])
def test_wrong_usage_leaves_nothing_behind(grader: Grader, tmp_path: Path, arguments: list[str]) -> None:
    assert grader(*arguments)[0] == 2
    assert list(tmp_path.iterdir()) == []


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


def test_a_written_answer_cannot_command_the_terminal(grader: Grader, tmp_path: Path) -> None:
    source = (SUBMISSIONS / "adrien.py").read_text(encoding="utf-8")
    first = next(line for line in source.splitlines() if "answer: proofs" in line)
    (tmp_path / "eve.py").write_text(source.replace(first, f"{first}\n# \x1b[2Jhidden \x1b]0;x\x07"), encoding="utf-8")
    grader("grade", "hw2", tmp_path / "eve.py")
    code, printed, _ = grader("mark", "hw2", "eve")
    assert (code, "hidden" in printed) == (0, True)
    assert "\x1b" not in printed


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


def test_each_student_is_in_the_results_once_and_what_does_not_count_is_told(grader: Grader, tmp_path: Path) -> None:
    folder = tmp_path / "class"
    folder.mkdir()
    shutil.copy(SUBMISSIONS / "ada.ipynb", folder)
    shutil.copy(SUBMISSIONS / "henri.py", folder / "ada.py")
    os.utime(folder / "ada.py", (0, 0))
    (folder / "emmy.pdf").write_bytes(b"%PDF")
    code, printed, said = grader("grade", "hw2", folder, "--json", "results.json")
    assert code == 0
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["results"]
    assert [(one["student"], one["file"], one["score"]) for one in results] == [
        ("ada", "ada.ipynb", 15),
        ("emmy", "emmy.pdf", 0),
    ]
    assert "1 graded, 1 refused" in printed
    assert "ada.py of ada is kept and does not count. ada.ipynb of the same student is graded instead" in said
    assert "emmy" not in said


@pytest.fixture
def unprivileged(grader: Grader, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Answer]]:
    """In a folder of somebody who may not read every file: root becomes somebody else for the commands."""
    nobody = 65534 if os.geteuid() == 0 else os.geteuid()
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.chdir(folder)

        def run(*arguments: str | Path) -> Answer:
            for path in [Path(folder), *Path(folder).rglob("*")]:
                os.chown(path, nobody, -1)
            before = os.geteuid()
            os.seteuid(nobody)
            try:
                return grader(*arguments)
            finally:
                os.seteuid(before)

        yield run
        monkeypatch.undo()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has other rights")
def test_a_file_that_we_may_not_read_costs_nobody_the_grade(
    grader: Grader, unprivileged: Callable[..., Answer]
) -> None:
    work = Path("class/ada.ipynb")
    work.parent.mkdir()
    shutil.copy(SUBMISSIONS / "ada.ipynb", work)
    assert grader("grade", "hw2", "class", "--jobs", "1")[0] == 0
    Path("class/emmy.py").write_text("x = 1", encoding="utf-8")
    for path in Path("class").iterdir():
        path.chmod(0)
    code, printed, said = unprivileged("grade", "hw2", "class", "--json", "-")
    assert code == 1
    assert [one["status"] for one in json.loads(printed)["results"]] == ["unavailable", "unavailable"]
    assert "ada.ipynb of ada is not graded, by no fault of the student. The system says: Permission denied." in said
    feedback = Path("out/hw2/feedback")
    assert "15 of 20" in " ".join((feedback / "ada.html").read_text(encoding="utf-8").replace("\u00a0", " ").split())
    assert "This is not your mistake" in (feedback / "emmy.html").read_text(encoding="utf-8")
    assert "15 of 20 points" in " ".join(grader("show", "hw2", "ada")[1].split())
    for path in Path("class").iterdir():
        path.chmod(0o600)
    assert grader("grade", "hw2", "class", "--jobs", "1")[0] == 0


def test_check_takes_a_folder_as_one_submission(grader: Grader, tmp_path: Path) -> None:
    """Not as a class, of which the first would be judged."""
    folder = tmp_path / "my work"
    folder.mkdir()
    shutil.copy(SUBMISSIONS / "henri.py", folder / "hw2.py")
    (folder / "auxiliary.py").write_text("x = 1", encoding="utf-8")
    code, printed, _ = grader("check", "hw2", folder)
    text = " ".join(printed.split())
    assert code == 0
    assert "10 of 20 points" in text
    assert 'hw2.py is the file in the folder "my work" that was graded' in text


def test_check_of_an_empty_folder_says_so(grader: Grader, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    code, _, said = grader("check", "hw2", "empty")
    assert code == 2
    assert 'empty" cannot be graded. The folder holds no file that can be read.' in said


@pytest.mark.parametrize(
    ("line", "answer", "told"),
    [
        ("<!-- answer: proofs -->", "The Hessian is A'A.", "was found"),
        ("<!-- answer: proofs -->", PLACEHOLDER, "is still empty"),
        ("My proof", "The Hessian is A'A.", "was not found: keep the first line of its cell as it was"),
    ],
)
def test_check_tells_whether_the_written_answer_is_found(
    grader: Grader, tmp_path: Path, line: str, answer: str, told: str
) -> None:
    (tmp_path / "ada.py").write_text(f"# %% [markdown]\n# {line}\n# {answer}\n# %%\nx = 1\n", encoding="utf-8")
    code, printed, _ = grader("check", "hw2", "ada.py")
    assert code == 0
    assert f"strong convexity of least squares: your answer {told}" in " ".join(printed.split())


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
