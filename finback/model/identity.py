"""Which model is this, and how does it compute? Names for what may be kept on disk and used by a later process.

Two models with the same identity have the same shape and, as far as is looked at, the same weights. Up to 4 GiB every
byte is looked at: a tensor is cut into chunks of 32 KiB, whose words are summed, and the sums are hashed in their order.
So any changed value is seen, unless others in the same chunk change by exactly as much the other way, or values only
change places within a chunk. Of more than 4 GiB every k-th chunk of each tensor is looked at, k as large as it must be:
training changes them all, but an edit of a few values may go unseen. It is read once: weights that change later are
another model, and whoever changes them must not go on using what was kept under the old name.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from finback.ops import cpu

if TYPE_CHECKING:
    from finback.model.transformer import Transformer

CHUNK = 1 << 12  # words of 8 bytes
LOOK_AT = 4 << 30  # bytes


def identity(model: Transformer) -> str:
    """The model's shape and weights, as 64 hexadecimal digits. Takes as long as reading them from memory."""
    members = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    kept = {f"{name} {part}": getattr(w, part) for name, w in model.kept.items() for part in ("data", "scale")}
    tensors = sorted((label, t) for label, t in (members | kept).items() if t is not None and not t.is_meta)
    stride = max(-(-sum(t.nbytes for _, t in tensors) // LOOK_AT), 1)
    name = hashlib.sha256(json.dumps(model.config.to_dict(), sort_keys=True).encode())
    for label, tensor in tensors:
        name.update(f"{label} {tensor.dtype} {tuple(tensor.shape)}".encode())
        name.update(_digest(tensor.detach(), stride))
    return name.hexdigest()


def arithmetic(model: Transformer) -> str:
    """How the model computes: what else but its weights decides the last bits of its results."""
    with torch.no_grad():
        plan = model._planner.current(model)
    device, version = model.embed.weight.device.type, torch.__version__
    if plan is None:
        return f"reference, torch {version} on {device}, {torch.get_num_threads()} threads"
    kernels = hashlib.sha256(Path(cpu._native.__file__).read_bytes()).hexdigest()
    return f"native {cpu.level()}, {plan.rounding}, {kernels}, torch {version}"


def _digest(tensor: Tensor, stride: int) -> bytes:
    flat = tensor.contiguous().flatten().view(torch.uint8)
    whole = flat.numel() // 8
    words = flat[: whole * 8]
    if words.data_ptr() % 8 or words.storage_offset() % 8:
        words = words.clone()
    words = words.view(torch.int64)
    cut = whole // CHUNK * CHUNK
    sums = words[:cut].view(-1, CHUNK)[::stride].sum(1)
    rest = torch.cat([words[cut:].view(torch.uint8), flat[whole * 8 :]])
    return sums.cpu().numpy().tobytes() + rest.cpu().numpy().tobytes()
