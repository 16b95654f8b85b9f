"""How fast does the reference path decode, against transformers on the same weights?

    python benchmarks/decode.py                      # both presets, contexts 128 and 4096
    python benchmarks/decode.py --preset bench-small --context 4096

Both run in FP32 in one process with the same threads; their logits must agree before a time counts.
They take turns, a few tokens each, and the medians are compared. transformers runs with each of its
expert implementations, and its best one is the peer. The ceiling is the time to read the active
weights once at the bandwidth of a large matrix-vector product, measured in the same run.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

import torch
from transformers import AutoModelForCausalLM

from finback.checkpoint import save
from finback.config import preset
from finback.cost import parameters
from finback.model import Batch, Transformer, new_model

CHUNK = 1024


def bench_model(name: str) -> Transformer:
    """Random weights with non-zero sinks, positional biases, hyper-connection bases and router biases."""
    model = new_model(preset(name), seed=0).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(1)
    for parameter_name, p in model.named_parameters():
        if parameter_name.endswith(("attn_sink", "ape", "_base")):
            p.add_(torch.randn(p.shape, generator=generator), alpha=0.3)
        elif parameter_name.endswith("gate.bias"):
            p.add_(torch.randn(p.shape, generator=generator), alpha=0.02)
    return model


class Ours:
    def __init__(self, model: Transformer, ids: torch.Tensor):
        self.model, self.state = model, model.new_state()
        began = time.perf_counter()
        for a in range(0, len(ids), CHUNK):
            self.logits = self.step(ids[a : a + CHUNK])
        self.prefill = len(ids) / (time.perf_counter() - began)

    def step(self, ids: torch.Tensor) -> torch.Tensor:
        return self.model(Batch.of([ids], [self.state.length]), [self.state], rows=torch.tensor([-1]))[0]


class Theirs:
    def __init__(self, model, ids: torch.Tensor):
        self.model, self.cache = model, None
        began = time.perf_counter()
        for a in range(0, len(ids), CHUNK):
            self.logits = self.step(ids[a : a + CHUNK])
        self.prefill = len(ids) / (time.perf_counter() - began)

    def step(self, ids: torch.Tensor) -> torch.Tensor:
        out = self.model(ids[None], past_key_values=self.cache, use_cache=True, logits_to_keep=1)
        self.cache = out.past_key_values
        return out.logits[0, -1]


def read_bandwidth() -> float:
    """Bytes per second of matrix-vector products over 512 MiB of FP32."""
    matrices = [torch.randn(4096, 1024) for _ in range(32)]
    x = torch.randn(1, 1024)
    times = []
    for _ in range(5):
        began = time.perf_counter()
        for matrix in matrices:
            torch.nn.functional.linear(x, matrix)
        times.append(time.perf_counter() - began)
    return sum(m.numel() * 4 for m in matrices) / median(times)


def decode_times(runners: dict[str, object], rounds: int, tokens: int) -> dict[str, float]:
    """Median seconds per token of each runner, the runners taking turns."""
    times: dict[str, list[float]] = {name: [] for name in runners}
    for _ in range(rounds):
        for name, runner in runners.items():
            for t in range(tokens):
                began = time.perf_counter()
                runner.step(torch.tensor([17 + t]))
                times[name].append(time.perf_counter() - began)
    return {name: median(values) for name, values in times.items()}


@torch.inference_mode()
def compare(name: str, contexts: list[int]) -> None:
    model = bench_model(name)
    with tempfile.TemporaryDirectory() as folder:
        save(model, Path(folder) / "model", weight_format="fp32")
        peers = {
            kind: AutoModelForCausalLM.from_pretrained(Path(folder) / "model", dtype=torch.float32, experts_implementation=kind).eval()
            for kind in ("eager", "grouped_mm")
        }
    ceiling = read_bandwidth() / (4 * parameters(model.config).active)
    for context in contexts:
        ids = torch.randint(0, model.config.vocab_size, (context,), generator=torch.Generator().manual_seed(2))
        runners: dict[str, object] = {kind: Theirs(peer, ids) for kind, peer in peers.items()}
        runners["finback"] = Ours(model, ids)
        gap = max(float((runners["finback"].logits - runners[k].logits).abs().max()) for k in peers)
        spread = float(runners["finback"].logits.std())
        # ReLU makes index scores of exactly zero common; where such a tie lies at the border of the top-k, the two
        # break it differently and read another entry. A wrong model differs by the spread itself.
        assert gap < 0.03 * spread, f"logits differ by {gap} (spread {spread}): the times would not be comparable"
        seconds = decode_times(runners, rounds=5, tokens=8)
        best = min(seconds[kind] for kind in peers)
        print(
            f"| {name} | {context} | {1 / best:.1f} | {1 / seconds['finback']:.1f} | **{best / seconds['finback']:.2f}x** "
            f"| {max(runners[k].prefill for k in peers):.0f} | {runners['finback'].prefill:.0f} | {ceiling:.0f} | {gap / spread:.0e} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", action="append", choices=["bench-small", "bench-mid"])
    parser.add_argument("--context", action="append", type=int)
    options = parser.parse_args()
    print(f"FP32, {torch.get_num_threads()} threads, torch {torch.__version__}; tokens per second")
    print("| preset | context | transformers decode | finback decode | ratio | transformers prefill | finback prefill | decode ceiling | logits' gap |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in options.preset or ["bench-small", "bench-mid"]:
        compare(name, options.context or [128, 4096])


if __name__ == "__main__":
    main()
