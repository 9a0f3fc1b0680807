"""The index: every function is listed, everything is found by name, and no identifier of the catalogue is missing."""

from __future__ import annotations

import inspect
from itertools import pairwise

import pytest

from reference.index import HEADINGS, entries, find, lecture_modules, sections
from reference.lecture01.distributed import dsgd, mixing
from reference.lecture02 import gradient_descent as gd
from reference.lecture05 import zo_gd_sphere
from reference.variants import guarantees, variants

# The identifiers of the course catalogue for lectures 1 to 5. Previews are left out: the later lecture has them.
PRELIMINARIES = """
    vector_norms matrix_norms least_squares_loss logistic_loss taylor_check l_smoothness descent_lemma_gap
    gradient_gap_lemma projection convexity_checks strong_convexity_checks cocoercivity_checks smooth_sc_ineq
"""
GRADIENT_DESCENT = """
    gradient_descent gd_descent_lemma gd_bound_nonconvex gd_bound_convex gd_bound_strongly_convex gd_rate_table
    stationary_point gd_examples linear_net3_backprop
"""
DISTRIBUTED = """
    psgd allreduce compressed_sgd compressors local_sgd_lec1 local_sgd_std local_sgd_lec14 fedavg lazy_comm
    heterogeneity dsgd async_sgd byzantine speedup_model
"""
ACCELERATION = """
    heavy_ball heavy_ball_tuning_notes heavy_ball_tuning_slides heavy_ball_companion nag nag_convex nag_convex_theta
    nag_strongly_convex nag_sc_three_seq nag_companion anderson anderson_weights anderson_weights_simplex
    lower_bound_convex lower_bound_strongly_convex first_order_span worst_function_convex
    worst_function_strongly_convex complexity_table
"""
PRECONDITIONING = "precondition_change_of_variables preconditioned_gd newton"
PROJECTIONS = """
    projection_properties project_box project_hyperplane project_simplex project_l1_ball project_l2_ball
    project_linf_ball project_nonneg projected_gd constrained_optimality adversarial_pga
"""
PROXIMAL = """
    subdifferential_l1 subdifferential_l2 subgradient_optimality prox_definition prox_l1 prox_l2 prox_indicator
    prox_rules prox_nuclear proximal_gd gradient_mapping rpca_objective rpca_altmin rpca_proximal_gd
"""
ZEROTH_ORDER = """
    zo_problem_adversarial zo_problem_sensor zo_problem_generic fd_forward fd_central zo_gd_fd zo_gd_fd_decay
    linear_interp_gradient linear_interp_central sparse_gradient_lasso zo_gd_sparse gaussian_smooth gaussian_estimator
    gaussian_one_point gaussian_estimator_batch gaussian_sample_bound ball_smooth sphere_estimator sample_sphere
    sample_ball sphere_estimator_batch sphere_sample_bound zo_quadratic_moments zo_gd_sphere zo_gd_sphere_decay
    zo_compare zo_bounds check_smooth check_strongly_convex
"""
IDENTIFIERS = " ".join(
    (
        PRELIMINARIES,
        GRADIENT_DESCENT,
        DISTRIBUTED,
        ACCELERATION,
        PRECONDITIONING,
        PROJECTIONS,
        PROXIMAL,
        ZEROTH_ORDER,
    )
).split()

# What serves the algorithms and is no entry of the catalogue: problems, what is measured, and conditions of theorems.
SERVING = {"problems", "quantities", "quadratics", "nodes", "mixing", "drift"}
LECTURES_1_TO_5 = tuple(f"reference.lecture{number:02}" for number in range(1, 6))


def names(found):
    return [f"{entry.path}:{entry.name}" for entry in found]


# Nothing is missing.


@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_the_catalogue_is_covered(identifier):
    assert any(identifier in entry.catalogue for entry in entries()), f"no module has {identifier} in its Catalogue"


@pytest.mark.parametrize("module", lecture_modules(), ids=lambda module: module.__name__)
def test_a_module_says_where_it_is_in_the_catalogue_and_against_what_it_is_checked(module):
    if module.__name__.startswith(LECTURES_1_TO_5) and module.__name__.rpartition(".")[2] not in SERVING:
        assert {"Catalogue", "Witness"} <= set(sections(module.__doc__))


def test_only_serving_modules_have_no_identifier():
    without = {
        e.module.rpartition(".")[2] for e in entries() if e.module.startswith(LECTURES_1_TO_5) and not e.catalogue
    }
    assert without == SERVING


def test_an_identifier_is_in_one_file():
    files = {(name, entry.path) for entry in entries() for name in entry.catalogue}
    assert len(files) == len({name for name, _ in files})


def test_every_public_function_is_an_entry_or_belongs_to_one():
    listed = {entry.function for entry in entries()}
    bounds = {guarantee.bound for entry in entries() for guarantee in entry.guarantees}
    belonging = bounds | {variant.function for function in listed | bounds for variant in variants(function)}
    assert not listed & belonging
    for module in lecture_modules():
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                assert function in listed | belonging, f"{module.__name__}.{name}"


def test_entries_come_by_lecture_and_file():
    lectures = list(dict.fromkeys(entry.lecture for entry in entries()))
    assert lectures[:3] == [
        "Lecture 1: preliminaries",
        "Lecture 1, part 4: distributed algorithms",
        "Lecture 2: gradient descent, its rates and examples, and the gradients of a three-layer linear network",
    ]
    for before, after in pairwise(entries()):
        assert (before.module.rpartition("."), before.module) <= (after.module.rpartition("."), after.module)


def test_an_entry_has_all_that_is_known_about_an_algorithm():
    (entry,) = find("gradient_descent")
    assert entry.function is gd.gradient_descent
    assert entry.path == "lecture02/gradient_descent.py"
    assert entry.summary.startswith("The iterates x_0, ..., x_K of gradient descent")
    assert entry.catalogue == ("gradient_descent", "gd_bound_nonconvex", "gd_bound_convex", "gd_bound_strongly_convex")
    assert entry.witness == "torch.optim.SGD; closed form (I - gamma A^T A)^k (x_0 - x*) on least squares"
    assert entry.guarantees == guarantees(gd.gradient_descent)
    assert entry.equivalents + entry.conventions + entry.mistakes == variants(gd.gradient_descent)
    assert entry.example is not None


# Everything is found.


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("heavy_ball", ["lecture03/heavy_ball.py:heavy_ball"]),
        ("psgd.psgd", ["lecture01/distributed/psgd.py:psgd"]),
        ("nag_strongly_convex", ["lecture03/nesterov_strongly_convex.py:nesterov_strongly_convex"]),
        ("BlackBox", ["lecture05/black_box.py:BlackBox"]),
        ("zo_problem_generic", ["lecture05/black_box.py:BlackBox"]),
        ("mean_gap", ["lecture02/quantities.py:mean_gap", "lecture05/quantities.py:mean_gap"]),
        ("lecture05.quantities.mean_gap", ["lecture05/quantities.py:mean_gap"]),
        ("bound_with_printed_floor", ["lecture05/zo_gd_sphere.py:zo_gd_sphere"]),
    ],
)
def test_a_name_finds(name, found):
    assert [f for f in names(find(name)) if "nesterov_strongly_convex.py:momentum" not in f] == found


def test_a_guarantee_is_found_under_each_algorithm_that_has_one_of_that_name():
    found = find("bound_convex")
    assert len(found) > 3
    assert all("bound_convex" in [g.bound.__name__ for g in entry.guarantees] for entry in found)


def test_a_mistake_is_found_under_each_algorithm_that_has_one_of_that_name():
    found = find("decaying_step")
    assert "lecture02/gradient_descent.py:gradient_descent" in names(found)
    assert all("decaying_step" in [mistake.identifier for mistake in entry.mistakes] for entry in found)


def test_a_module_stands_for_its_functions():
    assert names(find("mixing"))[:2] == [
        "lecture01/distributed/mixing.py:metropolis_weights",
        "lecture01/distributed/mixing.py:mixing_rate",
    ]
    assert {entry.module for entry in find("mixing")} == {mixing.__name__}


@pytest.mark.parametrize(("name", "near"), [("nestrov", "nesterov"), ("heavyball", "heavy_ball"), ("Adams", "dsgd")])
def test_an_unknown_name_is_answered_with_near_ones(name, near):
    with pytest.raises(LookupError) as error:
        find(name)
    sentence = str(error.value)
    assert sentence.startswith(f"There is no {name!r} in the reference. ")
    assert (near in sentence) == (near != "dsgd")


def test_a_name_like_no_other_is_answered_too():
    with pytest.raises(LookupError, match="No name comes near it"):
        find("¿")


# Docstrings are read as they are written.


def test_sections_keep_their_lines_and_lose_their_margin():
    found = sections(gd.__doc__)
    assert list(found) == list(HEADINGS)
    assert found["Algorithm"] == "x_{k+1} = x_k - gamma grad f(x_k),  k = 0, ..., K-1"
    assert [line[:15] for line in found["Guarantee"].splitlines()] == [
        "non-convex, gam",
        "convex, gamma =",
        "strongly convex",
    ]
    assert "In the code" not in found["Witness"]


def test_inner_margins_stay():
    lines = sections(dsgd.__doc__)["Algorithm"].splitlines()
    assert lines[0].startswith("x_i^(k+1/2)")
    assert lines[2].startswith("N_i are")
    assert sections(zo_gd_sphere.__doc__)["Guarantee"].splitlines()[1].startswith("    non-convex")


def test_a_section_may_begin_below_its_heading_and_need_not_be_there():
    assert sections("Title.\n\nGuarantee\n            one\n              two\n\nText.") == {"Guarantee": "one\n  two"}
    assert sections("Title.\n\nGuaranteed to have none.") == {}
