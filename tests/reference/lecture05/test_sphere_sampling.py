"""Samplers on the sphere and in the ball, by exact moments.

Every statistical check has a fixed seed. Its threshold is chosen so that a right sampler fails with probability at
most 1e-7 for another seed: |z| < 5.33 for one number, and Bonferroni's rule where several are looked at together.
"""

import numpy as np
import pytest
import scipy.stats

from reference.lecture05.sphere_sampling import sample_ball, sample_sphere
from reference.variants import Kind, variants

FALSE_ALARM = 1e-7
SPHERE = {v.identifier: v.function for v in variants(sample_sphere, Kind.EQUIVALENT)} | {"sample_sphere": sample_sphere}
BALL = {v.identifier: v.function for v in variants(sample_ball, Kind.EQUIVALENT)} | {"sample_ball": sample_ball}
COUNT = 40_000


def rng():
    return np.random.default_rng(20240)


def largest_z(samples, expected):
    """max |z| of the column means of `samples` (N, m), and its threshold for m numbers together."""
    standard_errors = samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    z = np.abs(samples.mean(axis=0) - expected) / np.where(standard_errors > 0, standard_errors, 1)
    threshold = scipy.stats.norm.isf(FALSE_ALARM / (2 * samples.shape[1]))
    return z.max(), threshold


def outer_products(points):
    d = points.shape[1]
    rows, columns = np.triu_indices(d)
    return points[:, rows] * points[:, columns], (rows == columns).astype(float)


def assert_uniform_directions(points):
    """Norm 1, mean 0, E u u^T = I/d, E u_i^4 = 3/(d (d+2))."""
    d = points.shape[1]
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, rtol=1e-12)
    products, diagonal = outer_products(points)
    for samples, expected in [(points, 0.0), (products, diagonal / d), (points**4, 3 / (d * (d + 2)))]:
        z, threshold = largest_z(samples, expected)
        assert z < threshold
    # One coordinate has the law of 2 B - 1 with B ~ Beta((d-1)/2, (d-1)/2).
    law = scipy.stats.beta((d - 1) / 2, (d - 1) / 2, loc=-1, scale=2)
    assert scipy.stats.kstest(points[:, 0], law.cdf).pvalue > FALSE_ALARM


def assert_uniform_in_the_ball(points):
    """||v||^d uniform, E v v^T = I/(d+2)."""
    d = points.shape[1]
    radii = np.linalg.norm(points, axis=1)
    assert radii.max() <= 1
    assert scipy.stats.kstest(radii**d, "uniform").pvalue > FALSE_ALARM
    products, diagonal = outer_products(points)
    for samples, expected in [(points, 0.0), (products, diagonal / (d + 2)), (radii[:, None] ** 2, d / (d + 2))]:
        z, threshold = largest_z(samples, expected)
        assert z < threshold
    assert_uniform_directions(points / radii[:, None])


@pytest.mark.parametrize("sampler", SPHERE)
@pytest.mark.parametrize("dimension", [2, 3, 5])
def test_sphere(sampler, dimension):
    points = SPHERE[sampler](COUNT, dimension, rng())
    assert points.shape == (COUNT, dimension)
    assert_uniform_directions(points)


@pytest.mark.parametrize("sampler", BALL)
@pytest.mark.parametrize("dimension", [2, 3, 5])
def test_ball(sampler, dimension):
    points = BALL[sampler](COUNT, dimension, rng())
    assert points.shape == (COUNT, dimension)
    assert_uniform_in_the_ball(points)


def test_one_dimension():
    for sampler in SPHERE.values():
        points = sampler(COUNT, 1, rng())
        np.testing.assert_allclose(np.abs(points), 1)
        assert largest_z(points, 0.0)[0] < 5.33
    for sampler in BALL.values():
        assert scipy.stats.kstest(sampler(COUNT, 1, rng())[:, 0], "uniform", (-1, 2)).pvalue > FALSE_ALARM


def test_same_seed_gives_the_same_points_and_no_points_is_fine():
    np.testing.assert_array_equal(sample_sphere(5, 3, rng()), sample_sphere(5, 3, rng()))
    np.testing.assert_array_equal(sample_ball(5, 3, rng()), sample_ball(5, 3, rng()))
    assert sample_sphere(0, 3, rng()).shape == sample_ball(0, 3, rng()).shape == (0, 3)


# Mistakes: each fails the same checks that the right samplers pass.


@pytest.mark.parametrize("variant", variants(sample_sphere, Kind.MISTAKE), ids=lambda variant: variant.identifier)
@pytest.mark.parametrize("dimension", [2, 3])
def test_mistaken_sphere_is_seen(variant, dimension):
    with pytest.raises(AssertionError):
        assert_uniform_directions(variant.function(COUNT, dimension, rng()))


@pytest.mark.parametrize("variant", variants(sample_ball, Kind.MISTAKE), ids=lambda variant: variant.identifier)
@pytest.mark.parametrize("dimension", [3, 5])
def test_mistaken_ball_is_seen(variant, dimension):
    with pytest.raises(AssertionError):
        assert_uniform_in_the_ball(variant.function(COUNT, dimension, rng()))


def test_the_known_mistakes(identifiers):
    assert identifiers(sample_sphere, Kind.MISTAKE) == {
        "sphere_from_cube",
        "sphere_from_positive_cube",
        "sphere_not_normalized",
        "sphere_filled",
        "sphere_normalized_together",
    }
    assert identifiers(sample_ball, Kind.MISTAKE) == {
        "ball_uniform_radius",
        "ball_square_root_radius",
        "ball_hollow",
        "ball_as_cube",
    }


def test_cube_is_invisible_in_first_and_second_moments():
    """By symmetry they are right; the fourth moment gives it away."""
    mistakes = {v.identifier: v.function for v in variants(sample_sphere, Kind.MISTAKE)}
    points = mistakes["sphere_from_cube"](COUNT, 3, rng())
    products, diagonal = outer_products(points)
    for samples, expected in [(points, 0.0), (products, diagonal / 3)]:
        z, threshold = largest_z(samples, expected)
        assert z < threshold
    assert largest_z(points**4, 3 / 15)[0] > 15


def test_dimensions_that_hide_the_mistakes():
    mistakes = {v.identifier: v.function for v in variants(sample_ball, Kind.MISTAKE)}
    assert_uniform_in_the_ball(mistakes["ball_square_root_radius"](COUNT, 2, rng()))
    for identifier in ("ball_uniform_radius", "ball_as_cube"):
        points = mistakes[identifier](COUNT, 1, rng())
        assert scipy.stats.kstest(points[:, 0], "uniform", (-1, 2)).pvalue > FALSE_ALARM
    mistakes = {v.identifier: v.function for v in variants(sample_sphere, Kind.MISTAKE)}
    np.testing.assert_array_equal(np.abs(mistakes["sphere_from_cube"](COUNT, 1, rng())), 1)
    assert np.linalg.norm(mistakes["sphere_normalized_together"](1, 4, rng())) == pytest.approx(1)
