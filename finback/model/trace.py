"""What did the layers decide? A record of one forward, for auxiliary losses and reports.

Pass a `Trace` to the model and each layer writes its entry. Router affinities and index scores keep
their gradients; everything else is detached. Nothing is recorded without a Trace.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor


@dataclass
class Routing:
    """Of one MoE layer: affinities [T, E] FP32 (differentiable), the chosen experts ids [T, k], and whether by hash."""

    affinities: Tensor
    ids: Tensor
    hashed: bool


@dataclass
class Indexing:
    """Of one segment in one CSA layer: scores [n, E] FP32 (differentiable to the indexer alone; -inf where an
    entry is not visible) and mass [n, E], the attention that each entry gets from all heads together."""

    layer: int
    scores: Tensor
    mass: Tensor


@dataclass
class Picks:
    """Of one segment in one CSA layer: the entries [n, topk] that each token reads (-1: none), or None where every
    token reads all that it can see."""

    layer: int
    entries: Tensor | None


@dataclass
class Trace:
    """routing by layer (MTP blocks follow the layers); indexing in the order of layers, then segments, or None
    to do without it: it costs the attention mass of every entry; mixing, if it is a list: the matrices [n, n, T] by
    which each sublayer mixes the streams, in order (`comb` of `ops.hc_pre`), detached; picks, if it is a list: what the
    indexers chose, in the order of indexing."""

    routing: dict[int, Routing] = field(default_factory=dict)
    indexing: list[Indexing] | None = field(default_factory=list)
    mixing: list[Tensor] | None = None
    picks: list[Picks] | None = None

    @property
    def wants_indexing(self) -> bool:
        return self.indexing is not None
