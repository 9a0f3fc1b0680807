"""A convention that a question accepts is judged by its own numbers and calls; any other is named, as before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.answer_key.build import build_answer_key, key_hash
from grader.assignment import AssignmentError, Question
from grader.assignment.assignment import Assignment, load_assignment
from grader.assignment.fingerprint import experiments_hash
from grader.judge.grade import Diagnosis, Grade, QuestionGrade, Status
from grader.judge.judge import judge
from grader.report.feedback import feedback_page
from grader.sandbox.recording import Run
from reference.lecture08.adam import (
    adam,
    corrected_step_size,
    epsilon_hat,
    first_moment_corrected_only,
    no_bias_correction,
)
from reference.variants import Kind, variants
from tests.conftest import record

SPECIFICATION = """
id = "conventions"
title = "Conventions"
lecture = 8

[[questions]]
id = "method"
title = "A method"
points = 3
"""

ADAM = """
from grader.assignment import Calls, Experiment, Iterates, Question, UnchangedInputs
from reference.lecture08.adam import adam, epsilon_hat
from reference.lecture08.problems import tiny_gradients

options = dict(learning_rate=0.01, beta1=0.9, beta2=0.99, num_steps=30)
questions = [
    Question(
        "method",
        experiments=[
            Experiment("tiny", adam, tiny_gradients(), epsilon=1e-8, public=True, **options),
            Experiment("large epsilon", adam, tiny_gradients(), epsilon=0.1, **options),
            Experiment("no epsilon to see", adam, tiny_gradients(), epsilon=1e-100, **options),
        ],
        checks=[Iterates(points=1), Calls(points=1), UnchangedInputs(points=1)],
        accepts=[ACCEPTED],
    )
]
"""

HEUN = """
import numpy as np

from grader.assignment import Calls, Cost, Experiment, Iterates, LinearRate, Question
from reference import problems
from reference.variants import convention, mistake


def flow(gradient, x0, learning_rate, num_steps):
    return path(lambda x: x - learning_rate * gradient(x), x0, num_steps)


def path(step, x0, num_steps):
    rows = [np.array(x0)]
    for _ in range(num_steps):
        rows.append(step(rows[-1]))
    return np.array(rows)


@convention(flow, "You integrate the flow by Heun's method.")
def heun(gradient, x0, learning_rate, num_steps):
    def step(x):
        here = gradient(x)
        return x - learning_rate / 2 * (here + gradient(x - learning_rate * here))
    return path(step, x0, num_steps)


@convention(flow, "You ask for each gradient twice, as some textbooks do.")
def twice(gradient, x0, learning_rate, num_steps):
    return path(lambda x: x - learning_rate * (gradient(x) + gradient(x)) / 2, x0, num_steps)


@convention(flow, "Raises on long runs, and leaves the numbers on others.")
def overflowing(gradient, x0, learning_rate, num_steps):
    if num_steps > 20:
        raise OverflowError
    return path(lambda x: np.full(len(x), np.nan), x0, num_steps)


@mistake(flow, "Downhill.")
def uphill(gradient, x0, learning_rate, num_steps):
    return path(lambda x: x + learning_rate * gradient(x), x0, num_steps)


problem = problems.random_least_squares(rows=20, columns=4, condition=8.0, seed=2)
step = dict(learning_rate=lambda problem: 0.9 / problem.smoothness)
questions = [
    Question(
        "method",
        experiments=[
            Experiment("long", flow, problem, num_steps=30, public=True, **step),
            Experiment("short", flow, problem, num_steps=20, **step),
        ],
        checks=[
            Iterates(points=0.75), LinearRate(points=0.75), Calls(points=0.75),
            Cost(prices={"gradient": 3}, points=0.75),
        ],
        accepts=[ACCEPTED],
    )
]
"""

Function = Callable[..., Any]


def written(folder: Path, checks: str, accepted: str, name: str = "accepting") -> Assignment:
    """The assignment whose question accepts these conventions."""
    folder = folder / name
    folder.mkdir()
    (folder / "assignment.toml").write_text(SPECIFICATION, encoding="utf-8")
    (folder / "checks.py").write_text(checks.replace("ACCEPTED", accepted), encoding="utf-8")
    return load_assignment(folder)


class Class:
    """A question with its answer key, which judges functions."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.key = build_answer_key(assignment)
        (self.question,) = assignment.questions

    def graded(self, *functions: Function) -> QuestionGrade:
        """The grade of a student who has one function for all experiments, or another one for each."""
        experiments = self.question.experiments
        each = functions * len(experiments) if len(functions) == 1 else functions
        recordings = {e.key: record(f, e) for f, e in zip(each, experiments, strict=True)}
        (grade,) = judge(self.assignment, self.key, Run(recordings), {})
        return grade

    def variant(self, identifier: str) -> Function:
        (found,) = [v for v in variants(self.question.experiments[0].reference) if v.identifier == identifier]
        return found.function


@pytest.fixture(scope="module")
def accepting(tmp_path_factory: pytest.TempPathFactory) -> Class:
    return Class(written(tmp_path_factory.mktemp("adam"), ADAM, "epsilon_hat"))


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Class:
    return Class(written(tmp_path_factory.mktemp("adam"), ADAM, ""))


@pytest.fixture(scope="module")
def flows(tmp_path_factory: pytest.TempPathFactory) -> Class:
    return Class(written(tmp_path_factory.mktemp("heun"), HEUN, "heun, overflowing"))


def failed(grade: QuestionGrade) -> list[str]:
    return [verdict.id for verdict in grade.verdicts if verdict.status is not Status.PASSED]


def diagnoses(grade: QuestionGrade) -> list[Diagnosis]:
    return [verdict.diagnosis for verdict in grade.verdicts if verdict.diagnosis]


def rewritten(
    gradient: Function, x0: Any, learning_rate: float, beta1: float, beta2: float, epsilon: float, num_steps: int
) -> list[Any]:
    """Epsilon-hat in a form that the library does not have."""
    rows, m, v = [np.array(x0)], 0 * x0, 0 * x0
    for t in range(1, num_steps + 1):
        g = gradient(rows[-1])
        m += (1 - beta1) * (g - m)
        v += (1 - beta2) * (g - v**0.5) * (g + v**0.5)
        corrected = m / (1 - beta1**t)
        rows.append(rows[-1] - learning_rate * corrected / ((v**0.5 + epsilon) / (1 - beta2**t) ** 0.5))
    return rows


@pytest.mark.parametrize("function", [epsilon_hat, rewritten])
def test_an_accepted_convention_gets_full_points_and_is_told_so(accepting: Class, function: Function) -> None:
    grade = accepting.graded(function)
    assert (grade.score, failed(grade), diagnoses(grade)) == (3, [], [])
    assert grade.conventions == ("epsilon_hat",)


def test_the_feedback_page_tells_it_and_finds_no_fault(accepting: Class) -> None:
    question = accepting.graded(rewritten)
    page = feedback_page(
        Grade(assignment="a", assignment_title="A", student="ada", file="a.py", status="graded", questions=(question,))
    )
    sentence = 'Your form follows the convention <span class="tag">epsilon_hat</span>, which is accepted here.'
    assert page.count(sentence) == 1
    assert page.index(sentence) < page.index("3 checks passed")
    assert "Full marks" in page
    assert "Another convention" not in page


@pytest.mark.parametrize("function", [epsilon_hat, rewritten])
def test_a_convention_that_is_not_accepted_fails_and_is_named(refusing: Class, function: Function) -> None:
    grade = refusing.graded(function)
    assert failed(grade) == ["iterates"]
    assert [(d.identifier, d.kind) for d in diagnoses(grade)] == [("epsilon_hat", "convention")]
    assert grade.conventions == ()


def test_adam_as_the_slides_have_it_is_a_convention(refusing: Class, tmp_path: Path) -> None:
    imports = "from reference.lecture08.adam import no_bias_correction\n"
    accepting = Class(written(tmp_path, imports + ADAM, "no_bias_correction"))
    grade = accepting.graded(no_bias_correction)
    assert (grade.score, grade.conventions) == (3, ("no_bias_correction",))
    assert accepting.graded(adam).score == 3
    grade = refusing.graded(no_bias_correction)
    assert failed(grade) == ["iterates"]
    assert [(d.identifier, d.kind) for d in diagnoses(grade)] == [("no_bias_correction", "convention")]


def test_the_reference_is_right_without_a_word_about_conventions(accepting: Class) -> None:
    for function in (adam, corrected_step_size):
        grade = accepting.graded(function)
        assert (grade.score, grade.conventions) == (3, ())


def test_two_forms_in_turn_are_right_only_where_they_agree(accepting: Class) -> None:
    assert failed(accepting.graded(epsilon_hat, epsilon_hat, adam)) == []
    assert failed(accepting.graded(adam, adam, epsilon_hat)) == []
    for mixed in ([epsilon_hat, adam, adam], [adam, epsilon_hat, epsilon_hat]):
        grade = accepting.graded(*mixed)
        assert failed(grade) == ["iterates"]
        assert "epsilon_hat" not in [d.identifier for d in diagnoses(grade)]
        assert grade.conventions == ()


@pytest.mark.parametrize("mistake", variants(adam, Kind.MISTAKE), ids=lambda variant: variant.identifier)
def test_mistakes_are_judged_as_if_nothing_was_accepted(accepting: Class, refusing: Class, mistake: Any) -> None:
    grade = accepting.graded(mistake.function)
    assert failed(grade)
    assert grade == refusing.graded(mistake.function)


def test_a_transposed_convention_is_wrong_and_the_convention_is_not_blamed(accepting: Class, refusing: Class) -> None:
    def transposed(*arguments: Any) -> Any:
        return epsilon_hat(*arguments).T

    assert {d.identifier for d in diagnoses(refusing.graded(transposed))} == {"epsilon_hat+transposed"}
    grade = accepting.graded(transposed)
    assert "iterates" in failed(grade)
    assert not any("epsilon_hat" in d.identifier for d in diagnoses(grade))


def test_what_did_not_return_fails_and_the_rest_is_judged_by_the_convention(accepting: Class) -> None:
    def broken(*arguments: Any) -> Any:
        raise ArithmeticError("gone")

    grade = accepting.graded(epsilon_hat, broken, epsilon_hat)
    passed = [outcome.passed for outcome in grade.verdicts[0].outcomes]
    assert passed == [True, False, True]
    assert diagnoses(grade) == []
    assert accepting.graded(broken).conventions == ()


def test_single_precision_is_told_from_the_convention_where_it_can_be(accepting: Class) -> None:
    """The tolerance of single precision is the convention's own, and mistakes stay outside."""

    def rounded(*arguments: Any) -> Any:
        return epsilon_hat(*arguments).astype(np.float32)

    def mistaken(*arguments: Any) -> Any:
        return first_moment_corrected_only(*arguments).astype(np.float32)

    assert accepting.graded(rounded).score == 3
    assert failed(accepting.graded(mistaken)) == ["iterates"]


def test_rate_calls_and_cost_are_the_conventions(flows: Class) -> None:
    heun, reference = flows.variant("heun"), flows.question.experiments[0].reference
    assert flows.graded(heun).score == flows.graded(reference).score == 3

    def dear(gradient: Function, *arguments: Any) -> Any:
        return heun(lambda x: (gradient(x) + gradient(x)) / 2, *arguments)

    grade = flows.graded(dear)
    assert grade.conventions == ("heun",)
    assert failed(grade) == ["calls", "cost"]
    assert grade.verdicts[2].message.endswith("gradient was called 120 times; 60 calls are needed.")


def test_a_convention_with_the_references_numbers_may_have_its_own_calls(tmp_path: Path) -> None:
    accepting = Class(written(tmp_path, HEUN, "twice", "one"))
    twice, reference = accepting.variant("twice"), accepting.question.experiments[0].reference
    assert accepting.graded(twice).score == accepting.graded(reference).score == 3
    assert accepting.graded(reference).conventions == ()
    refusing = Class(written(tmp_path, HEUN, "", "none"))
    grade = refusing.graded(refusing.variant("twice"))
    assert failed(grade) == ["calls", "cost"]
    assert {d.identifier for d in diagnoses(grade)} == {"twice"}


def test_a_convention_without_finite_numbers_is_followed_by_nobody(flows: Class) -> None:
    grade = flows.graded(flows.variant("overflowing"))
    assert failed(grade) == ["iterates", "rate", "calls", "cost"]
    assert flows.graded(flows.variant("uphill")).score < 3


def test_a_convention_that_breaks_a_check_of_the_author_is_an_error_of_the_author(tmp_path: Path) -> None:
    checks = HEUN.replace("LinearRate(points=0.75)", "Training(at_most=GOAL, points=0.75)").replace(
        "import Calls,", "import Training, Calls,"
    )
    # Heun's method contracts less in each step.
    goal = "problem.objective(flow(problem.gradient, problem.x0, 0.9 / problem.smoothness, 20)[-1]) + 1e-12"
    impatient = Class(written(tmp_path, checks.replace("GOAL", goal), "heun"))
    assert impatient.graded(impatient.question.experiments[0].reference).score == 3
    with pytest.raises(AssignmentError, match=r"accepted convention heun in the reference's place: .*the goal"):
        impatient.graded(impatient.variant("heun"))


@pytest.mark.parametrize(
    ("accepted", "sentence"),
    [
        ("first_moment_corrected_only", "which is a mistake, which never passes"),
        ("corrected_step_size", "which is an equivalent, which always passes"),
        ("rmsprop", "which is no registered convention of adam; there are epsilon_hat, no_bias_correction"),
        ("'epsilon_hat'", "'epsilon_hat', which is no registered convention of adam"),
    ],
)
def test_only_registered_conventions_can_be_accepted(tmp_path: Path, accepted: str, sentence: str) -> None:
    imports = (
        "from reference.lecture08.adam import corrected_step_size, first_moment_corrected_only\n"
        "from reference.lecture08.rmsprop import rmsprop\n"
    )
    with pytest.raises(AssignmentError, match=rf"checks\.py.*: question 'method' accepts .*{sentence}"):
        written(tmp_path, imports + ADAM, accepted)


def test_a_question_without_conventions_says_so() -> None:
    with pytest.raises(AssignmentError, match="no registered convention of no function, of which none is known"):
        Question("proof", accepts=[epsilon_hat])


def test_a_changed_choice_makes_another_key_and_the_same_recordings(tmp_path: Path) -> None:
    one, other = written(tmp_path, ADAM, "epsilon_hat", "one"), written(tmp_path, ADAM, "", "other")
    assert one.hash != other.hash
    assert key_hash(one) != key_hash(other)
    assert experiments_hash(one) == experiments_hash(other)


OPTIMIZER = """
import torch

from grader.assignment import Drive, Group, OptimizerSteps, Question
from reference.variants import convention, mistake


class Momentum(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                v = self.state[p].get("v", torch.zeros_like(p))
                self.state[p]["v"] = v = group["momentum"] * v + self.weight(group) * p.grad
                p -= group["lr"] * v

    def weight(self, group):
        return 1.0


@convention(Momentum, "Your velocity is an average, whose weights add up to one.")
class Averaged(Momentum):
    def weight(self, group):
        return 1 - group["momentum"]


@mistake(Momentum, "Without momentum?")
class Plain(Momentum):
    def __init__(self, params, lr, momentum):
        super().__init__(params, lr, 0.0)


questions = [
    Question(
        "method",
        experiments=[
            Drive("one", Momentum, [Group([1.0, 2.0])], [[[1.0, -1.0]]] * 4, lr=0.1, momentum=0.5, public=True),
            Drive("two", Momentum, [Group([0.5])], [[[1.0]], [[2.0]], [[-3.0]]], lr=0.2, momentum=0.9),
        ],
        checks=[OptimizerSteps(points=3)],
        accepts=[ACCEPTED],
    )
]
"""


def test_an_optimizers_convention_is_a_class(tmp_path: Path) -> None:
    accepting, refusing = (
        Class(written(tmp_path, OPTIMIZER, accepted, f"with{accepted}")) for accepted in ("Averaged", "")
    )
    averaged = accepting.variant("Averaged")
    assert accepting.graded(averaged).score == 3
    assert accepting.graded(averaged).conventions == ("Averaged",)
    assert failed(accepting.graded(accepting.variant("Plain"))) == ["optimizer"]
    grade = refusing.graded(refusing.variant("Averaged"))
    assert [d.identifier for d in diagnoses(grade)] == ["Averaged"]
