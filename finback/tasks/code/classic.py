"""What is a well-known function: its code, its words, the plan for it and the inputs it is tried on?"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from finback.tasks.code.piece import Piece


@dataclass(frozen=True)
class Classic:
    """code, plan and words name the function `$f` and its arguments `$v`, `$k`, `$m`. args: sets of argument names, one
    is drawn. kinds: their types, by letter. plan: the idea in one to four lines. inputs: draws arguments."""

    name: str
    level: int
    kinds: str
    args: tuple[str, ...]
    code: str
    of: str
    do: str
    zh: str
    plan: str
    inputs: Callable[[random.Random], list[Any]]

    @property
    def piece(self) -> Piece:
        return Piece(self.name, self.kinds[0], "", self.code, "", self.do, self.of, self.zh, self.kinds[1:])


def classic(
    name: str, level: int, kinds: str, args: str, inputs: Callable[[random.Random], list[Any]], *, code: str, of: str,
    do: str, zh: str, plan: str,
) -> Classic:  # fmt: skip
    return Classic(name, level, kinds, tuple(args.split("|")), code.strip("\n"), of, do, zh, plan.strip("\n"), inputs)


def between(low: int, high: int, count: int = 1) -> Callable[[random.Random], list[Any]]:
    """Draws that many integers."""
    return lambda rng: [rng.randint(low, high) for _ in range(count)]


def ints(rng: random.Random, least: int = 0, most: int = 7, low: int = -5, high: int = 15) -> list[int]:
    return [rng.randint(low, high) for _ in range(rng.randint(least, most))]
