"""What does a worker process do? It puts up the walls once, then forks a child for each program, and watches it.

Started as a script by `box.py` with one socket: a request (a length and JSON) comes in, its outcome goes out.
The modules that programs may import are loaded before the walls are up, since afterwards there are no files.
The watch is kept from outside the child: processor time, wall time, output, and death.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import secrets
import select
import signal
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cell  # noqa: E402
import confine  # noqa: E402

# ctypes is among them on purpose: what it can reach, crafted bytecode could reach too, and the filter holds for both.
MODULES = """abc argparse array ast base64 bisect builtins calendar cmath code codecs collections collections.abc
colorsys contextlib contextvars copy csv ctypes dataclasses datetime decimal difflib dis doctest enum errno fnmatch
fractions functools gc glob graphlib hashlib heapq hmac html inspect io itertools json keyword linecache locale
logging math numbers opcode operator os pathlib pickle platform posixpath pprint queue random re reprlib resource
secrets select shlex shutil signal socket stat statistics string stringprep struct subprocess symtable sys tempfile
textwrap threading time timeit token tokenize traceback types typing unicodedata unittest uuid warnings weakref zlib
encodings.ascii encodings.latin_1 encodings.utf_8 encodings.utf_16 encodings.utf_32 encodings.idna asyncio
concurrent.futures""".split()
FIRST_FREE_FD = 10
REPORT_LIMIT = 64 << 10
# By the clock a program gets three times its processor time. What it spends ready to run while others hold the
# processors is not counted, but for no longer than a minute.
WALL_TO_CPU, MOST_SECONDS_HELD_UP = 3, 60.0
TICK = 0.05
DYING_SECONDS = 2.0  # between the end of a child's channel and its own


class Child:
    """A forked child before or between programs: where its commands go and where output and report come from."""

    def __init__(self, limits: dict, seccomp: object, lasting: bool) -> None:
        ends = [os.pipe() for _ in range(3)]
        (commands_out, self.commands), (self.output, output_in), (self.report, report_in) = ends
        self.pid = os.fork()
        if self.pid == 0:
            try:
                for fd, place in (
                    (output_in, 1), (output_in, 2), (commands_out, cell.COMMANDS), (report_in, cell.REPORT),
                ):  # fmt: skip
                    os.dup2(fd, place)
                os.closerange(cell.REPORT + 1, os.sysconf("SC_OPEN_MAX"))
                enter(limits, seccomp, lasting)
                cell.serve_cells()
            finally:
                os._exit(70)
        for fd in (commands_out, output_in, report_in):
            os.close(fd)
        os.set_blocking(self.output, False)

    def processor_seconds(self) -> float:
        # The clock of another process, as clock_getcpuclockid(3) makes it.
        return time.clock_gettime((~self.pid << 3) | 2) if sys.platform == "linux" else 0.0

    def scheduling(self, proc: int | None) -> tuple[bool, float]:
        """Whether it runs or could, and the seconds that it could have run and did not, up to when it last ran."""
        try:
            state = read_in(proc, f"{self.pid}/stat").rsplit(b")", 1)[1].split()[0]
            return state == b"R", int(read_in(proc, f"{self.pid}/schedstat").split()[1]) / 1e9
        except (OSError, IndexError):
            return False, 0.0

    def end(self, patience: float = 0.0) -> tuple[int | None, float]:
        """Kills it, if it does not end by itself in so many seconds, and returns its wait status (None: it was killed
        here) and processor seconds."""
        until = time.monotonic() + patience
        pid, status, usage = os.wait4(self.pid, os.WNOHANG)
        while not pid and time.monotonic() < until:
            time.sleep(0.001)
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
        for kill in (os.killpg,) if pid else (os.kill, os.killpg):
            try:
                kill(self.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
        if not pid:
            _, _, usage = os.wait4(self.pid, 0)
            status = None
        for fd in (self.commands, self.output, self.report):
            os.close(fd)
        return status, usage.ru_utime + usage.ru_stime


def enter(limits: dict, seccomp: object, lasting: bool) -> None:
    """In the child: the last walls, and then only the program."""
    os.setpgid(0, 0)
    confine.die_with_parent()
    caps = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_NOFILE: 16}
    if "base" in limits:
        caps[resource.RLIMIT_AS] = limits["base"] + limits["memory"]
    if not lasting:
        caps[resource.RLIMIT_CPU] = int(limits["seconds"]) + 2
    for which, value in caps.items():
        try:
            resource.setrlimit(which, (value, value))
        except (ValueError, OSError):
            if seccomp is not None:
                raise
    sys.path[:] = []
    sys.argv[:] = [""]
    os.environ.clear()
    gc.enable()
    if seccomp is not None:
        confine.install(seccomp)


def watch(child: Child, text: str, show: bool, limits: dict, control: socket.socket) -> dict:
    """Has the child run `text`; "alive" says whether it may run more."""
    token = secrets.token_hex(16)
    body = json.dumps({"text": text, "show": show, "token": token}).encode()
    pending = memoryview(len(body).to_bytes(4, "big") + body)
    output, report = bytearray(), bytearray()
    start, cpu_start, held_up = time.monotonic(), child.processor_seconds(), child.scheduling(limits["proc"])[1]
    seconds = limits["seconds"]
    ending = ""
    poll = select.poll()
    poll.register(child.output, select.POLLIN)
    poll.register(child.report, select.POLLIN)
    poll.register(control, select.POLLRDHUP if hasattr(select, "POLLRDHUP") else 0)
    os.set_blocking(child.commands, False)
    poll.register(child.commands, select.POLLOUT)
    while not ending:
        elapsed, used = time.monotonic() - start, child.processor_seconds() - cpu_start
        late = elapsed - WALL_TO_CPU * seconds
        if late > 0:  # worth a look at why
            ready, until_now = child.scheduling(limits["proc"])
            late -= MOST_SECONDS_HELD_UP if ready else min(until_now - held_up, MOST_SECONDS_HELD_UP)
        if used >= seconds or late > 0:
            ending = "timeout"
            break
        wait = max(0.001, min(seconds - used, TICK))
        for fd, event in poll.poll(1000 * wait):
            if fd == control.fileno():
                child.end()
                raise EOFError  # the one who asked is gone
            if fd == child.commands:
                try:
                    pending = pending[os.write(fd, pending) :]
                except BlockingIOError:
                    pass
                except BrokenPipeError:
                    pending = pending[:0]
                if not pending:
                    poll.unregister(fd)
            elif fd == child.output:
                piece = os.read(fd, 65536)
                output += piece
                if not piece:
                    poll.unregister(fd)
                elif len(output) > limits["output"]:
                    ending = "output"
            elif fd == child.report:
                piece = os.read(fd, 65536)
                report += piece
                if not piece:
                    ending = "died"
                elif report.endswith(b"\n") or len(report) > REPORT_LIMIT:
                    ending = "reported"
    while ending != "output":
        try:
            piece = os.read(child.output, 65536)
        except BlockingIOError:
            break
        output += piece
        if not piece:
            break
        if len(output) > limits["output"]:
            ending = "output"
    answer = {"seconds": time.monotonic() - start, "output": output[: limits["output"]].decode("utf-8", "replace")}
    return answer | verdict(child, ending, bytes(report), token, limits)


def verdict(child: Child, ending: str, report: bytes, token: str, limits: dict) -> dict:
    if ending == "reported":
        if report.startswith(token.encode()) and report.index(b"\n") == len(report) - 1:
            status, _, error = report[len(token) : -1].replace(b"\r", b"\n").decode("utf-8", "replace").partition(" ")
            return {"status": status if status in ("ok", "memory") else "error", "error": error, "alive": True}
        child.end()
        return {"status": "error", "error": "the program wrote to the sandbox's own channel", "alive": False}
    status, used = child.end(DYING_SECONDS if ending == "died" else 0.0)
    if ending == "timeout":
        return {"status": "timeout", "error": f"stopped after {limits['seconds']:g} seconds", "alive": False}
    if ending == "output":
        return {"status": "output", "error": f"stopped after {limits['output']} bytes of output", "alive": False}
    if status is None:
        return {"status": "error", "error": "the program closed the sandbox's own channel", "alive": False}
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGKILL, signal.SIGXCPU):
        # Nobody here sent it: the kernel did, for processor time or for memory.
        late = used >= limits["seconds"]
        return {"status": "timeout" if late else "memory", "error": "stopped by the system", "alive": False}
    how = f"crashed ({signal.Signals(os.WTERMSIG(status)).name})" if os.WIFSIGNALED(status) else "stopped itself"
    return {"status": "error", "error": f"the program {how} before its last line", "alive": False}


def serve(control: socket.socket, limits: dict, seccomp: object) -> None:
    sessions: dict[str, Child] = {}
    while True:
        request = receive(control)
        key = request.get("session")
        if request["do"] == "close":
            if key in sessions:
                sessions.pop(key).end()
            continue
        child = sessions.pop(key, None) or Child(limits, seccomp, key is not None)
        answer = watch(child, request["text"], key is not None, limits, control)
        if answer["alive"] and key is not None:
            sessions[key] = child
        elif answer["alive"]:
            child.end()
        send(control, answer)


def read_in(folder: int | None, path: str) -> bytes:
    if folder is None:
        raise FileNotFoundError(path)
    file = os.open(path, os.O_RDONLY, dir_fd=folder)
    try:
        return os.read(file, 4096)
    finally:
        os.close(file)


def own_memory() -> int:
    """The address space of this process, which a child starts with. If memory runs out, it goes first."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:  # no /proc: more than Python with these modules takes
        return 512 << 20


def filter_holds(limits: dict, seccomp: object) -> bool:
    """Tries the filter on a child that opens a file."""
    pid = os.fork()
    if pid == 0:
        try:
            os.close(os.open("/", os.O_RDONLY))
            confine.install(seccomp)
        except OSError:
            os._exit(1)
        try:
            os.open("/", os.O_RDONLY)
        finally:
            os._exit(int(sys.exc_info()[0] is not PermissionError))
    return os.waitpid(pid, 0)[1] == 0


def receive(control: socket.socket) -> dict:
    def exactly(size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            piece = control.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return bytes(data)

    return json.loads(exactly(int.from_bytes(exactly(4), "big")))


def send(control: socket.socket, message: dict) -> None:
    body = json.dumps(message).encode()
    control.sendall(len(body).to_bytes(4, "big") + body)


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    control = socket.socket(fileno=os.dup2(control.detach(), FIRST_FREE_FD + 50, inheritable=False))
    limits = json.loads(sys.argv[2])
    # A child's five places must not be the numbers of pipes made later.
    while os.open("/dev/null", os.O_RDWR) < FIRST_FREE_FD:
        pass
    for name in MODULES:
        try:
            importlib.import_module(name)
        except ImportError:
            pass
    walls = []
    if sys.platform == "linux":
        limits["base"] = own_memory()
    namespaces = confine.new_namespaces()
    if namespaces:
        walls.append("namespaces of its own for processes, network, mounts and IPC")
        if pid := os.fork():
            control.close()
            os.waitpid(pid, 0)
            os._exit(0)
    limits["proc"] = confine.open_proc(namespaces)
    if namespaces and confine.empty_root():
        walls.append("an empty read-only root")
    confine.drop_privileges()
    confine.die_with_parent()
    seccomp = confine.system_call_filter()
    if seccomp is not None and filter_holds(limits, seccomp):
        walls.insert(
            0, "a seccomp filter that lets through computing only (no files, processes, threads, sockets, signals)"
        )
    else:
        seccomp = None
    gc.collect()
    gc.freeze()
    gc.disable()
    send(control, {"walls": walls, "filtered": seccomp is not None})
    try:
        serve(control, limits, seccomp)
    except (EOFError, ConnectionError):
        os._exit(0)


if __name__ == "__main__":
    main()
