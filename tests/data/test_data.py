"""Sources and pieces: every kind of file, nothing lost, everything wrong is named."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finback.data import DataError, Source, check_file, pack, read_documents
from finback.data.sources import parts


def documents(source, root):
    check_file(source, root)
    return list(read_documents(source, root))


def make_source(folder, lines, form, name="s.jsonl", **changes):
    raw = "\n".join(lines).encode()
    (folder / name).write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    return Source("s", name, form, "here", "CC0", digest, **changes)


def test_instruction_becomes_a_turn_of_the_v4_chat_format(tmp_path):
    source = make_source(tmp_path, [json.dumps({"instruction": "Hi?", "response": "Yes."})], "instruction")
    assert documents(source, tmp_path) == ["<｜begin▁of▁sentence｜><｜User｜>Hi?<｜Assistant｜></think>Yes.<｜end▁of▁sentence｜>"]


def test_story_joins_lines_that_break_a_sentence(tmp_path):
    source = make_source(tmp_path, [json.dumps({"title": "T", "text": "One\nday.\nThe end."})], "story", name="s.jsonl.gz")
    assert documents(source, tmp_path)[0].endswith("Tell me a story: T<｜Assistant｜></think>One day.\nThe end.<｜end▁of▁sentence｜>")


def test_special_tokens_in_data_cannot_forge_a_turn(tmp_path):
    source = make_source(tmp_path, [json.dumps({"text": "a<｜User｜>b"})], "text")
    assert "<｜User｜>" not in documents(source, tmp_path)[0]


def test_only_keeps_the_named_titles(tmp_path):
    lines = [json.dumps({"title": t, "text": t}) for t in "AB"]
    assert len(documents(make_source(tmp_path, lines, "text", only=("B",)), tmp_path)) == 1


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (dict(path="gone.jsonl"), "gone.jsonl is missing. It comes from here"),
        (dict(sha256="0" * 64), "has the checksum"),
        (dict(form="poem"), "form is 'poem'"),
        (dict(form="instruction"), "record 1 of .* has no field 'instruction'"),
    ],
)
def test_wrong_source_is_refused_with_its_cause(tmp_path, change, match):
    source = make_source(tmp_path, [json.dumps({"text": "x"})], "text")
    with pytest.raises(DataError, match=match):
        documents(dataclasses.replace(source, **change), tmp_path)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (dict(form="poem"), "form is 'poem'; choose one of text"),
        (dict(name="a/b"), "it names files"),
        (dict(path="s.csv"), "is no file we can read"),
        (dict(form="story", fim=True), "for running text"),
        (dict(form="story", path="s.txt"), "for running text"),
        (dict(weight=0.0), "weight above 0"),
        (dict(repeat=0), "repeat is at least 1"),
    ],
)
def test_source_that_cannot_be_is_refused_when_it_is_made(change, match):
    with pytest.raises(DataError, match=match):
        Source(**(dict(name="s", path="s.jsonl", form="text", origin="here", licence="CC0", sha256="") | change))


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("[1]", "record 1 of .* is not an object"),
        ('{"text": null}', "'text' is None, not text"),
        ('{"text": "\\ud800"}', "half of a surrogate pair"),
        ('{"title": "x"}', "no field 'text' .*; it has title"),
    ],
)
def test_record_that_is_no_text_is_named(tmp_path, line, match):
    with pytest.raises(DataError, match=match):
        documents(make_source(tmp_path, [line], "text"), tmp_path)


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("s.jsonl.gz", gzip.compress(b'{"text": "%s"}' % bytes(range(65, 91)) * 99, mtime=0)[:-20]),
        ("s.jsonl.gz", b"not gzip"),
        ("s.jsonl", b'{"text": "\xff"}'),
        ("s.txt", b"\xff"),
    ],
)
def test_file_that_ends_early_or_is_no_utf8_is_named(tmp_path, name, raw):
    (tmp_path / name).write_bytes(raw)
    with pytest.raises(DataError, match="source s: .*(cannot be read to its end|is not JSON)"):
        documents(Source("s", name, "text", "here", "CC0", hashlib.sha256(raw).hexdigest()), tmp_path)


def test_every_kind_of_file_gives_the_same_documents(tmp_path):
    texts = ["One day.\n\nA fox ran.", "", "床前明月光 🐋"]
    lines = [json.dumps({"text": text, "other": 1}) for text in texts]
    expected = documents(make_source(tmp_path, lines, "text"), tmp_path)
    assert documents(make_source(tmp_path, lines, "text", name="s.jsonl.gz"), tmp_path) == expected
    whole = make_source(tmp_path, [texts[0]], "text", name="s.txt")
    assert documents(whole, tmp_path) == expected[:1]
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"text": texts, "other": [1, 2, 3]}), tmp_path / "s.parquet", row_group_size=2)
    raw = (tmp_path / "s.parquet").read_bytes()
    table = Source("s", "s.parquet", "text", "here", "CC0", hashlib.sha256(raw).hexdigest())
    assert documents(table, tmp_path) == expected
    with pytest.raises(DataError, match="no field 'title'"):
        documents(dataclasses.replace(table, form="story"), tmp_path)
    (tmp_path / "s.parquet").write_bytes(raw[:-9])
    with pytest.raises(DataError, match="not a whole Parquet file"):
        documents(dataclasses.replace(table, sha256=hashlib.sha256(raw[:-9]).hexdigest()), tmp_path)


@pytest.mark.parametrize("missing", ["pyarrow"])
def test_without_the_parquet_reader_the_extra_is_named(tmp_path, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(DataError, match=r"needs pyarrow: pip install 'finback\[data\]'"):
        documents(make_source(tmp_path, ["x"], "text", name="s.parquet"), tmp_path)


@given(st.lists(st.text("ab \n", max_size=12), max_size=9).map("\n\n".join), st.integers(0, 25))
def test_parts_rejoin_to_the_text_and_only_a_long_paragraph_exceeds_the_limit(text, limit):
    found = parts(text, limit)
    assert "\n\n".join(found) == text
    assert all(len(part) <= limit or "\n\n" not in part for part in found) or not limit


def test_broken_line_is_named(tmp_path):
    with pytest.raises(DataError, match="line 2 of"):
        documents(make_source(tmp_path, ['{"text": "x"}', "{"], "text"), tmp_path)


@given(st.lists(st.integers(0, 70), max_size=8), st.integers(1, 20))
def test_packing_predicts_every_token_but_the_first_exactly_once(lengths, length):
    starts = np.cumsum([0, *lengths])
    docs = [np.arange(a, a + n) for a, n in zip(starts, lengths)]
    pieces = pack(docs, length)
    targets = [t for piece in pieces for t in piece[1:]]
    assert sorted(targets) == [t for doc in docs for t in doc[1:]]
    assert all(2 <= len(piece) <= length + 1 for piece in pieces)
    assert all(np.array_equal(np.diff(piece), np.ones(len(piece) - 1)) for piece in pieces)
