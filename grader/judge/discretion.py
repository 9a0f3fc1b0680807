"""What may be told about a hidden experiment, whose data its student's code could write into whatever is told.

A process says itself what it raised, what it returned and where, and can say anything. Names are told if they are
known to everybody. A cell and a line are told if they look like one: that is what a student needs most, and all that
can be written into them is a few digits. No other number is told; what else would help is in the public experiments.
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
_COUNTED = re.compile(r"(list|tuple) of \d+ ([\w.]+)")
_EXIT_CODE = re.compile(r", with exit code \d+")
_FAILED_ORACLE = re.compile(r"The oracle \w+ failed")
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
    elif recording.outcome is Outcome.DIED:
        reason = _EXIT_CODE.sub("", reason)
    elif recording.outcome is Outcome.UNAVAILABLE and (fault := _FAILED_ORACLE.match(reason)):
        reason = f"{fault[0]}."  # what it says of itself may hold the point that it was asked for
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
    if counted and _is_known(counted[2]):
        return f"a {counted[1]} of {counted[2]}"
    return name if _is_known(name.removeprefix("empty ")) else "something of another type"


def _is_known(name: str) -> bool:
    """Whether it is a name of Python, or of a package that everybody uses."""
    if name in _OF_OTHERS or name in ("", "None") or hasattr(builtins, name):
        return True
    package, _, rest = name.partition(".")
    return package == "numpy" and isinstance(getattr(np, rest, None), type)
