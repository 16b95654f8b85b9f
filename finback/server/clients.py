"""What does one paste into an agent or a program so that it talks to this server?

`block(client, ...)` is what `finback serve --print-config CLIENT` prints. The key, where the server wants one, is read
from FINBACK_API_KEY when the client starts, and so never stands in a file.
"""

from __future__ import annotations

import json
import shlex
import textwrap
from collections.abc import Callable


def block(client: str, url: str, model: str, context: int, keyed: bool) -> str:
    """url: of the server, without a path. context: how many tokens the model takes. keyed: whether a key is needed."""
    if client not in CLIENTS:
        raise ValueError(f"there is no configuration for {client!r}: choose {', '.join(CLIENTS)}")
    return textwrap.dedent(CLIENTS[client](url.rstrip("/"), model, context, keyed)).strip() + "\n"


def _codex(url: str, model: str, context: int, keyed: bool) -> str:
    key = 'env_key = "FINBACK_API_KEY"\n' if keyed else ""
    return (
        "# in ~/.codex/config.toml\n"
        f"model = {json.dumps(model)}\n"
        'model_provider = "finback"\n'
        f"model_context_window = {context}\n\n"
        "[model_providers.finback]\n"
        'name = "Finback"\n'
        f"base_url = {json.dumps(url + '/v1')}\n"
        f'wire_api = "responses"\n{key}'
    )


def _claude_code(url: str, model: str, context: int, keyed: bool) -> str:
    url, model = shlex.quote(url), shlex.quote(model)
    return f"""
        # in the shell that starts claude
        export ANTHROPIC_BASE_URL={url}
        export ANTHROPIC_AUTH_TOKEN="${{FINBACK_API_KEY:-none}}"
        export ANTHROPIC_MODEL={model}
        export ANTHROPIC_DEFAULT_OPUS_MODEL={model}
        export ANTHROPIC_DEFAULT_SONNET_MODEL={model}
        export ANTHROPIC_DEFAULT_HAIKU_MODEL={model}
        export CLAUDE_CODE_MAX_CONTEXT_TOKENS={context}
        export CLAUDE_CODE_MAX_OUTPUT_TOKENS={min(32000, context // 4)}
        export CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1
    """


def _opencode(url: str, model: str, context: int, keyed: bool) -> str:
    limit = {"context": context, "output": min(32000, context // 4)}
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Finback",
        "options": {"baseURL": f"{url}/v1", "apiKey": "{env:FINBACK_API_KEY}" if keyed else "none"},
        "models": {model: {"name": model, "reasoning": True, "tool_call": True, "limit": limit}},
    }
    settings = {"$schema": "https://opencode.ai/config.json", "model": f"finback/{model}", "provider": {"finback": provider}}
    return "// opencode.json, in the project or in ~/.config/opencode\n" + json.dumps(settings, indent=2)


def _openai(url: str, model: str, context: int, keyed: bool) -> str:
    return f"""
        # Python, with the openai package
        import os

        from openai import OpenAI

        client = OpenAI(base_url="{url}/v1", api_key=os.environ.get("FINBACK_API_KEY", "none"))
        answer = client.chat.completions.create(model={json.dumps(model)}, messages=[{{"role": "user", "content": "Hello!"}}])
        print(answer.choices[0].message.content)
    """


def _anthropic(url: str, model: str, context: int, keyed: bool) -> str:
    return f"""
        # Python, with the anthropic package
        import os

        from anthropic import Anthropic

        client = Anthropic(base_url="{url}", api_key=os.environ.get("FINBACK_API_KEY", "none"))
        answer = client.messages.create(model={json.dumps(model)}, max_tokens=256, messages=[{{"role": "user", "content": "Hello!"}}])
        print("".join(block.text for block in answer.content if block.type == "text"))
    """


CLIENTS: dict[str, Callable[[str, str, int, bool], str]] = {
    "codex": _codex,
    "claude-code": _claude_code,
    "opencode": _opencode,
    "openai": _openai,
    "anthropic": _anthropic,
}
