"""A small program: what does it print?

The worked answer follows the program line by line, as it was recorded while it ran.
"""

from __future__ import annotations

import random
import re

from finback.tasks.code.programs import draw_program
from finback.tasks.code.trace import TooLong, trace
from finback.tasks.code.wording import say
from finback.tasks.protocol import Effort, Message, Problem, Task, Verdict, answer_of, assistant, user

LINES = {1: 14, 2: 22, 3: 26}
ROOM = 800
BEFORE = (
    "What (does|will) (this|the following) (program|code|Python program|Python code|script) (print|output)?|"
    "(Predict|Give|Tell me|Work out|Find) the output of (this|the following) (program|code|Python code|script):|"
    "(Run|Execute|Trace) this (program|code) in your head. What (does it print|is printed|is the output)?|"
    "What is the output of (this|the following) (code|program|snippet)?|"
    "(这段|下面的)(代码|程序)(输出什么|会输出什么|的输出是什么)？"
)
AFTER = (
    "(What|So what) (is printed|does it print|is the output)?|What (will be|gets) printed?|Give the output.|"
    "输出是什么？"
)
LEAD = re.compile(
    r"^[^:：]{0,60}?(?:\b(?:prints?|outputs?|printed|result)\b(?: (?:is|will be))?|\bis\b|输出(?:结果)?[是为]?)"
    r"\s*[:：]?\s*(.*)$",
    re.IGNORECASE,
)
SAYS = "It prints:\n```\n{}\n```"


def sample(rng: random.Random, level: int, held_out: bool) -> Problem:
    while True:
        program = draw_program(rng, level, held_out)
        try:
            run = trace(program.code, limit=LINES[level])
        except TooLong:
            continue
        rows = run.lines
        odd = not run.output or any(not 0 < len(line) <= 60 or line != line.strip() for line in run.output)
        if run.error or odd or sum(map(len, rows)) > ROOM:
            continue
        if re.search(r"\d{4}", " ".join(rows)) or len(rows) < 3:
            continue
        break
    fenced = f"```python\n{program.code}\n```" if rng.random() < 0.7 else program.code
    text = f"{say(rng, BEFORE)}\n{fenced}" if rng.random() < 0.75 else f"{fenced}\n{say(rng, AFTER)}"
    facts = {"code": program.code, "output": run.output, "trace": rows}
    return Problem(f"output {program.kind}", program.canonical, user(text), facts)


def solve(problem: Problem, effort: Effort, rng: random.Random) -> list[Message]:
    rows = list(problem.facts["trace"])
    output = problem.facts["output"]
    if effort == "max":
        rows += check(problem.facts["code"], rows)
    return [assistant(SAYS.format("\n".join(output)), "" if effort == "none" else "\n".join(rows))]


def check(code: str, rows: list[str]) -> list[str]:
    """The second look at max: for each name that is printed at the end, where it was last set."""
    last = re.findall(r"\bprint\((.*)\)", code)[-1]
    names = dict.fromkeys(re.findall(r"\b[a-z_]\w*\b", last))
    found = []
    for name in names:
        sets = [row for row in rows if re.search(rf"(?:^|, |-> |for ){name} = ", row)]
        found += [f"check {name}: {sets[-1]}"] if sets else []
    return [*found, f"lines printed: {sum(row.startswith('print ') for row in rows)}"]


def printed(lines: list[str]) -> list[str]:
    """Lines as they are compared: tidy, and without empty ones at the end, which no answer can show."""
    tidied = [tidy(line) for line in lines]
    while tidied and not tidied[-1]:
        tidied.pop()
    return tidied


def verify(problem: Problem, replies: list[Message], box: object) -> Verdict:
    expected = printed(problem.facts["output"])
    for found in claims(answer_of(replies)):
        if printed(found) == expected:
            return Verdict(True)
    shown = answer_of(replies).strip()[-200:]
    return Verdict(False, f"it says {shown!r}, the program prints {problem.facts['output']!r}")


def claims(content: str) -> list[list[str]]:
    """What an answer may mean by the output: its only fenced block, or its text without the words that lead in."""
    content = content[:20_000].strip()
    blocks = re.findall(r"```[a-z]*[ \t]*\n?(.*?)```", content, re.DOTALL)
    if blocks:
        return [blocks[-1].strip("\n").split("\n")]
    lines = [line for line in content.split("\n") if line.strip()]
    found = [lines]
    lead = LEAD.match(lines[0]) if lines else None
    if lead:
        found.append(([lead[1]] if lead[1].strip() else []) + lines[1:])
    return found


def tidy(line: str) -> str:
    """A printed line without odd spacing, wrapping quotes of code, or a full stop after it."""
    line = re.sub(r"\s+", " ", line.strip().strip("`").strip())
    line = re.sub(r"(?<=[\w\])}'])\.$", "", line)
    return re.sub(r"\s*([,:\[\](){}])\s*", r"\1", line)


PREDICT_OUTPUT = Task("predict_output", "code", 3, sample, solve, verify)
