"""The page of a validation: whole, safe, and readable in a real browser."""

from __future__ import annotations

import html
import math
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from grader.report.validation_page import Mark, QuestionFindings, Validation, shown_ratio, validation_page

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PHONE = 390
"""Width of a phone's screen, CSS pixels."""


def pictures(page: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(found) for found in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]


def test_the_page_tells_everything_that_was_found(flawed: Validation) -> None:
    page = html.unescape(validation_page(flawed))
    told = [*flawed.faults]
    for question in flawed.questions:
        told += [*question.unseen, *question.misnamed, *question.unneeded, *question.beyond_rounding]
        told += [f"{one} and {other}" for one, other in question.pairs]
        told += [mark.name for mark in question.marks]
    assert len(told) > 20
    for words in told:
        assert words in page
    assert "Not ready." in page


def test_the_page_needs_nothing_from_outside_and_runs_nothing(flawed: Validation) -> None:
    page = validation_page(flawed)
    assert "Content-Security-Policy" in page
    for forbidden in ("<script", "http://", "https://", " style=", "src="):
        assert forbidden not in page


def test_what_an_author_writes_is_escaped(flawed: Validation) -> None:
    page = validation_page(replace(flawed, title="<b>bold</b>"))
    assert "<b>bold" not in page
    assert "&lt;b&gt;bold" in page


def test_a_sound_assignment_is_called_ready(flawed: Validation) -> None:
    page = validation_page(Validation(flawed.assignment, flawed.title, (), None))
    assert "Ready." in page
    assert "sample submission" not in page


def test_the_picture_has_each_form_and_the_tolerance(flawed: Validation) -> None:
    drawn = pictures(validation_page(flawed))
    assert len(drawn) == 2
    for picture, question in zip(drawn, flawed.questions, strict=True):
        texts = {" ".join("".join(text.itertext()).split()) for text in picture.iter("text")}
        assert {mark.identifier for mark in question.marks} <= {text.partition(" (")[0] for text in texts}
        assert "tolerance" in texts


def test_numbers_stand_where_they_belong(flawed: Validation) -> None:
    """Right of the tolerance what is wrong, left of it what is right; without numbers, at the far right."""
    ratios = {"zero": 0.0, "tiny": 1e-30, "right": 0.5, "wrong": 2.0, "huge": 1e300, "none": math.inf}
    marks = tuple(Mark("f", name, "mistake", {"f: one": ratio}, (), False) for name, ratio in ratios.items())
    question = replace(flawed.questions[0], marks=marks)
    (picture,) = pictures(validation_page(replace(flawed, questions=(question,))))
    tolerance = next(float(line.attrib["x1"]) for line in picture.iter("line") if line.attrib["class"] == "difference")
    # Each form has a broad line that ends at its largest ratio; the forms are sorted by it.
    broad = [line for line in picture.iter("line") if line.attrib.get("stroke-width") == "2"]
    ends = dict(zip(ratios, (float(line.attrib["x2"]) for line in broad), strict=True))
    assert ends["zero"] == ends["tiny"] < ends["right"] < tolerance < ends["wrong"] < ends["huge"] < ends["none"]
    texts = {text.text for text in picture.iter("text")}
    assert {"≤ 10⁻⁴", "10⁰", "≥ 10²⁰", "∞"} <= texts


def test_ratios_are_shown_in_two_digits() -> None:
    assert [shown_ratio(ratio) for ratio in (0.0, 0.00123, 3.14159e9)] == ["0", "0.0012", "3.1e+09"]
    assert shown_ratio(math.inf) == "no numbers to compare"


def test_a_mistake_that_only_calls_otherwise_has_no_margin(scale: QuestionFindings) -> None:
    calls_twice = Mark("f", "calls_twice", "mistake", {"f: one": 0.0}, ("calls",), other_manner=True)
    assert replace(scale, marks=(calls_twice,)).nearest_mistake is None


def test_a_mistake_without_numbers_is_not_the_nearest(scale: QuestionFindings) -> None:
    raising = Mark("f", "raising", "mistake", {"f: one": math.inf}, ("values",), other_manner=False)
    assert replace(scale, marks=(raising,)).nearest_mistake is None
    wrong = replace(raising, identifier="wrong", ratios={"f: one": 9.0})
    assert replace(scale, marks=(raising, wrong)).nearest_mistake == wrong


def test_forms_that_are_judged_by_statistics_have_no_distance(scale: QuestionFindings, flawed: Validation) -> None:
    sampler = Mark("f", "sampler", "equivalent", {}, (), other_manner=False)
    question = replace(scale, marks=(sampler,))
    assert question.farthest_equivalent is None
    page = validation_page(replace(flawed, questions=(question,)))
    assert not pictures(page)
    assert "f: sampler" in page


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
def test_the_page_fits_a_phone_and_accepts_its_own_style(flawed: Validation, tmp_path: Path) -> None:
    # Measured from outside: the page itself may not run any script.
    script = """
        addEventListener("load", () => {
            const frame = document.querySelector("iframe"), page = frame.contentDocument;
            page.querySelectorAll("details").forEach(details => details.open = true);
            const styled = frame.contentWindow.getComputedStyle(page.querySelector(".card")).borderRadius;
            document.title = [page.documentElement.scrollWidth, styled].join(" ");
        });
    """
    frame = f'<iframe srcdoc="{html.escape(validation_page(flawed))}" style="width:{PHONE}px;height:900px;border:0">'
    wrapper = tmp_path / "wrapper.html"
    wrapper.write_text(f"<meta charset='utf-8'><title></title><script>{script}</script>{frame}</iframe>", "utf-8")
    assert BROWSER is not None
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars"]
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    command = [BROWSER, *flags, profile, "--dump-dom", wrapper.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    measured = re.search(r"<title>([^<]*)</title>", shown)
    assert measured is not None
    assert measured[1] == f"{PHONE} 12px"
