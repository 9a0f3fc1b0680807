"""Runs the validation of an assignment: every form through the sandbox, then the judge, then the samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from grader.answer_key.build import build_answer_key
from grader.assignment.question import Question
from grader.batch.workplace import Workplace, calls, limits, warm_sandbox
from grader.report.validation_page import Validation
from grader.sandbox.warm import SandboxLevel
from grader.validation.copies import handed_in
from grader.validation.findings import findings
from grader.validation.samples import check_samples
from grader.validation.trial import ROLES, Form, Role, judged, tried
from reference.variants import variants

SEEDS = 5
"""How many other answer keys the verdicts are compared under."""


def validate(folder: Path, sandbox: SandboxLevel = "strong") -> Validation:
    """Test the checks of the assignment in `folder`.

    Raises:
        AssignmentError: the assignment cannot be read, or a form of a function cannot be handed in.
        PathError: the samples cannot be read.
        SandboxUnavailableError: the machine offers no isolation, and `weak` was not asked for.
    """
    with Workplace(folder, sandbox) as workplace:
        assignment, key = workplace.assignment, workplace.key
        unaided = build_answer_key(assignment, aided=False)
        others = [build_answer_key(assignment, seed) for seed in range(1, SEEDS + 1)]
        found = []
        with warm_sandbox(assignment, sandbox) as warm:
            # Questions without experiments are marked by hand.
            for question in (question for question in assignment.questions if question.experiments):
                trials = []
                for form, functions in forms(question):
                    run = warm.run(handed_in(functions), calls(list(question.experiments)), limits(assignment))
                    trials.append(tried(assignment, question, key, unaided, form, run))
                reseeded = [
                    {trial.form.name: judged(assignment, question, other, trial.run) for trial in trials}
                    for other in others
                ]
                found.append(findings(question, trials, key, reseeded))
        return Validation(assignment.id, assignment.title, tuple(found), check_samples(workplace))


def forms(question: Question) -> Iterator[tuple[Form, dict[str, Callable[..., Any]]]]:
    """Each form to hand in, the reference first: what it is, and the function under each name that is asked for."""
    asked = {experiment.function: experiment.reference for experiment in question.experiments}
    yield Form(Role.REFERENCE, question.functions[0], "reference"), dict(asked)
    for name, reference in asked.items():
        accepted = question.accepted(name)
        for variant in variants(reference):
            role = Role.ACCEPTED if variant in accepted else ROLES[variant.kind]
            yield Form(role, name, variant.identifier), {**asked, name: variant.function}
