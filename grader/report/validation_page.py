"""The validation page: how well the checks of an assignment tell correct forms from wrong ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grader.report.templates import render

_LEFT, _RIGHT = 16.0, 420.0
_INFINITE = 456.0
_TOP, _PITCH, _HEADING = 44.0, 36.0, 24.0
_LOWEST, _HIGHEST = -4, 20
"""Ratios of 10^-4 and less are drawn at the left edge, of 10^20 and more at the right one: how much says nothing."""
_ROLES = ("equivalent", "accepted convention", "convention", "mistake")
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class ConfusionRow:
    """How many forms of one role (reference, equivalents, accepted conventions, ...) ended how."""

    role: str
    number: int
    passed: int
    lost: int
    """Those that lost points; of these so many were diagnosed as:"""
    itself: int
    another: int
    nothing: int


@dataclass(frozen=True)
class Mark:
    """How far one form is from the reference."""

    function: str
    """Name of the function that is asked for."""
    identifier: str
    role: str
    """equivalent, accepted convention, convention or mistake"""
    ratios: Mapping[str, float]
    """Experiment -> largest distance in units of the tolerance; infinite where there are no numbers to compare.

    For an equivalent, the tolerance that rounding alone gives: that for grades is wide enough for it by construction.
    Experiments that leave the numbers free (statistics, training) have no ratio.
    """
    lost: tuple[str, ...]
    """The checks that it does not pass."""
    other_manner: bool
    """Whether it makes other oracle calls than the reference, or changes its inputs."""

    @property
    def name(self) -> str:
        """Unique in its question."""
        return f"{self.function}: {self.identifier}"

    @property
    def ratio(self) -> float:
        """The largest ratio over the experiments."""
        return max(self.ratios.values(), default=0.0)


@dataclass(frozen=True)
class Flake:
    """How many verdicts change when the answer key is built with other perturbation seeds."""

    seeds: int
    verdicts: int
    """Compared, over all seeds."""
    changed: int
    forms: tuple[str, ...]
    """The names of the forms whose verdicts change."""


@dataclass(frozen=True)
class QuestionFindings:
    """What was found out about one question. Forms are named `function: identifier`."""

    id: str
    title: str
    matrix: tuple[ConfusionRow, ...]
    marks: tuple[Mark, ...]
    faults: tuple[str, ...]
    """Sentences: a wrong form or a convention that is not accepted passes, a correct one fails."""
    unseen: tuple[str, ...]
    """Mistakes, and conventions that are not accepted, that no experiment can see."""
    misnamed: tuple[str, ...]
    """Sentences: forms that are diagnosed as another one, or as nothing."""
    pairs: tuple[tuple[str, str], ...]
    """Forms that cannot be told apart."""
    unneeded: tuple[str, ...]
    """Sentences: checks that no mistake needs."""
    flake: Flake

    @property
    def nearest_mistake(self) -> Mark | None:
        """The mistake with wrong numbers whose largest ratio is the smallest; None where there is none.

        A mistake without numbers to compare in some experiment is at no distance.
        """
        wrong = [mark for mark in self.marks if mark.role == "mistake" and 1 < mark.ratio < math.inf]
        return min(wrong, key=lambda mark: mark.ratio, default=None)

    @property
    def farthest_equivalent(self) -> Mark | None:
        """The equivalent whose largest ratio is the largest."""
        correct = [mark for mark in self.marks if mark.role == "equivalent" and mark.ratios]
        return max(correct, key=lambda mark: mark.ratio, default=None)

    @property
    def beyond_rounding(self) -> tuple[str, ...]:
        """Equivalents that pass only because they are in the library: rounding does not explain their numbers."""
        return tuple(mark.name for mark in self.marks if mark.role == "equivalent" and mark.ratio > 1)


@dataclass(frozen=True)
class SampleFindings:
    """Whether the sample submissions got what is expected."""

    number: int
    differences: tuple[str, ...]
    """Sentences."""


@dataclass(frozen=True)
class Validation:
    """Everything that is told about one assignment."""

    assignment: str
    title: str
    questions: tuple[QuestionFindings, ...]
    samples: SampleFindings | None
    """None where the assignment has none."""

    @property
    def faults(self) -> tuple[str, ...]:
        """Sentences: wrong forms that pass, correct ones that fail, samples that differ from what is expected."""
        of_questions = [fault for question in self.questions for fault in question.faults]
        return (*of_questions, *(self.samples.differences if self.samples else ()))


def shown_ratio(ratio: float) -> str:
    """A ratio in two digits: `0.0012`, `3.1e+09`; in words where there are no numbers."""
    return f"{ratio:.2g}" if math.isfinite(ratio) else "no numbers to compare"


def validation_page(validation: Validation) -> str:
    """One self-contained HTML page about the checks of an assignment."""
    return render(
        "validation.html",
        validation=validation,
        charts={
            question.id: _chart(measured)
            for question in validation.questions
            if (measured := [mark for mark in question.marks if mark.ratios])
        },
        shown_ratio=shown_ratio,
    )


@dataclass(frozen=True)
class _Row:
    """One form on the drawing."""

    mark: Mark
    y: float
    ticks: tuple[float, ...]
    """Where its experiments are."""
    end: float
    """Where the largest ratio is."""


@dataclass(frozen=True)
class _Chart:
    """The ratios of the forms of a question over a logarithmic axis, ready to be drawn; lengths in drawing units."""

    headings: tuple[tuple[float, str], ...]
    """Place and name of each function, above its forms."""
    rows: tuple[_Row, ...]
    decades: tuple[tuple[float, str], ...]
    """Place and label of the lines of the grid."""
    tolerance: float
    """Place of the ratio 1."""
    infinite: float | None
    """Place of forms without numbers to compare; None where there are none."""
    left: float
    top: float
    bottom: float


def _chart(marks: Sequence[Mark]) -> _Chart:
    ratios = [ratio for mark in marks for ratio in mark.ratios.values()]
    largest = max((ratio for ratio in ratios if math.isfinite(ratio) and ratio > 0), default=1.0)
    highest = min(max(4 * math.ceil(math.log10(largest) / 4), 4), _HIGHEST)

    def place(ratio: float) -> float:
        if not math.isfinite(ratio):
            return _INFINITE
        decade = min(max(math.log10(ratio), _LOWEST), highest) if ratio > 0 else _LOWEST
        return _LEFT + (_RIGHT - _LEFT) * (decade - _LOWEST) / (highest - _LOWEST)

    headings, rows, y = [], [], _TOP
    for function in dict.fromkeys(mark.function for mark in marks):
        headings.append((y + 18, function))
        y += _HEADING
        own = [mark for mark in marks if mark.function == function]
        for mark in sorted(own, key=lambda mark: (_ROLES.index(mark.role), mark.ratio)):
            ticks = tuple(place(ratio) for ratio in mark.ratios.values())
            rows.append(_Row(mark, y + _PITCH - 10, ticks, place(mark.ratio)))
            y += _PITCH
    return _Chart(
        headings=tuple(headings),
        rows=tuple(rows),
        decades=tuple((place(10.0**decade), _label(decade, largest)) for decade in range(_LOWEST, highest + 1, 4)),
        tolerance=place(1.0),
        infinite=None if all(math.isfinite(ratio) for ratio in ratios) else _INFINITE,
        left=_LEFT,
        top=_TOP,
        bottom=y + 8,
    )


def _label(decade: int, largest: float) -> str:
    sign = "≤ " if decade == _LOWEST else "≥ " if decade == _HIGHEST and largest > 10.0**_HIGHEST else ""
    return sign + "10" + str(decade).translate(_SUPERSCRIPT)
