"""CUDA for student code: prepared before the code, started when the code first uses it.

CUDA does not survive a fork, so nothing here starts it; the warm parent and the loader stay free of it.
"""

from __future__ import annotations

from typing import Any

_WORD = "torch+cuda:"


def gpu_environment(memory_mb: int) -> str:
    """The environment "torch" on a GPU, of whose memory each process may use so much: `torch+cuda:4096`."""
    return f"{_WORD}{memory_mb}"


def gpu_memory(environment: str) -> int:
    """Bytes of the GPU's memory that each process may use; 0 in an environment without a GPU."""
    return int(environment.removeprefix(_WORD)) << 20 if environment.startswith(_WORD) else 0


def prepare_cuda(torch: Any, memory: int) -> None:
    """Choose what makes results comparable, and cap the memory; both take effect when CUDA starts.

    Args:
        torch: the module.
        memory: bytes of the GPU's memory. PyTorch's own limit: honest code keeps to it, other code can lift it.
    """
    # TF32 keeps 10 bits of what is called float32.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False

    def cap() -> None:
        for device in range(torch.cuda.device_count()):
            total = torch.cuda.get_device_properties(device).total_memory
            torch.cuda.set_per_process_memory_fraction(min(1.0, memory / total), device)

    torch.cuda._lazy_call(cap)  # what `torch.cuda.manual_seed` uses; there is no public way
