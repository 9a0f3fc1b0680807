"""What the trials of a question say about its checks. Pure: trials and answer key in, findings out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from grader.answer_key.answer import AnswerKey, VariantAnswer
from grader.assignment.question import Question
from grader.judge.grade import Status, Verdict
from grader.judge.observation import close
from grader.report.text import counted
from grader.report.validation_page import ConfusionRow, Flake, Mark, QuestionFindings
from grader.validation.trial import CORRECT, Role, Trial

Verdicts = Mapping[str, Sequence[Verdict]]
"""Name of a form -> its verdicts, one for each check of the question."""


def findings(
    question: Question, trials: Sequence[Trial], key: AnswerKey, reseeded: Sequence[Verdicts]
) -> QuestionFindings:
    """Everything that is told about one question.

    Args:
        question: whose checks are tested.
        trials: one for each form of each of its functions, the reference's first.
        key: the answer key that the trials were judged with.
        reseeded: for each of some other seeds, the verdicts of the same runs under the answer key of that seed.
    """
    return QuestionFindings(
        id=question.id,
        title=question.title,
        matrix=confusion(trials),
        marks=tuple(_mark(trial) for trial in trials if trial.form.role is not Role.REFERENCE),
        faults=faults(trials),
        unseen=tuple(trial.form.name for trial in trials if trial.form.role not in CORRECT and not trial.seen),
        misnamed=misnamed(trials),
        pairs=indistinguishable(question, trials, key),
        unneeded=unneeded(question, trials),
        flake=flake(trials, reseeded),
    )


def confusion(trials: Sequence[Trial]) -> tuple[ConfusionRow, ...]:
    """One row for each role that occurs."""
    rows = []
    for role in Role:
        of_role = [trial for trial in trials if trial.form.role is role]
        if of_role:
            itself = sum(trial.named_as_itself for trial in of_role)
            rows.append(
                ConfusionRow(
                    role=role if role is Role.REFERENCE else f"{role}s",
                    number=len(of_role),
                    passed=sum(not trial.lost for trial in of_role),
                    lost=sum(bool(trial.lost) for trial in of_role),
                    itself=itself,
                    another=sum(bool(trial.named) for trial in of_role) - itself,
                    nothing=sum(bool(trial.lost) and not trial.named for trial in of_role),
                )
            )
    return tuple(rows)


def faults(trials: Sequence[Trial]) -> tuple[str, ...]:
    """Each form that passes and should not, each correct one that fails, each one that could not be tried or judged."""
    sentences = []
    for trial in trials:
        correct = trial.form.role in CORRECT
        if trial.unavailable:
            reason = next(v.message for v in trial.verdicts if v.status is Status.UNAVAILABLE)
            sentences.append(f"{trial.form.name} could not be judged: {reason}")
        elif correct and trial.lost:
            reason = next(v.message for v in trial.verdicts if v.id in trial.lost)
            sentences.append(f"{trial.form.name} is correct and loses {_listed(sorted(trial.lost))}: {reason}")
        elif trial.astray:
            sentences.append(f"{trial.form.name} could not be handed in as it is in the library: {trial.astray}.")
        elif not correct and not trial.lost:
            why = "no check fails for it" if trial.seen else "no experiment can see it"
            what = "is wrong" if trial.form.role is Role.MISTAKE else "is a convention that is not accepted"
            sentences.append(f"{trial.form.name} {what} and passes: {why}.")
    return tuple(sentences)


def misnamed(trials: Sequence[Trial]) -> tuple[str, ...]:
    """Each form that loses points and is diagnosed as something else, or as nothing."""
    return tuple(
        f"{trial.form.name} is diagnosed as {_listed(sorted(trial.named)) or 'nothing'}."
        for trial in trials
        if trial.form.role not in CORRECT and trial.lost and not trial.named_as_itself
    )


def indistinguishable(question: Question, trials: Sequence[Trial], key: AnswerKey) -> tuple[tuple[str, str], ...]:
    """Pairs of forms that give the same numbers in the same manner on every experiment of their function."""
    roles = (Role.ACCEPTED, Role.CONVENTION, Role.MISTAKE)
    seen = [trial.form for trial in trials if trial.form.role in roles and trial.seen]
    pairs = []
    for one, other in combinations(seen, 2):
        answers = [key.answers[e.key] for e in question.experiments if e.function == one.function]
        if one.function == other.function and all(
            _same(answer.variants[one.identifier], answer.variants[other.identifier], answer.iterative)
            for answer in answers
        ):
            pairs.append((one.name, other.name))
    return tuple(pairs)


def _same(one: VariantAnswer, other: VariantAnswer, iterative: bool) -> bool:
    if dict(one.calls) != dict(other.calls) or one.changed_inputs != other.changed_inputs:
        return False
    if one.parts is None or other.parts is None:
        return one.parts is other.parts
    return len(one.parts) == len(other.parts) and all(
        close(got, right, envelope, iterative, "float64")
        for got, right, envelope in zip(one.parts, other.parts, other.envelope, strict=True)
    )


def unneeded(question: Question, trials: Sequence[Trial]) -> tuple[str, ...]:
    """Each check without which no mistake, and no convention that is not accepted, would pass that fails now."""
    alone = [trial.lost for trial in trials if trial.form.role not in CORRECT]
    sentences = []
    for check in question.checks:
        if frozenset({check.id}) not in alone:
            failing = sum(check.id in trial.lost for trial in trials if trial.form.role is Role.MISTAKE)
            why = f"{counted(failing, 'mistake')} fail it, none of them it alone" if failing else "no mistake fails it"
            sentences.append(f"{check.id} ({check.title}): {why}.")
    return tuple(sentences)


def flake(trials: Sequence[Trial], reseeded: Sequence[Verdicts]) -> Flake:
    """How many verdicts of the variants are others under other seeds: passed or not, or the diagnosis."""
    tested = [trial for trial in trials if trial.form.role is not Role.REFERENCE]
    changed = [
        trial.form.name
        for others in reseeded
        for trial in tested
        for verdict, other in zip(trial.verdicts, others[trial.form.name], strict=True)
        if (verdict.status, verdict.diagnosis) != (other.status, other.diagnosis)
    ]
    number = len(reseeded) * sum(len(trial.verdicts) for trial in tested)
    return Flake(seeds=len(reseeded), verdicts=number, changed=len(changed), forms=tuple(dict.fromkeys(changed)))


def _mark(trial: Trial) -> Mark:
    return Mark(
        function=trial.form.function,
        identifier=trial.form.identifier,
        role=trial.form.role,
        ratios=trial.ratios,
        lost=tuple(verdict.id for verdict in trial.verdicts if verdict.id in trial.lost),
        other_manner=trial.other_manner,
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
