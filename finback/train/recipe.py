"""What does a training run consist of? A recipe: one TOML file, checked before anything starts.

    name, seed, samples     the run, all its randomness, and prompts to answer at each evaluation and at the end
    precision               of the computation: fp32, bf16 (over FP32 weights), or auto: bf16 where the machine is faster in it
    size                    one number instead of the settings below (finback/train/scaling.py); those given here win
    [model]                 a preset and the fields of ModelConfig that differ from it
    [tokenizer]             size and number splitting of the vocabulary that is trained first
    init                    start from the weights and the tokenizer of this model instead of new ones (a folder; [model] is then its own)
    [data] and [[source]]   the texts and how they are prepared
    [[task]]                problems with worked traces, drawn when the run begins (finback/tasks)
    [schedule]              stages, batch, learning rate (finback/train/schedule.py)
    [optimizer], [losses]   how the weights move
    [stability]             what is a spike, and what happens then (finback/train/stability.py)
"""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from finback.config import ModelConfig, preset
from finback.data import Source
from finback.tasks import EFFORTS, TASKS
from finback.train.scaling import fill_in
from finback.train.schedule import Schedule, read_schedule


class RecipeError(ValueError):
    """A recipe that cannot run; the message names the key and the fix."""


@dataclass(frozen=True)
class TokenizerOptions:
    vocab_size: int
    digits: int = 3


@dataclass(frozen=True)
class DataOptions:
    """Shares: of documents held out for validation, of similarity that makes a near copy (0: exact copies only),
    and of documents rearranged for filling in the middle, in the sources that ask for it."""

    held_out: float = 0.02
    near_duplicates: float = 0.0
    fim_rate: float = 0.1


@dataclass(frozen=True)
class OptimizerOptions:
    """kind "muon": Muon for matrices and AdamW for the rest, as the report; "adamw": AdamW for everything."""

    kind: str = "muon"
    weight_decay: float = 0.1
    clip: float = 1.0


@dataclass(frozen=True)
class LossOptions:
    """Weights of the balance and indexer losses, and the speed of the routers' bias rule. MTP's weight is scheduled.
    on: "all" tokens, or only those that the "assistant" says, as fine-tuning does."""

    on: str = "all"
    balance: float = 1e-4
    indexer: float = 1.0
    bias_speed: float = 0.001


@dataclass(frozen=True)
class StabilityOptions:
    """A step spikes that lies `factor` robust deviations above the last `window` steps; the run goes back `rollback` steps
    or up to twice as many, and routes by parameters `dt` steps old for `duration` steps."""

    enabled: bool = True
    factor: float = 12.0
    window: int = 32
    rollback: int = 16
    dt: int = 4
    duration: int = 64


@dataclass(frozen=True)
class Problems:
    """A source of `problems` worked problems of one task, of every level or of `levels`, at efforts in the given proportion.
    weight and repeat as in a text's source."""

    name: str
    problems: int
    efforts: dict[str, float] = field(default_factory=lambda: {"none": 0.2, "high": 0.6, "max": 0.2})
    levels: tuple[int, ...] = ()
    weight: float | None = None
    repeat: int = 1

    def __post_init__(self) -> None:
        if self.name not in TASKS:
            raise RecipeError(f"there is no task {self.name!r}: choose one of {', '.join(TASKS)}")
        if self.problems < 1:
            raise RecipeError(f"task {self.name}: problems is {self.problems}; it must be at least 1")
        if not self.efforts or not set(self.efforts) <= set(EFFORTS) or min(self.efforts.values()) < 0 or not sum(self.efforts.values()):
            raise RecipeError(f"task {self.name}: efforts is {self.efforts}; give shares of {', '.join(EFFORTS)}")
        if not set(self.levels) <= set(range(1, TASKS[self.name].levels + 1)):
            raise RecipeError(f"task {self.name}: levels is {list(self.levels)}; it has 1 to {TASKS[self.name].levels}")


@dataclass(frozen=True)
class Recipe:
    name: str
    seed: int
    model: ModelConfig
    tokenizer: TokenizerOptions | None  # None: that of `init`
    data: DataOptions
    sources: tuple[Source, ...]
    schedule: Schedule
    optimizer: OptimizerOptions = field(default_factory=OptimizerOptions)
    losses: LossOptions = field(default_factory=LossOptions)
    stability: StabilityOptions = field(default_factory=StabilityOptions)
    samples: tuple[str, ...] = ()
    precision: str = "auto"
    tasks: tuple[Problems, ...] = ()
    init: str | None = None


PRECISIONS = ("auto", "bf16", "fp32")
_KEYS = {
    "name", "seed", "samples", "precision", "size", "model", "tokenizer", "data", "source", "schedule", "optimizer", "losses",
    "stability", "task", "init",
}  # fmt: skip


def read_recipe(path: str | Path) -> Recipe:
    """Reads and checks a recipe file. Raises RecipeError, ScheduleError, DataError or ConfigError, all ValueErrors."""
    try:
        raw = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecipeError(f"{path} does not exist: give a recipe file, for example recipes/first.toml") from None
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{path} is not valid TOML: {error}") from None
    _only(raw, _KEYS, "the recipe")
    if not isinstance(raw.get("source", []), list):
        raise RecipeError(f"{path} has a [source]: write [[source]], because a recipe may have several")
    _only(raw.get("model", {}), {"preset", *(f.name for f in dataclasses.fields(ModelConfig))}, "[model]")
    if "size" in raw:
        raw = fill_in(raw)
    sources = tuple(_fill(Source, s, f"[[source]] number {i}") for i, s in enumerate(raw.get("source", []), 1))
    tasks = tuple(_fill(Problems, t, f"[[task]] number {i}") for i, t in enumerate(raw.get("task", []), 1))
    if not sources and not tasks:
        raise RecipeError(f"{path} has no [[source]] and no [[task]]: name at least one text or task to train on")
    init = raw.get("init")
    if init is not None:
        for name in ("model", "tokenizer", "size"):
            if name in raw:
                raise RecipeError(f"{path} has init = {init!r} and {name}: the model and tokenizer are then those of init, so drop it")
        config, tokenizer = _config_of(init), None
    else:
        tokenizer = _fill(TokenizerOptions, raw.get("tokenizer", {}), "[tokenizer]")
        changes = dict(raw.get("model", {}))
        base = preset(changes.pop("preset", "nano"))
        config = base.replace(vocab_size=tokenizer.vocab_size, **changes)
    optimizer = _fill(OptimizerOptions, raw.get("optimizer", {}), "[optimizer]")
    options = _fill(LossOptions, raw.get("losses", {}), "[losses]")
    if options.on not in ("all", "assistant"):
        raise RecipeError(f'[losses] on is {options.on!r}; choose "all" or "assistant"')
    if optimizer.kind not in ("muon", "adamw"):
        raise RecipeError(f"[optimizer] kind is {optimizer.kind!r}; choose muon or adamw")
    precision = raw.get("precision", "auto")
    if precision not in PRECISIONS:
        raise RecipeError(f"precision is {precision!r}; choose {', '.join(PRECISIONS)}")
    data = _fill(DataOptions, raw.get("data", {}), "[data]")
    if not 0 < data.held_out < 1:
        raise RecipeError(f"[data] held_out is {data.held_out}; it is a share, for example 0.02")
    schedule = read_schedule(raw.get("schedule", {}))
    longest = max(stage.sequence for stage in schedule.stages)
    if longest > config.max_position_embeddings:
        raise RecipeError(f"a stage has sequence={longest}, above max_position_embeddings={config.max_position_embeddings}")
    if "CSA" not in config.layer_kinds and any(stage.attention == "warmup" for stage in schedule.stages):
        raise RecipeError("a stage warms up the indexer, but the model has no CSA layer: remove the stage")
    if any(stage.fp4 for stage in schedule.stages):
        for name in ("hidden_size", "moe_intermediate_size"):
            if getattr(config, name) % 2:
                raise RecipeError(f"a stage trains for FP4, which packs two values to a byte, but {name}={getattr(config, name)} is odd")
        config.replace(index_fp4=True)  # what the model becomes at the end is checked now
    return Recipe(
        name=raw.get("name", Path(path).stem), seed=raw.get("seed", 0), model=config, tokenizer=tokenizer, data=data,
        sources=sources, schedule=schedule, optimizer=optimizer, losses=options,
        stability=_stability(raw.get("stability", {})), samples=tuple(raw.get("samples", ())), precision=precision, tasks=tasks, init=init,
    )  # fmt: skip


def _config_of(init: str) -> ModelConfig:
    if not (Path(init) / "config.json").is_file():
        raise RecipeError(f"init is {init!r}, which holds no model (no config.json): train it first, or correct the folder")
    return ModelConfig.from_file(Path(init) / "config.json")


def _stability(raw: dict[str, Any]) -> StabilityOptions:
    options = _fill(StabilityOptions, raw, "[stability]")
    if not isinstance(options.enabled, bool):
        raise RecipeError(f"[stability] enabled is {options.enabled!r}; it must be true or false")
    for name, least, why in (
        ("factor", 1, "below it noise would be a spike"), ("dt", 0, "0 is rollback alone"), ("rollback", 1, ""),
        ("window", 2 * options.rollback, "twice rollback, so that a spike has a state to go back to"),
        ("duration", 2 * options.rollback, "twice rollback, so that it lasts beyond the spike"),
    ):  # fmt: skip
        value, kinds = getattr(options, name), (int, float) if name == "factor" else (int,)
        if not isinstance(value, kinds) or isinstance(value, bool) or not least <= value < 10**6:
            raise RecipeError(f"[stability] {name} is {value!r}; it must be a number of at least {least}" + f" ({why})" * bool(why))
    return options


def _only(raw: dict[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(raw) - known)
    if unknown:
        raise RecipeError(f"{where} has the unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")


def _fill(kind: type, raw: dict[str, Any], where: str) -> Any:
    fields = dataclasses.fields(kind)
    _only(raw, {f.name for f in fields}, where)
    missing = [f.name for f in fields if f.default is f.default_factory is dataclasses.MISSING and f.name not in raw]
    if missing:
        raise RecipeError(f"{where} lacks {', '.join(missing)}: add it")
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()})
