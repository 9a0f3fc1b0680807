"""Oracles of one and of several arguments: bound to a problem, asked from the sandbox, counted, judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.assignment import Experiment
from grader.assignment.assignment import load_assignment
from grader.assignment.errors import AssignmentError
from grader.assignment.fingerprint import experiments_hash
from grader.batch.workplace import Workplace, calls
from grader.judge.grade import Status, Verdict
from grader.sandbox.oracle_arguments import Indices, Number
from grader.sandbox.recording import Oracle
from grader.sandbox.warm import SandboxUnavailableError
from grader.submission.program import Submission
from reference import problems
from reference.lecture03.heavy_ball_matrix import heavy_ball_matrix
from reference.lecture03.newton import newton
from reference.lecture04.problems import dense_lasso, random_box_quadratic
from reference.lecture04.projected_gradient_descent import projected_gradient_descent
from reference.lecture04.proximal_gradient_descent import proximal_gradient_descent
from reference.lecture08.problems import random_finite_sum
from reference.lecture09.saga import saga

SPECIFICATION = """
id = "oracles"
title = "Oracles with several arguments"
lecture = 4

[[questions]]
id = "proximal"
title = "Proximal gradient descent"
points = 3

[[questions]]
id = "saga"
title = "SAGA"
points = 2
"""

CHECKS = """
import numpy as np

from grader.assignment import Calls, Experiment, Iterates, Question
from reference.lecture04.problems import dense_lasso, random_lasso
from reference.lecture04.proximal_gradient_descent import proximal_gradient_descent
from reference.lecture08.problems import random_finite_sum
from reference.lecture09.saga import saga


def step(problem):
    return 0.7 / problem.smoothness


questions = [
    Question(
        "proximal",
        experiments=[
            Experiment(
                "dense", proximal_gradient_descent, dense_lasso(), learning_rate=step, num_steps=15, public=True
            ),
            Experiment(
                "random",
                proximal_gradient_descent,
                random_lasso(rows=15, columns=6, condition=20.0, lam=0.4, seed=9),
                learning_rate=step,
                num_steps=15,
            ),
        ],
        checks=[Iterates(points=1), Calls(points=1), Calls(points=1, id="prox", oracle="prox")],
    ),
    Question(
        "saga",
        experiments=[
            Experiment(
                "ten samples",
                saga,
                random_finite_sum(samples=10, dimension=3, seed=5),
                learning_rate=lambda problem: 1 / (3 * problem.component_smoothness),
                indices=np.random.default_rng(6).integers(0, 10, 30),
                num_steps=30,
                public=True,
            ),
        ],
        checks=[Iterates(points=1), Calls(points=1, oracle="component_gradient")],
    ),
]
"""

RIGHT = """
import numpy as np

def proximal_gradient_descent(gradient, prox, x0, learning_rate, num_steps):
    rows = [x0]
    for _ in range(num_steps):
        rows.append(prox(rows[-1] - learning_rate * gradient(rows[-1]), t=learning_rate))
    return rows

def saga(component_gradient, x0, num_components, learning_rate, indices, num_steps):
    table = component_gradient(x0, np.arange(num_components))
    rows = [x0]
    for i in indices[:num_steps]:
        new = component_gradient(rows[-1], i)
        rows.append(rows[-1] - learning_rate * (new - table[i] + table.mean(axis=0)))
        table[i] = new
    return rows
"""

STORED_POINTS = """
import numpy as np

def saga(component_gradient, x0, num_components, learning_rate, indices, num_steps):
    points = np.array([x0] * num_components)
    mean = component_gradient(x0, np.arange(num_components)).mean(axis=0)
    rows = [x0]
    for i in indices[:num_steps]:
        change = component_gradient(rows[-1], i) - component_gradient(points[i], i)
        rows.append(rows[-1] - learning_rate * (change + mean))
        mean = mean + change / num_components
        points[i] = rows[-2]
    return rows
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("oracles")
    (folder / "assignment.toml").write_text(SPECIFICATION, encoding="utf-8")
    (folder / "checks.py").write_text(CHECKS, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def verdicts(folder: Path) -> Iterator[Callable[[str], list[list[Verdict]]]]:
    """The verdicts on a program, question by question; it runs in an isolated process."""

    def graded(source: str) -> list[list[Verdict]]:
        grade = workplace.grade(Submission("ada", "oracles.py", source.encode())).grade
        return [list(question.verdicts) for question in grade.questions]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        with Workplace(folder) as workplace:
            try:
                graded("")
            except SandboxUnavailableError as error:
                pytest.skip(str(error))
            yield graded


def scores(questions: list[list[Verdict]]) -> list[list[float]]:
    return [[verdict.score for verdict in question] for question in questions]


def test_right_programs_get_full_points_and_their_calls_are_those_of_the_reference(
    verdicts: Callable[[str], list[list[Verdict]]],
) -> None:
    questions = verdicts(RIGHT)
    assert scores(questions) == [[1, 1, 1], [1, 1]]
    assert {outcome.sentence for outcome in questions[0][2].outcomes} == {"prox was called 15 times."}
    assert {outcome.sentence for outcome in questions[1][1].outcomes} == {"component_gradient was called 40 times."}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("t=learning_rate", "t=1.0", [[0, 1, 1], [1, 1]]),
        ("        rows.append(prox(", "        prox(rows[-1], 0.0)\n        rows.append(prox(", [[1, 1, 0], [1, 1]]),
        ("new - table[i]", "table[i] - new", [[1, 1, 1], [0, 1]]),
        ("        table[i] = new", "        table[i] = component_gradient(rows[-2], i)", [[1, 1, 1], [1, 0]]),
    ],
)
def test_wrong_numbers_and_wrong_costs_are_told_apart(
    verdicts: Callable[[str], list[list[Verdict]]], old: str, new: str, expected: list[list[float]]
) -> None:
    assert RIGHT.count(old) == 1
    assert scores(verdicts(RIGHT.replace(old, new))) == expected


def test_saga_without_a_table_of_gradients_is_right_and_too_dear(
    verdicts: Callable[[str], list[list[Verdict]]],
) -> None:
    _, (iterates, cost) = verdicts(STORED_POINTS)
    assert (iterates.status, cost.status) == (Status.PASSED, Status.FAILED)
    assert "component_gradient was called 70 times; 40 calls are needed." in cost.message


def test_a_misused_oracle_is_the_students_error(verdicts: Callable[[str], list[list[Verdict]]]) -> None:
    (iterates, *_), _ = verdicts(RIGHT.replace("t=learning_rate", "t=-learning_rate"))
    assert iterates.status is Status.ERROR
    assert "prox expects a number of at least 0 for t, got -0.1" in iterates.message


def test_the_hash_of_the_experiments_sees_every_oracle(folder: Path, tmp_path: Path) -> None:
    for name in ("same", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "assignment.toml").write_text(SPECIFICATION, encoding="utf-8")
        changed = CHECKS.replace("lam=0.4", "lam=0.5") if name == "other" else CHECKS
        (tmp_path / name / "checks.py").write_text(changed, encoding="utf-8")
    first, same, other = (
        experiments_hash(load_assignment(each)) for each in (folder, tmp_path / "same", tmp_path / "other")
    )
    assert first == same != other


def test_what_crosses_says_what_each_argument_must_be() -> None:
    finite_sum = random_finite_sum(samples=10, dimension=3, seed=5)
    box = random_box_quadratic(6, 3.0, 0.3, seed=7)
    indices = np.arange(4)
    (one, two, three) = calls(
        [
            Experiment("e", saga, finite_sum, learning_rate=0.1, indices=indices, num_steps=4),
            Experiment("e", proximal_gradient_descent, dense_lasso(), learning_rate=0.1, num_steps=4),
            Experiment("e", projected_gradient_descent, box, learning_rate=0.1, num_steps=4),
        ]
    )
    sample, prox, project = one.arguments["component_gradient"], two.arguments["prox"], three.arguments["project"]
    assert isinstance(sample, Oracle)
    assert isinstance(prox, Oracle)
    assert isinstance(project, Oracle)
    assert one.arguments["num_components"] == 10
    assert (sample.dimension, sample.point, sample.further) == ((3,), "x", {"i": Indices(10)})
    assert (prox.dimension, prox.point, prox.further) == ((3,), "v", {"t": Number(0.0)})
    assert (project.dimension, project.point, project.further) == ((6,), "v", {})


def minibatch(stochastic_gradient: Any, x0: Any, num_components: Any) -> Any:
    return stochastic_gradient(x0, np.arange(num_components))


def test_gradients_of_several_samples_are_rows_and_the_stochastic_gradient_is_their_mean() -> None:
    problem = random_finite_sum(samples=10, dimension=3, seed=5)
    batch, x = np.array([3, 3, 8]), np.array([1.0, -2.0, 0.5])
    rows = Experiment("e", saga, problem, learning_rate=0.1, indices=batch, num_steps=1).oracles["component_gradient"]
    mean = Experiment("e", minibatch, problem).oracles["stochastic_gradient"]
    expected = np.array([problem.component_gradient(x, int(i)) for i in batch])
    np.testing.assert_array_equal(rows(x, batch), expected)
    np.testing.assert_array_equal(rows(x, 8), expected[2])
    np.testing.assert_allclose(mean(x, batch), expected.sum(axis=0) / 3, rtol=1e-14)
    np.testing.assert_allclose(mean(x, np.arange(10)), problem.gradient(x), rtol=1e-12)


QUADRATIC = problems.random_quadratic(3, 4.0, 1.0, seed=1)


def test_the_signature_decides_between_the_data_and_the_oracle_of_one_name() -> None:
    by_oracle = Experiment("e", newton, QUADRATIC, learning_rate=1.0, num_steps=2)
    by_matrix = Experiment("e", heavy_ball_matrix, QUADRATIC, learning_rate=0.1, momentum=0.5)
    assert set(by_oracle.oracles) == {"gradient", "hessian"}
    np.testing.assert_array_equal(by_matrix.arguments["hessian"], QUADRATIC.data["hessian"])  # type: ignore[arg-type]


def curvature(hessian, x0):  # type: ignore[no-untyped-def]
    return x0


def test_a_name_that_data_and_oracle_share_must_be_told_apart() -> None:
    with pytest.raises(AssignmentError, match=r"hessian=lambda problem: problem\.hessian or .*data\['hessian'\]"):
        Experiment("e", curvature, QUADRATIC)
    oracle = Experiment("e", curvature, QUADRATIC, hessian=lambda problem: problem.hessian)
    assert set(oracle.oracles) == {"hessian"}
    matrix = Experiment("e", curvature, QUADRATIC, hessian=lambda problem: problem.data["hessian"])
    np.testing.assert_array_equal(matrix.arguments["hessian"], QUADRATIC.data["hessian"])  # type: ignore[arg-type]


def test_any_other_function_is_no_argument() -> None:
    with pytest.raises(AssignmentError, match="'hessian' must be a number or a numpy array"):
        Experiment("e", curvature, QUADRATIC, hessian=lambda problem: problem.gradient)


def test_an_oracle_that_the_problem_does_not_offer_is_told() -> None:
    with pytest.raises(AssignmentError, match="'prox' of proximal_gradient_descent is neither given nor part of"):
        Experiment("e", proximal_gradient_descent, QUADRATIC, learning_rate=0.1, num_steps=1)


def test_a_finite_sum_says_how_many_samples_it_has() -> None:
    with pytest.raises(ValueError, match="both component_gradient and num_components"):
        replace(QUADRATIC, component_gradient=lambda x, i: x)
