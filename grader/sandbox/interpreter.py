"""How a fresh interpreter for student code is started: nothing of our environment, one thread a library."""

from __future__ import annotations

import os
import sys

_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "BLIS_NUM_THREADS",
)
# No user packages, no folder of the script, no `site` (and so no start-up files), no written bytecode.
_FLAGS = ("-s", "-P", "-S", "-B")


def command(code: str, *arguments: str) -> list[str]:
    """The command that executes `code`, which has to set its own `sys.path`."""
    return [sys.executable, *_FLAGS, "-c", code, *arguments]


def environment(inherited: tuple[str, ...] = ()) -> dict[str, str]:
    """The variables of the new process.

    The seed of the hashes is fixed, so that a program that iterates over a set does the same each time.

    Args:
        inherited: names of variables that are taken over.
    """
    fixed = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": "/tmp",
        "MPLBACKEND": "Agg",
        "PYTHONHASHSEED": "0",
        **dict.fromkeys(_THREADS, "1"),
    }
    return fixed | {name: os.environ[name] for name in inherited if name in os.environ}
