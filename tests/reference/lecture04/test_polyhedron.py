"""Dykstra's algorithm: quadratic programs, closed forms, and what goes wrong without the corrections."""

import numpy as np
import pytest
import scipy.optimize

from reference.lecture04.polyhedron import (
    alternating_projections,
    averaged_projections,
    half_spaces,
    hildreth,
    project_intersection,
    project_polyhedron,
    shared_correction,
)
from reference.lecture04.problems import nearest_point_of_a_wedge
from reference.lecture04.projections import project_box, project_hyperplane, project_simplex
from reference.quantities import distance
from reference.variants import Kind, example_of, variants

PROBLEM = nearest_point_of_a_wedge()
WEDGE, START = half_spaces(PROBLEM.data["A"], PROBLEM.data["b"]), PROBLEM.x0


def quadratic_program(v, A, b):
    found = scipy.optimize.minimize(
        lambda x: 0.5 * np.sum((x - v) ** 2),
        np.zeros(len(v)),
        jac=lambda x: x - v,
        method="SLSQP",
        constraints=[{"type": "ineq", "fun": lambda x: b - A @ x, "jac": lambda x: -A}],
        options={"ftol": 1e-15, "maxiter": 500},
    )
    return found.x


@pytest.mark.parametrize("seed", range(6))
def test_polyhedron_agrees_with_a_quadratic_program(seed):
    rng = np.random.default_rng(seed)
    A, b, v = rng.standard_normal((6, 3)), rng.uniform(0.1, 1, 6), 3 * rng.standard_normal(3)
    projected = project_polyhedron(v, A, b, 2000)
    np.testing.assert_allclose(projected, quadratic_program(v, A, b), atol=1e-6)
    assert np.max(A @ projected - b) <= 1e-6
    np.testing.assert_allclose(hildreth(v, A, b, 2000), projected, atol=1e-12)


def test_simplex_as_an_intersection():
    v = np.array([0.5, 1.2, -0.3, 0.1])
    sets = [lambda x: project_hyperplane(x, np.ones(4), 1.0), lambda x: project_box(x, 0.0, np.inf)]
    iterates = project_intersection(sets, v, 60)
    np.testing.assert_allclose(iterates[-1], project_simplex(v), atol=1e-9)


def test_rows_are_sweeps_and_the_start_is_left():
    v = np.array([2, 1])
    iterates = project_intersection(WEDGE, v, 3)
    assert iterates.shape == (4, 2)
    assert iterates.dtype == np.float64
    np.testing.assert_array_equal(iterates[0], v)
    assert project_intersection(WEDGE, v, 0).shape == (1, 2)


def test_one_set_is_projected_in_one_sweep():
    iterates = project_intersection(WEDGE[1:], START, 2)
    np.testing.assert_allclose(iterates[1:], [[0.25, 1.75], [0.25, 1.75]], atol=1e-15)
    np.testing.assert_allclose(shared_correction(WEDGE[1:], START, 2), iterates, atol=1e-15)  # invisible


def test_error_is_halved_in_each_sweep_on_the_wedge():
    """The squared cosine of the angle between the two normals, 45 degrees, is 1/2."""
    distances = distance(project_intersection(WEDGE, START, 20), PROBLEM)
    np.testing.assert_allclose(distances[1:], distances[1] * 0.5 ** np.arange(20), rtol=1e-9)
    assert PROBLEM.minimum == pytest.approx(2.125)


def test_without_corrections_the_limit_is_feasible_and_not_nearest():
    wrong = alternating_projections(WEDGE, START, 50)[-1]
    np.testing.assert_allclose(wrong, [1.25, 0.75], atol=1e-12)
    assert np.all(PROBLEM.data["A"] @ wrong <= PROBLEM.data["b"] + 1e-12)
    np.testing.assert_allclose(averaged_projections(WEDGE, START, 50)[-1], [0.8125, 1.0], atol=1e-9)
    np.testing.assert_allclose(shared_correction(WEDGE, START, 50)[-1], [0.25, 1.75], atol=1e-9)


def test_a_shared_correction_has_another_limit():
    rng = np.random.default_rng(0)
    deviations = []
    for _ in range(10):
        v = 2 * rng.standard_normal(2)
        right, wrong = project_intersection(WEDGE, v, 300)[-1], shared_correction(WEDGE, v, 300)[-1]
        deviations.append(np.linalg.norm(wrong - right))
    assert max(deviations) > 0.1


def test_affine_sets_need_no_corrections():
    planes = [
        lambda x: project_hyperplane(x, np.array([1.0, 2.0, 0.0]), 1.0),
        lambda x: project_hyperplane(x, np.array([0.0, 1.0, -1.0]), 2.0),
    ]
    v = np.array([3.0, -1.0, 2.0])
    np.testing.assert_allclose(alternating_projections(planes, v, 20), project_intersection(planes, v, 20), atol=1e-13)


def test_example():
    shown = example_of(project_intersection)
    arguments = {name: value(PROBLEM) if callable(value) else value for name, value in shown.arguments.items()}
    distances = distance(project_intersection(**arguments), PROBLEM)
    assert distances[0] > 2
    assert distances[-1] < 1e-8


def test_sentences():
    listed = variants(project_intersection, Kind.MISTAKE)
    assert len(listed) == 3
    assert all(v.sentence.startswith("You") and v.sentence.endswith((".", "?")) for v in listed)
