"""The gradient mapping: what it is without a penalty, where it vanishes, its subgradient, mistakes."""

from dataclasses import replace

import numpy as np
import pytest

import reference.lecture04.gradient_mapping as module
from reference.lecture04 import problems
from reference.lecture04.gradient_mapping import (
    gradient_mapping,
    mean_squared_gradient_mapping,
    penalty_subgradient,
    prox_of,
)
from reference.lecture04.proximal_gradient_descent import proximal_gradient_descent
from reference.lecture04.subdifferentials import in_subdifferential_l1
from reference.variants import Kind, variants

TP11 = problems.dense_lasso()
ARGUMENTS = (TP11.gradient, TP11.prox)


def test_without_a_penalty_it_is_the_gradient():
    x = np.array([1.0, -2.0, 0.3])
    np.testing.assert_allclose(gradient_mapping(TP11.gradient, lambda v, t: v, x, 0.3), TP11.gradient(x), rtol=1e-13)


@pytest.mark.parametrize("t", [0.05, 0.19, 1.0])
def test_the_step_is_a_proximal_gradient_step(t):
    x = np.array([0.4, -0.1, 0.2])
    step = proximal_gradient_descent(*ARGUMENTS, x, t, 1)[1]
    np.testing.assert_allclose(x - t * gradient_mapping(*ARGUMENTS, x, t), step, atol=1e-15)


@pytest.mark.parametrize("t", [0.05, 0.19, 1.0])
def test_vanishes_at_the_minimizer_and_nowhere_near(t):
    assert np.linalg.norm(gradient_mapping(*ARGUMENTS, TP11.minimizer, t)) <= 1e-13 / t
    rng = np.random.default_rng(0)
    for _ in range(20):
        x = TP11.minimizer + 0.1 * rng.standard_normal(3)
        assert np.linalg.norm(gradient_mapping(*ARGUMENTS, x, t)) > 1e-3


@pytest.mark.parametrize("t", [0.05, 0.19, 1.0])
def test_subgradient_belongs_to_the_new_point(t):
    rng = np.random.default_rng(1)
    for _ in range(20):
        x = rng.standard_normal(3)
        point, subgradient = penalty_subgradient(*ARGUMENTS, x, t)
        np.testing.assert_allclose(point, x - t * gradient_mapping(*ARGUMENTS, x, t), atol=1e-15)
        new = proximal_gradient_descent(*ARGUMENTS, x, t, 1)[1]  # with exact zeros
        assert in_subdifferential_l1(subgradient / 0.7, new, tolerance=1e-11)


def test_subgradient_is_wrong_at_the_old_and_at_the_printed_point():
    x, t = np.array([0.1, 0.1, -0.1]), 1 / 5.25
    right, subgradient = penalty_subgradient(*ARGUMENTS, x, t)
    for identifier in ("subgradient_at_the_old_point", "subgradient_at_the_printed_point"):
        point, same = getattr(module, identifier)(*ARGUMENTS, x, t)
        np.testing.assert_array_equal(same, subgradient)
        assert np.abs(point - right).max() > 0.05
        assert not in_subdifferential_l1(same / 0.7, point)
    # Invisible at a fixed point, and for t = 1.
    old, _ = module.subgradient_at_the_old_point(*ARGUMENTS, TP11.minimizer, t)
    np.testing.assert_allclose(old, penalty_subgradient(*ARGUMENTS, TP11.minimizer, t)[0], atol=1e-14)
    printed, _ = module.subgradient_at_the_printed_point(*ARGUMENTS, x, 1.0)
    np.testing.assert_allclose(printed, penalty_subgradient(*ARGUMENTS, x, 1.0)[0], atol=1e-14)


def test_equivalent_agrees():
    (variant,) = variants(gradient_mapping, Kind.EQUIVALENT)
    x = np.array([0.4, -0.1, 0.2])
    for t in (0.05, 0.19, 1.0):
        np.testing.assert_allclose(variant.function(*ARGUMENTS, x, t), gradient_mapping(*ARGUMENTS, x, t), atol=1e-13)


@pytest.mark.parametrize("variant", variants(gradient_mapping, Kind.MISTAKE), ids=lambda v: v.identifier)
def test_mistakes(variant):
    x, t = np.array([1.4, -0.9, 0.2]), 1 / 5.25
    wrong, right = variant.function(*ARGUMENTS, x, t), gradient_mapping(*ARGUMENTS, x, t)
    assert np.abs(wrong - right).max() > 0.1
    assert variant.sentence.startswith("You")
    if variant.identifier != "mapping_wrong_sign":
        np.testing.assert_array_equal(variant.function(*ARGUMENTS, x, 1.0), gradient_mapping(*ARGUMENTS, x, 1.0))


def test_quantity_is_a_running_mean_and_works_for_constraints():
    box = problems.box_quadratic()
    iterates = np.array([[0.0, 0.0], [1.0, 0.8]])
    first = np.sum((3 * (iterates[1] - iterates[0])) ** 2)
    second = np.sum((3 * np.array([0, 0.8 - 11 / 15])) ** 2)
    np.testing.assert_allclose(mean_squared_gradient_mapping(iterates, box), [first, (first + second) / 2], rtol=1e-12)
    with pytest.raises(ValueError, match="proximity operator"):
        prox_of(replace(box, project=None))
