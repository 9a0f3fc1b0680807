"""A small assignment with every flaw that a validation finds, and its validation."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.report.validation_page import QuestionFindings, Validation
from grader.validation.validate import validate

SPECIFICATION = """
id = "flawed"
title = "Flawed"
lecture = 1

[[questions]]
id = "scale"
title = "Scale a vector"
points = 2

[[questions]]
id = "descent"
title = "Descend"
points = 2

[[questions]]
id = "words"
title = "In words"
points = 1

[[questions.rubric]]
id = "idea"
text = "The idea is there."
points = 1
"""

CHECKS = """
import numpy as np

from grader.assignment import Calls, Experiment, Iterates, Question, Values
from reference import problems
from reference.variants import convention, equivalent, mistake

PERCENT = 100.0


def scale(x, c):
    return c * x


@equivalent(scale)
def by_loop(x, c):
    return np.array([c * entry for entry in x])


@equivalent(scale)
def nearly(x, c):
    return c * x * (1 + 1e-9)


@convention(scale, "Is c a number or a percentage?")
def percentage(x, c):
    return c * x / PERCENT


@mistake(scale, "Scaling is no addition.")
def addition(x, c):
    return c + x


@mistake(scale, "Look at the size.")
def half(x, c):
    return 0.5 * (c * x)


@mistake(scale, "Look at the size.")
def divided_by_two(x, c):
    return c * x / 2


@mistake(scale, "Look at large entries.")
def clipped(x, c):
    return c * np.minimum(x, 10.0)


@mistake(scale, "Look at negative factors.")
def absolute_factor(x, c):
    return abs(c) * x


@mistake(scale, "Look at negative entries.")
def positive_part(x, c):
    return c * np.maximum(x, 0.0)


def descend(gradient, x0, learning_rate, num_steps):
    return path(lambda x: x - learning_rate * gradient(x), x0, num_steps)


def path(step, x0, num_steps):
    rows = [x0]
    for _ in range(num_steps):
        rows.append(step(rows[-1]))
    return np.array(rows)


@equivalent(descend)
def mean_of_two_gradients(gradient, x0, learning_rate, num_steps):
    return path(lambda x: x - learning_rate * (gradient(x) + gradient(x)) / 2, x0, num_steps)


@mistake(descend, "Downhill.")
def uphill(gradient, x0, learning_rate, num_steps):
    return path(lambda x: x + learning_rate * gradient(x), x0, num_steps)


questions = [
    Question(
        "scale",
        experiments=[
            Experiment("small", scale, x=np.array([1.0, 2.5]), c=3.0, public=True),
            Experiment("large", scale, x=np.array([7.0, 70.0]), c=1.5),
            Experiment("no check judges this", scale, x=np.array([-1.0, 2.0]), c=0.3),
        ],
        checks=[Values(id="small", on=["small"], points=1), Values(id="large", on=["large"], points=1)],
    ),
    Question(
        "descent",
        experiments=[Experiment("bowl", descend, problems.bowl(), learning_rate=0.25, num_steps=5, public=True)],
        checks=[Iterates(points=1), Calls(points=1)],
    ),
]
"""

EXPECTED = """
[ada]
file = "ada.py"
status = "graded"
scores = { scale = 2, descent = 2 }
mentions = ["Scale a vector"]

[bob]
file = "bob.py"
note = "adds"
status = "graded"
scores = { scale = 2, descent = 0 }
mentions = ["no such words"]

[carol]
file = "carol.py"
status = "graded"

[eve]
file = "eve.py"
status = "graded"

[fay]
file = "old.py"
status = "graded"
scores = { scale = 2 }
"""

SAMPLES = {
    "ada.py": (
        "def scale(x, c):\n    return c * x\n\n"
        "def descend(gradient, x0, learning_rate, num_steps):\n"
        "    rows = [x0]\n"
        "    for _ in range(num_steps):\n        rows.append(rows[-1] - learning_rate * gradient(rows[-1]))\n"
        "    return rows\n"
    ),
    "bob.py": "def scale(x, c):\n    return x + c\n",
    "dan.py": "pass\n",
    "eve.py": "",
    "fay/old.py": "def scale(x, c):\n    return c * x\n",
    "fay/fay.py": "def scale(x, c):\n    return c * x\n",
}


@pytest.fixture(scope="session")
def flawed_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("flawed")
    submissions = folder / "samples" / "submissions"
    submissions.mkdir(parents=True)
    (folder / "assignment.toml").write_text(SPECIFICATION, encoding="utf-8")
    (folder / "checks.py").write_text(CHECKS, encoding="utf-8")
    (folder / "samples" / "expected.toml").write_text(EXPECTED, encoding="utf-8")
    for name, text in SAMPLES.items():
        (submissions / name).parent.mkdir(exist_ok=True)
        (submissions / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def flawed(flawed_folder: Path) -> Validation:
    return validate(flawed_folder)


@pytest.fixture
def scale(flawed: Validation) -> QuestionFindings:
    return flawed.questions[0]


@pytest.fixture
def descent(flawed: Validation) -> QuestionFindings:
    return flawed.questions[1]
