"""How does one talk to a model in a terminal?

A loop over typed lines: the conversation is rendered by the V4 encoder, the answer streams through
the incremental parser (thinking dimmed, tool calls boxed), and the session keeps the cache between
turns. Lines that start with a slash are commands to the chat itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from rich.console import Console
from rich.text import Text

from finback.engine import SamplingParams, Session
from finback.model import Transformer
from finback.text import (
    ContentDelta,
    ReasoningDelta,
    StreamParser,
    Tokenizer,
    ToolCallDelta,
    ToolCallStart,
    assemble,
    encode_messages,
    neutralize,
)

HELP = """\
/think, /nothink     reason before answering, or not
/effort high|max     how hard to think
/system TEXT         set the system prompt and start over
/temp X              sampling temperature
/new                 start over
/stats               tokens, cache bytes and speed of the last answer
/quit                leave (also Ctrl-D); Ctrl-C stops an answer"""


@dataclass(frozen=True)
class Settings:
    think: bool
    effort: str | None
    system: str | None
    sampling: SamplingParams
    neutralize: bool


@dataclass(frozen=True)
class Stats:
    prompt: int
    reused: int
    produced: int
    seconds: float
    cache: int


def run_chat(model: Transformer, tokenizer: Tokenizer, settings: Settings, console: Console, greeting: str) -> None:
    """Shows the greeting and reads lines until /quit or the end of input."""
    console.print(Text(f"{greeting}\n/help lists commands.", style="dim"))
    chat = Conversation(model, tokenizer, settings)
    while True:
        try:
            line = console.input("[bold cyan]you >[/] ").strip()
        except (EOFError, KeyboardInterrupt):
            console.print()
            return
        if line == "/quit":
            return
        if line.startswith("/"):
            console.print(Text(chat.command(line), style="dim"))
        elif line:
            status = console.status("reading")
            status.start()

            def show(text: str, style: str) -> None:
                status.stop()
                console.print(Text(text, style=style), end="", soft_wrap=True)

            try:
                chat.answer(line, show)
            except KeyboardInterrupt:
                pass
            except ValueError as error:
                console.print(Text(f"error: {error}", style="red"))
            status.stop()
            console.print()


class Conversation:
    """Messages, settings and the session that holds their cache."""

    def __init__(self, model: Transformer, tokenizer: Tokenizer, settings: Settings):
        self.tokenizer, self.settings = tokenizer, settings
        self.session = Session(model)
        self.stats: Stats | None = None
        self.turns = 0
        self._start_over()

    def _start_over(self) -> None:
        self.messages = [{"role": "system", "content": self.settings.system}] if self.settings.system else []
        self.text, self.ids = "", []

    def answer(self, line: str, show: Callable[[str, str], None]) -> None:
        """Adds the user's line, streams the answer to `show(text, style)`, and keeps it in the conversation.
        An interrupted answer is kept as far as it went."""
        s, began = self.settings, time.perf_counter()
        mode = "thinking" if s.think else "chat"
        asked = self.messages + [{"role": "user", "content": neutralize(line) if s.neutralize else line}]
        prompt = encode_messages(asked, mode, reasoning_effort=s.effort)
        # The sampled ids themselves, where the history renders as before: another split of the same text would miss the cache.
        known = len(self.text) if prompt.startswith(self.text) else 0
        ids = (self.ids if known else []) + self.tokenizer.encode(prompt[known:])
        parser, decoder = StreamParser(mode), self.tokenizer.stream_decoder()
        events, produced = [], []
        params = replace(s.sampling, seed=s.sampling.seed + self.turns)
        self.turns += 1

        def take(found: list) -> None:
            for event in found:
                events.append(event)
                _show(event, show)

        try:
            for token in self.session.generate(ids, params, {self.tokenizer.eos_id}):
                produced.append(token)
                take(parser.feed(decoder.feed(token)))
        finally:
            take(parser.feed(decoder.flush()) + parser.finish())
            self.messages = asked + [assemble(events)]
            self.text, self.ids = prompt + self.tokenizer.decode(produced), ids + produced
            elapsed = time.perf_counter() - began
            self.stats = Stats(len(ids), self.session.reused, len(produced), elapsed, self.session.state.nbytes())

    def command(self, line: str) -> str:
        """Carries out a slash command and says what it did."""
        name, _, rest = line[1:].partition(" ")
        rest = rest.strip()
        if name in ("think", "nothink"):
            self.settings = replace(self.settings, think=name == "think")
            return "thinking first" if self.settings.think else "answering at once"
        if name == "effort" and rest in ("high", "max"):
            self.settings = replace(self.settings, effort=rest, think=True)
            return f"thinking with effort {rest}"
        if name == "system":
            self.settings = replace(self.settings, system=rest or None)
            self._start_over()
            return "new conversation with this system prompt" if rest else "new conversation without a system prompt"
        if name == "temp":
            try:
                self.settings = replace(self.settings, sampling=replace(self.settings.sampling, temperature=float(rest)))
            except ValueError as error:
                return str(error)
            return f"temperature {rest}"
        if name == "new":
            self._start_over()
            return "new conversation"
        if name == "stats":
            s = self.stats
            if s is None:
                return "no answer yet"
            return (
                f"{s.prompt} prompt tokens ({s.reused} from the cache), {s.produced} produced in {s.seconds:.1f} s "
                f"({s.produced / s.seconds:.1f} per second), cache {s.cache / 1024:.0f} KiB"
            )
        return HELP if name == "help" else f"there is no command {line.split()[0]}; /help lists them"


def _show(event: object, show: Callable[[str, str], None]) -> None:
    if isinstance(event, ReasoningDelta):
        show(event.text, "dim italic")
    elif isinstance(event, ContentDelta):
        show(event.text, "")
    elif isinstance(event, ToolCallStart):
        show(f"\n[tool call] {event.name} ", "bold yellow")
    elif isinstance(event, ToolCallDelta):
        show(event.arguments, "yellow")
