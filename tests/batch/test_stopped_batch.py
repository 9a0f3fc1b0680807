"""Ctrl-C and SIGTERM: the batch ends in good order, says how far it came, and the same command goes on."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

CLASS = 16
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends signals")


def pages(folder: Path) -> list[Path]:
    return list((folder / "out/hw2/feedback").glob("*.html"))


@pytest.fixture(autouse=True)
def ctrl_c_is_heeded() -> Iterator[None]:
    """Where the tests themselves run in the background of a shell, all that they start would ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("to_all", [False, True], ids=["command", "group"])
def test_a_stopped_batch_says_how_far_it_came_and_goes_on(
    tmp_path: Path, command: Callable[..., list[str]], jobs: str, number: signal.Signals, to_all: bool
) -> None:
    first = subprocess.Popen(
        command("--jobs", jobs), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while len(pages(tmp_path)) < 3:
        assert first.poll() is None
        time.sleep(0.002)
    (os.killpg if to_all else os.kill)(first.pid, number)
    _, said = first.communicate()
    assert first.returncode == 128 + number
    (sentence,) = said.strip().splitlines()
    found = re.fullmatch(
        r"grader: Stopped: (\d+) of 16 submissions are graded and safe in the gradebook\."
        r" The same command goes on with the rest\.",
        sentence,
    )
    assert found
    assert not list(tmp_path.glob("g.db-*"))
    with sqlite3.connect(tmp_path / "g.db") as connection:
        (kept,) = connection.execute("select count(*) from grades").fetchone()
    assert 3 <= kept < CLASS
    assert int(found[1]) in (kept - 1, kept)  # it may be kept and not yet counted

    done = subprocess.run(command("--jobs", jobs, "--json", "-"), capture_output=True, text=True, check=True)
    results = json.loads(done.stdout)["results"]
    assert [(result["status"], result["score"]) for result in results] == [("graded", 15)] * CLASS
    assert len(pages(tmp_path)) == CLASS
