"""Linear interpolation: duality, closed forms, bounds, and what students make of it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.lecture05 import linear_interpolation as module
from reference.lecture05.black_box import BlackBox
from reference.lecture05.finite_differences import central_difference, forward_difference
from reference.lecture05.linear_interpolation import (
    bound_interpolation,
    bound_interpolation_any_length,
    bound_interpolation_central,
    linear_interpolation,
    linear_interpolation_central,
)
from reference.lecture05.problems import affine, cosines, half_ramps, round_bowl, sines, stretched_bowl
from reference.lecture05.quantities import gradient_error
from reference.problems import random_quadratic
from reference.variants import Kind, guarantees, variants

X = np.array([0.3, -1.1, 2.0])
FUNCTIONS = [linear_interpolation, linear_interpolation_central]


def random_directions(d, seed, longest=1.0):
    """Not symmetric, not orthonormal, the longest row of the given length."""
    directions = np.random.default_rng(seed).standard_normal((d, d)) + np.eye(d)
    return directions * longest / np.linalg.norm(directions, axis=1).max()


# Golden numbers and closed forms.


def test_stretched_bowl_along_rotated_directions():
    problem = stretched_bowl()
    directions = np.array([[0.6, 0.8], [0.8, -0.6]])
    g = linear_interpolation(problem.value, problem.x0, 0.1, directions)
    np.testing.assert_allclose(directions @ g, [8.938, -4.988], rtol=1e-12)
    np.testing.assert_allclose(g, [1.3724, 10.1432], rtol=1e-12)
    assert gradient_error(g, problem) == pytest.approx(0.3990, abs=5e-5)
    assert bound_interpolation(problem, 0.1, directions) == pytest.approx(0.7071, abs=5e-5)


@pytest.mark.parametrize("tau", [3.0, 0.5, 1e-3])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_exact_for_affine_functions(function, tau):
    problem = affine(np.array([3.0, -2.0]), 5.0)
    directions = np.array([[1.0, 0.0], [0.5, 0.5]])
    np.testing.assert_allclose(function(problem.value, np.array([1.0, 2.0]), tau, directions), [3, -2], rtol=1e-11)


def test_error_on_quadratics_and_exactness_of_the_central_form():
    problem, directions = random_quadratic(5, 3.0, 0.2, seed=1), random_directions(5, seed=2, longest=2.0)
    A, tau = problem.data["hessian"], 0.3
    curvatures = np.array([u @ A @ u for u in directions])
    expected = problem.gradient(problem.x0) + tau / 2 * np.linalg.inv(directions) @ curvatures
    g = linear_interpolation(problem.value, problem.x0, tau, directions)
    np.testing.assert_allclose(g, expected, rtol=1e-10, atol=1e-10)
    central = linear_interpolation_central(problem.value, problem.x0, tau, directions)
    np.testing.assert_allclose(central, problem.gradient(problem.x0), rtol=1e-10, atol=1e-10)


def test_central_form_is_of_second_order():
    problem, directions = sines(X), random_directions(3, seed=2)
    errors = [
        gradient_error(linear_interpolation_central(problem.value, X, tau, directions), problem)
        for tau in (0.02, 0.01, 0.005)
    ]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.01)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.01)


def test_coordinate_directions_give_finite_differences():
    value = cosines(X).value
    np.testing.assert_allclose(
        linear_interpolation(value, X, 0.1, np.eye(3)), forward_difference(value, X, 0.1), rtol=1e-14
    )
    np.testing.assert_allclose(
        linear_interpolation_central(value, X, 0.1, np.eye(3)), central_difference(value, X, 0.1), rtol=1e-14
    )


@settings(max_examples=40, deadline=None)
@given(d=st.integers(1, 5), tau=st.floats(0.05, 2), seed=st.integers(0, 10**6))
def test_model_interpolates(d, tau, seed):
    """m(x + tau u_i) = f(x) + tau <g, u_i> is f(x + tau u_i), for every direction."""
    rng = np.random.default_rng(seed)
    x, directions = rng.standard_normal(d), random_directions(d, seed)
    value = cosines(x).value
    g = linear_interpolation(value, x, tau, directions)
    for u in directions:
        assert value(x) + tau * g @ u == pytest.approx(value(x + tau * u), abs=1e-10 * np.linalg.cond(directions))


def test_dependent_directions_are_refused():
    with pytest.raises(np.linalg.LinAlgError):
        linear_interpolation(cosines(X).value, X, 0.1, np.ones((3, 3)))


# Guarantees.


def test_bounds_are_registered():
    bounds = {theorem.bound for theorem in guarantees(linear_interpolation)}
    assert bounds == {bound_interpolation, bound_interpolation_any_length}
    assert {theorem.bound for theorem in guarantees(linear_interpolation_central)} == {bound_interpolation_central}


@settings(max_examples=40, deadline=None)
@given(d=st.integers(1, 5), tau=st.floats(0.05, 2), seed=st.integers(0, 10**6), longest=st.floats(0.2, 3))
def test_error_is_within_the_bounds(d, tau, seed, longest):
    x = 2 * np.random.default_rng(seed).standard_normal(d)
    directions = random_directions(d, seed, longest)
    rounding = 1e-12 * np.linalg.cond(directions) / min(longest, 1)
    for problem in (sines(x), random_quadratic(d, 2.0, 2.0 if d == 1 else 0.1, seed), half_ramps(d)):
        error = gradient_error(linear_interpolation(problem.value, problem.x0, tau, directions), problem)
        sharp = bound_interpolation_any_length(problem, tau, directions)
        assert error <= sharp + rounding
        if longest <= 1:
            assert sharp <= bound_interpolation(problem, tau, directions) * (1 + 1e-12)
    if longest <= 1:
        central = linear_interpolation_central(sines(x).value, x, tau, directions)
        assert gradient_error(central, sines(x)) <= bound_interpolation_central(sines(x), tau, directions) + rounding


def test_bound_is_attained_with_orthonormal_directions():
    problem = round_bowl(4, 3.0)
    directions = np.linalg.qr(random_directions(4, seed=1)).Q
    error = gradient_error(linear_interpolation(problem.value, problem.x0, 0.2, directions), problem)
    assert error == pytest.approx(bound_interpolation(problem, 0.2, directions), rel=1e-12)


def test_long_directions_break_the_bound_that_forbids_them():
    """||u_i|| = 3 on L/2 ||x||^2: the error is three times the bound for short directions."""
    problem, directions = round_bowl(4, 3.0), 3 * np.eye(4)
    error = gradient_error(linear_interpolation(problem.value, problem.x0, 0.2, directions), problem)
    assert error == pytest.approx(bound_interpolation_any_length(problem, 0.2, directions), rel=1e-12)
    unchecked = np.linalg.norm(np.linalg.inv(directions), 2) * np.sqrt(4) * 3.0 * 0.2 / 2
    assert error > 8 * unchecked
    with pytest.raises(ValueError, match="length at most 1"):
        bound_interpolation(problem, 0.2, directions)


@pytest.mark.parametrize(
    ("bound", "problem", "tau", "sentence"),
    [
        (bound_interpolation, round_bowl(2, 1.0), 0.0, "tau > 0"),
        (bound_interpolation_any_length, round_bowl(2, 1.0), -1.0, "tau > 0"),
        (bound_interpolation_central, half_ramps(2), 0.1, "Lipschitz constant M"),
    ],
)
def test_broken_condition_is_said(bound, problem, tau, sentence):
    with pytest.raises(ValueError, match=sentence):
        bound(problem, tau, np.eye(2))


def test_mistaken_bounds():
    """On nearly dependent short directions both are below the error they should bound, or far from it."""
    problem = round_bowl(2, 1.0)
    directions = np.array([[1.0, 0.0], [np.cos(0.1), np.sin(0.1)]])
    right = bound_interpolation(problem, 0.1, directions)
    wrong = {v.identifier: v.function(problem, 0.1, directions) for v in variants(bound_interpolation, Kind.MISTAKE)}
    assert wrong["bound_with_norm_of_directions"] < right / 5
    assert wrong["bound_with_condition_number"] > 1.3 * right
    short = 0.1 * np.eye(2)
    assert module.bound_with_condition_number(problem, 0.1, short) < bound_interpolation(problem, 0.1, short) / 5
    for variant in variants(bound_interpolation, Kind.MISTAKE):  # orthonormal directions hide both
        assert variant.function(problem, 0.1, np.eye(2)) == pytest.approx(bound_interpolation(problem, 0.1, np.eye(2)))


# Queries, equivalents, mistakes.


@pytest.mark.parametrize(
    ("function", "queries"),
    [
        (linear_interpolation, 4),
        (linear_interpolation_central, 6),
        (module.interpolation_by_dual_basis, 4),
        (module.interpolation_by_least_squares, 4),
        (module.interpolation_of_steps, 4),
        (module.interpolation_base_repeated, 6),
        (module.central_interpolation_by_dual_basis, 6),
        (module.central_interpolation_base_queried, 7),
    ],
)
def test_queries(function, queries):
    box = BlackBox(cosines(X).value)
    function(box, X, 0.1, random_directions(3, seed=1))
    assert box.queries == queries


@settings(max_examples=30, deadline=None)
@given(d=st.integers(1, 5), tau=st.floats(0.05, 2), seed=st.integers(0, 10**6))
def test_equivalents_agree_to_rounding(d, tau, seed):
    x, directions = np.random.default_rng(seed).standard_normal(d), random_directions(d, seed)
    value = cosines(x).value
    rounding = 1e-13 * np.linalg.cond(directions) ** 2 / tau
    for function in FUNCTIONS:
        for variant in variants(function, Kind.EQUIVALENT):
            np.testing.assert_allclose(
                variant.function(value, x, tau, directions), function(value, x, tau, directions), rtol=0, atol=rounding
            )


def differences(function, directions, tau=0.1):
    value = cosines(X).value
    right = function(value, X, tau, directions)
    return {
        v.identifier: np.linalg.norm(v.function(value, X, tau, directions) - right) / np.linalg.norm(right)
        for v in variants(function, Kind.MISTAKE)
    }


def test_every_mistake_is_off_by_at_least_a_tenth(identifiers):
    hidden = {"interpolation_base_repeated", "central_interpolation_base_queried"}
    found = differences(linear_interpolation, random_directions(3, seed=1))
    found |= differences(linear_interpolation_central, random_directions(3, seed=1))
    assert set(found) == hidden | {
        "interpolation_directions_as_columns",
        "interpolation_directions_as_dual_basis",
        "interpolation_undivided",
        "interpolation_normalized_equations",
        "central_interpolation_denominator",
        "central_interpolation_directions_as_columns",
        "central_interpolation_directions_as_dual_basis",
    }
    assert min(size for identifier, size in found.items() if identifier not in hidden) > 0.1
    assert max(found[identifier] for identifier in hidden) < 1e-13


def test_what_hides_the_mistakes():
    directions = random_directions(3, seed=1)
    symmetric, orthonormal = directions + directions.T, np.linalg.qr(directions).Q
    unit = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    assert differences(linear_interpolation, symmetric)["interpolation_directions_as_columns"] < 1e-12
    assert differences(linear_interpolation, orthonormal)["interpolation_directions_as_dual_basis"] < 1e-12
    assert differences(linear_interpolation, unit)["interpolation_normalized_equations"] < 1e-12
    assert differences(linear_interpolation, directions, tau=1.0)["interpolation_undivided"] == 0
    central = differences(linear_interpolation_central, symmetric)
    assert central["central_interpolation_directions_as_columns"] < 1e-12
    central = differences(linear_interpolation_central, orthonormal)
    assert central["central_interpolation_directions_as_dual_basis"] < 1e-12
