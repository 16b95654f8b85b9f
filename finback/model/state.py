"""What does a sequence leave behind for its next tokens? The compressed cache.

Per layer: the last window entries, each compressor's rows that are not yet pooled (with CSA's previous
window), and the finished compressed entries with the indexer's keys. The first two have a fixed size and
live in rings, where token t stands at slot t modulo the ring's length; all rings of a sequence are one
buffer, so that a snapshot is one copy. Only the entries grow: they live in blocks of a pool, each of which
covers the same 128 tokens in every layer and may be shared by sequences that begin alike.

A state cannot be rewound by cutting it: `fork` it to return to an earlier token, or keep what a few tokens will
overwrite (`undo`) and put it back (`rewind`). A forward that fails midway leaves layers that have seen different
numbers of tokens; the next use says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from finback.config import ModelConfig
from finback.ops.entries import entry_bytes, key_bytes, pack_entries, pack_keys, unpack_entries, unpack_keys

ALIGN = 64  # bytes; every part begins at a multiple, so that vector loads do not straddle cache lines
BLOCK_TOKENS = 128


class Part(NamedTuple):
    """One tensor inside a buffer: rows x width elements from byte `offset`.

    packed: rows are bytes, of vectors of so many channels; "entry" and "key" as in `ops/entries.py`.
    """

    offset: int
    rows: int
    width: int
    dtype: torch.dtype
    packed: str = ""
    channels: int = 0
    rotary: int = 0

    @property
    def nbytes(self) -> int:
        return self.rows * self.width * self.dtype.itemsize

    def pack(self, x: Tensor) -> Tensor:
        """Vectors [n, channels] as rows [n, width]."""
        if self.packed:
            return pack_entries(x, self.rotary) if self.packed == "entry" else pack_keys(x)
        return x.to(self.dtype)

    def unpack(self, rows: Tensor) -> Tensor:
        """Rows [n, width] as vectors [n, channels], of the part's dtype or BF16."""
        if self.packed:
            entry = self.packed == "entry"
            return unpack_entries(rows, self.channels, self.rotary) if entry else unpack_keys(rows, self.channels)
        return rows


class LayerLayout(NamedTuple):
    """Where a layer's parts lie: the rings in a sequence's fixed buffer, entries and keys in each cache block.

    None: the layer does not have it. u and z are FP32.
    """

    ratio: int
    window: Part
    u: Part | None = None
    z: Part | None = None
    index_u: Part | None = None
    index_z: Part | None = None
    entries: Part | None = None
    keys: Part | None = None


@dataclass(frozen=True)
class Layout:
    """Of the cache of one model: what one sequence's fixed buffer and one block of the pool consist of.

    dtype: of windows, entries and keys: float32, bfloat16, or float8_e4m3fn for the report's layout (5.3): vectors in
    FP8 but for their rotary channels, keys in FP4 if the indexer computes in it, else in BF16. There rows follow each other
    without gaps, and a block takes what the report counts.
    """

    config: ModelConfig
    dtype: torch.dtype

    @property
    def fp8(self) -> bool:
        return self.dtype == torch.float8_e4m3fn

    @cached_property
    def block_tokens(self) -> int:
        """Tokens that a block covers: the least multiple of every layer's ratio that is at least 128."""
        step = math.lcm(*(r for r in self.config.compress_ratios if r))
        return -(-BLOCK_TOKENS // step) * step

    @cached_property
    def layers(self) -> tuple[LayerLayout, ...]:
        return self._measure[0]

    @cached_property
    def fixed_bytes(self) -> int:
        return self._measure[1]

    @cached_property
    def block_bytes(self) -> int:
        return self._measure[2]

    @cached_property
    def _measure(self) -> tuple[tuple[LayerLayout, ...], int, int]:
        c, fixed, block, layers = self.config, 0, 0, []
        align = 1 if self.fp8 else ALIGN

        def part(offset: int, rows: int, channels: int, key: bool = False) -> Part:
            if not self.fp8:
                return Part(offset, rows, channels, self.dtype)
            if key and not c.index_fp4:
                return Part(offset, rows, channels, torch.bfloat16)
            if key:
                return Part(offset, rows, key_bytes(channels), torch.uint8, "key", channels)
            r = c.qk_rope_head_dim
            return Part(offset, rows, entry_bytes(channels, r), torch.uint8, "entry", channels, r)

        def ring(found: Part) -> Part:
            nonlocal fixed
            fixed = found.offset + _aligned(found.nbytes, ALIGN)
            return found

        def paged(ratio: int, channels: int, key: bool = False) -> Part:
            nonlocal block
            found = part(block, self.block_tokens // ratio, channels, key)
            block += _aligned(found.nbytes, align)
            return found

        for kind, m in zip(c.layer_kinds, c.compress_ratios):
            parts = {"window": ring(part(fixed, c.sliding_window, c.head_dim))}
            if kind != "SWA":
                rows, width = (2 * m, 2 * c.head_dim) if kind == "CSA" else (m, c.head_dim)
                parts |= {name: ring(Part(fixed, rows, width, torch.float32)) for name in ("u", "z")}
                parts["entries"] = paged(m, c.head_dim)
            if kind == "CSA":
                parts |= {name: ring(Part(fixed, 2 * m, 2 * c.index_head_dim, torch.float32)) for name in ("index_u", "index_z")}
                parts["keys"] = paged(m, c.index_head_dim, key=True)
            layers.append(LayerLayout(m, **parts))
        return tuple(layers), fixed, block


class Pool:
    """Blocks of compressed entries, counted by reference. memory: uint8 [capacity, block_bytes].

    It grows when blocks run out, up to `limit` blocks (None: as far as memory goes). Growing moves `memory`.
    """

    def __init__(self, layout: Layout, device: torch.device | str | None = None, limit: int | None = None):
        self.layout, self.limit = layout, limit
        self.memory = torch.empty((0, layout.block_bytes), dtype=torch.uint8, device=device)
        self.references: list[int] = []
        self._free: list[int] = []

    @property
    def used(self) -> int:
        return len(self.references) - len(self._free)

    def take(self) -> int:
        """A block for one owner. Raises MemoryError where the limit is reached."""
        if not self._free:
            self._grow()
        block = self._free.pop()
        self.references[block] = 1
        return block

    def share(self, block: int) -> int:
        """One more owner of a block in use."""
        if self.references[block] < 1:
            raise ValueError(f"block {block} of the cache is free and cannot be shared")
        self.references[block] += 1
        return block

    def release(self, block: int) -> None:
        """One owner less; without owners the block is free."""
        if self.references[block] < 1:
            raise ValueError(f"block {block} of the cache was released more often than taken")
        self.references[block] -= 1
        if not self.references[block]:
            self._free.append(block)

    def rows(self, part: Part) -> Tensor:
        """The rows of `part` in all blocks, [capacity, rows, width]: a view, valid until the pool grows."""
        flat = self.memory[:, part.offset : part.offset + part.nbytes].view(part.dtype)
        return flat.unflatten(1, (part.rows, part.width))

    def _grow(self) -> None:
        capacity = len(self.references)
        wanted = max(2 * capacity, 4) if self.limit is None else min(max(2 * capacity, 4), self.limit)
        if wanted == capacity:
            raise MemoryError(f"all {capacity} blocks of the cache are in use: raise its limit, or release sequences")
        grown = self.memory.new_empty((wanted, self.layout.block_bytes))
        grown[:capacity] = self.memory
        self.memory = grown
        self.references += [0] * (wanted - capacity)
        self._free += range(wanted - 1, capacity - 1, -1)


class LayerCache(NamedTuple):
    """A layer's rings in one sequence's state (None: the layer has none), [rows, width]."""

    window: Tensor
    u: Tensor | None
    z: Tensor | None
    index_u: Tensor | None
    index_z: Tensor | None


class Undo(NamedTuple):
    """The rows of rings that tokens first, first+1, ... overwrite."""

    first: int
    rings: list[tuple[Tensor, Tensor]]


@dataclass
class SequenceState:
    """The state of one sequence that has seen `length` tokens.

    fixed: uint8, all rings; blocks: ids in the pool, in the order of the tokens; seen: tokens that went by each
    layer and MTP block. Entries of the first `frozen` tokens stand already and are read, not written. Blocks behind
    the last complete one belong to this sequence alone.
    """

    pool: Pool
    fixed: Tensor
    length: int = 0
    blocks: list[int] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    frozen: int = 0

    @classmethod
    def empty(cls, pool: Pool) -> SequenceState:
        layout = pool.layout
        fixed = torch.empty(layout.fixed_bytes, dtype=torch.uint8, device=pool.memory.device)
        return cls(pool, fixed, seen=[0] * len(layout.layers))

    @cached_property
    def layers(self) -> list[LayerCache]:
        """Views of `fixed` by layer."""

        def view(part: Part | None) -> Tensor | None:
            if part is None:
                return None
            return self.fixed[part.offset : part.offset + part.nbytes].view(part.dtype).view(part.rows, part.width)

        return [LayerCache(*map(view, (x.window, x.u, x.z, x.index_u, x.index_z))) for x in self.pool.layout.layers]

    def reserve(self, length: int) -> None:
        """Takes the blocks that `length` tokens need. Raises MemoryError, and takes none, where the pool is full."""
        missing = -(-length // self.pool.layout.block_tokens) - len(self.blocks)
        taken: list[int] = []
        try:
            for _ in range(missing if self.pool.layout.block_bytes else 0):
                taken.append(self.pool.take())
        except MemoryError:
            for block in taken:
                self.pool.release(block)
            raise
        self.blocks += taken

    def advance(self, layer: int, start: int, tokens: int) -> None:
        """Notes that a layer goes on at token `start`. Raises ValueError where it missed tokens."""
        if self.seen[layer] != start:
            raise ValueError(
                f"layer {layer} has seen {self.seen[layer]} tokens of a sequence that goes on at {start}: "
                "an earlier step failed or left this layer out; drop the state and start over"
            )
        self.seen[layer] += tokens

    def write(self, part: Part, first: int, rows: Tensor) -> None:
        """Puts entries first, first+1, ... into the sequence's blocks, but for the frozen ones. rows: [k, channels]."""
        standing = max(self.frozen * part.rows // self.pool.layout.block_tokens - first, 0)
        first, rows = first + standing, rows[standing:]
        at = torch.arange(first, first + len(rows), device=rows.device)
        table = torch.tensor(self.blocks, device=rows.device)
        self.pool.rows(part)[table[at // part.rows], at % part.rows] = part.pack(rows)

    def read(self, part: Part, count: int) -> Tensor:
        """The first `count` entries, [count, channels]: a copy."""
        table = torch.tensor(self.blocks[: -(-count // part.rows)], dtype=torch.int64, device=self.fixed.device)
        return part.unpack(self.pool.rows(part)[table].flatten(0, 1)[:count])

    def fork(self) -> SequenceState:
        """An independent copy: it shares the complete blocks and copies the rest."""
        complete = self.length // self.pool.layout.block_tokens
        blocks = []
        try:
            for i, block in enumerate(self.blocks[: -(-self.length // self.pool.layout.block_tokens)]):
                if i < complete:
                    blocks.append(self.pool.share(block))
                else:
                    blocks.append(self.pool.take())
                    self.pool.memory[blocks[-1]] = self.pool.memory[block]
        except MemoryError:
            for block in blocks:
                self.pool.release(block)
            raise
        return SequenceState(self.pool, self.fixed.clone(), self.length, blocks, list(self.seen), self.frozen)

    def undo(self, first: int, tokens: int, layers: range) -> Undo:
        """Copies what tokens first..first+tokens-1 will overwrite in the rings of some layers, for `rewind`.

        Of all tokens that come until then, the rings must hold each: else some would overwrite what others just wrote.
        """
        rings = [ring for layer in layers for ring in self.layers[layer] if ring is not None] if tokens > 0 else []
        at = torch.arange(first, first + max(tokens, 0), device=self.fixed.device)
        return Undo(first, [(ring, ring[at % len(ring)]) for ring in rings])

    def rewind(self, length: int, undo: Undo, layers: range) -> None:
        """Makes some layers forget the tokens from `length` on; the undo must hold all of them but the first.

        The first needs none: it wrote over a row that is out of the reach of the token which takes its place. Entries
        that the forgotten tokens finished are written again before anything reads them.
        """
        first = max(undo.first, length + 1)
        for ring, rows in undo.rings:
            kept = rows[first - undo.first :]
            ring[torch.arange(first, first + len(kept), device=ring.device) % len(ring)] = kept
        for layer in layers:
            self.seen[layer] = length

    def release(self) -> None:
        """Gives the blocks back; the state is empty afterwards."""
        for block in self.blocks:
            self.pool.release(block)
        self.blocks, self.length, self.seen, self.frozen = [], 0, [0] * len(self.seen), 0

    def nbytes(self) -> int:
        """Bytes that the state holds: its rings and its blocks, shared ones included."""
        return self.fixed.nbytes + len(self.blocks) * self.pool.layout.block_bytes


def recent(ring: Tensor, end: int, count: int) -> Tensor:
    """The rows of tokens end-count..end-1 in a ring, [count, width], in their order. A view or a copy."""
    n = ring.shape[0]
    first = (end - count) % n
    if first + count <= n:
        return ring[first : first + count]
    return torch.cat((ring[first:], ring[: first + count - n]))


def keep(ring: Tensor, rows: Tensor, end: int) -> None:
    """Writes the rows of the tokens before `end` into a ring; of more than its length, the last ones."""
    rows = rows[-ring.shape[0] :]
    first = (end - rows.shape[0]) % ring.shape[0]
    split = min(ring.shape[0] - first, rows.shape[0])
    ring[first : first + split] = rows[:split]
    ring[: rows.shape[0] - split] = rows[split:]


def _aligned(nbytes: int, align: int) -> int:
    return -(-nbytes // align) * align
