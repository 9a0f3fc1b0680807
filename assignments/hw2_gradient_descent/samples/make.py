"""Makes the sample class of homework 2: `submissions/` and `expected.toml`.

Each sample is the handout's solution with a few bodies of functions replaced, so that samples and handout stay in step.
The students are fictional and named after mathematicians. Run this file after a change of it or of the handout:

    python assignments/hw2_gradient_descent/samples/make.py
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from grader.assignment.handout import notebook, release, solution
from grader.submission.written import PLACEHOLDER

HERE = Path(__file__).resolve().parent
HANDOUT = HERE.parent / "handout.py"

FULL = {"least_squares": 3.0, "gradient_descent": 6.0, "logistic_regression": 3.0, "linear_network": 3.0}
MARKER = "# %% [markdown]\n# <!-- answer: proofs -->\n"


@dataclass(frozen=True)
class Sample:
    """One student's submission, and what the grader should make of it.

    Args:
        name: the file's name; its stem is the student.
        note: what this submission is about.
        bodies: function -> the lines that stand in place of its solution.
        cells: function -> a code cell before the one of that function.
        without: functions that are not handed in.
        proofs: Markdown of the written question; None for the solution's.
        scores: question -> points, where they are not the full ones.
        diagnoses: question -> identifier of the mistake to name.
        mentions: words that the feedback must contain.
    """

    name: str
    note: str
    bodies: Mapping[str, str] = field(default_factory=dict)
    cells: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    proofs: str | None = PLACEHOLDER
    scores: Mapping[str, float] = field(default_factory=dict)
    diagnoses: Mapping[str, str] = field(default_factory=dict)
    mentions: tuple[str, ...] = ()

    @property
    def student(self) -> str:
        """The student's name."""
        return Path(self.name).stem

    def script(self, text: str) -> str:
        """The submission in percent format, from the solution's `text`."""
        for function, body in self.bodies.items():
            text = with_body(text, function, body)
        for function, cell in self.cells.items():
            text = with_cell_before(text, function, cell)
        for function in self.without:
            text = re.sub(rf"# %%\ndef {function}\(.*?(?=\n# %%|\Z)", "", text, flags=re.DOTALL)
        if self.proofs is not None:
            start = text.rindex(MARKER) + len(MARKER)
            text = text[:start] + textwrap.indent(dedented(self.proofs), "# ", lambda line: True)
        return text


@dataclass(frozen=True)
class Refused:
    """A file that cannot be graded."""

    name: str
    note: str
    content: bytes
    mentions: tuple[str, ...]

    @property
    def student(self) -> str:
        """The student's name."""
        return Path(self.name).stem


def dedented(text: str) -> str:
    """`text` without its common indentation, with one line end."""
    return textwrap.dedent(text).strip("\n") + "\n"


def with_body(text: str, function: str, body: str) -> str:
    """`text` with other lines after the docstring of `function`."""
    pattern = rf'(def {function}\(.*?""".*?"""\n).*?(?=\n\n+# %%)'
    new, count = re.subn(
        pattern, lambda found: found[1] + textwrap.indent(dedented(body), "    "), text, flags=re.DOTALL
    )
    assert count == 1, function
    return new


def with_cell_before(text: str, function: str, cell: str) -> str:
    """`text` with a code cell before the one that defines `function`."""
    begin = f"# %%\ndef {function}("
    assert text.count(begin) == 1, function
    return text.replace(begin, f"# %%\n{dedented(cell)}\n{begin}")


# --- the class ---------------------------------------------------------------------------------------------------

CORRECT = [
    Sample("ada.ipynb", "the solution, as a notebook", proofs=None),
    Sample("emmy.py", "the solution, as a script", proofs=None),
    Sample(
        "sofia.ipynb",
        "correct: returns lists in place of arrays",
        {
            "least_squares_constants": "return [np.linalg.norm(A, 2) ** 2, np.linalg.norm(A, -2) ** 2]",
            "gradient_descent": """
                xs = [np.array(x0, dtype=float)]
                while len(xs) <= num_steps:
                    xs.append(xs[-1] - learning_rate * gradient(xs[-1]))
                return xs
                """,
            "linear_network_gradients": """
                r = W3 @ W2 @ W1 @ a - b
                return [np.outer(W2.T @ W3.T @ r, a), np.outer(W3.T @ r, W1 @ a), np.outer(r, W2 @ W1 @ a)]
                """,
        },
        proofs="""
            $f(y)-f(x)-\\langle\\nabla f(x),y-x\\rangle=\\frac12\\|A(y-x)\\|^2$. This lies between
            $\\frac12\\lambda_{\\min}(A^\\top A)\\|y-x\\|^2$ and $\\frac12\\lambda_{\\max}(A^\\top A)\\|y-x\\|^2$,
            and so everything follows.
            """,
    ),
    Sample(
        "katherine.py",
        "correct: computes in single precision throughout",
        {
            "least_squares_value": """
                A, b, x = (np.asarray(array, dtype=np.float32) for array in (A, b, x))
                return np.float32(0.5) * np.sum((A @ x - b) ** 2)
                """,
            "least_squares_gradient": """
                A, b, x = (np.asarray(array, dtype=np.float32) for array in (A, b, x))
                return A.T @ (A @ x - b)
                """,
            "least_squares_constants": """
                s = np.linalg.svd(np.asarray(A, dtype=np.float32), compute_uv=False)
                return s[0] ** 2, s[-1] ** 2
                """,
            "gradient_descent": """
                x = np.array(x0, dtype=np.float32)
                iterates = np.zeros((num_steps + 1, len(x)), dtype=np.float32)
                iterates[0] = x
                for k in range(num_steps):
                    x = x - np.float32(learning_rate) * np.asarray(gradient(x), dtype=np.float32)
                    iterates[k + 1] = x
                return iterates
                """,
            "logistic_value": """
                A, b, x = (np.asarray(array, dtype=np.float32) for array in (A, b, x))
                return np.mean(np.logaddexp(np.float32(0), -b * (A @ x)))
                """,
            "logistic_gradient": """
                A, b, x = (np.asarray(array, dtype=np.float32) for array in (A, b, x))
                return -A.T @ (b * np.exp(-np.logaddexp(np.float32(0), b * (A @ x)))) / np.float32(len(b))
                """,
            "linear_network_gradients": """
                W1, W2, W3, a, b = (np.asarray(array, dtype=np.float32) for array in (W1, W2, W3, a, b))
                r = W3 @ (W2 @ (W1 @ a)) - b
                return np.outer(W2.T @ (W3.T @ r), a), np.outer(W3.T @ r, W1 @ a), np.outer(r, W2 @ (W1 @ a))
                """,
        },
    ),
    Sample(
        "leonhard.ipynb",
        "correct: other formulas all along (eigenvalues, sums of gradients, tanh, einsum)",
        {
            "least_squares_value": "return (x @ (A.T @ A) @ x - 2 * (A.T @ b) @ x + b @ b) / 2",
            "least_squares_gradient": "return np.einsum('ij,i->j', A, np.einsum('ij,j->i', A, x) - b)",
            "least_squares_constants": """
                eigenvalues = np.linalg.eigvalsh(A.T @ A)
                return eigenvalues[-1], eigenvalues[0]
                """,
            "gradient_descent": """
                total = np.zeros(len(x0))
                iterates = np.empty((num_steps + 1, len(x0)))
                iterates[0] = x0
                for k in range(num_steps):
                    total += gradient(iterates[k])
                    iterates[k + 1] = x0 - learning_rate * total
                return iterates
                """,
            "logistic_value": """
                z = -b * (A @ x)
                return np.mean(np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))))
                """,
            "logistic_gradient": """
                s = (1 - np.tanh(b * (A @ x) / 2)) / 2
                return -np.mean(A * (b * s)[:, None], axis=0)
                """,
            "linear_network_gradients": """
                P = W3 @ W2 @ W1
                R = np.einsum("i,j->ij", P @ a - b, a)
                return W2.T @ W3.T @ R, W3.T @ R @ W1.T, R @ W1.T @ W2.T
                """,
        },
        proofs="",
    ),
    Sample(
        "alan.ipynb",
        "correct: magics, shell commands, plots, and a cell that computes for two seconds",
        cells={
            "least_squares_value": """
                %matplotlib inline
                !pip install some-package-that-nobody-needs
                import time
                import matplotlib.pyplot as plt
                """,
            "logistic_value": """
                %%time
                grid = np.logspace(-3, 0, 20)
                losses = []
                for rate in grid:
                    path = gradient_descent(lambda x: x, np.ones(3), rate, 50)
                    losses.append(np.linalg.norm(path[-1]))
                plt.loglog(grid, losses)
                plt.xlabel("learning rate")
                plt.show()
                """,
            "linear_network_gradients": """
                # "training" for two seconds
                start = time.perf_counter()
                x = np.ones(50)
                while time.perf_counter() - start < 2:
                    x = 0.999 * x
                plt.plot(x);
                plt.savefig("training.png")
                plt?
                """,
        },
    ),
    Sample(
        "grace.ipynb",
        "correct: exit() in a cell between the functions",
        cells={"logistic_gradient": "exit()"},
    ),
    Sample(
        "john.py",
        "correct: input() in a cell between the functions",
        cells={"logistic_gradient": 'name = input("Your name: ")'},
        mentions=("input()",),
    ),
    Sample(
        "paul.ipynb",
        "correct: an exception in a cell between the functions",
        cells={"logistic_gradient": "print(gradient_descnt(None, np.zeros(2), 0.1, 3))\nhalf = 1 / 2"},
        mentions=("NameError",),
    ),
    Sample(
        "srinivasa.ipynb",
        "correct: prints HTML and a script",
        {
            "gradient_descent": """
                print("<h1>Full marks!</h1><script>document.title = 'hacked'</script>")
                x = np.array(x0, dtype=float)
                iterates = [x]
                for _ in range(num_steps):
                    x = x - learning_rate * gradient(x)
                    iterates.append(x)
                return np.stack(iterates)
                """
        },
        cells={
            "logistic_gradient": """
                from IPython.display import HTML, display
                display(HTML("<script>alert(1)</script>"))
                """
        },
    ),
]

GRADIENT_DESCENT = [
    Sample(
        "gottfried.py",
        "gradient descent climbs",
        {
            "gradient_descent": """
                x = np.array(x0, dtype=float)
                path = [x]
                for k in range(num_steps):
                    x = x + learning_rate * gradient(x)
                    path.append(x)
                return np.array(path)
                """
        },
        # Calls and inputs survive.
        scores={"gradient_descent": 1.0},
        diagnoses={"gradient_descent": "gradient_ascent"},
    ),
    Sample(
        "isaac.ipynb",
        "the gradient is computed once, at the start",
        {
            "gradient_descent": """
                x = np.array(x0, dtype=float)
                g = gradient(x)
                path = [x]
                for k in range(num_steps):
                    x = x - learning_rate * g
                    path.append(x)
                return np.array(path)
                """
        },
        # Inputs survive.
        scores={"gradient_descent": 0.5},
        diagnoses={"gradient_descent": "frozen_gradient"},
    ),
    Sample(
        "bernhard.py",
        "x_0 is not among the iterates",
        {
            "gradient_descent": """
                path = []
                x = np.array(x0, dtype=float)
                for k in range(num_steps):
                    x = x - learning_rate * gradient(x)
                    path.append(x)
                return np.array(path)
                """
        },
        # The path itself is that of the method: rate, bound, calls and inputs survive.
        scores={"gradient_descent": 3.0},
        diagnoses={"gradient_descent": "missing_first_row"},
    ),
    Sample(
        "augustin.ipynb",
        "x_K is not among the iterates",
        {
            "gradient_descent": """
                path = []
                x = np.array(x0, dtype=float)
                for k in range(num_steps):
                    path.append(x)
                    x = x - learning_rate * gradient(x)
                return np.array(path)
                """
        },
        # As for bernhard.
        scores={"gradient_descent": 3.0},
        diagnoses={"gradient_descent": "missing_last_row"},
        proofs="""
            The Hessian is $A^\\top A$, and $v^\\top A^\\top Av=\\|Av\\|^2\\ge0$. So $f$ is convex.

            The rest I could not do.
            """,
    ),
    Sample(
        "henri.py",
        "one array is changed in place and appended in every step",
        {
            "gradient_descent": """
                x = np.array(x0, dtype=float)
                path = [x]
                for k in range(num_steps):
                    x -= learning_rate * gradient(x)
                    path.append(x)
                return np.array(path)
                """
        },
        # All rows are x_K, so there is no run whose bound could be judged. Calls and inputs survive.
        scores={"gradient_descent": 1.0},
        diagnoses={"gradient_descent": "aliased_rows"},
    ),
    Sample(
        "blaise.ipynb",
        "the iterates are stored with the type of the start",
        {
            "gradient_descent": """
                iterates = np.zeros((num_steps + 1, x0.size), dtype=x0.dtype)
                iterates[0] = x0
                for k in range(num_steps):
                    iterates[k + 1] = iterates[k] - learning_rate * gradient(iterates[k])
                return iterates
                """
        },
        # Only the start of whole numbers.
        scores={"gradient_descent": 5.5},
        diagnoses={"gradient_descent": "integer_truncation"},
    ),
    Sample(
        "rene.py",
        "the right path, but the start is changed in place",
        {
            "gradient_descent": """
                x = np.asarray(x0, dtype=float)
                path = [x.copy()]
                for k in range(num_steps):
                    x -= learning_rate * gradient(x)
                    path.append(x.copy())
                return np.array(path)
                """
        },
        scores={"gradient_descent": 5.5},
        diagnoses={"gradient_descent": "mutated_start"},
    ),
    Sample(
        "philipp.ipynb",
        "coordinate after coordinate, each with a new gradient",
        {
            "gradient_descent": """
                x = np.array(x0, dtype=float)
                path = [x.copy()]
                for k in range(num_steps):
                    for j in range(len(x)):
                        x[j] = x[j] - learning_rate * gradient(x)[j]
                    path.append(x.copy())
                return np.array(path)
                """
        },
        # The whole-number start is on a diagonal problem, where this is gradient descent. Elsewhere it is faster: the
        # bound holds.
        scores={"gradient_descent": 2.0},
        diagnoses={"gradient_descent": "gauss_seidel"},
    ),
    Sample(
        "karl.py",
        "the gradient is normalised",
        {
            "gradient_descent": """
                x = np.array(x0, dtype=float)
                path = [x]
                for k in range(num_steps):
                    g = gradient(x)
                    x = x - learning_rate * g / np.linalg.norm(g)
                    path.append(x)
                return np.array(path)
                """
        },
        scores={"gradient_descent": 1.0},
        diagnoses={"gradient_descent": "normalized_gradient"},
    ),
    Sample(
        "joseph.ipynb",
        "the learning rate decays",
        {
            "gradient_descent": """
                x = np.array(x0, dtype=float)
                path = [x]
                for k in range(num_steps):
                    x = x - learning_rate / (k + 1) * gradient(x)
                    path.append(x)
                return np.array(path)
                """
        },
        scores={"gradient_descent": 1.0},
        diagnoses={"gradient_descent": "decaying_step"},
    ),
    Sample(
        "david.py",
        "half of each step",
        {
            "gradient_descent": """
                x = np.array(x0, dtype=float)
                path = [x]
                for k in range(num_steps):
                    x = x - 0.5 * learning_rate * gradient(x)
                    path.append(x)
                return np.array(path)
                """
        },
        scores={"gradient_descent": 1.0},
        diagnoses={"gradient_descent": "halved_gradient"},
    ),
    Sample(
        "evariste.ipynb",
        "twice each step",
        {
            "gradient_descent": """
                x = np.array(x0, dtype=float)
                path = [x]
                for k in range(num_steps):
                    x = x - 2 * learning_rate * gradient(x)
                    path.append(x)
                return np.array(path)
                """
        },
        scores={"gradient_descent": 1.0},
        diagnoses={"gradient_descent": "doubled_gradient"},
    ),
    Sample(
        "niels.py",
        "stops when the gradient is small",
        {
            "gradient_descent": """
                x = np.array(x0, dtype=float)
                path = [x]
                for k in range(num_steps):
                    g = gradient(x)
                    if np.linalg.norm(g) < 1e-6:
                        break
                    x = x - learning_rate * g
                    path.append(x)
                return np.array(path)
                """
        },
        scores={"gradient_descent": 0.5},
        diagnoses={"gradient_descent": "early_stopping"},
    ),
    Sample(
        "felix.ipynb",
        "a learning rate of one's own",
        {
            "gradient_descent": """
                learning_rate = 0.01
                x = np.array(x0, dtype=float)
                path = [x]
                for k in range(num_steps):
                    x = x - learning_rate * gradient(x)
                    path.append(x)
                return np.array(path)
                """
        },
        scores={"gradient_descent": 1.0},
        diagnoses={"gradient_descent": "own_learning_rate"},
    ),
    Sample(
        "jacob.py",
        "the right path, with two gradients a step",
        {
            "gradient_descent": """
                x = np.array(x0, dtype=float)
                path = [x]
                norms = []
                for k in range(num_steps):
                    norms.append(np.linalg.norm(gradient(x)))
                    x = x - learning_rate * gradient(x)
                    path.append(x)
                return np.array(path)
                """
        },
        scores={"gradient_descent": 5.5},
        diagnoses={"gradient_descent": "two_gradients_per_step"},
    ),
]

FORMULAS = [
    Sample(
        "simon.ipynb",
        "least squares without the 1/2; logistic gradient of the wrong sign",
        {
            "least_squares_value": "return np.sum((A @ x - b) ** 2)",
            "logistic_gradient": """
                margins = b * (A @ x)
                return A.T @ (b * np.exp(-np.logaddexp(0, margins))) / len(b)
                """,
        },
        # Large margins need the gradient, too.
        scores={"least_squares": 2.0, "logistic_regression": 1.0},
        diagnoses={"least_squares": "value_missing_half", "logistic_regression": "gradient_wrong_sign"},
    ),
    Sample(
        "adrien.py",
        "least squares gradient without the 1/2; logistic value as a sum",
        {
            "least_squares_gradient": "return 2 * A.T @ (A @ x - b)",
            "logistic_value": "return np.sum(np.logaddexp(0, -b * (A @ x)))",
        },
        # The value is wrong for large margins, too.
        scores={"least_squares": 2.0, "logistic_regression": 1.0},
        diagnoses={"least_squares": "gradient_doubled", "logistic_regression": "value_sum_instead_of_mean"},
    ),
    Sample(
        "pafnuty.ipynb",
        "residuals of the wrong sign",
        {
            "least_squares_gradient": "return A.T @ (b - A @ x)",
            "linear_network_gradients": """
                h1 = W1 @ a
                h2 = W2 @ h1
                r = b - W3 @ h2
                return np.outer(W2.T @ W3.T @ r, a), np.outer(W3.T @ r, h1), np.outer(r, h2)
                """,
        },
        scores={"least_squares": 2.0, "linear_network": 0.0},
        diagnoses={"least_squares": "gradient_wrong_sign", "linear_network": "wrong_sign"},
    ),
    Sample(
        "andrey.py",
        "constants not squared; sigmoid of z in place of -z",
        {
            "least_squares_constants": """
                s = np.linalg.svd(A, compute_uv=False)
                return s[0], s[-1]
                """,
            "logistic_gradient": """
                margins = b * (A @ x)
                return -A.T @ (b * np.exp(-np.logaddexp(0, -margins))) / len(b)
                """,
        },
        scores={"least_squares": 2.0, "logistic_regression": 1.0},
        diagnoses={"least_squares": "constants_unsquared", "logistic_regression": "gradient_wrong_sigmoid_argument"},
    ),
    Sample(
        "camille.ipynb",
        "mu from A A^T; no transposes on the way back",
        {
            "least_squares_constants": """
                return np.linalg.eigvalsh(A.T @ A)[-1], np.linalg.eigvalsh(A @ A.T)[0]
                """,
            "linear_network_gradients": """
                h1 = W1 @ a
                h2 = W2 @ h1
                r = W3 @ h2 - b
                return np.outer(W2 @ (W3 @ r), a), np.outer(W3 @ r, h1), np.outer(r, h2)
                """,
        },
        # Without transposes an exception, unless all layers have the same width.
        scores={"least_squares": 2.0, "linear_network": 0.0},
        diagnoses={"least_squares": "strong_convexity_from_wrong_gram", "linear_network": "missing_transposes"},
    ),
    Sample(
        "hermann.py",
        "logistic value overflows; outer products in the wrong order",
        {
            "logistic_value": "return np.mean(np.log(1 + np.exp(-b * (A @ x))))",
            "linear_network_gradients": """
                h1 = W1 @ a
                h2 = W2 @ h1
                r = W3 @ h2 - b
                return np.outer(a, W2.T @ W3.T @ r), np.outer(h1, W3.T @ r), np.outer(h2, r)
                """,
        },
        scores={"logistic_regression": 2.0, "linear_network": 0.0},
        diagnoses={"logistic_regression": "value_overflow", "linear_network": "transposed_outer_products"},
    ),
]

BROKEN = [
    Sample(
        "rozsa.ipynb",
        "a syntax error in one cell",
        {"least_squares_gradient": "return A.T @ (A @ x - b"},
        scores={"least_squares": 2.0},
        mentions=("SyntaxError", "cell 6", "least_squares_gradient"),
    ),
    Sample(
        "benoit.py",
        "a function is missing",
        without=("linear_network_gradients",),
        scores={"linear_network": 0.0},
        mentions=("linear_network_gradients",),
    ),
    Sample(
        "kurt.ipynb",
        "an endless loop in a function",
        {
            "least_squares_value": """
                total, i = 0.0, 0
                while i < len(b):
                    total += 0.5 * (A[i] @ x - b[i]) ** 2
                return total
                """
        },
        scores={"least_squares": 2.0},
        mentions=("least_squares_value",),
    ),
    Sample(
        "georg.py",
        "30 GB of memory in a function",
        {
            "least_squares_constants": """
                everything = np.ones((61_000, 61_000))
                s = np.linalg.svd(A, compute_uv=False) * everything[0, 0]
                return s[0] ** 2, s[-1] ** 2
                """
        },
        scores={"least_squares": 2.0},
        mentions=("memory",),
    ),
    Sample(
        "daniel.py",
        "a function ends the process",
        {"logistic_gradient": "import os\nos._exit(0)"},
        scores={"logistic_regression": 1.0},
    ),
    Sample(
        "edward.ipynb",
        "a function asks a server on the network",
        {
            "logistic_value": """
                import urllib.request
                with urllib.request.urlopen("http://example.org/logistic", timeout=5) as answer:
                    return float(answer.read())
                """
        },
        scores={"logistic_regression": 1.0},
    ),
    Sample(
        "giuseppe.ipynb",
        "looks for the reference and for files outside",
        {
            "gradient_descent": """
                from reference.lecture02.gradient_descent import gradient_descent as answer
                return answer(gradient, x0, learning_rate, num_steps)
                """
        },
        cells={
            "least_squares_value": """
                from pathlib import Path
                found = []
                for folder in Path.cwd().resolve().parents:
                    found += folder.glob("assignments/*/checks.py")
                    found += folder.glob("*/*.sqlite*")
                for path in found:
                    print(path.read_text())
                print(Path("/etc/shadow").read_text())
                """
        },
        scores={"gradient_descent": 0.0},
    ),
]

REFUSED = [
    Refused(
        "hypatia.ipynb", "a notebook of which the end is missing", b'{\n "cells": [\n  {\n   "cell_ty', ("not JSON",)
    ),
    Refused("thales.py", "an empty file", b"", ("empty",)),
]

HELPERS = '''\
"""Helper functions of Sophie."""

import numpy as np


def residual(A, x, b):
    return A @ x - b


def log_one_plus_exp(z):
    return np.logaddexp(0.0, z)
'''

SOPHIE = Sample(
    "sophie/hw2.ipynb",
    "correct: a folder with a helper module beside the notebook",
    {
        "least_squares_value": "return 0.5 * np.sum(residual(A, x, b) ** 2)",
        "least_squares_gradient": "return A.T @ residual(A, x, b)",
        "logistic_value": "return np.mean(log_one_plus_exp(-b * (A @ x)))",
    },
    cells={"least_squares_value": "from helpers import log_one_plus_exp, residual"},
)
MARYAM = Sample("maryam.ipynb", "correct: a notebook in the old format 3")
LUOGENG = Sample("华罗庚.py", "correct: a plain script without cells, with a name and comments in Chinese")
PIERRE = Sample(
    "pierre.ipynb",
    "the handout as it was given out",
    scores=dict.fromkeys(FULL, 0.0),
    mentions=("NotImplementedError", "write your solution here"),
)

PLAIN_SCRIPT = """\
# 第二次作业
import numpy as np

# 最小二乘
def least_squares_value(A, b, x):
    r = A.dot(x) - b
    return r.dot(r) / 2

def least_squares_gradient(A, b, x):
    return A.T.dot(A.dot(x) - b)

def least_squares_constants(A):
    return np.linalg.norm(A, 2) ** 2, np.linalg.norm(A, -2) ** 2

# 梯度下降
def gradient_descent(gradient, x0, learning_rate, num_steps):
    xs = np.zeros((num_steps + 1, len(x0)))
    xs[0] = x0
    for k in range(num_steps):
        xs[k + 1] = xs[k] - learning_rate * gradient(xs[k])
    return xs

# 逻辑回归
def logistic_value(A, b, x):
    return np.logaddexp(0, -b * A.dot(x)).mean()

def logistic_gradient(A, b, x):
    z = b * A.dot(x)
    s = np.where(z > 0, np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))), 1 / (1 + np.exp(-np.abs(z))))
    return -A.T.dot(b * s) / b.size

# 三层线性网络
def linear_network_gradients(W1, W2, W3, a, b):
    h1 = W1.dot(a)
    h2 = W2.dot(h1)
    r = W3.dot(h2) - b
    return W2.T.dot(W3.T.dot(r))[:, None] * a, W3.T.dot(r)[:, None] * h1, r[:, None] * h2

if __name__ == "__main__":
    print(gradient_descent(lambda x: 2 * x, np.array([1.0, 2.0]), 0.1, 3))
"""


# --- writing it --------------------------------------------------------------------------------------------------


def make(folder: Path) -> None:
    """Write `submissions/` and `expected.toml` into `folder`; the same handout gives the same bytes."""
    submissions = folder / "submissions"
    shutil.rmtree(submissions, ignore_errors=True)
    submissions.mkdir(parents=True)
    text = solution(HANDOUT)
    for sample in [*CORRECT, *GRADIENT_DESCENT, *FORMULAS, *BROKEN]:
        script = sample.script(text)
        write(submissions / sample.name, notebook(script) if sample.name.endswith(".ipynb") else script)
    write(submissions / SOPHIE.name, notebook(SOPHIE.script(text)))
    write(submissions / "sophie" / "helpers.py", HELPERS)
    write(submissions / MARYAM.name, in_format_3(notebook(MARYAM.script(text))))
    write(submissions / LUOGENG.name, PLAIN_SCRIPT)
    notebook_path, script_path = release(HANDOUT, submissions, PIERRE.student)
    script_path.unlink()
    assert notebook_path.name == PIERRE.name
    for refused in REFUSED:
        (submissions / refused.name).write_bytes(refused.content)
    graded = [*CORRECT, SOPHIE, MARYAM, LUOGENG, PIERRE, *GRADIENT_DESCENT, *FORMULAS, *BROKEN]
    write(folder / "expected.toml", "\n".join(expected(graded)))


def write(path: Path, text: str) -> None:
    """Write a text file, the same on every system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def in_format_3(content: str) -> str:
    """A notebook of format 4 as one of format 3, that of 2013."""
    old = nbformat.v4.downgrade(nbformat.reads(content, as_version=4))
    return json.dumps(old, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def expected(graded: Iterable[Sample]) -> Iterable[str]:
    """The lines of expected.toml."""
    yield "# What the grader should make of each sample. Written by make.py. The proofs always wait for the marker."
    for sample in graded:
        student = Path(sample.name).parts[0] if "/" in sample.name else sample.student
        yield from ("", f"[{quoted(student)}]")
        yield f"file = {quoted(Path(sample.name).name)}"
        yield f"note = {quoted(sample.note)}"
        yield 'status = "graded"'
        scores = {**FULL, **sample.scores}
        yield "scores = { " + ", ".join(f"{question} = {points}" for question, points in scores.items()) + " }"
        yield "diagnoses = { " + ", ".join(f"{q} = {quoted(name)}" for q, name in sample.diagnoses.items()) + " }"
        yield f"mentions = [{', '.join(map(quoted, sample.mentions))}]"
    for refused in REFUSED:
        yield from ("", f"[{quoted(refused.student)}]")
        yield f"file = {quoted(refused.name)}"
        yield f"note = {quoted(refused.note)}"
        yield 'status = "refused"'
        yield f"mentions = [{', '.join(map(quoted, refused.mentions))}]"
    yield ""


def quoted(text: str) -> str:
    """A TOML string."""
    return json.dumps(text, ensure_ascii=False)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
