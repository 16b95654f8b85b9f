"""What does a V4 model cost: parameters, cache bytes and FLOPs, as functions of its config?

Everything is computed from the inventory of tensors and the architecture, nothing is measured.
Parameters are counted by part; cache bytes for the layouts engines use; FLOPs for one more token
after a given context, for a whole sequence, or for a training step. FP8-equivalent FLOPs weigh attention (BF16) double and the indexer (FP4)
half, as the V4 report does. The hash layers' routing tables are data, not parameters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache

from finback.checkpoint.layout import Weight, weights
from finback.config import ModelConfig

# part: what its weights' names contain, first match wins
_PARTS = (
    ("mtp", "mtp."),
    ("embedding", "embed."),
    ("mhc", "hc_"),
    ("indexer", ".attn.indexer."),
    ("compressor", ".attn.compressor."),
    ("attention", ".attn."),
    ("routed_experts", ".ffn.experts."),
    ("shared_experts", ".ffn.shared_experts."),
    ("router", ".ffn.gate."),
    ("norms", "norm."),
    ("head", "head."),
)


@dataclass(frozen=True)
class Parameters:
    """Parameter counts; `active` are those one token passes through (head included, embedding table not)."""

    embedding: int
    attention: int
    compressor: int
    indexer: int
    routed_experts: int
    shared_experts: int
    router: int
    mhc: int
    norms: int
    head: int
    mtp: int
    active: int

    @property
    def main(self) -> int:
        """The model without its MTP blocks."""
        return self.total - self.mtp

    @property
    def total(self) -> int:
        return sum(n for part, n in asdict(self).items() if part != "active")


@dataclass(frozen=True)
class CacheLayout:
    """Bytes of a cached entry and of an indexer key."""

    name: str
    entry: int
    index_key: int


@dataclass(frozen=True)
class Flops:
    """FLOPs of one token, by what computes them; a multiplication and an addition count as two."""

    linear: float
    window: float
    csa: float
    hca: float
    indexer: float

    @property
    def total(self) -> float:
        return self.linear + self.attention + self.indexer

    @property
    def attention(self) -> float:
        return self.window + self.csa + self.hca

    @property
    def fp8_equivalent(self) -> float:
        return self.linear + 2 * self.attention + self.indexer / 2


def parameters(config: ModelConfig) -> Parameters:
    counts = {part: 0 for part, _ in _PARTS}
    for weight in _learned(config):
        counts[_part(weight)] += weight.numel
    idle = _idle(config, counts["routed_experts"])
    return Parameters(**counts, active=sum(counts.values()) - counts["mtp"] - counts["embedding"] - idle)


def cache_layouts(config: ModelConfig) -> tuple[CacheLayout, ...]:
    """BF16 throughout; then FP8 entries (rotary channels BF16, a scale per 64 channels) with FP8 or FP4 index keys."""
    r, n = config.qk_rope_head_dim, config.index_head_dim
    plain = config.head_dim - r
    scales = -(-plain // 64)
    fp8 = plain + 2 * r + -(-scales // 8) * 8  # scales are padded to eight bytes
    return (
        CacheLayout("bf16", 2 * config.head_dim, 2 * n),
        CacheLayout("fp8, index fp8", fp8, n + 4 * -(-n // 128)),
        CacheLayout("fp8, index fp4", fp8, n // 2 + -(-n // 32)),
    )


def cache_bytes_per_token(config: ModelConfig, layout: CacheLayout) -> float:
    """By how much the cache of a sequence grows with each token, on average. Window state does not grow."""
    return sum(
        layout.entry / ratio + (layout.index_key / ratio if kind == "CSA" else 0) for kind, ratio in _layers(config) if ratio
    )


def window_bytes(config: ModelConfig, layout: CacheLayout) -> int:
    """The fixed part of a sequence's cache: the last `sliding_window` entries of each layer."""
    return config.num_hidden_layers * config.sliding_window * layout.entry


def cache_bytes(config: ModelConfig, context: int, layout: CacheLayout) -> int:
    """The cache of one sequence of `context` tokens: window entries, compressed entries and index keys."""
    total = config.num_hidden_layers * min(context, config.sliding_window) * layout.entry
    for kind, ratio in _layers(config):
        if ratio:
            total += context // ratio * (layout.entry + (layout.index_key if kind == "CSA" else 0))
    return total


def compressor_state_bytes(config: ModelConfig) -> int:
    """FP32 state of the unfinished compression windows of one sequence, in the layout of DeepSeek's code."""
    total = 0
    for kind, ratio in _layers(config):
        if kind == "CSA":  # two windows of two series, keys and gates
            total += 2 * 4 * (2 * ratio) * 2 * (config.head_dim + config.index_head_dim)
        elif kind == "HCA":
            total += 2 * 4 * ratio * config.head_dim
    return total


def flops_per_token(config: ModelConfig, context: int) -> Flops:
    """FLOPs of the token at the end of a context of that many tokens (itself included), MTP left out."""
    return _flops(config, 1, lambda ratio, most: min(context // ratio, most))


def flops_per_sequence(config: ModelConfig, length: int, dense: bool = False) -> Flops:
    """FLOPs of all tokens of a sequence from its start, MTP left out. dense: CSA reads every visible entry, without
    its indexer."""
    return _flops(config, length, lambda ratio, most: _sum_of_visible(length, ratio, most), dense)


def training_flops(config: ModelConfig, lengths: Sequence[int], attention: str, mtp: bool) -> float:
    """Model FLOPs of one training step on sequences of these lengths: a backward pass counts as two forward passes.

    attention: the stage's, "dense", "warmup" or "sparse"; a warm-up goes back through the indexer alone. Only what the
    model asks for counts: no padding, no masked-out products, no optimizer.
    """
    total = 0.0
    for length in lengths:
        sparse = flops_per_sequence(config, length)
        dense = flops_per_sequence(config, length, dense=True)
        indexer = sparse.indexer + length * 2 * _active_matrices(config)["indexer"]
        total += {"dense": 3 * dense.total, "warmup": dense.total + 3 * indexer, "sparse": 3 * sparse.total}[attention]
        if mtp and attention != "warmup":
            total += 3 * config.num_nextn_predict_layers * _mtp_flops(config, length)
    return total


def _flops(config: ModelConfig, tokens: int, visible: Callable[[int, float], float], dense: bool = False) -> Flops:
    """visible(ratio, most): how many entries of `ratio` tokens the tokens see together, each at most that many."""
    per_key = 4 * config.num_attention_heads * config.head_dim  # a dot product and a weighted sum for each head
    per_score = 2 * config.index_n_heads * config.index_head_dim
    csa = [ratio for kind, ratio in _layers(config) if kind == "CSA"]
    hca = [ratio for kind, ratio in _layers(config) if kind == "HCA"]
    matrices = _active_matrices(config)
    active = sum(n for part, n in matrices.items() if part != "mtp" and not (dense and part == "indexer"))
    return Flops(
        linear=2 * active * tokens,
        window=per_key * visible(1, config.sliding_window) * config.num_hidden_layers,
        csa=per_key * sum(visible(ratio, math.inf if dense else config.index_topk) for ratio in csa),
        hca=per_key * sum(visible(ratio, math.inf) for ratio in hca),
        indexer=0 if dense else per_score * sum(visible(ratio, math.inf) for ratio in csa),
    )


def _mtp_flops(config: ModelConfig, length: int) -> float:
    """Of one MTP block and its read-out, over a sequence."""
    matrices = _active_matrices(config)
    active = matrices["mtp"] // config.num_nextn_predict_layers + matrices["head"]
    per_key = 4 * config.num_attention_heads * config.head_dim
    return 2 * active * length + per_key * _sum_of_visible(length, 1, config.sliding_window)


def _sum_of_visible(length: int, ratio: int, most: float) -> int:
    """sum_{t=1..length} min(t // ratio, most)"""
    full = min(length // ratio, most)  # values 1..full-1 are taken by `ratio` tokens each, `full` by all later ones
    return ratio * full * (full - 1) // 2 + full * (length - full * ratio + 1) if full else 0


def _layers(config: ModelConfig) -> list[tuple[str, int]]:
    """(kind, ratio) of each layer, MTP blocks left out."""
    return list(zip(config.layer_kinds, config.compress_ratios))[: config.num_hidden_layers]


def _learned(config: ModelConfig) -> list[Weight]:
    return [w for w in weights(config) if w.kind != "table"]


def _part(weight: Weight) -> str:
    return next(part for part, mark in _PARTS if mark in weight.name)


def _idle(config: ModelConfig, routed: int) -> int:
    """How many of the routed experts' parameters one token leaves aside."""
    return routed * (config.n_routed_experts - config.num_experts_per_tok) // config.n_routed_experts


@lru_cache(maxsize=8)  # a large config has a hundred thousand weights, and reports ask for several contexts
def _active_matrices(config: ModelConfig) -> dict[str, int]:
    """Parameters of the matrices that one token is multiplied by, by part; the head is the main model's."""
    total, routed = dict.fromkeys((part for part, _ in _PARTS), 0), dict.fromkeys((part for part, _ in _PARTS), 0)
    for weight in _learned(config):
        part = _part(weight)
        if len(weight.shape) == 2 and part != "embedding" and not weight.name.endswith(".ape"):
            total[part] += weight.numel
            routed[part] += weight.numel if ".ffn.experts." in weight.name else 0
    return {part: n - _idle(config, routed[part]) for part, n in total.items()}
