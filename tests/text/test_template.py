"""Does the generated Jinja template render what the encoder writes?"""

import copy
import json

import pytest
from chat_cases import case_ids, load_cases
from hypothesis import given, settings
from hypothesis import strategies as st

from finback.text import chat_template, encode_messages
from finback.text.tokens import ASSISTANT, BOS, USER

utils = pytest.importorskip("transformers.utils.chat_template_utils")
jinja2 = pytest.importorskip("jinja2")

CASES = [c for c in load_cases("encode_cases") if not {"context", "drop_thinking"} & set(c["kwargs"])]
TOOL = {"type": "function", "function": {"name": "f", "description": "é <b>", "parameters": {"b": 1, "a": 1.5}}}


def render(messages, thinking=False, contract="preview", **variables):
    messages = copy.deepcopy(messages)
    for message in messages:
        for call in message.get("tool_calls", []):
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    template = utils._compile_jinja_template(chat_template(contract))
    variables = {"tools": None, "add_generation_prompt": True, **variables}
    return template.render(messages=messages, thinking=thinking, **variables)


@pytest.mark.parametrize("case", CASES, ids=case_ids(CASES))
def test_template_agrees_with_the_encoder_case(case):
    arguments = (case["messages"], case["thinking_mode"] == "thinking")
    if "error" in case:
        with pytest.raises(jinja2.TemplateError):
            render(*arguments, **case["kwargs"])
    else:
        assert render(*arguments, **case["kwargs"]) == case["output"]


def test_template_writes_the_golden_prompts(golden):
    for messages, thinking_mode, prompt in golden.values():
        assert render(messages, thinking_mode == "thinking") == prompt


def test_tools_variable_joins_the_system_message_or_opens_the_prompt():
    system, user = {"role": "system", "content": "S"}, {"role": "user", "content": "q"}
    joined = encode_messages([{**system, "tools": [TOOL]}, user], "thinking")
    assert render([system, user], True, tools=[TOOL]) == joined
    opened = encode_messages([{"role": "system", "content": "", "tools": [TOOL]}, user], "thinking")
    assert render([user], True, tools=[TOOL]) == opened


def test_enable_thinking_is_another_name_and_chat_the_default():
    template = utils._compile_jinja_template(chat_template())
    messages = [{"role": "user", "content": "q"}]
    assert template.render(messages=messages, enable_thinking=True) == encode_messages(messages, "thinking")
    assert template.render(messages=messages) == encode_messages(messages, "chat")


@pytest.mark.parametrize("effort", [None, "low", "high", "max"])
def test_template_knows_the_0731_efforts(effort):
    messages = [{"role": "system", "content": "S"}, {"role": "user", "content": "q"}]
    prompt = encode_messages(messages, "thinking", reasoning_effort=effort, contract="0731")
    assert render(messages, True, "0731", reasoning_effort=effort) == prompt


def test_without_generation_prompt_no_reply_is_opened():
    turns = [("user", "a"), ("assistant", "b"), ("user", "c")]
    messages = [{"role": role, "content": content} for role, content in turns]
    prompt = render(messages, add_generation_prompt=False)
    assert prompt.endswith(f"{USER}c")
    assert prompt + ASSISTANT + "</think>" == render(messages)
    assert prompt.startswith(BOS)


@pytest.mark.parametrize("ids", ["abc", "cba", "bxa", "ca", "xx"])
def test_template_sorts_tool_results_by_call_order(ids):
    calls = [{"id": i, "function": {"name": "f", "arguments": "{}"}} for i in "abc"]
    results = [{"role": "tool", "tool_call_id": i, "content": i.upper()} for i in ids]
    results.insert(1, {"role": "user", "content": "text"})
    messages = [{"role": "assistant", "content": "", "tool_calls": calls}, *results]
    assert render(messages) == encode_messages(messages, "chat")


def test_unknown_contract_is_refused():
    with pytest.raises(ValueError, match="unknown chat contract"):
        chat_template("0815")


text = st.sampled_from(["", "a", "b\n", "é", "<b>", " x "])
value = text | st.integers() | st.lists(text, max_size=2) | st.none()
arguments = st.dictionaries(st.sampled_from("kl"), value, max_size=2)
call = st.builds(
    lambda i, a: {"id": i, "type": "function", "function": {"name": "f", "arguments": json.dumps(a)}},
    st.sampled_from(["c1", "c2", "c3", ""]), arguments,
)  # fmt: skip


def turn(role, content=text, **optional):
    return st.fixed_dictionaries({"role": st.just(role), "content": content}, optional=optional)


message = st.one_of(
    turn("user", task=st.sampled_from(["query", "action"])),
    turn("tool", tool_call_id=st.sampled_from(["c1", "c2", "c3", "x"])),
    turn(
        "assistant",
        text | st.none(),
        reasoning_content=text,
        tool_calls=st.lists(call, max_size=3),
        wo_eos=st.booleans(),
        task=st.just("title"),
    ),
    turn("system", tools=st.just([TOOL]), response_format=st.just({"z": [1, 2.5]})),
    turn("developer", text.filter(bool)),
    turn("latest_reminder"),
)


@settings(max_examples=250, deadline=None)
@given(st.lists(message, max_size=8), st.booleans(), st.sampled_from([None, "high", "max"]))
def test_template_agrees_with_the_encoder_on_any_conversation(messages, thinking, effort):
    prompt = encode_messages(messages, "thinking" if thinking else "chat", reasoning_effort=effort)
    assert render(messages, thinking, reasoning_effort=effort) == prompt
