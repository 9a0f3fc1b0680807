"""Gaussian and sphere estimates: unbiased and with the right second moments, exactly by quadrature and by samples.

Quadrature over the direction is exact on quadratics, and to rounding on cosines. Statistical checks have fixed seeds;
a right estimator fails them for another seed with probability at most 1e-6.
"""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.lecture05 import gaussian_estimator as gaussian_module
from reference.lecture05 import sphere_estimator as sphere_module
from reference.lecture05.black_box import BlackBox
from reference.lecture05.finite_differences import central_difference
from reference.lecture05.gaussian_estimator import (
    bound_gaussian_batch,
    bound_gaussian_second_moment,
    gaussian_estimator,
    gaussian_estimator_batch,
    gaussian_one_point,
    gaussian_sample_bound,
)
from reference.lecture05.problems import affine, cosines, half_ramps, ladder, saturating_wells, sines, stretched_bowl
from reference.lecture05.quadratic_moments import (
    expected_squared_gradients,
    expected_values,
    gaussian_second_moments,
    sphere_mean_squares,
    sphere_second_moments,
)
from reference.lecture05.quantities import gradient_error, mean_squared_norm
from reference.lecture05.smoothing import (
    ball_smooth,
    ball_smooth_gradient,
    gaussian_rule,
    gaussian_smooth,
    gaussian_smooth_gradient,
    sphere_rule,
)
from reference.lecture05.sphere_estimator import (
    bound_sphere_batch,
    bound_sphere_second_moment,
    sphere_estimator,
    sphere_estimator_batch,
    sphere_sample_bound,
)
from reference.lecture05.sphere_sampling import sample_ball, sample_sphere
from reference.problem import Problem
from reference.variants import Kind, guarantees, variants

X = np.array([0.3, -1.1, 2.0])
U = np.array([0.6, -0.48, 0.64])  # of length 1
FALSE_ALARM = 1e-6
SINGLE = [gaussian_estimator, gaussian_one_point, sphere_estimator]
BATCH = [gaussian_estimator_batch, sphere_estimator_batch]
RULE = {gaussian_estimator: gaussian_rule, gaussian_one_point: gaussian_rule, sphere_estimator: sphere_rule}


def indefinite_quadratic(d=3, seed=0):
    """1/2 x^T A x - <b, x> with a dense A that is neither diagonal nor definite."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((d, d))
    A, b = A + A.T, rng.standard_normal(d)
    L = np.abs(np.linalg.eigvalsh(A)).max()
    return Problem(
        name="indefinite quadratic",
        value=lambda x: float(0.5 * x @ A @ x - b @ x),
        gradient=lambda x: A @ x - b,
        x0=rng.standard_normal(d),
        smoothness=float(L),
        data={"hessian": A},
    )


def expectation(estimator, value, x, tau, order):
    """(E g, E g g^T) over the direction, by quadrature."""
    points, weights = RULE[estimator](len(x), order)
    estimates = np.array([estimator(value, x, tau, u) for u in points])
    return weights @ estimates, np.einsum("n,ni,nj->ij", weights, estimates, estimates)


# Unbiased for the smoothed function, exactly.


@pytest.mark.parametrize("estimator", SINGLE)
@pytest.mark.parametrize("tau", [0.3, 0.8])
def test_mean_is_the_gradient_of_the_smoothed_function(numerical_gradient, estimator, tau):
    """Bridge lemmas I and II: E g = grad E f(x + tau v) = E grad f(x + tau v), v in the ball for u on the sphere."""
    problem = cosines(X)
    smooth, smooth_gradient = (
        (ball_smooth, ball_smooth_gradient)
        if estimator is sphere_estimator
        else (gaussian_smooth, gaussian_smooth_gradient)
    )
    mean, _ = expectation(estimator, problem.value, X, tau, order=14)
    np.testing.assert_allclose(mean, smooth_gradient(problem.gradient, X, tau, 14), atol=1e-10)
    np.testing.assert_allclose(mean, numerical_gradient(lambda x: smooth(problem.value, x, tau, 10), X), atol=1e-8)


@pytest.mark.parametrize("estimator", SINGLE)
@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_mean_on_quadratics_is_the_gradient(estimator, d):
    problem = indefinite_quadratic(d)
    mean, _ = expectation(estimator, problem.value, problem.x0, 0.7, order=4)
    np.testing.assert_allclose(mean, problem.gradient(problem.x0), atol=1e-12)


def test_one_dimension_is_a_central_difference():
    value, x = cosines(X[:1]).value, X[:1]
    mean, _ = expectation(sphere_estimator, value, x, 0.4, order=1)
    np.testing.assert_allclose(mean, central_difference(value, x, 0.4))


def test_not_unbiased_for_the_gradient_itself():
    mean, _ = expectation(sphere_estimator, cosines(X).value, X, 0.8, order=14)
    np.testing.assert_allclose(mean, [-0.27703, 0.83546, -0.85242], atol=5e-6)
    assert gradient_error(mean, cosines(X)) > 0.05
    mean, _ = expectation(gaussian_estimator, cosines(X).value, X, 0.8, order=14)
    np.testing.assert_allclose(mean, [-0.21459, 0.64715, -0.66029], atol=5e-6)


def test_affine_functions_have_simple_estimates():
    c = np.array([3.0, -2.0, 1.0])
    np.testing.assert_allclose(gaussian_estimator(affine(c).value, X, 0.3, U), (c @ U) * U)
    np.testing.assert_allclose(sphere_estimator(affine(c).value, X, 0.3, U), 3 * (c @ U) * U)


# Second moments, exactly.


@pytest.mark.parametrize("d", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("estimator", "moments"), [(gaussian_estimator, gaussian_second_moments), (sphere_estimator, sphere_second_moments)]
)
def test_second_moments_on_quadratics(estimator, moments, d):
    problem, tau = indefinite_quadratic(d), 0.7
    A, g = problem.data["hessian"], problem.gradient(problem.x0)
    _, second = expectation(estimator, problem.value, problem.x0, tau, order=5)
    np.testing.assert_allclose(second, moments(A, g, tau), rtol=1e-11, atol=1e-11)
    t, s = np.trace(A), np.trace(A @ A)
    trace = {
        gaussian_estimator: (d + 2) * g @ g + tau**2 / 4 * (d + 4) * (2 * s + t**2),
        sphere_estimator: d * g @ g + tau**2 * d * (2 * s + t**2) / (4 * (d + 2)),
    }[estimator]
    assert np.trace(second) == pytest.approx(trace, rel=1e-12)
    assert np.linalg.eigvalsh(second - np.outer(g, g)).min() > -1e-10  # a covariance


SMOOTH = [
    indefinite_quadratic(3),
    stretched_bowl(),
    cosines(X),
    sines(X),
    saturating_wells(),
    half_ramps(2),
]


@pytest.mark.parametrize("problem", SMOOTH, ids=lambda problem: problem.name)
@pytest.mark.parametrize("tau", [0.1, 1.0, 5.0])
@pytest.mark.parametrize(
    ("estimator", "bound"),
    [(gaussian_estimator, bound_gaussian_second_moment), (sphere_estimator, bound_sphere_second_moment)],
)
def test_second_moment_is_within_the_bound(estimator, bound, problem, tau):
    _, second = expectation(estimator, problem.value, problem.x0, tau, order=12)
    assert np.trace(second) <= bound(problem, tau) * (1 + 1e-9)


def test_second_moment_bounds_are_twice_the_truth_on_affine_functions():
    """The factor 2 comes from (a + b)^2 <= 2 a^2 + 2 b^2, with b = 0 here."""
    problem = affine(np.ones(4))
    for estimator, bound in [
        (gaussian_estimator, bound_gaussian_second_moment),
        (sphere_estimator, bound_sphere_second_moment),
    ]:
        _, second = expectation(estimator, problem.value, problem.x0, 0.1, order=3)
        assert bound(problem, 0.1) == pytest.approx(2 * np.trace(second))


def test_one_point_explodes_as_tau_shrinks():
    """E ||g||^2 = d f(x)^2 / tau^2 (1 + O(tau)), while two points stay bounded: the ratio grows like 1/tau^2."""
    problem = cosines(X + 0.5)
    f = problem.value(problem.x0)
    ratios = []
    for tau in (0.1, 0.01):
        _, one = expectation(gaussian_one_point, problem.value, problem.x0, tau, order=14)
        _, two = expectation(gaussian_estimator, problem.value, problem.x0, tau, order=14)
        assert np.trace(one) == pytest.approx(3 * f**2 / tau**2, rel=0.1)
        ratios.append(np.trace(one) / np.trace(two))
    assert ratios[1] / ratios[0] == pytest.approx(100, rel=0.1)


# By samples.


def z_scores(samples, expected):
    errors = samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    return np.abs(samples.mean(axis=0) - expected) / errors


@pytest.mark.parametrize(
    ("estimator", "moments"), [(gaussian_estimator, gaussian_second_moments), (sphere_estimator, sphere_second_moments)]
)
def test_samples_have_the_exact_mean_and_second_moments(estimator, moments):
    """4 means and 10 second moments of 20 000 estimates on a dense indefinite quadratic in 4 dimensions."""
    problem, tau = indefinite_quadratic(4, seed=3), 0.6
    rng = np.random.default_rng(7)
    U = sample_sphere(20_000, 4, rng) if estimator is sphere_estimator else rng.standard_normal((20_000, 4))
    estimates = np.array([estimator(problem.value, problem.x0, tau, u) for u in U])
    g = problem.gradient(problem.x0)
    second = moments(problem.data["hessian"], g, tau)
    threshold = scipy.stats.norm.isf(FALSE_ALARM / (2 * 14))
    exact_errors = np.sqrt(np.diag(second - np.outer(g, g)) / len(U))
    assert (np.abs(estimates.mean(axis=0) - g) / exact_errors).max() < threshold
    rows, columns = np.triu_indices(4)
    assert z_scores(estimates[:, rows] * estimates[:, columns], second[rows, columns]).max() < threshold
    assert mean_squared_norm(estimates, problem) == pytest.approx(np.trace(second), rel=0.1)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda value, x, tau, u, v: sphere_module.sphere_without_dimension(value, x, tau, u),
        lambda value, x, tau, u, v: sphere_module.sphere_root_of_dimension(value, x, tau, u),
        lambda value, x, tau, u, v: sphere_estimator(value, x, tau, v),  # a point of the ball as direction
        lambda value, x, tau, u, v: sphere_estimator(value, x, tau, 2 * u),
        lambda value, x, tau, u, v: sphere_module.sphere_other_direction(value, x, tau, u),
    ],
    ids=["no factor d", "root of d", "u in the ball", "u too long", "another direction"],
)
def test_samples_tell_biased_estimates(wrong):
    """The same check with a tenth of the samples: biased estimates are far outside."""
    problem = indefinite_quadratic(4, seed=3)
    rng = np.random.default_rng(7)
    U, V = sample_sphere(2000, 4, rng), sample_ball(2000, 4, rng)
    estimates = np.array([wrong(problem.value, problem.x0, 0.6, u, v) for u, v in zip(U, V, strict=True)])
    assert z_scores(estimates, problem.gradient(problem.x0)).max() > 8


@pytest.mark.parametrize("batch", BATCH)
def test_variance_of_a_batch_falls_like_one_over_n(batch):
    """E ||g - E g||^2 = trace of the covariance / N, on a quadratic, over 400 batches each."""
    problem, tau = indefinite_quadratic(3), 0.5
    g = problem.gradient(problem.x0)
    moments = sphere_second_moments if batch is sphere_estimator_batch else gaussian_second_moments
    variance = np.trace(moments(problem.data["hessian"], g, tau)) - g @ g
    rng = np.random.default_rng(11)
    for N in (2, 16):
        U = [sample_sphere(N, 3, rng) if batch is sphere_estimator_batch else rng.standard_normal((N, 3))
             for _ in range(400)]  # fmt: skip
        squares = np.array([np.sum((batch(problem.value, problem.x0, tau, u) - g) ** 2) for u in U])
        assert z_scores(squares[:, None], variance / N)[0] < 5.5


# Sample sizes.


def test_numbers_of_samples():
    arguments = {"dimension": 4, "smoothness": 1.0, "tau": 0.1, "gradient_norm": 1.0}
    assert gaussian_sample_bound(**arguments, failure_probability=0.1, radius=1.0) == 375
    assert sphere_sample_bound(**arguments, failure_probability=0.1, radius=1.0) == 117
    assert gaussian_sample_bound(1, 0.0, 0.1, 1.0, 0.5, 3.0) == 2  # exactly 2: not rounded up
    by_hand = (6 * 16 * (0.25 + 0.01 / 4) + 8 / 3 * 2.1) * math.log(50)
    assert by_hand == pytest.approx(116.7348, abs=5e-5)


@pytest.mark.parametrize(
    ("batch", "sample_bound", "bias"),
    [(gaussian_estimator_batch, gaussian_sample_bound, 2.0), (sphere_estimator_batch, sphere_sample_bound, 1.0)],
)
def test_error_with_that_many_samples_is_rarely_larger(batch, sample_bound, bias):
    """bias = sqrt(d) and 1, times L tau. At most a tenth of the batches may fail; none of these 60 does."""
    problem, tau, r, delta = saturating_wells(), 0.1, 1.5, 0.1
    x, L = np.array([0.4, -0.3, 0.2]), 2.0
    norm = float(np.linalg.norm(problem.gradient(x)))
    N = sample_bound(3, L, tau, norm, delta, r)
    rng = np.random.default_rng(5)
    failures = 0
    for _ in range(60):
        U = sample_sphere(N, 3, rng) if batch is sphere_estimator_batch else rng.standard_normal((N, 3))
        error = np.linalg.norm(batch(problem.value, x, tau, U) - problem.gradient(x))
        failures += error > bias * L * tau + r
    assert failures == 0


def test_solved_for_the_error_the_theorems_are_the_same():
    problem, tau, delta = stretched_bowl(), 0.1, 0.05
    d, L = 2, 10.0
    norm = float(np.linalg.norm(problem.gradient(problem.x0)))
    for N in (50, 1000):
        U = np.zeros((N, 2))
        r = bound_gaussian_batch(problem, tau, U, delta) - np.sqrt(d) * L * tau
        assert gaussian_sample_bound(d, L, tau, norm, delta, r) == N
        r = bound_sphere_batch(problem, tau, U, delta) - L * tau
        assert sphere_sample_bound(d, L, tau, norm, delta, r) == N


def test_logarithm_makes_the_sphere_cheap_where_failures_are_to_be_rare():
    arguments = {"dimension": 10, "smoothness": 1.0, "tau": 0.1, "gradient_norm": 1.0, "radius": 1.0}
    ratio = [
        gaussian_sample_bound(**arguments, failure_probability=delta)
        / sphere_sample_bound(**arguments, failure_probability=delta)
        for delta in (1e-1, 1e-6)
    ]
    assert ratio[0] < 5
    assert ratio[1] > 1e4


@pytest.mark.parametrize("function", [gaussian_sample_bound, sphere_sample_bound])
def test_mistaken_numbers_of_samples(function):
    arguments = (6, 2.0, 0.3, 1.7, 0.02, 0.4)
    right = function(*arguments)
    for variant in variants(function, Kind.MISTAKE):
        wrong = variant.function(*arguments)
        if variant.identifier == "gaussian_samples_rounded_down":
            assert wrong == right - 1
        else:
            assert abs(wrong - right) > 0.02 * right, variant.identifier


def test_what_hides_mistaken_numbers():
    unit = (4, 1.0, 1.0, 1.0, 0.1, 1.0)
    for identifier in (
        "gaussian_samples_norm_not_squared",
        "gaussian_samples_smoothing_not_squared",
        "gaussian_samples_radius_not_squared",
    ):
        assert getattr(gaussian_module, identifier)(*unit) == gaussian_sample_bound(*unit)
    assert gaussian_module.gaussian_samples_rounded_down(1, 0.0, 0.1, 1.0, 0.5, 3.0) == 2
    one = (1, 1.0, 0.3, 1.0, 0.1, 1.0)
    assert sphere_module.sphere_samples_gradient_not_divided(*one) == sphere_sample_bound(*one)


@pytest.mark.parametrize(
    ("bound", "arguments", "sentence"),
    [
        (bound_gaussian_second_moment, (0.0,), "tau > 0"),
        (bound_sphere_second_moment, (0.0,), "tau > 0"),
        (bound_gaussian_batch, (0.0, np.ones((5, 3)), 0.1), "tau > 0"),
        (bound_sphere_batch, (-1.0, np.ones((5, 3)), 0.1), "tau > 0"),
        (bound_gaussian_batch, (0.1, np.ones((5, 3)), 0.0), "0 < delta < 1"),
        (bound_sphere_batch, (0.1, np.ones((5, 3)), 1.0), "0 < delta < 1"),
    ],
)
def test_broken_condition_is_said(bound, arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        bound(cosines(X), *arguments)


def test_bounds_are_registered():
    assert [t.bound for t in guarantees(gaussian_estimator)] == [bound_gaussian_second_moment]
    assert [t.bound for t in guarantees(sphere_estimator)] == [bound_sphere_second_moment]
    assert [t.bound for t in guarantees(gaussian_estimator_batch)] == [bound_gaussian_batch]
    assert [t.bound for t in guarantees(sphere_estimator_batch)] == [bound_sphere_batch]


# Descent in mean square, exactly.


@pytest.mark.parametrize(("d", "num_steps"), [(2, 3), (3, 2)])
def test_mean_squares_are_averages_over_all_paths(d, num_steps):
    """Every sequence of quadrature directions is one path; their weighted mean of x x^T is S_k, exactly."""
    problem, gamma, taus = indefinite_quadratic(d, seed=2), 0.05, np.array([0.7, 0.4, 0.2])[:num_steps]
    A = problem.data["hessian"]
    value, x0 = (lambda x: float(0.5 * x @ A @ x)), np.arange(1.0, d + 1)
    points, weights = sphere_rule(d, 4)
    states, total = x0[None], np.ones(1)
    S = sphere_mean_squares(A, x0, gamma, taus, num_steps)
    for k, tau in enumerate(taus):
        states = np.array([x - gamma * sphere_estimator(value, x, tau, u) for x in states for u in points])
        total = np.outer(total, weights).ravel()
        np.testing.assert_allclose(np.einsum("n,ni,nj->ij", total, states, states), S[k + 1], rtol=1e-11)
    assert expected_values(A, S)[-1] == pytest.approx(total @ np.array([value(x) for x in states]))
    assert expected_squared_gradients(A, S)[-1] == pytest.approx(total @ np.sum((states @ A) ** 2, axis=1))


def test_golden_curve_on_the_ladder():
    A = ladder().data["hessian"]
    S = sphere_mean_squares(A, np.ones(8), 1 / 256, np.full(500, 0.5), 500)
    np.testing.assert_allclose(
        expected_values(A, S)[[0, 1, 50, 200, 500]], [18, 17.26698, 3.06284, 0.27511, 0.10150], atol=5e-6
    )
    assert expected_squared_gradients(A, S).mean() == pytest.approx(10.766, abs=5e-4)


def test_stability_threshold_on_the_round_bowl():
    d, L, tau = 5, 3.0, 0.4
    A, x0 = L * np.eye(d), np.ones(d)

    def squared_norms(gamma, num_steps=200):
        S = sphere_mean_squares(A, x0, gamma, np.full(num_steps, tau), num_steps)
        return np.trace(S, axis1=1, axis2=2)

    gamma = 1 / (4 * d * L)
    norms = squared_norms(gamma)
    recursion = (1 - 7 / (16 * d)) * norms[:-1] + gamma**2 * d**2 * L**2 * tau**2 / 4
    np.testing.assert_allclose(norms[1:], recursion, rtol=1e-12)
    assert squared_norms(1.99 / (d * L), 2000)[-1] < 1e3
    assert squared_norms(2.01 / (d * L), 2000)[-1] > 1e3
    best = squared_norms(1 / (d * L))[5]
    assert best < min(squared_norms(0.8 / (d * L))[5], squared_norms(1.2 / (d * L))[5])


# Queries, equivalents, invariance, form.


@pytest.mark.parametrize(
    ("function", "queries"),
    [
        (gaussian_estimator, 2),
        (gaussian_one_point, 1),
        (sphere_estimator, 2),
        (gaussian_module.gaussian_symmetric, 2),
        (sphere_module.sphere_symmetric, 2),
        (sphere_module.sphere_of_longer_direction, 2),
        (sphere_module.sphere_single_point, 1),
    ],
)
def test_queries_of_one_direction(function, queries):
    box = BlackBox(cosines(X).value)
    function(box, X, 0.3, U)
    assert box.queries == queries


@pytest.mark.parametrize(
    ("function", "queries"),
    [
        (gaussian_estimator_batch, 11),
        (gaussian_module.gaussian_batch_as_product, 11),
        (gaussian_module.gaussian_batch_running_mean, 11),
        (gaussian_module.gaussian_batch_base_repeated, 20),
        (sphere_estimator_batch, 11),
        (sphere_module.sphere_batch_as_product, 11),
        (sphere_module.sphere_batch_running_mean, 11),
        (sphere_module.sphere_batch_base_repeated, 20),
    ],
)
def test_queries_of_a_batch(function, queries):
    box = BlackBox(cosines(X).value)
    function(box, X, 0.3, sample_sphere(10, 3, np.random.default_rng(0)))
    assert box.queries == queries


@settings(max_examples=30, deadline=None)
@given(d=st.integers(1, 6), N=st.integers(1, 5), tau=st.floats(0.05, 2), seed=st.integers(0, 10**6))
def test_equivalents_agree_to_rounding(d, N, tau, seed):
    rng = np.random.default_rng(seed)
    x, directions = rng.standard_normal(d), sample_sphere(N, d, rng)
    value = cosines(x).value
    rounding = 1e-14 * d**2 / tau
    for function in SINGLE:
        for variant in variants(function, Kind.EQUIVALENT):
            right = function(value, x, tau, directions[0])
            np.testing.assert_allclose(variant.function(value, x, tau, directions[0]), right, rtol=0, atol=rounding)
    for function in BATCH:
        right = function(value, x, tau, directions)
        for variant in variants(function, Kind.EQUIVALENT):
            np.testing.assert_allclose(variant.function(value, x, tau, directions), right, rtol=0, atol=rounding)
        single = gaussian_estimator if function is gaussian_estimator_batch else sphere_estimator
        one = function(value, x, tau, directions[:1])
        np.testing.assert_allclose(one, single(value, x, tau, directions[0]), rtol=0, atol=rounding)


@settings(max_examples=30, deadline=None)
@given(shift=st.floats(1, 10), tau=st.floats(0.1, 2))
def test_constant_added_to_f_changes_the_one_point_estimate_alone(shift, tau):
    value = cosines(X).value

    def lifted(x):
        return value(x) + shift

    for function in (gaussian_estimator, sphere_estimator):
        np.testing.assert_allclose(function(lifted, X, tau, U), function(value, X, tau, U), atol=1e-12)
    change = gaussian_one_point(lifted, X, tau, U) - gaussian_one_point(value, X, tau, U)
    np.testing.assert_allclose(change, shift / tau * U, atol=1e-11)
    for mistake in (gaussian_module.gaussian_single_point, sphere_module.sphere_single_point):
        assert np.abs(mistake(lifted, X, tau, U) - mistake(value, X, tau, U)).max() > 0.2


@pytest.mark.parametrize("function", [*SINGLE, *BATCH])
def test_point_is_left_as_it_is_and_may_be_integer(function):
    x = np.array([2, -1, 3])
    directions = U if function in SINGLE else U[None]
    g = function(cosines(X).value, x, 0.1, directions)
    assert g.dtype == np.float64
    assert g.shape == (3,)
    np.testing.assert_array_equal(x, [2, -1, 3])


# Mistakes.

SAME_VALUE = {"gaussian_batch_base_repeated", "sphere_batch_base_repeated"}


def differences(function, value, x, tau, directions):
    right = function(value, x, tau, directions)
    return {
        v.identifier: np.linalg.norm(v.function(value, x, tau, directions) - right) / np.linalg.norm(right)
        for v in variants(function, Kind.MISTAKE)
    }


def test_the_known_mistakes(identifiers):
    assert identifiers(gaussian_estimator, Kind.MISTAKE) == {
        "gaussian_times_dimension",
        "gaussian_normalized",
        "gaussian_divided_by_square",
        "gaussian_other_direction",
        "gaussian_scaled_twice",
        "gaussian_halved",
        "gaussian_single_point",
        "gaussian_undivided",
    }
    assert identifiers(gaussian_one_point, Kind.MISTAKE) == {"one_point_with_difference", "one_point_times_dimension"}
    assert identifiers(sphere_estimator, Kind.MISTAKE) == {
        "sphere_without_dimension",
        "sphere_root_of_dimension",
        "sphere_dimension_twice",
        "sphere_other_direction",
        "sphere_single_point",
        "sphere_halved",
        "sphere_undivided",
        "sphere_absolute",
    }
    assert identifiers(gaussian_estimator_batch, Kind.MISTAKE) == {
        "gaussian_batch_sum",
        "gaussian_batch_one_direction",
        "gaussian_batch_times_dimension",
        "gaussian_batch_base_repeated",
    }
    assert identifiers(sphere_estimator_batch, Kind.MISTAKE) == {
        "sphere_batch_sum",
        "sphere_batch_dimension_twice",
        "sphere_batch_without_dimension",
        "sphere_batch_one_direction",
        "sphere_batch_base_repeated",
    }


@pytest.mark.parametrize("function", [*SINGLE, *BATCH])
def test_every_mistake_is_off_by_at_least_a_tenth(function):
    rng = np.random.default_rng(3)
    directions = {
        gaussian_estimator: np.array([0.5, -1.2, 0.9]),
        gaussian_one_point: np.array([0.5, -1.2, 0.9]),
        sphere_estimator: U,  # f falls along it
        gaussian_estimator_batch: rng.standard_normal((5, 3)),
        sphere_estimator_batch: sample_sphere(5, 3, rng),
    }[function]
    found = differences(function, cosines(X).value, X, 0.3, directions)
    assert min(size for identifier, size in found.items() if identifier not in SAME_VALUE) > 0.1, found
    assert all(found[identifier] < 1e-13 for identifier in SAME_VALUE & set(found))


def test_what_hides_the_mistakes():
    value = cosines(X).value
    unit = differences(gaussian_estimator, value, X, 0.3, U)
    assert unit["gaussian_normalized"] < 1e-13
    assert unit["gaussian_divided_by_square"] < 1e-13
    tau_one = differences(gaussian_estimator, value, X, 1.0, U)
    assert tau_one["gaussian_scaled_twice"] == tau_one["gaussian_undivided"] == 0
    root = X * 0  # a bowl that is 0 there
    bowl = stretched_bowl().value
    assert differences(gaussian_estimator, bowl, root[:2], 0.3, U[:2])["gaussian_single_point"] == 0
    assert differences(gaussian_one_point, bowl, root[:2], 0.3, U[:2])["one_point_with_difference"] == 0
    assert differences(sphere_estimator, bowl, root[:2], 0.3, U[:2])["sphere_single_point"] == 0
    assert differences(sphere_estimator, value, X, 1.0, U)["sphere_undivided"] == 0
    assert differences(sphere_estimator, bowl, root[:2], 0.3, U[:2])["sphere_absolute"] == 0  # f rises along U
    one_dimension = differences(sphere_estimator, cosines(X[:1]).value, X[:1], 0.3, np.ones(1))
    for identifier in ("sphere_without_dimension", "sphere_root_of_dimension", "sphere_dimension_twice"):
        assert one_dimension[identifier] == 0
    one_direction = differences(sphere_estimator_batch, value, X, 0.3, U[None])
    assert one_direction["sphere_batch_sum"] < 1e-14
    assert one_direction["sphere_batch_one_direction"] < 1e-14


@pytest.mark.parametrize("function", [gaussian_estimator, sphere_estimator])
def test_both_sides_have_the_same_mean_and_less_variance(function):
    (symmetric,) = variants(function, Kind.CONVENTION)
    RULE[symmetric.function] = RULE[function]
    problem = cosines(X)
    mean, second = expectation(function, problem.value, X, 0.8, 14)
    other_mean, other_second = expectation(symmetric.function, problem.value, X, 0.8, 14)
    np.testing.assert_allclose(other_mean, mean, atol=1e-12)
    assert np.trace(other_second) < np.trace(second)
    assert np.abs(symmetric.function(problem.value, X, 0.8, U) - function(problem.value, X, 0.8, U)).max() > 0.05
