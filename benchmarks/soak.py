"""Does a server end where it began, after an hour of clients that come, leave in the middle, and ask for nonsense?

    python benchmarks/soak.py                       # the shipped model, 24 clients, 60 minutes
    python benchmarks/soak.py --minutes 2

Starts `finback serve` with a disk store and a cache that its clients soon fill. Every client asks, in a loop drawn from its
number: streamed or whole, with prompts of 6 to 1,220 words that share beginnings; a third of the time it hangs up, before the
first byte or behind a random line; sometimes the request is one that must be refused. After a tenth of
the time the clients pause until the server is idle, and its memory is noted; at the end once more. It fails if an answer failed that
should not have, if a client waited for longer than a minute for a byte, if requests are left behind, or if memory grew by more
than a twentieth and 16 MiB. Linux only (/proc).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from finback.cli import DEFAULT_MODEL

PATIENCE = 60.0  # seconds for the next byte
WORDS = "the fox river little house and a great tree who lived in forest near old stone bridge with seven red birds".split()
GAUGES = ("running", "waiting", "cache_blocks", "preemptions_total", "prefix_asked_tokens_total", "prefix_found_tokens_total")


def question(rng: random.Random) -> str:
    """One of eight beginnings, as long as a fable or a chapter, and an ending of its own."""
    beginning = random.Random(rng.randrange(8)).choices(WORDS, k=rng.choice((5, 60, 400, 1200)))
    return " ".join([*beginning, *rng.choices(WORDS, k=rng.randint(1, 20))])


def request(rng: random.Random) -> tuple[dict, int]:
    """A body, and the status that it must be answered with."""
    body = {
        "model": "soak", "messages": [{"role": "user", "content": question(rng)}], "stream": rng.random() < 0.8, "seed": rng.randrange(1000),
        "max_tokens": rng.choice((1, 10, 60, 200)), "thinking": {"type": rng.choice(("enabled", "disabled"))}, "temperature": rng.choice((0, 1)),
    }  # fmt: skip
    kind = rng.random()
    if kind < 0.05:
        return body | {"messages": []}, 422
    if kind < 0.1:
        return body | {"response_format": {"type": "json_object"}}, 200
    if kind < 0.2:
        return body | {"stop": ["fox", "."], "logprobs": True, "top_logprobs": 3}, 200
    return body, 200


async def ask(port: int, rng: random.Random, seen: Counter) -> None:
    body, wanted = request(rng)
    leave = rng.randrange(40) if rng.random() < 0.33 else None  # behind so many lines
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        content = json.dumps(body).encode()
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nConnection: close\r\n")
        writer.write(f"Content-Length: {len(content)}\r\n\r\n".encode() + content)
        await writer.drain()
        lines: list[bytes] = []
        while leave is None or len(lines) < leave:
            line = await asyncio.wait_for(reader.readline(), PATIENCE)
            if not line:
                break
            lines.append(line)
        else:
            seen["left"] += 1
            return
        status = int(lines[0].split()[1])
        whole = status != 200 or (any(b"[DONE]" in line for line in lines) if body["stream"] else lines[-1].endswith(b"}"))
        seen["refused" if status == wanted != 200 else "answered" if status == wanted and whole else f"FAILED {status} {body}"[:300]] += 1
    except asyncio.TimeoutError:
        seen[f"FAILED: nothing for {PATIENCE:g} s"] += 1
    finally:
        writer.close()


async def client(port: int, number: int, seen: Counter, until: float) -> None:
    rng = random.Random(number)
    while time.monotonic() < until:
        await ask(port, rng, seen)


async def gauges(port: int) -> dict[str, float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    lines = (await reader.read()).decode().splitlines()
    writer.close()
    return {name: sum(float(x.split()[-1]) for x in lines if x.startswith(f"finback_{name}{{")) for name in GAUGES}


def memory(pid: int) -> float:
    """MiB of the process that are in memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


async def load(port: int, pid: int, clients: int, seconds: float, seen: Counter) -> tuple[float, dict[str, float]]:
    """Memory and gauges once the server is idle again; a line a minute meanwhile."""
    until = time.monotonic() + seconds
    tasks = [asyncio.create_task(client(port, i, seen, until)) for i in range(clients)]
    while time.monotonic() < until:
        await asyncio.sleep(min(60, max(until - time.monotonic(), 0.1)))
        now = await gauges(port)
        print(f"{time.strftime('%H:%M:%S')}  {memory(pid):6.0f} MiB  {dict(now)}  {sum(seen.values())} requests", flush=True)
    await asyncio.gather(*tasks)
    for _ in range(int(PATIENCE)):
        now = await gauges(port)
        if not now["running"] + now["waiting"]:
            break
        await asyncio.sleep(1)
    return memory(pid), now


async def soak(port: int, pid: int, options: argparse.Namespace) -> bool:
    seen: Counter = Counter()
    seconds = 60 * options.minutes
    begun, _ = await load(port, pid, options.clients, seconds / 10, seen)
    print(f"idle after a tenth: {begun:.0f} MiB")
    ended, now = await load(port, pid, options.clients, seconds * 9 / 10, seen)
    failed = {what: n for what, n in seen.items() if what.startswith("FAILED")}
    good = {what: n for what, n in seen.items() if what not in failed}
    print(f"{options.minutes:g} minutes, {options.clients} clients: {good}, {now['preemptions_total']:.0f} preemptions, "
          f"{now['prefix_found_tokens_total'] / max(now['prefix_asked_tokens_total'], 1):.0%} of the prompts' tokens found in the prefix store")  # fmt: skip
    print(f"memory when idle: {begun:.0f} MiB after a tenth, {ended:.0f} MiB at the end; left behind: {now['running'] + now['waiting']:.0f} requests")
    for what, n in failed.items():
        print(f"{n} times {what}")
    return not failed and not now["running"] + now["waiting"] and ended < 1.05 * begun + 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=str(DEFAULT_MODEL))
    parser.add_argument("--clients", type=int, default=24)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--cache", type=int, default=4, help="MiB")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as disk:
        command = ["serve", "--port", "0", "--model", f"soak={options.model}", "--cache", str(options.cache), "--disk", disk]
        server = subprocess.Popen([sys.executable, "-m", "finback.cli", *command], stdout=subprocess.PIPE, text=True)
        try:
            port = int(server.stdout.readline().split()[4].rpartition(":")[2])
            passed = asyncio.run(soak(port, server.pid, options))
        finally:
            server.terminate()
            server.wait(60)
    sys.exit(not passed)


if __name__ == "__main__":
    main()
