"""What does a long context cost, and what do many requests gain?

    python benchmarks/engine.py                                   # both tables, bench-small in FP32
    python benchmarks/engine.py --fp8-cache --plot long.png       # the cache in the report's layout; a figure of the first table
    python benchmarks/engine.py --prefill 65536                   # also a real prompt of so many tokens

The first table: decode of one sequence after contexts up to a million tokens, with the bytes of its cache, and what of a
token's time is the indexer's, HCA's and the rest's to pay by the count of their FLOPs. The caches hold noise, because their
content changes nothing of the speed: `--prefill` fills one with a prompt, the honest and slow way, and then decodes.
The second: tokens a second of all requests together, at 1, 4, 16 and 64 at a time.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import finback  # noqa: F401, I001: before PyTorch, as for everyone who imports it first: it says how long OpenMP's threads spin
import torch
from cpu_jobs import bench_model

from finback import cost
from finback.device import peak
from finback.engine import Engine, SamplingParams
from finback.model import Batch, Transformer, storage_dtype
from finback.model.state import SequenceState

CONTEXTS = (4096, 65536, 262144, 1048576)
REQUESTS = (1, 4, 16, 64)
PROMPT, ANSWER = 32, 128  # tokens of a request
STEPS, ROUNDS = 16, 3  # decoded tokens a round; the best round counts
NOISE_BLOCKS = 64


def noisy_state(model: Transformer, length: int) -> SequenceState:
    """A state that stands behind `length` tokens and has never seen them."""
    state = model.new_state()
    state.reserve(length + STEPS * ROUNDS + 1)
    generator = torch.Generator().manual_seed(0)
    for layer in state.pool.layout.layers:
        for part in (layer.entries, layer.keys):
            if part is not None:
                rows = part.pack(torch.randn(NOISE_BLOCKS * part.rows, part.channels or part.width, generator=generator))
                for i in range(0, len(state.blocks), NOISE_BLOCKS):
                    blocks = torch.tensor(state.blocks[i : i + NOISE_BLOCKS])
                    state.pool.rows(part)[blocks] = rows.unflatten(0, (-1, part.rows))[: len(blocks)]
    for layer, rings in zip(state.pool.layout.layers, state.layers):
        rings.window.copy_(layer.window.pack(torch.randn(len(rings.window), layer.window.channels or layer.window.width, generator=generator)))
        for ring in rings[1:]:
            if ring is not None:
                ring.normal_(generator=generator)
    state.length, state.seen = length, [length] * len(state.seen)
    return state


@torch.inference_mode()
def decode(model: Transformer, state: SequenceState) -> float:
    """Tokens a second."""
    best, token = float("inf"), torch.tensor([7])
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(STEPS):
            model(Batch.of([token], starts=[state.length]), [state])
        best = min(best, time.perf_counter() - began)
    return STEPS / best


def long_contexts(model: Transformer) -> list[dict]:
    rows = []
    print(f"{'context':>9}  {'tokens/s':>8}  {'of 4K':>6}  {'cache':>10}  {'B/token':>7}  FLOPs: indexer, HCA, rest")
    for context in CONTEXTS:
        state = noisy_state(model, context)
        speed, flops = decode(model, state), cost.flops_per_token(model.config, context)
        layout = state.pool.layout
        rows.append({
            "context": context, "speed": speed, "cache": state.nbytes(), "bytes_per_token": layout.block_bytes / layout.block_tokens,
            "indexer": flops.indexer / flops.total, "hca": flops.hca / flops.total,
        })  # fmt: skip
        r = rows[-1]
        shares = (r["indexer"], r["hca"], 1 - r["indexer"] - r["hca"])
        print(
            f"{context:>9,}  {speed:>8.1f}  {speed / rows[0]['speed']:>6.2f}  {r['cache'] / 2**20:>6.0f} MiB  {r['bytes_per_token']:>7.0f}  "
            + ", ".join(f"{share:.0%}" for share in shares),
            flush=True,
        )
        del state
    return rows


@torch.inference_mode()
def prefill(model: Transformer, length: int) -> dict:
    """A real prompt; prints a line whenever its length has doubled, then decodes."""
    state, at, mark, began = model.new_state(), 0, 4096, time.perf_counter()
    ids = torch.randint(0, model.config.vocab_size, (length,), generator=torch.Generator().manual_seed(1))
    while at < length:
        n = min(512, length - at)
        model(Batch.of([ids[at : at + n]], starts=[at]), [state], rows=torch.tensor([n - 1]))
        at += n
        if at >= mark or at == length:
            print(f"prefilled {at:,} tokens in {time.perf_counter() - began:.0f} s, {at / (time.perf_counter() - began):.0f} a second", flush=True)
            mark *= 2
    row = {"length": length, "prefill": length / (time.perf_counter() - began), "decode": decode(model, state), "cache": state.nbytes()}
    row["peak"] = peak(torch.device("cpu"))
    print(f"then {row['decode']:.1f} tokens a second; this process took {(row['peak'] or 0) / 2**20:.0f} MiB at most")
    return row


def many_requests(model: Transformer) -> list[dict]:
    rows = []
    print(f"{'requests':>9}  {'tokens/s':>8}  {'of one':>6}   (prompts of {PROMPT} tokens, answers of {ANSWER})")
    for n in REQUESTS:
        ids = torch.randint(0, model.config.vocab_size, (n, PROMPT), generator=torch.Generator().manual_seed(n)).tolist()
        engine = Engine(model, prefix=None)
        engine.generate([ids[0][:8]], SamplingParams(max_tokens=2))
        best = float("inf")
        for _ in range(2):
            began = time.perf_counter()
            engine.generate(ids, SamplingParams(max_tokens=ANSWER, ignore_eos=True))
            best = min(best, time.perf_counter() - began)
        engine.close()
        rows.append({"requests": n, "speed": n * ANSWER / best})
        print(f"{n:>9}  {rows[-1]['speed']:>8.1f}  {rows[-1]['speed'] / rows[0]['speed']:>6.2f}", flush=True)
    return rows


def plot(rows: list[dict], name: str, out: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axis = plt.subplots(figsize=(7, 4), layout="constrained")
    x = [r["context"] for r in rows]
    axis.plot(x, [r["speed"] for r in rows], "o-")
    for r in rows:
        axis.annotate(f"{r['speed']:.0f}/s\n{r['cache'] / 2**20:.0f} MiB", (r["context"], r["speed"]), xytext=(0, 8), textcoords="offset points", ha="center")
    axis.set(xscale="log", xlabel="context, tokens", ylabel="tokens a second", title=name, ylim=(0, 1.3 * max(r["speed"] for r in rows)))
    axis.set_xticks(x, [f"{n // 1024}K" for n in x])
    axis.margins(x=0.1)
    figure.savefig(out, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="bench-small")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32", help="of the weights, and of the cache without --fp8-cache")
    parser.add_argument("--fp8-cache", action="store_true")
    parser.add_argument("--prefill", type=int, default=0, metavar="TOKENS")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    model = bench_model(options.preset).requires_grad_(False)
    model.config = model.config.replace(max_position_embeddings=1 << 21, index_fp4=options.fp8_cache)
    model.fp8_cache = options.fp8_cache
    for parameter_name, p in model.named_parameters():
        p.data = p.to(storage_dtype(parameter_name, getattr(torch, options.dtype)))
    name = f"{options.preset}, {options.dtype} weights, cache in {'the report layout' if options.fp8_cache else options.dtype}"
    print(f"{name}, {torch.get_num_threads()} threads")
    found = {"name": name, "long": long_contexts(model), "requests": many_requests(model)}
    if options.prefill:
        found["prefill"] = prefill(model, options.prefill)
    if options.plot:
        plot(found["long"], name, options.plot)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
