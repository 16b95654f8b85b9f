"""What does a sequence leave behind for its next tokens? The compressed cache.

Per layer: the last window entries, each compressor's unfinished rows (with CSA's previous window),
and the finished compressed entries. The first two have a fixed size; only the third grows. The
state cannot be rewound by cutting it: keep a copy to return to an earlier token. A forward that fails
midway leaves layers that have seen different numbers of tokens; the next use says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from finback.config import ModelConfig


@dataclass
class Rows:
    """A growing [length, width] tensor; appending costs amortised constant time."""

    buffer: Tensor | None = None
    length: int = 0

    def append(self, rows: Tensor) -> Tensor:
        """Adds rows [k, width] and returns all rows so far (a view, valid until the next append)."""
        need = self.length + rows.shape[0]
        if self.buffer is None or need > self.buffer.shape[0]:
            grown = rows.new_empty((max(need, 2 * self.length, 16), *rows.shape[1:]))
            if self.buffer is not None:
                grown[: self.length] = self.buffer[: self.length]
            self.buffer = grown
        self.buffer[self.length : need] = rows
        self.length = need
        return self.buffer[:need]


@dataclass
class CompressorState:
    """u, z: the rows not yet pooled, [rows, channels] FP32 (None before the first token); entries: the finished ones."""

    u: Tensor | None = None
    z: Tensor | None = None
    entries: Rows = field(default_factory=Rows)


@dataclass
class LayerState:
    """window: the last sliding_window - 1 window entries [<= W-1, c], rotated; seen: the tokens that went by."""

    seen: int = 0
    window: Tensor | None = None
    compressor: CompressorState = field(default_factory=CompressorState)
    indexer: CompressorState = field(default_factory=CompressorState)


@dataclass
class SequenceState:
    """The state of one sequence: `length` tokens seen, one LayerState for each layer and MTP block."""

    layers: list[LayerState]
    length: int = 0

    @classmethod
    def empty(cls, config: ModelConfig) -> SequenceState:
        return cls([LayerState() for _ in range(config.num_blocks)])

    def nbytes(self) -> int:
        """Bytes that the state holds now (finished entries count by length, not by capacity)."""
        total = 0
        for layer in self.layers:
            parts = [layer.window]
            for compressor in (layer.compressor, layer.indexer):
                rows = compressor.entries
                parts += [compressor.u, compressor.z, None if rows.buffer is None else rows.buffer[: rows.length]]
            total += sum(p.numel() * p.element_size() for p in parts if isinstance(p, torch.Tensor))
        return total
