"""How does a checkpoint become a model?

The model is built without memory, then filled: weights stored in the type they are computed in
stay memory-mapped, the others are decoded one at a time, and experts go straight into their
layer's stack. So the peak is the model plus one expert. Or the matrices stay what they are in the
file, FP8 and FP4 memory-mapped, and the native kernels decode them as they multiply (`_keep`).
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from finback.model import Transformer, storage_dtype
from finback.ops.cpu.plan import Stored as Kept

from .formats import BLOCK, GROUP, FormatError, e8m0_bytes
from .layout import Weight, expert_parts, weights
from .reader import Checkpoint, CheckpointError, open_checkpoint

DTYPES = {
    "float32": torch.float32, "fp32": torch.float32, "torch.float32": torch.float32,
    "bfloat16": torch.bfloat16, "bf16": torch.bfloat16, "torch.bfloat16": torch.bfloat16,
}  # fmt: skip

KEPT = ("stored", "int8")
ACTIVATIONS = ("bf16", "fp8")

_BIG = 1 << 30  # bytes from which a load shows its progress
_SCALES = {"fp8": (10, 246), "fp4": (0, 252)}  # E8M0 bytes whose products the kernels hold exactly


def load(
    path: str | Path,
    dtype: torch.dtype | str = "auto",
    device: torch.device | str = "cpu",
    activations: str = "bf16",
    fp8_cache: bool = False,
) -> Transformer:
    """A model in evaluation mode with the weights of a checkpoint (see `reader.open_checkpoint` for `path`).

    `dtype`: what to compute in: "float32"/"fp32", "bfloat16"/"bf16", a torch dtype, or "auto": float32 on a CPU,
    where PyTorch multiplies a vector with a BF16 matrix more slowly than with an FP32 one, elsewhere what config.json
    names (float32 if it names neither). What the architecture computes in FP32 stays so.

    Or `dtype` says how the matrices are kept for the native kernels of a CPU: "stored": as the file has them, memory-mapped,
    with the results of "bfloat16" to the bit for FP8, FP4 and BF16; "int8": rounded to INT8 with a scale for each
    row. Such a model only runs forward. `activations`, for these alone: what is multiplied with FP8, FP4 and BF16 is
    rounded to "bf16", or to "fp8" in groups of 128 as DeepSeek's kernels do (spec 2.8).

    fp8_cache: caches are kept in the report's layout (`Layout`), 57 % of BF16's bytes, and computed with as rounded.
    """
    if activations not in ACTIVATIONS:
        raise CheckpointError(f"activations is {activations!r}: choose one of {', '.join(ACTIVATIONS)}")
    if dtype in KEPT:
        return _kept(open_checkpoint(path), str(dtype), torch.device(device), activations, fp8_cache)
    if activations != "bf16":
        raise CheckpointError(f'activations={activations!r} is for weights that stay as they are stored: add dtype="stored"')
    asked = None if dtype == "auto" else compute_dtype(dtype)
    checkpoint = open_checkpoint(path)
    chosen = asked or _auto_dtype(checkpoint, torch.device(device))
    with torch.device("meta"):
        model = Transformer(checkpoint.config)
    model.load_state_dict(_state(checkpoint, chosen, torch.device(device)), assign=True, strict=True)
    model.fp8_cache = fp8_cache
    return model.eval()


def compute_dtype(dtype: torch.dtype | str) -> torch.dtype:
    found = DTYPES.get(str(dtype))
    if found is None:
        raise CheckpointError(f"dtype {dtype!r} is none that the model computes in: choose float32, bfloat16, stored, int8 or auto")
    return found


def _kept(checkpoint: Checkpoint, how: str, device: torch.device, activations: str, fp8_cache: bool) -> Transformer:
    """A model whose linears and experts stay out of its parameters, in `kept`; these have a shape and no memory."""
    if device.type != "cpu":
        raise CheckpointError(f'dtype="{how}" is for the kernels of a CPU, not for {device}: choose float32 or bfloat16')
    with torch.device("meta"):
        model = Transformer(checkpoint.config)
    state, kept = dict(model.state_dict()), {}
    total = sum(e.nbytes for e in checkpoint.entries.values())
    plain = torch.float32 if checkpoint.dtype("embed.weight") == "F32" else torch.bfloat16
    with _progress(total) as progress:
        task = progress.add_task(f"opening {checkpoint.path.name}", total=total)
        for weight in weights(checkpoint.config):
            # the head too: its products are in FP32 from BF16 values as from the same ones in FP32, of twice the bytes
            if weight.kind in ("linear", "expert") or (weight.name == "head.weight" and checkpoint.dtype(weight.name) == "BF16"):
                kept[weight.name] = _keep(checkpoint, weight, how)
            else:
                _place(checkpoint, weight, plain, device, state)
            progress.advance(task, checkpoint.entries[weight.name].nbytes)
        progress.update(task, completed=total)
    model.load_state_dict(state, assign=True, strict=True)
    model.fp8_cache = fp8_cache
    model.keep(kept, activations)
    return model.eval().requires_grad_(False)


def _keep(checkpoint: Checkpoint, weight: Weight, how: str) -> Kept:
    """A matrix as the kernels read it."""
    if how == "int8" and weight.kind != "plain":
        w = checkpoint.tensor(weight.name, torch.float32)
        scale = w.abs().amax(dim=1).clamp(min=torch.finfo(torch.float32).tiny) / 127
        return Kept("int8", weight.shape, (w / scale[:, None]).round_().to(torch.int8), scale)
    stored = checkpoint.stored(weight.name)
    if stored.format not in ("fp32", "bf16", "fp8", "fp4"):
        return Kept("fp32", weight.shape, checkpoint.tensor(weight.name, torch.float32))
    if stored.scale is None:
        return Kept(stored.format, weight.shape, stored.data)
    c = checkpoint.config
    groups_cut_blocks = stored.format == "fp8" and ".wo_a." in weight.name and c.o_groups > 1 and c.o_lora_rank % BLOCK
    if groups_cut_blocks or (stored.format == "fp4" and weight.shape[1] % GROUP):
        return Kept("bf16", weight.shape, checkpoint.tensor(weight.name, torch.bfloat16))  # the kernels read whole blocks and groups
    try:
        scale = e8m0_bytes(stored.scale)
    except FormatError as error:
        raise CheckpointError(f"{weight.name}: {error}") from None
    low, high = _SCALES[stored.format]
    if int(scale.min()) < low or int(scale.max()) > high:
        raise CheckpointError(
            f"{weight.name} has scales from 2^{int(scale.min()) - 127} to 2^{int(scale.max()) - 127}, too extreme for the kernels: "
            "load it in float32"
        )
    return Kept(stored.format, weight.shape, stored.data, scale)


def _auto_dtype(checkpoint: Checkpoint, device: torch.device) -> torch.dtype:
    if device.type == "cpu":
        return torch.float32
    named = checkpoint.raw_config.get("torch_dtype") or checkpoint.raw_config.get("dtype")
    return DTYPES.get(str(named), torch.float32)


def _state(checkpoint: Checkpoint, dtype: torch.dtype, device: torch.device) -> dict[str, Tensor]:
    state: dict[str, Tensor] = {}
    total = sum(e.nbytes for e in checkpoint.entries.values())
    with _progress(total) as progress:
        task = progress.add_task(f"loading {checkpoint.path.name}", total=total)
        for weight in weights(checkpoint.config):
            _place(checkpoint, weight, dtype, device, state)
            progress.advance(task, checkpoint.entries[weight.name].nbytes)
        progress.update(task, completed=total)
    return state


def _place(checkpoint: Checkpoint, weight: Weight, dtype: torch.dtype, device: torch.device, state: dict[str, Tensor]) -> None:
    expert = expert_parts(weight.name)
    if expert is None:
        value = checkpoint.tensor(weight.name, storage_dtype(weight.name, dtype))
        if weight.kind == "table":
            _check_table(weight.name, value, checkpoint.config.n_routed_experts)
        state[weight.name] = value.to(device)
        return
    prefix, k, part = expert
    name = prefix + part
    if name not in state or state[name].is_meta:
        shape = (checkpoint.config.n_routed_experts, *weight.shape)
        state[name] = torch.empty(shape, dtype=storage_dtype(name, dtype), device=device)
    state[name][k].copy_(checkpoint.tensor(weight.name, state[name].dtype))


def _check_table(name: str, table: Tensor, n_experts: int) -> None:
    low, high = int(table.min()), int(table.max())
    if low < 0 or high >= n_experts:
        raise CheckpointError(
            f"{name} names experts from {low} to {high}, but the model has {n_experts}, counted from 0: "
            "the file is damaged or belongs to another config.json"
        )


def _progress(total: int) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn(),
        console=Console(stderr=True), transient=True, disable=total < _BIG or not sys.stderr.isatty(),
    )  # fmt: skip
