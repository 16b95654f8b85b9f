"""What does a step of Muon cost, against AdamW's and against the rest of a training step?

    python benchmarks/muon.py                        # preset mini, passes of 4096 tokens
    python benchmarks/muon.py --preset nano --tokens 8192

Gradients come from forward and backward passes over random tokens; what they do not reach (indexer,
MTP) gets noise, so that every parameter is moved. Muon runs with equal shapes batched (the default)
and with one call for each matrix; the plain AdamW is PyTorch's fused one over the same parameters.
The optimizers take turns, and the medians are compared. A step of several passes accumulates them.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from statistics import median

import torch
import torch.nn.functional as F
from rich.console import Console
from rich.table import Table

from finback.config import preset
from finback.model import Batch, Transformer, new_model
from finback.train.optim import MuonAdamW, chunk_elements, compute_dtype, parameter_groups, table

SEQUENCE = 512
WEIGHT_DECAY = 0.1
ROUNDS = 3
PASSES = (1, 4, 16)


def seconds(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def forward_and_backward(model: Transformer, tokens: int) -> None:
    generator = torch.Generator().manual_seed(0)
    rows = torch.randint(0, model.config.vocab_size, (tokens // SEQUENCE, SEQUENCE + 1), generator=generator)
    model.zero_grad()
    F.cross_entropy(model(Batch.of(list(rows[:, :-1]))), rows[:, 1:].flatten()).backward()


def optimizers(model: Transformer) -> dict[str, torch.optim.Optimizer]:
    groups = parameter_groups(model, WEIGHT_DECAY)
    device = model.embed.weight.device
    found: dict[str, torch.optim.Optimizer] = {
        "Muon + AdamW, batched": MuonAdamW(groups, compute_dtype(device), chunk_elements(device)),
        "Muon + AdamW, one by one": MuonAdamW(groups, compute_dtype(device), 1),
        "AdamW alone, fused": torch.optim.AdamW([m.parameter for g in groups for m in g.members], fused=True),
    }
    for optimizer in found.values():
        for group in optimizer.param_groups:
            group["lr"] = 1e-4
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="mini")
    parser.add_argument("--tokens", type=int, default=4096, help=f"tokens of a pass, a multiple of {SEQUENCE}")
    options = parser.parse_args()
    console = Console(width=140)
    model = new_model(preset(options.preset), seed=0)
    console.print(table(parameter_groups(model, WEIGHT_DECAY)))

    one_pass = median(seconds(lambda: forward_and_backward(model, options.tokens)) for _ in range(ROUNDS))
    for p in model.parameters():
        if p.requires_grad and p.grad is None:
            p.grad = torch.randn_like(p)
    runners = optimizers(model)
    for optimizer in runners.values():  # makes the optimizers' state
        optimizer.step()
    times: dict[str, list[float]] = {name: [] for name in runners}
    for _ in range(ROUNDS):
        for name, optimizer in runners.items():
            times[name].append(seconds(optimizer.step))

    out = Table("optimizer", "seconds", *(f"share of {n} x {options.tokens:,} tokens" for n in PASSES))
    for name, values in times.items():
        t = median(values)
        out.add_row(name, f"{t:.3f}", *(f"{t / (t + n * one_pass):.1%}" for n in PASSES))
    console.print(out)
    console.print(
        f"A forward and backward pass of {options.tokens:,} tokens: {one_pass:.2f} s. {torch.get_num_threads()} threads, "
        f"torch {torch.__version__}, load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors "
        "(more than these threads: others were computing at the same time)"
    )


if __name__ == "__main__":
    main()
