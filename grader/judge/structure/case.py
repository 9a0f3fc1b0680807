"""The data of a finding: numbers that a student returned, beside numbers that they may come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grader.answer_key.answer import Parts
from grader.answer_key.tolerance import FACTOR, FLOOR
from grader.assignment.experiment import Argument
from grader.judge.observation import Observation, close
from grader.judge.residual import rerun, rerun_with_tolerance

Array = NDArray[np.float64]
UNIT = 2.0**-53
ROUGHLY = 1e-2
"""What is off by more than this part is not worth a tolerance."""
SHARP = 1e-3
"""Tolerances of at most this part of the numbers let nothing fit by chance."""


@dataclass(frozen=True)
class Finding:
    """What was found, for a `Diagnosis`."""

    identifier: str
    sentence: str


@dataclass(frozen=True)
class Case:
    """One experiment: what came back, and what it may have been made from (the reference's answer, or a variant's)."""

    observation: Observation
    right: Parts
    envelope: Parts

    @property
    def got(self) -> Parts:
        """The returned numbers, in whatever shape they came."""
        return self.observation.numbers or ()

    @property
    def iterative(self) -> bool:
        """Whether the numbers are iterates, one row each."""
        return self.observation.answer.iterative

    @property
    def path(self) -> Array | None:
        """The returned rows, where there is one iterate each; None for other numbers."""
        return self.got[0] if self.iterative and len(self.got) == len(self.right) == 1 else None

    @property
    def fits_entirely(self) -> bool:
        """Whether there is no difference to find a relation for."""
        return len(self.got) == len(self.right) and all(map(self.fits_as_it_is, range(len(self.right))))

    @property
    def asked_form(self) -> bool:
        """Whether `right` has the shapes of the reference's answer, and moves where the reference does."""
        asked = self.observation.answer.parts
        same = [part.shape for part in self.right] == [part.shape for part in asked]
        return same and not (self.iterative and len(asked[0]) > 1 and all((p == p[0]).all() for p in self.right))

    @property
    def sharp(self) -> bool:
        """Whether the tolerances are small beside the numbers; else anything could fit."""
        return all(_sharp(part, off, self.iterative) for part, off in zip(self.right, self.envelope, strict=True))

    @property
    def differs_from_reference(self) -> bool:
        """Whether `right` is not what the reference gives."""
        answer = self.observation.answer
        triples = zip(self.right, answer.parts, answer.envelope["float64"], strict=True)
        return not all(close(part, asked, off, self.iterative, "float64") for part, asked, off in triples)

    def fits(self, got: Array, right: Array, envelope: Array, moved: Array | float = 0.0) -> bool:
        """Whether two arrays agree within the tolerance.

        Args:
            got: returned numbers.
            right: what they should be, if the finding holds.
            envelope: the envelope of each row of `right`, in double precision.
            moved: size, in all or of each row, of numbers that were added, and whose rounding is in `got`.
        """
        return close(got, right, envelope + moved * FLOOR * UNIT / FACTOR, self.iterative, self.observation.precision)

    def fits_as_it_is(self, part: int) -> bool:
        """Whether one part is right."""
        return self.fits(self.got[part], self.right[part], self.envelope[part])


Relation = Callable[[Sequence[Case]], Finding | None]
"""A relation between returned and right numbers that explains all cases at once, with the same parameters."""


def _sharp(part: Array, envelope: Array, iterative: bool) -> bool:
    with np.errstate(all="ignore"):
        extent = part - part[0] if iterative and part.ndim else part
        size = np.abs(extent).max(initial=0.0)
    return bool(FACTOR * envelope.max(initial=0.0) <= SHARP * size)


def rerun_fits(observation: Observation, changed: Mapping[str, Argument]) -> bool:
    """Whether the numbers are those of the reference with some of its arguments changed."""
    got = observation.parts
    near = rerun(observation.experiment, changed)
    if got is None or near is None or [part.shape for part in near] != [part.shape for part in got]:
        return False
    with np.errstate(all="ignore"):
        if not all(np.linalg.norm(a - b) <= ROUGHLY * np.linalg.norm(b) for a, b in zip(got, near, strict=True)):
            return False  # without the costly tolerance
    made = rerun_with_tolerance(observation.experiment, changed)
    if made is None:
        return False
    case = Case(observation, *made)
    return case.sharp and case.fits_entirely


def case_of_reference(observation: Observation) -> Case:
    """The observation beside the reference, as far as the two are compared."""
    answer = observation.answer
    return Case(observation, answer.parts, answer.envelope["float64"])


def case_of_variant(observation: Observation, identifier: str) -> Case | None:
    """The observation beside a mistake or a convention; None where that raises."""
    variant = observation.answer.variants[identifier]
    return None if variant.parts is None else Case(observation, variant.parts, variant.envelope)
