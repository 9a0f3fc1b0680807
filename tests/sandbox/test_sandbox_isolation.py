"""What student code sees and reaches: nothing of the machine, of the grader, of other runs."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grader.sandbox import warm
from grader.sandbox.recording import Call, Limits, Outcome, Recording, Run
from grader.sandbox.view import View, student_view
from grader.sandbox.warm import WarmSandbox
from grader.submission.program import Block, Program

CallOnce = Callable[..., Recording]
Execute = Callable[..., Run]

ROOT = Path(__file__).parents[2]


def printed(run: Run) -> str:
    assert run.blocks, "the block printed nothing"
    assert run.blocks[0].error is None, run.blocks[0].error
    return run.blocks[0].printed


@pytest.fixture
def secret(tmp_path: Path) -> Iterator[Path]:
    """A file that everyone on the machine may read."""
    place = Path("/var/tmp") / f"secret-{os.getpid()}"
    place.write_text("the answer key")
    place.chmod(0o644)
    yield place
    place.unlink()


@pytest.mark.parametrize("path", ["{secret}", "/proc/1/root{secret}", "/proc/self/root{secret}", "/../..{secret}"])
def test_files_of_the_machine_are_not_there(execute: Execute, secret: Path, path: str) -> None:
    assert secret.read_text() == "the answer key"
    run = execute(f"print(open({path.format(secret=secret)!r}).read())")
    assert run.blocks[0].error is not None
    assert run.blocks[0].error.type in ("FileNotFoundError", "PermissionError")


def test_the_root_holds_the_view_and_nothing_else(execute: Execute) -> None:
    names = set(printed(execute("import os\nprint(*os.listdir('/'))")).split())
    allowed = {"usr", "bin", "sbin", "lib", "lib32", "lib64", "etc", "dev", "proc", "tmp", "home", "private"}
    interpreter = {Path(os.path.realpath(path)).parts[1] for path in (sys.prefix, sys.base_prefix)}
    # What lies below a run's own folders, for example an interpreter below /tmp, is kept aside in `shown`.
    assert names <= allowed | interpreter | ({"shown"} if interpreter & {"tmp", "home"} else set())


def test_home_folders_and_accounts_are_not_there(execute: Execute) -> None:
    text = printed(execute("import os\nprint(open('/etc/passwd').read(), os.listdir('/home'), os.listdir('/etc'))"))
    assert text.startswith("student:x:1000:1000::/home/student:/bin/sh\n")
    assert "['student']" in text
    assert "shadow" not in text


def test_the_checkout_is_not_there(execute: Execute) -> None:
    source = f"import os\nfor place, folders, files in os.walk({str(ROOT)!r}):\n    print(*files, sep='\\n')\n"
    names = printed(execute(source + "print('walked')")).split()
    assert not {"pyproject.toml", "grade.py", "gradient_descent.py", "assignment.toml"} & set(names)


@pytest.mark.parametrize(
    "module", ["reference", "reference.problem", "grader.judge", "grader.judge.grade", "assignments"]
)
def test_our_packages_cannot_be_imported(execute: Execute, module: str) -> None:
    error = execute(f"import {module}").blocks[0].error
    assert error is not None
    assert error.type == "ModuleNotFoundError"


def test_what_is_loaded_of_ours_is_only_the_guest_and_the_isolation(execute: Execute) -> None:
    source = "import sys\nprint(*[name for name in sys.modules if name.split('.')[0] in ('grader', 'reference')])"
    areas = {".".join(name.split(".")[:2]) for name in printed(execute(source)).split()}
    assert areas == {"grader", "grader.guest", "grader.sandbox"}


def test_the_environment_holds_no_secret(monkeypatch: pytest.MonkeyPatch, sandbox: WarmSandbox, limits: Limits) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter2")
    source = "import os\nprint(dict(os.environ), open('/proc/self/environ').read(), open('/proc/self/cmdline').read())"
    with WarmSandbox() as fresh:
        text = printed(fresh.run(Program((Block("cell 1", source),)), [], limits))
    assert "hunter2" not in text
    assert "'HOME': '/home/student'" in text
    assert str(ROOT / "grader") not in text


def test_there_is_no_network(execute: Execute) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        run = execute(f"import socket\nsocket.create_connection(('127.0.0.1', {port}), timeout=1)")
    assert run.blocks[0].error is not None
    assert "unreachable" in run.blocks[0].error.message
    # Not only is the filter in the way: there is no interface to reach.
    run = execute("import os\nprint(os.uname().nodename, *open('/proc/net/dev').readlines()[2:])")
    assert printed(run).split(":")[0] == "sandbox     lo"
    assert printed(run).count(":") == 1


def test_only_the_own_processes_are_seen(execute: Execute) -> None:
    text = printed(execute("import os\nprint(os.getpid(), sorted(p for p in os.listdir('/proc') if p.isdigit()))"))
    assert text == "1 ['1']\n"


def test_no_privileges(execute: Execute) -> None:
    lines = printed(execute("import os\nprint(open('/proc/self/status').read(), os.getresuid(), os.getresgid())"))
    status = dict(line.split(":", 1) for line in lines.splitlines() if ":" in line)
    assert {status[name].strip() for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert status["NoNewPrivs"].strip() == "1"
    assert lines.endswith("(1000, 1000, 1000) (1000, 1000, 1000)\n")


def test_as_root_the_student_is_nobody_outside(execute: Execute) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root: an ordinary user cannot run code as somebody else")
    assert printed(execute("print(open('/proc/self/uid_map').read().split())")) == "['1000', '65534', '1']\n"


ESCAPES = {
    "mount": "libc.mount(b'tmpfs', b'/tmp', b'tmpfs', 0, None)",
    "unmount": "libc.umount2(b'/proc', 2)",
    "new user namespace": "libc.unshare(0x10000000)",
    "new network namespace": "libc.unshare(0x40000000)",
    "chroot": "libc.chroot(b'/tmp')",
    "become root": "libc.setuid(0)",
    "host name": "libc.sethostname(b'x', 1)",
    "device": "libc.mknod(b'/tmp/d', 0o20666, 0x101)",
    "remount": "libc.mount(None, b'/usr', None, 0x1020, None)",
}


@pytest.mark.parametrize("attempt", ESCAPES.values(), ids=ESCAPES.keys())
def test_there_is_no_way_up(call: CallOnce, attempt: str) -> None:
    recording = call(f"import ctypes\nlibc = ctypes.CDLL(None)\ndef f():\n    return {attempt}")
    assert recording.value == np.array(-1)


@pytest.mark.parametrize(
    "path", ["/x", "/usr/x", "/etc/passwd", "/proc/sys/kernel/core_pattern", "/private/x", "/dev/x"]
)
def test_nothing_outside_the_own_folders_can_be_written(execute: Execute, path: str) -> None:
    run = execute(f"open({path!r}, 'w').write('x')")
    assert run.blocks[0].error is not None
    assert run.blocks[0].error.type in ("OSError", "PermissionError", "FileNotFoundError")


def test_installed_packages_cannot_be_changed(execute: Execute) -> None:
    run = execute("import numpy\nopen(numpy.__file__, 'a')")
    assert run.blocks[0].error is not None
    assert "Read-only" in run.blocks[0].error.message or "Permission" in run.blocks[0].error.message


def test_no_file_descriptors_but_the_channel(execute: Execute) -> None:
    source = "import os\ndef f():\n    return sorted(int(n) for n in os.listdir('/proc/self/fd'))\nprint(*f())"
    run = execute(source, call=["f"])
    # Standard streams to nowhere, one socket, and the listing itself.
    assert run.blocks[0].printed == "0 1 2 3 4\n"
    assert np.asarray(run.recordings["f"].value).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("folder", ["/tmp", "/home/student", "/dev/shm"])
def test_nothing_that_a_run_writes_is_visible_to_the_next(execute: Execute, folder: str) -> None:
    source = f"import os\nprint(os.listdir({folder!r}))\nopen({folder!r} + '/left', 'w').write('x')"
    first, second = printed(execute(source)), printed(execute(source))
    assert "left" not in first
    assert second == first
    interpreter = {Path(os.path.realpath(path)).parts[1:3] for path in (sys.prefix, sys.base_prefix)}
    shown = sorted(name for top, name in interpreter if f"/{top}" == folder)
    assert first == f"{shown}\n"


def test_start_up_files_have_no_effect_on_the_next_run(execute: Execute) -> None:
    execute(
        """
import os, sys
site = os.path.expanduser(f"~/.local/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages")
os.makedirs(site)
for name in (site + "/usercustomize.py", site + "/evil.pth", "numpy.py", "sitecustomize.py", "random.py"):
    open(name, "w").write("import builtins; builtins.poisoned = True")
"""
    )
    run = execute("import builtins, random\nprint(hasattr(builtins, 'poisoned'), len(random.sample([1, 2], 1)))")
    assert printed(run) == "False 1\n"


def test_files_beside_the_submission_are_there(execute: Execute) -> None:
    files = {"helper.py": b"from pathlib import Path\ndef size():\n    return len(Path('data/a.csv').read_text())\n"}
    run = execute(
        "from helper import size\ndef f():\n    return size()",
        call=["f"],
        files={**files, "data/a.csv": b"1,2"},
    )
    assert run.recordings["f"].value == np.array(3)
    run = execute("from helper import size\ndef f():\n    return size()", call=["f"], files=files)
    error = run.recordings["f"].error
    assert error is not None
    assert (error.type, error.block, error.line) == ("FileNotFoundError", "helper.py", 3)


@pytest.mark.parametrize(
    "name", ["../x.py", "/x.py", "a/../../x", "C:\\x", "a\\..\\x", "", ".", "a//b", "x\0y", "é" * 200]
)
def test_files_with_odd_names_are_left_out(execute: Execute, name: str) -> None:
    run = execute("def f():\n    return 1", call=["f"], files={name: b"x", "good.txt": b"y"})
    assert run.recordings["f"].value == np.array(1)
    (report,) = run.blocks
    assert report.remark.startswith("This file was left out:")


def test_a_file_and_a_folder_of_one_name(execute: Execute) -> None:
    run = execute("def f():\n    return 1", call=["f"], files={"a": b"", "a/b": b"", "c/d": b"", "c": b""})
    assert run.recordings["f"].value == np.array(1)
    assert [report.label for report in run.blocks] == ["file 'a/b'", "file 'c'"]


def test_files_in_very_many_folders_are_left_out_with_a_sentence(execute: Execute) -> None:
    source = "import os\ndef f():\n    os.mkdir('new')\n    return os.path.exists('0/' + 'd/' * 40 + 'x.txt')"
    files = {f"{number}/{'d/' * 40}x.txt": b"x" for number in range(300)}
    run = execute(source, call=["f"], files=files)
    assert run.recordings["f"].value == np.array(True)
    remarks = {report.remark for report in run.blocks}
    assert remarks == {"This file was left out: the files before it and it have more than 1000 folders."}
    assert len(run.blocks) == 300 - 1000 // 41


def test_a_file_deep_in_folders_is_left_out_with_a_sentence(execute: Execute) -> None:
    run = execute("def f():\n    return 1", call=["f"], files={"d/" * 450 + "x": b"", "d/" * 50 + "y": b""})
    assert run.recordings["f"].value == np.array(1)
    (report,) = run.blocks
    assert report.remark == "This file was left out: it is in more than 50 folders, one inside the other."


def test_many_small_files_leave_room_to_write(execute: Execute, limits: Limits) -> None:
    """Each takes a page of memory, however small it is."""
    source = "def f():\n    return open('new', 'wb').write(bytes(500_000))"
    run = execute(source, call=["f"], files={f"{n}": b"x" for n in range(999)}, limits=replace(limits, disk_mb=2))
    assert run.recordings["f"].value == np.array(500_000)
    assert {report.remark for report in run.blocks} == {"This file was left out: all together take more than 1 MB."}


def test_packages_load_late_inside_the_view(call: CallOnce) -> None:
    recording = call("def f():\n    import scipy.linalg\n    return scipy.linalg.det([[2.0]])")
    assert recording.outcome is Outcome.RETURNED
    assert recording.value == np.array(2.0)


def test_signals_from_a_call_do_not_stop_the_loader(execute: Execute) -> None:
    source = """
import os, signal
def f():
    for number in signal.Signals:
        try:
            os.kill(os.getppid(), number)
        except OSError:
            pass
    return 1
def g():
    return 2
"""
    run = execute(source, call=["f", "g"])
    assert run.recordings["g"].value == np.array(2)


def test_one_sandbox_serves_many_runs(sandbox: WarmSandbox, limits: Limits) -> None:
    program = Program((Block("cell 1", "def f(n):\n    return n"),))
    before = len(os.listdir("/proc/self/fd"))
    for number in range(20):
        run = sandbox.run(program, [Call("c", "f", {"n": number})], limits)
        assert run.recordings["c"].value == np.array(number)
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("above", ["/tmp", "/var/tmp", "/home/student"])
def test_what_is_hidden_inside_what_is_shown_is_empty(
    monkeypatch: pytest.MonkeyPatch, sandbox: WarmSandbox, limits: Limits, above: str
) -> None:
    # As where the grader is installed among the packages that student code needs, and wherever that is.
    if above == "/home/student" and (os.geteuid() != 0 or os.path.exists(above)):
        pytest.skip("needs root to make the folder")
    created = not os.path.exists(above)
    os.makedirs(above, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=above))
    try:
        folder.chmod(0o755)
        for name in ("package", "ours", "ours/kept"):
            (folder / name).mkdir()
            (folder / name / "__init__.py").write_text("A = 1")
        (folder / "ours.pth").write_text("/the/checkout")
        view = student_view()
        shown = (*view.shown, str(folder), str(folder / "ours" / "kept"))
        hidden = (*view.hidden, str(folder / "ours"), str(folder / "ours.pth"))
        monkeypatch.setattr(warm, "student_view", lambda: View(shown, hidden))
        source = f"""
import os, sys
sys.path.insert(0, {str(folder)!r})
import package
print(package.A, os.listdir({str(folder / "ours")!r}), os.listdir({str(folder / "ours" / "kept")!r}))
print(repr(open({str(folder / "ours.pth")!r}).read()))
open({str(folder / "package" / "x")!r}, "w")
"""
        with WarmSandbox() as own:
            report = own.run(Program((Block("cell 1", source),)), [], limits).blocks[0]
    finally:
        shutil.rmtree(folder)
        if created:
            os.rmdir(above)
    assert report.printed == "1 ['kept'] ['__init__.py']\n''\n"
    assert report.error is not None
    assert "Read-only" in report.error.message
