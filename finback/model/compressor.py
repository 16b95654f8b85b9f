"""How do m tokens become one compressed entry? (report 2.3.1 for CSA, 2.3.2 for HCA)

Every token gives a content row u = x W_KV and a score row z = x W_Z + positional bias, both FP32.
When a window of m tokens is complete, its rows are pooled, normalised and rotated to the position
of the window's first token. CSA (overlap) also pools the previous window's rows, through the first
half of the channels. Rows of an unfinished window wait in the state.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from finback import ops
from finback.model.batch import Batch
from finback.model.layers import Linear, RMSNorm
from finback.model.rope import angles
from finback.model.state import Part, SequenceState, keep, recent


class Compressor(nn.Module):
    """hidden_size D -> entries of `dim` channels, one for each `ratio` tokens."""

    def __init__(self, hidden_size: int, dim: int, ratio: int, overlap: bool, eps: float):
        super().__init__()
        self.ratio, self.overlap = ratio, overlap
        channels = dim * 2 if overlap else dim
        self.ape = nn.Parameter(torch.zeros(ratio, channels))
        self.wkv = Linear(hidden_size, channels)
        self.wgate = Linear(hidden_size, channels)
        self.norm = RMSNorm(dim, eps)

    def project(self, x: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Rows u, z [T, channels] FP32 of all tokens x [T, D]."""
        x = x.float()
        return self.wkv(x), self.wgate(x) + self.ape[batch.positions % self.ratio]

    def forward(self, u: Tensor, z: Tensor, start: int, freqs: Tensor, dtype: torch.dtype, fp4: bool = False) -> Tensor:
        """The entries [k, dim] that a segment finishes. start: the tokens that went before it. fp4: the entries
        are keys of an indexer that runs in FP4.

        u, z: [p+n, channels], the rows of the segment's n tokens after `pending(start)` = p earlier ones.
        """
        if self.overlap and start < self.ratio:  # before the first window stands an empty one
            u = torch.cat((u.new_zeros(self.ratio, u.shape[1]), u))
            z = torch.cat((z.new_full((self.ratio, z.shape[1]), -torch.inf), z))
        done = (u.shape[0] // self.ratio - self.overlap) * self.ratio  # rows that these entries use up
        if not done:
            return u.new_zeros((0, self.norm.weight.shape[0]), dtype=dtype)
        used = done + self.overlap * self.ratio
        pooled = self.norm(ops.pool_windows(u[:used], z[:used], self.ratio, self.overlap).to(dtype))
        first = start // self.ratio * self.ratio
        positions = torch.arange(first, first + done, self.ratio, device=u.device)
        pooled = ops.rotate(pooled, *angles(positions, freqs))
        return ops.round_index(pooled) if fp4 else pooled

    def pending(self, start: int) -> int:
        """How many rows before token `start` later entries still need: an unfinished window's, and with overlap
        those of the window before it."""
        return start % self.ratio + (self.ratio if self.overlap and start >= self.ratio else 0)

    def advance(
        self,
        u: Tensor,
        z: Tensor,
        start: int,
        freqs: Tensor,
        state: SequenceState,
        rings: tuple[Tensor, Tensor],
        part: Part,
        dtype: torch.dtype,
        fp4: bool = False,
    ) -> Tensor:
        """All finished entries [E, dim] of a cached sequence after one more segment with rows u, z [n, channels].

        rings: where earlier rows of u and z wait; part: where finished entries lie in the state's blocks. dtype: of the result.
        """
        end, count = start + u.shape[0], self.pending(start)
        earlier = [recent(ring, start, count) for ring in rings]
        entries = self(torch.cat((earlier[0], u)), torch.cat((earlier[1], z)), start, freqs, dtype, fp4)
        for ring, rows in zip(rings, (u, z)):
            keep(ring, rows, end)
        if len(entries):
            state.write(part, start // self.ratio, entries)
        return state.read(part, end // self.ratio).to(dtype)
