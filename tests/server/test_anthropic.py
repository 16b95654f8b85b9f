"""Anthropic's dialect: what its blocks become, what the events tell, and what the `anthropic` package makes of them."""

from __future__ import annotations

import json

import anthropic
import httpx
import pytest
from dialect_helpers import WEATHER, events, post, serving
from hypothesis import given
from hypothesis import strategies as st
from scripted import ScriptedEngine, call, in_turn

from finback.server.anthropic import Writer
from finback.server.ask import AskError
from finback.server.events import CallEnded, CallStarted, Finished, Started, Usage
from finback.server.messages_body import MessagesBody, conversation, to_ask
from finback.server.service import Limits
from finback.server.thoughts import SEAL, seal, unseal
from finback.text import ContentDelta, ReasoningDelta, ToolCallDelta

TOOL = {"name": "weather", "description": "Of a city.", "input_schema": WEATHER}


def wire(**fields) -> MessagesBody:
    base = {"model": "mini", "max_tokens": 50, "messages": [{"role": "user", "content": "Hi"}]}
    return MessagesBody.model_validate_json(json.dumps({**base, **fields}))


def text(value: str) -> dict:
    return {"type": "text", "text": value}


def use(name: str = "t1") -> dict:
    return {"type": "tool_use", "id": name, "name": "weather", "input": {"city": "Oslo"}}


def result(content, name: str = "t1", **more) -> dict:
    return {"type": "tool_result", "tool_use_id": name, "content": content, **more}


# ---- requests


def test_system_text_may_be_a_string_or_blocks_and_loses_claude_codes_billing_line():
    assert conversation(wire(system="Be brief."))[0] == {"role": "system", "content": "Be brief."}
    blocks = [text("x-anthropic-billing-header: cc_version=1; cch=123;"), text("Be brief."), {**text("And kind."), "cache_control": {"type": "ephemeral"}}]
    assert conversation(wire(system=blocks))[0] == {"role": "system", "content": "Be brief.\n\nAnd kind."}
    assert [m["role"] for m in conversation(wire(system=""))] == ["user"]


def test_a_system_turn_within_the_conversation_is_text_of_the_user():
    turns = [{"role": "user", "content": [text("Hi")]}, {"role": "system", "content": [text("Date: today")]}]
    assert conversation(wire(messages=turns)) == [{"role": "user", "content": "Hi"}, {"role": "user", "content": "Date: today"}]


def test_a_tool_turn_becomes_thoughts_text_calls_and_results():
    turns = [
        {"role": "user", "content": "Oslo?"},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": SEAL}, text("Look."), use()]},
        {"role": "user", "content": [result([text("rain"), text("cold")], is_error=True), text("And?")]},
    ]
    called = {"id": "t1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
    assert conversation(wire(messages=turns))[1:] == [
        {"role": "assistant", "content": "Look.", "reasoning_content": "hm", "tool_calls": [called]},
        {"role": "tool", "tool_call_id": "t1", "content": "rain\n\ncold"},
        {"role": "user", "content": "And?"},
    ]


def test_neighbouring_turns_of_one_side_are_one_turn():
    turns = [{"role": "user", "content": "Oslo?"}, {"role": "assistant", "content": "Look."}, {"role": "assistant", "content": [use()]},
             {"role": "user", "content": [result("rain")]}]  # fmt: skip
    assert conversation(wire(messages=turns))[1]["content"] == "Look." and len(conversation(wire(messages=turns))) == 3


def test_hidden_thoughts_come_back_from_their_signature_and_foreign_ones_are_dropped():
    def thoughts(*blocks: dict) -> str | None:
        turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": [*blocks, text("yes")]}, {"role": "user", "content": "So?"}]
        return conversation(wire(messages=turns))[1].get("reasoning_content")

    assert thoughts({"type": "thinking", "thinking": "", "signature": seal("deep ✓")}) == "deep ✓"
    assert thoughts({"type": "thinking", "thinking": "", "signature": "EqQBCgIYAhIM"}) == ""
    assert thoughts({"type": "thinking", "thinking": "shown", "signature": "EqQBCgIYAhIM"}) == "shown"
    assert thoughts({"type": "redacted_thinking", "data": "EqQB"}) is None


@given(st.text())
def test_a_seal_keeps_what_it_was_given(thoughts):
    assert unseal(seal(thoughts)) == thoughts


@given(st.text())
def test_unsealing_survives_anything(text):
    assert unseal(text) is None and unseal(f"{SEAL}:{text}") is None


def test_a_seal_that_would_unfold_without_end_is_refused():
    assert unseal(seal("a" * (9 << 20))) is None


def test_a_tool_result_names_what_is_no_text():
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": [use()]},
             {"role": "user", "content": [result([{"type": "image", "source": {}}, {"type": "tool_reference", "tool_name": "Grep"}])]}]  # fmt: skip
    assert conversation(wire(messages=turns))[2]["content"] == "[Unsupported image]\n\nGrep is available"


def test_a_plain_text_document_is_text():
    document = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "alpha"}}
    assert conversation(wire(messages=[{"role": "user", "content": [document]}])) == [{"role": "user", "content": "alpha"}]


def test_every_field_reaches_the_ask():
    ask = to_ask(wire(
        temperature=0.3, top_p=0.9, top_k=5, stop_sequences=["END"], tools=[TOOL | {"strict": True, "defer_loading": True, "cache_control": {"type": "ephemeral"}}],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
        thinking={"type": "enabled", "budget_tokens": 30}, output_config={"effort": "max"},
    ), "me")  # fmt: skip
    assert (ask.temperature, ask.top_p, ask.top_k, ask.stop, ask.max_tokens) == (0.3, 0.9, 5, ("END",), 50)
    assert (ask.tool_choice, ask.parallel_tool_calls, ask.thinking_budget, ask.mode) == ("required", False, 30, (True, "max"))
    assert ask.tools[0] == {"type": "function", "function": {"name": "weather", "description": "Of a city.", "parameters": WEATHER, "strict": True}}
    assert (ask.user, ask.call_prefix) == ("me", "toolu_")


@pytest.mark.parametrize(
    ("thinking", "mode"),
    [(None, (None, None)), ({"type": "enabled", "budget_tokens": 9}, (True, None)), ({"type": "adaptive"}, (True, None)), ({"type": "disabled"}, (False, None))],
)
def test_thinking_is_on_off_or_up_to_the_model(thinking, mode):
    assert to_ask(wire(thinking=thinking)).mode == mode


@pytest.mark.parametrize(
    ("choice", "expected"),
    [({"type": "auto"}, ("auto", None)), ({"type": "none"}, ("none", None)), ({"type": "any"}, ("required", None)), ({"type": "tool", "name": "weather"}, ("required", "weather"))],
)
def test_tool_choice(choice, expected):
    ask = to_ask(wire(tools=[TOOL], tool_choice=choice))
    assert (ask.tool_choice, ask.tool_name) == expected


def test_an_output_format_is_a_schema():
    assert to_ask(wire(output_config={"format": {"type": "json_schema", "schema": WEATHER}})).schema == WEATHER


def test_a_last_turn_of_the_assistant_is_continued():
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "The answer is ("}]
    assert to_ask(wire(messages=turns)).prefix


REFUSED = [
    ({"messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]}, "an image"),
    ({"messages": [{"role": "user", "content": [{"type": "document", "source": {"type": "base64"}}]}]}, "not plain text"),
    ({"messages": [{"role": "user", "content": [{"type": "search_result"}]}]}, "a search_result block"),
    ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages.0.content.0.text"),
    ({"messages": [{"role": "user", "content": [result("x")]}]}, "the turn before did not call"),
    ({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": [use()]}]}, "no tool_result answers the tool_use t1"),
    ({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": [use()]}, {"role": "user", "content": "b"},
                   {"role": "assistant", "content": "c"}, {"role": "user", "content": "d"}]}, "no tool_result"),
    ({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": [{**use(), "input": "x"}]}, {"role": "user", "content": [result("y")]}]}, "an object"),
    ({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": [use()]}, {"role": "user", "content": [result(["y"])]}]}, "content blocks"),
    ({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": [use()]}, {"role": "user", "content": [result(7)]}]}, "neither text nor a list"),
    ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "only Anthropic's models and servers know"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "cause"), REFUSED)
def test_what_this_model_cannot_be_told_is_refused_with_the_place(fields, cause):
    with pytest.raises(AskError, match=cause) as refusal:
        to_ask(wire(**fields))
    assert refusal.value.status == 400


# ---- answers


USAGE = Usage(10, 4, 7, 3)


def told(*said, **options) -> tuple[list[dict], dict]:
    writer = Writer("msg_1", "mini", **options)
    out = [told for event in said for told in writer.say(event)]
    return out, writer.message


def test_the_events_open_grow_and_close_every_block():
    out, message = told(
        Started(10), ReasoningDelta("h"), ReasoningDelta("m"), ContentDelta("So."), CallStarted(0, "t1", "weather"),
        ToolCallDelta(0, '{"city": '), ToolCallDelta(0, '"Oslo"}'), CallEnded(0, None), CallStarted(1, "t2", "weather"),
        ToolCallDelta(1, "{}"), CallEnded(1, "the arguments lack city"), Finished("tool_calls", USAGE),
    )  # fmt: skip
    assert [(e["type"], e.get("index")) for e in out] == [
        ("message_start", None),
        ("content_block_start", 0), ("content_block_delta", 0), ("content_block_delta", 0), ("content_block_delta", 0), ("content_block_stop", 0),
        ("content_block_start", 1), ("content_block_delta", 1), ("content_block_stop", 1),
        ("content_block_start", 2), ("content_block_delta", 2), ("content_block_delta", 2), ("content_block_stop", 2),
        ("content_block_start", 3), ("content_block_delta", 3), ("content_block_stop", 3),
        ("message_delta", None), ("message_stop", None),
    ]  # fmt: skip
    assert out[4]["delta"] == {"type": "signature_delta", "signature": SEAL}
    assert message["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": SEAL},
        text("So."),
        {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Oslo"}},
        {"type": "tool_use", "id": "t2", "name": "weather", "input": {}, "malformed": "the arguments lack city"},
    ]
    assert out[-3]["malformed"] == "the arguments lack city"
    assert message["stop_reason"] == "tool_use"
    assert message["usage"] == {
        "input_tokens": 6, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 4, "output_tokens": 7,
        "output_tokens_details": {"thinking_tokens": 3},
    }  # fmt: skip


def test_omitted_thoughts_are_in_the_signature_alone():
    out, message = told(Started(10), ReasoningDelta("secret"), ContentDelta("So."), Finished("stop", USAGE), omit_thinking=True)
    assert "secret" not in json.dumps(out)
    assert message["content"][0]["thinking"] == "" and unseal(message["content"][0]["signature"]) == "secret"


@pytest.mark.parametrize(
    ("finish", "reason"),
    [(Finished("stop", USAGE), "end_turn"), (Finished("length", USAGE), "max_tokens"), (Finished("repetition", USAGE), "max_tokens"), (Finished("stop", USAGE, "END"), "stop_sequence")],
)
def test_stop_reasons(finish, reason):
    _, message = told(Started(1), ContentDelta("x"), finish)
    assert (message["stop_reason"], message["stop_sequence"]) == (reason, finish.stopped_by)


# ---- the real client


@pytest.fixture(scope="module")
def script():
    """The engine, whose answers a test sets, and its address."""
    engine = ScriptedEngine(lambda prompt: "")

    def set_answers(*answers: str) -> ScriptedEngine:
        engine._answer = in_turn(*answers)
        engine.prompts.clear()
        return engine

    with serving(engine) as url:
        yield set_answers, url


def client(url: str, **options) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=url, api_key="none", max_retries=0, **options)


def test_the_client_gets_the_same_message_whole_and_streamed(script):
    answer, url = script
    answer("hm</think>Hello, Anna!", "hm</think>Hello, Anna!")
    ask = dict(model="mini", max_tokens=100, messages=[{"role": "user", "content": "Hi"}], thinking={"type": "enabled", "budget_tokens": 50})
    whole = client(url).messages.create(**ask)
    with client(url).messages.stream(**ask) as stream:
        heard = "".join(stream.text_stream)
        streamed = stream.get_final_message()
    assert [(b.type, getattr(b, "thinking", None), getattr(b, "text", None)) for b in whole.content] == [("thinking", "hm", None), ("text", None, "Hello, Anna!")]
    assert heard == "Hello, Anna!"
    assert [b.to_dict() | {"parsed_output": None} for b in whole.content] == [b.to_dict() | {"parsed_output": None} for b in streamed.content]
    assert streamed.stop_reason == whole.stop_reason == "end_turn"
    assert whole.usage.output_tokens == streamed.usage.output_tokens > 3
    counted = client(url).messages.count_tokens(model="mini", messages=ask["messages"], thinking=ask["thinking"])
    assert whole.usage.input_tokens + whole.usage.cache_read_input_tokens == counted.input_tokens


def test_deepseeks_base_url_works_too(script):
    answer, url = script
    answer("yes")
    said = client(url + "/anthropic").messages.create(
        model="mini", max_tokens=10, messages=[{"role": "user", "content": "Hi"}], thinking={"type": "disabled"}
    )
    assert said.content[0].text == "yes"


@pytest.mark.parametrize("hidden", [False, True])
def test_a_tool_loop_renders_its_history_as_it_was_sampled(script, hidden):
    answer, url = script
    first = "I look it up.</think>Let me see." + call("weather", city="Oslo")
    engine = answer(first, "It rains</think>In Oslo it rains.")
    thinking = {"type": "enabled", "budget_tokens": 100} | ({"display": "omitted"} if hidden else {})
    ask = dict(model="mini", max_tokens=200, tools=[TOOL], thinking=thinking)
    turns = [{"role": "user", "content": "How is the weather in Oslo?"}]
    with client(url).messages.stream(messages=turns, **ask) as stream:
        said = stream.get_final_message()
    assert said.stop_reason == "tool_use" and [b.type for b in said.content] == ["thinking", "text", "tool_use"]
    assert said.content[0].thinking == ("" if hidden else "I look it up.")
    assert said.content[2].input == {"city": "Oslo"} and said.content[2].id.startswith("toolu_")
    turns += [{"role": "assistant", "content": said.content}, {"role": "user", "content": [result("rain", said.content[2].id)]}]
    last = client(url).messages.create(messages=turns, **ask)
    assert [b.type for b in last.content] == ["thinking", "text"] and last.content[1].text == "In Oslo it rains."
    assert engine.prompts[1].startswith(engine.prompts[0] + first)
    assert last.usage.cache_read_input_tokens >= 256


def test_parallel_calls_and_their_results_in_any_order(script):
    answer, url = script
    both = call("weather", city="Oslo").replace("\n</｜DSML｜tool_calls>", "") + call("weather", city="Rome").replace("\n\n<｜DSML｜tool_calls>", "")
    engine = answer(both, "Done.")
    ask = dict(model="mini", max_tokens=300, tools=[TOOL], thinking={"type": "disabled"})
    turns = [{"role": "user", "content": "Oslo and Rome?"}]
    said = client(url).messages.create(messages=turns, **ask)
    assert [b.input["city"] for b in said.content] == ["Oslo", "Rome"]
    turns += [{"role": "assistant", "content": said.content}, {"role": "user", "content": [result("sun", said.content[1].id), result("rain", said.content[0].id)]}]
    client(url).messages.create(messages=turns, **ask)
    assert "<tool_result>rain</tool_result>\n\n<tool_result>sun</tool_result>" in engine.prompts[1]


def test_stop_sequences_and_max_tokens_say_why(script):
    answer, url = script
    answer("one two three four", "one two three four")
    ask = dict(model="mini", messages=[{"role": "user", "content": "Count"}], thinking={"type": "disabled"})
    stopped = client(url).messages.create(max_tokens=50, stop_sequences=["three"], **ask)
    assert (stopped.stop_reason, stopped.stop_sequence, stopped.content[0].text) == ("stop_sequence", "three", "one two ")
    cut = client(url).messages.create(max_tokens=2, **ask)
    assert cut.stop_reason == "max_tokens" and cut.usage.output_tokens == 2


def test_a_json_schema_is_followed(script):
    answer, url = script
    answer('{"city": "Oslo"}')
    said = client(url).messages.create(
        model="mini", max_tokens=50, messages=[{"role": "user", "content": "Where?"}], thinking={"type": "disabled"},
        output_config={"format": {"type": "json_schema", "schema": WEATHER}},
    )  # fmt: skip
    assert json.loads(said.content[0].text) == {"city": "Oslo"}


def test_a_prefix_is_continued(script):
    answer, url = script
    engine = answer("42)")
    turns = [{"role": "user", "content": "What?"}, {"role": "assistant", "content": "The answer is ("}]
    said = client(url).messages.create(model="mini", max_tokens=20, messages=turns, thinking={"type": "disabled"})
    assert said.content[0].text == "42)" and engine.prompts[0].endswith("The answer is (")


def test_a_stream_begins_with_a_ping_after_its_start_and_names_every_event(script):
    answer, url = script
    answer("yes")
    body = {"model": "mini", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}], "thinking": {"type": "disabled"}, "stream": True}
    heard = events(post(f"{url}/v1/messages", body).text)
    assert [name for name, _ in heard][:3] == ["message_start", "ping", "content_block_start"]
    assert all(json.loads(data)["type"] == name for name, data in heard)


def test_users_do_not_share_a_cache_whatever_they_are_called(script):
    answer, url = script
    answer(*["yes"] * 3)
    long = "Tell me about the sea. " * 60
    cached = [
        client(url).messages.create(
            model="mini", max_tokens=4, messages=[{"role": "user", "content": long}], thinking={"type": "disabled"}, metadata={"user_id": user}
        ).usage.cache_read_input_tokens
        for user in ('{"name": "Ädam"}', "eve " * 400, '{"name": "Ädam"}')
    ]  # fmt: skip
    assert cached[0] == cached[1] == 0 < cached[2]


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (404, "not_found_error", {"model": "gpt"}),
        (422, "invalid_request_error", {"max_tokens": "many"}),
        (422, "invalid_request_error", {"max_tokens": 0}),
        (422, "invalid_request_error", {"temperature": 9}),
        (422, "invalid_request_error", {"messages": []}),
        (422, "invalid_request_error", {"thinking": {"type": "sometimes"}}),
        (422, "invalid_request_error", {"tool_choice": {"type": "tool", "name": "nothing"}}),
        (400, "invalid_request_error", {"messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]}),
        (413, "request_too_large", {"system": "x" * 200_000}),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_errors_have_anthropics_shape(limited, status, kind, body, stream):
    base = {"model": "mini", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}], "stream": stream}
    answer = post(f"{limited}/v1/messages", {**base, **body}, **{"x-api-key": KEY})
    assert answer.status_code == status, answer.text
    said = answer.json()
    assert said["type"] == "error" and said["error"]["type"] == kind and len(said["error"]["message"]) > 10


KEY = "k" * 24


@pytest.fixture(scope="module")
def limited():
    with serving(ScriptedEngine(lambda prompt: "yes"), keys=(KEY,), limits=Limits(body_bytes=100_000, per_user=0)) as url:
        yield url


def test_a_missing_key_and_a_full_server_are_errors_that_the_client_knows(limited):
    ask = dict(model="mini", max_tokens=9, messages=[{"role": "user", "content": "Hi"}])
    with pytest.raises(anthropic.AuthenticationError):
        client(limited).messages.create(**ask)
    with pytest.raises(anthropic.RateLimitError) as refusal:
        anthropic.Anthropic(base_url=limited, api_key=KEY, max_retries=0).messages.create(**ask)
    assert refusal.value.body["error"]["type"] == "rate_limit_error" and refusal.value.response.headers["retry-after"]
    with pytest.raises(anthropic.RateLimitError):
        anthropic.Anthropic(base_url=limited, auth_token=KEY, max_retries=0).messages.create(**ask)


def test_a_prompt_that_does_not_fit_is_refused_before_the_stream_begins(script):
    long = {"model": "mini", "max_tokens": 9, "messages": [{"role": "user", "content": "word " * 5000}], "stream": True}
    answer = post(f"{script[1]}/v1/messages", long)
    assert answer.status_code == 400 and "shorten it" in answer.json()["error"]["message"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b"\xff\xfe", b'{"model": "mini"}', b'{"model": "mini", "max_tokens": NaN, "messages": []}'])
def test_a_body_that_is_no_request_is_refused_in_anthropics_shape(script, body):
    answer = httpx.post(f"{script[1]}/v1/messages", content=body, timeout=30)
    assert answer.status_code in (400, 422) and answer.json()["error"]["type"] == "invalid_request_error"


def test_an_engine_that_fails_midway_ends_the_stream_with_an_error_event(script):
    answer, url = script
    engine = answer("one two three four five six")
    step, left = engine._forward, [3]

    def fail(*args):
        left[0] -= 1
        if not left[0]:
            raise RuntimeError("a wire came loose")
        return step(*args)

    engine._forward = fail
    try:
        body = {"model": "mini", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}], "thinking": {"type": "disabled"}, "stream": True}
        heard = events(post(f"{url}/v1/messages", body).text)
    finally:
        del engine._forward
    assert heard[0][0] == "message_start" and heard[-1][0] == "error"
    assert json.loads(heard[-1][1])["error"]["type"] == "api_error"


def test_a_shipped_model_answers():
    from finback.checkpoint import load
    from finback.cli import STORY_MODEL
    from finback.engine import Engine
    from finback.text import load_tokenizer

    engine = Engine(load(STORY_MODEL, "float32", "cpu").requires_grad_(False), load_tokenizer(STORY_MODEL))
    with serving(engine, thinking=False) as url, client(url).messages.stream(
        model="mini", max_tokens=24, messages=[{"role": "user", "content": "Tell me a story."}]
    ) as stream:
        said = stream.get_final_message()
    assert [b.type for b in said.content] == ["text"] and len(said.content[0].text) > 10
