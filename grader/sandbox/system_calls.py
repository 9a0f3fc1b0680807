"""Which system calls student code may make: a seccomp filter, compiled once, installed in every run.

Whatever is not named here fails with "function not implemented", which the C library takes for an old kernel and works
around. libseccomp knows the numbers of every architecture and makes a search tree of them.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass

from grader.sandbox import kernel

_FILES = """
access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl
epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 faccessat faccessat2 fallocate fchdir fchmod fchmodat
fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fremovexattr fsetxattr fstat fstatfs fsync
ftruncate futimesat getcwd getdents getdents64 getxattr ioctl lchown lgetxattr link linkat listxattr llistxattr
lremovexattr lseek lsetxattr lstat mkdir mkdirat mknod mknodat newfstatat open openat openat2 pipe pipe2 poll ppoll
pread64 preadv pselect6 pwrite64 pwritev read readlink readlinkat readv removexattr
rename renameat renameat2 rmdir select sendfile setxattr splice stat statfs statx symlink symlinkat sync_file_range
tee truncate umask unlink unlinkat utime utimensat utimes vmsplice write writev
"""
_MEMORY = """
brk get_mempolicy mbind membarrier mlock mlock2 mlockall mmap mprotect mremap msync munlock
munlockall munmap pkey_alloc pkey_free pkey_mprotect set_mempolicy
"""
_PROCESSES = """
arch_prctl execve execveat exit exit_group fork futex futex_waitv get_robust_list getcpu getegid geteuid getgid
getgroups getpgid getpgrp getpid getppid getpriority getresgid getresuid getrlimit getrusage getsid gettid getuid
pidfd_open prctl prlimit64 restart_syscall rseq sched_get_priority_max sched_get_priority_min sched_getaffinity
sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam
sched_setscheduler sched_yield set_robust_list set_tid_address setpriority setrlimit vfork wait4 waitid
"""
_SIGNALS = """
alarm getitimer pause rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend
rt_sigtimedwait setitimer sigaltstack signalfd signalfd4
"""
_TIME = """
clock_getres clock_gettime clock_nanosleep gettimeofday nanosleep time timer_create timer_delete timer_getoverrun
timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime times
"""
_SOCKETS = "getpeername getsockname getsockopt recvfrom recvmmsg recvmsg sendmmsg sendmsg sendto setsockopt shutdown"
_MACHINE = "getrandom sysinfo uname"

_ADDRESSES = "accept accept4 bind connect listen"
_SIGNALLING = "kill pidfd_send_signal rt_sigqueueinfo rt_tgsigqueueinfo tgkill tkill"
_GROUPS = "setpgid setsid"
_NAMES_AND_DATES = """
chmod chown fchmod fchmodat fchmodat2 fchown fchownat fremovexattr fsetxattr futimesat lchown lremovexattr lsetxattr
removexattr setxattr utime utimensat utimes
"""
"""What changes a file without opening it, which Landlock does not see."""

_SETTINGS = "prlimit64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler"
"""What sets limits and priorities of a process: of this one where its first argument is 0, else of another one."""

_ADVICE = (*range(5), 8, 10, 11, *range(14, 20), 22, 23, 102, 103)
"""What `madvise` may say about memory. Not what pushes pages out of it, makes holes in files, or merges equal pages."""
_INT = 0xFFFFFFFF
"""The bits of an argument that the kernel takes where it wants an `int`."""

_KIND_OF_SOCKET = 0xF
_NEW_NAMESPACE = 0x7E020000
"""Every flag of `clone` that asks for a namespace of its own."""

_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_EQUAL, _UNEQUAL, _MASKED_EQUAL = 4, 1, 7
_OPTIMIZE = 8
_SEARCH_TREE = 2


class _Comparison(ctypes.Structure):
    """What an argument of a system call must be."""

    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


_UNIX = _Comparison(0, _EQUAL, socket.AF_UNIX, 0)
_NOT_UNIX = _Comparison(0, _UNEQUAL, socket.AF_UNIX, 0)
"""The family of a socket. That of a pair too: the kernel looks for any other one, and may load a module for it."""


@dataclass(frozen=True)
class Filter:
    """A compiled seccomp filter."""

    number: int
    """Of the system call `seccomp`, which differs from one architecture to the next."""
    instructions: bytes

    def install(self) -> None:
        """Restrict this process, and all that it starts, for good; needs `no_new_privs`.

        Raises:
            OSError: the kernel does not filter.
        """
        kernel.install_filter(self.number, self.instructions)


def namespaced_filter() -> Filter:
    """For a run that has namespaces of its own.

    Raises:
        OSError: libseccomp is not there, or too old.
    """
    with _Rules() as rules:
        rules.allow(_ADDRESSES, _SIGNALLING, _GROUPS)
        for name in ("socket", "socketpair"):
            rules.allow_if(name, _UNIX)
            rules.fail_if(name, errno.ENETUNREACH, _NOT_UNIX)
        return rules.compiled()


def bare_filter(scoped: bool) -> Filter:
    """For a run that shares the machine's users, processes and network.

    It may not leave its process group, through which it is ended; may not slow down or limit a process of the same
    user, such as the warm parent; has no sockets but pairs; and what changes a file's mode or date only pretends to
    succeed.

    Args:
        scoped: something else (Landlock) keeps its signals in; otherwise it may send none.

    Raises:
        OSError: libseccomp is not there, or too old.
    """
    with _Rules(without=f"{_NAMES_AND_DATES} {_SETTINGS} setpriority") as rules:
        if scoped:
            rules.allow(_SIGNALLING)
        for name in _SETTINGS.split():
            rules.allow_if(name, _Comparison(0, _EQUAL, 0, 0))
            rules.fail_if(name, errno.EPERM, _Comparison(0, _UNEQUAL, 0, 0))
        rules.allow_if("setpriority", _Comparison(0, _EQUAL, os.PRIO_PROCESS, 0), _Comparison(1, _EQUAL, 0, 0))
        rules.fail("socket", errno.ENETUNREACH)
        for connected in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
            # A pair of datagram sockets could send to any other socket of the machine that has a name.
            rules.allow_if("socketpair", _UNIX, _Comparison(1, _MASKED_EQUAL, _KIND_OF_SOCKET, connected))
        rules.fail_if("socketpair", errno.ENETUNREACH, _NOT_UNIX)
        rules.fail(_GROUPS, errno.EPERM)
        rules.fail(_NAMES_AND_DATES, 0)
        return rules.compiled()


class _Rules:
    """A filter under construction; whatever has no rule fails with ENOSYS. A context manager."""

    def __init__(self, without: str = "") -> None:
        self._library = _libseccomp()
        self._context = self._library.seccomp_init(ctypes.c_uint32(_ERRNO | errno.ENOSYS))
        if not self._context:
            raise OSError("libseccomp makes no filter")
        self._set(_OPTIMIZE, _SEARCH_TREE)
        left_out = set(without.split())
        for group in (_FILES, _MEMORY, _PROCESSES, _SIGNALS, _TIME, _SOCKETS, _MACHINE):
            self.allow(*(name for name in group.split() if name not in left_out))
        self.allow_if("clone", _Comparison(0, _MASKED_EQUAL, _NEW_NAMESPACE, 0))
        # The machine's cache of files is shared by all runs: one could drop and load pages, and another one could see
        # which are there. Hence also no `mincore`, `readahead`, `cachestat`, `preadv2` and `pwritev2`.
        self.fail("fadvise64", 0)
        for advice in _ADVICE:
            self.allow_if("madvise", _Comparison(2, _MASKED_EQUAL, _INT, advice))

    def __enter__(self) -> _Rules:
        return self

    def __exit__(self, *_: object) -> None:
        self._library.seccomp_release(ctypes.c_void_p(self._context))

    def allow(self, *groups: str) -> None:
        self._add(_ALLOW, " ".join(groups).split())

    def allow_if(self, name: str, *comparisons: _Comparison) -> None:
        self._add(_ALLOW, [name], *comparisons)

    def fail(self, names: str, number: int) -> None:
        self._add(_ERRNO | number, names.split())

    def fail_if(self, name: str, number: int, comparison: _Comparison) -> None:
        self._add(_ERRNO | number, [name], comparison)

    def compiled(self) -> Filter:
        memory = os.memfd_create("filter")
        try:
            self._check(self._library.seccomp_export_bpf(ctypes.c_void_p(self._context), memory))
            instructions = os.pread(memory, os.fstat(memory).st_size, 0)
        finally:
            os.close(memory)
        return Filter(self._library.seccomp_syscall_resolve_name(b"seccomp"), instructions)

    def _set(self, attribute: int, value: int) -> None:
        self._check(self._library.seccomp_attr_set(ctypes.c_void_p(self._context), attribute, ctypes.c_uint32(value)))

    def _add(self, action: int, names: Iterable[str], *comparisons: _Comparison) -> None:
        for name in names:
            number = self._library.seccomp_syscall_resolve_name(name.encode())
            if number < 0:
                continue  # not on this architecture, or newer than the library
            array = (_Comparison * len(comparisons))(*comparisons)
            self._check(
                self._library.seccomp_rule_add_array(
                    ctypes.c_void_p(self._context), ctypes.c_uint32(action), number, len(comparisons), array
                )
            )

    @staticmethod
    def _check(result: int) -> None:
        if result < 0:
            raise OSError(-result, f"libseccomp: {os.strerror(-result)}")


def _libseccomp() -> ctypes.CDLL:
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    return library
