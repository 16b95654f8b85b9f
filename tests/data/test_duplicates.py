"""Copies: the first stays, near ones are found, unrelated ones are not touched."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from data_helpers import stories
from hypothesis import given
from hypothesis import strategies as st

from finback.data import DataError, Duplicates
from finback.data.duplicates import normalise, shingles


def verdicts(texts: list[str], threshold: float) -> list[str]:
    duplicates = Duplicates(threshold)
    return [duplicates.seen(normalise(text)) for text in texts]


@given(st.lists(st.sampled_from("abcdefgh"), max_size=30))
def test_of_exact_copies_exactly_the_first_stays(texts):
    firsts = [i for i, text in enumerate(texts) if text not in texts[:i]]
    assert [i for i, verdict in enumerate(verdicts(texts, 0)) if not verdict] == firsts


def test_copies_may_differ_in_case_blanks_width_and_markers():
    same = ["The fox  ran.", "the FOX\nran.", "<｜begin▁of▁sentence｜>The fox ran.<｜end▁of▁sentence｜>", "Ｔhe fox ran."]
    assert verdicts(same, 0) == ["", "exact", "exact", "exact"]
    assert normalise("<｜User｜> \n<｜Assistant｜></think>") == ""


def test_near_copies_are_found_and_unrelated_texts_stay():
    pytest.importorskip("datasketch")
    texts = stories(300, 5, longest=200)
    long = [text for text in texts if len(shingles(normalise(text))) > 60]
    one_word_changed = [text.replace(text.split()[10], "unseen", 1) for text in long]
    found = verdicts(texts + one_word_changed, 0.8)
    assert not any(found[: len(texts)])
    assert np.mean([verdict == "near" for verdict in found[len(texts) :]]) > 0.95


def test_what_is_removed_is_near_by_the_true_similarity():
    pytest.importorskip("datasketch")
    rng = np.random.default_rng(1)
    base = [str(i) for i in range(400)]
    for changed in (1, 4, 8, 15, 30):  # each changed word changes five shingles
        words = base.copy()
        for i in rng.choice(400, changed, replace=False):
            words[i] = f"new{i}"
        texts = [" ".join(base), " ".join(words)]
        a, b = (shingles(text) for text in texts)
        similarity = len(a & b) / len(a | b)
        removed = verdicts(texts, 0.8)[1] == "near"
        assert removed == (similarity > 0.8) or abs(similarity - 0.8) < 0.1, similarity


def test_candidates_that_are_merely_similar_stay():
    """The index proposes many at a similarity of 0.6; the signatures must turn them down."""
    pytest.importorskip("datasketch")
    pairs = []
    for k in range(40):
        words = [f"{k}w{i}" for i in range(400)]
        pairs += [" ".join(words), " ".join(words[:300] + [f"{k}new{i}" for i in range(100)])]
    assert not any(verdicts(pairs, 0.8))


def test_chinese_is_compared_by_characters():
    pytest.importorskip("datasketch")
    poem = "床前明月光疑是地上霜举头望明月低头思故乡" * 2 + "春眠不觉晓处处闻啼鸟夜来风雨声花落知多少白日依山尽黄河入海流"
    other = "千山鸟飞绝万径人踪灭孤舟蓑笠翁独钓寒江雪空山不见人但闻人语响返景入深林复照青苔上"
    assert verdicts([poem, other, poem.replace("夜", "昨", 1)], 0.7) == ["", "", "near"]


def test_without_the_library_the_extra_is_named_and_exact_copies_still_work(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasketch", None)
    assert verdicts(["a", "a"], 0) == ["", "exact"]
    with pytest.raises(DataError, match=r"pip install 'finback\[data\]', or set near_duplicates = 0"):
        Duplicates(0.8)
