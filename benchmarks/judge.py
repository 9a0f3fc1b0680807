"""How often the judge is right, beside two tests with a fixed tolerance, and how long it takes.

Each algorithm is run on a few experiments in many forms: as the library has it (reference, equivalents, conventions,
mistakes), with all vectors in reversed order (so that sums are taken in another order), in single precision, and
rewritten by hand (`benchmarks/rewritten.py`). Each form is recorded without a sandbox, judged by the checks of a
question, and diagnosed. A form is wrong if it is a mistake or another source's convention.

    accepted      all checks pass: Iterates or Values, UnchangedInputs, and Calls where there are oracles
    named         the diagnosis is the form's mistake, or has it among the alternatives that it cannot be told from
    misnamed      the diagnosis is something else

The other two tests see the same recordings: `numpy.allclose` on everything that was returned (rtol 1e-5, atol 1e-8),
and the last iterate within 1e-4. They see numbers alone, so forms that are wrong in their manner only (oracle calls,
changed inputs) are counted apart.

Usage, from the root of the repository: python -m benchmarks.judge
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, wraps
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rewritten import RIGHT, WRONG
from grader.answer_key.answer import Answer, AnswerKey
from grader.answer_key.build import build_answer
from grader.answer_key.cache import read_answer_key, write_answer_key
from grader.assignment import Calls, Experiment, Iterates, UnchangedInputs, Values
from grader.assignment.check import Check
from grader.judge.checks import judge_check
from grader.judge.diagnosis import diagnose
from grader.judge.grade import Diagnosis
from grader.judge.observation import Observation
from grader.sandbox.recording import Outcome, Recording, StudentError
from reference import problems
from reference.lecture02.gradient_descent import gradient_descent
from reference.lecture03.anderson_acceleration import anderson_acceleration
from reference.lecture03.heavy_ball import heavy_ball
from reference.lecture03.nesterov import nesterov
from reference.lecture03.nesterov_convex import nesterov_convex
from reference.lecture03.nesterov_strongly_convex import nesterov_strongly_convex
from reference.lecture03.newton import newton
from reference.lecture03.preconditioned_gradient_descent import preconditioned_gradient_descent
from reference.lecture03.problems import random_regularized_logistic, softplus_bowl
from reference.lecture04.problems import (
    face_changing_quadratic,
    l1_ball_least_squares,
    random_box_quadratic,
    random_lasso,
    random_simplex_quadratic,
)
from reference.lecture04.projected_gradient_descent import projected_gradient_descent
from reference.lecture04.projections import (
    project_box,
    project_halfspace,
    project_hyperplane,
    project_l1_ball,
    project_l2_ball,
    project_simplex,
)
from reference.lecture04.prox_operators import prox_l1, prox_l2, prox_nuclear
from reference.lecture04.prox_rules import prox_elastic_net
from reference.lecture04.proximal_gradient_descent import ista, proximal_gradient_descent
from reference.lecture05.problems import few_coordinates, rademacher_directions, saturating_wells
from reference.lecture05.zo_gd_forward_difference import zo_gd_forward_difference
from reference.lecture05.zo_gd_sparse import zo_gd_sparse
from reference.lecture05.zo_gd_sphere import zo_gd_sphere
from reference.lecture05.zo_gd_vanishing_difference import inverse_taus, zo_gd_vanishing_difference
from reference.lecture08.adam import adam
from reference.lecture08.adamw import adamw
from reference.lecture08.momentum_sgd import momentum_sgd
from reference.lecture08.problems import random_finite_sum, tiny_gradients
from reference.lecture08.rmsprop import rmsprop
from reference.lecture09.saga import saga
from reference.lecture10.gradient_clipping import clipped_gd
from reference.lecture10.problems import steep_quadratic
from reference.problem import Problem
from reference.variants import Kind, variants

Function = Callable[..., Any]

NOT_BY_COORDINATE = {"taus", "indices"}
"""Arrays that do not have one entry for each coordinate."""
BY_TWO_COORDINATES = {"preconditioner", "hessian", "M"}
NOT_REVERSIBLE = {
    "gauss_seidel",
    "coordinate_after_coordinate",
    "cumulative_shifts",
    "l2_ball_distance",
    "nuclear_factor_not_transposed",
}
"""Mistakes for which the order of the coordinates matters: reversed, each is another mistake."""
IN_PLACE = {"mutated_start", "box_in_place"}
"""Mistakes that change an input: rounded to single precision, the input is a copy, and they are right."""
RIGHT_IN_SINGLE = {"pseudo_inverse"}
"""numpy's pseudo-inverse cuts off 1e-15, below the rounding of single precision: there it is the inverse, and right."""


# What is run.


def normal(*shape: int, seed: int) -> np.ndarray:
    """Standard normal numbers."""
    return np.random.default_rng(seed).standard_normal(shape)


def directions(steps: int, dimension: int, seed: int) -> np.ndarray:
    """Unit vectors in rows."""
    rows = normal(steps, dimension, seed=seed)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def samples(count: int, steps: int, seed: int) -> np.ndarray:
    """Indices of samples, uniform."""
    return np.random.default_rng(seed).integers(0, count, steps)


def step(share: float) -> Callable[[Problem], float]:
    """share / L."""
    return lambda problem: share / float(problem.smoothness or np.nan)


def times(factor: float, name: str) -> Callable[[Problem], float]:
    """A constant of the problem, times a factor."""
    return lambda problem: factor * float(getattr(problem, name))


def on(function: Function, *settings: tuple[Problem | None, dict[str, Any]]) -> list[Experiment]:
    """The experiments of one algorithm: a problem and arguments each."""
    return [
        Experiment(str(number), function, problem, **arguments)
        for number, (problem, arguments) in enumerate(settings, start=1)
    ]


DENSE = problems.random_quadratic(6, 3.0, 0.15, seed=1)
OTHER = problems.random_quadratic(4, 5.0, 1.0, seed=2)
GENTLE = problems.quadratic(1e-3 * np.asarray(OTHER.data["hessian"]), normal(4, seed=52), np.ones(4))
TALL = problems.random_least_squares(20, 5, 30.0, seed=3)
LOGISTIC = random_regularized_logistic(rows=30, columns=4, regularization=0.1, seed=4)
SUM = random_finite_sum(samples=10, dimension=3, seed=5)
SMALL_SUM = random_finite_sum(samples=6, dimension=4, seed=6)
BOX = random_box_quadratic(6, 3.0, 0.3, seed=7)
SIMPLEX = random_simplex_quadratic(6, 3.0, 0.3, seed=8)
LASSO = random_lasso(rows=15, columns=6, condition=20.0, lam=0.4, seed=9)
OTHER_LASSO = random_lasso(rows=12, columns=5, condition=5.0, lam=1.5, seed=10)
PRECONDITIONER = np.linalg.inv(normal(6, 6, seed=11) @ normal(6, 6, seed=11).T + np.eye(6))
SMALL_PRECONDITIONER = np.diag([0.5, 1.0, 2.0, 0.25]) + 0.2


def experiments() -> dict[Function, list[Experiment]]:
    """Algorithm -> its experiments."""
    adaptive = {"epsilon": 1e-8}
    betas = {"beta1": 0.9, "beta2": 0.99}
    quick = {"beta1": 0.8, "beta2": 0.95, "epsilon": 1e-2}
    every = [
        on(
            gradient_descent,
            (DENSE, {"learning_rate": step(0.7), "num_steps": 40}),
            (TALL, {"learning_rate": step(1.3), "num_steps": 30}),
            (OTHER, {"learning_rate": step(1.0), "num_steps": 150}),
            (LOGISTIC, {"learning_rate": step(1.9), "num_steps": 25}),
            (OTHER, {"x0": np.array([2, -1, 3, 1]), "learning_rate": step(0.7), "num_steps": 20}),
        ),
        on(
            heavy_ball,
            (DENSE, {"learning_rate": step(0.7), "momentum": 0.6, "num_steps": 40}),
            (TALL, {"learning_rate": step(1.2), "momentum": 0.3, "num_steps": 30}),
            (LOGISTIC, {"learning_rate": step(0.9), "momentum": 0.8, "num_steps": 30}),
        ),
        on(
            nesterov,
            (DENSE, {"learning_rate": step(0.7), "momentum": 0.6, "num_steps": 40}),
            (TALL, {"learning_rate": step(0.5), "momentum": 0.3, "num_steps": 30}),
            (LOGISTIC, {"learning_rate": step(0.9), "momentum": 0.8, "num_steps": 30}),
        ),
        on(
            nesterov_convex,
            (DENSE, {"smoothness": times(1.25, "smoothness"), "num_steps": 40}),
            (TALL, {"smoothness": times(2.0, "smoothness"), "num_steps": 30}),
            (LOGISTIC, {"smoothness": times(1.5, "smoothness"), "num_steps": 30}),
        ),
        on(
            nesterov_strongly_convex,
            *(
                (
                    problem,
                    {
                        "smoothness": times(above, "smoothness"),
                        "strong_convexity": times(below, "strong_convexity"),
                        "num_steps": 35,
                    },
                )
                for problem, above, below in ((DENSE, 1.25, 0.8), (TALL, 2.0, 1.0), (LOGISTIC, 1.5, 0.5))
            ),
        ),
        on(
            anderson_acceleration,
            (LOGISTIC, {"learning_rate": step(0.8), "memory": 2, "num_steps": 8}),
            (DENSE, {"learning_rate": step(0.7), "memory": 3, "num_steps": 7}),
            (softplus_bowl(), {"learning_rate": step(0.9), "memory": 1, "num_steps": 8}),
            # Three residuals in the plane: only where they are linearly dependent is a pseudo-inverse wrong.
            (softplus_bowl(), {"x0": np.array([-1.0, 2.0]), "learning_rate": step(0.9), "memory": 2, "num_steps": 4}),
        ),
        on(
            preconditioned_gradient_descent,
            (DENSE, {"preconditioner": PRECONDITIONER, "learning_rate": 0.4, "num_steps": 30}),
            (OTHER, {"preconditioner": SMALL_PRECONDITIONER, "learning_rate": 0.15, "num_steps": 30}),
        ),
        on(
            newton,
            (LOGISTIC, {"learning_rate": 0.7, "num_steps": 12}),
            (softplus_bowl(), {"learning_rate": 1.0, "num_steps": 5}),
            (DENSE, {"learning_rate": 0.4, "num_steps": 20}),
        ),
        on(
            projected_gradient_descent,
            (BOX, {"learning_rate": step(0.7), "num_steps": 40}),
            (SIMPLEX, {"learning_rate": step(1.2), "num_steps": 30}),
            (BOX, {"x0": np.linspace(-3.0, 3.0, 6), "learning_rate": step(0.7), "num_steps": 20}),
            (face_changing_quadratic(), {"learning_rate": step(1.2), "num_steps": 120}),
            (l1_ball_least_squares(), {"learning_rate": step(0.8), "num_steps": 30}),
        ),
        on(
            proximal_gradient_descent,
            (LASSO, {"learning_rate": step(0.7), "num_steps": 40}),
            (OTHER_LASSO, {"learning_rate": step(1.2), "num_steps": 30}),
        ),
        on(
            ista,
            (LASSO, {"learning_rate": step(0.7), "num_steps": 40}),
            (OTHER_LASSO, {"learning_rate": step(1.2), "num_steps": 30}),
        ),
        on(
            project_box,
            (None, {"v": 2 * normal(8, seed=12), "lower": np.linspace(-1, 0.5, 8), "upper": np.linspace(0.7, 1.4, 8)}),
            (None, {"v": 3 * normal(6, seed=13), "lower": -0.5, "upper": 1.5}),
        ),
        on(
            project_l2_ball,
            (None, {"v": 3 * normal(5, seed=14), "radius": 1.5, "center": normal(5, seed=15)}),
            (None, {"v": 3 * normal(4, 3, seed=16), "radius": 2.0, "center": 0.5}),
            (None, {"v": 0.1 * normal(5, seed=17), "radius": 1.5, "center": 0.0}),
        ),
        on(
            project_hyperplane,
            (None, {"v": normal(5, seed=18), "normal": normal(5, seed=19), "offset": 1.3}),
            (None, {"v": normal(7, seed=20), "normal": 2 * normal(7, seed=21), "offset": -0.4}),
        ),
        on(
            project_halfspace,
            (None, {"v": normal(5, seed=18), "normal": normal(5, seed=19), "offset": -5.0}),
            (None, {"v": normal(7, seed=20), "normal": 2 * normal(7, seed=21), "offset": 30.0}),
        ),
        on(
            project_simplex,
            (None, {"v": normal(8, seed=22), "radius": 1.0}),
            (None, {"v": 0.3 * normal(6, seed=23) + 0.2, "radius": 2.5}),
            (None, {"v": 2 * normal(7, seed=24), "radius": 0.7}),
        ),
        on(
            project_l1_ball,
            (None, {"v": normal(8, seed=25), "radius": 2.0}),
            (None, {"v": 0.1 * normal(6, seed=26), "radius": 2.5}),
            (None, {"v": 2 * normal(7, seed=27), "radius": 0.7}),
        ),
        on(
            prox_l1,
            (None, {"v": normal(9, seed=28), "t": 0.4}),
            (None, {"v": 3 * normal(6, seed=29), "t": 1.7}),
        ),
        on(
            prox_l2,
            (None, {"v": normal(6, seed=30), "t": 0.4}),
            (None, {"v": 1.3 * directions(1, 5, seed=31)[0], "t": 1.7}),
            (None, {"v": 0.7 * directions(1, 4, seed=32)[0], "t": 0.3}),
        ),
        on(
            prox_nuclear,
            (None, {"M": normal(4, 4, seed=33), "t": 0.6}),
            (None, {"M": 2 * normal(5, 3, seed=34), "t": 1.4}),
        ),
        on(
            prox_elastic_net,
            (None, {"v": 2 * normal(6, seed=35), "t": 0.5, "l1_weight": 0.8, "l2_weight": 1.5}),
            (None, {"v": 3 * normal(5, seed=36), "t": 1.5, "l1_weight": 0.4, "l2_weight": 0.3}),
        ),
        on(
            zo_gd_forward_difference,
            (OTHER, {"learning_rate": step(0.7), "tau": 0.3, "num_steps": 25}),
            (saturating_wells(), {"learning_rate": step(0.9), "tau": 0.1, "num_steps": 20}),
        ),
        on(
            zo_gd_vanishing_difference,
            (OTHER, {"learning_rate": step(0.7), "taus": inverse_taus(0.5, 25), "num_steps": 25}),
            (saturating_wells(), {"learning_rate": step(0.9), "taus": inverse_taus(0.4, 20), "num_steps": 20}),
        ),
        on(
            zo_gd_sphere,
            (OTHER, {"learning_rate": step(0.2), "tau": 0.3, "directions": directions(40, 4, 37), "num_steps": 40}),
            (DENSE, {"learning_rate": step(0.1), "tau": 0.1, "directions": directions(30, 6, 38), "num_steps": 30}),
        ),
        on(
            zo_gd_sparse,
            (
                few_coordinates(dimension=12, relevant=3),
                {
                    "learning_rate": 0.5,
                    "tau": 0.1,
                    "l1_weight": 0.02,
                    "directions": rademacher_directions((8, 9, 12), seed=39),
                    "num_steps": 8,
                },
            ),
            (
                OTHER,
                {
                    "learning_rate": step(0.5),
                    "tau": 0.2,
                    "l1_weight": 0.05,
                    "directions": normal(10, 3, 4, seed=40),
                    "num_steps": 10,
                },
            ),
        ),
        on(
            momentum_sgd,
            (SUM, {"learning_rate": 0.03, "momentum": 0.8, "indices": samples(10, 60, 41), "num_steps": 60}),
            (SMALL_SUM, {"learning_rate": 0.05, "momentum": 0.5, "indices": samples(6, 40, 42), "num_steps": 40}),
        ),
        on(
            rmsprop,
            (tiny_gradients(), {"learning_rate": 0.01, "decay": 0.9, "num_steps": 60, **adaptive}),
            (DENSE, {"learning_rate": 0.03, "decay": 0.8, "epsilon": 1e-2, "num_steps": 40}),
        ),
        on(
            adam,
            (tiny_gradients(), {"learning_rate": 0.05, "num_steps": 60, **betas, **adaptive}),
            (DENSE, {"learning_rate": 0.03, "num_steps": 40, **quick}),
        ),
        on(
            adamw,
            (tiny_gradients(), {"learning_rate": 0.05, "weight_decay": 0.1, "num_steps": 60, **betas, **adaptive}),
            (DENSE, {"learning_rate": 0.03, "weight_decay": 0.3, "num_steps": 40, **quick}),
        ),
        on(
            saga,
            (
                SUM,
                {
                    "num_components": 10,
                    "learning_rate": 0.05,
                    "indices": samples(10, 60, 43),
                    "num_steps": 60,
                },
            ),
            (
                SMALL_SUM,
                {
                    "num_components": 6,
                    "learning_rate": 0.03,
                    "indices": samples(6, 40, 44),
                    "num_steps": 40,
                },
            ),
        ),
        on(
            clipped_gd,
            (steep_quadratic(), {"learning_rate": 0.15, "threshold": 4.0, "num_steps": 40}),
            (DENSE, {"learning_rate": step(0.7), "threshold": 1.7, "num_steps": 40}),
            (TALL, {"learning_rate": step(0.9), "threshold": 2.5, "num_steps": 25}),
            (GENTLE, {"learning_rate": step(0.7), "threshold": 1e-3, "num_steps": 25}),
        ),
    ]
    return {group[0].reference: group for group in every}


# The forms.


@dataclass(frozen=True)
class Form:
    """One way to write an algorithm."""

    algorithm: Function
    family: str
    """What sort of form it is: a line of the table."""
    mistake: str | None
    """Identifier of the mistake or convention; None where it is right."""
    function: Function

    @property
    def name(self) -> str:
        """For lists."""
        return f"{self.algorithm.__name__}: {self.mistake or self.function.__name__} ({self.family})"


def forms(experiment: Experiment) -> Iterator[Form]:
    """All forms of the algorithm of this experiment (any of its experiments will do)."""
    algorithm = experiment.reference
    names = list(experiment.arguments)
    yield Form(algorithm, "reference", None, algorithm)
    for variant in variants(algorithm, Kind.EQUIVALENT):
        yield Form(algorithm, "equivalents", None, variant.function)
    yield Form(algorithm, "single precision", None, in_single(algorithm))
    for function in (algorithm, *(variant.function for variant in variants(algorithm, Kind.EQUIVALENT))):
        yield Form(algorithm, "other order of sums", None, in_reversed_order(function, names))
    for function in RIGHT.get(algorithm, []):
        yield Form(algorithm, "rewritten", None, function)
    for kind, family in ((Kind.CONVENTION, "conventions"), (Kind.MISTAKE, "mistakes")):
        for variant in variants(algorithm, kind):
            yield Form(algorithm, family, variant.identifier, variant.function)
            if variant.identifier in RIGHT_IN_SINGLE:
                yield Form(algorithm, "single precision", None, in_single(variant.function))
            elif variant.identifier not in IN_PLACE:
                yield Form(algorithm, f"{family}, single precision", variant.identifier, in_single(variant.function))
            if variant.identifier not in NOT_REVERSIBLE:
                function = in_reversed_order(variant.function, names)
                yield Form(algorithm, f"{family}, other order of sums", variant.identifier, function)
    for identifier, function in WRONG.get(algorithm, []):
        yield Form(algorithm, "rewritten", identifier, function)


def in_single(function: Function) -> Function:
    """All inputs, all answers of oracles, all points where they are asked, and the result rounded to float32."""

    def rounded(value: Any) -> Any:
        return np.asarray(value).astype(np.float32)

    def argument(value: Any) -> Any:
        if callable(value):
            return lambda point, *rest: rounded(value(rounded(point).astype(np.float64), *rest))
        if isinstance(value, float):
            return float(np.float32(value))
        return rounded(value) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value

    @wraps(function)
    def run(*arguments: Any) -> Any:
        return rounded(function(*map(argument, arguments)))

    return run


def in_reversed_order(function: Function, names: Sequence[str]) -> Function:
    """The same with the coordinates numbered from the last to the first: views, so that changed inputs are changed."""

    def flipped(value: Any, twice: bool = False) -> Any:
        if np.ndim(value) == 0:
            return value
        return np.asarray(value)[::-1, ::-1] if twice else np.asarray(value)[..., ::-1]

    def argument(name: str, value: Any) -> Any:
        if callable(value):
            return lambda point, *rest: flipped(value(flipped(point), *rest), name in BY_TWO_COORDINATES)
        return value if name in NOT_BY_COORDINATE else flipped(value, name in BY_TWO_COORDINATES)

    @wraps(function)
    def run(*arguments: Any) -> Any:
        value = function(*map(argument, names, arguments))
        return flipped(value, twice="M" in names)

    return run


def record(function: Function, experiment: Experiment) -> Recording:
    """What the sandbox would record, for code that we trust."""
    calls = dict.fromkeys(experiment.oracles, 0)

    def counted(name: str, oracle: Function) -> Function:
        def answer(point: Any, *rest: Any) -> Any:
            calls[name] += 1
            return oracle(np.array(point, dtype=np.float64), *rest)

        return answer

    given = experiment.arguments
    handed: dict[str, Any] = {
        name: counted(name, value) if callable(value) else value.copy() if isinstance(value, np.ndarray) else value
        for name, value in given.items()
    }
    try:
        with np.errstate(all="ignore"):
            value = np.asarray(function(*handed.values()))
    except Exception as error:
        raised = StudentError(type(error).__name__, str(error))
        return Recording(experiment.key, Outcome.RAISED, calls=calls, error=raised)
    changed = tuple(
        name for name, was in given.items() if isinstance(was, np.ndarray) and not np.array_equal(was, handed[name])
    )
    return Recording(experiment.key, Outcome.RETURNED, value, "numpy.ndarray", calls=calls, changed_inputs=changed)


# The verdicts.


@dataclass(frozen=True)
class Judged:
    """One form, what came out of it on each experiment, and what was made of it."""

    form: Form
    observations: Sequence[Observation]

    @cached_property
    def accepted(self) -> bool:
        """Whether it would get all points."""
        wanted = checks(self.observations[0])
        return all(outcome.passed for check in wanted for outcome in judge_check(check, self.observations))

    @cached_property
    def diagnosis(self) -> Diagnosis | None:
        """What the student is told."""
        return diagnose(self.observations)

    @property
    def named(self) -> bool:
        """Whether the diagnosis is the form's own mistake."""
        found = self.diagnosis
        return found is not None and self.form.mistake in (found.identifier, *found.alternatives)

    @cached_property
    def wrong_in_manner_only(self) -> bool:
        """Whether all numbers are right, and the form is wrong in its oracle calls or its inputs."""
        return self.form.mistake is not None and all(observation.agrees() for observation in self.observations)

    @property
    def raised(self) -> bool:
        """Whether it raised an exception in every experiment: the student is shown that, and it needs no diagnosis."""
        return all(observation.recording.outcome is Outcome.RAISED for observation in self.observations)

    @cached_property
    def accepted_by_allclose(self) -> bool:
        """Whether `numpy.allclose` accepts what was returned, on every experiment."""
        return all(map(_allclose, self.observations))

    @cached_property
    def accepted_by_last_iterate(self) -> bool:
        """Whether the last row (the value, where there are no iterates) is within 1e-4, on every experiment."""
        return all(_close_at_the_end(observation) for observation in self.observations)


def checks(observation: Observation) -> list[Check]:
    """The checks of a question about this algorithm."""
    if not observation.experiment.iterative:
        return [Values(points=1), UnchangedInputs(points=1)]
    calls = [Calls(points=1, id=oracle, oracle=oracle) for oracle in observation.experiment.oracles]
    return [Iterates(points=1), *calls, UnchangedInputs(points=1)]


def _pair(observation: Observation) -> tuple[np.ndarray, np.ndarray]:
    """What was returned, and what was asked for; nothing where nothing was returned."""
    value = observation.recording.value
    got = np.asarray(value, dtype=np.float64) if isinstance(value, np.ndarray) else np.empty(0)
    return got, observation.answer.parts[0]


def _allclose(observation: Observation) -> bool:
    got, asked = _pair(observation)
    return got.shape == asked.shape and np.allclose(got, asked, rtol=1e-5, atol=1e-8)


def _close_at_the_end(observation: Observation) -> bool:
    got, asked = _pair(observation)
    if observation.answer.iterative and got.ndim and len(got):
        got, asked = got[-1], asked[-1]
    return got.shape == asked.shape and bool((abs(got - asked) <= 1e-4).all())


def bench(chosen: dict[Function, list[Experiment]]) -> tuple[list[Judged], dict[str, Answer]]:
    """All forms of these algorithms, recorded, with the answers that they are judged by."""
    answers = {e.key: build_answer(e) for group in chosen.values() for e in group}
    judged = [
        Judged(form, [Observation(e, record(form.function, e), answers[e.key]) for e in group])
        for group in chosen.values()
        for form in forms(group[0])
    ]
    return judged, answers


# The time.


def milliseconds(work: Callable[[], object], rounds: int = 30) -> tuple[float, float]:
    """Median and worst over the rounds, after one that is not counted; processor time, which leaves out other work."""
    work()
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        taken.append(1e3 * (time.process_time() - start))
    return statistics.median(taken), max(taken)


def timed_experiments() -> list[Experiment]:
    """Two of 500 x 50 for RMSProp, which has ten mistakes and a convention."""
    settings = {"decay": 0.9, "epsilon": 1e-8, "num_steps": 499}
    return on(
        rmsprop,
        (problems.random_quadratic(50, 5.0, 0.1, seed=50), {"learning_rate": 0.01, **settings}),
        (problems.random_quadratic(50, 4.0, 0.2, seed=52), {"learning_rate": 0.02, **settings}),
    )


def timed_forms() -> dict[str, Function]:
    """What is judged on them: right, wrong and named, and wrong in ways that nothing in the library explains."""

    def altered(change: Callable[[np.ndarray, np.ndarray], np.ndarray], function: Function = rmsprop) -> Function:
        def run(*arguments: Any) -> np.ndarray:
            path = function(*arguments)
            return change(path, np.arange(len(path))[:, None])

        return run

    def by_gradient(share: float) -> Function:
        return lambda gradient, x0, *others: gradient_descent(gradient, x0, share, others[-1])

    noise = 1e-3 * normal(500, 50, seed=51)
    (known,) = (v.function for v in variants(rmsprop, Kind.MISTAKE) if v.identifier == "stale_average")
    return {
        "right": rmsprop,
        "a named mistake": known,
        "a named mistake, its rows one late": altered(lambda path, k: path[np.maximum(k[:, 0] - 1, 0)], known),
        "noise from x_1 on": altered(lambda path, k: path + (k >= 1) * noise),
        "noise from x_30 on": altered(lambda path, k: path + (k >= 30) * noise),
        "noise on a named mistake": altered(lambda path, k: path + (k >= 30) * noise, known),
        "another algorithm": by_gradient(0.2),
        "a slowly growing error": altered(lambda path, k: path * 1.0001**k),
        "diverging": by_gradient(0.6),
        "random numbers": altered(lambda path, k: 1e3 * noise),
        "nan from x_200 on": altered(lambda path, k: np.where(k < 200, path + (k >= 1) * noise, np.nan)),
        "three rows missing": altered(lambda path, k: path[:-3]),
    }


def wrong_rate(gradient: Function, x0: np.ndarray, learning_rate: float, *others: Any) -> np.ndarray:
    """RMSProp with another learning rate, which no single experiment shows."""
    return rmsprop(gradient, x0, 0.9 * learning_rate, *others)


def times_of_judging() -> dict[str, tuple[float, float]]:
    """Median and worst milliseconds for one recording; for two, where the reference is run again to fit constants."""
    every = timed_experiments()
    answers = [build_answer(experiment) for experiment in every]

    def judging(function: Function, count: int) -> Callable[[], object]:
        recordings = [record(function, experiment) for experiment in every]
        pairs = list(zip(every, recordings, answers, strict=True))[:count]
        return lambda: _judge([Observation(*pair) for pair in pairs])

    found = {name: milliseconds(judging(function, 1)) for name, function in timed_forms().items()}
    refitted = {"noise from x_1 on": timed_forms()["noise from x_1 on"], "another learning rate": wrong_rate}
    for name, function in refitted.items():
        found[f"{name}, two experiments"] = milliseconds(judging(function, 2), rounds=10)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "key.safetensors"
        write_answer_key(AnswerKey("", {every[0].key: answers[0]}), file)
        found["loading the answer key"] = milliseconds(lambda: read_answer_key(file))
    return found


def _judge(observations: Sequence[Observation]) -> object:
    return [judge_check(check, observations) for check in checks(observations[0])], diagnose(observations)


def time_of_loading(answers: dict[str, Answer]) -> tuple[float, float]:
    """Milliseconds and megabytes of the answer key of all experiments of the bench."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "key.safetensors"
        write_answer_key(AnswerKey("", answers), file)
        return milliseconds(lambda: read_answer_key(file))[0], file.stat().st_size / 1e6


# The report.


def table(judged: Sequence[Judged]) -> str:
    """One line for each family of forms, in Markdown."""
    right = Counter(j.form.family for j in judged if j.form.mistake is None)
    lines = ["| right forms | | rejected | by allclose | by last iterate |", "|---|---|---|---|---|"]
    for family, count in [*right.items(), ("**all**", right.total())]:
        own = [j for j in judged if j.form.mistake is None and family in (j.form.family, "**all**")]
        rejected = [sum(not a for a in column) for column in _accepted(own)]
        lines.append(f"| {family} | {count} | {' | '.join(map(str, rejected))} |")
    wrong = Counter(j.form.family for j in judged if j.form.mistake is not None)
    lines += ["", "| wrong forms | | accepted | by allclose | by last iterate | named | misnamed | raised | unnamed |"]
    lines += ["|---|---|---|---|---|---|---|---|---|"]
    for family, count in [*wrong.items(), ("**all**", wrong.total())]:
        own = [j for j in judged if j.form.mistake is not None and family in (j.form.family, "**all**")]
        accepted = [sum(column) for column in _accepted(own)]
        named, silent = sum(j.named for j in own), [j for j in own if j.diagnosis is None]
        raised = sum(j.raised for j in silent)
        lines.append(
            f"| {family} | {count} | {' | '.join(map(str, accepted))} | "
            f"{named} | {len(own) - named - len(silent)} | {raised} | {len(silent) - raised} |"
        )
    return "\n".join(lines)


def names(judged: Sequence[Judged]) -> str:
    """How many wrong forms are named together with an alternative, and without single precision, in words."""
    wrong = [j for j in judged if j.form.mistake is not None]
    several = sum(j.named and j.diagnosis is not None and bool(j.diagnosis.alternatives) for j in wrong)
    double = [j for j in wrong if "single precision" not in j.form.family]
    misnamed = sum(j.diagnosis is not None and not j.named for j in double)
    return (
        f"Named together with an alternative: {several}. Without single precision: {len(double)} wrong forms, "
        f"{sum(j.named for j in double)} named, {misnamed} misnamed."
    )


def _accepted(judged: Sequence[Judged]) -> tuple[list[bool], list[bool], list[bool]]:
    return (
        [j.accepted for j in judged],
        [j.accepted_by_allclose for j in judged],
        [j.accepted_by_last_iterate for j in judged],
    )


def sight(judged: Sequence[Judged]) -> str:
    """What the three tests see of wrong numbers, in words: of whole forms, and of single experiments."""
    wrong = [j for j in judged if j.form.mistake is not None]
    blind = [j for j in wrong if j.wrong_in_manner_only]
    single = [o for j in wrong for o in j.observations if o.recording.outcome is Outcome.RETURNED]
    seen = [o for o in single if not o.agrees()]
    return (
        f"Right in their numbers, wrong in oracle calls or inputs, which the other two tests cannot see: {len(blind)}, "
        f"of which allclose accepts {sum(j.accepted_by_allclose for j in blind)}, "
        f"the last iterate {sum(j.accepted_by_last_iterate for j in blind)}.\n"
        f"Of {len(single)} recordings of wrong forms, the numbers of {len(seen)} are outside the derived tolerance; "
        f"allclose accepts {sum(map(_allclose, seen))} of these, the last iterate {sum(map(_close_at_the_end, seen))}."
    )


def misses(judged: Sequence[Judged]) -> Iterator[str]:
    """Every form that was not judged as wanted, in words."""
    for each in judged:
        found = each.diagnosis
        said = "nothing" if found is None else " or ".join((found.identifier, *found.alternatives))
        if each.form.mistake is None and not each.accepted:
            yield f"right, rejected: {each.form.name}, called {said}"
        elif each.form.mistake is None and found is not None:
            yield f"right, accepted, but called {said}: {each.form.name}"
        elif each.form.mistake is not None and each.accepted:
            yield f"wrong, accepted: {each.form.name}, called {said}"
        elif each.form.mistake is not None and not each.named:
            yield f"{'misnamed' if found else 'raised' if each.raised else 'unnamed'}: {each.form.name}, called {said}"


def main() -> None:
    chosen = experiments()
    start = time.perf_counter()
    judged, answers = bench(chosen)
    built = time.perf_counter() - start
    print(f"{len(chosen)} algorithms, {len(answers)} experiments, {len(judged)} forms (built in {built:.0f} s)\n")
    print(table(judged), "\n")
    print(names(judged), "\n")
    print(sight(judged), "\n")
    print("\n".join(misses(judged)), "\n")
    print("| one recording of 500 x 50 | median, ms | worst, ms |\n|---|---|---|")
    for name, (middle, worst) in times_of_judging().items():
        print(f"| {name} | {middle:.2g} | {worst:.2g} |")
    taken, size = time_of_loading(answers)
    print(f"loading the answer key of the bench ({size:.1f} MB): {taken:.1f} ms")


if __name__ == "__main__":
    main()
