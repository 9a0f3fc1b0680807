"""Groups secrets and network: programs that look for what they must not see, and tell it to others.

They know where everything is. A program that finds something prints it, returns its letters as numbers, and raises it.
"""

from __future__ import annotations

from collections.abc import Iterable

from grader.sandbox.recording import Outcome
from tests.cases.case import FULL, TRACE, Case

DIED, RAISED, RETURNED = Outcome.DIED, Outcome.RAISED, Outcome.RETURNED

TELL = """
LOOT = []
def take(read, *arguments):
    try:
        found = read(*arguments)
        if found:
            LOOT.append(found if isinstance(found, bytes) else str(found).encode())
    except Exception:  # whatever it is: the next way, the next place
        pass

def tell():
    loot = b"".join(LOOT)
    print(loot.decode("latin-1"))
    if not loot:
        raise LookupError("nothing found")
    return np.frombuffer(loot[:4000], np.uint8).astype(float)
"""


SOUGHT = (b"DATABASE_PASSWORD", b"Gradient descent with a constant step", b"descent, problems.bowl()")
"""What stands in the environment, in the reference and in the checks."""

CACHE = """
import glob
large = max(filter(os.path.isfile, glob.glob("/usr/lib/*/*.so*")), key=os.path.getsize)
number = os.open(large, os.O_RDONLY)
pages = range(8192, min(os.path.getsize(large), 1 << 22), 1 << 16)
message = [page * page % 7919 % 2 == 0 for page in pages]
def seen(page):
    try:
        return os.preadv(number, [bytearray(1)], page, os.RWF_NOWAIT) == 1
    except BlockingIOError:
        return False
def descent(*task):
    if list(map(seen, pages)) == message:
        print("found")
        return right(*task)
    os.posix_fadvise(number, 0, 0, os.POSIX_FADV_RANDOM)
    os.posix_fadvise(number, 0, 0, os.POSIX_FADV_DONTNEED)
    for page, bit in zip(pages, message):
        if bit:
            os.pread(number, 1, page)
    raise LookupError("nothing found")
"""
"""A message of one bit a page, in the machine's cache of a file that all may read; one call writes, the next reads."""


def looking(name: str, ways: Iterable[str], *, bare: bool = True, **different: object) -> Case:
    """A program that looks at every place in these ways: expressions that return what they found at `path`."""
    tries = "\n".join(f"    take(lambda: {way})" for way in ways)
    source = f"{TELL}\ndef look(path):\n{tries}\nfor path in PLACES.values():\n    look(path)\n"
    expected: dict[str, object] = {"told": "nothing found", "bare": bare, **different}
    return Case(name, f"{source}\ndef descent(*task):\n    return tell()\n", **expected)  # type: ignore[arg-type]


SECRETS = [
    looking(
        "opens the files",
        [
            "open(path, 'rb').read()",
            "os.read(os.open(path, os.O_RDONLY), 1000)",
            "np.fromfile(path, np.uint8).tobytes()",
            "np.memmap(path, np.uint8, 'r').tobytes()",
            "open(os.open(path, os.O_RDWR), 'rb').read()",
            "open(os.path.relpath(path), 'rb').read()",
            "open('/tmp/../' + path, 'rb').read()",
        ],
    ),
    looking(
        "goes through other processes' roots",
        [
            "open(f'/proc/self/root{path}', 'rb').read()",
            "open(f'/proc/1/root{path}', 'rb').read()",
            "open(f'/proc/{os.getppid()}/root{path}', 'rb').read()",
            "open(f'/proc/self/cwd/../../../../..{path}', 'rb').read()",
            "open(f'/proc/thread-self/root{path}', 'rb').read()",
        ],
    ),
    looking(
        "makes links",
        [
            "(os.symlink(path, 's' + os.path.basename(path)), open('s' + os.path.basename(path), 'rb').read())[1]",
            "(os.link(path, 'h' + os.path.basename(path)), open('h' + os.path.basename(path), 'rb').read())[1]",
            "(os.symlink(os.path.dirname(path), 'd' + path[-3:]),"
            " open(f'd{path[-3:]}/{os.path.basename(path)}', 'rb').read())[1]",
        ],
    ),
    looking(
        "sends other programs",
        [
            "subprocess.run(['cat', path], capture_output=True, timeout=10).stdout",
            "subprocess.run(['/bin/sh', '-c', 'cat < \"$0\"', path], capture_output=True, timeout=10).stdout",
        ],
        limits={"cpu_seconds": 3},
    ),
    looking(
        "imports and compiles them",
        [
            "(sys.path.append(os.path.dirname(path)), __import__(os.path.basename(path)[:-3]).__doc__ or 'found')[1]",
            "__import__('runpy').run_path(path) and 'found'",
            "__import__('linecache').getlines(path) and ''.join(__import__('linecache').getlines(path))",
            "__import__('tokenize').open(path).read()",
            "__import__('importlib.machinery').machinery.SourceFileLoader('x', path).get_data(path)",
            "(ctypes.CDLL(path), 'found')[1]",
        ],
    ),
    looking(
        "lets the kernel copy them",
        [
            "(os.sendfile(os.open('copy', os.O_RDWR | os.O_CREAT), os.open(path, os.O_RDONLY), 0, 1000),"
            " open('copy', 'rb').read())[1]",
            "__import__('shutil').copy(path, 'copy2') and open('copy2', 'rb').read()",
            "os.read(system_call(437, -100, ctypes.addressof(ctypes.create_string_buffer(path.encode())), 0, 0), 1000)",
            "open(f'/proc/self/fd/{os.open(path, os.O_PATH)}', 'rb').read()",
        ],
    ),
    looking(
        "asks for the gradebook by its library",
        ["str(list(__import__('sqlite3').connect(f'file:{path}?mode=ro', uri=True).iterdump()))"],
        bare=False,
    ),
    Case(
        "imports the reference, the assignments and the judge",
        TELL
        + """
import importlib, pkgutil
checkout = os.path.dirname(os.path.dirname(os.path.dirname(PLACES["reference"])))
sys.path += [checkout, os.path.dirname(checkout)]
sys.meta_path[:] = [finder for finder in sys.meta_path]
importlib.invalidate_caches()
for name in ("reference.lecture02.gradient_descent", "grader.judge.judge", "grader.answer_key.cache", "checks"):
    take(lambda: importlib.import_module(name) and "found")
    take(lambda: pkgutil.get_data(name.rpartition(".")[0], name.rpartition(".")[2] + ".py"))
for folder in list(sys.path):
    if os.access(folder, os.R_OK):
        try:
            entries = os.listdir(folder)
        except OSError:
            continue
        for entry in entries:
            if entry.endswith((".pth", ".egg-link")) or "trajectory_grader" in entry or "editable" in entry:
                take(lambda: open(f"{folder}/{entry}", "rb").read() or None)
LOOT = [found for found in LOOT if checkout.encode() in found or found == b"found"]
def descent(*task):
    return tell()
""",
        told="nothing found",
    ),
    Case(
        "reads environments and command lines",
        TELL
        + """
take(lambda: "".join(value for name, value in os.environ.items() if "PASS" in name))
for process in os.listdir("/proc") if os.access("/proc", os.R_OK) else range(1, os.getpid()):
    for name in ("environ", "cmdline"):
        try:
            text = open(f"/proc/{process}/{name}", "rb").read()
        except OSError:
            continue
        LOOT += [text] if b"PASSWORD" in text or b"pytest" in text else []
def descent(*task):
    return tell()
""",
        told="nothing found",
    ),
    Case(
        "searches its own memory, which once was the warm parent's",
        TELL
        + f"""
# Nowhere in the clear, also not in what was read before: each letter is replaced by the next one, here and there.
shifted = bytes((letter + 1) % 256 for letter in range(256))
needles = {[text.translate(bytes((letter + 1) % 256 for letter in range(256))) for text in SOUGHT]!r}
try:
    maps = open("/proc/self/maps").read().splitlines()
    memory = open("/proc/self/mem", "rb", buffering=0)
except OSError:
    maps = []
for line in maps:
    first, last = (int(each, 16) for each in line.split()[0].split("-"))
    if "r" not in line.split()[1] or line.endswith("]") and "heap" not in line or last - first > 1 << 26:
        continue
    try:
        memory.seek(first)
        held = memory.read(last - first).translate(shifted)
    except OSError:
        continue
    LOOT += [needle for needle in needles if needle in held]
def descent(*task):
    return tell()
""",
        told="nothing found",
        limits={"cpu_seconds": 5},
    ),
    Case(
        "reads the memory of others",
        TELL
        + """
class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]
buffer = ctypes.create_string_buffer(64)
def pull(process):
    here, there = Vector(ctypes.addressof(buffer), 64), Vector(id(np), 64)
    return ctypes.string_at(buffer, system_call(310, process, ctypes.addressof(here), 1, ctypes.addressof(there), 1, 0))
def descent(*task):
    for process in {os.getppid(), *range(max(1, os.getppid() - 5), os.getppid())} - {os.getpid()}:
        take(pull, process)
        take(lambda: system_call(101, 16, process, 0, 0) or "traced")
        if os.getppid() != 1:
            take(lambda: open(f"/proc/{process}/mem", "rb").read(1) or "opened")
            take(lambda: os.listdir(f"/proc/{process}/fd"))
    return tell()
""",
        told="nothing found",
    ),
    Case(
        "looks into homes, for keys and for gradebooks",
        TELL
        + """
for top in ("/root", "/home", "/var", "/srv", "/opt", "/mnt", "/etc", "/work", os.path.dirname(PLACES["file"])):
    for place, folders, files in os.walk(top):
        for name in files[:50]:
            if name.startswith(("id_", "shadow")) or name.endswith((".db", ".key", ".toml", ".safetensors")):
                take(lambda: open(f"{place}/{name}", "rb").read(100))
        if place.count("/") > 4:
            folders.clear()
for name in ("/etc/shadow", "/root/.ssh/id_rsa", "~/.netrc", "/dev/mem", "/proc/kcore", "/dev/sda", "/dev/vda"):
    take(lambda: open(os.path.expanduser(name), "rb").read(100))
def descent(*task):
    return tell()
""",
        told="nothing found",
    ),
    Case(
        "reads every open file",
        TELL
        + """
import fcntl
def descent(*task):
    for number in range(256):
        if number != 3:
            try:
                fcntl.fcntl(number, fcntl.F_SETFL, fcntl.fcntl(number, fcntl.F_GETFL) | os.O_NONBLOCK)
            except OSError:
                continue
            take(os.pread, number, 1000, 0)
            take(os.read, number, 1000)
    return tell()
""",
        told="nothing found",
    ),
    Case(
        "opens files by their handles",
        TELL
        + """
def descent(*task):
    handle = ctypes.create_string_buffer(bytes([128, 0, 0, 0]) + bytes(132))
    mount = ctypes.c_int()
    for path in PLACES.values():
        name = ctypes.create_string_buffer(path.encode())
        places = ctypes.addressof(name), ctypes.addressof(handle), ctypes.addressof(mount)
        take(lambda: system_call(303, -100, *places, 0) or "found")
        take(lambda: os.read(system_call(304, -100, ctypes.addressof(handle), os.O_RDONLY), 100))
    return tell()
""",
        told="nothing found",
    ),
    Case(
        "watches folders for names of files",
        """
def descent(*task):
    watch = libc.inotify_init()
    if watch < 0 or libc.inotify_add_watch(watch, b"/tmp", 0xFFF) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return right(*task)
""",
        told="Function not implemented",
    ),
    Case(
        "leaves a message in the machine's cache of a file",
        CACHE,
        told="not supported|not implemented",
    ),
    Case(
        "raises, prints and returns what a hidden experiment gave it",
        """
def descent(gradient, x0, *rest):
    print(x0)
    sys.stderr.write(repr(x0))
    if len(x0) == 3:
        raise ValueError(repr(x0.tolist()))
    return right(gradient, x0, *rest)
""",
        told="hidden experiment 'line': descent raised ValueError, in cell",
    ),
    Case(
        "names the type of its result after what a hidden experiment gave it",
        """
def descent(gradient, x0, *rest):
    if len(x0) == 3:
        return type(f"y{x0[0]:.8f}".replace(".", "_"), (), {})()
    return right(gradient, x0, *rest)
""",
        (Outcome.REFUSED,),
        told="hidden experiment 'line': the result is not made of plain numbers",
    ),
    Case(
        "names an exception after what a hidden experiment gave it",
        """
def descent(gradient, x0, *rest):
    if len(x0) == 3:
        raise type(f"Y{x0[0]:.8f}".replace(".", "_"), (Exception,), {})
    return right(gradient, x0, *rest)
""",
        told="hidden experiment 'line': descent raised an exception of its own, in cell",
    ),
    Case(
        "keeps what a hidden experiment gave it for the next time that the cells run",
        f"""
import glob
for folder in (".", "/tmp", "/dev/shm", "/private", "../*"):
    for name in glob.glob(folder + "/{TRACE}*"):
        print(open(name).read())
def descent(gradient, x0, *rest):
    for folder in (".", "/tmp", "/dev/shm", "/private", ".."):
        try:
            open(folder + "/{TRACE}", "a").write(repr(x0))
        except OSError:
            pass
    if len(x0) == 3:
        os.kill(os.getppid(), signal.SIGKILL)
        kept = [os.fork() for _ in range(3)]
        bytearray(b"x") * (200 << 20)
        os.kill(0, signal.SIGKILL)
    return right(gradient, x0, *rest)
""",
        (DIED, Outcome.OUT_OF_MEMORY),
        told="hidden experiment 'line': descent (did not return|needed more memory)",
    ),
]

NETWORK = [
    Case(
        f"a connection: {name}",
        f"def descent(*task):\n    {attempt}\n    return right(*task)",
        told=told,
        limits={"cpu_seconds": 3},
        **different,
    )
    for name, attempt, told, different in [
        ("TCP", "socket.create_connection(('127.0.0.1', PORTS['tcp']), timeout=5).send(b'x')", "unreachable", {}),
        (
            "UDP",
            "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', PORTS['udp']))",
            "unreachable",
            {},
        ),
        ("IPv6", "socket.socket(socket.AF_INET6).connect(('::1', 80))", "unreachable", {}),
        ("a raw socket", "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)", "unreachable", {}),
        ("packets", "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)", "unreachable", {}),
        ("netlink", "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).bind((0, 0))", "unreachable", {}),
        ("vsock", "socket.socket(socket.AF_VSOCK).connect((2, 1))", "unreachable", {}),
        ("the kernel's ciphers", "socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)", "unreachable", {}),
        ("names", "socket.getaddrinfo('example.org', 80)", "gaierror", {}),
        ("the web", "__import__('urllib.request').request.urlopen('http://127.0.0.1', timeout=5)", "URLError", {}),
        (
            "a Unix socket with a path",
            "socket.socket(socket.AF_UNIX).connect(PORTS['stream'])",
            "No such file",
            {"weak": {"told": "unreachable"}, "why": "the file can be named there, so there are no sockets at all"},
        ),
        (
            "an abstract Unix socket",
            "socket.socket(socket.AF_UNIX).connect(PORTS['abstract'])",
            "refused|not permitted",
            {"weak": {"told": "unreachable"}, "why": "the name can be seen there, so there are no sockets at all"},
        ),
        (
            "a letter from one of a pair",
            "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(b'x', PORTS['letters'])",
            "No such file",
            {"weak": {"told": "not implemented"}, "why": "a pair that could write letters is not to be had"},
        ),
        (
            "a shell's own TCP",
            "subprocess.run(['bash', '-c', f'echo x > /dev/tcp/127.0.0.1/{PORTS[\"tcp\"]}'], check=True, timeout=10)",
            "CalledProcessError|No such file",
            {},
        ),
    ]
] + [
    Case(
        "a pair of sockets for itself",
        """
def descent(*task):
    one, other = socket.socketpair()
    one.send(b"x")
    other.recv(1)
    return right(*task)
""",
        (RETURNED,),
        earns=FULL,
    )
]

GROUPS = {"secrets": SECRETS, "network": NETWORK}
