"""A question: one or more functions to hand in, or a written proof, worth points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.assignment.check import Check
from grader.assignment.experiment import Experiment
from grader.assignment.specification import RubricItemSpecification


@dataclass(frozen=True)
class Question:
    """Experiments and checks come from `checks.py`; title, points and rubric from `assignment.toml`."""

    id: str
    experiments: Sequence[Experiment] = ()
    checks: Sequence[Check] = ()
    title: str = ""
    points: float = 0.0
    rubric: Sequence[RubricItemSpecification] = ()

    def experiments_of(self, check: Check) -> list[Experiment]:
        """The experiments that the check judges, in the order of the file."""
        return [experiment for experiment in self.experiments if check.selects(experiment)]

    @property
    def functions(self) -> list[str]:
        """Names of the functions to hand in, in the order of the file."""
        return list(dict.fromkeys(experiment.function for experiment in self.experiments))
