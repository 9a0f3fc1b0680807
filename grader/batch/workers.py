"""Worker processes: each does one task at a time, and the death of one costs nothing but another attempt at its task.

Why not `ProcessPoolExecutor`: when one of its workers dies, it ends all of them and does not tell which task did it;
and when its whole process group is killed, its semaphores stay on the machine. A pipe ends with whoever held it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, Literal, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")
Bench = Callable[[int], AbstractContextManager[Callable[[Task], Result]]]
"""In a worker, given its position 0, 1, ...: what does a task there, as a context."""

ATTEMPTS = 2
"""How many workers may die over one and the same task."""

_END_SECONDS = 10.0


class Workers(Generic[Task, Result]):
    """Worker processes, which prepare their benches while the tasks are still being put together.

    Needs to be closed; then they are killed at once if they are still at work.

    Args:
        jobs: number of processes.
        bench: a function that can be pickled.
    """

    def __init__(self, jobs: int, bench: Bench[Task, Result]) -> None:
        self._bench = bench
        self._idle = deque(_Worker[Task, Result](position, bench) for position in range(jobs))
        self._busy: dict[Connection, _Worker[Task, Result]] = {}
        self._dismissed: list[_Worker[Task, Result]] = []

    def close(self) -> None:
        """End all of them."""
        for worker in (*self._busy.values(), *self._idle):
            worker.kill()
        for worker in self._dismissed:
            worker.join()

    def spread(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Result | None]]:
        """Do the tasks; yields each with its result, in the order in which they are done. To be called once.

        None stands in place of the result where `ATTEMPTS` workers died over the task.

        Args:
            tasks: what to do; it crosses to other processes, and so does the result.

        Raises:
            Exception: what was raised in a worker.
        """
        waiting = deque((task, 1) for task in tasks)
        while waiting or self._busy:
            while waiting and self._idle:
                worker = self._idle.popleft()
                worker.task, worker.attempt = waiting.popleft()
                self._busy[worker.pipe] = worker
            for pipe in wait(list(self._busy)):
                assert isinstance(pipe, Connection)
                worker = self._busy[pipe]
                task, attempt = worker.task, worker.attempt
                try:
                    kind, value = worker.pipe.recv()
                except (EOFError, OSError):
                    del self._busy[pipe]
                    worker.kill()
                    if attempt < ATTEMPTS:
                        waiting.append((task, attempt + 1))
                    if waiting:
                        self._idle.append(_Worker(worker.position, self._bench))
                    if attempt == ATTEMPTS:
                        yield task, None
                    continue
                if kind == "failed":
                    raise value
                if kind == "ready":
                    worker.begin(task, attempt)
                    continue
                # The next task first: the worker need not wait for what is done with this result.
                if waiting:
                    worker.begin(*waiting.popleft())
                else:
                    del self._busy[pipe]
                    worker.dismiss()
                    self._dismissed.append(worker)
                yield task, value


class _Worker(Generic[Task, Result]):
    """A process, seen from the parent, and the task that it has or gets when it is ready."""

    task: Task
    attempt: int

    def __init__(self, position: int, bench: Bench[Task, Result]) -> None:
        self.position = position
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, bench, position), daemon=True)
        with theirs, _interrupt_held():
            self._process.start()

    def begin(self, task: Task, attempt: int) -> None:
        self.task, self.attempt = task, attempt
        with contextlib.suppress(OSError):  # it died: the next look at the pipe tells
            self.pipe.send(task)

    def dismiss(self) -> None:
        """No more tasks: it puts away its bench and ends."""
        self.pipe.close()

    def join(self) -> None:
        """Wait for the end after `dismiss`."""
        self._process.join(_END_SECONDS)
        self.kill()

    def kill(self) -> None:
        self.pipe.close()
        self._process.kill()
        self._process.join()


@contextmanager
def _interrupt_held() -> Iterator[None]:
    """A process that is started inside does not hear Ctrl-C, which a terminal sends to all, until it is prepared."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # or else starting the first process starts it, and lets go of the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: Connection, bench: Bench[Any, Any], position: int) -> None:
    """The life of a worker."""
    # Not SIG_IGN: the processes of student code would inherit it.
    signal.signal(signal.SIGINT, _leave_it_to_the_parent)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        with bench(position) as work:
            _say(pipe, "ready")
            while True:
                try:
                    task = pipe.recv()
                except EOFError:
                    return
                _say(pipe, "done", work(task))
    except BrokenPipeError:
        return  # the parent is gone
    except Exception as error:
        _say(pipe, "failed", error)


def _say(pipe: Connection, kind: Literal["ready", "done", "failed"], value: object = None) -> None:
    pipe.send((kind, value))


def _leave_it_to_the_parent(number: int, frame: object) -> None:
    """Handle Ctrl-C: do nothing. The parent ends the batch, and this process with it."""


def _end_with_parent() -> None:
    """A worker that is busy, or waits for work, also when the batch was killed: nobody else would end it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
