"""RMSProp, Adam, AdamW: golden numbers, torch, closed forms, and what hides their mistakes."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.lecture08.adam import adam
from reference.lecture08.adamw import adamw
from reference.lecture08.problems import tiny_gradients, two_curvatures
from reference.lecture08.rmsprop import rmsprop
from reference.problems import random_least_squares, random_logistic
from reference.variants import Kind, variants

RMSPROP = {v.identifier: v.function for v in variants(rmsprop)}
ADAM = {v.identifier: v.function for v in variants(adam)}
ADAMW = {v.identifier: v.function for v in variants(adamw)}

# (function, parameters after x0, rows 1, 2 and 10) on two_curvatures, with a large epsilon.
BETAS = (0.1, 0.9, 0.999, 0.01, 10)
DECAYED = (0.1, 0.9, 0.999, 0.01, 0.1, 10)
GOLDEN = {
    "rmsprop": (rmsprop, (0.1, 0.9, 0.01, 10), [
        (0.6842714447, 0.2025825642), (0.4995307298, 0.0855553549), (0.0323942992, 0.0000027737)]),
    "rmsprop of the notes": (RMSPROP["epsilon_inside_root"], (0.1, 0.9, 0.01, 10), [
        (0.6838117550, 0.2327387581), (0.4989199934, 0.1132152703), (0.0321376045, 0.0000824233)]),
    "adam": (adam, BETAS, [
        (0.9000499750, 0.4019607843), (0.8005142288, 0.3052419498), (0.0767501273, -0.1970173423)]),
    "adam of the slides": (ADAM["no_bias_correction"], BETAS, [
        (0.6886944076, 0.3062870566), (0.2801173177, 0.0412525554), (0.1387194837, 0.2661762782)]),
    "adamw": (adamw, DECAYED, [
        (0.8900499750, 0.3969607843), (0.7816735671, 0.2963798396), (0.0340804189, -0.1926516397)]),
    "adamw of the notes": (ADAMW["decay_apart_from_learning_rate"], DECAYED, [
        (0.8000499750, 0.3519607843), (0.6212864346, 0.2213410473), (-0.1429480185, -0.1315695166)]),
    "adamw of the slides": (ADAMW["no_bias_correction"], DECAYED, [
        (0.6786944076, 0.3012870566), (0.2640293514, 0.0342319358), (0.1590782153, 0.2580201401)]),
    "adam with an L2 penalty": (ADAMW["l2_in_gradient"], DECAYED, [
        (0.9000497265, 0.4017857143), (0.8005137216, 0.3048805152), (0.0767476364, -0.1976071250)]),
}  # fmt: skip
PROBLEMS = {
    "tiny gradients": tiny_gradients(),
    "least squares": random_least_squares(rows=20, columns=5, condition=50, seed=1),
    "logistic": random_logistic(60, 4, seed=3),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_numbers(name):
    function, parameters, golden = GOLDEN[name]
    problem = two_curvatures()
    iterates = function(problem.gradient, problem.x0, *parameters)
    np.testing.assert_allclose(iterates[[1, 2, 10]], golden, rtol=0, atol=6e-11)


def test_golden_numbers_of_adamw_as_the_notes_print_it():
    """Without epsilon, and with a decay of 0.1 where the reference has 0.1 times the learning rate."""
    problem = two_curvatures()
    iterates = ADAMW["no_epsilon"](problem.gradient, problem.x0, 0.1, 0.9, 0.999, 0.01, 1.0, 10)
    golden = [(0.8, 0.35), (0.6211874196, 0.2174279499), (-0.1432156204, -0.1314165599)]
    np.testing.assert_allclose(iterates[[1, 2, 10]], golden, rtol=0, atol=6e-11)


# Torch.


def with_torch(optimizer, problem, num_steps, **parameters):
    x = torch.tensor(problem.x0)
    stepper = optimizer([x], **parameters)
    rows = [x.numpy().copy()]
    for _ in range(num_steps):
        x.grad = torch.tensor(problem.gradient(x.numpy()))
        stepper.step()
        rows.append(x.numpy().copy())
    return np.array(rows)


def assert_agrees(function, parameters, optimizer, **settings_of_torch):
    """Equal up to rounding, which a coordinate that crosses its minimum amplifies a little."""
    for problem in PROBLEMS.values():
        theirs = with_torch(optimizer, problem, 60, **settings_of_torch)
        mine = function(problem.gradient, problem.x0, *parameters, 60)
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-11)


@pytest.mark.parametrize("epsilon", [1e-8, 1e-3])
def test_rmsprop_agrees_with_torch(epsilon):
    assert_agrees(rmsprop, (0.01, 0.9, epsilon), torch.optim.RMSprop, lr=0.01, alpha=0.9, eps=epsilon)


def test_two_mistakes_of_rmsprop_are_options_of_torch():
    common = {"lr": 0.01, "alpha": 0.9, "eps": 1e-8}
    assert_agrees(RMSPROP["centred"], (0.01, 0.9, 1e-8), torch.optim.RMSprop, centered=True, **common)
    assert_agrees(RMSPROP["added_momentum"], (0.01, 0.9, 1e-8), torch.optim.RMSprop, momentum=0.9, **common)


@pytest.mark.parametrize("epsilon", [1e-8, 1e-3])
def test_adam_agrees_with_torch(epsilon):
    assert_agrees(adam, (0.05, 0.9, 0.99, epsilon), torch.optim.Adam, lr=0.05, betas=(0.9, 0.99), eps=epsilon)


@pytest.mark.parametrize("epsilon", [1e-8, 1e-3])
def test_adamw_agrees_with_torch(epsilon):
    common = {"lr": 0.05, "betas": (0.9, 0.99), "eps": epsilon, "weight_decay": 0.3}
    assert_agrees(adamw, (0.05, 0.9, 0.99, epsilon, 0.3), torch.optim.AdamW, **common)


def test_l2_in_gradient_is_weight_decay_of_adam_in_torch():
    common = {"lr": 0.05, "betas": (0.9, 0.99), "eps": 1e-8, "weight_decay": 0.3}
    assert_agrees(ADAMW["l2_in_gradient"], (0.05, 0.9, 0.99, 1e-8, 0.3), torch.optim.Adam, **common)


# Closed forms.


@given(slope=st.floats(1e-9, 1e3), epsilon=st.floats(1e-9, 1.0), decay=st.floats(0.0, 0.99))
@settings(max_examples=50, deadline=None)
def test_constant_gradient(slope, epsilon, decay):
    gradient = np.array([slope, -slope])
    k = np.arange(21.0)
    steps = adam(lambda x: gradient, np.zeros(2), 0.1, decay, 0.999, epsilon, 20)
    np.testing.assert_allclose(steps[:, 0], -0.1 * k / (1 + epsilon / slope), rtol=1e-9)
    np.testing.assert_array_equal(steps[:, 1], -steps[:, 0])
    steps = rmsprop(lambda x: gradient, np.zeros(2), 0.1, decay, epsilon, 20)
    lengths = 0.1 * slope / (slope * np.sqrt(1 - decay ** k[1:]) + epsilon)
    np.testing.assert_allclose(-np.diff(steps[:, 0]), lengths, rtol=1e-9)


def test_zero_gradient():
    start = np.array([1.0, -2.0])
    for function, parameters in [(rmsprop, (0.1, 0.9, 1e-8)), (adam, (0.1, 0.9, 0.999, 1e-8))]:
        np.testing.assert_array_equal(function(np.zeros_like, start, *parameters, 5), np.tile(start, (6, 1)))
    decayed = adamw(np.zeros_like, start, 0.1, 0.9, 0.999, 1e-8, 0.5, 5)
    np.testing.assert_allclose(decayed, 0.95 ** np.arange(6.0)[:, None] * start, rtol=1e-14)
    apart = ADAMW["decay_apart_from_learning_rate"](np.zeros_like, start, 0.1, 0.9, 0.999, 1e-8, 0.5, 5)
    np.testing.assert_allclose(apart, 0.5 ** np.arange(6.0)[:, None] * start, rtol=1e-14)
    assert np.isnan(ADAMW["no_epsilon"](np.zeros_like, start, 0.1, 0.9, 0.999, 1e-8, 0.5, 5)[1:]).all()


@pytest.mark.parametrize("name", PROBLEMS)
def test_scale_of_the_function_does_not_matter_without_epsilon(name):
    problem = PROBLEMS[name]

    def scaled(x):
        return 1024.0 * problem.gradient(x)

    for function, parameters in [(rmsprop, (0.01, 0.9, 0.0, 30)), (adam, (0.05, 0.9, 0.999, 0.0, 30))]:
        path = function(problem.gradient, problem.x0, *parameters)
        np.testing.assert_allclose(function(scaled, problem.x0, *parameters), path, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", PROBLEMS)
def test_no_step_of_rmsprop_is_longer_than_it_may(name):
    problem = PROBLEMS[name]
    steps = np.abs(np.diff(rmsprop(problem.gradient, problem.x0, 0.01, 0.9, 1e-8, 60), axis=0))
    assert steps.max() <= 0.01 / np.sqrt(0.1) * (1 + 1e-12)


def test_first_step_without_correction():
    """0.1/sqrt(0.001) = 3.162 learning rates, and up to 6.569 in the twelfth step of a constant gradient."""
    steps = -np.diff(ADAM["no_bias_correction"](np.ones_like, np.zeros(1), 1.0, 0.9, 0.999, 0.0, 30)[:, 0])
    assert steps[0] == pytest.approx(3.162, abs=5e-4)
    assert np.argmax(steps) == 11
    assert steps[11] == pytest.approx(6.569, abs=5e-4)


# How the methods are related.


def test_adamw_without_decay_is_adam():
    problem = PROBLEMS["least squares"]
    path = adam(problem.gradient, problem.x0, 0.05, 0.9, 0.999, 1e-8, 40)
    for function in (adamw, *(ADAMW[name] for name in ("l2_in_gradient", "decay_divided_by_root", "decay_after_step"))):
        decayed = function(problem.gradient, problem.x0, 0.05, 0.9, 0.999, 1e-8, 0.0, 40)
        np.testing.assert_allclose(decayed, path, rtol=0, atol=1e-13)


def test_adam_without_memory_of_gradients_is_the_corrected_rmsprop():
    problem = PROBLEMS["least squares"]
    path = adam(problem.gradient, problem.x0, 0.05, 0.0, 0.9, 1e-8, 40)
    corrected = RMSPROP["bias_corrected"](problem.gradient, problem.x0, 0.05, 0.9, 1e-8, 40)
    np.testing.assert_allclose(corrected, path, rtol=0, atol=1e-13)


# What hides the mistakes.


def deviation(functions, name, problem, parameters):
    path = rmsprop if functions is RMSPROP else adam if functions is ADAM else adamw
    wrong = functions[name](problem.gradient, problem.x0, *parameters)
    return np.abs(wrong - path(problem.gradient, problem.x0, *parameters)).max()


@pytest.mark.parametrize(
    ("functions", "parameters"),
    [(RMSPROP, (0.01, 0.9)), (ADAM, (0.01, 0.9, 0.999)), (ADAMW, (0.01, 0.9, 0.999))],
    ids=["rmsprop", "adam", "adamw"],
)
def test_epsilon_is_seen_where_gradients_are_as_small(functions, parameters):
    rest = (1e-8, 0.1, 10) if functions is ADAMW else (1e-8, 10)
    for name in {"epsilon_inside_root", "epsilon_hat", "no_epsilon"} & set(functions):
        assert deviation(functions, name, tiny_gradients(), (*parameters, *rest)) > 0.03
        assert deviation(functions, name, two_curvatures(), (*parameters, *rest)) < 1e-7


@pytest.mark.parametrize(
    "identifier", ["step_counter_raised_twice", "step_counter_never_raised", "corrected_in_place", "squares_of_average"]
)
def test_first_step_hides_it(identifier):
    problem = two_curvatures()
    wrong = ADAM[identifier](problem.gradient, problem.x0, 0.1, 0.9, 0.999, 1e-8, 2)
    path = adam(problem.gradient, problem.x0, 0.1, 0.9, 0.999, 1e-8, 2)
    hidden = np.allclose(wrong[1], path[1], rtol=0, atol=1e-8)
    assert hidden is (identifier != "squares_of_average")
    assert np.abs(wrong[2] - path[2]).max() > 1e-3


def test_second_step_alone_is_corrected_by_the_squares():
    """On a constant gradient the factors are seen one by one."""
    steps = np.diff(ADAM["squared_betas"](np.ones_like, np.zeros(1), 1.0, 0.9, 0.999, 0.0, 4)[:, 0])
    np.testing.assert_array_equal(np.abs(steps + 1) < 1e-9, [False, True, False, False])


def test_equal_betas_hide_the_swap():
    problem = two_curvatures()
    assert deviation(ADAM, "swapped_betas", problem, (0.1, 0.9, 0.9, 1e-8, 20)) == 0


def test_decay_of_one_half_hides_the_swap():
    assert deviation(RMSPROP, "swapped_decay", two_curvatures(), (0.1, 0.5, 1e-8, 20)) == 0


@pytest.mark.parametrize("functions", [RMSPROP, ADAM], ids=["rmsprop", "adam"])
def test_one_dimension_hides_the_shared_step_size(functions):
    problem = random_least_squares(rows=5, columns=1, condition=1, seed=1)
    parameters = (0.1, 0.9, 1e-8, 20) if functions is RMSPROP else (0.1, 0.9, 0.999, 1e-8, 20)
    assert deviation(functions, "shared_step_size", problem, parameters) < 1e-13


def test_missing_factors_scale_the_step():
    """1/(1 - beta_1) times as long, sqrt(1 - beta_2) times as long, where epsilon does not count."""
    problem = PROBLEMS["least squares"]

    def path(function, learning_rate):
        return function(problem.gradient, problem.x0, learning_rate, 0.9, 0.99, 0.0, 30)

    np.testing.assert_allclose(path(ADAM["first_factor_missing"], 0.005), path(adam, 0.05), rtol=0, atol=1e-12)
    np.testing.assert_allclose(path(ADAM["second_factor_missing"], 0.5), path(adam, 0.05), rtol=0, atol=1e-12)
    np.testing.assert_allclose(path(ADAM["both_factors_missing"], 0.05), path(adam, 0.05), rtol=0, atol=1e-12)


@pytest.mark.parametrize("algorithm", [adam, adamw, rmsprop], ids=lambda a: a.__name__)
def test_known_conventions(algorithm):
    known = {
        "adam": {"epsilon_hat", "no_bias_correction"},
        "adamw": {"epsilon_hat", "decay_apart_from_learning_rate", "no_bias_correction"},
        "rmsprop": {"epsilon_inside_root"},
    }
    assert {v.identifier for v in variants(algorithm, Kind.CONVENTION)} == known[algorithm.__name__]
