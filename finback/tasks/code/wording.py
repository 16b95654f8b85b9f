"""How is one thing said in many ways, and which of the ways are kept for measuring?

A grammar is text with alternatives in round brackets, `(keep|take) the even %nums`; `%nums` names a
shared group of `MACROS`, and an alternative may be empty. Of four or more expansions one in `HELD_ONE_IN`, and at
least one, by its hash, is never drawn for training. `$v`, `$k`, `$m` stay in place for `fill`.
"""

from __future__ import annotations

import random
import re
from functools import cache
from hashlib import sha256

HELD_ONE_IN = 6
MACROS = {
    "nums": "(numbers|values|integers|elements)",
    "num": "(number|value|integer|element)",
    "strs": "(strings|words)",
    "str": "(string|word)",
    "chars": "(characters|letters)",
    "keep": "(keep|select|take|pick)",
    "drop": "(remove|drop|discard|delete)",
    "find": "(find|compute|get|work out)",
    "each": "(each|every)",
    "big": "(largest|biggest|greatest|maximum)",
    "small": "(smallest|least|lowest|minimum)",
    "more": "(greater than|larger than|bigger than|more than|above)",
    "less": "(less than|smaller than|below)",
    "rev": "(reverse|backwards|opposite)",
    "in": "(in|of|from)",
    "check": "(check whether|test whether|tell whether|decide if|check if)",
}


def _expand(text: str, at: int) -> tuple[list[str], int]:
    """The expansions of text from `at` to the bracket that closes, or the end."""
    options: list[str] = []
    row = [""]
    while at < len(text) and text[at] != ")":
        if text[at] == "|":
            options += row
            row = [""]
            at += 1
        elif text[at] == "(":
            inner, at = _expand(text, at + 1)
            row = [a + b for a in row for b in inner]
            at += 1
        else:
            end = at
            while end < len(text) and text[end] not in "(|)":
                end += 1
            row = [a + text[at:end] for a in row]
            at = end
    return options + row, at


@cache
def expansions(grammar: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a grammar can say: for training, and kept for measuring."""
    text = re.sub(r"%([a-z]+)", lambda m: MACROS[m[1]], grammar)
    found = list(dict.fromkeys(option.strip() for option in _expand(text, 0)[0]))
    count = max(len(found) // HELD_ONE_IN, len(found) > 3)
    held = sorted(found, key=lambda w: sha256(w.encode()).digest())[:count]
    return tuple(w for w in found if w not in set(held)), tuple(held)


def say(rng: random.Random, grammar: str, held_out: bool = False) -> str:
    """One expansion; held_out: one that training never shows, where there is one."""
    seen, held = expansions(grammar)
    return rng.choice(held if held_out and held or not seen else seen)


def measured(*grammars: str) -> bool:
    """Whether one of them keeps an expansion for measuring."""
    return any(expansions(grammar)[1] for grammar in grammars)


def fill(text: str, **values: object) -> str:
    """`$name` replaced by values; longer names first."""
    for name in sorted(values, key=len, reverse=True):
        text = text.replace(f"${name}", str(values[name]))
    return text
