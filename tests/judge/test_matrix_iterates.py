"""Iterates need not be vectors: an assignment whose x0 has the shape (2, 3, 4), from its files to the grade."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from grader.assignment.assignment import load_assignment
from grader.batch.workplace import Workplace
from grader.judge.grade import QuestionGrade, Status
from grader.submission.program import Submission
from reference.quantities import distance

SPECIFICATION = """
id = "matrices"
title = "Matrices"
lecture = 4

[[questions]]
id = "low_rank"
title = "Robust PCA"
points = 6

[[questions]]
id = "weighted"
title = "A weighted distance"
points = 4
"""

CHECKS = """
import numpy as np

from grader.assignment import Bound, Calls, Experiment, Iterates, LinearRate, Monotone, Question, SublinearRate
from reference.lecture02.gradient_descent import gradient_descent
from reference.lecture04.problems import robust_pca_example
from reference.lecture04.proximal_gradient_descent import proximal_gradient_descent
from reference.problem import Problem

PCA = robust_pca_example()
center, weights = np.arange(24.0).reshape(2, 3, 4), np.linspace(1.0, 4.0, 24).reshape(2, 3, 4)
WEIGHTED = Problem(
    name="weighted distance",
    value=lambda x: 0.5 * float(np.sum(weights * (x - center) ** 2)),
    gradient=lambda x: weights * (x - center),
    x0=np.ones((2, 3, 4)),
    smoothness=4.0,
    strong_convexity=1.0,
    minimizer=center,
    minimum=0.0,
)

questions = [
    Question(
        "low_rank",
        experiments=[
            Experiment("1/L", proximal_gradient_descent, PCA, learning_rate=0.5, num_steps=30, public=True),
            Experiment("shorter", proximal_gradient_descent, PCA, learning_rate=0.3, num_steps=30, public=True),
        ],
        checks=[
            Iterates(points=1),
            Bound(points=1),
            SublinearRate(points=1),
            Monotone(points=1),
            Calls(points=1),
            Calls(points=1, oracle="prox", id="prox"),
        ],
    ),
    Question(
        "weighted",
        experiments=[
            Experiment("1/L", gradient_descent, WEIGHTED, learning_rate=0.25, num_steps=40, public=True),
            Experiment("shorter", gradient_descent, WEIGHTED, learning_rate=0.2, num_steps=40, public=True),
        ],
        checks=[Iterates(points=1), LinearRate(points=1), Bound(points=1), Monotone(points=1)],
    ),
]
"""

RIGHT = """
import numpy as np

def proximal_gradient_descent(gradient, prox, x0, learning_rate, num_steps):
    rows = [x0]
    for k in range(num_steps):
        rows.append(prox(rows[-1] - learning_rate * gradient(rows[-1]), learning_rate))
    return rows

def gradient_descent(gradient, x0, learning_rate, num_steps):
    rows = [x0]
    for k in range(num_steps):
        rows.append(rows[-1] - learning_rate * gradient(rows[-1]))
    return rows
"""


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "matrices"
    folder.mkdir()
    (folder / "assignment.toml").write_text(SPECIFICATION, encoding="utf-8")
    (folder / "checks.py").write_text(CHECKS, encoding="utf-8")
    return Workplace(folder, sandbox="none")


def graded(workplace: Workplace, source: str) -> list[QuestionGrade]:
    with workplace as opened:
        return list(opened.grade(Submission("ada", "matrices.py", source.encode())).grade.questions)


def passed(question: QuestionGrade) -> dict[str, bool]:
    return {verdict.id: verdict.status is Status.PASSED for verdict in question.verdicts}


def identifier_of(question: QuestionGrade) -> str | None:
    diagnosis = question.verdicts[0].diagnosis
    return diagnosis and diagnosis.identifier


def test_right_matrices_pass_every_kind_of_check_and_have_a_picture(workplace: Workplace) -> None:
    low_rank, weighted = graded(workplace, RIGHT)
    assert set(passed(low_rank)) == {"iterates", "bound", "sublinear_rate", "monotone", "calls", "prox"}
    assert set(passed(weighted)) == {"iterates", "rate", "bound", "monotone"}
    for question in (low_rank, weighted):
        assert all(passed(question).values()), passed(question)
        assert [len(picture.student) for picture in question.pictures] == [len(question.pictures[0].reference)] * 2
        assert identifier_of(question) is None


@pytest.mark.parametrize(
    ("change", "identifier"),
    [
        ("return [row + 1 for row in rows]", "constant_offset"),
        ("return rows[1:]", "missing_first_row"),
        ("return rows[-1:] * len(rows)", "aliased_rows"),
        ("return rows[-1]", "final_point_only"),
        ("rows[5] = rows[5] + 0.1\n    return rows", "right_until_step"),
        ("return [row * (np.nan if k > 3 else 1) for k, row in enumerate(rows)]", "not_finite"),
        ("return [row * 1e9**min(k, 20) + k for k, row in enumerate(rows)]", "diverging"),
    ],
)
def test_wrong_matrices_are_seen_and_diagnosed(workplace: Workplace, change: str, identifier: str) -> None:
    source = RIGHT.replace("return rows", change)
    for question in graded(workplace, source):
        assert not passed(question)["iterates"]
        assert identifier_of(question) == identifier


def test_one_wrong_step_and_a_wrong_constant_are_found_in_matrices(workplace: Workplace) -> None:
    once = RIGHT.replace("learning_rate * gradient", "(2 if k == 4 else 1) * learning_rate * gradient")
    for question in graded(workplace, once):
        assert identifier_of(question) == "one_wrong_step"
        assert "From x_6 on each step is right" in question.verdicts[0].message
    shorter = RIGHT.replace("rows = [x0]", "rows, learning_rate = [x0], 0.9 * learning_rate")
    for question in graded(workplace, shorter):
        assert identifier_of(question) == "wrong_learning_rate"


def test_another_start_and_another_point_of_rest_are_found_in_matrices(workplace: Workplace) -> None:
    elsewhere = RIGHT.replace("rows = [x0]", "rows = [x0 + 1]")
    for question in graded(workplace, elsewhere):
        found = question.verdicts[0].diagnosis
        assert found is not None
        assert found.identifier == "wrong_start"
        assert "All steps are right, starting from your row 0." in found.sentence
    resting = RIGHT.replace("gradient(rows[-1]))\n    return", "(gradient(rows[-1]) + 0.5 * rows[-1]))\n    return")
    assert identifier_of(graded(workplace, resting)[1]) == "wrong_fixed_point"


def test_the_distance_of_matrices_is_that_of_all_their_entries(workplace: Workplace) -> None:
    experiment = load_assignment(workplace.assignment.folder).experiments[0]
    assert experiment.problem is not None
    far = np.stack([experiment.problem.minimizer, experiment.problem.minimizer + 2.0])
    np.testing.assert_allclose(distance(far, experiment.problem), [0.0, 2 * np.sqrt(24)])
