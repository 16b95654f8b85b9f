"""How does the model predict one token further? The multi-token-prediction block (report 2.1, spec 2.9).

At position i it joins the streams of token i (before the head collapses them) with the embedding of
token i+1, and runs one ordinary block, whose output gives the logits of token i+2. Embedding and
head are the main model's.
"""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from finback.config import ModelConfig
from finback.model import hyper_connections as hc
from finback.model.batch import Pass
from finback.model.layers import Linear, RMSNorm
from finback.model.transformer import Block, Transformer


class MTPBlock(Block):
    def __init__(self, config: ModelConfig, layer: int):
        super().__init__(config, layer)
        D, eps = config.hidden_size, config.rms_norm_eps
        self.e_proj = Linear(D, D)
        self.h_proj = Linear(D, D)
        self.enorm = RMSNorm(D, eps)
        self.hnorm = RMSNorm(D, eps)
        self.norm = RMSNorm(D, eps)
        hc.add_parameters(self, "hc_head", config, head=True)


def mtp_streams(model: Transformer, h: Tensor, next_tokens: Tensor, run: Pass, depth: int = 0) -> Tensor:
    """The streams [T, n, D] of MTP block `depth`, from h [T, n, D] and next_tokens [T] (token i+1 at row i).

    run: the pass that made h. With states, every token must pass here as well: the block has a window of its own.
    """
    if next_tokens.shape != run.batch.tokens.shape:
        raise ValueError(f"{len(next_tokens)} next tokens for {len(run.batch.tokens)} rows: give the following token of every row")
    block = model.mtp[depth]
    e = block.e_proj(block.enorm(model.embed(next_tokens).to(h.dtype)))
    x = e.unsqueeze(1) + block.h_proj(block.hnorm(h))
    return block(x, replace(run, batch=replace(run.batch, tokens=next_tokens)))


def mtp_final(model: Transformer, h: Tensor, depth: int = 0) -> Tensor:
    """What the head multiplies, [T, D], from the MTP block's streams [T, n, D]."""
    block = model.mtp[depth]
    return block.norm(hc.collapse(block, h, model.config))


def mtp_read_out(model: Transformer, h: Tensor, depth: int = 0) -> Tensor:
    """Logits [T, V] FP32 of token i+2 from the MTP block's streams [T, n, D]."""
    return mtp_final(model, h, depth).float() @ model.head.weight.float().t()
