"""At which angle does a position turn each pair of channels?

Two families (spec 2.7): sliding-window layers use `rope_theta` alone; every rotation in a layer
with compression (queries, window and compressed entries, indexer) uses `compress_rope_theta` with
YaRN. YaRN is static and has no mscale. Angles are FP32 products of position and frequency.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from finback.config import ModelConfig


def frequencies(config: ModelConfig, compressed: bool) -> Tensor:
    """f_i for the qk_rope_head_dim / 2 channel pairs, [r] FP32."""
    dim = config.qk_rope_head_dim
    base = config.compress_rope_theta if compressed else config.rope_theta
    # On the CPU even where a module is built on another device: the last bits must not depend on it.
    f = 1.0 / base ** (torch.arange(0, dim, 2, dtype=torch.float32, device="cpu") / dim)
    yarn = config.rope_scaling
    if not compressed or yarn is None:
        return f

    def pair_with(rotations: float) -> float:
        """The (fractional) pair that turns this often over the original context."""
        return dim * math.log(yarn.original_max_position_embeddings / (rotations * 2 * math.pi)) / (2 * math.log(base))

    low = max(math.floor(pair_with(yarn.beta_fast)), 0)
    high = min(math.ceil(pair_with(yarn.beta_slow)), dim - 1)
    if low == high:
        high += 0.001  # a step instead of a ramp
    ramp = ((torch.arange(dim // 2, dtype=torch.float32, device="cpu") - low) / (high - low)).clamp(0, 1)
    return f / yarn.factor * ramp + f * (1 - ramp)


def angles(positions: Tensor, freqs: Tensor) -> tuple[Tensor, Tensor]:
    """(cos, sin), each [T, r] FP32, of positions [T]."""
    theta = positions.float()[:, None] * freqs
    return theta.cos(), theta.sin()


class Rope(NamedTuple):
    """What the layers of one family need in one forward: its frequencies, and cos and sin of the batch's positions."""

    freqs: Tensor
    cos: Tensor
    sin: Tensor
