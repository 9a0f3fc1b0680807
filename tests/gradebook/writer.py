"""A process that grades: `python writer.py ADDRESS PREFIX COUNT`. It prints each student after the grade is kept."""

from __future__ import annotations

import sys

from grader.gradebook.gradebook import Gradebook
from grader.gradebook.receipt import Environment, Receipt
from grader.judge.grade import Grade
from grader.submission.program import Submission

address, prefix, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
with Gradebook.open(address) as book:
    for number in range(count):
        student = f"{prefix}{number:04d}"
        submission = Submission(student, f"{student}.py", b"x" * 20_000)
        receipt = Receipt(
            submission_hash=submission.hash,
            assignment_hash="a",
            answer_key_hash="k",
            experiments_hash="e",
            grader_version="0.1.0",
            environment=Environment(python="3.12.1", numpy="2.4.0"),
        )
        submission_id = book.store_submission("hw2", submission, late=False)
        if book.graded(submission_id, receipt.hash):
            continue
        grade = Grade(
            assignment="hw2", assignment_title="Title", student=student, file=f"{student}.py", status="graded"
        )
        book.save_grade(submission_id, grade, receipt, ("e", b"r" * 20_000))
        print(student, flush=True)
