"""What a case is: a small program that a student could hand in, and what is right to happen to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from grader.sandbox.recording import Outcome

FULL = 3.0
"""Points of the function `descent`: 2 for the iterates, 1 for the number of calls of the gradient."""

START = """
import ctypes, errno, os, resource, signal, socket, subprocess, sys, threading, time
import numpy as np

libc = ctypes.CDLL(None, use_errno=True)

def right(gradient, x0, learning_rate, num_steps):
    rows = [x0]
    for _ in range(num_steps):
        rows.append(rows[-1] - learning_rate * gradient(rows[-1]))
    return np.array(rows)

def system_call(number, *arguments):
    result = libc.syscall(*map(ctypes.c_long, (number, *arguments)))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
"""
"""First cell of every hostile program. What follows defines `descent`, or gets the next one."""

DESCENT = "def descent(*task):\n    return right(*task)\n"

SQUARE = "def square(x):\n    return x**2\n"
"""The function beside it, which nobody attacks; it must keep its point."""

TRACE = "trace-of-a-case"
"""Begins the name of every file that a case tries to leave behind."""
KEY = 0x67726164
"""Of the System V objects that a case tries to leave behind."""


@dataclass(frozen=True)
class Case:
    """A program, its limits, and how it must end.

    Where an attack could succeed, the program then gives the right numbers: so it earns points if, and only if, the
    sandbox does not hold.
    """

    name: str
    source: str
    """Cells of a percent script. The names `PLACES` (paths of secrets) and `PORTS` are defined."""
    outcomes: tuple[Outcome, ...] = (Outcome.RAISED,)
    """One of them is how the call of `descent` ends."""
    told: str = ""
    """A regular expression that the sentence for the student matches."""
    earns: float | None = 0.0
    """The points of `descent`: none, or those that honest numbers earn."""
    beside: bool | None = True
    """Whether `square` of the same program keeps its point."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)
    weak: Mapping[str, Any] = field(default_factory=dict)
    """Fields that are different at the level `weak`."""
    why: str = ""
    """Why they are."""
    bare: bool = False
    """Whether the program finds a secret where nothing isolates it, which shows that it looks in the right place."""

    def at(self, level: str) -> Case:
        """The case as it is at a level."""
        return replace(self, weak={}, **self.weak) if level == "weak" else self

    @property
    def text(self) -> str:
        """The whole script."""
        cells = [START, self.source]
        if not re.search(r"^(def descent\(|descent =)", self.source, re.MULTILINE):
            cells.append(DESCENT)
        cells.append(SQUARE)
        return "\n# %%\n".join(cells)
