"""What the arguments of an oracle must be, and the sentence for a student where one is something else.

An argument comes as the kind of its numbers (numpy's `dtype.kind`) and a float64 array.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FEW = 1000
"""So many samples may be asked for in one call of an oracle, however few there are; otherwise each of them once."""

Floats = NDArray[np.float64]


class MisuseError(Exception):
    """An argument that the oracle does not take.

    Args:
        wanted: what it takes, in words.
        got: what came, in words.
    """

    def __init__(self, wanted: str, got: str) -> None:
        super().__init__(wanted, got)
        self.wanted, self.got = wanted, got


@dataclass(frozen=True)
class Point:
    """An array of this shape; what its numbers are is left to the oracle."""

    shape: tuple[int, ...]

    def read(self, kind: str, given: Floats) -> Floats:
        """The point.

        Raises:
            MisuseError: another shape.
        """
        if given.shape != self.shape:
            raise MisuseError(f"an array of shape {self.shape}", str(given.shape))
        return given

    @property
    def entries(self) -> int:
        """The largest number of entries that are taken."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Number:
    """One real number, at least `smallest`; nan is left to the oracle."""

    smallest: float

    def read(self, kind: str, given: Floats) -> float:
        """The number.

        Raises:
            MisuseError: an array, or a number below `smallest`.
        """
        wanted = f"a number of at least {self.smallest:g}"
        if given.shape:
            raise MisuseError(wanted, f"an array of shape {given.shape}")
        number = float(given)
        if number < self.smallest:
            raise MisuseError(wanted, f"{number:g}")
        return number

    @property
    def entries(self) -> int:
        """The largest number of entries that are taken."""
        return 1


@dataclass(frozen=True)
class Indices:
    """The number of one of `count` samples, from 0 on, or a one-dimensional array of such numbers."""

    count: int

    def read(self, kind: str, given: Floats) -> int | NDArray[np.int64]:
        """One whole number, or an array (m,) of them.

        Raises:
            MisuseError: not whole, out of range, none at all or too many, truth values, more than one axis.
        """
        wanted = f"a whole number from 0 to {self.count - 1}, or an array of such numbers"
        if kind == "b":
            raise MisuseError(wanted, "truth values")
        if given.ndim > 1 or not given.size:
            raise MisuseError(wanted, f"an array of shape {given.shape}")
        if given.size > self.entries:
            raise MisuseError(f"at most {self.entries} whole numbers", str(given.size))
        # The comparisons are false for nan.
        wrong = given[~((given >= 0) & (given < self.count) & (given == np.floor(given)))]
        if wrong.size:
            raise MisuseError(wanted, f"{wrong[0]:.15g}")
        return given.astype(np.int64) if given.ndim else int(given)

    @property
    def entries(self) -> int:
        """The largest number of entries that are taken: the answer has as many rows."""
        return max(self.count, FEW)


def evaluations(point: Any, *further: Any) -> int:
    """What a call with these arguments counts: one, or one for each of the samples that it asks for."""
    return math.prod(int(np.size(argument)) for argument in further)
