"""Projected gradient ascent on the input: linear losses in closed form, other forms, mistakes."""

from functools import partial

import numpy as np
import pytest

from reference.lecture04 import problems
from reference.lecture04.adversarial_perturbation import projected_gradient_ascent
from reference.lecture04.projected_gradient_descent import projected_gradient_descent
from reference.lecture04.projections import project_l2_ball, project_linf_ball
from reference.variants import Kind, example_of, variants

ATTACK = problems.logistic_attack()
CLEAN = ATTACK.data["clean_input"]
C = np.array([3.0, -1.0, 0.5])


def loss_gradient(z):
    return -ATTACK.gradient(z - CLEAN)


def attack(function=projected_gradient_ascent, learning_rate=0.05, num_steps=10, x0=ATTACK.x0):
    return function(loss_gradient, ATTACK.project, CLEAN, x0, learning_rate, num_steps)


def test_linear_loss_is_maximised_on_the_boundary():
    for project, maximiser in (
        (partial(project_l2_ball, radius=0.3), 0.3 * C / np.linalg.norm(C)),
        (partial(project_linf_ball, radius=0.3), 0.3 * np.sign(C)),
    ):
        path = projected_gradient_ascent(lambda z: C, project, np.ones(3), np.zeros(3), 0.5, 20)
        np.testing.assert_allclose(path[-1], maximiser, atol=1e-9)
        assert np.diff(path @ C).min() >= -1e-15


def test_one_long_step_in_the_linf_ball_is_the_sign_of_the_gradient():
    path = projected_gradient_ascent(
        lambda z: C, partial(project_linf_ball, radius=0.007), np.ones(3), np.zeros(3), 1, 1
    )
    np.testing.assert_array_equal(path[1], 0.007 * np.sign(C))


def test_classifier_is_attacked_to_the_best_point():
    path = attack(num_steps=400, learning_rate=0.5)
    assert path.shape == (401, 2)
    assert path.dtype == np.float64
    np.testing.assert_array_equal(path[0], ATTACK.x0)
    np.testing.assert_allclose(path[-1], ATTACK.minimizer, atol=1e-9)
    assert np.linalg.norm(path, axis=1).max() <= 0.5 + 1e-15
    careful = attack(num_steps=50, learning_rate=1 / ATTACK.smoothness)
    assert np.diff([ATTACK.value(eta) for eta in careful]).max() <= 1e-14


def test_it_is_projected_gradient_descent_on_minus_the_loss():
    theirs = projected_gradient_descent(ATTACK.gradient, ATTACK.project, ATTACK.x0, 0.05, 10)
    np.testing.assert_allclose(attack(), theirs, atol=1e-14)
    for variant in variants(projected_gradient_ascent, Kind.EQUIVALENT):
        np.testing.assert_allclose(attack(variant.function), attack(), atol=1e-14)


def test_integer_start_is_left_alone():
    x0 = np.zeros(2, dtype=np.int64)
    assert np.abs(attack(x0=x0)[1:]).min() > 0
    np.testing.assert_array_equal(x0, 0)


MISTAKES = {v.identifier: v for v in variants(projected_gradient_ascent, Kind.MISTAKE)}


def test_every_mistake_is_here():
    assert set(MISTAKES) == {
        "attack_descends",
        "perturbed_input_projected",
        "attack_without_projection",
        "gradient_at_the_clean_input",
        "gradient_at_the_perturbation",
    }


@pytest.mark.parametrize("identifier", MISTAKES)
def test_mistake_is_seen_by_a_twentieth(identifier):
    wrong = attack(MISTAKES[identifier].function, learning_rate=0.02, num_steps=30)
    assert np.abs(wrong - attack(learning_rate=0.02, num_steps=30)).max() > 0.05
    assert MISTAKES[identifier].sentence.startswith("You")
    assert MISTAKES[identifier].sentence.endswith((".", "?"))


@pytest.mark.parametrize("identifier", ["perturbed_input_projected", "gradient_at_the_perturbation"])
def test_a_clean_input_at_zero_hides_it(identifier):
    arguments = (loss_gradient, ATTACK.project, np.zeros(2), ATTACK.x0, 0.05, 10)
    np.testing.assert_allclose(
        MISTAKES[identifier].function(*arguments), projected_gradient_ascent(*arguments), atol=1e-15
    )


@pytest.mark.parametrize("identifier", ["gradient_at_the_clean_input", "gradient_at_the_perturbation"])
def test_a_linear_loss_hides_where_the_gradient_is_taken(identifier):
    arguments = (lambda z: C, partial(project_l2_ball, radius=0.3), np.ones(3), np.zeros(3), 0.05, 10)
    np.testing.assert_array_equal(MISTAKES[identifier].function(*arguments), projected_gradient_ascent(*arguments))


def test_inside_the_ball_the_projection_is_not_missed():
    wrong = attack(MISTAKES["attack_without_projection"].function, learning_rate=1e-3, x0=np.zeros(2))
    np.testing.assert_allclose(wrong, attack(learning_rate=1e-3, x0=np.zeros(2)), atol=1e-15)


def test_example():
    shown = example_of(projected_gradient_ascent)
    problem = shown.problem()
    gradient = shown.arguments["input_gradient"](problem)
    np.testing.assert_allclose(gradient(CLEAN + ATTACK.x0), -ATTACK.gradient(ATTACK.x0), rtol=1e-14)
