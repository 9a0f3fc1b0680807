"""What a gradebook promises, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from grader.gradebook.errors import GradebookError
from grader.gradebook.gradebook import Gradebook
from grader.judge.grade import Status


class TestSubmissions:
    def test_come_back_byte_for_byte(self, book, make_submission):
        east = timezone(timedelta(hours=8))
        submission = make_submission(
            "李 雷",
            bytes(range(256)),
            modified_at=datetime(2026, 3, 1, 9, 30, tzinfo=east),
            files={"lib/helper.py": b"\x00\xff", "data.csv": b""},
        )
        number = book.store_submission("hw2", submission, late=True)
        assert book.ungraded("hw2") == [(number, submission)]

    def test_same_bytes_are_one_submission(self, book, make_submission):
        first = book.store_submission("hw2", make_submission(), late=False)
        assert book.store_submission("hw2", make_submission(), late=True) == first
        assert len(book.ungraded("hw2")) == 1

    def test_differ_by_bytes_student_and_assignment(self, book, make_submission):
        numbers = {
            book.store_submission("hw2", make_submission(), late=False),
            book.store_submission("hw2", make_submission(content=b"x = 2"), late=False),
            book.store_submission("hw2", make_submission(student="bob"), late=False),
            book.store_submission("hw3", make_submission(), late=False),
        }
        assert len(numbers) == 4

    def test_the_one_stored_last_counts(self, book, make_submission, make_grade, make_receipt):
        old, new = make_submission(content=b"old"), make_submission(content=b"new")
        for submission, score in [(old, 1.0), (new, 6.0)]:
            number = book.store_submission("hw2", submission, late=False)
            book.save_grade(number, make_grade(score=score), make_receipt(submission), None)
        assert book.latest("hw2", "ada").score == 6
        book.store_submission("hw2", old, late=False)
        assert book.latest("hw2", "ada").score == 1
        assert [grade.score for grade in book.grades("hw2")] == [1]

    def test_an_earlier_grade_counts_until_the_new_submission_is_graded(
        self, book, make_submission, make_grade, make_receipt
    ):
        old, new = make_submission(content=b"old"), make_submission(content=b"new")
        number = book.store_submission("hw2", old, late=False)
        book.save_grade(number, make_grade(score=1), make_receipt(old), None)
        later = book.store_submission("hw2", new, late=False)
        assert book.latest("hw2", "ada").score == 1
        assert book.ungraded("hw2") == [(later, new)]

    def test_without_a_grade_are_listed_by_student(self, book, make_submission, make_grade, make_receipt):
        for student in ["zoe", "Bob", "ada"]:
            book.store_submission("hw2", make_submission(student), late=False)
        done = make_submission("cem")
        book.save_grade(book.store_submission("hw2", done, late=False), make_grade("cem"), make_receipt(done), None)
        assert [submission.student for _, submission in book.ungraded("hw2")] == ["ada", "Bob", "zoe"]
        assert book.ungraded("hw3") == []

    def test_with_a_name_that_is_not_text_are_refused_with_a_sentence(self, book, make_submission):
        with pytest.raises(GradebookError, match="not valid Unicode"):
            book.store_submission("hw2", make_submission("caf\udce9"), late=False)


class TestGrades:
    def test_saving_again_changes_nothing(self, book, make_submission, make_grade, make_receipt):
        submission = make_submission()
        number = book.store_submission("hw2", submission, late=False)
        book.save_grade(number, make_grade(score=4), make_receipt(submission), ("e", b"run"))
        before = book.history("hw2", "ada")
        kept = book.save_grade(number, make_grade(score=1), make_receipt(submission, machine="there"), ("e", b"other"))
        assert kept == make_grade(score=4)
        assert book.history("hw2", "ada") == before
        assert book.recording(number, "e") == b"run"

    def test_resuming_finds_what_is_done(self, book, make_submission, make_grade, make_receipt):
        submission = make_submission()
        receipt = make_receipt(submission)
        number = book.store_submission("hw2", submission, late=False)
        assert book.graded(number, receipt.hash) is None
        book.save_grade(number, make_grade(), receipt, None)
        assert book.graded(number, receipt.hash) == make_grade()
        assert book.graded(number, make_receipt(submission, answer_key_hash="k2").hash) is None

    def test_a_regrade_adds_a_row_and_counts(self, book, make_submission, make_grade, make_receipt):
        submission = make_submission()
        number = book.store_submission("hw2", submission, late=False)
        first, second = make_receipt(submission), make_receipt(submission, answer_key_hash="k2")
        start = datetime.now(UTC)
        book.save_grade(number, make_grade(score=4), first, None)
        book.save_grade(number, make_grade(score=6), second, None)
        assert book.latest("hw2", "ada").score == 6
        history = book.history("hw2", "ada")
        assert [(receipt, grade.score) for _, receipt, grade in history] == [(first, 4), (second, 6)]
        assert start <= history[0][0] <= history[1][0] <= datetime.now(UTC)

    def test_an_answer_key_that_is_taken_back_makes_the_first_grade_count_again(
        self, book, make_submission, make_grade, make_receipt
    ):
        submission = make_submission()
        number = book.store_submission("hw2", submission, late=False)
        first, second = make_receipt(submission), make_receipt(submission, answer_key_hash="k2")
        book.save_grade(number, make_grade(score=4), first, None)
        book.save_grade(number, make_grade(score=6), second, None)
        book.save_grade(number, book.graded(number, first.hash), first, None)
        assert book.latest("hw2", "ada").score == 4
        assert [grade.score for _, _, grade in book.history("hw2", "ada")] == [6, 4]

    def test_every_student_has_one_sorted_by_name(self, book, make_submission, make_grade, make_receipt):
        for student, score in [("zoe", 1.0), ("Bob", 2.0), ("ada", 3.0)]:
            submission = make_submission(student)
            number = book.store_submission("hw2", submission, late=False)
            for key in ["k1", "k2"]:
                book.save_grade(number, make_grade(student, score), make_receipt(submission, answer_key_hash=key), None)
        assert [(grade.student, grade.score) for grade in book.grades("hw2")] == [("ada", 3), ("Bob", 2), ("zoe", 1)]

    def test_are_none_where_nothing_was_graded(self, book, make_submission):
        book.store_submission("hw2", make_submission(), late=False)
        assert book.latest("hw2", "ada") is None
        assert book.latest("hw2", "nobody") is None
        assert book.grades("hw2") == []
        assert book.history("hw2", "ada") == []

    def test_a_refused_submission_has_one_too(self, book, make_submission, make_grade, make_receipt):
        submission = make_submission()
        number = book.store_submission("hw2", submission, late=False)
        book.save_grade(number, make_grade(status="refused"), make_receipt(submission), None)
        assert book.latest("hw2", "ada") == make_grade(status="refused")
        assert book.ungraded("hw2") == []

    def test_keep_whatever_students_print(self, book, make_submission, make_grade, make_receipt):
        submission = make_submission()
        number = book.store_submission("hw2", submission, late=False)
        grade = make_grade(printed="π \x00 \ud800 </script> '; DROP TABLE grades; --")
        book.save_grade(number, grade, make_receipt(submission), None)
        assert book.latest("hw2", "ada") == grade

    def test_survive_closing(self, address, make_submission, make_grade, make_receipt):
        submission = make_submission()
        with Gradebook.open(address) as book:
            number = book.store_submission("hw2", submission, late=False)
            book.save_grade(number, make_grade(), make_receipt(submission), ("e", b"run"))
        with Gradebook.open(address) as book:
            assert book.latest("hw2", "ada") == make_grade()
            assert book.recording(number, "e") == b"run"

    def test_with_the_receipt_of_another_submission_are_our_fault(
        self, book, make_submission, make_grade, make_receipt
    ):
        number = book.store_submission("hw2", make_submission(), late=False)
        with pytest.raises(ValueError, match="receipt"):
            book.save_grade(number, make_grade(), make_receipt(make_submission(content=b"other")), None)
        with pytest.raises(LookupError, match="17"):
            book.save_grade(17, make_grade(), make_receipt(make_submission()), None)


class TestFaultsOfOurs:
    """A grade in which something is unavailable waits to be replaced."""

    @pytest.mark.parametrize("case", [{"status": "unavailable"}, {"check": Status.UNAVAILABLE, "score": 0.0}])
    def test_are_graded_again(self, book, make_submission, make_grade, make_receipt, case):
        submission = make_submission()
        receipt = make_receipt(submission)
        number = book.store_submission("hw2", submission, late=False)
        for _ in range(2):
            book.save_grade(number, make_grade(**case), receipt, ("e", b"broken run"))
            assert book.latest("hw2", "ada") == make_grade(**case)
            assert book.graded(number, receipt.hash) is None
            assert book.recording(number, "e") is None
            assert book.ungraded("hw2") == [(number, submission)]
        book.save_grade(number, make_grade(score=6), receipt, ("e", b"run"))
        assert [grade for _, _, grade in book.history("hw2", "ada")] == [make_grade(score=6)]
        assert book.recording(number, "e") == b"run"
        assert book.ungraded("hw2") == []

    def test_never_displace_a_complete_grade(self, book, make_submission, make_grade, make_receipt):
        submission = make_submission()
        number = book.store_submission("hw2", submission, late=False)
        book.save_grade(number, make_grade(score=4), make_receipt(submission), None)
        for key in ["k", "k2"]:
            receipt = make_receipt(submission, answer_key_hash=key)
            book.save_grade(number, make_grade(status="unavailable"), receipt, None)
        assert book.latest("hw2", "ada") == make_grade(score=4)
        assert book.history("hw2", "ada")[-1][2] == make_grade(score=4)


class TestRecordings:
    def test_are_found_by_submission_and_experiments(self, book, make_submission, make_grade, make_receipt):
        submission = make_submission()
        number = book.store_submission("hw2", submission, late=False)
        run = bytes(range(256)) * 100
        book.save_grade(number, make_grade(), make_receipt(submission), ("e", run))
        assert book.recording(number, "e") == run
        assert book.recording(number, "e2") is None
        assert book.recording(number + 1, "e") is None

    def test_serve_a_regrade_that_runs_nothing(self, book, make_submission, make_grade, make_receipt):
        submission = make_submission()
        number = book.store_submission("hw2", submission, late=False)
        book.save_grade(number, make_grade(), make_receipt(submission), ("e", b"run"))
        book.save_grade(number, make_grade(score=6), make_receipt(submission, answer_key_hash="k2"), None)
        assert book.recording(number, "e") == b"run"


class TestMarking:
    @pytest.fixture
    def number(self, book, make_submission, make_grade, make_receipt):
        submission = make_submission()
        number = book.store_submission("hw2", submission, late=False)
        book.save_grade(number, make_grade(score=6), make_receipt(submission), None)
        return number

    def test_fills_the_rubric_of_every_answer(self, book, number, make_submission, make_receipt):
        book.mark("hw2", "ada", "proofs", "statement", 2, "Clear.", "emmy")
        book.mark("hw2", "ada", "proofs", "argument", 1.5)
        grades = [
            book.latest("hw2", "ada"),
            book.grades("hw2")[0],
            book.graded(number, make_receipt(make_submission()).hash),
            book.history("hw2", "ada")[0][2],
        ]
        for grade in grades:
            proofs = grade.questions[1]
            assert [(item.score, item.comment, item.marker) for item in proofs.rubric] == [
                (2, "Clear.", "emmy"),
                (1.5, "", ""),
            ]
            assert (proofs.status, proofs.score) == (Status.PARTIAL, 3.5)
            assert (grade.score, grade.pending) == (9.5, 0)

    def test_again_replaces_the_earlier_mark(self, book, number):
        book.mark("hw2", "ada", "proofs", "statement", 0, "Missing.", "emmy")
        book.mark("hw2", "ada", "proofs", "statement", 2, "Found it.", "carl")
        item = book.latest("hw2", "ada").questions[1].rubric[0]
        assert (item.score, item.comment, item.marker) == (2, "Found it.", "carl")

    def test_survives_a_regrade_and_a_new_submission(self, book, number, make_submission, make_grade, make_receipt):
        book.mark("hw2", "ada", "proofs", "statement", 2)
        for submission in [make_submission(), make_submission(content=b"new")]:
            number = book.store_submission("hw2", submission, late=False)
            receipt = make_receipt(submission, answer_key_hash="k2")
            kept = book.save_grade(number, make_grade(score=1), receipt, None)
            assert kept == book.latest("hw2", "ada")
            assert kept.score == 3

    def test_of_one_student_and_assignment_touches_no_other(
        self, book, number, make_submission, make_grade, make_receipt
    ):
        for assignment, student in [("hw2", "bob"), ("hw3", "ada")]:
            submission = make_submission(student)
            other = book.store_submission(assignment, submission, late=False)
            book.save_grade(other, make_grade(student), make_receipt(submission), None)
        book.mark("hw2", "ada", "proofs", "statement", 2)
        assert book.latest("hw2", "bob").pending == 5
        assert book.latest("hw3", "ada").pending == 5

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (("hw3", "ada", "proofs", "statement", 1), "no grades for assignment 'hw3'. It holds: hw2."),
            (("hw2", "adda", "proofs", "statement", 1), "'adda' has no grade for hw2. Did you mean ada?"),
            (("hw2", "zoe", "proofs", "statement", 1), "'zoe' has no grade for hw2. There are grades for: ada."),
            (("hw2", "ada", "prof", "statement", 1), "does not exist in hw2. Questions marked by hand: proofs."),
            (("hw2", "ada", "gradient_descent", "x", 1), "is not marked by hand. Questions marked by hand: proofs."),
            (("hw2", "ada", "proofs", "idea", 1), "no rubric item 'idea'. It has: argument, statement."),
            (("hw2", "ada", "proofs", "statement", 2.5), "2.5 points .* Give a number from 0 to 2."),
            (("hw2", "ada", "proofs", "statement", -1), "-1 points .* Give a number from 0 to 2."),
            (("hw2", "ada", "proofs", "statement", float("nan")), "nan points .* Give a number from 0 to 2."),
        ],
    )
    def test_of_what_does_not_exist_says_what_does(self, book, number, arguments, sentence):
        with pytest.raises(GradebookError, match=sentence):
            book.mark(*arguments)
        assert book.latest("hw2", "ada").pending == 5

    def test_needs_a_rubric(self, book, make_submission, make_grade, make_receipt):
        submission = make_submission()
        number = book.store_submission("hw2", submission, late=False)
        book.save_grade(number, make_grade(status="refused"), make_receipt(submission), None)
        with pytest.raises(GradebookError, match=r"is marked by hand \(the submission was refused\)"):
            book.mark("hw2", "ada", "proofs", "statement", 1)


class TestClocks:
    """The order of things is counted, not read from a clock."""

    @pytest.fixture
    def clock(self, monkeypatch):
        """A clock that goes back one day each time that it is looked at."""

        class Backwards(datetime):
            days = 0

            @classmethod
            def now(cls, tz=None):
                cls.days += 1
                return datetime(2026, 11, 1, tzinfo=tz) - timedelta(days=cls.days)

        monkeypatch.setattr("grader.gradebook.gradebook.datetime", Backwards)
        return Backwards

    def test_the_submission_stored_last_counts_though_the_clock_went_back(
        self, book, clock, make_submission, make_grade, make_receipt
    ):
        new = datetime(2026, 10, 1, tzinfo=UTC)
        for score, content, modified_at in ((1, b"first", new), (2, b"second", new - timedelta(days=30))):
            submission = make_submission(content=content, modified_at=modified_at)
            number = book.store_submission("hw2", submission, late=False)
            book.save_grade(number, make_grade(score=score), make_receipt(submission), None)
        assert book.latest("hw2", "ada").score == 2
        assert clock.days == 4

    def test_the_grade_made_last_counts_though_the_clock_went_back(
        self, book, clock, make_submission, make_grade, make_receipt
    ):
        submission = make_submission()
        number = book.store_submission("hw2", submission, late=False)
        for score, key in ((1, "old key"), (2, "new key")):
            receipt = make_receipt(submission, answer_key_hash=key)
            book.save_grade(number, make_grade(score=score), receipt, None)
        assert book.latest("hw2", "ada").score == 2
        assert [grade.score for _, _, grade in book.history("hw2", "ada")] == [1, 2]

    def test_the_mark_given_last_counts_though_the_clock_went_back(
        self, book, clock, make_submission, make_grade, make_receipt
    ):
        submission = make_submission()
        number = book.store_submission("hw2", submission, late=False)
        book.save_grade(number, make_grade(score=0), make_receipt(submission), None)
        for points in (2, 1):
            book.mark("hw2", "ada", "proofs", "statement", points)
        assert book.latest("hw2", "ada").score == 1


def test_what_does_not_count_stands_behind_all_others(book, make_submission, make_grade, make_receipt):
    chosen, beside, older = (make_submission(content=content) for content in (b"chosen", b"beside", b"older"))

    def store(submission, score, counts):
        number = book.store_submission("hw2", submission, late=False, counts=counts)
        book.save_grade(number, make_grade(score=score), make_receipt(submission), None)
        return book.latest("hw2", "ada").score

    assert store(beside, 1, counts=False) == 1  # there is no other yet
    assert store(chosen, 2, counts=True) == 2
    assert store(beside, 1, counts=False) == 2
    assert store(older, 3, counts=False) == 2
    assert store(beside, 1, counts=True) == 1
    assert store(beside, 1, counts=False) == 2


def test_late_is_what_was_said_when_the_submission_was_stored_first(book, make_submission, make_grade, make_receipt):
    submission = make_submission()
    number = book.store_submission("hw2", submission, late=False)
    assert book.store_submission("hw2", submission, late=True) == number
    late = make_grade().model_copy(update={"late": True})
    assert not book.save_grade(number, late, make_receipt(submission), None).late
    assert not book.latest("hw2", "ada").late
