"""Sources and packing: nothing lost, nothing padded, everything wrong is named."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finback.data import DataError, Loader, Source, documents, pack


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
        (dict(form="instruction"), "line 1 has no field 'instruction'"),
    ],
)
def test_wrong_source_is_refused_with_its_cause(tmp_path, change, match):
    source = make_source(tmp_path, [json.dumps({"text": "x"})], "text")
    with pytest.raises(DataError, match=match):
        documents(dataclasses.replace(source, **change), tmp_path)


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


@given(st.lists(st.integers(2, 40), min_size=1, max_size=30), st.integers(1, 60), st.integers(0, 25))
def test_loader_resumed_from_two_integers_gives_the_next_batch(lengths, batch_tokens, steps):
    pieces = [np.full(n, i) for i, n in enumerate(lengths)]
    loader = Loader(pieces, batch_tokens, seed=3)
    for _ in range(steps):
        loader.next()
    resumed = Loader(pieces, batch_tokens, seed=3, epoch=loader.epoch, at=loader.at)
    for _ in range(3):
        assert [p[0] for p in loader.next()] == [p[0] for p in resumed.next()]


@given(st.lists(st.integers(2, 40), min_size=1, max_size=30), st.integers(1, 60))
def test_an_epoch_contains_every_piece_once_and_batches_hold_at_most_their_tokens(lengths, batch_tokens):
    pieces = [np.full(n, i) for i, n in enumerate(lengths)]
    loader, seen = Loader(pieces, batch_tokens, seed=1), []
    while len(seen) < len(pieces):
        batch = loader.next()
        assert len(batch) == 1 or sum(len(p) - 1 for p in batch) <= batch_tokens
        seen += [int(p[0]) for p in batch]
    assert sorted(seen[: len(pieces)]) == list(range(len(pieces)))
