"""The runs that the notes plot: golden numbers of the catalogue, closed forms, the step limits."""

import numpy as np
import pytest

from reference.lecture02.course_examples import course_runs, log_distance_curve, log_value_curve, step_sweep, steps_to
from reference.lecture02.gradient_descent import gradient_descent
from reference.problems import elongated_bowl, kinked_plateau, parabola

RUNS = course_runs()


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("parabola", 0.8329, -6.7065),
        ("two_sided_right", np.log(2.8), -16.9055),
        ("two_sided_left", np.log(2.8), -3.8459),
        ("bowl", 2.9957, -135.6337),
        ("elongated_bowl", 4.0254, -36.1088),
    ],
)
def test_ends_of_the_curves(name, first, last):
    curve = RUNS[name].drawn()
    assert curve[[0, -1]] == pytest.approx([first, last], abs=5e-5)


def test_sine():
    curve = RUNS["sine"].drawn()
    golden = [1.7510565163, 1.5052956981, 1.1423490935, 0.6411620171, 0.0222820581, -0.6287542170]
    np.testing.assert_allclose(curve[:6], golden, atol=5e-11)
    assert curve[30] == pytest.approx(-2.2104986469, abs=5e-11)


PLATEAU = {
    "plateau_short_step": [-2.8, -2.29, -1.882, -1.5556, -1.29448],
    "plateau_standard_step": [-2.8, -0.25, -0.25],
    "plateau_long_step": [-2.8, 2.453, -2.256847, 1.877257, -1.64656, 1.230353, -0.960841, 0.503491, -0.190368],
}


@pytest.mark.parametrize("name", PLATEAU)
def test_iterates_on_the_plateau(name):
    golden = PLATEAU[name]
    np.testing.assert_allclose(RUNS[name].iterates()[: len(golden), 0], golden, atol=5e-7)
    assert RUNS[name].drawn()[0] == pytest.approx(6.44)


@pytest.mark.parametrize(
    ("name", "steps"), [("plateau_short_step", 11), ("plateau_standard_step", 1), ("plateau_long_step", 8)]
)
def test_steps_to_the_plateau(name, steps):
    curve = RUNS[name].drawn()
    assert steps_to(curve, 0.0) == steps
    assert (curve[steps:] == 0).all()


def test_short_step_reaches_the_plateau_at_the_catalogues_point():
    assert RUNS["plateau_short_step"].iterates()[11, 0] == pytest.approx(-0.469043332, abs=5e-10)


def test_step_that_the_slide_prints_gives_another_picture():
    problem = kinked_plateau()
    iterates = gradient_descent(problem.gradient, problem.x0, 1.0, 6)[:, 0]
    np.testing.assert_allclose(iterates, [-2.8, 2.3, -1.966667, 1.466667, -1.133333, 0.633333, -0.3], atol=5e-7)


def test_closed_forms():
    k = np.arange(31)
    np.testing.assert_allclose(RUNS["parabola"].iterates()[:, 0] + 0.5, 2.3 * (-7 / 9) ** k, rtol=1e-11)
    np.testing.assert_allclose(RUNS["two_sided_right"].iterates()[:, 0], 2.8 * 0.55**k, rtol=1e-13)
    np.testing.assert_allclose(RUNS["two_sided_left"].iterates()[:, 0], -2.8 * 0.85**k, rtol=1e-13)
    k = np.arange(101)[:, None]
    np.testing.assert_allclose(RUNS["bowl"].iterates(), [2, 4] * 0.5**k, rtol=1e-13)
    np.testing.assert_allclose(RUNS["elongated_bowl"].iterates(), [2, 4] * np.array([-9 / 11, 9 / 11]) ** k, rtol=1e-12)


def test_steps_are_those_of_the_theorems_where_the_text_says_so():
    for name, step in [("bowl", lambda L, mu: 1 / (L + mu)), ("elongated_bowl", lambda L, mu: 2 / (L + mu))]:
        problem = RUNS[name].problem
        assert RUNS[name].learning_rate == pytest.approx(step(problem.smoothness, problem.strong_convexity))
    assert RUNS["sine"].learning_rate < 1 / RUNS["sine"].problem.smoothness
    assert 1 / 2 < RUNS["parabola"].learning_rate < 2 / 2
    assert RUNS["plateau_long_step"].learning_rate == pytest.approx(2.06 / 2)


def test_every_run_has_its_place_and_a_curve_of_the_right_length():
    for name, run in RUNS.items():
        assert run.drawn().shape == (run.num_steps + 1,), name
        assert run.place.startswith("notes ch. 1")
        assert run.curve.__doc__


def test_curves_on_a_path_worked_by_hand():
    problem = elongated_bowl()
    iterates = np.array([[0.0, 1.0], [1.0, 0.0]])
    np.testing.assert_allclose(log_value_curve(iterates, problem), [0, np.log(10)])
    np.testing.assert_allclose(log_distance_curve(iterates, problem), [0, 0])


def test_steps_to_a_tolerance():
    assert steps_to(np.array([3.0, 1.0, 2.0, 0.5]), 1.0) == 1
    assert steps_to(np.array([3.0, 1.0, 2.0, 0.5]), 0.1) is None
    distances = np.linalg.norm(RUNS["elongated_bowl"].iterates(), axis=1)
    assert steps_to(distances, 1e-6) == 77


def test_sweep_finds_the_best_step_and_the_step_limit():
    problem = elongated_bowl()
    steps = np.array([0.5 / 20, 1 / 20, 1 / 11, 1.99 / 20, 2 / 20, 2.01 / 20, 1.0])
    last = step_sweep(problem, steps, 400)
    assert np.argmin(last) == 2
    assert last[3] < 1 < last[4] == pytest.approx(40.0)
    assert last[5] > 1000
    assert last[6] == np.inf
    assert step_sweep(parabola(), np.array([0.5]), 1)[0] == -0.25
