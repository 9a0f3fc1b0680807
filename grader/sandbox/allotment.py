"""What one run may use, as the processes of the sandbox must know it."""

from __future__ import annotations

from dataclasses import dataclass

from grader.guest.limits import Allowance

OWN_PROCESSES = 4
"""Warm parent, supervisor, loader and performer count against the limit of processes too."""


@dataclass(frozen=True)
class Allotment:
    """For all processes of a run."""

    memory: int
    """Bytes that student code may add, in each process, and in all together."""
    processes: int
    """Number of processes and threads."""
    disk: int
    """Bytes in all files together."""
    allowance: Allowance
    """What each block and each call may use."""
