"""Code that speaks to the grader itself: nothing is gained, the reason is told, other calls and the next run go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from grader.sandbox.recording import Call, Limits, Oracle, Outcome, Run
from grader.sandbox.warm import WarmSandbox
from grader.submission.program import Block, Program

Execute = Callable[..., Run]
Healthy = Callable[[], bool]

CHANNEL = """
import json, os, struct, sys, threading, time
import numpy as np

def token():
    frame = sys._getframe()
    while "token" not in frame.f_locals:
        frame = frame.f_back
    return frame.f_locals["token"]

def the_channel():
    # The only socket of the process.
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.readlink("/proc/self/fd/" + name).startswith("socket:"):
                return int(name)
        except OSError:
            pass

def send(kind, payload=b""):
    rest = struct.pack("<BI", kind, len(payload)) + payload
    while rest:
        rest = rest[os.write(the_channel(), rest):]

def result(header, report, body=b""):
    text = json.dumps({"__metadata__": {"json": report}, **header}).encode()
    send(20, token() + struct.pack("<Q", len(text)) + text + body)
    send(22)

def number(value):
    entry = {"dtype": "F64", "shape": [], "data_offsets": [0, 8]}
    result({"0": entry}, '{"outcome": "returned", "tree": 0}', struct.pack("<d", value))

def big(tree):
    entry = {"dtype": "U8", "shape": [1000000], "data_offsets": [0, 1000000]}
    result({"0": entry}, json.dumps({"outcome": "returned", "tree": tree}), bytes(1000000))
"""

DIED_OR_REFUSED = {
    "a result without its token": ("send(20, bytes(16)); send(22)", Outcome.DIED),
    "closes it": ("os.close(the_channel())", Outcome.DIED),
    "a frame with a huge length": ("send(20, b''); os.write(the_channel(), b'\\x14' + b'\\xff' * 4)", Outcome.DIED),
    "half a frame and the end": ("os.write(the_channel(), b'\\x14\\x10\\0\\0\\0abc'); os._exit(0)", Outcome.DIED),
    "ready for the next call before this one is made": ("send(22)", Outcome.DIED),
    "two results before it waits for the next call": ("send(20, token()); send(20, token())", Outcome.DIED),
    "an array in a thousand places": ("big([0] * 1000)", Outcome.REFUSED),
    "an array that stands nowhere": ("big(None)", Outcome.REFUSED),
    "a million empty lists": ("result({}, '{\"tree\": [' + '[],' * 1000000 + '[]]}')", Outcome.REFUSED),
    "brackets without end": ("result({}, '[' * 1000000)", Outcome.REFUSED),
    "a key twice": ('result({}, \'{"outcome": "missing", "outcome": "returned", "tree": null}\')', Outcome.REFUSED),
    "an exception without a name": ('result({}, \'{"outcome": "raised", "tree": null}\')', Outcome.REFUSED),
    "a fault of ours": ('result({}, \'{"outcome": "unavailable", "tree": null}\')', Outcome.REFUSED),
}


@pytest.mark.parametrize(("abuse", "outcome"), DIED_OR_REFUSED.values(), ids=DIED_OR_REFUSED.keys())
def test_abuse_costs_its_own_call(execute: Execute, healthy: Healthy, abuse: str, outcome: Outcome) -> None:
    source = f"{CHANNEL}\ndef f():\n    {abuse}\n    os._exit(0)\ndef g():\n    return 2"
    run = execute(source, call=["f", "g"])
    assert run.recordings["f"].value is None
    assert run.recordings["f"].outcome is outcome
    assert run.recordings["f"].reason
    assert run.recordings["g"].value == np.array(2)
    assert healthy()


def test_results_for_several_calls_answer_one(execute: Execute, healthy: Healthy) -> None:
    source = f"""{CHANNEL}
def f():
    number(5.0)
    number(42.0)
    os._exit(0)
def g():
    return 2
"""
    run = execute(source, call=["f", "g"])
    # What f sends instead of returning is a result as good as any. What it sends ahead answers nothing.
    assert run.recordings["f"].value == np.array(5.0)
    assert run.recordings["g"].value == np.array(2)
    assert healthy()


def test_a_process_left_behind_cannot_answer_for_a_fresh_performer(execute: Execute) -> None:
    source = f"""{CHANNEL}
def f():
    if os.fork() == 0:
        for _ in range(50):
            number(42.0)
            time.sleep(0.02)
        os._exit(0)
    os._exit(0)
def g():
    time.sleep(0.3)
    return 2
"""
    run = execute(source, call=["f", "g"])
    assert run.recordings["g"].value == np.array(2)


def test_a_flood_of_a_process_that_outlives_the_call_ends(execute: Execute, healthy: Healthy) -> None:
    source = f"""{CHANNEL}
def f():
    if os.fork() == 0:
        while True:
            os.write(the_channel(), b"\\x14\\xff\\xff\\xff\\0" + bytes(1000000))
    os._exit(0)
def g():
    return 2
"""
    run = execute(source, call=["f", "g"])
    assert run.recordings["f"].outcome is Outcome.DIED
    assert run.recordings["g"].value == np.array(2)
    assert healthy()


QUESTION = "send(19, bytes([0]) + b'f' + b'\\0' + struct.pack('<d', 1.0))"
FLOODS = {
    "asked without listening": f"while True:\n        {QUESTION}",
    "asked and listened to": f"""
    def listen():
        while True:
            os.read(the_channel(), 1 << 16)
    threading.Thread(target=listen, daemon=True).start()
    while True:
        {QUESTION}""",
    "asked by many processes": f"""
    for _ in range(3):
        os.fork()
    def listen():
        while True:
            os.read(the_channel(), 1 << 16)
    threading.Thread(target=listen, daemon=True).start()
    while True:
        {QUESTION}
        time.sleep(0.001)""",
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS.keys())
def test_a_flood_of_questions_ends_at_the_limit(
    sandbox: WarmSandbox, limits: Limits, healthy: Healthy, flood: str
) -> None:
    source = f"{CHANNEL}\ndef f(value):\n    {flood}"
    program = Program((Block("cell 1", source),))
    call = Call("c", "f", {"value": Oracle(float, ())})
    run = sandbox.run(program, [call], replace(limits, wall_seconds=2))
    assert run.recordings["c"].outcome in (Outcome.TIMED_OUT, Outcome.DIED)
    assert run.recordings["c"].value is None
    assert healthy()


ENDS = [
    '{"exit": null, "signal": 200}',
    '{"exit": null, "signal": 0}',
    '{"exit": null, "signal": null}',
    '{"exit": 1e999, "signal": null}',
    '{"exit": 0, "signal": 9}',
    "[" * 900,
]


@pytest.mark.parametrize("end", ENDS)
def test_a_forged_end_of_a_performer_is_no_end_of_the_grader(execute: Execute, healthy: Healthy, end: str) -> None:
    source = f"""
import os, struct, threading, time
def forge():
    time.sleep(0.3)
    end = {end!r}.encode()
    os.write(3, struct.pack("<BI", 21, len(end)) + end)
threading.Thread(target=forge, daemon=True).start()
def f():
    time.sleep(5)
    return 1
"""
    run = execute(source, call=["f"])
    # The thread lives in the process that reads the blocks, and spoils it anew each time it is started.
    assert run.recordings["f"].outcome is Outcome.DIED
    assert run.recordings["f"].reason
    assert healthy()


@pytest.mark.parametrize("report", ['{"error": null, "printed": "", "remark": NaN}', '{"error": 5}', "[" * 20000])
def test_a_forged_report_costs_the_block_that_forged_it(execute: Execute, report: str) -> None:
    forge = f"""
import os, struct
report = {report!r}.encode()
os.write(3, struct.pack("<BI", 18, len(report)) + report)
"""
    run = execute("def f():\n    return 1", forge, call=["f"])
    assert run.recordings["f"].value == np.array(1)
    (block,) = run.blocks
    assert block.error is not None
    assert block.error.message == "The code wrote to the grader's channel."
