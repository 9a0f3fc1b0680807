"""The kinds of check, as plain data. How each one judges is in `grader.judge`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from grader.assignment.experiment import Experiment
from grader.assignment.theorem import theorem


@dataclass(frozen=True, kw_only=True)
class Check:
    """One judgement on the recordings of a question. It is passed when it passes on all its experiments.

    Args:
        points: what it is worth; all or nothing. For partial credit give a question several checks.
        id: unique in its question; the kind's own name where there is only one of the kind.
        title: what a student reads; the kind's own sentence where none is given.
        function: judge the experiments of this reference function only.
        on: judge the experiments of these names only.
    """

    kind: ClassVar[str] = ""
    default_title: ClassVar[str] = ""

    points: float
    id: str = ""
    title: str = ""
    function: Callable[..., Any] | None = None
    on: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", self.id or self.kind)
        object.__setattr__(self, "title", self.title or self.default_title)
        object.__setattr__(self, "on", tuple(self.on))

    def selects(self, experiment: Experiment) -> bool:
        """Whether this check judges that experiment."""
        return (self.function is None or self.function is experiment.reference) and (
            not self.on or experiment.name in self.on
        )


@dataclass(frozen=True, kw_only=True)
class Values(Check):
    """The returned numbers, compared within the derived tolerance.

    Args:
        part: judge only this part of a returned tuple.
    """

    kind: ClassVar[str] = "values"
    default_title: ClassVar[str] = "The returned numbers are right"

    part: int | None = None


@dataclass(frozen=True, kw_only=True)
class Iterates(Check):
    """Every iterate x_0, ..., x_K, compared within the derived tolerance."""

    kind: ClassVar[str] = "iterates"
    default_title: ClassVar[str] = "Every iterate is right"


@dataclass(frozen=True, kw_only=True)
class LinearRate(Check):
    """The factor by which the distance to the minimiser shrinks in each step, on strongly convex problems."""

    kind: ClassVar[str] = "rate"
    default_title: ClassVar[str] = "The error shrinks at the right linear rate"

    def selects(self, experiment: Experiment) -> bool:
        """Strongly convex problems with a known minimiser."""
        problem = experiment.problem
        known = problem is not None and bool(problem.strong_convexity) and problem.minimizer is not None
        return known and super().selects(experiment)


@dataclass(frozen=True, kw_only=True)
class Bound(Check):
    """The theorem's bound along the whole run.

    For each experiment, the first guarantee of the reference whose conditions hold there.
    """

    kind: ClassVar[str] = "bound"
    default_title: ClassVar[str] = "The theorem's bound holds along the whole run"

    def selects(self, experiment: Experiment) -> bool:
        """Experiments where some theorem's conditions hold."""
        return super().selects(experiment) and theorem(experiment) is not None


@dataclass(frozen=True, kw_only=True)
class Calls(Check):
    """The number of calls of one oracle: that of the reference, or one more (a last gradient to report)."""

    kind: ClassVar[str] = "calls"
    default_title: ClassVar[str] = "The number of gradient calls is right"

    oracle: str = "gradient"


@dataclass(frozen=True, kw_only=True)
class UnchangedInputs(Check):
    """The arrays that the function was given are as they were before the call."""

    kind: ClassVar[str] = "inputs_unchanged"
    default_title: ClassVar[str] = "The inputs are left unchanged"
