"""The door to what is kept: submissions, recordings, grades and marks.

Which submission of a student counts: the one stored last. Storing the same bytes again makes no second row, but makes
that submission the last one. Which grade of a submission counts: the newest that is complete; one in which something is
unavailable by a fault of ours counts only while there is no complete one, and is replaced when graded again.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import ValidationError
from sqlalchemy import Engine, Select, exists, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, undefer

from grader.gradebook.database import connect, writing
from grader.gradebook.errors import GradebookError, translated
from grader.gradebook.marks import Mark, with_marks
from grader.gradebook.receipt import Receipt
from grader.gradebook.schema import bring_up_to_date
from grader.gradebook.tables import FileRow, GradeRow, MarkRow, RecordingRow, StudentRow, SubmissionRow
from grader.judge.grade import Grade, Status
from grader.submission.program import Submission


class Gradebook:
    """An open gradebook; a context manager. Every method is one transaction: all of it happens, or nothing.

    Several processes may use the same gradebook at once.

    Raises:
        GradebookError: from any method, where the user can set it right (locked, read-only, disk full, ...).
    """

    def __init__(self, engine: Engine, place: str) -> None:
        self._engine = engine
        self.place = place
        """How sentences name it: the path of the file, or the URL without its password."""

    @classmethod
    def open(cls, address: str | Path, make: bool = True) -> Gradebook:
        """Open a gradebook; migrate one that an older version made.

        Args:
            address: path of an SQLite file, or a URL of SQLAlchemy (`postgresql://user@host/database`).
            make: make one where there is none; otherwise that is an error, and nothing is made.
        """
        engine, place = connect(address, make)
        try:
            with translated(place):
                bring_up_to_date(engine, place, make)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, place)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # Work: store, grade, look up for the next step.

    def store_submission(self, assignment_id: str, submission: Submission, late: bool, counts: bool = True) -> int:
        """Keep the bytes that a student handed in, before anything is done with them.

        The same bytes again give the same row, with the times and the late flag of the first time.

        Args:
            assignment_id: what it was handed in for.
            submission: what was handed in.
            late: whether after the due date.
            counts: from now on this submission is the one that counts. If not, it stands behind all others.

        Returns:
            The id of the stored submission.
        """
        with self._write() as session:
            student = _student_to_write(session, submission.student)
            of_student = (SubmissionRow.assignment == assignment_id, SubmissionRow.student_id == student.id)
            turns = select(func.min(SubmissionRow.turn), func.max(SubmissionRow.turn)).where(*of_student)
            first, last = session.execute(turns).one()
            turn = (last or 0) + 1 if counts else (1 if first is None else first) - 1
            row = session.scalar(select(SubmissionRow).where(*of_student, SubmissionRow.hash == submission.hash))
            if row is None:
                row = SubmissionRow(
                    assignment=assignment_id,
                    student_id=student.id,
                    turn=turn,
                    file_name=submission.file_name,
                    hash=submission.hash,
                    content=submission.content,
                    late=late,
                    modified_at=submission.modified_at,
                    stored_at=datetime.now(UTC),
                )
                session.add(row)
                session.flush()
                session.add_all(
                    FileRow(submission_id=row.id, path=path, content=content)
                    for path, content in submission.files.items()
                )
            elif row.turn < last if counts else row.turn > first:
                row.turn = turn
            return row.id

    def recording(self, submission_id: int, experiments_hash: str) -> bytes | None:
        """What came out of the sandbox when these experiments were run on this submission, if they were."""
        with self._read() as session:
            return session.scalar(
                select(RecordingRow.content).where(
                    RecordingRow.submission_id == submission_id, RecordingRow.experiments_hash == experiments_hash
                )
            )

    def save_grade(
        self, submission_id: int, grade: Grade, receipt: Receipt, recording: tuple[str, bytes] | None
    ) -> Grade:
        """Keep a grade, what it was made from, and what came out of the sandbox.

        A second grade with the same receipt is not stored, since it is the same; but where other grades of the
        submission came after it, it counts again. A recording of a run with a fault of ours is not stored. Whether the
        grade is late is what was said when the submission was stored first: a copy of a file has another time.

        Args:
            submission_id: as `store_submission` returned it.
            grade: as the judge made it.
            receipt: what it was made from.
            recording: hash of the experiments and the encoded run; None where no run was made for this grade.

        Returns:
            The grade that is kept for this receipt, with the student's marks.

        Raises:
            LookupError: no submission has this id.
            ValueError: the receipt is of another submission.
        """
        now = datetime.now(UTC)
        complete = _is_complete(grade)
        with self._write() as session:
            submission = session.get(SubmissionRow, submission_id)
            if submission is None:
                raise LookupError(f"no submission has the id {submission_id}")
            if submission.hash != receipt.submission_hash:
                raise ValueError(f"the receipt is not of the submission with the id {submission_id}")
            _lock_student(session, submission.student_id)
            grade = grade.model_copy(update={"late": submission.late})
            if recording and complete and not session.get(RecordingRow, (submission_id, recording[0])):
                session.add(
                    RecordingRow(
                        submission_id=submission_id,
                        experiments_hash=recording[0],
                        content=recording[1],
                        made_at=now,
                    )
                )
            of_submission = GradeRow.submission_id == submission_id
            last = session.scalar(select(func.max(GradeRow.turn)).where(of_submission)) or 0
            row = session.scalar(select(GradeRow).where(of_submission, GradeRow.receipt_hash == receipt.hash))
            if row is None:
                row = GradeRow(submission_id=submission_id, receipt_hash=receipt.hash, turn=last + 1, complete=False)
                session.add(row)
            elif row.turn < last:
                row.turn = last + 1
            if not row.complete:
                row.complete = complete
                row.receipt = receipt.model_dump_json()
                row.status = grade.status
                row.score = grade.score
                row.max_score = grade.max_score
                row.grade = _encode(grade)
                row.made_at = now
            return self._marked(session, row, submission)

    def graded(self, submission_id: int, receipt_hash: str) -> Grade | None:
        """The complete grade of this submission that was made from exactly this, with its marks, if there is one."""
        with self._read() as session:
            found = session.execute(
                select(GradeRow, SubmissionRow)
                .join(SubmissionRow, GradeRow.submission_id == SubmissionRow.id)
                .where(SubmissionRow.id == submission_id, GradeRow.receipt_hash == receipt_hash, GradeRow.complete)
            ).first()
            if found is None:
                return None
            row, submission = found
            return self._marked(session, row, submission)

    def ungraded(self, assignment_id: str) -> list[tuple[int, Submission]]:
        """The submissions that count and have no complete grade yet, with their ids, sorted by student."""
        rank = func.row_number().over(partition_by=SubmissionRow.student_id, order_by=SubmissionRow.turn.desc())
        ranked = (
            select(SubmissionRow.id, rank.label("rank")).where(SubmissionRow.assignment == assignment_id).subquery()
        )
        is_graded = exists().where(GradeRow.submission_id == SubmissionRow.id, GradeRow.complete)
        with self._read() as session:
            rows = session.execute(
                select(StudentRow.name, SubmissionRow)
                .join(SubmissionRow, SubmissionRow.student_id == StudentRow.id)
                .join(ranked, ranked.c.id == SubmissionRow.id)
                .where(ranked.c.rank == 1, ~is_graded)
                .options(undefer(SubmissionRow.content))
            ).all()
            files: defaultdict[int, dict[str, bytes]] = defaultdict(dict)
            for file in session.scalars(select(FileRow).where(FileRow.submission_id.in_(row.id for _, row in rows))):
                files[file.submission_id][file.path] = file.content
            found = [
                (row.id, Submission(name, row.file_name, row.content, row.modified_at, files[row.id]))
                for name, row in rows
            ]
        return sorted(found, key=lambda pair: _alphabetical(pair[1].student))

    # Results: what counts, with the marks.

    def latest(self, assignment_id: str, student: str) -> Grade | None:
        """The grade of this student that counts, with the marks; None where there is none."""
        with self._read() as session:
            found = session.execute(_counting(assignment_id).where(StudentRow.name == student)).first()
            if found is None:
                return None
            row, submission, _ = found
            return self._marked(session, row, submission)

    def grades(self, assignment_id: str) -> list[Grade]:
        """For every student the grade that counts, with the marks, sorted by name."""
        with self._read() as session:
            marks: defaultdict[int, list[Mark]] = defaultdict(list)
            for mark in session.scalars(_marks(assignment_id)):
                marks[mark.student_id].append(_mark(mark))
            found = [
                (name, with_marks(_decode(row, self.place), marks[submission.student_id]))
                for row, submission, name in session.execute(_counting(assignment_id))
            ]
        return [grade for _, grade in sorted(found, key=lambda pair: _alphabetical(pair[0]))]

    def history(self, assignment_id: str, student: str) -> list[tuple[datetime, Receipt, Grade]]:
        """All grades of this student, the one that counts last: when it was made, from what, the grade.

        Every grade carries the marks of today, so that two of them differ only in what the machine judged.
        """
        with self._read() as session:
            rows = session.execute(
                select(GradeRow, SubmissionRow)
                .join(SubmissionRow, GradeRow.submission_id == SubmissionRow.id)
                .join(StudentRow, SubmissionRow.student_id == StudentRow.id)
                .where(SubmissionRow.assignment == assignment_id, StudentRow.name == student)
                .order_by(SubmissionRow.turn, GradeRow.complete, GradeRow.turn)
            ).all()
            return [
                (row.made_at, Receipt.model_validate_json(row.receipt), self._marked(session, row, submission))
                for row, submission in rows
            ]

    def mark(
        self,
        assignment_id: str,
        student: str,
        question: str,
        item: str,
        points: float,
        comment: str = "",
        marker: str = "",
    ) -> None:
        """Give points by hand for one rubric item. A later mark for the same item counts instead of this one.

        Raises:
            GradebookError: no such assignment, student, question or item, or points outside 0 .. maximum.
        """
        with self._write() as session:
            found = session.execute(_counting(assignment_id).where(StudentRow.name == student)).first()
            if found is None:
                raise GradebookError(_no_grade(session, assignment_id, student))
            row, submission, _ = found
            _check_mark(_decode(row, self.place), question, item, points)
            _lock_student(session, submission.student_id)
            session.add(
                MarkRow(
                    assignment=assignment_id,
                    student_id=submission.student_id,
                    submission_hash=submission.hash,
                    question=question,
                    item=item,
                    points=points,
                    comment=comment,
                    marker=marker,
                    made_at=datetime.now(UTC),
                )
            )

    def _marked(self, session: Session, row: GradeRow, submission: SubmissionRow) -> Grade:
        of_student = _marks(submission.assignment).where(MarkRow.student_id == submission.student_id)
        return with_marks(_decode(row, self.place), map(_mark, session.scalars(of_student)))

    @contextmanager
    def _read(self) -> Iterator[Session]:
        with translated(self.place), Session(self._engine) as session, session.begin():
            yield session

    @contextmanager
    def _write(self) -> Iterator[Session]:
        with translated(self.place), Session(writing(self._engine)) as session, session.begin():
            yield session


def _student_to_write(session: Session, name: str) -> StudentRow:
    """The student, locked until the transaction ends, made where there is none."""
    query = select(StudentRow).where(StudentRow.name == name).with_for_update()
    student = session.scalar(query)
    if student is not None:
        return student
    try:
        with session.begin_nested():
            session.add(StudentRow(name=name))
    except IntegrityError:
        pass  # another process was faster
    return session.scalars(query).one()


def _lock_student(session: Session, student_id: int) -> None:
    """Let other writers of this student wait, so that turns and rows are handed out one after the other.

    Means something on PostgreSQL; an SQLite transaction that writes has locked everything already.
    """
    session.execute(select(StudentRow.id).where(StudentRow.id == student_id).with_for_update())


def _counting(assignment_id: str) -> Select[GradeRow, SubmissionRow, str]:
    """For every student the grade that counts, its submission, and the student's name."""
    rank = func.row_number().over(
        partition_by=SubmissionRow.student_id,
        order_by=(SubmissionRow.turn.desc(), GradeRow.complete.desc(), GradeRow.turn.desc()),
    )
    ranked = (
        select(GradeRow.id, rank.label("rank"))
        .join(SubmissionRow, GradeRow.submission_id == SubmissionRow.id)
        .where(SubmissionRow.assignment == assignment_id)
        .subquery()
    )
    return (
        select(GradeRow, SubmissionRow, StudentRow.name)
        .join(ranked, ranked.c.id == GradeRow.id)
        .join(SubmissionRow, GradeRow.submission_id == SubmissionRow.id)
        .join(StudentRow, SubmissionRow.student_id == StudentRow.id)
        .where(ranked.c.rank == 1)
    )


def _marks(assignment_id: str) -> Select[MarkRow]:
    """The marks of an assignment, oldest first."""
    return select(MarkRow).where(MarkRow.assignment == assignment_id).order_by(MarkRow.id)


def _mark(row: MarkRow) -> Mark:
    return Mark(row.question, row.item, row.points, row.comment, row.marker, row.made_at, row.submission_hash)


def _is_complete(grade: Grade) -> bool:
    """Whether nothing in the grade is unavailable by a fault of ours."""
    return grade.status != "unavailable" and not any(
        question.status is Status.UNAVAILABLE
        or any(verdict.status is Status.UNAVAILABLE for verdict in question.verdicts)
        for question in grade.questions
    )


def _encode(grade: Grade) -> str:
    # In ASCII, by way of `json`: what students print may hold half a surrogate pair or NUL, which pydantic's own
    # encoder and PostgreSQL refuse.
    return json.dumps(grade.model_dump())


def _decode(row: GradeRow, place: str) -> Grade:
    try:
        return Grade.model_validate(json.loads(row.grade))
    except ValidationError as error:
        raise GradebookError(
            f"Grade {row.id} in the gradebook {place} was written by another version of this program and cannot be "
            "read by this one. Grade the submission again, or use the version named in its receipt."
        ) from error


def _check_mark(grade: Grade, question_id: str, item_id: str, points: float) -> None:
    rubrics = {question.id: question.rubric for question in grade.questions if question.rubric}
    if question_id not in rubrics:
        known = any(question.id == question_id for question in grade.questions)
        problem = "is not marked by hand" if known else f"does not exist in {grade.assignment}"
        raise GradebookError(
            f"Question {question_id!r} {problem}. Questions marked by hand: {_listed(rubrics)}."
            if rubrics
            else f"No question in {grade.student}'s grade for {grade.assignment} is marked by hand "
            f"(the submission was {grade.status})."
        )
    items = {item.id: item for item in rubrics[question_id]}
    if item_id not in items:
        raise GradebookError(f"Question {question_id!r} has no rubric item {item_id!r}. It has: {_listed(items)}.")
    highest = items[item_id].max_score
    if not 0 <= points <= highest:
        raise GradebookError(
            f"{points:g} points for item {item_id!r} of question {question_id!r} are not possible. "
            f"Give a number from 0 to {highest:g}."
        )


def _no_grade(session: Session, assignment_id: str, student: str) -> str:
    """Why there is no grade to mark, and which there are."""
    names = [name for _, _, name in session.execute(_counting(assignment_id))]
    if not names:
        others = set(session.scalars(select(SubmissionRow.assignment).distinct()))
        return f"The gradebook holds no grades for assignment {assignment_id!r}. It holds: {_listed(others)}."
    close = get_close_matches(student, names, n=5, cutoff=0.7)
    hint = f"Did you mean {_listed(close)}?" if close else f"There are grades for: {_listed(names)}."
    return f"{student!r} has no grade for {assignment_id}. {hint}"


def _listed(names: Collection[str], most: int = 20) -> str:
    if not names:
        return "nothing"
    shown = sorted(names, key=_alphabetical)[:most]
    return ", ".join(shown) + (f" and {len(names) - most} more" if len(names) > most else "")


def _alphabetical(name: str) -> tuple[str, str]:
    return name.casefold(), name
