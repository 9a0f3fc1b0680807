"""The kinds of check, as plain data. How each one judges is in `grader.judge`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from grader.assignment.drive import Drive, driven
from grader.assignment.errors import AssignmentError
from grader.assignment.experiment import Experiment
from grader.assignment.relations import Relation
from grader.assignment.theorem import theorem

Samples = NDArray[np.float64]
"""Independent samples, (n, ...): one in each row."""


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
        """Experiments with iterates, on strongly convex problems with a known minimiser."""
        problem = experiment.problem
        known = problem is not None and bool(problem.strong_convexity) and problem.minimizer is not None
        return experiment.iterative and known and super().selects(experiment)


@dataclass(frozen=True, kw_only=True)
class SublinearRate(Check):
    """The exponent p with which the gap shrinks like k^p, on problems that are convex and not strongly convex.

    It is that of the upper envelope max(gap_k, gap_{k+1}, ...), since accelerated methods go up and down.
    """

    kind: ClassVar[str] = "sublinear_rate"
    default_title: ClassVar[str] = "The gap shrinks with the right power of the number of steps"

    def selects(self, experiment: Experiment) -> bool:
        """Experiments with iterates, on convex problems with mu = 0 and a known minimum."""
        problem = experiment.problem
        known = problem is not None and problem.strong_convexity == 0 and problem.minimum is not None
        return experiment.iterative and known and super().selects(experiment)


@dataclass(frozen=True, kw_only=True)
class Monotone(Check):
    """What is minimised never grows from one iterate to the next."""

    kind: ClassVar[str] = "monotone"
    default_title: ClassVar[str] = "The objective never grows"

    def selects(self, experiment: Experiment) -> bool:
        """Experiments with iterates and a problem."""
        return experiment.iterative and experiment.problem is not None and super().selects(experiment)


@dataclass(frozen=True, kw_only=True)
class Bound(Check):
    """The theorem's bound along the whole run.

    For each experiment, the first guarantee of the reference whose conditions hold there.
    """

    kind: ClassVar[str] = "bound"
    default_title: ClassVar[str] = "The theorem's bound holds along the whole run"

    def selects(self, experiment: Experiment) -> bool:
        """Experiments with iterates, where some theorem's conditions hold."""
        return super().selects(experiment) and theorem(experiment) is not None


@dataclass(frozen=True, kw_only=True)
class Calls(Check):
    """The number of calls of one oracle: that of the reference, or one more (a last gradient to report)."""

    kind: ClassVar[str] = "calls"

    oracle: str = "gradient"

    def __post_init__(self) -> None:
        called = self.oracle.replace("_", " ")
        object.__setattr__(self, "title", self.title or f"The number of {called} calls is right")
        super().__post_init__()

    def selects(self, experiment: Experiment) -> bool:
        """Experiments that offer the oracle."""
        return self.oracle in experiment.oracles and super().selects(experiment)


@dataclass(frozen=True, kw_only=True)
class ForbiddenOracle(Check):
    """One oracle is not called at all, though it is among the arguments.

    Args:
        oracle: its name; experiments without it are not selected.
    """

    kind: ClassVar[str] = "forbidden_oracle"
    default_title: ClassVar[str] = "The forbidden oracle is not called"

    oracle: str

    def selects(self, experiment: Experiment) -> bool:
        """Experiments that offer the oracle."""
        return self.oracle in experiment.oracles and super().selects(experiment)


@dataclass(frozen=True, kw_only=True)
class Cost(Check):
    """What all oracle calls cost together: at most what the reference's cost, and one call more of the dearest.

    Args:
        prices: oracle -> price of one call; an oracle that is not named is free, one that is not offered is no matter.
    """

    kind: ClassVar[str] = "cost"
    default_title: ClassVar[str] = "The oracle calls together cost no more than they should"

    prices: Mapping[str, float]

    def selects(self, experiment: Experiment) -> bool:
        """Experiments that offer one of the oracles with a price."""
        return bool(self.prices.keys() & experiment.oracles.keys()) and super().selects(experiment)

    def total(self, calls: Mapping[str, int]) -> float:
        """Price of these calls, oracle -> number of calls."""
        return sum(price * calls.get(oracle, 0) for oracle, price in self.prices.items())


@dataclass(frozen=True, kw_only=True)
class UnchangedInputs(Check):
    """The arrays that the function was given are as they were before the call."""

    kind: ClassVar[str] = "inputs_unchanged"
    default_title: ClassVar[str] = "The inputs are left unchanged"


@dataclass(frozen=True, kw_only=True)
class Property(Check):
    """A relation between the results of several experiments of one function.

    `on` names the base experiment first, then those that are related to it. All of them are public, or none.

    Args:
        relation: one of `grader.assignment.relations`.
    """

    kind: ClassVar[str] = "property"

    relation: Relation

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", self.id or self.relation.name)
        object.__setattr__(self, "title", self.title or self.relation.title)
        super().__post_init__()
        if len(self.on) < 2:
            raise AssignmentError(f"the property {self.id!r} relates experiments: name at least two, on=[base, other]")


@dataclass(frozen=True, eq=False)
class Moment:
    """An expectation that is known exactly.

    Args:
        title: what it is, for students: "the mean of the directions".
        of: samples (n, ...) -> (m, ...), one number or array for each of m independent samples.
        expected: its expectation; a number, or an array for all entries.
        variance: the variance of each entry, or an upper bound of it, > 0; the smaller, the sharper the check.
    """

    title: str
    of: Callable[[Samples], Samples]
    expected: NDArray[np.float64] | float
    variance: NDArray[np.float64] | float

    def __post_init__(self) -> None:
        if not np.all(np.asarray(self.variance) > 0):
            raise AssignmentError(f"{self.title}: the variance must be positive")


@dataclass(frozen=True, eq=False)
class Distribution:
    """The law of one number that is made from each sample.

    Args:
        title: what it is, for students: "the length of the points".
        of: samples (n, ...) -> (m,), one number for each of m independent samples.
        cdf: its distribution function F, continuous, (m,) -> (m,).
    """

    title: str
    of: Callable[[Samples], Samples]
    cdf: Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True, kw_only=True)
class Statistics(Check):
    """Returned samples, (n, ...), against the exact law. For functions that are given a generator by `Seed`.

    Args:
        laws: what must hold of the samples.
        false_alarm: for each experiment, at most this is the probability that right samples are rejected.
    """

    kind: ClassVar[str] = "statistics"
    default_title: ClassVar[str] = "The random numbers follow the right law"

    laws: tuple[Moment | Distribution, ...]
    false_alarm: float = 1e-7

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "laws", tuple(self.laws))
        if not self.laws:
            raise AssignmentError(f"the check {self.id!r} needs at least one law")
        if not 0 < self.false_alarm <= 1e-6:
            raise AssignmentError(f"the check {self.id!r}: a false alarm must be rarer than 1e-6")


@dataclass(frozen=True, kw_only=True)
class OptimizerSteps(Check):
    """All parameters of an optimizer after every step of a `Drive`, compared within the derived tolerance.

    `function`, where it is given, is the reference's class.
    """

    kind: ClassVar[str] = "optimizer"
    default_title: ClassVar[str] = "Every step of the optimizer is right"

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.function, type):
            object.__setattr__(self, "function", driven(self.function))

    def selects(self, experiment: Experiment) -> bool:
        """Drives."""
        return isinstance(experiment, Drive) and super().selects(experiment)


@dataclass(frozen=True, kw_only=True)
class Training(Check):
    """The training reaches a loss or an accuracy, with no more oracle calls and steps than it may use.

    The function returns its final parameters, in the shape of x0, or all iterates, of which the last is judged.

    Args:
        measure: final parameters -> one number; the problem's objective where none is given.
        at_most: the number may be at most this (a loss); or
        at_least: it must be at least this (an accuracy).
        calls: oracle -> most calls; an oracle that is not named is free.
        steps: returned iterates may be at most x_0, ..., x_steps.
    """

    kind: ClassVar[str] = "training"
    default_title: ClassVar[str] = "The training reaches its goal within the budget"

    measure: Callable[[NDArray[np.float64]], float] | None = None
    at_most: float | None = None
    at_least: float | None = None
    calls: Mapping[str, int] = field(default_factory=dict)
    steps: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.at_most is None) == (self.at_least is None):
            raise AssignmentError(f"the check {self.id!r} needs a goal: either at_most or at_least")

    def selects(self, experiment: Experiment) -> bool:
        """Experiments with a starting point x0, the named oracles, and something to measure."""
        arguments = experiment.given
        return (
            "x0" in arguments
            and self.calls.keys() <= experiment.oracles.keys()
            and (self.measure is not None or experiment.problem is not None)
            and super().selects(experiment)
        )

    def reached(self, number: float) -> bool:
        """Whether the number is as good as the goal; nan never is."""
        low_enough = self.at_most is None or number <= self.at_most
        return low_enough and (self.at_least is None or number >= self.at_least)
