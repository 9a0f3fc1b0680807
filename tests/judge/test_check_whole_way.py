"""An assignment about random numbers and oracle calls, from its files through a sandbox to the grade."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from grader.answer_key.cache import answer_key, read_answer_key, write_answer_key
from grader.assignment import Experiment, Seed
from grader.assignment.assignment import load_assignment
from grader.assignment.fingerprint import experiments_hash
from grader.batch.workplace import Workplace
from grader.judge.grade import Grade, Status
from grader.submission.program import Submission
from reference.lecture05.sphere_sampling import sample_sphere

SPECIFICATION = """
id = "random"
title = "Random directions"
lecture = 5

[[questions]]
id = "sphere"
title = "Directions"
points = 2

[[questions]]
id = "descent"
title = "Descent"
points = 3
"""

CHECKS = """
import numpy as np

from grader.assignment import Cost, Experiment, ForbiddenOracle, Moment, Monotone, Question, Seed, Statistics
from reference import problems
from reference.lecture05.sphere_sampling import sample_sphere


def descent(value, gradient, x0, num_steps):
    rows = [np.array(x0)]
    for _ in range(num_steps):
        rows.append(rows[-1] - 0.01 * gradient(rows[-1]))
    return np.array(rows)


questions = [
    Question(
        "sphere",
        experiments=[Experiment("d = 3", sample_sphere, count=2000, dimension=3, generator=Seed(SEED), public=True)],
        checks=[Statistics(points=2, laws=[
            Moment("an entry of the directions", lambda u: u, 0.0, 1 / 3),
            Moment("the square of the length", lambda u: np.sum(u**2, axis=1), 1.0, 1e-6),
        ])],
    ),
    Question(
        "descent",
        experiments=[Experiment("bowl", descent, problems.bowl(), num_steps=20, public=True)],
        checks=[
            ForbiddenOracle(oracle="value", points=1),
            Cost(prices={"gradient": 1}, points=1),
            Monotone(points=1),
        ],
    ),
]
"""

RIGHT = """
import numpy as np

def sample_sphere(count, dimension, generator):
    points = []
    for _ in range(count):
        z = generator.standard_normal(dimension)
        points.append(z / np.linalg.norm(z))
    return points

def descent(value, gradient, x0, num_steps):
    rows = [x0]
    for _ in range(num_steps):
        rows.append(rows[-1] - 0.01 * gradient(rows[-1]))
    return rows
"""


def written(folder: Path, seed: int) -> Path:
    folder.mkdir()
    (folder / "assignment.toml").write_text(SPECIFICATION, encoding="utf-8")
    (folder / "checks.py").write_text(CHECKS.replace("SEED", str(seed)), encoding="utf-8")
    return folder


def graded(folder: Path, source: str) -> Grade:
    with Workplace(folder, sandbox="none") as workplace:
        return workplace.grade(Submission("ada", "random.py", source.encode())).grade


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_other_draws_from_the_same_law_get_full_points(tmp_path: Path) -> None:
    grade = graded(written(tmp_path / "random", 1), RIGHT)
    assert [(question.id, question.status) for question in grade.questions] == [
        ("sphere", Status.PASSED),
        ("descent", Status.PASSED),
    ]


def test_another_law_and_forbidden_calls_lose_their_points(tmp_path: Path) -> None:
    wrong = RIGHT.replace("z / np.linalg.norm(z)", "z").replace("rows = [x0]", "rows = [x0]; value(x0)")
    sphere, descent = graded(written(tmp_path / "random", 1), wrong).questions
    assert sphere.status is Status.FAILED
    assert "the square of the length is 3." in sphere.verdicts[0].message
    assert [verdict.score for verdict in descent.verdicts] == [0, 1, 1]
    assert "value was called 1 times; it must not be called here." in descent.verdicts[0].message


def test_another_seed_is_another_experiment_and_the_same_seed_is_not(tmp_path: Path) -> None:
    folders = [written(tmp_path / str(number), seed) for number, seed in enumerate((1, 1, 2))]
    first, again, other = (experiments_hash(load_assignment(folder)) for folder in folders)
    assert first == again != other


def test_the_answer_key_is_kept_and_found_again(tmp_path: Path) -> None:
    key = answer_key(load_assignment(written(tmp_path / "random", 1)), tmp_path / "keys")
    write_answer_key(key, tmp_path / "copy")
    for name, answer in read_answer_key(tmp_path / "copy").answers.items():
        np.testing.assert_array_equal(answer.parts[0], key.answers[name].parts[0])


def test_an_experiment_hands_out_a_new_generator_each_time() -> None:
    experiment = Experiment("e", sample_sphere, count=4, dimension=2, generator=Seed(5))
    draws = [sample_sphere(*experiment.arguments.values()) for _ in range(2)]  # type: ignore[arg-type]
    np.testing.assert_array_equal(*draws)
