"""What goes through the model at once? A flat list of segments, never padded, and how to treat it.

A segment is a training document, a chunk of a prefill, or one decode token. Everything but the
attention core is per token, so a batch is one row of tokens and the borders between segments;
nothing can leak across a border because no operation ever looks across one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from finback.model.rope import Rope
from finback.model.state import SequenceState
from finback.model.trace import Trace


@dataclass(frozen=True)
class Batch:
    """tokens [T] and positions [T] int64; segment s is rows spans[s][0]..spans[s][1], its first token
    stands at position starts[s] of its sequence."""

    tokens: Tensor
    positions: Tensor
    spans: tuple[tuple[int, int], ...]
    starts: tuple[int, ...]

    @classmethod
    def of(
        cls,
        segments: Sequence[Sequence[int] | Tensor],
        starts: Sequence[int] | None = None,
        device: torch.device | str | None = None,
    ) -> Batch:
        """A batch of token id lists. starts: how many tokens of each sequence went before (default none)."""
        starts = tuple(starts) if starts is not None else (0,) * len(segments)
        if len(starts) != len(segments):
            raise ValueError(f"{len(starts)} starts for {len(segments)} segments: give one for each")
        rows, positions, spans, at = [], [], [], 0
        for segment, start in zip(segments, starts):
            row = torch.as_tensor(segment, device=device)
            if row.dim() != 1 or (len(row) and (row.is_floating_point() or row.dtype == torch.bool)):
                raise ValueError(f"a segment has shape {list(row.shape)} and {row.dtype}; give a list of integer token ids")
            rows.append(row.to(torch.int64))
            positions.append(torch.arange(start, start + len(row), device=device))
            spans.append((at, at + len(row)))
            at += len(row)
        if not segments:
            raise ValueError("a batch needs at least one segment: give at least one list of token ids")
        if len(rows) == 1:  # a token that is decoded alone
            return cls(rows[0], positions[0], tuple(spans), starts)
        return cls(torch.cat(rows), torch.cat(positions), tuple(spans), starts)

    def split(self, rows: Tensor) -> tuple[Tensor, ...]:
        """The rows [n_s, ...] of each segment, from rows [T, ...] of the batch."""
        return rows.split([b - a for a, b in self.spans])


@dataclass(frozen=True)
class Pass:
    """All that one forward knows beside the streams.

    ropes: by whether the layer compresses. states: the caches that the segments continue. dense: CSA reads
    every visible entry, not only the indexer's picks. routing: expert ids [T, k] by layer that replace the
    router's own choice (the weights stay the router's). trace: filled by the layers. fp4_experts: routed
    experts compute with their weights rounded to FP4; fp4_index: the indexer's queries and keys are; fp8_cache: window
    vectors and entries are rounded as the report's cache keeps them. dtype: of the streams and of all that the spec does not compute in FP32 (None: the embedding's).
    """

    batch: Batch
    ropes: Mapping[bool, Rope]
    states: Sequence[SequenceState] | None = None
    dense: bool = False
    routing: Mapping[int, Tensor] | None = None
    trace: Trace | None = None
    fp4_experts: bool = False
    fp4_index: bool = False
    fp8_cache: bool = False
    dtype: torch.dtype | None = None
