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
_ALWAYS = ("CUDA_VISIBLE_DEVICES",)
"""Which GPUs are ours, where several share a machine."""
_CUDA = {
    # TF32 keeps 10 bits of what is called float32.
    "NVIDIA_TF32_OVERRIDE": "0",
    # A question whether there is a GPU must not start CUDA, which does not survive a fork.
    "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
    # Every run has a fresh home, so what is compiled once would only fill it.
    "CUDA_CACHE_DISABLE": "1",
}
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
        # One heap, in huge pages where the system lets it: a fork has then far fewer pages to copy the table of.
        "PYTHONMALLOC": "malloc",
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
        **dict.fromkeys(_THREADS, "1"),
        **_CUDA,
    }
    return fixed | {name: os.environ[name] for name in (*_ALWAYS, *inherited) if name in os.environ}
