"""Which requests were not done when the process died, and how far had they come?

A file to which every request, every token and every end is appended, as a line of JSON behind its checksum, before
anybody hears of it. A request stays until it is over and its caller has taken the end: `result` has returned, or the
iteration or listener has gone past the last piece. So whoever saves each piece before asking for the next loses none. Sampling depends on the seed and the token's place alone, so a request goes on after its last
recorded token as it would have without the interruption; nothing is drawn again, which would favour short answers.

What is flushed to the disk itself: a request, before `begin` returns; what is recorded of its answer is only handed to
the system, which survives the process's death but not the machine's. Then the last seconds' tokens are lost, drawn
again, and come out the same. So are those behind a damaged line; whatever is torn off at the end does no harm.

One process at a time has the file, which is locked while it lives. It is written anew, without the requests that are
done, when it is opened and whenever most of it is about such requests.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import threading
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finback.engine.constrain import Constraint
from finback.engine.request import Piece, Request
from finback.engine.sampling import Choice, SamplingParams

if TYPE_CHECKING:
    from finback.engine.engine import Engine

FORMAT = 1
SLACK = 1 << 20  # bytes of finished requests that are not worth a new file

log = logging.getLogger(__name__)


@dataclass
class Saved:
    """A request that is not done. answers: the pieces of each answer, by its index."""

    entry: int
    model: str
    prompt: list[int]
    params: SamplingParams
    user: str
    priority: int
    answers: dict[int, list[Piece]] = field(default_factory=dict)


@dataclass
class _Live:
    """What the file says of a request that is not done. tokens: how many of each answer; over: answers that ended."""

    lines: list[bytes]
    tokens: Counter[int] = field(default_factory=Counter)
    over: set[int] = field(default_factory=set)

    def take(self, piece: Piece, line: bytes) -> None:
        self.lines.append(line)
        self.tokens[piece.index] += len(piece.tokens)
        if piece.finish is not None:
            self.over.add(piece.index)


class Journal:
    """The file. model: what names the model; another one's requests are refused. Methods are for any thread.

    `saved` are the requests that the file had when it was opened; they stay in it until they are done.
    """

    def __init__(self, path: str | Path, model: str):
        self.path, self.model = Path(path), model
        self._lock = threading.Lock()
        self._live: dict[int, _Live] = {}
        self._size = self._next = 0
        self._torn = self._refused = False  # whether the last write left a part of a line; whether it failed
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = _open_locked(self.path)
        try:
            with open(os.dup(self._file), "rb") as file:
                self.saved = self._read(file.read())
            self._rewrite()
        except BaseException:
            os.close(self._file)
            raise

    def begin(self, request: Request) -> int:
        """Records a request; returns the number of its entry. Raises OSError where it cannot be made durable."""
        content = {"params": dataclasses.asdict(request.params), "user": request.user, "priority": request.priority}
        with self._lock:
            self._check_open()
            entry, self._next = self._next, self._next + 1
            line = _line({"request": entry, "model": self.model, "prompt": request.prompt, **content})
            self._append(line)
            self._live[entry] = _Live([line])
            handle = os.dup(self._file)  # flushing takes a while, and the file may be replaced meanwhile
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        return entry

    def add(self, entry: int, piece: Piece) -> None:
        """Records what one step adds to an answer. Where that fails, which is logged, it would be computed again."""
        with self._lock:
            live = self._live.get(entry)
            if self._file < 0 or live is None:
                return
            line = _line({"of": entry, "at": live.tokens[piece.index], **_packed(piece)})
            live.take(piece, line)
            self._try(line)

    def forget(self, entry: int) -> None:
        """Records that a request is done."""
        with self._lock:
            if self._file < 0 or self._live.pop(entry, None) is None:
                return
            self._try(_line({"done": entry}))
            if self._size > SLACK + 2 * sum(sum(map(len, live.lines)) for live in self._live.values()):
                self._try(None)

    def close(self) -> None:
        """Makes everything durable. What is recorded later is ignored: whoever is unfinished now remains so."""
        with self._lock:
            if self._file >= 0:
                try:
                    os.fsync(self._file)
                finally:
                    os.close(self._file)
                    self._file = -1

    def _check_open(self) -> None:
        if self._file < 0:
            raise ValueError(f"the journal {self.path} is closed: make a new engine")

    def _try(self, line: bytes | None) -> None:
        """Appends a line or, for None, writes the file anew."""
        try:
            self._append(line) if line is not None else self._rewrite()
        except OSError as error:
            if not self._refused:
                log.warning("the journal %s cannot be written (%s); what is sampled now would be sampled again", self.path, error)
            self._refused = True

    def _append(self, line: bytes) -> None:
        data = b"\n" + line if self._torn else line
        self._torn = True
        while data:
            written = os.write(self._file, data)
            self._size += written
            data = data[written:]
        self._torn = self._refused = False

    def _rewrite(self) -> None:
        """Replaces the file by one of what is not done."""
        lines = [_line({"finback": "journal", "format": FORMAT, "next": self._next}), *(line for live in self._live.values() for line in live.lines)]
        fresh = self.path.with_name(f".{self.path.name}.new")  # only who has the file's lock comes here
        handle = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        try:
            if not _locked(handle):
                raise ValueError(f"{fresh} is in use by another process: end it, or name another journal")
            with open(os.dup(handle), "wb") as file:
                file.writelines(lines)
            os.fsync(handle)
            os.replace(fresh, self.path)
        except BaseException:
            os.close(handle)
            raise
        os.close(self._file)
        self._file, self._size, self._torn = handle, sum(map(len, lines)), False
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _read(self, content: bytes) -> list[Saved]:
        """The requests of a file that are not done, in their order."""
        lines = content.split(b"\n")[:-1]  # the last one is empty, or torn
        records = [(line + b"\n", record) for line in lines if line and (record := _parsed(line)) is not None]
        if content and not records:
            raise ValueError(f"{self.path} is no journal: name another file")
        damaged = sum(map(bool, lines)) - len(records)
        saved: dict[int, Saved] = {}
        for line, record in records:
            self._next = max(self._next, record.get("next", 0), record.get("request", -1) + 1)
            if record.get("format", FORMAT) != FORMAT:
                raise ValueError(f"the journal {self.path} has format {record['format']}, and this Finback writes {FORMAT}: name another file")
            if "request" in record:
                saved[record["request"]] = found = self._saved(record)
                self._live[found.entry] = _Live([line])
            elif "done" in record:
                saved.pop(record["done"], None)
            elif "of" in record and record["of"] in saved:
                piece, entry = _unpacked(record), record["of"]
                live = self._live[entry]
                if record["at"] == live.tokens[piece.index] and piece.index not in live.over:  # else a line before it is missing
                    live.take(piece, line)
                    saved[entry].answers.setdefault(piece.index, []).append(piece)
        self._live = {entry: self._live[entry] for entry in saved}
        if damaged:
            log.warning("the journal %s has %d damaged lines; what they held is computed again, or lost if it was a request", self.path, damaged)
        if any(one.model != self.model for one in saved.values()):
            raise ValueError(
                f"the journal {self.path} has unfinished requests of another model (other weights or another shape): "
                "resume them with that one, or name another file"
            )
        return list(saved.values())

    def _saved(self, record: dict[str, Any]) -> Saved:
        try:
            params = _params(record["params"])
        except TypeError as error:
            raise ValueError(f"the journal {self.path} is of another version of Finback ({error}): resume with that one") from None
        return Saved(record["request"], record["model"], record["prompt"], params, record["user"], record["priority"])


def resumed(engine: Engine, saved: Saved, arrival: int) -> Request:
    """A request as it stood. What was sampled is in its pieces again; nothing of it is computed yet."""
    request = Request(engine, saved.prompt, saved.params, saved.user, saved.priority, arrival)
    for index, pieces in saved.answers.items():
        member = request.members[index]
        for piece in pieces:
            member.scores = list(piece.prompt) or member.scores
            choices = piece.choices or map(Choice, piece.tokens)
            said = [engine._extend(member, choice, piece.forced) for choice in choices]
            if piece.finish and not (said and said[-1].finish):
                said.append(dataclasses.replace(piece, text=member._rest(), tokens=(), choices=(), prompt=()))
            for each in said:
                member.tell(each)
                member.finished |= each.finish is not None
    if saved.answers:
        request.branches = []  # they have left the one that computes the prompt
    request.entry = saved.entry
    return request


def _packed(piece: Piece) -> dict[str, Any]:
    """A piece without its text, which follows from the tokens, and without what it does not say."""
    content = {
        "index": piece.index, "tokens": piece.tokens, "choices": [[c.logprob, c.top] for c in piece.choices], "forced": piece.forced,
        "finish": piece.finish, "matched": piece.matched, "error": piece.error,
        "prompt": [[c.token, c.logprob, c.top] for c in piece.prompt],
    }  # fmt: skip
    return {name: value for name, value in content.items() if value or (name == "matched" and value is not None)}


def _unpacked(record: dict[str, Any]) -> Piece:
    tokens = tuple(record.get("tokens", ()))
    choices = tuple(_choice(token, *rest) for token, rest in zip(tokens, record.get("choices", ())))
    prompt = tuple(_choice(*each) for each in record.get("prompt", ()))
    named = {name: record.get(name) for name in ("finish", "matched", "error")}
    return Piece(tokens, "", choices, index=record.get("index", 0), forced=record.get("forced", False), prompt=prompt, **named)


def _choice(token: int, logprob: float, top: list[list]) -> Choice:
    return Choice(token, logprob, tuple((i, p) for i, p in top))


def _params(content: dict[str, Any]) -> SamplingParams:
    """What `dataclasses.asdict` and JSON have made of the parameters."""
    constraint = content["constraint"]
    return SamplingParams(
        **content
        | {
            "stop": tuple(content["stop"]),
            "stop_token_ids": tuple(content["stop_token_ids"]),
            "logit_bias": {int(token): bias for token, bias in content["logit_bias"].items()},
            "constraint": Constraint(**constraint) if constraint is not None else None,
        }
    )


def _line(record: dict[str, Any]) -> bytes:
    text = json.dumps(record, separators=(",", ":")).encode()
    return b"%08x %b\n" % (zlib.crc32(text), text)


def _parsed(line: bytes) -> dict[str, Any] | None:
    """The record of a line, None for a damaged one."""
    sum_, _, text = line.partition(b" ")
    return json.loads(text) if sum_ == b"%08x" % zlib.crc32(text) else None


def _open_locked(path: Path) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        if not _locked(handle):
            os.close(handle)
            raise ValueError(f"the journal {path} is in use by another process: end it, or name another file")
        try:
            if os.path.samestat(os.fstat(handle), os.stat(path)):
                return handle
        except FileNotFoundError:
            pass
        os.close(handle)  # who had the lock has replaced the file since


def _locked(handle: int) -> bool:
    """Takes the lock of a file, which ends with the process, or says that another one has it."""
    import fcntl  # which not every system has

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
