"""One dial: every size is a recipe that runs, a larger one is larger in everything, and what a recipe says wins."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest

from finback.cost import parameters
from finback.model import Batch, new_model
from finback.train import read_recipe
from finback.train.schedule import count_steps
from finback.train.scaling import SIZES

DIAL = Path(__file__).parents[2] / "recipes" / "dial.toml"


@pytest.fixture
def dial(tmp_path):
    def read(size, model="", schedule="", tokenizer="", top=""):
        text = DIAL.read_text().replace("size = 1", f"size = {size}\n{top}")
        text = text.replace("[tokenizer]", f"[model]\n{model}\n[schedule]\n{schedule}\n[tokenizer]\n{tokenizer}")
        (tmp_path / "r.toml").write_text(text)
        return read_recipe(tmp_path / "r.toml")

    return read


def test_every_size_is_a_valid_recipe_and_grows_in_everything(dial):
    found = [dial(size) for size in SIZES]
    for key in (
        lambda r: parameters(r.model).active, lambda r: parameters(r.model).total, lambda r: r.schedule.tokens,
        lambda r: r.schedule.batch_tokens, lambda r: count_steps(r.schedule), lambda r: r.model.vocab_size,
        lambda r: r.model.n_routed_experts / r.model.num_experts_per_tok,
    ):  # fmt: skip
        values = [key(r) for r in found]
        assert all(a < b for a, b in pairwise(values)), values
    assert all(a.schedule.learning_rate >= b.schedule.learning_rate for a, b in pairwise(found))
    for r in found:
        assert {"SWA", "CSA", "HCA"} == set(r.model.layer_kinds)
        assert r.schedule.tokens / parameters(r.model).active == pytest.approx(20, rel=0.01)
        assert [s.attention for s in r.schedule.stages] == ["dense", "warmup", "sparse"]
        assert r.schedule.stages[0].tokens / r.schedule.tokens == pytest.approx(0.7, abs=0.01)
        sequence = r.schedule.stages[0].sequence
        assert r.schedule.batch_tokens % sequence == 0 and r.model.index_topk == sequence // 4 // 4


def test_learning_rate_and_batch_follow_the_published_laws(dial):
    r = dial(11)  # within the range of computes that the paper fitted
    compute = 6 * parameters(r.model).active * r.schedule.tokens
    assert 1e17 < compute < 2e17
    assert r.schedule.learning_rate == pytest.approx(0.3118 * compute**-0.125, rel=0.05)
    assert r.schedule.batch_tokens == pytest.approx(0.2920 * compute**0.3271, rel=0.1)


def test_smallest_size_computes(dial):
    model = new_model(dial(1).model, 0)
    loss = model(Batch.of([list(range(200))])).logsumexp(dim=1)
    assert loss.isfinite().all() and abs(loss.mean().item() - math.log(1024)) < 1.0


@pytest.mark.parametrize(
    ("kind", "line", "read", "value"),
    [
        ("model", "hidden_size = 160", lambda r: (r.model.hidden_size, r.model.head_dim, r.model.q_lora_rank), (160, 40, 80)),
        ("model", "num_hidden_layers = 6", lambda r: r.model.compress_ratios, (0, 0, 4, 128, 4, 128)),
        ("model", "num_nextn_predict_layers = 1", lambda r: r.model.compress_ratios, (0, 0, 4, 128, 4, 0)),
        ("model", "n_routed_experts = 5", lambda r: r.model.n_routed_experts, 5),
        ("model", "initializer_range = 0.01", lambda r: r.model.initializer_range, 0.01),
        ("tokenizer", "vocab_size = 700", lambda r: r.model.vocab_size, 700),
        ("schedule", "learning_rate = 1e-5", lambda r: (r.schedule.learning_rate, r.schedule.end_learning_rate), (1e-5, 1e-6)),
        ("schedule", "batch_tokens = 999", lambda r: r.schedule.batch_tokens, 999),
        ("schedule", "decay_start = 0.5", lambda r: r.schedule.decay_start, 0.5),
        ("schedule", "mtp_loss_weight = [0.2, 0.0]", lambda r: r.schedule.mtp_loss_weight, (0.2, 0.0)),
        ("schedule", 'stages = [{ tokens = 5000, sequence = 64, attention = "dense" }]', lambda r: r.schedule.tokens, 5000),
    ],
)  # fmt: skip
def test_what_the_recipe_says_wins_and_the_rest_follows(dial, kind, line, read, value):
    assert read(dial(2)) != value
    assert read(dial(2, **{kind: line})) == pytest.approx(value)


def test_tokens_shorten_a_run_and_its_batch_with_it(dial):
    whole, short = dial(3), dial(3, schedule="tokens = 1_000_000")
    assert short.model == whole.model
    assert short.schedule.tokens == pytest.approx(1_000_000, abs=2 * short.schedule.batch_tokens)
    assert short.schedule.batch_tokens < whole.schedule.batch_tokens
    assert short.schedule.learning_rate > whole.schedule.learning_rate
    assert [s.tokens > 0 for s in dial(3, schedule="tokens = 1").schedule.stages] == [True] * 3


@pytest.mark.parametrize(
    ("size", "parts", "match"),
    [
        (0, {}, "whole number from 1"),
        (99, {}, "finback sizes"),
        ('"big"', {}, "size is 'big'"),
        ("true", {}, "size is True"),
        (1, {"model": 'preset = "nano"'}, "both choose a model"),
        (1, {"model": 'hidden_size = "wide"'}, "hidden_size is 'wide'"),
        (1, {"model": "hidden_sise = 3"}, "unknown key 'hidden_sise'"),
        (1, {"schedule": "tokens = -5"}, "tokens is -5"),
        (1, {"schedule": 'tokens = 5\nstages = [{ tokens = 5, sequence = 5, attention = "dense" }]'}, "drop one"),
        (1, {"schedule": "stages = 5"}, "the schedule needs stages"),
        (1, {"schedule": "stages = [{ sequence = 5 }]"}, "stage 1 lacks tokens"),
        (1, {"schedule": "batch_size = 5"}, "unknown key 'batch_size'"),
        (1, {"tokenizer": "vocab_size = 0"}, "vocab_size is 0"),
    ],
)
def test_sizes_that_contradict_the_recipe_are_refused(dial, size, parts, match):
    with pytest.raises(ValueError, match=match):
        dial(size, **parts)
