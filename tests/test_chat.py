"""The chat in the terminal: its commands, its tools, and what it keeps of an answer that was stopped."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time

import pytest
from scripted import ScriptedEngine, call, in_turn

from finback.chat import COMMANDS, HELP, Conversation, Settings
from finback.engine import SamplingParams
from finback.tasks.sandbox import Sandbox
from finback.text.tokens import USER

WEATHER = {"name": "weather", "description": "Of a city.", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}


def conversation(*answers: str, box=None, think=False, max_tokens=400, **options) -> Conversation:
    engine = ScriptedEngine(in_turn(*answers), **options)
    return Conversation(engine, Settings(think, None, None, SamplingParams(0.0, max_tokens=max_tokens), True), box)


def say(chat: Conversation, line: str, *results: str) -> str:
    """What was shown. results: what the person says the tools return."""
    shown, left = [], list(results)
    chat.answer(line, lambda text, style: shown.append(text), lambda name: left.pop(0))
    assert not left
    return "".join(shown)


@pytest.fixture
def tools(tmp_path):
    (tmp_path / "tools.json").write_text(json.dumps([{"type": "function", "function": WEATHER}]))
    return tmp_path / "tools.json"


def test_a_tool_call_asks_the_person_and_its_result_reaches_the_model(tools):
    chat = conversation("Let me look." + call("weather", city="Oslo"), "It rains.")
    assert chat.command(f"/tools {tools}") == "tools: weather"
    shown = say(chat, "How is Oslo?", "rain")
    assert '[tool call] weather {"city": "Oslo"}' in shown and shown.endswith("It rains.")
    assert "<tool_result>rain</tool_result>" in chat.engine.prompts[1]
    assert [m["role"] for m in chat.messages] == ["user", "assistant", "tool", "assistant"]
    assert chat.messages[1]["tool_calls"][0]["id"] == chat.messages[2]["tool_call_id"]
    chat.engine.close()


def test_a_second_round_computes_only_what_is_new(tools):
    chat = conversation("Look." + call("weather", city="Oslo"), "It rains.")
    chat.command(f"/tools {tools}")
    say(chat, "How is Oslo?", "rain")
    assert chat.stats.reused >= chat.stats.prompt - 256 > 256
    chat.engine.close()


def test_python_runs_in_the_sandbox_and_keeps_its_variables():
    with Sandbox(workers=1) as box:
        chat = conversation(call("python", code="x = 6 * 7"), call("python", code="print(x)\n1 / 0"), "42", box=box)
        shown = say(chat, "What is 6 * 7?")
        assert "42\nerror: " in shown
        assert "<tool_result>42\nerror: " in chat.engine.prompts[2]
        chat.engine.close()


def test_without_the_flag_python_is_a_tool_like_any_other():
    chat = conversation("x")
    assert chat.command("/tools") == "tools: none"
    chat.engine.close()


def test_a_tool_that_nobody_answers_has_no_result(tools):
    chat = conversation(call("weather", city="Oslo"), "Well.")
    chat.command(f"/tools {tools}")

    def leave(name: str) -> str:
        raise EOFError

    with pytest.raises(EOFError):
        chat.answer("How is Oslo?", lambda text, style: None, leave)
    assert say(chat, "Never mind.") == "Well."
    assert "<tool_result>(no result)</tool_result>\n\nNever mind." in chat.engine.prompts[1]
    chat.engine.close()


def test_a_call_that_was_cut_short_is_not_kept(tools):
    chat = conversation("Look." + call("weather", city="Oslo" * 40), max_tokens=40)
    chat.command(f"/tools {tools}")
    say(chat, "How is Oslo?")
    assert chat.messages[-1] == {"role": "assistant", "content": "Look."}
    chat.engine.close()


def test_an_interrupted_answer_is_kept_as_far_as_it_went():
    chat = conversation("one two three four five six seven eight nine ten")

    def stop(text: str, style: str) -> None:
        if "three" in text:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        chat.answer("Count.", stop, str)
    assert chat.messages[-1]["content"].startswith("one two three")
    deadline = time.monotonic() + 10
    while chat.engine.running and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not chat.engine.running
    chat.engine.close()


def test_a_message_that_cannot_run_leaves_no_trace():
    chat = conversation("fine", context=512)
    with pytest.raises(ValueError, match="tokens"):
        say(chat, "long " * 2000)
    assert chat.messages == [] and say(chat, "short") == "fine"
    chat.engine.close()


def test_thinking_effort_and_system_reach_the_prompt():
    chat = conversation("deep</think>yes", "no")
    chat.command("/system Be brief.")
    chat.command("/effort max")
    assert say(chat, "Really?") == "deep\nyes"
    assert chat.messages[-1]["reasoning_content"] == "deep"
    assert "Absolute maximum" in chat.engine.prompts[0] and "Be brief." in chat.engine.prompts[0]
    assert chat.command("/effort none") == "answering at once"
    say(chat, "Again?")
    assert "Absolute maximum" not in chat.engine.prompts[1]
    chat.engine.close()


def test_read_puts_a_file_before_the_next_message_alone(tmp_path):
    (tmp_path / "a.txt").write_text("alpha " + USER)
    chat = conversation("one", "two")
    assert "14 characters" in chat.command(f"/read {tmp_path / 'a.txt'}")
    say(chat, "What is it?")
    say(chat, "And now?")
    first, second = chat.engine.prompts
    assert "alpha" in first and "What is it?" in first and second.count("alpha") == 1
    assert first.count(USER) == 1  # a file speaks for nobody
    chat.engine.close()


def test_save_writes_what_the_chat_api_takes(tmp_path, tools):
    chat = conversation(call("weather", city="Oslo"), "Rain.")
    chat.command(f"/tools {tools}")
    chat.command("/system Be brief.") and say(chat, "How is Oslo?", "rain")
    assert "4 messages" in chat.command(f"/save {tmp_path / 'talk.json'}")
    saved = json.loads((tmp_path / "talk.json").read_text())
    assert [m["role"] for m in saved["messages"]] == ["system", "user", "assistant", "tool", "assistant"]
    assert saved["tools"][0]["function"]["name"] == "weather"
    chat.engine.close()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/nonsense", "there is no command /nonsense"),
        ("/effort huge", "choose none, high or max"),
        ("/temp warm", "warm"),
        ("/temp -1", "temperature is -1"),
        ("/read nowhere.txt", "there is no file 'nowhere.txt'"),
        ("/read", "there is no file ''"),
        ("/save", "name a file"),
        ("/save /nowhere/at/all.json", "No such file"),
        ("/tools nowhere.json", "there is no file"),
    ],
)
def test_a_wrong_command_says_what_is_wrong(line, said):
    chat = conversation("x")
    assert said in chat.command(line)
    chat.engine.close()


@pytest.mark.parametrize("text", ["{}", "[1]", "no json", '[{"name": "a"}, {"name": "a"}]', "[{}]"])
def test_a_file_that_holds_no_tools_is_refused(tmp_path, text):
    (tmp_path / "t.json").write_text(text)
    chat = conversation("x")
    chat.command(f"/tools {tmp_path / 't.json'}")
    assert chat.tools == []
    chat.engine.close()


def test_help_lists_every_command():
    for name in set(COMMANDS) - {"help"}:
        assert f"/{name}" in HELP


class Terminal:
    """`finback chat` on a terminal of its own."""

    def __init__(self, home):
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "finback.cli", "chat", "--seed", "1", "--max-tokens", "12"], stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True, env={**os.environ, "XDG_STATE_HOME": str(home), "OMP_NUM_THREADS": "1", "TERM": "xterm", "COLUMNS": "200"},
        )  # fmt: skip
        os.close(theirs)
        self.seen = ""

    def type(self, keys: str) -> None:
        os.write(self.ours, keys.encode())

    def until(self, text: str, times: int = 1) -> None:
        deadline = time.monotonic() + 300
        while self.seen.count(text) < times:
            assert time.monotonic() < deadline, self.seen
            if select.select([self.ours], [], [], 1)[0]:
                self.seen += os.read(self.ours, 65536).decode(errors="replace")


def test_on_a_terminal_lines_can_be_broken_completed_and_brought_back(tmp_path):
    terminal = Terminal(tmp_path)
    terminal.until("you >")
    terminal.type("hello\x1b\rthere\r")  # Alt-Enter breaks the line
    terminal.until("you >", 2)
    terminal.seen = ""
    terminal.type("/sta\t")
    terminal.until("ts")
    terminal.type("\r")
    terminal.until("prompt tokens")
    terminal.seen = ""
    terminal.type("\x1b[A\x1b[A")  # two lines back
    terminal.until("there")
    terminal.type("\x03")
    assert terminal.process.wait(120) == 0
    os.close(terminal.ours)
    kept = (tmp_path / "finback" / "chat_history").read_text()
    assert "+hello\n+there\n" in kept and "+/stats\n" in kept
    assert (tmp_path / "finback").stat().st_mode & 0o77 == 0
