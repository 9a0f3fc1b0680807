"""Each mistake in a projection is seen on an example by a stated margin; where it is invisible, a test says so."""

import numpy as np
import pytest

import reference.lecture04.projections as module
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

ALGORITHMS = [
    project_box,
    project_nonneg,
    project_linf_ball,
    project_l2_ball,
    project_hyperplane,
    project_halfspace,
    project_simplex,
    project_l1_ball,
]
MISTAKES = {v.identifier: v for algorithm in ALGORITHMS for v in variants(algorithm, Kind.MISTAKE)}


def a(*entries):
    return np.array(entries, dtype=np.float64)


BOX = (a(2, -1, 0.5), 0.0, 1.0)
LINF = (a(2, -1, 0.25), 0.5, a(1.0, 0.0, 0.0))
L2 = (a(3, 4), 0.5, a(1.0, 0.0))
PLANE = (a(3, 4), a(1, 2), 1.0)
INSIDE_HALF_SPACE = (a(-3, 1), a(1, 2), 1.0)
SIMPLEX = (a(0.5, 1.2, -0.3, 0.1),)
BATCH = (np.array([[3.0, 4.0], [0.3, 0.4]]), 0.5, 0.0)

# Where it shows, and where it does not.
SEEN = {
    "box_swapped_bounds": BOX,
    "box_upper_bound_only": BOX,
    "box_of_absolute_values": BOX,
    "box_violations_to_zero": BOX,
    "box_violations_to_midpoint": BOX,
    "box_by_rescaling": (a(3, -1, 0.9), 0.0, 1.0),
    "box_by_largest_entry": BOX,
    "nonneg_absolute_value": (a(2, -1, 0.5),),
    "nonneg_by_shift": (a(2, -1, 0.5),),
    "nonneg_all_or_nothing": (a(2, -1, 0.5),),
    "linf_ball_one_sided": LINF,
    "linf_ball_always_corner": LINF,
    "linf_ball_by_rescaling": LINF,
    "linf_ball_in_the_l2_norm": LINF,
    "linf_ball_center_forgotten": LINF,
    "l2_ball_always_normalized": (a(0.3, 0.4), 1.0, 0.0),
    "l2_ball_norm_squared": L2,
    "l2_ball_coordinatewise": L2,
    "l2_ball_center_forgotten": L2,
    "l2_ball_norm_of_the_batch": BATCH,
    "l2_ball_norm_of_the_columns": BATCH,
    "hyperplane_norm_not_squared": PLANE,
    "hyperplane_wrong_sign": PLANE,
    "hyperplane_direction_forgotten": PLANE,
    "hyperplane_through_the_origin": PLANE,
    "hyperplane_norm_of_the_point": PLANE,
    "halfspace_always_boundary": INSIDE_HALF_SPACE,
    "halfspace_other_side": INSIDE_HALF_SPACE,
    "halfspace_norm_not_squared": PLANE,
    "simplex_clip_and_normalize": SIMPLEX,
    "simplex_softmax": SIMPLEX,
    "simplex_ascending_sort": SIMPLEX,
    "simplex_count_off_by_one": SIMPLEX,
    "simplex_shift_and_clip": SIMPLEX,
    "simplex_one_correction": (a(2.0, 0.5, -0.1, -6.0),),
    "simplex_radius_forgotten": (a(0.5, 1.2, -0.3, 0.1), 2.0),
    "l1_ball_by_rescaling": (a(3, -1, 0.5), 2.0),
    "l1_ball_always_boundary": (a(0.3, -0.2), 1.0),
    "l1_ball_signs_lost": (a(1, -3, 0.5), 2.0),
    "l1_ball_radius_as_threshold": (a(3, -1, 0.5), 2.0),
    "l1_ball_equal_shares": (a(3, -1, 0.5), 2.0),
}
HIDDEN = {
    "box_upper_bound_only": (a(2, 0.5), 0.0, 1.0),
    "box_of_absolute_values": (a(2, 0.5), 0.0, 1.0),
    "box_violations_to_zero": (a(-1, 0.5), 0.0, 1.0),
    "box_violations_to_midpoint": (a(0.2, 0.5), 0.0, 1.0),
    "box_by_rescaling": (a(0, 1, 0.3), 0.0, 1.0),
    "box_by_largest_entry": (a(1, -0.5), 0.0, 1.0),
    "nonneg_absolute_value": (a(2, 0.5),),
    "nonneg_by_shift": (a(2, 0.5),),
    "nonneg_all_or_nothing": (a(2, 0.5),),
    "linf_ball_one_sided": (a(2, 0.1), 0.5),
    "linf_ball_always_corner": (a(2, -3), 0.5),
    "linf_ball_by_rescaling": (a(7), 0.5),
    "linf_ball_in_the_l2_norm": (a(7), 0.5),
    "linf_ball_center_forgotten": (a(2, 0.1), 0.5),
    "l2_ball_always_normalized": (a(3, 4), 1.0),
    "l2_ball_norm_squared": (a(0.6, 0.8), 0.5),
    "l2_ball_coordinatewise": (a(0, -4), 1.0),
    "l2_ball_center_forgotten": (a(3, 4), 1.0),
    "l2_ball_norm_of_the_batch": (a(3, 4), 1.0),
    "hyperplane_norm_not_squared": (a(3, 4), a(0.6, 0.8), 1.0),
    "hyperplane_wrong_sign": (a(1, 0), a(1, 2), 1.0),
    "hyperplane_direction_forgotten": (a(3, 4), a(1, 1), 1.0),
    "hyperplane_through_the_origin": (a(3, 4), a(1, 2), 0.0),
    "hyperplane_norm_of_the_point": (a(2, 1), a(1, 2), 1.0),
    "halfspace_always_boundary": PLANE,
    "halfspace_other_side": (a(1, 0), a(1, 2), 1.0),
    "halfspace_norm_not_squared": INSIDE_HALF_SPACE,
    "simplex_clip_and_normalize": (a(0.25, 0.75, -1),),
    "simplex_softmax": (a(0.2, 0.2),),
    "simplex_ascending_sort": (a(0.2, 0.2),),
    "simplex_shift_and_clip": (a(0.3, 0.4),),
    "simplex_one_correction": SIMPLEX,
    "simplex_radius_forgotten": SIMPLEX,
    "l1_ball_by_rescaling": (a(1, -1, 1), 2.0),
    "l1_ball_always_boundary": (a(3, -1, 0.5), 2.0),
    "l1_ball_signs_lost": (a(3, 1, 0.5), 2.0),
    "l1_ball_equal_shares": (a(1, -1, 0.8), 2.0),
}
OTHER_EFFECTS = {"box_in_place", "l2_ball_distance"}


def difference(identifier, arguments):
    v, *rest = arguments
    variant = MISTAKES[identifier]
    return np.abs(variant.function(v.copy(), *rest) - variant.algorithm(v, *rest)).max()


def test_every_mistake_is_here():
    assert set(MISTAKES) == set(SEEN) | OTHER_EFFECTS


@pytest.mark.parametrize("identifier", MISTAKES)
def test_sentence_is_for_the_student(identifier):
    sentence = MISTAKES[identifier].sentence
    assert sentence.startswith("You")
    assert sentence.endswith((".", "?"))


@pytest.mark.parametrize("identifier", SEEN)
def test_is_seen_by_a_tenth(identifier):
    assert difference(identifier, SEEN[identifier]) > 0.1


@pytest.mark.parametrize("identifier", HIDDEN)
def test_is_invisible(identifier):
    assert difference(identifier, HIDDEN[identifier]) < 1e-14


def test_columns_and_rows_are_the_same_for_one_point_only_along_an_axis():
    """Norms over the first axis of a single vector are one number; of a batch of one row they are not."""
    assert difference("l2_ball_norm_of_the_columns", (a(3, 4), 1.0)) < 1e-14
    assert difference("l2_ball_norm_of_the_columns", (np.array([[3.0, 4.0]]), 1.0, 0.0)) > 0.1


def test_in_place_returns_the_right_point_and_changes_the_argument():
    v = a(2, -1, 0.5)
    np.testing.assert_array_equal(module.box_in_place(v, 0.0, 1.0), [1, 0, 0.5])
    np.testing.assert_array_equal(v, [1, 0, 0.5])


def test_distance_is_a_number():
    assert module.l2_ball_distance(a(3, 4), 1.0) == pytest.approx(4.0)
    assert module.l2_ball_distance(a(0.3, 0.4), 1.0) == 0.0


@pytest.mark.parametrize(
    ("identifier", "arguments", "golden"),
    [
        ("simplex_clip_and_normalize", SIMPLEX, (0.2777778, 0.6666667, 0, 0.0555556)),
        ("l1_ball_by_rescaling", (a(3, -1, 0.5), 2.0), (1.3333333, -0.4444444, 0.2222222)),
        ("simplex_count_off_by_one", (a(1, 0.8, 0.1),), (0.2, 0, 0)),
    ],
)
def test_golden_numbers_of_mistakes(identifier, arguments, golden):
    np.testing.assert_allclose(MISTAKES[identifier].function(*arguments), golden, atol=5e-8)


def test_undefined_results():
    assert np.isnan(module.simplex_clip_and_normalize(a(-1, -2))).all()
    assert np.isnan(module.l2_ball_always_normalized(a(0, 0))).all()
    np.testing.assert_array_equal(module.simplex_count_off_by_one(a(2, 0)), [0, 0])


def test_feasible_is_not_nearest():
    """The classical wrong maps land in the set; only the variational inequality tells."""
    v = SIMPLEX[0]
    for identifier in ("simplex_clip_and_normalize", "simplex_softmax"):
        wrong = MISTAKES[identifier].function(v)
        assert np.sum(wrong) == pytest.approx(1)
        assert wrong.min() >= 0
        assert np.linalg.norm(wrong - v) > np.linalg.norm(project_simplex(v) - v) + 0.02
