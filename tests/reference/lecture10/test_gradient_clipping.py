"""Clipping and clipped gradient descent: golden numbers, torch, properties, the theorem, and what hides mistakes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reference.lecture02.gradient_descent import gradient_descent
from reference.lecture04.projections import project_l2_ball
from reference.lecture10.gradient_clipping import bound_nonconvex, clip, clipped_gd, mean_gradient_norm
from reference.lecture10.problems import quartic, steep_cosh, steep_quadratic
from reference.problems import quadratic
from reference.quantities import distance
from reference.variants import Kind, variants

CLIP = {v.identifier: v for v in variants(clip)}
VARIANTS = {v.identifier: v for v in variants(clipped_gd)}
LAST = {
    "elementwise_clipping": (2.95245, 2.5),
    "larger_clipping_factor": (2.5, 0),
    "threshold_of_one": (4.9483766931, 4.5026739565),
    "largest_entry_clipping": (4.6853454018, 2.5),
    "squared_norm_clipping": (4.995012211, 4.9503009809),
    "clipped_step": (2.9540780498, 0),
    "clipped_iterate": (2.95245, 0),
    "always_normalized_gradient": (4.6885904915, 2.5199875678),
}
VECTORS = arrays(np.float64, 3, elements=st.floats(-1e3, 1e3).map(lambda t: t if abs(t) > 1e-3 else 0.0))
THRESHOLDS = st.floats(0.01, 100.0)


def run(function, problem, learning_rate, threshold, num_steps):
    return function(problem.gradient, problem.x0, learning_rate, threshold, num_steps)


# The clipping itself.


@pytest.mark.parametrize(
    ("vector", "threshold", "clipped"),
    [((3, 4), 1, (0.6, 0.8)), ((3, 4), 5, (3, 4)), ((3, 4), 10, (3, 4)), ((0, 0), 1, (0, 0))],
)
def test_golden_vectors(vector, threshold, clipped):
    np.testing.assert_allclose(clip(np.array(vector), threshold), clipped, rtol=1e-15)


@given(VECTORS, VECTORS, THRESHOLDS, st.floats(0.1, 10.0))
@settings(max_examples=100, deadline=None)
def test_properties(u, w, threshold, scale):
    clipped = clip(u, threshold)
    assert np.linalg.norm(clipped) <= threshold * (1 + 1e-15)
    np.testing.assert_allclose(clip(clipped, threshold), clipped, rtol=1e-15)
    np.testing.assert_allclose(clipped, project_l2_ball(u, threshold), rtol=1e-14)
    np.testing.assert_allclose(clip(scale * u, scale * threshold), scale * clipped, rtol=1e-12)
    assert np.linalg.norm(clipped - clip(w, threshold)) <= np.linalg.norm(u - w) + 1e-9
    for variant in variants(clip, Kind.EQUIVALENT):
        np.testing.assert_allclose(variant.function(u, threshold), clipped, rtol=1e-14)


@given(VECTORS, THRESHOLDS)
@settings(max_examples=100, deadline=None)
def test_padded_norm_is_that_of_torch(u, threshold):
    parameter = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    parameter.grad = torch.tensor(u)
    torch.nn.utils.clip_grad_norm_([parameter], threshold)
    padded = CLIP["padded_norm"].function(u, threshold)
    np.testing.assert_allclose(padded, parameter.grad.numpy(), rtol=1e-14)
    np.testing.assert_allclose(padded, clip(u, threshold), rtol=1e-6 / threshold)


def test_input_is_left_as_it_is():
    for threshold in (1.0, 10.0):
        vector = np.array([3.0, 4.0])
        clip(vector, threshold)[:] = 7
        np.testing.assert_array_equal(vector, [3, 4])


@pytest.mark.parametrize("variant", variants(clip, Kind.MISTAKE), ids=lambda v: v.identifier)
def test_mistakes_of_clipping_are_seen(variant):
    vectors = [np.array([3.0, 4.0]), np.array([0.3, 0.4]), np.zeros(2)]
    wrong = [variant.function(vector, 2.0) for vector in vectors]
    seen = [not np.allclose(w, clip(u, 2.0), rtol=0, atol=0.1) for w, u in zip(wrong, vectors, strict=True)]
    long_ones = {"elementwise", "largest_entry_norm", "sum_norm", "squared_norm", "threshold_ignored"}
    expected = {
        **{identifier: [True, False, False] for identifier in long_ones},
        "larger_factor": [True, True, False],
        "always_normalized": [False, True, False],
        "zero_over_zero": [False, False, True],
    }
    assert seen == expected[variant.identifier]


@pytest.mark.parametrize("identifier", ["elementwise", "largest_entry_norm", "sum_norm"])
def test_one_dimension_hides_the_norm(identifier):
    for entry in (-3.0, 0.5, 0.0):
        np.testing.assert_allclose(CLIP[identifier].function(np.array([entry]), 2.0), clip(np.array([entry]), 2.0))


# Clipped gradient descent.


def test_golden_path():
    golden = [
        (4.95024814, 4.5024814),
        (4.89560496, 4.00547625),
        (4.83494497, 3.50916953),
        (4.76669953, 3.01384886),
        (4.6885904915, 2.5199875678),
    ]
    path = run(clipped_gd, steep_quadratic(), 0.1, 5.0, 5)
    np.testing.assert_allclose(path[1:5], golden[:4], rtol=0, atol=6e-9)
    np.testing.assert_allclose(path[5], golden[4], rtol=0, atol=6e-11)


@pytest.mark.parametrize("identifier", LAST)
def test_golden_numbers_of_the_mistakes(identifier):
    path = run(VARIANTS[identifier].function, steep_quadratic(), 0.1, 5.0, 5)
    np.testing.assert_allclose(path[-1], LAST[identifier], rtol=0, atol=6e-11)


def test_clipping_saves_the_quartic():
    clipped = run(clipped_gd, quartic(), 0.1, 10.0, 6)[1:, 0]
    np.testing.assert_allclose(clipped, [2, 1, 0.6, 0.5136, 0.4594080178176, 0.4206237405718542], rtol=1e-13)
    unclipped = run(VARIANTS["no_clipping"].function, quartic(), 0.1, 10.0, 4)
    np.testing.assert_allclose(unclipped[1:, 0], [-7.8, 182.0208, -2412072.05, 5.6e18], rtol=3e-3)
    np.testing.assert_array_equal(unclipped, gradient_descent(quartic().gradient, quartic().x0, 0.1, 4))


def test_gradient_descent_on_the_quartic_swings_at_the_edge():
    problem = quartic()
    swinging = gradient_descent(problem.gradient, problem.x0, 1 / 18, 9)[:, 0]
    np.testing.assert_allclose(swinging, [3, -3] * 5, rtol=1e-12)
    sizes = np.abs(gradient_descent(problem.gradient, problem.x0, 0.999 / 18, 5)[:, 0])
    assert np.all(np.diff(sizes) < 0)
    sizes = np.abs(gradient_descent(problem.gradient, problem.x0, 1.001 / 18, 5)[:, 0])
    assert np.all(np.diff(sizes) > 0)


@pytest.mark.parametrize("problem", [steep_quadratic(), quartic(), steep_cosh()], ids=lambda p: p.name)
def test_no_step_is_longer_than_it_may(problem):
    steps = np.linalg.norm(np.diff(run(clipped_gd, problem, 0.02, 3.0, 200), axis=0), axis=1)
    assert steps.max() == pytest.approx(0.06, rel=1e-13)
    assert steps.min() < 0.059
    assert distance(run(clipped_gd, problem, 0.02, 3.0, 2000), problem)[-1] < 0.2


def test_agrees_with_torch():
    problem = steep_quadratic()
    x = torch.tensor(problem.x0, requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=0.1)
    rows = [problem.x0]
    for _ in range(60):
        x.grad = torch.tensor(problem.gradient(x.detach().numpy()))
        torch.nn.utils.clip_grad_norm_([x], 5.0)
        optimizer.step()
        rows.append(x.detach().numpy().copy())
    padded = run(VARIANTS["padded_gradient_norm"].function, problem, 0.1, 5.0, 60)
    np.testing.assert_allclose(padded, rows, rtol=0, atol=1e-12)
    np.testing.assert_allclose(run(clipped_gd, problem, 0.1, 5.0, 60), rows, rtol=0, atol=1e-5)


# The guarantee.


@pytest.mark.parametrize(
    ("problem", "threshold", "num_steps", "mean", "bound"),
    [
        (quartic(), 1.0, 100, 43.31275720, 53.64298),
        (quartic(), 1.0, 1000, 4.448476077, 6.84355),
        (steep_cosh(), 0.1, 1000, 75.97257818, 84.03068),
    ],
)
def test_golden_means_and_bounds(problem, threshold, num_steps, mean, bound):
    gamma = 1 / (9 * (4 + 2 * threshold))
    path = run(clipped_gd, problem, gamma, threshold, num_steps - 1)
    means, bounds = mean_gradient_norm(path, problem), bound_nonconvex(problem, gamma, threshold, num_steps - 1)
    assert means[-1] == pytest.approx(mean, rel=1e-9)
    assert bounds[-1] == pytest.approx(bound, abs=5e-6)
    assert np.all(means <= bounds)


@pytest.mark.parametrize("problem", [quartic(), steep_cosh()], ids=lambda p: p.name)
@pytest.mark.parametrize("threshold", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("start", [0.1, 1.0, 2.5])
def test_bound_and_descent_hold_from_other_points(problem, threshold, start):
    problem = replace(problem, x0=np.array([start]))
    gamma = 1 / (9 * (4 + 2 * threshold))
    path = run(clipped_gd, problem, gamma, threshold, 300)
    assert np.all(mean_gradient_norm(path, problem) <= bound_nonconvex(problem, gamma, threshold, 300))
    values = np.array([problem.value(x) for x in path])
    norms = np.array([np.linalg.norm(problem.gradient(x)) for x in path[:-1]])
    # Rounding of values near the minimum of cosh is 1e-16.
    assert np.all(np.diff(values) <= -gamma / 1.07 * np.minimum(norms**2, threshold * norms) + 1e-15)


def test_constants_hold_on_a_grid():
    for problem in (quartic(), steep_cosh()):
        for t in np.linspace(-3, 3, 601):
            x = np.array([t])
            assert problem.hessian(x)[0, 0] <= 4 + 2 * abs(problem.gradient(x)[0]) + 1e-12


def test_bound_needs_its_conditions():
    with pytest.raises(ValueError, match=r"gamma <= 1/\(9"):
        bound_nonconvex(quartic(), 0.1, 1.0, 5)
    with pytest.raises(ValueError, match="constant L0"):
        bound_nonconvex(steep_quadratic(), 0.001, 1.0, 5)
    with pytest.raises(ValueError, match="c > 0"):
        bound_nonconvex(quartic(), 0.001, 0.0, 5)


def test_cycle_of_a_step_far_too_long_breaks_the_formula():
    """From 2.5 steps of length 10 lead to -7.5 and back, for ever; what the formula gives tends to 0."""
    problem = replace(quartic(), x0=np.array([2.5]))
    path = run(clipped_gd, problem, 10.0, 1.0, 1000)
    np.testing.assert_array_equal(np.unique(path), [-7.5, 2.5])
    D, count = 1.07 * 2.5**4 / 10, 1001
    assert mean_gradient_norm(path, problem)[-1] > 100 * (np.sqrt(D / count) + D / count)


# What hides the mistakes.


@pytest.mark.parametrize("variant", variants(clipped_gd, Kind.MISTAKE), ids=lambda v: v.identifier)
def test_what_a_threshold_that_is_never_reached_hides(variant):
    problem = steep_quadratic()
    same = np.allclose(
        run(variant.function, problem, 0.05, 1e4, 20), run(clipped_gd, problem, 0.05, 1e4, 20), atol=1e-13
    )
    assert same is (
        variant.identifier not in {"larger_clipping_factor", "always_normalized_gradient", "threshold_of_one"}
    )


@pytest.mark.parametrize("variant", variants(clipped_gd, Kind.MISTAKE), ids=lambda v: v.identifier)
def test_what_gradients_that_are_just_not_clipped_hide(variant):
    """The longest gradient is 1.12; its entries sum up to 1.5, its square is 1.25, and the points are longer still."""
    problem = quadratic(np.diag([0.1, 0.2]), np.zeros(2), np.array([5.0, 5.0]))
    same = np.allclose(run(variant.function, problem, 0.5, 1.2, 20), run(clipped_gd, problem, 0.5, 1.2, 20), atol=1e-13)
    assert same is (
        variant.identifier in {"elementwise_clipping", "largest_entry_clipping", "no_clipping", "clipped_step"}
    )


def test_long_gradients_hide_that_short_ones_are_lengthened():
    problem = steep_quadratic()
    wrong = run(VARIANTS["always_normalized_gradient"].function, problem, 0.1, 5.0, 80)
    path = run(clipped_gd, problem, 0.1, 5.0, 80)
    long = np.array([np.linalg.norm(problem.gradient(x)) > 5 for x in path])
    first_short = int(np.argmin(long))
    np.testing.assert_allclose(wrong[: first_short + 1], path[: first_short + 1], rtol=0, atol=1e-12)
    assert np.abs(wrong[first_short + 1 :] - path[first_short + 1 :]).max() > 0.1
