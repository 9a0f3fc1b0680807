"""Every problem of Lecture 3 is what it says: gradient of value, Hessian of gradient, L, mu, x*, f*."""

import numpy as np
import pytest

from reference.lecture03.problems import (
    cycle_of_heavy_ball,
    five_curvatures,
    flat_bowl,
    random_regularized_logistic,
    shifted_valley,
    softplus_bowl,
    steep_walls,
    valley,
    worst_convex,
    worst_strongly_convex,
)
from reference.lecture03.quadratics import constant_hessian
from reference.lecture03.worst_functions import worst_function_convex, worst_function_strongly_convex
from reference.problems import random_least_squares, random_logistic, random_quadratic
from reference.variants import Kind, variants

PROBLEMS = {
    problem.name: problem
    for problem in [
        valley(),
        flat_bowl(),
        worst_convex(8.0, 5),
        worst_strongly_convex(30.0, 2.0, 12),
        softplus_bowl(),
        five_curvatures(),
        shifted_valley(),
        steep_walls(),
        cycle_of_heavy_ball(),
        random_regularized_logistic(rows=40, columns=4, regularization=0.05, seed=1),
    ]
}


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
    if problem.hessian is None:
        assert problem.name == "cycle of heavy ball"  # its gradient has kinks
        return
    for x in points_around(problem, 5):
        np.testing.assert_allclose(problem.hessian(x), numerical_hessian(problem, x), rtol=1e-6, atol=1e-6)


def test_types(problem):
    assert type(problem.value(problem.x0)) is float
    assert problem.x0.dtype == problem.gradient(problem.x0).dtype == problem.minimizer.dtype == np.float64


def test_minimizer_and_minimum(problem):
    np.testing.assert_allclose(problem.gradient(problem.minimizer), 0, atol=1e-13)
    assert problem.value(problem.minimizer) == pytest.approx(problem.minimum, abs=1e-13)


def test_curvature_along_random_lines_is_between_mu_and_L(problem):
    for x, y in zip(points_around(problem), points_around(problem)[::-1], strict=True):
        slope = (problem.gradient(x) - problem.gradient(y)) @ (x - y)
        length = np.sum((x - y) ** 2)
        assert problem.strong_convexity * length <= slope * (1 + 1e-12) + 1e-12
        assert slope <= problem.smoothness * length * (1 + 1e-12)


@pytest.mark.parametrize("name", ["valley", "flat bowl", "five curvatures", "shifted valley", "steep walls"])
def test_constants_of_a_quadratic_are_its_extreme_eigenvalues(name):
    problem = PROBLEMS[name]
    eigenvalues = np.linalg.eigvalsh(constant_hessian(problem))
    assert eigenvalues[-1] == pytest.approx(problem.smoothness, rel=1e-14)
    assert eigenvalues[0] == pytest.approx(problem.strong_convexity, rel=1e-13, abs=1e-16)


# Golden numbers.


def test_valley():
    problem = valley()
    assert problem.value(problem.x0) == 60
    assert (problem.smoothness, problem.strong_convexity) == (20, 1)


def test_flat_bowl_has_the_closest_of_its_minimizers():
    problem = flat_bowl()
    np.testing.assert_array_equal(problem.minimizer, [0, 0, 1])
    assert np.sum((problem.x0 - problem.minimizer) ** 2) == 2


def test_softplus_bowl():
    problem = softplus_bowl()
    np.testing.assert_allclose(problem.minimizer, [0.112467185172, 1.124671851723], atol=5e-13)
    assert problem.minimum == pytest.approx(1.9697255746724, abs=5e-14)
    assert problem.smoothness == pytest.approx(11.420378, abs=1e-5)
    on_the_line = np.linalg.eigvalsh(problem.hessian(np.array([0.3, -0.3])))
    assert on_the_line[-1] == pytest.approx(problem.smoothness, rel=1e-14)
    far_away = np.linalg.eigvalsh(problem.hessian(np.array([30.0, 30.0])))
    assert 1 < far_away[0] < 1 + 1e-12 or far_away[0] == pytest.approx(1, rel=1e-12)


def test_lipschitz_constant_of_the_softplus_hessian_is_nearly_attained():
    problem = softplus_bowl()
    M = problem.data["hessian_lipschitz"]
    rng = np.random.default_rng(0)
    ratios = []
    for _ in range(200):
        x, y = rng.standard_normal((2, 2))
        ratios.append(np.linalg.norm(problem.hessian(x) - problem.hessian(y), 2) / np.linalg.norm(x - y))
    assert max(ratios) <= M
    steepest = np.log((3 + np.sqrt(3)) / (3 - np.sqrt(3))) / 2 * np.ones(2)  # where p (1-p) (1-2p) is largest
    step = 1e-5 * np.ones(2)
    ratio = np.linalg.norm(problem.hessian(steepest + step) - problem.hessian(steepest - step), 2)
    assert ratio / np.linalg.norm(2 * step) == pytest.approx(M, rel=1e-6)


def test_regularized_logistic_has_mu_at_infinity():
    problem = random_regularized_logistic(rows=40, columns=4, regularization=0.05, seed=1)
    eigenvalues = np.linalg.eigvalsh(problem.hessian(1000 * np.ones(4)))
    assert eigenvalues[0] == pytest.approx(0.05)
    assert np.linalg.eigvalsh(problem.hessian(np.zeros(4)))[-1] == pytest.approx(problem.smoothness)


# Nesterov's worst functions.


@pytest.mark.parametrize("num_steps", [0, 1, 3, 10])
def test_worst_convex_function(num_steps):
    L, n = 8.0, 2 * num_steps + 1
    H, c = worst_function_convex(L, num_steps)
    problem = worst_convex(L, num_steps)
    np.testing.assert_allclose(np.linalg.solve(H, c), problem.minimizer, atol=1e-12)
    assert problem.minimum == pytest.approx(L / 8 * (-1 + 1 / (n + 1)))
    assert np.sum(problem.minimizer**2) <= (n + 1) / 3
    eigenvalues = np.linalg.eigvalsh(H)
    assert eigenvalues[0] > 0
    assert eigenvalues[-1] < L
    x = np.random.default_rng(0).standard_normal(n)
    chain = x[0] ** 2 + np.sum(np.diff(x) ** 2) + x[-1] ** 2
    assert problem.value(x) == pytest.approx(L / 4 * (chain / 2 - x[0]))


@pytest.mark.parametrize(("L", "mu", "dimension"), [(100.0, 1.0, 60), (30.0, 2.0, 3), (4.0, 4.0, 2), (5.0, 1.0, 1)])
def test_worst_strongly_convex_function(L, mu, dimension):
    H, c = worst_function_strongly_convex(L, mu, dimension)
    rho = (np.sqrt(L) - np.sqrt(mu)) / (np.sqrt(L) + np.sqrt(mu))
    np.testing.assert_allclose(np.linalg.solve(H, c), rho ** np.arange(1, dimension + 1), atol=1e-12)
    kappa = L / mu
    if mu < L:
        last = 4 * (H[-1, -1] - mu) / (L - mu)
        assert last == pytest.approx((np.sqrt(kappa) + 3) / (np.sqrt(kappa) + 1))
    eigenvalues = np.linalg.eigvalsh(H)
    assert mu * (1 - 1e-12) <= eigenvalues[0]
    assert eigenvalues[-1] <= L * (1 + 1e-12)


def test_spectrum_of_the_worst_strongly_convex_function():
    H, _ = worst_function_strongly_convex(100.0, 1.0, 60)
    np.testing.assert_allclose(np.linalg.eigvalsh(H)[[0, -1]], [1.057, 99.933], atol=5e-4)


@pytest.mark.parametrize(
    "problem", [worst_convex(8.0, 5), worst_strongly_convex(30.0, 2.0, 12)], ids=["convex", "strong"]
)
def test_gradient_reaches_one_coordinate_further(problem):
    rng = np.random.default_rng(0)
    n = len(problem.x0)
    for k in range(n - 1):
        x = np.concatenate([rng.standard_normal(k), np.zeros(n - k)])
        gradient = problem.gradient(x)
        assert gradient[k] != 0
        np.testing.assert_array_equal(gradient[k + 1 :], 0)


@pytest.mark.parametrize(
    ("identifier", "witness"),
    [
        ("missing_half", lambda H, c: np.linalg.eigvalsh(H)[-1] > 1.9 * 8),
        ("missing_end_term", lambda H, c: np.allclose(np.linalg.solve(H, c), 1)),
        ("too_few_dimensions", lambda H, c: len(c) == 5),
        ("unscaled_smoothness", lambda H, c: np.linalg.eigvalsh(H)[-1] > 3.9 * 8),
    ],
)
def test_mistakes_in_the_convex_function(identifier, witness):
    wrong = {v.identifier: v.function for v in variants(worst_function_convex, Kind.MISTAKE)}
    assert set(wrong) == {"missing_half", "missing_end_term", "too_few_dimensions", "unscaled_smoothness"}
    assert witness(*wrong[identifier](8.0, 5))
    assert not witness(*worst_function_convex(8.0, 5))


def test_mistakes_in_the_strongly_convex_function():
    wrong = {v.identifier: v.function for v in variants(worst_function_strongly_convex, Kind.MISTAKE)}
    assert set(wrong) == {"plain_truncation", "missing_strong_convexity"}
    minimizer = worst_strongly_convex(30.0, 2.0, 3).minimizer
    truncated = np.linalg.solve(*wrong["plain_truncation"](30.0, 2.0, 3))
    assert np.abs(truncated - minimizer).max() > 0.05
    H, _ = wrong["missing_strong_convexity"](30.0, 2.0, 12)
    assert np.linalg.eigvalsh(H)[0] < 0.5


def test_many_dimensions_hide_the_plain_truncation():
    wrong = {v.identifier: v.function for v in variants(worst_function_strongly_convex, Kind.MISTAKE)}
    truncated = np.linalg.solve(*wrong["plain_truncation"](30.0, 2.0, 60))
    np.testing.assert_allclose(truncated, worst_strongly_convex(30.0, 2.0, 60).minimizer, atol=1e-13)


# Recognising a quadratic.


@pytest.mark.parametrize(
    "problem", [valley(), shifted_valley(), random_quadratic(4, 3.0, 0.2, 1), random_least_squares(9, 4, 10, 1)]
)
def test_quadratic_is_recognised(problem):
    np.testing.assert_allclose(constant_hessian(problem), problem.hessian(problem.x0), atol=1e-13)


@pytest.mark.parametrize("problem", [softplus_bowl(), random_logistic(60, 4, 1), cycle_of_heavy_ball()])
def test_other_functions_are_refused(problem):
    with pytest.raises(ValueError, match="a quadratic f"):
        constant_hessian(problem)
