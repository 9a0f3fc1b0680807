"""Which of the reference's guarantees holds in an experiment, and what it says there."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.assignment.experiment import Experiment
from reference.variants import guarantees


@dataclass(frozen=True)
class Theorem:
    """A guarantee, evaluated for one experiment."""

    name: str
    sentence: str
    quantity: Callable[..., NDArray[np.float64]]
    """(iterates (K+1, ...), problem) -> (K+1,)"""
    bound: NDArray[np.float64]
    """(K+1,)"""


@cache
def theorem(experiment: Experiment) -> Theorem | None:
    """The first guarantee of the reference whose conditions hold for this problem and these parameters.

    None where there is none, and where there are no iterates that it could be about.
    """
    if experiment.problem is None or not experiment.iterative:
        return None
    known: dict[str, Any] = {**experiment.arguments, "problem": experiment.problem}
    for guarantee in guarantees(experiment.reference):
        parameters = inspect.signature(guarantee.bound).parameters.values()
        needed = [p.name for p in parameters if p.default is inspect.Parameter.empty or p.name in known]
        try:
            bound = guarantee.bound(**{name: known[name] for name in needed})
        except (ValueError, KeyError):  # a condition of the theorem does not hold here
            continue
        return Theorem(guarantee.bound.__name__, guarantee.sentence, guarantee.quantity, np.asarray(bound))
    return None
