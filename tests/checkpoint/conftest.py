"""Shared material and tiny models for the checkpoint tests."""

import pytest
import torch

from finback.config import ModelConfig, Yarn

TINY = dict(
    vocab_size=96, hidden_size=64, num_hidden_layers=4, compress_ratios=(0, 4, 128, 4, 0), num_attention_heads=4, head_dim=32,
    qk_rope_head_dim=16, q_lora_rank=32, o_groups=2, o_lora_rank=16, index_n_heads=16, index_head_dim=32, index_topk=8,
    n_routed_experts=4, num_experts_per_tok=2, moe_intermediate_size=32, num_hash_layers=1, max_position_embeddings=4096,
    rope_scaling=Yarn(original_max_position_embeddings=256),
)  # fmt: skip


@pytest.fixture(scope="session")
def tiny_config() -> ModelConfig:
    return ModelConfig(**TINY)


@pytest.fixture(scope="session")
def tiny_model(tiny_config):
    """A model whose every weight is random, so that a swapped or forgotten tensor shows. Not to be changed."""
    from finback.model import Transformer

    torch.manual_seed(7)
    model = Transformer(tiny_config)
    with torch.no_grad():
        for name, value in model.named_parameters():
            value.normal_(std=0.2 if value.ndim > 1 else 1.0)
        for name, value in model.named_buffers():
            if name.endswith("tid2eid"):
                value.copy_(torch.stack([torch.randperm(4)[:2] for _ in range(96)]))
    return model.eval()
