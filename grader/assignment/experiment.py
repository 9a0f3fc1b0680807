"""An experiment: one call of the student's function on one problem with given arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.assignment.errors import AssignmentError
from reference.problem import Problem

Argument = NDArray[Any] | float | int | bool | str | np.random.Generator | Callable[..., Any]
"""A bound argument: an array, a number, a random generator, or (an oracle) a function of the problem."""

ORACLES = ("value", "gradient", "hessian", "project")
"""What a problem offers to functions of the student; each takes one point of the shape of x0."""


@dataclass(frozen=True)
class Seed:
    """Stands for `numpy.random.default_rng(value)`: each call of the function gets a new one, at its first number."""

    value: int

    def __post_init__(self) -> None:
        if isinstance(self.value, bool) or not isinstance(self.value, int) or self.value < 0:
            raise AssignmentError(f"a seed is a whole number >= 0, not {self.value!r}")


class Experiment:
    """One call of the student's function.

    The student's function has the name and the signature of `reference`. Each of its arguments is taken from
    `arguments`, else from the problem's data (`A`, `b`), else from the problem itself (`x0`; `value`, `gradient`,
    `hessian` and `project`, which become oracles that count their calls).

    Args:
        name: unique among the experiments of this function; students see it.
        reference: the reference's function.
        problem: what the function is run on; None where all arguments are given here.
        public: whether students see it, with its data, before the deadline (`grader check`).
        arguments: arrays and numbers; a function of one argument is called with the problem:
            `learning_rate=lambda problem: 1 / problem.smoothness`. `Seed(7)` gives the function a random generator.
    """

    def __init__(
        self,
        name: str,
        reference: Callable[..., Any],
        problem: Problem | None = None,
        *,
        public: bool = False,
        **arguments: NDArray[Any] | float | int | Seed | Callable[[Problem], Any],
    ) -> None:
        self.name = name
        self.reference = reference
        self.problem = problem
        self.public = public
        self.given = {name: self._bind(name, arguments) for name in self._parameters(arguments)}

    def __repr__(self) -> str:
        return f"Experiment({self.name!r}, {self.function})"

    @property
    def function(self) -> str:
        """Name of the function that the student writes."""
        return self.reference.__name__

    @property
    def key(self) -> str:
        """Name of the experiment that is unique in its assignment."""
        return f"{self.function}: {self.name}"

    @property
    def arguments(self) -> dict[str, Argument]:
        """The arguments in the order of the signature. A generator is a new one each time: drawing changes it."""
        return {
            name: np.random.default_rng(value.value) if isinstance(value, Seed) else value
            for name, value in self.given.items()
        }

    @property
    def oracles(self) -> Mapping[str, Callable[..., Any]]:
        """The arguments that are functions of the problem."""
        return {name: value for name, value in self.given.items() if callable(value)}

    @property
    def iterative(self) -> bool:
        """Whether the function is given oracles, and returns one row per iterate."""
        return bool(self.oracles)

    def _parameters(self, arguments: Mapping[str, Any]) -> list[str]:
        parameters = inspect.signature(self.reference).parameters
        unknown = set(arguments) - set(parameters)
        if unknown:
            raise AssignmentError(
                f"experiment {self.name!r}: {self.function} has no argument {sorted(unknown)[0]!r}; "
                f"it has {', '.join(parameters)}"
            )
        return [
            name
            for name, parameter in parameters.items()
            if parameter.default is inspect.Parameter.empty or name in arguments
        ]

    def _bind(self, parameter: str, arguments: Mapping[str, Any]) -> Argument | Seed:
        if parameter in arguments:
            value = arguments[parameter]
            if callable(value):
                if self.problem is None:
                    raise AssignmentError(
                        f"experiment {self.name!r}: {parameter!r} is a function of the problem, "
                        "but the experiment has no problem"
                    )
                value = value(self.problem)
            return _checked(self.name, parameter, value)
        if self.problem is not None and parameter in self.problem.data:
            return _checked(self.name, parameter, self.problem.data[parameter])
        if self.problem is not None and parameter in ("x0", *ORACLES):
            oracle_or_start: Argument | None = getattr(self.problem, parameter)
            if oracle_or_start is not None:
                return oracle_or_start
        raise AssignmentError(
            f"experiment {self.name!r}: the argument {parameter!r} of {self.function} is neither given "
            f"nor part of the problem; write {parameter}=... in the experiment"
        )


def _checked(experiment: str, parameter: str, value: Any) -> Argument | Seed:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool | int | float | str | Seed):
        return value
    if type(value) is np.ndarray and value.dtype.kind in "bif":
        value = value.copy()
        value.setflags(write=False)
        return value  # type: ignore[no-any-return]
    raise AssignmentError(
        f"experiment {experiment!r}: {parameter!r} must be a number or a numpy array of numbers (or a Seed), "
        f"not {type(value).__name__}"
    )
