"""What of the prefix store is still there after a restart? A file for each block, and one for each snapshot.

A block's file holds its compressed entries for all layers, a rings file the snapshot at its end. Both are found by the
block's key, a hash of the user and of all tokens up to its end, in a folder named after the model: what other weights,
another arithmetic or another version of Finback computed is never met. Names also tell a block's parent, so the tree is
known without opening a file.

Nothing here is trusted. A file ends with a hash of all that it holds; one that is truncated, altered, of another
version, model or block is removed, which is logged, and counts as absent. Files get their names once they are complete
and flushed. Nothing is locked: several processes may share a folder, and take a file that vanished for one that never was.

A thread writes, from a queue of bounded size; what comes while it is full is not written, but offered again with the
next blocks of its sequence. When the budget is reached, those leaves of the trees go that were not used for longest, so
that a parent stays as long as a child does. Modification times only say what was used when: a clock that jumps may let
the wrong files go first, nothing more. A process knows of others' files from its last look, one for each eighth of the
budget that it writes: by so much each process but one may exceed the budget.
"""

from __future__ import annotations

import hashlib
import heapq
import itertools
import logging
import os
import re
import struct
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from torch import Tensor

FORMAT = 1
QUEUE_BYTES = 256 << 20
STALE = 3600.0  # seconds after which an unfinished file must be a dead process's
PAUSE = 10.0  # seconds without new files after one could not be written

Kind = Literal["block", "rings"]

_MAGIC = b"finback\0"
_HEADER = struct.Struct("<8sI8s32s32s32sQ")  # magic, format, kind, model, key, parent, bytes of the payload
_DIGEST = 32
_NAME = 16  # bytes of a key that are in a file's name; the whole key is in the file
_ROOT = bytes(32)  # the parent of first blocks
_OURS = re.compile(r"(?:([0-9a-f]{32})(?:-([0-9a-f]{32}))?|\.[0-9-]+)\.(block|rings|part)")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DiskStats:
    """bytes: of all files, as far as known. The others count files since the start; dropped: not written because the
    writer fell behind; failed: because the system refused; damaged: found unusable, and removed."""

    bytes: int
    read: int
    written: int
    dropped: int
    failed: int
    damaged: int


class DiskStore:
    """The files of one model under `root`; only the budget, in bytes, is shared with other models' files there.

    model: names the weights, the arithmetic and the layout; sizes: bytes of a block and of a snapshot. `read`, `lacks`,
    `offer` and `used` are for one thread.
    """

    def __init__(self, root: str | Path, model: str, sizes: Mapping[Kind, int], budget: int):
        self.root, self.sizes, self.budget = Path(root), dict(sizes), budget
        self.model = hashlib.sha256(f"{FORMAT} {model} {self.sizes}".encode()).digest()
        self.folder = self.root / self.model.hex()
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(f"the prefix store cannot use {self.root} ({error}): give a directory that can be written") from None
        self._read = self._written = self._dropped = self._failed = self._damaged = 0
        self._standing: dict[Kind, set[bytes]] = {"block": set(), "rings": set()}  # names of what is on disk or queued
        self._reported: set[str] = set()
        self._refused = False  # whether the last write failed
        self._pause = 0.0  # until when nothing is taken
        self._serial = itertools.count()
        self._tasks: deque[tuple[int, Callable[[], None]]] = deque()
        self._queued = 0  # bytes
        self._closed = False
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._held = sum(file.size for file in _look(self.root))
        self._since_look = 0  # bytes written
        if self._held > budget:
            self._put(0, lambda: self._make_room(0))

    # --- for the engine's thread ---

    def read(self, kind: Kind, key: bytes, parent: bytes | None = None) -> Tensor | None:
        """What was kept under a key, uint8, or None. parent: of a block, None for a first one."""
        path, expected = self._path(kind, key, parent), _HEADER.size + self.sizes[kind] + _DIGEST
        try:
            with open(path, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                content = bytearray(expected)
                del content[file.readinto(content) :]
            fault = _fault(content, size, expected, self._header(kind, key, parent))
        except FileNotFoundError:
            fault = ""
        except OSError as error:
            fault = f"cannot be read ({error})"
        if fault is not None:
            self._gone(kind, key[:_NAME])
            if fault:
                self._discard(path, fault)
            return None
        self._read += 1
        self._standing[kind].add(key[:_NAME])
        return torch.frombuffer(content, dtype=torch.uint8, count=self.sizes[kind], offset=_HEADER.size)

    def lacks(self, kind: Kind, key: bytes, parent: bytes | None = None) -> bool:
        """Whether to offer something: it is not on disk, as far as known, and what it is found by is."""
        needed = key if kind == "rings" else parent
        known = needed is None or needed[:_NAME] in self._standing["block"]
        return known and key[:_NAME] not in self._standing[kind] and time.monotonic() >= self._pause

    def offer(self, kind: Kind, key: bytes, parent: bytes | None, data: Tensor) -> None:
        """Writes something soon, if the writer keeps up. data: uint8; a block is copied, for the pool's memory changes."""
        if self._queued + self.sizes[kind] > QUEUE_BYTES:
            self._dropped += 1
            return
        data = data.to("cpu", copy=kind == "block")
        self._standing[kind].add(key[:_NAME])
        self._put(self.sizes[kind], lambda: self._write(kind, key, parent, data))

    def used(self, blocks: Sequence[tuple[bytes, bytes | None]], rings: bytes | None) -> None:
        """Notes that blocks (keys with their parents') and a snapshot were used."""
        files = [("block", key, parent) for key, parent in blocks] + ([("rings", rings, None)] if rings is not None else [])
        files = [file for file in files if file[1][:_NAME] in self._standing[file[0]]]
        if files:
            self._put(0, lambda: self._touch(files))

    # --- for any thread ---

    def flush(self) -> None:
        """Waits until all that was offered is written, and makes the files' names durable."""
        with self._wake:
            while self._tasks:
                self._wake.wait()
        try:
            handle = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError:
            pass  # whatever is lost is computed again

    def close(self) -> None:
        """Writes what was offered and ends the thread; later offers are ignored."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        if self._thread is not None:
            self.flush()
            self._thread.join()

    def stats(self) -> DiskStats:
        return DiskStats(self._held, self._read, self._written, self._dropped, self._failed, self._damaged)

    # --- the writer's thread ---

    def _put(self, size: int, task: Callable[[], None]) -> None:
        with self._wake:
            if self._closed:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="finback-disk", daemon=True)
                self._thread.start()
            self._queued += size
            self._tasks.append((size, task))
            self._wake.notify_all()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not (self._tasks or self._closed):
                    self._wake.wait()
                if not self._tasks:
                    return
                size, task = self._tasks[0]
            try:
                task()
            except Exception:  # the thread must go on, or `flush` would wait for ever
                self._failed += 1
                log.exception("the prefix store's writer failed; it goes on with the next file")
            with self._wake:
                self._tasks.popleft()
                self._queued -= size
                self._wake.notify_all()

    def _write(self, kind: Kind, key: bytes, parent: bytes | None, data: Tensor) -> None:
        path, needed = self._path(kind, key, parent), key if kind == "rings" else parent
        if os.path.exists(path):
            return
        header, payload = self._header(kind, key, parent), data.numpy().data
        digest = hashlib.sha256(header)
        digest.update(payload)
        size = len(header) + len(payload) + _DIGEST
        fresh = self.folder / f".{os.getpid()}-{id(self)}-{next(self._serial)}.part"
        try:
            if not self._make_room(size):
                raise OSError(f"the budget of {self.budget} bytes has no room for {size}")
            if needed is not None and needed[:_NAME] not in self._standing["block"]:
                self._gone(kind, key[:_NAME])  # that one was not written or had to go, and nobody would find this one
                return
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                for part in (header, payload, digest.digest()):
                    file.write(part)
                file.flush()
                os.fsync(file.fileno())
            os.replace(fresh, path)
        except OSError as error:
            _remove(fresh)
            self._gone(kind, key[:_NAME])
            self._failed += 1
            self._pause = time.monotonic() + PAUSE
            if not self._refused:  # once, not for every file of a full disk
                log.warning("the prefix store could not write %s (%s); it goes on without", path, error)
            self._refused = True
            return
        self._refused = False
        self._written += 1
        self._held += size
        self._since_look += size

    def _touch(self, files: Sequence[tuple[Kind, bytes, bytes | None]]) -> None:
        for kind, key, parent in files:
            try:
                os.utime(self._path(kind, key, parent))
            except OSError:
                self._gone(kind, key[:_NAME])

    def _make_room(self, size: int) -> bool:
        """Whether the budget has `size` more bytes, after evictions."""
        if size > self.budget:
            return False
        if self._held + size <= self.budget and self._since_look <= self.budget // 8:
            return True
        files = _look(self.root)
        self._held, self._since_look = sum(file.size for file in files), 0
        if self._held + size > self.budget:
            goal = min(self.budget * 9 // 10, self.budget - size)  # looking takes a while: not for every file
            for file in _leaves(files):
                if self._held <= goal:
                    break
                _remove(file.path)
                self._held -= file.size
                if file.model == self.folder.name:
                    self._gone(file.kind, bytes.fromhex(file.name))
        return self._held + size <= self.budget

    # --- both ---

    def _path(self, kind: Kind, key: bytes, parent: bytes | None) -> str:
        name = key[:_NAME].hex()
        return f"{self.folder}/{name}.rings" if kind == "rings" else f"{self.folder}/{name}-{(parent or _ROOT)[:_NAME].hex()}.block"

    def _header(self, kind: Kind, key: bytes, parent: bytes | None) -> bytes:
        return _HEADER.pack(_MAGIC, FORMAT, kind.encode(), self.model, key, parent or _ROOT, self.sizes[kind])

    def _gone(self, kind: Kind, name: bytes) -> None:
        """Notes that a file is not there, so that it will be offered again; rings go before their block does."""
        for each in ("rings",) if kind == "rings" else ("rings", "block"):
            self._standing[each].discard(name)

    def _discard(self, path: str, fault: str) -> None:
        if path not in self._reported:
            self._reported.add(path)
            self._damaged += 1
            log.warning("the prefix store's file %s %s; it is removed, and its tokens are computed again", path, fault)
        _remove(path)


def _fault(content: bytearray, size: int, expected: int, header: bytes) -> str | None:
    """Why the content of a file of `size` bytes cannot be used."""
    if content[: len(_MAGIC)] != _MAGIC:
        return "is no file of a prefix store"
    version = int.from_bytes(content[len(_MAGIC) : len(_MAGIC) + 4], "little")
    if version != FORMAT:
        return f"has format {version}, and this Finback reads {FORMAT}"
    if not len(content) == size == expected:
        return f"has {size} bytes instead of {expected}"
    if hashlib.sha256(memoryview(content)[:-_DIGEST]).digest() != content[-_DIGEST:]:
        return "does not have its checksum"
    return "belongs to another model or block" if content[: len(header)] != header else None


class _File(NamedTuple):
    """A file as its name tells. name: of its block; needs: the block that it is found by; kind "part": unfinished."""

    path: str
    model: str
    kind: str
    name: str
    needs: str
    size: int
    used: float


def _look(root: Path) -> list[_File]:
    """The files of all models. Unfinished ones of processes that must be dead are removed."""
    found = []
    for folder in _entries(root):
        for entry in _entries(folder) if len(folder.name) == 64 else ():
            named = _OURS.fullmatch(entry.name)
            if named is None:
                continue
            name, needs, kind = named.groups(default="")
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue  # another process was faster
            if kind == "part" and abs(time.time() - status.st_mtime) > STALE:
                _remove(entry.path)
            else:
                needs = name if kind == "rings" else needs
                found.append(_File(entry.path, folder.name, kind, name, needs, status.st_size, status.st_mtime))
    return found


def _entries(folder: os.PathLike) -> list[os.DirEntry]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []  # no directory, or gone


def _leaves(files: Sequence[_File]) -> Iterator[_File]:
    """Files in the order in which they may go: the longest unused first of all that no other file needs."""
    blocks = {(file.model, file.name): file for file in files if file.kind == "block"}
    needed = Counter((file.model, file.needs) for file in files)
    heap = [(f.used, f.path, f) for f in files if f.kind == "rings" or (f.kind == "block" and not needed[f.model, f.name])]
    heapq.heapify(heap)
    while heap:
        file = heapq.heappop(heap)[2]
        yield file
        above = file.model, file.needs
        needed[above] -= 1
        if not needed[above] and above in blocks:
            heapq.heappush(heap, (blocks[above].used, blocks[above].path, blocks[above]))


def _remove(path: str | os.PathLike) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
