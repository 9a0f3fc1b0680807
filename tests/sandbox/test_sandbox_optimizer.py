"""An optimizer's class is driven beside the student's code, and its steps cross as plain numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from grader.answer_key.build import build_answer
from grader.assignment import Drive, Group
from grader.judge.observation import Observation
from grader.sandbox.local import LocalProcess
from grader.sandbox.recording import Call, Limits, Outcome, Recording
from grader.sandbox.warm import SandboxUnavailableError, WarmSandbox
from tests.sandbox.conftest import program

ADAM = """
import torch

class Adam(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state.update(t=0, m=torch.zeros_like(p), v=torch.zeros(p.shape))
                state["t"] += 1
                b1, b2 = group["betas"]
                g = p.grad + group["weight_decay"] * p
                state["m"].mul_(b1).add_(g, alpha=1 - b1)
                state["v"].mul_(b2).addcmul_(g, g, value=1 - b2)
                m, v = state["m"] / (1 - b1 ** state["t"]), state["v"] / (1 - b2 ** state["t"])
                p -= group["lr"] * m / (v.sqrt() + group["eps"])
"""
RANDOM = np.random.default_rng(1)
DRIVE = Drive(
    "two groups",
    torch.optim.Adam,
    [Group([1.0, -2.0, 3.0]), Group([[0.5, 0.1]], 4.0, lr=0.1)],
    [[RANDOM.standard_normal(3), None if step == 4 else RANDOM.standard_normal((1, 2)), 1.0] for step in range(8)],
    learning_rate_factors={3: 0.5},
    restarts=[6],
    lr=0.01,
    weight_decay=0.1,
)
CALL = Call(DRIVE.key, DRIVE.function, DRIVE.arguments)  # type: ignore[arg-type]
LIMITS = Limits(total_seconds=60)

Driven = Callable[[str], Recording]


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmSandbox]:
    with WarmSandbox("torch") as sandbox:
        try:
            sandbox.run(program(""), [], LIMITS)
        except SandboxUnavailableError as error:
            pytest.skip(str(error))
        yield sandbox


@pytest.fixture
def driven(warm: WarmSandbox) -> Driven:
    """Drive the class `Adam` of a source text."""
    return lambda source: warm.run(program(source), [CALL], LIMITS).recordings[DRIVE.key]


def is_right(recording: Recording) -> bool:
    return Observation(DRIVE, recording, build_answer(DRIVE)).agrees()


def test_the_steps_come_out_of_the_sandbox(driven: Driven) -> None:
    recording = driven(ADAM)
    assert recording.outcome is Outcome.RETURNED, recording
    assert recording.changed_inputs == ()
    assert is_right(recording)


def test_the_steps_come_out_without_isolation_too() -> None:
    recording = LocalProcess("torch").run(program(ADAM), [CALL], LIMITS).recordings[DRIVE.key]
    assert is_right(recording)


def test_a_class_may_be_left_to_its_defaults(warm: WarmSandbox) -> None:
    drive = Drive("defaults", torch.optim.Adam, [Group(1.0)], [[2.0], [3.0]])
    call = Call(drive.key, drive.function, drive.arguments)  # type: ignore[arg-type]
    recording = warm.run(program(ADAM), [call], LIMITS).recordings[drive.key]
    assert Observation(drive, recording, build_answer(drive)).agrees()


def test_wrong_steps_come_out_wrong(driven: Driven) -> None:
    recording = driven(ADAM.replace('state["t"] += 1', 'state["t"] = 1'))
    assert recording.outcome is Outcome.RETURNED
    assert not is_right(recording)


def test_a_changed_gradient_is_noticed(driven: Driven) -> None:
    recording = driven(
        ADAM.replace('p.grad + group["weight_decay"] * p', 'p.grad.add_(p, alpha=group["weight_decay"])')
    )
    assert recording.changed_inputs == ("gradients",)
    assert is_right(recording)


def test_classes_that_patch_numpy_are_driven_all_the_same(driven: Driven) -> None:
    recording = driven("import json, numpy as np\nnp.concatenate = json.loads = None\n" + ADAM)
    assert is_right(recording)


@pytest.mark.parametrize(
    ("source", "part"),
    [
        ("from torch.optim import Adam", "torch's own"),
        ("import torch\nclass Adam(torch.optim.Adam):\n    pass", "torch's own"),
        ("def Adam(params, lr):\n    return None", "not a subclass of torch.optim.Optimizer"),
    ],
)
def test_what_is_no_optimizer_of_the_student_is_refused(source: str, part: str, driven: Driven) -> None:
    recording = driven(source)
    assert recording.outcome is Outcome.REFUSED
    assert part in recording.reason


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("@torch.no_grad()", "", "RuntimeError"),
        ("super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))", "pass", ""),
        ("weight_decay=0.0", "decay=0.0", "TypeError"),
        ("p -= ", "p.data = torch.zeros(9, dtype=p.dtype) + ", ""),
    ],
)
def test_an_exception_of_the_class_is_the_students(old: str, new: str, error: str, driven: Driven) -> None:
    recording = driven(ADAM.replace(old, new))
    assert recording.outcome is Outcome.RAISED
    assert recording.error is not None
    assert error in recording.error.type


def test_a_missing_class_is_missing(driven: Driven) -> None:
    assert driven("x = 1").outcome is Outcome.MISSING


def test_a_call_after_a_drive_has_the_usual_dtype(warm: WarmSandbox) -> None:
    source = ADAM + "\ndef size():\n    return torch.zeros(1).element_size()\n"
    recordings = warm.run(program(source), [CALL, replace(CALL, experiment="e", function="size", arguments={})], LIMITS)
    assert recordings.recordings["e"].value == 4
