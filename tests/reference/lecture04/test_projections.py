"""Projections with a closed form: golden numbers, quadratic programs, vertices, other forms, edge cases."""

from itertools import product

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.lecture04.projection_properties import projection_violations, variational_slack
from reference.lecture04.projections import (
    project_box,
    project_halfspace,
    project_hyperplane,
    project_l1_ball,
    project_l2_ball,
    project_linf_ball,
    project_nonneg,
    project_simplex,
)
from reference.variants import Kind, variants

PROJECTIONS = [
    project_box,
    project_nonneg,
    project_linf_ball,
    project_l2_ball,
    project_hyperplane,
    project_halfspace,
    project_simplex,
    project_l1_ball,
]

# Numbers of moderate size, with many ties and exact zeros: where projections change their formula.
NUMBER = st.one_of(st.integers(-3, 3).map(float), st.floats(-50, 50).map(lambda x: round(x, 6)))
RADIUS = st.one_of(st.sampled_from([1.0, 2.0, 0.5]), st.floats(0.01, 20).map(lambda x: round(x, 6)))


def vectors(*counts):
    """Strategy for a tuple of arrays, the i-th with counts[i] rows, all with the same number of columns."""

    def of_dimension(d):
        rows = st.lists(NUMBER, min_size=d, max_size=d)
        return st.tuples(*(st.lists(rows, min_size=n, max_size=n).map(np.array) for n in counts))

    return st.integers(1, 5).flatmap(of_dimension)


# Golden numbers.


@pytest.mark.parametrize(
    ("v", "golden"),
    [
        ((0.5, 1.2, -0.3, 0.1), (0.15, 0.85, 0, 0)),
        ((2, 0), (1, 0)),
        ((0.2, 0.2), (0.5, 0.5)),
        ((-1, -2, -3), (1, 0, 0)),
        ((1, 0.8, 0.1), (0.6, 0.4, 0)),
        ((0.5, 0.8, -0.1), (0.35, 0.65, 0)),
        ((7,), (1,)),
    ],
)
def test_simplex(v, golden):
    np.testing.assert_allclose(project_simplex(np.array(v)), golden, atol=1e-15)


@pytest.mark.parametrize(
    ("v", "radius", "golden"),
    [((3, -1, 0.5), 2, (2, 0, 0)), ((0.3, -0.2), 1, (0.3, -0.2)), ((2, -1), 1, (1, 0)), ((0, 0), 1, (0, 0))],
)
def test_l1_ball(v, radius, golden):
    np.testing.assert_allclose(project_l1_ball(np.array(v), radius), golden, atol=1e-15)


def test_box_hyperplane_half_space_and_balls():
    np.testing.assert_array_equal(project_box(np.array([2, -1, 0.5]), 0, 1), [1, 0, 0.5])
    np.testing.assert_array_equal(project_nonneg(np.array([2, -1, 0.5])), [2, 0, 0.5])
    np.testing.assert_array_equal(project_linf_ball(np.array([2, -1, 0.25]), 0.5), [0.5, -0.5, 0.25])
    np.testing.assert_allclose(project_hyperplane(np.array([3.0, 4.0]), np.array([1.0, 2.0]), 1.0), [1, 0], atol=1e-15)
    np.testing.assert_allclose(project_halfspace(np.array([3.0, 4.0]), np.array([1.0, 2.0]), 1.0), [1, 0], atol=1e-15)
    np.testing.assert_array_equal(project_halfspace(np.array([-3.0, 1.0]), np.array([1.0, 2.0]), 1.0), [-3, 1])
    np.testing.assert_allclose(project_l2_ball(np.array([3.0, 4.0])), [0.6, 0.8], rtol=1e-15)
    np.testing.assert_array_equal(project_l2_ball(np.array([0.3, 0.4])), [0.3, 0.4])


def test_bounds_may_differ_by_coordinate_and_be_infinite():
    v = np.array([-2.0, 5.0, 9.0])
    np.testing.assert_array_equal(
        project_box(v, np.array([0.0, -np.inf, 0.0]), np.array([1.0, np.inf, 3.0])), [0, 5, 3]
    )
    np.testing.assert_array_equal(project_box(v, 0.0, np.inf), project_nonneg(v))


# Shapes, types, arguments left alone, errors.


ARGUMENTS = {
    project_box: (0.0, 1.0),
    project_nonneg: (),
    project_linf_ball: (0.5,),
    project_l2_ball: (0.5,),
    project_hyperplane: (np.array([1.0, -2.0, 2.0]), 3.0),
    project_halfspace: (np.array([1.0, -2.0, 2.0]), -3.0),
    project_simplex: (2.0,),
    project_l1_ball: (2.0,),
}


@pytest.mark.parametrize("project", PROJECTIONS)
def test_integers_are_accepted_and_no_argument_changes(project):
    v = np.array([3, -2, 1])
    projected = project(v, *ARGUMENTS[project])
    assert projected.dtype == np.float64
    assert projected.shape == (3,)
    np.testing.assert_array_equal(v, [3, -2, 1])


@pytest.mark.parametrize("project", PROJECTIONS)
def test_the_result_is_never_the_argument_itself(project):
    inside = project(np.array([0.2, 0.1, 0.3]), *ARGUMENTS[project])
    assert project(inside, *ARGUMENTS[project]) is not inside


@pytest.mark.parametrize("project", [project_simplex, project_l1_ball, project_l2_ball, project_linf_ball])
@pytest.mark.parametrize("radius", [0.0, -1.0])
def test_a_radius_must_be_positive(project, radius):
    with pytest.raises(ValueError, match="radius must be positive"):
        project(np.ones(2), radius)


def test_empty_sets_are_refused():
    with pytest.raises(ValueError, match="box is empty"):
        project_box(np.zeros(2), np.array([0.0, 2.0]), 1.0)
    for project in (project_hyperplane, project_halfspace):
        with pytest.raises(ValueError, match="normal vector u is 0"):
            project(np.ones(2), np.zeros(2), 1.0)


def test_each_row_of_a_batch_is_projected_onto_the_l2_ball():
    batch = np.array([[3.0, 4.0], [0.3, 0.4], [0.0, -2.0]])
    center = np.array([0.5, 0.0])
    rows = [project_l2_ball(row, 0.7, center) for row in batch]
    np.testing.assert_allclose(project_l2_ball(batch, 0.7, center), rows, rtol=1e-15)


def test_huge_entries_do_not_spoil_the_sum():
    projected = project_simplex(np.array([1e17, 1e17, -1e17]))
    np.testing.assert_array_equal(projected, [0.5, 0.5, 0.0])


# Feasibility and the variational inequality decide; at the vertices where the set is a polytope.


def corners(lower, upper, d):
    return np.array(list(product([lower, upper], repeat=d)))


@settings(max_examples=60, deadline=None)
@given(vectors(3), RADIUS)
def test_simplex_has_all_properties(points, radius):
    (points,) = points
    d = points.shape[1]
    members = np.vstack([radius * np.eye(d), np.full(d, radius / d)])

    def infeasibility(x):
        return max(abs(np.sum(x) - radius), -np.min(x))

    violations = projection_violations(lambda v: project_simplex(v, radius), infeasibility, members, points)
    assert max(violations.values()) <= 1e-11 * 50**2, violations


@settings(max_examples=60, deadline=None)
@given(vectors(3), RADIUS)
def test_l1_ball_has_all_properties(points, radius):
    (points,) = points
    d = points.shape[1]
    members = np.vstack([radius * np.eye(d), -radius * np.eye(d), np.zeros(d)])
    violations = projection_violations(
        lambda v: project_l1_ball(v, radius), lambda x: np.sum(np.abs(x)) - radius, members, points
    )
    assert max(violations.values()) <= 1e-11 * 50**2, violations


@settings(max_examples=60, deadline=None)
@given(vectors(3, 1), RADIUS)
def test_linf_ball_box_and_orthant_have_all_properties(points, radius):
    points, (center,) = points
    d = points.shape[1]
    members = center + corners(-radius, radius, d)
    violations = projection_violations(
        lambda v: project_linf_ball(v, radius, center),
        lambda x: np.max(np.abs(x - center)) - radius,
        np.vstack([members, center]),
        points,
    )
    assert max(violations.values()) <= 1e-11 * 50**2, violations
    lower, upper = np.minimum(center, 0.0), np.maximum(center, 1.0)
    for v in points:
        box_corners = np.array([np.where(np.array(c) > 0, upper, lower) for c in corners(0, 1, d)])
        p = project_box(v, lower, upper)
        assert np.all((p >= lower) & (p <= upper))
        assert variational_slack(v, p, box_corners) <= 1e-9
        q = project_nonneg(v)
        assert np.all(q >= 0)
        assert variational_slack(v, q, np.vstack([np.zeros(d), 2 * q, q + 100 * np.eye(d)])) <= 1e-9


@settings(max_examples=60, deadline=None)
@given(vectors(3, 1), RADIUS)
def test_l2_ball_has_all_properties(points, radius):
    points, (center,) = points
    d = points.shape[1]
    directions = np.vstack([np.eye(d), -np.eye(d), points - center, center - points, np.ones(d)])
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    members = center + radius * directions / np.where(lengths > 0, lengths, 1.0)
    violations = projection_violations(
        lambda v: project_l2_ball(v, radius, center),
        lambda x: np.linalg.norm(x - center) - radius,
        np.vstack([members, center]),
        points,
    )
    assert max(violations.values()) <= 1e-11 * 50**2, violations


@settings(max_examples=60, deadline=None)
@given(vectors(3, 4, 1), NUMBER)
def test_hyperplane_and_half_space_have_all_properties(points, offset):
    points, others, (normal,) = points
    if np.linalg.norm(normal) < 0.1:
        normal = np.ones(len(normal))
    size = np.linalg.norm(normal)
    on_it = np.array([project_hyperplane(z, normal, offset) for z in others])
    violations = projection_violations(
        lambda v: project_hyperplane(v, normal, offset), lambda x: abs(normal @ x - offset) / size, on_it, points
    )
    assert max(violations.values()) <= 1e-7, violations
    below = np.vstack([on_it, on_it - normal])
    violations = projection_violations(
        lambda v: project_halfspace(v, normal, offset), lambda x: (normal @ x - offset) / size, below, points
    )
    assert max(violations.values()) <= 1e-7, violations
    for v in points:
        moved = project_hyperplane(v, normal, offset) - v
        np.testing.assert_allclose(moved, (moved @ normal) / size**2 * normal, atol=1e-9)  # parallel to u


# Symmetries of the simplex and the l1 ball.


@settings(max_examples=60, deadline=None)
@given(vectors(1), NUMBER, st.randoms(use_true_random=False))
def test_simplex_ignores_shifts_and_follows_permutations(points, shift, random):
    ((v,),) = points
    projected = project_simplex(v)
    np.testing.assert_allclose(project_simplex(v + shift), projected, atol=1e-12)
    order = list(range(len(v)))
    random.shuffle(order)
    np.testing.assert_allclose(project_simplex(v[order]), projected[order], atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(vectors(1), RADIUS)
def test_l1_ball_is_a_soft_threshold(points, radius):
    """Moreau: v - P[v] is r times the proximity operator of the dual norm, linf; here only its shape is checked."""
    ((v,),) = points
    projected = project_l1_ball(v, radius)
    np.testing.assert_allclose(project_l1_ball(-v, radius), -projected, atol=1e-13)
    assert np.all(projected * v >= 0)
    removed = np.abs(v) - np.abs(projected)
    theta = np.max(removed)
    np.testing.assert_allclose(np.abs(projected), np.maximum(np.abs(v) - theta, 0), atol=1e-11)


# The boundary.


@pytest.mark.parametrize("radius", [0.3, 1.0, 7.0])
def test_points_on_the_boundary_stay(radius):
    rng = np.random.default_rng(0)
    for _ in range(20):
        v = rng.standard_normal(4)
        weights = rng.uniform(0.1, 1, 4)
        np.testing.assert_allclose(
            project_simplex(radius * weights / weights.sum(), radius), radius * weights / weights.sum(), atol=1e-15
        )
        for project, size in (
            (project_l1_ball, np.sum(np.abs(v))),
            (project_l2_ball, np.linalg.norm(v)),
            (project_linf_ball, np.max(np.abs(v))),
        ):
            on_it = v * (radius / size)
            np.testing.assert_allclose(project(on_it, radius), on_it, rtol=1e-13, atol=1e-15)
            np.testing.assert_allclose(project(on_it * (1 + 1e-9), radius), on_it, rtol=1e-8, atol=1e-8)


# The quadratic program as an independent witness.


def nearest_by_quadratic_program(v, constraints, bounds):
    found = scipy.optimize.minimize(
        lambda x: 0.5 * np.sum((x - v) ** 2),
        np.full(len(v), 0.1),
        jac=lambda x: x - v,
        method="SLSQP",
        constraints=constraints,
        bounds=bounds,
        options={"ftol": 1e-14, "maxiter": 200},
    )
    return found.x


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_a_quadratic_program(seed):
    rng = np.random.default_rng(seed)
    v, normal = 2 * rng.standard_normal(4), rng.standard_normal(4)
    total = {"type": "eq", "fun": lambda x: np.sum(x) - 1.5, "jac": lambda x: np.ones(4)}
    simplex = nearest_by_quadratic_program(v, [total], [(0, None)] * 4)
    np.testing.assert_allclose(project_simplex(v, 1.5), simplex, atol=1e-6)
    plane = {"type": "eq", "fun": lambda x: normal @ x - 0.7, "jac": lambda x: normal}
    hyperplane = nearest_by_quadratic_program(v, [plane], None)
    np.testing.assert_allclose(project_hyperplane(v, normal, 0.7), hyperplane, atol=1e-6)
    side = {"type": "ineq", "fun": lambda x: 0.7 - normal @ x, "jac": lambda x: -normal}
    half_space = nearest_by_quadratic_program(v, [side], None)
    np.testing.assert_allclose(project_halfspace(v, normal, 0.7), half_space, atol=1e-6)
    disc = {"type": "ineq", "fun": lambda x: 1.5**2 - x @ x, "jac": lambda x: -2 * x}
    np.testing.assert_allclose(project_l2_ball(v, 1.5), nearest_by_quadratic_program(v, [disc], None), atol=1e-6)
    # x = p - q with p, q >= 0 makes the l1 ball a linear constraint.
    split = scipy.optimize.minimize(
        lambda s: 0.5 * np.sum((s[:4] - s[4:] - v) ** 2),
        np.full(8, 0.1),
        jac=lambda s: np.concatenate([s[:4] - s[4:] - v, v - s[:4] + s[4:]]),
        method="SLSQP",
        constraints=[{"type": "ineq", "fun": lambda s: 1.5 - np.sum(s), "jac": lambda s: -np.ones(8)}],
        bounds=[(0, None)] * 8,
        options={"ftol": 1e-14, "maxiter": 200},
    ).x
    np.testing.assert_allclose(project_l1_ball(v, 1.5), split[:4] - split[4:], atol=1e-5)


# Equivalents.


EXTRA = {
    project_box: lambda d, other, radius: (np.minimum(other, 0.3), np.maximum(other, 1.0)),
    project_nonneg: lambda d, other, radius: (),
    project_linf_ball: lambda d, other, radius: (radius, other),
    project_l2_ball: lambda d, other, radius: (radius, other),
    project_hyperplane: lambda d, other, radius: (np.sign(other) + 0.3, radius),
    project_halfspace: lambda d, other, radius: (np.sign(other) + 0.3, radius),
    project_simplex: lambda d, other, radius: (radius,),
    project_l1_ball: lambda d, other, radius: (radius,),
}
EQUIVALENTS = [v for project in PROJECTIONS for v in variants(project, Kind.EQUIVALENT)]


@pytest.mark.parametrize("variant", EQUIVALENTS, ids=lambda v: v.identifier)
@settings(max_examples=40, deadline=None)
@given(vectors(2), RADIUS)
def test_equivalents_agree(variant, points, radius):
    ((v, other),) = points
    extra = EXTRA[variant.algorithm](len(v), other, radius)
    before = v.copy()
    np.testing.assert_allclose(variant.function(v, *extra), variant.algorithm(v, *extra), atol=1e-11)
    np.testing.assert_array_equal(v, before)


@pytest.mark.parametrize("variant", EQUIVALENTS, ids=lambda v: v.identifier)
def test_equivalents_accept_integers_and_change_nothing(variant):
    v = np.array([3, -2, 1])
    projected = variant.function(v, *ARGUMENTS[variant.algorithm])
    assert projected.dtype == np.float64
    np.testing.assert_allclose(projected, variant.algorithm(v, *ARGUMENTS[variant.algorithm]), atol=1e-13)
    np.testing.assert_array_equal(v, [3, -2, 1])


def test_batches_in_the_equivalent_of_the_l2_ball():
    (by_cases,) = (v.function for v in variants(project_l2_ball, Kind.EQUIVALENT))
    batch, center = np.array([[3.0, 4.0], [0.3, 0.4]]), np.array([0.1, -0.2])
    np.testing.assert_allclose(by_cases(batch, 0.6, center), project_l2_ball(batch, 0.6, center), rtol=1e-14)


@pytest.mark.parametrize("seed", range(20))
def test_simplex_in_many_dimensions(seed):
    rng = np.random.default_rng(seed)
    v = rng.standard_normal(200) * 10 ** rng.uniform(-2, 2)
    projected = project_simplex(v, 3.0)
    assert np.sum(projected) == pytest.approx(3.0, rel=1e-13)
    assert variational_slack(v, projected, 3.0 * np.eye(200)) <= 1e-10
    for variant in variants(project_simplex, Kind.EQUIVALENT):
        np.testing.assert_allclose(variant.function(v, 3.0), projected, atol=1e-12)
