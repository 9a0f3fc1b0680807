"""A bench: where a process grades its share of a batch. Worker processes import this and nothing of the gradebook."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from grader.assignment.assignment import Assignment
from grader.batch.workers import ATTEMPTS
from grader.batch.workplace import Graded, Workplace, ungraded
from grader.gradebook.receipt import Receipt
from grader.judge.grade import Grade
from grader.sandbox.warm import SandboxLevel, SandboxUnavailableError
from grader.submission.program import Submission

if TYPE_CHECKING:
    from grader.gradebook.gradebook import Gradebook


@dataclass(frozen=True)
class Task:
    """One submission that waits to be graded."""

    id: int
    submission: Submission
    receipt: Receipt
    stored_run: bytes | None
    late: bool

    @classmethod
    def stored(cls, submission: Submission, assignment: Assignment, gradebook: Gradebook, template: Receipt) -> Task:
        """Store the submission, and find what came out of the sandbox for it earlier."""
        due, changed = assignment.specification.due, submission.modified_at
        late = due is not None and changed is not None and changed > due
        number = gradebook.store_submission(assignment.id, submission, late)
        receipt = template.model_copy(update={"submission_hash": submission.hash})
        return cls(number, submission, receipt, gradebook.recording(number, receipt.experiments_hash), late)


@contextmanager
def bench(folder: Path, sandbox: SandboxLevel, position: int) -> Iterator[Callable[[Task], Graded]]:
    """What grades a task, on a core of its own."""
    with pinned(position) as core, Workplace(folder, sandbox, cpu=core) as workplace:
        yield partial(_work, workplace)


@contextmanager
def pinned(position: int) -> Iterator[int | None]:
    """Keep this process on one core: the one at this position, counted round.

    Student, oracles and judge take turns, so they need no more than one core, and on one and the same core a
    question to an oracle is answered two times faster.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield None
        return
    before = os.sched_getaffinity(0)
    core = sorted(before)[position % len(before)]
    os.sched_setaffinity(0, {core})
    try:
        yield core
    finally:
        os.sched_setaffinity(0, before)


def _work(workplace: Workplace, task: Task) -> Graded:
    """Grade one submission; a fault of ours is tried again, and never stops the batch."""
    graded = _attempt(workplace, task)
    for _ in range(ATTEMPTS - 1):
        if graded.grade.status != "unavailable":
            break
        graded = _attempt(workplace, replace(task, stored_run=None))
    return graded


def _attempt(workplace: Workplace, task: Task) -> Graded:
    try:
        return workplace.grade(task.submission, task.stored_run, task.late)
    except SandboxUnavailableError:
        raise
    except Exception as error:
        reason = f"a fault in the grader ({type(error).__name__}: {error})"
        return Graded(unavailable(workplace.assignment, task, reason))


def unavailable(assignment: Assignment, task: Task, reason: str) -> Grade:
    """The grade of a submission that could not be graded by a fault of ours."""
    return ungraded(assignment, task.submission.student, task.submission.file_name, "unavailable", reason)
