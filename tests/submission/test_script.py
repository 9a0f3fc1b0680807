"""Scripts: plain ones are one block, those in percent format are read like notebooks."""

from __future__ import annotations

import codecs
import contextlib
import tracemalloc

import jupytext
import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.submission.program import Block, RefusedError


def test_a_plain_script_is_one_block(read):
    source = "import numpy as np\n\n# 100 %% sure\nx = 1\n"
    assert read("ada.py", source.encode()).blocks == (Block("the script", source),)


@pytest.mark.parametrize(
    "content",
    [
        "x = 'ä'".encode(),
        codecs.BOM_UTF8 + "x = 'ä'".encode(),
        "x = 'ä'".encode("utf-16"),
        codecs.BOM_UTF16_BE + "x = 'ä'".encode("utf-16-be"),
        "x = 'ä'".encode("utf-16-le"),
        "x = 'ä'".encode("utf-16-be"),
    ],
    ids=["utf-8", "utf-8 with mark", "utf-16", "utf-16 big-endian", "utf-16 no mark", "utf-16 big-endian no mark"],
)
def test_encodings_with_a_byte_order_mark_and_without(read, content):
    assert read("ada.py", content).blocks == (Block("the script", "x = 'ä'"),)


@pytest.mark.parametrize("first", ["# -*- coding: gbk -*-\n", "#!/usr/bin/python\n# vim: set fileencoding=gbk :\n"])
def test_a_declared_encoding_is_followed(read, first):
    source = first + "# 最小二乘\n"
    assert read("ada.py", source.encode("gbk")).blocks == (Block("the script", source),)


def test_a_declaration_below_the_second_line_is_none(read):
    source = "x = 1\n\n# coding: gbk ä\n"
    assert read("ada.py", source.encode()).blocks == (Block("the script", source),)


def test_line_ends_of_windows_and_old_macs(read):
    assert read("ada.py", b"x = 1\r\ny = 2\rz = 3\n").blocks == (Block("the script", "x = 1\ny = 2\nz = 3\n"),)


@pytest.mark.parametrize("source", ["def f():\n\tx = 1\n        return x\n", "\x0c\nx = 1\x0c\n", "x = 1\0", "\x1ax"])
def test_tabs_form_feeds_and_control_characters_are_handed_on_as_they_are(read, source):
    assert read("ada.py", source.encode()).blocks == (Block("the script", source),)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (codecs.BOM_UTF16_LE, "is empty"),
        (b"x = 1\n# \xe4\n", "not text in the encoding utf-8 (line 2)"),
        ("x = 1".encode("utf-16-le")[:-1], "not text in the encoding utf-16-le"),
        (b"# coding: klingon\n", 'declares the encoding "klingon"'),
        (b"# coding: rot13\n", 'declares the encoding "rot13"'),
        (b"# coding: utf-16\n", 'declares the encoding "utf-16"'),
        (b"# coding: punycode\n", 'declares the encoding "punycode"'),
        (b"# coding: ascii\n# \xe4", "not text in the encoding ascii (line 2)"),
        (b"x = 1\n" * 400_000, "2.4 million characters of code"),
    ],
)
def test_what_is_no_text_is_refused_with_a_sentence(read, content, reason):
    with pytest.raises(RefusedError) as refusal:
        read("hw2.py", content)
    assert reason in str(refusal.value)


PERCENT = '''\
# ---
# jupyter:
#   kernelspec:
#     name: python3
# ---

# %% [markdown]
# # Title
#
# $x$

# %%
%matplotlib inline
import numpy as np


# %% A title  tags=["remove"]
def f():
    return 1

#%%[markdown]
"""
<!-- answer: proofs -->
Because.
"""

# %%
y = 2
'''


def test_percent_format_is_read_like_a_notebook(read):
    program = read("ada.py", PERCENT.encode())
    assert program.blocks == (
        Block("cell 2", "get_ipython().run_line_magic('matplotlib', 'inline')\nimport numpy as np"),
        Block("cell 3", "def f():\n    return 1"),
        Block("cell 5", "y = 2"),
    )
    assert program.written == {"proofs": "Because."}


def test_code_before_the_first_marker_is_a_cell(read):
    program = read("ada.py", b"#!/usr/bin/env python\nimport numpy as np\n# %%\nx = 1\n")
    assert [block.label for block in program.blocks] == ["cell 1", "cell 2"]


def test_a_first_line_without_code_is_none(read):
    program = read("ada.py", b"#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n\n# %%\nx = 1\n")
    assert program.blocks == (Block("cell 1", "x = 1"),)


def test_a_cell_magic_in_a_comment_is_no_marker(read):
    assert read("ada.py", b"# %%time\nx = 1\n").blocks == (Block("the script", "# %%time\nx = 1\n"),)


# jupytext comments out what could be a magic or a shell command (such as `mv`); that is its business, not ours.
code = st.lists(st.from_regex(r"v[0-9] = [a-z0-9 =+*().]*[a-z)]", fullmatch=True), min_size=1, max_size=4)
prose = st.lists(
    st.from_regex(r"[A-Za-zä$\\^#*-][A-Za-z0-9ä $\\^#*.-]*[a-z$.]|", fullmatch=True), min_size=1, max_size=4
)
cell = st.tuples(st.just("code"), code.map("\n".join)) | st.tuples(
    st.just("markdown"), prose.map("\n".join).filter(str.strip).map(str.strip)
)


@settings(deadline=None)
@given(st.lists(cell, min_size=1, max_size=5))
def test_what_jupytext_writes_is_read_as_jupytext_reads_it(read, cells):
    make = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
    script = jupytext.writes(
        nbformat.v4.new_notebook(cells=[make[kind](text) for kind, text in cells]), fmt="py:percent"
    )
    theirs = jupytext.reads(script, fmt="py:percent").cells
    ours = read("ada.py", script.encode())
    assert [(block.label, block.source) for block in ours.blocks] == [
        (f"cell {number}", cell.source) for number, cell in enumerate(theirs, 1) if cell.cell_type == "code"
    ]


@pytest.mark.parametrize(
    "script",
    [
        # With a time that grows with the square of the length none of them comes to an end.
        pytest.param("# %% coding:\n\n\n#" + "coding:" * 280_000, id="a comment of declarations, without an end"),
        pytest.param("\n\n" + "#coding:" * 240_000 + "\n# %%\nx = 1", id="declarations in declarations"),
        pytest.param("\n" * 5_000_000 + "# %%\nx = 1", id="blank lines"),
        pytest.param("# ---\n" + "#\n" * 900_000 + "# %%\nx = 1", id="a header that does not end"),
        pytest.param("# %% [markdown]\n +   " * 300_000, id="quotes in a text"),
        pytest.param("# %%\n" + " " * 1_900_000 + "x = 1", id="a far indented line"),
    ],
)
def test_a_monstrous_script_is_read_all_the_same(read, script):
    assert len(read("ada.py", script.encode()).blocks) <= 2


@pytest.mark.parametrize("label", ["9", "a"])
def test_an_encoding_that_is_no_charset_is_refused(read, label):
    # It decodes names of hosts, and needs time that grows with the square of their length.
    with pytest.raises(RefusedError, match='declares the encoding "idna", which Python source cannot have'):
        read("ada.py", b"# coding: idna\nx = 1\n#.xn--" + label.encode() * 10_000_000)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("# ---\n" + "#\n" * 1_000_000 + "# ---\n# %%\nx = 1", id="header"),
        pytest.param("\n" * 2_000_000 + "# %%\nx = 1", id="blank lines"),
        pytest.param("# %%\n" + "\n" * 1_900_000 + "x = 1", id="blank lines in a cell"),
        pytest.param("# %%\n" * 400_000, id="cells"),
    ],
)
def test_reading_a_script_takes_memory_of_its_own_size(read, script):
    tracemalloc.start()
    try:
        with contextlib.suppress(RefusedError):
            read("ada.py", script.encode())
        assert tracemalloc.get_traced_memory()[1] < 30 * len(script)
    finally:
        tracemalloc.stop()
