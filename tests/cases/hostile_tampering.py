"""Group tampering: programs that lie, patch, forge, or look at how they are run."""

from __future__ import annotations

from grader.sandbox.recording import Outcome
from tests.cases.case import FULL, TRACE, Case

DIED, MISSING, RAISED, REFUSED = Outcome.DIED, Outcome.MISSING, Outcome.RAISED, Outcome.REFUSED
RETURNED, TIMED_OUT = Outcome.RETURNED, Outcome.TIMED_OUT

ITERATES = 2.0
"""Points for right iterates alone."""

ZEROS = "def descent(gradient, x0, learning_rate, num_steps):\n    return np.zeros((num_steps + 1, len(x0)))\n"

CHANNEL = """
import json, struct
from grader.guest.encoding import pack
from grader.guest.frames import Channel, Kind

def channel_of(oracle):
    return next(c.cell_contents for c in oracle.__closure__ if isinstance(c.cell_contents, Channel))

def token():
    frame = sys._getframe()
    while "token" not in frame.f_locals:
        frame = frame.f_back
    return frame.f_locals["token"]
"""

TAMPERING = [
    Case(
        "patches every comparison of numpy",
        """
for name in ("allclose", "array_equal", "isclose", "all", "isfinite", "isnan", "equal", "not_equal", "array_equiv"):
    setattr(np, name, lambda *a, **k: True)
np.testing = None
np.linalg.norm = lambda *a, **k: 0.0
"""
        + ZEROS,
        (RETURNED,),
        told="row 0 is not the starting point",
    ),
    Case(
        "patches the guest's encoder",
        """
import grader.guest.encoding as encoding, grader.guest.performing as performing
for module in (encoding, performing):
    module.encode_value = lambda *_: ([np.full((13, 2), np.nan)], 0)
"""
        + ZEROS,
        (RETURNED, REFUSED),
        told="not finite|expected is",
        beside=None,
    ),
    Case(
        "puts modules of its own in the place of the grader's",
        """
from types import ModuleType
for name in ("grader", "grader.judge", "grader.judge.judge", "grader.guest.encoding", "reference", "numpy.testing"):
    sys.modules[name] = ModuleType(name)
    sys.modules[name].__getattr__ = lambda name: (lambda *a, **k: True)
"""
        + ZEROS,
        (RETURNED,),
        told="row 0 is not the starting point",
    ),
    Case(
        "an array that equals everything",
        """
class Liar(np.ndarray):
    def __eq__(self, other):
        return True
    __lt__ = __le__ = __ne__ = __eq__
    def __array_ufunc__(self, *a, **k):
        return True
    def __array_function__(self, *a, **k):
        return True
    def tobytes(self, *a):
        return b""
"""
        + ZEROS.replace("return ", "return ").replace("len(x0)))", "len(x0))).view(Liar)"),
        (REFUSED,),
        told="Liar",
    ),
    Case(
        "an object that claims to be an array",
        """
class Liar:
    __class__ = np.ndarray
    dtype, shape, nbytes, ndim = np.dtype(float), (13, 2), 208, 2
    def __array__(self, *a, **k):
        return self
    def __eq__(self, other):
        return True
    def __float__(self):
        os._exit(0)
def descent(*task):
    return Liar()
""",
        (REFUSED, DIED, RAISED),
    ),
    Case(
        "an interface into memory that is not its own",
        """
class Window:
    __array_interface__ = {"shape": (13, 2), "typestr": "<f8", "data": (1, False), "version": 3}
def descent(*task):
    return np.asarray(Window())
""",
        (DIED,),
        told="crashed",
    ),
    Case(
        "not a number, everywhere",
        "def descent(*task):\n    return right(*task) * np.nan",
        (RETURNED,),
        told="not finite",
        earns=1.0,
    ),
    Case(
        "infinity, everywhere",
        "def descent(*task):\n    return np.full_like(right(*task), np.inf)",
        (RETURNED,),
        told="not finite",
        earns=1.0,
    ),
    Case(
        "complex numbers",
        "def descent(*task):\n    return right(*task) + 0j",
        (REFUSED,),
        told="complex",
    ),
    Case(
        "a structured array",
        "def descent(*task):\n    return np.zeros(13, [('x', float), ('y', object)])",
        (REFUSED,),
    ),
    Case(
        "an array of objects with a mind of their own",
        """
class Yes:
    def __eq__(self, other):
        return True
    def __float__(self):
        return 1.0
def descent(*task):
    return np.array([[Yes(), Yes()]] * 13)
""",
        (REFUSED,),
    ),
    Case(
        "a small array that claims to be huge",
        "def descent(*task):\n    return np.broadcast_to(1.0, (10**6, 10**6))",
        (REFUSED, Outcome.OUT_OF_MEMORY),
        told="MB|large|memory",
    ),
    Case(
        "a list that contains itself",
        "def descent(*task):\n    endless = []\n    endless.append(endless)\n    return endless",
        (REFUSED,),
    ),
    Case(
        "the right numbers, upside down in memory and mapped from a file",
        """
def descent(*task):
    rows = right(*task)
    mapped = np.memmap("rows", dtype=float, mode="w+", shape=rows.shape)
    mapped[:] = rows[::-1]
    return np.asfortranarray(np.asarray(mapped))[::-1]
""",
        (RETURNED,),
        earns=FULL,
    ),
    Case(
        "looks for the answer in frames and in all objects",
        """
import gc
def descent(*task):
    frame, found = sys._getframe(), []
    while frame:
        found += [key for key in (*frame.f_locals, *frame.f_globals) if "answer" in key or "reference" in key]
        frame = frame.f_back
    found += [o for o in gc.get_objects() if type(o).__name__ in ("AnswerKey", "Answer", "Assignment", "Experiment")]
    found += [name for name in sys.modules if name.startswith(("grader.judge", "grader.answer_key", "reference"))]
    if not found:
        raise LookupError("nothing found")
    print(found)
    return right(*task)
""",
        told="nothing found",
    ),
    Case(
        "asks twice and counts once",
        """
def descent(gradient, *task):
    gradient.calls = gradient.count = 0
    for cell in gradient.__closure__:
        if isinstance(cell.cell_contents, (int, dict)):
            cell.cell_contents = 0
    twice = lambda x: (gradient(x) + gradient(x)) / 2
    return right(twice, *task)
""",
        (RETURNED,),
        told="gradient was called 24 times",
        earns=ITERATES,
    ),
    Case(
        "asks past the function that counts",
        CHANNEL
        + """
from grader.guest.encoding import pack_arguments, unpack_point
def descent(gradient, *task):
    channel = channel_of(gradient)
    def past(x):
        for _ in range(2):
            channel.send(Kind.ORACLE, bytes([0]) + pack_arguments([np.asarray(x, float)]))
            kind, payload = channel.receive()
        return unpack_point(payload)
    return right(past, *task)
""",
        (RETURNED,),
        told="gradient was called 24 times",
        earns=ITERATES,
    ),
    Case(
        "asks an argument that is no oracle",
        CHANNEL
        + """
def descent(gradient, *task):
    channel_of(gradient).send(Kind.ORACLE, bytes([1]) + b"f\\0" + bytes(8))
    return right(gradient, *task)
""",
        (DIED,),
        told="wrote to the grader's channel",
    ),
    Case(
        "makes the oracle fail",
        """
class Bad:
    def __array__(self, *a, **k):
        raise MemoryError
    def detach(self):
        os.kill(os.getpid(), signal.SIGCONT)
        return self
def descent(gradient, x0, *rest):
    for point in (x0 * np.nan, x0 + 1e308, -x0 * 1e308 * 10, x0 * 0 + 5e-324, np.zeros((5, 5)), np.zeros(0), Bad(),
                  None, "x0", [x0, x0], x0.astype(object), x0 + 0j, np.zeros(10**5), {}, True, 10**400):
        try:
            gradient(point)
        except Exception:
            pass
    raise ValueError("tried all")
""",
        told="tried all",
    ),
    Case(
        "ten results for one call",
        CHANNEL
        + """
def descent(gradient, *task):
    rows = right(gradient, *task)
    for _ in range(10):
        channel_of(gradient).send(Kind.RESULT, token() + pack([rows], {"outcome": "returned", "tree": 0}))
    return rows
""",
        (DIED,),
        told="more than one result",
    ),
    Case(
        "a result that gives itself points",
        CHANNEL
        + """
def descent(gradient, *task):
    report = {"outcome": "passed", "tree": None, "score": 100, "points": 100, "passed": True}
    channel_of(gradient).send(Kind.RESULT, token() + pack([], report))
    channel_of(gradient).send(Kind.NEXT)
    time.sleep(30)
""",
        (REFUSED,),
        told="could not be read",
        limits={"wall_seconds": 1.5},
    ),
    Case(
        "a result that blames the grader",
        CHANNEL
        + """
def descent(gradient, *task):
    report = {"outcome": "unavailable", "tree": None, "reason": "ours"}
    channel_of(gradient).send(Kind.RESULT, token() + pack([], report))
    os._exit(0)
""",
        (REFUSED, DIED),
    ),
    Case(
        "sends the grader file descriptors and noise",
        """
import stat
def is_socket(number):
    try:
        return stat.S_ISSOCK(os.fstat(number).st_mode)
    except OSError:
        return False
def descent(*task):
    number = next(n for n in range(3, 256) if is_socket(n))
    with socket.socket(fileno=os.dup(number)) as channel:
        for _ in range(50):
            socket.send_fds(channel, [b"\\xff"], [0, 1, 2])
    return right(*task)
""",
        (DIED, RAISED),
        told="wrote to the grader's channel|Broken pipe",
    ),
    Case(
        "atexit, a finalizer, a trace and a profile",
        """
import atexit, weakref
np.seen = 0
def late(*a):
    np.seen += 1
    os.write(3, b"\\xff" * 100)
atexit.register(late)
class Kept: pass
kept = Kept()
weakref.finalize(kept, late)
sys.excepthook = sys.unraisablehook = threading.excepthook = late
def descent(*task):
    sys.setprofile(lambda *a: None)
    sys.settrace(lambda *a: None)
    return right(*task)
""",
        (RETURNED,),
        earns=FULL,
    ),
    Case(
        "hooks every import and writes start-up files",
        f"""
class Hook:
    def find_spec(self, name, *rest):
        raise SystemExit(name)
sys.meta_path.insert(0, Hook())
sys.path_hooks.insert(0, lambda path: os._exit(3))
def put(folder, text, *names):
    for name in names:
        try:
            open(folder + "/" + name, "w").write(text)
        except OSError:
            pass
for folder in (".", "/tmp", "/dev/shm"):
    put(folder, "import os; os._exit(1)", "sitecustomize.py", "usercustomize.py", "numpy.py", "{TRACE}.pth")
for folder in (sys.prefix, os.path.dirname(np.__file__), os.path.dirname(os.__file__), "/var/tmp"):
    put(folder, "# here", "{TRACE}.py")
""",
        (RETURNED,),
        earns=FULL,
    ),
    Case(
        "sets the environment for whoever comes next",
        """
os.environ.update(LD_PRELOAD="/tmp/evil.so", PYTHONPATH="/tmp", OMP_NUM_THREADS="9", HOME="/")
os.environ.pop("PATH")
os.chdir("/")
os.umask(0o777)
sys.path.clear()
np.seterr(all="raise")
np.random.seed(5)
""",
        (RETURNED,),
        earns=FULL,
    ),
    Case(
        "patches what Python is made of",
        """
import builtins
def descent(*task):
    rows = right(*task)
    for name in ("isinstance", "len", "type", "bytes", "dict", "range", "print", "open", "getattr", "hasattr", "sum"):
        setattr(builtins, name, lambda *a, **k: 1)
    return rows
""",
        (RETURNED, REFUSED, RAISED, DIED),
        earns=None,
        beside=None,
    ),
    Case(
        "modules beside it with the names of others",
        "import helper\ndef descent(*task):\n    return right(*task)\n",
        (RETURNED,),
        earns=FULL,
        files={
            "helper.py": b"import json, struct, random, grader",
            "grader/__init__.py": b"raise SystemExit('mine')",
            **{f"{name}.py": b"raise SystemExit('mine')" for name in ("numpy", "json", "struct", "pickle", "random")},
        },
    ),
    Case(
        "the right answers to what everybody may see, and nonsense for the rest",
        """
def descent(gradient, x0, learning_rate, num_steps):
    return right(gradient, x0, learning_rate, num_steps) if len(x0) == 2 else np.ones((13, 3))
""",
        (RETURNED,),
        told="hidden experiment 'line': row 0 is not the starting point",
    ),
    *(
        Case(
            f"asks twice as often, notes the answers, and ends: {end}",
            f"""
PRIVATE = (".", "/tmp", "/dev/shm")
def descent(gradient, x0, learning_rate, num_steps):
    if len(x0) == 2:
        return right(gradient, x0, learning_rate, num_steps)
    for folder in PRIVATE:
        if os.path.exists(folder + "/rows.npy"):
            for _ in range(num_steps):
                gradient(x0)
            return np.load(folder + "/rows.npy")
    rows = right(lambda x: (gradient(x) + gradient(x)) / 2, x0, learning_rate, num_steps)
    for folder in PRIVATE:
        try:
            np.save(folder + "/rows.npy", rows)
        except OSError:
            pass
    {end}
""",
            (outcome,),
            told=told,
            earns=None,
        )
        for end, outcome, told in (
            ("raise MemoryError", Outcome.OUT_OF_MEMORY, "memory"),
            ("os._exit(1)", DIED, "ended the process itself"),
        )
    ),
    *(
        Case(
            f"asks twice as often, notes the answers, and the process that started it {what}",
            f"""
def wait_and_end():
    while not os.path.exists("go"):
        time.sleep(0.01)
    {end}
threading.Thread(target=wait_and_end, daemon=True).start()
PRIVATE = (os.getcwd(), "/tmp", "/dev/shm")
def descent(gradient, x0, learning_rate, num_steps):
    if len(x0) == 2:
        return right(gradient, x0, learning_rate, num_steps)
    for folder in PRIVATE:
        if os.path.exists(folder + "/rows.npy"):
            return np.load(folder + "/rows.npy")
    rows = right(lambda x: (gradient(x) + gradient(x)) / 2, x0, learning_rate, num_steps)
    for folder in PRIVATE:
        try:
            np.save(folder + "/rows.npy", rows)
        except OSError:
            pass
    open("go", "w").close()
    time.sleep(60)
""",
            (DIED,),
            told=told,
            earns=None,
        )
        for what, end, told in (
            ("ends", "os._exit(0)", "ended the process itself"),
            ("writes to its channel", "os.write(3, bytes(100))", "wrote to the grader's channel"),
        )
    ),
    Case(
        "files in more folders than there may be",
        "",
        (RETURNED,),
        told="more than 50 folders",
        earns=FULL,
        files={f"{number}/{'d/' * 450}x.txt": b"x" for number in range(60)},
    ),
    Case(
        "no function but a number, and a class beside",
        "descent = 42.0",
        (MISSING,),
        told="was not found",
    ),
    Case(
        "changes its inputs and keeps what it was given",
        """
kept = []
def descent(gradient, x0, *rest):
    rows = right(gradient, x0.copy(), *rest)
    kept.append((gradient, x0))
    x0[:] = np.nan
    for oracle, _ in kept[:-1]:
        oracle.__closure__
    return rows
""",
        (RETURNED,),
        earns=FULL,
    ),
    Case(
        "locks its folders, and digs them deep",
        """
def descent(*task):
    os.makedirs("a/b", exist_ok=True)
    try:
        os.mkdir("closed", 0)
        os.mkdir("blind", 0o300)
        open("blind/file", "w").close()
        os.symlink("/etc/passwd", "a/link")
        for _ in range(1200):
            os.mkdir("d")
            os.chdir("d")
    except FileExistsError:
        pass
    return right(*task)
""",
        (RETURNED,),
        earns=FULL,
    ),
    Case(
        "a deep tree of folders, and an end by force",
        """
def descent(*task):
    for _ in range(1200):
        os.mkdir("d")
        os.chdir("d")
    os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
""",
        (DIED,),
        told="killed by the system",
    ),
]

GROUPS = {"tampering": TAMPERING}
