"""Grades for other programs."""

from __future__ import annotations

import csv
import io
import json

import pytest

from grader.report.exports import results_json, scores_csv


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_results_have_the_documented_shape(sample):
    document = results_json("hw2", [sample("mistakes")])
    assert list(document) == ["assignment", "results"]
    (result,) = document["results"]
    assert list(result) == ["student", "file", "status", "score", "max_score", "questions"]
    assert {key: result[key] for key in list(result)[:-1]} == {
        "student": "bob",
        "file": "bob.ipynb",
        "status": "graded",
        "score": 3,
        "max_score": 14,
    }
    _, question, proofs = result["questions"]
    assert list(question) == ["id", "status", "score", "max_score", "checks"]
    assert (question["id"], question["status"]) == ("gradient_descent", "partial")
    assert question["checks"][0] == {
        "id": "iterates",
        "status": "failed",
        "score": 0,
        "max_score": 3,
        "message": "The numbers are not those of the algorithm.",
        "diagnosis": "gradient_ascent",
        "first_difference": 1,
    }
    assert (question["checks"][3]["diagnosis"], question["checks"][3]["first_difference"]) == (None, None)
    assert proofs == {"id": "proofs", "status": "pending", "score": 0, "max_score": 5, "checks": []}


def test_whole_numbers_are_written_without_a_point(sample):
    written = json.dumps(results_json("hw2", [sample("full")]))
    assert '"score": 12.5' in written
    assert '"max_score": 14,' in written
    assert ".0" not in written


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [("refused", "refused", "is not a notebook"), ("unavailable", "unavailable", "could not be started")],
)
def test_a_submission_without_grade_has_a_reason(sample, name, status, reason):
    (result,) = results_json("hw2", [sample(name)])["results"]
    assert result["status"] == status
    assert reason in result["reason"]
    assert result["questions"] == []


def test_results_of_hostile_names_can_be_written(sample, attack):
    document = json.loads(json.dumps(results_json("hw2", [sample("hostile")])))
    assert document["results"][0]["student"] == attack


def test_scores_have_a_row_a_student_and_a_column_a_question(sample):
    header, *table = rows(scores_csv([sample("refused"), sample("mistakes"), sample("full")]))
    assert header == [
        *("student", "file", "status", "score", "max_score", "pending", "late"),
        *("least_squares", "gradient_descent", "proofs"),
    ]
    assert table == [
        ["eve", "eve.ipynb", "refused", "0", "0", "0", "no", "", "", ""],
        ["bob", "bob.ipynb", "graded", "3", "14", "5", "yes", "2", "1", "0"],
        ["ada", "ada.ipynb", "graded", "12.5", "14", "0", "no", "3", "6", "3.5"],
    ]


def test_a_fault_of_the_grader_is_an_empty_cell_not_a_zero(sample):
    _, whole, part = rows(scores_csv([sample("unavailable"), sample("not_checked")]))
    assert whole[3] == ""
    assert part[8] == ""
    assert part[7] == "3"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r=1", "＝1"])
def test_no_cell_is_a_formula(make_grade, name):
    table = rows(scores_csv([make_grade(name)]))
    assert table[1][0].startswith("'")
    assert table[1][1].startswith("'")


def test_names_with_separators_stay_in_their_cell(make_grade):
    text = scores_csv([make_grade('a,"b"\nc'), make_grade("王小明")])
    assert [row[0] for row in rows(text)[1:]] == ['a,"b"\nc', "王小明"]
    scores_csv([make_grade("\ud800")]).encode("utf-8")
