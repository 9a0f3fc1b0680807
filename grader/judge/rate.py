"""The linear rate of a run: the factor by which the error shrinks in each step, fitted where it is visible."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ABOVE_FLOOR = 1000.0
"""The fit uses errors that are at least this many times the tolerance of their iterate."""
BAND = 3.0
"""The band is this many times the largest change of the fit when its window is moved by one step."""
FEWEST = 4


@dataclass(frozen=True)
class RateWindow:
    """Where to fit, what the reference gives there, and how far a correct run may be from it."""

    start: int
    stop: int
    slope: float
    """Slope of log(error) over k: the logarithm of the factor."""
    band: float


def rate_window(errors: NDArray[np.float64], allowed: NDArray[np.float64]) -> RateWindow | None:
    """The window for the reference's errors (K+1,), given the tolerance of each iterate (K+1,).

    The second half of the steps before the error reaches the rounding floor: there the slowest mode dominates.
    None where fewer than `FEWEST` steps are left.
    """
    below = np.flatnonzero(errors <= ABOVE_FLOOR * allowed)
    stop = int(below[0]) if below.size else len(errors)
    start = max(1, stop // 2)
    if stop - start < FEWEST:
        return None
    slope = fitted_slope(errors, start, stop)
    moved = [(start - 1, stop - 1), (start - 1, stop), (start + 1, stop), (start, stop - 1)]
    change = max(abs(fitted_slope(errors, *window) - slope) for window in moved)
    # An error that may be off by `allowed` has a logarithm that may be off by allowed / error.
    rounding = 2 * float(np.max(allowed[start:stop] / errors[start:stop])) / (stop - start)
    return RateWindow(start, stop, slope, BAND * change + rounding)


def fitted_slope(errors: NDArray[np.float64], start: int, stop: int) -> float:
    """Least-squares slope of log(error) over k in start, ..., stop - 1; nan where an error is zero or not finite."""
    with np.errstate(all="ignore"):
        logs = np.log(errors[start:stop])
    if len(logs) < 2 or not np.isfinite(logs).all():
        return float("nan")
    k = np.arange(len(logs)) - (len(logs) - 1) / 2
    return float(k @ logs / (k @ k))
