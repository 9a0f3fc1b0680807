"""The system calls of Linux that Python's standard library does not offer.

Numbers from 424 on are the same on every architecture. Each function raises OSError with the call's name.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Callable

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REC = 0x4000
MS_BIND = 0x1000
MS_PRIVATE = 0x40000

MOUNT_ATTR_RDONLY = 0x1
MOUNT_ATTR_NOSUID = 0x2

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_SET_CHILD_SUBREAPER = 36
PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4

_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_MNT_DETACH = 2
_OPEN_TREE_CLONE = 1
_MOVE_MOUNT_F_EMPTY_PATH = 4
_SYS_OPEN_TREE, _SYS_MOVE_MOUNT, _SYS_CLOSE_RANGE, _SYS_MOUNT_SETATTR = 428, 429, 436, 442
_SYS_LANDLOCK_CREATE_RULESET, _SYS_LANDLOCK_ADD_RULE, _SYS_LANDLOCK_RESTRICT_SELF = 444, 445, 446
_LANDLOCK_VERSION = 1
_LANDLOCK_PATH_BENEATH = 1
_SECCOMP_SET_MODE_FILTER = 1
_SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4
_BPF_INSTRUCTION = 8
_CAPABILITY_VERSION_3 = 0x20080522
_LAST_CAPABILITY = 63

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(name: str, function: Callable[..., int], *arguments: object) -> int:
    result = function(*arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def _syscall(name: str, number: int, *arguments: object) -> int:
    return _checked(name, _libc.syscall, ctypes.c_long(number), *arguments)


def _text(path: str) -> bytes:
    return os.fsencode(path)


def unshare(flags: int) -> None:
    """Move this process (for pid: its children) into new namespaces."""
    _checked("unshare", _libc.unshare, flags)


def mount(kind: str, target: str, flags: int = 0, options: str = "") -> None:
    """Mount a new file system of a kind such as "tmpfs"."""
    _checked(
        f"mount {kind}",
        _libc.mount,
        _text(kind),
        _text(target),
        _text(kind),
        ctypes.c_ulong(flags),
        _text(options),
    )


def bind(source: str, target: str) -> None:
    """Make a file or folder, and what is mounted below it, appear at a second place."""
    flags = ctypes.c_ulong(MS_BIND | MS_REC)
    _checked("mount --bind", _libc.mount, _text(source), _text(target), None, flags, None)


def make_private(path: str) -> None:
    """Mounts made below `path` from now on are seen in this namespace only."""
    flags = ctypes.c_ulong(MS_REC | MS_PRIVATE)
    _checked("mount --make-rprivate", _libc.mount, None, _text(path), None, flags, None)


def detach_copy(path: str) -> int:
    """A copy of a mount and all below it, attached nowhere, as a file descriptor."""
    flags = _OPEN_TREE_CLONE | os.O_CLOEXEC | _AT_RECURSIVE
    return _syscall("open_tree", _SYS_OPEN_TREE, _AT_FDCWD, _text(path), ctypes.c_uint(flags))


def attach(descriptor: int, target: str) -> None:
    """Attach what `detach_copy` returned."""
    flags = ctypes.c_uint(_MOVE_MOUNT_F_EMPTY_PATH)
    _syscall("move_mount", _SYS_MOVE_MOUNT, descriptor, b"", _AT_FDCWD, _text(target), flags)


def restrict(path: str, attributes: int, recursive: bool = True) -> None:
    """Set attributes such as read-only on a mount and all below it."""
    request = struct.pack("<QQQQ", attributes, 0, 0, 0)
    flags = ctypes.c_uint(_AT_RECURSIVE if recursive else 0)
    buffer = ctypes.create_string_buffer(request, len(request))
    size = ctypes.c_size_t(len(request))
    _syscall("mount_setattr", _SYS_MOUNT_SETATTR, _AT_FDCWD, _text(path), flags, buffer, size)


def change_root(root: str) -> None:
    """Make `root` (a mount) the root folder and let go of the old one."""
    os.chdir(root)
    _checked("pivot_root", _libc.pivot_root, b".", b".")
    _checked("umount2", _libc.umount2, b".", _MNT_DETACH)
    os.chdir("/")


def control(option: int, value: int = 0) -> None:
    """`prctl` with one argument."""
    zero = ctypes.c_ulong(0)
    _checked("prctl", _libc.prctl, option, ctypes.c_ulong(value), zero, zero, zero)


def forbid_capabilities() -> None:
    """No program that is executed from now on gets a capability (bounding and ambient set are emptied)."""
    for capability in range(_LAST_CAPABILITY + 1):
        try:
            control(PR_CAPBSET_DROP, capability)
        except OSError:
            break  # the kernel knows no more
    control(PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)


def drop_capabilities() -> None:
    """Give up every capability of this process."""
    header = ctypes.create_string_buffer(struct.pack("<II", _CAPABILITY_VERSION_3, 0), 8)
    nothing = ctypes.create_string_buffer(24)
    _checked("capset", _libc.capset, header, nothing)


def landlock_version() -> int:
    """What the kernel's Landlock can restrict, as a number that grows; raises where there is none."""
    zero = ctypes.c_size_t(0)
    flags = ctypes.c_uint(_LANDLOCK_VERSION)
    return _syscall("landlock_create_ruleset", _SYS_LANDLOCK_CREATE_RULESET, None, zero, flags)


def landlock_ruleset(attributes: bytes) -> int:
    """A new set of rules, as a file descriptor. `attributes`: `struct landlock_ruleset_attr` of the version."""
    size = ctypes.c_size_t(len(attributes))
    no_flags = ctypes.c_uint(0)
    return _syscall("landlock_create_ruleset", _SYS_LANDLOCK_CREATE_RULESET, attributes, size, no_flags)


def landlock_allow(ruleset: int, place: int, rights: int) -> None:
    """Allow `rights` on a file, or below a folder, that is open as `place`."""
    rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, place), 12)
    no_flags = ctypes.c_uint(0)
    _syscall("landlock_add_rule", _SYS_LANDLOCK_ADD_RULE, ruleset, _LANDLOCK_PATH_BENEATH, rule, no_flags)


def landlock_enter(ruleset: int) -> None:
    """Restrict this process, and all that it starts, for good; needs `no_new_privs`."""
    _syscall("landlock_restrict_self", _SYS_LANDLOCK_RESTRICT_SELF, ruleset, ctypes.c_uint(0))


def install_filter(number: int, instructions: bytes) -> None:
    """Let a seccomp filter decide about every system call from now on, for good; needs `no_new_privs`.

    Args:
        number: of the system call `seccomp`, which differs from one architecture to the next.
        instructions: compiled BPF.
    """
    program = ctypes.create_string_buffer(instructions, len(instructions))
    count = len(instructions) // _BPF_INSTRUCTION
    request = ctypes.create_string_buffer(struct.pack("HP", count, ctypes.addressof(program)))
    # Without the flag older kernels switch off speculation, which makes numeric code slow.
    flags = ctypes.c_uint(_SECCOMP_FILTER_FLAG_SPEC_ALLOW)
    _syscall("seccomp", number, ctypes.c_uint(_SECCOMP_SET_MODE_FILTER), flags, request)


def close_from(first: int) -> None:
    """Close all file descriptors from `first` on."""
    _syscall("close_range", _SYS_CLOSE_RANGE, ctypes.c_uint(first), ctypes.c_uint(0xFFFFFFFF), ctypes.c_uint(0))
