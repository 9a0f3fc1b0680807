"""Each mistake of a method is seen on a problem, by a stated margin; where it is invisible, a test says so."""

import importlib
import inspect
import pkgutil
from dataclasses import replace

import numpy as np
import pytest

from reference import lecture03
from reference.lecture02.gradient_descent import gradient_descent
from reference.lecture03.anderson_acceleration import anderson_acceleration
from reference.lecture03.heavy_ball import heavy_ball
from reference.lecture03.heavy_ball_matrix import heavy_ball_matrix, heavy_ball_rate
from reference.lecture03.heavy_ball_tuning import heavy_ball_tuning_notes, heavy_ball_tuning_slides
from reference.lecture03.nesterov import nesterov
from reference.lecture03.nesterov_convex import momentum_convex, nesterov_convex
from reference.lecture03.nesterov_convex_three_sequences import nesterov_convex_three_sequences
from reference.lecture03.nesterov_matrix import nesterov_matrix, nesterov_rate
from reference.lecture03.nesterov_strongly_convex import nesterov_strongly_convex
from reference.lecture03.nesterov_strongly_convex_three_sequences import nesterov_strongly_convex_three_sequences
from reference.lecture03.newton import newton
from reference.lecture03.preconditioned_gradient_descent import preconditioned_gradient_descent
from reference.lecture03.problems import (
    five_curvatures,
    shifted_valley,
    softplus_bowl,
    steep_walls,
    valley,
    worst_convex,
)
from reference.problems import random_least_squares, random_quadratic
from reference.variants import Kind, variants

DENSE = random_quadratic(dimension=4, smoothness=3.0, strong_convexity=0.1, seed=2)
LEAST_SQUARES = random_least_squares(rows=20, columns=5, condition=30, seed=1)
P = np.array([[0.5, 0.2, 0, 0], [0.2, 0.7, 0.1, 0], [0, 0.1, 0.4, 0.1], [0, 0, 0.1, 0.3]])

SAME_PATH = {"two_gradients_per_step", "recomputed_images"}
OTHER_ROWS = {"missing_first_row", "missing_last_row"}
RAISES = {"inverted_schedule": ZeroDivisionError, "elementwise_product": ValueError}
THREE = (nesterov_convex_three_sequences, nesterov_strongly_convex_three_sequences)

MISTAKES = {
    heavy_ball: {
        "gradient_at_extrapolated_point",
        "flipped_momentum",
        "lagged_momentum",
        "complementary_momentum",
        "average_without_rescaling",
        "history_at_zero",
        "overwritten_previous",
        "momentum_times_learning_rate",
        "stale_velocity",
        *OTHER_ROWS,
    },
    nesterov: {
        "gradient_at_iterate",
        "step_from_iterate",
        "difference_to_extrapolated_point",
        "lagged_momentum",
        "flipped_momentum",
        "history_at_zero",
        "overwritten_previous",
        "own_momentum",
        "two_gradients_per_step",
        *OTHER_ROWS,
    },
    nesterov_convex: {
        "schedule_two_ahead",
        "schedule_one_behind",
        "schedule_too_steep",
        "inverted_schedule",
        "integer_division",
        "frozen_schedule",
        "constant_momentum",
        "gradient_at_iterate",
        "step_from_iterate",
        "difference_to_extrapolated_point",
        "lagged_momentum",
        "flipped_momentum",
        "history_at_zero",
        "two_gradients_per_step",
        *OTHER_ROWS,
    },
    nesterov_convex_three_sequences: {
        "prolonged_from_new_iterate",
        "plain_step_of_v",
        "swapped_weights",
        "gradient_at_iterate",
    },
    nesterov_strongly_convex: {
        "momentum_of_heavy_ball",
        "squared_momentum",
        "momentum_is_the_rate",
        "momentum_without_roots",
        "inverted_momentum",
        "swapped_constants",
        "schedule_of_convex",
        "own_momentum",
        "gradient_at_iterate",
        "step_from_iterate",
        "difference_to_extrapolated_point",
        "lagged_momentum",
        "flipped_momentum",
        "history_at_zero",
        "overwritten_previous",
        "two_gradients_per_step",
        *OTHER_ROWS,
    },
    nesterov_strongly_convex_three_sequences: {
        "swapped_weights",
        "flipped_coefficient",
        "gradient_at_iterate",
        "plain_step_of_v",
        "v_starts_at_zero",
    },
    anderson_acceleration: {
        "without_the_map",
        "weights_without_constraint",
        "unnormalized_weights",
        "nonnegative_weights",
        "reversed_weights",
        "pseudo_inverse",
        "window_too_short",
        "window_never_cut",
        "stale_residual",
        "recomputed_images",
        *OTHER_ROWS,
    },
    preconditioned_gradient_descent: {
        "inverse_preconditioner",
        "root_of_preconditioner",
        "preconditioned_iterate",
        "elementwise_product",
        "start_mapped_forward",
        "not_mapped_back",
    },
    newton: {
        "frozen_hessian",
        "ascent",
        "hessian_not_inverted",
        "undamped",
        "diagonal_only",
        "entrywise_inverse",
    },
}
CASES = [(algorithm, identifier) for algorithm, known in MISTAKES.items() for identifier in sorted(known)]
PATHS = [(a, i) for a, i in CASES if i not in SAME_PATH | OTHER_ROWS | set(RAISES)]


class Counted:
    """A gradient that counts its calls."""

    def __init__(self, gradient):
        self.gradient = gradient
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        return self.gradient(x)


def run(function, algorithm, problem, num_steps, **changes):
    """The result with the arguments that the algorithm asks for by name."""
    L, mu = problem.smoothness, problem.strong_convexity
    values = {
        "gradient": problem.gradient,
        "hessian": problem.hessian,
        "x0": problem.x0,
        "learning_rate": 0.6 if algorithm in (newton, preconditioned_gradient_descent) else 0.9 / L,
        "momentum": 0.6,
        "smoothness": L,
        "strong_convexity": mu,
        "memory": 2,
        "preconditioner": P,
        "num_steps": num_steps,
    } | changes
    with np.errstate(all="ignore"):
        return function(*(values[name] for name in inspect.signature(algorithm).parameters))


def wrong_form(algorithm, identifier):
    return {v.identifier: v.function for v in variants(algorithm, Kind.MISTAKE)}[identifier]


def deviation(algorithm, identifier, problem, num_steps, **changes):
    """Largest distance of an iterate from the right one, relative to the extent of the right path."""
    wrong = run(wrong_form(algorithm, identifier), algorithm, problem, num_steps, **changes)
    right = run(algorithm, algorithm, problem, num_steps, **changes)
    if algorithm in THREE:
        wrong, right = wrong[0], right[0]
    assert wrong.shape == right.shape
    size = np.abs(wrong - right).max() / np.ptp(right, axis=0).max()
    return np.inf if np.isnan(size) else size


def test_the_known_mistakes(identifiers):
    for algorithm, known in MISTAKES.items():
        assert identifiers(algorithm, Kind.MISTAKE) == known


@pytest.mark.parametrize("module", [module.name for module in pkgutil.iter_modules(lecture03.__path__)])
def test_sentences_are_for_the_student(module):
    name = f"reference.lecture03.{module}"
    own = [f for f in vars(importlib.import_module(name)).values() if getattr(f, "__module__", None) == name]
    for variant in (variant for function in own for variant in variants(function)):
        assert variant.function.__doc__
        if variant.kind is not Kind.EQUIVALENT:
            assert variant.sentence.startswith(("You", "All your"))
            assert variant.sentence.endswith((".", "?"))


# Another path, on a dense quadratic with x* != 0 and a step that is no 1/lambda.


@pytest.mark.parametrize(("algorithm", "identifier"), PATHS)
def test_path_deviates_by_at_least_a_fiftieth_of_its_extent(algorithm, identifier):
    problem = softplus_bowl() if identifier == "frozen_hessian" else DENSE
    changes = {"memory": 5} if identifier == "pseudo_inverse" else {}
    assert deviation(algorithm, identifier, problem, 12, **changes) > 0.02


@pytest.mark.parametrize(("algorithm", "identifier"), [c for c in CASES if c[1] in SAME_PATH])
def test_right_path_at_a_higher_price(algorithm, identifier):
    gradient = Counted(LEAST_SQUARES.gradient)
    wrong = run(wrong_form(algorithm, identifier), algorithm, LEAST_SQUARES, 10, gradient=gradient)
    np.testing.assert_allclose(wrong, run(algorithm, algorithm, LEAST_SQUARES, 10), rtol=0, atol=1e-10)
    assert gradient.calls == {"two_gradients_per_step": 20, "recomputed_images": 1 + 2 + 8 * 3}[identifier]


@pytest.mark.parametrize(("algorithm", "identifier"), [c for c in CASES if c[1] in OTHER_ROWS])
def test_rows_that_are_missing(algorithm, identifier):
    right = run(algorithm, algorithm, LEAST_SQUARES, 10)
    rows = slice(1, None) if identifier == "missing_first_row" else slice(None, -1)
    np.testing.assert_array_equal(run(wrong_form(algorithm, identifier), algorithm, LEAST_SQUARES, 10), right[rows])


@pytest.mark.parametrize(("algorithm", "identifier"), [c for c in CASES if c[1] in RAISES])
def test_mistakes_that_raise(algorithm, identifier):
    with pytest.raises(RAISES[identifier]):
        run(wrong_form(algorithm, identifier), algorithm, DENSE, 3)


@pytest.mark.parametrize(("algorithm", "identifier"), [c for c in CASES if c[1] not in RAISES])
def test_start_is_left_as_it_is(algorithm, identifier):
    x0 = DENSE.x0.copy()
    run(wrong_form(algorithm, identifier), algorithm, DENSE, 3, x0=x0)
    np.testing.assert_array_equal(x0, DENSE.x0)


# When a mistake is first seen: three steps are needed to see them all.


def first_deviation(algorithm, identifier, problem, **changes):
    wrong = run(wrong_form(algorithm, identifier), algorithm, problem, 8, **changes)
    right = run(algorithm, algorithm, problem, 8, **changes)
    return int(np.argmax(np.abs(wrong - right).max(axis=1) > 1e-9))


@pytest.mark.parametrize(
    ("algorithm", "identifier", "step"),
    [
        (heavy_ball, "gradient_at_extrapolated_point", 2),
        (heavy_ball, "flipped_momentum", 2),
        (heavy_ball, "lagged_momentum", 2),
        (heavy_ball, "complementary_momentum", 2),
        (heavy_ball, "average_without_rescaling", 1),
        (heavy_ball, "history_at_zero", 1),
        (heavy_ball, "overwritten_previous", 2),
        (heavy_ball, "momentum_times_learning_rate", 2),
        (heavy_ball, "stale_velocity", 1),
        (nesterov, "gradient_at_iterate", 2),
        (nesterov, "step_from_iterate", 2),
        (nesterov, "difference_to_extrapolated_point", 3),
        (nesterov, "lagged_momentum", 2),
        (nesterov, "flipped_momentum", 2),
        (nesterov, "history_at_zero", 1),
        (nesterov_convex, "schedule_two_ahead", 2),
        (nesterov_convex, "schedule_one_behind", 2),
        (nesterov_convex, "schedule_too_steep", 2),
        (nesterov_convex, "integer_division", 3),
        (nesterov_convex, "frozen_schedule", 2),
        (nesterov_convex, "lagged_momentum", 3),
        (nesterov_strongly_convex, "squared_momentum", 2),
        (anderson_acceleration, "without_the_map", 2),
        (anderson_acceleration, "reversed_weights", 2),
        (anderson_acceleration, "window_too_short", 3),
        (anderson_acceleration, "window_never_cut", 4),
    ],
)
def test_step_of_the_first_deviation(algorithm, identifier, step):
    assert first_deviation(algorithm, identifier, DENSE) == step


def test_points_of_the_gradient_are_seen_in_the_first_step_or_the_third():
    for algorithm, step in [(nesterov, 1), (nesterov_strongly_convex, 1), (nesterov_convex, 2)]:
        points = {v.identifier: v.function for v in variants(algorithm, Kind.CONVENTION)}["points_of_the_gradient"]
        wrong, right = run(points, algorithm, DENSE, 8), run(algorithm, algorithm, DENSE, 8)
        assert int(np.argmax(np.abs(wrong - right).max(axis=1) > 1e-9)) == step


# What hides a mistake.


@pytest.mark.parametrize(
    ("algorithm", "identifier", "problem", "changes"),
    [
        (heavy_ball, "complementary_momentum", DENSE, {"momentum": 0.5}),
        (heavy_ball, "momentum_times_learning_rate", random_quadratic(3, 1.0, 0.1, 1), {"learning_rate": 1.0}),
        (heavy_ball, "history_at_zero", worst_convex(8.0, 5), {}),
        (nesterov, "history_at_zero", worst_convex(8.0, 5), {}),
        (nesterov, "own_momentum", DENSE, {"momentum": 0.9}),
        (nesterov_convex, "history_at_zero", worst_convex(8.0, 5), {}),
        (nesterov_strongly_convex, "own_momentum", DENSE, {"smoothness": 361.0, "strong_convexity": 1.0}),
        (nesterov_strongly_convex_three_sequences, "swapped_weights", DENSE, {"strong_convexity": 3.0}),
        (nesterov_strongly_convex_three_sequences, "flipped_coefficient", DENSE, {"strong_convexity": 3.0}),
        (nesterov_strongly_convex_three_sequences, "plain_step_of_v", DENSE, {"strong_convexity": 3.0}),
        (anderson_acceleration, "pseudo_inverse", DENSE, {}),
        (anderson_acceleration, "window_too_short", DENSE, {"memory": 0}),
        (preconditioned_gradient_descent, "inverse_preconditioner", DENSE, {"preconditioner": np.eye(4)}),
        (preconditioned_gradient_descent, "root_of_preconditioner", DENSE, {"preconditioner": np.eye(4)}),
        (preconditioned_gradient_descent, "preconditioned_iterate", DENSE, {"preconditioner": np.eye(4)}),
        (preconditioned_gradient_descent, "start_mapped_forward", DENSE, {"preconditioner": np.eye(4)}),
        (newton, "frozen_hessian", DENSE, {}),
        (newton, "undamped", softplus_bowl(), {"learning_rate": 1.0}),
        (newton, "diagonal_only", shifted_valley(), {}),
    ],
)
def test_invisible(algorithm, identifier, problem, changes):
    assert deviation(algorithm, identifier, problem, 6, **changes) < 1e-8


def test_short_run_hides_the_window_that_is_never_cut():
    assert deviation(anderson_acceleration, "window_never_cut", DENSE, 3) < 1e-13


@pytest.mark.parametrize("identifier", ["elementwise_product", "entrywise_inverse"])
def test_dimension_one_hides_matrices(identifier):
    line = random_quadratic(1, 2.0, 2.0, seed=1)
    algorithm = newton if identifier == "entrywise_inverse" else preconditioned_gradient_descent
    assert deviation(algorithm, identifier, line, 5, preconditioner=np.array([[0.3]])) < 1e-13


def test_first_step_hides_the_inverted_schedule():
    wrong = wrong_form(nesterov_convex, "inverted_schedule")
    right = run(nesterov_convex, nesterov_convex, DENSE, 1)
    np.testing.assert_allclose(run(wrong, nesterov_convex, DENSE, 1), right, rtol=0, atol=1e-15)


def test_step_of_one_over_L_along_an_axis_hides_everything():
    """The coordinate of curvature L is annihilated in the first step; there is nothing left that could be wrong."""
    steep = replace(valley(), x0=np.array([0.0, 1.0]))
    paths = MISTAKES[nesterov_convex] - OTHER_ROWS - set(RAISES) - SAME_PATH
    visible = {identifier for identifier in paths if deviation(nesterov_convex, identifier, steep, 10) > 1e-13}
    assert visible == set()


def test_minimizer_at_zero_hides_the_missing_constraint_on_values():
    """Weights zero jump to 0, which is x* in the examples of the course, so f says it is the best method of all."""
    for problem in (valley(), five_curvatures()):
        wrong = run(wrong_form(anderson_acceleration, "weights_without_constraint"), anderson_acceleration, problem, 5)
        assert problem.value(wrong[1]) == problem.minimum
    shifted = replace(valley(), gradient=lambda x: np.array([1.0, 20.0]) * (x - 1))
    wrong = run(wrong_form(anderson_acceleration, "weights_without_constraint"), anderson_acceleration, shifted, 5)
    assert np.abs(shifted.gradient(wrong[-1])).max() > 1


# What some mistakes are, exactly.


def test_which_mistakes_are_gradient_descent():
    plain = gradient_descent(DENSE.gradient, DENSE.x0, 0.9 / DENSE.smoothness, 12)
    for algorithm in (heavy_ball, nesterov):
        wrong = run(wrong_form(algorithm, "overwritten_previous"), algorithm, DENSE, 12)
        np.testing.assert_allclose(wrong, plain, rtol=0, atol=1e-14)
    wrong = run(wrong_form(anderson_acceleration, "stale_residual"), anderson_acceleration, DENSE, 12)
    np.testing.assert_allclose(wrong, plain, rtol=0, atol=1e-12)
    wrong = run(wrong_form(nesterov_convex, "integer_division"), nesterov_convex, DENSE, 12)
    whole = gradient_descent(DENSE.gradient, DENSE.x0, 1 / DENSE.smoothness, 12)
    np.testing.assert_allclose(wrong, whole, rtol=0, atol=1e-14)


def test_average_without_rescaling_is_heavy_ball_with_a_shorter_step():
    wrong = run(wrong_form(heavy_ball, "average_without_rescaling"), heavy_ball, DENSE, 12)
    shorter = heavy_ball(DENSE.gradient, DENSE.x0, 0.4 * 0.9 / DENSE.smoothness, 0.6, 12)
    np.testing.assert_allclose(wrong, shorter, rtol=0, atol=1e-14)


def test_heavy_ball_and_nesterov_are_each_others_mistake():
    wrong = run(wrong_form(heavy_ball, "gradient_at_extrapolated_point"), heavy_ball, DENSE, 12)
    np.testing.assert_array_equal(wrong, run(nesterov, nesterov, DENSE, 12))


def test_combining_points_stays_on_the_line_of_the_first_two():
    wrong = run(wrong_form(anderson_acceleration, "without_the_map"), anderson_acceleration, DENSE, 3)
    offsets = wrong - wrong[0]
    assert np.linalg.svd(offsets, compute_uv=False)[1] < 1e-10 * np.linalg.norm(offsets[1])


def test_swapped_constants_are_a_flipped_momentum():
    pair = [
        run(wrong_form(nesterov_strongly_convex, identifier), nesterov_strongly_convex, DENSE, 12)
        for identifier in ("swapped_constants", "flipped_momentum")
    ]
    np.testing.assert_allclose(*pair, rtol=0, atol=1e-14)


def test_schedules_of_the_convex_method_around_the_right_one():
    assert [momentum_convex(k) for k in (3, 4)] == [1 / 4, 2 / 5]
    for identifier, shift in [("schedule_two_ahead", 2), ("schedule_one_behind", -1)]:
        wrong = run(wrong_form(nesterov_convex, identifier), nesterov_convex, DENSE, 12)
        shifted = nesterov(
            DENSE.gradient, DENSE.x0, 1 / DENSE.smoothness, lambda k, s=shift: momentum_convex(k + s), 12
        )
        np.testing.assert_allclose(wrong, shifted, rtol=0, atol=1e-14)


# Tunings, matrices, rates.


@pytest.mark.parametrize("tuning", [heavy_ball_tuning_notes, heavy_ball_tuning_slides])
def test_wrong_tunings(tuning):
    known = {
        heavy_ball_tuning_notes: {
            "momentum_is_the_rate",
            "nesterov_momentum",
            "momentum_of_the_slides",
            "doubled_step",
        },
        heavy_ball_tuning_slides: {
            "momentum_without_square",
            "difference_of_roots",
            "step_without_roots",
            "step_of_gradient_descent",
        },
    }[tuning]
    assert {v.identifier for v in variants(tuning, Kind.MISTAKE)} == known
    best = heavy_ball_rate(np.diag([1.0, 20.0]), *tuning(20.0, 1.0))
    for variant in variants(tuning, Kind.MISTAKE):
        off = np.abs(np.array(variant.function(20.0, 1.0)) / tuning(20.0, 1.0) - 1).max()
        assert off > 0.04
        rate = heavy_ball_rate(np.diag([1.0, 20.0]), *variant.function(20.0, 1.0))
        if tuning is heavy_ball_tuning_slides:
            assert rate > best + 0.05


def test_equal_constants_hide_the_step_of_gradient_descent():
    wrong = {v.identifier: v.function for v in variants(heavy_ball_tuning_slides)}["step_of_gradient_descent"]
    np.testing.assert_allclose(wrong(3.0, 3.0), heavy_ball_tuning_slides(3.0, 3.0))


@pytest.mark.parametrize(
    ("algorithm", "known"),
    [
        (heavy_ball_matrix, {"flipped_history", "complementary_momentum", "frozen_history"}),
        (heavy_ball_rate, {"spectral_norm", "real_part", "largest_curvature_only"}),
        (nesterov_matrix, {"heavy_ball_history", "flipped_history"}),
        (nesterov_rate, {"spectral_norm"}),
    ],
)
def test_wrong_matrices_and_rates(algorithm, known):
    assert {v.identifier for v in variants(algorithm, Kind.MISTAKE)} == known
    settings = [(DENSE.data["hessian"], 0.2, 0.1), (np.diag([2.0, 3.0]), 0.5, 0.6)]
    for variant in variants(algorithm, Kind.MISTAKE):
        worst = max(np.abs(variant.function(*setting) - algorithm(*setting)).max() for setting in settings)
        assert worst > 0.1, variant.identifier


def test_steep_walls_show_that_inverting_the_preconditioner_diverges():
    problem, preconditioner = steep_walls(), np.diag([1 / 20, 1 / 2])
    wrong = wrong_form(preconditioned_gradient_descent, "inverse_preconditioner")
    iterates = wrong(problem.gradient, problem.x0, preconditioner, 1.0, 10)
    assert np.abs(iterates[-1]).max() > 1e6
