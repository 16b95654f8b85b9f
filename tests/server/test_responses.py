"""OpenAI's Responses dialect: what its items become, what the events tell, and what the `openai` package makes of them."""

from __future__ import annotations

import json

import openai
import pytest
from dialect_helpers import WEATHER, events, post, serving
from scripted import ScriptedEngine, call, in_turn

from finback.server.ask import JSON_OBJECT, AskError
from finback.server.events import CallEnded, CallStarted, Finished, Started, Usage
from finback.server.responses import Kept, Writer
from finback.server.responses_body import ResponsesBody, Tools, conversation, to_ask
from finback.server.service import Limits
from finback.server.thoughts import seal, unseal
from finback.text import ContentDelta, ReasoningDelta, ToolCallDelta

TOOL = {"type": "function", "name": "weather", "description": "Of a city.", "parameters": WEATHER, "strict": False}
PATCH = {"type": "custom", "name": "apply_patch", "description": "Edit.", "format": {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"}}
SPACE = {"type": "namespace", "name": "agents", "description": "", "tools": [{"type": "function", "name": "close", "parameters": {}}]}


def wire(**fields) -> ResponsesBody:
    return ResponsesBody.model_validate_json(json.dumps({"model": "mini", "input": "Hi", **fields}))


def read(*items: dict, instructions: str | None = None) -> list[dict]:
    return conversation(instructions, list(items), Tools([TOOL, PATCH, SPACE]))


def asked(**fields):
    found = wire(**fields)
    return to_ask(found, found.items, Tools(found.tools))


def message(role: str, text: str) -> dict:
    return {"type": "message", "role": role, "content": [{"type": "output_text" if role == "assistant" else "input_text", "text": text}]}


def called(name: str = "c1", **more) -> dict:
    return {"type": "function_call", "call_id": name, "name": "weather", "arguments": '{"city": "Oslo"}', **more}


def output(value, name: str = "c1") -> dict:
    return {"type": "function_call_output", "call_id": name, "output": value}


# ---- requests


def test_instructions_and_leading_system_messages_are_the_system_text_and_later_ones_the_users():
    assert read(message("developer", "Be brief."), message("user", "Hi"), message("developer", "Now."), instructions="Act.") == [
        {"role": "system", "content": "Act.\n\nBe brief."}, {"role": "user", "content": "Hi"}, {"role": "user", "content": "Now."},
    ]  # fmt: skip
    assert read({"role": "user", "content": "Hi"}) == [{"role": "user", "content": "Hi"}]  # the short form


def test_items_of_one_turn_become_one_turn():
    turns = read(
        message("user", "Oslo?"), {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]},
        message("assistant", "Look."), called(), called("c2"), output("sun", "c2"), output([{"type": "input_text", "text": "rain"}, {"type": "input_image"}]),
        message("assistant", "Done."), message("assistant", "Really."),
    )  # fmt: skip
    assert [m["role"] for m in turns] == ["user", "assistant", "tool", "tool", "assistant", "assistant"]
    assert turns[1]["reasoning_content"] == "hm" and turns[1]["content"] == "Look."
    assert [c["id"] for c in turns[1]["tool_calls"]] == ["c1", "c2"]
    assert turns[3]["content"] == "rain\n\n[Unsupported input_image]"


def test_thoughts_come_from_their_text_their_sealed_form_or_another_models_summary():
    def thoughts(**item) -> str:
        return read(message("user", "Hi"), {"type": "reasoning", **item}, message("assistant", "yes"))[1]["reasoning_content"]

    assert thoughts(content=[{"type": "reasoning_text", "text": "a"}], encrypted_content=seal("b")) == "a"
    assert thoughts(content=None, encrypted_content=seal("b"), summary=[{"type": "summary_text", "text": "c"}]) == "b"
    assert thoughts(encrypted_content="gAAAAABo", summary=[{"type": "summary_text", "text": "c"}]) == "c"
    assert thoughts(encrypted_content="gAAAAABo", summary=[]) == ""


def test_every_tool_is_a_function_for_the_model_and_itself_for_the_client():
    tools = Tools([TOOL, PATCH, SPACE, {"type": "web_search", "external_web_access": False}])
    functions = [tool["function"] for tool in tools.functions]
    assert [f["name"] for f in functions] == ["weather", "apply_patch", "agents__close"]
    assert functions[1]["parameters"]["required"] == ["input"] and "start: /.+/" in functions[1]["description"]
    assert tools.called("weather") == {"type": "function_call", "name": "weather", "arguments": ""}
    assert tools.called("apply_patch") == {"type": "custom_tool_call", "name": "apply_patch", "input": ""}
    assert tools.called("agents__close") == {"type": "function_call", "name": "close", "namespace": "agents", "arguments": ""}
    assert tools.called("unheard_of")["name"] == "unheard_of"


def test_calls_of_custom_tools_and_namespaces_read_back_as_the_model_made_them():
    turns = read(
        message("user", "Hi"), {"type": "custom_tool_call", "call_id": "c1", "name": "apply_patch", "input": "*** Begin"},
        {"type": "custom_tool_call_output", "call_id": "c1", "output": "ok"},
        {"type": "function_call", "call_id": "c2", "name": "close", "namespace": "agents", "arguments": "{}"}, output("ok", "c2"),
    )  # fmt: skip
    assert turns[1]["tool_calls"][0]["function"] == {"name": "apply_patch", "arguments": '{"input": "*** Begin"}'}
    assert turns[3]["tool_calls"][0]["function"]["name"] == "agents__close"


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, (3, "auto", None)), ("none", (3, "none", None)), ("required", (3, "required", None)),
        ({"type": "function", "name": "weather"}, (3, "required", "weather")),
        ({"type": "function", "name": "close", "namespace": "agents"}, (3, "required", "agents__close")),
        ({"type": "custom", "name": "apply_patch"}, (3, "required", "apply_patch")),
        ({"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "weather"}]}, (1, "required", None)),
    ],
)  # fmt: skip
def test_tool_choice(choice, expected):
    ask = asked(tools=[TOOL, PATCH, SPACE], tool_choice=choice)
    assert (len(ask.tools), ask.tool_choice, ask.tool_name) == expected


@pytest.mark.parametrize(
    ("effort", "mode"),
    [(None, (None, None)), ("none", (False, None)), ("minimal", (False, None)), ("medium", (True, "high")), ("xhigh", (True, "max"))],
)
def test_effort(effort, mode):
    assert asked(reasoning={"effort": effort, "summary": "auto"}).mode == mode


def test_text_formats_are_schemas():
    assert asked(text={"format": {"type": "text"}}).schema is None
    assert asked(text={"format": {"type": "json_object"}}).schema == JSON_OBJECT
    assert asked(text={"format": {"type": "json_schema", "name": "w", "schema": WEATHER, "strict": True}, "verbosity": "low"}).schema == WEATHER


REFUSED = [
    ({"input": [{"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]}, "read only text"),
    ({"input": [message("wizard", "x")]}, r"input\[0\].role"),
    ({"input": [{"type": "item_reference", "id": "x"}]}, "item_reference"),
    ({"input": [{}]}, r"input\[0\] is of type None"),
    ({"input": [message("user", "x"), called()]}, "output is missing"),
    ({"input": [message("user", "x"), output("y")]}, "which no call before it has"),
    ({"input": [message("user", "x"), called(), output("y"), output("y")]}, "answered before"),
    ({"input": [message("user", "x"), called(arguments=None), output("y")]}, "needs a call_id and arguments"),
    ({"input": [message("user", "x"), called(), output(7)]}, "neither text nor a list"),
    ({"input": [message("user", "x"), {"type": "reasoning", "content": [7]}]}, "list of parts"),
    ({"tools": [{"type": "file_search", "vector_store_ids": ["x"]}]}, "file_search"),
    ({"tools": [{"type": "mcp", "server_label": "x"}]}, "mcp"),
    ({"tools": [{"type": "function"}]}, "has no name"),
    ({"tools": [TOOL], "tool_choice": {"type": "mcp"}}, "tool_choice"),
    ({"text": {"format": {"type": "xml"}}}, "text.format"),
    ({"background": True}, "background"),
    ({"conversation": "conv_1"}, "conversation"),
    ({"prompt": {"id": "p"}}, "prompt"),
    ({"top_logprobs": 3}, "top_logprobs"),
]


@pytest.mark.parametrize(("fields", "cause"), REFUSED)
def test_what_this_model_cannot_be_told_is_refused_with_the_place(fields, cause):
    with pytest.raises(AskError, match=cause) as refusal:
        asked(**fields)
    assert refusal.value.status == 400


# ---- answers


USAGE = Usage(10, 4, 7, 3)


def told(*said, **fields) -> tuple[list[dict], dict]:
    found = wire(tools=[TOOL, PATCH, SPACE], **fields)
    writer = Writer(found, Tools(found.tools))
    out = [told for event in said for told in writer.say(event)]
    assert [e["sequence_number"] for e in out] == list(range(len(out)))
    return out, writer.response


def test_the_events_open_grow_and_close_every_item():
    out, response = told(
        Started(10), ReasoningDelta("h"), ReasoningDelta("m"), ContentDelta("So."), CallStarted(0, "c1", "weather"),
        ToolCallDelta(0, '{"city": '), ToolCallDelta(0, '"Oslo"}'), CallEnded(0, None), CallStarted(1, "c2", "apply_patch"),
        ToolCallDelta(1, '{"input": "***"}'), CallEnded(1, None), Finished("tool_calls", USAGE), include=["reasoning.encrypted_content"],
    )  # fmt: skip
    assert [e["type"].removeprefix("response.") for e in out] == [
        "created", "in_progress",
        "output_item.added", "content_part.added", "reasoning_text.delta", "reasoning_text.delta", "reasoning_text.done", "content_part.done", "output_item.done",
        "output_item.added", "content_part.added", "output_text.delta", "output_text.done", "content_part.done", "output_item.done",
        "output_item.added", "function_call_arguments.delta", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done",
        "output_item.added", "custom_tool_call_input.delta", "custom_tool_call_input.done", "output_item.done",
        "completed",
    ]  # fmt: skip
    assert [item["type"] for item in response["output"]] == ["reasoning", "message", "function_call", "custom_tool_call"]
    reasoning, said, function, custom = response["output"]
    assert reasoning["content"][0]["text"] == unseal(reasoning["encrypted_content"]) == "hm" and reasoning["summary"] == []
    assert said["content"][0]["text"] == "So." and function["arguments"] == '{"city": "Oslo"}' and custom["input"] == "***"
    assert out[0]["response"]["output"] == [] and out[-1]["response"] == response
    assert {item["status"] for item in response["output"]} == {response["status"]} == {"completed"}
    assert response["usage"] == {
        "input_tokens": 10, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 7, "output_tokens_details": {"reasoning_tokens": 3}, "total_tokens": 17,
    }  # fmt: skip


def test_what_an_event_told_does_not_change_afterwards():
    out, _ = told(Started(10), ContentDelta("So."), Finished("stop", USAGE))
    added = next(e for e in out if e["type"] == "response.output_item.added")
    assert added["item"]["status"] == "in_progress" and added["item"]["content"] == []


@pytest.mark.parametrize("reason", ["length", "repetition"])
def test_an_answer_that_was_cut_is_incomplete(reason):
    out, response = told(Started(1), ContentDelta("x"), Finished(reason, USAGE))
    assert out[-1]["type"] == "response.incomplete" and response["incomplete_details"] == {"reason": "max_output_tokens"}
    assert response["output"][0]["status"] == "incomplete"


def test_a_malformed_call_is_incomplete_and_says_why():
    _, response = told(Started(1), CallStarted(0, "c", "weather"), ToolCallDelta(0, "{}"), CallEnded(0, "the arguments lack city"), Finished("tool_calls", USAGE))
    assert response["output"][0]["status"] == "incomplete" and response["output"][0]["malformed"] == "the arguments lack city"


def test_kept_responses_are_bounded_and_their_owners():
    kept = Kept(most=1000)
    for i in range(20):
        kept.add("me", [{"n": i}], {"id": f"r{i}", "text": "x" * 100})
    assert kept.bytes <= 1000 and kept.get("me", "r19")["items"] == [{"n": 19}]
    for owner, name in (("me", "r0"), ("you", "r19"), ("me", "r99")):
        with pytest.raises(AskError) as refusal:
            kept.get(owner, name)
        assert refusal.value.status == 404


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


def client(url: str, key: str = "none") -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)


def test_the_client_gets_the_same_response_whole_and_streamed(script):
    answer, url = script
    answer("hm</think>Hello, Anna!", "hm</think>Hello, Anna!")
    whole = client(url).responses.create(model="mini", input="Hi", reasoning={"effort": "high"})
    heard, streamed = "", None
    with client(url).responses.stream(model="mini", input="Hi", reasoning={"effort": "high"}) as stream:
        for event in stream:
            if event.type == "response.output_text.delta":
                heard += event.delta
        streamed = stream.get_final_response()
    assert whole.output_text == streamed.output_text == heard == "Hello, Anna!"
    assert whole.output[0].content[0].text == streamed.output[0].content[0].text == "hm"
    assert whole.status == streamed.status == "completed"
    assert whole.usage.output_tokens_details.reasoning_tokens == streamed.usage.output_tokens_details.reasoning_tokens > 0


@pytest.mark.parametrize("how", ["items", "sealed", "previous"])
def test_a_tool_loop_renders_its_history_as_it_was_sampled(script, how):
    answer, url = script
    first = "I look it up.</think>Let me see." + call("weather", city="Oslo")
    engine = answer(first, "It rains</think>In Oslo it rains.")
    ask = dict(model="mini", tools=[TOOL], reasoning={"effort": "high"})
    if how == "sealed":
        ask |= dict(store=False, include=["reasoning.encrypted_content"])
    said = client(url).responses.create(input="How is the weather in Oslo?", **ask)
    assert [item.type for item in said.output] == ["reasoning", "message", "function_call"]
    result = output("rain", said.output[2].call_id)
    if how == "previous":
        last = client(url).responses.create(previous_response_id=said.id, input=[result], **ask)
    else:
        items = [item.to_dict() for item in said.output]
        if how == "sealed":
            items[0].pop("content")
        last = client(url).responses.create(input=[message("user", "How is the weather in Oslo?"), *items, result], **ask)
    assert last.output_text == "In Oslo it rains."
    assert engine.prompts[1].startswith(engine.prompts[0] + first)
    assert last.usage.input_tokens_details.cached_tokens >= 256


def test_a_kept_response_can_be_read_and_an_unkept_one_not(script):
    answer, url = script
    answer("one", "two")
    said = client(url).responses.create(model="mini", input="Hi", reasoning={"effort": "none"})
    assert client(url).responses.retrieve(said.id).output_text == "one"
    unkept = client(url).responses.create(model="mini", input="Hi", reasoning={"effort": "none"}, store=False)
    with pytest.raises(openai.NotFoundError):
        client(url).responses.retrieve(unkept.id)
    with pytest.raises(openai.NotFoundError):
        client(url).responses.create(model="mini", input="Hi", previous_response_id=unkept.id)


def test_a_custom_tool_gets_its_input_as_text(script):
    answer, url = script
    answer(call("apply_patch", input='say "hi"\n</x>'))
    with client(url).responses.stream(model="mini", input="Hi", tools=[PATCH], reasoning={"effort": "none"}) as stream:
        said = stream.get_final_response()
    assert said.output[0].type == "custom_tool_call" and said.output[0].input == 'say "hi"\n</x>'


def test_max_output_tokens_makes_a_response_incomplete(script):
    answer, url = script
    answer("one two three four five")
    said = client(url).responses.create(model="mini", input="Hi", max_output_tokens=2, reasoning={"effort": "none"})
    assert said.status == "incomplete" and said.incomplete_details.reason == "max_output_tokens" and said.usage.output_tokens == 2


def test_a_schema_is_followed_and_parsed(script):
    from pydantic import BaseModel

    class Where(BaseModel):
        city: str

    answer, url = script
    answer('{"city": "Oslo"}')
    said = client(url).responses.parse(model="mini", input="Where?", text_format=Where, reasoning={"effort": "none"})
    assert said.output_parsed == Where(city="Oslo")


def test_users_share_no_cache(script):
    answer, url = script
    answer(*["yes"] * 3)
    long = "Tell me about the sea. " * 60
    cached = [
        client(url).responses.create(model="mini", input=long, reasoning={"effort": "none"}, safety_identifier=user).usage.input_tokens_details.cached_tokens
        for user in ("adam", "eve", "adam")
    ]
    assert cached[0] == cached[1] == 0 < cached[2]


def test_an_engine_that_fails_midway_ends_the_stream_with_response_failed(script):
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
        heard = events(post(f"{url}/v1/responses", {"model": "mini", "input": "Hi", "stream": True, "reasoning": {"effort": "none"}}).text)
    finally:
        del engine._forward
    assert heard[0][0] == "response.created" and heard[-1][0] == "response.failed"
    assert json.loads(heard[-1][1])["response"]["error"]["code"] == "server_error"


KEY = "k" * 24


@pytest.fixture(scope="module")
def limited():
    with serving(ScriptedEngine(lambda prompt: "yes"), keys=(KEY,), limits=Limits(body_bytes=100_000, per_user=0)) as url:
        yield url


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (404, "not_found_error", {"model": "gpt"}),
        (404, "not_found_error", {"previous_response_id": "resp_nothing"}),
        (422, "invalid_request_error", {"input": 7}),
        (422, "invalid_request_error", {"max_output_tokens": 0}),
        (422, "invalid_request_error", {"temperature": 9}),
        (422, "invalid_request_error", {"input": []}),
        (422, "invalid_request_error", {"reasoning": {"effort": "much"}}),
        (422, "invalid_request_error", {"tools": [TOOL, TOOL]}),
        (400, "invalid_request_error", {"input": [{"type": "item_reference", "id": "x"}]}),
        (413, "invalid_request_error", {"instructions": "x" * 200_000}),
        (429, "rate_limit_error", {}),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_errors_have_openais_shape(limited, status, kind, body, stream):
    answer = post(f"{limited}/v1/responses", {"model": "mini", "input": "Hi", "stream": stream, **body}, authorization=f"Bearer {KEY}")
    assert answer.status_code == status, answer.text
    said = answer.json()["error"]
    assert said["type"] == kind and len(said["message"]) > 10 and {"param", "code"} <= said.keys()


def test_a_missing_key_is_an_error_that_the_client_knows(limited):
    with pytest.raises(openai.AuthenticationError):
        client(limited, "wrong").responses.create(model="mini", input="Hi")
