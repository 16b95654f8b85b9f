"""A request in words for a Python function: how is it put, answered and judged?"""

from __future__ import annotations

import random

from finback.tasks.code.frames import ask
from finback.tasks.code.functions import draw_function
from finback.tasks.code.verify import extract_code, verify_program
from finback.tasks.code.writing import fenced, some, thoughts
from finback.tasks.protocol import Effort, Message, Problem, Task, Verdict, answer_of, assistant, user


def sample(rng: random.Random, level: int, held_out: bool) -> Problem:
    f = draw_function(rng, level, held_out)
    shown = some(rng, f.cases[:3])
    facts = {
        "name": f.name,
        "code": f.code,
        "shown": len(shown),
        "plan": f.plan,
        "tried": f.tried,
        "tests": f.tests,
    }
    return Problem(f.kind, f.key, user(ask(rng, f.pipeline, f.name, shown, f.new_words)), facts)


def solve(problem: Problem, effort: Effort, rng: random.Random) -> list[Message]:
    return [assistant(fenced(problem.facts["code"]), "" if effort == "none" else thoughts(problem.facts, effort))]


def verify(problem: Problem, replies: list[Message], box: object) -> Verdict:
    return verify_program(extract_code(answer_of(replies)), problem.facts["tests"], box, problem.facts["name"])


WRITE_FUNCTION = Task("write_function", "code", 3, sample, solve, verify, needs_sandbox=True)
