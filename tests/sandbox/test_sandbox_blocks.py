"""How blocks are executed: in order, in one module, and what is healthy in a broken one is read."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from grader.sandbox.recording import BlockReport, Call, Limits, Oracle, Outcome, Run
from grader.sandbox.warm import WarmSandbox
from grader.submission.program import Block, Program

Execute = Callable[..., Run]


def only(run: Run) -> BlockReport:
    (report,) = run.blocks
    return report


def test_blocks_share_one_module_called_main(execute: Execute) -> None:
    run = execute(
        "import sys\nx = 1",
        "y = x + 1",
        "if __name__ == '__main__':\n    z = y + 1\ndef f():\n    return z, sys.modules[f.__module__].x",
        call=["f"],
    )
    assert run.recordings["f"].value == (np.array(3), np.array(1))
    assert run.blocks == ()


def test_after_an_exception_the_definitions_and_the_later_blocks_are_read(execute: Execute) -> None:
    run = execute(
        "x = 1\n1 / 0\ny = 2\nimport math\nclass A:\n    v = 3\ndef f():\n    return x, y, A.v, math.pi\nz = x + 1",
        "def g():\n    return 'z' in globals()",
        call=["f", "g"],
    )
    assert run.recordings["f"].value == (np.array(1), np.array(2), np.array(3), np.array(np.pi))
    assert run.recordings["g"].value == np.array(False)
    error = only(run).error
    assert error is not None
    assert (error.type, error.message, error.block, error.line, error.source_line) == (
        *("ZeroDivisionError", "division by zero"),
        *("cell 1", 2, "1 / 0"),
    )


def test_an_exception_in_a_function_of_an_earlier_block_names_that_block(execute: Execute) -> None:
    error = only(execute("def f():\n    return undefined", "f()")).error
    assert error is not None
    assert (error.block, error.line, error.source_line) == ("cell 1", 2, "return undefined")


def test_a_syntax_error_is_reported_and_the_healthy_rest_is_read(execute: Execute) -> None:
    source = '''import math
RATE = 0.5

def broken(x:
    return x

@staticmethod
def f():
    """Text
with a line in column 0.
    """
    return RATE * g()

def g():
    if True:
        return 2
    else:
        return 3
print("not executed")
'''
    run = execute(source, "def h():\n    return f()", call=["f", "h", "broken"])
    assert run.recordings["h"].value == np.array(1.0)
    assert run.recordings["broken"].outcome is Outcome.MISSING
    report = only(run)
    assert report.printed == ""
    assert report.error is not None
    assert (report.error.type, report.error.line) == ("SyntaxError", 4)
    assert report.error.source_line == "def broken(x:"


@pytest.mark.parametrize("source", ["x = 'a\0b'", "(" * 5000, "return 3", "x = '\ud800'", "\tx = 1", "é = = 2"])
def test_a_text_that_is_no_python_is_a_syntax_error(execute: Execute, source: str) -> None:
    run = execute(source, "def f():\n    return 1", call=["f"])
    assert run.recordings["f"].value == np.array(1)
    error = only(run).error
    assert error is not None
    assert error.type in ("SyntaxError", "IndentationError")


def test_future_imports_hold_for_later_blocks_and_ours_do_not(execute: Execute) -> None:
    run = execute("def f(x: int): pass\ndef g():\n    return f.__annotations__['x'] is int", call=["g"])
    assert run.recordings["g"].value == np.array(True)
    run = execute(
        "from __future__ import annotations",
        "def f(x: Undefined): pass\ndef g():\n    return f.__annotations__['x'] == 'Undefined'",
        call=["g"],
    )
    assert run.recordings["g"].value == np.array(True)


@pytest.mark.parametrize(
    "source",
    [
        "get_ipython().run_line_magic('matplotlib', 'inline')",
        "get_ipython().run_line_magic('load_ext', 'autoreload')",
        "get_ipython().run_cell_magic('html', '', '<b>x</b>')",
        "from IPython.display import display, HTML, clear_output\ndisplay(HTML('<script>'))\nclear_output(wait=True)",
        "from IPython import get_ipython\nget_ipython().ast_node_interactivity = 'all'",
        "import IPython\nIPython.display.Image('x.png')",
        "display(1, 2)",
        "help",
    ],
)
def test_what_only_affects_the_display_does_nothing(execute: Execute, source: str) -> None:
    run = execute(source, "def f():\n    return 1", call=["f"])
    assert run.blocks == ()
    assert run.recordings["f"].value == np.array(1)


@pytest.mark.parametrize(("magic", "line"), [("time", ""), ("timeit", "-n 10"), ("capture", "out")])
def test_the_body_of_a_timed_or_captured_cell_is_executed(execute: Execute, magic: str, line: str) -> None:
    run = execute(
        f"get_ipython().run_cell_magic({magic!r}, {line!r}, 'x = 3\\ndef f():\\n    return x + undefined\\n')",
        call=["f"],
    )
    error = run.recordings["f"].error
    assert error is not None
    # As the student sees the cell: the magic is line 1.
    assert (error.block, error.line, error.source_line) == ("cell 1", 4, "return x + undefined")


def test_a_timed_line_gives_its_value(execute: Execute) -> None:
    run = execute(
        "x = get_ipython().run_line_magic('time', 'sum([1, 2])')",
        "get_ipython().run_line_magic('timeit', '-n 3 -r 1 y = 5')",
        "def f():\n    return x, y",
        call=["f"],
    )
    assert run.recordings["f"].value == (np.array(3), np.array(5))


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("get_ipython().system('pip install torch')", "`!pip install torch`"),
        ("files = get_ipython().getoutput('ls')\nassert files == []", "`!ls`"),
        ("get_ipython().run_line_magic('pip', 'install x')", "`%pip install x`"),
        ("get_ipython().run_cell_magic('bash', '', 'rm -rf /')", "`%%bash`"),
    ],
)
def test_commands_of_the_shell_are_not_executed_and_a_remark_says_so(execute: Execute, source: str, shown: str) -> None:
    report = only(execute(source))
    assert report.error is None
    assert report.remark == f"{shown} was not executed: only Python code is run here."


def test_a_written_file_can_be_imported(execute: Execute) -> None:
    run = execute(
        "get_ipython().run_cell_magic('writefile', 'helper.py', 'A = 4\\n')",
        "import helper\ndef f():\n    return helper.A",
        call=["f"],
    )
    assert run.recordings["f"].value == np.array(4)


@pytest.mark.skipif(not find_spec("matplotlib"), reason="matplotlib is not installed")
def test_plots_are_drawn_into_nothing(execute: Execute) -> None:
    run = execute(
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.title('$x^2$')\nplt.show()\nplt.savefig('a.png')"
    )
    assert run.blocks == ()


HONEST = """
from __future__ import annotations
import argparse, dataclasses, functools, inspect, logging, pathlib, pickle, threading, traceback, typing, warnings

@dataclasses.dataclass
class State:
    x: float
    history: list = dataclasses.field(default_factory=list)

@functools.lru_cache
def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

counter = 0
def count():
    global counter
    counter += 1
    return counter

def steps(n):
    yield from range(n)

warnings.warn("harmless")
logging.warning("also harmless")
try:
    1 / 0
except ZeroDivisionError:
    traceback.print_exc()
args = argparse.ArgumentParser().parse_args()
thread = threading.Thread(target=count)
thread.start()
thread.join()
home = pathlib.Path(__file__).parent
(home / "data.bin").write_bytes(pickle.dumps(State(1.0)))

def f():
    state = pickle.loads((home / "data.bin").read_bytes())
    assert "yield from" in inspect.getsource(steps)
    return state.x, fibonacci(30), count(), sum(steps(4))
"""


def test_honest_code_that_looks_odd_passes(execute: Execute) -> None:
    run = execute(HONEST, call=["f"])
    assert run.recordings["f"].error is None
    assert run.recordings["f"].value == (np.array(1.0), np.array(832040), np.array(2), np.array(6))
    report = only(run)
    assert report.error is None
    for text in ("UserWarning: harmless", "WARNING:root:also harmless", "1 / 0", "ZeroDivisionError"):
        assert text in report.printed


@pytest.mark.parametrize(
    "stream",
    [
        "io.TextIOWrapper(sys.stdout.buffer, encoding='utf-8')",
        "io.TextIOWrapper(sys.stdout.detach(), encoding='utf-8')",
        "codecs.getwriter('utf-8')(sys.stdout.detach())",
    ],
)
def test_what_is_printed_to_a_stream_of_the_programs_own_is_kept(execute: Execute, stream: str) -> None:
    first = f"import codecs, io, sys\nsys.stdout = {stream}\nprint('∇f')"
    run = execute(first, "print('x')", "def f():\n    print('∇g')\n    return 1", call=["f"])
    assert [(report.printed, report.error) for report in run.blocks] == [("∇f\n", None), ("x\n", None)]
    assert (run.recordings["f"].outcome, run.recordings["f"].printed) == (Outcome.RETURNED, "∇g\n")


def test_output_and_errors_are_two_streams_in_one_order(execute: Execute) -> None:
    source = "import sys\nprint(1)\nprint(2, file=sys.stderr)\nprint(3)\nsys.stdout.detach()\nprint(4, file=sys.stderr)"
    run = execute(source)
    assert [(report.printed, report.error) for report in run.blocks] == [("1\n2\n3\n4\n", None)]


def test_the_limit_of_printed_text_holds_after_a_stream_was_taken_apart(execute: Execute, limits: Limits) -> None:
    source = "import sys\nkept = sys.stdout.detach()\ndef f():\n    print('x' * 5000)\n    return 1"
    run = execute(source, call=["f"], limits=replace(limits, output_kb=1))
    assert run.recordings["f"].printed == "x" * 1024 + "\n... (3977 more bytes were cut)"


def test_printed_text_is_kept_with_its_block(execute: Execute) -> None:
    run = execute("print('one')", "x = 1", "import sys\nprint('two', file=sys.stderr)\nsys.stdout.close()", "print(4)")
    assert [(report.label, report.printed) for report in run.blocks] == [
        ("cell 1", "one\n"),
        ("cell 3", "two\n"),
        ("cell 4", "4\n"),
    ]


def test_text_that_cannot_be_stored_is_made_plain(execute: Execute) -> None:
    report = only(execute("print('a\\0b\\ud800c')\nraise ValueError('x\\0\\udfff')"))
    assert report.printed == "a\N{REPLACEMENT CHARACTER}b?c\n"
    assert report.error is not None
    assert report.error.message == "x\N{REPLACEMENT CHARACTER}?"


def test_an_exception_that_cannot_be_printed(execute: Execute) -> None:
    report = only(execute("class E(Exception):\n    def __str__(self): raise E\nraise E"))
    assert report.error is not None
    assert (report.error.type, report.error.message, report.error.line) == ("E", "", 3)


def test_deep_recursion_is_an_error_like_others(execute: Execute) -> None:
    run = execute("def f():\n    return f()", call=["f"])
    assert run.recordings["f"].outcome is Outcome.RAISED
    assert run.recordings["f"].error is not None
    assert run.recordings["f"].error.type == "RecursionError"


def test_an_empty_program_and_no_calls(execute: Execute) -> None:
    assert execute().blocks == ()
    assert execute("", "  # nothing\n", call=["f"]).recordings["f"].outcome is Outcome.MISSING


@pytest.mark.parametrize("tampered", [False, True], ids=["honest", "only the grader counts"])
def test_of_what_is_printed_four_times_the_limit_is_kept_of_all_together(
    execute: Execute, limits: Limits, tampered: bool
) -> None:
    patch = "import grader.guest.printed as p\np.Printed.take = lambda self: 'x' * 900 + '\\n... (' + 'y' * 9000"
    cells = [f"print('x' * 900)\ndef f{number}():\n    print('x' * 900)" for number in range(6)]
    names = [f"f{number}" for number in range(6)]
    run = execute(patch if tampered else "pass", *cells, call=names, limits=replace(limits, output_kb=1))
    texts = [report.printed for report in run.blocks] + [run.recordings[name].printed for name in names]
    assert sum(text.count("x") for text in texts) <= 4 * 1024 + 200 * len(texts)
    assert sum(map(len, texts)) <= 4 * 1024 + 300 * len(texts)
    if not tampered:
        assert texts[:4] == ["x" * 900 + "\n"] * 4
        assert texts[-1] == "x" * 16 + "\n... (885 more bytes were cut)"


def test_a_block_that_is_executed_again_is_told_of_as_the_first_time(sandbox: WarmSandbox, limits: Limits) -> None:
    """Once calls were made, what a block does may tell what they were given, also by how it ends."""
    source = f"""
import os, time
if time.monotonic() > {time.monotonic() + 6}:
    print("later")
    os._exit(7)
print("first")
def g():
    return 1
def f(value):
    value(0.0)
    raise MemoryError
"""

    def wait_until_later(x: np.ndarray) -> float:
        time.sleep(7)
        return 0.0

    calls = [Call("g", "g", {}), Call("f", "f", {"value": Oracle(wait_until_later, ())})]
    run = sandbox.run(Program((Block("cell 1", source),)), calls, limits)
    assert run.recordings["g"].value == np.array(1)
    assert run.blocks == (BlockReport("cell 1", printed="first\n"),)
