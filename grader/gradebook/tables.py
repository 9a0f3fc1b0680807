"""The tables of the gradebook. A change here needs a new file in `migrations/versions`."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import DateTime, Dialect, Double, ForeignKey, MetaData, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, always with time zone UTC. SQLite keeps no zones, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC; a moment without a zone is taken as local time."""
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """With the zone UTC."""
        return value and (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC))


class Base(DeclarativeBase):
    """Common ground of the tables."""

    # Constraints with names can be changed by later migrations.
    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "ix": "ix_%(table_name)s_%(column_0_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, float: Double}  # noqa: RUF012 (SQLAlchemy's own protocol)


class StudentRow(Base):
    """A student. The name is all that is known."""

    __tablename__ = "students"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class SubmissionRow(Base):
    """What a student handed in, byte for byte."""

    __tablename__ = "submissions"
    __table_args__ = (UniqueConstraint("assignment", "student_id", "hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    assignment: Mapped[str]
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"), index=True)
    turn: Mapped[int]
    """1, 2, ... for each assignment and student, and 0, -1, ... for what stands behind all others. The submission with
    the greatest one counts, whatever a clock says."""
    file_name: Mapped[str]
    hash: Mapped[str]
    content: Mapped[bytes] = mapped_column(deferred=True)
    late: Mapped[bool]
    modified_at: Mapped[datetime | None]
    stored_at: Mapped[datetime]


class FileRow(Base):
    """A file that was handed in beside a submission's main file."""

    __tablename__ = "files"

    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id", ondelete="CASCADE"), primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[bytes]


class RecordingRow(Base):
    """What came out of the sandbox, so that a regrade runs no student code."""

    __tablename__ = "recordings"

    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id", ondelete="CASCADE"), primary_key=True)
    experiments_hash: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[bytes]
    made_at: Mapped[datetime]


class GradeRow(Base):
    """One grade of one submission, as the judge made it: marks by hand are not in it."""

    __tablename__ = "grades"
    __table_args__ = (UniqueConstraint("submission_id", "receipt_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id", ondelete="CASCADE"))
    turn: Mapped[int]
    """1, 2, ... for each submission; of its complete grades the one with the greatest turn counts."""
    complete: Mapped[bool]
    """False where a fault of ours left something unavailable: grading again replaces the row."""
    receipt_hash: Mapped[str]
    receipt: Mapped[str]
    status: Mapped[str]
    score: Mapped[float]
    max_score: Mapped[float]
    grade: Mapped[str]
    made_at: Mapped[datetime]


class MarkRow(Base):
    """Points given by hand; of several for the same item the one with the greatest id counts."""

    __tablename__ = "marks"

    id: Mapped[int] = mapped_column(primary_key=True)
    assignment: Mapped[str]
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"), index=True)
    submission_hash: Mapped[str]
    question: Mapped[str]
    item: Mapped[str]
    points: Mapped[float]
    comment: Mapped[str]
    marker: Mapped[str]
    made_at: Mapped[datetime]
