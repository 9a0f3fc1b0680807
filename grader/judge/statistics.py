"""Random numbers against their exact law, by inequalities that hold for every number of samples.

Of n independent samples of a law, the following happens with probability at most delta:

mean            Y has expectation 0 and variance at most v:  |sum_i psi(a Y_i)| > 2 log(2/delta), where
                psi(y) = sign(y) log(1 + |y| + y^2/2),  a = sqrt(2 log(2/delta) / (n v))
distribution    max_t |F_n(t) - F(t)| > sqrt(log(2/delta) / (2 n)), F_n the share of samples that are at most t

The first is Catoni's (Ann. Inst. H. Poincare 48, 2012): E exp(psi(a Y)) <= 1 + a^2 v/2 and Markov's inequality. It
needs no bound on Y and no normal law, and sees a shift of about sqrt(2 v log(2/delta) / n), as a z-test does. The
second is the inequality of Dvoretzky, Kiefer and Wolfowitz with Massart's constant (Ann. Probab. 18, 1990).

The false alarm of a check is shared equally by all entries of all its laws.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.assignment.check import Distribution, Moment, Samples, Statistics
from grader.assignment.errors import AssignmentError
from grader.assignment.experiment import Experiment


@dataclass(frozen=True)
class Departure:
    """The law that samples do not follow."""

    title: str
    got: float
    expected: float
    """The mean of one entry and its expectation, or the largest |F_n - F| and the largest that chance explains."""
    of_a_mean: bool
    false_alarm: float

    def sentence(self, with_numbers: bool) -> str:
        """What a student reads."""
        if not with_numbers:
            return f"{self.title} is wrong."
        chance = f"with the right law this happens less than once in {round(1 / self.false_alarm):,} times"
        if self.of_a_mean:
            return f"{self.title} is {self.got:.4g} on average, where {self.expected:.4g} is right; {chance}."
        apart = f"your distribution function is up to {self.got:.2g} away from the right one"
        return f"{self.title} is wrong: {apart}, where chance explains {self.expected:.2g}; {chance}."


def departure(check: Statistics, samples: Samples) -> Departure | None:
    """The first law that the samples, (n, ...), do not follow; None where they follow all of them.

    Raises:
        AssignmentError: a law does not fit samples of this shape.
    """
    if not np.isfinite(samples).all():
        return Departure(check.laws[0].title, float("nan"), float("nan"), True, check.false_alarm)
    tests = [_prepared(law, samples) for law in check.laws]
    delta = check.false_alarm / sum(features.shape[1] for _, features in tests)
    for law, features in tests:
        found = (
            judged_mean(law, features, delta) if isinstance(law, Moment) else judged_distribution(law, features, delta)
        )
        if found is not None:
            return Departure(law.title, *found, isinstance(law, Moment), check.false_alarm)
    return None


def power(check: Statistics, experiment: Experiment, function: Callable[..., Any], runs: int = 100) -> float:
    """The share of seeds for which the check rejects what `function` draws in the experiment.

    For a mistake it is the probability that this check sees it, known up to about 1 / sqrt(runs); for the reference
    it should be 0.

    Args:
        check: the check.
        experiment: one with a `Seed` among its arguments.
        function: the reference, a mistake or an equivalent.
        runs: number of seeds.

    Raises:
        AssignmentError: the experiment has no seed.
    """
    seeded = [name for name, value in experiment.arguments.items() if isinstance(value, np.random.Generator)]
    if not seeded:
        raise AssignmentError(f"experiment {experiment.name!r} has no Seed, so its result is always the same")
    rejected = 0
    for seed in range(runs):
        arguments = experiment.arguments | {name: np.random.default_rng([seed, 1]) for name in seeded}
        with np.errstate(all="ignore"):
            samples = np.asarray(function(*arguments.values()), dtype=np.float64)
        rejected += departure(check, samples) is not None
    return rejected / runs


def judged_mean(law: Moment, features: NDArray[np.float64], delta: float) -> tuple[float, float] | None:
    """Mean and expectation of the entry that is farthest off, where chance does not explain it; else None.

    Args:
        law: the expectation and the variance of each entry.
        features: one independent sample a row, (m, entries).
        delta: the false alarm of one entry.
    """
    count, entries = features.shape
    try:
        expected = np.broadcast_to(np.ravel(law.expected), entries)
        variance = np.broadcast_to(np.ravel(law.variance), entries)
    except ValueError:
        raise AssignmentError(f"{law.title}: each sample has {entries} numbers, and the law another count") from None
    level = log(2 / delta)
    scaled = np.sqrt(2 * level / (count * variance)) * (features - expected)
    size = np.abs(scaled)
    sums = np.abs(np.sum(np.sign(scaled) * np.log1p(size + size**2 / 2), axis=0))
    farthest = int(np.argmax(sums))
    if sums[farthest] <= 2 * level:
        return None
    return float(features[:, farthest].mean()), float(expected[farthest])


def judged_distribution(law: Distribution, features: NDArray[np.float64], delta: float) -> tuple[float, float] | None:
    """Largest |F_n - F| and the largest that chance explains, where the first is larger; else None.

    Args:
        law: the distribution function.
        features: one independent number a row, (m, 1).
        delta: the false alarm.
    """
    ordered = np.sort(features[:, 0])
    count = len(ordered)
    right = np.asarray(law.cdf(ordered), dtype=np.float64)
    steps = np.arange(count + 1) / count
    largest = float(max(np.max(steps[1:] - right), np.max(right - steps[:-1])))
    explained = sqrt(log(2 / delta) / (2 * count))
    return None if largest <= explained else (largest, explained)


def _prepared(law: Moment | Distribution, samples: Samples) -> tuple[Moment | Distribution, NDArray[np.float64]]:
    """The law, and the numbers that it is about, (m, entries)."""
    with np.errstate(all="ignore"):
        features = np.asarray(law.of(samples), dtype=np.float64)
    if features.ndim < 1 or not len(features):
        raise AssignmentError(f"{law.title}: no numbers come from samples of the shape {samples.shape}")
    features = features.reshape(len(features), -1)
    if isinstance(law, Distribution) and features.shape[1] != 1:
        raise AssignmentError(f"{law.title}: a distribution is that of one number a sample, not {features.shape[1]}")
    return law, features
