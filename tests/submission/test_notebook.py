"""Notebooks become programs: code cells in order, numbered as the student counts; nothing is too broken to try."""

from __future__ import annotations

import json
import time

import nbformat
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from grader.submission.program import Block, Program, RefusedError

# Text without anything that IPython would translate: lines that begin with a letter and end with one.
plain_line = st.from_regex(r"[a-z]([a-z0-9 =+*().#\"':äλ😀]*[a-z])?", fullmatch=True)
plain_text = st.lists(plain_line, min_size=1).map("\n".join)


def test_code_cells_are_blocks_numbered_among_all_cells(read_cells):
    program = read_cells([("markdown", "# Homework"), ("code", "x = 1"), ("raw", "raw"), ("code", "y = 2")])
    assert program.blocks == (Block("cell 2", "x = 1"), Block("cell 4", "y = 2"))
    assert program.remarks == ()


def test_empty_code_cells_count_but_are_no_blocks(read_cells):
    program = read_cells([("code", ""), ("code", " \n\n"), ("code", "x = 1")])
    assert program.blocks == (Block("cell 3", "x = 1"),)


def test_files_beside_the_notebook_come_along(notebook):
    from grader.submission.parsing import parse
    from grader.submission.program import Submission

    files = {"helpers.py": b"x = 1"}
    program = parse(Submission("ada", "ada.ipynb", notebook([("code", "import helpers")]), files=files))
    assert program.files == files


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["code", "markdown", "raw"]), plain_text), max_size=8))
def test_any_list_of_cells_survives_the_round_trip_through_a_notebook(read, cells):
    make = {
        "code": nbformat.v4.new_code_cell,
        "markdown": nbformat.v4.new_markdown_cell,
        "raw": nbformat.v4.new_raw_cell,
    }
    notebook = nbformat.v4.new_notebook(cells=[make[kind](text) for kind, text in cells])
    program = read("ada.ipynb", nbformat.writes(notebook).encode())
    assert [(block.label, block.source) for block in program.blocks] == [
        (f"cell {number}", text) for number, (kind, text) in enumerate(cells, 1) if kind == "code"
    ]


def test_format_3_is_read_too(read):
    new = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# Title"),
            nbformat.v4.new_code_cell("x = 1\ny = 2"),
            nbformat.v4.new_markdown_cell("<!-- answer: proofs -->\nBecause."),
        ]
    )
    old = nbformat.v4.downgrade(new)
    assert old.nbformat == 3
    program = read("old.ipynb", json.dumps(old).encode())
    assert program.blocks == (Block("cell 2", "x = 1\ny = 2"),)
    assert program.written == {"proofs": "Because."}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_with_a_byte_order_mark_and_without(read, encoding):
    content = '{"cells": [{"cell_type": "code", "source": "x = \'ä\'"}]}'.encode(encoding)
    assert read("ada.ipynb", content).blocks == (Block("cell 1", "x = 'ä'"),)


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_between_the_lines_of_the_file_do_not_matter(read, end):
    content = json.dumps({"cells": [{"cell_type": "code", "source": "x = 1"}]}, indent=1).replace("\n", end)
    assert read("ada.ipynb", content.encode()).blocks == (Block("cell 1", "x = 1"),)


def test_extra_fields_missing_metadata_and_unknown_versions_do_not_matter(read):
    cells = [{"cell_type": "code", "source": ["x = 1\n", "y = 2"], "outputs": "?", "surprise": [None]}]
    content = json.dumps({"cells": cells, "nbformat": "four", "nbformat_minor": 10**400})
    assert read("ada.ipynb", content.encode()).blocks == (Block("cell 1", "x = 1\ny = 2"),)


def test_a_cell_that_cannot_be_read_is_a_remark_and_the_others_are_graded(read):
    cells = [
        {"cell_type": "diagram", "source": "x = 0"},
        {"cell_type": "code", "source": 7},
        "no cell at all",
        {"source": "x = 0"},
        {"cell_type": "code", "source": "x = 1"},
    ]
    program = read("ada.ipynb", json.dumps({"cells": cells}).encode())
    assert program.blocks == (Block("cell 5", "x = 1"),)
    assert program.remarks == (
        'Cell 1 was left out: its type is "diagram", not code or markdown.',
        "Cell 2 was left out: it has no text.",
        "Cell 3 was left out: it is not a cell.",
        "Cell 4 was left out: its type is missing, not code or markdown.",
    )


def test_a_thousand_bad_cells_are_not_a_thousand_remarks(read):
    program = read("ada.ipynb", json.dumps({"cells": [{}] * 1000}).encode())
    assert len(program.remarks) == 11
    assert program.remarks[-1] == "990 more cells were left out."


def test_windows_line_ends_and_half_characters_are_mended(read):
    content = b'{"cells": [{"cell_type": "code", "source": "a = 1\\r\\nb = \\"\\ud800\\"\\rc = 3"}]}'
    (block,) = read("ada.ipynb", content).blocks
    assert block.source == 'a = 1\nb = "\ufffd"\nc = 3'
    assert block.source.encode()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b" \n\t", "is empty"),
        (b"import numpy as np\n", "it is not JSON from line 1, column 1 on"),
        (b'{\n "cells": [\n', "it is not JSON from line 3"),
        (b"[" * 200_000, "its JSON is nested too deeply"),
        (b'{"cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "its JSON is nested too deeply"),
        (b'{"cells": [{"cell_type": "code", "source": "\xff"}]}', "it is neither UTF-8 nor UTF-16 text"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "its JSON is nested too deeply"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "it is neither UTF-8 nor UTF-16 text"),
        (b"[1, 2]", "no list of cells"),
        (b'{"cells": {"1": 2}}', "no list of cells"),
        (b"1" * 5000, "no list of cells"),
        (b'{"cells": [' + b"{}," * 9999 + b"{}]}", "has 10000 cells"),
    ],
)
def test_what_is_no_notebook_is_refused_with_a_sentence(read, content, reason):
    if reason == "has 10000 cells":
        content = content.replace(b"{}", b'{"cell_type": "code", "source": ""}')
    with pytest.raises(RefusedError, match=r"^hw2\.ipynb ") as refusal:
        read("hw2.ipynb", content)
    assert reason in str(refusal.value)
    assert str(refusal.value).endswith(".")


def test_two_megabytes_of_code_are_refused_and_of_markdown_are_not(read_cells):
    assert read_cells([("markdown", "x" * 2_100_000), ("code", "x = 1")]).blocks
    with pytest.raises(RefusedError, match=r"2\.1 million characters of code"):
        read_cells([("code", "x = 1\n" * 350_000)])


def test_a_cell_with_nul_characters_is_handed_on_as_it_is(read_cells):
    assert read_cells([("code", "x = 1\0")]).blocks == (Block("cell 1", "x = 1\0"),)


def test_other_suffixes_are_refused(read):
    with pytest.raises(RefusedError, match="neither a notebook"):
        read("hw2.docx", b"x = 1")
    assert read("HW2.IPYNB", b'{"cells": []}') == Program(())


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["cells", "cell_type", "source", "worksheets", "input", "metadata"]) | st.text(max_size=3),
            inner | st.sampled_from(["code", "markdown"]),
            max_size=4,
        )
    ),
    max_leaves=30,
)


@settings(deadline=None)
@given(st.sampled_from(["a.ipynb", "a.py"]), st.binary() | json_like.map(lambda value: json.dumps(value).encode()))
@example("a.ipynb", b'{"cells": [{"cell_type": "code", "source": "\\ud800 %x"}]}')
@example("a.ipynb", b'{"cells": [{"cell_type": {"a": 1}, "source": "x"}]}')
@example("a.ipynb", b'{"worksheets": [{"cells": [{"cell_type": [], "input": []}]}, 3]}')
@example("a.ipynb", b"1" * 10_000)
@example("a.ipynb", b"1e" + b"9" * 10_000)
@example("a.py", b"# coding: rot13\nx")
@example("a.py", b"\xff\xfe\x00")
@example("a.py", b'# %% [markdown]\n"""')
def test_any_bytes_become_a_program_or_are_refused(read, name, content):
    try:
        program = read(name, content)
    except RefusedError as refusal:
        texts = [str(refusal)]
    else:
        texts = [block.source for block in program.blocks] + list(program.written.values()) + list(program.remarks)
    for text in texts:
        text.encode()  # no lone surrogates, which no database and no page could hold


def test_a_notebook_of_twenty_cells_is_read_in_a_few_milliseconds(read_cells, notebook, read):
    cell = "def f(x):\n" + "    x = x % 7 != 3 and x[0] / 2\n" * 30 + "    return x\n"
    content = notebook([("code", "%matplotlib inline\nimport numpy as np")] + [("code", cell)] * 20)
    read("ada.ipynb", content)
    times = []
    for _ in range(10):
        start = time.process_time()
        read("ada.ipynb", content)
        times.append(time.process_time() - start)
    assert min(times) < 0.010
