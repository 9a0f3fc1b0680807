"""The packages that are imported before any student code, so that no student waits for them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable

from grader.guest.gpu import gpu_memory, prepare_cuda

# Numpy loads some of its parts only when they are used.
_NUMPY = ("numpy", "numpy.random", "numpy.linalg", "numpy.fft", "numpy.polynomial")
PRELOADED = {
    "matplotlib": ("matplotlib.pyplot",),
    "scipy": ("scipy.linalg", "scipy.optimize", "scipy.sparse", "scipy.special"),
    "pandas": ("pandas",),
    # What a subclass of Optimizer imports when it is first used: a second of the student's processor time.
    "torch.optim": ("torch", "torch._dynamo"),
    "torch": ("torch",),
}
"""Name that a program mentions -> modules that are imported ahead for it, where they are installed.

A name stands before the ones that it contains.
"""


def load(environment: str) -> None:
    """Import what student code will use, with one thread each.

    Args:
        environment: "numpy", "torch", or what `grader.guest.gpu.gpu_environment` returns.

    Raises:
        ImportError: a package is not installed; its text says what to do.
    """
    for module in _NUMPY:
        importlib.import_module(module)
    memory = gpu_memory(environment)
    if memory or environment == "torch":
        try:
            torch = importlib.import_module("torch")
        except ImportError as error:
            raise ImportError(f"PyTorch is not installed ({error}); install it with `pip install torch`.") from error
        torch.set_num_threads(1)
        if memory:
            prepare_cuda(torch, memory)


def preload(names: Iterable[str]) -> None:
    """Import the modules of `PRELOADED` for these names; what is not installed, the student's code will tell."""
    for name in names:
        for module in PRELOADED.get(name, ()):
            try:
                importlib.import_module(module)
            except ImportError:
                break
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
