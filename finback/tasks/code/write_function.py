"""A request in words for a Python function: how is it put, answered and judged?"""

from __future__ import annotations

import random
import re
from functools import partial

from finback.tasks.code.frames import ask, ask_unnamed
from finback.tasks.code.functions import draw_function
from finback.tasks.code.verify import defined, extract_code, verify_program
from finback.tasks.code.writing import fenced, some, thoughts
from finback.tasks.protocol import Effort, Message, Problem, Task, Verdict, answer_of, assistant, user

NO_NAME = "solution"  # the function where the request gives no name


def sample(rng: random.Random, level: int, held_out: bool) -> Problem:
    f = draw_function(rng, level, held_out)
    shown = some(rng, f.cases[:3])
    text = "" if shown or rng.random() < 0.4 else ask_unnamed(rng, f.pipeline, f.new_words)
    # A name made up from the request would often be that of a builtin which the function calls.
    called = partial(re.sub, rf"\b{f.name}(?=\()", NO_NAME) if text else str
    facts = {
        "name": "" if text else f.name,
        "code": called(f.code),
        "shown": len(shown),
        "plan": [called(line) for line in f.plan],
        "tried": [called(line) for line in f.tried],
        "tests": f.tests,
    }
    return Problem(f.kind, f.key, user(text or ask(rng, f.pipeline, f.name, shown, f.new_words)), facts)


def solve(problem: Problem, effort: Effort, rng: random.Random) -> list[Message]:
    return [assistant(fenced(problem.facts["code"]), "" if effort == "none" else thoughts(problem.facts, effort))]


def verify(problem: Problem, replies: list[Message], box: object) -> Verdict:
    code = extract_code(answer_of(replies))
    name = problem.facts["name"] or next(iter(defined(code)[::-1]), "?")  # a function that may have any name: the last
    return verify_program(code, problem.facts["tests"], box, name)


WRITE_FUNCTION = Task("write_function", "code", 3, sample, solve, verify, needs_sandbox=True)
