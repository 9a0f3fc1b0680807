"""What the sandbox will be asked to run, in one hash: equal hash, equal recordings.

Points, titles and tolerances do not enter, so that a regrade after such a change needs no student code to run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np

from grader.assignment.assignment import Assignment
from grader.assignment.experiment import ORACLES, Argument, Experiment, Seed

PROBES = 3


def experiments_hash(assignment: Assignment) -> str:
    """SHA-256 over all experiments, the limits, the environment and the device."""
    digest = hashlib.sha256()
    asked = assignment.specification
    digest.update(f"{asked.environment} {asked.device} {asked.cpu_instead}".encode())
    digest.update(asked.limits.model_dump_json().encode())
    for experiment in assignment.experiments:
        digest.update(f"\0{experiment.key}\0{experiment.public}".encode())
        for name, argument in experiment.given.items():
            digest.update(f"\0{name}\0".encode())
            digest.update(_bytes(name, argument, experiment))
    return digest.hexdigest()


def _bytes(name: str, argument: Argument | Seed, experiment: Experiment) -> bytes:
    if isinstance(argument, np.ndarray):
        return f"{argument.dtype.str}{argument.shape}".encode() + argument.tobytes()
    if callable(argument):
        return _probed(name, argument, experiment)
    return repr(argument).encode()


def _probed(name: str, oracle: Callable[..., Any], experiment: Experiment) -> bytes:
    """An oracle is code and has no bytes: its answers at fixed points stand for it."""
    assert experiment.problem is not None
    start = np.asarray(experiment.problem.x0, dtype=np.float64)
    generator = np.random.default_rng(0)
    points = [start] + [start + generator.standard_normal(start.shape) for _ in range(PROBES)]
    samples = np.arange(experiment.problem.num_components or 0)
    further = [{"t": 1.0, "i": samples, "indices": samples}[each] for each in ORACLES[name][1:]]
    return b"".join(np.asarray(oracle(point, *further)).tobytes() for point in points)
