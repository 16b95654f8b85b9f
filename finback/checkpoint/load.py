"""How does a checkpoint become a model?

The model is built without memory, then filled: weights stored in the type they are computed in
stay memory-mapped, the others are decoded one at a time, and experts go straight into their
layer's stack. So the peak is the model plus one expert.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from finback.model import Transformer, storage_dtype

from .layout import Weight, expert_parts, weights
from .reader import Checkpoint, CheckpointError, open_checkpoint

DTYPES = {
    "float32": torch.float32, "fp32": torch.float32, "torch.float32": torch.float32,
    "bfloat16": torch.bfloat16, "bf16": torch.bfloat16, "torch.bfloat16": torch.bfloat16,
}  # fmt: skip

_BIG = 1 << 30  # bytes from which a load shows its progress


def load(path: str | Path, dtype: torch.dtype | str = "auto", device: torch.device | str = "cpu") -> Transformer:
    """A model in evaluation mode with the weights of a checkpoint (see `reader.open_checkpoint` for `path`).

    `dtype`: what to compute in: "float32"/"fp32", "bfloat16"/"bf16", a torch dtype, or "auto": float32 on a CPU,
    where PyTorch multiplies a vector with a BF16 matrix more slowly than with an FP32 one, elsewhere what config.json
    names (float32 if it names neither). What the architecture computes in FP32 stays so.
    """
    asked = None if dtype == "auto" else compute_dtype(dtype)
    checkpoint = open_checkpoint(path)
    chosen = asked or _auto_dtype(checkpoint, torch.device(device))
    with torch.device("meta"):
        model = Transformer(checkpoint.config)
    model.load_state_dict(_state(checkpoint, chosen, torch.device(device)), assign=True, strict=True)
    return model.eval()


def compute_dtype(dtype: torch.dtype | str) -> torch.dtype:
    found = DTYPES.get(str(dtype))
    if found is None:
        raise CheckpointError(f"dtype {dtype!r} is none that the model computes in: choose float32, bfloat16 or auto")
    return found


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
    if name not in state:
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
