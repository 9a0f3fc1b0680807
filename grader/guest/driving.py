"""Drives an optimizer: hands it one gradient after the other, and notes all parameters after each step.

The same code runs beside the student's class and, for the reference, in the grader's process. Torch is imported when it
is first needed: other assignments do without it.
"""

from __future__ import annotations

import copy
import importlib
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

_loads, _deepcopy, _import = json.loads, copy.deepcopy, importlib.import_module
_concatenate = np.concatenate


class Layout(str):
    """What a drive is made of beside its numbers, as JSON. A call with such an argument is a drive.

    "groups"          for each parameter group: "shapes" of its parameters and its own "options"
    "options"         what all groups share; passed to the class by name
    "learning_rates"  step (1 is the first) -> one number for each group, set before that step
    "restarts"        steps before which the state is saved and loaded by a new optimizer of new parameters

    An option is null, a truth value, a whole number, a text; {"number": i}, the float `numbers[i]`; or a list of
    options, which becomes a tuple.
    """

    __slots__ = ()


def objection(value: object) -> str:
    """Why a student's class cannot be driven, in a sentence; empty where it can."""
    torch = _import("torch")
    base = torch.optim.Optimizer
    if not isinstance(value, type) or not issubclass(value, base):
        return "It is not a subclass of torch.optim.Optimizer."
    if any(each is not base and str(each.__module__).startswith("torch.optim.") for each in value.__mro__):
        return "It is one of torch's own optimizers, or extends one. Extend torch.optim.Optimizer itself."
    return ""


def drive(
    optimizer_class: Any,
    start: NDArray[np.float64],
    gradients: NDArray[np.float64],
    present: NDArray[np.bool_],
    numbers: NDArray[np.float64],
    layout: str,
) -> NDArray[np.float64]:
    """All parameters before the first step and after each one.

    The tensors `p.grad` share the memory of `gradients`: what `step` changes in them can be seen there afterwards.
    Everything is computed in double precision; tensors that are made without a dtype have it too.

    Args:
        optimizer_class: subclass of `torch.optim.Optimizer`.
        start: (n,), the first values of all P parameters, one after the other.
        gradients: (K, n), writable; what is handed over before step k is row k - 1.
        present: (K, P), whether a parameter has a gradient in this step; else `p.grad` is None.
        numbers: (m,), the floats among the options and the learning rates.
        layout: see `Layout`.

    Returns:
        (K + 1, n).

    Raises:
        ValueError: a step changed the size of a parameter.
    """
    torch = _import("torch")
    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        return _rows(torch, optimizer_class, start, gradients, present, numbers, _loads(layout))
    finally:
        torch.set_default_dtype(usual)


def _rows(
    torch: Any,
    optimizer_class: Any,
    start: NDArray[np.float64],
    gradients: NDArray[np.float64],
    present: NDArray[np.bool_],
    numbers: NDArray[np.float64],
    plan: dict[str, Any],
) -> NDArray[np.float64]:
    rows = np.empty((len(gradients) + 1, len(start)))
    rows[0] = start
    parameters, optimizer = _made(torch, optimizer_class, rows[0], numbers, plan)
    rows[0] = _flat(parameters, len(start))  # a constructor that changes the parameters is seen
    for step, (gradient, given) in enumerate(zip(gradients, present, strict=True), start=1):
        if step in plan["restarts"]:
            state = _deepcopy(optimizer.state_dict())
            parameters, optimizer = _made(torch, optimizer_class, rows[step - 1], numbers, plan)
            optimizer.load_state_dict(state)
        for group, index in zip(optimizer.param_groups, plan["learning_rates"].get(str(step), ()), strict=False):
            group["lr"] = float(numbers[index])
        end = 0
        for parameter, has_gradient in zip(parameters, given, strict=True):
            begin, end = end, end + parameter.numel()
            shared = torch.from_numpy(gradient[begin:end]).reshape(parameter.shape)
            parameter.grad = shared if has_gradient else None
        optimizer.step()
        rows[step] = _flat(parameters, len(start))
    return rows


def _made(
    torch: Any, optimizer_class: Any, values: NDArray[np.float64], numbers: NDArray[np.float64], plan: dict[str, Any]
) -> tuple[list[Any], Any]:
    """New parameters with these values, and an optimizer of them."""
    groups: list[dict[str, Any]] = []
    end = 0
    for group in plan["groups"]:
        members = []
        for shape in group["shapes"]:
            begin, end = end, end + int(np.prod(shape))
            members.append(torch.nn.Parameter(torch.from_numpy(values[begin:end].copy()).reshape(shape)))
        groups.append({"params": members, **_options(group["options"], numbers)})
    parameters = [parameter for group in groups for parameter in group["params"]]
    # The usual form where there is nothing to tell about groups.
    plain = len(groups) == 1 and len(groups[0]) == 1
    handed = list(parameters) if plain else groups
    return parameters, optimizer_class(handed, **_options(plan["options"], numbers))


def _options(options: dict[str, Any], numbers: NDArray[np.float64]) -> dict[str, Any]:
    return {name: _option(value, numbers) for name, value in options.items()}


def _option(value: Any, numbers: NDArray[np.float64]) -> Any:
    if isinstance(value, dict):
        return float(numbers[value["number"]])
    if isinstance(value, list):
        return tuple(_option(part, numbers) for part in value)
    return value


def _flat(parameters: list[Any], size: int) -> NDArray[np.float64]:
    flat = _concatenate([parameter.detach().double().reshape(-1).numpy() for parameter in parameters])
    if flat.shape != (size,):
        raise ValueError(f"the parameters have {len(flat)} entries together, and had {size} before the steps")
    return flat
