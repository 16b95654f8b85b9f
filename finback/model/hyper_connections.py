"""How are the residual streams read and written? Manifold-constrained hyper-connections (report 2.2).

The parameters keep DeepSeek's flat names (`hc_attn_fn`, `hc_ffn_scale`, `hc_head_base`), so they live
in the block that owns them; this module only groups the three tensors of one use.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from finback import ops
from finback.config import ModelConfig


def add_parameters(module: nn.Module, prefix: str, config: ModelConfig, head: bool = False) -> None:
    """Gives `module` the FP32 parameters {prefix}_fn, {prefix}_base and {prefix}_scale."""
    n = config.hc_mult
    rows = n if head else (2 + n) * n
    module.register_parameter(f"{prefix}_fn", nn.Parameter(torch.empty(rows, n * config.hidden_size)))
    module.register_parameter(f"{prefix}_base", nn.Parameter(torch.zeros(rows)))
    module.register_parameter(f"{prefix}_scale", nn.Parameter(torch.ones(1 if head else 3)))


def read(module: nn.Module, prefix: str, h: Tensor, config: ModelConfig) -> tuple[Tensor, Tensor, Tensor]:
    """A sublayer's input x [T, D] from the streams h [T, n, D], with the (post, comb) that `ops.hc_post` takes."""
    fn, scale, base = (getattr(module, f"{prefix}_{part}") for part in ("fn", "scale", "base"))
    return ops.hc_pre(h, fn, scale, base, config.hc_sinkhorn_iters, config.hc_eps, config.rms_norm_eps)


def collapse(module: nn.Module, h: Tensor, config: ModelConfig) -> Tensor:
    """The streams' final vector [T, D], by `hc_head_*`."""
    return ops.hc_head(h, module.hc_head_fn, module.hc_head_scale, module.hc_head_base, config.hc_eps, config.rms_norm_eps)
