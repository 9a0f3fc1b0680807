"""Each mistake is seen on a problem of the library, by a stated margin; where it is invisible, a test says so."""

import numpy as np
import pytest

from reference.lecture02.gradient_descent import gradient_descent
from reference.problems import (
    bowl,
    elongated_bowl,
    parabola,
    random_least_squares,
    random_logistic,
    random_quadratic,
)
from reference.variants import Kind, variants

MISTAKES = {v.identifier: v for v in variants(gradient_descent, Kind.MISTAKE)}
OTHER_PATH = {
    "gradient_ascent",
    "frozen_gradient",
    "gauss_seidel",
    "normalized_gradient",
    "decaying_step",
    "decaying_step_sqrt",
    "halved_gradient",
    "doubled_gradient",
    "gradient_divided_by_dimension",
    "own_learning_rate",
}
OTHER_ROWS = {
    "missing_first_row",
    "missing_last_row",
    "one_step_too_many",
    "final_point_only",
    "aliased_rows",
    "early_stopping",
}
OTHER_EFFECTS = {"integer_truncation", "mutated_start", "two_gradients_per_step"}

LEAST_SQUARES = random_least_squares(rows=20, columns=5, condition=10, seed=1)


class Counted:
    """A gradient that counts its calls."""

    def __init__(self, gradient):
        self.gradient = gradient
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        return self.gradient(x)


def run(identifier, problem, learning_rate, num_steps, x0=None):
    """(iterates, gradient calls, starting point after the call)."""
    gradient = Counted(problem.gradient)
    start = problem.x0.copy() if x0 is None else x0.copy()
    iterates = MISTAKES[identifier].function(gradient, start, learning_rate, num_steps)
    return iterates, gradient.calls, start


def right(problem, learning_rate, num_steps):
    return gradient_descent(problem.gradient, problem.x0, learning_rate, num_steps)


def assert_same(path, other):
    """Equal up to rounding: the same operations may meet another summation order in the matrix products."""
    np.testing.assert_allclose(path, other, rtol=0, atol=1e-13)


def deviation(identifier, problem, learning_rate, num_steps):
    """Largest distance of an iterate from the right one, relative to the length of the right path's box."""
    wrong, _, _ = run(identifier, problem, learning_rate, num_steps)
    path = right(problem, learning_rate, num_steps)
    return np.abs(wrong - path).max() / np.ptp(path, axis=0).max()


def test_the_known_mistakes():
    assert set(MISTAKES) == OTHER_PATH | OTHER_ROWS | OTHER_EFFECTS


@pytest.mark.parametrize("identifier", MISTAKES)
def test_sentence_is_for_the_student(identifier):
    sentence = MISTAKES[identifier].sentence
    assert sentence.startswith(("You", "All your"))
    assert sentence.endswith((".", "?"))
    assert " - " not in sentence  # no formula that could be copied


# Another path.


@pytest.mark.parametrize("identifier", sorted(OTHER_PATH))
@pytest.mark.parametrize(
    "problem",
    [LEAST_SQUARES, random_quadratic(5, 3.0, 0.2, seed=2), random_logistic(60, 4, seed=3)],
    ids=["least squares", "quadratic", "logistic"],
)
def test_path_deviates_by_at_least_a_fiftieth_of_its_extent(identifier, problem):
    assert deviation(identifier, problem, 0.7 / problem.smoothness, 30) > 0.02


@pytest.mark.parametrize("identifier", sorted(OTHER_PATH))
def test_path_has_the_right_form(identifier):
    iterates, _, start = run(identifier, LEAST_SQUARES, 0.1, 10)
    assert iterates.shape == (11, 5)
    np.testing.assert_array_equal(iterates[0], LEAST_SQUARES.x0)
    np.testing.assert_array_equal(start, LEAST_SQUARES.x0)


@pytest.mark.parametrize(
    ("identifier", "calls"),
    [("gradient_ascent", 10), ("frozen_gradient", 1), ("gauss_seidel", 50), ("two_gradients_per_step", 20)],
)
def test_calls_of_the_gradient(identifier, calls):
    assert run(identifier, LEAST_SQUARES, 0.1, 10)[1] == calls


@pytest.mark.parametrize("identifier", ["frozen_gradient", "decaying_step", "decaying_step_sqrt"])
def test_first_step_is_right_and_the_second_is_not(identifier):
    path = right(LEAST_SQUARES, 0.1, 2)
    wrong, _, _ = run(identifier, LEAST_SQUARES, 0.1, 2)
    np.testing.assert_allclose(wrong[1], path[1], atol=1e-15)
    assert np.abs(wrong[2] - path[2]).max() > 0.01


@pytest.mark.parametrize("identifier", ["gauss_seidel", "gradient_divided_by_dimension"])
def test_dimension_one_hides_it(identifier):
    assert deviation(identifier, parabola(), 0.3, 20) == 0


def test_diagonal_hessian_hides_gauss_seidel():
    assert deviation("gauss_seidel", elongated_bowl(), 0.05, 20) == 0


def test_gradient_of_norm_one_hides_nothing_but_the_first_normalized_step():
    problem = parabola()
    start = np.array([0.0])  # |f'(0)| = 1
    wrong, _, _ = run("normalized_gradient", problem, 0.3, 2, x0=start)
    path = gradient_descent(problem.gradient, start, 0.3, 2)
    assert wrong[1] == path[1]
    assert abs(wrong[2] - path[2]) > 0.1


def test_normalized_gradient_is_nan_once_the_gradient_vanishes():
    wrong, _, _ = run("normalized_gradient", bowl(), 0.3, 2, x0=np.zeros(2))
    assert np.isnan(wrong[1:]).all()


def test_learning_rate_of_one_hundredth_hides_the_own_one():
    assert deviation("own_learning_rate", LEAST_SQUARES, 0.01, 30) < 1e-13


# Other rows.


def test_rows_that_are_missing():
    path = right(LEAST_SQUARES, 0.1, 10)
    assert_same(run("missing_first_row", LEAST_SQUARES, 0.1, 10)[0], path[1:])
    assert_same(run("missing_last_row", LEAST_SQUARES, 0.1, 10)[0], path[:-1])
    assert_same(run("final_point_only", LEAST_SQUARES, 0.1, 10)[0], path[-1])


def test_one_step_too_many_has_one_row_and_one_call_more():
    wrong, calls, _ = run("one_step_too_many", LEAST_SQUARES, 0.1, 10)
    assert_same(wrong, right(LEAST_SQUARES, 0.1, 11))
    assert calls == 11


def test_aliased_rows_are_all_the_last_point():
    path = right(LEAST_SQUARES, 0.1, 10)
    wrong, _, start = run("aliased_rows", LEAST_SQUARES, 0.1, 10)
    assert_same(wrong, np.tile(path[-1], (11, 1)))
    assert_same(start, path[0])
    assert deviation("aliased_rows", LEAST_SQUARES, 0.1, 10) > 0.5


def test_early_stopping_has_fewer_rows_and_calls_on_a_long_run():
    path = right(LEAST_SQUARES, 0.25, 400)
    wrong, calls, _ = run("early_stopping", LEAST_SQUARES, 0.25, 400)
    assert len(wrong) < 200
    assert calls == len(wrong)
    assert_same(wrong, path[: len(wrong)])


def test_short_run_hides_early_stopping():
    assert deviation("early_stopping", LEAST_SQUARES, 0.25, 20) < 1e-13


# Effects beside the path.


def test_integer_start_shows_integer_truncation():
    problem = elongated_bowl()
    wrong, _, _ = run("integer_truncation", problem, 1 / 11, 10, x0=problem.x0.astype(np.int64))
    assert wrong.dtype == np.int64
    assert np.abs(wrong - right(problem, 1 / 11, 10)).max() > 0.5


def test_float_start_hides_integer_truncation():
    assert deviation("integer_truncation", LEAST_SQUARES, 0.1, 10) < 1e-13


def test_mutated_start_is_the_last_point_beside_the_right_path():
    wrong, calls, start = run("mutated_start", LEAST_SQUARES, 0.1, 10)
    path = right(LEAST_SQUARES, 0.1, 10)
    assert_same(wrong, path)
    assert calls == 10
    assert_same(start, path[-1])
    assert np.abs(start - LEAST_SQUARES.x0).max() > 0.1


def test_mutated_start_is_invisible_on_an_integer_start():
    """The conversion to floats copies the array, and only the copy is changed."""
    wrong, calls, start = run("mutated_start", elongated_bowl(), 1 / 11, 1, x0=np.array([2, 4]))
    np.testing.assert_array_equal(start, [2, 4])
    assert calls == 1
    assert wrong.shape == (2, 2)


def test_two_gradients_a_step_leave_the_path_right():
    assert_same(run("two_gradients_per_step", LEAST_SQUARES, 0.1, 10)[0], right(LEAST_SQUARES, 0.1, 10))


@pytest.mark.parametrize("identifier", sorted(set(MISTAKES) - {"mutated_start"}))
def test_only_one_mistake_changes_the_start(identifier):
    np.testing.assert_array_equal(run(identifier, LEAST_SQUARES, 0.1, 3)[2], LEAST_SQUARES.x0)
