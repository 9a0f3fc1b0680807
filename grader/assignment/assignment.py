"""An assignment, and where assignments are found."""

from __future__ import annotations

import hashlib
import importlib.util
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader.assignment.check import Statistics
from grader.assignment.errors import AssignmentError
from grader.assignment.experiment import Experiment
from grader.assignment.question import Question
from grader.assignment.specification import QuestionSpecification, Specification, read_specification
from grader.locations import shipped

SPECIFICATION = "assignment.toml"
CHECKS = "checks.py"
HANDOUT = "handout.py"
FALSE_ALARM = 1e-6
"""How likely the statistics of an assignment may be to reject a right submission."""


@dataclass(frozen=True)
class Assignment:
    """What students are asked: `assignment.toml` and `checks.py` of one folder, put together."""

    folder: Path
    specification: Specification
    questions: Sequence[Question]
    hash: str
    """SHA-256 of the two files."""

    @property
    def id(self) -> str:
        """Short name, used on the command line and in the gradebook."""
        return self.specification.id

    @property
    def title(self) -> str:
        """Title that students see."""
        return self.specification.title

    @property
    def max_score(self) -> float:
        """Points that can be reached."""
        return sum(question.points for question in self.questions)

    @property
    def experiments(self) -> list[Experiment]:
        """All experiments, the public ones first.

        The order matters: what a student's code prints in a public experiment is shown, and it must not have
        seen the data of a hidden one before.
        """
        everything = [experiment for question in self.questions for experiment in question.experiments]
        return sorted(everything, key=lambda experiment: not experiment.public)


def find_assignment(name: str) -> Path:
    """Folder of the assignment `name`: the id of a shipped one, or the path of a folder.

    Raises:
        AssignmentError: with the list of those that exist.
    """
    folder = Path(name)
    if (folder / SPECIFICATION).is_file():
        return folder
    known = {}
    for candidate in shipped_assignments():
        known[read_specification(candidate / SPECIFICATION).id] = candidate
    if name in known:
        return known[name]
    if folder.is_dir():
        raise AssignmentError(f"{folder}: the folder has no {SPECIFICATION}; see docs/authoring.md")
    raise AssignmentError(
        f"There is no assignment {name!r}. Shipped ones: {', '.join(sorted(known))}. "
        f"Give one of these, or the path of a folder that holds an {SPECIFICATION}."
    )


def shipped_assignments() -> list[Path]:
    """Folders of the assignments that come with the grader."""
    return sorted(file.parent for file in shipped("assignments").glob(f"*/{SPECIFICATION}"))


def load_assignment(folder: Path) -> Assignment:
    """Read an assignment folder.

    Raises:
        AssignmentError: names the file, the place and what to do.
    """
    specification = read_specification(folder / SPECIFICATION)
    written = _read_checks(folder / CHECKS, specification)
    by_id = {question.id: question for question in written}
    unknown = set(by_id) - {question.id for question in specification.questions}
    if unknown:
        raise AssignmentError(
            f"{folder / CHECKS}: question {sorted(unknown)[0]!r} is not in {SPECIFICATION}; "
            f"add [[questions]] with this id there, or correct it"
        )
    questions = [_merged(folder, asked, by_id.get(asked.id)) for asked in specification.questions]
    _check_experiments(folder, questions)
    _check_false_alarm(folder, questions)
    digest = hashlib.sha256()
    for name in (SPECIFICATION, CHECKS):
        digest.update((folder / name).read_bytes() if (folder / name).is_file() else b"")
    return Assignment(folder.resolve(), specification, questions, digest.hexdigest())


def _read_checks(file: Path, specification: Specification) -> list[Question]:
    if not file.is_file():
        if all(question.rubric for question in specification.questions):
            return []
        raise AssignmentError(f"{file}: there is no such file; questions without a rubric need it")
    spec = importlib.util.spec_from_file_location(f"checks_of_{specification.id}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        # Python names the file by its absolute path, however the folder was given.
        lines = [frame.lineno for frame in frames if frame.filename == spec.origin]
        if isinstance(error, SyntaxError) and error.filename == spec.origin:
            lines.append(error.lineno or 0)
        place = f"{file}, line {lines[-1]}" if lines else str(file)
        kind = "" if isinstance(error, AssignmentError) else f"{type(error).__name__}: "
        raise AssignmentError(f"{place}: {kind}{error}") from None
    questions = getattr(module, "questions", None)
    if not isinstance(questions, list) or not all(isinstance(question, Question) for question in questions):
        raise AssignmentError(f"{file}: must define `questions`, a list of Question(...)")
    return questions


def _merged(folder: Path, asked: QuestionSpecification, written: Question | None) -> Question:
    if written is None:
        if not asked.rubric:
            raise AssignmentError(
                f"{folder}: question {asked.id!r} has neither a rubric in {SPECIFICATION} nor checks in {CHECKS}"
            )
        written = Question(asked.id)
    total = sum(check.points for check in written.checks) + sum(item.points for item in asked.rubric)
    if abs(total - asked.points) > 1e-9:
        kinds = ["checks"] * bool(written.checks) + ["rubric items"] * bool(asked.rubric)
        raise AssignmentError(
            f"{folder / (CHECKS if written.checks else SPECIFICATION)}: question {asked.id!r}: "
            f"its {' and '.join(kinds) or 'checks'} are worth {total:g} points together, "
            f"but {SPECIFICATION} says {asked.points:g}"
        )
    return replace(written, title=asked.title, points=asked.points, rubric=asked.rubric)


def _check_experiments(folder: Path, questions: Sequence[Question]) -> None:
    seen: set[str] = set()
    for question in questions:
        names = {experiment.name for experiment in question.experiments}
        for experiment in question.experiments:
            if experiment.key in seen:
                raise AssignmentError(f"{folder / CHECKS}: two experiments are named {experiment.key!r}")
            seen.add(experiment.key)
        ids = [check.id for check in question.checks]
        for check in question.checks:
            place = f"{folder / CHECKS}: question {question.id!r}, check {check.id!r}"
            if ids.count(check.id) > 1:
                raise AssignmentError(f'{place}: two checks have this id; give one of them id="..."')
            missing = set(check.on) - names
            if missing:
                raise AssignmentError(f"{place}: there is no experiment {sorted(missing)[0]!r}")
            if not question.experiments_of(check):
                raise AssignmentError(f"{place}: it selects no experiment")


def _check_false_alarm(folder: Path, questions: Sequence[Question]) -> None:
    """All statistics together reject a right submission with a probability of at most `FALSE_ALARM`."""
    total = sum(
        check.false_alarm * len(question.experiments_of(check))
        for question in questions
        for check in question.checks
        if isinstance(check, Statistics)
    )
    if total > FALSE_ALARM * (1 + 1e-9):
        raise AssignmentError(
            f"{folder / CHECKS}: the statistics reject a right submission with a probability of up to {total:.2g}; "
            f"lower false_alarm so that it is at most {FALSE_ALARM:g} (it counts for each experiment)"
        )
