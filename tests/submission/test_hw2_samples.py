"""The sample class of homework 2 is in step with the handout, and is read as its table says."""

from __future__ import annotations

import runpy
import tomllib
from pathlib import Path

import pytest

from grader.assignment.handout import solution
from grader.submission.intake import collect
from grader.submission.parsing import parse
from grader.submission.program import RefusedError


@pytest.fixture(scope="module")
def expected(hw2_folder):
    return tomllib.loads((hw2_folder / "samples" / "expected.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def collection(hw2_folder):
    return collect([hw2_folder / "samples" / "submissions"])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_samples_are_what_make_writes(hw2_folder, tmp_path):
    make = runpy.run_path(str(hw2_folder / "samples" / "make.py"))["make"]
    make(tmp_path)
    made = contents(tmp_path)
    there = contents(hw2_folder / "samples")
    assert {name: there.get(name) for name in made} == made
    assert {name for name in there if name.startswith("submissions/")} == {name for name in made if "/" in name}


def test_every_sample_has_its_expectation_and_the_other_way_round(collection, expected):
    assert {submission.student: submission.file_name for submission in collection.submissions} == {
        student: sample["file"] for student, sample in expected.items()
    }
    assert collection.refused == ()


def test_the_refused_samples_are_refused_and_all_others_are_read(collection, expected):
    for submission in collection.submissions:
        sample = expected[submission.student]
        if sample["status"] == "refused":
            with pytest.raises(RefusedError) as refusal:
                parse(submission)
            assert all(word in str(refusal.value) for word in sample["mentions"])
        else:
            program = parse(submission)
            assert program.blocks
            assert program.remarks == ()


def test_the_class_has_what_it_should_show(expected):
    graded = [sample for sample in expected.values() if sample["status"] == "graded"]
    assert len(expected) >= 28
    full = {"least_squares": 3, "gradient_descent": 6, "logistic_regression": 3, "linear_network": 3}
    assert sum(sample["scores"] == full for sample in graded) >= 10
    assert len({name for sample in graded for name in sample["diagnoses"].values()}) >= 10
    assert {question for sample in graded for question in sample["diagnoses"]} == set(full)


def test_the_solution_of_the_handout_gives_the_golden_numbers_of_the_course(hw2_folder, capsys):
    np = pytest.importorskip("numpy")
    names: dict = {}
    exec(compile(solution(hw2_folder / "handout.py"), "handout", "exec"), names)  # our own code
    assert "2/(L+mu)" in capsys.readouterr().out

    A, b = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]), np.array([1.0, 2.0, 2.0])
    assert names["least_squares_value"](A, b, np.array([7 / 6, 1 / 2])) == pytest.approx(1 / 12)
    assert names["least_squares_gradient"](A, b, np.zeros(2)) == pytest.approx([-5.0, -6.0])
    assert names["least_squares_constants"](A) == pytest.approx((4 + 10**0.5, 4 - 10**0.5))

    path = names["gradient_descent"](lambda x: names["least_squares_gradient"](A, b, x), np.array([0, 0]), 0.1, 3)
    assert path == pytest.approx(np.array([[0, 0], [0.5, 0.6], [0.67, 0.75], [0.744, 0.774]]))

    ones, labels = np.ones((4, 1)), np.array([1.0, 1.0, 1.0, -1.0])
    assert names["logistic_value"](ones, labels, np.log([3.0])) == pytest.approx(0.5623351446188)
    assert names["logistic_gradient"](ones, labels, np.log([3.0])) == pytest.approx([0.0], abs=1e-15)
    huge = np.array([[1000.0], [-1000.0]])
    assert names["logistic_value"](huge, np.ones(2), np.ones(1)) == pytest.approx(500.0)
    assert names["logistic_gradient"](huge, np.ones(2), np.ones(1)) == pytest.approx([500.0])

    G1, G2, G3 = names["linear_network_gradients"](
        np.array([[1, 0, 2], [0, 1, -1]]),
        np.array([[1, 1], [0, 2], [1, -2]]),
        np.array([[1, 0, 1], [2, -1, 0]]),
        np.array([1, 2, 3]),
        np.array([1, 0]),
    )
    assert G1.tolist() == [[56, 112, 168], [-14, -28, -42]]
    assert G2.tolist() == [[294, -42], [-98, 14], [98, -14]]
    assert G3.tolist() == [[84, -28, 126], [84, -28, 126]]
