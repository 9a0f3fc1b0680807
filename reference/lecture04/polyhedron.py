"""Projection onto an intersection of sets, such as a polyhedron: Dykstra's algorithm.

Problem     P_C[v] for C = C_1 n ... n C_m, closed and convex, not empty, where each P_{C_i} is known. A polyhedron
            {x: A x <= b} is an intersection of half-spaces; its projection is a quadratic program, without a closed
            form.
Algorithm   x = v, and one correction e_i = 0 for each set; a sweep does for i = 1, ..., m
                y = x + e_i,  x = P_{C_i}[y],  e_i = y - x
Guarantee   x_k -> P_C[v] (Boyle, Dykstra 1986). On a polyhedron the rate is linear, with a constant that depends on its
            angles (Deutsch, Hundal 1994).
Cost        m projections a sweep, m + 1 vectors.
References  Lecture 1, part I, slide 12 (the sets and the definition); notes ch. 0, Definition 3.1 and Theorem 3.2.
            The algorithm is standard literature; the course does not give one for the polyhedron.
Catalogue   projection
Witness     scipy.optimize (the projection as a quadratic program)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from reference.lecture04 import problems
from reference.lecture04.projections import project_halfspace
from reference.problem import Matrix, Vector
from reference.quantities import distance
from reference.variants import equivalent, example, mistake

Project = Callable[[Vector], Vector]


def project_intersection(projections: Sequence[Project], v: Vector, num_steps: int) -> Matrix:
    """The iterates x_0 = v, x_1, ..., x_K of Dykstra's algorithm, (K+1, d): row k after k sweeps.

    Args:
        projections: P_{C_1}, ..., P_{C_m}, each (d,) -> (d,).
        v: the point to be projected, (d,); left as it is.
        num_steps: K >= 0 sweeps.
    """
    x = np.array(v, dtype=np.float64)
    corrections = [np.zeros_like(x) for _ in projections]
    iterates = [x]
    for _ in range(num_steps):
        for i, project in enumerate(projections):
            y = x + corrections[i]
            x = project(y)
            corrections[i] = y - x
        iterates.append(x)
    return np.array(iterates)


def project_polyhedron(v: Vector, A: Matrix, b: Vector, num_steps: int) -> Vector:
    """Projection onto {x: A x <= b}, up to the accuracy that K sweeps of Dykstra's algorithm reach.

    An equation <c, x> = d is the two inequalities <c, x> <= d and <-c, x> <= -d.

    Args:
        v: point, (d,).
        A: (m, d), no row 0.
        b: (m,).
        num_steps: K >= 0 sweeps.
    """
    iterates = project_intersection(half_spaces(A, b), v, num_steps)
    nearest: Vector = iterates[-1]
    return nearest


def half_spaces(A: Matrix, b: Vector) -> list[Project]:
    """The projections onto the half-spaces {x: <a_i, x> <= b_i}, of which {x: A x <= b} is the intersection."""
    return [partial(project_halfspace, normal=a_i, offset=b_i) for a_i, b_i in zip(A, b, strict=True)]


@equivalent(project_polyhedron)
def hildreth(v: Vector, A: Matrix, b: Vector, num_steps: int) -> Vector:
    """Coordinate ascent on the multipliers w >= 0 of the quadratic program, x = v - A^T w (Hildreth 1957)."""
    w = np.zeros(len(b))
    for _ in range(num_steps):
        for i in range(len(b)):
            w[i] = max(w[i] + float((A[i] @ (v - A.T @ w) - b[i]) / (A[i] @ A[i])), 0.0)
    return v - A.T @ w


@mistake(
    project_intersection,
    "Your iterates reach the intersection, but in general not the point of it that is nearest to where you started: "
    "each projection forgets what the ones before had moved.",
)
def alternating_projections(projections: Sequence[Project], v: Vector, num_steps: int) -> Matrix:
    """No corrections, x = P_{C_i}[x]. Invisible where all sets are affine."""
    x = np.array(v, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        for project in projections:
            x = project(x)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    project_intersection,
    "Your iterates are averages of the projections onto each set, and their limit depends on more than the nearest "
    "point. One set after the other, and each remembers its own correction.",
)
def averaged_projections(projections: Sequence[Project], v: Vector, num_steps: int) -> Matrix:
    """x = mean of P_{C_i}[x] over i."""
    x = np.array(v, dtype=np.float64)
    iterates = [x]
    for _ in range(num_steps):
        x = np.mean([project(x) for project in projections], axis=0)
        iterates.append(x)
    return np.array(iterates)


@mistake(
    project_intersection,
    "Your correction is shared by all the sets. What was moved by one set has to be given back to the same set.",
)
def shared_correction(projections: Sequence[Project], v: Vector, num_steps: int) -> Matrix:
    """One e for all sets. Invisible for a single set."""
    x = np.array(v, dtype=np.float64)
    correction = np.zeros_like(x)
    iterates = [x]
    for _ in range(num_steps):
        for project in projections:
            y = x + correction
            x = project(y)
            correction = y - x
        iterates.append(x)
    return np.array(iterates)


example(
    project_intersection,
    problems.nearest_point_of_a_wedge,
    distance,
    projections=lambda problem: half_spaces(problem.data["A"], problem.data["b"]),
    v=lambda problem: problem.x0,
    num_steps=30,
)
