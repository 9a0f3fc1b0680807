"""The judge: `grade = judge(assignment, answer_key, run)`, a pure function."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from grader.answer_key.answer import AnswerKey
from grader.assignment.assignment import Assignment
from grader.assignment.check import Check
from grader.assignment.errors import AssignmentError
from grader.assignment.experiment import Experiment
from grader.assignment.question import Question
from grader.judge import grade, sentences
from grader.judge.checks import judge_check
from grader.judge.diagnosis import diagnose, manner_as_asked
from grader.judge.grade import BlockRemark, Diagnosis, QuestionGrade, RubricItem, Status, Verdict
from grader.judge.observation import Observation
from grader.judge.picture import picture
from grader.sandbox.recording import BlockReport, Outcome, Recording, Run
from reference.variants import Variant

OURS = Outcome.UNAVAILABLE
STUDENTS = frozenset(Outcome) - {Outcome.RETURNED, OURS}
SHOWN_CHARACTERS = 4000
SHOWN_REMARKS = 20


def judge(
    assignment: Assignment,
    key: AnswerKey,
    run: Run,
    written: Mapping[str, str],
    public_only: bool = False,
) -> tuple[QuestionGrade, ...]:
    """Judge every question.

    Args:
        assignment: what was asked.
        key: its answer key. Each function is judged by the form that its recordings follow: the reference, or a
            convention that the question accepts.
        run: what came out of the sandbox.
        written: question id -> the student's own text.
        public_only: judge by the public experiments alone (a student's own check); a question that has neither
            these nor a rubric is left out.

    Raises:
        AssignmentError: the reference, or an accepted convention that was followed, does not fulfil a check itself.
    """
    return tuple(
        _judge_question(question, key, run, written.get(question.id, ""), public_only)
        for question in assignment.questions
        if not public_only or question.rubric or any(experiment.public for experiment in question.experiments)
    )


def block_remarks(blocks: Sequence[BlockReport]) -> tuple[BlockRemark, ...]:
    """What there is to tell about the execution of the cells: the first things, which usually explain the others."""
    remarks = []
    for block in blocks:
        if block.error is not None:
            line = f"line {block.error.line}: " if block.error.line is not None else ""
            what = f"{block.error.type}: {block.error.message}".removesuffix(": ").rstrip(".")
            source = (block.error.source_line or "").strip()
            remarks.append(BlockRemark(label=block.label, sentence=f"{line}{what}.", source_line=source))
        if block.remark:
            remarks.append(BlockRemark(label=block.label, sentence=block.remark))
    if left_out := len(remarks[SHOWN_REMARKS:]):
        sentence = f"There are {left_out} more remarks like these; mend the first ones first."
        remarks[SHOWN_REMARKS:] = [BlockRemark(label="further cells", sentence=sentence)]
    return tuple(remarks)


def _judge_question(question: Question, key: AnswerKey, run: Run, text: str, public_only: bool) -> QuestionGrade:
    beside_reference = [
        Observation(experiment, _recording(run, experiment), key.answers[experiment.key])
        for experiment in question.experiments
        if experiment.public or not public_only
    ]
    by_function = {
        function: _beside_followed_form(
            [o for o in beside_reference if o.experiment.function == function], question.accepted(function)
        )
        for function in question.functions
    }
    diagnoses = {function: diagnose(seen, question.accepted(function)) for function, seen in by_function.items()}
    followed = {o.experiment.key: o for seen in by_function.values() for o in seen}
    observations = {o.experiment.key: followed[o.experiment.key] for o in beside_reference}
    verdicts = tuple(
        _judge_check(check, selected, diagnoses)
        for check in question.checks
        if (selected := [observations[e.key] for e in question.experiments_of(check) if e.key in observations])
    )
    rubric = tuple(RubricItem(id=item.id, text=item.text, max_score=item.points) for item in question.rubric)
    return QuestionGrade(
        id=question.id,
        title=question.title,
        status=_status(verdicts, rubric),
        score=round(sum(verdict.score for verdict in verdicts), 6),
        max_score=round(sum(v.max_score for v in verdicts) + sum(item.max_score for item in rubric), 6),
        conventions=_conventions(observations.values()),
        verdicts=verdicts,
        rubric=rubric,
        written=text,
        pictures=tuple(drawn for o in observations.values() if (drawn := picture(o)) is not None),
        printed=_printed(observations.values()),
    )


def _beside_followed_form(observations: list[Observation], accepted: Sequence[Variant]) -> list[Observation]:
    """The observations of one function, beside the form that the recordings follow: the reference, or a convention.

    A form is followed if it gives everything that was returned. Of several, one that also makes the same calls is
    taken; the reference where there is no other reason, and where no form is followed.
    """
    first = None
    for form in _forms(observations, accepted):
        if _follows(form):
            if all(manner_as_asked(observation) for observation in form if observation.returned):
                return form
            first = first or form
    return first or observations


def _forms(observations: list[Observation], accepted: Sequence[Variant]) -> Iterator[list[Observation]]:
    yield observations
    for variant in accepted:
        form = [beside for o in observations if (beside := o.under(variant.identifier)) is not None]
        if len(form) == len(observations):
            yield form


def _follows(form: Sequence[Observation]) -> bool:
    returned = [observation for observation in form if observation.returned]
    return bool(returned) and all(observation.agrees() for observation in returned)


def _recording(run: Run, experiment: Experiment) -> Recording:
    missing = Recording(experiment.key, OURS, reason="the experiment has no recording")
    return run.recordings.get(experiment.key, missing)


def _judge_check(check: Check, observations: list[Observation], diagnoses: Mapping[str, Diagnosis | None]) -> Verdict:
    outcomes = _outcomes(check, observations)
    failing = [(o, outcome) for o, outcome in zip(observations, outcomes, strict=True) if not outcome.passed]
    diagnosis = next((d for o, _ in failing if (d := diagnoses[o.experiment.function]) is not None), None)
    if not failing:
        status, message, first = Status.PASSED, "", None
    else:
        observation, outcome = failing[0]
        message, first = sentences.placed(observation.experiment, outcome.sentence), outcome.first_difference
        if any(o.recording.outcome is OURS for o, _ in failing):
            status = Status.UNAVAILABLE
            message = next(outcome.sentence for o, outcome in failing if o.recording.outcome is OURS)
        else:
            status = Status.ERROR if observation.recording.outcome in STUDENTS else Status.FAILED
    return Verdict(
        id=check.id,
        title=check.title,
        status=status,
        score=check.points if status is Status.PASSED else 0.0,
        max_score=check.points,
        message=message,
        diagnosis=diagnosis if status in (Status.FAILED, Status.ERROR) else None,
        first_difference=first,
        outcomes=outcomes,
    )


def _outcomes(check: Check, observations: Sequence[Observation]) -> tuple[grade.Outcome, ...]:
    try:
        return judge_check(check, observations)
    except AssignmentError as error:
        accepted = ", ".join(_conventions(observations))
        if not accepted:
            raise
        raise AssignmentError(f"with the accepted convention {accepted} in the reference's place: {error}") from None


def _conventions(observations: Iterable[Observation]) -> tuple[str, ...]:
    """The accepted conventions that are followed, each once."""
    return tuple(dict.fromkeys(o.convention for o in observations if o.convention))


def _status(verdicts: Sequence[Verdict], rubric: Sequence[RubricItem]) -> Status:
    statuses = {verdict.status for verdict in verdicts}
    if Status.UNAVAILABLE in statuses:
        return Status.UNAVAILABLE
    if rubric:
        return Status.PENDING
    if statuses == {Status.PASSED}:
        return Status.PASSED
    if Status.PASSED in statuses:
        return Status.PARTIAL
    return Status.ERROR if statuses == {Status.ERROR} else Status.FAILED


def _printed(observations: Iterable[Observation]) -> str:
    """What was printed in public experiments; the data of a hidden one could be in the rest."""
    texts = [o.recording.printed for o in observations if o.experiment.public and o.recording.printed]
    return "\n".join(texts)[:SHOWN_CHARACTERS]
