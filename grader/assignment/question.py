"""A question: one or more functions to hand in, or a written proof, worth points."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from grader.assignment.check import Check
from grader.assignment.errors import AssignmentError
from grader.assignment.experiment import Experiment
from grader.assignment.specification import RubricItemSpecification
from reference.variants import Kind, Variant, variants


@dataclass(frozen=True)
class Question:
    """Experiments and checks come from `checks.py`; title, points and rubric from `assignment.toml`.

    Args:
        id: as in `assignment.toml`.
        experiments: what is run.
        checks: what is judged.
        accepts: registered conventions of the references (functions, or an optimizer's classes). Who follows one of
            them in all experiments of a function is judged by its numbers and calls.
        title: what students read.
        points: what the question is worth.
        rubric: what is marked by hand.

    Raises:
        AssignmentError: an entry of `accepts` is no convention of a reference of this question.
    """

    id: str
    experiments: Sequence[Experiment] = ()
    checks: Sequence[Check] = ()
    accepts: Sequence[Callable[..., Any]] = ()
    title: str = ""
    points: float = 0.0
    rubric: Sequence[RubricItemSpecification] = ()

    def __post_init__(self) -> None:
        known = [variant for function in self.functions for variant in self._variants(function)]
        for entry in self.accepts:
            kinds = [variant.kind for variant in known if _same(variant, entry)]
            if Kind.CONVENTION not in kinds:
                raise AssignmentError(self._complaint(entry, kinds, known))

    def experiments_of(self, check: Check) -> list[Experiment]:
        """The experiments that the check judges, in the order of the file."""
        return [experiment for experiment in self.experiments if check.selects(experiment)]

    def accepted(self, function: str) -> list[Variant]:
        """The accepted conventions of one of the functions, in the order of the reference."""
        return [
            variant
            for variant in self._variants(function)
            if variant.kind is Kind.CONVENTION and any(_same(variant, entry) for entry in self.accepts)
        ]

    @property
    def functions(self) -> list[str]:
        """Names of the functions to hand in, in the order of the file."""
        return list(dict.fromkeys(experiment.function for experiment in self.experiments))

    def _variants(self, function: str) -> tuple[Variant, ...]:
        return variants(next(e.reference for e in self.experiments if e.function == function))

    def _complaint(self, entry: object, kinds: Sequence[Kind], known: Sequence[Variant]) -> str:
        name = getattr(entry, "__name__", repr(entry))
        conventions = [variant.identifier for variant in known if variant.kind is Kind.CONVENTION]
        functions = ", ".join(self.functions) or "no function"
        if Kind.EQUIVALENT in kinds:
            why = "is an equivalent, which always passes; leave it out"
        elif Kind.MISTAKE in kinds:
            why = "is a mistake, which never passes; leave it out, or register it as a convention"
        elif conventions:
            why = f"is no registered convention of {functions}; there are {', '.join(conventions)}"
        else:
            why = f"is no registered convention of {functions}, of which none is known; leave it out"
        return f"question {self.id!r} accepts {name}, which {why}"


def _same(variant: Variant, entry: object) -> bool:
    """Whether the author means this variant: that of an optimizer stands for a class."""
    return inspect.unwrap(variant.function) is (inspect.unwrap(entry) if callable(entry) else entry)
