"""The clients people already use, against a server whose model says what the test wrote."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib

import pytest
from dialect_helpers import WEATHER, serving
from scripted import ScriptedEngine, call
from typer.testing import CliRunner

from finback.cli import app
from finback.server.clients import CLIENTS, block

PROOF = "proof-7319"
TYPED = "echo pro''of-7319"  # prints PROOF, but does not hold it


def agent(prompt: str) -> str:
    """Calls the first tool that it knows, and answers when it sees what the tool returned."""
    return "Let me think.</think>" * prompt.endswith("<think>") + spoken(prompt)


def spoken(prompt: str) -> str:
    if PROOF in prompt:
        return f"The tool said {PROOF}."
    if '"name": "weather"' in prompt:
        return "I look it up." + call("weather", city="Oslo")
    for name, arguments in (
        ("exec_command", {"cmd": TYPED}),
        ("Bash", {"command": TYPED, "description": "Prints a word"}),
        ("bash", {"command": TYPED}),
    ):
        if f'"name": "{name}"' in prompt:
            return "I run it." + call(name, **arguments)
    return "A title"


@pytest.fixture(scope="module")
def url():
    with serving(ScriptedEngine(agent, context=1 << 17), thinking=False) as url:
        yield url


# ---- what is printed to be pasted


@pytest.mark.parametrize("client", CLIENTS)
def test_the_server_prints_a_block_for_every_client(client):
    result = CliRunner().invoke(app, ["serve", "--print-config", client, "--port", "1234"])
    assert result.exit_code == 0 and "http://127.0.0.1:1234" in result.output and "finback-mini" in result.output
    assert "FINBACK_API_KEY" not in result.output or client in ("claude-code", "openai", "anthropic")


def test_an_unknown_client_is_answered_with_those_there_are():
    with pytest.raises(ValueError, match="choose codex, claude-code, opencode, openai, anthropic"):
        block("emacs", "http://x", "mini", 1, False)


@pytest.mark.parametrize("keyed", [False, True])
def test_the_blocks_can_be_read_by_those_they_are_for(keyed):
    codex = tomllib.loads(block("codex", "http://x:1/", 'mi"ni', 8192, keyed))
    assert codex["model"] == 'mi"ni' and codex["model_context_window"] == 8192
    provider = codex["model_providers"][codex["model_provider"]]
    assert provider["base_url"] == "http://x:1/v1" and provider.get("env_key") == ("FINBACK_API_KEY" if keyed else None)
    opencode = json.loads(block("opencode", "http://x:1", "mini", 8192, keyed).split("\n", 1)[1])
    assert opencode["provider"]["finback"]["models"]["mini"]["limit"] == {"context": 8192, "output": 2048}
    shell = block("claude-code", "http://x:1", "my model; rm", 8192, keyed) + 'printf %s "$ANTHROPIC_MODEL $ANTHROPIC_AUTH_TOKEN"'
    run = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, env={"FINBACK_API_KEY": "abc"})
    assert run.stdout == "my model; rm abc"


@pytest.mark.parametrize("client", ["openai", "anthropic"])
def test_the_programs_run(url, client):
    program = block(client, url, "mini", 8192, False)
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, env={"PATH": os.environ["PATH"]})
    assert run.stdout == "A title\n", run.stderr


# ---- libraries


def weather(city: str) -> str:
    """The weather in a city."""
    return f"{PROOF} in {city}"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["deepseek", "openai", "responses"])
def test_langchain_runs_a_tool_loop(url, kind):
    core = pytest.importorskip("langchain_core.messages", reason="needs langchain")
    tool = pytest.importorskip("langchain_core.tools").tool(weather)
    if kind == "deepseek":
        made = pytest.importorskip("langchain_deepseek").ChatDeepSeek(model="mini", api_base=f"{url}/v1", api_key="none")
    else:
        made = pytest.importorskip("langchain_openai").ChatOpenAI(model="mini", base_url=f"{url}/v1", api_key="none", use_responses_api=kind == "responses")
    model = made.bind_tools([tool])
    turns = [core.HumanMessage("How is Oslo?")]
    said = model.invoke(turns)
    [wanted] = said.tool_calls
    assert wanted["name"] == "weather" and wanted["args"] == {"city": "Oslo"}
    turns += [said, tool.invoke(wanted)]
    assert "".join(chunk.text for chunk in model.stream(turns)) == f"The tool said {PROOF}."


@pytest.mark.slow
def test_litellm_runs_a_tool_loop_in_each_dialect(url, monkeypatch):
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # it would ask the network for prices
    litellm = pytest.importorskip("litellm", reason="needs litellm")
    tools = [{"type": "function", "function": {"name": "weather", "parameters": WEATHER}}]
    for model, base in (("openai/mini", f"{url}/v1"), ("deepseek/mini", url), ("anthropic/mini", url)):
        turns = [{"role": "user", "content": "How is Oslo?"}]
        ask = dict(model=model, api_base=base, api_key="none", tools=tools, max_tokens=200)
        said = litellm.completion(messages=turns, **ask).choices[0].message
        assert json.loads(said.tool_calls[0].function.arguments) == {"city": "Oslo"}, model
        turns += [said.model_dump(), {"role": "tool", "tool_call_id": said.tool_calls[0].id, "content": weather("Oslo")}]
        chunks = litellm.completion(messages=turns, stream=True, **ask)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == f"The tool said {PROOF}.", model


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["responses", "chat"])
def test_openais_agents_run_a_tool_loop(url, kind):
    agents = pytest.importorskip("agents", reason="needs openai-agents")
    from openai import AsyncOpenAI

    agents.set_tracing_disabled(True)
    made = agents.OpenAIResponsesModel if kind == "responses" else agents.OpenAIChatCompletionsModel
    model = made(model="mini", openai_client=AsyncOpenAI(base_url=f"{url}/v1", api_key="none"))
    guide = agents.Agent(name="guide", instructions="Be brief.", tools=[agents.function_tool(weather)], model=model)
    done = agents.Runner.run_sync(guide, "How is Oslo?")
    assert done.final_output == f"The tool said {PROOF}."


# ---- agents


def run_agent(program: str, arguments: list[str], folder, **env: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"needs {program} on the PATH")
    (folder / "work").mkdir()
    command = [found, *arguments]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "dumb", **env}
    run = subprocess.run(command, cwd=folder / "work", env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def exports(text: str) -> dict[str, str]:
    """What a block for a shell exports."""
    names = re.findall(r"^export (\w+)=", text, re.M)
    values = "\n".join(f'printf "%s\\n" "${name}"' for name in names)
    out = subprocess.run(["sh", "-c", text + values], capture_output=True, text=True, env={}, check=True).stdout
    return dict(zip(names, out.splitlines()))


@pytest.mark.slow
def test_codex_runs_a_command(url, tmp_path):
    (tmp_path / ".codex").mkdir()
    (tmp_path / ".codex" / "config.toml").write_text(
        "check_for_update_on_startup = false\n" + block("codex", url, "mini", 1 << 17, False) + "[analytics]\nenabled = false\n"
    )
    out = run_agent("codex", ["exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "Run the command."], tmp_path)
    assert f"The tool said {PROOF}." in out


@pytest.mark.slow
def test_claude_code_runs_a_command(url, tmp_path):
    env = exports(block("claude-code", url, "mini", 1 << 17, False))
    out = run_agent("claude", ["-p", "Run the command.", "--allowedTools", "Bash"], tmp_path, DISABLE_AUTOUPDATER="1", **env)
    assert f"The tool said {PROOF}." in out


@pytest.mark.slow
def test_opencode_runs_a_command(url, tmp_path):
    (tmp_path / ".config" / "opencode").mkdir(parents=True)
    (tmp_path / ".config" / "opencode" / "opencode.json").write_text(block("opencode", url, "mini", 1 << 17, False))
    out = run_agent("opencode", ["run", "Run the command."], tmp_path, OPENCODE_DISABLE_AUTOUPDATE="1", OPENCODE_DISABLE_MODELS_FETCH="1")
    assert f"The tool said {PROOF}." in out
