"""Optimality conditions: 0 at known minimisers and not elsewhere, independent of the step; mistakes."""

from itertools import product

import numpy as np
import pytest

import reference.lecture04.optimality as module
from reference.lecture04 import problems
from reference.lecture04.optimality import (
    lasso_violation,
    projected_residual,
    prox_residual,
    variational_optimality,
)
from reference.lecture04.projected_gradient_descent import projected_gradient_descent
from reference.variants import Kind, variants

TP7, TP9, TP11 = problems.box_quadratic(), problems.l1_ball_least_squares(), problems.dense_lasso()
CORNERS = np.array(list(product([0.0, 1.0], repeat=2)))
CROSS = 2 * np.vstack([np.eye(3), -np.eye(3)])


@pytest.mark.parametrize("step", [0.01, 1 / 3, 5.0])
def test_residuals_vanish_exactly_at_the_minimizer(step):
    assert projected_residual(TP7.gradient, TP7.project, TP7.minimizer, step) <= 1e-14 / step
    assert prox_residual(TP11.gradient, TP11.prox, TP11.minimizer, step) <= 1e-13 / step
    rng = np.random.default_rng(0)
    for _ in range(20):
        x = rng.uniform(0, 1, 2)
        assert projected_residual(TP7.gradient, TP7.project, x, step) > 0.01
        z = TP11.minimizer + rng.standard_normal(3)
        assert prox_residual(TP11.gradient, TP11.prox, z, step) > 0.01


@pytest.mark.parametrize(("problem", "vertices"), [(TP7, CORNERS), (TP9, CROSS)])
def test_variational_inequality_at_the_vertices(problem, vertices):
    assert variational_optimality(problem.gradient, problem.minimizer, vertices) >= -1e-14
    path = projected_gradient_descent(problem.gradient, problem.project, problem.x0, 0.1, 3)
    for x in path:
        assert variational_optimality(problem.gradient, x, vertices) < -0.01
        assert projected_residual(problem.gradient, problem.project, x, 0.1) > 0.01


def test_lasso_violation_is_zero_at_the_minimizer_only_and_agrees_with_the_residual():
    assert lasso_violation(TP11.gradient, 0.7, TP11.minimizer) <= 1e-14
    rng = np.random.default_rng(0)
    for _ in range(20):
        x = TP11.minimizer + rng.standard_normal(3) * np.array([1, 1, 0])
        assert lasso_violation(TP11.gradient, 0.7, x) > 0.01
        assert prox_residual(TP11.gradient, TP11.prox, x, 1e-6) == pytest.approx(
            np.linalg.norm(
                np.where(
                    x == 0,
                    np.maximum(np.abs(TP11.gradient(x)) - 0.7, 0),
                    TP11.gradient(x) + 0.7 * np.sign(x),
                )
            ),
            rel=1e-6,
        )  # for a small step the residual is the distance of -grad f from the subdifferential, in the l2 norm


def test_at_zero_the_weight_decides():
    largest = np.max(np.abs(TP11.gradient(np.zeros(3))))
    assert lasso_violation(TP11.gradient, largest, np.zeros(3)) == 0
    assert lasso_violation(TP11.gradient, 0.9 * largest, np.zeros(3)) == pytest.approx(0.1 * largest)


def test_without_convexity_a_fixed_point_is_only_stationary():
    """f(x) = x - x^2 over [0, 1] has the minimisers 0 and 1, and the stationary maximiser 1/2."""

    def gradient(x):
        return 1 - 2 * x

    def project(x):
        return np.clip(x, 0.0, 1.0)

    for x in (0.0, 0.5, 1.0):
        assert projected_residual(gradient, project, np.array([x]), 0.3) == 0


@pytest.mark.parametrize("algorithm", [projected_residual, lasso_violation])
def test_equivalents_agree(algorithm):
    (variant,) = variants(algorithm, Kind.EQUIVALENT)
    rng = np.random.default_rng(0)
    for _ in range(10):
        if algorithm is projected_residual:
            arguments = (TP7.gradient, TP7.project, rng.uniform(0, 1, 2), 0.2)
        else:
            arguments = (TP11.gradient, 0.7, rng.standard_normal(3) * rng.integers(0, 2, 3))
        assert variant.function(*arguments) == pytest.approx(algorithm(*arguments), abs=1e-14)


# Mistakes.


def test_length_of_the_gradient_is_not_zero_at_a_boundary_solution():
    assert module.residual_of_the_gradient(TP7.gradient, TP7.project, TP7.minimizer, 0.1) == pytest.approx(1.5)
    inside = np.array([0.5, 0.5])
    assert module.residual_of_the_gradient(TP7.gradient, TP7.project, inside, 1e-3) == pytest.approx(
        projected_residual(TP7.gradient, TP7.project, inside, 1e-3)
    )  # invisible inside


def test_undivided_residual_shrinks_with_the_step():
    x = np.array([0.5, 0.5])
    right = projected_residual(TP7.gradient, TP7.project, x, 0.01)
    assert right - module.residual_not_divided(TP7.gradient, TP7.project, x, 0.01) > 0.9
    assert module.residual_not_divided(TP7.gradient, TP7.project, x, 1.0) == projected_residual(
        TP7.gradient, TP7.project, x, 1.0
    )


def test_sign_of_the_variational_inequality():
    assert module.variational_sign(TP7.gradient, TP7.minimizer, CORNERS) < -1


@pytest.mark.parametrize(
    ("identifier", "x", "hidden"),
    [
        ("lasso_sign", TP11.minimizer, np.zeros(3)),
        ("lasso_zeros_ignored", np.zeros(3), np.ones(3)),
        ("lasso_zero_gradient_at_zeros", TP11.minimizer, np.ones(3)),
        ("lasso_with_step", TP11.minimizer, None),
    ],
)
def test_lasso_mistakes_are_off_by_a_third(identifier, x, hidden):
    wrong = getattr(module, identifier)
    assert abs(wrong(TP11.gradient, 0.7, x) - lasso_violation(TP11.gradient, 0.7, x)) > 0.33
    if hidden is not None:
        assert wrong(TP11.gradient, 0.7, hidden) == lasso_violation(TP11.gradient, 0.7, hidden)


def test_sentences():
    listed = [
        v for f in (projected_residual, variational_optimality, lasso_violation) for v in variants(f, Kind.MISTAKE)
    ]
    assert len(listed) == 7
    assert all(v.sentence.startswith("You") and v.sentence.endswith((".", "?")) for v in listed)
