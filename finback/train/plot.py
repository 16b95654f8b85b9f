"""What did the loss do? One picture of a run."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure


def plot_run(log: list[dict], file: Path, title: str) -> None:
    """Training loss (thin: each step; thick: running mean) and validation bits per byte, against tokens."""
    tokens = [row["tokens"] / 1e6 for row in log]
    losses = [row["loss"] for row in log]
    mean, smooth = losses[0], []
    for loss in losses:
        mean = 0.95 * mean + 0.05 * loss
        smooth.append(mean)
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(tokens, losses, color="#9db8d9", linewidth=0.7)
    left.plot(tokens, smooth, color="#1f4e8c", linewidth=1.8)
    left.set(xlabel="million tokens", ylabel="training loss (nats per token)")
    evaluated = [row for row in log if "bits_per_byte" in row]
    for name in evaluated[-1]["bits_per_byte"] if evaluated else ():
        right.plot([r["tokens"] / 1e6 for r in evaluated], [r["bits_per_byte"][name] for r in evaluated], marker="o", label=name)
    right.set(xlabel="million tokens", ylabel="validation bits per byte")
    if evaluated:
        right.legend()
    for axis in (left, right):
        axis.grid(alpha=0.3)
    figure.suptitle(title)
    figure.savefig(file, dpi=110)
