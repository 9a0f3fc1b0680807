"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "gradebook_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "students",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_students"),
        sa.UniqueConstraint("name", name="uq_students_name"),
    )
    op.create_table(
        "submissions",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("assignment", sa.String, nullable=False),
        sa.Column("student_id", sa.Integer, nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("file_name", sa.String, nullable=False),
        sa.Column("hash", sa.String, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("late", sa.Boolean, nullable=False),
        sa.Column("modified_at", moment, nullable=True),
        sa.Column("stored_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_submissions"),
        sa.ForeignKeyConstraint(["student_id"], ["students.id"], name="fk_submissions_student_id", ondelete="CASCADE"),
        sa.UniqueConstraint("assignment", "student_id", "hash", name="uq_submissions_assignment_student_id_hash"),
    )
    op.create_index("ix_submissions_student_id", "submissions", ["student_id"])
    op.create_table(
        "files",
        sa.Column("submission_id", sa.Integer, nullable=False),
        sa.Column("path", sa.String, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("submission_id", "path", name="pk_files"),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.id"], name="fk_files_submission_id", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "recordings",
        sa.Column("submission_id", sa.Integer, nullable=False),
        sa.Column("experiments_hash", sa.String, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("made_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("submission_id", "experiments_hash", name="pk_recordings"),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.id"], name="fk_recordings_submission_id", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "grades",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("submission_id", sa.Integer, nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("complete", sa.Boolean, nullable=False),
        sa.Column("receipt_hash", sa.String, nullable=False),
        sa.Column("receipt", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("score", sa.Double, nullable=False),
        sa.Column("max_score", sa.Double, nullable=False),
        sa.Column("grade", sa.String, nullable=False),
        sa.Column("made_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_grades"),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.id"], name="fk_grades_submission_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("submission_id", "receipt_hash", name="uq_grades_submission_id_receipt_hash"),
    )
    op.create_table(
        "marks",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("assignment", sa.String, nullable=False),
        sa.Column("student_id", sa.Integer, nullable=False),
        sa.Column("submission_hash", sa.String, nullable=False),
        sa.Column("question", sa.String, nullable=False),
        sa.Column("item", sa.String, nullable=False),
        sa.Column("points", sa.Double, nullable=False),
        sa.Column("comment", sa.String, nullable=False),
        sa.Column("marker", sa.String, nullable=False),
        sa.Column("made_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_marks"),
        sa.ForeignKeyConstraint(["student_id"], ["students.id"], name="fk_marks_student_id", ondelete="CASCADE"),
    )
    op.create_index("ix_marks_student_id", "marks", ["student_id"])
