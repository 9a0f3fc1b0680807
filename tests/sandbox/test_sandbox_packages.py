"""What is imported before student code: nothing that the student pays for, and no thread that a fork would lose."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from grader.sandbox.interpreter import command, environment
from grader.sandbox.recording import Call, Limits, Outcome
from grader.sandbox.view import code_root, search_path
from grader.sandbox.warm import SandboxUnavailableError, WarmSandbox, mentioned
from tests.sandbox.conftest import program

LOADED = """
import json, os, sys
sys.path[:] = json.loads(sys.argv[1])
from grader.guest.packages import load, preload
load("torch")
preload(json.loads(sys.argv[2]))
print(json.dumps([len(os.listdir("/proc/self/task")), "torch._dynamo" in sys.modules]))
"""

OPTIMIZER = """
import sys
from torch.optim import Optimizer

already = "torch._dynamo" in sys.modules

class Still(Optimizer):
    def __init__(self, parameters):
        super().__init__(parameters, {})
    def step(self):
        pass

def f():
    import torch
    Still([torch.nn.Parameter(torch.zeros(3))]).step()
    return already
"""


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
@pytest.mark.parametrize(("names", "dynamo"), [([], False), (["torch.optim"], True)])
def test_the_parent_has_one_thread_whatever_it_imports(names: list[str], dynamo: bool) -> None:
    path = [code_root(), *search_path()]
    arguments = command(LOADED, json.dumps(path), json.dumps(names))
    done = subprocess.run(arguments, env=environment(), capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [1, dynamo]


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("from torch.optim import Optimizer", {"torch.optim"}),
        ("import numpy as np\nimport torch.optim as optim", {"torch.optim"}),
        ("import torch", {"torch"}),
        ("import torch\nclass Own(torch.optim.Optimizer):\n    pass", {"torch", "torch.optim"}),
        ("x = 1", set()),
    ],
)
def test_a_program_that_imports_optimizers_is_seen(source: str, names: set[str]) -> None:
    assert mentioned(program(source)) == names


def test_what_an_optimizer_needs_is_there_before_the_student_uses_it() -> None:
    with WarmSandbox("torch") as sandbox:
        try:
            recordings = sandbox.run(program(OPTIMIZER), [Call("c", "f", {})], Limits()).recordings
        except SandboxUnavailableError as error:
            pytest.skip(str(error))
    assert recordings["c"].value == True  # noqa: E712


def test_a_tensor_for_which_there_is_no_memory_is_out_of_memory() -> None:
    source = "import torch\ndef f():\n    return torch.ones(2 ** 34)"
    with WarmSandbox("torch") as sandbox:
        try:
            run = sandbox.run(program(source), [Call("c", "f", {})], Limits(memory_mb=512))
        except SandboxUnavailableError as error:
            pytest.skip(str(error))
    assert run.recordings["c"].outcome is Outcome.OUT_OF_MEMORY


@pytest.mark.parametrize("filling", ["\n", " ", " \n", "import ", "import\n", "from a ", "\\\n", "#", "torch"])
def test_what_a_program_mentions_is_found_in_millions_of_characters(filling: str) -> None:
    # With a time that grows with the square of the length it would not be.
    helper = (filling * 2_000_000)[:2_000_000] + "\nimport scipy\n"
    assert mentioned(program("import helper", files={"helper.py": helper.encode()})) == {"scipy"}
