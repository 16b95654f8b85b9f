"""How does a token read the past? Sliding window, CSA and HCA in one module (report 2.3).

All three are shared-KV multi-query attention: one vector per token or compressed entry is key and
value of every head. The kinds differ in what they read beside the last `sliding_window` tokens:
nothing (SWA), the entries that the indexer picks (CSA), or all entries (HCA). Projections run on
the whole flat batch; only the core runs segment by segment.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from finback import ops
from finback.config import ModelConfig
from finback.model.batch import Pass
from finback.model.compressor import Compressor
from finback.model.indexer import Indexer
from finback.model.layers import Linear, RMSNorm
from finback.model.state import LayerCache, LayerLayout, SequenceState, keep, recent
from finback.model.trace import Indexing, Picks


class Attention(nn.Module):
    def __init__(self, config: ModelConfig, layer: int):
        super().__init__()
        self.layer = layer
        self.kind, self.ratio = config.layer_kinds[layer], config.compress_ratios[layer]
        self.heads, self.dim, self.groups = config.num_attention_heads, config.head_dim, config.o_groups
        self.width, self.eps, self.rotary = config.sliding_window, config.rms_norm_eps, config.qk_rope_head_dim
        self.wq_a = Linear(config.hidden_size, config.q_lora_rank)
        self.q_norm = RMSNorm(config.q_lora_rank, self.eps)
        self.wq_b = Linear(config.q_lora_rank, self.heads * self.dim)
        self.wkv = Linear(config.hidden_size, self.dim)
        self.kv_norm = RMSNorm(self.dim, self.eps)
        self.attn_sink = nn.Parameter(torch.zeros(self.heads))
        self.wo_a = Linear(self.heads * self.dim // self.groups, self.groups * config.o_lora_rank)
        self.wo_b = Linear(self.groups * config.o_lora_rank, config.hidden_size)
        self.compressor = self.indexer = None
        if self.kind != "SWA":
            self.compressor = Compressor(config.hidden_size, self.dim, self.ratio, self.kind == "CSA", self.eps)
        if self.kind == "CSA":
            self.indexer = Indexer(config, self.ratio)

    def forward(self, x: Tensor, run: Pass) -> Tensor:
        """x: [T, D] normed input. Returns [T, D]."""
        batch, states = run.batch, run.states
        freqs, cos, sin = run.ropes[self.compressor is not None]
        latent = self.q_norm(self.wq_a(x))
        q = ops.rms_norm(self.wq_b(latent).unflatten(1, (self.heads, self.dim)), None, self.eps)
        q = ops.rotate(q, cos, sin)
        kv = ops.rotate(self.kv_norm(self.wkv(x)), cos, sin)
        if run.fp8_cache:
            kv = ops.round_entries(kv, self.rotary)
        # split, not slices: the gradient of a slice is as large as the whole batch
        q, kv = batch.split(q), batch.split(kv)
        if self.compressor is not None:
            u, z = map(batch.split, self.compressor.project(x, batch))
        indexing = self.indexer is not None and self._needs_index(run)
        if indexing:  # detached: the indexer learns from its own loss, and that loss moves nothing else
            index_x = x.detach()
            index_q, index_gate = map(batch.split, self.indexer.queries(index_x, latent.detach(), cos, sin, run.fp4_index))
            index_u, index_z = map(batch.split, self.indexer.compressor.project(index_x, batch))

        outs = []
        for s, start in enumerate(batch.starts):
            if not len(q[s]):
                outs.append(q[s])
                continue
            state = states[s] if states is not None else None
            window, entries, selected = kv[s], kv[s][:0], None
            if state is not None:
                cache, layout = self._continue(state, start, len(q[s]))
                past = layout.window.unpack(recent(cache.window, start, min(start, self.width - 1)))
                window = torch.cat((past.to(x.dtype), window))
                keep(cache.window, layout.window.pack(kv[s]), start + len(q[s]))
            if self.compressor is not None and state is not None:
                entries = self.compressor.advance(u[s], z[s], start, freqs, state, (cache.u, cache.z), layout.entries, x.dtype)
            elif self.compressor is not None:
                entries = self.compressor(u[s], z[s], start, freqs, x.dtype)
                entries = ops.round_entries(entries, self.rotary) if run.fp8_cache else entries
            if indexing:
                if state is not None:
                    rings = cache.index_u, cache.index_z
                    keys = self.indexer.compressor.advance(index_u[s], index_z[s], start, freqs, state, rings, layout.keys, x.dtype, run.fp4_index)
                else:
                    keys = self.indexer.compressor(index_u[s], index_z[s], start, freqs, x.dtype, run.fp4_index)
                if not run.dense:
                    selected = self.indexer.select(index_q[s], index_gate[s], keys, start)
                if run.trace is not None and run.trace.picks is not None:
                    run.trace.picks.append(Picks(self.layer, selected))
                if run.trace is not None and run.trace.wants_indexing and len(entries):
                    scores = ops.index_scores(index_q[s], index_gate[s], keys)
                    mass = ops.entry_mass(q[s], window, entries, self.attn_sink, start, self.width, self.ratio)
                    hidden = ops.hidden_entries(start, start + len(mass), len(entries), self.ratio, x.device)
                    run.trace.indexing.append(Indexing(self.layer, scores.masked_fill(hidden, -torch.inf), mass))
            outs.append(
                ops.sparse_attention(q[s], window, entries, selected, self.attn_sink, start, self.width, max(self.ratio, 1))
            )
        out = outs[0] if len(outs) == 1 else torch.cat(outs)
        # Values carry their absolute rotation; turning back by the query's leaves the relative one (spec 2.3).
        return self._project_out(ops.rotate(out, cos, -sin))

    def _continue(self, state: SequenceState, start: int, tokens: int) -> tuple[LayerCache, LayerLayout]:
        """This layer's part of a state that goes on with so many tokens."""
        state.advance(self.layer, start, tokens)
        return state.layers[self.layer], state.pool.layout.layers[self.layer]

    def _needs_index(self, run: Pass) -> bool:
        """Whether any query has more entries than the indexer would pick, or its keys must be kept or recorded."""
        if run.states is not None or (run.trace is not None and run.trace.wants_indexing):
            return True
        return not run.dense and any((b - a) // self.ratio > self.indexer.topk for a, b in run.batch.spans)

    def _project_out(self, out: Tensor) -> Tensor:
        """Grouped low-rank projection (report 2.3.3): heads of a group -> o_lora_rank, groups -> hidden size."""
        groups = zip(out.flatten(1).chunk(self.groups, dim=1), self.wo_a.weight.to(out.dtype).chunk(self.groups))  # [T, H/G*c], [R, H/G*c]
        return self.wo_b(torch.cat([F.linear(x, weight) for x, weight in groups], dim=1))
