"""Subdifferentials of norms: the inequality itself on sampled points, other forms, mistakes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference.lecture04.subdifferentials as module
from reference.lecture04.subdifferentials import in_subdifferential_l1, in_subdifferential_l2, subgradient_slack
from reference.variants import Kind, variants

NUMBER = st.one_of(st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0]), st.floats(-2, 2).map(lambda x: round(x, 3)))
PAIR = st.integers(1, 3).flatmap(lambda d: st.tuples(*(st.lists(NUMBER, min_size=d, max_size=d).map(np.array),) * 2))


def l1(x):
    return float(np.sum(np.abs(x)))


def l2(x):
    return float(np.linalg.norm(x))


def others(g, x):
    """Points at which a wrong g shows: along the axes, along g, close to x and far away."""
    d = len(x)
    directions = np.vstack([np.eye(d), -np.eye(d), g, -g, -x, x, np.sign(x) - g, g - np.sign(x), g - x, x - g])
    return np.vstack([x + step * directions for step in (1e-4, 1e-2, 1.0, 100.0)])


@settings(max_examples=150, deadline=None)
@given(PAIR)
def test_members_satisfy_the_inequality_and_others_violate_it(pair):
    g, x = pair
    for contains, norm in ((in_subdifferential_l1, l1), (in_subdifferential_l2, l2)):
        points = others(g, x)
        if norm is l2 and np.any(x):
            points = np.vstack([points, x + 1e-3 * (g - x / l2(x))])
        slack = subgradient_slack(norm, g, x, points)
        if contains(g, x):
            assert slack >= -1e-12
        elif not contains(g, x, tolerance=0.01):
            assert slack < 0


@settings(max_examples=150, deadline=None)
@given(PAIR)
def test_the_true_gradient_is_a_member(pair):
    _, x = pair
    assert in_subdifferential_l1(np.sign(x), x)
    assert in_subdifferential_l2(x / l2(x) if np.any(x) else np.zeros(len(x)), x)


@settings(max_examples=150, deadline=None)
@given(PAIR)
def test_equivalents_agree(pair):
    g, x = pair
    for contains in (in_subdifferential_l1, in_subdifferential_l2):
        (variant,) = variants(contains, Kind.EQUIVALENT)
        assert variant.function(g, x) == contains(g, x)
        assert variant.function(np.sign(x), x) == contains(np.sign(x), x)


def test_at_zero_the_sets_are_the_dual_balls():
    zero = np.zeros(2)
    assert in_subdifferential_l1(np.array([1.0, -1.0]), zero)
    assert not in_subdifferential_l1(np.array([1.01, 0.0]), zero)
    assert in_subdifferential_l2(np.array([0.6, 0.8]), zero)
    assert not in_subdifferential_l2(np.array([0.8, 0.8]), zero)


def a(*entries):
    return np.array(entries, dtype=np.float64)


@pytest.mark.parametrize(
    ("identifier", "g", "x", "hidden"),
    [
        ("l1_zero_where_zero", a(1, 0.4), a(2, 0), (a(1, 1), a(2, 3))),
        ("l1_interval_everywhere", a(0.3, 0.4), a(2, 0), (a(0.3, 0.4), a(0, 0))),
        ("l1_ball_of_the_same_norm", a(0.9, -0.9), a(0, 0), (a(1, 0.4), a(2, 0))),
        ("l2_sphere_at_zero", a(0.3, 0.4), a(0, 0), (a(0.6, 0.8), a(3, 4))),
        ("l2_ball_everywhere", a(0.3, 0.4), a(3, 4), (a(0.3, 0.4), a(0, 0))),
        ("l2_entry_by_entry", a(0.6, 0.8), a(3, 4), (a(0.4), a(0))),
    ],
)
def test_mistakes_answer_the_other_way(identifier, g, x, hidden):
    contains = in_subdifferential_l1 if identifier.startswith("l1") else in_subdifferential_l2
    wrong = getattr(module, identifier)
    assert wrong(g, x) != contains(g, x)
    assert wrong(*hidden) == contains(*hidden)


def test_reversed_inequality():
    x, g = a(1, 0), a(1, 0.4)
    points = others(g, x)
    assert subgradient_slack(l1, g, x, points) >= -1e-14
    assert module.slack_reversed(l1, g, x, points) < -1


def test_sentences():
    listed = [
        v for f in (in_subdifferential_l1, in_subdifferential_l2, subgradient_slack) for v in variants(f, Kind.MISTAKE)
    ]
    assert len(listed) == 7
    assert all(v.sentence.startswith("You") and v.sentence.endswith((".", "?")) for v in listed)
