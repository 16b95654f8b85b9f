"""How do sources become a tokenised corpus?

In three passes, each of which can be killed at any moment. First every file is checked. Then every
document gets a verdict: train on it, hold it out, or leave it out because it is empty or a copy. Last
the documents are tokenised into shards. A finished shard is entered in the unfinished index; the last
act is to rename that to `index.json`, so a folder has a complete index or none, and what was finished
is reused. Whether a document is held out depends on its own text alone: other data may come and go,
and a copy lands on the same side. A folder belongs to one preparing process at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np

from finback.data.duplicates import Duplicates, digest, normalise
from finback.data.shards import (
    HELD_OUT,
    INDEX,
    TRAIN,
    UNFINISHED,
    VERSION,
    Corpus,
    Index,
    ShardEntry,
    SourceEntry,
    check_shard,
    fingerprint,
    open_shards,
    read_index,
    rename,
    write_atomically,
    write_index,
    write_shard,
)
from finback.data.sources import DataError, Source, check_file, read_documents
from finback.text import Tokenizer

VERDICTS = (TRAIN, HELD_OUT, "empty", "exact", "near")
GROUP = 1 << 20  # characters tokenised at once


def prepare(
    sources: Sequence[Source],
    tokenizer: Tokenizer,
    folder: str | Path,
    root: Path,
    held_out: float,
    near_duplicates: float = 0.0,
    shard_tokens: int = 1 << 26,
    say: Callable[[str], None] = lambda line: None,
) -> Corpus:
    """Makes `folder` the corpus of `sources` (paths relative to `root`) and opens it; what it has already is checked
    and kept. `held_out` is the share of documents kept for validation, `near_duplicates` the similarity from which on
    a document is a copy (0.8 is usual; 0 removes exact copies only). A shard is closed by the document that brings
    it to `shard_tokens`. `say` gets a line per source and per shard. Raises DataError.
    """
    folder = Path(folder)
    if len({source.name for source in sources}) != len(sources):
        raise DataError(f"two sources have one name among {', '.join(s.name for s in sources)}: rename one")
    if not (0 <= held_out < 1 and 0 <= near_duplicates <= 1 and shard_tokens > 0):
        raise DataError(
            f"held_out={held_out} and near_duplicates={near_duplicates} are shares (0.02 and 0.8, for example), "
            f"shard_tokens={shard_tokens} is a positive count: correct the one that is not"
        )
    for source in sources:
        check_file(source, root)
    tokenizer_key = fingerprint(tokenizer)
    keys = _keys(sources, (VERSION, tokenizer_key, held_out, near_duplicates, shard_tokens))
    folder.mkdir(parents=True, exist_ok=True)
    found = _read_any_index(folder, tokenizer_key)
    shards = _intact(folder, found, keys, say)
    described = [(s.name, s.origin, s.licence, s.sha256, keys[s.name]) for s in sources]
    if (folder / INDEX).is_file():
        if [(s.name, s.origin, s.licence, s.sha256, s.key) for s in found.sources] == described and shards == list(found.shards):
            return open_shards(folder, tokenizer, verify=False)
        rename(folder / INDEX, folder / UNFINISHED)

    verdicts = _verdicts(sources, folder, root, keys, held_out, near_duplicates)
    entries = []
    for source in sources:
        count = Counter({name: int((verdicts[source.name] == i).sum()) for i, name in enumerate(VERDICTS)})
        left_out = {name: count[name] for name in ("empty", "exact", "near")}
        say(
            f"{source.name}: {count.total()} documents, of which {count['empty']} empty, {count['exact']} exact copies and "
            f"{count['near']} near copies left out, {count[HELD_OUT]} held out"
        )
        if not count[TRAIN]:
            raise DataError(
                f"source {source.name} has no document to train on ({count.total()} read, {left_out} left out, "
                f"{count[HELD_OUT]} held out): remove the source, lower held_out, or cut long texts with part = 4000"
            )
        entries.append(
            SourceEntry(source.name, source.origin, source.licence, source.sha256, keys[source.name], count.total(), **left_out)
        )
    index = Index(tokenizer_key, tuple(entries), tuple(shards))
    write_index(folder / UNFINISHED, index)
    for source in sources:
        for shard in _new_shards(source, tokenizer, folder, root, verdicts[source.name], shards, shard_tokens, tokenizer_key):
            shards.append(shard)
            write_index(folder / UNFINISHED, Index(tokenizer_key, tuple(entries), _ordered(shards, sources)))
            say(f"{shard.file}: {shard.documents} documents, {shard.tokens} tokens")
    for leftover in folder.glob("*.verdicts"):
        leftover.unlink()
    rename(folder / UNFINISHED, folder / INDEX)
    return open_shards(folder, tokenizer, verify=False)


def is_held_out(document: str, share: float) -> bool:
    """Whether `prepare` keeps this document for validation; a tokenizer trained before should not see it either."""
    return int.from_bytes(digest(normalise(document))[:8], "big") < share * 2**64


def _keys(sources: Sequence[Source], common: tuple) -> dict[str, str]:
    """What decides a source's shards: its own text and, because the first of two copies stays, all text before it.
    So a source added at the end leaves the shards of the others as they are."""
    keys, last = {}, sha256(repr(common).encode()).hexdigest()
    for s in sources:
        last = sha256(repr((last, s.name, s.path.rpartition(".")[2], s.form, s.sha256, s.only, s.part)).encode()).hexdigest()
        keys[s.name] = last
    return keys


def _read_any_index(folder: Path, tokenizer_key: str) -> Index:
    for name in (INDEX, UNFINISHED):
        if (folder / name).is_file():
            found = read_index(folder / name)
            if found.tokenizer != tokenizer_key:
                raise DataError(
                    f"{folder} holds a corpus of the tokenizer {found.tokenizer[:16]}, but this one is {tokenizer_key[:16]}: "
                    "prepare into another folder, or delete this one"
                )
            return found
    return Index(tokenizer_key, (), ())


def _intact(folder: Path, found: Index, keys: dict[str, str], say: Callable[[str], None]) -> list[ShardEntry]:
    """The shards that can stay: of an unchanged source, undamaged, and with none missing before them."""
    unchanged = {s.name for s in found.sources if keys.get(s.name) == s.key}
    intact, broken = [], set()
    for entry in found.shards:
        place = (entry.source, entry.split)
        if entry.source not in unchanged or place in broken:
            continue
        try:
            check_shard(folder, entry, verify=True)
            intact.append(entry)
        except DataError as error:
            say(f"{error} (being done)")
            broken.add(place)
    return intact


def _verdicts(
    sources: Sequence[Source], folder: Path, root: Path, keys: dict[str, str], held_out: float, near_duplicates: float
) -> dict[str, np.ndarray]:
    """For every document of every source the number of its verdict; kept in files, because finding near copies is
    the slowest pass."""
    files = {s.name: folder / f"{s.name}.{keys[s.name][:16]}.verdicts" for s in sources}
    if not all(file.is_file() for file in files.values()):
        duplicates = Duplicates(near_duplicates)
        for source in sources:
            verdicts = (_verdict(document, duplicates, held_out) for document in read_documents(source, root))
            write_atomically(files[source.name], bytes(VERDICTS.index(verdict) for verdict in verdicts))
    return {name: np.frombuffer(file.read_bytes(), dtype=np.uint8) for name, file in files.items()}


def _verdict(document: str, duplicates: Duplicates, held_out: float) -> str:
    text = normalise(document)
    if not text:
        return "empty"
    return duplicates.seen(text) or (HELD_OUT if is_held_out(document, held_out) else TRAIN)


def _new_shards(
    source: Source, tokenizer: Tokenizer, folder: Path, root: Path, verdicts: np.ndarray, shards: list[ShardEntry],
    shard_tokens: int, tokenizer_key: str,
) -> Iterator[ShardEntry]:  # fmt: skip
    """Tokenises what is not in `shards` yet and writes it, a shard at a time."""
    dtype = np.dtype(np.uint16 if tokenizer.vocab_size <= 1 << 16 else np.uint32)
    widths = text_widths(tokenizer)
    done = [[s for s in shards if (s.source, s.split) == (source.name, split)] for split in (TRAIN, HELD_OUT)]
    skip = [sum(s.documents for s in entries) for entries in done]
    number = [len(entries) for entries in done]
    if skip == [int((verdicts == i).sum()) for i in (0, 1)]:
        return

    def write(split: int, documents: list[np.ndarray]) -> ShardEntry:
        name = VERDICTS[split]
        file = f"{source.name}.{name}.{number[split]:05d}.safetensors"
        number[split] += 1
        text_bytes = sum(int(widths[ids].sum()) for ids in documents)
        return write_shard(folder, file, source.name, name, documents, tokenizer_key, dtype, text_bytes)

    def wanted() -> Iterator[tuple[int, str]]:
        for verdict, document in zip(verdicts.tolist(), read_documents(source, root), strict=True):
            if verdict > 1:
                continue
            if skip[verdict]:
                skip[verdict] -= 1
            else:
                yield verdict, document

    waiting: list[list[np.ndarray]] = [[], []]
    tokens = [0, 0]
    for group in _groups(wanted()):
        encoded = tokenizer.backend.encode_batch_fast([text for _, text in group], add_special_tokens=False)
        for (split, _), encoding in zip(group, encoded):
            waiting[split].append(np.array(encoding.ids, dtype=dtype))
            tokens[split] += len(encoding.ids)
            if tokens[split] >= shard_tokens:
                yield write(split, waiting[split])
                waiting[split], tokens[split] = [], 0
    for split in (0, 1):
        if waiting[split]:
            yield write(split, waiting[split])


def _groups(documents: Iterator[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    """Lists of documents with about GROUP characters."""
    group, size = [], 0
    for split, text in documents:
        group.append((split, text))
        size += len(text)
        if size >= GROUP:
            yield group
            group, size = [], 0
    if group:
        yield group


def text_widths(tokenizer: Tokenizer) -> np.ndarray:
    """How many bytes of text each id stands for: none for the added tokens."""
    widths = np.zeros(tokenizer.vocab_size, dtype=np.int64)
    added = tokenizer.backend.get_added_tokens_decoder()
    for i in tokenizer.backend.get_vocab(with_added_tokens=True).values():
        if i not in added:
            widths[i] = len(tokenizer.token_bytes(i))
    return widths


def _ordered(shards: list[ShardEntry], sources: Sequence[Source]) -> tuple[ShardEntry, ...]:
    order = {(s.name, split): i for i, (s, split) in enumerate((s, split) for s in sources for split in (TRAIN, HELD_OUT))}
    return tuple(sorted(shards, key=lambda shard: (order[shard.source, shard.split], shard.file)))
