"""What does each process of `cpu.py` do? Each runs one of these jobs and appends its results to a file, a JSON object a line.

They are apart from `cpu.py` because a process inherits its parent's peak memory in the kernel's account: the parent
must not have loaded PyTorch.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
import torch.nn.functional as F
from cpu import CHECKED, CONTEXT, ROUNDS, SINGLE
from torch import Tensor

CHUNK = 1024  # tokens of a prefill computed at once; more costs transformers speed and memory
TRAINING = (8, 512)  # sequences, tokens of each

# How finback.checkpoint.save stores: dense linears, routed experts.
STORED = {"fp32": ("fp32", "fp32"), "bf16": ("bf16", "bf16"), "fp8": ("fp8", "fp8"), "fp4": ("fp8", "fp4")}

# What rounding may do to the logits: the median over the tokens of their correlation, and the share of equal argmaxes.
# Random weights make close calls of routing and of the indexer common; where one falls differently, a token's logits
# differ visibly, and the rest hardly. Without the attention sinks the median correlation of bench-small is 0.998.
AGREEMENT = {"fp32": (0.99999, 0.98), "bf16": (0.9995, 0.88), "int8": (0.999, 0.75)}


@dataclass
class Engine:
    """One implementation with its weights loaded. `feed(state, ids, n)` gives the logits of the last n ids."""

    new_state: Callable[[], Any]
    feed: Callable[[Any, Tensor, int], Tensor]
    variants: dict[str, Callable[[], None]]  # name -> switch the model to it; the better one counts
    module: torch.nn.Module
    loss: Callable[[Tensor, Tensor], Tensor]


def finback_row(path: Path, format: str) -> Engine:
    """Finback's part, all of it: how the model of a stored format is loaded and called."""
    import finback
    from finback.model import Batch
    from finback.train.losses import Weights, losses

    dtypes = {"fp32": "float32", "bf16": "stored", "fp8": "stored", "fp4": "stored", "int8": "int8"}
    model = finback.load(path, dtype=dtypes[format])
    next_token_only = Weights(mtp=0.0, balance=0.0, indexer=0.0)

    def feed(state, ids, n):
        with model.settled():  # as the engine decodes
            return model(Batch.of([ids], [state.length]), [state], rows=torch.arange(len(ids) - n, len(ids)))

    def loss(inputs, targets):
        half = torch.bfloat16 if torch.is_autocast_enabled("cpu") else None  # what `finback train` does instead of autocast
        with torch.autocast("cpu", enabled=False):
            return losses(model, Batch.of(list(inputs)), targets.flatten(), next_token_only, dtype=half).total

    return Engine(model.new_state, feed, {"": lambda: None}, model, loss)


def transformers_row(path: Path, format: str) -> Engine:
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.set_verbosity_error()
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[format]
    model = AutoModelForCausalLM.from_pretrained(path, dtype=dtype).eval()

    def feed(state, ids, n):
        out = model(ids[None], past_key_values=state.get("cache"), use_cache=True, logits_to_keep=n)
        state["cache"] = out.past_key_values
        return out.logits[0].float()

    def loss(inputs, targets):
        logits = model(inputs, use_cache=False).logits
        return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten())

    variants = {kind: lambda kind=kind: model.set_experts_implementation(kind) for kind in ("eager", "grouped_mm")}
    return Engine(dict, feed, variants, model, loss)


ENGINES = {"finback": finback_row, "transformers": transformers_row}


# Preparation


def prepare(folder: str, preset: str, stored: list[str], gguf: list[tuple[str, str]]) -> None:
    """The preset's checkpoints in the formats `stored`, and GGUF files: (format, stored format it is made from)."""
    from to_gguf import to_gguf

    from finback.checkpoint import save

    model = None
    for format in sorted({*stored, *(source for _, source in gguf)}):
        path = Path(folder, format)
        if not path.exists():
            model = model or bench_model(preset)
            save(model, path, *STORED[format])
    for format, source in gguf:
        path = Path(folder, f"{format}.gguf")
        if not path.exists():
            partial = path.with_suffix(".partial")
            to_gguf(Path(folder, source), partial, format)
            partial.rename(path)
    ids(folder, preset)[: CONTEXT + CHECKED].to(torch.int32).numpy().tofile(Path(folder, "checked.i32"))
    os.sync()


def bench_model(name: str) -> torch.nn.Module:
    """Random weights with nothing left at a value that hides errors: sinks, positional biases, hyper-connections, routers, norms."""
    from finback.config import preset
    from finback.model import new_model

    model = new_model(preset(name), seed=0).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(1)
    for parameter_name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=generator)
        if parameter_name.endswith(("attn_sink", "ape", "_base")):
            p.add_(noise, alpha=0.3)
        elif parameter_name.endswith("_scale"):
            p.add_(noise.abs(), alpha=0.3)
        elif parameter_name.endswith("norm.weight"):
            p.add_(noise, alpha=0.1)
        elif parameter_name.endswith("gate.bias"):
            p.add_(noise, alpha=0.02)
    return model


def ids(folder: str, preset: str, n: int = 1 << 17) -> Tensor:
    from finback.config import preset as config_of

    return torch.randint(0, config_of(preset).vocab_size, (n,), generator=torch.Generator().manual_seed(2))


@torch.inference_mode()
def reference(folder: str, preset: str, stored: str, gguf: str | None) -> None:
    """Logits of transformers, FP32 throughout, for exactly the values that a file holds: reference-KEY.pt, [CHECKED, V]."""
    from to_gguf import rounded, type_of

    import finback
    from finback.checkpoint import save
    from finback.checkpoint.layout import expert_parts, weights

    path = Path(folder, stored)
    if stored != "fp32" or gguf:
        model = finback.load(path, "float32").requires_grad_(False)
        state = model.state_dict()
        for weight in weights(model.config) if gguf else ():
            expert = expert_parts(weight.name)
            value = state[weight.name] if expert is None else state[expert[0] + expert[2]][expert[1]]
            value.copy_(rounded(value, type_of(weight, gguf)))
        path = Path(folder, f"values-{gguf or stored}")
        save(model, path, "fp32")
    engine = transformers_row(path, "fp32")
    engine.variants["eager"]()
    logits = engine.feed(engine.new_state(), ids(folder, preset)[: CONTEXT + CHECKED], CHECKED)
    torch.save(logits.clone(), Path(folder, f"reference-{gguf or stored}.pt"))
    if path != Path(folder, stored):
        shutil.rmtree(path)


def agreement(folder: str, key: str, logits: Tensor, arithmetic: str) -> dict[str, Any]:
    """Compares logits [CHECKED, V] with those of the reference; `ok` says whether they differ by rounding only."""
    expected = torch.load(Path(folder, f"reference-{key}.pt"))
    a, b = (x - x.mean(dim=1, keepdim=True) for x in (expected.double(), logits.double()))
    correlation = float((F.cosine_similarity(a, b)).median())
    argmax = float((expected.argmax(dim=1) == logits.argmax(dim=1)).double().mean())
    error = (expected - logits).abs().amax(dim=1) / expected.std()
    low, same = AGREEMENT[arithmetic]
    return {
        "task": "logits", "correlation": correlation, "argmax": argmax,
        "median_error": float(error.median()), "max_error": float(error.max()),  # of a token, in standard deviations
        "ok": correlation >= low and argmax >= same,
    }  # fmt: skip


def compare(folder: str, key: str, logits: str, arithmetic: str) -> None:
    """The check of an engine that wrote its logits to a file of FP32 numbers."""
    flat = torch.frombuffer(bytearray(Path(logits).read_bytes()), dtype=torch.float32)
    emit(agreement(folder, key, flat.view(CONTEXT + CHECKED, -1)[CONTEXT:], arithmetic))


# Measurements


@torch.inference_mode()
def inference(
    folder: str,
    preset: str,
    engine: str,
    format: str,
    stored: str,
    arithmetic: str,
    prefill: list[int],
    decode: list[int],
    tokens: int,
) -> None:
    """Checks the logits, then times one sequence as it grows: prefill to each length from 0, decode at each length."""
    row = ENGINES[engine](Path(folder, stored), format)
    row.module.requires_grad_(False)
    text = ids(folder, preset)
    for switch in row.variants.values():
        switch()
        found = agreement(folder, stored, checked_logits(row, text), arithmetic)
        emit(found)
        if not found["ok"]:
            return
    short = [n for n in (*prefill, *decode) if n <= CHUNK]
    chosen = {"prefill": next(iter(row.variants)), "decode": next(iter(row.variants))}
    for length in sorted(set(short)):  # every variant, on fresh sequences
        for task, wanted, measure in (("prefill", prefill, prefill_rate), ("decode", decode, decode_rate_at)):
            if length in wanted:
                rates = {name: measure(row, name, text[:length], tokens) for name in row.variants}
                chosen[task] = max(rates, key=rates.get)
                emit_rate(task, length, max(rates.values()), variant=chosen[task], all=rates)

    state, past, seconds, fed = row.new_state(), 0, 0.0, 0
    for length in sorted({n for n in (*prefill, *decode) if n > CHUNK}):  # one growing sequence
        row.variants[chosen["prefill"]]()
        while past < length:
            piece = text[past : min(past + CHUNK, length)]
            began = time.perf_counter()
            row.feed(state, piece, 1)
            seconds += time.perf_counter() - began
            past, fed = past + len(piece), fed + len(piece)
        if length in prefill:
            emit_rate("prefill", length, fed / seconds, variant=chosen["prefill"])
        if length in decode:
            row.variants[chosen["decode"]]()
            emit_rate("decode", length, decode_rate(row, state, text[past:], tokens), variant=chosen["decode"])
            past += tokens * ROUNDS


def checked_logits(row: Engine, text: Tensor) -> Tensor:
    """[CHECKED, V]: the first ones computed at once, the last ones one at a time, as a prompt and its continuation."""
    state, whole = row.new_state(), CONTEXT + CHECKED - SINGLE
    logits = [row.feed(state, text[:whole], CHECKED - SINGLE)]
    logits += [row.feed(state, text[i : i + 1], 1) for i in range(whole, whole + SINGLE)]
    return torch.cat(logits).float()


def prefill_rate(row: Engine, variant: str, text: Tensor, tokens: int) -> float:
    row.variants[variant]()
    times = []
    for _ in range(1 + ROUNDS):  # the first warms up
        began = time.perf_counter()
        row.feed(row.new_state(), text, 1)
        times.append(time.perf_counter() - began)
    return len(text) / median(times[1:])


def decode_rate_at(row: Engine, variant: str, text: Tensor, tokens: int) -> float:
    row.variants[variant]()
    state = row.new_state()
    row.feed(state, text, 1)
    return decode_rate(row, state, text, tokens)


def decode_rate(row: Engine, state: Any, text: Tensor, tokens: int) -> float:
    """The median over the rounds of the tokens per second of a round."""
    rates = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for i in range(tokens):
            row.feed(state, text[i : i + 1], 1)
        rates.append(tokens / (time.perf_counter() - began))
    return median(rates)


def training(folder: str, preset: str, engine: str, format: str, stored: str) -> None:
    """One forward and backward of the next-token loss over FP32 weights; BF16 is autocast, or Finback's own. No optimizer."""
    row = ENGINES[engine](Path(folder, stored), "fp32")
    row.module.train().requires_grad_(True)
    B, T = TRAINING
    text = ids(folder, preset)[: B * (T + 1)].view(B, T + 1)

    def step(rows: int) -> tuple[float, float]:
        row.module.zero_grad()
        began = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=format == "bf16"):
            loss = row.loss(text[:rows, :-1], text[:rows, 1:])
        loss.backward()
        return time.perf_counter() - began, loss.item()

    times = {}
    for name, switch in row.variants.items():
        switch()
        step(1)
        times[name] = step(1)[0]
    best = min(times, key=times.get)
    row.variants[best]()
    seconds, losses = zip(*(step(B) for _ in range(2)))
    norm = torch.stack([p.grad.float().norm() for p in row.module.parameters() if p.grad is not None]).norm()
    emit_rate("training", T, B * T / min(seconds), variant=best, loss=losses[0], gradient_norm=float(norm))


def ceilings(preset: str, gemms: list[str], lengths: list[int], formats: dict[str, str]) -> None:
    """What the machine could do at best: its bandwidth and matrix products, and what they would make of the preset."""
    import transformers

    from finback.config import preset as config_of
    from finback.cost import flops_per_token
    from finback.ops import cpu

    config = config_of(preset)
    bandwidth = read_bandwidth()
    rates = {name: gemm_rate(name) for name in gemms}
    software = {
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "finback": cpu.level() or cpu.MISSING,
    }
    emit({"task": "machine", "bandwidth": bandwidth, "gemm": rates, "software": software})
    head = 2 * config.vocab_size * config.hidden_size
    for length in lengths:
        points = [1 + (length - 1) * i // 31 for i in range(32)]
        flops = sum(flops_per_token(config, n).total for n in points) / len(points)
        prefill = {name: rate / (flops - head * (length - 1) / length) for name, rate in rates.items()}
        decode = {name: bandwidth / bytes_per_token(config, name, source, length) for name, source in formats.items()}
        step = {name: rate / (3 * flops) for name, rate in rates.items()}
        emit({"task": "ceilings", "length": length, "prefill": prefill, "decode": decode, "training": step})


def bytes_per_token(config: Any, format: str, stored: str, context: int) -> float:
    """What one decoded token must read: the weights it passes through, as stored, and its cache in BF16."""
    import gguf
    from to_gguf import FORMATS, type_of

    from finback.checkpoint.layout import stored_tensors, total_bytes, weights

    weight_format, expert_format = STORED[stored]
    total = 0.0
    for weight in weights(config):
        if weight.name.startswith(("mtp.", "embed.")) or weight.kind == "table":
            continue
        if format in FORMATS:
            block, size = gguf.GGML_QUANT_SIZES[type_of(weight, format)]
            here = weight.numel / block * size
        else:
            here = total_bytes(stored_tensors(weight, expert_format, weight_format))
        total += here * (config.num_experts_per_tok / config.n_routed_experts if weight.kind == "expert" else 1)
    for kind, ratio in list(zip(config.layer_kinds, config.compress_ratios))[: config.num_hidden_layers]:
        entries = min(context, config.sliding_window)
        if kind == "CSA":
            entries += min(config.index_topk, context // ratio)
            total += 2 * config.index_head_dim * (context // ratio)
        elif kind == "HCA":
            entries += context // ratio
        total += 2 * config.head_dim * entries
    return total


def read_bandwidth() -> float:
    """Bytes per second of reading 1 GiB, the best of some reductions."""
    x = torch.ones(1 << 28)
    reductions = (lambda: x.sum(), lambda: x.amax(), lambda: torch.dot(x, x), lambda: x.view(torch.int32).sum())
    bytes_read = x.numel() * 4
    return max(bytes_read / timed(run) for run in reductions)


def gemm_rate(name: str) -> float:
    """Operations per second of the best of two large matrix products."""
    return max(gemm_rate_of(name, *shape) for shape in ((2048, 2048, 2048), (1024, 512, 1024)))


def gemm_rate_of(name: str, m: int, k: int, n: int) -> float:
    a, b = torch.randn(m, k), torch.randn(n, k)
    if name == "int8":
        a, b = (a * 20).to(torch.int8), (b * 20).to(torch.int8)
        return 2 * m * k * n / timed(lambda: torch._int_mm(a, b.t()))
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[name]
    a, b = a.to(dtype), b.to(dtype)
    return 2 * m * k * n / timed(lambda: F.linear(a, b))


def timed(run: Callable[[], object], rounds: int = 7) -> float:
    """The shortest time of some rounds, after one that warms up."""
    times = []
    for _ in range(1 + rounds):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return min(times[1:])


def peak_memory() -> int:
    """Bytes that this process has held at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def emit_rate(task: str, length: int, rate: float, **more: Any) -> None:
    emit({"task": task, "length": length, "rate": rate, "peak": peak_memory(), **more})


def emit(result: dict[str, Any]) -> None:
    with open(RESULTS, "a") as file:
        file.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    RESULTS, job, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    globals()[job](**options)
