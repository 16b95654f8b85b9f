"""Which part of a prompt has been computed before? A tree of blocks, shared by all requests of a user.

Every complete block of 128 tokens that was computed is a node, found by a hash of its tokens and of all that came
before. A node owns one reference to its block of compressed entries, and may hold a snapshot: the rings after its
last token. To continue a prompt one needs its blocks, and the rings at some token. Three policies (report 3.5):

    full       a snapshot at every block: nothing is computed again
    periodic   one every `period` tokens, and at the last blocks of prompt and answer: at most `period` tokens again
    zero       none: the last n_win tokens times the number of layers are computed again, from which rings follow

Recomputed tokens read the cached entries and do not write them, so a hit answers as a cold run does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from torch import Tensor

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
    """Tokens asked for and found, and what the store holds."""

    asked: int
    found: int
    blocks: int
    snapshots: int
    snapshot_bytes: int


class PrefixStore:
    """The tree. `snapshot_bytes` bounds the snapshots; blocks are bounded by the pool, see `evict`."""

    def __init__(self, pool: Pool, policy: Policy = "periodic", period: int = 1024, snapshot_bytes: int = 1 << 30):
        if policy not in ("full", "periodic", "zero"):
            raise ValueError(f"the prefix policy is {policy!r}; choose full, periodic or zero")
        size = pool.layout.block_tokens
        if period < size or period % size:
            raise ValueError(f"the prefix period is {period}; it must be a multiple of the cache's blocks of {size} tokens")
        self.pool, self.policy, self.period, self.snapshot_bytes = pool, policy, period, snapshot_bytes
        self.nodes: dict[bytes, Node] = {}  # in the order of use, longest unused first
        self.asked = self.found = 0

    def start(self, user: str, tokens: Sequence[int]) -> SequenceState:
        """A state that has seen as much of `tokens` as is known, and never all: the last token's logits are wanted."""
        chain = list(self._known(user, tokens))
        at, rings = self._resume(chain)
        state = SequenceState.empty(self.pool)
        self.asked += len(tokens)
        if at == 0 and rings is None and not chain:
            return state
        if rings is not None:
            state.fixed.copy_(rings)
        else:
            state.fixed.zero_()  # what stands there before it is computed again must be finite
        size = self.pool.layout.block_tokens
        if at == 0:  # everything is computed again, into blocks of its own
            return state
        state.blocks = [self.pool.share(node.block) for node in chain]
        state.length, state.seen, state.frozen = at, [at] * len(state.seen), len(chain) * size
        self.found += at
        for node in chain:
            self._touch(node)
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
        for key, block in zip(_keys(user, tokens, size, state.length // size), state.blocks):
            node = self.nodes.get(key)
            if node is None:
                node = self.nodes[key] = Node(key, parent, self.pool.share(block))
                if parent is not None:
                    parent.children += 1
            self._touch(node)
            parent = node
        regular = self.policy == "full" or (self.policy == "periodic" and state.length % self.period == 0)
        if parent.snapshot is None and (regular or (self.policy == "periodic" and end)):
            parent.snapshot = state.fixed.clone()
        parent.keep |= regular
        old = self.nodes.get(last) if last is not None else None
        if old is not None and old is not parent and not old.keep:
            old.snapshot = None
        self._bound_snapshots()
        return parent.key if parent.snapshot is not None and not parent.keep else None

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
        """Forgets everything."""
        for node in reversed(list(self.nodes.values())):
            self.pool.release(node.block)
        self.nodes.clear()

    def evictable(self) -> int:
        """How many blocks `evict` could free at most."""
        return sum(self.pool.references[n.block] == 1 for n in self.nodes.values())

    def stats(self) -> PrefixStats:
        held = [n.snapshot.nbytes for n in self.nodes.values() if n.snapshot is not None]
        return PrefixStats(self.asked, self.found, len(self.nodes), len(held), sum(held))

    def _known(self, user: str, tokens: Sequence[int]) -> Iterator[Node]:
        size = self.pool.layout.block_tokens
        for key in _keys(user, tokens, size, (len(tokens) - 1) // size):
            node = self.nodes.get(key)
            if node is None:
                return
            yield node

    def _resume(self, chain: list[Node]) -> tuple[int, Tensor | None]:
        """The token to go on at, and the rings there; (0, None) where starting over costs no more."""
        size = self.pool.layout.block_tokens
        reach = recompute_tokens(self.pool)
        blind = max(len(chain) * size - reach, 0)
        for i in range(len(chain) - 1, -1, -1):
            if (i + 1) * size < blind:
                break
            if chain[i].snapshot is not None:
                return (i + 1) * size, chain[i].snapshot
        return blind, None

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


def _keys(user: str, tokens: Sequence[int], size: int, blocks: int) -> Iterator[bytes]:
    """The names of a token sequence's first blocks: each hash covers the user and every token up to the block's end."""
    key = hashlib.sha256(user.encode()).digest()
    for i in range(blocks):
        key = hashlib.sha256(key + np.asarray(tokens[i * size : (i + 1) * size], dtype="<u4").tobytes()).digest()
        yield key
