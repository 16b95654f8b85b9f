"""What would a user want to know about a checkpoint before loading it?

`inspect` gathers it (layers, files, parameters, cache, FLOPs, whether it fits this machine) into
one dataclass, from headers and the config alone; `render` draws that for a terminal and `to_dict`
gives it as JSON. The numbers come from `finback.checkpoint.inspect` and `finback.cost`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from rich.text import Text

from finback import cost, device
from finback.checkpoint.inspect import Inventory, inventory
from finback.checkpoint.layout import weights
from finback.config import ModelConfig
from finback.model import storage_dtype

CONTEXTS = (4096, 32768, 131072, 1048576)
_LOAD_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
_CELLS = {"SWA": ("S", "black on bright_cyan"), "CSA": ("C", "black on bright_green"), "HCA": ("H", "black on bright_magenta")}
_LEGEND = {"SWA": "sliding window", "CSA": "compressed sparse attention", "HCA": "heavily compressed attention"}


@dataclass(frozen=True)
class Cache:
    """Bytes of one sequence's cache in one layout; `at` pairs contexts with bytes."""

    layout: str
    per_token: float
    window: int
    at: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Work:
    """FLOPs of one token at the end of a context."""

    context: int
    flops: cost.Flops


@dataclass(frozen=True)
class Fit:
    """Bytes of the weights in memory for a load dtype, and whether they fit into `memory`. "stored" is read from the mapped
    files: what does not fit is read again and again."""

    dtype: str
    needed: int
    memory: int

    @property
    def fits(self) -> bool:
        return self.needed <= self.memory


@dataclass(frozen=True)
class Model:
    """What follows from the config."""

    config: ModelConfig
    parameters: cost.Parameters
    caches: tuple[Cache, ...]
    work: tuple[Work, ...]
    fits: tuple[Fit, ...]


@dataclass(frozen=True)
class Report:
    """Everything `finback inspect` says; `model` is None for a file without a config."""

    inventory: Inventory
    model: Model | None

    def to_dict(self) -> dict[str, Any]:
        """JSON types only; derived numbers included."""
        found = asdict(self.inventory)
        del found["config"]
        out: dict[str, Any] = {**found, "tensors": self.inventory.tensors, "bytes": self.inventory.bytes, "model": None}
        if self.model:
            m = self.model
            out["model"] = {
                "config": m.config.to_dict(),
                "layers": list(m.config.layer_kinds[: m.config.num_hidden_layers]),
                "mtp_layers": list(m.config.layer_kinds[m.config.num_hidden_layers :]),
                "parameters": {**asdict(m.parameters), "main": m.parameters.main, "total": m.parameters.total},
                "cache": [{**asdict(c), "at": dict(c.at)} for c in m.caches],
                "flops_per_token": [
                    {"context": w.context, **asdict(w.flops), "total": w.flops.total, "fp8_equivalent": w.flops.fp8_equivalent}
                    for w in m.work
                ],
                "fits": [{**asdict(f), "fits": f.fits} for f in m.fits],
            }
        return out


def inspect(path: str | Path, memory: int | None = None) -> Report:
    """Reports on a directory, a .safetensors file or a config.json. `memory`: bytes to fit into, else this machine's."""
    found = inventory(path)
    if found.config is None:
        return Report(found, None)
    config = found.config
    caches = tuple(
        Cache(
            layout.name,
            cost.cache_bytes_per_token(config, layout),
            cost.window_bytes(config, layout),
            tuple((n, cost.cache_bytes(config, n, layout)) for n in CONTEXTS),
        )
        for layout in cost.cache_layouts(config)
    )
    work = tuple(Work(n, cost.flops_per_token(config, n)) for n in CONTEXTS)
    memory = device.memory(torch.device("cpu")) if memory is None else memory
    fits = [Fit(name, weight_bytes(config, dtype), memory) for name, dtype in _LOAD_DTYPES.items()]
    fits.append(Fit("stored", found.bytes, memory))
    return Report(found, Model(config, cost.parameters(config), caches, work, tuple(fits)))


def weight_bytes(config: ModelConfig, dtype: torch.dtype) -> int:
    """Bytes of a loaded model's weights for a compute dtype."""
    return sum(w.numel * storage_dtype(w.name, dtype).itemsize for w in weights(config))


def render(report: Report, console: Console) -> None:
    """Draws a report."""
    found = report.inventory
    console.print(Text(found.path, style="bold"))
    for note in found.notes:
        console.print(Text(f"note: {note}", style="yellow"))
    for problem in found.problems:
        console.print(Text(f"problem: {problem}", style="bold red"))
    if report.model:
        _render_layers(report.model.config, console)
    _render_files(found, console)
    if report.model:
        _render_parameters(report.model.parameters, console)
        _render_cache(report.model, console)
        _render_work(report.model.work, console)
        _render_fits(report.model.fits, console)


def _render_layers(config: ModelConfig, console: Console) -> None:
    strip = Text("layers  ")
    for i, kind in enumerate(config.layer_kinds):
        if i == config.num_hidden_layers:
            strip.append(" MTP ")
        strip.append(*_CELLS[kind])
    console.print()
    console.print(strip)
    legend = Text("        ")
    for kind in dict.fromkeys(config.layer_kinds):
        ratios = sorted({r for k, r in zip(config.layer_kinds, config.compress_ratios) if k == kind and r})
        legend.append(*_CELLS[kind])
        legend.append(f" {_LEGEND[kind]}" + (f" (1/{', 1/'.join(map(str, ratios))})" if ratios else "") + "   ")
    console.print(legend)
    console.print(
        f"        {config.num_hidden_layers} layers, hidden {config.hidden_size}, {config.num_attention_heads} heads of "
        f"{config.head_dim}, {config.n_routed_experts} experts ({config.num_experts_per_tok} + 1 active), "
        f"vocabulary {config.vocab_size:,}" + (", indexer in FP4" if config.index_fp4 else "")
    )


def _render_files(found: Inventory, console: Console) -> None:
    where = "computed from DeepSeek's layout" if found.computed else f"in {found.files} file{'s' * (found.files != 1)}"
    _heading(f"{found.tensors:,} tensors, {size(found.bytes)} ({found.bytes:,} bytes) {where}", console)
    table = _table("dtype", "tensors", "bytes", "used for")
    uses = {found.linear_dtype: "linears", found.expert_dtype: "experts"}
    if found.linear_dtype == found.expert_dtype:
        uses = {found.linear_dtype: "linears, experts"}
    for stock in found.by_dtype:
        table.add_row(stock.dtype, f"{stock.tensors:,}", size(stock.bytes), uses.get(stock.dtype, ""))
    console.print(table)


def _render_parameters(p: cost.Parameters, console: Console) -> None:
    _heading(f"{count(p.total)} parameters ({count(p.main)} without MTP), {count(p.active)} active per token", console)
    table = _table("part", "parameters", "share")
    for part, n in asdict(p).items():
        if part != "active" and n:
            table.add_row(part.replace("_", " "), count(n), f"{n / p.total:.1%}")
    console.print(table)


def _render_cache(model: Model, console: Console) -> None:
    _heading("cache of one sequence", console)
    table = _table("layout", "per token", "window (fixed)", *(tokens(n) for n in CONTEXTS))
    for cache in model.caches:
        table.add_row(cache.layout, f"{cache.per_token:,.0f} B", size(cache.window), *(size(b) for _, b in cache.at))
    console.print(table)
    if model.config.max_position_embeddings < CONTEXTS[-1]:
        console.print(f"(the model is made for at most {model.config.max_position_embeddings:,} tokens)", style="dim")


def _render_work(work: tuple[Work, ...], console: Console) -> None:
    _heading("GFLOPs of one token", console)
    table = _table("context", "linear", "window", "CSA", "HCA", "indexer", "total", "FP8-equivalent")
    for w in work:
        f = w.flops
        parts = (f.linear, f.window, f.csa, f.hca, f.indexer, f.total, f.fp8_equivalent)
        table.add_row(tokens(w.context), *(f"{x / 1e9:,.4g}" for x in parts))
    console.print(table)


def _render_fits(fits: tuple[Fit, ...], console: Console) -> None:
    _heading("this machine", console)
    for fit in fits:
        verdict = Text("fits", style="green") if fit.fits else Text("does not fit", style="red")
        console.print(Text(f"  {fit.dtype}: weights take {size(fit.needed)}, {size(fit.memory)} of memory available: ") + verdict)


def _heading(text: str, console: Console) -> None:
    console.print()
    console.print(Text(text, style="bold"))


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(columns[0])
    for column in columns[1:]:
        table.add_column(column, justify="right")
    return table


def size(nbytes: float) -> str:
    """1536 -> '1.50 KiB'."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if nbytes < 1024:
            break
        nbytes /= 1024
    else:
        unit = "TiB"
    return f"{nbytes:.0f} B" if unit == "B" else f"{nbytes:.2f} {unit}"


def count(n: float) -> str:
    """284332240471 -> '284.33B'."""
    for unit, scale in (("B", 1e9), ("M", 1e6), ("K", 1e3)):
        if n >= scale:
            return f"{n / scale:,.2f}{unit}"
    return f"{n:.0f}"


def tokens(n: int) -> str:
    """131072 -> '128K'."""
    return f"{n >> 20}M" if n >= 1 << 20 else f"{n >> 10}K"
