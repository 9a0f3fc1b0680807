"""Hostile programs gain nothing, are told why, harm nobody, and leave nothing behind."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from grader.sandbox.recording import Outcome
from tests.cases import hostile_kernel, hostile_limits, hostile_secrets, hostile_tampering
from tests.cases.case import DESCENT, FULL, SQUARE, START, Case
from tests.cases.conftest import HIDDEN, ROOT, Lab, Planted
from tests.cases.traces import lasting, left_behind

GROUPS = {
    **hostile_limits.GROUPS,
    **hostile_tampering.GROUPS,
    **hostile_secrets.GROUPS,
    **hostile_kernel.GROUPS,
}


def ample(case: Case) -> Case:
    """The case with time enough on a slow machine, where it is not about time."""
    if Outcome.TIMED_OUT in case.outcomes:
        return case
    return replace(case, limits={"cpu_seconds": 10, **case.limits})


CASES = [
    pytest.param(level, ample(case.at(level)), id=f"{level}-{group}-{case.name}")
    for level in ("strong", "weak")
    for group, cases in GROUPS.items()
    for case in cases
]
INNOCENT = "\n# %%\n".join((START, DESCENT, SQUARE))


@pytest.mark.parametrize(("level", "case"), CASES)
def test_a_hostile_program_gains_nothing_and_harms_nobody(lab: Lab, planted: Planted, case: Case) -> None:
    before = lasting(lab.sandbox)
    tried = lab.grade(planted.told(case.text), case.files, **case.limits)

    recordings = {r.experiment: r for r in tried.run.recordings.values()}
    outcomes = {r.outcome for name, r in recordings.items() if name.startswith("descent")}
    assert outcomes & set(case.outcomes), (outcomes, tried.told)
    assert all(r.outcome is not Outcome.UNAVAILABLE for r in recordings.values())
    assert re.search(case.told, tried.told, re.IGNORECASE), tried.told
    if case.earns is not None:
        assert tried.points["descent"] == case.earns, tried.told
    if case.beside is not None:
        assert tried.points["square"] == case.beside

    for secret in (planted.token, planted.phrase):
        assert secret.encode() not in tried.everything
        assert secret not in tried.page
    assert HIDDEN not in tried.page
    assert not planted.called()

    assert lab.grade(INNOCENT).points == {"descent": FULL, "square": 1}
    assert lasting(lab.sandbox) == before
    assert left_behind(lab.sandbox) == []


@pytest.mark.parametrize("level", ["strong", "weak"])
def test_a_second_run_cannot_read_what_a_first_one_left_in_the_cache_of_files(lab: Lab) -> None:
    source = "\n# %%\n".join((START, hostile_secrets.CACHE, SQUARE))
    for _ in range(2):
        tried = lab.grade(source)
        assert tried.points["descent"] == 0
        assert b"found" not in b"".join(r.printed.encode() for r in tried.run.recordings.values())


@pytest.mark.parametrize("case", [case for case in hostile_secrets.SECRETS if case.bare], ids=lambda case: case.name)
@pytest.mark.parametrize("level", ["none"])
def test_the_same_program_finds_a_secret_where_nothing_isolates_it(lab: Lab, planted: Planted, case: Case) -> None:
    own = {name: path for name, path in planted.places.items() if name != "reference"}
    tried = lab.grade(replace(planted, places=own).told(case.text), **case.limits)
    assert planted.token.encode() in tried.everything


@pytest.mark.parametrize(("group", "cases"), GROUPS.items(), ids=GROUPS.keys())
def test_the_page_counts_the_cases(group: str, cases: list[Case]) -> None:
    assert f"\n| {group} | {len(cases)} |" in (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
