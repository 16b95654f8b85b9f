"""A whole forward in one call: all blocks for a flat batch of segments, without gradients.

The plan holds addresses, not copies: weights are read where they lie, so a change in place is seen at once. It keeps
the tensors that it was built from alive, but whoever owns them must build it anew when they are replaced
(`model.native` does).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from finback.config import ModelConfig
from finback.ops.cpu import MISSING, _native, lib
from finback.ops.cpu.hyper_connections import MAX_STREAMS
from finback.ops.formats import GROUP

FORMATS = ("fp32", "bf16", "fp8", "fp4", "int8")  # as in matrix.h
ROUNDINGS = ("fp32", "bf16", "fp8", "int8")
CACHES = (torch.float32, torch.bfloat16, torch.float8_e4m3fn)  # as in model.h
SCALE_BLOCK = 128  # rows that share an FP8 scale

# multiplied in FP32, in whatever format they are stored (spec 2.4, 2.6)
EXACT = ("gate.weight", "compressor.wkv.weight", "compressor.wgate.weight", "head.weight")
# rounded to BF16 where the official code rounds the others to FP8 (spec 2.8)
NOT_QUANTISED = ("attn.wo_a.weight", "indexer.weights_proj.weight")


class Stored(NamedTuple):
    """A matrix [N, K], or E of them, in a format of matrix.h; data and scale as there, leading dim E if stacked."""

    format: str
    shape: tuple[int, ...]
    data: Tensor
    scale: Tensor | None = None


class Plan:
    """The forward of one model. Raises ValueError with the reason where it does not take the model.

    tensors: by the model's names, dense FP32 or BF16, or `Stored`. layout: `model.state.Layout`. frequencies: of the
    rotations without and with compression, [r] FP32. rounding: what activations are rounded to before products with
    weights that are not FP32 ("bf16", or "fp8" as in the official code; INT8 weights always meet INT8 activations).
    """

    def __init__(
        self,
        config: ModelConfig,
        tensors: Mapping[str, Tensor | Stored],
        layout: Any,
        frequencies: tuple[Tensor, Tensor],
        rounding: str = "bf16",
    ):
        if MISSING:
            raise ValueError(MISSING)
        if config.hc_mult > MAX_STREAMS:
            raise ValueError(f"{config.hc_mult} streams; at most {MAX_STREAMS}")
        if layout.dtype not in CACHES:
            raise ValueError(f"the cache is {layout.dtype}; use float32, bfloat16 or float8_e4m3fn")
        self.config, self.layout, self.rounding = config, layout, rounding
        # The addresses below stay good: an alias holds the memory even where a parameter is given other (`p.data = ...`).
        self._kept = [x.detach() if isinstance(x, Tensor) else x for x in (*tensors.values(), *frequencies)]
        described: dict[str, list[int]] = {}
        for name, tensor in tensors.items():
            self._describe(described, name, _stored(name, tensor))
        for name, freqs in zip(("freqs.plain", "freqs.compressed"), frequencies):
            described[name] = [freqs.data_ptr(), 0, freqs.numel(), 1, 0, 0]
        numbers = {f.name: getattr(config, f.name) for f in dataclasses.fields(config)}
        numbers = {name: float(v) for name, v in numbers.items() if isinstance(v, int | float)}
        numbers |= {"block_tokens": layout.block_tokens, "block_bytes": layout.block_bytes}
        numbers["cache_format"] = float(CACHES.index(layout.dtype))
        places = [
            [part.offset if part is not None else 0 for part in (x.window, x.u, x.z, x.index_u, x.index_z, x.entries, x.keys)]
            for x in layout.layers
        ]
        self._model = _native.Model(numbers, list(config.compress_ratios), places, described)

    def _describe(self, described: dict[str, list[int]], name: str, w: Stored) -> None:
        """One entry for each matrix: stacked experts and the groups of wo_a are many."""
        if w.format == "fp4" and w.shape[-1] % GROUP:
            raise ValueError(f"{name} has {w.shape[-1]} columns, and FP4 is read in groups of {GROUP}")
        if w.format == "fp32" or name.endswith(EXACT):
            rounding = "fp32"
        elif w.format == "int8":
            rounding = "int8"
        else:
            rounding = "bf16" if name.endswith(NOT_QUANTISED) else self.rounding

        def add(name: str, part: int, parts: int, rows: int) -> None:
            data = w.data.data_ptr() + part * (w.data.nbytes // parts)
            scale = 0 if w.scale is None else w.scale.data_ptr() + part * (w.scale.nbytes // parts)
            described[name] = [data, FORMATS.index(w.format), rows, w.shape[-1], scale, ROUNDINGS.index(rounding)]

        if len(w.shape) == 3:
            prefix, matrix = name.rsplit(".", 1)
            for e in range(w.shape[0]):
                add(f"{prefix}.{e}.{matrix}.weight", e, w.shape[0], w.shape[1])
        elif name.endswith("attn.wo_a.weight"):
            groups, rows = self.config.o_groups, w.shape[0] // self.config.o_groups
            if w.format == "fp8" and groups > 1 and rows % SCALE_BLOCK:
                raise ValueError(f"{name} has groups of {rows} rows, which do not begin with a block of FP8 scales")
            for g in range(groups):
                add(name.replace("wo_a", f"wo_a.{g}"), g, groups, rows)
        else:
            described[name] = [
                w.data.data_ptr(), FORMATS.index(w.format), w.shape[0], math.prod(w.shape[1:]),
                0 if w.scale is None else w.scale.data_ptr(), ROUNDINGS.index(rounding),
            ]  # fmt: skip

    def forward(
        self,
        tokens: Tensor,
        states: Sequence[Any],
        lengths: Sequence[int],
        rows: Tensor,
        streams: Tensor | None = None,
        depth: int = -1,
        given: Tensor | None = None,
    ) -> Tensor:
        """Logits [len(rows), V] FP32 of the given rows. Advances the states' memory, not their counts.

        tokens: [T] int64; states: `model.SequenceState`s whose blocks cover the lengths to come; lengths: each one's
        rows; rows: int64 in 0..T-1; streams: [T, n, D] FP32 for the last streams. depth: an MTP block, which
        works on the streams `given` [T, n, D] FP32 with tokens [T] that follow the rows' own.
        """
        c = self.config
        logits = torch.empty(len(rows), c.vocab_size)
        segments, tables = [], []
        for state, n in zip(states, lengths):
            tables.append(torch.tensor(state.blocks, dtype=torch.int64))
            segments.append(
                (state.length, n, state.frozen, state.fixed.data_ptr(), state.pool.memory.data_ptr(), tables[-1].data_ptr())
            )
        described = torch.tensor(segments, dtype=torch.int64)
        lib().forward(
            self._model.address, tokens.data_ptr(), len(tokens), described.data_ptr(), depth,
            0 if given is None else given.data_ptr(), rows.data_ptr(), len(rows), logits.data_ptr(),
            0 if streams is None else streams.data_ptr(),
        )  # fmt: skip
        return logits


def _stored(name: str, tensor: Tensor | Stored) -> Stored:
    if isinstance(tensor, Tensor):
        format = {torch.float32: "fp32", torch.bfloat16: "bf16", torch.int64: "fp32"}.get(tensor.dtype)
        if format is None:
            raise ValueError(f"{name} is {tensor.dtype}")
        if format == "bf16" and not name.endswith(EXACT) and (tensor.dim() == 1 or name.endswith(("ape", "_fn"))):
            raise ValueError(f"{name} is {tensor.dtype}; it must be float32")
        tensor = Stored(format, tuple(tensor.shape), tensor)
    for part in (tensor.data, tensor.scale):
        if part is not None and (part.device.type != "cpu" or not part.is_contiguous()):
            raise ValueError(f"{name} is on {part.device} or not contiguous; dense memory of the CPU is needed")
    return tensor
