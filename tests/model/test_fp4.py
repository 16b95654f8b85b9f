"""Does a model that trains for FP4 compute as one that is stored in it, and does it learn straight through the rounding?"""

from __future__ import annotations

import itertools

import pytest
import torch
from helpers import random_ids, random_model, tiny_config
from hypothesis import given
from hypothesis import strategies as st

from finback import ops
from finback.checkpoint.formats import decode, encode
from finback.config import ConfigError
from finback.model import Batch, Trace, Transformer, mtp_read_out, mtp_streams
from finback.ops import formats

CONFIG = tiny_config(num_nextn_predict_layers=1, compress_ratios=(0, 4, 128, 4, 0))
IDS = [random_ids(n, CONFIG.vocab_size, n) for n in (150, 5, 61)]
BATCH = Batch.of(IDS)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    """Values of every size, with a few zeros of both signs."""
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(shape, generator=g) * torch.exp2(torch.randint(-8, 9, shape, generator=g))
    return x.masked_fill(torch.rand(shape, generator=g) < 0.05, -0.0).masked_fill(torch.rand(shape, generator=g) < 0.05, 0.0)


def nearest_fp4(x: torch.Tensor) -> torch.Tensor:
    """The rounding rule in float64 by trying all eight values; of two equally near ones the even code. x: [..., k]."""
    table = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6], dtype=torch.float64)
    parts = []
    for group in x.split(32, dim=-1):
        amax = group.abs().amax(dim=-1, keepdim=True).clamp(min=6 * 2.0**-126) * torch.tensor(1 / 6)
        scale = torch.exp2(torch.log2(amax.double()).ceil())
        distance = ((group.double() / scale).abs()[..., None] - table).abs()
        odd = torch.arange(8) % 2 * 1e-12
        value = table[(distance + odd).argmin(dim=-1)] * scale
        parts.append(torch.copysign(value, group.double()).to(x.dtype))
    return torch.cat(parts, dim=-1)


def bits(x: torch.Tensor) -> torch.Tensor:
    return x.view(torch.int32 if x.dtype == torch.float32 else torch.int16)


def sylvester(c: int) -> torch.Tensor:
    h = torch.ones(1, 1, dtype=torch.float64)
    while h.shape[0] < c:
        h = torch.cat((torch.cat((h, h), dim=1), torch.cat((h, -h), dim=1)))
    return h * c**-0.5


def stored_twin(model: Transformer) -> Transformer:
    """The model as its FP4 checkpoint is read: experts encoded and decoded one by one, index_fp4 in the config."""
    twin = Transformer(model.config.replace(index_fp4=True))
    state = {k: v.clone() for k, v in model.state_dict().items()}
    for name, stack in state.items():
        if ".ffn.experts." in name:
            state[name] = torch.stack([decode(encode(w, "fp4"), torch.float32) for w in stack])
    twin.load_state_dict(state)
    return twin


# --- the arithmetic ---


@given(
    st.lists(st.integers(1, 5), max_size=2), st.integers(1, 100), st.integers(0, 2**31),
    st.sampled_from([torch.float32, torch.bfloat16]), st.sampled_from([1, 64, 1 << 18]),
)  # fmt: skip
def test_rounding_is_to_the_nearest_value_whatever_the_shape_and_the_piece(lead, k, seed, dtype, piece):
    x = noise(*lead, k, seed=seed).to(dtype)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(formats, "_PIECE", piece)
        found = ops.round_fp4(x)
    assert found.dtype == dtype and found.shape == x.shape
    assert torch.equal(bits(found), bits(nearest_fp4(x)))
    assert torch.equal(bits(ops.round_fp4(found)), bits(found))


def test_rounding_a_transposed_matrix_or_no_rows():
    x = noise(40, 70)
    assert torch.equal(ops.round_fp4(x.t()), nearest_fp4(x.t()))
    assert ops.round_fp4(x[:0]).shape == (0, 70)


@given(st.integers(1, 20), st.integers(1, 60), st.integers(0, 2**31))
def test_what_was_rounded_encodes_to_the_same_values_though_perhaps_to_other_bytes(rows, half, seed):
    x = noise(rows, 2 * half, seed=seed)
    first, again = encode(x, "fp4"), encode(ops.round_fp4(x), "fp4")
    assert torch.equal(bits(decode(first, torch.float32)), bits(ops.round_fp4(x)))
    assert torch.equal(bits(decode(again, torch.float32)), bits(ops.round_fp4(x)))


def test_a_block_rounded_to_half_of_its_range_takes_the_next_smaller_scale():
    x = torch.zeros(1, 32)
    x[0, 0], x[0, 1] = 3.2, 1.2  # 3.2 / 6 is above a half: scale 1, and 3.2 becomes 3, which fits scale 1/2
    first, again = encode(x, "fp4"), encode(ops.round_fp4(x), "fp4")
    assert decode(first, torch.float32)[0, :2].tolist() == decode(again, torch.float32)[0, :2].tolist() == [3.0, 1.0]
    assert float(first.scale.float()) == 2 * float(again.scale.float()) == 1.0
    assert not torch.equal(first.data, again.data)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_diverged_weight_shows_in_its_whole_group_and_nowhere_else(bad):
    x = noise(3, 64)
    x[1, 40] = bad
    lost = torch.isnan(ops.round_fp4(x))
    assert lost[1, 32:].all() and lost.sum() == 32


@pytest.mark.parametrize("c", [1, 2, 16, 128])
def test_hadamard_is_sylvesters_matrix_and_its_own_inverse(c):
    x = noise(7, 3, c).requires_grad_()
    found = ops.hadamard(x)
    torch.testing.assert_close(found.double(), x.double() @ sylvester(c), rtol=1e-5, atol=1e-5 * float(x.detach().abs().max()))
    torch.testing.assert_close(ops.hadamard(found), x, rtol=1e-5, atol=1e-5 * float(x.detach().abs().max()))
    weights = noise(7, 3, c, seed=1)
    (found * weights).sum().backward()
    torch.testing.assert_close(x.grad, ops.hadamard(weights), rtol=1e-5, atol=1e-5 * float(weights.abs().max()))


# --- straight through ---


def test_gradient_passes_the_rounding_unchanged():
    x, c = noise(4, 6, 50).requires_grad_(), noise(4, 6, 50, seed=1)
    (c * ops.round_fp4(x).square()).sum().backward()
    assert torch.equal(x.grad, 2 * c * nearest_fp4(x.detach()))  # d/dr c r^2 at the rounded r, given to x as it is


def run(model: Transformer, **options) -> tuple[torch.Tensor, torch.Tensor, Trace]:
    """Logits, MTP logits and trace; gradients of all three are left in the model."""
    trace = Trace()
    step = model.new_pass(BATCH, trace=trace, **options)
    h = model.streams(step)
    out, further = model.read_out(h), mtp_read_out(model, mtp_streams(model, h, BATCH.tokens.roll(-1), step))
    model.zero_grad()
    scores = torch.cat([r.scores[r.scores > -torch.inf] for r in trace.indexing])
    weights = noise(*out.shape, seed=3).clamp(-1, 1)
    ((out + further) * weights).sum().add(scores.square().mean()).backward()
    return out.detach(), further.detach(), trace


def test_training_for_fp4_computes_bitwise_as_the_stored_model_and_its_gradients_reach_the_masters():
    model = random_model(CONFIG, seed=5)
    twin = stored_twin(model)
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    ours, theirs = run(model, fp4=True), run(twin)
    assert torch.equal(ours[0], theirs[0]) and torch.equal(ours[1], theirs[1])
    expected = dict(twin.named_parameters())
    for name, p in model.named_parameters():
        assert torch.equal(p, before[name])
        if p.requires_grad:
            assert torch.equal(p.grad, expected[name].grad), name
    with torch.no_grad():  # what a user of the stored model calls
        trained = model.read_out(model.streams(model.new_pass(BATCH, fp4=True)))
        assert (torch.cat(twin.logits(IDS)) - trained).abs().max() < 1e-4  # native kernels, where there are any


def test_switch_is_off_unless_asked_for():
    model = random_model(CONFIG, seed=5)
    off, on = run(model), run(model, fp4=True)
    assert torch.equal(off[0], run(model, fp4=False)[0])
    assert not torch.equal(off[0], on[0]) and not torch.equal(off[1], on[1])
    experts = Transformer(model.config)  # rounded experts alone are not yet the FP4 model: its indexer differs too
    experts.load_state_dict(stored_twin(model).state_dict())
    assert not torch.equal(run(experts)[0], on[0])
    for a, b in zip(run(experts)[2].indexing, on[2].indexing):
        assert not torch.equal(a.scores, b.scores)


# --- the indexer ---


@pytest.mark.parametrize("dim", [16, 128])
def test_index_queries_and_keys_are_turned_then_rounded(dim):
    model = random_model(tiny_config(index_head_dim=dim), seed=6)
    attn = model.layers[1].attn
    x, latent = torch.randn(2, 40, CONFIG.hidden_size, generator=torch.Generator().manual_seed(1)), noise(40, 32, seed=2)
    freqs, cos, sin = model.new_pass(Batch.of([range(40)])).ropes[True]
    with torch.no_grad():
        plain, gate = attn.indexer.queries(x[0], latent, cos, sin, fp4=False)
        q, same_gate = attn.indexer.queries(x[0], latent, cos, sin, fp4=True)
        assert torch.equal(q, nearest_fp4(ops.hadamard(plain))) and torch.equal(gate, same_gate)
        u, z = attn.indexer.compressor.project(x[1], Batch.of([range(40)]))
        plain, k = (attn.indexer.compressor(u, z, 0, freqs, torch.float32, fp4) for fp4 in (False, True))
        assert torch.equal(k, nearest_fp4(ops.hadamard(plain))) and len(k) == 10


def test_turned_on_both_sides_the_scores_stay_close_to_the_unrounded_ones():
    """Turning queries or keys alone would give scores that have nothing to do with them."""
    model = random_model(tiny_config(index_head_dim=64), seed=7)
    exact, rounded = Trace(), Trace()
    with torch.no_grad():
        h = model.embed(BATCH.tokens)[:, None].repeat(1, CONFIG.hc_mult, 1)
        model.layers[1](h, model.new_pass(BATCH, trace=exact))
        model.layers[1](h, model.new_pass(BATCH, trace=rounded, fp4=True))
    for a, b in zip(exact.indexing, rounded.indexing, strict=True):
        seen = a.scores > -torch.inf
        if seen.any():
            both = torch.stack((a.scores[seen], b.scores[seen]))
            assert torch.corrcoef(both)[0, 1] > 0.9, len(both[0])


def test_the_main_attentions_entries_are_not_rounded():
    model = random_model(CONFIG.replace(index_fp4=True), seed=5)
    state = model.new_state()
    with torch.no_grad():
        model(Batch.of([IDS[0]]), [state])
    for layer, kind in zip(state.pool.layout.layers, CONFIG.layer_kinds[:-1]):
        if kind == "CSA":
            keys, entries = (state.read(part, len(IDS[0]) // layer.ratio) for part in (layer.keys, layer.entries))
            assert torch.equal(ops.round_fp4(keys), keys) and not torch.equal(ops.round_fp4(entries), entries)


@torch.no_grad()
def test_chunks_compute_what_the_whole_does_with_an_indexer_in_fp4():
    # A small model: where a chunk's last bit falls on a border of the rounding, it may pick another entry.
    config = tiny_config(num_hidden_layers=2, compress_ratios=(0, 4), index_n_heads=4, index_topk=4, index_fp4=True)
    model = random_model(config, seed=5)
    ids, state = IDS[0][:70], model.new_state()
    edges = [0, 3, 4, 30, *range(50, 71)]
    parts = [model(Batch.of([ids[a:b]], starts=[a]), [state]) for a, b in itertools.pairwise(edges)]
    assert (torch.cat(parts) - model.logits([ids])[0]).abs().max() < 1e-4


def test_an_indexer_that_cannot_be_turned_is_refused():
    with pytest.raises(ConfigError, match="index_head_dim is 24, but index_fp4"):
        tiny_config(index_head_dim=24, index_fp4=True)
    with pytest.raises(ConfigError, match="index_fp4 is 'yes'"):
        tiny_config(index_fp4="yes")
