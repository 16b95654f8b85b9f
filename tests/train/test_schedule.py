"""Schedules at their borders: the report's shape, and a sentence for everything that cannot run."""

from __future__ import annotations

import math
import tomllib

import pytest

from finback.train.schedule import (
    ScheduleError,
    Stage,
    at,
    batch_tokens_at,
    count_steps,
    learning_rate_at,
    mtp_loss_weight_at,
    read_schedule,
    stage_at,
)

RECIPE = """
learning_rate = 2e-3
end_learning_rate = 2e-4
warmup_steps = 10
decay_start = 0.75
batch_tokens = 4096
ramp_from = 1024
ramp_tokens = 100_000
stages = [
    {tokens = 600_000, sequence = 256, attention = "dense"},
    {tokens = 50_000, sequence = 1024, attention = "warmup"},
    {tokens = 350_000, sequence = 4096, attention = "sparse"},
]
"""
TOTAL, DECAY = 1_000_000, 750_000


def schedule(**changes):
    return read_schedule({**tomllib.loads(RECIPE), **changes})


def test_stages_change_at_their_first_token():
    s = schedule()
    assert s.tokens == TOTAL
    borders = {0: 0, 599_999: 0, 600_000: 1, 649_999: 1, 650_000: 2, TOTAL - 1: 2, TOTAL + 5000: 2}
    for tokens, index in borders.items():
        assert stage_at(s, tokens) is s.stages[index], tokens
    assert s.stages[1] == Stage(50_000, 1024, "warmup")


def test_warm_up_rises_by_equal_steps_to_the_peak():
    rates = [learning_rate_at(schedule(), step, 0) for step in range(12)]
    assert rates == pytest.approx([2e-4 * (k + 1) for k in range(10)] + [2e-3, 2e-3])
    assert learning_rate_at(schedule(warmup_steps=0), 0, 0) == 2e-3


def test_rate_is_constant_then_a_cosine_to_the_end():
    s, step = schedule(), 500
    assert learning_rate_at(s, step, 60_000) == learning_rate_at(s, step, DECAY - 1) == 2e-3
    assert learning_rate_at(s, step, DECAY) == pytest.approx(2e-3)
    assert learning_rate_at(s, step, 875_000) == pytest.approx((2e-3 + 2e-4) / 2)  # half-way down
    quarter = 2e-4 + 1.8e-3 * (1 + math.sqrt(0.5)) / 2
    assert learning_rate_at(s, step, 812_500) == pytest.approx(quarter)
    assert learning_rate_at(s, step, TOTAL) == pytest.approx(2e-4)
    assert learning_rate_at(s, step, TOTAL + 90_000) == pytest.approx(2e-4)
    tail = [learning_rate_at(s, step, tokens) for tokens in range(DECAY, TOTAL, 1000)]
    assert tail == sorted(tail, reverse=True) and len(set(tail)) == len(tail)


def test_decay_may_take_the_whole_run_or_never_come():
    whole, never = schedule(decay_start=0.0), schedule(decay_start=1.0)
    assert learning_rate_at(whole, 99, TOTAL // 2) == pytest.approx(1.1e-3)
    assert learning_rate_at(whole, 4, TOTAL // 2) == pytest.approx(0.55e-3)  # still half-way through the warm-up
    assert learning_rate_at(never, 99, TOTAL) == 2e-3
    assert mtp_loss_weight_at(never, 2 * TOTAL) == 0.3 and mtp_loss_weight_at(whole, 0) == 0.1


def test_mtp_weight_falls_with_the_learning_rate():
    s = schedule()
    assert mtp_loss_weight_at(s, DECAY - 1) == 0.3 and mtp_loss_weight_at(s, DECAY) == 0.1
    assert mtp_loss_weight_at(schedule(mtp_loss_weight=[0.2, 0]), DECAY) == 0


def test_batch_grows_linearly_and_stays():
    s = schedule()
    values = [batch_tokens_at(s, tokens) for tokens in (0, 25_000, 50_000, 99_999, 100_000, TOTAL)]
    assert values == [1024, 1792, 2560, 4095, 4096, 4096]
    assert batch_tokens_at(schedule(ramp_from=0, ramp_tokens=0), 0) == 4096


@pytest.mark.parametrize(
    "changes",
    [{}, {"ramp_from": 0, "ramp_tokens": 0}, {"ramp_tokens": 5_000_000, "stages": [dict(tokens=99_999, sequence=9, attention="dense")]}],
)
def test_counted_steps_are_those_of_a_run(changes):
    s, steps, tokens = schedule(**changes), 0, 0
    while tokens < s.tokens:
        tokens += batch_tokens_at(s, tokens)
        steps += 1
    assert count_steps(s) == steps


def test_flash_as_the_report_gives_it():
    flash = read_schedule(
        {
            "learning_rate": 2.7e-4, "end_learning_rate": 2.7e-5, "warmup_steps": 2000, "decay_start": 0.9,
            "batch_tokens": 18_432 * 4096,
            "stages": [
                {"tokens": 10**12, "sequence": 4096, "attention": "dense"},
                {"tokens": 2 * 10**9, "sequence": 65_536, "attention": "warmup"},
                {"tokens": 31 * 10**12, "sequence": 65_536, "attention": "sparse"},
            ],
        }
    )  # fmt: skip
    assert round(count_steps(flash), -3) == 424_000
    moment = at(flash, 1999, 10**12)
    assert (moment.stage, moment.batch_tokens) == (flash.stages[1], 75_497_472)
    assert (moment.learning_rate, moment.mtp_loss_weight) == (2.7e-4, 0.3)


def test_sparse_from_the_start_is_a_schedule():
    assert at(schedule(stages=[{"tokens": 5, "sequence": 4, "attention": "sparse"}]), 0, 0).stage.attention == "sparse"


def stages(*parts):
    return {"stages": [{"tokens": 1000, "sequence": sequence, "attention": attention} for sequence, attention in parts]}


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"stages": []}, "no stages: give at least one"),
        ({"stages": None}, "needs stages, a list like"),
        ({"stages": ["dense"]}, "needs stages, a list like"),
        ({"stages": [{"tokens": 5, "sequence": 4}]}, "stage 1 lacks attention"),
        ({"stages": [{"tokens": 5, "sequence": 4, "attention": "dense", "rate": 1}]}, "stage 1 has the unknown key 'rate'"),
        ({"stages": [{"tokens": 1e6, "sequence": 4, "attention": "dense"}]}, "tokens of stage 1 is 1000000.0; it must be a whole"),
        (stages((0, "dense")), "sequence of stage 1 is 0"),
        (stages((8, "sliding")), "attention of stage 1 is 'sliding'; choose one of dense, warmup, sparse"),
        (stages((8, "dense"), (8, "sparse")), "stage 2 goes from dense to sparse attention with an untrained indexer"),
        (stages((8, "warmup"), (8, "sparse"), (8, "dense")), "stage 3 goes back from sparse to dense"),
        (
            {"stages": [{"tokens": 9, "sequence": 4, "attention": "sparse", "fp4": fp4} for fp4 in (False, True, False)]},
            "stage 3 leaves FP4 again",
        ),
        (stages((8, "dense"), (2000, "dense")), "stage 2 has sequences of 2000 tokens but begins with batches of 1054"),
        ({"speed": 1}, "the schedule has the unknown key 'speed'"),
        ({"batch_tokens": 0}, "batch_tokens is 0"),
        ({"batch_tokens": True}, "batch_tokens is True"),
        ({"warmup_steps": -1}, "warmup_steps is -1"),
        ({"learning_rate": "2e-3"}, "learning_rate is '2e-3'; it must be a number"),
        ({"learning_rate": math.nan}, "learning_rate is nan"),
        ({"learning_rate": 0, "end_learning_rate": 0}, "nothing would be learnt"),
        ({"end_learning_rate": 1.0}, "end_learning_rate=1.0 exceeds learning_rate=0.002"),
        ({"decay_start": 80}, "decay_start is 80; it is a share"),
        ({"ramp_tokens": 0}, "make no ramp"),
        ({"ramp_from": 5000}, "make no ramp"),
        ({"mtp_loss_weight": 0.3}, "give two numbers"),
        ({"mtp_loss_weight": [0.3, -1]}, "mtp_loss_weight is -1"),
    ],
)
def test_what_cannot_run_is_refused_with_its_cause(changes, sentence):
    with pytest.raises(ScheduleError) as error:
        schedule(**changes)
    assert sentence in str(error.value)


@pytest.mark.parametrize("key", ["learning_rate", "end_learning_rate", "warmup_steps", "decay_start", "batch_tokens"])
def test_missing_key_is_named(key):
    raw = tomllib.loads(RECIPE)
    del raw[key]
    with pytest.raises(ScheduleError, match=f"the schedule lacks {key}: add it"):
        read_schedule(raw)
