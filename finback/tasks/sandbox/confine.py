"""What does Linux keep a program from? Namespaces, an empty root, lost privileges, a system call filter.

Plain ctypes on the C library, no dependency: this runs in the worker process, which imports nothing of Finback.
- The filter is the wall that counts. It is an allow list: what computing, waiting and writing to an open pipe
  need; every other call (open, fork, clone, socket, kill, ptrace, close ...) fails with EPERM, in C code too.
- Namespaces and the empty root stand behind it: nothing is there to reach if a call were let through.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import sys

NOBODY = 65534
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

# include/uapi/linux/{sched,mount,prctl,seccomp,audit}.h
_NEW_MOUNTS, _NEW_CGROUP, _NEW_UTS, _NEW_IPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
_NEW_USER, _NEW_PIDS, _NEW_NET = 0x10000000, 0x20000000, 0x40000000
_READ_ONLY, _NO_SUID, _NO_DEVICES, _NO_EXEC, _REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
_DETACH = 2
_PARENT_DEATH_SIGNAL, _SET_SECCOMP, _NO_NEW_PRIVILEGES, _FILTER_MODE = 1, 22, 38, 2
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_EPERM = 1

# Audit architecture, pivot_root's number and the numbers of the calls that are allowed.
_SYSTEM_CALLS: dict[str, tuple[int, int, dict[str, int]]] = {
    "x86_64": (0xC000003E, 155, {
        "read": 0, "write": 1, "poll": 7, "lseek": 8, "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12,
        "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "select": 23, "sched_yield": 24, "mremap": 25,
        "madvise": 28, "nanosleep": 35, "getpid": 39, "exit": 60, "gettimeofday": 96, "getrusage": 98, "times": 100,
        "sigaltstack": 131, "gettid": 186, "time": 201, "futex": 202, "restart_syscall": 219, "clock_gettime": 228,
        "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231, "pselect6": 270, "ppoll": 271, "getrandom": 318,
    }),
    "aarch64": (0xC00000B7, 41, {
        "lseek": 62, "read": 63, "write": 64, "pselect6": 72, "ppoll": 73, "exit": 93, "exit_group": 94, "futex": 98,
        "nanosleep": 101, "clock_gettime": 113, "clock_getres": 114, "clock_nanosleep": 115, "sched_yield": 124,
        "restart_syscall": 128, "sigaltstack": 132, "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139,
        "times": 153, "getrusage": 165, "gettimeofday": 169, "getpid": 172, "gettid": 178, "brk": 214, "munmap": 215,
        "mremap": 216, "mmap": 222, "mprotect": 226, "madvise": 233, "getrandom": 278,
    }),
}  # fmt: skip


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(_Instruction)))


def allow_only(architecture: int, numbers: list[int]) -> _Program:
    """A BPF program over struct seccomp_data: number at byte 0, architecture at byte 4."""
    load, equal, end = 0x20, 0x15, 0x06
    code = [(load, 0, 0, 4), (equal, 1, 0, architecture), (end, 0, 0, _KILL), (load, 0, 0, 0)]
    # Each comparison jumps over the rest of them and over the refusal.
    code += [(equal, len(numbers) - i, 0, number) for i, number in enumerate(numbers)]
    code += [(end, 0, 0, _ERRNO | _EPERM), (end, 0, 0, _ALLOW)]
    return _Program(len(code), (_Instruction * len(code))(*code))


def system_call_filter() -> _Program | None:
    if sys.platform != "linux" or platform.machine() not in _SYSTEM_CALLS:
        return None
    architecture, _, calls = _SYSTEM_CALLS[platform.machine()]
    return allow_only(architecture, sorted(calls.values()))


def install(program: _Program) -> None:
    """From here on this process and its memory are all that its code can reach. There is no way back."""
    _check(_LIBC.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "no_new_privs")
    _check(_LIBC.prctl(_SET_SECCOMP, _FILTER_MODE, ctypes.byref(program), 0, 0), "seccomp")


def die_with_parent() -> None:
    if _LIBC is not None:
        _LIBC.prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def new_namespaces() -> bool:
    """Own processes (for children), mounts, network, IPC and host name; a user namespace first where root is needed."""
    if _LIBC is None or platform.machine() not in _SYSTEM_CALLS:
        return False
    uid, gid = os.geteuid(), os.getegid()
    flags = _NEW_MOUNTS | _NEW_CGROUP | _NEW_UTS | _NEW_IPC | _NEW_PIDS | _NEW_NET
    if _LIBC.unshare(flags if uid == 0 else flags | _NEW_USER) != 0:
        return False
    if uid != 0:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{NOBODY} {uid} 1"), ("gid_map", f"{NOBODY} {gid} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    return True


def empty_root() -> bool:
    """Makes an empty read-only folder the root; needs `new_namespaces`."""
    pivot_root = _SYSTEM_CALLS[platform.machine()][1]
    still = _NO_SUID | _NO_DEVICES | _NO_EXEC
    try:
        _check(_LIBC.mount(b"none", b"/", None, _RECURSIVE | _PRIVATE, None), "private mounts")
        _check(_LIBC.mount(b"none", b"/tmp", b"tmpfs", still, b"size=4k,mode=755"), "tmpfs")
        os.chdir("/tmp")
        _check(_LIBC.syscall(pivot_root, b".", b"."), "pivot_root")
        _check(_LIBC.umount2(b".", _DETACH), "umount2")
        os.chdir("/")
        _check(_LIBC.mount(b"none", b"/", None, _REMOUNT | _BIND | _READ_ONLY | still, None), "read-only root")
    except OSError:
        return False
    return os.listdir("/") == []


def drop_privileges() -> None:
    """Root becomes nobody; a user namespace's root loses its capabilities."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    if _LIBC is not None:
        header, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        _check(_LIBC.capset(header, nothing), "capset")


def _check(result: int, what: str) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
