"""The GPU of this machine: which files a program needs to see for CUDA.

Found by looking at files only, in the grader's process, which neither imports torch nor starts CUDA.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_NUMBERED = re.compile(r"nvidia\d+")
_NEEDED = ("nvidiactl", "nvidia-uvm")
_FURTHER = ("nvidia-uvm-tools",)
_PARTS = "nvidia-caps"
"""Holds the devices for parts of a GPU that is shared (MIG)."""
_DRIVER = re.compile(rb"(/[^\0]*)/libcuda\.so\.1\0")
"""How `ldconfig` writes the place of the driver's library into its cache."""
_CACHE = "etc/ld.so.cache"
_SYSTEM = ("sys/devices/system/cpu", "sys/devices/system/node", "sys/module/nvidia", "sys/module/nvidia_uvm")
_ON_THE_BUS = "proc/driver/nvidia/gpus"
"""Holds a folder for each GPU, with its address on the bus as name."""
_ALL_MAY_USE = stat.S_IROTH | stat.S_IWOTH
_HOW = "Install NVIDIA's driver and run `nvidia-smi` once; a container must be started with the GPU (`--gpus all`)."


class NoGpuError(OSError):
    """This machine has no GPU that a program can use. Its text says what is missing and what to do."""


@dataclass(frozen=True)
class Gpu:
    """Absolute paths."""

    devices: tuple[str, ...]
    """Device files, for reading, writing and their own commands."""
    shown: tuple[str, ...]
    """Folders for reading: the driver's libraries, and what the kernel says about the GPU."""


def find_gpu(root: Path = Path("/")) -> Gpu:
    """What there is.

    Args:
        root: the folder to take for the root of the machine.

    Raises:
        NoGpuError: something is missing.
    """
    return Gpu(tuple(_devices(root)), (*_libraries(root), *_kernel_files(root)))


def _devices(root: Path) -> Iterator[str]:
    folder = root / "dev"
    numbered = sorted(name for name in _names(folder) if _NUMBERED.fullmatch(name))
    if not numbered:
        raise NoGpuError(f"This machine shows no NVIDIA GPU: there is no /dev/nvidia0. {_HOW}")
    for name in (*numbered, *_NEEDED):
        if not (folder / name).exists():
            raise NoGpuError(f"/dev/{name} is missing. `nvidia-modprobe -u -c 0` makes it, as root. {_HOW}")
        if not _may_be_used(folder / name):
            whom = "student code runs as the user nobody" if os.geteuid() == 0 else "student code runs as you"
            raise NoGpuError(
                f"/dev/{name} may not be opened for reading and writing: {whom}. Run `chmod a+rw /dev/{name}`."
            )
        yield f"/dev/{name}"
    for name in (*_FURTHER, *(f"{_PARTS}/{part}" for part in sorted(_names(folder / _PARTS)))):
        if (folder / name).exists() and _may_be_used(folder / name, reading_is_enough=_PARTS in name):
            yield f"/dev/{name}"


def _may_be_used(file: Path, reading_is_enough: bool = False) -> bool:
    """Whether student code may open the file: as nobody where the grader is root, else as the grader's user."""
    if os.geteuid() == 0:
        wanted = stat.S_IROTH if reading_is_enough else _ALL_MAY_USE
        return file.stat().st_mode & wanted == wanted
    return os.access(file, os.R_OK if reading_is_enough else os.R_OK | os.W_OK)


def _libraries(root: Path) -> list[str]:
    """The folders in which the dynamic linker will find the driver's library."""
    try:
        cache = (root / _CACHE).read_bytes()
    except OSError:
        cache = b""
    found: list[str] = []
    for match in _DRIVER.finditer(cache):
        folder = os.fsdecode(match[1])
        if (root / folder.lstrip("/") / "libcuda.so.1").exists():
            found += [folder, _resolved(root, folder.lstrip("/"))]
    if not found:
        raise NoGpuError(
            "The dynamic linker does not find the driver's library libcuda.so.1. Install NVIDIA's driver; where it is "
            "in a folder of its own, write that folder into /etc/ld.so.conf.d/nvidia.conf and run `ldconfig`."
        )
    return list(dict.fromkeys(found))


def _kernel_files(root: Path) -> Iterator[str]:
    """What CUDA reads below /sys. The GPU's address there is a link, so its folder is shown, too."""
    on_the_bus = [f"sys/bus/pci/devices/{name}" for name in sorted(_names(root / _ON_THE_BUS))]
    for path in (*_SYSTEM, *on_the_bus):
        if (root / path).exists():
            yield from dict.fromkeys((f"/{path}", _resolved(root, path)))


def _resolved(root: Path, path: str) -> str:
    return "/" + os.path.relpath(os.path.realpath(root / path), os.path.realpath(root))


def _names(folder: Path) -> list[str]:
    return os.listdir(folder) if folder.is_dir() else []
