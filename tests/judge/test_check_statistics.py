"""Statistics: right samplers and estimators pass for every seed, mistakes fail, and both are stated as numbers."""

from __future__ import annotations

from collections.abc import Callable
from math import log, sqrt
from typing import Any

import numpy as np
import pytest

from grader.answer_key.build import build_answer
from grader.assignment import AssignmentError, Distribution, Experiment, Moment, Seed, Statistics
from grader.judge.checks import judge_check
from grader.judge.observation import Observation
from grader.judge.statistics import departure, judged_mean, power
from grader.sandbox.recording import Outcome, Recording
from reference import problems
from reference.lecture05.gaussian_estimator import gaussian_estimator
from reference.lecture05.quadratic_moments import gaussian_second_moments, sphere_second_moments
from reference.lecture05.sphere_estimator import sphere_estimator
from reference.lecture05.sphere_sampling import sample_ball, sample_sphere
from reference.variants import Kind, variants

Function = Callable[..., Any]

DIMENSION = 3
COUNT = 20_000


def squares(points: np.ndarray) -> np.ndarray:
    return np.asarray(np.sum(points**2, axis=1))


def products(points: np.ndarray) -> np.ndarray:
    return points[:, :, None] * points[:, None, :]


def sum_of_fourth_powers(points: np.ndarray) -> np.ndarray:
    return np.asarray(np.sum(points**4, axis=1))


def next_to_each_other(points: np.ndarray) -> np.ndarray:
    return np.asarray(np.sum(points[0::2] * points[1::2], axis=1))


# Moments of the sphere in d = 3: E u_i^2 u_j^2 = 1/15 for i != j, E u_i^4 = 1/5, and sum u_i^4 lies in [1/3, 1].
SPHERE = Statistics(
    points=1,
    laws=[
        Moment("an entry of the directions", lambda u: u, 0.0, 1 / 3),
        Moment("the product of two entries", products, np.eye(3) / 3, np.where(np.eye(3) > 0, 4 / 45, 1 / 15)),
        Moment("the sum of the fourth powers", sum_of_fourth_powers, 3 / 5, (2 / 3) ** 2 / 4),
        Moment("the product of a direction and the next one", next_to_each_other, 0.0, 1 / 3),
        Distribution("the first entry of the directions", lambda u: u[:, 0], lambda t: np.clip((t + 1) / 2, 0, 1)),
    ],
)
BALL = Statistics(
    points=1,
    laws=[
        Moment("an entry of the points", lambda v: v, 0.0, 1 / 5),
        Distribution("the length of the points", lambda v: np.sqrt(squares(v)), lambda t: np.clip(t, 0, 1) ** 3),
    ],
)


def sampling(sampler: Function, count: int = COUNT, public: bool = False) -> Experiment:
    return Experiment("samples", sampler, count=count, dimension=DIMENSION, generator=Seed(1), public=public)


def observed(experiment: Experiment, function: Function) -> Observation:
    value = np.asarray(function(*experiment.arguments.values()))
    return Observation(experiment, Recording(experiment.key, Outcome.RETURNED, value), build_answer(experiment))


@pytest.mark.parametrize(("check", "sampler"), [(SPHERE, sample_sphere), (BALL, sample_ball)])
def test_every_correct_sampler_passes_and_every_mistake_fails(check: Statistics, sampler: Function) -> None:
    experiment = sampling(sampler)
    for variant in variants(sampler):
        (outcome,) = judge_check(check, [observed(experiment, variant.function)])
        assert outcome.passed is (variant.kind is Kind.EQUIVALENT), variant.identifier
    (outcome,) = judge_check(check, [observed(experiment, sampler)])
    assert outcome.passed


def test_the_power_against_a_mistake_grows_with_the_number_of_samples() -> None:
    (cube,) = [variant.function for variant in variants(sample_sphere) if variant.identifier == "sphere_from_cube"]
    rejected = [power(SPHERE, sampling(sample_sphere, count), cube, runs=20) for count in (200, 20_000)]
    assert rejected[0] < 0.2
    assert rejected[1] == 1.0
    assert power(SPHERE, sampling(sample_sphere, 200), sample_sphere, runs=20) == 0.0


def test_power_is_that_of_an_experiment_with_a_seed() -> None:
    with pytest.raises(AssignmentError, match="no Seed"):
        power(SPHERE, Experiment("x", squares, points=np.ones((2, 3))), squares)


# Estimators: f(x) = 1/2 x^T A x, of which mean and second moments of the estimate are known.

BOWL = problems.quadratic(np.diag([1.0, 2.0, 4.0]), np.zeros(3), np.array([1.0, -1.0, 0.5]))
HESSIAN, SLOPE, TAU = np.diag([1.0, 2.0, 4.0]), np.array([1.0, -2.0, 2.0]), 0.5


def on_the_sphere(estimator: Function) -> Function:
    def estimates(value: Function, x0: np.ndarray, tau: float, count: int, generator: np.random.Generator) -> Any:
        directions = sample_sphere(count, len(x0), generator)
        return np.array([estimator(value, x0, tau, direction) for direction in directions])

    return estimates


def with_normal_numbers(estimator: Function) -> Function:
    def estimates(value: Function, x0: np.ndarray, tau: float, count: int, generator: np.random.Generator) -> Any:
        directions = generator.standard_normal((count, len(x0)))
        return np.array([estimator(value, x0, tau, direction) for direction in directions])

    return estimates


@pytest.mark.parametrize(
    ("estimator", "estimates", "second_moments", "unbiased_mistake"),
    [
        (sphere_estimator, on_the_sphere, sphere_second_moments(HESSIAN, SLOPE, TAU), "sphere_single_point"),
        (
            gaussian_estimator,
            with_normal_numbers,
            gaussian_second_moments(HESSIAN, SLOPE, TAU),
            "gaussian_single_point",
        ),
    ],
)
def test_the_mean_of_an_estimator_is_judged_by_its_exact_variance(
    estimator: Function,
    estimates: Callable[[Function], Function],
    second_moments: np.ndarray,
    unbiased_mistake: str,
) -> None:
    variance = np.diag(second_moments) - SLOPE**2
    unbiased = Statistics(points=1, laws=[Moment("an entry of the estimates", lambda g: g, SLOPE, variance)])
    experiment = Experiment("bowl", estimates(estimator), BOWL, tau=TAU, count=2000, generator=Seed(3))
    verdicts = {}
    for variant in variants(estimator):
        samples = np.asarray(estimates(variant.function)(*experiment.arguments.values()))
        verdicts[variant.identifier] = departure(unbiased, samples) is None
    assert all(verdicts[variant.identifier] for variant in variants(estimator, Kind.EQUIVALENT))
    passing = {variant.identifier for variant in variants(estimator, Kind.MISTAKE) if verdicts[variant.identifier]}
    assert passing == {unbiased_mistake}  # it has the right mean, and too large a variance
    assert departure(unbiased, np.asarray(experiment.reference(*experiment.arguments.values()))) is None


# The inequalities themselves.


@pytest.mark.parametrize("law", ["normal", "two points", "heavy tail"])
def test_a_mean_is_falsely_rejected_no_more_often_than_stated(law: str) -> None:
    # The stated false alarm is too rare to be counted; the inequality holds for any.
    generator, runs, delta = np.random.default_rng(5), 4000, 0.05
    zero = Moment("m", lambda y: y, 0.0, 1.0)
    draw = {
        "normal": lambda: generator.standard_normal(50),
        "two points": lambda: np.where(generator.uniform(size=50) < 0.01, sqrt(99), -sqrt(1 / 99)),
        "heavy tail": lambda: generator.standard_t(3, 50) / sqrt(3),
    }[law]
    rejected = sum(judged_mean(zero, draw()[:, None], delta) is not None for _ in range(runs))
    assert rejected / runs <= delta


def test_a_distribution_is_rejected_exactly_beyond_the_bound() -> None:
    check = Statistics(points=1, laws=[Distribution("u", lambda u: u, lambda t: np.clip(t, 0, 1))])
    count = 1000
    bound = sqrt(log(2 / check.false_alarm) / (2 * count))
    middle = (np.arange(count) + 0.5) / count  # F_n is off by 1/(2n)
    for off, passes in ((bound - 1 / count, True), (bound + 1 / count, False)):
        assert (departure(check, middle - off) is None) is passes


def test_samples_that_are_repeated_are_not_independent() -> None:
    points = np.repeat(sample_sphere(COUNT // 2, DIMENSION, np.random.default_rng(1)), 2, axis=0)
    found = departure(SPHERE, points)
    assert found is not None
    assert found.title == "the product of a direction and the next one"


def test_nan_never_passes() -> None:
    points = sample_sphere(COUNT, DIMENSION, np.random.default_rng(1))
    points[7, 1] = np.nan
    assert departure(SPHERE, points) is not None


def test_numbers_are_told_for_public_experiments_only() -> None:
    wrong = {variant.identifier: variant.function for variant in variants(sample_sphere)}["sphere_filled"]
    sentences = [
        judge_check(SPHERE, [observed(sampling(sample_sphere, public=public), wrong)])[0].sentence
        for public in (True, False)
    ]
    assert sentences[0].startswith("the product of two entries is 0.")
    assert sentences[0].endswith(
        "where 0.3333 is right; with the right law this happens less than once in 10,000,000 times."
    )
    assert sentences[1] == "the product of two entries is wrong."


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Moment("m", squares, 0.0, 0.0), "variance must be positive"),
        (lambda: Statistics(points=1, laws=[]), "at least one law"),
        (lambda: Statistics(points=1, laws=[Moment("m", squares, 0, 1)], false_alarm=0.05), "rarer than 1e-6"),
        (lambda: Seed(-1), "whole number"),
        (
            lambda: departure(Statistics(points=1, laws=[Moment("m", products, np.ones(4), 1)]), np.ones((9, 3))),
            "count",
        ),
        (
            lambda: departure(Statistics(points=1, laws=[Distribution("d", products, squares)]), np.ones((9, 3))),
            "one number",
        ),
    ],
)
def test_laws_that_make_no_sense_are_reported(make: Callable[[], object], message: str) -> None:
    with pytest.raises(AssignmentError, match=message):
        make()


def test_the_verdict_is_the_same_each_time() -> None:
    experiment = sampling(sample_sphere)
    first, second = (observed(experiment, sample_sphere) for _ in range(2))
    np.testing.assert_array_equal(first.recording.value, second.recording.value)  # type: ignore[arg-type]
