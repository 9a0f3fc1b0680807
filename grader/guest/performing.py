"""One call of a student's function: arguments in, oracles in between, a plain result out."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from grader.guest.driving import drive, objection
from grader.guest.encoding import (
    Array,
    RefusedError,
    encode_value,
    pack,
    pack_arguments,
    type_name,
    unpack,
    unpack_point,
)
from grader.guest.frames import Channel, Kind
from grader.guest.stopwatch import Stopwatch, TimeLimitError
from grader.guest.workspace import Workspace, seed

_asarray = np.asarray
_tobytes = np.ndarray.tobytes
_default_rng = np.random.default_rng
_ABSENT = object()
_NO_MEMORY = "DefaultCPUAllocator: can't allocate memory"
"""How PyTorch says that there is no memory left."""


def perform(workspace: Workspace, channel: Channel, request: bytes) -> bytes:
    """Call the function and describe what happened.

    Args:
        workspace: where the function was defined.
        channel: where the oracles are asked.
        request: arrays and JSON: "function" and "arguments", "driven" where it is an optimizer's class, and what the
            run has left: "results" (their weight) and "printed" (bytes that are kept of this call).

    Returns:
        Arrays and JSON: "outcome", "tree", "returned_type", "reason", "changed_inputs", "printed", "error".
    """
    arrays, call = unpack(request)
    report: dict[str, Any] = {"outcome": "returned", "tree": None}
    allowance = workspace.allowance
    workspace.printed.start(call["printed"])
    seed()
    function = workspace.namespace.get(call["function"], _ABSENT)
    if not callable(function):
        reason = (
            f"The program does not define `{call['function']}`."
            if function is _ABSENT
            else f"`{call['function']}` is not a function but a value of type {type_name(function)}."
        )
        return pack([], {"outcome": "missing", "tree": None, "reason": reason})
    if call["driven"]:
        if reason := objection(function):
            return pack([], {"outcome": "refused", "tree": None, "reason": f"`{call['function']}`: {reason}"})
        function = partial(drive, function)
    arguments = [_argument(position, entry, arrays, channel) for position, entry in enumerate(call["arguments"])]
    before = [(array, array.shape, array.dtype, _tobytes(array)) for array in arrays]
    results: list[Array] = []
    try:
        with Stopwatch(allowance.cpu, allowance.wall):
            value = function(*arguments)
        report["returned_type"] = type_name(value)
        results, report["tree"] = encode_value(value, allowance.result, call["results"])
    except RefusedError as refused:
        report |= {"outcome": "refused", "reason": str(refused)}
    except BaseException as error:
        report |= _raised(workspace, error)
    changed = [
        (array.shape, array.dtype) != (shape, dtype) or _tobytes(array) != content
        for array, shape, dtype, content in before
    ]
    report["changed_inputs"] = [
        entry["name"] for entry in call["arguments"] if "array" in entry and changed[entry["array"]]
    ]
    report["printed"] = workspace.printed.take()
    return pack(results, report)


def _raised(workspace: Workspace, error: BaseException) -> dict[str, Any]:
    description = workspace.sources.describe(error)
    if isinstance(error, TimeLimitError):
        return {"outcome": "timed_out", "error": description, "reason": description["message"]}
    if isinstance(error, MemoryError) or _NO_MEMORY in str(description["message"]):
        return {"outcome": "out_of_memory", "error": description}
    return {"outcome": "raised", "error": description}


def _argument(position: int, entry: dict[str, Any], arrays: list[Array], channel: Channel) -> Any:
    if "array" in entry:
        return arrays[entry["array"]]
    if "scalar" in entry:
        return entry["scalar"]
    if "seed" in entry:
        return _default_rng(entry["seed"])
    return _oracle(position, entry["name"], entry["parameters"], channel)


def _oracle(position: int, name: str, parameters: Sequence[str], channel: Channel) -> Callable[..., Any]:
    """A function that sends its arguments to the grader and returns the answer."""
    one_at_a_time = threading.Lock()
    prefix = bytes([position])
    signature = inspect.Signature(
        [inspect.Parameter(each, inspect.Parameter.POSITIONAL_OR_KEYWORD) for each in parameters]
    )
    place = " for {}" if len(parameters) > 1 else ""
    expectations = [f"{name} expects an array of numbers{place.format(each)}" for each in parameters]

    def ask(*given: Any, **named: Any) -> Any:
        if named or len(given) != len(parameters):
            try:
                given = signature.bind(*given, **named).args
            except TypeError as error:
                raise TypeError(f"{name}{signature}: {error}") from None
        arguments = list(map(_numbers, expectations, given))
        with one_at_a_time:
            channel.send(Kind.ORACLE, prefix + pack_arguments(arguments))
            kind, payload = channel.receive()
        if kind is Kind.ANSWER:
            answer = unpack_point(payload)
            return answer if answer.ndim else float(answer)
        raise ValueError(payload.decode())

    ask.__name__ = ask.__qualname__ = name
    ask.__signature__ = signature  # type: ignore[attr-defined]
    ask.__doc__ = f"{name}{signature}: answered by the grader, which counts the calls."
    return ask


def _numbers(expectation: str, value: Any) -> Array:
    if callable(getattr(value, "detach", None)):
        value = value.detach()
        if getattr(value, "is_cuda", False):
            value = value.cpu()
    try:
        array: Array = _asarray(value)
        if array.dtype.kind not in "bifu":
            raise TypeError
        return array
    except (TypeError, ValueError):
        raise ValueError(f"{expectation}, got {type_name(value)}") from None
