"""A batch: stores what was handed in, grades what is not graded yet, and writes each grade at once.

The only process that writes to the gradebook is this one; workers return what they made. A batch that was killed is
run again with the same command: it finds the grades that are there by their receipts, and grades the rest.
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grader
from grader.answer_key.build import key_hash
from grader.assignment.assignment import Assignment
from grader.assignment.fingerprint import experiments_hash
from grader.batch.workplace import Graded, SandboxKind, Workplace, ungraded
from grader.gradebook.gradebook import Gradebook
from grader.gradebook.receipt import Environment, Receipt
from grader.judge.grade import Grade
from grader.sandbox.warm import SandboxUnavailableError
from grader.submission.intake import RefusedFile
from grader.submission.program import Submission

ATTEMPTS = 2
"""How often a submission is tried when the fault is ours."""


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


def grade_batch(
    assignment: Assignment,
    submissions: Sequence[Submission],
    gradebook: Gradebook,
    jobs: int = 1,
    sandbox: SandboxKind = "strong",
) -> Iterator[Grade]:
    """Grade the submissions; yields each grade when it is in the gradebook. Those already there come first.

    Raises:
        SandboxUnavailableError: this machine cannot isolate student code, and `sandbox` is not "weak".
        GradebookError: the gradebook cannot be written.
    """
    template = receipt_template(assignment)
    tasks = []
    for submission in submissions:
        task = Task.stored(submission, assignment, gradebook, template)
        known = gradebook.graded(task.id, task.receipt.hash)
        if known is None:
            tasks.append(task)
        else:
            yield gradebook.save_grade(task.id, known, task.receipt, None)  # so that it is the newest again
    for task, graded in _graded(assignment, tasks, jobs, sandbox):
        recording = None if graded.run is None else (task.receipt.experiments_hash, graded.run)
        yield gradebook.save_grade(task.id, graded.grade, task.receipt, recording)


def keep_refused(assignment: Assignment, refused: Sequence[RefusedFile], gradebook: Gradebook) -> list[Grade]:
    """Store files that could not be collected, each with a grade that says why.

    The student's submission that counts is the one stored last, so this comes before the grading of the others.
    """
    template = receipt_template(assignment)
    grades = []
    for file in refused:
        submission = Submission(file.student, file.file_name, file.content)
        task = Task.stored(submission, assignment, gradebook, template)
        grade = ungraded(assignment, file.student, file.file_name, "refused", file.reason)
        grades.append(gradebook.save_grade(task.id, grade, task.receipt, None))
    return grades


def receipt_template(assignment: Assignment) -> Receipt:
    """The receipt of every grade made here and now, but for the submission."""
    return Receipt(
        submission_hash="",
        assignment_hash=assignment.hash,
        answer_key_hash=key_hash(assignment),
        experiments_hash=experiments_hash(assignment),
        grader_version=grader.__version__,
        environment=Environment.here(torch=assignment.specification.environment == "torch"),
        machine=platform.platform(),
    )


def _graded(
    assignment: Assignment, tasks: list[Task], jobs: int, sandbox: SandboxKind
) -> Iterator[tuple[Task, Graded]]:
    if not tasks:
        return
    if jobs == 1 or len(tasks) == 1:
        with pinned(0) as core, Workplace(assignment.folder, sandbox, cpu=core) as workplace:
            for task in tasks:
                yield task, _work(workplace, task)
        return
    waiting = {task.id: task for task in tasks}
    for _ in range(ATTEMPTS):
        for number, graded in _in_processes(assignment, list(waiting.values()), jobs, sandbox):
            yield waiting.pop(number), graded
        if not waiting:
            return
    for task in waiting.values():
        reason = "the process that graded this submission was ended by the system"
        yield task, Graded(_unavailable(assignment, task, reason))


def _in_processes(
    assignment: Assignment, tasks: list[Task], jobs: int, sandbox: SandboxKind
) -> Iterator[tuple[int, Graded]]:
    """Grade in `jobs` processes. A process that dies takes the pool with it: what is missing then is left out."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(
        max_workers=min(jobs, len(tasks)),
        mp_context=context,
        initializer=_open_workplace,
        initargs=(assignment.folder, sandbox, context.Value("i", 0)),
    )
    try:
        futures: dict[Future[Graded], int] = {pool.submit(_work_here, task): task.id for task in tasks}
        for future in as_completed(futures):
            try:
                yield futures[future], future.result()
            except BrokenProcessPool:
                return
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_workplace: Workplace | None = None
"""The workplace of this worker process."""


def _open_workplace(folder: Path, sandbox: SandboxKind, started: Any) -> None:
    global _workplace  # noqa: PLW0603  (a process pool has no other place for what its workers keep)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with started.get_lock():
        position = started.value
        started.value += 1
    core = pinned(position).__enter__()  # for the life of this process
    _workplace = Workplace(folder, sandbox, cpu=core).__enter__()


def _end_with_parent() -> None:
    """A worker of a pool waits for work also when the batch was killed: nobody else would end it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


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


def _work_here(task: Task) -> Graded:
    assert _workplace is not None
    return _work(_workplace, task)


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
        return Graded(_unavailable(workplace.assignment, task, reason))


def _unavailable(assignment: Assignment, task: Task, reason: str) -> Grade:
    return ungraded(assignment, task.submission.student, task.submission.file_name, "unavailable", reason)
