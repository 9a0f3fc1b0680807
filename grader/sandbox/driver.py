"""Drives a student's process through a program: the files, the blocks, the calls, and the answers of the oracles.

The grader's side decides what happens next, so it always knows whose oracles to serve and what may come. Whatever the
student's code does, each call gets a recording: a process that dies in a block is started again with that block reduced
to its definitions (and if that dies too, without it). One performer, a fork of the process, makes one call after the
other, since a fork costs more than most calls; where it dies or has no memory left, the next call gets a fresh one. An
earlier call in the same performer may be to blame for that. Then the call is made again, once, by a fresh process: no
call pays for an earlier one, and nothing that the discarded attempt learned from its oracles is there any more. From
then on each call has a performer of its own, so the program is executed once more at most.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Protocol

import numpy as np

from grader.guest.driving import Layout
from grader.guest.encoding import TOGETHER, pack, pack_point, unpack_arguments, weight
from grader.guest.frames import TOKEN, Kind
from grader.guest.limits import OUT_OF_TIME, Allowance
from grader.sandbox.decoding import (
    DecodeError,
    Ending,
    decode_ending,
    decode_report,
    decode_result,
    report_cap,
    result_cap,
)
from grader.sandbox.link import WROTE_TO_CHANNEL, BreachError, LateError, Link, LostError, Watch, receive
from grader.sandbox.oracle_arguments import Floats, MisuseError, evaluations
from grader.sandbox.recording import (
    Array,
    BlockReport,
    Call,
    Limits,
    Oracle,
    Outcome,
    Recording,
    Run,
    StudentError,
)
from grader.submission.program import Program

MAX_ORACLE_CALLS = 1_000_000
"""Of one oracle, in one call; an array of m samples counts as m."""
_MAX_RERUNS = 3
_MAX_FILES = 1000
_MAX_FOLDERS = 1000
_MAX_DEPTH = 50
"""Folders around a file."""
_LEAST_PRINTED = 1 / 64
"""Part of the limit of printed text that is kept of each block and call, whatever the others printed."""
_PAGE = 4096
"""Bytes of which a file takes a whole number."""
_START_SECONDS = 120.0
_GRACE = 2.0
"""Seconds on the clock beyond a limit, in which the process itself should have noticed."""
_SIGKILL = 9
_PERHAPS_OF_AN_EARLIER_CALL = (Outcome.DIED, Outcome.OUT_OF_MEMORY)
"""What an earlier call in the same performer may be to blame for."""


class UnavailableError(Exception):
    """A fault of ours. Its text is a sentence."""


class Process(Protocol):
    """A student's process that was started and has not yet been sent anything."""

    control: Link

    def used_up(self) -> str:
        """What all processes together used up since this was last asked: "memory", "processes"; "" for nothing.

        "machine" is memory too, but the machine's: the kernel ended a process though the run kept its limit.
        """

    def open_performer(self, deadline: float) -> Link:
        """Ask for a performer; calls go to it, and oracles and results come from it, over the link that is returned.

        Raises:
            LostError: the process is gone or too slow.
        """

    def end(self) -> Ending | None:
        """End the process and all that it started. None: nobody knows how it ended, a fault of ours."""


def allowance(limits: Limits) -> Allowance:
    """The part of the limits that the student's process itself must know."""
    return Allowance(limits.cpu_seconds, limits.wall_seconds, limits.result_mb << 20)


def control_caps(limits: Limits) -> dict[Kind, int]:
    """What a process may send beside its calls."""
    return {
        Kind.READY: 0,
        Kind.FAILED: 1 << 12,
        Kind.BLOCK_DONE: report_cap(limits.output_kb << 10),
        Kind.ENDED: 1 << 10,
    }


def performer_caps(limits: Limits, calls: Sequence[Call]) -> dict[Kind, int]:
    """What a performer may send."""
    oracles = [argument for call in calls for argument in call.arguments.values() if isinstance(argument, Oracle)]
    # An argument of the wrong shape is answered with a sentence, if it is not absurdly large.
    entries = [sum(each.entries for each in oracle.parameters.values()) for oracle in oracles]
    return {
        Kind.NEXT: 0,
        Kind.ORACLE: (1 << 20) + 64 * max(entries, default=0),
        Kind.RESULT: TOKEN + result_cap(limits.result_mb << 20, limits.output_kb << 10),
    }


def drive(start: Callable[[], Process], program: Program, calls: Sequence[Call], limits: Limits) -> Run:
    """Run a program and make the calls; see `grader.sandbox.recording` for what comes back.

    Args:
        start: starts a fresh process; raises UnavailableError.
        program: the student's.
        calls: what to call, in this order.
        limits: for each block, each call and the whole.
    """
    return _Drive(start, program, tuple(calls), limits).run()


class _Treatment(Enum):
    WHOLE = "whole"
    DEFINITIONS = "definitions"
    LEFT_OUT = "left out"


_NEXT = {_Treatment.WHOLE: _Treatment.DEFINITIONS, _Treatment.DEFINITIONS: _Treatment.LEFT_OUT}
_TREATED = {
    _Treatment.DEFINITIONS: "Only its definitions and imports were read.",
    _Treatment.LEFT_OUT: "It was left out.",
}


@dataclass
class _Performer:
    """A process that makes calls."""

    link: Link
    watch: Watch
    """Of its own link and the loader's."""
    made: int = 0
    """Calls that it has answered."""


@dataclass
class _Talk:
    """What has come from one call so far."""

    call: Call
    token: bytes
    """What its result has to begin with."""
    request: bytes
    performer: _Performer
    asked: dict[str, int]
    begun: bool = False
    """The performer was asked."""
    result: bytes | None = None
    answered: bool = False
    """The performer has sent the result and waits for the next call."""
    spoiled: str = ""
    """What the performer did to its channel."""
    fault: str = ""
    """What went wrong on our side."""


class _Drive:
    def __init__(self, start: Callable[[], Process], program: Program, calls: tuple[Call, ...], limits: Limits) -> None:
        self._start = start
        self._blocks = program.blocks
        self._files, self._file_reports = checked_files(program.files, limits.disk_mb << 20)
        self._calls = calls
        self._limits = limits
        now = time.monotonic()
        self._last_moment = now + limits.total_seconds
        self._blocks_until = now + limits.total_seconds / 2
        self._recordings: dict[str, Recording] = {}
        self._reports: dict[int, BlockReport] = {}
        self._treatments: dict[int, _Treatment] = {}
        self._loaded = False
        """The blocks have been executed to the end."""
        self._doubtful: Recording | None = None
        """Of the next call: what came of it after others in the same performer."""
        self._apart = False
        """Each call has a performer of its own: calls have been in each other's way."""
        self._reruns = 0
        self._results_left = TOGETHER * limits.result_mb << 20
        self._share = self._results_left // max(1, len(calls))
        """What each call may return, whatever the others did."""
        self._printed_left = TOGETHER * limits.output_kb << 10
        self._cpu = 0.0
        self._block: int | None = None
        self._talk: _Talk | None = None
        self._performer: _Performer | None = None
        self._process: Process | None = None

    def run(self) -> Run:
        while not self._loaded or self._next_call() is not None:
            try:
                self._attempt()
            except UnavailableError as error:
                self._give_up(Outcome.UNAVAILABLE, str(error))
            except OSError as error:
                self._give_up(Outcome.UNAVAILABLE, f"The sandbox failed: {error}.")
        blocks = [report for _, report in sorted(self._reports.items())]
        told = [report for report in blocks if report.error or report.printed or report.remark]
        recordings = {call.experiment: self._recordings[call.experiment] for call in self._calls}
        return Run(recordings, (*self._file_reports, *told), self._cpu)

    def _attempt(self) -> None:
        """Start a process and get as far with it as it goes."""
        began = time.monotonic()
        process = self._process = self._start()
        cause: LostError | None = None
        ending: Ending | None = None
        self._block = self._talk = self._performer = None
        if not self._loaded:
            self._printed_left = TOGETHER * self._limits.output_kb << 10  # each block is told of anew
        try:
            _await_start(process)
            # What the start takes is our time, not the student's.
            waited = time.monotonic() - began
            self._last_moment += waited
            self._blocks_until += waited
            self._send_files(process)
            for position in range(len(self._blocks)):
                self._block = position
                self._run_block(process, position)
            self._block = None
            self._loaded = True
            while (call := self._next_call()) is not None:
                if not self._make_call(process, call):
                    break
        except LostError as error:
            cause = error
        finally:
            if self._performer is not None:
                self._performer.link.close()
            ending = process.end()
            self._cpu += ending.cpu if ending else 0.0
        if cause is not None:
            late = isinstance(cause, LateError)
            self._bury(*_explained(cause, ending, self._limits, process.used_up()), late)

    def _bury(self, outcome: Outcome, reason: str, late: bool) -> None:
        """Note what the process died of, so that the next attempt gets further."""
        between_calls = self._loaded and self._block is None and self._talk is None
        if outcome is Outcome.UNAVAILABLE or (self._block is None and self._talk is None and not between_calls):
            raise UnavailableError(reason)
        if between_calls:
            # What an earlier call left behind ended the process; the calls after it are made in a fresh one.
            self._reruns += 1
            if self._reruns > _MAX_RERUNS:
                self._give_up(outcome, f"The program ended again and again before the call. {reason}")
            return
        if self._talk is not None:
            if self._talk.fault:
                outcome, reason = Outcome.UNAVAILABLE, self._talk.fault
            recording = Recording(self._talk.call.experiment, outcome, reason=reason, calls=self._talk.asked)
            if self._talk.performer.made and not late:
                self._doubt(recording)
            else:
                self._keep(recording, self._talk.call)
        elif self._block is not None:
            if self._loaded and time.monotonic() > self._last_moment:
                return  # no time is left to execute it again; what is told of it is how it went the first time
            self._block_died(self._block, outcome, reason)
            self._reruns += 1
            if self._reruns > _MAX_RERUNS:
                self._give_up(outcome, f"The program ended again and again before the call. {reason}")

    def _give_up(self, outcome: Outcome, reason: str) -> None:
        self._loaded = True
        if self._doubtful is not None and outcome is not Outcome.UNAVAILABLE:
            self._recordings[self._doubtful.experiment] = self._doubtful
        for call in self._calls:
            missing = Recording(call.experiment, outcome, reason=reason)
            self._recordings.setdefault(call.experiment, missing)

    def _deadline(self, seconds: float) -> float:
        """A moment some grace after `seconds` from now, or after the last moment of the run if that is sooner."""
        return min(time.monotonic() + seconds, self._last_moment) + _GRACE

    def _send_files(self, process: Process) -> None:
        for name, content in self._files.items():
            process.control.send(Kind.FILE, name.encode() + b"\0" + content, self._deadline(self._limits.wall_seconds))

    def _run_block(self, process: Process, position: int) -> None:
        block = self._blocks[position]
        treatment = self._treatments.get(position, _Treatment.WHOLE)
        if treatment is _Treatment.LEFT_OUT:
            return
        # A fresh process for a later call executes what the first one did.
        hurry = treatment is _Treatment.WHOLE and not self._loaded and time.monotonic() > self._blocks_until
        if hurry:
            self._treatments[position] = _Treatment.DEFINITIONS
        definitions_only = hurry or treatment is _Treatment.DEFINITIONS
        request = {
            "label": block.label,
            "source": block.source,
            "definitions_only": definitions_only,
            "printed": self._output,
        }
        deadline = self._deadline(self._limits.wall_seconds)
        process.control.send(Kind.BLOCK, json.dumps(request).encode(), deadline)
        kind, payload = receive(process.control, deadline)
        try:
            report = decode_report(payload, block.label, self._output)
        except DecodeError as error:
            raise BreachError(WROTE_TO_CHANNEL) from error
        if kind is not Kind.BLOCK_DONE:
            raise BreachError(WROTE_TO_CHANNEL)
        if hurry:
            remark = f"The blocks before it used the time. {_TREATED[_Treatment.DEFINITIONS]}"
            report = replace(report, remark=remark)
        if treatment is _Treatment.WHOLE and not self._loaded:
            self._reports[position] = report
            self._printed(report.printed)

    @property
    def _output(self) -> int:
        """Bytes of printed text that are kept of the next block or call."""
        limit = self._limits.output_kb << 10
        return min(limit, max(self._printed_left, int(_LEAST_PRINTED * limit)))

    @property
    def _most(self) -> int:
        """Largest weight of the next result."""
        return min(self._limits.result_mb << 20, max(self._results_left, self._share))

    def _printed(self, text: str) -> None:
        self._printed_left = max(0, self._printed_left - len(text.encode()))

    def _block_died(self, position: int, outcome: Outcome, reason: str) -> None:
        label = self._blocks[position].label
        treatment = _NEXT[self._treatments.get(position, _Treatment.WHOLE)]
        self._treatments[position] = treatment
        if self._loaded:
            return  # what a block does once calls were made may tell what they were given
        kind = "TimeLimitError" if outcome is Outcome.TIMED_OUT else "ProcessEnded"
        error = StudentError(kind, reason, block=label)
        self._reports[position] = BlockReport(label, error, remark=_TREATED[treatment])

    def _next_call(self) -> Call | None:
        if time.monotonic() > self._last_moment:
            seconds = self._limits.total_seconds
            self._give_up(
                Outcome.TIMED_OUT,
                f"Not called: the submission had used all of its {seconds:g} s on the clock.",
            )
        return next((call for call in self._calls if call.experiment not in self._recordings), None)

    def _make_call(self, process: Process, call: Call) -> bool:
        """Make a call and say whether the process is good for the next one."""
        deadline = self._deadline(self._limits.wall_seconds)
        try:
            request = packed(call, self._most, self._output)
        except (KeyError, TypeError, ValueError) as error:
            reason = f"The arguments of {call.function} cannot be sent: {error!r}."
            self._recordings[call.experiment] = Recording(call.experiment, Outcome.UNAVAILABLE, reason=reason)
            return True
        performer = self._performer or self._opened(process, deadline)
        asked = {name: 0 for name, argument in call.arguments.items() if isinstance(argument, Oracle)}
        talk = self._talk = _Talk(call, os.urandom(TOKEN), request, performer, asked)
        with np.errstate(all="ignore"):  # an oracle may well be asked where f overflows
            ending = self._converse(process.control, talk, deadline)
        recording = replace(self._judged(talk, ending), calls=asked)
        self._talk = None
        if recording.outcome in _PERHAPS_OF_AN_EARLIER_CALL and performer.made:
            self._doubt(recording)
            return False
        self._keep(recording, call)
        performer.made += 1
        if ending is not None:
            performer.link.close()
            self._performer = None
        elif self._apart or recording.outcome is Outcome.OUT_OF_MEMORY:
            self._dismiss(process, performer)
        return True

    def _doubt(self, recording: Recording) -> None:
        """An earlier call may be to blame: without a recording it is the next one, in a fresh process."""
        self._doubtful = recording
        self._apart = True

    def _opened(self, process: Process, deadline: float) -> _Performer:
        link = process.open_performer(deadline)
        self._performer = _Performer(link, Watch(process.control, link))
        return self._performer

    def _keep(self, recording: Recording, call: Call) -> None:
        """Keep a recording; after a function has run out of time once, its other calls are not made."""
        self._doubtful = None
        self._recordings[call.experiment] = recording
        self._printed(recording.printed)
        self._results_left -= weight(recording.value)
        if recording.outcome is Outcome.TIMED_OUT:
            reason = "An earlier call ran out of time, so it was not called again."
            for other in self._calls:
                if other.function == call.function:
                    missing = Recording(other.experiment, Outcome.TIMED_OUT, reason=reason)
                    self._recordings.setdefault(other.experiment, missing)

    def _dismiss(self, process: Process, performer: _Performer) -> None:
        """End a performer that is still there."""
        deadline = self._deadline(self._limits.wall_seconds)
        performer.link.send(Kind.END, b"", deadline)
        performer.link.close()
        self._performer = None
        self._ending(process.control, deadline)

    def _converse(self, control: Link, talk: _Talk, deadline: float) -> Ending | None:
        """Serve the call until its result is there (None), or the performer has ended."""
        link = talk.performer.link
        if talk.performer.made:
            self._begin(talk, deadline)
        while not link.closed and control.is_silent:
            self._listen(talk, deadline)
            if talk.answered:
                return None
            if not link.closed:
                talk.performer.watch.wait(deadline)
        ending = self._ending(control, deadline)
        # The last words of the performer were sent before it ended.
        while not link.closed and link.fill():
            pass
        self._listen(talk, deadline)
        return ending

    def _begin(self, talk: _Talk, deadline: float) -> None:
        """Ask a performer that has made calls before; it waits for the next one."""
        link = talk.performer.link
        link.fill()
        if link.is_silent:
            talk.begun = True
            link.send(Kind.CALL, talk.token + talk.request, deadline)
        elif not link.closed:
            talk.spoiled = WROTE_TO_CHANNEL
            link.close()

    def _ending(self, control: Link, deadline: float) -> Ending:
        kind, payload = receive(control, deadline)
        if kind is not Kind.ENDED:
            raise BreachError(WROTE_TO_CHANNEL)
        try:
            return decode_ending(payload)
        except DecodeError as error:
            raise BreachError(WROTE_TO_CHANNEL) from error

    def _listen(self, talk: _Talk, deadline: float) -> None:
        """Act on every frame that has come from the performer; what it spoils is its own channel only."""
        link = talk.performer.link
        try:
            while not talk.answered and not talk.spoiled and (frame := link.frame()) is not None:
                kind, payload = frame
                if kind is Kind.NEXT and not talk.begun:
                    talk.begun = True
                    link.send(Kind.CALL, talk.token + talk.request, deadline)
                elif kind is Kind.ORACLE and talk.result is None:
                    link.send(*self._answer(talk, payload), deadline)
                elif kind is Kind.RESULT and talk.result is None:
                    if not payload.startswith(talk.token):
                        raise BreachError(WROTE_TO_CHANNEL)
                    talk.result = payload[TOKEN:]
                elif kind is Kind.NEXT and talk.result is not None:
                    talk.answered = True
                else:
                    raise BreachError("The code sent more than one result.")
        except BreachError as error:
            talk.spoiled = str(error)
            link.close()
        except LostError:
            # It asked and did not wait for the answer; how it ends tells more.
            link.close()

    def _answer(self, talk: _Talk, payload: bytes) -> tuple[Kind, bytes]:
        names = list(talk.call.arguments)
        try:
            name = names[payload[0]]
            oracle = talk.call.arguments[name]
            if not isinstance(oracle, Oracle):
                raise BreachError(WROTE_TO_CHANNEL)
            given = unpack_arguments(payload[1:], len(oracle.parameters))
        except (IndexError, ValueError) as error:
            raise BreachError(WROTE_TO_CHANNEL) from error
        try:
            arguments = _read(name, oracle, given)
        except ValueError as misuse:
            return _denied(str(misuse))
        if talk.asked[name] >= MAX_ORACLE_CALLS:
            return _denied(f"{name} was called more than {MAX_ORACLE_CALLS:,} times")
        talk.asked[name] += evaluations(*arguments)
        try:
            answer = np.asarray(oracle.answer(*arguments), dtype=np.float64, order="C")
        except Exception as error:
            if not all(np.isfinite(argument).all() for argument in arguments):
                return _denied(f"{name} has no answer where an argument is not finite (nan or inf)")
            if isinstance(error, ArithmeticError):
                largest = max(float(np.max(np.abs(argument), initial=0.0)) for argument in arguments)
                return _denied(
                    f"{name} has no answer there: its numbers get too large or too small for double precision"
                    f" (the largest argument is {largest:.3g})"
                )
            talk.fault = f"The oracle {name} failed: {type(error).__name__}: {error}"
            return _denied(f"{name} could not be answered, through no fault of yours")
        return Kind.ANSWER, pack_point(answer)

    def _judged(self, talk: _Talk, ending: Ending | None) -> Recording:
        call, limits = talk.call, self._limits
        used_up = self._process.used_up() if self._process else ""
        if talk.fault:
            return Recording(call.experiment, Outcome.UNAVAILABLE, reason=talk.fault)
        if talk.spoiled:
            return Recording(call.experiment, Outcome.DIED, reason=talk.spoiled)
        if talk.result is None or not talk.answered:
            outcome, reason = _explained(None, ending, limits, used_up)
            return Recording(call.experiment, outcome, reason=reason)
        try:
            recording = decode_result(talk.result, call.experiment, call.arguments, self._most, self._output)
            # The kernel may have ended processes that the call was waiting for.
            if used_up == "memory" and recording.outcome is Outcome.TIMED_OUT:
                return replace(recording, outcome=Outcome.OUT_OF_MEMORY, reason=_too_much_memory(limits))
            if used_up == "machine" and recording.outcome is not Outcome.RETURNED:
                return Recording(call.experiment, Outcome.UNAVAILABLE, reason=_machine_without_memory(limits))
            return recording
        except DecodeError as error:
            reason = f"The result could not be read: {error}."
            return Recording(call.experiment, Outcome.REFUSED, reason=reason)


def _await_start(process: Process) -> None:
    try:
        kind, payload = receive(process.control, time.monotonic() + _START_SECONDS)
    except LostError as error:
        raise UnavailableError("The sandbox's process did not start.") from error
    if kind is not Kind.READY:
        raise UnavailableError(f"The sandbox's process did not start: {payload.decode('utf-8', 'replace')}")


def _read(name: str, oracle: Oracle, given: Sequence[tuple[str, Floats]]) -> list[Any]:
    """What an oracle is called with.

    Raises:
        ValueError: not what it takes. Its text is a sentence for the student.
    """
    arguments: list[Any] = []
    for (parameter, expected), (kind, array) in zip(oracle.parameters.items(), given, strict=True):
        try:
            arguments.append(expected.read(kind, array))
        except MisuseError as misuse:
            place = f" for {parameter}" if oracle.further else ""
            raise ValueError(f"{name} expects {misuse.wanted}{place}, got {misuse.got}") from misuse
    return arguments


def _denied(sentence: str) -> tuple[Kind, bytes]:
    return Kind.DENIED, sentence.encode()


def _explained(cause: LostError | None, ending: Ending | None, limits: Limits, used_up: str) -> tuple[Outcome, str]:
    """What a process died of, as an outcome and a sentence."""
    if isinstance(cause, LateError):
        return Outcome.TIMED_OUT, f"Stopped after {limits.wall_seconds:g} s on the clock."
    if isinstance(cause, BreachError):
        return Outcome.DIED, str(cause)
    killed = ending is not None and ending.signal == _SIGKILL
    if killed and used_up == "memory":
        return Outcome.OUT_OF_MEMORY, _too_much_memory(limits)
    if killed and used_up == "machine":
        return Outcome.UNAVAILABLE, _machine_without_memory(limits)
    if killed and used_up == "processes":
        return Outcome.DIED, f"Stopped: it ran more than {limits.processes} processes and threads at a time."
    if ending is None:
        return Outcome.UNAVAILABLE, "The sandbox lost its process."
    if OUT_OF_TIME in (ending.exit, ending.signal):
        return Outcome.TIMED_OUT, f"Stopped after {limits.cpu_seconds:g} s of processor time."
    if ending.signal == _SIGKILL:
        return Outcome.DIED, "The process was killed by the system, or it closed the grader's channel."
    if ending.signal is not None:
        return Outcome.DIED, f"The process crashed: {signal.strsignal(ending.signal)}."
    return (
        Outcome.DIED,
        f"The code ended the process itself, with exit code {ending.exit} (os._exit does that).",
    )


def _too_much_memory(limits: Limits) -> str:
    return f"Its processes used more than {limits.memory_mb} MB of memory together."


def _machine_without_memory(limits: Limits) -> str:
    return (
        f"The machine ran out of memory before a run had used its {limits.memory_mb} MB. Grade fewer submissions at a"
        " time (`--jobs`), or where the machine has more memory."
    )


def packed(call: Call, results: int, printed: int) -> bytes:
    """The request for a call, as the guest reads it.

    Args:
        call: what to call.
        results: largest weight of its result.
        printed: bytes that are kept of what it prints.

    Raises:
        KeyError, TypeError, ValueError: an argument that cannot cross.
    """
    arrays: list[Array] = []
    entries: list[dict[str, Any]] = []
    for name, argument in call.arguments.items():
        if isinstance(argument, Oracle):
            entries.append({"name": name, "parameters": list(argument.parameters)})
        elif isinstance(argument, np.ndarray):
            entries.append({"name": name, "array": len(arrays)})
            arrays.append(np.ascontiguousarray(argument).reshape(argument.shape))
        elif isinstance(argument, np.random.Generator):
            entries.append({"name": name, "seed": _seed(argument)})
        else:
            scalar = argument.item() if isinstance(argument, np.generic) else argument
            entries.append({"name": name, "scalar": scalar})
    driven = any(isinstance(argument, Layout) for argument in call.arguments.values())
    request = {"function": call.function, "arguments": entries, "driven": driven}
    return pack(arrays, {**request, "results": results, "printed": printed})


def _seed(generator: np.random.Generator) -> int:
    """The number that `numpy.random.default_rng` made it from.

    Raises:
        ValueError: it was made from something else.
    """
    entropy = getattr(generator.bit_generator.seed_seq, "entropy", None)
    if not isinstance(generator.bit_generator, np.random.PCG64) or not isinstance(entropy, int):
        raise ValueError("a generator must be numpy.random.default_rng of a whole number")
    return entropy


def checked_files(files: Mapping[str, bytes], disk: int) -> tuple[dict[str, bytes], list[BlockReport]]:
    """The files that may stand beside the submission, and a report for each that may not.

    They may fill half of the `disk` bytes, and have no more than `_MAX_FOLDERS` folders, so that the program can still
    write.
    """
    accepted: dict[str, bytes] = {}
    reports: list[BlockReport] = []
    room = disk // 2
    folders: set[str] = set()
    for name, content in files.items():
        path = PurePosixPath(name)
        above = {str(parent) for parent in path.parents[:-1]}
        size = -(-len(content) // _PAGE) * _PAGE
        if problem := _unusable(name):
            pass
        elif name in folders or above & accepted.keys():
            problem = "another file has the name of its folder"
        elif len(accepted) >= _MAX_FILES:
            problem = f"there are more than {_MAX_FILES}"
        elif len(folders | above) > _MAX_FOLDERS:
            problem = f"the files before it and it have more than {_MAX_FOLDERS} folders"
        elif size > room:
            problem = f"all together take more than {disk // 2 >> 20} MB"
        else:
            accepted[name] = content
            room -= size
            folders |= above
            continue
        reports.append(BlockReport(f"file {name[:100]!r}", remark=f"This file was left out: {problem}."))
    return accepted, reports


def _unusable(name: str) -> str:
    path = PurePosixPath(name)
    windows = PureWindowsPath(name)
    if path.is_absolute() or windows.drive or windows.root or ".." in (*path.parts, *windows.parts):
        return "its path leads out of the folder"
    if str(path) != name or "\\" in name or not name.isprintable() or name == ".":
        return "its path is not written plainly"
    if len(name.encode()) > 1000 or any(len(part.encode()) > 255 for part in path.parts):
        return "its name is too long"
    if len(path.parts) > _MAX_DEPTH + 1:
        return f"it is in more than {_MAX_DEPTH} folders, one inside the other"
    return ""
