"""What holds at this point of a training run? Learning rate, batch size, sequence length, attention, MTP weight.

Pure functions of the steps and tokens so far (report 4): linear warm-up in steps, then constant, then a
cosine tail; a batch that grows with the tokens; stages that lengthen the sequences and lead from dense
attention over a warm-up of the indexer to sparse attention, and to weights that will be FP4. A schedule that contradicts itself is refused
when it is made. This file knows nothing of models or of how a stage is carried out.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

Attention = Literal["dense", "warmup", "sparse"]


class ScheduleError(ValueError):
    """A schedule that cannot run; the message names the key and the fix."""


@dataclass(frozen=True)
class Stage:
    """`tokens` of the run with pieces of at most `sequence` tokens.

    attention: "dense" reads every visible entry; "warmup" still does, while the indexer learns from it;
    "sparse" reads what the indexer picks. fp4: the routed experts and the indexer compute as they will once
    exported in FP4, while the full-precision weights learn (report 5.2.1).
    """

    tokens: int
    sequence: int
    attention: Attention
    fp4: bool = False


@dataclass(frozen=True)
class Schedule:
    """A whole run. `decay_start` is the share of its tokens after which the cosine begins (1: never).

    The batch grows linearly from `ramp_from` to `batch_tokens` over the first `ramp_tokens` (0: no ramp).
    `mtp_loss_weight` holds before and after the learning rate begins to fall.
    """

    stages: tuple[Stage, ...]
    batch_tokens: int
    learning_rate: float
    end_learning_rate: float
    warmup_steps: int
    decay_start: float
    ramp_from: int = 0
    ramp_tokens: int = 0
    mtp_loss_weight: tuple[float, float] = (0.3, 0.1)

    def __post_init__(self):
        _validate(self)

    @property
    def tokens(self) -> int:
        return sum(stage.tokens for stage in self.stages)


@dataclass(frozen=True)
class Moment:
    """What holds for the next optimizer step."""

    stage: Stage
    batch_tokens: int
    learning_rate: float
    mtp_loss_weight: float


def read_schedule(raw: dict[str, Any]) -> Schedule:
    """A schedule from plain values, as a recipe's [schedule] holds them. Raises ScheduleError."""
    stages = raw.get("stages")
    if not isinstance(stages, list) or not all(isinstance(stage, dict) for stage in stages):
        raise ScheduleError(
            'the schedule needs stages, a list like [{tokens = 1_000_000, sequence = 256, attention = "dense"}]: add it'
        )
    parsed = tuple(_fill(Stage, stage, f"stage {i}") for i, stage in enumerate(stages, 1))
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()}
    return _fill(Schedule, {**values, "stages": parsed}, "the schedule")


def at(schedule: Schedule, step: int, tokens: int) -> Moment:
    """The next step's settings, after `step` optimizer steps on `tokens` tokens."""
    return Moment(
        stage_at(schedule, tokens),
        batch_tokens_at(schedule, tokens),
        learning_rate_at(schedule, step, tokens),
        mtp_loss_weight_at(schedule, tokens),
    )


def stage_at(schedule: Schedule, tokens: int) -> Stage:
    """A stage begins with the first batch after the tokens of those before it; the last one has no end."""
    end = 0
    for stage in schedule.stages:
        end += stage.tokens
        if tokens < end:
            return stage
    return schedule.stages[-1]


def batch_tokens_at(schedule: Schedule, tokens: int) -> int:
    """Tokens of the next batch."""
    if tokens >= schedule.ramp_tokens:
        return schedule.batch_tokens
    return schedule.ramp_from + (schedule.batch_tokens - schedule.ramp_from) * tokens // schedule.ramp_tokens


def learning_rate_at(schedule: Schedule, step: int, tokens: int) -> float:
    """Linear warm-up, whose last step reaches the peak; constant; cosine to the end of the run."""
    rise = min((step + 1) / schedule.warmup_steps, 1.0) if schedule.warmup_steps else 1.0
    if not _decays(schedule, tokens):
        return schedule.learning_rate * rise
    start = schedule.decay_start * schedule.tokens
    done = min((tokens - start) / (schedule.tokens - start), 1.0)
    height = 0.5 * (1 + math.cos(math.pi * done))
    return rise * (schedule.end_learning_rate + (schedule.learning_rate - schedule.end_learning_rate) * height)


def mtp_loss_weight_at(schedule: Schedule, tokens: int) -> float:
    return schedule.mtp_loss_weight[_decays(schedule, tokens)]


def count_steps(schedule: Schedule) -> int:
    """Optimizer steps of the whole run, where every batch is full."""
    steps = tokens = 0
    while tokens < schedule.ramp_tokens and tokens < schedule.tokens:
        tokens += batch_tokens_at(schedule, tokens)
        steps += 1
    return steps + math.ceil(max(schedule.tokens - tokens, 0) / schedule.batch_tokens)


def _decays(schedule: Schedule, tokens: int) -> bool:
    return schedule.decay_start < 1 and tokens >= schedule.decay_start * schedule.tokens


def _fill(kind: type, raw: dict[str, Any], where: str) -> Any:
    fields = dataclasses.fields(kind)
    unknown = sorted(set(raw) - {f.name for f in fields})
    if unknown:
        raise ScheduleError(f"{where} has the unknown key {unknown[0]!r}; known are {', '.join(f.name for f in fields)}")
    missing = [f.name for f in fields if f.default is dataclasses.MISSING and f.name not in raw]
    if missing:
        raise ScheduleError(f"{where} lacks {', '.join(missing)}: add it")
    return kind(**raw)


def _validate(s: Schedule) -> None:
    def check(ok: bool, sentence: str) -> None:
        if not ok:
            raise ScheduleError(sentence)

    def whole(value: Any, name: str, least: int) -> None:
        ok = isinstance(value, int) and not isinstance(value, bool) and value >= least
        check(ok, f"{name} is {value!r}; it must be a whole number of at least {least}")

    def number(value: Any, name: str) -> None:
        ok = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < math.inf
        check(ok, f"{name} is {value!r}; it must be a number of at least 0")

    check(bool(s.stages), "the schedule has no stages: give at least one")
    for name, least in (("batch_tokens", 1), ("warmup_steps", 0), ("ramp_from", 0), ("ramp_tokens", 0)):
        whole(getattr(s, name), name, least)
    for name in ("learning_rate", "end_learning_rate", "decay_start"):
        number(getattr(s, name), name)
    check(0 < s.learning_rate, "learning_rate is 0: nothing would be learnt, raise it")
    check(
        s.end_learning_rate <= s.learning_rate,
        f"end_learning_rate={s.end_learning_rate} exceeds learning_rate={s.learning_rate}: the cosine only falls, lower it",
    )
    check(s.decay_start <= 1, f"decay_start is {s.decay_start}; it is a share of the run's tokens, for example 0.8")
    weights = s.mtp_loss_weight
    check(
        isinstance(weights, tuple) and len(weights) == 2,
        f"mtp_loss_weight is {weights!r}; give two numbers, before and after the learning rate begins to fall",
    )
    for weight in weights:
        number(weight, "mtp_loss_weight")
    check(
        bool(s.ramp_from) == bool(s.ramp_tokens) and s.ramp_from <= s.batch_tokens,
        f"ramp_from={s.ramp_from} and ramp_tokens={s.ramp_tokens} make no ramp to batch_tokens={s.batch_tokens}: "
        "give both and start below it, or neither",
    )
    kinds = get_args(Attention)
    seen, before = 0, None
    for i, stage in enumerate(s.stages, 1):
        whole(stage.tokens, f"tokens of stage {i}", 1)
        whole(stage.sequence, f"sequence of stage {i}", 1)
        check(stage.attention in kinds, f"attention of stage {i} is {stage.attention!r}; choose one of {', '.join(kinds)}")
        check(isinstance(stage.fp4, bool), f"fp4 of stage {i} is {stage.fp4!r}; it must be true or false")
        smallest = batch_tokens_at(s, seen)
        check(
            stage.sequence <= smallest,
            f"stage {i} has sequences of {stage.sequence} tokens but begins with batches of {smallest}: "
            "shorten the sequences or enlarge batch_tokens (or ramp_from)",
        )
        if before is not None:
            check(
                kinds.index(stage.attention) >= kinds.index(before.attention),
                f"stage {i} goes back from {before.attention} to {stage.attention} attention: order the stages dense, warmup, sparse",
            )
            check(
                (before.attention, stage.attention) != ("dense", "sparse"),
                f"stage {i} goes from dense to sparse attention with an untrained indexer: put a warmup stage between",
            )
            check(
                stage.fp4 or not before.fp4,
                f"stage {i} leaves FP4 again, and what it learns would be lost in the export: set fp4 = true there too",
            )
        seen, before = seen + stage.tokens, stage
