"""Where cases are tried: a small assignment, its judge, warm sandboxes of both levels, and secrets planted around."""

from __future__ import annotations

import secrets
import select
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.answer_key.cache import answer_key
from grader.assignment.assignment import load_assignment
from grader.batch.workplace import calls
from grader.gradebook.gradebook import Gradebook
from grader.judge.grade import Grade, QuestionGrade
from grader.judge.judge import block_remarks, judge
from grader.report.feedback import feedback_page
from grader.sandbox.recording import Limits, Run, Value
from grader.sandbox.warm import SandboxLevel, SandboxUnavailableError, WarmSandbox
from grader.submission.parsing import parse
from grader.submission.program import Submission

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "reference" / "lecture02" / "gradient_descent.py"

# Ample time on the clock: on a busy machine a second of processor time takes several.
LIMITS = Limits(cpu_seconds=1, wall_seconds=15, total_seconds=90, memory_mb=512, result_mb=4, processes=16, disk_mb=8)

SPECIFICATION = """
id = "cases"
title = "Cases"
lecture = 2

[[questions]]
id = "descent"
title = "Gradient descent"
points = 3

[[questions]]
id = "square"
title = "The square"
points = 1
"""

HIDDEN = "73165029"
"""Digits of a number that only the hidden experiment holds."""

CHECKS = f"""
import numpy as np

from grader.assignment import Calls, Experiment, Iterates, Question, Values
from reference import problems
from reference.variants import mistake


def descent(gradient, x0, learning_rate, num_steps):
    rows = [np.array(x0)]
    for _ in range(num_steps):
        rows.append(rows[-1] - learning_rate * gradient(rows[-1]))
    return np.array(rows)


def square(x):
    return x * x


@mistake(square, "TOKEN")
def TOKEN(x):
    return x + x


SLOW = {{"learning_rate": lambda problem: 0.3 / problem.smoothness, "num_steps": 12}}
LINE = problems.random_least_squares(rows=12, columns=3, condition=10.0, seed=1)

questions = [
    Question(
        "descent",
        experiments=[
            Experiment("bowl", descent, problems.bowl(), public=True, **SLOW),
            Experiment("line", descent, LINE, x0=np.array([0.{HIDDEN}, 1.0, -1.0]), **SLOW),
        ],
        checks=[Iterates(points=2), Calls(points=1)],
    ),
    Question(
        "square",
        experiments=[
            Experiment("three numbers", square, x=np.array([1.0, -2.0, 0.5]), public=True),
            Experiment("others", square, x=np.array([3.0, 0.{HIDDEN}])),
        ],
        checks=[Values(points=1)],
    ),
]
"""


@dataclass(frozen=True)
class Planted:
    """Secrets that everybody on the machine may read, and doors that are open to everybody."""

    token: str
    """A text that is in all of them."""
    phrase: str
    """A text that is in the reference."""
    assignment: Path
    places: Mapping[str, str]
    """What -> path."""
    doors: Mapping[str, Any]
    """Kind -> port or path."""
    listening: tuple[socket.socket, ...]

    def told(self, source: str) -> str:
        """A program that knows where everything is, but not what it says."""
        return f"PLACES = {dict(self.places)!r}\nPORTS = {dict(self.doors)!r}\n{source}"

    def called(self) -> bool:
        """Whether somebody came to one of the doors."""
        return bool(select.select(self.listening, (), (), 0)[0])


@pytest.fixture(scope="session")
def planted() -> Iterator[Planted]:
    token = f"secret{secrets.token_hex(8)}"
    folder = Path(tempfile.mkdtemp(dir="/var/tmp", prefix="planted-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("DATABASE_PASSWORD", token)
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        places = {
            "file": _written(folder / "file.txt", token),
            "submission": _written(folder / "submissions" / "ada.py", f"# {token}\n"),
            "ssh key": _written(folder / "home" / ".ssh" / "id_ed25519", token),
            "checks": _written(folder / "assignment" / "checks.py", CHECKS.replace("TOKEN", token)),
            "gradebook": str(folder / "gradebook.db"),
            "reference": str(REFERENCE),
        }
        _written(folder / "assignment" / "assignment.toml", SPECIFICATION)
        with Gradebook.open(places["gradebook"]) as gradebook:
            gradebook.store_submission("cases", Submission("ada", f"{token}.py", token.encode()), late=False)
        answer_key(load_assignment(folder / "assignment"))
        places["answer key"] = str(next((folder / "cache").rglob("*.safetensors")))
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        doors, listening = _opened(folder, token)
        for each in listening:
            stack.callback(each.close)
        phrase = REFERENCE.read_text().splitlines()[0]
        yield Planted(token, phrase, folder / "assignment", places, doors, listening)


def _written(file: Path, text: str) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return str(file)


def _opened(folder: Path, token: str) -> tuple[dict[str, Any], tuple[socket.socket, ...]]:
    """Something listens on each of the doors."""
    tcp = socket.create_server(("127.0.0.1", 0))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    named, letters, abstract = (
        socket.socket(socket.AF_UNIX, kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_STREAM)
    )
    for each, path in ((named, folder / "stream"), (letters, folder / "letters")):
        each.bind(str(path))
        path.chmod(0o777)
    abstract.bind(f"\0{token[6:]}")
    named.listen()
    abstract.listen()
    doors = {
        "tcp": tcp.getsockname()[1],
        "udp": udp.getsockname()[1],
        "stream": str(folder / "stream"),
        "letters": str(folder / "letters"),
        "abstract": f"\0{token[6:]}",
    }
    return doors, (tcp, udp, named, letters, abstract)


@dataclass(frozen=True)
class Tried:
    """What came of a program: the run, the grade, and what its student reads."""

    run: Run
    questions: Mapping[str, QuestionGrade]
    page: str

    @property
    def points(self) -> dict[str, float]:
        return {name: question.score for name, question in self.questions.items()}

    @property
    def told(self) -> str:
        """What the student is told about `descent` and about the cells."""
        verdicts = [verdict.message for verdict in self.questions["descent"].verdicts]
        cells = [f"{b.label}: {b.error.type}: {b.error.message}" for b in self.run.blocks if b.error]
        return "\n".join([*verdicts, *cells, *(block.remark for block in self.run.blocks)])

    @property
    def everything(self) -> bytes:
        """All that came out of the sandbox."""
        values = [r.value for r in self.run.recordings.values()]
        return repr(self.run).encode("utf-8", "replace") + b"".join(map(_bytes, values))


def _bytes(value: Value) -> bytes:
    if isinstance(value, tuple):
        return b"".join(map(_bytes, value))
    if value is None:
        return b""
    # An array of numbers may spell a text, one number a letter.
    with np.errstate(all="ignore"):
        return value.tobytes() + value.astype("u1").tobytes()


@dataclass
class Lab:
    """One warm sandbox of a level, and the judge beside it."""

    sandbox: WarmSandbox
    planted: Planted

    def __post_init__(self) -> None:
        self.assignment = load_assignment(self.planted.assignment)
        self.key = answer_key(self.assignment)
        self.calls = calls(self.assignment.experiments)

    def grade(self, source: str, files: Mapping[str, bytes] | None = None, **limits: Any) -> Tried:
        """Hand in a script, run it, judge it."""
        submission = Submission("eve", "homework.py", source.encode(), files=files or {})
        program = parse(submission)
        run = self.sandbox.run(program, self.calls, replace(LIMITS, **limits))
        with np.errstate(all="ignore"):
            questions = judge(self.assignment, self.key, run, program.written)
        grade = Grade(
            assignment="cases",
            assignment_title="Cases",
            student="eve",
            file="homework.py",
            status="graded",
            questions=questions,
            remarks=block_remarks(run.blocks),
        )
        return Tried(run, {question.id: question for question in questions}, feedback_page(grade))


@pytest.fixture(scope="session")
def labs(planted: Planted) -> Iterator[dict[str, Lab]]:
    """A laboratory for each level that was asked for."""
    made: dict[str, Lab] = {}
    yield made
    for lab in made.values():
        lab.sandbox.close()


@pytest.fixture
def level() -> SandboxLevel:
    """Overridden by the tests' own parameters."""
    return "strong"


@pytest.fixture
def lab(labs: dict[str, Lab], planted: Planted, level: SandboxLevel) -> Lab:
    """The laboratory of the level."""
    if level not in labs:
        made = Lab(WarmSandbox(level=level), planted)
        try:
            made.grade("pass")
        except SandboxUnavailableError as error:
            pytest.skip(str(error))
        labs[level] = made
    return labs[level]
