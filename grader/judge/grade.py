"""What the judge says: a `Verdict` for each check, gathered into the `Grade` of a submission."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Status(StrEnum):
    """Outcome of a check, and of a question."""

    PASSED = "passed"
    PARTIAL = "partial"
    FAILED = "failed"
    ERROR = "error"
    """The student's code raised, ran out of time or memory, or is missing."""
    PENDING = "pending"
    """Waits to be marked by hand."""
    UNAVAILABLE = "unavailable"
    """A fault of ours; never the student's zero."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Diagnosis(_Record):
    """What kind of error it is."""

    identifier: str
    """Name of the mistake, convention or structural finding, e.g. "gradient_ascent"."""
    kind: Literal["mistake", "convention", "structural"]
    sentence: str
    """For the student; names the place and the kind of error, not the solution."""
    alternatives: tuple[str, ...] = ()
    """Identifiers of others that give the same numbers on every experiment."""


class Outcome(_Record):
    """One check on one experiment."""

    experiment: str
    public: bool
    passed: bool
    sentence: str
    first_difference: int | None = None
    """Index k of the first iterate that differs."""


class Verdict(_Record):
    """Outcome of one check."""

    id: str
    title: str
    status: Status
    score: float
    max_score: float
    message: str
    diagnosis: Diagnosis | None = None
    first_difference: int | None = None
    outcomes: tuple[Outcome, ...] = ()


class Picture(_Record):
    """The convergence of one public experiment, for a plot with a logarithmic axis.

    Each curve holds one number per iterate k = 0, 1, ...; null where the number is not finite or not there.
    """

    experiment: str
    quantity: str
    """What is on the axis, e.g. "distance to the minimiser"."""
    student: tuple[float | None, ...]
    reference: tuple[float | None, ...]
    bound: tuple[float | None, ...] | None = None
    bound_name: str = ""
    first_difference: int | None = None
    sentence: str
    """The same in words, for those who do not see the picture."""


class RubricItem(_Record):
    """One item of a question that is marked by hand."""

    id: str
    text: str
    max_score: float
    score: float | None = None
    """None while it waits for the marker."""
    comment: str = ""
    marker: str = ""


class QuestionGrade(_Record):
    """All that is known about one question."""

    id: str
    title: str
    status: Status
    score: float
    max_score: float
    conventions: tuple[str, ...] = ()
    """Identifiers of the accepted conventions that the student's functions follow."""
    verdicts: tuple[Verdict, ...] = ()
    rubric: tuple[RubricItem, ...] = ()
    written: str = ""
    """The student's own text, for a question that is marked by hand."""
    pictures: tuple[Picture, ...] = ()
    printed: str = ""
    """What the student's code printed in public experiments."""


class BlockRemark(_Record):
    """Something to tell about one cell or the script."""

    label: str
    sentence: str
    source_line: str = ""


class Grade(_Record):
    """The grade of one submission."""

    assignment: str
    assignment_title: str
    student: str
    file: str
    status: Literal["graded", "refused", "unavailable"]
    reason: str = ""
    """Why a submission was refused or could not be graded."""
    questions: tuple[QuestionGrade, ...] = ()
    remarks: tuple[BlockRemark, ...] = ()
    late: bool = False

    @property
    def score(self) -> float:
        """Points so far; what waits for the marker counts as nothing yet."""
        return round(sum(question.score for question in self.questions), 6)

    @property
    def max_score(self) -> float:
        """Points that can be reached."""
        return round(sum(question.max_score for question in self.questions), 6)

    @property
    def pending(self) -> float:
        """Points that wait for the marker."""
        return round(
            sum(item.max_score for question in self.questions for item in question.rubric if item.score is None), 6
        )
