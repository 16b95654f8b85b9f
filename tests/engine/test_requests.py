"""What a request can ask for beside tokens: several answers, other ends, scores of its prompt, limits of its thoughts."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from engine_helpers import TALKER, TOKENIZER, drive, prompt, queue, run
from helpers import random_model, tiny_config
from hypothesis import given, settings
from hypothesis import strategies as st

from finback.engine import Engine, Limits, SamplingParams, answer_seed
from finback.engine.guide import CYCLES, Cycle
from finback.text import encode_messages

MODEL = random_model(tiny_config(), seed=5).requires_grad_(False)
V = MODEL.config.vocab_size
GREEDY = SamplingParams(temperature=0, max_tokens=8)
EOS, OPEN, CLOSE = TOKENIZER.eos_id, TOKENIZER.token_id("<think>"), TOKENIZER.token_id("</think>")
THINKING = TOKENIZER.encode(encode_messages([{"role": "user", "content": "say it"}], "thinking"))
CHATTING = TOKENIZER.encode(encode_messages([{"role": "user", "content": "say it"}], "chat"))


# ---- several answers


@settings(max_examples=10)
@given(st.integers(1, 300), st.integers(2, 5), st.sampled_from([None, "periodic"]), st.sampled_from([None, 6, 8]), st.integers(1, 4))
def test_each_of_n_answers_is_the_one_that_its_seed_gives_alone(length, n, policy, blocks, requests):
    params = SamplingParams(max_tokens=9, seed=7, logprobs=1, n=n)
    engine = Engine(MODEL, prefix=policy, cache_blocks=blocks, limits=Limits(requests=requests))
    several = run(engine, prompt(length, 1), params)
    for i, result in enumerate(several.results()):
        alone = run(Engine(MODEL), prompt(length, 1), replace(params, n=1, seed=answer_seed(7, i))).result()
        assert (result.tokens, result.choices) == (alone.tokens, alone.choices)
    if engine.prefixes:
        engine.prefixes.clear()
    assert engine.pool.used == 0


def test_n_answers_share_the_prompts_blocks_and_compute_it_once():
    engine = Engine(MODEL, prefix=None)
    request = queue(engine, prompt(700, 1), SamplingParams(max_tokens=20, n=4, temperature=2.0))
    engine.step()
    assert engine.pool.used == 5 + 4 + 3 - 3  # 5 complete blocks once, the begun one of each
    drive(engine, [request])
    results = request.results()
    assert [r.cached for r in results] == [0, 700, 700, 700]
    assert len({tuple(r.tokens) for r in results}) == 4


def test_answers_of_a_group_arrive_by_index_and_are_cancelled_together():
    engine = Engine(MODEL)
    params = SamplingParams(max_tokens=5, n=3, temperature=2.0)

    async def collect():
        out = [[], [], []]
        async for piece in engine.stream(prompt(20, 1), params):
            out[piece.index] += piece.tokens
        return out

    try:
        expected = engine.submit(prompt(20, 1), params).results()
        assert asyncio.run(collect()) == [r.tokens for r in expected]
        assert [r.tokens for r in engine.generate([prompt(20, 1), prompt(9, 2)], [params, GREEDY])][:3] == [r.tokens for r in expected]
        long = engine.submit(prompt(20, 1), replace(params, max_tokens=4000, repetition_span=None))
        with pytest.raises(ValueError, match="3 answers: ask for its results"):
            long.result()
        long.cancel()
        assert [r.finish for r in long.results()] == ["cancelled"] * 3
    finally:
        engine.close()


def test_a_group_that_waits_for_its_prompt_is_cancelled_whole():
    engine = Engine(MODEL, limits=Limits(tokens=64))
    request = queue(engine, prompt(300, 1), replace(GREEDY, n=3))
    engine.step()
    request.cancel()
    drive(engine, [request])
    assert [r.finish for r in request.results()] == ["cancelled"] * 3


def test_seeds_of_answers_do_not_meet():
    seeds = [answer_seed(seed, i) for seed in range(50) for i in range(20)]
    assert len(set(seeds)) == len(seeds) and answer_seed(3, 0) == 3


# ---- ends


def test_a_stop_token_ends_the_answer_and_is_not_part_of_its_text():
    free = run(Engine(TALKER, TOKENIZER), CHATTING, GREEDY).result()
    stop = free.tokens[5]
    cut = run(Engine(TALKER, TOKENIZER), CHATTING, replace(GREEDY, stop_token_ids=(stop, 3))).result()
    first = free.tokens.index(stop)
    assert cut.tokens == free.tokens[: first + 1] and cut.finish == "stop" and cut.matched == stop
    assert cut.text == TOKENIZER.decode(free.tokens[:first])


def test_a_stop_string_is_named():
    free = run(Engine(TALKER, TOKENIZER), CHATTING, replace(GREEDY, max_tokens=40)).result()
    stop = free.text[10:12]
    cut = run(Engine(TALKER, TOKENIZER), CHATTING, replace(GREEDY, max_tokens=40, stop=("\0\0", stop))).result()
    assert (cut.finish, cut.matched, cut.text) == ("stop", stop, free.text[: free.text.find(stop)])


@pytest.mark.parametrize("other", [(), (17, 18)])
def test_no_end_comes_before_min_tokens_and_none_by_the_end_token_if_ignored(other):
    wants = {EOS: 50.0, **{t: 60.0 for t in other}}
    ask = lambda **kwargs: run(Engine(TALKER, TOKENIZER), CHATTING, SamplingParams(logit_bias=wants, **kwargs)).result()  # noqa: E731
    at_once = ask(stop_token_ids=other)
    assert len(at_once.tokens) == 1 and at_once.finish == "stop" and at_once.matched == (at_once.tokens[0] if other else None)
    later = ask(stop_token_ids=other, min_tokens=6, max_tokens=30)
    assert len(later.tokens) == 7 and later.finish == "stop" and not {EOS, *other} & set(later.tokens[:6])
    never = ask(ignore_eos=True, max_tokens=30, logprobs=0)
    assert len(never.tokens) == 30 and never.finish == "length"


def test_a_stop_string_does_not_count_before_min_tokens():
    free = run(Engine(TALKER, TOKENIZER), CHATTING, replace(GREEDY, max_tokens=40)).result()
    stop = TOKENIZER.decode(free.tokens[:3])
    cut = run(Engine(TALKER, TOKENIZER), CHATTING, replace(GREEDY, max_tokens=40, stop=(stop,), min_tokens=20)).result()
    assert len(cut.tokens) >= 20 and cut.text.startswith(stop)


# ---- scores of the prompt


@pytest.mark.parametrize("tokens", [50, 1024])
@pytest.mark.parametrize("blocks", [None, 7])
def test_prompt_log_probabilities_are_those_of_the_whole_forward(tokens, blocks):
    engine = Engine(MODEL, prefix="full", limits=Limits(tokens=tokens), cache_blocks=blocks)
    ids = prompt(400, 3)
    run(engine, ids, GREEDY)  # fills the prefix store, which must not hide rows
    other = queue(engine, prompt(390, 4), replace(GREEDY, max_tokens=30))
    request = queue(engine, ids, replace(GREEDY, prompt_logprobs=2, n=2))
    drive(engine, [request, other])
    found = request.results()
    expected = MODEL.logits([ids])[0].log_softmax(1)
    assert len(found[0].prompt) == 399 and found[1].prompt == ()
    for i, choice in enumerate(found[0].prompt):
        assert choice.token == ids[i + 1]
        assert choice.logprob == pytest.approx(float(expected[i, ids[i + 1]]), abs=1e-4)
        assert [p for _, p in choice.top] == pytest.approx(expected[i].topk(2).values.tolist(), abs=1e-4)
    assert found[0].tokens == run(engine, ids, GREEDY).answer


def test_a_prompt_of_one_token_has_no_scores():
    result = run(Engine(MODEL), [5], replace(GREEDY, prompt_logprobs=0)).result()
    assert result.prompt == () and result.tokens


# ---- thoughts


def talk(ids, params, **kwargs):
    request = run(Engine(TALKER, TOKENIZER, **kwargs), ids, params)
    return list(request.pieces.get() for _ in range(request.pieces.qsize())), request


@pytest.mark.parametrize("budget", [0, 1, 12])
def test_thoughts_are_closed_when_their_budget_is_spent(budget):
    params = SamplingParams(temperature=0, max_tokens=40, thinking_budget=budget, logprobs=1, logit_bias={CLOSE: -99.0, EOS: -99.0})
    pieces, request = talk(THINKING, params)
    free, _ = talk(THINKING, replace(params, thinking_budget=None))
    at = request.answer.index(CLOSE)
    assert budget <= at <= budget + 3  # a character is not cut
    assert [p.forced for p in pieces] == [i == at for i in range(len(pieces))]
    assert [p.tokens for p in pieces[:at]] == [p.tokens for p in free[:at]] and not any(p.forced for p in free)
    assert "\N{REPLACEMENT CHARACTER}</think>" not in "".join(p.text for p in pieces)
    assert request.guide.thoughts == at + 1
    assert pieces[at].choices[0].logprob < 0  # the model's own opinion of it


def test_thoughts_that_close_themselves_are_counted_and_not_touched():
    pieces, request = talk(THINKING, SamplingParams(max_tokens=30, seed=3, logit_bias={CLOSE: 4.0, EOS: -99.0}, thinking_budget=25))
    assert not any(p.forced for p in pieces) and request.guide.thoughts == request.answer.index(CLOSE) + 1
    _, request = talk(CHATTING, SamplingParams(max_tokens=30, thinking_budget=0))
    assert request.guide.thoughts == 0 and not request.guide.thinking


def test_token_counts_add_up():
    engine = Engine(TALKER, TOKENIZER, prefix="full")
    ids = THINKING + prompt(300, 1)  # still within the thoughts
    params = SamplingParams(max_tokens=30, thinking_budget=10, logit_bias={EOS: -99.0, CLOSE: -99.0})
    run(engine, ids, params)
    result = run(engine, ids, params).result()
    assert result.prompt_tokens == len(ids) and result.cached == len(ids) // 128 * 128
    assert result.thinking == result.tokens.index(CLOSE) + 1 and result.thinking + result.answer_tokens == len(result.tokens) == 30


# ---- loops


@settings(max_examples=60)
@given(st.lists(st.integers(0, 2), max_size=12), st.lists(st.integers(0, 2), min_size=1, max_size=6), st.integers(0, 60))
def test_a_cycle_is_found_when_it_fills_the_span_and_not_before(head, cycle, length):
    span, tokens = 32, (head + cycle * 60)[: len(head) + length]
    guard, found = Cycle(span), None
    for i, token in enumerate(tokens, 1):
        if guard.take(token):
            found = i
            break

    def loops(end):
        tail = tokens[max(end - span, 0) : end]
        return len(tail) == span and any(tail[p:] == tail[:-p] for p in range(1, span // CYCLES + 1))

    assert found == next((end for end in range(1, len(tokens) + 1) if loops(end)), None)


def test_an_answer_that_goes_round_ends_and_says_so():
    rut = {7: 90.0}
    ask = lambda **kwargs: run(Engine(MODEL), prompt(9, 1), SamplingParams(temperature=0, logit_bias=rut, max_tokens=400, **kwargs)).result()  # noqa: E731
    assert ask(repetition_span=64).finish == "repetition" and len(ask(repetition_span=64).tokens) <= 128
    assert ask().finish == "length"  # the default is generous
    assert ask(repetition_span=None).finish == ask(repetition_span=64, ignore_eos=True).finish == "length"


@pytest.mark.parametrize(
    "bad", [dict(n=0), dict(min_tokens=-1), dict(min_tokens=9, max_tokens=8), dict(prompt_logprobs=-1), dict(thinking_budget=-1), dict(repetition_span=3)]
)
def test_impossible_wishes_are_refused(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        SamplingParams(**bad)


def test_a_stop_token_outside_the_vocabulary_is_refused():
    with pytest.raises(ValueError, match="outside the vocabulary"):
        Engine(MODEL).submit([1], SamplingParams(stop_token_ids=(V,)))
