"""What does the model's output mean while it is still arriving?

`StreamParser` turns chunks of text into small events: thoughts, answer, tool calls. It is the one lenient
grammar of the house; the whole-text parser runs on it, so any cut of any text gives the same message.
- It never raises and never lets a think, DSML, BOS or EOS marker out. Inside tool arguments, where such text
  may be honest data, the marker is JSON-escaped (`\\u003cthink>`), so decoding the arguments loses nothing.
- It holds back only what may still become a marker, plus the two newlines that may belong to a tool block.
- What it knows: markers, tags, JSON escaping. What it does not know: tokens, schemas, HTTP.

What it makes of malformed output:
- EOS ends everything. Text behind a tool block is dropped; a further block directly behind it is read.
- A tool block may open in the thoughts, after any number of newlines, with any wrapper whose name speaks of
  tools, calls or functions, or with no wrapper, and with ASCII bars. A wrapper followed by prose was a mention.
- Thoughts that never end stay thoughts. A `<think>` before the first word of the answer (re)opens them.
- A parameter without a `string` attribute, or with `string="false"`, is JSON if it parses, else text.
- A repeated parameter is dropped: its first value has been sent already. A missing closing tag is implied by
  the next tag. A body that is one JSON object instead of parameters becomes the arguments.
- When the text ends inside a string parameter, what arrived is kept; any other unfinished parameter is dropped
  (half a number is another number). Such a call ends with `complete=False`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from finback.text.markers import CLOSE, LONGEST, OPEN, TEXT, Lexer, is_json, json_escape, json_quoted, scrub
from finback.text.tokens import EOS, THINK_END, THINK_START

_TAG_NAME = re.compile(r"[A-Za-z0-9_.:-]*")
_OFFICIAL_PARAMETER = re.compile(r' name="(.*)" string="(true|false)"', re.DOTALL)
_OFFICIAL_INVOKE = re.compile(r'\s*name="(.*)"', re.DOTALL)
_ATTRIBUTE = re.compile(r"""(?<!\w)(name|string)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ContentDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ToolCallStart:
    index: int
    name: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A fragment of JSON text; the fragments of one call concatenate to its arguments object."""

    index: int
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolCallEnd:
    """complete is False when the text ended before the call was closed."""

    index: int
    complete: bool


Event = ReasoningDelta | ContentDelta | ToolCallStart | ToolCallDelta | ToolCallEnd


def _shape(tag_name: str) -> str:
    """What a possibly misspelt tag name is meant to be."""
    name = tag_name.lower()
    if name.startswith("inv"):
        return "invoke"
    if name.startswith(("par", "arg")):
        return "parameter"
    return "wrapper" if any(word in name for word in ("tool", "call", "func")) else "unknown"


def _attributes(header: str, shape: str) -> tuple[str | None, str | None]:
    """(name, string) of a tag; the official spelling first, as it allows quotes inside a name."""
    if match := _OFFICIAL_PARAMETER.fullmatch(header):
        return match[1], match[2]
    match = _OFFICIAL_INVOKE.fullmatch(header)
    if match and shape == "invoke" and '="' not in match[1]:
        return match[1], None
    found: dict[str, str] = {}
    for key, double, single, bare in _ATTRIBUTE.findall(header):
        found.setdefault(key, double or single or bare)
    return found.get("name"), found.get("string")


class StreamParser:
    """Feed text as it arrives, then finish; each call returns the events it could settle.

    The state is a method, `self._state(kind, text)`, that takes the next marker or piece of text.
    """

    def __init__(self, thinking_mode: str) -> None:
        if thinking_mode not in ("chat", "thinking"):
            raise ValueError(f'thinking_mode is {thinking_mode!r}: use "chat" or "thinking", as in the prompt')
        self._lexer = Lexer()
        self._events: list[Event] = []
        self._state = self._in_text
        self._channel: type[ReasoningDelta | ContentDelta] = (
            ReasoningDelta if thinking_mode == "thinking" else ContentDelta
        )
        self._tails = {ReasoningDelta: "", ContentDelta: ""}  # the last characters said
        self._answered = False  # has the answer a character that is not blank?
        self._removed = False  # was a marker taken out of the text?
        self._gap = ""  # up to two newlines that may belong to a tool block
        self._pending: list[str] = []  # blanks behind a wrapper that may be a mention
        # the tag being read, and the state it stands in
        self._marker = self._name = ""
        self._name_parts: list[str] = []
        self._header: list[str] = []
        self._header_known = False
        self._quotes = 0
        self._back = self._in_text
        # the call being read
        self._index = -1
        self._keys: set[str] = set()
        self._body: list[str] = []
        self._mode = ""  # of the parameter: "string", "json" or "drop"
        self._key = ""
        self._value: list[str] = []
        self._newline = ""

    @property
    def section(self) -> str:
        """Where the text stands: "reasoning", "content", "tools" or "done"."""
        state = self._back if self._state in (self._in_name, self._in_header) else self._state
        if state == self._in_text:
            return "reasoning" if self._channel is ReasoningDelta else "content"
        return "done" if state == self._done else "tools"

    def feed(self, chunk: str) -> list[Event]:
        if self._state == self._done:
            return []
        for kind, text in self._lexer.feed(chunk):
            if kind == EOS:
                self._end()
                break
            self._state(kind, text)
        return self._take()

    def finish(self) -> list[Event]:
        """The text is over: settle what was held back. A second call returns nothing."""
        held, self._lexer.held = self._lexer.held, ""
        # In a parameter the beginning of a marker is all but surely the beginning of its closing tag.
        if held and self._state != self._in_value:
            self._state(TEXT, held)
        self._end()
        return self._take()

    def _take(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    # ---- thoughts and answer

    def _in_text(self, kind: str, text: str) -> None:
        if kind == TEXT:
            text = self._gap + text
            newlines = 2 if text.endswith("\n\n") else 1 if text.endswith("\n") else 0
            self._gap = text[len(text) - newlines :]
            self._say(text[: len(text) - newlines])
        elif kind in (OPEN, CLOSE):
            self._begin_tag(text)
        elif kind == THINK_END and self._channel is ReasoningDelta:
            self._flush_gap()
            self._channel = ContentDelta
        elif kind == THINK_START and self._channel is ContentDelta and not self._answered:
            self._flush_gap()
            self._channel = ReasoningDelta
        else:
            self._removed = True

    def _say(self, text: str) -> None:
        tail = self._tails[self._channel]
        if self._removed:
            text = scrub(tail, text)
        if text:
            self._tails[self._channel] = (tail + text[-LONGEST:])[-LONGEST:]
            self._answered |= self._channel is ContentDelta and not text.isspace()
            self._events.append(self._channel(text))

    def _flush_gap(self) -> None:
        gap, self._gap = self._gap, ""
        self._say(gap)

    # ---- tags

    def _begin_tag(self, marker: str) -> None:
        self._back, self._state = self._state, self._in_name
        self._marker, self._name_parts = marker, []

    def _in_name(self, kind: str, text: str) -> None:
        rest = text
        if kind == TEXT:
            name = _TAG_NAME.match(text)[0]
            self._name_parts.append(name)
            rest = text[len(name) :]
            if not rest:
                return
        self._name = "".join(self._name_parts)
        if self._marker.startswith("</"):
            self._close_tag()
            if kind == TEXT and rest[0] == ">":
                rest = rest[1:]
        elif not self._name:
            self._no_tag()
        else:
            self._header, self._header_known, self._quotes = [], False, 0
            self._state = self._in_header
        if rest:
            self._state(kind, rest)

    def _in_header(self, kind: str, text: str) -> None:
        """Everything between a tag's name and its `>`, which does not end the tag inside quotes."""
        if kind in (OPEN, CLOSE):
            self._cut_header()
            self._state(kind, text)
            return
        if not self._header_known:
            text = "".join(self._header) + text
            known = _looks_like_header(text) if kind == TEXT else False
            if known is None:
                self._header = [text]
                return
            if not known:
                self._no_tag(kind, text)
                return
            self._header, self._header_known = [], True
        start = 0
        while (end := text.find(">", start)) >= 0 and kind == TEXT:
            self._header.append(text[start:end])
            self._quotes += text.count('"', start, end)
            # An odd number of quotes may also end a tag: a name can hold one. But not `name="` alone.
            tail = "".join(self._header[-3:])[-2:]
            if self._quotes % 2 == 0 or (tail.endswith('"') and tail != '="'):
                self._open_tag("".join(self._header))
                if rest := text[end + 1 :]:
                    self._state(TEXT, rest)
                return
            self._header.append(">")
            start = end + 1
        self._header.append(text[start:])
        self._quotes += text.count('"', start)

    def _cut_header(self) -> None:
        """The next tag begins and this one has no proper `>`."""
        header, bracket, rest = "".join(self._header).partition(">")
        shape = _shape(self._name)
        if bracket or shape == "wrapper" or (shape == "invoke" and _attributes(header, shape)[0] is not None):
            self._open_tag(header)
            if rest:
                self._state(TEXT, rest)
        else:
            self._removed = True
            self._state = self._back

    def _no_tag(self, kind: str = TEXT, rest: str = "") -> None:
        """A DSML marker that opens no tag: data in a parameter, elsewhere a mention."""
        self._state = self._back
        if self._back == self._in_value:
            self._put(self._marker + self._name)
        elif _shape(self._name) == "wrapper":
            self._open_tag("")
        else:
            self._removed = True
            if self._name:
                self._state(TEXT, self._name)
        if rest:
            self._state(kind, rest)

    def _open_tag(self, header: str) -> None:
        shape = _shape(self._name)
        name, string = _attributes(header, shape)
        inside = self._back in (self._in_invoke, self._in_value)
        if shape == "unknown" and name is None:
            self._state = self._back
            if self._back == self._in_value:
                self._put(f"{self._marker}{self._name}{header}>")
            else:
                self._removed = True
            return
        if self._back == self._in_value:
            self._end_value(implied=True)
        if inside and shape in ("parameter", "unknown"):
            self._begin_value(name, string)
            return
        if inside:
            self._end_call(complete=True)
        if shape == "wrapper" and name is None and self._back == self._in_text:
            self._pending = []
            self._state = self._behind_wrapper
        elif shape == "parameter" or name is None:
            self._state = self._in_block
        else:
            self._begin_call(name)

    def _close_tag(self) -> None:
        shape = _shape(self._name)
        self._state = self._back
        if self._back == self._in_text:
            self._removed = True
        elif self._back in (self._behind_wrapper, self._in_block):
            if shape == "wrapper":
                self._state = self._behind_block
        elif self._back in (self._in_invoke, self._in_value):
            if self._back == self._in_value:
                self._end_value(implied=shape in ("invoke", "wrapper"))
                self._state = self._in_invoke
                if shape == "unknown":
                    return
            if shape != "parameter":
                self._end_call(complete=True)
                self._state = self._behind_block if shape == "wrapper" else self._in_block

    # ---- the tool block

    def _behind_wrapper(self, kind: str, text: str) -> None:
        """A wrapper was opened in running text. Unless a tag follows, it was only talked about."""
        if kind in (OPEN, CLOSE):
            self._begin_tag(text)
        elif kind == TEXT and text.isspace():
            self._pending.append(text)
        elif kind in (TEXT, THINK_END):
            self._removed = True
            self._state = self._in_text
            self._in_text(TEXT, "".join(self._pending))
            self._in_text(kind, text)

    def _in_block(self, kind: str, text: str) -> None:
        if kind in (OPEN, CLOSE):
            self._begin_tag(text)

    def _behind_block(self, kind: str, text: str) -> None:
        if kind in (OPEN, CLOSE):
            self._begin_tag(text)
        elif kind == TEXT and not text.isspace():
            self._state = self._done

    def _begin_call(self, name: str) -> None:
        self._index += 1
        self._keys, self._body = set(), []
        self._events.append(ToolCallStart(self._index, scrub("", name)))
        self._state = self._in_invoke

    def _in_invoke(self, kind: str, text: str) -> None:
        if kind in (OPEN, CLOSE):
            self._begin_tag(text)
        elif not self._keys:
            self._body.append(text)

    def _end_call(self, complete: bool) -> None:
        body = "".join(self._body).strip()
        if self._keys:
            self._argue("}")
        elif body.startswith("{") and is_json(body):
            self._argue(json_escape(body))
        else:
            self._argue("{}")
        self._events.append(ToolCallEnd(self._index, complete))

    def _argue(self, json_text: str) -> None:
        self._events.append(ToolCallDelta(self._index, json_text))

    # ---- one parameter

    def _begin_value(self, key: str | None, string: str | None) -> None:
        self._state = self._in_value
        self._value, self._newline = [], ""
        if key is None or key in self._keys:
            self._mode = "drop"
            return
        self._key = key
        self._mode = "string" if string and string.lower() == "true" else "json"
        if self._mode == "string":
            self._argue(self._lead() + '"')

    def _lead(self) -> str:
        """What stands before a value: the key is announced only when the value is sure to follow."""
        lead = ", " if self._keys else "{"
        self._keys.add(self._key)
        return f"{lead}{json_quoted(self._key)}: "

    def _in_value(self, kind: str, text: str) -> None:
        if kind in (OPEN, CLOSE):
            self._begin_tag(text)
        else:
            self._put(text)

    def _put(self, text: str) -> None:
        # The last newline is held back: if the closing tag is missing it belongs to the next tag's line.
        text = self._newline + text
        self._newline = "\n" if text.endswith("\n") else ""
        text = text[:-1] if self._newline else text
        if self._mode == "string" and text:
            self._argue(json_quoted(text)[1:-1])
        elif self._mode == "json":
            self._value.append(text)

    def _end_value(self, implied: bool) -> None:
        newline = "" if implied else self._newline
        if self._mode == "string":
            self._argue(json_quoted(newline)[1:])
        elif self._mode == "json":
            value = "".join(self._value) + newline
            self._argue(self._lead() + (json_escape(value) if is_json(value) else json_quoted(value)))

    # ---- the end

    def _end(self) -> None:
        """EOS, or no more text."""
        if self._state in (self._in_name, self._in_header):
            self._name = "".join(self._name_parts)
            if self._marker.startswith("</"):
                self._close_tag()
            else:
                self._gap = ""
                self._state = self._back
                if self._back == self._in_value:
                    self._end_value(implied=True)
                    self._state = self._in_invoke
        if self._state == self._in_text:
            self._flush_gap()
        elif self._state == self._in_value and self._mode == "string":
            self._end_value(implied=False)
        if self._state in (self._in_invoke, self._in_value):
            self._end_call(complete=False)
        self._state = self._done

    def _done(self, kind: str, text: str) -> None:
        """Nothing that follows counts."""


def _looks_like_header(text: str) -> bool | None:
    """Can `text`, right behind a tag name, be attributes or the end of the tag? None: too early to tell."""
    body = text.lstrip()
    if len(text) - len(body) > 8:
        return False
    if body.startswith((">", "name", "string")):
        return True
    return None if "name".startswith(body) or "string".startswith(body) else False
