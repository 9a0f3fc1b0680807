"""docs/course_errata.md: every name in it exists, and what no other test of the library holds is held here."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest

from reference import problems
from reference.index import find
from reference.lecture01.distributed.allreduce import ring_allreduce
from reference.lecture02.convergence_rates import strongly_convex_iterations
from reference.lecture03.lower_bounds import lower_bound_strongly_convex
from reference.lecture03.nesterov_matrix import nesterov_matrix
from reference.lecture03.nesterov_strongly_convex import momentum_strongly_convex
from reference.lecture03.problems import worst_strongly_convex
from reference.lecture04.problems import dense_lasso, diagonal_lasso
from reference.lecture04.proximal_gradient_descent import proximal_gradient_descent

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "course_errata.md").read_text(encoding="utf-8")
NAMES = sorted(set(re.findall(r"`(\w+)`", PAGE)) - {"notes_ch0", "notes_ch5_1"})
FILES = sorted(set(re.findall(r"`(tests/[\w/]+(?:\.py|/))`", PAGE)))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_on_the_page_is_in_the_library(name):
    assert hasattr(problems, name) or find(name)


@pytest.mark.parametrize("file", FILES)
def test_a_test_on_the_page_exists(file):
    assert (ROOT / file).exists()


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("mistakes?", re.findall(r"mistakes? ((?:`\w+`(?:, )?)+)", PAGE)),
        ("conventions?", re.findall(r"conventions? ((?:`\w+`(?:, | and )?)+)", PAGE)),
    ],
)
def test_what_the_page_calls_a_mistake_or_a_convention_is_one(kind, names):
    listed = [name for group in names for name in re.findall(r"\w+(?=`)", group)]
    assert len(listed) > 5
    for name in listed:
        kinds = {v.kind.value for entry in find(name) for v in all_variants(entry) if v.identifier == name}
        assert any(re.fullmatch(kind, found) for found in kinds), name


def all_variants(entry):
    from reference.variants import variants

    functions = [entry.function, *(guarantee.bound for guarantee in entry.guarantees)]
    return [variant for function in functions for variant in variants(function)]


def test_rows_of_the_tables_are_complete():
    rows = [line for line in PAGE.splitlines() if line.startswith("|")]
    assert len(rows) > 80
    assert {row.count("|") for row in rows} == {6}


# Corrections of the catalogue.


@pytest.mark.parametrize(("reduce_rounds", "gather_rounds"), [(3, 3), (4, 3), (4, 4)])
def test_a_round_too_many_is_harmless_where_the_owners_are_right(reduce_rounds, gather_rounds):
    n = 4
    vectors = np.random.default_rng(1).standard_normal((n, 8))
    chunks = [[chunk.copy() for chunk in np.split(vector, n)] for vector in vectors]
    for step in range(reduce_rounds):
        sent = [chunks[i][(i - step) % n].copy() for i in range(n)]
        for i in range(n):
            chunks[(i + 1) % n][(i - step) % n] += sent[i]
    for step in range(gather_rounds):  # node i owns chunk i+1, which n-1 rounds have finished
        sent = [chunks[i][(i + 1 - step) % n].copy() for i in range(n)]
        for i in range(n):
            chunks[(i + 1) % n][(i + 1 - step) % n] = sent[i]
    results = np.array([np.concatenate(own) for own in chunks]) / n
    np.testing.assert_allclose(results, ring_allreduce(vectors).results, atol=1e-15)


def test_77_steps_are_for_an_absolute_accuracy():
    assert strongly_convex_iterations(20.0, 2.0, math.sqrt(20), 1e-6) == 77
    assert strongly_convex_iterations(20.0, 2.0, 1.0, 1e-6) == 69


def test_last_digits_of_the_spectral_norm_and_of_the_lower_bound():
    A = nesterov_matrix(np.diag([1.0, 20.0]), 1 / 20, momentum_strongly_convex(20.0, 1.0))
    assert round(float(np.linalg.norm(A, 2)), 10) == 1.9171967105
    problem = worst_strongly_convex(100.0, 1.0, 60)
    bound = lower_bound_strongly_convex(100.0, 1.0, float(np.linalg.norm(problem.minimizer)), 20)[20]
    assert f"{bound:.5e}" == "3.30665e-04"


@pytest.mark.parametrize("problem", [diagonal_lasso(), dense_lasso()], ids=lambda problem: problem.name)
@pytest.mark.parametrize("multiple", [2.0, 2.1])
def test_zeros_of_the_solution_hide_a_step_that_is_too_long(problem, multiple):
    step = multiple / problem.smoothness
    iterates = proximal_gradient_descent(problem.gradient, problem.prox, problem.x0, step, 400)
    np.testing.assert_allclose(iterates[-1], problem.minimizer, atol=1e-12)
