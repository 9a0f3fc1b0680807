"""Programs for a GPU, on a machine that has none: who is to blame, and what is prepared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from grader.guest.gpu import gpu_environment, gpu_memory
from grader.sandbox.gpu import NoGpuError, find_gpu
from grader.sandbox.gpu_sandbox import GpuSandbox, Lack, blames_gpu, excused, out_of_memory
from grader.sandbox.recording import BlockReport, Call, Limits, Outcome, Recording, Run, StudentError
from grader.sandbox.warm import SandboxUnavailableError, WarmSandbox
from grader.submission.program import Block, Program

LIMITS = Limits(cpu_seconds=20, wall_seconds=60, total_seconds=180)
LACK = Lack("The GPU is in use.", lasts=False)


def program(source: str) -> Program:
    return Program((Block("cell 1", source),))


def ran(sandbox: WarmSandbox | GpuSandbox, source: str, *functions: str) -> Run:
    try:
        return sandbox.run(program(source), [Call(name, name, {}) for name in functions], LIMITS)
    except SandboxUnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def without_gpu() -> Iterator[GpuSandbox]:
    try:
        find_gpu()
    except NoGpuError:
        with GpuSandbox(1024, cpu_instead=True) as sandbox:
            yield sandbox
        return
    pytest.skip("this machine has a GPU")


def test_what_needs_the_gpu_is_unavailable_and_the_rest_is_not(without_gpu: GpuSandbox) -> None:
    source = """
import torch

def careful():
    return torch.ones(2, device="cuda" if torch.cuda.is_available() else "cpu")

def insistent():
    return torch.ones(2, device="cuda")

def wrong():
    return undefined
"""
    run = ran(without_gpu, source, "careful", "insistent")
    np.testing.assert_array_equal(run.recordings["careful"].value, [1, 1])  # type: ignore[arg-type]
    assert run.recordings["insistent"].outcome is Outcome.UNAVAILABLE
    assert "/dev/nvidia0" in run.recordings["insistent"].reason
    run = ran(without_gpu, source, "careful", "wrong")
    assert run.recordings["wrong"].outcome is Outcome.RAISED
    assert [block.label for block in run.blocks] == ["the GPU"]


def test_the_environment_is_prepared_and_cuda_is_not_started() -> None:
    source = """
import os
import torch

def settings():
    return (
        torch.cuda.is_initialized(),
        torch.backends.cuda.matmul.allow_tf32,
        torch.backends.cudnn.allow_tf32,
        torch.backends.cudnn.benchmark,
        torch.backends.cudnn.deterministic,
        os.environ["NVIDIA_TF32_OVERRIDE"] == "0",
    )
"""
    # Without isolation, so that it needs no GPU.
    run = ran(WarmSandbox(gpu_environment(1024), level="none"), source, "settings")
    values = run.recordings["settings"].value
    np.testing.assert_array_equal(np.asarray(values), [False, False, False, False, True, True])


def test_a_numpy_assignment_sees_no_gpu() -> None:
    source = "import os\nassert not [n for n in os.listdir('/dev') if 'nvidia' in n]\ndef f():\n    return 1\n"
    with WarmSandbox() as sandbox:
        run = ran(sandbox, source, "f")
    assert run.blocks == ()
    assert run.recordings["f"].outcome is Outcome.RETURNED


def test_the_environment_is_one_word() -> None:
    assert gpu_memory(gpu_environment(3)) == 3 << 20
    assert gpu_memory("torch") == gpu_memory("numpy") == 0


def raised(kind: str, message: str) -> Run:
    error = StudentError(kind, message)
    return Run({"a": Recording("a", Outcome.RETURNED), "b": Recording("b", Outcome.RAISED, error=error)})


@pytest.mark.parametrize(
    ("kind", "message", "blamed"),
    [
        ("OutOfMemoryError", "CUDA out of memory. Tried to allocate 20.00 GiB.", True),
        ("AcceleratorError", "CUDA error: all CUDA-capable devices are busy or unavailable", True),
        ("RuntimeError", "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR", True),
        ("RuntimeError", "Found no NVIDIA driver on your system.", True),
        ("AssertionError", "Torch not compiled with CUDA enabled", True),
        ("RuntimeError", "Expected all tensors to be on the same device, but found cuda:0 and cpu!", False),
        ("TypeError", "can't convert cuda:0 device type tensor to numpy.", False),
        ("MemoryError", "", False),
    ],
)
def test_errors_about_the_gpu_are_recognised(kind: str, message: str, blamed: bool) -> None:
    run = raised(kind, message)
    assert blames_gpu(run) is blamed
    block = BlockReport("cell 1", run.recordings["b"].error)
    assert blames_gpu(replace(run, recordings={}, blocks=(block,))) is blamed


def test_what_returned_stays_when_the_gpu_fails() -> None:
    run = excused(raised("AcceleratorError", "CUDA error"), LACK)
    assert run.recordings["a"].outcome is Outcome.RETURNED
    assert run.recordings["b"] == Recording("b", Outcome.UNAVAILABLE, reason=LACK.sentence)


def test_too_much_of_the_gpus_memory_is_the_students_own() -> None:
    recording = out_of_memory(raised("OutOfMemoryError", "CUDA out of memory."), 1024).recordings["b"]
    assert recording.outcome is Outcome.OUT_OF_MEMORY
    assert "1024 MB of the GPU's memory" in recording.reason
    assert out_of_memory(raised("ValueError", "no"), 1024) == raised("ValueError", "no")


def test_a_gpu_that_no_program_can_use_is_named_and_is_nobodys_fault() -> None:
    """Nothing is looked for where nothing isolates; the trial itself tells."""
    torch = pytest.importorskip("torch")
    if torch.version.cuda is not None:
        pytest.skip("the installed PyTorch is one with CUDA")
    with GpuSandbox(1024, cpu_instead=False, level="none") as sandbox:
        recording = ran(sandbox, "def f():\n    return 1", "f").recordings["f"]
    assert recording.outcome is Outcome.UNAVAILABLE
    assert recording.reason == "A program in the sandbox cannot use the GPU: Torch not compiled with CUDA enabled."
