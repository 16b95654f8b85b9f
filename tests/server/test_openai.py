"""Chat completions as the `openai` package uses them."""

from __future__ import annotations

import json
import math

import openai
import pytest
from server_helpers import NOW, TALKATIVE, TOKENIZER, WEATHER

from finback.engine import SamplingParams
from finback.text import encode_messages
from finback.text.tokens import NAMED_TOKENS

HELLO = [{"role": "user", "content": "hello"}]


@pytest.fixture(scope="module")
def client(tiny):
    return openai.OpenAI(base_url=f"{tiny.url}/v1", api_key="none", max_retries=0, timeout=30)


def ask(client, **fields):
    return client.chat.completions.create(**{"model": "tiny", "messages": HELLO, "max_tokens": 24, "seed": 3, **fields, "logit_bias": {**TALKATIVE, **fields.get("logit_bias", {})}})


def gathered(chunks):
    """What the deltas of one answer add up to: (message, finish reason)."""
    message, reason = {"content": "", "reasoning_content": "", "tool_calls": []}, None
    for chunk in chunks:
        for choice in chunk.choices:
            delta = choice.delta.model_dump()
            message["content"] += delta.get("content") or ""
            message["reasoning_content"] += delta.get("reasoning_content") or ""
            for call in delta.get("tool_calls") or []:
                if call.get("id"):
                    message["tool_calls"].append({"name": call["function"]["name"], "arguments": ""})
                if call.get("function"):
                    message["tool_calls"][call["index"]]["arguments"] += call["function"].get("arguments") or ""
            reason = choice.finish_reason or reason
    return message, reason


@pytest.mark.parametrize("thinking", ["enabled", "disabled"])
def test_a_stream_adds_up_to_the_whole_answer(client, thinking):
    extra = {"thinking": {"type": thinking}}
    whole = ask(client, extra_body=extra).choices[0]
    message, reason = gathered(ask(client, extra_body=extra, stream=True))
    assert message["content"] == whole.message.content
    assert message["reasoning_content"] == (getattr(whole.message, "reasoning_content", None) or "")
    assert reason == whole.finish_reason
    assert bool(message["reasoning_content"]) == (thinking == "enabled")


def test_thoughts_end_in_time_for_an_answer(client):
    answer = ask(client, max_tokens=40, extra_body={"thinking": {"type": "enabled"}})
    assert answer.usage.completion_tokens_details.reasoning_tokens == 31  # three quarters, and the mark that closes them
    assert answer.choices[0].message.content


def test_a_thinking_budget_closes_thoughts(client):
    answer = ask(client, extra_body={"thinking": {"type": "enabled", "budget_tokens": 5}})
    assert 0 < answer.usage.completion_tokens_details.reasoning_tokens <= 6


@pytest.mark.parametrize(
    ("effort", "opens", "maximal"),
    [("none", "</think>", False), ("minimal", "</think>", False), ("low", "<think>", False), ("medium", "<think>", False),
     ("high", "<think>", False), ("xhigh", "<think>", True), ("max", "<think>", True)],
)  # fmt: skip
def test_every_effort_means_one_of_three_modes(tiny, effort, opens, maximal):
    body = {"model": "tiny", "messages": HELLO, "reasoning_effort": effort}
    with tiny.client() as http:
        ids = http.post("/tokenize", json=body).json()["tokens"]
    text = TOKENIZER.decode(ids)
    assert text.endswith(opens)
    assert ("Absolute maximum" in text) == maximal
    assert text == encode_messages(HELLO, "thinking" if opens == "<think>" else "chat", reasoning_effort="max" if maximal else None)


def test_saying_no_to_thoughts_wins_over_an_effort(tiny):
    body = {"model": "tiny", "messages": HELLO, "reasoning_effort": "max", "thinking": {"type": "disabled"}}
    with tiny.client() as http:
        assert TOKENIZER.decode(http.post("/tokenize", json=body).json()["tokens"]).endswith("</think>")


def test_usage_comes_last_where_it_is_wanted(client):
    chunks = list(ask(client, stream=True, stream_options={"include_usage": True}))
    assert [chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == 24
    assert all(chunk.usage is None for chunk in ask(client, stream=True))


def test_usage_counts_cache_hits_and_misses(client):
    long = [{"role": "user", "content": "the a of and to in is that " * 40}]
    first, second = (ask(client, messages=long, user="usage").usage for _ in range(2))
    assert first.prompt_cache_hit_tokens == 0 and first.prompt_cache_miss_tokens == first.prompt_tokens > 256
    assert second.prompt_cache_hit_tokens >= 256
    assert second.prompt_cache_hit_tokens + second.prompt_cache_miss_tokens == second.prompt_tokens
    assert second.prompt_tokens_details.cached_tokens == second.prompt_cache_hit_tokens
    assert second.total_tokens == second.prompt_tokens + second.completion_tokens


def test_users_do_not_share_a_cache(client):
    long = [{"role": "user", "content": "to in is that the a of and " * 40}]
    ask(client, messages=long, extra_body={"user_id": "anna"})
    assert ask(client, messages=long, extra_body={"user_id": "bert"}).usage.prompt_cache_hit_tokens == 0
    assert ask(client, messages=long, extra_body={"user_id": "anna"}).usage.prompt_cache_hit_tokens > 0


def test_a_seed_repeats_an_answer_and_none_does_not(client):
    assert ask(client).choices[0].message.content == ask(client).choices[0].message.content
    assert len({ask(client, seed=None).choices[0].message.content for _ in range(4)}) > 1


def test_several_answers_are_the_ones_of_one_stream(client):
    whole = ask(client, n=3)
    assert [choice.index for choice in whole.choices] == [0, 1, 2]
    assert len({choice.message.content for choice in whole.choices}) == 3
    chunks = list(ask(client, n=3, stream=True))
    for i, choice in enumerate(whole.choices):
        own = [c for chunk in chunks for c in chunk.choices if c.index == i]
        assert "".join(c.delta.content or "" for c in own) == choice.message.content
    assert whole.usage.completion_tokens == 72


def test_logprobs_stand_beside_their_tokens(client):
    choice = ask(client, max_tokens=6, logprobs=True, top_logprobs=3).choices[0]
    tokens = choice.logprobs.content
    assert len(tokens) == 6
    assert b"".join(bytes(t.bytes) for t in tokens).decode(errors="replace") == choice.message.content
    for token in tokens:
        assert len(token.top_logprobs) == 3
        assert math.exp(token.logprob) <= 1
        assert token.top_logprobs[0].logprob >= token.top_logprobs[1].logprob
    streamed = [t for chunk in ask(client, max_tokens=6, logprobs=True, top_logprobs=3, stream=True) for c in chunk.choices if c.logprobs for t in c.logprobs.content]
    assert [t.logprob for t in streamed] == [t.logprob for t in tokens]


def test_a_stop_string_ends_an_answer_and_is_not_part_of_it(client):
    text = ask(client, max_tokens=40).choices[0].message.content
    stop = text[10:12]
    choice = ask(client, max_tokens=40, stop=[stop]).choices[0]
    assert choice.finish_reason == "stop"
    assert choice.message.content == text[: text.index(stop)]


def test_bias_and_penalties_reach_the_sampler(client):
    forced = TOKENIZER.encode(" the")[0]
    assert ask(client, max_tokens=4, logit_bias={str(forced): 100}, temperature=0).choices[0].message.content == " the" * 4
    close = {str(forced): 100, str(TOKENIZER.encode(" a")[0]): 95}
    for penalty in ("presence_penalty", "frequency_penalty"):
        answer = ask(client, logit_bias=close, temperature=0, **{penalty: 2.0}).choices[0].message.content
        assert (" a" in answer) == (penalty == "frequency_penalty"), penalty  # presence takes 2 once, frequency 2 each time


def test_an_answer_that_goes_round_in_a_cycle_ends(client):
    forced = TOKENIZER.encode(" the")[0]
    answer = ask(client, max_tokens=5000, logit_bias={str(forced): 100}, temperature=0)
    assert answer.choices[0].finish_reason == "length" and answer.usage.completion_tokens == 1024


def test_text_parts_are_joined(tiny):
    parts = [{"type": "text", "text": "the"}, {"type": "text", "text": "name"}]
    with tiny.client() as http:
        first, second = (
            http.post("/tokenize", json={"model": "tiny", "messages": [{"role": role, "content": content}, *HELLO]}).json()["tokens"]
            for role, content in (("developer", parts), ("system", "the\n\nname"))
        )
    assert first == second


def test_fields_that_nobody_knows_are_ignored(client):
    extra = {"functions": [{"name": "old"}], "modalities": ["text"], "store": True, "service_tier": "auto", "whatever": {"x": 1}}
    assert ask(client, extra_body=extra).choices[0].message.content == ask(client).choices[0].message.content


# --- tools


def call_of(choice):
    [call] = choice.message.tool_calls
    return call.function.name, json.loads(call.function.arguments)


def test_required_tools_are_called_with_valid_arguments(client):
    choice = ask(client, tools=[WEATHER, NOW], tool_choice="required", parallel_tool_calls=False, max_tokens=200).choices[0]
    name, arguments = call_of(choice)
    assert choice.finish_reason == "tool_calls"
    assert (name == "weather" and arguments["city"] in ("Paris", "Rome")) or (name, arguments) == ("now", {})


def test_a_named_tool_is_the_one_called(client):
    for tool in (WEATHER, NOW):
        name = tool["function"]["name"]
        choice = ask(client, tools=[WEATHER, NOW], tool_choice={"type": "function", "function": {"name": name}}, max_tokens=200).choices[0]
        assert call_of(choice)[0] == name


def test_calls_stream_to_the_same_calls(client):
    fields = dict(tools=[WEATHER, NOW], tool_choice="required", max_tokens=300)
    whole = ask(client, **fields).choices[0]
    message, reason = gathered(ask(client, stream=True, **fields))
    assert reason == whole.finish_reason
    assert message["tool_calls"] == [{"name": c.function.name, "arguments": c.function.arguments} for c in whole.message.tool_calls]


def test_several_calls_stand_in_one_answer(client):
    for seed in range(40):
        choice = ask(client, tools=[NOW], tool_choice="required", max_tokens=300, seed=seed).choices[0]
        calls = choice.message.tool_calls
        if len(calls) > 1:
            assert len({call.id for call in calls}) == len(calls)
            assert all(call.function.arguments == "{}" for call in calls)
            return
    raise AssertionError("no seed made two calls")


def test_parallel_calls_can_be_forbidden(client):
    for seed in range(10):
        choice = ask(client, tools=[NOW], tool_choice="required", max_tokens=300, seed=seed, parallel_tool_calls=False).choices[0]
        assert len(choice.message.tool_calls) == 1


def test_tools_that_must_not_be_called_are_not(client):
    dsml = str(TOKENIZER.token_id("｜DSML｜"))
    eager = dict(tools=[NOW], logit_bias={dsml: 100}, max_tokens=12)
    for seed in range(5):
        choice = ask(client, tool_choice="none", seed=seed, **eager).choices[0]
        assert choice.message.tool_calls is None and "DSML" not in choice.message.content
    assert ask(client, max_tokens=12, logit_bias={dsml: 100}).choices[0].message.tool_calls is None


def test_a_call_that_was_cut_off_is_reported(client):
    choice = ask(client, tools=[WEATHER], tool_choice="required", max_tokens=25).choices[0]
    assert choice.finish_reason == "length"
    [call] = choice.message.tool_calls or [None]
    if call is not None:
        assert json.loads(call.function.arguments) == {}
        assert "before this call was complete" in call.malformed


def test_a_hundred_and_twenty_eight_tools_can_be_offered_and_no_more(client):
    tools = [{"type": "function", "function": {**WEATHER["function"], "name": f"tool_{i}"}} for i in range(129)]
    choice = ask(client, tools=tools[:128], tool_choice={"type": "function", "function": {"name": "tool_127"}}, max_tokens=200).choices[0]
    assert call_of(choice)[0] == "tool_127"
    assert ask(client, tools=tools[:128], max_tokens=2).usage.completion_tokens == 2
    with pytest.raises(openai.UnprocessableEntityError, match="129 tools"):
        ask(client, tools=tools)


IMPOSSIBLE = {"type": "object", "properties": {"x": {"type": "string"}, "y": {"not": {"type": "string"}, "unevaluatedItems": {"$dynamicRef": "#a"}}}, "required": ["y"]}


def test_a_strict_tool_whose_schema_cannot_be_enforced_is_refused_and_another_is_not(client):
    tool = {"name": "odd", "parameters": IMPOSSIBLE}
    with pytest.raises(openai.BadRequestError) as refused:
        ask(client, tools=[{"type": "function", "function": {**tool, "strict": True}}])
    assert refused.value.code == "invalid_schema"
    assert ask(client, tools=[{"type": "function", "function": tool}], max_tokens=4).usage.completion_tokens == 4


# --- forms of the answer


def test_json_mode_gives_an_object(client):
    choice = ask(client, response_format={"type": "json_object"}, max_tokens=400, temperature=0.3).choices[0]
    if choice.finish_reason == "stop":
        assert isinstance(json.loads(choice.message.content), dict)
    assert choice.message.content.startswith("{")


def test_a_schema_shapes_the_answer_and_stands_in_the_prompt(client, tiny):
    schema = {"type": "object", "properties": {"city": {"enum": ["Paris", "Rome"]}, "warm": {"type": "boolean"}}, "required": ["city", "warm"], "additionalProperties": False}
    wanted = {"type": "json_schema", "json_schema": {"name": "report", "schema": schema, "strict": True}}
    choice = ask(client, response_format=wanted, max_tokens=200).choices[0]
    found = json.loads(choice.message.content)
    assert found["city"] in ("Paris", "Rome") and isinstance(found["warm"], bool)
    thinking = ask(client, response_format=wanted, max_tokens=300, extra_body={"thinking": {"type": "enabled", "budget_tokens": 8}}).choices[0]
    assert set(json.loads(thinking.message.content)) == {"city", "warm"} and thinking.message.reasoning_content
    with tiny.client() as http:
        prompt = http.post("/tokenize", json={"model": "tiny", "messages": HELLO, "response_format": wanted}).json()["tokens"]
    assert "## Response Format:" in TOKENIZER.decode(prompt)


def test_a_prefix_is_continued(client, tiny):
    messages = [*HELLO, {"role": "assistant", "content": "the name is", "prefix": True}]
    answer = ask(client, messages=messages, temperature=0)
    with tiny.client() as http:
        ids = http.post("/tokenize", json={"model": "tiny", "messages": messages}).json()["tokens"]
    assert TOKENIZER.decode(ids).endswith("</think>the name is")
    params = SamplingParams(temperature=0, max_tokens=24, logit_bias={int(t): b for t, b in TALKATIVE.items()})
    [plain] = tiny.engine.generate([ids], params)
    assert answer.choices[0].message.content == plain.text


def test_a_prefix_may_hold_thoughts(tiny):
    messages = [*HELLO, {"role": "assistant", "reasoning_content": "it is so", "content": "Yes", "prefix": True}]
    with tiny.client() as http:
        body = {"model": "tiny", "messages": messages, "thinking": {"type": "enabled"}}
        assert TOKENIZER.decode(http.post("/tokenize", json=body).json()["tokens"]).endswith("<think>it is so</think>Yes")


def test_no_marker_ever_leaks(client):
    """The model is pushed towards every special token in turn, in thoughts, in text and with tools."""
    markers = [t.content for t in NAMED_TOKENS if TOKENIZER.backend.token_to_id(t.content) is not None]
    for i, marker in enumerate(markers):
        fields = [{}, {"extra_body": {"thinking": {"type": "enabled"}}}, {"tools": [NOW]}][i % 3]
        bias = {str(TOKENIZER.token_id(marker)): 12}
        message, _ = gathered(ask(client, logit_bias=bias, seed=i, stream=True, temperature=1.5, **fields))
        said = message["content"] + message["reasoning_content"] + "".join(c["arguments"] for c in message["tool_calls"])
        assert not any(m in said for m in markers), (marker, said)


# --- quick instructions


@pytest.mark.parametrize("task", ["title", "query", "action", "authority", "domain", "read_url"])
def test_quick_instructions_answer_by_their_token(tiny, task):
    messages = HELLO if task != "title" else [*HELLO, {"role": "assistant", "content": "the answer"}]
    with tiny.client() as http:
        body = {"model": "tiny", "messages": messages, "max_tokens": 5}
        first, second = (http.post(f"/v1/tasks/{task}", json=body).json() for _ in range(2))
    assert first["task"] == task and first["text"] == second["text"]
    prompt = encode_messages([*messages[:-1], {**messages[-1], "task": task}], "chat")
    assert first["usage"]["prompt_tokens"] == len(TOKENIZER.encode(prompt))
