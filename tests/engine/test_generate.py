"""Sampling, generation and the session that keeps a conversation's cache."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import random_ids, random_model, tiny_config

from finback.engine import SamplingParams, generate, sample

MODEL = random_model(tiny_config(), seed=11).requires_grad_(False)
GREEDY = SamplingParams(temperature=0, max_tokens=12)


def test_greedy_generation_takes_the_likeliest_token_of_the_whole_forward():
    ids = random_ids(130, 160, 1).tolist()
    for token in generate(MODEL, ids, GREEDY):
        assert token == int(MODEL.logits([ids])[0][-1].argmax())
        ids.append(token)
    assert len(ids) == 142


def test_generation_stops_after_a_stop_token_and_yields_it():
    ids = random_ids(20, 160, 2).tolist()
    free = list(generate(MODEL, ids, GREEDY))
    stop = free[4]
    assert list(generate(MODEL, ids, GREEDY, {stop})) == free[: free.index(stop) + 1]


def test_same_seed_gives_the_same_sample_and_another_seed_another():
    ids = random_ids(20, 160, 3).tolist()
    draw = lambda seed: list(generate(MODEL, ids, SamplingParams(temperature=1.5, max_tokens=20, seed=seed)))  # noqa: E731
    assert draw(1) == draw(1) != draw(2)


def test_generation_ends_at_the_models_last_position():
    model = random_model(tiny_config(max_position_embeddings=16), seed=1).requires_grad_(False)
    assert len(list(generate(model, list(range(10)), SamplingParams(max_tokens=50)))) == 7


def test_empty_prompt_is_refused():
    with pytest.raises(ValueError, match="prompt is empty"):
        next(generate(MODEL, [], GREEDY))


def test_samples_follow_the_softmax_at_the_temperature():
    logits, counts = torch.tensor([0.0, 1.0, -1.0, 0.5]), torch.zeros(4)
    for seed in range(4000):
        counts[sample(logits, SamplingParams(temperature=0.7, seed=seed)).token] += 1
    assert (counts / 4000 - torch.softmax(logits / 0.7, 0)).abs().max() < 0.03


def test_top_p_keeps_the_smallest_set_that_reaches_it():
    logits = torch.log(torch.tensor([0.1, 0.5, 0.3, 0.1]))
    assert {sample(logits, SamplingParams(top_p=0.6, seed=seed)).token for seed in range(300)} == {1, 2}


@pytest.mark.parametrize("extreme", [{"top_p": 5e-324}, {"temperature": 5e-324}, {"temperature": 1e-30}, {"min_p": 1.0}, {"temperature": 1e-7, "top_p": 1e-60}])
def test_the_narrowest_choice_is_the_likeliest_token(extreme):
    logits = torch.tensor([3.0, -1e9, 90.0, 89.9])
    assert all(sample(logits, SamplingParams(seed=seed, **extreme)).token == 2 for seed in range(5))


def test_one_seed_draws_afresh_at_every_place_of_the_answer():
    logits, counts, answer = torch.tensor([0.0, 1.0, -1.0, 0.5]), torch.zeros(4), []
    for _ in range(4000):
        answer.append(sample(logits, SamplingParams(seed=3), answer).token)
        counts[answer[-1]] += 1
    assert (counts / 4000 - torch.softmax(logits, 0)).abs().max() < 0.03


@pytest.mark.parametrize("size", [1, 50, 300, 5000])
def test_narrowing_is_that_of_a_whole_sort(size):
    generator = torch.Generator().manual_seed(size)
    for i in range(60):
        logits = torch.randn(size, generator=generator) * (0.0, 0.1, 1.0, 5.0)[i % 4]
        logits = logits.round() if i % 3 == 0 else logits  # many equal ones
        top_k, top_p, min_p = (0, 1, 7, 400)[i % 5 % 4], (1.0, 0.5, 0.95, 0.999, 1e-9)[i // 4 % 5], (0.0, 0.0, 0.1)[i % 3]
        p, ids = torch.softmax(logits, -1).sort(descending=True, stable=True)
        keep = (p.cumsum(0) - p < top_p) | (torch.arange(size) == 0) | (top_p == 1)
        keep &= (torch.arange(size) < (top_k or size)) & (p >= min_p * p[0])
        wanted = torch.zeros(size).index_copy(0, ids[keep], p[keep]).double().cumsum(0)
        for seed in range(5):
            draw = np.random.Generator(np.random.Philox(key=seed, counter=0)).random() * wanted[-1]
            assert sample(logits, SamplingParams(top_k=top_k, top_p=top_p, min_p=min_p, seed=seed)).token == int((wanted <= draw).sum())


@pytest.mark.parametrize("params", [{"temperature": 0}, {}, {"top_p": 0.5}, {"top_k": 2}])
@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_logits_that_are_no_numbers_are_refused(value, params):
    with pytest.raises(ValueError, match="largest logit"):
        sample(torch.full((5,), value), SamplingParams(**params))


def test_top_k_and_min_p_narrow_the_choice():
    logits = torch.log(torch.tensor([0.1, 0.5, 0.3, 0.1]))
    assert {sample(logits, SamplingParams(top_k=3, seed=seed)).token for seed in range(300)} in ({0, 1, 2}, {1, 2, 3})
    assert {sample(logits, SamplingParams(min_p=0.5, seed=seed)).token for seed in range(300)} == {1, 2}


def test_penalties_and_biases_move_the_logits():
    logits = torch.tensor([1.0, 0.9, 0.0])
    greedy = SamplingParams(temperature=0)
    assert sample(logits, greedy).token == 0
    assert sample(logits, replace(greedy, presence_penalty=0.2), [0]).token == 1
    assert sample(logits, replace(greedy, frequency_penalty=0.06), [0]).token == 0
    assert sample(logits, replace(greedy, frequency_penalty=0.06), [0, 0]).token == 1
    assert sample(logits, replace(greedy, logit_bias={2: 5.0})).token == 2
    assert logits.tolist() == pytest.approx([1.0, 0.9, 0.0])


def test_log_probabilities_are_those_of_the_model():
    logits = torch.tensor([1.0, 0.9, 0.0])
    choice = sample(logits, SamplingParams(temperature=0, logprobs=2, logit_bias={2: 5.0}))
    expected = logits.log_softmax(0)
    assert choice.token == 2 and choice.logprob == pytest.approx(float(expected[2]))
    assert choice.top == ((0, pytest.approx(float(expected[0]))), (1, pytest.approx(float(expected[1]))))


@pytest.mark.parametrize("bad", [dict(temperature=-1), dict(top_p=0), dict(top_p=1.5), dict(max_tokens=0)])
def test_impossible_sampling_is_refused(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        SamplingParams(**bad)
