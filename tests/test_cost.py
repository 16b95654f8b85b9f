"""The cost model against every number of the specification."""

import dataclasses

import pytest
import torch

from finback.config import PRESETS, preset
from finback import cost
from finback.model import Transformer

FLASH, PRO = preset("flash"), preset("pro")
MIB, GIB = 2**20, 2**30
V32_CACHE = 61 * (656 + 132)  # V3.2's bytes per token: MLA entry and indexer key in each layer


def layouts(config):
    return dict(zip(("bf16", "fp8", "fp4"), cost.cache_layouts(config)))


@pytest.mark.parametrize("config, main, total, active, attention, expert", [
    (FLASH, 284.33, 290.94, 13.27, 5.09, 25.17e6), (PRO, 1573.0, 1598.84, 48.85, 19.47, 66.06e6),
])  # fmt: skip
def test_parameters_are_the_published_ones(config, main, total, active, attention, expert):
    p = cost.parameters(config)
    assert p.main / 1e9 == pytest.approx(main, abs=0.006)
    assert p.total / 1e9 == pytest.approx(total, abs=0.006)
    assert p.active / 1e9 == pytest.approx(active, abs=0.006)
    assert (p.attention + p.compressor + p.indexer) / 1e9 == pytest.approx(attention, abs=0.006)
    assert p.routed_experts / config.num_hidden_layers / config.n_routed_experts == pytest.approx(expert, rel=1e-3)
    assert p.head == p.embedding == config.vocab_size * config.hidden_size


@pytest.mark.parametrize("name", ["nano", "mini", "bench-small"])
def test_parameters_are_those_of_the_model(name):
    with torch.device("meta"):
        model = Transformer(PRESETS[name])
    assert cost.parameters(PRESETS[name]).total == sum(p.numel() for p in model.parameters())


def test_active_parameters_leave_out_only_idle_experts_and_the_embedding_table():
    all_active = PRESETS["nano"].replace(num_experts_per_tok=4)
    p = cost.parameters(all_active)
    assert p.active == p.main - p.embedding
    fewer = cost.parameters(all_active.replace(num_experts_per_tok=3))
    assert p.active - fewer.active == p.routed_experts // 4
    assert dataclasses.replace(fewer, active=p.active) == p


@pytest.mark.parametrize("config, layout, window, per_token, at_128k, at_1m", [
    (FLASH, "bf16", 5.38, 6880, 0.845, 6.72), (FLASH, "fp8", 3.07, 3850, 0.473, 3.76), (FLASH, "fp4", 3.07, 3514, 0.432, 3.44),
    (PRO, "bf16", 7.62, 9848, 1.21, 9.63), (PRO, "fp8", 4.35, 5511, 0.677, 5.39), (PRO, "fp4", 4.35, 5031, 0.618, 4.92),
])  # fmt: skip
def test_cache_bytes_are_those_of_the_table(config, layout, window, per_token, at_128k, at_1m):
    layout = layouts(config)[layout]
    assert int(cost.cache_bytes_per_token(config, layout)) == per_token
    assert cost.window_bytes(config, layout) / MIB == pytest.approx(window, abs=0.006)
    assert cost.cache_bytes(config, 2**17, layout) / GIB == pytest.approx(at_128k, abs=0.006)
    assert cost.cache_bytes(config, 2**20, layout) / GIB == pytest.approx(at_1m, abs=0.006)


def test_cache_entries_have_the_published_sizes():
    assert [(x.entry, x.index_key) for x in cost.cache_layouts(FLASH)] == [(1024, 256), (584, 132), (584, 68)]


@pytest.mark.parametrize("config, ratio, gib", [(FLASH, 13.68, 3.43), (PRO, 9.55, 4.91)])
def test_cache_is_smaller_than_that_of_v32_by_the_published_factor(config, ratio, gib):
    per_token = cost.cache_bytes_per_token(config, layouts(config)["fp4"])
    assert V32_CACHE / per_token == pytest.approx(ratio, abs=0.006)
    assert per_token * 2**20 / GIB == pytest.approx(gib, abs=0.006)
    gqa8 = config.num_hidden_layers * 2 * 8 * 128 * 2
    assert per_token / gqa8 == pytest.approx(0.02, abs=0.0002)


@pytest.mark.parametrize("config, mib", [(FLASH, 11.6), (PRO, 17.8)])
def test_compressor_state_is_the_published_one(config, mib):
    assert cost.compressor_state_bytes(config) / MIB == pytest.approx(mib, abs=0.06)


def test_cache_grows_by_whole_entries_only():
    config, layout = PRESETS["nano"], cost.cache_layouts(PRESETS["nano"])[0]
    entry, key = layout.entry, layout.index_key
    assert cost.cache_bytes(config, 0, layout) == 0
    assert cost.cache_bytes(config, 3, layout) == 4 * 3 * entry
    assert cost.cache_bytes(config, 4, layout) == 4 * 4 * entry + 2 * (entry + key)
    step = cost.cache_bytes(config, 1024 + 128, layout) - cost.cache_bytes(config, 1024, layout)
    assert step == 128 * cost.cache_bytes_per_token(config, layout)


@pytest.mark.parametrize("config, linear, csa, hca, indexer, total", [
    (FLASH, 26e9, 3.5e9, 44e9, 45e9, 0.118e12), (PRO, 98e9, 18e9, 135e9, 64e9, 0.316e12),
])  # fmt: skip
def test_flops_at_1m_are_the_derived_ones(config, linear, csa, hca, indexer, total):
    f = cost.flops_per_token(config, 2**20)
    kinds = config.layer_kinds[: config.num_hidden_layers]
    window = f.window / len(kinds)  # the derivation counts a layer's window with its kind
    assert f.linear == pytest.approx(linear, rel=0.025)
    assert 2 * (f.csa + window * kinds.count("CSA")) == pytest.approx(csa, rel=0.015)
    assert 2 * (f.hca + window * kinds.count("HCA")) == pytest.approx(hca, rel=0.015)
    assert f.indexer / 2 == pytest.approx(indexer, rel=0.015)
    assert f.fp8_equivalent == pytest.approx(total, rel=0.015)


def test_linear_flops_are_two_for_each_active_matrix_weight():
    for config in (FLASH, PRO, PRESETS["nano"]):
        assert cost.flops_per_token(config, 1).linear == pytest.approx(2 * cost.parameters(config).active, rel=0.02)


def test_only_hca_and_the_indexer_grow_with_a_long_context():
    short, long = (cost.flops_per_token(FLASH, n) for n in (2**17, 2**20))
    assert (short.linear, short.window, short.csa) == (long.linear, long.window, long.csa)
    assert long.hca == 8 * short.hca and long.indexer == 8 * short.indexer
    first = cost.flops_per_token(FLASH, 1)
    assert first.csa == first.hca == first.indexer == 0
    assert first.window * 128 == short.window
    assert long.total == long.linear + long.window + long.csa + long.hca + long.indexer


@pytest.mark.parametrize("config", [PRESETS["nano"], PRESETS["mini"], FLASH])
def test_flops_of_a_sequence_are_the_sum_over_its_tokens(config):
    for length in (1, 3, 4, 127, 128, 129, 700):
        tokens = [cost.flops_per_token(config, t) for t in range(1, length + 1)]
        whole = cost.flops_per_sequence(config, length)
        for part in ("linear", "window", "csa", "hca", "indexer"):
            assert getattr(whole, part) == sum(getattr(token, part) for token in tokens)


def test_dense_attention_reads_every_entry_and_needs_no_indexer():
    few, many = PRESETS["nano"].replace(index_topk=4), PRESETS["nano"].replace(index_topk=10_000)
    dense = cost.flops_per_sequence(few, 600, dense=True)
    assert dense == cost.flops_per_sequence(many, 600, dense=True)
    assert (dense.csa, dense.indexer) == (cost.flops_per_sequence(many, 600).csa, 0)
    indexer = sum(w.numel for w in cost.weights(few) if ".indexer." in w.name and len(w.shape) == 2 and ".ape" not in w.name)
    assert cost.flops_per_sequence(few, 600).linear - dense.linear == 2 * 600 * indexer


def test_a_training_step_costs_three_forwards_and_a_warm_up_goes_back_through_the_indexer_alone():
    config, lengths = PRESETS["nano"], [300, 500]
    forward = sum(cost.flops_per_sequence(config, n).total for n in lengths)
    dense = sum(cost.flops_per_sequence(config, n, dense=True).total for n in lengths)
    assert cost.training_flops(config, lengths, "sparse", mtp=False) == 3 * forward
    assert cost.training_flops(config, lengths, "dense", mtp=False) == 3 * dense
    warmup = cost.training_flops(config, lengths, "warmup", mtp=True)
    assert dense < warmup < 3 * forward
    # one layer of four, two projections, and the head once more
    ratio = cost.training_flops(config, lengths, "dense", mtp=True) / (3 * dense)
    assert 1.3 < ratio < 1.6


def test_six_flops_per_active_parameter_and_token_is_a_lower_bound_that_short_sequences_approach():
    active = cost.parameters(FLASH).active
    assert cost.training_flops(FLASH, [64], "sparse", mtp=False) / (6 * active * 64) == pytest.approx(1, rel=0.05)
    assert cost.training_flops(FLASH, [65536], "sparse", mtp=False) > 6 * active * 65536 * 1.1
