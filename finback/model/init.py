"""With which weights does training start?

Projections are normal with the config's `initializer_range`; norms 1; biases and sinks 0. The
hyper-connections start near a plain residual: small gates (0.01), reading the mean of the streams,
writing with weight 1, mixing near the identity. The report says only "small"; these are our choice.
"""

from __future__ import annotations

import math

import torch

from finback.config import ModelConfig
from finback.model.moe import hash_table
from finback.model.transformer import Transformer

GATE = 0.01
DIAGONAL = 4.0  # softmax of (4, 0, 0, 0): 95 % of a stream stays in it


def new_model(config: ModelConfig, seed: int) -> Transformer:
    """A freshly initialised model in FP32 on the CPU."""
    with torch.device("meta"):
        model = Transformer(config)
    model.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(seed)
    n = config.hc_mult
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name.endswith("_scale"):
                p.fill_(GATE)
            elif name.endswith("_base"):
                p.zero_()
                p[:n] = -math.log(n - 1) if n > 1 else 4.0  # sigmoid gives 1/n
                if p.numel() > n:
                    p[2 * n :].view(n, n).fill_diagonal_(DIAGONAL)
            elif name.endswith("norm.weight"):
                p.fill_(1.0)
            elif name.endswith(("attn_sink", "ape", "gate.bias")):
                p.zero_()
            else:
                p.normal_(0.0, config.initializer_range, generator=generator)
        for i, layer in enumerate(model.layers[: config.num_hash_layers]):
            gate = layer.ffn.gate
            gate.tid2eid.copy_(hash_table(config.vocab_size, config.n_routed_experts, gate.k, i))
    return model
