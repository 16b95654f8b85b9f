"""A prepared corpus: complete or absent, and every damage has a name."""

from __future__ import annotations

import dataclasses
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from data_helpers import stories, write_source
from hypothesis import given
from hypothesis import strategies as st

from finback.data import HELD_OUT, TRAIN, DataError, is_held_out, open_shards, prepare
from finback.data import prepare as prepare_function
from finback.data.shards import INDEX, UNFINISHED, write_atomically
from finback.text import load_tokenizer, train_tokenizer
from finback.text.tokens import BOS, EOS

prepare_module = sys.modules[prepare_function.__module__]


def all_texts(corpus, tokenizer, name, split):
    return [tokenizer.decode(ids.tolist())[len(BOS) : -len(EOS)] for ids in corpus.documents(name, split)]


def files(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, tokenizer):
    folder = tmp_path_factory.mktemp("corpus")
    sources = [write_source(folder, "a", stories(200, 1)), write_source(folder, "b", stories(90, 2))]
    corpus = prepare(sources, tokenizer, folder / "out", folder, held_out=0.1, shard_tokens=700)
    return folder, sources, corpus


def test_every_document_is_in_exactly_one_split_and_order_stays(prepared, tokenizer):
    folder, _, corpus = prepared
    for name, count, seed in (("a", 200, 1), ("b", 90, 2)):
        written = stories(count, seed)
        train, held = (all_texts(corpus, tokenizer, name, split) for split in (TRAIN, HELD_OUT))
        assert sorted(train + held) == sorted(written) and held
        assert train == [text for text in written if text in set(train)]
        assert held == [text for text in written if is_held_out(BOS + text + EOS, 0.1)]


def test_counts_of_the_index_are_those_of_the_text(prepared, tokenizer):
    _, _, corpus = prepared
    for name in corpus.names:
        for split in (TRAIN, HELD_OUT):
            found = corpus.documents(name, split)
            assert found.tokens == sum(len(ids) for ids in found)
            assert found.text_bytes == sum(len(text.encode()) for text in all_texts(corpus, tokenizer, name, split))
    raw = json.loads((prepared[0] / "out" / INDEX).read_text())
    assert raw["sources"][0]["licence"] == "CC0" and raw["sources"][0]["read"] == 200
    assert len(raw["shards"]) > 8


def test_shards_are_memory_mapped_and_small_vocabularies_take_two_bytes(prepared):
    ids = prepared[2].documents("a")[3]
    assert ids.dtype == np.uint16 and not ids.flags.writeable and not ids.flags.owndata


def test_a_large_vocabulary_takes_four_bytes(tmp_path, tokenizer, monkeypatch):
    monkeypatch.setitem(tokenizer.__dict__, "vocab_size", (1 << 16) + 1)
    corpus = prepare([write_source(tmp_path, "a", stories(9, 1))], tokenizer, tmp_path / "out", tmp_path, held_out=0)
    assert corpus.documents("a")[0].dtype == np.uint32


def test_preparing_again_changes_nothing_and_tokenises_nothing(prepared, tokenizer, monkeypatch):
    folder, sources, corpus = prepared
    before = files(folder / "out")
    monkeypatch.delattr(prepare_module, "write_shard")
    again = prepare(sources, tokenizer, folder / "out", folder, held_out=0.1, shard_tokens=700)
    assert again.identity == corpus.identity and files(folder / "out") == before


def test_split_of_a_document_does_not_depend_on_other_documents(prepared, tmp_path, tokenizer):
    corpus = prepared[2]
    more = stories(40, 3) + stories(200, 1) + stories(90, 2)
    larger = prepare([write_source(tmp_path, "c", more)], tokenizer, tmp_path / "out", tmp_path, held_out=0.1)
    held = {text for name in "ab" for text in all_texts(corpus, tokenizer, name, HELD_OUT)}
    train = {text for name in "ab" for text in all_texts(corpus, tokenizer, name, TRAIN)}
    assert held <= set(all_texts(larger, tokenizer, "c", HELD_OUT))
    assert train <= set(all_texts(larger, tokenizer, "c", TRAIN))


@given(st.lists(st.sampled_from(["x", "X", " x ", "fox ran", "Fox\nran", "", " ", "月", "🐋"]), min_size=1, max_size=20))
def test_copies_never_straddle_the_split_and_empty_documents_are_counted(tmp_path_factory, tokenizer, texts):
    folder = tmp_path_factory.mktemp("copies")
    sources = [write_source(folder, "a", [*texts, "an end"]), write_source(folder, "b", [*texts, "another end"])]
    try:
        corpus = prepare(sources, tokenizer, folder / "out", folder, held_out=0.3)
    except DataError as error:
        assert "no document to train on" in str(error)
        return
    kept = [
        " ".join(text.lower().split())
        for name in "ab"
        for split in (TRAIN, HELD_OUT)
        for text in all_texts(corpus, tokenizer, name, split)
    ]
    assert len(kept) == len(set(kept)) and "" not in kept
    assert len(kept) == len({" ".join(text.lower().split()) for text in texts} - {""}) + 2
    assert corpus.index.sources[0].empty == sum(not text.strip() for text in texts)


def test_near_copies_are_counted_where_they_were_removed(tmp_path, tokenizer):
    pytest.importorskip("datasketch")
    first = [text for text in stories(40, 1, longest=150) if len(text.split()) > 80]
    second = [text + " too" for text in first] + stories(5, 2)
    sources = [write_source(tmp_path, "a", first), write_source(tmp_path, "b", second)]
    lines = []
    corpus = prepare(sources, tokenizer, tmp_path / "out", tmp_path, 0.0, near_duplicates=0.8, say=lines.append)
    assert [(s.read, s.exact, s.near) for s in corpus.index.sources] == [
        (len(first), 0, 0),
        (len(second), 0, len(first)),
    ]
    assert f"{len(first)} near copies left out" in lines[1]


@pytest.mark.parametrize("unlucky", [1, 2, 5, 11])
def test_preparation_killed_while_writing_leaves_no_index_and_is_continued(
    prepared, tmp_path, tokenizer, monkeypatch, unlucky
):
    folder, sources, corpus = prepared
    real, count = prepare_module.write_shard, 0

    def write_shard(*args):
        nonlocal count
        count += 1
        if count == unlucky:
            (tmp_path / args[1]).write_bytes(b"half a shard")
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(prepare_module, "write_shard", write_shard)
    options = dict(held_out=0.1, shard_tokens=700)
    with pytest.raises(KeyboardInterrupt):
        prepare(sources, tokenizer, tmp_path, folder, **options)
    with pytest.raises(DataError, match="its preparation was not finished"):
        open_shards(tmp_path, tokenizer)
    again = prepare(sources, tokenizer, tmp_path, folder, **options)
    assert again.identity == corpus.identity and files(tmp_path) == files(folder / "out")
    assert count == len(corpus.index.shards) + 1  # nothing finished was written twice


KILLED = """
import sys
sys.path.insert(0, sys.argv[3])
from pathlib import Path
from finback.data import prepare
from finback.text import load_tokenizer
from data_helpers import stories, write_source
here = Path(sys.argv[1])
source = write_source(here, "a", stories(int(sys.argv[2]), 1))
prepare([source], load_tokenizer(here), here / "out", here, held_out=0.1, shard_tokens=300, say=lambda line: print(line, flush=True))
"""


def test_preparation_killed_by_the_system_is_continued(tmp_path, tokenizer):
    tokenizer.save(tmp_path)
    command = [sys.executable, "-c", KILLED, str(tmp_path), "2000", str(Path(__file__).parent)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    lines = [child.stdout.readline() for _ in range(8)]
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL and all(lines), lines
    out = tmp_path / "out"
    assert (out / UNFINISHED).is_file() and not (out / INDEX).exists()
    finished = {entry["file"] for entry in json.loads((out / UNFINISHED).read_text())["shards"]}
    times = {name: (out / name).stat().st_mtime_ns for name in finished}
    source = write_source(tmp_path, "a", stories(2000, 1))
    corpus = prepare([source], tokenizer, out, tmp_path, held_out=0.1, shard_tokens=300)
    assert len(finished) >= 6 and times == {name: (out / name).stat().st_mtime_ns for name in finished}
    assert len(corpus.documents("a")) + len(corpus.documents("a", HELD_OUT)) == 2000
    assert {file.name for file in out.iterdir()} == {INDEX, *(entry.file for entry in corpus.index.shards)}


def test_a_source_added_at_the_end_keeps_the_shards_of_the_others(tmp_path, tokenizer):
    a, b = write_source(tmp_path, "a", stories(60, 1)), write_source(tmp_path, "b", stories(30, 2))
    first = prepare([a], tokenizer, tmp_path / "out", tmp_path, held_out=0.1, shard_tokens=300)
    written = []
    both = prepare([a, b], tokenizer, tmp_path / "out", tmp_path, held_out=0.1, shard_tokens=300, say=written.append)
    assert not any(line.startswith("a.") for line in written) and any(line.startswith("b.train") for line in written)
    assert both.index.shards[: len(first.index.shards)] == first.index.shards
    changed = dataclasses.replace(a, part=50)
    again = prepare([changed, b], tokenizer, tmp_path / "out", tmp_path, held_out=0.1, shard_tokens=300)
    assert again.index.sources[0].key != both.index.sources[0].key


def test_a_changed_source_changes_the_shards_of_those_after_it_only(tmp_path, tokenizer):
    """Because the first of two copies stays: `b` loses a document when it appears in `a`."""
    a, b, c = (write_source(tmp_path, name, stories(20, seed)) for seed, name in enumerate("abc"))
    corpora = [prepare([a, b, c], tokenizer, tmp_path / "out", tmp_path, held_out=0.1)]
    changed = write_source(tmp_path, "b", stories(20, 1) + stories(3, 2))
    corpora.append(prepare([a, changed, c], tokenizer, tmp_path / "out", tmp_path, held_out=0.1))
    before, after = ([s.key for s in corpus.index.sources] for corpus in corpora)
    assert [x == y for x, y in zip(before, after)] == [True, False, False]
    assert corpora[1].index.sources[2].exact == 3


def test_a_killed_change_of_a_complete_corpus_leaves_no_index(copy, prepared, tokenizer, monkeypatch):
    folder, sources, _ = prepared

    def killed(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(prepare_module, "write_shard", killed)
    with pytest.raises(KeyboardInterrupt):
        prepare(sources, tokenizer, copy, folder, held_out=0.2, shard_tokens=700)
    with pytest.raises(DataError, match="its preparation was not finished"):
        open_shards(copy, tokenizer)


def test_a_write_that_is_killed_leaves_the_old_file(tmp_path, monkeypatch):
    file = tmp_path / "file"
    write_atomically(file, b"old")

    def killed(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(file, b"new")
    assert file.read_bytes() == b"old"


@pytest.fixture
def copy(prepared, tmp_path):
    for name, raw in files(prepared[0] / "out").items():
        (tmp_path / name).write_bytes(raw)
    return tmp_path


SHARD = "a.train.00001.safetensors"


def damage(folder, kind):
    file = folder / SHARD
    raw = bytearray(file.read_bytes())
    if kind == "missing":
        file.unlink()
        return
    if kind == "flipped":
        raw[-5] ^= 1
    if kind == "flipped header":
        raw[9] ^= 255
    if kind == "cut":
        raw = raw[:-1]
    if kind == "longer":
        raw += b"0"
    if kind == "foreign":
        raw = (folder / "b.train.00001.safetensors").read_bytes().ljust(len(raw), b"0")[: len(raw)]
    file.write_bytes(raw)


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("missing", "is missing, a shard of [0-9]+ bytes"),
        ("flipped", "has the checksum [0-9a-f]{64}, but the index says [0-9a-f]{64}: it is damaged"),
        ("flipped header", "has the checksum"),
        ("cut", "has [0-9]+ bytes, but the index says [0-9]+: it was cut or replaced"),
        ("longer", "has [0-9]+ bytes, but the index says"),
        ("foreign", "has the checksum"),
    ],
)
def test_damaged_shard_is_named_and_preparing_again_mends_it(prepared, copy, tokenizer, kind, cause):
    damage(copy, kind)
    with pytest.raises(DataError, match=f"{SHARD} {cause}"):
        open_shards(copy, tokenizer)
    lines = []
    folder, sources, corpus = prepared
    mended = prepare(sources, tokenizer, copy, folder, held_out=0.1, shard_tokens=700, say=lines.append)
    assert mended.identity == corpus.identity and files(copy) == files(folder / "out")
    assert SHARD in lines[0]


@pytest.mark.parametrize("kind", ["flipped header", "cut", "missing", "foreign"])
def test_without_checksums_sizes_and_headers_are_still_checked(copy, tokenizer, kind):
    damage(copy, kind)
    with pytest.raises(DataError, match=SHARD):
        open_shards(copy, tokenizer, verify=False)


def test_a_shard_of_another_tokenizer_with_the_same_counts_is_refused(prepared, copy, tokenizer):
    """As if one file had been copied from another corpus, and the checksum were not asked."""
    file = copy / SHARD
    raw = file.read_bytes()
    own = prepared[2].index.tokenizer.encode()
    assert own in raw
    file.write_bytes(raw.replace(own, b"0" * len(own)))
    with pytest.raises(DataError, match=f"{SHARD} says .*0000"):
        open_shards(copy, tokenizer, verify=False)


@given(st.data())
def test_no_flipped_byte_passes(prepared, tmp_path_factory, tokenizer, data):
    folder = tmp_path_factory.mktemp("flip")
    originals = files(prepared[0] / "out")
    for name, raw in originals.items():
        (folder / name).write_bytes(raw)
    name = data.draw(st.sampled_from(sorted(n for n in originals if n != INDEX)))
    raw = bytearray(originals[name])
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    (folder / name).write_bytes(raw)
    with pytest.raises(DataError, match=name):
        open_shards(folder, tokenizer)


@pytest.mark.parametrize(
    ("raw", "match"),
    [
        (b"{", "is no index of a corpus"),
        (b"[]", "is no index of a corpus"),
        (b'{"format": "other", "version": 1}', r"\(format, version\) = \('other', 1\)"),
        (b'{"format": "finback tokens", "version": 99}', "but this program reads"),
        (b'{"format": "finback tokens", "version": 1}', "is no index of a corpus"),
    ],
)
def test_foreign_index_is_refused(copy, tokenizer, raw, match):
    (copy / INDEX).write_bytes(raw)
    with pytest.raises(DataError, match=match):
        open_shards(copy, tokenizer)


def test_other_tokenizer_is_refused_and_a_saved_one_is_the_same(prepared, copy, tokenizer, tmp_path):
    other = train_tokenizer(stories(50, 9), 400)
    with pytest.raises(DataError, match="but this one is"):
        open_shards(copy, other)
    with pytest.raises(DataError, match="prepare into another folder"):
        prepare(prepared[1], other, copy, prepared[0], held_out=0.1)
    tokenizer.save(tmp_path / "saved")
    assert open_shards(copy, load_tokenizer(tmp_path / "saved")).identity == prepared[2].identity


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (dict(held_out=1.5), "held_out=1.5"),
        (dict(near_duplicates=2), "near_duplicates=2"),
        (dict(shard_tokens=0), "shard_tokens=0"),
        (dict(held_out=0.9999999), "no document to train on"),
    ],
)
def test_options_that_cannot_be_are_refused(tmp_path, tokenizer, options, match):
    source = write_source(tmp_path, "a", stories(3, 1))
    with pytest.raises(DataError, match=match):
        prepare([source], tokenizer, tmp_path / "out", tmp_path, **(dict(held_out=0.1) | options))
    with pytest.raises(DataError, match="two sources have one name"):
        prepare([source, source], tokenizer, tmp_path / "out", tmp_path, held_out=0.1)
    with pytest.raises(DataError, match="no source 'c'; it has a"):
        prepare([source], tokenizer, tmp_path / "new", tmp_path, held_out=0.0).documents("c")


def test_a_missing_file_is_reported_before_any_work(tmp_path, tokenizer):
    source = write_source(tmp_path, "a", stories(3, 1))
    gone = dataclasses.replace(source, name="b", path="gone.jsonl")
    with pytest.raises(DataError, match="gone.jsonl is missing"):
        prepare([source, gone], tokenizer, tmp_path / "out", tmp_path, held_out=0.1)
    assert not (tmp_path / "out").exists()
