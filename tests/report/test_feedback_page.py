"""The feedback page: readable by anyone, safe against anything, and about the right things."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from collections.abc import Callable

import pytest

from grader.judge.grade import Grade
from grader.report.feedback import feedback_page

Sample = Callable[[str], Grade]


def test_a_page_is_well_formed_html(any_grade, read):
    page = feedback_page(any_grade)
    tags = read(page)  # fails where a tag is not closed
    assert page.startswith("<!DOCTYPE html>")
    assert tags.named("html") == [{"lang": "en"}]
    assert len(tags.named("main")) == len(tags.named("header")) == len(tags.named("footer")) == 1
    identifiers = [attributes["id"] for _, attributes in tags.elements if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))


def test_every_reference_inside_the_page_has_its_target(any_grade, read):
    tags = read(feedback_page(any_grade))
    targets = {attributes["id"] for _, attributes in tags.elements if "id" in attributes}
    links = [attributes["href"] for attributes in tags.named("a")]
    labels = [attributes["aria-labelledby"] for _, attributes in tags.elements if "aria-labelledby" in attributes]
    assert links
    assert {link.removeprefix("#") for link in links} | set(labels) <= targets


def test_headings_are_in_order(any_grade, read):
    levels = [int(tag[1]) for tag, _ in read(feedback_page(any_grade)).elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_tables_name_their_columns_and_pictures_have_a_text(any_grade, read):
    tags = read(feedback_page(any_grade))
    assert all(header.get("scope") in ("col", "row") for header in tags.named("th"))
    assert all(svg.get("role") == "img" for svg in tags.named("svg"))
    # One <title> is the page's; each <svg> has its own.
    assert len(tags.named("title")) == 1 + len(tags.named("svg"))
    assert all(title.strip() for title in tags.contents["title"])


def test_a_page_has_no_script_no_network_and_no_inline_style_attribute(any_grade, read):
    tags = read(feedback_page(any_grade))
    assert {tag for tag, _ in tags.elements}.isdisjoint(
        {"script", "link", "img", "iframe", "object", "embed", "form", "base", "use", "image", "foreignobject"}
    )
    for _, attributes in tags.elements:
        assert not any(name.startswith("on") for name in attributes)
        assert "style" not in attributes
        assert "src" not in attributes
        assert attributes.get("href", "#").startswith("#")
    (style,) = tags.contents["style"]
    assert "url(" not in style
    assert "@import" not in style


def test_the_policy_forbids_all_but_the_one_inline_style(any_grade, read):
    tags = read(feedback_page(any_grade))
    (policy,) = [meta["content"] for meta in tags.named("meta") if "http-equiv" in meta]
    (style,) = tags.contents["style"]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_hostile_text_is_shown_as_text(sample: Sample, read):
    page = feedback_page(sample("hostile"))
    page.encode("utf-8")  # a lone surrogate would raise
    assert "<script" not in page
    assert "<img" not in page
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page)
    text = read(page).text
    assert '<script>alert("1")</script>' in text
    assert "{{ 7*7 }}" in text
    assert "[link](javascript:alert(1))" in text


def test_text_without_end_is_cut_and_the_page_says_so(sample: Sample):
    page = feedback_page(sample("mistakes"))
    assert "characters left out" in page
    assert "step 0:" in page
    assert "step 299:" in page
    assert "step 150:" not in page


def test_a_failed_question_leads_with_the_diagnosis_and_tells_it_once(sample: Sample, read):
    text = read(feedback_page(sample("mistakes"))).text
    sentence = "The step goes along the gradient, not against it"
    assert text.count(sentence) == 1
    assert text.index(sentence) < text.index("Iterates agree with gradient descent")
    assert text.count("gradient_ascent") == 1
    assert "data_scaled" in text
    assert "k = 1" in text


def test_a_hidden_experiment_is_named_as_hidden(sample: Sample, read):
    text = " ".join(read(feedback_page(sample("mistakes"))).text.split())
    assert "badly conditioned (hidden): The iterates are not right." in text
    assert "well conditioned:" in text
    assert "well conditioned (hidden)" not in text


def test_the_total_says_what_is_pending(sample: Sample, read):
    text = read(feedback_page(sample("pending"))).text
    assert "9 of 14 points so far" in text
    assert "5 points wait for a person" in text
    assert "Everything that was checked so far is right" in text


def test_marks_by_hand_come_with_their_comments_and_the_answer(sample: Sample, read):
    text = " ".join(read(feedback_page(sample("full"))).text.split())
    assert "12.5 of 14 points" in text
    assert "so far" not in text
    assert "1.5 of 2" in text
    assert "Say why A^T A has no negative eigenvalue. (Grace)" in text
    assert "$f(x) = \\frac12 \\|Ax-b\\|^2$" in text


def test_a_missing_written_answer_is_named(sample: Sample):
    assert "No written answer was found in your file." in feedback_page(sample("error"))


def test_a_refused_file_says_why_and_what_to_do(sample: Sample, read):
    text = read(feedback_page(sample("refused"))).text
    assert "eve.ipynb is not a notebook: it is empty." in text
    assert "hand it in again" in text
    assert "0 of 0" not in text


@pytest.mark.parametrize("name", ["unavailable", "not_checked"])
def test_a_fault_of_the_grader_is_never_shown_as_a_zero(sample: Sample, read, name: str):
    text = read(feedback_page(sample(name))).text
    assert "costs you no points" in text
    assert "0 of 6" not in text
    assert "0 of 0" not in text


def test_late_work_and_remarks_about_cells_are_shown(sample: Sample, read):
    text = read(feedback_page(sample("mistakes"))).text
    assert "Late. This was handed in after the deadline." in text
    assert "cell 4: A shell command is not executed here." in text
    assert "!pip install torch" in text


def test_a_status_is_a_word(any_grade, read):
    words = [
        attributes["class"].split()[1]
        for attributes in read(feedback_page(any_grade)).named("span")
        if attributes.get("class", "").startswith("status ")
    ]
    text = read(feedback_page(any_grade)).text
    assert set(words) <= {"passed", "partial", "failed", "error", "pending", "unavailable"}
    assert all(word in text for word in words)


def test_equal_grades_give_equal_pages(any_grade):
    assert feedback_page(any_grade) == feedback_page(any_grade.model_copy(deep=True))
