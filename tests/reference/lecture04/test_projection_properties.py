"""The checks tell a projection from maps that only look like one: each wrong map breaks what it should."""

import numpy as np
import pytest

from reference.lecture04.projection_properties import (
    angle_at_the_point,
    projection_violations,
    reversed_inequality,
    variational_slack,
)
from reference.lecture04.projections import l2_ball_always_normalized, project_simplex, simplex_clip_and_normalize

SIMPLEX_MEMBERS = np.vstack([np.eye(3), np.full(3, 1 / 3)])
RNG = np.random.default_rng(0)
POINTS = 1 + RNG.standard_normal((8, 3))
DISC_POINTS = np.vstack([RNG.standard_normal((8, 3)) * 2, 0.3 * RNG.standard_normal((4, 3))])


def outside_the_simplex(x):
    return max(abs(float(np.sum(x)) - 1), -float(np.min(x)))


def broken(project, infeasibility=outside_the_simplex, members=SIMPLEX_MEMBERS, points=POINTS):
    found = projection_violations(project, infeasibility, members, points)
    assert list(found) == [
        "feasible",
        "identity on C",
        "idempotent",
        "variational inequality",
        "non-expansive",
        "firmly non-expansive",
        "Pythagoras",
    ]
    return {name for name, violation in found.items() if violation > 1e-9}


def test_the_projection_breaks_nothing():
    assert broken(project_simplex) == set()


def test_a_constant_map_is_non_expansive_and_no_projection():
    assert broken(lambda v: np.full(3, 1 / 3)) == {"identity on C", "variational inequality", "Pythagoras"}


def test_the_identity_is_not_feasible():
    assert broken(lambda v: v) == {"feasible"}  # <z - v, v - v> = 0: the inequality alone does not decide


def test_clip_and_normalize_is_feasible_and_not_nearest():
    found = broken(simplex_clip_and_normalize, points=np.abs(POINTS) - 0.2)
    assert {"variational inequality", "Pythagoras"} <= found
    assert not {"feasible", "identity on C", "idempotent"} & found


def test_reflection_is_non_expansive_but_not_firmly_and_not_idempotent():
    found = broken(lambda v: 2 * project_simplex(v) - v)
    assert "non-expansive" not in found
    assert {"firmly non-expansive", "idempotent", "feasible"} <= found


def test_normalizing_moves_points_inside():
    members = np.vstack([np.eye(3), -np.eye(3), 0.2 * np.ones((1, 3))])
    found = broken(l2_ball_always_normalized, lambda x: np.linalg.norm(x) - 1, members, DISC_POINTS)
    assert {"identity on C", "variational inequality", "non-expansive"} <= found
    assert not {"feasible", "idempotent"} & found


def test_a_point_of_the_set_has_slack_zero_and_the_mistakes_see_the_opposite():
    v = np.array([0.5, 1.2, -0.3])
    p = project_simplex(v)
    assert variational_slack(v, p, np.eye(3)) == pytest.approx(0, abs=1e-15)
    assert reversed_inequality(v, p, np.eye(3)) > 0.5
    assert angle_at_the_point(v, p, np.eye(3)) > 0.3
    assert variational_slack(p, p, np.eye(3)) == reversed_inequality(p, p, np.eye(3)) == 0.0  # invisible inside
