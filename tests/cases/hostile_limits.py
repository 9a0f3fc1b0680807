"""Groups time, memory, processes, output: programs that use more than there is."""

from __future__ import annotations

from grader.sandbox.recording import Outcome
from tests.cases.case import FULL, TRACE, Case

DIED, RAISED, RETURNED = Outcome.DIED, Outcome.RAISED, Outcome.RETURNED
TIMED_OUT, OUT_OF_MEMORY = Outcome.TIMED_OUT, Outcome.OUT_OF_MEMORY

SHORT = {"wall_seconds": 1.5}
"""For what waits on the clock."""
BRIEF = {"cpu_seconds": 0.5}
"""For what the kernel ends: it counts whole seconds, from the start of the process."""

TIME = [
    Case(
        "an endless loop",
        "def descent(*task):\n    while True:\n        pass",
        (TIMED_OUT,),
        told=r"did not return: stopped after 1 s of processor time, in cell \d+, line [23]",
    ),
    Case("a long sleep", "def descent(*task):\n    time.sleep(1e6)", (TIMED_OUT,), told="on the clock", limits=SHORT),
    Case(
        "an endless loop that swallows the interruption",
        """
def descent(*task):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
""",
        (TIMED_OUT,),
        told="s of processor time",
        limits=BRIEF,
    ),
    Case(
        "an endless loop in C",
        "import itertools\ndef descent(*task):\n    return 'a' in itertools.repeat('b')",
        (TIMED_OUT,),
        told="s of processor time",
        limits=BRIEF,
    ),
    Case(
        "a regular expression that tries everything",
        "import re\ndef descent(*task):\n    return re.match('(a+)+b', 'a' * 40)",
        (TIMED_OUT,),
        told="s of processor time",
        limits=BRIEF,
    ),
    Case(
        "threads that do not end",
        """
def spin():
    while True:
        pass
def descent(*task):
    for _ in range(3):
        threading.Thread(target=spin).start()
    return right(*task)
""",
        (RETURNED,),
        earns=FULL,
    ),
    Case(
        "a thread that prints after the return",
        """
def chat():
    while True:
        print("still here")
        time.sleep(0.001)
def descent(*task):
    threading.Thread(target=chat, daemon=True).start()
    return right(*task)
""",
        (RETURNED,),
        earns=FULL,
    ),
    Case(
        "switches the clocks off and lifts the limit",
        """
def descent(*task):
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    while True:
        pass
""",
        (TIMED_OUT,),
        told=r"1\.5 s on the clock",
        limits=SHORT,
    ),
    Case(
        "patches the stopwatch",
        """
import grader.guest.stopwatch as stopwatch
stopwatch.Stopwatch.__enter__ = lambda self: self
stopwatch.TimeLimitError = KeyError
def descent(*task):
    while True:
        pass
""",
        (TIMED_OUT,),
        told="s of processor time",
        limits=BRIEF,
    ),
    Case(
        "stops itself",
        "def descent(*task):\n    os.kill(os.getpid(), signal.SIGSTOP)",
        (TIMED_OUT,),
        told="on the clock",
        limits=SHORT,
    ),
    Case(
        "asks the oracle for ever",
        "def descent(gradient, x0, *rest):\n    while True:\n        gradient(x0)",
        (TIMED_OUT, RAISED),
        told="s of processor time|on the clock|1,000,000 times",
        limits=SHORT,
    ),
    Case(
        "a cell that never ends, before the right answer",
        "while True:\n    pass\n# %%\ndef descent(*task):\n    return right(*task)",
        (RETURNED,),
        told=r"cell \d+: TimeLimitError: Stopped after 0\.5 s",
        earns=FULL,
        limits=BRIEF,
    ),
    Case(
        "a list that says it is longer than it is",
        """
class Endless(list):
    def __iter__(self):
        while True:
            yield 1.0
    def __len__(self):
        return 1
def descent(*task):
    return Endless([1.0])
""",
        (Outcome.REFUSED, TIMED_OUT, RETURNED),
    ),
    Case(
        "an exception whose text takes for ever",
        """
class Slow(Exception):
    def __str__(self):
        while True:
            pass
def descent(*task):
    raise Slow
""",
        (TIMED_OUT,),
        told="s of processor time",
        limits=BRIEF,
    ),
]

MEMORY = [
    Case(
        "thirty gigabytes at once",
        "def descent(*task):\n    return np.ones(30 << 27)",
        (OUT_OF_MEMORY,),
        told="needed more memory than it may use, in cell",
    ),
    Case(
        "a slow leak",
        "def descent(*task):\n    kept = []\n    while True:\n        kept.append(bytearray(1 << 20))",
        (OUT_OF_MEMORY,),
        told="needed more memory",
    ),
    Case(
        "a leak that swallows the error",
        """
def descent(*task):
    kept = []
    while True:
        try:
            kept.append(bytearray(1 << 22))
        except MemoryError:
            pass
""",
        (TIMED_OUT, OUT_OF_MEMORY),
        limits=BRIEF,
    ),
    Case(
        "many processes, each within its limit",
        """
def descent(*task):
    ready, full = os.pipe()
    for _ in range(8):
        if os.fork() == 0:
            kept = bytearray(b"x") * (200 << 20)
            os.write(full, b"x")
            time.sleep(60)
            os._exit(0)
    filled = 0
    os.set_blocking(ready, False)
    while filled < 8:
        if os.waitpid(-1, os.WNOHANG) != (0, 0):
            raise MemoryError("one of them was ended")
        try:
            filled += len(os.read(ready, 8))
        except BlockingIOError:
            time.sleep(0.01)
    time.sleep(1)
    return right(*task)
""",
        (OUT_OF_MEMORY,),
        told="needed more memory",
    ),
    Case(
        "fills /dev/shm",
        """
def descent(*task):
    for number in range(1000):
        with open(f"/dev/shm/TRACE-{number}", "wb") as file:
            file.write(bytes(1 << 20))
    return right(*task)
""".replace("TRACE", TRACE),
        told="No space left",
        weak={"told": "Permission denied"},
        why="there is no private one",
    ),
    Case(
        "one file that fills /tmp",
        f"""
def descent(*task):
    with open("/tmp/{TRACE}", "wb") as file:
        while True:
            file.write(bytes(1 << 20))
""",
        told="File too large|No space left",
        weak={"told": "Permission denied"},
        why="it is not writable",
    ),
    Case(
        "files without a name, which no list of mapped memory shows",
        """
def descent(*task):
    kept = [os.memfd_create("x") for _ in range(200)]
    for each in kept:
        for _ in range(7):
            os.write(each, bytes(1 << 20))
    return right(*task)
""",
        told="Function not implemented",
    ),
    Case(
        "memory of System V, which outlives its process",
        """
KEY = 0x67726164
def descent(*task):
    system_call(29, KEY, 1 << 28, 0o1666)
    return right(*task)
""",
        told="Function not implemented",
    ),
    Case(
        "as many open files as there are",
        "def descent(*task):\n    kept = []\n    while True:\n        kept.append(os.pipe())",
        told="Too many open files",
    ),
    Case(
        "a result that is too large",
        "def descent(*task):\n    return np.zeros(10**6)",
        (Outcome.REFUSED,),
        told="MB|large",
    ),
    Case(
        "a cell that takes all memory, before the right answer",
        "kept = np.ones(30 << 27)\n# %%\ndef descent(*task):\n    return right(*task)",
        (RETURNED,),
        told=r"cell \d+: MemoryError",
        earns=FULL,
    ),
    Case(
        "ten thousand small files",
        """
def descent(*task):
    for number in range(20000):
        open(f"{number}", "w").close()
    return right(*task)
""",
        (RAISED, TIMED_OUT),
        told="No space left|processor time",
        weak={"outcomes": (RETURNED, TIMED_OUT, RAISED), "told": "", "earns": None},
        why="nothing counts the files; they are gone afterwards",
    ),
]

PROCESSES = [
    Case(
        "a fork bomb",
        "def descent(*task):\n    while True:\n        os.fork()",
        (RAISED, DIED, TIMED_OUT),
        told="temporarily unavailable|did not return",
    ),
    Case(
        "a fork bomb of shells",
        """
def descent(*task):
    subprocess.Popen(["/bin/sh", "-c", "f() { f | f & }; f"])
    time.sleep(0.5)
    return right(*task)
""",
        (RETURNED, DIED, TIMED_OUT),
        earns=None,
    ),
    Case(
        "a daemon, forked twice",
        f"""
def descent(*task):
    if os.fork() == 0:
        if hasattr(os, "setsid"):
            try:
                os.setsid()
            except OSError:
                pass
        if os.fork() == 0:
            for number in signal.Signals:
                try:
                    signal.signal(number, signal.SIG_IGN)
                except (OSError, ValueError):
                    pass
            libc.prctl(1, 0)   # no signal when the parent dies
            libc.prctl(36, 1)  # orphans come to this process
            while True:
                for place in ("/tmp", "/var/tmp", "/dev/shm"):
                    try:
                        open(place + "/{TRACE}", "w").close()
                    except OSError:
                        pass
                time.sleep(0.01)
        os._exit(0)
    return right(*task)
""",
        (RETURNED,),
        earns=FULL,
    ),
    Case(
        "a session of its own",
        """
def descent(*task):
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
        finally:
            os._exit(os.getsid(0) != os.getpid())
    if os.waitpid(child, 0)[1]:
        raise PermissionError("not permitted")
    return right(*task)
""",
        (RETURNED,),
        earns=FULL,
        weak={"outcomes": (RAISED,), "told": "not permitted", "earns": 0.0},
        why="a run is ended through its process group",
    ),
    Case(
        "becomes another program",
        "def descent(*task):\n    os.execv('/bin/sh', ['sh', '-c', 'exit 0'])",
        (DIED,),
        told="did not return: the code ended the process itself",
    ),
    Case(
        "another program in the background",
        """
def descent(*task):
    subprocess.Popen(["/bin/sh", "-c", "trap '' HUP INT TERM; sleep 1000 & sleep 1000"])
    return right(*task)
""",
        (RETURNED,),
        earns=FULL,
    ),
    Case(
        "as many processes as there may be, left behind",
        """
def descent(*task):
    try:
        while True:
            if os.fork() == 0:
                time.sleep(1000)
                os._exit(0)
    except OSError:
        os._exit(0)
""",
        (DIED,),
        told="ended the process itself",
        weak={"outcomes": (DIED, RAISED), "beside": None},
        why="the guest may not end the processes of the machine, so those of the run stay until its end",
    ),
    Case(
        "as many threads as there may be",
        """
def descent(*task):
    while True:
        threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
""",
        told="can't start new thread",
    ),
    Case(
        "a fork that comes back twice",
        "def descent(*task):\n    os.fork()\n    return np.zeros((13, 2)) if os.getpid() == 1 else right(*task)",
        (RETURNED, DIED, RAISED, TIMED_OUT),  # each may take the other's answers, and wait for its own
        earns=None,
    ),
    Case(
        "kills all that it can name",
        """
def descent(*task):
    own = {0, 1, os.getpid(), os.getppid()}
    hit = []
    for process in range(max(2, os.getppid() - 300), os.getpid() + 300):
        if process not in own:
            try:
                os.kill(process, signal.SIGKILL)
                hit.append(process)
            except OSError:
                pass
    if not hit:
        raise PermissionError("nobody was hit")
    return right(*task)
""",
        told="nobody was hit",
    ),
    Case(
        "kills all at once",
        """
def descent(*task):
    try:
        os.kill(-1, signal.SIGKILL)
    finally:
        os.kill(os.getpid(), signal.SIGKILL)
""",
        (DIED,),
        told="killed by the system",
    ),
    Case(
        "a signal to the group",
        "def descent(*task):\n    os.killpg(0, signal.SIGKILL)\n    time.sleep(5)",
        (DIED,),
        told="killed by the system",
    ),
    Case(
        "kills its parent",
        "def descent(*task):\n    os.kill(os.getppid(), signal.SIGKILL)\n    time.sleep(0.2)\n    return right(*task)",
        (RETURNED,),
        earns=FULL,
        weak={"outcomes": (DIED,), "told": "killed by the system", "earns": 0.0},
        why="its parent is not the first process of a namespace, which is deaf to such signals",
    ),
    Case(
        "takes the processes of the parent's parent away",
        """
def descent(*task):
    above = int(open("/proc/self/stat").read().split()[3]) if os.getppid() == 1 else os.getppid()
    hit = 0
    for process in range(max(2, above - 6), above):
        try:
            resource.prlimit(process, resource.RLIMIT_NPROC, (0, 0))
            hit += 1
        except OSError:
            pass
    if not hit:
        raise PermissionError("nobody was hit")
    return right(*task)
""",
        told="nobody was hit",
    ),
    Case(
        "pins and slows its parents",
        """
def descent(*task):
    above = os.getppid()
    hit = 0
    for process in range(max(2, above - 6), above):
        for act in (
            lambda: os.sched_setaffinity(process, {min(os.sched_getaffinity(0))}),
            lambda: os.setpriority(os.PRIO_PROCESS, process, 19),
            lambda: os.sched_setscheduler(process, os.SCHED_IDLE, os.sched_param(0)),
        ):
            try:
                act()
                hit += 1
            except OSError:
                pass
    if not hit:
        raise PermissionError("nobody was hit")
    return right(*task)
""",
        told="nobody was hit",
    ),
    Case(
        "slows all processes of its user",
        "def descent(*task):\n    os.setpriority(os.PRIO_USER, 0, 19)\n    return right(*task)",
        (RETURNED,),
        earns=FULL,
        weak={"outcomes": (RAISED,), "told": "Function not implemented|not permitted", "earns": 0.0},
        why="it would reach the warm parent",
    ),
    Case(
        "slows itself, which is its own affair",
        """
def descent(*task):
    os.nice(5)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    return right(*task)
""",
        (RETURNED,),
        earns=FULL,
    ),
]

OUTPUT = [
    Case(
        "two hundred megabytes in lines",
        """
def descent(*task):
    for _ in range(200):
        print(("x" * 99 + "\\n") * 10486, end="")
    return right(*task)
""",
        (RETURNED,),
        earns=FULL,
    ),
    Case(
        "two hundred megabytes in one line",
        "def descent(*task):\n    print('x' * 200_000_000)\n    return right(*task)",
        (RETURNED, OUT_OF_MEMORY),
        earns=None,
    ),
    Case(
        "bytes that are no text",
        "def descent(*task):\n    sys.stdout.buffer.write(bytes(range(256)) * 100)\n    return right(*task)",
        (RETURNED,),
        earns=FULL,
    ),
    Case(
        "control characters and markup",
        """
def descent(*task):
    print("\\x1b[2J\\x1b]0;owned\\x07\\0\\r\\u202e<script>alert(1)</script></pre>")
    print("\\ud800", file=sys.stderr)
    return right(*task)
""",
        (RETURNED,),
        earns=FULL,
    ),
    Case(
        "closed output",
        """
sys.stdout.close()
os.close(1)
os.close(2)
def descent(*task):
    sys.stdout.close()
    return right(*task)
""",
        (RETURNED,),
        earns=FULL,
    ),
    Case(
        "no output at all",
        "sys.stdout = sys.stderr = sys.__stdout__ = None\ndef descent(*task):\n    return right(*task)",
        (RETURNED,),
        earns=FULL,
    ),
    Case(
        "megabytes past Python",
        """
def descent(*task):
    for number in (1, 2):
        for _ in range(100):
            os.write(number, bytes(1 << 20))
    return right(*task)
""",
        (RETURNED,),
        earns=FULL,
    ),
    Case(
        "an exception of a hundred megabytes",
        "def descent(*task):\n    raise ValueError('x' * 100_000_000)",
        told=r"raised ValueError: x{100,2000}[.,]?",
    ),
    Case(
        "an exception with a name of a hundred thousand letters",
        "def descent(*task):\n    raise type('X' * 100_000, (Exception,), {})",
        told=r"raised X{80}\b",
    ),
    Case(
        "an exception that speaks in control characters",
        "def descent(*task):\n    raise ValueError('\\x1b[31m\\x07\\ud800</td>')",
        told="raised ValueError: \N{REPLACEMENT CHARACTER}",
    ),
]

EXITS = [
    Case(
        "os._exit(0)",
        "def descent(*task):\n    os._exit(0)",
        (DIED,),
        told="ended the process itself, with exit code 0",
    ),
    Case("os._exit(24), the code for the time", "def descent(*task):\n    os._exit(24)", (TIMED_OUT, DIED)),
    Case("sys.exit()", "def descent(*task):\n    sys.exit(0)", told=r"exit\(\) was called"),
    Case("SystemExit", "def descent(*task):\n    raise SystemExit('100 points')", told=r"exit\(\) was called"),
    Case("KeyboardInterrupt", "def descent(*task):\n    raise KeyboardInterrupt", told="raised KeyboardInterrupt"),
    Case("a segmentation fault", "def descent(*task):\n    ctypes.string_at(0)", (DIED,), told="crashed: segmentation"),
    Case("an abort", "def descent(*task):\n    os.abort()", (DIED,), told="crashed: aborted"),
    Case(
        "a stack overflow",
        """
sys.setrecursionlimit(10**9)
def deeper(x):
    return max(map(deeper, [x]))
def descent(*task):
    return deeper(1)
""",
        (DIED, RAISED, OUT_OF_MEMORY),
        told="crashed: segmentation|RecursionError|more memory",
    ),
    Case(
        "every signal to itself",
        """
def descent(*task):
    for number in sorted(signal.Signals, reverse=True):
        if number not in (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
            os.kill(os.getpid(), number)
""",
        (DIED, RAISED, TIMED_OUT),
        told="did not return|raised",
    ),
    Case(
        "another thread ends the process",
        "def descent(*task):\n    threading.Thread(target=os._exit, args=(0,)).start()\n    time.sleep(5)",
        (DIED,),
        told="ended the process itself",
    ),
    Case(
        "a cell that ends the process, before the right answer",
        "os._exit(0)\n# %%\ndef descent(*task):\n    return right(*task)",
        (RETURNED,),
        told=r"cell \d+: ProcessEnded: .*exit code 0",
        earns=FULL,
    ),
    Case(
        "a definition that ends the process",
        "def descent(*task, end=os._exit(0)):\n    return right(*task)",
        (Outcome.MISSING,),
        told="It was left out",
    ),
]

GROUPS = {"time": TIME, "memory": MEMORY, "processes": PROCESSES, "output": OUTPUT, "exits": EXITS}
