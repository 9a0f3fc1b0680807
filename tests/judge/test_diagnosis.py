"""What is said about wrong answers: each finding on two algorithms, and what comes near it and is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import count
from typing import Any

import numpy as np
import pytest

from grader.answer_key.answer import Answer
from grader.answer_key.build import build_answer
from grader.assignment.check import Iterates
from grader.assignment.experiment import Experiment, Seed
from grader.judge.checks import judge_experiment
from grader.judge.diagnosis import diagnose
from grader.judge.grade import Diagnosis
from grader.judge.observation import Observation
from grader.judge.residual import rerun_with_tolerance
from grader.judge.structure import structural_finding
from grader.sandbox.recording import Outcome, Recording
from reference import problems
from reference.lecture01.least_squares import least_squares_constants, least_squares_gradient, least_squares_value
from reference.lecture02.gradient_descent import gradient_descent
from reference.lecture02.linear_network import linear_network_gradients
from reference.lecture03.heavy_ball import heavy_ball
from reference.lecture03.nesterov_strongly_convex import nesterov_strongly_convex
from reference.lecture03.preconditioned_gradient_descent import preconditioned_gradient_descent
from reference.variants import Kind, variants
from reference.variants import mistake as register_mistake

Function = Callable[..., Any]

TALL = problems.random_least_squares(rows=20, columns=6, condition=20.0, seed=2)
SQUARE = problems.random_least_squares(rows=4, columns=4, condition=10.0, seed=3)
LOGISTIC = problems.random_logistic(rows=30, columns=5, seed=6)
QUADRATIC = problems.random_quadratic(dimension=8, smoothness=5.0, strong_convexity=0.5, seed=7)


def step(problem: Any) -> float:
    return float(1 / problem.smoothness)


EXPERIMENTS = {
    gradient_descent: [
        Experiment("tall", gradient_descent, TALL, learning_rate=step, num_steps=40, public=True),
        Experiment("logistic", gradient_descent, LOGISTIC, learning_rate=step, num_steps=30),
        Experiment("quadratic", gradient_descent, QUADRATIC, learning_rate=step, num_steps=60),
    ],
    heavy_ball: [
        Experiment("tall", heavy_ball, TALL, learning_rate=step, momentum=0.6, num_steps=40, public=True),
        Experiment("logistic", heavy_ball, LOGISTIC, learning_rate=step, momentum=0.8, num_steps=30),
        Experiment("quadratic", heavy_ball, QUADRATIC, learning_rate=step, momentum=0.3, num_steps=60),
    ],
    nesterov_strongly_convex: [
        Experiment(
            name,
            nesterov_strongly_convex,
            problem,
            smoothness=lambda problem: problem.smoothness,
            strong_convexity=strong_convexity,
            num_steps=50,
            public=True,
        )
        for name, problem, strong_convexity in [
            ("tall", TALL, TALL.strong_convexity),
            ("quadratic", QUADRATIC, QUADRATIC.strong_convexity),
            ("logistic", LOGISTIC, 0.01),
        ]
    ],
    preconditioned_gradient_descent: [
        Experiment(
            name,
            preconditioned_gradient_descent,
            problem,
            preconditioner=np.diag(np.linspace(0.4, 0.9, len(problem.x0))),
            learning_rate=step,
            num_steps=40,
            public=True,
        )
        for name, problem in [("tall", TALL), ("quadratic", QUADRATIC)]
    ],
    least_squares_value: [
        Experiment("tall", least_squares_value, TALL, x=np.linspace(-1.0, 2.0, 6), public=True),
        Experiment("square", least_squares_value, SQUARE, x=np.array([1.0, -2.0, 0.5, 3.0])),
    ],
    least_squares_gradient: [
        Experiment("tall", least_squares_gradient, TALL, x=np.linspace(-1.0, 2.0, 6), public=True),
        Experiment("square", least_squares_gradient, SQUARE, x=np.array([1.0, -2.0, 0.5, 3.0])),
    ],
    least_squares_constants: [
        Experiment("tall", least_squares_constants, TALL, public=True),
        Experiment("square", least_squares_constants, SQUARE),
    ],
    linear_network_gradients: [
        Experiment(
            name,
            linear_network_gradients,
            **{
                key: np.random.default_rng(seed + place).standard_normal(shape)
                for place, (key, shape) in enumerate(shapes.items())
            },
            public=True,
        )
        for name, seed, shapes in [
            ("oblong", 10, {"W1": (3, 4), "W2": (5, 3), "W3": (2, 5), "a": 4, "b": 2}),
            ("square", 20, {"W1": (3, 3), "W2": (3, 3), "W3": (3, 3), "a": 3, "b": 3}),
        ]
    ],
}
PATHS = [gradient_descent, heavy_ball, nesterov_strongly_convex]
VALUES = [least_squares_value, least_squares_gradient]

both = pytest.mark.parametrize("method", PATHS, ids=lambda method: method.__name__)
values = pytest.mark.parametrize("function", VALUES, ids=lambda function: function.__name__)


@cache
def answer(experiment: Experiment) -> Answer:
    return build_answer(experiment)


def observe(student: Function, experiment: Experiment) -> Observation:
    """What is observed when the student's function is trusted and run right here."""
    calls = dict.fromkeys(experiment.oracles, 0)

    def counted(name: str) -> Function:
        def oracle(x: np.ndarray) -> Any:
            calls[name] += 1
            return experiment.oracles[name](x)

        return oracle

    arguments = {
        name: counted(name) if callable(value) else value.copy() if isinstance(value, np.ndarray) else value
        for name, value in experiment.arguments.items()
    }
    with np.errstate(all="ignore"):
        value = student(**arguments)
    value = tuple(map(np.asarray, value)) if isinstance(value, tuple) else np.asarray(value)
    recording = Recording(experiment.key, Outcome.RETURNED, value, "numpy.ndarray", calls=calls)
    return Observation(experiment, recording, answer(experiment))


def diagnosis(reference: Function, student: Function) -> Diagnosis | None:
    return diagnose([observe(student, experiment) for experiment in EXPERIMENTS[reference]])


def found(reference: Function, student: Function) -> str | None:
    named = diagnosis(reference, student)
    return named and named.identifier


def after(function: Function, change: Callable[[Any], Any]) -> Function:
    """The function with its result changed."""
    return lambda **arguments: change(function(**arguments))


def given(function: Function, **changes: Callable[[Any], Any]) -> Function:
    """The function with some of its arguments changed on the way in."""

    def changed(**arguments: Any) -> Any:
        return function(**{name: changes.get(name, lambda value: value)(value) for name, value in arguments.items()})

    return changed


def mistake(function: Function, identifier: str) -> Function:
    (variant,) = [v for v in variants(function, Kind.MISTAKE) if v.identifier == identifier]
    return variant.function


def softplus(x: np.ndarray) -> Any:
    """log(1 + exp(x)) of each entry."""
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


@register_mistake(softplus, "The exponential of a large number is infinite.")
def softplus_overflow(x: np.ndarray) -> Any:
    return np.log1p(np.exp(x))


SOFTPLUS = [
    Experiment("small", softplus, x=np.array([-1.0, 0.5, 2.0])),
    Experiment("large", softplus, x=np.array([-1.0, 900.0, 2.0])),
]


@pytest.mark.parametrize("where", [0, 1, 2])
@pytest.mark.parametrize("what", [np.nan, np.inf, -np.inf])
def test_nan_and_each_infinity_are_three_different_results(what: float, where: int) -> None:
    """The mistake gives inf in the entry 1: neither another entry nor nan is explained by it."""

    def student(x: np.ndarray) -> Any:
        result = softplus(x)
        result[where] = what if x.max() > 800 else result[where]
        return result

    diagnosed = diagnose([observe(student, experiment) for experiment in SOFTPLUS])
    assert diagnosed is not None
    assert diagnosed.identifier == ("softplus_overflow" if (what, where) == (np.inf, 1) else "not_finite")


def test_a_run_that_overflows_differently_after_the_same_step_is_the_same_run() -> None:
    """Of iterates, the order of operations decides what is inf and what is nan."""
    experiment = Experiment("long", gradient_descent, problems.parabola(), learning_rate=0.9, num_steps=1500)
    ascent = answer(experiment).variants["gradient_ascent"]
    assert ascent.parts is not None
    finite = np.isfinite(ascent.parts[0])
    assert not finite.all()

    def student(**arguments: Any) -> Any:
        return np.where(finite, mistake(gradient_descent, "gradient_ascent")(**arguments), np.nan)

    diagnosed = diagnose([observe(student, experiment)])
    assert diagnosed is not None
    assert diagnosed.identifier == "gradient_ascent"


def test_a_mistake_that_amplifies_rounding_explains_nothing_by_its_wide_tolerance() -> None:
    """The same wrong numbers, beside a library whose mistakes have envelopes as wide as the numbers are large."""
    student = after(gradient_descent, lambda path: path + uneven(path) * (np.arange(len(path)) > 0)[:, None])
    for experiment in EXPERIMENTS[gradient_descent]:
        seen = observe(student, experiment)
        wide = {
            name: replace(variant, envelope=tuple(1e3 + off for off in variant.envelope))
            for name, variant in seen.answer.variants.items()
        }
        assert diagnose([replace(seen, answer=replace(seen.answer, variants=wide))]) is None


# --- relations -------------------------------------------------------------------------------------------------


@both
def test_right_answers_have_no_diagnosis(method: Function) -> None:
    assert diagnosis(method, method) is None


def reversed_coordinates(path: Any) -> Any:
    return path[:, ::-1]


def one_row_late(path: Any) -> Any:
    return np.vstack([path[:1], path[:-1]])


def moved(path: Any) -> Any:
    return path + np.linspace(1.0, 2.0, path.shape[1])


@both
@pytest.mark.parametrize(
    ("change", "identifier"),
    [
        (np.transpose, "transposed"),
        (reversed_coordinates, "permuted"),
        (one_row_late, "one_row_late"),
        (lambda path: np.vstack([path[:1], path]), "start_twice"),
        (lambda path: np.vstack([path, path[-1:]]), "row_too_many"),
        (lambda path: path[-1], "final_point_only"),
        (lambda path: np.tile(path[-1], (len(path), 1)), "aliased_rows"),
        (lambda path: np.tile(path[0], (len(path), 1)), "identical_rows"),
        (lambda path: 3.0 * path, "constant_factor"),
        (np.negative, "opposite_sign"),
        (moved, "constant_offset"),
        (lambda path: path - path[0], "constant_offset"),
    ],
)
def test_paths_in_a_wrong_arrangement(method: Function, change: Callable[[Any], Any], identifier: str) -> None:
    named = diagnosis(method, after(method, change))
    assert named is not None
    assert named.identifier == identifier


@both
def test_rows_that_are_one_step_ahead(method: Function) -> None:
    ahead = after(given(method, num_steps=lambda steps: steps + 1), lambda path: path[1:])
    assert found(method, ahead) == "one_row_early"


@both
@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.T * 1.000001,
        lambda path: np.hstack([path[:, ::-1][:, :-1], path[:, :1] * 1.000001]),
        lambda path: np.vstack([path[:1], path[:-1] * 1.000001]),
        lambda path: path * np.linspace(3.0, 3.000001, len(path))[:, None],
        lambda path: path + np.linspace(1.0, 1.000001, len(path))[:, None],
        lambda path: np.vstack([path, path[-1:]])[:, ::-1] ** 3,
    ],
)
def test_near_a_relation_is_not_the_relation(method: Function, change: Callable[[Any], Any]) -> None:
    assert found(method, after(method, change)) in (None, "wrong_start")


@both
def test_a_relation_must_hold_in_all_experiments(method: Function) -> None:
    def sometimes(path: Any) -> Any:
        return path.T if path.shape[1] == 6 else path

    assert diagnosis(method, after(method, sometimes)) is None


@values
@pytest.mark.parametrize(
    ("change", "identifier"),
    [
        (lambda value: 3.0 * value, "constant_factor"),
        (lambda value: -2.0 * value, "constant_factor"),
        (lambda value: value + 0.7, "constant_offset"),
    ],
)
def test_values_off_by_one_constant(function: Function, change: Callable[[Any], Any], identifier: str) -> None:
    named = diagnosis(function, after(function, change))
    assert named is not None
    assert identifier in (named.identifier, *named.alternatives)


@values
def test_a_factor_that_is_a_size_of_the_data(function: Function) -> None:
    def scaled(A: Any, b: Any, x: Any) -> Any:
        return function(A, b, x) / np.sqrt(len(b))

    named = diagnosis(function, scaled)
    assert named is not None
    assert named.identifier == "normalisation"
    assert "divided by the root of n" in named.sentence


@values
@pytest.mark.parametrize("change", [lambda A, value: value * A[0, 0], lambda A, value: value + A[0, 0]])
def test_another_constant_in_each_experiment_is_no_constant(function: Function, change: Function) -> None:
    def scaled(A: Any, b: Any, x: Any) -> Any:
        return change(A, function(A, b, x))

    assert diagnosis(function, scaled) is None


def test_a_single_number_proves_no_factor() -> None:
    (experiment, *_) = EXPERIMENTS[least_squares_value]
    wrong = observe(after(least_squares_value, lambda value: 1.2345 * value), experiment)
    assert diagnose([wrong]) is None


def test_one_of_three_values_is_off() -> None:
    named = diagnosis(
        linear_network_gradients,
        after(linear_network_gradients, lambda parts: (parts[0], 5.0 * parts[1], parts[2])),
    )
    assert named is not None
    assert named.identifier == "constant_factor"
    assert "of value 2 are 5 times" in named.sentence


def test_one_of_three_values_is_transposed() -> None:
    student = after(linear_network_gradients, lambda parts: (parts[0], parts[1].T, parts[2]))
    assert found(linear_network_gradients, student) == "transposed"


def test_values_in_another_order() -> None:
    student = after(linear_network_gradients, lambda parts: (parts[2], parts[0], parts[1]))
    assert found(linear_network_gradients, student) == "values_swapped"


# --- a wrong constant ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "name", "change", "words"),
    [
        (gradient_descent, "learning_rate", lambda given: 0.9 * given, "0.9 times the given one"),
        (gradient_descent, "learning_rate", lambda given: 0.013, "the same one in every experiment"),
        (heavy_ball, "learning_rate", lambda given: 1.05 * given, "1.05 times the given one"),
        (heavy_ball, "learning_rate", lambda given: (1 + 1e-8) * given, "the given one"),
        (heavy_ball, "momentum", lambda given: 0.9, "the same one in every experiment"),
        (heavy_ball, "momentum", lambda given: given**2, "the given one to the power 2"),
        (heavy_ball, "momentum", lambda given: 1.5 * given, "1.5 times the given one"),
        (nesterov_strongly_convex, "smoothness", lambda given: 2 * given, "2 times the given one"),
        (nesterov_strongly_convex, "strong_convexity", lambda given: 0.25 * given, "0.25 times the given one"),
    ],
)
def test_the_right_method_with_a_wrong_constant(
    method: Function, name: str, change: Callable[[float], float], words: str
) -> None:
    named = diagnosis(method, given(method, **{name: change}))
    assert named is not None
    assert f"wrong_{name}" in (named.identifier, *named.alternatives)
    assert words in named.sentence


def noisy_descent(gradient: Function, x0: Any, learning_rate: float, generator: Any, num_steps: int) -> Any:
    rows = [np.array(x0)]
    for _ in range(num_steps):
        rows.append(rows[-1] - learning_rate * (gradient(rows[-1]) + generator.standard_normal(len(x0))))
    return np.array(rows)


def test_a_wrong_constant_of_a_method_with_a_generator_is_found() -> None:
    """Each run behind the tolerance draws the same numbers: rounding alone sets them apart."""
    experiments = [
        Experiment(name, noisy_descent, problem, learning_rate=rate, generator=Seed(7), num_steps=30)
        for name, problem, rate in [("tall", TALL, 0.1 / TALL.smoothness), ("quadratic", QUADRATIC, 0.02)]  # type: ignore[operator]
    ]
    doubled = given(noisy_descent, learning_rate=lambda rate: 2 * rate)
    diagnosed = diagnose([observe(doubled, experiment) for experiment in experiments])
    assert diagnosed is not None
    assert diagnosed.identifier == "wrong_learning_rate"
    made = rerun_with_tolerance(experiments[0], {"learning_rate": 0.01})
    assert made is not None
    assert made[1][0].max() < 1e-12


def test_another_constant_without_a_rule_is_not_claimed() -> None:
    rates = iter([0.01, 0.3, 0.07])
    student = given(heavy_ball, learning_rate=lambda given: next(rates))
    assert "wrong" not in (found(heavy_ball, student) or "")


def test_one_experiment_proves_no_wrong_constant() -> None:
    student = given(heavy_ball, learning_rate=lambda given: 0.9 * given)
    wrong, *others = EXPERIMENTS[heavy_ball]
    assert diagnose([observe(student, wrong)]) is None
    named = diagnose([observe(student, experiment) for experiment in (wrong, others[0])])
    assert named is not None
    assert named.identifier == "wrong_learning_rate"


@pytest.mark.parametrize("identifier", ["momentum_of_heavy_ball", "own_momentum", "squared_momentum"])
def test_a_mistake_in_what_is_computed_from_a_constant_is_no_wrong_constant(identifier: str) -> None:
    student = mistake(nesterov_strongly_convex, identifier)
    observations = [observe(student, experiment) for experiment in EXPERIMENTS[nesterov_strongly_convex]]
    assert structural_finding(observations) is None


@both
def test_a_changing_step_is_no_wrong_constant(method: Function) -> None:
    def decaying(gradient: Function, x0: Any, num_steps: int, **others: float) -> Any:
        calls = iter(range(1, num_steps + 2))
        return method(gradient=lambda x: gradient(x) / next(calls) ** 0.3, x0=x0, num_steps=num_steps, **others)

    assert not (found(method, decaying) or "").startswith("wrong_")


# --- two at once -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "identifier", "change", "relation"),
    [
        (gradient_descent, "decaying_step", np.transpose, "transposed"),
        (gradient_descent, "doubled_gradient", lambda path: path[1:], "missing_first_row"),
        (gradient_descent, "halved_gradient", reversed_coordinates, "permuted"),
        (heavy_ball, "lagged_momentum", lambda path: path[:-1], "missing_last_row"),
        (nesterov_strongly_convex, "gradient_at_iterate", np.transpose, "transposed"),
        (nesterov_strongly_convex, "step_from_iterate", one_row_late, "one_row_late"),
    ],
)
def test_a_relation_on_top_of_a_named_mistake(
    method: Function, identifier: str, change: Callable[[Any], Any], relation: str
) -> None:
    named = diagnosis(method, after(mistake(method, identifier), change))
    assert named is not None
    assert named.kind == "mistake"
    assert f"{identifier}+{relation}" in (named.identifier, *named.alternatives)


@both
def test_two_mistakes_that_nobody_knows_are_not_named(method: Function) -> None:
    def unknown(path: Any) -> Any:
        return (path + 0.01 * np.sin(np.arange(1.0, path.size + 1)).reshape(path.shape)).T

    assert diagnosis(method, after(method, unknown)) is None


def uneven(path: Any) -> Any:
    return 0.3 * np.sin(np.arange(1.0, path.size + 1)).reshape(path.shape)


# --- along the run ---------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize(
    ("change", "identifier", "words"),
    [
        (lambda path: np.where(np.arange(len(path))[:, None] >= 7, np.nan, path), "not_finite", "from x_7 on"),
        (lambda path: path + uneven(path) * (np.arange(len(path)) >= 5)[:, None], "right_until_step", "x_5"),
        (
            lambda path: path + (4.0 ** np.arange(len(path)) * (np.arange(len(path)) > 3))[:, None],
            "diverging",
            "from x_4 on",
        ),
    ],
)
def test_the_course_of_a_run(method: Function, change: Callable[[Any], Any], identifier: str, words: str) -> None:
    named = diagnosis(method, after(method, change))
    assert named is not None
    assert named.identifier == identifier
    assert words in named.sentence


@both
def test_single_precision_inside_a_double_array(method: Function) -> None:
    student = given(method, gradient=lambda gradient: lambda x: gradient(x).astype(np.float32).astype(np.float64))
    assert found(method, student) == "single_precision"


@both
def test_an_error_far_below_single_precision_is_not_called_so(method: Function) -> None:
    def slightly_off(path: Any) -> Any:
        return path * (1 + 3e-12 * np.sin(np.arange(1.0, path.size + 1)).reshape(path.shape))

    student = after(method, slightly_off)
    assert found(method, student) != "single_precision"
    assert not all(observe(student, experiment).agrees() for experiment in EXPERIMENTS[method])


@both
def test_steps_that_are_a_little_too_short_are_not_single_precision(method: Function) -> None:
    def padded(gradient: Function) -> Function:
        return lambda x: gradient(x) * (1 - 1e-8 / (1e-2 + np.linalg.norm(gradient(x))))

    assert found(method, given(method, gradient=padded)) != "single_precision"


@both
def test_another_start_with_right_steps(method: Function) -> None:
    named = diagnosis(method, given(method, x0=lambda x0: x0 + 1.0))
    assert named is not None
    assert named.identifier == "wrong_start"
    assert "All steps are right" in named.sentence


@both
def test_another_start_with_wrong_steps(method: Function) -> None:
    def bent(gradient: Function, x0: Any, **others: Any) -> Any:
        return method(gradient=lambda x: np.tanh(gradient(x)), x0=x0 + 1.0, **others)

    named = diagnosis(method, bent)
    assert named is not None
    assert named.identifier == "wrong_start"
    assert "steps are right" not in named.sentence


@pytest.mark.parametrize("method", [gradient_descent, heavy_ball])
def test_another_fixed_point(method: Function) -> None:
    problem = problems.random_quadratic(dimension=4, smoothness=5.0, strong_convexity=2.0, seed=1)
    others = {} if method is gradient_descent else {"momentum": 0.1}
    experiment = Experiment("short", method, problem, learning_rate=step, num_steps=60, **others)

    def shifted(**arguments: Any) -> Any:
        return given(method, gradient=lambda gradient: lambda x: gradient(x) + 0.5 * np.sin(x) + 0.3)(**arguments)

    named = diagnose([observe(shifted, experiment)])
    assert named is not None
    assert named.identifier == "wrong_fixed_point"
    slow = observe(given(method, gradient=lambda gradient: lambda x: 0.02 * np.tanh(gradient(x))), experiment)
    assert diagnose([slow]) is None


@both
def test_what_grows_from_rounding_is_called_drifting(method: Function) -> None:
    student = disturbed(method, lambda k: 1e-15 * 1.6**k)
    assert found(method, student) == "drifting"


@both
def test_what_jumps_does_not_drift(method: Function) -> None:
    student = disturbed(method, lambda k: 1e-6 * (k >= 4))
    named = diagnosis(method, student)
    assert named is not None
    assert (named.identifier, "with x_5." in named.sentence) == ("right_until_step", True)


def disturbed(method: Function, size: Callable[[int], float]) -> Function:
    """The method with a disturbance of that size in the gradient of call 0, 1, ...; another one in each call."""

    def student(gradient: Function, **others: Any) -> Any:
        calls = count()

        def wrong(x: Any) -> Any:
            k = next(calls)
            return gradient(x) + size(k) * np.cos(np.arange(len(x)) + k)

        return method(gradient=wrong, **others)

    return student


NO_STEPS = [
    Experiment("none", gradient_descent, TALL, learning_rate=step, num_steps=0),
    Experiment("none", heavy_ball, TALL, learning_rate=step, momentum=0.6, num_steps=0),
]


@pytest.mark.parametrize("experiment", NO_STEPS, ids=lambda experiment: experiment.function)
def test_a_run_of_no_steps_is_its_starting_point(experiment: Experiment) -> None:
    def judged(student: Function) -> tuple[bool, Diagnosis | None]:
        observation = observe(student, experiment)
        return judge_experiment(Iterates(points=1), observation).passed, diagnose([observation])

    method = experiment.reference
    assert judged(method) == (True, None)
    assert judged(after(method, lambda path: path[0])) == (True, None)
    passed, diagnosed = judged(after(method, lambda path: path + np.arange(1.0, 7.0) ** 2))
    assert not passed
    assert diagnosed is not None
    assert diagnosed.identifier == "wrong_start"
    assert judged(after(method, lambda path: np.vstack([path, path])))[0] is False


@pytest.mark.parametrize("experiment", [*NO_STEPS, EXPERIMENTS[gradient_descent][0]])
def test_no_rows_are_no_path(experiment: Experiment) -> None:
    observation = observe(lambda **_: np.zeros((0, 6)), experiment)
    assert observation.path is None
    assert not judge_experiment(Iterates(points=1), observation).passed
    diagnosed = diagnose([observation])
    assert diagnosed is None or diagnosed.identifier == "missing_first_row"


# --- the one-step residual -------------------------------------------------------------------------------------


def told(method: Function, student: Function) -> str:
    experiment = EXPERIMENTS[method][0]
    return judge_experiment(Iterates(points=1), observe(student, experiment)).sentence


MEMORYLESS = [gradient_descent, preconditioned_gradient_descent]


@pytest.mark.parametrize("method", MEMORYLESS, ids=lambda method: method.__name__)
def test_one_wrong_step_is_told_from_wrong_steps(method: Function) -> None:
    once = disturbed(method, lambda k: 0.1 * (k == 1))
    assert "From x_3 on each step is right, starting from your x_2." in told(method, once)
    assert found(method, once) == "one_wrong_step"
    always = disturbed(method, lambda k: 0.1 * (k >= 1))
    assert "No later step is right either" in told(method, always)
    assert found(method, always) == "right_until_step"
    twice = disturbed(method, lambda k: 0.1 * (k in (1, 8)))
    assert "only the one to x_9 is wrong" in told(method, twice)
    often = disturbed(method, lambda k: 0.1 * (k % 2))
    assert "step" not in told(method, often)


def test_a_wrong_start_with_right_steps_is_told_in_the_verdict() -> None:
    student = given(gradient_descent, x0=lambda x0: x0 + 1.0)
    assert "From x_1 on each step is right, starting from your x_0." in told(gradient_descent, student)


@pytest.mark.parametrize("method", [heavy_ball, nesterov_strongly_convex])
def test_methods_with_memory_have_no_one_step_residual(method: Function) -> None:
    student = after(method, lambda path: np.vstack([path[:4], path[4:] + 1.0]))
    observation = observe(student, EXPERIMENTS[method][0])
    assert observation.residual is None
    assert "starting from your" not in told(method, student)


def test_a_memory_that_is_switched_off_is_none() -> None:
    experiment = Experiment("plain", heavy_ball, QUADRATIC, learning_rate=step, momentum=0.0, num_steps=10)
    residual = observe(heavy_ball, experiment).residual
    assert residual is not None
    assert residual.right.all()


# --- what it costs ---------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize(
    "change",
    [
        lambda path: path[:, ::-1],
        lambda path: 3.0 * path,
        lambda path: path + 1.0,
        lambda path: np.vstack([path[:1], path[:-1]]),
        lambda path: np.vstack([path[1:], path[-1:]]),
    ],
)
def test_a_relation_of_the_first_rows_alone_is_not_the_relation(method: Function, change: Callable[[Any], Any]) -> None:
    def at_first(path: Any) -> Any:
        return np.where(np.arange(len(path))[:, None] < 20, change(path), path + uneven(path))

    assert found(method, after(method, at_first)) in (None, "wrong_start", "wrong_fixed_point")


@both
def test_random_numbers_are_not_worth_a_whole_run_of_the_reference(method: Function) -> None:
    counted, calls = [], count()
    for experiment in EXPERIMENTS[method]:
        assert experiment.problem is not None
        gradient = experiment.problem.gradient

        def counting(x: Any, gradient: Function = gradient) -> Any:
            next(calls)
            return gradient(x)

        given_here = {name: value for name, value in experiment.given.items() if isinstance(value, int | float)}
        counted.append(Experiment("counted", method, replace(experiment.problem, gradient=counting), **given_here))
    random = after(method, lambda path: np.random.default_rng(1).standard_normal(path.shape))
    observations = [observe(random, experiment) for experiment in counted]
    first = diagnose(observations)
    before = next(calls)
    again = diagnose([replace(observation) for observation in observations])
    spent = next(calls) - before
    assert first == again
    assert first is not None
    assert first.identifier == "wrong_start"
    assert spent < min(len(observation.answer.parts[0]) for observation in observations)
