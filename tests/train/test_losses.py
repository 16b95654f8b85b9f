"""Each loss against its formula, its gradient against finite differences, and the bias rule."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from helpers import random_ids, random_model, tiny_config

from finback.model import Batch, Trace, mtp_read_out, mtp_streams
from finback.model.trace import Indexing
from finback.train.losses import (
    IGNORE,
    Weights,
    balance_loss,
    head_loss,
    indexer_loss,
    indexer_recall,
    losses,
    second_targets,
    update_biases,
)


def make_model(**changes):
    return random_model(tiny_config(num_nextn_predict_layers=1, compress_ratios=(0, 4, 128, 4, 0), **changes), seed=5)


def make_batch(*lengths: int) -> tuple[Batch, torch.Tensor]:
    pieces = [random_ids(n + 1, 160, n) for n in lengths]
    return Batch.of([p[:-1] for p in pieces]), torch.cat([p[1:] for p in pieces])


def test_packed_documents_lose_what_they_lose_one_by_one():
    model, lengths = make_model(), (5, 140, 33)
    together, targets = make_batch(*lengths)
    packed = losses(model, together, targets, Weights())
    alone = [losses(model, *make_batch(n), Weights()) for n in lengths]
    mean = lambda part, count: sum(getattr(x, part) * count(n) for x, n in zip(alone, lengths)) / sum(map(count, lengths))  # noqa: E731
    assert packed.next_token == pytest.approx(mean("next_token", lambda n: n), abs=1e-5)
    assert packed.mtp == pytest.approx(mean("mtp", lambda n: n - 1), abs=1e-5)
    assert packed.balance == pytest.approx(mean("balance", lambda n: n), abs=1e-5)
    assert packed.indexer == pytest.approx(mean("indexer", lambda n: n - 3), abs=1e-5)


def test_total_is_the_weighted_sum_of_the_parts():
    model = make_model()
    batch, targets = make_batch(50, 9)
    found = losses(model, batch, targets, Weights(mtp=0.5, balance=0.25, indexer=2.0))
    total = found.next_token + 0.5 * found.mtp + 0.25 * found.balance + 2.0 * found.indexer
    assert found.total.item() == pytest.approx(total, rel=1e-5)


def test_weight_zero_leaves_a_loss_out():
    found = losses(make_model(), *make_batch(50), Weights(mtp=0, balance=0, indexer=0))
    assert (found.mtp, found.balance, found.indexer, found.recall) == (None, None, None, None)
    assert found.total.item() == found.next_token


@pytest.mark.parametrize("rows", [1, 511, 512, 1300])
def test_head_loss_is_the_cross_entropy_of_the_logits(rows):
    g = torch.Generator().manual_seed(rows)
    x, head = torch.randn(rows, 24, generator=g), torch.randn(97, 24, generator=g)
    targets = torch.randint(0, 97, (rows,), generator=g)
    targets[1::5] = IGNORE
    found, expected = ([t.clone().requires_grad_() for t in (x, head)] for _ in range(2))
    a, b = head_loss(*found, targets), F.cross_entropy(expected[0] @ expected[1].t(), targets, ignore_index=IGNORE)
    torch.testing.assert_close(a, b)
    for loss in (a, b):
        (1.7 * loss).backward()
    for p, q in zip(found, expected):
        torch.testing.assert_close(p.grad, q.grad, rtol=1e-4, atol=1e-7)
    with torch.no_grad():
        assert head_loss(*found, targets) == a.detach()
    half = x.bfloat16().requires_grad_()
    c = head_loss(half, found[1], targets)
    torch.testing.assert_close(c, F.cross_entropy(half.float() @ head.t(), targets, ignore_index=IGNORE))
    c.backward()
    assert half.grad.dtype == torch.bfloat16
    torch.testing.assert_close(half.grad.float(), expected[0].grad / 1.7, rtol=0.05, atol=0.02 * float(expected[0].grad.abs().max()))


def test_a_users_autocast_leaves_the_head_loss_as_it_is_and_the_model_near():
    model, (batch, targets) = make_model(), make_batch(50)
    plain = Weights(mtp=0, balance=0, indexer=0)
    x = torch.randn(7, 24, generator=torch.Generator().manual_seed(1)).requires_grad_()
    head, wanted = torch.randn(97, 24, generator=torch.Generator().manual_seed(2)), torch.arange(7)
    alone, whole = head_loss(x, head, wanted), losses(model, batch, targets, plain).total
    with torch.autocast("cpu", torch.bfloat16):
        within, near = head_loss(x, head, wanted), losses(model, batch, targets, plain).total
    assert torch.equal(alone, within)
    assert torch.equal(*(torch.autograd.grad(loss, x)[0] for loss in (alone, within)))
    near.backward()
    torch.testing.assert_close(near, whole, rtol=0.02, atol=0)


def test_head_loss_without_targets_is_zero():
    x = torch.randn(3, 8, requires_grad=True)
    loss = head_loss(x, torch.randn(5, 8), torch.full((3,), IGNORE))
    loss.backward()
    assert loss.item() == 0 and not x.grad.any()


def test_mtp_predicts_the_token_after_next_within_its_segment():
    model = make_model()
    batch, targets = make_batch(4, 3)
    after = second_targets(batch, targets)
    assert after.tolist() == [*targets[1:4].tolist(), IGNORE, *targets[5:7].tolist(), IGNORE]
    run = model.new_pass(batch)
    logits = mtp_read_out(model, mtp_streams(model, model.streams(run), targets, run))
    expected = F.cross_entropy(logits[[0, 1, 2, 4, 5]], after[[0, 1, 2, 4, 5]])
    assert losses(model, batch, targets, Weights()).mtp == pytest.approx(expected.item(), rel=1e-5)


def test_segments_of_one_token_have_no_mtp_loss():
    assert losses(make_model(), *make_batch(1, 1), Weights()).mtp is None


def test_balance_loss_equals_its_formula_and_is_one_when_balanced():
    g = torch.Generator().manual_seed(0)
    a, ids, spans = torch.rand(11, 6, generator=g), torch.randint(0, 6, (11, 2), generator=g), ((0, 4), (4, 4), (4, 11))
    expected = 0.0
    for lo, hi in spans:
        for i in range(6 if hi > lo else 0):
            f = 6 / (2 * (hi - lo)) * sum(int((ids[t] == i).sum()) for t in range(lo, hi))
            p = sum(float(a[t, i] / a[t].sum()) for t in range(lo, hi)) / (hi - lo)
            expected += f * p * (hi - lo) / 11
    assert balance_loss(a, ids, spans).item() == pytest.approx(expected, rel=1e-5)
    even = torch.tensor([[0, 1], [2, 3]])
    assert balance_loss(torch.ones(2, 4), even, ((0, 2),)).item() == pytest.approx(1.0)
    assert balance_loss(torch.tensor([[9.0, 9, 1, 1]] * 2), torch.tensor([[0, 1]] * 2), ((0, 2),)).item() > 1.5


def record(scores, mass) -> Indexing:
    return Indexing(0, scores, mass)


def test_indexer_loss_is_the_divergence_and_zero_at_the_target():
    mass = torch.tensor([[0.0, 0.0, 0.0], [0.2, 0.0, 0.0], [0.3, 0.1, 0.4]])
    hidden = mass == 0
    scores = torch.tensor([[0.0, 0, 0], [5.0, 0, 0], [1.0, 2.0, 3.0]]).masked_fill(hidden, -torch.inf)
    p, q = mass[2] / 0.8, scores[2].softmax(0)
    expected = (p * (p / q).log()).sum() / 2  # two queries see an entry; for the first the divergence is zero
    assert indexer_loss([record(scores, mass)]).item() == pytest.approx(expected.item(), rel=1e-5)
    target = (mass / mass.sum(1, keepdim=True)).log()
    assert abs(indexer_loss([record(target, mass)]).item()) < 1e-6


def test_indexer_recall_compares_with_the_best_picks():
    mass = torch.tensor([[0.5, 0.3, 0.2, 0.1], [0.5, 0.3, 0.0, 0.0]])
    scores = torch.tensor([[1.0, 0.0, 2.0, 0.0], [1.0, 2.0, -torch.inf, -torch.inf]])
    assert indexer_recall([record(scores, mass)], 2) == pytest.approx((0.5 + 0.2) / 0.8)
    assert indexer_recall([record(scores, mass)], 4) is None


def test_indexer_trains_to_find_the_attention():
    model = make_model(index_topk=4)
    batch, targets = make_batch(120)
    before = losses(model, batch, targets, Weights(mtp=0, balance=0, indexer=1))
    own = [p for n, p in model.named_parameters() if ".indexer." in n]
    optimizer = torch.optim.Adam(own, lr=2e-2)
    for _ in range(30):
        optimizer.zero_grad()
        losses(model, batch, targets, Weights(mtp=0, balance=0, indexer=1)).total.backward()
        optimizer.step()
    after = losses(model, batch, targets, Weights(mtp=0, balance=0, indexer=1))
    assert after.indexer < 0.5 * before.indexer
    assert after.recall > before.recall


@pytest.mark.parametrize("part", ["mtp", "balance", "indexer"])
def test_gradient_of_each_loss_agrees_with_finite_differences(part):
    # where the choices must not flip under a small step, every expert and every entry is chosen
    model = make_model(num_experts_per_tok=2 if part == "balance" else 6, index_topk=100, num_hash_layers=0)
    batch, targets = make_batch(37)
    weights = Weights(**{"mtp": 0.0, "balance": 0.0, "indexer": 0.0, part: 100.0})
    names = {"mtp": "mtp.0.h_proj.weight", "balance": "layers.1.ffn.gate.weight", "indexer": "layers.1.attn.indexer.wq_b.weight"}
    p = dict(model.named_parameters())[names[part]]
    direction = torch.randn(p.shape, generator=torch.Generator().manual_seed(1))
    direction /= direction.norm()
    losses(model, batch, targets, weights).total.backward()
    slope = float((p.grad * direction).sum())
    step, values = 2e-3, []
    for sign in (1, -1):
        with torch.no_grad():
            p.add_(direction, alpha=sign * step)
            values.append(losses(model, batch, targets, weights).total.item())
            p.add_(direction, alpha=-sign * step)
    assert slope == pytest.approx((values[0] - values[1]) / (2 * step), rel=0.03, abs=2e-2)
    assert abs(slope) > 0.1


def test_bias_moves_towards_the_idle_experts_and_never_by_a_gradient():
    model = make_model()
    gate = model.layers[2].ffn.gate
    before = gate.bias.detach().clone()
    update_biases(model, {2: torch.tensor([0.5, 0.1, 0.1, 0.1, 0.1, 0.1])}, speed=0.001)
    assert torch.allclose(gate.bias - before, torch.tensor([-0.001, 0.001, 0.001, 0.001, 0.001, 0.001]))
    assert not gate.bias.requires_grad


def test_bias_updates_even_out_a_lopsided_router():
    model = make_model()
    with torch.no_grad():
        model.layers[2].ffn.gate.bias[0] += 3.0
    batch, targets = make_batch(200)
    loads = []
    for _ in range(60):
        loads.append(losses(model, batch, targets, Weights(mtp=0, balance=0, indexer=0)).loads[2])
        update_biases(model, {2: loads[-1]}, speed=0.1)
    assert loads[0][0] == pytest.approx(0.5)
    assert loads[-1].max() < 0.3


def test_given_routing_is_used():
    model = make_model()
    batch, targets = make_batch(60)
    trace = Trace()
    model.streams(model.new_pass(batch, trace=trace))
    routing = {layer: r.ids for layer, r in trace.routing.items()}
    own = losses(model, batch, targets, Weights()).next_token
    assert losses(model, batch, targets, Weights(), routing=routing).next_token == own
    routing[2] = (routing[2] + 1) % 6
    assert losses(model, batch, targets, Weights(), routing=routing).next_token != own
