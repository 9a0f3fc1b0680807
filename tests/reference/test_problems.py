"""Every problem is what it says: gradient of value, L, mu, x*, f*."""

import numpy as np
import pytest
import scipy.optimize

from reference.problems import (
    bowl,
    elongated_bowl,
    huber,
    kinked_plateau,
    least_squares,
    line_by_three_points,
    logistic,
    parabola,
    quadratic,
    random_least_squares,
    random_logistic,
    random_quadratic,
    saddle,
    separable_labels,
    sine_plus_line,
    sine_wave,
    smooth_plateau,
    steep_left_parabola,
    three_of_four_labels,
    two_sided_parabola,
)

QUADRATICS = {
    "least squares": random_least_squares(rows=20, columns=5, condition=100, seed=1),
    "square least squares": random_least_squares(rows=4, columns=4, condition=10, seed=2),
    "quadratic": random_quadratic(dimension=6, smoothness=3.0, strong_convexity=0.1, seed=3),
    "bowl": bowl(),
    "elongated bowl": elongated_bowl(),
    "three points": line_by_three_points(),
}
SCALAR = {
    "sine plus a line": sine_plus_line(),
    "smooth plateau": smooth_plateau(),
    "parabola": parabola(),
    "two-sided parabola": two_sided_parabola(),
    "steep left parabola": steep_left_parabola(),
    "sine wave": sine_wave(),
    "Huber": huber(0.3),
}
LOGISTIC = {"logistic regression": random_logistic(rows=60, columns=4, seed=4)}
PROBLEMS = QUADRATICS | SCALAR | LOGISTIC
WITH_MINIMIZER = [name for name in PROBLEMS if name != "sine plus a line"]


@pytest.fixture(params=PROBLEMS)
def problem(request):
    return PROBLEMS[request.param]


def points_around(problem, count=20):
    rng = np.random.default_rng(0)
    return problem.x0 + 2 * rng.standard_normal((count, len(problem.x0)))


def test_gradient_is_the_gradient_of_value(problem, numerical_gradient):
    for x in points_around(problem):
        np.testing.assert_allclose(problem.gradient(x), numerical_gradient(problem.value, x), rtol=1e-6, atol=1e-6)


def test_hessian_is_the_derivative_of_the_gradient(problem, numerical_hessian):
    if problem.hessian is not None:
        for x in points_around(problem, count=5):
            np.testing.assert_allclose(problem.hessian(x), numerical_hessian(problem, x), rtol=1e-6, atol=1e-6)


def test_types(problem):
    assert type(problem.value(problem.x0)) is float
    assert problem.gradient(problem.x0).shape == problem.x0.shape
    assert problem.x0.dtype == problem.gradient(problem.x0).dtype == np.float64


@pytest.mark.parametrize("name", QUADRATICS)
def test_constants_of_quadratics_are_the_extreme_eigenvalues(name, numerical_hessian):
    problem = QUADRATICS[name]
    eigenvalues = np.linalg.eigvalsh(numerical_hessian(problem, problem.x0))
    assert problem.smoothness == pytest.approx(eigenvalues[-1], rel=1e-8)
    assert problem.strong_convexity == pytest.approx(eigenvalues[0], rel=1e-6)


@pytest.mark.parametrize("name", SCALAR)
def test_constants_of_scalar_functions_are_the_extreme_slopes_of_the_derivative(name):
    problem = SCALAR[name]
    grid = np.linspace(-3, 3, 2001)
    slopes = np.diff([problem.gradient(np.array([x]))[0] for x in grid]) / np.diff(grid)
    assert np.abs(slopes).max() == pytest.approx(problem.smoothness, rel=1e-5)
    if problem.strong_convexity is None:
        assert slopes.min() < 0
    else:
        assert slopes.min() == pytest.approx(problem.strong_convexity, abs=1e-10)


def test_logistic_smoothness_is_attained_at_zero_and_nowhere_exceeded(numerical_hessian):
    problem = LOGISTIC["logistic regression"]
    at_zero = np.linalg.eigvalsh(numerical_hessian(problem, np.zeros(4)))
    assert at_zero[-1] == pytest.approx(problem.smoothness, rel=1e-8)
    for x in points_around(problem):
        eigenvalues = np.linalg.eigvalsh(numerical_hessian(problem, x))
        assert eigenvalues[-1] <= problem.smoothness * (1 + 1e-8)
        assert eigenvalues[0] >= -1e-9
    assert problem.strong_convexity == 0.0


@pytest.mark.parametrize("name", WITH_MINIMIZER)
def test_minimizer_and_minimum(name):
    problem = PROBLEMS[name]
    np.testing.assert_allclose(problem.gradient(problem.minimizer), 0, atol=1e-14 * len(problem.x0))
    assert problem.value(problem.minimizer) == pytest.approx(problem.minimum, abs=1e-15)
    assert min(problem.value(x) for x in points_around(problem)) >= problem.minimum


@pytest.mark.parametrize("name", ["least squares", "square least squares", "quadratic", "logistic regression"])
def test_random_problems_neither_start_nor_end_at_zero(name):
    problem = PROBLEMS[name]
    np.testing.assert_array_equal(problem.x0, 1.0)
    assert np.abs(problem.minimizer).min() > 1e-3
    assert np.linalg.norm(problem.x0 - problem.minimizer) > 0.5
    assert abs(problem.smoothness - 1) > 0.1


# Least squares.


def test_least_squares_of_the_catalogue():
    problem = least_squares(np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]), np.array([1.0, 2.0, 2.0]), x0=np.zeros(2))
    np.testing.assert_allclose(problem.minimizer, [7 / 6, 1 / 2], rtol=1e-14)
    assert problem.minimum == pytest.approx(1 / 12, rel=1e-13)
    assert problem.smoothness == pytest.approx(4 + np.sqrt(10))
    assert problem.strong_convexity == pytest.approx(4 - np.sqrt(10))
    assert set(problem.data) == {"A", "b"}


def test_rank_deficient_least_squares_is_not_strongly_convex_and_has_the_closest_minimizer():
    A = np.array([[1.0, 1.0], [2.0, 2.0], [0.0, 0.0]])
    problem = least_squares(A, np.array([1.0, 2.0, 3.0]), x0=np.array([5.0, 0.0]))
    assert problem.strong_convexity == 0.0
    np.testing.assert_allclose(problem.minimizer, [3.0, -2.0], rtol=1e-14)  # projection of x0 on x + y = 1


@pytest.mark.parametrize("condition", [1, 10, 1e4])
def test_condition_is_as_prescribed(condition):
    problem = random_least_squares(rows=30, columns=8, condition=condition, seed=5)
    assert problem.smoothness == pytest.approx(4.0, rel=1e-13)
    assert problem.smoothness / problem.strong_convexity == pytest.approx(condition, rel=1e-11)
    assert problem.minimum == pytest.approx(0.5, rel=1e-12)


def test_same_seed_same_problem():
    first, again, other = (random_least_squares(9, 3, 10, seed) for seed in (6, 6, 7))
    np.testing.assert_array_equal(first.data["A"], again.data["A"])
    np.testing.assert_array_equal(first.data["b"], again.data["b"])
    assert np.abs(first.data["A"] - other.data["A"]).max() > 0.1


@pytest.mark.parametrize(
    ("rows", "columns", "condition", "sentence"),
    [(3, 4, 10, "rows >= columns"), (5, 1, 10, "cannot have both"), (5, 2, 0.5, "at least 1")],
)
def test_impossible_least_squares_are_refused(rows, columns, condition, sentence):
    with pytest.raises(ValueError, match=sentence):
        random_least_squares(rows, columns, condition, seed=0)


# Quadratics.


def test_random_quadratic_has_the_constants_asked_for_and_a_dense_hessian():
    problem = random_quadratic(dimension=5, smoothness=7.0, strong_convexity=0.07, seed=1)
    assert problem.smoothness == pytest.approx(7.0, rel=1e-13)
    assert problem.strong_convexity == pytest.approx(0.07, rel=1e-11)
    assert np.abs(problem.data["hessian"]).min() > 1e-4


@pytest.mark.parametrize("hessian", [np.array([[1.0, 2.0], [2.0, 1.0]]), np.array([[2.0, 1.0], [0.0, 2.0]])])
def test_a_hessian_that_is_not_symmetric_positive_definite_is_refused(hessian):
    with pytest.raises(ValueError, match="not symmetric positive definite"):
        quadratic(hessian, np.zeros(2), np.ones(2))


# Logistic regression.


def test_minimizer_agrees_with_an_independent_solver():
    problem = LOGISTIC["logistic regression"]
    found = scipy.optimize.minimize(problem.value, np.zeros(4), jac=problem.gradient, method="BFGS", tol=1e-9)
    np.testing.assert_allclose(problem.minimizer, found.x, atol=1e-7)


@pytest.mark.parametrize("seed", range(10))
def test_random_labels_have_a_minimizer_to_machine_precision(seed):
    problem = random_logistic(rows=50, columns=5, seed=seed)
    np.testing.assert_allclose(problem.gradient(problem.minimizer), 0, atol=1e-15)


def test_badly_scaled_data_have_a_minimizer_too():
    source = random_logistic(rows=50, columns=3, seed=1)
    scales = np.array([1e-4, 1.0, 1e4])
    problem = logistic(source.data["A"] * scales, source.data["b"], np.zeros(3))
    np.testing.assert_allclose(problem.minimizer * scales, source.minimizer, rtol=1e-9)


SEPARABLE = {
    "strictly": (np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), np.array([1.0, -1.0, 1.0])),
    "in one direction only": (
        np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 2.0]]),
        np.array([1.0, -1.0, 1.0, 1.0, 1.0]),
    ),
    "one sample": (np.array([[3.0]]), np.array([-1.0])),
}


@pytest.mark.parametrize("name", SEPARABLE)
def test_separable_labels_have_no_minimizer(name):
    problem = logistic(*SEPARABLE[name], x0=np.zeros(SEPARABLE[name][0].shape[1]))
    assert problem.minimizer is None
    assert problem.minimum is None


def test_minimizer_at_zero_is_found():
    A = np.array([[0.3, 1.0], [0.3, 1.0], [-2.0, 0.1], [-2.0, 0.1]])
    problem = logistic(A, np.array([1.0, -1.0, 1.0, -1.0]), np.ones(2))
    np.testing.assert_allclose(problem.minimizer, 0, atol=1e-15)


def separable(A, b):
    """Whether a direction puts no sample on the wrong side and at least one on the right: a linear program."""
    signed = b[:, None] * A
    best = scipy.optimize.linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(b)), bounds=(-1, 1))
    return -best.fun > 1e-9


@pytest.mark.parametrize("rows", [4, 8, 12])
def test_a_minimizer_is_found_exactly_where_labels_are_not_separable(rows):
    rng = np.random.default_rng(rows)
    for _ in range(20):
        A, b = rng.standard_normal((rows, 3)), rng.choice([-1.0, 1.0], size=rows)
        assert (logistic(A, b, np.zeros(3)).minimizer is None) == separable(A, b)


def test_columns_that_depend_on_each_other_leave_no_single_minimizer():
    A = np.array([[1.0, 1.0], [1.0, 1.0], [2.0, 2.0]])
    assert logistic(A, np.array([1.0, -1.0, 1.0]), np.zeros(2)).minimizer is None


def test_separable_random_labels_are_refused():
    with pytest.raises(ValueError, match="hyperplane separates"):
        random_logistic(rows=3, columns=3, seed=0)


# The examples of the course.


def test_level_of_the_sine_is_that_of_the_local_minimum():
    problem = sine_plus_line()
    found = scipy.optimize.minimize_scalar(lambda x: problem.value(np.array([x])), bounds=(-1, 0), method="bounded")
    assert found.x == pytest.approx(-0.7196679097, abs=1e-5)
    assert problem.minimum == pytest.approx(-2.2105136624, abs=1e-10)
    assert problem.minimum == pytest.approx(found.fun, abs=1e-9)
    assert problem.minimizer is None
    assert problem.value(np.array([-10.0])) < problem.minimum  # f itself is not bounded below


def test_printed_plateau_is_not_smooth_and_this_one_is():
    left_slope_of_the_printed_one = 2 * -0.5 + 0.5
    assert left_slope_of_the_printed_one == -0.5  # and 0 to the right of -1/2: a kink
    assert smooth_plateau().gradient(np.array([-0.5]))[0] == 0.0
    assert smooth_plateau().gradient(np.array([-0.5 - 1e-9]))[0] == pytest.approx(-2e-9)


def test_formulas_of_the_bowls():
    x, y = 3.0, -2.0
    assert bowl().value(np.array([x, y])) == x**2 + y**2
    assert elongated_bowl().value(np.array([x, y])) == 10 * x**2 + y**2


def test_which_problems_have_a_hessian_everywhere():
    without = {name for name, problem in PROBLEMS.items() if problem.hessian is None}
    assert without == {"smooth plateau", "two-sided parabola", "steep left parabola", "Huber"}


def test_constants_of_the_golden_data():
    three = line_by_three_points()
    np.testing.assert_allclose(three.minimizer, [7 / 6, 1 / 2], rtol=1e-14)
    assert three.minimum == pytest.approx(1 / 12)
    four = three_of_four_labels()
    assert four.smoothness == pytest.approx(0.25)
    assert four.minimizer[0] == pytest.approx(np.log(3), rel=1e-14)
    assert four.minimum == pytest.approx(0.5623351446188, abs=1e-13)
    assert separable_labels().minimizer is None
    assert separable_labels().smoothness == pytest.approx(0.25)


def test_minimiser_of_the_sine_wave_is_the_closest():
    problem = sine_wave()
    others = -np.pi / 4 + np.pi * np.array([-2, -1, 1, 2])
    assert abs(problem.minimizer[0] - problem.x0[0]) < np.abs(others - problem.x0[0]).min()


def test_kinked_plateau_is_convex_continuous_and_not_smooth():
    problem = kinked_plateau()
    grid = np.linspace(-3, 3, 6001)
    values = np.array([problem.value(np.array([x])) for x in grid])
    slopes = np.array([problem.gradient(np.array([x]))[0] for x in grid])
    assert np.abs(np.diff(values)).max() < 0.01
    assert (np.diff(slopes) >= -1e-12).all()
    below, at, above = (problem.gradient(np.array([x]))[0] for x in (-0.5 - 1e-9, -0.5, -0.5 + 1e-9))
    assert below == pytest.approx(-0.5)
    assert (at, above) == (-0.5, 0)
    assert problem.gradient(np.array([1 / 3]))[0] == pytest.approx(1 / 3)
    assert problem.gradient(np.array([1 / 3 - 1e-9]))[0] == 0
    assert problem.smoothness is None
    assert problem.value(problem.minimizer) == problem.minimum == values.min() == 0


def test_saddle_has_the_gradient_and_the_hessian_of_its_value(numerical_gradient, numerical_hessian):
    for start in ([0.3, 0.7], [0.3, -0.7]):
        problem = saddle(np.array(start))
        np.testing.assert_allclose(
            problem.gradient(problem.x0), numerical_gradient(problem.value, problem.x0), atol=1e-9
        )
        np.testing.assert_allclose(problem.hessian(problem.x0), numerical_hessian(problem, problem.x0), atol=1e-8)
        assert problem.value(problem.minimizer) == problem.minimum == -0.25
        assert problem.minimizer[1] == np.sign(start[1])
