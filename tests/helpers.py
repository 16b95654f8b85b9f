"""Random V4 models that exercise every term, and their twins in transformers."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from finback.config import ModelConfig, Yarn
from finback.model import Transformer, new_model

SHARED = Path(os.environ.get("FINBACK_SHARED", Path(__file__).resolve().parents[2] / "shared"))


def shared(relative: str) -> Path:
    """A file of the shared reference material; the test is skipped where there is none."""
    path = SHARED / relative
    if not path.exists():
        pytest.skip(f"needs {relative} of the reference material (FINBACK_SHARED)")
    return path


def tiny_config(**changes) -> ModelConfig:
    """Two thousandths of a Flash with all three kinds of attention and both kinds of routing."""
    base = dict(
        vocab_size=160, hidden_size=48, num_hidden_layers=4, num_nextn_predict_layers=0, compress_ratios=(0, 4, 128, 4),
        num_attention_heads=4, head_dim=24, qk_rope_head_dim=8, q_lora_rank=32, o_groups=2, o_lora_rank=12,
        index_n_heads=16, index_head_dim=16, index_topk=8, n_routed_experts=6, num_experts_per_tok=2,
        moe_intermediate_size=20, num_hash_layers=1, max_position_embeddings=4096,
        rope_scaling=Yarn(factor=16.0, original_max_position_embeddings=256),
    )  # fmt: skip
    return ModelConfig(**{**base, **changes})


def random_model(config: ModelConfig, seed: int = 0) -> Transformer:
    """Weights of order one where training starts at zero, so that every term of every equation counts."""
    model = new_model(config, seed)
    generator = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=generator)
            if name.endswith("norm.weight"):
                p.copy_(1 + 0.2 * noise)
            elif name.endswith(("attn_sink", "_base", "ape")):
                p.copy_(0.7 * noise)
            elif name.endswith("_scale"):
                p.copy_(1 + 0.3 * noise)
            elif name.endswith("gate.bias"):
                p.copy_(0.1 * noise)
            elif name == "embed.weight":
                p.copy_(noise)
            else:
                p.copy_(1.3 * noise * p.shape[-1] ** -0.5)
    return model.eval()


def official_state(model: Transformer) -> dict[str, torch.Tensor]:
    """The model's tensors under DeepSeek's names, one per expert."""
    state = {}
    for name, tensor in model.state_dict().items():
        if ".ffn.experts." in name:
            prefix, part = name.rsplit(".", 1)
            state.update({f"{prefix}.{e}.{part}.weight": t.contiguous() for e, t in enumerate(tensor)})
        else:
            state[name] = tensor.contiguous()
    return state


def transformers_twin(model: Transformer, folder: Path):
    """The same weights in transformers' DeepseekV4ForCausalLM, loaded from DeepSeek's layout."""
    from transformers import AutoModelForCausalLM

    save_file(official_state(model), folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps({**model.config.to_dict(), "torch_dtype": "float32"}))
    twin, info = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    assert not info["missing_keys"] and not info["mismatched_keys"], info
    return twin.eval()


def random_ids(length: int, vocab: int, seed: int) -> torch.Tensor:
    return torch.randint(0, vocab, (length,), generator=torch.Generator().manual_seed(seed))
