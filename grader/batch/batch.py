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
from grader.judge.grade import BlockRemark, Grade
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

    A file that could not be read by a fault of ours stands behind all that its student has handed in before, so that
    an earlier grade stays; and before what was refused beside it, so that it costs nobody points.

    Args:
        assignment: what they were handed in for.
        refused: the files.
        gradebook: where to.
        beside: students who have handed in something better at the same time. Their refused files do not count.

    Returns:
        For each student who is not in `beside` the grade of one file: of what counts among these.
    """
    # Nothing was run, and that it was refused is not in its bytes: alone, the same file may be graded.
    template = receipt_template(assignment).model_copy(update={"experiments_hash": "", "answer_key_hash": ""})
    unread = {file.student for file in refused if file.ours}
    grades: dict[str, Grade] = {}
    for file in sorted(refused, key=lambda file: not file.ours):
        submission = Submission(file.student, file.file_name, file.content)
        counts = file.student not in {*beside, *unread}
        number = gradebook.store_submission(assignment.id, submission, late=False, counts=counts)
        receipt = template.model_copy(update={"submission_hash": submission.hash})
        kept = gradebook.save_grade(number, _without_submission(assignment, file), receipt, None)
        if counts or file.student not in {*beside, *grades}:
            grades[file.student] = kept
    return list(grades.values())


def _without_submission(assignment: Assignment, file: RefusedFile) -> Grade:
    """Its grade. What is refused has a remark only where no copy is kept; the feedback page relies on it."""
    if file.ours:
        return ungraded(assignment, file.student, file.file_name, "unavailable", file.reason)
    grade = ungraded(assignment, file.student, file.file_name, "refused", file.reason)
    if file.content:
        return grade
    remark = BlockRemark(label=file.file_name, sentence="No copy of it is kept here, because it was not read.")
    return grade.model_copy(update={"remarks": (remark,)})


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
