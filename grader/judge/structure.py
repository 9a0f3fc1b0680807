"""What can be said about a difference without a library: a finding that holds in every experiment that differs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from grader.judge.grade import Diagnosis
from grader.judge.observation import Observation, close


def structural_finding(observations: Sequence[Observation]) -> Diagnosis | None:
    """The first finding that explains every experiment whose numbers are not the reference's."""
    differing = [observation for observation in observations if not observation.agrees()]
    if not differing:
        return None
    for identifier, sentence, explains in _FINDINGS:
        if all(explains(observation) for observation in differing):
            return Diagnosis(identifier=identifier, kind="structural", sentence=sentence)
    return _constant_factor(differing)


def _transposed(observation: Observation) -> bool:
    numbers, answer = observation.numbers, observation.answer
    if numbers is None or len(numbers) != len(answer.parts):
        return False
    if any(got.ndim != 2 or got.T.shape != asked.shape for got, asked in zip(numbers, answer.parts, strict=True)):
        return False
    return all(
        close(got.T, asked, envelope, answer.iterative, observation.precision)
        for got, asked, envelope in zip(numbers, answer.parts, answer.envelope["float64"], strict=True)
    )


def _identical_rows(observation: Observation) -> bool:
    path = observation.path
    return path is not None and len(path) > 1 and bool((path == path[0]).all())


def _not_finite(observation: Observation) -> bool:
    return observation.numbers is not None and not all(np.isfinite(part).all() for part in observation.numbers)


def _single_precision(observation: Observation) -> bool:
    """Right, were it judged as single precision; but the numbers are double."""
    return observation.precision == "float64" and observation.agrees(precision="float32")


def _wrong_start(observation: Observation) -> bool:
    return observation.answer.iterative and observation.parts is not None and observation.first_difference(0) == 0


_FINDINGS: tuple[tuple[str, str, Callable[[Observation], bool]], ...] = (
    ("transposed", "The numbers are right, but the array is transposed.", _transposed),
    (
        "identical_rows",
        "All rows are the same. An array that is changed in every step and appended in every step is one array.",
        _identical_rows,
    ),
    ("not_finite", "The result contains nan or inf. Which operation makes the first one?", _not_finite),
    (
        "single_precision",
        "The numbers are right to about seven digits only: some of the arithmetic is done in float32.",
        _single_precision,
    ),
    ("wrong_start", "Row 0 is not the starting point: row k must be x_k, beginning with x_0 = x0.", _wrong_start),
)


def _constant_factor(observations: list[Observation]) -> Diagnosis | None:
    """The same factor on every experiment and every returned value."""
    factors = [_factor(observation) for observation in observations]
    first = factors[0]
    if first is None or not all(factor is not None and np.isclose(factor, first) for factor in factors):
        return None
    if np.isclose(first, -1.0):
        return Diagnosis(identifier="opposite_sign", kind="structural", sentence="The sign of the result is wrong.")
    return Diagnosis(
        identifier="constant_factor",
        kind="structural",
        sentence=f"The numbers are {first:.6g} times the right ones, in every experiment: a constant factor is off.",
    )


def _factor(observation: Observation) -> float | None:
    """The factor c with got = c * asked, in all returned values; None where there is none."""
    if observation.parts is None or observation.answer.iterative:
        return None
    got = np.concatenate([part.ravel() for part in observation.parts])
    asked = np.concatenate([part.ravel() for part in observation.answer.parts])
    size = float(asked @ asked)
    factor = float(got @ asked) / size if size > 0 else 0.0
    if not np.isfinite(factor) or factor == 0:
        return None
    triples = zip(observation.parts, observation.answer.parts, observation.answer.envelope["float64"], strict=True)
    scaled = all(
        close(part, factor * right, abs(factor) * envelope, False, observation.precision)
        for part, right, envelope in triples
    )
    return factor if scaled else None
