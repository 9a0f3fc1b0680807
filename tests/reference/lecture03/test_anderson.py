"""Anderson acceleration and its weights: golden numbers, GMRES, finite termination, optimality, the simplex."""

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from reference.lecture02.gradient_descent import gradient_descent
from reference.lecture03.anderson_acceleration import anderson_acceleration, anderson_step
from reference.lecture03.anderson_weights import anderson_weights
from reference.lecture03.anderson_weights_simplex import anderson_weights_simplex
from reference.lecture03.problems import five_curvatures, random_regularized_logistic, softplus_bowl, valley
from reference.lecture03.quantities import gradient_norm
from reference.problems import random_least_squares, random_quadratic
from reference.quantities import distance, gap
from reference.variants import Kind, variants

EQUIVALENTS = {v.identifier: v.function for v in variants(anderson_acceleration, Kind.EQUIVALENT)}
PROBLEMS = {
    "five curvatures": five_curvatures(),
    "dense quadratic": random_quadratic(dimension=8, smoothness=3.0, strong_convexity=0.1, seed=1),
    "least squares": random_least_squares(rows=20, columns=6, condition=50, seed=2),
    "logistic": random_regularized_logistic(rows=40, columns=5, regularization=0.02, seed=3),
}
FULL_RANK = np.array([[2.0, -1.0, 0.5], [0.0, 1.0, 1.0], [0.3, 0.4, -2.0], [1.0, 0.0, 0.7]])


def run(problem, memory, num_steps):
    return anderson_acceleration(problem.gradient, problem.x0, 1 / problem.smoothness, memory, num_steps)


# The form of the result.


@pytest.mark.parametrize("num_steps", [0, 1, 7])
def test_one_row_for_each_iterate_and_one_gradient_a_step(num_steps):
    calls = []
    problem = five_curvatures()
    gradient = lambda x: calls.append(0) or problem.gradient(x)  # noqa: E731
    iterates = anderson_acceleration(gradient, problem.x0, 0.05, 2, num_steps)
    assert iterates.shape == (num_steps + 1, 5)
    assert iterates.dtype == np.float64
    np.testing.assert_array_equal(iterates[0], problem.x0)
    assert len(calls) == num_steps


def test_integer_start_is_accepted_and_left_as_it_is():
    x0 = np.ones(5, dtype=int)
    iterates = anderson_acceleration(five_curvatures().gradient, x0, 0.05, 2, 5)
    np.testing.assert_array_equal(x0, 1)
    np.testing.assert_array_equal(iterates, run(five_curvatures(), 2, 5))


def test_start_at_the_solution_stays_there():
    problem = PROBLEMS["dense quadratic"]
    iterates = anderson_acceleration(problem.gradient, problem.minimizer, 0.3, 3, 6)
    np.testing.assert_allclose(iterates, np.tile(problem.minimizer, (7, 1)), rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", PROBLEMS)
def test_memory_zero_is_gradient_descent(name):
    problem = PROBLEMS[name]
    plain = gradient_descent(problem.gradient, problem.x0, 1 / problem.smoothness, 20)
    np.testing.assert_allclose(run(problem, 0, 20), plain, rtol=0, atol=1e-13)


# Golden numbers.


def test_valley_ends_after_three_steps():
    problem = valley()
    iterates = run(problem, 5, 3)
    np.testing.assert_allclose(iterates[:3], [(10, 1), (9.5, 0), (14440 / 1601, 0)], atol=1e-13)
    assert problem.value(iterates[3]) < 1e-24
    weights = anderson_weights(np.array([[-0.475, -0.5], [0.0, -1.0]]))
    np.testing.assert_allclose(weights, [1620 / 1601, -19 / 1601], atol=1e-15)


def test_five_curvatures_with_memory_two():
    iterates = run(five_curvatures(), 2, 6)
    golden = [
        (0.95, 0.9, 0.75, 0.5, 0),
        (0.899149095768, 0.803650918297, 0.549272746452, 0.232363661936, 0),
        (0.799165869922, 0.624528754877, 0.240599936303, -0.035870387947, 0),
        (0.623468975109, 0.346942878049, -0.044504903954, 0.002164100995, 0),
    ]
    np.testing.assert_allclose(iterates[1:5], golden, atol=5e-12)
    values = gap(iterates, five_curvatures())
    np.testing.assert_allclose(values, [19, 3.917, 2.074, 0.8605, 0.3197, 0.2618, 0.03737], rtol=2e-4)


def test_weights_on_five_curvatures_with_memory_two():
    problem = five_curvatures()
    iterates = run(problem, 2, 4)
    images = iterates - np.array([problem.gradient(x) for x in iterates]) / 20
    golden = [
        (1.070545352258, -0.070545352258),
        (2.142156001967, -1.145312026038, 0.003156024071),
        (4.070670932297, -6.298398139332, 3.227727207036),
    ]
    for k in (1, 2, 3):
        window = range(k, max(k - 3, -1), -1)
        after, alpha = anderson_step(iterates[window], images[window])
        np.testing.assert_allclose(alpha, golden[k - 1], atol=5e-12)
        np.testing.assert_allclose(after, iterates[k + 1], atol=1e-14)


def test_other_memories_on_five_curvatures():
    problem = five_curvatures()
    assert gap(run(problem, 1, 12), problem)[12] == pytest.approx(9.78e-3, rel=1e-3)
    assert gap(run(problem, 5, 6), problem)[6] < 1e-15


# On quadratics: GMRES, and an end after d+1 steps.


def test_without_a_cut_it_is_one_step_of_gradient_descent_after_gmres():
    """Walker and Ni (2011): x_{k+1} is g of the GMRES iterate k, of the least residual over the Krylov space."""
    problem = PROBLEMS["dense quadratic"]
    H, step = problem.data["hessian"], 1 / problem.smoothness
    right_side = H @ problem.minimizer
    iterates = run(problem, 20, 6)
    for k in range(1, 6):
        krylov, _ = scipy.sparse.linalg.gmres(H, right_side, x0=problem.x0, restart=k, maxiter=1, rtol=0)
        expected = krylov - step * problem.gradient(krylov)
        np.testing.assert_allclose(iterates[k + 1], expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("dimension", [1, 2, 3, 5])
def test_quadratic_in_d_dimensions_ends_after_d_plus_one_steps(dimension):
    problem = random_quadratic(dimension, 3.0, 0.3 if dimension > 1 else 3.0, seed=4)
    distances = distance(anderson_acceleration(problem.gradient, problem.x0, 0.2, dimension, dimension + 1), problem)
    assert distances[dimension + 1] < 1e-9 * distances[0]
    assert distances[dimension] > 1e-4 * distances[0]


def test_only_the_eigenvalues_of_the_error_count():
    problem = five_curvatures()
    x0 = np.array([1.0, 0.0, 0.0, 1.0, 0.0])
    assert distance(anderson_acceleration(problem.gradient, x0, 0.03, 5, 3), problem)[3] < 1e-12


def test_faster_than_gradient_descent_beyond_quadratics():
    for problem in (softplus_bowl(), PROBLEMS["logistic"]):
        plain = gradient_descent(problem.gradient, problem.x0, 1 / problem.smoothness, 25)
        assert gap(run(problem, 3, 25), problem)[25] < 0.01 * gap(plain, problem)[25]


# Equivalents.


@pytest.mark.parametrize("identifier", EQUIVALENTS)
@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("memory", [0, 1, 3])
def test_equivalents_agree_with_one_gradient_a_step(identifier, name, memory):
    """As far as the weights are well determined; rounding is amplified by their size and by the condition of R."""
    problem = PROBLEMS[name]
    calls = []
    x0 = problem.x0.copy()
    gradient = lambda x: calls.append(0) or problem.gradient(x)  # noqa: E731
    iterates = EQUIVALENTS[identifier](gradient, x0, 1 / problem.smoothness, memory, 12)
    np.testing.assert_allclose(iterates, run(problem, memory, 12), rtol=0, atol=1e-7)
    np.testing.assert_allclose(iterates[:5], run(problem, memory, 4), rtol=0, atol=1e-11)
    assert len(calls) == 12
    np.testing.assert_array_equal(x0, problem.x0)


@pytest.mark.parametrize("identifier", EQUIVALENTS)
def test_equivalents_accept_an_integer_start(identifier):
    iterates = EQUIVALENTS[identifier](five_curvatures().gradient, np.ones(5, dtype=int), 0.05, 2, 5)
    assert iterates.dtype == np.float64
    np.testing.assert_allclose(iterates, run(five_curvatures(), 2, 5), rtol=0, atol=1e-12)


def test_closed_form_cannot_do_the_example_of_the_notes():
    """Three residuals in R^2: R^T R is singular, and Proposition 4.1 does not apply from x_3 on."""
    problem = valley()
    with pytest.raises(np.linalg.LinAlgError):
        EQUIVALENTS["weights_in_closed_form"](problem.gradient, problem.x0, 0.05, 5, 4)


def test_the_known_equivalents():
    assert set(EQUIVALENTS) == {"successive_differences", "weights_from_gradients", "weights_in_closed_form"}


# The weights.


def test_weights_by_hand():
    np.testing.assert_allclose(anderson_weights(np.array([[1.0, 2.0], [0.0, 1.0]])), [1.5, -0.5], atol=1e-15)
    np.testing.assert_array_equal(anderson_weights(np.array([[1.0], [2.0]])), [1.0])
    np.testing.assert_array_equal(anderson_weights(np.zeros((3, 2))), [1.0, 0.0])


def test_weights_against_a_constrained_solver():
    R = FULL_RANK
    result = scipy.optimize.minimize(
        lambda a: a @ R.T @ R @ a / 2,
        np.full(3, 1 / 3),
        jac=lambda a: R.T @ R @ a,
        constraints={"type": "eq", "fun": lambda a: a.sum() - 1, "jac": lambda a: np.ones(3)},
        method="SLSQP",
        options={"ftol": 1e-15},
    )
    np.testing.assert_allclose(anderson_weights(R), result.x, atol=1e-6)


def test_multiplier_and_optimal_value():
    gram = FULL_RANK.T @ FULL_RANK
    multiplier = -1 / np.linalg.inv(gram).sum()
    alpha = anderson_weights(FULL_RANK)
    np.testing.assert_allclose(gram @ alpha + multiplier, 0, atol=1e-14)
    assert alpha @ gram @ alpha == pytest.approx(-multiplier)


@pytest.mark.parametrize("variant", variants(anderson_weights, Kind.EQUIVALENT), ids=lambda v: v.identifier)
def test_equivalent_weights(variant):
    for R in (FULL_RANK, np.array([[1.0, 2.0], [0.0, 1.0]]), FULL_RANK[:, :1]):
        np.testing.assert_allclose(variant.function(R), anderson_weights(R), atol=1e-13)


MATRICES = hnp.arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(1, 5)), elements=st.integers(-4, 4))


@given(MATRICES)
@settings(max_examples=150, deadline=None)
def test_weights_are_optimal_for_any_matrix(R):
    alpha = anderson_weights(R)
    assert alpha.sum() == pytest.approx(1, abs=1e-10)
    slope = R.T @ (R @ alpha)
    assert np.ptp(slope) <= 1e-10  # parallel to (1, ..., 1)


@given(MATRICES, st.integers(0, 1000))
@settings(max_examples=100, deadline=None)
def test_least_residual_does_not_depend_on_scale_rotation_or_order(R, seed):
    rng = np.random.default_rng(seed)
    best = np.linalg.norm(R @ anderson_weights(R))
    Q = np.linalg.qr(rng.standard_normal((len(R), len(R)))).Q
    order = rng.permutation(R.shape[1])
    assert np.linalg.norm(-3 * R @ anderson_weights(-3 * R)) == pytest.approx(3 * best, abs=1e-9)
    assert np.linalg.norm(Q @ R @ anderson_weights(Q @ R)) == pytest.approx(best, abs=1e-9)
    assert np.linalg.norm(R[:, order] @ anderson_weights(R[:, order])) == pytest.approx(best, abs=1e-9)


def test_weights_follow_the_order_of_the_columns():
    order = [2, 0, 1]
    np.testing.assert_allclose(anderson_weights(FULL_RANK[:, order]), anderson_weights(FULL_RANK)[order], atol=1e-14)
    np.testing.assert_allclose(anderson_weights(1e-9 * FULL_RANK), anderson_weights(FULL_RANK), atol=1e-13)


@pytest.mark.parametrize("variant", variants(anderson_weights, Kind.MISTAKE), ids=lambda v: v.identifier)
def test_wrong_weights(variant):
    dependent = np.array([[1.0, -2.0, 0.5], [0.5, 1.0, -1.0]])  # 0 is in the affine hull
    extrapolating = np.array([[1.0, 2.0], [0.0, 1.0], [0.0, 0.1]])  # the weights are about 3/2 and -1/2
    R = dependent if variant.identifier == "pseudo_inverse" else extrapolating
    wrong, right = variant.function(R), anderson_weights(R)
    assert wrong.shape != right.shape or np.abs(wrong - right).max() > 0.05


def test_full_rank_hides_the_pseudo_inverse_and_positive_weights_hide_absolute_values():
    wrong = {v.identifier: v.function for v in variants(anderson_weights, Kind.MISTAKE)}
    expected = {
        "unnormalized",
        "unit_norm",
        "product_of_rows",
        "inverse_of_residuals",
        "absolute_values",
        "pseudo_inverse",
    }
    assert set(wrong) == expected
    np.testing.assert_allclose(wrong["pseudo_inverse"](FULL_RANK), anderson_weights(FULL_RANK), atol=1e-13)
    np.testing.assert_allclose(wrong["absolute_values"](np.eye(3)), [1 / 3, 1 / 3, 1 / 3], atol=1e-15)


# The simplex.


def simplex_by_supports(G):
    """The least value over the simplex: the best of the affine solutions on supports where it is not negative."""
    count = G.shape[1]
    best = np.inf
    for mask in range(1, 2**count):
        support = [i for i in range(count) if mask >> i & 1]
        alpha = anderson_weights(G[:, support])
        if (alpha >= -1e-12).all():
            best = min(best, float(np.sum((G[:, support] @ alpha) ** 2)))
    return best


def test_simplex_by_hand():
    np.testing.assert_allclose(
        anderson_weights_simplex(np.array([[1.0, 2.0], [0.0, 1.0]]), 500)[-1], [1, 0], atol=1e-12
    )
    G = np.array([[1.0, -2.0, 0.5], [0.5, 1.0, -1.0]])
    np.testing.assert_allclose(np.linalg.eigvalsh(G.T @ G), [0, 1.25, 6.25], atol=1e-14)
    iterates = anderson_weights_simplex(G, 500)
    np.testing.assert_allclose(iterates[-1], np.array([6, 5, 8]) / 19, atol=1e-12)
    np.testing.assert_array_equal(iterates[0], 1 / 3)
    assert iterates.shape == (501, 3)


def test_simplex_against_nonnegative_least_squares():
    """min ||G alpha||^2 + w^2 (sum - 1)^2 over alpha >= 0 has the solution up to a factor."""
    result, _ = scipy.optimize.nnls(np.vstack([FULL_RANK, np.ones((1, 3))]), np.append(np.zeros(4), 1.0))
    np.testing.assert_allclose(anderson_weights_simplex(FULL_RANK, 500)[-1], result / result.sum(), atol=1e-8)


@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 4)), elements=st.integers(-3, 3)))
@settings(max_examples=50, deadline=None)
def test_simplex_iterates_are_feasible_decreasing_and_reach_the_optimum(G):
    iterates = anderson_weights_simplex(G, 300)
    assert (iterates >= 0).all()
    np.testing.assert_allclose(iterates.sum(axis=1), 1, atol=1e-12)
    values = np.sum((iterates @ G.T) ** 2, axis=1)
    assert (np.diff(values) <= 1e-12).all()
    # convex projected gradient descent: gap <= L ||alpha^0 - alpha*||^2 / (2 j), for the half of the square
    assert values[-1] - simplex_by_supports(G) <= 2 * np.linalg.norm(G, 2) ** 2 / 300 + 1e-12


def test_simplex_optimality_conditions():
    alpha = anderson_weights_simplex(FULL_RANK, 500)[-1]
    slope = FULL_RANK.T @ FULL_RANK @ alpha
    np.testing.assert_allclose(slope[alpha > 1e-9], slope.min(), atol=1e-9)


def test_equivalent_on_the_simplex():
    (variant,) = variants(anderson_weights_simplex, Kind.EQUIVALENT)
    np.testing.assert_allclose(
        variant.function(FULL_RANK, 50), anderson_weights_simplex(FULL_RANK, 50), rtol=0, atol=1e-14
    )


@pytest.mark.parametrize("variant", variants(anderson_weights_simplex, Kind.MISTAKE), ids=lambda v: v.identifier)
def test_mistakes_on_the_simplex(variant):
    G = np.array([[1.0, 2.0, -0.3], [0.0, 1.0, 2.0]])
    wrong = variant.function(G, 20)
    assert np.abs(wrong - anderson_weights_simplex(G, 20)).max() > 0.05


def test_the_known_mistakes_on_the_simplex():
    wrong = {v.identifier for v in variants(anderson_weights_simplex, Kind.MISTAKE)}
    assert wrong == {"clipped_and_divided", "projection_before_step", "sum_only"}


# Nonnegative weights cannot accelerate.


def test_with_nonnegative_weights_it_is_no_faster_than_gradient_descent():
    problem = five_curvatures()
    wrong = {v.identifier: v.function for v in variants(anderson_acceleration, Kind.MISTAKE)}
    iterates = wrong["nonnegative_weights"](problem.gradient, problem.x0, 0.05, 2, 20)
    plain = gradient_descent(problem.gradient, problem.x0, 0.05, 20)
    np.testing.assert_allclose(iterates, plain, rtol=0, atol=1e-6)
    assert gradient_norm(run(problem, 2, 20), problem)[20] < 0.01 * gradient_norm(plain, problem)[20]
