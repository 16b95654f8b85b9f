"""Drafts change nothing but the number of steps; and what a request gets does not depend on anything around it."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pytest
import torch
from engine_helpers import TOKENIZER, drive, prompt, queue, run
from helpers import random_model, tiny_config
from hypothesis import given, settings
from hypothesis import strategies as st

from finback.engine import Constraint, Engine, Limits, SamplingParams
from finback.engine.speculate import TRIAL, Drafting, Speculator
from finback.model import Batch, mtp_read_out, mtp_streams
from finback.text import encode_messages

MTP = dict(num_nextn_predict_layers=1, compress_ratios=(0, 4, 128, 4, 0), vocab_size=TOKENIZER.vocab_size)
MODEL = random_model(tiny_config(**MTP), seed=6).requires_grad_(False)
SMALL = random_model(tiny_config(**{**MTP, "compress_ratios": (0, 8, 32, 8, 0)}, sliding_window=5, csa_ratio=8, index_topk=5), seed=7).requires_grad_(False)
MODELS = {"official window": MODEL, "short window": SMALL}
V = MODEL.config.vocab_size


def rig(patch, answers: dict[tuple, list[int]], right) -> None:
    """Makes drafts come true exactly where right() says so. answers: by prompt, what will be said."""

    def guess(self, request, logits):
        told = answers[tuple(request.prompt), request.params.seed]
        token = told[len(request.answer) + len(request.drafts)]
        return token if right() else (token + 1) % V

    patch.setattr(Speculator, "_guess", guess)


def same(found, expected) -> None:
    assert found.tokens == expected.tokens and found.finish == expected.finish and found.text == expected.text
    assert found.choices == expected.choices  # log-probabilities in every bit
    assert found.prompt == expected.prompt and found.thinking == expected.thinking


@pytest.mark.parametrize("name", list(MODELS))
@settings(max_examples=10)
@given(st.data())
def test_drafts_right_or_wrong_leave_every_bit_of_the_answer(name, data):
    model = MODELS[name]
    drafts, seed = data.draw(st.integers(1, 4)), data.draw(st.integers(0, 99))
    policy = data.draw(st.sampled_from([None, "full", "periodic"]))
    share, chance = data.draw(st.sampled_from([3, 64, 1024])), data.draw(st.sampled_from([0.0, 0.3, 0.7, 1.0]))
    jobs = [
        (prompt(length, 50 + i, V), SamplingParams(temperature=t, max_tokens=40, seed=seed + i, logprobs=1, frequency_penalty=f))
        for i, (length, t, f) in enumerate(
            data.draw(st.lists(st.tuples(st.integers(1, 260), st.sampled_from([0.0, 0.8]), st.sampled_from([0.0, 0.5])), min_size=1, max_size=3))
        )
    ]
    plain = [run(Engine(model, drafts=0), ids, params).result() for ids, params in jobs]
    dice = random.Random(seed)
    with pytest.MonkeyPatch.context() as patch:
        rig(patch, {(tuple(ids), p.seed): r.tokens + [0] * 5 for (ids, p), r in zip(jobs, plain)}, lambda: dice.random() < chance)
        engine = Engine(model, drafts=drafts, prefix=policy, period=128, limits=Limits(tokens=share), cache_blocks=data.draw(st.sampled_from([None, 8])))
        for _ in range(2):  # the second time on what the first left in the prefix store
            requests = [queue(engine, ids, params) for ids, params in jobs]
            drive(engine, requests)
            for request, expected in zip(requests, plain):
                same(request.result(), expected)
    if engine.prefixes:
        engine.prefixes.clear()
    assert engine.pool.used == 0


@pytest.mark.parametrize("drafts", [1, 2, 4])
def test_right_drafts_save_steps_and_wrong_ones_cost_none(drafts, monkeypatch):
    ids, params = prompt(30, 1, V), SamplingParams(temperature=0, max_tokens=61)
    plain = Engine(MODEL, drafts=0)
    expected = run(plain, ids, params).result()
    monkeypatch.setattr("finback.engine.speculate.PROBE", 10**9)
    monkeypatch.setattr("finback.engine.speculate.Costs.known", lambda *_: True)
    monkeypatch.setattr("finback.engine.speculate.Costs.saved", lambda *_: None)
    for chance, steps in ((True, 2 + -(-59 // (1 + drafts))), (False, 61)):
        rig(monkeypatch, {(tuple(ids), 0): expected.tokens + [0] * 5}, lambda: chance)  # noqa: B023
        engine = Engine(MODEL, drafts=drafts, prefix=None)
        result = run(engine, ids, params).result()
        same(result, expected)
        assert abs(engine.steps - steps) <= 1  # a draft does not go beyond the answer's or a block's end
        assert result.accepted == (result.drafted if chance else (0,) * 4)
        assert list(result.accepted[:drafts]) == engine.speculator.accepted and engine.speculator.checked[0] > 0


@pytest.mark.parametrize("name, share, policy", [("official window", 50, None), ("official window", 1024, "full"), ("short window", 50, "full")])
@torch.no_grad()
def test_the_block_drafts_from_the_whole_past(name, share, policy, monkeypatch):
    """Its logits, after any chunks, acceptances and rejections, are those of one pass over the whole sequence."""
    model, seen, dice = MODELS[name], [], random.Random(3)
    ids, params = prompt(200, 5, V), SamplingParams(temperature=0.7, max_tokens=90, seed=4)
    expected = run(Engine(model, drafts=0), ids, params).answer
    monkeypatch.setattr("finback.engine.speculate.Costs.saved", lambda *_: None)

    def guess(self, request, logits):
        seen.append((request.known + len(request.drafts), [*request.drafts], logits.clone()))
        token = expected[min(len(request.answer) + len(request.drafts), 89)]
        return token if dice.random() < 0.6 else (token + 1) % V

    monkeypatch.setattr(Speculator, "_guess", guess)
    engine = Engine(model, drafts=3, limits=Limits(tokens=share), prefix=policy)
    assert run(engine, ids, params).answer == expected
    whole = [*ids, *expected]
    batch = Batch.of([whole[:-1]])
    main = model.new_pass(batch)
    h = mtp_streams(model, model.streams(main), torch.tensor(whole[1:]), main)
    first, further = mtp_read_out(model, h), 0
    for known, drafts, logits in seen:
        if not drafts:
            torch.testing.assert_close(logits, first[known - 2], rtol=1e-3, atol=1e-3)
        elif len(drafts) == 1 and known % 4 == 0:  # one further: the block's own streams and the first draft behind the known tokens
            past = [*whole[: known - 1], drafts[0]]
            run_2 = model.new_pass(Batch.of([past[:-1]]))
            inner = mtp_streams(model, model.streams(run_2), torch.tensor(past[1:]), run_2)
            given = model.streams(run_2).clone()
            given[-1] = inner[-2]
            chained = mtp_read_out(model, mtp_streams(model, given, torch.tensor(past[1:]), run_2))
            torch.testing.assert_close(logits, chained[-1], rtol=1e-3, atol=1e-3)
            further += 1
    assert further >= 5 and len(seen) > 40


@pytest.mark.parametrize("policy", ["full", "periodic"])
def test_the_prefix_store_remembers_the_same_with_drafts(policy, monkeypatch):
    ids, params = prompt(100, 1, V), SamplingParams(temperature=0, max_tokens=300)
    plain = Engine(MODEL, drafts=0, prefix=policy, period=128)
    expected = run(plain, ids, params).result()
    rig(monkeypatch, {(tuple(ids), 0): expected.tokens + [0] * 5}, lambda: True)
    monkeypatch.setattr("finback.engine.speculate.Costs.saved", lambda *_: None)
    engine = Engine(MODEL, drafts=4, prefix=policy, period=128)
    same(run(engine, ids, params).result(), expected)
    kept = [[(key, node.snapshot is not None, node.keep) for key, node in e.prefixes.nodes.items()] for e in (plain, engine)]
    assert kept[0] == kept[1] and len(kept[0]) == 3 and engine.steps < plain.steps / 2


def test_a_prompt_whose_last_token_is_computed_alone_branches_before_any_draft(monkeypatch):
    monkeypatch.setattr("finback.engine.speculate.Costs.known", lambda *_: True)
    params = SamplingParams(seed=3, max_tokens=12, n=3, logprobs=0)
    expected = run(Engine(MODEL, drafts=0), prompt(101, 1, V), params).results()
    found = run(Engine(MODEL, drafts=2, limits=Limits(tokens=100)), prompt(101, 1, V), params).results()
    for one, other in zip(found, expected):
        same(one, other)


def test_drafts_end_where_the_models_positions_do(monkeypatch):
    model = random_model(tiny_config(**MTP, max_position_embeddings=60), seed=1).requires_grad_(False)
    ids, params = prompt(20, 1, V), SamplingParams(temperature=0, max_tokens=500)
    expected = run(Engine(model, drafts=0), ids, params).result()
    rig(monkeypatch, {(tuple(ids), 0): expected.tokens + [0] * 5}, lambda: True)
    same(run(Engine(model, drafts=4), ids, params).result(), expected)
    assert len(expected.tokens) == 40 and expected.finish == "length"


def test_acceptance_is_that_of_the_samplers_own_draw():
    """With the model's own logits as the block's, every draft comes true, at any temperature."""
    params = SamplingParams(temperature=1.2, max_tokens=50, seed=8)
    expected = run(Engine(MODEL, drafts=0), prompt(20, 1, V), params).answer

    def guess(self, request, logits):
        past = request.prompt + request.answer + request.drafts
        return original(self, request, MODEL.logits([past])[0][-1])

    with pytest.MonkeyPatch.context() as patch:
        original = Speculator._guess
        patch.setattr(Speculator, "_guess", guess)
        result = run(Engine(MODEL, drafts=2), prompt(20, 1, V), params).result()
    assert result.tokens == expected and result.accepted == result.drafted and sum(result.accepted) > 20


class Clock:
    """Time that passes by the number of rows computed."""

    def __init__(self, engine: Engine, row: float, draft: float):
        self.now, speculator, forward, draft_forward = 0.0, engine.speculator, engine._forward, engine.speculator._forward
        speculator.clock = lambda: self.now

        def timed(batch, *rest):
            out = forward(batch, *rest)
            self.now += 1.0 + row * len(batch.tokens)
            return out

        def timed_draft(*args):
            self.now += draft
            return draft_forward(*args)

        engine._forward, speculator._forward = timed, timed_draft


@pytest.mark.parametrize("row, draft, right, on", [(0.0, 0.1, 1.0, True), (0.0, 0.1, 0.0, False), (0.1, 0.2, 0.5, True), (3.0, 0.5, 0.6, False)])
def test_drafting_stops_where_it_costs_more_than_it_saves(row, draft, right, on, monkeypatch):
    ids, params, dice = prompt(20, 1, V), SamplingParams(temperature=0, max_tokens=110), random.Random(1)
    expected = run(Engine(MODEL, drafts=0), ids, params).result()
    rig(monkeypatch, {(tuple(ids), 0): expected.tokens + [0] * 5}, lambda: dice.random() < right)
    engine = Engine(MODEL, drafts=1)
    Clock(engine, row, draft)
    request = run(engine, ids, params)
    same(request.result(), expected)
    assert request.drafting.on == on and engine.speculator.stopped == (not on)
    if not on:
        assert request.drafting.steps == TRIAL


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 4)), max_size=30))
def test_acceptance_counts_by_position(steps):
    drafting = Drafting(SamplingParams())
    for drafts, right in steps:
        drafting.note(drafts, min(right, drafts), False)
    for i in range(4):
        assert drafting.accepted[i] == sum(min(r, d) > i for d, r in steps)
        assert drafting.checked[i] == sum(d > i and min(r, d) >= i for d, r in steps)


def test_who_cannot_draft_says_why():
    with pytest.raises(ValueError, match="no MTP block"):
        Engine(random_model(tiny_config()), drafts=1)
    with pytest.raises(ValueError, match="compresses its past"):
        Engine(random_model(tiny_config(num_nextn_predict_layers=1, compress_ratios=(0, 4, 128, 4, 4))), drafts=1)
    with pytest.raises(ValueError, match="between 1 and 4"):
        Engine(MODEL, drafts=5)
    with pytest.raises(ValueError, match="shortest ring of 3 rows"):
        Engine(random_model(tiny_config(**MTP, sliding_window=3)), drafts=3)
    assert Engine(MODEL).speculator is None


# ---- everything at once

EOS = TOKENIZER.eos_id
CHAT, THOUGHT = (TOKENIZER.encode(encode_messages([{"role": "user", "content": "do it"}], mode)) for mode in ("chat", "thinking"))
WISHES = [
    SamplingParams(temperature=0, max_tokens=24, logprobs=2),
    SamplingParams(seed=1, max_tokens=30, logprobs=0, top_p=0.9, presence_penalty=0.4),
    SamplingParams(seed=2, max_tokens=20, n=3, logprobs=1, stop=("e",)),
    SamplingParams(seed=3, max_tokens=16, logprobs=1, prompt_logprobs=1, min_tokens=4),
    SamplingParams(seed=4, max_tokens=40, logprobs=1, temperature=1.3, constraint=Constraint.regex("[a-z ]{5,30}")),
    SamplingParams(seed=5, max_tokens=40, logprobs=1, constraint=Constraint.tools([{"name": "now"}, {"name": "then"}], "required"), thinking_budget=6),
    SamplingParams(seed=6, max_tokens=30, logprobs=1, thinking_budget=3, logit_bias={EOS: 3.0}),
]


@pytest.mark.parametrize("many", [pytest.param(64, marks=pytest.mark.slow), 10])
@settings(max_examples=4)
@given(data=st.data())
def test_a_request_gets_the_same_bits_alone_in_company_after_preemption_on_a_hit_and_with_drafts(many, data):
    pytest.importorskip("llguidance")
    pick = random.Random(data.draw(st.integers(0, 1 << 30)))
    base = prompt(300, pick.randrange(5), V - 70)
    jobs = []
    for _ in range(data.draw(st.integers(1, many))):
        head = pick.choice([base[: pick.randrange(301)], prompt(pick.randrange(1, 150), pick.randrange(99), V - 70)])
        jobs.append(((head + pick.choice([CHAT, THOUGHT])), replace(pick.choice(WISHES), seed=pick.randrange(3))))
    engine = Engine(
        MODEL, TOKENIZER, drafts=pick.choice([0, 1, 3]), prefix=pick.choice([None, "full", "periodic", "zero"]), period=128,
        limits=Limits(tokens=pick.choice([5, 100, 1024]), requests=pick.choice([2, 64])), cache_blocks=pick.choice([None, 7, 20]),
    )  # fmt: skip
    requests = [queue(engine, ids, params, user=pick.choice("ab")) for ids, params in jobs]
    drive(engine, requests)
    known: dict = {}
    for request, (ids, params) in zip(requests, jobs):
        key = (tuple(ids), repr(params))
        if key not in known:
            known[key] = run(Engine(MODEL, TOKENIZER, drafts=0, prefix=None), ids, params).results()
        for found, expected in itertools.zip_longest(request.results(), known[key]):
            same(found, expected)
    if engine.prefixes:
        engine.prefixes.clear()
    assert engine.pool.used == 0
