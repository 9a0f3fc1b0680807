"""Robust PCA: golden numbers, two methods with one limit, theorems, mistakes."""

import numpy as np
import pytest

import reference.lecture04.robust_pca as module
from reference.lecture04 import problems
from reference.lecture04.proximal_gradient_descent import bound_convex, proximal_gradient_descent
from reference.lecture04.robust_pca import (
    bound_alternating,
    bound_joint,
    robust_pca_alternating,
    robust_pca_objective,
    robust_pca_proximal_gradient,
)
from reference.quantities import gap
from reference.variants import Kind, example_of, guarantees, variants

TP12 = problems.robust_pca_example()
M, LAM1, LAM2 = TP12.data["M"], 0.5, 0.2
RANDOM = [
    problems.robust_pca(np.random.default_rng(seed).standard_normal((4, 5)), weight, 0.3)
    for seed, weight in ((0, 0.8), (1, 1.5))
]
METHODS = (robust_pca_alternating, robust_pca_proximal_gradient)
BOUNDS = {robust_pca_alternating: bound_alternating, robust_pca_proximal_gradient: bound_joint}


def weights(problem):
    return problem.data["low_rank_weight"], problem.data["sparse_weight"]


def run(method, problem, num_steps):
    return method(problem.data["M"], *weights(problem), num_steps)


def objectives(iterates):
    return [robust_pca_objective(M, low_rank, sparse, LAM1, LAM2) for low_rank, sparse in iterates]


def test_golden_objectives():
    golden = [41.5, 6.349939503561, 6.207188436604, 6.068586626989, 5.934098347718]
    np.testing.assert_allclose(objectives(robust_pca_alternating(M, LAM1, LAM2, 4)), golden, atol=5e-13)
    golden = [41.5, 5.747143555325, 5.659319060892, 5.572545729031, 5.486799542307]
    np.testing.assert_allclose(objectives(robust_pca_proximal_gradient(M, LAM1, LAM2, 4)), golden, atol=5e-13)


@pytest.mark.parametrize("method", METHODS)
def test_form_of_the_result(method):
    before = M.copy()
    iterates = method(M, LAM1, LAM2, 2)
    assert iterates.shape == (3, 2, 3, 4)
    np.testing.assert_array_equal(iterates[0], 0)
    assert method(M, LAM1, LAM2, 0).shape == (1, 2, 3, 4)
    np.testing.assert_array_equal(M, before)


def test_both_methods_have_the_same_limit():
    alternating = robust_pca_alternating(M, LAM1, LAM2, 1500)[-1]
    joint = robust_pca_proximal_gradient(M, LAM1, LAM2, 3000)[-1]
    np.testing.assert_allclose(alternating, joint, atol=1e-12)
    np.testing.assert_allclose(alternating, TP12.minimizer, atol=1e-12)
    assert robust_pca_objective(M, *joint, LAM1, LAM2) == pytest.approx(4.774589227064, abs=5e-13)
    assert np.linalg.matrix_rank(joint[0], 1e-9) == 1
    assert np.count_nonzero(joint[1]) == 9


@pytest.mark.parametrize("problem", [TP12, *RANDOM])
def test_joint_method_is_proximal_gradient_descent_on_the_pair(problem):
    theirs = proximal_gradient_descent(problem.gradient, problem.prox, problem.x0, 0.5, 30)
    np.testing.assert_allclose(run(robust_pca_proximal_gradient, problem, 30), theirs, atol=1e-13)


def test_objective_is_that_of_the_problem_and_of_its_other_form():
    rng = np.random.default_rng(0)
    for _ in range(5):
        low_rank, sparse = pair = rng.standard_normal((2, 3, 4))
        ours = robust_pca_objective(M, low_rank, sparse, LAM1, LAM2)
        assert ours == pytest.approx(TP12.objective(pair), rel=1e-14)
        (variant,) = variants(robust_pca_objective, Kind.EQUIVALENT)
        assert variant.function(M, low_rank, sparse, LAM1, LAM2) == pytest.approx(ours, rel=1e-13)


def test_equivalent_and_convention():
    (equivalent,) = variants(robust_pca_alternating, Kind.EQUIVALENT)
    (convention,) = variants(robust_pca_alternating, Kind.CONVENTION)
    right = robust_pca_alternating(M, LAM1, LAM2, 30)
    np.testing.assert_allclose(equivalent.function(M, LAM1, LAM2, 30), right, atol=1e-13)
    other = convention.function(M, LAM1, LAM2, 1500)
    assert np.abs(other[:31] - right).max() > 0.1
    np.testing.assert_allclose(other[-1], TP12.minimizer, atol=1e-12)


# Theorems.


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("problem", [TP12, *RANDOM])
def test_bound_holds_and_the_objective_never_grows(method, problem):
    (theorem,) = guarantees(method)
    assert theorem.quantity is gap
    gaps = gap(run(method, problem, 300), problem)
    assert (BOUNDS[method](problem, *weights(problem), 300) - gaps).min() >= -1e-12
    assert np.diff(gaps).max() <= 1e-13


def test_joint_bound_is_the_general_one():
    ours, general = bound_joint(TP12, LAM1, LAM2, 9), bound_convex(TP12, 0.5, 9)
    np.testing.assert_allclose(ours, general, rtol=1e-14)


def test_alternating_bound_is_nearly_attained():
    """A scalar: lam1 >= M makes X = 0 at once, and what is left is one exact step."""
    problem = problems.robust_pca(np.array([[1.0]]), 10.0, 0.5)
    gaps = gap(run(robust_pca_alternating, problem, 1), problem)
    assert gaps[1] == pytest.approx(0, abs=1e-15)
    assert bound_alternating(problem, 10.0, 0.5, 1)[1] == pytest.approx(0.125)


@pytest.mark.parametrize("bound", [bound_alternating, bound_joint])
def test_conditions(bound):
    with pytest.raises(ValueError, match="own weights"):
        bound(TP12, LAM2, LAM1, 5)
    with pytest.raises(ValueError, match="own weights"):
        bound(problems.dense_lasso(), LAM1, LAM2, 5)
    assert bound(TP12, LAM1, LAM2, 0).shape == (1,)


def test_step_of_the_joint_bound():
    with pytest.raises(ValueError, match="gamma <= 1/2"):
        bound_joint(TP12, LAM1, LAM2, 5, learning_rate=1.0)
    short = robust_pca_proximal_gradient(M, LAM1, LAM2, 100, learning_rate=0.2)
    assert (bound_joint(TP12, LAM1, LAM2, 100, learning_rate=0.2) - gap(short, TP12)).min() >= -1e-12


# Mistakes.


@pytest.mark.parametrize("method", METHODS)
def test_mistakes_are_seen_by_a_tenth_within_three_steps(method):
    right = method(M, LAM1, LAM2, 3)
    listed = variants(method, Kind.MISTAKE)
    assert len(listed) == {robust_pca_alternating: 3, robust_pca_proximal_gradient: 4}[method]
    for variant in listed:
        assert np.abs(variant.function(M, LAM1, LAM2, 3) - right).max() > 0.1, variant.identifier
        assert variant.sentence.startswith("You")
        assert variant.sentence.endswith((".", "?"))


def test_objectives_of_mistakes():
    low_rank, sparse = robust_pca_alternating(M, LAM1, LAM2, 3)[-1]
    right = robust_pca_objective(M, low_rank, sparse, LAM1, LAM2)
    for variant in variants(robust_pca_objective, Kind.MISTAKE):
        assert abs(variant.function(M, low_rank, sparse, LAM1, LAM2) - right) > 0.1, variant.identifier
    column = np.zeros((3, 4))
    column[:, 1] = [1, -2, 3]
    assert module.objective_with_operator_norm(M, low_rank, column, LAM1, LAM2) == pytest.approx(
        robust_pca_objective(M, low_rank, column, LAM1, LAM2)
    )
    assert module.objective_without_one_half(M, M, 0 * M, LAM1, LAM2) == robust_pca_objective(M, M, 0 * M, LAM1, LAM2)


def test_equal_weights_hide_that_they_are_swapped():
    for wrong, right in (
        (module.alternating_with_swapped_weights, robust_pca_alternating),
        (module.joint_with_swapped_weights, robust_pca_proximal_gradient),
    ):
        np.testing.assert_array_equal(wrong(M, 0.3, 0.3, 5), right(M, 0.3, 0.3, 5))


def test_both_parts_from_the_old_pair_is_the_step_one_and_far_slower():
    jacobi = module.jacobi(M, LAM1, LAM2, 2000)
    step_one = module.joint_with_step_one(M, LAM1, LAM2, 2000)
    np.testing.assert_allclose(jacobi, step_one, atol=1e-12)  # the same method
    assert gap(jacobi, TP12)[40] > 4.8
    for method in METHODS:
        assert gap(run(method, TP12, 40), TP12)[40] < 0.04


def test_both_parts_from_the_old_pair_need_not_settle():
    """M = 3 with equal weights: X = S = 2.5 and X = S = 0 take turns for ever."""
    jacobi = module.jacobi(np.array([[3.0]]), 0.5, 0.5, 9)
    np.testing.assert_array_equal(jacobi.ravel(), [0, 0, 2.5, 2.5] * 5)


def test_examples():
    for method in METHODS:
        shown = example_of(method)
        problem = shown.problem()
        np.testing.assert_array_equal(shown.arguments["M"](problem), M)
        assert shown.arguments["low_rank_weight"](problem) == LAM1
