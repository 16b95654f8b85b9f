"""What may stand in a request of Anthropic's Messages API, and which ask does it make?

- V4 has one system text at the start. System turns in the middle of a conversation become text of a user's turn.
- A turn of the assistant is thoughts, then text, then tool calls; blocks in another order are put into this one.
- What asks for something that only Anthropic's servers have is refused; what only tunes them is ignored.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import ConfigDict, Field

from finback.server.ask import Ask, AskError, Message
from finback.server.chat_body import Effort, Wire
from finback.server.thoughts import unseal

# Claude Code opens the system text with a line that names its version and session, and would miss every cache.
BILLING = "x-anthropic-billing-header:"
_CHOICES = {"auto": "auto", "any": "required", "tool": "required", "none": "none"}


class ContentBlock(Wire):
    """Which fields it has depends on its type."""

    model_config = ConfigDict(extra="allow")
    type: str


class MessagesTurn(Wire):
    role: Literal["user", "assistant", "system"]
    content: str | list[ContentBlock]


class MessagesTool(Wire):
    type: str | None = None
    name: str
    description: str | None = None
    input_schema: dict[str, Any] | None = None
    strict: bool | None = None


class MessagesToolChoice(Wire):
    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class MessagesThinking(Wire):
    type: Literal["enabled", "adaptive", "disabled"]
    budget_tokens: int | None = Field(None, ge=0)
    display: Literal["summarized", "omitted"] | None = None


class MessagesFormat(Wire):
    type: Literal["json_schema"]
    json_schema: dict[str, Any] = Field(alias="schema")


class MessagesOutput(Wire):
    effort: Effort | None = None
    format: MessagesFormat | None = None


class MessagesMetadata(Wire):
    user_id: str | None = None


class CountBody(Wire):
    """What a prompt is made of."""

    model: str
    messages: list[MessagesTurn]
    system: str | list[ContentBlock] | None = None
    tools: list[MessagesTool] | None = None
    tool_choice: MessagesToolChoice | None = None
    thinking: MessagesThinking | None = None
    output_config: MessagesOutput | None = None
    metadata: MessagesMetadata | None = None


class MessagesBody(CountBody):
    max_tokens: int
    stream: bool | None = None
    stop_sequences: list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None


def to_ask(wire: CountBody, user: str = "") -> Ask:
    choice, thinking, output = wire.tool_choice, wire.thinking, wire.output_config
    messages = conversation(wire)
    sampling: dict[str, Any] = {}
    if isinstance(wire, MessagesBody):
        sampling = dict(
            max_tokens=wire.max_tokens, stop=tuple(wire.stop_sequences or ()),
            temperature=wire.temperature, top_p=wire.top_p, top_k=wire.top_k or 0,
        )  # fmt: skip
    return Ask(
        model=wire.model, messages=tuple(messages), tools=tuple(_tools(wire.tools or [])),
        tool_choice=_CHOICES[choice.type] if choice else "auto",
        tool_name=choice.name or "" if choice and choice.type == "tool" else None,
        parallel_tool_calls=not (choice and choice.disable_parallel_tool_use),
        schema=output.format.json_schema if output and output.format else None,
        thinking=None if thinking is None else thinking.type != "disabled",
        thinking_budget=thinking.budget_tokens if thinking else None,
        effort=output.effort if output else None,
        prefix=bool(messages) and messages[-1]["role"] == "assistant",
        user=user, call_prefix="toolu_", **sampling,
    )  # fmt: skip


def conversation(wire: CountBody) -> list[Message]:
    """The messages of V4's prompt."""
    system = _texts(wire.system or "", "system")
    messages = [{"role": "system", "content": "\n\n".join(system)}] if system else []
    open_calls: set[str] = set()
    for i, (role, blocks) in enumerate(_turns(wire.messages)):
        where = f"messages.{i}"
        if role == "assistant":
            if open_calls:
                raise _unanswered(open_calls, where)
            message = _assistant(blocks, where)
            open_calls = {call["id"] for call in message.get("tool_calls", ())}
            messages.append(message)
        else:
            for message in _user(blocks, where):
                if message["role"] == "tool":
                    if message["tool_call_id"] not in open_calls:
                        raise _invalid(where, f"tool_result for {message['tool_call_id']!r}, which the turn before did not call")
                    open_calls.remove(message["tool_call_id"])
                messages.append(message)
    if open_calls:
        raise _unanswered(open_calls, "messages")
    return messages


def _invalid(where: str, message: str) -> AskError:
    return AskError(400, "invalid_request", f"{where}: {message}", where)


def _unanswered(calls: set[str], where: str) -> AskError:
    return _invalid(where, f"no tool_result answers the tool_use {', '.join(sorted(calls))} of the turn before: send one for each")


def _tools(tools: list[Tool]) -> list[dict[str, Any]]:
    """The tools as the OpenAI API, and V4's prompt, describe them."""
    found = []
    for i, tool in enumerate(tools):
        if tool.type not in (None, "custom") or tool.input_schema is None:
            what = f"{tool.name!r} is a tool that only Anthropic's models and servers know ({tool.type})"
            raise _invalid(f"tools.{i}", f"{what}: describe one of your own with an input_schema")
        function = {"name": tool.name, "description": tool.description or "", "parameters": tool.input_schema}
        found.append({"type": "function", "function": {**function, "strict": True} if tool.strict else function})
    return found


def _turns(turns: list[Turn]) -> Iterator[tuple[str, list[ContentBlock]]]:
    """Neighbours that speak for the same side are one turn."""
    role, blocks = "", []
    for turn in turns:
        side = "assistant" if turn.role == "assistant" else "user"
        if side != role and role:
            yield role, blocks
            blocks = []
        role = side
        blocks = blocks + ([ContentBlock(type="text", text=turn.content)] if isinstance(turn.content, str) else turn.content)
    if role:
        yield role, blocks


def _texts(content: str | list[ContentBlock], where: str) -> list[str]:
    if isinstance(content, str):
        return [content] if content else []
    texts = [_text(block, f"{where}.{i}") for i, block in enumerate(content)]
    return [text for text in texts if text and not text.startswith(BILLING)]


def _text(block: ContentBlock, where: str) -> str:
    """Of a block that holds text in one way or another."""
    if block.type == "text":
        return _field(block, "text", where)
    source = getattr(block, "source", None)
    if block.type == "document" and isinstance(source, dict) and source.get("type") == "text":
        return str(source.get("data", ""))
    what = {"image": "an image", "document": "a document that is not plain text"}.get(block.type, f"a {block.type} block")
    raise AskError(400, "unsupported_content", f"{where}: these models read only text, and this is {what}: leave it out", where)


def _field(block: ContentBlock, name: str, where: str) -> str:
    value = getattr(block, name, None)
    if not isinstance(value, str):
        raise _invalid(f"{where}.{name}", f"a {block.type} block needs it, as text")
    return value


def _assistant(blocks: list[ContentBlock], where: str) -> Message:
    thoughts, texts, calls = [], [], []
    for i, block in enumerate(blocks):
        at = f"{where}.content.{i}"
        if block.type == "thinking":
            signature = getattr(block, "signature", None)
            sealed = unseal(signature) if isinstance(signature, str) else None
            thoughts.append(_field(block, "thinking", at) or sealed or "")
        elif block.type == "tool_use":
            arguments = getattr(block, "input", None)
            if not isinstance(arguments, dict):
                raise _invalid(f"{at}.input", "a tool_use block needs it, an object")
            function = {"name": _field(block, "name", at), "arguments": json.dumps(arguments, ensure_ascii=False)}
            calls.append({"id": _field(block, "id", at), "type": "function", "function": function})
        elif block.type != "redacted_thinking":  # another server's, which nobody else can read
            texts.append(_text(block, at))
    message: dict[str, Any] = {"role": "assistant", "content": "".join(texts)}
    if thoughts:
        message["reasoning_content"] = "".join(thoughts)
    if calls:
        message["tool_calls"] = calls
    return message


def _user(blocks: list[ContentBlock], where: str) -> Iterator[Message]:
    for i, block in enumerate(blocks):
        at = f"{where}.content.{i}"
        if block.type == "tool_result":
            content = getattr(block, "content", None) or ""
            if isinstance(content, list):
                content = "\n\n".join(_result_text(part, at) for part in content)
            if not isinstance(content, str):
                raise _invalid(f"{at}.content", "it is neither text nor a list of content blocks")
            yield {"role": "tool", "tool_call_id": _field(block, "tool_use_id", at), "content": content}
        else:
            yield {"role": "user", "content": _text(block, at)}


def _result_text(part: Any, where: str) -> str:
    """Of a part of a tool's result. What is no text is named, as V4's own encoder does: the tool has run already."""
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        raise _invalid(f"{where}.content", "its parts must be content blocks with a type")
    if part["type"] == "text":
        return str(part.get("text", ""))
    if part["type"] == "tool_reference":
        return f"{part.get('tool_name')} is available"
    return f"[Unsupported {part['type']}]"
