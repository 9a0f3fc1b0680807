"""Every problem is what it says: gradient, constants, feasible start, optimal solution, golden numbers."""

import numpy as np
import pytest
import scipy.optimize
from sklearn.linear_model import Lasso

from reference.lecture04 import problems
from reference.lecture04.optimality import projected_residual, prox_residual

CONSTRAINED = {
    "TP7": problems.box_quadratic(),
    "TP8": problems.hyperplane_quadratic(),
    "TP9": problems.l1_ball_least_squares(),
    "TP14": problems.face_changing_quadratic(),
    "random box": problems.random_box_quadratic(6, 5.0, 0.5, seed=1),
    "random simplex": problems.random_simplex_quadratic(6, 5.0, 0.5, seed=2),
}
COMPOSITE = {
    "TP10": problems.diagonal_lasso(),
    "TP11": problems.dense_lasso(),
    "random lasso": problems.random_lasso(20, 6, 20, lam=0.7, seed=3),
}
QUADRATIC = CONSTRAINED | COMPOSITE


@pytest.mark.parametrize("name", QUADRATIC)
def test_gradient_and_constants(name, numerical_gradient, numerical_hessian):
    problem = QUADRATIC[name]
    rng = np.random.default_rng(0)
    for _ in range(5):
        x = problem.x0 + rng.standard_normal(len(problem.x0))
        np.testing.assert_allclose(problem.gradient(x), numerical_gradient(problem.value, x), rtol=1e-6, atol=1e-6)
    eigenvalues = np.linalg.eigvalsh(numerical_hessian(problem, problem.x0))
    assert problem.smoothness == pytest.approx(eigenvalues[-1], rel=1e-8)
    assert problem.strong_convexity == pytest.approx(eigenvalues[0], rel=1e-6)


@pytest.mark.parametrize("name", CONSTRAINED)
def test_constrained_solution_is_feasible_and_optimal(name):
    problem = CONSTRAINED[name]
    for point in (problem.x0, problem.minimizer):
        np.testing.assert_allclose(problem.project(point), point, atol=1e-14)
    for step in (0.01, 1.0, 7.0):
        assert projected_residual(problem.gradient, problem.project, problem.minimizer, step) <= 1e-12 / step
    assert problem.minimum == problem.value(problem.minimizer)


@pytest.mark.parametrize("name", COMPOSITE)
def test_composite_solution_is_optimal(name):
    problem = COMPOSITE[name]
    for step in (0.01, 1.0, 7.0):
        assert prox_residual(problem.gradient, problem.prox, problem.minimizer, step) <= 1e-12 / step
    assert problem.minimum == problem.objective(problem.minimizer)
    rng = np.random.default_rng(1)
    others = problem.minimizer + rng.standard_normal((50, len(problem.x0)))
    assert min(problem.objective(x) for x in others) > problem.minimum


@pytest.mark.parametrize(
    ("name", "smoothness", "strong_convexity", "minimizer", "minimum"),
    [
        ("TP7", 3, 1, (1, 0.7), 0.75),
        ("TP8", 20, 1, (20 / 21, 1 / 21), 10 / 21),
        ("TP9", 4, 0.25, (1.7, 0.3, 0), 1.4),
        ("TP14", 3.5, 0.5, (0.5, 0.9), 0),
        ("TP10", 20, 1, (1, 0), 1.516),
        ("TP11", 5.25, 0.75, (71 / 75, -64 / 75, 0), 6163 / 3000),
    ],
)
def test_golden_numbers(name, smoothness, strong_convexity, minimizer, minimum):
    problem = QUADRATIC[name]
    assert problem.smoothness == pytest.approx(smoothness, rel=1e-14)
    assert problem.strong_convexity == pytest.approx(strong_convexity, rel=1e-13)
    np.testing.assert_allclose(problem.minimizer, minimizer, rtol=1e-15)
    assert problem.minimum == pytest.approx(minimum, rel=1e-14, abs=1e-15)


def test_golden_gradients_at_the_solution():
    for name, golden in (("TP9", (-1.2, -1.2, -0.5)), ("TP11", (-0.7, 0.7, 0.34))):
        problem = QUADRATIC[name]
        np.testing.assert_allclose(problem.gradient(problem.minimizer), golden, atol=1e-14)


def test_clipped_unconstrained_minimizer_of_tp7_is_no_solution():
    problem = CONSTRAINED["TP7"]
    clipped = problem.project(np.array([2.0, 0.2]))
    np.testing.assert_array_equal(clipped, [1.0, 0.2])
    assert problem.value(clipped) == pytest.approx(1.0)
    assert projected_residual(problem.gradient, problem.project, clipped, 0.1) > 0.9


# Independent solvers.


@pytest.mark.parametrize("seed", range(3))
def test_box_and_simplex_agree_with_a_quadratic_program(seed):
    box = problems.random_box_quadratic(5, 5.0, 0.5, seed)
    found = scipy.optimize.minimize(box.value, np.zeros(5), jac=box.gradient, method="L-BFGS-B", bounds=[(-1, 1)] * 5)
    np.testing.assert_allclose(box.minimizer, found.x, atol=1e-5)
    assert box.minimum <= found.fun + 1e-13
    simplex = problems.random_simplex_quadratic(5, 5.0, 0.5, seed)
    found = scipy.optimize.minimize(
        simplex.value,
        np.full(5, 0.2),
        jac=simplex.gradient,
        method="SLSQP",
        bounds=[(0, None)] * 5,
        constraints=[{"type": "eq", "fun": lambda x: np.sum(x) - 1}],
        options={"ftol": 1e-15, "maxiter": 500},
    )
    np.testing.assert_allclose(simplex.minimizer, found.x, atol=1e-6)
    assert np.count_nonzero(simplex.minimizer == 0) == 3
    assert np.count_nonzero(np.abs(box.minimizer) == 1) == 3


@pytest.mark.parametrize("name", ["TP11", "random lasso"])
def test_lasso_agrees_with_scikit_learn(name):
    problem = COMPOSITE[name]
    A, b, lam = (problem.data[key] for key in ("A", "b", "lam"))
    theirs = Lasso(alpha=lam / len(b), fit_intercept=False, tol=1e-14, max_iter=100_000).fit(A, b)
    np.testing.assert_allclose(problem.minimizer, theirs.coef_, atol=1e-7)


def test_random_lasso_is_sparse_and_starts_at_one():
    problem = COMPOSITE["random lasso"]
    np.testing.assert_array_equal(problem.minimizer == 0, [True, False] * 3)
    np.testing.assert_array_equal(problem.x0, 1.0)
    again = problems.random_lasso(20, 6, 20, lam=0.7, seed=3)
    np.testing.assert_array_equal(again.minimizer, problem.minimizer)


# Robust PCA and the attack.


def test_robust_pca():
    problem = problems.robust_pca_example()
    M = problem.data["M"]
    np.testing.assert_array_equal(M, [[1, 1, 1, 6], [2, 2, 2, 2], [-1, 3, 3, 3]])
    assert problem.minimum == pytest.approx(4.774589227064, abs=5e-13)
    low_rank, sparse = problem.minimizer
    assert np.linalg.matrix_rank(low_rank, 1e-9) == 1
    assert np.count_nonzero(sparse) == 9
    assert problem.objective(problem.x0) == pytest.approx(41.5)
    residual = problem.minimizer - problem.prox(problem.minimizer - 0.5 * problem.gradient(problem.minimizer), 0.5)
    np.testing.assert_allclose(residual, 0, atol=1e-14)


def test_smoothness_of_robust_pca_is_two():
    problem = problems.robust_pca_example()
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 2, 3, 4))
    assert np.linalg.norm(problem.gradient(x) - problem.gradient(y)) <= 2 * np.linalg.norm(x - y)
    both = np.array([x[0], x[0]])
    moved = problem.gradient(both) - problem.gradient(0 * both)
    assert np.linalg.norm(moved) == pytest.approx(2 * np.linalg.norm(both))
    direction = rng.standard_normal((2, 3, 4))
    slope = (problem.value(x + 1e-6 * direction) - problem.value(x - 1e-6 * direction)) / 2e-6
    assert np.sum(problem.gradient(x) * direction) == pytest.approx(slope, rel=1e-7)


def test_logistic_attack(numerical_gradient, numerical_hessian):
    problem = problems.logistic_attack()
    rng = np.random.default_rng(0)
    for _ in range(5):
        eta = rng.standard_normal(2)
        np.testing.assert_allclose(problem.gradient(eta), numerical_gradient(problem.value, eta), atol=1e-8)
        assert np.linalg.norm(numerical_hessian(problem, eta), 2) <= problem.smoothness
    np.testing.assert_allclose(problem.minimizer, [-0.3, 0.4])
    circle = np.array([0.5 * np.array([np.cos(a), np.sin(a)]) for a in np.linspace(0, 2 * np.pi, 200)])
    assert min(problem.value(eta) for eta in circle) >= problem.minimum
    assert np.linalg.norm(problem.x0) < 0.5
