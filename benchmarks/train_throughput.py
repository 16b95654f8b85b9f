"""How fast does Finback train, against transformers on the same weights, batch, precision and optimizer?

    python benchmarks/train_throughput.py                 # bench-small, 8 sequences of 512, FP32 and BF16
    python benchmarks/train_throughput.py --preset bench-mid --precision bf16

A step is forward, backward and AdamW (PyTorch's fused one) over FP32 weights; BF16 is autocast in transformers and
`precision = "bf16"` here. Both minimise the next-token loss alone. Each side runs in a process of its own, transformers
with each of its expert implementations, the better one counts; the sides take turns, and medians are compared. Loss and
gradient of the first step must agree before a time counts. The ceiling is the rate of bare matrix products, FP32 and
BF16, in the same run; a model's share of it counts the FLOPs that the architecture asks for (`finback.cost`).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
SIDES = ("transformers eager", "transformers grouped_mm", "finback")
GAP = {"fp32": 1e-3, "bf16": 3e-2}  # relative, of the loss and of the gradient's norm


def job(side: str, precision: str, folder: Path, preset: str, shape: tuple[int, int], steps: int) -> None:
    """One side: its steps as a line of JSON each, when a line on standard input asks for it."""
    if side == "finback":  # before PyTorch, as the command line does: it sets how long OpenMP's threads spin
        import finback  # noqa: F401
    import torch
    from cpu_jobs import ENGINES, ids, peak_memory

    from finback.device import keep_freed_memory
    from finback.model import Batch
    from finback.train.losses import Weights, losses
    from finback.train.optim import build_optimizer

    B, T = shape
    if side == "finback":  # as `finback train` does
        keep_freed_memory()
    row = ENGINES[side.split()[0]](folder, "fp32")
    model = row.module.train().requires_grad_(True)
    text = ids("", preset)[: B * (T + 1)].view(B, T + 1)
    inputs, targets = text[:, :-1], text[:, 1:].flatten()
    half = precision == "bf16"
    if side == "finback":
        for name, p in model.named_parameters():  # moved by the balance rule, not by a gradient
            p.requires_grad_(not name.endswith("gate.bias"))
        optimizer = build_optimizer(model, 0.1, "adamw")
        optimizer.set_learning_rate(1e-5)
    else:
        row.variants[side.split()[1]]()
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=0.1, fused=True)

    def loss() -> torch.Tensor:
        if side == "finback":
            alone = Weights(mtp=0.0, balance=0.0, indexer=0.0)
            return losses(model, Batch.of(list(inputs)), targets, alone, dtype=torch.bfloat16 if half else None).total
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            return row.loss(inputs, targets.view(B, T))

    for _ in sys.stdin:
        times = [time.perf_counter()]
        found = loss()
        times.append(time.perf_counter())
        found.backward()
        times.append(time.perf_counter())
        norm = torch.stack([p.grad.float().norm() for p in model.parameters() if p.grad is not None]).norm().item()
        times.append(time.perf_counter())
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        times.append(time.perf_counter())
        forward, backward, _, step = (b - a for a, b in zip(times, times[1:]))
        print(json.dumps({
            "loss": found.item(), "norm": norm, "forward": forward, "backward": backward, "step": step, "peak": peak_memory(),
        }), flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="bench-small")
    parser.add_argument("--precision", action="append", choices=sorted(GAP), help="default: both")
    parser.add_argument("--batch", type=int, nargs=2, default=(8, 512), metavar=("SEQUENCES", "TOKENS"))
    parser.add_argument("--steps", type=int, default=5, help="of each side, the first of which is not counted")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--job", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        side, precision, folder = options.job
        job(side, precision, Path(folder), options.preset, tuple(options.batch), options.steps)
        return
    if os.getloadavg()[0] > 0.5:
        print(f"the machine is busy (load {os.getloadavg()[0]:.1f}): do not quote these figures", file=sys.stderr)
    with tempfile.TemporaryDirectory() as temporary:
        measure(options, Path(temporary))


def measure(options: argparse.Namespace, folder: Path) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads), "PYTHONPATH": str(HERE.parent)}
    subprocess.run([sys.executable, "-c", PREPARE, str(HERE), str(folder), options.preset], env=environment, check=True)
    ceilings = json.loads(
        subprocess.run(
            [sys.executable, "-c", CEILING, str(HERE), options.preset, *map(str, options.batch)],
            env=environment, check=True, capture_output=True, text=True,
        ).stdout
    )  # fmt: skip
    tokens = options.batch[0] * options.batch[1]
    print(f"{options.preset}, {options.batch[0]} sequences of {options.batch[1]} tokens, {options.threads} threads")
    print(f"matrix products: FP32 {ceilings['fp32'] / 1e9:,.0f} GFLOP/s, BF16 {ceilings['bf16'] / 1e9:,.0f} GFLOP/s\n")
    print("| precision | side | forward s | backward s | AdamW s | tokens/s | share of the BF16 rate | peak GiB |")
    print("|---|---|---|---|---|---|---|---|")
    for precision in options.precision or ("fp32", "bf16"):
        rows = run(options, precision, folder, environment)
        speeds = {}
        for side, found in rows.items():
            counted = found[1:]
            parts = [median(row[part] for row in counted) for part in ("forward", "backward", "step")]
            speeds[side] = tokens / sum(parts)
            share = ceilings["flops"] / sum(parts) / ceilings["bf16"]
            cells = [precision, side, *(f"{p:.2f}" for p in parts), f"{speeds[side]:,.0f}", f"{share:.1%}"]
            print("| " + " | ".join([*cells, f"{max(row['peak'] for row in found) / 2**30:.2f}"]) + " |")
        peer = max((side for side in speeds if side != "finback"), key=speeds.get)
        for name in ("loss", "norm"):
            a, b = rows["finback"][0][name], rows[peer][0][name]
            if abs(a / b - 1) > GAP[precision]:
                sys.exit(f"{precision}: the {name} differs: {a} here, {b} in transformers: the times do not count")
        print(f"\n{precision}: finback / {peer} = {speeds['finback'] / speeds[peer]:.2f}x\n", flush=True)


def run(options: argparse.Namespace, precision: str, folder: Path, environment: dict[str, str]) -> dict[str, list[dict]]:
    """The steps of every side, in turn; a side that waits for its turn uses no processor."""
    shape = [str(n) for n in options.batch]
    processes = {
        side: subprocess.Popen(
            [sys.executable, __file__, "--preset", options.preset, "--batch", *shape, "--job", side, precision, str(folder)],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for side in SIDES
    }  # fmt: skip
    rows: dict[str, list[dict]] = {side: [] for side in SIDES}
    try:
        for _ in range(options.steps):
            for side, process in processes.items():
                process.stdin.write("step\n")
                process.stdin.flush()
                line = process.stdout.readline()
                if not line:
                    sys.exit(f"{side} failed in {precision}")
                rows[side].append(json.loads(line))
    finally:
        for process in processes.values():
            process.kill()
            process.wait()
    return rows


PREPARE = """
import sys
sys.path.insert(0, sys.argv[1])
from cpu_jobs import bench_model
from finback.checkpoint import save
save(bench_model(sys.argv[3]), sys.argv[2], "fp32")
"""
CEILING = """
import json, sys
sys.path.insert(0, sys.argv[1])
from cpu_jobs import gemm_rate
from finback.config import preset
from finback.cost import training_flops
B, T = int(sys.argv[3]), int(sys.argv[4])
flops = training_flops(preset(sys.argv[2]), [T] * B, "sparse", False)
print(json.dumps({"fp32": gemm_rate("fp32"), "bf16": gemm_rate("bf16"), "flops": flops}))
"""

if __name__ == "__main__":
    main()
