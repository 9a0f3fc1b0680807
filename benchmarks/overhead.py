"""What grading costs beside the student's own computation, and beside starting a fresh interpreter.

For one submission of homework 2 (the solution, as a notebook), in one run and in turn, so that the machine's speed
at the moment is the same for all:

    bare              the student's functions, called directly on all experiments
    sandboxed run     the same in the warm sandbox: executing the cells, every experiment, oracles, numbers back
    whole path        parsing, sandboxed run, judging, storing grade and recording, writing the feedback page
    import numpy      a fresh interpreter that imports numpy and does nothing else

Usage: python benchmarks/overhead.py [ROUNDS]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from grader.assignment.assignment import Assignment, find_assignment, load_assignment
from grader.batch.batch import Task, pinned, receipt_template
from grader.batch.workplace import Workplace
from grader.gradebook.gradebook import Gradebook
from grader.report.folder import ReportFolder
from grader.submission.intake import collect
from grader.submission.parsing import parse
from grader.submission.program import Submission

SOLUTION = "samples/submissions/ada.ipynb"


def bare(assignment: Assignment, submission: Submission) -> None:
    """The student's functions, called directly."""
    namespace: dict[str, object] = {"__name__": "student"}
    for block in parse(submission).blocks:
        exec(block.source, namespace)
    functions = {e.function: namespace[e.function] for e in assignment.experiments}
    handed = [(functions[e.function], list(e.arguments.values())) for e in assignment.experiments]
    start = time.perf_counter()
    for function, arguments in handed:
        function(*arguments)  # type: ignore[operator]
    TIMES["bare"].append(time.perf_counter() - start)


def timed(name: str, work: Callable[[], object]) -> None:
    """Run the work and keep its time."""
    start = time.perf_counter()
    work()
    TIMES[name].append(time.perf_counter() - start)


TIMES: dict[str, list[float]] = {"bare": [], "sandboxed run": [], "whole path": [], "import numpy": []}


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
    ):
        pages = ReportFolder(Path(folder), assignment.id)

        def whole_path(number: int) -> None:
            own = replace(submission, student=f"student{number}")
            task = Task.stored(own, assignment, book, template)
            graded = workplace.grade(task.submission)
            assert graded.run is not None
            grade = book.save_grade(task.id, graded.grade, task.receipt, (task.receipt.experiments_hash, graded.run))
            pages.write_feedback(grade)
            assert grade.score == 15, grade

        whole_path(0)  # the zygote starts, templates are compiled
        for times in TIMES.values():
            times.clear()
        for number in range(1, rounds + 1):
            bare(assignment, submission)
            timed("sandboxed run", lambda: workplace.run(program))
            timed("whole path", lambda number=number: whole_path(number))  # type: ignore[misc]
            timed("import numpy", lambda: subprocess.run([sys.executable, "-c", "import numpy"], check=True))
    medians = {name: statistics.median(times) for name, times in TIMES.items()}
    print(f"medians of {rounds} rounds\n")
    print("| | milliseconds | times bare | times a fresh `import numpy` |")
    print("|---|---|---|---|")
    for name, median in medians.items():
        print(
            f"| {name} | {1e3 * median:.1f} | {median / medians['bare']:.1f} | {median / medians['import numpy']:.2f} |"
        )
    print(f"\na fresh interpreter costs {medians['import numpy'] / medians['whole path']:.1f} times the whole path")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
