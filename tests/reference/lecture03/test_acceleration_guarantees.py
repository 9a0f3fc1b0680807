"""Every theorem holds along its algorithm, is attained where it is tight, and is refused or fails elsewhere."""

import inspect
from dataclasses import replace

import numpy as np
import pytest

from reference.lecture02.gradient_descent import gradient_descent
from reference.lecture03 import heavy_ball as hb
from reference.lecture03 import nesterov_convex as nc
from reference.lecture03 import nesterov_strongly_convex as ns
from reference.lecture03 import newton as nt
from reference.lecture03 import preconditioned_gradient_descent as pg
from reference.lecture03.anderson_acceleration import anderson_acceleration
from reference.lecture03.anderson_acceleration import bound_quadratic as bound_anderson
from reference.lecture03.heavy_ball import heavy_ball
from reference.lecture03.heavy_ball_matrix import heavy_ball_closed_form
from reference.lecture03.heavy_ball_tuning import heavy_ball_tuning_notes, heavy_ball_tuning_slides
from reference.lecture03.nesterov import nesterov
from reference.lecture03.nesterov_convex import nesterov_convex
from reference.lecture03.nesterov_convex_three_sequences import nesterov_convex_three_sequences
from reference.lecture03.nesterov_strongly_convex import nesterov_strongly_convex
from reference.lecture03.nesterov_strongly_convex_three_sequences import nesterov_strongly_convex_three_sequences
from reference.lecture03.newton import newton
from reference.lecture03.preconditioned_gradient_descent import preconditioned_gradient_descent
from reference.lecture03.preconditioning import effective_constants
from reference.lecture03.problems import (
    cycle_of_heavy_ball,
    five_curvatures,
    flat_bowl,
    random_regularized_logistic,
    shifted_valley,
    softplus_bowl,
    steep_walls,
    valley,
    worst_convex,
    worst_strongly_convex,
)
from reference.lecture03.quantities import (
    gradient_norm,
    lyapunov_convex,
    lyapunov_strongly_convex,
    preconditioned_distance,
)
from reference.problems import (
    quadratic,
    random_least_squares,
    random_logistic,
    random_quadratic,
    sine_plus_line,
    smooth_plateau,
    two_sided_parabola,
)
from reference.quantities import distance, gap
from reference.variants import example_of, guarantees

ROUNDING = 1e-12

QUADRATICS = [
    valley(),
    steep_walls(),
    five_curvatures(),
    shifted_valley(),
    *(random_quadratic(dimension=6, smoothness=3.0, strong_convexity=0.05, seed=seed) for seed in range(3)),
    random_least_squares(rows=20, columns=5, condition=100, seed=1),
    worst_strongly_convex(50.0, 1.0, 12),
]
STRONGLY_CONVEX = [
    *QUADRATICS,
    softplus_bowl(),
    two_sided_parabola(),
    cycle_of_heavy_ball(),
    *(random_regularized_logistic(rows=40, columns=4, regularization=0.03, seed=seed) for seed in range(2)),
]
CONVEX = [
    *STRONGLY_CONVEX,
    flat_bowl(),
    smooth_plateau(),
    worst_convex(8.0, 10),
    *(random_logistic(rows=60, columns=4, seed=seed) for seed in range(2)),
]
P = np.diag([1 / 20, 1 / 2])
WITH_PRECONDITIONER = [replace(p, data={**p.data, "preconditioner": P}) for p in (valley(), steep_walls())]


def interior(fraction):
    def parameters(L, mu):
        root = max(np.sqrt(0.9), (1 - np.sqrt(mu / L)) / (1 + np.sqrt(mu / L)) + 0.02)
        lower, upper = (1 - root) ** 2 / mu, (1 + root) ** 2 / L
        return (lower + fraction * (upper - lower), root**2)

    return parameters


SETTINGS = [
    (heavy_ball, hb.bound_tuning_notes, QUADRATICS, heavy_ball_tuning_notes),
    (heavy_ball, hb.bound_tuning_slides, QUADRATICS, heavy_ball_tuning_slides),
    *((heavy_ball, hb.bound_interval, QUADRATICS, interior(fraction)) for fraction in (0.05, 0.5, 0.95)),
    (nesterov_convex, nc.bound_convex, CONVEX, lambda L, mu: (L,)),
    (nesterov_convex, nc.bound_convex, CONVEX, lambda L, mu: (2.5 * L,)),
    (nesterov_convex, nc.bound_lyapunov, CONVEX, lambda L, mu: (L,)),
    (nesterov_strongly_convex, ns.bound_strongly_convex, STRONGLY_CONVEX, lambda L, mu: (L, mu)),
    (nesterov_strongly_convex, ns.bound_strongly_convex, STRONGLY_CONVEX, lambda L, mu: (1.5 * L, 0.4 * mu)),
    (nesterov_strongly_convex, ns.bound_lyapunov, STRONGLY_CONVEX, lambda L, mu: (L, mu)),
    *(
        (anderson_acceleration, bound_anderson, QUADRATICS, lambda L, mu, m=m, f=f: (f / L, m))
        for m, f in [(0, 1.0), (1, 1.0), (3, 1.0), (5, 0.5), (3, 1.6)]
    ),
    *((newton, nt.bound_quadratic, QUADRATICS, lambda L, mu, g=g: (g,)) for g in (0.3, 1.0, 1.7)),
    (newton, nt.bound_local, [softplus_bowl()], lambda L, mu: (1.0,)),
    *(
        (preconditioned_gradient_descent, bound, WITH_PRECONDITIONER, lambda L, mu, g=g: (P, g))
        for bound in (pg.bound_distance, pg.bound_gap)
        for g in (0.02, 0.1, 0.19)
    ),
]


def run(algorithm, problem, parameters, num_steps):
    oracles = {"gradient": problem.gradient, "hessian": problem.hessian, "x0": problem.x0}
    first = [oracles[name] for name in inspect.signature(algorithm).parameters if name in oracles]
    return algorithm(*first, *parameters, num_steps)


def slack(algorithm, bound, problem, parameters, num_steps):
    """bound minus quantity, (K+1,): nowhere negative where the theorem holds."""
    quantity = {theorem.bound: theorem.quantity for theorem in guarantees(algorithm)}[bound]
    iterates = run(algorithm, problem, parameters, num_steps)
    return bound(problem, *parameters, num_steps) - quantity(iterates, problem)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: f"{s[0].__name__}-{s[1].__name__}")
def test_holds_along_the_run(setting):
    algorithm, bound, problems, parameters = setting
    for problem in problems:
        values = parameters(problem.smoothness, problem.strong_convexity)
        left = slack(algorithm, bound, problem, values, 80)
        assert left.shape == (81,)
        assert left.min() >= -ROUNDING, problem.name
        assert bound(problem, *values, 0).shape == (1,)


@pytest.mark.parametrize(
    ("algorithm", "quantities"),
    [
        (heavy_ball, {"bound_tuning_notes": distance, "bound_tuning_slides": distance, "bound_interval": distance}),
        (nesterov_convex, {"bound_convex": gap, "bound_lyapunov": lyapunov_convex}),
        (nesterov_strongly_convex, {"bound_strongly_convex": gap, "bound_lyapunov": lyapunov_strongly_convex}),
        (anderson_acceleration, {"bound_quadratic": gradient_norm}),
        (newton, {"bound_quadratic": distance, "bound_local": distance}),
        (preconditioned_gradient_descent, {"bound_distance": preconditioned_distance, "bound_gap": gap}),
    ],
)
def test_what_each_theorem_bounds(algorithm, quantities):
    assert {theorem.bound.__name__: theorem.quantity for theorem in guarantees(algorithm)} == quantities


def test_every_bound_has_the_arguments_of_its_algorithm():
    for algorithm, bound, _, _ in SETTINGS:
        names = [n for n in inspect.signature(algorithm).parameters if n not in ("gradient", "hessian", "x0")]
        assert list(inspect.signature(bound).parameters) == ["problem", *names]


# Golden numbers.


def test_convex_bound_on_the_valley():
    bound = nc.bound_convex(valley(), 20.0, 40)
    np.testing.assert_allclose(
        [bound[k] for k in (1, 2, 5, 10, 20, 40)], [1010, 448.9, 112.2, 33.39, 9.161, 2.403], rtol=5e-4
    )


def test_potential_on_the_valley_shrinks_faster_than_the_theorem_says():
    problem = valley()
    iterates = nesterov_strongly_convex(problem.gradient, problem.x0, 20.0, 1.0, 40)
    potential = lyapunov_strongly_convex(iterates, problem)
    assert (potential[1:] / potential[:-1]).max() == pytest.approx(0.7386, abs=5e-5)
    assert 1 - np.sqrt(1 / 20) == pytest.approx(0.7764, abs=5e-5)


def test_bound_of_the_notes_is_loose_on_the_valley():
    gamma, beta = heavy_ball_tuning_notes(20, 1)
    problem = valley()
    ratio = hb.bound_tuning_notes(problem, gamma, beta, 100) / distance(
        heavy_ball(problem.gradient, problem.x0, gamma, beta, 100), problem
    )
    assert ratio.min() > 10


# Along the run, step by step.


@pytest.mark.parametrize("problem", CONVEX, ids=lambda problem: problem.name)
def test_convex_potential_never_increases_after_the_first_step(problem):
    iterates = nesterov_convex(problem.gradient, problem.x0, problem.smoothness, 60)
    potential = lyapunov_convex(iterates, problem)
    assert (np.diff(potential)[1:] <= ROUNDING * potential[0]).all()


@pytest.mark.parametrize("problem", STRONGLY_CONVEX, ids=lambda problem: problem.name)
def test_strongly_convex_potential_shrinks_in_every_step(problem):
    L, mu = problem.smoothness, problem.strong_convexity
    iterates = nesterov_strongly_convex(problem.gradient, problem.x0, L, mu, 60)
    potential = lyapunov_strongly_convex(iterates, problem)
    assert (potential[1:] <= (1 - np.sqrt(mu / L)) * potential[:-1] + 1e-14).all()


def test_third_sequence_recovered_from_the_iterates_is_the_one_of_the_method():
    problem = softplus_bowl()
    L, mu = problem.smoothness, 1.0
    x, _, v = nesterov_convex_three_sequences(problem.gradient, problem.x0, L, 30)
    k = np.arange(1.0, 32)
    by_hand = gap(x, problem) * (k + 0) ** 2 / (4 * L) + np.sum((v - problem.minimizer) ** 2, axis=1) / 2
    np.testing.assert_allclose(lyapunov_convex(x, problem), by_hand, rtol=0, atol=1e-12)
    x, _, v = nesterov_strongly_convex_three_sequences(problem.gradient, problem.x0, L, mu, 30)
    by_hand = gap(x, problem) + mu / 2 * np.sum((v - problem.minimizer) ** 2, axis=1)
    np.testing.assert_allclose(lyapunov_strongly_convex(x, problem), by_hand, rtol=0, atol=1e-13)


# Tight examples.


def test_slides_bound_is_attained_along_the_eigenvector_of_L():
    problem = quadratic(np.diag([20.0, 1.0]), np.array([1.0, 2.0]), np.array([4.0, 2.0]))
    left = slack(heavy_ball, hb.bound_tuning_slides, problem, heavy_ball_tuning_slides(20.0, 1.0), 60)
    np.testing.assert_allclose(left, 0, atol=1e-13)


def test_slides_bound_covers_every_curvature_between_mu_and_L():
    L, mu = 50.0, 1.0
    gamma, beta = heavy_ball_tuning_slides(L, mu)
    rho, k = np.sqrt(beta), np.arange(61)
    for curvature in np.linspace(mu, L, 101):
        error = heavy_ball_closed_form(np.array([[curvature]]), np.ones(1), gamma, beta, 60)[:, 0]
        assert (np.abs(error) <= (1 + (1 + rho) * k) * rho**k + 1e-14).all()


def test_rate_that_the_slides_state_without_the_factor_k_does_not_hold_for_any_constant():
    L, mu = 20.0, 1.0
    gamma, beta = heavy_ball_tuning_slides(L, mu)
    problem = quadratic(np.diag([L, mu]), np.zeros(2), np.array([1.0, 0.0]))
    ratio = distance(heavy_ball(problem.gradient, problem.x0, gamma, beta, 400), problem) / beta ** (np.arange(401) / 2)
    assert (np.diff(ratio) > 1.5).all()


def test_constant_of_the_notes_is_exact_for_the_stacked_errors_of_the_worst_start():
    """||P|| ||P^{-1}|| of a block from its eigenvectors, numerically."""
    L, mu = 20.0, 1.0
    gamma, beta = heavy_ball_tuning_notes(L, mu)
    norms, inverses = [], []
    for curvature in (L, mu):
        block = np.array([[1 + beta - gamma * curvature, -beta], [1.0, 0.0]])
        roots = np.linalg.eigvals(block)
        vectors = np.array([roots, np.ones(2)])
        norms.append(np.linalg.norm(vectors, 2))
        inverses.append(np.linalg.norm(np.linalg.inv(vectors), 2))
    expected = np.sqrt(2) * max(norms) * max(inverses)
    assert hb.heavy_ball_constant(L, mu, gamma, beta) == pytest.approx(expected)


def test_nesterov_stays_within_a_constant_of_its_convex_bound_on_the_worst_function():
    problem = worst_convex(8.0, 25)
    iterates = nesterov_convex(problem.gradient, problem.x0, 8.0, 25)
    ratio = nc.bound_convex(problem, 8.0, 25) / gap(iterates, problem)
    assert 1 < ratio[25] < 8


def test_strongly_convex_rate_is_within_a_factor_of_two_in_the_exponent_on_the_worst_function():
    """On quadratics the distance falls like k (1-q)^k, so the gap like its square; the theorem has (1-q)^k for it."""
    problem = worst_strongly_convex(400.0, 1.0, 200)
    iterates = nesterov_strongly_convex(problem.gradient, problem.x0, 400.0, 1.0, 100)
    slope = np.polyfit(np.arange(20, 101), np.log(gap(iterates, problem)[20:]), 1)[0]
    assert 1 <= slope / np.log(1 - 1 / 20) < 2.2


def test_anderson_bound_is_attained_without_memory_and_in_the_first_step():
    problem = quadratic(np.diag([20.0, 1.0]), np.zeros(2), np.array([0.0, 3.0]))
    for memory, num_steps in [(0, 40), (3, 1)]:
        np.testing.assert_allclose(
            slack(anderson_acceleration, bound_anderson, problem, (1 / 20, memory), num_steps), 0, atol=1e-14
        )


def test_newton_bound_on_quadratics_is_attained():
    for gamma in (0.3, 1.0, 1.6):
        np.testing.assert_allclose(slack(newton, nt.bound_quadratic, five_curvatures(), (gamma,), 40), 0, atol=1e-13)


def test_preconditioned_bounds_are_attained_along_the_slowest_eigenvector():
    problem = replace(steep_walls(), x0=np.array([0.0, 2.0]), data={**steep_walls().data, "preconditioner": P})
    for bound in (pg.bound_distance, pg.bound_gap):
        left = slack(preconditioned_gradient_descent, bound, problem, (P, 1.0), 40)
        np.testing.assert_allclose(left, 0, atol=1e-14)
    np.testing.assert_allclose(effective_constants(problem.data["hessian"], P), (1, 1 / 2), rtol=1e-14)


# Broken conditions.


def test_heavy_ball_beyond_quadratics_breaks_the_bound():
    problem = cycle_of_heavy_ball()
    iterates = heavy_ball(problem.gradient, problem.x0, 1 / 9, 4 / 9, 60)
    rho, k = 2 / 3, np.arange(61)
    bound = (1 + (1 + rho) * k) * rho**k * 3.3
    assert distance(iterates, problem)[60] > 1e6 * bound[60]
    with pytest.raises(ValueError, match="a quadratic f"):
        hb.bound_tuning_slides(problem, 1 / 9, 4 / 9, 60)


def test_step_outside_the_interval_breaks_the_bound():
    problem = valley()
    gamma, beta = heavy_ball_tuning_notes(20.0, 1.0)
    bound = hb.bound_tuning_notes(problem, gamma, beta, 100)
    for other in (0.5 * (1 - np.sqrt(beta)) ** 2, 1.05 * (1 + np.sqrt(beta)) ** 2 / 20):
        assert (distance(heavy_ball(problem.gradient, problem.x0, other, beta, 100), problem) > 10 * bound).any()


def test_too_small_a_smoothness_constant_breaks_nesterov():
    problem = random_quadratic(5, 3.0, 0.1, seed=1)
    wrong = 0.7 * problem.smoothness
    iterates = nesterov_convex(problem.gradient, problem.x0, wrong, 200)
    assert (gap(iterates, problem) > nc.bound_convex(problem, problem.smoothness, 200)).any()
    iterates = nesterov_strongly_convex(problem.gradient, problem.x0, wrong, 0.1, 200)
    assert (gap(iterates, problem) > ns.bound_strongly_convex(problem, problem.smoothness, 0.1, 200)).any()


def test_too_large_a_strong_convexity_constant_breaks_the_rate():
    problem = valley()
    iterates = nesterov_strongly_convex(problem.gradient, problem.x0, 20.0, 10.0, 100)
    claimed = (1 - np.sqrt(10 / 20)) ** np.arange(101) * (60 + 5 * 101)
    assert gap(iterates, problem)[100] > 1e6 * claimed[100]


def test_gradient_descent_is_too_slow_for_the_accelerated_bounds():
    problem = worst_strongly_convex(400.0, 1.0, 100)
    iterates = gradient_descent(problem.gradient, problem.x0, 1 / 400, 300)
    assert (gap(iterates, problem) > ns.bound_strongly_convex(problem, 400.0, 1.0, 300)).any()
    wide = worst_convex(8.0, 300)
    plain = gap(gradient_descent(wide.gradient, wide.x0, 1 / 8, 600), wide)
    assert plain[600] > nc.bound_convex(wide, 8.0, 600)[600] * 1.2


def test_newton_far_from_the_minimizer_is_not_covered():
    problem = replace(softplus_bowl(), x0=np.array([3.0, 3.0]))
    with pytest.raises(ValueError, match="a start"):
        nt.bound_local(problem, 1.0, 5)


@pytest.mark.parametrize(
    ("bound", "problem", "parameters", "sentence"),
    [
        (hb.bound_tuning_notes, valley(), (0.06, 0.6679), "gamma = 1/L"),
        (hb.bound_tuning_notes, quadratic(np.eye(2), np.zeros(2), np.ones(2)), (1.0, 0.25), "mu < L"),
        (hb.bound_tuning_notes, softplus_bowl(), heavy_ball_tuning_notes(softplus_bowl().smoothness, 1.0), "quadratic"),
        (hb.bound_tuning_notes, flat_bowl(), (1.0, 0.5), "strongly convex"),
        (hb.bound_tuning_slides, valley(), heavy_ball_tuning_notes(20.0, 1.0), "gamma = 4/"),
        (hb.bound_interval, valley(), heavy_ball_tuning_slides(20.0, 1.0), "< gamma <"),
        (hb.bound_interval, valley(), (0.05, 1.0), "0 < beta < 1"),
        (hb.bound_interval, valley(), (0.05, -0.1), "0 < beta < 1"),
        (nc.bound_convex, valley(), (19.0,), "smoothness constant"),
        (nc.bound_convex, sine_plus_line(), (10.0,), "a convex f"),
        (nc.bound_lyapunov, valley(), (21.0,), "smoothness constant"),
        (nc.bound_lyapunov, sine_plus_line(), (float(np.pi**2),), "a convex f"),
        (ns.bound_strongly_convex, flat_bowl(), (1.0, 0.1), "strongly convex"),
        (ns.bound_strongly_convex, valley(), (20.0, 1.1), "strong convexity constant"),
        (ns.bound_strongly_convex, valley(), (20.0, 0.0), "strong convexity constant"),
        (ns.bound_strongly_convex, valley(), (19.0, 1.0), "smoothness constant"),
        (ns.bound_lyapunov, valley(), (21.0, 1.0), "smoothness constant"),
        (ns.bound_lyapunov, valley(), (20.0, 0.9), "strong convexity constant"),
        (bound_anderson, valley(), (0.1, 3), "gamma < 2/L"),
        (bound_anderson, softplus_bowl(), (0.05, 3), "a quadratic f"),
        (nt.bound_quadratic, valley(), (2.0,), "gamma < 2"),
        (nt.bound_quadratic, softplus_bowl(), (1.0,), "a quadratic f"),
        (nt.bound_local, softplus_bowl(), (0.9,), "gamma = 1"),
        (nt.bound_local, valley(), (1.0,), "Lipschitz constant"),
        (pg.bound_distance, valley(), (P, 0.1), "preconditioner P"),
        (pg.bound_gap, valley(), (P, 0.2), "gamma < 2/L_P"),
        (pg.bound_gap, softplus_bowl(), (P, 0.1), "a quadratic f"),
    ],
)
def test_broken_condition_is_said_with_the_name_of_the_problem(bound, problem, parameters, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        bound(problem, *parameters, 5)
    assert problem.name in str(caught.value)


@pytest.mark.parametrize(
    ("quantity", "name"),
    [
        (gradient_norm, "gradient norm ||grad f(x_k)||"),
        (
            preconditioned_distance,
            "distance to the minimiser in the norm of the preconditioner, ((x_k - x*)^T P^{-1} (x_k - x*))^(1/2)",
        ),
        (lyapunov_convex, "Lyapunov function E_k = (f(x_k) - f*) / (L theta_k^2) + 1/2 ||v_k - x*||^2"),
        (lyapunov_strongly_convex, "Lyapunov function Phi_k = f(x_k) - f* + mu/2 ||v_k - x*||^2"),
    ],
)
def test_name_that_a_student_reads(quantity, name):
    assert quantity.__doc__.splitlines()[0] == name


def test_quantities_on_a_path_worked_by_hand():
    problem = replace(valley(), data={**valley().data, "preconditioner": np.diag([4.0, 0.25])})
    iterates = np.array([[10.0, 1.0], [6.0, -1.0]])
    np.testing.assert_allclose(gradient_norm(iterates, problem), [np.sqrt(500), np.sqrt(436)])
    np.testing.assert_allclose(preconditioned_distance(iterates, problem), [np.sqrt(29), np.sqrt(13)])
    # theta = 2, 1: E_0 = 60/80 + 101/2, E_1 = 28/20 + 37/2 with v_1 = x_1
    np.testing.assert_allclose(lyapunov_convex(iterates, problem), [51.25, 19.9])
    v = np.array([10.0, 1.0]) + np.sqrt(20) * np.array([-4.0, -2.0])
    np.testing.assert_allclose(lyapunov_strongly_convex(iterates, problem), [110.5, 28 + v @ v / 2])


# The standard examples.


@pytest.mark.parametrize(
    ("algorithm", "theorems"),
    [
        (heavy_ball, {"bound_tuning_notes", "bound_interval"}),
        (nesterov, set()),
        (nesterov_convex, {"bound_convex", "bound_lyapunov"}),
        (nesterov_strongly_convex, {"bound_strongly_convex", "bound_lyapunov"}),
        (anderson_acceleration, {"bound_quadratic"}),
        (preconditioned_gradient_descent, {"bound_gap"}),
        (newton, {"bound_local"}),
    ],
)
def test_standard_example_shows_convergence_and_the_theorems_that_apply(algorithm, theorems):
    shown = example_of(algorithm)
    problem = shown.problem()
    arguments = [value(problem) if callable(value) else value for value in shown.arguments.values()]
    names = [n for n in inspect.signature(algorithm).parameters if n not in ("gradient", "hessian", "x0")]
    assert list(shown.arguments) == names
    values = shown.quantity(run(algorithm, problem, arguments[:-1], arguments[-1]), problem)
    assert values[-1] < 0.1 * values[0]
    applicable = set()
    for theorem in guarantees(algorithm):
        try:
            bound = theorem.bound(problem, *arguments)
        except ValueError:
            continue
        applicable.add(theorem.bound.__name__)
        assert bound.shape == values.shape
    assert applicable == theorems
