"""SIGKILL at random moments of batches of a hundred: a small edition of `benchmarks/killed.py`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.killed import torment


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_kills_lose_double_and_leave_nothing(tmp_path: Path) -> None:
    findings = torment(kills=8, seed=3, size=100, folder=tmp_path)
    assert findings.faults == []
    assert sum(findings.kills.values()) >= 8
    assert len(findings.kills) >= 3
    assert findings.batches >= 1
