"""What grading costs beside the student's own computation, and beside starting a fresh interpreter.

For one submission of homework 2 (the solution, as a notebook), in one run and in turn, so that the machine's speed
at the moment is the same for all:

    import numpy      a fresh interpreter that imports numpy and does nothing else
    one isolated run  one cell and one call in the warm sandbox: what stands in the place of the fresh interpreter
    bare              the student's own computation: the cells executed and the functions called, directly
    fresh run         all experiments in a fresh interpreter, without isolation (what `grader check` does)
    sandboxed run     the same in the warm sandbox, isolated
    whole path        parsing, sandboxed run, judging, storing grade and recording, writing the feedback page

Usage: python benchmarks/overhead.py [ROUNDS]
"""

from __future__ import annotations

import contextlib
import io
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from grader.assignment.assignment import Assignment, find_assignment, load_assignment
from grader.batch.batch import receipt_template
from grader.batch.bench import Task, pinned
from grader.batch.workplace import Workplace, calls, limits
from grader.gradebook.gradebook import Gradebook
from grader.report.folder import ReportFolder
from grader.sandbox.local import LocalProcess
from grader.sandbox.recording import Call
from grader.sandbox.warm import WarmSandbox
from grader.submission.intake import collect
from grader.submission.parsing import parse
from grader.submission.program import Block, Program, Submission

SOLUTION = "samples/submissions/ada.ipynb"


def bare(assignment: Assignment, submission: Submission) -> None:
    """The student's cells and functions, executed directly in this process."""
    blocks = [compile(block.source, block.label, "exec") for block in parse(submission).blocks]
    namespace: dict[str, object] = {"__name__": "student"}
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        for block in blocks:
            exec(block, namespace)
    for experiment in assignment.experiments:
        namespace[experiment.function](*experiment.arguments.values())  # type: ignore[operator]
    TIMES["bare"].append(time.perf_counter() - start)


def timed(name: str, work: Callable[[], object]) -> None:
    """Run the work and keep its time."""
    start = time.perf_counter()
    work()
    TIMES[name].append(time.perf_counter() - start)


ROWS = ("import numpy", "one isolated run", "bare", "fresh run", "sandboxed run", "whole path")
TIMES: dict[str, list[float]] = {row: [] for row in ROWS}
SMALL = Program((Block("the script", "def f(x):\n    return x\n"),))


def main(rounds: int) -> None:
    """Measure, and print a table of medians and ratios."""
    assignment = load_assignment(find_assignment("hw2"))
    (submission,) = collect([assignment.folder / SOLUTION]).submissions
    program = parse(submission)
    template = receipt_template(assignment)
    with (
        tempfile.TemporaryDirectory() as folder,
        Gradebook.open(Path(folder) / "gradebook.db") as book,
        pinned(0) as core,
        Workplace(assignment.folder, cpu=core) as workplace,
        WarmSandbox(cpu=core) as sandbox,
    ):
        fresh = LocalProcess()
        pages = ReportFolder(Path(folder), assignment.id)

        def whole_path(number: int) -> None:
            own = replace(submission, student=f"student{number}")
            task = Task.stored(own, assignment, book, template)
            graded = workplace.grade(task.submission)
            assert graded.run is not None
            grade = book.save_grade(task.id, graded.grade, task.receipt, (task.receipt.experiments_hash, graded.run))
            pages.write_feedback(grade)
            assert grade.score == 15, grade

        sandbox.run(SMALL, [], limits(assignment))
        whole_path(0)  # the zygote starts, templates are compiled
        for times in TIMES.values():
            times.clear()
        for number in range(1, rounds + 1):
            timed("import numpy", lambda: subprocess.run([sys.executable, "-c", "import numpy"], check=True))
            timed("one isolated run", lambda: sandbox.run(SMALL, [Call("one", "f", {"x": 1.0})], limits(assignment)))
            bare(assignment, submission)
            timed("fresh run", lambda: fresh.run(program, calls(assignment.experiments), limits(assignment)))
            timed("sandboxed run", lambda: workplace.run(program))
            timed("whole path", lambda number=number: whole_path(number))  # type: ignore[misc]
    medians = {name: statistics.median(times) for name, times in TIMES.items()}
    print(f"medians of {rounds} rounds, {len(assignment.experiments)} experiments\n")
    print("| | milliseconds | times bare | times a fresh `import numpy` |")
    print("|---|---|---|---|")
    for name, median in medians.items():
        ratios = median / medians["bare"], median / medians["import numpy"]
        print(f"| {name} | {1e3 * median:.1f} | {ratios[0]:.1f} | {ratios[1]:.2f} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
