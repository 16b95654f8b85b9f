"""Muon against its equations in float64, AdamW against PyTorch's, and the assignment of every weight.

What this covers: the orthogonalisation (its polynomial, bounds, degenerate matrices, BF16), one step and many
against a matrix-by-matrix loop, batching, decay, missing gradients, resuming, and the groups of the presets.
"""

from __future__ import annotations

import dataclasses
import io
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from finback.config import preset
from finback.model import Batch, Transformer, new_model
from finback.train import optim
from finback.train.optim import MuonAdamW, build_optimizer, newton_schulz, parameter_groups, table
from tests.helpers import random_ids, tiny_config

FP32, FP64 = torch.float32, torch.float64
UPPER = 1.00203  # the largest value of the ten polynomials on [4e-5, 1]; the smallest is 1 to rounding
LR, DECAY = 0.02, 0.1


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = FP64) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def with_singular_values(values: torch.Tensor, n: int, m: int, seed: int = 0) -> torch.Tensor:
    U, V = (torch.linalg.qr(normal(side, len(values), seed=seed + i))[0] for i, side in enumerate((n, m)))
    return U * values @ V.mT


def by_svd(M: torch.Tensor) -> torch.Tensor:
    """HybridNS of one matrix without a product of it: the polynomials act on the singular values alone."""
    U, s, V = torch.linalg.svd(M.to(FP64), full_matrices=False)
    if not s.any():
        return torch.zeros_like(M, dtype=FP64)
    s = s / s.square().sum().sqrt()
    for step in range(10):
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5 if step < 8 else 2 * s - 1.5 * s**3 + 0.5 * s**5
    return U * s @ V


def tiny_model(**changes) -> Transformer:
    return new_model(tiny_config(num_nextn_predict_layers=1, compress_ratios=(0, 4, 128, 4, 0), **changes), seed=0)


def fill_gradients(model: nn.Module, seed: int) -> None:
    for i, p in enumerate(model.parameters()):
        if p.requires_grad:
            p.grad = normal(*p.shape, seed=1000 * seed + i, dtype=FP32)


def optimizer_of(model: Transformer, dtype: torch.dtype = FP32, chunk: int = 2**20, decay: float = DECAY) -> MuonAdamW:
    optimizer = MuonAdamW(parameter_groups(model, decay), dtype, chunk)
    optimizer.set_learning_rate(LR)
    return optimizer


def logically_independent(model: Transformer, name: str, tensor: torch.Tensor) -> list[torch.Tensor]:
    """The matrices of a parameter, cut by hand."""
    c = model.config
    if ".experts.w" in name:
        return list(tensor)
    if name.endswith("wo_a.weight"):
        return list(tensor.view(c.o_groups, c.o_lora_rank, -1))
    if "hc_attn_fn" in name or "hc_ffn_fn" in name:
        n = c.hc_mult
        return [tensor[:n], tensor[n : 2 * n], tensor[2 * n :]]
    if "compressor" in name:
        width = c.index_head_dim if "indexer" in name else c.head_dim
        return list(tensor.view(-1, width, tensor.shape[1]))
    return [tensor]


# --- orthogonalisation -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shape", [(8, 8), (7, 19), (33, 5), (1, 6), (6, 1), (1, 1), (64, 64), (3, 300), (2, 3, 5, 4)], ids=str
)
def test_polynomial_in_float64_is_that_of_the_singular_values(shape):
    M = normal(*shape)
    expected = torch.stack([by_svd(m) for m in M.reshape(-1, *shape[-2:])]).reshape(shape)
    torch.testing.assert_close(newton_schulz(M, FP64), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("n, m", [(16, 16), (24, 60), (60, 24), (1, 9), (9, 1), (4, 512)])
def test_singular_values_end_near_one(n, m):
    for seed in range(5):
        M = normal(n, m, seed=seed, dtype=FP32)
        before = torch.linalg.svdvals(M.double())
        assert before.min() / before.norm() > 4e-5  # else the bounds do not hold, and another seed is needed
        after = torch.linalg.svdvals(newton_schulz(M, FP32).double())
        assert after.min() > 1 - 1e-4 and after.max() < UPPER


def test_eight_and_two_steps_reach_down_to_a_condition_number_of_25000():
    values = torch.logspace(0, -4.39, 12, dtype=FP64)
    values = values / values.norm()
    assert 3e-5 < values.min() < 4e-5
    M = with_singular_values(values, 20, 30)
    for dtype, slack in ((FP64, 1e-9), (FP32, 2e-2)):  # FP32 knows the smallest ones to 1e-7 of the largest
        after = torch.linalg.svdvals(newton_schulz(M.to(dtype), dtype).double())[:12]
        assert after.min() > 1 - slack and after.max() < UPPER + slack
    unreachable = torch.tensor([1.0, 1e-6], dtype=FP64)
    after = torch.linalg.svdvals(newton_schulz(with_singular_values(unreachable, 2, 2), FP64))
    assert after[0] > 1 - 1e-9 and after[1] < 0.1


@pytest.mark.parametrize("rank", [1, 3])
def test_low_rank_stays_low_rank_in_fp32(rank):
    M = with_singular_values(torch.linspace(1, 2, rank, dtype=FP64), 20, 32)
    after = torch.linalg.svdvals(newton_schulz(M.float(), FP32).double())
    assert after[:rank].min() > 1 - 1e-4 and after[:rank].max() < UPPER
    assert after[rank:].max() < 0.02  # rounding of 1e-7, grown by at most 8e4


def test_zero_matrices_stay_zero_among_others():
    M = normal(3, 6, 4, dtype=FP32)
    M[1] = 0
    for dtype in (FP32, torch.bfloat16):
        after = newton_schulz(M, dtype)
        assert torch.equal(after[1], torch.zeros(6, 4))
        assert after[[0, 2]].isfinite().all() and after[[0, 2]].abs().amax(dim=(1, 2)).min() > 0.1


@given(st.integers(-37, 37), st.integers(1, 9), st.integers(1, 9), st.integers(0, 100))
def test_scale_of_the_gradient_does_not_matter(power, n, m, seed):
    M = normal(n, m, seed=seed, dtype=FP32)
    M = M / M.abs().max()
    torch.testing.assert_close(newton_schulz(M * 2.0**power, FP32), newton_schulz(M, FP32), rtol=0, atol=1e-6)
    tiny = M.where(M.abs() > 1e-3, 0.0)  # so that no entry falls below FP32's normal numbers
    torch.testing.assert_close(newton_schulz(tiny * 2.0**-110, FP32), newton_schulz(tiny, FP32), rtol=0, atol=1e-6)


def test_tall_matrix_costs_what_its_transpose_costs():
    def cost(n, m):
        with FlopCounterMode(display=False) as counter:
            newton_schulz(normal(2, n, m), FP64)
        return counter.get_total_flops()

    assert cost(50, 7) == cost(7, 50) == 2 * 10 * (2 * 2 * 7 * 7 * 50 + 2 * 7**3)


def test_bf16_products_stay_near_float64_and_return_the_gradients_dtype():
    M = with_singular_values(torch.linspace(0.2, 1, 24, dtype=FP64), 24, 40)
    after = newton_schulz(M.float(), torch.bfloat16)
    assert after.dtype == FP32
    assert (after - by_svd(M)).norm() / by_svd(M).norm() < 0.02
    assert not torch.equal(after, newton_schulz(M.float(), FP32))


def test_bf16_fills_directions_without_a_gradient_with_noise():
    M = normal(64, 8).float() @ normal(8, 128, seed=1).float()
    rest = {dtype: torch.linalg.svdvals(newton_schulz(M, dtype).double())[8:] for dtype in (FP32, torch.bfloat16)}
    assert rest[FP32].max() < 0.01 and rest[torch.bfloat16].min() > 0.3


@pytest.mark.parametrize(("amx", "avx512"), [(False, False), (False, True), (True, True)])
def test_bf16_where_its_products_are_fast(monkeypatch, amx, avx512):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    assert optim.compute_dtype(torch.device("cpu")) == (torch.bfloat16 if avx512 else FP32)
    assert optim.compute_dtype(torch.device("cuda", 1)) == torch.bfloat16


# --- a step ------------------------------------------------------------------------------------------------------


def test_steps_equal_a_float64_loop_over_matrices():
    model = tiny_model()
    groups = parameter_groups(model, DECAY)
    moved = {m.name for group in groups for m in group.members if group.method == "Muon"}
    weights = {name: p.detach().double() for name, p in model.named_parameters() if name in moved}
    momenta = {name: torch.zeros_like(w) for name, w in weights.items()}
    optimizer = optimizer_of(model)
    for step in range(3):
        fill_gradients(model, step)
        for name, p in model.named_parameters():
            if name not in moved:
                continue
            momenta[name] = 0.95 * momenta[name] + p.grad.double()
            parts = zip(*(logically_independent(model, name, t) for t in (weights[name], momenta[name], p.grad.double())))
            for W, M, G in parts:
                O = by_svd(0.95 * M + G) * 0.18 * math.sqrt(max(G.shape))  # noqa: E741
                W.copy_(W * (1 - LR * DECAY) - LR * O)
        optimizer.step()
    for name, p in model.named_parameters():
        if name in moved:
            torch.testing.assert_close(p.detach().double(), weights[name], rtol=0, atol=2e-5 * LR, msg=name)


def test_update_has_the_rms_that_the_singular_values_give():
    # ||O'||_F^2 = sum of s_i^2 over min(n, m) values; times max(n, m) 0.18^2 / (n m): RMS = 0.18 sqrt(mean of s_i^2)
    model = tiny_model()
    optimizer = MuonAdamW(parameter_groups(model, 0.0), FP32, 2**20)
    optimizer.set_learning_rate(1.0)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    fill_gradients(model, 0)
    gate = model.layers[0].ffn.gate.weight  # [6, 48]: let its gradient have rank 2
    gate.grad = with_singular_values(torch.tensor([1.0, 3.0], dtype=FP64), *gate.shape).float()
    optimizer.step()
    for group in parameter_groups(model, 0.0):
        for member in group.members:
            if group.method == "AdamW":
                continue
            name, p = member.name, member.parameter
            gradients = logically_independent(model, name, p.grad.double())
            assert len(gradients) == member.matrices
            for update, g in zip(logically_independent(model, name, (p - before[name]).detach().double()), gradients):
                s = torch.linalg.svdvals(by_svd(1.95 * g))
                rms = update.square().mean().sqrt().item()
                assert rms == pytest.approx(0.18 * s.square().mean().sqrt().item(), rel=1e-4), name
                if s.min() > 0.9999:
                    assert 0.18 * 0.9999 < rms < 0.18 * UPPER, name
    low = (gate - before["layers.0.ffn.gate.weight"]).square().mean().sqrt().item()
    assert low == pytest.approx(0.18 * math.sqrt(2 / 6), rel=3e-3)


@pytest.mark.parametrize("chunk", [1, 48 * 20 * 4, 10_000])
def test_batched_equals_one_by_one(chunk):
    whole, cut = tiny_model(), tiny_model()
    optimizers = optimizer_of(whole), optimizer_of(cut, chunk=chunk)
    for step in range(2):
        for model, optimizer in zip((whole, cut), optimizers):
            fill_gradients(model, step)
            optimizer.step()
    for (name, a), b in zip(whole.named_parameters(), cut.parameters()):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-5 * LR, msg=name)


def test_chunks_hold_every_matrix_once_within_the_limit():
    tensors = [normal(5, 3, 4), normal(1, 3, 4), normal(2, 6, 4), normal(7, 3, 4)]
    chunks = list(optim._chunks([(t, t) for t in tensors], elements=48))
    assert sorted(sum(len(views[0]) for views in chunk) for chunk in chunks) == [1, 2, 4, 4, 4]
    assert all(len({v.shape[1:] for pair in chunk for v in pair}) == 1 for chunk in chunks)
    for chunk in chunks:
        for a, b in chunk:
            assert a.data_ptr() == b.data_ptr() and a.shape == b.shape
            a.zero_()
    assert not any(t.any() for t in tensors)
    assert [len(c) for c in optim._chunks([(normal(3, 8, 8),)], elements=10)] == [1, 1, 1]  # larger than the limit


def test_an_expert_is_moved_as_if_it_stood_alone():
    model = tiny_model()
    before = model.layers[1].ffn.experts.w2.detach().clone()
    fill_gradients(model, 0)
    model.layers[1].ffn.experts.w2.grad[3] *= 1e6  # a loud neighbour
    model.layers[1].ffn.experts.w2.grad[4] = 0  # an expert that saw no token
    optimizer_of(model).step()
    w2 = model.layers[1].ffn.experts.w2
    for e in (2, 3):
        alone = newton_schulz(1.95 * w2.grad[e], FP32) * 0.18 * math.sqrt(48)
        torch.testing.assert_close(w2[e], before[e] * (1 - LR * DECAY) - LR * alone, rtol=0, atol=1e-6)
    torch.testing.assert_close(w2[4], before[4] * (1 - LR * DECAY))


def test_decay_is_decoupled_and_spares_sinks_and_positional_biases():
    model = tiny_model()
    with torch.no_grad():
        for p in model.parameters():
            if p.requires_grad:
                p.fill_(2.0)
                p.grad = torch.zeros_like(p)
    optimizer_of(model).step()
    for name, p in model.named_parameters():
        spared = name.endswith(("attn_sink", "ape"))
        if p.requires_grad:
            torch.testing.assert_close(p, torch.full_like(p, 2.0 if spared else 2.0 * (1 - LR * DECAY)), msg=name)


def test_parameter_without_gradient_is_left_as_it_is():
    model = tiny_model()
    batch = Batch.of([random_ids(40, model.config.vocab_size, seed=0)])
    model(batch).square().mean().backward()
    idle = {name for name, p in model.named_parameters() if p.grad is None}
    assert any(".indexer." in name for name in idle) and any(name.startswith("mtp.") for name in idle)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    optimizer = optimizer_of(model)
    optimizer.step()
    for name, p in model.named_parameters():
        assert torch.equal(p, before[name]) == (name in idle), name
    assert len(optimizer.state) == len(before) - len(idle)


def test_rate_of_a_group_multiplies_its_learning_rate():
    model, twin = tiny_model(), tiny_model()
    groups = [dataclasses.replace(g, rate=5.0 if g.method == "Muon" else 1.0) for g in parameter_groups(twin, 0.0)]
    optimizers = MuonAdamW(parameter_groups(model, 0.0), FP32, 2**20), MuonAdamW(groups, FP32, 2**20)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    for m, optimizer in zip((model, twin), optimizers):
        optimizer.set_learning_rate(LR)
        fill_gradients(m, 0)
        optimizer.step()
    for name, p in twin.named_parameters():
        factor = 5 if name in ("layers.0.attn.wq_a.weight",) else 1 if name == "embed.weight" else None
        if factor:
            step = model.get_parameter(name) - before[name]
            torch.testing.assert_close(p - before[name], factor * step, rtol=1e-4, atol=1e-6)


def test_adamw_part_equals_torch():
    model, twin = tiny_model(), tiny_model()
    optimizer = optimizer_of(model)
    names = [[m.name for m in g.members] for g in parameter_groups(twin, DECAY) if g.method == "AdamW"]
    assert len(names) == 2
    peer = torch.optim.AdamW(
        [{"params": [twin.get_parameter(n) for n in some], "weight_decay": d} for some, d in zip(names, (DECAY, 0.0))],
        lr=LR, betas=(0.9, 0.95), eps=1e-20, fused=True,
    )  # fmt: skip
    for step in range(4):
        fill_gradients(model, step)
        fill_gradients(twin, step)
        optimizer.step()
        peer.step()
    for name in sum(names, []):
        assert torch.equal(model.get_parameter(name), twin.get_parameter(name)), name


def test_eps_lets_tiny_gradients_count():
    model = tiny_model()
    fill_gradients(model, 0)
    before = model.norm.weight.detach().clone()
    model.norm.weight.grad = torch.full_like(before, 1e-15)
    optimizer_of(model).step()
    torch.testing.assert_close(model.norm.weight, before * (1 - LR * DECAY) - LR)


# --- state -------------------------------------------------------------------------------------------------------


def test_resumed_run_is_bitwise_the_same():
    whole = tiny_model()
    optimizer = optimizer_of(whole)
    for step in range(3):
        fill_gradients(whole, step)
        if step == 0:  # a parameter that joins later
            whole.layers[1].attn.indexer.wq_b.weight.grad = None
        optimizer.step()
        if step == 1:
            file = io.BytesIO()
            torch.save({"model": whole.state_dict(), "optimizer": optimizer.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    resumed = tiny_model()
    resumed.load_state_dict(saved["model"])
    again = optimizer_of(resumed, decay=0.0)  # what the file says holds
    again.load_state_dict(saved["optimizer"])
    fill_gradients(resumed, 2)
    again.step()
    for (name, a), b in zip(whole.named_parameters(), resumed.parameters()):
        assert torch.equal(a, b), name


def test_state_of_another_model_is_refused():
    state = optimizer_of(tiny_model()).state_dict()
    for other in (tiny_model(o_groups=4), tiny_model(num_hash_layers=2, n_routed_experts=6, hc_mult=2)):
        with pytest.raises(ValueError, match="saved optimizer state has .* where the model has"):
            optimizer_of(other).load_state_dict(state)
    frozen = tiny_model()
    frozen.embed.weight.requires_grad_(False)
    with pytest.raises(ValueError, match="embed.weight"):
        optimizer_of(frozen).load_state_dict(state)
    plain = torch.optim.AdamW(tiny_model().parameters()).state_dict()
    with pytest.raises(ValueError, match="saved optimizer state has None"):
        optimizer_of(tiny_model()).load_state_dict(plain)


def test_half_precision_weights_are_refused():
    model = tiny_model()
    model.head.to(torch.bfloat16)
    with pytest.raises(ValueError, match="head.weight is torch.bfloat16: the parameters are their own master weights"):
        build_optimizer(model, DECAY)


# --- which weight goes where -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, muon, decayed, spared",
    # (tensors, matrices, parameters) of Muon; (tensors, parameters) of AdamW with and without decay
    [
        ("nano", (88, 166, 1_049_088), (55, 527_000), (10, 5_140)),
        ("mini", (154, 616, 33_015_808), (91, 2_105_584), (18, 27_684)),
        ("flash", (786, 35_014, 289_881_325_568), (424, 1_059_532_242), (106, 1_421_056)),
    ],
)
def test_every_parameter_of_a_preset_is_in_one_group(name, muon, decayed, spared):
    with torch.device("meta"):
        model = Transformer(preset(name))
    groups = parameter_groups(model, DECAY)
    assert [(g.method, g.weight_decay, g.rate) for g in groups] == [
        ("Muon", DECAY, 1.0), ("AdamW", DECAY, 1.0), ("AdamW", 0.0, 1.0),
    ]  # fmt: skip
    members = [m for group in groups for m in group.members]
    assert len({m.name for m in members}) == len(members)
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert {m.name for m in members} == trained
    assert {name for name, _ in model.named_parameters()} - trained == {
        f"{block}.ffn.gate.bias"
        for block in [f"layers.{i}" for i in range(model.config.num_hash_layers, model.config.num_hidden_layers)] + ["mtp.0"]
    }
    counts = [(len(g.members), sum(m.matrices for m in g.members), sum(m.parameter.numel() for m in g.members)) for g in groups]
    assert counts == [muon, (decayed[0], 0, decayed[1]), (spared[0], 0, spared[1])]


def test_kind_adamw_gives_every_weight_to_adamw():
    model = tiny_model()
    muon, adamw = parameter_groups(model, DECAY), parameter_groups(model, DECAY, "adamw")
    assert [(g.method, g.weight_decay) for g in adamw] == [("AdamW", DECAY), ("AdamW", 0.0)]
    assert {m.name for g in adamw for m in g.members} == {m.name for g in muon for m in g.members}
    assert sum(m.matrices for g in adamw for m in g.members) == 0
    optimizer = build_optimizer(model, DECAY, "adamw")
    fill_gradients(model, 0)
    optimizer.step()
    assert all("exp_avg" in state and "momentum" not in state for state in optimizer.state.values())
    with pytest.raises(ValueError, match="saved optimizer state has"):
        build_optimizer(model, DECAY).load_state_dict(optimizer.state_dict())


def test_flash_has_the_matrices_that_one_counts_by_hand():
    attention = 4 + 8  # wq_a, wq_b, wkv, wo_b; eight groups of wo_a
    block = attention + 3 * 256 + 3 + 1 + 2 * 3  # experts, shared expert, router, hyper-connections
    csa = 4 + 4 + 2  # two series of values and gates, in the attention and in the indexer; the indexer's wq_b, weights
    hca, mtp, head = 2, 2 + 1, 1
    assert 44 * block + 21 * csa + 20 * hca + mtp + head == 35_014


def test_table_names_every_kind_and_the_sums():
    console = Console(width=160, record=True, quiet=False, file=io.StringIO())
    with torch.device("meta"):
        console.print(table(parameter_groups(Transformer(preset("flash")), DECAY)))
    text = console.export_text()
    for rule in optim.RULES:
        assert rule.what in text
    assert "33,792" in text and "290,942,278,866" in text and "35,014" in text


def test_parameter_without_a_rule_stops_the_run():
    model = tiny_model()
    model.extra = nn.Parameter(torch.zeros(3, 4))
    with pytest.raises(ValueError, match=r"extra \(3, 4\) matches no rule"):
        parameter_groups(model, DECAY)
    trained_bias = tiny_model()
    trained_bias.layers[2].ffn.gate.bias.requires_grad_(True)
    with pytest.raises(ValueError, match="gate.bias .* matches no rule"):
        parameter_groups(trained_bias, DECAY)


def test_parameter_with_two_rules_stops_the_run(monkeypatch):
    twice = dataclasses.replace(optim.RULES[0], what="all weights", patterns=("*.weight",))
    monkeypatch.setattr(optim, "RULES", (*optim.RULES, twice))
    with pytest.raises(ValueError, match="'embedding and LM head' and 'all weights'"):
        parameter_groups(tiny_model(), DECAY)


def test_it_trains():
    model = tiny_model()
    optimizer = build_optimizer(model, DECAY)
    optimizer.set_learning_rate(0.01)
    ids = random_ids(65, model.config.vocab_size, seed=3)
    losses = []
    for _ in range(12):
        loss = nn.functional.cross_entropy(model(Batch.of([ids[:-1]])), ids[1:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]
