"""Random directions: uniform on the unit sphere, uniform in the unit ball.

Problem     n independent points, uniform on S^{d-1} = {u: ||u|| = 1}, or in B^d = {v: ||v|| <= 1}.
Algorithm   sphere      u = z / ||z||,      z ~ N(0, I)
            ball        v = U^{1/d} u,      U uniform in [0, 1], u uniform on the sphere
Guarantee   sphere      E u = 0,  E u u^T = I/d,  E u_i^4 = 3 / (d (d+2))
            ball        E v = 0,  E v v^T = I/(d+2),  E ||v||^2 = d / (d+2),  ||v||^d is uniform in [0, 1]
Cost        d normal numbers a point.
References  Standard literature; notes ch. 5, sec. 6.1, use both laws, and the course gives no sampler.
Catalogue   sample_sphere, sample_ball
Witness     exact moments; scipy.stats (law of one coordinate, of the radius)

The variants draw other numbers from the same generator: they are compared by what they are distributed like.
"""

from __future__ import annotations

import numpy as np

from reference.problem import Matrix
from reference.variants import equivalent, mistake


def sample_sphere(count: int, dimension: int, generator: np.random.Generator) -> Matrix:
    """Points uniform on the unit sphere, (n, d).

    Args:
        count: n >= 0.
        dimension: d >= 1; for d = 1 the points are -1 and +1.
        generator: where the randomness comes from.
    """
    z = generator.standard_normal((count, dimension))
    return np.asarray(z / np.linalg.norm(z, axis=1, keepdims=True))


def sample_ball(count: int, dimension: int, generator: np.random.Generator) -> Matrix:
    """Points uniform in the unit ball, (n, d).

    Args:
        count: n >= 0.
        dimension: d >= 1.
        generator: where the randomness comes from.
    """
    u = sample_sphere(count, dimension, generator)
    radii = generator.uniform(size=(count, 1)) ** (1 / dimension)
    return np.asarray(radii * u)


# Correct other ways.


@equivalent(sample_ball)
def ball_by_rejection(count: int, dimension: int, generator: np.random.Generator) -> Matrix:
    """Points uniform in the cube, kept where they lie in the ball; in high dimension hardly any is kept."""
    kept = np.zeros((0, dimension))
    while len(kept) < count:
        cube = generator.uniform(-1, 1, (max(count, 100), dimension))
        kept = np.concatenate([kept, cube[np.linalg.norm(cube, axis=1) <= 1]])
    return kept[:count]


@equivalent(sample_ball)
def ball_inside_larger_sphere(count: int, dimension: int, generator: np.random.Generator) -> Matrix:
    """The first d coordinates of a point on the sphere in d+2 dimensions are uniform in the ball."""
    return sample_sphere(count, dimension + 2, generator)[:, :dimension]


@equivalent(sample_sphere)
def sphere_by_rejection(count: int, dimension: int, generator: np.random.Generator) -> Matrix:
    """Points uniform in the ball, pushed out to the sphere."""
    v = ball_by_rejection(count, dimension, generator)
    return np.asarray(v / np.linalg.norm(v, axis=1, keepdims=True))


@equivalent(sample_sphere)
def sphere_by_squares(count: int, dimension: int, generator: np.random.Generator) -> Matrix:
    """The squared coordinates have the Dirichlet law with parameters 1/2, ..., 1/2; the signs are independent."""
    squares = generator.dirichlet(np.full(dimension, 0.5), count)
    return np.asarray(np.sqrt(squares) * generator.choice([-1.0, 1.0], (count, dimension)))


# What goes wrong.


@mistake(
    sample_sphere,
    "Your directions prefer the diagonals: a cube has more volume towards its corners. "
    "Which distribution looks the same from all sides?",
)
def sphere_from_cube(count: int, dimension: int, generator: np.random.Generator) -> Matrix:
    """Points uniform in the cube [-1, 1]^d, normalised. Invisible for d = 1, and in the mean and E u u^T."""
    cube = generator.uniform(-1, 1, (count, dimension))
    return np.asarray(cube / np.linalg.norm(cube, axis=1, keepdims=True))


@mistake(
    sample_sphere,
    "All entries of your directions are positive: they cover a small part of the sphere. What is their mean?",
)
def sphere_from_positive_cube(count: int, dimension: int, generator: np.random.Generator) -> Matrix:
    """Points uniform in [0, 1]^d, normalised."""
    cube = generator.uniform(size=(count, dimension))
    return np.asarray(cube / np.linalg.norm(cube, axis=1, keepdims=True))


@mistake(sample_sphere, "Your directions have different lengths, around the root of d. Which length has a unit vector?")
def sphere_not_normalized(count: int, dimension: int, generator: np.random.Generator) -> Matrix:
    """z ~ N(0, I)."""
    return generator.standard_normal((count, dimension))


@mistake(sample_sphere, "Your points fill the ball, and the question asks for its surface.")
def sphere_filled(count: int, dimension: int, generator: np.random.Generator) -> Matrix:
    """Points uniform in the ball: E u u^T = I/(d+2)."""
    return sample_ball(count, dimension, generator)


@mistake(
    sample_sphere,
    "Your array as a whole has length one, and its rows are shorter. Over which axis is the norm taken?",
)
def sphere_normalized_together(count: int, dimension: int, generator: np.random.Generator) -> Matrix:
    """z / ||z||_F. Invisible for n = 1."""
    z = generator.standard_normal((count, dimension))
    return np.asarray(z / np.linalg.norm(z))


@mistake(
    sample_ball,
    "Your points crowd around the centre. Which part of the volume of the ball lies within half its radius?",
)
def ball_uniform_radius(count: int, dimension: int, generator: np.random.Generator) -> Matrix:
    """The radius is U. Invisible for d = 1."""
    return generator.uniform(size=(count, 1)) * sample_sphere(count, dimension, generator)


@mistake(
    sample_ball,
    "Your radius is that of a disc. How does the volume of a ball grow with its radius in d dimensions?",
)
def ball_square_root_radius(count: int, dimension: int, generator: np.random.Generator) -> Matrix:
    """The radius is the root of U. Invisible for d = 2."""
    return np.sqrt(generator.uniform(size=(count, 1))) * sample_sphere(count, dimension, generator)


@mistake(sample_ball, "All your points lie on the surface of the ball.")
def ball_hollow(count: int, dimension: int, generator: np.random.Generator) -> Matrix:
    """Points on the sphere."""
    return sample_sphere(count, dimension, generator)


@mistake(sample_ball, "Some of your points lie outside the ball, at its corners.")
def ball_as_cube(count: int, dimension: int, generator: np.random.Generator) -> Matrix:
    """Points uniform in the cube [-1, 1]^d. Invisible for d = 1."""
    return generator.uniform(-1, 1, (count, dimension))
