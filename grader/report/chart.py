"""Pictures of a page, as inline SVG: the convergence of an experiment, the distribution of a class.

The SVG is written directly. A plotting library takes about 80 ms a figure and brings its own fonts and colours; here
a figure takes a fraction of a millisecond, and its colours are the page's, so it follows light and dark mode.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from grader.judge.grade import Picture
from grader.report.text import counted, points, shortened, visible

MOST_POINTS = 400
"""Most points of a curve that are drawn."""

_WIDTH, _HEIGHT = 480, 310
_LEFT, _RIGHT, _TOP, _BOTTOM = 76.0, 468.0, 78.0, 266.0
_MARGIN = 6.0
_MARKERS = 5
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

Curve = Sequence[float | None]
Point = tuple[float, float]
"""A place on the drawing, in its units."""


@dataclass(frozen=True)
class _Style:
    """How one curve looks; every curve differs from the others without colour too."""

    name: str
    label: str
    width: float
    dashes: str
    marker: Callable[[float, float], str]
    shift: float
    """Where the markers are, as a part of their distance, so that those of equal curves do not hide each other."""


def _circle(x: float, y: float) -> str:
    return f"M{x - 3.5:.1f} {y:.1f}a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z"


def _diamond(x: float, y: float) -> str:
    return f"M{x:.1f} {y - 5.5:.1f}l5.5 5.5l-5.5 5.5l-5.5 -5.5z"


def _triangle(x: float, y: float) -> str:
    return f"M{x:.1f} {y - 5:.1f}l5 8.5h-10z"


_STUDENT = _Style("student", "yours", 2, "", _circle, 0.0)
# Broad and below the student's curve: where the two agree, both are seen.
_REFERENCE = _Style("reference", "reference", 4, "9 5", _diamond, 0.5)
_BOUND = _Style("bound", "bound", 2, "1 5", _triangle, 0.25)


@dataclass(frozen=True)
class _Axes:
    """From (k, value) to a place on the drawing; the value's axis is logarithmic, from 10^low to 10^high."""

    last: int
    low: int
    high: int
    clipped: bool
    """Whether some value is zero or negative; it is drawn at the lower edge."""

    def x(self, k: int) -> float:
        return _LEFT + (_RIGHT - _LEFT) * k / self.last

    def y(self, value: float) -> float:
        decade = math.log10(value) if value > 0 else self.low
        return _BOTTOM - (_BOTTOM - _TOP) * (min(max(decade, self.low), self.high) - self.low) / (self.high - self.low)


def convergence_chart(picture: Picture) -> Markup:
    """The curves of `picture` over the iterations, with a logarithmic axis, as one `<svg>` element.

    Curves longer than `MOST_POINTS` are thinned out; the extremes of each part stay. Values that are not finite leave a
    gap, values that are not positive are drawn at the lower edge. Classes and custom properties of
    `templates/style.css` give the colours.
    """
    curves = [(_REFERENCE, _finite(picture.reference)), (_STUDENT, _finite(picture.student))]
    if picture.bound is not None:
        curves.insert(0, (_BOUND, _finite(picture.bound)))
    axes = _axes([curve for _, curve in curves])
    return _svg(
        "chart",
        _HEIGHT,
        title=f"{picture.quantity} over the iterations, experiment {picture.experiment}",
        description=_description(picture, axes),
        parts=[
            _grid(axes),
            _text(_MARGIN, 42, shortened(picture.quantity, 200)[:52]),
            _text((_LEFT + _RIGHT) / 2, _HEIGHT - 6, "iteration k", anchor="middle"),
            *(_curve(style, curve, axes) for style, curve in curves),
            "" if any(_present(curve) for _, curve in curves) else _nothing(),
            _difference(picture.first_difference, axes),
            _legend([style for style, _ in reversed(curves)]),
        ],
    )


def histogram(scores: Sequence[float], max_score: float) -> Markup:
    """How many of `scores` (points, out of `max_score`) fall into each of at most 20 equal bins, as one `<svg>`."""
    top = max([max_score, *scores, 1.0])
    step = _step(top, 20)
    counts = [0] * math.ceil(top / step)
    for score in scores:
        counts[min(max(int(score / step), 0), len(counts) - 1)] += 1
    tallest = max([*counts, 1])
    pitch = (_RIGHT - _LEFT) / len(counts)
    base, height = 196.0, 160.0
    bars = []
    for place, count in enumerate(counts):
        left, length = _LEFT + pitch * place, height * count / tallest
        if count:
            bars.append(
                f'<rect class="bar" x="{left + 1:.1f}" y="{base - length:.1f}"'
                f' width="{max(pitch - 2, 1):.1f}" height="{length:.1f}"/>'
            )
            bars.append(_text(left + pitch / 2, base - length - 5, str(count), anchor="middle"))
    every = math.ceil(len(counts) / 10)
    ticks = [
        _text(_LEFT + pitch * place, base + 18, points(step * place), anchor="middle")
        for place in range(0, len(counts) + 1, every)
    ]
    filled = [
        f"{points(step * place)} to {points(step * (place + 1))} points: {counted(count, 'student')}"
        for place, count in enumerate(counts)
        if count
    ]
    return _svg(
        "chart",
        240,
        title="Distribution of the scores",
        description=("; ".join(filled) or "No submission is graded yet") + ".",
        parts=[
            _line("axis", _LEFT, base, _RIGHT, base),
            *bars,
            *ticks,
            _text((_LEFT + _RIGHT) / 2, 234, "points", anchor="middle"),
        ],
    )


def score_bar(score: float, pending: float, max_score: float) -> Markup:
    """The parts of `max_score` that are reached and that wait for the marker, as a narrow bar."""
    whole = max(max_score, score + pending, 1e-9)
    reached, waiting = _WIDTH * max(score, 0) / whole, _WIDTH * max(pending, 0) / whole
    waits = f", {points(pending)} pending" if pending else ""
    return _svg(
        "score-bar",
        12,
        title=f"{points(score)} of {points(max_score)} points{waits}",
        description="",
        parts=[
            f'<rect class="rest" width="{_WIDTH}" height="12" rx="6"/>',
            f'<rect class="pending" width="{reached + waiting:.1f}" height="12" rx="6"/>' if waiting else "",
            f'<rect class="reached" width="{reached:.1f}" height="12" rx="6"/>' if reached else "",
        ],
    )


def _finite(curve: Curve) -> list[float | None]:
    return [value if value is not None and math.isfinite(value) else None for value in curve]


def _present(curve: Curve) -> list[int]:
    return [k for k, value in enumerate(curve) if value is not None]


def _nothing() -> str:
    return _text((_LEFT + _RIGHT) / 2, (_TOP + _BOTTOM) / 2, "no finite numbers to draw", anchor="middle")


def _axes(curves: Sequence[Curve]) -> _Axes:
    values = [value for curve in curves for value in curve if value is not None]
    positive = [value for value in values if value > 0]
    low = math.floor(math.log10(min(positive))) if positive else -1
    high = math.ceil(math.log10(max(positive))) if positive else 0
    longest = max(len(curve) for curve in curves)
    return _Axes(max(longest - 1, 1), low, max(high, low + 1), clipped=len(positive) < len(values))


def _thin(curve: Curve) -> list[int]:
    """Indices of the points to draw: all of a short curve; ends, and lowest and highest of each part, of a long one."""
    present = _present(curve)
    if len(present) <= MOST_POINTS:
        return present
    parts = MOST_POINTS // 2 - 1
    kept = {present[0], present[-1]}
    for part in range(parts):
        block = present[len(present) * part // parts : len(present) * (part + 1) // parts]
        kept.add(min(block, key=lambda k: curve[k] or 0.0))
        kept.add(max(block, key=lambda k: curve[k] or 0.0))
    return sorted(kept)


def _curve(style: _Style, curve: Curve, axes: _Axes) -> str:
    gaps = [0]  # gaps[k]: how many values are missing before k
    for value in curve:
        gaps.append(gaps[-1] + (value is None))
    drawn: list[Point] = []
    path = []
    before = None
    for k in _thin(curve):
        x, y = axes.x(k), axes.y(curve[k] or 0.0)
        joined = before is not None and gaps[k] == gaps[before]
        # A zero-length line with round ends is a dot: a point without neighbours is seen.
        path.append(f"L{x:.1f} {y:.1f}" if joined else f"M{x:.1f} {y:.1f}h0")
        drawn.append((x, y))
        before = k
    if not drawn:
        return ""
    dashes = f' stroke-dasharray="{style.dashes}"' if style.dashes else ""
    markers = "".join(style.marker(x, y) for x, y in _spread(drawn, style.shift))
    return (
        f'<path class="{style.name}" d="{"".join(path)}" fill="none" stroke-width="{style.width}"'
        f' stroke-linejoin="round" stroke-linecap="round"{dashes}/>'
        f'<path class="{style.name} marker" d="{markers}" stroke-width="1.5"/>'
    )


def _spread(drawn: Sequence[Point], shift: float) -> list[Point]:
    if len(drawn) <= _MARKERS:
        return list(drawn)
    distance = (len(drawn) - 1) / _MARKERS
    return [drawn[round(distance * (number + shift))] for number in range(_MARKERS)]


def _grid(axes: _Axes) -> str:
    parts = []
    step = math.ceil(_step(axes.high - axes.low, 7))
    decades = list(range(math.ceil(axes.low / step) * step, axes.high + 1, step))
    if axes.clipped and axes.low not in decades:
        decades = [axes.low, *(decade for decade in decades if decade - axes.low > step / 2)]
    for decade in decades:
        y = _BOTTOM - (_BOTTOM - _TOP) * (decade - axes.low) / (axes.high - axes.low)
        parts.append(_line("grid", _LEFT, y, _RIGHT, y))
        label = "10" + str(decade).translate(_SUPERSCRIPT)
        prefix = "≤ " if axes.clipped and decade == axes.low else ""
        parts.append(_text(_LEFT - 8, y + 4.5, prefix + label, anchor="end"))
    step = math.ceil(_step(axes.last, 6))
    for k in range(0, axes.last + 1, step):
        parts.append(_line("axis", axes.x(k), _BOTTOM, axes.x(k), _BOTTOM + 4))
        parts.append(_text(axes.x(k), _BOTTOM + 20, str(k), anchor="middle"))
    parts.append(_line("axis", _LEFT, _BOTTOM, _RIGHT, _BOTTOM))
    return "".join(parts)


def _difference(k: int | None, axes: _Axes) -> str:
    if k is None or not 0 <= k <= axes.last:
        return ""
    x = axes.x(k)
    right = x < (_LEFT + _RIGHT) / 2
    words = f"first difference: k = {k}"
    label = _text(x - 2 if right else x + 2, _TOP - 12, words, "start" if right else "end", "difference")
    return (
        f'<line class="difference" x1="{x:.1f}" y1="{_TOP - 8:.1f}" x2="{x:.1f}" y2="{_BOTTOM:.1f}"'
        f' stroke-width="1.5" stroke-dasharray="7 3 1 3"/>{label}'
    )


def _legend(styles: Sequence[_Style]) -> str:
    parts = []
    for place, style in enumerate(styles):
        x, y = _MARGIN + 140.0 * place, 14.0
        dashes = f' stroke-dasharray="{style.dashes}"' if style.dashes else ""
        parts.append(
            f'<path class="{style.name}" d="M{x:.1f} {y:.1f}h36" fill="none" stroke-width="{style.width}"{dashes}/>'
            f'<path class="{style.name} marker" d="{style.marker(x + 18, y)}" stroke-width="1.5"/>'
        )
        parts.append(_text(x + 44, y + 4.5, style.label))
    return "".join(parts)


def _description(picture: Picture, axes: _Axes) -> str:
    sentences = [picture.sentence]
    if picture.bound is not None and picture.bound_name:
        sentences.append(f"The bound is {picture.bound_name}.")
    if picture.first_difference is not None:
        sentences.append(f"The first difference is at k = {picture.first_difference}.")
    if axes.clipped:
        sentences.append("Values that are not positive are drawn at the lower edge.")
    return " ".join(sentences)


def _step(span: float, most: int) -> float:
    """The smallest of 0.5, 1, 2, 5, 10, 20, ... that needs at most `most` steps to cover `span`."""
    scale = 0.1
    while True:
        for factor in (5.0, 10.0, 20.0):
            if span <= most * scale * factor:
                return scale * factor
        scale *= 10


def _svg(name: str, height: int, title: str, description: str, parts: Sequence[str]) -> Markup:
    # The title gives the element its name for screen readers, <desc> its description.
    description = f"<desc>{_escaped(description)}</desc>" if description else ""
    return Markup(
        f'<svg class="{name}" viewBox="0 0 {_WIDTH} {height}" role="img">'
        f"<title>{_escaped(title)}</title>{description}{''.join(parts)}</svg>"
    )


def _text(x: float, y: float, text: str, anchor: str = "start", name: str = "label") -> str:
    return f'<text class="{name}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_escaped(text)}</text>'


def _line(name: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{name}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _escaped(text: str) -> str:
    return str(escape(visible(shortened(text, 2_000))))
