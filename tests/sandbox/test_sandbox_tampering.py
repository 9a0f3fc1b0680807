"""Code that tampers with numpy, Python or the channel gains nothing, and harms only its own call."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from grader.sandbox.recording import Oracle, Outcome, Recording, Run

CallOnce = Callable[..., Recording]
Execute = Callable[..., Run]

PATCHES = {
    "numpy functions": """
import numpy as np
lie = lambda *a, **k: LIE
LIE = np.full(3, 42.0)
for name in ("array", "asarray", "stack", "ascontiguousarray", "frombuffer", "allclose", "array_equal", "dtype"):
    setattr(np, name, lie)
""",
    "ndarray": "import numpy as np\nclass Liar(np.ndarray): pass\nnp.ndarray = Liar",
    "builtins": """
import builtins
for name in ("isinstance", "issubclass", "callable", "len", "all", "sum", "compile", "exec", "open", "print"):
    setattr(builtins, name, lambda *a, **k: True)
""",
    "json and struct": "import json, struct\njson.dumps = lambda *a, **k: '{}'\nstruct.pack = lambda *a: b''",
    "os": "import os\nos.fork = lambda: 0\nos._exit = os.wait4 = os.kill = os.write = lambda *a: None",
    "the guest": """
import grader.guest.encoding as e, grader.guest.performing as p, sys
e.MAX_PARTS = 10 ** 9
sys.modules["grader.guest.encoding"].encode_value = lambda *_: ([], None)
""",
}


@pytest.mark.parametrize("patch", PATCHES.values(), ids=PATCHES.keys())
def test_patches_do_not_change_what_comes_back(execute: Execute, patch: str, healthy: Callable[[], bool]) -> None:
    run = execute(f"{patch}\ndef f():\n    return 0.5", call=["f"])
    recording = run.recordings["f"]
    # The number itself, or nothing: never another number, and never a fault of ours.
    if recording.outcome is Outcome.RETURNED:
        assert recording.value == np.array(0.5)
    else:
        assert recording.outcome in (Outcome.REFUSED, Outcome.DIED, Outcome.RAISED)
    assert healthy()


def test_honest_code_after_a_patch_of_numpy_keeps_its_result(call: CallOnce) -> None:
    source = PATCHES["numpy functions"] + "def f(x):\n    return x * 2"
    assert np.array_equal(np.asarray(call(source, x=np.ones(3)).value), np.full(3, 2.0))


def test_a_liar_array_does_not_cross(call: CallOnce) -> None:
    source = """
import numpy as np
class Liar(np.ndarray):
    def __eq__(self, other): return True
    def tobytes(self, *a): return np.full(3, 42.0).tobytes()
    __array_ufunc__ = lambda self, *a, **k: True
def f():
    return np.zeros(3).view(Liar)
"""
    recording = call(source)
    assert recording.outcome is Outcome.REFUSED
    assert recording.reason.startswith("The result is of type") or "Liar" in recording.reason


def test_a_class_that_claims_to_be_an_array_does_not_cross(call: CallOnce) -> None:
    source = """
import numpy as np
class Meta(type):
    def __eq__(self, other): return True
    def __hash__(self): return hash(np.float64)
class Liar(metaclass=Meta):
    __class__ = np.ndarray
    dtype = np.dtype(float)
    nbytes = 8
    shape = ()
def f():
    return Liar()
"""
    assert call(source).outcome is not Outcome.RETURNED


def test_a_change_of_inputs_cannot_be_hidden_by_patching(call: CallOnce) -> None:
    source = """
import numpy as np
def f(x):
    x[:] = 7
    np.array_equal = lambda *a: True
    np.ndarray.__eq__
    return x
"""
    assert call(source, x=np.ones(2)).changed_inputs == ("x",)


WRITES = {
    "garbage": "os.write(3, b'\\xff' * 100)",
    "a huge length": "os.write(3, b'\\x14\\xff\\xff\\xff\\xff')",
    "half a frame": "os.write(3, b'\\x14\\x10\\x00\\x00\\x00abc')",
    "a frame that is not ours to send": "os.write(3, b'\\x15\\x00\\x00\\x00\\x00')",
    "an oracle that does not exist": "os.write(3, b'\\x13\\x02\\x00\\x00\\x00\\x09\\x00')",
    "a malformed point": "os.write(3, b'\\x13\\x03\\x00\\x00\\x00\\x00\\x05\\x01')",
    "a malformed result": "os.write(3, b'\\x14\\x03\\x00\\x00\\x00abc')",
    "an endless stream": "[os.write(3, bytes(10 ** 6)) for _ in range(10 ** 6)]",
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_what_a_call_writes_to_its_channel_costs_that_call(execute: Execute, write: str) -> None:
    source = f"""
import os
def f():
    for descriptor in range(4, 9):
        try:
            os.dup2(descriptor, 3)
        except OSError:
            pass
    {write}
    return 1
def g():
    return 2
"""
    run = execute(source, call=["f", "g"])
    assert run.recordings["f"].outcome is Outcome.DIED
    assert run.recordings["g"].value == np.array(2)


@pytest.mark.parametrize("write", ["b'\\xff' * 100", "b'\\x12\\x02\\x00\\x00\\x00{}'", "b'\\x15\\x00\\x00\\x00\\x00'"])
def test_what_a_block_writes_to_the_channel_costs_that_block(execute: Execute, write: str) -> None:
    run = execute("def f():\n    return 1", f"import os\nos.write(3, {write})", call=["f"])
    assert run.recordings["f"].value == np.array(1)
    (report,) = run.blocks
    assert report.error is not None
    assert report.error.message == "The code wrote to the grader's channel."


def test_a_forged_report_of_a_block_cannot_claim_a_fault_of_ours(execute: Execute) -> None:
    run = execute("import os\nos.write(3, b'\\x11\\x04\\x00\\x00\\x00oops')\ndef f():\n    return 1", call=["f"])
    assert run.recordings["f"].value == np.array(1)


def test_ten_results_are_none(call: CallOnce) -> None:
    source = """
import sys
from grader.guest.frames import Channel, Kind
from grader.guest.encoding import pack
import numpy as np
def f(oracle):
    frame = sys._getframe()
    while "token" not in frame.f_locals:
        frame = frame.f_back
    token = frame.f_locals["token"]
    channel = next(cell.cell_contents for cell in oracle.__closure__ if isinstance(cell.cell_contents, Channel))
    for number in range(10):
        channel.send(Kind.RESULT, token + pack([np.array(float(number))], {"outcome": "returned", "tree": 0}))
    return 1.0
"""
    recording = call(source, oracle=Oracle(lambda x: x, ()))
    assert recording.outcome is Outcome.DIED
    assert recording.reason == "The code sent more than one result."


def test_a_result_without_returning_is_none(call: CallOnce) -> None:
    source = """
import os
from grader.guest.frames import Channel, Kind
from grader.guest.encoding import pack
import numpy as np
def f(oracle):
    channel = next(cell.cell_contents for cell in oracle.__closure__ if isinstance(cell.cell_contents, Channel))
    channel.send(Kind.RESULT, pack([], {"outcome": "unavailable", "tree": None}))
    os._exit(0)
"""
    recording = call(source, oracle=Oracle(lambda x: x, ()))
    assert recording.outcome is Outcome.DIED


def test_a_forked_process_that_comes_back_has_nothing_to_say(call: CallOnce) -> None:
    recording = call("import os\ndef f():\n    os.fork()\n    return 1")
    assert recording.outcome is Outcome.RETURNED
    assert recording.value == np.array(1)


def test_the_loader_cannot_be_reached_through_proc(execute: Execute) -> None:
    source = """
import os
def f():
    try:
        os.write(os.open("/proc/1/fd/3", os.O_RDWR), b"x" * 100)
        return 1
    except OSError:
        return 0
def g():
    return 2
"""
    run = execute(source, call=["f", "g"])
    assert run.recordings["f"].value == np.array(0)
    assert run.recordings["g"].value == np.array(2)
