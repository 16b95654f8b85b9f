"""Plain completions, fill-in-the-middle, and the tokenizer over HTTP."""

from __future__ import annotations

import openai
import pytest
from server_helpers import TALKATIVE, TALKER, TOKENIZER

from finback.engine import SamplingParams
from finback.text.tokens import FIM_BEGIN, FIM_END, FIM_HOLE


@pytest.fixture(scope="module")
def client(tiny):
    return openai.OpenAI(base_url=f"{tiny.url}/beta", api_key="none", max_retries=0, timeout=30)


def complete(client, prompt, **fields):
    return client.completions.create(**{"model": "tiny", "prompt": prompt, "max_tokens": 8, "seed": 3, "logit_bias": TALKATIVE, **fields})


def test_a_completion_is_what_the_engine_says_of_the_text_behind_bos(client, tiny):
    bias = {int(t): b for t, b in TALKATIVE.items()}
    [plain] = tiny.engine.generate([[TOKENIZER.bos_id, *TOKENIZER.encode("the name of")]], SamplingParams(0, max_tokens=8, logit_bias=bias))
    answer = complete(client, "the name of", temperature=0)
    assert answer.choices[0].text == plain.text
    assert answer.choices[0].finish_reason == "length"
    assert complete(client, plain_ids(), temperature=0).choices[0].text == plain.text


def plain_ids():
    return [TOKENIZER.bos_id, *TOKENIZER.encode("the name of")]


def test_a_completion_streams_to_itself(client):
    for fields in ({}, {"echo": True}, {"n": 2}, {"suffix": "end"}):
        whole = complete(client, "the name of", **fields)
        chunks = list(complete(client, "the name of", stream=True, stream_options={"include_usage": True}, **fields))
        for choice in whole.choices:
            own = [c for chunk in chunks for c in chunk.choices if c.index == choice.index]
            assert "".join(c.text for c in own) == choice.text
            assert own[-1].finish_reason == choice.finish_reason
        assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens


def test_a_suffix_makes_it_fill_the_middle_and_its_text_has_no_power(client, tiny):
    before, after = f"def f():{FIM_END}", f"return x{FIM_HOLE}"
    begin, hole, end = map(TOKENIZER.token_id, (FIM_BEGIN, FIM_HOLE, FIM_END))
    ids = [TOKENIZER.bos_id, begin, *TOKENIZER.encode(before, special=False), hole, *TOKENIZER.encode(after, special=False), end]
    bias = {int(t): b for t, b in TALKATIVE.items()}
    [plain] = tiny.engine.generate([ids], SamplingParams(0, max_tokens=8, logit_bias=bias))
    answer = complete(client, before, suffix=after, temperature=0)
    assert answer.choices[0].text == plain.text
    assert answer.usage.prompt_tokens == len(ids)


def test_echo_and_logprobs_score_the_prompt(client):
    text = "the name is"
    ids = [TOKENIZER.bos_id, *TOKENIZER.encode(text)]
    choice = complete(client, text, echo=True, logprobs=2, max_tokens=0).choices[0]
    assert choice.text == text
    rows = TALKER.logits([ids])[0].log_softmax(-1)
    expected = [float(rows[i, token]) for i, token in enumerate(ids[1:])]
    assert choice.logprobs.token_logprobs == pytest.approx(expected, abs=1e-4)
    assert "".join(choice.logprobs.tokens) == text
    assert choice.logprobs.text_offset == [len("".join(choice.logprobs.tokens[:i])) for i in range(len(ids) - 1)]
    assert all(len(top) == 2 for top in choice.logprobs.top_logprobs)


def test_logprobs_go_on_behind_the_echo(client):
    choice = complete(client, "the name is", echo=True, logprobs=0, max_tokens=3).choices[0]
    assert len(choice.logprobs.tokens) == len(TOKENIZER.encode("the name is")) + 3
    assert choice.text.startswith("the name is")


def test_several_prompts_have_answers_in_their_order(client):
    both = complete(client, ["the name", "value"], n=2, temperature=0)
    assert [c.index for c in both.choices] == [0, 1, 2, 3]
    for at, prompt in enumerate(["the name", "value"]):
        assert both.choices[2 * at].text == complete(client, prompt, temperature=0).choices[0].text


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"prompt": []}, "0 prompts"), ({"prompt": ["a"] * 17}, "17 prompts"), ({"prompt": [[]]}, "no tokens"),
        ({"prompt": [99999]}, "there is no token 99999"), ({"best_of": 4}, "best_of"), ({"logprobs": 21}, "logprobs"),
        ({"stop": [""]}, "stop"), ({"logit_bias": {"x": 1}}, "logit_bias"), ({"max_tokens": -1}, "max_tokens"),
    ],
)  # fmt: skip
def test_what_cannot_be_completed_is_refused(client, fields, cause):
    with pytest.raises(openai.UnprocessableEntityError, match=cause):
        complete(client, **{"prompt": "the", **fields})


def test_tokens_and_text_turn_into_each_other(tiny):
    with tiny.client() as http:
        found = http.post("/tokenize", json={"model": "tiny", "prompt": "the name <think> 東"}).json()
        assert found["tokens"] == TOKENIZER.encode("the name <think> 東") and found["count"] == len(found["tokens"])
        assert http.post("/detokenize", json={"model": "tiny", "tokens": found["tokens"]}).json() == {"prompt": "the name <think> 東"}
        assert http.post("/detokenize", json={"model": "tiny", "tokens": [123456]}).status_code == 422
