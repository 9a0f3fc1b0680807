"""The data: an `AnswerKey` holds one `Answer` per experiment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Parts = tuple[NDArray[np.float64], ...]
"""A returned value: one array, or one per part of a returned tuple."""

UNIT_ROUNDOFF: Mapping[str, float] = {"float64": 2.0**-53, "float32": 2.0**-24}


@dataclass(frozen=True)
class VariantAnswer:
    """What a mistake or a convention gives in one experiment."""

    parts: Parts | None
    """None where it raises an exception."""
    calls: Mapping[str, int]
    changed_inputs: tuple[str, ...]
    envelope: tuple[NDArray[np.float64], ...]
    """Like `Answer.envelope`, in double precision."""


@dataclass(frozen=True)
class TheoremAnswer:
    """What a theorem says about one experiment."""

    name: str
    sentence: str
    bound: NDArray[np.float64]
    """(K+1,)"""
    slack: Mapping[str, NDArray[np.float64]]
    """Precision -> (K+1,): by how much rounding may carry a correct run above the bound."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What the reference gives in one experiment, and how far a correct form may be from it.

    Answers are compared and hashed as objects: what follows from one alone is found once (`functools.lru_cache`).

    `envelope[precision][part][k]` is the largest distance of row k over the perturbed runs and the equivalents;
    a value that is not a sequence of iterates is one single row.
    """

    parts: Parts
    returns_tuple: bool
    iterative: bool
    calls: Mapping[str, int]
    envelope: Mapping[str, tuple[NDArray[np.float64], ...]]
    variants: Mapping[str, VariantAnswer]
    horizon: int
    """Rows from this index on are not compared: rounding alone may change them more than a mistake would."""
    single: bool
    """Whether float32 can tell right from wrong here: no mistake that is seen lies within its tolerance."""
    theorem: TheoremAnswer | None = None


@dataclass(frozen=True)
class AnswerKey:
    """All answers of one assignment."""

    hash: str
    answers: Mapping[str, Answer]
