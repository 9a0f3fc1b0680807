"""Relations between returned and right numbers: right ones in a wrong arrangement, or off by one constant.

Each relation says something about all numbers of all experiments, and is verified within their tolerances. So a
relation that is found is a fact; a parameter that it has (a factor, an order) is fitted once and holds everywhere.
Each is tested on all stages of a case (`Case.stages`): one that does not hold is rejected by the first rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np

from grader.answer_key.tolerance import lengths, rows
from grader.judge.structure.case import Array, Case, Finding, Relation, inner, stands_still

LEAST_OFFSET = 1e-9
"""What is added and smaller than this part of the numbers may come from rounding."""
LARGEST_TUPLE = 4
"""The parts of longer tuples are not tried in other orders."""


def transposed(cases: Sequence[Case]) -> Finding | None:
    """Some of the returned matrices are transposed, the same ones in all experiments."""
    turned = False
    for part in _parts(cases):
        if all(case.fits_as_it_is(part) for case in cases):
            continue
        if not all(case.got[part].ndim == 2 and _fits_part(case, part, case.got[part].T) for case in cases):
            return None
        turned = True
    return Finding("transposed", "The numbers are right, but the array is transposed.") if turned else None


def permuted(cases: Sequence[Case]) -> Finding | None:
    """The coordinates are in another order: the same one wherever there are equally many."""
    orders: dict[int, list[int]] = {}
    for case in cases:
        for part, got in enumerate(case.got):
            if len(case.got) != len(case.right) or got.shape != case.right[part].shape:
                return None
            if case.fits_as_it_is(part):
                continue
            if got.ndim != (2 if case.iterative else 1):
                return None
            if not all(_sorted_fits(stage, part) for stage in case.stages):
                return None
            order = orders.get(got.shape[-1])
            if order is None:
                order = orders[got.shape[-1]] = _order(got, case.right[part])
            if not _fits_part(case, part, got[..., order]):
                return None
    if not orders:
        return None
    return Finding("permuted", "The numbers are right, but the coordinates are in another order.")


def _sorted_fits(case: Case, part: int) -> bool:
    """Whether each row fits in some order: no two orders of two rows are nearer to each other than the sorted ones."""
    with np.errstate(all="ignore"):
        got, right = np.sort(case.got[part], axis=-1), np.sort(case.right[part], axis=-1)
    return case.fits(got, right, case.envelope[part])


def _order(got: Array, right: Array) -> list[int]:
    """For each coordinate of `right` the nearest one of `got` that is not taken yet."""
    columns, free = np.atleast_2d(got).T, list(range(got.shape[-1]))
    order = []
    for wanted in np.atleast_2d(right).T:
        with np.errstate(all="ignore"):
            off = np.linalg.norm(columns[free] - wanted, axis=1)
        order.append(free.pop(int(np.argmin(np.where(np.isfinite(off), off, np.inf)))))
    return order


def parts_swapped(cases: Sequence[Case]) -> Finding | None:
    """The values of a returned tuple are in another order."""
    count = len(cases[0].right)
    if not 1 < count <= LARGEST_TUPLE or not _parts(cases):
        return None
    for order in permutations(range(count)):
        if all(_fits_part(case, part, case.got[taken]) for case in cases for part, taken in enumerate(order)):
            return Finding("values_swapped", "The returned values are right, but their order is not the one asked for.")
    return None


def constant_factor(cases: Sequence[Case]) -> Finding | None:
    """One factor between returned and right numbers, in all experiments."""
    factors = {}
    for part in _parts(cases):
        if all(case.fits_as_it_is(part) for case in cases):
            continue
        # A single number is some multiple of every other one: it proves no factor.
        if sum(case.candidate.nonzero[part] for case in cases) < 2:
            return None
        factor = _factor(max(cases, key=lambda case: case.candidate.squares[part]), part)
        if factor is None or not all(_is_multiple(case, part, factor) for case in cases):
            return None
        factors[part] = factor
    if not factors:
        return None
    first = next(iter(factors.values()))
    if not np.allclose(list(factors.values()), first, rtol=1e-6, atol=0.0):
        return None
    which = "" if len(factors) == len(cases[0].right) else f" of value {' and '.join(str(p + 1) for p in factors)}"
    if np.isclose(first, -1.0, rtol=1e-9, atol=0.0):
        return Finding("opposite_sign", f"The sign{which or ' of the result'} is wrong.")
    times = f"{first:.6g} times" if _may_be_told(cases) else "a multiple of"
    return Finding(
        "constant_factor",
        f"The numbers{which} are {times} the right ones, in every experiment: a constant factor is off.",
    )


def _may_be_told(cases: Sequence[Case]) -> bool:
    """Whether a fitted number is seen in a public experiment: of hidden ones no number is told."""
    return any(case.observation.experiment.public and case.candidate.sharp for case in cases)


def normalisation(cases: Sequence[Case]) -> Finding | None:
    """The factor is the number of rows or columns of the data, or its inverse or root."""
    for (array, axis), sizes in _sizes(cases).items():
        for power, words in _POWERS.items():
            factors = [float(size) ** power for size in sizes]
            if len(set(factors)) > 1 and all(
                _is_multiple(case, part, factor)
                for case, factor in zip(cases, factors, strict=True)
                for part in _parts(cases)
            ):
                return Finding(
                    "normalisation",
                    f"The numbers are the right ones {words} n, where n is {array}.shape[{axis}]. "
                    "Is a sum asked for, or a mean?",
                )
    return None


_POWERS = {1.0: "times", -1.0: "divided by", 0.5: "times the root of", -0.5: "divided by the root of"}


def _sizes(cases: Sequence[Case]) -> dict[tuple[str, int], list[int]]:
    """(array, axis) -> its size in each case, for the arrays that all experiments have."""
    found: dict[tuple[str, int], list[int]] = {}
    for case in cases:
        experiment = case.observation.experiment
        data = dict(experiment.problem.data) if experiment.problem is not None else {}
        for name, value in {**data, **experiment.arguments}.items():
            for axis, size in enumerate(value.shape if isinstance(value, np.ndarray) else ()):
                found.setdefault((name, axis), []).append(size)
    return {place: sizes for place, sizes in found.items() if len(sizes) == len(cases)}


def _factor(case: Case, part: int) -> float | None:
    got, right = case.got[part], case.right[part]
    if got.shape != right.shape and got.size != right.size:
        return None
    size = case.candidate.squares[part]
    with np.errstate(all="ignore"):
        factor = inner(got, right) / size if size > 0 else 0.0
    return factor if np.isfinite(factor) and factor != 0 else None


def _is_multiple(case: Case, part: int, factor: float) -> bool:
    return all(
        stage.fits(stage.got[part], factor * stage.right[part], abs(factor) * stage.envelope[part])
        for stage in case.stages
    )


def constant_offset(cases: Sequence[Case]) -> Finding | None:
    """One number is added to every value, or one vector to every iterate."""
    if not _parts(cases) or any(len(case.right) > 1 for case in cases):
        return None
    if cases[0].iterative:
        return _offset_of_iterates(cases)
    if sum(case.right[0].size for case in cases) < 2 or any(c.got[0].shape != c.right[0].shape for c in cases):
        return None
    with np.errstate(all="ignore"):
        offset = float(np.median(np.concatenate([(case.got[0] - case.right[0]).ravel() for case in cases])))
    # Cancellation leaves the rounding of the larger numbers in a sum.
    least = LEAST_OFFSET * max(_size(case.right[0]) for case in cases)
    if (
        not np.isfinite(offset)
        or abs(offset) <= least
        or not all(
            case.fits(case.got[0], case.right[0] + offset, case.envelope[0], abs(offset) + _size(case.right[0]))
            for case in cases
        )
    ):
        return None
    what = f"{offset:.6g}" if _may_be_told(cases) else "One constant"
    return Finding("constant_offset", f"{what} is added to every number, in every experiment.")


def _offset_of_iterates(cases: Sequence[Case]) -> Finding | None:
    relative = True
    for case in cases:
        path, right = case.path, case.right[0]
        if path is None or path.shape != right.shape or len(path) < 3 or not np.isfinite(path).all():
            return None
        if stands_still(path):  # then it is the offset of every path that stands still
            return None
        offset = path[0] - right[0]
        if not all(_is_moved_by(stage, offset) for stage in case.stages):
            return None
        if np.linalg.norm(offset) <= LEAST_OFFSET * lengths(rows(right, True)).max():
            return None
        relative = relative and not path[0].any()
    if relative:
        sentence = "The rows are differences from the starting point. Row k must be x_k itself."
    else:
        sentence = "In each experiment all rows are off by one and the same vector."
    return Finding("constant_offset", sentence)


def _is_moved_by(case: Case, offset: Array) -> bool:
    right = case.right[0]
    moved = lengths(rows(right, True)) + float(np.linalg.norm(offset))
    return case.fits(case.got[0], right + offset, case.envelope[0], moved)


def _rows(identifier: str, sentence: str, more: int, got: slice, right: slice) -> Relation:
    """The rows `got` of the path are the rows `right` of the right one; the path has `more` rows than that."""

    def relation(cases: Sequence[Case]) -> Finding | None:
        for case in cases:
            path, asked = case.path, case.right[0]
            if path is None or path.ndim != asked.ndim or path.ndim < 2 or len(path) != len(asked) + more:
                return None
            if len(path[got]) < 2 or not all(_rows_fit(stage, got, right) for stage in case.stages):
                return None
        return Finding(identifier, sentence)

    return relation


def _rows_fit(case: Case, got: slice, right: slice) -> bool:
    path, asked, envelope = case.got[0][got], case.right[0][right], case.envelope[0][right]
    shared = min(len(path), len(asked))  # of the first rows of both, not all have a counterpart
    return case.fits(path[:shared], asked[:shared], envelope[:shared])


def final_point_only(cases: Sequence[Case]) -> Finding | None:
    """One iterate came back, the last one."""
    for case in cases:
        path, right = case.path, case.right[0]
        if path is None or right.ndim < 2 or len(right) < 2 or path.size != right[-1].size:
            return None
        if not case.fits(path.reshape(right[-1:].shape), right[-1:], case.envelope[0][-1:]):
            return None
    return Finding("final_point_only", "Only the last iterate is returned; row k must be x_k, for every k.")


def aliased_rows(cases: Sequence[Case]) -> Finding | None:
    """All rows are the last iterate: one array was changed in place and stored again and again."""
    for case in cases:
        path, right = case.path, case.right[0]
        if path is None or path.shape != right.shape or len(path) < 2 or not stands_still(path):
            return None
        if not case.fits(path[-1:], right[-1:], case.envelope[0][-1:]):
            return None
    return Finding(
        "aliased_rows",
        "All rows are the last iterate. An array that is changed and appended in every step is one and the same array.",
    )


def _parts(cases: Sequence[Case]) -> range:
    """Indices of the parts, where each case has as many as it should; else none."""
    count = len(cases[0].right)
    return range(count if all(len(case.got) == len(case.right) == count for case in cases) else 0)


def _fits_part(case: Case, part: int, got: Array) -> bool:
    return case.fits(got, case.right[part], case.envelope[part])


def _size(numbers: Array) -> float:
    return float(np.linalg.norm(numbers, axis=-1).max(initial=0.0)) if numbers.ndim else abs(float(numbers))


RELATIONS: tuple[Relation, ...] = (
    transposed,
    aliased_rows,
    final_point_only,
    _rows("missing_first_row", "Row k must be x_k, from x_0 on; row 0 is missing.", -1, slice(None), slice(1, None)),
    _rows("missing_last_row", "The last row is missing: row k must be x_k, up to x_K.", -1, slice(None), slice(-1)),
    _rows("row_too_many", "There is one row too many, after x_K.", 1, slice(-1), slice(None)),
    _rows("start_twice", "There is one row too many: the path begins in row 1.", 1, slice(1, None), slice(None)),
    _rows("one_row_early", "Row k is x_{k+1}: the rows are shifted by one.", 0, slice(-1), slice(1, None)),
    _rows("one_row_late", "Row k is x_{k-1}: the rows are shifted by one.", 0, slice(1, None), slice(-1)),
    parts_swapped,
    permuted,
    constant_factor,
    normalisation,
    constant_offset,
)
"""All of them, the most particular first."""
