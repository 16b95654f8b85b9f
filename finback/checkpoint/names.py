"""What is the official name of a weight that a file spells in some other way?

Four spellings are in use: DeepSeek's flat names, the same with a `model.` prefix and a few
irregular ones (what transformers 5.23 writes), transformers' names in memory, and stacked
experts (transformers' `gate_up_proj`, Finback's `experts.w1`). The maps are tables; `canonical`
answers with DeepSeek's name. Names only: whether a model has such a weight is not asked here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# Modules with a `.weight` (linears also with a scale) inside a layer: DeepSeek's name, transformers' in memory.
MODULES = {
    "attn.wq_a": "self_attn.q_a_proj",
    "attn.q_norm": "self_attn.q_a_norm",
    "attn.wq_b": "self_attn.q_b_proj",
    "attn.wkv": "self_attn.kv_proj",
    "attn.kv_norm": "self_attn.kv_norm",
    "attn.wo_a": "self_attn.o_a_proj",
    "attn.wo_b": "self_attn.o_b_proj",
    "attn.compressor.wkv": "self_attn.compressor.kv_proj",
    "attn.compressor.wgate": "self_attn.compressor.gate_proj",
    "attn.compressor.norm": "self_attn.compressor.kv_norm",
    "attn.indexer.wq_b": "self_attn.compressor.indexer.q_b_proj",
    "attn.indexer.weights_proj": "self_attn.compressor.indexer.scorer.weights_proj",
    "attn.indexer.compressor.wkv": "self_attn.compressor.indexer.kv_proj",
    "attn.indexer.compressor.wgate": "self_attn.compressor.indexer.gate_proj",
    "attn.indexer.compressor.norm": "self_attn.compressor.indexer.kv_norm",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "ffn.gate": "mlp.gate",
    "ffn.shared_experts.w1": "mlp.shared_experts.gate_proj",
    "ffn.shared_experts.w2": "mlp.shared_experts.down_proj",
    "ffn.shared_experts.w3": "mlp.shared_experts.up_proj",
}

# Bare parameters inside a layer.
PARAMETERS = {
    "attn.attn_sink": "self_attn.sinks",
    "attn.compressor.ape": "self_attn.compressor.position_bias",
    "attn.indexer.compressor.ape": "self_attn.compressor.indexer.position_bias",
    "ffn.gate.bias": "mlp.gate.e_score_correction_bias",
    "ffn.gate.tid2eid": "mlp.gate.tid2eid",
    "hc_attn_fn": "attn_hc.fn",
    "hc_attn_base": "attn_hc.base",
    "hc_attn_scale": "attn_hc.scale",
    "hc_ffn_fn": "ffn_hc.fn",
    "hc_ffn_base": "ffn_hc.base",
    "hc_ffn_scale": "ffn_hc.scale",
}

# Outside the layers; transformers' names without `model.`, except for `lm_head`.
TOP = {
    "embed.weight": "embed_tokens.weight",
    "head.weight": "lm_head.weight",
    "norm.weight": "norm.weight",
    "hc_head_fn": "hc_head.hc_fn",
    "hc_head_base": "hc_head.hc_base",
    "hc_head_scale": "hc_head.hc_scale",
}

# What an MTP block has besides the names of a layer; transformers drops these blocks.
MTP_MODULES = ("e_proj", "h_proj", "enorm", "hnorm", "norm")
MTP_PARAMETERS = ("hc_head_fn", "hc_head_base", "hc_head_scale")

# transformers 5.23 `save_pretrained` turns its attention `kv_norm` into this; DeepSeek has no such name.
IRREGULAR = {"attn.norm": "attn.kv_norm"}

# Stacked experts in one tensor, and the per-expert matrices [o, i] it holds along its second axis.
STACKED = {
    "mlp.experts.gate_up_proj": ("w1", "w3"),
    "mlp.experts.down_proj": ("w2",),
    "ffn.experts.w1": ("w1",),
    "ffn.experts.w2": ("w2",),
    "ffn.experts.w3": ("w3",),
}

_EXPERT_PROJECTIONS = {"gate_proj": "w1", "down_proj": "w2", "up_proj": "w3", "w1": "w1", "w2": "w2", "w3": "w3"}
_NUMBER = "(0|[1-9][0-9]*)"
_IN_BLOCK = re.compile(rf"(layers|mtp)\.{_NUMBER}\.(.+)")
_EXPERT = re.compile(rf"(?:ffn|mlp)\.experts\.{_NUMBER}\.(\w+)\.(\w+)")


class WeightNameError(ValueError):
    """A tensor name that no known spelling of DeepSeek-V4 has, or two names for one weight."""


def canonical(name: str) -> str:
    """The official name for a name in any spelling; a scale's name ends in `.scale`.

    Stacked experts have no official name: their answer is that of the stack,
    `layers.N.ffn.experts.w1+w3` for transformers' `gate_up_proj`; see `stacked_parts`.
    """
    found = _canonical(name)
    if found is None:
        raise WeightNameError(
            f"{name!r} is not the name of a DeepSeek-V4 weight in any known spelling (DeepSeek's, transformers'): "
            "check that this is a V4 checkpoint"
        )
    return found


def canonical_names(names: Iterable[str]) -> dict[str, str]:
    """Official name -> the name given. Unknown names, and two names for one weight, are refused together."""
    found: dict[str, str] = {}
    unknown, doubled = [], []
    for name in names:
        official = _canonical(name)
        if official is None:
            unknown.append(name)
        elif official in found:
            doubled.append(f"{found[official]} and {name}")
        else:
            found[official] = name
    problems = []
    if unknown:
        problems.append(f"{len(unknown)} names belong to no DeepSeek-V4 weight: {few(unknown)}")
    if doubled:
        problems.append(f"{len(doubled)} weights are named twice: {few(doubled)}")
    if problems:
        raise WeightNameError("; ".join(problems) + ": check that this is one whole V4 checkpoint")
    return found


def stacked_parts(official: str) -> tuple[str, tuple[str, ...]] | None:
    """`layers.3.ffn.experts.w1+w3` -> (`layers.3.ffn.experts.`, (`w1`, `w3`)); None for other names."""
    prefix, _, leaf = official.rpartition("experts.")
    parts = tuple(leaf.split("+"))
    return (prefix + "experts.", parts) if prefix and parts in STACKED.values() else None


def transformers_name(official: str) -> str:
    """The name in transformers' model in memory. Experts answer with their stack; MTP blocks have none."""
    if official in TOP:
        return TOP[official] if official == "head.weight" else "model." + TOP[official]
    match = _IN_BLOCK.fullmatch(official)
    if match and match[1] == "layers":
        inside = match[3]
        expert = _EXPERT.fullmatch(inside)
        if expert:
            inside = "mlp.experts.down_proj" if expert[2] == "w2" else "mlp.experts.gate_up_proj"
        elif inside in PARAMETERS:
            inside = PARAMETERS[inside]
        else:
            module, _, leaf = inside.rpartition(".")
            inside = f"{MODULES.get(module, module)}.{'weight_scale_inv' if leaf == 'scale' else leaf}"
        return f"model.layers.{match[2]}.{inside}"
    raise WeightNameError(f"{official!r} has no counterpart in transformers, which drops the MTP blocks")


def few(items: list[str], shown: int = 5) -> str:
    """The first few of a list, for an error sentence."""
    return ", ".join(items[:shown]) + (f", and {len(items) - shown} more" if len(items) > shown else "")


def _canonical(name: str) -> str | None:
    bare = name.removeprefix("model.")
    if bare in TOP:
        return bare
    if bare in _TOP_BACK:
        return _TOP_BACK[bare]
    match = _IN_BLOCK.fullmatch(bare)
    if match is None:
        return None
    block, inside = f"{match[1]}.{match[2]}.", match[3]
    if inside in STACKED:
        return f"{block}ffn.experts.{'+'.join(STACKED[inside])}"
    if match[1] == "mtp" and inside in MTP_PARAMETERS:
        return block + inside
    if inside in PARAMETERS or inside in _PARAMETERS_BACK:
        return block + _PARAMETERS_BACK.get(inside, inside)
    expert = _EXPERT.fullmatch(inside)
    if expert:
        projection, leaf = _EXPERT_PROJECTIONS.get(expert[2]), _LEAVES.get(expert[3])
        return f"{block}ffn.experts.{expert[1]}.{projection}.{leaf}" if projection and leaf else None
    module, _, leaf = inside.rpartition(".")
    module, leaf = _MODULES_BACK.get(module, module), _LEAVES.get(leaf)
    if leaf and (module in MODULES or (match[1] == "mtp" and module in MTP_MODULES)):
        return f"{block}{module}.{leaf}"
    # a drafter put in the place of the MTP block has names of its own
    return bare if match[1] == "mtp" else None


_LEAVES = {"weight": "weight", "scale": "scale", "weight_scale_inv": "scale"}
_TOP_BACK = {theirs: ours for ours, theirs in TOP.items()}
_MODULES_BACK = {theirs: ours for ours, theirs in MODULES.items()} | IRREGULAR
_PARAMETERS_BACK = {theirs: ours for ours, theirs in PARAMETERS.items()}
