"""Euclidean projections with a closed form: box, orthant, balls, hyperplane, half-space, simplex, l1 ball.

Problem     P_C[v] = the point z of C that is nearest to v, min ||z - v|| over C; C closed, convex, not empty.
Algorithm   box           {lower <= x <= upper}        max(lower, min(v, upper)), coordinate by coordinate
            orthant       {x >= 0}                     max(v, 0)
            linf ball     {||x - c||_inf <= r}         c + max(-r, min(v - c, r))
            l2 ball       {||x - c||_2 <= r}           c + (v - c) min(1, r / ||v - c||)
            hyperplane    {<u, x> = eta}               v + (eta - <u, v>) u / ||u||^2
            half-space    {<u, x> <= eta}              v - max(<u, v> - eta, 0) u / ||u||^2
            simplex       {x >= 0, sum x_i = r}        max(v - theta, 0), where theta makes the sum r
            l1 ball       {||x||_1 <= r}               v inside; else sign(v) P_simplex[|v|], the simplex of radius r
Guarantee   p = P_C[v] exists, is unique, and is the only p in C with <z - p, v - p> <= 0 for every z in C.
            v -> P_C[v] is non-expansive: ||P_C[v] - P_C[w]|| <= ||v - w||.
Cost        O(d); simplex and l1 ball O(d log d) for the sort.
References  Lecture 4, part I, slides 4-8; notes ch. 3 (Projected GD), Lemmas 2.1-2.3 and sec. 3: box and hyperplane.
            Slide 8 names the simplex and the l1 ball and cites Duchi, Shalev-Shwartz, Singer, Chandra 2008 for the
            algorithm; the other sets are standard literature.
Catalogue   project_box, project_nonneg, project_linf_ball, project_l2_ball, project_hyperplane, project_simplex,
            project_l1_ball
Witness     scipy.optimize (the projection as a quadratic program); the variational inequality at all vertices

No function changes its argument. Sets without a closed form are in `polyhedron`, the properties that all projections
share in `projection_properties`.
"""

from __future__ import annotations

import numpy as np

from reference.problem import Vector
from reference.variants import equivalent, mistake


def project_box(v: Vector, lower: Vector | float, upper: Vector | float) -> Vector:
    """Projection onto {x: lower <= x <= upper}: max(lower, min(v, upper)).

    Args:
        v: point, any shape.
        lower: eta1, a number or one for each coordinate; may be -inf.
        upper: eta2, a number or one for each coordinate; may be inf.

    Raises:
        ValueError: where the box is empty.
    """
    if np.any(np.asarray(lower) > upper):
        raise ValueError("The box is empty: a lower bound is larger than its upper bound.")
    return np.maximum(lower, np.minimum(np.array(v, dtype=np.float64), upper))


def project_nonneg(v: Vector) -> Vector:
    """Projection onto the non-negative orthant {x: x >= 0}: max(v, 0). The box with bounds 0 and inf."""
    return np.maximum(np.array(v, dtype=np.float64), 0.0)


def project_linf_ball(v: Vector, radius: float = 1.0, center: Vector | float = 0.0) -> Vector:
    """Projection onto {x: ||x - c||_inf <= r}: the box from c - r to c + r.

    Args:
        v: point, any shape.
        radius: r > 0.
        center: c, the origin if left out.

    Raises:
        ValueError: unless r > 0.
    """
    _require_positive(radius)
    middle = np.asarray(center, dtype=np.float64)
    return project_box(v, middle - radius, middle + radius)


def project_l2_ball(v: Vector, radius: float = 1.0, center: Vector | float = 0.0) -> Vector:
    """Projection onto {x: ||x - c||_2 <= r}: c + (v - c) min(1, r/||v - c||).

    Args:
        v: point, (d,); or a batch (n, d), of which each row is projected.
        radius: r > 0.
        center: c, the origin if left out.

    Raises:
        ValueError: unless r > 0.
    """
    _require_positive(radius)
    direction = v - np.asarray(center, dtype=np.float64)
    length = np.linalg.norm(direction, axis=-1, keepdims=True)
    point: Vector = center + direction * (radius / np.maximum(length, radius))
    return point


def project_hyperplane(v: Vector, normal: Vector, offset: float) -> Vector:
    """Projection onto {x: <u, x> = eta}: v + (eta - <u, v>) u / ||u||^2.

    Args:
        v: point, (d,).
        normal: u, (d,), not 0; of any length.
        offset: eta.

    Raises:
        ValueError: where u = 0.
    """
    _require_normal(normal)
    return v + (offset - normal @ v) / (normal @ normal) * normal


def project_halfspace(v: Vector, normal: Vector, offset: float) -> Vector:
    """Projection onto {x: <u, x> <= eta}: v - max(<u, v> - eta, 0) u / ||u||^2.

    Args:
        v: point, (d,).
        normal: u, (d,), not 0; it points out of the half-space.
        offset: eta.

    Raises:
        ValueError: where u = 0.
    """
    _require_normal(normal)
    return v - max(float(normal @ v) - offset, 0.0) / (normal @ normal) * normal


def project_simplex(v: Vector, radius: float = 1.0) -> Vector:
    """Projection onto {x: x >= 0, x_1 + ... + x_d = r}, the probability simplex for r = 1.

    It is max(v - theta, 0) with the one theta that makes the sum r. With v sorted, u_1 >= ... >= u_d, the positive
    coordinates are the first rho, rho = max{j: u_j - theta_j > 0}, theta_j = (u_1 + ... + u_j - r) / j, and
    theta = theta_rho (Duchi et al. 2008).

    Args:
        v: point, (d,), d >= 1.
        radius: r > 0.

    Raises:
        ValueError: unless r > 0.
    """
    _require_positive(radius)
    # A constant added to all of v does not move the projection. With largest entry 0 nothing cancels.
    v = v - np.max(v)
    u = np.sort(v)[::-1]
    thetas = (np.cumsum(u) - radius) / np.arange(1, len(u) + 1)
    rho = np.count_nonzero(u > thetas)  # true for the first rho, false for the others
    point: Vector = np.maximum(v - thetas[rho - 1], 0.0)
    return point


def project_l1_ball(v: Vector, radius: float = 1.0) -> Vector:
    """Projection onto {x: ||x||_1 <= r}: v itself inside, else sign(v) times the projection of |v| onto the simplex.

    Outside it is the soft-threshold of v at the theta that makes the norm r.

    Args:
        v: point, (d,).
        radius: r > 0.

    Raises:
        ValueError: unless r > 0.
    """
    _require_positive(radius)
    v = np.array(v, dtype=np.float64)
    if np.sum(np.abs(v)) <= radius:
        return v
    return np.sign(v) * project_simplex(np.abs(v), radius)


def _require_positive(radius: float) -> None:
    """ValueError unless r > 0."""
    if not radius > 0:
        raise ValueError(f"The radius must be positive, not {radius:g}.")


def _require_normal(normal: Vector) -> None:
    """ValueError where u = 0."""
    if not np.any(normal):
        raise ValueError("The normal vector u is 0, which does not define a hyperplane.")


# The box.


@equivalent(project_box)
def box_lower_bound_first(v: Vector, lower: Vector | float, upper: Vector | float) -> Vector:
    """min(max(v, lower), upper): the order does not matter where lower <= upper."""
    return np.minimum(np.maximum(np.array(v, dtype=np.float64), lower), upper)


@equivalent(project_box)
def box_by_clip(v: Vector, lower: Vector | float, upper: Vector | float) -> Vector:
    """np.clip."""
    return np.clip(np.array(v, dtype=np.float64), lower, upper)


@equivalent(project_box)
def box_by_cases(v: Vector, lower: Vector | float, upper: Vector | float) -> Vector:
    """The lower bound below it, the upper bound above it, v between them."""
    return np.where(v < lower, lower, np.where(v > upper, upper, np.array(v, dtype=np.float64)))


@mistake(
    project_box,
    "Your result is the same for every point. Which of the two bounds goes with the maximum?",
)
def box_swapped_bounds(v: Vector, lower: Vector | float, upper: Vector | float) -> Vector:
    """max(upper, min(v, lower)) = upper, whatever v is."""
    return np.maximum(upper, np.minimum(np.array(v, dtype=np.float64), lower))


@mistake(
    project_box,
    "Your result respects one side of the box only. Try a point below the lower bound.",
)
def box_upper_bound_only(v: Vector, lower: Vector | float, upper: Vector | float) -> Vector:
    """min(v, upper). Invisible where no coordinate is below its lower bound."""
    return np.minimum(np.array(v, dtype=np.float64), upper)


@mistake(
    project_box,
    "Your point lies in the box, but a negative coordinate comes out as if it had been positive. "
    "Which point of the box is nearest to it?",
)
def box_of_absolute_values(v: Vector, lower: Vector | float, upper: Vector | float) -> Vector:
    """max(lower, min(|v|, upper)). Invisible where v >= 0."""
    return np.maximum(lower, np.minimum(np.abs(np.array(v, dtype=np.float64)), upper))


@mistake(
    project_box,
    "Your coordinates outside the box come back as 0. Which value of the interval is nearest to each?",
)
def box_violations_to_zero(v: Vector, lower: Vector | float, upper: Vector | float) -> Vector:
    """0 wherever v is out of its bounds. Invisible inside, and below a lower bound 0."""
    v = np.array(v, dtype=np.float64)
    return np.where((v < lower) | (v > upper), 0.0, v)


@mistake(
    project_box,
    "Your coordinates outside the box come back in the middle of it. Which value of the interval is nearest to each?",
)
def box_violations_to_midpoint(v: Vector, lower: Vector | float, upper: Vector | float) -> Vector:
    """(lower + upper)/2 wherever v is out of its bounds. Invisible inside."""
    v = np.array(v, dtype=np.float64)
    return np.where((v < lower) | (v > upper), (np.asarray(lower) + upper) / 2, v)


@mistake(
    project_box,
    "Your point lies in the box because all of it is moved and scaled to fit; coordinates that were fine have changed. "
    "Projecting is not rescaling.",
)
def box_by_rescaling(v: Vector, lower: Vector | float, upper: Vector | float) -> Vector:
    """The range of v mapped to the box, (v - min v)/(max v - min v). Invisible where v touches both bounds."""
    v = np.array(v, dtype=np.float64)
    width = np.ptp(v)
    share = (v - np.min(v)) / width if width > 0 else np.zeros_like(v)
    return lower + share * (np.asarray(upper) - lower)


@mistake(
    project_box,
    "Your point is divided by its largest entry, which moves coordinates that were inside their bounds.",
)
def box_by_largest_entry(v: Vector, lower: Vector | float, upper: Vector | float) -> Vector:
    """v / max |v_i|, then clipped. Invisible where the largest entry is 1."""
    v = np.array(v, dtype=np.float64)
    largest = np.max(np.abs(v))
    return np.clip(v / largest if largest > 0 else v, lower, upper)


@mistake(
    project_box,
    "Your result is right, but the point that you were given has changed too. "
    "Whoever calls your function still needs it.",
)
def box_in_place(v: Vector, lower: Vector | float, upper: Vector | float) -> Vector:
    """The right result, written into v itself."""
    return np.clip(v, lower, upper, out=v)


# The non-negative orthant.


@equivalent(project_nonneg)
def nonneg_by_absolute_value(v: Vector) -> Vector:
    """(v + |v|) / 2."""
    return (v + np.abs(v)) / 2


@equivalent(project_nonneg)
def nonneg_by_mask(v: Vector) -> Vector:
    """v where it is positive, else 0."""
    return np.where(v > 0, np.array(v, dtype=np.float64), 0.0)


@mistake(
    project_nonneg,
    "Your negative coordinates come back with the other sign. Which non-negative number is nearest to -2?",
)
def nonneg_absolute_value(v: Vector) -> Vector:
    """|v|. Invisible where v >= 0."""
    return np.abs(np.array(v, dtype=np.float64))


@mistake(
    project_nonneg,
    "Your result moves every coordinate, also those that were positive: the whole point is shifted until it fits.",
)
def nonneg_by_shift(v: Vector) -> Vector:
    """v - min(v_1, ..., v_d, 0). Invisible where v >= 0."""
    return np.array(v, dtype=np.float64) - min(float(np.min(v)), 0.0)


@mistake(
    project_nonneg,
    "Your result is 0 as soon as one coordinate is negative. Coordinates do not wait for each other here.",
)
def nonneg_all_or_nothing(v: Vector) -> Vector:
    """v where all of it is non-negative, else 0."""
    return np.array(v, dtype=np.float64) if np.min(v) >= 0 else np.zeros(np.shape(v))


# The linf ball.


@equivalent(project_linf_ball)
def linf_ball_by_overshoot(v: Vector, radius: float = 1.0, center: Vector | float = 0.0) -> Vector:
    """v minus what sticks out: v - sign(v - c) max(|v - c| - r, 0)."""
    direction = v - np.asarray(center, dtype=np.float64)
    point: Vector = v - np.sign(direction) * np.maximum(np.abs(direction) - radius, 0.0)
    return point


@equivalent(project_linf_ball)
def linf_ball_around_zero(v: Vector, radius: float = 1.0, center: Vector | float = 0.0) -> Vector:
    """The ball around the origin, moved to c: c + max(-r, min(v - c, r))."""
    return center + np.clip(v - np.asarray(center, dtype=np.float64), -radius, radius)


@mistake(
    project_linf_ball,
    "Your result has no coordinate below the centre. The ball reaches to both sides of it.",
)
def linf_ball_one_sided(v: Vector, radius: float = 1.0, center: Vector | float = 0.0) -> Vector:
    """c + max(0, min(v - c, r)). Invisible where v >= c."""
    return center + np.clip(v - np.asarray(center, dtype=np.float64), 0.0, radius)


@mistake(
    project_linf_ball,
    "Your result is always a corner of the ball, also for points inside it. What should happen to those?",
)
def linf_ball_always_corner(v: Vector, radius: float = 1.0, center: Vector | float = 0.0) -> Vector:
    """c + r sign(v - c). Invisible where every coordinate sticks out."""
    return center + radius * np.sign(v - np.asarray(center, dtype=np.float64))


@mistake(
    project_linf_ball,
    "Your point is scaled until its largest coordinate fits, which shrinks the coordinates that were fine. "
    "Projecting is not rescaling.",
)
def linf_ball_by_rescaling(v: Vector, radius: float = 1.0, center: Vector | float = 0.0) -> Vector:
    """c + (v - c) min(1, r/||v - c||_inf). Invisible inside, and in one dimension."""
    direction = v - np.asarray(center, dtype=np.float64)
    return center + direction * (radius / max(float(np.max(np.abs(direction))), radius))


@mistake(
    project_linf_ball,
    "Your result has a Euclidean length below the radius: that is another ball. Which norm is bounded here?",
)
def linf_ball_in_the_l2_norm(v: Vector, radius: float = 1.0, center: Vector | float = 0.0) -> Vector:
    """The projection onto the l2 ball. Invisible inside that, and in one dimension."""
    return project_l2_ball(v, radius, center)


@mistake(
    project_linf_ball,
    "Your result is near the origin wherever the ball is. Where is its centre?",
)
def linf_ball_center_forgotten(v: Vector, radius: float = 1.0, center: Vector | float = 0.0) -> Vector:
    """The ball around 0. Invisible where c = 0."""
    return np.clip(np.array(v, dtype=np.float64), -radius, radius)


# The l2 ball.


@equivalent(project_l2_ball)
def l2_ball_by_cases(v: Vector, radius: float = 1.0, center: Vector | float = 0.0) -> Vector:
    """v inside the ball; outside, the point at distance r from c in the direction of v. Row by row for a batch."""
    v, middle = np.array(v, dtype=np.float64), np.broadcast_to(center, np.shape(v))
    if v.ndim > 1:
        return np.array([l2_ball_by_cases(row, radius, c) for row, c in zip(v, middle, strict=True)])
    length = np.linalg.norm(v - middle)
    return v if length <= radius else middle + radius * (v - middle) / length


@mistake(
    project_l2_ball,
    "Your result always lies on the sphere, also for points inside it. Which point of the ball is nearest to those?",
)
def l2_ball_always_normalized(v: Vector, radius: float = 1.0, center: Vector | float = 0.0) -> Vector:
    """c + r (v - c)/||v - c||; nan at the centre. Invisible outside the ball."""
    direction = v - np.asarray(center, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        point: Vector = center + radius * direction / np.linalg.norm(direction, axis=-1, keepdims=True)
        return point


@mistake(
    project_l2_ball,
    "Your point moves the right way and too far: the further outside it was, the nearer it comes to the centre. "
    "How long is your result?",
)
def l2_ball_norm_squared(v: Vector, radius: float = 1.0, center: Vector | float = 0.0) -> Vector:
    """c + (v - c) min(1, r/||v - c||^2). Invisible where ||v - c|| = 1, and well inside."""
    direction = v - np.asarray(center, dtype=np.float64)
    squared = np.sum(direction**2, axis=-1, keepdims=True)
    point: Vector = center + direction * (radius / np.maximum(squared, radius))
    return point


@mistake(
    project_l2_ball,
    "Your result bounds each coordinate for itself: that is a cube. Which length is bounded here?",
)
def l2_ball_coordinatewise(v: Vector, radius: float = 1.0, center: Vector | float = 0.0) -> Vector:
    """c + max(-r, min(v - c, r)). Invisible inside, and along the axes."""
    return project_linf_ball(v, radius, center)


@mistake(
    project_l2_ball,
    "Your result is near the origin wherever the ball is. Where is its centre?",
)
def l2_ball_center_forgotten(v: Vector, radius: float = 1.0, center: Vector | float = 0.0) -> Vector:
    """The ball around 0. Invisible where c = 0."""
    return project_l2_ball(v, radius)


@mistake(
    project_l2_ball,
    "Your result is right for one point. In a batch the points disturb each other: over which axis is the norm taken?",
)
def l2_ball_norm_of_the_batch(v: Vector, radius: float = 1.0, center: Vector | float = 0.0) -> Vector:
    """One norm for the whole array. Invisible for a single point."""
    direction = v - np.asarray(center, dtype=np.float64)
    return center + direction * (radius / max(float(np.linalg.norm(direction)), radius))


@mistake(
    project_l2_ball,
    "Your result is right for one point. In a batch the points disturb each other: over which axis is the norm taken?",
)
def l2_ball_norm_of_the_columns(v: Vector, radius: float = 1.0, center: Vector | float = 0.0) -> Vector:
    """One norm for each coordinate, over the batch. Invisible for a single point."""
    direction = v - np.asarray(center, dtype=np.float64)
    point: Vector = center + direction * (radius / np.maximum(np.linalg.norm(direction, axis=0), radius))
    return point


@mistake(
    project_l2_ball,
    "You return how far the point is from the ball. The question asks for the nearest point itself.",
)
def l2_ball_distance(v: Vector, radius: float = 1.0, center: Vector | float = 0.0) -> Vector:
    """max(||v - c|| - r, 0), a number."""
    direction = v - np.asarray(center, dtype=np.float64)
    point: Vector = np.maximum(np.linalg.norm(direction, axis=-1) - radius, 0.0)
    return point


# The hyperplane.


@equivalent(project_hyperplane)
def hyperplane_unit_normal(v: Vector, normal: Vector, offset: float) -> Vector:
    """With n = u/||u||: v minus n times the signed distance <n, v> - eta/||u||."""
    length = np.linalg.norm(normal)
    unit = normal / length
    return v - float(unit @ v - offset / length) * unit


@equivalent(project_hyperplane)
def hyperplane_affine_map(v: Vector, normal: Vector, offset: float) -> Vector:
    """(I - u u^T/||u||^2) v + eta u/||u||^2."""
    squared = normal @ normal
    return (np.eye(len(normal)) - np.outer(normal, normal) / squared) @ v + offset / squared * normal


@mistake(
    project_hyperplane,
    "Your point moves along the normal, but not to the hyperplane unless the normal has length 1. "
    "Put your result into the equation of the hyperplane.",
)
def hyperplane_norm_not_squared(v: Vector, normal: Vector, offset: float) -> Vector:
    """v + (eta - <u, v>) u / ||u||. Invisible where ||u|| = 1."""
    return v + (offset - normal @ v) / np.linalg.norm(normal) * normal


@mistake(
    project_hyperplane,
    "Your point moves away from the hyperplane: its distance doubles. On which side of it does the point lie?",
)
def hyperplane_wrong_sign(v: Vector, normal: Vector, offset: float) -> Vector:
    """v - (eta - <u, v>) u / ||u||^2. Invisible on the hyperplane."""
    return v - (offset - normal @ v) / (normal @ normal) * normal


@mistake(
    project_hyperplane,
    "Your result adds one number to all coordinates. In which direction does one leave a hyperplane?",
)
def hyperplane_direction_forgotten(v: Vector, normal: Vector, offset: float) -> Vector:
    """v + (eta - <u, v>) / ||u||^2, without the vector u. Invisible where u = (1, ..., 1)."""
    return v + (offset - normal @ v) / (normal @ normal)


@mistake(
    project_hyperplane,
    "Your result lies on the parallel hyperplane through the origin.",
)
def hyperplane_through_the_origin(v: Vector, normal: Vector, offset: float) -> Vector:
    """v - <u, v> u / ||u||^2. Invisible where eta = 0."""
    return v - normal @ v / (normal @ normal) * normal


@mistake(
    project_hyperplane,
    "Your step to the hyperplane has the wrong length: it is divided by the length of another vector. "
    "Put your result into the equation of the hyperplane.",
)
def hyperplane_norm_of_the_point(v: Vector, normal: Vector, offset: float) -> Vector:
    """v + (eta - <u, v>) u / ||v||^2. Invisible where ||v|| = ||u||, and on the hyperplane."""
    return v + (offset - normal @ v) / (v @ v) * normal


# The half-space.


@equivalent(project_halfspace)
def halfspace_by_cases(v: Vector, normal: Vector, offset: float) -> Vector:
    """v inside; outside, its projection onto the hyperplane."""
    v = np.array(v, dtype=np.float64)
    return v if normal @ v <= offset else project_hyperplane(v, normal, offset)


@mistake(
    project_halfspace,
    "Your result always lies on the boundary, also for points inside. Which point of the set is nearest to those?",
)
def halfspace_always_boundary(v: Vector, normal: Vector, offset: float) -> Vector:
    """The projection onto the hyperplane. Invisible outside."""
    return project_hyperplane(v, normal, offset)


@mistake(
    project_halfspace,
    "Your points inside the half-space move and those outside stay. Which of the two violate the inequality?",
)
def halfspace_other_side(v: Vector, normal: Vector, offset: float) -> Vector:
    """The projection onto {<u, x> >= eta}. Invisible on the boundary."""
    return v - min(float(normal @ v) - offset, 0.0) / (normal @ normal) * normal


@mistake(
    project_halfspace,
    "Your point moves along the normal, but not to the boundary unless the normal has length 1. "
    "Put your result into the inequality.",
)
def halfspace_norm_not_squared(v: Vector, normal: Vector, offset: float) -> Vector:
    """v - max(<u, v> - eta, 0) u / ||u||. Invisible where ||u|| = 1, and inside."""
    return v - max(float(normal @ v) - offset, 0.0) / np.linalg.norm(normal) * normal


# The simplex.


@equivalent(project_simplex)
def simplex_by_bisection(v: Vector, radius: float = 1.0) -> Vector:
    """theta by bisection: sum_i max(v_i - theta, 0) falls from at least r, at max v - r, to 0, at max v."""
    v = v - np.max(v)
    low, high = -radius, 0.0
    for _ in range(60):
        theta = (low + high) / 2
        low, high = (theta, high) if np.sum(np.maximum(v - theta, 0.0)) > radius else (low, theta)
    return np.maximum(v - (low + high) / 2, 0.0)


@equivalent(project_simplex)
def simplex_by_elimination(v: Vector, radius: float = 1.0) -> Vector:
    """No sort: theta from all coordinates that are left, those not above it leave, until none does (Michelot 1986)."""
    v = v - np.max(v)
    left = v
    while True:
        theta = (np.sum(left) - radius) / len(left)
        if np.all(left > theta):
            return np.maximum(v - theta, 0.0)
        left = left[left > theta]


@equivalent(project_simplex)
def simplex_by_pivot(v: Vector, radius: float = 1.0) -> Vector:
    """Quickselect for rho, O(d) on average with random pivots (Duchi et al. 2008); here the pivot is the middle one."""
    v = v - np.max(v)
    candidates, count, total = v, 0, 0.0
    while len(candidates):
        pivot = candidates[len(candidates) // 2]
        above = candidates[candidates >= pivot]
        if total + np.sum(above) - (count + len(above)) * pivot < radius:
            count, total = count + len(above), total + float(np.sum(above))
            candidates = candidates[candidates < pivot]
        else:
            candidates = candidates[candidates > pivot]
    return np.maximum(v - (total - radius) / count, 0.0)


@equivalent(project_simplex)
def simplex_weak_inequality(v: Vector, radius: float = 1.0) -> Vector:
    """rho = max{j: u_j - theta_j >= 0}: where u_j = theta_j, theta_j = theta_{j-1}, and the result is the same."""
    v = v - np.max(v)
    u = np.sort(v)[::-1]
    thetas = (np.cumsum(u) - radius) / np.arange(1, len(u) + 1)
    point: Vector = np.maximum(v - thetas[np.flatnonzero(u >= thetas)[-1]], 0.0)
    return point


@mistake(
    project_simplex,
    "Your result is non-negative with the right sum, but it is not the nearest such point: "
    "after clipping, all coordinates are scaled by one factor.",
)
def simplex_clip_and_normalize(v: Vector, radius: float = 1.0) -> Vector:
    """r max(v, 0) / sum max(v, 0); nan where no coordinate is positive. Invisible where the clipped point has sum r."""
    clipped = np.maximum(np.array(v, dtype=np.float64), 0.0)
    with np.errstate(invalid="ignore"):
        point: Vector = radius * clipped / np.sum(clipped)
        return point


@mistake(
    project_simplex,
    "Your result is positive everywhere, and a point that is already in the simplex moves. "
    "A softmax gives weights, not the nearest point.",
)
def simplex_softmax(v: Vector, radius: float = 1.0) -> Vector:
    """r exp(v) / sum exp(v). Invisible where all coordinates are equal."""
    weights = np.exp(v - np.max(v))
    point: Vector = radius * weights / np.sum(weights)
    return point


@mistake(
    project_simplex,
    "Your sums start from the smallest coordinates. Which coordinates stay positive?",
)
def simplex_ascending_sort(v: Vector, radius: float = 1.0) -> Vector:
    """The rule for rho applied to u_1 <= ... <= u_d. Invisible where all coordinates are equal, and for d = 1."""
    u = np.sort(np.array(v, dtype=np.float64))
    thetas = (np.cumsum(u) - radius) / np.arange(1, len(u) + 1)
    point: Vector = np.maximum(v - thetas[np.flatnonzero(u > thetas)[-1]], 0.0)
    return point


@mistake(
    project_simplex,
    "Your support is found rightly, but the sum of your result is not the radius. "
    "How many coordinates does the sum run over when counting starts at 0?",
)
def simplex_count_off_by_one(v: Vector, radius: float = 1.0) -> Vector:
    """theta divided by rho - 1, the index of the last positive coordinate. -inf or nan for theta where rho = 1."""
    u = np.sort(np.array(v, dtype=np.float64))[::-1]
    sums = np.cumsum(u)
    last = np.flatnonzero(u * np.arange(1, len(u) + 1) > sums - radius)[-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        point: Vector = np.maximum(v - (sums[last] - radius) / last, 0.0)
        return point


@mistake(
    project_simplex,
    "Your result is non-negative, but its sum is too large: what was subtracted was meant for all coordinates, "
    "and some of them were clipped afterwards.",
)
def simplex_shift_and_clip(v: Vector, radius: float = 1.0) -> Vector:
    """max(v - (sum v - r)/d, 0): the projection onto the hyperplane, clipped. Invisible where nothing is clipped."""
    return np.maximum(v - (np.sum(v) - radius) / len(v), 0.0)


@mistake(
    project_simplex,
    "Your result is non-negative, but its sum is too large: you correct the threshold once. "
    "What if further coordinates become negative then?",
)
def simplex_one_correction(v: Vector, radius: float = 1.0) -> Vector:
    """Elimination stopped after one round. Invisible where one round is enough."""
    left = v[v > (np.sum(v) - radius) / len(v)]
    theta = (np.sum(left) - radius) / len(left) if len(left) else np.max(v) - radius
    return np.maximum(v - theta, 0.0)


@mistake(
    project_simplex,
    "Your result has the sum 1 whatever radius is asked for.",
)
def simplex_radius_forgotten(v: Vector, radius: float = 1.0) -> Vector:
    """The probability simplex. Invisible where r = 1."""
    return project_simplex(v)


# The l1 ball.


@equivalent(project_l1_ball)
def l1_ball_by_bisection(v: Vector, radius: float = 1.0) -> Vector:
    """The soft-threshold whose norm is r: sum_i max(|v_i| - theta, 0) falls as theta grows."""
    magnitudes = np.abs(np.array(v, dtype=np.float64))
    low, high = 0.0, float(np.max(magnitudes))
    if np.sum(magnitudes) <= radius:
        high = 0.0
    for _ in range(100):
        theta = (low + high) / 2
        low, high = (theta, high) if np.sum(np.maximum(magnitudes - theta, 0.0)) > radius else (low, theta)
    return np.sign(v) * np.maximum(magnitudes - (low + high) / 2, 0.0)


@equivalent(project_l1_ball)
def l1_ball_scaled_to_one(v: Vector, radius: float = 1.0) -> Vector:
    """Outside: r sign(v) P[|v|/r] with the probability simplex."""
    if np.sum(np.abs(v)) <= radius:
        return np.array(v, dtype=np.float64)
    return radius * np.sign(v) * project_simplex(np.abs(v) / radius)


@mistake(
    project_l1_ball,
    "Your result has the right norm, but it is not the nearest such point: all coordinates are scaled by one factor.",
)
def l1_ball_by_rescaling(v: Vector, radius: float = 1.0) -> Vector:
    """v min(1, r/||v||_1). Invisible inside, along the axes, and where all |v_i| are equal."""
    v = np.array(v, dtype=np.float64)
    return v * (radius / max(float(np.sum(np.abs(v))), radius))


@mistake(
    project_l1_ball,
    "Your result always lies on the boundary, also for points inside. Which point of the ball is nearest to those?",
)
def l1_ball_always_boundary(v: Vector, radius: float = 1.0) -> Vector:
    """sign(v) P_simplex[|v|], without a look at ||v||_1. Invisible outside."""
    return np.sign(v) * project_simplex(np.abs(v), radius)


@mistake(
    project_l1_ball,
    "Your result has no negative coordinates. The ball is symmetric: where did the signs go?",
)
def l1_ball_signs_lost(v: Vector, radius: float = 1.0) -> Vector:
    """P_simplex[|v|] outside. Invisible where v >= 0."""
    if np.sum(np.abs(v)) <= radius:
        return np.array(v, dtype=np.float64)
    return project_simplex(np.abs(v), radius)


@mistake(
    project_l1_ball,
    "Your coordinates shrink by the radius. The radius is the norm that the result should have: "
    "by how much must they shrink for that?",
)
def l1_ball_radius_as_threshold(v: Vector, radius: float = 1.0) -> Vector:
    """sign(v) max(|v| - r, 0) outside."""
    v = np.array(v, dtype=np.float64)
    if np.sum(np.abs(v)) <= radius:
        return v
    return np.sign(v) * np.maximum(np.abs(v) - radius, 0.0)


@mistake(
    project_l1_ball,
    "Your threshold shares the excess equally among all coordinates. Small coordinates cannot give their share: "
    "what is the norm of your result?",
)
def l1_ball_equal_shares(v: Vector, radius: float = 1.0) -> Vector:
    """Soft-threshold at (||v||_1 - r)/d. Invisible where no coordinate becomes 0."""
    v = np.array(v, dtype=np.float64)
    excess = max(float(np.sum(np.abs(v))) - radius, 0.0)
    return np.sign(v) * np.maximum(np.abs(v) - excess / len(v), 0.0)
