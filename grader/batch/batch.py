"""A batch: stores what was handed in, grades what is not graded yet, and writes each grade at once.

The only process that writes to the gradebook is this one; workers return what they made. A batch that was killed is
run again with the same command: it finds the grades that are there by their receipts, and grades the rest.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import grader
from grader.answer_key.build import key_hash
from grader.assignment.assignment import Assignment
from grader.assignment.fingerprint import experiments_hash
from grader.batch.workers import ATTEMPTS, spread
from grader.batch.workplace import Graded, Workplace, ungraded
from grader.gradebook.gradebook import Gradebook
from grader.gradebook.receipt import Environment, Receipt
from grader.judge.grade import Grade
from grader.sandbox.warm import SandboxLevel, SandboxUnavailableError
from grader.submission.intake import RefusedFile
from grader.submission.program import Submission


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
    sandbox: SandboxLevel = "strong",
) -> Generator[Grade, None, None]:
    """Grade the submissions; yields each grade when it is in the gradebook. Those already there come first.

    All submissions are stored before the first is graded. Closing the generator ends the batch and its processes.

    Raises:
        SandboxUnavailableError: this machine cannot isolate student code, and `sandbox` is not "weak".
        GradebookError: the gradebook cannot be written.
    """
    template = receipt_template(assignment)
    tasks = [Task.stored(submission, assignment, gradebook, template) for submission in submissions]
    waiting = []
    for task in tasks:
        known = gradebook.graded(task.id, task.receipt.hash)
        if known is None:
            waiting.append(task)
        else:
            yield gradebook.save_grade(task.id, known, task.receipt, None)  # so that it is the newest again
    with closing(_graded(assignment, waiting, jobs, sandbox)) as results:
        for task, graded in results:
            recording = None if graded.run is None else (task.receipt.experiments_hash, graded.run)
            yield gradebook.save_grade(task.id, graded.grade, task.receipt, recording)


def keep_refused(
    assignment: Assignment, refused: Sequence[RefusedFile], gradebook: Gradebook, beside: Collection[str] = ()
) -> list[Grade]:
    """Store files that could not be collected, each with a grade that says why.

    Args:
        assignment: what they were handed in for.
        refused: the files.
        gradebook: where to.
        beside: students who have handed in something better at the same time. Their refused files do not count.

    Returns:
        The grades, as they are kept.
    """
    # Nothing was run, and that it was refused is not in its bytes: alone, the same file may be graded.
    template = receipt_template(assignment).model_copy(update={"experiments_hash": "", "answer_key_hash": ""})
    grades = []
    for file in refused:
        submission = Submission(file.student, file.file_name, file.content)
        number = gradebook.store_submission(assignment.id, submission, late=False, counts=file.student not in beside)
        receipt = template.model_copy(update={"submission_hash": submission.hash})
        grade = ungraded(assignment, file.student, file.file_name, "refused", file.reason)
        grades.append(gradebook.save_grade(number, grade, receipt, None))
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
    assignment: Assignment, tasks: list[Task], jobs: int, sandbox: SandboxLevel
) -> Generator[tuple[Task, Graded], None, None]:
    if not tasks:
        return
    bench = partial(_bench, assignment.folder, sandbox)
    if jobs == 1 or len(tasks) == 1:
        with bench(0) as work:
            for task in tasks:
                yield task, work(task)
        return
    with closing(spread(tasks, jobs, bench)) as results:
        for task, graded in results:
            reason = "the process that graded this submission was ended by the system"
            yield task, graded or Graded(_unavailable(assignment, task, reason))


@contextmanager
def _bench(folder: Path, sandbox: SandboxLevel, position: int) -> Iterator[Callable[[Task], Graded]]:
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
        return Graded(_unavailable(workplace.assignment, task, reason))


def _unavailable(assignment: Assignment, task: Task, reason: str) -> Grade:
    return ungraded(assignment, task.submission.student, task.submission.file_name, "unavailable", reason)
