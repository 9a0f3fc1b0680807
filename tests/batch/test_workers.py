"""Workers that die: real processes, each killed by the task itself."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest

from grader.batch.workers import ATTEMPTS, Bench, Workers

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills with signals")


@contextmanager
def bench(folder: Path, position: int) -> Iterator[Callable[[str], str]]:
    (folder / f"opened-{position}-{os.getpid()}").touch()
    yield partial(do, folder)
    (folder / f"closed-{position}-{os.getpid()}").touch()


def do(folder: Path, task: str) -> str:
    with (folder / "started").open("a") as file:
        print(task, file=file)
    if task == "poison" or (task == "unlucky" and (folder / "started").read_text().count(task) == 1):
        os.kill(os.getpid(), signal.SIGKILL)
    if task == "wrong":
        raise ValueError("this task is wrong")
    return task.upper()


@contextmanager
def no_bench(position: int) -> Iterator[Callable[[str], str]]:
    os.kill(os.getpid(), signal.SIGKILL)
    yield str


def spread(tasks: list[str], jobs: int, bench: Bench[str, str]) -> Iterator[tuple[str, str | None]]:
    with closing(Workers(jobs, bench)) as workers:
        yield from workers.spread(tasks)


def opened(folder: Path) -> int:
    return len(list(folder.glob("opened-*")))


def test_every_task_is_done_once_and_the_bench_is_closed(tmp_path: Path) -> None:
    tasks = [f"task{number}" for number in range(20)]
    assert sorted(spread(tasks, 2, partial(bench, tmp_path))) == sorted((task, task.upper()) for task in tasks)
    assert sorted((tmp_path / "started").read_text().split()) == sorted(tasks)
    assert len(list(tmp_path.glob("closed-*"))) == opened(tmp_path) == 2
    assert multiprocessing.active_children() == []


def test_a_worker_that_dies_costs_another_attempt_at_its_own_task_only(tmp_path: Path) -> None:
    tasks = ["unlucky", *(f"task{number}" for number in range(6))]
    assert sorted(spread(tasks, 2, partial(bench, tmp_path))) == sorted((task, task.upper()) for task in tasks)
    assert sorted((tmp_path / "started").read_text().split()) == sorted([*tasks, "unlucky"])
    assert opened(tmp_path) == 3


def test_a_task_that_kills_every_worker_is_given_up_and_takes_no_other_with_it(tmp_path: Path) -> None:
    tasks = ["poison", *(f"task{number}" for number in range(6)), "poison"]
    results = list(spread(tasks, 2, partial(bench, tmp_path)))
    assert sorted(task for task, result in results if result is None) == ["poison", "poison"]
    assert sorted(result for _, result in results if result) == sorted(task.upper() for task in tasks[1:-1])
    assert (tmp_path / "started").read_text().split().count("poison") == 2 * ATTEMPTS


def test_workers_that_die_before_they_are_ready_do_not_go_on_for_ever() -> None:
    assert sorted(spread(["a", "b"], 2, no_bench)) == [("a", None), ("b", None)]


def test_what_is_raised_in_a_worker_is_raised_here_and_ends_the_others(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="this task is wrong"):
        list(spread(["a", "wrong", *"bcdefgh"], 2, partial(bench, tmp_path)))
    assert multiprocessing.active_children() == []


def test_closing_early_ends_the_workers(tmp_path: Path) -> None:
    with closing(spread([f"task{number}" for number in range(20)], 2, partial(bench, tmp_path))) as results:
        next(results)
        assert multiprocessing.active_children()
    assert multiprocessing.active_children() == []
