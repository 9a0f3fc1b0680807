"""Where one submission becomes a grade: an assignment, its answer key, and a sandbox that stays warm between runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from grader.answer_key.cache import answer_key
from grader.assignment.assignment import Assignment, load_assignment
from grader.assignment.experiment import ORACLES, Experiment
from grader.assignment.experiment import Argument as BoundArgument
from grader.judge.discretion import discreet
from grader.judge.grade import BlockRemark, Grade, QuestionGrade, Status
from grader.judge.judge import block_remarks, judge
from grader.sandbox.archive import ArchiveError, archived, restored
from grader.sandbox.gpu import NoGpuError, find_gpu
from grader.sandbox.gpu_sandbox import GpuSandbox
from grader.sandbox.oracle_arguments import Indices, Number
from grader.sandbox.recording import Argument, Call, Limits, Oracle, Outcome, Run
from grader.sandbox.warm import SandboxLevel, WarmSandbox
from grader.submission.parsing import parse
from grader.submission.program import Program, RefusedError, Submission

AnySandbox = WarmSandbox | GpuSandbox


@dataclass(frozen=True)
class Graded:
    """A grade, and the run it was made from where the student's code was run for it."""

    grade: Grade
    run: bytes | None = None


class Workplace:
    """Grades submissions of one assignment, one after the other. A context manager: it owns a sandbox."""

    def __init__(self, folder: Path, sandbox: SandboxLevel = "strong", cpu: int | None = None) -> None:
        self.assignment = load_assignment(folder)
        self.key = answer_key(self.assignment)
        self._sandbox = warm_sandbox(self.assignment, sandbox, cpu)

    def __enter__(self) -> Self:
        self._sandbox.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._sandbox.__exit__(kind, error, traceback)

    def grade(self, submission: Submission, stored_run: bytes | None = None, late: bool = False) -> Graded:
        """Grade one submission.

        Args:
            submission: what was handed in.
            stored_run: what came out of the sandbox earlier for the same experiments: judged again, not run again.
            late: whether it was handed in after the due date.
        """
        try:
            program = parse(submission, {e.function for e in self.assignment.experiments})
        except RefusedError as refusal:
            grade = ungraded(self.assignment, submission.student, submission.file_name, "refused", str(refusal))
            return Graded(grade.model_copy(update={"late": late}))
        run, content = self._run_or_restore(program, stored_run)
        questions = judge(self.assignment, self.key, run, program.written)
        remarks = tuple(BlockRemark(label=submission.file_name, sentence=text) for text in program.remarks)
        unavailable = any(question.status is Status.UNAVAILABLE for question in questions)
        grade = Grade(
            assignment=self.assignment.id,
            assignment_title=self.assignment.title,
            student=submission.student,
            file=submission.file_name,
            status="unavailable" if unavailable else "graded",
            reason=self._reason(run) if unavailable else "",
            questions=questions,
            remarks=remarks + block_remarks(run.blocks),
            late=late,
        )
        return Graded(grade, content)

    def run(self, program: Program) -> Run:
        """Run the student's code on all experiments in the sandbox."""
        return self._sandbox.run(program, calls(self.assignment.experiments), limits(self.assignment))

    def _reason(self, run: Run) -> str:
        """The first fault of ours that the run tells."""
        for experiment in self.assignment.experiments:
            recording = run.recordings.get(experiment.key)
            if recording is not None and recording.outcome is Outcome.UNAVAILABLE:
                return (recording if experiment.public else discreet(recording)).reason
        return "an experiment has no recording"

    def _run_or_restore(self, program: Program, stored_run: bytes | None) -> tuple[Run, bytes | None]:
        if stored_run is not None:
            try:
                return restored(stored_run), None
            except ArchiveError:
                pass  # written by another version: run again
        run = self.run(program)
        return run, archived(run)


def warm_sandbox(assignment: Assignment, level: SandboxLevel = "strong", cpu: int | None = None) -> AnySandbox:
    """The sandbox that an assignment asks for; `cpu` is the core to stay on."""
    asked = assignment.specification
    if asked.device == "cuda":
        assert asked.limits.gpu_memory_mb is not None
        return GpuSandbox(asked.limits.gpu_memory_mb, asked.cpu_instead, level, cpu)
    return WarmSandbox(asked.environment, level, cpu)


def lacking(assignment: Assignment) -> str:
    """What this machine lacks for the assignment, in sentences; empty where nothing is seen to be missing."""
    if assignment.specification.device == "cpu":
        return ""
    try:
        find_gpu()
    except NoGpuError as error:
        instead = assignment.specification.cpu_instead
        outcome = "the programs run on the CPU instead" if instead else "nothing that needs it can be graded here"
        return f"{assignment.id} asks for a GPU; {outcome}. {error}"
    return ""


def calls(experiments: list[Experiment]) -> list[Call]:
    """The experiments as the sandbox sees them."""
    return [
        Call(e.key, e.function, {name: _crossing(name, value, e) for name, value in e.arguments.items()})
        for e in experiments
    ]


def _crossing(name: str, value: BoundArgument, experiment: Experiment) -> Argument:
    if not callable(value):
        return value
    problem = experiment.problem
    assert problem is not None
    samples = Indices(problem.num_components or 0)
    kinds: dict[str, Number | Indices] = {"t": Number(0.0), "i": samples, "indices": samples}
    point, *further = ORACLES[name]
    return Oracle(value, problem.x0.shape, point, {each: kinds[each] for each in further})


def limits(assignment: Assignment) -> Limits:
    """The limits of the assignment, in the sandbox's terms."""
    return Limits(**assignment.specification.limits.model_dump(exclude={"gpu_memory_mb"}))


def ungraded(
    assignment: Assignment, student: str, file: str, status: Literal["refused", "unavailable"], reason: str
) -> Grade:
    """The grade of a submission that could not be judged at all."""
    each = Status.ERROR if status == "refused" else Status.UNAVAILABLE
    return Grade(
        assignment=assignment.id,
        assignment_title=assignment.title,
        student=student,
        file=file,
        status=status,
        reason=reason,
        questions=tuple(
            QuestionGrade(id=question.id, title=question.title, status=each, score=0, max_score=question.points)
            for question in assignment.questions
        ),
    )
