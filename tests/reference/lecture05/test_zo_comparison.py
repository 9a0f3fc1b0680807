"""Forward differences against the sphere: the bounds side by side, and what the methods pay."""

import numpy as np
import pytest

from reference.lecture05 import comparison as module
from reference.lecture05 import zo_gd_forward_difference as forward
from reference.lecture05 import zo_gd_sphere as sphere
from reference.lecture05 import zo_gd_sphere_vanishing as sphere_vanishing
from reference.lecture05 import zo_gd_vanishing_difference as forward_vanishing
from reference.lecture05.black_box import BlackBox
from reference.lecture05.comparison import Effort, Method, bound_gap, bound_mean_squared_gradient, effort
from reference.lecture05.problems import ladder
from reference.lecture05.quadratic_moments import expected_squared_gradients, sphere_mean_squares
from reference.lecture05.quantities import initial_gap
from reference.lecture05.sphere_sampling import sample_sphere
from reference.lecture05.zo_gd_vanishing_difference import inverse_taus
from reference.problems import random_quadratic
from reference.quantities import mean_squared_gradient
from reference.variants import Kind, variants

PROBLEMS = [ladder(), random_quadratic(9, 3.0, 0.2, seed=1)]


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_bounds_are_those_of_the_methods(problem):
    d, L, mu, D, K, tau = len(problem.x0), problem.smoothness, problem.strong_convexity, initial_gap(problem), 50, 0.2
    taus = inverse_taus(tau, K)
    R2 = float(np.sum(taus**2))
    for method, constant, vanishing, step in [
        (Method.FORWARD, forward, forward_vanishing, 1 / L),
        (Method.SPHERE, sphere, sphere_vanishing, 1 / (4 * d * L)),
    ]:
        assert bound_mean_squared_gradient(method, L, d, D, K, tau=tau) == pytest.approx(
            constant.bound_nonconvex(problem, step, tau, K)[K], rel=1e-13
        )
        assert bound_mean_squared_gradient(method, L, d, D, K, squared_sum=R2) == pytest.approx(
            vanishing.bound_nonconvex(problem, step, taus, K)[K], rel=1e-13
        )
        assert bound_gap(method, L, mu, d, D, K, tau) == pytest.approx(
            constant.bound_strongly_convex(problem, step, tau, K)[K], rel=1e-13
        )


def test_golden_numbers():
    assert bound_mean_squared_gradient(Method.FORWARD, 10, 2, 5.5, 10, tau=0.1) == pytest.approx(10.5)
    assert bound_mean_squared_gradient(Method.FORWARD, 10, 2, 5.5, 100, tau=0.1) == pytest.approx(1.58910891)
    R2 = 0.01 * np.pi**2 / 6
    assert bound_mean_squared_gradient(Method.FORWARD, 10, 2, 5.5, 100, squared_sum=R2) == pytest.approx(1.0972521488)
    assert bound_mean_squared_gradient(Method.SPHERE, 8, 8, 18, 500, tau=0.5) == pytest.approx(100.79, abs=5e-3)
    assert bound_gap(Method.SPHERE, 8, 1, 8, 18, 500, 0.5) == pytest.approx(38.77, abs=5e-3)


def test_queries_of_a_step():
    problem, box = ladder(), BlackBox(ladder().value)
    forward.zo_gd_forward_difference(box, problem.x0, 0.1, 0.1, 10)
    assert box.queries == 10 * effort(Method.FORWARD, 8, 8, 18, 1.0).queries_per_step
    box = BlackBox(problem.value)
    sphere.zo_gd_sphere(box, problem.x0, 0.01, 0.1, sample_sphere(10, 8, np.random.default_rng(0)), 10)
    assert box.queries == 10 * effort(Method.SPHERE, 8, 8, 18, 1.0).queries_per_step


def test_effort_of_both_methods_is_of_the_same_order():
    assert effort(Method.FORWARD, 8, 8, 18, 0.5) == Effort(queries_per_step=9, steps=576, queries=5184)
    assert effort(Method.SPHERE, 8, 8, 18, 0.5) == Effort(queries_per_step=2, steps=36864, queries=73728)
    for d in (10, 1000):
        ratio = effort(Method.SPHERE, 8, d, 18, 0.5).queries / effort(Method.FORWARD, 8, d, 18, 0.5).queries
        assert ratio == pytest.approx(16 * d / (d + 1), rel=1e-6)


def test_measured_on_the_ladder_the_sphere_needs_more_queries_to_the_same_accuracy():
    """Expectations, exactly; the fewest steps after which the mean of the squared gradient norms is at most 2."""
    problem, tau, K = ladder(), 1e-3, 5000
    path = forward.zo_gd_forward_difference(problem.value, problem.x0, 1 / 8, tau, 200)
    forward_steps = int(np.argmax(mean_squared_gradient(path, problem) <= 2))
    A = problem.data["hessian"]
    squares = expected_squared_gradients(A, sphere_mean_squares(A, problem.x0, 1 / 256, np.full(K, tau), K))
    sphere_steps = int(np.argmax(np.cumsum(squares) / np.arange(1, K + 2) <= 2))
    assert forward_steps > 0
    assert sphere_steps > 8 * forward_steps
    assert 2 * sphere_steps > 9 * forward_steps


def test_few_dimensions_are_refused():
    with pytest.raises(ValueError, match="at least 8 dimensions, not 7"):
        bound_mean_squared_gradient(Method.SPHERE, 1, 7, 1, 10)
    with pytest.raises(ValueError, match="at least 8 dimensions"):
        bound_gap(Method.SPHERE, 1, 1, 7, 1, 10, 0.1)
    with pytest.raises(ValueError, match="at least 8 dimensions"):
        effort(Method.SPHERE, 1, 7, 1, 0.1)


def test_variants_of_the_bounds():
    arguments = (8.0, 8, 18.0, 100)
    for method, factor in [(Method.FORWARD, 4), (Method.SPHERE, 2)]:
        first = bound_mean_squared_gradient(method, *arguments)
        for floor in ({"tau": 0.5}, {"squared_sum": 0.3}):
            slides = module.bound_of_the_slides(method, *arguments, **floor) - first
            right = bound_mean_squared_gradient(method, *arguments, **floor) - first
            assert slides == pytest.approx(factor * right)
    wrong = module.bound_with_same_first_term(Method.SPHERE, *arguments)
    assert wrong == pytest.approx(bound_mean_squared_gradient(Method.SPHERE, *arguments) / 64)
    assert module.bound_with_same_first_term(Method.FORWARD, *arguments) == pytest.approx(
        bound_mean_squared_gradient(Method.FORWARD, *arguments)
    )
    for variant in variants(bound_gap, Kind.MISTAKE):
        right, wrong = (f(Method.SPHERE, 8.0, 1.0, 8, 18.0, 100, 0.5) for f in (bound_gap, variant.function))
        assert wrong < 0.9 * right
    hidden = module.bound_gap_with_printed_floor(Method.FORWARD, 8.0, 1.0, 8, 18.0, 100, 0.5)
    assert hidden == pytest.approx(bound_gap(Method.FORWARD, 8.0, 1.0, 8, 18.0, 100, 0.5))
    hidden = module.bound_gap_with_constants_exchanged(Method.SPHERE, 8.0, 8.0, 8, 18.0, 100, 0.5)
    assert hidden == pytest.approx(bound_gap(Method.SPHERE, 8.0, 8.0, 8, 18.0, 100, 0.5))


def test_bound_with_the_first_term_of_forward_differences_is_violated_by_the_sphere():
    problem, K = ladder(), 20
    A = problem.data["hessian"]
    squares = expected_squared_gradients(A, sphere_mean_squares(A, problem.x0, 1 / 256, np.full(K, 0.01), K))
    assert squares.mean() > 5 * module.bound_with_same_first_term(Method.SPHERE, 8.0, 8, 18.0, K, tau=0.01)
