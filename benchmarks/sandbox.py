"""What isolation costs, and whether it stays that cheap: one run, a class of 300, and thousands of runs.

    python benchmarks/sandbox.py run [ROUNDS]      one isolated run beside fresh interpreters and bubblewrap
    python benchmarks/sandbox.py phases [ROUNDS]   where the time of one isolated run goes
    python benchmarks/sandbox.py class [COUNT]     a class of COUNT submissions of homework 2 with one and two workers
    python benchmarks/sandbox.py long [COUNT]      what grows over COUNT runs in one sandbox: memory, processes, time

All that is compared is measured in turn, so that the machine's speed at the moment is the same for all.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from grader.assignment.assignment import find_assignment
from grader.batch.bench import pinned
from grader.sandbox.cgroup import own_groups
from grader.sandbox.driver import Process
from grader.sandbox.recording import Call, Limits, Outcome
from grader.sandbox.view import search_path, student_view
from grader.sandbox.warm import WarmSandbox
from grader.sandbox.watchdog import all_processes
from grader.submission.program import Block, Program

ONE = Program((Block("the script", "def f(x):\n    return x\n"),))
ONE_TORCH = Program((Block("the script", "import torch\ndef f(x):\n    return x\n"),))
FEW = 2
PAUSE_SECONDS = 0.2
CALLS = [Call("one", "f", {"x": 1.0})]
BARE = "def f(x):\n    return x\nf(1.0)"


def isolated(sandbox: WarmSandbox, program: Program) -> None:
    """One run with one cell and one call."""
    assert sandbox.run(program, CALLS, Limits()).recordings["one"].outcome is Outcome.RETURNED


def fresh(package: str) -> None:
    """A fresh interpreter that imports a package and makes the call."""
    subprocess.run([sys.executable, "-c", f"import {package}\n{BARE}"], check=True)


def in_bubblewrap(package: str) -> None:
    """The same, isolated by bubblewrap: own namespaces, a read-only root with the same view."""
    shown = [argument for path in student_view().shown for argument in ("--ro-bind", path, path)]
    private = ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--die-with-parent", "--new-session"]
    alone = ["--unshare-all", "--clearenv", "--setenv", "PYTHONPATH", ":".join(search_path())]
    code = f"import {package}\n{BARE}"
    interpreter = os.path.realpath(sys.executable)
    subprocess.run(["bwrap", *alone, *shown, *private, interpreter, "-S", "-c", code], check=True)


def measure_run(rounds: int) -> None:
    """One isolated run beside what others would do."""
    namespace: dict[str, object] = {}

    def bare() -> None:
        exec(compile(BARE, "the script", "exec"), namespace)

    with (
        pinned(0) as core,
        WarmSandbox(cpu=core) as numpy_,
        WarmSandbox("torch", cpu=core) as torch,
        WarmSandbox(level="weak", cpu=core) as weak,
    ):
        rows: dict[str, Callable[[], None]] = {
            "bare call": bare,
            "isolated run, numpy": lambda: isolated(numpy_, ONE),
            "isolated run, numpy, level weak": lambda: isolated(weak, ONE),
            "isolated run, torch": lambda: isolated(torch, ONE_TORCH),
            "fresh interpreter, import numpy": lambda: fresh("numpy"),
            "fresh interpreter, import torch": lambda: fresh("torch"),
        }
        if shutil.which("bwrap"):
            rows["bubblewrap, fresh interpreter, import numpy"] = lambda: in_bubblewrap("numpy")
            rows["bubblewrap, fresh interpreter, import torch"] = lambda: in_bubblewrap("torch")
        times = in_turn(rows, rounds)
    numpy_time, torch_time = times["fresh interpreter, import numpy"], times["fresh interpreter, import torch"]
    print(f"medians of {rounds} rounds\n")
    print("| | milliseconds | of a fresh interpreter with numpy | with torch |")
    print("|---|---|---|---|")
    for name, median in times.items():
        print(f"| {name} | {1e3 * median:.2f} | {median / numpy_time:.3f} | {median / torch_time:.4f} |")


def in_turn(rows: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median time of each, in seconds, after one round that does not count."""
    times: dict[str, list[float]] = {name: [] for name in rows}
    for number in range(rounds + 1):
        for name, work in rows.items():
            time.sleep(PAUSE_SECONDS)  # the process that the row before forked ahead shall not be paid for by this one
            start = time.perf_counter()
            work()
            if number:
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(each) for name, each in times.items()}


def measure_phases(rounds: int) -> None:
    """What the grader waits for, between the request for a process and its end."""
    names = ("process is ready", "block is done", "call is done", "process has ended")
    for packages, program in (("numpy", ONE), ("torch", ONE_TORCH)):
        laps: list[list[float]] = []
        with pinned(0) as core, WatchedSandbox(packages, cpu=core) as sandbox:
            for _ in range(rounds + 1):
                sandbox.marks = [time.perf_counter()]
                isolated(sandbox, program)
                laps.append([b - a for a, b in zip(sandbox.marks, sandbox.marks[1:], strict=False)])
        medians = [statistics.median(lap) for lap in zip(*laps[1:], strict=True)]
        print(f"\n{packages}\n\n| until | milliseconds | part |\n|---|---|---|")
        for name, median in zip(names, medians, strict=True):
            print(f"| {name} | {1e3 * median:.2f} | {median / sum(medians):.0%} |")


class WatchedSandbox(WarmSandbox):
    """Notes when each part of a run is over."""

    marks: list[float]

    def _start(self, *arguments: object) -> Process:  # type: ignore[override]
        process = super()._start(*arguments)  # type: ignore[arg-type]
        note = self.marks.append
        sent, opened, ended = process.control.send, process.open_performer, process.end
        first = [True]

        def send(*frame: object, **passed: object) -> None:
            if first:
                first.clear()
                note(time.perf_counter())
            sent(*frame, **passed)  # type: ignore[arg-type]

        def open_performer(deadline: float) -> object:
            note(time.perf_counter())
            return opened(deadline)

        def end() -> object:
            note(time.perf_counter())
            ending = ended()
            note(time.perf_counter())
            return ending

        process.control.send, process.open_performer, process.end = send, open_performer, end  # type: ignore
        return process


def measure_class(count: int) -> None:
    """Throughput of the whole command, with one worker and with two, and the memory of a worker."""
    sample = (find_assignment("hw2") / "samples/submissions/ada.ipynb").read_bytes()
    times: dict[tuple[int, int], list[float]] = {(jobs, size): [] for size in (FEW, count) for jobs in (1, 2)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size in (FEW, count):
            (folder / str(size)).mkdir()
            for number in range(size):
                (folder / str(size) / f"student{number:03}.ipynb").write_bytes(sample)
        for attempt in range(3):
            for jobs, size in times:
                start = time.perf_counter()
                with graded(folder, size, jobs, f"{attempt}-{jobs}-{size}"):
                    pass
                times[jobs, size].append(time.perf_counter() - start)
        memory = {}
        for jobs in (1, 2):
            with graded(folder, count, jobs, f"memory-{jobs}") as process:
                time.sleep(5)
                memory[jobs] = share(family(process.pid))
    medians = {which: statistics.median(each) for which, each in times.items()}
    each = {jobs: (medians[jobs, count] - medians[jobs, FEW]) / (count - FEW) for jobs in (1, 2)}
    print(f"{count} submissions of homework 2, medians of 3\n")
    print("| workers | seconds | of them to start and grade the first two | ms for each further one | memory, MB |")
    print("|---|---|---|---|---|")
    for jobs in (1, 2):
        whole, few = medians[jobs, count], medians[jobs, FEW]
        print(f"| {jobs} | {whole:.1f} | {few:.1f} | {1e3 * each[jobs]:.1f} | {memory[jobs] >> 20} |")
    print(f"\ntwo warm workers are {each[1] / each[2]:.2f} times as fast as one", end="; ")
    print(f"the whole command is {medians[1, count] / medians[2, count]:.2f} times as fast")


def graded(folder: Path, size: int, jobs: int, out: str) -> subprocess.Popen[bytes]:
    """The command that grades a class."""
    command = [sys.executable, "-c", "from grader.cli import main; main()", "grade", "hw2", str(size)]
    command += ["--gradebook", f"{out}.db", "--out", out, "--jobs", str(jobs)]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def measure_long(count: int) -> None:
    """Whether anything grows."""
    print("| runs | ms a run | grader, MB | warm parent, MB | processes | open files | mounts | groups |")
    print("|---|---|---|---|---|---|---|---|")
    with pinned(0) as core, WarmSandbox(cpu=core) as sandbox:
        isolated(sandbox, ONE)
        step = max(count // 10, 1)
        for done in range(0, count, step):
            start = time.perf_counter()
            for _ in range(step):
                isolated(sandbox, ONE)
            each = (time.perf_counter() - start) / step
            children = [process for process in family(os.getpid()) if process != os.getpid()]
            print(
                f"| {done + step} | {1e3 * each:.2f} | {share([os.getpid()]) / 2**20:.1f} "
                f"| {share(children[:1]) / 2**20:.1f} | {len(children)} | {len(os.listdir('/proc/self/fd'))} "
                f"| {len(Path('/proc/self/mountinfo').read_text().splitlines())} "
                f"| {sum(len(list(folder.glob('grader-*'))) for folder in set(own_groups().values()))} |"
            )


def family(root: int) -> list[int]:
    """A process and all its descendants."""
    parents = {}
    for process in all_processes():
        try:
            parents[process] = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has ended
    found = [root]
    for process in found:
        found += [child for child, parent in parents.items() if parent == process]
    return found


def share(processes: Sequence[int]) -> int:
    """Bytes of memory that the processes use; what they share with others counts in part."""
    total = 0
    for process in processes:
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))
    return total


MEASUREMENTS: dict[str, tuple[Callable[[int], None], int]] = {
    "run": (measure_run, 20),
    "phases": (measure_phases, 100),
    "class": (measure_class, 300),
    "long": (measure_long, 5000),
}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in MEASUREMENTS:
        sys.exit(__doc__)
    measurement, usual = MEASUREMENTS[sys.argv[1]]
    measurement(int(sys.argv[2]) if len(sys.argv) > 2 else usual)
