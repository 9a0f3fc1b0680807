"""Answer keys of other seeds, and without the aid of the equivalents."""

from __future__ import annotations

import numpy as np

from grader.answer_key.build import build_answer, build_answer_key
from grader.assignment.assignment import Assignment
from grader.assignment.experiment import Experiment
from reference.lecture01.least_squares import least_squares_constants
from reference.lecture02.gradient_descent import gradient_descent


def experiment_of(hw2: Assignment, function: object, name: str) -> Experiment:
    (found,) = [e for e in hw2.experiments if e.reference is function and e.name == name]
    return found


def test_another_seed_perturbs_otherwise_and_asks_the_same(hw2: Assignment) -> None:
    experiment = experiment_of(hw2, gradient_descent, "badly conditioned")
    first, again, other = build_answer(experiment), build_answer(experiment, 0), build_answer(experiment, 1)
    assert np.array_equal(first.envelope["float64"][0], again.envelope["float64"][0])
    assert not np.array_equal(first.envelope["float64"][0], other.envelope["float64"][0])
    assert np.array_equal(first.parts[0], other.parts[0])
    # Both are the size of rounding: within a factor of ten of each other in every row but x_0.
    ratio = other.envelope["float64"][0][1:] / first.envelope["float64"][0][1:]
    assert 0.1 < ratio.min() < ratio.max() < 10


def test_equivalents_only_ever_widen_the_tolerance(hw2: Assignment) -> None:
    experiment = experiment_of(hw2, least_squares_constants, "tall matrix")
    aided, unaided = build_answer(experiment), build_answer(experiment, aided=False)
    pairs = [*zip(aided.envelope["float64"], unaided.envelope["float64"], strict=True)]
    assert all((wide >= narrow).all() for wide, narrow in pairs)
    assert any((wide > narrow).any() for wide, narrow in pairs)


def test_keys_that_are_made_otherwise_have_another_hash(hw2: Assignment) -> None:
    keys = [build_answer_key(hw2), build_answer_key(hw2, 1), build_answer_key(hw2, aided=False)]
    assert len({key.hash for key in keys}) == 3
