"""How does a tokenised corpus lie on disk, and how is it read without loading it?

A folder with `index.json` and shards. A shard is a safetensors file with two arrays, `tokens` (uint16
where the vocabulary fits, else uint32) and `offsets` (document i is tokens[offsets[i]:offsets[i + 1]]),
so any tool can open it; it is memory-mapped here. The index names every shard with its counts and its
checksum, every source with origin and licence, and the tokenizer. What is damaged, truncated, missing
or made by another tokenizer is named with what was expected and what was found, and never skipped.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from finback.data.middle import FimTokens, fim_tokens
from finback.data.shuffle import key
from finback.data.sources import DataError
from finback.text import Tokenizer

FORMAT, VERSION = "finback tokens", 1
INDEX, UNFINISHED = "index.json", "index.unfinished.json"
TRAIN, HELD_OUT = "train", "held_out"
AGAIN = "prepare the corpus again, which rewrites only what is wrong"
_DTYPES = {"U16": np.dtype("<u2"), "U32": np.dtype("<u4")}


@dataclass(frozen=True)
class ShardEntry:
    """`text_bytes`: UTF-8 bytes of the text that the tokens stand for, markers such as BOS not counted."""

    file: str
    source: str
    split: str
    documents: int
    tokens: int
    text_bytes: int
    size: int
    sha256: str


@dataclass(frozen=True)
class SourceEntry:
    """`key` depends on all that decides the shards' content. The counts are of documents: `read` ones of
    which so many were `empty`, `exact` copies or `near` copies and left out."""

    name: str
    origin: str
    licence: str
    sha256: str
    key: str
    read: int
    empty: int
    exact: int
    near: int


@dataclass(frozen=True)
class Index:
    tokenizer: str
    sources: tuple[SourceEntry, ...]
    shards: tuple[ShardEntry, ...]


class Documents(Sequence[np.ndarray]):
    """The token ids of one split of one source, in the order of the file; nothing is read before it is asked for."""

    def __init__(self, shards: list[tuple[ShardEntry, np.ndarray, np.ndarray]]) -> None:
        self._arrays = [(tokens, offsets) for _, tokens, offsets in shards]
        self._ends = np.cumsum([entry.documents for entry, _, _ in shards], dtype=np.int64)
        self.tokens = sum(entry.tokens for entry, _, _ in shards)
        self.text_bytes = sum(entry.text_bytes for entry, _, _ in shards)

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, i: int) -> np.ndarray:
        if not 0 <= i < len(self):
            raise IndexError(f"document {i} of {len(self)}")
        shard = int(np.searchsorted(self._ends, i, side="right"))
        tokens, offsets = self._arrays[shard]
        first = i - (int(self._ends[shard - 1]) if shard else 0)
        return tokens[int(offsets[first]) : int(offsets[first + 1])]


@dataclass(frozen=True)
class Corpus:
    """An open folder. `identity` changes with any token in it. `fim` is None if the tokenizer has no such tokens."""

    index: Index
    identity: int
    fim: FimTokens | None
    splits: dict[tuple[str, str], Documents]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(source.name for source in self.index.sources)

    def documents(self, source: str, split: str = TRAIN) -> Documents:
        if source not in self.names:
            raise DataError(f"the corpus has no source {source!r}; it has {', '.join(self.names)}: prepare it with that source")
        return self.splits.get((source, split), Documents([]))


def open_shards(folder: str | Path, tokenizer: Tokenizer, verify: bool = True) -> Corpus:
    """Opens a prepared corpus. Sizes, headers and the tokenizer are always checked; `verify` reads every
    shard once for its checksum. Raises DataError."""
    folder = Path(folder)
    if not (folder / INDEX).is_file():
        why = "its preparation was not finished" if (folder / UNFINISHED).is_file() else "no corpus was prepared there"
        raise DataError(f"{folder} has no {INDEX}: {why}; run the preparation (a finished part of it is reused)")
    index = read_index(folder / INDEX)
    if index.tokenizer != fingerprint(tokenizer):
        raise DataError(
            f"{folder} was tokenised by the tokenizer {index.tokenizer[:16]}, but this one is {fingerprint(tokenizer)[:16]}: "
            "use the tokenizer that the corpus was prepared with, or prepare it anew in another folder"
        )
    opened: dict[tuple[str, str], list[Any]] = {}
    for entry in index.shards:
        check_shard(folder, entry, verify)
        mapped = _map_shard(folder / entry.file, entry, index.tokenizer)
        opened.setdefault((entry.source, entry.split), []).append((entry, *mapped))
    try:
        fim = fim_tokens(tokenizer)
    except KeyError:
        fim = None
    identity = key(index.tokenizer, [(entry.file, entry.sha256) for entry in index.shards])
    return Corpus(index, identity, fim, {place: Documents(shards) for place, shards in opened.items()})


def check_shard(folder: Path, entry: ShardEntry, verify: bool) -> None:
    """Raises DataError if a shard's file is not the one that the index means."""
    file = folder / entry.file
    if not file.is_file():
        raise DataError(f"{file} is missing, a shard of {entry.size} bytes with {entry.documents} documents: {AGAIN}")
    size = file.stat().st_size
    if size != entry.size:
        raise DataError(f"{file} has {size} bytes, but the index says {entry.size}: it was cut or replaced; {AGAIN}")
    if verify:
        with file.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
        if found != entry.sha256:
            raise DataError(f"{file} has the checksum {found}, but the index says {entry.sha256}: it is damaged; {AGAIN}")


def write_shard(
    folder: Path, file: str, source: str, split: str, documents: list[np.ndarray], tokenizer: str, dtype: np.dtype,
    text_bytes: int,
) -> ShardEntry:  # fmt: skip
    """Writes the documents' tokens as one shard, whole or not at all. The same documents give the same bytes."""
    offsets = np.cumsum([0, *(len(ids) for ids in documents)], dtype=np.int64)
    tokens = np.concatenate(documents).astype(dtype)
    raw = save({"offsets": offsets, "tokens": tokens}, {"finback": _says(source, split, tokenizer)})
    write_atomically(folder / file, raw)
    return ShardEntry(
        file, source, split, len(documents), len(tokens), text_bytes, len(raw), hashlib.sha256(raw).hexdigest()
    )


def _says(source: str, split: str, tokenizer: str) -> str:
    """What a shard says about itself."""
    return json.dumps({"format": FORMAT, "version": VERSION, "source": source, "split": split, "tokenizer": tokenizer})


def _map_shard(file: Path, entry: ShardEntry, tokenizer: str) -> tuple[np.ndarray, np.ndarray]:
    """Tokens and offsets of a shard, memory-mapped; all that its header says is checked against the index."""
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        head = opened.read(min(length, entry.size))
    try:
        header = json.loads(head)
        tokens, offsets = header["tokens"], header["offsets"]
        dtype, starts = _DTYPES[tokens["dtype"]], [8 + length + a["data_offsets"][0] for a in (tokens, offsets)]
        found = (offsets["dtype"], *offsets["shape"], *tokens["shape"])
        says = header["__metadata__"]["finback"]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{file} does not begin as a shard does ({error!r}): {AGAIN}") from None
    if says != _says(entry.source, entry.split, tokenizer):
        raise DataError(f"{file} says {says}, but the index expects {_says(entry.source, entry.split, tokenizer)}: {AGAIN}")
    expected = ("I64", entry.documents + 1, entry.tokens)
    if found != expected or starts[0] + entry.tokens * dtype.itemsize > entry.size:
        raise DataError(f"{file} holds (offsets' type, their count, tokens) = {found}, but the index says {expected}: {AGAIN}")
    return (
        np.memmap(file, dtype, "r", starts[0], (entry.tokens,)).view(np.ndarray),
        np.memmap(file, np.dtype("<i8"), "r", starts[1], (entry.documents + 1,)).view(np.ndarray),
    )


def read_index(file: Path) -> Index:
    """Raises DataError if the file is no index of this version."""
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
        found = (raw.get("format"), raw.get("version"))
        if found != (FORMAT, VERSION):
            raise DataError(
                f"{file} has (format, version) = {found}, but this program reads {(FORMAT, VERSION)}: "
                "prepare it anew in another folder"
            )
        sources = tuple(SourceEntry(**source) for source in raw["sources"])
        return Index(raw["tokenizer"], sources, tuple(ShardEntry(**shard) for shard in raw["shards"]))
    except DataError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{file} is no index of a corpus ({error!r}): delete it and prepare the corpus again") from None


def write_index(file: Path, index: Index) -> None:
    raw = {"format": FORMAT, "version": VERSION, **dataclasses.asdict(index)}
    write_atomically(file, (json.dumps(raw, ensure_ascii=False, indent=1) + "\n").encode())


def fingerprint(tokenizer: Tokenizer) -> str:
    """The same for two tokenizers exactly if they are described by the same words."""
    description = json.loads(tokenizer.backend.to_str())
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()


def write_atomically(file: Path, data: bytes) -> None:
    """After a crash the file is the old one or the new one."""
    fresh = file.with_name(file.name + ".new")
    with fresh.open("wb") as opened:
        opened.write(data)
        opened.flush()
        os.fsync(opened.fileno())
    rename(fresh, file)


def rename(old: Path, new: Path) -> None:
    """A rename that survives a power cut."""
    os.replace(old, new)
    folder = os.open(new.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
