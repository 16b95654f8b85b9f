"""How does a list of chat messages become the exact prompt string of DeepSeek-V4?

A pure function of its arguments, byte for byte the official encoder, in the order the data flows:
merge tool results into user turns, sort them by call order, forget old thoughts, render, concatenate.
Feed the result to the tokenizer as it is: BOS is already in the string.
- Two contracts exist and differ only in what `reasoning_effort` prepends: "preview" (April) and "0731".
- User text is passed through unescaped, so a user can type a role token. `neutralize` defuses that.
- Exception types and texts are the official ones where callers can see them: AssertionError for a bad
  task, effort or mode, NotImplementedError for an unknown role (`direct_search_results` is one: it
  survives the forgetting of old turns, but no rendering of it exists).
"""

from __future__ import annotations

import copy
import json
import re
from typing import Any

from finback.text.tokens import (
    ASSISTANT,
    BOS,
    DSML,
    EOS,
    LATEST_REMINDER,
    TASK_TOKENS,
    THINK_END,
    THINK_START,
    USER,
)

Message = dict[str, Any]

TOOLS_HEAD = f"""## Tools

You have access to a set of tools to help answer the user's question. You can invoke tools by writing a "<{DSML}tool_calls>" block like the following:

<{DSML}tool_calls>
<{DSML}invoke name="$TOOL_NAME">
<{DSML}parameter name="$PARAMETER_NAME" string="true|false">$PARAMETER_VALUE</{DSML}parameter>
...
</{DSML}invoke>
<{DSML}invoke name="$TOOL_NAME2">
...
</{DSML}invoke>
</{DSML}tool_calls>

String parameters should be specified as is and set `string="true"`. For all other types (numbers, booleans, arrays, objects), pass the value in JSON format and set `string="false"`.

If thinking_mode is enabled (triggered by {THINK_START}), you MUST output your complete reasoning inside {THINK_START}...{THINK_END} BEFORE any tool calls or final response.

Otherwise, output directly after {THINK_END} with tool calls or final response.

### Available Tool Schemas

"""
TOOLS_TAIL = """

You MUST strictly follow the above defined tool name and parameter schemas to invoke tool calls.
"""
RESPONSE_FORMAT_HEAD = "## Response Format:\n\nYou MUST strictly adhere to the following schema to reply:\n"

_ABSOLUTE_MAXIMUM = (
    "Reasoning Effort: Absolute maximum with no shortcuts permitted.\n"
    "You MUST be very thorough in your thinking and comprehensively decompose the problem to resolve the root cause, "
    "rigorously stress-testing your logic against all potential paths, edge cases, and adversarial scenarios.\n"
    "Explicitly write out your entire deliberation process, documenting every intermediate step, considered "
    "alternative, and rejected hypothesis to ensure absolutely no assumption is left unchecked.\n\n"
)
_BEYOND_MAXIMUM = (
    "Reasoning Effort: Beyond maximum — exhaustive, relentless, and uncompromising.\n"
    "You MUST reason with the utmost depth and rigor, leaving absolutely nothing to chance: exhaustively decompose "
    "the problem into its most fundamental components, trace every causal chain to its root, and resolve the "
    "underlying cause rather than any surface symptom.\n"
    "Do not stop reasoning until you have independently verified the solution from multiple angles and are certain "
    "that no assumption remains unchecked and no error remains undiscovered.\n\n"
)
EFFORT_PREFIXES: dict[str, dict[str | None, str]] = {
    "preview": {None: "", "high": "", "max": _ABSOLUTE_MAXIMUM},
    "0731": {None: "", "low": "", "high": _ABSOLUTE_MAXIMUM, "max": _BEYOND_MAXIMUM},
}

# Roles that outlive the last user turn when old thoughts are dropped.
_KEPT_ROLES = frozenset({"user", "system", "tool", "latest_reminder", "direct_search_results"})

# A special token starts with `<｜`, except for these few; <tool_result> is no token, but a tool result that
# contains its closing tag could otherwise speak in the user's name.
_SPECIAL_START = re.compile(
    r"<(?=｜|/?think>|/?dsml:|/?tool_result>|\|EOT\|>|\|place_holder_mm_span_\d+\|>)|｜(?=DSML｜)"
)
WORD_JOINER = "\u2060"


def neutralize(text: str) -> str:
    """Make every special token in `text` ordinary text, still readable.

    U+2060 WORD JOINER (no width, no line break) goes behind the first character of each token, so the
    tokenizer cannot match it while a reader sees no difference. Text without special tokens is unchanged, a
    second application changes nothing, and removing U+2060 gives the original back if it held none.
    """
    return _SPECIAL_START.sub(lambda m: m[0] + WORD_JOINER, text)


def neutralize_messages(messages: list[Message]) -> list[Message]:
    """New messages whose user-controlled text is neutralized; the caller's are not touched.

    Covers the content of every role but assistant (text or list of blocks), tool schemas and response
    formats. Assistant turns stay as they are: replaying them exactly is what keeps a prefix cache valid.
    """
    fields = ("content", "content_blocks", "tools", "response_format")
    return [
        copy.deepcopy(message)
        if message.get("role") == "assistant"
        else {k: _neutralize_tree(v) if k in fields else copy.deepcopy(v) for k, v in message.items()}
        for message in messages
    ]


def _neutralize_tree(value: Any) -> Any:
    if isinstance(value, str):
        return neutralize(value)
    if isinstance(value, list):
        return [_neutralize_tree(v) for v in value]
    if isinstance(value, dict):
        return {_neutralize_tree(k): _neutralize_tree(v) for k, v in value.items()}
    return copy.deepcopy(value)


def encode_messages(
    messages: list[Message],
    thinking_mode: str,
    context: list[Message] | None = None,
    drop_thinking: bool = True,
    add_default_bos_token: bool = True,
    reasoning_effort: str | None = None,
    contract: str = "preview",
) -> str:
    """The prompt for `messages`, which follow the already encoded `context`.

    thinking_mode is "chat" or "thinking". With drop_thinking, thoughts before the last user turn are
    forgotten, unless some message carries tools. The caller's messages are never changed.
    """
    if contract not in EFFORT_PREFIXES:
        raise ValueError(f"unknown chat contract {contract!r}: use one of {', '.join(map(repr, EFFORT_PREFIXES))}")
    before = _merge_tool_messages(context or [])
    # Calls made in the context order the results that open `messages`.
    order = _sort_tool_results(before, {})
    current = _merge_tool_messages(messages)
    _sort_tool_results(current, order)

    conversation = before + current
    keep_thinking = not drop_thinking or any(m.get("tools") for m in conversation)
    start = len(before)
    if thinking_mode == "thinking" and not keep_thinking:
        conversation = _forget_thinking(conversation)
        # As official: the context is counted as if it stood alone. A developer turn at its end therefore still
        # counts although `conversation` has lost it.
        start = len(_forget_thinking(before))

    prompt = BOS if add_default_bos_token and not context else ""
    last_user = _last_user_index(conversation)
    return prompt + "".join(
        _render(conversation, i, last_user, thinking_mode, keep_thinking, reasoning_effort, contract)
        for i in range(start, len(conversation))
    )


def _merge_tool_messages(messages: list[Message]) -> list[Message]:
    """V4 has no tool role: tool results are blocks of a user turn, and neighbouring user turns are one."""
    merged: list[Message] = []
    for message in messages:
        role = message.get("role")
        last_is_user = bool(merged) and merged[-1].get("role") == "user"
        if role == "tool":
            block = {
                "type": "tool_result",
                "tool_use_id": message.get("tool_call_id", ""),
                "content": message.get("content", ""),
            }
            if last_is_user:
                merged[-1]["content_blocks"].append(block)
            else:
                merged.append({"role": "user", "content_blocks": [block]})
        elif role == "user":
            block = {"type": "text", "text": message.get("content", "")}
            if last_is_user and merged[-1].get("task") is None:
                merged[-1]["content_blocks"].append(block)
            else:
                extras = {k: message[k] for k in ("task", "wo_eos", "mask") if k in message}
                merged.append({"role": "user", "content_blocks": [block], **extras})
        else:
            merged.append(message)
    return merged


def _sort_tool_results(merged: list[Message], order: dict[str, int]) -> dict[str, int]:
    """Within each user turn, put tool results in the order of their calls; returns the last call order.

    Works on the blocks made by `_merge_tool_messages`, never on the caller's. Unknown ids count as 0.
    """
    for message in merged:
        if message.get("role") == "assistant" and message.get("tool_calls"):
            order = {}
            for position, call in enumerate(message["tool_calls"]):
                call_id = call.get("id") or call.get("function", {}).get("id", "")
                if call_id:
                    order[call_id] = position
        elif message.get("role") == "user" and order:
            blocks = message["content_blocks"]
            slots = [i for i, b in enumerate(blocks) if b["type"] == "tool_result"]
            results = sorted((blocks[i] for i in slots), key=lambda b: order.get(b["tool_use_id"], 0))
            for slot, result in zip(slots, results):
                blocks[slot] = result
    return order


def _last_user_index(messages: list[Message]) -> int:
    indices = (i for i in range(len(messages) - 1, -1, -1) if messages[i].get("role") in ("user", "developer"))
    return next(indices, -1)


def _forget_thinking(messages: list[Message]) -> list[Message]:
    """Before the last user turn: assistants lose their thoughts, developers and unknown roles vanish."""
    last_user = _last_user_index(messages)
    kept = []
    for i, message in enumerate(messages):
        if i >= last_user or message.get("role") in _KEPT_ROLES:
            kept.append(message)
        elif message.get("role") == "assistant":
            kept.append({k: v for k, v in message.items() if k != "reasoning_content"})
    return kept


def _render(
    messages: list[Message],
    i: int,
    last_user: int,
    thinking_mode: str,
    keep_thinking: bool,
    reasoning_effort: str | None,
    contract: str,
) -> str:
    """Message i and the tokens that open the next turn."""
    message = messages[i]
    role = message.get("role")
    thinking = thinking_mode == "thinking"
    if thinking_mode not in ("chat", "thinking"):
        raise AssertionError(f"Invalid thinking_mode `{thinking_mode}`")
    # Shapes are checked for every role, as official: a malformed tool raises wherever it stands.
    functions = [tool["function"] for tool in message.get("tools") or []]
    calls = [(c["function"]["name"], c["function"]["arguments"]) for c in message.get("tool_calls") or []]
    prefixes = EFFORT_PREFIXES[contract]
    if reasoning_effort not in prefixes:
        raise AssertionError(f"Invalid reasoning effort: {reasoning_effort}")
    prefix = prefixes[reasoning_effort] if i == 0 and thinking else ""

    if role == "system":
        body = f"{message.get('content') or ''}" + _instructions(functions, message.get("response_format"))
    elif role == "developer":
        if not message.get("content"):
            raise AssertionError(f"Invalid message for role `{role}`: {message}")
        body = USER + message["content"] + _instructions(functions, message.get("response_format"))
    elif role == "user":
        body = USER + "\n\n".join(map(_block_text, message["content_blocks"]))
    elif role == "latest_reminder":
        body = f"{LATEST_REMINDER}{message.get('content')}"
    elif role == "assistant":
        answers_task = i > 0 and messages[i - 1].get("task") is not None
        thoughts = ""
        if thinking and not answers_task and (keep_thinking or i > last_user):
            thoughts = f"{message.get('reasoning_content') or ''}{THINK_END}"
        ending = "" if message.get("wo_eos", False) else EOS
        body = f"{thoughts}{message.get('content') or ''}{_tool_calls(calls)}{ending}"
    else:
        raise NotImplementedError(f"Unknown role: {role}")

    is_last = i + 1 == len(messages)
    if not is_last and messages[i + 1].get("role") not in ("assistant", "latest_reminder"):
        return prefix + body
    return prefix + body + _opening(message, thinking, keep_thinking or i >= last_user)


def _opening(message: Message, thinking: bool, may_think: bool) -> str:
    """What stands between a message and the reply to it."""
    task = message.get("task")
    if task is not None:
        if task not in TASK_TOKENS:
            raise AssertionError(f"Invalid task: '{task}'. Valid tasks are: {list(TASK_TOKENS)}")
        if task != "action":
            return TASK_TOKENS[task]
        return ASSISTANT + (THINK_START if thinking else THINK_END) + TASK_TOKENS[task]
    if message.get("role") in ("user", "developer"):
        return ASSISTANT + (THINK_START if thinking and may_think else THINK_END)
    return ""


def _instructions(functions: list[Any], response_format: Any) -> str:
    """The tool schemas and the reply schema that follow a system or developer text."""
    text = ""
    if functions:
        text += "\n\n" + TOOLS_HEAD + "\n".join(map(_json, functions)) + TOOLS_TAIL
    if response_format:
        text += "\n\n" + RESPONSE_FORMAT_HEAD + _json(response_format)
    return text


def _block_text(block: dict[str, Any]) -> str:
    if block["type"] == "text":
        return block["text"]
    content = block["content"]
    if isinstance(content, list):
        content = "\n\n".join(
            part.get("text", "") if part.get("type") == "text" else f"[Unsupported {part.get('type')}]"
            for part in content
        )
    return f"<tool_result>{content}</tool_result>"


def _tool_calls(calls: list[tuple[Any, Any]]) -> str:
    if not calls:
        return ""
    invokes = "\n".join(
        f'<{DSML}invoke name="{name}">\n{_parameters(arguments)}\n</{DSML}invoke>' for name, arguments in calls
    )
    return f"\n\n<{DSML}tool_calls>\n{invokes}\n</{DSML}tool_calls>"


def _parameters(arguments: Any) -> str:
    """Arguments that are no JSON text (a dict included) become one parameter called "arguments"."""
    try:
        values = json.loads(arguments)
    except Exception:
        values = {"arguments": arguments}
    lines = []
    for key, value in values.items():
        is_string = isinstance(value, str)
        text = value if is_string else _json(value)
        lines.append(f'<{DSML}parameter name="{key}" string="{str(is_string).lower()}">{text}</{DSML}parameter>')
    return "\n".join(lines)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def mode_of(effort: str) -> tuple[str, str | None]:
    """thinking_mode and reasoning_effort of V4's three modes: "none", "high" and "max"."""
    return ("chat", None) if effort == "none" else ("thinking", effort)
