"""A program computes and nothing else: what it tries against the machine, the sandbox or its own verdict fails."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from finback.tasks.sandbox import Sandbox, SandboxError, confine

SECONDS = 0.4
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")
pytestmark = linux_only


@pytest.fixture(scope="module")
def box():
    with Sandbox(workers=2, seconds=SECONDS, memory=64 << 20, output=10_000) as box:
        yield box


def lines(text: str) -> str:
    return textwrap.dedent(text).strip()


def descendants(box: Sandbox) -> list[int]:
    """Every process that comes from the box: they keep the session of the worker that Popen started."""
    leaders = {worker.process.pid for worker in box._all}
    found = []
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue
        if entry.name.isdigit() and int(fields[3]) in leaders and fields[0] != "Z":
            found.append(int(entry.name))
    return found


# What a program is for

def test_a_program_prints_and_comes_to_its_end(box):
    outcome = box.run("def f(x):\n    return x * x\n\nprint(f(12))\nprint('ü', {3, 1, 2})")
    assert (outcome.status, outcome.output, outcome.error) == ("ok", "144\nü {1, 2, 3}\n", "")
    assert 0 < outcome.seconds < 60


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ("x = 1\n\n1 / 0", "line 3: ZeroDivisionError: division by zero"),
        ("def f():\n    return [][1]\nf()", "line 2: IndexError: list index out of range"),
        ("print(1", "line 1: SyntaxError: '(' was never closed"),
        ("assert 1 == 2", "line 1: AssertionError"),
        ("input()", "line 1: EOFError: EOF when reading a line"),
        ("import numpy", "line 1: ModuleNotFoundError: No module named 'numpy'"),
        ("def f(): f()\nf()", "line 1: RecursionError: maximum recursion depth exceeded"),
        ("class E(Exception):\n    def __str__(self): raise self\nraise E", "line 3: E: (its text could not be made)"),
        ("print(2 ** 20000)", "line 1: ValueError: Exceeds the limit (4300 digits) for integer string conversion"),
        ("'\udc00'", "UnicodeEncodeError"),
        ("raise ValueError('two\\nlines')", "line 1: ValueError: two\nlines"),
        ("\0", "SyntaxError: source code string cannot contain null bytes"),
        ("(" * 5000, "SyntaxError: too many nested parentheses"),
    ],
)
def test_an_error_names_line_type_and_reason(box, program, error):
    outcome = box.run(program)
    assert outcome.status in ("error", "memory") and error in outcome.error


def test_what_is_printed_before_an_error_is_kept(box):
    assert box.run("print('one')\nimport sys\nprint('two', file=sys.stderr)\nraise KeyError(3)").output == "one\ntwo\n"


def test_programs_share_nothing(box):
    box.run("import builtins, math; builtins.x = 5; math.pi = 3")
    assert box.run("import math; print(math.pi)\nx").output == "3.141592653589793\n"


def test_many_keep_their_order(box):
    outcomes = box.run_many([f"print({i})" if i % 3 else f"raise ValueError({i})" for i in range(40)])
    assert [o.output or o.error for o in outcomes] == [
        f"{i}\n" if i % 3 else f"line 1: ValueError: {i}" for i in range(40)
    ]


def test_the_same_program_prints_the_same(box):
    assert len({box.run("print({'a', 'b', 'c', 'd', 'e'})").output for _ in range(6)}) == 1


def test_common_modules_are_there(box):
    names = "bisect cmath collections dataclasses datetime decimal fractions functools hashlib heapq itertools json math "
    names += "operator random re statistics string textwrap typing unittest"
    program = "\n".join(f"import {name}" for name in names.split())
    program += "\n@dataclasses.dataclass\nclass P:\n    x: int\nprint(hashlib.md5(b'').hexdigest()[:4], P(1))"
    assert box.run(program).output == "d41d P(x=1)\n"


# Limits

@pytest.mark.parametrize(
    "program",
    [
        "while True: pass",
        "9 ** 9 ** 9 ** 9",
        "import re; re.match('(a+)+b', 'a' * 40)",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: pass",
        "import threading; threading.Lock().acquire() ; l = threading.Lock(); l.acquire(); l.acquire()",
        "import time; time.sleep(1000)",
        "import signal; signal.sigwait([signal.SIGUSR1])",
        "import os; os.read(3, 1)",
        "class A:\n    def __del__(self):\n        while True: pass\nA()",
    ],
)
def test_time_is_limited(box, program):
    start = time.monotonic()
    outcome = box.run(program)
    assert outcome.status in ("timeout", "error")
    if "sigwait" not in program:
        assert outcome.status == "timeout", outcome
    assert time.monotonic() - start < 30


@pytest.mark.parametrize(
    "program",
    [
        "x = [0] * 10 ** 9",
        "x = 'a'\nwhile True: x += x",
        "x = []\nwhile True: x.append(bytearray(1 << 20))",
        "x = bytearray(1 << 40)",
        "import mmap; mmap.mmap(-1, 1 << 30)",
    ],
)
def test_memory_is_limited(box, program):
    outcome = box.run(program)
    assert outcome.status == "memory" or "annot allocate" in outcome.error or "ModuleNotFound" in outcome.error, outcome


def test_memory_that_was_refused_can_be_survived(box):
    assert box.run("try:\n    x = [0] * 10 ** 9\nexcept MemoryError:\n    print('small then')").output == "small then\n"


@pytest.mark.parametrize(
    "program",
    ["while True: print('a' * 1000)", "print('a' * 10 ** 7)", "import os\nwhile True: os.write(1, b'x')", "import sys\nwhile True: sys.stderr.write('x')"],
)
def test_output_is_limited(box, program):
    outcome = box.run(program)
    assert outcome.status == "output" and len(outcome.output) == 10_000


def test_a_deep_c_stack_hurts_only_the_program(box):
    outcome = box.run("x = ()\nfor i in range(10 ** 6): x = (x,)\nprint(hash(x))" if sys.version_info < (3, 12) else "raise MemoryError")
    assert outcome.status in ("error", "memory", "timeout")
    assert box.run("print(1)").output == "1\n"


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
    "import from a folder": "import sys; sys.path.append('/tmp'); sys.path.append('/usr/lib/python3'); import antigravity",
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
    assert box.run(lines(program)).output.split() == ["0", "1", "2", "3", "4"]


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
        "import os; os.write(4, b'{\"status\": \"ok\", \"error\": \"\"}\\n')",
        "import os; os.write(4, b'0' * 32 + b'{\"status\": \"ok\", \"error\": \"\"}\\n'); os._exit(0)",
        "import os\nwhile True: os.write(4, b'x' * 60000)",
        "import os, json; json.dumps = lambda *_: '{\"status\": \"ok\", \"error\": \"\"}'; raise ValueError",
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


# Sessions

def test_a_session_remembers_and_shows_values(box):
    with box.session() as session:
        assert session.run("a = 3").output == ""
        assert session.run("a + 1").output == "4\n"
        assert session.run("def f(x):\n    return x * a\nf(5)").output == "15\n"
        assert session.run("f('no'); None").output == ""
        assert session.run("'text'").output == "'text'\n"
        assert session.run("print('p'); a").output == "p\n3\n"


def test_a_session_survives_errors(box):
    with box.session() as session:
        session.run("a = 3")
        assert session.run("b = 4\n1 / 0").error == "line 2: ZeroDivisionError: division by zero"
        assert session.run("a + b").output == "7\n"
        assert session.run("x = [0] * 10 ** 9").status == "memory"
        assert session.run("import sys; sys.exit()").status == "error"
        assert session.run("import sys; sys.stdout.close()").status in ("ok", "error")
        assert session.run("a + b").output == "7\n"


@pytest.mark.parametrize("cell", ["while True: pass", "import os; os._exit(0)", "while True: print('x' * 100)"])
def test_a_session_that_is_stopped_says_so_and_starts_afresh(box, cell):
    with box.session() as session:
        session.run("a = 3")
        assert session.run(cell).error.endswith("starts afresh, without its variables")
        assert session.run("a").error == "line 1: NameError: name 'a' is not defined"
        assert session.run("a = 4; a").status == "ok"
        assert session.run("a").output == "4\n"


def test_sessions_do_not_see_each_other(box):
    with box.session() as one, box.session() as two:
        one.run("a = 1")
        two.run("a = 2")
        assert (one.run("a").output, two.run("a").output) == ("1\n", "2\n")


def test_a_session_leaves_no_output_for_the_next_cell(box):
    with box.session() as session:
        session.run("import sys, os; sys.stdout.write('late'); os.write(1, b'early')")
        assert session.run("1").output == "1\n"


def test_a_closed_session_ends_its_process():
    with Sandbox(workers=1) as box:
        before = len(descendants(box))
        session = box.session()
        session.run("a = 1")
        assert len(descendants(box)) == before + 1
        session.close()
        box.run("")
        assert len(descendants(box)) == before
        assert session.run("a").error.startswith("line 1: NameError")


# Threads, deaths, ends

def test_many_threads_share_a_box(box):
    wrong = []

    def work(i):
        with box.session() as session:
            for j in range(5):
                session.run(f"a = {i * 100 + j}")
                if session.run("a").output != f"{i * 100 + j}\n" or box.run(f"print({i})").output != f"{i}\n":
                    wrong.append((i, j))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong and not any(t.is_alive() for t in threads)


def test_a_dead_worker_is_replaced():
    with Sandbox(workers=1) as box:
        session = box.session()
        session.run("a = 1")
        for _ in range(3):
            for pid in descendants(box):
                os.kill(pid, signal.SIGKILL)
            assert box.run("print(1)").output == "1\n"
        assert "starts afresh" in session.run("a").error
        assert session.run("a = 2; a").status == "ok"


def test_a_worker_that_dies_while_it_runs_is_replaced():
    with Sandbox(workers=1, seconds=20) as box:
        (worker,) = box._all
        killer = threading.Timer(0.3, worker.process.kill)
        killer.start()
        # The second try is stopped by closing the box.
        closer = threading.Timer(1.5, box.close)
        closer.start()
        assert box.run("while True: pass").status == "refused"
        closer.join()


def test_nothing_is_left_behind():
    box = Sandbox(workers=2, seconds=30)
    threads = [threading.Thread(target=box.run, args=("while True: pass",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    session = box.session()
    time.sleep(0.3)
    leaders = list(box._all)
    assert len(descendants(box)) >= 4
    box.close()
    for thread in threads:
        thread.join(10)
    assert not any(t.is_alive() for t in threads)
    assert all(w.process.returncode is not None for w in leaders) and descendants(box) == []
    assert box.run("1").status == session.run("1").status == "refused"
    assert [o.status for o in box.run_many(["1", "2"])] == ["refused", "refused"]
    box.close()


def test_workers_end_with_the_process_that_made_them():
    program = """
        import os, sys, threading, time
        from finback.tasks.sandbox import Sandbox
        box = Sandbox(workers=1, seconds=60)
        threading.Thread(target=box.run, args=("while True: pass",), daemon=True).start()
        time.sleep(0.3)
        print(next(iter(box._all)).process.pid, flush=True)
        os.kill(os.getpid(), 9)
    """
    result = subprocess.run([sys.executable, "-c", lines(program)], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    leader = int(result.stdout)
    for _ in range(100):
        if not Path(f"/proc/{leader}").exists():
            break
        time.sleep(0.1)
    stats = [p.read_text() for p in Path("/proc").glob("[0-9]*/stat") if p.exists()]
    assert not [s for s in stats if s.rsplit(")", 1)[1].split()[3] == str(leader) and " Z " not in s]


def test_without_a_filter_it_refuses_unless_told():
    program = """
        import ctypes, sys
        from finback.tasks.sandbox import Sandbox, SandboxError, confine
        # A machine without seccomp and namespaces: the calls that ask for them are refused.
        numbers = {"x86_64": (157, 272, 317), "aarch64": (167, 97, 277)}[__import__("platform").machine()]
        rows = [(0x20, 0, 0, 0)] + [(0x15, len(numbers) - i, 0, n) for i, n in enumerate(numbers)]
        rows += [(0x06, 0, 0, 0x7FFF0000), (0x06, 0, 0, 0x00050001)]
        confine.install(confine._Program(len(rows), (confine._Instruction * len(rows))(*rows)))
        try:
            Sandbox(workers=1)
        except SandboxError as error:
            print(error)
        with Sandbox(workers=1, unprotected=True, seconds=0.5) as box:
            print(box.protection)
            print(box.run("print(6 * 7)").output, box.run("while True: pass").status, box.run("x = [0] * 10 ** 9").status)
            print(box.run("import os; os.write(4, b'ok')").status, box.run("import os; os.close(4)").status)
    """
    result = subprocess.run([sys.executable, "-c", lines(program)], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    refusal, protection, first, second, third, *_ = result.stdout.split("\n") + [result.stderr] * 5
    assert "pass unprotected=True" in refusal
    assert protection.startswith("UNPROTECTED, as asked: no system call filter") and "namespace" not in protection
    assert (first, second, third) == ("42", " timeout memory", "error error")


def test_without_root_the_walls_are_the_same():
    if os.geteuid() != 0:
        pytest.skip("runs as somebody else already")
    python = "/usr/bin/python3"
    zygote = Path(confine.__file__).with_name("zygote.py")
    if not Path(python).exists() or subprocess.run([python, "-c", "import sys; assert sys.version_info >= (3, 11)"]).returncode:
        pytest.skip("there is no Python that everyone may run")
    import shutil
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for name in ("zygote.py", "cell.py", "confine.py"):
            shutil.copy(zygote.with_name(name), folder)
        program = """
            import json, socket, subprocess, sys
            ours, theirs = socket.socketpair()
            limits = json.dumps({"seconds": 1, "memory": 1 << 26, "output": 1000})
            process = subprocess.Popen([sys.executable, "-S", sys.argv[1], str(theirs.fileno()), limits], pass_fds=[theirs.fileno()])
            theirs.close()
            def hear():
                return json.loads(ours.recv(int.from_bytes(ours.recv(4), "big")))
            print(hear())
            for text in ("print(1)", "open('/etc/passwd')", "import os; os.fork()"):
                body = json.dumps({"do": "run", "text": text}).encode()
                ours.sendall(len(body).to_bytes(4, "big") + body)
                print(hear()["status"])
            ours.close()
            print(process.wait(10))
        """
        result = subprocess.run(
            [python, "-c", lines(program), f"{folder}/zygote.py"], capture_output=True, text=True, user="nobody", group="nogroup", cwd="/"
        )
    greeting, *rest = result.stdout.split("\n")
    if "namespaces" not in greeting:
        pytest.skip("this system gives namespaces to root only")
    assert "seccomp" in greeting and "empty read-only root" in greeting, result.stderr
    assert rest == ["ok", "error", "error", "0", ""]


def test_bad_limits_are_refused():
    with pytest.raises(ValueError, match="at least one worker"):
        Sandbox(workers=0)


def test_a_worker_that_cannot_start_is_explained(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/true")
    with pytest.raises(SandboxError, match="did not start"):
        Sandbox(workers=1)
