"""Kill the grader at random moments of a batch, start it again, and look for what was lost, doubled or left behind.

A class of 100 mixed submissions of homework 2 is graded by `grader grade --jobs 2` in the real sandbox, once
undisturbed, then again and again with SIGKILL from outside. What is killed is drawn each time: the command, its whole
process group (with the workers), one worker, or one warm parent of the sandbox. The moment is uniform over a third of
the time that the undisturbed batch takes; a dead command is started again until it comes to its end, then a new batch
begins. So the kills fall everywhere: into the start, the storing, the grading of the first and of the last.

After every death of the command: all processes that it left must end by themselves, no kept submission, recording or
grade may have changed or be there twice, and every feedback page must be whole. After every batch that came to its end:
the grades, receipts and pages of the undisturbed batch, and nothing else on the disk.

Usage: python benchmarks/killed.py [KILLS [SEED]]    (200 kills take some 15 minutes; Linux only)
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.assignment.assignment import find_assignment
from grader.gradebook.gradebook import Gradebook
from grader.judge.grade import Grade

SAMPLES = find_assignment("hw2") / "samples" / "submissions"
SLOW = {"alan", "kurt"}
"""Samples that wait for their limits of time: several seconds each."""
TARGETS = {"command": 8, "process group": 3, "worker": 5, "warm parent": 4}
"""What is killed, and how often in twenty times."""
PATIENCE = 60.0
"""Seconds for processes that are left to notice; they need a few milliseconds."""
_SET_CHILD_SUBREAPER = 36
_OF_STUDENT = "submissions AS s JOIN students ON students.id = s.student_id"
_KEPT = {
    "submission": f"SELECT name, hash, count(*), content, file_name, late FROM {_OF_STUDENT} GROUP BY 1, 2",
    "recording": f"SELECT name, hash, count(*), experiments_hash FROM {_OF_STUDENT}"
    " JOIN recordings ON s.id = recordings.submission_id GROUP BY 1, 2",
    "grade": f"SELECT name, hash || receipt_hash, count(*), complete, receipt, status, score, max_score, grade"
    f" FROM {_OF_STUDENT} JOIN grades ON s.id = grades.submission_id GROUP BY 1, 2",
}


@dataclass
class Findings:
    """What happened, and what went wrong: `faults` must be empty."""

    kills: Counter[str] = field(default_factory=Counter)
    batches: int = 0
    lives: int = 0
    graded_at_death: list[int] = field(default_factory=list)
    """Grades in the gradebook at each death of the command."""
    unavailable: int = 0
    """Ends with a fault of ours in some grade, which the next start made good."""
    slowest_end: float = 0.0
    """Seconds until the last process was gone, after the death of the command."""
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Bench:
    """Folders and files of one batch."""

    root: Path
    submissions: Path

    @property
    def gradebook(self) -> Path:
        """The gradebook of this batch."""
        return self.root / "book" / "gradebook.db"

    @property
    def pages(self) -> Path:
        """The feedback pages of this batch."""
        return self.root / "out" / "hw2" / "feedback"

    def start(self) -> subprocess.Popen[bytes]:
        """The command, at the head of its own process group."""
        for folder in ("tmp", "home"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        grade = [sys.executable, "-c", "from grader.cli import main; main()", "grade", "hw2", str(self.submissions)]
        where = ["--gradebook", str(self.gradebook), "--out", str(self.root / "out")]
        with (self.root / "stderr").open("ab") as stderr:
            return subprocess.Popen(
                [*grade, *where, "--jobs", "2"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                env={**os.environ, "TMPDIR": str(self.root / "tmp"), "XDG_CACHE_HOME": str(self.root / "home")},
                start_new_session=True,
            )

    def kept(self) -> dict[tuple[str, ...], tuple[Any, ...]]:
        """Rows of the gradebook by what names them, without times; from a copy, so that nothing is repaired by us."""
        with tempfile.TemporaryDirectory() as folder:
            for file in self.gradebook.parent.glob("gradebook.db*"):
                shutil.copy(file, folder)
            if not (Path(folder) / "gradebook.db").exists():
                return {}
            with contextlib.closing(sqlite3.connect(Path(folder) / "gradebook.db")) as connection:
                if connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                    return {("damaged",): ()}
                if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'grades'").fetchall():
                    return {}
                return {
                    (kind, name, key): tuple(values)
                    for kind, query in _KEPT.items()
                    for name, key, *values in connection.execute(query)
                }

    def written(self) -> dict[str, bytes]:
        """The feedback pages."""
        return {file.name: file.read_bytes() for file in self.pages.glob("*.html")}

    def counting(self) -> list[Grade]:
        """The grades that count."""
        with Gradebook.open(self.gradebook) as book:
            return book.grades("hw2")

    def left(self) -> list[str]:
        """Files that nobody needs."""
        wanted = {self.gradebook, self.root / "stderr", *self.pages.glob("*.html")}
        files = {path for path in self.root.rglob("*") if not path.is_dir() and path.suffix != ".safetensors"}
        return sorted(str(path.relative_to(self.root)) for path in files - wanted)


def make_class(folder: Path, size: int) -> Path:
    """Copies of the samples under as many names: right, wrong, broken and refused ones, folders, two files of one."""
    folder.mkdir(parents=True)
    samples = sorted(path for path in SAMPLES.iterdir() if path.stem not in SLOW)
    for number in range(size):
        sample = samples[number % len(samples)]
        name = f"{number:03}-{sample.stem}"
        if sample.is_dir():
            shutil.copytree(sample, folder / name)
        else:
            shutil.copy(sample, folder / (name + sample.suffix))
    shutil.copy(SAMPLES / "henri.py", folder / "000-ada.py")
    os.utime(folder / "000-ada.py", (0, 0))  # older than the notebook of the same student, hence refused
    return folder


def children(pid: int) -> dict[int, str]:
    """The children of a process, each with its state; Z where it has ended and nobody has asked how."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                if int(parent) == pid:
                    found[int(entry.name)] = state
    return found


def is_warm_parent(pid: int) -> bool:
    """Whether the process leads a session: of the grader's processes only the warm parents do."""
    with contextlib.suppress(OSError):
        return os.getsid(pid) == pid
    return False


def kill(target: str, command: int, chance: random.Random) -> bool:
    """Send SIGKILL to the target; False if there is none just now."""
    if target == "command":
        os.kill(command, signal.SIGKILL)
        return True
    if target == "process group":
        os.killpg(command, signal.SIGKILL)
        return True
    workers = [pid for pid in children(command) if b"spawn_main" in _command_line(pid)]
    if target == "warm parent":
        found = [pid for worker in workers for pid in children(worker) if is_warm_parent(pid)]
    else:
        found = workers
    if not found:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(chance.choice(found), signal.SIGKILL)
    return True


def _command_line(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


@contextlib.contextmanager
def adopting() -> Iterator[None]:
    """Processes whose parent dies become our children, whatever group, session or namespace they are in."""
    control = ctypes.CDLL(None, use_errno=True).prctl
    if control(_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "this system cannot tell whose processes are left")
    try:
        yield
    finally:
        control(_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def await_end(others: set[int]) -> tuple[float, list[int]]:
    """Wait for all children but these to end; returns the seconds, and who did not in a long time."""
    start = time.monotonic()
    while True:
        ours = {pid: state for pid, state in children(os.getpid()).items() if pid not in others}
        for pid, state in ours.items():
            if state == "Z":
                os.waitpid(pid, 0)
        living = sorted(pid for pid, state in ours.items() if state != "Z")
        if not living or time.monotonic() > start + PATIENCE:
            return time.monotonic() - start, living
        time.sleep(0.005)


def torment(kills: int, seed: int, size: int, folder: Path, tell: bool = False) -> Findings:
    """Grade a class of that size undisturbed, then kill that many times.

    Args:
        kills: number of kills; the batch that is under way then comes to its end.
        seed: of the moments and the targets.
        size: number of students.
        folder: an empty folder for all that is made.
        tell: print each kill.
    """
    chance = random.Random(seed)
    findings = Findings()
    others = set(children(os.getpid()))
    submissions = make_class(folder / "class", size)
    calm = Bench(folder / "calm", submissions)
    start = time.monotonic()
    code = calm.start().wait()
    duration = time.monotonic() - start
    kept, written, counting = calm.kept(), calm.written(), calm.counting()
    if code or calm.left() or len(counting) != size or len(written) != size:
        findings.faults.append(f"undisturbed: exit code {code}, {len(written)} pages, left: {calm.left()}")
    mounts = Path("/proc/self/mounts").read_text()
    with adopting():
        while sum(findings.kills.values()) < kills:
            bench = Bench(folder / f"batch{findings.batches}", submissions)
            before: dict[tuple[str, ...], tuple[Any, ...]] = {}
            ended = False
            while not ended:
                findings.lives += 1
                ended = _life(bench, kills, duration, chance, findings)
                name = f"batch {findings.batches}, kill {sum(findings.kills.values())}"
                seconds, living = await_end(others)
                findings.slowest_end = max(findings.slowest_end, seconds)
                findings.faults += [f"{name}: process {pid} is left" for pid in living]
                after = bench.kept()
                findings.faults += _damage(name, before, after, kept, ended)
                findings.faults += [
                    f"{name}: the page {page} is not whole"
                    for page, content in bench.written().items()
                    if content != written[page] and b"could not be graded" not in content
                ]
                before = after
                if not ended:
                    findings.graded_at_death.append(sum(kind == "grade" for kind, *_ in after))
                if tell:
                    print(f"{name}: {findings.graded_at_death[-1:]} graded, faults: {findings.faults}", flush=True)
            if bench.counting() != counting:
                findings.faults.append(f"batch {findings.batches}: other grades count than in the undisturbed batch")
            if bench.written() != written:
                findings.faults.append(f"batch {findings.batches}: other pages than those of the undisturbed batch")
            findings.faults += [f"batch {findings.batches}: the file {file} is left" for file in bench.left()]
            findings.batches += 1
            shutil.rmtree(bench.root)
    if Path("/proc/self/mounts").read_text() != mounts:
        findings.faults.append("mounts are left")
    return findings


def _life(bench: Bench, kills: int, duration: float, chance: random.Random, findings: Findings) -> bool:
    """From one start of the command to its death or its end; True if it came to its end with every grade complete."""
    command = bench.start()
    while True:
        if sum(findings.kills.values()) < kills:
            timeout = chance.uniform(0, duration / 3)
            target = chance.choices(list(TARGETS), list(TARGETS.values()))[0]
        else:
            timeout, target = None, ""
        try:
            code = command.wait(timeout)
        except subprocess.TimeoutExpired:
            if kill(target, command.pid, chance):
                findings.kills[target] += 1
            if target in ("command", "process group"):
                command.wait()
                return False
            continue
        if code == 1:
            findings.unavailable += 1
            return False
        if code != 0:
            findings.faults.append(f"exit code {code}: {(bench.root / 'stderr').read_text()[-500:]}")
        return True


def _damage(
    name: str,
    before: dict[tuple[str, ...], tuple[Any, ...]],
    after: dict[tuple[str, ...], tuple[Any, ...]],
    expected: dict[tuple[str, ...], tuple[Any, ...]],
    ended: bool,
) -> Iterator[str]:
    """What is lost, doubled or different in the gradebook."""
    for row in before.keys() - after.keys():
        yield f"{name}: lost {row}"
    for row, values in after.items():
        incomplete = row[0] == "grade" and values[1] == 0 and not ended
        if values != expected.get(row) and not incomplete:
            yield f"{name}: {row} is not what it is in the undisturbed batch"
    if ended:
        for row in expected.keys() - after.keys():
            yield f"{name}: missing at the end: {row}"


def main(kills: int = 200, seed: int = 0) -> int:
    """Print what was found; 1 if there was any fault."""
    with tempfile.TemporaryDirectory() as folder:
        findings = torment(kills, seed, size=100, folder=Path(folder), tell=True)
    deaths = sorted(findings.graded_at_death)
    print(f"kills                        {sum(findings.kills.values())}  {dict(findings.kills)}")
    print(
        f"starts of the command        {findings.lives}, for {findings.batches} batches of 100 that came to their end"
    )
    print(f"grades at a death            {deaths[:: max(1, len(deaths) // 10)]}")
    print(f"ends with a fault of ours    {findings.unavailable}, made good by the same command")
    print(f"last process gone after      {findings.slowest_end * 1000:.0f} ms at most")
    print(f"lost, doubled, left, other   {len(findings.faults)}")
    for fault in findings.faults:
        print(f"    {fault}")
    return bool(findings.faults)


if __name__ == "__main__":
    sys.exit(main(*(int(argument) for argument in sys.argv[1:])))
