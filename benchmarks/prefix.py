"""How long until the first token of a prompt whose beginning has been computed before?

    python benchmarks/prefix.py                      # bench-small, a prefix of 16384 tokens
    python benchmarks/prefix.py --tokens 4096

For each policy of the prefix store: cold (nothing is known), from memory (the same engine again, with another ending of
the prompt), and from disk (another process, after its engine is made). The times are from `submit` to the first piece,
of one request at a time; that of a hit is the best of three, with an ending of its own each. Memory and disk: what the
store holds then. The first token's log-probability must be the same, bit for bit, as without a store, or nothing is
printed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

import torch
from cpu_jobs import bench_model

from finback.engine import Engine, SamplingParams
from finback.model import Transformer

POLICIES = ("full", "periodic", "zero")
TAIL = 100  # tokens of the prompt after the prefix
HITS = 3


def prompt(model: Transformer, tokens: int, ending: int) -> list[int]:
    """A prefix that all prompts share, and an ending of its own."""
    parts = ((tokens, 2), (TAIL, 100 + ending))
    return [t for n, seed in parts for t in torch.randint(0, model.config.vocab_size, (n,), generator=torch.Generator().manual_seed(seed)).tolist()]


def first_token(engine: Engine, ids: list[int]) -> dict:
    began = time.perf_counter()
    request = engine.submit(ids, SamplingParams(temperature=0, max_tokens=2, logprobs=0))
    pieces = iter(request)
    choice = next(pieces).choices[0]
    seconds = time.perf_counter() - began
    list(pieces)
    return {"seconds": seconds, "cached": request.cached, "first": [choice.token, choice.logprob]}


def job(name: str, tokens: int, policy: str | None, folder: str, endings: list[int]) -> None:
    """Prints the time of each prompt, asked for in turn, as JSON."""
    model = bench_model(name)
    Engine(model).submit([1, 2, 3], SamplingParams(max_tokens=2)).result()  # what only the first forward of a process has to do
    began = time.perf_counter()
    engine = Engine(model, prefix=policy, disk=folder if policy else None)
    made = time.perf_counter() - began
    runs = [first_token(engine, prompt(model, tokens, ending)) for ending in endings]
    engine.close()
    out = {"made": made, "runs": runs}
    if policy:
        stats = engine.prefixes.stats()
        out |= {"memory": stats.block_bytes + stats.snapshot_bytes, "disk": stats.disk.bytes, "dropped": stats.disk.dropped}
    print(json.dumps(out))


def run(*arguments) -> dict:
    done = subprocess.run([sys.executable, __file__, "--job", json.dumps(arguments)], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="bench-small")
    parser.add_argument("--tokens", type=int, default=16384)
    parser.add_argument("--job", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        job(*json.loads(options.job))
        return
    endings = list(range(1 + 2 * HITS))  # cold; then from memory, or from disk
    expected = run(options.preset, options.tokens, None, "", [1])["runs"][0]
    print(f"{options.preset}, FP32, {torch.get_num_threads()} threads; {options.tokens} tokens + {TAIL}; seconds to the first token")
    print("| policy | cold | memory | disk | cold / disk | computed again | in memory | on disk | engine made in |")
    print("|---|---|---|---|---|---|---|---|---|")
    for policy in POLICIES:
        with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
            first = run(options.preset, options.tokens, policy, folder, endings[: 1 + HITS])
            again = [run(options.preset, options.tokens, policy, folder, [ending]) for ending in endings[1 + HITS :]]
            check = run(options.preset, options.tokens, policy, folder, [1])["runs"][0]
        assert expected["first"] == first["runs"][1]["first"] == check["first"], "a hit differs from a cold run"
        assert not first["dropped"], "the disk was too slow to take everything"
        cold, memory = first["runs"][0]["seconds"], min(r["seconds"] for r in first["runs"][1:])
        disk = min(a["runs"][0]["seconds"] for a in again)
        computed = options.tokens + TAIL - again[0]["runs"][0]["cached"]
        print(
            f"| {policy} | {cold:.2f} | {memory:.3f} | {disk:.3f} | **{cold / disk:.0f}x** | {computed} "
            f"| {first['memory'] / 1e6:.1f} MB | {first['disk'] / 1e6:.1f} MB | {again[0]['made']:.2f} s |",
            flush=True,
        )


if __name__ == "__main__":
    main()
