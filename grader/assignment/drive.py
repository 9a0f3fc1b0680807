"""A drive: an experiment in which an optimizer (a class) is handed one gradient after the other."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial, update_wrapper
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from grader.assignment.errors import AssignmentError
from grader.assignment.experiment import Experiment
from grader.guest.driving import Layout, drive
from reference.variants import Kind, convention, equivalent, mistake, variants

_REGISTRATION = {Kind.EQUIVALENT: equivalent, Kind.CONVENTION: convention, Kind.MISTAKE: mistake}


@cache
def driven(optimizer: type) -> Callable[..., NDArray[np.float64]]:
    """The class as a function of the numbers of a drive, as every other part of the grader wants it.

    The variants of the class are the variants of the function; they must be there when it is first made.
    """
    function: Callable[..., NDArray[np.float64]] = update_wrapper(partial(drive, optimizer), optimizer, updated=())
    for variant in variants(optimizer):
        _REGISTRATION[variant.kind](function, variant.sentence)(driven(variant.function))
    return function


class Group:
    """Parameters that share options.

    Args:
        parameters: their first values, one array for each.
        options: what this group has in place of the optimizer's own: `lr=0.1`.
    """

    def __init__(self, *parameters: ArrayLike, **options: Any) -> None:
        self.parameters = [np.asarray(values, dtype=np.float64) for values in parameters]
        self.options = options


class Drive(Experiment):
    """An optimizer that makes K steps with given gradients.

    The student's class has the name of `reference`, and takes the parameters (or groups) and, by name, `options`.

    Args:
        name: unique among the experiments of this class; students see it.
        reference: subclass of `torch.optim.Optimizer`: the course's, or torch's own.
        groups: the parameters. One group without options of its own is handed over as a list of parameters.
        gradients: for each of the K steps, the gradient of each of the P parameters (of all groups, in this order);
            None for a parameter without gradient.
        public: as for every experiment.
        learning_rate_factors: step -> factor: before this step (1 is the first) the learning rate `lr` of each group is
            multiplied by it, as a scheduler would do.
        restarts: before these steps `state_dict()` is saved, and `load_state_dict()` of a new optimizer of new
            parameters with the same values loads it.
        options: what the class is given: `lr=1e-3, betas=(0.9, 0.999)`.

    Raises:
        AssignmentError: shapes that do not fit, steps that are not there, no `lr` to multiply, an option that is
            neither a number nor a text nor a tuple of these.
    """

    def __init__(
        self,
        name: str,
        reference: type,
        groups: Sequence[Group],
        gradients: Sequence[Sequence[ArrayLike | None]],
        *,
        public: bool = False,
        learning_rate_factors: Mapping[int, float] | None = None,
        restarts: Sequence[int] = (),
        **options: Any,
    ) -> None:
        self.shapes = [[parameter.shape for parameter in group.parameters] for group in groups]
        self.learning_rate_factors = dict(learning_rate_factors or {})
        self.restarts = tuple(restarts)
        self._complain(name, groups, gradients)
        numbers: list[float] = []
        layout = {
            "groups": [
                {"shapes": shapes, "options": _encoded(name, group.options, numbers)}
                for shapes, group in zip(self.shapes, groups, strict=True)
            ],
            "options": _encoded(name, options, numbers),
            "learning_rates": self._learning_rates(name, groups, options, numbers),
            "restarts": self.restarts,
        }
        every = [parameter for group in groups for parameter in group.parameters]
        rows = [
            [np.zeros(p.size) if g is None else np.ravel(g) for p, g in zip(every, step, strict=True)]
            for step in gradients
        ]
        super().__init__(
            name,
            driven(reference),
            public=public,
            start=np.concatenate([parameter.ravel() for parameter in every]),
            gradients=np.array([np.concatenate(row) for row in rows], dtype=np.float64),
            present=np.array([[gradient is not None for gradient in step] for step in gradients]),
            numbers=np.array(numbers),
            layout=Layout(json.dumps(layout)),  # type: ignore[arg-type]
        )

    @property
    def iterative(self) -> bool:
        """There is one row for each step."""
        return True

    def parameter_sizes(self) -> list[tuple[int, int, int]]:
        """For each parameter: its group, its place there (both from 1), its number of entries."""
        return [
            (group, place, int(np.prod(shape)))
            for group, shapes in enumerate(self.shapes, start=1)
            for place, shape in enumerate(shapes, start=1)
        ]

    def events(self, step: int) -> list[str]:
        """What is special about a step, for students."""
        special = {
            "the first after the state was saved and loaded": step in self.restarts,
            "the first with another learning rate": step in self.learning_rate_factors,
            "in which some parameters have no gradient": not np.asarray(self.given["present"])[step - 1].all(),
        }
        return [what for what, holds in special.items() if holds]

    def _parameters(self, arguments: Mapping[str, Any]) -> list[str]:
        return list(arguments)

    def _complain(self, name: str, groups: Sequence[Group], gradients: Sequence[Sequence[ArrayLike | None]]) -> None:
        expected = [parameter.shape for group in groups for parameter in group.parameters]
        if not expected or not len(gradients):
            raise AssignmentError(f"experiment {name!r}: there must be at least one parameter and one step")
        for step, row in enumerate(gradients, start=1):
            shapes = [shape if g is None else np.shape(g) for shape, g in zip(expected, row, strict=False)]
            if len(row) != len(expected) or shapes != expected:
                raise AssignmentError(
                    f"experiment {name!r}: the gradients of step {step} do not fit the parameters, of shapes {expected}"
                )
        for step in (*self.learning_rate_factors, *self.restarts):
            if not 1 <= step <= len(gradients):
                raise AssignmentError(f"experiment {name!r}: there is no step {step} in 1, ..., {len(gradients)}")

    def _learning_rates(
        self, name: str, groups: Sequence[Group], options: Mapping[str, Any], numbers: list[float]
    ) -> dict[int, list[int]]:
        """Step -> for each group, the place of its new learning rate in `numbers`."""
        if not self.learning_rate_factors:
            return {}
        given = [group.options.get("lr", options.get("lr")) for group in groups]
        current = [float(rate) for rate in given if rate is not None]
        if len(current) < len(groups):
            raise AssignmentError(f"experiment {name!r}: a group has no lr that could change")
        changes = {}
        for step, factor in sorted(self.learning_rate_factors.items()):
            current = [factor * rate for rate in current]
            changes[step] = list(range(len(numbers), len(numbers) + len(current)))
            numbers += current
        return changes


def _encoded(experiment: str, options: Mapping[str, Any], numbers: list[float]) -> dict[str, Any]:
    """The options as `Layout` wants them; their floats go to `numbers`."""

    def encode(name: str, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | str):
            return value
        if isinstance(value, float):
            numbers.append(float(value))
            return {"number": len(numbers) - 1}
        if isinstance(value, tuple | list):
            return [encode(name, part) for part in value]
        raise AssignmentError(
            f"experiment {experiment!r}: the option {name!r} must be a number, a text or a tuple of these, "
            f"not {type(value).__name__}"
        )

    return {name: encode(name, value) for name, value in options.items()}
