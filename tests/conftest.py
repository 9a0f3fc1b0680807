"""What tests of several areas share: homework 2, and recordings made without a sandbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from grader.answer_key.answer import AnswerKey
from grader.answer_key.build import build_answer_key
from grader.assignment.assignment import Assignment, find_assignment, load_assignment
from grader.assignment.experiment import Experiment
from grader.sandbox.recording import Outcome, Recording, Run, StudentError


@pytest.fixture(scope="session")
def hw2() -> Assignment:
    return load_assignment(find_assignment("hw2"))


@pytest.fixture(scope="session")
def hw2_key(hw2: Assignment) -> AnswerKey:
    return build_answer_key(hw2)


def record(function: Callable[..., Any], experiment: Experiment) -> Recording:
    """What the sandbox would record, for code that we trust."""
    calls = dict.fromkeys(experiment.oracles, 0)

    def counted(name: str) -> Callable[..., Any]:
        def oracle(x: np.ndarray) -> Any:
            calls[name] += 1
            return experiment.oracles[name](x)

        return oracle

    arguments = {
        name: counted(name) if callable(value) else np.array(value) if isinstance(value, np.ndarray) else value
        for name, value in experiment.arguments.items()
    }
    try:
        with np.errstate(all="ignore"):
            value = function(*arguments.values())
    except Exception as error:
        raised = StudentError(type(error).__name__, str(error), "the script", 1)
        return Recording(experiment.key, Outcome.RAISED, calls=calls, error=raised)
    changed = tuple(
        name
        for name, given in experiment.arguments.items()
        if isinstance(given, np.ndarray) and not np.array_equal(given, arguments[name])
    )
    if isinstance(value, tuple):
        value = tuple(np.asarray(part) for part in value)
    elif value is not None:
        value = np.asarray(value)
    return Recording(experiment.key, Outcome.RETURNED, value, "numpy.ndarray", calls=calls, changed_inputs=changed)


@pytest.fixture(scope="session")
def run_of(hw2: Assignment) -> Callable[[Mapping[str, Callable[..., Any]]], Run]:
    """A run of homework 2 in which some functions are replaced; the others are the reference's."""

    def make(functions: Mapping[str, Callable[..., Any]]) -> Run:
        recordings = {
            experiment.key: record(functions.get(experiment.function, experiment.reference), experiment)
            for experiment in hw2.experiments
        }
        return Run(recordings)

    return make
