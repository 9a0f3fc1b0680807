"""`GpuSandbox`: runs programs that use a GPU; says so, and goes without where that is allowed, where there is none.

Whether the GPU can be used is found out by a program of ours that uses it, in the very sandbox. The same trial decides
who is to blame when a student's code fails because of the GPU: what that code says about itself is not enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

import numpy as np

from grader.guest.gpu import gpu_environment
from grader.sandbox.gpu import NoGpuError, find_gpu
from grader.sandbox.recording import BlockReport, Call, Limits, Outcome, Recording, Run, StudentError
from grader.sandbox.warm import SandboxLevel, WarmSandbox
from grader.submission.program import Block, Program

HOST_MEMORY_MB = 4096
"""Memory of the machine that CUDA and its libraries take for themselves."""
_TRIAL_LIMITS = Limits(cpu_seconds=60, wall_seconds=120, total_seconds=180)
_TRIAL = Program(
    (
        Block(
            "the trial",
            """
def trial():
    import torch

    torch.ones(2, 2, device="cuda").matmul(torch.ones(2, 2, device="cuda")).sum().item()
    return torch.cuda.mem_get_info()
""",
        ),
    )
)
_PASSING = ("busy", "out of memory")
"""What CUDA says of a GPU that others use."""
_OUT_OF_MEMORY = "OutOfMemoryError"
_NAMES = ("CUDA", "cuDNN", "NVIDIA")
"""PyTorch's errors about the GPU name one of these; those about tensors on different devices say "cuda:0"."""


@dataclass(frozen=True)
class Lack:
    """Why no program can use the GPU."""

    sentence: str
    lasts: bool
    """Whether it is missing; otherwise it is in use, or something went wrong once, and it is tried again."""


class GpuSandbox:
    """Like `WarmSandbox`, for programs that use CUDA. Use as a context.

    Args:
        memory_mb: memory of the GPU that each process may use.
        cpu_instead: whether programs run on the CPU where the GPU is missing.
        level: what stands between student code and the machine. "weak" passes no GPU on.
        cpu: the core to stay on.
    """

    def __init__(
        self, memory_mb: int, cpu_instead: bool, level: SandboxLevel = "strong", cpu: int | None = None
    ) -> None:
        self._memory_mb = memory_mb
        self._cpu_instead = cpu_instead
        self._level = level
        self._on_gpu = WarmSandbox(gpu_environment(memory_mb), level, cpu)
        self._on_cpu = WarmSandbox("torch", level, cpu)
        self._tried = False
        self._lack: Lack | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._on_gpu.close()
        self._on_cpu.close()

    def run(self, program: Program, calls: Sequence[Call], limits: Limits) -> Run:
        """Execute the blocks, then make the calls: on the GPU; on the CPU where it is missing and that is allowed.

        Where neither is possible, every recording is unavailable. `limits.memory_mb` is what student code may use
        beside CUDA itself.

        Raises:
            SandboxUnavailableError: the machine does not offer the level.
        """
        if not self._tried or (self._lack and not self._lack.lasts):
            self._try()
        if self._lack is not None:
            if self._lack.lasts and self._cpu_instead:
                return self._run_on_cpu(program, calls, limits, self._lack)
            return Run({call.experiment: _unavailable(call.experiment, self._lack) for call in calls})
        roomy = replace(limits, memory_mb=limits.memory_mb + HOST_MEMORY_MB)
        run = self._on_gpu.run(program, calls, roomy)
        if blames_gpu(run):
            # Others may have used the GPU in the meantime, so it is tried again, and then the program.
            self._try()
            if self._lack is not None:
                return excused(run, self._lack)
            run = self._on_gpu.run(program, calls, roomy)
        return out_of_memory(run, self._memory_mb)

    def _run_on_cpu(self, program: Program, calls: Sequence[Call], limits: Limits, lack: Lack) -> Run:
        run = self._on_cpu.run(program, calls, limits)
        if blames_gpu(run):
            run = excused(run, lack)
        note = BlockReport("the GPU", remark=f"{lack.sentence} The program ran on the CPU.")
        return replace(run, blocks=(note, *run.blocks))

    def _try(self) -> None:
        self._tried = True
        self._lack = self._lacking()
        if self._lack is not None:
            self._on_gpu.close()  # nobody needs it now, and it holds all of PyTorch

    def _lacking(self) -> Lack | None:
        if self._level == "strong":
            try:
                find_gpu()
            except NoGpuError as error:
                return Lack(str(error), lasts=True)
        trial = self._on_gpu.run(_TRIAL, [Call("trial", "trial", {})], self._trial_limits()).recordings["trial"]
        if trial.outcome is not Outcome.RETURNED:
            told = (trial.error.message.partition("\n")[0] if trial.error else trial.reason).rstrip(".")
            lasts = trial.outcome is Outcome.RAISED and not any(word in told for word in _PASSING)
            return Lack(f"A program in the sandbox cannot use the GPU: {told}.", lasts)
        free, total = np.asarray(trial.value, dtype=np.int64) >> 20
        if total < self._memory_mb:
            return Lack(f"The GPU has {total} MB of memory; the assignment wants {self._memory_mb} MB.", lasts=True)
        if free < self._memory_mb:
            return Lack(
                f"The GPU is in use: it has {free} MB free, the assignment wants {self._memory_mb} MB.", lasts=False
            )
        return None

    def _trial_limits(self) -> Limits:
        return replace(_TRIAL_LIMITS, memory_mb=_TRIAL_LIMITS.memory_mb + HOST_MEMORY_MB)


def blames_gpu(run: Run) -> bool:
    """Whether some of the code failed with an error about the GPU, or says so."""
    errors = [block.error for block in run.blocks] + [recording.error for recording in run.recordings.values()]
    return any(_is_about_gpu(error) for error in errors if error is not None)


def _is_about_gpu(error: StudentError) -> bool:
    return any(name in error.message for name in _NAMES)


def excused(run: Run, lack: Lack) -> Run:
    """The run, with what did not return made a fault of ours: without the GPU nobody knows whose it is."""
    recordings = {
        name: recording if recording.outcome is Outcome.RETURNED else _unavailable(name, lack)
        for name, recording in run.recordings.items()
    }
    return replace(run, recordings=recordings)


def _unavailable(experiment: str, lack: Lack) -> Recording:
    return Recording(experiment, Outcome.UNAVAILABLE, reason=lack.sentence)


def out_of_memory(run: Run, memory_mb: int) -> Run:
    """The run, with calls that used too much of the GPU's memory told from those that raised something else."""
    reason = f"It used more than {memory_mb} MB of the GPU's memory."
    recordings = {
        name: replace(recording, outcome=Outcome.OUT_OF_MEMORY, reason=reason)
        if recording.outcome is Outcome.RAISED and recording.error and recording.error.type == _OUT_OF_MEMORY
        else recording
        for name, recording in run.recordings.items()
    }
    return replace(run, recordings=recordings)
