"""Makes the answer key of an assignment by running the reference and its variants."""

from __future__ import annotations

import hashlib
import traceback
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import grader
import reference
from grader.answer_key.answer import UNIT_ROUNDOFF, Answer, AnswerKey, Parts, TheoremAnswer, VariantAnswer
from grader.answer_key.tolerance import FACTOR, FLOOR, RUNS, distances, envelope, lengths, perturbed, rows, tolerance
from grader.assignment.assignment import Assignment
from grader.assignment.errors import AssignmentError
from grader.assignment.experiment import Argument, Experiment
from grader.assignment.theorem import theorem
from grader.sandbox.oracle_arguments import evaluations
from reference.variants import Kind, Variant, variants

VARIANT_RUNS = 4

_OWN_SOURCES = (
    "__init__.py",
    "locations.py",
    "answer_key/**/*.py",
    "assignment/**/*.py",
    "guest/**/*.py",  # its drivers run the reference, too
    "sandbox/__init__.py",
    "sandbox/oracle_arguments.py",  # it counts the calls
)
"""What of the grader, beside the whole reference, an answer key is made from."""


def key_hash(assignment: Assignment, seed: int = 0, aided: bool = True) -> str:
    """SHA-256 over everything that an answer key is made from: equal hash, equal key."""
    digest = hashlib.sha256()
    torch = version("torch") if assignment.specification.environment == "torch" else ""
    digest.update(f"{assignment.hash} {np.__version__} {torch} {_sources_hash()} {seed} {aided}".encode())
    return digest.hexdigest()


def sources() -> dict[str, Path]:
    """The code that answer keys are made from: names that are the same on every machine, and the files."""
    own, algorithms = Path(grader.__file__).parent, Path(reference.__file__).parent
    files = [file for pattern in _OWN_SOURCES for file in own.glob(pattern)]
    return {
        **{file.relative_to(own.parent).as_posix(): file for file in files},
        **{file.relative_to(algorithms.parent).as_posix(): file for file in algorithms.rglob("*.py")},
    }


@cache
def _sources_hash() -> str:
    digest = hashlib.sha256()
    for name, file in sorted(sources().items()):
        digest.update(name.encode() + file.read_bytes())
    return digest.hexdigest()


def build_answer_key(assignment: Assignment, seed: int = 0, aided: bool = True) -> AnswerKey:
    """Run the reference, its equivalents, conventions and mistakes on every experiment.

    Args:
        assignment: what is asked.
        seed: of the perturbations. Grades are made with 0; others show how much hangs on the choice.
        aided: whether the equivalents widen the tolerance, as they do for grades. A key without their aid shows how
            far from the reference a correct form is that the library does not know.

    Raises:
        AssignmentError: the reference itself fails on an experiment.
    """
    answers = {experiment.key: build_answer(experiment, seed, aided) for experiment in assignment.experiments}
    return AnswerKey(key_hash(assignment, seed, aided), answers)


def build_answer(experiment: Experiment, seed: int = 0, aided: bool = True) -> Answer:
    """The answer to one experiment; `seed` and `aided` as for `build_answer_key`."""
    exact = _run(experiment.reference, experiment.arguments)
    if exact.parts is None or not all(np.isfinite(part).all() for part in exact.parts):
        raise AssignmentError(f"experiment {experiment.key!r}: the reference {_failure(exact)}")
    if experiment.iterative and exact.parts[0].ndim == 0:
        raise AssignmentError(
            f"experiment {experiment.key!r}: the reference is given oracles and x0, so it must return iterates, one in "
            "each row, and not a single number; a point that is no starting point needs another name than x0"
        )
    aids = _of(experiment, Kind.EQUIVALENT) if aided else ()
    equivalents = [_run(variant.function, experiment.arguments) for variant in aids]
    envelopes = {
        precision: envelope(
            exact.parts,
            _perturbed_runs(experiment, experiment.reference, unit, RUNS, seed)
            + ([run.parts for run in equivalents if run.parts is not None] if precision == "float64" else []),
            experiment.iterative,
        )
        for precision, unit in UNIT_ROUNDOFF.items()
    }
    if not all(np.isfinite(part).all() for parts in envelopes.values() for part in parts):
        raise AssignmentError(
            f"experiment {experiment.key!r}: an equivalent, or the reference under rounding-sized perturbations, "
            "returns numbers that are not finite; choose a milder experiment"
        )
    wrong = {
        variant.identifier: _variant_answer(experiment, variant, seed)
        for kind in (Kind.MISTAKE, Kind.CONVENTION)
        for variant in _of(experiment, kind)
    }
    horizon = _horizon(exact.parts, envelopes["float64"], wrong, experiment.iterative)
    mistakes = [wrong[variant.identifier] for variant in _of(experiment, Kind.MISTAKE)]

    right = exact.parts

    def seen(mistake: VariantAnswer, precision: str) -> bool:
        return _is_outside(right, mistake, envelopes[precision], experiment.iterative, precision, horizon)

    return Answer(
        parts=exact.parts,
        returns_tuple=exact.returns_tuple,
        iterative=experiment.iterative,
        calls=exact.calls,
        envelope=envelopes,
        variants=wrong,
        horizon=horizon,
        single=all(seen(mistake, "float32") for mistake in mistakes if seen(mistake, "float64")),
        theorem=_theorem_answer(experiment, exact.parts, envelopes, seed),
    )


class _Outcome:
    """One run of one function."""

    def __init__(
        self, value: Any, calls: Mapping[str, int], changed: tuple[str, ...], error: Exception | None
    ) -> None:
        self.returns_tuple = isinstance(value, tuple)
        self.parts = _parts(value)
        self.calls = calls
        self.changed = changed
        self.error = error


def _failure(outcome: _Outcome) -> str:
    """What is wrong with a run of the reference that gave no finite numbers."""
    error = outcome.error
    if error is None:
        return "returns nothing" if outcome.parts is None else "returns numbers that are not finite"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_authors(Path(frame.filename))]
    place = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    return f"raises {type(error).__name__}: {error}{place}"


def _is_authors(file: Path) -> bool:
    """Whether it is a file of the library or of an assignment, and neither the grader's nor another package's."""
    if file.is_relative_to(Path(reference.__file__).parent):
        return True
    return not file.is_relative_to(Path(grader.__file__).parent) and "site-packages" not in file.parts


def _parts(value: Any) -> Parts | None:
    if value is None:
        return None
    return tuple(np.asarray(part, dtype=np.float64) for part in (value if isinstance(value, tuple) else (value,)))


def _run(function: Callable[..., Any], arguments: Mapping[str, Argument]) -> _Outcome:
    calls = {name: 0 for name, argument in arguments.items() if callable(argument)}

    def counted(name: str, oracle: Callable[..., Any]) -> Callable[..., Any]:
        def answer(*arguments: Any) -> Any:
            calls[name] += evaluations(*arguments)
            return oracle(*arguments)

        return answer

    handed: dict[str, Any] = {}
    for name, argument in arguments.items():
        if callable(argument):
            handed[name] = counted(name, argument)
        else:
            handed[name] = argument.copy() if isinstance(argument, np.ndarray) else argument
    error = None
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = function(*handed.values())
    except Exception as raised:  # a mistake may well raise; what the reference raises is reported by the caller
        value, error = None, raised
    changed = tuple(
        name
        for name, argument in arguments.items()
        if isinstance(argument, np.ndarray) and argument.tobytes() != handed[name].tobytes()
    )
    return _Outcome(value, calls, changed, error)


def _perturbed_runs(
    experiment: Experiment, function: Callable[..., Any], unit: float, runs: int, seed: int
) -> list[Parts]:
    seeds = range(seed * RUNS, seed * RUNS + runs)
    outcomes = [_run(function, perturbed(experiment.arguments, unit, each)) for each in seeds]
    return [outcome.parts for outcome in outcomes if outcome.parts is not None]


def _of(experiment: Experiment, kind: Kind) -> tuple[Variant, ...]:
    return variants(experiment.reference, kind)


def _variant_answer(experiment: Experiment, variant: Variant, seed: int) -> VariantAnswer:
    exact = _run(variant.function, experiment.arguments)
    if exact.parts is None:
        return VariantAnswer(None, exact.calls, exact.changed, ())
    runs = _perturbed_runs(experiment, variant.function, UNIT_ROUNDOFF["float64"], VARIANT_RUNS, seed)
    runs = [run for run in runs if len(run) == len(exact.parts)]
    return VariantAnswer(exact.parts, exact.calls, exact.changed, envelope(exact.parts, runs, experiment.iterative))


def _horizon(
    exact: Parts,
    envelopes: tuple[NDArray[np.float64], ...],
    wrong: Mapping[str, VariantAnswer],
    iterative: bool,
) -> int:
    """First row whose tolerance exceeds the largest distance that some visible mistake ever reaches."""
    length = len(exact[0]) if iterative else 1
    if not iterative:
        return length
    allowed = FACTOR * envelopes[0]
    for variant in wrong.values():
        if variant.parts is None or variant.parts[0].shape != exact[0].shape:
            continue
        separation = distances(exact[0], variant.parts[0], iterative)
        if (separation <= allowed).all():
            continue
        beyond = np.flatnonzero(allowed >= separation.max())
        if beyond.size:
            length = min(length, int(beyond[0]))
    return length


def _is_outside(
    exact: Parts,
    variant: VariantAnswer,
    envelopes: tuple[NDArray[np.float64], ...],
    iterative: bool,
    precision: str,
    horizon: int,
) -> bool:
    """Whether some row before the horizon is farther from the reference than this precision allows."""
    if variant.parts is None or [part.shape for part in variant.parts] != [part.shape for part in exact]:
        return True
    return any(
        bool((distances(right, got, iterative) > tolerance(right, wide, iterative, precision))[:horizon].any())
        for right, got, wide in zip(exact, variant.parts, envelopes, strict=True)
    )


def _theorem_answer(
    experiment: Experiment, exact: Parts, envelopes: Mapping[str, tuple[NDArray[np.float64], ...]], seed: int
) -> TheoremAnswer | None:
    """The theorem's bound, and by how much rounding may carry a correct run above it.

    Iterates within the tolerance of the reference have a quantity that differs by what random steps of that length
    change it. The steps also show the rounding of the quantity's own evaluation, which does not shrink with it.
    """
    holds = theorem(experiment)
    if holds is None:
        return None
    quantity, flat = holds.quantity(exact[0], experiment.problem), rows(exact[0], True)
    slack = {}
    for precision, parts in envelopes.items():
        allowed = tolerance(exact[0], parts[0], experiment.iterative, precision)
        generator = np.random.default_rng(seed)
        worst = np.zeros(len(quantity))
        for _ in range(RUNS):
            direction = generator.standard_normal(flat.shape)
            direction /= lengths(direction)[:, None]
            near = (flat + allowed[:, None] * direction).reshape(exact[0].shape)
            worst = np.maximum(worst, np.abs(holds.quantity(near, experiment.problem) - quantity))
        slack[precision] = FLOOR * worst
    return TheoremAnswer(holds.name, holds.sentence, holds.bound, slack)
