"""What did the loss do? One picture of a run."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

IN_A_COLUMN = 14  # names of sources in the legend


def plot_run(log: list[dict], file: Path, title: str) -> None:
    """Training loss (thin: each step; thick: running mean) and validation bits per byte of each source, the one with most at the
    end first, against tokens. Both scales are logarithmic, as late gains are small numbers."""
    tokens = [row["tokens"] / 1e6 for row in log]
    losses = [row["loss"] for row in log]
    mean, smooth = losses[0], []
    for loss in losses:
        mean = 0.95 * mean + 0.05 * loss
        smooth.append(mean)
    evaluated = [row for row in log if "bits_per_byte" in row]
    bits = {name: [row["bits_per_byte"][name] for row in evaluated] for name in (evaluated[-1]["bits_per_byte"] if evaluated else ())}
    columns = -(-len(bits) // IN_A_COLUMN)
    figure = Figure(figsize=(9 + 1.4 * columns, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(tokens, losses, color="#9db8d9", linewidth=0.7)
    left.plot(tokens, smooth, color="#1f4e8c", linewidth=1.8)
    left.set(xlabel="million tokens", ylabel="training loss (nats per token)", yscale="log")
    at = [row["tokens"] / 1e6 for row in evaluated]
    for i, name in enumerate(sorted(bits, key=lambda name: -bits[name][-1])):
        right.plot(at, bits[name], marker="o", markersize=3, color=f"C{i % 10}", linestyle=("-", "--", ":")[i // 10 % 3], label=name)
    right.set(xlabel="million tokens", ylabel="validation bits per byte", yscale="log")
    if bits:
        right.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0, fontsize="small", ncols=columns)
    for axis in (left, right):
        axis.grid(alpha=0.3)
    figure.suptitle(title)
    figure.savefig(file, dpi=110)
