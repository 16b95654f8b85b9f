"""What does a training run consist of? A recipe: one TOML file, checked before anything starts."""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finback.config import ModelConfig, preset
from finback.data import Source


class RecipeError(ValueError):
    """A recipe that cannot run; the message names the key and the fix."""


@dataclass(frozen=True)
class TrainOptions:
    """`tokens` counts inputs seen; `held_out` is the share of each source's documents kept for validation."""

    tokens: int
    batch_tokens: int
    sequence: int
    learning_rate: float
    warmup_steps: int
    weight_decay: float
    held_out: float
    samples: tuple[str, ...] = ()


@dataclass(frozen=True)
class TokenizerOptions:
    vocab_size: int
    digits: int = 3


@dataclass(frozen=True)
class Recipe:
    name: str
    seed: int
    model: ModelConfig
    tokenizer: TokenizerOptions
    train: TrainOptions
    sources: tuple[Source, ...]


def read_recipe(path: str | Path) -> Recipe:
    """Reads and checks a recipe file. Raises RecipeError or ConfigError."""
    try:
        raw = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecipeError(f"{path} does not exist: give a recipe file, for example recipes/first.toml") from None
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{path} is not valid TOML: {error}") from None
    _only(raw, {"name", "seed", "model", "tokenizer", "train", "source"}, "the recipe")
    tokenizer = _fill(TokenizerOptions, raw.get("tokenizer", {}), "[tokenizer]")
    train = _fill(TrainOptions, raw.get("train", {}), "[train]")
    changes = dict(raw.get("model", {}))
    base = preset(changes.pop("preset", "nano"))
    _only(changes, {f.name for f in dataclasses.fields(ModelConfig)}, "[model]")
    config = base.replace(vocab_size=tokenizer.vocab_size, **changes)
    if not isinstance(raw.get("source", []), list):
        raise RecipeError(f"{path} has a [source]: write [[source]], because a recipe may have several")
    sources = tuple(_fill(Source, s, f"[[source]] number {i}") for i, s in enumerate(raw.get("source", []), 1))
    if not sources:
        raise RecipeError(f"{path} has no [[source]]: name at least one text to train on")
    for name in ("tokens", "batch_tokens", "sequence"):
        if getattr(train, name) < 1:
            raise RecipeError(f"[train] {name} is {getattr(train, name)}; it must be at least 1")
    if not 0 < train.held_out < 1:
        raise RecipeError(f"[train] held_out is {train.held_out}; it is a share, for example 0.02")
    if train.sequence > config.max_position_embeddings:
        raise RecipeError(f"[train] sequence={train.sequence} exceeds max_position_embeddings={config.max_position_embeddings}")
    return Recipe(raw.get("name", Path(path).stem), raw.get("seed", 0), config, tokenizer, train, sources)


def _only(raw: dict[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(raw) - known)
    if unknown:
        raise RecipeError(f"{where} has the unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")


def _fill(kind: type, raw: dict[str, Any], where: str) -> Any:
    fields = dataclasses.fields(kind)
    _only(raw, {f.name for f in fields}, where)
    missing = [f.name for f in fields if f.default is dataclasses.MISSING and f.name not in raw]
    if missing:
        raise RecipeError(f"{where} lacks {', '.join(missing)}: add it")
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()})
