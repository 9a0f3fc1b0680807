"""One recording beside its answer: are these the reference's numbers, and where do they first differ?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from grader.answer_key.answer import UNIT_ROUNDOFF, Answer, Parts, VariantAnswer
from grader.answer_key.tolerance import distances, rows, tolerance
from grader.assignment.experiment import Experiment
from grader.judge.residual import Residual, one_step_residual
from grader.sandbox.recording import Outcome, Recording, Value
from reference.variants import Kind, variants


@dataclass(frozen=True)
class Observation:
    """What a student's function did in one experiment, with the answer beside it."""

    experiment: Experiment
    recording: Recording
    answer: Answer
    convention: str = ""
    """Identifier of the accepted convention whose numbers and calls the answer holds; empty for the reference's."""
    _differences: dict[tuple[int, str], int | None] = field(default_factory=dict, init=False, repr=False)
    """What `first_difference` found: several checks and the diagnosis ask for the same."""

    @property
    def returned(self) -> bool:
        """Whether the function returned something made of numbers."""
        return self.recording.outcome is Outcome.RETURNED and self.numbers is not None

    @cached_property
    def numbers(self) -> Parts | None:
        """The returned numbers in double precision, in whatever shape they came; None where there are none."""
        if self.recording.outcome is not Outcome.RETURNED:
            return None
        return _numbers(self.recording.value, self.answer)

    @cached_property
    def parts(self) -> Parts | None:
        """The returned numbers in the shape of the answer; None where they are of another shape.

        Axes of length one are no difference: a column of shape (d, 1) is a vector of shape (d,).
        """
        if self.numbers is None or len(self.numbers) != len(self.answer.parts):
            return None
        parts = tuple(_reshaped(got, asked) for got, asked in zip(self.numbers, self.answer.parts, strict=True))
        return None if any(part is None for part in parts) else tuple(part for part in parts if part is not None)

    @cached_property
    def path(self) -> NDArray[np.float64] | None:
        """The returned numbers as iterates, also where some are missing, but not all: (rows, ...), rows as asked."""
        if not self.answer.iterative or not self.numbers or len(self.numbers) != 1:
            return None
        if self.parts is not None:
            return self.parts[0]
        returned = self.numbers[0]
        of_rows = returned.ndim >= 2 and returned.shape[1:] == self.answer.parts[0].shape[1:]
        return returned if of_rows and len(returned) else None

    @cached_property
    def precision(self) -> str:
        """The precision that the numbers were computed in, as far as it shows.

        An array of float32, or one of float64 that holds nothing but float32 numbers where the answer does not.
        Double where single precision could not tell right from wrong.
        """
        if self.numbers is None or not self.answer.single:
            return "float64"
        if "float32" in _dtypes(self.recording.value):
            return "float32"
        asked_in_single = all(_single(part) for part in self.answer.parts)
        return "float32" if not asked_in_single and all(_single(part) for part in self.numbers) else "float64"

    @cached_property
    def residual(self) -> Residual | None:
        """Which steps are right when the student's own previous iterate is taken as given; None where unknown.

        The reference is run once for every step: ask for wrong paths only.
        """
        if self.parts is None or not self.answer.iterative or len(self.parts) != 1:
            return None
        return one_step_residual(self.experiment, self.parts[0], self.precision)

    def under(self, convention: str) -> Observation | None:
        """The same recording beside what an accepted convention gives; None where that is no finite numbers."""
        mistakes = tuple(variant.identifier for variant in variants(self.experiment.reference, Kind.MISTAKE))
        answer = _answer_of(convention, self.answer, mistakes)
        return None if answer is None else Observation(self.experiment, self.recording, answer, convention)

    def allowed(self, part: int, precision: str | None = None) -> NDArray[np.float64]:
        """Tolerance of each row of a part, for the precision that shows or another one."""
        precision = precision or self.precision
        envelope = self.answer.envelope[precision][part]
        return tolerance(self.answer.parts[part], envelope, self.answer.iterative, precision)

    def first_difference(self, part: int, precision: str | None = None) -> int | None:
        """First row of the part that is not the reference's; None where all are. Needs `parts`."""
        wanted = (part, precision or self.precision)
        if wanted not in self._differences:
            assert self.parts is not None
            distance = distances(self.parts[part], self.answer.parts[part], self.answer.iterative)
            beyond = np.flatnonzero((distance > self.allowed(*wanted))[: self.answer.horizon])
            self._differences[wanted] = int(beyond[0]) if beyond.size else None
        return self._differences[wanted]

    def agrees(self, part: int | None = None, precision: str | None = None) -> bool:
        """Whether the numbers (or one part of them) are the reference's."""
        if self.parts is None:
            return False
        chosen = range(len(self.parts)) if part is None else [part]
        return all(self.first_difference(index, precision) is None for index in chosen)


@lru_cache(maxsize=256)
def _answer_of(convention: str, answer: Answer, mistakes: tuple[str, ...]) -> Answer | None:
    """The answer with a convention in the place of the reference; None where it gives no finite numbers.

    The bound of the theorem stays: it is about the problem and the parameters. So does a horizon that rounding sets.
    """
    given = answer.variants[convention]
    if given.parts is None or not all(np.isfinite(part).all() for part in (*given.parts, *given.envelope)):
        return None
    right, exact = given.parts, given.envelope

    def is_mistaken_for(mistake: VariantAnswer, precision: str) -> bool:
        return (
            mistake.parts is not None
            and len(mistake.parts) == len(right)
            and all(
                close(wrong, part, width, answer.iterative, precision)
                for wrong, part, width in zip(mistake.parts, right, exact, strict=True)
            )
        )

    wrong = [answer.variants[mistake] for mistake in mistakes]
    cut = answer.iterative and answer.horizon < len(answer.parts[0])
    return replace(
        answer,
        parts=right,
        calls=given.calls,
        envelope={precision: tuple(_scaled(width, precision) for width in exact) for precision in answer.envelope},
        horizon=answer.horizon if cut or not answer.iterative else len(right[0]),
        single=all(is_mistaken_for(each, "float64") or not is_mistaken_for(each, "float32") for each in wrong),
    )


def _scaled(envelope: NDArray[np.float64], precision: str) -> NDArray[np.float64]:
    """An envelope of double precision in another one: to first order it grows with the unit roundoff."""
    return envelope * (UNIT_ROUNDOFF[precision] / UNIT_ROUNDOFF["float64"])


@np.errstate(all="ignore")
def _numbers(value: Value, answer: Answer) -> Parts | None:
    """The returned numbers in double precision; a signalling NaN of a shorter type is a NaN like any other."""
    if isinstance(value, np.ndarray):
        if answer.returns_tuple and value.ndim >= 1 and len(value) == len(answer.parts):
            return tuple(np.asarray(row, dtype=np.float64) for row in value)
        return (np.asarray(value, dtype=np.float64),)
    if value is None:
        return None
    leaves = [part for part in value if isinstance(part, np.ndarray)]
    if len(leaves) != len(value) or not leaves:
        return None
    if not answer.returns_tuple and all(leaf.shape == leaves[0].shape for leaf in leaves):
        return (np.asarray(np.stack(leaves), dtype=np.float64),)
    return tuple(np.asarray(leaf, dtype=np.float64) for leaf in leaves)


def _reshaped(got: NDArray[np.float64], asked: NDArray[np.float64]) -> NDArray[np.float64] | None:
    if got.shape == asked.shape:
        return got
    same = tuple(n for n in got.shape if n != 1) == tuple(n for n in asked.shape if n != 1)
    return got.reshape(asked.shape) if same else None


def _dtypes(value: Value) -> set[str]:
    if isinstance(value, np.ndarray):
        return {value.dtype.name}
    return set().union(*(_dtypes(part) for part in value)) if value else set()


def _single(part: NDArray[np.float64]) -> bool:
    with np.errstate(all="ignore"):
        return bool(np.array_equal(part, part.astype(np.float32).astype(np.float64), equal_nan=True))


def close(
    got: NDArray[np.float64], right: NDArray[np.float64], envelope: NDArray[np.float64], iterative: bool, precision: str
) -> bool:
    """Whether two arrays agree within the tolerance that follows from the envelope of `right` in double precision.

    Of iterates, the same rows hold nan or inf: which of them, an order of operations decides. In other results, the
    same numbers are nan, inf or -inf.
    """
    if got.shape != right.shape:
        if got.size != right.size or np.squeeze(got).shape != np.squeeze(right).shape:
            return False
        got = got.reshape(right.shape)
    finite = np.isfinite(rows(right, iterative)).all(axis=1)
    if not np.array_equal(finite, np.isfinite(rows(got, iterative)).all(axis=1)):
        return False
    if not iterative and not np.array_equal(_beyond_numbers(got), _beyond_numbers(right), equal_nan=True):
        return False
    allowed = tolerance(right, _scaled(envelope, precision), iterative, precision)
    return bool((distances(got, right, iterative) <= allowed)[finite].all())


def _beyond_numbers(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is nan, inf or -inf, and zero in the place of every number."""
    return np.where(np.isfinite(values), 0.0, values)
