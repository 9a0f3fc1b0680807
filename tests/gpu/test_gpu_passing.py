"""A device file is passed into the sandbox. Shown with the terminal's, which every Linux has."""

from __future__ import annotations

import errno
import resource
from pathlib import Path

import numpy as np
import pytest
from test_gpu_specification import PLAIN, written

from grader.assignment.assignment import load_assignment
from grader.assignment.fingerprint import experiments_hash
from grader.guest.gpu import gpu_environment
from grader.sandbox import warm
from grader.sandbox.gpu import Gpu
from grader.sandbox.recording import Call, Limits, Outcome
from grader.sandbox.warm import SandboxUnavailableError, WarmSandbox
from grader.submission.program import Block, Program

LIMITS = Limits(cpu_seconds=20, wall_seconds=60, total_seconds=180)
SOURCE = """
import os
import resource

def opened():
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
    except OSError as error:
        return error.errno
    return 0

def address_space():
    return resource.getrlimit(resource.RLIMIT_AS)[0]
"""
CALLS = [Call("opened", "opened", {}), Call("address space", "address_space", {})]


def test_a_device_is_passed_and_the_address_space_is_not_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "find_gpu", lambda: Gpu(("/dev/tty",), ()))
    for environment, error, limited in ((gpu_environment(64), errno.ENXIO, False), ("numpy", errno.ENOENT, True)):
        with WarmSandbox(environment) as sandbox:
            try:
                run = sandbox.run(Program((Block("cell 1", SOURCE),)), CALLS, LIMITS)
            except SandboxUnavailableError as unavailable:
                pytest.skip(str(unavailable))
        # "No such device": it was opened, and this process has no terminal.
        np.testing.assert_array_equal(run.recordings["opened"].value, error)  # type: ignore[arg-type]
        assert (run.recordings["address space"].value != resource.RLIM_INFINITY) == limited


def test_memory_is_limited_without_a_limit_of_the_address_space(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "find_gpu", lambda: Gpu(("/dev/tty",), ()))
    source = "import numpy as np\ndef f():\n    return np.ones(1 << 28).sum()\n"
    with WarmSandbox(gpu_environment(64)) as sandbox:
        try:
            run = sandbox.run(Program((Block("cell 1", source),)), [Call("c", "f", {})], Limits(memory_mb=256))
        except SandboxUnavailableError as unavailable:
            pytest.skip(str(unavailable))
    assert run.recordings["c"].outcome is Outcome.OUT_OF_MEMORY


def test_what_cannot_be_forked_makes_its_calls_itself() -> None:
    """CUDA does not survive a fork; here the code only says that it has started it."""
    source = "import os\nimport torch\nhere = os.getpid()\ndef f():\n    return os.getpid() == here\n"
    started = f"{source}torch.cuda.is_initialized = lambda: True\n"
    for text, same in ((source, False), (started, True)):
        with WarmSandbox("torch", level="none") as sandbox:
            run = sandbox.run(Program((Block("cell 1", text),)), [Call("c", "f", {}), Call("d", "f", {})], LIMITS)
        assert [bool(recording.value) for recording in run.recordings.values()] == [same, same]


def test_another_device_makes_other_recordings(tmp_path: Path) -> None:
    texts = (PLAIN, PLAIN.replace("cpu_instead = true", "cpu_instead = false"))
    assert len({experiments_hash(load_assignment(written(tmp_path, text))) for text in texts}) == 2
