"""A request in words for a Python function: how is it drawn, planned, written and judged?

Two sources: pipelines of one to three pieces (`compose`), and a catalogue of well-known functions (`classics`).
"""

from __future__ import annotations

import random

from finback.tasks.code.classics import draw_classic
from finback.tasks.code.compose import Drawn, Pipeline, draw_pipeline
from finback.tasks.code.frames import ask
from finback.tasks.code.verify import extract_code, verify_program
from finback.tasks.code.wording import measured
from finback.tasks.code.writing import as_tests, function_name, given, some, thoughts, values
from finback.tasks.protocol import Effort, Message, Problem, Task, Verdict, answer_of, assistant, user

CLASSIC_SHARE = 0.3


def sample(rng: random.Random, level: int, held_out: bool) -> Problem:
    if rng.random() < CLASSIC_SHARE:
        return draw_classic(rng, level, held_out)
    return from_pipeline(rng, level, held_out)


def from_pipeline(rng: random.Random, level: int, held_out: bool) -> Problem:
    """As many pieces as the level; held_out: a combination never trained, or for a single piece such a wording."""
    while True:
        drawn = draw_pipeline(rng, level, held_out)
        pipeline = drawn.pipeline
        new_words = held_out and level == 1
        if not new_words or measured(pipeline.pieces[0].do, pipeline.pieces[0].of):
            break
    name = function_name(rng, [p.name for p in pipeline.pieces], [*pipeline.args, *(p.var for p in pipeline.pieces)])
    shown = some(rng, drawn.examples)
    blocks = pipeline.blocks()
    facts = {
        "name": name,
        "code": write(name, pipeline.args, blocks),
        "shown": len(shown),
        "plan": [f"{given(pipeline.args, pipeline.kinds)}.", *plan(pipeline, blocks)],
        "tried": tried(drawn, max(2, len(shown))),
        "tests": as_tests(drawn.tests + drawn.examples),
    }
    key = pipeline.key + (f" {facts['tests']}" if level == 1 else "")
    text = ask(rng, pipeline, name, shown, new_words)
    return Problem(f"pipeline {pipeline.types}", key, user(text), facts)


def write(name: str, args: list[str], blocks: list[list[str]]) -> str:
    return f"def {name}({', '.join(args)}):\n" + "\n".join(f"    {line}" for block in blocks for line in block)


def plan(pipeline: Pipeline, blocks: list[list[str]]) -> list[str]:
    """Each piece by its label and its line of Python, or its lines below."""
    return [
        f"{i + 1}. {pipeline.label(i)}:" + (" " if len(block) == 1 else "\n") + "\n".join(block)
        for i, block in enumerate(blocks)
    ]


def tried(drawn: Drawn, count: int) -> list[list[str]]:
    """Examples worked piece by piece: the arguments, then the result of each piece."""
    pipeline, found = drawn.pipeline, []
    for args, _ in drawn.examples[:count]:
        states = pipeline.states(args[0], args[1:])
        rows = [f"{p.var} = {state!r}" for p, state in zip(pipeline.pieces[:-1], states, strict=False)]
        found.append([values(pipeline.args, args), *rows, f"return {states[-1]!r}"])
    return found


def solve(problem: Problem, effort: Effort, rng: random.Random) -> list[Message]:
    content = f"```python\n{problem.facts['code']}\n```"
    return [assistant(content, "" if effort == "none" else thoughts(problem.facts, effort))]


def verify(problem: Problem, replies: list[Message], box: object) -> Verdict:
    return verify_program(extract_code(answer_of(replies)), problem.facts["tests"], box, problem.facts["name"])


WRITE_FUNCTION = Task("write_function", "code", 3, sample, solve, verify, needs_sandbox=True)
