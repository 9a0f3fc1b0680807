"""Group kernel: system calls that numeric code never makes. A program gives the right answer if one of them works."""

from __future__ import annotations

import platform

from grader.sandbox.recording import Outcome
from tests.cases.case import FULL, Case

NEITHER = "not implemented|not permitted|Permission denied|Invalid argument|Bad address|No such process"

CALLS = {
    "mount": [
        "165, text('none'), text('/tmp'), text('tmpfs'), 0, 0",
        "166, text('/tmp'), 2",
        "428, -100, text('/'), 1",
    ],
    "a new root": ["155, text('.'), text('.')", "161, text('/tmp')"],
    "ptrace": ["101, 0, 0, 0, 0", "101, 16, os.getppid(), 0, 0", "101, 0x4206, os.getppid(), 0, 0"],
    "bpf": ["321, 0, buffer(), 72", "321, 5, buffer(), 72"],
    "keys": ["248, text('user'), text('k'), text('v'), 1, -2", "250, 0, -3, 1", "249, text('user'), text('k'), 0, -2"],
    "perf": ["298, buffer(), 0, -1, -1, 0"],
    "io_uring": ["425, 8, buffer()", "427, 0, 0, 0, 0"],
    "userfaultfd": ["323, 1"],
    "new namespaces": [
        *(f"272, {flag}" for flag in (0x10000000, 0x20000, 0x20000000, 0x40000000, 0x4000000, 0x8000000, 0x2000000)),
        *(f"56, {flag} | 17, 0, 0, 0, 0" for flag in (0x10000000, 0x20000, 0x20000000, 0x40000000)),
        "308, 0, 0",
        "435, buffer(), 88",
    ],
    "another process's memory and files": [
        "310, os.getppid(), buffer(), 1, buffer(), 1, 0",
        "311, os.getppid(), buffer(), 1, buffer(), 1, 0",
        "438, os.pidfd_open(os.getppid()), 0, 0",
        "312, os.getpid(), os.getppid(), 0, 0, 0",
        "440, os.pidfd_open(os.getppid()), buffer(), 1, 4, 0",
        "256, os.getppid(), 8, buffer(), buffer()",
    ],
    "modules, and another kernel": [
        "175, buffer(), 8, text('')",
        "313, 0, text(''), 0",
        "246, 0, 0, 0, 0",
        "320, 0, 0, 0, 0, 0",
    ],
    "the machine": [
        "169, 0xfee1dead, 672274793, 0x1234567, 0",
        "167, text('/tmp/x'), 0",
        "163, text('/tmp/x')",
        "170, text('x'), 1",
        "164, buffer(), 0",
        "227, 0, buffer()",
        "103, 3, buffer(), 100",
        "172, 3",
        "173, 0, 1, 1",
    ],
    "other users": ["105, 0", "106, 0", "117, 0, 0, 0", "116, 0, 0", "126, buffer(), buffer()"],
    "System V and POSIX queues": [
        "29, 0x67726164, 4096, 0o1666",
        "64, 0x67726164, 1, 0o1666",
        "68, 0x67726164, 0o1666",
        "240, text('q'), 66, 0o666, 0",
    ],
    "what is in the machine's cache of files, and what shall be": [
        "27, page(), 4096, buffer()",
        "187, os.open(np.__file__, 0), 0, 4096",
        "327, os.open(np.__file__, 0), buffer(), 0, 0, 0, 8",
        "328, os.open('x', 66), buffer(), 0, 0, 0, 8",
        "451, os.open(np.__file__, 0), buffer(), buffer(), 0",
        *(f"28, page(), 4096, {advice} + {high}" for advice in (9, 12, 20, 21, 25) for high in (0, 1 << 32)),
    ],
    "rare kinds of memory and watching": [
        "447, 0",
        "300, 0, 0",
        "319, text('x'), 0",
        "216, 0, 4096, 0, 0, 0",
        "154, 0, buffer(), 16",
    ],
}

ACT = """
KEPT = []
def text(value):
    KEPT.append(ctypes.create_string_buffer(value.encode()))
    return ctypes.addressof(KEPT[-1])
def buffer():
    KEPT.append(ctypes.create_string_buffer(4096))
    return ctypes.addressof(KEPT[-1])
def page():
    KEPT.append(ctypes.create_string_buffer(8192))
    return ctypes.addressof(KEPT[-1]) + 4095 & ~4095
def descent(*task):
    worked = []
    for attempt in ATTEMPTS:
        try:
            system_call(*eval(f"({attempt},)"))
            worked.append(attempt)
        except OSError as error:
            refusal = error
    if not worked:
        raise refusal
    print(worked)
    return right(*task)
"""

KERNEL = [Case(name, f"ATTEMPTS = {attempts!r}\n{ACT}", told=NEITHER) for name, attempts in CALLS.items()] + [
    Case(
        "the second door for 32-bit numbers",
        f"ATTEMPTS = {['0x40000000 + 272, 0x10000000', '0x40000000 + 39']}\n{ACT}",
        (Outcome.DIED, Outcome.RAISED),
        told=f"crashed: bad system call|{NEITHER}",
    ),
    Case(
        "the first door for 32-bit numbers",
        """
import mmap
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes.fromhex("b814000000cd80c3"))  # mov eax, 20 (getpid); int 0x80; ret
enter = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
def descent(*task):
    if enter() <= 0:
        raise OSError("not implemented")
    return right(*task)
""",
        (Outcome.DIED, Outcome.RAISED),
        told="crashed: bad system call|not implemented",
    ),
    Case(
        "a filter of its own, to deceive those after it",
        """
def descent(*task):
    if libc.prctl(38, 0, 0, 0, 0) == 0 or libc.prctl(24, 0) == 0 or libc.prctl(28, 0) == 0:
        raise AssertionError("a privilege was given back")
    system_call(317, 1, 0, 0)
    return right(*task)
""",
        told="not implemented|Operation not permitted",
    ),
    Case(
        "programs that give rights to who starts them",
        """
def descent(*task):
    for program in ("/usr/bin/su", "/usr/bin/passwd", "/usr/bin/mount", "/bin/ping", "/usr/bin/unshare"):
        if os.path.exists(program):
            subprocess.run([program, "--version"], capture_output=True, timeout=10)
    if libc.prctl(39, 0, 0, 0, 0) != 1:  # no_new_privs
        return right(*task)
    raise PermissionError("not permitted")
""",
        told="not permitted",
        limits={"cpu_seconds": 3},
    ),
    Case(
        "ordinary calls of numeric code",
        "def descent(*task):\n    system_call(39)\n    system_call(186)\n    return right(*task)",
        (Outcome.RETURNED,),
        earns=FULL,
    ),
]

GROUPS = {"kernel": KERNEL} if platform.machine() == "x86_64" else {}
"""The numbers are those of one architecture."""
