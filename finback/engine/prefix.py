"""Which part of a prompt has been computed before? A tree of blocks, shared by all requests of a user.

Every complete block of 128 tokens that was computed is a node, found by a hash of its tokens and of all that came
before. A node owns one reference to its block of compressed entries, and may hold a snapshot: the rings after its
last token. To continue a prompt one needs its blocks, and the rings at some token. Three policies (report 3.5):

    full       a snapshot at every block: nothing is computed again
    periodic   one every `period` tokens, and at the last blocks of prompt and answer: at most `period` tokens again
    zero       none: the last n_win tokens times the number of layers are computed again, from which rings follow

Recomputed tokens read the cached entries and do not write them, so a hit answers as a cold run does. What memory does
not hold may lie on disk (`engine.disk`), from where it comes back into the pool.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from torch import Tensor

from finback.engine.disk import DiskStats, DiskStore
from finback.model import Pool, SequenceState

Policy = Literal["full", "periodic", "zero"]


@dataclass(eq=False)
class Node:
    """One computed block. children counts the nodes that continue it; a node with any is not evicted."""

    key: bytes
    parent: Node | None
    block: int
    snapshot: Tensor | None = None
    keep: bool = False  # the snapshot stands at a period's end and outlives its request's later ones
    children: int = 0


@dataclass(frozen=True)
class PrefixStats:
    """Tokens asked for and found, of these the ones that only the disk had, and what the store holds in memory."""

    asked: int
    found: int
    found_on_disk: int
    blocks: int
    block_bytes: int
    snapshots: int
    snapshot_bytes: int
    disk: DiskStats | None

    @property
    def missed(self) -> int:
        return self.asked - self.found


class PrefixStore:
    """The tree. `snapshot_bytes` bounds the snapshots; blocks are bounded by the pool, see `evict`. disk: its second home."""

    def __init__(
        self, pool: Pool, policy: Policy = "periodic", period: int = 1024, snapshot_bytes: int = 1 << 30, disk: DiskStore | None = None
    ):
        if policy not in ("full", "periodic", "zero"):
            raise ValueError(f"the prefix policy is {policy!r}; choose full, periodic or zero")
        size = pool.layout.block_tokens
        if period < size or period % size:
            raise ValueError(f"the prefix period is {period}; it must be a multiple of the cache's blocks of {size} tokens")
        self.pool, self.policy, self.period, self.snapshot_bytes, self.disk = pool, policy, period, snapshot_bytes, disk
        self.nodes: dict[bytes, Node] = {}  # in the order of use, longest unused first
        self.asked = self.found = self.found_on_disk = 0

    def start(self, user: str, tokens: Sequence[int]) -> SequenceState:
        """A state that has seen as much of `tokens` as is known, and never all: the last token's logits are wanted."""
        size = self.pool.layout.block_tokens
        keys = list(_keys(user, tokens, size, (len(tokens) - 1) // size))
        chain = [self.nodes[key] for key in itertools.takewhile(self.nodes.__contains__, keys)]
        state = SequenceState.empty(self.pool)
        state.blocks = [self.pool.share(node.block) for node in chain]
        at, holder = self._resume(chain)
        self.asked += len(tokens)
        if self.disk is not None:
            in_memory = at
            self._load(keys, chain, state)
            at, holder = self._resume(chain, self.disk)
            self.found_on_disk += at - in_memory
        if at == 0:  # everything is computed again, into blocks of its own
            state.release()
            return state
        if holder is not None:
            state.fixed.copy_(holder.snapshot)
        else:
            state.fixed.zero_()  # what stands there before it is computed again must be finite
        state.length, state.seen, state.frozen = at, [at] * len(state.seen), len(chain) * size
        self.found += at
        for node in chain:
            self._touch(node)
        if self.disk is not None:
            self.disk.used([(node.key, _key_of(node.parent)) for node in chain], _key_of(holder))
            self._bound_snapshots()
        return state

    def insert(self, user: str, tokens: Sequence[int], state: SequenceState, last: bytes | None = None, end: bool = False) -> bytes | None:
        """Remembers the complete blocks of a state that stands at a block's end, and its rings as the policy says.

        last: what the request's previous call returned; that snapshot is dropped if only this request needed it.
        end: the prompt or the answer ends within the next block. Returns the key of a snapshot that may be dropped.
        """
        size = self.pool.layout.block_tokens
        if state.length % size or not state.length:
            raise ValueError(f"a state of {state.length} tokens does not stand at the end of a block of {size}")
        parent = None
        for i, key in enumerate(_keys(user, tokens, size, state.length // size)):
            node = self.nodes.get(key)
            if node is None:
                node = self._add(key, parent, self.pool.share(state.blocks[i]))
            elif node.block != state.blocks[i]:  # computed twice: a block in use must keep those before it in use, or none can go
                self.pool.release(state.blocks[i])
                state.blocks[i] = self.pool.share(node.block)
            self._touch(node)
            if self.disk is not None and self.disk.lacks("block", key, _key_of(parent)):
                self.disk.offer("block", key, _key_of(parent), self.pool.memory[node.block])
            parent = node
        regular = self.policy == "full" or (self.policy == "periodic" and state.length % self.period == 0)
        if parent.snapshot is None and (regular or (self.policy == "periodic" and end)):
            parent.snapshot = state.fixed.clone()
        parent.keep |= regular
        if parent.keep:
            self._save_rings(parent)
        old = self.nodes.get(last) if last is not None else None
        if old is not None and old is not parent and not old.keep:
            old.snapshot = None
        self._bound_snapshots()
        return parent.key if parent.snapshot is not None and not parent.keep else None

    def settle(self, snapshot: bytes | None) -> None:
        """A request is done: what its last `insert` returned is no longer dropped, and worth a place on disk."""
        node = self.nodes.get(snapshot) if snapshot is not None else None
        if node is not None:
            self._save_rings(node)

    def evict(self, blocks: int) -> int:
        """Forgets the longest unused leaves until so many blocks are free for others. Returns how many were freed."""
        freed = 0
        while freed < blocks:
            node = next((n for n in self.nodes.values() if not n.children and self.pool.references[n.block] == 1), None)
            if node is None:
                break
            self._forget(node)
            freed += 1
        return freed

    def clear(self) -> None:
        """Forgets everything that is in memory."""
        for node in reversed(list(self.nodes.values())):
            self.pool.release(node.block)
        self.nodes.clear()

    def evictable(self) -> int:
        """How many blocks `evict` could free at most."""
        return sum(self.pool.references[n.block] == 1 for n in self.nodes.values())

    def stats(self) -> PrefixStats:
        nodes = list(self.nodes.values())  # at once, for the engine's thread may be at work
        held = [snapshot.nbytes for snapshot in [node.snapshot for node in nodes] if snapshot is not None]
        block_bytes = len(nodes) * self.pool.layout.block_bytes
        disk = self.disk.stats() if self.disk is not None else None
        return PrefixStats(self.asked, self.found, self.found_on_disk, len(nodes), block_bytes, len(held), sum(held), disk)

    def close(self) -> None:
        """Waits until the disk has what it was given; nothing is written afterwards."""
        if self.disk is not None:
            self.disk.close()

    def _load(self, keys: list[bytes], chain: list[Node], state: SequenceState) -> None:
        """Continues a chain, and the state's blocks, by what the disk has, while the pool has room."""
        for key in keys[len(chain) :]:
            parent = chain[-1] if chain else None
            found = self.disk.read("block", key, _key_of(parent))
            if found is None:
                return
            try:
                block = self.pool.take()
            except MemoryError:
                if not self.evict(1):  # the chain itself is in use by the state
                    return
                block = self.pool.take()
            self.pool.memory[block].copy_(found)
            chain.append(self._add(key, parent, block))
            state.blocks.append(self.pool.share(block))

    def _add(self, key: bytes, parent: Node | None, block: int) -> Node:
        node = self.nodes[key] = Node(key, parent, block)
        if parent is not None:
            parent.children += 1
        return node

    def _resume(self, chain: list[Node], disk: DiskStore | None = None) -> tuple[int, Node | None]:
        """The token to go on at, and the node with the rings there; (0, None) where starting over costs no more."""
        size = self.pool.layout.block_tokens
        reach = recompute_tokens(self.pool)
        blind = max(len(chain) * size - reach, 0)
        for i in range(len(chain) - 1, -1, -1):
            if (i + 1) * size < blind:
                break
            if chain[i].snapshot is None and disk is not None:
                found = disk.read("rings", chain[i].key)
                chain[i].snapshot = None if found is None else found.to(self.pool.memory.device)
            if chain[i].snapshot is not None:
                return (i + 1) * size, chain[i]
        return blind, None

    def _save_rings(self, node: Node) -> None:
        if self.disk is not None and node.snapshot is not None and self.disk.lacks("rings", node.key):
            self.disk.offer("rings", node.key, None, node.snapshot)

    def _touch(self, node: Node) -> None:
        """Makes a node the most recently used one. Its ancestors are touched first, so leaves go first of all."""
        self.nodes.pop(node.key)
        self.nodes[node.key] = node

    def _forget(self, node: Node) -> None:
        del self.nodes[node.key]
        self.pool.release(node.block)
        if node.parent is not None:
            node.parent.children -= 1

    def _bound_snapshots(self) -> None:
        held = [n for n in self.nodes.values() if n.snapshot is not None]
        excess = sum(n.snapshot.nbytes for n in held) - self.snapshot_bytes
        for node in held:
            if excess <= 0:
                return
            excess -= node.snapshot.nbytes
            node.snapshot = None


def recompute_tokens(pool: Pool) -> int:
    """How many tokens must be computed again, in whole blocks, until every ring is exact without a snapshot.

    A layer's rings are exact once its inputs have been for a ring's length, and those once the layer before is.
    """
    layout = pool.layout
    reach = sum(max(x.window.rows, 0 if x.u is None else x.u.rows) for x in layout.layers)
    return -(-reach // layout.block_tokens) * layout.block_tokens


def _key_of(node: Node | None) -> bytes | None:
    return node.key if node is not None else None


def _keys(user: str, tokens: Sequence[int], size: int, blocks: int) -> Iterator[bytes]:
    """The names of a token sequence's first blocks: each hash covers the user and every token up to the block's end."""
    key = hashlib.sha256(user.encode()).digest()
    for i in range(blocks):
        key = hashlib.sha256(key + np.asarray(tokens[i * size : (i + 1) * size], dtype="<u4").tobytes()).digest()
        yield key
