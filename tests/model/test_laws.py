"""What must hold for any model: chunking, batching, isolation of segments, memory."""

from __future__ import annotations

import re

import pytest
import torch
from helpers import random_ids, random_model, tiny_config
from hypothesis import given
from hypothesis import strategies as st

from finback import ops
from finback.config import preset
from finback.model import Batch, Transformer, mtp_read_out, mtp_streams, storage_dtype

MODEL = random_model(tiny_config(num_nextn_predict_layers=1, compress_ratios=(0, 4, 128, 4, 0)), seed=3)
V = MODEL.config.vocab_size
CLOSE = 1e-4


def run_chunks(ids: torch.Tensor, cuts: list[int]) -> torch.Tensor:
    state, outs = MODEL.new_state(), []
    edges = [0, *sorted(cuts), len(ids)]
    for a, b in zip(edges, edges[1:]):
        outs.append(MODEL(Batch.of([ids[a:b]], starts=[a]), [state]))
    assert state.length == len(ids)
    return torch.cat(outs)


@torch.no_grad()
@given(st.data())
def test_chunked_prefill_equals_whole_prefill_at_any_cuts(data):
    n = data.draw(st.sampled_from([3, 4, 5, 127, 128, 129, 131, 256, 260, 390]))
    cuts = data.draw(st.lists(st.integers(0, n), max_size=6))
    ids = random_ids(n, V, n)
    assert (run_chunks(ids, cuts) - MODEL.logits([ids])[0]).abs().max() < CLOSE


@torch.no_grad()
def test_token_by_token_equals_whole_prefill():
    ids = random_ids(300, V, 1)
    assert (run_chunks(ids, list(range(1, 300))) - MODEL.logits([ids])[0]).abs().max() < CLOSE


@torch.no_grad()
@given(st.lists(st.integers(0, 270), min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_segment_does_not_change_when_others_join_or_leave_in_any_order(lengths, rng):
    sequences = [random_ids(n, V, 100 + i) for i, n in enumerate(lengths)]
    alone = [MODEL.logits([ids])[0] for ids in sequences]
    order = list(range(len(sequences)))
    rng.shuffle(order)
    for place, out in zip(order, MODEL.logits([sequences[i] for i in order])):
        assert out.shape == (lengths[place], V)
        if lengths[place]:
            assert (out - alone[place]).abs().max() < CLOSE


@torch.no_grad()
def test_decode_of_many_requests_in_one_batch_equals_each_alone():
    lengths = (1, 3, 127, 130, 64)
    sequences = [random_ids(n + 9, V, 40 + n) for n in lengths]
    states = [MODEL.new_state() for _ in lengths]
    MODEL(Batch.of([ids[:n] for ids, n in zip(sequences, lengths)]), states)
    whole = [MODEL.logits([ids])[0] for ids in sequences]
    for step in range(8):
        batch = Batch.of([ids[n + step : n + step + 1] for ids, n in zip(sequences, lengths)], [n + step for n in lengths])
        for out, expected, n in zip(MODEL(batch, states), whole, lengths):
            assert (out - expected[n + step]).abs().max() < CLOSE


@torch.no_grad()
def test_prefill_and_decode_mix_in_one_batch():
    a, b = random_ids(140, V, 7), random_ids(50, V, 8)
    states = [MODEL.new_state(), MODEL.new_state()]
    MODEL(Batch.of([a[:130]]), states[:1])
    out = MODEL(Batch.of([a[130:131], b], starts=[130, 0]), states)
    assert (out[0] - MODEL.logits([a[:131]])[0][-1]).abs().max() < CLOSE
    assert (out[1:] - MODEL.logits([b])[0]).abs().max() < CLOSE


@torch.no_grad()
@pytest.mark.parametrize("changed", [0, 1, 2])
def test_nothing_leaks_between_segments(changed):
    sequences = [random_ids(n, V, 60 + n) for n in (131, 9, 140)]
    before = MODEL.logits(sequences)
    sequences[changed] = (sequences[changed] + 1) % V
    after = MODEL.logits(sequences)
    for i, (x, y) in enumerate(zip(before, after)):
        assert torch.equal(x, y) == (i != changed)


@torch.no_grad()
@pytest.mark.parametrize("at", [0, 3, 4, 126, 127, 128, 200])
def test_no_token_sees_the_future(at):
    ids = random_ids(220, V, 2)
    before = MODEL.logits([ids])[0]
    ids[at + 1 :] = (ids[at + 1 :] + 1) % V
    after = MODEL.logits([ids])[0]
    assert torch.equal(before[: at + 1], after[: at + 1])
    assert not torch.equal(before[at + 1], after[at + 1])


def test_gradients_do_not_leak_between_segments():
    sequences = [random_ids(n, V, 80 + n) for n in (133, 40)]
    MODEL.zero_grad()
    seen = MODEL.embed.weight.detach().clone().requires_grad_(True)
    batch = Batch.of(sequences)
    out = torch.func.functional_call(MODEL, {"embed.weight": seen}, (batch,))
    out[:133].sum().backward()
    only_second = set(sequences[1].tolist()) - set(sequences[0].tolist())
    assert only_second
    assert seen.grad[sorted(only_second)].abs().max() == 0
    assert seen.grad[sequences[0]].abs().min(dim=1).values.max() > 0


@torch.no_grad()
def test_mtp_block_decodes_with_a_cache_as_it_prefills():
    ids = random_ids(150, V, 4)
    run = MODEL.new_pass(Batch.of([ids[:-1]]))
    whole = mtp_read_out(MODEL, mtp_streams(MODEL, MODEL.streams(run), ids[1:], run))
    state, outs = MODEL.new_state(), []
    for a, b in [(0, 100), (100, 140)] + [(i, i + 1) for i in range(140, 149)]:
        run = MODEL.new_pass(Batch.of([ids[a:b]], starts=[a]), [state])
        outs.append(mtp_read_out(MODEL, mtp_streams(MODEL, MODEL.streams(run), ids[a + 1 : b + 1], run)))
    assert (torch.cat(outs) - whole).abs().max() < CLOSE


@torch.no_grad()
def test_state_grows_only_by_compressed_entries():
    c = MODEL.config
    ids = random_ids(1024, V, 6)
    state, sizes = MODEL.new_state(), []
    for a in range(0, 1024, 128):
        MODEL(Batch.of([ids[a : a + 128]], starts=[a]), [state])
        sizes.append(state.nbytes())
    csa, hca = c.layer_kinds.count("CSA"), c.layer_kinds.count("HCA")
    per_block = csa * (4 * 32 * (c.head_dim + c.index_head_dim)) + hca * (-(-4 * c.head_dim // 64) * 64)
    assert [b - a for a, b in zip(sizes[1:], sizes[2:])] == [per_block] * 6


@pytest.mark.parametrize(
    ("ids", "match"),
    [([[5, 160]], "token id 160 is outside the vocabulary of 160"), ([[-1]], "token id -1"), ([[1] * 5000], "max_position")],
)
def test_bad_input_is_refused_with_its_cause(ids, match):
    with pytest.raises(ValueError, match=match):
        MODEL.logits(ids)


@torch.no_grad()
def test_a_batch_that_does_not_fit_its_states_is_refused():
    with pytest.raises(ValueError, match="no states were given"):
        MODEL(Batch.of([[1, 2]], starts=[3]))
    with pytest.raises(ValueError, match="must agree"):
        MODEL(Batch.of([[1, 2]], starts=[3]), [MODEL.new_state()])
    state = MODEL.new_state()
    with pytest.raises(ValueError, match="share one state"):
        MODEL(Batch.of([[1], [2]]), [state, state])


@torch.no_grad()
def test_a_state_that_missed_tokens_is_refused():
    state = MODEL.new_state()
    MODEL(Batch.of([[1, 2, 3]]), [state])
    run = MODEL.new_pass(Batch.of([[4]], starts=[3]), [state])
    h = MODEL.streams(run)
    with pytest.raises(ValueError, match="layer 4 has seen 0 tokens of a sequence that goes on at 3"):
        mtp_streams(MODEL, h, torch.tensor([5]), run)


def test_states_with_gradients_are_refused():
    with pytest.raises(ValueError, match="no_grad"):
        MODEL(Batch.of([[1]]), [MODEL.new_state()])


@pytest.mark.parametrize("segment", [[1.7], [[1, 2]], [True]])
def test_segments_that_are_not_token_ids_are_refused(segment):
    with pytest.raises(ValueError, match="integer token ids"):
        Batch.of([segment])


def test_router_has_a_gradient_where_an_affinity_underflows():
    x = torch.ones(1, 1, requires_grad=True)
    a = ops.affinities(x, torch.tensor([[-110.0], [1.0]]))
    a.sum().backward()
    assert torch.isfinite(x.grad).all() and x.grad > 0


@pytest.mark.parametrize("name", ["nano", "flash"])
def test_parameters_live_in_the_precision_of_the_spec(name):
    with torch.device("meta"):
        model = Transformer(preset(name))
    kept = {
        re.sub(r"\d+", "N", n) for n in model.state_dict() if storage_dtype(n, torch.bfloat16) == torch.float32
    }
    lowered = {re.sub(r"\d+", "N", n) for n in model.state_dict()} - kept
    endings = {n.split(".", 2)[2] if n.startswith(("layers", "mtp")) else n for n in lowered}
    assert endings == {
        "embed.weight", "attn.wq_a.weight", "attn.wq_b.weight", "attn.wkv.weight", "attn.wo_a.weight", "attn.wo_b.weight",
        "attn.indexer.wq_b.weight", "attn.indexer.weights_proj.weight", "ffn.experts.wN", "ffn.shared_experts.wN.weight",
        "ffn.gate.tidNeid", "e_proj.weight", "h_proj.weight",
    }  # fmt: skip
