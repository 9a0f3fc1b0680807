"""Grades as the judge gives them, made by hand."""

from __future__ import annotations

import random
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from grader.judge.grade import (
    BlockRemark,
    Diagnosis,
    Grade,
    Outcome,
    Picture,
    QuestionGrade,
    RubricItem,
    Status,
    Verdict,
)

HOSTILE = '</pre><script>alert("1")</script><img src=x onerror=alert(1)>\'"&\x00\x1b[31m\u202eevil\ud800 {{ 7*7 }}'

ASCENT = Diagnosis(
    identifier="gradient_ascent",
    kind="mistake",
    sentence="The step goes along the gradient, not against it: the function grows at every step.",
)
MEAN = Diagnosis(
    identifier="mean_instead_of_sum",
    kind="mistake",
    sentence="The loss is divided by the number of samples; this course's f is a sum.",
    alternatives=("data_scaled",),
)
EXPERIMENTS = (
    ("well conditioned", True),
    ("dense, x* not zero", True),
    ("step near the limit", False),
    ("badly conditioned", False),
)
ITEMS = (
    ("convexity", "Convexity: the Hessian is positive semidefinite", 2),
    ("smoothness", "Smoothness: L is the largest eigenvalue", 2),
    ("strong", "Strong convexity: when is mu > 0?", 1),
)


class Tags(HTMLParser):
    """Reads a page and holds its elements and its text; fails where a tag is not closed."""

    VOID = frozenset({"meta", "br", "img", "link", "input", "hr"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.contents: dict[str, list[str]] = {}
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in self.VOID:
            self._open.append(tag)
            self.contents.setdefault(tag, []).append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        if self._open[-1:] != ["style"]:
            self.text += data
        if self._open:
            self.contents[self._open[-1]][-1] += data

    def named(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def outcomes(passed: bool, first_difference: int | None = None) -> tuple[Outcome, ...]:
    sentence = "Every iterate agrees with the reference." if passed else "The iterates leave the reference."
    return tuple(
        Outcome(
            experiment=name,
            public=public,
            passed=passed,
            sentence=sentence if public else ("Right." if passed else "The iterates are not right."),
            first_difference=first_difference,
        )
        for name, public in EXPERIMENTS
    )


def verdict(identifier: str, title: str, points: float, passed: bool = True, **more: object) -> Verdict:
    return Verdict.model_validate(
        {
            "id": identifier,
            "title": title,
            "status": Status.PASSED if passed else Status.FAILED,
            "score": points if passed else 0,
            "max_score": points,
            "message": "Right." if passed else "The numbers are not those of the algorithm.",
            "outcomes": outcomes(passed, None if passed else 1),
            **more,
        }
    )


def picture(growing: bool = True) -> Picture:
    student = tuple(3.0 * (1.18 if growing else 0.82) ** k for k in range(101))
    return Picture(
        experiment="well conditioned",
        quantity="distance to the minimiser",
        student=student,
        reference=tuple(3.0 * 0.82**k for k in range(101)),
        bound=tuple(3.0 * 0.9**k for k in range(101)),
        bound_name="Theorem 2.3: (1 - mu/L)^k times the distance at the start",
        first_difference=1 if growing else None,
        sentence="Your distance grows from 3 to 4.6e+07 while the reference falls to 7.2e-09."
        if growing
        else "Your distance falls from 3 to 7.2e-09, as the reference does, and stays below the bound.",
    )


def least_squares(passed: bool = True) -> QuestionGrade:
    names = ("value", "gradient", "constants")
    verdicts = tuple(verdict(name, f"The {name} of least squares", 1) for name in names)
    if not passed:
        wrong = verdict("gradient", "The gradient of least squares", 1, passed=False, diagnosis=MEAN)
        verdicts = (verdicts[0], wrong, verdicts[2])
    return QuestionGrade(
        id="least_squares",
        title="Least squares",
        status=Status.PASSED if passed else Status.PARTIAL,
        score=sum(v.score for v in verdicts),
        max_score=3,
        verdicts=verdicts,
    )


def descent(passed: bool = True, printed: str = "") -> QuestionGrade:
    parts = (
        ("iterates", "Iterates agree with gradient descent", 3),
        ("rate", "Linear rate of convergence", 1),
        ("bound", "Stays below the theorem's bound", 1),
    )
    wrong = {} if passed else {"diagnosis": ASCENT, "first_difference": 1}
    return QuestionGrade(
        id="gradient_descent",
        title="Gradient descent",
        status=Status.PASSED if passed else Status.PARTIAL,
        score=6 if passed else 1,
        max_score=6,
        verdicts=(
            *(verdict(identifier, title, points, passed, **wrong) for identifier, title, points in parts),
            verdict("calls", "One gradient for each step", 1),
        ),
        pictures=(picture(growing=not passed),),
        printed=printed,
    )


def proofs(
    marked: bool = False, written: str = "Let $x^*$ be a minimiser. Then $f(x) = \\frac12 \\|Ax-b\\|^2$ ..."
) -> QuestionGrade:
    items = tuple(
        RubricItem(
            id=identifier,
            text=text,
            max_score=points,
            score=points - 0.5 if marked else None,
            comment="Good. Say why A^T A has no negative eigenvalue." if marked else "",
            marker="Grace" if marked else "",
        )
        for identifier, text, points in ITEMS
    )
    score = sum(item.score or 0 for item in items)
    status = Status.PARTIAL if marked else Status.PENDING
    return QuestionGrade(
        id="proofs", title="Proofs", status=status, score=score, max_score=5, rubric=items, written=written
    )


def grade(student: str = "ada", *questions: QuestionGrade, **more: object) -> Grade:
    return Grade.model_validate(
        {
            "assignment": "hw2",
            "assignment_title": "Homework 2: gradient descent",
            "student": student,
            "file": f"{student}.ipynb",
            "status": "graded",
            "questions": questions,
            **more,
        }
    )


def hostile() -> Grade:
    """Every text of a student, and everything that may repeat one, is an attack."""
    trial = Outcome(experiment=HOSTILE, public=True, passed=False, sentence=HOSTILE, first_difference=2)
    check = Verdict(
        id="iterates",
        title=HOSTILE,
        status=Status.ERROR,
        score=0,
        max_score=6,
        message=HOSTILE,
        diagnosis=Diagnosis(identifier=HOSTILE, kind="structural", sentence=HOSTILE, alternatives=(HOSTILE,)),
        first_difference=2,
        outcomes=(trial,),
    )
    question = QuestionGrade(
        id="gradient_descent",
        title=HOSTILE,
        status=Status.ERROR,
        score=0,
        max_score=6,
        verdicts=(check,),
        rubric=(RubricItem(id="a", text=HOSTILE, max_score=1, score=0, comment=HOSTILE, marker=HOSTILE),),
        written=HOSTILE + "\n[link](javascript:alert(1)) ![picture](https://evil.example/x.png) " + "x" * 5000,
        pictures=(
            Picture(
                experiment=HOSTILE,
                quantity=HOSTILE,
                student=(1.0, None),
                reference=(1.0, 0.5),
                bound=(1.0, 0.9),
                bound_name=HOSTILE,
                sentence=HOSTILE,
            ),
        ),
        printed=HOSTILE * 500,
    )
    remark = BlockRemark(label=HOSTILE, sentence=HOSTILE, source_line=HOSTILE)
    return grade(
        HOSTILE, question, assignment_title=HOSTILE, remarks=(remark,), late=True, file=HOSTILE, reason=HOSTILE
    )


def broken_descent(status: Status) -> QuestionGrade:
    message = "Your function raised IndexError in cell 3, line 7: index 100 is out of bounds."
    check = verdict(
        "iterates",
        "Iterates agree with gradient descent",
        6,
        passed=False,
        status=status,
        message=message if status is Status.ERROR else "The grader could not run this check.",
        outcomes=(),
    )
    return QuestionGrade(
        id="gradient_descent", title="Gradient descent", status=status, score=0, max_score=6, verdicts=(check,)
    )


def samples() -> dict[str, Grade]:
    remark = BlockRemark(
        label="cell 4", sentence="A shell command is not executed here.", source_line="!pip install torch"
    )
    syntax = BlockRemark(
        label="cell 7",
        sentence="This cell was not run: a bracket is not closed. Later cells still ran.",
        source_line="x = x - learning_rate * gradient(x",
    )
    steps = "".join(f"step {k}: distance {3.0 * 1.18**k:.6e}\n" for k in range(300))
    return {
        "full": grade("ada", least_squares(), descent(), proofs(marked=True)),
        "pending": grade("王小明", least_squares(), descent(), proofs()),
        "mistakes": grade(
            "bob", least_squares(False), descent(False, steps), proofs(), late=True, remarks=(remark, syntax)
        ),
        "error": grade("cleo", least_squares(), broken_descent(Status.ERROR), proofs(written="")),
        "not_checked": grade("dan", least_squares(), broken_descent(Status.UNAVAILABLE), proofs()),
        "refused": grade(
            "eve", status="refused", reason="eve.ipynb is not a notebook: it is empty. Save it again and hand it in."
        ),
        "unavailable": grade("finn", status="unavailable", reason="The sandbox could not be started."),
        "hostile": hostile(),
    }


def classroom() -> list[Grade]:
    chance = random.Random(2)
    grades = list(samples().values())
    for number in range(40):
        good = chance.random() < 0.7
        grades.append(
            grade(
                f"student{number:02}",
                least_squares(good or chance.random() < 0.5),
                descent(good),
                proofs(marked=chance.random() < 0.8),
                late=chance.random() < 0.1,
            )
        )
    return grades


SAMPLES = samples()


@pytest.fixture(params=list(SAMPLES))
def any_grade(request: pytest.FixtureRequest) -> Grade:
    return SAMPLES[request.param]


@pytest.fixture
def sample() -> Callable[[str], Grade]:
    return SAMPLES.__getitem__


@pytest.fixture
def whole_class() -> list[Grade]:
    return classroom()


@pytest.fixture(scope="session")
def read() -> Callable[[str], Tags]:
    return Tags


@pytest.fixture
def attack() -> str:
    return HOSTILE


@pytest.fixture
def make_grade() -> Callable[..., Grade]:
    return grade
