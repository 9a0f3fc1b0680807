"""Rules for proximity operators: golden numbers, search for the minimum of h itself, chaining, mistakes."""

import numpy as np
import pytest

import reference.lecture04.prox_rules as module
from reference.lecture04.prox_definition import prox_by_search
from reference.lecture04.prox_operators import prox_l1
from reference.lecture04.prox_rules import (
    prox_affine_argument,
    prox_elastic_net,
    prox_linear_term,
    prox_perspective,
    prox_quadratic_term,
    prox_shifted_l1,
    prox_squared_distance,
)
from reference.variants import Kind, variants

X, A = np.array([1.3, -0.4]), np.array([0.2, 0.7])


def l1(u):
    return float(np.sum(np.abs(u)))


def half_l1(v, t):
    return prox_l1(v, 0.5 * t)


def prox_l1_and_square(v, t):
    """Of g(x) = ||x||^2/2 + ||x||_1."""
    return prox_l1(v, t) / (1 + t)


CASES = {
    "affine": (prox_affine_argument(prox_l1, 1.7, A), lambda x: l1(1.7 * x + A)),
    "affine, negative scale": (prox_affine_argument(prox_l1, -0.6, A), lambda x: l1(-0.6 * x + A)),
    "perspective": (
        prox_perspective(prox_l1_and_square, 1.7),
        lambda x: 1.7 * (0.5 * float(np.sum((x / 1.7) ** 2)) + l1(x / 1.7)),
    ),
    "linear": (prox_linear_term(half_l1, A), lambda x: 0.5 * l1(x) + float(A @ x)),
    "quadratic": (
        prox_quadratic_term(half_l1, 0.8, A),
        lambda x: 0.5 * l1(x) + 0.4 * float(np.sum((x - A) ** 2)),
    ),
    "chained": (
        prox_quadratic_term(prox_linear_term(prox_affine_argument(prox_l1, 2.0, -A), A), 0.5, 0.0),
        lambda x: l1(2 * x - A) + float(A @ x) + 0.25 * float(np.sum(x**2)),
    ),
    "squared distance": (
        lambda v, t: prox_squared_distance(v, t, 0.8, A),
        lambda x: 0.4 * float(np.sum((x - A) ** 2)),
    ),
    "elastic net": (
        lambda v, t: prox_elastic_net(v, t, 0.3, 0.8),
        lambda x: 0.3 * l1(x) + 0.4 * float(np.sum(x**2)),
    ),
    "shifted l1": (lambda v, t: prox_shifted_l1(v, t, A), lambda x: l1(x - A)),
}


@pytest.mark.parametrize(
    ("name", "golden"),
    [
        ("affine", (-0.117647058824, -0.411764705882)),
        ("affine, negative scale", (0.7, 0.2)),
        ("perspective", (0.188888888889, 0)),
        ("linear", (0.6, -0.6)),
        ("quadratic", (0.533333333333, 0)),
    ],
)
def test_golden_numbers(name, golden):
    np.testing.assert_allclose(CASES[name][0](X, 1.0), golden, atol=5e-13)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("t", [0.4, 1.0, 2.3])
def test_agrees_with_a_search_for_the_minimum_of_h(name, t):
    prox, h = CASES[name]
    np.testing.assert_allclose(prox(X, t), prox_by_search(h, X, t), atol=1e-6)


def test_consequences_follow_from_the_rules():
    for t in (0.4, 2.0):
        np.testing.assert_allclose(
            prox_quadratic_term(lambda v, s: v, 0.8, A)(X, t), prox_squared_distance(X, t, 0.8, A), rtol=1e-14
        )
        np.testing.assert_allclose(prox_affine_argument(prox_l1, 1.0, -A)(X, t), prox_shifted_l1(X, t, A), rtol=1e-14)
        for variant in variants(prox_elastic_net, Kind.EQUIVALENT):
            np.testing.assert_allclose(variant.function(X, t, 0.3, 0.8), prox_elastic_net(X, t, 0.3, 0.8), rtol=1e-14)


def test_conditions():
    with pytest.raises(ValueError, match="lam != 0"):
        prox_affine_argument(prox_l1, 0.0, A)
    with pytest.raises(ValueError, match="lam > 0"):
        prox_perspective(prox_l1, -1.0)
    with pytest.raises(ValueError, match="not negative"):
        prox_quadratic_term(prox_l1, -1.0, A)


# Mistakes: for which arguments of the rule they show, and for which they do not.


AFFINE, PERSPECTIVE, LINEAR, QUADRATIC = (1.7, A), (1.7,), (A,), (0.8, A)
MISTAKES = {
    "affine_scale_not_squared": (AFFINE, (-1.0, A)),
    "affine_shift_forgotten": (AFFINE, (1.7, 0 * A)),
    "affine_shift_sign": (AFFINE, (1.7, 0 * A)),
    "affine_shift_not_undone": (AFFINE, (1.7, 0 * A)),
    "perspective_scale_not_inverted": (PERSPECTIVE, (1.0,)),
    "perspective_scale_forgotten": (PERSPECTIVE, (1.0,)),
    "linear_term_added": (LINEAR, (0 * A,)),
    "linear_term_without_step": (LINEAR, (0 * A,)),
    "quadratic_term_full_weight": (QUADRATIC, (0.0, A)),
    "quadratic_term_swapped_weights": (QUADRATIC, (2.0, A)),
}
RULES = (prox_affine_argument, prox_perspective, prox_linear_term, prox_quadratic_term)


def test_every_mistake_is_here():
    assert {v.identifier for rule in RULES for v in variants(rule, Kind.MISTAKE)} == set(MISTAKES)


@pytest.mark.parametrize("rule", RULES)
def test_mistakes_are_seen_by_a_twentieth_and_hidden_where_the_docstring_says(rule):
    t, x = 0.5, X
    for variant in variants(rule, Kind.MISTAKE):
        seen, hidden = MISTAKES[variant.identifier]
        right, wrong = rule(prox_l1, *seen), variant.function(prox_l1, *seen)
        assert np.abs(right(x, t) - wrong(x, t)).max() > 0.05, variant.identifier
        np.testing.assert_allclose(variant.function(prox_l1, *hidden)(x, t), rule(prox_l1, *hidden)(x, t), atol=1e-14)
        assert variant.sentence.startswith("You")
        assert variant.sentence.endswith((".", "?"))


def test_a_forgotten_shift_is_invisible_for_the_l1_norm_where_the_same_entries_exceed_the_threshold():
    x = np.array([2.3, -1.4])
    wrong = module.affine_shift_forgotten(prox_l1, 1.7, A)
    np.testing.assert_allclose(wrong(x, 0.5), prox_affine_argument(prox_l1, 1.7, A)(x, 0.5), atol=1e-14)


def test_the_printed_linear_rule_holds_for_t_of_one():
    wrong = module.linear_term_without_step(prox_l1, A)
    np.testing.assert_array_equal(wrong(X, 1.0), prox_linear_term(prox_l1, A)(X, 1.0))


def test_elastic_net_mistake():
    wrong = module.elastic_net_threshold_after_shrinking
    assert np.abs(wrong(X, 1.0, 0.3, 0.8) - prox_elastic_net(X, 1.0, 0.3, 0.8)).max() > 0.1
    np.testing.assert_allclose(wrong(X, 1.0, 0.3, 0.0), prox_elastic_net(X, 1.0, 0.3, 0.0), atol=1e-15)
