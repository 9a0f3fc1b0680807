"""Functions that return random numbers: their checks are tested too, and no distance is claimed for them."""

from __future__ import annotations

import pytest

from grader.report.validation_page import QuestionFindings
from grader.validation.validate import validate

SPECIFICATION = """
id = "sampler"
title = "Sampler"
lecture = 5

[[questions]]
id = "sphere"
title = "Points on a sphere"
points = 1
"""

CHECKS = """
from grader.assignment import Experiment, Moment, Question, Seed, Statistics
from reference.lecture05.sphere_sampling import sample_sphere

questions = [
    Question(
        "sphere",
        experiments=[Experiment("many", sample_sphere, count=2000, dimension=3, generator=Seed(3), public=True)],
        checks=[
            Statistics(
                points=1,
                laws=[
                    Moment("an entry", lambda u: u, 0.0, 1 / 3),
                    Moment("the squared length", lambda u: (u**2).sum(axis=1), 1.0, 1e-20),
                ],
            )
        ],
    )
]
"""


@pytest.fixture(scope="module")
def sphere(tmp_path_factory: pytest.TempPathFactory) -> QuestionFindings:
    folder = tmp_path_factory.mktemp("sampler")
    (folder / "assignment.toml").write_text(SPECIFICATION, encoding="utf-8")
    (folder / "checks.py").write_text(CHECKS, encoding="utf-8")
    validation = validate(folder)
    assert validation.samples is None
    return validation.questions[0]


def test_correct_forms_that_draw_other_numbers_pass(sphere: QuestionFindings) -> None:
    (row,) = [row for row in sphere.matrix if row.role == "equivalents"]
    assert row.passed == row.number > 0
    assert sphere.farthest_equivalent is None
    assert sphere.beyond_rounding == ()


def test_a_mistake_with_these_two_moments_is_named(sphere: QuestionFindings) -> None:
    """A cube's points, moved to the sphere: the mean and the length are right, fourth moments would show it."""
    assert sphere.unseen == ("sample_sphere: sphere_from_cube",)
    (row,) = [row for row in sphere.matrix if row.role == "mistakes"]
    assert row.lost == row.number - 1
