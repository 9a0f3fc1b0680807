"""The class report."""

from __future__ import annotations

import itertools
import re

import pytest

from grader.judge.grade import QuestionGrade, Status
from grader.report.class_page import class_page, mistake_counts, question_summaries


def question(identifier: str, score: float, status: Status | None = None) -> QuestionGrade:
    if status is None:
        status = Status.PASSED if score == 4 else Status.FAILED if score == 0 else Status.PARTIAL
    return QuestionGrade(id=identifier, title=identifier, status=status, score=score, max_score=4)


def test_a_class_page_is_well_formed_and_needs_nothing_from_outside(whole_class, read):
    page = class_page("Homework 2", whole_class, {grade.student: "a.html" for grade in whole_class})
    page.encode("utf-8")
    tags = read(page)
    assert "<script" not in page
    assert "<img" not in page
    assert all(re.match(r"#|\./", attributes["href"]) for attributes in tags.named("a"))
    assert len(tags.named("title")) == 1 + len(tags.named("svg"))
    levels = [int(tag[1]) for tag, _ in tags.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_summary_of_a_question(make_grade):
    grades = [
        make_grade("a", question("p", 4), question("q", 4)),
        make_grade("b", question("p", 2), question("q", 2)),
        make_grade("c", question("p", 0), question("q", 0)),
        make_grade("d", question("p", 0, Status.ERROR), question("q", 0)),
        make_grade("e", question("p", 0, Status.PENDING), question("q", 4)),
        make_grade("f", question("p", 0, Status.UNAVAILABLE), question("q", 4)),
    ]
    first, second = question_summaries(grades)
    assert (first.number, first.mean, first.full, first.failed) == (4, 1.5, 0.25, 2)
    assert first.discrimination == pytest.approx(1.0)
    assert (second.number, second.mean, second.full) == (6, pytest.approx(14 / 6), 0.5)
    assert second.discrimination == pytest.approx(1.0)


@pytest.mark.parametrize("scores", [[(4, 4), (0, 0)], [(4, 4), (4, 0), (4, 2)], [(4, 1), (0, 1), (2, 1)]])
def test_discrimination_is_absent_where_it_is_not_defined(make_grade, scores):
    grades = [make_grade(str(n), question("p", a), question("q", b)) for n, (a, b) in enumerate(scores)]
    assert all(summary.discrimination is None for summary in question_summaries(grades))


def test_a_question_that_nobody_has_marks_for_has_no_mean(make_grade):
    (summary,) = question_summaries([make_grade("a", question("p", 0, Status.PENDING))])
    assert (summary.number, summary.mean, summary.full, summary.failed) == (0, None, None, 0)


def test_mistakes_are_counted_by_name_once_a_student(sample):
    wrong = sample("mistakes")  # three checks fail with gradient_ascent
    other = wrong.model_copy(update={"student": "other", "questions": wrong.questions[1:]})
    counts = mistake_counts([wrong, other, sample("full")])
    assert [(count.diagnosis.identifier, count.students) for count in counts] == [
        ("gradient_ascent", 2),
        ("mean_instead_of_sum", 1),
    ]


def test_the_page_names_mistakes_refusals_faults_and_late_work(whole_class, read):
    text = " ".join(read(class_page("Homework 2", whole_class)).text.split())
    assert "48 submissions: 46 graded, 1 refused, 1 unavailable" in text
    assert "gradient_ascent" in text
    assert "eve.ipynb is not a notebook: it is empty." in text
    assert "The sandbox could not be started." in text
    assert "dan: Gradient descent" in text
    assert "Late bob" in text


def test_students_are_linked_to_the_page_that_is_passed_in(sample, read):
    grades = [sample("full"), sample("pending"), sample("mistakes")]
    page = class_page("Homework 2", grades, {"ada": "ada.html", "王小明": "javascript:alert(1)/王 #.html"})
    links = {attributes["href"] for attributes in read(page).named("a")} - {"#content"}
    assert links == {"./ada.html", "./javascript%3Aalert%281%29/%E7%8E%8B%20%23.html"}


def test_a_fault_of_the_grader_has_no_score(sample, read):
    tags = read(class_page("Homework 2", [sample("unavailable")]))
    assert tags.contents["td"][-3:] == ["–", "0", "unavailable"]
    assert "Mean" not in tags.text


def test_a_class_without_students_has_a_page(read):
    text = read(class_page("Homework 2", [])).text
    assert "0 submissions" in text
    assert "No known mistake was found." in text
