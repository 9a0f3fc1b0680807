"""Relations between runs: what each of them sees, lets pass, and that no correct form ever violates one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from grader.answer_key.build import build_answer
from grader.assignment import (
    AssignmentError,
    Deterministic,
    Equivariant,
    Experiment,
    Idempotent,
    InformationFlow,
    InvariantToConstant,
    Monotone,
    NonExpansive,
    Property,
    Seed,
    moved_problem,
    raised_problem,
)
from grader.assignment.relations import Relation
from grader.judge.checks import judge_check
from grader.judge.grade import Outcome as Judged
from grader.judge.observation import Observation
from grader.sandbox.recording import Outcome, Recording
from reference import problems
from reference.lecture02.gradient_descent import gradient_descent
from reference.lecture03.nesterov_convex import nesterov_convex
from reference.lecture04.projections import project_box, project_l1_ball, project_l2_ball, project_simplex
from reference.lecture04.prox_operators import prox_l1
from reference.lecture05.sphere_sampling import sample_sphere
from reference.problem import Problem, Vector
from reference.variants import Kind, variants

Function = Callable[..., Any]

POINT = 3 * np.random.default_rng(3).standard_normal(6)
NEARBY = POINT + 0.3 * np.random.default_rng(4).standard_normal(6)
SETS: list[tuple[Function, dict[str, Any]]] = [
    (project_simplex, {}),
    (project_box, {"lower": -1.0, "upper": 0.5}),
    (project_l2_ball, {"radius": 2.0}),
    (project_l1_ball, {"radius": 1.5}),
]


def observed(experiment: Experiment, function: Function) -> Observation:
    given = {name: np.array(v) if isinstance(v, np.ndarray) else v for name, v in experiment.arguments.items()}
    value = np.asarray(function(*given.values()))
    return Observation(experiment, Recording(experiment.key, Outcome.RETURNED, value), build_answer(experiment))


def judged(relation: Relation, base: Experiment, other: Experiment, function: Function | None = None) -> list[Judged]:
    check = Property(relation=relation, on=(base.name, other.name), points=1)
    return list(judge_check(check, [observed(each, function or each.reference) for each in (base, other)]))


def holds(relation: Relation, base: Experiment, other: Experiment, function: Function | None = None) -> bool:
    first, second = judged(relation, base, other, function)
    assert first.passed
    return second.passed


def mistakes(function: Function) -> dict[str, Function]:
    return {variant.identifier: variant.function for variant in variants(function, Kind.MISTAKE)}


def correct(function: Function) -> list[Function]:
    return [function, *(variant.function for variant in variants(function, Kind.EQUIVALENT))]


def applied_twice(project: Function, arguments: dict[str, Any]) -> tuple[Experiment, Experiment]:
    once = Experiment("once", project, v=POINT, **arguments)
    return once, Experiment("twice", project, v=project(POINT, **arguments), **arguments)


@pytest.mark.parametrize(("project", "arguments"), SETS)
def test_every_correct_projection_is_idempotent_and_non_expansive(project: Function, arguments: dict[str, Any]) -> None:
    near = Experiment("nearby", project, v=NEARBY, **arguments)
    once, twice = applied_twice(project, arguments)
    for function in correct(project):
        assert holds(Idempotent(), once, twice, function)
        assert holds(NonExpansive("v"), once, near, function)


@pytest.mark.parametrize(
    ("project", "seen"),
    [
        (
            project_simplex,
            {
                "simplex_clip_and_normalize",
                "simplex_softmax",
                "simplex_ascending_sort",
                "simplex_count_off_by_one",
                "simplex_shift_and_clip",
                "simplex_one_correction",
            },
        ),
        (
            project_box,
            {
                "box_upper_bound_only",
                "box_violations_to_zero",
                "box_violations_to_midpoint",
                "box_by_rescaling",
                "box_by_largest_entry",
            },
        ),
    ],
)
def test_idempotence_sees_these_mistakes_and_no_others(project: Function, seen: set[str]) -> None:
    once, twice = applied_twice(project, dict(SETS)[project])
    found = {name for name, wrong in mistakes(project).items() if not holds(Idempotent(), once, twice, wrong)}
    assert found == seen


def test_hard_thresholding_is_expansive() -> None:
    v = Experiment("v", prox_l1, v=np.array([1.1, 2.0]), t=1.0)
    w = Experiment("w", prox_l1, v=np.array([0.9, 2.0]), t=1.0)
    assert all(holds(NonExpansive("v"), v, w, function) for function in correct(prox_l1))
    expansive = {name for name, wrong in mistakes(prox_l1).items() if not holds(NonExpansive("v"), v, w, wrong)}
    assert expansive == {"l1_hard_threshold"}


def test_a_mirrored_point_has_a_mirrored_prox() -> None:
    point, mirrored = (Experiment(str(sign), prox_l1, v=sign * POINT, t=0.7) for sign in (1, -1))
    assert all(holds(Equivariant(-1.0), point, mirrored, function) for function in correct(prox_l1))
    one_sided = {n for n, wrong in mistakes(prox_l1).items() if not holds(Equivariant(-1.0), point, mirrored, wrong)}
    assert one_sided == {"l1_negative_side_lost", "l1_threshold_outside_sign"}


def test_a_shifted_ball_has_a_shifted_projection() -> None:
    shift = np.array([5.0, 0.0, 0.0, -1.0, 0.0, 2.0])
    ball = Experiment("ball", project_l2_ball, v=POINT, radius=2.0, center=np.zeros(6))
    away = Experiment("away", project_l2_ball, v=POINT + shift, radius=2.0, center=shift)
    relation = Equivariant(shift=shift)
    assert holds(relation, ball, away)
    assert not holds(relation, ball, away, mistakes(project_l2_ball)["l2_ball_center_forgotten"])


def rotation(dimension: int, seed: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((dimension, dimension))).Q


def run_on(problem: Problem) -> Experiment:
    rate = 1 / float(problem.smoothness or 1)
    return Experiment(problem.name, gradient_descent, problem, learning_rate=rate, num_steps=30)


def diagonal_newton(gradient: Function, x0: Vector, learning_rate: float, num_steps: int) -> Any:
    """Each coordinate has a step size of its own, which depends on the axes."""
    rows = [np.array(x0)]
    for _ in range(num_steps):
        g = gradient(rows[-1])
        rows.append(rows[-1] - learning_rate * g / (1 + np.abs(g)))
    return rows


def test_gradient_descent_turns_with_its_problem_and_a_method_on_the_axes_does_not() -> None:
    problem, matrix, shift = problems.random_quadratic(5, 10.0, 1.0, seed=1), rotation(5, seed=2), np.arange(5.0)
    still, moved = run_on(problem), run_on(moved_problem(problem, matrix, shift))
    relation = Equivariant(matrix, shift)
    assert all(holds(relation, still, moved, function) for function in correct(gradient_descent))
    _, second = judged(relation, still, moved, diagonal_newton)
    assert (second.passed, second.first_difference) == (False, 1)
    assert second.sentence.startswith("compared with 'quadratic, condition 10', what is given is moved")


def test_only_a_rotation_moves_a_problem() -> None:
    with pytest.raises(AssignmentError, match="orthogonal"):
        moved_problem(problems.bowl(), 2 * np.eye(2))


def test_a_constant_added_to_f_does_not_matter_unless_a_method_looks_at_the_level() -> None:
    def descent(value: Function, gradient: Function, x0: Vector, num_steps: int) -> Any:
        return gradient_descent(gradient, x0, 0.01, num_steps)

    def stops_below_zero(value: Function, gradient: Function, x0: Vector, num_steps: int) -> Any:
        rows = [np.array(x0)]
        for _ in range(num_steps):
            rows.append(rows[-1] - 0.01 * gradient(rows[-1]) * (value(rows[-1]) > 0))
        return rows

    problem = problems.bowl()
    plain = Experiment("plain", descent, problem, num_steps=20)
    raised = Experiment("raised", descent, raised_problem(problem, -10.0), num_steps=20)
    assert holds(InvariantToConstant(), plain, raised)
    assert not holds(InvariantToConstant(), plain, raised, stops_below_zero)


def test_the_same_seed_must_give_the_same_bits() -> None:
    def own_generator(count: int, dimension: int, generator: np.random.Generator) -> Any:
        return sample_sphere(count, dimension, next(others))

    others = (np.random.default_rng(seed) for seed in range(2))
    first, again = (Experiment(n, sample_sphere, count=5, dimension=3, generator=Seed(1)) for n in ("first", "again"))
    assert holds(Deterministic(), first, again)
    assert not holds(Deterministic(), first, again, own_generator)


def test_of_several_values_each_must_have_the_same_bits() -> None:
    def descent(gradient: Function, x0: Vector, num_steps: int) -> Any:
        rows = gradient_descent(gradient, x0, 0.1, num_steps)
        return rows, np.linalg.norm(rows, axis=1)

    def counts(gradient: Function, x0: Vector, num_steps: int) -> Any:
        rows, lengths = descent(gradient, x0, num_steps)
        return rows, lengths + next(calls)

    def outcome(function: Function) -> Judged:
        observations = []
        for experiment in twice:
            value = tuple(function(*experiment.arguments.values()))
            recording = Recording(experiment.key, Outcome.RETURNED, value)
            observations.append(Observation(experiment, recording, build_answer(experiment)))
        return judge_check(Property(relation=Deterministic(), on=("first", "again"), points=1), observations)[1]

    calls = iter(range(2))
    twice = [Experiment(name, descent, problems.bowl(), num_steps=5) for name in ("first", "again")]
    assert outcome(descent).passed
    other = outcome(counts)
    assert (other.passed, other.first_difference) == (False, None)


RING = np.array([[0.5, 0.25, 0, 0, 0.25], [0.25, 0.5, 0.25, 0, 0], [0, 0.25, 0.5, 0.25, 0], [0, 0, 0.25, 0.5, 0.25]])
RING = np.vstack([RING, [0.25, 0, 0, 0.25, 0.5]])


def gossip(weights: np.ndarray, values: np.ndarray, rounds: int) -> np.ndarray:
    rows = [np.array(values)]
    for _ in range(rounds):
        rows.append(weights @ rows[-1])
    return np.array(rows)


def gossip_one_after_the_other(weights: np.ndarray, values: np.ndarray, rounds: int) -> np.ndarray:
    """Each node already sees what its neighbours have computed in the same round."""
    rows = [np.array(values)]
    for _ in range(rounds):
        new = rows[-1].copy()
        for node in range(len(new)):
            new[node] = weights[node] @ new
        rows.append(new)
    return np.array(rows)


def test_information_travels_one_edge_a_round() -> None:
    values = np.arange(5.0)
    before = Experiment("before", gossip, weights=RING, values=values, rounds=2)
    after = Experiment("after", gossip, weights=RING, values=values + 10 * np.eye(5)[0], rounds=2)
    relation = InformationFlow()
    assert holds(relation, before, after)
    assert not holds(relation, before, after, gossip_one_after_the_other)
    everywhere = Experiment("everywhere", gossip, weights=RING, values=values + 1, rounds=2)
    with pytest.raises(AssignmentError, match="some entries must change and some must not"):
        holds(relation, before, everywhere)


def test_a_relation_that_the_reference_does_not_fulfil_is_an_error_of_the_author() -> None:
    once, elsewhere = (Experiment(n, project_simplex, v=v) for n, v in (("once", POINT), ("elsewhere", -POINT)))
    with pytest.raises(AssignmentError, match=r"idempotent.*the reference itself does not fulfil it"):
        holds(Idempotent(), once, elsewhere)


def test_results_that_cannot_be_related_are_an_error_of_the_author() -> None:
    short = Experiment("short", project_simplex, v=POINT[:4])
    with pytest.raises(AssignmentError, match="cannot be related"):
        holds(Idempotent(), Experiment("long", project_simplex, v=POINT), short)


def test_a_property_needs_two_experiments() -> None:
    with pytest.raises(AssignmentError, match="at least two"):
        Property(relation=Idempotent(), on=("alone",), points=1)


def test_nothing_is_judged_against_a_base_that_did_not_return() -> None:
    once, twice = applied_twice(project_simplex, {})
    check = Property(relation=Idempotent(), on=("once", "twice"), points=1)
    right = observed(twice, project_simplex)
    broken = replace(observed(once, project_simplex), recording=Recording(once.key, Outcome.MISSING))
    first, second = judge_check(check, [broken, right])
    assert not first.passed
    assert not second.passed
    assert "no result of 'once'" in second.sentence


def test_without_its_base_an_experiment_is_not_judged() -> None:
    _, twice = applied_twice(project_simplex, {})
    check = Property(relation=Idempotent(), on=("once", "twice"), points=1)
    (outcome,) = judge_check(check, [observed(twice, mistakes(project_simplex)["simplex_softmax"])])
    assert outcome.passed
    assert outcome.sentence.startswith("not judged here")


def test_of_several_experiments_each_is_compared_with_the_base() -> None:
    once, _ = applied_twice(project_box, dict(SETS)[project_box])
    inside = Experiment("inside", project_box, v=np.full(6, 0.25), lower=-1.0, upper=0.5)
    near = Experiment("near", project_box, v=POINT + 1e-3, lower=-1.0, upper=0.5)
    check = Property(relation=NonExpansive("v"), on=("inside", "once", "near"), points=1)

    def jumps(v: Vector, lower: float, upper: float) -> Any:
        return project_box(v, lower, upper) + 100 * (v == near.arguments["v"])

    outcomes = judge_check(check, [observed(each, jumps) for each in (once, inside, near)])
    assert [outcome.passed for outcome in outcomes] == [True, True, False]
    assert outcomes[2].sentence.startswith("compared with 'inside', the results are farther apart")


def test_nan_violates_everything() -> None:
    once, twice = applied_twice(project_simplex, {})
    for relation in (Idempotent(), NonExpansive("v")):
        assert not any(outcome.passed for outcome in judged(relation, once, twice, lambda v: np.full_like(v, np.nan)))


def test_the_objective_of_gradient_descent_falls_and_that_of_nesterov_need_not() -> None:
    problem = problems.random_quadratic(5, 1000.0, 1.0, seed=1)
    check = Monotone(points=1)

    def outcome(experiment: Experiment, function: Function) -> Judged:
        (only,) = judge_check(check, [observed(experiment, function)])
        return only

    descent = run_on(problem)
    assert all(outcome(descent, function).passed for function in correct(gradient_descent))
    rising = outcome(descent, mistakes(gradient_descent)["gradient_ascent"])
    assert (rising.passed, rising.first_difference) == (False, 1)
    assert rising.sentence == "the objective is larger at x_1 than at x_0."
    accelerated = Experiment("accelerated", nesterov_convex, problem, smoothness=1000.0, num_steps=200)
    with pytest.raises(AssignmentError, match=r"accelerated: the reference itself does not fulfil 'monotone'.*on=\["):
        outcome(accelerated, nesterov_convex)


def test_at_the_minimum_rounding_is_no_growth() -> None:
    problem = problems.random_least_squares(rows=20, columns=5, condition=2.0, seed=1)
    rate = 0.5 / float(problem.smoothness or 1)
    long = Experiment("long", gradient_descent, problem, learning_rate=rate, num_steps=300)
    values = [problem.objective(x) for x in build_answer(long).parts[0]]
    assert any(later > earlier for earlier, later in pairwise(values))
    (outcome,) = judge_check(Monotone(points=1), [observed(long, gradient_descent)])
    assert outcome.passed
