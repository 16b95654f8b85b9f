"""Which compressed entries does a CSA token read? The lightning indexer (report 2.3.1).

It has a compressor of its own for narrow keys, queries made from the attention's query latent, and
a weight for each index head. A model that was trained for it multiplies queries and keys in FP4,
both turned by a Hadamard matrix first (report 5.2.1); without the rounding the turn would cancel.
Selection has no gradient: the indexer learns from a loss on `ops.index_scores`, which has one.
"""

from __future__ import annotations

from torch import Tensor, nn

from finback import ops
from finback.config import ModelConfig
from finback.model.compressor import Compressor
from finback.model.layers import Linear


class Indexer(nn.Module):
    def __init__(self, config: ModelConfig, ratio: int):
        super().__init__()
        self.heads, self.dim, self.topk = config.index_n_heads, config.index_head_dim, config.index_topk
        self.ratio = ratio
        self.wq_b = Linear(config.q_lora_rank, self.heads * self.dim)
        self.weights_proj = Linear(config.hidden_size, self.heads)
        self.compressor = Compressor(config.hidden_size, self.dim, ratio, overlap=True, eps=config.rms_norm_eps)

    def queries(self, x: Tensor, latent: Tensor, cos: Tensor, sin: Tensor, fp4: bool) -> tuple[Tensor, Tensor]:
        """q [T, Hi, ci] rotated, and the heads' weights [T, Hi] with both scale factors in them.

        x: [T, D] the attention's input; latent: [T, q_lora_rank] the normed query latent.
        """
        q = self.wq_b(latent).unflatten(1, (self.heads, self.dim))
        q = ops.rotate(q, cos, sin)
        if fp4:
            q = ops.round_index(q)
        return q, self.weights_proj(x).float() * (self.dim**-0.5 * self.heads**-0.5)

    def select(self, q: Tensor, gate: Tensor, keys: Tensor, start: int) -> Tensor | None:
        """The picked entries [T, topk] (-1: none) of a segment, or None where every visible entry is picked."""
        if keys.shape[0] <= self.topk:
            return None
        return ops.select_entries(q, gate, keys, start, self.ratio, self.topk)
