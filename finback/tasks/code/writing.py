"""What is a function called, and how are its plan and its trials written down as thoughts?"""

from __future__ import annotations

import keyword
import random
import re
from typing import Any

from finback.tasks.code.values import KINDS_EN
from finback.tasks.protocol import Effort

VERBS = ["get", "make", "find", "compute", "do", "process", "my", "calc", "the"]
PLAIN = (
    "f g h solve solution func answer run task process transform compute helper work apply_it do_it my_func fun calc "
    "convert handle go main_task evaluate result_of perform exercise function_a test_me produce"
).split()
TAKEN = set("list sum count first set str min max all any len range sorted dict abs".split())


def function_name(rng: random.Random, labels: list[str], avoid: list[str], plain: bool = False) -> str:
    """A name made from what the pieces do, or (always if plain) one that says nothing; none of `avoid`."""
    words = [w for label in labels for w in re.findall(r"[a-z]+", label) if len(w) > 1 and w not in ("of", "to")]
    chosen = [w for w in words if rng.random() < 0.7][:3] or words[:1] or ["value"]
    if rng.random() < 0.4:
        chosen = [rng.choice(VERBS), *chosen][:3]
    style = rng.random()
    name = rng.choice(PLAIN) if plain or style < 0.5 else "_".join(chosen)
    if style > 0.9 and not plain:
        name = chosen[0] + "".join(w.capitalize() for w in chosen[1:])
    while name in TAKEN or name in avoid or keyword.iskeyword(name):
        name += "_it"
    return name


def as_tests(cases: list[tuple[list[Any], Any]]) -> list[list[str]]:
    return [[repr(tuple(args)), repr(result)] for args, result in cases]


def some(rng: random.Random, cases: list[tuple[list[Any], Any]], room: int = 160) -> list[tuple[list[Any], Any]]:
    """None to three cases to show, together no longer than `room` characters."""
    count = rng.choice([0, 1, 1, 2, 3])
    while sum(len(repr(case)) for case in cases[:count]) > room:
        count -= 1
    return cases[:count]


def given(args: list[str], kinds: list[str]) -> str:
    """What comes in: `nums is a list of integers, k is an integer`."""
    return ", ".join(f"{arg} is {KINDS_EN[kind]}" for arg, kind in zip(args, kinds, strict=True))


def values(args: list[str], case: list[Any]) -> str:
    return ", ".join(f"{arg} = {value!r}" for arg, value in zip(args, case, strict=True))


def fenced(code: str) -> str:
    return f"```python\n{code}\n```"


def thoughts(facts: dict[str, Any], effort: Effort) -> str:
    """The plan; at max the trial, then the plan again, so that the code is written right after it at any effort."""
    tried = trial(facts, effort)
    return "\n".join([*facts["plan"], *tried, *(["So:", *facts["plan"]] if tried else [])])


def trial(facts: dict[str, Any], effort: Effort) -> list[str]:
    """At effort max the function tried on an example, line by line or piece by piece."""
    if effort != "max":
        return []
    first, *run = facts["tried"]
    return [f"Try {first}:", *run, *["as asked"] * (facts["shown"] > 0)]
