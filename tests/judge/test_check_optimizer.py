"""Optimizers driven step by step: every correct form passes, every named mistake fails and is named; and trainings."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from grader.answer_key.build import build_answer
from grader.answer_key.cache import answer_key
from grader.assignment import AssignmentError, Drive, Experiment, Group, OptimizerSteps, Training, UnchangedInputs
from grader.assignment.assignment import load_assignment
from grader.assignment.check import Check
from grader.assignment.drive import driven
from grader.assignment.fingerprint import experiments_hash
from grader.batch.workplace import Workplace
from grader.guest.driving import objection
from grader.judge.checks import judge_experiment
from grader.judge.diagnosis import diagnose
from grader.judge.grade import Outcome, Status
from grader.judge.observation import Observation
from grader.sandbox.recording import Outcome as Recorded
from grader.sandbox.recording import Recording
from grader.submission.program import Submission
from reference import problems
from reference.variants import Kind, convention, equivalent, mistake, variants
from tests.conftest import record

Tensor = torch.Tensor


class Adam(torch.optim.Optimizer):
    """Adam as the course writes it, weight decay coupled; its parts are what the variants replace."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.update(p, self.gradient(p, group), group)

    def gradient(self, p: Tensor, group: dict[str, Any]) -> Tensor:
        return p.grad + group["weight_decay"] * p

    def update(self, p: Tensor, grad: Tensor, group: dict[str, Any]) -> None:
        state = self.state[p]
        if not state:
            state.update(t=0, m=torch.zeros_like(p), v=torch.zeros_like(p))
        self.count(state)
        beta1, beta2 = group["betas"]
        state["m"] = beta1 * state["m"] + (1 - beta1) * grad
        state["v"] = beta2 * state["v"] + (1 - beta2) * grad**2
        self.move(p, state["m"], state["v"], self.time(state), group)

    def count(self, state: dict[str, Any]) -> None:
        state["t"] += 1

    def time(self, state: dict[str, Any]) -> int:
        return int(state["t"])

    def move(self, p: Tensor, m: Tensor, v: Tensor, t: int, group: dict[str, Any]) -> None:
        beta1, beta2 = group["betas"]
        p -= group["lr"] * (m / (1 - beta1**t)) / (torch.sqrt(v / (1 - beta2**t)) + group["eps"])


@equivalent(Adam)
class InPlace(torch.optim.Optimizer):
    """Rewritten: torch's in-place operations, state in a dictionary of its own names, p.data."""

    def __init__(self, params: Any, **options: Any) -> None:
        super().__init__(params, options)

    def step(self) -> None:  # type: ignore[override]
        for group in self.param_groups:
            rate, decay, (a, b) = group["lr"], group["weight_decay"], group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                g = p.grad.data.add(p.data, alpha=decay) if decay else p.grad.data
                if "step" not in state:
                    state["step"] = torch.tensor(0.0)
                    state["first"], state["second"] = torch.zeros(p.shape), torch.zeros(p.shape)
                state["step"] += 1
                t = state["step"].item()
                state["first"].lerp_(g, 1 - a)
                state["second"].mul_(b).addcmul_(g, g, value=1 - b)
                size = rate * math.sqrt(1 - b**t) / (1 - a**t)
                below = state["second"].sqrt().add_(group["eps"] * math.sqrt(1 - b**t))
                p.data.addcdiv_(state["first"], below, value=-size)


@convention(Adam, "Epsilon stands inside the root here; the course adds it outside.")
class EpsilonInside(Adam):
    def move(self, p: Tensor, m: Tensor, v: Tensor, t: int, group: dict[str, Any]) -> None:
        beta1, beta2 = group["betas"]
        p -= group["lr"] * (m / (1 - beta1**t)) / torch.sqrt(v / (1 - beta2**t) + group["eps"])


@mistake(Adam, "Both averages start at zero; what makes up for that in the first steps?")
class NoBiasCorrection(Adam):
    def move(self, p: Tensor, m: Tensor, v: Tensor, t: int, group: dict[str, Any]) -> None:
        p -= group["lr"] * m / (torch.sqrt(v) + group["eps"])


@mistake(Adam, "One counter of steps is raised once for every parameter.")
class SharedCounter(Adam):
    shared = 0

    def count(self, state: dict[str, Any]) -> None:
        self.shared += 1
        state["t"] = self.shared


@mistake(Adam, "After load_state_dict() your averages start again at zero. Where are they kept?")
class StateLost(Adam):
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict({**state_dict, "state": {}})


@mistake(Adam, "The learning rate of the first group is used for all.")
class FirstGroupsLearningRate(Adam):
    def move(self, p: Tensor, m: Tensor, v: Tensor, t: int, group: dict[str, Any]) -> None:
        super().move(p, m, v, t, {**group, "lr": self.param_groups[0]["lr"]})


@mistake(Adam, "The learning rate is that of the constructor, also after it was changed.")
class KeepsItsLearningRate(Adam):
    def __init__(self, params: Any, **options: Any) -> None:
        super().__init__(params, **options)
        self.rates = [group["lr"] for group in self.param_groups]

    def move(self, p: Tensor, m: Tensor, v: Tensor, t: int, group: dict[str, Any]) -> None:
        place = next(i for i, each in enumerate(self.param_groups) if each is group)
        super().move(p, m, v, t, {**group, "lr": self.rates[place]})


@mistake(Adam, "The decay is that of AdamW: it does not go through the averages here.")
class Decoupled(Adam):
    def gradient(self, p: Tensor, group: dict[str, Any]) -> Tensor:
        grad = p.grad
        assert grad is not None
        p *= 1 - group["lr"] * group["weight_decay"]
        return grad


@mistake(Adam, "A parameter without a gradient is moved by its old averages.")
class MovesWithoutGradient(Adam):
    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = torch.zeros_like(p) if p.grad is None else p.grad
        super().step()


@mistake(Adam, "p.grad belongs to whoever called step(); yours changes it.")
class ChangesGradient(Adam):
    def gradient(self, p: Tensor, group: dict[str, Any]) -> Tensor:
        assert p.grad is not None
        return p.grad.add_(p, alpha=group["weight_decay"])


SHAPES = [(3, 2), (2,), (), (4,)]
ADAM_OPTIONS: dict[str, Any] = {"lr": 0.01, "betas": (0.9, 0.99), "eps": 1e-8, "weight_decay": 0.1}
STEPS = OptimizerSteps(points=1)
INPUTS = UnchangedInputs(points=1)


def stream(steps: int, shapes: list[tuple[int, ...]], scale: float = 1.0, missing: bool = False) -> Any:
    generator = np.random.default_rng(3)
    drawn = [[scale * generator.standard_normal(shape) for shape in shapes] for _ in range(steps)]
    return [
        [None if missing and (step + place) % 4 == 3 else gradient for place, gradient in enumerate(row)]
        for step, row in enumerate(drawn)
    ]


def values(shape: tuple[int, ...]) -> np.ndarray:
    return 1.0 + np.arange(math.prod(shape), dtype=np.float64).reshape(shape) / 3


def experiments(optimizer: type, public: bool = True, **options: Any) -> list[Drive]:
    first, second, third, fourth = (values(shape) for shape in SHAPES)
    group = Group(first, second)
    return [
        Drive("one group", optimizer, [Group(first, second)], stream(12, SHAPES[:2]), public=public, **options),
        # Gradients of the size of epsilon show where it stands.
        Drive("small", optimizer, [group], stream(12, SHAPES[:2], scale=1e-7), public=public, **options),
        Drive(
            "everything",
            optimizer,
            [group, Group(third, fourth, lr=0.05)],
            stream(15, SHAPES, missing=True),
            public=public,
            learning_rate_factors={6: 0.1},
            restarts=[10],
            **options,
        ),
    ]


def observed(optimizer: type, experiment: Drive) -> Observation:
    function = experiment.reference if optimizer is inspect.unwrap(experiment.reference) else driven(optimizer)
    recording: Recording = record(function, experiment)
    return Observation(experiment, recording, build_answer(experiment))


ADAM = experiments(Adam, **ADAM_OPTIONS)


def test_the_course_class_is_what_torch_computes() -> None:
    for drive in (*ADAM, *experiments(torch.optim.Adam, **ADAM_OPTIONS)):
        for optimizer in (Adam, InPlace, torch.optim.Adam):
            observation = observed(optimizer, drive)
            assert judge_experiment(STEPS, observation).passed, (drive, optimizer)
            assert judge_experiment(INPUTS, observation).passed, (drive, optimizer)


def test_an_answer_without_the_aid_of_its_equivalents_accepts_them() -> None:
    for drive in ADAM:
        for optimizer in (InPlace, torch.optim.Adam):
            unaided = Observation(drive, record(driven(optimizer), drive), build_answer(drive, aided=False))
            assert judge_experiment(STEPS, unaided).passed, (drive, optimizer)


@pytest.mark.parametrize(
    "variant", [v for v in variants(Adam) if v.kind is not Kind.EQUIVALENT], ids=lambda v: v.identifier
)
def test_every_mistake_fails_and_is_named(variant: Any) -> None:
    observations = [observed(variant.function, drive) for drive in ADAM]
    passed = {
        check.kind: all(judge_experiment(check, observation).passed for observation in observations)
        for check in (STEPS, INPUTS)
    }
    only_the_inputs = variant.function is ChangesGradient
    assert passed == {"optimizer": only_the_inputs, "inputs_unchanged": not only_the_inputs}
    diagnosis = diagnose(observations)
    assert diagnosis is not None
    assert (diagnosis.identifier, diagnosis.alternatives) == (variant.identifier, ())


def outcome(optimizer: type, drive: Drive, check: Check = STEPS) -> Outcome:
    return judge_experiment(check, observed(optimizer, drive))


def test_the_first_wrong_step_is_named_with_what_is_special_about_it() -> None:
    everything = ADAM[2]
    late, lost = outcome(KeepsItsLearningRate, everything), outcome(StateLost, everything)
    assert late.first_difference == 6
    assert late.sentence.startswith("step 6 (the first with another learning rate")
    assert lost.first_difference == 10
    assert lost.sentence.startswith("step 10 (the first after the state was saved and loaded")
    assert "the steps before it are right" in lost.sentence


def test_the_wrong_parameters_are_named() -> None:
    everything = ADAM[2]
    wrong_rate = outcome(FirstGroupsLearningRate, everything)
    assert wrong_rate.sentence == (
        "step 1 (in which some parameters have no gradient) is the first wrong one. "
        "It is wrong in parameter 1 of group 2."
    )
    assert outcome(SharedCounter, ADAM[0]).sentence.endswith("It is wrong in parameter 2.")
    assert outcome(NoBiasCorrection, ADAM[0]).sentence.endswith("It is wrong in all parameters.")
    hidden = experiments(Adam, public=False, **ADAM_OPTIONS)[2]
    assert outcome(FirstGroupsLearningRate, hidden).sentence.endswith("It is wrong in some of the parameters.")


def test_without_rows_an_optimizer_did_not_run() -> None:
    (drive, *_) = ADAM
    size = build_answer(drive).parts[0].shape[1]
    empty = Recording(drive.key, Recorded.RETURNED, np.zeros((0, size)))
    for check in (STEPS, INPUTS):
        assert not judge_experiment(check, Observation(drive, empty, build_answer(drive))).passed


class Momentum(torch.optim.Optimizer):
    """SGD with momentum, as torch has it."""

    def __init__(self, params: Any, lr: float, momentum: float, weight_decay: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                velocity = self.state[p].get("velocity")
                grad = p.grad + group["weight_decay"] * p
                velocity = grad if velocity is None else group["momentum"] * velocity + grad
                self.state[p]["velocity"] = velocity
                p.sub_(group["lr"] * velocity)


class AdamW(Adam):
    """Decay beside the averages, as torch has it."""

    def gradient(self, p: Tensor, group: dict[str, Any]) -> Tensor:
        grad = p.grad
        assert grad is not None
        p -= group["lr"] * group["weight_decay"] * p
        return grad


def test_a_momentum_that_is_the_gradients_own_tensor_changes_it_later() -> None:
    class Aliased(Momentum):
        @torch.no_grad()
        def step(self, closure: Any = None) -> None:
            for group in self.param_groups:
                for p in group["params"]:
                    velocity = self.state[p].setdefault("velocity", p.grad)
                    if velocity is not p.grad:
                        velocity.mul_(group["momentum"]).add_(p.grad)
                    p.sub_(group["lr"] * velocity)

    (drive, *_) = experiments(Momentum, lr=0.1, momentum=0.9)
    assert outcome(Aliased, drive).passed
    assert "gradients changed" in outcome(Aliased, drive, INPUTS).sentence


class WithoutCorrection(InPlace):
    """Another form of a mistake that the library has."""

    def step(self) -> None:  # type: ignore[override]
        for group in self.param_groups:
            a, b = group["betas"]
            for p in (p for p in group["params"] if p.grad is not None):
                grad = torch.add(p.grad, p.data, alpha=group["weight_decay"])
                m, v = self.state[p].get("mv", (0.0, 0.0))
                m, v = m + (1 - a) * (grad - m), v + (1 - b) * (grad.square() - v)
                self.state[p]["mv"] = m, v
                p.data.sub_(m.mul(group["lr"]).div(v.sqrt().add(group["eps"])))


class GlobalCounter(InPlace):
    """Another form of a second one."""

    def __init__(self, params: Any, **options: Any) -> None:
        super().__init__(params, **options)
        self.raised = 0

    def step(self) -> None:  # type: ignore[override]
        every = [(p, group) for group in self.param_groups for p in group["params"] if p.grad is not None]
        for p, group in every:
            self.raised += 1
            t, state, (a, b) = self.raised, self.state[p], group["betas"]
            grad = p.grad.data + p.data * group["weight_decay"]
            state["m"] = grad * (1 - a) + state.get("m", 0) * a
            state["v"] = grad * grad * (1 - b) + state.get("v", 0) * b
            p.data -= state["m"] * (group["lr"] / (1 - a**t)) / ((state["v"] / (1 - b**t)) ** 0.5 + group["eps"])


class Single(Adam):
    """Averages in single precision."""

    def update(self, p: Tensor, grad: Tensor, group: dict[str, Any]) -> None:
        super().update(p, grad.float().double(), group)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [(WithoutCorrection, "NoBiasCorrection"), (GlobalCounter, "SharedCounter"), (Single, None)],
)
def test_a_mistake_is_named_in_any_form_and_an_unknown_one_is_not(wrong: type, named: str | None) -> None:
    observations = [observed(wrong, drive) for drive in ADAM]
    assert not any(judge_experiment(STEPS, observation).passed for observation in observations)
    diagnosis = diagnose(observations)
    library = {variant.identifier for variant in variants(Adam)}
    assert (diagnosis.identifier if diagnosis and diagnosis.identifier in library else None) == named


@pytest.mark.parametrize(
    ("reference", "rewritten", "wrong", "options"),
    [
        (torch.optim.SGD, Momentum, None, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}),
        (torch.optim.AdamW, AdamW, Adam, ADAM_OPTIONS),
        (torch.optim.Adam, Adam, AdamW, ADAM_OPTIONS),
    ],
)
def test_torch_is_a_reference(reference: type, rewritten: type, wrong: type | None, options: dict[str, Any]) -> None:
    for drive in experiments(reference, **options):
        assert outcome(rewritten, drive).passed
        assert wrong is None or not outcome(wrong, drive).passed


def test_a_step_that_does_nothing_and_a_constructor_that_moves_fail() -> None:
    class Idle(Adam):
        def step(self, closure: Any = None) -> None:
            pass

    class Eager(Adam):
        def __init__(self, params: Any, **options: Any) -> None:
            super().__init__(params, **options)
            with torch.no_grad():
                self.param_groups[0]["params"][0].mul_(2)

    assert outcome(Idle, ADAM[0]).first_difference == 1
    assert not outcome(Idle, ADAM[0], INPUTS).passed
    assert outcome(Eager, ADAM[0]).sentence == "the parameters change before the first step."


def test_nan_fails() -> None:
    class Broken(Adam):
        def move(self, p: Tensor, m: Tensor, v: Tensor, t: int, group: dict[str, Any]) -> None:
            super().move(p, m, v, t, group)
            if t == 3:
                p.fill_(math.nan)

    assert outcome(Broken, ADAM[0]).first_difference == 3


def test_the_default_dtype_is_left_as_it_was() -> None:
    observed(Adam, ADAM[0])
    assert torch.get_default_dtype() is torch.float32


def test_a_check_can_be_for_one_class() -> None:
    (other,) = experiments(Momentum, lr=0.1, momentum=0.9)[:1]
    check = OptimizerSteps(points=1, function=Adam)
    assert [check.selects(drive) for drive in (ADAM[0], other)] == [True, False]
    assert not STEPS.selects(Experiment("x", np.sign, problems.bowl(), x=1.0))


@pytest.mark.parametrize(
    ("value", "part"),
    [
        (torch.optim.Adam, "torch's own"),
        (type("Mine", (torch.optim.AdamW,), {}), "torch's own"),
        (print, "not a subclass"),
        (dict, "not a subclass"),
        (Adam, ""),
    ],
)
def test_torch_itself_is_no_answer(value: object, part: str) -> None:
    assert part in objection(value)
    assert bool(part) is bool(objection(value))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"groups": []}, "at least one parameter"),
        ({"gradients": []}, "one step"),
        ({"gradients": [[np.ones(3)]]}, "gradients of step 1 do not fit"),
        ({"gradients": [[np.ones(2), np.ones(2)]]}, "gradients of step 1 do not fit"),
        ({"restarts": [3]}, "no step 3"),
        ({"learning_rate_factors": {0: 0.1}}, "no step 0"),
        ({"learning_rate_factors": {1: 0.1}, "lr": None}, "no lr"),
        ({"lr": np.ones(2)}, "option 'lr'"),
    ],
)
def test_drives_that_make_no_sense_are_reported(change: dict[str, Any], message: str) -> None:
    sound: dict[str, Any] = {"groups": [Group([1.0, 2.0])], "gradients": [[np.ones(2)], [None]], "lr": 0.1}
    Drive("sound", Adam, **sound)
    with pytest.raises(AssignmentError, match=message):
        Drive("not sound", Adam, **(sound | change))


# Training.

ROWS = problems.random_least_squares(rows=30, columns=5, condition=5.0, seed=1)


def train(gradient: Callable[[np.ndarray], np.ndarray], x0: np.ndarray, num_steps: int) -> np.ndarray:
    rows = [x0]
    for _ in range(num_steps):
        rows.append(rows[-1] - gradient(rows[-1]) / ROWS.smoothness)
    return np.array(rows)


TRAINING = Experiment("rows", train, ROWS, num_steps=60, public=True)
GOAL = float(ROWS.objective(train(ROWS.gradient, ROWS.x0, 40)[-1]))
LOSS = Training(points=1, at_most=GOAL, calls={"gradient": 60}, steps=60)


def trained(function: Callable[..., Any], check: Training = LOSS) -> Outcome:
    return judge_experiment(check, Observation(TRAINING, record(function, TRAINING), build_answer(TRAINING)))


def test_a_training_may_return_its_path_or_its_end_and_be_another_method() -> None:
    def heavy_ball(gradient: Any, x0: np.ndarray, num_steps: int) -> np.ndarray:
        before = now = x0
        for _ in range(num_steps // 2):
            before, now = now, now - gradient(now) / ROWS.smoothness + 0.3 * (now - before)
        return now

    assert trained(train).passed
    assert trained(lambda *arguments: train(*arguments)[-1]).passed
    assert trained(heavy_ball).passed


@pytest.mark.parametrize(
    ("function", "part"),
    [
        (lambda gradient, x0, num_steps: train(gradient, x0, 20), "where at most"),
        (lambda gradient, x0, num_steps: train(gradient, x0, 70)[-1], "gradient was called 70 times; 60 calls"),
        (lambda gradient, x0, num_steps: np.repeat(train(gradient, x0, 60), 2, axis=0), "121 steps were made; 60"),
        (lambda gradient, x0, num_steps: np.full(5, np.nan), "contains nan or inf"),
        (lambda gradient, x0, num_steps: np.zeros((0, 5)), "expected is"),
        (lambda gradient, x0, num_steps: np.zeros(4), "expected is"),
        (lambda gradient, x0, num_steps: None, "returned"),
    ],
)
def test_a_training_that_misses_its_goal_or_its_budget_fails(function: Callable[..., Any], part: str) -> None:
    result = trained(function)
    assert not result.passed
    assert part in result.sentence


def test_an_accuracy_is_measured_on_data() -> None:
    features, labels = ROWS.data["A"], np.sign(ROWS.data["A"] @ ROWS.minimizer)

    def accuracy(weights: np.ndarray) -> float:
        return float(np.mean(np.sign(features @ weights) == labels))

    check = Training(points=1, measure=accuracy, at_least=0.95)
    assert trained(train, check).passed
    assert "reaches 0, where at least 0.95 is asked" in trained(lambda *a: -train(*a), check).sentence


def test_a_training_needs_one_goal_that_the_reference_reaches() -> None:
    for goal in ({}, {"at_most": 1.0, "at_least": 0.0}):
        with pytest.raises(AssignmentError, match="needs a goal"):
            Training(points=1, **goal)
    with pytest.raises(AssignmentError, match="the reference itself"):
        trained(train, Training(points=1, at_most=-1.0))
    assert not Training(points=1, at_most=1.0, calls={"value": 3}).selects(TRAINING)


# An assignment, from its files to the grade.

SPECIFICATION = """
id = "adam"
title = "Adam"
lecture = 7
environment = "torch"

[[questions]]
id = "adam"
title = "Adam"
points = 3
"""

CHECKS = """
import numpy as np
import torch

from grader.assignment import Drive, Group, OptimizerSteps, Question, UnchangedInputs
from reference.variants import mistake


class Adam(torch.optim.Adam):
    pass


@mistake(Adam, "Count your steps.")
class AlwaysTheFirst(Adam):
    def step(self, closure=None):
        for state in self.state.values():
            state["step"].zero_()
        super().step()


GRADIENTS = [[np.array([1.0, -2.0, 0.5]) / (1 + k)] for k in range(6)]

questions = [
    Question(
        "adam",
        experiments=[
            Drive("three numbers", Adam, [Group([1.0, 2.0, 3.0])], GRADIENTS, public=True, lr=0.1, restarts=[4])
        ],
        checks=[OptimizerSteps(points=2), UnchangedInputs(points=1)],
    )
]
"""

HANDED_IN = """
import torch

class Adam(torch.optim.Optimizer):
    def __init__(self, params, lr):
        super().__init__(params, dict(lr=lr))

    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                state, g = self.state[p], p.grad
                t = state["t"] = state.get("t", 0) + 1
                m = state["m"] = 0.9 * state.get("m", 0) + 0.1 * g
                v = state["v"] = 0.999 * state.get("v", 0) + 0.001 * g**2
                p.data -= group["lr"] * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "assignment.toml").write_text(SPECIFICATION, encoding="utf-8")
    (tmp_path / "checks.py").write_text(CHECKS, encoding="utf-8")
    return tmp_path


def test_classes_are_graded_from_the_files_to_the_marks(folder: Path) -> None:
    with Workplace(folder, sandbox="none") as workplace:
        right, wrong = (
            workplace.grade(Submission("ada", "adam.py", source.encode())).grade.questions[0]
            for source in (HANDED_IN, HANDED_IN.replace('state.get("t", 0) + 1', "1"))
        )
    assert (right.status, right.score) == (Status.PASSED, 3)
    steps, inputs = wrong.verdicts
    assert (steps.status, inputs.status) == (Status.FAILED, Status.PASSED)
    assert steps.message.startswith("On 'three numbers': step 2 is the first wrong one")
    assert steps.diagnosis is not None
    assert steps.diagnosis.identifier == "AlwaysTheFirst"


def test_an_answer_key_and_a_hash_know_a_drive(folder: Path) -> None:
    first, again = (load_assignment(folder) for _ in range(2))
    assert experiments_hash(first) == experiments_hash(again)
    key = answer_key(first)
    for name, answer in answer_key(again).answers.items():
        np.testing.assert_array_equal(answer.parts[0], key.answers[name].parts[0])
    (folder / "checks.py").write_text(CHECKS.replace("restarts=[4]", "restarts=[5]"), encoding="utf-8")
    assert experiments_hash(load_assignment(folder)) != experiments_hash(first)
