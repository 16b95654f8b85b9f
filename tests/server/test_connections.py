"""Clients that leave, stall, or come in crowds; and a server that is told to end."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import quantiles

import httpx
import pytest
from scripted import ScriptedEngine
from server_helpers import TALKATIVE, Running, eventually, new_engine, new_service, serving
from typer.testing import CliRunner

from finback.checkpoint import Card
from finback.cli import app
from finback.server import serve
from finback.server.service import Limits, Model, Service

LONG = {"model": "tiny", "messages": [{"role": "user", "content": "the a of and to in is that " * 30}], "max_tokens": 30000, "logit_bias": TALKATIVE}


def raw(running: Running, *parts: bytes) -> socket.socket:
    host, port = running.url.removeprefix("http://").split(":")
    sock = socket.create_connection((host, int(port)), timeout=20)
    for part in parts:
        sock.sendall(part)
    return sock


def post(path: str, body: dict) -> bytes:
    content = json.dumps(body).encode()
    return f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


def idle(running: Running) -> bool:
    engine = running.engine
    return not (engine.running or engine.waiting or running.service.active)


@pytest.mark.parametrize("path", ["/chat/completions", "/completions"])
@pytest.mark.parametrize("streaming", [False, True])
def test_whoever_leaves_frees_the_engine_at_once(path, streaming):
    service = Service([Model("tiny", new_engine(prefix=None), Card(False))])
    with serving(service) as running:
        used = running.engine.pool.used
        body = {**LONG, "stream": streaming, "prompt": "the name", "n": 2}
        sock = raw(running, post(path, body))
        eventually(lambda: len(running.engine.running) == 2)
        requests = list(running.engine.running)
        sock.close()
        eventually(lambda: idle(running), seconds=60)
        assert all(request.cancelled and len(request.answer) < 30000 for request in requests)
        assert running.engine.pool.used == used


def test_whoever_leaves_before_the_request_is_read_costs_nothing(tiny):
    whole = post("/chat/completions", LONG)
    for cut in (5, 60, len(whole) - 1):
        raw(tiny, whole[:cut]).close()
    eventually(lambda: idle(tiny))


def test_a_storm_of_clients_that_leave_is_survived():
    service = new_service(Limits(active=1000, per_user=1000))
    with serving(service) as running:
        rng = random.Random(4)

        def storm(_: int) -> None:
            sock = raw(running, post("/chat/completions", {**LONG, "stream": rng.random() < 0.7}))
            time.sleep(rng.random() * 0.05)
            if rng.random() < 0.5:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")  # a reset, not a goodbye
            sock.close()

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(storm, range(120)))
        eventually(lambda: idle(running))
        assert running.chat(max_tokens=3).json()["usage"]["completion_tokens"] == 3


def test_whoever_sends_headers_letter_by_letter_is_left(tiny, monkeypatch):
    monkeypatch.setattr(serve, "HEADER_SECONDS", 0.4)
    lazy = [raw(tiny) for _ in range(50)]
    for sock in lazy[:25]:
        sock.sendall(b"POST /chat/completions HTTP/1.1\r\nHost:")
    warm = raw(tiny, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
    said = b""
    while not said.endswith(b'{"status":"ok"}'):
        said += warm.recv(4096)
    warm.sendall(b"GET /he")  # and a second request that never ends
    began = time.monotonic()
    for sock in [*lazy, warm]:
        sock.settimeout(5)
        try:
            assert sock.recv(1) == b""
        except ConnectionResetError:
            pass
    assert time.monotonic() - began < 5
    assert tiny.chat(max_tokens=2).status_code == 200


def test_whoever_sends_a_body_letter_by_letter_is_told_and_left():
    with serving(new_service(Limits(body_seconds=0.3))) as running:
        sock = raw(running, post("/chat/completions", LONG)[:-10])
        said = b""
        while b"request_timeout" not in said:
            part = sock.recv(4096)
            assert part, said
            said += part
        assert said.startswith(b"HTTP/1.1 408")


def test_whoever_does_not_read_is_left(tiny, monkeypatch):
    monkeypatch.setattr(serve, "STALL_SECONDS", 0.5)
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        host, port = tiny.url.removeprefix("http://").split(":")
        sock.connect((host, int(port)))
        sock.sendall(post("/chat/completions", {**LONG, "stream": True, "logprobs": True, "top_logprobs": 20, "n": 4}))
        eventually(lambda: tiny.engine.running)
        eventually(lambda: idle(tiny), seconds=30)
        said = b""
        while part := sock.recv(1 << 16):
            said += part
        assert said.startswith(b"HTTP/1.1 200") and b"[DONE]" not in said and b'"finish_reason":"' not in said


def test_silence_is_filled_with_comments():
    """The scripted model says nothing for long: all of it is held back as the beginning of a stop string."""
    engine = ScriptedEngine(lambda prompt: "a" * 600)
    service = Service([Model("tiny", engine, Card(False))], limits=Limits(keep_alive_seconds=0.05))
    with serving(service) as running, running.client() as http:
        body = {"model": "tiny", "messages": [{"role": "user", "content": "x"}], "stop": ["a" * 1000], "stream": True, "max_tokens": 700}
        with http.stream("POST", "/chat/completions", json=body) as answer:
            lines = [line for line in answer.iter_lines() if line]
    assert lines.count(": keep-alive") >= 2
    assert lines[-1] == "data: [DONE]" and all(line.startswith(("data: ", ":")) for line in lines)


def test_health_answers_while_the_engine_is_saturated():
    """And the tokenizer works on a long prompt: neither holds the event loop."""
    with serving(new_service(Limits(active=1000, per_user=1000, answer_tokens=1))) as running:
        sockets = [raw(running, post("/chat/completions", {**LONG, "stream": True, "seed": i})) for i in range(24)]
        eventually(lambda: len(running.engine.running) == 24)
        big = json.dumps({"model": "tiny", "prompt": "the name of the value " * 60000}).encode()
        tokenizing = threading.Thread(target=lambda: httpx.post(f"{running.url}/tokenize", content=big, timeout=60))
        tokenizing.start()
        waits = []
        with running.client() as http:
            for _ in range(60):
                began = time.perf_counter()
                assert http.get("/health").status_code == 200
                waits.append(time.perf_counter() - began)
        tokenizing.join()
        assert len(running.engine.running) == 24
        for sock in sockets:
            sock.close()
        eventually(lambda: idle(running))
    assert quantiles(waits, n=20)[18] < 0.5  # on a machine that may be busy; benchmarks/serve.py measures it


# --- the end


def test_a_server_that_is_told_to_end_lets_answers_finish_and_takes_no_new_ones():
    with serving(new_service(), grace=20) as running, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(running.chat, max_tokens=300)
        eventually(lambda: running.engine.running)
        running.server.should_exit = True
        eventually(lambda: running.service.draining)
        with pytest.raises(httpx.ConnectError):
            running.chat()
        assert answer.result().json()["usage"]["completion_tokens"] == 300


@pytest.mark.parametrize("streaming", [False, True])
def test_an_answer_that_does_not_finish_in_time_ends_with_a_reason(streaming):
    with serving(new_service(), grace=0.3) as running, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(running.chat, max_tokens=60000, stream=streaming)
        eventually(lambda: running.engine.running)
        running.server.should_exit = True
        found = answer.result()
        last = found.text.strip().splitlines()[-1].removeprefix("data: ")
        assert json.loads(last)["error"]["code"] == "shutting_down"
        assert found.status_code == (200 if streaming else 503)


def test_several_models_are_served_side_by_side():
    service = Service([Model("tiny", new_engine(), Card(False)), Model("thinker", new_engine(), Card(True))])
    with serving(service) as running, running.client() as http:
        assert [m["id"] for m in http.get("/v1/models").json()["data"]] == ["tiny", "thinker"]
        both = {name: running.chat(model=name, max_tokens=12).json() for name in service.models}
        assert {name: answer["model"] for name, answer in both.items()} == {"tiny": "tiny", "thinker": "thinker"}
        assert "reasoning_content" in both["thinker"]["choices"][0]["message"]
        assert "reasoning_content" not in both["tiny"]["choices"][0]["message"]
        assert http.get("/models/thinker").json()["thinking"] is True


def test_metrics_count_what_happened():
    with serving(new_service()) as running, running.client() as http:
        running.chat(max_tokens=9)
        running.chat(model="nobody")
        found = http.get("/metrics").text
    for line in (
        'finback_requests_total{path="/chat/completions",status="200"} 1.0', 'finback_requests_total{path="/chat/completions",status="404"} 1.0',
        'finback_answer_tokens_total{kind="answer",model="tiny"} 9.0', 'finback_time_to_first_token_seconds_count{model="tiny"} 1.0',
        'finback_inter_token_seconds_count{model="tiny"} 8.0', 'finback_answers_total{model="tiny",reason="length"} 1.0', 'finback_running{model="tiny"} 0.0',
    ):  # fmt: skip
        assert line in found, line


def test_the_command_serves_the_model_that_comes_with_finback_and_ends_when_told():
    process = subprocess.Popen(
        [sys.executable, "-m", "finback.cli", "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    try:
        first = process.stdout.readline()
        assert first.startswith("Finback serves finback-mini at http://127.0.0.1:"), process.stderr.read() if not first else first
        url = first.split()[4]
        answer = httpx.post(f"{url}/v1/chat/completions", json={"model": "finback-mini", "messages": [{"role": "user", "content": "Tell me a story."}], "max_tokens": 12, "thinking": {"type": "disabled"}}, timeout=30)
        assert answer.json()["choices"][0]["message"]["content"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) in (0, -signal.SIGTERM)
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()


def test_the_command_does_not_let_others_in_without_keys():
    result = CliRunner().invoke(app, ["serve", "--host", "0.0.0.0"])
    assert isinstance(result.exception, ValueError) and "there are no API keys" in str(result.exception)
