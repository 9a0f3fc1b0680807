"""A corpus of messages and some thousand random ones: each is decoded to something sound, or refused; none crashes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from benchmarks.fuzz import ARGUMENTS, LIMIT, OUTPUT, PROPERTIES, Messages, fuzz, sound, way
from grader.answer_key.answer import AnswerKey
from grader.assignment.assignment import Assignment
from grader.cli.terminal import print_grade
from grader.judge.grade import Grade
from grader.judge.judge import block_remarks, judge
from grader.report.exports import results_json, scores_csv
from grader.report.feedback import feedback_page
from grader.sandbox.decoding import DecodeError, decode_report, decode_result
from grader.sandbox.recording import BlockReport, Outcome, Recording, Run, StudentError

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())


@pytest.mark.parametrize("file", CORPUS, ids=[file.name for file in CORPUS])
def test_the_corpus_is_decoded_or_refused(file: Path) -> None:
    way(file.name.partition("-")[0], file.read_bytes())


def test_the_corpus_goes_both_ways_through_every_decoder() -> None:
    ways = {way(file.name.partition("-")[0], file.read_bytes())[:2] for file in CORPUS}
    assert ways == {(decoder, end) for decoder in PROPERTIES for end in ("read", "refused")}
    assert sum(file.stat().st_size for file in CORPUS) < 500_000


def test_random_messages_are_decoded_or_refused() -> None:
    findings = fuzz(6000, seed=5)
    assert findings.crashes == []
    assert set(findings.seen) == {(decoder, end) for decoder in PROPERTIES for end in ("read", "refused")}


def test_the_messages_are_the_same_for_the_same_seed() -> None:
    assert list(islice(Messages(3, {}), 300)) == list(islice(Messages(3, {}), 300))


UNSOUND = [
    Recording("e", Outcome.UNAVAILABLE),
    Recording("e", Outcome.RAISED),
    Recording("e", Outcome.RETURNED, printed="\ud800"),
    Recording("e", Outcome.REFUSED, reason="\x1b[2J"),
    Recording("e", Outcome.RETURNED, changed_inputs=("c",)),
    Recording("e", Outcome.RETURNED, (((((np.ones(1),),),),),)),
    Recording("e", Outcome.RETURNED, (np.ones(LIMIT // 16),) * 3),
    Recording("e", Outcome.RETURNED, np.frombuffer(b"\2", bool).copy()),
    Recording("e", Outcome.RAISED, error=StudentError("E" * 201, "")),
]


@pytest.mark.parametrize("recording", UNSOUND, ids=range(len(UNSOUND)))
def test_the_property_tells_unsound_recordings(recording: Recording) -> None:
    with pytest.raises((AssertionError, UnicodeError)):
        sound(recording)


@pytest.fixture(scope="module")
def decoded() -> tuple[list[Recording], list[BlockReport]]:
    """What random messages of results and reports are decoded to."""

    def read() -> Iterator[Recording | BlockReport]:
        for decoder, data in islice(Messages(7, {}), 4000):
            try:
                if decoder == "result":
                    yield decode_result(data, "e", ARGUMENTS, LIMIT, OUTPUT)
                elif decoder == "report":
                    yield decode_report(data, "cell 1", OUTPUT)
            except DecodeError:
                continue

    told = list(read())
    recordings = [each for each in told if isinstance(each, Recording)]
    return recordings, [each for each in told if isinstance(each, BlockReport)]


def test_whatever_is_decoded_can_be_judged_shown_and_stored(
    hw2: Assignment, hw2_key: AnswerKey, decoded: tuple[list[Recording], list[BlockReport]], tmp_path: Path
) -> None:
    recordings, blocks = decoded
    assert len({recording.outcome for recording in recordings}) == 6
    assert len(blocks) > 100
    experiments = [experiment.key for experiment in hw2.experiments]
    with (tmp_path / "terminal").open("w", encoding="utf-8") as file:
        for start in range(0, 20 * len(experiments), len(experiments)):
            taken = dict(zip(experiments, islice(recordings, start, None), strict=False))
            run = Run({key: dataclasses.replace(each, experiment=key) for key, each in taken.items()})
            with np.errstate(all="ignore"):
                questions = judge(hw2, hw2_key, run, {})
            grade = Grade(
                assignment=hw2.id,
                assignment_title=hw2.title,
                student="ada",
                file="hw2.py",
                status="graded",
                questions=questions,
                remarks=block_remarks(blocks[start : start + 5]),
            )
            assert sum(question.score for question in questions) == 0
            feedback_page(grade).encode("utf-8")
            scores_csv([grade]).encode("utf-8")
            json.dumps(results_json(hw2.id, [grade]), ensure_ascii=False, allow_nan=False).encode("utf-8")
            assert Grade.model_validate_json(grade.model_dump_json()) == grade
            print_grade(Console(file=file, force_terminal=True, color_system=None), grade)
    assert "\x1b" not in (tmp_path / "terminal").read_text(encoding="utf-8")
