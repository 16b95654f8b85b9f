"""Whatever a program tries against the machine, the sandbox or the verdict on itself, it gets nowhere."""

from __future__ import annotations

import sys
import textwrap

import pytest

from finback.tasks.sandbox import Sandbox, confine

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")


@pytest.fixture(scope="module")
def box():
    with Sandbox(workers=2, seconds=0.4, memory=64 << 20, output=10_000) as box:
        yield box


# Escapes: each of these prints "free" if it gets anywhere.

ESCAPES = {
    "read a file": "open('/etc/passwd').read()",
    "read the package": f"open({confine.__file__!r}).read()",
    "read a home": "import pathlib; list(pathlib.Path('/root').iterdir())",
    "read its own memory map": "open('/proc/self/maps').read()",
    "read the parent's environment": "open('/proc/1/environ').read()",
    "write a file": "open('/tmp/x', 'w').write('x')",
    "write where it stands": "open('x', 'w').write('x')",
    "look around": "import os; os.listdir('/')",
    "ask whether a file is there": "import os; os.stat('/')",
    "make a folder": "import os; os.mkdir('/x')",
    "make a temporary file": "import tempfile; tempfile.TemporaryFile()",
    "change folder": "import os; os.chdir('/')",
    "open a device": "open('/dev/zero', 'rb').read(1)",
    "memory file": "import os; os.memfd_create('x')",
    "shared memory": "import multiprocessing.shared_memory as m; m.SharedMemory(create=True, size=10)",
    "fork": "import os; os.fork()",
    "fork bomb": "import os\nwhile True: os.fork()",
    "spawn": "import subprocess; subprocess.run(['true'])",
    "posix_spawn": "import os; os.posix_spawn('/bin/true', ['true'], {})",
    "exec": "import os; os.execv('/bin/sh', ['sh'])",
    "shell": "import os; assert os.system('true') == 0",
    "thread": "import threading; threading.Thread(target=print).start()",
    "raw thread": "import _thread; _thread.start_new_thread(print, ())",
    "socket": "import socket; socket.socket()",
    "unix socket": "import socket; socket.socketpair()",
    "name lookup": "import socket; socket.getaddrinfo('localhost', 80)",
    "pipe": "import os; os.pipe()",
    "kill the parent": "import os; os.kill(os.getppid() if os.getppid() > 0 else 1, 9)",
    "kill everyone": "import os; os.kill(-1, 9)",
    "kill the group": "import os; os.killpg(0, 9)",
    "stop the parent by pidfd": "import os; os.pidfd_open(1)",
    "new session": "import os; os.setsid()",
    "priority": "import os; os.nice(-5)",
    "become root": "import os; os.setuid(0)",
    "raise a limit": "import resource; resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
    "new namespace": "import ctypes; assert ctypes.CDLL(None).unshare(0x10000000) == 0",
    "ptrace": "import ctypes; assert ctypes.CDLL(None).ptrace(16, 1, 0, 0) == 0",
    "mount": "import ctypes; assert ctypes.CDLL(None).mount(b'none', b'/', b'tmpfs', 0, None) == 0",
    "raw open": "import ctypes; assert ctypes.CDLL(None).open(b'/etc/passwd', 0) >= 0",
    "raw system call": "import ctypes; assert ctypes.CDLL(None).syscall(257, -100, b'/', 0) >= 0",
    "32-bit system call number": "import ctypes; assert ctypes.CDLL(None).syscall(0x40000000 + 2, b'/', 0) >= 0",
    "undo the filter": "import ctypes; assert ctypes.CDLL(None).prctl(22, 0, 0, 0, 0) == 0",
    "read another process's memory": "import ctypes; assert ctypes.CDLL(None).syscall(310, 1, 0, 0, 0, 0, 0) >= 0",
    "io_uring": "import ctypes; assert ctypes.CDLL(None).syscall(425, 1, bytes(200)) >= 0",
    "close the error channel": "import os; os.close(4)",
    "move the output": "import os; os.dup2(4, 1)",
    "duplicate": "import os; os.dup(3)",
    "change a pipe": "import fcntl; fcntl.fcntl(1, 4, 0)",
    "alarm": "import signal; signal.setitimer(signal.ITIMER_REAL, 1)",
    "import from a folder": "import sys; sys.path.append('/usr/lib/python3'); import antigravity",
    "load a library": "import ctypes; ctypes.CDLL('libcrypt.so.1')",
    "reload a module": "import importlib, sys; import json; importlib.reload(json)",
    "Finback": "import finback",
    "the worker": "import zygote",
}  # fmt: skip


@pytest.mark.parametrize("escape", ESCAPES)
def test_no_way_out(box, escape):
    outcome = box.run(f"import os, sys, ctypes\n{ESCAPES[escape]}\nprint('free')")
    assert "free" not in outcome.output and outcome.status in ("error", "memory"), outcome
    assert "SyntaxError" not in outcome.error and "NameError" not in outcome.error, "this tried nothing"
    assert box.run("print(1)").output == "1\n"


def test_the_environment_is_empty(box):
    assert box.run("import os, sys; print(dict(os.environ), sys.argv, sys.path)").output == "{} [''] []\n"


def test_only_its_own_five_files_are_open(box):
    program = """
        import os
        for fd in range(1024):
            try:
                os.lseek(fd, 0, os.SEEK_CUR)
                print(fd)
            except OSError as error:
                if error.errno != 9:
                    print(fd)
    """
    assert box.run(textwrap.dedent(program)).output.split() == ["0", "1", "2", "3", "4"]


def test_the_walls_are_named(box):
    for word in ("seccomp", "without privileges", "limits"):
        assert word in box.protection
    assert "UNPROTECTED" not in box.protection


# The verdict


@pytest.mark.parametrize(
    "program",
    [
        "import os; os._exit(0)",
        "import sys; sys.exit()",
        "raise SystemExit(0)",
        "exit = None; raise SystemExit",
        "import os; os.abort()",
        "import ctypes; ctypes.string_at(0)",
        "import os; os.write(4, b'ok')",
        'import os; os.write(4, b\'{"status": "ok", "error": ""}\\n\')',
        'import os; os.write(4, b\'0\' * 32 + b\'{"status": "ok", "error": ""}\\n\'); os._exit(0)',
        "import os\nwhile True: os.write(4, b'x' * 60000)",
        'import os, json; json.dumps = lambda *_: \'{"status": "ok", "error": ""}\'; raise ValueError',
        "import builtins; builtins.isinstance = lambda *_: True; raise ValueError",
        "import builtins; builtins.BaseException = ZeroDivisionError; raise ValueError",
        "import atexit; atexit.register(print, 'late'); raise ValueError",
        "import sys; sys.excepthook = lambda *_: None; raise ValueError",
        "import sys; sys.stdout.close(); raise ValueError",
        "import sys; sys.stdout = None; raise ValueError",
        "import os; os._exit = None; os.write = None; raise ValueError",
        "import gc; [o.clear() for o in gc.get_objects() if type(o) is dict]",
    ],
)
def test_what_stops_early_is_not_ok(box, program):
    assert box.run(program + "\nassert False").status == "error"
    assert box.run("print(1)").output == "1\n"


def test_closing_standard_output_loses_only_output(box):
    outcome = box.run("import sys; print('a'); sys.stdout.close(); x = 1")
    assert outcome.status in ("ok", "error") and box.run("print(1)").output == "1\n"


@pytest.mark.parametrize("program", [None, 3, b"print(1)", "x" * 1_000_001])
def test_what_is_no_program_is_refused(box, program):
    assert box.run(program).status == "refused"
