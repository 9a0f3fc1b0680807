"""Honest code that looks odd: each program is right, and must get all points."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

ITERATE = """
def descent(gradient, x0, learning_rate, num_steps):
    assert odd()
    rows = [x0]
    for _ in range(num_steps):
        rows.append(rows[-1] - learning_rate * gradient(rows[-1]))
    return rows
"""
SQUARE = "def square(x):\n    return x * x\n"


@dataclass(frozen=True)
class Honest:
    """A program that defines `descent` in an odd way, or a function `odd` that is True where its odd thing works."""

    name: str
    source: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    needs: str = ""
    """A package that has to be installed."""
    weak: str = ""
    """What the sentence says with which it fails at the level `weak`, which cannot give it what it needs."""

    @property
    def text(self) -> str:
        """The whole script."""
        written = re.search(r"^((async )?def descent\(|descent =|class descent)", self.source, re.MULTILINE)
        return "\n# %%\n".join((self.source, SQUARE) if written else (self.source, ITERATE, SQUARE))


# What comes before the first `print`: most are there for the letters of other scripts on Windows.
OUTPUTS = {
    "a stream around the buffer": "import io\nsys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding='utf-8')",
    "a stream around the detached buffer": "import io\nsys.stdout = io.TextIOWrapper(sys.stdout.detach(), 'utf-8')",
    "a stream around what is below the buffer": (
        "import io\nsys.stdout = io.TextIOWrapper(io.BufferedWriter(sys.stdout.buffer.raw), encoding='utf-8')"
    ),
    "a writer of a codec": "import codecs\nsys.stdout = codecs.getwriter('utf-8')(sys.stdout.detach())",
    "a writer of a codec for errors too": "import codecs\nsys.stderr = codecs.getwriter('utf-8')(sys.stderr.buffer)",
    "another encoding": "sys.stdout.reconfigure(encoding='utf-8', line_buffering=True)",
    "a closed stream": "print('begins')\nsys.stdout.close()\nsys.stdout = sys.__stdout__",
    "nowhere": "import os\nsys.stdout = open(os.devnull, 'w')",
    "a text, and back": "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()):\n    print('hidden')",
    "a handler of logging": (
        "import logging\nlog = logging.getLogger('descent')\nlog.addHandler(logging.StreamHandler(sys.stdout))\n"
        "log.warning('begins')"
    ),
    "a class that writes and no more": (
        "class Tee:\n    def __init__(self, *streams):\n        self.streams = streams\n    def write(self, text):\n"
        "        for each in self.streams:\n            each.write(text)\n"
        "sys.stdout = Tee(sys.stdout, open('log.txt', 'w', encoding='utf-8'))"
    ),
}
PRINTING = """
print("größer ∇")
print("größer ∇", file=sys.stderr)
def odd():
    print("größer ∇", file=sys.stdout)
    print("größer ∇", file=sys.stderr)
    return True
"""

PROGRAMS = [
    *(Honest(f"prints to {name}", f"import sys\n{source}{PRINTING}") for name, source in OUTPUTS.items()),
    Honest(
        "many threads of BLAS",
        """
import os
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "4"
import numpy as np
def odd():
    A = np.random.default_rng(0).standard_normal((400, 400))
    return np.allclose(A @ A.T, (A @ A.T).T)
""",
    ),
    Honest(
        "a number of threads that is asked for",
        """
import numpy as np
from threadpoolctl import threadpool_limits
def odd():
    with threadpool_limits(4):
        return np.allclose(np.ones((400, 400)) @ np.ones(400), 400)
""",
        needs="threadpoolctl",
        weak="Permission denied: '/proc/self/maps'",
    ),
    Honest(
        "a pool of processes",
        """
import multiprocessing as mp
def odd():
    with mp.Pool(2) as pool:
        return pool.map(abs, [-1, 2]) == [1, 2]
""",
        weak="Permission denied",
    ),
    Honest(
        "a DataLoader of torch",
        """
import torch
from torch.utils.data import DataLoader, TensorDataset
def odd():
    loader = DataLoader(TensorDataset(torch.arange(10.0)), batch_size=4, shuffle=True, num_workers=0)
    return sum(batch.sum().item() for (batch,) in loader) == 45
""",
        needs="torch",
    ),
    Honest(
        "warnings and logging",
        """
import logging, sys, warnings
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
log = logging.getLogger(__name__)
warnings.simplefilter("always")
def odd():
    warnings.warn("slow", stacklevel=1)
    log.warning("step %d", 1)
    logging.FileHandler("run.log").close()
    return True
""",
    ),
    Honest(
        "a figure in a file",
        """
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import os
fig, ax = plt.subplots()
ax.semilogy([1, 0.1, 0.01], label="$f(x_k) - f^*$")
ax.legend()
fig.savefig("figure.png", dpi=50)
plt.show()
def odd():
    return os.path.getsize("figure.png") > 1000
""",
        needs="matplotlib",
    ),
    Honest(
        "a progress bar",
        """
from tqdm import tqdm
def descent(gradient, x0, learning_rate, num_steps):
    rows = [x0]
    for _ in tqdm(range(num_steps)):
        rows.append(rows[-1] - learning_rate * gradient(rows[-1]))
    return rows
""",
        needs="tqdm",
    ),
    Honest(
        "a table of pandas",
        "import pandas as pd\ndef odd():\n    return pd.DataFrame({'x': [1, 2]}).x.sum() == 3",
        needs="pandas",
    ),
    Honest(
        "seeds, a global, a default that is kept",
        """
import numpy as np
import random
np.random.seed(0)
random.seed(1)
count = 0
def descent(gradient, x0, learning_rate, num_steps, cache={}):
    global count
    count += 1
    cache[count] = x0
    np.random.seed(count)
    rows = np.zeros((num_steps + 1, x0.size))
    rows[0] = x0
    for k in range(num_steps):
        rows[k + 1] = rows[k] - learning_rate * gradient(rows[k])
    return rows
""",
    ),
    Honest(
        "classes, decorators, dataclasses, type hints",
        """
from __future__ import annotations
import functools
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Callable, Generic, NamedTuple, Protocol, TypeVar
if TYPE_CHECKING:
    from nowhere import Nothing
import numpy as np
T = TypeVar("T")
class Step(NamedTuple):
    k: int
    x: np.ndarray
class Rule(Protocol):
    def __call__(self, x: Nothing) -> Nothing: ...
class Method(ABC):
    @abstractmethod
    def steps(self) -> list[Step]: ...
@dataclass
class Descent(Method, Generic[T]):
    gradient: Callable[[np.ndarray], np.ndarray]
    start: np.ndarray
    rate: float
    count: int
    made: list[Step] = field(default_factory=list)
    def steps(self) -> list[Step]:
        x = self.start
        self.made.append(Step(0, x))
        for k in range(self.count):
            x = x - self.rate * self.gradient(x)
            self.made.append(Step(k + 1, x))
        return self.made
def logged(function):
    @functools.wraps(function)
    def inner(*args: float, **kwargs: float):
        print(f"{function.__name__} {len(args)=}")
        return function(*args, **kwargs)
    return inner
@logged
def descent(gradient, x0, learning_rate: float, num_steps: int) -> np.ndarray:
    return np.array([step.x for step in Descent(gradient, x0, learning_rate, num_steps).steps()])
""",
    ),
    Honest(
        "a generator",
        """
from itertools import islice
def iterates(gradient, x, rate):
    while True:
        yield x
        x = x - rate * gradient(x)
def descent(gradient, x0, learning_rate, num_steps):
    return list(islice(iterates(gradient, x0, learning_rate), num_steps + 1))
""",
    ),
    Honest(
        "recursion, as deep as the default allows",
        """
import sys
def count(n):
    return 0 if n == 0 else 1 + count(n - 1)
def descent(gradient, x0, learning_rate, num_steps):
    if num_steps == 0:
        assert sys.getrecursionlimit() >= 1000 and count(900) == 900
        return [x0]
    rows = descent(gradient, x0, learning_rate, num_steps - 1)
    return [*rows, rows[-1] - learning_rate * gradient(rows[-1])]
""",
    ),
    Honest(
        "a lambda, a walrus, a match, an f-string",
        """
import numpy as np
def odd():
    match [1, (2, 3)]:
        case [int(a), (b, c)] if (total := a + b + c) == 6:
            return f"{total!r:>3}" == "  6"
descent = lambda gradient, x0, learning_rate, num_steps: np.array(
    [x := x0] + [x := x - learning_rate * gradient(x) for _ in range(num_steps)])
""",
    ),
    Honest(
        "a module, a package and data beside it",
        """
from helper import rate_of
from tools.steps import one
import json, numpy as np
with open("data/settings.json") as file:
    settings = json.load(file)
table = np.loadtxt("data/table.csv", delimiter=",")
with open("out.txt", "w") as file:
    file.write("x" * settings["length"])
def odd():
    return len(open("out.txt").read()) == 3 and table.sum() == 10 and rate_of(1) == 1 and one() == 1
""",
        files={
            "helper.py": b"def rate_of(x):\n    return x\n",
            "tools/__init__.py": b"",
            "tools/steps.py": b"from helper import rate_of\ndef one():\n    return rate_of(1)\n",
            "data/settings.json": b'{"length": 3}',
            "data/table.csv": b"1,2\n3,4\n",
        },
    ),
    Honest(
        "another Python, or a sentence",
        """
import subprocess, sys
def odd():
    try:
        done = subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True, timeout=60)
        return done.stdout == "42\\n" or done.stderr
    except OSError as error:
        return str(error)
""",
    ),
    Honest(
        "a process beside it",
        """
import multiprocessing as mp
def work(pipe):
    pipe.send(sum(range(10)))
def odd():
    ours, theirs = mp.Pipe()
    process = mp.Process(target=work, args=(theirs,))
    process.start()
    answer = ours.recv()
    process.join()
    return answer == 45
""",
    ),
    Honest(
        "threads, tasks and sleep",
        """
import asyncio, queue, threading, time
from concurrent.futures import ThreadPoolExecutor
async def later(x):
    await asyncio.sleep(0.01)
    return x
async def both():
    return await asyncio.gather(later(1), later(2))
def odd():
    with ThreadPoolExecutor(4) as pool:
        squares = list(pool.map(lambda x: x * x, range(4)))
    line = queue.Queue()
    threading.Thread(target=line.put, args=(1,)).start()
    time.sleep(0.01)
    return squares == [0, 1, 4, 9] and asyncio.run(both()) == [1, 2] and line.get(timeout=30) == 1
""",
    ),
    Honest(
        "an oracle asked from a thread",
        """
from concurrent.futures import ThreadPoolExecutor
def descent(gradient, x0, learning_rate, num_steps):
    rows = [x0]
    with ThreadPoolExecutor(2) as pool:
        for _ in range(num_steps):
            rows.append(rows[-1] - learning_rate * pool.submit(gradient, rows[-1]).result())
    return rows
""",
    ),
    Honest(
        "temporary files, a data base, a mapped array, a pickle",
        """
import os, pickle, shutil, sqlite3, tempfile
import numpy as np
class Point:
    def __init__(self, x):
        self.x = x
def odd():
    with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile() as file:
        file.write(b"x")
        np.savez(os.path.join(folder, "a.npz"), x=np.ones(3))
        kept = np.load(os.path.join(folder, "a.npz"))["x"]
    base = sqlite3.connect(":memory:")
    base.execute("create table t (x real)")
    base.execute("insert into t values (2.5)")
    mapped = np.memmap("mapped", dtype=float, mode="w+", shape=(4,))
    mapped[:] = 3.0
    mapped.flush()
    again = pickle.loads(pickle.dumps(Point(7)))
    os.makedirs("a/b")
    shutil.rmtree("a")
    numbers = (kept.sum(), base.execute("select x from t").fetchone()[0], np.memmap("mapped", float).sum(), again.x)
    return numbers == (3.0, 2.5, 12.0, 7)
def descent(gradient, x0, learning_rate, num_steps):
    if not os.path.exists("mapped"):
        assert odd()
    rows = [x0]
    for _ in range(num_steps):
        rows.append(rows[-1] - learning_rate * gradient(rows[-1]))
    return rows
""",
    ),
    Honest(
        "C, a cache, contexts",
        """
import contextlib, ctypes, functools, io
libc = ctypes.CDLL(None)
compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
@functools.lru_cache(maxsize=None)
def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)
@contextlib.contextmanager
def quiet():
    with contextlib.redirect_stdout(io.StringIO()) as text:
        yield text
def odd():
    numbers = (ctypes.c_int * 3)(3, 1, 2)
    libc.qsort(numbers, 3, 4, compare(lambda a, b: a[0] - b[0]))
    with quiet() as text, contextlib.suppress(ZeroDivisionError):
        print("hidden")
        1 / 0
    return list(numbers) == [1, 2, 3] and fibonacci(80) == 23416728348467685 and text.getvalue() == "hidden\\n"
""",
    ),
    Honest(
        "names in other scripts, and a very long line",
        "schrittlänge = 1\nΔ = 2\n梯度 = 3\nТ = [" + ", ".join(map(str, range(30_000))) + "]\n"
        "def odd():\n    return schrittlänge + Δ + 梯度 == 6 and len(Т) == 30_000 and '🙂'.isprintable()\n",
    ),
    Honest(
        "a main program that tests itself",
        """
import doctest, unittest
def half(x):
    '''
    >>> half(3.0)
    1.5
    '''
    return x / 2
class Tests(unittest.TestCase):
    def test_half(self):
        self.assertEqual(half(2), 1)
passed = False
if __name__ == "__main__":
    print("testing")
    passed = doctest.testmod().failed == 0
    unittest.main(argv=[""], exit=False, verbosity=0)
def odd():
    return passed
""",
    ),
    Honest(
        "an own exception, chained, and a finally",
        """
class Diverged(Exception):
    pass
def fails():
    try:
        1 / 0
    except ZeroDivisionError as error:
        raise Diverged("x") from error
def odd():
    try:
        fails()
    except Diverged as error:
        return isinstance(error.__cause__, ZeroDivisionError)
    finally:
        print("done")
""",
    ),
    Honest(
        "an instance that is called",
        """
import numpy as np
class Method:
    def __call__(self, gradient, x0, learning_rate, num_steps):
        rows = np.empty((num_steps + 1, len(x0)), order="F")
        rows[0] = x0
        for k in range(num_steps):
            np.subtract(rows[k], learning_rate * gradient(rows[k]), out=rows[k + 1])
        return rows
descent = Method()
""",
    ),
]
