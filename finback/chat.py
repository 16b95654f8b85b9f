"""How does one talk to a model in a terminal?

A loop over typed lines: the conversation is rendered by the V4 encoder, the answer streams through the incremental
parser (thinking dimmed, tool calls marked), and the engine keeps the cache between turns. When the model calls a tool,
Python runs in a sandbox if it was allowed, and for any other tool the person at the keyboard says what it returned.
Lines that start with a slash are commands to the chat itself.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from finback.engine import Constraint, Engine, SamplingParams
from finback.text import (
    ContentDelta,
    ReasoningDelta,
    StreamParser,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    assemble,
    encode_messages,
    neutralize_messages,
)

if TYPE_CHECKING:
    from finback.tasks.sandbox import Sandbox

HELP = """\
/think, /nothink     reason before answering, or not
/effort high|max     how hard to think (none: not at all)
/system TEXT         set the system prompt and start over
/temp X              sampling temperature
/tools FILE          tools that the model may call, as JSON; you say what they return
/tools off           no tools; /tools alone lists them
/read FILE           put a text file before your next message
/save FILE           write the conversation, as the chat API takes it
/new                 start over
/stats               tokens, cache and speed of the last answer
/quit                leave (also Ctrl-D); Ctrl-C stops an answer
A line that ends in \\ goes on in the next; Alt-Enter breaks a line, arrows bring earlier lines back."""

ROUNDS = 16  # of tool calls before the person is asked again
LONGEST_FILE = 1 << 20
PYTHON = {
    "name": "python",
    "description": "Run Python code and see what it prints. The standard library is there; files and network are not. Variables stay.",
    "parameters": {"type": "object", "properties": {"code": {"type": "string"}}, "required": ["code"]},
}

Show = Callable[[str, str], None]
Read = Callable[[str], str]  # prints a prompt and gives the line typed behind it; EOFError at the end


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


def run_chat(engine: Engine, settings: Settings, console: Console, greeting: str, box: Sandbox | None = None) -> None:
    """Shows the greeting and reads lines until /quit or the end of input. box: where the model's Python may run."""
    console.print(Text(f"{greeting}\n/help lists commands.", style="dim"))
    read = _reader(console)
    chat = Conversation(engine, settings, box)
    while True:
        try:
            line = _whole_line(read)
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

            def result(name: str) -> str:
                status.stop()
                console.print()
                return read(f"{name} returns > ")

            try:
                chat.answer(line, show, result)
            except (EOFError, KeyboardInterrupt):
                pass
            except (ValueError, RuntimeError) as error:
                console.print(Text(f"error: {error}", style="red"))
            status.stop()
            console.print()


def _whole_line(read: Read) -> str:
    lines = [read("you > ")]
    while lines[-1].endswith("\\"):
        lines[-1] = lines[-1][:-1]
        lines.append(read("... > "))
    return "\n".join(lines).strip()


def _reader(console: Console) -> Read:
    """Line editing, history and completion where a person types; plain lines from a pipe."""
    if not sys.stdin.isatty():
        return lambda prompt: console.input(Text(prompt, style="bold cyan"))
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import Completer, Completion, PathCompleter
    from prompt_toolkit.document import Document
    from prompt_toolkit.history import FileHistory, InMemoryHistory
    from prompt_toolkit.key_binding import KeyBindings

    class Commands(Completer):
        def get_completions(self, document: Document, event: Any) -> Iterator[Completion]:
            word, blank, rest = document.text_before_cursor.partition(" ")
            if blank and word in ("/read", "/save", "/tools"):
                yield from PathCompleter(expanduser=True).get_completions(Document(rest), event)
            elif word and not blank:
                yield from (Completion("/" + name, -len(word)) for name in COMMANDS if ("/" + name).startswith(word))

    keys = KeyBindings()
    keys.add("escape", "enter")(lambda event: event.current_buffer.insert_text("\n"))
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "finback"
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        history: Any = FileHistory(str(state / "chat_history"))
    except OSError:
        history = InMemoryHistory()
    session: Any = PromptSession(history=history, key_bindings=keys, completer=Commands(), complete_while_typing=False)
    return lambda prompt: session.prompt([("bold ansicyan", prompt)])


class Conversation:
    """Messages, settings, tools, and the sampled ids that the engine's cache knows them by."""

    def __init__(self, engine: Engine, settings: Settings, box: Sandbox | None = None):
        self.engine, self.settings, self.box = engine, settings, box
        self.tools = [PYTHON] if box else []
        self.stats: Stats | None = None
        self.turns = 0
        self._start_over()

    def _start_over(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.text, self.ids = "", []
        self.attached: list[str] = []
        self.python = self.box.session() if self.box else None

    def answer(self, line: str, show: Show, result: Callable[[str], str]) -> None:
        """Adds the user's line and streams answers to `show(text, style)` until one calls no tool. `result(name)` asks
        for what a tool returned. An interrupted answer is kept as far as it went, without calls that are not whole."""
        before, attached = len(self.messages), self.attached
        self.messages.append({"role": "user", "content": "\n\n".join([*attached, line])})
        self.attached = []
        try:
            for _ in range(ROUNDS):
                calls = self._generate(show)["tool_calls"]
                results = [{"role": "tool", "tool_call_id": call["id"], "content": "(no result)"} for call in calls]
                self.messages += results
                for call, message in zip(calls, results):
                    message["content"] = self._call(call["function"], show, result)
                if not calls:
                    return
        except ValueError:  # the engine will not have it, so neither shall the conversation
            del self.messages[before:]
            self.attached = attached
            raise

    def _generate(self, show: Show) -> dict[str, Any]:
        """One answer, streamed and kept."""
        s, began, tokenizer = self.settings, time.perf_counter(), self.engine.tokenizer
        mode = "thinking" if s.think else "chat"
        prompt = encode_messages(self._prompt_messages(), mode, reasoning_effort=s.effort if s.think else None)
        # The sampled ids themselves, where the history renders as before: another split of the same text would miss the cache.
        known = len(self.text) if prompt.startswith(self.text) else 0
        ids = (self.ids if known else []) + tokenizer.encode(prompt[known:])
        params = replace(
            s.sampling, seed=s.sampling.seed + self.turns, thinking_budget=s.sampling.max_tokens * 3 // 4,
            constraint=Constraint.tools(self.tools) if self.tools else None,
        )  # fmt: skip
        request = self.engine.submit(ids, params)
        self.turns += 1
        parser, events, produced, error = StreamParser(mode), [], [], None

        def take(found: Sequence[object]) -> None:
            for event in found:
                if isinstance(event, ContentDelta) and events and isinstance(events[-1], ReasoningDelta):
                    show("\n", "")  # the answer begins on a line of its own
                events.append(event)
                _show(event, show)

        try:
            for piece in request:
                produced += piece.tokens
                error = piece.error
                take(parser.feed(piece.text))
        except BaseException:
            request.cancel()
            raise
        finally:
            take(parser.finish())
            said, whole = assemble(events), [event.complete for event in events if isinstance(event, ToolCallEnd)]
            said["tool_calls"] = [{**call, "id": f"call_{self.turns}_{i}"} for i, call in enumerate(said["tool_calls"]) if whole[i]]
            self.messages.append({key: value for key, value in said.items() if value or key == "content"})
            self.text, self.ids = prompt + tokenizer.decode(produced), ids + produced
            self.stats = Stats(len(ids), request.cached, len(produced), time.perf_counter() - began)
        if error:
            raise RuntimeError(error)
        return said

    def _prompt_messages(self) -> list[dict[str, Any]]:
        head: dict[str, Any] = {"role": "system", "content": self.settings.system or ""}
        if self.tools:
            head["tools"] = [{"function": tool} for tool in self.tools]
        messages = ([head] if self.tools or self.settings.system else []) + self.messages
        return neutralize_messages(messages) if self.settings.neutralize else messages

    def _call(self, function: dict[str, str], show: Show, result: Callable[[str], str]) -> str:
        if function["name"] != PYTHON["name"] or self.python is None:
            return result(function["name"])
        code = json.loads(function["arguments"]).get("code")
        if not isinstance(code, str):
            return "error: the tool needs `code`, as text"
        outcome = self.python.run(code)
        text = outcome.output + (f"error: {outcome.error}" if outcome.error else "")
        show(f"\n{text.rstrip()}\n", "green")
        return text

    # ---- commands

    def command(self, line: str) -> str:
        """Carries out a slash command and says what it did."""
        name, _, rest = line[1:].partition(" ")
        if name not in COMMANDS:
            return f"there is no command {line.split()[0]}; /help lists them"
        try:
            return COMMANDS[name](self, rest.strip())
        except (OSError, ValueError) as error:
            return str(error)

    def _think(self, _: str) -> str:
        self.settings = replace(self.settings, think=True)
        return "thinking first"

    def _nothink(self, _: str) -> str:
        self.settings = replace(self.settings, think=False)
        return "answering at once"

    def _effort(self, level: str) -> str:
        if level == "none":
            return self._nothink("")
        if level not in ("high", "max"):
            raise ValueError(f"the effort is {level!r}; choose none, high or max")
        self.settings = replace(self.settings, effort=level, think=True)
        return f"thinking with effort {level}"

    def _system(self, text: str) -> str:
        self.settings = replace(self.settings, system=text or None)
        self._start_over()
        return "new conversation with this system prompt" if text else "new conversation without a system prompt"

    def _temp(self, number: str) -> str:
        self.settings = replace(self.settings, sampling=replace(self.settings.sampling, temperature=float(number)))
        return f"temperature {number}"

    def _tools(self, file: str) -> str:
        if file == "off":
            self.tools = []
        elif file:
            listed = json.loads(_text_of(file))
            if not isinstance(listed, list) or not all(isinstance(tool, dict) for tool in listed):
                raise ValueError(f"{file} is no JSON list of tools, each {{name, description, parameters}} or as in the OpenAI API")
            tools = ([PYTHON] if self.box else []) + [tool.get("function", tool) for tool in listed]
            Constraint.tools(tools)  # ValueError for what cannot be called
            self.tools = tools
        return "tools: " + (", ".join(tool["name"] for tool in self.tools) or "none")

    def _read(self, file: str) -> str:
        text = _text_of(file)
        self.attached.append(text)
        return f"{file}: {len(text):,} characters go before your next message"

    def _save(self, file: str) -> str:
        if not file:
            raise ValueError("name a file: /save talk.json")
        head = [{"role": "system", "content": self.settings.system}] if self.settings.system else []
        request = {"messages": head + self.messages, "tools": [{"type": "function", "function": tool} for tool in self.tools]}
        text = json.dumps(request, ensure_ascii=False, indent=1)
        Path(file).expanduser().write_text(text + "\n", encoding="utf-8")
        return f"{file}: {len(self.messages)} messages"

    def _new(self, _: str) -> str:
        self._start_over()
        return "new conversation"

    def _stats(self, _: str) -> str:
        s = self.stats
        if s is None:
            return "no answer yet"
        return (
            f"{s.prompt} prompt tokens ({s.reused} from the cache), {s.produced} produced in {s.seconds:.1f} s "
            f"({s.produced / s.seconds:.1f} per second), cache {self.engine.pool.used} blocks of {self.engine.pool.layout.block_tokens} tokens"
        )


COMMANDS: dict[str, Callable[[Conversation, str], str]] = {
    "think": Conversation._think, "nothink": Conversation._nothink, "effort": Conversation._effort,
    "system": Conversation._system, "temp": Conversation._temp, "tools": Conversation._tools,
    "read": Conversation._read, "save": Conversation._save, "new": Conversation._new,
    "stats": Conversation._stats, "help": lambda chat, _: HELP, "quit": lambda chat, _: "",
}  # fmt: skip


def _text_of(file: str) -> str:
    path = Path(file).expanduser()
    if not file or not path.is_file():
        raise ValueError(f"there is no file {file!r}")
    if path.stat().st_size > LONGEST_FILE:
        raise ValueError(f"{file} has {path.stat().st_size:,} bytes; {LONGEST_FILE:,} are the most")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{file} is not UTF-8 text") from None


def _show(event: object, show: Show) -> None:
    if isinstance(event, ReasoningDelta):
        show(event.text, "dim italic")
    elif isinstance(event, ContentDelta):
        show(event.text, "")
    elif isinstance(event, ToolCallStart):
        show(f"\n[tool call] {event.name} ", "bold yellow")
    elif isinstance(event, ToolCallDelta):
        show(event.arguments, "yellow")
