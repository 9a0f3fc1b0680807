"""Preconditioned gradient descent, the change of variables behind it, and Newton's method."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.linalg
import scipy.optimize

from reference.lecture02.gradient_descent import gradient_descent
from reference.lecture03.newton import newton
from reference.lecture03.preconditioned_gradient_descent import preconditioned_gradient_descent
from reference.lecture03.preconditioning import (
    change_of_variables,
    effective_condition_number,
    effective_constants,
    preconditioned_hessian,
    square_root,
)
from reference.lecture03.problems import (
    flat_bowl,
    random_regularized_logistic,
    shifted_valley,
    softplus_bowl,
    steep_walls,
    valley,
)
from reference.problem import Problem
from reference.problems import random_least_squares, random_quadratic
from reference.quantities import distance
from reference.variants import Kind, variants


def spd(dimension, seed):
    factor = np.random.default_rng(seed).standard_normal((dimension, dimension + 2))
    return factor @ factor.T / dimension


DENSE = random_quadratic(dimension=4, smoothness=3.0, strong_convexity=0.2, seed=1)
P = spd(4, 2)
SMOOTH = {
    "softplus": softplus_bowl(),
    "logistic": random_regularized_logistic(rows=40, columns=4, regularization=0.02, seed=3),
    "dense quadratic": DENSE,
}


# The change of variables.


def test_square_root():
    root = square_root(P)
    np.testing.assert_allclose(root @ root, P, atol=1e-13)
    np.testing.assert_allclose(root, scipy.linalg.sqrtm(P), atol=1e-12)
    np.testing.assert_allclose(root, root.T, atol=1e-14)


@pytest.mark.parametrize(
    ("matrix", "sentence"),
    [(np.array([[1.0, 0.5], [0.0, 1.0]]), "symmetric"), (np.diag([1.0, -1.0]), "positive definite")],
)
def test_what_is_no_preconditioner_is_refused(matrix, sentence):
    with pytest.raises(ValueError, match=sentence):
        square_root(matrix)


def test_effective_constants_are_generalised_eigenvalues():
    H = DENSE.data["hessian"]
    eigenvalues = scipy.linalg.eigh(H, np.linalg.inv(P), eigvals_only=True)
    np.testing.assert_allclose(effective_constants(H, P), [eigenvalues[-1], eigenvalues[0]], rtol=1e-12)
    assert effective_condition_number(H, P) == pytest.approx(eigenvalues[-1] / eigenvalues[0])
    for variant in variants(effective_constants, Kind.EQUIVALENT):
        np.testing.assert_allclose(variant.function(H, P), effective_constants(H, P), rtol=1e-12)


def test_inverse_hessian_is_the_perfect_preconditioner():
    H = DENSE.data["hessian"]
    assert effective_condition_number(H, np.linalg.inv(H)) == pytest.approx(1)
    w = np.random.default_rng(0).standard_normal(4)
    x = square_root(np.linalg.inv(H)) @ w
    assert x @ H @ x == pytest.approx(w @ w)  # the slides: x^T Q x = ||w||^2


@pytest.mark.parametrize("name", SMOOTH)
def test_problem_in_the_new_variables(name, numerical_gradient, numerical_hessian):
    problem = SMOOTH[name]
    preconditioner = spd(len(problem.x0), 5)
    changed = change_of_variables(problem, preconditioner)
    root = square_root(preconditioner)
    np.testing.assert_allclose(root @ changed.x0, problem.x0, atol=1e-12)
    np.testing.assert_allclose(root @ changed.minimizer, problem.minimizer, atol=1e-12)
    assert changed.value(changed.x0) == pytest.approx(problem.value(problem.x0))
    for w in np.random.default_rng(0).standard_normal((5, len(problem.x0))):
        np.testing.assert_allclose(changed.gradient(w), numerical_gradient(changed.value, w), rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(changed.hessian(w), numerical_hessian(changed, w), rtol=1e-6, atol=1e-6)


def test_constants_in_the_new_variables_are_known_on_quadratics_only():
    changed = change_of_variables(DENSE, P)
    assert (changed.smoothness, changed.strong_convexity) == effective_constants(DENSE.data["hessian"], P)
    assert change_of_variables(softplus_bowl(), spd(2, 1)).smoothness is None
    assert change_of_variables(flat_bowl(), spd(3, 1)).strong_convexity == 0


def test_constraint_or_penalty_cannot_be_carried_over():
    with pytest.raises(ValueError, match="constraint or a penalty"):
        change_of_variables(replace(DENSE, project=lambda x: x), P)
    with pytest.raises(ValueError, match="constraint or a penalty"):
        change_of_variables(replace(DENSE, penalty=lambda x: 0.0), P)


def test_gradient_descent_in_the_new_variables_is_the_preconditioned_method():
    for problem in SMOOTH.values():
        preconditioner = spd(len(problem.x0), 5)
        changed = change_of_variables(problem, preconditioner)
        step = 0.1
        mapped = gradient_descent(changed.gradient, changed.x0, step, 30) @ square_root(preconditioner)
        ours = preconditioned_gradient_descent(problem.gradient, problem.x0, preconditioner, step, 30)
        np.testing.assert_allclose(ours, mapped, rtol=0, atol=1e-12)


def test_mistakes_of_the_change_of_variables():
    H = DENSE.data["hessian"]
    products = {v.identifier: v.function(H, P) for v in variants(preconditioned_hessian, Kind.MISTAKE)}
    assert set(products) == {"printed_product", "inverse_root"}
    for product in products.values():
        assert np.abs(product - preconditioned_hessian(H, P)).max() > 0.1
    constants = {v.identifier: v.function(H, P) for v in variants(effective_constants, Kind.MISTAKE)}
    assert set(constants) == {"constants_of_f", "singular_values_of_product"}
    for pair in constants.values():
        assert np.abs(np.array(pair) / effective_constants(H, P) - 1).max() > 0.05
    changed = {v.identifier: v.function(DENSE, P) for v in variants(change_of_variables, Kind.MISTAKE)}
    assert set(changed) == {"start_mapped_forward", "chain_rule_missing"}
    right = change_of_variables(DENSE, P)
    assert np.abs(changed["start_mapped_forward"].x0 - right.x0).max() > 0.1
    assert np.abs(changed["chain_rule_missing"].gradient(right.x0) - right.gradient(right.x0)).max() > 0.05


def test_product_of_the_slide_for_the_inverse_hessian_is_the_hessian_itself():
    H = DENSE.data["hessian"]
    printed = {v.identifier: v.function for v in variants(preconditioned_hessian)}["printed_product"]
    np.testing.assert_allclose(printed(H, np.linalg.inv(H)), H, atol=1e-12)


def test_commuting_matrices_hide_the_singular_values():
    wrong = {v.identifier: v.function for v in variants(effective_constants)}["singular_values_of_product"]
    H, D = np.diag([1.0, 20.0]), np.diag([2.0, 0.3])
    np.testing.assert_allclose(wrong(H, D), effective_constants(H, D), rtol=1e-14)


# Preconditioned gradient descent.


@pytest.mark.parametrize("num_steps", [0, 1, 7])
def test_rows_and_calls_of_the_preconditioned_method(num_steps):
    calls = []
    iterates = preconditioned_gradient_descent(
        lambda x: calls.append(0) or DENSE.gradient(x), DENSE.x0, P, 0.1, num_steps
    )
    assert iterates.shape == (num_steps + 1, 4)
    assert iterates.dtype == np.float64
    np.testing.assert_array_equal(iterates[0], DENSE.x0)
    assert len(calls) == num_steps


def test_integer_start_of_the_preconditioned_method():
    x0 = np.array([1, 2])
    iterates = preconditioned_gradient_descent(steep_walls().gradient, x0, np.diag([0.05, 0.5]), 1.0, 2)
    np.testing.assert_array_equal(x0, [1, 2])
    np.testing.assert_allclose(iterates, [(1, 2), (0, 1), (0, 0.5)], atol=1e-15)


def test_identity_gives_gradient_descent():
    ours = preconditioned_gradient_descent(DENSE.gradient, DENSE.x0, np.eye(4), 0.2, 20)
    np.testing.assert_allclose(ours, gradient_descent(DENSE.gradient, DENSE.x0, 0.2, 20), rtol=0, atol=1e-13)


def test_perfect_preconditioner_of_the_slides():
    problem = steep_walls()
    iterates = preconditioned_gradient_descent(problem.gradient, problem.x0, np.diag([1 / 20, 1]), 1.0, 1)
    np.testing.assert_allclose(iterates, [(1, 2), (0, 0)], atol=1e-15)


@pytest.mark.parametrize(("gamma", "expected"), [(0.5, 0.0), (1.0, 1.0), (0.25, 0.5**6)])
def test_function_of_the_slides_has_no_half(gamma, expected):
    """f = x^T Q x + c^T x has the Hessian 2 Q: with P = Q^{-1} the error has the factor 1 - 2 gamma."""
    Q, c, x0 = spd(3, 7), np.array([1.0, -2.0, 0.5]), np.ones(3)
    minimizer = -np.linalg.solve(Q, c) / 2
    iterates = preconditioned_gradient_descent(lambda x: 2 * Q @ x + c, x0, np.linalg.inv(Q), gamma, 6)
    np.testing.assert_allclose(np.abs(iterates[6] - minimizer), expected * np.abs(x0 - minimizer), atol=1e-11)


def test_half_of_it_is_solved_in_one_step():
    Q, c = spd(3, 7), np.array([1.0, -2.0, 0.5])
    iterates = preconditioned_gradient_descent(lambda x: Q @ x + c, np.ones(3), np.linalg.inv(Q), 1.0, 1)
    np.testing.assert_allclose(iterates[1], -np.linalg.solve(Q, c), atol=1e-12)


@pytest.mark.parametrize(("fraction", "converges"), [(0.98, True), (1.02, False)])
def test_stable_below_two_over_the_effective_smoothness(fraction, converges):
    step = fraction * 2 / effective_constants(DENSE.data["hessian"], P)[0]
    distances = distance(preconditioned_gradient_descent(DENSE.gradient, DENSE.x0, P, step, 800), DENSE)
    assert (distances[-1] < 1e-4) == converges
    assert (distances[-1] > 1e4) == (not converges)


def test_error_is_a_matrix_power():
    H, step = DENSE.data["hessian"], 0.15
    iterates = preconditioned_gradient_descent(DENSE.gradient, DENSE.x0, P, step, 30)
    for k in (1, 7, 30):
        error = np.linalg.matrix_power(np.eye(4) - step * P @ H, k) @ (DENSE.x0 - DENSE.minimizer)
        np.testing.assert_allclose(iterates[k] - DENSE.minimizer, error, atol=1e-12)


@pytest.mark.parametrize("name", SMOOTH)
def test_equivalents_of_the_preconditioned_method(name):
    problem = SMOOTH[name]
    preconditioner = spd(len(problem.x0), 5)
    args = (problem.x0, preconditioner, 0.1, 60)
    expected = preconditioned_gradient_descent(problem.gradient, *args)
    known = {"gradient_descent_in_new_variables", "linear_solve", "triangular_factor"}
    assert {v.identifier for v in variants(preconditioned_gradient_descent, Kind.EQUIVALENT)} == known
    for variant in variants(preconditioned_gradient_descent, Kind.EQUIVALENT):
        calls = []
        found = variant.function(lambda x, calls=calls: calls.append(0) or problem.gradient(x), *args)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11, err_msg=variant.identifier)
        assert len(calls) == 60


def in_coordinates(problem, B):
    """f(B z)."""
    return Problem(
        name=problem.name,
        value=lambda z: problem.value(B @ z),
        gradient=lambda z: B.T @ problem.gradient(B @ z),
        hessian=lambda z: B.T @ problem.hessian(B @ z) @ B,
        x0=np.linalg.solve(B, problem.x0),
    )


@pytest.mark.parametrize("name", SMOOTH)
def test_affine_invariance(name):
    """In the coordinates x = B z the preconditioner is B^{-1} P B^{-T}; for Newton's method it takes care of itself."""
    problem = SMOOTH[name]
    d = len(problem.x0)
    B = np.eye(d) + np.triu(np.ones((d, d)), 1) / 2
    other = in_coordinates(problem, B)
    inverse = np.linalg.inv(B)
    preconditioner = spd(d, 5)
    there = preconditioned_gradient_descent(other.gradient, other.x0, inverse @ preconditioner @ inverse.T, 0.1, 30)
    here = preconditioned_gradient_descent(problem.gradient, problem.x0, preconditioner, 0.1, 30)
    np.testing.assert_allclose(there @ B.T, here, rtol=0, atol=1e-11)
    there = newton(other.gradient, other.hessian, other.x0, 0.5, 10)
    np.testing.assert_allclose(
        there @ B.T, newton(problem.gradient, problem.hessian, problem.x0, 0.5, 10), rtol=0, atol=1e-11
    )


# Newton's method.


@pytest.mark.parametrize("num_steps", [0, 1, 7])
def test_rows_and_calls_of_newton(num_steps):
    problem = softplus_bowl()
    gradients, hessians = [], []
    iterates = newton(
        lambda x: gradients.append(0) or problem.gradient(x),
        lambda x: hessians.append(0) or problem.hessian(x),
        problem.x0,
        1.0,
        num_steps,
    )
    assert iterates.shape == (num_steps + 1, 2)
    np.testing.assert_array_equal(iterates[0], problem.x0)
    assert len(gradients) == len(hessians) == num_steps


def test_integer_start_of_newton():
    x0 = np.array([20, 20])
    problem = shifted_valley()
    iterates = newton(problem.gradient, problem.hessian, x0, 0.5, 2)
    np.testing.assert_array_equal(x0, [20, 20])
    assert iterates.dtype == np.float64


def test_golden_on_the_softplus_bowl():
    problem = softplus_bowl()
    iterates = newton(problem.gradient, problem.hessian, problem.x0, 1.0, 4)
    golden = [
        (0.104341507203, 1.043415072027),
        (0.112372369674, 1.123723696739),
        (0.112467171862, 1.124671718619),
        (0.112467185172, 1.124671851723),
    ]
    np.testing.assert_allclose(iterates[1:], golden, atol=6e-13)


def test_paths_of_the_figure():
    problem = shifted_valley()
    newtons = newton(problem.gradient, problem.hessian, problem.x0, 0.5, 4)
    golden = [(10.25, 12.5), (5.375, 8.75), (2.9375, 6.875), (1.71875, 5.9375)]
    np.testing.assert_allclose(newtons[1:], golden, atol=1e-14)
    plain = gradient_descent(problem.gradient, problem.x0, 0.05, 4)
    golden = [(10.25, 19.25), (5.375, 18.5375), (2.9375, 17.860625), (1.71875, 17.21759375)]
    np.testing.assert_allclose(plain[1:], golden, atol=1e-13)


@pytest.mark.parametrize("problem", [valley(), DENSE, random_least_squares(20, 5, 100, 1)])
def test_quadratic_is_solved_in_one_step_and_damping_gives_the_factor(problem):
    iterates = newton(problem.gradient, problem.hessian, problem.x0, 1.0, 1)
    np.testing.assert_allclose(iterates[1], problem.minimizer, atol=1e-12)
    damped = newton(problem.gradient, problem.hessian, problem.x0, 0.3, 20)
    for k, x in enumerate(damped):
        np.testing.assert_allclose(x - problem.minimizer, 0.7**k * (problem.x0 - problem.minimizer), atol=1e-12)


@pytest.mark.parametrize("name", ["softplus", "logistic"])
def test_converges_to_the_root_that_scipy_finds(name):
    problem = SMOOTH[name]
    result = scipy.optimize.root(problem.gradient, problem.x0, jac=problem.hessian, tol=1e-13)
    iterates = newton(problem.gradient, problem.hessian, problem.x0, 1.0, 12)
    np.testing.assert_allclose(iterates[-1], result.x, atol=1e-11)


def test_convergence_is_quadratic():
    problem = softplus_bowl()
    errors = distance(newton(problem.gradient, problem.hessian, problem.x0, 1.0, 3), problem)
    assert (errors[1:] / errors[:-1] ** 2 < 0.7).all()
    assert errors[3] < 1e-6


@pytest.mark.parametrize("name", SMOOTH)
def test_equivalents_of_newton(name):
    problem = SMOOTH[name]
    args = (problem.gradient, problem.hessian, problem.x0, 0.8, 12)
    assert {v.identifier for v in variants(newton, Kind.EQUIVALENT)} == {
        "inverse_hessian",
        "cholesky",
        "direction_first",
    }
    for variant in variants(newton, Kind.EQUIVALENT):
        np.testing.assert_allclose(variant.function(*args), newton(*args), rtol=0, atol=1e-12)


def test_singular_hessian_is_an_error():
    problem = flat_bowl()
    with pytest.raises(np.linalg.LinAlgError):
        newton(problem.gradient, problem.hessian, problem.x0, 1.0, 1)
