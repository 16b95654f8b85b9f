"""Two small tasks, and an engine that has learnt them by heart."""

from __future__ import annotations

import json
import random

from finback.engine import Result
from finback.tasks import Problem, Task, Verdict, render
from finback.tasks.protocol import answer_of, assistant, user


def _sum(rng: random.Random, level: int, held_out: bool) -> Problem:
    count = 2 + held_out
    numbers = [rng.randrange(10 ** (level + 1)) for _ in range(count)]
    return Problem(
        f"{count} numbers",
        " ".join(map(str, sorted(numbers))),
        user(f"Add {' and '.join(map(str, numbers))}, please, as well as you can."),
        {"numbers": numbers},
    )


def _work(problem, effort, rng):
    numbers = problem.facts["numbers"]
    steps = "" if effort == "none" else f"{' + '.join(map(str, numbers))} = {sum(numbers)}"
    return [assistant(f"The sum is {sum(numbers)}.", steps * (2 if effort == "max" else 1))]


def _check(problem, replies, box):
    wanted = f"The sum is {sum(problem.facts['numbers'])}."
    right = answer_of(replies) == wanted
    return Verdict(right, "" if right else f"'{answer_of(replies)[:20]}' instead of {wanted}")


def _ask_tool(rng, level, held_out):
    problem = _sum(rng, level, held_out)
    tool = {
        "type": "function",
        "function": {
            "name": "add",
            "description": "Adds.",
            "parameters": {"type": "object", "properties": {"numbers": {"type": "array"}}},
        },
    }
    return Problem(
        problem.kind,
        problem.key,
        [{"role": "system", "content": "Use the tool.", "tools": [tool]}, *problem.messages],
        problem.facts,
    )


def _work_tool(problem, effort, rng):
    numbers = problem.facts["numbers"]
    call = {
        "id": "call_0_0",
        "type": "function",
        "function": {"name": "add", "arguments": json.dumps({"numbers": numbers})},
    }
    thoughts = {} if effort == "none" else {"reasoning_content": "The tool adds."}
    return [
        {"role": "assistant", "content": "", "tool_calls": [call], **thoughts},
        {"role": "tool", "tool_call_id": "call_0_0", "content": str(sum(numbers))},
        assistant(f"The sum is {sum(numbers)}.", "" if effort == "none" else "It is given."),
    ]


SUMS = Task("sums", "mathematics", 3, _sum, _work, _check)
TOOL = Task(
    "tool",
    "tools",
    2,
    _ask_tool,
    _work_tool,
    _check,
    lambda problem, name, arguments, box: str(sum(arguments["numbers"])),
)
TASKS = {t.name: t for t in (SUMS, TOOL)}


def by_heart(cases, tasks=TASKS):
    """Prompt to completion, for every turn of every case, as the task's solver would have it."""
    out = {}
    for case in cases:
        replies = tasks[case.source].solve(case.problem, case.effort, random.Random(0))
        for i, reply in enumerate(replies):
            if reply["role"] == "assistant":
                prompt = render(case.problem.messages + replies[:i], case.effort)
                whole = render(case.problem.messages + replies[: i + 1], case.effort)
                assert whole.startswith(prompt)
                out[prompt] = whole[len(prompt) :]
    return out


class Engine:
    """Answers from a table. said: a function that changes what it says."""

    def __init__(self, table, said=lambda text: text, finish="stop"):
        self.table, self.said, self.finish, self.asked, self.closed = table, said, finish, [], False

    def submit(self, prompt, params):
        if self.closed:
            raise ValueError("the engine is closed: make a new one")
        self.asked.append(prompt)
        text = self.said(self.table[prompt])
        thoughts = text.partition("</think>")[0] if "</think>" in text else ""
        found = Result(
            len(prompt.split()), [1] * len(text.split()), text, finish=self.finish, thinking=len(thoughts.split())
        )
        return type("Request", (), {"result": lambda self: found})()

    def close(self):
        self.closed = True
