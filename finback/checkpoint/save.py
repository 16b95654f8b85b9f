"""How does a model become a checkpoint, and one checkpoint another?

`save` writes a model in DeepSeek's layout: one tensor per expert, official names, config.json,
generation_config.json, index. `convert` streams a stored checkpoint into another format or from
another spelling, one weight at a time, without building the model; where the stored form is
already the wanted one its bytes are copied, and FP4 becomes FP8 without loss.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from finback.config import ModelConfig
from finback.model import Transformer

from .formats import Format, FormatError, Stored, decode, e8m0_bytes, encode, recast_fp4_to_fp8
from .layout import Weight, expert_parts, official_tensors, scale_name, total_bytes, weights
from .reader import Checkpoint, CheckpointError, open_checkpoint
from .writer import SHARD_BYTES, replacing, write_json, write_shards

WEIGHT_FORMATS = ("bf16", "fp32", "fp8")
EXPERT_FORMATS = ("bf16", "fp32", "fp8", "fp4")

_QUANTISATION = {
    "activation_scheme": "dynamic",
    "fmt": "e4m3",
    "quant_method": "fp8",
    "scale_fmt": "ue8m0",
    "weight_block_size": [128, 128],
}


def save(
    model: Transformer,
    path: str | Path,
    weight_format: Format = "bf16",
    expert_format: Format | None = None,
    shard_bytes: float = SHARD_BYTES,
) -> None:
    """Writes the model to a directory, replacing a checkpoint that is there only once the new one is complete.

    `weight_format` is that of the dense linears ("fp8" as DeepSeek's; the other weights are then BF16),
    `expert_format` that of the routed experts ("fp4" as DeepSeek's), by default the same.
    """
    if model.kept:
        raise CheckpointError("this model's matrices are kept as they are stored: use `finback convert` on its files, or load it in float32")
    expert_format = expert_format or weight_format
    plan = _plan(model.config, expert_format, weight_format)
    state = model.state_dict()
    inventory = {w.name: w for w in weights(model.config)}

    def produce(name: str) -> dict[str, Tensor]:
        weight = inventory[name]
        return _named(name, _encoded(weight, _from_state(state, name), _format(weight, expert_format, weight_format)))

    with replacing(Path(path), total_bytes(plan)) as fresh:
        _write_configs(fresh, model.config, expert_format, weight_format)
        write_shards(fresh, plan, produce, shard_bytes)


def convert(
    source: str | Path,
    target: str | Path,
    weight_format: Format = "bf16",
    expert_format: Format | None = None,
    shard_bytes: float = SHARD_BYTES,
) -> None:
    """Rewrites a checkpoint in DeepSeek's layout and the given formats; memory holds one weight at a time."""
    checkpoint = open_checkpoint(source)
    expert_format = expert_format or weight_format
    origin = checkpoint.path.resolve()
    if Path(target).resolve() in (origin, origin.parent):
        raise CheckpointError(f"{target} holds the checkpoint to convert: give another directory")
    plan = _plan(checkpoint.config, expert_format, weight_format)
    inventory = {w.name: w for w in weights(checkpoint.config)}

    def produce(name: str) -> dict[str, Tensor]:
        weight = inventory[name]
        return _named(name, _converted(checkpoint, weight, _format(weight, expert_format, weight_format)))

    with replacing(Path(target), total_bytes(plan)) as fresh:
        _write_configs(fresh, checkpoint.config, expert_format, weight_format)
        write_shards(fresh, plan, produce, shard_bytes)


def _plan(config: ModelConfig, expert_format: Format, weight_format: Format) -> list[tuple[str, str, tuple[int, ...]]]:
    if weight_format not in WEIGHT_FORMATS:
        raise CheckpointError(f"weight_format is {weight_format!r}: choose one of {', '.join(WEIGHT_FORMATS)}")
    if expert_format not in EXPERT_FORMATS:
        raise CheckpointError(f"expert_format is {expert_format!r}: choose one of {', '.join(EXPERT_FORMATS)}")
    if expert_format == "fp4":
        for name in ("hidden_size", "moe_intermediate_size"):
            if getattr(config, name) % 2:
                raise CheckpointError(f"{name}={getattr(config, name)} is odd, but FP4 packs two values to a byte: use fp8")
    return list(official_tensors(config, expert_format, weight_format))


def _format(weight: Weight, expert_format: Format, weight_format: Format) -> Format | None:
    """The format one weight is stored in; None for the integer table."""
    if weight.kind in ("expert", "linear"):
        return expert_format if weight.kind == "expert" else weight_format
    if weight.kind == "plain":
        return "fp32" if weight_format == "fp32" else "bf16"
    return "fp32" if weight.kind == "float" else None


def _from_state(state: dict[str, Tensor], name: str) -> Tensor:
    expert = expert_parts(name)
    return state[name] if expert is None else state[expert[0] + expert[2]][expert[1]]


def _encoded(weight: Weight, value: Tensor, format: Format | None) -> Stored:
    if format is None:
        return Stored(value.to(torch.int64))
    try:
        return encode(value, format)
    except FormatError as error:
        raise CheckpointError(f"{weight.name} cannot be saved: {error}") from None


def _converted(checkpoint: Checkpoint, weight: Weight, format: Format | None) -> Stored:
    stored = checkpoint.stored(weight.name)
    try:
        if format == "fp8" and stored.format == "fp4":
            return recast_fp4_to_fp8(stored)
        if format in ("fp8", "fp4") and stored.format == format:
            return Stored(stored.data, e8m0_bytes(stored.scale).view(torch.float8_e8m0fnu))
        if stored.scale is not None:
            return _encoded(weight, decode(stored, torch.float32), format)
    except FormatError as error:
        raise CheckpointError(f"{weight.name} cannot be converted: {error}") from None
    return _encoded(weight, stored.data, format)


def _named(name: str, stored: Stored) -> dict[str, Tensor]:
    return {name: stored.data} if stored.scale is None else {name: stored.data, scale_name(name): stored.scale}


def _write_configs(directory: Path, config: ModelConfig, expert_format: Format, weight_format: Format) -> None:
    raw: dict[str, Any] = {**config.to_dict(), "torch_dtype": "float32" if weight_format == "fp32" else "bfloat16"}
    quantised = {"fp8", "fp4"} & {expert_format, weight_format}
    if quantised:
        raw["expert_dtype"] = expert_format
        raw["quantization_config"] = _QUANTISATION
    ModelConfig.from_dict(json.loads(json.dumps(raw)))  # what we write, we can read
    write_json(directory / "config.json", raw)
    generation = {"bos_token_id": config.bos_token_id, "eos_token_id": config.eos_token_id}
    write_json(
        directory / "generation_config.json",
        {"_from_model_config": True, **generation, "do_sample": True, "temperature": 1.0, "top_p": 1.0},
    )
