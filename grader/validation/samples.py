"""The sample submissions of an assignment: does each get what `samples/expected.toml` says?"""

from __future__ import annotations

import html
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from grader.assignment.errors import AssignmentError
from grader.batch.workplace import Workplace, ungraded
from grader.judge.grade import Grade
from grader.report.feedback import feedback_page
from grader.report.validation_page import SampleFindings
from grader.submission.intake import collect

SAMPLES = "samples"
EXPECTED = "expected.toml"
SUBMISSIONS = "submissions"


class Expectation(BaseModel):
    """What one sample should get."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    """What is graded, or refused: its name in the student's folder where there is one."""
    note: str = ""
    status: str
    scores: Mapping[str, float] = {}
    """Question -> points, before any mark by hand; a question that is not named is not compared."""
    diagnoses: Mapping[str, str] = {}
    """Question -> the only identifier that it is diagnosed as; a question that is not named has none."""
    mentions: tuple[str, ...] = ()
    """Words that stand on the feedback page."""


def read_expectations(file: Path) -> dict[str, Expectation]:
    """Student -> what the sample should get.

    Raises:
        AssignmentError: names the file and what is wrong in it.
    """
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
        return TypeAdapter(dict[str, Expectation]).validate_python(document)
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise AssignmentError(f"{file}: {error}") from None


def check_samples(workplace: Workplace) -> SampleFindings | None:
    """Grade every sample and compare; None where the assignment has no samples.

    Raises:
        AssignmentError: `expected.toml` cannot be read.
        PathError: the folder of the submissions cannot be read.
    """
    folder = workplace.assignment.folder / SAMPLES
    if not (folder / EXPECTED).is_file():
        return None
    expectations = read_expectations(folder / EXPECTED)
    collection = collect([folder / SUBMISSIONS])
    grades = {
        file.student: ungraded(workplace.assignment, file.student, file.file_name, "refused", file.reason)
        for file in collection.refused
    }
    grades |= {submission.student: workplace.grade(submission).grade for submission in collection.submissions}
    differences = [f"sample {name} is not in {EXPECTED}." for name in grades.keys() - expectations.keys()]
    for name, expected in expectations.items():
        found = differing(expected, grades[name]) if name in grades else ["there is no such submission"]
        differences += [f"sample {name} ({expected.note or expected.file}): {what}." for what in found]
    return SampleFindings(len(expectations), tuple(differences))


def differing(expected: Expectation, grade: Grade) -> Iterator[str]:
    """Each thing about the grade that is not as expected, in words without a full stop."""
    if grade.file != expected.file:
        yield f"it is the file {grade.file} in place of {expected.file}"
    if grade.status != expected.status:
        yield f"it is {grade.status} in place of {expected.status}" + (f" ({grade.reason})" if grade.reason else "")
    questions = {question.id: question for question in grade.questions}
    for id, points in expected.scores.items():
        if id not in questions:
            yield f"there is no question {id}"
        elif abs(questions[id].score - points) > 1e-9:
            yield f"{id} gets {questions[id].score:g} points in place of {points:g}"
    for id, question in questions.items():
        named = sorted({verdict.diagnosis.identifier for verdict in question.verdicts if verdict.diagnosis})
        wanted = [expected.diagnoses[id]] if id in expected.diagnoses else []
        if named != wanted:
            yield f"{id} is diagnosed as {', '.join(named) or 'nothing'} in place of {', '.join(wanted) or 'nothing'}"
    page = _text(feedback_page(grade)) if expected.mentions else ""
    yield from (f'the feedback page does not mention "{words}"' for words in expected.mentions if words not in page)


def _text(page: str) -> str:
    """What a reader sees of a page."""
    body = page[page.index("<body") :]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())
