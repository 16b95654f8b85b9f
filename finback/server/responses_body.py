"""What may stand in a request of OpenAI's Responses API, and which ask does it make?

- V4 has one system text at the start: the instructions and the system or developer messages that lead. Later ones
  become text of a user's turn.
- Reasoning, message and calls that follow each other are one turn of the assistant, as V4 says it.
- Every tool is a function for the model: one in a namespace is called NAMESPACE__NAME, a custom tool takes one string.
- OpenAI's own search and picture tools are offers that the model never sees; those that carry data are refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from finback.server.ask import JSON_OBJECT, Ask, AskError, Message, text_of
from finback.server.chat_body import Effort, Wire
from finback.server.thoughts import unseal

OFFERS = ("web_search", "web_search_preview", "web_search_2025_08_26", "web_search_preview_2025_03_11", "image_generation", "tool_search")


class ResponsesReasoning(Wire):
    effort: Effort | None = None


class ResponsesText(Wire):
    format: dict[str, Any] | None = None


class ResponsesBody(Wire):
    model: str
    input: str | list[dict[str, Any]]
    instructions: str | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: Literal["none", "auto", "required"] | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    reasoning: ResponsesReasoning | None = None
    text: ResponsesText | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_logprobs: int | None = None
    stream: bool | None = None
    store: bool | None = None
    previous_response_id: str | None = None
    include: list[str] | None = None
    metadata: dict[str, Any] | None = Field(None, max_length=16)
    user: str | None = None
    safety_identifier: str | None = None
    background: bool | None = None
    conversation: Any = None
    prompt: Any = None

    @property
    def items(self) -> list[dict[str, Any]]:
        if isinstance(self.input, list):
            return self.input
        return [{"type": "message", "role": "user", "content": self.input}]


def _refused(param: str, message: str, code: str = "invalid_value") -> AskError:
    return AskError(400, code, f"{param} {message}", param)


class Tools:
    """The tools of a request: as the model sees them, and back to what the client called them."""

    def __init__(self, wire: list[dict[str, Any]] | None):
        self.functions: list[dict[str, Any]] = []
        self._names: dict[str, dict[str, Any]] = {}
        for i, tool in enumerate(wire or []):
            self._add(tool, f"tools[{i}]")

    def _add(self, tool: Any, where: str, namespace: str = "") -> None:
        kind = tool.get("type") if isinstance(tool, dict) else None
        if kind in OFFERS:
            return
        name = tool.get("name") if kind in ("function", "custom", "namespace") else None
        if not isinstance(name, str):
            raise _refused(where, f"is of type {kind!r}, or has no name: a tool here is a function, a custom tool or a namespace of them", "unsupported_tool")
        if kind == "namespace" and not namespace:
            within = tool.get("tools")
            for i, inner in enumerate(within if isinstance(within, list) else []):
                self._add(inner, f"{where}.tools[{i}]", name)
            return
        shown = f"{namespace}__{name}" if namespace else name
        self._names[shown] = {"type": f"{kind}_call" if kind == "function" else "custom_tool_call", "name": name} | ({"namespace": namespace} if namespace else {})
        description = str(tool.get("description") or "")
        if kind == "custom":
            form = tool.get("format")
            if isinstance(form, dict) and form.get("definition"):
                description += f"\n\nThe input follows this {form.get('syntax', '')} grammar:\n{form['definition']}"
            parameters: Any = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
        else:
            parameters = tool.get("parameters") or {}
        if not isinstance(parameters, dict):
            raise _refused(f"{where}.parameters", "is no JSON schema: send an object")
        function = {"name": shown, "description": description, "parameters": parameters}
        self.functions.append({"type": "function", "function": {**function, "strict": True} if tool.get("strict") else function})

    def called(self, shown: str) -> dict[str, Any]:
        """The beginning of the item for a call."""
        found = self._names.get(shown, {"type": "function_call", "name": shown})
        return {**found, **({"arguments": ""} if found["type"] == "function_call" else {"input": ""})}

    def shown(self, item: dict[str, Any], where: str) -> str:
        """The model's name for the tool that an item names."""
        name, namespace = item.get("name"), item.get("namespace")
        if not isinstance(name, str) or not isinstance(namespace, str | None):
            raise _refused(f"{where}.name", "must be the name of a tool")
        return f"{namespace}__{name}" if namespace else name

    def chosen(self, choice: str | dict[str, Any] | None) -> tuple[list[dict[str, Any]], str, str | None]:
        """(tools, tool_choice, tool_name) of an ask."""
        if not isinstance(choice, dict):
            return self.functions, choice or "auto", None
        kind = choice.get("type")
        if kind in ("function", "custom"):
            return self.functions, "required", self.shown(choice, "tool_choice")
        allowed, mode = choice.get("tools"), choice.get("mode", "auto")
        if kind == "allowed_tools" and mode in ("auto", "required") and isinstance(allowed, list) and all(isinstance(t, dict) for t in allowed):
            names = {self.shown(tool, f"tool_choice.tools[{i}]") for i, tool in enumerate(allowed)}
            return [tool for tool in self.functions if tool["function"]["name"] in names], mode, None
        raise _refused("tool_choice", f"is of type {kind!r}; choose a function, a custom tool, or allowed_tools with their list")


def to_ask(wire: ResponsesBody, items: list[dict[str, Any]], tools: Tools, user: str = "") -> Ask:
    """items: those of the responses before, and the request's own."""
    for name in ("background", "conversation", "prompt", "top_logprobs"):
        if getattr(wire, name):
            raise _refused(name, "is not supported here: leave it out", "unsupported_parameter")
    functions, choice, name = tools.chosen(wire.tool_choice)
    return Ask(
        model=wire.model,
        messages=tuple(conversation(wire.instructions, items, tools)),
        tools=tuple(functions),
        tool_choice=choice,
        tool_name=name,
        parallel_tool_calls=wire.parallel_tool_calls is not False,
        schema=_schema(wire.text.format if wire.text else None),
        effort=wire.reasoning.effort if wire.reasoning else None,
        max_tokens=wire.max_output_tokens,
        temperature=wire.temperature,
        top_p=wire.top_p,
        user=user,
    )


def _schema(form: dict[str, Any] | None) -> Any:
    kind = form.get("type") if form else "text"
    if kind == "text":
        return None
    if kind == "json_object":
        return JSON_OBJECT
    if kind == "json_schema" and isinstance(form.get("schema"), dict):
        return form["schema"]
    raise _refused("text.format", "must be of type text, json_object, or json_schema with its schema")


def conversation(instructions: str | None, items: list[dict[str, Any]], tools: Tools) -> list[Message]:
    """The messages of V4's prompt."""
    system = [instructions] if instructions else []
    messages: list[Message] = []
    unanswered: dict[str, str] = {}
    for i, item in enumerate(items):
        where = f"input[{i}]"
        kind = item.get("type", "message" if "role" in item else None)
        turn = messages[-1] if messages and messages[-1]["role"] == "assistant" else {}
        if kind == "message":
            text = text_of(item.get("content"), f"{where}.content")
            role = item.get("role")
            if role not in ("user", "assistant", "system", "developer"):
                raise _refused(f"{where}.role", "must be user, assistant, system or developer")
            if role in ("system", "developer") and not messages:
                system += [text] if text else []
            elif role != "assistant":
                messages.append({"role": "user", "content": text})
            elif turn and not turn["content"] and "tool_calls" not in turn:
                turn["content"] = text
            else:
                messages.append({"role": "assistant", "content": text})
        elif kind == "reasoning":
            thoughts = _thoughts(item, where)
            if turn and not turn["content"] and "tool_calls" not in turn:
                turn["reasoning_content"] = turn.get("reasoning_content", "") + thoughts
            else:
                messages.append({"role": "assistant", "content": "", "reasoning_content": thoughts})
        elif kind in ("function_call", "custom_tool_call"):
            call = _call(item, where, tools)
            unanswered[call["id"]] = where
            if not turn:
                messages.append(turn := {"role": "assistant", "content": ""})
            turn.setdefault("tool_calls", []).append(call)
        elif kind in ("function_call_output", "custom_tool_call_output"):
            name = item.get("call_id")
            if not isinstance(name, str) or unanswered.pop(name, None) is None:
                raise _refused(f"{where}.call_id", f"is {name!r}, which no call before it has, or which was answered before: send the call too")
            messages.append({"role": "tool", "tool_call_id": name, "content": _output(item.get("output"), f"{where}.output")})
        else:
            raise _refused(where, f"is of type {kind!r}; these models read messages, reasoning, function and custom tool calls, and their outputs", "unsupported_item")
    for name, where in unanswered.items():
        raise _refused(where, f"calls a tool ({name}) whose output is missing: send it as a function_call_output")
    return [{"role": "system", "content": "\n\n".join(system)}] * bool(system) + messages


def _thoughts(item: dict[str, Any], where: str) -> str:
    """The text, where the client still has it; else what the sealed form holds, else the summary of another model."""
    sealed = item.get("encrypted_content")
    return (
        "".join(_parts(item.get("content"), f"{where}.content"))
        or (unseal(sealed) if isinstance(sealed, str) else None)
        or "\n\n".join(_parts(item.get("summary"), f"{where}.summary"))
    )


def _parts(parts: Any, where: str) -> Iterator[str]:
    for part in parts if isinstance(parts, list) else []:
        if not isinstance(part, dict) or not isinstance(part.get("text"), str):
            raise _refused(where, "must be a list of parts with a text")
        yield part["text"]


def _call(item: dict[str, Any], where: str, tools: Tools) -> dict[str, Any]:
    custom = item["type"] == "custom_tool_call"
    given = item.get("input" if custom else "arguments")
    if not isinstance(given, str) or not isinstance(item.get("call_id"), str):
        raise _refused(where, f"needs a call_id and {'input' if custom else 'arguments'}, both text")
    arguments = json.dumps({"input": given}, ensure_ascii=False) if custom else given
    return {"id": item["call_id"], "type": "function", "function": {"name": tools.shown(item, where), "arguments": arguments}}


def _output(output: Any, where: str) -> str:
    """What is no text is named, as V4's own encoder does: the tool has run already."""
    if isinstance(output, str):
        return output
    if not isinstance(output, list) or not all(isinstance(part, dict) for part in output):
        raise _refused(where, "is neither text nor a list of parts")
    return "\n\n".join(part["text"] if isinstance(part.get("text"), str) else f"[Unsupported {part.get('type')}]" for part in output)
