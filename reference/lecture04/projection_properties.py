"""What makes a map a projection: the properties of Lecture 4, each as a number that must not be positive.

Problem     Given a map P and a closed convex set C, is P[v] the point of C that is nearest to v, for every v?
Algorithm   For points v, w anywhere and z in C, with p = P[v], q = P[w]:
                feasible                  p is in C
                identity on C             P[z] = z
                idempotent                P[p] = p
                variational inequality    <z - p, v - p> <= 0
                non-expansive             ||p - q|| <= ||v - w||
                firmly non-expansive      ||p - q||^2 <= <p - q, v - w>
                Pythagoras                ||p - z||^2 + ||v - p||^2 <= ||v - z||^2
Guarantee   p = P_C[v] if and only if p is feasible and the variational inequality holds for every z in C; for a
            polytope its vertices are enough. So these two decide, and the others follow. None of the others decides
            alone: a constant map is non-expansive.
Cost        O(n^2 d) for n points.
References  Lecture 4, part I, slides 4-7; notes ch. 3 (Projected GD), Lemmas 2.1-2.3 and eq. 9. Idempotence, the
            identity on C and firm non-expansiveness follow from them; the course does not state them.
Catalogue   projection_properties
Witness     the projections of this lecture satisfy all, and each wrong map of the tests breaks the property it should
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.problem import Matrix, Vector
from reference.variants import mistake

Project = Callable[[Vector], Vector]


def variational_slack(point: Vector, projected: Vector, members: Matrix) -> float:
    """max over the given z of <z - p, v - p>: not positive for every z in C if and only if p = P_C[v] (p in C).

    Args:
        point: v, (d,).
        projected: p, (d,), in C.
        members: points z of C, (n, d); all vertices where C is a polytope.
    """
    return float(np.max((members - projected) @ (point - projected)))


def projection_violations(
    project: Project, infeasibility: Callable[[Vector], float], members: Matrix, points: Matrix
) -> dict[str, float]:
    """The largest violation of each property; rounding at most where P is the projection onto C.

    Args:
        project: the map P to be judged, (d,) -> (d,).
        infeasibility: 0 for x in C and positive outside, (d,) -> float.
        members: points z of C, (n, d); all vertices where C is a polytope, and points inside.
        points: points v and w, (m, d), some of them outside C.
    """
    images = np.array([project(v) for v in points])
    steps = np.array([[v - w for w in points] for v in points])
    moves = np.array([[p - q for q in images] for p in images])
    squared_moves = np.sum(moves**2, axis=-1)
    return {
        "feasible": max(infeasibility(p) for p in images),
        "identity on C": max(float(np.linalg.norm(project(z) - z)) for z in members),
        "idempotent": max(float(np.linalg.norm(project(p) - p)) for p in images),
        "variational inequality": max(variational_slack(v, p, members) for v, p in zip(points, images, strict=True)),
        "non-expansive": float(np.max(np.sqrt(squared_moves) - np.linalg.norm(steps, axis=-1))),
        "firmly non-expansive": float(np.max(squared_moves - np.sum(moves * steps, axis=-1))),
        "Pythagoras": max(
            float(np.sum((p - z) ** 2) + np.sum((v - p) ** 2) - np.sum((v - z) ** 2))
            for v, p in zip(points, images, strict=True)
            for z in members
        ),
    }


@mistake(
    variational_slack,
    "Your inequality points the other way: seen from the projection, the point and the set are on opposite sides.",
)
def reversed_inequality(point: Vector, projected: Vector, members: Matrix) -> float:
    """max of -<z - p, v - p>."""
    return float(np.max((members - projected) @ (projected - point)))


@mistake(
    variational_slack,
    "Your angle is taken at the point outside. At which corner of the triangle is the angle obtuse?",
)
def angle_at_the_point(point: Vector, projected: Vector, members: Matrix) -> float:
    """max of <z - v, p - v>, which is positive for the true projection of every v outside C."""
    return float(np.max((members - point) @ (projected - point)))
