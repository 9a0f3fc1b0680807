"""How far correct forms and mistakes are from the reference, in units of the derived tolerance.

Draws the pictures of docs/tolerances.md and prints its tables. Nothing here depends on the machine's speed, and the
numbers are the same everywhere up to rounding. Distances of correct forms are rounding errors: their size is stable,
their digits are not.

Usage: python benchmarks/tolerances.py [FOLDER]     (default: docs/images)
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from grader.answer_key.answer import Answer
from grader.answer_key.build import build_answer
from grader.answer_key.tolerance import distances, tolerance
from grader.assignment.errors import AssignmentError
from grader.assignment.experiment import Experiment
from reference import problems
from reference.index import entries
from reference.lecture02.gradient_descent import gradient_descent
from reference.lecture03.anderson_acceleration import anderson_acceleration
from reference.problem import Problem
from reference.variants import Kind, equivalent, mistake, variants

Array = NDArray[Any]
Values = NDArray[np.float64]
Oracle = Callable[[Array], Array]

SLIGHTLY_OFF = "step_off_by_one_in_a_million"
LECTURES = ("lecture02", "lecture03", "lecture04")

# --- SGD, as an author writes a reference of their own ------------------------------------------------------------
# A finite sum with a gradient oracle of its mean: F_i(x) = f(x) + <s_i, x>, the tilts s_i adding up to zero.


def sgd(gradient: Oracle, x0: Array, tilts: Array, indices: Array, learning_rate: float, num_steps: int) -> Array:
    """x_{k+1} = x_k - gamma (grad f(x_k) + s_{i_k}), (K+1, d); tilts (N, d), indices i_0, ..., i_{K-1}, (K,)."""
    x = np.array(x0, dtype=np.float64)
    iterates = [x]
    for k in range(num_steps):
        x = x - learning_rate * (gradient(x) + tilts[indices[k]])
        iterates.append(x)
    return np.array(iterates)


@equivalent(sgd)
def noise_added_apart(
    gradient: Oracle, x0: Array, tilts: Array, indices: Array, learning_rate: float, num_steps: int
) -> Array:
    """All noise is scaled beforehand, and added to the step of gradient descent."""
    noise = -learning_rate * tilts[indices]
    iterates = np.empty((num_steps + 1, len(x0)))
    iterates[0] = x0
    for k in range(num_steps):
        iterates[k + 1] = iterates[k] - learning_rate * gradient(iterates[k]) + noise[k]
    return iterates


@equivalent(sgd)
def gradients_summed(
    gradient: Oracle, x0: Array, tilts: Array, indices: Array, learning_rate: float, num_steps: int
) -> Array:
    """x_k = x_0 - gamma (all stochastic gradients so far)."""
    total = np.zeros(len(x0))
    iterates = [np.array(x0, dtype=np.float64)]
    for k in range(num_steps):
        total = total + gradient(iterates[-1]) + tilts[indices[k]]
        iterates.append(x0 - learning_rate * total)
    return np.array(iterates)


@mistake(sgd, "Is the sample of each step the one that belongs to it?")
def indices_one_ahead(
    gradient: Oracle, x0: Array, tilts: Array, indices: Array, learning_rate: float, num_steps: int
) -> Array:
    return sgd(gradient, x0, tilts, np.roll(indices, -1), learning_rate, num_steps)


@mistake(sgd, "Your method uses all samples in each step.")
def full_gradient(
    gradient: Oracle, x0: Array, tilts: Array, indices: Array, learning_rate: float, num_steps: int
) -> Array:
    return sgd(gradient, x0, 0.0 * tilts, indices, learning_rate, num_steps)


@mistake(sgd, "Your method takes the samples in turn.")
def samples_in_turn(
    gradient: Oracle, x0: Array, tilts: Array, indices: Array, learning_rate: float, num_steps: int
) -> Array:
    return sgd(gradient, x0, tilts, np.arange(num_steps) % len(tilts), learning_rate, num_steps)


@mistake(sgd, "What is the sign of the tilt in the gradient of F_i?")
def noise_of_wrong_sign(
    gradient: Oracle, x0: Array, tilts: Array, indices: Array, learning_rate: float, num_steps: int
) -> Array:
    return sgd(gradient, x0, -tilts, indices, learning_rate, num_steps)


def tilts_and_indices(samples: int, dimension: int, num_steps: int, seed: int) -> dict[str, Any]:
    """Random s_i, (N, d), that add up to zero up to rounding, and a random index stream, (K,)."""
    generator = np.random.default_rng(seed)
    tilts = generator.standard_normal((samples, dimension))
    return {"tilts": tilts - tilts.mean(axis=0), "indices": generator.integers(samples, size=num_steps)}


# --- the experiments of the page ----------------------------------------------------------------------------------


def shown() -> dict[str, Experiment]:
    """Name of the picture -> what it shows."""

    def inverse_of_smoothness(problem: Problem) -> float:
        assert problem.smoothness is not None
        return 1 / problem.smoothness

    def least_squares(columns: int, condition: float) -> Problem:
        return problems.random_least_squares(rows=40, columns=columns, condition=condition, seed=3)

    return {
        "gradient_descent": Experiment(
            "gradient descent, condition number 10",
            gradient_descent,
            least_squares(8, 10.0),
            learning_rate=inverse_of_smoothness,
            num_steps=100,
        ),
        "badly_conditioned": Experiment(
            "gradient descent, condition number 1e6",
            gradient_descent,
            least_squares(8, 1e6),
            learning_rate=inverse_of_smoothness,
            num_steps=100,
        ),
        "anderson": Experiment(
            "Anderson(5), condition number 1e3",
            anderson_acceleration,
            least_squares(12, 1e3),
            learning_rate=inverse_of_smoothness,
            memory=5,
            num_steps=25,
        ),
        "sgd": Experiment(
            "SGD, given index stream",
            sgd,
            least_squares(8, 100.0),
            learning_rate=lambda problem: 0.3 * inverse_of_smoothness(problem),
            num_steps=100,
            **tilts_and_indices(samples=20, dimension=8, num_steps=100, seed=4),
        ),
        "chaos": Experiment(
            "gradient descent on sin 2x, step 4.4/L",
            gradient_descent,
            problems.sine_wave(),
            learning_rate=1.1,
            num_steps=60,
        ),
    }


def examples() -> dict[str, Experiment]:
    """Name -> the standard example of each algorithm of lectures 2 to 4 that is given oracles of a problem."""
    found = {}
    for entry in entries():
        if entry.example is not None and entry.module.split(".")[1] in LECTURES:
            try:
                made = Experiment("example", entry.function, entry.example.problem(), **entry.example.arguments)
            except AssignmentError:  # it needs an argument that no problem offers
                continue
            if made.iterative:
                found[entry.name] = made
    return found


# --- what is measured ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """One experiment: distances of every form from the reference, (K+1,), and what is allowed."""

    experiment: Experiment
    answer: Answer
    """Built without the aid of the equivalents."""
    aided: Answer
    """As grades are made from."""
    paths: dict[str, Values] = field(default_factory=dict)
    """Of every form with the shape of the reference's, in double precision."""
    single: Values | None = None
    """Of the reference rewritten in float32."""

    def allowed(self, answer: Answer, precision: str = "float64") -> Values:
        """The tolerance of each row."""
        return tolerance(answer.parts[0], answer.envelope[precision][0], True, precision)

    def distance(self, path: Values) -> Values:
        """Distance of each row from the reference."""
        return distances(path, self.answer.parts[0], True)

    def score(self, path: Values, answer: Answer, precision: str = "float64") -> float:
        """Largest distance in units of the answer's tolerance, up to its horizon: above 1 is rejected."""
        distance, allowed = self.distance(path), self.allowed(answer, precision)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(distance == 0, 0.0, distance / allowed)
        return float(ratio[: answer.horizon].max())

    def of(self, kind: Kind) -> dict[str, Values]:
        """The paths of the variants of one kind."""
        names = [variant.identifier for variant in variants(self.experiment.reference, kind)]
        return {name: self.paths[name] for name in names if name in self.paths}

    def visible_mistakes(self) -> dict[str, float]:
        """Name -> score of each mistake whose numbers are rejected, the nearest first."""
        scores = {name: self.score(path, self.aided) for name, path in self.of(Kind.MISTAKE).items()}
        return {name: score for name, score in sorted(scores.items(), key=lambda item: item[1]) if score > 1}

    def largest_equivalent(self) -> tuple[float, str]:
        """Score and name, without the aid of any equivalent."""
        return max((self.score(path, self.answer), name) for name, path in self.of(Kind.EQUIVALENT).items())


def measure(experiment: Experiment) -> Measured:
    """Run the reference, all its variants, and the reference in single precision."""
    measured = Measured(
        experiment,
        build_answer(experiment, aided=False),
        build_answer(experiment),
        single=run(in_single_precision(experiment.reference), experiment.arguments, np.float32),
    )
    off = experiment.arguments
    if isinstance(off.get("learning_rate"), float):
        off["learning_rate"] *= 1 + 1e-6  # type: ignore[operator]
        measured.paths[SLIGHTLY_OFF] = run(experiment.reference, off)
    for variant in variants(experiment.reference):
        known = measured.answer.variants.get(variant.identifier)
        if known is None:  # an equivalent
            path = run(variant.function, experiment.arguments)
        elif known.parts is None:
            continue
        else:
            path = known.parts[0]
        if path.shape == measured.answer.parts[0].shape:
            measured.paths[variant.identifier] = path
    return measured


def run(function: Callable[..., Any], arguments: Mapping[str, Any], dtype: type = np.float64) -> Values:
    """The path that `function` returns, (K+1, d) float64; arrays and oracle answers are handed over as `dtype`.

    Raises:
        TypeError: the path is of another precision: some operation on the way was not made in `dtype`.
    """

    def given(argument: Any) -> Any:
        if callable(argument):
            return lambda point, *rest: np.asarray(argument(np.asarray(point, dtype=np.float64), *rest)).astype(dtype)
        return argument.astype(dtype) if isinstance(argument, np.ndarray) and argument.dtype.kind == "f" else argument

    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = function(*(given(argument) for argument in arguments.values()))
    if path.dtype != dtype:
        raise TypeError(f"{function.__name__} returned {path.dtype}, not {np.dtype(dtype)}")
    return np.asarray(path, dtype=np.float64)


def in_single_precision(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function rewritten with float32 in the place of float64, and so the reference's functions that it calls."""
    assert isinstance(function, FunctionType)
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.decorator_list = []  # a variant is registered once
    names = dict(function.__globals__)
    for name in function.__code__.co_names:
        used = names.get(name)
        if isinstance(used, FunctionType) and used is not function and used.__module__.startswith("reference."):
            names[name] = in_single_precision(used)
    exec(ast.unparse(tree).replace("np.float64", "np.float32"), names)
    rewritten: Callable[..., Any] = names[function.__name__]
    return rewritten


# --- pictures -----------------------------------------------------------------------------------------------------

BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
MISTAKES = ("#D55E00", "#CC79A7", "#E69F00")
LOWEST, HIGHEST = 1e-17, 1e3


def draw(measured: Measured) -> Figure:
    """Distance from the reference over k: tolerance, correct forms, the nearest mistakes."""
    figure = Figure(figsize=(9.0, 5.2), layout="constrained")
    axes = figure.subplots()
    k = np.arange(len(measured.answer.parts[0]))
    allowed = measured.allowed(measured.aided)
    axes.fill_between(k, LOWEST, allowed, color=BLUE, alpha=0.10, linewidth=0)
    axes.plot(k, allowed, color=BLUE, linewidth=2.2, label="tolerance, float64")
    unaided = measured.allowed(measured.answer)
    if (allowed > 2 * unaided).any():
        axes.plot(k, unaided, color=BLUE, linewidth=1.2, linestyle=":", label="tolerance without the equivalents")
    axes.plot(k, _seen(measured.answer.envelope["float64"][0]), color=BLUE, linewidth=1, label="envelope of the runs")
    axes.plot(
        k,
        measured.allowed(measured.answer, "float32"),
        color="#555555",
        linewidth=2.2,
        linestyle="--",
        label="tolerance, float32",
    )
    assert measured.single is not None
    axes.plot(k, _seen(measured.distance(measured.single)), color="#555555", linewidth=1, label="a float32 run")
    for index, (name, path) in enumerate(measured.of(Kind.EQUIVALENT).items()):
        if measured.distance(path).any():
            axes.plot(k, _seen(measured.distance(path)), ".", color=GREEN, markersize=4 + index, alpha=0.7, label=name)
    nearest = [SLIGHTLY_OFF, *list(measured.visible_mistakes())[:2]]
    for name, color in zip(nearest, MISTAKES, strict=True):
        axes.plot(k, _seen(measured.distance(measured.paths[name])), color=color, linewidth=1.6, label=name)
    if measured.aided.horizon < len(k):
        axes.axvline(measured.aided.horizon, color="black", linewidth=1)
        axes.text(measured.aided.horizon, 3 * LOWEST, " horizon")
    axes.set(
        yscale="log",
        ylim=(LOWEST, HIGHEST),
        xlim=(0, k[-1]),
        xlabel="k",
        ylabel="distance from the reference",
        title=measured.experiment.name,
    )
    axes.grid(alpha=0.25)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", fontsize=8, frameon=False)
    return figure


def _seen(values: Values) -> Values:
    """Zeros have no place on a logarithmic axis."""
    return np.where(values > 0, values, np.nan)


# --- tables -------------------------------------------------------------------------------------------------------


def print_shown(all_measured: Mapping[str, Measured]) -> None:
    print("| experiment | tolerance at k = 1, and the largest | float32 | step off by 1e-6 | rows compared |")
    print("|---|---|---|---|---|")
    for measured in all_measured.values():
        double, single = measured.allowed(measured.aided), measured.allowed(measured.aided, "float32")
        off = measured.score(measured.paths[SLIGHTLY_OFF], measured.aided)
        rows = f"{measured.aided.horizon} of {len(double)}"
        print(
            f"| {measured.experiment.name} | {double[1]:.0e}, {double.max():.0e} | {single[1]:.0e}, {single.max():.0e} "
            f"| {off:.0e} | {rows} |"
        )


def print_margins(all_measured: Mapping[str, Measured]) -> None:
    print("| algorithm | largest equivalent | nearest visible mistake | float32 run |")
    print("|---|---|---|---|")
    for name, measured in all_measured.items():
        size, form = measured.largest_equivalent()
        wrong, score = next(iter(measured.visible_mistakes().items()))
        assert measured.single is not None
        single = measured.score(measured.single, measured.aided, "float32")
        print(f"| {name} | {size:.1g} `{form}` | {score:.0e} `{wrong}` | {single:.1g} |")


def print_allclose(all_measured: Mapping[str, Measured]) -> None:
    """What `numpy.allclose` with its default constants says of the same paths."""
    print("| experiment | correct forms rejected | wrong ones accepted |")
    print("|---|---|---|")
    for measured in all_measured.values():
        exact = measured.answer.parts[0]
        right = measured.of(Kind.EQUIVALENT)
        wrong = [SLIGHTLY_OFF, *measured.visible_mistakes()]
        rejected = [name for name, path in right.items() if not np.allclose(path, exact)]
        accepted = [name for name in wrong if np.allclose(measured.paths[name], exact)]
        print(
            f"| {measured.experiment.name} | {len(rejected)} of {len(right)} | "
            f"{len(accepted)} of {len(wrong)} {' '.join(f'`{name}`' for name in accepted)} |"
        )


def main(folder: Path) -> None:
    pictures = {name: measure(experiment) for name, experiment in shown().items()}
    for name, measured in pictures.items():
        draw(measured).savefig(folder / f"tolerance_{name}.png", dpi=110)
    print_shown(pictures)
    print()
    print_allclose(pictures)
    print()
    print_margins({measured.experiment.name: measured for measured in pictures.values()})
    print()
    print_margins({name: measure(experiment) for name, experiment in examples().items()})


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/images"))
