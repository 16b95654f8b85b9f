"""What a forward records, and what it can be told: trace, dense attention, given routing."""

from __future__ import annotations

import pytest
import torch
from helpers import random_ids, random_model, tiny_config

from finback import ops
from finback.model import Batch, Trace

MODEL = random_model(tiny_config(), seed=21)
SEGMENTS = [random_ids(n, 160, n) for n in (3, 130, 70)]


def logits(model=MODEL, **options) -> torch.Tensor:
    """By the modules themselves, which can be told more than the native forward."""
    return model.read_out(model.streams(model.new_pass(Batch.of(SEGMENTS), **options)))


@torch.no_grad()
def test_tracing_changes_no_bit():
    assert torch.equal(logits(), logits(trace=Trace(mixing=[])))


@torch.no_grad()
def test_mixing_matrices_of_every_sublayer_are_recorded_and_doubly_stochastic():
    trace = Trace(mixing=[])
    logits(trace=trace)
    assert [tuple(comb.shape) for comb in trace.mixing] == [(4, 4, 203)] * 8
    for comb in trace.mixing:
        for dim in (0, 1):
            torch.testing.assert_close(comb.sum(dim=dim), torch.ones(4, 203), atol=0.02, rtol=0)
    assert len({comb.sum().item() for comb in trace.mixing}) > 1 and Trace().mixing is None


@torch.no_grad()
def test_dense_attention_is_sparse_attention_with_room_for_every_entry():
    roomy = random_model(tiny_config(index_topk=1000), seed=21)
    roomy.load_state_dict(MODEL.state_dict())
    expected = logits(roomy)
    assert torch.equal(logits(dense=True), expected)
    assert not torch.allclose(logits(), expected)


@torch.no_grad()
def test_the_routers_own_choice_given_back_changes_no_bit_and_another_does():
    trace = Trace()
    own = logits(trace=trace)
    routing = {layer: r.ids for layer, r in trace.routing.items()}
    assert sorted(routing) == [0, 1, 2, 3]
    assert [trace.routing[i].hashed for i in range(4)] == [True, False, False, False]
    assert torch.equal(logits(routing=routing), own)
    routing[2] = (routing[2] + 1) % 6
    assert not torch.allclose(logits(routing=routing), own)


@torch.no_grad()
def test_recorded_scores_pick_what_the_layer_picks_and_hide_the_future():
    trace = Trace()
    logits(trace=trace)
    assert [(r.layer, tuple(r.scores.shape)) for r in trace.indexing] == [
        (1, (130, 32)), (1, (70, 17)), (3, (130, 32)), (3, (70, 17)),
    ]  # fmt: skip
    for record in trace.indexing:
        visible = torch.arange(1, len(record.scores) + 1) // 4
        assert torch.equal((record.scores > -torch.inf).sum(1), visible)
        assert torch.equal(record.mass > 0, record.scores > -torch.inf)


@torch.no_grad()
@pytest.mark.parametrize("width", [1, 5, 300])
def test_entry_mass_is_the_joint_softmax_summed_over_heads(width, monkeypatch):
    monkeypatch.setattr(ops.reference, "MAX_TILE", 7)
    g = torch.Generator().manual_seed(width)
    T, H, c, before, ratio = 23, 3, 6, 4, 4
    q, window, sink = torch.randn(T, H, c, generator=g), torch.randn(before + T, c, generator=g), torch.randn(H, generator=g)
    entries = torch.randn((before + T) // ratio, c, generator=g)
    mass = ops.reference.entry_mass(q, window, entries, sink, before, width, ratio)
    for i in range(T):
        t = before + i
        expected = torch.zeros(len(entries), dtype=torch.float64)
        for h in range(H):
            keys = torch.cat((window[max(t - width + 1, 0) : t + 1], entries[: (t + 1) // ratio])).double()
            z = torch.cat((sink[h : h + 1].double(), keys @ q[i, h].double() * c**-0.5)).softmax(0)
            n = (t + 1) // ratio
            expected[:n] += z[len(z) - n :]
        assert (mass[i] - expected).abs().max() < 1e-5


def test_the_indexers_scores_move_only_the_indexer():
    MODEL.zero_grad()
    trace = Trace()
    logits(trace=trace)
    torch.cat([r.scores[r.scores > -torch.inf] for r in trace.indexing]).sum().backward()
    moved = {name for name, p in MODEL.named_parameters() if p.grad is not None and p.grad.abs().max() > 0}
    assert moved and all(".indexer." in name for name in moved)
    assert {n.split("indexer.")[1] for n in moved} == {
        "wq_b.weight", "weights_proj.weight", "compressor.ape", "compressor.wkv.weight", "compressor.wgate.weight",
        "compressor.norm.weight",
    }  # fmt: skip
    MODEL.zero_grad()
