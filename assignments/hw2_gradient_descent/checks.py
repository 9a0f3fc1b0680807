"""Experiments and checks of homework 2."""

import numpy as np

from grader.assignment import (
    Bound,
    Calls,
    Experiment,
    Iterates,
    LinearRate,
    Question,
    UnchangedInputs,
    Values,
)
from reference import problems
from reference.lecture01.least_squares import (
    least_squares_constants,
    least_squares_gradient,
    least_squares_value,
)
from reference.lecture01.logistic_regression import logistic_gradient, logistic_value
from reference.lecture02.gradient_descent import gradient_descent
from reference.lecture02.linear_network import linear_network_gradients

# --- data ------------------------------------------------------------------------------------------------------

LINE = {"A": np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]), "b": np.array([1.0, 2.0, 2.0])}
TALL = problems.random_least_squares(rows=20, columns=6, condition=100.0, seed=2)
# A square matrix: here a forgotten transpose raises no exception.
SQUARE = problems.random_least_squares(rows=4, columns=4, condition=50.0, seed=3)

# b in {-1, +1}, margins of up to 1000 in both directions: exp overflows.
LARGE = {"A": np.array([[900.0, 100.0], [-500.0, 250.0], [1.0, -1.0]]), "b": np.array([1.0, 1.0, -1.0])}
SMALL = {"A": np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), "b": np.array([1.0, -1.0, 1.0])}
LABELLED = problems.random_logistic(rows=30, columns=4, seed=4)


def network(widths: tuple[int, int, int, int], seed: int) -> dict[str, np.ndarray]:
    """Random layers a -> W1 -> W2 -> W3 of the given widths."""
    d, q, p, m = widths
    normal = np.random.default_rng(seed).standard_normal
    return {"W1": normal((q, d)), "W2": normal((p, q)), "W3": normal((m, p)), "a": normal(d), "b": normal(m)}


INTEGER_NETWORK = {
    "W1": np.array([[1.0, 0.0, 2.0], [0.0, 1.0, -1.0]]),
    "W2": np.array([[1.0, 1.0], [0.0, 2.0], [1.0, -2.0]]),
    "W3": np.array([[1.0, 0.0, 1.0], [2.0, -1.0, 0.0]]),
    "a": np.array([1.0, 2.0, 3.0]),
    "b": np.array([1.0, 0.0]),
}

# --- questions -------------------------------------------------------------------------------------------------

questions = [
    Question(
        "least_squares",
        experiments=[
            Experiment("three points", least_squares_value, x=np.array([0.5, -1.0]), public=True, **LINE),
            Experiment("square matrix", least_squares_value, SQUARE, x=np.array([1.0, -2.0, 0.5, 3.0])),
            Experiment("tall matrix", least_squares_value, TALL, x=np.linspace(-1.0, 2.0, 6)),
            Experiment("three points", least_squares_gradient, x=np.array([0.5, -1.0]), public=True, **LINE),
            Experiment("square matrix", least_squares_gradient, SQUARE, x=np.array([1.0, -2.0, 0.5, 3.0])),
            Experiment("tall matrix", least_squares_gradient, TALL, x=np.linspace(-1.0, 2.0, 6)),
            Experiment("three points", least_squares_constants, A=LINE["A"], public=True),
            Experiment("square matrix", least_squares_constants, SQUARE),
            Experiment("tall matrix", least_squares_constants, TALL),
        ],
        checks=[
            Values(id="value", title="The value of f", function=least_squares_value, points=1),
            Values(id="gradient", title="The gradient of f", function=least_squares_gradient, points=1),
            Values(id="constants", title="The constants L and mu", function=least_squares_constants, points=1),
        ],
    ),
    Question(
        "gradient_descent",
        experiments=[
            Experiment(
                "well conditioned",
                gradient_descent,
                problems.random_least_squares(rows=60, columns=10, condition=10.0, seed=1),
                learning_rate=lambda problem: 2 / (problem.smoothness + problem.strong_convexity),
                num_steps=40,
                public=True,
            ),
            Experiment(
                "sine plus line",
                gradient_descent,
                problems.sine_plus_line(),
                learning_rate=1 / 40,
                num_steps=30,
                public=True,
            ),
            Experiment(
                "whole-number start",
                gradient_descent,
                problems.bowl(),
                x0=np.array([2, 4]),
                learning_rate=1 / 4,
                num_steps=30,
                public=True,
            ),
            Experiment(
                "badly conditioned",
                gradient_descent,
                problems.random_least_squares(rows=80, columns=20, condition=1e4, seed=5),
                learning_rate=lambda problem: 1 / problem.smoothness,
                num_steps=50,
            ),
            Experiment(
                "logistic regression",
                gradient_descent,
                problems.random_logistic(rows=40, columns=5, seed=6),
                learning_rate=lambda problem: 1 / (2 * problem.smoothness),
                num_steps=30,
            ),
            Experiment(
                "dense quadratic, a step longer than 1/L",
                gradient_descent,
                problems.random_quadratic(dimension=8, smoothness=5.0, strong_convexity=2.0, seed=7),
                learning_rate=lambda problem: 1.3 / problem.smoothness,
                num_steps=60,
            ),
        ],
        checks=[
            Iterates(
                points=2.5,
                on=[
                    "well conditioned",
                    "sine plus line",
                    "badly conditioned",
                    "logistic regression",
                    "dense quadratic, a step longer than 1/L",
                ],
            ),
            Iterates(
                id="whole_number_start",
                title="A starting point of whole numbers is handled",
                points=0.5,
                on=["whole-number start"],
            ),
            LinearRate(
                points=1,
                on=["well conditioned", "badly conditioned", "dense quadratic, a step longer than 1/L"],
            ),
            Bound(points=1),
            Calls(points=0.5),
            UnchangedInputs(points=0.5),
        ],
    ),
    Question(
        "logistic_regression",
        experiments=[
            Experiment("three points", logistic_value, x=np.array([0.5, -1.0]), public=True, **SMALL),
            Experiment("random data", logistic_value, LABELLED, x=np.array([0.5, -0.2, 1.0, 0.3])),
            Experiment("large margins", logistic_value, x=np.array([1.0, 1.0]), public=True, **LARGE),
            Experiment("large margins, other side", logistic_value, x=np.array([-1.0, -1.0]), **LARGE),
            Experiment("three points", logistic_gradient, x=np.array([0.5, -1.0]), public=True, **SMALL),
            Experiment("random data", logistic_gradient, LABELLED, x=np.array([0.5, -0.2, 1.0, 0.3])),
            Experiment("large margins", logistic_gradient, x=np.array([1.0, 1.0]), public=True, **LARGE),
            Experiment("large margins, other side", logistic_gradient, x=np.array([-1.0, -1.0]), **LARGE),
        ],
        checks=[
            Values(
                id="value",
                title="The value of f",
                function=logistic_value,
                on=["three points", "random data"],
                points=1,
            ),
            Values(
                id="gradient",
                title="The gradient of f",
                function=logistic_gradient,
                on=["three points", "random data"],
                points=1,
            ),
            Values(
                id="large_margins",
                title="Value and gradient for margins of up to 1000",
                on=["large margins", "large margins, other side"],
                points=1,
            ),
        ],
    ),
    Question(
        "linear_network",
        experiments=[
            Experiment("whole numbers", linear_network_gradients, public=True, **INTEGER_NETWORK),
            Experiment("widths 4, 3, 5, 2", linear_network_gradients, **network((4, 3, 5, 2), seed=8)),
            # Square layers: here a forgotten transpose raises no exception.
            Experiment("square layers", linear_network_gradients, **network((3, 3, 3, 3), seed=9)),
        ],
        checks=[
            Values(id="first_layer", title="G1, the gradient with respect to W1", part=0, points=1),
            Values(id="second_layer", title="G2, the gradient with respect to W2", part=1, points=1),
            Values(id="third_layer", title="G3, the gradient with respect to W3", part=2, points=1),
        ],
    ),
]
