"""What may be told about a hidden experiment: nothing that its student's code could have written its data into.

A process says itself what it raised, what it returned and where, and can say anything. Names are told if they are
known to everybody, places if they look like one; what else would help is in the public experiments.
"""

from __future__ import annotations

import builtins
import re
from dataclasses import replace

import numpy as np

from grader.sandbox.recording import Outcome, Recording, StudentError

_PLACE = re.compile(r"cell \d{1,4}|the script")
_LONGEST_PROGRAM = 20_000
"""Lines."""
_TYPE_IN_REFUSAL = re.compile(r"The result is (?:a|of type) ([\w.]+)[.,]")
_COUNTED = re.compile(r"(list|tuple) of (\d{1,6}) ([\w.]+)")
_OF_OTHERS = {
    "LinAlgError",
    "OutOfMemoryError",
    "TimeLimitError",
    "torch.Tensor",
    "torch.Parameter",
    "pandas.DataFrame",
}


def discreet(recording: Recording) -> Recording:
    """The recording of a hidden experiment, as its student may be told about it."""
    reason = recording.reason
    if recording.outcome is Outcome.REFUSED:
        found = _TYPE_IN_REFUSAL.match(reason)
        what = f"of type {found[1]}" if found and _is_known(found[1]) else "not made of plain numbers, or too large"
        reason = f"The result is {what}."
    elif recording.outcome is Outcome.TIMED_OUT:
        reason = "Its time was up."
    error = recording.error
    return replace(
        recording,
        reason=reason,
        returned_type=_type(recording.returned_type),
        error=None if error is None else _error(error),
    )


def _error(error: StudentError) -> StudentError:
    return StudentError(
        type=error.type if _is_known(error.type) else "an exception of its own",
        message="",
        block=error.block if error.block and _PLACE.fullmatch(error.block) else None,
        line=error.line if error.line is not None and error.line <= _LONGEST_PROGRAM else None,
    )


def _type(name: str) -> str:
    counted = _COUNTED.fullmatch(name)
    if _is_known(counted[3] if counted else name.removeprefix("empty ")):
        return name
    return "something of another type"


def _is_known(name: str) -> bool:
    """Whether it is a name of Python, or of a package that everybody uses."""
    if name in _OF_OTHERS or name in ("", "None") or hasattr(builtins, name):
        return True
    package, _, rest = name.partition(".")
    return package == "numpy" and isinstance(getattr(np, rest, None), type)
