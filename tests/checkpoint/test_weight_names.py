"""The spellings of weight names."""

import pytest
import torch

from finback.checkpoint.layout import expert_parts, official_tensors, weights
from finback.checkpoint.names import WeightNameError, canonical, canonical_names, stacked_parts, transformers_name
from finback.config import preset


def official_names(name="nano"):
    return [n for n, _, _ in official_tensors(preset(name))]


def test_official_names_are_their_own_canonical_form():
    for name in [*official_names(), *official_names("mini")]:
        assert canonical(name) == name
        assert canonical("model." + name) == name


def test_transformers_names_lead_back_and_no_two_weights_share_one():
    seen = {}
    for name in official_names():
        if name.startswith("mtp."):
            with pytest.raises(WeightNameError, match="drops the MTP"):
                transformers_name(name)
        elif ".ffn.experts." not in name:
            theirs = transformers_name(name)
            assert canonical(theirs) == name
            assert seen.setdefault(theirs, name) == name


def test_maps_cover_the_model_that_transformers_builds(tiny_config):
    transformers = pytest.importorskip("transformers")
    with torch.device("meta"):
        config = transformers.AutoConfig.for_model(**tiny_config.to_dict())
        theirs = set(transformers.AutoModelForCausalLM.from_config(config).state_dict())
    ours = {transformers_name(w.name) for w in weights(tiny_config) if not w.name.startswith("mtp.")}
    assert ours == theirs


def test_scales_have_two_spellings():
    assert canonical("layers.3.attn.wq_b.weight_scale_inv") == "layers.3.attn.wq_b.scale"
    assert canonical("model.layers.3.self_attn.q_b_proj.weight_scale_inv") == "layers.3.attn.wq_b.scale"
    assert canonical("model.layers.0.mlp.experts.11.up_proj.weight_scale_inv") == "layers.0.ffn.experts.11.w3.scale"
    assert canonical("layers.0.hc_attn_scale") == "layers.0.hc_attn_scale"


def test_irregular_names_of_save_pretrained_are_known():
    assert canonical("model.layers.12.attn.norm.weight") == "layers.12.attn.kv_norm.weight"
    assert canonical("model.layers.12.attn.compressor.norm.weight") == "layers.12.attn.compressor.norm.weight"
    assert canonical("model.embed_tokens.weight") == "embed.weight"
    assert canonical("model.hc_head.hc_fn") == "hc_head_fn"
    assert canonical("head.weight") == canonical("lm_head.weight") == "head.weight"


def test_stacks_name_what_they_hold():
    stack = canonical("model.layers.2.mlp.experts.gate_up_proj")
    assert stacked_parts(stack) == ("layers.2.ffn.experts.", ("w1", "w3"))
    assert stacked_parts(canonical("layers.2.ffn.experts.w2")) == ("layers.2.ffn.experts.", ("w2",))
    assert stacked_parts("layers.2.ffn.experts.0.w1.weight") is None
    assert stacked_parts("layers.2.ffn.shared_experts.w1.weight") is None
    assert expert_parts("layers.2.ffn.experts.10.w2.weight") == ("layers.2.ffn.experts.", 10, "w2")


@pytest.mark.parametrize("name", ["ids", "layers.0.attn.wq_c.weight", "layers.x.attn.wq_a.weight", "layers.03.attn.wq_a.weight", "layers.0.ffn.experts.1.w4.weight", "layers.0.enorm.weight", ""])  # fmt: skip
def test_unknown_names_are_refused(name):
    with pytest.raises(WeightNameError, match="is not the name of a DeepSeek-V4 weight"):
        canonical(name)


def test_unknown_and_doubled_names_are_listed_together():
    with pytest.raises(WeightNameError) as error:
        canonical_names(["embed.weight", "model.embed_tokens.weight", *(f"junk{i}" for i in range(9))])
    assert "9 names belong to no" in str(error.value) and "junk4, and 4 more" in str(error.value)
    assert "1 weights are named twice: embed.weight and model.embed_tokens.weight" in str(error.value)
