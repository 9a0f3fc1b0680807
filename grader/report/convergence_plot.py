"""How an algorithm converges on its standard problem, with its guarantees and its mistakes: a picture for a slide."""

from __future__ import annotations

import inspect
import re
import textwrap
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator
from numpy.typing import NDArray

from reference.problem import Problem
from reference.variants import Algorithm, Example, Guarantee, Kind, example_of, guarantees, variants

Values = NDArray[np.float64]
"""One number for each iterate, (K+1,)."""

# The colours of Okabe and Ito, which colour-blind people tell apart; grey for their yellow, which is too pale on white.
_COLORS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_DASHES = ((0, (5, 2.5)), (0, (1.5, 2)))
MOST_MISTAKES = len(_COLORS)
MOST_BOUNDS = len(_DASHES)

_SEEN = 0.02
"""Curves are told apart where their mean distance is at least this part of the picture's height."""
_DECADES = 16.0
"""Lower than that many decades below the start there is only rounding."""


@dataclass(frozen=True)
class Curve:
    """A named line of the picture, with a value for each iterate."""

    name: str
    values: Values


@dataclass(frozen=True)
class Convergence:
    """What is drawn: how fast an algorithm converges, what its theorems promise, and what becomes of its mistakes."""

    title: str
    setting: str
    """The problem with its constants, and the parameters of the algorithm."""
    quantity: str
    """What is on the axis, in words and plain mathematics: "gap to the minimum f(x_k) - f*"."""
    algorithm: Curve
    bounds: tuple[Curve, ...]
    """Named after their source: "Lecture 2, Theorem 3"."""
    mistakes: tuple[Curve, ...]
    """Those that can be told apart from the algorithm and from each other, the most different ones first."""
    omitted: int
    """How many mistakes are not drawn: they look like a curve that is, or return nothing that can be drawn."""
    limits: tuple[float, float]
    """Powers of ten at the lower and the upper edge of the picture."""


def convergence(algorithm: Algorithm) -> Convergence:
    """Run `algorithm` and its mistakes on its standard problem.

    Drawn are the guarantees about the quantity on the axis whose conditions hold there. A mistake that raises, or whose
    result has another shape than iterates have, is left out.

    Raises:
        LookupError: the algorithm has no standard problem.
    """
    example = example_of(algorithm)
    if example is None:
        raise LookupError(f"{algorithm.__name__} has no standard problem.")
    problem = example.problem()
    iterates = algorithm(**_arguments(algorithm, example, problem))
    name = f"{algorithm.__name__}, one run" if _is_expected(example) else algorithm.__name__
    curve = Curve(name, example.quantity(iterates, problem))
    mistakes = [
        Curve(mistake.identifier, values)
        for mistake in variants(algorithm, Kind.MISTAKE)
        if (values := _attempt(mistake.function, example, iterates.shape)) is not None
    ]
    bounds = [bound for theorem in guarantees(algorithm) if (bound := _bound(theorem, example, problem)) is not None]
    limits = _limits(curve, bounds, mistakes)
    shown = _most_different(curve, mistakes, limits)
    return Convergence(
        title=_first_line(inspect.getmodule(algorithm)).rstrip("."),
        setting=_setting(example, problem),
        quantity=_first_line(example.quantity),
        algorithm=curve,
        bounds=_different(bounds, limits),
        mistakes=shown,
        omitted=len(variants(algorithm, Kind.MISTAKE)) - len(shown),
        limits=limits,
    )


def figure(picture: Convergence) -> Figure:
    """The picture, 1920 x 1080 pixels as a .png: the iterations on a linear axis, the quantity on a logarithmic one."""
    drawing = Figure(figsize=(12.8, 7.2), dpi=150, layout="constrained")
    axes = drawing.add_subplot()
    last = max(len(picture.algorithm.values) - 1, 1)
    pace = max(last // 8, 1)
    mistakes = [
        # Markers are shifted against each other, so that those of close curves do not hide each other.
        _line(
            axes,
            curve,
            picture.limits,
            color=color,
            linewidth=1.8,
            marker=marker,
            markersize=8,
            markevery=(1 + number * pace // MOST_MISTAKES, pace),
        )
        for number, (curve, color, marker) in enumerate(zip(picture.mistakes, _COLORS, _MARKERS, strict=False))
    ]
    bounds = [
        _line(axes, curve, picture.limits, color="black", linewidth=2.4, linestyle=dashes)
        for curve, dashes in zip(picture.bounds, _DASHES, strict=False)
    ]
    algorithm = _line(axes, picture.algorithm, picture.limits, color="black", linewidth=5)
    axes.set_xlim(0, last)
    _scale(axes, picture)
    _name(axes, picture)
    # In the order in which the curves end, from top to bottom: so a name is found beside its curve.
    mistakes.sort(key=_end, reverse=True)
    heading = [_words("mistakes")] if mistakes else []
    rest = [_words(f"{picture.omitted} more not shown")] if picture.omitted else []
    legend = drawing.legend(
        handles=[algorithm, *bounds, *heading, *mistakes, *rest],
        loc="outside right center",
        fontsize=16,
        frameon=False,
        handlelength=2.2,
        labelspacing=0.65,
    )
    for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=True):
        if handle is not None and handle.get_label() in (algorithm.get_label(), "mistakes"):
            text.set_fontweight("bold")
    return drawing


def _line(axes: Axes, curve: Curve, limits: tuple[float, float], **style: Any) -> Line2D:
    low, high = limits
    # Far outside, a curve leaves the picture steeply, at the bottom also where it is zero or negative.
    values = np.clip(curve.values, 10 ** (low - 1), 10 ** (high + 1))
    with_numbers_kept = re.sub(r" (?=\d)", "\N{NO-BREAK SPACE}", curve.name)
    label = _balanced(with_numbers_kept.replace("_", " "), 28)
    (line,) = axes.plot(values, label=label, solid_capstyle="round", **style)
    return line


def _words(label: str) -> Line2D:
    return Line2D([], [], linestyle="none", label=label)


def _end(line: Line2D) -> float:
    values = np.asarray(line.get_ydata(), dtype=np.float64)
    finite = values[np.isfinite(values)]
    return float(finite[-1]) if len(finite) else np.inf


def _scale(axes: Axes, picture: Convergence) -> None:
    low, high = picture.limits
    axes.set_yscale("log")
    axes.set_ylim(10**low, 10**high)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_locator(LogLocator(numticks=8))
    if high - low < 2.5:
        axes.yaxis.set_minor_locator(LogLocator(subs=(2.0, 5.0)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")
    axes.tick_params(which="both", labelsize=17)
    axes.grid(color="#DDDDDD", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _name(axes: Axes, picture: Convergence) -> None:
    axes.set_xlabel("iteration $k$", fontsize=19)
    axes.set_ylabel(_typeset(picture.quantity), fontsize=19)
    axes.set_title(picture.setting, fontsize=17, loc="left", color="#444444", pad=14)
    figure = axes.get_figure()
    assert figure is not None
    figure.suptitle(_balanced(picture.title, 66), fontsize=25, x=0.01, ha="left")
    curves = (picture.algorithm, *picture.mistakes)
    if any(np.any(curve.values <= 0) for curve in curves):
        note = "below: zero or negative"
        axes.annotate(note, (0.01, 0.015), xycoords="axes fraction", fontsize=14, color="#444444")


# What is run.


def _arguments(function: Algorithm, example: Example, problem: Problem) -> dict[str, Any]:
    """What `function` is called with; arrays are copies, as a mistake may change them."""
    arguments: dict[str, Any] = {}
    for name in inspect.signature(function).parameters:
        if name in example.arguments:
            given = example.arguments[name]
            arguments[name] = given(problem) if callable(given) else given
        elif hasattr(problem, name):
            arguments[name] = getattr(problem, name)
    return {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in arguments.items()}


def _attempt(mistake: Algorithm, example: Example, shape: tuple[int, ...]) -> Values | None:
    """The quantity along the path of a mistake; None where it raises or its iterates are not of that shape."""
    problem = example.problem()
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            iterates = np.asarray(mistake(**_arguments(mistake, example, problem)), dtype=np.float64)
            if iterates.shape != shape:
                return None
            return np.asarray(example.quantity(iterates, problem), dtype=np.float64)
    except Exception:  # some mistakes are wrong in that they raise
        return None


def _bound(theorem: Guarantee, example: Example, problem: Problem) -> Curve | None:
    """The bound of a theorem about the quantity on the axis; None where another is bounded, or a condition fails."""
    if theorem.quantity is not example.quantity:
        return None
    parameters = inspect.signature(theorem.bound).parameters
    arguments = _arguments(theorem.bound, example, problem) | {"problem": problem}
    try:
        values = theorem.bound(**{name: value for name, value in arguments.items() if name in parameters})
    except ValueError:
        return None
    # A bound that is infinite at first, as 1/k is, begins where it says something.
    return Curve(f"bound: {_source(theorem.sentence)}", np.where(np.isfinite(values), values, np.nan))


# What is shown.


def _limits(algorithm: Curve, bounds: Iterable[Curve], mistakes: Iterable[Curve]) -> tuple[float, float]:
    """Powers of ten: the algorithm and its bounds fill the picture, with some room for what diverges or is faster."""
    own = _decades(algorithm.values)
    top, bottom = own.max(), max(own.min(), own[0] - _DECADES)
    high = max([top, *(min(_decades(bound.values).max(), top + 3) for bound in bounds)])
    span = max(high - bottom, 0.5)
    faster = min([bottom, *(_decades(mistake.values).min() for mistake in mistakes)])
    return float(max(faster, bottom - 0.3 * span) - 0.05 * span), float(high + 0.2 * span)


def _decades(values: Values) -> Values:
    """Powers of ten of what can be drawn."""
    drawn = values[np.isfinite(values) & (values > 0)]
    return np.log10(drawn) if len(drawn) else np.zeros(1)


def _most_different(algorithm: Curve, mistakes: Sequence[Curve], limits: tuple[float, float]) -> tuple[Curve, ...]:
    """Of the mistakes, the one that is farthest from all that is drawn, again and again."""
    drawn, left = [algorithm], [mistake for mistake in mistakes if _is_inside(mistake, limits)]
    while left and len(drawn) <= MOST_MISTAKES:
        farthest = max(left, key=lambda curve: _separation(curve, drawn, limits))
        if _separation(farthest, drawn, limits) < _SEEN:
            break
        drawn.append(farthest)
        left.remove(farthest)
    return tuple(drawn[1:])


def _is_inside(curve: Curve, limits: tuple[float, float]) -> bool:
    heights = _heights(curve.values, limits)
    return bool(np.any((heights > 0) & (heights < 1)))


def _different(bounds: Sequence[Curve], limits: tuple[float, float]) -> tuple[Curve, ...]:
    """The first bounds that can be told apart."""
    drawn: list[Curve] = []
    for bound in bounds:
        if len(drawn) < MOST_BOUNDS and _separation(bound, drawn, limits) >= _SEEN:
            drawn.append(bound)
    return tuple(drawn)


def _separation(curve: Curve, others: Sequence[Curve], limits: tuple[float, float]) -> float:
    """Mean distance to the nearest of the others, as a part of the picture's height."""
    own = _heights(curve.values, limits)
    return min([1.0, *(_mean_distance(own, _heights(other.values, limits)) for other in others)])


def _mean_distance(one: Values, other: Values) -> float:
    common = min(len(one), len(other))
    return float(np.mean(np.abs(one[:common] - other[:common])))


def _heights(values: Values, limits: tuple[float, float]) -> Values:
    """Where in the picture a value is, from 0 to 1; what is missing has left it at the top."""
    low, high = limits
    with np.errstate(divide="ignore", invalid="ignore"):
        heights = (np.log10(np.maximum(values, 0)) - low) / (high - low)
    return np.where(np.isnan(values), 1.0, np.clip(heights, 0, 1))


# Words and mathematics.


def _setting(example: Example, problem: Problem) -> str:
    constants = [f"$d = {problem.x0.size}$"]
    if problem.smoothness is not None:
        constants.append(f"$L = {_number(problem.smoothness)}$")
    if problem.strong_convexity:
        constants.append(rf"$\mu = {_number(problem.strong_convexity)}$")
    parts = [f"{problem.name} ({', '.join(constants)})"]
    for name, given in example.arguments.items():
        value = given(problem) if callable(given) else given
        if isinstance(value, int | float) and name not in ("num_steps", "num_rounds", "smoothness", "strong_convexity"):
            parts.append(
                _LETTERS.get(name, name.removeprefix("num_").replace("_", " ") + " ${}$").format(_number(value))
            )
    in_one_line = ", ".join(parts)
    fits = len(re.sub(r"[$\\{}]", "", in_one_line)) <= 84
    return in_one_line if fits else f"{parts[0]},\n{', '.join(parts[1:])}"


def _balanced(text: str, width: int) -> str:
    """In as few lines as `width` columns allow, and these as equal as can be: no word is left alone."""
    few = len(textwrap.wrap(text, width))
    narrow = next(narrow for narrow in range(1, width + 1) if len(textwrap.wrap(text, narrow)) <= few)
    return textwrap.fill(text, narrow)


def _number(value: float) -> str:
    """Three digits, and a power of ten where there are too many zeros."""
    digits, _, exponent = f"{value:.3g}".partition("e")
    if not exponent:
        return digits
    power = f"10^{{{int(exponent)}}}"
    return power if digits == "1" else rf"{digits} \cdot {power}"


def _is_expected(example: Example) -> bool:
    """Whether the axis has an expectation, of which one run is a sample."""
    return _first_line(example.quantity).startswith("expected ")


def _source(sentence: str) -> str:
    """Where a theorem comes from: "Lecture 2, Theorem 3" of "Lecture 2, Theorem 3: for ..."."""
    statement = re.split("[:;]", sentence)[0].replace(", not a theorem of the course", "")
    source = ",".join(statement.split(",")[:2])
    return source[0].lower() + source[1:] if source.startswith(("Derived", "Standard", "By ")) else source


def _typeset(quantity: str) -> str:
    """Words as they are, and from the first symbol on the mathematics of the docstrings as mathematics."""
    start = re.search(r"\S*[_|^(*]|\bE ", quantity)
    words, mathematics = (quantity[: start.start()], quantity[start.start() :]) if start else (quantity, "")
    for pattern, symbol in _SYMBOLS.items():
        mathematics = re.sub(pattern, symbol, mathematics)
    separator = "\n" if len(quantity) > 50 else " "
    return textwrap.fill(words.strip(), 42) + (f"{separator}${mathematics}$" if mathematics else "")


_LETTERS = {
    "learning_rate": r"learning rate $\gamma = {}$",
    "momentum": r"momentum $\beta = {}$",
    "tau": r"$\tau = {}$",
    "lam": r"$\lambda = {}$",
    "l1_weight": r"$\lambda = {}$",
}
_SYMBOLS = {
    r"\|\|": r"\\Vert ",
    r"\bgrad ": r"\\nabla ",
    r"\bsum_": r"\\sum_",
    r"\bE ": r"\\mathbb{E}\\,",
    r"(?<=[a-z])\*": r"^\\star",
    r"\.\.\.": r"\\ldots",
    r"\^\(([^)]*)\)": r"^{\1}",
}


def _first_line(documented: object) -> str:
    return (inspect.getdoc(documented) or "").partition("\n")[0]
