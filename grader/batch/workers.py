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
from collections.abc import Callable, Generator, Iterator, Sequence
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


def spread(
    tasks: Sequence[Task], jobs: int, bench: Bench[Task, Result]
) -> Generator[tuple[Task, Result | None], None, None]:
    """Do the tasks in `jobs` processes; yields each with its result, in the order in which they are done.

    None stands in place of the result where `ATTEMPTS` workers died over the task. When the generator is closed early,
    or anything is raised, the workers are killed at once.

    Args:
        tasks: what to do; it crosses to other processes, and so does the result.
        jobs: number of processes.
        bench: a function that can be pickled.

    Raises:
        Exception: what was raised in a worker.
    """
    waiting = deque((task, 1) for task in tasks)
    free = deque(range(min(jobs, len(tasks))))
    busy: dict[Connection, _Worker[Task, Result]] = {}
    dismissed: list[_Worker[Task, Result]] = []
    try:
        while waiting or busy:
            while waiting and free:
                worker = _Worker(free.popleft(), bench, *waiting.popleft())
                busy[worker.pipe] = worker
            for pipe in wait(list(busy)):
                assert isinstance(pipe, Connection)
                worker = busy[pipe]
                task, attempt = worker.task, worker.attempt
                try:
                    kind, value = worker.pipe.recv()
                except (EOFError, OSError):
                    del busy[pipe]
                    worker.kill()
                    free.append(worker.position)
                    if attempt < ATTEMPTS:
                        waiting.append((task, attempt + 1))
                    else:
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
                    del busy[pipe]
                    worker.dismiss()
                    dismissed.append(worker)
                    free.append(worker.position)
                yield task, value
    finally:
        for worker in busy.values():
            worker.kill()
        for worker in dismissed:
            worker.join()


class _Worker(Generic[Task, Result]):
    """A process, seen from the parent, and the task that it has or gets when it is ready."""

    def __init__(self, position: int, bench: Bench[Task, Result], task: Task, attempt: int) -> None:
        self.position = position
        self.task = task
        self.attempt = attempt
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
