"""How does Finback run Python that a model wrote? A few worker processes behind walls, and a fork of one per program.

`Sandbox` keeps workers (`zygote.py`) that are ready to fork; a program costs a fork, not a start of Python. Each
program gets a process of its own that ends with it; a session is such a process that stays for the next cell.
- "ok" says that the code came to its end. The code shares its process with the runner that reports this, so code
  that is out to lie can: what must not be forged (an answer to hidden tests) is judged outside, by what it printed.
- A program computes: it has no files, no other processes or threads, no network, and no modules but the
  standard library's common ones. It sees fixed string hashes, so sets print the same way every time.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal

Status = Literal["ok", "error", "timeout", "memory", "output", "refused"]
LONGEST_PROGRAM = 1_000_000
START_SECONDS = 60.0
# A worker answers within its own wall limit; on a busy machine it may be this much later.
GRACE_SECONDS = 30.0


class SandboxError(RuntimeError):
    """The sandbox cannot be had here; the text says why and what to do."""


@dataclass(frozen=True)
class Outcome:
    """How a program ended. output: what it printed, errors' stream included. error: why it is not "ok", as
    `line 3: ZeroDivisionError: division by zero`; "" if it is. seconds: by the clock."""

    status: Status
    output: str
    error: str
    seconds: float


class WorkerLost(Exception):
    """The worker died or went silent."""


class Worker:
    """A process with the walls up, and the socket to it. One request at a time."""

    def __init__(self, limits: dict[str, Any]) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            # Not -I: the fixed hash seed comes by the environment, which is otherwise empty.
            script = str(Path(__file__).with_name("zygote.py"))
            self.process = subprocess.Popen(
                [sys.executable, "-s", "-S", "-P", "-B", script, str(theirs.fileno()), json.dumps(limits)],
                pass_fds=[theirs.fileno()], env={"PYTHONHASHSEED": "0"}, cwd="/", start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip

    def tell(self, request: dict[str, Any]) -> None:
        body = json.dumps(request).encode()
        try:
            self._socket.sendall(len(body).to_bytes(4, "big") + body)
        except OSError as error:
            raise WorkerLost from error

    def hear(self, seconds: float) -> dict[str, Any]:
        self._socket.settimeout(seconds)
        try:
            return json.loads(self._exactly(int.from_bytes(self._exactly(4), "big")))
        except (OSError, ValueError) as error:
            raise WorkerLost from error

    def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            piece = self._socket.recv(size - len(data))
            if not piece:
                raise WorkerLost
            data += piece
        return bytes(data)

    def hang_up(self) -> None:
        """The worker ends its children and itself when it notices."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def end(self) -> None:
        self.hang_up()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._socket.close()


class Sandbox:
    """Runs programs, at most `workers` at a time; may be used from many threads. seconds: of processor time for a
    program or a cell (three times that by the clock); memory: bytes beyond what Python itself takes; output: bytes.

    protection: a sentence on what stands between a program and the machine. Without a system call filter a program
    could reach everything its user can, so that is refused with SandboxError unless `unprotected`.
    """

    def __init__(
        self,
        workers: int = 2,
        seconds: float = 2.0,
        memory: int = 256 << 20,
        output: int = 64_000,
        unprotected: bool = False,
    ) -> None:
        if workers < 1 or seconds <= 0 or memory <= 0 or output <= 0:
            raise ValueError("a sandbox needs at least one worker and positive limits of seconds, memory and output")
        self._limits = {"seconds": seconds, "memory": memory, "output": output}
        self._changed = threading.Condition()
        self._closed = False
        self._unprotected = unprotected
        self._names = count(1)
        self._all: set[Worker] = set()
        self._free: list[Worker] = []
        self._threads = ThreadPoolExecutor(workers, "sandbox")
        try:
            for _ in range(workers):
                self._all.add(Worker(self._limits))
            for worker in self._all:
                self.protection = self._greet(worker)
                self._free.append(worker)
        except BaseException:
            self.close()
            raise

    def _greet(self, worker: Worker) -> str:
        try:
            found = worker.hear(START_SECONDS)
        except WorkerLost as error:
            raise SandboxError(
                "the sandbox's worker did not start: run "
                f"`{sys.executable} {Path(__file__).with_name('zygote.py')}` to see what is wrong with this Python"
            ) from error
        if not found["filtered"] and not self._unprotected:
            raise SandboxError(
                "this machine cannot keep a program from its files and its network: that takes Linux on x86-64 or ARM64 "
                "with seccomp. Run there, or pass unprotected=True if you trust what will be run"
            )
        limits = "limits of processor time, wall time, memory and output"
        if not found["filtered"]:
            return f"UNPROTECTED, as asked: no system call filter; only {', '.join([*found['walls'], limits])}."
        return f"Programs run behind {', '.join(found['walls'])}, without privileges, and with {limits}."

    def run(self, program: str) -> Outcome:
        """Runs a whole program in a fresh process."""
        if refusal := self._refusal(program):
            return refusal
        for _ in range(2):
            try:
                with self._borrow() as worker:
                    return self._ask(worker, {"do": "run", "text": program})[0]
            except WorkerLost:
                continue  # the next one is a new worker, and the program may well be innocent
        return self._refusal(program) or Outcome("error", "", "the sandbox's worker died twice with it", 0.0)

    def run_many(self, programs: Sequence[str]) -> list[Outcome]:
        """The outcomes in the programs' order."""
        try:
            return list(self._threads.map(self.run, programs))
        except RuntimeError:  # the threads are gone
            return [Outcome("refused", "", "the sandbox is closed", 0.0) for _ in programs]

    def session(self) -> Session:
        return Session(self)

    def close(self) -> None:
        """Ends all workers and their programs. Those who wait for an outcome get "refused"."""
        with self._changed:
            self._closed = True
            workers = list(self._all)
            self._changed.notify_all()
        for worker in workers:
            worker.hang_up()
        self._threads.shutdown()
        for worker in workers:
            worker.end()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _refusal(self, program: str) -> Outcome | None:
        if self._closed:
            return Outcome("refused", "", "the sandbox is closed", 0.0)
        if not isinstance(program, str) or len(program) > LONGEST_PROGRAM:
            return Outcome("refused", "", f"a program is text of at most {LONGEST_PROGRAM} characters", 0.0)
        return None

    def _ask(self, worker: Worker, request: dict[str, Any]) -> tuple[Outcome, bool]:
        """The outcome, and whether the process goes on."""
        worker.tell(request)
        # The wall limit is three times the processor's: see zygote.WALL_TO_CPU.
        answer = worker.hear(3 * self._limits["seconds"] + GRACE_SECONDS)
        outcome = Outcome(answer["status"], answer["output"], answer["error"], answer["seconds"])
        return outcome, answer["alive"]

    @contextmanager
    def _borrow(self, wanted: Worker | None = None) -> Iterator[Worker]:
        """A free worker, or `wanted` once it is free; raises WorkerLost if that is or gets lost. A lost one is replaced."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or (self._free if wanted is None else wanted in self._free or wanted not in self._all)
            )
            if self._closed or (wanted is not None and wanted not in self._all):
                raise WorkerLost
            worker = wanted or self._free[0]
            self._free.remove(worker)
        try:
            yield worker
        except BaseException:
            # A request that was cut short leaves an answer behind that belongs to nobody: this worker is done.
            worker = self._replace(worker)
            raise
        finally:
            if worker is not None:
                with self._changed:
                    self._free.append(worker)
                    self._changed.notify_all()

    def _replace(self, worker: Worker) -> Worker | None:
        worker.end()
        with self._changed:
            self._all.discard(worker)
            self._changed.notify_all()
            if self._closed:
                return None
            fresh = Worker(self._limits)
            self._all.add(fresh)
        try:
            self._greet(fresh)
        except SandboxError:
            pass  # whoever uses it next loses it and replaces it again
        return fresh


class Session:
    """Python that remembers: cells run one after another in one process, made at the first of them. After a timeout
    or a crash the variables are gone, the outcome says so, and the next cell starts in a fresh process."""

    def __init__(self, box: Sandbox) -> None:
        self._box = box
        self._name = str(next(box._names))
        self._lock = threading.Lock()
        self._worker: Worker | None = None  # where the process is, if there is one

    def run(self, cell: str) -> Outcome:
        if refusal := self._box._refusal(cell):
            return refusal
        with self._lock:
            had = self._worker is not None
            try:
                with self._box._borrow(self._worker) as worker:
                    request = {"do": "run", "text": cell, "session": self._name}
                    outcome, alive = self._box._ask(worker, request)
            except WorkerLost:
                self._worker = None
                if refusal := self._box._refusal(cell):
                    return refusal
                outcome, alive = Outcome("error", "", "the sandbox's worker died", 0.0), False
            else:
                self._worker = worker if alive else None
        if alive or not (had or outcome.status != "ok"):
            return outcome
        return Outcome(
            outcome.status, outcome.output, f"{outcome.error}; the session starts afresh, without its variables", outcome.seconds
        )

    def close(self) -> None:
        with self._lock:
            if self._worker is None:
                return
            try:
                with self._box._borrow(self._worker) as worker:
                    worker.tell({"do": "close", "session": self._name})
            except WorkerLost:
                pass
            self._worker = None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
