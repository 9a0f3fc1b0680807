"""Each theorem holds along gradient descent, is attained where it is tight, and fails where its condition does."""

from dataclasses import replace

import numpy as np
import pytest

from reference.lecture02.gradient_descent import (
    bound_contraction,
    bound_convex,
    bound_convex_any_step,
    bound_convex_mean,
    bound_convex_tight,
    bound_nonconvex,
    bound_nonconvex_any_step,
    bound_nonconvex_smallest,
    bound_strongly_convex,
    bound_strongly_convex_short_step,
    gradient_descent,
)
from reference.lecture02.quantities import mean_gap, smallest_squared_gradient
from reference.problems import (
    bowl,
    elongated_bowl,
    huber,
    least_squares,
    logistic,
    parabola,
    quadratic,
    random_least_squares,
    random_logistic,
    random_quadratic,
    sine_plus_line,
    sine_wave,
    smooth_plateau,
    two_sided_parabola,
)
from reference.quantities import distance, gap, mean_squared_gradient
from reference.variants import guarantees

QUANTITIES = {theorem.bound: theorem.quantity for theorem in guarantees(gradient_descent)}
ROUNDING = 1e-13
"""Absolute; the minimiser itself is not known better."""

STRONGLY_CONVEX = [
    *(random_least_squares(rows=20, columns=4, condition=10, seed=seed) for seed in range(3)),
    random_least_squares(rows=20, columns=4, condition=1e4, seed=3),
    *(random_quadratic(dimension=5, smoothness=3.0, strong_convexity=0.2, seed=seed) for seed in range(3)),
    parabola(),
    two_sided_parabola(),
    replace(two_sided_parabola(), x0=np.array([-2.8])),
    bowl(),
    elongated_bowl(),
]
CONVEX = [
    *STRONGLY_CONVEX,
    *(random_logistic(rows=60, columns=4, seed=seed) for seed in range(3)),
    smooth_plateau(),
    huber(0.1),
    least_squares(np.array([[1.0, 1.0], [2.0, 2.0], [0.0, 0.0]]), np.array([1.0, 2.0, 3.0]), x0=np.array([5.0, 0.0])),
]
NON_CONVEX = [*CONVEX, sine_plus_line(), sine_wave()]

SETTINGS = {
    bound_nonconvex: (NON_CONVEX, [lambda L, mu: 1 / L, lambda L, mu: 0.3 / L]),
    bound_convex: (CONVEX, [lambda L, mu: 1 / (2 * L)]),
    bound_strongly_convex: (STRONGLY_CONVEX, [lambda L, mu: 2 / (L + mu)]),
    bound_contraction: (STRONGLY_CONVEX, [lambda L, mu: 0.1 / L, lambda L, mu: 1 / L, lambda L, mu: 1.9 / L]),
    bound_convex_any_step: (CONVEX, [lambda L, mu: 0.1 / L, lambda L, mu: 0.5 / L, lambda L, mu: 0.95 / L]),
    bound_convex_tight: (CONVEX, [lambda L, mu: 0.1 / L, lambda L, mu: 0.5 / L, lambda L, mu: 1 / L]),
    bound_nonconvex_any_step: (NON_CONVEX, [lambda L, mu: 0.1 / L, lambda L, mu: 1 / L]),
    bound_strongly_convex_short_step: (
        STRONGLY_CONVEX,
        [lambda L, mu: 0.1 / L, lambda L, mu: 1 / L, lambda L, mu: 2 / (L + mu)],
    ),
    bound_convex_mean: (CONVEX, [lambda L, mu: 1 / (2 * L)]),
    bound_nonconvex_smallest: (NON_CONVEX, [lambda L, mu: 1 / L, lambda L, mu: 0.3 / L]),
}


def slack(bound, problem, learning_rate, num_steps=100):
    """bound minus quantity, (K+1,): nowhere negative where the theorem holds."""
    iterates = gradient_descent(problem.gradient, problem.x0, learning_rate, num_steps)
    return bound(problem, learning_rate, num_steps) - QUANTITIES[bound](iterates, problem)


def test_all_are_registered_with_what_they_bound():
    registered = {bound.__name__: quantity for bound, quantity in QUANTITIES.items()}
    assert registered == {
        "bound_nonconvex": mean_squared_gradient,
        "bound_convex": gap,
        "bound_strongly_convex": distance,
        "bound_contraction": distance,
        "bound_convex_any_step": gap,
        "bound_convex_tight": gap,
        "bound_nonconvex_any_step": mean_squared_gradient,
        "bound_strongly_convex_short_step": distance,
        "bound_convex_mean": mean_gap,
        "bound_nonconvex_smallest": smallest_squared_gradient,
    }
    assert set(registered) == {bound.__name__ for bound in SETTINGS}


@pytest.mark.parametrize("bound", SETTINGS)
def test_holds_along_the_run(bound):
    problems, steps = SETTINGS[bound]
    for problem in problems:
        for step in steps:
            learning_rate = step(problem.smoothness, problem.strong_convexity)
            assert slack(bound, problem, learning_rate).min() >= -ROUNDING, problem.name


@pytest.mark.parametrize("bound", SETTINGS)
def test_has_a_number_for_each_iterate(bound):
    learning_rate = SETTINGS[bound][1][0](20.0, 2.0)
    assert bound(elongated_bowl(), learning_rate, 0).shape == (1,)
    assert bound(elongated_bowl(), learning_rate, 7).shape == (8,)


# Golden numbers.


def test_nonconvex_bound_on_the_sine():
    assert bound_nonconvex(sine_plus_line(), 1 / 40, 30)[30] == pytest.approx(10.2234, abs=5e-5)


def test_strongly_convex_bound_falls_below_one_millionth_at_step_77():
    bound = bound_strongly_convex(elongated_bowl(), 1 / 11, 77)
    assert bound[0] == pytest.approx(np.sqrt(20))
    assert bound[76] > 1e-6 >= bound[77]


# Tight examples.


def test_nonconvex_bound_is_attained_on_a_scalar_quadratic():
    problem = quadratic(np.array([[3.0]]), np.array([1.0]), np.array([2.5]))
    np.testing.assert_allclose(slack(bound_nonconvex, problem, 1 / 3.0), 0, atol=ROUNDING)


def test_worst_function_of_the_convex_theorem_stays_a_factor_four_below_it():
    """L R^2 / (2 (K+1)) is the best possible bound for gamma = 1/(2L), attained by this function at k = K."""
    K = 10
    problem = huber(threshold=1 / (K + 1))
    iterates = gradient_descent(problem.gradient, problem.x0, 0.5, K)
    assert gap(iterates, problem)[K] == pytest.approx(1 / 22, rel=1e-14)
    assert bound_convex(problem, 0.5, K)[K] == pytest.approx(4 / 22, rel=1e-14)


@pytest.mark.parametrize("step", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("K", [1, 10, 40])
def test_tight_convex_bound_is_attained_by_a_huber_function_at_its_last_step(step, K):
    assert slack(bound_convex_tight, huber(1 / (2 * K * step + 1)), step, K)[K] == pytest.approx(0, abs=ROUNDING)


def test_tight_convex_bound_is_four_times_better_than_the_theorem():
    problem = smooth_plateau()
    ratio = bound_convex(problem, 1 / 4, 20) / bound_convex_tight(problem, 1 / 4, 20)
    np.testing.assert_allclose(ratio, 4)


def test_nonconvex_bound_is_the_best_case_of_the_bound_for_any_step():
    problem = sine_plus_line()
    L = problem.smoothness
    best = bound_nonconvex(problem, 1 / L, 9)
    np.testing.assert_allclose(bound_nonconvex_any_step(problem, 1 / L, 9), best)
    for fraction in (0.3, 0.9, 1.1, 1.9):
        assert (bound_nonconvex_any_step(problem, fraction / L, 9) > best).all()


def test_nonconvex_bound_holds_for_steps_up_to_two_over_L_where_the_run_stays_above_the_level():
    """sin(2x) is bounded below; on the sine plus a line a longer step may leave the valley."""
    for problem in [sine_wave(), *CONVEX]:
        for fraction in (1.3, 1.9):
            assert slack(bound_nonconvex_any_step, problem, fraction / problem.smoothness).min() >= -ROUNDING


def test_short_step_bound_is_attained_at_the_longest_step_only():
    problem = elongated_bowl()
    np.testing.assert_allclose(slack(bound_strongly_convex_short_step, problem, 1 / 11), 0, atol=ROUNDING)
    shorter = bound_strongly_convex_short_step(problem, 1 / 20, 30)
    assert (shorter[1:] > bound_contraction(problem, 1 / 20, 30)[1:]).all()
    np.testing.assert_allclose(bound_strongly_convex_short_step(parabola(), 0.5, 2), [2.3, 0, 0], atol=ROUNDING)


@pytest.mark.parametrize("bound", [bound_convex_mean, bound_nonconvex_smallest])
def test_these_bound_a_weaker_or_another_quantity_by_the_same_number(bound):
    problem, step = elongated_bowl(), 1 / 40
    same = {bound_convex_mean: bound_convex, bound_nonconvex_smallest: bound_nonconvex}[bound]
    np.testing.assert_array_equal(bound(problem, step, 9), same(problem, step, 9))


def test_convex_bound_is_the_best_case_of_the_bound_for_any_step():
    problem = smooth_plateau()
    L = problem.smoothness
    np.testing.assert_allclose(bound_convex_any_step(problem, 0.5 / L, 9), bound_convex(problem, 0.5 / L, 9))
    for fraction in (0.3, 0.7):
        assert (bound_convex_any_step(problem, fraction / L, 9) > bound_convex(problem, 0.5 / L, 9)).all()


def test_strongly_convex_bound_is_attained_on_eigenvalues_L_and_mu():
    np.testing.assert_allclose(slack(bound_strongly_convex, elongated_bowl(), 1 / 11), 0, atol=ROUNDING)


@pytest.mark.parametrize(("coordinate", "fraction"), [(1, 0.3), (1, 1.0), (0, 1.9)])
def test_contraction_is_attained_along_the_slowest_eigenvector(coordinate, fraction):
    problem = replace(elongated_bowl(), x0=3 * np.eye(2)[coordinate])
    np.testing.assert_allclose(slack(bound_contraction, problem, fraction / 20), 0, atol=ROUNDING)


def test_strongly_convex_bound_is_the_best_case_of_the_contraction():
    problem = elongated_bowl()
    np.testing.assert_allclose(
        bound_contraction(problem, 1 / 11, 50), bound_strongly_convex(problem, 1 / 11, 50), rtol=1e-13
    )


def test_equal_constants_mean_one_step():
    bound = bound_strongly_convex(parabola(), 0.5, 3)
    np.testing.assert_allclose(bound, [2.3, 0, 0, 0], rtol=1e-15)


# The printed exponent K+1 is wrong, and other steps do not have these rates.


def test_printed_exponent_is_violated_from_the_start():
    problem = quadratic(np.array([[9.0]]), np.zeros(1), np.ones(1))
    problem = replace(problem, strong_convexity=3.0)  # a constant that f has, though not the best one
    distances = distance(gradient_descent(problem.gradient, problem.x0, 1 / 6, 20), problem)
    bound = bound_strongly_convex(problem, 1 / 6, 21)
    np.testing.assert_allclose(distances, bound[:-1], rtol=1e-13)
    printed = bound[1:]
    assert (distances > 1.9 * printed).all()


@pytest.mark.parametrize(
    ("bound", "right_step", "wrong_step"),
    [
        (bound_strongly_convex, 1 / 11, 1 / 20),  # 1/L is slower than 2/(L+mu)
        (bound_strongly_convex, 1 / 11, 2.1 / 20),
        (bound_contraction, 1.9 / 20, 2.1 / 20),
        (bound_convex, 1 / 40, 2.1 / 20),
        (bound_convex_any_step, 0.9 / 20, 2.1 / 20),
        (bound_nonconvex, 1 / 20, 2.1 / 20),
        (bound_convex_tight, 1 / 20, 2.1 / 20),
        (bound_nonconvex_any_step, 1.9 / 20, 2.1 / 20),
        (bound_strongly_convex_short_step, 1 / 11, 1 / 20),
        (bound_convex_mean, 1 / 40, 2.1 / 20),
        (bound_nonconvex_smallest, 1 / 20, 2.1 / 20),
    ],
)
def test_run_with_another_step_breaks_the_bound(bound, right_step, wrong_step):
    problem = elongated_bowl()
    iterates = gradient_descent(problem.gradient, problem.x0, wrong_step, 100)
    quantity = QUANTITIES[bound](iterates, problem)
    assert (quantity > 1.1 * bound(problem, right_step, 100)).any()


# Descent: Lemma 1 for gamma <= 1/L, its general form up to 2/L, and not beyond.


@pytest.mark.parametrize("problem", NON_CONVEX, ids=lambda problem: problem.name)
@pytest.mark.parametrize("fraction", [0.3, 1.0, 1.8])
def test_value_decreases_by_a_multiple_of_the_squared_gradient(problem, fraction):
    L = problem.smoothness
    step = fraction / L
    iterates = gradient_descent(problem.gradient, problem.x0, step, 50)
    values = np.array([problem.value(x) for x in iterates])
    squared_gradients = np.array([np.sum(problem.gradient(x) ** 2) for x in iterates[:-1]])
    decrease = values[:-1] - values[1:]
    assert (decrease >= step * (1 - L * step / 2) * squared_gradients - ROUNDING).all()


def test_constant_of_the_lemma_fails_beyond_one_over_L():
    problem = quadratic(np.array([[2.0]]), np.zeros(1), np.ones(1))
    step = 1.5 / 2
    decrease = problem.value(np.ones(1)) - problem.value(gradient_descent(problem.gradient, np.ones(1), step, 1)[1])
    assert decrease == pytest.approx(3 / 8 * 2)
    assert decrease < step / 2 * 4


# Conditions.


@pytest.mark.parametrize(
    ("bound", "problem", "learning_rate", "sentence"),
    [
        (bound_nonconvex, elongated_bowl(), 1.01 / 20, "gamma <= 1/L"),
        (bound_nonconvex, elongated_bowl(), 0.0, "gamma <= 1/L"),
        (bound_convex, elongated_bowl(), 1 / 20, r"gamma = 1/\(2L\)"),
        (bound_convex, sine_plus_line(), 1 / (2 * np.pi**2), "a convex f"),
        (bound_convex_any_step, elongated_bowl(), 1 / 20, "gamma < 1/L"),
        (bound_convex_any_step, sine_plus_line(), 0.05, "a convex f"),
        (bound_strongly_convex, elongated_bowl(), 1 / 20, r"gamma = 2/\(L\+mu\)"),
        (bound_strongly_convex, smooth_plateau(), 1.0, "a strongly convex f"),
        (bound_strongly_convex, sine_plus_line(), 0.1, "a strongly convex f"),
        (bound_contraction, elongated_bowl(), 2 / 20, "gamma < 2/L"),
        (bound_contraction, smooth_plateau(), 0.5, "a strongly convex f"),
        (bound_convex_tight, elongated_bowl(), 1.01 / 20, "gamma <= 1/L"),
        (bound_convex_tight, sine_plus_line(), 0.05, "a convex f"),
        (bound_nonconvex_any_step, elongated_bowl(), 2 / 20, "gamma < 2/L"),
        (bound_strongly_convex_short_step, elongated_bowl(), 1.01 / 11, r"gamma <= 2/\(L\+mu\)"),
        (bound_convex_mean, elongated_bowl(), 1 / 20, r"gamma = 1/\(2L\)"),
        (bound_nonconvex_smallest, elongated_bowl(), 1.01 / 20, "gamma <= 1/L"),
        (bound_nonconvex, replace(bowl(), smoothness=None), 0.5, "no smoothness constant L"),
        (bound_nonconvex, replace(bowl(), minimum=None), 0.5, r"no minimum f\*"),
        (bound_convex, logistic(np.ones((1, 1)), np.ones(1), np.zeros(1)), 2.0, r"no minimiser x\*"),
    ],
)
def test_broken_condition_is_said_with_the_name_of_the_problem(bound, problem, learning_rate, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        bound(problem, learning_rate, 10)
    assert problem.name in str(caught.value)


@pytest.mark.parametrize("bound", [bound_nonconvex, bound_convex, bound_strongly_convex])
def test_step_computed_in_another_way_is_still_the_same_step(bound):
    problem = random_quadratic(dimension=3, smoothness=3.0, strong_convexity=0.7, seed=1)
    step = SETTINGS[bound][1][0](problem.smoothness, problem.strong_convexity)
    np.testing.assert_allclose(bound(problem, step * (1 + 4e-16), 5), bound(problem, step, 5))
    np.testing.assert_allclose(bound(problem, step * (1 - 4e-16), 5), bound(problem, step, 5))


# Quantities.


def test_quantities_on_a_path_worked_by_hand():
    iterates = np.array([[2.0, 4.0], [1.0, 2.0]])
    problem = bowl()
    np.testing.assert_allclose(distance(iterates, problem), [np.sqrt(20), np.sqrt(5)])
    np.testing.assert_allclose(gap(iterates, problem), [20, 5])
    np.testing.assert_allclose(mean_squared_gradient(iterates, problem), [80, 50])
    np.testing.assert_allclose(mean_gap(iterates, problem), [20, 12.5])
    np.testing.assert_allclose(smallest_squared_gradient(iterates[::-1], problem), [20, 20])


@pytest.mark.parametrize(("quantity", "problem"), [(distance, sine_plus_line()), (gap, replace(bowl(), minimum=None))])
def test_quantity_without_its_constant_is_refused(quantity, problem):
    with pytest.raises(ValueError, match=problem.name):
        quantity(problem.x0[None], problem)


@pytest.mark.parametrize(
    ("quantity", "name"),
    [
        (distance, "distance to the minimiser ||x_k - x*||"),
        (gap, "gap to the minimum f(x_k) - f*"),
        (mean_squared_gradient, "mean of ||grad f(x_0)||^2, ..., ||grad f(x_k)||^2"),
        (mean_gap, "mean of f(x_0) - f*, ..., f(x_k) - f*"),
        (smallest_squared_gradient, "smallest of ||grad f(x_0)||^2, ..., ||grad f(x_k)||^2"),
    ],
)
def test_name_that_a_student_reads(quantity, name):
    assert quantity.__doc__.splitlines()[0] == name
