"""A program computes and nothing else: what it tries against the machine, the sandbox or its own verdict fails."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
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
    names = (
        "bisect cmath collections dataclasses datetime decimal fractions functools hashlib heapq itertools json math "
    )
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
        "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass",
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
    assert time.monotonic() - start < 150


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
    [
        "while True: print('a' * 1000)",
        "print('a' * 10 ** 7)",
        "import os\nwhile True: os.write(1, b'x')",
        "import sys\nwhile True: sys.stderr.write('x')",
    ],
)
def test_output_is_limited(box, program):
    outcome = box.run(program)
    assert outcome.status == "output" and len(outcome.output) == 10_000


def test_a_deep_c_stack_hurts_only_the_program(box):
    outcome = box.run(
        "x = ()\nfor i in range(10 ** 6): x = (x,)\nprint(hash(x))"
        if sys.version_info < (3, 12)
        else "raise MemoryError"
    )
    assert outcome.status in ("error", "memory", "timeout")
    assert box.run("print(1)").output == "1\n"


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
                with contextlib.suppress(ProcessLookupError):  # it died of the one before
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
    result = subprocess.run(
        [sys.executable, "-c", lines(program)], capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    leader = int(result.stdout)
    for _ in range(100):
        if not Path(f"/proc/{leader}").exists():
            break
        time.sleep(0.1)
    stats = [p.read_text() for p in Path("/proc").glob("[0-9]*/stat") if p.exists()]
    assert not [s for s in stats if s.rsplit(")", 1)[1].split()[3] == str(leader) and " Z " not in s]


# A process in which some system calls are refused, as on a machine that does not have them.
WITHOUT = """
import platform, sys
from finback.tasks.sandbox import Sandbox, SandboxError, confine
def without(*numbers):
    rows = [(0x20, 0, 0, 0)] + [(0x15, len(numbers) - i, 0, n) for i, n in enumerate(numbers)]
    rows += [(0x06, 0, 0, 0x7FFF0000), (0x06, 0, 0, 0x00050001)]
    confine.install(confine._Program(len(rows), (confine._Instruction * len(rows))(*rows)))
PRCTL, UNSHARE, SECCOMP = {"x86_64": (157, 272, 317), "aarch64": (167, 97, 277)}[platform.machine()]
"""


def python(program: str) -> list[str]:
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT + lines(program)], capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    assert not result.stderr, result.stderr
    return result.stdout.split("\n")


def test_without_a_filter_it_refuses_unless_told():
    refusal, protection, first, second, third, _ = python("""
        without(PRCTL, UNSHARE, SECCOMP)
        try:
            Sandbox(workers=1)
        except SandboxError as error:
            print(error)
        with Sandbox(workers=1, unprotected=True, seconds=0.5) as box:
            print(box.protection)
            print(box.run("print(6 * 7)").output, box.run("while True: pass").status, box.run("[0] * 10 ** 9").status)
            print(box.run("import os; os.write(4, b'ok')").status, box.run("import os; os.close(4)").status)
    """)
    assert "pass unprotected=True" in refusal
    assert protection.startswith("UNPROTECTED, as asked: no system call filter") and "namespace" not in protection
    assert (first, second, third) == ("42", " timeout memory", "error error")


def test_without_namespaces_the_filter_stands_alone_and_says_so():
    protection, first, second, _ = python("""
        without(UNSHARE)
        with Sandbox(workers=1, seconds=0.5) as box:
            print(box.protection)
            escapes = "open('/etc/passwd')", "import os; os.fork()", "import socket; socket.socket()"
            print([box.run(p).status for p in ("print(1)", *escapes)])
            print(box.run("import os; os.kill(os.getppid(), 9)").status, box.run("print(2)").output.strip())
    """)
    assert "seccomp" in protection and "namespaces" not in protection and "root" not in protection
    assert (first, second) == ("['ok', 'error', 'error', 'error']", "error 2")


def test_without_root_the_walls_are_the_same():
    if os.geteuid() != 0:
        pytest.skip("runs as somebody else already")
    python = "/usr/bin/python3"
    zygote = Path(confine.__file__).with_name("zygote.py")
    if (
        not Path(python).exists()
        or subprocess.run([python, "-c", "import sys; assert sys.version_info >= (3, 11)"]).returncode
    ):
        pytest.skip("there is no Python that everyone may run")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for name in ("zygote.py", "cell.py", "confine.py"):
            shutil.copy(zygote.with_name(name), folder)
        program = """
            import json, socket, subprocess, sys
            ours, theirs = socket.socketpair()
            limits = json.dumps({"seconds": 1, "memory": 1 << 26, "output": 1000})
            command = [sys.executable, "-S", sys.argv[1], str(theirs.fileno()), limits]
            process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
            theirs.close()
            def hear():
                return json.loads(ours.recv(int.from_bytes(ours.recv(4), "big")))
            print(hear())
            for text in ("print(1)", "open('/etc/passwd')", "import os; os.fork()"):
                body = json.dumps({"do": "run", "text": text}).encode()
                ours.sendall(len(body).to_bytes(4, "big") + body)
                print(hear()["status"])
            ours.close()
            print(process.wait(60))
        """
        result = subprocess.run(
            [python, "-c", lines(program), f"{folder}/zygote.py"],
            capture_output=True,
            text=True,
            user="nobody",
            group="nogroup",
            cwd="/",
        )
    greeting, *rest = result.stdout.split("\n")
    if "seccomp" in greeting and "namespaces" not in greeting:
        pytest.skip("this system gives namespaces to root only")
    assert "seccomp" in greeting and "namespaces" in greeting and "empty read-only root" in greeting, result.stderr
    assert rest == ["ok", "error", "error", "0", ""]


def test_bad_limits_are_refused():
    with pytest.raises(ValueError, match="at least one worker"):
        Sandbox(workers=0)


def test_a_worker_that_cannot_start_is_explained(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/true")
    with pytest.raises(SandboxError, match="did not start"):
        Sandbox(workers=1)


def test_waiting_for_a_processor_is_not_held_against_a_program():
    """Six programs on one processor: by the clock each needs six times as long."""
    processor = {min(os.sched_getaffinity(0))}
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, processor)
    try:
        with Sandbox(workers=6, seconds=0.2) as box:
            program = "import time\nwhile time.process_time() < 0.15: pass\nprint('done')"
            assert [o.status for o in box.run_many([program] * 6)] == ["ok"] * 6
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.slow
def test_nothing_hangs_when_everything_goes_wrong_at_once():
    """Hostile programs in many threads, plain and in sessions, while workers are killed under them."""
    hostile = [
        "print(1)", "1 / 0", "import os; os._exit(3)", "while True: pass", "x = [0] * 10 ** 9",
        "while True: print('x' * 999)", "import os; os.write(4, b'z' * 70000)", "raise SystemExit",
    ]  # fmt: skip
    with Sandbox(workers=2, seconds=0.05) as box:

        def work(seed):
            rng = random.Random(seed)
            with box.session() as session:
                for _ in range(15):
                    (box if rng.random() < 0.6 else session).run(rng.choice(hostile))

        threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for _ in range(6):
            time.sleep(0.5)
            next(iter(list(box._all))).process.kill()
        for thread in threads:
            thread.join(120)
        assert not any(t.is_alive() for t in threads)
        assert box.run("print(2)").output == "2\n"
        leaders = [w.process.pid for w in box._all]
    assert len(leaders) == 2 and descendants(box) == []
