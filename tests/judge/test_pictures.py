"""The picture of a run: as many points as were asked for and one more, whatever came back."""

from __future__ import annotations

import numpy as np
import pytest

from grader.answer_key.build import build_answer
from grader.assignment import Bound, Experiment, LinearRate
from grader.judge.checks import judge_check
from grader.judge.grade import Picture
from grader.judge.observation import Observation
from grader.judge.picture import picture
from grader.sandbox.recording import Outcome, Recording
from reference import problems
from reference.lecture02.gradient_descent import gradient_descent
from reference.lecture04.problems import robust_pca_example
from reference.lecture04.proximal_gradient_descent import proximal_gradient_descent

ROWS = problems.random_least_squares(rows=20, columns=2, condition=10.0, seed=1)
DESCENT = Experiment(
    "rows", gradient_descent, ROWS, public=True, learning_rate=lambda p: 1 / p.smoothness, num_steps=50
)
MATRICES = Experiment(
    "matrices", proximal_gradient_descent, robust_pca_example(), public=True, learning_rate=0.9, num_steps=30
)


def observed(experiment: Experiment, value: np.ndarray) -> Observation:
    return Observation(experiment, Recording(experiment.key, Outcome.RETURNED, value), build_answer(experiment))


def drawn(experiment: Experiment, value: np.ndarray) -> Picture:
    made = picture(observed(experiment, value))
    assert made is not None
    return made


@pytest.mark.parametrize("experiment", [DESCENT, MATRICES])
def test_a_right_run_is_drawn_on_the_reference(experiment: Experiment) -> None:
    made = drawn(experiment, build_answer(experiment).parts[0])
    assert made.student == made.reference
    assert made.sentence.endswith("The two curves are the same.")


def test_a_run_that_is_too_long_is_drawn_and_measured_as_far_as_it_was_asked_for() -> None:
    (path,) = build_answer(DESCENT).parts
    long = np.concatenate([path, np.full((100_000, 2), 7.0)])
    made = drawn(DESCENT, long)
    assert len(made.student) == len(made.reference) + 1
    assert made.student[:-1] == made.reference
    right = drawn(DESCENT, path).sentence
    assert made.sentence == right.replace("The two curves are the same.", "Your run has 100051 iterates instead of 51.")
    for check in (Bound(points=1), LinearRate(points=1)):
        assert judge_check(check, [observed(DESCENT, long)])[0].passed
