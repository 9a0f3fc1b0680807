"""A trial: one form of one function, handed in as if by a student, and what the judge made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from grader.answer_key.answer import AnswerKey
from grader.answer_key.tolerance import distances
from grader.assignment.assignment import Assignment
from grader.assignment.check import Iterates, OptimizerSteps, Statistics, Training, Values
from grader.assignment.experiment import Experiment
from grader.assignment.question import Question
from grader.judge.grade import Status, Verdict
from grader.judge.judge import judge
from grader.judge.observation import Observation
from grader.sandbox.recording import Recording, Run
from reference.variants import Kind


class Role(StrEnum):
    """What a form is; in the order in which a reader wants to see them."""

    REFERENCE = "reference"
    EQUIVALENT = "equivalent"
    ACCEPTED = "accepted convention"
    CONVENTION = "convention"
    MISTAKE = "mistake"


CORRECT = (Role.REFERENCE, Role.EQUIVALENT, Role.ACCEPTED)
"""What has to pass with full points; every other form has to lose some."""
ROLES = {Kind.EQUIVALENT: Role.EQUIVALENT, Kind.CONVENTION: Role.CONVENTION, Kind.MISTAKE: Role.MISTAKE}


@dataclass(frozen=True)
class Form:
    """One way to write one function of a question; the other functions are the reference's."""

    role: Role
    function: str
    """Name of the function that is asked for; of the first one for the reference, which is all of them."""
    identifier: str

    @property
    def name(self) -> str:
        """Unique in its question."""
        return "reference" if self.role is Role.REFERENCE else f"{self.function}: {self.identifier}"


@dataclass(frozen=True)
class Trial:
    """A form, what came out of the sandbox for it, and its verdicts."""

    form: Form
    run: Run
    verdicts: tuple[Verdict, ...]
    ratios: Mapping[str, float]
    """Key of the experiment -> `ratio`; the experiments of the form's function, but those that leave numbers free."""
    other_manner: bool
    """Whether it makes other oracle calls than the reference, or changes its inputs."""
    astray: str = ""
    """Where and how its copy ended otherwise than the library's own, in words; empty where it did not."""

    @property
    def ratio(self) -> float:
        """The largest ratio over the experiments."""
        return max(self.ratios.values(), default=0.0)

    @property
    def lost(self) -> frozenset[str]:
        """The checks that it does not pass."""
        return frozenset(verdict.id for verdict in self.verdicts if verdict.status is not Status.PASSED)

    @property
    def unavailable(self) -> bool:
        """Whether a fault of ours kept it from being judged."""
        return any(verdict.status is Status.UNAVAILABLE for verdict in self.verdicts)

    @property
    def named(self) -> frozenset[str]:
        """The identifiers that it is diagnosed as; empty where nothing is claimed."""
        found = [verdict.diagnosis for verdict in self.verdicts if verdict.diagnosis is not None]
        return frozenset(diagnosis.identifier for diagnosis in found)

    @property
    def named_as_itself(self) -> bool:
        """Whether each diagnosis is the form itself, or a form that gives the same numbers everywhere."""
        found = [verdict.diagnosis for verdict in self.verdicts if verdict.diagnosis is not None]
        return bool(found) and all(self.form.identifier in (d.identifier, *d.alternatives) for d in found)

    @property
    def seen(self) -> bool:
        """Whether some experiment, or some check, tells it from the reference."""
        return self.ratio > 1 or self.other_manner or bool(self.lost)


def tried(
    assignment: Assignment, question: Question, key: AnswerKey, unaided: AnswerKey, form: Form, run: Run
) -> Trial:
    """Judge what came out of the sandbox for one form. Pure, like the judge.

    Args:
        assignment: what is asked.
        question: the question that the form belongs to; the run made its calls only.
        key: the answer key of the assignment.
        unaided: the key built without the aid of the equivalents. They are measured by its tolerance: they are within
            that of `key` by construction.
        form: what was handed in.
        run: what came out.
    """
    measure = unaided if form.role is Role.EQUIVALENT else key
    own = [e for e in question.experiments if form.role is Role.REFERENCE or e.function == form.function]
    observations = [
        Observation(experiment, run.recordings[experiment.key], measure.answers[experiment.key])
        for experiment in own
        if not _leaves_numbers_free(question, experiment)
    ]
    return Trial(
        form=form,
        run=run,
        verdicts=judged(assignment, question, key, run),
        ratios={observation.experiment.key: ratio(observation) for observation in observations},
        other_manner=any(_other_manner(observation) for observation in observations),
        astray=_astray(form, own, key, run),
    )


def judged(assignment: Assignment, question: Question, key: AnswerKey, run: Run) -> tuple[Verdict, ...]:
    """The verdicts of one question, from a run that made the calls of this question only."""
    (grade,) = judge(replace(assignment, questions=(question,)), key, run, {})
    return grade.verdicts


def ratio(observation: Observation) -> float:
    """The largest distance of a row from the reference, in units of its tolerance; infinite without numbers.

    Above 1 the numbers are wrong. Rows beyond the horizon do not count, as they do not in the judge.
    """
    if observation.parts is None:
        return float("inf")
    answer, largest = observation.answer, 0.0
    for part, (got, asked) in enumerate(zip(observation.parts, answer.parts, strict=True)):
        off = distances(got, asked, answer.iterative)[: answer.horizon]
        allowed = observation.allowed(part)[: answer.horizon]
        with np.errstate(all="ignore"):
            # Where nothing is allowed and nothing is off, 0 / 0 is an agreement.
            largest = max(largest, float(np.max(np.where(off > 0, off / allowed, 0.0), initial=0.0)))
    return largest


def _leaves_numbers_free(question: Question, experiment: Experiment) -> bool:
    """Whether another right form may give other numbers: random ones, or those of another training.

    A distance says nothing there.
    """
    checks = [check for check in question.checks if check.selects(experiment)]
    compared = any(isinstance(check, Values | Iterates | OptimizerSteps) for check in checks)
    return not compared and any(isinstance(check, Statistics | Training) for check in checks)


def _astray(form: Form, experiments: Sequence[Experiment], key: AnswerKey, run: Run) -> str:
    """The first experiment in which a mistake or a convention gave no numbers and does in the answer key, or reversed.

    What fails in its copy alone would pass for a mistake that the checks see.
    """
    if form.role in (Role.REFERENCE, Role.EQUIVALENT):
        return ""
    for experiment in experiments:
        recording, answer = run.recordings[experiment.key], key.answers[experiment.key]
        here = Observation(experiment, recording, answer).returned
        there = answer.variants[form.identifier].parts is not None
        if there and not here:
            return f"on {experiment.name!r} it ended with {_ending(recording)}"
        if here and not there:
            return f"on {experiment.name!r} it returned numbers, and the library's own does not"
    return ""


def _ending(recording: Recording) -> str:
    """Why there are no numbers, without a full stop."""
    if recording.error is not None:
        return f"{recording.error.type}: {recording.error.message}"
    return f"{recording.outcome}: {recording.reason.rstrip('.')}" if recording.reason else recording.outcome


def _other_manner(observation: Observation) -> bool:
    """Other oracle calls than the reference's, or one more to report a last gradient; or changed inputs."""
    made, needed = observation.recording.calls, observation.answer.calls
    same = all(count <= made.get(name, 0) <= count + 1 for name, count in needed.items())
    return not same or bool(observation.recording.changed_inputs)
