"""Derived tolerances: wide enough for every correct form, far from every mistake, the same on every build."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from grader.answer_key.answer import Answer, AnswerKey
from grader.answer_key.build import build_answer, build_answer_key, key_hash, sources
from grader.answer_key.cache import answer_key, read_answer_key, write_answer_key
from grader.answer_key.tolerance import FACTOR, distances, tolerance
from grader.assignment.assignment import Assignment
from grader.assignment.errors import AssignmentError
from grader.assignment.experiment import Experiment
from reference import problems
from reference.lecture02.gradient_descent import gradient_descent
from reference.lecture03.heavy_ball import heavy_ball
from reference.variants import equivalent, mistake

ROOT = Path(__file__).resolve().parents[2]


def allowed(answer: Answer, precision: str = "float64") -> np.ndarray:
    return tolerance(answer.parts[0], answer.envelope[precision][0], answer.iterative, precision)


def descent(**problem: float) -> Experiment:
    chosen = problems.random_least_squares(rows=40, columns=8, seed=3, **problem)
    return Experiment("e", gradient_descent, chosen, learning_rate=lambda p: 1 / p.smoothness, num_steps=50)


def test_two_builds_are_equal_to_the_last_bit(hw2: Assignment, hw2_key: AnswerKey, tmp_path: Path) -> None:
    write_answer_key(hw2_key, tmp_path / "a")
    write_answer_key(build_answer_key(hw2), tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_key_read_back_is_the_key_written(hw2_key: AnswerKey, tmp_path: Path) -> None:
    write_answer_key(hw2_key, tmp_path / "key")
    read = read_answer_key(tmp_path / "key")
    write_answer_key(read, tmp_path / "again")
    assert (tmp_path / "key").read_bytes() == (tmp_path / "again").read_bytes()
    assert read.answers.keys() == hw2_key.answers.keys()
    assert [part.shape for a in read.answers.values() for part in a.parts] == [
        part.shape for a in hw2_key.answers.values() for part in a.parts
    ]


IMPORTED = """
import sys
import grader.answer_key.build
for name, module in list(sys.modules.items()):
    if name.split(".")[0] in ("grader", "reference"):
        print(module.__file__)
"""


def test_the_hash_of_a_key_covers_all_code_that_makes_it() -> None:
    """Of the project, whatever is imported to make a key is among the sources; of the reference, everything."""
    command = [sys.executable, "-c", IMPORTED]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    imported = {Path(line).resolve() for line in output.splitlines()}
    hashed = {file.resolve() for file in sources().values()}
    assert len(imported) > 15
    assert imported <= hashed
    assert set((ROOT / "reference").rglob("*.py")) <= hashed


def test_the_names_of_the_sources_are_the_same_on_every_machine() -> None:
    assert {"grader/sandbox/oracle_arguments.py", "grader/assignment/theorem.py", "reference/quantities.py"} <= set(
        sources()
    )


@pytest.mark.parametrize("damage", [b"", b"garbage", b"\xff" * 64, save({"a": np.zeros(1)})])
def test_a_damaged_cache_is_built_again(hw2: Assignment, hw2_key: AnswerKey, tmp_path: Path, damage: bytes) -> None:
    answer_key(hw2, tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage)
    assert answer_key(hw2, tmp_path).answers.keys() == hw2_key.answers.keys()
    assert read_answer_key(file).hash == key_hash(hw2)


def test_a_cache_that_cannot_be_written_is_no_obstacle(hw2: Assignment, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    assert answer_key(hw2, tmp_path / "file").hash == key_hash(hw2)


def test_another_order_of_the_sums_stays_inside() -> None:
    """The witness is an implementation that is in no library: it forms the normal equations in another order."""
    experiment = descent(condition=1e4)
    answer = build_answer(experiment)
    assert experiment.problem is not None
    A, b, x = experiment.problem.data["A"], experiment.problem.data["b"], experiment.problem.x0
    assert isinstance(A, np.ndarray)
    assert isinstance(b, np.ndarray)
    gram, moment = sum(np.outer(row, row) for row in A[::-1]), sum(row * value for row, value in zip(A, b, strict=True))
    rows = [x]
    for _ in range(50):
        x = x - experiment.arguments["learning_rate"] * (gram @ x - moment)
        rows.append(x)
    ratio = distances(np.array(rows), answer.parts[0], True) / allowed(answer)
    assert ratio.max() < 0.5


def test_single_precision_needs_its_own_tolerance() -> None:
    experiment = descent(condition=10.0)
    answer = build_answer(experiment)
    gradient, x = experiment.oracles["gradient"], np.asarray(experiment.arguments["x0"], dtype=np.float32)
    rows = [x]
    for _ in range(50):
        x = (x - np.float32(experiment.arguments["learning_rate"]) * gradient(x).astype(np.float32)).astype(np.float32)
        rows.append(x)
    off = distances(np.array(rows, dtype=np.float64), answer.parts[0], True)
    assert (off > allowed(answer)).any()
    assert (off <= allowed(answer, "float32")).all()


def test_a_step_size_off_by_one_part_in_a_million_is_outside() -> None:
    experiment = descent(condition=10.0)
    answer = build_answer(experiment)
    exact = experiment.arguments
    rows = gradient_descent(exact["gradient"], exact["x0"], exact["learning_rate"] * (1 + 1e-6), exact["num_steps"])
    assert (distances(rows, answer.parts[0], True) / allowed(answer)).max() > 1e4


def test_every_mistake_of_homework_2_is_seen_by_some_experiment(hw2: Assignment, hw2_key: AnswerKey) -> None:
    for function in {experiment.function for experiment in hw2.experiments}:
        answers = [hw2_key.answers[e.key] for e in hw2.experiments if e.function == function]
        for name in answers[0].variants:
            assert any(differs(answer, name) for answer in answers), f"{function}: {name} is never seen"


def differs(answer: Answer, name: str) -> bool:
    variant = answer.variants[name]
    if variant.parts is None or [p.shape for p in variant.parts] != [p.shape for p in answer.parts]:
        return True
    far = any(
        (distances(wrong, right, answer.iterative) > tolerance(right, envelope, answer.iterative, "float64")).any()
        for wrong, right, envelope in zip(variant.parts, answer.parts, answer.envelope["float64"], strict=True)
    )
    return far or variant.calls != answer.calls or bool(variant.changed_inputs)


def test_the_comparison_stops_where_rounding_alone_separates_the_paths() -> None:
    """The logistic map in disguise: gradient descent on a quartic with a step in the chaotic range."""
    chaotic = problems.sine_plus_line()
    answer = build_answer(Experiment("chaos", gradient_descent, chaotic, learning_rate=0.9, num_steps=400))
    assert 0 < answer.horizon < 401
    reached = FACTOR * answer.envelope["float64"][0]
    assert reached[answer.horizon] > 1e3 * reached[1]


def test_an_envelope_that_is_not_finite_is_the_authors_error_and_not_a_free_pass() -> None:
    def short(gradient: Any, x0: Any, learning_rate: float, num_steps: int) -> Any:
        return gradient_descent(gradient, x0, learning_rate, num_steps)

    @equivalent(short)
    def broken(gradient: Any, x0: Any, learning_rate: float, num_steps: int) -> Any:
        rows = gradient_descent(gradient, x0, learning_rate, num_steps)
        rows[5:] = np.nan
        return rows

    experiment = Experiment("e", short, problems.parabola(), learning_rate=0.1, num_steps=10)
    with pytest.raises(AssignmentError, match="an equivalent, or the reference under"):
        build_answer(experiment)
    assert broken is not None


def test_single_precision_is_not_accepted_where_it_cannot_tell_right_from_wrong() -> None:
    def descent_by(scale: float) -> Any:
        def scaled(gradient: Any, x0: Any, learning_rate: float, num_steps: int) -> Any:
            return gradient_descent(gradient, x0, learning_rate, num_steps)

        @mistake(scaled, "The step is a little too long.")
        def too_long(gradient: Any, x0: Any, learning_rate: float, num_steps: int) -> Any:
            return gradient_descent(gradient, x0, learning_rate * scale, num_steps)

        assert too_long is not None
        return build_answer(Experiment("e", scaled, problems.parabola(), learning_rate=0.1, num_steps=10))

    assert descent_by(1.1).single
    assert not descent_by(1 + 1e-7).single


def test_a_reference_that_fails_is_the_authors_error() -> None:
    experiment = Experiment("diverges", gradient_descent, problems.parabola(), learning_rate=1e300, num_steps=5)
    with pytest.raises(AssignmentError, match="not finite"):
        build_answer(experiment)


@pytest.mark.parametrize("method", [gradient_descent, heavy_ball])
def test_no_step_at_all_is_an_experiment_too(method: Any) -> None:
    """Some of the mistakes return no row at all then."""
    momentum = {"momentum": 0.5} if method is heavy_ball else {}
    experiment = Experiment("e", method, problems.bowl(), learning_rate=0.1, num_steps=0, **momentum)
    answer = build_answer(experiment)
    np.testing.assert_array_equal(answer.parts[0], [problems.bowl().x0])
    assert any(made.parts is not None and not made.parts[0].size for made in answer.variants.values())
