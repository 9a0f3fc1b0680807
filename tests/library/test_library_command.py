"""`grader reference`: the list, one algorithm, its picture, and a sentence for every error."""

from __future__ import annotations

import subprocess
import sys

import pytest

from reference.index import entries


def one_line(text: str) -> str:
    return " ".join(text.split())


def test_the_list_has_every_function_and_fits_into_80_columns(grader):
    code, printed, _ = grader("reference")
    assert code == 0
    lines = printed.splitlines()
    assert max(map(len, lines)) <= 80
    starts = {line.split()[0] for line in lines if line.startswith("  ")}
    assert {entry.name for entry in entries()} <= starts
    assert "Lecture 1, part 4: distributed algorithms" in lines
    assert any(line.startswith("  fedavg                         FedAvg, the server/client form") for line in lines)


def test_one_algorithm_is_shown_with_all_that_belongs_to_it(grader):
    code, printed, _ = grader("reference", "nesterov_strongly_convex")
    assert code == 0
    text = one_line(printed)
    for part in (
        "reference/lecture03/nesterov_strongly_convex.py",
        "Problem min f(x) over R^d; f L-smooth and mu-strongly convex",
        "y_{k-1} = x_{k-1} + beta (x_{k-1} - x_{k-2})",
        "num_steps: int) -> Matrix",
        "bound_strongly_convex: gap to the minimum f(x_k) - f*",
        "Notes ch. 3, Theorem 3.2: for mu-strongly convex, L-smooth f, f(x_k) - f* <= (1 - sqrt(mu/L))^k",
        "three_sequences q = sqrt(mu/L), v_0 = x_0;",
        "points_of_the_gradient",
        "\"Your momentum is squared, as heavy ball's is on the slides. Nesterov's method needs a larger one.\"",
        "Witness nesterov_strongly_convex_three_sequences.py;",
        'Standard problem: "valley".',
    ):
        assert part in text, part


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: f"{entry.path}:{entry.name}")
def test_every_function_can_be_shown_within_80_columns(grader, entry):
    code, printed, said = grader("reference", f"{entry.module.removeprefix('reference.')}.{entry.name}")
    assert (code, said) == (0, "")
    text = one_line(printed)
    for variant in (*entry.equivalents, *entry.conventions, *entry.mistakes):
        assert variant.identifier in printed
        assert one_line(variant.sentence) in text
    for guarantee in entry.guarantees:
        assert one_line(guarantee.sentence) in text
    too_long = [line for line in printed.splitlines() if len(line) > 80 and len(line.split()) > 1]
    assert not too_long


def test_text_is_wrapped_anew_and_formulas_keep_their_lines(grader):
    _, printed, _ = grader("reference", "nesterov_strongly_convex")
    lines = printed.splitlines()
    assert "                x_k     = y_{k-1} - (1/L) grad f(y_{k-1})" in lines
    assert "Catalogue   nag_strongly_convex" in lines
    first = lines.index("References  Notes ch. 3, Theorem 3.2; Lecture 3 part I, slide 23; homework 3,")
    assert lines[first + 1 : first + 3] == [
        "              problem 1. The figures of the notes, page 9, run this method with",
        "              the momentum of heavy ball, L/(sqrt L + sqrt mu)^2, which is not",
    ]


def test_an_identifier_of_the_catalogue_shows_its_file(grader):
    _, printed, _ = grader("reference", "heavy_ball_companion")
    for function in ("heavy_ball_matrix(", "heavy_ball_rate(", "heavy_ball_closed_form("):
        assert function in printed
    assert printed.count("Witness     ") == 1


def test_a_name_in_several_files_lists_them(grader):
    code, printed, _ = grader("reference", "bound_convex")
    assert code == 0
    assert "  grader reference lecture02.gradient_descent.gradient_descent\n" in printed
    command = printed.splitlines()[1].split()[1:]
    assert "bound_convex" in grader(*command)[1]


def test_wrong_forms_of_a_bound_are_shown_below_it(grader):
    _, printed, _ = grader("reference", "zo_gd_sphere")
    text = one_line(printed)
    assert text.index("bound_strongly_convex: expected gap") < text.index("Wrong forms of bound_strongly_convex")
    assert "bound_with_printed_floor" in text


@pytest.mark.parametrize("suffix", [".png", ".svg", ".PNG"])
def test_a_picture_is_written(grader, tmp_path, suffix):
    code, printed, _ = grader("reference", "gradient_descent", "--plot", f"gd{suffix}")
    assert (code, printed) == (0, f"wrote gd{suffix}\n")
    content = (tmp_path / f"gd{suffix}").read_bytes()
    assert content.startswith(b"<?xml" if suffix == ".svg" else b"\x89PNG")


def test_a_picture_may_be_asked_for_by_identifier(grader, tmp_path):
    assert grader("reference", "nag_strongly_convex", "--plot", "nag.png")[0] == 0
    assert (tmp_path / "nag.png").is_file()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nestrov"], "There is no 'nestrov' in the reference. Near names: nesterov"),
        (["¿"], "No name comes near it. `grader reference` lists everything."),
        (["--plot", "x.png"], "--plot needs the name of an algorithm"),
        (["lp_norm", "--plot", "x.png"], "'lp_norm' has no standard problem, so there is no convergence to draw."),
        (["rpca_altmin", "--plot", "x.png"], "draw one of robust_pca_alternating, robust_pca_proximal_gradient."),
        (["heavy_ball", "--plot", "x.pdf"], '"x.pdf" is neither .png nor .svg'),
        (["heavy_ball", "--plot", "x"], '"x" is neither .png nor .svg'),
        (["heavy_ball", "--plot", "nowhere/x.png"], '"nowhere/x.png" cannot be written: No such file or directory.'),
        (["heavy_ball", "--plot", "folder.png"], '"folder.png" cannot be written: Is a directory.'),
    ],
)
def test_wrong_usage_is_answered_with_a_sentence(grader, tmp_path, arguments, sentence):
    (tmp_path / "folder.png").mkdir()
    code, printed, said = grader("reference", *arguments)
    assert (code, printed) == (2, "")
    assert sentence in one_line(said)
    assert "Traceback" not in said


def test_the_sentence_about_what_cannot_be_drawn_says_what_can(grader):
    _, _, said = grader("reference", "lp_norm", "--plot", "x.png")
    assert all(entry.name in said for entry in entries() if entry.example is not None)


def test_the_other_commands_do_not_load_the_library_or_matplotlib():
    program = (
        "import sys; import grader.cli.app; "
        "print(*[name for name in sys.modules if name.split('.')[0] == 'matplotlib' or name == 'reference.index'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"
