"""What is in these files? Counts and bytes from headers alone.

Takes a checkpoint directory, one .safetensors file (whole or a shard, with or without a
config.json beside it) or a bare config.json, whose file sizes are then computed from DeepSeek's
layout. No weight is read and nothing is allocated.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from finback.config import ModelConfig

from .layout import official_tensors, tensor_bytes
from .names import WeightNameError, canonical
from .reader import INDEX, CheckpointError, Entry, find_files, match, read_config, read_headers


@dataclass(frozen=True)
class Stock:
    """How many tensors of one dtype, and their bytes."""

    dtype: str
    tensors: int
    bytes: int


@dataclass(frozen=True)
class Inventory:
    """The tensors of a checkpoint. `computed` is true if there were no files, only a config."""

    path: str
    computed: bool
    config: ModelConfig | None
    files: int
    by_dtype: tuple[Stock, ...]
    expert_dtype: str | None
    linear_dtype: str | None
    notes: tuple[str, ...]
    problems: tuple[str, ...]

    @property
    def tensors(self) -> int:
        return sum(s.tensors for s in self.by_dtype)

    @property
    def bytes(self) -> int:
        return sum(s.bytes for s in self.by_dtype)


def inventory(path: str | Path) -> Inventory:
    """What lies at `path`; raises CheckpointError or ConfigError if nothing can be said about it."""
    path = Path(path)
    if path.suffix == ".json":
        if path.name == INDEX:
            raise CheckpointError(f"{path} is an index: give the directory it lies in")
        return _from_config(path)
    if path.is_dir() and (path / "config.json").exists() and not (path / INDEX).exists() and not any(path.glob("*.safetensors")):
        return replace(_from_config(path / "config.json"), path=str(path))
    files, promised = find_files(path)
    found = read_headers(files)
    directory = path if path.is_dir() else path.parent
    if path.is_file() and not (directory / "config.json").exists():
        note = "there is no config.json beside this file, so only its tensors can be told"
        return _inventory(path, False, None, 1, _triples(found), (note,), ())
    checkpoint = match(path, read_config(directory), found, promised)
    notes, problems = checkpoint.notes, checkpoint.problems
    if path.is_file() and "-of-" in path.name:
        notes, problems = (f"this is one shard; what follows about the model is from {directory / 'config.json'}",), ()
    return _inventory(path, False, checkpoint.config, len(files), _triples(found), notes, problems)


def _from_config(file: Path) -> Inventory:
    config = ModelConfig.from_file(file)
    raw = json.loads(file.read_text(encoding="utf-8"))
    expert_format, weight_format = announced_formats(raw)
    config = config.replace(index_fp4=raw.get("index_fp4", expert_format == "fp4"))
    note = f"no weights here: sizes are computed from DeepSeek's layout ({weight_format} linears, {expert_format} experts)"
    tensors = list(official_tensors(config, expert_format, weight_format))
    return _inventory(file, True, config, 0, tensors, (note,), ())


def announced_formats(raw: dict[str, Any]) -> tuple[str, str]:
    """(expert format, linear format) of the files a config.json was published with."""
    if raw.get("quantization_config"):
        # the first revisions did not say that their experts are FP4
        expert = raw.get("expert_dtype") or raw["quantization_config"].get("expert_dtype") or "fp4"
        return ("fp8" if str(expert).startswith("fp8") else "fp4"), "fp8"
    plain = "fp32" if str(raw.get("torch_dtype") or raw.get("dtype")).endswith("float32") else "bf16"
    return plain, plain


def _inventory(
    path: Path,
    computed: bool,
    config: ModelConfig | None,
    files: int,
    tensors: list[tuple[str, str, tuple[int, ...]]],
    notes: tuple[str, ...],
    problems: tuple[str, ...],
) -> Inventory:
    stocks: dict[str, list[int]] = {}
    seen: dict[str, str] = {}
    for name, dtype, shape in tensors:
        stock = stocks.setdefault(dtype, [0, 0])
        stock[0] += 1
        stock[1] += tensor_bytes(dtype, shape)
        if len(seen) < 2 and (kind := _quantisable(name)):
            seen.setdefault(kind, dtype)
    by_dtype = tuple(Stock(d, n, b) for d, (n, b) in sorted(stocks.items(), key=lambda item: -item[1][1]))
    return Inventory(str(path), computed, config, files, by_dtype, seen.get("expert"), seen.get("linear"), notes, problems)


def _triples(found: Iterable[Entry]) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(e.name, e.dtype, e.shape) for e in found]


def _quantisable(name: str) -> str | None:
    """Whether a tensor, in any spelling, is an expert's or a dense linear's weight."""
    try:
        official = canonical(name)
    except WeightNameError:
        return None
    if official.endswith(".scale"):
        return None
    if ".ffn.experts." in official:
        return "expert"
    return "linear" if official.endswith((".wq_a.weight", ".wkv.weight")) and "compressor" not in official else None
