"""The course of a wrong run: what can be seen along it, where its cause is not known.

Each of these is an observation about every experiment whose numbers differ. It says what happens, and where; it does
not say why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from grader.answer_key.tolerance import distances, lengths, rows
from grader.judge.observation import Observation
from grader.judge.residual import START
from grader.judge.structure.case import Array, Finding, rerun_fits

GROWTH = 1e6
"""A run diverges if it ends so many times farther out than the right one ever is."""
REST = 1e-2
"""A run is at rest if what is left of its way is at most this part of its distance to the minimiser."""
VISIBLE = 0.05
"""Errors below this part of those of perturbed float32 runs are no rounding to float32."""
EARLY = 2
"""Rounding to single precision shows in the first steps."""
DRIFT = 30.0
"""What drifts grows at most by this factor in a step; what jumps leaves the tolerance by more."""


def single_precision(differing: Sequence[Observation]) -> Finding | None:
    """Right, were it judged as single precision, and with errors of that size; but the numbers are double."""
    if not all(o.precision == "float64" and o.agrees(precision="float32") for o in differing):
        return None
    if not any(_error_of_single_precision(o) for o in differing):
        return None
    return Finding(
        "single_precision",
        "The numbers are right to about seven digits only, as if some of the arithmetic were done in float32.",
    )


def _error_of_single_precision(observation: Observation) -> bool:
    """Errors of the size that rounding to float32 makes, from the first steps on; not of a step's length alone."""
    assert observation.parts is not None
    answer = observation.answer
    if answer.iterative and ((observation.first_difference(0) or 0) > EARLY or _along_the_step(observation)):
        return False
    triples = zip(observation.parts, answer.parts, answer.envelope["float32"], strict=True)
    return any(
        bool((distances(got, right, answer.iterative) >= VISIBLE * np.maximum(off, 1e-300)).any())
        for got, right, off in triples
    )


def _along_the_step(observation: Observation) -> bool:
    """Whether the first wrong iterate is off in the direction of its step: then the step's length is a little wrong."""
    first = observation.first_difference(0)
    if observation.parts is None or not first:
        return False
    got, right = rows(observation.parts[0], True), rows(observation.answer.parts[0], True)
    step, off = right[first] - right[first - 1], got[first] - right[first]
    return bool(abs(step @ off) >= 0.99 * float(np.linalg.norm(step) * np.linalg.norm(off)))


def course_finding(differing: Sequence[Observation]) -> Finding | None:
    """The first observation that holds in every experiment that differs."""
    for find in _OBSERVATIONS:
        finding = find(differing)
        if finding is not None:
            return finding
    return None


def _identical_rows(differing: Sequence[Observation]) -> Finding | None:
    if not all(o.path is not None and len(o.path) > 1 and bool((o.path == o.path[0]).all()) for o in differing):
        return None
    if all(o.parts is not None and o.first_difference(0) != 0 for o in differing):
        return Finding("identical_rows", "All rows are the same: no step leaves the starting point.")
    return Finding(
        "identical_rows",
        "All rows are the same, and not the starting point. Is one and the same array stored in every step?",
    )


def _diverging(differing: Sequence[Observation]) -> Finding | None:
    if not all(_diverges(observation) for observation in differing):
        return None
    firsts = {o.first_difference(0) for o in differing}
    since = f" from x_{firsts.pop()} on" if len(firsts) == 1 else ""
    return Finding("diverging", f"The run is wrong{since}, and diverges: the iterates grow in every step.")


def _diverges(observation: Observation) -> bool:
    if observation.parts is None or not observation.answer.iterative:
        return False
    path, right = observation.parts[0], observation.answer.parts[0]
    with np.errstate(all="ignore"):
        sizes = lengths(rows(path, True))
    # Overflow ends in inf, and what follows is nan; before it, the growth is seen in finite numbers.
    finite = np.isfinite(sizes)
    count = len(sizes) if finite.all() else int(np.argmin(finite))
    tail = sizes[count // 2 : count]
    limit = GROWTH * lengths(rows(right, True)).max()
    return len(tail) > 2 and bool((np.diff(tail) > 0).all()) and bool(tail[-1] > limit)


def _not_finite(differing: Sequence[Observation]) -> Finding | None:
    firsts = set()
    for observation in differing:
        numbers = observation.numbers
        if numbers is None or all(np.isfinite(part).all() for part in numbers):
            return None
        firsts.add(_first_not_finite(observation))
    place = firsts.pop() if len(firsts) == 1 else None
    since = "" if place is None else f" from x_{place} on"
    return Finding("not_finite", f"The result contains nan or inf{since}. Which operation makes the first one?")


def _first_not_finite(observation: Observation) -> int | None:
    """Among the rows that were asked for; None also where the numbers are no iterates."""
    path = observation.path
    if path is None:
        return None
    bad = np.flatnonzero(~np.isfinite(rows(path[: len(observation.answer.parts[0])], True)).all(axis=1))
    return int(bad[0]) if bad.size else None


def _wrong_start(differing: Sequence[Observation]) -> Finding | None:
    if not all(o.answer.iterative and o.parts is not None and o.first_difference(0) == 0 for o in differing):
        return None
    sentence = "Row 0 is not the starting point: row k must be x_k, beginning with x_0 = x0."
    if all(_right_from_its_start(o) for o in differing):
        sentence += " All steps are right, starting from your row 0."
    return Finding("wrong_start", sentence)


def _right_from_its_start(observation: Observation) -> bool:
    """Whether the path is the reference's from the student's own row 0, with or without memory."""
    assert observation.parts is not None
    path = observation.parts[0]
    if START not in observation.experiment.arguments or not np.isfinite(path).all() or (path == path[0]).all():
        return False
    return rerun_fits(observation, {START: path[0]})


def _one_wrong_step(differing: Sequence[Observation]) -> Finding | None:
    """Exactly one step of each path is wrong; a method without memory."""
    places = set()
    for observation in differing:
        first = observation.first_difference(0) if observation.parts is not None else None
        residual = observation.residual if first else None
        if first is None or residual is None:
            return None
        after = residual.right[first:]
        if not after.all() or not residual.telling[first:].any():
            return None
        places.add(first)
    if len(places) > 1:
        return Finding("one_wrong_step", "In each run a single step is wrong; all others are right.")
    k = places.pop()
    return Finding(
        "one_wrong_step", f"Only the step to x_{k} is wrong. From x_{k + 1} on each step is right, from your x_{k}."
    )


def _wrong_fixed_point(differing: Sequence[Observation]) -> Finding | None:
    seen = [_rests_elsewhere(observation) for observation in differing]
    # An experiment in which nothing can be said neither supports the finding nor contradicts it.
    if False in seen or True not in seen:
        return None
    return Finding("wrong_fixed_point", "The run comes to rest, but not at the minimiser.")


def _rests_elsewhere(observation: Observation) -> bool | None:
    """Whether the run stops at another point than the only minimiser; None where that cannot be seen."""
    problem = observation.experiment.problem
    if problem is None or problem.minimizer is None or not problem.strong_convexity:
        return None
    if not observation.answer.iterative or observation.parts is None:
        return None
    path, right, x_star = observation.parts[0], observation.answer.parts[0], problem.minimizer
    if path.shape[1:] != x_star.shape:
        return None
    left, right_left = float(np.linalg.norm(path[-1] - x_star)), float(np.linalg.norm(right[-1] - x_star))
    if not right_left <= REST * np.linalg.norm(right[0] - x_star):
        return None  # the right run has not arrived either
    way = _way_left(path)
    return way is not None and left > 10 * right_left and way <= REST * left


def _way_left(path: Array) -> float | None:
    """Bound of the way that is still to come, if the steps go on shrinking as in the last third; None if they grow."""
    with np.errstate(all="ignore"):
        steps = lengths(rows(np.diff(path, axis=0), True))
    count = len(steps) // 3
    if count < 3 or not np.isfinite(steps).all() or (path == path[0]).all():
        return None
    early, late = float(steps[-2 * count : -count].max()), float(steps[-count:].max())
    if late == 0:
        return 0.0
    ratio = (late / early) ** (1 / count) if early > 0 else 1.0
    return late * ratio / (1 - ratio) if ratio < 1 else None


def _right_until(differing: Sequence[Observation]) -> Finding | None:
    """The same number of right steps in all runs, and then a wrong one; or an error that grows from rounding size."""
    if any(o.parts is None or not o.answer.iterative for o in differing):
        return None
    firsts = [o.first_difference(0) or 0 for o in differing]
    if min(firsts) < 2:
        return None
    drifting = [_drifts(o, first) for o, first in zip(differing, firsts, strict=True)]
    if all(drifting):
        return Finding(
            "drifting",
            "The first iterates are right, and the error then grows from the size of rounding: every step is nearly "
            "right, none exactly. Is a number rounded, or a constant typed with too few digits?",
        )
    if any(drifting) or len(set(firsts)) > 1:
        return None
    k = firsts[0]
    return Finding("right_until_step", f"Every run is right up to x_{k - 1} and goes wrong with x_{k}.")


def _drifts(observation: Observation, first: int) -> bool:
    """Whether the error leaves the tolerance gently, and grows on."""
    assert observation.parts is not None
    off = distances(observation.parts[0], observation.answer.parts[0], True)[: observation.answer.horizon]
    if not np.isfinite(off).all():
        return False
    allowed = observation.allowed(0)[: len(off)]
    gentle = off[first] <= DRIFT * allowed[first] and off[first - 1] > allowed[first] / DRIFT
    return bool(gentle and off[-1] > allowed[-1] and (off[first:] > 0).all())


_OBSERVATIONS: tuple[Callable[[Sequence[Observation]], Finding | None], ...] = (
    _identical_rows,
    _diverging,
    _not_finite,
    _wrong_start,
    _one_wrong_step,
    _wrong_fixed_point,
    _right_until,
)
"""The most particular first."""
