"""Programs in the sandbox on a real GPU; skipped, with the reason, where there is none."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grader.sandbox.gpu import NoGpuError, find_gpu
from grader.sandbox.gpu_sandbox import GpuSandbox
from grader.sandbox.recording import Argument, Call, Limits, Oracle, Outcome, Recording, Run
from grader.sandbox.warm import SandboxUnavailableError
from grader.submission.program import Block, Program

MEMORY_MB = 1024
LIMITS = Limits(cpu_seconds=60, wall_seconds=120, total_seconds=300)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[GpuSandbox]:
    try:
        find_gpu()
    except NoGpuError as error:
        pytest.skip(str(error))
    torch = pytest.importorskip("torch")
    if torch.version.cuda is None:
        pytest.skip("the installed PyTorch is one without CUDA")
    with GpuSandbox(MEMORY_MB, cpu_instead=False) as warm:
        try:
            warm.run(Program(()), [], LIMITS)
        except SandboxUnavailableError as error:
            pytest.skip(str(error))
        yield warm


def ran(sandbox: GpuSandbox, source: str, limits: Limits = LIMITS, **arguments: Argument) -> Run:
    """Define the function `f` and call it once."""
    block = Block("cell 1", f"import torch\n{source}")
    return sandbox.run(Program((block,)), [Call("the call", "f", arguments)], limits)


def called(sandbox: GpuSandbox, source: str, limits: Limits = LIMITS, **arguments: Argument) -> Recording:
    run = ran(sandbox, source, limits, **arguments)
    assert run.blocks == ()
    return run.recordings["the call"]


def returned(sandbox: GpuSandbox, source: str, **arguments: Argument) -> np.ndarray:
    recording = called(sandbox, source, **arguments)
    assert recording.outcome is Outcome.RETURNED, recording
    assert isinstance(recording.value, np.ndarray)
    return recording.value


def test_a_product_on_the_gpu_comes_back(sandbox: GpuSandbox) -> None:
    source = """
assert torch.cuda.is_available()

def f(a):
    b = torch.from_numpy(a).cuda()
    return b @ b.T
"""
    a = np.random.default_rng(1).standard_normal((200, 50))
    np.testing.assert_allclose(returned(sandbox, source, a=a), a @ a.T, rtol=0, atol=1e-11)


def test_single_precision_is_single_precision(sandbox: GpuSandbox) -> None:
    """TF32 would be wrong in the third digit."""
    a = np.random.default_rng(1).standard_normal((256, 256)).astype(np.float32)
    product = returned(sandbox, "def f(a):\n    b = torch.from_numpy(a).cuda()\n    return b @ b", a=a)
    exact = a.astype(np.float64) @ a.astype(np.float64)
    assert product.dtype == np.float32
    assert np.abs(product - exact).max() < 1e-4


def test_cuda_that_a_cell_has_started_is_there_in_the_call(sandbox: GpuSandbox) -> None:
    source = "weights = torch.arange(3.0, device='cuda')\n\ndef f():\n    return 2 * weights"
    np.testing.assert_array_equal(returned(sandbox, source), [0, 2, 4])


def test_an_oracle_takes_a_point_on_the_gpu(sandbox: GpuSandbox) -> None:
    source = """
def f(gradient):
    x = torch.ones(3, dtype=torch.float64, device="cuda")
    return x - 0.5 * torch.from_numpy(gradient(x)).cuda()
"""
    oracle = Oracle(lambda x: 2 * x, (3,))
    np.testing.assert_array_equal(returned(sandbox, source, gradient=oracle), [0, 0, 0])


def test_random_numbers_without_a_seed_are_the_same_in_every_run(sandbox: GpuSandbox) -> None:
    source = "def f():\n    return torch.randn(5, device='cuda')"
    first = returned(sandbox, source)
    assert np.unique(first).size == 5
    np.testing.assert_array_equal(first, returned(sandbox, source))


@pytest.mark.parametrize(
    ("megabytes", "outcome"), [(MEMORY_MB // 2, Outcome.RETURNED), (MEMORY_MB * 2, Outcome.OUT_OF_MEMORY)]
)
def test_the_memory_of_the_gpu_is_limited(sandbox: GpuSandbox, megabytes: int, outcome: Outcome) -> None:
    source = f"def f():\n    return torch.ones({megabytes} << 20, dtype=torch.uint8, device='cuda')[-1].item()"
    recording = called(sandbox, source)
    assert recording.outcome is outcome, recording


def test_the_memory_of_the_machine_is_limited(sandbox: GpuSandbox) -> None:
    source = "import numpy as np\ntorch.ones(1, device='cuda')\n\ndef f():\n    return np.ones(1 << 30).sum()"
    recording = called(sandbox, source, replace(LIMITS, memory_mb=256))
    assert recording.outcome is Outcome.OUT_OF_MEMORY, recording


def test_an_endless_loop_on_the_gpu_ends(sandbox: GpuSandbox) -> None:
    source = """
def f():
    x = torch.ones(2000, 2000, device="cuda")
    while True:
        x = x @ x
"""
    assert called(sandbox, source, replace(LIMITS, cpu_seconds=10, wall_seconds=20)).outcome is Outcome.TIMED_OUT
    assert returned(sandbox, "def f():\n    return torch.ones(1, device='cuda')").tolist() == [1]


def test_nothing_of_a_run_is_left_and_the_parent_has_no_cuda(sandbox: GpuSandbox) -> None:
    before = processes_on_the_gpu()
    source = """
started = torch.cuda.is_initialized() or torch.cuda._is_in_bad_fork()

def f():
    torch.ones(1, device="cuda")
    return started
"""
    assert not returned(sandbox, source)
    assert processes_on_the_gpu() <= before
    ours = descendants(os.getpid())
    assert ours
    assert [name for process in ours for name in open_files(process) if "nvidia" in name] == []


def processes_on_the_gpu() -> set[str]:
    """As the driver tells; nothing where its tool is missing."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return set()
    command = [tool, "--query-compute-apps=pid", "--format=csv,noheader"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def descendants(process: int) -> list[int]:
    """The processes that a process has started, and those that they have started: the warm parent is one."""
    children = [child for child in running() if parent(child) == process]
    return children + [further for child in children for further in descendants(child)]


def running() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def parent(process: int) -> int:
    try:
        # The name of the program, which may hold anything, stands in parentheses before.
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def open_files(process: int) -> list[str]:
    """The files that a process has open; it may end meanwhile."""
    names = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for descriptor in Path(f"/proc/{process}/fd").iterdir():
            names.append(os.readlink(descriptor))
    return names
