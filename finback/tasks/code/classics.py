"""How is a well-known function drawn from the catalogue as a problem?

Its structure is always the same, so what is kept for measuring is the wording: one that training never shows.
"""

from __future__ import annotations

import random
from typing import Any

from finback.tasks.code.classic import Classic
from finback.tasks.code.classics_lists import LIST_CLASSICS
from finback.tasks.code.classics_numbers import NUMBER_CLASSICS
from finback.tasks.code.classics_strings import STRING_CLASSICS
from finback.tasks.code.compose import Pipeline
from finback.tasks.code.frames import ask, call_text
from finback.tasks.code.trace import TooLong, define, limited, trace
from finback.tasks.code.wording import fill, measured
from finback.tasks.code.writing import as_tests, function_name, given, some, values
from finback.tasks.protocol import Problem, user

CLASSICS = {c.name: c for c in NUMBER_CLASSICS + LIST_CLASSICS + STRING_CLASSICS}
INPUTS, TESTS, LINES, ROOM = 16, 11, 14, 360


def draw_classic(rng: random.Random, level: int, held_out: bool) -> Problem:
    options = [c for c in CLASSICS.values() if c.level == level and (not held_out or measured(c.of, c.do))]
    c = rng.choice(options)
    args = rng.choice(c.args).split(" ")
    pipeline = Pipeline((c.piece,), ((None,) * (len(args) - 1),), (tuple(args[1:]),), args[0])
    name = function_name(rng, [c.name], args)
    words = {"f": name, "v": args[0], **pipeline.words(0)}
    code = fill(c.code, **words)
    cases = cases_of(rng, c, code, name)
    tried = []
    for case in cases[:2]:
        run = short_run(code, name, case[0])
        tried.append([values(args, case[0]), *(run or [f"return {case[1]!r}"])])
    shown = some(rng, cases[:3])
    facts = {
        "name": name,
        "code": code,
        "shown": len(shown),
        "plan": [f"{given(args, pipeline.kinds)}.", *fill(c.plan, **words).split("\n")],
        "tried": tried,
        "tests": as_tests(cases),
    }
    return Problem(f"classic {c.name}", f"{c.name} {facts['tests']}", user(ask(rng, pipeline, name, shown, held_out)), facts)


def cases_of(rng: random.Random, c: Classic, code: str, name: str) -> list[tuple[list[Any], Any]]:
    """Arguments and results; those that can be traced in a few lines first, results that say something before others."""
    function = define(code, name)
    cases: dict[str, tuple[list[Any], Any]] = {}
    for _ in range(INPUTS):
        args = c.inputs(rng)
        cases.setdefault(repr(args), (args, limited(function, define_args(args))))
    found = list(cases.values())
    runs = [short_run(code, name, args) for args, _ in found[:5]]
    ranks = [(run is None, result in (0, [], "", {}, False), len(run or ())) for run, (_, result) in zip(runs, found)]
    front = [found[i] for i in sorted(range(len(ranks)), key=ranks.__getitem__)]
    return (front + found[5:])[:TESTS]


def define_args(args: list[Any]) -> list[Any]:
    """Arguments made afresh, so that a function that changes its list does not change the case."""
    return [[list(x) if isinstance(x, list) else x for x in a] if isinstance(a, list) else a for a in args]


def short_run(code: str, name: str, args: list[Any]) -> list[str] | None:
    """The trace of a call without its first line, None if it is long."""
    try:
        lines = trace(code, call_text(name, args), LINES).lines[1:]
    except TooLong:
        return None
    return lines if sum(map(len, lines)) <= ROOM else None
