"""The stream: every token once an epoch, exact shares, and a few integers that hold all of it."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from itertools import cycle, islice

import numpy as np
import pytest
from data_helpers import stories, write_source
from hypothesis import given
from hypothesis import strategies as st

from finback.data import DataError, FimTokens, Source, Stream, fill_in_the_middle, prepare
from finback.data.shards import Corpus, Documents, Index, ShardEntry, SourceEntry
from finback.data.shuffle import key, permuted

FIM = FimTokens(60001, 60002, 60003)


def corpus_of(**lengths: list[int]) -> Corpus:
    """Sources with documents of these lengths; no two tokens of a source are the same."""
    splits, sources = {}, []
    for name, counts in lengths.items():
        offsets = np.cumsum([0, *counts])
        entry = ShardEntry("", name, "train", len(counts), int(offsets[-1]), 0, 0, "")
        splits[name, "train"] = Documents([(entry, np.arange(offsets[-1], dtype=np.uint16), offsets)])
        sources.append(SourceEntry(name, "", "", "", "", len(counts), 0, 0, 0))
    return Corpus(Index("", tuple(sources), ()), key(lengths), FIM, splits)


def source(name: str, **changes) -> Source:
    return Source(name, "x.jsonl", "text", "", "", "", **changes)


def streams(seed=1, fim_rate=0.0, lengths=None, **changes) -> Stream:
    lengths = lengths or {"a": [5, 2, 40, 9, 1, 0, 17], "b": [3, 90, 12], "c": [30] * 11}
    named = [source(name, **changes.get(name, {})) for name in lengths]
    return Stream(corpus_of(**lengths), named, seed, fim_rate)


schedules = st.lists(st.tuples(st.integers(1, 70), st.integers(1, 50)), min_size=1, max_size=6)
lengths = st.lists(st.integers(0, 40), min_size=1, max_size=20).filter(lambda found: max(found) > 1)


@given(st.integers(1, 5000), st.integers(0, 2**64 - 1))
def test_shuffle_is_a_bijection(n, shuffle_key):
    assert sorted(permuted(i, n, shuffle_key) for i in range(n)) == list(range(n))


def test_shuffle_needs_no_table():
    n = 10**15 + 7
    places = [0, 1, 2, n // 2, n - 1]
    found = [permuted(i, n, 5) for i in places]
    assert len(set(found)) == 5 and all(0 <= i < n for i in found) and found != places


@pytest.mark.parametrize("n", [2, 3, 7, 20])
def test_every_item_comes_to_every_place_equally_often(n):
    rounds = 200 * n
    counts = np.zeros((n, n))
    for k in range(rounds):
        for i in range(n):
            counts[i, permuted(i, n, key(k))] += 1
    expected = rounds / n
    chi = ((counts - expected) ** 2 / expected).sum()
    assert chi / (n - 1) ** 2 < 1 + 6 * (2 / (n - 1) ** 2) ** 0.5


@given(lengths, schedules, st.integers(0, 99))
def test_every_token_but_a_documents_first_is_predicted_once_an_epoch(counts, schedule, seed):
    stream = streams(seed, lengths={"a": counts})
    expected = Counter()
    for first, n in zip(np.cumsum([0, *counts]).tolist(), counts):
        expected.update(range(first + 1, first + n))
    epoch = expected.total()
    targets: list[int] = []
    for batch_tokens, sequence in cycle(schedule):
        batch = stream.next(batch_tokens, sequence)
        assert sum(len(piece) - 1 for piece in batch) == batch_tokens
        assert all(2 <= len(piece) <= sequence + 1 and (np.diff(piece) == 1).all() for piece in batch)
        targets += [int(t) for piece in batch for t in piece[1:]]
        if len(targets) >= 3 * epoch:
            break
    for a in range(0, 3 * epoch, epoch):
        assert Counter(targets[a : a + epoch]) == expected


@given(st.integers(0, 25), schedules, schedules, st.sampled_from([0.0, 0.5]))
def test_resumed_stream_gives_the_very_next_token_also_inside_a_document(steps, before, after, rate):
    stream, resumed = (streams(fim_rate=rate, c={"fim": True}) for _ in range(2))
    for batch_tokens, sequence in islice(cycle(before), steps):
        stream.next(batch_tokens, sequence)
    state = json.loads(json.dumps(stream.state()))
    assert all(type(value) is int and -1 <= value < 2**63 for value in state.values())
    resumed.restore(state)
    for batch_tokens, sequence in islice(cycle(after), 12):
        assert [p.tolist() for p in resumed.next(batch_tokens, sequence)] == [
            p.tolist() for p in stream.next(batch_tokens, sequence)
        ]
    assert resumed.state() == stream.state() and resumed.seen() == stream.seen()


@given(schedules, schedules)
def test_the_order_of_tokens_does_not_depend_on_the_schedule(one, other):
    def targets(schedule):
        stream, found = streams(), []
        for batch_tokens, sequence in cycle(schedule):
            found += [int(t) for piece in stream.next(batch_tokens, sequence) for t in piece[1:]]
            if len(found) >= 600:
                return found[:600]

    assert targets(one) == targets(other)


def test_copy_looks_ahead_and_disturbs_nothing():
    stream, alone = streams(), streams()
    stream.next(50, 9), alone.next(50, 9)
    ahead = stream.copy()
    seen_ahead = [[p.tolist() for p in ahead.next(33, 9)] for _ in range(9)]
    assert stream.state() == alone.state()
    assert [[p.tolist() for p in stream.next(33, 9)] for _ in range(9)] == seen_ahead


@given(st.integers(0, 300), st.integers(1, 40), st.tuples(*[st.floats(0.05, 1)] * 3))
def test_shares_of_the_tokens_hold_within_a_document_at_any_time(steps, batch_tokens, weights):
    stream = streams(**{name: {"weight": weight} for name, weight in zip("abc", weights)})
    for _ in range(steps):
        stream.next(batch_tokens, 16)
    longest = {"a": 39, "b": 89, "c": 29}
    total = sum(seen.tokens for seen in stream.seen().values())
    assert total == steps * batch_tokens
    for name, share in ((lane.name, lane.share) for lane in stream.lanes):
        ahead = stream.seen()[name].tokens - share * total
        others = sum(n for other, n in longest.items() if other != name)
        assert -share * others - 1e-6 <= ahead <= longest[name] + 1e-6


def test_without_weights_a_source_is_read_repeat_times_as_often():
    stream = streams(b={"repeat": 4})
    for _ in range(600):
        stream.next(64, 32)
    seen = stream.seen()
    assert seen["b"].epochs / seen["a"].epochs == pytest.approx(4, rel=0.05)
    assert seen["c"].epochs / seen["a"].epochs == pytest.approx(1, rel=0.05)


def test_epochs_seeds_and_sources_are_shuffled_differently():
    def order(seed, name, epochs=1):
        stream = streams(seed, lengths={name: [2] * 30})
        return [[int(p[0]) for p in stream.next(30, 8)] for _ in range(epochs)]

    orders = [*order(1, "a", 3), *order(2, "a"), *order(1, "b")]
    assert len({tuple(found) for found in orders}) == 5
    assert all(sorted(found) == list(range(0, 60, 2)) for found in orders)


def unfilled(ids: list[int]) -> list[int]:
    """The document that an exercise was made from."""
    begin, hole, end = (ids.index(token) for token in (FIM.begin, FIM.hole, FIM.end))
    assert begin == 1 and begin < hole < end
    return [ids[0], *ids[2:hole], *ids[end + 1 : -1], *ids[hole + 1 : end], ids[-1]]


@given(st.integers(2, 40), st.integers(0, 2**64 - 1))
def test_fill_in_the_middle_can_be_undone(n, fim_key):
    ids = np.arange(n, dtype=np.uint16)
    found = fill_in_the_middle(ids, FIM, 1.0, fim_key)
    assert found.dtype == ids.dtype and unfilled(found.tolist()) == ids.tolist()
    assert fill_in_the_middle(ids, FIM, 0.0, fim_key) is ids


def test_cuts_fall_everywhere_and_the_rate_is_hit():
    ids = np.arange(7, dtype=np.uint16)
    found = [fill_in_the_middle(ids, FIM, 0.1, key(i)).tolist() for i in range(20000)]
    changed = [ids for ids in found if FIM.hole in ids]
    assert len(changed) / len(found) == pytest.approx(0.1, abs=4 * (0.09 / 20000) ** 0.5)
    prefixes = Counter(ids.index(FIM.hole) - 2 for ids in changed)
    middles = Counter(len(ids) - 2 - ids.index(FIM.end) for ids in changed)
    # Two cuts among six places: the smaller is i with chance (2(5 - i) + 1)/36, their distance d with 2(6 - d)/36 (6/36 for 0).
    for i in range(6):
        assert prefixes[i] / len(changed) == pytest.approx((2 * (5 - i) + 1) / 36, abs=0.04)
        assert middles[i] / len(changed) == pytest.approx((6 if i == 0 else 2 * (6 - i)) / 36, abs=0.04)


def test_only_sources_that_ask_are_rearranged_anew_each_epoch_and_before_packing():
    counts = {"plain": [20] * 40, "code": [20] * 40}
    stream = streams(fim_rate=0.5, lengths=counts, code={"fim": True}, plain={"fim": False})
    exercises = []
    for _ in range(400):
        for piece in stream.next(23, 64):
            if stream.seen()["code"].epochs >= 2:
                break
            exercises += [tuple(piece.tolist())] if FIM.begin in piece else []
    whole = [ids for ids in exercises if len(ids) == 23]
    assert whole and all(unfilled(list(ids)) == sorted(unfilled(list(ids))) for ids in whole)
    assert len(set(exercises)) == len(exercises)  # no document was cut the same way in both epochs
    untouched = streams(fim_rate=0.5, lengths=counts)
    assert not any(FIM.begin in piece for _ in range(200) for piece in untouched.next(64, 64))


@pytest.mark.parametrize(
    "other", [dict(seed=2), dict(fim_rate=0.2, a={"fim": True}), dict(b={"repeat": 2}), dict(lengths={"a": [3]})]
)
def test_state_of_another_stream_is_refused(other):
    with pytest.raises(DataError, match="a stream over another corpus, mixture, fim rate or seed"):
        streams().restore(streams(**other).state())


def test_mixtures_that_cannot_be_are_refused():
    with pytest.raises(DataError, match="have a weight, but b, c not"):
        streams(a={"weight": 1.0})
    with pytest.raises(DataError, match="rate is 1.5"):
        streams(fim_rate=1.5)
    with pytest.raises(DataError, match="source a has no document of two tokens"):
        streams(lengths={"a": [1, 1]})
    with pytest.raises(DataError, match="no source 'z'; it has a"):
        Stream(corpus_of(a=[5]), [source("z")], 1)
    bare = dataclasses.replace(corpus_of(a=[5]), fim=None)
    with pytest.raises(DataError, match="has no fim tokens"):
        Stream(bare, [source("a", fim=True)], 1, fim_rate=0.1)
    with pytest.raises(ValueError, match="must be at least 1"):
        streams().next(0, 1)


def test_prepared_corpus_streams_its_text_with_the_tokenizers_fim_tokens(tmp_path, tokenizer):
    texts = stories(60, 1)
    made = write_source(tmp_path, "a", texts, fim=True)
    corpus = prepare([made], tokenizer, tmp_path / "out", tmp_path, held_out=0.2, shard_tokens=300)
    stream = Stream(corpus, [made], seed=1, fim_rate=0.5)
    held = {tokenizer.decode(ids.tolist()) for ids in corpus.documents("a", "held_out")}
    documents, rest = [], ""
    while stream.seen()["a"].epochs <= 2:
        for piece in stream.next(100, 50):
            rest += tokenizer.decode(piece.tolist() if not rest else piece[1:].tolist())
            if rest.endswith("<｜end▁of▁sentence｜>"):
                documents.append(rest)
                rest = ""
    assert held and not held & set(documents)
    body = "<｜begin▁of▁sentence｜>{}<｜end▁of▁sentence｜>".format
    assert {d for d in documents if "<｜fim▁hole｜>" not in d} <= {body(text) for text in texts}
    assert sum(d.startswith("<｜begin▁of▁sentence｜><｜fim▁begin｜>") for d in documents) > 20
