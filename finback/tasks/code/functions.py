"""Which function is a problem about? A pipeline of one to three pieces, or a well-known function from the catalogue.

The tasks that write, repair and complete functions all draw from here, so that all hold out the same combinations.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from finback.tasks.code.classic import Classic
from finback.tasks.code.classics_lists import LIST_CLASSICS
from finback.tasks.code.classics_numbers import NUMBER_CLASSICS
from finback.tasks.code.classics_strings import STRING_CLASSICS
from finback.tasks.code.compose import Drawn, Pipeline, draw_pipeline
from finback.tasks.code.frames import call_text
from finback.tasks.code.trace import TooLong, define, limited, trace
from finback.tasks.code.wording import fill, measured
from finback.tasks.code.writing import as_tests, function_name, given, values

CLASSIC_SHARE = 0.25
CLASSICS = {c.name: c for c in NUMBER_CLASSICS + LIST_CLASSICS + STRING_CLASSICS}
INPUTS, TESTS, LINES, ROOM = 16, 11, 14, 360


@dataclass(frozen=True)
class Function:
    """pipeline: its pieces as they are put into words. steps: what it does, a label each. plan: how, in lines. cases:
    arguments and results, those fit to be shown first. tried: one of them worked, the arguments and then a line for
    each step. new_words: to be asked for in a wording that is never trained."""

    kind: str
    key: str
    name: str
    pipeline: Pipeline
    code: str
    steps: list[str]
    plan: list[str]
    cases: list[tuple[list[Any], Any]]
    tried: list[str]
    new_words: bool

    @property
    def tests(self) -> list[list[str]]:
        return as_tests(self.cases)


def draw_function(rng: random.Random, level: int, held_out: bool) -> Function:
    """held_out: a combination of pieces that is never trained, or for one piece and the catalogue, a wording."""
    return (draw_classic if rng.random() < CLASSIC_SHARE else draw_composed)(rng, level, held_out)


def draw_composed(rng: random.Random, level: int, held_out: bool) -> Function:
    new_words = held_out and level == 1
    while True:
        drawn = draw_pipeline(rng, level, held_out)
        pipeline = drawn.pipeline
        if not new_words or measured(pipeline.pieces[0].do, pipeline.pieces[0].of):
            break
    avoid = [*pipeline.args, *(p.var for p in pipeline.pieces)]
    name = function_name(rng, [p.name for p in pipeline.pieces], avoid, plain=held_out)
    blocks = pipeline.blocks()
    body = "\n".join(f"    {line}" for block in blocks for line in block)
    cases = drawn.examples + drawn.tests
    return Function(
        kind=f"pipeline {pipeline.types}",
        key=pipeline.key + (f" {as_tests(cases)}" if level == 1 else ""),
        name=name,
        pipeline=pipeline,
        code=f"def {name}({', '.join(pipeline.args)}):\n{body}",
        steps=[pipeline.label(i) for i in range(level)],
        plan=[f"{given(pipeline.args, pipeline.kinds)}.", *plan(pipeline, blocks)],
        cases=cases,
        tried=tried(drawn),
        new_words=new_words,
    )


def plan(pipeline: Pipeline, blocks: list[list[str]]) -> list[str]:
    """Each piece by its label and its line of Python, or its lines below."""
    return [
        f"{i + 1}. {pipeline.label(i)}:" + (" " if len(block) == 1 else "\n") + "\n".join(block)
        for i, block in enumerate(blocks)
    ]


def tried(drawn: Drawn) -> list[str]:
    """An example worked piece by piece: the arguments, then the result of each piece."""
    pipeline, (args, _) = drawn.pipeline, drawn.examples[0]
    states = pipeline.states(args[0], args[1:])
    rows = [f"{p.var} = {state!r}" for p, state in zip(pipeline.pieces[:-1], states, strict=False)]
    return [values(pipeline.args, args), *rows, f"return {states[-1]!r}"]


def draw_classic(rng: random.Random, level: int, held_out: bool) -> Function:
    options = [c for c in CLASSICS.values() if c.level == level and (not held_out or measured(c.of, c.do))]
    c = rng.choice(options)
    args = rng.choice(c.args).split(" ")
    pipeline = Pipeline((c.piece,), ((None,) * (len(args) - 1),), (tuple(args[1:]),), args[0])
    name = function_name(rng, [c.name], args, plain=held_out)
    words = {"f": name, "v": args[0], **pipeline.words(0)}
    code = fill(c.code, **words)
    cases = cases_of(rng, c, code, name)
    given_first, result = cases[0]
    worked = [values(args, given_first), *(short_run(code, name, given_first) or [f"return {result!r}"])]
    return Function(
        kind=f"classic {c.name}",
        key=f"{c.name} {as_tests(cases)}",
        name=name,
        pipeline=pipeline,
        code=code,
        steps=[c.name],
        plan=[f"{given(args, pipeline.kinds)}.", *fill(c.plan, **words).split("\n")],
        cases=cases,
        tried=worked,
        new_words=held_out,
    )


def cases_of(rng: random.Random, c: Classic, code: str, name: str) -> list[tuple[list[Any], Any]]:
    """Arguments and results; first those that can be traced in a few lines, and whose results say something."""
    function = define(code, name)
    cases: dict[str, tuple[list[Any], Any]] = {}
    for _ in range(INPUTS):
        args = c.inputs(rng)
        cases.setdefault(repr(args), (args, limited(function, afresh(args))))
    found = list(cases.values())
    runs = [short_run(code, name, args) for args, _ in found[:5]]
    says = [result in (0, [], "", {}, False) or result == args[0] for args, result in found[:5]]
    ranks = [(run is None, dull, len(run or ())) for run, dull in zip(runs, says, strict=True)]
    front = [found[i] for i in sorted(range(len(ranks)), key=ranks.__getitem__)]
    return (front + found[5:])[:TESTS]


def afresh(args: list[Any]) -> list[Any]:
    """Arguments made anew, so that a function that changes its list does not change the case."""
    return [[list(x) if isinstance(x, list) else x for x in a] if isinstance(a, list) else a for a in args]


def short_run(code: str, name: str, args: list[Any]) -> list[str] | None:
    """The trace of a call without its first line, None if it is long or fails."""
    try:
        run = trace(code, call_text(name, args), LINES)
    except TooLong:
        return None
    return run.lines[1:] if not run.error and sum(map(len, run.lines)) <= ROOM else None
