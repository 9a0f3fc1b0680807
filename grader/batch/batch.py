"""A batch: stores what was handed in, grades what is not graded yet, and writes each grade at once.

The only process that writes to the gradebook is this one; workers return what they made. A batch that was killed is
run again with the same command: it finds the grades that are there by their receipts, and grades the rest.
"""

from __future__ import annotations

import platform
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from functools import partial

import grader
from grader.answer_key.build import key_hash
from grader.assignment.assignment import Assignment
from grader.assignment.fingerprint import experiments_hash
from grader.batch.bench import Task, bench, unavailable
from grader.batch.workers import Bench, Workers
from grader.batch.workplace import Graded, ungraded
from grader.gradebook.gradebook import Gradebook
from grader.gradebook.receipt import Environment, Receipt
from grader.judge.grade import Grade
from grader.sandbox.warm import SandboxLevel
from grader.submission.intake import RefusedFile
from grader.submission.program import Submission


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
        SandboxUnavailableError: the machine does not offer the level `sandbox`.
        GradebookError: the gradebook cannot be written.
    """
    template = receipt_template(assignment)
    place = partial(bench, assignment.folder, sandbox)
    jobs = min(jobs, len(submissions))
    with ExitStack() as stack:
        workers: Workers[Task, Graded] | None = None
        known, waiting = [], []
        for submission in submissions:
            task = Task.stored(submission, assignment, gradebook, template)
            grade = gradebook.graded(task.id, task.receipt.hash)
            if grade is not None:
                known.append((task, grade))
                continue
            waiting.append(task)
            if jobs > 1 and workers is None:
                # They prepare themselves while the others are stored.
                workers = stack.enter_context(closing(Workers(jobs, place)))
        for task, grade in known:
            yield gradebook.save_grade(task.id, grade, task.receipt, None)  # so that it is the newest again
        if workers is not None:
            results = _spread(assignment, workers, waiting)
        else:
            results = stack.enter_context(closing(_alone(waiting, place)))
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


def _alone(tasks: Sequence[Task], place: Bench[Task, Graded]) -> Generator[tuple[Task, Graded], None, None]:
    """Grade in this process."""
    if tasks:
        with place(0) as work:
            for task in tasks:
                yield task, work(task)


def _spread(
    assignment: Assignment, workers: Workers[Task, Graded], tasks: Sequence[Task]
) -> Iterator[tuple[Task, Graded]]:
    for task, graded in workers.spread(tasks):
        reason = "the process that graded this submission was ended by the system"
        yield task, graded or Graded(unavailable(assignment, task, reason))
