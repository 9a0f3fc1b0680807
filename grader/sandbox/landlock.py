"""Landlock: the kernel's own list of what a process may open, which it can only make shorter.

It needs no privilege. What it restricts depends on its version in the kernel; what that does not know stays allowed.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterable

from grader.sandbox import kernel

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_ALL_FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
_TCP = 0b11
"""Listening and connecting; since version 4."""
_SCOPED = 0b11
"""Abstract Unix sockets and signals: only to processes that are as restricted; since version 6."""
_OF_A_FILE = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
"""The rights that a rule for a file, not a folder, may give."""

SIGNALS_SINCE = 6
"""The version that keeps signals in."""


def version() -> int:
    """Landlock's version; 0 where the kernel has none, or has it switched off."""
    try:
        return kernel.landlock_version()
    except OSError:
        return 0


def confine(
    readable: Iterable[str], writable: Iterable[str], devices: Iterable[str], listable: Iterable[str] = ()
) -> None:
    """From now on this process, and all that it starts, opens only what is named; no network, no new mounts.

    Args:
        readable: files and folders, with all below them, for reading and executing.
        writable: files and folders for everything.
        devices: files for reading, writing and their own commands (ioctl).
        listable: folders whose names may be listed, with those of all below them.

    Raises:
        OSError: there is no Landlock, or one of the paths does not exist.
    """
    known = kernel.landlock_version()
    handled = _ALL_FILE_RIGHTS[min(known, max(_ALL_FILE_RIGHTS))]
    attributes = struct.pack("=QQQ", handled, _TCP if known >= 4 else 0, _SCOPED if known >= SIGNALS_SINCE else 0)
    length = 24 if known >= SIGNALS_SINCE else 16 if known >= 4 else 8
    ruleset = kernel.landlock_ruleset(attributes[:length])
    try:
        for path in readable:
            _allow(ruleset, path, handled & (_EXECUTE | _READ_FILE | _READ_DIR))
        for path in listable:
            _allow(ruleset, path, _READ_DIR)
        for path in writable:
            _allow(ruleset, path, handled & ~_IOCTL_DEV)
        for path in devices:
            _allow(ruleset, path, handled & (_READ_FILE | _WRITE_FILE | _IOCTL_DEV))
        kernel.landlock_enter(ruleset)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= _OF_A_FILE
        if rights:
            kernel.landlock_allow(ruleset, place, rights)
    finally:
        os.close(place)
