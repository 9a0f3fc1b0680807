"""What goes into the sandbox (`Call`) and what comes out (`Run`, made of one `Recording` per call)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from grader.sandbox.oracle_arguments import Indices, Number, Point

Array = NDArray[np.generic]
Scalar = float | int | bool | str


@dataclass(frozen=True)
class Oracle:
    """A function that a student's function may call. It is answered outside the sandbox, one message a call.

    So the student's process holds neither the problem's data nor the counter of the calls.
    """

    answer: Callable[..., NDArray[np.float64] | float]
    dimension: tuple[int, ...]
    """Shape that the first argument must have; anything else raises a ValueError in the student's code."""
    point: str = "x"
    """Name of the first argument."""
    further: Mapping[str, Number | Indices] = field(default_factory=dict)
    """What must follow the first argument, by name."""

    @cached_property
    def parameters(self) -> Mapping[str, Point | Number | Indices]:
        """All arguments, by name."""
        return {self.point: Point(tuple(self.dimension)), **self.further}


Argument = Array | Scalar | Oracle | np.random.Generator
"""A generator crosses as its seed: the function gets a new one, at its first number."""


@dataclass(frozen=True)
class Call:
    """One experiment as the sandbox sees it: which function to call, with which arguments."""

    experiment: str
    """Unique within a run."""
    function: str
    arguments: Mapping[str, Argument]
    """In the order of the signature; passed by position."""


class Outcome(StrEnum):
    """How a call ended."""

    RETURNED = "returned"
    MISSING = "missing"
    """The program does not define the function."""
    RAISED = "raised"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    DIED = "died"
    """The process ended itself or was ended by the system (segmentation fault, `os._exit`)."""
    REFUSED = "refused"
    """The result is not made of plain numbers, or too large."""
    UNAVAILABLE = "unavailable"
    """A fault of ours. Never the student's."""


@dataclass(frozen=True)
class StudentError:
    """An exception in the student's code."""

    type: str
    message: str
    block: str | None = None
    """Label of the block where it happened."""
    line: int | None = None
    source_line: str | None = None


Value = Array | tuple["Value", ...] | None
"""A returned value: an array (0-d for a number), a tuple or list of values, or None."""


@dataclass(frozen=True)
class Recording:
    """What came out of the sandbox for one experiment."""

    experiment: str
    outcome: Outcome
    value: Value = None
    returned_type: str = ""
    """The Python type that was returned, in words: "numpy.ndarray", "list of 5 numpy.ndarray"."""
    reason: str = ""
    """For refused, died, timed out, unavailable: a sentence."""
    calls: Mapping[str, int] = field(default_factory=dict)
    """Oracle name -> number of calls, counted outside the sandbox; an array of m samples counts as m calls."""
    changed_inputs: tuple[str, ...] = ()
    """Names of array arguments whose content differs after the call."""
    printed: str = ""
    error: StudentError | None = None


@dataclass(frozen=True)
class BlockReport:
    """How the execution of one block went; only blocks with something to tell are reported."""

    label: str
    error: StudentError | None = None
    printed: str = ""
    remark: str = ""
    """A sentence, for example that a shell command was not executed."""


@dataclass(frozen=True)
class Run:
    """Everything that came out of the sandbox for one submission."""

    recordings: Mapping[str, Recording]
    blocks: tuple[BlockReport, ...] = ()
    cpu_seconds: float = 0.0


@dataclass(frozen=True)
class Limits:
    """What one run may use. A limit that is reached ends a call or a block, never the batch."""

    cpu_seconds: float = 10.0
    """Processor time of one call, and of one block."""
    wall_seconds: float = 30.0
    """Time on the clock of one call, and of one block."""
    total_seconds: float = 120.0
    """Time on the clock of the whole run."""
    memory_mb: int = 2048
    output_kb: int = 64
    """Printed text that is kept of one call, and of one block; of all together 4 times that."""
    result_mb: int = 16
    """One result, 8 bytes for each number whatever its type; all together may take 4 times that."""
    processes: int = 32
    disk_mb: int = 64
