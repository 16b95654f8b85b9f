"""What does the server cost, and does it stay awake under load?

    python benchmarks/serve.py                                   # the released model, 64 clients for 60 s
    python benchmarks/serve.py --clients 16 --seconds 10 --model ../models/mini

Starts `finback serve` as users do, and drives it over loopback with streaming clients that each ask again when their
answer is over. Reported: errors (there must be none), time to the first token, time between tokens, p99 of /health on
its own connection meanwhile. Then the same engine alone, in a process of its own, with as many requests at once: the
server's overhead is the processor time per token that it takes beyond that, relative to the engine's. Processor time
rather than wall time, because the clients of this script share the machine. Linux only (/proc).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from finback.cli import DEFAULT_MODEL
from finback.text import load_tokenizer

QUESTIONS = ("Tell me a story about a fox.", "What is a river?", "Write three lines on rain.", "Who lives in the forest?")
EDGES_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
WARM_UP = 3.0  # seconds before anything is measured


class Measured:
    def __init__(self) -> None:
        self.first: list[float] = []
        self.next: list[float] = []
        self.health: list[float] = []
        self.errors: list[str] = []


async def answer(port: int, body: dict, measured: Measured, since: float) -> None:
    """One streamed answer; what comes before `since` is not measured."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        content = json.dumps(body).encode()
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nConnection: close\r\n")
        began = last = time.perf_counter()
        writer.write(f"Content-Length: {len(content)}\r\n\r\n".encode() + content)
        status = (await reader.readline()).split()[1]
        done = False
        said = 0
        async for line in reader:
            if line.startswith(b"data: [DONE]"):
                done = True
            elif line.startswith(b"data: {") and b'"content":' in line and b'"role"' not in line:
                now = time.perf_counter()
                if now > since:
                    (measured.next if said else measured.first).append(now - last)
                last, said = now, said + 1
        if not done or status != b"200":
            measured.errors.append(f"status {status.decode()}, {said} pieces, {time.perf_counter() - began:.1f} s")
    finally:
        writer.close()


async def client(index: int, port: int, body: dict, measured: Measured, since: float, until: float) -> None:
    turn = 0
    while time.perf_counter() < until:
        asked = {**body, "messages": [{"role": "user", "content": QUESTIONS[(index + turn) % len(QUESTIONS)]}], "seed": 1000 * index + turn}
        try:
            await answer(port, asked, measured, since)
        except (OSError, asyncio.IncompleteReadError, IndexError) as error:
            measured.errors.append(repr(error))
        turn += 1


async def watch(port: int, measured: Measured, since: float, until: float) -> None:
    """GET /health on a connection that stays open, twenty times a second."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < until:
        began = time.perf_counter()
        writer.write(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        while not (await reader.readuntil(b"}")).endswith(b'"ok"}'):
            pass
        if began > since:
            measured.health.append(time.perf_counter() - began)
        await asyncio.sleep(0.05)
    writer.close()


async def drive(port: int, pid: int, options: argparse.Namespace, body: dict) -> tuple[Measured, float]:
    """What the clients saw, and the server's processor seconds per token."""
    measured = Measured()
    since = time.perf_counter() + WARM_UP
    until = since + options.seconds
    load = asyncio.gather(*(client(i, port, body, measured, since, until) for i in range(options.clients)), watch(port, measured, since, until))
    await asyncio.sleep(WARM_UP)
    tokens, seconds = await sampled(port), processor_seconds(pid)
    await asyncio.sleep(options.seconds)
    tokens, seconds = await sampled(port) - tokens, processor_seconds(pid) - seconds
    await load
    return measured, seconds / tokens


async def sampled(port: int) -> int:
    """Tokens that the engine has sampled in all, as the server's metrics say: observed times."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    lines = (await reader.read()).decode().splitlines()
    writer.close()
    return int(sum(float(line.split()[-1]) for line in lines if line.startswith(("finback_inter_token_seconds_count", "finback_time_to_first_token_seconds_count"))))


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def marks(model: str) -> dict[int, float]:
    """Biases that keep out what would end an answer early."""
    return {token: -100.0 for token in load_tokenizer(model).backend.get_added_tokens_decoder()}


def engine_alone(options: argparse.Namespace) -> None:
    """Prints the engine's processor seconds and wall seconds per token, with as many requests at once as the server had."""
    from finback.cli import _load
    from finback.engine import Engine, SamplingParams
    from finback.text import encode_messages

    engine = Engine(*_load(Path(options.model), "auto", "auto"), cache_blocks=4096)
    prompts = [encode_messages([{"role": "user", "content": QUESTIONS[i % len(QUESTIONS)]}], "chat") for i in range(options.clients)]

    def produce(seed: int) -> int:
        params = [SamplingParams(max_tokens=options.tokens, logit_bias=marks(options.model), seed=seed + i) for i in range(options.clients)]
        return sum(len(result.tokens) for result in engine.generate(prompts, params))

    produce(0)
    tokens, wall, seconds, turn = 0, time.perf_counter(), processor_seconds(os.getpid()), 0
    while time.perf_counter() - wall < options.seconds:
        turn += 1
        tokens += produce(1000 * turn)
    print(json.dumps([(processor_seconds(os.getpid()) - seconds) / tokens, (time.perf_counter() - wall) / tokens]))
    engine.close()


def line(name: str, seconds: Sequence[float]) -> str:
    ms = 1000 * np.array(seconds)
    return f"| {name} | {len(ms)} | " + " | ".join(f"{v:.1f}" for v in (*np.percentile(ms, (50, 90, 99)), ms.max())) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=str(DEFAULT_MODEL))
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--tokens", type=int, default=200, help="of an answer")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        engine_alone(options)
        return
    server = subprocess.Popen([sys.executable, "-m", "finback.cli", "serve", "--port", "0", "--model", f"bench={options.model}"], stdout=subprocess.PIPE, text=True)
    try:
        port = int(server.stdout.readline().split()[4].rpartition(":")[2])
        bias = {str(token): value for token, value in marks(options.model).items()}
        body = {"model": "bench", "stream": True, "max_tokens": options.tokens, "logit_bias": bias, "thinking": {"type": "disabled"}}
        measured, with_server = asyncio.run(drive(port, server.pid, options, body))
    finally:
        server.terminate()
        server.wait(60)
    alone = subprocess.run([sys.executable, __file__, *sys.argv[1:], "--alone"], stdout=subprocess.PIPE, text=True, check=True)
    engine, wall = json.loads(alone.stdout)
    print(f"{options.clients} clients for {options.seconds:g} s on {Path(options.model).name}, answers of {options.tokens} tokens; errors: {len(measured.errors)}")
    print("| milliseconds | count | p50 | p90 | p99 | most |\n|---|---|---|---|---|---|")
    print(line("first token", measured.first))
    print(line("between tokens", measured.next))
    print(line("/health", measured.health))
    print("| up to ms | " + " | ".join(map(str, EDGES_MS)) + " | more |\n|---|" + "---|" * (len(EDGES_MS) + 1))
    for name, seconds in (("first token", measured.first), ("between tokens", measured.next)):
        counts, _ = np.histogram(1000 * np.array(seconds), [0, *EDGES_MS, np.inf])
        print(f"| {name} | " + " | ".join(map(str, counts)) + " |")
    print(f"processor time per token: engine alone {1e3 * engine:.3f} ms, with the server {1e3 * with_server:.3f} ms: overhead {with_server / engine - 1:.1%}")
    print(f"engine alone: {1 / wall:.0f} tokens per second")
    for error in sorted(set(measured.errors))[:5]:
        print(f"error: {error}")
    sys.exit(bool(measured.errors))


if __name__ == "__main__":
    main()
