"""What a step of gradient descent gains: along runs, at equality, beyond its condition."""

import numpy as np
import pytest

from reference.lecture02 import descent as module
from reference.lecture02.descent import approach_gap, decrease_gap, decrease_gap_any_step
from reference.lecture02.gradient_descent import gradient_descent
from reference.problems import (
    bowl,
    elongated_bowl,
    huber,
    parabola,
    quadratic,
    random_least_squares,
    random_logistic,
    random_quadratic,
    sine_plus_line,
    sine_wave,
    smooth_plateau,
    two_sided_parabola,
)
from reference.quantities import distance, gap
from reference.variants import Kind, variants

CONVEX = [
    smooth_plateau(),
    two_sided_parabola(),
    huber(0.1),
    elongated_bowl(),
    random_least_squares(rows=20, columns=4, condition=10, seed=1),
    random_quadratic(dimension=5, smoothness=3.0, strong_convexity=0.2, seed=2),
    random_logistic(rows=60, columns=4, seed=3),
]
ALL = [*CONVEX, sine_wave(), sine_plus_line()]
ROUNDING = 1e-12

MISTAKES = {
    decrease_gap: {"decrease_by_full_step", "decrease_for_long_steps", "decrease_by_plain_norm"},
    approach_gap: {"approach_by_plain_distance"},
}


def run(problem, fraction, num_steps=40):
    """(values, gradients, gamma, L) of a run with gamma = fraction/L."""
    L = problem.smoothness
    iterates = gradient_descent(problem.gradient, problem.x0, fraction / L, num_steps)
    values = np.array([problem.value(x) for x in iterates])
    gradients = np.array([problem.gradient(x) for x in iterates[:-1]])
    return values, gradients, fraction / L, L


@pytest.mark.parametrize("problem", ALL, ids=lambda p: p.name)
def test_decrease_holds_along_runs(problem):
    for fraction in (0.1, 0.7, 1.0):
        gaps = decrease_gap(*run(problem, fraction))
        assert gaps.shape == (40,)
        assert gaps.min() >= -ROUNDING
        (variant,) = variants(decrease_gap, Kind.EQUIVALENT)
        np.testing.assert_allclose(variant.function(*run(problem, fraction)), gaps, atol=1e-13)


@pytest.mark.parametrize("problem", ALL, ids=lambda p: p.name)
def test_form_for_any_step_holds_beyond_one_over_L_and_two_over_L(problem):
    for fraction in (0.3, 1.0, 1.5, 1.99, 2.5):
        gaps = decrease_gap_any_step(*run(problem, fraction, num_steps=10))
        assert gaps.min() >= -1e-9


def test_both_forms_agree_for_one_over_L_only():
    at_limit, shorter = run(elongated_bowl(), 1.0), run(elongated_bowl(), 0.5)
    np.testing.assert_allclose(decrease_gap(*at_limit), decrease_gap_any_step(*at_limit), atol=1e-12)
    assert (decrease_gap(*shorter) > decrease_gap_any_step(*shorter)).all()


@pytest.mark.parametrize("fraction", [0.3, 1.0, 1.5, 2.5])
def test_form_for_any_step_is_an_equality_on_the_steepest_parabola(fraction):
    np.testing.assert_allclose(decrease_gap_any_step(*run(bowl(), fraction, num_steps=5)), 0, atol=1e-10)


def test_parabola_of_the_course_decreases_with_a_step_beyond_one_over_L():
    values, gradients, step, L = run(parabola(), 16 / 9)
    assert step == pytest.approx(8 / 9)
    assert (np.diff(values) < 0).all()
    assert decrease_gap_any_step(values, gradients, step, L).min() >= -ROUNDING
    with pytest.raises(ValueError, match="gamma <= 1/L"):
        decrease_gap(values, gradients, step, L)
    assert module.decrease_for_long_steps(values, gradients, step, L)[0] < -3


def test_numbers_of_the_catalogue_for_three_halves_over_L():
    L = 2.0
    problem = quadratic(L * np.eye(1), np.zeros(1), np.array([3.0]))
    values, gradients, step, _ = run(problem, 1.5, num_steps=1)
    assert values[0] - values[1] == pytest.approx(3 / 8 * L * 9)
    assert step / 2 * gradients[0, 0] ** 2 == pytest.approx(3 / 4 * L * 9)


@pytest.mark.parametrize("function", [decrease_gap, module.decrease_gap_step_by_step, module.decrease_by_full_step])
@pytest.mark.parametrize("fraction", [1.001, 0.0])
def test_long_and_empty_steps_are_refused(function, fraction):
    values, gradients, _, L = run(elongated_bowl(), 1.0)
    with pytest.raises(ValueError, match="gamma <= 1/L"):
        function(values, gradients, fraction / L, L)


# The distance to a minimiser.


@pytest.mark.parametrize("problem", CONVEX, ids=lambda p: p.name)
def test_every_step_approaches_every_minimiser(problem):
    L = problem.smoothness
    iterates = gradient_descent(problem.gradient, problem.x0, 1 / (2 * L), 40)
    gaps, distances = gap(iterates, problem), distance(iterates, problem)
    slack = approach_gap(gaps, distances, L)
    assert slack.shape == (40,)
    assert slack.min() >= -ROUNDING
    if problem.name == "smooth plateau":
        others = np.abs(iterates[:, 0] - 1 / 3)
        assert approach_gap(gaps, others, L).min() >= -ROUNDING
    total = 2 * L * distances[0] ** 2
    assert np.sum(gaps[:-1]) <= total + ROUNDING  # as Theorem 2 sums it


def test_equality_of_the_approach_needs_more_than_a_parabola():
    """On L/2 x^2: 2L (1 - 1/4) x^2 - L/2 x^2 = L x^2."""
    iterates = gradient_descent(bowl().gradient, bowl().x0, 1 / 4, 3)
    squared = np.sum(iterates[:-1] ** 2, axis=1)
    np.testing.assert_allclose(approach_gap(gap(iterates, bowl()), distance(iterates, bowl()), 2.0), 2 * squared)


# Mistakes.


@pytest.mark.parametrize("function", MISTAKES)
def test_the_known_mistakes(identifiers, function):
    assert identifiers(function, Kind.MISTAKE) == MISTAKES[function]


def test_mistakes_are_violated_on_the_elongated_bowl():
    arguments = run(elongated_bowl(), 1.0)
    assert module.decrease_by_full_step(*arguments).min() < -10
    assert module.decrease_by_plain_norm(*run(elongated_bowl(), 0.5, 200)).min() < -1e-4
    np.testing.assert_array_equal(module.decrease_for_long_steps(*arguments), decrease_gap(*arguments))
    gaps, distances = np.array([2.0, 1.0]), np.array([3.0, 2.9])
    assert approach_gap(gaps, distances, 2.0)[0] == pytest.approx(4 * 0.59 - 2)
    assert module.approach_by_plain_distance(gaps, distances, 2.0)[0] == pytest.approx(4 * 0.1 - 2)


def test_gradient_of_norm_one_hides_the_plain_norm():
    values, gradients = np.array([1.0, 0.5]), np.array([[0.6, 0.8]])
    wrong, right = module.decrease_by_plain_norm(values, gradients, 0.1, 1.0), decrease_gap(values, gradients, 0.1, 1.0)
    np.testing.assert_allclose(wrong, right, atol=1e-15)
