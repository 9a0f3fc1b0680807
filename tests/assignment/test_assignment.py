"""An assignment folder: found by id or path, put together, and every slip of its author told with the place."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from grader.assignment.assignment import Assignment, find_assignment, load_assignment
from grader.assignment.errors import AssignmentError
from grader.assignment.experiment import Experiment
from grader.assignment.fingerprint import experiments_hash
from reference import problems
from reference.lecture01.least_squares import least_squares_value
from reference.lecture02.gradient_descent import gradient_descent


@pytest.fixture
def copy(tmp_path: Path, hw2: Assignment) -> Path:
    folder = tmp_path / "copy"
    folder.mkdir()
    for name in ("assignment.toml", "checks.py"):
        shutil.copy(hw2.folder / name, folder)
    return folder


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_homework_2_asks_for_the_seven_functions(hw2: Assignment) -> None:
    assert {question.id: (question.functions, question.points) for question in hw2.questions} == {
        "least_squares": (["least_squares_value", "least_squares_gradient", "least_squares_constants"], 3),
        "gradient_descent": (["gradient_descent"], 6),
        "logistic_regression": (["logistic_value", "logistic_gradient"], 3),
        "linear_network": (["linear_network_gradients"], 3),
        "proofs": ([], 5),
    }
    assert hw2.max_score == 20


def test_public_experiments_run_before_hidden_ones(hw2: Assignment) -> None:
    public = [experiment.public for experiment in hw2.experiments]
    assert public == sorted(public, reverse=True)
    assert {True, False} == set(public)


def test_an_assignment_is_found_by_id_and_by_path(hw2: Assignment) -> None:
    assert find_assignment("hw2") == find_assignment(str(hw2.folder)).resolve() == hw2.folder


def test_an_unknown_assignment_is_answered_with_those_there_are() -> None:
    with pytest.raises(AssignmentError, match=r"no assignment 'hw99'.*hw2"):
        find_assignment("hw99")


def test_a_folder_that_is_no_assignment_is_named(tmp_path: Path) -> None:
    with pytest.raises(AssignmentError, match=r"has no assignment\.toml"):
        find_assignment(str(tmp_path))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("Bound(points=1)", "Bound(points=2)", r"worth 7 points together, but assignment\.toml says 6"),
        ('"gradient_descent",\n        experiments', '"descent",\n        experiments', "question 'descent' is not in"),
        ('on=["whole-number start"]', 'on=["half-number start"]', "no experiment 'half-number start'"),
        ('id="whole_number_start",', "", "two checks have this id"),
        ("import numpy as np", "import numpy as np\nimport nothing_like_this", r"line 4: ModuleNotFoundError"),
        ("questions = [", "questions = [)", r"line \d+: SyntaxError"),
        ("questions = [", "answers = [", "must define `questions`"),
        ('Experiment("tall matrix", least_squares_constants, TALL)', 'Experiment("x", least_squares_value)', "'A'"),
    ],
)
def test_a_slip_in_checks_is_told_with_its_place(copy: Path, old: str, new: str, sentence: str) -> None:
    change(copy / "checks.py", old, new)
    with pytest.raises(AssignmentError, match=sentence) as caught:
        load_assignment(copy)
    assert "checks.py" in str(caught.value)


def test_an_experiment_takes_arguments_from_itself_then_from_the_problem() -> None:
    problem = problems.random_least_squares(rows=5, columns=2, condition=3.0, seed=0)
    experiment = Experiment("e", gradient_descent, problem, learning_rate=lambda p: 1 / p.smoothness, num_steps=4)
    assert list(experiment.arguments) == ["gradient", "x0", "learning_rate", "num_steps"]
    assert experiment.arguments["learning_rate"] == 1 / problem.smoothness
    np.testing.assert_array_equal(experiment.arguments["x0"], problem.x0)
    assert set(experiment.oracles) == {"gradient"}
    assert not Experiment("v", least_squares_value, problem, x=problem.x0).iterative


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"learning_rate": 0.1}, "'num_steps' of gradient_descent is neither given"),
        ({"learning_rate": 0.1, "num_steps": 3, "momentum": 0.9}, "no argument 'momentum'"),
        ({"learning_rate": [0.1], "num_steps": 3}, "must be a number or a numpy array"),
    ],
)
def test_a_wrong_experiment_is_told(arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(AssignmentError, match=sentence):
        Experiment("e", gradient_descent, problems.parabola(), **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("check", ["LinearRate", "Bound", "SublinearRate", "Monotone"])
def test_a_check_of_a_run_is_told_where_no_function_returns_iterates(tmp_path: Path, check: str) -> None:
    (tmp_path / "assignment.toml").write_text(
        'id = "a"\ntitle = "A"\nlecture = 4\n[[questions]]\nid = "q"\ntitle = "Q"\npoints = 1\n', encoding="utf-8"
    )
    (tmp_path / "checks.py").write_text(
        f"""
from grader.assignment import {check}, Experiment, Question
from reference.lecture04.problems import robust_pca_example
from reference.lecture04.robust_pca import robust_pca_alternating, robust_pca_proximal_gradient

PCA = robust_pca_example()
questions = [
    Question(
        "q",
        experiments=[
            Experiment("alternating", robust_pca_alternating, PCA, num_steps=20),
            Experiment("proximal", robust_pca_proximal_gradient, PCA, learning_rate=0.5, num_steps=20),
        ],
        checks=[{check}(points=1)],
    )
]
""",
        encoding="utf-8",
    )
    with pytest.raises(AssignmentError, match=r"question 'q', check '\w+': it selects no experiment"):
        load_assignment(tmp_path)


def test_points_and_titles_leave_the_recordings_valid_and_data_does_not(copy: Path) -> None:
    before = load_assignment(copy)
    change(copy / "checks.py", 'title="The value of f", function=least_squares_value', "function=least_squares_value")
    retitled = load_assignment(copy)
    assert experiments_hash(retitled) == experiments_hash(before)
    assert retitled.hash != before.hash
    change(copy / "checks.py", "columns=10, condition=10.0, seed=1", "columns=10, condition=10.0, seed=11")
    assert experiments_hash(load_assignment(copy)) != experiments_hash(before)


SAMPLER = """
import numpy as np
from grader.assignment import Experiment, Moment, Question, Seed, Statistics

def normal(count, generator):
    return generator.standard_normal((count, 1))

law = Moment("the mean", of=lambda x: x, expected=0.0, variance=1.0)
questions = [
    Question(
        "q",
        experiments=[Experiment(f"seed {s}", normal, count=100, generator=Seed(s)) for s in range(4)],
        checks=[Statistics(points=1, laws=[law], false_alarm=FALSE_ALARM)],
    )
]
"""


@pytest.mark.parametrize(("false_alarm", "together"), [(1e-7, None), (2.5e-7, None), (5e-7, "2e-06")])
def test_all_statistics_together_keep_the_false_alarm_below_one_in_a_million(
    tmp_path: Path, false_alarm: float, together: str | None
) -> None:
    (tmp_path / "assignment.toml").write_text(
        'id = "s"\ntitle = "S"\nlecture = 7\n[[questions]]\nid = "q"\ntitle = "Q"\npoints = 1\n', encoding="utf-8"
    )
    (tmp_path / "checks.py").write_text(SAMPLER.replace("FALSE_ALARM", str(false_alarm)), encoding="utf-8")
    if together is None:
        assert load_assignment(tmp_path).max_score == 1
    else:
        with pytest.raises(AssignmentError, match=f"probability of up to {together}; lower false_alarm"):
            load_assignment(tmp_path)
