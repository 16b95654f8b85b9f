"""What does an answer turn out to be, piece by piece? The engine's text becomes a dialect's events.

One `Reader` follows one answer. It gives calls their ids, says what is wrong with a call, and at the end hands over what
the server wants to remember.
"""

from __future__ import annotations

import json
import secrets

from finback.engine import Piece
from finback.server.ask import Ask
from finback.server.events import CallEnded, CallStarted, Event, Sampled
from finback.server.memory import Call, Memory, Turn
from finback.server.prompt import Prompt
from finback.server.service import Model
from finback.text import ContentDelta, StreamParser, ToolCallDelta, ToolCallEnd, ToolCallStart
from finback.text.tokens import EOS


class Reader:
    def __init__(self, model: Model, ask: Ask, prompt: Prompt):
        self._model, self._ask, self._prompt = model, ask, prompt
        self._parser = StreamParser("thinking" if prompt.thinking else "chat")
        self._tools = {tool["function"]["name"]: tool["function"] for tool in ask.tools}
        self._text: list[str] = []
        self._ids: list[int] = []
        self._content: list[str] = []
        self._calls: list[list] = []  # id, name, fragments of the arguments
        self.whole = False  # whether the answer ended by itself

    @property
    def called(self) -> bool:
        return bool(self._calls)

    def take(self, piece: Piece) -> list[Event]:
        """The events of a piece. With the last piece comes the rest."""
        events: list[Event] = []
        if piece.choices and piece.finish != "stop":  # the token that ends an answer is no part of it
            events.append(Sampled(piece.choices, self._parser.section == "reasoning"))
        self._text.append(piece.text)
        self._ids += piece.tokens
        found = self._parser.feed(piece.text) if piece.text else []
        if piece.finish is not None:
            found += self._parser.finish()
            self.whole = piece.finish in ("stop", "length") and not isinstance(piece.matched, str)
        for event in found:
            if isinstance(event, ToolCallStart):
                call_id = self._ask.call_prefix + secrets.token_hex(12)
                self._calls.append([call_id, event.name, []])
                events.append(CallStarted(event.index, call_id, event.name))
            elif isinstance(event, ToolCallEnd):
                events.append(CallEnded(event.index, self._problem(event)))
            else:
                if isinstance(event, ToolCallDelta):
                    self._calls[event.index][2].append(event.arguments)
                elif isinstance(event, ContentDelta):
                    self._content.append(event.text)
                events.append(event)
        return events

    def remember(self, memory: Memory) -> None:
        """After the last piece."""
        text, ids, model, user = "".join(self._text), self._ids, self._model, self._ask.user
        if not self.whole:
            return
        if text.endswith(EOS):
            text = text.removesuffix(EOS)
        elif ids and ids[-1] in model.foreign:
            ids = ids[:-1]
        if self._ask.tools:
            calls = [Call(call_id, name, "".join(parts)) for call_id, name, parts in self._calls]
            turn = Turn.of(text, self._prompt.thinking, "".join(self._content), calls)
            if turn is None or set(model.tokenizer.encode(text)) & {*model.foreign, model.tokenizer.eos_id}:
                return  # rendered again from its text it would not be what it was
            if not self._ask.prefix:  # then the message began before this answer
                memory.keep_turn(user, turn, self._ask.messages[-1])
        memory.keep_answer(user, model.name, model.tokenizer, self._prompt.text, text, ids)

    def _problem(self, end: ToolCallEnd) -> str | None:
        _, name, parts = self._calls[end.index]
        if not end.complete:
            return "the answer ended before this call was complete"
        if name not in self._tools:
            return f"there is no tool named {name}"
        required = (self._tools[name].get("parameters") or {}).get("required")
        given = json.loads("".join(parts))
        missing = [key for key in required if key not in given] if isinstance(required, list) else []
        return f"the arguments lack {', '.join(map(str, missing))}" if missing else None
