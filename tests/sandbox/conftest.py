"""A sandbox shared by all tests, and short ways to run code in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from grader.sandbox.recording import Call, Limits, Recording, Run
from grader.sandbox.warm import SandboxUnavailableError, WarmSandbox
from grader.submission.program import Block, Program

# Ample time on the clock: on a busy machine a second of processor time takes several.
LIMITS = Limits(cpu_seconds=1, wall_seconds=15, total_seconds=90, memory_mb=512, result_mb=4, processes=16, disk_mb=8)


def program(*sources: str, files: Mapping[str, bytes] | None = None) -> Program:
    """Blocks with the labels "cell 1", "cell 2", ..."""
    blocks = tuple(Block(f"cell {number}", source) for number, source in enumerate(sources, start=1))
    return Program(blocks, files=files or {})


@pytest.fixture(scope="session")
def sandbox() -> Iterator[WarmSandbox]:
    with WarmSandbox() as warm:
        try:
            warm.run(program(""), [], LIMITS)
        except SandboxUnavailableError as error:
            pytest.skip(str(error))
        yield warm


@pytest.fixture
def limits() -> Limits:
    """The limits that hold where a test names no others."""
    return LIMITS


@pytest.fixture
def execute(sandbox: WarmSandbox) -> Callable[..., Run]:
    """Run blocks and make one call without arguments for each of the named functions."""

    def run(
        *blocks: str,
        call: tuple[str, ...] | list[str] = (),
        files: Mapping[str, bytes] | None = None,
        limits: Limits = LIMITS,
    ) -> Run:
        calls = [Call(name, name, {}) for name in call]
        return sandbox.run(program(*blocks, files=files), calls, limits)

    return run


@pytest.fixture
def call(sandbox: WarmSandbox) -> Callable[..., Recording]:
    """Define the function `f` by a source text and call it once."""

    def once(source: str, limits: Limits = LIMITS, **arguments: Any) -> Recording:
        run = sandbox.run(program(source), [Call("the call", "f", arguments)], limits)
        return run.recordings["the call"]

    return once


@pytest.fixture
def healthy(sandbox: WarmSandbox) -> Callable[[], bool]:
    """Whether an innocent program comes through now."""

    def check() -> bool:
        run = sandbox.run(program("def f(x):\n    return x + 1"), [Call("c", "f", {"x": np.ones(3)})], LIMITS)
        return bool(np.array_equal(run.recordings["c"].value, np.full(3, 2.0)))  # type: ignore[arg-type]

    return check
