"""The report's cache layout: its bytes, what survives them, and the laws that hold of every cache."""

from __future__ import annotations

import itertools

import pytest
import torch
from helpers import random_ids, random_model, tiny_config
from hypothesis import given
from hypothesis import strategies as st

from finback import cost, ops
from finback.checkpoint import load, save
from finback.config import preset
from finback.engine import Engine, SamplingParams
from finback.model import Batch
from finback.model.state import Layout
from finback.ops import cpu
from finback.ops.entries import entry_bytes, key_bytes, pack_entries, pack_keys, unpack_entries, unpack_keys

NATIVE = pytest.mark.skipif(bool(cpu.MISSING), reason=f"the native kernels are needed: {cpu.MISSING}")
# its first layer compresses, so that entries of equal inputs can be compared; FP8 channels: a full group of 64 and a part
CONFIG = tiny_config(
    compress_ratios=(4, 0, 128, 4), head_dim=96, qk_rope_head_dim=8, index_head_dim=64, index_fp4=True, num_hash_layers=0, index_topk=4
)


def model_of(config=CONFIG, fp8_cache: bool = True):
    model = random_model(config, seed=3).requires_grad_(False)
    model.fp8_cache = fp8_cache
    return model


@pytest.mark.parametrize("name", ["flash", "pro"])
def test_a_block_takes_what_the_report_counts(name):
    config = preset(name).replace(index_fp4=True)
    layout, counted = Layout(config, torch.float8_e4m3fn), cost.cache_layouts(config)[2]
    assert layout.block_bytes / layout.block_tokens == cost.cache_bytes_per_token(config, counted)
    windows = sum(x.window.nbytes for x in layout.layers[: config.num_hidden_layers])
    assert windows == cost.window_bytes(config, counted)
    assert (entry_bytes(512, 64), key_bytes(128)) == (584, 68) == (counted.entry, counted.index_key)


@given(st.integers(1, 9), st.sampled_from([(96, 8), (64, 64), (130, 2), (24, 8)]), st.integers(0, 10**6), st.floats(1e-6, 1e4))
def test_what_is_packed_is_near_and_stays(n, shape, seed, size):
    channels, rotary = shape
    x = torch.randn(n, channels, generator=torch.Generator().manual_seed(seed)) * size
    found = unpack_entries(pack_entries(x, rotary), channels, rotary)
    exact = x.bfloat16()
    plain = channels - rotary
    assert torch.equal(found[:, plain:], exact[:, plain:])
    gap = (found[:, :plain].float() - exact[:, :plain].float()).abs()
    scale = exact[:, :plain].abs().float().amax(dim=1, keepdim=True).clamp(min=1e-4) if plain else gap
    assert (gap <= exact[:, :plain].abs().float() / 16 + scale * 2.0**-15).all()  # 3 bits of mantissa, or a subnormal step
    assert torch.equal(ops.round_entries(found, rotary), found)


def test_values_of_a_few_groups_are_those_of_the_format():
    row = torch.zeros(1, 72)
    row[0, :6] = torch.tensor([448.0, -1.0, 0.0625, 17.0, -0.001, 2.0**-9])
    row[0, 64:] = torch.arange(8) * 0.37
    packed = pack_entries(row, 8)
    assert packed.shape == (1, 64 + 16 + 8) and packed[0, 80].item() == 127 and packed[0, 81:].sum() == 0
    assert unpack_entries(packed, 72, 8)[0, :6].tolist() == [448.0, -1.0, 0.0625, 16.0, -0.001953125, 0.001953125]


def test_what_is_no_number_stays_none_and_does_not_spread():
    x = torch.ones(3, 136)
    x[0, 3], x[1, 70], x[2, 135] = torch.nan, torch.inf, -torch.inf
    found = unpack_entries(pack_entries(x, 8), 136, 8)
    assert found[0, :64].isnan().all() and found[1, 64:128].isnan().all() and found[2, 135] == -torch.inf
    assert found.isnan().sum() == 128
    keys = torch.ones(2, 64)
    keys[1, 5] = torch.nan
    found = unpack_keys(pack_keys(keys), 64)
    assert found[1, :32].isnan().all() and found.isnan().sum() == 32


@given(st.integers(1, 5), st.sampled_from([16, 32, 64, 128]), st.integers(0, 10**6))
def test_keys_are_kept_exactly(n, channels, seed):
    keys = ops.round_index(torch.randn(n, channels, generator=torch.Generator().manual_seed(seed)))
    packed = pack_keys(keys)
    assert packed.shape == (n, key_bytes(channels)) and torch.equal(unpack_keys(packed, channels).float(), keys)


@NATIVE
@torch.no_grad()
@pytest.mark.parametrize("level", cpu._native.levels() if not cpu.MISSING else [])
def test_the_kernels_keep_the_same_bytes(level):
    """What the first layer computes does not depend on the cache: so FP32 caches hold what FP8 ones were made of."""
    before = cpu.level()
    cpu._native.choose(level)
    ids, states = random_ids(150, CONFIG.vocab_size, 1), []
    try:
        for fp8 in (False, True):
            model = model_of(fp8_cache=fp8)
            states.append(model.new_state())
            model(Batch.of([ids]), [states[-1]])
            assert model.plan(states[-1:]) is not None
    finally:
        cpu._native.choose(before)
    exact, kept = states
    a, b = (s.pool.layout.layers[0] for s in states)
    assert torch.equal(b.window.pack(exact.layers[0].window), kept.layers[0].window)
    for one, two in ((a.entries, b.entries), (a.keys, b.keys)):
        rows = kept.pool.rows(two)[torch.tensor(kept.blocks)].flatten(0, 1)[: 150 // 4]
        assert torch.equal(two.pack(exact.read(one, 150 // 4)), rows)


@torch.no_grad()
@pytest.mark.parametrize("fp4", [True, False])
def test_kernels_and_modules_compute_alike(fp4):
    model, ids = model_of(CONFIG.replace(index_fp4=fp4)), random_ids(200, CONFIG.vocab_size, 2)
    native = model.logits([ids])[0]
    modules = model.read_out(model.streams(model.new_pass(Batch.of([ids]))))
    gap = (native - modules).abs().amax(dim=1)
    assert gap.median() < 1e-3  # a value on the border of the rounding moves a row; most stand


@NATIVE
@torch.no_grad()
@pytest.mark.parametrize("level", cpu._native.levels() if not cpu.MISSING else [])
@pytest.mark.parametrize(
    ("dim", "ratio", "tokens"),
    [
        (64, 2, 1300),  # so many scores that a sample of them thins them out
        (128, 4, 300),
        (32, 16, 300),  # fewer of a block's keys lie together than are scored together
        (256, 4, 100),  # longer than what is decoded at once
        (16, 4, 100),  # a group that is not whole
    ],
)
def test_scans_of_every_shape_pick_what_the_modules_pick(level, dim, ratio, tokens):
    config = CONFIG.replace(index_head_dim=dim, csa_ratio=ratio, compress_ratios=(ratio, 0, 128, ratio))
    model, ids, before = model_of(config), random_ids(tokens, CONFIG.vocab_size, dim), cpu.level()
    cpu._native.choose(level)
    try:
        native = model.logits([ids])[0]
    finally:
        cpu._native.choose(before)
    modules = model.read_out(model.streams(model.new_pass(Batch.of([ids]))))
    assert (native - modules).abs().amax(dim=1).median() < 1e-3


@NATIVE
@torch.no_grad()
@given(st.integers(1, 400), st.integers(0, 5), st.randoms(use_true_random=False))
def test_chunks_company_and_forks_do_not_show_in_any_bit(n, cuts, rng):
    model = model_of()
    ids = random_ids(n, CONFIG.vocab_size, n)
    whole = model.logits([ids])[0]
    edges = sorted({0, n, *(rng.randint(0, n) for _ in range(cuts))})
    pool = model.new_pool()
    state, other, parts = model.new_state(pool), model.new_state(pool), []
    for a, b in itertools.pairwise(edges):
        company = random_ids(rng.randint(1, 40), CONFIG.vocab_size, a)
        found = model(Batch.of([company, ids[a:b]], starts=[other.length, a]), [other, state])
        parts.append(found[len(company) :])
        state = state.fork()
    assert torch.equal(torch.cat(parts), whole)


@torch.no_grad()
def test_modules_in_chunks_compute_what_they_do_at_once():
    model = model_of(tiny_config(num_hidden_layers=2, compress_ratios=(0, 4), index_n_heads=4, index_topk=4, index_fp4=True))
    ids, state = random_ids(70, 160, 5), model.new_state()
    edges = [0, 3, 4, 30, *range(50, 71)]
    parts = [model.read_out(model.streams(model.new_pass(Batch.of([ids[a:b]], starts=[a]), [state]))) for a, b in itertools.pairwise(edges)]
    whole = model.read_out(model.streams(model.new_pass(Batch.of([ids]))))
    assert (torch.cat(parts) - whole).abs().amax(dim=1).median() < 1e-3


@NATIVE
def test_an_engine_answers_alike_alone_together_after_a_hit_and_with_drafts(tmp_path):
    config = CONFIG.replace(num_nextn_predict_layers=1, compress_ratios=(4, 0, 128, 4, 0))
    save(random_model(config, seed=3), tmp_path / "m", "fp8", "fp4")
    model = load(tmp_path / "m", "stored", fp8_cache=True)
    prompts = [random_ids(n, config.vocab_size, n).tolist() for n in (300, 20, 150, 290)]
    params = SamplingParams(max_tokens=9, temperature=0.8, seed=4)
    engine = Engine(model, prefix=None)
    alone = [engine.generate([p], params)[0].tokens for p in prompts]
    engine.close()
    for options in ({"prefix": "full"}, {"prefix": "full", "disk": tmp_path / "d"}, {"prefix": "full", "disk": tmp_path / "d"}):
        engine = Engine(model, **options)
        assert [r.tokens for r in engine.generate(prompts, params)] == alone
        assert [r.tokens for r in engine.generate(prompts, params)] == alone
        assert engine.prefixes.stats().found > 0
        engine.close()
    greedy = SamplingParams(max_tokens=9, temperature=0.0)
    said = []
    for drafts in (0, 2):
        engine = Engine(model, drafts=drafts)
        said.append([r.tokens for r in engine.generate(prompts, greedy)])
        engine.close()
    assert said[0] == said[1]


@torch.no_grad()
def test_a_state_of_another_layout_is_refused():
    model = model_of()
    state = model.new_state()
    model.fp8_cache = False
    with pytest.raises(ValueError, match="not in the model's layout"):
        model(Batch.of([random_ids(3, 160, 1)]), [state])
