"""Optimizers and trainings are validated like everything else: each form goes through the sandbox as a class."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.assignment.errors import AssignmentError
from grader.report.validation_page import QuestionFindings, Validation, validation_page
from grader.validation.validate import validate

SPECIFICATION = """
id = "optimizers"
title = "Optimizers"
lecture = 8
environment = "torch"

[limits]
cpu_seconds = 30
total_seconds = 300

[[questions]]
id = "adam"
title = "Adam"
points = 2

[[questions]]
id = "training"
title = "Train"
points = 1
"""

CHECKS = '''
import numpy as np
import torch

from grader.assignment import Drive, Experiment, Group, OptimizerSteps, Question, Training, UnchangedInputs
from reference import problems
from reference.variants import convention, equivalent, mistake

START = 0


def bias(beta, t):
    return 1 - beta**t


class Optimizer(torch.optim.Optimizer):
    """What all of them share."""

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.update(p, group, self.state[p])


class Adam(Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps))

    def update(self, p, group, state):
        if not state:
            state.update(t=START, m=torch.zeros_like(p), v=torch.zeros_like(p))
        state["t"] += 1
        first, second = group["betas"]
        state["m"] = first * state["m"] + (1 - first) * p.grad
        state["v"] = second * state["v"] + (1 - second) * p.grad**2
        m, v = state["m"] / self.bias(first, state["t"]), state["v"] / self.bias(second, state["t"])
        p -= group["lr"] * m / self.root(v, group["eps"])

    def bias(self, beta, t):
        return bias(beta, t)

    def root(self, v, eps):
        return v.sqrt() + eps


@equivalent(Adam)
class InPlace(Optimizer):
    def __init__(self, params, **options):
        super().__init__(params, options)

    def update(self, p, group, state):
        a, b = group["betas"]
        state["t"] = t = state.get("t", 0) + 1
        m, v = state.setdefault("m", torch.zeros_like(p)), state.setdefault("v", torch.zeros_like(p))
        m.lerp_(p.grad, 1 - a)
        v.mul_(b).addcmul_(p.grad, p.grad, value=1 - b)
        p.addcdiv_(m, (v / (1 - b**t)).sqrt_().add_(group["eps"]), value=-group["lr"] / (1 - a**t))


@convention(Adam, "Your epsilon stands inside the root.")
class EpsilonInside(Adam):
    def root(self, v, eps):
        return torch.sqrt(v + eps)


@convention(Adam, "Your epsilon is squared inside the root.")
class EpsilonSquared(Adam):
    def root(self, v, eps):
        return torch.sqrt(v + eps**2)


@mistake(Adam, "Both averages start at zero.")
class NoBiasCorrection(Adam):
    def bias(self, beta, t):
        return 1


@mistake(Adam, "Whose gradient is it?")
class ClearsGradient(Adam):
    def update(self, p, group, state):
        super().update(p, group, state)
        p.grad.zero_()


@mistake(Adam, "Where does the root go?")
class NoRoot(Adam):
    root = torch.add


def train(gradient, x0, num_steps, rate=0.1):
    rows = [np.array(x0)]
    for _ in range(num_steps):
        rows.append(rows[-1] - rate * gradient(rows[-1]))
    return np.array(rows)


@equivalent(train)
def train_with_torch(gradient, x0, num_steps):
    p = torch.nn.Parameter(torch.tensor(x0))
    optimizer = Adam([p], lr=0.05)
    for _ in range(num_steps):
        p.grad = torch.tensor(gradient(p.detach().numpy()))
        optimizer.step()
    return p.detach().numpy()


@mistake(train, "You walk uphill.")
def uphill(gradient, x0, num_steps):
    return train(gradient, x0, num_steps, -0.1)


rng = np.random.default_rng(1)
options = dict(lr=0.01, betas=(0.9, 0.99), eps=1e-4)
gradients = [[rng.standard_normal(3), None if k == 4 else rng.standard_normal(2)] for k in range(8)]
questions = [
    Question(
        "adam",
        experiments=[
            Drive("one group", Adam, [Group([1.0, 2.0, -1.0], [0.5, 0.1])], gradients, public=True, **options),
            Drive(
                "two groups", Adam, [Group([1.0, 2.0, 3.0]), Group([4.0, 5.0], lr=0.1)], gradients,
                learning_rate_factors={3: 0.5}, restarts=[6], **options,
            ),
        ],
        checks=[OptimizerSteps(points=1), UnchangedInputs(points=1)],
        accepts=[EpsilonInside],
    ),
    Question(
        "training",
        experiments=[Experiment("bowl", train, problems.bowl(), num_steps=200, public=True)],
        checks=[Training(points=1, at_most=1e-3, calls={"gradient": 200})],
    ),
]
'''


def written(folder: Path, checks: str) -> Path:
    (folder / "assignment.toml").write_text(SPECIFICATION, encoding="utf-8")
    (folder / "checks.py").write_text(checks, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def optimizers(tmp_path_factory: pytest.TempPathFactory) -> Validation:
    return validate(written(tmp_path_factory.mktemp("optimizers"), CHECKS))


@pytest.fixture
def adam(optimizers: Validation) -> QuestionFindings:
    return optimizers.questions[0]


@pytest.fixture
def training(optimizers: Validation) -> QuestionFindings:
    return optimizers.questions[1]


def row(question: QuestionFindings, role: str) -> tuple[int, ...]:
    (found,) = [row for row in question.matrix if row.role == role]
    return found.number, found.passed, found.lost, found.itself, found.another, found.nothing


def test_every_form_of_an_optimizer_gets_what_it_should(optimizers: Validation, adam: QuestionFindings) -> None:
    assert optimizers.faults == ()
    assert row(adam, "reference") == (1, 1, 0, 0, 0, 0)
    assert row(adam, "equivalents") == (1, 1, 0, 0, 0, 0)
    assert row(adam, "accepted conventions") == (1, 1, 0, 0, 0, 0)
    assert row(adam, "conventions") == (1, 0, 1, 1, 0, 0)
    assert row(adam, "mistakes") == (3, 0, 3, 3, 0, 0)
    assert (adam.unseen, adam.misnamed, adam.pairs, adam.flake.changed) == ((), (), (), 0)
    assert adam.beyond_rounding == ()
    assert adam.nearest_mistake is not None
    assert adam.nearest_mistake.ratio > 1e3


def test_each_check_sees_its_own_mistakes(adam: QuestionFindings) -> None:
    lost = {mark.identifier: mark.lost for mark in adam.marks}
    assert lost["ClearsGradient"] == ("inputs_unchanged",)
    assert lost["NoRoot"] == lost["NoBiasCorrection"] == lost["EpsilonSquared"] == ("optimizer",)
    assert adam.unneeded == ()


def test_a_training_is_judged_by_its_goal_and_no_distance_is_claimed(training: QuestionFindings) -> None:
    assert row(training, "equivalents") == (1, 1, 0, 0, 0, 0)
    assert row(training, "mistakes")[:3] == (1, 0, 1)
    assert training.farthest_equivalent is None
    assert training.nearest_mistake is None


def test_the_page_shows_accepted_conventions(optimizers: Validation) -> None:
    page = validation_page(optimizers)
    assert '<th scope="row">accepted conventions</th>' in page
    assert "Adam: EpsilonInside (accepted convention)" in page


CLEARING = """class EpsilonInside(Adam):
    def update(self, p, group, state):
        super().update(p, group, state)
        p.grad.zero_()
"""


def test_what_is_wrong_with_conventions_is_a_fault(tmp_path: Path) -> None:
    """One is not accepted, and no experiment can see it; the other is accepted, and loses a check."""
    checks = CHECKS.replace("eps=1e-4)", "eps=1e-200)").replace("class EpsilonInside(Adam):\n", CLEARING)
    adam = validate(written(tmp_path, checks)).questions[0]
    assert adam.unseen == ("Adam: EpsilonSquared",)
    lost, passed = adam.faults
    assert lost.startswith("Adam: EpsilonInside is correct and loses inputs_unchanged: ")
    assert passed == "Adam: EpsilonSquared is a convention that is not accepted and passes: no experiment can see it."


def test_torchs_own_optimizer_as_the_reference_cannot_be_handed_in(tmp_path: Path) -> None:
    checks = CHECKS.replace("Adam, [", "torch.optim.Adam, [").replace("accepts=[EpsilonInside]", "accepts=[]")
    with pytest.raises(AssignmentError, match=r"Adam: torch\.optim\.adam\.Adam is torch's own"):
        validate(written(tmp_path, checks))
