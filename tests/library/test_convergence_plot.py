"""The picture of an algorithm: what is drawn, what is left out, and that nothing a mistake does can spoil it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from io import BytesIO, StringIO

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from grader.report import convergence_plot
from grader.report.convergence_plot import MOST_MISTAKES, Convergence, Curve, convergence, figure
from reference import problems
from reference.index import entries
from reference.lecture01.vector_norms import lp_norm
from reference.lecture02.gradient_descent import gradient_descent
from reference.lecture05.zo_gd_sphere import zo_gd_sphere
from reference.quantities import distance, gap
from reference.variants import example, guarantee, mistake

DRAWN = [entry.function for entry in entries() if entry.example is not None]


def labels(drawing):
    return [text.get_text() for text in drawing.legends[0].get_texts()]


def curves(drawing):
    return {line.get_label(): line for line in drawing.axes[0].get_lines()}


@pytest.fixture
def bisection():
    """An algorithm that halves the distance to x* = 0 in each step, and mistakes that do what mistakes may do."""

    def bisection(x0, num_steps):
        return np.array([x0 / 2**k for k in range(num_steps + 1)])

    def known(function):
        return mistake(bisection, "Your path is another one.")(function)

    @guarantee(bisection, distance, "Derived, not a theorem of the course: it halves the distance.")
    def bound_from_one_on(problem, num_steps):
        return np.append(np.inf, np.full(num_steps, 2.0))

    @guarantee(bisection, gap, "Derived: about something else.")
    def bound_of_the_gap(problem, num_steps):
        raise AssertionError("not on this axis")

    @guarantee(bisection, distance, "Derived: for other problems.")
    def bound_of_others(problem, num_steps):
        raise ValueError("a condition is broken")

    @known
    def raises(x0, num_steps):
        raise ZeroDivisionError

    @known
    def returns_one_point(x0, num_steps):
        return x0

    @known
    def returns_too_few_rows(x0, num_steps):
        return bisection(x0, num_steps)[1:]

    @known
    def returns_words(x0, num_steps):
        return "x"

    @known
    def diverges(x0, num_steps):
        return np.array([x0 * np.float64(1e200) ** k for k in range(num_steps + 1)])

    @known
    def is_not_a_number(x0, num_steps):
        return np.array([x0 / (k < 3) for k in range(num_steps + 1)]) * np.nan

    @known
    def is_right(x0, num_steps):
        return bisection(x0, num_steps)

    @known
    def changes_its_argument(x0, num_steps):
        path = np.array([x0 for _ in range(num_steps + 1)])
        x0 *= 1e9
        return path

    @known
    def arrives_at_once(x0, num_steps):
        return np.array([x0 * (k == 0) for k in range(num_steps + 1)])

    example(bisection, problems.bowl, distance, num_steps=10)
    return bisection


# What is drawn.


def test_the_setting_is_said():
    picture = convergence(gradient_descent)
    assert picture.title == "Gradient descent with a constant step"
    assert picture.setting == r"elongated bowl ($d = 2$, $L = 20$, $\mu = 2$), learning rate $\gamma = 0.0909$"
    assert picture.quantity == "distance to the minimiser ||x_k - x*||"
    assert [bound.name for bound in picture.bounds] == ["bound: Lecture 2, Theorem 3"]


def test_curves_are_the_quantity_of_the_runs():
    picture = convergence(gradient_descent)
    factor = 9 / 11
    np.testing.assert_allclose(picture.algorithm.values, np.sqrt(20) * factor ** np.arange(61), rtol=1e-12)
    np.testing.assert_allclose(picture.bounds[0].values, picture.algorithm.values, rtol=1e-12)
    halved = {curve.name: curve.values for curve in picture.mistakes}["halved_gradient"]
    expected = np.hypot(2 * (1 - 20 / 22) ** np.arange(61), 4 * (1 - 2 / 22) ** np.arange(61))
    np.testing.assert_allclose(halved, expected, rtol=1e-12)


def test_mistakes_that_look_alike_are_counted_and_not_drawn():
    picture = convergence(gradient_descent)
    shown = {curve.name for curve in picture.mistakes}
    assert len(shown) + picture.omitted == 19
    assert not shown & {"two_gradients_per_step", "mutated_start", "missing_first_row", "final_point_only"}
    assert f"{picture.omitted} more not shown" in labels(figure(picture))


def test_one_run_of_a_random_method_says_so():
    picture = convergence(zo_gd_sphere)
    assert picture.quantity.startswith("expected gap")
    assert picture.algorithm.name == "zo_gd_sphere, one run"


def test_an_algorithm_without_a_standard_problem_is_refused():
    with pytest.raises(LookupError, match="lp_norm has no standard problem"):
        convergence(lp_norm)


@pytest.mark.parametrize("algorithm", DRAWN, ids=lambda algorithm: algorithm.__name__)
def test_every_algorithm_with_an_example_can_be_drawn(algorithm):
    picture = convergence(algorithm)
    low, high = picture.limits
    own = np.log10(picture.algorithm.values[0])
    assert low < own < high
    assert np.isfinite(picture.limits).all()
    assert len(picture.mistakes) <= MOST_MISTAKES
    drawing = figure(picture)
    drawing.draw_without_rendering()
    names = [picture.algorithm.name, *(curve.name for curve in (*picture.bounds, *picture.mistakes))]
    shown = [label.replace("\n", " ").replace("\N{NO-BREAK SPACE}", " ") for label in labels(drawing)]
    assert {name.replace("_", " ") for name in names} <= set(shown)
    # Nothing that says something is outside the picture.
    width, height = drawing.canvas.get_width_height()
    axes = drawing.axes[0]
    texts = [axes.title, axes.xaxis.label, axes.yaxis.label, drawing._suptitle, *drawing.legends[0].get_texts()]
    for text in [axes._left_title, *texts]:
        box = text.get_window_extent()
        assert box.width == 0 or (box.x0 >= -1 and box.x1 <= width + 1 and box.y0 >= -1 and box.y1 <= height + 1), text


# Nothing spoils it.


def test_whatever_a_mistake_does_there_is_a_picture(bisection):
    picture = convergence(bisection)
    assert {curve.name for curve in picture.mistakes} == {"diverges", "changes_its_argument", "arrives_at_once"}
    assert picture.omitted == 6
    np.testing.assert_allclose(picture.algorithm.values, np.sqrt(20) / 2.0 ** np.arange(11))
    drawing = figure(picture)
    low, high = drawing.axes[0].get_ylim()
    assert low < picture.algorithm.values.min() < picture.algorithm.values.max() < high < 100
    assert "below: zero or negative" in [text.get_text() for text in drawing.axes[0].texts]


def test_a_bound_begins_where_it_is_finite_and_only_bounds_of_the_axis_are_drawn(bisection):
    (bound,) = convergence(bisection).bounds
    assert bound.name == "bound: derived"
    np.testing.assert_array_equal(bound.values, [np.nan] + [2.0] * 10)


def test_values_that_are_zero_negative_or_infinite_leave_the_picture():
    start = Curve("right", np.array([1.0, 0.1, 0.0, -1e-17]))
    wild = Curve("wild", np.array([1.0, np.inf, np.nan, -5.0]))
    drawing = figure(Convergence("Title", "setting", "gap f(x_k) - f*", start, (), (wild,), 0, (-2.0, 1.0)))
    drawing.savefig(BytesIO(), format="png")
    drawn = curves(drawing)["wild"].get_ydata()
    assert drawn[1] > 10
    assert np.isnan(drawn[2])
    assert 0 < drawn[3] < 0.01


# It can be read.


def test_curves_are_told_apart_without_colour():
    drawing = figure(convergence(gradient_descent))
    lines = curves(drawing)
    thickest = max(lines.values(), key=lambda line: line.get_linewidth())
    assert thickest.get_label() == "gradient descent"
    assert lines["bound: Lecture\N{NO-BREAK SPACE}2, Theorem\N{NO-BREAK SPACE}3"].is_dashed()
    mistakes = [line for line in lines.values() if line.get_linewidth() < 2]
    assert len({line.get_marker() for line in mistakes}) == len(mistakes) > 4
    assert len({to_rgb(line.get_color()) for line in mistakes}) == len(mistakes)


def test_names_stand_in_the_order_in_which_curves_end():
    drawing = figure(convergence(gradient_descent))
    names = labels(drawing)
    ends = [curves(drawing)[name].get_ydata()[-1] for name in names[names.index("mistakes") + 1 : -1]]
    assert ends == sorted(ends, reverse=True)


@pytest.mark.parametrize(
    ("quantity", "typeset"),
    [
        ("gap to the minimum f(x_k) - f*", r"gap to the minimum $f(x_k) - f^\star$"),
        ("distance to the minimiser ||x_k - x*||", r"distance to the minimiser $\Vert x_k - x^\star\Vert $"),
        ("expected gap to the minimum E f(x_k) - f*", r"expected gap to the minimum $\mathbb{E}\,f(x_k) - f^\star$"),
        (
            "mean of ||grad f(x_0)||^2, ..., ||grad f(x_k)||^2",
            r"mean of $\Vert \nabla f(x_0)\Vert ^2, \ldots, \Vert \nabla f(x_k)\Vert ^2$",
        ),
        ("a quantity in words", "a quantity in words"),
    ],
)
def test_the_axis_has_words_and_mathematics(quantity, typeset):
    assert convergence_plot._typeset(quantity) == typeset


def test_a_picture_is_a_whole_svg():
    content = StringIO()
    figure(convergence(gradient_descent)).savefig(content, format="svg")
    assert ET.fromstring(content.getvalue()).tag.endswith("svg")
