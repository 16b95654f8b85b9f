"""How does a checkpoint in DeepSeek's layout become a GGUF file, so that llama.cpp computes the same model?

Names and keys are those that llama.cpp reads for its architecture `deepseek4`. There is no vocabulary: the
benchmarks feed ids. Routed experts are stacked; what DeepSeek keeps in FP32, the router and all vectors stay FP32,
and the format is that of the matrices:

    F32, BF16, Q8_0    every matrix
    MXFP4              the routed experts; the dense linears are Q8_0 and the others BF16, as llama.cpp's own
                       converter does with DeepSeek's FP8 and FP4 (an FP4 checkpoint's experts lose nothing)
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Type

from finback.checkpoint import Checkpoint, open_checkpoint
from finback.checkpoint.layout import Weight, expert_parts, weights
from finback.config import ModelConfig

FORMATS = ("F32", "BF16", "Q8_0", "MXFP4")

_SQRT_SOFTPLUS = 4  # llama.cpp's number of this router

_ROOT = {"embed.weight": "token_embd.weight", "norm.weight": "output_norm.weight", "head.weight": "output.weight"}
_ATTENTION = {
    "attn_sink": "attn_sinks", "wq_a": "attn_q_a", "wq_b": "attn_q_b", "q_norm": "attn_q_a_norm", "wkv": "attn_kv",
    "kv_norm": "attn_kv_a_norm", "wo_a": "attn_output_a", "wo_b": "attn_output_b",
    "compressor.ape": "attn_compressor_ape", "compressor.wkv": "attn_compressor_kv",
    "compressor.wgate": "attn_compressor_gate", "compressor.norm": "attn_compressor_norm",
    "indexer.wq_b": "indexer.attn_q_b", "indexer.weights_proj": "indexer.proj",
    "indexer.compressor.ape": "indexer_compressor_ape", "indexer.compressor.wkv": "indexer_compressor_kv",
    "indexer.compressor.wgate": "indexer_compressor_gate", "indexer.compressor.norm": "indexer_compressor_norm",
}  # fmt: skip
_EXPERT = {"w1": "ffn_gate", "w2": "ffn_down", "w3": "ffn_up"}


def gguf_name(name: str) -> str:
    """The name of a weight that is not a routed expert."""
    if name in _ROOT:
        return _ROOT[name]
    if name.startswith("hc_head_"):
        return f"output_{name.replace('head_', '')}.weight"
    _, layer, part = name.split(".", 2)
    stem = part.removesuffix(".weight")
    if part == "ffn.gate.bias":
        return f"blk.{layer}.exp_probs_b.bias"
    if part.startswith("attn."):
        stem = _ATTENTION[stem.removeprefix("attn.")]
    elif part.startswith("ffn.shared_experts."):
        stem = _EXPERT[stem.rsplit(".", 1)[1]] + "_shexp"
    elif part.startswith("ffn.gate."):
        stem = {"ffn.gate": "ffn_gate_inp", "ffn.gate.tid2eid": "ffn_gate_tid2eid"}[stem]
    return f"blk.{layer}.{stem}.weight"


def type_of(weight: Weight, format: str) -> Type:
    """In which type a weight is stored in a file of one of FORMATS."""
    if weight.kind == "table":
        return Type.I32
    if len(weight.shape) == 1 or weight.kind == "float" or weight.name.endswith("ffn.gate.weight"):
        return Type.F32
    if format == "MXFP4":
        return {"expert": Type.MXFP4, "linear": Type.Q8_0, "plain": Type.BF16}[weight.kind]
    return Type[format]


def rounded(value: torch.Tensor, type: Type) -> torch.Tensor:
    """The values that a file in this type holds, FP32."""
    if type in (Type.F32, Type.I32):
        return value
    return torch.from_numpy(gguf.quants.dequantize(gguf.quants.quantize(value.numpy(), type), type).astype(np.float32))


def to_gguf(source: Path, target: Path, format: str) -> None:
    """Writes the main model (MTP left out) of a checkpoint as one GGUF file in one of FORMATS."""
    checkpoint = open_checkpoint(source)
    writer = gguf.GGUFWriter(target, "deepseek4")
    _write_config(writer, checkpoint.config)
    for name, type, value in _tensors(checkpoint, format):
        data = value.numpy() if type in (Type.F32, Type.I32) else gguf.quants.quantize(value.numpy(), type)
        writer.add_tensor(name, data, raw_dtype=type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _tensors(checkpoint: Checkpoint, format: str) -> Iterator[tuple[str, Type, torch.Tensor]]:
    stacks: dict[str, list[torch.Tensor]] = {}
    for weight in weights(checkpoint.config):
        if weight.name.startswith("mtp."):
            continue
        type = type_of(weight, format)
        value = checkpoint.tensor(weight.name, torch.float32)
        expert = expert_parts(weight.name)
        if expert is None:
            yield gguf_name(weight.name), type, value.to(torch.int32) if type == Type.I32 else value
            continue
        prefix, _, part = expert
        stack = stacks.setdefault(prefix + part, [])
        stack.append(value)
        if len(stack) == checkpoint.config.n_routed_experts:
            yield (
                f"blk.{prefix.split('.')[1]}.{_EXPERT[part]}_exps.weight",
                type,
                torch.stack(stacks.pop(prefix + part)),
            )


def _write_config(writer: gguf.GGUFWriter, c: ModelConfig) -> None:
    L = c.num_hidden_layers
    numbers = {
        "context_length": c.max_position_embeddings,
        "embedding_length": c.hidden_size,
        "embedding_length_out": c.hidden_size * c.hc_mult,
        "block_count": L,
        "vocab_size": c.vocab_size,
        "attention.head_count": c.num_attention_heads,
        "attention.head_count_kv": 1,
        "attention.key_length": c.head_dim,
        "attention.value_length": c.head_dim,
        "attention.q_lora_rank": c.q_lora_rank,
        "attention.sliding_window": c.sliding_window,
        "attention.output_group_count": c.o_groups,
        "attention.output_lora_rank": c.o_lora_rank,
        "attention.indexer.head_count": c.index_n_heads,
        "attention.indexer.key_length": c.index_head_dim,
        "attention.indexer.top_k": c.index_topk,
        "rope.dimension_count": c.qk_rope_head_dim,
        "expert_count": c.n_routed_experts,
        "expert_used_count": c.num_experts_per_tok,
        "expert_shared_count": 1,
        "expert_feed_forward_length": c.moe_intermediate_size,
        "expert_gating_func": _SQRT_SOFTPLUS,
        "hash_layer_count": c.num_hash_layers,
        "hyper_connection.count": c.hc_mult,
        "hyper_connection.sinkhorn_iterations": c.hc_sinkhorn_iters,
    }
    reals = {
        "attention.layer_norm_rms_epsilon": c.rms_norm_eps,
        "attention.compress_rope_freq_base": c.compress_rope_theta,
        "rope.freq_base": c.rope_theta,
        "expert_weights_scale": c.routed_scaling_factor,
        "hyper_connection.epsilon": c.hc_eps,
    }
    if c.rope_scaling is not None:
        writer.add_string("deepseek4.rope.scaling.type", "yarn")
        numbers["rope.scaling.original_context_length"] = c.rope_scaling.original_max_position_embeddings
        reals["rope.scaling.factor"] = c.rope_scaling.factor
        reals["rope.scaling.yarn_beta_fast"] = c.rope_scaling.beta_fast
        reals["rope.scaling.yarn_beta_slow"] = c.rope_scaling.beta_slow
    for key, number in numbers.items():
        writer.add_uint32(f"deepseek4.{key}", number)
    for key, real in reals.items():
        writer.add_float32(f"deepseek4.{key}", real)
    writer.add_bool("deepseek4.expert_weights_norm", True)
    writer.add_array("deepseek4.attention.compress_ratios", list(c.compress_ratios[:L]))
    for key in ("swiglu_clamp_exp", "swiglu_clamp_shexp"):
        writer.add_array(f"deepseek4.{key}", [float(c.swiglu_limit)] * L)
    writer.add_string("tokenizer.ggml.model", "none")
