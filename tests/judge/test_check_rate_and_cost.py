"""The power of k with which a gap shrinks, and what oracle calls cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import pytest

from grader.answer_key.build import build_answer
from grader.assignment import (
    AssignmentError,
    Bound,
    Calls,
    Check,
    Cost,
    Experiment,
    ForbiddenOracle,
    Monotone,
    SublinearRate,
    UnchangedInputs,
)
from grader.judge.checks import judge_check
from grader.judge.grade import Outcome as Judged
from grader.judge.observation import Observation
from grader.judge.rate import fitted_exponent, objective_slack, power_window, upper_envelope
from grader.sandbox.recording import Outcome, Recording
from reference import problems
from reference.lecture02.gradient_descent import gradient_descent
from reference.lecture03.nesterov_convex import nesterov_convex
from reference.lecture03.newton import newton
from reference.lecture04.problems import box_quadratic, robust_pca_example
from reference.lecture04.projected_gradient_descent import projected_gradient_descent
from reference.lecture04.proximal_gradient_descent import proximal_gradient_descent
from reference.problem import Problem
from reference.quantities import distance
from reference.variants import Kind, guarantee, variants

Function = Callable[..., Any]


def flat(power: int) -> Problem:
    """f(x) = sum |x_i|^p / p: gradient descent has f(x_k) - f* ~ k^(-p/(p-2)), close to 1/k for large p."""
    return Problem(
        name=f"flat, power {power}",
        value=lambda x: float(np.sum(np.abs(x) ** power) / power),
        gradient=lambda x: np.abs(x) ** (power - 1) * np.sign(x),
        x0=np.array([1.0, 0.8]),
        smoothness=float(power - 1),
        strong_convexity=0.0,
        minimizer=np.zeros(2),
        minimum=0.0,
        hessian=lambda x: np.diag((power - 1) * np.abs(x) ** (power - 2)),
    )


FLAT = flat(20)
DESCENT = Experiment("flat", gradient_descent, FLAT, learning_rate=1 / 19, num_steps=200, public=True)
ACCELERATED = Experiment("flat", nesterov_convex, FLAT, smoothness=19.0, num_steps=200)


def observed(experiment: Experiment, function: Function) -> Observation:
    counts = dict.fromkeys(experiment.oracles, 0)

    def counted(name: str, oracle: Function) -> Function:
        def answer(*arguments: Any) -> Any:
            counts[name] += 1
            return oracle(*arguments)

        return answer

    given = {
        name: counted(name, value) if callable(value) else np.array(value) if isinstance(value, np.ndarray) else value
        for name, value in experiment.arguments.items()
    }
    with np.errstate(all="ignore"):
        value = np.asarray(function(*given.values()))
    recording = Recording(experiment.key, Outcome.RETURNED, value, calls=counts)
    return Observation(experiment, recording, build_answer(experiment))


def outcome(check: Check, experiment: Experiment, function: Function | None = None) -> Judged:
    assert check.selects(experiment)
    (only,) = judge_check(check, [observed(experiment, function or experiment.reference)])
    return only


def by_name(function: Function) -> dict[str, Function]:
    return {variant.identifier: variant.function for variant in variants(function)}


@pytest.mark.parametrize(("experiment", "exponent"), [(DESCENT, -1.0), (ACCELERATED, -2.0)])
def test_the_exponents_of_the_theorems_are_seen(experiment: Experiment, exponent: float) -> None:
    gaps = np.array([FLAT.value(x) for x in build_answer(experiment).parts[0]])
    window = power_window(gaps, np.zeros(len(gaps)))
    assert window is not None
    assert window.slope == pytest.approx(exponent, abs=0.35)
    assert window.band < 0.15


@pytest.mark.parametrize("experiment", [DESCENT, ACCELERATED])
def test_correct_forms_and_conventions_have_the_right_exponent(experiment: Experiment) -> None:
    for variant in variants(experiment.reference):
        if variant.kind is not Kind.MISTAKE:
            assert outcome(SublinearRate(points=1), experiment, variant.function).passed, variant.identifier


@pytest.mark.parametrize(
    ("experiment", "slower"),
    [
        (DESCENT, ["decaying_step", "decaying_step_sqrt", "normalized_gradient", "gradient_ascent", "aliased_rows"]),
        (ACCELERATED, ["integer_division", "constant_momentum", "step_from_iterate", "flipped_momentum"]),
    ],
)
def test_what_is_slower_by_a_power_fails(experiment: Experiment, slower: list[str]) -> None:
    for name in slower:
        assert not outcome(SublinearRate(points=1), experiment, by_name(experiment.reference)[name]).passed, name


def test_a_step_half_or_twice_as_long_changes_no_exponent() -> None:
    for name in ("halved_gradient", "doubled_gradient"):
        assert outcome(SublinearRate(points=1), DESCENT, by_name(gradient_descent)[name]).passed


def test_exponents_are_told_for_public_experiments_only() -> None:
    slow = outcome(SublinearRate(points=1), DESCENT, by_name(gradient_descent)["decaying_step_sqrt"])
    assert slow.sentence == "the gap shrinks like k^-0.46, where k^-0.94 is right."
    hidden = outcome(SublinearRate(points=1), ACCELERATED, by_name(nesterov_convex)["constant_momentum"])
    assert hidden.sentence == "the gap shrinks at a wrong rate, or not at all."


def test_the_envelope_of_a_gap_that_goes_up_and_down_shows_its_power() -> None:
    k = np.arange(401.0)
    wavy = np.maximum(k, 1) ** -2 * (1.2 + np.cos(0.7 * k))
    assert (np.diff(wavy) > 0).any()
    assert (np.diff(upper_envelope(wavy, 401)) <= 0).all()
    assert fitted_exponent(wavy, 100, 401) == pytest.approx(-2.0, abs=0.1)


def test_a_fit_ends_at_the_rounding_floor() -> None:
    gaps = np.maximum(np.arange(1, 401) ** -4.0, 1e-8)
    window = power_window(gaps, np.full(400, 1e-11))
    assert window is not None
    assert window.stop <= 101
    assert power_window(gaps[:15], np.zeros(15)) is None


def test_the_slack_of_the_objective_is_what_a_step_of_the_allowed_length_changes() -> None:
    problem, allowed = problems.bowl(), np.array([1e-9, 1e-9])
    slack = objective_slack(np.array([[2.0, 4.0], [0.0, 0.0]]), allowed, problem)
    steepest = float(np.linalg.norm(problem.gradient(np.array([2.0, 4.0])))) * 1e-9
    assert slack[0] >= steepest
    assert slack[1] < 1e-12


def test_iterates_may_be_matrices() -> None:
    """What is minimised has a nuclear norm: a row is x itself, and not a list of its numbers."""
    matrices = Experiment(
        "matrices", proximal_gradient_descent, robust_pca_example(), learning_rate=0.9, num_steps=30, public=True
    )
    for check in (Monotone(points=1), SublinearRate(points=1)):
        assert outcome(check, matrices).passed
    moved = outcome(SublinearRate(points=1), matrices, lambda *a: proximal_gradient_descent(*a) + 0.1)
    assert not moved.passed


def test_what_is_asked_of_a_rate_is_found_once_and_not_for_each_recording() -> None:
    asked = count()
    counting = replace(FLAT, value=lambda x: (next(asked), FLAT.value(x))[1])
    experiment = Experiment("counted", gradient_descent, counting, learning_rate=1 / 19, num_steps=200)
    observation = observed(experiment, gradient_descent)
    judge_check(SublinearRate(points=1), [observation])
    before = next(asked)
    assert judge_check(SublinearRate(points=1), [observation])[0].passed
    assert next(asked) - before - 1 == 201


def test_strongly_convex_problems_have_no_sublinear_rate() -> None:
    assert not SublinearRate(points=1).selects(
        Experiment("b", gradient_descent, problems.bowl(), learning_rate=0.1, num_steps=9)
    )


# A bound, and no run to judge it on.


def halving(gradient: Function, x0: np.ndarray, num_steps: int) -> Any:
    return gradient_descent(gradient, x0, 0.05, num_steps)


@guarantee(halving, distance, "the distance is halved in every step")
def halved(problem: Problem, x0: np.ndarray, num_steps: int) -> np.ndarray:
    return float(np.linalg.norm(x0 - problem.minimizer)) * 0.5 ** np.arange(num_steps + 1)


def test_a_bound_that_the_reference_violates_is_an_error_of_the_author() -> None:
    experiment = Experiment("bowl", halving, problems.bowl(), num_steps=9)
    with pytest.raises(AssignmentError, match="the reference itself does not fulfil 'bound': halved is violated at k"):
        outcome(Bound(points=1), experiment)


def test_without_a_step_the_starting_point_is_the_run() -> None:
    still = Experiment("still", gradient_descent, FLAT, learning_rate=1 / 19, num_steps=0)
    for check in (Bound(points=1), Monotone(points=1), UnchangedInputs(points=1)):
        assert outcome(check, still).passed
        assert "expected is an array of shape (1, 2)" in outcome(Bound(points=1), still, no_rows).sentence
        assert not outcome(check, still, no_rows).passed


def no_rows(gradient: Function, x0: np.ndarray, learning_rate: float, num_steps: int) -> Any:
    return np.zeros((0, len(x0)))


# Cost: a method that is given more oracles than it needs.


def value_then_gradient(value: Function, gradient: Function, x0: np.ndarray, num_steps: int) -> Any:
    """Gradient descent that reports f at each of its iterates."""
    rows = [np.array(x0)]
    for _ in range(num_steps):
        value(rows[-1])
        rows.append(rows[-1] - 0.1 * gradient(rows[-1]))
    return np.array(rows)


def differences(value: Function, gradient: Function, x0: np.ndarray, num_steps: int) -> Any:
    """The same by central differences, which are exact on a quadratic up to rounding."""

    def slope(x: np.ndarray) -> np.ndarray:
        return np.array([(value(x + e) - value(x - e)) / 2 for e in np.eye(len(x))])

    return value_then_gradient(value, slope, x0, num_steps)


def no_method(value: Function, gradient: Function, x0: np.ndarray, num_steps: int) -> Any:
    return np.tile(x0, (num_steps + 1, 1))


BOTH = Experiment("bowl", value_then_gradient, problems.bowl(), num_steps=10, public=True)


@pytest.mark.parametrize(
    ("check", "function", "passes"),
    [
        (ForbiddenOracle(oracle="gradient", points=1), differences, True),
        (ForbiddenOracle(oracle="gradient", points=1), value_then_gradient, False),
        (Cost(prices={"value": 1, "gradient": 3}, points=1), value_then_gradient, True),
        (Cost(prices={"value": 1, "gradient": 3}, points=1), differences, False),
        (Cost(prices={"gradient": 1}, points=1), differences, True),
        (Cost(prices={"value": 1, "gradient": 3}, points=1), no_method, False),
        (Calls(oracle="value", points=1), differences, False),
    ],
)
def test_calls_and_what_they_cost(check: Check, function: Function, passes: bool) -> None:
    assert outcome(check, BOTH, function).passed is passes


def test_one_call_more_of_the_dearest_is_no_matter() -> None:
    def last_gradient_too(value: Function, gradient: Function, x0: np.ndarray, num_steps: int) -> Any:
        rows = value_then_gradient(value, gradient, x0, num_steps)
        gradient(rows[-1])
        return rows

    prices = Cost(prices={"value": 1, "gradient": 3}, points=1)
    assert outcome(prices, BOTH, last_gradient_too).passed
    twice = outcome(prices, BOTH, lambda v, g, x0, n: last_gradient_too(v, lambda x: g(x) + 0 * g(x), x0, n))
    assert twice.sentence == "the oracle calls cost 76; 40 is needed."


def test_the_dearest_is_one_that_is_offered() -> None:
    def three_times(gradient: Function, *arguments: Any) -> Any:
        return gradient_descent(lambda x: (gradient(x) + gradient(x) + gradient(x)) / 3, *arguments)

    check = Cost(prices={"gradient": 1, "hessian": 1000}, points=1)
    assert outcome(check, DESCENT).passed
    assert outcome(check, DESCENT, three_times).sentence == "the oracle calls cost 600; 200 is needed."


def test_nothing_is_forbidden_where_it_is_not_offered() -> None:
    assert not ForbiddenOracle(oracle="hessian", points=1).selects(BOTH)
    assert not Cost(prices={"hessian": 1}, points=1).selects(BOTH)
    assert not Calls(oracle="hessian", points=1).selects(BOTH)


def test_hessians_are_oracles_too() -> None:
    second_order = Experiment("flat", newton, flat(4), learning_rate=1.0, num_steps=5)
    assert set(second_order.oracles) == {"gradient", "hessian"}
    assert build_answer(second_order).calls == {"gradient": 5, "hessian": 5}
    assert outcome(Cost(prices={"gradient": 1, "hessian": 2}, points=1), second_order).passed


def test_projections_are_oracles_too_and_are_missing_where_a_problem_has_none() -> None:
    boxed = Experiment("box", projected_gradient_descent, box_quadratic(), learning_rate=0.1, num_steps=5)
    assert build_answer(boxed).calls["project"] >= 5
    with pytest.raises(AssignmentError, match="'project'"):
        Experiment("bowl", projected_gradient_descent, problems.bowl(), learning_rate=0.1, num_steps=5)
