"""Honest code that looks odd gets all of its points, at both levels."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from tests.cases.case import FULL
from tests.cases.conftest import Lab
from tests.cases.honest import PROGRAMS, Honest
from tests.cases.traces import left_behind


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
@pytest.mark.parametrize("level", ["strong", "weak"])
def test_honest_code_that_looks_odd_gets_all_points(lab: Lab, level: str, program: Honest) -> None:
    if program.needs and find_spec(program.needs) is None:
        pytest.skip(f"{program.needs} is not installed")
    tried = lab.grade(program.text, program.files, cpu_seconds=10, wall_seconds=60, memory_mb=2048, disk_mb=64)
    if level == "weak" and program.weak:
        assert program.weak in tried.told
        assert tried.points == {"descent": 0, "square": 1}
    else:
        assert tried.points == {"descent": FULL, "square": 1}, tried.told
    assert not [block.error for block in tried.run.blocks if block.error]
    assert left_behind(lab.sandbox) == []
