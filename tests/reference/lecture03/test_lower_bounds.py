"""Lower bounds on Nesterov's functions, the span of the gradients, and the table of complexities."""

from math import ceil, log, sqrt

import numpy as np
import pytest

from reference.lecture02.gradient_descent import gradient_descent
from reference.lecture03.anderson_acceleration import anderson_acceleration
from reference.lecture03.complexity_table import TABLE, steps_needed
from reference.lecture03.first_order_span import distance_to_span, is_first_order
from reference.lecture03.heavy_ball import heavy_ball
from reference.lecture03.lower_bounds import lower_bound_convex, lower_bound_strongly_convex
from reference.lecture03.nesterov import extrapolated_points, nesterov
from reference.lecture03.nesterov_convex import bound_convex, momentum_convex, nesterov_convex
from reference.lecture03.nesterov_strongly_convex import nesterov_strongly_convex
from reference.lecture03.newton import newton
from reference.lecture03.preconditioned_gradient_descent import preconditioned_gradient_descent
from reference.lecture03.problems import softplus_bowl, valley, worst_convex, worst_strongly_convex
from reference.problems import random_quadratic
from reference.quantities import distance, gap
from reference.variants import Kind, variants

METHODS = {
    "gradient descent": lambda p, K: gradient_descent(p.gradient, p.x0, 1 / p.smoothness, K),
    "heavy ball": lambda p, K: heavy_ball(p.gradient, p.x0, 1 / p.smoothness, 0.8, K),
    "Nesterov, convex": lambda p, K: nesterov_convex(p.gradient, p.x0, p.smoothness, K),
    "Nesterov, constant": lambda p, K: nesterov(p.gradient, p.x0, 1 / p.smoothness, 0.8, K),
    "Anderson": lambda p, K: anderson_acceleration(p.gradient, p.x0, 1 / p.smoothness, 4, K),
}


def radius(problem):
    return float(np.linalg.norm(problem.x0 - problem.minimizer))


def best_gap_over_span(problem, k):
    """min f - f* over the first k coordinates, which is the span of the gradients from x_0 = 0."""
    H, c = problem.data["hessian"], -problem.gradient(np.zeros(len(problem.x0)))
    x = np.zeros(len(c))
    x[:k] = np.linalg.solve(H[:k, :k], c[:k])
    return problem.value(x) - problem.minimum


# Convex.


@pytest.mark.parametrize(
    ("K", "lower", "best", "accelerated", "plain"),
    [
        (3, 0.10253906, 0.125, 0.27838135, 0.29394531),
        (10, 0.04240233, 0.04545455, 0.12900628, 0.19931680),
        (25, 0.01867959, 0.01923077, 0.05920188, 0.13838713),
    ],
)
def test_golden_on_the_worst_convex_function(K, lower, best, accelerated, plain):
    problem = worst_convex(8.0, K)
    found = [
        lower_bound_convex(8.0, radius(problem), K)[K],
        best_gap_over_span(problem, K),
        gap(METHODS["Nesterov, convex"](problem, K), problem)[K],
        gap(METHODS["gradient descent"](problem, K), problem)[K],
    ]
    np.testing.assert_allclose(found, [lower, best, accelerated, plain], atol=6e-9)
    assert best_gap_over_span(problem, K) == pytest.approx(8.0 / (16 * (K + 1)))


def test_upper_bound_on_the_worst_function_for_three_steps():
    problem = worst_convex(8.0, 3)
    assert radius(problem) ** 2 == pytest.approx(2.1875)
    assert bound_convex(problem, 8.0, 3)[3] == pytest.approx(2.1875)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("K", [1, 4, 12])
def test_no_method_beats_the_convex_bound_on_the_function_for_its_number_of_steps(name, K):
    problem = worst_convex(8.0, K)
    gaps = gap(METHODS[name](problem, K), problem)
    assert gaps[K] >= best_gap_over_span(problem, K) * (1 - 1e-12)
    assert gaps[K] >= lower_bound_convex(8.0, radius(problem), K)[K]


def test_convex_bound_is_nearly_attained_by_the_best_point_of_the_span():
    problem = worst_convex(8.0, 200)
    ratio = best_gap_over_span(problem, 200) / lower_bound_convex(8.0, radius(problem), 200)[200]
    assert 1 <= ratio < 1.01


def test_too_few_dimensions_break_the_convex_bound():
    """Theorem 5.1 is printed without a condition on the dimension: Anderson is exact after d+1 steps."""
    problem = worst_convex(8.0, 3)
    K = len(problem.x0) + 1
    gaps = gap(anderson_acceleration(problem.gradient, problem.x0, 1 / 8, K, K), problem)
    assert gaps[K] < 1e-3 * lower_bound_convex(8.0, radius(problem), K)[K]


# Strongly convex.


def test_golden_on_the_worst_strongly_convex_function():
    problem = worst_strongly_convex(100.0, 1.0, 60)
    steps = (5, 10, 20, 40)
    best = [best_gap_over_span(problem, k) for k in steps]
    np.testing.assert_allclose(best, [0.49444967, 0.06122828, 0.00109334, 3.5699e-7], rtol=1e-5)
    bound = lower_bound_strongly_convex(100.0, 1.0, radius(problem), 40)[list(steps)]
    np.testing.assert_allclose(bound, [0.13611102, 0.01829749, 3.3066e-4, 1.0799e-7], rtol=2e-5)


@pytest.mark.parametrize("name", METHODS)
def test_no_method_beats_the_strongly_convex_bound(name):
    """60 dimensions stand for infinitely many as long as rho^(2n) is small beside rho^(2k)."""
    problem = worst_strongly_convex(100.0, 1.0, 60)
    iterates = METHODS[name](problem, 40)
    assert (gap(iterates, problem) >= lower_bound_strongly_convex(100.0, 1.0, radius(problem), 40)).all()
    rho, k = 9 / 11, np.arange(41)
    squared = distance(iterates, problem) ** 2 / radius(problem) ** 2
    assert (squared >= (rho ** (2 * k) - rho**120) / (1 - rho**120) * (1 - 1e-12)).all()


def test_printed_exponent_is_violated_by_nesterovs_own_function():
    problem = worst_strongly_convex(100.0, 1.0, 60)
    printed = {v.identifier: v.function for v in variants(lower_bound_strongly_convex)}["printed_exponent"]
    bound = printed(100.0, 1.0, radius(problem), 20)
    assert bound[10] == pytest.approx(0.1361, abs=5e-5)
    assert best_gap_over_span(problem, 10) == pytest.approx(0.0612, abs=5e-5)
    assert all(best_gap_over_span(problem, k) < bound[k] for k in (10, 15, 20))


def test_upper_and_lower_bound_of_the_strongly_convex_class_enclose_nesterov():
    problem = worst_strongly_convex(100.0, 1.0, 60)
    gaps = gap(nesterov_strongly_convex(problem.gradient, problem.x0, 100.0, 1.0, 40), problem)
    lower = lower_bound_strongly_convex(100.0, 1.0, radius(problem), 40)
    upper = 0.9 ** np.arange(41) * (gaps[0] + radius(problem) ** 2 / 2)
    assert (lower <= gaps).all()
    assert (gaps <= upper).all()


# Mistakes of the bounds.


def test_mistakes_of_the_lower_bounds():
    convex = {v.identifier: v.function for v in variants(lower_bound_convex, Kind.MISTAKE)}
    assert set(convex) == {"one_step_off", "distance_not_squared", "inverted_constant"}
    right = lower_bound_convex(8.0, 3.0, 5)
    for function in convex.values():
        assert np.abs(function(8.0, 3.0, 5) / right - 1).min() > 0.3
    strong = {v.identifier: v.function for v in variants(lower_bound_strongly_convex, Kind.MISTAKE)}
    assert set(strong) == {"printed_exponent", "strongly_convex_distance_not_squared"}
    right = lower_bound_strongly_convex(8.0, 1.0, 3.0, 5)
    for function in strong.values():
        assert np.abs(function(8.0, 1.0, 3.0, 5) / right - 1)[1:].min() > 0.3


def test_distance_one_hides_the_missing_square():
    wrong = {v.identifier: v.function for v in variants(lower_bound_convex)}["distance_not_squared"]
    np.testing.assert_array_equal(wrong(8.0, 1.0, 5), lower_bound_convex(8.0, 1.0, 5))


def test_inverted_constant_is_above_what_nesterov_reaches():
    wrong = {v.identifier: v.function for v in variants(lower_bound_convex)}["inverted_constant"]
    problem = worst_convex(8.0, 10)
    assert (gap(METHODS["Nesterov, convex"](problem, 10), problem) < wrong(8.0, radius(problem), 10)).all()


# The span.


def gradients_of(run, problem, num_steps):
    """(iterates, gradients) with the gradients where the method asked for them."""
    asked = []
    watched = type(problem)(**{**vars(problem), "gradient": lambda x: asked.append(problem.gradient(x)) or asked[-1]})
    return run(watched, num_steps), np.array(asked)


@pytest.mark.parametrize("name", METHODS)
def test_first_order_methods_stay_in_the_span(name):
    problem = random_quadratic(12, 3.0, 0.1, seed=1)
    iterates, gradients = gradients_of(METHODS[name], problem, 8)
    assert is_first_order(iterates, gradients, 1e-9)


@pytest.mark.parametrize("name", METHODS)
def test_first_order_methods_fill_the_zero_chain_one_coordinate_a_step(name):
    problem = worst_convex(8.0, 10)
    for k, x in enumerate(METHODS[name](problem, 10)):
        np.testing.assert_array_equal(x[k:], 0)


def test_gradients_of_nesterov_belong_to_the_extrapolated_points():
    problem = random_quadratic(12, 3.0, 0.1, seed=1)
    iterates = METHODS["Nesterov, convex"](problem, 8)
    at_y = np.array([problem.gradient(y) for y in extrapolated_points(iterates, momentum_convex)])
    assert is_first_order(iterates, at_y, 1e-9)


def test_on_a_quadratic_the_gradients_at_the_iterates_span_the_same():
    """The Krylov spaces are nested there; on other functions they are not."""
    quadratic = random_quadratic(12, 3.0, 0.1, seed=1)
    iterates = METHODS["Nesterov, constant"](quadratic, 8)
    assert is_first_order(iterates, np.array([quadratic.gradient(x) for x in iterates[:-1]]), 1e-9)
    bent = type(quadratic)(**{**vars(quadratic), "gradient": lambda x: quadratic.gradient(x) + np.tanh(3 * x)})
    iterates = nesterov(bent.gradient, bent.x0, 0.15, 0.8, 8)
    assert not is_first_order(iterates, np.array([bent.gradient(x) for x in iterates[:-1]]), 1e-6)
    at_y = np.array([bent.gradient(y) for y in extrapolated_points(iterates, 0.8)])
    assert is_first_order(iterates, at_y, 1e-9)


def test_newton_preconditioning_and_coordinate_steps_leave_the_span():
    problem = random_quadratic(12, 3.0, 0.1, seed=1)
    P = np.diag(np.arange(1.0, 13.0)) / 40
    for run in (
        lambda p, K: newton(p.gradient, p.hessian, p.x0, 0.5, K),
        lambda p, K: preconditioned_gradient_descent(p.gradient, p.x0, P, 1.0, K),
    ):
        iterates, gradients = gradients_of(run, problem, 4)
        assert distance_to_span(iterates, gradients)[1] > 0.1
    sweep = [problem.x0]
    gradients = []
    for j in range(4):
        gradients.append(problem.gradient(sweep[-1]))
        sweep.append(sweep[-1] - np.eye(12)[j] * gradients[-1] / 3)
    assert distance_to_span(np.array(sweep), np.array(gradients))[1] > 0.1


def test_equivalent_of_the_span():
    (variant,) = variants(distance_to_span, Kind.EQUIVALENT)
    problem = random_quadratic(12, 3.0, 0.1, seed=1)
    for run in (METHODS["heavy ball"], lambda p, K: newton(p.gradient, p.hessian, p.x0, 0.5, K)):
        iterates, gradients = gradients_of(run, problem, 6)
        np.testing.assert_allclose(
            variant.function(iterates, gradients), distance_to_span(iterates, gradients), rtol=0, atol=1e-8
        )


def test_point_at_the_start_and_gradient_zero():
    iterates = np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 3.0]])
    np.testing.assert_array_equal(distance_to_span(iterates, np.zeros((2, 2))), [0, 0, 1])
    np.testing.assert_allclose(distance_to_span(iterates, np.array([[0.0, 0.0], [1.0, 1.0]])), [0, 0, sqrt(1 / 2)])


def test_mistakes_of_the_span():
    wrong = {v.identifier: v.function for v in variants(distance_to_span, Kind.MISTAKE)}
    assert set(wrong) == {"own_gradient_included", "start_not_subtracted"}
    problem = random_quadratic(12, 3.0, 0.1, seed=1)
    iterates, gradients = gradients_of(METHODS["gradient descent"], problem, 8)
    assert wrong["start_not_subtracted"](iterates, gradients)[1] > 0.1
    implicit = problem.x0 + np.cumsum([np.zeros(12), *(-gradients[1:6] / 3)], axis=0)  # steps along the next gradient
    assert distance_to_span(implicit, gradients)[1] > 0.01
    np.testing.assert_allclose(wrong["own_gradient_included"](implicit, gradients), 0, atol=1e-9)


def test_start_at_zero_hides_the_missing_subtraction():
    wrong = {v.identifier: v.function for v in variants(distance_to_span)}["start_not_subtracted"]
    iterates, gradients = gradients_of(METHODS["gradient descent"], worst_convex(8.0, 10), 6)
    np.testing.assert_allclose(wrong(iterates, gradients), distance_to_span(iterates, gradients), atol=1e-14)


# The table.

CONSTANTS = {
    "smoothness": 20.0,
    "strong_convexity": 1.0,
    "initial_distance": 10.0653,
    "initial_gap": 60.0107,
}  # no ties


def by_formula(method, setting, eps, smoothness, strong_convexity, initial_distance, initial_gap):
    """The bounds solved for k."""
    L, mu, R, gap0 = smoothness, strong_convexity, initial_distance, initial_gap
    rho = (sqrt(L) - sqrt(mu)) / (sqrt(L) + sqrt(mu))
    return ceil(
        {
            ("gradient descent", "non-convex"): lambda: 2 * L * gap0 / eps - 1,
            ("gradient descent", "convex"): lambda: 2 * L * R**2 / eps - 1,
            ("gradient descent", "strongly convex"): lambda: log(L * R**2 / (2 * eps)) / (2 * log((L + mu) / (L - mu))),
            ("Nesterov", "convex"): lambda: sqrt(2 * L / eps) * R - 1,
            ("Nesterov", "strongly convex"): lambda: log((gap0 + mu / 2 * R**2) / eps) / -log(1 - sqrt(mu / L)),
            ("heavy ball", "strongly convex"): lambda: (
                log(sqrt(L / (2 * eps)) * 20.2011356813 * R) / -log(0.817256002368)
            ),
            ("lower bound", "convex"): lambda: sqrt(3 * L / (32 * eps)) * R - 1,
            ("lower bound", "strongly convex"): lambda: log(mu * R**2 / (2 * eps)) / (-2 * log(rho)),
        }[method, setting]()
    )


WITH_CONSTANTS = sorted(set(TABLE) - {("Nesterov", "non-convex"), ("lower bound", "non-convex")})


@pytest.mark.parametrize(("method", "setting"), WITH_CONSTANTS)
@pytest.mark.parametrize("accuracy", [1.0, 1e-3, 1e-8])
def test_number_of_steps_is_the_bound_solved_for_k(method, setting, accuracy):
    assert steps_needed(method, setting, accuracy, **CONSTANTS) == by_formula(method, setting, accuracy, **CONSTANTS)


@pytest.mark.parametrize(("method", "setting"), [*WITH_CONSTANTS])
def test_no_step_is_needed_where_the_start_is_good_enough(method, setting):
    assert steps_needed(method, setting, 1e9, **CONSTANTS) == 0


@pytest.mark.parametrize(
    ("method", "setting"),
    [("Nesterov", "non-convex"), ("lower bound", "non-convex"), ("heavy ball", "convex"), ("Newton", "convex")],
)
def test_without_a_theorem_there_is_no_number(method, setting):
    with pytest.raises(ValueError, match=f"{method} on {setting}"):
        steps_needed(method, setting, 1e-3, **CONSTANTS)


def test_accuracy_is_positive():
    with pytest.raises(ValueError, match="positive"):
        steps_needed("Nesterov", "convex", 0.0, **CONSTANTS)


def test_runs_on_the_valley_need_no_more_steps_than_the_theorems_say():
    problem = valley()
    constants = CONSTANTS | {"initial_distance": radius(problem)}
    runs = {"Nesterov": 64, "heavy ball": 61, "gradient descent": 136}  # first k with f <= 1e-10
    for method, steps in runs.items():
        assert steps <= steps_needed(method, "strongly convex", 1e-10, **constants)
    lower = steps_needed("lower bound", "strongly convex", 1e-10, **constants)
    assert lower <= min(steps_needed(m, "strongly convex", 1e-10, **constants) for m in runs)


def test_how_the_numbers_of_steps_grow():
    def grown(method, setting, **changes):
        base = steps_needed(method, setting, 1e-6, **CONSTANTS)
        return steps_needed(method, setting, changes.pop("accuracy", 1e-6), **(CONSTANTS | changes)) / base

    assert grown("gradient descent", "convex", accuracy=1e-8) == pytest.approx(100, rel=1e-2)
    assert grown("Nesterov", "convex", accuracy=1e-8) == pytest.approx(10, rel=1e-2)
    assert grown("Nesterov", "convex", smoothness=2000.0) == pytest.approx(10, rel=1e-2)  # the root of L
    assert grown("lower bound", "convex", smoothness=2000.0) == pytest.approx(10, rel=1e-2)
    assert grown("gradient descent", "strongly convex", smoothness=2000.0) > 80
    assert 8 < grown("Nesterov", "strongly convex", smoothness=2000.0) < 15


def test_number_printed_on_the_slides_is_off_by_the_root_of_L():
    (printed,) = variants(steps_needed, Kind.MISTAKE)
    for method in ("Nesterov", "lower bound"):
        right = steps_needed(method, "convex", 1e-8, **CONSTANTS)
        assert printed.function(method, "convex", 1e-8, **CONSTANTS) / right == pytest.approx(sqrt(20), rel=1e-3)
        with_one = CONSTANTS | {"smoothness": 1.0}
        assert printed.function(method, "convex", 1e-8, **with_one) == steps_needed(method, "convex", 1e-8, **with_one)
    others = ("gradient descent", "convex", 1e-3)
    assert printed.function(*others, **CONSTANTS) == steps_needed(*others, **CONSTANTS)


def test_table_has_every_method_and_setting_of_the_course():
    assert {method for method, _ in TABLE} == {"gradient descent", "Nesterov", "heavy ball", "lower bound"}
    assert TABLE["Nesterov", "convex"].steps == TABLE["lower bound", "convex"].steps == "sqrt(L/eps)"
    assert [setting for method, setting in TABLE if method == "heavy ball"] == ["strongly convex"]


def test_softplus_bowl_is_solved_within_the_steps_of_the_theorem():
    problem = softplus_bowl()
    L, mu = problem.smoothness, 1.0
    start = problem.value(problem.x0) - problem.minimum
    steps = steps_needed("Nesterov", "strongly convex", 1e-9, L, mu, radius(problem), start)
    assert gap(nesterov_strongly_convex(problem.gradient, problem.x0, L, mu, steps), problem)[-1] <= 1e-9
