"""Magics and shell escapes become plain calls of get_ipython(); all other code stays as it is."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from grader.submission.ipython_syntax import Translator


def translate(source: str) -> str | None:
    return Translator().translate(source)


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("%matplotlib inline\nx = 1", "get_ipython().run_line_magic('matplotlib', 'inline')\nx = 1"),
        ("!pip install x", "get_ipython().system('pip install x')"),
        ("files = !ls", "files = get_ipython().getoutput('ls')"),
        ("t = %timeit -o f()", "t = get_ipython().run_line_magic('timeit', '-o f()')"),
        ("np.dot?", "get_ipython().run_line_magic('pinfo', 'np.dot')"),
        ("%%bash\nls\n", "get_ipython().run_cell_magic('bash', '', 'ls\\n')\n"),
        (">>> x = 1\n>>> y = 2", "x = 1\ny = 2"),
        ("In [1]: x = 1", "x = 1"),
        ("    x = 1\n    y = 2", "x = 1\ny = 2"),
    ],
)
def test_what_ipython_understands_is_translated(source, plain):
    assert translate(source) == plain


@pytest.mark.parametrize(
    "source",
    [
        "x = 5 % 3 != 1",
        'print("""\n% of all\n!\nwhat?\n""")',
        "x = [\n    1,\n    2,\n]\n\n\ndef f():\n    return x\n",
        "x = (1 +",
        "def f(:\n    pass",
        "'''never closed",
        "x = 1\0",
        "\n\n",
    ],
)
def test_python_stays_as_it_is_right_or_wrong(source):
    assert translate(source) == source


def test_lines_keep_their_numbers():
    assert translate("\n\n  \n%matplotlib inline\nx = 1\n").split("\n")[4] == "x = 1"


def test_a_cell_magic_that_only_measures_leaves_its_cell():
    assert translate("%%time\ndef f():\n    return 1") == "\ndef f():\n    return 1"
    assert translate("%%time") == ""
    assert translate("\n%%capture out\n%%time\n!ls") == "\n\n\nget_ipython().system('ls')"


@pytest.mark.parametrize("source", ["x =%\\", "\t,\n ]"])
def test_a_cell_that_ipython_fails_on_stays_as_it_is(source):
    with pytest.raises((IndexError, IndentationError)):
        TransformerManager().transform_cell(source)
    assert translate(source) == source


def test_a_submission_that_would_take_long_is_left_and_noted(read_cells):
    slow = "x = [1, 2, 3]\n" * 5000 + "!ls\n" * 100
    start = time.process_time()
    program = read_cells([("code", "!ls"), ("code", slow)])
    assert time.process_time() - start < 1
    assert program.blocks[0].source == "get_ipython().system('ls')"
    assert program.blocks[1].source == slow
    (remark,) = program.remarks
    assert "cell 2" in remark


def without_spaces_on_blank_lines(source: str) -> str:
    return re.sub(r"^[ \t]+$", "", source, flags=re.MULTILINE).strip("\n")


@settings(deadline=None)
@given(st.lists(st.text(alphabet="a1 ?%!=,;/.>()[]'#\\@:\t", max_size=12), max_size=5).map("\n".join))
@example("a = b?c\n  !x")
@example("a; %x")
@example("if a: !ls")
def test_what_is_passed_by_is_what_ipython_leaves_alone(source):
    if translate(source) == source and source.strip():
        try:
            theirs = TransformerManager().transform_cell(source)
        except Exception:
            return
        assert without_spaces_on_blank_lines(theirs) == without_spaces_on_blank_lines(source)
