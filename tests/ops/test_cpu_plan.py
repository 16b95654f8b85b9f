"""The native forward against the modules that define it, and what must hold for it to the last bit."""

from __future__ import annotations

import copy

import pytest
import torch
from helpers import random_ids, random_model, tiny_config
from hypothesis import given, settings
from hypothesis import strategies as st

from finback import ops
from finback.model import Batch, Transformer
from finback.ops import cpu

CONFIGS = {
    "all kinds": {},
    "no compression": dict(compress_ratios=(0, 0, 0, 0), num_hash_layers=0),
    "three heads, three groups, odd widths": dict(
        num_attention_heads=3, o_groups=3, head_dim=26, hidden_size=37, o_lora_rank=7, q_lora_rank=19, moe_intermediate_size=11,
        index_n_heads=5, index_head_dim=10,
    ),
    "wide heads": dict(num_attention_heads=5, o_groups=1, head_dim=136, qk_rope_head_dim=32, index_head_dim=40),
    "short window, ratios 8 and 32": dict(sliding_window=5, csa_ratio=8, compress_ratios=(0, 8, 32, 8), index_topk=5),
    "a single stream, hash layers": dict(hc_mult=1, num_hash_layers=4, num_experts_per_tok=6, routed_scaling_factor=2.5),
    "all kinds, topk of one": dict(hc_mult=5, index_topk=1, swiglu_limit=0.5),
}  # fmt: skip
CLOSE = dict(rtol=1e-4, atol=5e-5)  # logits of deep random networks in another order of summation


def model_of(name: str = "all kinds", dtype: torch.dtype = torch.float32) -> Transformer:
    model = random_model(tiny_config(**CONFIGS[name]), seed=list(CONFIGS).index(name) + 20)
    if dtype != torch.float32:
        from finback.model import storage_dtype

        for parameter_name, p in model.named_parameters():
            p.data = p.data.to(storage_dtype(parameter_name, dtype))
    return model.requires_grad_(False)


@pytest.fixture
def reference(monkeypatch):
    """Runs its argument on the reference path."""

    def run(f):
        with monkeypatch.context() as m:
            m.setattr(ops, "BACKEND", "reference")
            for name in cpu.OPS:
                m.setattr(ops, name, getattr(ops.reference, name))
            return f()

    return run


@torch.no_grad()
def native(model: Transformer, segments, states=None, rows=None) -> torch.Tensor:
    """The model's logits, which must come from the plan."""
    starts = [s.length for s in states] if states is not None else None
    assert model._planner.current(model) is not None, model._planner.reason
    return model(Batch.of(segments, starts), states, rows)


@pytest.mark.parametrize("name", CONFIGS)
@torch.no_grad()
def test_a_ragged_batch_agrees_with_the_modules(reference, name):
    model = model_of(name)
    sequences = [random_ids(n, model.config.vocab_size, n) for n in (1, 2, 3, 0, 4, 5, 31, 33, 127, 128, 129, 257, 700)]
    torch.testing.assert_close(native(model, sequences), reference(lambda: model(Batch.of(sequences))), **CLOSE)


@torch.no_grad()
def test_every_level_agrees_with_the_modules(reference, level, threads):
    model = model_of()
    sequences = [random_ids(n, model.config.vocab_size, n) for n in (1, 130, 300)]
    torch.testing.assert_close(native(model, sequences), reference(lambda: model(Batch.of(sequences))), **CLOSE)


@pytest.mark.parametrize("name", CONFIGS)
@torch.no_grad()
def test_cached_steps_agree_with_the_modules_in_turn(reference, name):
    """Both continue the same states, so that each must leave what the other expects."""
    model, pool = model_of(name), None
    ids = [random_ids(300, model.config.vocab_size, i) for i in range(3)]
    whole = [reference(lambda i=i: model.logits([i])[0]) for i in ids]
    pool = model.new_pool()
    states = [model.new_state(pool) for _ in ids]
    steps = [(0, 5, 130), (126, 4, 3), (1, 1, 1), (1, 0, 90), (2, 1, 1), (140, 1, 40), (1, 1, 1), (20, 288, 33)]
    for n, step in enumerate(steps):
        segments = [i[s.length : s.length + take] for i, s, take in zip(ids, states, step)]
        expected = torch.cat([w[s.length : s.length + len(part)] for w, s, part in zip(whole, states, segments)])
        if n % 2:
            found = reference(lambda: model(Batch.of(segments, [s.length for s in states]), states))
        else:
            found = native(model, segments, states)
        torch.testing.assert_close(found, expected, **CLOSE)


def in_chunks(model: Transformer, ids: torch.Tensor, cuts: list[int]) -> torch.Tensor:
    state, edges = model.new_state(), [0, *sorted(cuts), len(ids)]
    return torch.cat([native(model, [ids[a:b]], [state]) for a, b in zip(edges, edges[1:])])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", CONFIGS)
@settings(max_examples=5)
@given(st.data())
def test_chunks_do_not_show_in_any_bit(name, dtype, data):
    model = model_of(name, dtype)
    n = data.draw(st.integers(1, 300))
    cuts = data.draw(st.lists(st.integers(0, n), max_size=5))
    ids = random_ids(n, model.config.vocab_size, n)
    assert torch.equal(in_chunks(model, ids, cuts), native(model, [ids]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_token_by_token_is_the_whole_prefill_in_every_bit_at_every_level(level, dtype):
    model = model_of(dtype=dtype)
    ids = random_ids(200, model.config.vocab_size, 1)
    assert torch.equal(in_chunks(model, ids, list(range(1, 200))), native(model, [ids]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_company_and_threads_do_not_show_in_any_bit(dtype):
    model = model_of(dtype=dtype)
    sequences = [random_ids(n, model.config.vocab_size, n) for n in (3, 400, 1, 129, 260)]
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(native(model, sequences))
            found.append(torch.cat([native(model, [ids]) for ids in sequences]))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(found[0], other) for other in found[1:])


@torch.no_grad()
def test_equal_index_scores_pick_the_first_entries(reference):
    model = model_of()
    for layer in model.layers:
        if layer.attn.indexer is not None:
            layer.attn.indexer.weights_proj.weight.zero_()
    ids = random_ids(2100, model.config.vocab_size, 1)  # so many that a sample of the scores thins them out
    torch.testing.assert_close(native(model, [ids]), reference(lambda: model.logits([ids])[0]), **CLOSE)


@torch.no_grad()
def test_nan_stays_with_its_sequence_and_its_future():
    model = model_of()
    sequences = [random_ids(n, model.config.vocab_size - 1, n) for n in (40, 200, 30)]
    clean = native(model, sequences)
    sequences[1][130] = model.config.vocab_size - 1
    model.embed.weight[-1] = torch.nan
    found = native(model, sequences)
    keep = [*range(170), *range(240, 270)]
    assert torch.equal(found[keep], clean[keep])
    assert found[170].isnan().all()


@torch.no_grad()
def test_rows_are_those_of_the_whole():
    model = model_of()
    sequences = [random_ids(n, model.config.vocab_size, n) for n in (600, 3)]
    whole = native(model, sequences)
    for rows in ([-1], [599, 602, 0, 599], []):
        rows = torch.tensor(rows, dtype=torch.int64)
        assert torch.equal(native(model, sequences, rows=rows), whole[rows])
    with pytest.raises(IndexError):
        native(model, sequences, rows=torch.tensor([603]))


@torch.no_grad()
def test_standing_entries_are_read_and_not_written():
    model = model_of("short window, ratios 8 and 32")
    ids = random_ids(200, model.config.vocab_size, 1)
    state = model.new_state()
    native(model, [ids[:100]], [state])
    early = state.fork()
    whole = native(model, [ids[100:]], [state])
    early.reserve(200)
    early.frozen = 200
    early.pool.memory[early.blocks[0]] = state.pool.memory[state.blocks[0]]
    early.pool.memory[early.blocks[1]] = state.pool.memory[state.blocks[1]]
    kept = early.pool.memory[early.blocks].clone()
    assert torch.equal(native(model, [ids[100:]], [early]), whole)
    assert torch.equal(early.pool.memory[early.blocks], kept)


# ---- no stale weights


def changes():
    def in_place(model):
        model.layers[1].attn.wkv.weight.mul_(1.5)

    def data(model):
        p = model.layers[2].ffn.experts.w2
        p.data = p.data * 1.5

    def parameter(model):
        model.head.weight = torch.nn.Parameter(model.head.weight * 1.5, requires_grad=False)

    def module(model):
        model.layers[3].ffn.gate = copy.deepcopy(model.layers[3].ffn.gate)
        model.layers[3].ffn.gate.weight.mul_(1.5)

    def table(model):
        model.layers[0].ffn.gate.tid2eid = (model.layers[0].ffn.gate.tid2eid + 1) % 6

    def loaded(model, **options):
        model.load_state_dict({k: v * 1.5 if k.endswith("wq_b.weight") else v.clone() for k, v in model.state_dict().items()}, **options)

    def assigned(model):
        loaded(model, assign=True)

    def optimizer(model):
        model.requires_grad_(True)
        step = torch.optim.SGD(model.parameters(), lr=0.5)
        with torch.enable_grad():
            model.logits([[1, 2, 3, 4, 5]])[0].square().mean().backward()
        step.step()

    def bf16(model):
        model.embed.to(torch.bfloat16)
        model.embed.weight.data = model.embed.weight.data.float()

    return [in_place, data, parameter, module, table, loaded, assigned, optimizer, bf16]


@pytest.mark.parametrize("change", changes(), ids=lambda f: f.__name__)
@torch.no_grad()
def test_a_changed_weight_is_used_by_the_next_forward(reference, change):
    model = model_of()
    ids = random_ids(150, model.config.vocab_size, 2)
    before = native(model, [ids])
    change(model)
    after = native(model, [ids])
    assert not torch.equal(before, after)
    torch.testing.assert_close(after, reference(lambda: model.logits([ids])[0]), **CLOSE)


@torch.no_grad()
def test_a_copy_of_a_model_has_a_plan_of_its_own():
    model = model_of()
    ids = random_ids(20, model.config.vocab_size, 1)
    before = native(model, [ids])
    twin = copy.deepcopy(model)
    twin.head.weight.mul_(2)
    assert torch.equal(native(twin, [ids]), before * 2) and torch.equal(native(model, [ids]), before)


# ---- when it does not run


@torch.no_grad()
def test_modules_run_where_a_hook_looks_at_them():
    model, seen = model_of(), []
    ids = random_ids(20, model.config.vocab_size, 1)
    native(model, [ids])
    handle = model.layers[0].attn.register_forward_hook(lambda *_: seen.append(1))
    model.logits([ids])
    assert seen == [1]
    handle.remove()
    native(model, [ids])


@torch.no_grad()
def test_within_settled_a_moved_weight_is_not_looked_for_and_outside_it_is():
    model, ids = model_of(), random_ids(9, 160, 1)
    before = native(model, [ids])
    moved = 2 * model.norm.weight
    with model.settled():
        model.norm.weight.data = moved
        model.head.weight.data = 2 * model.head.weight  # whose old memory nobody else holds
        spoilers = [torch.full((160, 48), float("nan")) for _ in range(50)]
        assert torch.equal(native(model, [ids]), before) and len(spoilers) == 50
    assert not torch.equal(after := native(model, [ids]), before)
    with model.settled():
        moved.mul_(3)  # in its place
        assert not torch.equal(native(model, [ids]), after)
    assert model._planner.settled.on is False


@torch.no_grad()
def test_what_is_refused_says_why():
    for change, reason in (
        (lambda m: setattr(m.norm.weight, "data", m.norm.weight.data.bfloat16()), "norm.weight is torch.bfloat16"),
        (lambda m: m.double(), "float64"),
        (lambda m: setattr(m.head.weight, "data", m.head.weight.data.t().contiguous().t()), "not contiguous"),
    ):
        model = model_of()
        change(model)
        assert model._planner.current(model) is None and reason in model._planner.reason
    with torch.enable_grad():
        model = model_of()
        assert model._planner.current(model) is None


@torch.no_grad()
def test_a_state_that_missed_tokens_is_refused():
    model = model_of()
    state = model.new_state()
    native(model, [[1, 2, 3]], [state])
    state.seen[2] = 1
    with pytest.raises(ValueError, match="layer 2 has seen 1 tokens of a sequence that goes on at 3"):
        native(model, [[4]], [state])


def test_the_levels_are_there():
    assert "portable" in cpu._native.levels()
