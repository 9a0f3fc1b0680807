"""The pictures of a page: right for any numbers."""

from __future__ import annotations

import itertools
import math
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from grader.judge.grade import Picture
from grader.report.chart import MOST_POINTS, convergence_chart, histogram, score_bar


def picture(student, reference=(1.0, 0.5, 0.25), bound=None, first_difference=None) -> Picture:
    return Picture(
        experiment="e",
        quantity="distance",
        student=tuple(student),
        reference=tuple(reference),
        bound=bound,
        bound_name="Theorem 1",
        first_difference=first_difference,
        sentence="In words.",
    )


def path(svg: str, name: str) -> str:
    (found,) = re.findall(rf'<path class="{name}" d="([^"]*)" fill="none" stroke-width="\d" stroke-linejoin', svg)
    return found


def places(svg: str, name: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path(svg, name))]


curves = st.lists(st.none() | st.floats(allow_subnormal=True), max_size=30)


@given(
    student=curves,
    reference=curves,
    bound=st.none() | curves.map(tuple),
    first_difference=st.none() | st.integers(-5, 10**9),
)
@settings(max_examples=150, deadline=None)
def test_any_numbers_give_a_picture_inside_its_frame(student, reference, bound, first_difference, read):
    svg = convergence_chart(picture(student, reference, bound, first_difference))
    read(svg)
    assert "nan" not in svg
    assert "inf" not in svg.replace("finite", "")
    for name in ("student", "reference"):
        if any(value is not None and math.isfinite(value) for value in (student if name == "student" else reference)):
            assert all(70 <= x <= 470 and 70 <= y <= 270 for x, y in places(svg, name))


@given(st.lists(st.floats(1e-300, 1e300), min_size=MOST_POINTS + 1, max_size=MOST_POINTS + 50), st.integers(1, 20))
@settings(max_examples=10, deadline=None)
def test_a_long_curve_is_thinned_and_keeps_its_extremes(values, repeat):
    curve = values * repeat
    drawn = places(convergence_chart(picture(curve, curve)), "student")
    assert len(drawn) <= MOST_POINTS
    heights = [y for _, y in drawn]
    low, high = min(curve), max(curve)
    span = max(math.ceil(math.log10(high)) - math.floor(math.log10(low)), 1)
    assert max(heights) - min(heights) >= 188 * (math.log10(high) - math.log10(low)) / span - 0.2


def test_equal_ratios_are_equal_distances():
    drawn = places(convergence_chart(picture([1.0, 0.1, 0.01, 0.001], [1.0, 0.1, 0.01, 0.001])), "student")
    steps = [after[1] - before[1] for before, after in itertools.pairwise(drawn)]
    assert max(steps) - min(steps) < 0.2
    assert min(steps) > 50


def test_a_zero_is_drawn_at_the_lower_edge_and_the_picture_says_so():
    svg = convergence_chart(picture([1.0, 1e-3, 0.0], [1.0, 1e-3, 1e-4]))
    assert places(svg, "student")[-1][1] == 266.0
    assert "≤ 10⁻⁴" in svg
    assert "not positive are drawn at the lower edge" in svg


def test_a_missing_value_is_a_gap():
    drawn = path(convergence_chart(picture([1.0, 0.9, None, float("inf"), 0.5, 0.4])), "student")
    assert drawn.count("M") == 2
    assert drawn.count("L") == 2


def test_curves_differ_without_colour():
    svg = convergence_chart(picture([1.0, 2.0], bound=(1.0, 0.9)))
    looks = {
        name: re.findall(rf'<path class="{name}"[^>]*stroke-width="(\d)"[^>]*?(stroke-dasharray="[^"]*")?/>', svg)[0]
        for name in ("student", "reference", "bound")
    }
    assert len(set(looks.values())) == 3
    for label in ("yours", "reference", "bound"):
        assert f">{label}</text>" in svg


def test_the_first_difference_is_marked_at_its_iteration():
    svg = convergence_chart(picture([1.0] * 11, [1.0] * 11, first_difference=5))
    (mark,) = re.findall(r'<line class="difference" x1="([\d.]+)" y1="[\d.]+" x2="([\d.]+)"', svg)
    assert mark == ("272.0", "272.0")
    assert "first difference: k = 5" in svg
    assert '<line class="difference"' not in convergence_chart(picture([1.0] * 11, first_difference=40))


def test_decades_from_the_smallest_to_the_largest_double_have_few_ticks():
    svg = convergence_chart(picture([1e-320, 1e300]))
    assert "10³⁰⁰" in svg
    assert 3 <= svg.count('class="grid"') <= 9


def test_a_picture_without_numbers_says_so():
    assert "no finite numbers to draw" in convergence_chart(picture([None, None], []))


def test_a_picture_is_described_in_words():
    svg = convergence_chart(picture([1.0, 2.0], bound=(1.0, 0.9), first_difference=1))
    assert "<title>distance over the iterations, experiment e</title>" in svg
    assert "<desc>In words. The bound is Theorem 1. The first difference is at k = 1.</desc>" in svg


@given(scores=st.lists(st.floats(0, 30), max_size=60), max_score=st.floats(0, 30))
@settings(max_examples=60, deadline=None)
def test_a_histogram_counts_everyone_once(scores, max_score, read):
    svg = histogram(scores, max_score)
    read(svg)
    described = re.findall(r"points: (\d+) student", svg)
    assert sum(map(int, described)) == len(scores)
    assert svg.count('class="bar"') <= 20


def test_a_histogram_puts_the_full_score_into_the_last_bin():
    assert "19 to 20 points: 2 students" in histogram([20, 19, 0], 20)
    assert "0 to 1 points: 1 student" in histogram([20, 19, 0], 20)


def test_the_score_bar_shows_the_parts_of_the_total():
    bar = score_bar(5, 2.5, 10)
    assert '<rect class="reached" width="240.0"' in bar
    assert '<rect class="pending" width="360.0"' in bar
    assert "<title>5 of 10 points, 2.5 pending</title>" in bar
    assert "nan" not in score_bar(0, 0, 0)
