"""The data of a finding: numbers that a student returned, beside numbers that they may come from.

Most of what is tried explains nothing, and that shows in the first rows: their tolerances depend on no later row, so
what does not hold there does not hold. Whatever is tested on a whole case is tested on its head before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from grader.answer_key.answer import UNIT_ROUNDOFF, Answer, Parts
from grader.answer_key.tolerance import FACTOR, FLOOR, lengths, rows
from grader.assignment.experiment import Argument, Experiment
from grader.judge.observation import Observation, close
from grader.judge.residual import STEPS, rerun, rerun_with_tolerance

Array = NDArray[np.float64]
UNIT = UNIT_ROUNDOFF["float64"]
HEAD = 6
"""So many rows are looked at before all of them."""
SLACK = 1.0 + 1e-9
"""Rounding of the tolerance itself must not reject on the first rows what all rows accept."""
ROUGHLY = 1e-2
"""What is off by more than this part is not worth a tolerance."""
SHARP = 1e-3
"""Tolerances of at most this part of the numbers let nothing fit by chance."""


@dataclass(frozen=True)
class Finding:
    """What was found, for a `Diagnosis`."""

    identifier: str
    sentence: str


@dataclass(frozen=True, eq=False)
class Candidate:
    """Numbers that the returned ones may be made from (the reference's answer, or a variant's) in one experiment.

    What is known of them alone is found once, and holds for every recording.
    """

    answer: Answer
    right: Parts
    envelope: Parts

    @cached_property
    def head(self) -> Candidate | None:
        """The first rows alone; None where there are no more, or where the numbers are no iterates."""
        if not self.answer.iterative or len(self.right) != 1 or self.right[0].ndim < 2 or len(self.right[0]) <= HEAD:
            return None
        return Candidate(self.answer, (self.right[0][:HEAD],), (self.envelope[0][:HEAD],))

    @cached_property
    def asked_form(self) -> bool:
        """Whether they have the shapes of the reference's answer, and move where the reference does."""
        asked = self.answer.parts
        same = [part.shape for part in self.right] == [part.shape for part in asked]
        return same and not (self.answer.iterative and len(asked[0]) > 1 and all(map(stands_still, self.right)))

    @cached_property
    def sharp(self) -> bool:
        """Whether the tolerances are small beside the numbers; else anything could fit."""
        pairs = zip(self.right, self.envelope, strict=True)
        return all(_sharp(part, off, self.answer.iterative) for part, off in pairs)

    @cached_property
    def differs_from_reference(self) -> bool:
        """Whether they are not what the reference gives."""
        answer = self.answer
        triples = zip(self.right, answer.parts, answer.envelope["float64"], strict=True)
        return not all(close(part, asked, off, answer.iterative, "float64") for part, asked, off in triples)

    @cached_property
    def squares(self) -> tuple[float, ...]:
        """The sum of squares of each part."""
        with np.errstate(all="ignore"):
            return tuple(inner(part, part) for part in self.right)

    @cached_property
    def nonzero(self) -> tuple[int, ...]:
        """How many numbers of each part are not zero."""
        return tuple(int(np.count_nonzero(part)) for part in self.right)


@dataclass(frozen=True, eq=False)
class Case:
    """One experiment: what came back, and what it may have been made from."""

    observation: Observation
    candidate: Candidate
    got: Parts
    """The returned numbers, in whatever shape they came."""
    cut: bool = False
    """Whether these are the first rows only."""

    @property
    def right(self) -> Parts:
        """What the returned numbers may be made from."""
        return self.candidate.right

    @property
    def envelope(self) -> Parts:
        """The envelope of each part of `right`, in double precision."""
        return self.candidate.envelope

    @property
    def iterative(self) -> bool:
        """Whether the numbers are iterates, one row each."""
        return self.observation.answer.iterative

    @property
    def path(self) -> Array | None:
        """The returned rows, where there is one iterate each; None for other numbers."""
        return self.got[0] if self.iterative and len(self.got) == len(self.right) == 1 else None

    @cached_property
    def stages(self) -> tuple[Case, ...]:
        """The case cut to its first rows, where that can be done, and the whole: a test passes where all stages do."""
        head, path = self.candidate.head, self.path
        # Rows of another form cannot be cut: where a matrix came back transposed, each iterate is a column.
        if head is None or path is None or path.shape[1:] != self.right[0].shape[1:]:
            return (self,)
        return Case(self.observation, head, (path[:HEAD],), cut=True), self

    @property
    def fits_entirely(self) -> bool:
        """Whether there is no difference to find a relation for."""
        return len(self.got) == len(self.right) and all(map(self.fits_as_it_is, range(len(self.right))))

    def fits(self, got: Array, right: Array, envelope: Array, moved: Array | float = 0.0) -> bool:
        """Whether two arrays agree within the tolerance; of first rows, whether they may.

        Args:
            got: returned numbers.
            right: what they should be, if the finding holds.
            envelope: the envelope of each row of `right`, in double precision.
            moved: size, in all or of each row, of numbers that were added, and whose rounding is in `got`.
        """
        width = envelope + moved * FLOOR * UNIT / FACTOR
        if self.cut:
            return got.shape == right.shape and not _apart(got, right, width, self.observation.precision)
        return close(got, right, width, self.iterative, self.observation.precision)

    def fits_as_it_is(self, part: int) -> bool:
        """Whether one part is right."""
        return self._as_it_is[part]

    @cached_property
    def _as_it_is(self) -> tuple[bool, ...]:
        return tuple(
            all(stage.fits(stage.got[part], stage.right[part], stage.envelope[part]) for stage in self.stages)
            for part in range(len(self.right))
        )


Relation = Callable[[Sequence[Case]], Finding | None]
"""A relation between returned and right numbers that explains all cases at once, with the same parameters."""


def inner(one: Array, other: Array) -> float:
    """The sum of the products of two arrays of equally many numbers."""
    # Not by BLAS, which starts threads for it: waking them takes longer than the sum.
    return float(np.einsum("i,i", one.ravel(), other.ravel()))


def stands_still(path: Array) -> bool:
    """Whether all rows are the same."""
    return bool((path[-1] == path[0]).all()) and bool((path == path[0]).all())


def _apart(got: Array, right: Array, envelope: Array, precision: str) -> bool:
    """Whether some row is outside its tolerance: `close` on a few rows, which leaves what is not finite to it."""
    unit = UNIT_ROUNDOFF[precision]
    with np.errstate(all="ignore"):
        size = np.maximum.accumulate(lengths(rows(right, True)))
        allowed = np.maximum(FACTOR * unit / UNIT * envelope, FLOOR * unit * size)
        return bool((lengths(rows(got - right, True)) > SLACK * allowed).any())


def _sharp(part: Array, envelope: Array, iterative: bool) -> bool:
    with np.errstate(all="ignore"):
        extent = part - part[:1] if iterative and part.ndim else part
        size = np.abs(extent).max(initial=0.0)
    widest = FACTOR * envelope.max(initial=0.0)
    return bool(np.isfinite(widest) and widest <= SHARP * size)


def rerun_fits(observation: Observation, changed: Mapping[str, Argument]) -> bool:
    """Whether the numbers are those of the reference with some of its arguments changed."""
    got, answer = observation.parts, observation.answer
    if got is None or not (_begins(observation, changed) and _roughly(rerun(observation.experiment, changed), got)):
        return False  # without the costly tolerance
    made = rerun_with_tolerance(observation.experiment, changed)
    if made is None:
        return False
    case = Case(observation, Candidate(answer, *made), got)
    return case.candidate.sharp and case.fits_entirely


def _begins(observation: Observation, changed: Mapping[str, Argument]) -> bool:
    """Whether the first rows are roughly those of the changed reference; true where that cannot be told."""
    assert observation.parts is not None
    if not _begins_alike(observation.experiment, observation.answer):
        return True
    first = rerun(observation.experiment, {**changed, STEPS: HEAD - 1})
    return first is None or _roughly(first, (observation.parts[0][:HEAD],))


@lru_cache(maxsize=1024)
def _begins_alike(experiment: Experiment, answer: Answer) -> bool:
    """Whether a run of few steps is the beginning of the long one: where steps depend on their number, it is not."""
    if STEPS not in experiment.arguments or not answer.iterative or len(answer.parts[0]) <= HEAD:
        return False
    first = rerun(experiment, {STEPS: HEAD - 1})
    asked, envelope = answer.parts[0][:HEAD], answer.envelope["float64"][0][:HEAD]
    return first is not None and len(first) == 1 and close(first[0], asked, envelope, True, "float64")


def _roughly(made: Parts | None, got: Parts) -> bool:
    if made is None or [part.shape for part in made] != [part.shape for part in got]:
        return False
    with np.errstate(all="ignore"):
        return all(bool(inner(off := a - b, off) <= ROUGHLY**2 * inner(b, b)) for a, b in zip(got, made, strict=True))


def case_of_reference(observation: Observation) -> Case:
    """The observation beside the reference, as far as the two are compared."""
    return Case(observation, _candidate(observation.answer, None), observation.numbers or ())


def case_of_variant(observation: Observation, identifier: str) -> Case | None:
    """The observation beside a mistake or a convention; None where that raises."""
    if observation.answer.variants[identifier].parts is None:
        return None
    return Case(observation, _candidate(observation.answer, identifier), observation.numbers or ())


@lru_cache(maxsize=4096)
def _candidate(answer: Answer, identifier: str | None) -> Candidate:
    """The reference's numbers, or those of a variant that does not raise; one object for all recordings."""
    if identifier is None:
        return Candidate(answer, answer.parts, answer.envelope["float64"])
    variant = answer.variants[identifier]
    assert variant.parts is not None
    return Candidate(answer, variant.parts, variant.envelope)
