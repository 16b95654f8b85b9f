"""Which experts work on a token, and how do their outputs add up? (report 2.1)

One shared expert and the top-k of the routed ones. Affinities are sqrt(softplus), FP32; the bias
only selects. Where training prepares for FP4, the routed experts compute with their rounded weights
(report 5.2.1). The first layers route by a fixed table from token id to experts, and still weigh
them by the learned affinities. The clamp of SwiGLU holds for routed and shared experts.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from finback import ops
from finback.config import ModelConfig
from finback.model.batch import Pass
from finback.model.layers import Linear
from finback.model.trace import Routing


class Gate(nn.Module):
    def __init__(self, config: ModelConfig, hashed: bool):
        super().__init__()
        self.k, self.scale = config.num_experts_per_tok, config.routed_scaling_factor
        self.weight = nn.Parameter(torch.empty(config.n_routed_experts, config.hidden_size))
        self.register_parameter("bias", None)
        if hashed:
            table = torch.zeros(config.vocab_size, self.k, dtype=torch.int64)
            self.register_buffer("tid2eid", table)
        else:  # moved by the balance rule of training, never by a gradient
            self.bias = nn.Parameter(torch.zeros(config.n_routed_experts), requires_grad=False)

    def forward(self, x: Tensor, tokens: Tensor, ids: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """ids [T, k] int64 of the experts of each token (the given ones, if any), their weights [T, k] FP32,
        and all affinities [T, E] FP32."""
        a = ops.affinities(x, self.weight)
        if ids is None:
            ids = self.tid2eid[tokens] if self.bias is None else ops.top_k((a + self.bias).detach(), self.k)
        weights = a.gather(1, ids)
        return ids, weights / weights.sum(dim=1, keepdim=True) * self.scale, a


class Experts(nn.Module):
    """All routed experts of a layer, stacked: w1 (gate) and w3 (up) [E, I, D], w2 (down) [E, D, I]."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        E, inner, D = config.n_routed_experts, config.moe_intermediate_size, config.hidden_size
        self.w1 = nn.Parameter(torch.empty(E, inner, D))
        self.w2 = nn.Parameter(torch.empty(E, D, inner))
        self.w3 = nn.Parameter(torch.empty(E, inner, D))


class SharedExpert(nn.Module):
    def __init__(self, config: ModelConfig):
        super().__init__()
        self.w1 = Linear(config.hidden_size, config.moe_intermediate_size)
        self.w2 = Linear(config.moe_intermediate_size, config.hidden_size)
        self.w3 = Linear(config.hidden_size, config.moe_intermediate_size)


class MoE(nn.Module):
    def __init__(self, config: ModelConfig, layer: int):
        super().__init__()
        self.layer, self.limit = layer, config.swiglu_limit
        self.gate = Gate(config, hashed=layer < config.num_hash_layers)
        self.experts = Experts(config)
        self.shared_experts = SharedExpert(config)

    def forward(self, x: Tensor, run: Pass) -> Tensor:
        """x: [T, D] normed input (hash layers route by the batch's token ids). Returns [T, D]."""
        given = run.routing.get(self.layer) if run.routing is not None else None
        ids, weights, a = self.gate(x, run.batch.tokens, given)
        if run.trace is not None:
            run.trace.routing[self.layer] = Routing(a, ids, self.gate.bias is None)
        routed, shared = self.experts, self.shared_experts
        w1, w2, w3 = routed.w1, routed.w2, routed.w3
        if run.fp4_experts:
            w1, w2, w3 = ops.round_fp4(w1), ops.round_fp4(w2), ops.round_fp4(w3)
        y = ops.experts(x, ids, weights, w1, w2, w3, self.limit)
        y = y + ops.swiglu(x, shared.w1.weight, shared.w2.weight, shared.w3.weight, self.limit)
        return y.to(x.dtype)


def hash_table(vocab_size: int, n_experts: int, k: int, layer: int) -> Tensor:
    """The routing table of a hash layer for models that we train, [vocab_size, k] int64 (DeepSeek's is not public).

    Expert e of token t in layer l has the score splitmix64(t + 2^20 e + 2^40 l); a token's experts are
    those with the k lowest scores: distinct, fixed for ever, and balanced over the vocabulary.
    """
    key = torch.arange(vocab_size)[:, None] + (torch.arange(n_experts) << 20)[None] + (layer << 40)
    return _splitmix64(key).argsort(dim=1, stable=True)[:, :k].contiguous()


def _splitmix64(x: Tensor) -> Tensor:
    """The splitmix64 finaliser on int64 (wrapping products; shifts made logical by masking)."""

    def shift(v: Tensor, bits: int) -> Tensor:
        return (v >> bits) & ((1 << (64 - bits)) - 1)

    x = x + _signed(0x9E3779B97F4A7C15)
    x = (x ^ shift(x, 30)) * _signed(0xBF58476D1CE4E5B9)
    x = (x ^ shift(x, 27)) * _signed(0x94D049BB133111EB)
    return x ^ shift(x, 31)


def _signed(v: int) -> int:
    return v - (1 << 64) if v >= 1 << 63 else v
