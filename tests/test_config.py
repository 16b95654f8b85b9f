"""A config is consistent, or refused with the field and the fix."""

from __future__ import annotations

import json

import pytest
from helpers import shared, tiny_config

from finback.config import PRESETS, ConfigError, ModelConfig, Yarn, preset


@pytest.mark.parametrize("name", PRESETS)
def test_config_survives_its_own_json(name):
    assert ModelConfig.from_dict(json.loads(json.dumps(preset(name).to_dict()))) == preset(name)


@pytest.mark.parametrize("name", PRESETS)
def test_config_survives_transformers(name):
    from transformers import DeepseekV4Config

    written = DeepseekV4Config(**preset(name).to_dict()).to_dict()
    written.pop("compress_ratios", None)
    assert ModelConfig.from_dict(written) == preset(name)


def test_other_ratios_survive_transformers():
    from transformers import DeepseekV4Config

    config = tiny_config(csa_ratio=8, compress_ratios=(0, 8, 32, 8))
    assert ModelConfig.from_dict(DeepseekV4Config(**config.to_dict()).to_dict()) == config


@pytest.mark.parametrize(("file", "name"), [("flash_config", "flash"), ("pro_config", "pro"), ("flash_config_with_expert_dtype", "flash")])
def test_published_configs_are_the_presets(file, name):
    assert ModelConfig.from_file(shared(f"fixtures/configs/{file}.json")) == preset(name)


def test_layer_kinds_follow_the_report():
    flash, pro = preset("flash").layer_kinds, preset("pro").layer_kinds
    assert [flash[:-1].count(k) for k in ("SWA", "CSA", "HCA")] == [2, 21, 20]
    assert [pro[:-1].count(k) for k in ("SWA", "CSA", "HCA")] == [0, 30, 31]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (dict(compress_ratios=(0, 4, 128)), "compress_ratios has 3 entries for 4 layers"),
        (dict(compress_ratios=(0, 4, 1, 4)), r"compress_ratios\[2\] is 1"),
        (dict(compress_ratios=(0, 4, -4, 4)), r"compress_ratios\[2\] is -4"),
        (dict(o_groups=3), "o_groups=3 does not divide num_attention_heads=4"),
        (dict(qk_rope_head_dim=7), "qk_rope_head_dim is 7"),
        (dict(qk_rope_head_dim=32), "qk_rope_head_dim is 32"),
        (dict(index_head_dim=4), "index_head_dim=4 is smaller than qk_rope_head_dim=8"),
        (dict(index_topk=0), "index_topk is 0"),
        (dict(num_experts_per_tok=9), "num_experts_per_tok=9 exceeds n_routed_experts=6"),
        (dict(num_hash_layers=5), "num_hash_layers=5 exceeds num_hidden_layers=4"),
        (dict(eos_token_id=160), "eos_token_id=160 is outside the vocabulary of 160"),
        (dict(hc_mult=0), "hc_mult is 0"),
        (dict(swiglu_limit=0.0), "swiglu_limit is 0.0"),
        (dict(hidden_size="48"), "hidden_size is '48'; expected int"),
        (dict(sliding_window=True), "sliding_window is True; expected int"),
    ],
)
def test_inconsistent_config_is_refused_with_field_and_fix(changes, sentence):
    with pytest.raises(ConfigError, match=sentence):
        tiny_config(**changes)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (dict(model_type="deepseek_v41"), r"DeepSeek-V4\.1"),
        (dict(model_type="llama"), "another architecture"),
        (dict(scoring_func="softmax"), "scoring_func is 'softmax'"),
        (dict(tie_word_embeddings=True), "tie_word_embeddings"),
        (dict(rope_scaling={"type": "linear", "factor": 2}), "type is 'linear'"),
        (dict(rope_scaling={"type": "yarn", "factor": 2}), "lacks original_max_position_embeddings"),
        (dict(rope_scaling={"type": "yarn", "factor": 2, "original_max_position_embeddings": 9, "mscale": 1.0}), "mscale"),
        (dict(compress_ratios=None, layer_types=["sliding_attention", "full_attention"]), "full_attention"),
        (dict(num_hash_layers=None, mlp_layer_types=["moe", "hash_moe", "moe", "moe"]), "mlp_layer_types"),
    ],
)
def test_config_of_another_model_is_refused_by_name(changes, sentence):
    raw = {**tiny_config().to_dict(), **changes}
    with pytest.raises(ConfigError, match=sentence):
        ModelConfig.from_dict({k: v for k, v in raw.items() if v is not None})


def test_dspark_config_gives_the_backbone():
    raw = {**preset("flash").to_dict(), "dspark_block_size": 5}
    config = ModelConfig.from_dict(raw)
    assert config == preset("flash").replace(num_nextn_predict_layers=0, compress_ratios=preset("flash").compress_ratios[:-1])


def test_missing_or_broken_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="does not exist"):
        ModelConfig.from_file(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ConfigError, match="not valid JSON"):
        ModelConfig.from_file(tmp_path)
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(ConfigError, match="not an object"):
        ModelConfig.from_file(tmp_path)


def test_unknown_preset_lists_the_known():
    with pytest.raises(ConfigError, match="flash"):
        preset("medium")


def test_yarn_defaults_are_v4s():
    assert Yarn() == Yarn(16, 65536, 32, 1) == preset("pro").rope_scaling
