"""docs/coverage.md is what the code says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from grader.report.coverage import coverage_page
from reference.index import entries

PAGE = Path(__file__).parents[2] / "docs" / "coverage.md"
RENEW = "python -m grader.report.coverage > docs/coverage.md"


def test_the_page_is_not_stale():
    assert PAGE.read_text(encoding="utf-8") == coverage_page(), f"docs/coverage.md is stale; renew it: {RENEW}"


def test_the_command_on_the_page_renews_it():
    assert f"`{RENEW}`" in coverage_page()
    done = subprocess.run([sys.executable, "-m", "grader.report.coverage"], capture_output=True, text=True, check=True)
    assert done.stdout == coverage_page()


def test_everything_is_on_the_page():
    page = coverage_page()
    for entry in entries():
        assert f"## {entry.lecture}" in page
        assert f"### `{entry.path}`" in page
        assert f"Witness: {entry.witness or 'none'}." in page
        row = next(line for line in page.splitlines() if line.startswith(f"| `{entry.name}` | "))
        assert row.count("|") - row.count(r"\|") in (3, 6)
        assert all(f"`{identifier}` | `{entry.path}`" in page for identifier in entry.catalogue)


def test_a_row_has_names_and_their_number():
    assert (
        "| `heavy_ball_rate` |  | 1: largest_eigenvalue |  | 3: spectral_norm, real_part, largest_curvature_only |\n"
        in coverage_page()
    )
    assert "bound_strongly_convex (wrong: bound_with_printed_floor)" in coverage_page()
