"""What is told of a hidden experiment does not depend on numbers that a student's code could write its data into."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from grader.answer_key.answer import Answer, AnswerKey
from grader.answer_key.build import build_answer_key
from grader.assignment import Check, Experiment
from grader.assignment.assignment import Assignment, load_assignment
from grader.judge.grade import Diagnosis, Grade, Status
from grader.judge.judge import judge
from grader.report.feedback import feedback_page
from grader.sandbox.recording import Outcome, Recording, Run, StudentError

SPECIFICATION = """
id = "hidden"
title = "Hidden experiments"
lecture = 2
environment = "torch"

[[questions]]
id = "descent"
title = "Descent"
points = 11

[[questions]]
id = "samples"
title = "Samples"
points = 1

[[questions]]
id = "project"
title = "Projection"
points = 2

[[questions]]
id = "optimizer"
title = "Optimizer"
points = 2
"""

CHECKS = """
import numpy as np
import torch

from grader.assignment import *
from reference import problems
from reference.lecture02.gradient_descent import gradient_descent
from reference.lecture04.projections import project_simplex
from reference.problem import Problem


def descent(value, gradient, x0, num_steps):
    return gradient_descent(gradient, x0, 0.05, num_steps)


def uniform(count, generator):
    return generator.uniform(-1, 1, (count, 3))


FLAT = Problem(
    name="flat",
    value=lambda x: float(np.sum(np.abs(x) ** 20) / 20),
    gradient=lambda x: np.abs(x) ** 19 * np.sign(x),
    x0=np.array([1.0, 0.8]),
    smoothness=19.0,
    strong_convexity=0.0,
    minimizer=np.zeros(2),
    minimum=0.0,
)
ROWS = problems.random_least_squares(rows=12, columns=3, condition=5.0, seed=1)
RATE = {"learning_rate": lambda problem: 1 / problem.smoothness, "num_steps": 60}
STEPS = {"groups": [Group(np.ones(2), np.ones(1))], "gradients": [[np.ones(2), np.ones(1)]] * 4}

questions = [
    Question(
        "descent",
        experiments=[
            Experiment("bowl", gradient_descent, problems.bowl(), public=True, **RATE),
            Experiment("rows", gradient_descent, ROWS, **RATE),
            Experiment("flat", gradient_descent, FLAT, **RATE),
            Experiment("both oracles, bowl", descent, problems.bowl(), num_steps=20, public=True),
            Experiment("both oracles, rows", descent, ROWS, num_steps=20),
        ],
        checks=[
            Iterates(points=1),
            LinearRate(points=1, on=["rows"]),
            SublinearRate(points=1),
            Monotone(points=1),
            Bound(points=1),
            Calls(points=1),
            Cost(points=1, prices={"value": 1, "gradient": 2}),
            ForbiddenOracle(points=1, oracle="value"),
            Training(points=1, at_most=1e9, id="modest"),
            Training(points=1, at_most=10.0, calls={"gradient": 60}, steps=60),
            UnchangedInputs(points=1),
        ],
    ),
    Question(
        "samples",
        experiments=[
            Experiment("few", uniform, count=100, generator=Seed(1), public=True),
            Experiment("many", uniform, count=500, generator=Seed(2)),
        ],
        checks=[Statistics(points=1, laws=[
            Moment("an entry", lambda u: u, 0.0, 1 / 3),
            Distribution("an entry", np.ravel, lambda t: np.clip((1 + t) / 2, 0, 1)),
        ])],
    ),
    Question(
        "project",
        experiments=[
            Experiment("small", project_simplex, v=np.array([0.2, 0.9]), public=True),
            Experiment("once", project_simplex, v=np.array([0.1, 2.0, 1.5])),
            Experiment("twice", project_simplex, v=project_simplex(np.array([0.1, 2.0, 1.5]))),
        ],
        checks=[Values(points=1), Property(points=1, relation=Idempotent(), on=["once", "twice"])],
    ),
    Question(
        "optimizer",
        experiments=[
            Drive("seen", torch.optim.SGD, public=True, lr=0.1, **STEPS),
            Drive("unseen", torch.optim.SGD, lr=0.2, **STEPS),
        ],
        checks=[OptimizerSteps(points=1), UnchangedInputs(points=1)],
    ),
]
"""

Make = Callable[[Experiment, Answer, int], Recording]
"""(experiment, its answer, a number of five digits) -> a recording with this number in it."""


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> tuple[Assignment, AnswerKey]:
    folder = tmp_path_factory.mktemp("hidden")
    (folder / "assignment.toml").write_text(SPECIFICATION, encoding="utf-8")
    (folder / "checks.py").write_text(CHECKS, encoding="utf-8")
    assignment = load_assignment(folder)
    return assignment, build_answer_key(assignment)


def returned(experiment: Experiment, answer: Answer, value: Any, **others: Any) -> Recording:
    others = {"calls": answer.calls, "returned_type": "numpy.ndarray"} | others
    return Recording(experiment.key, Outcome.RETURNED, value, **others)


def right(experiment: Experiment, answer: Answer, number: int = 0) -> Recording:
    return returned(experiment, answer, answer.parts[0])


def empty_rows(experiment: Experiment, answer: Answer, number: int) -> Recording:
    return returned(experiment, answer, np.empty((0, number)))


def empty_parts(experiment: Experiment, answer: Answer, number: int) -> Recording:
    return returned(experiment, answer, (np.empty((0, number)), np.empty((number, 0))))


def long_path(experiment: Experiment, answer: Answer, number: int) -> Recording:
    more = np.zeros((number - len(answer.parts[0]), *answer.parts[0].shape[1:]))
    return returned(experiment, answer, np.concatenate([answer.parts[0], more]))


def rising_path(experiment: Experiment, answer: Answer, number: int) -> Recording:
    (path,) = answer.parts
    return returned(experiment, answer, path + np.linspace(0, number, path.size).reshape(path.shape))


def multiple(experiment: Experiment, answer: Answer, number: int) -> Recording:
    return returned(experiment, answer, answer.parts[0] * number)


def shifted(experiment: Experiment, answer: Answer, number: int) -> Recording:
    return returned(experiment, answer, answer.parts[0] + number)


def many_calls(experiment: Experiment, answer: Answer, number: int) -> Recording:
    return returned(experiment, answer, answer.parts[0], calls=dict.fromkeys(experiment.oracles, number))


def no_numbers(experiment: Experiment, answer: Answer, number: int) -> Recording:
    return returned(experiment, answer, ((np.ones(1),),), returned_type=f"list of {number} list")


def type_of_its_own(experiment: Experiment, answer: Answer, number: int) -> Recording:
    return returned(experiment, answer, None, returned_type=f"y{number}")


def exception(experiment: Experiment, answer: Answer, number: int) -> Recording:
    error = StudentError(f"E{number}", f"{number}", f"cell {number}", number, f"x = {number}")
    return Recording(experiment.key, Outcome.RAISED, error=error, printed=f"{number}")


def ended(outcome: Outcome, reason: str) -> Make:
    def make(experiment: Experiment, answer: Answer, number: int) -> Recording:
        return Recording(experiment.key, outcome, reason=reason.format(number), printed=f"{number}")

    make.__name__ = outcome.value
    return make


MADE: list[Make] = [
    right,
    empty_rows,
    empty_parts,
    long_path,
    rising_path,
    multiple,
    shifted,
    many_calls,
    no_numbers,
    type_of_its_own,
    exception,
    ended(Outcome.REFUSED, "The result is of type y{}. Return numbers."),
    ended(Outcome.TIMED_OUT, "Stopped after {} s."),
    ended(Outcome.DIED, "The code ended the process itself, with exit code {} (os._exit does that)."),
    ended(Outcome.OUT_OF_MEMORY, "{} MB"),
    ended(Outcome.UNAVAILABLE, "The oracle gradient failed: IndexError: index {} is out of bounds"),
]


def graded(assignment: Assignment, key: AnswerKey, make: Make, number: int) -> Grade:
    """The grade of a run that is right in the public experiments."""
    recordings = {e.key: (right if e.public else make)(e, key.answers[e.key], number) for e in assignment.experiments}
    return Grade(
        assignment=assignment.id,
        assignment_title=assignment.title,
        student="ada",
        file="hidden.py",
        status="graded",
        questions=judge(assignment, key, Run(recordings), {}),
    )


@pytest.mark.parametrize("make", MADE, ids=lambda make: make.__name__)
def test_no_number_that_comes_out_of_a_hidden_experiment_is_told(
    hidden: tuple[Assignment, AnswerKey], make: Make
) -> None:
    one, other = (graded(*hidden, make, number) for number in (73165, 61948))
    assert one == other
    assert feedback_page(one) == feedback_page(other)
    assert "73165" not in json.dumps(one.model_dump(mode="json")) + feedback_page(one)


def longer_steps(experiment: Experiment, answer: Answer, number: int) -> Recording:
    if "learning_rate" not in experiment.arguments:
        return right(experiment, answer)
    changed = {**experiment.arguments, "learning_rate": experiment.arguments["learning_rate"] * number / 1e5}
    return returned(experiment, answer, experiment.reference(**changed))


def not_a_number_late(experiment: Experiment, answer: Answer, number: int) -> Recording:
    path = np.zeros((100_000, *answer.parts[0].shape[1:]))
    path[number] = np.nan
    return returned(experiment, answer, path)


@pytest.mark.parametrize("make", [multiple, shifted, longer_steps, not_a_number_late], ids=lambda make: make.__name__)
def test_a_number_that_hidden_experiments_alone_have_in_common_is_not_told(
    hidden: tuple[Assignment, AnswerKey], make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for experiment in hidden[0].experiments:
        monkeypatch.setattr(experiment, "public", False)
    one, other = (diagnoses(graded(*hidden, make, number)) for number in (73165, 61948))
    assert one == other != []


def diagnoses(grade: Grade) -> list[Diagnosis]:
    return [verdict.diagnosis for question in grade.questions for verdict in question.verdicts if verdict.diagnosis]


def test_every_kind_of_check_is_among_these(hidden: tuple[Assignment, AnswerKey]) -> None:
    assignment, key = hidden
    kinds = {check.kind for question in assignment.questions for check in question.checks}
    assert kinds == {kind.kind for kind in Check.__subclasses__()}
    assert {question.status for question in graded(assignment, key, right, 0).questions} == {Status.PASSED}
