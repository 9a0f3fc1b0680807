"""An experiment: one call of the student's function on one problem with given arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from grader.assignment.errors import AssignmentError
from reference.problem import Matrix, Problem, Vector

Indices = NDArray[np.integer[Any]]
Argument = NDArray[Any] | float | int | bool | str | np.random.Generator | Callable[..., Any]
"""A bound argument: an array, a number, a random generator, or (an oracle) a function of the problem."""

ORACLES: Mapping[str, tuple[str, ...]] = {
    "value": ("x",),
    "gradient": ("x",),
    "hessian": ("x",),
    "project": ("v",),
    "prox": ("v", "t"),
    "component_gradient": ("x", "i"),
    "stochastic_gradient": ("x", "indices"),
}
"""What a problem offers to functions of the student, and the names of the arguments.

The first argument is a point of the shape of x0. t >= 0 is a number. i and indices are the number of a sample, or an
array of m such numbers: `component_gradient` gives the m gradients, (m, d), and `stochastic_gradient` their mean, (d,).
"""
_ATTRIBUTES = ("x0", "num_components")
"""What a function is given of a problem beside its data and its oracles."""


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
    `arguments`, else from the problem's data (`A`, `b`), else from the problem itself (`x0`, `num_components`, and
    what `ORACLES` names, which become oracles that count their calls). Where the data has the name of an oracle,
    like the matrix "hessian" of a quadratic, the annotation of the reference decides: a Callable is the oracle.

    Args:
        name: unique among the experiments of this function; students see it.
        reference: the reference's function.
        problem: what the function is run on; None where all arguments are given here.
        public: whether students see it, with its data, before the deadline (`grader check`).
        arguments: arrays and numbers; a function of one argument is called with the problem:
            `learning_rate=lambda problem: 1 / problem.smoothness`. It may return an oracle of the same name:
            `hessian=lambda problem: problem.hessian`. `Seed(7)` gives the function a random generator.
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
        """Whether the function returns one row per iterate: it is given oracles, and x0 to start from.

        One that is given oracles and no x0, like a finite difference at x, returns numbers like any other function.
        """
        return bool(self.oracles) and "x0" in self.given

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
                oracle = _oracle(self.problem, parameter)
                if oracle is not None and callable(value) and value == getattr(self.problem, parameter, None):
                    return oracle
            return _checked(self.name, parameter, value)
        data = {} if self.problem is None else self.problem.data
        oracle = None if self.problem is None else _oracle(self.problem, parameter)
        if oracle is not None and (parameter not in data or self._wants_oracle(parameter)):
            return oracle
        if parameter in data:
            return _checked(self.name, parameter, data[parameter])
        attribute = getattr(self.problem, parameter, None) if parameter in _ATTRIBUTES else None
        if attribute is not None:
            return attribute  # type: ignore[no-any-return]
        raise AssignmentError(
            f"experiment {self.name!r}: the argument {parameter!r} of {self.function} is neither given "
            f"nor part of the problem; write {parameter}=... in the experiment"
        )

    def _wants_oracle(self, parameter: str) -> bool:
        """Whether the reference is written for the oracle, and not for the data of the same name.

        Raises:
            AssignmentError: its annotation does not tell.
        """
        try:
            wanted = get_type_hints(self.reference).get(parameter, Any)
        except (NameError, TypeError):  # names that are imported for type checkers only; not a plain function
            wanted = Any
        if wanted is Any:
            raise AssignmentError(
                f"experiment {self.name!r}: the argument {parameter!r} of {self.function} may be the oracle of the "
                f"problem, or what its data has under this name; write {parameter}=lambda problem: problem.{parameter} "
                f"or {parameter}=lambda problem: problem.data[{parameter!r}] in the experiment"
            )
        return get_origin(wanted) is Callable or wanted is Callable


def _oracle(problem: Problem, name: str) -> Callable[..., Any] | None:
    """The oracle of this name, with the arguments that `ORACLES` tells; None where the problem does not offer it."""
    if name in _OF_SAMPLES:
        component = problem.component_gradient
        return None if component is None else partial(_OF_SAMPLES[name], component)
    offered: Callable[..., Any] | None = getattr(problem, name) if name in ORACLES else None
    return offered


def _component_gradient(component: Callable[[Vector, int], Vector], x: Vector, i: int | Indices) -> Vector | Matrix:
    if np.ndim(i) == 0:
        return component(x, int(i))
    return np.array([component(x, int(each)) for each in np.asarray(i)])


def _stochastic_gradient(component: Callable[[Vector, int], Vector], x: Vector, indices: int | Indices) -> Vector:
    return np.asarray(np.mean(_component_gradient(component, x, np.atleast_1d(indices)), axis=0))


_OF_SAMPLES: Mapping[str, Callable[..., Any]] = {
    "component_gradient": _component_gradient,
    "stochastic_gradient": _stochastic_gradient,
}


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
