"""What is a run doing now? A few lines in the terminal that follow it."""

from __future__ import annotations

import math
import time
from collections import deque
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from finback.train.recipe import Recipe

_SPARKS = "▁▂▃▄▅▆▇█"
WIDTH = 60  # of the loss curve, in characters


class LiveView:
    """Use as a context; `show` takes the log's rows. On a pipe instead of a terminal it prints a line now and then."""

    def __init__(self, console: Console, recipe: Recipe, steps: int):
        self.console, self.steps = console, steps
        self.total = recipe.schedule.tokens
        self.losses: list[float] = []
        self.recent: deque[tuple[float, int]] = deque(maxlen=20)  # (time, tokens)
        self.evaluation: dict[str, float] = {}
        self.bar = Progress(TextColumn(recipe.name), BarColumn(bar_width=40), MofNCompleteColumn(), TextColumn("{task.fields[eta]}"))
        self.task = self.bar.add_task("", total=steps, eta="")
        self.live = Live(console=console, refresh_per_second=2, transient=False)

    def __enter__(self) -> LiveView:
        self.live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.live.stop()

    def show(self, row: dict[str, Any]) -> None:
        self.losses.append(row["loss"])
        self.recent.append((time.monotonic(), row["tokens"]))
        self.evaluation = row.get("bits_per_byte", self.evaluation)
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
            "idle experts": str(row["idle_experts"]), "bits/byte": "  ".join(f"{k} {v:.3f}" for k, v in self.evaluation.items()),
        }  # fmt: skip
        table = Table.grid(padding=(0, 2))
        items = [f"[dim]{name}[/] {value}" for name, value in found.items() if value]
        table.add_row(*items[:5])
        table.add_row(*items[5:9])
        table.add_row(*items[9:])
        return table


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
