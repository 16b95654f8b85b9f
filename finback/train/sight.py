"""What is a run doing now? A few lines in the terminal that follow it, and the same numbers for TensorBoard."""

from __future__ import annotations

import math
import shutil
import time
from collections import deque
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from finback.train.recipe import Recipe
from finback.train.stability import sentence

_SPARKS = "▁▂▃▄▅▆▇█"
WIDTH = 60  # of the loss curve, in characters
COLUMNS = 4


class LiveView:
    """Use as a context; `show` takes the log's rows. On a pipe instead of a terminal it prints a line now and then."""

    def __init__(self, console: Console, recipe: Recipe, steps: int):
        self.console, self.steps = console, steps
        self.total = recipe.schedule.tokens
        self.losses: list[float] = []
        self.recent: deque[tuple[float, int]] = deque(maxlen=20)  # (time, tokens)
        self.evaluation: dict[str, float] = {}
        self.sinkhorn: float | None = None
        self.bar = Progress(TextColumn(recipe.name), BarColumn(bar_width=40), MofNCompleteColumn(), TextColumn("{task.fields[eta]}"))
        self.task = self.bar.add_task("", total=steps, eta="")
        self.live = Live(console=console, refresh_per_second=2, transient=False)

    def __enter__(self) -> LiveView:
        self.live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.live.stop()

    def restart(self, past: list[dict[str, Any]]) -> None:
        """Goes on after the rows `past`, which may be fewer than were shown."""
        self.losses = [row["loss"] for row in past]
        self.recent.clear()

    def show(self, row: dict[str, Any]) -> None:
        if "event" in row:
            self.console.print(sentence(row["event"]), style="yellow", highlight=False)
        self.losses.append(row["loss"])
        self.recent.append((time.monotonic(), row["tokens"]))
        self.evaluation = row.get("bits_per_byte", self.evaluation)
        self.sinkhorn = row.get("sinkhorn_error", self.sinkhorn)
        (t0, n0), (t1, n1) = self.recent[0], self.recent[-1]
        speed = (n1 - n0) / (t1 - t0) if t1 > t0 else row["speed"]
        left = (self.total - row["tokens"]) / max(speed, 1e-9)
        self.bar.update(self.task, completed=min(row["step"], self.steps), eta=f"{_clock(left)} left")
        if self.console.is_terminal:
            self.live.update(Group(self.bar, sparkline(self.losses, WIDTH), self._numbers(row, speed)))
        elif "bits_per_byte" in row or row["step"] == 1:
            self.console.print(f"step {row['step']}/{self.steps} loss {row['loss']:.3f} {speed:,.0f} tok/s {self.evaluation}", highlight=False)

    def _numbers(self, row: dict[str, Any], speed: float) -> Table:
        found = {
            "loss": f"{row['loss']:.3f}", "MTP": _maybe(row, "mtp", ".3f"), "gradient": f"{row['grad_norm']:.2f}",
            "learning rate": f"{row['lr']:.1e}", "tokens/s": f"{speed:,.0f}", "attention": row["attention"],
            "recall": _maybe(row, "recall", ".0%"), "busiest expert": _maybe(row, "busiest_expert", ".2f", "x mean"),
            "idle experts": str(row["idle_experts"]), "routing": _maybe(row, "routing_age", "d", " steps old"),
            "MFU": f"{row['mfu']:.1%} of {row['ceiling'] / 1e9:,.0f} GFLOP/s",
            "Sinkhorn error": f"{self.sinkhorn:.0e}" if self.sinkhorn is not None else "",
            "bits/byte": "  ".join(f"{k} {v:.3f}" for k, v in self.evaluation.items()),
        }  # fmt: skip
        table = Table.grid(padding=(0, 2))
        items = [f"[dim]{name}[/] {value}" for name, value in found.items() if value]
        for a in range(0, len(items), COLUMNS):
            table.add_row(*items[a : a + COLUMNS])
        return table


class Board:
    """The log's rows as TensorBoard's curves, where the tensorboard package is installed. Use as a context.

    They are written anew from `past`, the rows so far, so that no step that a killed run repeats, or that one undoes,
    is there twice.
    """

    def __init__(self, folder: Path, past: list[dict[str, Any]]):
        self.folder, self.writer = folder, None
        self.restart(past)

    def restart(self, past: list[dict[str, Any]]) -> None:
        """Begins anew with the rows `past`."""
        self.__exit__()
        shutil.rmtree(self.folder, ignore_errors=True)
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            return
        self.writer = SummaryWriter(self.folder, purge_step=0)  # a TensorBoard that is watching drops what it has shown
        for row in past:
            self.show(row)

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.writer is not None:
            self.writer.close()

    def show(self, row: dict[str, Any]) -> None:
        if self.writer is None:
            return
        for name, value in row.items():
            for source, number in value.items() if isinstance(value, dict) else [("", value)]:
                if isinstance(number, (int, float)) and name != "step":
                    self.writer.add_scalar(f"{name}/{source}" if source else name, number, row["step"])


def sparkline(values: list[float], width: int) -> str:
    """The values as bars from low to high, averaged down to `width` characters."""
    size = max(math.ceil(len(values) / width), 1)
    means = [sum(values[i : i + size]) / len(values[i : i + size]) for i in range(0, len(values), size)]
    low, high = min(means), max(means)
    scale = (len(_SPARKS) - 1) / (high - low) if high > low else 0.0
    return "".join(_SPARKS[round((value - low) * scale)] for value in means) + f"  {values[-1]:.3f}"


def _maybe(row: dict[str, Any], key: str, spec: str, unit: str = "") -> str:
    return f"{row[key]:{spec}}{unit}" if key in row else ""


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"
