"""Which tokens does a model read for an ask, and how is its answer sampled?

The messages are cleaned of what does not belong to them, remembered turns are put back as they were sampled, user text
loses its power to speak in another's name, and V4's encoder renders the rest. Computed off the event loop.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from finback.engine import Constraint, SamplingParams
from finback.server.ask import JSON_OBJECT, Ask, AskError, Message
from finback.server.memory import Memory
from finback.server.service import Limits, Model
from finback.text import encode_messages, neutralize, neutralize_messages
from finback.text.tokens import DSML

NEVER = -1e9  # a bias that no logit outweighs


@dataclass(frozen=True)
class Prompt:
    """thinking: whether it ends within the assistant's thoughts."""

    text: str
    ids: list[int]
    thinking: bool
    params: SamplingParams


def render(model: Model, ask: Ask, memory: Memory, limits: Limits) -> Prompt:
    """Raises AskError for what this model cannot do."""
    thinking, effort = ask.mode
    thinking = model.card.thinking if thinking is None else thinking
    try:
        text = encode_messages(_messages(ask, memory), "thinking" if thinking else "chat", reasoning_effort=effort)
        ids = memory.tokens(ask.user, model.name, model.tokenizer, text)
    except (UnicodeError, RecursionError) as error:
        raise AskError(400, "invalid_messages", f"the messages cannot be encoded: {error}", "messages") from None
    if model.engine.markers is None:
        raise AskError(400, "not_a_chat_model", f"the tokenizer of {model.name} has no chat tokens: use /completions", "model")
    return Prompt(text, ids, model.engine.markers.opened(ids), _sampling(model, ask, len(ids), limits))


def room(model: Model, prompt_tokens: int) -> int:
    """How many tokens an answer may have. Raises AskError where the prompt leaves none."""
    left = model.context - prompt_tokens
    if left < 1:
        raise AskError(
            400, "context_length_exceeded",
            f"the prompt has {prompt_tokens} tokens; {model.name} takes {model.context} with the answer: shorten it", "messages",
        )  # fmt: skip
    return left


def _messages(ask: Ask, memory: Memory) -> list[Message]:
    """The messages as the encoder wants them."""
    out: list[Message] = []
    for before, message in zip((None, *ask.messages), ask.messages):
        role = message["role"]
        cleaned: Message = {"role": role, "content": message["content"]}
        if role == "tool":
            cleaned["tool_call_id"] = message["tool_call_id"]
        if role == "assistant":
            cleaned |= {key: message[key] for key in ("reasoning_content", "tool_calls") if message.get(key)}
            cleaned = restored(ask.user, cleaned, memory, before)
        out.append(cleaned)
    _order_results(out)
    for message in out:
        message.pop("order", None)
    if ask.prefix:
        out[-1]["wo_eos"] = True
    if ask.task is not None:
        out[-1]["task"] = ask.task
    out = neutralize_messages(out)
    extras: dict[str, Any] = {}
    if ask.tools:
        extras["tools"] = [{"function": {k: v for k, v in tool["function"].items() if k != "strict"}} for tool in ask.tools]
    if ask.schema is not None and ask.schema != JSON_OBJECT:
        extras["response_format"] = dict(ask.schema)
    if extras:
        [instructed] = neutralize_messages([{"role": "system", "content": "", **extras}])
        if out[0]["role"] == "system":
            instructed["content"] = out.pop(0)["content"]
        out.insert(0, instructed)
    return out


def restored(user: str, message: Message, memory: Memory, before: Message | None) -> Message:
    """An assistant's message as it was sampled, where that is known; else with its lost thoughts, where they are, and
    with no more power than other text. before: the message that it answers."""
    calls = message.get("tool_calls", [])
    turn = memory.turn(user, message, before)
    if turn is not None and turn.made(message):
        order = [call["id"] for call in calls]
        return {"role": "assistant", "content": turn.text, "reasoning_content": turn.thoughts, "order": order}
    thoughts = message.get("reasoning_content") or ("" if turn is None else turn.thoughts)
    out = {"role": "assistant", "content": neutralize(message["content"]), "reasoning_content": neutralize(thoughts)}
    if calls:
        out["tool_calls"] = [
            {"id": call["id"], "function": {"name": neutralize(call["function"]["name"]), "arguments": _arguments(call["function"]["arguments"])}}
            for call in calls
        ]  # fmt: skip
    return out


def _arguments(text: str) -> str:
    """Arguments as the encoder takes them: the JSON of an object, or text that is no JSON."""
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    if not isinstance(value, dict):
        value = {"arguments": value}
    return _neutral_json(value)


def _neutral_json(value: dict[str, Any]) -> str:
    [wrapped] = neutralize_messages([{"role": "user", "content": value}])
    return json.dumps(wrapped["content"], ensure_ascii=False)


def _order_results(messages: list[Message]) -> None:
    """Behind a turn that is put back as text the results take the order of its calls, as the encoder does elsewhere."""
    for at, message in enumerate(messages):
        if "order" not in message:
            continue
        slots = []
        for i in range(at + 1, len(messages)):
            if messages[i]["role"] not in ("tool", "user"):
                break
            slots += [i] if messages[i]["role"] == "tool" else []
        rank = {call: i for i, call in enumerate(message["order"])}
        results = sorted((messages[i] for i in slots), key=lambda m: rank.get(m["tool_call_id"], 0))
        for slot, result in zip(slots, results):
            messages[slot] = result


def _sampling(model: Model, ask: Ask, prompt_tokens: int, limits: Limits) -> SamplingParams:
    most = min(ask.max_tokens or limits.answer_tokens, room(model, prompt_tokens))
    calls = bool(ask.tools) and ask.tool_choice != "none"
    bias = dict(ask.logit_bias)
    if not calls:
        bias[model.tokenizer.token_id(DSML)] = NEVER
    return SamplingParams(
        temperature=model.card.temperature if ask.temperature is None else ask.temperature,
        top_p=model.card.top_p if ask.top_p is None else ask.top_p,
        top_k=ask.top_k, min_p=ask.min_p,
        presence_penalty=ask.presence_penalty, frequency_penalty=ask.frequency_penalty, logit_bias=bias,
        max_tokens=most, stop=ask.stop, logprobs=ask.logprobs, n=ask.n,
        seed=secrets.randbits(63) if ask.seed is None else ask.seed,
        stop_token_ids=model.foreign,
        constraint=_calls(model, ask) if calls else _schema(model, ask),
        thinking_budget=most * 3 // 4 if ask.thinking_budget is None else ask.thinking_budget,
    )  # fmt: skip


def _schema(model: Model, ask: Ask) -> Constraint | None:
    if ask.schema is None:
        return None
    constraint = Constraint.json_schema(ask.schema)
    try:
        model.check(constraint)
    except ValueError as error:
        raise AskError(400, "invalid_schema", str(error), "response_format") from None
    return constraint


def _calls(model: Model, ask: Ask) -> Constraint:
    """The form of the tool calls. A schema that cannot be enforced is an error for a strict tool; of another, only the
    names of its parameters are."""
    choice = ask.tool_name or ask.tool_choice
    if ask.tool_name is None and any(tool["function"]["name"] in ("auto", "required") for tool in ask.tools):
        raise AskError(422, "invalid_value", "a tool must not be called auto or required", "tools")
    try:
        return _checked(model, ask.tools, choice, ask.parallel_tool_calls)
    except ValueError:
        pass
    loosened = []
    for i, tool in enumerate(ask.tools):
        try:
            _checked(model, [tool])
            loosened.append(tool)
        except ValueError as error:
            if tool["function"].get("strict"):
                raise AskError(400, "invalid_schema", str(error), f"tools[{i}].function.parameters") from None
            loosened.append(_loose(tool))
    try:
        return _checked(model, loosened, choice, ask.parallel_tool_calls)
    except ValueError as error:
        raise AskError(400, "invalid_schema", str(error), "tools") from None


def _checked(model: Model, tools: Sequence[dict[str, Any]], choice: str = "auto", parallel: bool = True) -> Constraint:
    """The tools' constraint. Raises ValueError where their schemas cannot be used, or are none."""
    try:
        constraint = Constraint.tools(tools, choice, parallel)
        model.check(constraint)
    except (TypeError, AttributeError, KeyError, RecursionError) as error:
        raise ValueError(f"the tool's schema makes no sense: {error}") from None
    return constraint


def _loose(tool: dict[str, Any]) -> dict[str, Any]:
    function = tool["function"]
    properties = (function.get("parameters") or {}).get("properties")
    names = properties if isinstance(properties, dict) else {}
    return {"function": {"name": function["name"], "parameters": {"type": "object", "properties": {name: {} for name in names}}}}
