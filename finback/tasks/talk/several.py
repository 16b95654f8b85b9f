"""How does a model learn that a conversation may change its subject: that each turn is answered for itself?

Earlier turns are problems of other tasks with their answers, the last one is the problem: it is judged by its own task. Levels: one,
two or three earlier turns. Held out: one in `HELD_OUT_PAIRS` of the pairs of tasks that may follow each other.
"""

from __future__ import annotations

import random
from hashlib import sha256
from typing import Any

from finback.tasks.code import TASKS as CODE
from finback.tasks.mathematics import TASKS as MATHEMATICS
from finback.tasks.planning import TASKS as PLANNING
from finback.tasks.protocol import Effort, Message, Problem, Task, Verdict, is_seen
from finback.tasks.talk.chat import CHAT
from finback.tasks.talk.instructions import INSTRUCTION
from finback.tasks.talk.recall import RECALL
from finback.tasks.talk.story import STORY

HELD_OUT_PAIRS = 5
# How often each task is drawn, and its hardest level here, so that a conversation stays short.
PARTS: tuple[tuple[Task, int, int], ...] = (
    (CHAT, 5, 4), (INSTRUCTION, 3, 4), (STORY, 2, 2), (RECALL, 1, 2), (MATHEMATICS["arithmetic"], 3, 3), (MATHEMATICS["equation"], 2, 2),
    (MATHEMATICS["word_problem"], 3, 3), (MATHEMATICS["number_theory"], 2, 3), (CODE["write_function"], 3, 2), (PLANNING["blocksworld"], 1, 1),
)  # fmt: skip
TASK_OF = {task.name: task for task, *_ in PARTS}


def sample(rng: random.Random, level: int, held_out: bool) -> Problem:
    while True:
        parts = [_part(rng) for _ in range(level + 1)]
        names = [name for name, _ in parts]
        pairs = [_is_held_out(a, b) for a, b in zip(names, names[1:])]
        if (pairs[-1] and not any(pairs[:-1])) if held_out else not any(pairs):
            break
    messages: list[Message] = []
    for name, problem in parts[:-1]:
        messages += problem.messages + TASK_OF[name].solve(problem, "none", rng)
    name, last = parts[-1]
    facts = {"task": name, "kind": last.kind, "key": last.key, "messages": last.messages, "facts": last.facts}
    return Problem(f"{names[-2]}, then {name}", " ".join(f"{n} {p.key}" for n, p in parts), messages + last.messages, facts)


def _part(rng: random.Random) -> tuple[str, Problem]:
    """A problem that training may show, without a system turn: that can stand only at the beginning."""
    while True:
        task, _, levels = rng.choices(PARTS, [often for _, often, _ in PARTS])[0]
        problem = task.sample(rng, rng.randint(1, levels), False)
        if problem.messages[0]["role"] == "user" and not is_seen(task.name, problem.key):
            return task.name, problem


def _is_held_out(before: str, after: str) -> bool:
    return before != after and sha256(f"{before} {after}".encode()).digest()[0] % HELD_OUT_PAIRS == 0


def _last(problem: Problem) -> tuple[Task, Problem]:
    f = problem.facts
    return TASK_OF[f["task"]], Problem(f["kind"], f["key"], f["messages"], f["facts"])


def solve(problem: Problem, effort: Effort, rng: random.Random) -> list[Message]:
    task, last = _last(problem)
    return task.solve(last, effort, rng)


def verify(problem: Problem, replies: list[Message], box: Any) -> Verdict:
    task, last = _last(problem)
    return task.verify(last, replies, box)


SEVERAL = Task("several", "talk", 3, sample, solve, verify, needs_sandbox=True)
