"""How does the model predict one token further? The multi-token-prediction block (report 2.1, spec 2.9).

At position i it joins the streams of token i (before the head collapses them) with the embedding of
token i+1, and runs one ordinary block, whose output gives the logits of token i+2. Embedding and
head are the main model's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from finback import ops
from finback.config import ModelConfig
from finback.model import hyper_connections as hc
from finback.model import native
from finback.model.batch import Batch, Pass
from finback.model.layers import Linear, RMSNorm
from finback.model.state import SequenceState
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
    e = block.e_proj(block.enorm(model.embed(next_tokens)))
    x = e.unsqueeze(1) + block.h_proj(block.hnorm(h))
    return block(x, replace(run, batch=replace(run.batch, tokens=next_tokens)))


def mtp_read_out(model: Transformer, h: Tensor, depth: int = 0) -> Tensor:
    """Logits [T, V] FP32 of token i+2 from the MTP block's streams [T, n, D]."""
    block = model.mtp[depth]
    x = ops.rms_norm(hc.collapse(block, h, model.config), block.norm.weight, model.config.rms_norm_eps)
    return x.float() @ model.head.weight.float().t()


def mtp_forward(
    model: Transformer, batch: Batch, h: Tensor, states: Sequence[SequenceState], rows: Tensor, depth: int = 0
) -> tuple[Tensor, Tensor]:
    """What MTP block `depth` makes of sequences that the model has seen: logits [R, V] of `rows`, streams [T, n, D].

    The batch holds tokens i+1 at positions i; h: [T, n, D], the streams of tokens i, of the model or, to go one token
    further than it knows, of this block. Afterwards the block has seen the batch; what it wrote stands in the states.
    """
    behind = [replace(state, length=start) for state, start in zip(states, batch.starts)]  # they share rings and counts
    plan = model.plan(behind)
    if plan is not None:
        return native.mtp_forward(plan, batch, h, behind, rows, depth)
    run = model.new_pass(batch, behind)
    streams = mtp_streams(model, h, batch.tokens, run, depth)
    return mtp_read_out(model, streams[rows], depth), streams
